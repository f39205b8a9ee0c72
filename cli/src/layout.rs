//! `gizwits layout`: the bytes and bits of a status, as a picture or as data.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;

use anstyle::{AnsiColor, Style};
use clap::Args;
use gizwits_codec_std::core::{Access, Kind, Protocol, Unit};
use gizwits_codec_std::{Attr, Product};
use serde_json::{Value, json};
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use crate::{Failure, definition};

/// Draw the bytes and bits of a product's status
#[derive(Args)]
#[command(after_help = "\
W writable, R read-only, A alert, F fault. A bit area of several bytes is numbered through.

Examples:
  gizwits layout -d tests/fixtures/air-conditioner.json
  gizwits layout -d tests/fixtures/border.json --svg border.svg
  gizwits layout -d tests/fixtures/air-conditioner.json --json")]
pub(crate) struct LayoutArgs {
    /// The product's definition, as the Enterprise API hands it out
    #[arg(short, long, value_name = "FILE")]
    definition: PathBuf,
    /// Draw it as SVG into this file; - is standard output
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// One JSON object: lengths, and the place, limits and labels of every point
    #[arg(long, conflicts_with = "svg")]
    json: bool,
}

/// Runs the command.
pub(crate) fn run(args: &LayoutArgs, out: &mut impl Write, colours: bool) -> Result<(), Failure> {
    let (_, product) = definition::load(&args.definition)?;
    if args.json {
        writeln!(out, "{:#}", data(&product))?;
        return Ok(());
    }
    let stem = args.definition.file_stem().unwrap_or_default();
    let title = match product.name() {
        "" => stem.to_string_lossy().into_owned(),
        name => name.to_owned(),
    };
    let picture = Picture::new(&product, title);
    match &args.svg {
        None => out.write_all(picture.text(colours).as_bytes())?,
        Some(path) if path.as_os_str() == "-" => out.write_all(picture.svg().as_bytes())?,
        Some(path) => {
            if let Err(error) = std::fs::write(path, picture.svg()) {
                let message = format!("error: {}: {error}", path.display());
                return Err(Failure::Usage(message));
            }
        }
    }
    Ok(())
}

/// One line of the picture.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Row {
    /// A byte of a bit area: the ids of the points that have its bits, bit 7 first, and the area's
    /// number of its bit 0.
    Bits {
        byte: u32,
        bits: [Option<usize>; 8],
        lowest: u32,
        alone: bool,
    },
    /// Bytes `first..=last` of the point `id`, beginning with its byte number `part`.
    Bytes {
        first: u32,
        last: u32,
        id: usize,
        part: u32,
    },
    /// Bytes that no point has.
    Gap { first: u32, last: u32 },
}

/// A binary of more bytes is drawn as one band.
const BAND: u32 = 4;
/// The columns of one bit in the terminal, its border included.
const CELL: usize = 8;

struct Picture<'p> {
    product: &'p Product,
    attrs: Vec<&'p Attr>,
    title: String,
    rows: Vec<Row>,
}

impl<'p> Picture<'p> {
    fn new(product: &'p Product, title: String) -> Self {
        let attrs: Vec<&Attr> = product.attrs().collect();
        let rows = match product.protocol() {
            Protocol::Standard => rows(&attrs, product.layout().status_len() as u32),
            Protocol::VarLen => Vec::new(),
        };
        Picture {
            product,
            attrs,
            title,
            rows,
        }
    }

    fn head(&self) -> String {
        let points = self.attrs.len();
        match self.product.protocol() {
            Protocol::Standard => {
                let bytes = self.product.layout().status_len();
                format!(
                    "{}   standard   {bytes} bytes   {points} points",
                    self.title
                )
            }
            Protocol::VarLen => format!("{}   var_len   {points} points", self.title),
        }
    }

