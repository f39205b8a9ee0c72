//! `gizwits log plot`: the values of one point over time as a chart.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use clap::Args;
use gizwits_codec_std::log::Products;
use gizwits_codec_std::{Attr, PointId, Product};

use super::input::Input;
use super::reports::{Observer, Report, engineering_value, lock, observe, plain, unknown_point};
use crate::failure::{Failure, refused};
use crate::output::file::named_output;
use crate::output::image;
use crate::output::plot::{Plot as Drawing, Sample};
use crate::text::printable;

/// Draw a chart of the values of a point over time
#[derive(Args)]
#[command(
    after_help = EXAMPLES,
    long_about = "Draw a chart of the values of one point of one device over time, from its reports and \
        replies.\n\n\
        Without --output, the chart is drawn on standard output with text characters. Records without a \
        timestamp are left out. Records that name no device are rejected: name the device with --did or \
        --did-from."
)]
pub(crate) struct Plot {
    #[command(flatten)]
    input: Input,
    /// The name of the point
    #[arg(long, value_name = "NAME")]
    point: String,
    /// The file for the chart: SVG or PNG, as its name ends in .svg or .png; - for SVG on standard output
    ///
    /// PNG requires a build with the feature `png`.
    #[arg(short, long = "output", alias = "svg", value_name = "FILE")]
    out: Option<PathBuf>,
    /// The did of the device to draw; required if the log has several devices
    #[arg(long, value_name = "DID")]
    device: Option<String>,
}

const EXAMPLES: &str = "\
ac.json is a definition: `gizwits definition PRODUCT_KEY -o ac.json` fetches one.

Examples:
  gizwits log plot -d ac.json log.ndjson --point room_temp
  gizwits log plot -d ac.json log.ndjson --point room_temp -o room.svg";

/// The values of one point of one device.
struct History {
    /// The index of the product.
    product: usize,
    id: PointId,
    /// The did of --device, or of the first report.
    did: Option<String>,
    /// Whether --device was given. Without it, a log of several devices is an error.
    chosen: bool,
    samples: Vec<Sample>,
}

/// The number of samples that starts thinning: many more than a chart has pixels.
const MAX_SAMPLES: usize = 1 << 17;

impl Observer for History {
    fn observe(&mut self, report: &Report<'_>) -> io::Result<()> {
        let raw = report.view.raw(self.id);
        let Some((millis, raw)) = report.millis.zip(raw) else {
            return Ok(());
        };
        if report.product != self.product {
            return Ok(());
        }
        let drawn = self.did.get_or_insert_with(|| report.did.to_owned());
        if drawn == report.did {
            self.samples.push(Sample { millis, raw });
            if self.samples.len() >= MAX_SAMPLES {
                self.thin();
            }
        } else if !self.chosen {
            let (drawn, other) = (printable(drawn), printable(report.did));
            return Err(io::Error::other(format!(
                "the log has several devices, such as {drawn} and {other}: choose one with --device DID"
            )));
        }
        Ok(())
    }
}

impl History {
    /// Keeps the first, the last, the smallest and the largest of every eight samples. The chart keeps
    /// its outline, and memory is bounded whatever the length of the log.
    fn thin(&mut self) {
        self.samples.sort_by_key(|sample| sample.millis);
        let kept = self.samples.chunks(8).flat_map(|some| {
            let min = (0..some.len()).min_by_key(|n| some[*n].raw);
            let max = (0..some.len()).max_by_key(|n| some[*n].raw);
            let ends = [Some(0), Some(some.len() - 1)];
            let kept = BTreeSet::from_iter(ends.into_iter().chain([min, max]).flatten());
            kept.into_iter().map(|n| some[n])
        });
        self.samples = kept.collect();
    }
}

impl Plot {
    pub(super) fn run(&self, out: &mut impl Write) -> Result<(), Failure> {
        if let Some(path) = &self.out {
            image::check(path)?;
        }
        let products = self.input.products()?;
        let (index, product, attr) = self.attr(&products)?;
        let history = Arc::new(Mutex::new(History {
            product: index,
            id: attr.id(),
            did: self.device.clone(),
            chosen: self.device.is_some(),
            samples: Vec::new(),
        }));
        let written = named_output(self.out.as_deref());
        let totals = observe(&self.input, &products, &history, written.as_slice())?;
        let samples = &mut lock(&history).samples;
        if samples.is_empty() {
            let _ = totals.report(&[]);
            let device = self.device.as_ref().map(|did| format!(" of device {did}"));
            return Err(refused(format_args!(
                "nothing to draw: no report or reply{} with a timestamp has `{}`",
                device.unwrap_or_default(),
                self.point
            )));
        }
        samples.sort_by_key(|sample| sample.millis);
        let drawing = Drawing {
            title: attr.name(),
            samples,
            label: &|raw| plain(engineering_value(product, attr, raw)),
        };
        match &self.out {
            None => out.write_all(drawing.text().as_bytes())?,
            Some(path) => image::write(path, drawing.svg(), out)?,
        }
        out.flush()?;
        totals.report(&[])
    }

    /// Finds the point of --point in the first product that has it.
    fn attr<'p>(&self, products: &'p Products) -> Result<(usize, &'p Product, &'p Attr), Failure> {
        let mut named = products.iter().enumerate();
        let first = named.find_map(|(n, product)| Some((n, product, product.find(&self.point)?)));
        first.ok_or_else(|| unknown_point(products, &self.point))
    }
}
