//! Reads the JSON of an attr with the core's schema.

use std::collections::HashSet;

use gizwits_codec_core as core;
use gizwits_codec_core::definition::{self, Labels, Number, Text};
use gizwits_codec_core::{ErrorKind, Key, PointId};
use jsonc_parser::ast::Value;
use serde::de::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::attr::uint_spec;
use super::diagnostic::Severity;
use super::entry::AttrEntry;
use super::finding_text::{engineering_max, json_finding};
use super::findings::Findings;
use super::json::{Node, without_place};
use crate::error::shown;

impl<'v, 't> AttrEntry<'v, 't> {
    /// Reads an attr and reports its problems.
    pub(super) fn read(node: Node<'v, 't>, index: usize, findings: &mut Findings) -> Self {
        let text = |key: &str| node.text_at(key).unwrap_or_default();
        let mut entry = AttrEntry {
            index,
            name: text("name"),
            display_name: text("display_name"),
            desc: text("desc"),
            labels: Vec::new(),
            id: None,
            point: None,
            node,
        };
        if let Some(attr) = entry.attr(findings) {
            entry.read_point(&attr, findings);
            entry.check_labels(findings);
            entry.check_spec(&attr, findings);
            if let Some(text) = engineering_max(&entry) {
                let at = entry.node.at(Key::Max.pointer());
                findings.warning("engineering_max", at, text);
            }
        }
        entry
    }

    /// Parses the attr without checking the types of its values.
    fn attr(&self, findings: &mut Findings) -> Option<JsonAttr<'t>> {
        let Some(object) = self.node.object() else {
            let (title, given) = (self.title(), self.node.source(""));
            let message = format!("{title} is {given}: expected an object");
            findings.error("wrong_type", self.node.at(""), message);
            return None;
        };
        // Serde accepts a list in place of a struct, as its fields in order.
        for key in [Key::Position, Key::UintSpec] {
            let value = object.get(key.name()).map(|member| &member.value);
            if !matches!(value, None | Some(Value::Object(_) | Value::NullKeyword(_))) {
                self.report(ErrorKind::WrongType { key }, findings);
                return None;
            }
        }
        match serde_json::from_str(self.node.json()) {
            Ok(attr) => Some(attr),
            Err(error) => {
                let message = without_place(&error);
                // `repeated_keys` reports duplicate keys, each with its own location.
                if !message.starts_with("duplicate field") {
                    let message = format!("{}: {message}", self.title());
                    findings.error("wrong_type", self.node.at(""), message);
                }
                None
            }
        }
    }

    fn read_point(&mut self, attr: &JsonAttr<'_>, findings: &mut Findings) {
        let id = attr.id.as_ref().and_then(Number::number);
        let id = id.and_then(Result::ok).map(|id| id.to_string().parse());
        self.id = id.and_then(Result::ok).map(PointId);
        let labels = attr.labels.as_ref().and_then(Json::list);
        self.labels = labels.unwrap_or_default().into_iter().flatten().collect();
        let mut errors = Vec::new();
        self.point = attr.point(&mut |error| errors.push(error));
        for error in errors {
            self.report(error.kind, findings);
        }
    }

    /// Reports an error of the attr's JSON.
    fn report(&self, kind: ErrorKind, findings: &mut Findings) {
        let (pointer, message) = json_finding(self, kind);
        findings.error(kind.name(), self.node.at(&pointer), message);
    }

    /// Warns of a ratio or an addition that is missing, for which 1 or 0 is used.
    fn check_spec(&self, attr: &JsonAttr<'_>, findings: &mut Findings) {
        let is_uint = self
            .point
            .is_some_and(|point| uint_spec(point.kind).is_some());
        let Some(spec) = attr.uint_spec.as_ref().filter(|_| is_uint) else {
            return;
        };
        for (key, value, assumed) in [
            (Key::Ratio, &spec.ratio, 1),
            (Key::Addition, &spec.addition, 0),
        ] {
            if value.is_none() {
                let (title, name) = (self.title(), key.name());
                let message = format!("{title} has no {name}: {assumed} is assumed");
                findings.warning("missing", self.node.at(key.pointer()), message);
            }
        }
    }

    fn check_labels(&self, findings: &mut Findings) {
        let mut seen = HashSet::new();
        let pointer = Key::Enum.pointer();
        let range = self.node.range(pointer);
        for label in &self.labels {
            if !seen.insert(label.as_str()) {
                findings.add(Severity::Warning, "duplicate_label", range.clone(), || {
                    let (title, label) = (self.title(), shown(label));
                    let message = format!(
                        "{title} has the label \"{label}\" twice: decoded messages show its index instead"
                    );
                    (format!("{}{pointer}", self.node.pointer), message.into())
                });
            }
        }
    }
}

type JsonAttr<'t> = definition::Attr<JsonText, Json<'t>, Json<'t>>;

/// The JSON text of a value, which keeps every digit of a number.
#[derive(serde::Deserialize)]
#[serde(transparent)]
struct Json<'t>(#[serde(borrow)] &'t RawValue);

impl Json<'_> {
    /// The labels of a list, `None` for each element that is not a string.
    fn list(&self) -> Option<Vec<Option<String>>> {
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
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        Some(match list.iter().position(Option::is_none) {
            Some(index) => Err(number(index)),
            None => Ok(number(list.len())),
        })
    }
}

/// A string, or `None` for a value of any other type.
struct JsonText(Option<String>);

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
