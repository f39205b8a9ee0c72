//! The model of a product that is known when a firmware is compiled: the interface of generated code.
//!
//! For one product, `gizwits_codec_std::codegen` writes a struct of the status, a struct of the controls, and
//! a [`Model`] that converts both to bytes and back. Offsets and limits are constants in the generated code.
//! The *values* of a model are the bytes of all points, each at its offset in the layout: the `dev_status` of
//! a standard product, or the bytes after the mask of all points of a var_len product.
//!
//! A value is *invalid* if the definition does not allow it: an enum index without a label, or a number
//! outside its limits or between two steps. [`Update::apply`] leaves out the invalid values of a control, so
//! the device never sees them. [`Model::encode`] replaces the invalid values of a status as the [`Policy`]
//! chooses, so the device keeps on reporting.

use core::cmp::Ordering;
use core::fmt;
use core::marker::PhantomData;

use crate::bits::{self, Source};
use crate::error::{Error, ErrorKind, PointId};
use crate::frame::m2m;
use crate::frame::uart::{self, Command};
use crate::layout::{LayoutRef, Mask, Protocol, Shape};
use crate::message::{Action, P0, Wanted, pack};
use crate::value::divide;

/// A product, as the code generator writes it.
pub trait Model {
    /// The status: all points, as a struct.
    type Status;
    /// The points that a control sets, as a struct with an `Option` for each writable point.
    type Control;
    /// The values: an array with the bytes of all points.
    type Values: AsRef<[u8]> + AsMut<[u8]>;
    /// The mask of a var_len message: an array of bytes, empty for a standard product.
    type Mask: AsRef<[u8]> + AsMut<[u8]>;
    /// A set of points that can be invalid: bit `n` of word `k` is the point `32 * k + n`.
    type Points: Copy + Eq + fmt::Debug + AsRef<[u32]> + AsMut<[u32]>;

    /// The layout of the product.
    const LAYOUT: LayoutRef<'static>;
    /// The product key: 32 characters.
    const PRODUCT_KEY: &'static [u8; 32];
    /// The values with all bits 0.
    const VALUES: Self::Values;
    /// The mask without points.
    const MASK: Self::Mask;
    /// The empty set of points.
    const POINTS: Self::Points;
    /// The byte ranges of measured values, as start and end: read-only numbers and binaries. If only these
    /// have changed, a link waits with its report for [`Timing::measured`](crate::link::Timing::measured).
    const MEASURED: &'static [(usize, usize)];

    /// Writes the values of a status. Calls `invalid` for each point with an invalid value, in the order of
    /// the ids, and writes the replacement that the policy chooses. `last` has the values that
    /// [`Replacement::Keep`] keeps, which must be valid.
    fn encode<P: Policy>(
        status: &Self::Status,
        last: &Self::Values,
        values: &mut Self::Values,
        invalid: &mut impl FnMut(PointId, ErrorKind),
    );

    /// Reads a status from values.
    fn decode(values: &Self::Values) -> Self::Status;

    /// Reads the points of a control whose flag is set and whose value is valid. Calls `invalid` for each
    /// point with an invalid value, in the order of the ids. For a standard product, `values` is the writable
    /// section.
    fn control(
        flags: &[u8],
        values: &[u8],
        invalid: &mut impl FnMut(PointId, ErrorKind),
    ) -> Self::Control;

    /// Sets the points in a status that [`control`](Self::control) would read. Generated code goes from bytes
    /// to the status without a control struct, which takes less flash.
    fn apply(
        flags: &[u8],
        values: &[u8],
        status: &mut Self::Status,
        invalid: &mut impl FnMut(PointId, ErrorKind),
    );

    /// Writes the flags and the values of a control, as [`control`](Self::control) reads them. Calls `invalid` for
    /// each point with an invalid value, in the order of the ids. Requires `flags` and `values` to be zeros.
    fn encode_control(
        control: &Self::Control,
        flags: &mut [u8],
        values: &mut [u8],
        invalid: &mut impl FnMut(PointId, ErrorKind),
    );
}

