//! Counts by place: countries, regions in them, cities in those.
//!
//! A node is a number, or an object of its `count`, its `detail` and the nodes in it. A city may have
//! its region's name. The counts of the places in a place need not add up: not every device is
//! somewhere.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{self, DeserializeOwned, MapAccess, SeqAccess, Visitor};
use serde::ser::SerializeMap as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::scalar::{self, Extra, model, plain_fields};

/// Places, in the server's order.
#[derive(Clone, Debug, PartialEq)]
pub struct Places<T>(pub Vec<Place<T>>);

/// A place and what is counted there.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Place<T> {
    /// Its name.
    pub name: String,
    /// What is counted there.
    pub count: Option<T>,
    /// The same by data point, where the report tells.
    pub detail: Option<BTreeMap<String, T>>,
    /// The places in it.
    pub places: Places<T>,
    /// Members that are no places.
    pub extra: Extra,
    /// Whether it is a number alone.
    bare: bool,
}

impl<T> Places<T> {
    /// A place among these.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Place<T>> {
        self.0.iter().find(|place| place.name == name)
    }
}

impl<T> Default for Places<T> {
    fn default() -> Self {
        Places(Vec::new())
    }
}

impl<T> Place<T> {
    fn empty() -> Self {
        Place {
            name: String::new(),
            count: None,
            detail: None,
            places: Places::default(),
            extra: Extra::new(),
            bare: false,
        }
    }
}

/// What is counted: a number, or an object of numbers.
pub trait Count: DeserializeOwned + Serialize + Clone + Send + 'static {
    #[doc(hidden)]
    fn from_number(number: u64) -> Option<Self> {
        let _ = number;
        None
    }
}

impl Count for u64 {
    fn from_number(number: u64) -> Option<Self> {
        Some(number)
    }
}

impl Count for StateCount {}

impl Count for EventCount {}

model! {
    /// Devices by state. What is left out is zero.
    StateCount {} or {
        /// Activated ones.
        activated: u64,
        /// Ones with a fault.
        faulty: u64,
        /// Ones with an alert.
        alert: u64,
    }

    /// Faults or alerts, or devices that had some.
    EventCount {} or {
        /// All.
        total: u64,
        /// Those that are over.
        resolved: u64,
        /// Those that are not.
        unresolved: u64,
    }
}

/// A member of an object of places.
enum Member<T> {
    Place(Place<T>),
    Other(Value),
}

struct MemberVisitor<T>(PhantomData<T>);

impl<'de, T: Count> Visitor<'de> for MemberVisitor<T> {
    type Value = Member<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a count or an object of places")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Member<T>, A::Error> {
        let mut place = Place::empty();
        while let Some(name) = map.next_key::<String>()? {
            match name.as_str() {
                "count" => place.count = Some(map.next_value::<Counted<T>>()?.0),
                "detail" => {
                    let detail: BTreeMap<String, Counted<T>> = map.next_value()?;
                    let detail = detail.into_iter().map(|(name, count)| (name, count.0));
                    place.detail = Some(detail.collect());
                }
                _ => match map.next_value::<Member<T>>()? {
                    Member::Place(inner) => place.places.0.push(Place { name, ..inner }),
                    Member::Other(value) => {
                        place.extra.insert(name, value);
                    }
                },
            }
        }
        Ok(Member::Place(place))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Member<T>, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = seq.next_element()? {
            values.push(value);
        }
        Ok(Member::Other(Value::Array(values)))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Member<T>, E> {
        Ok(bare(Value::from(number)))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Member<T>, E> {
        Ok(bare(Value::from(number)))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Member<T>, E> {
        Ok(bare(Value::from(number)))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Member<T>, E> {
        Ok(Member::Other(Value::from(text)))
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Member<T>, E> {
        Ok(Member::Other(Value::from(value)))
    }

    fn visit_unit<E: de::Error>(self) -> Result<Member<T>, E> {
        Ok(Member::Other(Value::Null))
    }
}

fn bare<T: Count>(number: Value) -> Member<T> {
    match scalar::whole(&number).and_then(T::from_number) {
        Some(count) => Member::Place(Place {
            count: Some(count),
            bare: true,
            ..Place::empty()
        }),
        None => Member::Other(number),
    }
}

impl<'de, T: Count> Deserialize<'de> for Member<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(MemberVisitor(PhantomData))
    }
}

/// A count, perhaps as text.
struct Counted<T>(T);

impl<'de, T: Count> Deserialize<'de> for Counted<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        if let Some(count) = scalar::whole(&value).and_then(T::from_number) {
            return Ok(Counted(count));
        }
        T::deserialize(value)
            .map(Counted)
            .map_err(de::Error::custom)
    }
}

impl<'de, T: Count> Deserialize<'de> for Places<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // The floor above the countries has neither count nor detail, so these are places as well.
        match Member::deserialize(deserializer)? {
            Member::Place(place) if !place.bare => Ok(place.places),
            Member::Other(Value::Null) => Ok(Places::default()),
            _ => Err(de::Error::custom("an object of places is expected")),
        }
    }
}

impl<T: Serialize> Serialize for Places<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|place| (&place.name, place)))
    }
}

impl<T: Serialize> Serialize for Place<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if let (true, Some(count)) = (self.bare, &self.count) {
            return count.serialize(serializer);
        }
        let mut map = serializer.serialize_map(None)?;
        if let Some(count) = &self.count {
            map.serialize_entry("count", count)?;
        }
        if let Some(detail) = &self.detail {
            map.serialize_entry("detail", detail)?;
        }
        for place in &self.places.0 {
            map.serialize_entry(&place.name, place)?;
        }
        for (name, value) in &self.extra {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

plain_fields!(Places<u64>, Places<StateCount>, Places<EventCount>, BTreeMap<String, EventCount>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_in_any_form() {
        let json =
            r#"{"B":{"count":"4","A":3,"B":{"count":1,"note":"x"}},"C":2,"since":"2020","D":{}}"#;
        let places: Places<u64> = serde_json::from_str(json).unwrap();
        let names: Vec<&str> = places.0.iter().map(|place| place.name.as_str()).collect();
        // Their order, and a city with its region's name.
        assert_eq!(names, ["B", "C", "D"]);
        let inner = places
            .get("B")
            .and_then(|place| place.places.get("B"))
            .unwrap();
        assert_eq!((places.0[0].count, inner.count), (Some(4), Some(1)));
        assert_eq!(inner.extra["note"], "x");
        assert_eq!(places.get("C").and_then(|place| place.count), Some(2));
        assert!(serde_json::from_str::<Places<u64>>("3").is_err());
        assert!(serde_json::from_str::<Places<u64>>(r#"{"A":{"count":-1}}"#).is_err());
        assert_eq!(
            serde_json::from_str::<Places<u64>>("null").unwrap().0.len(),
            0
        );
    }
}
