//! Scalars read leniently: the page and its examples contradict each other about types, and bools
//! come as 0 and 1, numbers as text.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde_json::{Map, Value};

use crate::model::ids;
use crate::model::time::Timestamp;

/// Members of an answer that this crate doesn't know.
pub type Extra = Map<String, Value>;

/// A scalar of JSON.
#[derive(Clone, Debug)]
pub(crate) enum Scalar {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
}

struct Any;

impl Visitor<'_> for Any {
    type Value = Scalar;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a scalar")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Scalar, E> {
        Ok(Scalar::Null)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Scalar, E> {
        Ok(Scalar::Bool(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Scalar, E> {
        Ok(Scalar::Int(value))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Scalar, E> {
        Ok(i64::try_from(value).map_or(Scalar::Float(value as f64), Scalar::Int))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Scalar, E> {
        Ok(Scalar::Float(value))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Scalar, E> {
        Ok(Scalar::Text(text.to_owned()))
    }
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Any)
    }
}

/// What a member of an answer can be read as.
pub(crate) trait Field: Sized {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error>;
}

/// For `deserialize_with`.
pub(crate) fn lenient<'de, D: Deserializer<'de>, T: Field>(deserializer: D) -> Result<T, D::Error> {
    T::read(deserializer)
}

/// A scalar that may be missing; the expectation is for the error.
trait FromScalar: Sized {
    const EXPECTED: &'static str;
    fn from_scalar(scalar: &Scalar) -> Option<Self>;
}

impl FromScalar for bool {
    const EXPECTED: &'static str = "true, false, 1 or 0";

    fn from_scalar(scalar: &Scalar) -> Option<Self> {
        match scalar {
            Scalar::Bool(value) => Some(*value),
            Scalar::Int(0) => Some(false),
            Scalar::Int(1) => Some(true),
            Scalar::Text(text) => match text.to_ascii_lowercase().as_str() {
                "0" | "false" => Some(false),
                "1" | "true" => Some(true),
                _ => None,
            },
            _ => None,
        }
    }
}

impl FromScalar for u64 {
    const EXPECTED: &'static str = "a count";

    fn from_scalar(scalar: &Scalar) -> Option<Self> {
        match scalar {
            Scalar::Int(value) => u64::try_from(*value).ok(),
            Scalar::Float(value) if value.fract() == 0.0 && (0.0..1.8e19).contains(value) => {
                Some(*value as u64)
            }
            Scalar::Text(text) => text.trim().parse().ok(),
            _ => None,
        }
    }
}

/// A whole number, however it is written.
pub(crate) fn whole(value: &Value) -> Option<u64> {
    u64::from_scalar(&Scalar::deserialize(value).ok()?)
}

impl FromScalar for f64 {
    const EXPECTED: &'static str = "a number";

    fn from_scalar(scalar: &Scalar) -> Option<Self> {
        match scalar {
            Scalar::Int(value) => Some(*value as f64),
            Scalar::Float(value) => Some(*value),
            Scalar::Text(text) => text
                .trim()
                .parse()
                .ok()
                .filter(|value: &f64| value.is_finite()),
            _ => None,
        }
    }
}

impl FromScalar for String {
    const EXPECTED: &'static str = "text";

    fn from_scalar(scalar: &Scalar) -> Option<Self> {
        match scalar {
            Scalar::Null => None,
            Scalar::Bool(value) => Some(value.to_string()),
            Scalar::Int(value) => Some(value.to_string()),
            Scalar::Float(value) => Some(value.to_string()),
            Scalar::Text(text) => Some(text.clone()),
        }
    }
}

impl FromScalar for Timestamp {
    const EXPECTED: &'static str = "seconds since 1970";

    fn from_scalar(scalar: &Scalar) -> Option<Self> {
        Timestamp::from_scalar(scalar)
    }
}

fn read<'de, D: Deserializer<'de>, T: FromScalar>(deserializer: D) -> Result<Option<T>, D::Error> {
    let scalar = Scalar::deserialize(deserializer)?;
    match T::from_scalar(&scalar) {
        Some(value) => Ok(Some(value)),
        None => match &scalar {
            Scalar::Null => Ok(None),
            // Numbers that are not known come as empty text.
            Scalar::Text(text) if text.is_empty() => Ok(None),
            // The value itself may be a secret.
            _ => Err(de::Error::custom(format_args!(
                "{} is expected",
                T::EXPECTED
            ))),
        },
    }
}

macro_rules! scalar_fields {
    ($($type:ty),*) => {$(
        impl Field for $type {
            fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                read(deserializer)?
                    .ok_or_else(|| de::Error::custom(format_args!("{} is expected", <$type>::EXPECTED)))
            }
        }

        impl Field for Option<$type> {
            fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                read(deserializer)
            }
        }
    )*};
}

scalar_fields!(bool, u64, f64, String, Timestamp);

/// Members that are objects, lists or ids read themselves.
macro_rules! plain_fields {
    ($($type:ty),* $(,)?) => {$(
        impl $crate::model::scalar::Field for $type {
            fn read<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                serde::Deserialize::deserialize(deserializer)
            }
        }

        impl $crate::model::scalar::Field for Option<$type> {
            fn read<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                serde::Deserialize::deserialize(deserializer)
            }
        }
    )*};
}

