//! The law of layouts: arbitrary points against rules that are written down a second time.

use std::collections::{BTreeMap, BTreeSet};

use gizwits_codec_core::layout::{Field, LayoutRef, Limits, Tables};
use gizwits_codec_core::rules::{Findings, MAX_STATUS, check};
use gizwits_codec_core::{
    Access, Action, Decimal, Encoder, Error, ErrorKind, Kind, Layout, P0, Point, PointId, Protocol,
    Scale, UintSpec, Unit,
};

use super::message::agrees;
use crate::arbitrary::{self, Draw};
use crate::reference::{self, Raw, RefAccess, RefKind, RefPoint};

/// The number of points and of scales that the layouts of the law have room for. Some draws have more of both.
const POINTS: usize = 40;
const SCALES: usize = 4;

/// Arbitrary points: they are refused if and only if they break a rule, and only for rules that they break. The table of
/// all other points has the numbers that follow from the points, and values are decoded and encoded as the slow codec
/// does it.
///
/// # Panics
/// If the law is broken.
pub fn layout(bytes: &[u8]) {
    let mut draw = Draw::new(bytes);
    let protocol = draw.pick(&[Protocol::Standard, Protocol::VarLen]);
    let points = points(&mut draw, protocol);
    let broken = broken_rules(protocol, &points);
    let (told, errors): (Vec<_>, Vec<_>) = findings(protocol, &points)
        .into_iter()
        .partition(|one| one.kind.is_warning());
    for error in &errors {
        let name = error.kind.name();
        assert!(broken.contains(name), "{error}: {broken:?}\n{points:#?}");
    }
    match Layout::<POINTS, SCALES>::new(protocol, &points) {
        Ok(layout) => {
            assert_eq!(
                (errors.first(), broken.first()),
                (None, None),
                "{points:#?}"
            );
            let told = told
                .iter()
                .map(|one| (one.kind.name(), one.point.map(|id| id.0)));
            assert_eq!(
                told.collect::<BTreeSet<_>>(),
                warnings(protocol, &points),
                "{points:#?}"
            );
            let mut points: Vec<RefPoint> = points.iter().map(reference_point).collect();
            points.sort_by_key(|point| point.id);
            table(layout.get(), &points);
            values(layout.get(), &points, &mut draw);
        }
        Err(first) => assert_eq!(errors.first(), Some(&first), "{points:#?}"),
    }
}

/// Returns everything that the check of points finds.
fn findings(protocol: Protocol, points: &[Point]) -> Vec<Error> {
    let tables = Tables {
        fields: &mut [Field::EMPTY; POINTS],
        limits: &mut [Limits::EMPTY; POINTS],
        scales: &mut [Scale::IDENTITY; SCALES],
    };
    let mut room = vec![Error::new(ErrorKind::NoPoints); 40 * POINTS];
    let mut findings = Findings::all(&mut room);
    let _ = check(protocol, points, points.len(), tables, &mut findings);
    let count = findings.found();
    room.truncate(count);
    assert_eq!(room.len(), count, "there is room for all findings");
    room
}

