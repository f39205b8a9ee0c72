//! What is wrong with a definition, in words: the points, what stands there, what would be right.

use gizwits_codec_core::{Access, Decimal, ErrorKind, Key, Kind, Point, Protocol, Scale, Unit};

use super::attr::location;
use super::entry::AttrEntry;
use crate::error::counted;

/// The words that a key may have.
fn words(key: Key) -> &'static str {
    match key {
        Key::Type => "\"status_writable\", \"status_readonly\", \"alert\" or \"fault\"",
        Key::DataType => "\"bool\", \"enum\", \"uint8\", \"uint16\", \"uint32\" or \"binary\"",
        Key::Unit => "\"bit\" or \"byte\"",
        Key::Id | Key::ByteOffset | Key::BitOffset | Key::Len => "a whole number, 0 or more,",
        Key::Min | Key::Max => "a whole number",
        Key::Ratio | Key::Addition => "a number",
        Key::Name => "text",
        Key::Enum => "a list of labels",
        Key::Position => "an object of byte_offset, bit_offset, len and unit",
        Key::UintSpec => "an object of min, max, ratio and addition",
        _ => "another value",
    }
}

/// The pointer, from the attr on, and the message of what is wrong with an attr's JSON.
pub(crate) fn json_finding(
    entry: &AttrEntry,
    index: usize,
    kind: ErrorKind,
    source: impl Fn(&str) -> String,
) -> (String, String) {
    let title = entry.title(index);
    let at = |key: Key| key.pointer().to_owned();
    match kind {
        ErrorKind::Missing { key } => {
            let message = match key {
                Key::UintSpec => format!("{title} is an integer without a uint_spec"),
                _ => format!("{title} has no {}: {} is expected", key.name(), words(key)),
            };
            (at(key), message)
        }
        ErrorKind::WrongType { key } | ErrorKind::UnknownWord { key } => {
            let pointer = at(key);
            let given = source(&pointer);
            let message = format!(
                "{title}: {} is {given}: {} is expected",
                key.name(),
                words(key)
            );
            (pointer, message)
        }
        ErrorKind::LabelType { index: label } => {
            let pointer = format!("{}/{label}", at(Key::Enum));
            let given = source(&pointer);
            let message = format!("{title}: label {label} is {given}: labels are text in quotes");
            (pointer, message)
        }
        ErrorKind::EmptyName => (at(Key::Name), format!("{title} has an empty name")),
        ErrorKind::NoLabels => (at(Key::Enum), format!("{title} is an enum without labels")),
        ErrorKind::MaxTooLarge => (
            at(Key::Max),
            format!("{title}: the raw maximum does not fit its integer"),
        ),
        ErrorKind::Digits => (
            at(Key::UintSpec),
            format!("{title}: a ratio or addition has more than 15 significant digits"),
        ),
        ErrorKind::IdRange => (at(Key::Id), format!("{title}: the ids are 0 to n-1")),
        kind => (String::new(), format!("{title}: {kind}")),
    }
}

/// The key that a rule is about.
pub(crate) fn key(kind: ErrorKind, point: &Point) -> Key {
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
        ErrorKind::Ratio | ErrorKind::ScaleOverflow => Key::Ratio,
        ErrorKind::Digits => match point.kind {
            Kind::Uint8(spec) | Kind::Uint16(spec) | Kind::Uint32(spec)
                if spec.ratio.digits() <= 15 =>
            {
                Key::Addition
            }
            _ => Key::Ratio,
        },
        ErrorKind::DuplicateId | ErrorKind::IdRange | ErrorKind::WritableIds => Key::Id,
        _ => Key::Position,
    }
}

#[derive(Default)]
pub(crate) struct FindingText {
    pub(crate) message: String,
    pub(crate) label: String,
    pub(crate) help: String,
}

impl<T: Into<String>> From<T> for FindingText {
    fn from(message: T) -> Self {
        FindingText {
            message: message.into(),
            ..FindingText::default()
        }
    }
}

