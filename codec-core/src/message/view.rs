//! The view of a message: reads values in place.
//!
//! The length of a message is checked when its view is made, so that reading a value cannot fail. Devices
//! send values that their definition does not allow: an enum index without a label, or a number outside its
//! limits. Such values are kept and flagged.
//!
//! In a status, and in a var_len message with all points, each point has a constant offset. In any other
//! var_len message, the offset of a point depends on the points before it. Iteration computes the offsets on
//! the way, and nothing is stored per message.

use core::ops::Range;

use super::wanted::Wanted;
use crate::bits::{self, Source};
use crate::error::{Error, ErrorKind, PointId};
use crate::layout::{
    Access, Field, Ids, LayoutRef, Limits, Location, Mask, Packing, Protocol, Shape,
};
use crate::value::{Raw, Value};

/// The value of one point in a message.
#[derive(Clone, Copy)]
pub struct PointValue<'l, 'b> {
    location: Location<'l>,
    /// The limits, or `None` if the table is too short. A check here would cost every decode a branch.
    limits: Option<&'l Limits>,
    #[cfg(not(target_pointer_width = "64"))]
    scale: &'l crate::value::Scale,
    raw: Raw<'b>,
}

impl<'l, 'b> PointValue<'l, 'b> {
    /// Reads the value at a location. Returns `None` if the bytes end before the value does.
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    fn new(layout: LayoutRef<'l>, body: Source<'b>, location: Location<'l>) -> Option<Self> {
        let field = location.field;
        let raw = if field.shape == Shape::Binary {
            let end = usize::from(location.end);
            let start = end.checked_sub(usize::from(field.aux))?;
            Raw::Bytes(body.bytes.get(start..end)?)
        } else {
            #[cfg(target_pointer_width = "64")]
            let raw = body.load_masked(location.end, location.shift, field.kernel.mask);
            #[cfg(not(target_pointer_width = "64"))]
            let raw = body.load(location.end, location.shift, field.drop);
            Raw::Number(raw?)
        };
        Some(PointValue {
            location,
            limits: layout.limits.get(location.id.index()),
            #[cfg(not(target_pointer_width = "64"))]
            scale: layout.scale_of(field),
            raw,
        })
    }

    /// Reads the value at the offset of the layout, with the raw value that `load` returns for a number. Returns `None`
    /// if the bytes end before the value does.
    #[cfg(target_pointer_width = "64")]
    #[inline(always)]
    fn whole(
        layout: LayoutRef<'l>,
        body: Source<'b>,
        field: &'l Field,
        id: PointId,
        load: impl Fn(&Field) -> Option<u32>,
    ) -> Option<Self> {
        let location = field.location(id);
        let raw = if field.shape == Shape::Binary {
            let end = usize::from(location.end);
            let start = end.checked_sub(usize::from(field.aux))?;
            Raw::Bytes(body.bytes.get(start..end)?)
        } else {
            Raw::Number(load(field)?)
        };
        let limits = layout.limits.get(id.index());
        Some(PointValue {
            location,
            limits,
            raw,
        })
    }

