//! The check of a definition: every problem, each with its location in the text.

use std::collections::{HashMap, HashSet};

use gizwits_codec_core as core;
use gizwits_codec_core::layout::{Field, Limits};
use gizwits_codec_core::rules::{self, MAX_POINTS, Tables};
use gizwits_codec_core::{ErrorKind, Key, Point, PointId, Protocol, Scale, definition};
use jsonc_parser::ast;
use jsonc_parser::common::Ranged;

use super::attr::Attr;
use super::diagnostic::{Check, CheckError, Severity};
use super::entry::AttrEntry;
use super::finding_text::{Breach, FindingText, key};
use super::findings::Findings;
use super::json::{Node, Place, near, parse};
use super::{Product, is_product_key, unknown_keys};
use crate::error::shown;

/// Checks a definition against all rules and returns every problem.
///
/// A definition longer than [`Check::MAX_LEN`] is not read. Of more than [`MAX_POINTS`] points, only the
/// first [`MAX_POINTS`] are checked.
///
/// ```
/// use gizwits_codec_std::check;
///
/// let diagnostics = check("{\n  \"entities\": [] // none yet\n}").diagnostics;
/// assert_eq!((diagnostics[0].kind, diagnostics[0].line), ("json", 2));
/// assert!(diagnostics[0].message.contains("comment"));
///
/// let definition = std::fs::read_to_string("../tests/fixtures/air-conditioner.json")?;
/// let fault = definition.replace(r#""max":30"#, r#""max":300"#).replace(r#""max": 30"#, r#""max": 300"#);
/// let checked = check(&fault);
/// assert_eq!((checked.errors, checked.diagnostics[0].kind), (1, "max_too_large"));
/// assert!(checked.product.is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn check(json: &str) -> Check {
    // Spans count from the start of the given text, which includes the byte order mark.
    let text = json.strip_prefix('\u{feff}').unwrap_or(json);
    let mut findings = Findings {
        skipped: json.len() - text.len(),
        ..Findings::default()
    };
    let limit = Check::MAX_LEN;
    let mut product = None;
    if json.len() > limit {
        let message = format!("{} bytes: a definition has at most {limit}", json.len());
        findings.error("too_long", Place::text(0..0), message);
    } else {
        match parse(text) {
            Ok(value) => product = read(text, &value, &mut findings),
            Err((range, message)) => findings.error("json", Place::text(range), message),
        }
    }
    findings.finish(text, product)
}

impl Product {
    /// Reads a product from its definition JSON.
    ///
    /// # Errors
    /// [`CheckError`], with the diagnostics of [`check`], if the definition has errors.
    ///
    /// ```
    /// use gizwits_codec_std::Product;
    ///
    /// let definition = std::fs::read_to_string("../tests/fixtures/air-conditioner.json")?;
    /// let product = Product::from_json(&definition)?;
    /// assert_eq!(product.attrs().len(), 11);
    ///
    /// let error = Product::from_json("[]").unwrap_err();
    /// assert_eq!(error.to_string(), "1:1: error: a definition is a JSON object");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn from_json(json: &str) -> Result<Self, CheckError> {
        let checked = check(json);
        checked.product.ok_or(CheckError {
            diagnostics: checked.diagnostics,
            errors: checked.errors,
            warnings: checked.warnings,
        })
    }
}

/// Reads the product and reports its problems; `None` if a part of the product is unreadable.
fn read<'t>(text: &'t str, value: &ast::Value<'t>, findings: &mut Findings) -> Option<Product> {
    let root = Node::new(text, value, String::new());
    let Some(object) = root.object() else {
        findings.error("json", root.at(""), "a definition is a JSON object");
        return None;
    };
    if let Some(found) = other_answer(object) {
        findings.error("not_a_definition", root.at(""), found);
        return None;
    }
    repeated_keys(value, &mut String::new(), findings);
    unknown_keys::warn(object, findings);
    version(&root, findings);
    let product_key = root.text_at("product_key");
    if !product_key.as_deref().is_some_and(is_product_key) {
        let message = match product_key {
            Some(_) => "product_key is invalid: expected 32 hex digits",
            None => "product_key is missing",
        };
        findings.warning("product_key", root.at("/product_key"), message);
    }
    let Some(attrs) = attrs(&root, findings) else {
        // No positions prove a protocol.
        protocol(&root, &[], 0, findings);
        return None;
    };
    let attrs = &attrs.elements;
    let mut entries = Vec::new();
    for (index, value) in attrs.iter().take(MAX_POINTS).enumerate() {
        let node = Node::new(text, value, format!("/entities/0/attrs/{index}"));
        entries.push(AttrEntry::read(node, index, findings));
    }
    repeated_names(&entries, findings);

    let points: Vec<Point> = entries.iter().filter_map(|entry| entry.point).collect();
    let protocol = protocol(&root, &points, attrs.len(), findings);
    let count = attrs.len().min(MAX_POINTS + 1);
    let mut fields = vec![Field::EMPTY; count];
    let mut limits = vec![Limits::EMPTY; count];
    let mut scales = vec![Scale::IDENTITY; count];
    let mut room = vec![core::Error::new(ErrorKind::NoPoints); 16 + 16 * count];
    let mut broken = rules::Findings::all(&mut room);
    let tables = Tables {
        fields: &mut fields,
        limits: &mut limits,
        scales: &mut scales,
    };
    // Without a known protocol, the rules of var_len products apply, which are the fewest.
    let rules = protocol.unwrap_or(Protocol::VarLen);
    let head = rules::check(rules, &points, attrs.len(), tables, &mut broken);
    let found = broken.found().min(room.len());
    let definition = (attrs.len(), protocol);
    broken_rules(&root, &entries, definition, &room[..found], findings);

    if points.len() < attrs.len() || protocol.is_none() || findings.errors > 0 {
        return None;
    }
    let name = root.text_at("name").unwrap_or_default();
    let attrs = entries.into_iter().filter_map(|entry| {
        let names = (entry.name, entry.display_name, entry.desc);
        Some(Attr::new(names, rules, entry.point?, entry.labels))
    });
    let names = (name, product_key.unwrap_or_default());
    let tables = (fields, limits, scales);
    Some(Product::new(names, head, tables, attrs.collect()))
}

