//! The pieces of the text of a status: finished texts, numbers and binaries, and where their values are.

use std::io::Write as _;
use std::sync::Arc;

use gizwits_codec_core::{Decimal, ErrorKind, Kind, Scale};

use super::location::Location;
use super::point_text::PointText;
use crate::text::cursor::{Cursor, STEP};
use crate::text::digits::{Digits, is_short};

/// The text of one point.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub(super) raw: RawPlan,
    pub(super) kind: PieceKind,
}

#[derive(Clone, Debug)]
pub(super) enum PieceKind {
    /// A finished text for each value.
    Texts(Texts),
    /// A [short](is_short) number.
    Number(NumberPlan),
    /// A key and a number that is not short.
    Any(Texts, Scale),
    /// A key and bytes as hex, with the start and the end of the bytes.
    Binary(Texts, u32, u32),
    /// A point whose texts would be too long. The caller writes it.
    Unsupported,
}

/// Points of a status that are written together.
#[derive(Clone, Copy, Debug)]
pub(super) enum Run {
    /// The first of several pieces with finished texts, and the first after them.
    Texts(u32, u32),
    /// The first of up to [`BATCH`](crate::text::digits::BATCH) numbers, whose digits are computed together, and the
    /// first after them.
    Numbers(u32, u32),
    /// The id of another point.
    Point(u16),
}

/// The location of a raw value in a status, and its valid values.
#[derive(Clone, Copy, Debug)]
pub(super) struct RawPlan {
    /// The start of the 8 bytes that contain the value.
    pub(super) start: u32,
    /// The mask of the value after the shift.
    mask: u32,
    /// The least valid value.
    pub(super) min: u32,
    /// The difference between the greatest and the least valid value.
    pub(super) span: u32,
    /// The number of bits of the 8 bytes below the value.
    shift: u8,
    /// The number of points that the value consists of, and the id of the first of them.
    pub(super) count: u8,
    pub(super) point: u16,
}

impl RawPlan {
    pub(super) fn new(
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
            mask: location.most(),
            min,
            span: max - min,
            shift: (8 * (start + 8).saturating_sub(location.end)) as u8 + location.shift,
            count: points.len() as u8,
            point: points.first().map_or(0, |point| point.attr.id().0),
        }
    }

    /// Reads the value from a status of at least 8 bytes.
    #[inline(always)]
    pub(super) fn read(&self, status: &[u8]) -> u32 {
        self.of(window(status, self.start))
    }

    /// Returns the value in the 8 bytes from its start.
    #[inline(always)]
    pub(super) fn of(&self, window: u64) -> u32 {
        window.wrapping_shr(self.shift.into()) as u32 & self.mask
    }

    /// The index of a value among the valid values. An index above the span is that of an invalid value.
    #[inline(always)]
    pub(super) fn index(&self, raw: u32) -> u32 {
        raw.wrapping_sub(self.min)
    }

    #[inline(always)]
    pub(super) fn is_valid(&self, raw: u32) -> bool {
        self.index(raw) <= self.span
    }

    /// The last of the points that the value consists of.
    #[inline(always)]
    pub(super) fn last(&self) -> u16 {
        (self.point + u16::from(self.count)).saturating_sub(1)
    }
}

/// Reads 8 bytes of a status of at least 8 bytes.
#[inline(always)]
pub(super) fn window(status: &[u8], start: u32) -> u64 {
    let start = start as usize;
    let eight = status.get(start..start + 8).map(<[u8; 8]>::try_from);
    eight.and_then(Result::ok).map_or(0, u64::from_be_bytes)
}

/// The finished texts of the valid values of one point, or of points that share a location.
#[derive(Debug)]
pub(super) struct TextPiece {
    pub(super) texts: Texts,
    pub(super) raw: RawPlan,
}

impl TextPiece {
    /// Copies the text of the value in a window to the start of the room. Returns its length and the rest of the room;
    /// `None` if the value breaks the definition, or if there is no room.
    #[inline(always)]
    pub(super) fn copy<'r>(
        &self,
        window: u64,
        room: &'r mut [u8],
    ) -> Option<(usize, &'r mut [u8])> {
        let index = self.raw.index(self.raw.of(window)) as usize;
        let (len, rest) = match &self.texts {
            Texts::Short(texts) => copy(texts, index, room)?,
            Texts::Medium(texts) => copy(texts, index, room)?,
            Texts::Long(texts) => {
                let text = texts.get(index)?.as_bytes();
                let (to, rest) = room.split_at_mut_checked(text.len())?;
                to.copy_from_slice(text);
                (text.len(), rest)
            }
        };
        // An empty text, too, marks a value that breaks the definition.
        (len > 0).then_some((len, rest))
    }
}

/// The finished texts of consecutive values. An empty text marks a value that breaks the definition.
///
/// A text that is copied in steps of a fixed length has its length in the last byte but one.
#[derive(Clone, Debug)]
pub(super) enum Texts {
    Short(Arc<[[u8; STEP]]>),
    Medium(Arc<[[u8; 2 * STEP]]>),
    Long(Arc<[Box<str>]>),
}

