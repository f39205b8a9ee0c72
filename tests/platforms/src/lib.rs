//! Exercises of the core: random messages, frames and numbers, from a generator of random numbers that is the same on
//! every machine. Each exercise prints one line with a hash of its results. The lines are the same on machines with
//! words of 32 and 64 bits, little-endian and big-endian. Without texts, they are the same with words of 16 bits.

#![no_std]

use core::fmt::{Arguments, Write as _};

use gizwits_codec_core::{
    Access, Action, Decimal, Encoder, Error, Layout, LayoutRef, Mask, Point, PointId, Protocol,
    Raw, Rounding, UintSpec, Value, View, m2m, uart,
};

/// Tenths of a degree from -10.
const TENTHS: UintSpec = UintSpec::new(0, 450).scaled(Decimal::new(1, 1), Decimal::new(-10, 0));
/// A ratio and an addition of many digits.
const LONG: UintSpec = UintSpec::new(1, 4_000_000_000)
    .scaled(Decimal::new(1_000_003, 6), Decimal::new(-123_456_789, 3));

const fn points(area: u32, bytes: u32) -> [Point; 12] {
    [
        Point::bool(0, Access::Writable, area, 0),
        Point::enumeration(1, Access::Writable, area, 1, 3, 5),
        Point::enumeration(2, Access::Writable, area, 4, 9, 400),
        Point::bool(3, Access::Writable, area, 13),
        Point::uint8(4, Access::Writable, bytes, UintSpec::new(16, 30)),
        Point::uint16(5, Access::Writable, bytes + 1, TENTHS),
        Point::uint32(6, Access::Writable, bytes + 3, LONG),
        Point::binary(7, Access::Writable, bytes + 7, 5),
        Point::bool(8, Access::ReadOnly, bytes + 12, 0),
        Point::enumeration(9, Access::ReadOnly, bytes + 12, 3, 32, 4_000_000_000),
        Point::uint16(10, Access::ReadOnly, bytes + 17, UintSpec::new(0, 65_535)),
        Point::uint32(
            11,
            Access::ReadOnly,
            bytes + 19,
            UintSpec::new(0, 4_294_967_295),
        ),
    ]
}

static STANDARD: Layout<12> = Layout::must(Protocol::Standard, &points(0, 2));
static VAR_LEN: Layout<12> = Layout::must(Protocol::VarLen, &points(0, 2));
/// The longest status that a definition can have. No message of a machine with words of 16 bits is that long.
static LONGEST: Layout<2> = Layout::must(
    Protocol::VarLen,
    &[
        Point::binary(0, Access::Writable, 0, 65_000),
        Point::binary(1, Access::Writable, 0, 535),
    ],
);

/// Whether the texts of errors and numbers belong to the hashes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Texts {
    /// Texts in the hashes.
    Hashed,
    /// Hashes without texts. With words of 16 bits, the number of missing bytes in the text of an error saturates, and
    /// `core::fmt` of Rust 1.96 does not work on an AVR: it marks static texts by the lowest bit of a pointer, which is a
    /// bit of the address where pointers have no alignment.
    LeftOut,
}

/// A hash of everything that is written into it (FNV-1a).
struct Hash {
    hash: u32,
    texts: Texts,
}

impl Hash {
    fn bytes(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.hash = (self.hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
        }
    }

    fn number(&mut self, number: u64) {
        self.bytes(&number.to_be_bytes());
    }

    fn text(&mut self, text: Arguments<'_>) {
        if self.texts == Texts::Hashed {
            let _ = self.write_fmt(text);
        }
    }

    fn error(&mut self, error: &Error) {
        self.text(format_args!("{error}"));
        self.bytes(error.kind.name().as_bytes());
    }

