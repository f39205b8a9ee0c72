//! A product known when the firmware is compiled: what generated code implements and calls.
//!
//! `gizwits_codec_std::codegen` writes, for one product, a struct of its status, a struct of its
//! controls, and a [`Model`] that turns both into bytes and back. Where everything stands is a
//! constant in it, so neither layout nor limits are looked up at run time. The *values* of a model are
//! those of all points, each at its place in the layout: the `dev_status` of a standard product, what
//! follows the full mask of a var_len one.

use core::fmt;
use core::marker::PhantomData;

use crate::bits::{self, Source};
use crate::decimal::{Decimal, divide};
use crate::encoder::{between, pack};
use crate::error::{Error, ErrorKind, PointId};
use crate::layout::{LayoutRef, Shape};
use crate::mask::Mask;
use crate::p0::Action;
use crate::point::Protocol;
use crate::uart::{self, Command, Writer};

/// One product, as the code generator writes it.
pub trait Model {
    /// All points, typed.
    type Status;
    /// The points that a control sets, typed.
    type Control;
    /// As many bytes as all points have.
    type Values: AsRef<[u8]> + AsMut<[u8]>;
    /// As many bytes as a mask has; none of a standard product.
    type Mask: AsRef<[u8]> + AsMut<[u8]>;

    /// The layout.
    const LAYOUT: LayoutRef<'static>;
    /// The product's key.
    const PRODUCT_KEY: &'static [u8; 32];
    /// No bit set.
    const VALUES: Self::Values;
    /// No bit set.
    const MASK: Self::Mask;
    /// The bytes of the values, from and to before, with what is measured: numbers and binaries that are
    /// only reported.
    const MEASURED: &'static [(usize, usize)];

    /// Writes the values of a status.
    ///
    /// # Errors
    /// The first point whose value the definition doesn't allow, and why, as
    /// [`Encoder::set`](crate::Encoder::set) has it.
    fn encode(status: &Self::Status, values: &mut Self::Values) -> Result<(), Error>;

    /// Reads values.
    fn decode(values: &Self::Values) -> Self::Status;

    /// Reads those values of a control whose flag is set. Of a standard product `values` are those of
    /// the writable section.
    fn control(flags: &[u8], values: &[u8]) -> Self::Control;

    /// Sets those points of a status whose flag is set: the same without a control in between.
    fn apply(flags: &[u8], values: &[u8], status: &mut Self::Status);
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
    /// The points that it sets, typed.
    #[inline]
    #[must_use]
    pub fn control(self) -> M::Control {
        self.unpacked(M::control)
    }

    /// Sets the points of a status that it sets.
    #[inline]
    pub fn apply(self, status: &mut M::Status) {
        self.unpacked(|flags, values| M::apply(flags, values, status));
    }

    /// Flags and values, those of a var_len product each at its place in the layout.
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

fn copy(to: &mut [u8], from: &[u8]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = *from;
    }
}

/// Reads a reply or a report into a status; points that it doesn't have stay as they are.
///
/// # Errors
/// As for [`P0::parse`](crate::P0::parse), [`ErrorKind::WrongAction`] for anything but a reply or report;
/// for a status to begin with, as for [`Model::encode`].
pub fn merge<M: Model>(p0: &[u8], status: &mut M::Status) -> Result<(), Error> {
    let view = match crate::P0::parse(M::LAYOUT, p0)? {
        crate::P0::Reply(view) | crate::P0::Report(view) => view,
        _ => return Err(Error::new(ErrorKind::WrongAction).at(0)),
    };
    let mut values = M::VALUES;
    // A report of a standard product has all points.
    if let Protocol::VarLen = const { M::LAYOUT.protocol() } {
        M::encode(status, &mut values)?;
    }
    view.put_into(values.as_mut());
    *status = M::decode(&values);
    Ok(())
}