impl Texts {
    /// Stores texts that are given one after the other, with the end of each. Returns them with their size in bytes.
    pub(super) fn new(texts: &str, ends: &[usize]) -> (Self, usize) {
        let starts = [0].iter().chain(ends);
        let texts = starts
            .zip(ends)
            .map(|(start, end)| texts.get(*start..*end).unwrap_or(""));
        let longest = texts.clone().map(str::len).max().unwrap_or(0);
        let (texts, len) = if longest + 2 <= STEP {
            (Texts::Short(texts.map(stored).collect()), STEP)
        } else if longest + 2 <= 2 * STEP {
            (Texts::Medium(texts.map(stored).collect()), 2 * STEP)
        } else {
            (Texts::Long(texts.map(Box::from).collect()), longest)
        };
        (texts, len * ends.len())
    }

    /// Appends the text with this index. Returns false if there is none.
    #[inline(always)]
    pub(super) fn put(&self, index: usize, out: &mut Cursor<'_>) -> bool {
        match self {
            Texts::Short(texts) => put(texts, index, out),
            Texts::Medium(texts) => put(texts, index, out),
            Texts::Long(texts) => {
                let text = texts.get(index).map_or("", |text| &**text);
                out.put(text.as_bytes());
                !text.is_empty()
            }
        }
    }
}

/// Returns a text as it is stored.
fn stored<const N: usize>(text: &str) -> [u8; N] {
    let mut stored = [0; N];
    for (to, byte) in stored.iter_mut().zip(text.bytes()) {
        *to = byte;
    }
    stored[N - 2] = text.len() as u8;
    stored
}

#[inline(always)]
fn copy<'r, const N: usize>(
    texts: &[[u8; N]],
    index: usize,
    room: &'r mut [u8],
) -> Option<(usize, &'r mut [u8])> {
    let text = texts.get(index)?;
    // The compiler would cut an assignment in pieces, because one of the bytes is also read below.
    room.get_mut(..N)?.copy_from_slice(text);
    // The remainder proves to the compiler that the text ends within the room.
    let len = usize::from(text[N - 2]) % N;
    Some((len, room.get_mut(len..)?))
}

#[inline(always)]
fn put<const N: usize>(texts: &[[u8; N]], index: usize, out: &mut Cursor<'_>) -> bool {
    let text = texts.get(index).unwrap_or(&[0; N]);
    let len = text[N - 2];
    out.put_chunk(text, len.into());
    len > 0
}

/// A [short](is_short) number with a key of one step.
#[derive(Clone, Copy, Debug)]
pub(super) struct NumberPlan {
    pub(super) key: [u8; STEP],
    pub(super) scale: Scale,
    pub(super) raw: RawPlan,
}

impl NumberPlan {
    /// Appends the key and one number, without the others of a batch.
    #[inline(always)]
    pub(super) fn put(&self, raw: u32, out: &mut Cursor<'_>) {
        let value = self.scale.value(raw);
        out.put_number(&self.key, Digits::of(value.coefficient()), value.scale());
    }
}

/// The text of a value that breaks the definition.
#[derive(Debug)]
pub(super) struct FlagPlan {
    key: Texts,
    scale: Scale,
    /// The key and the rule that a value below the least valid value breaks.
    below: Texts,
    /// The key and the rule that a value above the greatest valid value breaks.
    above: Texts,
}

/// The length of the longest name of a rule, in quotes.
const RULE: usize = r#""past_labels""#.len();

impl FlagPlan {
    pub(super) fn new(point: &PointText<'_>) -> Self {
        let above = match point.attr.point().kind {
            Kind::Enum { .. } => ErrorKind::PastLabels,
            _ => ErrorKind::AboveMax,
        };
        let one = |text: &str| Texts::new(text, &[text.len()]).0;
        let rule = |rule: ErrorKind| one(&format!("{}\"{}\"", point.key, rule.name()));
        FlagPlan {
            key: one(&point.key),
            scale: point.scale,
            below: rule(ErrorKind::BelowMin),
            above: rule(above),
        }
    }

    /// The maximum length of the key and the rule.
    pub(super) fn max_len(point: &PointText<'_>) -> usize {
        point.key.len() + RULE
    }

    /// Appends the key and the value, which is always a number: past the labels of an enum is no label.
    #[inline(always)]
    pub(super) fn put(&self, raw: u32, out: &mut Cursor<'_>) {
        self.key.put(0, out);
        put_number(self.scale.value(raw), out);
    }

    /// Appends the key and the rule that a value breaks. Nothing if it is valid.
    #[inline(always)]
    pub(super) fn put_rule(&self, plan: &RawPlan, raw: u32, out: &mut Cursor<'_>) {
        if !plan.is_valid(raw) {
            let rule = if raw < plan.min {
                &self.below
            } else {
                &self.above
            };
            rule.put(0, out);
        }
    }
}

/// Appends a number of any length.
#[inline(always)]
fn put_number(value: Decimal, out: &mut Cursor<'_>) {
    if is_short(value) {
        let digits = Digits::of(value.coefficient());
        out.put_number(&[0; STEP], digits, value.scale());
    } else {
        let _ = write!(out, "{value}");
    }
}
