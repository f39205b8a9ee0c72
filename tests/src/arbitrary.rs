//! Definitions, values and streams drawn from bytes.
//!
//! The same few bytes always draw the same thing, so that proptest (which shrinks a `Vec<u8>`) and
//! libFuzzer (which mutates one) share every generator. When the bytes run out each draw is 0,
//! which is the dullest choice everywhere, so that short inputs give small cases.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::reference::{Raw, RefKind, RefPoint, stands_twice};

/// Choices made from bytes, front to back.
#[derive(Debug)]
pub struct Draw<'a>(&'a [u8]);

impl<'a> Draw<'a> {
    /// Draws from these bytes.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Whether all bytes are spent, so that each further draw is 0.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A number under `n`, or 0 for an `n` of 0. Takes 1, 2 or 4 bytes, none for an `n` of 1.
    pub fn below(&mut self, n: u32) -> u32 {
        let width = match n {
            0 | 1 => return 0,
            2..=0x100 => 1,
            0x101..=0x1_0000 => 2,
            _ => 4,
        };
        self.wide(width) % n
    }

    /// `n` bytes, zeros once they run out.
    pub fn bytes(&mut self, n: usize) -> Vec<u8> {
        let (taken, rest) = self.0.split_at(n.min(self.0.len()));
        self.0 = rest;
        let mut bytes = taken.to_vec();
        bytes.resize(n, 0);
        bytes
    }

    /// One of two.
    pub fn bool(&mut self) -> bool {
        self.below(2) == 1
    }

    /// True about `percent` times in a hundred, never when the bytes have run out (but for 100).
    pub fn chance(&mut self, percent: u32) -> bool {
        self.below(100) + percent >= 100
    }

    /// Up to four bytes as a number.
    fn wide(&mut self, bytes: usize) -> u32 {
        let fold = |number, byte: u8| number << 8 | u32::from(byte);
        self.bytes(bytes).into_iter().fold(0, fold)
    }

    /// A number from `low` to `high`, which are at most 32 bits; often one of the two.
    fn between(&mut self, low: u64, high: u64) -> u64 {
        match self.below(4) {
            0 => low,
            1 => high,
            _ => match u32::try_from(high - low + 1) {
                Ok(span) => low + u64::from(self.below(span)),
                Err(_) => u64::from(self.wide(4)), // all of 32 bits
            },
        }
    }

    fn size(&mut self, low: usize, high: usize) -> usize {
        low + self.below((high - low + 1) as u32) as usize
    }

    /// One of some; the first when the bytes have run out.
    pub fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.size(0, items.len() - 1)]
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in 0..items.len() {
            let j = self.size(i, items.len() - 1);
            items.swap(i, j);
        }
    }
}

// ---------------------------------------------------------------- definitions

/// The two kinds of product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// `"standard"`: fixed length, placed by `position`.
    Standard,
    /// `"var_len"`: placed by what is present.
    VarLen,
}

const WRITABLE: usize = 0;
const READ_ONLY: usize = 1;
const ALERT: usize = 2;
const FAULT: usize = 3;

/// A data point before it has an id and a place.
#[derive(Clone)]
struct Draft {
    access: usize,
    kind: Kind,
    stem: &'static str,
}

#[derive(Clone)]
enum Kind {
    Bool,
    Enum { labels: Vec<String>, bits: usize },
    Uint { bytes: usize, spec: Value },
    Binary { bytes: usize },
}

impl Draft {
    /// Length in bits or bytes.
    fn len(&self) -> usize {
        match self.kind {
            Kind::Bool => 1,
            Kind::Enum { bits, .. } => bits,
            Kind::Uint { bytes, .. } | Kind::Binary { bytes } => bytes,
        }
    }

    fn bit(&self) -> bool {
        matches!(self.kind, Kind::Bool | Kind::Enum { .. })
    }

    /// The vendor's order inside a section: bool, enum, uint8, uint16, uint32, binary.
    fn rank(&self) -> usize {
        match self.kind {
            Kind::Bool => 0,
            Kind::Enum { .. } => 1,
            Kind::Uint { bytes, .. } => 1 + bytes,
            Kind::Binary { .. } => 6,
        }
    }
}

/// The position of a point: `byte_offset` and `bit_offset`.
type Place = (usize, usize);