    /// Returns the field of the point.
    #[inline]
    pub(super) fn field(&self) -> &'l Field {
        self.location.field
    }

    /// Returns the id of the point.
    #[inline]
    pub fn id(&self) -> PointId {
        self.location.id
    }

    /// Returns the raw value, as on the wire.
    #[inline]
    pub fn raw(&self) -> Raw<'b> {
        self.raw
    }

    /// Returns the engineering value: the raw value after scaling, or the enum index, bool or bytes.
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    pub fn value(&self) -> Value<'b> {
        match (self.raw, self.location.field.shape) {
            (Raw::Bytes(bytes), _) => Value::Binary(bytes),
            (Raw::Number(raw), Shape::Bool) => Value::Bool(raw != 0),
            (Raw::Number(raw), Shape::Enum) => Value::Enum(raw),
            #[cfg(target_pointer_width = "64")]
            (Raw::Number(raw), _) => Value::Number(self.location.field.kernel.value(raw)),
            #[cfg(not(target_pointer_width = "64"))]
            (Raw::Number(raw), _) => Value::Number(self.scale.value(raw)),
        }
    }

    /// Writes the value to its offset in the layout, if `values` is long enough.
    pub(super) fn put_into(&self, values: &mut [u8]) {
        let field = self.location.field;
        let _ = match self.raw {
            Raw::Number(raw) => bits::store(values, field.end, field.shift, field.drop, raw),
            Raw::Bytes(bytes) => bits::store_bytes(values, field.end, bytes),
        };
    }

    /// Returns the span of the value in [`View::values`].
    pub fn span(&self) -> Span {
        Span {
            bytes: usize::from(self.location.start())..usize::from(self.location.end),
            shift: self.location.shift,
        }
    }

    /// Returns the rule that the value breaks: [`PastLabels`](ErrorKind::PastLabels),
    /// [`BelowMin`](ErrorKind::BelowMin) or [`AboveMax`](ErrorKind::AboveMax). Returns `None` if the
    /// definition allows the value.
    ///
    /// ```
    /// use gizwits_codec_core::{Access, ErrorKind, Layout, Point, Protocol, UintSpec, Value};
    ///
    /// static LAYOUT: Layout<1> = Layout::must(
    ///     Protocol::Standard,
    ///     &[Point::uint8(0, Access::ReadOnly, 0, UintSpec::new(0, 100))],
    /// );
    /// let view = LAYOUT.get().view(&[101])?;
    /// for point in view {
    ///     assert_eq!(point.value(), Value::Number(101.into()));
    ///     assert_eq!(point.flagged(), Some(ErrorKind::AboveMax));
    ///     assert_eq!(
    ///         format!("{point:?}"),
    ///         "PointValue { id: 0, value: Number(101), raw: Number(101), flagged: AboveMax }"
    ///     );
    /// }
    /// # Ok::<(), gizwits_codec_core::Error>(())
    /// ```
    #[inline]
    pub fn flagged(&self) -> Option<ErrorKind> {
        match self.raw {
            Raw::Number(raw) => self.limits?.broken_by(raw, self.location.field.shape),
            Raw::Bytes(_) => None,
        }
    }
}

impl core::fmt::Debug for PointValue<'_, '_> {
    /// Writes what was read: the id, the engineering value, the raw value, and the rule that the value breaks.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let mut point = f.debug_struct("PointValue");
        point.field("id", &self.id().0);
        point.field("value", &self.value());
        point.field("raw", &self.raw());
        if let Some(rule) = self.flagged() {
            point.field("flagged", &rule);
        }
        point.finish()
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for PointValue<'_, '_> {
    // What `Debug` shows.
    fn format(&self, f: defmt::Formatter<'_>) {
        let (id, value, raw, rule) = (self.id(), self.value(), self.raw(), self.flagged());
        defmt::write!(f, "PointValue({}, {}, {}, {})", id, value, raw, rule);
    }
}

/// The span of a value in the bytes after the flags or mask of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Span {
    /// The range of bytes that contain the value.
    pub bytes: Range<usize>,
    /// The number of bits of the last byte below the value. Always 0 for integers and binaries.
    pub shift: u8,
}

