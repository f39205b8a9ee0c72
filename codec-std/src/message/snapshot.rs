//! The saved form of a state: versioned JSON with raw values.

use gizwits_codec_core::Raw;
use serde_json::{Map, Value};

use super::payload;
use super::state::State;
use crate::error::{Error, shown};
use crate::product::Product;
use crate::product::location::{Location, locations};

/// The version of the format that [`State::snapshot`] writes.
const VERSION: u64 = 1;

impl State {
    /// Returns the state as one line of JSON, from which [`Product::restore`] makes an equal state.
    ///
    /// The object has the members `version`, which is 1, `product_key`, and `points` with the points that have a
    /// known value, by name. Values are raw: numbers before ratio and addition, the index of an enum, 0 or 1 for a
    /// bool, and the hex digits of a binary. Values that break the definition are saved as well. Use
    /// [`to_json`](Self::to_json) for engineering values and labels.
    ///
    /// ```
    /// use gizwits_codec_std::Product;
    ///
    /// let definition = std::fs::read_to_string("../tests/fixtures/voice-toy.json")?;
    /// let product = Product::from_json(&definition)?;
    /// let mut state = product.state();
    /// product.merge(&mut state, &product.decode(&[0x14, 0x20, 0x1e])?)?;
    /// let key = product.product_key();
    /// let snapshot = format!(r#"{{"version":1,"product_key":"{key}","points":{{"volume_set":30}}}}"#);
    /// assert_eq!(state.snapshot(), snapshot);
    /// assert_eq!(product.restore(&snapshot)?.to_json(), state.to_json());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn snapshot(&self) -> String {
        let product = self.product();
        let mut points = String::new();
        for reading in self.view() {
            let Some(attr) = product.attr(reading.id()) else {
                continue;
            };
            if !points.is_empty() {
                points.push(',');
            }
            points.push_str(&attr.key);
            points.push_str(&match reading.raw() {
                Raw::Number(raw) => raw.to_string(),
                Raw::Bytes(bytes) => format!("\"{}\"", payload::hex(bytes)),
            });
        }
        let key = Value::from(product.product_key());
        format!(r#"{{"version":{VERSION},"product_key":{key},"points":{{{points}}}}}"#)
    }
}

impl Product {
    /// Makes a state from the JSON of [`State::snapshot`].
    ///
    /// The definition may have more points than at the time of the snapshot. These points then have no known value.
    ///
    /// # Errors
    /// - `snapshot` if the JSON has another form or version.
    /// - `other_product` if the snapshot is of another product.
    /// - `unknown_point` if the definition has no point of a name.
    /// - `wrong_kind` if a value does not fit in its point.
    pub fn restore(&self, snapshot: &str) -> Result<State, Error> {
        let invalid = |message: String| Error::new("snapshot", message);
        let mut json: Map<String, Value> = serde_json::from_str(snapshot).map_err(|_| {
            let expected = r#"{"version":1,"product_key":…,"points":{…}}"#;
            invalid(format!("not a snapshot of a state: expected {expected}"))
        })?;
        match json.get("version").map(Value::as_u64) {
            Some(Some(VERSION)) => {}
            Some(Some(version)) => {
                let message = format!("the snapshot has version {version}: expected {VERSION}");
                return Err(invalid(message));
            }
            _ => return Err(invalid("the snapshot has no number `version`".to_owned())),
        }
        let key = json.get("product_key").and_then(Value::as_str);
        let key =
            key.ok_or_else(|| invalid("the snapshot has no text `product_key`".to_owned()))?;
        if key != self.product_key() {
            let (own, key) = (shown(self.product_key()), shown(key));
            let message = format!("the snapshot is of the product_key `{key}`: expected `{own}`");
            return Err(Error::new("other_product", message));
        }
        let Some(Value::Object(points)) = json.remove("points") else {
            return Err(invalid("the snapshot has no object `points`".to_owned()));
        };
        let locations = locations(self);
        let mut state = self.state();
        for (name, value) in points {
            let attr = self.require(&name)?;
            let id = attr.id();
            let written = locations.get(id.index()).is_some_and(|location| {
                state.set_known(id);
                put(state.status_mut(), location, &value)
            });
            if !written {
                let expected = match locations.get(id.index()) {
                    Some(Location { bits: 0, len, .. }) => format!("{} hex digits", 2 * len),
                    location => {
                        let most = location.map_or(0, Location::most);
                        format!("a raw value from 0 to {most}")
                    }
                };
                let (name, value) = (attr.name(), value.to_string());
                let value = shown(&value);
                let message = format!("`{name}` is {value}: expected {expected}");
                return Err(Error {
                    point: Some(attr.name().to_owned()),
                    ..Error::new("wrong_kind", message)
                });
            }
        }
        Ok(state)
    }
}

