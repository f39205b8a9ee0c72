//! `gizwits log stats`: statistics of each point.

use std::collections::HashMap;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use clap::Args;
use gizwits_codec_std::core::{Decimal, Raw};
use gizwits_codec_std::{Attr, PointId, Product, State, payload};
use serde_json::{Value, json};

use super::input::Input;
use super::reports::{
    Observer, Report, decimal, engineering_value, lock, observe, plain, unknown_point,
};
use crate::failure::Failure;
use crate::output::table::table;

/// Print minimum, maximum, mean, last value and change count per point
#[derive(Args)]
#[command(
    after_help = "ac.json is a definition: `gizwits definition PRODUCT_KEY -o ac.json` fetches one.\n\nExample:\n  gizwits log stats -d ac.json log.ndjson",
    long_about = "Print minimum, maximum, mean, last value and change count per point.\n\n\
        Reports and replies of all devices are counted, controls are not. Changes are counted per device, \
        so records that name no device are rejected: name the device with --did or --did-from. Each device \
        takes about 160 bytes of memory plus the size of a status. With more devices than --max-devices, \
        the command ends with an error."
)]
pub(crate) struct Stats {
    #[command(flatten)]
    input: Input,
    /// The name of a point to print; can be repeated. Default: all points
    #[arg(long, value_name = "NAME")]
    point: Vec<String>,
    /// Print JSON instead of a table, one object per point
    #[arg(long)]
    json: bool,
}

/// The statistics of one point.
#[derive(Clone, Default)]
struct PointStats {
    /// The number of values.
    count: u64,
    /// The number of values that differ from the previous value of the same device.
    changes: u64,
    /// The smallest and the largest raw value, unless the point is a binary.
    range: Option<(u32, u32)>,
    /// The sum of the raw values.
    sum: u128,
    /// The last raw value.
    last: u32,
    /// The last value of a binary point.
    last_bytes: Vec<u8>,
}

impl PointStats {
    /// Adds a value. `before` is the previous value of the same device.
    fn add(&mut self, raw: Raw<'_>, before: Option<Raw<'_>>) {
        match raw {
            Raw::Number(raw) => {
                let (min, max) = self.range.unwrap_or((raw, raw));
                self.range = Some((min.min(raw), max.max(raw)));
                self.sum += u128::from(raw);
                self.last = raw;
            }
            Raw::Bytes(bytes) => {
                self.last_bytes.clear();
                self.last_bytes.extend(bytes);
            }
        }
        self.count += 1;
        self.changes += u64::from(before.is_some_and(|before| before != raw));
    }

    /// The mean as an engineering value, with three more decimals than the values have. It is computed
    /// in integers, so it is exact up to the last of these decimals.
    fn mean(&self, product: &Product, id: PointId) -> Option<Value> {
        let scale = product.layout().scale(id)?;
        let addition = scale.value(0).coefficient();
        let ratio = scale.value(1).coefficient() - addition;
        let count = i128::from(self.count);
        let thousandths = i128::try_from(self.sum).ok()? * i128::from(ratio) * 1000;
        let mean = thousandths.div_euclid(count) + i128::from(addition) * 1000;
        let places = scale.decimals() + 3;
        match i64::try_from(mean) {
            Ok(mean) if places <= 18 => {
                serde_json::from_str(&Decimal::new(mean, places).to_string()).ok()
            }
            _ => None,
        }
    }

    /// The statistics as JSON. Values are engineering values. `min`, `max` and `mean` are left out of enums
    /// and binaries, `last` of points without a value.
    fn to_json(&self, product: &Product, attr: &Attr) -> Value {
        let id = attr.id();
        let mut json = json!({"point": attr.name(), "seen": self.count, "changes": self.changes});
        if let Some((min, max)) = self.range.filter(|_| attr.labels().is_empty()) {
            json["min"] = decimal(product, id, min);
            json["max"] = decimal(product, id, max);
            if let Some(mean) = self.mean(product, id) {
                json["mean"] = mean;
            }
        }
        match self.range {
            _ if self.count == 0 => {}
            Some(_) => json["last"] = engineering_value(product, attr, self.last),
            None => json["last"] = payload::hex(&self.last_bytes).into(),
        }
        json
    }
}

/// The statistics of one product.
struct ProductStats {
    product: Product,
    points: Vec<PointStats>,
    /// The last values of each device, by its did. Changes are counted against them.
    devices: HashMap<Box<str>, State>,
}

/// The statistics of a log.
struct LogStats {
    products: Vec<ProductStats>,
    /// The maximum number of devices per product.
    limit: usize,
}

impl Observer for LogStats {
    fn observe(&mut self, report: &Report<'_>) -> io::Result<()> {
        let Some(all) = self.products.get_mut(report.product) else {
            return Ok(());
        };
        if !all.devices.contains_key(report.did) {
            if all.devices.len() >= self.limit {
                return Err(io::Error::other(format!(
                    "the log has more than {} devices: raise the limit with --max-devices N",
                    self.limit
                )));
            }
            all.devices.insert(report.did.into(), all.product.state());
        }
        if let Some(device) = all.devices.get_mut(report.did) {
            let before = device.view();
            for reading in report.view {
                let before = before.read(reading.id()).map(|before| before.raw());
                all.points[reading.id().index()].add(reading.raw(), before);
            }
            // Updating fails only with the view of another product.
            let _ = device.update(report.view);
        }
        Ok(())
    }
}

/// The columns of the table. They have the names of the members in JSON.
const COLUMNS: [&str; 7] = ["point", "seen", "min", "max", "mean", "last", "changes"];

impl Stats {
    pub(super) fn run(&self, out: &mut impl Write) -> Result<(), Failure> {
        let products = self.input.products()?;
        for name in &self.point {
            if products.iter().all(|product| product.find(name).is_none()) {
                return Err(unknown_point(&products, name));
            }
        }
        let chosen = |attr: &Attr| {
            self.point.is_empty() || self.point.iter().any(|name| name == attr.name())
        };
        let empty = |product: &Product| ProductStats {
            product: product.clone(),
            points: vec![PointStats::default(); product.attrs().len()],
            devices: HashMap::new(),
        };
        let stats = Arc::new(Mutex::new(LogStats {
            products: products.iter().map(empty).collect(),
            limit: self.input.options().device_limit,
        }));
        let totals = observe(&self.input, &products, &stats, &[])?;
        let stats = lock(&stats);
        let points = stats.products.iter().flat_map(|all| {
            let points = all.product.attrs().zip(&all.points);
            let points = points.filter(|(attr, _)| chosen(attr));
            points.map(|(attr, stats)| (&all.product, stats.to_json(&all.product, attr)))
        });
        if self.json {
            for (product, mut json) in points {
                if products.iter().len() > 1 {
                    json["product_key"] = product.product_key().into();
                }
                writeln!(out, "{json}")?;
            }
        } else {
            let row = |json: Value| {
                COLUMNS.map(|name| json.get(name).cloned().map_or("-".to_owned(), plain))
            };
            let rows = points.map(|(_, json)| row(json));
            let rows = std::iter::once(COLUMNS.map(str::to_owned)).chain(rows);
            out.write_all(table(rows).as_bytes())?;
        }
        out.flush()?;
        totals.report(&[])
    }
}
