//! Points as text. The texts of points with few values are prepared in advance.
//!
//! A [`PointWriter`] writes a status in pieces. Points that share a byte or have few values are one piece:
//! a table of finished texts, which are copied in steps of a fixed length. Numbers are formatted as
//! integers, without floats. Values that break the definition are left to [`Product`].

use std::io::Write as _;
use std::num::NonZeroU32;

use gizwits_codec_core::{Kind, PointId, Raw, Scale, View};

use super::location::{Location, locations};
use crate::log::record::text::{Cursor, STEP, Split, cell, digits, is_short};
use crate::product::Product;
use crate::product::attr::Attr;

/// The format of points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TextFormat {
    /// `,"key":value`
    Json,
    /// `,value`. Guarded labels are never formulas in a spreadsheet.
    Csv { guarded: bool },
}

impl TextFormat {
    fn key(self, attr: &Attr) -> String {
        match self {
            TextFormat::Json => format!(",{}", attr.key),
            TextFormat::Csv { .. } => ",".to_owned(),
        }
    }

    fn label(self, attr: &Attr, index: u32) -> String {
        let text = match self {
            TextFormat::Json => attr
                .rendered
                .get(index as usize)
                .map(|json| json.to_string()),
            TextFormat::Csv { guarded } => attr.label_of(index).map(|label| cell(label, guarded)),
        };
        text.unwrap_or_else(|| index.to_string())
    }
}

/// A writer of the points of a product.
#[derive(Debug)]
pub(crate) struct PointWriter {
    format: TextFormat,
    /// The pieces of a message with all points.
    pieces: Vec<Piece>,
    /// The pieces of single points, by id, for any other message.
    points: Vec<Piece>,
    /// Finished texts and keys, see [`TextTable`].
    steps: Vec<[u8; STEP]>,
    /// The maximum number of bytes that the points of a record take.
    pub(crate) max_len: usize,
    /// The status, after 8 bytes that its first windows reach into.
    status: Vec<u8>,
    numbers: Numbers,
}

/// The numbers of a status, which are converted in parallel: each conversion is a long chain of dependent
/// steps.
#[derive(Debug, Default)]
struct Numbers {
    /// The pieces of the numbers with their scales, in the order in which they are written.
    all: Vec<(Piece, Scale)>,
    splits: Vec<Split>,
    /// The lower half of each split. Padded to a multiple of 8, for vector instructions.
    lower: Vec<u32>,
    /// The digits of each lower half. Padded like `lower`.
    digits: Vec<u64>,
}

/// One point or several, which are written together.
#[derive(Clone, Copy, Debug)]
struct Piece {
    /// The start of the window of 8 bytes, in a status after 8 other bytes. `None` if the piece uses the
    /// window of the piece before it, or has none.
    window: Option<NonZeroU32>,
    /// The number of bits in the window below the value.
    shift: u8,
    /// The mask of the value after the shift.
    mask: u32,
    /// The least valid raw value.
    min: u32,
    /// The difference between the greatest and the least valid raw value.
    span: u32,
    kind: PieceKind,
}

#[derive(Clone, Copy, Debug)]
enum PieceKind {
    /// A finished text of one step for each value. The index of the first step.
    Short(u32),
    /// A finished text of several steps for each value.
    Long(TextTable),
    /// A key of one step and a short number, which is one of the [`Numbers`] of a status.
    Number(u32, Scale),
    /// A key and any other number.
    Any(TextTable, Scale),
    /// A key and bytes as hex, with the start and the number of the bytes.
    Binary(TextTable, u32, u32),
    /// Points whose table would be too long. [`Product`] writes them.
    Unsupported,
}

/// A table of texts. Each text takes the same number of steps, the last of which ends with the length of
/// the text.
#[derive(Clone, Copy, Debug)]
struct TextTable {
    first: u32,
    steps: u32,
}

