//! A decoded payload.

use std::fmt;

use gizwits_codec_core::m2m::Event;
use gizwits_codec_core::{Action, P0, Protocol, View};

use super::payload;
use crate::error::counted;
use crate::product::Product;

/// The words for actions, those of data points in the order of their bytes.
pub(crate) const ACTION_WORDS: &[&str] = &[
    "control",
    "read",
    "reply",
    "report",
    "transparent",
    "gateway",
    "no data points",
];

/// A payload, taken apart; it borrows the product and the bytes.
#[derive(Clone, Copy, Debug)]
pub struct Decoded<'p, 'b> {
    pub(crate) product: &'p Product,
    /// The M2M frame or service message around it, if there was one.
    pub envelope: Option<Event<'b>>,
    /// The content.
    pub content: Content<'p, 'b>,
    /// The body of a reply or report that has remarks, where `content` has the points of a state.
    pub(crate) own: Option<&'b [u8]>,
}

/// The content of a payload.
#[derive(Clone, Copy, Debug)]
pub enum Content<'p, 'b> {
    /// A P0 of the product.
    P0(P0<'p, 'b>),
    /// The body of a frame that carries no P0.
    Body(&'b [u8]),
}

/// The status that a device broadcasts by UDP: a transparent payload of its MAC address and a whole
/// reply or report. [`Decoded::broadcast`] finds it.
#[derive(Clone, Copy, Debug)]
pub struct Broadcast<'p, 'b> {
    /// The MAC address.
    pub mac: [u8; 6],
    /// The reply or report behind it.
    pub decoded: Decoded<'p, 'b>,
}

impl Broadcast<'_, '_> {
    /// Returns the MAC address as text: `aa:bb:cc:dd:ee:ff`.
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

    /// The action, if it is one with data points.
    #[must_use]
    pub fn action(&self) -> Option<Action> {
        use Action::{Control, Read, Reply, Report};
        let actions = [Control, Read, Reply, Report];
        actions.get(self.action_number()).copied()
    }

    /// The word for the action, whether it has data points or not.
    pub(crate) fn action_word(&self) -> &'static str {
        ACTION_WORDS[self.action_number()]
    }

    /// The index of the action in [`ACTION_WORDS`].
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

    /// The points of a control, reply or report.
    #[must_use]
    pub fn view(&self) -> Option<View<'p, 'b>> {
        match self.content {
            Content::P0(P0::Control(view) | P0::Reply(view) | P0::Report(view)) => Some(view),
            _ => None,
        }
    }

    /// The status that a transparent payload from a device holds, if it is one: six bytes and a reply
    /// or report that is exactly right for the product.
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

    /// The points of the message itself, whatever is known of its device.
    #[inline]
    pub(super) fn own_view(&self) -> Option<View<'p, 'b>> {
        match self.own {
            Some(body) => Some(self.product.layout().view_lax(body)),
            None => self.view(),
        }
    }

    /// The bytes of a reply or report behind its action.
    #[cfg(feature = "log")]
    pub(crate) fn body_of(&self, bytes: &'b [u8]) -> Option<&'b [u8]> {
        let p0 = match self.envelope {
            Some(Event::Frame(frame)) => frame.p0(),
            _ => Some(bytes),
        };
        p0?.get(1..)
    }

    /// The bits of a mask that are set past the last point, ascending: they belong to no point.
    pub fn surplus_flags(&self) -> impl Iterator<Item = u16> {
        let view = self.own_view().map(|view| view.surplus_flags());
        let read = match self.content {
            Content::P0(P0::Read(wanted)) => Some(wanted.surplus_flags()),
            _ => None,
        };
        view.into_iter().flatten().chain(read.into_iter().flatten())
    }

    /// Whether the body of a reply or report is just as long as its points need; only
    /// [`lax`](Product::lax) decodes others.
    #[inline]
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.own_view().is_none_or(|view| view.is_exact())
    }

    /// Remarks about what was set aside to decode it: surplus flags, and what is missing or extra.
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
            remarks.push("the body has all points, whatever its mask".to_owned());
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

    /// Whether [`write_remarks`](Self::write_remarks) has anything to write.
    #[inline]
    pub(crate) fn has_remarks(&self) -> bool {
        // Standard messages have no mask; most messages end here.
        let has_mask = self.product.protocol() == Protocol::VarLen;
        !self.is_exact() || has_mask && self.surplus_flags().next().is_some()
    }
}

/// Ascending numbers in words: `4, 12 to 15`.
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
