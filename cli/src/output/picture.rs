//! Drawings of the bytes of a status or of a message, as text and as SVG.

use std::collections::BTreeSet;

use anstyle::{AnsiColor, Style};
use gizwits_codec_std::core::{Access, Kind, PointId, Protocol, Unit};
use gizwits_codec_std::picture::{Cell, Picture, Row, Seen};
use gizwits_codec_std::{Action, Attr, Decoded, Product};
use unicode_truncate::{Alignment, UnicodeTruncateStr as _};
use unicode_width::UnicodeWidthStr as _;

use crate::output::table::table;
use crate::text::{counted, printable};

mod svg;

/// The width of one bit in text, in columns, including one border, if the terminal is wide enough.
const CELL: usize = 8;

/// The least width of one bit: room for a number of two digits.
const MIN_CELL: usize = 3;

/// The columns of a row besides its bits: the offsets, the access and a border.
const MARGIN: usize = 13;

/// A [`Picture`] with the texts above and below it.
pub(crate) struct Drawing<'p> {
    product: &'p Product,
    attrs: Vec<&'p Attr>,
    title: String,
    foot: String,
    picture: Picture,
}

impl<'p> Drawing<'p> {
    fn new(product: &'p Product, title: String, foot: String, picture: Picture) -> Self {
        Drawing {
            product,
            attrs: product.attrs().collect(),
            // The number of points is empty for a message without data points.
            title: title.trim_end().to_owned(),
            foot,
            picture,
        }
    }

    /// The drawing of a status with all points, or of the presence mask of a var_len product.
    pub(crate) fn of_status(product: &'p Product, name: &str) -> Self {
        let layout = product.layout();
        let protocol = product.protocol().name();
        let points = counted(product.attrs().len(), "point");
        let to = |len: usize| match len {
            0 => "no bytes".to_owned(),
            1 => "byte 0".to_owned(),
            _ => format!("bytes 0..{}", len - 1),
        };
        let flags = counted(layout.flags_len(), "byte");
        let (bytes, foot) = match product.protocol() {
            Protocol::Standard => (
                counted(layout.status_len(), "byte"),
                format!(
                    "control: 01 | flags {flags} (bit = id) | {}        report: 04 | {}",
                    to(layout.writable_len()),
                    to(layout.status_len())
                ),
            ),
            Protocol::VarLen => (
                format!(
                    "messages of up to {}",
                    counted(layout.p0_len(Action::Report), "byte")
                ),
                format!(
                    "control: 11, report: 14 | mask {flags} (bit = id) | bits | bytes        read: 12 | mask"
                ),
            ),
        };
        let title = [name, protocol, &bytes, &points].join("   ");
        Drawing::new(product, title, foot, Picture::of_status(product))
    }

    /// The drawing of a message. `decoded` is the result of decoding `bytes`.
    pub(crate) fn of_message(
        product: &'p Product,
        name: &str,
        decoded: &Decoded<'_, '_>,
        bytes: &[u8],
    ) -> Self {
        let picture = Picture::of_message(decoded, bytes);
        let (protocol, len) = (product.protocol().name(), counted(bytes.len(), "byte"));
        let title = [name, protocol, picture.action, &len, &picture.points].join("   ");
        let foot = picture.wanted.as_ref().map_or_else(String::new, |wanted| {
            let attrs = wanted.iter().filter_map(|id| product.attr(*id));
            let names: Vec<_> = attrs.map(|attr| printable(attr.name())).collect();
            let options = textwrap::Options::new(80).subsequent_indent("  ");
            let options = options.break_words(false);
            textwrap::fill(&format!("wanted: {}", names.join(", ")), options)
        });
        Drawing::new(product, title, foot, picture)
    }

    /// Whether the drawing shows a message, not a status.
    fn is_message(&self) -> bool {
        !self.picture.action.is_empty()
    }

    /// The name of a point. In parentheses if the message has bytes for the point but does not set it, as in a
    /// standard control.
    fn name(&self, id: PointId) -> String {
        let name = printable(self.attrs[id.index()].name());
        match self.is_message() && !self.picture.values.contains_key(&id) {
            true => format!("({name})"),
            false => name.into_owned(),
        }
    }

