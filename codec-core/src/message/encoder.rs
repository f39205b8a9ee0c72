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
    layout: LayoutRef<'l>,
    action: Action,
    rounding: Rounding,
    /// The bytes of the P0.
    out: &'o mut [u8],
    /// The length in bytes of the flags or mask after the action, 0 for a message without them.
    flags: usize,
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
        let values = match (action, self.protocol()) {
            (Action::Control, Protocol::Standard) => self.writable_len(),
            (Action::Read, _) => 0,
            _ => self.status_len(),
        };
        values.saturating_add(self.bitmap(action)).saturating_add(1)
    }

    /// Returns the length in bytes of the flags or mask in a P0 with this action.
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
        let needed = layout.p0_len(action);
        let Some((out, _)) = out.split_at_mut_checked(needed) else {
            let needed = needed as u32;
            return Err(Error::new(ErrorKind::OutOfSpace { needed }));
        };
        out.fill(0);
        if let Some(first) = out.first_mut() {
            *first = action.code(layout.protocol());
        }
        Ok(Encoder {
            layout,
            action,
            rounding: Rounding::Exact,
            out,
            flags: layout.bitmap(action),
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
        self.rounding = rounding;
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
    pub fn set(&mut self, id: PointId, value: Value<'_>) -> Result<(), Error> {
        let field = self.field(id)?;
        let raw = match (field.shape, value) {
            (Shape::Bool, Value::Bool(value)) => u32::from(value),
            (Shape::Enum, Value::Enum(index)) => index,
            (Shape::Uint, Value::Number(number)) => {
                match unscaled(self.layout, field, number, self.rounding) {
                    Unscaled::Exactly(raw) => raw,
                    Unscaled::Low => return Err(self.refused(ErrorKind::BelowMin, id, field)),
                    Unscaled::High => return Err(self.refused(ErrorKind::AboveMax, id, field)),
                    Unscaled::Above(below) => {
                        let limits = self.layout.limits(id).unwrap_or((0, u32::MAX));
                        return Err(self.refused(between(below, limits), id, field));
                    }
                }
            }
            (Shape::Binary, Value::Binary(bytes)) => {
                let expected = field.aux;
                if bytes.len() != usize::from(expected) {
                    return Err(self.refused(ErrorKind::BinaryLength { expected }, id, field));
                }
                let stored = bits::store_bytes(self.body(), field.end, bytes);
                return self.flag(id, stored);
            }
            _ => return Err(self.refused(ErrorKind::WrongKind, id, field)),
        };
        self.put(id, field, raw)
    }

    /// Sets the bool, enum or integer with this id to a raw value.
    ///
    /// # Errors
    /// The errors of [`set`](Self::set), and [`ErrorKind::WrongKind`] if the point is a binary.
    #[inline]
    pub fn set_raw(&mut self, id: PointId, raw: u32) -> Result<(), Error> {
        let field = self.field(id)?;
        if field.shape == Shape::Binary {
            return Err(self.refused(ErrorKind::WrongKind, id, field));
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
        if self.layout.field(id).is_none() {
            return Err(Error::new(ErrorKind::UnknownPoint).about(id));
        }
        match (self.action, self.layout.protocol()) {
            (Action::Read, Protocol::VarLen) => self.flag(id, true),
            _ => Err(Error::new(ErrorKind::WrongAction).about(id)),
        }
    }

    /// Completes the message and returns the bytes of its P0.
    #[inline]
    #[must_use]
    pub fn finish(self) -> &'o [u8] {
        match (self.layout.protocol(), self.action) {
            (Protocol::Standard, _) | (_, Action::Read) => self.out,
            (Protocol::VarLen, _) => self.packed(),
        }
    }

    /// Packs the values of a var_len message.
    fn packed(self) -> &'o [u8] {
        let mask = self.layout.mask_len().saturating_add(1);
        let Some((head, values)) = self.out.split_at_mut_checked(mask) else {
            return self.out;
        };
        let set = Mask::new(head.get(1..).unwrap_or(&[]));
        let len = mask.saturating_add(pack(self.layout, set, values));
        self.out.get(..len).unwrap_or(&[])
    }

    /// Returns the error of a refused value. The offset of a point in a var_len message depends on the points
    /// that are set later, so the error has no byte offset there.
    #[cold]
    fn refused(&self, kind: ErrorKind, id: PointId, field: &Field) -> Error {
        let error = Error::new(kind).about(id);
        match self.layout.protocol() {
            Protocol::Standard => error.at(field.location(id).start().into()),
            Protocol::VarLen => error,
        }
    }

    #[inline]
    fn field(&self, id: PointId) -> Result<&'l Field, Error> {
        let Some(field) = self.layout.field(id) else {
            return Err(Error::new(ErrorKind::UnknownPoint).about(id));
        };
        match self.action {
            Action::Read => Err(self.refused(ErrorKind::WrongAction, id, field)),
            Action::Control if field.access != Access::Writable => {
                Err(self.refused(ErrorKind::NotWritable, id, field))
            }
            _ => Ok(field),
        }
    }

    /// Returns the bytes after the flags or mask, which the offsets of the layout refer to.
    #[inline]
    fn body(&mut self) -> &mut [u8] {
        let start = self.flags.saturating_add(1);
        self.out.get_mut(start..).unwrap_or(&mut [])
    }

    #[inline]
    fn put(&mut self, id: PointId, field: &Field, raw: u32) -> Result<(), Error> {
        let limits = self.layout.limits.get(id.index());
        if let Some(kind) = limits.and_then(|limits| limits.broken_by(raw, field.shape)) {
            return Err(self.refused(kind, id, field));
        }
        let stored = bits::store(self.body(), field.end, field.shift, field.drop, raw);
        self.flag(id, stored)
    }

    #[inline]
    fn flag(&mut self, id: PointId, stored: bool) -> Result<(), Error> {
        let flagged = match self.flags {
            0 => true,
            len => {
                let flags = self.out.get_mut(1..len.saturating_add(1));
                flags.is_some_and(|flags| bits::set_bit(flags, id.0))
            }
        };
        if stored && flagged {
            Ok(())
        } else {
            // Not reachable with a layout that `check` made.
            Err(Error::new(ErrorKind::UnknownPoint).about(id))
        }
    }
}

/// Returns the raw value of a number, or its relation to the raw values of the point.
#[inline]
fn unscaled(layout: LayoutRef<'_>, field: &Field, number: Decimal, rounding: Rounding) -> Unscaled {
    // Most integers have the identity scale. On a small machine one path for all scales is smaller.
    #[cfg(target_pointer_width = "64")]
    if let (0, 0, Ok(raw)) = (
        field.aux,
        number.scale(),
        u32::try_from(number.coefficient()),
    ) {
        return Unscaled::Exactly(raw);
    }
    layout.scale_of(field).raw(number, rounding)
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
    if set.is_full(layout.points()) {
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
    if let Some(first) = values.first_mut()
        && all.area > 0
    {
        *first &= 0xff_u8.wrapping_shr(all.spare().into());
    }
    for (_, field) in fields().filter(|(_, field)| !field.in_bits()) {
        take(values, field.end.saturating_sub(field.len()), field.len());
    }
    end
}
