//! The rules that the points of a product obey, and with them the layout.
//!
//! This file alone knows how a standard definition's positions become bytes (vendor: datapoint `position`;
//! the status is writable, read-only, alert, fault, each section its bit area and then its bytes).
//! A bit area begins at the byte offset that its members share and is `ceil(max(bit_offset + len) /
//! 8)` bytes long. Bit 9 of an area of two bytes at byte 0 is bit 1 of byte 0:
//!
//! ```text
//! byte_offset 0, bit_offset 9, len 3, area of 2 bytes  ->  end 2 - 9 / 8 = 1, shift 9 % 8 = 1
//! ```

#![expect(
    clippy::arithmetic_side_effects,
    reason = "all sums are of figures that the rules of one point have bounded by MAX_STATUS"
)]

use super::field::{Field, Limits, Shape};
use super::packing::Packing;
use super::point::{Access, Kind, Point, Protocol, Unit};
#[cfg(target_pointer_width = "64")]
use super::runs::Runs;
use super::tables::Head;
pub use super::tables::Tables;
use crate::error::{Error, ErrorKind, PointId};
use crate::value::Scale;

/// The most points a product may have.
pub const MAX_POINTS: usize = 1024;
/// The most bytes a status may have.
pub const MAX_STATUS: u32 = 65_535;

/// Where [`check`] puts what it finds. What it has no room for is only counted.
#[derive(Debug)]
pub struct Findings<'f> {
    room: &'f mut [Error],
    found: usize,
    warnings: bool,
}

impl<'f> Findings<'f> {
    /// Errors and warnings.
    #[must_use]
    pub const fn all(room: &'f mut [Error]) -> Self {
        Findings {
            room,
            found: 0,
            warnings: true,
        }
    }

    /// Errors alone.
    #[must_use]
    pub const fn errors(room: &'f mut [Error]) -> Self {
        Findings {
            room,
            found: 0,
            warnings: false,
        }
    }

    /// How many were found; only as many as there was room for are kept.
    #[must_use]
    pub const fn found(&self) -> usize {
        self.found
    }

    pub(crate) const fn first(&self) -> Option<Error> {
        if self.found > 0 && !self.room.is_empty() {
            Some(self.room[0])
        } else {
            None
        }
    }

    const fn add(&mut self, error: Error) {
        if self.warnings || !error.kind.is_warning() {
            if self.found < self.room.len() {
                self.room[self.found] = error;
            }
            self.found += 1;
        }
    }
}

/// Holds points against every rule and lays out those that keep them: the one pass behind
/// [`Layout::new`](crate::Layout::new), which stops at its first error, and behind a full check of a definition.
///
/// First come the rules of one point, then those between points that are sound by themselves.
/// `count` is the number of points that the definition has, if some could not even be read.
/// The returned head and the tables are good only if no error was found.
pub const fn check(
    protocol: Protocol,
    points: &[Point],
    count: usize,
    tables: Tables<'_>,
    findings: &mut Findings<'_>,
) -> Head {
    let mut head = Head {
        protocol,
        ..Head::EMPTY
    };
    let Tables {
        fields,
        limits,
        scales,
    } = tables;
    if count == 0 {
        findings.add(Error::new(ErrorKind::NoPoints));
        return head;
    }
    let room = if fields.len() < limits.len() {
        fields.len()
    } else {
        limits.len()
    };
    if count > MAX_POINTS || count > room || points.len() > count {
        findings.add(Error::new(ErrorKind::TooManyPoints));
        return head;
    }

    // Until the limits are written they serve as scratch: `min` is the n-th point in some order,
    // `max` one more than the index of the point with id n.
    let mut n = 0;
    while n < count {
        limits[n] = Limits::EMPTY;
        n += 1;
    }
    let mut sound = 0;
    let mut n = 0;
    while n < points.len() {
        let point = &points[n];
        let mut good = check_point(protocol, point, findings);
        if point.id as usize >= count {
            findings.add(Error::new(ErrorKind::IdRange).about(PointId(point.id)));
            good = false;
        } else if limits[point.id as usize].max != 0 {
            let error = Error::new(ErrorKind::DuplicateId).about(PointId(point.id));
            findings.add(error.with(PointId(point.id)));
            good = false;
        } else {
            limits[point.id as usize].max = n as u32 + 1;
        }
        if good {
            limits[sound].min = n as u32;
            sound += 1;
        }
        n += 1;
    }
    let whole = sound == count;
    if whole {
        shape(points, fields);
    }

    check_ids(protocol, points, limits, count, &mut head, findings);
    match protocol {
        Protocol::Standard => {
            sort(points, limits, sound, By::Position);
            check_positions(points, limits, sound, whole, fields, &mut head, findings);
        }
        Protocol::VarLen if whole => place_all(points, fields, &mut head, findings),
        Protocol::VarLen => {}
    }
    sort(points, limits, sound, By::Scale);
    find_scales(points, limits, sound, fields, scales, &mut head, findings);

    if whole {
        head.points = count as u16;
        limit(points, limits);
    }
    head
}

