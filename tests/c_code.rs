//! Generated C code: it compiles without a warning as C99 and as C++, and says what the layout says that is read
//! at run time. Requires a C compiler with sanitizers, `cc`.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};

use gizwits_codec_core::{
    Access, Action, Decimal, Encoder, Error, ErrorKind, Kind, LayoutRef, P0, PointId, Protocol,
    Raw, Value, View,
};
use gizwits_codec_std::Product;
use gizwits_codec_std::codegen::{self, CCode};
use gizwits_tests::arbitrary::{self, Draw};
use gizwits_tests::program::Folder;
use gizwits_tests::vectors::{fixtures, product};

/// A member of the status struct.
struct Member {
    name: String,
    /// The type as in the header, without the length of an array.
    kind: String,
    /// The length of an array.
    len: Option<usize>,
}

/// The members of the status struct in a header, which are in the order of the ids.
fn members(header: &str) -> Vec<Member> {
    let (_, status) = header
        .split_once("/* The status: all points. */\ntypedef struct {\n")
        .unwrap();
    let (status, _) = status.split_once("\n}").unwrap();
    let declarations = status.lines().filter(|line| line.ends_with(';'));
    declarations
        .map(|line| {
            let (kind, name) = line.trim().trim_end_matches(';').split_once(' ').unwrap();
            let (name, len) = match name.split_once('[') {
                Some((name, len)) => (name, Some(len.trim_end_matches(']').parse().unwrap())),
                None => (name, None),
            };
            Member {
                name: name.to_owned(),
                kind: kind.to_owned(),
                len,
            }
        })
        .collect()
}

/// The names of a product for `c/driver.c`.
fn names(code: &CCode, product: &Product) -> String {
    let all = members(&code.header);
    let list = |writable: bool| -> String {
        let points = product.attrs().zip(&all);
        let wanted = points
            .filter(|(attr, _)| !writable || attr.point().access == Access::Writable)
            .map(|(_, member)| match member.len {
                Some(len) => format!(" BYTES({}, {len}u)", member.name),
                None => format!(" NUMBER({}, {})", member.name, member.kind),
            });
        wanted.collect()
    };
    let (name, upper, writable) = (&code.prefix, code.prefix.to_uppercase(), list(true));
    format!(
        "#include \"{name}.h\"
#define NAME(x) {name}_##x
#define UPPER(x) {upper}_##x
#define VAR_LEN {}
#define CONTROL {}
#define POINTS{}
#define WRITABLE{writable}
",
        u8::from(product.protocol() == Protocol::VarLen),
        u8::from(!writable.is_empty()),
        list(false)
    )
}

/// Compiles the code of a product with the driver, and returns the answers to `lines`.
fn answers(name: &str, product: &Product, lines: &[String]) -> Vec<String> {
    let code = codegen::c(product, &name.replace('-', "_"));
    let folder = Folder::new(&format!("c-code-{}", code.prefix));
    let header = folder.write(&format!("{}.h", code.prefix), &code.header);
    let source = folder.write(&format!("{}.c", code.prefix), &code.source);
    folder.write("product.h", names(&code, product));
    let driver = folder.write("driver.c", include_str!("c/driver.c"));
    let program = header.trim_end_matches(".h");
    let strict = [
        "-Wall",
        "-Wextra",
        "-Wpedantic",
        "-Wconversion",
        "-Wshadow",
        "-Werror",
    ];
    let compile = |arguments: &[&str]| {
        let output = Command::new("cc")
            .args(strict)
            .args(arguments)
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{name}: {told}");
    };
    compile(&[
        "-std=c++20",
        "-Wunused-macros",
        "-x",
        "c++",
        "-fsyntax-only",
        &source,
    ]);
    let sanitizers = ["-fsanitize=address,undefined", "-fno-sanitize-recover"];
    compile(&[
        "-std=c99",
        sanitizers[0],
        sanitizers[1],
        &source,
        &driver,
        "-o",
        program,
    ]);

    let mut running = Command::new(program)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = running.stdin.take().unwrap();
    let input = lines.join("\n") + "\n";
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = running.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success(), "{name}");
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(str::to_owned).collect()
}

/// A point of the product: the place of its id in the lists, and its member.
struct Points<'p> {
    layout: LayoutRef<'p>,
    kinds: Vec<Kind>,
    access: Vec<Access>,
    members: Vec<Member>,
}