    fn foot(&self) -> String {
        let layout = self.product.layout();
        let to = |len: usize| match len {
            0 => "no bytes".to_owned(),
            1 => "byte 0".to_owned(),
            _ => format!("bytes 0..{}", len - 1),
        };
        let flags = layout.flags_len();
        let plural = if flags == 1 { "" } else { "s" };
        format!(
            "control: 01 | flags {flags} byte{plural} (bit = id) | {}        report: 04 | {}",
            to(layout.writable_len()),
            to(layout.status_len())
        )
    }

    /// What the cell of a point in bytes says: its name and range.
    fn caption(&self, id: usize, part: u32) -> String {
        let attr = self.attrs[id];
        if part > 0 {
            return format!("{} (byte {part})", attr.name());
        }
        let range = self.product.range(attr.id());
        let scale = self.product.layout().scale(attr.id());
        let raw = match scale {
            Some(scale) if scale.addition() != 0.into() || scale.ratio() != 1.into() => {
                let sign = if scale.addition() < 0.into() { "" } else { "+" };
                let ratio = match scale.ratio() {
                    one if one == 1.into() => String::new(),
                    ratio => format!("{ratio}*"),
                };
                let addition = match scale.addition() {
                    none if none == 0.into() => String::new(),
                    addition => format!("{sign}{addition}"),
                };
                format!("  ({ratio}raw{addition})")
            }
            _ => String::new(),
        };
        let range = range.strip_suffix(", step 1").unwrap_or(&range);
        format!("{}   {range}{raw}", attr.name())
    }

    fn text(&self, colours: bool) -> String {
        let mut out = self.head() + "\n\n";
        if self.product.protocol() == Protocol::VarLen {
            return out + &self.mask();
        }
        let numbers: String = (0..8).rev().map(|bit| format!("{bit:^CELL$}")).collect();
        out += &format!("     byte  bit {}\n", numbers[2..].trim_end());
        let mut cut = BTreeMap::new();
        for row in &self.rows {
            let mut cell = |text: &str, width: usize| {
                let short = shortened(text, width);
                if short != text {
                    cut.insert(text.to_owned(), ());
                }
                centred(&short, width)
            };
            let (place, access, cells) = match row {
                Row::Bits {
                    byte,
                    bits,
                    lowest,
                    alone,
                } => {
                    if !alone {
                        let numbers: String = (0..8)
                            .rev()
                            .map(|bit| centred(&format!("{}", lowest + bit), CELL))
                            .collect();
                        out += &format!("{:13}{}\n", "", numbers.trim_end());
                    }
                    let cells: Vec<String> = spans(bits)
                        .map(|(id, width)| {
                            let name = id.map_or("·", |id| self.attrs[id].name());
                            cell(name, CELL * width - 1)
                        })
                        .collect();
                    let first = bits.iter().flatten().next();
                    (byte.to_string(), first.copied(), cells.join("│"))
                }
                Row::Bytes {
                    first,
                    last,
                    id,
                    part,
                } => {
                    let place = range_of(*first, *last);
                    let text = format!(" {}", self.caption(*id, *part));
                    let short = shortened(&text, 8 * CELL - 1);
                    let pad = " ".repeat((8 * CELL - 1).saturating_sub(short.width()));
                    (place, Some(*id), short + &pad)
                }
                Row::Gap { first, last } => {
                    (range_of(*first, *last), None, centred("·", 8 * CELL - 1))
                }
            };
            let access = access.map(|id| self.attrs[id].point().access);
            let style = match (colours, access) {
                (true, Some(access)) => colour(access).on_default(),
                _ => Style::new(),
            };
            let letter = access.map_or(" ", letter);
            out += &format!("{place:>9}  {letter}│{style}{cells}{style:#}│\n");
        }
        out += &format!("\n{}\n", self.foot());
        if !cut.is_empty() {
            out += "\nnames cut above:\n";
            for attr in self
                .attrs
                .iter()
                .filter(|attr| cut.contains_key(attr.name()))
            {
                out += &format!("  {}: {}\n", attr.place(), attr.name());
            }
        }
        out
    }