/// What there is to say of a maximum that looks like an engineering value where a raw one belongs.
///
/// Such a maximum leaves less than 1 % of the type's range and stands for a value below 1. It is a round
/// number, a multiple of 5 from 10 on, and the type has a raw value for it. The limit of 1 lets pass what
/// is common and sound: a pH of 0 to 14.0 in 16 bits, whose raw maximum is 140.
pub(crate) fn engineering_max(
    entry: &AttrEntry,
    index: usize,
    point: &Point,
) -> Option<FindingText> {
    let (spec, widest) = match point.kind {
        Kind::Uint8(spec) => (spec, u32::from(u8::MAX)),
        Kind::Uint16(spec) => (spec, u32::from(u16::MAX)),
        Kind::Uint32(spec) => (spec, u32::MAX),
        _ => return None,
    };
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
    // A float beyond the type's range becomes the greatest raw value, which then has another value.
    let meant = (meant.round() as u32).min(widest);
    (scale.value(meant) == Decimal::from(max)).then(|| {
        let title = entry.title(index);
        FindingText {
            message: format!(
                "{title} has the raw maximum {max}, which stands for {value}: it looks like an \
                 engineering value"
            ),
            label: format!("{max} of {widest}"),
            help: format!(
                "limits are raw values: for an engineering maximum of {max}, write {meant}"
            ),
        }
    })
}

/// What a finding about a sound JSON says.
pub(crate) fn rule_finding(
    entry: &AttrEntry,
    (protocol, point): (Protocol, &Point),
    index: usize,
    other: Option<(usize, &AttrEntry)>,
    kind: ErrorKind,
    entries: &[AttrEntry],
) -> FindingText {
    let title = entry.title(index);
    let len = point.position.len;
    let here = location(protocol, point);
    let other_title = other.map_or_else(|| "another point".to_owned(), |(n, one)| one.title(n));
    let other_place = other
        .and_then(|(_, one)| Some(location(protocol, &one.point?)))
        .unwrap_or_default();
    let (data_type, spec) = match point.kind {
        Kind::Bool => ("bool", None),
        Kind::Enum { .. } => ("enum", None),
        Kind::Uint8(spec) => ("uint8", Some((spec, u32::from(u8::MAX)))),
        Kind::Uint16(spec) => ("uint16", Some((spec, u32::from(u16::MAX)))),
        Kind::Uint32(spec) => ("uint32", Some((spec, u32::MAX))),
        Kind::Binary => ("binary", None),
    };
    let unit = match point.position.unit {
        Unit::Bit => "bits",
        Unit::Byte => "bytes",
    };
    let labels = entry.labels.len();
    let mut text = FindingText {
        label: here.clone(),
        ..FindingText::default()
    };
    text.message = match kind {
        ErrorKind::Overlap => {
            text.label = format!("{here}; {other_title} has {other_place}");
            text.help = next_free(point, entries);
            format!("{title} overlaps {other_title}")
        }
        ErrorKind::SharedArea => {
            text.label = format!("{here}; {other_title} has {other_place}");
            text.help =
                "writable, read-only, alert and fault points have a bit area each".to_owned();
            format!(
                "{title} ({}) shares a bit area with {other_title} ({})",
                access(entry),
                other.map_or("?", |(_, one)| access(one))
            )
        }
        ErrorKind::WritableBytes => {
            text.label = format!("{here}; {other_title} has {other_place}");
            text.help = "the writable points are the head of the status".to_owned();
            format!("{title} is writable and stands behind {other_title}, which is not")
        }
        ErrorKind::WritableIds => {
            text.label = format!("id {}", point.id);
            text.help =
                "the ids of the writable points come first: a flag's bit is the id".to_owned();
            format!(
                "{title} is writable and its id comes after that of {other_title}, which is not"
            )
        }
        ErrorKind::DuplicateId => {
            text.label = format!("id {}", point.id);
            format!("{title} and {other_title} have the same id, {}", point.id)
        }
        ErrorKind::IdRange => {
            text.label = format!("id {}", point.id);
            text.help = format!(
                "the ids are 0 to {}, each once",
                entries.len().saturating_sub(1)
            );
            format!(
                "{title} has id {}, and the definition has {}",
                point.id,
                counted(entries.len(), "point")
            )
        }
        ErrorKind::Unit => {
            let (want, have) = match point.kind {
                Kind::Bool | Kind::Enum { .. } => ("bit", "byte"),
                _ => ("byte", "bit"),
            };
            text.help = format!("\"unit\": \"{want}\"");
            format!(
                "{title} is a {data_type} with the unit \"{have}\": {data_type} counts in {want}s"
            )
        }
        ErrorKind::BitOffset => {
            let bit = point.position.bit_offset;
            format!("{title} counts in bytes and has bit_offset {bit}: 0 is expected")
        }
        ErrorKind::BoolWidth => format!("{title} is a bool of {len} {unit}: 1 is expected"),
        ErrorKind::EnumWidth => format!("{title} is an enum of {len} bits: 1 to 32 are possible"),
        ErrorKind::UintWidth => {
            let bytes = match spec {
                Some((_, 0xff)) => 1,
                Some((_, 0xffff)) => 2,
                _ => 4,
            };
            let len = counted(len as usize, "byte");
            format!("{title} is a {data_type} of {len}: {bytes} is expected")
        }
        ErrorKind::BinaryWidth => {
            format!("{title} is a binary of {len} bytes: 1 to 65535 are possible")
        }
        ErrorKind::WideBits => {
            format!("{title} has {len} bits; vendor code supports 8 at most")
        }
        ErrorKind::NoLabels => format!("{title} is an enum without labels"),
        ErrorKind::TooManyLabels => {
            let room = 1_u64.checked_shl(len).unwrap_or(0);
            let labels = counted(labels, "label");
            let bits = counted(len as usize, "bit");
            format!("{title} has {labels}: with {bits} there are {room} at most")
        }
        ErrorKind::NegativeMin => {
            let min = spec.map_or(0, |(spec, _)| spec.min);
            text.help =
                "limits are raw values: a negative value comes from the addition".to_owned();
            format!("{title} has the raw minimum {min}: 0 or more is expected")
        }
        ErrorKind::MinAboveMax => {
            let (min, max) = spec.map_or((0, 0), |(spec, _)| (spec.min, spec.max));
            format!("{title} has the minimum {min} above its maximum {max}")
        }
        ErrorKind::MaxTooLarge => {
            let (max, widest) = spec.map_or((0, 0), |(spec, widest)| (spec.max, widest));
            format!("{title} has the raw maximum {max}: a {data_type} holds {widest} at most")
        }
        ErrorKind::Ratio => {
            let ratio = spec.map_or_else(String::new, |(spec, _)| spec.ratio.to_string());
            format!("{title} has the ratio {ratio}: above 0 is expected")
        }
        ErrorKind::Digits => {
            format!("{title} has a ratio or addition of more than 15 significant digits")
        }
        ErrorKind::ScaleOverflow => {
            format!("{title}: its ratio and addition lead to values of too many digits")
        }
        ErrorKind::StatusLength => {
            format!("{title} stands past byte 65535, the longest status possible")
        }
        ErrorKind::Gap => format!("there is a gap before {title}: no point has the bytes"),
        ErrorKind::Order => {
            text.help = match protocol {
                Protocol::Standard => {
                    "writable, read-only, alert, fault; in each bool, enum, uint8, uint16, uint32, binary"
                }
                Protocol::VarLen => "bool, enum, uint8, uint16, uint32, binary, whatever the access",
            }
            .to_owned();
            format!("{title} is not in the order that the cloud writes")
        }
        kind => format!("{title}: {kind}"),
    };
    text
}

