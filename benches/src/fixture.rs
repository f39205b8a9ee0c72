//! The products, and payloads of theirs.
//!
//! | product | points | status | |
//! | --- | --- | --- | --- |
//! | A | 11 | 7 bytes | an air conditioner |
//! | B | 45 | 206 bytes | a meter with 36 integers of 32 bits |
//! | B5, B50, B100 | 45 | var_len | B as a var_len product, with 5 %, 50 % and 100 % of its points in each message |
//! | C | 180 | 288 bytes | all kinds and widths in turn |
//! | W5, W50, W100 | 71 | var_len | a wave pump with 5 %, 50 % and 100 % of its points in each message |
//! | L4 | 1,024 | var_len | 512 bools and 512 bytes, 4 of them in each message |

use std::sync::LazyLock;

use gizwits_codec_core::{Action, Encoder, Kind, PointId, Raw, Value};
use gizwits_codec_std::{Product, payload};
use serde_json::json;

/// The number of payloads of a fixture.
pub const PAYLOADS: usize = 1000;

const PRODUCT_A: &str = include_str!("../../tests/fixtures/product-a.json");
const PRODUCT_B: &str = include_str!("../../tests/fixtures/product-b.json");
const WAVE_PUMP: &str = include_str!("../../tests/fixtures/wave-pump.json");

macro_rules! fixtures {
    ($($name:ident = $definition:expr, $present:expr;)*) => {
        $(
            #[doc = concat!("Product ", stringify!($name), ".")]
            pub static $name: LazyLock<Fixture> = LazyLock::new(|| Fixture::new(&$definition, $present));
        )*
    };
}

fixtures! {
    A = PRODUCT_A, None;
    B = PRODUCT_B, None;
    B5 = var_len(PRODUCT_B), Some(2);
    B50 = var_len(PRODUCT_B), Some(22);
    B100 = var_len(PRODUCT_B), Some(45);
    C = standard(180), None;
    W5 = WAVE_PUMP, Some(4);
    W50 = WAVE_PUMP, Some(36);
    W100 = WAVE_PUMP, Some(71);
    L4 = large(), Some(4);
}

/// Bytes that are made when they are needed for the first time, because all of them together take seconds.
pub type Lazy = LazyLock<Vec<u8>, Box<dyn FnOnce() -> Vec<u8>>>;

/// Bytes as the only input of a kernel.
#[must_use]
pub fn lazy(make: impl FnOnce() -> Vec<u8> + 'static) -> &'static [Lazy] {
    vec![Lazy::new(Box::new(make))].leak()
}

/// A product and its payloads.
#[derive(Debug)]
pub struct Fixture {
    /// The product.
    pub product: Product,
    /// The definition as JSON, as services that don't compile it hold it.
    pub definition: serde_json::Value,
    /// The reports.
    pub reports: &'static [&'static [u8]],
    /// The reports without their action byte: the statuses of a standard product.
    pub bodies: &'static [&'static [u8]],
    /// The reports in hex.
    pub lines: &'static [String],
}

impl Fixture {
    /// Reads the definition and makes up reports of `present` points each, the last point always: the same ones
    /// every time.
    ///
    /// # Panics
    /// If the definition is invalid.
    #[must_use]
    pub fn new(definition: &str, present: Option<usize>) -> Self {
        Fixture::of(definition, present, PAYLOADS)
    }

    /// Like [`new`](Self::new), with another number of reports.
    ///
    /// # Panics
    /// If the definition is invalid.
    #[must_use]
    pub fn of(definition: &str, present: Option<usize>, reports: usize) -> Self {
        let product = Product::from_json(definition).expect("the definition is valid");
        let definition = serde_json::from_str(definition).expect("the definition is JSON");
        let mut random = Random(if present.is_none() { 1 } else { 2 });
        let points = usize::from(product.layout().point_count());
        let reports: Vec<Vec<u8>> = (0..reports)
            .map(|_| {
                let mut ids: Vec<u16> = (0..points as u16).collect();
                if let Some(present) = present {
                    // The head of a shuffle, and the last point in front.
                    ids.swap(0, points - 1);
                    for n in 1..present {
                        let other = n + random.upto((points - 1 - n) as u32) as usize;
                        ids.swap(n, other);
                    }
                    ids.truncate(present);
                }
                report(&product, &ids, &mut random)
            })
            .collect();
        let lines: Vec<String> = reports.iter().map(|report| payload::hex(report)).collect();
        // One piece of memory without gaps, as they lie in a buffer that was received. The fixtures live as long
        // as the program, like the statics that hold them.
        let mut rest: &'static [u8] = reports.concat().leak();
        let mut pieces = Vec::new();
        for report in &reports {
            let (piece, behind) = rest.split_at(report.len());
            pieces.push(piece);
            rest = behind;
        }
        let bodies: Vec<&'static [u8]> = pieces.iter().map(|piece| &piece[1..]).collect();
        Fixture {
            product,
            definition,
            reports: pieces.leak(),
            bodies: bodies.leak(),
            lines: lines.leak(),
        }
    }

    /// The number of points.
    #[must_use]
    pub fn points(&self) -> usize {
        self.product.layout().point_count().into()
    }

    /// The values of each report, as an encoder takes them.
    ///
    /// # Panics
    /// Never: the reports are valid.
    #[must_use]
    pub fn values(&self) -> &'static [Values] {
        let values = self.bodies.iter().zip(self.reports).map(|(body, report)| {
            let view = self.product.layout().view(body).expect("a valid report");
            let decoded = self.product.decode(report).expect("a valid report");
            let json = decoded.to_json();
            let (_, attrs) = json.split_once(r#""attrs":"#).expect("attrs");
            Values {
                raws: view.iter().map(|value| (value.id(), value.raw())).collect(),
                exact: view
                    .iter()
                    .map(|value| (value.id(), value.value()))
                    .collect(),
                json: attrs[..attrs.len() - 1].to_owned(),
            }
        });
        values.collect::<Vec<_>>().leak()
    }
}