/// A value as a member has it.
#[derive(Clone, Debug, PartialEq)]
enum Held {
    Number(i64),
    Bytes(Vec<u8>),
}

impl std::fmt::Display for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Held::Number(number) => write!(f, " {number}"),
            Held::Bytes(bytes) => write!(f, " x{}", hex(bytes)),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The result that the generated code returns for an error.
fn result(kind: ErrorKind, point: Option<PointId>) -> u32 {
    let code = match kind {
        ErrorKind::Incomplete { .. } => return 1,
        ErrorKind::Trailing { .. } => return 2,
        ErrorKind::UnknownAction { .. } | ErrorKind::OtherProtocol { .. } => return 3,
        ErrorKind::UnknownFlag => return 4,
        ErrorKind::NotWritable => 5,
        ErrorKind::PastLabels => 6,
        ErrorKind::BelowMin => 7,
        ErrorKind::AboveMax => 8,
        ErrorKind::OffStep { .. } => 9,
        kind => panic!("{kind:?}"),
    };
    code | u32::from(point.unwrap().0) << 4
}

impl Points<'_> {
    /// The decimal places of a member.
    fn places(&self, id: usize) -> u8 {
        self.layout
            .scale(PointId(id as u16))
            .map_or(0, |scale| scale.decimals())
    }

    fn held(&self, id: PointId, raw: Raw<'_>) -> Held {
        match raw {
            Raw::Bytes(bytes) => Held::Bytes(bytes.to_vec()),
            Raw::Number(raw) => {
                let Some(scale) = self.layout.scale(id) else {
                    return Held::Number(raw.into());
                };
                let (value, places) = (scale.value(raw), self.places(id.0.into()));
                let up = places.checked_sub(value.scale()).unwrap();
                Held::Number(value.coefficient() * 10_i64.pow(up.into()))
            }
        }
    }

    /// The status with the least value of each point.
    fn least(&self) -> Vec<Held> {
        let least = |(id, member): (u16, &Member)| match member.len {
            Some(len) => Held::Bytes(vec![0; len]),
            None => {
                let (min, _) = self.layout.limits(PointId(id)).unwrap_or((0, 0));
                self.held(PointId(id), Raw::Number(min))
            }
        };
        (0..).zip(&self.members).map(least).collect()
    }

    /// Returns the expected answer of the generated code to the encoding of the points in the list.
    fn encoded(&self, action: Action, status: &[Held], wanted: &[PointId]) -> String {
        let mut out = vec![0; self.layout.p0_len(action)];
        match self.encode(action, status, wanted, &mut out) {
            Ok(len) => format!(" 0 x{}", hex(&out[..len])),
            Err((kind, id)) => format!(" {}", result(kind, Some(id))),
        }
    }

    fn encode(
        &self,
        action: Action,
        status: &[Held],
        wanted: &[PointId],
        out: &mut [u8],
    ) -> Result<usize, (ErrorKind, PointId)> {
        let mut encoder = Encoder::begin(self.layout, action, out).unwrap();
        let mut all = vec![0; self.layout.p0_len(Action::Report)];
        let mut check = Encoder::begin(self.layout, Action::Report, &mut all).unwrap();
        for (id, held) in (0..).map(PointId).zip(status) {
            let places = self.places(id.0.into());
            let value = match (held, self.kinds[usize::from(id.0)]) {
                (Held::Bytes(bytes), _) => Value::Binary(bytes),
                (Held::Number(number), Kind::Bool) => Value::Bool(*number != 0),
                (Held::Number(number), Kind::Enum { .. }) => Value::Enum(*number as u32),
                (Held::Number(number), _) => Value::Number(Decimal::new(*number, places)),
            };
            let refused = |error: Error| (error.kind, id);
            if action != Action::Control {
                // The whole status must be valid, also where the message has only some of its points.
                check.set(id, value).map_err(refused)?;
            }
            if wanted.contains(&id) {
                encoder.set(id, value).map_err(refused)?;
            }
        }
        Ok(encoder.finish().len())
    }

    fn all(&self) -> Vec<PointId> {
        (0..self.layout.points()).map(PointId).collect()
    }

    fn shown(status: &[Held]) -> String {
        status.iter().map(Held::to_string).collect()
    }

    fn mask(&self, ids: &[PointId]) -> String {
        let len = self.layout.mask_len();
        let mut mask = vec![0_u8; len];
        for id in ids {
            mask[len - 1 - usize::from(id.0 / 8)] |= 1 << (id.0 % 8);
        }
        hex(&mask)
    }

    fn decoded(&self, p0: &[u8]) -> String {
        let mut status = self.least();
        let (mut out, var_len) = (String::new(), self.layout.protocol() == Protocol::VarLen);
        let base = if var_len { 0x13 } else { 3 };
        match P0::parse(self.layout, p0) {
            Ok(P0::Reply(view) | P0::Report(view)) => {
                let mut present = Vec::new();
                for point in view.iter() {
                    status[usize::from(point.id().0)] = self.held(point.id(), point.raw());
                    present.push(point.id());
                }
                out += " 0";
                if var_len {
                    let reply = self.encoded(Action::Reply, &status, &present);
                    let _ = write!(out, " x{}{reply}", self.mask(&present));
                }
            }
            Err(error)
                if p0
                    .first()
                    .is_none_or(|action| (base..base + 2).contains(action)) =>
            {
                let _ = write!(out, " {}", result(error.kind, error.point));
            }
            _ => out += " 3",
        }
        out + &Self::shown(&status) + &self.encoded(Action::Report, &status, &self.all())
    }

    fn controlled(&self, p0: &[u8]) -> String {
        let mut status = self.least();
        let mut present = Vec::new();
        let action = p0.first().map(|action| action & 0xf);
        let code = match P0::parse(self.layout, p0) {
            Ok(P0::Control(view)) => self.set(view, &mut status, &mut present),
            Err(error) if action.is_none_or(|action| action == 1) => {
                result(error.kind, error.point)
            }
            _ => 3,
        };
        let mut out = format!(" {code}");
        for (id, held) in (0..).map(PointId).zip(&status) {
            if self.access[usize::from(id.0)] == Access::Writable {
                out += &match present.contains(&id) {
                    true => held.to_string(),
                    false => " -".to_owned(),
                };
            }
        }
        out + &Self::shown(&status) + &self.encoded(Action::Control, &status, &present)
    }

    /// Sets the valid points of a control. Returns the result.
    fn set(&self, view: View<'_, '_>, status: &mut [Held], present: &mut Vec<PointId>) -> u32 {
        let mut code = 0;
        for point in view.iter() {
            match point.flagged() {
                None => {
                    status[usize::from(point.id().0)] = self.held(point.id(), point.raw());
                    present.push(point.id());
                }
                Some(kind) if code == 0 => code = result(kind, Some(point.id())),
                Some(_) => {}
            }
        }
        code
    }

    fn read(&self, p0: &[u8]) -> String {
        match P0::parse(self.layout, p0) {
            Ok(P0::Read(wanted)) if self.layout.protocol() == Protocol::VarLen => {
                let mask = self.mask(&wanted.ids().collect::<Vec<_>>());
                format!(" 0 x{mask} 0 x12{mask}")
            }
            Ok(P0::Read(_)) => " 0 0 x02".to_owned(),
            Err(error) if p0.first().is_none_or(|action| action & 0xf == 2) => {
                format!(" {}", result(error.kind, error.point))
            }
            _ => " 3".to_owned(),
        }
    }

    /// A status with values near the limits of the points, valid or not, that the members can hold.
    fn drawn_status(&self, draw: &mut Draw<'_>) -> Vec<Held> {
        let invalid = draw.chance(30);
        let mut drawn = |(id, member): (u16, &Member)| {
            if let Some(len) = member.len {
                return Held::Bytes(draw.bytes(len));
            }
            let (lowest, highest) = match &*member.kind {
                "bool" => (0, 1),
                "uint8_t" => (0, u8::MAX.into()),
                "uint16_t" => (0, u16::MAX.into()),
                "uint32_t" => (0, u32::MAX.into()),
                "int16_t" => (i16::MIN.into(), i16::MAX.into()),
                "int32_t" => (i32::MIN.into(), i32::MAX.into()),
                _ => (i64::MIN / 4, i64::MAX / 4),
            };
            let (min, max) = match self.kinds[usize::from(id)] {
                Kind::Bool => (0, 1),
                Kind::Enum { labels } => (0, labels - 1),
                _ => self.layout.limits(PointId(id)).unwrap_or((0, u32::MAX)),
            };
            let raw = min + (draw.below(u32::MAX) % (max - min).saturating_add(1).max(1));
            let Held::Number(number) = self.held(PointId(id), Raw::Number(raw)) else {
                unreachable!("numbers have no length");
            };
            let number = match (invalid && draw.chance(10), draw.below(4)) {
                (false, _) => number,
                (true, 0) => number + i64::from(draw.below(3)) - 1,
                (true, 1) => lowest,
                (true, 2) => highest,
                (true, _) => i64::from(draw.below(u32::MAX)),
            };
            Held::Number(number.clamp(lowest, highest))
        };
        (0..).zip(&self.members).map(&mut drawn).collect()
    }
}

