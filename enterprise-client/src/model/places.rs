//! Counts by place: countries, regions in them, cities in those.
//!
//! A node is a number, or an object of its `count`, its `detail` and the nodes in it. A city may have
//! its region's name. The counts of the places in a place need not add up: not every device is
//! somewhere.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{self, DeserializeOwned, MapAccess, SeqAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::model::scalar::{self, Extra, model, plain_fields};

/// Places next to each other.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Places<T> {
    /// The places, in the server's order.
    pub list: Vec<Place<T>>,
    /// Members that are no places.
    pub extra: Extra,
}

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
    /// Whether it is a number alone.
    bare: bool,
}

impl<T> Places<T> {
    /// A place among these.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Place<T>> {
        self.list.iter().find(|place| place.name == name)
    }
}

impl<T> Default for Places<T> {
    fn default() -> Self {
        Places {
            list: Vec::new(),
            extra: Extra::new(),
        }
    }
}

impl<T> Place<T> {
    fn empty() -> Self {
        Place {
            name: String::new(),
            count: None,
            detail: None,
            places: Places::default(),
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
                "count" => place.count = map.next_value::<Counted<T>>()?.0,
                "detail" => place.detail = map.next_value::<Detail<T>>()?.0,
                _ => match map.next_value::<Member<T>>()? {
                    Member::Place(inner) => place.places.list.push(Place { name, ..inner }),
                    Member::Other(value) => {
                        place.places.extra.insert(name, value);
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

/// A count, perhaps as text, or not known: null or empty text.
struct Counted<T>(Option<T>);

impl<'de, T: Count> Deserialize<'de> for Counted<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        if value.is_null() || value == "" {
            return Ok(Counted(None));
        }
        if let Some(count) = scalar::whole(&value).and_then(T::from_number) {
            return Ok(Counted(Some(count)));
        }
        let count = T::deserialize(value).map_err(de::Error::custom)?;
        Ok(Counted(Some(count)))
    }
}

/// Counts by data point, those that are known.
struct Detail<T>(Option<BTreeMap<String, T>>);

impl<'de, T: Count> Deserialize<'de> for Detail<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let all: Option<BTreeMap<String, Counted<T>>> = Option::deserialize(deserializer)?;
        let known = all.map(|all| {
            let known = all
                .into_iter()
                .filter_map(|(name, count)| Some((name, count.0?)));
            known.collect()
        });
        Ok(Detail(known))
    }
}

impl scalar::Field for Option<BTreeMap<String, EventCount>> {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Detail::deserialize(deserializer)?.0)
    }
}

impl<'de, T: Count> Deserialize<'de> for Places<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Member::<T>::deserialize(deserializer)? {
            Member::Place(place) if !place.bare => {
                let mut places = place.places;
                // The floor above the countries has neither as a rule.
                let count = place.count.map(serde_json::to_value);
                let detail = place.detail.map(serde_json::to_value);
                for (name, value) in [("count", count), ("detail", detail)] {
                    if let Some(value) = value {
                        let value = value.map_err(de::Error::custom)?;
                        places.extra.insert(name.to_owned(), value);
                    }
                }
                Ok(places)
            }
            Member::Other(Value::Null) => Ok(Places::default()),
            _ => Err(de::Error::custom("an object of places is expected")),
        }
    }
}

impl<T: Serialize> Places<T> {
    fn write<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        for place in &self.list {
            map.serialize_entry(&place.name, place)?;
        }
        for (name, value) in &self.extra {
            map.serialize_entry(name, value)?;
        }
        Ok(())
    }
}

impl<T: Serialize> Serialize for Places<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.write(&mut map)?;
        map.end()
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
        self.places.write(&mut map)?;
        map.end()
    }
}

plain_fields!(Places<u64>, Places<StateCount>, Places<EventCount>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_in_any_form() {
        let json =
            r#"{"B":{"count":"4","A":3,"B":{"count":1,"note":"x"}},"C":2,"since":"2020","D":{}}"#;
        let places: Places<u64> = serde_json::from_str(json).unwrap();
        let names: Vec<&str> = places
            .list
            .iter()
            .map(|place| place.name.as_str())
            .collect();
        // Their order, and a city with its region's name.
        assert_eq!(names, ["B", "C", "D"]);
        let inner = places
            .get("B")
            .and_then(|place| place.places.get("B"))
            .unwrap();
        assert_eq!((places.list[0].count, inner.count), (Some(4), Some(1)));
        assert_eq!(inner.places.extra["note"], "x");
        assert_eq!(places.get("C").and_then(|place| place.count), Some(2));
        assert_eq!(places.extra["since"], "2020");
        let json = r#"{"count":3,"A":1}"#;
        let places: Places<u64> = serde_json::from_str(json).unwrap();
        assert_eq!(
            serde_json::to_value(&places).unwrap(),
            serde_json::json!({"count": 3, "A": 1})
        );
        // What is not known is not there.
        let json = r#"{"A":{"count":null},"B":{"count":{"total":1},"detail":null},
            "C":{"count":"","detail":{"x":null,"y":{"total":2}}}}"#;
        let places: Places<EventCount> = serde_json::from_str(json).unwrap();
        assert_eq!(
            serde_json::to_value(&places).unwrap(),
            serde_json::json!({
                "A": {},
                "B": {"count": {"total": 1}},
                "C": {"detail": {"y": {"total": 2}}},
            })
        );
        let error = serde_json::from_str::<EventCount>("3").unwrap_err();
        assert!(error.to_string().contains("expected an object"), "{error}");
        assert!(serde_json::from_str::<Places<u64>>("3").is_err());
        assert!(serde_json::from_str::<Places<u64>>(r#"{"A":{"count":-1}}"#).is_err());
        assert_eq!(
            serde_json::from_str::<Places<u64>>("null")
                .unwrap()
                .list
                .len(),
            0
        );
    }
}