/// The values of one report.
#[derive(Clone, Debug)]
pub struct Values {
    /// The raw values.
    pub raws: Vec<(PointId, Raw<'static>)>,
    /// The engineering values.
    pub exact: Vec<(PointId, Value<'static>)>,
    /// The engineering values as a JSON object.
    pub json: String,
}

/// Returns a definition with the protocol var_len in place of standard.
#[must_use]
pub fn var_len(definition: &str) -> String {
    definition.replace(r#""standard""#, r#""var_len""#)
}

/// The definition of a standard product with all kinds of numbers: 13 bytes for 8 points.
#[must_use]
pub fn standard(points: usize) -> String {
    let mut byte = 0;
    let mut attrs = Vec::new();
    for id in 0..points {
        let number = |bytes: usize, max: u32, ratio: f64, addition: i32| {
            (
                format!("uint{}", 8 * bytes),
                bytes,
                json!({"min": 0, "max": max, "ratio": ratio, "addition": addition}),
            )
        };
        let mut attr = json!({
            "id": id, "name": format!("point_{id}"), "display_name": format!("point {id}"),
            "type": "status_writable",
        });
        let (data_type, len, spec) = match id % 8 {
            bit @ 0..3 => {
                let (data_type, width) = [("bool", 1), ("bool", 1), ("enum", 2)][bit];
                attr["data_type"] = json!(data_type);
                attr["position"] =
                    json!({"byte_offset": byte, "bit_offset": bit, "len": width, "unit": "bit"});
                if bit == 2 {
                    attr["enum"] = json!(["auto", "cool", "heat", "dry"]);
                }
                // The next integer begins a byte of its own.
                byte += usize::from(bit == 2 || id + 1 == points);
                attrs.push(attr);
                continue;
            }
            3 => number(1, 100, 1.0, 0),
            4 => number(1, 250, 1.0, -10),
            5 => number(2, 65_000, 0.1, 0),
            _ => number(4, 4_000_000, 0.01, 0),
        };
        attr["data_type"] = json!(data_type);
        attr["position"] =
            json!({"byte_offset": byte, "bit_offset": 0, "len": len, "unit": "byte"});
        attr["uint_spec"] = spec;
        byte += len;
        attrs.push(attr);
    }
    document("standard", attrs)
}

/// 512 bools, then 512 uint8.
fn large() -> String {
    let attr = |id: u32| {
        let (data_type, unit) = match id {
            0..512 => ("bool", "bit"),
            _ => ("uint8", "byte"),
        };
        let mut attr = json!({
            "id": id, "name": format!("p{id}"), "type": "status_writable", "data_type": data_type,
            "position": {"byte_offset": 0, "bit_offset": 0, "len": 1, "unit": unit},
        });
        if id >= 512 {
            attr["uint_spec"] = json!({"min": 0, "max": 255});
        }
        attr
    };
    document("var_len", (0..1024).map(attr).collect())
}

fn document(protocol: &str, attrs: Vec<serde_json::Value>) -> String {
    let definition = json!({
        "name": "made up", "product_key": "1c8f3a0b6d2e4f5a9b7c8d1e2f3a4b5c", "protocolType": protocol,
        "packetVersion": "0x00000004", "entities": [{"id": 0, "name": "entity0", "attrs": attrs}],
    });
    definition.to_string()
}

/// Reports of a product with all of its points, the same ones every time, without an end.
#[derive(Debug)]
pub struct Reports {
    product: Product,
    ids: Vec<u16>,
    random: Random,
}

impl Reports {
    /// Creates the reports, from the first on.
    #[must_use]
    pub fn new(product: &Product) -> Self {
        Reports {
            ids: (0..product.layout().point_count()).collect(),
            product: product.clone(),
            random: Random(3),
        }
    }

    /// Returns the next report.
    pub fn draw(&mut self) -> Vec<u8> {
        report(&self.product, &self.ids, &mut self.random)
    }
}

/// A report with a value within its limits for each of the points.
fn report(product: &Product, ids: &[u16], random: &mut Random) -> Vec<u8> {
    let layout = product.layout();
    let mut buffer = vec![0; layout.p0_len(Action::Report)];
    let mut encoder =
        Encoder::begin(layout, Action::Report, &mut buffer).expect("the buffer is large enough");
    for id in ids.iter().copied().map(PointId) {
        let (min, max) = layout.limits(id).expect("the point exists");
        let kind = product.attr(id).map(|attr| attr.point().kind);
        if let Some(Kind::Binary) = kind {
            let bytes: Vec<u8> = (0..max).map(|_| random.upto(255) as u8).collect();
            encoder.set(id, Value::Binary(&bytes))
        } else {
            encoder.set_raw(id, min + random.upto(max - min))
        }
        .expect("the value is within its limits");
    }
    encoder.finish().to_vec()
}

/// SplitMix64: small, and good enough to leave no pattern for branch prediction.
#[derive(Debug)]
struct Random(u64);

impl Random {
    /// A number from 0 to `max`.
    fn upto(&mut self, max: u32) -> u32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let high = (bits ^ (bits >> 31)) >> 32;
        ((high * (u64::from(max) + 1)) >> 32) as u32
    }
}
