//! A decoded payload as text for people.

use anstyle::{AnsiColor, Style};
use gizwits_codec_std::capture::{Captured, Envelope, Meaning};
use gizwits_codec_std::core::m2m::{self, Event};
use gizwits_codec_std::core::{P0, Protocol, Raw, Value};
use gizwits_codec_std::{Content, Decoded, Description, Product, payload};
use serde_json::Value as Json;

use crate::output::table::table;
use crate::payload::action_and_body;
use crate::text::printable;

/// Returns the style if colours are wanted, otherwise the plain style.
pub(super) fn paint(colours: bool, style: Style) -> Style {
    if colours { style } else { Style::new() }
}

/// Describes a frame or P0: its action and frame, what is wrong with it, and its points or fields as a table.
pub(super) fn describe(
    product: Option<&Product>,
    captured: &Captured<'_, '_>,
    colours: bool,
) -> String {
    let strong = paint(colours, Style::new().bold());
    let envelope = captured
        .envelope
        .map(|envelope| envelope_text(envelope, captured));
    let envelope = envelope.unwrap_or_default();
    let fields = captured.description().map(|description| {
        let name = description.name.clone().into_owned();
        (name, fields_text(&description, colours))
    });
    let (title, text) = match (&captured.meaning, fields) {
        (Meaning::Decoded(decoded), None) => {
            let (title, body) = action_and_body(decoded);
            let mut text = hex_line(body.unwrap_or_default());
            if let Some(product) = product {
                text += &points(product, decoded, colours);
            }
            (title.to_owned(), text)
        }
        (Meaning::Decoded(_) | Meaning::Body { .. }, Some(fields)) => fields,
        (Meaning::P0 { action, body, .. }, _) => ((*action).to_owned(), hex_line(body)),
        (Meaning::Body { body, .. }, None) => ("no data points".to_owned(), hex_line(body)),
    };
    format!("{strong}{title}{strong:#}{envelope}{text}")
}

fn hex_line(bytes: &[u8]) -> String {
    match bytes {
        [] => String::new(),
        bytes => format!("\n  {}", payload::hex(bytes)),
    }
}

/// The fields of a message that needs no definition, as a table.
fn fields_text(description: &Description, colours: bool) -> String {
    let warn = paint(colours, AnsiColor::Yellow.on_default());
    let rows = description.fields.iter().map(|(name, value)| {
        let value = match value {
            Json::String(text) => text.clone(),
            value => value.to_string(),
        };
        [(*name).to_owned(), value]
    });
    let mut text: String = table(rows)
        .lines()
        .map(|row| format!("\n  {row}"))
        .collect();
    if let Some(error) = &description.error {
        text += &format!("\n  {warn}! {}{warn:#}", printable(&error.message));
    }
    text
}

/// Describes the points of a message and what is wrong with it.
fn points(product: &Product, decoded: &Decoded<'_, '_>, colours: bool) -> String {
    let warn = paint(colours, AnsiColor::Yellow.on_default());
    let mut text = String::new();
    if let Some(broadcast) = decoded.broadcast() {
        let strong = paint(colours, Style::new().bold());
        let (title, _) = action_and_body(&broadcast.decoded);
        text += &format!(
            "\n  MAC address {}\n{strong}{title}{strong:#}",
            broadcast.mac()
        );
        text += &points(product, &broadcast.decoded, colours);
    }
    for remark in decoded.remarks() {
        text += &format!("\n  {warn}! {remark}{warn:#}");
    }
    if let Content::P0(P0::Read(wanted)) = decoded.content
        && product.protocol() == Protocol::VarLen
    {
        for attr in wanted.ids().filter_map(|id| product.attr(id)) {
            text += &format!("\n  {}", printable(attr.name()));
        }
    }
    let readings = decoded.view().into_iter().flatten();
    let rows = readings.filter_map(|reading| {
        let value = product.show(reading);
        let raw = match (reading.raw(), reading.value()) {
            (Raw::Number(raw), Value::Bool(_) | Value::Enum(_)) => raw.to_string(),
            (Raw::Number(raw), _) if raw.to_string() != value => format!("raw {raw}"),
            _ => String::new(),
        };
        let flaw = product.flagged(reading).map(|flaw| format!("! {flaw}"));
        let name = product.attr(reading.id())?.name().to_owned();
        Some([name, value, raw, flaw.unwrap_or_default()])
    });
    for row in table(rows).lines() {
        text += &match row.find("  ! ").filter(|_| colours) {
            Some(at) => format!("\n  {}{warn}{}{warn:#}", &row[..at + 2], &row[at + 2..]),
            None => format!("\n  {row}"),
        };
    }
    text
}

/// The direction, command, sn and did of the frame around a message.
fn envelope_text(envelope: Envelope<'_>, captured: &Captured<'_, '_>) -> String {
    let did_text = |did: &[u8]| format!("  did {}", crate::text::did(did).escape_debug());
    let frame = match envelope {
        Envelope::M2m(Event::Frame(frame)) => frame,
        Envelope::M2m(Event::Service { command }) => return format!("  service {command:#06x}"),
        Envelope::Uart { frame, did } => {
            let name = frame.command.name().unwrap_or("unknown");
            let mut text = format!("  uart {:#04x} {name}  sn {}", frame.command.0, frame.sn);
            if frame.flags != 0 {
                text += &format!("  flags {:#06x}", frame.flags);
            }
            text += &did.map(did_text).unwrap_or_default();
            text += &format!("  checksum {:#04x}", Envelope::checksum(&frame));
            return text;
        }
    };
    let action = match &captured.meaning {
        Meaning::Decoded(decoded) => action_and_body(decoded).0,
        Meaning::P0 { action, .. } => action,
        Meaning::Body { .. } => "",
    };
    let direction = match (frame.command, action) {
        (m2m::TO_DEVICE, _) | (_, "control" | "read") => "  app2dev",
        (m2m::FROM_DEVICE, _) | (_, "reply" | "report") => "  dev2app",
        _ => "",
    };
    let mut text = format!("{direction}  command {:#06x}", frame.command);
    if let Some(sn) = frame.sn {
        text += &format!("  sn {sn}");
    }
    text + &frame.did.map(did_text).unwrap_or_default()
}
