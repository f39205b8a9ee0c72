//! The encoder: writes values into the bytes of a message, in any order.
//!
//! A view accepts values that the definition does not allow. The encoder refuses them.

use super::p0::Action;
use crate::bits::{self, Source};
use crate::error::{Error, ErrorKind, PointId};
use crate::layout::{Access, Field, LayoutRef, Mask, Packing, Protocol, Shape};
use crate::value::{Decimal, Rounding, Unscaled, Value};

/// An encoder for one P0, in a buffer of the caller. Points may be set in any order.
///
/// Points that are not set are 0 in a report or reply of a standard product. They are absent from a control,
/// and from every message of a var_len product.
///
/// The values of a var_len message are written at the offsets of the layout, so that setting a point moves no
/// other point. [`finish`](Self::finish) packs them. The buffer therefore needs space for all points.
/// Until `finish`, the contents of the buffer are unspecified.
///
/// ```
/// use gizwits_codec_core::{
///     Access, Action, Encoder, Layout, Point, PointId, Protocol, UintSpec, Value,
/// };
///
/// static LAYOUT: Layout<2> = Layout::must(
///     Protocol::Standard,
///     &[
///         Point::bool(0, Access::Writable, 0, 0),
///         Point::uint8(1, Access::Writable, 1, UintSpec::new(16, 30)),
///     ],
/// );
/// let mut out = [0; 8];
/// let mut control = Encoder::begin(LAYOUT.get(), Action::Control, &mut out)?;
/// control.set(PointId(1), Value::Number(24.into()))?;
/// assert_eq!(control.finish(), [0x01, 0b10, 0x00, 0x18]);
/// # Ok::<(), gizwits_codec_core::Error>(())
/// ```
#[derive(Debug)]
pub struct Encoder<'l, 'o> {
    rules: Rules<'l>,
    /// The bytes of the P0. On 64-bit machines, they are complete only after [`finish`](Self::finish).
    out: &'o mut [u8],
    /// The length in bytes of the flags or mask after the action, 0 for a message without them.
    flags: usize,
    #[cfg(target_pointer_width = "64")]
    words: Words,
}

/// The bits that a 64-bit machine collects until [`Encoder::finish`] writes them. With these words, most values take a shift and an
/// `or` in place of loads and stores.
#[cfg(target_pointer_width = "64")]
#[derive(Debug, Default)]
struct Words {
    /// The bits of the points 0 to 63 in the flags or mask.
    flags: u64,
    /// The values in the first 8 bytes of the body, left-aligned.
    head: u64,
}

/// The rules that decide whether a value may be set.
#[derive(Clone, Copy, Debug)]
struct Rules<'l> {
    layout: LayoutRef<'l>,
    action: Action,
    rounding: Rounding,
}

impl LayoutRef<'_> {
    /// Returns the length in bytes of a P0 with this action, including the action byte. For a var_len
    /// product, returns the maximum length: that of a message with all points.
    ///
    /// A constant layout makes this a constant, for the size of a buffer:
    ///
    /// ```
    /// use gizwits_codec_core::{Access, Action, Layout, Point, Protocol, UintSpec};
    ///
    /// static LAYOUT: Layout<2> = Layout::must(
    ///     Protocol::Standard,
    ///     &[
    ///         Point::bool(0, Access::Writable, 0, 0),
    ///         Point::uint16(1, Access::ReadOnly, 1, UintSpec::new(0, 1000)),
    ///     ],
    /// );
    /// const REPORT: usize = LAYOUT.get().p0_len(Action::Report);
    /// assert_eq!(REPORT, 4);
    /// assert_eq!(LAYOUT.get().p0_len(Action::Control), 3);
    /// assert_eq!(LAYOUT.get().p0_len(Action::Read), 1);
    /// ```
    pub const fn p0_len(self, action: Action) -> usize {
        let values = self.values_len(action);
        values.saturating_add(self.bitmap(action)).saturating_add(1)
    }

    /// Returns the length in bytes of the values in a P0 with this action and all points.
    #[inline]
    const fn values_len(self, action: Action) -> usize {
        match (action, self.protocol()) {
            (Action::Control, Protocol::Standard) => self.writable_len(),
            (Action::Read, _) => 0,
            _ => self.status_len(),
        }
    }

    /// Returns the length in bytes of the flags or mask in a P0 with this action.
    #[inline]
    const fn bitmap(self, action: Action) -> usize {
        match (action, self.protocol()) {
            (Action::Control, _) | (_, Protocol::VarLen) => self.flags_len(),
            (_, Protocol::Standard) => 0,
        }
    }
}