    fn view(&mut self, view: &View<'_, '_>) {
        for point in *view {
            self.number(point.id().0.into());
            match point.raw() {
                Raw::Number(raw) => self.number(raw.into()),
                Raw::Bytes(bytes) => self.bytes(bytes),
            }
            if let Value::Number(number) = point.value() {
                self.number(number.coefficient() as u64);
                self.text(format_args!("{number}"));
            }
            self.bytes(point.flagged().map_or("", |kind| kind.name()).as_bytes());
            self.number(point.span().bytes.start as u64);
            self.number(u64::from(point.span().shift));
        }
        view.surplus_flags()
            .for_each(|flag| self.number(flag.into()));
        self.number(view.missing() as u64);
        self.bytes(view.extra());
    }
}

impl core::fmt::Write for Hash {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        self.bytes(text.as_bytes());
        Ok(())
    }
}

/// A generator of random numbers (xorshift).
struct Random(u32);

impl Random {
    fn next(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0
    }

    fn below(&mut self, end: u32) -> u32 {
        self.next() % end
    }

    fn fill<'b>(&mut self, bytes: &'b mut [u8], len: u32) -> &'b mut [u8] {
        let bytes = &mut bytes[..len as usize];
        bytes.fill_with(|| (self.next() >> 7) as u8);
        bytes
    }
}

/// Prints one line: a name and a number.
pub fn line(put: &mut dyn FnMut(u8), name: &str, number: u32) {
    name.bytes().for_each(&mut *put);
    put(b' ');
    for shift in (0..8).rev() {
        put(b"0123456789abcdef"[(number >> (4 * shift)) as usize & 15]);
    }
    put(b'\n');
}

/// Runs all exercises and prints their lines.
pub fn run(put: &mut dyn FnMut(u8), texts: Texts) {
    for (name, exercise) in [
        ("views", views as fn(&mut Hash, &mut Random)),
        ("encoders", encoders),
        ("states", states),
        ("lengths", lengths),
        ("masks", masks),
        ("m2m frames", m2m_frames),
        ("m2m lengths", m2m_lengths),
        ("uart frames", uart_frames),
        ("decimals", decimals),
    ] {
        let mut hash = Hash {
            hash: 0x811c_9dc5,
            texts,
        };
        exercise(&mut hash, &mut Random(0x2545_f491));
        line(put, name, hash.hash);
    }
}

/// Returns one of the two products with all kinds of points.
fn product(random: &mut Random) -> LayoutRef<'static> {
    match random.below(2) {
        0 => STANDARD.get(),
        _ => VAR_LEN.get(),
    }
}

/// Random bodies, complete, too short and too long.
fn views(hash: &mut Hash, random: &mut Random) {
    let mut room = [0; 40];
    for _ in 0..150 {
        let layout = product(random);
        let whole = layout.p0_len(Action::Report) as u32 - 1;
        let len = match random.below(4) {
            0 => random.below(40),
            _ => whole,
        };
        let body = random.fill(&mut room, len);
        match layout.view(body) {
            Ok(view) => hash.view(&view),
            Err(error) => hash.error(&error),
        }
        match layout.view_control(body) {
            Ok(view) => hash.view(&view),
            Err(error) => hash.error(&error),
        }
        hash.view(&layout.view_lax(body));
    }
}

/// Random values in random order, many of them refused, in every message.
fn encoders(hash: &mut Hash, random: &mut Random) {
    let mut room = [0; 40];
    for _ in 0..150 {
        let layout = product(random);
        let action = [Action::Control, Action::Report, Action::Read, Action::Reply];
        let action = action[random.below(4) as usize];
        let mut encoder = match Encoder::begin(layout, action, &mut room) {
            Ok(encoder) => encoder.rounding(Rounding::HalfUp),
            Err(error) => return hash.error(&error),
        };
        for _ in 0..random.below(20) {
            let id = PointId(random.below(13) as u16);
            let number = i64::from(random.next()) << random.below(20) >> random.below(40);
            let bytes = random.next().to_be_bytes();
            let bytes = [bytes[0], bytes[1], bytes[2], bytes[3], 7];
            let result = match random.below(6) {
                0 => encoder.set(id, Value::Bool(number & 1 == 1)),
                1 => encoder.set(id, Value::Enum(random.below(8))),
                2 => encoder.set(
                    id,
                    Value::Number(Decimal::new(number, random.below(4) as u8)),
                ),
                3 => encoder.set(id, Value::Binary(&bytes)),
                4 => encoder.set_raw(id, random.below(500)),
                _ => encoder.want(id),
            };
            if let Err(error) = result {
                hash.error(&error);
            }
        }
        hash.bytes(encoder.finish());
    }
}

