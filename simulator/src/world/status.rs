//! The status of a device: the body of a report of all points, as [`LayoutRef::view`] reads it.
//!
//! Only the core's encoder changes a status, so every status can be reported.

use gizwits_codec_std::core::layout::LayoutRef;
use gizwits_codec_std::core::{self, Encoder, ErrorKind, Kind, PointId, PointValue, Raw};
use gizwits_codec_std::payload::{self, Encoding};
use gizwits_codec_std::{Action, Attr, Product, Value};
use serde_json::Value as Json;

use super::remark::{Kind as RemarkKind, Violation};
use super::scenario::Values;

/// The raw value of a point. `None` for binary points, and in an empty status.
pub(crate) fn raw_of(layout: LayoutRef<'_>, status: &[u8], id: PointId) -> Option<u32> {
    layout.view_lax(status).raw(id)
}

/// Sets a point of an encoder to a value that was read.
pub(crate) fn set_reading(
    encoder: &mut Encoder<'_, '_>,
    reading: &PointValue<'_, '_>,
) -> Result<(), core::Error> {
    match reading.raw() {
        Raw::Number(raw) => encoder.set_raw(reading.id(), raw),
        Raw::Bytes(bytes) => encoder.set(reading.id(), Value::Binary(bytes)),
    }
}

/// Encodes the P0 of these points. `change` can set more points, or other values.
fn encode<'l, 'b, T>(
    layout: LayoutRef<'l>,
    action: Action,
    readings: impl IntoIterator<Item = PointValue<'l, 'b>>,
    change: impl FnOnce(&mut Encoder<'_, '_>) -> Result<T, core::Error>,
) -> Result<(Vec<u8>, T), core::Error> {
    let mut out = vec![0; layout.p0_len(action)];
    let mut encoder = Encoder::begin(layout, action, &mut out)?;
    for reading in readings {
        set_reading(&mut encoder, &reading)?;
    }
    let result = change(&mut encoder)?;
    Ok((encoder.finish().to_vec(), result))
}

/// Changes a status with an encoder that contains its points. The status is unchanged if `change` fails.
pub(crate) fn put<T>(
    layout: LayoutRef<'_>,
    status: &mut Vec<u8>,
    change: impl FnOnce(&mut Encoder<'_, '_>) -> Result<T, core::Error>,
) -> Result<T, core::Error> {
    let (mut p0, result) = encode(layout, Action::Report, layout.view_lax(status), change)?;
    *status = p0.split_off(1);
    Ok(result)
}

/// Sets one point as a device does: a number outside its limits becomes the nearest number that is allowed,
/// and an enum without a label for the value stays as it is. Returns the violation, if there is one.
fn set_nearest(
    product: &Product,
    encoder: &mut Encoder<'_, '_>,
    id: PointId,
    value: Value<'_>,
) -> Result<Option<Violation>, core::Error> {
    let Err(error) = encoder.set(id, value) else {
        return Ok(None);
    };
    let mut saturate = |raw| encoder.set_raw(id, raw).map(|()| RemarkKind::Saturated);
    let kind = match (error.kind, product.layout().limits(id)) {
        (ErrorKind::BelowMin, Some((min, _))) => saturate(min)?,
        (ErrorKind::AboveMax, Some((_, max))) => saturate(max)?,
        (ErrorKind::PastLabels, _) => RemarkKind::Kept,
        _ => return Err(error),
    };
    Ok(Some(Violation::new(product, kind, value, error)))
}

/// The point with this name.
pub(crate) fn find<'p>(product: &'p Product, name: &str) -> Result<&'p Attr, String> {
    match product.find(name) {
        Some(attr) => Ok(attr),
        None => Err(format!("no point is named `{name}`")),
    }
}

