//! The readers of the codec with inputs of any size, most of them made to take long.
//!
//! `tests/linear.rs` and `tests/work` compare what a reader takes for one size with what it takes for twice the size.

use gizwits_codec_core::definition::Definition;
use gizwits_codec_core::layout::{Field, Limits, Tables};
use gizwits_codec_core::rules::{Findings, MAX_POINTS, check as check_points};
use gizwits_codec_core::{Access, Decimal, Error, ErrorKind, Point, Protocol, Scale, UintSpec};
use gizwits_codec_std::capture::{CaptureDecoder, M2mStream, UartStream};
use gizwits_codec_std::log::{Decoder, Format, Ndjson, Options, Products, TextBlock};
use gizwits_codec_std::{Action, Product, check, payload};
use serde_json::json;

use crate::vectors;

/// A reader and its inputs.
pub struct Reader {
    /// The name of the input.
    pub name: &'static str,
    /// The smaller of the two sizes that are compared. For points, labels and records this is a number, otherwise it
    /// is the length in bytes, about.
    pub size: usize,
    /// Makes an input of a size.
    pub input: fn(usize) -> Vec<u8>,
    /// Reads an input.
    pub read: fn(&[u8]),
}

/// All readers.
pub const READERS: &[Reader] = &[
    reader(
        "definition, points",
        256,
        |n| definition(n, |_, _| {}),
        whole_definition,
    ),
    reader(
        "definition, points behind each other in reverse",
        256,
        reversed,
        whole_definition,
    ),
    reader(
        "definition, a problem in every point",
        256,
        |n| definition(n, spoilt),
        any_definition,
    ),
    reader(
        "definition, points with one name",
        256,
        |n| definition(n, renamed),
        any_definition,
    ),
    reader("definition, labels", 2000, labels, whole_definition),
    reader(
        "definition, labels that are all the same",
        2000,
        same_labels,
        any_definition,
    ),
    reader(
        "definition, unknown keys",
        30_000,
        unknown_keys,
        any_definition,
    ),
    reader(
        "definition, brackets",
        30_000,
        |n| vec![b'['; n],
        any_definition,
    ),
    reader(
        "definition, not JSON",
        30_000,
        |n| b"\"\\u00".repeat(n / 5),
        any_definition,
    ),
    reader(
        "definition without an allocator, points",
        256,
        |n| definition(n, |_, _| {}),
        core_definition,
    ),
    reader(
        "layout, points in reverse with many scales",
        256,
        number,
        layout,
    ),
    reader("JSON, points", 256, values, encode),
    reader(
        "JSON, an unknown point with a long name",
        30_000,
        unknown_point,
        encode_wrong,
    ),
    reader(
        "JSON, a long number",
        30_000,
        |n| format!("{{\"set_temp\":{}}}", "1".repeat(n)).into(),
        encode_wrong,
    ),
    reader(
        "JSON, one point again and again",
        30_000,
        |n| again(n).into(),
        encode_wrong,
    ),
    reader("state, points", 256, saved, restore),
    reader("payload, hex", 30_000, |n| b"0f".repeat(n / 2), text),
    reader("payload, base64", 30_000, |n| b"AAAB".repeat(n / 4), text),
    reader(
        "payload, list",
        30_000,
        |n| format!("[{}0]", "12, ".repeat(n / 4)).into(),
        text,
    ),
    reader("payload, escapes", 30_000, |n| b"\\x00".repeat(n / 4), text),
    reader("payload, neither", 30_000, |n| b"0x, ".repeat(n / 4), text),
    reader(
        "line, hex runs",
        30_000,
        |n| b"12:30:00 0000000303000015 ".repeat(n / 26),
        runs,
    ),
    reader("line, one run", 30_000, |n| b"f".repeat(n), runs),
    reader(
        "line, nearly runs",
        30_000,
        |n| b"0x0 g".repeat(n / 5),
        runs,
    ),
    reader(
        "stream, frames",
        30_000,
        |n| b"\0\0\0\x03\x03\0\0\x15".repeat(n / 8),
        m2m,
    ),
    reader("stream, zeros", 30_000, |n| vec![0; n], m2m),
    reader(
        "stream, heads of long frames",
        30_000,
        |n| b"\0\0\0\x03\xff\xff\x03".repeat(n / 7),
        m2m,
    ),
    reader(
        "stream of a serial line, heads",
        30_000,
        |n| b"\xff\xff\xfe\xfe".repeat(n / 4),
        uart,
    ),
    reader(
        "stream of a serial line, ff",
        30_000,
        |n| vec![0xff; n],
        uart,
    ),
    reader("capture, a frame of networks", 30_000, networks, capture),
    reader("log, records", 200, records, log),
    reader("log, a record with many members", 30_000, members, log),
    reader(
        "log, a record with a long text",
        30_000,
        |n| record("x", &"\\n".repeat(n / 2)),
        log,
    ),
    reader("log, a line of brackets", 30_000, |n| vec![b'['; n], log),
];