/// The treatment of invalid values. An application with another policy than [`DefaultPolicy`] implements this
/// trait for a type of its own and passes it as the second parameter of its [`Link`](crate::link::Link). A
/// policy is a type, so that a firmware only contains the code of its own policy.
///
/// ```
/// use gizwits_codec_core::link::Link;
/// use gizwits_codec_core::model::{Model, Policy, Replacement};
///
/// /// Refuses controls with an invalid value, and reports the last valid number.
/// enum Strict {}
///
/// impl Policy for Strict {
///     const NUMBERS: Replacement = Replacement::Keep;
///     const REFUSE_CONTROLS: bool = true;
/// }
///
/// fn run<M: Model>(link: Link<'_, M, Strict>) {
///     // …
/// }
/// ```
pub trait Policy {
    /// The replacement of an invalid number in replies and reports. By default the number is saturated: 31
    /// degrees with a maximum of 30 are reported as 30, which is closer to the truth than the last valid
    /// value of, say, 24.
    const NUMBERS: Replacement = Replacement::Saturate;
    /// The replacement of an invalid enum in replies and reports. By default the last valid label is kept,
    /// because neighbouring labels are unrelated.
    const ENUMS: Replacement = Replacement::Keep;
    /// Whether the link refuses a control with an invalid value as illegal. By default (`false`) the link
    /// acknowledges it, and [`Update::apply`] sets all points but the invalid ones.
    const REFUSE_CONTROLS: bool = false;
}

/// The default policy of a [`Link`](crate::link::Link): numbers are saturated, the last label of an enum is
/// kept, and controls are applied without their invalid points.
#[derive(Clone, Copy, Debug)]
pub enum DefaultPolicy {}

impl Policy for DefaultPolicy {}

/// The replacement of an invalid value in replies and reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Replacement {
    /// The nearest valid value. For an enum, the last label.
    Saturate,
    /// The value that was reported last. Before the first report, the minimum.
    Keep,
}

/// A control whose length and flags were checked.
#[derive(Debug)]
pub struct Update<'b, M: Model> {
    /// The flags or mask, and the values.
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
    /// Returns the points that the control sets, as a struct. Calls `invalid` for each point with an invalid
    /// value, which is left out, with the rule that the value breaks: [`PastLabels`](ErrorKind::PastLabels),
    /// [`BelowMin`](ErrorKind::BelowMin) or [`AboveMax`](ErrorKind::AboveMax).
    #[inline]
    pub fn control(self, mut invalid: impl FnMut(PointId, ErrorKind)) -> M::Control {
        self.unpacked(|flags, values| M::control(flags, values, &mut invalid))
    }

    /// Sets the points of the control in a status. Calls `invalid` for each point with an invalid value, as
    /// [`control`](Self::control) does, and leaves that point of the status unchanged.
    #[inline]
    pub fn apply(self, status: &mut M::Status, mut invalid: impl FnMut(PointId, ErrorKind)) {
        self.unpacked(|flags, values| M::apply(flags, values, status, &mut invalid));
    }

    /// Returns whether every value is valid.
    #[inline]
    pub fn is_valid(self) -> bool {
        let mut valid = true;
        let _ = self.control(|_, _| valid = false);
        valid
    }

    /// Calls `read` with flags and values. The values of a var_len product are moved to the offsets of the
    /// layout first.
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

/// Reads a control. Returns `None` if `p0` is not a control, or has the wrong length or flags.
/// [`P0::parse`](crate::P0::parse) returns the reason.
#[must_use]
pub fn update<M: Model>(p0: &[u8]) -> Option<Update<'_, M>> {
    let (action, body) = p0.split_first()?;
    let good = if let Protocol::VarLen = const { M::LAYOUT.protocol() } {
        M::LAYOUT.view_control(body).is_ok()
    } else {
        // Surplus flags can only be in the first byte.
        let (flags, values) = const { (M::LAYOUT.flags_len(), M::LAYOUT.writable_len()) };
        let spare = const { !Mask::top(M::LAYOUT.writable_count()) };
        body.len() == flags.saturating_add(values)
            && body.first().is_none_or(|first| first & spare == 0)
    };
    let model = PhantomData;
    let code = const { Action::Control.code(M::LAYOUT.protocol()) };
    (good && *action == code).then_some(Update { body, model })
}

