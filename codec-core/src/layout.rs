//! The layout: a table of numbers that drives every decode and encode.
//!
//! A layout has no strings and no lifetimes, so the same `const fn` makes it in a `static` of a
//! firmware and at run time on a server.

use crate::decimal::Scale;
use crate::error::{Error, ErrorKind, PointId};
use crate::mask::Mask;
use crate::point::{Access, Point, Protocol};
use crate::rules::{Findings, Tables, check};

/// Where a point's value is: everything that a decode reads. 8 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// One past the last byte that the value touches, in a status with all points.
    pub(crate) end: u16,
    /// Uint: 0 or one more than the scale's index. Binary: its bytes.
    pub(crate) aux: u16,
    /// Bits of the last byte below the value.
    pub(crate) shift: u8,
    /// 32 less the value's bits.
    pub(crate) drop: u8,
    pub(crate) shape: Shape,
    pub(crate) access: Access,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Bool,
    Enum,
    Uint,
    Binary,
}

impl Field {
    /// Room for a field.
    pub const EMPTY: Field = Field {
        end: 0,
        aux: 0,
        shift: 0,
        drop: 0,
        shape: Shape::Bool,
        access: Access::Writable,
    };

    /// Whether it stands in a bit area.
    #[inline]
    pub(crate) const fn in_bits(self) -> bool {
        matches!(self.shape, Shape::Bool | Shape::Enum)
    }

    /// The bits of a number.
    #[inline]
    pub(crate) const fn width(self) -> u16 {
        32_u16.wrapping_sub(self.drop as u16)
    }

    /// The bytes of what stands in bytes.
    #[inline]
    pub(crate) const fn len(self) -> u16 {
        match self.shape {
            Shape::Binary => self.aux,
            _ => self.width() / 8,
        }
    }

    /// Where it stands in a status with all points.
    #[inline]
    pub(crate) const fn place(&self, id: PointId) -> Place<'_> {
        Place {
            id,
            field: self,
            end: self.end,
            shift: self.shift,
        }
    }
}

/// Where a point stands in a message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'l> {
    pub(crate) id: PointId,
    pub(crate) field: &'l Field,
    /// One past the last byte that the value touches.
    pub(crate) end: u16,
    /// Bits of the last byte below the value.
    pub(crate) shift: u8,
}

impl Place<'_> {
    /// The first byte the value touches.
    pub(crate) fn start(self) -> u16 {
        let len = match self.field.shape {
            Shape::Binary => self.field.aux,
            _ => (7 + u16::from(self.shift)).wrapping_add(self.field.width()) / 8,
        };
        self.end.saturating_sub(len)
    }
}

/// What a point's raw value may be: everything that only an encode and a check read. 8 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spec {
    pub(crate) min: u32,
    pub(crate) max: u32,
}

impl Spec {
    /// Room for a spec.
    pub const EMPTY: Spec = Spec { min: 0, max: 0 };
}

/// The figures of a layout as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    pub(crate) protocol: Protocol,
    pub(crate) points: u16,
    pub(crate) writable: u16,
    pub(crate) scales: u16,
    pub(crate) status_len: u16,
    pub(crate) writable_len: u16,
    /// The bytes of the bit area of a var_len message with all points.
    pub(crate) area_len: u16,
    #[cfg(target_pointer_width = "64")]
    pub(crate) runs: Runs,
}

impl Head {
    pub(crate) const EMPTY: Head = Head {
        protocol: Protocol::Standard,
        points: 0,
        writable: 0,
        scales: 0,
        status_len: 0,
        writable_len: 0,
        area_len: 0,
        #[cfg(target_pointer_width = "64")]
        runs: Runs::NONE,
    };

    /// The number of points.
    #[must_use]
    pub const fn points(&self) -> usize {
        self.points as usize
    }

    /// The number of different scales other than the identity.
    #[must_use]
    pub const fn scales(&self) -> usize {
        self.scales as usize
    }
}