/// Compares the answers of the generated code with those of the layout for `count` drawn messages.
fn check(name: &str, product: &Product, count: usize) {
    let points = Points {
        layout: product.layout(),
        kinds: product.attrs().map(|attr| attr.point().kind).collect(),
        access: product.attrs().map(|attr| attr.point().access).collect(),
        members: members(&codegen::c(product, name).header),
    };
    let var_len = u8::from(points.layout.protocol() == Protocol::VarLen) << 4;
    let has_control = points.access.contains(&Access::Writable);
    let (mut lines, mut expected) = (Vec::new(), Vec::new());
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut noise = |len: usize| -> Vec<u8> {
        let mut byte = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 32) as u8
        };
        (0..len).map(|_| byte()).collect()
    };
    for turn in 0..count {
        let seed = noise(8 * points.layout.status_len() + 400);
        let mut draw = Draw::new(&seed);
        let status = points.drawn_status(&mut draw);
        lines.push(format!("e{}", Points::shown(&status).replace(" x", " ")));
        expected.push(points.encoded(Action::Report, &status, &points.all()));

        // Valid messages, and messages with changed flags, values and lengths.
        let action = [Action::Report, Action::Control, Action::Reply, Action::Read][turn % 4];
        let ids: Vec<PointId> = match action {
            Action::Read => Vec::new(),
            _ => points.all().into_iter().filter(|_| draw.bool()).collect(),
        };
        let mut p0 = vec![0; points.layout.p0_len(action)];
        let mut encoder = Encoder::begin(points.layout, action, &mut p0).unwrap();
        for id in ids {
            if action == Action::Control && points.access[usize::from(id.0)] != Access::Writable {
                continue;
            }
            let raw = draw.below(u32::MAX) >> draw.below(32);
            let _ = encoder.set_raw(id, raw);
        }
        let mut p0 = encoder.finish().to_vec();
        for _ in 0..draw.below(3) {
            let at = draw.below(p0.len() as u32) as usize;
            p0[at] ^= draw.pick(&[1_u8, 2, 0x80, 0xff, 0x10]);
        }
        match draw.below(12) {
            0 => p0.push(0),
            1 => {
                p0.pop();
            }
            2 if turn % 4 == 3 && var_len > 0 => {
                p0 = [&[0x12][..], &vec![0xff; turn % 23]].concat()
            }
            _ => {}
        }
        let code = |action: u8| action | var_len;
        let command = match p0.first().map_or(turn as u8, |action| *action) {
            action if action == code(1) && has_control => 'c',
            action if action == code(2) => 'r',
            _ => 's',
        };
        lines.push(format!("{command} {}", hex(&p0)));
        expected.push(match command {
            'c' => points.controlled(&p0),
            'r' => points.read(&p0),
            _ => points.decoded(&p0),
        });
    }
    let answers = answers(name, product, &lines);
    assert_eq!(answers.len(), lines.len(), "{name}");
    for ((line, answer), expected) in lines.iter().zip(answers).zip(expected) {
        assert_eq!(answer, expected, "{name}: {line}");
    }
}

