//! Behaviours: what devices do by themselves. A behaviour is checked when the world is created, and has a
//! turn at regular times.

use gizwits_codec_std::core::{Access, Kind};
use gizwits_codec_std::{Attr, Product};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::remark::Violation;
use super::scenario::{
    ChangeSpec, CountdownSpec, CycleSpec, OfflineSpec, TroubleSpec, WalkSpec, known_reason,
};
use super::status::{equivalent_raw, find, put, put_all, raw_of, refuse_outside};

/// A behaviour of a device, as the scenario describes it.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) enum Behaviour {
    /// Moves a number by a step.
    Walk(WalkSpec),
    /// Counts a number down, and sets points when it reaches zero.
    Countdown(CountdownSpec),
    /// Sets points.
    Change(ChangeSpec),
    /// Sets a point to each of some values in turn.
    Cycle(CycleSpec),
    /// Opens a fault or alert, and closes it.
    Trouble(TroubleSpec),
    /// Disconnects the device for some time.
    Offline(OfflineSpec),
}

/// The point with this name, which must be a number.
fn number<'p>(product: &'p Product, name: &str) -> Result<&'p Attr, String> {
    let attr = find(product, name)?;
    match attr.point().kind {
        Kind::Uint8(_) | Kind::Uint16(_) | Kind::Uint32(_) => Ok(attr),
        _ => Err(format!("`{name}` is not a number")),
    }
}

/// Sets a point to a raw value.
fn set(product: &Product, status: &mut Vec<u8>, attr: &Attr, raw: u32) -> Result<(), String> {
    let put = put(product.layout(), status, |encoder| {
        encoder.set_raw(attr.id(), raw)
    });
    put.map_err(|error| error.kind.to_string())
}

/// Sets values in an empty status and returns it. Refuses values outside their limits.
fn tried<'v>(
    product: &Product,
    values: impl IntoIterator<Item = (&'v String, &'v Json)>,
) -> Result<Vec<u8>, String> {
    let mut status = Vec::new();
    refuse_outside(put_all(product, &mut status, values)?)?;
    Ok(status)
}

/// A turn of a walk. Fails only if the product doesn't fit the behaviour, whatever the status is.
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
        return Err(format!("`{}`: min is greater than max", spec.point));
    }
    let scale = layout.scale(attr.id());
    let ratio = scale.map_or(1.0, |scale| scale.ratio().to_f64());
    let step = (spec.step / ratio).round();
    if !(1.0..=f64::from(u32::MAX)).contains(&step) {
        return Err(format!("`{}`: expected steps of {ratio}", spec.point));
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
            _ => return Err(format!("`{name}` is not a bool")),
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

/// A turn of a cycle. Fails only if the product doesn't fit the behaviour, whatever the status is.
fn cycle(product: &Product, spec: &CycleSpec, status: &mut Vec<u8>) -> Result<(), String> {
    let layout = product.layout();
    let attr = find(product, &spec.point)?;
    let raws = spec.values.iter().map(|value| {
        let status = tried(product, [(&spec.point, value)])?;
        raw_of(layout, &status, attr.id())
            .ok_or_else(|| format!("`{}` is neither a number, an enum nor a bool", spec.point))
    });
    let raws = raws.collect::<Result<Vec<_>, String>>()?;
    let Some(first) = raws.first() else {
        return Err(format!("`{}`: expected at least one value", spec.point));
    };
    let now = raw_of(layout, status, attr.id());
    let at = raws.iter().position(|raw| Some(*raw) == now);
    let next = at.and_then(|at| raws.get(at + 1)).unwrap_or(first);
    set(product, status, attr, *next)
}

impl Behaviour {
    /// The time between two turns in milliseconds.
    pub(crate) fn every(&self) -> i64 {
        let every = match self {
            Behaviour::Walk(spec) => spec.every,
            Behaviour::Countdown(spec) => spec.every,
            Behaviour::Change(spec) => spec.every,
            Behaviour::Cycle(spec) => spec.every,
            Behaviour::Trouble(spec) => spec.every,
            Behaviour::Offline(spec) => spec.every,
        };
        every.0
    }

    /// Whether turns happen only while the clock runs by itself.
    pub(crate) fn is_live(&self) -> bool {
        match self {
            Behaviour::Walk(spec) => spec.live,
            Behaviour::Cycle(spec) => spec.live,
            _ => false,
        }
    }

    /// Refuses a behaviour that doesn't fit the product of its device.
    pub(crate) fn check(&self, product: Option<&Product>) -> Result<(), String> {
        let product = match (self, product) {
            (Behaviour::Offline(spec), _) => return known_reason(&spec.reason).map(drop),
            (_, None) => return Err("its product has no definition".to_owned()),
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
            Behaviour::Cycle(spec) => cycle(product, spec, &mut Vec::new()),
            Behaviour::Trouble(TroubleSpec { point, .. }) => {
                match find(product, point)?.point().access {
                    Access::Fault | Access::Alert => Ok(()),
                    _ => Err(format!("`{point}` is neither a fault nor an alert")),
                }
            }
            Behaviour::Offline(_) => Ok(()),
        }
    }

    /// Takes a turn: changes the status of a device, and returns the values that were outside their limits.
    ///
    /// `draw` is a random number. `again` is the time until the next turn in milliseconds: a fault or alert
    /// that opens sets `again` to the time until it closes.
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
            Behaviour::Cycle(spec) => cycle(product, spec, status)?,
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