/// Points that make a layout, some of which may then be spoilt.
fn points(draw: &mut Draw<'_>, protocol: Protocol) -> Vec<Point> {
    let count = match draw.chance(5) {
        true => draw.pick(&[0, POINTS as u16 + 1]),
        false => 1 + draw.below(POINTS as u32) as u16,
    };
    let writable = draw.below(u32::from(count) + 1) as u16;
    let bits_percent = draw.pick(&[50, 95, 5, 0, 100]);
    let gap_percent = draw.pick(&[0, 0, 20]);
    let mut points = Vec::new();
    // The byte offset of the last bit area, its access, and the number of its bits.
    let mut area: Option<(u32, Access, u32)> = None;
    let mut end = 0;
    for id in 0..count {
        let access = match (protocol, id < writable) {
            (Protocol::Standard, true) => Access::Writable,
            (Protocol::Standard, false) => {
                draw.pick(&[Access::ReadOnly, Access::Alert, Access::Fault])
            }
            (Protocol::VarLen, _) => {
                draw.pick(&[Access::Writable, Access::ReadOnly, Access::Fault])
            }
        };
        let gap = match draw.chance(gap_percent) {
            true => 1 + draw.below(3),
            false => 0,
        };
        let point = if draw.chance(bits_percent) {
            let (at, bit) = match area {
                Some((at, of, bits)) if of == access && !draw.chance(10) => (at, bits + gap),
                _ => (end + gap, 0),
            };
            bit_point(draw, id, access, at, bit)
        } else {
            byte_point(draw, id, access, end + gap)
        };
        let position = point.position;
        area = None;
        end = match position.unit {
            Unit::Byte => position.byte_offset + position.len,
            Unit::Bit => {
                let bits = position.bit_offset + position.len;
                area = Some((position.byte_offset, access, bits));
                position.byte_offset + bits.div_ceil(8)
            }
        };
        points.push(point);
    }
    if draw.chance(20) {
        for _ in 0..1 + draw.below(3) {
            if let Some(at) = points.len().checked_sub(1) {
                let at = draw.below(at as u32 + 1) as usize;
                spoil(draw, &mut points[at]);
            }
        }
    }
    // The order in which points are given means nothing.
    if draw.chance(20) {
        for at in 1..points.len() {
            points.swap(at, draw.below(at as u32 + 1) as usize);
        }
    }
    points
}

fn bit_point(draw: &mut Draw<'_>, id: u16, access: Access, at: u32, bit: u32) -> Point {
    if draw.bool() {
        return Point::bool(id, access, at, bit);
    }
    let len = match draw.chance(10) {
        true => 9 + draw.below(24),
        false => 1 + draw.below(8),
    };
    let most = 1 << len.min(8);
    let labels = draw.pick(&[1, 2, most, most - 1]);
    Point::enumeration(id, access, at, bit, len, labels)
}

fn byte_point(draw: &mut Draw<'_>, id: u16, access: Access, at: u32) -> Point {
    match draw.below(4) {
        0 => Point::uint8(id, access, at, spec(draw, u8::MAX.into())),
        1 => Point::uint16(id, access, at, spec(draw, u16::MAX.into())),
        2 => Point::uint32(id, access, at, spec(draw, u32::MAX)),
        _ => Point::binary(id, access, at, draw.pick(&[1, 2, 4, 40, 300, 20_000])),
    }
}

/// Limits within `widest`, and one of few scales, so that most points share one.
fn spec(draw: &mut Draw<'_>, widest: u32) -> UintSpec {
    let (one, two) = (draw.below(u32::MAX) & widest, draw.below(u32::MAX) & widest);
    let (min, max) = draw.pick(&[(0, widest), (one.min(two), one.max(two)), (one, widest)]);
    let ratio = draw.pick(&[(1, 0), (1, 1), (1, 0), (25, 2), (10, 1)]);
    let addition = draw.pick(&[(0, 0), (-905, 1), (0, 0), (0, 3)]);
    let number = |(coefficient, scale)| Decimal::new(coefficient, scale);
    UintSpec::new(min, max).scaled(number(ratio), number(addition))
}

/// Replaces one number of a point by any other.
fn spoil(draw: &mut Draw<'_>, point: &mut Point) {
    let number = match draw.below(4) {
        0 => draw.below(10),
        1 => draw.pick(&[32, 33, MAX_STATUS - 1, MAX_STATUS, MAX_STATUS + 1]),
        2 => draw.pick(&[u32::MAX, u32::MAX - 1, 1 << 31, 8 * MAX_STATUS]),
        _ => draw.below(u32::MAX),
    };
    let position = &mut point.position;
    match (draw.below(8), &mut point.kind) {
        (0, _) => point.id = number as u16,
        (1, _) => point.access = draw.pick(&[Access::Writable, Access::Alert]),
        (2, _) => position.byte_offset = number,
        (3, _) => position.bit_offset = number,
        (4, _) => position.len = number,
        (5, _) => position.unit = draw.pick(&[Unit::Bit, Unit::Byte]),
        // So many labels can be counted, but not listed.
        (_, Kind::Enum { labels }) => *labels = number % 600,
        (6, Kind::Uint8(spec) | Kind::Uint16(spec) | Kind::Uint32(spec)) => {
            let number = i64::from(number);
            let limit = draw.pick(&[number, -number, i64::MIN, i64::MAX]);
            match draw.bool() {
                true => spec.min = limit,
                false => spec.max = limit,
            }
        }
        (_, Kind::Uint8(spec) | Kind::Uint16(spec) | Kind::Uint32(spec)) => {
            let wide = i64::from(number) << draw.below(32);
            let any = Decimal::new(draw.pick(&[wide, -wide]), draw.below(20) as u8);
            match draw.bool() {
                true => spec.ratio = any,
                false => spec.addition = any,
            }
        }
        (_, Kind::Bool | Kind::Binary) => {}
    }
}

