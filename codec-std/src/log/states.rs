//! The states of the devices of a log, which one log hands on to the next.

use std::collections::HashMap;
use std::io::{self, BufRead, Write};

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::error::Error;
use crate::message::State;
use crate::product::Product;
use crate::product::products::Products;

/// The last known values of devices, with which [`Options::fill`](super::Options::fill) completes their messages.
///
/// A log that is decoded in several runs keeps its states from one run to the next with [`Log::states`](super::Log::states).
///
/// ```
/// use gizwits_codec_std::Product;
/// use gizwits_codec_std::log::{Log, Ndjson, Options, Products, Source, States};
///
/// let definition = std::fs::read_to_string("../tests/fixtures/voice-toy.json")?;
/// let products = Products::one(Product::from_json(&definition)?);
/// let options = Options { fill: true, ..Options::default() };
/// let mut saved = Vec::new();
/// let mut last = Vec::new();
/// for report in ["140801", "14201e"] {
///     last.clear();
///     let mut states = States::read(&products, &saved[..])?;
///     let line = format!("{{\"did\":\"a\",\"payload\":\"{report}\"}}\n");
///     let log = Log::new(&products).options(options).states(&mut states);
///     log.decode([Source::new("run", std::io::Cursor::new(line))], Ndjson::new(&products, &mut last))?;
///     saved.clear();
///     states.write(&mut saved)?;
/// }
/// let last = String::from_utf8(last)?;
/// assert!(last.ends_with("\"attrs\":{\"alert_tone_language\":\"english\",\"volume_set\":30}}\n"), "{last}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct States {
    products: Products,
    /// The states of each product, by did.
    pub(super) by_product: Vec<HashMap<Box<str>, State>>,
}

/// A line of the saved form.
#[derive(Deserialize)]
struct Line<'a> {
    did: String,
    #[serde(borrow)]
    state: &'a RawValue,
}

impl States {
    /// Creates an empty collection.
    #[must_use]
    pub fn new(products: &Products) -> Self {
        States {
            products: products.clone(),
            by_product: products.iter().map(|_| HashMap::new()).collect(),
        }
    }

    /// Reads the states that [`write`](Self::write) has written.
    ///
    /// # Errors
    /// The error of the read. `InvalidData` if a line has another form, or is of a product or a point that the
    /// definitions do not have. The message begins with the number of the line.
    pub fn read(products: &Products, input: impl BufRead) -> io::Result<Self> {
        let mut states = Self::new(products);
        for (number, line) in (1..).zip(input.lines()) {
            let invalid = |message: &str| {
                io::Error::new(
                    io::ErrorKind::InvalidData,
                    format!("line {number}: {message}"),
                )
            };
            let line = line?;
            let parsed = serde_json::from_str::<Line<'_>>(&line).map_err(|_| {
                invalid("not the state of a device: expected {\"did\":…,\"state\":{…}}")
            })?;
            let restored = states.restore(parsed.state.get());
            let (index, state) = restored.map_err(|error| invalid(&error.message))?;
            if let Some(states) = states.by_product.get_mut(index) {
                states.insert(parsed.did.into(), state);
            }
        }
        Ok(states)
    }

    /// Restores a snapshot of one of the products, whose index it returns.
    fn restore(&self, snapshot: &str) -> Result<(usize, State), Error> {
        let mut last = None;
        for (index, product) in self.products.iter().enumerate() {
            match product.restore(snapshot) {
                Ok(state) => return Ok((index, state)),
                Err(error) if error.kind == "other_product" => last = Some(error),
                Err(error) => return Err(error),
            }
        }
        let none = || Error::new("other_product", "there is no product".to_owned());
        Err(last.unwrap_or_else(none))
    }

    /// Writes the states as lines of JSON, `{"did":…,"state":…}` with [`State::snapshot`], in the order of products
    /// and dids.
    ///
    /// # Errors
    /// The error of the write.
    pub fn write(&self, mut out: impl Write) -> io::Result<()> {
        for states in &self.by_product {
            let mut sorted: Vec<_> = states.iter().collect();
            sorted.sort_by_key(|(did, _)| *did);
            for (did, state) in sorted {
                let did = serde_json::to_string(did)?;
                writeln!(out, "{{\"did\":{did},\"state\":{}}}", state.snapshot())?;
            }
        }
        out.flush()
    }

    /// The number of devices.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_product.iter().map(HashMap::len).sum()
    }

    /// Whether there is no device.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the state of a device of a product; `None` if the device or the product is unknown.
    #[must_use]
    pub fn get(&self, product: &Product, did: &str) -> Option<&State> {
        let mut products = self.products.iter();
        let index = products.position(|own| own.product_key() == product.product_key())?;
        self.by_product.get(index)?.get(did)
    }
}
