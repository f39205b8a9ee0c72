//! `gizwits log stats`: figures of each point.

use std::collections::HashMap;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use clap::Args;
use gizwits_codec_std::core::{Decimal, Raw};
use gizwits_codec_std::log::Record;
use gizwits_codec_std::{Attr, Decoded, PointId, Product, State, payload};
use serde_json::{Value, json};

use super::input::Input;
use super::reports::{Observer, decimal, engineering_value, lock, observe, plain};
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
pub(super) struct Stats {
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
    /// The least and the greatest raw value.
    min: u32,
    max: u32,
    /// The sum of the raw values.
    sum: u128,
    last: Option<LastValue>,
    changes: u64,
}

/// The last raw value of a point.
#[derive(Clone, PartialEq, Eq)]
enum LastValue {
    Number(u32),
    Bytes(Vec<u8>),
}

impl Figures {
    fn add(&mut self, raw: Raw<'_>, before: Option<Raw<'_>>) {
        let now = match raw {
            Raw::Number(raw) => {
                self.min = if self.count == 0 {
                    raw
                } else {
                    self.min.min(raw)
                };
                self.max = self.max.max(raw);
                self.sum += u128::from(raw);
                LastValue::Number(raw)
            }
            Raw::Bytes(bytes) => LastValue::Bytes(bytes.to_vec()),
        };
        self.count += 1;
        self.changes += u64::from(before.is_some_and(|before| before != raw));
        if self.last.as_ref() != Some(&now) {
            self.last = Some(now);
        }
    }

    /// The mean of raw values in engineering units, to three more places than the values have.
    fn mean(&self, product: &Product, id: PointId) -> Option<String> {
        let scale = product.layout().scale(id)?;
        let addition = scale.value(0).coefficient();
        let ratio = scale.value(1).coefficient() - addition;
        let count = i128::from(self.count);
        let thousandths = i128::try_from(self.sum).ok()? * i128::from(ratio) * 1000;
        let mean = thousandths.div_euclid(count) + i128::from(addition) * 1000;
        let places = scale.decimals() + 3;
        match i64::try_from(mean) {
            Ok(mean) if places <= 18 => Some(Decimal::new(mean, places).to_string()),
            _ => None,
        }
    }

    /// Minimum, maximum and mean of a number, in engineering units, and the last value of any point.
    fn values(&self, product: &Product, attr: &Attr) -> [(&'static str, Option<Value>); 4] {
        let is_number = attr.labels().is_empty() && matches!(self.last, Some(LastValue::Number(_)));
        let number = |raw| is_number.then(|| decimal(product, attr.id(), raw));
        let mean = is_number.then(|| self.mean(product, attr.id())).flatten();
        let last = self.last.as_ref().map(|last| match last {
            LastValue::Bytes(bytes) => payload::hex(bytes).into(),
            LastValue::Number(raw) => engineering_value(product, attr, *raw),
        });
        [
            ("min", number(self.min)),
            ("max", number(self.max)),
            (
                "mean",
                mean.and_then(|mean| serde_json::from_str(&mean).ok()),
            ),
            ("last", last),
        ]
    }

    fn to_json(&self, product: &Product, attr: &Attr, several: bool) -> Value {
        let mut json = json!({"point": attr.name(), "seen": self.count, "changes": self.changes});
        if several {
            json["product_key"] = product.product_key().into();
        }
        for (name, value) in self.values(product, attr) {
            if let Some(value) = value {
                json[name] = value;
            }
        }
        json
    }

    fn to_row(&self, product: &Product, attr: &Attr) -> Vec<String> {
        let mut row = vec![attr.name().to_owned(), self.count.to_string()];
        let values = self.values(product, attr).into_iter();
        row.extend(values.map(|(_, value)| value.map_or("-".to_owned(), plain)));
        row.push(self.changes.to_string());
        row
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
    /// The most devices of a product, and whether the log has more.
    limit: usize,
    exceeded: bool,
}

impl Observer for AllFigures {
    fn observe(&mut self, _: &Record<'_>, did: &str, product: usize, report: &Decoded<'_, '_>) {
        let (Some(view), Some(all)) = (report.view(), self.products.get_mut(product)) else {
            return;
        };
        if !all.devices.contains_key(did) {
            if all.devices.len() >= self.limit {
                self.exceeded = true;
                return;
            }
            all.devices.insert(did.into(), all.product.state());
        }
        let Some(device) = all.devices.get_mut(did) else {
            return;
        };
        let before = device.view();
        for reading in view {
            if let Some(figures) = all.points.get_mut(reading.id().index()) {
                let before = before.read(reading.id()).map(|before| before.raw());
                figures.add(reading.raw(), before);
            }
        }
        // The view is of this product.
        let _ = device.update(view);
    }

    fn check(&self) -> io::Result<()> {
        match self.exceeded {
            false => Ok(()),
            true => Err(io::Error::other(format!(
                "the log has more than {} devices: raise the limit with --max-devices N",
                self.limit
            ))),
        }
    }
}

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
            exceeded: false,
        }));
        let totals = observe(&self.input, &products, &figures, &[])?;
        let figures = lock(&figures);
        let points = figures.products.iter().flat_map(|all| {
            let points = all.product.attrs().zip(&all.points);
            points.map(|(attr, figures)| (&all.product, attr, figures))
        });
        if self.json {
            let several = products.iter().len() > 1;
            for (product, attr, figures) in points {
                writeln!(out, "{}", figures.to_json(product, attr, several))?;
            }
        } else {
            let head = ["point", "seen", "min", "max", "mean", "last", "changes"];
            let rows = points.map(|(product, attr, figures)| figures.to_row(product, attr));
            let rows = std::iter::once(head.map(str::to_owned).to_vec()).chain(rows);
            out.write_all(table(rows).as_bytes())?;
        }
        out.flush()?;
        totals.tell(&[])
    }
}