/// Sets one point to a JSON value, as [`set_nearest`] does.
fn set_json(
    product: &Product,
    encoder: &mut Encoder<'_, '_>,
    name: &str,
    json: &Json,
) -> Result<Option<Violation>, String> {
    let attr = find(product, name)?;
    let bytes;
    let (value, expected) = match attr.point().kind {
        Kind::Bool => {
            let bit = json.as_u64().filter(|bit| *bit <= 1).map(|bit| bit == 1);
            let value = json.as_bool().or(bit).map(Value::Bool);
            (value, "true, false, 1 or 0")
        }
        Kind::Enum { .. } => {
            let index = match json {
                Json::String(label) => attr.label_index(label),
                _ => json.as_u64().and_then(|index| index.try_into().ok()),
            };
            (index.map(Value::Enum), "a label or its index")
        }
        Kind::Binary => {
            let hex = |text| payload::parse(text, Some(Encoding::Hex)).ok();
            bytes = json.as_str().and_then(hex);
            (bytes.as_deref().map(Value::Binary), "hex digits")
        }
        Kind::Uint8(_) | Kind::Uint16(_) | Kind::Uint32(_) => {
            let number = json
                .as_number()
                .and_then(|number| number.to_string().parse().ok());
            (number.map(Value::Number), "a number")
        }
    };
    let Some(value) = value else {
        return Err(format!("`{name}` = {json}: expected {expected}"));
    };
    set_nearest(product, encoder, attr.id(), value)
        .map_err(|error| product.refused(value, error).message)
}

/// Sets points to JSON values by their names. Returns the values that are outside their limits.
pub(crate) fn put_all<'v>(
    product: &Product,
    status: &mut Vec<u8>,
    values: impl IntoIterator<Item = (&'v String, &'v Json)>,
) -> Result<Vec<Violation>, String> {
    let put = put(product.layout(), status, |encoder| {
        let set = values.into_iter();
        let set = set.map(|(name, value)| set_json(product, encoder, name, value));
        Ok(set.filter_map(Result::transpose).collect())
    });
    put.map_err(|error| error.kind.to_string())?
}

/// Fails with the message of the first violation.
pub(crate) fn refuse_outside(outside: impl IntoIterator<Item = Violation>) -> Result<(), String> {
    match outside.into_iter().next() {
        None => Ok(()),
        Some(one) => Err(one.message),
    }
}

/// The first status of a device: the values of the scenario, and the minimum of all other points.
pub(crate) fn initial(product: &Product, values: &Values) -> Result<Vec<u8>, String> {
    let layout = product.layout();
    let mut status = Vec::new();
    let least = put(layout, &mut status, |encoder| {
        product.attrs().try_for_each(|attr| {
            let (least, _) = layout.limits(attr.id()).unwrap_or_default();
            match attr.point().kind {
                Kind::Binary => encoder.set(attr.id(), Value::Binary(&vec![0; least as usize])),
                _ => encoder.set_raw(attr.id(), least),
            }
        })
    });
    least.map_err(|error| error.kind.to_string())?;
    refuse_outside(put_all(product, &mut status, values)?)?;
    Ok(status)
}

/// The raw value of the point `to` that is nearest to the engineering value of the point `from`.
pub(crate) fn equivalent_raw(
    product: &Product,
    status: &[u8],
    from: PointId,
    to: PointId,
) -> Option<u32> {
    let layout = product.layout();
    let value = layout.view_lax(status).get(from)?;
    let mut trial = Vec::new();
    let set = |encoder: &mut Encoder<'_, '_>| set_nearest(product, encoder, to, value);
    put(layout, &mut trial, set).ok()?;
    raw_of(layout, &trial, to)
}

/// The points with different values in two statuses.
pub(crate) fn changed(layout: LayoutRef<'_>, before: &[u8], after: &[u8]) -> Vec<PointId> {
    let (before, after) = (layout.view_lax(before), layout.view_lax(after));
    let pairs = before.iter().zip(after.iter());
    pairs
        .filter(|(one, other)| one.raw() != other.raw())
        .map(|(one, _)| one.id())
        .collect()
}

/// The P0 of all points. `action` is a reply or a report.
pub(crate) fn full_message(layout: LayoutRef<'_>, status: &[u8], action: Action) -> Vec<u8> {
    [&[action.code(layout.protocol())], status].concat()
}

/// Encodes the var_len P0 of some points. `None` if one of them is unknown.
pub(crate) fn partial_message(
    layout: LayoutRef<'_>,
    status: &[u8],
    action: Action,
    points: &[PointId],
) -> Option<Vec<u8>> {
    let view = layout.view_lax(status);
    let readings: Option<Vec<_>> = points.iter().map(|id| view.read(*id)).collect();
    let (p0, ()) = encode(layout, action, readings?, |_| Ok(())).ok()?;
    Some(p0)
}
