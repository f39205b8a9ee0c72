//! The effect of a control: the report that has its values.

use gizwits_codec_std::Product;
use serde_json::{Map, Value};

/// The values that the MCU has to report after the last line that was sent.
#[derive(Default)]
pub(super) struct Effect {
    /// The values of the control that were not reported yet, by name. Empty after a read.
    missing: Map<String, Value>,
    is_reported: bool,
}

impl Effect {
    /// Returns the effect of a control, or of a read, which any report answers.
    pub(super) fn of(product: &Product, p0: &[u8]) -> Self {
        Effect {
            missing: values(product, p0),
            is_reported: false,
        }
    }

    /// Takes the acknowledgement of the control or the read. A report that comes before the acknowledgement of a read is
    /// no answer to it.
    pub(super) fn acknowledged(&mut self, product: &Product, p0: &[u8]) {
        if values(product, p0).is_empty() {
            self.is_reported = false;
        }
    }

    /// Takes a report. The values of a control may come in several.
    pub(super) fn reported(&mut self, product: &Product, p0: &[u8]) {
        let values = values(product, p0);
        self.missing
            .retain(|name, value| values.get(name) != Some(value));
        self.is_reported = self.missing.is_empty();
    }

    /// Whether the MCU has reported all values of the control, or has answered the read.
    pub(super) const fn is_reported(&self) -> bool {
        self.is_reported
    }
}

/// Returns the values of a P0 by name. It is empty for a P0 that cannot be decoded.
fn values(product: &Product, p0: &[u8]) -> Map<String, Value> {
    let Ok(decoded) = product.decode_p0(p0) else {
        return Map::new();
    };
    match serde_json::from_str(&decoded.to_json()) {
        Ok(Value::Object(mut message)) => match message.remove("attrs") {
            Some(Value::Object(values)) => values,
            _ => Map::new(),
        },
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use gizwits_codec_std::Action;

    use super::*;

    fn product() -> Product {
        Product::from_json(include_str!(
            "../../../../tests/fixtures/air-conditioner.json"
        ))
        .unwrap()
    }

    #[test]
    fn a_control_is_over_with_a_report_of_its_values() {
        let product = product();
        // The switch is on, and this is the temperature to reach.
        let report = |temp| [0x04, 0x01, 0, 0, temp, 0, 0, 0];
        let mut control = product.message(Action::Control);
        control.set_word("switch", "on").unwrap();
        control.set_word("set_temp", "24").unwrap();
        let mut effect = Effect::of(&product, &control.encode().unwrap());
        for (temp, is_reported) in [(23, false), (24, true), (25, true)] {
            effect.reported(&product, &report(temp));
            assert_eq!(effect.is_reported(), is_reported, "{temp}");
        }
        // A report that is no answer to a read comes before its acknowledgement.
        let read = product.message(Action::Read).encode().unwrap();
        let mut effect = Effect::of(&product, &read);
        effect.reported(&product, &report(24));
        effect.acknowledged(&product, &read);
        assert!(!effect.is_reported());
        effect.reported(&product, &report(24));
        assert!(effect.is_reported());
    }
}
