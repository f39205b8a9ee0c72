//! The implementation of [`Model`](gizwits_codec_core::model::Model) for a product.

use gizwits_codec_core::{Access, Kind, Protocol, Unit};

use super::point::PointCode;
use super::text::{fitted, put_let, put_literal};
use crate::product::{Product, is_product_key};

pub(super) fn item(product: &Product, points: &[PointCode<'_>]) -> String {
    let writable: Vec<_> = points.iter().filter(|one| one.is_writable()).collect();
    let functions = [
        constants(product, points),
        encode(points),
        decode(points),
        control(product, &writable),
        apply(product, &writable),
        encode_control(product, &writable),
    ];
    format!(
        "/// The product: the model of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Product {{}}

impl model::Model for Product {{
{}}}
",
        functions.join("\n")
    )
}

fn constants(product: &Product, points: &[PointCode<'_>]) -> String {
    let layout = product.layout();
    let len = layout.status_len();
    let mask = match product.protocol() {
        Protocol::Standard => 0,
        Protocol::VarLen => layout.mask_len(),
    };
    let invalid = points.iter().filter(|point| point.can_be_invalid());
    let words = invalid.map(|point| point.id / 32 + 1).max().unwrap_or(0);
    let zeros = "0".repeat(32);
    let key = match product.product_key() {
        key if is_product_key(key) => key,
        _ => &zeros,
    };
    let measured: String = measured(points)
        .iter()
        .map(|(start, end)| format!("        ({start}, {end}),\n"))
        .collect();
    format!(
        "    type Status = Status;
    type Control = Control;
    type Values = [u8; {len}];
    type Mask = [u8; {mask}];
    type Points = [u32; {words}];

    const LAYOUT: gizwits::LayoutRef<'static> = LAYOUT.get();
    const PRODUCT_KEY: &'static [u8; 32] = b\"{key}\";
    const VALUES: Self::Values = [0; {len}];
    const MASK: Self::Mask = [0; {mask}];
    const POINTS: Self::Points = [0; {words}];
    const MEASURED: &'static [(usize, usize)] = &[
        // The first byte of each range, and the byte after the last.
{measured}    ];
"
    )
}

/// The byte ranges of measured values: read-only points in bytes.
pub(super) fn measured<'p>(
    points: impl IntoIterator<Item = &'p PointCode<'p>>,
) -> Vec<(usize, usize)> {
    let mut ranges: Vec<(usize, usize)> = Vec::new();
    for PointCode { attr, bytes, .. } in points {
        let point = attr.point();
        if point.access != Access::ReadOnly || point.position.unit == Unit::Bit {
            continue;
        }
        match ranges.last_mut() {
            Some((_, end)) if *end == bytes.start => *end = bytes.end,
            _ => ranges.push((bytes.start, bytes.end)),
        }
    }
    ranges
}

/// The code of a function with the parameter `invalid`. `unused` is `_` if the body does not use that
/// parameter.
fn function(name: &str, arguments: &[&str], unused: &str, returns: &str, body: &str) -> String {
    let line = |argument: &&str| format!("        {argument},\n");
    let list: String = arguments.iter().map(line).collect();
    format!(
        "    fn {name}(
{list}        {unused}invalid: &mut impl FnMut(gizwits::PointId, gizwits::ErrorKind),
    ){returns} {{
{body}    }}
"
    )
}