pub(crate) use plain_fields;

plain_fields!(
    Value,
    ids::ProductKey,
    ids::Did,
    ids::Mac,
    ids::Gid,
    ids::Uid
);

/// Takes a member that is missing from among those that aren't known, by its second name.
pub(crate) fn second<T, E: de::Error>(
    field: &mut Option<T>,
    extra: &mut Extra,
    name: &str,
) -> Result<(), E>
where
    Option<T>: Field,
{
    if field.is_none()
        && let Some(value) = extra.remove(name)
    {
        *field = Field::read(value).map_err(|error| E::custom(format_args!("{name}: {error}")))?;
    }
    Ok(())
}

/// A struct of an answer: members that must be there, members that may be missing, and `extra` with
/// those that this crate doesn't know. `as` gives a name on the wire, `or` a second one, by which the
/// member is known if it isn't there by its first; and what else is to be put right is behind `=>`.
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
            /// Members that this crate doesn't know.
            pub extra: $crate::model::scalar::Extra,
        }

        const _: () = {
            type Whole = $name;

            #[derive(serde::Serialize, serde::Deserialize)]
            #[serde(remote = "Whole", expecting = "an object")]
            struct Wire {
                $(
                    #[serde(deserialize_with = "crate::model::scalar::lenient")]
                    $must: $must_type,
                )*
                $(
                    $(#[serde(rename = $wire)])?
                    #[serde(
                        default,
                        deserialize_with = "crate::model::scalar::lenient",
                        skip_serializing_if = "Option::is_none"
                    )]
                    $may: Option<$may_type>,
                )*
                #[serde(flatten)]
                extra: $crate::model::scalar::Extra,
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
                    $($($crate::model::scalar::second(&mut whole.$may, &mut whole.extra, $second)?;)?)*
                    $($settle(&mut whole);)?
                    Ok(whole)
                }
            }
        };

        $crate::model::scalar::plain_fields!($name, Vec<$name>);
    )*};
}

pub(crate) use model;

/// An enum that keeps the words it doesn't know.
macro_rules! open_enum {
    ($($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
            /// A word that this crate doesn't know.
            Other(String),
        }

        impl $name {
            /// As the API writes it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $($name::$variant => $text,)*
                    $name::Other(text) => text,
                }
            }
        }

        impl From<String> for $name {
            /// Case doesn't matter: the page itself writes `Tcp_closed`.
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
                <String as $crate::model::scalar::Field>::read(deserializer).map($name::from)
            }
        }

        $crate::model::scalar::plain_fields!($name);
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
            #[serde(default, deserialize_with = "lenient")]
            flag: Option<bool>,
            #[serde(default, deserialize_with = "lenient")]
            number: Option<f64>,
            #[serde(default, deserialize_with = "lenient")]
            count: Option<u64>,
            #[serde(default, deserialize_with = "lenient")]
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
