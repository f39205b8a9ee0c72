//! The bytes of a status, or of one message, as rows: in text and as SVG.

use std::collections::{BTreeMap, BTreeSet};

use anstyle::{AnsiColor, Style};
use gizwits_codec_std::core::m2m::{Event, PREFIX};
use gizwits_codec_std::core::{Access, Kind, P0, Protocol, Unit, View};
use gizwits_codec_std::{Attr, Content, Decoded, Product};
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use crate::printable;

/// One line of the picture.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Row {
    /// A byte of a bit area: the ids of the points that have its bits, bit 7 first, and the area's
    /// number of its bit 0 unless the area has no other byte.
    Bits {
        byte: usize,
        bits: [Option<usize>; 8],
        lowest: Option<u32>,
    },
    /// Bytes `first..=last` of the point `id`, beginning with its byte number `part`.
    Bytes {
        first: usize,
        last: usize,
        id: usize,
        part: usize,
    },
    /// Bytes that hold no point, and what they are instead.
    Other {
        first: usize,
        last: usize,
        what: String,
    },
}

/// A binary of more bytes is drawn as one band.
const BAND: usize = 4;
/// The columns of one bit in the terminal, its border included.
const CELL: usize = 8;

/// The rows so far: each byte stands in one of them, once.
struct Rows<'p> {
    product: &'p Product,
    rows: Vec<Row>,
    /// The first byte that is in none.
    next: usize,
}

impl Rows<'_> {
    /// `len` bytes that hold no point.
    fn other(&mut self, len: usize, what: impl Into<String>) {
        if len > 0 {
            let (first, what) = (self.next, what.into());
            self.next += len;
            let last = self.next - 1;
            self.rows.push(Row::Other { first, last, what });
        }
    }

    /// The values of a view, which begin with the next byte.
    fn values(&mut self, view: View<'_, '_>) {
        let base = self.next;
        let mut areas: BTreeMap<usize, ([Option<usize>; 8], u32)> = BTreeMap::new();
        let mut rows: Vec<Row> = Vec::new();
        // Of a var_len message the bits are numbered as they come.
        let mut packed = 0;
        for (reading, attr) in view
            .iter()
            .filter_map(|one| Some((one, self.product.attr(one.id())?)))
        {
            let (id, span) = (attr.id().index(), reading.span());
            let position = &attr.point().position;
            if position.unit == Unit::Byte {
                let (start, end) = (base + span.bytes.start, base + span.bytes.end);
                match end - start {
                    len if len > BAND => rows.push(Row::Bytes {
                        first: start,
                        last: end - 1,
                        id,
                        part: 0,
                    }),
                    len => rows.extend((0..len).map(|part| {
                        let at = start + part;
                        Row::Bytes {
                            first: at,
                            last: at,
                            id,
                            part,
                        }
                    })),
                }
                continue;
            }
            let number = match self.product.protocol() {
                Protocol::Standard => position.bit_offset,
                Protocol::VarLen => packed,
            };
            packed += position.len;
            for bit in 0..position.len {
                let at = usize::from(span.shift) + bit as usize;
                let byte = base + span.bytes.end - 1 - at / 8;
                let (bits, lowest) = areas.entry(byte).or_default();
                bits[7 - at % 8] = Some(id);
                *lowest = (number + bit).saturating_sub((at % 8) as u32);
            }
        }
        // An area of one byte has neighbours that are none of its own.
        let lone = |byte: usize, lowest: u32| {
            let above = byte.checked_sub(1).and_then(|byte| areas.get(&byte));
            lowest == 0 && above.is_none_or(|(_, above)| *above == 0)
        };
        rows.extend(areas.iter().map(|(byte, (bits, lowest))| Row::Bits {
            byte: *byte,
            bits: *bits,
            lowest: (!lone(*byte, *lowest)).then_some(*lowest),
        }));
        rows.sort_by_key(|row| row.bytes().0);
        for row in rows {
            let (first, last) = row.bytes();
            self.other(first.saturating_sub(self.next), "·");
            self.next = last + 1;
            self.rows.push(row);
        }
        self.other((base + view.values().len()).saturating_sub(self.next), "·");
    }
}

impl Row {
    /// Its first and last byte.
    fn bytes(&self) -> (usize, usize) {
        match self {
            Row::Bits { byte, .. } => (*byte, *byte),
            Row::Bytes { first, last, .. } | Row::Other { first, last, .. } => (*first, *last),
        }
    }
}

/// What is in a message that is drawn.
struct Message {
    bytes: Vec<u8>,
    /// The points that it sets or has, and their values.
    values: BTreeMap<usize, String>,
}

