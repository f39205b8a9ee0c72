//! The UART: a slow second decoder, streams as a noisy line delivers them, and the laws.

use gizwits_codec_core::link::testing::Module;
use gizwits_codec_core::link::{Event as LinkEvent, Link, Request};
use gizwits_codec_core::model::{self, DefaultPolicy, Model};
use gizwits_codec_core::uart::{self, Command, Decoder, DeviceInfo, Event, Frame};
use gizwits_codec_core::{Action, ErrorKind, P0};

use crate::arbitrary::Draw;
use crate::generated::{air_conditioner, climate, wave_pump};

/// An event of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefEvent {
    /// Command, sn, flags, payload.
    Frame(u8, u8, u16, Vec<u8>),
    /// The sn of a frame whose checksum is wrong, the checksum that is right and the one that was found.
    Corrupt(u8, u8, u8),
    /// The length of a payload that the buffer has no room for.
    TooLong(u16),
}

/// All events of a line, with a buffer of `room` bytes for what stands between length and checksum.
///
/// ff ff is a header unless another ff follows; from there on bytes are unstuffed until there are as
/// many as the length says or an ff has no 55.
#[must_use]
pub fn scan(line: &[u8], room: usize) -> Vec<RefEvent> {
    let mut events = Vec::new();
    let mut at = 0;
    while at + 1 < line.len() {
        if line[at..at + 2] != [0xff, 0xff] || line.get(at + 2) == Some(&0xff) {
            at += 1;
            continue;
        }
        at += 2;
        let mut content: Vec<u8> = Vec::new();
        loop {
            let total = match content[..] {
                [high, low, ..] => usize::from(u16::from_be_bytes([high, low])) + 2,
                _ => usize::MAX,
            };
            if content.len() == 2 {
                if !(5..=0xfeff).contains(&(total - 2)) {
                    break;
                }
                if total - 3 > room {
                    events.push(RefEvent::TooLong((total - 7) as u16));
                    break;
                }
            }
            let Some(&byte) = line.get(at) else {
                return events;
            };
            let is_last = content.len() + 1 == total;
            match (byte, line.get(at + 1)) {
                (0xff, Some(0x55)) => at += if is_last { 1 } else { 2 },
                // It may be the first of a header, too.
                (0xff, _) if is_last => {}
                (0xff, None) => return events,
                (0xff, Some(_)) => break,
                _ => at += 1,
            }
            content.push(byte);
            if is_last {
                let (body, sum) = (&content[..total - 1], content[total - 1]);
                let right = body.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
                events.push(match right == sum {
                    true => RefEvent::Frame(
                        body[2],
                        body[3],
                        u16::from_be_bytes([body[4], body[5]]),
                        body[6..].to_vec(),
                    ),
                    false => RefEvent::Corrupt(body[3], right, sum),
                });
                break;
            }
        }
    }
    events
}

/// A frame as it goes over the line.
#[must_use]
pub fn wire(command: u8, sn: u8, flags: u16, payload: &[u8]) -> Vec<u8> {
    let mut content = (payload.len() as u16 + 5).to_be_bytes().to_vec();
    content.extend([command, sn]);
    content.extend(flags.to_be_bytes());
    content.extend(payload);
    content.push(content.iter().fold(0, |sum, byte| sum.wrapping_add(*byte)));
    let mut wire = vec![0xff, 0xff];
    for byte in content {
        wire.push(byte);
        if byte == 0xff {
            wire.push(0x55);
        }
    }
    wire
}

/// Draws a frame; bytes of the values ff and 55 are frequent.
fn frame(draw: &mut Draw<'_>) -> (u8, u8, u16, Vec<u8>) {
    let odd = |draw: &mut Draw<'_>| match draw.below(4) {
        0 => 0xff,
        1 => 0x55,
        _ => draw.below(256) as u8,
    };
    let command = odd(draw);
    let sn = odd(draw);
    let flags = u16::from_be_bytes([odd(draw), odd(draw)]);
    let len = match draw.below(8) {
        0 => draw.below(600) as usize,
        _ => draw.below(12) as usize,
    };
    let payload = (0..len).map(|_| odd(draw)).collect();
    (command, sn, flags, payload)
}