/// Reads which points are wanted; false if that is no read.
pub(crate) fn read<M: Model>(p0: &[u8], wanted: &mut M::Mask) -> bool {
    let body = p0.get(1..).unwrap_or(&[]);
    if let Protocol::VarLen = const { M::LAYOUT.protocol() } {
        let read = M::LAYOUT.wanted(body);
        if let Ok(read) = read {
            read.put_into(wanted.as_mut());
        }
        return read.is_ok();
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

/// Sets the bits of all points.
pub(crate) fn all(layout: LayoutRef<'_>, mask: &mut [u8]) {
    mask.fill(0xff);
    if let Some(first) = mask.first_mut() {
        *first = Mask::top(layout.points());
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
        return uart::write(command, sn, (&[code], values.as_ref()), sink);
    }
    let mask = mask.as_ref();
    let mut packed = M::VALUES;
    copy(packed.as_mut(), values.as_ref());
    let len = pack(M::LAYOUT, Mask::new(mask), packed.as_mut());
    let values = packed.as_ref().get(..len).unwrap_or(&[]);
    let len = values.len().wrapping_add(mask.len()).wrapping_add(1);
    let mut writer = Writer::begin(sink, command, sn, 0, len);
    writer.put(&[code]);
    writer.put(mask);
    writer.put(values);
    writer.end();
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

/// An index, if it has a label.
///
/// # Errors
/// [`ErrorKind::PastLabels`]
#[inline]
pub fn label(id: u16, index: u32, labels: u32) -> Result<u32, Error> {
    match index < labels {
        true => Ok(index),
        false => Err(refused(ErrorKind::PastLabels, id)),
    }
}

/// A raw integer, if it is within its limits.
///
/// # Errors
/// [`ErrorKind::BelowMin`], [`ErrorKind::AboveMax`]
#[inline]
pub fn limited(id: u16, raw: u32, (min, max): (u32, u32)) -> Result<u32, Error> {
    if raw > max {
        return Err(refused(ErrorKind::AboveMax, id));
    }
    if raw < min {
        return Err(refused(ErrorKind::BelowMin, id));
    }
    Ok(raw)
}

/// The raw integer of an engineering value, all at the same number of decimal places.
///
/// # Errors
/// [`ErrorKind::BelowMin`], [`ErrorKind::AboveMax`], [`ErrorKind::OffStep`]
#[inline]
pub fn unscaled(
    id: u16,
    value: i32,
    (ratio, addition): (u32, i32),
    (min, max): (u32, u32),
) -> Result<u32, Error> {
    // Beyond an i32 is beyond the limits, whose values have fit one.
    let distance = value.wrapping_sub(addition);
    if (value < addition) != (distance < 0) || distance < 0 {
        let kind = match value < addition {
            true => ErrorKind::BelowMin,
            false => ErrorKind::AboveMax,
        };
        return Err(refused(kind, id));
    }
    let distance = distance as u32;
    let raw = distance.checked_div(ratio).unwrap_or(distance);
    let rest = distance.checked_rem(ratio).unwrap_or(0);
    match rest {
        0 => limited(id, raw, (min, max)),
        _ => Err(refused(between(raw, (min, max)), id)),
    }
}

/// The same of numbers that 32 bits don't hold.
///
/// # Errors
/// As for [`unscaled`].
pub fn unscaled_wide(
    id: u16,
    value: i64,
    (ratio, addition): (i64, i64),
    (min, max): (u32, u32),
) -> Result<u32, Error> {
    let too = |kind| Err(refused(kind, id));
    match value.checked_sub(addition) {
        Some(distance) if distance >= 0 => match divide(distance, ratio) {
            Some((raw, 0)) => limited(id, raw, (min, max)),
            Some((raw, _)) => too(between(raw, (min, max))),
            None => too(ErrorKind::AboveMax),
        },
        None if value > 0 => too(ErrorKind::AboveMax),
        _ => too(ErrorKind::BelowMin),
    }
}

#[cold]
fn refused(kind: ErrorKind, id: u16) -> Error {
    Error::new(kind).about(PointId(id))
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