/// An arbitrary *valid* definition, canonical and without gaps more often than not.
///
/// A standard one may have gaps, several bit areas in a section, fields out of order inside them,
/// sections out of order, and ids out of order. It keeps what is demanded: writable ids first, no
/// overlap, no area shared between accesses, writable bytes from 0 and before all others.
pub fn definition(draw: &mut Draw<'_>, protocol: Protocol) -> Value {
    let mut drafts = drafts(draw);
    // Alerts and faults have nothing but a bit area, and the sections follow each other.
    match protocol {
        Protocol::Standard => drafts.sort_by_key(|draft| (draft.access, draft.rank())),
        Protocol::VarLen => drafts.sort_by_key(Draft::rank),
    }
    if draw.chance(20) {
        match protocol {
            Protocol::Standard => {
                let writable = drafts.iter().filter(|d| d.access == WRITABLE).count();
                let (writable, others) = drafts.split_at_mut(writable);
                draw.shuffle(writable);
                draw.shuffle(others);
            }
            Protocol::VarLen => draw.shuffle(&mut drafts),
        }
    }
    let places = match protocol {
        Protocol::Standard => standard_places(draw, &drafts),
        Protocol::VarLen => var_len_places(draw, &drafts),
    };
    let mut attrs = Vec::new();
    for (id, (draft, place)) in drafts.iter().zip(places).enumerate() {
        attrs.push(attr(draw, id, draft, place));
    }
    if draw.chance(15) {
        draw.shuffle(&mut attrs);
    }
    product(draw, protocol, attrs)
}

/// 1 to 40 points, sometimes up to 1,024, which are the most. Those past the last byte repeat the
/// ones drawn so far, as do those of a large definition, so that they cost no more than a dozen.
fn drafts(draw: &mut Draw<'_>) -> Vec<Draft> {
    let large = draw.chance(8);
    // As often around 128 points: up to there the core counts runs of them.
    let most = if large { draw.pick(&[128, 1024]) } else { 40 };
    let count = draw.size(1, most);
    let limit = if large { draw.size(1, 16) } else { count };
    // A leaning to bits makes long areas, one to bytes makes products without any.
    let lean = draw.pick(&[50, 95, 5, 0, 100]);
    let mut drawn = vec![draft(draw, lean)];
    while drawn.len() < limit && !draw.is_empty() {
        drawn.push(draft(draw, lean));
    }
    drawn.into_iter().cycle().take(count).collect()
}

fn draft(draw: &mut Draw<'_>, bit_percent: u32) -> Draft {
    let access = draw.pick(&[
        WRITABLE, READ_ONLY, WRITABLE, READ_ONLY, ALERT, FAULT, WRITABLE,
    ]);
    let kind = if access == ALERT || access == FAULT {
        match draw.chance(10) {
            true => labelled(draw),
            false => Kind::Bool,
        }
    } else if draw.chance(bit_percent) {
        match draw.bool() {
            true => labelled(draw),
            false => Kind::Bool,
        }
    } else {
        match draw.below(5) {
            n @ 0..=2 => uint(draw, 1 << n),
            3 => uint(draw, 1),
            _ => Kind::Binary {
                bytes: draw.size(1, 40),
            },
        }
    };
    let stem = draw.pick(&[
        "p",
        "mode",
        "Timer_ON_",
        "set_temp",
        "LED",
        "CalSet",
        "fn",
        "_spare",
        "温度",
        "开关_",
    ]);
    Draft { access, kind, stem }
}

/// An enum of 1 to 70 labels, in as many bits as it needs or in up to 12.
fn labelled(draw: &mut Draw<'_>) -> Kind {
    let count = match draw.chance(15) {
        true => draw.size(1, 70),
        false => draw.size(1, 9),
    };
    // The stems don't end in a digit, so stem and number together are unique.
    let stem = draw.pick(&[
        "label",
        "",
        "模式",
        "say \"hi\" ",
        "back\\slash\\",
        "line\nbreak\t",
        "a b=c, ",
        "-",
        "\u{1f4a1}é\u{7f}",
    ]);
    // Turned, so that the label "0" isn't always the index 0.
    let turn = draw.below(3) as usize;
    let label = |i: usize| format!("{stem}{}", (i + turn) % count);
    let mut labels: Vec<String> = (0..count).map(label).collect();
    // With three or more, one that stands twice leaves at least one that doesn't.
    if count >= 3 && draw.chance(10) {
        let (from, to) = (draw.size(0, count - 1), draw.size(0, count - 1));
        labels[to] = labels[from].clone();
    }
    let needed = (count.next_power_of_two().trailing_zeros() as usize).max(1);
    let bits = match draw.chance(15) {
        true => draw.size(needed, 12),
        false => needed,
    };
    Kind::Enum { labels, bits }
}

