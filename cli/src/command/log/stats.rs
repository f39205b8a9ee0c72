//! `gizwits log stats`: figures of each point.

use std::collections::HashMap;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use clap::Args;
use gizwits_codec_std::core::Decimal;
use gizwits_codec_std::log::{Log, Options, Record};
use gizwits_codec_std::{Decoded, PointId, Product, State};
use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr as _;

use super::input::Input;
use super::reports::{Known, See, Seen, decimal, shown};
use crate::failure::Failure;
use crate::text::printable;

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

/// What was seen of one point.
#[derive(Clone, Default)]
pub(crate) struct Sum {
    count: u64,
    least: u32,
    most: u32,
    /// Of the raw values.
    sum: u128,
    last: Option<Known>,
    changes: u64,
}

/// Sums for each point of a product, and what each device said last.
pub(crate) struct Sums {
    product: Product,
    sums: Vec<Sum>,
    devices: HashMap<Box<str>, State>,
}

/// The sums of each product.
pub(crate) struct AllSums {
    products: Vec<Sums>,
    /// The most devices of a product, and whether there are more.
    limit: usize,
    exceeded: bool,
}

impl See for AllSums {
    fn see(&mut self, record: &Record<'_>, product: usize, decoded: &Decoded<'_, '_>) {
        let (Some(view), Some(all)) = (decoded.view(), self.products.get_mut(product)) else {
            return;
        };
        // Records without one are rejected.
        let did = record.device(decoded).unwrap_or_default();
        if !all.devices.contains_key(&*did) {
            if all.devices.len() >= self.limit {
                self.exceeded = true;
                return;
            }
            all.devices.insert((*did).into(), all.product.state());
        }
        let Some(device) = all.devices.get_mut(&*did) else {
            return;
        };
        let known = device.view();
        for reading in view {
            let Some(sum) = all.sums.get_mut(reading.id().index()) else {
                continue;
            };
            let before = known.read(reading.id());
            let now = Known::from(reading.raw());
            if let Known::Number(raw) = now {
                sum.least = if sum.count == 0 {
                    raw
                } else {
                    sum.least.min(raw)
                };
                sum.most = sum.most.max(raw);
                sum.sum += u128::from(raw);
            }
            sum.count += 1;
            let changed = before.is_some_and(|before| before.raw() != reading.raw());
            sum.changes += u64::from(changed);
            if sum.last.as_ref() != Some(&now) {
                sum.last = Some(now);
            }
        }
        // The view is of this product.
        let _ = device.update(view);
    }

    fn failed(&self) -> io::Result<()> {
        match self.exceeded {
            false => Ok(()),
            true => Err(io::Error::other(format!(
                "the log has more than {} devices: raise the limit with --max-devices N",
                self.limit
            ))),
        }
    }
}

/// The mean of raw values in engineering units, to three more places than the values have.
pub(crate) fn mean(product: &Product, id: PointId, sum: &Sum) -> Option<String> {
    let scale = product.layout().scale(id)?;
    let addition = scale.value(0).coefficient();
    let ratio = scale.value(1).coefficient() - addition;
    let count = i128::from(sum.count);
    let thousandths = i128::try_from(sum.sum).ok()? * i128::from(ratio) * 1000;
    let mean = thousandths.div_euclid(count) + i128::from(addition) * 1000;
    let places = scale.decimals() + 3;
    match i64::try_from(mean) {
        Ok(mean) if places <= 18 => Some(Decimal::new(mean, places).to_string()),
        _ => None,
    }
}

impl Stats {
    pub(crate) fn run(&self, out: &mut impl Write) -> Result<(), Failure> {
        let products = self.input.products()?;
        let none = |product: &Product| Sums {
            product: product.clone(),
            sums: vec![Sum::default(); product.attrs().len()],
            devices: HashMap::new(),
        };
        let options = Options {
            known_devices: true,
            ..self.input.options()
        };
        let sums = Arc::new(Mutex::new(AllSums {
            products: products.iter().map(none).collect(),
            limit: options.device_limit,
            exceeded: false,
        }));
        let log = Log::new(&products).options(options).ordered(true);
        let (summary, seconds) = self.input.decode(log, Seen(Arc::clone(&sums)), &[])?;
        let sums = sums.lock().unwrap_or_else(PoisonError::into_inner);
        let mut rows =
            vec![["point", "seen", "min", "max", "mean", "last", "changes"].map(str::to_owned)];
        for Sums { product, sums, .. } in &sums.products {
            for (attr, sum) in product.attrs().zip(sums) {
                let number = attr.labels().is_empty() && sum.count > 0;
                let number = number && matches!(sum.last, Some(Known::Number(_)));
                let end = |raw| number.then(|| decimal(product, attr.id(), raw));
                let (least, most) = (end(sum.least), end(sum.most));
                let mean = number.then(|| mean(product, attr.id(), sum)).flatten();
                let last = sum.last.as_ref().map(|last| shown(product, attr, last));
                if self.json {
                    let mut json =
                        json!({"point": attr.name(), "seen": sum.count, "changes": sum.changes});
                    if products.iter().len() > 1 {
                        json["product_key"] = product.product_key().into();
                    }
                    let mean = mean.and_then(|mean| serde_json::from_str(&mean).ok());
                    for (key, value) in [
                        ("min", least),
                        ("max", most),
                        ("mean", mean),
                        ("last", last),
                    ] {
                        if let Some(value) = value {
                            json[key] = value;
                        }
                    }
                    writeln!(out, "{json}")?;
                    continue;
                }
                let text = |value: Option<Value>| match value {
                    None => "-".to_owned(),
                    Some(Value::String(text)) => printable(&text).into_owned(),
                    Some(value) => value.to_string(),
                };
                rows.push([
                    printable(attr.name()).into_owned(),
                    sum.count.to_string(),
                    text(least),
                    text(most),
                    mean.unwrap_or_else(|| "-".to_owned()),
                    text(last),
                    sum.changes.to_string(),
                ]);
            }
        }
        if !self.json {
            let widths: [usize; 7] =
                std::array::from_fn(|n| rows.iter().map(|row| row[n].width()).max().unwrap_or(0));
            for row in &rows {
                let cells = row.iter().zip(widths).map(|(cell, width)| {
                    let pad = " ".repeat(width.saturating_sub(cell.width()));
                    format!("{cell}{pad}")
                });
                writeln!(out, "{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
            }
        }
        out.flush()?;
        self.input.tell(&summary, seconds, &[])
    }
}
