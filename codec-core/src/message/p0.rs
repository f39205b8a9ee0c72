//! The P0: an action byte and its body, the same in every envelope (vendor: UART protocol, "P0").
//!
//! ```text
//! 01 | attr_flags | attr_vals     control, to the device
//! 02                              read, to the device
//! 03 | dev_status                 reply to a read, from the device
//! 04 | dev_status                 report, from the device
//! 05 | bytes   06 | bytes         transparent, to and from the device
//! 11 | mask | values              control, reply, report of a var_len product: a bit for every
//! 13 | mask | values              point, then the values of those that are there
//! 14 | mask | values
//! 12 | mask                       read of a var_len product: the points that are wanted; all with
//!                                 nothing but ff, of any length
//! 71 | 72 | 73                    envelopes of a light gateway's sub-devices
//! ```

use super::view::View;
use super::wanted::Wanted;
use crate::error::{Error, ErrorKind};
use crate::layout::{LayoutRef, Protocol};

/// The actions that carry data points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Action {
    /// Sets points; sent to the device.
    Control,
    /// Asks for the status; sent to the device.
    Read,
    /// Answers a read; sent by the device.
    Reply,
    /// Reports the status unasked; sent by the device.
    Report,
}

impl Action {
    /// The action's byte in this protocol.
    #[inline]
    pub const fn code(self, protocol: Protocol) -> u8 {
        let code = match self {
            Action::Control => 0x01,
            Action::Read => 0x02,
            Action::Reply => 0x03,
            Action::Report => 0x04,
        };
        match protocol {
            Protocol::Standard => code,
            Protocol::VarLen => code | 0x10,
        }
    }
}

/// A decoded P0.
///
/// ```
/// use gizwits_codec_core::{Access, Layout, P0, Point, PointId, Protocol, Value};
///
/// static LAYOUT: Layout<1> = Layout::must(
///     Protocol::Standard,
///     &[Point::bool(0, Access::Writable, 0, 0)],
/// );
/// let P0::Report(view) = P0::parse(LAYOUT.get(), &[0x04, 0x01])? else {
///     panic!("not a report");
/// };
/// assert_eq!(view.get(PointId(0)), Some(Value::Bool(true)));
/// # Ok::<(), gizwits_codec_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub enum P0<'l, 'b> {
    /// Sets points; sent to the device.
    Control(View<'l, 'b>),
    /// Asks for the status; sent to the device.
    Read(Wanted<'b>),
    /// Answers a read; sent by the device.
    Reply(View<'l, 'b>),
    /// Reports the status unasked; sent by the device.
    Report(View<'l, 'b>),
    /// Carries bytes that the protocol does not look into.
    Transparent {
        /// Whether they come from the device.
        from_device: bool,
        /// The bytes.
        data: &'b [u8],
    },
    /// Carries the messages of a light gateway's sub-devices.
    Gateway {
        /// 0x71 state, 0x72 to, 0x73 from the sub-devices.
        action: u8,
        /// The bytes behind the action.
        body: &'b [u8],
    },
}

impl<'l, 'b> P0<'l, 'b> {
    /// Decodes the bytes of a whole P0.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownAction`], [`ErrorKind::OtherProtocol`]; those of
    /// [`LayoutRef::view`] and [`LayoutRef::view_control`]. `byte` counts from the action byte.
    pub fn parse(layout: LayoutRef<'l>, p0: &'b [u8]) -> Result<Self, Error> {
        Self::parse_as::<false>(layout, p0)
    }

    /// Like [`parse`](Self::parse), but accepts a reply or report of any length, as
    /// [`LayoutRef::view_lax`] does.
    ///
    /// # Errors
    /// As for [`parse`](Self::parse), but for the length of a reply or report.
    pub fn parse_lax(layout: LayoutRef<'l>, p0: &'b [u8]) -> Result<Self, Error> {
        Self::parse_as::<true>(layout, p0)
    }

    #[inline]
    fn parse_as<const LAX: bool>(layout: LayoutRef<'l>, p0: &'b [u8]) -> Result<Self, Error> {
        let view = |body| match LAX {
            false => layout.view(body),
            true => Ok(layout.view_lax(body)),
        };
        let Some((&action, body)) = p0.split_first() else {
            return Err(Error::new(ErrorKind::Incomplete { missing: 1 }).at(0));
        };
        match (action, layout.protocol()) {
            (0x01, Protocol::Standard) | (0x11, Protocol::VarLen) => {
                layout.view_control(body).map(P0::Control)
            }
            (0x12, Protocol::VarLen) => layout.wanted(body).map(P0::Read),
            (0x02, Protocol::Standard) => match body.len() {
                0 => Ok(P0::Read(Wanted::all(layout.points()))),
                len => Err(Error::wrong_length(len, 0)),
            },
            (0x03, Protocol::Standard) | (0x13, Protocol::VarLen) => view(body).map(P0::Reply),
            (0x04, Protocol::Standard) | (0x14, Protocol::VarLen) => view(body).map(P0::Report),
            (0x05 | 0x06, _) => Ok(P0::Transparent {
                from_device: action == 0x06,
                data: body,
            }),
            (0x71..=0x73, _) => Ok(P0::Gateway { action, body }),
            (0x01..=0x04, Protocol::VarLen) | (0x11..=0x14, Protocol::Standard) => {
                return Err(Error::new(ErrorKind::OtherProtocol { action }).at(0));
            }
            _ => return Err(Error::new(ErrorKind::UnknownAction { action }).at(0)),
        }
        .map_err(|error| error.behind(1))
    }
}
