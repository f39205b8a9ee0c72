//! Everything that is wrong with a definition, each thing with its place in the text.

use std::ops::Range;

use gizwits_codec_core as core;
use gizwits_codec_core::definition::{self, Number};
use gizwits_codec_core::layout::{Field, Spec};
use gizwits_codec_core::rules::{self, Findings, MAX_POINTS, Tables};
use gizwits_codec_core::{ErrorKind, Key, Point, PointId, Protocol, Scale};
use jsonc_parser::ast;
use jsonc_parser::common::Ranged;
use jsonc_parser::errors::ParseErrorKind;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};
use serde::de::IgnoredAny;

use super::attr::Attr;
use super::diagnostic::{Check, Diagnostic, Invalid, Severity};
use super::entry::{AttrEntry, JsonAttr};
use super::finding_text::{FindingText, engineering_max, json_finding, key, rule_finding};
use super::{Inner, Product};
use crate::error::{cut, shown};

/// Holds a definition against all rules, to the end.
///
/// A definition longer than [`Check::MAX_LEN`] is refused unread, and of one with more than
/// [`MAX_POINTS`] points the first so many are looked at.
///
/// ```
/// use gizwits_codec_std::check;
///
/// let found = check("{\n  \"entities\": [] // none yet\n}").diagnostics;
/// assert_eq!((found[0].kind, found[0].line), ("json", 2));
/// assert!(found[0].message.contains("comment"));
/// ```
#[must_use]
pub fn check(json: &str) -> Check {
    // Positions are those of the text as given.
    let text = json.strip_prefix('\u{feff}').unwrap_or(json);
    let mut checker = Checker {
        text,
        skipped: json.len() - text.len(),
        kept: Vec::new(),
        errors: 0,
        warnings: 0,
    };
    let root = checker.parse();
    let product = root.and_then(|root| checker.run(&root));
    let Checker {
        skipped,
        mut kept,
        errors,
        warnings,
        ..
    } = checker;
    kept.sort_by_key(|one| (one.span.start, one.severity));
    locate(text, skipped, &mut kept);
    Check {
        product: product.filter(|_| errors == 0),
        diagnostics: kept,
        errors,
        warnings,
    }
}

impl Product {
    /// Reads a definition.
    ///
    /// # Errors
    /// What is wrong with it, as [`check`] finds it.
    pub fn from_json(json: &str) -> Result<Self, Invalid> {
        let Check {
            product,
            diagnostics,
            errors,
            warnings,
        } = check(json);
        product.ok_or(Invalid {
            diagnostics,
            errors,
            warnings,
        })
    }
}

/// Gives each finding its line and column in one pass over the text, whose order the findings are in.
fn locate(text: &str, skipped: usize, diagnostics: &mut [Diagnostic]) {
    let (mut at, mut line, mut column) = (0, 1, 1);
    for one in diagnostics {
        let start = one.span.start - skipped;
        for char in text.get(at..start).unwrap_or("").chars() {
            match char {
                '\n' => (line, column) = (line + 1, 1),
                _ => column += 1,
            }
        }
        at = start;
        (one.line, one.column) = (line, column);
    }
}

const STRICT: ParseOptions = ParseOptions {
    allow_comments: false,
    allow_loose_object_property_names: false,
    allow_trailing_commas: false,
    allow_missing_commas: false,
    allow_single_quoted_strings: false,
    allow_hexadecimal_numbers: false,
    allow_unary_plus_numbers: false,
    allow_bare_decimal_point_numbers: false,
    allow_non_finite_numbers: false,
    allow_extended_string_escapes: false,
};

struct Checker<'t> {
    text: &'t str,
    skipped: usize,
    /// The findings that are kept, by severity and place.
    kept: Vec<Diagnostic>,
    errors: usize,
    warnings: usize,
}

/// A value of the definition and its JSON pointer.
#[derive(Clone, Copy)]
struct Node<'v, 't> {
    value: &'v ast::Value<'t>,
    pointer: &'v str,
}

