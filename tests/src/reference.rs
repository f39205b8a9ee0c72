//! The second witness: a slow codec written straight from the rules of the protocol spec.
//!
//! It shares no code with the real codec and knows one rule for bits, the one that settles every
//! question of order: **every bit container (flags, mask, bit area) is one unsigned integer sent
//! big-endian; bit n is `(int >> n) & 1`**. So each container becomes a [`BigUint`] and is shifted.
//! Nothing here is fast and nothing is checked twice; definitions are taken to be valid.
//!
//! Bodies are P0 without the action byte.

use std::collections::BTreeMap;

use num_bigint::{BigInt, BigUint};
use serde_json::Value;

/// Who may change a point, and in which section of the status it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RefAccess {
    /// `status_writable`, "W" in the vendor's tables.
    Writable,
    /// `status_readonly`, "R".
    ReadOnly,
    /// `alert`, "N".
    Alert,
    /// `fault`, "E".
    Fault,
}

/// The `data_type` of a point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefKind {
    /// One bit.
    Bool,
    /// The wire value is the index of a label.
    Enum(Vec<String>),
    /// uint8, uint16 or uint32, always unsigned and big-endian.
    Uint {
        /// 1, 2 or 4.
        bytes: usize,
    },
    /// Raw bytes of a fixed length.
    Binary,
}

/// One data point of a definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefPoint {
    /// The id, from 0 without holes; the bit number in flags and masks.
    pub id: usize,
    /// The name.
    pub name: String,
    /// The access of the point.
    pub access: RefAccess,
    /// The data type of the point.
    pub kind: RefKind,
    /// For bytes the first byte; for bits the first byte of the *area* shared with others.
    pub byte_offset: usize,
    /// The number of the lowest bit in the area; runs past 7.
    pub bit_offset: usize,
    /// Bits or bytes, by `bit`.
    pub len: usize,
    /// Whether the unit is the bit.
    pub bit: bool,
    /// The least raw value (`uint_spec.min` is a raw limit, not an engineering one).
    pub min: u64,
    /// The greatest raw value.
    pub max: u64,
    /// y = ratio * x + addition, as the JSON number's text.
    pub ratio: String,
    /// y = ratio * x + addition, as the JSON number's text.
    pub addition: String,
}

/// A value as it stands on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Raw {
    /// The raw value of a bool, an enum or a uint.
    Number(u64),
    /// The bytes of a binary.
    Bytes(Vec<u8>),
}

// ---------------------------------------------------------------- definitions

/// The points of a valid definition, by id: the order of the array means nothing.
pub fn points(definition: &Value) -> Vec<RefPoint> {
    let attrs = definition["entities"][0]["attrs"].as_array();
    let mut points: Vec<RefPoint> = attrs.expect("attrs").iter().map(point).collect();
    points.sort_by_key(|point| point.id);
    points
}

fn point(attr: &Value) -> RefPoint {
    // Whole numbers come as 1 or as 1.0.
    let whole = |value: &Value| value.as_f64().expect("a number") as u64;
    let text = |value: &Value| value.as_str().expect("a string").to_owned();
    let position = &attr["position"];
    let kind = match text(&attr["data_type"]).as_str() {
        "bool" => RefKind::Bool,
        "enum" => RefKind::Enum(
            attr["enum"]
                .as_array()
                .expect("labels")
                .iter()
                .map(text)
                .collect(),
        ),
        "uint8" => RefKind::Uint { bytes: 1 },
        "uint16" => RefKind::Uint { bytes: 2 },
        "uint32" => RefKind::Uint { bytes: 4 },
        "binary" => RefKind::Binary,
        other => panic!("data_type {other}"),
    };
    let spec = attr.get("uint_spec");
    let limit = |key| spec.map(|spec| whole(&spec[key]));
    // A ratio left out is 1, an addition left out is 0.
    let factor = |key: &str, default: &str| {
        let number = spec.and_then(|spec| spec.get(key));
        number.map_or(default.to_owned(), |number| number.to_string())
    };
    RefPoint {
        id: whole(&attr["id"]) as usize,
        name: text(&attr["name"]),
        access: match text(&attr["type"]).as_str() {
            "status_writable" | "W" => RefAccess::Writable,
            "status_readonly" | "R" => RefAccess::ReadOnly,
            "alert" | "N" => RefAccess::Alert,
            "fault" | "E" => RefAccess::Fault,
            other => panic!("type {other}"),
        },
        byte_offset: whole(&position["byte_offset"]) as usize,
        bit_offset: whole(&position["bit_offset"]) as usize,
        len: whole(&position["len"]) as usize,
        bit: position["unit"] == "bit",
        min: limit("min").unwrap_or(0),
        max: limit("max").unwrap_or(match &kind {
            RefKind::Bool => 1,
            RefKind::Enum(labels) => labels.len() as u64 - 1,
            RefKind::Uint { .. } | RefKind::Binary => 0,
        }),
        ratio: factor("ratio", "1"),
        addition: factor("addition", "0"),
        kind,
    }
}