/// Returns the names of the rules that points break, by a slow check of every point and every pair of points.
///
/// The check of the codec looks at pairs of sound points only, so it may find fewer rules than these if a point is not
/// sound.
fn broken_rules(protocol: Protocol, points: &[Point]) -> BTreeSet<&'static str> {
    let mut broken = BTreeSet::new();
    let mut rule = |is_broken: bool, kind: ErrorKind| {
        if is_broken {
            broken.insert(kind.name());
        }
    };
    rule(points.is_empty(), ErrorKind::NoPoints);
    rule(points.len() > POINTS, ErrorKind::TooManyPoints);
    let mut scales = BTreeSet::new();
    for (n, point) in points.iter().enumerate() {
        let same = points[..n].iter().filter(|other| other.id == point.id);
        let is_repeated = same.count() > 0;
        rule(is_repeated, ErrorKind::DuplicateId);
        rule(usize::from(point.id) >= points.len(), ErrorKind::IdRange);
        let position = &point.position;
        let (unit, widths, wrong_width) = match point.kind {
            Kind::Bool => (Unit::Bit, 1..=1, ErrorKind::BoolWidth),
            Kind::Enum { .. } => (Unit::Bit, 1..=32, ErrorKind::EnumWidth),
            Kind::Uint8(_) => (Unit::Byte, 1..=1, ErrorKind::UintWidth),
            Kind::Uint16(_) => (Unit::Byte, 2..=2, ErrorKind::UintWidth),
            Kind::Uint32(_) => (Unit::Byte, 4..=4, ErrorKind::UintWidth),
            Kind::Binary => (Unit::Byte, 1..=MAX_STATUS, ErrorKind::BinaryWidth),
        };
        rule(position.unit != unit, ErrorKind::Unit);
        rule(!widths.contains(&position.len), wrong_width);
        if protocol == Protocol::Standard {
            let is_shifted = position.unit == Unit::Byte && position.bit_offset > 0;
            rule(is_shifted, ErrorKind::BitOffset);
            let is_far = position.bit_offset > 8 * MAX_STATUS;
            rule(is_far, ErrorKind::StatusLength);
        }
        match &point.kind {
            Kind::Enum { labels } => {
                rule(*labels == 0, ErrorKind::NoLabels);
                let numbers = 2_u128.checked_pow(position.len).unwrap_or(u128::MAX);
                rule(u128::from(*labels) > numbers, ErrorKind::TooManyLabels);
            }
            Kind::Uint8(spec) => uint_rules(&mut rule, spec, 0xff, &mut scales),
            Kind::Uint16(spec) => uint_rules(&mut rule, spec, 0xffff, &mut scales),
            Kind::Uint32(spec) => uint_rules(&mut rule, spec, 0xffff_ffff, &mut scales),
            Kind::Bool | Kind::Binary => {}
        }
    }
    rule(scales.len() > SCALES, ErrorKind::TooManyScales);
    match protocol {
        Protocol::Standard => standard_rules(&mut rule, points),
        Protocol::VarLen => {
            let sum = |unit: Unit| -> u64 {
                let of = points.iter().filter(|point| point.position.unit == unit);
                of.map(|point| u64::from(point.position.len)).sum()
            };
            let len = sum(Unit::Bit).div_ceil(8) + sum(Unit::Byte);
            rule(len > u64::from(MAX_STATUS), ErrorKind::StatusLength);
        }
    }
    broken
}

