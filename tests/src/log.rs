//! Logs: lines as the cloud has them, lines that somebody spoiled, and the law that holds for both.

use std::fmt;
use std::io::{self, Read};
use std::sync::LazyLock;

use gizwits_codec_core::m2m::{self, Event};
use gizwits_codec_core::{self as core, Action, Encoder, P0, PointId};
use gizwits_codec_std::log::{
    Csv, Decoder, Format, Log, Ndjson, NdjsonSink, Options, Products, Source, TableOptions,
    TextBlock,
};
use gizwits_codec_std::payload::Encoding;
use gizwits_codec_std::{Content, Description, Error, Product, payload};
use serde_json::de::Deserializer;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::arbitrary::{self, Draw, Protocol};
use crate::vectors;

/// The definition of [`LOG`].
pub const DEFINITION: &str = "tests/fixtures/air-conditioner.json";

/// A log of two records.
pub const LOG: &str = r#"{"timestamp":1517384252.294,"type":"app2dev","payload":"0000000309000090010101000010"}
{"timestamp":1517384243.044,"type":"dev2app","payload":"000000030b0000910401000010000000"}
"#;

/// The output for [`LOG`].
pub const NDJSON: &str = r#"{"timestamp":1517384252.294,"type":"app2dev","action":"control","attrs":{"switch":1}}
{"timestamp":1517384243.044,"type":"dev2app","action":"report","attrs":{"switch":1,"fan_swing":0,"mode":"制冷","fan_speed":"低风","on_timing":0,"off_timing":0,"set_temp":16,"room_temp":-10,"alert_shutdown":0,"alert_full":0,"fault_roomtemp":0}}
"#;

/// All fixtures, in the order of their names, and as many that are made up, always the same ones.
pub(crate) static PRODUCTS: LazyLock<Vec<Product>> = LazyLock::new(|| {
    let names = vectors::fixtures();
    let fixtures = names.iter().map(|name| vectors::product(name));
    let mut seed = 1_u32;
    let mut byte = || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 24) as u8
    };
    let made_up: Vec<Product> = [Protocol::Standard, Protocol::VarLen]
        .into_iter()
        .cycle()
        .take(names.len())
        .map(|protocol| {
            let bytes: Vec<u8> = (0..2000).map(|_| byte()).collect();
            let definition = arbitrary::definition(&mut Draw::new(&bytes), protocol);
            Product::from_json(&definition.to_string()).expect("a sound definition")
        })
        .collect();
    fixtures.chain(made_up).collect()
});

/// The device that frames name.
const DID: &str = "cBYkSjoE2xspYMhaUHdk5k";

/// Bytes in which some control characters stand for many brackets, so that a fuzzer, whose inputs are short,
/// gets as deep as a stack is: `01` opens arrays, `02` closes them, `03` and `04` do so with objects.
#[must_use]
pub fn nested(bytes: &[u8]) -> Vec<u8> {
    const DEEP: usize = 20_000;
    let (mut out, mut left) = (Vec::new(), 4);
    for byte in bytes {
        let bracket: &[u8] = match byte {
            1 => b"[",
            2 => b"]",
            3 => b"{\"a\":",
            4 => b"}",
            _ => &[],
        };
        if bracket.is_empty() || left == 0 {
            out.push(*byte);
        } else {
            out.extend(bracket.repeat(DEEP));
            left -= 1;
        }
    }
    out
}

