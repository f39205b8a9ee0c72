//! The values of data points in the answers of `/data` and in decoded frames.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::scalar::Field;

/// The values of data points, by the names of the points.
pub type Attrs = BTreeMap<String, AttrValue>;

/// The value of a data point in the conventions of the API: a bool is 0 or 1, an enum its label, a number its
/// engineering value, a binary its hex digits. A control accepts these values unchanged.
///
/// # Examples
/// ```
/// use gizwits_enterprise_client::{AttrValue, Attrs};
///
/// let attrs: Attrs = serde_json::from_str(r#"{"switch":1,"mode":"cool","room_temp":-10.5}"#)?;
/// assert_eq!(attrs["switch"].as_bool(), Some(true));
/// assert_eq!(attrs["mode"].as_str(), Some("cool"));
/// assert_eq!(attrs["room_temp"], AttrValue::from(-10.5));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AttrValue(Value);

impl AttrValue {
    /// The value as JSON.
    #[must_use]
    pub fn json(&self) -> &Value {
        &self.0
    }

    /// The bool, if the value is `0`, `1`, `false` or `true`.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        match (&self.0, self.as_f64()) {
            (Value::Bool(value), _) => Some(*value),
            (_, Some(0.0)) => Some(false),
            (_, Some(1.0)) => Some(true),
            _ => None,
        }
    }

    /// The label of an enum, or the hex digits of a binary.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        self.0.as_str()
    }

    /// The number, with a precision of about 15 digits.
    #[must_use]
    pub fn as_f64(&self) -> Option<f64> {
        match &self.0 {
            Value::String(text) => text.parse().ok(),
            value => value.as_f64(),
        }
    }

    /// The number with all its digits.
    #[cfg(feature = "codec")]
    #[must_use]
    pub fn as_decimal(&self) -> Option<gizwits_codec_std::Decimal> {
        serde_json::from_value(self.0.clone()).ok()
    }
}

impl PartialEq for AttrValue {
    /// Compares numbers by their value: 1 equals 1.0.
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Value::Number(one), Value::Number(two)) => one == two || one.as_f64() == two.as_f64(),
            (one, two) => one == two,
        }
    }
}

impl<T: Into<Value>> From<T> for AttrValue {
    fn from(value: T) -> Self {
        AttrValue(value.into())
    }
}

impl fmt::Display for AttrValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Value::String(text) => f.write_str(text),
            value => value.fmt(f),
        }
    }
}

impl Field for Attrs {}