/// Returns the warnings about sound points, with the ids of the points. An order is told once, where it is broken first.
fn warnings(protocol: Protocol, points: &[Point]) -> BTreeSet<(&'static str, Option<u16>)> {
    let mut found = BTreeSet::new();
    let mut warn = |kind: ErrorKind, id: Option<u16>| {
        found.extend(id.map(|id| (kind.name(), Some(id))));
    };
    let mut points: Vec<&Point> = points.iter().collect();
    points.sort_by_key(|point| point.id);
    for point in &points {
        let is_wide = matches!(point.kind, Kind::Enum { .. }) && point.position.len > 8;
        warn(ErrorKind::WideBits, is_wide.then_some(point.id));
    }
    let rank = |point: &Point| {
        let section = match (protocol, point.access) {
            (Protocol::VarLen, _) | (_, Access::Writable) => 0,
            (_, Access::ReadOnly) => 1,
            (_, Access::Alert) => 2,
            (_, Access::Fault) => 3,
        };
        let kind = match point.kind {
            Kind::Bool => 0,
            Kind::Enum { .. } => 1,
            Kind::Uint8(_) => 2,
            Kind::Uint16(_) => 3,
            Kind::Uint32(_) => 4,
            Kind::Binary => 5,
        };
        (section, kind)
    };
    let fall = points.windows(2).find(|pair| rank(pair[1]) < rank(pair[0]));
    warn(ErrorKind::Order, fall.map(|pair| pair[1].id));
    if protocol == Protocol::Standard {
        points.sort_by_key(|point| (point.position.byte_offset, point.position.bit_offset));
        let fall = points.windows(2).find(|pair| pair[1].id < pair[0].id);
        warn(ErrorKind::Order, fall.map(|pair| pair[1].id));
        // The end of the bytes of the points so far.
        let mut end = 0;
        for point in points {
            let position = &point.position;
            let is_gap = position.byte_offset > end;
            warn(ErrorKind::Gap, is_gap.then_some(point.id));
            let len = match position.unit {
                Unit::Bit => (position.bit_offset + position.len).div_ceil(8),
                Unit::Byte => position.len,
            };
            end = end.max(position.byte_offset + len);
        }
    }
    found
}

/// The rules of the limits and of the scale of an integer. Adds its scale to those of the product.
fn uint_rules(
    rule: &mut impl FnMut(bool, ErrorKind),
    spec: &UintSpec,
    widest: i64,
    scales: &mut BTreeSet<[(i128, u8); 2]>,
) {
    rule(spec.min < 0, ErrorKind::NegativeMin);
    rule(spec.min > spec.max, ErrorKind::MinAboveMax);
    rule(spec.max > widest, ErrorKind::MaxTooLarge);
    // The shortest form of a number, and the number of its digits without zeros at the end.
    let short = |number: Decimal| {
        let (mut coefficient, mut places) = (i128::from(number.coefficient()), number.scale());
        while places > 0 && coefficient % 10 == 0 {
            (coefficient, places) = (coefficient / 10, places - 1);
        }
        let digits = coefficient.unsigned_abs().to_string();
        ((coefficient, places), digits.trim_end_matches('0').len())
    };
    let ((ratio, ratio_digits), (addition, addition_digits)) =
        (short(spec.ratio), short(spec.addition));
    rule(ratio.0 <= 0, ErrorKind::Ratio);
    rule(ratio_digits.max(addition_digits) > 15, ErrorKind::Digits);
    let places = ratio.1.max(addition.1);
    let at_places =
        |(coefficient, own): (i128, u8)| coefficient * 10_i128.pow(u32::from(places - own));
    let (common, offset) = (at_places(ratio), at_places(addition));
    let fits = |number: i128| i64::try_from(number).is_ok();
    let span = common.checked_mul(widest.into());
    let is_exact = common < 1 << 58
        && fits(offset)
        && span.is_some_and(|span| fits(span) && fits(span + offset));
    rule(!is_exact, ErrorKind::ScaleOverflow);
    if [ratio, addition] != [(1, 0), (0, 0)] {
        scales.insert([ratio, addition]);
    }
}