impl<'l, 'o> Encoder<'l, 'o> {
    /// Begins a P0 without any points at the start of `out`.
    ///
    /// # Errors
    /// [`ErrorKind::OutOfSpace`] if `out` is shorter than [`p0_len`](LayoutRef::p0_len).
    #[inline]
    pub fn begin(layout: LayoutRef<'l>, action: Action, out: &'o mut [u8]) -> Result<Self, Error> {
        let flags = layout.bitmap(action);
        let needed = layout
            .values_len(action)
            .saturating_add(flags)
            .saturating_add(1);
        let Some((out, _)) = out.split_at_mut_checked(needed) else {
            let needed = needed as u32;
            return Err(Error::new(ErrorKind::OutOfSpace { needed }));
        };
        bits::clear(out);
        if let Some(first) = out.first_mut() {
            *first = action.code(layout.protocol());
        }
        Ok(Encoder {
            rules: Rules {
                layout,
                action,
                rounding: Rounding::Exact,
            },
            out,
            flags,
            #[cfg(target_pointer_width = "64")]
            words: Words::default(),
        })
    }

    /// Returns the encoder with this treatment of numbers between two steps. The default is
    /// [`Rounding::Exact`], which refuses them.
    ///
    /// ```
    /// # use gizwits_codec_core::{Access, Decimal, Layout, Point, Protocol, UintSpec};
    /// use gizwits_codec_core::{Action, Encoder, ErrorKind, PointId, Rounding, Value};
    /// # static LAYOUT: Layout<1> = Layout::must(
    /// #     Protocol::Standard,
    /// #     &[Point::uint8(
    /// #         0,
    /// #         Access::Writable,
    /// #         0,
    /// #         UintSpec::new(0, 60).scaled(Decimal::new(5, 1), Decimal::ZERO),
    /// #     )],
    /// # );
    /// let mut out = [0; 8];
    /// // Point 0 has steps of 0.5.
    /// let mut control = Encoder::begin(LAYOUT.get(), Action::Control, &mut out)?;
    /// let error = control.set(PointId(0), Value::Number("24.7".parse()?)).unwrap_err();
    /// assert_eq!(error.kind, ErrorKind::OffStep { below: 49 });
    ///
    /// let mut control = control.rounding(Rounding::HalfUp);
    /// control.set(PointId(0), Value::Number("24.7".parse()?))?;
    /// assert_eq!(control.finish(), [0x01, 0b1, 49]);
    /// # Ok::<(), gizwits_codec_core::Error>(())
    /// ```
    #[must_use]
    pub fn rounding(mut self, rounding: Rounding) -> Self {
        self.rules.rounding = rounding;
        self
    }

