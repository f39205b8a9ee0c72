//! The plan of the text of a product's points. The texts of points with few values are prepared in advance.
//!
//! A [`TextPlan`] writes a status in pieces. Points that share a byte or have few values are one piece:
//! a table of finished texts, which are copied in steps of a fixed length. Numbers are formatted as
//! integers, without floats. A value that breaks the definition is written as a number, point by point.

use std::fmt::Write as _;
use std::io::Write as _;

use gizwits_codec_core::{ErrorKind, Kind, PointValue, Raw, Scale, View};

use super::Product;
use super::attr::Attr;
use super::location::{Location, locations};
use crate::text::cursor::{Cursor, STEP};
use crate::text::digits::{BATCH, Batch, is_short};

/// The format of points.
pub(crate) trait PointFormat {
    /// Returns the text before the value of a point. It begins with a comma.
    fn key(&self, attr: &Attr) -> String;

    /// Returns the text of a valid value of an enum.
    fn label(&self, attr: &Attr, index: u32) -> String;

    /// Whether a binary is in quotes.
    fn quotes(&self) -> bool;
}

/// Points as members of a JSON object: `,"key":value`.
pub(crate) struct JsonFormat;

impl PointFormat for JsonFormat {
    fn key(&self, attr: &Attr) -> String {
        format!(",{}", attr.key)
    }

    fn label(&self, attr: &Attr, index: u32) -> String {
        let json = attr.rendered.get(index as usize);
        json.map_or_else(|| index.to_string(), |json| json.to_string())
    }

    fn quotes(&self) -> bool {
        true
    }
}

/// The plan of the text of the points of a product in one format.
#[derive(Debug)]
pub(crate) struct TextPlan {
    /// Whether binaries are in quotes.
    quotes: bool,
    status_len: usize,
    /// The pieces of a message with all points.
    pieces: Vec<Piece>,
    /// The pieces of single points, by id, for any other message.
    points: Vec<Piece>,
    /// The texts of values that break the definition, by id.
    flags: Vec<FlagPlan>,
    texts: Vec<TextsPlan>,
    numbers: Vec<NumberPlan>,
    /// Finished texts and keys, see [`TextTable`].
    steps: Vec<[u8; STEP]>,
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
    /// A value of this point breaks the definition, or of points after it.
    Flagged(u16),
    /// Not completely, because the plan has no text for a point.
    Partly,
}

/// The text of a value that breaks the definition.
#[derive(Debug)]
struct FlagPlan {
    key: Box<str>,
    scale: Scale,
    /// The key and the rule that a value below the least valid value breaks.
    below: Box<str>,
    /// The key and the rule that a value above the greatest valid value breaks.
    above: Box<str>,
}

impl FlagPlan {
    /// Appends the key and the value, which is always a number: past the labels of an enum is no label.
    fn put(&self, raw: u32, out: &mut Cursor<'_>) {
        out.put(self.key.as_bytes());
        let value = self.scale.value(raw);
        if is_short(value) {
            let batch = Batch::new([value.coefficient()].into_iter());
            for digits in batch.iter().take(1) {
                out.put_number(&[0; STEP], digits, value.scale());
            }
        } else {
            let _ = write!(out, "{value}");
        }
    }
}

/// One point or several, which are written together.
#[derive(Clone, Copy, Debug)]
struct Piece {
    raw: RawPlan,
    kind: PieceKind,
}

#[derive(Clone, Copy, Debug)]
enum PieceKind {
    /// A finished text for each value.
    Text(TextTable),
    /// The first and the number of several pieces with finished texts.
    Texts(u32, u32),
    /// The first and the number of up to [`BATCH`] numbers, whose digits are computed together.
    Numbers(u32, u32),
    /// A key and a number that is not [short](is_short).
    Any(TextTable, Scale),
    /// A key and bytes as hex, with the start and the number of the bytes.
    Binary(TextTable, u32, u32),
    /// Points whose table would be too long. The caller writes them.
    Unsupported,
}

/// The location of a raw value in a status, and its valid values.
#[derive(Clone, Copy, Debug)]
struct RawPlan {
    /// The start of the 8 bytes that contain the value.
    start: u32,
    /// The mask of the value after the shift.
    mask: u32,
    /// The least valid value.
    min: u32,
    /// The difference between the greatest and the least valid value.
    span: u32,
    /// The number of bits of the 8 bytes below the value.
    shift: u8,
    /// The number of points that the value consists of, and the id of the first of them.
    count: u8,
    point: u16,
}