/// The points of one message, read in place from its bytes.
///
/// ```
/// use gizwits_codec_core::{Access, Layout, Point, PointId, Protocol, UintSpec, Value};
///
/// static LAYOUT: Layout<2> = Layout::must(
///     Protocol::VarLen,
///     &[
///         Point::bool(0, Access::Writable, 0, 0),
///         Point::uint8(1, Access::ReadOnly, 0, UintSpec::new(0, 100)),
///     ],
/// );
/// // The mask has point 1 only.
/// let view = LAYOUT.get().view(&[0b10, 0x18])?;
/// assert_eq!(view.get(PointId(0)), None);
/// assert_eq!(view.raw(PointId(1)), Some(0x18));
/// for point in view {
///     assert_eq!((point.id(), point.value()), (PointId(1), Value::Number(24.into())));
/// }
/// # Ok::<(), gizwits_codec_core::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct View<'l, 'b> {
    layout: LayoutRef<'l>,
    /// The flags or the mask, empty if the message has neither.
    pub(super) mask: Mask<'b>,
    pub(super) placing: Placing,
    /// The required length of the values in bytes.
    len: u16,
    /// The values: the bytes after the flags or mask.
    pub(super) body: Source<'b>,
    /// Whether a body with all points was accepted although its mask has only some of them.
    whole_body: bool,
}

/// The places of the values in a message.
#[derive(Clone, Copy)]
pub(super) enum Placing {
    /// All points at the offsets of the layout, whatever the mask.
    Whole,
    /// The points of the mask at the offsets of the layout.
    Sparse,
    /// The points of the mask packed, behind a bit area of this many bytes.
    Packed(u16),
}

impl core::fmt::Debug for View<'_, '_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let values = self.iter().map(|reading| (reading.id(), reading.value()));
        f.debug_map().entries(values).finish()
    }
}

