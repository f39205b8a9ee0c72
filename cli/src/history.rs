//! What points were over time: `gizwits log stats` and `gizwits log plot`.

use std::collections::HashMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use clap::Args;
use gizwits_codec_std::core::{Decimal, P0, Raw};
use gizwits_codec_std::log::{Format, Log, Options, Record, Sink};
use gizwits_codec_std::{Attr, Content, Decoded, PointId, Product, State, payload};
use jiff::Timestamp;
use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr as _;

use crate::log::{Input, usage};
use crate::{Failure, printable};

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

/// Draw the history of a point
#[derive(Args)]
#[command(
    after_help = "Example:\n  gizwits log plot -d a.json log.ndjson --point room_temp --svg room.svg",
    long_about = "Draw the history of a point of one device, by the timestamps of reports and replies.\n\n\
        Records that name no device are rejected: --did or --did-from says whose they are."
)]
pub(crate) struct Plot {
    #[command(flatten)]
    input: Input,
    /// The point
    #[arg(long, value_name = "NAME")]
    point: String,
    /// Where the drawing goes; - for standard output
    #[arg(long, value_name = "FILE")]
    svg: PathBuf,
    /// Draw this device, of a log of several
    #[arg(long, value_name = "DID")]
    only: Option<String>,
}

/// Sees every report in order.
trait See: Send + 'static {
    fn see(&mut self, record: &Record<'_>, product: usize, decoded: &Decoded<'_, '_>);

    /// What ends the log.
    fn failed(&self) -> io::Result<()>;
}

/// A log that is looked at and not written: one worker, so that reports come in order.
struct Seen<T>(Arc<Mutex<T>>);

impl<T: See> Format for Seen<T> {
    type Sink = Self;

    fn sink(&self) -> Self {
        Seen(Arc::clone(&self.0))
    }

