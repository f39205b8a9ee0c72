//! The plan of the text of a product's points. The texts of points with few values are prepared in advance.
//!
//! A [`TextPlan`] writes a status in pieces. Points that share a byte or have few values are one piece:
//! a table of finished texts, which are copied in steps of a fixed length. Numbers are formatted as
//! integers, without floats. A value that breaks the definition is written as a number, point by point.

use std::io::Write as _;

use gizwits_codec_core::{Kind, PointValue, Raw, View};

use super::Product;
use super::location::Location;
use super::point_text::{PointFormat, PointText, point_texts, shared_location};
use super::text_piece::{
    FlagPlan, NumberPlan, Piece, PieceKind, RawPlan, Run, TextPiece, Texts, window,
};
use crate::text::cursor::{Cursor, FULL, write_number};
use crate::text::digits::{BATCH, Batch, is_short};

/// The plan of the text of the points of a product in one format.
#[derive(Debug)]
pub(crate) struct TextPlan {
    /// Whether binaries are in quotes.
    quotes: bool,
    status_len: usize,
    /// The points of a message with all points.
    runs: Vec<Run>,
    /// Each point by itself, by id, for any other message.
    points: Vec<Piece>,
    /// The texts of values that break the definition, by id.
    flags: Vec<FlagPlan>,
    texts: Vec<TextPiece>,
    numbers: Vec<NumberPlan>,
    /// The size of the finished texts in bytes.
    texts_len: usize,
    /// The maximum number of bytes that the points of a message take, if each value has the width of its point.
    pub(crate) max_len: usize,
    /// The maximum number of bytes that [`put_flags`](Self::put_flags) appends.
    pub(crate) flags_len: usize,
}

/// How the points of a message were written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Written {
    /// All values are valid.
    Sound,
    /// Values break the definition. All of them are of points from the first to the last id.
    Flagged(u16, u16),
    /// Not completely, because the plan has no text for a point.
    Partly,
}

impl Written {
    /// Both parts of a message.
    #[inline(always)]
    fn and(self, next: Written) -> Written {
        match (self, next) {
            (Written::Sound, _) | (_, Written::Partly) => next,
            (Written::Flagged(first, _), Written::Flagged(_, last)) => {
                Written::Flagged(first, last)
            }
            _ => self,
        }
    }
}

/// The maximum size of the texts of a piece in bytes.
const TABLE: usize = 128 << 10;

/// The size of all finished texts, in bytes, from which on only enums have them.
const TABLES: usize = 1 << 20;

/// The maximum number of values of a piece with finished texts.
const MOST: u32 = 256;

/// The text before the rules that values break.
const FLAGGED: &[u8; 11] = br#","flagged":"#;

impl TextPlan {
    pub(crate) fn new(product: &Product, format: &dyn PointFormat) -> Self {
        let texts = point_texts(product, format);
        let rules = texts.iter().map(FlagPlan::max_len).sum::<usize>();
        let mut plan = TextPlan {
            quotes: format.quotes(),
            status_len: product.layout().status_len(),
            runs: Vec::new(),
            points: Vec::new(),
            flags: texts.iter().map(FlagPlan::new).collect(),
            texts: Vec::new(),
            numbers: Vec::new(),
            texts_len: 0,
            max_len: texts.iter().map(PointText::max_len).sum(),
            flags_len: FLAGGED.len() + rules + 1,
        };
        for text in &texts {
            let piece = plan.point(text);
            plan.points.push(piece);
        }
        let mut first = 0;
        while let Some(rest) = texts.get(first..).filter(|rest| !rest.is_empty()) {
            // Adjacent points that share a byte are one piece.
            let shared = (2..=rest.len()).map_while(|len| {
                let points = rest.get(..len)?;
                Some((points, shared_location(points)?))
            });
            let shared = shared.last().and_then(|(points, location)| {
                let raw = RawPlan::new(points, location, (0, location.most()), plan.status_len);
                let texts = plan.shared(points, location, raw)?;
                plan.push_texts(TextPiece { texts, raw });
                Some(points.len())
            });
            first += shared.unwrap_or_else(|| {
                plan.push(first);
                1
            });
        }
        plan
    }

    /// Adds a point to a message with all points.
    fn push(&mut self, id: usize) {
        let Some(Piece { raw, kind }) = self.points.get(id).cloned() else {
            return;
        };
        match kind {
            PieceKind::Texts(texts) => self.push_texts(TextPiece { texts, raw }),
            PieceKind::Number(number) => {
                let first = self.numbers.len() as u32;
                self.numbers.push(number);
                match self.runs.last_mut() {
                    Some(Run::Numbers(start, end)) if ((*end - *start) as usize) < BATCH => {
                        *end += 1;
                    }
                    _ => self.runs.push(Run::Numbers(first, first + 1)),
                }
            }
            _ => self.runs.push(Run::Point(id as u16)),
        }
    }

