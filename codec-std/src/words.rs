//! What is wrong with a definition, in words: the points, what stands there, what would be right.

use gizwits_codec_core::{Access, ErrorKind, Key, Kind, Point, Protocol, Unit};

use crate::check::Entry;
use crate::product::place;

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

/// The pointer and the message of what is wrong with an attr's JSON.
pub(crate) fn shape(
    entry: &Entry,
    index: usize,
    pointer: &str,
    kind: ErrorKind,
    source: impl Fn(&str) -> String,
) -> (String, String) {
    let title = entry.title(index);
    let at = |key: Key| format!("{pointer}{}", key.pointer());
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
        kind => (pointer.to_owned(), format!("{title}: {kind}")),
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
pub(crate) struct Told {
    pub(crate) message: String,
    pub(crate) label: String,
    pub(crate) help: String,
}

/// What a finding about a sound JSON says.
pub(crate) fn tell(
    entry: &Entry,
    (protocol, point): (Protocol, &Point),
    index: usize,
    other: Option<(usize, &Entry)>,
    kind: ErrorKind,
    entries: &[Entry],
) -> Told {
    let title = entry.title(index);
    let len = point.position.len;
    let here = place(protocol, point);
    let other_title = other.map_or_else(|| "another point".to_owned(), |(n, one)| one.title(n));
    let other_place = other
        .and_then(|(_, one)| Some(place(protocol, &one.point?)))
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
    let mut told = Told {
        label: here.clone(),
        ..Told::default()
    };
    told.message = match kind {
        ErrorKind::Overlap => {
            told.label = format!("{here}; {other_title} has {other_place}");
            told.help = next_free(point, entries);
            format!("{title} overlaps {other_title}")
        }
        ErrorKind::SharedArea => {
            told.label = format!("{here}; {other_title} has {other_place}");
            told.help =
                "writable, read-only, alert and fault points have a bit area each".to_owned();
            format!(
                "{title} ({}) shares a bit area with {other_title} ({})",
                access(entry),
                other.map_or("?", |(_, one)| access(one))
            )
        }
        ErrorKind::WritableBytes => {
            told.label = format!("{here}; {other_title} has {other_place}");
            told.help = "the writable points are the head of the status".to_owned();
            format!("{title} is writable and stands behind {other_title}, which is not")
        }
        ErrorKind::WritableIds => {
            told.label = format!("id {}", point.id);
            told.help =
                "the ids of the writable points come first: a flag's bit is the id".to_owned();
            format!(
                "{title} is writable and its id comes after that of {other_title}, which is not"
            )
        }
        ErrorKind::DuplicateId => {
            told.label = format!("id {}", point.id);
            format!("{title} and {other_title} have the same id, {}", point.id)
        }
        ErrorKind::IdRange => {
            told.label = format!("id {}", point.id);
            told.help = format!(
                "the ids are 0 to {}, each once",
                entries.len().saturating_sub(1)
            );
            format!(
                "{title} has id {}, and there are {} points",
                point.id,
                entries.len()
            )
        }
        ErrorKind::Unit => {
            let (want, have) = match point.kind {
                Kind::Bool | Kind::Enum { .. } => ("bit", "byte"),
                _ => ("byte", "bit"),
            };
            told.help = format!("\"unit\": \"{want}\"");
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
            format!("{title} is a {data_type} of {len} bytes: {bytes} is expected")
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
            format!("{title} has {labels} labels, and {len} bits number {room} at most")
        }
        ErrorKind::NegativeMin => {
            let min = spec.map_or(0, |(spec, _)| spec.min);
            told.help =
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
            told.help = match protocol {
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
    told
}

fn access(entry: &Entry) -> &'static str {
    match entry.point.map(|point| point.access) {
        Some(Access::Writable) => "writable",
        Some(Access::ReadOnly) => "read-only",
        Some(Access::Alert) => "alert",
        Some(Access::Fault) => "fault",
        None => "?",
    }
}

/// Where a bit field that overlaps could go.
fn next_free(point: &Point, entries: &[Entry]) -> String {
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