/// Reports duplicate keys of the objects in a value. `pointer` is the JSON pointer of the value.
fn repeated_keys(value: &ast::Value<'_>, pointer: &mut String, findings: &mut Findings) {
    let len = pointer.len();
    match value {
        ast::Value::Object(object) => {
            let mut seen = HashSet::new();
            for member in &object.properties {
                let key = member.name.as_str();
                *pointer += "/";
                *pointer += &key.replace('~', "~0").replace('/', "~1");
                if !seen.insert(key) {
                    let range = member.name.range();
                    let range = range.start..range.end;
                    findings.add(Severity::Error, "duplicate_key", range, || {
                        let key = shown(key);
                        let message = format!("duplicate key \"{key}\" in an object");
                        (near(pointer).to_owned(), message.into())
                    });
                }
                repeated_keys(&member.value, pointer, findings);
                pointer.truncate(len);
            }
        }
        ast::Value::Array(array) => {
            for (index, value) in array.elements.iter().enumerate() {
                *pointer += &format!("/{index}");
                repeated_keys(value, pointer, findings);
                pointer.truncate(len);
            }
        }
        _ => {}
    }
}

/// Reads the protocol. Without a `protocolType`, the protocol is standard if the positions of all points prove it.
fn protocol(
    root: &Node<'_, '_>,
    points: &[Point],
    count: usize,
    findings: &mut Findings,
) -> Option<Protocol> {
    let pointer = Key::ProtocolType.pointer();
    let expected = "\"standard\" or \"var_len\"";
    let given = root.source(pointer);
    if given.is_empty() || given == "null" {
        if definition::has_positions(points) && is_standard(points, count) {
            let message =
                "protocolType is missing: \"standard\" is assumed, which all positions obey";
            findings.warning("missing", root.at(pointer), message);
            return Some(Protocol::Standard);
        }
        let message = format!("protocolType is missing: expected {expected}");
        findings.error("missing", root.at(pointer), message);
        return None;
    }
    let word = root.text_at(Key::ProtocolType.name());
    let protocol = word.as_deref().and_then(definition::protocol);
    if protocol.is_none() {
        let message = format!("protocolType is {given}: expected {expected}");
        findings.error("unknown_word", root.at(pointer), message);
    }
    protocol
}

/// Returns whether the points obey all rules of standard products.
fn is_standard(points: &[Point], count: usize) -> bool {
    let tables = Tables {
        fields: &mut vec![Field::EMPTY; points.len()],
        limits: &mut vec![Limits::EMPTY; points.len()],
        scales: &mut vec![Scale::IDENTITY; points.len()],
    };
    let mut broken = rules::Findings::errors(&mut []);
    rules::check(Protocol::Standard, points, count, tables, &mut broken);
    broken.found() == 0
}

/// Describes an answer of the API that is often taken for a definition; `None` if the object can be one.
fn other_answer(object: &ast::Object<'_>) -> Option<FindingText> {
    let has = |key| object.get(key).is_some();
    if has("entities") || has("attrs") {
        return None;
    }
    let message = if has("attr") {
        "these are the values of a device, not a definition"
    } else if has("error_code") {
        "this is an error that the API answered, not a definition"
    } else if has("objects") {
        "this is a list that the API answered, not a definition"
    } else {
        return None;
    };
    Some(FindingText {
        message: message.to_owned(),
        label: String::new(),
        help: "the API answers GET /v1/products/{product_key}/datapoint with the definition"
            .to_owned(),
    })
}