    /// Sets the point with this id to a value.
    ///
    /// # Errors
    /// Errors of a refused point or value, which leave the message unchanged:
    ///
    /// - [`ErrorKind::UnknownPoint`] if the product has no point with this id.
    /// - [`ErrorKind::NotWritable`] in a control, if the point is not writable.
    /// - [`ErrorKind::WrongAction`] in a read.
    /// - [`ErrorKind::WrongKind`] if the value is of another kind than the point.
    /// - [`ErrorKind::PastLabels`], [`ErrorKind::BelowMin`] or [`ErrorKind::AboveMax`] if the definition does
    ///   not allow the value.
    /// - [`ErrorKind::OffStep`] if a number is between two steps, with the raw value below.
    /// - [`ErrorKind::BinaryLength`] if a binary has another length than the point.
    ///
    /// # Examples
    /// ```
    /// # use gizwits_codec_core::{Access, Layout, Point, Protocol, UintSpec};
    /// use gizwits_codec_core::{Action, Encoder, ErrorKind, PointId, Value};
    /// # static LAYOUT: Layout<2> = Layout::must(
    /// #     Protocol::Standard,
    /// #     &[
    /// #         Point::uint8(0, Access::Writable, 0, UintSpec::new(16, 30)),
    /// #         Point::binary(1, Access::Writable, 1, 2),
    /// #     ],
    /// # );
    /// let mut out = [0; 8];
    /// let mut control = Encoder::begin(LAYOUT.get(), Action::Control, &mut out)?;
    /// let error = control.set(PointId(0), Value::Number(31.into())).unwrap_err();
    /// assert_eq!((error.kind, error.point), (ErrorKind::AboveMax, Some(PointId(0))));
    ///
    /// control.set(PointId(0), Value::Number(30.into()))?;
    /// control.set(PointId(1), Value::Binary(&[0xca, 0xfe]))?;
    /// assert_eq!(control.finish(), [0x01, 0b11, 30, 0xca, 0xfe]);
    /// # Ok::<(), gizwits_codec_core::Error>(())
    /// ```
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    pub fn set(&mut self, id: PointId, value: Value<'_>) -> Result<(), Error> {
        let field = self.rules.field(id)?;
        let raw = match (field.shape, value) {
            (Shape::Bool, Value::Bool(value)) => u32::from(value),
            (Shape::Enum, Value::Enum(index)) => index,
            (Shape::Uint, Value::Number(number)) => self.rules.raw(id, field, number)?,
            (Shape::Binary, Value::Binary(bytes)) => {
                let expected = field.aux;
                if bytes.len() != usize::from(expected) {
                    let kind = ErrorKind::BinaryLength { expected };
                    return Err(self.rules.refused(kind, id, field));
                }
                let stored = bits::store_bytes(self.body(), field.end, bytes);
                return self.flag(id, stored);
            }
            _ => return Err(self.rules.refused(ErrorKind::WrongKind, id, field)),
        };
        self.put(id, field, raw)
    }

    /// Sets the bool, enum or integer with this id to a raw value.
    ///
    /// # Errors
    /// The errors of [`set`](Self::set), and [`ErrorKind::WrongKind`] if the point is a binary.
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    #[cfg_attr(not(target_pointer_width = "64"), inline)]
    pub fn set_raw(&mut self, id: PointId, raw: u32) -> Result<(), Error> {
        let field = self.rules.field(id)?;
        if field.shape == Shape::Binary {
            return Err(self.rules.refused(ErrorKind::WrongKind, id, field));
        }
        self.put(id, field, raw)
    }

    /// Requests the point with this id in a read of a var_len product.
    ///
    /// ```
    /// use gizwits_codec_core::{Access, Action, Encoder, Layout, Point, PointId, Protocol};
    ///
    /// static LAYOUT: Layout<2> = Layout::must(
    ///     Protocol::VarLen,
    ///     &[Point::bool(0, Access::Writable, 0, 0), Point::bool(1, Access::Fault, 0, 0)],
    /// );
    /// let mut out = [0; 8];
    /// let mut read = Encoder::begin(LAYOUT.get(), Action::Read, &mut out)?;
    /// read.want(PointId(1))?;
    /// assert_eq!(read.finish(), [0x12, 0b10]);
    /// # Ok::<(), gizwits_codec_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// - [`ErrorKind::UnknownPoint`] if the product has no point with this id.
    /// - [`ErrorKind::WrongAction`] in any other message.
    pub fn want(&mut self, id: PointId) -> Result<(), Error> {
        let Rules { layout, action, .. } = self.rules;
        if layout.field(id).is_none() {
            return Err(unknown(id));
        }
        match (action, layout.protocol()) {
            (Action::Read, Protocol::VarLen) => self.flag(id, true),
            _ => Err(Error::new(ErrorKind::WrongAction).about(id)),
        }
    }

