//! The P0: an action byte and a body, the same in every frame (vendor: UART protocol, "P0").
//!
//! ```text
//! 01 | attr_flags | attr_vals     control, to the device
//! 02                              read, to the device
//! 03 | dev_status                 reply to a read, from the device
//! 04 | dev_status                 report, from the device
//! 05 | bytes   06 | bytes         transparent, to and from the device
//! 11 | mask | values              control, reply, report of a var_len product: a bit for each
//! 13 | mask | values              point, then the values of the points in the mask
//! 14 | mask | values
//! 12 | mask                       read of a var_len product: the wanted points; a mask of only ff
//!                                 bytes, of any length, asks for all points
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
    /// A control, sent to the device: sets points.
    Control,
    /// A read, sent to the device: requests the status.
    Read,
    /// A reply, sent by the device: answers a read.
    Reply,
    /// A report, sent by the device without a request.
    Report,
}

impl Action {
    /// All actions, in the order of their bytes.
    pub const ALL: [Action; 4] = [Action::Control, Action::Read, Action::Reply, Action::Report];

    /// Returns the name of the action: `control`, `read`, `reply` or `report`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Action::Control => "control",
            Action::Read => "read",
            Action::Reply => "reply",
            Action::Report => "report",
        }
    }

    /// Returns the action of the first byte of a P0, and its protocol. `None` for bytes of P0s without data points.
    ///
    /// ```
    /// use gizwits_codec_core::{Action, Protocol};
    ///
    /// assert_eq!(Action::from_code(0x14), Some((Action::Report, Protocol::VarLen)));
    /// assert_eq!(Action::from_code(0x05), None);
    /// ```
    #[must_use]
    pub const fn from_code(code: u8) -> Option<(Action, Protocol)> {
        let protocol = match code & 0xf0 {
            0x00 => Protocol::Standard,
            0x10 => Protocol::VarLen,
            _ => return None,
        };
        let action = match code & 0x0f {
            0x01 => Action::Control,
            0x02 => Action::Read,
            0x03 => Action::Reply,
            0x04 => Action::Report,
            _ => return None,
        };
        Some((action, protocol))
    }

    /// Returns the byte of the action in this protocol.
    ///
    /// ```
    /// use gizwits_codec_core::{Action, Protocol};
    ///
    /// assert_eq!(Action::Report.code(Protocol::Standard), 0x04);
    /// assert_eq!(Action::Report.code(Protocol::VarLen), 0x14);
    /// ```
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
    /// A control, sent to the device: sets points.
    Control(View<'l, 'b>),
    /// A read, sent to the device: requests the status.
    Read(Wanted<'b>),
    /// A reply, sent by the device: answers a read.
    Reply(View<'l, 'b>),
    /// A report, sent by the device without a request.
    Report(View<'l, 'b>),
    /// Transparent data: bytes that the protocol does not interpret.
    Transparent {
        /// Whether the device has sent the data.
        from_device: bool,
        /// The data.
        data: &'b [u8],
    },
    /// A message of a light gateway's sub-devices.
    Gateway {
        /// The action: 0x71 for the state of sub-devices, 0x72 for a message to them, 0x73 for a message from
        /// them.
        action: u8,
        /// The bytes after the action.
        body: &'b [u8],
    },
}

impl<'l, 'b> P0<'l, 'b> {
    /// Decodes the bytes of one P0.
    ///
    /// # Errors
    /// The byte offset of an error counts from the action byte.
    ///
    /// - [`ErrorKind::Incomplete`] if `p0` is empty.
    /// - [`ErrorKind::UnknownAction`] or [`ErrorKind::OtherProtocol`] if the product has no such action.
    /// - The errors of [`LayoutRef::view`] for a reply or report, and of [`LayoutRef::view_control`] for a
    ///   control.
    ///
    /// # Examples
    /// ```
    /// use gizwits_codec_core::{Access, ErrorKind, Layout, P0, Point, PointId, Protocol, UintSpec};
    ///
    /// static LAYOUT: Layout<2> = Layout::must(
    ///     Protocol::Standard,
    ///     &[
    ///         Point::bool(0, Access::Writable, 0, 0),
    ///         Point::uint8(1, Access::Writable, 1, UintSpec::new(16, 30)),
    ///     ],
    /// );
    /// // This control has the values of both points, but only sets point 1.
    /// let P0::Control(view) = P0::parse(LAYOUT.get(), &[0x01, 0b10, 0x00, 0x18])? else {
    ///     panic!("not a control");
    /// };
    /// assert!(view.iter().map(|point| point.id()).eq([PointId(1)]));
    ///
    /// let error = P0::parse(LAYOUT.get(), &[0x04, 0x01]).unwrap_err();
    /// assert_eq!(error.kind, ErrorKind::Incomplete { missing: 1 });
    /// assert_eq!((error.point, error.byte), (Some(PointId(1)), Some(2)));
    /// # Ok::<(), gizwits_codec_core::Error>(())
    /// ```
    pub fn parse(layout: LayoutRef<'l>, p0: &'b [u8]) -> Result<Self, Error> {
        Self::parse_as::<false>(layout, p0)
    }

    /// Like [`parse`](Self::parse), but accepts a reply or report of any length, as
    /// [`LayoutRef::view_lax`] does.
    ///
    /// # Errors
    /// The errors of [`parse`](Self::parse), except for the length of a reply or report.
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
                0 => Ok(P0::Read(Wanted::all(layout.point_count()))),
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
        .map_err(|error| error.offset_by(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_that_of_its_action() {
        for code in 0..=u8::MAX {
            let known = [Protocol::Standard, Protocol::VarLen]
                .into_iter()
                .flat_map(|protocol| Action::ALL.map(|action| (action, protocol)))
                .find(|(action, protocol)| action.code(*protocol) == code);
            assert_eq!(Action::from_code(code), known, "{code:#04x}");
        }
    }
}