fn version(root: &Node<'_, '_>, findings: &mut Findings) {
    let pointer = Key::PacketVersion.pointer();
    let given = root.source(pointer);
    let text = root.text_at(Key::PacketVersion.name());
    if given.is_empty() {
        let message = "packetVersion is missing: \"0x00000004\" is assumed";
        findings.warning("packet_version", root.at(pointer), message);
    } else if !definition::is_packet_version(text.as_deref(), given.parse().ok()) {
        let message = format!("packetVersion is {given}: expected \"0x00000004\"");
        findings.error("unknown_word", root.at(pointer), message);
    }
}

/// Returns the attrs of the only entity.
fn attrs<'v, 't>(root: &Node<'v, 't>, findings: &mut Findings) -> Option<&'v ast::Array<'t>> {
    let mut fail = |kind, pointer, message: &str| {
        findings.error(kind, root.at(pointer), message);
        None
    };
    let object = root.object()?;
    let is_outside = object.get("attrs").is_some();
    if is_outside {
        let message = "attrs is outside of an entity: expected \"entities\": [{\"attrs\": […]}]";
        fail("outside_entity", "/attrs", message);
    }
    let entities = match object.get("entities").map(|member| &member.value) {
        Some(ast::Value::Array(entities)) => &entities.elements,
        Some(_) => {
            return fail(
                "wrong_type",
                "/entities",
                "entities is not a list: expected a list of one entity",
            );
        }
        None if is_outside => return None,
        None => return fail("missing", "/entities", "entities is missing"),
    };
    let count = entities.len();
    if count != 1 {
        let message = format!("the definition has {count} entities: expected exactly one");
        fail("entities", "/entities", &message);
    }
    let Some(entity) = entities.first()?.as_object() else {
        return fail("wrong_type", "/entities/0", "the entity is not an object");
    };
    match entity.get("attrs").map(|member| &member.value) {
        Some(ast::Value::Array(attrs)) => Some(attrs),
        Some(_) => fail("wrong_type", "/entities/0/attrs", "attrs is not a list"),
        None => fail("missing", "/entities/0/attrs", "attrs is missing"),
    }
}

fn repeated_names(entries: &[AttrEntry<'_, '_>], findings: &mut Findings) {
    let mut first = HashMap::new();
    for (index, entry) in entries.iter().enumerate() {
        let earlier = *first.entry(entry.name.as_str()).or_insert(index);
        if earlier != index && !entry.name.is_empty() {
            let name = entry.title();
            let message =
                format!("two points have the name {name}: attr {earlier} and attr {index}");
            findings.error("duplicate_name", entry.node.at("/name"), message);
        }
    }
}

/// Reports the rules that the points break, as found by the core.
fn broken_rules(
    root: &Node<'_, '_>,
    entries: &[AttrEntry<'_, '_>],
    (count, protocol): (usize, Option<Protocol>),
    found: &[core::Error],
    findings: &mut Findings,
) {
    let mut by_id: HashMap<PointId, Vec<&AttrEntry<'_, '_>>> = HashMap::new();
    for entry in entries {
        if let Some(point) = entry.point {
            by_id.entry(PointId(point.id)).or_default().push(entry);
        }
    }
    let with = |id: Option<PointId>, nth: usize| by_id.get(&id?)?.get(nth).copied();
    let mut repeated = HashMap::new();
    for error in found {
        // The canonical order depends on the protocol, so an unknown protocol has none.
        if error.kind == ErrorKind::Order && protocol.is_none() {
            continue;
        }
        let mut nth = 0;
        if let (ErrorKind::DuplicateId, Some(id)) = (error.kind, error.point) {
            nth = *repeated.entry(id).and_modify(|n| *n += 1).or_insert(1);
        }
        let severity = match error.kind.is_warning() {
            true => Severity::Warning,
            false => Severity::Error,
        };
        let Some((entry, point)) = with(error.point, nth).and_then(|one| Some((one, one.point?)))
        else {
            let message = match error.kind {
                ErrorKind::TooManyPoints => {
                    format!("the definition has {count} points: at most {MAX_POINTS} are allowed")
                }
                ErrorKind::NoPoints => "attrs is empty: expected at least one attr".to_owned(),
                kind => kind.to_string(),
            };
            let Place { range, pointer } = root.at("/entities/0/attrs");
            findings.add(severity, error.kind.name(), range, || {
                (pointer, message.into())
            });
            continue;
        };
        let at = key(error.kind, &point).pointer();
        findings.add(severity, error.kind.name(), entry.node.range(at), || {
            let breach = Breach {
                protocol: protocol.unwrap_or(Protocol::Standard),
                entry,
                point,
                other: with(error.other, 0),
                entries,
            };
            (
                format!("{}{at}", entry.node.pointer),
                breach.text(error.kind),
            )
        });
    }
}