/// Writes a saved value to its place in a status. Returns false if it does not fit.
fn put(status: &mut [u8], location: &Location, value: &Value) -> bool {
    let Some(bytes) = status.get_mut(location.end - location.len..location.end) else {
        return false;
    };
    if location.bits == 0 {
        let hex = value.as_str().filter(|hex| hex.len() == 2 * bytes.len());
        let digits = hex.filter(|hex| hex.bytes().all(|digit| digit.is_ascii_hexdigit()));
        return digits.is_some_and(|hex| faster_hex::hex_decode(hex.as_bytes(), bytes).is_ok());
    }
    let most = u64::from(location.most());
    let Some(raw) = value.as_u64().filter(|raw| *raw <= most) else {
        return false;
    };
    let (mask, raw) = (most << location.shift, raw << location.shift);
    for (n, byte) in bytes.iter_mut().rev().enumerate() {
        let (mask, raw) = ((mask >> (8 * n)) as u8, (raw >> (8 * n)) as u8);
        *byte = *byte & !mask | raw;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use gizwits_codec_core::Protocol;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        /// A snapshot of any state of any fixture makes an equal state, also with values that break the definition.
        #[test]
        fn snapshots_of_any_state(bytes in proptest::collection::vec(any::<u8>(), 400), known: u8) {
            let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures");
            for file in std::fs::read_dir(folder).unwrap() {
                let json = std::fs::read_to_string(file.unwrap().path()).unwrap();
                let product = Product::from_json(&json).unwrap();
                let layout = product.layout();
                let mut state = product.state();
                if known > 10 {
                    let status: Vec<u8> = bytes.iter().copied().cycle().take(layout.status_len()).collect();
                    state.update(layout.view_lax(&match layout.protocol() {
                        Protocol::Standard => status,
                        Protocol::VarLen => {
                            let mut mask: Vec<u8> = bytes.iter().rev().copied().take(layout.mask_len()).collect();
                            if let (Some(first), spare @ 1..) = (mask.first_mut(), layout.point_count() % 8) {
                                *first &= !(0xff << spare);
                            }
                            [mask, status].concat()
                        }
                    })).unwrap();
                }
                let snapshot = state.snapshot();
                let again = product.restore(&snapshot).unwrap();
                prop_assert_eq!(again.to_json(), state.to_json());
                prop_assert_eq!(again.snapshot(), snapshot);
                let values = |state: &State| {
                    state.view().iter().map(|reading| format!("{:?}", reading.raw())).collect::<Vec<_>>()
                };
                prop_assert_eq!(values(&again), values(&state));
            }
        }
    }

    #[test]
    fn other_snapshots_are_refused() {
        let json = include_str!("../../../tests/fixtures/voice-toy.json");
        let product = Product::from_json(json).unwrap();
        let key = product.product_key();
        let of = |points: &str| {
            format!(r#"{{"version":1,"product_key":"{key}","points":{{{points}}}}}"#)
        };
        for (snapshot, kind, message) in [
            ("[]".to_owned(), "snapshot", "not a snapshot of a state"),
            (
                "{}".to_owned(),
                "snapshot",
                "the snapshot has no number `version`",
            ),
            (
                of("").replace(":1,", ":2,"),
                "snapshot",
                "the snapshot has version 2: expected 1",
            ),
            (
                of("").replace("points", "attrs"),
                "snapshot",
                "the snapshot has no object `points`",
            ),
            (
                of("").replace(key, "0"),
                "other_product",
                "the snapshot is of the product_key `0`: expected",
            ),
            (
                of(r#""volume_sat":1"#),
                "unknown_point",
                "unknown point `volume_sat`: did you mean `volume_set`?",
            ),
            (
                of(r#""volume_set":256"#),
                "wrong_kind",
                "`volume_set` is 256: expected a raw value from 0 to 255",
            ),
            (
                of(r#""volume_set":-1"#),
                "wrong_kind",
                "`volume_set` is -1: expected",
            ),
            (
                of(r#""firmware":"01""#),
                "wrong_kind",
                "`firmware` is \"01\": expected 12 hex digits",
            ),
            (
                of(r#""firmware":"01020304050g""#),
                "wrong_kind",
                "`firmware` is",
            ),
        ] {
            let error = product.restore(&snapshot).unwrap_err();
            assert_eq!(error.kind, kind, "{}", error.message);
            assert!(error.message.starts_with(message), "{}", error.message);
        }
    }
}