/// Returns the values of a status.
///
/// # Errors
/// The first point with an invalid value, and the rule that the value breaks: the errors of
/// [`Encoder::set`](crate::Encoder::set).
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

/// Writes a control to the start of `out` and returns the bytes of its P0. [`update`] reads it.
///
/// The length of a control of a standard product is constant, and the maximum for a var_len product is known:
/// [`LayoutRef::p0_len`].
///
/// ```
/// use gizwits_codec_core::model::{self, Model};
/// use gizwits_codec_core::{Action, Error};
///
/// // `M` is the type `Product` of the generated code.
/// fn send<M: Model>(control: &M::Control) -> Result<(), Error> {
///     let mut out = [0; 256];
///     assert!(M::LAYOUT.p0_len(Action::Control) <= out.len());
///     let p0 = model::encode_control::<M>(control, &mut out)?;
///     assert!(model::update::<M>(p0).is_some());
///     Ok(())
/// }
/// ```
///
/// # Errors
/// Errors leave any bytes in `out`.
///
/// - [`ErrorKind::OutOfSpace`] if `out` is shorter than [`LayoutRef::p0_len`].
/// - The first point with an invalid value, and the rule that the value breaks: the errors of
///   [`Encoder::set`](crate::Encoder::set), without byte and bit.
#[inline]
pub fn encode_control<'o, M: Model>(
    control: &M::Control,
    out: &'o mut [u8],
) -> Result<&'o [u8], Error> {
    let (code, flags_len, len) = const {
        let code = Action::Control.code(M::LAYOUT.protocol());
        let len = M::LAYOUT.p0_len(Action::Control);
        (code, M::LAYOUT.flags_len(), len)
    };
    let Some((out, _)) = out.split_at_mut_checked(len) else {
        let needed = len as u32;
        return Err(Error::new(ErrorKind::OutOfSpace { needed }));
    };
    out.fill(0);
    let Some((action, rest)) = out.split_first_mut() else {
        return Ok(&[]);
    };
    *action = code;
    let (flags, values) = rest.split_at_mut_checked(flags_len).unwrap_or_default();
    let mut first = None;
    M::encode_control(control, flags, values, &mut |point, kind| {
        first.get_or_insert(Error::new(kind).about(point));
    });
    if let Some(error) = first {
        return Err(error);
    }
    let mut used = len;
    if let Protocol::VarLen = const { M::LAYOUT.protocol() } {
        let packed = pack(M::LAYOUT, Mask::new(flags), values);
        used = used.saturating_sub(values.len()).saturating_add(packed);
    }
    Ok(out.get(..used).unwrap_or(&[]))
}

/// Writes a control in an M2M frame to `out`, and returns the bytes of the frame. With an `sn` the frame is a
/// [`m2m::REQUEST`], which the device acknowledges, otherwise an [`m2m::TO_DEVICE`].
///
/// `out` requires [`LayoutRef::p0_len`] and [`FRAME_OVERHEAD`] bytes. The frame does not begin at the start of `out`
/// if its head is shorter than that.
///
/// # Errors
/// The errors of [`encode_control`].
#[inline]
pub fn encode_control_frame<'o, M: Model>(
    control: &M::Control,
    sn: Option<u32>,
    out: &'o mut [u8],
) -> Result<&'o [u8], Error> {
    let room = out.get_mut(FRAME_OVERHEAD..).unwrap_or(&mut []);
    let len = match encode_control::<M>(control, room) {
        Ok(p0) => p0.len(),
        Err(error) => {
            return Err(match error.kind {
                ErrorKind::OutOfSpace { needed } => {
                    let needed = needed.saturating_add(FRAME_OVERHEAD as u32);
                    Error::new(ErrorKind::OutOfSpace { needed })
                }
                _ => error,
            });
        }
    };
    let command = match sn {
        Some(_) => m2m::REQUEST,
        None => m2m::TO_DEVICE,
    };
    let frame = m2m::Frame {
        flag: 0,
        command,
        sn,
        did: None,
        body: &[],
    };
    frame.wrap(out, len)
}

