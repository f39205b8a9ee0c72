//! The answers of `gizwits decode`: one JSON object or table for each frame.

use std::collections::BTreeSet;
use std::io::{self, Write};

use anstyle::AnsiColor;
use gizwits_codec_std::capture::{Entry, EntrySink};
use gizwits_codec_std::{Product, payload};

use super::Format;
use super::text::{describe, paint};
use crate::definition::HOW_TO_GET;
use crate::failure::Failure;
use crate::payload::pointed_at;
use crate::text::{counted, printable, tell};

/// Writes answers, and counts what they are about.
pub(super) struct Answers<'a, W> {
    product: Option<&'a Product>,
    format: Format,
    colours: bool,
    out: &'a mut W,
    count: usize,
    failed: usize,
    /// The number of messages whose data points need a definition.
    unnamed: usize,
    /// The product keys that messages name.
    keys: BTreeSet<String>,
}

impl<'a, W: Write> Answers<'a, W> {
    pub(super) fn new(
        product: Option<&'a Product>,
        format: Format,
        colours: bool,
        out: &'a mut W,
    ) -> Self {
        Answers {
            product,
            format,
            colours,
            out,
            count: 0,
            failed: 0,
            unnamed: 0,
            keys: BTreeSet::new(),
        }
    }

    fn json(entry: &Entry<'_, '_>) -> Vec<u8> {
        let mut json = Vec::from(b"{");
        if let Some(line) = &entry.line {
            // Serializing a text or an error can't fail.
            let line = serde_json::to_string(line).unwrap_or_default();
            json.extend(format!(r#""line":{line},"#).as_bytes());
        }
        if let Some(offset) = entry.offset {
            json.extend(format!(r#""offset":{offset},"#).as_bytes());
        }
        match &entry.captured {
            Ok(captured) => {
                let mut members = Vec::new();
                captured.write_json(&mut members);
                json.extend(members.get(1..).unwrap_or_default());
            }
            Err(error) => {
                let error = serde_json::to_string(error).unwrap_or_default();
                json.extend(format!(r#""error":{error}"#).as_bytes());
                if entry.offset.is_some() {
                    json.extend(format!(r#","body":"{}""#, payload::hex(entry.bytes)).as_bytes());
                }
                if let Some(line) = entry.number {
                    json.extend(format!(r#","input_line":{line}"#).as_bytes());
                }
                json.push(b'}');
            }
        }
        json
    }

    fn table(&self, entry: &Entry<'_, '_>) -> Vec<u8> {
        let mut text = String::new();
        if let Some(line) = &entry.line {
            text += &format!("{}\n", printable(line));
        }
        match &entry.captured {
            Ok(captured) => text += &describe(self.product, captured, self.colours),
            Err(error) => {
                let style = paint(self.colours, AnsiColor::Red.on_default());
                let (count, message) = (self.count, printable(&error.message));
                let at = match entry.offset {
                    Some(offset) => format!("offset {offset}"),
                    None => format!("payload {count}"),
                };
                let byte = error.byte.filter(|_| !entry.bytes.is_empty());
                let byte = byte.map(|byte| pointed_at(entry.bytes, byte as usize));
                let byte = byte.unwrap_or_default();
                text += &format!("{style}error{style:#}: {at}: {message}{byte}");
            }
        }
        text.into_bytes()
    }

    /// Reports how many payloads failed, and what would name the data points.
    pub(super) fn finish(self) -> Result<(), Failure> {
        self.out.flush()?;
        if self.unnamed > 0 {
            let messages = counted(self.unnamed, "message");
            let keys: Vec<String> = self
                .keys
                .iter()
                .map(|key| printable(key).into_owned())
                .collect();
            let product = match &keys[..] {
                [] => "of their product".to_owned(),
                [key] => format!("of the product {key}"),
                keys => format!("of one of the products {}", keys.join(", ")),
            };
            tell(format_args!(
                "{messages} with data points: names and values need the definition {product}, given with --definition \
                 FILE.\n{HOW_TO_GET}"
            ));
        }
        if self.failed > 0 {
            let payloads = counted(self.count, "payload");
            tell(format_args!("{payloads}, {} failed", self.failed));
            return Err(Failure::Some);
        }
        Ok(())
    }
}

impl<W: Write> EntrySink for Answers<'_, W> {
    fn entry(&mut self, entry: Entry<'_, '_>) -> io::Result<()> {
        self.count += 1;
        match &entry.captured {
            Err(_) => self.failed += 1,
            Ok(captured) => {
                self.unnamed += usize::from(captured.needs_definition());
                self.keys.extend(captured.product_key());
            }
        }
        let mut answer = match self.format {
            Format::Json => Self::json(&entry),
            Format::Table => self.table(&entry),
        };
        answer.push(b'\n');
        self.out.write_all(&answer)
    }

    fn idle(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