const fn check_point(protocol: Protocol, point: &Point, findings: &mut Findings<'_>) -> bool {
    let before = findings.found;
    let position = &point.position;
    let kind = match point.kind {
        Kind::Bool | Kind::Enum { .. } => Unit::Bit,
        _ => Unit::Byte,
    };
    // Without a unit that fits the kind, the length says nothing.
    if position.unit as u8 != kind as u8 {
        findings.add(point.error(ErrorKind::Unit));
    } else {
        let (fits, error) = match &point.kind {
            Kind::Bool => (position.len == 1, ErrorKind::BoolWidth),
            Kind::Enum { .. } => (
                1 <= position.len && position.len <= 32,
                ErrorKind::EnumWidth,
            ),
            Kind::Uint8(_) => (position.len == 1, ErrorKind::UintWidth),
            Kind::Uint16(_) => (position.len == 2, ErrorKind::UintWidth),
            Kind::Uint32(_) => (position.len == 4, ErrorKind::UintWidth),
            Kind::Binary => (
                1 <= position.len && position.len <= MAX_STATUS,
                ErrorKind::BinaryWidth,
            ),
        };
        if !fits {
            findings.add(point.error(error));
        } else if let (Kind::Enum { .. }, 9..) = (&point.kind, position.len) {
            findings.add(point.error(ErrorKind::WideBits));
        }
    }
    if let Protocol::Standard = protocol {
        if let (Unit::Byte, 1..) = (position.unit, position.bit_offset) {
            findings.add(point.error(ErrorKind::BitOffset));
        }
        if position.byte_offset > MAX_STATUS || position.bit_offset > 8 * MAX_STATUS {
            findings.add(point.error(ErrorKind::StatusLength));
        }
    }
    if let Kind::Enum { labels } = point.kind {
        if labels == 0 {
            findings.add(point.error(ErrorKind::NoLabels));
        } else if 1 <= position.len && position.len < 32 && labels > 1 << position.len {
            findings.add(point.error(ErrorKind::TooManyLabels));
        }
    }
    if let Some((spec, widest)) = point.uint() {
        if spec.min < 0 {
            findings.add(point.error(ErrorKind::NegativeMin));
        }
        if spec.min > spec.max {
            findings.add(point.error(ErrorKind::MinAboveMax));
        }
        if spec.max > widest as i64 {
            findings.add(point.error(ErrorKind::MaxTooLarge));
        }
        if let Err(error) = point.scale() {
            findings.add(point.error(error.kind));
        }
    }
    let mut n = before;
    let mut good = true;
    while n < findings.found {
        // What there was no room for counts as an error.
        good = good && n < findings.room.len() && findings.room[n].kind.is_warning();
        n += 1;
    }
    good
}

/// The rules in the order of the ids: writable first, since a flag's bit is the id; a warning where
/// the order is not canonical.
const fn check_ids(
    protocol: Protocol,
    points: &[Point],
    limits: &[Limits],
    count: usize,
    head: &mut Head,
    findings: &mut Findings<'_>,
) {
    let mut closed: Option<u16> = None;
    let mut ordered = true;
    let mut before = 0;
    let mut id = 0;
    while id < count {
        if let Some(index) = limits[id].max.checked_sub(1) {
            let point = &points[index as usize];
            match (point.access, closed) {
                (Access::Writable, Some(other)) if matches!(protocol, Protocol::Standard) => {
                    let error = point.error(ErrorKind::WritableIds);
                    findings.add(error.with(PointId(other)));
                }
                (Access::Writable, _) => head.writable += 1,
                (_, None) => closed = Some(point.id),
                _ => {}
            }
            let rank = match protocol {
                Protocol::Standard => 8 * point.access as u8 + point.rank(),
                Protocol::VarLen => point.rank(),
            };
            if rank < before && ordered {
                findings.add(point.error(ErrorKind::Order));
                ordered = false;
            }
            before = rank;
        }
        id += 1;
    }
}

