//! The products, and payloads of theirs.
//!
//! A is an air conditioner of 11 points in 7 bytes, B has 45 points in 206 bytes. W is a var_len wave
//! pump of 71 points, L a var_len product of 1,024.

use std::sync::LazyLock;

use gizwits_codec_core::{Action, Encoder, Kind, PointId, Value};
use gizwits_codec_std::{Product, payload};

/// How many payloads a fixture has.
pub const PAYLOADS: usize = 1000;

/// Product A.
pub static A: LazyLock<Fixture> =
    LazyLock::new(|| Fixture::new(include_str!("../../tests/fixtures/product-a.json")));

/// Product B.
pub static B: LazyLock<Fixture> =
    LazyLock::new(|| Fixture::new(include_str!("../../tests/fixtures/product-b.json")));

/// A product and its payloads.
#[derive(Debug)]
pub struct Fixture {
    /// The product.
    pub product: Product,
    /// Its definition, as services that don't compile it hold it.
    pub definition: serde_json::Value,
    /// The statuses, one after the other.
    statuses: Vec<u8>,
    /// The same statuses as reports in hex.
    pub lines: Vec<String>,
}

impl Fixture {
    /// Reads the definition and makes up payloads: the same ones every time.
    ///
    /// # Panics
    /// If the definition is wrong.
    #[must_use]
    pub fn new(definition: &str) -> Self {
        let product = Product::from_json(definition).expect("the definition is valid");
        let definition = serde_json::from_str(definition).expect("the definition is JSON");
        let mut random = Random(1);
        let ids: Vec<u16> = (0..product.layout().points()).collect();
        let (mut statuses, mut lines) = (Vec::new(), Vec::new());
        for _ in 0..PAYLOADS {
            let report = report(&product, &ids, &mut random);
            statuses.extend(&report[1..]);
            lines.push(payload::hex(&report));
        }
        Fixture {
            product,
            definition,
            statuses,
            lines,
        }
    }

    /// The statuses: the bodies of the reports.
    pub fn statuses(&self) -> impl Iterator<Item = &[u8]> {
        self.statuses
            .chunks_exact(self.product.layout().status_len())
    }
}

/// W with 5 % of its points in each message: 4 of 71.
pub static W5: LazyLock<Messages> = LazyLock::new(|| Messages::new(&wave_pump(), 4));
/// W with half of its points: 36 of 71.
pub static W50: LazyLock<Messages> = LazyLock::new(|| Messages::new(&wave_pump(), 36));
/// W with all of its points.
pub static W100: LazyLock<Messages> = LazyLock::new(|| Messages::new(&wave_pump(), 71));
/// L with 4 of its points.
pub static L4: LazyLock<Messages> = LazyLock::new(|| Messages::new(&large(), 4));

fn wave_pump() -> Product {
    let definition = include_str!("../../tests/fixtures/wave-pump.json");
    Product::from_json(definition).expect("the definition is valid")
}

/// 512 bools, then 512 uint8.
fn large() -> Product {
    let attr = |id: u32| {
        let (data_type, unit) = if id < 512 {
            ("bool", "bit")
        } else {
            ("uint8", "byte")
        };
        let mut attr = serde_json::json!({
            "id": id, "name": format!("p{id}"), "type": "status_writable", "data_type": data_type,
            "position": {"byte_offset": 0, "bit_offset": 0, "len": 1, "unit": unit},
        });
        if id >= 512 {
            attr["uint_spec"] = serde_json::json!({"min": 0, "max": 255});
        }
        attr
    };
    let attrs: Vec<serde_json::Value> = (0..1024).map(attr).collect();
    let definition = serde_json::json!({
        "name": "L", "product_key": "1c8f3a0b6d2e4f5a9b7c8d1e2f3a4b5c", "protocolType": "var_len",
        "packetVersion": "0x00000004", "entities": [{"id": 0, "name": "entity0", "attrs": attrs}],
    });
    Product::from_json(&definition.to_string()).expect("the definition is valid")
}

/// A var_len product and messages with some of its points.
#[derive(Debug)]
pub struct Messages {
    /// The product.
    pub product: Product,
    /// Reports without their action byte.
    pub bodies: Vec<Vec<u8>>,
}

impl Messages {
    /// Makes up reports of `present` points each, the last one always: the same ones every time.
    fn new(product: &Product, present: usize) -> Self {
        let mut random = Random(2);
        let points = usize::from(product.layout().points());
        let bodies = (0..PAYLOADS).map(|_| {
            // The head of a shuffle, and the last point in front.
            let mut ids: Vec<u16> = (0..points as u16).collect();
            ids.swap(0, points - 1);
            for n in 1..present {
                let other = n + random.upto((points - 1 - n) as u32) as usize;
                ids.swap(n, other);
            }
            report(product, &ids[..present], &mut random)[1..].to_vec()
        });
        Messages {
            bodies: bodies.collect(),
            product: product.clone(),
        }
    }
}

/// Reports of a product with all of its points, the same ones every time, without an end.
#[derive(Debug)]
pub struct Reports {
    product: Product,
    ids: Vec<u16>,
    random: Random,
}

impl Reports {
    /// From the first on.
    #[must_use]
    pub fn new(product: &Product) -> Self {
        Reports {
            ids: (0..product.layout().points()).collect(),
            product: product.clone(),
            random: Random(3),
        }
    }

    /// One more.
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