/// A uint with raw limits. Whatever fits its width times its ratio, at the scale of its ratio and
/// addition, is at most 15 digits: within an i64, and exact as a double.
fn uint(draw: &mut Draw<'_>, bytes: usize) -> Kind {
    let full = (1 << (8 * bytes)) - 1;
    let (min, max) = match draw.below(5) {
        0 => (0, full),
        1 => (0, draw.between(0, full)),
        2 => (draw.between(0, full), full),
        _ => {
            let (a, b) = (draw.between(0, full), draw.between(0, full));
            (a.min(b), a.max(b))
        }
    };
    let mut spec = Map::new();
    spec.insert("min".into(), int_or_float(draw, min as i64));
    spec.insert("max".into(), int_or_float(draw, max as i64));
    let ratio = match draw.below(12) {
        0 | 1 => int_or_float(draw, 1),
        2 => json!(0.1),
        3 => json!(0.01),
        4 => json!(0.001),
        5 => json!(0.25),
        6 => json!(0.5),
        7 => json!(1.5),
        8 => int_or_float(draw, 2),
        9 => int_or_float(draw, 10),
        10 => json!(0.000001),
        _ => {
            // At most 999 * (2^32 - 1), 13 digits, and two more when the addition is 0.25.
            let text = format!("{}e-{}", 1 + draw.below(999), draw.below(5));
            json!(text.parse::<f64>().expect("a number"))
        }
    };
    let addition = match draw.below(9) {
        0 | 1 => int_or_float(draw, 0),
        2 => json!(-90.5),
        3 => int_or_float(draw, -10),
        4 => int_or_float(draw, 35),
        5 => int_or_float(draw, -2000),
        6 => json!(0.25),
        7 => json!(1e3),
        _ => json!(-0.5),
    };
    // A ratio left out is 1, an addition left out is 0.
    if !draw.chance(4) {
        spec.insert("ratio".into(), ratio);
    }
    if !draw.chance(4) {
        spec.insert("addition".into(), addition);
    }
    Kind::Uint {
        bytes,
        spec: spec.into(),
    }
}

/// 1 or, sometimes, 1.0.
fn int_or_float(draw: &mut Draw<'_>, number: i64) -> Value {
    match draw.chance(15) {
        true => json!(number as f64),
        false => json!(number),
    }
}

/// Places for a standard product: section after section, in each the bit area and then the bytes.
/// A messy one differs in all that the rules leave open.
fn standard_places(draw: &mut Draw<'_>, drafts: &[Draft]) -> Vec<Place> {
    let messy = draw.chance(25);
    let gap = |draw: &mut Draw<'_>| match messy && draw.chance(20) {
        true => draw.size(1, 3),
        false => 0,
    };
    // Blocks of bytes: a bit area, as its members with their offsets, or one byte field.
    let mut writable: Vec<(usize, Vec<(usize, usize)>)> = Vec::new();
    let mut others = Vec::new();
    for access in [WRITABLE, READ_ONLY, ALERT, FAULT] {
        let of_access = |&id: &usize| drafts[id].access == access;
        let (mut bits, mut bytes): (Vec<usize>, Vec<usize>) = (0..drafts.len())
            .filter(of_access)
            .partition(|id| drafts[*id].bit());
        // In the vendor's order even when the ids are not.
        bits.sort_by_key(|id| drafts[*id].rank());
        bytes.sort_by_key(|id| drafts[*id].rank());
        if messy && draw.bool() {
            draw.shuffle(&mut bits);
        }
        let split = match messy && draw.chance(20) {
            true => draw.size(0, bits.len()),
            false => bits.len(),
        };
        let blocks = match access {
            WRITABLE => &mut writable,
            _ => &mut others,
        };
        for members in [&bits[..split], &bits[split..]] {
            let mut end = 0;
            let mut area = Vec::new();
            for &id in members {
                end += gap(draw);
                area.push((id, end));
                end += drafts[id].len();
            }
            if !area.is_empty() {
                blocks.push((end.div_ceil(8), area));
            }
        }
        for id in bytes {
            blocks.push((drafts[id].len(), vec![(id, 0)]));
        }
    }
    if messy && draw.chance(30) {
        draw.shuffle(&mut writable);
        draw.shuffle(&mut others);
    }
    let mut places = vec![(0, 0); drafts.len()];
    let mut start = 0;
    for (i, (bytes, members)) in writable.iter().chain(&others).enumerate() {
        // The writable bytes are a prefix of the status, so nothing goes before the first of them.
        if i > 0 || writable.is_empty() {
            start += gap(draw);
        }
        for &(id, bit_offset) in members {
            places[id] = (start, bit_offset);
        }
        start += bytes;
    }
    places
}

