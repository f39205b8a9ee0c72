//! Lenient reading of answers. The API documentation and its examples contradict each other about types:
//! flags may be 0 and 1, numbers may be text, and unknown values may be null or an empty text.

use std::fmt;
use std::ops::{Deref, DerefMut};

use serde::de::{self, DeserializeOwned, Deserializer};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The members of an answer that this crate doesn't know, as JSON. `Debug` shows their names, but not their values, which
/// may be secrets.
///
/// ```
/// use gizwits_enterprise_client::Extra;
/// use serde_json::{Value, json};
///
/// let members = [("colour".to_owned(), json!("red")), ("passcode".to_owned(), json!("QWERTY"))];
/// let extra = Extra::from_iter(members);
/// assert_eq!(extra["colour"], "red");
/// assert_eq!(format!("{extra:?}"), r#"{"colour", "passcode"}"#);
/// assert_eq!(Value::from(extra), json!({"colour": "red", "passcode": "QWERTY"}));
/// ```
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Extra(Map<String, Value>);

impl fmt::Debug for Extra {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Deref for Extra {
    type Target = Map<String, Value>;

    fn deref(&self) -> &Map<String, Value> {
        &self.0
    }
}

impl DerefMut for Extra {
    fn deref_mut(&mut self) -> &mut Map<String, Value> {
        &mut self.0
    }
}

impl From<Map<String, Value>> for Extra {
    fn from(members: Map<String, Value>) -> Self {
        Extra(members)
    }
}

impl From<Extra> for Value {
    fn from(extra: Extra) -> Self {
        Value::Object(extra.0)
    }
}

impl FromIterator<(String, Value)> for Extra {
    fn from_iter<I: IntoIterator<Item = (String, Value)>>(members: I) -> Self {
        Extra(Map::from_iter(members))
    }
}

impl IntoIterator for Extra {
    type Item = (String, Value);
    type IntoIter = serde_json::map::IntoIter;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// A type that a member of an answer can have.
pub trait Field: DeserializeOwned {
    /// Reads a required member.
    #[doc(hidden)]
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(deserializer)
    }

    /// Reads an optional member.
    #[doc(hidden)]
    fn read_option<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        Option::deserialize(deserializer)
    }
}

impl Field for Value {}
impl<T: DeserializeOwned> Field for Vec<T> {}

/// A scalar with several forms in JSON.
pub(crate) trait Scalar: DeserializeOwned {
    /// The accepted forms, for the text of an error.
    const EXPECTED: &'static str;

    fn from_json(value: &Value) -> Option<Self>;
}

impl<T: Scalar> Field for T {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::read_option(deserializer)?
            .ok_or_else(|| de::Error::custom(format_args!("{} is expected", T::EXPECTED)))
    }

    fn read_option<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        let value = Value::deserialize(deserializer)?;
        match T::from_json(&value) {
            None if value.is_null() || value == "" => Ok(None),
            // The error doesn't contain the value, which may be a secret.
            None => Err(de::Error::custom(format_args!(
                "{} is expected",
                T::EXPECTED
            ))),
            some => Ok(some),
        }
    }
}

impl Scalar for bool {
    const EXPECTED: &'static str = "true, false, 1 or 0";

    fn from_json(value: &Value) -> Option<Self> {
        match String::from_json(value)?.to_ascii_lowercase().as_str() {
            "0" | "false" => Some(false),
            "1" | "true" => Some(true),
            _ => None,
        }
    }
}

impl Scalar for u64 {
    const EXPECTED: &'static str = "a count";

    fn from_json(value: &Value) -> Option<Self> {
        match value {
            Value::Number(number) => number.as_u64().or_else(|| {
                let float = number.as_f64()?;
                (float.fract() == 0.0 && (0.0..1.8e19).contains(&float)).then_some(float as u64)
            }),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        }
    }
}

impl Scalar for f64 {
    const EXPECTED: &'static str = "a number";

    fn from_json(value: &Value) -> Option<Self> {
        let number: f64 = match value {
            Value::String(text) => text.trim().parse().ok()?,
            value => value.as_f64()?,
        };
        number.is_finite().then_some(number)
    }
}

impl Scalar for String {
    const EXPECTED: &'static str = "text";

    fn from_json(value: &Value) -> Option<Self> {
        match value {
            Value::String(text) => Some(text.clone()),
            Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
            _ => None,
        }
    }
}

/// Reads a missing member by its second name, from the members that are not known.
pub(crate) fn second<T: Field, E: de::Error>(
    field: &mut Option<T>,
    extra: &mut Extra,
    name: &str,
) -> Result<(), E> {
    if field.is_none()
        && let Some(value) = extra.remove(name)
    {
        *field =
            T::read_option(value).map_err(|error| E::custom(format_args!("{name}: {error}")))?;
    }
    Ok(())
}