/// A log of one of the products, picked by the first byte, read as its highest bit and the second byte say: whatever it is, by
/// learnt shapes and by the strict parser alone it gives the same lines and the same rejects, each line is
/// what a slow reader makes of it, and cuts and threads make no difference.
///
/// # Panics
/// If the law is broken.
pub fn law(bytes: &[u8]) {
    let [which, how, text @ ..] = bytes else {
        return;
    };
    let product = &PRODUCTS[usize::from(which & 127) % PRODUCTS.len()];
    let options = Options {
        encoding: match how & 3 {
            0 => Some(Encoding::Hex),
            1 => Some(Encoding::Base64),
            _ => None,
        },
        keep: how & 4 != 0,
        fill: how & 8 != 0,
        known_devices: how & 64 != 0,
        lax: which & 128 != 0,
        line_limit: match how & 16 {
            0 => 1 << 20,
            // That of a line, so that lines are as long, and longer by one.
            _ => middle(text).len().max(1),
        },
        ..Options::default()
    };
    // All records are of one device, which the frames of some name.
    let device = (how & 128 != 0).then_some(DID);
    let products = Products::one(product.clone());
    let learnt = decode(&products, options, device, text);
    let strict = Options {
        strict: true,
        ..options
    };
    let strict = decode(&products, strict, device, text);
    for (one, two) in [(&learnt.ndjson, &strict.ndjson), (&learnt.csv, &strict.csv)] {
        assert!(one.lines().eq(two.lines()), "{:?}", differ(one, two));
    }
    assert_eq!(learnt.rejects, strict.rejects);
    cuts(&products, options, how & 32 != 0, device, text);

    // The slow reader does not read the forms of other programs.
    let own: Vec<_> = text
        .split(|byte| *byte == b'\n')
        .filter(|line| !is_foreign(line))
        .collect();
    let own_text = own.join(&b'\n');
    let learnt = match own_text.len() == text.len() {
        true => learnt,
        false => decode(&products, options, device, &own_text),
    };
    let mut lines = learnt.ndjson.lines();
    let mut rejects = learnt.rejects.iter();
    for (number, line) in own.into_iter().enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.trim_ascii().is_empty() && line.len() <= options.line_limit {
            continue;
        }
        match expected(product, options, device, line) {
            Ok(expected) if !options.fill => assert_eq!(lines.next(), Some(&*expected)),
            Ok(_) => assert!(lines.next().is_some()),
            Err(kind) => {
                let found = rejects.next().map(|one| (one.line - 1, &*one.kind));
                assert_eq!(
                    found,
                    Some((number as u64, kind)),
                    "{}",
                    line.escape_ascii()
                );
            }
        }
    }
    assert_eq!(
        (lines.next(), rejects.next()),
        (None, None),
        "more than there should be"
    );
}

/// The first line that is not the same.
fn differ<'a>(one: &'a str, two: &'a str) -> Option<(&'a str, &'a str)> {
    one.lines().zip(two.lines()).find(|(one, two)| one != two)
}

/// The line in the middle of a text.
fn middle(text: &[u8]) -> &[u8] {
    let start = text.len() / 2;
    let line = text[start..].split(|byte| *byte == b'\n').nth(1);
    let line = line.unwrap_or_default();
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// A text in pieces as long as its own bytes say, to be cut into small blocks.
struct Pieces {
    text: Vec<u8>,
    at: usize,
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = &self.text[self.at..];
        let byte = self.text[self.at * 7 % self.text.len()];
        let len = (usize::from(byte) % 99 + 1)
            .min(rest.len())
            .min(buffer.len());
        buffer[..len].copy_from_slice(&rest[..len]);
        self.at += len;
        Ok(len)
    }
}

/// NDJSON in blocks of a few bytes and records.
struct Small<'o> {
    ndjson: Ndjson<&'o mut Vec<u8>>,
    bytes: usize,
    lines: usize,
}

impl Format for Small<'_> {
    type Sink = NdjsonSink;

    fn sink(&self) -> NdjsonSink {
        self.ndjson.sink()
    }

    fn write(&mut self, block: &mut TextBlock) -> io::Result<()> {
        assert!(
            block
                .as_bytes()
                .iter()
                .filter(|byte| **byte == b'\n')
                .count()
                <= self.lines
        );
        self.ndjson.write(block)
    }

    fn finish(&mut self) -> io::Result<()> {
        self.ndjson.finish()
    }

    fn block_len(&self) -> usize {
        self.bytes
    }

    fn record_len(&self) -> usize {
        (32 << 20) / self.lines
    }
}

/// A log gives what its lines give, however it comes in and is cut, and on however many threads.
fn cuts(products: &Products, options: Options, eager: bool, device: Option<&str>, text: &[u8]) {
    // The first line makes it no page and nothing compressed.
    let text = [b"-\n", text].concat();
    let whole = decode(products, options, device, &text);
    let (mut out, mut rejects) = (Vec::new(), Vec::new());
    let small = Small {
        ndjson: Ndjson::new(products, &mut out),
        bytes: text.len() % 301 + 1,
        lines: text.len() % 7 + 1,
    };
    let pieces = Pieces {
        text: text.clone(),
        at: 0,
    };
    let mut source = Source::new("pieces", pieces);
    source.did = device.map(str::to_owned);
    let summary = Log::new(products)
        .options(options)
        .threads(text.len() % 3 + 1)
        .eager(eager)
        .rejects(&mut rejects)
        .decode([source], small)
        .expect("memory");
    let out = String::from_utf8(out).expect("UTF-8");
    assert!(whole.ndjson == out, "{:?}", differ(&whole.ndjson, &out));
    let rejects = String::from_utf8(rejects).expect("UTF-8");
    let rejects: Vec<Reject> = rejects.lines().map(Reject::told).collect();
    assert_eq!(whole.rejects, rejects);
    let rejected: u64 = summary.rejected.values().sum();
    assert_eq!(
        (rejects.len() as u64, whole.records),
        (rejected, summary.records)
    );
}

