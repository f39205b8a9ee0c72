//! The core allocates nothing, and neither does a product that decodes into a used buffer, or a log. A session allocates a
//! limited number of bytes.

use std::time::Duration;

use allocation_counter::measure;
use gizwits_codec_core::m2m::{self, Event, Message, ModuleInfo};
use gizwits_codec_core::{Action, Encoder, P0, PointId, Protocol};
use gizwits_codec_std::log::{
    Csv, Decoder, Format, Ndjson, Options, Products, Sink, TableOptions, TextBlock,
};
use gizwits_codec_std::{Product, payload};
use gizwits_lan::{DeviceOptions, MAX_FRAME, ReconnectingClient};
use gizwits_tests::vectors::{fixtures, product, vectors};
use serde_json::Value;

/// Allocations of one run of `work` after a first that may allocate.
fn allocations(mut work: impl FnMut()) -> u64 {
    work();
    measure(work).count_total
}

#[test]
fn the_core_allocates_nothing() {
    for vector in vectors("standard.json")
        .into_iter()
        .chain(vectors("var_len.json"))
    {
        let product = product(vector["definition"].as_str().unwrap());
        let bytes = payload::parse(vector["payload"].as_str().unwrap(), None).unwrap();
        let mut out = vec![0; 4096];
        let count = allocations(|| {
            let p0 = match m2m::parse(&bytes, usize::MAX) {
                Ok((Event::Frame(frame), _)) => frame.p0().unwrap_or(&[]),
                _ => &bytes,
            };
            let parsed = P0::parse(product.layout(), p0);
            let (action, view) = match parsed {
                Ok(P0::Control(view)) => (Action::Control, view),
                Ok(P0::Reply(view)) => (Action::Reply, view),
                Ok(P0::Report(view)) => (Action::Report, view),
                _ => return,
            };
            let mut encoder = Encoder::begin(product.layout(), action, &mut out).unwrap();
            for reading in view {
                let _ = encoder.set(reading.id(), reading.value());
            }
            let _ = encoder.finish();
        });
        assert_eq!(count, 0, "{}", vector["id"]);
    }
}

#[test]
fn a_product_decodes_into_a_used_buffer_without_allocating() {
    for vector in vectors("standard.json")
        .into_iter()
        .chain(vectors("var_len.json"))
    {
        let product = product(vector["definition"].as_str().unwrap());
        let text = vector["payload"].as_str().unwrap();
        let (mut bytes, mut out) = (Vec::new(), Vec::new());
        let count = allocations(|| {
            out.clear();
            payload::parse_into(text, None, &mut bytes).unwrap();
            product.decode(&bytes).unwrap().write_json(&mut out);
        });
        assert_eq!(count, 0, "{}", vector["id"]);
    }
}

/// The JSON of every decoded payload is encoded into a used buffer without allocating, also if the text has white space
/// or the points are in another order.
#[test]
fn a_product_encodes_json_into_a_used_buffer_without_allocating() {
    let mut encoded = 0;
    for vector in vectors("standard.json")
        .into_iter()
        .chain(vectors("var_len.json"))
    {
        let expect = &vector["expect"];
        let action = match expect["action"].as_str() {
            Some("control") => Action::Control,
            Some("reply") => Action::Reply,
            Some("report") => Action::Report,
            _ => continue,
        };
        if vector["canonical"] != true {
            continue;
        }
        let product = product(vector["definition"].as_str().unwrap());
        let attrs = expect["attrs"].as_object().unwrap();
        let member =
            |(name, value): (&String, &Value)| format!("{} : {value}", Value::from(name.as_str()));
        let spaced: Vec<String> = attrs.iter().rev().map(member).collect();
        for json in [
            expect["attrs"].to_string(),
            format!("{{ {} }}", spaced.join(" ,\n")),
        ] {
            let mut out = Vec::new();
            let count = allocations(|| product.encode_json(&json, action, &mut out).unwrap());
            assert_eq!(count, 0, "{}: {json}", vector["id"]);
            // Some payloads are frames, which end with the P0.
            let frame = vector["payload"].as_str().unwrap();
            assert!(frame.ends_with(&payload::hex(&out)), "{json}");
            encoded += 1;
        }
    }
    assert!(encoded > 200, "{encoded} were encoded");
}

/// Records with the least and the greatest values, what can't be, some points alone, and a read, in lines
/// of two shapes and bare.
fn records(product: &Product) -> String {
    let layout = product.layout();
    let mut buffer = vec![0; 4096];
    let mut payloads = vec![match layout.protocol() {
        Protocol::Standard => "02".to_owned(),
        Protocol::VarLen => format!("12{}", "00".repeat(layout.mask_len())),
    }];
    for (action, some) in [
        (Action::Report, 1),
        (Action::Report, 2),
        (Action::Control, 2),
    ] {
        for pick in [|min, _| min, |_, max| max, |_, _| u32::MAX] {
            let Ok(mut encoder) = Encoder::begin(layout, action, &mut buffer) else {
                continue;
            };
            for id in (0..layout.point_count()).step_by(some).map(PointId) {
                let (min, max) = layout.limits(id).unwrap_or((0, 0));
                let _ = encoder.set_raw(id, pick(min, max));
            }
            payloads.push(payload::hex(encoder.finish()));
        }
    }
    let mut log = String::new();
    for (n, payload) in payloads.iter().enumerate() {
        log += &format!(
            "{{\"timestamp\":15173842{n:02}.294,\"type\":\"dev2app\",\"payload\":\"{payload}\"}}\n"
        );
        log += &format!(
            "{{\"did\":\"d,{n:02}\",\"ip\":\"10.0.0.{n:02}\",\"n\":{n},\"payload\":\"{payload}\"}}\n"
        );
        log += &format!("{payload}\n");
    }
    log
}