/// The number of bytes that a buffer for [`encode_control_frame`] needs in addition to the P0.
pub const FRAME_OVERHEAD: usize = m2m::HEAD_ROOM;

/// Writes a report of all points to the start of `out` and returns the bytes of its P0.
///
/// A [`Link`](crate::link::Link) sends reports by itself. This function is for other transports and for tests.
///
/// # Errors
/// - [`ErrorKind::OutOfSpace`] if `out` is shorter than [`LayoutRef::p0_len`].
/// - The errors of [`encode`].
pub fn encode_report<'o, M: Model>(
    status: &M::Status,
    out: &'o mut [u8],
) -> Result<&'o [u8], Error> {
    let (code, mask_len, len) = const {
        let mask_len = match M::LAYOUT.protocol() {
            Protocol::Standard => 0,
            Protocol::VarLen => M::LAYOUT.mask_len(),
        };
        let code = Action::Report.code(M::LAYOUT.protocol());
        (code, mask_len, M::LAYOUT.p0_len(Action::Report))
    };
    let Some((out, _)) = out.split_at_mut_checked(len) else {
        let needed = len as u32;
        return Err(Error::new(ErrorKind::OutOfSpace { needed }));
    };
    let values = encode::<M>(status)?;
    let Some((action, rest)) = out.split_first_mut() else {
        return Ok(&[]);
    };
    *action = code;
    let (mask, rest) = rest.split_at_mut_checked(mask_len).unwrap_or_default();
    Wanted::all(M::LAYOUT.point_count()).put_into(mask);
    bits::copy(rest, values.as_ref());
    Ok(out)
}

/// Sets the points of a reply or report in a status. All other points keep their values.
///
/// # Errors
/// - The errors of [`P0::parse`](crate::P0::parse).
/// - [`ErrorKind::WrongAction`] if `p0` is neither a reply nor a report.
/// - The errors of [`encode`] if the product is var_len and `status` itself has an invalid value.
pub fn merge<M: Model>(p0: &[u8], status: &mut M::Status) -> Result<(), Error> {
    if let Protocol::Standard = const { M::LAYOUT.protocol() } {
        // The body of a reply or report has all points: it is the values.
        let Some((0x03 | 0x04, body)) = p0.split_first() else {
            return Err(not_merged(M::LAYOUT, p0));
        };
        if body.len() != const { M::LAYOUT.status_len() } {
            return Err(not_merged(M::LAYOUT, p0));
        }
        let mut values = M::VALUES;
        bits::copy(values.as_mut(), body);
        *status = M::decode(&values);
        return Ok(());
    }
    let view = match P0::parse(M::LAYOUT, p0)? {
        P0::Reply(view) | P0::Report(view) => view,
        _ => return Err(Error::new(ErrorKind::WrongAction).at(0)),
    };
    let mut values = encode::<M>(status)?;
    view.put_into(values.as_mut());
    *status = M::decode(&values);
    Ok(())
}

/// Returns the error of a P0 that is no complete reply or report of a standard product.
#[cold]
fn not_merged(layout: LayoutRef<'_>, p0: &[u8]) -> Error {
    let wrong = Error::new(ErrorKind::WrongAction).at(0);
    P0::parse(layout, p0).err().unwrap_or(wrong)
}

/// Reads the points that a read asks for. Returns false if the read is invalid.
pub(crate) fn read<M: Model>(p0: &[u8], wanted: &mut M::Mask) -> bool {
    let body = p0.get(1..).unwrap_or(&[]);
    if let Protocol::VarLen = const { M::LAYOUT.protocol() } {
        let read = M::LAYOUT.wanted(body);
        return read.map(|read| read.put_into(wanted.as_mut())).is_ok();
    }
    body.is_empty()
}

/// Sets the bits of the points whose values differ.
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

/// Writes a frame with a reply or report. For a var_len product, the message has the points of the mask.
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

/// Returns the index of an enum, or its replacement if the index has no label. `last` reads the index that
/// [`Replacement::Keep`] keeps.
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

