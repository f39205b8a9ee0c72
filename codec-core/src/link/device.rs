//! The interface between a link and a product, and its implementation for every [`Model`].

use crate::bits;
use crate::frame::uart::Command;
use crate::layout::Protocol;
use crate::message::{Action, Wanted};
use crate::model::{self, Model, Policy, Update};

/// A product on a [`Link`](super::Link). Every [`Model`] is a device. A firmware in another language implements
/// this trait for a table of its own functions.
///
/// A device has two sets of values: those of the status, which exist while a poll lasts, and those of the last
/// report, which the link sends again until they are acknowledged.
pub trait Device {
    /// The status: all points.
    type Status: ?Sized;
    /// A control whose length and flags were checked.
    type Control<'b>;
    /// The values of a status.
    type Values;
    /// The values and the points of the last report, the points of a read, and the invalid points.
    type State;

    /// The values with all bits 0.
    const VALUES: Self::Values;

    /// Writes the values of a status, with replacements for invalid values. Returns whether the set of points with an
    /// invalid value has changed.
    fn encode<P: Policy>(
        state: &mut Self::State,
        status: &Self::Status,
        values: &mut Self::Values,
    ) -> bool;

    /// Returns whether a P0 is a valid read, and keeps the points that it asks for.
    fn read(state: &mut Self::State, p0: &[u8]) -> bool;

    /// Reads a control. Returns `None` if the P0 is not a control, or the policy refuses it.
    fn control<'b, P: Policy>(state: &Self::State, p0: &'b [u8]) -> Option<Self::Control<'b>>;

    /// Returns whether the values differ from those of the last report. Measured values count only if `measured` is
    /// true.
    fn differs(state: &Self::State, values: &Self::Values, measured: bool) -> bool;

    /// Chooses the points of a report of these values: all, or those that have changed. Returns whether the report
    /// has all points.
    fn choose(state: &mut Self::State, values: &Self::Values, all: bool) -> bool;

    /// Makes these values those of the last report.
    fn keep(state: &mut Self::State, values: &Self::Values);

    /// Writes the frame that answers the last read.
    fn reply(state: &mut Self::State, values: &Self::Values, sn: u8, sink: &mut dyn FnMut(u8));

    /// Writes the frame of the last report.
    fn report(state: &mut Self::State, sn: u8, sink: &mut dyn FnMut(u8));
}

/// The state that a link keeps for a [`Model`].
#[derive(Debug)]
pub struct ModelState<M: Model> {
    /// The values of the last report.
    sent: M::Values,
    /// The points of the last report.
    mask: M::Mask,
    /// The points that the read asks for.
    wanted: M::Mask,
    /// The points with invalid values, as last reported to the application.
    pub(super) invalid: M::Points,
}

impl<M: Model> ModelState<M> {
    #[inline]
    pub(super) const fn new() -> Self {
        ModelState {
            sent: <M as Model>::VALUES,
            mask: M::MASK,
            wanted: M::MASK,
            invalid: M::POINTS,
        }
    }
}

impl<M: Model> Device for M {
    type Status = M::Status;
    type Control<'b> = Update<'b, M>;
    type Values = M::Values;
    type State = ModelState<M>;

    const VALUES: M::Values = <M as Model>::VALUES;

    #[inline]
    fn encode<P: Policy>(
        state: &mut ModelState<M>,
        status: &M::Status,
        values: &mut M::Values,
    ) -> bool {
        let mut invalid = M::POINTS;
        <M as Model>::encode::<P>(status, &state.sent, values, &mut |point, _| {
            if let Some(word) = invalid.as_mut().get_mut(usize::from(point.0 / 32)) {
                *word |= 1_u32.wrapping_shl(u32::from(point.0 % 32));
            }
        });
        let changed = state.invalid != invalid;
        state.invalid = invalid;
        changed
    }

    #[inline]
    fn read(state: &mut ModelState<M>, p0: &[u8]) -> bool {
        let code = const { Action::Read.code(M::LAYOUT.protocol()) };
        p0.first() == Some(&code) && model::read::<M>(p0, &mut state.wanted)
    }

    #[inline]
    fn control<'b, P: Policy>(_: &ModelState<M>, p0: &'b [u8]) -> Option<Update<'b, M>> {
        model::update(p0).filter(|update| !P::REFUSE_CONTROLS || update.is_valid())
    }

    #[inline]
    fn differs(state: &ModelState<M>, values: &M::Values, measured: bool) -> bool {
        let pairs = state.sent.as_ref().iter().zip(values.as_ref());
        pairs.enumerate().any(|(at, (old, new))| {
            old != new
                && (measured
                    || !M::MEASURED
                        .iter()
                        .any(|(from, to)| (*from..*to).contains(&at)))
        })
    }

    #[inline]
    fn choose(state: &mut ModelState<M>, values: &M::Values, all: bool) -> bool {
        if let Protocol::Standard = const { M::LAYOUT.protocol() } {
            return true;
        }
        let mask = state.mask.as_mut();
        mask.fill(0);
        match all {
            true => Wanted::all(M::LAYOUT.point_count()).put_into(mask),
            false => model::changed(M::LAYOUT, state.sent.as_ref(), values.as_ref(), mask),
        }
        all
    }

    #[inline]
    fn keep(state: &mut ModelState<M>, values: &M::Values) {
        // Byte by byte: compilers expand the copy of an array to many instructions.
        bits::copy(state.sent.as_mut(), values.as_ref());
    }

    #[inline]
    fn reply(state: &mut ModelState<M>, values: &M::Values, sn: u8, sink: &mut dyn FnMut(u8)) {
        let head = (Command::TO_DEVICE_ACK, sn);
        model::write::<M>(sink, head, Action::Reply, &state.wanted, values);
    }

    #[inline]
    fn report(state: &mut ModelState<M>, sn: u8, sink: &mut dyn FnMut(u8)) {
        let head = (Command::FROM_DEVICE, sn);
        model::write::<M>(sink, head, Action::Report, &state.mask, &state.sent);
    }
}
