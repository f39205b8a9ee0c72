//! Behaviours of devices: their description in the scenario, checked, and the steps that are due.

use gizwits_codec_std::core::{Access, Kind, PointId};
use gizwits_codec_std::{Attr, Product};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::remark::Violation;
use super::scenario::{CountdownSpec, TroubleSpec, Values, WalkSpec};
use super::status::{equivalent_raw, put_all, put_raw, put_text, raw_of, refuse_outside};

/// A behaviour as a device has it: points by id, numbers as they are on the wire.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) enum Behaviour {
    /// A number that moves by a step.
    Walk {
        point: u16,
        step: u32,
        low: u32,
        high: u32,
        towards: Option<u16>,
        when: Option<u16>,
    },
    /// A number that falls, and sets points when it gets to zero.
    Countdown { point: u16, set: String },
    /// Points that are set, as the API's control writes them.
    Change { set: String },
    /// A fault or alert that opens and closes.
    Trouble { point: u16, lasts: i64 },
    /// The connection that ends, and comes back.
    Offline { reason: String, lasts: i64 },
}

/// Points and values as JSON, once they were tried. Only `unchecked` ones may be outside their limits.
pub(crate) fn values(
    product: &Product,
    values: &Values,
    unchecked: bool,
) -> Result<String, String> {
    let outside = put_all(product, &mut Vec::new(), values)?;
    if !unchecked {
        refuse_outside(outside)?;
    }
    serde_json::to_string(values).map_err(|error| error.to_string())
}

fn find<'p>(product: &'p Product, name: &str) -> Result<&'p Attr, String> {
    match product.find(name) {
        Some(attr) => Ok(attr),
        None => Err(format!("no point is named `{name}`")),
    }
}

fn number<'p>(product: &'p Product, name: &str) -> Result<&'p Attr, String> {
    let attr = find(product, name)?;
    match attr.point().kind {
        Kind::Uint8(_) | Kind::Uint16(_) | Kind::Uint32(_) => Ok(attr),
        _ => Err(format!("`{name}` is no number")),
    }
}

pub(crate) fn walk(product: &Product, spec: &WalkSpec) -> Result<Behaviour, String> {
    let attr = number(product, &spec.point)?;
    let layout = product.layout();
    let (least, most) = layout.limits(attr.id()).unwrap_or((0, u32::MAX));
    let raw = |value: Option<f64>, otherwise: u32| match value {
        None => Ok(otherwise),
        Some(value) => {
            let mut status = Vec::new();
            let values = [(&spec.point, &Json::from(value))];
            refuse_outside(put_all(product, &mut status, values)?)?;
            Ok::<_, String>(raw_of(layout, &status, attr.id()).unwrap_or(otherwise))
        }
    };
    let ratio = layout
        .scale(attr.id())
        .map_or(1.0, |scale| scale.ratio().to_f64());
    let step = (spec.step / ratio).round();
    if !(1.0..=f64::from(u32::MAX)).contains(&step) {
        return Err(format!("`{}` has steps of {ratio}", spec.point));
    }
    let towards = match &spec.towards {
        Some(name) => Some(number(product, name)?.id().0),
        None => None,
    };
    let when = match &spec.when {
        None => None,
        Some(name) => match find(product, name)? {
            attr if matches!(attr.point().kind, Kind::Bool) => Some(attr.id().0),
            _ => return Err(format!("`{name}` is no bool")),
        },
    };
    let (low, high) = (raw(spec.min, least)?, raw(spec.max, most)?);
    if low > high {
        return Err(format!("`{}`: min is above max", spec.point));
    }
    Ok(Behaviour::Walk {
        point: attr.id().0,
        step: step as u32,
        low,
        high,
        towards,
        when,
    })
}

pub(crate) fn countdown(product: &Product, spec: &CountdownSpec) -> Result<Behaviour, String> {
    let id = number(product, &spec.point)?.id();
    if let Some((min @ 1.., _)) = product.layout().limits(id) {
        let point = &spec.point;
        return Err(format!(
            "`{point}` can't count down to zero: its raw minimum is {min}"
        ));
    }
    Ok(Behaviour::Countdown {
        point: id.0,
        set: values(product, &spec.set, false)?,
    })
}

pub(crate) fn trouble(product: &Product, spec: &TroubleSpec) -> Result<Behaviour, String> {
    let attr = find(product, &spec.point)?;
    if !matches!(attr.point().access, Access::Fault | Access::Alert) {
        return Err(format!("`{}` is neither a fault nor an alert", spec.point));
    }
    Ok(Behaviour::Trouble {
        point: attr.id().0,
        lasts: spec.lasts.0.max(1),
    })
}

impl Behaviour {
    /// Changes a status, and returns the values that are outside their limits.
    ///
    /// `again` is the time until the next turn, which a fault or alert that opens replaces with the time
    /// that it lasts.
    pub(crate) fn change(
        self,
        product: &Product,
        status: &mut Vec<u8>,
        draw: u64,
        again: &mut i64,
    ) -> Vec<Violation> {
        let layout = product.layout();
        match self {
            Behaviour::Walk {
                point,
                step,
                low,
                high,
                towards,
                when,
            } => {
                let on = when.is_none_or(|id| raw_of(layout, status, PointId(id)) == Some(1));
                if let (true, Some(now)) = (on, raw_of(layout, status, PointId(point))) {
                    let target =
                        towards.and_then(|id| equivalent_raw(layout, status, PointId(id), point));
                    let next = match target {
                        Some(target) if target > now => now.saturating_add(step).min(target),
                        Some(target) => now.saturating_sub(step).max(target),
                        None if draw.is_multiple_of(2) => now.saturating_add(step),
                        None => now.saturating_sub(step),
                    };
                    let next = next.clamp(low, high);
                    let _ = put_raw(layout, status, PointId(point), next);
                }
            }
            Behaviour::Countdown { point, set } => {
                let point = PointId(point);
                if let Some(left @ 1..) = raw_of(layout, status, point) {
                    let _ = put_raw(layout, status, point, left - 1);
                    if left == 1 {
                        let _ = put_text(product, status, &set);
                    }
                }
            }
            // All that could fail was tried when the world was made.
            Behaviour::Change { set } => {
                return put_text(product, status, &set).unwrap_or_default();
            }
            Behaviour::Trouble { point, lasts } => {
                let point = PointId(point);
                let open = raw_of(layout, status, point) == Some(1);
                if put_raw(layout, status, point, u32::from(!open)).is_ok() && !open {
                    *again = lasts;
                }
            }
            Behaviour::Offline { .. } => {}
        }
        Vec::new()
    }
}
