//! A decoded payload.

use std::fmt;

use gizwits_codec_core::m2m::Event;
use gizwits_codec_core::{Action, P0, Protocol, View};

use super::payload;
use crate::error::counted;
use crate::product::Product;

/// The names of all actions. The first four are those of [`Action::ALL`].
pub(crate) const ACTION_WORDS: &[&str] = &[
    Action::Control.name(),
    Action::Read.name(),
    Action::Reply.name(),
    Action::Report.name(),
    "transparent",
    "gateway",
    "no data points",
];

/// A decoded payload, which borrows the product and the bytes.
///
/// ```
/// use gizwits_codec_std::{Action, Product, Value};
///
/// let definition = std::fs::read_to_string("../tests/fixtures/air-conditioner.json")?;
/// let product = Product::from_json(&definition)?;
/// let report = [0x04, 0x01, 0x00, 0x00, 0x10, 0x1e, 0x00, 0x00];
/// let decoded = product.decode(&report)?;
/// assert_eq!(decoded.action(), Some(Action::Report));
///
/// let view = decoded.view().unwrap();
/// let room_temp = view.read(product.find("room_temp").unwrap().id()).unwrap();
/// assert_eq!(room_temp.value(), Value::Number(20.into()));
/// assert_eq!(view.iter().count(), 11);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Decoded<'p, 'b> {
    pub(crate) product: &'p Product,
    /// The M2M frame or service message around the content, if there is one.
    pub envelope: Option<Event<'b>>,
    /// The P0, or the body of a frame without a P0.
    pub content: Content<'p, 'b>,
    /// The body of the message if the message has remarks and `content` has the points of a state instead.
    pub(crate) own: Option<&'b [u8]>,
}

/// The content of a payload.
#[derive(Clone, Copy, Debug)]
pub enum Content<'p, 'b> {
    /// A P0 of the product.
    P0(P0<'p, 'b>),
    /// The body of a frame without a P0.
    Body(&'b [u8]),
}

/// A status that a device broadcasts over UDP: a transparent payload that consists of a MAC address and a
/// complete reply or report. [`Decoded::broadcast`] returns it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Broadcast<'p, 'b> {
    /// The MAC address, which can be that of another device.
    pub mac: [u8; 6],
    /// The reply or report.
    pub decoded: Decoded<'p, 'b>,
}