#[test]
fn it_says_of_every_fixture_what_the_layout_says() {
    for name in fixtures() {
        check(name.trim_end_matches(".json"), &product(&name), 400);
    }
}

#[test]
fn it_says_of_drawn_products_what_the_layout_says() {
    for seed in 0..6_u8 {
        let bytes: Vec<u8> = (0..3_000_u32)
            .map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8 ^ seed)
            .collect();
        for protocol in [arbitrary::Protocol::Standard, arbitrary::Protocol::VarLen] {
            let definition = arbitrary::definition(&mut Draw::new(&bytes), protocol);
            let product = Product::from_json(&definition.to_string()).unwrap();
            check(&format!("drawn-{seed}"), &product, 100);
        }
    }
}

/// A product with these attrs, whose ids are their indexes.
fn product_of(protocol: &str, attrs: Vec<serde_json::Value>) -> Product {
    let mut attrs = attrs;
    for (id, attr) in attrs.iter_mut().enumerate() {
        attr["id"] = id.into();
    }
    let definition = serde_json::json!({
        "name": "drawn up", "product_key": "", "protocolType": protocol, "packetVersion": "0x00000004",
        "entities": [{"id": 0, "name": "entity0", "attrs": attrs}],
    });
    Product::from_json(&definition.to_string()).unwrap()
}

