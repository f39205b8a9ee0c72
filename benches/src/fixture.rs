//! The two products, and payloads of theirs.
//!
//! A is an air conditioner of 11 points in 7 bytes, B has 45 points in 206 bytes.

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
        let (mut statuses, mut lines) = (Vec::new(), Vec::new());
        for _ in 0..PAYLOADS {
            let report = report(&product, &mut random);
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

/// A report with a value within its limits for every point.
fn report(product: &Product, random: &mut Random) -> Vec<u8> {
    let layout = product.layout();
    let mut buffer = vec![0; layout.p0_len(Action::Report)];
    let mut encoder =
        Encoder::begin(layout, Action::Report, &mut buffer).expect("the buffer is large enough");
    for id in (0..layout.points()).map(PointId) {
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
