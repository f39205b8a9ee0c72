//! A product known when the firmware is compiled: what generated code implements and calls.
//!
//! `gizwits_codec_std::codegen` writes, for one product, a struct of its status, a struct of its
//! controls, and a [`Model`] that turns both into bytes and back. Offsets and limits are constants in
//! that code, so neither is looked up at run time. The *values* of a model are those of all points, each
//! at its offset in the layout: the `dev_status` of a standard product, the bytes behind the full mask of
//! a var_len product.
//!
//! A value is *invalid* if the definition does not allow it: an enum index without a label, a number
//! outside its limits or between two steps. Invalid values neither reach the device nor stop it from
//! reporting: [`Update::apply`] leaves them out, and [`Model::encode`] replaces them as a [`Policy`] says.

use core::cmp::Ordering;
use core::fmt;
use core::marker::PhantomData;

use crate::bits::{self, Source};
use crate::error::{Error, ErrorKind, PointId};
use crate::frame::uart::{self, Command};
use crate::layout::{LayoutRef, Mask, Protocol, Shape};
use crate::message::{Action, pack};
use crate::value::{Decimal, divide};

/// One product, as the code generator writes it.
pub trait Model {
    /// All points, typed.
    type Status;
    /// The points that a control sets, typed.
    type Control;
    /// The values of all points, as bytes.
    type Values: AsRef<[u8]> + AsMut<[u8]>;
    /// The mask of a var_len message; no bytes for a standard product.
    type Mask: AsRef<[u8]> + AsMut<[u8]>;
    /// A set of points whose value can be invalid: bit `n` of word `k` is the point `32 * k + n`.
    type Points: Copy + Eq + fmt::Debug + AsRef<[u32]> + AsMut<[u32]>;

    /// The layout.
    const LAYOUT: LayoutRef<'static>;
    /// The product's key.
    const PRODUCT_KEY: &'static [u8; 32];
    /// No bit set.
    const VALUES: Self::Values;
    /// No bit set.
    const MASK: Self::Mask;
    /// No point.
    const POINTS: Self::Points;
    /// The bytes of the values, from and to before, with what is measured: numbers and binaries that are
    /// only reported.
    const MEASURED: &'static [(usize, usize)];

    /// Writes the values of a status. Calls `invalid` for each point whose value the definition does not
    /// allow, in the order of the ids, and writes the value that the policy puts in its place: `last`
    /// holds the values to keep, which are valid.
    fn encode<P: Policy>(
        status: &Self::Status,
        last: &Self::Values,
        values: &mut Self::Values,
        invalid: &mut impl FnMut(PointId, ErrorKind),
    );

    /// Reads values.
    fn decode(values: &Self::Values) -> Self::Status;

    /// Reads those values of a control whose flag is set and which are valid. Calls `invalid` for each point
    /// whose value is not, in the order of the ids. Of a standard product `values` are those of the writable
    /// section.
    fn control(
        flags: &[u8],
        values: &[u8],
        invalid: &mut impl FnMut(PointId, ErrorKind),
    ) -> Self::Control;

    /// Sets those points of a status that [`control`](Self::control) reads, without a control in between.
    fn apply(
        flags: &[u8],
        values: &[u8],
        status: &mut Self::Status,
        invalid: &mut impl FnMut(PointId, ErrorKind),
    );
}

/// The treatment of values that the definition does not allow. An application that wants another one than
/// [`DefaultPolicy`] implements this trait for a type of its own, `enum Strict {}`, and names it as the
/// second parameter of its [`Link`](crate::link::Link). Policies are types so that a firmware has the code
/// of its own policy alone.
pub trait Policy {
    /// The replacement of an invalid number of a status in replies and reports. By default the number is
    /// saturated: a report of 31 degrees with a maximum of 30 says more than a stale 24.
    const NUMBERS: Replacement = Replacement::Saturate;
    /// The replacement of an invalid enum of a status in replies and reports. By default the last valid
    /// label is kept: the neighbour of a label means something else.
    const ENUMS: Replacement = Replacement::Keep;
    /// Whether a control with an invalid value is refused as a whole, as an illegal packet. By default
    /// (`false`) it is acknowledged, the invalid points are left out and the others are applied.
    const REFUSE_CONTROLS: bool = false;
}

/// The policy of a [`Link`](crate::link::Link) that names none: numbers are saturated, enums kept, and
/// controls applied without their invalid points.
#[derive(Clone, Copy, Debug)]
pub enum DefaultPolicy {}

impl Policy for DefaultPolicy {}

/// The replacement of an invalid value in replies and reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Replacement {
    /// The nearest value that the definition allows; of an enum the last label.
    Saturate,
    /// The value that was reported last; before the first report the least one.
    Keep,
}