    fn push_texts(&mut self, piece: TextPiece) {
        let first = self.texts.len() as u32;
        self.texts.push(piece);
        match self.runs.last_mut() {
            Some(Run::Texts(_, end)) => *end += 1,
            _ => self.runs.push(Run::Texts(first, first + 1)),
        }
    }

    /// The piece of one point.
    fn point(&mut self, point: &PointText<'_>) -> Piece {
        let PointText {
            location,
            min,
            max,
            scale,
            ..
        } = *point;
        let points = std::slice::from_ref(point);
        let raw = RawPlan::new(points, location, (min, max), self.status_len);
        let is_enum = matches!(point.attr.point().kind, Kind::Enum { .. });
        let kind = if location.bits == 0 {
            let quote = if self.quotes { "\"" } else { "" };
            self.key(&format!("{}{quote}", point.key)).map(|key| {
                let start = location.end - location.len;
                PieceKind::Binary(key, start as u32, location.end as u32)
            })
        } else if max - min < MOST && (is_enum || self.has_room()) {
            let texts = self.texts(raw, |raw, text| {
                point.put(raw, text);
                true
            });
            texts.map(PieceKind::Texts)
        } else if is_enum {
            None
        } else {
            let short = is_short(scale.value(min)) && is_short(scale.value(max));
            self.key(&point.key).map(|key| match key {
                Texts::Short(key) if short => {
                    let key = key.first().copied().unwrap_or_default();
                    PieceKind::Number(NumberPlan { key, scale, raw })
                }
                key => PieceKind::Any(key, scale),
            })
        };
        let kind = kind.unwrap_or(PieceKind::Unsupported);
        Piece { raw, kind }
    }