/// The rules in the order of the bytes, and with them the offset of each field.
const fn check_positions(
    points: &[Point],
    limits: &[Limits],
    sound: usize,
    whole: bool,
    fields: &mut [Field],
    head: &mut Head,
    findings: &mut Findings<'_>,
) {
    let mut reach = Reach {
        end: 0,
        owner: None,
    };
    let mut closed: Option<u16> = None;
    let mut ordered = true;
    let mut before = 0;
    let mut n = 0;
    while n < sound {
        let first = &points[limits[n].min as usize];
        let start = first.position.byte_offset;
        let mut last = n + 1;
        let mut tail = Reach {
            end: first.position.len,
            owner: Some(first.id),
        };
        if let Unit::Bit = first.position.unit {
            // All members of the area, and the bit at which it ends.
            tail.end = 0;
            last = n;
            while last < sound {
                let point = &points[limits[last].min as usize];
                if !matches!(point.position.unit, Unit::Bit) || point.position.byte_offset != start
                {
                    break;
                }
                let bit = point.position.bit_offset;
                if let (true, Some(other)) = (bit < tail.end, tail.owner) {
                    let error = point.error(ErrorKind::Overlap);
                    findings.add(error.with(PointId(other)));
                }
                if point.access as u8 != first.access as u8 {
                    let error = point.error(ErrorKind::SharedArea);
                    findings.add(error.with(PointId(first.id)));
                }
                tail.stretch(bit + point.position.len, point.id);
                last += 1;
            }
            tail.end = tail.end.div_ceil(8);
        }

        if let (true, Some(other)) = (start < reach.end, reach.owner) {
            let error = first.error(ErrorKind::Overlap).with(PointId(other));
            findings.add(error);
        } else if start > reach.end && whole {
            findings.add(first.error(ErrorKind::Gap));
        }
        match (first.access, closed) {
            (Access::Writable, Some(other)) => {
                let error = first.error(ErrorKind::WritableBytes);
                findings.add(error.with(PointId(other)));
            }
            (Access::Writable, None) => {}
            (_, None) => closed = Some(first.id),
            _ => {}
        }
        let end = start + tail.end;
        if end > MAX_STATUS {
            findings.add(first.error(ErrorKind::StatusLength));
            return;
        }
        if let Access::Writable = first.access {
            head.writable_len = end as u16;
        }
        if let Some(owner) = tail.owner {
            reach.stretch(end, owner);
        }

        while n < last {
            let point = &points[limits[n].min as usize];
            if point.id < before && ordered {
                findings.add(point.error(ErrorKind::Order));
                ordered = false;
            }
            before = point.id;
            let bit = match point.position.unit {
                Unit::Bit => point.position.bit_offset,
                Unit::Byte => 0,
            };
            fields[point.id as usize].end = (end - bit / 8) as u16;
            fields[point.id as usize].shift = (bit % 8) as u8;
            n += 1;
        }
    }
    head.status_len = reach.end as u16;
}

/// The offsets that the points of a var_len product have in a message with all of them. Offsets in
/// the definition say nothing.
const fn place_all(
    points: &[Point],
    fields: &mut [Field],
    head: &mut Head,
    findings: &mut Findings<'_>,
) {
    let (mut bits, mut bytes) = (0, 0);
    let mut n = 0;
    while n < points.len() {
        let position = &points[n].position;
        match position.unit {
            Unit::Bit => bits += position.len,
            Unit::Byte => bytes += position.len,
        }
        n += 1;
    }
    let area = bits.div_ceil(8);
    if area + bytes > MAX_STATUS {
        findings.add(Error::new(ErrorKind::StatusLength));
        return;
    }
    head.status_len = (area + bytes) as u16;
    head.area_len = area as u16;
    #[cfg(target_pointer_width = "64")]
    {
        head.runs = Runs::new(fields.split_at(points.len()).0);
    }
    let mut packing = Packing::behind(head.area_len);
    let mut id = 0;
    while id < points.len() {
        let location = packing.push(PointId(id as u16), &fields[id]);
        let (end, shift) = (location.end, location.shift);
        fields[id].end = end;
        fields[id].shift = shift;
        id += 1;
    }
}

/// How far the points seen so far reach, and which of them reaches farthest.
struct Reach {
    end: u32,
    owner: Option<u16>,
}

impl Reach {
    const fn stretch(&mut self, end: u32, owner: u16) {
        if end > self.end || self.owner.is_none() {
            self.end = end;
            self.owner = Some(owner);
        }
    }
}

