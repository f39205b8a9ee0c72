//! What a call says, in its query and in its body, as the types of its handler.

use std::collections::BTreeMap;

use gizwits_codec_std::core::definition;
use serde::de::value::{MapDeserializer, StrDeserializer};
use serde::de::{DeserializeOwned, Error as _, IntoDeserializer, Visitor};
use serde::{Deserialize, Deserializer, forward_to_deserialize_any};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::call::Call;
use super::refusal::{Failure, refuse_because};
use crate::world::day;

type Invalid = serde::de::value::Error;

impl Call<'_> {
    /// The query as this type. A parameter that is there twice counts as it was last said, an empty one
    /// not at all, an unknown one neither.
    pub(crate) fn query<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        let pairs = self.pairs.iter();
        let mut said: BTreeMap<_, _> = pairs.map(|(name, value)| (&**name, Text(value))).collect();
        said.retain(|_, value| !value.0.is_empty());
        let map = MapDeserializer::<_, Invalid>::new(said.into_iter());
        serde_path_to_error::deserialize(map)
            .or_else(|error| refuse_because(5002, sentence(&error)))
    }

    /// The body as this type: 5001 if it is no JSON, 5002 if it is other JSON than is expected.
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
            return refuse_because(5002, "the body is a JSON object");
        }
        let json = &mut serde_json::Deserializer::from_str(json.get());
        serde_path_to_error::deserialize(json)
            .or_else(|error| refuse_because(5002, sentence(&error)))
    }
}

/// What is wrong, and where.
fn sentence(error: &serde_path_to_error::Error<impl std::fmt::Display>) -> String {
    match error.path().to_string().as_str() {
        "." => error.inner().to_string(),
        path => format!("{path}: {}", error.inner()),
    }
}

/// The value of a parameter, which is text and may stand for a number.
struct Text<'c>(&'c str);

impl<'c> IntoDeserializer<'c, Invalid> for Text<'c> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Text<'de> {
    type Error = Invalid;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Invalid> {
        visitor.visit_borrowed_str(self.0)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Invalid> {
        visitor.visit_some(self)
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Invalid> {
        match self.0.parse() {
            Ok(number) => visitor.visit_i64(number),
            Err(_) => Err(Invalid::custom(format!(
                "`{}`, a whole number is expected",
                self.0
            ))),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Invalid> {
        StrDeserializer::new(self.0).deserialize_enum(name, variants, visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        newtype_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

/// 0 or 1.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flag(pub(crate) bool);

impl<'d> Deserialize<'d> for Flag {
    fn deserialize<D: Deserializer<'d>>(from: D) -> Result<Self, D::Error> {
        match &*String::deserialize(from)? {
            "0" => Ok(Flag(false)),
            "1" => Ok(Flag(true)),
            other => Err(D::Error::custom(format!("`{other}`, 0 or 1 is expected"))),
        }
    }
}

/// Refuses a value without the kind that it is of, and a kind without a value.
pub(crate) fn check_pair<T>(kind: &Option<T>, val: &Option<String>) -> Result<(), Failure> {
    match (kind, val) {
        (Some(_), None) => refuse_because(5002, "val is missing"),
        (None, Some(_)) => refuse_because(5002, "type is missing"),
        _ => Ok(()),
    }
}

/// The value of an optional flag.
pub(crate) fn is_set(flag: Option<Flag>) -> Option<bool> {
    flag.map(|flag| flag.0)
}

/// A day as `2017-12-07`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Day(pub(crate) i64);

impl<'d> Deserialize<'d> for Day {
    fn deserialize<D: Deserializer<'d>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let day = day::parse(&text).map(|date| Day(day::number(date)));
        day.ok_or_else(|| D::Error::custom(format!("`{text}`, YYYY-MM-DD is expected")))
    }
}

/// Text that is not empty.
#[derive(Debug, ToSchema)]
#[schema(value_type = String, min_length = 1)]
pub(crate) struct Word(pub(crate) String);

impl<'d> Deserialize<'d> for Word {
    fn deserialize<D: Deserializer<'d>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        match text.is_empty() {
            true => Err(D::Error::custom("text is expected that is not empty")),
            false => Ok(Word(text)),
        }
    }
}