/// Bytes as a line may deliver them, and the frames among them that are whole.
pub fn line(draw: &mut Draw<'_>) -> (Vec<u8>, Vec<RefEvent>) {
    let (mut line, mut whole) = (Vec::new(), Vec::new());
    for _ in 0..=draw.below(24) {
        let (command, sn, flags, payload) = frame(draw);
        let mut piece = wire(command, sn, flags, &payload);
        match draw.below(12) {
            0 => {
                let len = draw.below(9) as usize;
                piece = draw.bytes(len);
            }
            1 => {
                let at = draw.below(piece.len() as u32) as usize;
                piece.remove(at);
            }
            2 => piece.truncate(draw.below(piece.len() as u32) as usize),
            3 => {
                let at = draw.below(piece.len() as u32) as usize;
                piece[at] ^= 1 << draw.below(8);
            }
            4 => piece = vec![0xff; draw.below(5) as usize],
            // The last byte not stuffed, as some modules have it.
            5 if piece.ends_with(&[0xff, 0x55]) => {
                piece.pop();
                whole.push(RefEvent::Frame(command, sn, flags, payload));
            }
            _ => whole.push(RefEvent::Frame(command, sn, flags, payload)),
        }
        line.extend(piece);
        if draw.is_empty() {
            break;
        }
    }
    (line, whole)
}

fn owned(event: Event<'_>) -> RefEvent {
    match event {
        Event::Frame(frame) => RefEvent::Frame(
            frame.command.0,
            frame.sn,
            frame.flags,
            frame.payload.to_vec(),
        ),
        Event::Corrupt {
            sn,
            expected,
            found,
        } => RefEvent::Corrupt(sn, expected, found),
        Event::TooLong { payload } => RefEvent::TooLong(payload),
    }
}

/// A line in any chunks is the line in one piece, and the slow decoder says the same of it. Frames that
/// arrive whole are found. What is found is written and read again, and cut, and is wrong with another
/// byte in it.
///
/// # Panics
/// If the law is broken.
pub fn frames(bytes: &[u8]) {
    let mut draw = Draw::new(bytes);
    let (line, whole) = match draw.bool() {
        true => line(&mut draw),
        false => (draw.bytes(bytes.len()), Vec::new()),
    };
    let room = [4, 12, 1024, 65_536][draw.below(4) as usize];
    let expected = scan(&line, room);

    let mut found = whole.iter();
    let mut next = found.next();
    for event in &expected {
        if Some(event) == next {
            next = found.next();
        }
    }
    if room >= 1024 {
        assert_eq!(next, None, "a frame that arrived whole is lost");
    }

    let mut buffer = vec![0; room];
    let mut decoder = Decoder::new(&mut buffer);
    let mut byte_by_byte = Vec::new();
    for byte in &line {
        byte_by_byte.extend(decoder.push(*byte).map(owned));
    }
    assert_eq!(byte_by_byte, expected);

    let mut decoder = Decoder::new(&mut buffer);
    let (mut chunked, mut rest) = (Vec::new(), &line[..]);
    while !rest.is_empty() {
        let (mut chunk, behind) = rest.split_at((1 + draw.below(40) as usize).min(rest.len()));
        rest = behind;
        while let Some(event) = decoder.next_event(&mut chunk) {
            chunked.push(owned(event));
        }
        assert!(chunk.is_empty());
    }
    assert_eq!(chunked, expected);

    for event in &expected {
        if let RefEvent::Frame(command, sn, flags, payload) = event {
            let frame = Frame {
                command: Command(*command),
                sn: *sn,
                flags: *flags,
                payload,
            };
            there_and_back(&frame, &mut draw);
        }
    }
}

