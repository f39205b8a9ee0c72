//! Logs in files of each format, as `gizwits_log` reads them.

use std::env;
use std::fs::{self, File};
use std::path::Path;
use std::process::Command;

use datafusion::arrow::util::pretty::pretty_format_batches;
use gizwits_codec_std::Product;
use gizwits_codec_std::log::{Log, Parquet, Products, Source, TableOptions};

use crate::clock::{Costs, cpu_time, seconds};
use crate::records::Records;
use crate::{Outcome, ROUNDS, query, session};

/// The measured costs of a format.
#[derive(Debug)]
pub(crate) struct Figures {
    pub(crate) title: &'static str,
    /// The bytes of a record in the file.
    pub(crate) bytes: f64,
    /// The CPU seconds per million records to compute the mean of an attribute per hour.
    pub(crate) hours: f64,
}

/// A format of the log.
struct Form {
    title: &'static str,
    file: &'static str,
    /// Whether the file is read by `gizwits_log`. Otherwise it is a table of payloads.
    is_decoded: bool,
}

const FORMS: [Form; 5] = [
    Form {
        title: "NDJSON",
        file: "log.ndjson",
        is_decoded: true,
    },
    Form {
        title: "NDJSON, gzip",
        file: "log.ndjson.gz",
        is_decoded: true,
    },
    Form {
        title: "NDJSON, zstd",
        file: "log.ndjson.zst",
        is_decoded: true,
    },
    Form {
        title: "Parquet of payloads",
        file: "raw.parquet",
        is_decoded: false,
    },
    Form {
        title: "Parquet of attributes",
        file: "log.parquet",
        is_decoded: true,
    },
];

impl Form {
    fn table(&self, folder: &Path) -> String {
        let file = folder.join(self.file);
        match self.is_decoded {
            true => format!("gizwits_log('{}', 'product')", file.display()),
            false => format!("'{}'", file.display()),
        }
    }

    /// The expression of an attribute.
    fn attr(&self, attr: &str) -> String {
        match self.is_decoded {
            true => format!("\"{attr}\""),
            false => format!("(gizwits_decode('product', payload)).{attr}"),
        }
    }

    /// The query that reads every record and decodes no attribute.
    fn scan(&self, table: &str) -> String {
        match self.is_decoded {
            true => format!("SELECT count(timestamp) FROM {table}"),
            false => format!("SELECT count(timestamp), min(payload) FROM {table}"),
        }
    }

    /// The query that decodes all attributes.
    fn all(&self, product: &Product, table: &str) -> String {
        let columns: Vec<String> = match self.is_decoded {
            true => product
                .attrs()
                .map(|attr| format!("count(\"{}\")", attr.name()))
                .collect(),
            false => vec!["count(gizwits_decode('product', payload))".to_owned()],
        };
        format!("SELECT {} FROM {table}", columns.join(", "))
    }
}

/// Decodes the log to Parquet, by the command-line tool that the variable GIZWITS names or by its library.
/// Returns the CPU seconds of the library.
fn decode(product: &Product, definition: &Path, folder: &Path) -> Outcome<Option<f64>> {
    let (from, to) = (folder.join("log.ndjson"), folder.join("log.parquet"));
    if let Some(gizwits) = env::var_os("GIZWITS") {
        let mut command = Command::new(gizwits);
        command
            .args(["log", "decode", "-d"])
            .arg(definition)
            .arg(&from)
            .arg("-o")
            .arg(&to);
        return match command.status()?.success() {
            true => Ok(None),
            false => Err("gizwits log decode failed".into()),
        };
    }
    let start = cpu_time();
    let parquet = Parquet::new(product, TableOptions::default(), File::create(to)?)?;
    let source = Source::new("log.ndjson", File::open(from)?);
    let products = Products::one(product.clone());
    Log::new(&products).threads(1).decode([source], parquet)?;
    Ok(Some(seconds(start)))
}

/// Measures the formats with `count` records of a product. All must have the same means per hour.
pub(crate) async fn measure(
    product: &Product,
    definition: &Path,
    attr: &str,
    count: usize,
    folder: &Path,
) -> Outcome<Vec<Figures>> {
    Records::new(product).write(count, folder)?;
    let decoding = decode(product, definition, folder)?;
    let context = session(product, 1);
    let hours = |form: &Form| {
        let (attr, table) = (form.attr(attr), form.table(folder));
        format!(
            "SELECT date_trunc('hour', timestamp) h, avg({attr}) AS mean FROM {table} GROUP BY h"
        )
    };

    let mut expected = None;
    for form in FORMS.iter().rev() {
        let sorted = format!("{} ORDER BY h", hours(form));
        let frame = gizwits_datafusion::sql(&context, &sorted).await?;
        let rows = frame.collect().await?;
        let means = pretty_format_batches(&rows)?.to_string();
        let expected = expected.get_or_insert_with(|| means.clone());
        if *expected != means {
            return Err(format!("{} has other means:\n{means}\n{expected}", form.title).into());
        }
    }
    let groups = expected.map_or(0, |table| table.lines().count() - 4);
    let decoder = match decoding {
        Some(_) => "the library",
        None => "`gizwits log decode`",
    };
    println!(
        "{count} records: all formats have the {groups} means of the Parquet file of {decoder}."
    );
    println!();
    println!(
        "| {}, {count} records in a file | bytes per record | scan | decode `{attr}` | aggregate | mean per hour | all attributes |",
        product.name()
    );
    println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: |");
    let mut figures = Vec::new();
    for form in &FORMS {
        let table = form.table(folder);
        let one = format!(
            "SELECT count(timestamp), count({}) FROM {table}",
            form.attr(attr)
        );
        let mut costs = Costs::new(count);
        for _ in 0..ROUNDS {
            let scan = query(&context, &form.scan(&table)).await?;
            let one = query(&context, &one).await?;
            let hours = query(&context, &hours(form)).await?;
            costs.add("scan", scan);
            costs.add("decode", one - scan);
            costs.add("aggregate", hours - one);
            costs.add("hours", hours);
            costs.add("all", query(&context, &form.all(product, &table)).await?);
        }
        let bytes = fs::metadata(folder.join(form.file))?.len() as f64 / count as f64;
        print!("| {} | {bytes:.1} |", form.title);
        for work in ["scan", "decode", "aggregate", "hours", "all"] {
            print!(" {:.3} |", costs.of(work));
        }
        println!();
        figures.push(Figures {
            title: form.title,
            bytes,
            hours: costs.of("hours"),
        });
    }
    println!();
    if let Some(seconds) = decoding {
        let cost = seconds * 1e6 / count as f64;
        println!("NDJSON to Parquet of attributes: {cost:.3} CPU s per million records.");
        println!();
    }
    Ok(figures)
}
