//! Payloads and lines of hex to JSON.

use std::hint::black_box;

use gizwits_codec_std::log::{Decoder, Format as _, Ndjson, Options, Products, TextBlock};
use gizwits_codec_std::payload::{self, Encoding};

use super::decode;
use crate::fixture::Fixture;
use crate::kernel::{Kernel, Output};
use crate::peer::{naive, serde, tidy};

/// The kernels of the group.
#[must_use]
pub fn kernels() -> Vec<Kernel> {
    let mut all = Vec::new();
    for (name, fixture) in decode::standard() {
        all.extend(payloads(name, fixture));
        all.extend(lines(name, fixture));
        all.extend(hex(name, fixture));
    }
    for (name, fixture) in decode::var_len().into_iter().take(3) {
        all.push(payload_to_json(name, fixture));
    }
    all
}

/// A payload to JSON text in a buffer that is used again.
fn payload_to_json(name: &str, fixture: &'static Fixture) -> Kernel {
    Kernel::new(
        format!("text/{name}/payload to JSON/product"),
        fixture.reports,
        Vec::new,
        |out, report| {
            out.clear();
            if let Ok(decoded) = fixture.product.decode(report) {
                decoded.write_json(out);
            }
        },
        |out| Output::json(out),
    )
}

fn payloads(name: &str, fixture: &'static Fixture) -> Vec<Kernel> {
    let mut all = vec![payload_to_json(name, fixture)];
    all.push(Kernel::new(
        format!("text/{name}/payload to JSON/to_json"),
        fixture.reports,
        Vec::new,
        |out, report| {
            if let Ok(decoded) = fixture.product.decode(report) {
                *out = decoded.to_json().into_bytes();
            }
        },
        |out| Output::json(out),
    ));
    if name == "A" {
        all.push(Kernel::new(
            "text/A/payload to JSON/serde struct",
            fixture.bodies,
            Vec::new,
            |out, body| {
                out.clear();
                typed(body, out);
            },
            |out| Output::json(out),
        ));
    }
    let attrs = tidy::compile(&fixture.definition);
    all.push(Kernel::new(
        format!("text/{name}/payload to JSON/tidy"),
        fixture.bodies,
        Vec::new,
        move |out, body| {
            out.clear();
            tidy::write_json(&tidy::decode(&attrs, body), out);
        },
        |out| Output::json(out),
    ));
    all
}

/// A report of A through a struct with serde's derives.
fn typed(body: &[u8], out: &mut Vec<u8>) {
    #[derive(::serde::Serialize)]
    struct Report {
        action: &'static str,
        attrs: serde::Status,
    }
    if let Some(attrs) = serde::Status::decode(body) {
        let action = "report";
        let _ = serde_json::to_writer(out, &Report { action, attrs });
    }
}

/// The lines of a block.
const LINES: usize = 200;

/// A block of lines of hex to lines of JSON.
fn lines(name: &str, fixture: &'static Fixture) -> Vec<Kernel> {
    let title = |program: &str| format!("text/{name}/hex lines to NDJSON/{program}");
    let block: &'static str = (fixture.lines[..LINES].join("\n") + "\n").leak();
    let block: &'static [&'static str] = vec![block].leak();
    let products = Products::one(fixture.product.clone());
    let sink = Ndjson::new(&products, std::io::sink());
    let mut decoder = Decoder::new(&products, Options::default(), sink.sink());
    let bulk = Kernel::new(
        title("bulk decoder"),
        block,
        TextBlock::default,
        move |out, block| {
            out.clear();
            decoder.lines(block.as_bytes(), out, |_, _, error| panic!("{error}"));
        },
        |out| Output::json(out.as_bytes()),
    );
    let product = Kernel::new(
        title("product"),
        block,
        || (Vec::new(), Vec::new()),
        |(bytes, out), block| {
            out.clear();
            for line in block.lines() {
                if payload::parse_into(line, Some(Encoding::Hex), bytes).is_ok()
                    && let Ok(decoded) = fixture.product.decode(bytes)
                {
                    decoded.write_json(out);
                    out.push(b'\n');
                }
            }
        },
        |(_, out)| Output::json(out),
    );
    let mut all = vec![bulk, product];
    if name == "A" {
        all.push(Kernel::new(
            title("faster-hex and serde struct"),
            block,
            Vec::new,
            |out, block| {
                out.clear();
                for line in block.lines() {
                    let mut bytes = [0; 8];
                    if faster_hex::hex_decode(line.as_bytes(), &mut bytes).is_ok() {
                        typed(&bytes[1..], out);
                        out.push(b'\n');
                    }
                }
            },
            |out| Output::json(out),
        ));
    }
    all.push(Kernel::new(
        title("naive"),
        block,
        String::new,
        |out, block| {
            out.clear();
            for line in block.lines() {
                *out += &naive::ndjson(&fixture.definition, line);
                out.push('\n');
            }
        },
        |out| Output::json(out.as_bytes()),
    ));
    all.into_iter().map(|kernel| kernel.items(LINES)).collect()
}

/// A line of hex to bytes: the least that a decoder of lines does.
fn hex(name: &str, fixture: &'static Fixture) -> [Kernel; 2] {
    let ours = Kernel::new(
        format!("text/{name}/hex to bytes/parse_into"),
        fixture.lines,
        Vec::new,
        |out, line| {
            let _ = black_box(payload::parse_into(line, Some(Encoding::Hex), out));
        },
        |out| Output::Bytes(out.clone()),
    );
    let peer = Kernel::new(
        format!("text/{name}/hex to bytes/faster-hex"),
        fixture.lines,
        Vec::new,
        |out, line| {
            out.resize(line.len() / 2, 0);
            let _ = black_box(faster_hex::hex_decode(line.as_bytes(), out));
        },
        |out| Output::Bytes(out.clone()),
    );
    [ours, peer]
}
