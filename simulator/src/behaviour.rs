//! What devices do by themselves: what the scenario says of it, checked, and each time that it is due.

use gizwits_codec_std::core::{Access, Kind, PointId};
use gizwits_codec_std::{Action, Attr, Product};
use rusqlite::OptionalExtension as _;
use serde_json::Value as Json;

use crate::device::{Device, Sql, World, schedule};
use crate::error::Error;
use crate::scenario::{Behaviour, CountdownSpec, TroubleSpec, Values, WalkSpec};
use crate::status::{
    Put, changed, put, put_all, put_json, put_text, raw_of, same, values_json, within, wrong,
};
use crate::store;

/// Points and values as JSON, once they were tried. Only `unchecked` ones may be outside their limits.
pub(crate) fn values(product: &Product, values: &Values, unchecked: bool) -> Result<String, Error> {
    let json = values_json(values)?;
    let outside = put_all(product, &mut vec![0; product.layout().status_len()], &json)?;
    if !unchecked {
        within(outside)?;
    }
    Ok(json.to_string())
}

fn find<'p>(product: &'p Product, name: &str) -> Result<&'p Attr, Error> {
    match product.find(name) {
        Some(attr) => Ok(attr),
        None => wrong(format!("no point is named `{name}`")),
    }
}

fn number<'p>(product: &'p Product, name: &str) -> Result<&'p Attr, Error> {
    let attr = find(product, name)?;
    match attr.point().kind {
        Kind::Uint8(_) | Kind::Uint16(_) | Kind::Uint32(_) => Ok(attr),
        _ => wrong(format!("`{name}` is no number")),
    }
}

pub(crate) fn walk(product: &Product, spec: &WalkSpec) -> Result<Behaviour, Error> {
    let attr = number(product, &spec.point)?;
    let layout = product.layout();
    let (least, most) = layout.limits(attr.id()).unwrap_or((0, u32::MAX));
    let raw = |value: Option<f64>, otherwise: u32| match value {
        None => Ok(otherwise),
        Some(value) => {
            let mut status = vec![0; layout.status_len()];
            let json = Json::from(value);
            within(put_json(product, &mut status, &spec.point, &json)?)?;
            Ok::<_, Error>(raw_of(layout, &status, attr.id()).unwrap_or(otherwise))
        }
    };
    let ratio = layout
        .scale(attr.id())
        .map_or(1.0, |scale| scale.ratio().to_f64());
    let step = (spec.step / ratio).round();
    if !(1.0..=f64::from(u32::MAX)).contains(&step) {
        return wrong(format!("`{}` has steps of {ratio}", spec.point));
    }
    let towards = match &spec.towards {
        Some(name) => Some(number(product, name)?.id().0),
        None => None,
    };
    let when = match &spec.when {
        None => None,
        Some(name) => match find(product, name)? {
            attr if matches!(attr.point().kind, Kind::Bool) => Some(attr.id().0),
            _ => return wrong(format!("`{name}` is no bool")),
        },
    };
    let (low, high) = (raw(spec.min, least)?, raw(spec.max, most)?);
    if low > high {
        return wrong(format!("`{}`: min is above max", spec.point));
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

pub(crate) fn countdown(product: &Product, spec: &CountdownSpec) -> Result<Behaviour, Error> {
    let id = number(product, &spec.point)?.id();
    if let Some((min @ 1.., _)) = product.layout().limits(id) {
        let point = &spec.point;
        return wrong(format!(
            "`{point}` can't count down to zero: its raw minimum is {min}"
        ));
    }
    Ok(Behaviour::Countdown {
        point: id.0,
        set: values(product, &spec.set, false)?,
    })
}

pub(crate) fn trouble(product: &Product, spec: &TroubleSpec) -> Result<Behaviour, Error> {
    let attr = find(product, &spec.point)?;
    if !matches!(attr.point().access, Access::Fault | Access::Alert) {
        return wrong(format!("`{}` is neither a fault nor an alert", spec.point));
    }
    Ok(Behaviour::Trouble {
        point: attr.id().0,
        lasts: spec.lasts.0.max(1),
    })
}

impl World<'_> {
    pub(crate) fn behave(&self, at: i64, id: i64) -> Sql<()> {
        let found = self
            .connection
            .prepare_cached("SELECT device, every, spec FROM behaviour WHERE id = ?")?
            .query_row([id], |row| {
                Ok((
                    row.get::<_, i64>(0)?,
                    row.get::<_, i64>(1)?,
                    row.get::<_, String>(2)?,
                ))
            })
            .optional()?;
        let Some((device, every, spec)) = found else {
            return Ok(());
        };
        let spec = store::from_json(2, &spec)?;
        let Some(mut device) = self.device(device)? else {
            return Ok(());
        };
        let share = 900 + (self.draw(&mut device) % 201).cast_signed();
        let mut again = every.saturating_mul(share) / 1000;
        if device.hears() {
            match spec {
                Behaviour::Offline { reason, lasts } => {
                    let gone = self.leave(&mut device, at, &reason)?;
                    let back = gone.saturating_add(lasts);
                    schedule(self.connection, back, "online", device.id, None)?;
                }
                spec => again = self.move_on(&mut device, at, spec, again)?,
            }
        }
        self.save(&device)?;
        let due = at.saturating_add(again.max(1));
        schedule(self.connection, due, "behaviour", id, None)
    }

    /// Changes the status as a behaviour says, and reports what changed. Returns when it is to go on.
    fn move_on(&self, device: &mut Device, at: i64, spec: Behaviour, again: i64) -> Sql<i64> {
        let Some(product) = self.product(device) else {
            return Ok(again);
        };
        let layout = product.layout();
        let draw = self.draw(device);
        let before = device.status.clone();
        let status = &mut device.status;
        let (mut again, mut outside) = (again, Vec::new());
        match spec {
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
                    let target = towards.and_then(|id| same(layout, status, PointId(id), point));
                    let next = match target {
                        Some(target) if target > now => now.saturating_add(step).min(target),
                        Some(target) => now.saturating_sub(step).max(target),
                        None if draw.is_multiple_of(2) => now.saturating_add(step),
                        None => now.saturating_sub(step),
                    };
                    let next = next.clamp(low, high);
                    let _ = put(layout, status, PointId(point), Put::Raw(next));
                }
            }
            Behaviour::Countdown { point, set } => {
                let point = PointId(point);
                if let Some(left @ 1..) = raw_of(layout, status, point) {
                    let _ = put(layout, status, point, Put::Raw(left - 1));
                    if left == 1 {
                        let _ = put_text(product, status, &set);
                    }
                }
            }
            Behaviour::Change { set } => {
                // All that could fail was tried when the world was made.
                outside = put_text(product, status, &set).unwrap_or_default();
            }
            Behaviour::Trouble { point, lasts } => {
                let point = PointId(point);
                let open = raw_of(layout, status, point) == Some(1);
                if put(layout, status, point, Put::Raw(u32::from(!open))).is_ok() && !open {
                    again = lasts;
                }
            }
            Behaviour::Offline { .. } => {}
        }
        let changed = changed(layout, &before, &device.status);
        for one in &outside {
            self.remark(device, at, !changed.is_empty(), one)?;
        }
        if !changed.is_empty() {
            self.report(device, at, Action::Report, Some(&changed))?;
        }
        Ok(again)
    }
}