    /// The name of a point and, after `sign`, its value in the message with a remark if the value breaks the definition.
    fn label(&self, id: PointId, sign: &str) -> String {
        let name = self.name(id);
        let text = match self.picture.values.get(&id) {
            None => return name,
            Some(Seen {
                value,
                flagged: None,
                ..
            }) => value.clone(),
            Some(Seen {
                value,
                flagged: Some(flagged),
                ..
            }) => format!("{value}  ! {flagged}"),
        };
        name + sign + &printable(&text)
    }

    /// The text of a row of a point in bytes: the name and the value in a message, the name and the range in a
    /// status. `part` is the number of the row's first byte in the point.
    fn caption(&self, id: PointId, part: usize) -> String {
        let attr = self.attrs[id.index()];
        let name = self.name(id);
        if part > 0 {
            return format!("{name} (byte {part})");
        }
        if self.is_message() {
            return self.label(id, " = ");
        }
        let range = self.product.range(attr.id());
        let range = range.strip_suffix(", step 1").unwrap_or(&range);
        let Some(scale) = self.product.layout().scale(attr.id()) else {
            return format!("{name}   {range}");
        };
        let formula = format!("{}*raw+{}", scale.ratio(), scale.addition()).replace("+-", "-");
        match formula.trim_start_matches("1*").trim_end_matches("+0") {
            "raw" => format!("{name}   {range}"),
            formula => format!("{name}   {range}  ({formula})"),
        }
    }

    /// The bytes `first..=last` of the message as hex, padded so that the captions of rows are aligned. At
    /// most `most` bytes are shown. Empty for a status.
    fn hex(&self, first: usize, last: usize, most: usize) -> String {
        if !self.is_message() {
            return String::new();
        }
        let bytes = self.picture.bytes.get(first..=last).unwrap_or(&[]);
        let hex = |byte: &u8| format!("{byte:02x}");
        let shown: Vec<String> = bytes.iter().take(most).map(hex).collect();
        let dots = if bytes.len() > most { "…" } else { " " };
        let (shown, width) = (shown.join(" "), 3 * Picture::BAND - 1);
        format!("{shown:<width$}{dots} ")
    }

    /// The drawing as text. Its boxes are 77 columns wide, or narrower to fit in `width` columns, but at least 37.
    /// Texts that do not fit in their box are below the drawing.
    pub(crate) fn text(&self, colours: bool, width: Option<usize>) -> String {
        let most = width.unwrap_or(usize::MAX);
        let cell = (most.saturating_sub(MARGIN) / 8).clamp(MIN_CELL, CELL);
        let wrap = |text: &str| match width {
            Some(width) => wrapped(text, width),
            None => text.to_owned(),
        };
        let mut out = wrap(&printable(&self.title)) + "\n\n";
        if self.product.protocol() == Protocol::VarLen && !self.is_message() {
            return out + &self.mask() + "\n" + &wrap(&self.foot) + "\n";
        }
        let numbers = bits_of_a_byte(cell, |bit| bit.to_string()).concat();
        // The word `bit` ends two columns after the border of narrow boxes, where a number may begin.
        let head = if cell < 6 {
            "     byte     "
        } else {
            "     byte  bit "
        };
        out += &format!("{head}{}\n", numbers[head.len() - MARGIN..].trim_end());
        let (mut cut, mut cut_bytes) = (BTreeSet::new(), Vec::new());
        for row in &self.picture.rows {
            let (first, last) = row.bytes();
            let mut offsets = range_of(first, last);
            let access = row.access(self.product).map(shown);
            let letter = access.map_or(" ", |(letter, ..)| letter);
            let line = match row {
                Row::Bits { cells, lowest, .. } => {
                    if let Some(lowest) = lowest {
                        let numbers = bits_of_a_byte(cell, |bit| (lowest + bit).to_string());
                        out += &format!("{:13}{}\n", "", numbers.concat().trim_end());
                    }
                    if self.is_message() {
                        let byte = self.picture.bytes.get(first).copied().unwrap_or(0);
                        let digits = bits_of_a_byte(cell - 1, |bit| (byte >> bit & 1).to_string());
                        out += &format!("{offsets:>9}   │{}│\n", digits.join(" "));
                        offsets.clear();
                    }
                    self.bit_cells(cells, cell, colours, &mut cut)
                }
                Row::Bytes { id, part, .. } => {
                    let text = self.hex(first, last, Picture::BAND) + &self.caption(*id, *part);
                    let (band, style) = (band(&text, cell), self.style(colours, Some(*id)));
                    if band.trim_end().ends_with('…') {
                        cut.insert(*id);
                    }
                    format!("{style}{band}{style:#}")
                }
                Row::Other { what, .. } if !self.is_message() => {
                    centred(&shortened(what, 8 * cell - 1), 8 * cell - 1)
                }
                Row::Other { what, .. } => {
                    // Ten bytes leave room for the text, and are the whole mask of a product of 80 points.
                    let text = self.hex(first, last, 10);
                    if text.trim_end().ends_with('…') {
                        let hex = self.hex(first, last, usize::MAX);
                        cut_bytes.push(format!("bytes {offsets}: {}", hex.trim_end()));
                    }
                    band(&(text + &printable(what)), cell)
                }
            };
            out += &format!("{offsets:>9}  {letter}│{line}│\n");
        }
        if !self.foot.is_empty() {
            out += &format!("\n{}\n", wrap(&self.foot));
        }
        out + &self.cut_text(cut, cut_bytes, width)
    }