impl<'t> Checker<'t> {
    fn run(&mut self, value: &ast::Value<'t>) -> Option<Product> {
        let root = Node { value, pointer: "" };
        let Some(object) = value.as_object() else {
            let message = "a definition is a JSON object";
            self.add(Severity::Error, "json", root, "", message);
            return None;
        };
        self.duplicates(value, &mut String::new());

        let protocol = self.protocol(root, object);
        self.version(root, object);
        let product_key = text_of(object.get("product_key"));
        let hex = |key: &str| key.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !product_key
            .as_deref()
            .is_some_and(|key| key.len() == 32 && hex(key))
        {
            let message = match product_key {
                Some(_) => "the product_key is not 32 hex digits",
                None => "there is no product_key",
            };
            self.add(
                Severity::Warning,
                "product_key",
                root,
                "/product_key",
                message,
            );
        }

        let attrs = &self.attrs(root, object)?.elements;
        let mut entries = Vec::new();
        for (index, attr) in attrs.iter().take(MAX_POINTS).enumerate() {
            entries.push(self.entry(attr, index));
        }
        self.names(&entries, attrs);

        let points: Vec<Point> = entries.iter().filter_map(|entry| entry.point).collect();
        let count = attrs.len().min(MAX_POINTS + 1);
        let mut fields = vec![Field::EMPTY; count];
        let mut specs = vec![Spec::EMPTY; count];
        let mut scales = vec![Scale::IDENTITY; count];
        let mut room = vec![core::Error::new(ErrorKind::NoPoints); 16 + 16 * count];
        let mut findings = Findings::all(&mut room);
        let tables = Tables {
            fields: &mut fields,
            specs: &mut specs,
            scales: &mut scales,
        };
        // Without a protocol its own rules can't be told from the others'.
        let rules = protocol.unwrap_or(Protocol::VarLen);
        let head = rules::check(rules, &points, attrs.len(), tables, &mut findings);
        let found = findings.found().min(room.len());
        self.rules(root, (&entries, attrs), protocol, &room[..found]);

        if points.len() < attrs.len() || protocol.is_none() || self.errors > 0 {
            return None;
        }
        let attrs = entries.into_iter().filter_map(|entry| {
            let AttrEntry {
                name,
                display_name,
                desc,
                labels,
                point,
                ..
            } = entry;
            Some(Attr::new((name, display_name, desc), rules, point?, labels))
        });
        let name = text_of(object.get("name")).unwrap_or_default();
        let names = (name, product_key.unwrap_or_default());
        let tables = (fields, specs, scales);
        Some(Product::new(Inner::new(
            names,
            head,
            tables,
            attrs.collect(),
        )))
    }

