//! The columns that all tables have, the options of tables, and the words of the column `action`.

use gizwits_codec_core::View;

use super::partition::Partition;
use crate::message::ACTION_WORDS;
use crate::product::Product;
use crate::product::attr::Attr;

/// The type of the columns of number points in Arrow and Parquet.
///
/// Bools, enums and binaries have the same columns with every variant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Numbers {
    /// Exact engineering values: numbers with decimal places are Decimal128, whole numbers are integers. The
    /// default.
    #[default]
    Decimal,
    /// Engineering values: numbers with decimal places are Float64, the double nearest to the exact value. Whole
    /// numbers are integers.
    Float64,
    /// Raw values, before ratio and addition: UInt8, UInt16 or UInt32. The metadata of the field has the ratio and
    /// the addition.
    Raw,
}

impl Numbers {
    /// The name of the variant: `decimal`, `float64` or `raw`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Numbers::Decimal => "decimal",
            Numbers::Float64 => "float64",
            Numbers::Raw => "raw",
        }
    }
}

/// Options of tables: CSV, Arrow and Parquet.
///
/// ```
/// use gizwits_codec_std::Product;
/// use gizwits_codec_std::log::{Csv, Log, Products, Source, TableOptions};
///
/// let definition = std::fs::read_to_string("../tests/fixtures/air-conditioner.json")?;
/// let product = Product::from_json(&definition)?;
/// let options = TableOptions { flagged: true, ..TableOptions::default() };
/// let mut table = Vec::new();
/// let input = Source::new("input", &b"014000000030\n"[..]);
/// Log::new(&Products::one(product.clone())).decode([input], Csv::new(&product, options, &mut table)?)?;
/// let table = String::from_utf8(table)?;
/// assert!(table.starts_with("timestamp,type,did,action,flagged,switch,"));
/// assert!(table.ends_with("\r\n,,,control,set_temp,,,,,,,48,,,,\r\n"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableOptions {
    /// Whether the table has the column `extra`, a JSON object. The object contains the members of the record that
    /// the codec does not use, and the members of [`Decoded::to_json`](crate::Decoded::to_json) about surplus flags
    /// and about bodies of another length. Default: false.
    pub extra: bool,
    /// Whether the table has the column `flagged`, the names of the points whose value breaks the definition. In
    /// Arrow and Parquet it is a list, which is empty if no point is flagged; in CSV, the names are separated by
    /// spaces. Default: false.
    pub flagged: bool,
    /// The type of numbers in Arrow and Parquet. Default: [`Numbers::Decimal`].
    pub numbers: Numbers,
    /// The partition of the files that the table is written to, whose keys are no columns of the table. Default:
    /// none.
    pub partition: Partition,
    /// Whether names, labels, types and dids of a CSV that begin with `=`, `+`, `-`, `@`, a tab, CR or LF are
    /// prefixed with `'`, so that a spreadsheet does not interpret them as formulas. Default: false.
    pub guard: bool,
    /// Whether a CSV begins with a byte order mark, by which spreadsheets recognise UTF-8. Default: false.
    pub bom: bool,
    /// The compression level of zstd in Parquet, from 1 to 22. Default: 1.
    pub level: i32,
}

impl TableOptions {
    /// The defaults, as a constant.
    pub const DEFAULT: Self = TableOptions {
        extra: false,
        flagged: false,
        numbers: Numbers::Decimal,
        partition: Partition {
            time: None,
            did: false,
        },
        guard: false,
        bom: false,
        level: 1,
    };
}

impl Default for TableOptions {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// The names of the columns of a table: the columns of the record, then one column for each point.
///
/// A point with the name of another column, or of a key of the partition, has the column `attrs.NAME`.
pub(crate) fn head_names(product: &Product, options: &TableOptions) -> Vec<String> {
    let did = (!options.partition.did).then_some("did");
    let head = [Some("timestamp"), Some("type"), did, Some("action")];
    let head = head.into_iter().flatten();
    let head = head.chain(options.extra.then_some("extra"));
    let head = head.chain(options.flagged.then_some("flagged"));
    let mut names: Vec<String> = head.map(str::to_owned).collect();
    let keys = options.partition.keys();
    for attr in product.attrs() {
        let mut name = attr.name().to_owned();
        while names.contains(&name) || keys.clone().any(|key| *key == name) {
            name = format!("attrs.{name}");
        }
        names.push(name);
    }
    names
}

/// The names of the points of a message whose value breaks the definition.
pub(crate) fn flagged_names<'v>(
    product: &'v Product,
    view: Option<&'v View<'_, '_>>,
) -> impl Iterator<Item = &'v str> {
    let readings = view.into_iter().flatten();
    let flagged = readings.filter(|reading| reading.flagged().is_some());
    flagged.filter_map(|reading| product.attr(reading.id()).map(Attr::name))
}

/// The words of the column `action`. Records with any other action have an empty cell.
pub(crate) const ACTIONS: &[&str] = ACTION_WORDS.split_at(5).0;