fn there_and_back(frame: &Frame<'_>, draw: &mut Draw<'_>) {
    let mut written = vec![0; 2 * (frame.payload.len() + uart::OVERHEAD)];
    let len = frame.encode(&mut written).expect("there is room");
    let sound = wire(frame.command.0, frame.sn, frame.flags, frame.payload);
    assert_eq!(written[..len], sound);
    let error = frame.encode(&mut written[..len - 1]).expect_err("no room");
    assert_eq!(error.kind, ErrorKind::OutOfSpace { needed: len as u32 });

    let mut buffer = vec![0; frame.payload.len() + Decoder::OVERHEAD];
    let parsed = uart::parse(&sound, &mut buffer);
    assert_eq!(parsed, Ok((*frame, &[][..])));
    let _ = frame.message();

    // The 55 of the last byte is the one that may be missing.
    let needed = len - usize::from(sound.ends_with(&[0xff, 0x55]));
    for cut in (0..needed).take(40) {
        let error = uart::parse(&sound[..cut], &mut buffer).expect_err("it is cut");
        let ErrorKind::Incomplete { missing } = error.kind else {
            panic!("{error:?} of {cut} bytes of {sound:02x?}");
        };
        assert!(missing >= 1 && cut + missing as usize <= len && error.byte == Some(cut as u32));
    }
    assert!(uart::parse(&sound[..needed], &mut buffer).is_ok());
    let short = buffer.len() - 1;
    let error = uart::parse(&sound, &mut buffer[..short]).expect_err("no room");
    assert_eq!(error.kind, ErrorKind::FrameLimit);

    let mut broken = sound.clone();
    let at = draw.below(broken.len() as u32) as usize;
    broken[at] ^= 1 << draw.below(8);
    // One flipped bit shows in the sum, in the length, or in what has no 55; in a 55 itself, or in what
    // becomes an ff, it may make the frame shorter or longer.
    if let Ok((other, rest)) = uart::parse(&broken, &mut buffer) {
        assert!(other != *frame || rest.len() <= 1, "{broken:02x?}");
    }
}

/// A link on any schedule of bytes, time, changes and requests: what it sends are whole frames, each answer
/// has its request's number, nothing is sent again too early or too often; and once the line is good, the
/// module knows the status.
///
/// # Panics
/// If the law is broken.
pub fn link(bytes: &[u8]) {
    let mut draw = Draw::new(bytes);
    match draw.bool() {
        true => schedule::<climate::Product>(&mut draw, |status, raw| {
            status.power = raw & 1 == 1;
            status.hue = raw as u8;
            status.co2 = raw as u16;
            // Now and then a label that there isn't.
            status.mode = climate::Mode::from((raw >> 8) as u8 & 3);
        }),
        false => schedule::<wave_pump::Product>(&mut draw, |status, raw| {
            status.switch_on = raw & 1 == 1;
            status.flow = raw as u8;
            status.mode = wave_pump::Mode::from((raw >> 8) as u8 & 3);
        }),
    }
}

/// Passes a byte to a link, which writes at most `longest` bytes for it.
fn receive<'l, M: Model>(
    link: &'l mut Link<'_, M>,
    byte: u8,
    now: u32,
    sent: &mut Vec<u8>,
    longest: usize,
) -> Option<LinkEvent<'l, M>> {
    let before = sent.len();
    let event = link.receive(byte, now, &mut |byte| sent.push(byte));
    assert!(sent.len() - before <= longest);
    event
}