/// The maximum number of bytes that the points of a record take.
pub(crate) fn max_len(product: &Product, format: TextFormat) -> usize {
    let of = |(attr, location): (&Attr, Location)| {
        let labels = (0..attr.labels().len() as u32).map(|index| format.label(attr, index).len());
        format.key(attr).len() + labels.max().unwrap_or(0).max(2 * location.len).max(24) + 4
    };
    product.attrs().zip(locations(product)).map(of).sum()
}

/// The maximum length of a text in a table, in bytes.
const LONGEST: usize = 16 << 10;

/// The maximum size of a table in bytes.
const TABLE: usize = 128 << 10;

/// The maximum number of values of a piece with a table.
const MOST: u32 = 256;

impl PointWriter {
    pub(crate) fn new(product: &Product, format: TextFormat) -> Self {
        let mut writer = PointWriter {
            format,
            pieces: Vec::new(),
            points: Vec::new(),
            steps: Vec::new(),
            max_len: max_len(product, format),
            status: vec![0; 8 + product.layout().status_len()],
            numbers: Numbers::default(),
        };
        let locations = locations(product);
        let attrs: Vec<&Attr> = product.attrs().collect();
        for (attr, location) in attrs.iter().zip(&locations) {
            let piece = writer.piece(product, &[(attr, *location)]);
            writer.points.push(piece);
        }
        // Adjacent points that share a byte are one piece.
        let all: Vec<(&Attr, Location)> = attrs.into_iter().zip(locations).collect();
        let mut rest = &all[..];
        while !rest.is_empty() {
            let mut len = 1;
            while len < rest.len() && shared_location(&rest[..=len]).is_some() {
                len += 1;
            }
            let (points, behind) = rest.split_at(len);
            let piece = writer.piece(product, points);
            writer.pieces.push(piece);
            rest = behind;
        }
        writer.numbers = Numbers::new(&mut writer.pieces);
        share_windows(&mut writer.pieces);
        writer
    }

    /// The piece of one point, or of points with a [`shared_location`].
    fn piece(&mut self, product: &Product, points: &[(&Attr, Location)]) -> Piece {
        let (attr, location) = points[0];
        let layout = product.layout();
        let (min, max) = layout.limits(attr.id()).unwrap_or((0, 0));
        let scale = layout.scale(attr.id()).unwrap_or(Scale::IDENTITY);
        let mut key = self.format.key(attr);
        let (location, min, max) = match shared_location(points) {
            Some(location) if points.len() > 1 => (location, 0, (1 << location.bits) - 1),
            _ if location.bits == 0 => (location, 0, 0),
            _ => (location, min, max),
        };
        let kind = if location.bits == 0 {
            if self.format == TextFormat::Json {
                key.push('"');
            }
            self.table([key]).map_or(PieceKind::Unsupported, |key| {
                let start = 8 + location.end - location.len;
                PieceKind::Binary(key, start as u32, location.len as u32)
            })
        } else if max - min < MOST {
            let texts = (min..=max).map(|raw| self.text(product, points, location, raw));
            let texts: Vec<String> = texts.collect();
            match self.table(texts) {
                Some(TextTable { first, steps: 1 }) => PieceKind::Short(first),
                Some(table) => PieceKind::Long(table),
                None => PieceKind::Unsupported,
            }
        } else if let Kind::Enum { .. } = attr.point().kind {
            PieceKind::Unsupported
        } else {
            let short = is_short(scale.value(min)) && is_short(scale.value(max));
            match self.table([key]) {
                Some(TextTable { first, steps: 1 }) if short => PieceKind::Number(first, scale),
                Some(key) => PieceKind::Any(key, scale),
                None => PieceKind::Unsupported,
            }
        };
        Piece {
            // A binary has no window.
            window: NonZeroU32::new(location.end as u32).filter(|_| location.bits > 0),
            shift: location.shift,
            mask: u32::MAX.unbounded_shr(32 - u32::from(location.bits)),
            min,
            span: max - min,
            kind,
        }
    }