impl RawPlan {
    fn new(
        points: &[PointText<'_>],
        location: Location,
        (min, max): (u32, u32),
        status_len: usize,
    ) -> Self {
        let first = location.end - location.len;
        // Values next to each other then have the same start. A value has up to 5 bytes.
        let start = (first & !3).min(status_len.saturating_sub(8));
        RawPlan {
            start: start as u32,
            mask: u32::MAX.unbounded_shr(32 - u32::from(location.bits)),
            min,
            span: max - min,
            shift: (8 * (start + 8).saturating_sub(location.end)) as u8 + location.shift,
            count: points.len() as u8,
            point: points.first().map_or(0, |point| point.attr.id().0),
        }
    }

    /// Reads the 8 bytes from a status of at least 8 bytes.
    #[inline(always)]
    fn window(&self, status: &[u8]) -> u64 {
        let eight = status.get(self.start as usize..);
        let eight = eight.and_then(<[u8]>::first_chunk).unwrap_or(&[0; 8]);
        u64::from_be_bytes(*eight)
    }

    /// Returns the value in the 8 bytes.
    #[inline(always)]
    fn of(&self, window: u64) -> u32 {
        window.wrapping_shr(self.shift.into()) as u32 & self.mask
    }

    /// The index of a value among the valid values.
    #[inline(always)]
    fn index(&self, raw: u32) -> Option<u32> {
        let index = raw.wrapping_sub(self.min);
        (index <= self.span).then_some(index)
    }
}

/// The texts of all values of one point, or of points that share a location.
#[derive(Clone, Copy, Debug)]
struct TextsPlan {
    table: TextTable,
    raw: RawPlan,
}

/// A [short](is_short) number with a key of one step.
#[derive(Clone, Copy, Debug)]
struct NumberPlan {
    key: [u8; STEP],
    scale: Scale,
    raw: RawPlan,
}

/// A table of texts. Each text takes the same number of steps, the last of which ends with the length of
/// the text.
#[derive(Clone, Copy, Debug)]
struct TextTable {
    first: u32,
    steps: u32,
}

/// The maximum length of a text in a table, in bytes.
const LONGEST: usize = 16 << 10;

/// The maximum size of a table in bytes.
const TABLE: usize = 128 << 10;

/// The size of all tables, in bytes, from which on only enums get a table.
const TABLES: usize = 1 << 20;

/// The maximum number of values of a piece with a table.
const MOST: u32 = 256;

/// The text before the rules that values break.
const FLAGGED: &[u8] = br#","flagged":"#;

/// The length of the longest name of a rule, in quotes.
const RULE: usize = r#""past_labels""#.len();

impl TextPlan {
    pub(crate) fn new(product: &Product, format: &dyn PointFormat) -> Self {
        let texts = point_texts(product, format);
        let mut plan = TextPlan {
            quotes: format.quotes(),
            status_len: product.layout().status_len(),
            pieces: Vec::new(),
            points: Vec::new(),
            flags: texts.iter().map(PointText::flag).collect(),
            texts: Vec::new(),
            numbers: Vec::new(),
            steps: Vec::new(),
            max_len: texts.iter().map(PointText::max_len).sum(),
            flags_len: texts
                .iter()
                .map(|text| text.key.len() + RULE)
                .sum::<usize>()
                + FLAGGED.len()
                + 1,
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
                Some((points.len(), plan.shared(points, location)?))
            });
            let (len, piece) = shared.unwrap_or((1, plan.points[first]));
            plan.push(piece);
            first += len;
        }
        plan
    }

    /// Adds a piece of a message with all points.
    fn push(&mut self, piece: Piece) {
        let last = self.pieces.last_mut().map(|last| &mut last.kind);
        match (last, piece.kind) {
            (last, PieceKind::Text(table)) => {
                let first = self.texts.len() as u32;
                self.texts.push(TextsPlan {
                    table,
                    raw: piece.raw,
                });
                match last {
                    Some(PieceKind::Texts(_, len)) => *len += 1,
                    _ => self.pieces.push(Piece {
                        kind: PieceKind::Texts(first, 1),
                        ..piece
                    }),
                }
            }
            (Some(PieceKind::Numbers(start, len)), PieceKind::Numbers(first, _))
                if *start + *len == first && (*len as usize) < BATCH =>
            {
                *len += 1;
            }
            _ => self.pieces.push(piece),
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
        let raw = RawPlan::new(
            std::slice::from_ref(point),
            location,
            (min, max),
            self.status_len,
        );
        let is_enum = matches!(point.attr.point().kind, Kind::Enum { .. });
        let kind = if location.bits == 0 {
            let quote = if self.quotes { "\"" } else { "" };
            self.key(&format!("{}{quote}", point.key)).map(|key| {
                PieceKind::Binary(
                    key,
                    (location.end - location.len) as u32,
                    location.len as u32,
                )
            })
        } else if max - min < MOST && (is_enum || self.has_room()) {
            self.table(raw, |raw, text| {
                point.put(raw, text);
                true
            })
        } else if is_enum {
            None
        } else {
            let short = is_short(scale.value(min)) && is_short(scale.value(max));
            self.key(&point.key).map(|key| match key.steps {
                1 if short => {
                    // The key is in the plan of the number, where its text needs no look-up.
                    let key = self.steps.pop().unwrap_or([0; STEP]);
                    self.numbers.push(NumberPlan { key, scale, raw });
                    PieceKind::Numbers(self.numbers.len() as u32 - 1, 1)
                }
                _ => PieceKind::Any(key, scale),
            })
        };
        let kind = kind.unwrap_or(PieceKind::Unsupported);
        Piece { raw, kind }
    }

    /// The piece of points that share a location.
    fn shared(&mut self, points: &[PointText<'_>], at: Location) -> Option<Piece> {
        if !self.has_room() {
            return None;
        }
        let most = (1 << at.bits) - 1;
        let raw = RawPlan::new(points, at, (0, most), self.status_len);
        let kind = self.table(raw, |shared, text| {
            points.iter().all(|point| {
                let PointText {
                    location, min, max, ..
                } = point;
                let below = 8 * (at.end - location.end) as u32 + u32::from(location.shift)
                    - u32::from(at.shift);
                let raw = shared >> below & (u32::MAX >> (32 - location.bits));
                point.put(raw, text);
                (*min..=*max).contains(&raw)
            })
        })?;
        Some(Piece { raw, kind })
    }

    fn has_room(&self) -> bool {
        self.steps.as_flattened().len() < TABLES
    }

    /// Adds a table of one text.
    fn key(&mut self, key: &str) -> Option<TextTable> {
        self.add(key, &[key.len()])
    }

    /// Adds a table of the texts of all valid values. A value for which `put` returns false breaks the definition after
    /// all, and has an empty text. `None` if the table would be too large.
    fn table(&mut self, raw: RawPlan, put: impl Fn(u32, &mut String) -> bool) -> Option<PieceKind> {
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
        self.add(&texts, &ends).map(PieceKind::Text)
    }

    /// Adds a table of texts that are given one after the other, with the end of each. `None` if the table would be too
    /// large.
    fn add(&mut self, texts: &str, ends: &[usize]) -> Option<TextTable> {
        let starts = [0].iter().chain(ends);
        let longest = starts.zip(ends).map(|(start, end)| end - start).max()?;
        let first = self.steps.len() as u32;
        let len = (longest + 2).next_multiple_of(STEP);
        if len > LONGEST || len * ends.len() > TABLE {
            return None;
        }
        let mut start = 0;
        for end in ends {
            let at = self.steps.len();
            self.steps.resize(at + len / STEP, [0; STEP]);
            let to = self.steps.get_mut(at..)?.as_flattened_mut();
            let text = texts.as_bytes().get(start..*end)?;
            to.get_mut(..text.len())?.copy_from_slice(text);
            *to.last_chunk_mut()? = (text.len() as u16).to_le_bytes();
            start = *end;
        }
        let steps = (len / STEP) as u32;
        Some(TextTable { first, steps })
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
        for piece in &self.pieces {
            let written = match piece.kind {
                PieceKind::Texts(first, len) => match self.put_texts(first, len, status, out) {
                    done if done == len => Written::Sound,
                    done => self.put_some_texts(first + done, len - done, status, out),
                },
                PieceKind::Numbers(first, len) => self.put_numbers(first, len, status, out),
                PieceKind::Binary(key, start, len) => {
                    let bytes = status.get(start as usize..);
                    let bytes = bytes.and_then(|bytes| bytes.get(..len as usize));
                    self.put_binary(key, bytes.unwrap_or(&[]), out);
                    Written::Sound
                }
                _ if self.put_value(piece, piece.raw.of(piece.raw.window(status)), out) => {
                    Written::Sound
                }
                _ => self.put_flagged(&piece.raw, status, out),
            };
            match written {
                Written::Sound => {}
                Written::Flagged(_) if all == Written::Sound => all = written,
                Written::Flagged(_) => {}
                Written::Partly => return written,
            }
        }
        all
    }

    /// Appends the points of a raw value one by one, because one of them breaks the definition.
    #[cold]
    #[inline(never)]
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
            let raw = piece.raw.of(piece.raw.window(status));
            if !self.put_value(piece, raw, out) {
                flag.put(raw, out);
            }
        }
        Written::Flagged(plan.point)
    }

    /// Appends the rules that the values of a status break: `,"flagged":{"name":"rule"}`. `first` is that of
    /// [`Written::Flagged`].
    #[cold]
    #[inline(never)]
    pub(crate) fn put_flags(&self, first: u16, status: &[u8], out: &mut Cursor<'_>) {
        let padded;
        let status = match status.len() {
            0..8 => {
                padded = pad(status);
                &padded
            }
            _ => status,
        };
        out.put(FLAGGED);
        let start = out.len;
        let points = self.points.get(usize::from(first)..).unwrap_or_default();
        let flags = self.flags.get(usize::from(first)..).unwrap_or_default();
        for (piece, flag) in points.iter().zip(flags) {
            if let PieceKind::Binary(..) = piece.kind {
                continue;
            }
            let raw = piece.raw.of(piece.raw.window(status));
            if piece.raw.index(raw).is_none() {
                let is_below = raw < piece.raw.min;
                out.put(if is_below { &flag.below } else { &flag.above }.as_bytes());
            }
        }
        out.close_object(start);
    }

    /// Appends values of a status that have finished texts, up to a value that breaks the definition. Returns their
    /// number.
    ///
    /// Not inlined: the loop needs all registers.
    #[inline(never)]
    fn put_texts(&self, first: u32, len: u32, status: &[u8], out: &mut Cursor<'_>) -> u32 {
        let texts = self.texts.get(first as usize..);
        let texts = texts.and_then(|texts| texts.get(..len as usize));
        let mut texts = texts.unwrap_or(&[]).iter();
        let (mut start, mut window) = (u32::MAX, 0);
        let (mut len, steps, room) = (out.len, &self.steps[..], &mut *out.room);
        let all = texts.len();
        for text in texts.by_ref() {
            if text.raw.start != start {
                (start, window) = (text.raw.start, text.raw.window(status));
            }
            let written = text.raw.index(text.raw.of(window)).and_then(|index| {
                let (count, first) = (text.table.steps, text.table.first);
                let first = first.wrapping_add(index.wrapping_mul(count)) as usize;
                let room = room.get_mut(len..)?;
                Some(match count {
                    1 => copy_step(steps, first, room),
                    2 => copy_steps(steps, first, room),
                    _ => copy_text(steps, first, count as usize, room),
                })
            });
            // An empty text, too, marks a value that breaks the definition.
            match written {
                Some(written @ 1..) => len += written,
                _ => {
                    out.len = len;
                    return (all - texts.len() - 1) as u32;
                }
            }
        }
        out.len = len;
        all as u32
    }

    /// Appends values of a status that have finished texts. The first breaks the definition, and others may.
    #[cold]
    #[inline(never)]
    fn put_some_texts(
        &self,
        mut first: u32,
        mut len: u32,
        status: &[u8],
        out: &mut Cursor<'_>,
    ) -> Written {
        let mut all = Written::Sound;
        while let Some(text) = self.texts.get(first as usize).filter(|_| len > 0) {
            let written = self.put_flagged(&text.raw, status, out);
            match written {
                Written::Partly => return written,
                _ if all == Written::Sound => all = written,
                _ => {}
            }
            let done = 1 + self.put_texts(first + 1, len - 1, status, out);
            (first, len) = (first + done, len - done);
        }
        all
    }

    /// Appends numbers of a status.
    #[inline(always)]
    fn put_numbers(&self, first: u32, len: u32, status: &[u8], out: &mut Cursor<'_>) -> Written {
        let numbers = self.numbers.get(first as usize..);
        let numbers = numbers.and_then(|numbers| numbers.get(..len as usize));
        let numbers = numbers.unwrap_or(&[]);
        let mut sound = true;
        let batch = Batch::new(numbers.iter().map(|number| {
            let raw = number.raw.of(number.raw.window(status));
            sound &= number.raw.index(raw).is_some();
            number.scale.value(raw).coefficient()
        }));
        if !sound {
            return self.put_some_numbers(numbers, &batch, status, out);
        }
        for (number, digits) in numbers.iter().zip(batch.iter()) {
            out.put_number(&number.key, digits, number.scale.decimals());
        }
        Written::Sound
    }

    /// Appends numbers of which one breaks the definition and may have more digits than a batch has.
    #[cold]
    #[inline(never)]
    fn put_some_numbers(
        &self,
        numbers: &[NumberPlan],
        batch: &Batch,
        status: &[u8],
        out: &mut Cursor<'_>,
    ) -> Written {
        for (number, digits) in numbers.iter().zip(batch.iter()) {
            let raw = number.raw.of(number.raw.window(status));
            if number.raw.index(raw).is_some() {
                out.put_number(&number.key, digits, number.scale.decimals());
            } else if let Some(flag) = self.flags.get(usize::from(number.raw.point)) {
                flag.put(raw, out);
            }
        }
        Written::Flagged(numbers.first().map_or(0, |number| number.raw.point))
    }

    /// Appends the raw value of one point or of points that share a location. Returns false if it breaks the definition.
    #[inline(always)]
    fn put_value(&self, piece: &Piece, raw: u32, out: &mut Cursor<'_>) -> bool {
        let Some(index) = piece.raw.index(raw) else {
            return false;
        };
        match piece.kind {
            PieceKind::Text(table) => self.put_text(table, index, out) > 0,
            PieceKind::Numbers(first, _) => {
                if let Some(number) = self.numbers.get(first as usize) {
                    let value = number.scale.value(raw);
                    let batch = Batch::new([value.coefficient()].into_iter());
                    for digits in batch.iter().take(1) {
                        out.put_number(&number.key, digits, value.scale());
                    }
                }
                true
            }
            PieceKind::Any(key, scale) => {
                self.put_text(key, 0, out);
                let _ = write!(out, "{}", scale.value(raw));
                true
            }
            PieceKind::Texts(..) | PieceKind::Binary(..) | PieceKind::Unsupported => false,
        }
    }

    #[inline]
    fn put_binary(&self, key: TextTable, bytes: &[u8], out: &mut Cursor<'_>) {
        self.put_text(key, 0, out);
        out.put_hex(bytes);
        if self.quotes {
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

    /// Appends one point of any message. Returns false if the value breaks the definition.
    #[inline(always)]
    pub(crate) fn put_point(&self, reading: &PointValue<'_, '_>, out: &mut Cursor<'_>) -> bool {
        let Some(piece) = self.points.get(reading.id().index()) else {
            return true;
        };
        match (reading.raw(), piece.kind) {
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

/// Copies a text of one step and returns its length; 0 if there is no room.
#[inline(always)]
fn copy_step(steps: &[[u8; STEP]], first: usize, room: &mut [u8]) -> usize {
    let Some((step, to)) = steps.get(first).zip(room.get_mut(..STEP)) else {
        return 0;
    };
    // The compiler would cut an assignment in pieces, because one of the bytes is also read below.
    to.copy_from_slice(step);
    usize::from(step[STEP - 2])
}

/// Copies a text of two steps and returns its length; 0 if there is no room.
#[inline(always)]
fn copy_steps(steps: &[[u8; STEP]], first: usize, room: &mut [u8]) -> usize {
    let steps = steps.get(first..).and_then(<[_]>::first_chunk::<2>);
    let Some((steps, to)) = steps.zip(room.get_mut(..2 * STEP)) else {
        return 0;
    };
    to.copy_from_slice(steps.as_flattened());
    usize::from(steps[1][STEP - 2])
}

/// Copies a text of any number of steps and returns its length; 0 if there is no room. Not inlined, because it needs
/// many registers.
#[inline(never)]
fn copy_text(steps: &[[u8; STEP]], first: usize, count: usize, room: &mut [u8]) -> usize {
    let steps = steps.get(first..).and_then(|steps| steps.get(..count));
    let mut to = Cursor { room, len: 0 };
    let len = to.put_steps(steps.unwrap_or(&[]));
    if to.len == len { len } else { 0 }
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

/// A point with everything that its text is made of.
struct PointText<'p> {
    attr: &'p Attr,
    location: Location,
    key: String,
    /// The texts of an enum, by raw value.
    labels: Vec<String>,
    scale: Scale,
    min: u32,
    max: u32,
}

fn point_texts<'p>(product: &'p Product, format: &dyn PointFormat) -> Vec<PointText<'p>> {
    let layout = product.layout();
    let text = |(attr, location): (&'p Attr, Location)| {
        let (min, max) = layout.limits(attr.id()).unwrap_or((0, 0));
        let (min, max) = if location.bits == 0 {
            (0, 0)
        } else {
            (min, max)
        };
        let labels = 0..attr.labels().len() as u32;
        PointText {
            location,
            key: format.key(attr),
            labels: labels.map(|index| format.label(attr, index)).collect(),
            scale: layout.scale(attr.id()).unwrap_or(Scale::IDENTITY),
            min,
            max,
            attr,
        }
    };
    product.attrs().zip(locations(product)).map(text).collect()
}

impl PointText<'_> {
    /// Appends the text of a raw value.
    fn put(&self, raw: u32, text: &mut String) {
        text.push_str(&self.key);
        match self.labels.get(raw as usize) {
            Some(label) => text.push_str(label),
            None => {
                let _ = write!(text, "{}", self.scale.value(raw));
            }
        }
    }

    /// Returns the text of values that break the definition.
    fn flag(&self) -> FlagPlan {
        let above = match self.attr.point().kind {
            Kind::Enum { .. } => ErrorKind::PastLabels,
            _ => ErrorKind::AboveMax,
        };
        let rule = |rule: ErrorKind| format!("{}\"{}\"", self.key, rule.name()).into();
        FlagPlan {
            key: self.key.as_str().into(),
            scale: self.scale,
            below: rule(ErrorKind::BelowMin),
            above: rule(above),
        }
    }

    fn longest_label(&self) -> usize {
        self.labels.iter().map(String::len).max().unwrap_or(0)
    }

    /// The maximum length of the text, also of values that break the definition.
    fn max_len(&self) -> usize {
        let most = u32::MAX.unbounded_shr(32 - u32::from(self.location.bits));
        let ends = [0, most].map(|raw| self.scale.value(raw).coefficient().unsigned_abs());
        let digits = ends
            .into_iter()
            .max()
            .unwrap_or(0)
            .checked_ilog10()
            .unwrap_or(0)
            + 1;
        // A sign and a point.
        let number = digits.max(u32::from(self.scale.decimals()) + 1) as usize + 2;
        let binary = 2 * self.location.len + 2;
        self.key.len() + self.longest_label().max(number).max(binary)
    }
}

/// The common location of adjacent points, if it has at most 8 bits.
fn shared_location(points: &[PointText<'_>]) -> Option<Location> {
    let end = points.iter().map(|point| point.location.end).max()?;
    let from = |location: &Location| 8 * (end - location.end) + usize::from(location.shift);
    let low = points.iter().map(|point| from(&point.location)).min()?;
    let high = points
        .iter()
        .map(|point| from(&point.location) + usize::from(point.location.bits))
        .max()?;
    // A table has a text for every value of the byte, so the texts should be short.
    let all = points
        .iter()
        .all(|point| point.location.bits > 0 && point.key.len() + point.longest_label() <= 64);
    (all && high - low <= 8 && low < 8).then_some(Location {
        end,
        shift: low as u8,
        bits: (high - low) as u8,
        len: high.div_ceil(8),
    })
}

// The tests write the points with the formats of logs.
#[cfg(feature = "log")]
#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::sink::csv::cell;
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

    /// Asserts that a report of this status is the product's JSON in NDJSON, and these cells in CSV: as bare hex, and
    /// in a notation that only the general reader knows.
    fn is_written(product: &Product, status: &[u8], cells: &str) {
        let p0 = [&[4], status].concat();
        let hex = crate::payload::hex(&p0);
        let json = product.decode_p0(&p0).unwrap().to_json();
        let products = Products::one(product.clone());
        let ndjson = Ndjson::new(&products, std::io::sink());
        let csv = Csv::new(product, false, std::io::sink()).unwrap();
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
        assert_eq!(plan.steps.as_flattened().len(), TABLES);
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