/// The bytes `start..end` where a point of a standard product lives. For a bit that is its whole
/// area, of `ceil(max(bit_offset + len) / 8)` bytes over all that name the same `byte_offset`.
fn span(points: &[RefPoint], point: &RefPoint) -> (usize, usize) {
    let start = point.byte_offset;
    if !point.bit {
        return (start, start + point.len);
    }
    let area = points.iter().filter(|p| p.bit && p.byte_offset == start);
    let bits = area.map(|p| p.bit_offset + p.len).max().unwrap_or(0);
    (start, start + bits.div_ceil(8))
}

/// Bytes of a full `dev_status`.
pub fn status_len(points: &[RefPoint]) -> usize {
    let ends = points.iter().map(|point| span(points, point).1);
    ends.max().unwrap_or(0)
}

/// Bytes of the writable section, which is the head of `dev_status` and all of `attr_vals`.
pub fn writable_len(points: &[RefPoint]) -> usize {
    let ends = writable(points).map(|point| span(points, point).1);
    ends.max().unwrap_or(0)
}

/// Bytes of `attr_flags`: a bit for each writable point.
pub fn flags_len(points: &[RefPoint]) -> usize {
    writable(points).count().div_ceil(8)
}

/// Bytes of the mask of a var_len body: a bit for each point of whatever access.
pub fn mask_len(points: &[RefPoint]) -> usize {
    points.len().div_ceil(8)
}

fn writable(points: &[RefPoint]) -> impl Iterator<Item = &RefPoint> {
    points.iter().filter(|p| p.access == RefAccess::Writable)
}

// ------------------------------------------------------------- bits and bytes

/// `len` bits of a container from bit `offset` up.
fn field(container: &BigUint, offset: usize, len: usize) -> u64 {
    let mask = (BigUint::from(1u8) << len) - 1u8;
    let value = (container >> offset) & mask;
    value.try_into().expect("a field fits 64 bits")
}

/// A container as exactly `len` bytes, big-endian.
fn container(value: &BigUint, len: usize) -> Vec<u8> {
    if len == 0 {
        return Vec::new(); // no members: the container is absent, not one zero byte
    }
    let bytes = value.to_bytes_be();
    let mut out = vec![0; len.checked_sub(bytes.len()).expect("the container fits")];
    out.extend(bytes);
    out
}

/// A number as wide as the field says, or a panic: the reference is never asked to cut.
fn number(raw: &Raw, bits: usize) -> BigUint {
    let Raw::Number(number) = raw else {
        panic!("a number expected, got {raw:?}")
    };
    let number = BigUint::from(*number);
    assert!(number.bits() <= bits as u64, "{number} is over {bits} bits");
    number
}

fn from_bytes(point: &RefPoint, bytes: &[u8]) -> Raw {
    match point.kind {
        RefKind::Binary => Raw::Bytes(bytes.to_vec()),
        _ => Raw::Number(field(&BigUint::from_bytes_be(bytes), 0, bytes.len() * 8)),
    }
}

fn to_bytes(point: &RefPoint, raw: &Raw) -> Vec<u8> {
    match raw {
        Raw::Bytes(bytes) => {
            assert_eq!((bytes.len(), &point.kind), (point.len, &RefKind::Binary));
            bytes.clone()
        }
        Raw::Number(_) => container(&number(raw, point.len * 8), point.len),
    }
}

// ------------------------------------------------------------------- standard

/// One point out of a status, or out of the writable head of one.
fn read(points: &[RefPoint], point: &RefPoint, status: &[u8]) -> Raw {
    let (start, end) = span(points, point);
    let bytes = &status[start..end];
    if point.bit {
        let area = BigUint::from_bytes_be(bytes);
        Raw::Number(field(&area, point.bit_offset, point.len))
    } else {
        from_bytes(point, bytes)
    }
}

