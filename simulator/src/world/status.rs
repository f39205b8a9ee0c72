//! The raw status of a device: points set and read, and what of it goes into a message.

use gizwits_codec_std::core::layout::LayoutRef;
use gizwits_codec_std::core::{
    self, Encoder, ErrorKind, Kind, P0, PointId, PointValue, Protocol, Raw,
};
use gizwits_codec_std::payload::{self, Encoding};
use gizwits_codec_std::{Action, Decimal, Product, Value};
use serde_json::Value as Json;

use super::remark::{Kind as RemarkKind, Violation};
use super::scenario::Values;

/// The points that a raw status has, all of them.
pub(crate) fn full_mask(layout: LayoutRef<'_>) -> Vec<u8> {
    let mut mask = vec![0xff; layout.mask_len()];
    if let (Some(first), spare @ 1..) = (mask.first_mut(), layout.points() % 8) {
        *first = !(0xff << spare);
    }
    mask
}

pub(crate) fn raw_of(layout: LayoutRef<'_>, status: &[u8], id: PointId) -> Option<u32> {
    layout.view_known(&full_mask(layout), status).ok()?.raw(id)
}

/// Sets a point of an encoder to what was read of it.
pub(crate) fn set_reading(
    encoder: &mut Encoder<'_, '_>,
    reading: &PointValue<'_, '_>,
) -> Result<(), core::Error> {
    match reading.raw() {
        Raw::Number(raw) => encoder.set_raw(reading.id(), raw),
        Raw::Bytes(bytes) => encoder.set(reading.id(), Value::Binary(bytes)),
    }
}

/// Sets one point of a raw status to a raw value.
pub(crate) fn put_raw(
    layout: LayoutRef<'_>,
    status: &mut [u8],
    id: PointId,
    raw: u32,
) -> Result<(), core::Error> {
    put(layout, status, id, |encoder| encoder.set_raw(id, raw))
}

/// Sets one point of a raw status by an encoder; what the definition doesn't allow is refused.
pub(crate) fn put(
    layout: LayoutRef<'_>,
    status: &mut [u8],
    id: PointId,
    set: impl FnOnce(&mut Encoder<'_, '_>) -> Result<(), core::Error>,
) -> Result<(), core::Error> {
    let mut out = vec![0; layout.p0_len(Action::Report)];
    let mut encoder = Encoder::begin(layout, Action::Report, &mut out)?;
    set(&mut encoder)?;
    let p0 = encoder.finish();
    let mut known = vec![0; layout.mask_len()];
    match layout.protocol() {
        Protocol::VarLen => {
            if let P0::Report(view) = P0::parse(layout, p0)? {
                view.merge_into(&mut known, status)?;
            }
        }
        Protocol::Standard => {
            let mut only = vec![0; layout.mask_len()];
            let byte = only.len().checked_sub(1 + usize::from(id.0 / 8));
            if let Some(byte) = byte.and_then(|at| only.get_mut(at)) {
                *byte = 1 << (id.0 % 8);
            }
            let values = p0.get(1..).unwrap_or(&[]);
            layout
                .view_known(&only, values)?
                .merge_into(&mut known, status)?;
        }
    }
    Ok(())
}

/// Sets one point as a device does, so that every status can be reported: a number outside its limits
/// becomes the nearest that is allowed, an enum past its labels stays as it was. Returns what was wrong
/// then.
pub(crate) fn put_nearest(
    layout: LayoutRef<'_>,
    status: &mut [u8],
    id: PointId,
    value: Value<'_>,
) -> Result<Option<core::Error>, core::Error> {
    let Err(error) = put(layout, status, id, |encoder| encoder.set(id, value)) else {
        return Ok(None);
    };
    match (error.kind, layout.limits(id)) {
        (ErrorKind::BelowMin, Some((min, _))) => put_raw(layout, status, id, min)?,
        (ErrorKind::AboveMax, Some((_, max))) => put_raw(layout, status, id, max)?,
        (ErrorKind::PastLabels, _) => {}
        _ => return Err(error),
    }
    Ok(Some(error))
}