/// The rules of positions: no byte belongs to two areas or fields, no bit to two points of an area.
fn standard_rules(rule: &mut impl FnMut(bool, ErrorKind), points: &[Point]) {
    let bits = |point: &Point| {
        let start = u64::from(point.position.bit_offset);
        start..start + u64::from(point.position.len)
    };
    let start = |point: &Point| u64::from(point.position.byte_offset);
    let is_bit = |point: &Point| point.position.unit == Unit::Bit;
    let shares = |one: &Point, two: &Point| is_bit(one) && is_bit(two) && start(one) == start(two);
    let end = |point: &Point| match point.position.unit {
        Unit::Byte => start(point) + u64::from(point.position.len),
        Unit::Bit => {
            let area = points.iter().filter(|other| shares(point, other));
            start(point)
                + area
                    .map(|other| bits(other).end)
                    .max()
                    .unwrap_or(0)
                    .div_ceil(8)
        }
    };
    let is_writable = |point: &Point| point.access == Access::Writable;
    for (n, one) in points.iter().enumerate() {
        rule(end(one) > u64::from(MAX_STATUS), ErrorKind::StatusLength);
        for (m, two) in points.iter().enumerate().filter(|(m, _)| *m != n) {
            let meets = match shares(one, two) {
                true => bits(one).start < bits(two).end && bits(two).start < bits(one).end,
                false => start(one) < end(two) && start(two) < end(one),
            };
            rule(meets, ErrorKind::Overlap);
            rule(
                shares(one, two) && one.access != two.access,
                ErrorKind::SharedArea,
            );
            if is_writable(one) && !is_writable(two) {
                rule(
                    two.id < one.id || two.id == one.id && m < n,
                    ErrorKind::WritableIds,
                );
                rule(start(two) <= start(one), ErrorKind::WritableBytes);
            }
        }
    }
}

/// Returns a point of a layout as a point of the slow codec.
fn reference_point(point: &Point) -> RefPoint {
    let labels = |labels: u32| (0..labels).map(|label| label.to_string()).collect();
    let (kind, spec) = match point.kind {
        Kind::Bool => (RefKind::Bool, None),
        Kind::Enum { labels: count } => (RefKind::Enum(labels(count)), None),
        Kind::Uint8(spec) => (RefKind::Uint { bytes: 1 }, Some(spec)),
        Kind::Uint16(spec) => (RefKind::Uint { bytes: 2 }, Some(spec)),
        Kind::Uint32(spec) => (RefKind::Uint { bytes: 4 }, Some(spec)),
        Kind::Binary => (RefKind::Binary, None),
    };
    let len = u64::from(point.position.len);
    let (min, max) = match (&kind, &spec) {
        (RefKind::Bool, _) => (0, 1),
        (RefKind::Enum(labels), _) => (0, labels.len() as u64 - 1),
        (_, Some(spec)) => (spec.min as u64, spec.max as u64),
        (_, None) => (len, len),
    };
    let number = |of: fn(&UintSpec) -> Decimal, default: &str| {
        spec.map_or(default.to_owned(), |spec| of(&spec).to_string())
    };
    RefPoint {
        id: usize::from(point.id),
        name: format!("p{}", point.id),
        access: match point.access {
            Access::Writable => RefAccess::Writable,
            Access::ReadOnly => RefAccess::ReadOnly,
            Access::Alert => RefAccess::Alert,
            Access::Fault => RefAccess::Fault,
        },
        kind,
        byte_offset: point.position.byte_offset as usize,
        bit_offset: point.position.bit_offset as usize,
        len: point.position.len as usize,
        bit: point.position.unit == Unit::Bit,
        min,
        max,
        ratio: number(|spec| spec.ratio, "1"),
        addition: number(|spec| spec.addition, "0"),
    }
}