fn schedule<M: Model>(draw: &mut Draw<'_>, change: fn(&mut M::Status, u32))
where
    M::Status: Default,
{
    let info = DeviceInfo::new(M::PRODUCT_KEY);
    let mut buffer = vec![0; Link::<M>::room()];
    let mut outbox = vec![0; draw.pick(&[0, 8, 300])];
    let longest = Link::<M>::longest(outbox.len());
    let mut link: Link<'_, M> = Link::new(&info, &mut buffer).with_outbox(&mut outbox);
    let mut status = M::Status::default();
    let mut now = draw.below(u32::MAX);
    // Command and number of what was sent last, how often, and when.
    let mut last: Option<(u8, u8, u32, u32)> = None;
    let codes = [Action::Control, Action::Read].map(|action| action.code(M::LAYOUT.protocol()));
    for _ in 0..200 {
        if draw.is_empty() {
            break;
        }
        let mut sent = Vec::new();
        match draw.below(8) {
            0 => now = now.wrapping_add(draw.below(1000)),
            1 => now = now.wrapping_add(draw.below(700_000)),
            2 => change(&mut status, draw.below(u32::MAX)),
            3 => {
                let requests = [
                    Request::TIME,
                    Request::RESET,
                    Request::module(0),
                    Request::BIND,
                ];
                // A byte of data that is stuffed.
                let data = vec![0xff; draw.pick(&[0, 8, 300])];
                if !draw.chance(30) || link.send(&data).is_err() {
                    let _ = link.request(draw.pick(&requests));
                }
                assert!(link.request(Request::TIME).is_err(), "it is asked already");
                assert!(link.send(&[]).is_err());
            }
            4 => {
                // An acknowledgement, mostly of what was sent.
                let (command, sn, ..) = last.unwrap_or((5, 0, 0, 0));
                let of = sn;
                let sn = if draw.chance(20) {
                    draw.below(256) as u8
                } else {
                    of
                };
                let len = draw.pick(&[0, 11, 65]);
                let payload = draw.bytes(len);
                for byte in wire(command.wrapping_add(1), sn, 0, &payload) {
                    let _ = receive(&mut link, byte, now, &mut sent, longest);
                }
                for answer in scan(&sent, 1024) {
                    // To noise before it.
                    assert!(matches!(answer, RefEvent::Frame(0x12, ..)), "{answer:?}");
                }
                sent.clear();
                last = last.filter(|_| of != sn);
            }
            5 => {
                let len = draw_len(draw, 40);
                for byte in draw.bytes(len) {
                    let _ = receive(&mut link, byte, now, &mut sent, longest);
                }
                // What is sent for noise is that it is illegal, or it was a frame.
                sent.clear();
            }
            _ => {
                let command = draw.pick(&[1, 3, 3, 3, 7, 13, 15, 0x11, 0x70, 0x19]);
                let len = draw_len(draw, 40);
                let mut payload = draw.bytes(len);
                if let (3, Some(action)) = (command, payload.first_mut())
                    && draw.chance(80)
                {
                    *action = draw.pick(&[codes[0], codes[1], 5]);
                }
                let sn = draw.below(256) as u8;
                let (mut frames, mut reads) = (0, false);
                for byte in wire(command, sn, 0, &payload) {
                    match receive(&mut link, byte, now, &mut sent, longest) {
                        Some(LinkEvent::Frame(frame)) => {
                            assert_eq!((frame.command.0, frame.payload), (command, &payload[..]));
                            frames += 1;
                        }
                        Some(LinkEvent::Control(update)) => update.apply(&mut status, |_, _| {}),
                        Some(LinkEvent::Illegal(code)) => assert_eq!(code.0, payload[0]),
                        _ => {}
                    }
                }
                reads |= command == 3 && payload.first() == Some(&codes[1]);
                match scan(&sent, 1024).last() {
                    Some(RefEvent::Frame(ack, of, 0, _))
                        if *of == sn && [command + 1, 0x12].contains(ack) => {}
                    // Noise before it may have been the end of an illegal one.
                    None | Some(RefEvent::Frame(0x12, ..)) => assert!(
                        // Frames and what is called illegal are not answered, reads when it is polled.
                        frames == 1 || command == 0x11 || reads,
                        "no answer to {command:#x}"
                    ),
                    other => panic!("{other:?} for {command:#x}"),
                }
                sent.clear();
            }
        }
        assert!(sent.is_empty());
        let event = link.poll(now, &status, &mut |byte| sent.push(byte));
        let unanswered = match event {
            Some(LinkEvent::Unanswered(command)) => Some(command.0),
            _ => None,
        };
        let frames = scan(&sent, 1024);
        let whole: Vec<u8> = frames
            .iter()
            .flat_map(|frame| match frame {
                RefEvent::Frame(command, sn, flags, payload) => {
                    wire(*command, *sn, *flags, payload)
                }
                other => panic!("it sends {other:?}"),
            })
            .collect();
        assert_eq!(whole, sent, "it sends more than frames");
        assert!(sent.len() <= longest);
        for frame in &frames {
            let RefEvent::Frame(command, sn, _, payload) = frame else {
                continue;
            };
            if *command == 4 {
                assert!(P0::parse(M::LAYOUT, payload).is_ok());
                continue;
            }
            if *command == 5 && payload[0] != 6 {
                let report = P0::parse(M::LAYOUT, payload);
                assert!(matches!(report, Ok(P0::Report(_))), "{report:?}");
            }
            last = Some(match last {
                Some((one, number, tries, since)) if (one, number) == (*command, *sn) => {
                    assert!(now.wrapping_sub(since) >= 200 && tries < 3);
                    (one, number, tries + 1, now)
                }
                _ => (*command, *sn, 1, now),
            });
        }
        if let (Some(command), Some((sent, _, tries, since))) = (unanswered, last) {
            assert!(command == sent && tries == 3 && now.wrapping_sub(since) >= 200);
        }
    }

    // A good line, and a status that is.
    status = M::Status::default();
    let expected = model::encode::<M>(&status).expect("it is sound");
    let mut module = Module::<M>::new();
    let mut told = M::Status::default();
    change(&mut told, 0x0055_5555);
    for _ in 0..200 {
        now = now.wrapping_add(1 + link.wait(now).min(10_000));
        let mut sent = Vec::new();
        let _ = link.poll(now, &status, &mut |byte| sent.push(byte));
        for byte in sent {
            for answer in module.receive(byte) {
                let _ = link.receive(answer, now, &mut |_| {
                    panic!("an acknowledgement is answered")
                });
            }
        }
    }
    for report in module.reports() {
        model::merge::<M>(report, &mut told).expect("a report");
    }
    let known = model::encode::<M>(&told).expect("it was told");
    assert_eq!(
        known.as_ref(),
        expected.as_ref(),
        "the module knows another status"
    );
    if let Some(reported) = module.reported() {
        let reported = model::encode::<M>(&reported).expect("it was reported");
        assert_eq!(reported.as_ref(), known.as_ref());
    }
}

/// Alerts and faults are reported within the link's own times, whatever controls set and whatever the other
/// points of the status hold, and reports hold valid values alone.
///
/// # Panics
/// If the law is broken.
pub fn alarms(bytes: &[u8]) {
    let mut draw = Draw::new(bytes);
    match draw.bool() {
        true => alarmed::<air_conditioner::Product>(
            &mut draw,
            |status, alarms, any| {
                status.alert_shutdown = alarms & 1 != 0;
                status.alert_full = alarms & 2 != 0;
                status.fault_roomtemp = alarms & 4 != 0;
                status.room_temp = any as i32;
            },
            |status| {
                u8::from(status.alert_shutdown)
                    | u8::from(status.alert_full) << 1
                    | u8::from(status.fault_roomtemp) << 2
            },
        ),
        false => alarmed::<wave_pump::Product>(
            &mut draw,
            |status, alarms, _| {
                status.fault_overcurrent = alarms & 1 != 0;
                status.fault_over_temp = alarms & 2 != 0;
                status.fault_uart = alarms & 4 != 0;
            },
            |status| {
                u8::from(status.fault_overcurrent)
                    | u8::from(status.fault_over_temp) << 1
                    | u8::from(status.fault_uart) << 2
            },
        ),
    }
}

/// The effect of a line on reports for a while.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Weather {
    Good,
    /// Acknowledgements are lost.
    Deaf,
    /// Reports are lost for two seconds.
    Lost,
}