/// A picture of a status with all points, or of the bytes of one message.
pub(crate) struct Picture<'p> {
    product: &'p Product,
    attrs: Vec<&'p Attr>,
    title: String,
    foot: String,
    rows: Vec<Row>,
    message: Option<Message>,
}

impl<'p> Picture<'p> {
    /// A status with all points.
    pub(crate) fn of_status(product: &'p Product, name: &str) -> Self {
        let layout = product.layout();
        let (points, len) = (product.attrs().len(), layout.status_len());
        let mut rows = Rows {
            product,
            rows: Vec::new(),
            next: 0,
        };
        // A view knows where the points stand, whatever their values.
        let zeros = vec![0; len];
        let mut known = vec![0xff; layout.mask_len()];
        if let Some(first) = known.first_mut() {
            *first >>= 8 * layout.mask_len() - points;
        }
        if let Ok(whole) = layout.view_known(&known, &zeros) {
            rows.values(whole);
        }
        let protocol = protocol(product);
        let upto = match product.protocol() {
            Protocol::Standard => "",
            Protocol::VarLen => "up to ",
        };
        Picture {
            product,
            attrs: product.attrs().collect(),
            title: format!("{name}   {protocol}   {upto}{len} bytes   {points} points"),
            foot: foot(product),
            rows: rows.rows,
            message: None,
        }
    }

    /// The bytes of the message that `decoded` has taken apart.
    pub(crate) fn of_message(
        product: &'p Product,
        name: &str,
        decoded: &Decoded<'_, '_>,
        bytes: &[u8],
    ) -> Self {
        let mut rows = Rows {
            product,
            rows: Vec::new(),
            next: 0,
        };
        match decoded.envelope {
            Some(Event::Frame(frame)) => {
                let sn = if frame.sn.is_some() { 4 } else { 0 };
                let did = frame.did.map_or(0, |did| 2 + did.len());
                let length = 3 + sn + did + frame.body.len();
                rows.other(PREFIX.len(), "M2M frame");
                let varint = bytes.len() - PREFIX.len() - length;
                rows.other(varint, format!("length: {length} bytes follow"));
                rows.other(
                    1,
                    if did > 0 {
                        "flag: a did follows"
                    } else {
                        "flag"
                    },
                );
                rows.other(2, format!("command {:#06x}", frame.command));
                rows.other(sn, format!("sn {}", frame.sn.unwrap_or(0)));
                let text = String::from_utf8_lossy(frame.did.unwrap_or(&[]));
                rows.other(did, format!("did {}", printable(&text)));
            }
            Some(Event::Service { command }) => {
                rows.other(PREFIX.len(), "M2M service message");
                rows.other(2, format!("command {command:#06x}"));
            }
            None => {}
        }
        let (action, wanted) = match decoded.content {
            Content::P0(P0::Control(_)) => ("control", None),
            Content::P0(P0::Reply(_)) => ("reply", None),
            Content::P0(P0::Report(_)) => ("report", None),
            Content::P0(P0::Read { wanted }) => ("read", wanted),
            Content::P0(P0::Transparent { .. }) => ("transparent", None),
            Content::P0(P0::Gateway { .. }) => ("gateway", None),
            Content::Body(_) => ("no data points", None),
        };
        if let Content::P0(_) = decoded.content {
            rows.other(1, format!("action: {action}"));
        }
        let view = decoded.view();
        let all = product.attrs().len();
        let count = match (view, wanted) {
            (Some(view), _) => Some(view.iter().count()),
            (None, Some(wanted)) => Some(wanted.ids().count()),
            (None, None) => None,
        };
        let points = count.map_or(String::new(), |count| format!("{count} of {all} points"));
        if count.is_some() {
            let values = view.map_or(0, |view| view.values().len());
            let what = match product.protocol() {
                Protocol::Standard => "flags",
                Protocol::VarLen => "mask",
            };
            rows.other(
                bytes.len() - rows.next - values,
                format!("{what}: {points}"),
            );
        }
        let mut values = BTreeMap::new();
        if let Some(view) = view {
            values.extend(view.iter().map(|one| (one.id().index(), product.show(one))));
            rows.values(match product.protocol() {
                // A standard control has values whose flags are clear.
                Protocol::Standard => product.layout().view_lax(view.values()),
                Protocol::VarLen => view,
            });
        }
        rows.other(bytes.len() - rows.next, "body");
        let len = bytes.len();
        let protocol = protocol(product);
        let title = format!("{name}   {protocol}   {action}   {len} bytes   {points}");
        let wanted = wanted.map(|wanted| {
            let attrs = wanted.ids().filter_map(|id| product.attr(id));
            let names: Vec<&str> = attrs.map(Attr::name).collect();
            format!("wanted: {}", printable(&names.join(", ")))
        });
        Picture {
            product,
            attrs: product.attrs().collect(),
            title: title.trim_end().to_owned(),
            foot: wanted.unwrap_or_default(),
            rows: rows.rows,
            message: Some(Message {
                bytes: bytes.to_vec(),
                values,
            }),
        }
    }

