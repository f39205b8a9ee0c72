//! The bytes of a status, or of one message, as rows: in text and as SVG.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use anstyle::{AnsiColor, Style};
use gizwits_codec_std::core::m2m::{Event, PREFIX};
use gizwits_codec_std::core::{Access, Kind, P0, Protocol, Unit};
use gizwits_codec_std::{Action, Attr, Content, Decoded, Product};
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use self::rows::{BAND, Row, Rows, range_of, spans};
use crate::{decode, printable};

mod rows;
mod svg;

/// The columns of one bit in the terminal, its border included.
const CELL: usize = 8;

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
        let mut rows = Rows::new(product);
        // A view knows where the points stand, whatever their values.
        if product.protocol() == Protocol::VarLen {
            rows.other(1, "action");
            rows.other(
                layout.mask_len(),
                "mask: a bit for each point, here all set",
            );
        }
        let zeros = vec![0; len];
        let mut known = vec![0xff; layout.mask_len()];
        if let Some(first) = known.first_mut() {
            *first >>= 8 * layout.mask_len() - points;
        }
        if let Ok(whole) = layout.view_known(&known, &zeros) {
            rows.values(whole);
        }
        let (protocol, counted) = (protocol(product), counted(points, "point"));
        let bytes = match product.protocol() {
            Protocol::Standard => self::counted(len, "byte"),
            Protocol::VarLen => {
                let most = self::counted(layout.p0_len(Action::Report), "byte");
                format!("messages of up to {most}")
            }
        };
        Picture {
            product,
            attrs: product.attrs().collect(),
            title: format!("{name}   {protocol}   {bytes}   {counted}"),
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
        let mut rows = Rows::new(product);
        match decoded.envelope {
            Some(Event::Frame(frame)) => {
                let sn = if frame.sn.is_some() { 4 } else { 0 };
                let did = frame.did.map_or(0, |did| 2 + did.len());
                let length = 3 + sn + did + frame.body.len();
                rows.other(PREFIX.len(), "M2M frame");
                let varint = bytes.len() - PREFIX.len() - length;
                rows.other(varint, format!("length: {length} bytes follow"));
                let follows = if did > 0 { ": a did follows" } else { "" };
                rows.other(1, format!("flag{follows}"));
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
        let layout = product.layout();
        let (all, kind) = match (product.protocol(), decoded.content) {
            // Only these have flags.
            (Protocol::Standard, Content::P0(P0::Control(_))) => {
                (layout.writable(), "writable point")
            }
            _ => (layout.points(), "point"),
        };
        let count = match (view, wanted) {
            (Some(view), _) => Some(view.iter().count()),
            (None, Some(wanted)) => Some(wanted.ids().count()),
            (None, None) => None,
        };
        let of_all = counted(all.into(), kind);
        let points = count.map_or(String::new(), |count| format!("{count} of {of_all}"));
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
            values.extend(view.iter().map(|one| {
                let odd = decode::oddity(product, one).map(|odd| format!("  ! {odd}"));
                let value = product.show(one) + &odd.unwrap_or_default();
                (one.id().index(), value)
            }));
            rows.values(match product.protocol() {
                // A standard control has values whose flags are clear.
                Protocol::Standard => product.layout().view_lax(view.values()),
                Protocol::VarLen => view,
            });
        }
        rows.other(bytes.len() - rows.next, "body");
        let (protocol, len) = (protocol(product), counted(bytes.len(), "byte"));
        let title = format!("{name}   {protocol}   {action}   {len}   {points}");
        let wanted = wanted.map(|wanted| {
            let attrs = wanted.ids().filter_map(|id| product.attr(id));
            let names: Vec<_> = attrs.map(|attr| printable(attr.name())).collect();
            wrapped("wanted: ", &names)
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
        let name = self.name(id);
        if part > 0 {
            return format!("{name} (byte {part})");
        }
        if let Some(message) = &self.message {
            return match message.values.get(&id) {
                Some(value) => format!("{name} = {}", printable(value)),
                None => name,
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

    /// The hex of bytes of the message, of so many at most, in as many columns as a band needs.
    fn hex(&self, first: usize, last: usize, most: usize) -> String {
        let Some(message) = &self.message else {
            return String::new();
        };
        let bytes = message.bytes.get(first..=last).unwrap_or(&[]);
        let hex = |byte: &u8| format!("{byte:02x}");
        let shown: Vec<String> = bytes.iter().take(most).map(hex).collect();
        let dots = if bytes.len() > most { "…" } else { " " };
        format!("{:<width$}{dots} ", shown.join(" "), width = 3 * BAND - 1)
    }

    /// As text for a terminal: the boxes are 77 columns wide.
    pub(crate) fn text(&self, colours: bool) -> String {
        let mut out = printable(&self.title).into_owned() + "\n\n";
        if self.product.protocol() == Protocol::VarLen && self.message.is_none() {
            return out + &self.mask() + "\n" + &self.foot + "\n";
        }
        let numbers: String = (0..8).rev().map(|bit| format!("{bit:^CELL$}")).collect();
        out += &format!("     byte  bit {}\n", numbers[2..].trim_end());
        // Points whose cells don't hold all there is to say, and bytes that are no point's.
        let (mut cut, mut bytes) = (BTreeSet::new(), Vec::new());
        for row in &self.rows {
            let (first, last) = row.bytes();
            let place = range_of(first, last);
            let band = |text: &str| {
                let short = shortened(&format!(" {text}"), 8 * CELL - 1);
                let pad = " ".repeat((8 * CELL - 1).saturating_sub(short.width()));
                short + &pad
            };
            let (letter, cells) = match row {
                Row::Bits { byte, bits, lowest } => {
                    if let Some(lowest) = lowest {
                        let numbers: String = (0..8)
                            .rev()
                            .map(|bit| centred(&format!("{}", lowest + bit), CELL))
                            .collect();
                        out += &format!("{:13}{}\n", "", numbers.trim_end());
                    }
                    let mut cells = Vec::new();
                    for (id, width) in spans(bits) {
                        let text = match id {
                            // The digit above a bool is its value.
                            Some(id) if self.attrs[id].labels().is_empty() => self.name(id),
                            Some(id) => self.label(id),
                            None => "·".to_owned(),
                        };
                        let short = shortened(&text, CELL * width - 1);
                        cut.extend(id.filter(|_| short != text));
                        let style = self.style(colours, id);
                        cells.push(format!(
                            "{style}{}{style:#}",
                            centred(&short, CELL * width - 1)
                        ));
                    }
                    let mut place = &place[..];
                    if let Some(message) = &self.message {
                        let byte = message.bytes.get(*byte).copied().unwrap_or(0);
                        let digits: Vec<String> = (0..8)
                            .rev()
                            .map(|bit| centred(&(byte >> bit & 1).to_string(), CELL - 1))
                            .collect();
                        out += &format!("{place:>9}   │{}│\n", digits.join(" "));
                        place = "";
                    }
                    // A byte of a var_len message may have points of several kinds of access.
                    let mut letters = bits.iter().flatten().map(|id| self.letter(*id));
                    let letter = letters
                        .next()
                        .filter(|one| letters.all(|other| other == *one));
                    let cells = cells.join("│");
                    out += &format!("{place:>9}  {}│{cells}│\n", letter.unwrap_or(" "));
                    continue;
                }
                Row::Bytes { id, part, .. } => {
                    let text = self.hex(first, last, BAND) + &self.caption(*id, *part);
                    let short = band(&text);
                    if short.trim_end().ends_with('…') {
                        cut.insert(*id);
                    }
                    let style = self.style(colours, Some(*id));
                    (self.letter(*id), format!("{style}{short}{style:#}"))
                }
                Row::Other { what, .. } if self.message.is_none() => {
                    (" ", centred(what, 8 * CELL - 1))
                }
                Row::Other { what, .. } => {
                    // A mask of 80 points is shown whole.
                    let text = self.hex(first, last, 10);
                    if text.trim_end().ends_with('…') {
                        let hex = self.hex(first, last, usize::MAX);
                        bytes.push(format!("bytes {place}: {}", hex.trim_end()));
                    }
                    (" ", band(&(text + what)))
                }
            };
            out += &format!("{place:>9}  {letter}│{cells}│\n");
        }
        if !self.foot.is_empty() {
            out += &format!("\n{}\n", self.foot);
        }
        if !cut.is_empty() || !bytes.is_empty() {
            out += match self.message {
                None => "\nnames cut above:\n",
                Some(_) => "\ncut above:\n",
            };
            let points = cut.into_iter().map(|id| match &self.message {
                None => format!("{}: {}", self.attrs[id].place(), self.name(id)),
                Some(_) => self.caption(id, 0),
            });
            for told in bytes.into_iter().chain(points) {
                out += &format!("  {told}\n");
            }
        }
        out
    }

    fn letter(&self, id: usize) -> &'static str {
        letter(self.attrs[id].point().access)
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
        let lens = self.attrs.iter().map(|attr| attr.point().position.len);
        let digits = lens.max().unwrap_or(0).to_string().len();
        for attr in &self.attrs {
            let name = printable(attr.name());
            let pad = " ".repeat(names - name.width());
            let position = &attr.point().position;
            let unit = match position.unit {
                Unit::Bit => "bit",
                Unit::Byte => "byte",
            };
            let plural = if position.len == 1 { " " } else { "s" };
            let range = match attr.point().kind {
                Kind::Binary => String::new(),
                _ => self.product.range(attr.id()),
            };
            let line = format!(
                "{:>8}  {}  {name}{pad}  {:>digits$} {unit}{plural}  {}",
                attr.id(),
                letter(attr.point().access),
                position.len,
                printable(&range)
            );
            out += shortened(line.trim_end(), 100).as_str();
            out.push('\n');
        }
        out
    }
}

fn protocol(product: &Product) -> &'static str {
    match product.protocol() {
        Protocol::Standard => "standard",
        Protocol::VarLen => "var_len",
    }
}

/// `1 byte`, `2 bytes`.
fn counted(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}

/// A list of words behind a head, in lines of at most 80 columns.
fn wrapped(head: &str, words: &[Cow<'_, str>]) -> String {
    let mut out = head.to_owned();
    let mut used = head.width();
    for (n, word) in words.iter().enumerate() {
        let comma = if n + 1 < words.len() { "," } else { "" };
        let width = word.width() + comma.len();
        if n > 0 && used + 1 + width > 80 {
            out += "\n  ";
            used = 2;
        } else if n > 0 {
            out.push(' ');
            used += 1;
        }
        out += word;
        out += comma;
        used += width;
    }
    out
}

/// The bytes of the messages of a product.
fn foot(product: &Product) -> String {
    let layout = product.layout();
    let bytes = |len: usize| counted(len, "byte");
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
            let head = match product.protocol() {
                Protocol::Standard => 0,
                Protocol::VarLen => 1 + product.layout().mask_len(),
            };
            complete(&picture, head + product.layout().status_len(), &|_| true);
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

    /// A byte of an area without a point is one of the area all the same.
    #[test]
    fn areas_with_holes_are_numbered_through() {
        let product = bools(
            "standard",
            &[("status_writable", 0), ("status_writable", 17)],
        );
        let picture = Picture::of_status(&product, "hole");
        complete(&picture, 3, &|_| true);
        let lowest = |row: &Row| match row {
            Row::Bits { lowest, .. } => *lowest,
            other => panic!("{other:?}"),
        };
        let numbers: Vec<_> = picture.rows.iter().map(lowest).collect();
        assert_eq!(numbers, [Some(16), Some(8), Some(0)]);
    }

    /// One byte of a var_len message may have points of every access.
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
            let picture = Picture::of_message(&product, "mixed", &decoded, &bytes);
            (picture.text(false), picture.text(true), picture.svg())
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
        // What differs is seen.
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