/// A control that was found sound.
#[derive(Debug)]
pub struct Update<'b, M: Model> {
    /// Flags, or mask, and values.
    body: &'b [u8],
    model: PhantomData<M>,
}

impl<M: Model> Clone for Update<'_, M> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M: Model> Copy for Update<'_, M> {}

impl<M: Model> Update<'_, M> {
    /// Returns the points that it sets, typed, without those whose value is invalid. Calls `invalid` for each
    /// of these, with the rule that its value breaks: [`PastLabels`](ErrorKind::PastLabels),
    /// [`BelowMin`](ErrorKind::BelowMin) or [`AboveMax`](ErrorKind::AboveMax).
    #[inline]
    pub fn control(self, mut invalid: impl FnMut(PointId, ErrorKind)) -> M::Control {
        self.unpacked(|flags, values| M::control(flags, values, &mut invalid))
    }

    /// Sets the points of a status, except those whose value is invalid, which it hands over as
    /// [`control`](Self::control) does.
    #[inline]
    pub fn apply(self, status: &mut M::Status, mut invalid: impl FnMut(PointId, ErrorKind)) {
        self.unpacked(|flags, values| M::apply(flags, values, status, &mut invalid));
    }

    /// Whether every value is valid.
    #[inline]
    pub fn is_valid(self) -> bool {
        let mut valid = true;
        let _ = self.control(|_, _| valid = false);
        valid
    }

    /// Reads flags and values, those of a var_len product each at its offset in the layout.
    #[inline]
    fn unpacked<T>(self, read: impl FnOnce(&[u8], &[u8]) -> T) -> T {
        let flags_len = const { M::LAYOUT.flags_len() };
        let (flags, values) = self.body.split_at_checked(flags_len).unwrap_or_default();
        if let Protocol::VarLen = const { M::LAYOUT.protocol() } {
            let mut room = M::VALUES;
            if let Ok(view) = M::LAYOUT.view_control(self.body) {
                view.put_into(room.as_mut());
            }
            return read(flags, room.as_ref());
        }
        read(flags, values)
    }
}

/// Takes a control; `None` of anything else, and of one that is not sound: [`P0::parse`](crate::P0::parse)
/// says why.
#[must_use]
pub fn update<M: Model>(p0: &[u8]) -> Option<Update<'_, M>> {
    let (action, body) = p0.split_first()?;
    let good = if let Protocol::VarLen = const { M::LAYOUT.protocol() } {
        M::LAYOUT.view_control(body).is_ok()
    } else {
        // Bits past the last writable point stand in the first byte.
        let (flags, values) = const { (M::LAYOUT.flags_len(), M::LAYOUT.writable_len()) };
        let spare = const { !Mask::top(M::LAYOUT.writable()) };
        body.len() == flags.wrapping_add(values)
            && body.first().is_none_or(|first| first & spare == 0)
    };
    let model = PhantomData;
    let code = const { Action::Control.code(M::LAYOUT.protocol()) };
    (good && *action == code).then_some(Update { body, model })
}

/// Returns the values of a status.
///
/// # Errors
/// The first point whose value the definition does not allow, and why, as
/// [`Encoder::set`](crate::Encoder::set) says it.
pub fn encode<M: Model>(status: &M::Status) -> Result<M::Values, Error> {
    let (mut values, mut first) = (M::VALUES, None);
    M::encode::<DefaultPolicy>(status, &M::VALUES, &mut values, &mut |point, kind| {
        first.get_or_insert(Error::new(kind).about(point));
    });
    match first {
        None => Ok(values),
        Some(error) => Err(error),
    }
}

/// Reads a reply or a report into a status; points that it doesn't have stay as they are.
///
/// # Errors
/// As for [`P0::parse`](crate::P0::parse), [`ErrorKind::WrongAction`] for anything but a reply or report;
/// for a status to begin with, as for [`encode`].
pub fn merge<M: Model>(p0: &[u8], status: &mut M::Status) -> Result<(), Error> {
    let view = match crate::P0::parse(M::LAYOUT, p0)? {
        crate::P0::Reply(view) | crate::P0::Report(view) => view,
        _ => return Err(Error::new(ErrorKind::WrongAction).at(0)),
    };
    // A report of a standard product has all points.
    let mut values = match const { M::LAYOUT.protocol() } {
        Protocol::Standard => M::VALUES,
        Protocol::VarLen => encode::<M>(status)?,
    };
    view.put_into(values.as_mut());
    *status = M::decode(&values);
    Ok(())
}