const fn reader(
    name: &'static str,
    size: usize,
    input: fn(usize) -> Vec<u8>,
    read: fn(&[u8]),
) -> Reader {
    Reader {
        name,
        size,
        input,
        read,
    }
}

// --------------------------------------------------------------------- inputs

/// The definition of a product with a number of points, each changed by a function. Two or more of them share an area.
fn definition(points: usize, change: fn(usize, &mut serde_json::Value)) -> Vec<u8> {
    let attr = |id: usize| {
        let mut attr = json!({
            "id": id, "name": format!("point_{id}"), "type": "status_writable", "data_type": "uint16",
            "position": {"unit": "byte", "byte_offset": 2 * id, "bit_offset": 0, "len": 2},
            "uint_spec": {"min": 0, "max": 1000, "ratio": (id % 97 + 1) as f64 / 100.0, "addition": 0},
        });
        change(id, &mut attr);
        attr
    };
    product((0..points).map(attr).collect())
}

fn product(attrs: Vec<serde_json::Value>) -> Vec<u8> {
    let product = json!({
        "name": "many", "product_key": "0123456789abcdef0123456789abcdef",
        "protocolType": "standard", "packetVersion": "0x00000004",
        "entities": [{"id": 0, "name": "entity0", "attrs": attrs}],
    });
    product.to_string().into_bytes()
}

fn reversed(points: usize) -> Vec<u8> {
    let definition = definition(points, |_, _| {});
    let mut json: serde_json::Value = serde_json::from_slice(&definition).expect("JSON");
    let attrs = json["entities"][0]["attrs"].as_array_mut();
    attrs.expect("a list").reverse();
    json.to_string().into_bytes()
}

fn spoilt(_: usize, attr: &mut serde_json::Value) {
    attr["position"]["len"] = 3.into();
    attr["unknown"] = "x".into();
}

fn renamed(_: usize, attr: &mut serde_json::Value) {
    attr["name"] = "same".into();
}

fn enumeration(labels: Vec<String>) -> Vec<u8> {
    product(vec![json!({
        "id": 0, "name": "mode", "type": "status_writable", "data_type": "enum", "enum": labels,
        "position": {"unit": "bit", "byte_offset": 0, "bit_offset": 0, "len": 32},
    })])
}

fn labels(count: usize) -> Vec<u8> {
    enumeration((0..count).map(|n| format!("label {n}")).collect())
}

fn same_labels(count: usize) -> Vec<u8> {
    enumeration(vec!["same".to_owned(); count])
}

fn unknown_keys(len: usize) -> Vec<u8> {
    let keys: Vec<String> = (0..len / 12).map(|n| format!("\"k{n:05}\":1")).collect();
    format!("{{{}}}", keys.join(",")).into_bytes()
}

fn number(points: usize) -> Vec<u8> {
    points.to_string().into_bytes()
}

fn values(points: usize) -> Vec<u8> {
    let members: Vec<String> = (0..points)
        .rev()
        .map(|id| format!("\"point_{id}\" : 0e0"))
        .collect();
    format!("{{{}}}", members.join(",")).into_bytes()
}

fn unknown_point(len: usize) -> Vec<u8> {
    format!("{{\"{}\":1}}", "set_temp".repeat(len / 8)).into_bytes()
}

fn again(len: usize) -> String {
    format!("{{{}}}", vec!["\"set_temp\":20"; len / 14].join(","))
}