impl Broadcast<'_, '_> {
    /// Returns the MAC address for display: `aa:bb:cc:dd:ee:ff`.
    pub fn mac(&self) -> impl fmt::Display {
        let [a, b, c, d, e, f] = self.mac;
        fmt::from_fn(move |to| write!(to, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{f:02x}"))
    }
}

impl<'p, 'b> Decoded<'p, 'b> {
    #[inline]
    pub(super) fn new(
        product: &'p Product,
        envelope: Option<Event<'b>>,
        content: Content<'p, 'b>,
    ) -> Self {
        Decoded {
            product,
            envelope,
            content,
            own: None,
        }
    }

    /// The action; `None` unless the payload is a control, read, reply or report.
    #[must_use]
    pub fn action(&self) -> Option<Action> {
        Action::ALL.get(self.action_number()).copied()
    }

    /// The name of the action, as in the JSON: that of [`Action::name`], `transparent`, `gateway`, or `no data points` for a
    /// frame without a P0.
    #[must_use]
    pub fn action_name(&self) -> &'static str {
        ACTION_WORDS[self.action_number()]
    }

    /// The index of the action in [`ACTION_WORDS`].
    #[inline]
    pub(crate) fn action_number(&self) -> usize {
        match self.content {
            Content::P0(P0::Control(_)) => 0,
            Content::P0(P0::Read(_)) => 1,
            Content::P0(P0::Reply(_)) => 2,
            Content::P0(P0::Report(_)) => 3,
            Content::P0(P0::Transparent { .. }) => 4,
            Content::P0(P0::Gateway { .. }) => 5,
            Content::Body(_) => 6,
        }
    }

    /// The points of a control, reply or report; `None` for any other payload.
    #[must_use]
    pub fn view(&self) -> Option<View<'p, 'b>> {
        match self.content {
            Content::P0(P0::Control(view) | P0::Reply(view) | P0::Report(view)) => Some(view),
            _ => None,
        }
    }

    /// Returns the status in a transparent payload from a device. `None` unless the payload is six bytes
    /// and a valid reply or report of the product.
    #[must_use]
    pub fn broadcast(&self) -> Option<Broadcast<'p, 'b>> {
        let Content::P0(P0::Transparent {
            from_device: true,
            data,
        }) = self.content
        else {
            return None;
        };
        let (mac, p0) = data.split_first_chunk()?;
        let p0 = P0::parse(self.product.layout(), p0).ok()?;
        matches!(p0, P0::Reply(_) | P0::Report(_)).then_some(Broadcast {
            mac: *mac,
            decoded: Decoded::new(self.product, None, Content::P0(p0)),
        })
    }

    /// The points of the message itself, without values that come from the state of its device.
    #[inline]
    pub(super) fn own_view(&self) -> Option<View<'p, 'b>> {
        match self.own {
            Some(body) => Some(self.product.layout().view_lax(body)),
            None => self.view(),
        }
    }

    /// The bytes of a P0 after its action.
    #[cfg(feature = "log")]
    pub(crate) fn body_of(&self, bytes: &'b [u8]) -> Option<&'b [u8]> {
        let p0 = match self.envelope {
            Some(Event::Frame(frame)) => frame.p0(),
            _ => Some(bytes),
        };
        p0?.get(1..)
    }

    /// The mask bits that are set past the last point of the product, in ascending order.
    pub fn surplus_flags(&self) -> impl Iterator<Item = u16> {
        let view = self.own_view().map(|view| view.surplus_flags());
        let read = match self.content {
            Content::P0(P0::Read(wanted)) => Some(wanted.surplus_flags()),
            _ => None,
        };
        view.into_iter().flatten().chain(read.into_iter().flatten())
    }

    /// Whether the body of a reply or report has exactly the length of its points. Always true unless
    /// [`lax`](Product::lax) decoded the payload.
    #[inline]
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.own_view().is_none_or(|view| view.is_exact())
    }

    /// Returns remarks for people about deviations that decoding accepted: surplus flags, and missing or
    /// extra bytes.
    #[must_use]
    pub fn remarks(&self) -> Vec<String> {
        let mut remarks = Vec::new();
        let bits = runs(self.surplus_flags());
        if !bits.is_empty() {
            remarks.push(format!("flags past the last point: {bits}"));
        }
        let Some(view) = self.own_view() else {
            return remarks;
        };
        if view.is_whole_body() {
            remarks.push("the body has all points, regardless of its mask".to_owned());
        }
        if view.missing() > 0 {
            remarks.push(format!("missing: {}", counted(view.missing(), "byte")));
        }
        if let extra @ [_, ..] = view.extra() {
            let bytes = counted(extra.len(), "byte");
            remarks.push(format!("extra: {bytes}, {}", payload::hex(extra)));
        }
        remarks
    }

    /// Whether [`write_remarks`](Self::write_remarks) writes anything.
    #[inline]
    pub(crate) fn has_remarks(&self) -> bool {
        match &self.content {
            Content::P0(P0::Control(view) | P0::Reply(view) | P0::Report(view)) => {
                // Most messages are of standard products, which have no mask and need no further look.
                let has_mask = self.product.protocol() == Protocol::VarLen;
                self.own.is_some()
                    || !view.is_exact()
                    || has_mask && view.surplus_flags().next().is_some()
            }
            Content::P0(P0::Read(wanted)) => wanted.surplus_flags().next().is_some(),
            _ => false,
        }
    }
}

/// Formats ascending numbers for people: `4, 12 to 15`.
pub(crate) fn runs(numbers: impl Iterator<Item = u16>) -> String {
    let mut runs: Vec<(u16, u16)> = Vec::new();
    for number in numbers {
        match runs.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(number) => *last = number,
            _ => runs.push((number, number)),
        }
    }
    let run = |(first, last): &(u16, u16)| match first == last {
        true => first.to_string(),
        false => format!("{first} to {last}"),
    };
    runs.iter().map(run).collect::<Vec<_>>().join(", ")
}