/// Returns whether an index has a label. If not, calls `invalid`.
#[inline]
pub fn check_label(
    id: u16,
    index: u32,
    labels: u32,
    invalid: &mut impl FnMut(PointId, ErrorKind),
) -> bool {
    let valid = index < labels;
    if !valid {
        cold_path();
        invalid(PointId(id), ErrorKind::PastLabels);
    }
    valid
}

/// Returns a raw integer, or its replacement if it is outside its limits. `last` reads the integer that
/// [`Replacement::Keep`] keeps.
///
/// ```
/// use gizwits_codec_core::ErrorKind;
/// use gizwits_codec_core::model::{DefaultPolicy, limited};
///
/// let mut refused = None;
/// let mut invalid = |point, why| refused = Some((point, why));
/// // Point 1 has limits from 16 to 30, and 24 was reported last.
/// let raw = limited::<DefaultPolicy>(1, 31, (16, 30), || 24, &mut invalid);
/// assert_eq!(raw, 30);
/// assert_eq!(refused.map(|(point, why)| (point.0, why)), Some((1, ErrorKind::AboveMax)));
/// ```
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

/// Returns whether a raw integer is within its limits. If not, calls `invalid`.
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
    cold_path();
    invalid(PointId(id), kind);
    false
}

/// Returns the raw integer of an engineering value, or its replacement if the value is outside its limits or
/// between two steps. `value`, ratio and addition have the same number of decimal places. `last` reads the
/// integer that [`Replacement::Keep`] keeps.
#[inline]
pub fn unscaled<P: Policy>(
    id: u16,
    value: i32,
    (ratio, addition): (i32, i32),
    (min, max): (u32, u32),
    last: impl FnOnce() -> u32,
    invalid: &mut impl FnMut(PointId, ErrorKind),
) -> u32 {
    // Generated code only calls this function if the engineering values of all raw integers fit an i32.
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

/// Like [`unscaled`], for values that do not fit 32 bits.
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

/// The distance of an engineering value from its addition, in steps. The value was moved into its limits.
struct Steps {
    /// The number of whole steps.
    whole: u32,
    /// Whether the distance is a whole number of steps.
    is_exact: bool,
    /// Whether the rest is half a step or more.
    is_half: bool,
}

impl Steps {
    /// Returns the raw integer, or its replacement. `beyond` is the order of the original value relative to
    /// the moved value: `Equal` if it was within its limits.
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
        cold_path();
        invalid(PointId(id), kind);
        let nearest = self.whole.wrapping_add(u32::from(self.is_half));
        replaced::<P>(nearest, limits, last)
    }
}

/// Marks the branch that calls it as unlikely, like `core::hint::cold_path`, which older compilers do not have. Firmware
/// would get larger by it, and no faster.
#[cfg_attr(target_pointer_width = "64", cold)]
#[inline]
fn cold_path() {}

/// Returns the replacement of an invalid raw integer.
#[inline]
fn replaced<P: Policy>(raw: u32, (min, max): (u32, u32), last: impl FnOnce() -> u32) -> u32 {
    // Before the first report `last` returns 0, which may be below the minimum, so the result is limited.
    let raw = match P::NUMBERS {
        Replacement::Saturate => raw,
        Replacement::Keep => last(),
    };
    raw.min(max).max(min)
}

/// Returns the number of `width` bits whose lowest bit is bit `shift` of byte `end - 1`, or 0 if the bytes
/// end before. `width` is 1 to 32, `shift` 0 to 7.
///
/// ```
/// use gizwits_codec_core::model::bits;
///
/// // 12 bits above 7 lower bits, in three bytes.
/// assert_eq!(bits(&[0x05, 0xa6, 0x80], 3, 7, 12), 0xb4d);
/// assert_eq!(bits(&[], 3, 7, 12), 0);
/// ```
#[inline]
#[must_use]
pub fn bits(bytes: &[u8], end: u16, shift: u8, width: u8) -> u32 {
    let drop = 32_u8.saturating_sub(width);
    Source::new(bytes).load(end, shift, drop).unwrap_or(0)
}

/// Returns the first `N` bytes, or zeros if there are fewer.
#[inline]
#[must_use]
pub fn array<const N: usize>(bytes: &[u8]) -> &[u8; N] {
    bytes.first_chunk().unwrap_or(&[0; N])
}