impl<'l> LayoutRef<'l> {
    /// Returns the points in the body of a report or reply, which are the bytes after the action byte. The
    /// body is the status of a standard product, or the mask and the values of a var_len product.
    ///
    /// Some devices set surplus flags: bits of the mask that belong to no point. A surplus flag has no value,
    /// and [`View::surplus_flags`] lists them.
    ///
    /// # Errors
    /// - [`ErrorKind::Incomplete`] if the body is too short, with the point that has the first missing byte.
    /// - [`ErrorKind::Trailing`] if the body is too long.
    #[cfg_attr(target_pointer_width = "64", inline(never))]
    #[cfg_attr(not(target_pointer_width = "64"), inline)]
    pub fn view<'b>(self, body: &'b [u8]) -> Result<View<'l, 'b>, Error> {
        if self.protocol() == Protocol::VarLen {
            return self.view_packed(body);
        }
        match body.len() == self.status_len() {
            true => Ok(self.view_of(Mask::new(&[]), body, self.placing())),
            false => Err(self.wrong_values_length(Mask::new(&[]), body)),
        }
    }

    #[cfg_attr(target_pointer_width = "64", inline(never))]
    fn view_packed<'b>(self, body: &'b [u8]) -> Result<View<'l, 'b>, Error> {
        let (mask, values) = self.split_mask(body)?;
        let placing = self.placing_of(mask);
        match values.len() == usize::from(placing.1) {
            true => Ok(self.view_of(mask, values, placing)),
            false => Err(self.wrong_values_length(mask, values)),
        }
    }

    /// Like [`view`](Self::view), but accepts a body of any length and yields only complete points.
    /// [`View::missing`] and [`View::extra`] return the difference.
    ///
    /// Some devices answer a var_len read with the mask of the read and the values of all points. A body with
    /// the length of all points, which does not fit its mask, is read that way. [`View::is_whole_body`]
    /// returns whether it was.
    ///
    /// ```
    /// use gizwits_codec_core::{Access, Layout, Point, PointId, Protocol, UintSpec, Value};
    ///
    /// static LAYOUT: Layout<3> = Layout::must(
    ///     Protocol::VarLen,
    ///     &[
    ///         Point::bool(0, Access::Writable, 0, 0),
    ///         Point::uint8(1, Access::ReadOnly, 0, UintSpec::new(0, 100)),
    ///         Point::uint8(2, Access::ReadOnly, 0, UintSpec::new(0, 100)),
    ///     ],
    /// );
    /// // The mask has only point 2, but the body has the values of all three points.
    /// let body = [0b100, 0x01, 0x18, 0x32];
    /// assert!(LAYOUT.get().view(&body).is_err());
    /// let view = LAYOUT.get().view_lax(&body);
    /// assert!(view.is_whole_body());
    /// assert_eq!(view.get(PointId(1)), Some(Value::Number(24.into())));
    /// ```
    #[inline]
    #[must_use]
    pub fn view_lax<'b>(self, body: &'b [u8]) -> View<'l, 'b> {
        match self.protocol() {
            Protocol::Standard => self.view_of(Mask::new(&[]), body, self.placing()),
            Protocol::VarLen => self.view_packed_lax(body),
        }
    }

    /// Returns the points that a control sets. `body` are the bytes after the action byte. The control of a
    /// standard product has bytes for all writable points; the view has the points whose flag is set.
    ///
    /// # Errors
    /// - [`ErrorKind::Incomplete`] or [`ErrorKind::Trailing`] if the body is too short or too long.
    /// - [`ErrorKind::NotWritable`] if the flag of a point is set that is not writable.
    /// - [`ErrorKind::UnknownFlag`] if a flag is set that belongs to no point.
    #[inline]
    pub fn view_control<'b>(self, body: &'b [u8]) -> Result<View<'l, 'b>, Error> {
        if self.protocol() == Protocol::VarLen {
            let (mask, _) = self.split_mask(body)?;
            if let Some(bit) = mask.past(self.point_count()) {
                return Err(unknown_flag(bit));
            }
            let view = self.view(body)?;
            let mut locations = view.locations();
            return match locations.find(|location| location.field.access != Access::Writable) {
                None => Ok(view),
                Some(Location { id, .. }) => {
                    let behind = usize::from(id.0 / 8).wrapping_add(1);
                    let byte = self.flags_len().wrapping_sub(behind);
                    Err(Error::new(ErrorKind::NotWritable).about(id).at(byte as u32))
                }
            };
        }
        let skipped = self.flags_len();
        let needed = skipped.saturating_add(self.writable_len());
        match body.split_at_checked(skipped) {
            Some((flags, values)) if body.len() == needed => {
                let flags = Mask::new(flags);
                match flags.past(self.writable_count()) {
                    None => {
                        let placing = (Placing::Sparse, self.head.writable_len);
                        Ok(self.view_of(flags, values, placing))
                    }
                    Some(bit) if bit < self.point_count() => {
                        Err(Error::new(ErrorKind::NotWritable).about(PointId(bit)).at(0))
                    }
                    Some(bit) => Err(unknown_flag(bit)),
                }
            }
            _ => {
                let writable = self.fields.get(..usize::from(self.writable_count()));
                let locations = Locations::Whole(writable.unwrap_or(&[]).iter(), 0);
                Err(wrong_length(locations, skipped, body.len(), needed))
            }
        }
    }

    /// Returns the points that a var_len read asks for. `body` are the bytes after the action byte.
    ///
    /// # Errors
    /// [`ErrorKind::Incomplete`] or [`ErrorKind::Trailing`] if the mask is too short or too long.
    pub(crate) fn wanted<'b>(self, body: &'b [u8]) -> Result<Wanted<'b>, Error> {
        let wanted = Wanted::new(self.point_count(), Mask::new(body));
        wanted.ok_or_else(|| Error::wrong_length(body.len(), self.mask_len()))
    }

    /// Returns the known points of a status that the caller keeps: those whose bit is set in the mask
    /// `known`. [`View::merge_into`] updates both buffers.
    ///
    /// ```
    /// use gizwits_codec_core::{Access, Layout, P0, Point, PointId, Protocol, UintSpec, Value};
    ///
    /// static LAYOUT: Layout<2> = Layout::must(
    ///     Protocol::VarLen,
    ///     &[
    ///         Point::bool(0, Access::Writable, 0, 0),
    ///         Point::uint8(1, Access::ReadOnly, 0, UintSpec::new(0, 100)),
    ///     ],
    /// );
    /// let (mut known, mut status) = ([0; 1], [0; 2]);
    /// for report in [&[0x14, 0b01, 0x01][..], &[0x14, 0b10, 0x18]] {
    ///     if let P0::Report(view) = P0::parse(LAYOUT.get(), report)? {
    ///         view.merge_into(&mut known, &mut status)?;
    ///     }
    /// }
    /// let state = LAYOUT.get().view_known(&known, &status)?;
    /// assert_eq!(state.get(PointId(0)), Some(Value::Bool(true)));
    /// assert_eq!(state.get(PointId(1)), Some(Value::Number(24.into())));
    /// # Ok::<(), gizwits_codec_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Incomplete`] or [`ErrorKind::Trailing`]. Requires `known` to be
    /// [`mask_len`](Self::mask_len) bytes long and `status` to be [`status_len`](Self::status_len) bytes
    /// long.
    pub fn view_known<'b>(self, known: &'b [u8], status: &'b [u8]) -> Result<View<'l, 'b>, Error> {
        for (bytes, needed) in [(known, self.mask_len()), (status, self.status_len())] {
            if bytes.len() != needed {
                return Err(Error::wrong_length(bytes.len(), needed));
            }
        }
        let placing = (Placing::Sparse, self.head.status_len);
        Ok(self.view_of(Mask::new(known), status, placing))
    }

    /// Returns a view, whose length is not checked.
    #[inline]
    fn view_of<'b>(
        self,
        mask: Mask<'b>,
        values: &'b [u8],
        (placing, len): (Placing, u16),
    ) -> View<'l, 'b> {
        View {
            layout: self,
            mask,
            placing,
            len,
            body: Source::new(values),
            whole_body: false,
        }
    }

    /// Returns the placing of all points at the offsets of the layout, and the length of the values.
    #[inline]
    fn placing(self) -> (Placing, u16) {
        (Placing::Whole, self.head.status_len)
    }

    /// Returns the placing of the points of a mask in a var_len message, and the length of the values. A result of two
    /// registers costs less than one that contains the layout.
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    fn placing_of(self, mask: Mask<'_>) -> (Placing, u16) {
        match Packing::of(self, mask) {
            None => self.placing(),
            Some(all) => (Placing::Packed(all.area), all.end()),
        }
    }

    #[cold]
    fn wrong_values_length(self, mask: Mask<'_>, values: &[u8]) -> Error {
        let (skipped, placing) = match self.protocol() {
            Protocol::Standard => (0, self.placing()),
            Protocol::VarLen => (self.mask_len(), self.placing_of(mask)),
        };
        let needed = skipped.saturating_add(placing.1.into());
        let have = skipped.saturating_add(values.len());
        let view = self.view_of(mask, values, placing);
        wrong_length(view.locations(), skipped, have, needed)
    }

    fn view_packed_lax<'b>(self, body: &'b [u8]) -> View<'l, 'b> {
        let Ok((mask, values)) = self.split_mask(body) else {
            let placing = (Placing::Sparse, self.mask_len() as u16);
            return self.view_of(Mask::new(&[]), body, placing);
        };
        let placing = self.placing_of(mask);
        if values.len() != usize::from(placing.1) && values.len() == self.status_len() {
            return View {
                whole_body: true,
                ..self.view_of(mask, values, self.placing())
            };
        }
        self.view_of(mask, values, placing)
    }

    /// Splits a var_len body into its mask and its values.
    #[inline]
    fn split_mask<'b>(self, body: &'b [u8]) -> Result<(Mask<'b>, &'b [u8]), Error> {
        match body.split_at_checked(self.mask_len()) {
            Some((mask, values)) => Ok((Mask::new(mask), values)),
            None => Err(Error::wrong_length(body.len(), self.mask_len())),
        }
    }

    /// Returns the locations of all points at the offsets of the layout.
    #[inline]
    fn whole(self) -> Locations<'l, 'static> {
        Locations::Whole(self.fields.iter(), 0)
    }
}