    /// The cells of a byte of a bit area, with separators. Adds points whose text does not fit to `cut`.
    fn bit_cells(
        &self,
        cells: &[Cell],
        cell_width: usize,
        colours: bool,
        cut: &mut BTreeSet<PointId>,
    ) -> String {
        let cells = cells.iter().map(|cell| {
            let text = match cell.id {
                // The digit above the name of a bool already is its value.
                Some(id) if self.attrs[id.index()].labels().is_empty() => self.name(id),
                Some(id) => self.label(id, "="),
                None => "·".to_owned(),
            };
            let width = cell_width * cell.width - 1;
            let short = shortened(&text, width);
            cut.extend(cell.id.filter(|_| short != text));
            let style = self.style(colours, cell.id);
            format!("{style}{}{style:#}", centred(&short, width))
        });
        cells.collect::<Vec<_>>().join("│")
    }

    /// The full texts of the boxes whose text did not fit.
    fn cut_text(
        &self,
        points: BTreeSet<PointId>,
        bytes: Vec<String>,
        width: Option<usize>,
    ) -> String {
        if points.is_empty() && bytes.is_empty() {
            return String::new();
        }
        let points = points.into_iter().map(|id| match self.is_message() {
            true => self.caption(id, 0),
            false => {
                let attr = self.attrs[id.index()];
                let text = match attr.point().position.unit {
                    Unit::Bit => self.name(id),
                    Unit::Byte => self.caption(id, 0),
                };
                format!("{}: {text}", attr.location())
            }
        });
        let head = if self.is_message() { "" } else { "names " };
        let lines = bytes.into_iter().chain(points);
        lines.fold(format!("\n{head}cut above:\n"), |text, line| {
            let line = format!("  {line}");
            text + &width.map_or(line.clone(), |width| wrapped(&line, width)) + "\n"
        })
    }

    /// The colour of a point. No colour for bytes without a point.
    fn style(&self, colours: bool, id: Option<PointId>) -> Style {
        match id {
            Some(id) if colours => shown(self.attrs[id.index()].point().access).2.on_default(),
            _ => Style::new(),
        }
    }

    /// The presence mask of a var_len product: the point of each bit, and the length it adds to a message.
    fn mask(&self) -> String {
        let lens = self.attrs.iter().map(|attr| attr.point().position.len);
        let digits = lens.max().unwrap_or(0).to_string().len();
        let rows = self.attrs.iter().map(|attr| {
            let position = &attr.point().position;
            let range = match attr.point().kind {
                Kind::Binary => String::new(),
                _ => self.product.range(attr.id()),
            };
            let len = counted(position.len as usize, unit(position.unit));
            let pad = digits.saturating_sub(position.len.to_string().len());
            [
                format!("{:>8}", attr.id()),
                shown(attr.point().access).0.to_owned(),
                attr.name().to_owned(),
                format!("{:pad$}{len}", ""),
                range,
            ]
        });
        let head = "mask bit   adds\n".to_owned();
        table(rows)
            .lines()
            .fold(head, |text, line| text + &shortened(line, 100) + "\n")
    }
}

