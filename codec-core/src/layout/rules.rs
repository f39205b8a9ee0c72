//! The rules for the points of a product. Checking them yields the layout.
//!
//! This module converts the positions of a standard definition to bytes (vendor: datapoint `position`). The
//! status has four sections: writable, read-only, alert and fault points. Each section is a bit area followed
//! by bytes. A bit area begins at the byte offset that its points share, and is `ceil(max(bit_offset + len) /
//! 8)` bytes long. Bit 9 of an area of two bytes at byte 0 is bit 1 of byte 0:
//!
//! ```text
//! byte_offset 0, bit_offset 9, len 3, area of 2 bytes  ->  end 2 - 9 / 8 = 1, shift 9 % 8 = 1
//! ```

#![expect(
    clippy::arithmetic_side_effects,
    reason = "the rules of one point limit every number in a sum to MAX_STATUS"
)]

use core::mem;

#[cfg(target_pointer_width = "64")]
use super::field::Room;
use super::field::{Field, Limits, Shape};
use super::packing::Packing;
use super::point::{Access, Kind, Point, Protocol, UintSpec, Unit};
use super::tables::Head;
pub use super::tables::Tables;
#[cfg(target_pointer_width = "64")]
use super::{runs::Runs, sizes::Sizes, spare::Spare};
use crate::error::{Error, ErrorKind, PointId};
use crate::value::{Decimal, Scale};

/// The maximum number of points of a product.
pub const MAX_POINTS: usize = 1024;
/// The maximum length of a status in bytes.
pub const MAX_STATUS: u32 = 65_535;

/// The errors and warnings that [`check`] finds. The findings that do not fit the buffer of the caller are
/// only counted.
#[derive(Debug)]
#[must_use]
pub struct Findings<'f> {
    room: &'f mut [Error],
    found: usize,
    errors: usize,
    warnings: bool,
}

impl<'f> Findings<'f> {
    /// Creates an empty list for errors and warnings.
    pub const fn all(room: &'f mut [Error]) -> Self {
        Findings {
            room,
            found: 0,
            errors: 0,
            warnings: true,
        }
    }

    /// Creates an empty list for errors. Warnings are ignored.
    pub const fn errors(room: &'f mut [Error]) -> Self {
        let mut findings = Findings::all(room);
        findings.warnings = false;
        findings
    }

    /// Returns the number of findings, including those that did not fit the buffer.
    pub const fn found(&self) -> usize {
        self.found
    }

    pub(crate) const fn first(&self) -> Option<Error> {
        match &*self.room {
            [first, ..] if self.found > 0 => Some(*first),
            _ => None,
        }
    }

    const fn add(&mut self, error: Error) {
        let is_warning = error.kind.is_warning();
        if self.warnings || !is_warning {
            if self.found < self.room.len() {
                self.room[self.found] = error;
            }
            self.found += 1;
            self.errors += !is_warning as usize;
        }
    }

    const fn add_if(&mut self, breaks_rule: bool, point: &Point, kind: ErrorKind) {
        if breaks_rule {
            self.add(point.error(kind));
        }
    }
}