    /// Adds a table of texts; `None` if it would be too large.
    fn table(
        &mut self,
        texts: impl IntoIterator<Item = String> + AsRef<[String]>,
    ) -> Option<TextTable> {
        let longest = texts.as_ref().iter().map(String::len).max().unwrap_or(0);
        let first = self.steps.len() as u32;
        let len = (longest + 2).next_multiple_of(STEP);
        if len > LONGEST || len * texts.as_ref().len() > TABLE {
            return None;
        }
        for text in texts {
            let end = (text.len() as u16).to_le_bytes();
            let mut bytes = text.into_bytes();
            bytes.resize(len - 2, 0);
            bytes.extend(end);
            self.steps.extend(bytes.as_chunks().0);
        }
        let steps = (len / STEP) as u32;
        Some(TextTable { first, steps })
    }

    /// The text of points that share a location with this raw value; empty if a value breaks the definition.
    fn text(
        &self,
        product: &Product,
        points: &[(&Attr, Location)],
        at: Location,
        raw: u32,
    ) -> String {
        let mut text = String::new();
        for (attr, location) in points {
            let layout = product.layout();
            let (min, max) = layout.limits(attr.id()).unwrap_or((0, 0));
            let scale = layout.scale(attr.id()).unwrap_or(Scale::IDENTITY);
            let below = 8 * (at.end - location.end) as u32 + u32::from(location.shift)
                - u32::from(at.shift);
            let raw = match points.len() {
                1 => raw,
                _ => raw >> below & (u32::MAX >> (32 - location.bits)),
            };
            if raw < min || raw > max {
                return String::new();
            }
            text += &self.format.key(attr);
            text += &match attr.point().kind {
                Kind::Enum { .. } => self.format.label(attr, raw),
                _ => scale.value(raw).to_string(),
            };
        }
        text
    }

    /// Appends the points of a status. Returns false if a value breaks the definition.
    #[inline(always)]
    pub(crate) fn put_status(&mut self, status: &[u8], out: &mut Cursor<'_>) -> bool {
        let Some(to) = self.status.get_mut(8..) else {
            return false;
        };
        if to.len() != status.len() {
            return false;
        }
        to.copy_from_slice(status);
        if !self.numbers.read(&self.status) {
            return false;
        }
        let mut numbers = self.numbers.splits.iter().zip(&self.numbers.digits);
        let mut window = 0;
        let (mut len, steps) = (out.len, &self.steps[..]);
        for piece in &self.pieces {
            if let Some(at) = piece.window {
                window = window_at(&self.status, at.get());
            }
            let raw = (window >> piece.shift) as u32 & piece.mask;
            // Most pieces are of this kind. Handled here, they need only local variables, which are in
            // registers.
            if let PieceKind::Short(first) = piece.kind {
                let index = raw.wrapping_sub(piece.min);
                // An empty text marks a value that breaks the definition.
                if index <= piece.span
                    && let Some(step) = steps.get(first.wrapping_add(index) as usize)
                    && step[STEP - 2] > 0
                    && let Some(to) = out.room.get_mut(len..).and_then(<[u8]>::first_chunk_mut)
                {
                    *to = *step;
                    len += usize::from(step[STEP - 2]);
                    continue;
                }
                return false;
            }
            let mut rest = Cursor {
                room: &mut *out.room,
                len,
            };
            if let PieceKind::Number(key, scale) = piece.kind {
                let Some((key, (split, digits))) = steps.get(key as usize).zip(numbers.next())
                else {
                    return false;
                };
                rest.put_decimal(key, split, *digits, scale.decimals());
            } else if !self.put_piece(piece, raw, &mut rest) {
                return false;
            }
            len = rest.len;
        }
        out.len = len;
        true
    }