/// The letter, the name and the colour of an access in drawings.
pub(crate) fn shown(access: Access) -> (&'static str, &'static str, AnsiColor) {
    match access {
        Access::Writable => ("W", "writable", AnsiColor::Cyan),
        Access::ReadOnly => ("R", "read-only", AnsiColor::Green),
        Access::Alert => ("A", "alert", AnsiColor::Yellow),
        Access::Fault => ("F", "fault", AnsiColor::Red),
    }
}

/// The name of the unit of a length.
pub(crate) fn unit(unit: Unit) -> &'static str {
    match unit {
        Unit::Bit => "bit",
        Unit::Byte => "byte",
    }
}

/// The texts of the eight bits of a byte, from bit 7 to bit 0, each centred in `width` columns.
fn bits_of_a_byte(width: usize, text: impl Fn(u32) -> String) -> Vec<String> {
    let bits = (0..8).rev();
    bits.map(|bit| centred(&text(bit), width)).collect()
}

/// The offsets of bytes as text: `3`, or `3..5` including byte 5.
fn range_of(first: usize, last: usize) -> String {
    match first == last {
        true => first.to_string(),
        false => format!("{first}..{last}"),
    }
}

/// The text of a row of bytes with a space before it, cut or padded to the width of the row.
fn band(text: &str, cell: usize) -> String {
    let width = 8 * cell - 1;
    let short = shortened(&format!(" {text}"), width);
    short.unicode_pad(width, Alignment::Left, true).into_owned()
}

/// The text in lines of at most `width` columns, each after the first with the indent of the text and two spaces more.
fn wrapped(text: &str, width: usize) -> String {
    let indent = text.len() - text.trim_start().len();
    let indent = " ".repeat(indent + 2);
    let options = textwrap::Options::new(width).subsequent_indent(&indent);
    let lines = text.lines();
    let lines = lines.map(|line| textwrap::fill(line, &options));
    lines.collect::<Vec<_>>().join("\n")
}

/// The text, cut to at most `width` columns with an ellipsis at the end.
fn shortened(text: &str, width: usize) -> String {
    match text.width() <= width {
        true => text.to_owned(),
        false => text.unicode_truncate(width.saturating_sub(1)).0.to_owned() + "…",
    }
}

