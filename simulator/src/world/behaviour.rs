//! Behaviours of devices: checked when the world is made, and carried out in turns.

use gizwits_codec_std::core::{Access, Kind};
use gizwits_codec_std::{Attr, Product};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::remark::Violation;
use super::scenario::{
    ChangeSpec, CountdownSpec, OfflineSpec, TroubleSpec, WalkSpec, known_reason,
};
use super::status::{equivalent_raw, find, put, put_all, raw_of, refuse_outside};

/// A behaviour of a device, as the scenario describes it.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) enum Behaviour {
    /// A number that moves by a step.
    Walk(WalkSpec),
    /// A number that falls, and sets points when it gets to zero.
    Countdown(CountdownSpec),
    /// Points that are set, as the API's control writes them.
    Change(ChangeSpec),
    /// A fault or alert that opens and closes.
    Trouble(TroubleSpec),
    /// The connection that ends, and comes back.
    Offline(OfflineSpec),
}

fn number<'p>(product: &'p Product, name: &str) -> Result<&'p Attr, String> {
    let attr = find(product, name)?;
    match attr.point().kind {
        Kind::Uint8(_) | Kind::Uint16(_) | Kind::Uint32(_) => Ok(attr),
        _ => Err(format!("`{name}` is no number")),
    }
}

/// Sets a point to a raw value.
fn set(product: &Product, status: &mut Vec<u8>, attr: &Attr, raw: u32) -> Result<(), String> {
    let put = put(product.layout(), status, |encoder| {
        encoder.set_raw(attr.id(), raw)
    });
    put.map_err(|error| error.kind.to_string())
}

/// Tries values on an empty status, which is returned.
fn tried<'v>(
    product: &Product,
    values: impl IntoIterator<Item = (&'v String, &'v Json)>,
) -> Result<Vec<u8>, String> {
    let mut status = Vec::new();
    refuse_outside(put_all(product, &mut status, values)?)?;
    Ok(status)
}

/// Moves a number by a step.
fn walk(product: &Product, spec: &WalkSpec, status: &mut Vec<u8>, draw: u64) -> Result<(), String> {
    let layout = product.layout();
    let attr = number(product, &spec.point)?;
    let (least, most) = layout.limits(attr.id()).unwrap_or((0, u32::MAX));
    let raw = |value: Option<f64>, otherwise: u32| match value {
        None => Ok(otherwise),
        Some(value) => {
            let status = tried(product, [(&spec.point, &Json::from(value))])?;
            Ok::<_, String>(raw_of(layout, &status, attr.id()).unwrap_or(otherwise))
        }
    };
    let (low, high) = (raw(spec.min, least)?, raw(spec.max, most)?);
    if low > high {
        return Err(format!("`{}`: min is above max", spec.point));
    }
    let scale = layout.scale(attr.id());
    let ratio = scale.map_or(1.0, |scale| scale.ratio().to_f64());
    let step = (spec.step / ratio).round();
    if !(1.0..=f64::from(u32::MAX)).contains(&step) {
        return Err(format!("`{}` has steps of {ratio}", spec.point));
    }
    let step = step as u32;
    let target = match &spec.towards {
        None => None,
        Some(name) => equivalent_raw(product, status, number(product, name)?.id(), attr.id()),
    };
    let is_on = match &spec.when {
        None => true,
        Some(name) => match find(product, name)? {
            when if when.point().kind == Kind::Bool => raw_of(layout, status, when.id()) == Some(1),
            _ => return Err(format!("`{name}` is no bool")),
        },
    };
    let Some(now) = raw_of(layout, status, attr.id()).filter(|_| is_on) else {
        return Ok(());
    };
    let next = match target {
        Some(target) if target > now => now.saturating_add(step).min(target),
        Some(target) => now.saturating_sub(step).max(target),
        None if draw.is_multiple_of(2) => now.saturating_add(step),
        None => now.saturating_sub(step),
    };
    set(product, status, attr, next.clamp(low, high))
}

impl Behaviour {
    /// The time between two turns in milliseconds.
    pub(crate) fn every(&self) -> i64 {
        let every = match self {
            Behaviour::Walk(spec) => spec.every,
            Behaviour::Countdown(spec) => spec.every,
            Behaviour::Change(spec) => spec.every,
            Behaviour::Trouble(spec) => spec.every,
            Behaviour::Offline(spec) => spec.every,
        };
        every.0
    }

    /// Refuses a behaviour that a device of this product can't have.
    pub(crate) fn check(&self, product: Option<&Product>) -> Result<(), String> {
        let product = match (self, product) {
            (Behaviour::Offline(spec), _) => return known_reason(&spec.reason).map(drop),
            (_, None) => return Err("its product has no definition to behave by".to_owned()),
            (_, Some(product)) => product,
        };
        match self {
            Behaviour::Walk(spec) => walk(product, spec, &mut Vec::new(), 0),
            Behaviour::Countdown(CountdownSpec { point, set, .. }) => {
                match product.layout().limits(number(product, point)?.id()) {
                    Some((min @ 1.., _)) => Err(format!(
                        "`{point}` can't count down to zero: its raw minimum is {min}"
                    )),
                    _ => tried(product, set).map(drop),
                }
            }
            Behaviour::Change(spec) if spec.unchecked => {
                put_all(product, &mut Vec::new(), &spec.set).map(drop)
            }
            Behaviour::Change(spec) => tried(product, &spec.set).map(drop),
            Behaviour::Trouble(TroubleSpec { point, .. }) => {
                match find(product, point)?.point().access {
                    Access::Fault | Access::Alert => Ok(()),
                    _ => Err(format!("`{point}` is neither a fault nor an alert")),
                }
            }
            Behaviour::Offline(_) => Ok(()),
        }
    }

    /// Changes a status, and returns the values that are outside their limits.
    ///
    /// `again` is the time until the next turn, which a fault or alert that opens replaces with the time
    /// that it lasts.
    pub(crate) fn change(
        &self,
        product: &Product,
        status: &mut Vec<u8>,
        draw: u64,
        again: &mut i64,
    ) -> Result<Vec<Violation>, String> {
        match self {
            Behaviour::Walk(spec) => walk(product, spec, status, draw)?,
            Behaviour::Countdown(spec) => {
                let attr = number(product, &spec.point)?;
                if let Some(left @ 1..) = raw_of(product.layout(), status, attr.id()) {
                    set(product, status, attr, left - 1)?;
                    if left == 1 {
                        put_all(product, status, &spec.set)?;
                    }
                }
            }
            Behaviour::Change(spec) => return put_all(product, status, &spec.set),
            Behaviour::Trouble(spec) => {
                let attr = find(product, &spec.point)?;
                let is_open = raw_of(product.layout(), status, attr.id()) == Some(1);
                set(product, status, attr, u32::from(!is_open))?;
                if !is_open {
                    *again = spec.lasts.0;
                }
            }
            Behaviour::Offline(_) => {}
        }
        Ok(Vec::new())
    }
}
