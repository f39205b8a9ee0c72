//! Keys of a definition that are not part of the format and look like typing errors.

use jsonc_parser::ast::{Object, Value};
use jsonc_parser::common::Ranged;

use super::diagnostic::Severity;
use super::finding_text::FindingText;
use super::findings::Findings;
use super::json::near;
use crate::error::shown;

const PRODUCT: &[&str] = &[
    "name",
    "product_key",
    "protocolType",
    "packetVersion",
    "entities",
    "ui",
];
const ENTITY: &[&str] = &["id", "name", "display_name", "attrs"];
const ATTR: &[&str] = &[
    "id",
    "name",
    "display_name",
    "desc",
    "type",
    "data_type",
    "position",
    "uint_spec",
    "enum",
];
const POSITION: &[&str] = &["unit", "byte_offset", "bit_offset", "len"];
const UINT_SPEC: &[&str] = &["min", "max", "ratio", "addition"];

/// Warns of every unknown key that is similar to a key of the format which the same object lacks. Other unknown
/// keys are extensions, which are allowed everywhere.
pub(super) fn warn(product: &Object<'_>, findings: &mut Findings) {
    object(product, PRODUCT, "", findings);
    for (entity, pointer) in objects(product, "entities", "") {
        object(entity, ENTITY, &pointer, findings);
        for (attr, pointer) in objects(entity, "attrs", &pointer) {
            object(attr, ATTR, &pointer, findings);
            for (key, keys) in [("position", POSITION), ("uint_spec", UINT_SPEC)] {
                if let Some(Value::Object(part)) = attr.get(key).map(|member| &member.value) {
                    object(part, keys, &format!("{pointer}/{key}"), findings);
                }
            }
        }
    }
}

/// Returns the objects of a list, each with its pointer. Empty if the member is not a list.
fn objects<'v, 't>(
    parent: &'v Object<'t>,
    key: &str,
    pointer: &str,
) -> Vec<(&'v Object<'t>, String)> {
    let list = parent.get(key).and_then(|member| member.value.as_array());
    let elements = list.map_or(&[][..], |list| &list.elements);
    let elements = elements.iter().enumerate();
    let with_pointer = |(index, value): (usize, &'v Value<'t>)| {
        Some((value.as_object()?, format!("{pointer}/{key}/{index}")))
    };
    elements.filter_map(with_pointer).collect()
}

fn object(object: &Object<'_>, keys: &[&str], pointer: &str, findings: &mut Findings) {
    for member in &object.properties {
        let key = member.name.as_str();
        let Some(meant) = similar(key, keys).filter(|meant| object.get(meant).is_none()) else {
            continue;
        };
        let range = member.name.range();
        let range = range.start..range.end;
        findings.add(Severity::Warning, "unknown_key", range, || {
            let key = shown(key);
            let text = FindingText {
                message: format!("the key \"{key}\" is unknown and ignored"),
                label: String::new(),
                help: format!("did you mean \"{meant}\"?"),
            };
            (near(&format!("{pointer}/{key}")).to_owned(), text)
        });
    }
}

/// Returns the key of the format that an unknown key is probably meant to be. The spelling of words is ignored:
/// `packet_version` is similar to `packetVersion`.
fn similar<'k>(key: &str, keys: &[&'k str]) -> Option<&'k str> {
    if keys.contains(&key) || key.len() > 2 * "protocolType".len() {
        return None;
    }
    let plain = |key: &str| key.replace(['_', '-', ' '], "").to_lowercase();
    let key = plain(key);
    let distance = |known: &&&str| strsim::osa_distance(&key, &plain(known));
    let nearest = keys.iter().min_by_key(distance)?;
    // One typing error in short words, two in long ones. `len`, `min` and `max` are words of their own.
    let allowed = match nearest.len() {
        0..4 => 0,
        4..6 => 1,
        _ => 2,
    };
    (distance(&nearest) <= allowed).then_some(*nearest)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::DEFINITION_SCHEMA;

    #[test]
    fn the_schema_has_the_same_keys() {
        let schema: Value = serde_json::from_str(DEFINITION_SCHEMA).unwrap();
        for (pointer, keys) in [
            ("/properties", PRODUCT),
            ("/$defs/entity/properties", ENTITY),
            ("/$defs/attr/properties", ATTR),
            ("/$defs/position/properties", POSITION),
            ("/$defs/uint_spec/properties", UINT_SPEC),
        ] {
            let properties = schema.pointer(pointer).and_then(Value::as_object).unwrap();
            let mut keys = keys.to_vec();
            keys.sort_unstable();
            assert!(properties.keys().eq(keys.iter()), "{pointer}");
        }
    }

    #[test]
    fn typing_errors_and_extensions() {
        for (key, keys, meant) in [
            ("ratoi", UINT_SPEC, Some("ratio")),
            ("addtion", UINT_SPEC, Some("addition")),
            ("Min", UINT_SPEC, Some("min")),
            ("mix", UINT_SPEC, None),
            ("step", UINT_SPEC, None),
            ("unit_spec", ATTR, Some("uint_spec")),
            ("datatype", ATTR, Some("data_type")),
            ("labels", ATTR, None),
            ("offset", POSITION, None),
            ("attr", ENTITY, Some("attrs")),
            ("packet_version", PRODUCT, Some("packetVersion")),
            ("name_en", PRODUCT, None),
            ("name", PRODUCT, None),
        ] {
            assert_eq!(similar(key, keys), meant, "{key}");
        }
    }
}