/// The layout of a product of at most `N` points with at most `S` different scales, the identity
/// not counted.
///
/// ```
/// use gizwits_codec_core::{Access, Layout, Point, PointId, Protocol, UintSpec, Value};
///
/// // Checked by the compiler: an overlap, say, does not build.
/// static LAYOUT: Layout<2> = Layout::must(
///     Protocol::Standard,
///     &[
///         Point::bool(0, Access::Writable, 0, 0),
///         Point::uint8(1, Access::Writable, 1, UintSpec::new(16, 30)),
///     ],
/// );
/// let view = LAYOUT.get().view(&[0x01, 0x18])?;
/// assert_eq!(view.get(PointId(1)), Some(Value::Number(24.into())));
/// # Ok::<(), gizwits_codec_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout<const N: usize, const S: usize = 4> {
    head: Head,
    fields: [Field; N],
    specs: [Spec; N],
    scales: [Scale; S],
}

impl<const N: usize, const S: usize> Layout<N, S> {
    /// Lays the points out.
    ///
    /// # Errors
    /// The first rule that the points break, with the points and the place; see [`check`].
    pub const fn new(protocol: Protocol, points: &[Point]) -> Result<Self, Error> {
        let mut layout = Layout {
            head: Head::EMPTY,
            fields: [Field::EMPTY; N],
            specs: [Spec::EMPTY; N],
            scales: [Scale::IDENTITY; S],
        };
        let mut first = [Error::new(ErrorKind::NoPoints)];
        let mut findings = Findings::errors(&mut first);
        let tables = Tables {
            fields: &mut layout.fields,
            specs: &mut layout.specs,
            scales: &mut layout.scales,
        };
        layout.head = check(protocol, points, points.len(), tables, &mut findings);
        match findings.first() {
            Some(error) => Err(error),
            None => Ok(layout),
        }
    }

    /// Lays the points out in a `const` or `static`, where a definition that breaks a rule is a
    /// compile error. At run time use [`new`](Self::new).
    ///
    /// # Panics
    /// If the points break a rule.
    #[must_use]
    #[expect(clippy::panic, reason = "for constants: it panics in the compiler")]
    pub const fn must(protocol: Protocol, points: &[Point]) -> Self {
        match Self::new(protocol, points) {
            Ok(layout) => layout,
            Err(error) => match error.kind {
                ErrorKind::Overlap => panic!("two points overlap"),
                ErrorKind::SharedArea => panic!("points of different access share a bit area"),
                ErrorKind::DuplicateId | ErrorKind::IdRange => panic!("the ids are not 0 to n-1"),
                ErrorKind::WritableIds => panic!("the ids of the writable points don't come first"),
                ErrorKind::WritableBytes => panic!("the writable points don't come first"),
                ErrorKind::TooManyPoints => panic!("more points than the layout has room for"),
                ErrorKind::TooManyScales => panic!("more scales than the layout has room for"),
                ErrorKind::MinAboveMax | ErrorKind::MaxTooLarge => panic!("impossible limits"),
                _ => panic!("a point breaks a rule: `Layout::new` at run time says which"),
            },
        }
    }

    /// The layout without its capacity in the type.
    #[inline]
    #[must_use]
    pub const fn get(&self) -> LayoutRef<'_> {
        LayoutRef::new(&self.head, &self.fields, &self.specs, &self.scales)
    }
}

/// The first `len` of some rows, which are that many or more.
const fn head_of<T>(rows: &[T], len: usize) -> &[T] {
    match rows.split_at_checked(len) {
        Some((head, _)) => head,
        None => rows,
    }
}

/// A layout: what every decode and encode takes. Cheap to copy.
#[derive(Clone, Copy, Debug)]
pub struct LayoutRef<'l> {
    pub(crate) head: &'l Head,
    pub(crate) fields: &'l [Field],
    pub(crate) specs: &'l [Spec],
    pub(crate) scales: &'l [Scale],
}

impl<'l> LayoutRef<'l> {
    /// The layout that [`check`] wrote into these tables.
    #[inline]
    #[must_use]
    pub const fn new(
        head: &'l Head,
        fields: &'l [Field],
        specs: &'l [Spec],
        scales: &'l [Scale],
    ) -> Self {
        LayoutRef {
            head,
            fields: head_of(fields, head.points()),
            specs: head_of(specs, head.points()),
            scales: head_of(scales, head.scales()),
        }
    }

    /// Standard or var_len.
    #[inline]
    #[must_use]
    pub const fn protocol(self) -> Protocol {
        self.head.protocol
    }

    /// The number of points; their ids are 0 to one less.
    #[inline]
    #[must_use]
    pub const fn points(self) -> u16 {
        self.head.points
    }

    /// The number of writable points. In a standard product their ids are 0 to one less.
    #[inline]
    #[must_use]
    pub const fn writable(self) -> u16 {
        self.head.writable
    }