/// The text, centred in `width` columns.
fn centred(text: &str, width: usize) -> String {
    text.unicode_pad(width, Alignment::Center, false)
        .into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use gizwits_tests::vectors;

    /// Asserts that every bit of a status or a message is drawn exactly once.
    fn complete(drawing: &Drawing<'_>, len: usize, present: &dyn Fn(usize) -> bool) {
        let mut bytes = Vec::new();
        let mut drawn = vec![0; drawing.attrs.len()];
        for row in &drawing.picture.rows {
            let (first, last) = row.bytes();
            bytes.extend(first..=last);
            match row {
                Row::Bits { cells, .. } => {
                    assert_eq!(cells.iter().map(|cell| cell.width).sum::<usize>(), 8);
                    for cell in cells {
                        cell.id
                            .iter()
                            .for_each(|id| drawn[id.index()] += cell.width);
                    }
                }
                Row::Bytes { id, .. } => drawn[id.index()] += last - first + 1,
                Row::Other { .. } => {}
            }
        }
        let name = &drawing.title;
        assert_eq!(bytes, (0..len).collect::<Vec<_>>(), "{name}");
        for (attr, drawn) in drawing.attrs.iter().zip(drawn) {
            let there = present(attr.id().index());
            let len = if there {
                attr.point().position.len as usize
            } else {
                0
            };
            assert_eq!(drawn, len, "{name}: {}", attr.name());
        }
        let text = drawing.text(false, None);
        let boxed = text.lines().filter(|line| line.ends_with('│'));
        let widths: Vec<usize> = boxed.map(|line| line.width()).collect();
        assert!(
            widths.iter().all(|one| *one == widths[0] && *one <= 80),
            "{name}\n{text}"
        );
        // On a narrow terminal, no line is wider than the terminal, and what was cut is below.
        for width in [37, 40, 60, 76] {
            let text = drawing.text(false, Some(width));
            let is_mask = text.contains("mask bit   adds");
            let long = text.lines().find(|line| line.width() > width && !is_mask);
            assert_eq!(long, None, "{name}\n{text}");
        }
    }

    #[test]
    fn each_bit_of_a_status_stands_once() {
        for name in vectors::fixtures() {
            let product = vectors::product(&name);
            let drawing = Drawing::of_status(&product, &name);
            let head = match product.protocol() {
                Protocol::Standard => 0,
                Protocol::VarLen => 1 + product.layout().mask_len(),
            };
            complete(&drawing, head + product.layout().status_len(), &|_| true);
        }
    }

    fn bools(protocol: &str, places: &[(&str, u32)]) -> Product {
        let attr = |(id, (access, bit)): (usize, &(&str, u32))| {
            serde_json::json!({
                "id": id, "name": format!("p{id}"), "type": access, "data_type": "bool",
                "position": {"unit": "bit", "byte_offset": 0, "bit_offset": bit, "len": 1},
            })
        };
        let attrs: Vec<_> = places.iter().enumerate().map(attr).collect();
        let definition = serde_json::json!({
            "name": "bools", "protocolType": protocol, "packetVersion": "0x00000004",
            "entities": [{"id": 0, "name": "entity0", "attrs": attrs}],
        });
        Product::from_json(&definition.to_string()).unwrap()
    }

    /// The bits of an area are numbered through even if one of its bytes has no point.
    #[test]
    fn areas_with_holes_are_numbered_through() {
        let product = bools(
            "standard",
            &[("status_writable", 0), ("status_writable", 17)],
        );
        let drawing = Drawing::of_status(&product, "hole");
        complete(&drawing, 3, &|_| true);
        let lowest = |row: &Row| match row {
            Row::Bits { lowest, .. } => *lowest,
            other => panic!("{other:?}"),
        };
        let numbers: Vec<_> = drawing.picture.rows.iter().map(lowest).collect();
        assert_eq!(numbers, [Some(16), Some(8), Some(0)]);
    }

    /// A byte of a var_len message may have points of every access, so a row has no colour of its own.
    #[test]
    fn each_cell_has_its_own_colour() {
        let access = [
            ("status_writable", 0),
            ("alert", 0),
            ("fault", 0),
            ("status_readonly", 0),
        ];
        let product = bools("var_len", &access);
        let drawn = |hex: &str| {
            let bytes = gizwits_codec_std::payload::parse(hex, None).unwrap();
            let decoded = product.decode(&bytes).unwrap();
            let drawing = Drawing::of_message(&product, "mixed", &decoded, &bytes);
            (
                drawing.text(false, None),
                drawing.text(true, None),
                drawing.svg(),
            )
        };
        let (plain, coloured, svg) = drawn("140f0a");
        let last = plain.lines().last().unwrap();
        assert!(
            last.starts_with("            │")
                && last.ends_with("│  p3   │  p2   │  p1   │  p0   │")
        );
        for colour in [31, 32, 33, 36] {
            assert!(
                coloured.contains(&format!("\u{1b}[{colour}m")),
                "{coloured:?}"
            );
        }
        // Another value of a bit changes the drawing.
        assert_ne!(svg, drawn("140f0b").2);
        assert!(
            drawn("140101")
                .0
                .lines()
                .last()
                .unwrap()
                .starts_with("           W│")
        );
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
                let drawing = Drawing::of_message(&product, name, &decoded, &bytes);
                let broadcast = decoded.broadcast().and_then(|one| one.decoded.view());
                let view = decoded.view().or(broadcast);
                let values_len = view.map_or(0, |view| view.values().len());
                complete(&drawing, bytes.len(), &|id| {
                    let attr = drawing.attrs[id];
                    match (view, product.protocol()) {
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