    /// Of a var_len product: the mask's bits, and what each adds to a message.
    fn mask(&self) -> String {
        let names = self
            .attrs
            .iter()
            .map(|attr| attr.name().width())
            .max()
            .unwrap_or(0);
        let mut out = "mask bit   adds\n".to_owned();
        for attr in &self.attrs {
            let pad = " ".repeat(names - attr.name().width());
            let unit = match attr.point().position.unit {
                Unit::Bit => "bit",
                Unit::Byte => "byte",
            };
            let len = attr.point().position.len;
            let plural = if len == 1 { "" } else { "s" };
            let letter = letter(attr.point().access);
            out += &format!(
                "{:>8}  {letter}  {}{pad}  {len} {unit}{plural}  {}\n",
                attr.id(),
                attr.name(),
                self.product.range(attr.id())
            );
        }
        let mask = self.attrs.len().div_ceil(8);
        out + &format!("\nmessage: action | mask {mask} bytes (bit = id) | bits | bytes\n")
    }

    fn svg(&self) -> String {
        const BIT: usize = 92;
        const LINE: usize = 30;
        const LEFT: usize = 110;
        let mut body = String::new();
        let mut y = 84;
        for bit in 0..8 {
            let x = LEFT + (7 - bit) * BIT + BIT / 2;
            body += &format!("<text class=\"n\" x=\"{x}\" y=\"74\">{bit}</text>\n");
        }
        for row in &self.rows {
            let (place, cells) = match row {
                Row::Bits {
                    byte, bits, lowest, ..
                } => {
                    let mut at = 0;
                    let cells: Vec<(usize, usize, Option<usize>, String, u32)> = spans(bits)
                        .map(|(id, width)| {
                            let name = id.map_or("", |id| self.attrs[id].name()).to_owned();
                            let left = at;
                            at += width;
                            (left, width, id, name, lowest + (8 - at) as u32)
                        })
                        .collect();
                    (byte.to_string(), cells)
                }
                Row::Bytes {
                    first,
                    last,
                    id,
                    part,
                } => {
                    let caption = self.caption(*id, *part);
                    (range_of(*first, *last), vec![(0, 8, Some(*id), caption, 0)])
                }
                Row::Gap { first, last } => (
                    range_of(*first, *last),
                    vec![(0, 8, None, String::new(), 0)],
                ),
            };
            let middle = y + LINE / 2 + 4;
            let end = LEFT - 10;
            body += &format!("<text class=\"b\" x=\"{end}\" y=\"{middle}\">{place}</text>\n");
            for (left, width, id, name, lowest) in cells {
                let (x, width) = (LEFT + left * BIT, width * BIT);
                let class = id.map_or("G", |id| letter(self.attrs[id].point().access));
                let short = shortened(&name, width / 8);
                body += "<g>";
                if let Some(attr) = id.map(|id| self.attrs[id]) {
                    let about = format!(
                        "{} {}, {}: {}",
                        attr.name(),
                        attr.display_name(),
                        attr.place(),
                        self.product.range(attr.id())
                    );
                    body += &format!("<title>{}</title>", escaped(&about));
                }
                body += &format!(
                    "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{LINE}\"/>"
                );
                let centre = x + width / 2;
                body += &format!(
                    "<text class=\"t\" x=\"{centre}\" y=\"{middle}\">{}</text>",
                    escaped(&short)
                );
                if let Row::Bits { alone: false, .. } = row {
                    let (x, y) = (x + width - 3, y + LINE - 3);
                    body += &format!("<text class=\"a\" x=\"{x}\" y=\"{y}\">{lowest}</text>");
                }
                body += "</g>\n";
            }
            y += LINE;
        }
        let mut x = LEFT;
        y += 16;
        for (class, word) in [
            ("W", "writable"),
            ("R", "read-only"),
            ("A", "alert"),
            ("F", "fault"),
            ("G", "unused"),
        ] {
            let (text, base) = (x + 24, y + 13);
            body += &format!(
                "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"16\" height=\"16\"/>\
                 <text class=\"l\" x=\"{text}\" y=\"{base}\">{word}</text>\n"
            );
            x += 120;
        }
        let foot = y + 46;
        let (width, height) = (LEFT + 8 * BIT + 20, y + 62);
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\">\n<style>\
             text{{font:13px sans-serif;fill:#1a1a1a}}.t,.n{{text-anchor:middle}}\
             .n,.b{{fill:#555}}.b,.a{{text-anchor:end}}.a{{font-size:9px;fill:#555}}\
             .h{{font-size:17px;font-weight:bold}}rect{{stroke:#555}}\
             .W{{fill:#bfdcf2}}.R{{fill:#cde8c5}}.A{{fill:#fbe3a6}}.F{{fill:#f3c4b8}}\
             .G{{fill:#f4f4f4}}.p{{fill:#fff;stroke:none}}</style>\n\
             <rect class=\"p\" width=\"{width}\" height=\"{height}\"/>\n\
             <text class=\"h\" x=\"20\" y=\"34\">{}</text>\n\
             <text class=\"b\" x=\"{}\" y=\"74\">byte</text>\n{body}\
             <text class=\"l\" x=\"{LEFT}\" y=\"{foot}\">{}</text>\n</svg>\n",
            escaped(&self.head().replace("   ", " · ")),
            LEFT - 10,
            escaped(&self.foot().replace("        ", " · ")),
        )
    }
}

