//! `gizwits layout`: the bytes and bits of a status or a message, as a drawing or as JSON.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use gizwits_codec_std::core::{Kind, Protocol, Raw, Unit};
use gizwits_codec_std::{Attr, Decoded, Product, payload};
use serde_json::{Value, json};

use crate::definition;
use crate::failure::Failure;
use crate::output::image;
use crate::output::picture::{Drawing, shown, unit};
use crate::output::table::terminal_width;
use crate::payload::{encoding, pointed_at};
use crate::text::printable;

/// Draw the bytes and bits of a product's status, or of one message
#[derive(Args)]
#[command(after_help = "\
W is writable, R read-only, A alert, F fault. In a bit area of several bytes, bits are numbered from \
the lowest bit of the area. A message of a var_len product contains only some of the points, without \
gaps between them: --message shows where they are in one message.

ac.json is a definition: `gizwits definition PRODUCT_KEY -o ac.json` fetches one.

Examples:
  gizwits layout -d ac.json
  gizwits layout -d pump.json --message 1100000000000000100204
  gizwits layout -d ac.json -o ac.svg
  gizwits layout -d ac.json --json")]
pub(crate) struct LayoutArgs {
    /// The product's definition, as the Enterprise API returns it
    #[arg(short, long, value_name = "FILE")]
    definition: PathBuf,
    /// Draw the bytes of this message, in any notation that `gizwits decode` accepts
    #[arg(short, long, value_name = "PAYLOAD")]
    message: Option<String>,
    /// The notation of the message. Default: detected from its characters
    #[arg(long, value_parser = encoding(), requires = "message")]
    encoding: Option<payload::Encoding>,
    /// The output file: SVG or PNG, as its name ends in .svg or .png; - is SVG on standard output. PNG requires a build with
    /// the feature `png`. Default: text on standard output
    #[arg(short, long = "output", alias = "svg", value_name = "FILE")]
    out: Option<PathBuf>,
    /// Print one JSON object: lengths, and position, limits and labels of every point. With --message: the
    /// output of `gizwits decode`, and the position of each point of the message
    #[arg(long, conflicts_with = "out")]
    json: bool,
}

/// Writes the drawing or the JSON.
pub(crate) fn run(args: &LayoutArgs, out: &mut impl Write, colours: bool) -> Result<(), Failure> {
    if let Some(path) = &args.out {
        definition::check_output(&args.definition, path)?;
        image::check(path)?;
    }
    let product = definition::load(&args.definition)?;
    let stem = args.definition.file_stem().unwrap_or_default();
    let name = match product.name() {
        "" => stem.to_string_lossy().into_owned(),
        name => name.to_owned(),
    };
    let mut bytes = Vec::new();
    let decoded = match &args.message {
        None => None,
        Some(text) => {
            let parsed = payload::parse_into(text, args.encoding, &mut bytes);
            let decoded = parsed.and_then(|()| product.decode(&bytes));
            Some(decoded.map_err(|error| {
                let byte = error.byte.map(|byte| pointed_at(&bytes, byte as usize));
                let message = printable(&error.message);
                Failure::Server(format!("error: {message}{}", byte.unwrap_or_default()))
            })?)
        }
    };
    let drawing = match &decoded {
        None if args.json => return Ok(writeln!(out, "{:#}", data(&product))?),
        Some(decoded) if args.json => {
            let (name, points) = (json!(name), positions(&product, decoded, &bytes));
            let (payload, message) = (payload::hex(&bytes), decoded.to_json());
            return Ok(writeln!(
                out,
                r#"{{"name":{name},"payload":"{payload}","message":{message},"points":{points}}}"#
            )?);
        }
        None => Drawing::of_status(&product, &name),
        Some(decoded) => Drawing::of_message(&product, &name, decoded, &bytes),
    };
    match &args.out {
        None => Ok(out.write_all(drawing.text(colours, terminal_width()).as_bytes())?),
        Some(path) => image::write(path, drawing.svg(), out),
    }
}

/// The layout as JSON: positions as in the definition, limits as raw values, ratio and addition exact.
fn data(product: &Product) -> Value {
    let layout = product.layout();
    let points: Vec<Value> = product
        .attrs()
        .map(|attr| {
            let point = attr.point();
            let position = &point.position;
            let mut json = described(attr);
            json["display_name"] = json!(attr.display_name());
            json["access"] = json!(shown(point.access).1);
            json["data_type"] = json!(attr.data_type());
            // Messages of a var_len product have points at other offsets than the definition declares.
            if product.protocol() == Protocol::Standard {
                json["byte_offset"] = json!(position.byte_offset);
                json["bit_offset"] = json!(position.bit_offset);
            }
            if let Kind::Uint8(spec) | Kind::Uint16(spec) | Kind::Uint32(spec) = point.kind {
                json["min"] = json!(spec.min);
                json["max"] = json!(spec.max);
                json["ratio"] = json!(spec.ratio);
                json["addition"] = json!(spec.addition);
            }
            if let Kind::Enum { .. } = point.kind {
                json["labels"] = json!(attr.labels());
            }
            json
        })
        .collect();
    json!({
        "name": product.name(),
        "product_key": product.product_key(),
        "protocol": product.protocol().name(),
        "status_len": layout.status_len(),
        "writable_len": layout.writable_len(),
        "flags_len": layout.flags_len(),
        "points": points,
    })
}

/// The members that a point has both in a layout and in a message.
fn described(attr: &Attr) -> Value {
    let position = &attr.point().position;
    json!({
        "id": attr.id().0,
        "name": attr.name(),
        "unit": unit(position.unit),
        "len": position.len,
    })
}

/// The points of a message as JSON: byte offsets in `bytes`, and raw values.
fn positions(product: &Product, decoded: &Decoded<'_, '_>, bytes: &[u8]) -> Value {
    let view = decoded.view();
    let base = bytes.len() - view.map_or(0, |view| view.values().len());
    let readings = view.iter().flatten();
    let points = readings.filter_map(|reading| {
        let attr = product.attr(reading.id())?;
        let span = reading.span();
        let mut json = described(attr);
        json["first_byte"] = json!(base + span.bytes.start);
        json["last_byte"] = json!(base + span.bytes.end - 1);
        if attr.point().position.unit == Unit::Bit {
            json["shift"] = json!(span.shift);
        }
        if let Raw::Number(raw) = reading.raw() {
            json["raw"] = json!(raw);
        }
        Some(json)
    });
    points.collect()
}