    /// Completes the message and returns the bytes of its P0.
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    #[cfg_attr(not(target_pointer_width = "64"), inline)]
    #[must_use]
    pub fn finish(self) -> &'o [u8] {
        #[cfg(target_pointer_width = "64")]
        if let Some((_, rest)) = self.out.split_first_mut() {
            if let Some((bitmap, body)) = rest.split_at_mut_checked(self.flags) {
                bits::add_tail(bitmap, self.words.flags);
                bits::add_head(body, self.words.head);
            }
        }
        let Rules { layout, action, .. } = self.rules;
        match (layout.protocol(), action) {
            (Protocol::Standard, _) | (_, Action::Read) => self.out,
            (Protocol::VarLen, _) => packed(layout, self.out),
        }
    }

    /// Returns the bytes after the flags or mask, which the offsets of the layout refer to.
    #[inline]
    fn body(&mut self) -> &mut [u8] {
        let start = self.flags.saturating_add(1);
        self.out.get_mut(start..).unwrap_or(&mut [])
    }

    #[inline(always)]
    fn put(&mut self, id: PointId, field: &Field, raw: u32) -> Result<(), Error> {
        let limits = self.rules.layout.limits.get(id.index());
        if let Some(kind) = limits.and_then(|limits| limits.broken_by(raw, field.shape)) {
            return Err(self.rules.refused(kind, id, field));
        }
        let stored = self.store(field, raw);
        self.flag(id, stored)
    }

    /// Writes a raw value. Returns false if the bytes end before the field does.
    #[inline(always)]
    #[cfg(target_pointer_width = "64")]
    fn store(&mut self, field: &Field, raw: u32) -> bool {
        let kernel = &field.kernel;
        let start = usize::from(kernel.start);
        if start == 0 {
            self.words.head = kernel.put(raw, self.words.head);
            return true;
        }
        let window = self.body().get_mut(start..start.wrapping_add(8));
        let Some(window) = window.and_then(|window| window.first_chunk_mut()) else {
            return false;
        };
        *window = kernel.put(raw, u64::from_be_bytes(*window)).to_be_bytes();
        true
    }

    #[inline]
    #[cfg(not(target_pointer_width = "64"))]
    fn store(&mut self, field: &Field, raw: u32) -> bool {
        bits::store(self.body(), field.end, field.shift, field.drop, raw)
    }

    #[inline(always)]
    fn flag(&mut self, id: PointId, stored: bool) -> Result<(), Error> {
        if stored && self.set_flag(id) {
            Ok(())
        } else {
            // Not reachable with a layout that `check` made.
            Err(unknown(id))
        }
    }

    /// Sets the flag of a point. Returns false if the message has flags, but none for this point.
    #[inline(always)]
    fn set_flag(&mut self, id: PointId) -> bool {
        #[cfg(target_pointer_width = "64")]
        if id.0 < 64 {
            self.words.flags |= 1_u64.wrapping_shl(id.0.into());
            return true;
        }
        match self.flags {
            0 => true,
            len => {
                let flags = self.out.get_mut(1..len.saturating_add(1));
                flags.is_some_and(|flags| bits::set_bit(flags, id.0))
            }
        }
    }
}

impl<'l> Rules<'l> {
    /// Returns the field of a point that may be set.
    #[inline(always)]
    fn field(self, id: PointId) -> Result<&'l Field, Error> {
        let Some(field) = self.layout.field(id) else {
            return Err(unknown(id));
        };
        match self.action {
            Action::Read => Err(self.refused(ErrorKind::WrongAction, id, field)),
            Action::Control if field.access != Access::Writable => {
                Err(self.refused(ErrorKind::NotWritable, id, field))
            }
            _ => Ok(field),
        }
    }

    /// Returns the raw value of a number.
    #[inline(always)]
    fn raw(self, id: PointId, field: &Field, number: Decimal) -> Result<u32, Error> {
        #[cfg(target_pointer_width = "64")]
        if let Some(raw) = field.kernel.raw_of_value(number) {
            return Ok(raw);
        }
        let kind = match self.layout.scale_of(field).raw(number, self.rounding) {
            Unscaled::Exactly(raw) => return Ok(raw),
            Unscaled::Low => ErrorKind::BelowMin,
            Unscaled::High => ErrorKind::AboveMax,
            Unscaled::Above(below) => {
                between(below, self.layout.limits(id).unwrap_or((0, u32::MAX)))
            }
        };
        Err(self.refused(kind, id, field))
    }

    /// Returns the error of a refused value. The offset of a point in a var_len message depends on the points
    /// that are set later, so the error has no byte offset there.
    #[cold]
    fn refused(self, kind: ErrorKind, id: PointId, field: &Field) -> Error {
        let error = Error::new(kind).about(id);
        match self.layout.protocol() {
            Protocol::Standard => error.at(field.location(id).start().into()),
            Protocol::VarLen => error,
        }
    }
}