/// The rows of a status, front to back: each bit of it stands in one of them, once.
fn rows(attrs: &[&Attr], len: u32) -> Vec<Row> {
    let mut areas: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for (id, attr) in attrs.iter().enumerate() {
        areas
            .entry(attr.point().position.byte_offset)
            .or_default()
            .push(id);
    }
    let mut rows = Vec::new();
    let mut next = 0;
    for (start, ids) in areas {
        if start > next {
            rows.push(Row::Gap {
                first: next,
                last: start - 1,
            });
        }
        let position = &attrs[ids[0]].point().position;
        if position.unit == Unit::Byte {
            next = start + position.len;
            let id = ids[0];
            if position.len > BAND {
                rows.push(Row::Bytes {
                    first: start,
                    last: next - 1,
                    id,
                    part: 0,
                });
            } else {
                rows.extend((0..position.len).map(|part| Row::Bytes {
                    first: start + part,
                    last: start + part,
                    id,
                    part,
                }));
            }
            continue;
        }
        let end = |id: &usize| {
            let position = &attrs[*id].point().position;
            position.bit_offset + position.len
        };
        let size = ids.iter().map(end).max().unwrap_or(0).div_ceil(8);
        for n in 0..size {
            let lowest = 8 * (size - 1 - n);
            let mut bits = [None; 8];
            for (cell, bit) in bits.iter_mut().zip((0..8).rev()) {
                let bit = lowest + bit;
                *cell = ids
                    .iter()
                    .copied()
                    .find(|id| (attrs[*id].point().position.bit_offset..end(id)).contains(&bit));
            }
            rows.push(Row::Bits {
                byte: start + n,
                bits,
                lowest,
                alone: size == 1,
            });
        }
        next = start + size;
    }
    if len > next {
        rows.push(Row::Gap {
            first: next,
            last: len - 1,
        });
    }
    rows
}

/// Neighbouring bits of one point as one cell; a free bit is a cell of its own.
fn spans(bits: &[Option<usize>; 8]) -> impl Iterator<Item = (Option<usize>, usize)> {
    bits.chunk_by(|one, two| one.is_some() && one == two)
        .map(|span| (span[0], span.len()))
}

fn range_of(first: u32, last: u32) -> String {
    match first == last {
        true => first.to_string(),
        false => format!("{first}..{last}"),
    }
}

fn letter(access: Access) -> &'static str {
    match access {
        Access::Writable => "W",
        Access::ReadOnly => "R",
        Access::Alert => "A",
        Access::Fault => "F",
    }
}

fn colour(access: Access) -> AnsiColor {
    match access {
        Access::Writable => AnsiColor::Cyan,
        Access::ReadOnly => AnsiColor::Green,
        Access::Alert => AnsiColor::Yellow,
        Access::Fault => AnsiColor::Red,
    }
}