fn encode(points: &[PointCode<'_>]) -> String {
    let unused = match points.iter().any(PointCode::can_be_invalid) {
        true => "",
        false => "_",
    };
    let mut body = "        *values = Self::VALUES;\n".to_owned();
    body.extend(points.iter().map(PointCode::encode));
    let last = format!("{unused}last: &Self::Values");
    let arguments = ["status: &Status", &last, "values: &mut Self::Values"];
    function("encode<P: model::Policy>", &arguments, unused, "", &body)
}

fn decode(points: &[PointCode<'_>]) -> String {
    let mut body = String::new();
    let mut fields = Vec::new();
    for point in points {
        let value = match point.is_inline() {
            true => point.inline(),
            false => point.value(&put_raw(&mut body, point)),
        };
        fields.push((&*point.field, point.literal_value(&mut body, value)));
    }
    put_literal(&mut body, "Status", &fields);
    format!("    fn decode(values: &Self::Values) -> Status {{\n{body}    }}\n")
}

/// Appends the raw number of a point as a local, and returns the name of the local.
fn put_raw(body: &mut String, point: &PointCode<'_>) -> String {
    let raw = format!("raw_{}", point.id);
    put_let(body, 8, &raw, &point.raw("values"));
    raw
}

/// The lengths of the flags and of the values of a control, in bytes.
fn lengths(product: &Product) -> (usize, usize) {
    let layout = product.layout();
    match product.protocol() {
        Protocol::Standard => (layout.flags_len(), layout.writable_len()),
        Protocol::VarLen => (layout.mask_len(), layout.status_len()),
    }
}

/// The statements that convert flags and values to arrays.
fn arrays(product: &Product) -> String {
    let (flags, values) = lengths(product);
    format!(
        "        let flags = model::array::<{flags}>(flags);
        let values = model::array::<{values}>(values);
"
    )
}

/// An expression for whether the flag of a point is set.
fn flag(product: &Product, point: &PointCode<'_>) -> String {
    let (len, id) = (lengths(product).0, usize::from(point.id));
    format!("flags[{}] & {:#04x} != 0", len - 1 - id / 8, 1 << (id % 8))
}

/// Returns `_`, the prefix of an unused parameter, if no raw number of the points can be invalid.
fn unused_invalid(writable: &[&PointCode<'_>]) -> &'static str {
    match writable.iter().any(|point| point.has_invalid_raw()) {
        true => "",
        false => "_",
    }
}

fn control(product: &Product, writable: &[&PointCode<'_>]) -> String {
    let returns = " -> Control";
    if writable.is_empty() {
        let arguments = ["_flags: &[u8]", "_values: &[u8]"];
        return function("control", &arguments, "_", returns, "        Control {}\n");
    }
    let mut body = arrays(product);
    let mut fields = Vec::new();
    for point in writable {
        let (id, flag) = (point.id, flag(product, point));
        let value = if point.is_inline() {
            format!("({flag}).then_some({})", point.inline())
        } else if point.has_invalid_raw() {
            let raw = put_raw(&mut body, point);
            let (limits, check) = point.check("        ", &raw);
            body += &format!("        let has_{id} = {flag};\n{limits}");
            body += &format!("        let has_{id} = has_{id} && {check};\n");
            format!("has_{id}.then_some({})", point.value(&raw))
        } else {
            let value = point.value(&put_raw(&mut body, point));
            format!("({flag}).then_some({value})")
        };
        fields.push((&*point.field, point.literal_value(&mut body, value)));
    }
    put_literal(&mut body, "Control", &fields);
    let arguments = ["flags: &[u8]", "values: &[u8]"];
    function(
        "control",
        &arguments,
        unused_invalid(writable),
        returns,
        &body,
    )
}

fn apply(product: &Product, writable: &[&PointCode<'_>]) -> String {
    if writable.is_empty() {
        let arguments = ["_flags: &[u8]", "_values: &[u8]", "_status: &mut Status"];
        return function("apply", &arguments, "_", "", "");
    }
    let mut body = arrays(product);
    for point in writable {
        body += &format!("        if {} {{\n", flag(product, point));
        if point.is_inline() {
            put_assignment(&mut body, 12, point, point.inline());
        } else {
            put_let(&mut body, 12, "raw", &point.raw("values"));
            let value = point.value("raw");
            if point.has_invalid_raw() {
                let indent = " ".repeat(12);
                let (limits, check) = point.check(&indent, "raw");
                body += &format!("{limits}{indent}if {check} {{\n");
                put_assignment(&mut body, 16, point, value);
                body += &format!("{indent}}}\n");
            } else {
                put_assignment(&mut body, 12, point, value);
            }
        }
        body += "        }\n";
    }
    let arguments = ["flags: &[u8]", "values: &[u8]", "status: &mut Status"];
    function("apply", &arguments, unused_invalid(writable), "", &body)
}

fn encode_control(product: &Product, writable: &[&PointCode<'_>]) -> String {
    if writable.is_empty() {
        let arguments = [
            "_control: &Control",
            "_flags: &mut [u8]",
            "_values: &mut [u8]",
        ];
        return function("encode_control", &arguments, "_", "", "");
    }
    let (unused, mut body) = match writable.iter().any(|point| point.can_be_invalid()) {
        true => ("", "        use model::DefaultPolicy as P;\n".to_owned()),
        false => ("_", String::new()),
    };
    let (flags, values) = lengths(product);
    for (name, len) in [("flags", flags), ("values", values)] {
        body += &format!(
            "        let Some({name}) = {name}.first_chunk_mut::<{len}>() else {{
            return;
        }};
"
        );
    }
    for point in writable {
        let (id, field) = (usize::from(point.id), &point.field);
        let reference = match point.attr.point().kind {
            Kind::Binary => "&",
            _ => "",
        };
        let (byte, bit) = (flags - 1 - id / 8, 1 << (id % 8));
        body += &format!("        if let Some(value) = {reference}control.{field} {{\n");
        body += &format!("            flags[{byte}] |= {bit:#04x};\n");
        body += &point.put(&" ".repeat(12), "|| 0");
        body += "        }\n";
    }
    let arguments = ["control: &Control", "flags: &mut [u8]", "values: &mut [u8]"];
    function("encode_control", &arguments, unused, "", &body)
}

fn put_assignment(body: &mut String, indent: usize, point: &PointCode<'_>, value: String) {
    let (space, field) = (" ".repeat(indent), &point.field);
    let others = indent + "status. = ;".len() + field.len();
    let value = fitted(body, indent, others, "value", value);
    *body += &format!("{space}status.{field} = {value};\n");
}
