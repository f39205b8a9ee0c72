//! The JSON of a definition, with the location of every value in the text.

use std::ops::Range;

use gizwits_codec_core::definition;
use jsonc_parser::ast::{Object, Value};
use jsonc_parser::common::Ranged;
use jsonc_parser::errors::ParseErrorKind;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};
use serde::de::IgnoredAny;

use crate::error::shown;

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

/// Parses a text. The error is a byte range of the text and a message.
pub(super) fn parse(text: &str) -> Result<Value<'_>, (Range<usize>, String)> {
    if text.trim_ascii().is_empty() {
        let message = "the text is empty: expected a JSON object";
        return Err((0..0, message.to_owned()));
    }
    if definition::too_deep(text) {
        let limit = definition::MAX_DEPTH;
        let message = format!("arrays and objects are nested more than {limit} deep");
        return Err((0..0, message));
    }
    let parsed = parse_to_ast(text, &CollectOptions::default(), &STRICT).map_err(|error| {
        let message = match error.kind() {
            ParseErrorKind::CommentsNotAllowed => "JSON does not allow comments".into(),
            ParseErrorKind::TrailingCommasNotAllowed => {
                "JSON does not allow a comma after the last member".into()
            }
            kind => format!("not JSON: {}", lower_first(&kind.to_string())),
        };
        (error.range().start..error.range().end, message)
    })?;
    // jsonc-parser accepts some texts that are not JSON, for example control characters in strings.
    serde_json::from_str::<IgnoredAny>(text).map_err(|error| {
        let start = offset(text, error.line(), error.column());
        (start..start, format!("not JSON: {}", without_place(&error)))
    })?;
    parsed.value.ok_or((0..0, "not JSON".to_owned()))
}

/// The message of a serde_json error without the line and column at its end.
pub(super) fn without_place(error: &serde_json::Error) -> String {
    let message = error.to_string();
    let end = message.find(" at line ").unwrap_or(message.len());
    message[..end].to_owned()
}

/// A value of the definition, with its JSON pointer.
pub(super) struct Node<'v, 't> {
    text: &'t str,
    value: &'v Value<'t>,
    pub(super) pointer: String,
}

/// The location of a value: its bytes in the text and its JSON pointer.
pub(super) struct Place {
    pub(super) range: Range<usize>,
    pub(super) pointer: String,
}

impl Place {
    /// A location in the text that belongs to no value.
    pub(super) fn text(range: Range<usize>) -> Self {
        let pointer = String::new();
        Place { range, pointer }
    }
}

impl<'v, 't> Node<'v, 't> {
    pub(super) fn new(text: &'t str, value: &'v Value<'t>, pointer: String) -> Self {
        Node {
            text,
            value,
            pointer,
        }
    }

    pub(super) fn object(&self) -> Option<&'v Object<'t>> {
        self.value.as_object()
    }

    /// The string at a key of an object; `None` for a value of any other type.
    pub(super) fn text_at(&self, key: &str) -> Option<String> {
        let text = self.object()?.get(key)?.value.as_string_lit()?;
        Some(text.value.clone().into_owned())
    }

    /// The location of the value at a pointer relative to this value. A missing value has the location of
    /// the nearest enclosing value.
    pub(super) fn at(&self, pointer: &str) -> Place {
        let pointer = format!("{}{pointer}", self.pointer);
        Place {
            range: self.range(&pointer[self.pointer.len()..]),
            pointer: near(&pointer).to_owned(),
        }
    }

    /// The bytes of the value at a pointer, or of the nearest enclosing value if it is missing.
    pub(super) fn range(&self, pointer: &str) -> Range<usize> {
        let (value, missing) = self.descend(pointer);
        let range = value.range();
        // An object that lacks a member is marked by its bracket: the whole object would hide the rest.
        let long = matches!(value, Value::Object(_) | Value::Array(_));
        let end = match long && (missing || pointer.is_empty()) {
            true => range.start + 1,
            false => range.end,
        };
        range.start..end
    }

    /// The text of the value at a pointer for messages. Objects and lists, which can have several lines, are
    /// described in words. Empty if the value is missing.
    pub(super) fn source(&self, pointer: &str) -> String {
        match self.descend(pointer) {
            (_, true) => String::new(),
            (Value::Object(_), _) => "an object".to_owned(),
            (Value::Array(_), _) => "a list".to_owned(),
            (value, _) => shown(self.slice(value)),
        }
    }

    /// The text of the value.
    pub(super) fn json(&self) -> &'t str {
        self.slice(self.value)
    }

    fn slice(&self, value: &Value<'_>) -> &'t str {
        let range = value.range();
        self.text.get(range.start..range.end).unwrap_or("")
    }

    /// The value at a pointer and `false`, or the nearest enclosing value and `true` if it is missing.
    fn descend(&self, pointer: &str) -> (&'v Value<'t>, bool) {
        let mut value = self.value;
        for step in pointer.split('/').skip(1) {
            let next = match value {
                Value::Object(object) => object.get(step).map(|member| &member.value),
                Value::Array(array) => {
                    let index = step.parse::<usize>();
                    index.ok().and_then(|index| array.elements.get(index))
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
}

/// A pointer, or its longest prefix of at most 1,000 bytes that is the pointer of an enclosing value.
pub(super) fn near(pointer: &str) -> &str {
    const MAX: usize = 1000;
    if pointer.len() <= MAX {
        return pointer;
    }
    let cut = pointer.bytes().take(MAX + 1).rposition(|byte| byte == b'/');
    pointer.get(..cut.unwrap_or(0)).unwrap_or("")
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().into_iter().flat_map(char::to_lowercase);
    first.chain(chars).collect()
}

fn offset(text: &str, line: usize, column: usize) -> usize {
    let lines = text.split_inclusive('\n').take(line.saturating_sub(1));
    let start: usize = lines.map(str::len).sum();
    text.floor_char_boundary((start + column.saturating_sub(1)).min(text.len()))
}