    /// Appends a value. Returns false if it breaks the definition.
    #[inline(always)]
    fn put_piece(&self, piece: &Piece, raw: u32, out: &mut Cursor<'_>) -> bool {
        let index = raw.wrapping_sub(piece.min);
        if index > piece.span {
            return false;
        }
        match &piece.kind {
            PieceKind::Short(first) => {
                let table = TextTable {
                    first: *first,
                    steps: 1,
                };
                self.put_text(table, index, out) > 0
            }
            PieceKind::Long(table) => self.put_text(*table, index, out) > 0,
            PieceKind::Number(key, scale) => {
                let key = self.steps.get(*key as usize).unwrap_or(&[0; STEP]);
                let (split, lower) = Split::new(scale.value(raw));
                out.put_decimal(key, &split, digits(lower), scale.decimals());
                true
            }
            PieceKind::Any(key, scale) => {
                self.put_text(*key, 0, out);
                let _ = write!(out, "{}", scale.value(raw));
                true
            }
            PieceKind::Binary(key, start, len) => {
                let bytes = self.status.get(*start as usize..);
                let bytes = bytes.and_then(|bytes| bytes.get(..*len as usize));
                self.put_binary(*key, bytes.unwrap_or(&[]), out);
                true
            }
            PieceKind::Unsupported => false,
        }
    }

    #[inline]
    fn put_binary(&self, key: TextTable, bytes: &[u8], out: &mut Cursor<'_>) {
        self.put_text(key, 0, out);
        out.put_hex(bytes);
        if self.format == TextFormat::Json {
            out.put_prefix(b"\"", 1);
        }
    }

    /// Appends a text of a table and returns its length.
    #[inline(always)]
    fn put_text(&self, table: TextTable, index: u32, out: &mut Cursor<'_>) -> usize {
        let first = (table.first + index * table.steps) as usize;
        let steps = self.steps.get(first..first + table.steps as usize);
        out.put_steps(steps.unwrap_or(&[]))
    }

    /// Appends the points of any message. CSV has a cell for each point of the product, also for values
    /// that break the definition. For JSON, returns false for such values, because [`Product`] writes them.
    #[inline(never)]
    pub(crate) fn put_view(
        &self,
        product: &Product,
        view: &View<'_, '_>,
        out: &mut Cursor<'_>,
    ) -> bool {
        let mut next = 0;
        let mut sound = true;
        view.iter().for_each(|reading| {
            let id = reading.id();
            let Some(piece) = self.points.get(id.index()) else {
                return;
            };
            if self.format != TextFormat::Json {
                skip(&mut next, id, out);
            }
            match reading.raw() {
                Raw::Bytes(bytes) => match piece.kind {
                    PieceKind::Binary(key, ..) => self.put_binary(key, bytes, out),
                    _ => sound = false,
                },
                Raw::Number(raw) if self.put_piece(piece, raw, out) => {}
                Raw::Number(raw) if let TextFormat::Csv { guarded } = self.format => {
                    let label = product.attr(id).and_then(|attr| attr.label_of(raw));
                    let scale = product.layout().scale(id).unwrap_or(Scale::IDENTITY);
                    let _ = match label {
                        Some(label) => write!(out, ",{}", cell(label, guarded)),
                        None => write!(out, ",{}", scale.value(raw)),
                    };
                }
                Raw::Number(_) => sound = false,
            }
        });
        if self.format != TextFormat::Json {
            skip(&mut next, PointId(product.layout().points()), out);
        }
        sound
    }

    /// Appends a row of empty cells.
    pub(crate) fn put_nothing(&self, product: &Product, out: &mut Cursor<'_>) {
        skip(&mut 0, PointId(product.layout().points()), out);
    }
}

impl Numbers {
    /// Takes the windows of the numbers from the pieces.
    fn new(pieces: &mut [Piece]) -> Self {
        let mut all = Vec::new();
        for piece in pieces {
            if let PieceKind::Number(_, scale) = piece.kind {
                all.push((*piece, scale));
                piece.window = None;
            }
        }
        let len = all.len().next_multiple_of(8);
        Numbers {
            splits: vec![Split::default(); all.len()],
            lower: vec![0; len],
            digits: vec![0; len],
            all,
        }
    }