/// Places for a var_len product: they mean nothing. Zero from the cloud, not always by hand.
fn var_len_places(draw: &mut Draw<'_>, drafts: &[Draft]) -> Vec<Place> {
    let odd = draw.chance(15);
    let place = |(id, draft): (usize, &Draft)| match odd {
        true if draft.bit() => (id % 3, id % 8),
        true => (id % 5, 0),
        false => (0, 0),
    };
    drafts.iter().enumerate().map(place).collect()
}

fn attr(draw: &mut Draw<'_>, id: usize, draft: &Draft, place: Place) -> Value {
    let spelling = usize::from(draw.chance(8));
    let types = [
        ["status_writable", "W"],
        ["status_readonly", "R"],
        ["alert", "N"],
        ["fault", "E"],
    ];
    let data_type = match &draft.kind {
        Kind::Bool => "bool".into(),
        Kind::Enum { .. } => "enum".into(),
        Kind::Uint { bytes, .. } => format!("uint{}", 8 * bytes),
        Kind::Binary { .. } => "binary".into(),
    };
    let mut attr = json!({
        "id": id,
        "name": format!("{}{id}", draft.stem),
        "display_name": "开关",
        "desc": "two\nlines, \"quoted\"",
        "type": types[draft.access][spelling],
        "data_type": data_type,
        "position": {
            "byte_offset": place.0,
            "bit_offset": place.1,
            "len": draft.len(),
            "unit": if draft.bit() { "bit" } else { "byte" },
        },
    });
    let map = attr.as_object_mut().expect("an object");
    match &draft.kind {
        Kind::Enum { labels, .. } => map.insert("enum".into(), json!(labels)),
        Kind::Uint { spec, .. } => map.insert("uint_spec".into(), spec.clone()),
        Kind::Bool | Kind::Binary { .. } => None,
    };
    if draw.chance(10) {
        map.remove("desc");
    }
    if draw.chance(10) {
        map.remove("display_name");
    }
    if draw.chance(5) {
        map.insert("x_extra".into(), json!({"id": [1.5, null, {"len": -1}]}));
    }
    attr
}

fn product(draw: &mut Draw<'_>, protocol: Protocol, attrs: Vec<Value>) -> Value {
    let mut product = json!({
        "name": "arbitrary",
        "packetVersion": "0x00000004",
        "protocolType": match protocol {
            Protocol::Standard => "standard",
            Protocol::VarLen => "var_len",
        },
        "product_key": "0123456789abcdef0123456789abcdef",
        "entities": [{"id": 0, "name": "entity0", "display_name": "产品", "attrs": attrs}],
    });
    let map = product.as_object_mut().expect("an object");
    match draw.chance(10) {
        true if draw.bool() => map.insert("packetVersion".into(), json!(4)),
        true => map.remove("packetVersion"),
        false => None,
    };
    if draw.chance(10) {
        map.remove("product_key");
    }
    if draw.chance(10) {
        // In ui elements "N" means read-only; a codec ignores all of it.
        let ui = json!({"sections": [{"elements": [{"perm": "N", "maximumValue": 10.0}]}]});
        map.insert("ui".into(), ui);
        map.insert("name_en".into(), json!("arbitrary"));
    }
    product
}

/// The text of a definition with any number of things wrong: in some of its attrs, or the same one in
/// all of them. Lines end in any way or not at all, are indented by spaces or tabs, and hold characters
/// of one to four bytes.
pub fn broken_definition(draw: &mut Draw<'_>) -> String {
    let protocol = draw.pick(&[Protocol::Standard, Protocol::VarLen]);
    let mut json = definition(draw, protocol);
    let attrs = json["entities"][0]["attrs"].as_array_mut();
    let attrs = attrs.expect("a list of attrs");
    let edits = match draw.chance(30) {
        true => vec![draw.below(EDITS); attrs.len()],
        false => (0..draw.below(8)).map(|_| draw.below(EDITS)).collect(),
    };
    let first = draw.size(0, attrs.len() - 1);
    for (n, edit) in edits.into_iter().enumerate() {
        let at = (first + n) % attrs.len();
        spoil(&mut attrs[at], edit);
    }
    let mut text = match draw.bool() {
        true => format!("{json:#}").replace('\n', draw.pick(&["\r\n", "\n", "\n\n\t", "\r\n\t"])),
        false => json.to_string(),
    };
    if draw.chance(20) {
        text = text.replace("\"name\":", "\"\u{1f4a1}\":1,\"\u{1f4a1}\":2,\"name\":");
    }
    if draw.chance(20) {
        text.truncate(text.floor_char_boundary(draw.size(0, text.len())));
    }
    match draw.chance(30) {
        true => format!("\u{feff}{text}"),
        false => text,
    }
}