/// Reads which points are wanted; false if that is no read.
pub(crate) fn read<M: Model>(p0: &[u8], wanted: &mut M::Mask) -> bool {
    let body = p0.get(1..).unwrap_or(&[]);
    if let Protocol::VarLen = const { M::LAYOUT.protocol() } {
        let read = M::LAYOUT.wanted(body);
        return read.map(|read| read.put_into(wanted.as_mut())).is_ok();
    }
    body.is_empty()
}

/// Sets the bits of the points that differ.
pub(crate) fn changed(layout: LayoutRef<'_>, one: &[u8], two: &[u8], mask: &mut [u8]) {
    for (field, id) in layout.fields.iter().zip(0..) {
        let end = usize::from(field.end);
        let differs = match field.shape {
            Shape::Binary => {
                let place = end.saturating_sub(field.len().into())..end;
                one.get(place.clone()) != two.get(place)
            }
            _ => {
                let load = |bytes| Source::new(bytes).load(field.end, field.shift, field.drop);
                load(one) != load(two)
            }
        };
        if differs {
            let _ = bits::set_bit(mask, id);
        }
    }
}

/// Writes a frame with a reply or report; of a var_len product with the points of a mask.
pub(crate) fn write<M: Model>(
    sink: &mut dyn FnMut(u8),
    (command, sn): (Command, u8),
    action: Action,
    mask: &M::Mask,
    values: &M::Values,
) {
    let code = action.code(const { M::LAYOUT.protocol() });
    if let Protocol::Standard = const { M::LAYOUT.protocol() } {
        return uart::write(command, sn, &[&[code], values.as_ref()], sink);
    }
    let mask = mask.as_ref();
    let mut packed = M::VALUES;
    bits::copy(packed.as_mut(), values.as_ref());
    let len = pack(M::LAYOUT, Mask::new(mask), packed.as_mut());
    let values = packed.as_ref().get(..len).unwrap_or(&[]);
    uart::write(command, sn, &[&[code], mask, values], sink);
}

/// A number with a fixed number of decimal places: `Fixed::<i32, 1>(215)` is 21.5.
///
/// ```
/// use gizwits_codec_core::{Decimal, Fixed};
///
/// let room: Fixed<i32, 1> = Fixed(-5);
/// assert_eq!(room.to_string(), "-0.5");
/// assert_eq!(Decimal::from(room), Decimal::new(-5, 1));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Fixed<I, const PLACES: u8>(pub I);

impl<I: Into<i64>, const PLACES: u8> From<Fixed<I, PLACES>> for Decimal {
    fn from(number: Fixed<I, PLACES>) -> Self {
        Decimal::new(number.0.into(), PLACES)
    }
}

impl<I: Into<i64> + Copy, const PLACES: u8> fmt::Display for Fixed<I, PLACES> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Decimal::from(*self).fmt(f)
    }
}

/// Returns the index of an enum of a status, or what takes its place if it has no label. `last` reads the
/// index to keep.
#[inline]
pub fn label<P: Policy>(
    id: u16,
    index: u32,
    labels: u32,
    last: impl FnOnce() -> u32,
    invalid: &mut impl FnMut(PointId, ErrorKind),
) -> u32 {
    if check_label(id, index, labels, invalid) {
        return index;
    }
    match P::ENUMS {
        Replacement::Saturate => labels.saturating_sub(1),
        Replacement::Keep => last(),
    }
}

/// Whether an index has a label; if not, calls `invalid`.
#[inline]
pub fn check_label(
    id: u16,
    index: u32,
    labels: u32,
    invalid: &mut impl FnMut(PointId, ErrorKind),
) -> bool {
    let valid = index < labels;
    if !valid {
        invalid(PointId(id), ErrorKind::PastLabels);
    }
    valid
}

/// Returns the raw integer of a status, or what takes its place if it is outside its limits. `last` reads
/// the integer to keep.
#[inline]
pub fn limited<P: Policy>(
    id: u16,
    raw: u32,
    limits: (u32, u32),
    last: impl FnOnce() -> u32,
    invalid: &mut impl FnMut(PointId, ErrorKind),
) -> u32 {
    if check_limits(id, raw, limits, invalid) {
        return raw;
    }
    replaced::<P>(raw, limits, last)
}

/// Whether a raw integer is within its limits; if not, calls `invalid`.
#[inline]
pub fn check_limits(
    id: u16,
    raw: u32,
    (min, max): (u32, u32),
    invalid: &mut impl FnMut(PointId, ErrorKind),
) -> bool {
    let kind = if raw > max {
        ErrorKind::AboveMax
    } else if raw < min {
        ErrorKind::BelowMin
    } else {
        return true;
    };
    invalid(PointId(id), kind);
    false
}