    /// The texts of points that share a location.
    fn shared(&mut self, points: &[PointText<'_>], at: Location, raw: RawPlan) -> Option<Texts> {
        if !self.has_room() {
            return None;
        }
        self.texts(raw, |shared, text| {
            points.iter().all(|point| {
                let PointText {
                    location, min, max, ..
                } = point;
                let below = 8 * (at.end - location.end) as u32 + u32::from(location.shift)
                    - u32::from(at.shift);
                let raw = shared >> below & location.most();
                point.put(raw, text);
                (*min..=*max).contains(&raw)
            })
        })
    }

    fn has_room(&self) -> bool {
        self.texts_len < TABLES
    }

    /// Prepares one text.
    fn key(&mut self, key: &str) -> Option<Texts> {
        self.add(key, &[key.len()])
    }

    /// Prepares the texts of all valid values. A value for which `put` returns false breaks the definition after
    /// all, and has an empty text. `None` if the texts would be too large.
    fn texts(&mut self, raw: RawPlan, put: impl Fn(u32, &mut String) -> bool) -> Option<Texts> {
        let (mut texts, mut ends) = (String::new(), Vec::new());
        for value in raw.min..=raw.min + raw.span {
            let start = texts.len();
            if !put(value, &mut texts) {
                texts.truncate(start);
            }
            ends.push(texts.len());
            if texts.len() > TABLE {
                return None;
            }
        }
        self.add(&texts, &ends)
    }

    /// Prepares texts that are given one after the other, with the end of each. `None` if they would be too large.
    fn add(&mut self, texts: &str, ends: &[usize]) -> Option<Texts> {
        let (texts, len) = Texts::new(texts, ends);
        if len > TABLE {
            return None;
        }
        self.texts_len += len;
        Some(texts)
    }

    /// Appends the points of a status.
    #[inline(always)]
    pub(crate) fn put_status(&self, status: &[u8], out: &mut Cursor<'_>) -> Written {
        if status.len() != self.status_len {
            return Written::Partly;
        }
        let padded;
        let status = match status.len() {
            0..8 => {
                padded = pad(status);
                &padded
            }
            _ => status,
        };
        let mut all = Written::Sound;
        for run in &self.runs {
            let written;
            (written, out.len) = match *run {
                Run::Texts(first, end) => {
                    let texts = self.texts.get(first as usize..end as usize);
                    let texts = texts.unwrap_or_default();
                    let (done, written) = put_texts(texts, status, out.rest());
                    out.len += written;
                    match texts.get(done..) {
                        None | Some([]) => continue,
                        Some(rest) => self.put_some_texts(rest, status, out.lend()),
                    }
                }
                Run::Numbers(first, end) => {
                    let numbers = self.numbers.get(first as usize..end as usize);
                    let numbers = numbers.unwrap_or_default();
                    let mut batch = Batch::default();
                    if let Some(written) = put_numbers(numbers, status, &mut batch, out.rest()) {
                        out.len += written;
                        continue;
                    }
                    self.put_some_numbers(numbers, &batch, status, out.lend())
                }
                Run::Point(id) => self.put_single(id, status, out.lend()),
            };
            all = all.and(written);
            if all == Written::Partly {
                break;
            }
        }
        all
    }

    // The functions below get a cursor by value and return its new length, so that the cursor of `put_status` can stay
    // in registers.

    /// Appends a point that has neither finished texts nor is a short number.
    #[inline(never)]
    fn put_single(&self, id: u16, status: &[u8], mut out: Cursor<'_>) -> (Written, usize) {
        let Some(piece) = self.points.get(usize::from(id)) else {
            return (Written::Partly, out.len);
        };
        let written = match &piece.kind {
            PieceKind::Binary(key, start, end) => {
                let bytes = status.get(*start as usize..*end as usize);
                self.put_binary(key, bytes.unwrap_or(&[]), &mut out);
                Written::Sound
            }
            _ if self.put_value(piece, piece.raw.read(status), &mut out) => Written::Sound,
            _ => self.put_flagged(&piece.raw, status, &mut out),
        };
        (written, out.len)
    }

    /// Appends values of a status that have finished texts. The first breaks the definition, and others may.
    #[cold]
    #[inline(never)]
    fn put_some_texts(
        &self,
        mut texts: &[TextPiece],
        status: &[u8],
        mut out: Cursor<'_>,
    ) -> (Written, usize) {
        let mut all = Written::Sound;
        while let Some((text, rest)) = texts.split_first() {
            all = all.and(self.put_flagged(&text.raw, status, &mut out));
            if all == Written::Partly {
                break;
            }
            let (done, written) = put_texts(rest, status, out.rest());
            out.len += written;
            texts = rest.get(done..).unwrap_or_default();
        }
        (all, out.len)
    }

    /// Appends numbers of which one breaks the definition and may have more digits than a batch has.
    #[cold]
    #[inline(never)]
    fn put_some_numbers(
        &self,
        numbers: &[NumberPlan],
        batch: &Batch,
        status: &[u8],
        mut out: Cursor<'_>,
    ) -> (Written, usize) {
        let mut all = Written::Sound;
        for (number, digits) in numbers.iter().zip(batch.iter()) {
            let (raw, point) = (number.raw.read(status), number.raw.point);
            if number.raw.is_valid(raw) {
                out.put_number(&number.key, digits, number.scale.decimals());
            } else if let Some(flag) = self.flags.get(usize::from(point)) {
                flag.put(raw, &mut out);
                all = all.and(Written::Flagged(point, point));
            }
        }
        (all, out.len)
    }

    /// Appends the points of a raw value one by one, because one of them breaks the definition.
    #[inline(always)]
    fn put_flagged(&self, plan: &RawPlan, status: &[u8], out: &mut Cursor<'_>) -> Written {
        let first = usize::from(plan.point);
        let ids = first..first + usize::from(plan.count);
        let Some((pieces, flags)) = self.points.get(ids.clone()).zip(self.flags.get(ids)) else {
            return Written::Partly;
        };
        for (piece, flag) in pieces.iter().zip(flags) {
            if let PieceKind::Unsupported = piece.kind {
                return Written::Partly;
            }
            let raw = piece.raw.read(status);
            if !self.put_value(piece, raw, out) {
                flag.put(raw, out);
            }
        }
        Written::Flagged(plan.point, plan.last())
    }

    /// Appends the rules that the values of a status break: `,"flagged":{"name":"rule"}`. `first` and `last` are
    /// those of [`Written::Flagged`]. Returns the new length of the cursor.
    #[cold]
    #[inline(never)]
    pub(crate) fn put_flags(
        &self,
        (first, last): (u16, u16),
        status: &[u8],
        mut out: Cursor<'_>,
    ) -> usize {
        let padded;
        let status = match status.len() {
            0..8 => {
                padded = pad(status);
                &padded
            }
            _ => status,
        };
        out.put_prefix(FLAGGED, FLAGGED.len());
        let start = out.len;
        let ids = usize::from(first)..=usize::from(last);
        let points = self.points.get(ids.clone()).unwrap_or_default();
        let flags = self.flags.get(ids).unwrap_or_default();
        for (piece, flag) in points.iter().zip(flags) {
            if !matches!(piece.kind, PieceKind::Binary(..)) {
                flag.put_rule(&piece.raw, piece.raw.read(status), &mut out);
            }
        }
        out.close_object(start, b"}");
        out.len
    }

    /// Appends the raw value of one point or of points that share a location. Returns false if it breaks the definition.
    #[inline(always)]
    fn put_value(&self, piece: &Piece, raw: u32, out: &mut Cursor<'_>) -> bool {
        if !piece.raw.is_valid(raw) {
            return false;
        }
        match &piece.kind {
            PieceKind::Texts(texts) => texts.put(piece.raw.index(raw) as usize, out),
            PieceKind::Number(number) => {
                number.put(raw, out);
                true
            }
            PieceKind::Any(key, scale) => {
                key.put(0, out);
                let _ = write!(out, "{}", scale.value(raw));
                true
            }
            PieceKind::Binary(..) | PieceKind::Unsupported => false,
        }
    }

    #[inline]
    fn put_binary(&self, key: &Texts, bytes: &[u8], out: &mut Cursor<'_>) {
        key.put(0, out);
        out.put_hex(bytes);
        if self.quotes {
            out.put_prefix(b"\"", 1);
        }
    }

    /// Appends one point of any message. Returns false if the value breaks the definition.
    #[inline(always)]
    pub(crate) fn put_point(&self, reading: &PointValue<'_, '_>, out: &mut Cursor<'_>) -> bool {
        let Some(piece) = self.points.get(reading.id().index()) else {
            return true;
        };
        match (reading.raw(), &piece.kind) {
            (Raw::Bytes(bytes), PieceKind::Binary(key, ..)) => {
                self.put_binary(key, bytes, out);
                true
            }
            (Raw::Bytes(_), _) => false,
            (Raw::Number(raw), _) => self.put_value(piece, raw, out),
        }
    }

    /// Appends the points of any message. Flagged are only values of messages with all points.
    #[inline(always)]
    pub(crate) fn put_view(&self, view: &View<'_, '_>, out: &mut Cursor<'_>) -> Written {
        match view.is_whole() {
            true => self.put_status(view.values(), out),
            false if self.put_points(view, out) => Written::Sound,
            false => Written::Partly,
        }
    }

    #[inline(never)]
    fn put_points(&self, view: &View<'_, '_>, out: &mut Cursor<'_>) -> bool {
        let mut sound = true;
        view.iter()
            .for_each(|reading| sound &= self.put_point(&reading, out));
        sound
    }
}

/// Writes values of a status that have finished texts, up to a value that breaks the definition. Returns their number
/// and the length of their text.
///
/// Not inlined: the loop needs all registers.
#[inline(never)]
fn put_texts(texts: &[TextPiece], status: &[u8], room: &mut [u8]) -> (usize, usize) {
    // A short status is one window. In a longer one, points next to each other often share theirs.
    if let Ok(eight) = <[u8; 8]>::try_from(status) {
        let window = u64::from_be_bytes(eight);
        return put_texts_of(texts, |_| window, room);
    }
    let (mut at, mut last) = (u32::MAX, 0);
    let shared = |start| {
        if start != at {
            (at, last) = (start, window(status, start));
        }
        last
    };
    put_texts_of(texts, shared, room)
}

/// Implements [`put_texts`] for windows that begin at a byte.
#[inline(always)]
fn put_texts_of(
    texts: &[TextPiece],
    mut window: impl FnMut(u32) -> u64,
    mut room: &mut [u8],
) -> (usize, usize) {
    let mut len = 0;
    for (done, text) in texts.iter().enumerate() {
        let window = window(text.raw.start);
        let Some((written, rest)) = text.copy(window, room) else {
            return (done, len);
        };
        (len, room) = (len + written, rest);
    }
    (texts.len(), len)
}

/// Writes numbers of a status and returns the length of their text. If one of them breaks the definition, returns
/// `None` and only fills the batch, which is empty before.
///
/// Not inlined: the loops need all registers.
#[cfg_attr(
    feature = "log",
    multiversion::multiversion(targets("x86_64+avx2+bmi1+bmi2+lzcnt"))
)]
#[inline(never)]
fn put_numbers(
    numbers: &[NumberPlan],
    status: &[u8],
    batch: &mut Batch,
    mut room: &mut [u8],
) -> Option<usize> {
    let mut sound = true;
    batch.fill(numbers.iter().map(|number| {
        let raw = number.raw.read(status);
        sound &= number.raw.is_valid(raw);
        number.scale.value(raw).coefficient()
    }));
    if !sound {
        return None;
    }
    let mut len = 0;
    for (number, digits) in numbers.iter().zip(batch.iter()) {
        let decimals = number.scale.decimals();
        let Some((written, rest)) = write_number(room, &number.key, digits, decimals) else {
            return Some(FULL);
        };
        (len, room) = (len + written, rest);
    }
    Some(len)
}