fn log_allocations(
    products: &Products,
    options: Options,
    device: Option<&str>,
    sink: impl Sink<Block = TextBlock>,
) -> u64 {
    let product = products.iter().next().unwrap();
    let mut log = records(product);
    let mut decoder = Decoder::new(products, options, sink);
    if let Some(did) = device {
        log = log.replace("\"did\":\"d,", &format!("\"did\":\"{did}\",\"x\":\"d,"));
        decoder.set_device(device);
    }
    let log = log.as_bytes();
    let mut block = TextBlock::default();
    allocations(|| {
        block.clear();
        let count = decoder.lines(log, &mut block, |_, line, error| {
            panic!("{}: {error}", line.escape_ascii());
        });
        assert!(count > 4);
    })
}

#[test]
fn a_log_allocates_nothing_once_it_has_room() {
    for name in fixtures() {
        let product = product(&name);
        let products = Products::one(product.clone());
        for which in 0..8 {
            let options = Options {
                strict: which & 1 != 0,
                keep: which & 2 != 0,
                fill: which & 4 != 0,
                ..Options::default()
            };
            // Who names no device is rejected, so all are of one.
            let device = options.fill.then_some("a device");
            let ndjson = Ndjson::new(&products, std::io::sink()).sink();
            let table = TableOptions {
                extra: options.keep,
                ..TableOptions::default()
            };
            let csv = Csv::new(&product, table, std::io::sink()).unwrap();
            assert_eq!(
                log_allocations(&products, options, device, ndjson),
                0,
                "{name} {options:?}"
            );
            assert_eq!(
                log_allocations(&products, options, device, csv.sink()),
                0,
                "{name} {options:?}"
            );
        }
    }
}

/// A client that is logged in.
fn logged_in() -> ReconnectingClient<'static> {
    let now = Duration::ZERO;
    let mut client = ReconnectingClient::new(DeviceOptions::default(), now);
    assert!(client.poll_connect(now));
    client.connected(now);
    for answer in [
        &b"\0\0\0\x03\x06\0\0\x07\0\x01A"[..],
        b"\0\0\0\x03\x04\0\0\x09\0",
    ] {
        client.receive(answer, now);
    }
    assert!(client.is_ready());
    client
}

fn frame(message: &Message<'_>) -> Vec<u8> {
    let mut frame = vec![0; MAX_FRAME];
    let len = message.encode(&mut frame).unwrap();
    frame.truncate(len);
    frame
}

/// The frame of a report of `len` bytes.
fn report(len: usize) -> Vec<u8> {
    let mut p0 = vec![0xff; len];
    p0[0] = 4;
    frame(&Message::P0 {
        command: 0x91,
        sn: None,
        p0: &p0,
    })
}

/// Whatever a device sends, however long and in whatever pieces, a client keeps about one frame of the greatest length.
#[test]
fn a_device_cannot_fill_the_memory_of_its_client() {
    const CHUNK: usize = 16 * 1024;
    let long = report(1 + 65_535);
    // A frame whose greatest length never comes to an end.
    let header = b"\0\0\0\x03\xff\xff\x07\0\0\x91\x04";
    let request = b"\0\0\0\x03\x08\0\0\x93\0\0\0\x01\x04";
    // Bytes that are no text take three times as many as text.
    let info = frame(&Message::ModuleInfo(ModuleInfo {
        wifi_hardware: [b'0'; 8],
        wifi_software: [b'0'; 8],
        mcu_hardware: [b'0'; 8],
        mcu_software: [b'0'; 8],
        p0: [b'0'; 8],
        firmware_id: [0; 8],
        firmware: &[0xff; 65_000],
        product_key: &[0xff; 65_000],
    }));
    let cases: [(&str, Vec<u8>, usize, usize); 7] = [
        ("a long status byte by byte", long.clone(), 1, 2),
        ("long statuses without an end", long, CHUNK, 30),
        (
            "short statuses without an end",
            report(2).repeat(2000),
            CHUNK,
            100,
        ),
        ("garbage without an end", vec![0xff; CHUNK], CHUNK, 100),
        (
            "beginnings of frames without an end",
            header.repeat(1000),
            CHUNK,
            400,
        ),
        ("long module infos without an end", info, CHUNK, 30),
        ("requests without an end", request.repeat(1000), CHUNK, 100),
    ];
    for (case, bytes, chunk, times) in cases {
        let mut client = logged_in();
        let mut events = 0;
        let used = measure(|| {
            for _ in 0..times {
                for piece in bytes.chunks(chunk) {
                    client.receive(piece, Duration::ZERO);
                    while client.poll_event().is_some() {
                        events += 1;
                    }
                }
            }
        });
        assert!(events > 0, "{case}");
        assert!(used.bytes_max < 1024 * 1024, "{case}: {used:?}");
    }
}