    /// Reads the numbers of a status. Returns false if a value breaks the definition.
    #[inline(always)]
    fn read(&mut self, status: &[u8]) -> bool {
        let mut sound = true;
        let to = self.splits.iter_mut().zip(&mut self.lower);
        for ((piece, scale), (split, lower)) in self.all.iter().zip(to) {
            let window = window_at(status, piece.window.map_or(0, NonZeroU32::get));
            let raw = (window >> piece.shift) as u32 & piece.mask;
            sound &= raw.wrapping_sub(piece.min) <= piece.span;
            (*split, *lower) = Split::new(scale.value(raw));
        }
        for (digits, lower) in self.digits.iter_mut().zip(&self.lower) {
            *digits = self::digits(*lower);
        }
        sound
    }
}

/// The 8 bytes from `at`, as a big-endian number.
#[inline(always)]
fn window_at(status: &[u8], at: u32) -> u64 {
    let eight = status.get(at as usize..);
    let eight = eight.and_then(<[u8]>::first_chunk).unwrap_or(&[0; 8]);
    u64::from_be_bytes(*eight)
}

/// Lets adjacent pieces within 8 bytes share a window, which only the first of them loads.
fn share_windows(pieces: &mut [Piece]) {
    let end = |piece: &Piece| piece.window.map_or(0, NonZeroU32::get);
    let below = |piece: &Piece, last: u32| 8 * (last - end(piece)) + u32::from(piece.shift);
    let mut rest = pieces;
    while !rest.is_empty() {
        let (mut len, mut last) = (0, 0);
        while let Some(piece) = rest.get(len) {
            let end = last.max(end(piece));
            let fits = |piece: &Piece| below(piece, end) + piece.mask.count_ones() <= 64;
            if piece.window.is_none() || !rest[..=len].iter().all(fits) {
                break;
            }
            (len, last) = (len + 1, end);
        }
        let (shared, behind) = rest.split_at_mut(len.max(1));
        for (n, piece) in shared.iter_mut().take(len).enumerate() {
            piece.shift = below(piece, last) as u8;
            piece.window = NonZeroU32::new(last).filter(|_| n == 0);
        }
        rest = behind;
    }
}

/// Appends empty cells up to the cell of a point.
fn skip(next: &mut u16, id: PointId, out: &mut Cursor<'_>) {
    while *next < id.0 {
        out.put(b",");
        *next += 1;
    }
    *next += 1;
}