#[cold]
fn unknown_flag(bit: u16) -> Error {
    Error::new(ErrorKind::UnknownFlag).at(0).bit(bit.into())
}

/// Returns the error of a body with the wrong length, whose values begin after `skipped` bytes. If the body
/// is too short, the error has the point with the first missing byte.
#[cold]
fn wrong_length(locations: Locations<'_, '_>, skipped: usize, have: usize, needed: usize) -> Error {
    let error = Error::wrong_length(have, needed);
    let Some(values) = have.checked_sub(skipped).filter(|_| have < needed) else {
        return error;
    };
    let cut = locations
        .filter(|location| usize::from(location.end) > values)
        .min_by_key(|location| location.start());
    cut.map_or(error, |location| error.about(location.id))
}

impl<'l, 'b> View<'l, 'b> {
    /// Returns the point with this id, or `None` if the product or the message has no such point.
    ///
    /// In a var_len message with only some of the points, this takes one step for each present point before
    /// it. On 64-bit machines and in a product of up to 128 points, a message with many points takes a popcount for
    /// each bit of a size instead, if the sizes of the points have up to 10 different bits.
    #[inline]
    pub fn read(&self, id: PointId) -> Option<PointValue<'l, 'b>> {
        let field = self.layout.field(id)?;
        let location = match self.placing {
            #[cfg(target_pointer_width = "64")]
            Placing::Whole => {
                // For one point, a load that fails for a short status costs less than to ask for its length.
                let load = |field: &Field| {
                    let raw = field.kernel.raw(self.body.bytes);
                    raw.or_else(|| field.kernel.load(self.body, field.end))
                };
                return PointValue::whole(self.layout, self.body, field, id, load);
            }
            #[cfg(not(target_pointer_width = "64"))]
            Placing::Whole => field.location(id),
            _ if !self.mask.contains(id) => return None,
            Placing::Sparse => field.location(id),
            Placing::Packed(area) => {
                Packing::before(self.layout, self.mask, area, id).push(id, field)
            }
        };
        PointValue::new(self.layout, self.body, location)
    }