/// Checks points against every rule and fills the tables of their layout. [`Layout::new`](crate::Layout::new)
/// calls this function and returns the first error; a check of a definition reports all findings.
///
/// The rules of one point are checked first. The rules between points are then checked for the points that
/// passed. `count` is the number of points of the definition, which is above `points.len()` if some could not
/// be read. The returned head and the tables are valid only if there was no error.
///
/// ```
/// use gizwits_codec_core::layout::{Field, Limits, Tables};
/// use gizwits_codec_core::rules::{Findings, check};
/// use gizwits_codec_core::{Access, Error, ErrorKind, Point, Protocol, Scale};
///
/// let points = [
///     Point::bool(0, Access::Writable, 0, 0),
///     Point::bool(1, Access::Writable, 0, 0),
///     Point::enumeration(2, Access::Writable, 0, 2, 2, 5),
/// ];
/// let tables = Tables {
///     fields: &mut [Field::EMPTY; 3],
///     limits: &mut [Limits::EMPTY; 3],
///     scales: &mut [Scale::IDENTITY; 3],
/// };
/// let mut found = [Error::new(ErrorKind::NoPoints); 8];
/// let mut findings = Findings::all(&mut found);
/// check(Protocol::Standard, &points, points.len(), tables, &mut findings);
/// let number = findings.found();
/// let kinds = found[..number].iter().map(|error| error.kind);
/// assert!(kinds.eq([ErrorKind::TooManyLabels, ErrorKind::Overlap]));
/// ```
pub const fn check(
    protocol: Protocol,
    points: &[Point],
    count: usize,
    tables: Tables<'_>,
    findings: &mut Findings<'_>,
) -> Head {
    let head = Head {
        protocol,
        ..Head::EMPTY
    };
    if count == 0 {
        findings.add(Error::new(ErrorKind::NoPoints));
        return head;
    }
    let has_room = count <= tables.fields.len() && count <= tables.limits.len();
    if count > MAX_POINTS || !has_room || points.len() > count {
        findings.add(Error::new(ErrorKind::TooManyPoints));
        return head;
    }
    let mut check = Check {
        points,
        count,
        sound: 0,
        is_sorted: true,
        tables,
        head,
        findings,
        recent: RecentScales::EMPTY,
        low_scales: 0,
    };
    check.check_points();
    check.check_ids();
    match protocol {
        Protocol::Standard => check.check_positions(),
        Protocol::VarLen => check.pack(),
    }
    check.find_scales();
    if check.is_whole() {
        check.head.points = count as u16;
        check.complete();
    }
    check.head
}

/// A check in progress.
///
/// Until the limits are written, their table is scratch space: the `min` of row n is the index of the n-th
/// sound point in the current order, the `max` of row n is one more than the index of the point with id n.
struct Check<'p, 't, 'c, 'f> {
    points: &'p [Point],
    count: usize,
    /// The number of sound points: those that passed the rules of one point.
    sound: usize,
    /// Whether all points are sound and were given in the order of their positions, as in most definitions. Then the
    /// scratch space need not be read for their order.
    is_sorted: bool,
    tables: Tables<'t>,
    head: Head,
    findings: &'c mut Findings<'f>,
    recent: RecentScales,
    /// The number of scales at the end of their table. They are below those at its start in the order of the sort keys.
    low_scales: usize,
}