    /// The name of a point, in parentheses if the message has it without setting it.
    fn name(&self, id: usize) -> String {
        let name = printable(self.attrs[id].name());
        match &self.message {
            Some(message) if !message.values.contains_key(&id) => format!("({name})"),
            _ => name.into_owned(),
        }
    }

    /// The same with the value that the message has.
    fn label(&self, id: usize) -> String {
        let name = self.name(id);
        match self.message.as_ref().and_then(|one| one.values.get(&id)) {
            Some(value) => format!("{name}={}", printable(value)),
            None => name,
        }
    }

    /// What the cell of a point in bytes says: its name and range, or its value.
    fn caption(&self, id: usize, part: usize) -> String {
        let attr = self.attrs[id];
        let name = printable(attr.name());
        if part > 0 {
            return format!("{name} (byte {part})");
        }
        if let Some(message) = &self.message {
            return match message.values.get(&id) {
                Some(value) => format!("{name} = {}", printable(value)),
                None => format!("({name})"),
            };
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
        format!("{name}   {range}{raw}")
    }

    /// The hex of some bytes of the message, in as many columns as a band needs.
    fn hex(&self, first: usize, last: usize) -> String {
        let Some(message) = &self.message else {
            return String::new();
        };
        let bytes = message.bytes.get(first..=last).unwrap_or(&[]);
        let shown: Vec<String> = bytes
            .iter()
            .take(BAND)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let dots = if bytes.len() > BAND { "…" } else { " " };
        format!("{:<width$}{dots} ", shown.join(" "), width = 3 * BAND - 1)
    }

    /// As text for a terminal, at most 80 columns wide.
    pub(crate) fn text(&self, colours: bool) -> String {
        let mut out = printable(&self.title).into_owned() + "\n\n";
        if self.product.protocol() == Protocol::VarLen && self.message.is_none() {
            return out + &self.mask() + "\n" + &self.foot + "\n";
        }
        let numbers: String = (0..8).rev().map(|bit| format!("{bit:^CELL$}")).collect();
        out += &format!("     byte  bit {}\n", numbers[2..].trim_end());
        let mut cut = BTreeSet::new();
        for row in &self.rows {
            let mut cell = |id: usize, text: &str, width: usize| {
                let short = shortened(text, width);
                if short != text {
                    cut.insert(id);
                }
                centred(&short, width)
            };
            let band = |text: &str| {
                let short = shortened(&format!(" {text}"), 8 * CELL - 1);
                let pad = " ".repeat((8 * CELL - 1).saturating_sub(short.width()));
                short + &pad
            };
            let (first, last) = row.bytes();
            let place = range_of(first, last);
            let (access, cells) = match row {
                Row::Bits { byte, bits, lowest } => {
                    if let Some(lowest) = lowest {
                        let numbers: String = (0..8)
                            .rev()
                            .map(|bit| centred(&format!("{}", lowest + bit), CELL))
                            .collect();
                        out += &format!("{:13}{}\n", "", numbers.trim_end());
                    }
                    let cells: Vec<String> = spans(bits)
                        .map(|(id, width)| match id {
                            // The digit above a bool is its value.
                            Some(id) if self.attrs[id].labels().is_empty() => {
                                cell(id, &self.name(id), CELL * width - 1)
                            }
                            Some(id) => cell(id, &self.label(id), CELL * width - 1),
                            None => centred("·", CELL * width - 1),
                        })
                        .collect();
                    let first = bits.iter().flatten().next().copied();
                    if let Some(message) = &self.message {
                        let byte = message.bytes.get(*byte).copied().unwrap_or(0);
                        let digits: Vec<String> = (0..8)
                            .rev()
                            .map(|bit| centred(&(byte >> bit & 1).to_string(), CELL - 1))
                            .collect();
                        out += &format!("{place:>9}   │{}│\n", digits.join(" "));
                        let letter = first.map_or(" ", |id| letter(self.attrs[id].point().access));
                        let style = self.style(colours, first);
                        let cells = cells.join("│");
                        out += &format!("{:>9}  {letter}│{style}{cells}{style:#}│\n", "");
                        continue;
                    }
                    (first, cells.join("│"))
                }
                Row::Bytes { id, part, .. } => {
                    let text = band(&(self.hex(first, last) + &self.caption(*id, *part)));
                    if text.trim_end().ends_with('…') && self.message.is_some() {
                        cut.insert(*id);
                    }
                    (Some(*id), text)
                }
                Row::Other { what, .. } if self.message.is_none() => {
                    (None, centred(what, 8 * CELL - 1))
                }
                Row::Other { what, .. } => (None, band(&(self.hex(first, last) + what))),
            };
            let letter = access.map_or(" ", |id| letter(self.attrs[id].point().access));
            let style = self.style(colours, access);
            out += &format!("{place:>9}  {letter}│{style}{cells}{style:#}│\n");
        }
        if !self.foot.is_empty() {
            out += &format!("\n{}\n", self.foot);
        }
        if !cut.is_empty() {
            out += match self.message {
                None => "\nnames cut above:\n",
                Some(_) => "\ncut above:\n",
            };
            for id in cut {
                let attr = self.attrs[id];
                let name = printable(attr.name());
                let told = match &self.message {
                    None => format!("{}: {name}", attr.place()),
                    Some(message) => match message.values.get(&id) {
                        Some(value) => format!("{name} = {}", printable(value)),
                        None => format!("({name})"),
                    },
                };
                out += &format!("  {told}\n");
            }
        }
        out
    }

    fn style(&self, colours: bool, id: Option<usize>) -> Style {
        match id {
            Some(id) if colours => colour(self.attrs[id].point().access).on_default(),
            _ => Style::new(),
        }
    }

    /// Of a var_len product: the mask's bits, and what each adds to a message.
    fn mask(&self) -> String {
        let width = |attr: &&Attr| printable(attr.name()).width();
        let names = self.attrs.iter().map(width).max().unwrap_or(0);
        let mut out = "mask bit   adds\n".to_owned();
        for attr in &self.attrs {
            let name = printable(attr.name());
            let pad = " ".repeat(names - name.width());
            let position = &attr.point().position;
            let unit = match position.unit {
                Unit::Bit => "bit",
                Unit::Byte => "byte",
            };
            let plural = if position.len == 1 { " " } else { "s" };
            let line = format!(
                "{:>8}  {}  {name}{pad}  {:>3} {unit}{plural}  {}",
                attr.id(),
                letter(attr.point().access),
                position.len,
                match position.unit {
                    Unit::Byte if attr.point().kind == Kind::Binary => String::new(),
                    _ => self.product.range(attr.id()),
                }
            );
            out += line.trim_end();
            out.push('\n');
        }
        out
    }

    /// As SVG.
    pub(crate) fn svg(&self) -> String {
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
            let (place, cells): (String, Vec<Cell>) = match row {
                Row::Bits { byte, bits, lowest } => {
                    let mut at = 0;
                    let cell = |(id, width): (Option<usize>, usize)| {
                        let left = at;
                        at += width;
                        Cell {
                            left,
                            width,
                            id,
                            text: id.map_or_else(String::new, |id| self.label(id)),
                            number: lowest.map(|lowest| lowest + (8 - at) as u32),
                        }
                    };
                    (byte.to_string(), spans(bits).map(cell).collect())
                }
                Row::Bytes {
                    first,
                    last,
                    id,
                    part,
                } => {
                    let caption = self.hex(*first, *last) + &self.caption(*id, *part);
                    (
                        range_of(*first, *last),
                        vec![Cell::whole(Some(*id), caption)],
                    )
                }
                Row::Other { first, last, what } => {
                    let text = self.hex(*first, *last) + what;
                    (range_of(*first, *last), vec![Cell::whole(None, text)])
                }
            };
            let middle = y + LINE / 2 + 4;
            let end = LEFT - 10;
            body += &format!("<text class=\"b\" x=\"{end}\" y=\"{middle}\">{place}</text>\n");
            for Cell {
                left,
                width,
                id,
                text,
                number,
            } in cells
            {
                let (x, width) = (LEFT + left * BIT, width * BIT);
                let class = id.map_or("G", |id| letter(self.attrs[id].point().access));
                let short = shortened(&text, width / 8);
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
                if let Some(number) = number {
                    let (x, y) = (x + width - 3, y + LINE - 3);
                    body += &format!("<text class=\"a\" x=\"{x}\" y=\"{y}\">{number}</text>");
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
            ("G", "no point"),
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
            escaped(&self.title.replace("   ", " · ")),
            LEFT - 10,
            escaped(&self.foot.replace("        ", " · ")),
        )
    }
}

fn protocol(product: &Product) -> &'static str {
    match product.protocol() {
        Protocol::Standard => "standard",
        Protocol::VarLen => "var_len",
    }
}

/// The bytes of the messages of a product.
fn foot(product: &Product) -> String {
    let layout = product.layout();
    let bytes = |len: usize| match len {
        1 => "1 byte".to_owned(),
        _ => format!("{len} bytes"),
    };
    let to = |len: usize| match len {
        0 => "no bytes".to_owned(),
        1 => "byte 0".to_owned(),
        _ => format!("bytes 0..{}", len - 1),
    };
    let flags = bytes(layout.flags_len());
    match product.protocol() {
        Protocol::Standard => format!(
            "control: 01 | flags {flags} (bit = id) | {}        report: 04 | {}",
            to(layout.writable_len()),
            to(layout.status_len())
        ),
        Protocol::VarLen => format!(
            "control: 11, report: 14 | mask {flags} (bit = id) | bits | bytes        read: 12 | mask"
        ),
    }
}

/// A cell of a row of the SVG.
struct Cell {
    /// In bits from the left.
    left: usize,
    width: usize,
    id: Option<usize>,
    text: String,
    /// The number of its lowest bit in an area of several bytes.
    number: Option<u32>,
}

impl Cell {
    fn whole(id: Option<usize>, text: String) -> Self {
        Cell {
            left: 0,
            width: 8,
            id,
            text,
            number: None,
        }
    }
}

/// Neighbouring bits of one point as one cell; a free bit is a cell of its own.
fn spans(bits: &[Option<usize>; 8]) -> impl Iterator<Item = (Option<usize>, usize)> {
    bits.chunk_by(|one, two| one.is_some() && one == two)
        .map(|span| (span[0], span.len()))
}

fn range_of(first: usize, last: usize) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;
    use gizwits_tests::vectors;