    /// Returns the engineering value of the point with this id. See [`read`](Self::read).
    #[inline]
    pub fn get(&self, id: PointId) -> Option<Value<'b>> {
        Some(self.read(id)?.value())
    }

    /// Returns the raw value of the bool, enum or integer with this id, or `None` for a binary. See
    /// [`read`](Self::read).
    #[inline]
    pub fn raw(&self, id: PointId) -> Option<u32> {
        match self.read(id)?.raw() {
            Raw::Number(raw) => Some(raw),
            Raw::Bytes(_) => None,
        }
    }

    /// Returns an iterator over the points of the message in the order of their ids. It takes one step for
    /// each present point and one for each machine word of the mask.
    #[inline]
    #[must_use]
    pub fn iter(&self) -> Iter<'l, 'b> {
        Iter {
            layout: self.layout,
            body: self.body,
            locations: self.locations(),
        }
    }

    /// Returns the layout of the view.
    #[inline]
    pub fn layout(&self) -> LayoutRef<'l> {
        self.layout
    }

    /// Returns the bytes of the values: those after the flags or mask, or the complete body if it ends within
    /// its mask.
    #[inline]
    pub fn values(&self) -> &'b [u8] {
        self.body.bytes
    }

    /// Writes the engineering value of each point to `out[id]`, and `None` for each point that the message does not
    /// have. Entries after the last point of the product keep their value.
    ///
    /// The values are typed, as those of [`get`](Self::get), and binaries borrow the message. A program that decodes
    /// many messages can use the same slice for all of them, as long as they live.
    ///
    /// ```
    /// use gizwits_codec_core::{Access, Layout, Point, Protocol, UintSpec, Value};
    ///
    /// static LAYOUT: Layout<2> = Layout::must(
    ///     Protocol::VarLen,
    ///     &[
    ///         Point::bool(0, Access::Writable, 0, 0),
    ///         Point::uint8(1, Access::ReadOnly, 0, UintSpec::new(0, 100)),
    ///     ],
    /// );
    /// let mut values = [None; 2];
    /// // The mask has point 1 only.
    /// LAYOUT.get().view(&[0b10, 0x18])?.read_values(&mut values)?;
    /// assert_eq!(values, [None, Some(Value::Number(24.into()))]);
    /// // This message has both points.
    /// LAYOUT.get().view(&[0b11, 0x01, 0x19])?.read_values(&mut values)?;
    /// assert_eq!(values, [Some(Value::Bool(true)), Some(Value::Number(25.into()))]);
    /// # Ok::<(), gizwits_codec_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::OutOfSpace`] if `out` has fewer entries than the layout has points. Nothing is written then.
    pub fn read_values(&self, out: &mut [Option<Value<'b>>]) -> Result<(), Error> {
        let out = self.entries(out)?;
        if !self.is_whole() {
            out.fill(None);
        }
        self.iter().for_each(|reading| {
            if let Some(slot) = out.get_mut(reading.id().index()) {
                *slot = Some(reading.value());
            }
        });
        Ok(())
    }

    /// Returns the entries of a slice for the points of the product.
    #[inline]
    pub(super) fn entries<'o, T>(&self, out: &'o mut [T]) -> Result<&'o mut [T], Error> {
        let needed = self.layout.fields.len();
        let short = Error::new(ErrorKind::OutOfSpace {
            needed: needed as u32,
        });
        out.get_mut(..needed).ok_or(short)
    }

    /// Returns whether the message has all points, each at its offset in the layout: whether
    /// [`values`](Self::values) is a complete status.
    #[inline]
    pub fn is_whole(&self) -> bool {
        matches!(self.placing, Placing::Whole) && self.body.bytes.len() == usize::from(self.len)
    }

    /// Returns whether the body has exactly the length of its points. Only a view made by
    /// [`view_lax`](LayoutRef::view_lax) may return false.
    #[inline]
    pub fn is_exact(&self) -> bool {
        !self.whole_body && self.body.bytes.len() == usize::from(self.len)
    }

    /// Returns the number of missing bytes at the end of the values.
    pub fn missing(&self) -> usize {
        usize::from(self.len).saturating_sub(self.body.bytes.len())
    }

    /// Returns the bytes after the values.
    pub fn extra(&self) -> &'b [u8] {
        let values = usize::from(self.len);
        self.body.bytes.get(values..).unwrap_or(&[])
    }

    /// Returns whether a var_len body has all points although its mask has only some of them.
    /// [`view_lax`](LayoutRef::view_lax) ignores the mask of such a body.
    pub fn is_whole_body(&self) -> bool {
        self.whole_body
    }

    /// Returns the numbers of the surplus flags in ascending order: the set bits of the mask that belong to
    /// no point and have no value. In a control, a surplus flag is an error.
    #[inline]
    pub fn surplus_flags(&self) -> impl Iterator<Item = u16> + use<'b> {
        self.mask.surplus(self.layout.point_count())
    }

    #[inline]
    fn locations(&self) -> Locations<'l, 'b> {
        let packing = match self.placing {
            Placing::Whole => return self.layout.whole(),
            Placing::Sparse => None,
            Placing::Packed(area) => Some(Packing::behind(area)),
        };
        Locations::Some(self.layout, self.mask.ids(), packing)
    }
}

