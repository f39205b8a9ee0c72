//! The constants of the points, the layout and the ids.

use gizwits_codec_core::{Decimal, Kind, Protocol};

use super::point::PointCode;
use super::text::code;
use crate::product::Product;

pub(super) fn items(product: &Product, points: &[PointCode<'_>]) -> Vec<String> {
    let mut items = limits(points);
    items.push(table(product, points));
    let (count, scales) = (points.len(), product.layout().scale_count());
    items.push(format!(
        "const PROTOCOL: gizwits::Protocol = gizwits::Protocol::{:?};

/// The layout. A definition that breaks a rule does not compile.
pub static LAYOUT: gizwits::Layout<{count}, {scales}> = gizwits::Layout::must(PROTOCOL, &POINTS);
",
        product.protocol()
    ));
    items.push(ids(points));
    items
}

/// The constants of the limits and scales of integers.
fn limits(points: &[PointCode<'_>]) -> Vec<String> {
    let spec = |point: &PointCode<'_>| {
        let (spec, id) = (point.spec()?, point.id);
        let limits = format!("gizwits::UintSpec::new({}, {})", spec.min, spec.max);
        if spec.ratio == Decimal::ONE && spec.addition == Decimal::ZERO {
            return Some(format!("const SPEC_{id}: gizwits::UintSpec = {limits};\n"));
        }
        let decimal = |number: Decimal| {
            let number = number.normalized();
            let (coefficient, scale) = (number.coefficient(), number.scale());
            format!("gizwits::Decimal::new({coefficient}, {scale})")
        };
        let (ratio, addition) = (decimal(spec.ratio), decimal(spec.addition));
        Some(format!(
            "const RATIO_{id}: gizwits::Decimal = {ratio};
const ADDITION_{id}: gizwits::Decimal = {addition};
const LIMITS_{id}: gizwits::UintSpec = {limits};
const SPEC_{id}: gizwits::UintSpec = LIMITS_{id}.scaled(RATIO_{id}, ADDITION_{id});
"
        ))
    };
    points.iter().filter_map(spec).collect()
}

fn table(product: &Product, points: &[PointCode<'_>]) -> String {
    // The comment in the generated list keeps rustfmt from joining a short list into one line.
    let mut table = format!(
        "/// The points, in the order of their ids.
pub static POINTS: [gizwits::Point; {}] = [
    // The id, the access, the position, and the parameters of the kind.
",
        points.len()
    );
    for PointCode { attr, id, .. } in points {
        let point = attr.point();
        let (byte, bit) = match product.protocol() {
            Protocol::Standard => (point.position.byte_offset, point.position.bit_offset),
            Protocol::VarLen => (0, 0),
        };
        let len = point.position.len;
        let (function, rest) = match point.kind {
            Kind::Bool => ("bool", format!("{bit}")),
            Kind::Enum { labels } => ("enumeration", format!("{bit}, {len}, {labels}")),
            Kind::Uint8(_) => ("uint8", format!("SPEC_{id}")),
            Kind::Uint16(_) => ("uint16", format!("SPEC_{id}")),
            Kind::Uint32(_) => ("uint32", format!("SPEC_{id}")),
            Kind::Binary => ("binary", format!("{len}")),
        };
        let access = point.access;
        table += &format!(
            "    gizwits::Point::{function}({id}, gizwits::Access::{access:?}, {byte}, {rest}),\n"
        );
    }
    table + "];\n"
}

fn ids(points: &[PointCode<'_>]) -> String {
    // An application uses the ids and functions that it needs, and no others.
    let mut ids = "/// The ids of the points.
#[allow(dead_code)]
pub mod id {
    use gizwits_codec_core::PointId;
"
    .to_owned();
    for point in points {
        let (name, constant, id) = (code(point.attr.name()), &point.constant, point.id);
        ids += &format!("\n    /// {name}\n    pub const {constant}: PointId = PointId({id});\n");
    }
    ids + "}\n"
}