    fn parse(&mut self) -> Option<ast::Value<'t>> {
        let (len, limit) = (self.skipped + self.text.len(), Check::MAX_LEN);
        if len > limit {
            let message = format!("{len} bytes: a definition has at most {limit}");
            self.add_at(Severity::Error, "too_long", 0..0, || {
                (String::new(), message.into())
            });
            return None;
        }
        if self.text.trim_ascii().is_empty() {
            let message = "the text is empty: a definition is a JSON object";
            self.not_json(0..0, message.to_owned());
            return None;
        }
        if definition::too_deep(self.text) {
            let limit = definition::MAX_DEPTH;
            let message = format!("arrays and objects are nested more than {limit} deep");
            self.not_json(0..0, message);
            return None;
        }
        match parse_to_ast(self.text, &CollectOptions::default(), &STRICT) {
            Ok(parsed) => {
                // The parser of positions is lenient in places, such as control characters.
                if let Err(error) = serde_json::from_str::<IgnoredAny>(self.text) {
                    let start = offset(self.text, error.line(), error.column());
                    let message = format!("not JSON: {}", without_place(&error.to_string()));
                    self.not_json(start..start, message);
                    return None;
                }
                parsed.value
            }
            Err(error) => {
                let range = error.range();
                let message = match error.kind() {
                    ParseErrorKind::CommentsNotAllowed => {
                        "JSON has no comments: this one must go".to_owned()
                    }
                    ParseErrorKind::TrailingCommasNotAllowed => {
                        "JSON has no comma after the last member".to_owned()
                    }
                    kind => format!("not JSON: {}", lower_first(&kind.to_string())),
                };
                self.not_json(range.start..range.end, message);
                None
            }
        }
    }

    fn not_json(&mut self, range: Range<usize>, message: String) {
        self.add_at(Severity::Error, "json", range, || {
            (String::new(), message.into())
        });
    }

    /// Keys that stand twice, anywhere in a value, which has the pointer.
    fn duplicates(&mut self, value: &ast::Value<'_>, pointer: &mut String) {
        let len = pointer.len();
        match value {
            ast::Value::Object(object) => {
                let mut seen = std::collections::HashSet::new();
                for member in &object.properties {
                    let key = member.name.as_str();
                    let range = member.name.range();
                    pointer.push('/');
                    pointer.push_str(&escaped(key));
                    if !seen.insert(key) {
                        let range = range.start..range.end;
                        self.add_at(Severity::Error, "duplicate_key", range, || {
                            let key = shown(key);
                            let message = format!("the key \"{key}\" stands twice in one object");
                            (near(pointer).to_owned(), message.into())
                        });
                    }
                    self.duplicates(&member.value, pointer);
                    pointer.truncate(len);
                }
            }
            ast::Value::Array(array) => {
                for (index, value) in array.elements.iter().enumerate() {
                    pointer.push('/');
                    pointer.push_str(&index.to_string());
                    self.duplicates(value, pointer);
                    pointer.truncate(len);
                }
            }
            _ => {}
        }
    }

    fn protocol(&mut self, root: Node<'_, 't>, object: &ast::Object<'t>) -> Option<Protocol> {
        let pointer = Key::ProtocolType.pointer();
        let Some(member) = object.get(Key::ProtocolType.name()) else {
            let message = "protocolType is missing: \"standard\" or \"var_len\"";
            self.add(Severity::Error, "missing", root, pointer, message);
            return None;
        };
        let word = text_of(Some(member));
        let protocol = word.as_deref().and_then(definition::protocol);
        if protocol.is_none() {
            let given = self.source(&member.value);
            let message =
                format!("protocolType is {given}: \"standard\" or \"var_len\" is expected");
            self.add(Severity::Error, "unknown_word", root, pointer, message);
        }
        protocol
    }

    fn version(&mut self, root: Node<'_, 't>, object: &ast::Object<'t>) {
        let pointer = Key::PacketVersion.pointer();
        let Some(member) = object.get(Key::PacketVersion.name()) else {
            let message = "there is no packetVersion; 0x00000004 is assumed";
            self.add(Severity::Warning, "packet_version", root, pointer, message);
            return;
        };
        let number = member.value.as_number_lit();
        let number = number.and_then(|number| number.value.parse().ok());
        if !definition::is_packet_version(text_of(Some(member)).as_deref(), number) {
            let given = self.source(&member.value);
            let message = format!("packetVersion is {given}: \"0x00000004\" is expected");
            self.add(Severity::Error, "unknown_word", root, pointer, message);
        }
    }

    /// The attrs of the one entity.
    fn attrs<'v>(
        &mut self,
        root: Node<'v, 't>,
        object: &'v ast::Object<'t>,
    ) -> Option<&'v ast::Array<'t>> {
        let error = Severity::Error;
        if object.get("attrs").is_some() {
            let message =
                "the attrs stand outside an entity: \"entities\": [{\"attrs\": […]}] is expected";
            self.add(error, "outside_entity", root, "/attrs", message);
        }
        let Some(member) = object.get("entities") else {
            if object.get("attrs").is_none() {
                self.add(error, "missing", root, "/entities", "entities is missing");
            }
            return None;
        };
        let Some(entities) = member.value.as_array() else {
            let message = "entities is a list of one entity";
            self.add(error, "wrong_type", root, "/entities", message);
            return None;
        };
        if entities.elements.len() != 1 {
            let message = format!(
                "there are {} entities: exactly one is expected",
                entities.elements.len()
            );
            self.add(error, "entities", root, "/entities", message);
        }
        let entity = entities.elements.first()?;
        let Some(entity) = entity.as_object() else {
            self.add(
                error,
                "wrong_type",
                root,
                "/entities/0",
                "an entity is an object",
            );
            return None;
        };
        match entity.get("attrs").map(|member| &member.value) {
            Some(ast::Value::Array(attrs)) => Some(attrs),
            Some(_) => {
                self.add(
                    error,
                    "wrong_type",
                    root,
                    "/entities/0/attrs",
                    "attrs is a list",
                );
                None
            }
            None => {
                self.add(
                    error,
                    "missing",
                    root,
                    "/entities/0/attrs",
                    "attrs is missing",
                );
                None
            }
        }
    }

    /// Reads one attr, by the schema that the core has for it.
    fn entry(&mut self, value: &ast::Value<'t>, index: usize) -> AttrEntry {
        let pointer = &format!("/entities/0/attrs/{index}");
        let node = Node { value, pointer };
        let mut entry = AttrEntry {
            name: text_at(value, "name").unwrap_or_default(),
            display_name: text_at(value, "display_name").unwrap_or_default(),
            desc: text_at(value, "desc").unwrap_or_default(),
            labels: Vec::new(),
            id: None,
            point: None,
        };
        let Some(object) = value.as_object() else {
            let given = self.source(value);
            let message = format!("{} is {given}: an object is expected", entry.title(index));
            self.add(Severity::Error, "wrong_type", node, "", message);
            return entry;
        };
        // Serde would read a list as an object without its keys.
        for key in [Key::Position, Key::UintSpec] {
            let Some(member) = object.get(key.name()) else {
                continue;
            };
            if matches!(
                member.value,
                ast::Value::Object(_) | ast::Value::NullKeyword(_)
            ) {
                continue;
            }
            let kind = ErrorKind::WrongType { key };
            let given = self.source(&member.value);
            let (pointer, message) = json_finding(&entry, index, kind, |_| given.clone());
            self.add(Severity::Error, kind.name(), node, &pointer, message);
            return entry;
        }
        let range = value.range();
        let source = self.text.get(range.start..range.end).unwrap_or("");
        let mut reader = serde_json::Deserializer::from_str(source);
        let attr = match serde_path_to_error::deserialize::<_, JsonAttr<'_>>(&mut reader) {
            Ok(attr) => attr,
            Err(error) => {
                let message = error.inner().to_string();
                let message = without_place(&message);
                // Those are found above, wherever they are.
                if !message.starts_with("duplicate field") {
                    let path = error.path().to_string();
                    let path = if path == "." {
                        String::new()
                    } else {
                        format!("/{}", path.replace('.', "/"))
                    };
                    let message = format!("{}: {message}", entry.title(index));
                    self.add(Severity::Error, "wrong_type", node, &path, message);
                }
                return entry;
            }
        };
        let id = attr.id.as_ref().and_then(Number::number);
        entry.id = id
            .and_then(Result::ok)
            .and_then(|id| id.to_string().parse().ok().map(PointId));
        if let Some(labels) = &attr.labels {
            entry.labels = labels
                .list()
                .unwrap_or_default()
                .into_iter()
                .flatten()
                .collect();
        }
        let mut errors = Vec::new();
        entry.point = attr.point(&mut |error| errors.push(error));
        for error in errors {
            let (pointer, message) = json_finding(&entry, index, error.kind, |pointer| {
                let (value, missing) = descend(value, pointer);
                match missing {
                    true => String::new(),
                    false => self.source(value),
                }
            });
            self.add(Severity::Error, error.kind.name(), node, &pointer, message);
        }
        let mut seen = std::collections::HashSet::new();
        let range = span(value, "/enum");
        for label in &entry.labels {
            if !seen.insert(label.as_str()) {
                self.add_at(Severity::Warning, "duplicate_label", range.clone(), || {
                    let (title, label) = (entry.title(index), shown(label));
                    let message =
                        format!("{title} has the label \"{label}\" twice: it decodes to its index");
                    (format!("{pointer}/enum"), message.into())
                });
            }
        }
        if let Some(told) = entry
            .point
            .and_then(|point| engineering_max(&entry, index, &point))
        {
            let at = Key::Max.pointer();
            self.add(Severity::Warning, "engineering_max", node, at, told);
        }
        entry
    }

    fn names(&mut self, entries: &[AttrEntry], attrs: &[ast::Value<'t>]) {
        let mut first = std::collections::HashMap::new();
        for (index, (entry, value)) in entries.iter().zip(attrs).enumerate() {
            if entry.name.is_empty() {
                continue;
            }
            let earlier = *first.entry(entry.name.as_str()).or_insert(index);
            if earlier != index {
                let name = entry.title(index);
                let message =
                    format!("two points are named {name}: attr {earlier} and attr {index}");
                let pointer = &format!("/entities/0/attrs/{index}");
                let node = Node { value, pointer };
                self.add(Severity::Error, "duplicate_name", node, "/name", message);
            }
        }
    }

    /// What the core found about the points.
    fn rules(
        &mut self,
        root: Node<'_, 't>,
        (entries, attrs): (&[AttrEntry], &[ast::Value<'t>]),
        protocol: Option<Protocol>,
        found: &[core::Error],
    ) {
        // Each protocol has an order of its own, and positions are at least what the text says.
        let order = |error: &&core::Error| error.kind == ErrorKind::Order && protocol.is_none();
        let found = found.iter().filter(|error| !order(error));
        let protocol = protocol.unwrap_or(Protocol::Standard);
        let mut repeated = std::collections::HashMap::new();
        let mut by_id: std::collections::HashMap<PointId, Vec<usize>> =
            std::collections::HashMap::new();
        for (index, entry) in entries.iter().enumerate() {
            if let Some(point) = entry.point {
                by_id.entry(PointId(point.id)).or_default().push(index);
            }
        }
        let with = |id: Option<PointId>, nth: usize| {
            let index = *by_id.get(&id?)?.get(nth)?;
            Some((index, entries.get(index)?))
        };
        for error in found {
            let mut nth = 0;
            if let (ErrorKind::DuplicateId, Some(id)) = (error.kind, error.point) {
                nth = *repeated.entry(id).and_modify(|n| *n += 1).or_insert(1);
            }
            let severity = if error.is_warning() {
                Severity::Warning
            } else {
                Severity::Error
            };
            let Some((index, entry)) = with(error.point, nth) else {
                let message = match error.kind {
                    ErrorKind::TooManyPoints => {
                        format!("{} points: at most {MAX_POINTS} are possible", attrs.len())
                    }
                    ErrorKind::NoPoints => {
                        "there are no attrs: at least one is expected".to_owned()
                    }
                    kind => kind.to_string(),
                };
                let kind = error.kind.name();
                self.add(severity, kind, root, "/entities/0/attrs", message);
                continue;
            };
            let (Some(point), Some(value)) = (entry.point, attrs.get(index)) else {
                continue;
            };
            let at = key(error.kind, &point).pointer();
            self.add_at(severity, error.kind.name(), span(value, at), || {
                let other = with(error.other, 0);
                let told =
                    rule_finding(entry, (protocol, &point), index, other, error.kind, entries);
                (format!("/entities/0/attrs/{index}{at}"), told)
            });
        }
    }

    /// Adds a finding about the value at `pointer` from a node on.
    fn add(
        &mut self,
        severity: Severity,
        kind: &'static str,
        node: Node<'_, 't>,
        pointer: &str,
        told: impl Into<FindingText>,
    ) {
        self.add_at(severity, kind, span(node.value, pointer), || {
            let pointer = format!("{}{pointer}", node.pointer);
            (near(&pointer).to_owned(), told.into())
        });
    }

    /// Counts a finding. Its pointer and text are made only if it is one of those that are kept.
    fn add_at(
        &mut self,
        severity: Severity,
        kind: &'static str,
        range: Range<usize>,
        tell: impl FnOnce() -> (String, FindingText),
    ) {
        match severity {
            Severity::Error => self.errors += 1,
            Severity::Warning => self.warnings += 1,
        }
        let span = range.start + self.skipped..range.end + self.skipped;
        let order = (severity, span.start);
        let at = self
            .kept
            .partition_point(|one| (one.severity, one.span.start) <= order);
        if at == Check::MAX_DIAGNOSTICS {
            return;
        }
        let (pointer, told) = tell();
        self.kept.truncate(Check::MAX_DIAGNOSTICS - 1);
        self.kept.insert(
            at,
            Diagnostic {
                severity,
                kind,
                pointer,
                span,
                line: 0,
                column: 0,
                message: cut(told.message),
                label: told.label,
                help: told.help,
            },
        );
    }

    /// A value as it stands, or what it is if it may be of several lines.
    fn source(&self, value: &ast::Value<'_>) -> String {
        match value {
            ast::Value::Object(_) => return "an object".to_owned(),
            ast::Value::Array(_) => return "a list".to_owned(),
            _ => {}
        }
        let range = value.range();
        let source = self.text.get(range.start..range.end).unwrap_or("");
        shown(source)
    }
}

/// The value at a pointer, or the nearest around it and that it is missing.
fn descend<'v, 't>(value: &'v ast::Value<'t>, pointer: &str) -> (&'v ast::Value<'t>, bool) {
    let mut value = value;
    for step in pointer.split('/').skip(1) {
        let next = match value {
            ast::Value::Object(object) => object.get(step).map(|member| &member.value),
            ast::Value::Array(array) => {
                step.parse().ok().and_then(|n: usize| array.elements.get(n))
            }
            _ => None,
        };
        match next {
            Some(next) => value = next,
            None => return (value, true),
        }
    }
    (value, false)
}

/// The bytes of the value at a pointer, or of the nearest around it.
fn span(value: &ast::Value<'_>, pointer: &str) -> Range<usize> {
    let (value, missing) = descend(value, pointer);
    let range = value.range();
    // Of an object that lacks something its head will do.
    let long = matches!(value, ast::Value::Object(_) | ast::Value::Array(_));
    let end = match long && (missing || pointer.is_empty()) {
        true => range.start + 1,
        false => range.end,
    };
    range.start..end
}

/// A pointer, or the longest head of it that is no longer than a diagnostic's may be.
fn near(pointer: &str) -> &str {
    const MAX: usize = 1000;
    if pointer.len() <= MAX {
        return pointer;
    }
    let cut = pointer.bytes().take(MAX + 1).rposition(|byte| byte == b'/');
    pointer.get(..cut.unwrap_or(0)).unwrap_or("")
}

fn text_of(member: Option<&ast::ObjectProp<'_>>) -> Option<String> {
    let text = member?.value.as_string_lit()?;
    Some(text.value.clone().into_owned())
}

fn text_at(value: &ast::Value<'_>, key: &str) -> Option<String> {
    text_of(value.as_object()?.get(key))
}

/// A key as a step of a JSON pointer.
fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_lowercase().chain(chars).collect(),
        None => String::new(),
    }
}

/// serde's message without the place that it ends with.
fn without_place(message: &str) -> &str {
    message.split(" at line ").next().unwrap_or(message)
}

fn offset(text: &str, line: usize, column: usize) -> usize {
    let start: usize = text
        .split_inclusive('\n')
        .take(line.saturating_sub(1))
        .map(str::len)
        .sum();
    let mut offset = (start + column.saturating_sub(1)).min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}