/// The result of decoding a log.
struct Decoded {
    ndjson: String,
    csv: String,
    rejects: Vec<Reject>,
    records: u64,
}

/// A line that is no record.
#[derive(Debug, PartialEq)]
struct Reject {
    line: u64,
    kind: String,
    message: String,
    record: Vec<u8>,
    /// How long it is, if it is too long.
    length: Option<u64>,
}

impl Reject {
    fn new((number, line): (u64, &[u8]), error: &Error) -> Self {
        let long = error.kind == "line_length";
        Reject {
            line: number + 1,
            kind: error.kind.to_owned(),
            message: error.message.clone(),
            record: match long {
                true => line[..line.len().min(4096)].to_vec(),
                false => line.to_vec(),
            },
            length: long.then_some(line.len() as u64),
        }
    }

    /// Reads a reject from its JSON.
    fn told(json: &str) -> Self {
        let json: Value = serde_json::from_str(json).expect("JSON");
        let text = |json: &Value| json.as_str().expect("a text").to_owned();
        let record = text(&json["record"]);
        Reject {
            line: json["line"].as_u64().expect("a number"),
            kind: text(&json["reason"]["kind"]),
            message: text(&json["reason"]["message"]),
            record: match json.get("encoding") {
                Some(_) => payload::parse(&record, Some(Encoding::Base64)).expect("base64"),
                None => record.into_bytes(),
            },
            length: json["length"].as_u64(),
        }
    }
}

fn decode(products: &Products, options: Options, device: Option<&str>, text: &[u8]) -> Decoded {
    let mut out = Vec::new();
    let product = products.iter().next().expect("a product");
    let table = TableOptions {
        extra: options.keep,
        ..TableOptions::default()
    };
    let csv = Csv::new(product, table, &mut out).expect("memory");
    let mut rejects = Vec::new();
    let mut block = TextBlock::default();
    let mut decoder = Decoder::new(products, options, csv.sink());
    decoder.set_device(device);
    decoder.lines(text, &mut block, |_, _, _| {});
    let csv = String::from_utf8(block.as_bytes().to_vec()).expect("UTF-8");
    block.clear();
    let ndjson = Ndjson::new(products, std::io::sink());
    let mut decoder = Decoder::new(products, options, ndjson.sink());
    decoder.set_device(device);
    let records = decoder.lines(text, &mut block, |number, line, error| {
        rejects.push(Reject::new((number, line), error));
    });
    Decoded {
        ndjson: String::from_utf8(block.as_bytes().to_vec()).expect("UTF-8"),
        csv,
        rejects,
        records,
    }
}

/// The members of an object in their order.
struct Members(Vec<(String, Box<RawValue>)>);

impl<'de> serde::Deserialize<'de> for Members {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(
                self,
                mut map: A,
            ) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}

/// Whether a line may be one of another program: an object with a member of theirs, or with a payload that is a list.
fn is_foreign(line: &[u8]) -> bool {
    const THEIRS: [&str; 10] = [
        "payload_bin",
        "device_status_raw",
        "raw",
        "data",
        "body",
        "objects",
        "topic",
        "index",
        "layers",
        "_source",
    ];
    serde_json::from_slice(line).is_ok_and(|Members(members)| {
        members.iter().any(|(key, value)| {
            THEIRS.contains(&&**key) || key == "payload" && value.get().starts_with('[')
        })
    })
}