/// Sets one point from JSON. Returns what a device makes of a value that is outside its limits:
/// [`put_nearest`] set that.
pub(crate) fn put_json(
    product: &Product,
    status: &mut [u8],
    name: &str,
    json: &Json,
) -> Result<Option<Violation>, String> {
    let Some(attr) = product.find(name) else {
        return Err(format!("no point is named `{name}`"));
    };
    let bytes;
    let value = match (attr.point().kind, json) {
        (Kind::Bool, Json::Bool(on)) => Some(Value::Bool(*on)),
        (Kind::Bool, Json::Number(number)) => match number.as_u64() {
            Some(bit @ 0..=1) => Some(Value::Bool(bit == 1)),
            _ => None,
        },
        (Kind::Enum { .. }, Json::String(label)) => attr.label(label).map(Value::Enum),
        (Kind::Enum { .. }, Json::Number(index)) => index
            .as_u64()
            .and_then(|index| u32::try_from(index).ok())
            .map(Value::Enum),
        (Kind::Binary, Json::String(text)) => {
            bytes = payload::parse(text, Some(Encoding::Hex)).ok();
            bytes.as_deref().map(Value::Binary)
        }
        (Kind::Uint8(_) | Kind::Uint16(_) | Kind::Uint32(_), Json::Number(number)) => number
            .to_string()
            .parse::<Decimal>()
            .ok()
            .map(Value::Number),
        _ => None,
    };
    let Some(value) = value else {
        return Err(format!("`{name}` = {json} is not of its kind"));
    };
    let (layout, id) = (product.layout(), attr.id());
    match put_nearest(layout, status, id, value) {
        Ok(None) => Ok(None),
        Ok(Some(error)) => {
            let kind = match error.kind {
                ErrorKind::PastLabels => RemarkKind::Kept,
                _ => RemarkKind::Saturated,
            };
            Ok(Some(Violation::new(product, kind, value, error)))
        }
        Err(error) => Err(product.refused(value, error).message),
    }
}

/// Sets points from a JSON object. Returns those whose values are outside their limits.
pub(crate) fn put_all(
    product: &Product,
    status: &mut [u8],
    values: &Values,
) -> Result<Vec<Violation>, String> {
    let puts = values.iter();
    let puts = puts.map(|(name, value)| put_json(product, status, name, value));
    puts.filter_map(Result::transpose).collect()
}

/// Refuses values that are outside their limits.
pub(crate) fn refuse_outside(outside: impl IntoIterator<Item = Violation>) -> Result<(), String> {
    match outside.into_iter().next() {
        None => Ok(()),
        Some(one) => Err(one.message),
    }
}

/// The status that a device begins with: what the scenario says, all else at its least.
pub(crate) fn initial(product: &Product, values: &Values) -> Result<Vec<u8>, String> {
    let layout = product.layout();
    let mut status = vec![0; layout.status_len()];
    for attr in product.attrs() {
        if let (Some((min @ 1.., _)), Kind::Uint8(_) | Kind::Uint16(_) | Kind::Uint32(_)) =
            (layout.limits(attr.id()), attr.point().kind)
        {
            put_raw(layout, &mut status, attr.id(), min).map_err(|error| error.kind.to_string())?;
        }
    }
    refuse_outside(put_all(product, &mut status, values)?)?;
    Ok(status)
}

/// Like [`put_all`], from the text of an object.
pub(crate) fn put_text(
    product: &Product,
    status: &mut [u8],
    json: &str,
) -> Result<Vec<Violation>, String> {
    let values = serde_json::from_str(json).map_err(|error| error.to_string())?;
    put_all(product, status, &values)
}

/// The raw value of a point that means the same as another point's value, or is nearest to it.
pub(crate) fn equivalent_raw(
    layout: LayoutRef<'_>,
    status: &[u8],
    from: PointId,
    to: u16,
) -> Option<u32> {
    let mask = full_mask(layout);
    let value = layout.view_known(&mask, status).ok()?.get(from)?;
    let mut trial = vec![0; layout.status_len()];
    put_nearest(layout, &mut trial, PointId(to), value).ok()?;
    raw_of(layout, &trial, PointId(to))
}

/// The points that differ between two statuses.
pub(crate) fn changed(layout: LayoutRef<'_>, before: &[u8], after: &[u8]) -> Vec<PointId> {
    let mask = full_mask(layout);
    let (Ok(before), Ok(after)) = (
        layout.view_known(&mask, before),
        layout.view_known(&mask, after),
    ) else {
        return Vec::new();
    };
    let pairs = before.iter().zip(after.iter());
    pairs
        .filter(|(one, other)| one.raw() != other.raw())
        .map(|(one, _)| one.id())
        .collect()
}

/// A var_len message of some points; none if a value is one that the encoder refuses.
pub(crate) fn partial_message(
    layout: LayoutRef<'_>,
    status: &[u8],
    action: Action,
    points: &[PointId],
) -> Option<Vec<u8>> {
    let mask = full_mask(layout);
    let view = layout.view_known(&mask, status).ok()?;
    let mut out = vec![0; layout.p0_len(action)];
    let mut encoder = Encoder::begin(layout, action, &mut out).ok()?;
    for id in points {
        set_reading(&mut encoder, &view.read(*id)?).ok()?;
    }
    Some(encoder.finish().to_vec())
}