fn a_bool(name: &str, bit: u32) -> serde_json::Value {
    serde_json::json!({
        "name": name, "type": "status_writable", "data_type": "bool",
        "position": {"byte_offset": 0, "bit_offset": bit, "len": 1, "unit": "bit"},
    })
}

fn an_integer(
    name: &str,
    at: u32,
    (kind, len): (&str, u32),
    (ratio, addition): (f64, i64),
) -> serde_json::Value {
    let max = u32::MAX >> (32 - 8 * len);
    serde_json::json!({
        "name": name, "type": "status_writable", "data_type": kind,
        "position": {"byte_offset": at, "bit_offset": 0, "len": len, "unit": "byte"},
        "uint_spec": {"min": 0, "max": max, "ratio": ratio, "addition": addition},
    })
}

const NAMES: [&str; 26] = [
    "bitand",
    "bitor",
    "compl",
    "concept",
    "consteval",
    "constinit",
    "and_eq",
    "not_eq",
    "or_eq",
    "xor_eq",
    "static_assert",
    "static_cast",
    "const_cast",
    "dynamic_cast",
    "reinterpret_cast",
    "thread_local",
    "co_await",
    "co_return",
    "co_yield",
    "wchar_t",
    "char8_t",
    "char16_t",
    "typeof_unqual",
    "uint8_t",
    "int32_t",
    "has",
];

#[test]
fn names_of_keywords_and_types_compile_in_both_languages() {
    for protocol in ["standard", "var_len"] {
        let mut attrs: Vec<_> = (0..)
            .zip(NAMES)
            .map(|(bit, name)| a_bool(name, bit))
            .collect();
        attrs.push(an_integer("number", 4, ("uint8", 1), (1.0, 0)));
        attrs.push(an_integer("tenths", 5, ("uint16", 2), (0.1, -7)));
        check("keywords", &product_of(protocol, attrs), 8);
    }
}

#[test]
fn no_prefix_is_taken_by_the_code_itself() {
    for protocol in ["standard", "var_len"] {
        for prefix in ["encode", "put", "get", "copy", "int", "at"] {
            check(prefix, &product_of(protocol, vec![a_bool("power", 0)]), 4);
        }
    }
}

#[test]
fn numbers_may_reach_the_limits_of_their_member() {
    let attrs = vec![
        an_integer("highest16", 0, ("uint8", 1), (128.0, 127)),
        an_integer("lowest16", 1, ("uint8", 1), (1.0, -32_767)),
        an_integer("highest32", 2, ("uint16", 2), (1.0, 2_147_418_112)),
        an_integer("lowest32", 4, ("uint16", 2), (1.0, -2_147_483_647)),
        an_integer("past32", 6, ("uint16", 2), (1.0, -2_147_483_648)),
        an_integer("wide", 8, ("uint32", 4), (1.0, -2_147_483_648)),
        an_integer("steps", 12, ("uint32", 4), (0.000_001, -5)),
    ];
    for protocol in ["standard", "var_len"] {
        check("limits", &product_of(protocol, attrs.clone()), 200);
    }
}

#[test]
fn a_product_may_have_the_most_points() {
    for protocol in ["standard", "var_len"] {
        let bools = (0..1_000).map(|bit| a_bool(&format!("switch{bit}"), bit));
        let numbers = (0..24).map(|n| {
            let name = format!("number{n}");
            an_integer(&name, 125 + 2 * n, ("uint16", 2), (0.5, -3))
        });
        check(
            "most",
            &product_of(protocol, bools.chain(numbers).collect()),
            20,
        );
    }
}