    /// The bytes of a whole status: of a var_len product what follows the mask of all points.
    #[inline]
    #[must_use]
    pub const fn status_len(self) -> usize {
        self.head.status_len as usize
    }

    /// The bytes of the writable section of a standard product: the head of the status, and the
    /// `attr_vals` of a control. A var_len product has none: 0.
    #[inline]
    #[must_use]
    pub const fn writable_len(self) -> usize {
        self.head.writable_len as usize
    }

    /// The bytes of the bitmap of a message: `attr_flags`, for the writable points of a standard
    /// product's control; the mask, for all points of every var_len message.
    #[inline]
    #[must_use]
    pub const fn flags_len(self) -> usize {
        match self.head.protocol {
            Protocol::Standard => self.head.writable.div_ceil(8) as usize,
            Protocol::VarLen => self.mask_len(),
        }
    }

    /// The number of different scales other than the identity.
    #[must_use]
    pub const fn scales(self) -> usize {
        self.head.scales()
    }

    /// The bytes of a bitmap of all points.
    #[inline]
    #[must_use]
    pub const fn mask_len(self) -> usize {
        self.head.points.div_ceil(8) as usize
    }

    /// Who may change this point.
    #[must_use]
    pub fn access(self, id: PointId) -> Option<Access> {
        Some(self.field(id)?.access)
    }

    /// The least and the greatest raw value that the definition allows; of a binary its length.
    #[must_use]
    pub fn limits(self, id: PointId) -> Option<(u32, u32)> {
        self.field(id)?;
        let spec = self.specs.get(id.index())?;
        Some((spec.min, spec.max))
    }

    /// The scale of this point's values; the identity for all but integers.
    #[must_use]
    pub fn scale(self, id: PointId) -> Option<Scale> {
        Some(*self.scale_of(self.field(id)?))
    }

    #[inline]
    pub(crate) fn field(self, id: PointId) -> Option<&'l Field> {
        self.fields.get(id.index())
    }

    #[inline]
    pub(crate) fn scale_of(self, field: &Field) -> &'l Scale {
        match (field.shape, field.aux.checked_sub(1)) {
            (Shape::Uint, Some(index)) => self
                .scales
                .get(usize::from(index))
                .unwrap_or(&Scale::IDENTITY),
            _ => &Scale::IDENTITY,
        }
    }
}

impl PartialEq for LayoutRef<'_> {
    /// The same points in the same places; room to spare makes no difference.
    fn eq(&self, other: &Self) -> bool {
        if core::ptr::eq(self.fields, other.fields) && core::ptr::eq(self.scales, other.scales) {
            return true;
        }
        self.head == other.head
            && self.fields == other.fields
            && self.specs == other.specs
            && self.scales == other.scales
    }
}

impl Eq for LayoutRef<'_> {}

/// Where the points of a var_len message go: those present, in the order of their ids, bools and
/// enums in one bit area from its bit 0 up, everything else in the bytes behind it (vendor: UART
/// protocol, var_len `attr_vals`).
///
/// ```text
/// present: 1 bit, 2 bits, uint8  ->  area of 1 byte, shifts 0 and 1; the integer ends at byte 2
/// ```
#[derive(Clone, Copy, Debug)]
pub(crate) struct Packing {
    /// The bytes of the bit area.
    pub(crate) area: u16,
    /// The room that the points so far take.
    room: Room,
}

impl Packing {
    /// Nothing so far, behind an area of so many bytes.
    #[inline]
    pub(crate) const fn behind(area: u16) -> Self {
        let room = Room(0);
        Packing { area, room }
    }

    /// All of these points.
    #[inline]
    pub(crate) fn all(layout: LayoutRef<'_>, mask: Mask<'_>) -> Self {
        let mut all = Packing::behind(0);
        all.pass(layout, mask, PointId(layout.points()));
        all.closed()
    }

    /// The same behind an area that is just long enough.
    #[inline]
    pub(crate) const fn closed(self) -> Self {
        let area = self.room.bits().div_ceil(8);
        Packing { area, ..self }
    }