fn alarmed<M: Model>(
    draw: &mut Draw<'_>,
    set: fn(&mut M::Status, u8, u32),
    get: fn(&M::Status) -> u8,
) where
    M::Status: Default,
{
    let info = DeviceInfo::new(M::PRODUCT_KEY);
    let mut buffer = vec![0; Link::<M>::room()];
    let mut link: Link<'_, M> = Link::new(&info, &mut buffer);
    let mut told = M::Status::default();
    let (mut now, mut sn) = (draw.below(u32::MAX), 0_u8);
    let mut known: Vec<_> = link.invalid().collect();
    for _ in 0..40 {
        if draw.is_empty() {
            break;
        }
        // Any values that the types of the status hold, and a control of any bytes.
        let mut values = M::VALUES;
        let len = values.as_ref().len();
        values.as_mut().copy_from_slice(&draw.bytes(len));
        let mut status = M::decode(&values);
        if draw.bool() {
            sn = sn.wrapping_add(1);
            let frame = wire(3, sn, 0, &any_control::<M>(draw));
            let mut answer = Vec::new();
            for byte in frame {
                let event = link.receive(byte, now, &mut |byte| answer.push(byte));
                if let Some(LinkEvent::Control(update)) = event {
                    let mut left_out = 0;
                    update.apply(&mut status, |_, _| left_out += 1);
                    assert_eq!(update.is_valid(), left_out == 0);
                }
            }
            assert_eq!(scan(&answer, 64), [RefEvent::Frame(4, sn, 0, vec![])]);
        }
        let alarms = draw.below(8) as u8;
        set(&mut status, alarms, draw.below(u32::MAX));
        let mut invalid = Vec::new();
        let (last, mut out) = (M::VALUES, M::VALUES);
        M::encode::<DefaultPolicy>(&status, &last, &mut out, &mut |point, _| {
            invalid.push(point)
        });

        let weather = draw.pick(&[Weather::Good, Weather::Deaf, Weather::Lost]);
        // A report that is on its way may be sent three times before the next; after one that nobody
        // acknowledged there is one of everything within six seconds.
        let within = match weather {
            Weather::Good | Weather::Deaf => 1_000,
            Weather::Lost => 2_000 + 6_000 + 1_000,
        };
        let mut passed = 0;
        loop {
            let mut sent = Vec::new();
            match link.poll(now, &status, &mut |byte| sent.push(byte)) {
                Some(LinkEvent::Invalid) => {
                    let points: Vec<_> = link.invalid().collect();
                    assert_ne!(points, known, "it says the same again");
                    known = points;
                }
                None | Some(LinkEvent::Unanswered(Command::FROM_DEVICE)) => {}
                Some(_) => panic!("nothing else was asked for"),
            }
            assert_eq!(known, invalid, "it says so at once");
            for frame in scan(&sent, 1024) {
                let RefEvent::Frame(5, sn, 0, payload) = frame else {
                    panic!("{frame:?}");
                };
                let Ok(P0::Report(view)) = P0::parse(M::LAYOUT, &payload) else {
                    panic!("{payload:02x?}");
                };
                assert!(view.iter().all(|reading| reading.flagged().is_none()));
                if weather == Weather::Lost && passed < 2_000 {
                    continue;
                }
                model::merge::<M>(&payload, &mut told).expect("a report");
                if weather != Weather::Deaf {
                    for byte in wire(6, sn, 0, &[]) {
                        let _ = link.receive(byte, now, &mut |_| {});
                    }
                }
            }
            if get(&told) == alarms && (weather != Weather::Lost || passed >= 2_000) {
                break;
            }
            assert!(passed <= within, "{alarms:03b} is not reported");
            let wait = 1 + link.wait(now).min(500);
            now = now.wrapping_add(wait);
            passed += wait;
        }
    }
}

/// A control of any flags that may be set and of any values.
fn any_control<M: Model>(draw: &mut Draw<'_>) -> Vec<u8> {
    let code = Action::Control.code(M::LAYOUT.protocol());
    let mut control = [&[code][..], &draw.bytes(M::LAYOUT.flags_len())].concat();
    loop {
        // Flags that can't be set go, values that are missing come.
        match P0::parse(M::LAYOUT, &control).map_err(|error| (error.kind, error.point)) {
            Ok(_) => return control,
            Err((ErrorKind::Incomplete { missing }, _)) => {
                control.extend(draw.bytes(missing as usize));
            }
            Err((ErrorKind::Trailing { extra }, _)) => {
                control.truncate(control.len() - extra as usize);
            }
            Err((ErrorKind::NotWritable, Some(point))) => {
                let at = M::LAYOUT.flags_len() - usize::from(point.0 / 8);
                control[at] &= !(1 << (point.0 % 8));
            }
            // A flag past the points.
            Err(_) => control[1] &= !(0x80 >> control[1].leading_zeros()),
        }
    }
}

fn draw_len(draw: &mut Draw<'_>, most: u32) -> usize {
    draw.below(most) as usize
}