/// A state that messages with some of the points are merged into.
fn states(hash: &mut Hash, random: &mut Random) {
    let layout = VAR_LEN.get();
    let (mut room, mut known, mut status) = ([0; 40], [0; 2], [0; 25]);
    for _ in 0..100 {
        let len = layout.p0_len(Action::Report) as u32 - 1;
        let view = layout.view_lax(random.fill(&mut room, len));
        if let Err(error) = view.merge_into(&mut known, &mut status) {
            hash.error(&error);
        }
        hash.bytes(&status);
        match layout.view_known(&known, &status) {
            Ok(view) => hash.view(&view),
            Err(error) => hash.error(&error),
        }
    }
}

/// A status that is longer than any message of a small machine.
fn lengths(hash: &mut Hash, random: &mut Random) {
    let layout = LONGEST.get();
    hash.number(layout.status_len() as u64);
    let mut room = [0; 40];
    for len in 0..40 {
        let body = random.fill(&mut room, len);
        for result in [layout.view(body), layout.view_control(body)] {
            match result {
                Ok(view) => hash.view(&view),
                // The number of missing bytes saturates at the largest `usize`.
                Err(error) => hash.bytes(error.kind.name().as_bytes()),
            }
        }
        hash.view(&layout.view_lax(body));
        let begun = Encoder::begin(layout, Action::Report, body).map(drop);
        hash.bytes(
            begun
                .map_or_else(|error| error.kind.name(), |()| "")
                .as_bytes(),
        );
    }
}

/// Masks of any length.
fn masks(hash: &mut Hash, random: &mut Random) {
    let mut room = [0; 40];
    for _ in 0..100 {
        let len = random.below(40);
        let mask = Mask::new(random.fill(&mut room, len));
        mask.ids().for_each(|id| hash.number(id.0.into()));
        let id = PointId(random.below(400) as u16);
        hash.number(mask.contains(id).into());
    }
    let ones = [0xff; 300];
    hash.number(Mask::new(&ones).ids().count() as u64);
}

/// A stream of frames and noise, in pieces of any length.
fn m2m_frames(hash: &mut Hash, random: &mut Random) {
    let (mut buffer, mut body, mut wire) = ([0; 64], [0; 64], [0; 128]);
    let mut decoder = m2m::Decoder::new(&mut buffer);
    for _ in 0..150 {
        let (len, sn) = (random.below(48), random.next());
        let commands = [
            m2m::TO_DEVICE,
            m2m::FROM_DEVICE,
            m2m::REQUEST,
            m2m::ACK,
            0x0015,
        ];
        let command = commands[random.below(5) as usize];
        let frame = m2m::Frame {
            flag: 0,
            command,
            sn: m2m::Frame::has_sn(command).then_some(sn),
            did: (sn & 3 == 0).then_some(b"did"),
            body: random.fill(&mut body, len),
        };
        let room = random.below(128) as usize;
        let mut len = match frame.encode(&mut wire[..room]) {
            Ok(len) => len as u32,
            Err(error) => {
                hash.error(&error);
                random.fill(&mut wire, 20).len() as u32
            }
        };
        if random.below(4) == 0 {
            // A byte of the frame becomes another one, or its end is lost.
            wire[random.below(len) as usize] = random.next() as u8;
            len -= random.below(len);
        }
        for piece in wire[..len as usize].chunks(1 + random.below(40) as usize) {
            let mut rest = piece;
            loop {
                rest = decoder.push(rest);
                while let Some(event) = decoder.next_event() {
                    match event {
                        m2m::Event::Service { command } => hash.number(command.into()),
                        m2m::Event::Frame(frame) => {
                            hash.number(frame.command.into());
                            hash.number(frame.sn.unwrap_or(0).into());
                            hash.bytes(frame.did.unwrap_or(&[]));
                            hash.bytes(frame.body);
                        }
                    }
                }
                if rest.is_empty() {
                    break;
                }
            }
        }
    }
    hash.number(decoder.skipped() as u64);
}