    fn write(&mut self, _: &mut ()) -> io::Result<()> {
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<T: See> Sink for Seen<T> {
    type Block = ();

    fn record(
        &mut self,
        _: &mut (),
        record: &Record<'_>,
        product: usize,
        decoded: &Decoded<'_, '_>,
    ) {
        // A control says what somebody wants.
        if let Content::P0(P0::Report(_) | P0::Reply(_)) = decoded.content {
            let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            seen.see(record, product, decoded);
        }
    }

    fn end(&mut self, _: &mut ()) -> io::Result<()> {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.failed()
    }
}

/// What was seen of one point.
#[derive(Clone, Default)]
struct Sum {
    count: u64,
    least: u32,
    most: u32,
    /// Of the raw values.
    sum: u128,
    last: Option<Known>,
    changes: u64,
}

/// A value to be compared.
#[derive(Clone, PartialEq, Eq)]
enum Known {
    Number(u32),
    Bytes(Vec<u8>),
}

impl From<Raw<'_>> for Known {
    fn from(raw: Raw<'_>) -> Self {
        match raw {
            Raw::Number(raw) => Known::Number(raw),
            Raw::Bytes(bytes) => Known::Bytes(bytes.to_vec()),
        }
    }
}

/// Sums for each point of a product, and what each device said last.
struct Sums {
    product: Product,
    sums: Vec<Sum>,
    devices: HashMap<Box<str>, State>,
}

/// The sums of each product.
struct AllSums {
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

/// A value as the definition has it.
fn shown(product: &Product, attr: &Attr, known: &Known) -> Value {
    match known {
        Known::Bytes(bytes) => payload::hex(bytes).into(),
        Known::Number(raw) if attr.is_bool() => json!(raw),
        Known::Number(raw) => match attr.label_of(*raw) {
            Some(label) => json!(label),
            None => decimal(product, attr.id(), *raw),
        },
    }
}

fn decimal(product: &Product, id: PointId, raw: u32) -> Value {
    let value = product.layout().scale(id).map(|scale| scale.value(raw));
    serde_json::to_value(value).unwrap_or_default()
}

/// The mean of raw values in engineering units, to three more places than the values have.
fn mean(product: &Product, id: PointId, sum: &Sum) -> Option<String> {
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

/// The history of one point: when it was seen, and what it was.
struct History {
    product: usize,
    id: PointId,
    /// The device that is drawn, and another one of the log if no device was chosen.
    did: Option<String>,
    chosen: bool,
    other: Option<String>,
    points: Vec<(i64, u32)>,
}

/// More points than a drawing can show.
const POINTS: usize = 1 << 17;

impl See for History {
    fn see(&mut self, record: &Record<'_>, product: usize, decoded: &Decoded<'_, '_>) {
        if product != self.product {
            return;
        }
        let (Some(time), Some(view)) = (&record.timestamp, decoded.view()) else {
            return;
        };
        if let Some(raw) = view.raw(self.id) {
            // Records without one are rejected.
            let did = record.device(decoded).unwrap_or_default();
            if *self.did.get_or_insert_with(|| did.as_ref().to_owned()) != *did {
                if !self.chosen {
                    self.other = Some(did.into_owned());
                }
                return;
            }
            self.points.push((time.millis(), raw));
            if self.points.len() >= POINTS {
                self.thin();
            }
        }
    }
    fn failed(&self) -> io::Result<()> {
        let (Some(did), Some(other)) = (&self.did, &self.other) else {
            return Ok(());
        };
        let (did, other) = (printable(did), printable(other));
        Err(io::Error::other(format!(
            "the log has several devices, such as {did} and {other}: choose one with --only DID"
        )))
    }
}

impl History {
    fn new(product: usize, id: PointId, did: Option<String>) -> Self {
        History {
            product,
            id,
            chosen: did.is_some(),
            did,
            other: None,
            points: Vec::new(),
        }
    }

    /// Of every eight points the ends and the extremes are kept.
    fn thin(&mut self) {
        self.points.sort_by_key(|point| point.0);
        let kept = self.points.chunks(8).flat_map(|some| {
            let least = some.iter().enumerate().min_by_key(|(_, point)| point.1);
            let most = some.iter().enumerate().max_by_key(|(_, point)| point.1);
            let mut kept = vec![0, some.len() - 1];
            kept.extend(least.into_iter().chain(most).map(|(n, _)| n));
            kept.sort_unstable();
            kept.dedup();
            kept.into_iter().map(|n| some[n])
        });
        self.points = kept.collect();
    }
}

impl Plot {
    pub(crate) fn run(&self, out: &mut impl Write) -> Result<(), Failure> {
        let products = self.input.products()?;
        let found = products
            .iter()
            .enumerate()
            .find_map(|(n, product)| Some((n, product.find(&self.point)?)));
        let Some((product, attr)) = found else {
            let names = products.iter().flat_map(Product::attrs).map(Attr::name);
            let names: Vec<&str> = names.take(20).collect();
            return Err(usage(format_args!(
                "no point is named `{}`; there are {}",
                self.point,
                names.join(", ")
            )));
        };
        let history = History::new(product, attr.id(), self.only.clone());
        let history = Arc::new(Mutex::new(history));
        let options = Options {
            known_devices: true,
            ..self.input.options()
        };
        let log = Log::new(&products).options(options).ordered(true);
        let svg = Some(self.svg.as_path()).filter(|svg| *svg != Path::new("-"));
        let seen = Seen(Arc::clone(&history));
        let (summary, seconds) = self.input.decode(log, seen, svg.as_slice())?;
        let mut history = history.lock().unwrap_or_else(PoisonError::into_inner);
        if history.points.is_empty() {
            let _ = self.input.tell(&summary, seconds, &[]);
            let device = self.only.as_ref().map(|did| format!(" of device {did}"));
            return Err(Failure::Server(format!(
                "error: nothing to draw: no report or reply{} with a timestamp has `{}`",
                printable(&device.unwrap_or_default()),
                printable(&self.point)
            )));
        }
        history.points.sort_by_key(|point| point.0);
        if let Some(product) = products.iter().nth(product) {
            let drawing = draw(product, attr, &history.points);
            match svg {
                None => out.write_all(drawing.as_bytes())?,
                Some(path) => std::fs::write(path, drawing)
                    .map_err(|error| usage(format_args!("{}: {error}", path.display())))?,
            }
        }
        out.flush()?;
        self.input.tell(&summary, seconds, &[])
    }
}

/// The size of the drawing, and the edges around the axes.
const SIZE: (f64, f64) = (960.0, 320.0);
const EDGES: (f64, f64, f64, f64) = (100.0, 20.0, 36.0, 36.0);

/// A step for each report; values are what they were until the next.
fn draw(product: &Product, attr: &Attr, points: &[(i64, u32)]) -> String {
    let (left, right, top, bottom) = EDGES;
    let (width, height) = (SIZE.0 - left - right, SIZE.1 - top - bottom);
    let first = points.first().map_or(0, |point| point.0);
    // Moments may be further apart than any number of milliseconds.
    let since = |time: i64| time.saturating_sub(first);
    let span = points.last().map_or(1, |point| since(point.0).max(1));
    let least = points.iter().map(|point| point.1).min().unwrap_or(0);
    let most = points.iter().map(|point| point.1).max().unwrap_or(0);
    let range = f64::from((most - least).max(1));
    let x = |time: i64| left + since(time) as f64 / span as f64 * width;
    let y = |raw: u32| top + height - f64::from(raw.saturating_sub(least)) / range * height;
    let mut path = String::new();
    for (n, (time, raw)) in points.iter().enumerate() {
        let step = match n {
            0 => format!("M{:.1} {:.1}", x(*time), y(*raw)),
            _ => format!("H{:.1}V{:.1}", x(*time), y(*raw)),
        };
        path += &step;
    }
    let escape = |text: &str| {
        let text = printable(text);
        text.replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
    };
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" font-family=\"sans-serif\" \
         font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
         <text x=\"{left}\" y=\"22\" font-size=\"15\">{}</text>\n",
        SIZE.0,
        SIZE.1,
        escape(attr.name()),
    );
    let rows = (most - least).clamp(1, 6);
    for row in 0..=rows {
        let raw = least + ((u64::from(most - least) * u64::from(row)) / u64::from(rows)) as u32;
        let label = match shown(product, attr, &Known::Number(raw)) {
            Value::String(text) => text,
            other => other.to_string(),
        };
        let at = y(raw);
        svg += &format!(
            "<path d=\"M{left} {at:.1}h{width}\" stroke=\"#ddd\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>\n",
            left - 8.0,
            at + 4.0,
            escape(&label),
        );
    }
    for (part, anchor) in [(0, "start"), (1, "middle"), (2, "end")] {
        let time = first + span / 2 * part + span % 2 * part / 2;
        let text = Timestamp::from_millisecond(time).map_or(String::new(), |time| time.to_string());
        let shown = if points.is_empty() { "" } else { &text };
        svg += &format!(
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{shown}</text>\n",
            x(time),
            SIZE.1 - 12.0,
        );
    }
    svg += &format!(
        "<path d=\"{path}\" fill=\"none\" stroke=\"#0b67c2\" stroke-width=\"1.5\" stroke-linejoin=\"round\"/>\n</svg>\n"
    );
    svg
}