impl<'l, 'b> IntoIterator for View<'l, 'b> {
    type Item = PointValue<'l, 'b>;
    type IntoIter = Iter<'l, 'b>;

    fn into_iter(self) -> Iter<'l, 'b> {
        self.iter()
    }
}

impl<'l, 'b> IntoIterator for &View<'l, 'b> {
    type Item = PointValue<'l, 'b>;
    type IntoIter = Iter<'l, 'b>;

    fn into_iter(self) -> Iter<'l, 'b> {
        self.iter()
    }
}

/// The locations of the points of a message, in the order of their ids.
#[derive(Clone, Debug)]
enum Locations<'l, 'b> {
    /// All points: the remaining fields, and the id of the next.
    Whole(core::slice::Iter<'l, Field>, u16),
    /// The points of a mask, packed or at the offsets of the layout.
    Some(LayoutRef<'l>, Ids<'b>, Option<Packing>),
}

impl<'l> Iterator for Locations<'l, '_> {
    type Item = Location<'l>;

    #[cfg_attr(target_pointer_width = "64", inline(always))]
    fn next(&mut self) -> Option<Location<'l>> {
        match self {
            Locations::Whole(fields, next) => {
                let location = fields.next()?.location(PointId(*next));
                *next = next.wrapping_add(1);
                Some(location)
            }
            Locations::Some(layout, ids, packing) => {
                let id = ids.next()?;
                let field = layout.field(id)?;
                Some(match packing {
                    None => field.location(id),
                    Some(packing) => packing.push(id, field),
                })
            }
        }
    }
}

