//! The texts of diagnostics: the problem, the present value and the expected value.

use gizwits_codec_core::{Decimal, ErrorKind, Key, Kind, Point, Protocol, Scale, UintSpec, Unit};

use super::attr::{access_word, data_type, location, start, uint_spec, unit_word};
use super::entry::AttrEntry;
use crate::error::counted;

/// The texts of a [`Diagnostic`](super::diagnostic::Diagnostic).
#[derive(Default)]
pub(crate) struct FindingText {
    pub(super) message: String,
    pub(super) label: String,
    pub(super) help: String,
}

impl<T: Into<String>> From<T> for FindingText {
    fn from(message: T) -> Self {
        FindingText {
            message: message.into(),
            ..FindingText::default()
        }
    }
}

/// The valid values of a key, for messages.
fn expected(key: Key) -> &'static str {
    match key {
        Key::Type => "\"status_writable\", \"status_readonly\", \"alert\" or \"fault\"",
        Key::DataType => "\"bool\", \"enum\", \"uint8\", \"uint16\", \"uint32\" or \"binary\"",
        Key::Unit => "\"bit\" or \"byte\"",
        Key::Id | Key::ByteOffset | Key::BitOffset | Key::Len => "a whole number, 0 or more",
        Key::Min | Key::Max => "a whole number",
        Key::Ratio | Key::Addition => "a number",
        Key::Name => "a string",
        Key::Enum => "a list of labels",
        Key::Position => "an object with byte_offset, bit_offset, len and unit",
        Key::UintSpec => "an object with min, max, ratio and addition",
        _ => "another value",
    }
}

/// Returns the pointer relative to the attr, and the message, of an error in an attr's JSON.
pub(super) fn json_finding(entry: &AttrEntry<'_, '_>, kind: ErrorKind) -> (String, String) {
    let title = entry.title();
    let (key, message) = match kind {
        ErrorKind::Missing { key } => {
            let (name, expected) = (key.name(), expected(key));
            let message = format!("{title} has no {name}: expected {expected}");
            (key, message)
        }
        ErrorKind::WrongType { key } | ErrorKind::UnknownWord { key } => {
            let (name, expected) = (key.name(), expected(key));
            let given = entry.node.source(key.pointer());
            let message = format!("{title}: {name} is {given}: expected {expected}");
            (key, message)
        }
        ErrorKind::LabelType { index } => {
            let pointer = format!("{}/{index}", Key::Enum.pointer());
            let given = entry.node.source(&pointer);
            let message = format!("{title}: label {index} is {given}: expected a string");
            return (pointer, message);
        }
        ErrorKind::EmptyName => (Key::Name, format!("{title} has an empty name")),
        ErrorKind::NoLabels => (Key::Enum, format!("{title} is an enum without labels")),
        ErrorKind::Digits => (Key::UintSpec, too_many_digits(&title)),
        ErrorKind::MaxTooLarge => (Key::Max, format!("{title}: {kind}")),
        ErrorKind::IdRange => (Key::Id, format!("{title}: {kind}")),
        kind => return (String::new(), format!("{title}: {kind}")),
    };
    (key.pointer().to_owned(), message)
}

fn too_many_digits(title: &str) -> String {
    format!("{title} has a ratio or addition of more than 15 significant digits")
}

/// The key whose value breaks a rule.
pub(super) fn key(kind: ErrorKind, point: &Point) -> Key {
    match kind {
        ErrorKind::Unit => Key::Unit,
        ErrorKind::BitOffset => Key::BitOffset,
        ErrorKind::BoolWidth
        | ErrorKind::EnumWidth
        | ErrorKind::UintWidth
        | ErrorKind::BinaryWidth
        | ErrorKind::WideBits => Key::Len,
        ErrorKind::NoLabels | ErrorKind::TooManyLabels => Key::Enum,
        ErrorKind::NegativeMin | ErrorKind::MinAboveMax => Key::Min,
        ErrorKind::MaxTooLarge => Key::Max,
        ErrorKind::Digits
            if uint_spec(point.kind).is_some_and(|(spec, _)| spec.ratio.digits() <= 15) =>
        {
            Key::Addition
        }
        ErrorKind::Digits | ErrorKind::Ratio | ErrorKind::ScaleOverflow => Key::Ratio,
        ErrorKind::DuplicateId | ErrorKind::IdRange | ErrorKind::WritableIds => Key::Id,
        _ => Key::Position,
    }
}