/// Declares a struct of an answer: required members, optional members after `or`, and `extra` with the members
/// that this crate doesn't know. `as` sets the name of a member in JSON. `or` sets a second name, which is used
/// if the first one is missing: serde's `alias` would refuse an answer with both. The function after `=>`
/// corrects the struct after it was read.
macro_rules! model {
    ($($(#[$doc:meta])* $name:ident {
        $($(#[$must_doc:meta])* $must:ident: $must_type:ty,)*
    } or {
        $($(#[$may_doc:meta])* $may:ident $(as $wire:literal)? $(or $second:literal)?: $may_type:ty,)*
    } $(=> $settle:path)?)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq)]
        #[non_exhaustive]
        pub struct $name {
            $($(#[$must_doc])* pub $must: $must_type,)*
            $($(#[$may_doc])* pub $may: Option<$may_type>,)*
            /// Members of the answer that this crate doesn't know.
            pub extra: $crate::model::Extra,
        }

        const _: () = {
            type Whole = $name;

            #[derive(serde::Serialize, serde::Deserialize)]
            #[serde(remote = "Whole", expecting = "an object")]
            struct Wire {
                $(
                    #[serde(deserialize_with = "crate::model::Field::read")]
                    $must: $must_type,
                )*
                $(
                    $(#[serde(rename = $wire)])?
                    #[serde(
                        default,
                        deserialize_with = "crate::model::Field::read_option",
                        skip_serializing_if = "Option::is_none"
                    )]
                    $may: Option<$may_type>,
                )*
                #[serde(flatten)]
                extra: $crate::model::Extra,
            }

            impl serde::Serialize for $name {
                fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    Wire::serialize(self, serializer)
                }
            }

            impl<'de> serde::Deserialize<'de> for $name {
                fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    #[allow(unused_mut)]
                    let mut whole = Wire::deserialize(deserializer)?;
                    $($($crate::model::second(&mut whole.$may, &mut whole.extra, $second)?;)?)*
                    $($settle(&mut whole);)?
                    Ok(whole)
                }
            }
        };

        impl $crate::model::Field for $name {}
    )*};
}

pub(crate) use model;

/// Declares an enum of texts, with a variant for the texts that it doesn't know.
macro_rules! open_enum {
    ($($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
            /// A text that this crate doesn't know.
            Other(String),
        }

        impl $name {
            /// The text in the API.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $($name::$variant => $text,)*
                    $name::Other(text) => text,
                }
            }
        }

        impl From<String> for $name {
            /// Ignores the case, because the API documentation itself writes `Tcp_closed`.
            fn from(text: String) -> Self {
                $(if text.eq_ignore_ascii_case($text) {
                    return $name::$variant;
                })*
                $name::Other(text)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                <String as $crate::model::Field>::read(deserializer).map($name::from)
            }
        }

        impl $crate::model::Field for $name {}
    )*};
}

pub(crate) use open_enum;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling() {
        #[derive(serde::Deserialize)]
        struct All {
            #[serde(default, deserialize_with = "Field::read_option")]
            flag: Option<bool>,
            #[serde(default, deserialize_with = "Field::read_option")]
            number: Option<f64>,
            #[serde(default, deserialize_with = "Field::read_option")]
            count: Option<u64>,
            #[serde(default, deserialize_with = "Field::read_option")]
            text: Option<String>,
        }
        for (json, flag) in [
            (r#"{"flag":true}"#, Some(true)),
            (r#"{"flag":1}"#, Some(true)),
            (r#"{"flag":"0"}"#, Some(false)),
            (r#"{"flag":"False"}"#, Some(false)),
            (r#"{"flag":null}"#, None),
            (r#"{"flag":""}"#, None),
            ("{}", None),
        ] {
            assert_eq!(
                serde_json::from_str::<All>(json).unwrap().flag,
                flag,
                "{json}"
            );
        }
        let all: All =
            serde_json::from_str(r#"{"number":"23.125178","count":3.0,"text":460}"#).unwrap();
        assert_eq!(
            (all.number, all.count, all.text.as_deref()),
            (Some(23.125178), Some(3), Some("460"))
        );
        for json in [
            r#"{"flag":2}"#,
            r#"{"number":"x"}"#,
            r#"{"count":-1}"#,
            r#"{"text":{}}"#,
        ] {
            assert!(serde_json::from_str::<All>(json).is_err(), "{json}");
        }
    }
}