/// The different scales in order of their keys, each one once.
const fn find_scales(
    points: &[Point],
    limits: &[Limits],
    sound: usize,
    fields: &mut [Field],
    scales: &mut [Scale],
    head: &mut Head,
    findings: &mut Findings<'_>,
) {
    let mut last = Scale::IDENTITY;
    let mut n = 0;
    while n < sound {
        let point = &points[limits[n].min as usize];
        let scale = match point.scale() {
            Ok(scale) => scale,
            Err(_) => Scale::IDENTITY,
        };
        if !same(scale, Scale::IDENTITY) {
            if !same(scale, last) {
                if head.scales as usize == scales.len() {
                    findings.add(point.error(ErrorKind::TooManyScales));
                    return;
                }
                scales[head.scales as usize] = scale;
                head.scales += 1;
                last = scale;
            }
            fields[point.id as usize].aux = head.scales;
        }
        n += 1;
    }
}

const fn same(one: Scale, two: Scale) -> bool {
    let (one, two) = (one.sort_key(), two.sort_key());
    one.0 == two.0 && one.1 == two.1
}

/// What a field has without rules: everything but its offset and its scale.
const fn shape(points: &[Point], fields: &mut [Field]) {
    let mut n = 0;
    while n < points.len() {
        let point = &points[n];
        let len = point.position.len;
        let field = &mut fields[point.id as usize];
        field.access = point.access;
        let (shape, bits) = match point.kind {
            Kind::Bool => (Shape::Bool, 1),
            Kind::Enum { .. } => (Shape::Enum, len),
            Kind::Uint8(_) => (Shape::Uint, 8),
            Kind::Uint16(_) => (Shape::Uint, 16),
            Kind::Uint32(_) => (Shape::Uint, 32),
            Kind::Binary => (Shape::Binary, 32),
        };
        field.shape = shape;
        field.drop = (32 - bits) as u8;
        if let Shape::Binary = shape {
            field.aux = len as u16;
        }
        n += 1;
    }
}

/// The limits, once they are no scratch any more.
const fn limit(points: &[Point], limits: &mut [Limits]) {
    let mut n = 0;
    while n < points.len() {
        let point = &points[n];
        let (min, max) = match point.kind {
            Kind::Bool => (0, 1),
            Kind::Enum { labels } => (0, labels - 1),
            Kind::Uint8(spec) | Kind::Uint16(spec) | Kind::Uint32(spec) => {
                (spec.min as u32, spec.max as u32)
            }
            Kind::Binary => (point.position.len, point.position.len),
        };
        limits[point.id as usize] = Limits { min, max };
        n += 1;
    }
}

#[derive(Clone, Copy)]
enum By {
    Position,
    Scale,
}

const fn key(point: &Point, by: By) -> [u64; 3] {
    match by {
        By::Position => {
            let position = &point.position;
            let bytes = matches!(position.unit, Unit::Byte) as u64;
            let location = (position.byte_offset as u64) << 1 | bytes;
            [location, position.bit_offset as u64, point.id as u64]
        }
        By::Scale => match point.scale() {
            Ok(scale) => {
                let (ratio, addition) = scale.sort_key();
                [ratio, addition as u64, point.id as u64]
            }
            Err(_) => [0; 3],
        },
    }
}

const fn less(one: &Point, two: &Point, by: By) -> bool {
    let (one, two) = (key(one, by), key(two, by));
    let mut n = 0;
    while n < 2 && one[n] == two[n] {
        n += 1;
    }
    one[n] < two[n]
}

/// Heap sort of the first `len` orders in `limits`: in place, without recursion, never quadratic.
const fn sort(points: &[Point], limits: &mut [Limits], len: usize, by: By) {
    let mut start = len / 2;
    let mut end = len;
    while end > 1 {
        if start > 0 {
            start -= 1;
        } else {
            end -= 1;
            let top = limits[0].min;
            limits[0].min = limits[end].min;
            limits[end].min = top;
        }
        let mut root = start;
        while 2 * root + 1 < end {
            let mut child = 2 * root + 1;
            let right = child + 1;
            if right < end && before(points, limits, child, right, by) {
                child = right;
            }
            if !before(points, limits, root, child, by) {
                break;
            }
            let low = limits[root].min;
            limits[root].min = limits[child].min;
            limits[child].min = low;
            root = child;
        }
    }
}

const fn before(points: &[Point], limits: &[Limits], one: usize, two: usize, by: By) -> bool {
    less(
        &points[limits[one].min as usize],
        &points[limits[two].min as usize],
        by,
    )
}