/// An iterator over the points of a message in the order of their ids.
///
/// `for_each` and `fold` are faster than a `for` loop: they choose the kind of message once.
#[derive(Clone, Debug)]
pub struct Iter<'l, 'b> {
    layout: LayoutRef<'l>,
    body: Source<'b>,
    locations: Locations<'l, 'b>,
}

impl<'l, 'b> Iterator for Iter<'l, 'b> {
    type Item = PointValue<'l, 'b>;

    #[cfg_attr(target_pointer_width = "64", inline(always))]
    #[cfg_attr(not(target_pointer_width = "64"), inline)]
    fn next(&mut self) -> Option<PointValue<'l, 'b>> {
        loop {
            let location = self.locations.next()?;
            if let Some(reading) = PointValue::new(self.layout, self.body, location) {
                return Some(reading);
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(self.layout.head.point_count()))
    }

    /// Has one loop for each kind of message instead of one decision for each point.
    #[inline]
    fn fold<A, F: FnMut(A, PointValue<'l, 'b>) -> A>(self, mut all: A, mut next: F) -> A {
        let (layout, body) = (self.layout, self.body);
        match self.locations {
            #[cfg(target_pointer_width = "64")]
            Locations::Whole(fields, first) => {
                let load = |field: &Field| field.kernel.load(body, field.end);
                for (field, id) in fields.zip(first..) {
                    let id = PointId(id);
                    if let Some(reading) = PointValue::whole(layout, body, field, id, load) {
                        all = next(all, reading);
                    }
                }
            }
            #[cfg(not(target_pointer_width = "64"))]
            Locations::Whole(fields, first) => {
                for (field, id) in fields.zip(first..) {
                    if let Some(reading) =
                        PointValue::new(layout, body, field.location(PointId(id)))
                    {
                        all = next(all, reading);
                    }
                }
            }
            #[cfg(target_pointer_width = "64")]
            Locations::Some(_, ids, Some(mut packing)) => {
                for id in ids {
                    let Some(field) = layout.field(id) else { break };
                    let location = packing.push(id, field);
                    if let Some(reading) = PointValue::new(layout, body, location) {
                        all = next(all, reading);
                    }
                }
            }
            Locations::Some(_, ids, packing) => {
                // The default is not used, since `packed` is false then.
                let packed = packing.is_some();
                let mut packing = packing.unwrap_or(Packing::behind(0));
                for id in ids {
                    let Some(field) = layout.field(id) else { break };
                    let location = match packed {
                        true => packing.push(id, field),
                        false => field.location(id),
                    };
                    if let Some(reading) = PointValue::new(layout, body, location) {
                        all = next(all, reading);
                    }
                }
            }
        }
        all
    }
}