/// Returns the error of a point that the product does not have.
#[cold]
fn unknown(id: PointId) -> Error {
    Error::new(ErrorKind::UnknownPoint).about(id)
}

/// Packs the values of a var_len message.
fn packed<'o>(layout: LayoutRef<'_>, out: &'o mut [u8]) -> &'o [u8] {
    let mask = layout.mask_len().saturating_add(1);
    let Some((head, values)) = out.split_at_mut_checked(mask) else {
        return out;
    };
    let set = Mask::new(head.get(1..).unwrap_or(&[]));
    let len = mask.saturating_add(pack(layout, set, values));
    out.get(..len).unwrap_or(&[])
}

/// Returns the error of a value above the raw value `below`. Only a value between two allowed raw values is
/// off the step.
#[cold]
fn between(below: u32, (min, max): (u32, u32)) -> ErrorKind {
    if below < min {
        ErrorKind::BelowMin
    } else if below >= max {
        ErrorKind::AboveMax
    } else {
        ErrorKind::OffStep { below }
    }
}

/// Moves the values of the points in `set` from the offsets of the layout to their offsets in a var_len
/// message. Returns the number of bytes that the values take there.
pub(crate) fn pack(layout: LayoutRef<'_>, set: Mask<'_>, values: &mut [u8]) -> usize {
    if set.is_full(layout.point_count()) {
        return values.len();
    }
    let fields = || set.ids().filter_map(|id| Some((id, layout.field(id)?)));
    let area = layout.head.area_len;

    // Bits move down to the low end of the area with all points. No bit is overwritten before it is read,
    // because the new bits of a point are below the old bits of all later points.
    let mut packing = Packing::behind(area);
    for (id, from) in fields().filter(|(_, field)| field.in_bits()) {
        let to = packing.push(id, from);
        let raw = Source::new(values).load(from.end, from.shift, from.drop);
        let _ = bits::store(values, to.end, to.shift, from.drop, raw.unwrap_or(0));
    }
    let all = packing.closed();
    // The shorter area is the end of the area with all points. It moves to the front, and all bytes follow.
    let mut end = 0;
    let mut take = |values: &mut [u8], from: u16, len: u16| {
        for at in (from..).take(len.into()) {
            let byte = values.get(usize::from(at)).copied().unwrap_or(0);
            if let Some(to) = values.get_mut(end) {
                *to = byte;
            }
            end = end.saturating_add(1);
        }
    };
    take(values, area.saturating_sub(all.area), all.area);
    match values.first_mut() {
        Some(first) if all.area > 0 => *first &= 0xff_u8.wrapping_shr(all.spare().into()),
        _ => {}
    }
    for (_, field) in fields().filter(|(_, field)| !field.in_bits()) {
        take(values, field.end.saturating_sub(field.len()), field.len());
    }
    end
}

#[cfg(test)]
#[allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used
)]
mod tests {
    extern crate std;

    use super::*;
    use crate::layout::{Layout, Point, UintSpec};
    use crate::value::Scale;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use std::vec::Vec;