fn saved(points: usize) -> Vec<u8> {
    let points: Vec<String> = (0..points).map(|id| format!("\"point_{id}\":1")).collect();
    let key = "0123456789abcdef0123456789abcdef";
    let points = points.join(",");
    format!(r#"{{"version":1,"product_key":"{key}","points":{{{points}}}}}"#).into_bytes()
}

fn networks(len: usize) -> Vec<u8> {
    let body = b"\0\x02ab\x40".repeat(len / 5);
    let mut frame = vec![0; body.len() + 16];
    let made = gizwits_codec_core::m2m::Frame {
        flag: 0,
        command: 0x000d,
        sn: None,
        did: None,
        body: &body,
    };
    let len = made.encode(&mut frame).expect("there is room");
    frame.truncate(len);
    frame
}

fn record(name: &str, text: &str) -> Vec<u8> {
    format!("{{\"{name}\":\"{text}\",\"payload\":\"0000000303000015\"}}\n").into_bytes()
}

fn records(count: usize) -> Vec<u8> {
    record("did", "a").repeat(count)
}

fn members(len: usize) -> Vec<u8> {
    let members: Vec<String> = (0..len / 12).map(|n| format!("\"m{n:05}\":1")).collect();
    format!(
        "{{{},\"payload\":\"0000000303000015\"}}\n",
        members.join(",")
    )
    .into_bytes()
}

// -------------------------------------------------------------------- readers

fn utf8(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("the input is text")
}

fn any_definition(bytes: &[u8]) {
    let _ = check(utf8(bytes));
}

fn whole_definition(bytes: &[u8]) {
    assert!(
        check(utf8(bytes)).product.is_some(),
        "the definition is sound"
    );
}

fn core_definition(bytes: &[u8]) {
    let definition = Definition::<{ MAX_POINTS }>::parse(utf8(bytes)).expect("it is sound");
    assert!(!definition.points().is_empty());
}

fn layout(count: &[u8]) {
    let count: u16 = utf8(count).parse().expect("a number");
    let point = |id: u16| {
        let ratio = Decimal::new(i64::from(id) + 1, 3);
        let spec = UintSpec::new(0, 9).scaled(ratio, Decimal::ZERO);
        Point::uint16(id, Access::Writable, 2 * u32::from(id), spec)
    };
    let points: Vec<Point> = (0..count).rev().map(point).collect();
    let tables = Tables {
        fields: &mut vec![Field::EMPTY; points.len()],
        limits: &mut vec![Limits::EMPTY; points.len()],
        scales: &mut vec![Scale::IDENTITY; points.len()],
    };
    let mut room = [Error::new(ErrorKind::NoPoints); 8];
    let mut findings = Findings::errors(&mut room);
    let _ = check_points(
        Protocol::Standard,
        &points,
        points.len(),
        tables,
        &mut findings,
    );
    assert_eq!(findings.found(), 0);
}

/// Returns a product with as many points as the text has values.
fn product_of(bytes: &[u8]) -> Product {
    let points = utf8(bytes).matches("point_").count();
    Product::from_json(utf8(&definition(points, |_, _| {}))).expect("it is sound")
}

fn encode(json: &[u8]) {
    let product = product_of(json);
    let mut p0 = Vec::new();
    let encoded = product.encode_json(utf8(json), Action::Report, &mut p0);
    encoded.expect("all points have a value");
}

fn encode_wrong(json: &[u8]) {
    let product = vectors::product("air-conditioner");
    let mut p0 = Vec::new();
    let encoded = product.encode_json(utf8(json), Action::Control, &mut p0);
    assert!(encoded.is_err());
}

fn restore(json: &[u8]) {
    let restored = product_of(json).restore(utf8(json));
    restored.expect("all points have a value");
}

fn text(bytes: &[u8]) {
    let _ = payload::parse(utf8(bytes), None);
}

fn runs(bytes: &[u8]) {
    let _ = payload::hex_runs(utf8(bytes));
}

fn m2m(bytes: &[u8]) {
    let mut stream = M2mStream::new();
    let mut pieces = 0;
    for chunk in bytes.chunks(1000) {
        stream.push(chunk, &mut |_| pieces += 1);
    }
    stream.finish(&mut |_| pieces += 1);
    assert!(pieces > 0);
}

fn uart(bytes: &[u8]) {
    let mut stream = UartStream::new();
    let mut pieces = 0;
    for chunk in bytes.chunks(1000) {
        stream.push(chunk, &mut |_| pieces += 1);
    }
    stream.finish(&mut |_| pieces += 1);
    assert!(pieces > 0);
}

fn capture(bytes: &[u8]) {
    let captured = CaptureDecoder::new().m2m(bytes).expect("it is a frame");
    let _ = captured.to_json();
}

fn log(bytes: &[u8]) {
    let products = Products::one(vectors::product("air-conditioner"));
    let sink = Ndjson::new(&products, std::io::sink()).sink();
    let mut decoder = Decoder::new(&products, Options::default(), sink);
    let mut block = TextBlock::default();
    let _ = decoder.lines(bytes, &mut block, |_, _, _| {});
}