/// One point into a status whose bits for it are still zero.
fn write(points: &[RefPoint], point: &RefPoint, raw: &Raw, status: &mut [u8]) {
    let (start, end) = span(points, point);
    let bytes = &mut status[start..end];
    if point.bit {
        let area = BigUint::from_bytes_be(bytes) | (number(raw, point.len) << point.bit_offset);
        bytes.copy_from_slice(&container(&area, end - start));
    } else {
        bytes.copy_from_slice(&to_bytes(point, raw));
    }
}

/// Every point of a full status (actions 0x03 and 0x04); `None` unless the length is exact.
pub fn decode_status(points: &[RefPoint], body: &[u8]) -> Option<Vec<(usize, Raw)>> {
    let value = |point: &RefPoint| (point.id, read(points, point, body));
    (body.len() == status_len(points)).then(|| points.iter().map(value).collect())
}

/// The flagged points of a control (action 0x01): `attr_flags`, then the *whole* writable section
/// at its normal offsets. `None` for a wrong length or a flag past the last writable point.
pub fn decode_control(points: &[RefPoint], body: &[u8]) -> Option<Vec<(usize, Raw)>> {
    let (flags, vals) = body.split_at_checked(flags_len(points))?;
    let flags = BigUint::from_bytes_be(flags);
    if vals.len() != writable_len(points) || flags.bits() > writable(points).count() as u64 {
        return None;
    }
    // The value of a point whose flag is clear must be ignored; senders don't always zero it.
    let flagged = writable(points).filter(|point| flags.bit(point.id as u64));
    Some(flagged.map(|p| (p.id, read(points, p, vals))).collect())
}

/// A full status; points without a value are zero.
pub fn encode_status(points: &[RefPoint], values: &BTreeMap<usize, Raw>) -> Vec<u8> {
    let mut body = vec![0; status_len(points)];
    for (id, raw) in values {
        write(points, &points[*id], raw, &mut body);
    }
    body
}

/// A control of the writable points among `values` (others can't be flagged and are left out).
pub fn encode_control(points: &[RefPoint], values: &BTreeMap<usize, Raw>) -> Vec<u8> {
    let mut flags = BigUint::ZERO;
    let mut vals = vec![0; writable_len(points)];
    for point in writable(points) {
        if let Some(raw) = values.get(&point.id) {
            flags.set_bit(point.id as u64, true);
            write(points, point, raw, &mut vals);
        }
    }
    [container(&flags, flags_len(points)), vals].concat()
}

// -------------------------------------------------------------------- var_len

/// The present points of a var_len reply or report (actions 0x13, 0x14): mask, bit area, values.
/// `None` for a wrong length. A mask bit past the last point stands for nothing.
pub fn decode_var_len(points: &[RefPoint], body: &[u8]) -> Option<Vec<(usize, Raw)>> {
    let (mask, rest) = body.split_at_checked(mask_len(points))?;
    let mask = BigUint::from_bytes_be(mask);
    let present = || points.iter().filter(|point| mask.bit(point.id as u64));
    // All present bit points in id order, packed from bit 0; no area when there is none.
    let bits: usize = present().filter(|p| p.bit).map(|p| p.len).sum();
    let (area, mut rest) = rest.split_at_checked(bits.div_ceil(8))?;
    let area = BigUint::from_bytes_be(area);
    let mut values = BTreeMap::new();
    let mut offset = 0;
    for point in present().filter(|point| point.bit) {
        values.insert(point.id, Raw::Number(field(&area, offset, point.len)));
        offset += point.len;
    }
    // Then all present byte points in id order, whatever the ids of the bit points.
    for point in present().filter(|point| !point.bit) {
        let (bytes, after) = rest.split_at_checked(point.len)?;
        values.insert(point.id, from_bytes(point, bytes));
        rest = after;
    }
    rest.is_empty().then(|| values.into_iter().collect())
}

/// The points that a var_len control (action 0x11) sets; `None` also for a mask bit past the last
/// point, which would set something unknown.
pub fn decode_var_len_control(points: &[RefPoint], body: &[u8]) -> Option<Vec<(usize, Raw)>> {
    let values = decode_var_len(points, body)?;
    let known = surplus(points, &body[..mask_len(points)]).is_empty();
    known.then_some(values)
}