/// Returns the warning about a maximum that looks like an engineering value, where limits are raw values.
///
/// Such a maximum allows less than 1 % of the type's range, and its engineering value is below 1. It is a
/// round number (a multiple of 5, at least 10), and some raw value of the type has it as its engineering
/// value. Engineering values of 1 and more are not suspicious: a pH of 0 to 14.0 in 16 bits has the raw
/// maximum 140.
pub(super) fn engineering_max(entry: &AttrEntry<'_, '_>) -> Option<FindingText> {
    let (spec, widest) = uint_spec(entry.point?.kind)?;
    let max = u32::try_from(spec.max).ok()?;
    let scale = Scale::new(spec.ratio, spec.addition, widest).ok()?;
    let value = scale.value(max);
    let suspect = u64::from(max) * 100 < u64::from(widest)
        && max >= 10
        && max.is_multiple_of(5)
        && value < Decimal::ONE;
    if !suspect {
        return None;
    }
    let meant = (f64::from(max) - spec.addition.to_f64()) / spec.ratio.to_f64();
    // A float beyond the range becomes the greatest raw value, which the comparison below then rejects.
    let meant = (meant.round() as u32).min(widest);
    (scale.value(meant) == Decimal::from(max)).then(|| FindingText {
        message: format!(
            "{} has the raw maximum {max}, which is the value {value}: it looks like an engineering value",
            entry.title()
        ),
        label: format!("{max} of {widest}"),
        help: format!("limits are raw values: for an engineering maximum of {max}, write {meant}"),
    })
}

/// A rule that a point breaks.
pub(super) struct Breach<'e, 'v, 't> {
    pub(super) protocol: Protocol,
    pub(super) entry: &'e AttrEntry<'v, 't>,
    pub(super) point: Point,
    /// The other point of a rule about two points.
    pub(super) other: Option<&'e AttrEntry<'v, 't>>,
    pub(super) entries: &'e [AttrEntry<'v, 't>],
}