    /// The error of a refused value has the byte with its bits, and not the first byte of the area.
    #[test]
    fn a_refused_value_has_the_byte_of_its_bits() {
        use crate::layout::Access::Writable;
        let low = Point::enumeration(0, Writable, 0, 0, 2, 3);
        let both = Point::enumeration(1, Writable, 0, 7, 2, 3);
        let high = Point::enumeration(2, Writable, 0, 9, 2, 3);
        let layout = Layout::<3>::new(Protocol::Standard, &[low, both, high]).unwrap();
        let mut out = [0; 4];
        let mut encoder = Encoder::begin(layout.get(), Action::Report, &mut out).unwrap();
        for (id, byte) in [(0, 1), (1, 0), (2, 0)] {
            let id = PointId(id);
            let refused = Error::new(ErrorKind::PastLabels).about(id).at(byte);
            assert_eq!(encoder.set(id, Value::Enum(3)), Err(refused));
        }
    }

    /// The parts of a drawn point: kind, width, gap before it, limits, scale.
    type Seed = (u8, u32, u32, (u32, u32), (i64, i64, u8));

    fn seeds() -> impl Strategy<Value = Vec<Seed>> {
        let scale = (1_i64..=50, -400_i64..=400, 0_u8..=3);
        let limits = (any::<u32>(), any::<u32>());
        vec((0_u8..6, 1_u32..=12, 0_u32..3, limits, scale), 1..90)
    }

    /// Points with their bits first, in an area of their own, and then their bytes, each behind a gap: first the
    /// writable points, then the others.
    fn points(seeds: &[Seed], writable: usize) -> Vec<Point> {
        let (mut all, mut start) = (Vec::new(), 0);
        let (front, back) = seeds.split_at(writable.min(seeds.len()));
        for (seeds, access) in [(front, Access::Writable), (back, Access::ReadOnly)] {
            let mut bit = 0;
            for (kind, width, gap, (labels, _), _) in seeds.iter().filter(|seed| seed.0 < 2) {
                let id = all.len() as u16;
                bit += gap;
                if *kind == 0 {
                    all.push(Point::bool(id, access, start, bit));
                    bit += 1;
                } else {
                    let labels = 1 + labels % (1 << width);
                    all.push(Point::enumeration(id, access, start, bit, *width, labels));
                    bit += width;
                }
            }
            start += bit.div_ceil(8);
            for (kind, width, gap, (one, two), (ratio, addition, places)) in
                seeds.iter().filter(|seed| seed.0 >= 2)
            {
                let id = all.len() as u16;
                start += gap;
                let widest = [u32::from(u8::MAX), u32::from(u16::MAX), u32::MAX];
                let most = widest.get(usize::from(kind - 2)).copied().unwrap_or(0);
                let (one, two) = (u64::from(*one), u64::from(*two));
                let limit = |one: u64| (one % (u64::from(most) + 1)) as u32;
                let (min, max) = (limit(one).min(limit(two)), limit(one).max(limit(two)));
                let spec = UintSpec::new(min, max).scaled(
                    Decimal::new(*ratio, *places),
                    Decimal::new(*addition, places / 2),
                );
                let (point, len) = match kind {
                    2 => (Point::uint8(id, access, start, spec), 1),
                    3 => (Point::uint16(id, access, start, spec), 2),
                    4 => (Point::uint32(id, access, start, spec), 4),
                    _ => (Point::binary(id, access, start, *width), *width),
                };
                all.push(point);
                start += len;
            }
        }
        all
    }

    /// A control takes the writable points alone, a reply and a report take all points, and a read takes no value.
    #[test]
    fn access_decides_what_a_message_may_have() {
        use Access::{Alert, Fault, ReadOnly, Writable};
        for protocol in [Protocol::Standard, Protocol::VarLen] {
            let accesses = [Writable, ReadOnly, Alert, Fault];
            let point = |(id, access)| Point::bool(id, access, id.into(), 0);
            let points: Vec<Point> = (0..).zip(accesses).map(point).collect();
            let layout = Layout::<4>::new(protocol, &points).unwrap();
            for action in [Action::Control, Action::Read, Action::Reply, Action::Report] {
                let mut out = [0; 16];
                let mut message = Encoder::begin(layout.get(), action, &mut out).unwrap();
                for (id, access) in (0..).map(PointId).zip(accesses) {
                    let expected = match action {
                        Action::Read => Err(ErrorKind::WrongAction),
                        Action::Control if access != Writable => Err(ErrorKind::NotWritable),
                        _ => Ok(()),
                    };
                    let set = message.set(id, Value::Bool(true));
                    assert_eq!(set.map_err(|error| error.kind), expected, "{access:?}");
                    let set = message.set_raw(id, 1);
                    assert_eq!(set.map_err(|error| error.kind), expected, "{access:?}");
                }
            }
        }
    }