/// The ids that a var_len read (action 0x12) asks for: all of them behind nothing but ones, however
/// many bytes of them, since senders use one mask for every product. `None` for any other mask that is
/// not as long as the product's.
pub fn decode_read(points: &[RefPoint], mask: &[u8]) -> Option<Vec<usize>> {
    let asked = BigUint::from_bytes_be(mask);
    let ones = (BigUint::from(1u8) << (8 * mask.len())) - 1u8;
    let everything = !mask.is_empty() && asked == ones;
    if !everything && mask.len() != mask_len(points) {
        return None;
    }
    let wanted = points.iter().map(|point| point.id);
    let asked_for = |id: &usize| everything || asked.bit(*id as u64);
    Some(wanted.filter(asked_for).collect())
}

/// The bits of a mask that are set past the last point.
pub fn surplus(points: &[RefPoint], mask: &[u8]) -> Vec<u16> {
    let mask = BigUint::from_bytes_be(mask);
    let past = points.len() as u64..mask.bits();
    past.filter(|bit| mask.bit(*bit))
        .filter_map(|bit| bit.try_into().ok())
        .collect()
}

/// A var_len body in which exactly the points of `values` are present.
pub fn encode_var_len(points: &[RefPoint], values: &BTreeMap<usize, Raw>) -> Vec<u8> {
    let mut mask = BigUint::ZERO;
    let mut area = BigUint::ZERO;
    let mut bits = 0;
    let mut bytes = Vec::new();
    for (id, raw) in values {
        let point = &points[*id];
        mask.set_bit(*id as u64, true);
        if point.bit {
            area |= number(raw, point.len) << bits;
            bits += point.len;
        } else {
            bytes.extend(to_bytes(point, raw));
        }
    }
    let mask = container(&mask, mask_len(points));
    [mask, container(&area, bits.div_ceil(8)), bytes].concat()
}

// --------------------------------------------------------------------- values

