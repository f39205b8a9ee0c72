//! The generated C code of products, and what it must answer to the commands of `c/driver.c`: what the layout says that
//! is read at run time.

use std::fmt::Write as _;

use gizwits_codec_core::{
    Access, Action, Decimal, Encoder, Error, ErrorKind, Kind, LayoutRef, P0, PointId, Protocol,
    Raw, Value, View, m2m,
};
use gizwits_codec_std::codegen::{self, CCode};
use gizwits_codec_std::{Attr, Product, payload};
use serde_json::Value as Json;

use crate::arbitrary::{self, Draw};
use crate::vectors;

/// A member of the status struct.
#[derive(Debug)]
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
        .split_once("/* The status: all points. */\n")
        .expect("a status struct");
    let (status, _) = status.split_once("\n}").expect("the end of the struct");
    // The first line begins the struct.
    let declarations = status.lines().filter(|line| line.ends_with(';'));
    declarations
        .map(|line| {
            let (kind, name) = line
                .trim()
                .trim_end_matches(';')
                .split_once(' ')
                .expect("a type and a name");
            let (name, len) = match name.split_once('[') {
                Some((name, len)) => (
                    name,
                    Some(len.trim_end_matches(']').parse().expect("a length")),
                ),
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

/// A product and its generated C code.
#[derive(Debug)]
pub struct GeneratedC {
    /// The name of the header and the source file without their extensions.
    pub name: String,
    /// The code.
    pub code: CCode,
    product: Product,
    kinds: Vec<Kind>,
    access: Vec<Access>,
    members: Vec<Member>,
}

/// A line for a driver, without the index of the product, and the answer that it must give.
#[derive(Debug)]
pub struct Case {
    /// The command and its operands.
    pub line: String,
    /// The expected answer.
    pub answer: String,
}

/// The actions of all messages.
const ACTIONS: [Action; 4] = [Action::Report, Action::Control, Action::Reply, Action::Read];

/// The number of drawn products of each protocol that are compiled into the fuzz target.
pub const DRAWN_TO_FUZZ: u8 = 6;

/// The products of all fixtures and `drawn` products of each protocol.
///
/// # Panics
/// If a fixture is not there.
#[must_use]
pub fn products(drawn: u8) -> Vec<GeneratedC> {
    let mut products = Vec::new();
    for name in vectors::fixtures() {
        products.push(GeneratedC::new(&name, vectors::product(&name)));
    }
    for seed in 0..drawn {
        let bytes = noise(u64::from(seed), 3_000);
        for protocol in [arbitrary::Protocol::Standard, arbitrary::Protocol::VarLen] {
            let definition = arbitrary::definition(&mut Draw::new(&bytes), protocol);
            let product = Product::from_json(&definition.to_string()).expect("a valid definition");
            products.push(GeneratedC::new(
                &format!("drawn-{seed}-{protocol:?}"),
                product,
            ));
        }
    }
    products
}

/// `len` bytes of a random sequence.
#[must_use]
pub fn noise(seed: u64, len: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64 ^ seed.wrapping_mul(0xd134_2543_de82_ef95);
    let mut byte = || {
        // xorshift64
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    (0..len).map(|_| byte()).collect()
}

/// The table of the drivers of products, as a C file.
#[must_use]
pub fn table(products: &[GeneratedC]) -> String {
    let mut out = "#include \"line.h\"\n".to_owned();
    for product in products {
        let _ = writeln!(out, "driver {}_drive;", product.code.prefix);
    }
    out += "driver *const DRIVERS[] = {\n";
    for product in products {
        let _ = writeln!(out, "    {}_drive,", product.code.prefix);
    }
    out + "};\n"
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
    code | u32::from(point.expect("a point").0) << 4
}

impl GeneratedC {
    /// Generates the code of a product.
    ///
    /// # Panics
    /// If the header has no status struct as expected.
    #[must_use]
    pub fn new(name: &str, product: Product) -> Self {
        let code = codegen::c(&product, name);
        GeneratedC {
            name: name.to_owned(),
            kinds: product.attrs().map(|attr| attr.point().kind).collect(),
            access: product.attrs().map(|attr| attr.point().access).collect(),
            members: members(&code.header),
            code,
            product,
        }
    }

    /// The driver of the product, as a C file that includes `driver.c`.
    #[must_use]
    pub fn driver(&self) -> String {
        let list = |writable: bool| -> String {
            let points = self.access.iter().zip(&self.members);
            let wanted = points.filter(|(access, _)| !writable || **access == Access::Writable);
            wanted
                .map(|(_, member)| match member.len {
                    Some(len) => format!(" BYTES({}, {len}u)", member.name),
                    None => format!(" NUMBER({}, {})", member.name, member.kind),
                })
                .collect()
        };
        let (name, prefix) = (&self.name, &self.code.prefix);
        format!(
            "#include \"{name}.h\"
#define NAME(x) {prefix}_##x
#define UPPER(x) {}_##x
#define VAR_LEN {}
#define CONTROL {}
#define POINTS{}
#define WRITABLE{}
#include \"driver.c\"
",
            prefix.to_uppercase(),
            u8::from(self.is_var_len()),
            u8::from(self.has_control()),
            list(false),
            list(true),
        )
    }

    fn layout(&self) -> LayoutRef<'_> {
        self.product.layout()
    }

    /// Whether the product is a var_len product.
    #[must_use]
    pub fn is_var_len(&self) -> bool {
        self.layout().protocol() == Protocol::VarLen
    }

    /// The number of points.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a product has points")]
    pub fn len(&self) -> usize {
        self.members.len()
    }

    fn has_control(&self) -> bool {
        self.access.contains(&Access::Writable)
    }

    /// The decimal places of a member.
    fn places(&self, id: usize) -> u8 {
        self.layout()
            .scale(PointId(id as u16))
            .map_or(0, |scale| scale.decimals())
    }

    fn held(&self, id: PointId, raw: Raw<'_>) -> Held {
        match raw {
            Raw::Bytes(bytes) => Held::Bytes(bytes.to_vec()),
            Raw::Number(raw) => {
                let Some(scale) = self.layout().scale(id) else {
                    return Held::Number(raw.into());
                };
                let (value, places) = (scale.value(raw), self.places(id.0.into()));
                let up = places
                    .checked_sub(value.scale())
                    .expect("places for all values");
                Held::Number(value.coefficient() * 10_i64.pow(up.into()))
            }
        }
    }

    /// The status with the least value of each point.
    fn least(&self) -> Vec<Held> {
        let least = |(id, member): (u16, &Member)| match member.len {
            Some(len) => Held::Bytes(vec![0; len]),
            None => {
                let (min, _) = self.layout().limits(PointId(id)).unwrap_or((0, 0));
                self.held(PointId(id), Raw::Number(min))
            }
        };
        (0..).zip(&self.members).map(least).collect()
    }

    /// Returns the expected answer of the generated code to the encoding of the points in the list.
    fn encoded(&self, action: Action, status: &[Held], wanted: &[PointId]) -> String {
        let mut out = vec![0; self.layout().p0_len(action)];
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
        let mut encoder = Encoder::begin(self.layout(), action, out).expect("room");
        let mut all = vec![0; self.layout().p0_len(Action::Report)];
        let mut check = Encoder::begin(self.layout(), Action::Report, &mut all).expect("room");
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
        (0..self.layout().point_count()).map(PointId).collect()
    }

    fn shown(status: &[Held]) -> String {
        status.iter().map(Held::to_string).collect()
    }

    fn mask(&self, ids: &[PointId]) -> String {
        let len = self.layout().mask_len();
        let mut mask = vec![0_u8; len];
        for id in ids {
            mask[len - 1 - usize::from(id.0 / 8)] |= 1 << (id.0 % 8);
        }
        hex(&mask)
    }

    fn decoded(&self, p0: &[u8]) -> String {
        let mut status = self.least();
        let (mut out, var_len) = (String::new(), self.is_var_len());
        let base = if var_len { 0x13 } else { 3 };
        match P0::parse(self.layout(), p0) {
            Ok(P0::Reply(view) | P0::Report(view)) => {
                let mut present = Vec::new();
                for point in view.iter() {
                    status[usize::from(point.id().0)] = self.held(point.id(), point.raw());
                    present.push(point.id());
                }
                out += " 0";
                if var_len {
                    let _ = write!(out, " x{}", self.mask(&present));
                    out += &self.encoded(Action::Report, &status, &present);
                    out += &self.encoded(Action::Reply, &status, &present);
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
        out += &Self::shown(&status);
        out += &self.encoded(Action::Report, &status, &self.all());
        out + &self.encoded(Action::Reply, &status, &self.all())
    }

    fn controlled(&self, p0: &[u8]) -> String {
        let mut status = self.least();
        let mut present = Vec::new();
        let action = p0.first().map(|action| action & 0xf);
        let code = match P0::parse(self.layout(), p0) {
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
        match P0::parse(self.layout(), p0) {
            Ok(P0::Read(wanted)) if self.is_var_len() => {
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

    /// The case of a message that is decoded.
    #[must_use]
    pub fn decoding(&self, p0: &[u8]) -> Case {
        let base = if self.is_var_len() { 0x10 } else { 0 };
        self.decoding_as(p0.first().map_or(4, |action| action ^ base), p0)
    }

    /// The case of bytes that are decoded as a control (1), as a read (2) or as a status.
    fn decoding_as(&self, action: u8, p0: &[u8]) -> Case {
        let (command, answer) = match action {
            1 if self.has_control() => ('c', self.controlled(p0)),
            2 => ('r', self.read(p0)),
            _ => ('s', self.decoded(p0)),
        };
        Case {
            line: format!("{command} {}", hex(p0)),
            answer,
        }
    }

    /// A case that is drawn: a status or a control with values near the limits, a message with changed flags, values
    /// and lengths, or any bytes.
    #[must_use]
    pub fn case(&self, draw: &mut Draw<'_>) -> Case {
        match draw.below(6) {
            0 | 1 => self.encoding_status(draw),
            2 if self.has_control() => self.encoding_control(draw),
            3 => {
                let action = draw.pick(&ACTIONS);
                let len = match draw.bool() {
                    true => self.layout().p0_len(action),
                    false => draw.below(2 * self.layout().p0_len(Action::Report) as u32) as usize,
                };
                let p0 = draw.bytes(len);
                let action = draw.pick(&[3, 1, 2]);
                self.decoding_as(action, &p0)
            }
            _ => {
                let p0 = self.drawn_message(draw);
                self.decoding(&p0)
            }
        }
    }

    fn encoding_status(&self, draw: &mut Draw<'_>) -> Case {
        let status = self.drawn_status(draw);
        let mut line = "e".to_owned();
        let mut answer = self.encoded(Action::Report, &status, &self.all());
        if self.is_var_len() {
            let mask = draw.bytes(self.layout().mask_len());
            let is_wanted = |id: &PointId| {
                let byte = mask[mask.len() - 1 - usize::from(id.0 / 8)];
                byte & (1 << (id.0 % 8)) != 0
            };
            let wanted: Vec<_> = self.all().into_iter().filter(is_wanted).collect();
            let _ = write!(line, " {}", hex(&mask));
            answer += &self.encoded(Action::Reply, &status, &wanted);
            let _ = write!(answer, " 0 x12{}", self.mask(&wanted));
        } else {
            answer += &self.encoded(Action::Reply, &status, &self.all());
            answer += " 0 x02";
        }
        line += &Self::shown(&status).replace(" x", " ");
        Case { line, answer }
    }

    fn encoding_control(&self, draw: &mut Draw<'_>) -> Case {
        let status = self.drawn_status(draw);
        let mut line = "w".to_owned();
        let mut present = Vec::new();
        for (id, held) in (0..).map(PointId).zip(&status) {
            if self.access[usize::from(id.0)] != Access::Writable {
                continue;
            }
            line += &match draw.below(3) {
                0 => " -".to_owned(),
                _ => {
                    present.push(id);
                    held.to_string().replace(" x", " x ")
                }
            };
        }
        Case {
            answer: self.encoded(Action::Control, &status, &present),
            line,
        }
    }

    /// A message, whose bytes and length may be changed.
    fn drawn_message(&self, draw: &mut Draw<'_>) -> Vec<u8> {
        let action = draw.pick(&ACTIONS);
        let mut p0 = vec![0; self.layout().p0_len(action)];
        let mut encoder = Encoder::begin(self.layout(), action, &mut p0).expect("room");
        for id in self.all() {
            let is_writable = self.access[usize::from(id.0)] == Access::Writable;
            if action == Action::Read || action == Action::Control && !is_writable || draw.bool() {
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
            1 => p0.push(0),
            2 => {
                p0.pop();
            }
            // Some senders read all points with such a mask of any length.
            3 if action == Action::Read && self.is_var_len() => {
                p0 = [&[0x12][..], &vec![0xff; draw.below(23) as usize]].concat();
            }
            _ => {}
        }
        p0
    }

    /// The values that a vector expects, as a driver shows them. A status has the least value of a point without a
    /// value, a control has `-`.
    #[must_use]
    pub fn shown_values(&self, attrs: &Json, is_control: bool) -> String {
        let mut status = self.least();
        let mut out = String::new();
        for (attr, held) in self.product.attrs().zip(&mut status) {
            if let Some(value) = attrs.get(attr.name()) {
                *held = self.held_of(attr, value);
            } else if is_control {
                out += if attr.point().access == Access::Writable {
                    " -"
                } else {
                    ""
                };
                continue;
            }
            let _ = write!(out, "{held}");
        }
        out
    }

    /// The member of a value in JSON: a number, the label of an enum, or bytes as hex digits.
    fn held_of(&self, attr: &Attr, value: &Json) -> Held {
        if let Some(text) = value.as_str() {
            return match attr.point().kind {
                Kind::Binary => {
                    Held::Bytes(payload::parse(text, Some(payload::Encoding::Hex)).expect("hex"))
                }
                _ => {
                    let index = attr.labels().iter().position(|label| label == text);
                    Held::Number(index.expect("a label") as i64)
                }
            };
        }
        let value: Decimal = value.to_string().parse().expect("a number");
        let up = self.places(attr.id().0.into()) - value.scale();
        Held::Number(value.coefficient() * 10_i64.pow(up.into()))
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
                _ => (i64::MIN, i64::MAX),
            };
            let (min, max) = match self.kinds[usize::from(id)] {
                Kind::Bool => (0, 1),
                Kind::Enum { labels } => (0, labels - 1),
                _ => self.layout().limits(PointId(id)).unwrap_or((0, u32::MAX)),
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

/// Returns an arbitrary command to one of the products, with the index of the product.
#[must_use]
pub fn drawn_case(products: &[GeneratedC], bytes: &[u8]) -> (usize, Case) {
    let mut draw = Draw::new(bytes);
    let index = draw.below(products.len() as u32) as usize;
    (index, products[index].case(&mut draw))
}

/// An arbitrary command to one of the products: its generated code answers what the layout says. `drive` passes a line
/// to the code of the product with this index, and returns the answer.
///
/// # Panics
/// If the law is broken.
pub fn law(products: &[GeneratedC], bytes: &[u8], drive: impl FnOnce(usize, &str) -> String) {
    let (index, case) = drawn_case(products, bytes);
    let answer = drive(index, &case.line);
    let name = &products[index].name;
    assert_eq!(answer, case.answer, "{name}: {}", case.line);
}

/// Returns the P0 of a payload, which is the P0 itself or a frame; `None` for a frame without one.
#[must_use]
pub fn p0(payload: &[u8]) -> Option<Vec<u8>> {
    match m2m::parse(payload, m2m::DEFAULT_LIMIT) {
        Ok((m2m::Event::Frame(frame), _)) => frame.p0().map(<[u8]>::to_vec),
        _ => Some(payload.to_vec()),
    }
}