impl Breach<'_, '_, '_> {
    /// Returns the texts of the diagnostic.
    pub(super) fn text(&self, kind: ErrorKind) -> FindingText {
        let here = location(self.protocol, &self.point);
        let label = match kind {
            ErrorKind::Overlap | ErrorKind::SharedArea | ErrorKind::WritableBytes => {
                let place =
                    |entry: &AttrEntry<'_, '_>| Some(location(self.protocol, &entry.point?));
                let there = self.other.and_then(place).unwrap_or_default();
                format!("{here}; {} has {there}", self.other_title())
            }
            ErrorKind::WritableIds | ErrorKind::DuplicateId | ErrorKind::IdRange => {
                format!("id {}", self.point.id)
            }
            _ => here,
        };
        let (message, help) = self.message(kind);
        FindingText {
            message,
            label,
            help,
        }
    }

    fn other_title(&self) -> String {
        let title = self.other.map(AttrEntry::title);
        title.unwrap_or_else(|| "another point".to_owned())
    }

    /// Returns the message, and a help text where the message does not contain the expected value.
    fn message(&self, kind: ErrorKind) -> (String, String) {
        let (title, other, id) = (self.entry.title(), self.other_title(), self.point.id);
        let position = &self.point.position;
        let (len, data_type) = (position.len, data_type(self.point.kind));
        let (spec, widest) = uint_spec(self.point.kind).unwrap_or((UintSpec::new(0, 0), 0));
        let (min, max, ratio) = (spec.min, spec.max, spec.ratio);
        let mut help = String::new();
        let message = match kind {
            ErrorKind::Overlap => {
                help = self.next_free();
                format!("{title} overlaps {other}")
            }
            ErrorKind::SharedArea => {
                help +=
                    "writable, read-only, alert and fault points each need a bit area of their own";
                let point = self.other.and_then(|other| other.point);
                let others = point.map_or("?", |point| access_word(point.access));
                let own = access_word(self.point.access);
                format!("{title} ({own}) shares a bit area with {other} ({others})")
            }
            ErrorKind::WritableBytes => {
                help += "the writable points are the first bytes of the status";
                format!("{title} is writable and comes after {other}, which is not")
            }
            ErrorKind::WritableIds => {
                help +=
                    "writable points have the lowest ids: the id is the bit of the point's flag";
                format!("{title} is writable and has a higher id than {other}, which is not")
            }
            ErrorKind::DuplicateId => format!("{title} and {other} have the same id, {id}"),
            ErrorKind::IdRange => {
                let points = self.entries.len();
                help = format!("the ids are 0 to {}, each once", points.saturating_sub(1));
                let points = counted(points, "point");
                format!("{title} has the id {id}, but the definition has {points}")
            }
            ErrorKind::Unit => {
                let (want, have) = self.units();
                help = format!("\"unit\": \"{want}\"");
                format!("{title} is a {data_type} with the unit \"{have}\": expected \"{want}\"")
            }
            ErrorKind::BitOffset => {
                let bit = position.bit_offset;
                format!("{title} has the unit \"byte\" and bit_offset {bit}: expected 0")
            }
            ErrorKind::BoolWidth => {
                let unit = unit_word(position.unit);
                format!("{title} is a bool of {len} {unit}s: expected 1")
            }
            ErrorKind::EnumWidth => {
                format!("{title} is an enum of {len} bits: expected 1 to 32")
            }
            ErrorKind::UintWidth => {
                let (len, bytes) = (counted(len as usize, "byte"), widest.count_ones() / 8);
                format!("{title} is a {data_type} of {len}: expected {bytes}")
            }
            ErrorKind::BinaryWidth => {
                format!("{title} is a binary of {len} bytes: expected 1 to 65535")
            }
            ErrorKind::WideBits => {
                format!("{title} has {len} bits: vendor code supports at most 8")
            }
            ErrorKind::NoLabels => format!("{title} is an enum without labels"),
            ErrorKind::TooManyLabels => {
                let room = 1_u64.checked_shl(len).unwrap_or(0);
                let labels = counted(self.entry.labels.len(), "label");
                let bits = counted(len as usize, "bit");
                format!("{title} has {labels}: {bits} can hold at most {room}")
            }
            ErrorKind::StatusLength => {
                format!("{title} is past byte 65535, the maximum length of a status")
            }
            ErrorKind::Gap => format!("gap before {title}: the bytes belong to no point"),
            ErrorKind::Order => {
                help += match self.protocol {
                    Protocol::Standard => {
                        "order by access (writable, read-only, alert, fault), then by type (bool, enum, uint8, \
                         uint16, uint32, binary)"
                    }
                    Protocol::VarLen => {
                        "order by type (bool, enum, uint8, uint16, uint32, binary), regardless of the access"
                    }
                };
                format!("{title} is not in the order in which the cloud writes points")
            }
            ErrorKind::NegativeMin => {
                help +=
                    "limits are raw values: a negative addition makes engineering values negative";
                format!("{title} has the raw minimum {min}: expected 0 or more")
            }
            ErrorKind::MinAboveMax => {
                format!("{title} has the raw minimum {min}, which is above its raw maximum {max}")
            }
            ErrorKind::MaxTooLarge => {
                format!("{title} has the raw maximum {max}: a {data_type} is at most {widest}")
            }
            ErrorKind::Ratio => format!("{title} has the ratio {ratio}: expected a number above 0"),
            ErrorKind::Digits => too_many_digits(&title),
            ErrorKind::ScaleOverflow => {
                format!("{title} has a ratio and addition whose values have too many digits")
            }
            kind => format!("{title}: {kind}"),
        };
        (message, help)
    }

    /// The valid unit for the kind of the point, and the other unit.
    fn units(&self) -> (&'static str, &'static str) {
        match self.point.kind {
            Kind::Bool | Kind::Enum { .. } => ("bit", "byte"),
            _ => ("byte", "bit"),
        }
    }

    /// Returns a help text with the next free bit or byte for a point that overlaps another.
    fn next_free(&self) -> String {
        let own = &self.point.position;
        let others = self.entries.iter().filter_map(|entry| entry.point);
        let others = others.filter(|one| {
            let area = own.unit == Unit::Byte || one.position.byte_offset == own.byte_offset;
            one.id != self.point.id && one.position.unit == own.unit && area
        });
        let unit = unit_word(own.unit);
        let ends = others.map(|one| start(&one.position).saturating_add(one.position.len));
        ends.max()
            .map_or_else(String::new, |end| format!("the next free {unit} is {end}"))
    }
}