/// Lengths of up to 28 bits, which must not be taken for their lowest 16 bits.
fn m2m_lengths(hash: &mut Hash, random: &mut Random) {
    for bits in 0..28 {
        for _ in 0..4 {
            let length = (1 << bits) + random.below(40);
            let mut bytes = [
                0, 0, 0, 3, 0, 0, 0, 0, 0x02, 0, 0x91, 4, 1, 2, 3, 4, 5, 6, 7, 8,
            ];
            // Four bytes, with leading zeros.
            for (byte, shift) in bytes[4..8].iter_mut().zip([0, 7, 14, 21]) {
                *byte = (length >> shift) as u8 | if shift < 21 { 0x80 } else { 0 };
            }
            bytes[7] &= 0x7f;
            match m2m::parse(&bytes, 200) {
                Ok((m2m::Event::Frame(frame), rest)) => {
                    hash.bytes(frame.body);
                    hash.number(rest.len() as u64);
                }
                Ok(_) => {}
                Err(error) => hash.error(&error),
            }
            let scan = m2m::scan(&bytes, 200);
            hash.number(scan.consumed as u64);
            hash.number(scan.skipped as u64);
        }
    }
}

/// A serial line with frames and noise.
fn uart_frames(hash: &mut Hash, random: &mut Random) {
    let (mut buffer, mut payload, mut wire) = ([0; 64], [0; 64], [0; 160]);
    let mut decoder = uart::Decoder::new(&mut buffer);
    for _ in 0..150 {
        let len = random.below(64);
        let payload = random.fill(&mut payload, len);
        if random.below(2) == 0 {
            payload.fill(0xff);
        }
        let frame = uart::Frame {
            command: uart::Command(random.below(32) as u8),
            sn: random.next() as u8,
            flags: random.below(3) as u16,
            payload,
        };
        let len = match frame.encode(&mut wire) {
            Ok(len) => len,
            Err(error) => return hash.error(&error),
        };
        if random.below(4) == 0 {
            wire[random.below(len as u32) as usize] = random.next() as u8;
        }
        let mut content = [0; 64];
        match uart::parse(&wire[..len], &mut content) {
            Ok((frame, rest)) => {
                hash.bytes(frame.payload);
                hash.bytes(rest);
            }
            Err(error) => hash.error(&error),
        }
        for byte in &wire[..len] {
            match decoder.push(*byte) {
                None => {}
                Some(uart::Event::Frame(frame)) => {
                    hash.bytes(&[frame.command.0, frame.sn]);
                    hash.bytes(frame.payload);
                }
                Some(uart::Event::Corrupt {
                    sn,
                    expected,
                    found,
                }) => {
                    hash.bytes(&[sn, expected, found]);
                }
                Some(uart::Event::TooLong { payload }) => hash.number(payload.into()),
            }
        }
    }
}

/// Numbers as text, there and back.
fn decimals(hash: &mut Hash, random: &mut Random) {
    for _ in 0..100 {
        let high = i64::from(random.next() as i32) << 32;
        let number = (high | i64::from(random.next())) >> random.below(64);
        let number = Decimal::new(number, random.below(19) as u8);
        hash.text(format_args!("{number} {number:.2}"));
        hash.number(number.to_f64().to_bits());
        hash.number(number.digits().into());
        let texts = [
            "21.5",
            "-0.001",
            "1e5",
            "123456789012.25",
            "1.",
            "9223372036854775807",
        ];
        match texts[random.below(6) as usize].parse::<Decimal>() {
            Ok(number) => hash.number(number.coefficient() as u64),
            Err(error) => hash.error(&error),
        }
    }
}