    /// Every bit of every status, and of every message, is drawn once.
    fn complete(picture: &Picture<'_>, len: usize, present: &dyn Fn(usize) -> bool) {
        let mut bytes = Vec::new();
        let mut drawn = vec![0; picture.attrs.len()];
        for row in &picture.rows {
            let (first, last) = row.bytes();
            bytes.extend(first..=last);
            match row {
                Row::Bits { bits, .. } => bits.iter().flatten().for_each(|id| drawn[*id] += 1),
                Row::Bytes { id, .. } => drawn[*id] += last - first + 1,
                Row::Other { .. } => {}
            }
        }
        let name = &picture.title;
        assert_eq!(bytes, (0..len).collect::<Vec<_>>(), "{name}");
        for (attr, drawn) in picture.attrs.iter().zip(drawn) {
            let there = present(attr.id().index());
            let len = if there {
                attr.point().position.len as usize
            } else {
                0
            };
            assert_eq!(drawn, len, "{name}: {}", attr.name());
        }
        let text = picture.text(false);
        let boxed = text.lines().filter(|line| line.ends_with('│'));
        let widths: Vec<usize> = boxed.map(|line| line.width()).collect();
        assert!(
            widths.iter().all(|one| *one == widths[0] && *one <= 80),
            "{name}\n{text}"
        );
    }