const EDITS: u32 = 12;

/// Makes something wrong of an attr.
fn spoil(attr: &mut Value, edit: u32) {
    let (pointer, value) = match edit {
        0 => ("/id", json!(0)),
        1 => ("/id", json!(70_000)),
        2 => ("/name", json!("温度")),
        3 => ("/name", json!("")),
        4 => ("/data_type", json!("\u{1f4a1}")),
        5 => ("/type", json!(["status_writable"])),
        6 => ("/position", json!([1])),
        7 => ("/position/byte_offset", json!(-1)),
        8 => ("/position/len", json!(70_000)),
        9 => ("/enum", json!(["开", "开", "开", 1])),
        10 => (
            "/uint_spec",
            json!({"min": 0, "max": 50, "ratio": 0.01, "addition": -50}),
        ),
        _ => ("", Value::Null),
    };
    if let Some(place) = attr.pointer_mut(pointer) {
        *place = value;
    }
}

/// A number as JSON may spell it: of any sign, up to 20 digits, with the point anywhere or far away.
pub fn number(draw: &mut Draw<'_>) -> String {
    let sign = draw.pick(&["", "", "-"]);
    let len = draw.size(1, 20);
    let digits = match draw.below(4) {
        0 => format!("1{}", "0".repeat(len - 1)),
        1 => "9".repeat(len),
        2 => i32::MIN.unsigned_abs().to_string(),
        _ => (1..len).fold("7".to_owned(), |digits, _| {
            digits + &draw.below(10).to_string()
        }),
    };
    match draw.below(3) {
        0 => format!("{sign}{digits}"),
        1 => format!("{sign}0.{}{digits}", "0".repeat(draw.size(0, 20))),
        _ => format!("{sign}{digits}e{}", draw.size(0, 60) as i32 - 30),
    }
}

// --------------------------------------------------------------------- values

/// A value for every point. Canonical ones are what a definition allows: raw values within the
/// limits, indexes of labels that stand once. Others are anything that fits the width.
pub fn raw_values(
    draw: &mut Draw<'_>,
    points: &[RefPoint],
    canonical: bool,
) -> BTreeMap<usize, Raw> {
    let mut values = BTreeMap::new();
    for point in points {
        let raw = match &point.kind {
            RefKind::Bool => Raw::Number(draw.between(0, 1)),
            RefKind::Enum(labels) if canonical => {
                let once = |&i: &usize| !stands_twice(labels, &labels[i]);
                let indexes: Vec<usize> = (0..labels.len()).filter(once).collect();
                // Drawn definitions always have one; of a foreign one 0 is as good as any.
                Raw::Number(match indexes.is_empty() {
                    true => 0,
                    false => draw.pick(&indexes) as u64,
                })
            }
            RefKind::Enum(_) => Raw::Number(draw.between(0, (1 << point.len) - 1)),
            RefKind::Uint { .. } if canonical => Raw::Number(draw.between(point.min, point.max)),
            RefKind::Uint { bytes } => Raw::Number(draw.between(0, (1 << (8 * bytes)) - 1)),
            RefKind::Binary => Raw::Bytes(draw.bytes(point.len)),
        };
        values.insert(point.id, raw);
    }
    values
}

// -------------------------------------------------------------------- streams

