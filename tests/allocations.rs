//! The core allocates nothing, and neither does a product that decodes into a used buffer, or a log.

use allocation_counter::measure;
use gizwits_codec_core::m2m::{self, Event};
use gizwits_codec_core::{Action, Encoder, P0, PointId, Protocol};
use gizwits_codec_std::log::{Csv, Decoder, Format, Ndjson, Options, Products, Sink, TextBlock};
use gizwits_codec_std::{Product, payload};
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
        let count = allocations(|| {
            out.clear();
            product.write_json(&bytes, &mut out).unwrap();
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
            for id in (0..layout.points()).step_by(some).map(PointId) {
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
            let csv = Csv::new(&product, options.keep, std::io::sink()).unwrap();
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