/// The line of NDJSON that a slow reader makes of a line, or the kind of its reject.
fn expected(
    product: &Product,
    options: Options,
    given: Option<&str>,
    line: &[u8],
) -> Result<String, &'static str> {
    if line.len() > options.line_limit {
        return Err("line_length");
    }
    let line = std::str::from_utf8(line).map_err(|_| "not_utf8")?;
    let mut out = String::from("{");
    let mut did = None;
    let payload = if line.trim_ascii_start().starts_with('{') {
        if depth(line) > 32 {
            return Err("depth");
        }
        let mut json = Deserializer::from_str(line);
        let Members(members) = serde::Deserialize::deserialize(&mut json).map_err(|_| "json")?;
        json.end().map_err(|_| "json")?;
        let mut found: [Option<String>; 4] = Default::default();
        let (mut timestamp, mut extra, mut wrong) = (None, String::new(), None);
        for (key, value) in members {
            let json = value.get();
            let at = ["type", "did", "product_key", "payload"];
            if let Some(at) = at.iter().position(|one| *one == key) {
                match serde_json::from_str(json) {
                    Ok(Value::Null) => {}
                    Ok(Value::String(text)) if found[at].is_none() => found[at] = Some(text),
                    _ => wrong = wrong.or(Some("record")),
                }
            } else if key == "timestamp" {
                match json {
                    "null" => {}
                    _ if !is_time(json) => wrong = wrong.or(Some("timestamp")),
                    _ if timestamp.is_some() => wrong = wrong.or(Some("record")),
                    json => timestamp = Some(json.to_owned()),
                }
            } else if options.keep {
                extra += &format!("{}:{json},", json!(key));
            }
        }
        if let Some(kind) = wrong {
            return Err(kind);
        }
        let [kind, device, key, payload] = found;
        let payload = payload.ok_or("record")?;
        if let Some(timestamp) = timestamp {
            out += &format!(r#""timestamp":{timestamp},"#);
        }
        if let Some(kind) = kind {
            out += &format!(r#""type":{},"#, json!(kind));
        }
        did = device;
        let bytes = payload::parse(&payload, options.encoding).map_err(|error| error.kind)?;
        named(&bytes, given, &mut did)?;
        if key.is_some_and(|key| product.product_key() != "" && key != product.product_key()) {
            return Err("unknown_product");
        }
        (bytes, extra)
    } else {
        let bytes = payload::parse(line, options.encoding).map_err(|error| error.kind)?;
        named(&bytes, given, &mut did)?;
        (bytes, String::new())
    };
    let (bytes, extra) = payload;
    let decoded = match options.lax {
        true => product.lax().decode(&bytes),
        false => product.decode(&bytes),
    };
    let decoded = decoded.map_err(|error| error.kind)?;
    let content = match (decoded.envelope, decoded.content) {
        (Some(Event::Frame(frame)), Content::P0(_)) => {
            let p0 = frame.p0().expect("it was decoded");
            let decoded = match options.lax {
                true => product.lax().decode_p0(p0),
                false => product.decode_p0(p0),
            };
            decoded.expect("it was decoded").to_json()
        }
        (Some(Event::Frame(frame)), Content::Body(body)) => {
            let message = Description::of_m2m(&frame).map(|message| message.to_json());
            let message = message.map(|message| format!(r#""message":{message},"#));
            let message = message.unwrap_or_default();
            format!(r#"{{{message}"body":"{}"}}"#, payload::hex(body))
        }
        (_, Content::Body(body)) => json!({"body": payload::hex(body)}).to_string(),
        _ => decoded.to_json(),
    };
    if did.is_none() {
        did = framed(&bytes);
    }
    let needed =
        options.known_devices || options.fill && product.protocol() == core::Protocol::VarLen;
    if needed
        && did.as_deref().unwrap_or_default().is_empty()
        && let Content::P0(P0::Report(_) | P0::Reply(_)) = decoded.content
    {
        return Err("unknown_device");
    }
    if let Some(did) = did {
        out += &format!(r#""did":{},"#, json!(did));
    }
    Ok(out + &extra + &content[1..])
}

/// How deep brackets are nested outside of texts.
fn depth(json: &str) -> usize {
    let (mut depth, mut most, mut rest) = (0_usize, 0, json.chars());
    while let Some(one) = rest.next() {
        match one {
            '"' => loop {
                match rest.next() {
                    None | Some('"') => break,
                    // What stands behind a backslash ends nothing.
                    Some('\\') => drop(rest.next()),
                    Some(_) => {}
                }
            },
            '[' | '{' => depth += 1,
            ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        most = most.max(depth);
    }
    most
}

/// The device that a frame names.
fn framed(payload: &[u8]) -> Option<String> {
    let (Event::Frame(frame), _) = m2m::parse(payload, usize::MAX).ok()? else {
        return None;
    };
    let did = frame.did?;
    Some(match std::str::from_utf8(did) {
        Ok(text) => text.to_owned(),
        Err(_) => format!("0x{}", payload::hex(did)),
    })
}

/// Names the device of a record in a log of one device. Refuses a record that names another device.
fn named(
    payload: &[u8],
    given: Option<&str>,
    did: &mut Option<String>,
) -> Result<(), &'static str> {
    let Some(given) = given else {
        return Ok(());
    };
    let named = did.take().filter(|did| !did.is_empty());
    match named.or_else(|| framed(payload)) {
        Some(named) if named != given => Err("other_device"),
        _ => {
            *did = Some(given.to_owned());
            Ok(())
        }
    }
}

/// Whether JSON is a moment.
fn is_time(json: &str) -> bool {
    match serde_json::from_str(json) {
        Ok(Value::String(text)) => {
            let time = text.parse::<jiff::Timestamp>();
            let millis = time.map(jiff::Timestamp::as_millisecond);
            text == json[1..json.len() - 1]
                && millis.is_ok_and(|millis| jiff::Timestamp::from_millisecond(millis).is_ok())
        }
        Ok(Value::Number(_)) => {
            // More digits than a decimal has are right behind a sensible number of seconds.
            let (whole, part) = json.split_once('.').unwrap_or((json, "0"));
            let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
            if digits(whole) && digits(part) && whole.len() <= 11 {
                return true;
            }
            let Ok(number) = json.parse::<core::Decimal>() else {
                return false;
            };
            let unit = 10_i128.pow(number.scale().into());
            let mut millis = i128::from(number.coefficient());
            if millis.abs() < 100_000_000_000 * unit {
                millis *= 1000;
            }
            let millis = i64::try_from(millis.div_euclid(unit));
            millis.is_ok_and(|millis| jiff::Timestamp::from_millisecond(millis).is_ok())
        }
        _ => false,
    }
}

/// A log: records of a product as the cloud has them, some of which are spoiled. The head picks the
/// product and how it is read, as [`law`] has it.
///
/// # Panics
/// If there is no product.
#[must_use]
pub fn arbitrary(draw: &mut Draw<'_>) -> Vec<u8> {
    let which = draw.below(PRODUCTS.len() as u32) as u8;
    let how = [2, 2, 34, 6, 38, 10, 0, 1, 18, 50, 66, 130, 138, 198][draw.below(14) as usize];
    let product = &PRODUCTS[usize::from(which)];
    let form = draw.below(8);
    let lax = if draw.chance(25) { 128 } else { 0 };
    // How many lines in a hundred end with a CR.
    let ends = [0, 0, 0, 5, 90, 100][draw.below(6) as usize];
    // How the log ends: with the end of its last line, or with a last line of a few bytes that has none.
    let tails: [&[u8]; 9] = [b"\n", b"\n", b"", b"x", b"{", b"7", b" ", b"\r", b"ab"];
    let tail = tails[draw.below(9) as usize];
    let mut log = vec![which | lax, how];
    let (mut seconds, mut payload) = (1_517_384_243_u64, String::new());
    while !draw.is_empty() {
        seconds += u64::from(draw.below(100));
        if payload.is_empty() || draw.chance(70) {
            payload = record(product, draw);
        }
        if draw.chance(10) {
            payload = payload::base64(&payload::parse(&payload, None).unwrap_or_default());
        }
        let timestamp = match draw.below(8) {
            0 => format!("{seconds}.{}", draw.below(100)),
            1 => format!("{seconds}"),
            2 => "9".repeat(draw.below(20) as usize + 1),
            _ => format!("{seconds}.{:03}", draw.below(1000)),
        };
        let kind = ["dev2app", "app2dev", "é"][draw.below(3) as usize];
        let many = "y".repeat(if draw.chance(10) {
            draw.below(400) as usize
        } else {
            0
        });
        let number = draw.below(1000);
        // One of these is no escape, and another no character.
        let escape = ["\\u00e9", "\\n", "\\ud8", "\\ud800"][draw.below(4) as usize];
        let line = match form {
            0..=2 => {
                format!(r#"{{"timestamp":{timestamp},"type":"{kind}","payload":"{payload}"}}"#)
            }
            3 => format!(
                r#"{{"payload":"{payload}","did":"d{number:03}{many}","timestamp":{timestamp},"type":"{kind}"}}"#
            ),
            4 => format!(
                r#"{{"type":"{kind}", "ip": "10.0.0.{number:03}", "payload":"{payload}" , "x":"{many}", "n":{number},"timestamp":"2018-01-{:02}T07:37:{:02}Z" }}"#,
                draw.below(40),
                draw.below(70),
            ),
            5 if draw.chance(30) => {
                format!(r#"{{"type":"{kind}{escape}","payload":"{payload}"}}"#)
            }
            5 if draw.chance(10) => {
                let deep = [30, 31, 32, 33, 20_000][draw.below(17) as usize / 4];
                let (open, close) = ("[{\"a\":".repeat(deep / 2), "}]".repeat(deep / 2));
                let (open, close) = match deep % 2 {
                    0 => (open, close),
                    _ => (format!("[{open}"), format!("{close}]")),
                };
                format!(r#"{{"x":{open}{number}{close},"payload":"{payload}"}}"#)
            }
            5 => format!(
                r#"{{"uid":"é{number}","y":"{escape}","x":[1,{{"a":"}}"}}],"payload":"{payload}","product_key":"{}"}}"#,
                product.product_key()
            ),
            6 => payload.clone(),
            _ => format!("  {{\"payload\":\"{}\"}}\r", payload.replace('/', "\\/")),
        };
        let mut line = line.into_bytes();
        if draw.chance(15) {
            for _ in 0..=draw.below(3) {
                let at = draw.below(line.len() as u32) as usize;
                let odd = b"\"\\{}[]:, \t\r\x000123456789abcdefguxAZ/=.-+eE\x7f\x80\xff\xe5";
                let byte = odd[draw.below(odd.len() as u32) as usize];
                match draw.below(4) {
                    0 => line[at] = byte,
                    1 => line.insert(at, byte),
                    2 if line.len() > 1 => drop(line.remove(at)),
                    _ => line.truncate(at.max(1)),
                }
            }
        }
        log.extend(line);
        if draw.chance(ends) {
            log.push(b'\r');
        }
        log.push(b'\n');
    }
    // Every line ends with its line end, and the last of some logs with the tail in place of it.
    match tail {
        b"\n" => {}
        b"" if log.len() > 2 => log.truncate(log.len() - 1),
        tail => log.extend(tail),
    }
    log
}

/// The hex of a report or control with values of any kind, in a frame or not.
fn record(product: &Product, draw: &mut Draw<'_>) -> String {
    let layout = product.layout();
    let action = match draw.below(8) {
        0 => Action::Read,
        1 | 2 => Action::Control,
        3 => Action::Reply,
        _ => Action::Report,
    };
    let mut buffer = vec![0; layout.p0_len(action)];
    let mut p0 = match Encoder::begin(layout, action, &mut buffer) {
        Ok(mut encoder) => {
            let all = draw.chance(70);
            for id in (0..layout.point_count()).map(PointId) {
                let (min, max) = layout.limits(id).unwrap_or((0, 0));
                if all || draw.chance(30) {
                    let raw = min + draw.below((max - min).min(u32::MAX - 1) + 1);
                    let _ = encoder.set_raw(id, raw);
                }
            }
            encoder.finish().to_vec()
        }
        Err(_) => vec![2],
    };
    if draw.chance(20) && p0.len() > 1 {
        let at = 1 + draw.below(p0.len() as u32 - 1) as usize;
        p0[at] ^= 1 << draw.below(8);
    }
    // As the vendor's firmware has it: the whole mask.
    if let spare @ 1.. = layout.point_count() % 8
        && p0[0] & 0x10 != 0
        && draw.chance(20)
    {
        p0[1] |= 0xff << spare;
    }
    match draw.below(20) {
        0 => p0.truncate(1 + draw.below(p0.len() as u32) as usize),
        1 => p0.extend([1, 2]),
        2 => p0.splice(0..0, *b"\x06MACMAC").for_each(drop),
        _ => {}
    }
    if draw.chance(20) {
        return payload::hex(&p0);
    }
    let did = draw.chance(20).then_some(DID.as_bytes());
    let frame = gizwits_codec_core::m2m::Frame {
        flag: 0,
        command: if action == Action::Report { 0x91 } else { 0x90 },
        sn: None,
        did,
        body: &p0,
    };
    let mut out = vec![0; p0.len() + 64];
    let len = frame.encode(&mut out).unwrap_or(0);
    payload::hex(&out[..len])
}