impl<'p> Check<'p, '_, '_, '_> {
    /// Returns whether all points could be read and are sound.
    const fn is_whole(&self) -> bool {
        self.sound == self.count
    }

    /// Returns the `n`-th sound point in the order of the last sort.
    const fn nth(&self, n: usize) -> &'p Point {
        match self.is_sorted {
            true => &self.points[n],
            false => &self.points[self.tables.limits[n].min as usize],
        }
    }

    const fn field(&mut self, point: &Point) -> &mut Field {
        &mut self.tables.fields[point.id as usize]
    }

    /// Reports a conflict between two points.
    const fn clash(&mut self, point: &Point, kind: ErrorKind, other: u16) {
        self.findings.add(point.error(kind).with(PointId(other)));
    }

    /// Checks the rules of one point, and that the ids are 0 to `count - 1`. Fills in the fields of sound points, but
    /// for offset and scale.
    const fn check_points(&mut self) {
        let mut n = 0;
        while n < self.count {
            self.tables.limits[n] = Limits::EMPTY;
            n += 1;
        }
        let (mut n, mut last) = (0, 0);
        while n < self.points.len() {
            let point = &self.points[n];
            let id = point.id as usize;
            let errors = self.findings.errors;
            check_point(self.head.protocol, point, self.findings);
            let scale = match self.recent.scale(point) {
                Ok(scale) => scale,
                Err(error) => {
                    self.findings.add(point.error(error.kind));
                    Scale::IDENTITY
                }
            };
            #[cfg(not(target_pointer_width = "64"))]
            let _ = scale;
            if id >= self.count {
                let error = Error::new(ErrorKind::IdRange);
                self.findings.add(error.about(PointId(point.id)));
            } else if self.tables.limits[id].max != 0 {
                let error = Error::new(ErrorKind::DuplicateId).about(PointId(point.id));
                self.findings.add(error.with(PointId(point.id)));
            } else {
                self.tables.limits[id].max = n as u32 + 1;
            }
            if self.findings.errors == errors {
                self.tables.limits[self.sound].min = n as u32;
                self.sound += 1;
                let field = &mut self.tables.fields[id];
                *field = field_of(point);
                #[cfg(target_pointer_width = "64")]
                field.keep_scale(scale);
                let key = sort_key(point);
                self.is_sorted = self.is_sorted && key >= last;
                last = key;
            }
            n += 1;
        }
        self.is_sorted = self.is_sorted && self.is_whole();
    }

    /// Checks the rules in the order of the ids. In a standard product, writable points come first, because
    /// the bit of a flag is the id. An order that is not canonical is a warning.
    const fn check_ids(&mut self) {
        let mut order = Order::NEW;
        let mut id = 0;
        while id < self.count {
            if let Some(index) = self.tables.limits[id].max.checked_sub(1) {
                let point = &self.points[index as usize];
                let behind = order.closed(point);
                let rank = match self.head.protocol {
                    Protocol::Standard => {
                        if let Some(other) = behind {
                            self.clash(point, ErrorKind::WritableIds, other);
                        }
                        8 * point.access as u16 + point.rank() as u16
                    }
                    Protocol::VarLen => point.rank() as u16,
                };
                self.head.writable += matches!(point.access, Access::Writable) as u16;
                self.findings
                    .add_if(order.is_broken(rank), point, ErrorKind::Order);
            }
            id += 1;
        }
    }

    /// Checks the rules in the order of the bytes, and sets the offset of each field.
    const fn check_positions(&mut self) {
        if !self.is_sorted {
            self.heap_sort();
        }
        let mut reach = Reach::NONE;
        let (mut sections, mut ids) = (Order::NEW, Order::NEW);
        let mut n = 0;
        while n < self.sound {
            let first = self.nth(n);
            let start = first.position.byte_offset;
            let (last, tail) = self.area(n);
            if let (true, Some(other)) = (start < reach.end, reach.owner) {
                self.clash(first, ErrorKind::Overlap, other);
            } else if start > reach.end && self.is_whole() {
                self.findings.add(first.error(ErrorKind::Gap));
            }
            if let Some(other) = sections.closed(first) {
                self.clash(first, ErrorKind::WritableBytes, other);
            }
            let end = start + tail.end;
            if end > MAX_STATUS {
                self.findings.add(first.error(ErrorKind::StatusLength));
                return;
            }
            if let Access::Writable = first.access {
                self.head.writable_len = end as u16;
            }
            if let Some(owner) = tail.owner {
                reach.stretch(end, owner);
            }
            while n < last {
                let point = self.nth(n);
                self.findings
                    .add_if(ids.is_broken(point.id), point, ErrorKind::Order);
                let bit = match point.position.unit {
                    Unit::Bit => point.position.bit_offset,
                    Unit::Byte => 0,
                };
                self.field(point).end = (end - bit / 8) as u16;
                self.field(point).shift = (bit % 8) as u8;
                n += 1;
            }
        }
        self.head.status_len = reach.end as u16;
    }

    /// Measures the bit area that begins with the `n`-th point, or this point alone if its unit is the byte.
    /// Returns one past the last point of the area, and the length of the area in bytes.
    const fn area(&mut self, n: usize) -> (usize, Reach) {
        let first = self.nth(n);
        let mut tail = Reach::NONE;
        if let Unit::Byte = first.position.unit {
            tail.stretch(first.position.len, first.id);
            return (n + 1, tail);
        }
        let mut last = n;
        while last < self.sound {
            let point = self.nth(last);
            let position = &point.position;
            let is_byte = matches!(position.unit, Unit::Byte);
            if is_byte || position.byte_offset != first.position.byte_offset {
                break;
            }
            if let (true, Some(other)) = (position.bit_offset < tail.end, tail.owner) {
                self.clash(point, ErrorKind::Overlap, other);
            }
            if point.access as u8 != first.access as u8 {
                self.clash(point, ErrorKind::SharedArea, first.id);
            }
            tail.stretch(position.bit_offset + position.len, point.id);
            last += 1;
        }
        tail.end = tail.end.div_ceil(8);
        (last, tail)
    }

    /// Sets the offsets of the points of a var_len product in a message with all points. The offsets in the
    /// definition have no meaning there.
    const fn pack(&mut self) {
        if !self.is_whole() {
            return;
        }
        let (mut bits, mut bytes) = (0, 0);
        let mut n = 0;
        while n < self.count {
            let position = &self.points[n].position;
            match position.unit {
                Unit::Bit => bits += position.len,
                Unit::Byte => bytes += position.len,
            }
            n += 1;
        }
        let area = bits.div_ceil(8);
        if area + bytes > MAX_STATUS {
            self.findings.add(Error::new(ErrorKind::StatusLength));
            return;
        }
        self.head.status_len = (area + bytes) as u16;
        self.head.area_len = area as u16;
        let fields = self.tables.fields.split_at_mut(self.count).0;
        let mut packing = Packing::behind(self.head.area_len);
        let mut id = 0;
        while id < fields.len() {
            let location = packing.push(PointId(id as u16), &fields[id]);
            (fields[id].end, fields[id].shift) = (location.end, location.shift);
            id += 1;
        }
    }

    /// Stores each different scale once, in the order of the sort keys, and its index in the fields.
    const fn find_scales(&mut self) {
        let mut moves = false;
        let mut n = 0;
        while n < self.sound {
            let point = self.nth(n);
            let key = self.key_of(point);
            if key != Scale::IDENTITY.sort_key() {
                let index = self.scales_below(key);
                let len = self.head.scale_count();
                if !self.is_scale(index, key) {
                    if len == self.tables.scales.len() {
                        self.findings.add(point.error(ErrorKind::TooManyScales));
                        return;
                    }
                    self.insert_scale(index, Scale::of_key(key));
                    moves = moves || index < len;
                }
                self.field(point).aux = index as u16 + 1;
            }
            n += 1;
        }
        if !moves {
            return;
        }
        // A scale that was inserted before others has changed their indices.
        reverse(self.tables.scales);
        let (lows, highs) = self.tables.scales.split_at_mut(self.low_scales);
        reverse(lows);
        reverse(highs);
        self.low_scales = 0;
        let mut n = 0;
        while n < self.sound {
            let point = self.nth(n);
            let key = self.key_of(point);
            if key != Scale::IDENTITY.sort_key() {
                self.field(point).aux = self.scales_below(key) as u16 + 1;
            }
            n += 1;
        }
    }

    /// Returns the sort key of the scale of a sound point.
    const fn key_of(&self, point: &Point) -> u128 {
        // The check of a scale takes divisions, so it is done once where there is room for its result.
        #[cfg(target_pointer_width = "64")]
        return self.tables.fields[point.id as usize].scale_key();
        #[cfg(not(target_pointer_width = "64"))]
        return point.sound_scale().sort_key();
    }

    /// Returns the number of scales with a lower sort key: the index of this one.
    const fn scales_below(&self, key: u128) -> usize {
        let (lows, highs) = self.scales();
        match highs {
            [least, ..] if least.sort_key() < key => lows.len() + below(highs, key),
            _ => below(lows, key),
        }
    }

    /// Returns whether the scale with this index has this sort key.
    const fn is_scale(&self, index: usize, key: u128) -> bool {
        let (lows, highs) = self.scales();
        let scale = match index.checked_sub(lows.len()) {
            None => &lows[index],
            Some(index) if index < highs.len() => &highs[index],
            Some(_) => return false,
        };
        scale.sort_key() == key
    }

    /// Returns the scales in two parts, in the order of their sort keys.
    const fn scales(&self) -> (&[Scale], &[Scale]) {
        let table = &*self.tables.scales;
        let (rest, lows) = table.split_at(table.len() - self.low_scales);
        (
            lows,
            rest.split_at(self.head.scale_count() - self.low_scales).0,
        )
    }

    /// Inserts a scale at an index below the length of the table. Either the scales below it move down, or those above
    /// it move up: in falling order, as in rising order, few move.
    const fn insert_scale(&mut self, index: usize, scale: Scale) {
        let (low, len) = (self.low_scales, self.head.scale_count());
        let table = &mut *self.tables.scales;
        if index >= low && 2 * index >= len {
            let (highs, _) = table.split_at_mut(len - low + 1);
            shift_up(highs.split_at_mut(index - low).1, scale);
        } else {
            let last = table.len() - 1;
            let (highs, lows) = table.split_at_mut(last - low);
            if index <= low {
                shift_down(lows.split_at_mut(index + 1).0, scale);
            } else {
                shift_down(lows, highs[0]);
                shift_down(highs.split_at_mut(index - low).0, scale);
            }
            self.low_scales += 1;
        }
        self.head.scales += 1;
    }

    /// Writes the limits, whose table is no longer needed as scratch space, and the kernels.
    const fn complete(&mut self) {
        let mut n = 0;
        while n < self.points.len() {
            let point = &self.points[n];
            let (min, max) = match point.kind {
                Kind::Bool => (0, 1),
                Kind::Enum { labels } => (0, labels - 1),
                Kind::Uint8(spec) | Kind::Uint16(spec) | Kind::Uint32(spec) => {
                    (spec.min as u32, spec.max as u32)
                }
                Kind::Binary => (point.position.len, point.position.len),
            };
            self.tables.limits[point.id as usize] = Limits { min, max };
            n += 1;
        }
        #[cfg(target_pointer_width = "64")]
        if self.findings.errors == 0 {
            self.prepare();
        }
    }

    /// Prepares the kernels. Requires offsets and scales, which are sound only in a layout without errors.
    #[cfg(target_pointer_width = "64")]
    const fn prepare(&mut self) {
        let mut before = Room(0);
        let mut id = 0;
        while id < self.count {
            let field = &mut self.tables.fields[id];
            field.prepare(before);
            before = before.and(field.room());
            id += 1;
        }
        let fields = self.tables.fields.split_at(self.count).0;
        self.head.runs = Runs::new(fields);
        self.head.spare = Spare::new(fields, self.head.status_len);
        if matches!(self.head.protocol, Protocol::VarLen) {
            self.head.sizes = Sizes::new(fields);
        }
    }

    /// Sorts the sound points by position with a heap sort, which works in place, without recursion, and never takes
    /// quadratic time. The standard library has no sort for a `const fn`.
    const fn heap_sort(&mut self) {
        let mut start = self.sound / 2;
        let mut end = self.sound;
        while end > 1 {
            if start > 0 {
                start -= 1;
            } else {
                end -= 1;
                self.swap(0, end);
            }
            let mut root = start;
            while 2 * root + 1 < end {
                let mut child = 2 * root + 1;
                if child + 1 < end && self.is_less(child, child + 1) {
                    child += 1;
                }
                if !self.is_less(root, child) {
                    break;
                }
                self.swap(root, child);
                root = child;
            }
        }
    }

    const fn swap(&mut self, one: usize, two: usize) {
        let limits = &mut *self.tables.limits;
        (limits[one].min, limits[two].min) = (limits[two].min, limits[one].min);
    }

    const fn is_less(&self, one: usize, two: usize) -> bool {
        sort_key(self.nth(one)) < sort_key(self.nth(two))
    }
}

