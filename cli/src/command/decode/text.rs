//! A decoded payload as text for people.

use anstyle::{AnsiColor, Style};
use gizwits_codec_std::core::m2m::{self, Event};
use gizwits_codec_std::core::{P0, Protocol, Raw, Value};
use gizwits_codec_std::{Content, Decoded, Product, payload};

use crate::output::table::table;
use crate::payload::action_and_body;
use crate::text::printable;

/// Returns the style if colours are wanted, otherwise the plain style.
pub(super) fn paint(colours: bool, style: Style) -> Style {
    if colours { style } else { Style::new() }
}

/// Describes a payload: its action and frame, what is wrong with it, and its points as a table.
pub(super) fn describe(product: &Product, decoded: &Decoded<'_, '_>, colours: bool) -> String {
    let strong = paint(colours, Style::new().bold());
    let warn = paint(colours, AnsiColor::Yellow.on_default());
    let (title, body) = action_and_body(decoded);
    let mut text = format!("{strong}{title}{strong:#}{}", envelope(decoded));
    if let Some(body) = body {
        text += &format!("\n  {}", payload::hex(body));
    }
    if let Some(broadcast) = decoded.broadcast() {
        text += &format!("\n  MAC address {}\n", broadcast.mac());
        text += &describe(product, &broadcast.decoded, colours);
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
        let odd = product.odd(reading).map(|odd| format!("! {odd}"));
        let name = product.attr(reading.id())?.name().to_owned();
        Some([name, value, raw, odd.unwrap_or_default()])
    });
    for row in table(rows).lines() {
        text += &match row.find("  ! ").filter(|_| colours) {
            Some(odd) => format!("\n  {}{warn}{}{warn:#}", &row[..odd + 2], &row[odd + 2..]),
            None => format!("\n  {row}"),
        };
    }
    text
}

/// The direction, command, sn and did of the frame around a payload.
fn envelope(decoded: &Decoded<'_, '_>) -> String {
    let frame = match decoded.envelope {
        Some(Event::Frame(frame)) => frame,
        Some(Event::Service { command }) => return format!("  service {command:#06x}"),
        None => return String::new(),
    };
    let direction = match (frame.command, decoded.content) {
        (m2m::TO_DEVICE, _) | (_, Content::P0(P0::Control(_) | P0::Read { .. })) => "  app2dev",
        (m2m::FROM_DEVICE, _) | (_, Content::P0(P0::Reply(_) | P0::Report(_))) => "  dev2app",
        _ => "",
    };
    let mut text = format!("{direction}  command {:#06x}", frame.command);
    if let Some(sn) = frame.sn {
        text += &format!("  sn {sn}");
    }
    if let Some(did) = frame.did {
        text += &format!("  did {}", String::from_utf8_lossy(did).escape_debug());
    }
    text
}