/// The text, or its head and an ellipsis, in at most `width` columns.
fn shortened(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut short = String::new();
    let mut used = 1;
    for one in text.chars() {
        used += one.width().unwrap_or(0);
        if used > width {
            break;
        }
        short.push(one);
    }
    short + "…"
}

fn centred(text: &str, width: usize) -> String {
    let free = width.saturating_sub(text.width());
    let left = free / 2;
    format!("{}{text}{}", " ".repeat(left), " ".repeat(free - left))
}

fn escaped(text: &str) -> String {
    let mut out = String::new();
    for one in text.chars() {
        match one {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            // XML has no room for them, not even escaped.
            one if one.is_control() => out.push(' '),
            one => out.push(one),
        }
    }
    out
}

/// The layout as data: positions as the definition has them, limits raw, numbers exact.
fn data(product: &Product) -> Value {
    let layout = product.layout();
    let points: Vec<Value> = product
        .attrs()
        .map(|attr| {
            let point = attr.point();
            let position = &point.position;
            let mut json = json!({
                "id": point.id,
                "name": attr.name(),
                "display_name": attr.display_name(),
                "access": match point.access {
                    Access::Writable => "writable",
                    Access::ReadOnly => "read-only",
                    Access::Alert => "alert",
                    Access::Fault => "fault",
                },
                "data_type": match point.kind {
                    Kind::Bool => "bool",
                    Kind::Enum { .. } => "enum",
                    Kind::Uint8(_) => "uint8",
                    Kind::Uint16(_) => "uint16",
                    Kind::Uint32(_) => "uint32",
                    Kind::Binary => "binary",
                },
                "unit": match position.unit { Unit::Bit => "bit", Unit::Byte => "byte" },
                "byte_offset": position.byte_offset,
                "bit_offset": position.bit_offset,
                "len": position.len,
            });
            if let Kind::Uint8(spec) | Kind::Uint16(spec) | Kind::Uint32(spec) = point.kind {
                let exact = |number| serde_json::to_value(number).unwrap_or_default();
                json["min"] = json!(spec.min);
                json["max"] = json!(spec.max);
                json["ratio"] = exact(spec.ratio);
                json["addition"] = exact(spec.addition);
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
        "protocol": match product.protocol() {
            Protocol::Standard => "standard",
            Protocol::VarLen => "var_len",
        },
        "status_len": layout.status_len(),
        "writable_len": layout.writable_len(),
        "flags_len": layout.flags_len(),
        "points": points,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use gizwits_tests::vectors;

    /// Every bit of every status is drawn, and none twice.
    #[test]
    fn each_bit_stands_once() {
        for name in vectors::fixtures() {
            let product = vectors::product(&name);
            if product.protocol() == Protocol::VarLen {
                continue;
            }
            let picture = Picture::new(&product, name.clone());
            let mut bytes = Vec::new();
            let mut bits = vec![0; picture.attrs.len()];
            for row in &picture.rows {
                match row {
                    Row::Bits {
                        byte, bits: cells, ..
                    } => {
                        bytes.push(*byte);
                        cells.iter().flatten().for_each(|id| bits[*id] += 1);
                    }
                    Row::Bytes {
                        first, last, id, ..
                    } => {
                        bytes.extend(*first..=*last);
                        bits[*id] += last - first + 1;
                    }
                    Row::Gap { first, last } => bytes.extend(*first..=*last),
                }
            }
            let len = product.layout().status_len() as u32;
            assert_eq!(bytes, (0..len).collect::<Vec<_>>(), "{name}");
            for (attr, drawn) in picture.attrs.iter().zip(bits) {
                assert_eq!(drawn, attr.point().position.len, "{name}: {}", attr.name());
            }
            let width = |line: &&str| line.width();
            let text = picture.text(false);
            let boxed: Vec<usize> = text
                .lines()
                .filter(|line| line.ends_with('│'))
                .map(|line| width(&line))
                .collect();
            assert!(
                boxed.iter().all(|one| *one == boxed[0] && *one <= 80),
                "{name}\n{text}"
            );
        }
    }
}