    /// A value that is often the value of a point, and often refused.
    fn value<'b>(
        layout: LayoutRef<'_>,
        id: PointId,
        pick: (u8, u32, i64, u8),
        bytes: &'b [u8],
    ) -> Value<'b> {
        let (choice, any, coefficient, places) = pick;
        let (min, max) = layout.limits(id).unwrap_or_default();
        let span = u64::from(max) - u64::from(min) + 1;
        let raw = min + (u64::from(any) % span) as u32;
        let field = layout.field(id);
        match (choice, field.map(|field| field.shape)) {
            (0, _) => Value::Bool(any % 2 == 1),
            (1, _) => Value::Enum(any % 70),
            (2, _) => Value::Number(Decimal::new(coefficient, places)),
            (3, _) => Value::Binary(&bytes[..any as usize % bytes.len()]),
            (_, Some(Shape::Bool)) => Value::Bool(raw == 1),
            (_, Some(Shape::Enum)) => Value::Enum(raw),
            (_, Some(Shape::Binary)) => Value::Binary(&bytes[..raw as usize]),
            (choice, _) => {
                let scale = layout.scale(id).unwrap_or(Scale::IDENTITY);
                let raw = match choice {
                    4 | 5 => raw,
                    6 => min.wrapping_sub(1),
                    7 => min,
                    8 | 9 => max,
                    _ => max.wrapping_add(1),
                };
                let value = scale.value(raw);
                match any % 3 {
                    0 => Value::Number(value),
                    1 => Value::Number(value.normalized()),
                    _ => Value::Number(Decimal::new(
                        value.coefficient() + i64::from(any % 2),
                        value.scale(),
                    )),
                }
            }
        }
    }

    /// The plain encoder: every byte is written when the value is set.
    struct Plain<'l> {
        layout: LayoutRef<'l>,
        action: Action,
        rounding: Rounding,
        out: Vec<u8>,
    }

    impl Plain<'_> {
        fn put(&mut self, id: PointId, raw: u32) -> Option<ErrorKind> {
            let field = self.layout.field(id).unwrap();
            let (min, max) = self.layout.limits(id).unwrap();
            if raw > max {
                return Some(match field.shape {
                    Shape::Enum => ErrorKind::PastLabels,
                    _ => ErrorKind::AboveMax,
                });
            } else if raw < min {
                return Some(ErrorKind::BelowMin);
            }
            let (bitmap, body) = self.parts();
            assert!(bits::store(body, field.end, field.shift, field.drop, raw));
            assert!(bitmap.is_empty() || bits::set_bit(bitmap, id.0));
            None
        }

        fn parts(&mut self) -> (&mut [u8], &mut [u8]) {
            let flags = self.layout.bitmap(self.action);
            self.out[1..].split_at_mut(flags)
        }

        fn refusal(&self, id: PointId) -> Option<ErrorKind> {
            match (self.action, self.layout.field(id)) {
                (_, None) => Some(ErrorKind::UnknownPoint),
                (Action::Read, _) => Some(ErrorKind::WrongAction),
                (Action::Control, Some(field)) if field.access != Access::Writable => {
                    Some(ErrorKind::NotWritable)
                }
                _ => None,
            }
        }

        fn set_raw(&mut self, id: PointId, raw: u32) -> Option<ErrorKind> {
            if let Some(kind) = self.refusal(id) {
                return Some(kind);
            }
            match self.layout.field(id).unwrap().shape {
                Shape::Binary => Some(ErrorKind::WrongKind),
                _ => self.put(id, raw),
            }
        }

        fn set(&mut self, id: PointId, value: Value<'_>) -> Option<ErrorKind> {
            if let Some(kind) = self.refusal(id) {
                return Some(kind);
            }
            let field = self.layout.field(id).unwrap();
            match (field.shape, value) {
                (Shape::Bool, Value::Bool(value)) => self.put(id, value.into()),
                (Shape::Enum, Value::Enum(index)) => self.put(id, index),
                (Shape::Uint, Value::Number(number)) => {
                    match self.layout.scale_of(field).raw(number, self.rounding) {
                        Unscaled::Exactly(raw) => self.put(id, raw),
                        Unscaled::Low => Some(ErrorKind::BelowMin),
                        Unscaled::High => Some(ErrorKind::AboveMax),
                        Unscaled::Above(below) => {
                            let (min, max) = self.layout.limits(id).unwrap();
                            let scale = self.layout.scale_of(field);
                            Some(if number < scale.value(min) {
                                ErrorKind::BelowMin
                            } else if number > scale.value(max) {
                                ErrorKind::AboveMax
                            } else {
                                ErrorKind::OffStep { below }
                            })
                        }
                    }
                }
                (Shape::Binary, Value::Binary(bytes)) if bytes.len() == usize::from(field.aux) => {
                    let (bitmap, body) = self.parts();
                    assert!(bits::store_bytes(body, field.end, bytes));
                    assert!(bitmap.is_empty() || bits::set_bit(bitmap, id.0));
                    None
                }
                (Shape::Binary, Value::Binary(_)) => Some(ErrorKind::BinaryLength {
                    expected: field.aux,
                }),
                _ => Some(ErrorKind::WrongKind),
            }
        }

        fn finish(mut self) -> Vec<u8> {
            if self.layout.protocol() == Protocol::VarLen && self.action != Action::Read {
                let layout = self.layout;
                let (bitmap, body) = self.parts();
                let len = pack(layout, Mask::new(bitmap), body);
                let head = 1 + bitmap.len();
                self.out.truncate(head + len);
            }
            self.out
        }
    }

    proptest! {
        /// Whatever is set, in whatever order and however often, the message and the refusals are those of an encoder
        /// that writes every value to its bytes at once.
        #[test]
        fn encoder_is_the_plain_one(
            seeds in seeds(),
            writable in 0_usize..90,
            var_len: bool,
            action in prop_oneof![
                6 => Just(Action::Control),
                6 => Just(Action::Report),
                1 => Just(Action::Read),
            ],
            half_up: bool,
            picks in vec((0_u16..92, (0_u8..12, any::<u32>(), -500_i64..70_000, 0_u8..=6), any::<bool>()), 0..120),
            bytes in vec(any::<u8>(), 16),
        ) {
            let protocol = if var_len { Protocol::VarLen } else { Protocol::Standard };
            let points = points(&seeds, writable);
            let layout = Layout::<90, 90>::new(protocol, &points).unwrap();
            let layout = layout.get();
            let rounding = if half_up { Rounding::HalfUp } else { Rounding::Exact };
            let len = layout.p0_len(action);
            let mut plain = Plain { layout, action, rounding, out: std::vec![0; len] };
            plain.out[0] = action.code(protocol);
            // Old bytes must not shine through.
            let mut out = std::vec![0xff; len];
            let mut encoder = Encoder::begin(layout, action, &mut out).unwrap().rounding(rounding);
            for (id, pick, is_raw) in picks {
                let id = PointId(id);
                let (found, expected) = if is_raw {
                    let raw = match value(layout, id, pick, &bytes) {
                        Value::Enum(raw) => raw,
                        _ => pick.1 >> (pick.1 % 32),
                    };
                    (encoder.set_raw(id, raw), plain.set_raw(id, raw))
                } else {
                    let value = value(layout, id, pick, &bytes);
                    (encoder.set(id, value), plain.set(id, value))
                };
                let error = found.err();
                prop_assert_eq!(error.map(|error| error.kind), expected);
                prop_assert!(error.is_none_or(|error| error.point == Some(id)));
            }
            prop_assert_eq!(encoder.finish(), &plain.finish()[..]);
        }
    }
}