/// Returns a status of less than 8 bytes, followed by zeros.
#[inline(always)]
fn pad(status: &[u8]) -> [u8; 8] {
    let mut padded = [0; 8];
    if let (Some(first), Some(last)) = (status.first_chunk(), status.last_chunk()) {
        // Two loads, which overlap, take fewer instructions than a copy of any length.
        let high = u64::from(u32::from_be_bytes(*first)) << 32;
        let low = u64::from(u32::from_be_bytes(*last)).wrapping_shl(64 - 8 * status.len() as u32);
        padded = (high | low).to_be_bytes();
    } else {
        for (to, byte) in padded.iter_mut().zip(status) {
            *to = *byte;
        }
    }
    padded
}

// The tests write the points with the formats of logs.
#[cfg(feature = "log")]
#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::sink::csv::cell;
    use crate::log::{Csv, Decoder, Format, Ndjson, Options, Products, TableOptions, TextBlock};
    use crate::product::point_text::JsonFormat;
    use crate::text::cursor::STEP;

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
            let cells = cells.map(|(attr, raw)| match attr.label(raw.into()) {
                Some(label) => format!(",{}", cell(label, false)),
                None => format!(",{raw}"),
            });
            is_written(&product, &status.to_be_bytes(), &cells.collect::<String>());
        }
    }

    /// Asserts that a report of this status is the product's JSON in NDJSON, and these cells in CSV: as bare hex, and
    /// in a notation that only the general reader knows.
    fn is_written(product: &Product, status: &[u8], cells: &str) {
        let p0 = [&[4], status].concat();
        let hex = crate::payload::hex(&p0);
        let json = product.decode_p0(&p0).unwrap().to_json();
        let products = Products::one(product.clone());
        let ndjson = Ndjson::new(&products, std::io::sink());
        let csv = Csv::new(product, TableOptions::default(), std::io::sink()).unwrap();
        for line in [format!("0x{hex}"), hex] {
            let mut block = TextBlock::default();
            let mut decoder = Decoder::new(&products, Options::default(), ndjson.sink());
            decoder.lines(line.as_bytes(), &mut block, |_, _, error| panic!("{error}"));
            assert_eq!(block.as_bytes(), [json.as_bytes(), b"\n"].concat());

            let mut decoder = Decoder::new(&products, Options::default(), csv.sink());
            block.clear();
            decoder.lines(line.as_bytes(), &mut block, |_, _, error| panic!("{error}"));
            assert_eq!(block.as_bytes(), format!(",,,report{cells}\r\n").as_bytes());
        }
    }

    /// Once the tables are large, the points that need no table are written as numbers.
    #[test]
    fn tables_have_a_limit() {
        let attrs = (0..200).map(|id| {
            serde_json::json!({
                "id": id, "name": format!("point_{id}"), "type": "status_readonly", "data_type": "uint8",
                "position": {"byte_offset": id, "bit_offset": 0, "len": 1, "unit": "byte"},
                "uint_spec": {"min": 0, "max": 255, "ratio": 1, "addition": -128},
            })
        });
        let definition = serde_json::json!({
            "name": "bytes", "product_key": "0123456789abcdef0123456789abcdef",
            "protocolType": "standard", "packetVersion": "0x00000004",
            "entities": [{"id": 0, "name": "entity0", "attrs": attrs.collect::<Vec<_>>()}],
        });
        let product = Product::from_json(&definition.to_string()).unwrap();
        let plan = product.json_plan();
        assert_eq!(plan.texts_len, TABLES + 72 * STEP);
        assert_eq!(plan.numbers.len(), 200 - TABLES / (256 * STEP));
        let status: Vec<u8> = (0..200).map(|byte| byte + 40).collect();
        let cells = status
            .iter()
            .map(|byte| format!(",{}", i32::from(*byte) - 128));
        is_written(&product, &status, &cells.collect::<String>());
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
        let plan = TextPlan::new(&product, &JsonFormat);
        assert_eq!(plan.numbers.len(), 3);
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
