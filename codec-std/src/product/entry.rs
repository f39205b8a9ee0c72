//! One attr of a definition, as it could be read: perhaps without a sound point.

use gizwits_codec_core as core;
use gizwits_codec_core::definition::{self, Labels, Number, Text};
use gizwits_codec_core::{Point, PointId};
use serde::de::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::error::shown;

/// One attr that could be read, perhaps not to a sound point.
pub(super) struct AttrEntry {
    pub(super) name: String,
    pub(super) display_name: String,
    pub(super) desc: String,
    pub(super) labels: Vec<String>,
    pub(super) id: Option<PointId>,
    pub(super) point: Option<Point>,
}

impl AttrEntry {
    /// The name, or what stands in for it.
    pub(super) fn title(&self, index: usize) -> String {
        match (self.name.as_str(), self.id) {
            ("", Some(id)) => format!("point {id}"),
            ("", None) => format!("attr {index}"),
            (name, _) => format!("`{}`", shown(name)),
        }
    }
}

pub(super) type JsonAttr<'t> = definition::Attr<JsonText, Json<'t>, Json<'t>>;

/// A value as it stands: with every digit of a number.
#[derive(serde::Deserialize)]
#[serde(transparent)]
pub(super) struct Json<'t>(#[serde(borrow)] &'t RawValue);

impl Json<'_> {
    /// The labels of a list, `None` for each that is no text.
    pub(super) fn list(&self) -> Option<Vec<Option<String>>> {
        let list: Vec<JsonText> = serde_json::from_str(self.0.get()).ok()?;
        Some(list.into_iter().map(|text| text.0).collect())
    }
}

impl Number for Json<'_> {
    fn number(&self) -> Option<Result<core::Decimal, core::Error>> {
        let text = self.0.get();
        text.starts_with(|first: char| first == '-' || first.is_ascii_digit())
            .then(|| text.parse())
    }
}

impl Labels for Json<'_> {
    fn count(&self) -> Option<Result<u32, u32>> {
        let list = self.list()?;
        Some(match list.iter().position(Option::is_none) {
            Some(index) => Err(u32::try_from(index).unwrap_or(u32::MAX)),
            None => Ok(u32::try_from(list.len()).unwrap_or(u32::MAX)),
        })
    }
}

/// A value that may be text.
pub(super) struct JsonText(Option<String>);

impl Text for JsonText {
    fn text(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

impl<'de> Deserialize<'de> for JsonText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = <&RawValue>::deserialize(deserializer)?;
        Ok(JsonText(serde_json::from_str(value.get()).ok()))
    }
}