/// Returns the number of scales with a lower sort key, in scales that are in the order of their sort keys.
const fn below(scales: &[Scale], key: u128) -> usize {
    let (mut from, mut to) = (0, scales.len());
    while from < to {
        let middle = (from + to) / 2;
        if scales[middle].sort_key() < key {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    from
}

// The slices of the standard library reverse and rotate in constants too, but only with a newer compiler.

/// Writes the scale to the front. The others move up by one index, and the last one is lost.
const fn shift_up(mut scales: &mut [Scale], mut scale: Scale) {
    while let [first, rest @ ..] = scales {
        scale = mem::replace(first, scale);
        scales = rest;
    }
}

/// Writes the scale to the end. The others move down by one index, and the first one is lost.
const fn shift_down(mut scales: &mut [Scale], mut scale: Scale) {
    while let [rest @ .., last] = scales {
        scale = mem::replace(last, scale);
        scales = rest;
    }
}

/// Reverses the order of the scales.
const fn reverse(mut scales: &mut [Scale]) {
    while let [first, rest @ .., last] = scales {
        mem::swap(first, last);
        scales = rest;
    }
}

/// Returns the field of a sound point without its offset and its scale.
const fn field_of(point: &Point) -> Field {
    let len = point.position.len;
    let (shape, bits, aux) = match point.kind {
        Kind::Bool => (Shape::Bool, 1, 0),
        Kind::Enum { .. } => (Shape::Enum, len, 0),
        Kind::Uint8(_) | Kind::Uint16(_) | Kind::Uint32(_) => (Shape::Uint, 8 * len, 0),
        Kind::Binary => (Shape::Binary, 32, len as u16),
    };
    Field {
        access: point.access,
        shape,
        drop: (32 - bits) as u8,
        aux,
        ..Field::EMPTY
    }
    .measured()
}

/// The scales that were checked last.
///
/// Most definitions have few different scales, and checking one takes divisions.
struct RecentScales {
    known: [(UintSpec, u32, Scale); RecentScales::LEN],
    /// The entry to replace next.
    oldest: usize,
}

impl RecentScales {
    const LEN: usize = 4;
    const EMPTY: RecentScales = RecentScales {
        known: [(UintSpec::new(0, 0), u32::MAX, Scale::IDENTITY); RecentScales::LEN],
        oldest: 0,
    };

    /// Returns the scale of a point, as [`Point::scale`] does.
    const fn scale(&mut self, point: &Point) -> Result<Scale, Error> {
        let Some((spec, widest)) = point.uint() else {
            return Ok(Scale::IDENTITY);
        };
        let mut n = 0;
        while n < self.known.len() {
            let (known, up_to, scale) = &self.known[n];
            if *up_to == widest
                && is_same(known.ratio, spec.ratio)
                && is_same(known.addition, spec.addition)
            {
                return Ok(*scale);
            }
            n += 1;
        }
        let scale = match point.scale() {
            Ok(scale) => scale,
            Err(error) => return Err(error),
        };
        self.known[self.oldest] = (*spec, widest, scale);
        self.oldest = (self.oldest + 1) % self.known.len();
        Ok(scale)
    }
}

/// Returns whether two numbers have the same digits and decimal places.
const fn is_same(one: Decimal, two: Decimal) -> bool {
    one.coefficient() == two.coefficient() && one.scale() == two.scale()
}

/// Checks the rules of one point, but for the rules of scales.
const fn check_point(protocol: Protocol, point: &Point, findings: &mut Findings<'_>) {
    let position = &point.position;
    let len = position.len;
    let (unit, fits, width) = match point.kind {
        Kind::Bool => (Unit::Bit, len == 1, ErrorKind::BoolWidth),
        Kind::Enum { .. } => (Unit::Bit, 1 <= len && len <= 32, ErrorKind::EnumWidth),
        Kind::Uint8(_) => (Unit::Byte, len == 1, ErrorKind::UintWidth),
        Kind::Uint16(_) => (Unit::Byte, len == 2, ErrorKind::UintWidth),
        Kind::Uint32(_) => (Unit::Byte, len == 4, ErrorKind::UintWidth),
        Kind::Binary => (
            Unit::Byte,
            1 <= len && len <= MAX_STATUS,
            ErrorKind::BinaryWidth,
        ),
    };
    // A length in the wrong unit has no meaning.
    let in_unit = position.unit as u8 == unit as u8;
    let is_wide = matches!(point.kind, Kind::Enum { .. }) && len > 8;
    findings.add_if(!in_unit, point, ErrorKind::Unit);
    findings.add_if(in_unit && !fits, point, width);
    findings.add_if(in_unit && fits && is_wide, point, ErrorKind::WideBits);
    if let Protocol::Standard = protocol {
        let is_shifted = matches!(position.unit, Unit::Byte) && position.bit_offset > 0;
        let is_far = position.byte_offset > MAX_STATUS || position.bit_offset > 8 * MAX_STATUS;
        findings.add_if(is_shifted, point, ErrorKind::BitOffset);
        findings.add_if(is_far, point, ErrorKind::StatusLength);
    }
    if let Kind::Enum { labels } = point.kind {
        let is_full = 1 <= len && len < 32 && labels > 1 << len;
        findings.add_if(labels == 0, point, ErrorKind::NoLabels);
        findings.add_if(is_full, point, ErrorKind::TooManyLabels);
    }
    if let Some((spec, widest)) = point.uint() {
        findings.add_if(spec.min < 0, point, ErrorKind::NegativeMin);
        findings.add_if(spec.min > spec.max, point, ErrorKind::MinAboveMax);
        findings.add_if(spec.max > widest as i64, point, ErrorKind::MaxTooLarge);
    }
}

/// The order of the points so far: writable points first, then by rank.
struct Order {
    /// The first point that is not writable.
    closed: Option<u16>,
    rank: u16,
    is_kept: bool,
}

impl Order {
    const NEW: Order = Order {
        closed: None,
        rank: 0,
        is_kept: true,
    };

    /// Returns, for a writable point, the first point before it that is not writable.
    const fn closed(&mut self, point: &Point) -> Option<u16> {
        if let Access::Writable = point.access {
            return self.closed;
        }
        if self.closed.is_none() {
            self.closed = Some(point.id);
        }
        None
    }

    /// Returns whether this rank is below the rank before, for the first time.
    const fn is_broken(&mut self, rank: u16) -> bool {
        let is_broken = self.is_kept && rank < self.rank;
        self.is_kept = self.is_kept && !is_broken;
        self.rank = rank;
        is_broken
    }
}

/// The end of the bytes covered so far, and the point that ends there.
struct Reach {
    end: u32,
    owner: Option<u16>,
}

impl Reach {
    const NONE: Reach = Reach {
        end: 0,
        owner: None,
    };

    const fn stretch(&mut self, end: u32, owner: u16) {
        if end > self.end || self.owner.is_none() {
            self.end = end;
            self.owner = Some(owner);
        }
    }
}

/// Returns the sort key of a sound point: its position, then its id. A bit area comes before the bytes at the same
/// offset. The rules of one point limit the byte offset to 16 bits and the bit offset to 20.
const fn sort_key(point: &Point) -> u64 {
    let position = &point.position;
    let is_bytes = matches!(position.unit, Unit::Byte) as u64;
    let place = (position.byte_offset as u64) << 21 | is_bytes << 20 | position.bit_offset as u64;
    place << 16 | point.id as u64
}