fn access(entry: &AttrEntry) -> &'static str {
    match entry.point.map(|point| point.access) {
        Some(Access::Writable) => "writable",
        Some(Access::ReadOnly) => "read-only",
        Some(Access::Alert) => "alert",
        Some(Access::Fault) => "fault",
        None => "?",
    }
}

/// Where a bit field that overlaps could go.
fn next_free(point: &Point, entries: &[AttrEntry]) -> String {
    let position = &point.position;
    let end = |unit: Unit, byte: Option<u32>| {
        let others = entries
            .iter()
            .filter_map(|entry| entry.point)
            .filter(|one| {
                one.id != point.id
                    && one.position.unit == unit
                    && byte.is_none_or(|byte| one.position.byte_offset == byte)
            });
        let ends = others.map(|one| {
            let first = match unit {
                Unit::Bit => one.position.bit_offset,
                Unit::Byte => one.position.byte_offset,
            };
            first.saturating_add(one.position.len)
        });
        ends.max()
    };
    match position.unit {
        Unit::Bit => end(Unit::Bit, Some(position.byte_offset))
            .map_or_else(String::new, |bit| format!("the next free bit is {bit}")),
        Unit::Byte => end(Unit::Byte, None)
            .map_or_else(String::new, |byte| format!("the next free byte is {byte}")),
    }
}