/// Bytes as a connection may deliver them: frames, service messages, garbage, and all that looks
/// like a frame for a while and isn't one.
pub fn stream(draw: &mut Draw<'_>) -> Vec<u8> {
    let mut stream = Vec::new();
    for _ in 0..draw.size(1, 24) {
        let piece = match draw.below(16) {
            0..=6 => frame(draw),
            7 | 8 => service(draw),
            9 | 10 => {
                let len = draw.size(1, 12);
                draw.bytes(len)
            }
            11 | 12 => {
                let mut cut = frame(draw);
                cut.truncate(draw.size(0, cut.len() - 1));
                cut
            }
            13 | 14 => {
                // Some zeros and perhaps the 3: a header, or nearly.
                let mut begun = vec![0; draw.size(1, 6)];
                begun.extend(draw.bool().then_some(3));
                begun
            }
            _ => {
                // A header before a length that can't be: too short, too long, five bytes.
                let lengths: [&[u8]; 6] = [
                    &[0],
                    &[1],
                    &[2],
                    &[0x82, 0x80, 0],
                    &[0xff, 0xff, 0xff, 0x7f],
                    &[0x80, 0x80, 0x80, 0x80, 1],
                ];
                [&[0, 0, 0, 3][..], draw.pick(&lengths)].concat()
            }
        };
        stream.extend(piece);
        if draw.is_empty() {
            break;
        }
    }
    stream
}

/// A whole frame, mostly a sound one; the length of one that isn't covers its bytes all the same.
fn frame(draw: &mut Draw<'_>) -> Vec<u8> {
    let flag = draw.pick(&[0, 1, 0, 1, 2, 0xff]);
    let command: u16 = match draw.below(8) {
        0 | 1 => 0x0091,
        2 => 0x0090,
        3 | 4 => 0x0093,
        5 => 0x0094,
        6 => 0x0015,
        _ => draw.below(0x1_0000) as u16,
    };
    let mut content = vec![flag];
    content.extend(command.to_be_bytes());
    // Now and then the sn is missing or short.
    if matches!(command, 0x0093 | 0x0094) {
        let sn = draw.bytes(4);
        let kept = match draw.chance(10) {
            true => draw.size(0, 3),
            false => 4,
        };
        content.extend(&sn[..kept]);
    }
    // A did: the usual 22 characters, any length that is one, or one that is just too long.
    if flag & 1 == 1 && draw.chance(70) {
        let len = match draw.below(4) {
            0 | 1 => 22,
            2 => draw.size(0, 64),
            _ => draw.size(63, 66),
        };
        content.extend((len as u16).to_be_bytes());
        content.extend(vec![b'A' + len as u8 % 26; len]);
    }
    // The body: short, over 127 (two varint bytes) or over 16,383 (three). The long ones repeat.
    let len = match draw.below(32) {
        0 => draw.size(100, 300),
        1 => draw.size(16_370, 16_400),
        2 if draw.chance(20) => draw.size(65_530, 65_540),
        _ => draw.size(0, 24),
    };
    let pattern = match draw.below(4) {
        0 => vec![0, 0, 0, 3, 3, 0, 0, 0x15], // a frame within the frame
        _ => draw.bytes(len.clamp(1, 24)),
    };
    match draw.below(12) {
        // A read with a mask of nothing but ones, and 12 points whose mask may have other bits, too.
        0 => content.extend([vec![0x12], vec![0xff; draw.size(0, 12)]].concat()),
        1 => {
            let mask = [draw.below(0x10) as u8 * 0x10 + 0xf, 0xff];
            content.push(draw.pick(&[0x13, 0x14]));
            content.extend(mask);
            content.extend(draw.bytes(18));
        }
        _ => content.extend(pattern.iter().cycle().take(len)),
    }
    let longer = match draw.chance(8) {
        true => draw.size(1, 3),
        false => 0,
    };
    [vec![0, 0, 0, 3], varint(content.len(), longer), content].concat()
}

/// 7 bits a byte, least significant group first, bit 7 for more; `longer` by empty groups, at most
/// 4 bytes in all.
fn varint(mut number: usize, longer: usize) -> Vec<u8> {
    let mut groups = Vec::new();
    while number > 0 || groups.is_empty() {
        groups.push((number & 0x7f) as u8);
        number >>= 7;
    }
    groups.resize((groups.len() + longer).min(4), 0);
    let last = groups.len() - 1;
    groups[..last].iter_mut().for_each(|group| *group |= 0x80);
    groups
}

/// `00000003` and a service command, with something after it.
fn service(draw: &mut Draw<'_>) -> Vec<u8> {
    let low = draw.pick(&[0x11, 0x1c, 0x1d, 0x10, 0x1f, 0x0e, 0x2c, 0x0f, 0x20]);
    let len = draw.size(0, 8);
    [vec![0, 0, 0, 3, 2, low], draw.bytes(len)].concat()
}