/// The common location of adjacent points, if it has at most 8 bits.
fn shared_location(points: &[(&Attr, Location)]) -> Option<Location> {
    let end = points.iter().map(|(_, location)| location.end).max()?;
    let from = |location: &Location| 8 * (end - location.end) + usize::from(location.shift);
    let low = points.iter().map(|(_, location)| from(location)).min()?;
    let high = points
        .iter()
        .map(|(_, location)| from(location) + usize::from(location.bits))
        .max()?;
    // A table has a text for every value of the byte, so the texts should be short.
    let all = points.iter().all(|(attr, location)| {
        let labels = attr.labels().iter().map(String::len).max();
        location.bits > 0 && attr.key.len() + labels.unwrap_or(0) <= 64
    });
    (all && high - low <= 8 && low < 8).then_some(Location {
        end,
        shift: low as u8,
        bits: (high - low) as u8,
        len: 1,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::{Csv, Decoder, Format, Ndjson, Options, Products, TextBlock};

    /// Points with too many or too long labels or names for a table are written as by the product.
    #[test]
    fn what_no_table_has_room_for() {
        let long = "n".repeat(70_000);
        let labels: Vec<String> = (0..300).map(|n| format!("L{n},")).collect();
        let attr = |id: u32, name: &str, position: serde_json::Value, labels: &[String]| {
            serde_json::json!({
                "id": id, "name": name, "type": "status_writable", "data_type": "enum",
                "enum": labels, "position": position,
            })
        };
        let bits = |start: u32, len: u32| serde_json::json!({"byte_offset": 0, "bit_offset": start, "len": len, "unit": "bit"});
        let definition = serde_json::json!({
            "name": "long", "product_key": "0123456789abcdef0123456789abcdef",
            "protocolType": "standard", "packetVersion": "0x00000004",
            "entities": [{"id": 0, "name": "entity0", "attrs": [
                attr(0, "many", bits(0, 9), &labels),
                attr(1, "long", bits(9, 2), &[long.clone(), "a\"b".into(), "c".into()]),
                attr(2, &long, bits(11, 1), &["no".into(), "yes".into()]),
            ]}],
        });
        let product = Product::from_json(&definition.to_string()).unwrap();
        for status in [
            0_u16, 1, 255, 291, 299, 300, 511, 0x0201, 0x0c02, 0x0603, 0x0fff,
        ] {
            let cells = product
                .attrs()
                .zip([status & 0x1ff, status >> 9 & 3, status >> 11 & 1]);
            let cells = cells.map(|(attr, raw)| match attr.label_of(raw.into()) {
                Some(label) => format!(",{}", cell(label, false)),
                None => format!(",{raw}"),
            });
            is_written(&product, &status.to_be_bytes(), &cells.collect::<String>());
        }
    }

    /// Asserts that a report of this status is the product's JSON in NDJSON, and these cells in CSV.
    fn is_written(product: &Product, status: &[u8], cells: &str) {
        let p0 = [&[4], status].concat();
        let line = crate::payload::hex(&p0);
        let json = product.decode_p0(&p0).unwrap().to_json();
        let products = Products::one(product.clone());
        let mut block = TextBlock::default();
        let ndjson = Ndjson::new(&products, std::io::sink());
        let mut decoder = Decoder::new(&products, Options::default(), ndjson.sink());
        decoder.lines(line.as_bytes(), &mut block, |_, _, error| panic!("{error}"));
        assert_eq!(block.as_bytes(), [json.as_bytes(), b"\n"].concat());

        let csv = Csv::new(product, false, std::io::sink()).unwrap();
        let mut decoder = Decoder::new(&products, Options::default(), csv.sink());
        block.clear();
        decoder.lines(line.as_bytes(), &mut block, |_, _, error| panic!("{error}"));
        assert_eq!(block.as_bytes(), format!(",,,report{cells}\r\n").as_bytes());
    }

    /// Numbers of any length, with names of any length and any number of decimal places, are exact.
    #[test]
    fn numbers_of_any_length() {
        let long = "n".repeat(70);
        let attr = |id: u32, name: &str, ratio: &str, addition: &str| {
            format!(
                r#"{{"id": {id}, "name": "{name}", "type": "status_readonly", "data_type": "uint32",
                "position": {{"byte_offset": {}, "bit_offset": 0, "len": 4, "unit": "byte"}},
                "uint_spec": {{"min": 0, "max": 4294967295, "ratio": {ratio}, "addition": {addition}}}}}"#,
                4 * id
            )
        };
        // The greatest short number is 10^10 - 1.
        let attrs = [
            attr(0, "fine", "0.000000001", "0"),
            attr(1, "seven", "0.0000002", "-300"),
            attr(2, &long, "0.01", "-1000"),
            attr(3, "below", "0.1", "-99999999.5"),
            attr(4, "large", "1000", "5"),
            attr(5, "most", "1", "5705032704"),
            attr(6, "past", "1", "5705032705"),
        ];
        let definition = format!(
            r#"{{"name": "numbers", "product_key": "0123456789abcdef0123456789abcdef",
            "protocolType": "standard", "packetVersion": "0x00000004",
            "entities": [{{"id": 0, "name": "entity0", "attrs": [{}]}}]}}"#,
            attrs.join(",")
        );
        let product = Product::from_json(&definition).unwrap();
        let writer = PointWriter::new(&product, TextFormat::Json);
        assert_eq!(writer.numbers.all.len(), 3);
        for raw in [
            0,
            1,
            30,
            40_000,
            99_999_999,
            100_000_000,
            1_000_000_001,
            u32::MAX,
        ] {
            let values = product.attrs().map(|attr| {
                let scale = product.layout().scale(attr.id()).unwrap();
                format!(",{}", scale.value(raw))
            });
            let cells: String = values.collect();
            let status = raw.to_be_bytes().repeat(product.attrs().count());
            is_written(&product, &status, &cells);
        }
    }
}