/// y = ratio * x + addition, exactly, as the shortest decimal text: no exponent, no zeros at the
/// end, never -0.
pub fn engineering(point: &RefPoint, raw: u64) -> String {
    let (ratio, ratio_scale) = decimal(&point.ratio);
    let (addition, addition_scale) = decimal(&point.addition);
    // Both at the common scale, where whole numbers suffice.
    let scale = ratio_scale.max(addition_scale);
    let ten = |power: usize| BigInt::from(10).pow(power as u32);
    let y = ratio * ten(scale - ratio_scale) * raw + addition * ten(scale - addition_scale);
    let sign = if y < BigInt::ZERO { "-" } else { "" };
    let digits = format!("{:0>1$}", y.magnitude().to_string(), scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    let text = format!("{sign}{whole}.{fraction}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A JSON number's text as (n, s) with the value n / 10^s: "-90.5" is (-905, 1), "1e-6" (1, 6).
fn decimal(text: &str) -> (BigInt, usize) {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let exponent: i64 = exponent.parse().expect("an exponent");
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits: BigInt = format!("{whole}{fraction}").parse().expect("digits");
    let scale = fraction.len() as i64 - exponent;
    if scale < 0 {
        return (
            digits * BigInt::from(10).pow(scale.unsigned_abs() as u32),
            0,
        );
    }
    (digits, scale as usize)
}

/// The values as the cloud's history data has them, `{"a":1,"b":"off"}` in the order given:
/// bool 0/1, enum its label, uint the engineering value, binary lower-case hex. An index past the
/// labels, or of a label that stands twice, stays a number.
pub fn json_attrs(points: &[RefPoint], values: &[(usize, Raw)]) -> String {
    let escaped = |text: &str| serde_json::to_string(text).expect("a string");
    let member = |(id, raw): &(usize, Raw)| {
        let point = &points[*id];
        let value = match (raw, &point.kind) {
            (Raw::Bytes(bytes), _) => format!("\"{}\"", hex(bytes)),
            (Raw::Number(x), RefKind::Enum(labels)) => match labels.get(*x as usize) {
                Some(label) if !stands_twice(labels, label) => escaped(label),
                _ => x.to_string(),
            },
            (Raw::Number(x), RefKind::Uint { .. }) => engineering(point, *x),
            (Raw::Number(x), _) => x.to_string(),
        };
        format!("{}:{value}", escaped(&point.name))
    };
    let members: Vec<String> = values.iter().map(member).collect();
    format!("{{{}}}", members.join(","))
}

/// Whether an enum has this label more than once.
pub fn stands_twice(labels: &[String], label: &str) -> bool {
    labels.iter().filter(|other| *other == label).count() > 1
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The values that the definition doesn't allow, by name: `past_labels`, `below_min`, `above_max`.
/// The limits are raw ones.
pub fn flagged(points: &[RefPoint], values: &[(usize, Raw)]) -> Vec<(String, &'static str)> {
    let mut out = Vec::new();
    for (id, raw) in values {
        let point = &points[*id];
        let why = match (raw, &point.kind) {
            (Raw::Number(x), RefKind::Enum(labels)) if *x >= labels.len() as u64 => "past_labels",
            (Raw::Number(x), RefKind::Uint { .. }) if *x < point.min => "below_min",
            (Raw::Number(x), RefKind::Uint { .. }) if *x > point.max => "above_max",
            _ => continue,
        };
        out.push((point.name.clone(), why));
    }
    out
}

// ----------------------------------------------------------------- M2M stream

/// An event of a stream of LAN or MQTT bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefEvent {
    /// `00000003`, varint length, flag, command, `[sn]`, `[did]`, body.
    Frame {
        /// The flag byte; bit 0 announces a did.
        flag: u8,
        /// The command, such as 0x0091.
        command: u16,
        /// The sequence number, which only 0x0093 and 0x0094 have.
        sn: Option<u32>,
        /// When announced and when its length makes sense.
        did: Option<Vec<u8>>,
        /// The rest.
        body: Vec<u8>,
    },
    /// `00000003` and the command, with no length: an MQTT service message.
    Service {
        /// 0x020e, 0x022c or 0x0210..=0x021f.
        command: u16,
    },
}

/// The state of the stream at one place.
enum Here {
    /// An event, and its bytes.
    Event(RefEvent, usize),
    /// No event begins here.
    Nothing,
    /// The bytes run out before that is known.
    Unknown,
}

/// All events of a stream; `limit` is the greatest length after the varint.
pub fn m2m_events(bytes: &[u8], limit: usize) -> Vec<RefEvent> {
    m2m_scan(bytes, limit).0
}

/// All events of a stream, and how many bytes at its end may still become one.
pub fn m2m_scan(bytes: &[u8], limit: usize) -> (Vec<RefEvent>, usize) {
    let mut events = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        match here(&bytes[at..], limit) {
            Here::Event(event, len) => {
                events.push(event);
                at += len;
            }
            Here::Nothing => at += 1, // whatever fails: drop one byte and search on
            Here::Unknown => break,
        }
    }
    (events, bytes.len() - at)
}

fn here(bytes: &[u8], limit: usize) -> Here {
    const HEADER: [u8; 4] = [0, 0, 0, 3];
    if bytes.len() < 4 {
        let begun = HEADER.starts_with(bytes);
        return if begun { Here::Unknown } else { Here::Nothing };
    }
    if bytes[..4] != HEADER {
        return Here::Nothing;
    }
    match bytes[4..] {
        [] | [2] => return Here::Unknown,
        [2, low @ (0x0e | 0x2c | 0x10..=0x1f), ..] => {
            let command = 0x0200 | u16::from(low);
            return Here::Event(RefEvent::Service { command }, 6);
        }
        _ => {}
    }
    // A varint of 1 to 4 bytes: 7 bits each, least significant group first, bit 7 says "more".
    let mut len = 0;
    let mut start = 4;
    loop {
        if start == 8 {
            return Here::Nothing;
        }
        let Some(byte) = bytes.get(start) else {
            return Here::Unknown;
        };
        len |= usize::from(byte & 0x7f) << (7 * (start - 4));
        start += 1;
        if byte & 0x80 == 0 {
            break;
        }
    }
    if len < 3 || len > limit {
        return Here::Nothing;
    }
    let Some(frame) = bytes[start..].get(..len) else {
        return Here::Unknown;
    };
    let flag = frame[0];
    let command = u16::from_be_bytes([frame[1], frame[2]]);
    let mut rest = &frame[3..];
    let mut sn = None;
    if command == 0x0093 || command == 0x0094 {
        let Some((bytes, after)) = rest.split_first_chunk() else {
            return Here::Nothing; // the length has no room for the sn
        };
        sn = Some(u32::from_be_bytes(*bytes));
        rest = after;
    }
    let mut did = None;
    if flag & 1 == 1
        && let Some((did_len, after)) = rest.split_first_chunk()
        && let did_len = usize::from(u16::from_be_bytes(*did_len))
        && did_len <= 64
        && let Some((bytes, after)) = after.split_at_checked(did_len)
    {
        did = Some(bytes.to_vec());
        rest = after;
    }
    let body = rest.to_vec();
    let event = RefEvent::Frame {
        flag,
        command,
        sn,
        did,
        body,
    };
    Here::Event(event, start + len)
}