/// The numbers of a table are those that follow from the points.
fn table(layout: LayoutRef<'_>, points: &[RefPoint]) {
    let count = points.len();
    assert_eq!(usize::from(layout.point_count()), count);
    assert_eq!(layout.mask_len(), reference::mask_len(points));
    let writable = points
        .iter()
        .filter(|point| point.access == RefAccess::Writable);
    assert_eq!(usize::from(layout.writable_count()), writable.count());
    match layout.protocol() {
        Protocol::Standard => {
            assert_eq!(layout.status_len(), reference::status_len(points));
            assert_eq!(layout.writable_len(), reference::writable_len(points));
            assert_eq!(layout.flags_len(), reference::flags_len(points));
        }
        Protocol::VarLen => assert_eq!(layout.flags_len(), layout.mask_len()),
    }
    for point in points {
        let id = PointId(point.id as u16);
        let access = layout.access(id).map(|access| access as u8);
        assert_eq!(access, Some(point.access as u8), "{point:?}");
        let limits = layout.limits(id).map(|(min, max)| (min.into(), max.into()));
        assert_eq!(limits, Some((point.min, point.max)), "{point:?}");
        let scale = layout.scale(id).expect("the point exists");
        for raw in [point.min, point.max] {
            let expected = reference::engineering(point, raw);
            assert_eq!(scale.value(raw as u32).to_string(), expected, "{point:?}");
        }
    }
    let past = PointId(layout.point_count());
    assert_eq!((layout.access(past), layout.limits(past)), (None, None));
    assert_eq!(layout.scale(past), None);
}

/// Values within the limits are encoded as the slow codec does it and decoded again; any bytes of the right length are
/// decoded as the slow codec does it.
fn values(layout: LayoutRef<'_>, points: &[RefPoint], draw: &mut Draw<'_>) {
    let mut values = arbitrary::raw_values(draw, points, true);
    let (report, control): (Writer, Writer) = match layout.protocol() {
        Protocol::Standard => (reference::encode_status, reference::encode_control),
        Protocol::VarLen => {
            values.retain(|_, _| draw.chance(70));
            (reference::encode_var_len, reference::encode_var_len)
        }
    };
    there_and_back(
        layout,
        points,
        Action::Report,
        &report(points, &values),
        &values,
    );
    values.retain(|id, _| points[*id].access == RefAccess::Writable && draw.chance(70));
    let body = control(points, &values);
    there_and_back(layout, points, Action::Control, &body, &values);

    let read = match layout.protocol() {
        Protocol::Standard => reference::decode_status,
        Protocol::VarLen => reference::decode_var_len,
    };
    let mut body = report(points, &arbitrary::raw_values(draw, points, false));
    let fixed = body.len() - layout.status_len();
    let any = draw.bytes(layout.status_len());
    body[fixed..].copy_from_slice(&any);
    let view = layout.view(&body).expect("the length is right");
    agrees(
        points,
        view,
        &read(points, &body).expect("the length is right"),
    );
}

type Writer = fn(&[RefPoint], &BTreeMap<usize, Raw>) -> Vec<u8>;

fn there_and_back(
    layout: LayoutRef<'_>,
    points: &[RefPoint],
    action: Action,
    body: &[u8],
    values: &BTreeMap<usize, Raw>,
) {
    let p0 = [&[action.code(layout.protocol())], body].concat();
    assert!(p0.len() <= layout.p0_len(action));
    let view = match P0::parse(layout, &p0) {
        Ok(P0::Report(view) | P0::Control(view)) => view,
        other => panic!("{action:?}: {other:?}"),
    };
    let expected: Vec<(usize, Raw)> = values.clone().into_iter().collect();
    agrees(points, view, &expected);
    let mut out = vec![0xaa; layout.p0_len(action)];
    let mut encoder = Encoder::begin(layout, action, &mut out).expect("there is room");
    for value in view {
        let set = encoder.set(value.id(), value.value());
        set.expect("the value is within the limits");
    }
    assert_eq!(encoder.finish(), p0);
}