    /// Goes past the points of a mask below `end`.
    #[inline]
    pub(crate) fn pass(&mut self, layout: LayoutRef<'_>, mask: Mask<'_>, end: PointId) {
        #[cfg(target_pointer_width = "64")]
        if let Some(room) = layout.head.runs.room(layout, mask.words(), end) {
            self.room = self.room.and(room);
            return;
        }
        for id in mask.ids().take_while(|id| *id < end) {
            if let Some(field) = layout.field(id) {
                self.room = self.room.and(field.room());
            }
        }
    }

    /// One past the last byte so far.
    #[inline]
    pub(crate) const fn end(self) -> u16 {
        self.area.wrapping_add(self.room.bytes())
    }

    /// The bits at the top of the area that no point has.
    #[inline]
    pub(crate) const fn spare(self) -> u16 {
        (self.area.wrapping_mul(8)).wrapping_sub(self.room.bits())
    }

    /// Where the next point goes.
    #[inline]
    pub(crate) const fn place<'l>(&mut self, id: PointId, field: &'l Field) -> Place<'l> {
        let bits = self.room.bits();
        self.room = self.room.and(field.room());
        let (end, shift) = match field.in_bits() {
            true => (self.area.wrapping_sub(bits / 8), (bits % 8) as u8),
            false => (self.end(), 0),
        };
        Place {
            id,
            field,
            end,
            shift,
        }
    }
}

/// Bits in an area and bytes behind it, side by side so that one addition serves both. Neither
/// exceeds what a status with all points has, which the rules have bounded by 16 bits.
#[derive(Clone, Copy, Debug)]
struct Room(u32);

impl Room {
    #[inline]
    const fn bits(self) -> u16 {
        self.0 as u16
    }

    #[inline]
    const fn bytes(self) -> u16 {
        self.0.wrapping_shr(16) as u16
    }

    #[inline]
    const fn and(self, other: Room) -> Room {
        Room(self.0.wrapping_add(other.0))
    }
}

/// The runs of a var_len product: points in a row that take the same room each. What those present
/// take is a popcount for each run, whatever they are, which beats a step for each once they are
/// more than a few.
///
/// The benchmark `decode` holds the two against each other.
#[cfg(target_pointer_width = "64")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Runs {
    /// The first ids of the runs, none of which goes past a multiple of 64.
    first: [u16; Runs::MOST],
    /// Their number; 0 if the product has more of them, or more points than two words have bits.
    len: u16,
}

#[cfg(target_pointer_width = "64")]
impl Runs {
    const MOST: usize = 12;
    /// So many points are as fast one by one.
    const FEW: u32 = 10;
    const NONE: Runs = Runs {
        first: [0; Runs::MOST],
        len: 0,
    };

    /// The runs of all these points.
    #[expect(clippy::arithmetic_side_effects, reason = "the loop bounds it")]
    pub(crate) const fn new(fields: &[Field]) -> Self {
        let mut runs = Runs::NONE;
        let mut id = 0;
        while id < fields.len() {
            if id % 64 == 0 || fields[id].room().0 != fields[id - 1].room().0 {
                if id >= 128 || runs.len as usize == Runs::MOST {
                    return Runs::NONE;
                }
                runs.first[runs.len as usize] = id as u16;
                runs.len += 1;
            }
            id += 1;
        }
        runs
    }

    /// The room that the points below `end` take; `None` if it is found faster point by point.
    #[inline]
    fn room(&self, layout: LayoutRef<'_>, mask: [usize; 2], end: PointId) -> Option<Room> {
        let runs = self.first.get(..usize::from(self.len))?;
        let [low, high] = mask;
        if runs.is_empty() || low.count_ones().wrapping_add(high.count_ones()) <= Runs::FEW {
            return None;
        }
        let mut room = Room(0);
        let ends = runs
            .iter()
            .skip(1)
            .chain(core::iter::once(&layout.head.points));
        for (first, last) in runs.iter().zip(ends) {
            let points = end.0.min(*last).saturating_sub(*first);
            if points == 0 {
                break;
            }
            let word = if *first < 64 { low } else { high };
            let above = word.wrapping_shr(u32::from(*first)) << (64_u16.wrapping_sub(points) & 63);
            let each = layout.field(PointId(*first))?.room();
            room = room.and(Room(each.0.wrapping_mul(above.count_ones())));
        }
        Some(room)
    }
}

impl Field {
    /// The room that the point takes.
    #[inline]
    const fn room(&self) -> Room {
        match self.in_bits() {
            true => Room(self.width() as u32),
            false => Room((self.len() as u32).wrapping_shl(16)),
        }
    }
}
