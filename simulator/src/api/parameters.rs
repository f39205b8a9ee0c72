//! The query and the body of a call, deserialized into the types of its handler.

use gizwits_codec_std::core::definition;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::call::Call;
use super::refusal::{Failure, refuse_because};
use crate::world::day;

impl Call<'_> {
    /// Reads the query. All values are strings. The last value of a repeated parameter counts; empty and unknown
    /// parameters are ignored.
    pub(crate) fn query<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        let pairs = self.query_pairs.iter().cloned();
        let mut object: Map<String, Value> =
            pairs.map(|(name, value)| (name, value.into())).collect();
        object.retain(|_, value| value != "");
        serde_path_to_error::deserialize(Value::Object(object))
            .or_else(|error| refuse_because(5002, sentence(&error)))
    }

    /// Reads the body. 5001 if the body is not JSON, 5002 if a field is missing or has the wrong type.
    pub(crate) fn body<'b, T: Deserialize<'b>>(&'b self) -> Result<T, Failure> {
        let json: &RawValue = match serde_json::from_slice(&self.request.body) {
            Ok(json) => json,
            Err(error) => return refuse_because(5001, error.to_string()),
        };
        if definition::too_deep(json.get()) {
            let limit = definition::MAX_DEPTH;
            let message = format!("arrays and objects are nested more than {limit} deep");
            return refuse_because(5001, message);
        }
        if !json.get().starts_with('{') {
            return refuse_because(5002, "the body must be a JSON object");
        }
        let json = &mut serde_json::Deserializer::from_str(json.get());
        serde_path_to_error::deserialize(json)
            .or_else(|error| refuse_because(5002, sentence(&error)))
    }
}

/// The text of an error, with the path of the field.
fn sentence(error: &serde_path_to_error::Error<impl std::fmt::Display>) -> String {
    match error.path().to_string().as_str() {
        "." => error.inner().to_string(),
        path => format!("{path}: {}", error.inner()),
    }
}

/// An integer of at least `MIN`.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Number<const MIN: i64 = { i64::MIN }>(pub(crate) i64);

impl<'d, const MIN: i64> Deserialize<'d> for Number<MIN> {
    fn deserialize<D: Deserializer<'d>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        match text.parse() {
            Ok(number) if number >= MIN => Ok(Number(number)),
            Ok(_) => Err(D::Error::custom(format!(
                "expected at least {MIN}, got `{text}`"
            ))),
            Err(_) => Err(D::Error::custom(format!(
                "expected a whole number, got `{text}`"
            ))),
        }
    }
}

/// A bool, written as 0 or 1.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flag(pub(crate) bool);

impl<'d> Deserialize<'d> for Flag {
    fn deserialize<D: Deserializer<'d>>(from: D) -> Result<Self, D::Error> {
        match &*String::deserialize(from)? {
            "0" => Ok(Flag(false)),
            "1" => Ok(Flag(true)),
            other => Err(D::Error::custom(format!("expected 0 or 1, got `{other}`"))),
        }
    }
}

/// Refuses a search with only one of `type` and `val`.
pub(crate) fn check_kind_and_value<T>(
    kind: &Option<T>,
    val: &Option<String>,
) -> Result<(), Failure> {
    match (kind, val) {
        (Some(_), None) => refuse_because(5002, "`val` is missing: `type` requires it"),
        (None, Some(_)) => refuse_because(5002, "`type` is missing: `val` requires it"),
        _ => Ok(()),
    }
}

/// The value of an optional flag.
pub(crate) fn is_set(flag: Option<Flag>) -> Option<bool> {
    flag.map(|flag| flag.0)
}

/// A day, written as `2017-12-07`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Day(pub(crate) i64);

impl<'d> Deserialize<'d> for Day {
    fn deserialize<D: Deserializer<'d>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let day = day::parse(&text).map(|date| Day(day::number(date)));
        day.ok_or_else(|| D::Error::custom(format!("expected YYYY-MM-DD, got `{text}`")))
    }
}

/// A non-empty string.
#[derive(Debug, ToSchema)]
#[schema(value_type = String, min_length = 1)]
pub(crate) struct NonEmptyText(pub(crate) String);

impl<'d> Deserialize<'d> for NonEmptyText {
    fn deserialize<D: Deserializer<'d>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        match text.is_empty() {
            true => Err(D::Error::custom("expected a non-empty string")),
            false => Ok(NonEmptyText(text)),
        }
    }
}