/// Returns the raw integer of an engineering value of a status, both at the same number of decimal places,
/// or what takes its place if that is outside its limits or between two steps. `last` reads the integer to
/// keep.
#[inline]
pub fn unscaled<P: Policy>(
    id: u16,
    value: i32,
    (ratio, addition): (i32, i32),
    (min, max): (u32, u32),
    last: impl FnOnce() -> u32,
    invalid: &mut impl FnMut(PointId, ErrorKind),
) -> u32 {
    // The values of all raw integers of the point fit an i32.
    let engineering = |raw: u32| ratio.wrapping_mul(raw as i32).wrapping_add(addition);
    let (least, greatest) = (engineering(min), engineering(max));
    let within = value.min(greatest).max(least);
    let distance = within.wrapping_sub(addition);
    let whole = distance.checked_div(ratio).unwrap_or(distance);
    let rest = distance.checked_rem(ratio).unwrap_or(0);
    let steps = Steps {
        whole: whole as u32,
        is_exact: rest == 0,
        is_half: rest >= ratio.wrapping_sub(rest),
    };
    steps.settled::<P>(id, value.cmp(&within), (min, max), last, invalid)
}

/// Like [`unscaled`], for numbers that 32 bits do not hold.
#[inline]
pub fn unscaled_wide<P: Policy>(
    id: u16,
    value: i64,
    (ratio, addition): (i64, i64),
    (min, max): (u32, u32),
    last: impl FnOnce() -> u32,
    invalid: &mut impl FnMut(PointId, ErrorKind),
) -> u32 {
    let engineering = |raw: u32| ratio.wrapping_mul(raw.into()).wrapping_add(addition);
    let (least, greatest) = (engineering(min), engineering(max));
    let within = value.min(greatest).max(least);
    let (whole, rest) = divide(within.wrapping_sub(addition), ratio).unwrap_or((max, 0));
    let steps = Steps {
        whole,
        is_exact: rest == 0,
        is_half: rest >= ratio.wrapping_sub(rest),
    };
    steps.settled::<P>(id, value.cmp(&within), (min, max), last, invalid)
}

/// The steps of an engineering value within its limits above its addition.
struct Steps {
    whole: u32,
    /// Whether nothing is left, and whether half a step or more is.
    is_exact: bool,
    is_half: bool,
}

impl Steps {
    /// The raw integer, or its replacement; `beyond` is how the value compares with its limits.
    #[inline]
    fn settled<P: Policy>(
        self,
        id: u16,
        beyond: Ordering,
        limits: (u32, u32),
        last: impl FnOnce() -> u32,
        invalid: &mut impl FnMut(PointId, ErrorKind),
    ) -> u32 {
        if beyond == Ordering::Equal && self.is_exact {
            return self.whole;
        }
        let kind = match beyond {
            Ordering::Less => ErrorKind::BelowMin,
            Ordering::Greater => ErrorKind::AboveMax,
            Ordering::Equal => ErrorKind::OffStep { below: self.whole },
        };
        invalid(PointId(id), kind);
        let nearest = self.whole.wrapping_add(u32::from(self.is_half));
        replaced::<P>(nearest, limits, last)
    }
}

/// The replacement of a raw integer that is invalid.
#[inline]
fn replaced<P: Policy>(raw: u32, (min, max): (u32, u32), last: impl FnOnce() -> u32) -> u32 {
    // Before the first report there is no value to keep, so the least one is.
    let raw = match P::NUMBERS {
        Replacement::Saturate => raw,
        Replacement::Keep => last(),
    };
    raw.min(max).max(min)
}

/// A number of `width` bits, at least 1, that ends `shift` bits, at most 7, above the end of byte `end - 1`;
/// 0 where there are no bytes.
///
/// ```
/// use gizwits_codec_core::model::bits;
///
/// // 12 bits behind 7 lower ones, over three bytes.
/// assert_eq!(bits(&[0x05, 0xa6, 0x80], 3, 7, 12), 0xb4d);
/// assert_eq!(bits(&[], 3, 7, 12), 0);
/// ```
#[inline]
#[must_use]
pub fn bits(bytes: &[u8], end: u16, shift: u8, width: u8) -> u32 {
    let drop = 32_u8.saturating_sub(width);
    Source::new(bytes).load(end, shift, drop).unwrap_or(0)
}

/// The first `N` bytes; zeros if there are fewer.
#[inline]
#[must_use]
pub fn array<const N: usize>(bytes: &[u8]) -> &[u8; N] {
    bytes.first_chunk().unwrap_or(&[0; N])
}
