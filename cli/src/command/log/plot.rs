//! `gizwits log plot`: the history of a point as a drawing.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use clap::Args;
use gizwits_codec_std::log::{Log, Options, Record};
use gizwits_codec_std::{Attr, Decoded, PointId, Product};
use jiff::Timestamp;
use serde_json::Value;

use super::input::Input;
use super::reports::{Known, See, Seen, shown};
use crate::failure::{Failure, usage};
use crate::text::printable;

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

/// The history of one point: when it was seen, and what it was.
pub(crate) struct History {
    product: usize,
    id: PointId,
    /// The device that is drawn, and another one of the log if no device was chosen.
    did: Option<String>,
    chosen: bool,
    other: Option<String>,
    points: Vec<(i64, u32)>,
}

/// More points than a drawing can show.
pub(crate) const POINTS: usize = 1 << 17;

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
pub(crate) const SIZE: (f64, f64) = (960.0, 320.0);
pub(crate) const EDGES: (f64, f64, f64, f64) = (100.0, 20.0, 36.0, 36.0);

/// A step for each report; values are what they were until the next.
pub(crate) fn draw(product: &Product, attr: &Attr, points: &[(i64, u32)]) -> String {
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