    #[test]
    fn each_bit_of_a_status_stands_once() {
        for name in vectors::fixtures() {
            let product = vectors::product(&name);
            let picture = Picture::of_status(&product, &name);
            complete(&picture, product.layout().status_len(), &|_| true);
        }
    }

    #[test]
    fn each_bit_of_a_message_stands_once() {
        for file in ["standard.json", "var_len.json", "m2m.json"] {
            for vector in vectors::vectors(file) {
                let name = vector["definition"].as_str().unwrap();
                let product = vectors::product(name);
                let text = vector["payload"].as_str().unwrap();
                let bytes = gizwits_codec_std::payload::parse(text, None).unwrap();
                let decoded = product.decode(&bytes).unwrap();
                let picture = Picture::of_message(&product, name, &decoded, &bytes);
                let values_len = decoded.view().map_or(0, |view| view.values().len());
                complete(&picture, bytes.len(), &|id| {
                    let attr = picture.attrs[id];
                    match (decoded.view(), product.protocol()) {
                        (None, _) => false,
                        (Some(view), Protocol::VarLen) => view.get(attr.id()).is_some(),
                        (Some(_), Protocol::Standard) => {
                            values_len == product.layout().status_len()
                                || attr.point().access == Access::Writable
                        }
                    }
                });
            }
        }
    }
}
