//! `gizwits log stats`: figures of each point.

use std::collections::HashMap;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use clap::Args;
use gizwits_codec_std::core::{Decimal, Raw};
use gizwits_codec_std::{Attr, PointId, Product, State, payload};
use serde_json::{Value, json};

use super::input::Input;
use super::reports::{Observer, Report, decimal, engineering_value, lock, observe, plain};
use crate::failure::Failure;
use crate::output::table::table;

/// Print minimum, maximum, mean, last value and change count per point
#[derive(Args)]
#[command(
    after_help = "Example:\n  gizwits log stats -d tests/fixtures/air-conditioner.json log.ndjson",
    long_about = "Print minimum, maximum, mean, last value and change count per point.\n\n\
        Counts reports and replies of all devices. Changes are counted per device, so records without a \
        device are rejected: name it with --did or --did-from. Each device takes some 160 bytes of memory \
        plus the size of a status; more devices than --max-devices end the command."
)]
pub(crate) struct Stats {
    #[command(flatten)]
    input: Input,
    /// One JSON object a point
    #[arg(long)]
    json: bool,
}

/// The figures of one point.
#[derive(Clone, Default)]
struct Figures {
    count: u64,
    changes: u64,
    /// The raw values of a number: the range, the sum and the last one.
    range: Option<(u32, u32)>,
    sum: u128,
    last: u32,
    /// The last value of a binary.
    last_bytes: Vec<u8>,
}

impl Figures {
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

    /// The mean of raw values in engineering units, to three more places than the values have.
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

    /// The figures as JSON: minimum, maximum and mean of a number in engineering units, the last value of
    /// any point.
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

/// The figures of each point of a product, and the status of each device.
struct ProductFigures {
    product: Product,
    points: Vec<Figures>,
    devices: HashMap<Box<str>, State>,
}

struct AllFigures {
    products: Vec<ProductFigures>,
    /// The most devices of a product.
    limit: usize,
}

impl Observer for AllFigures {
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
            // The view is of this product.
            let _ = device.update(report.view);
        }
        Ok(())
    }
}

/// The columns of the table, by their names in JSON.
const COLUMNS: [&str; 7] = ["point", "seen", "min", "max", "mean", "last", "changes"];

impl Stats {
    pub(super) fn run(&self, out: &mut impl Write) -> Result<(), Failure> {
        let products = self.input.products()?;
        let empty = |product: &Product| ProductFigures {
            product: product.clone(),
            points: vec![Figures::default(); product.attrs().len()],
            devices: HashMap::new(),
        };
        let figures = Arc::new(Mutex::new(AllFigures {
            products: products.iter().map(empty).collect(),
            limit: self.input.options().device_limit,
        }));
        let totals = observe(&self.input, &products, &figures, &[])?;
        let figures = lock(&figures);
        let points = figures.products.iter().flat_map(|all| {
            let points = all.product.attrs().zip(&all.points);
            points.map(|(attr, figures)| (&all.product, figures.to_json(&all.product, attr)))
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
        totals.tell(&[])
    }
}
