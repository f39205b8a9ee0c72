//! Counts by place: countries, their regions, and the cities of the regions.
//!
//! In JSON, a place is a number, or an object with a `count`, a `detail` and the places in the place. A city
//! may have the name of its region. The count of a place may be higher than the sum of the places in it,
//! because the exact location of some devices is unknown.

use std::collections::BTreeMap;

use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value;

use crate::model::scalar::{Extra, Field, model};

/// The places of one level, for example the regions of a country.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Places<T> {
    /// The places, in the order of the answer.
    pub list: Vec<Place<T>>,
    /// Members of the answer that are not places.
    pub extra: Extra,
}

/// A place and its count.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Place<T> {
    /// The name of the place.
    pub name: String,
    /// The count of the place, including the places in it.
    pub count: Option<T>,
    /// The counts by data point, if the report has them.
    pub detail: Option<BTreeMap<String, T>>,
    /// The places in this place.
    pub places: Places<T>,
    /// Whether the place is a number in JSON.
    bare: bool,
}

impl<T> Places<T> {
    /// The place with this name.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/common/simulated.rs"));
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Done {
    /// # let (server, product): (_, gizwits_enterprise_client::Product) = simulated()?;
    /// let devices = product.device_reports().locations().send().await?;
    /// let china = devices.location.get("China").ok_or("no device in China")?;
    /// assert_eq!(china.count, Some(2));
    /// let guangdong = china.places.get("Guangdong").ok_or("no device in Guangdong")?;
    /// assert_eq!(guangdong.count, Some(2));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Place<T>> {
        self.list.iter().find(|place| place.name == name)
    }
}

impl<T> Default for Places<T> {
    fn default() -> Self {
        Places {
            list: Vec::new(),
            extra: Extra::default(),
        }
    }
}

/// The type of a count: a number, or an object of numbers.
pub trait Count: Field + Serialize {}

impl Count for u64 {}
impl Count for StateCount {}
impl Count for EventCount {}

model! {
    /// The numbers of devices by state. A missing state counts as zero.
    StateCount {} or {
        /// Activated devices.
        activated: u64,
        /// Devices with a fault.
        faulty: u64,
        /// Devices with an alert.
        alert: u64,
    }

    /// The numbers of faults or alerts, or of devices with a fault or alert.
    EventCount {} or {
        /// All faults or alerts.
        total: u64,
        /// Faults or alerts that are over.
        resolved: u64,
        /// Faults or alerts that are not over.
        unresolved: u64,
    }
}

impl<T: Count> Places<T> {
    /// Reads the members of a level. Members are moved, not copied: the levels below may hold most of a long answer.
    fn read(members: Extra) -> Result<Self, serde_json::Error> {
        let mut places = Places::default();
        for (name, value) in members {
            let place = match value {
                // The level above the countries usually has neither, and has no fields for them.
                value if name == "count" || name == "detail" => Err(value),
                Value::Object(mut inner) => Ok(Place {
                    count: known(inner.remove("count").unwrap_or_default())?,
                    detail: Field::read_option(inner.remove("detail").unwrap_or_default())?,
                    places: Places::read(inner.into())?,
                    name: name.clone(),
                    bare: false,
                }),
                Value::Number(_) => T::read(&value).map_err(|_| value).map(|count| Place {
                    count: Some(count),
                    detail: None,
                    places: Places::default(),
                    name: name.clone(),
                    bare: true,
                }),
                value => Err(value),
            };
            match place {
                Ok(place) => places.list.push(place),
                Err(value) => drop(places.extra.insert(name, value)),
            }
        }
        Ok(places)
    }
}

impl<'de, T: Count> Deserialize<'de> for Places<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let members = Option::<Extra>::deserialize(deserializer)?;
        Places::read(members.unwrap_or_default()).map_err(de::Error::custom)
    }
}

/// Reads a count that is null or an empty text if it is unknown.
fn known<'de, D: Deserializer<'de>, T: Field>(deserializer: D) -> Result<Option<T>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    match value.is_null() || value == "" {
        true => Ok(None),
        false => T::read(value).map(Some).map_err(de::Error::custom),
    }
}

impl<T: Count> Field for BTreeMap<String, T> {
    /// Reads the counts by data point, without the unknown ones.
    fn read_option<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        #[derive(Deserialize)]
        #[serde(bound = "T: Count")]
        struct Known<T>(#[serde(deserialize_with = "known")] Option<T>);

        let counts = Option::<BTreeMap<String, Known<T>>>::deserialize(deserializer)?;
        let known = |(name, Known(count))| Some((name, count?));
        Ok(counts.map(|counts| counts.into_iter().filter_map(known).collect()))
    }
}

impl<T: Serialize> Places<T> {
    fn write<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        let mut places = self.list.iter();
        places.try_for_each(|place| map.serialize_entry(&place.name, place))?;
        let mut others = self.extra.iter();
        others.try_for_each(|(name, value)| map.serialize_entry(name, value))
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
        if self.bare {
            return self.count.serialize(serializer);
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

impl<T: Count> Field for Places<T> {}

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
        // A city may have its region's name.
        assert_eq!(names, ["B", "C", "D"]);
        let inner = places
            .get("B")
            .and_then(|place| place.places.get("B"))
            .unwrap();
        assert_eq!((places.list[0].count, inner.count), (Some(4), Some(1)));
        assert_eq!(inner.places.extra["note"], "x");
        assert_eq!(places.get("C").and_then(|place| place.count), Some(2));
        assert_eq!(places.extra["since"], "2020");
        let bare = places.get("C").map(serde_json::to_value);
        assert_eq!(bare.unwrap().unwrap(), 2);
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
