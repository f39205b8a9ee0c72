//! Frames on networks (M2M) and on the serial line (UART).

use std::hint::black_box;
use std::sync::LazyLock;

use bytes::BytesMut;
use gizwits_codec_core::{m2m, uart};
use gizwits_codec_std::M2mCodec;
use memchr::memmem;
use tokio_util::codec::Decoder as _;

use crate::kernel::{Kernel, Output};

/// The number of frames in a stream of 40 KB.
const FRAMES: usize = 2560;

/// M2M frames of 16 bytes.
static STREAM: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let frame = [0, 0, 0, 3, 11, 0, 0, 0x91, 4, 1, 0, 0, 16, 0, 0, 0];
    frame.repeat(FRAMES)
});

/// Noise of the length of [`STREAM`].
static NOISE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut state = 1_u64;
    let bytes = (0..16 * FRAMES).map(|_| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    });
    bytes.collect()
});

/// UART frames with a report of 7 bytes.
static SERIAL: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let frame = uart::Frame {
        command: uart::Command(5),
        sn: 1,
        flags: 0,
        payload: &[4, 1, 0, 0, 16, 0xff, 0, 0],
    };
    let mut out = [0; 32];
    let len = frame.encode(&mut out).expect("32 bytes are enough");
    out[..len].repeat(FRAMES)
});

/// A stream as one input.
fn one(stream: &'static [u8]) -> &'static [&'static [u8]] {
    vec![stream].leak()
}

/// The kernels of the group.
#[must_use]
pub fn kernels() -> Vec<Kernel> {
    let mut all = vec![slice()];
    all.extend([pieces("stream of 4 KB pieces", 4096, &STREAM), tokio()]);
    all.push(pieces("stream of single bytes", 1, &STREAM));
    all.extend([pieces("noise", 4096, &NOISE), search()]);
    all.extend([serial(), serial_bytes()]);
    all.push(written());
    all.into_iter().map(|kernel| kernel.items(FRAMES)).collect()
}

fn count(count: &usize) -> Output {
    Output::Numbers(vec![*count as f64])
}

/// A buffer that begins with a frame.
fn slice() -> Kernel {
    let frames = |found: &mut usize, mut stream: &'static [u8]| {
        *found = 0;
        while let Ok((event, rest)) = m2m::parse(stream, m2m::DEFAULT_LIMIT) {
            black_box(&event);
            *found += 1;
            stream = rest;
        }
    };
    Kernel::new(
        "frames/m2m/slice/parse",
        one(&STREAM),
        || 0,
        move |found, stream| frames(found, stream),
        count,
    )
}

/// A stream that arrives in pieces.
fn pieces(title: &str, size: usize, stream: &'static [u8]) -> Kernel {
    let buffer: &'static mut [u8] = vec![0; 8192].leak();
    let mut decoder = m2m::Decoder::new(buffer);
    Kernel::new(
        format!("frames/m2m/{title}/decoder"),
        one(stream),
        || 0,
        move |found, stream| {
            *found = 0;
            for piece in stream.chunks(size) {
                let mut rest = piece;
                loop {
                    rest = decoder.push(rest);
                    while let Some(event) = decoder.next_event() {
                        black_box(&event);
                        *found += 1;
                    }
                    if rest.is_empty() {
                        break;
                    }
                }
            }
        },
        count,
    )
}

fn tokio() -> Kernel {
    let mut codec = M2mCodec::new();
    Kernel::new(
        "frames/m2m/stream of 4 KB pieces/tokio codec",
        one(&STREAM),
        || (0, BytesMut::with_capacity(16384)),
        move |(found, buffer), stream| {
            *found = 0;
            for piece in stream.chunks(4096) {
                buffer.extend_from_slice(piece);
                while let Ok(Some(frame)) = codec.decode(buffer) {
                    black_box(&frame);
                    *found += 1;
                }
            }
        },
        |(found, _)| count(found),
    )
}

/// The search for a prefix alone.
fn search() -> Kernel {
    let finder = memmem::Finder::new(&m2m::PREFIX);
    Kernel::new(
        "frames/m2m/noise/memchr",
        one(&NOISE),
        || 0,
        move |found, noise| *found = finder.find_iter(noise).count(),
        |_| Output::Nothing,
    )
}

fn serial() -> Kernel {
    Kernel::new(
        "frames/uart/stream/next_event",
        one(&SERIAL),
        || (0, vec![0; 64]),
        |(found, buffer), stream| {
            *found = 0;
            let mut decoder = uart::Decoder::new(buffer);
            let mut rest = *stream;
            while let Some(event) = decoder.next_event(&mut rest) {
                black_box(&event);
                *found += 1;
            }
        },
        |(found, _)| count(found),
    )
}

fn serial_bytes() -> Kernel {
    Kernel::new(
        "frames/uart/stream/push a byte",
        one(&SERIAL),
        || (0, vec![0; 64]),
        |(found, buffer), stream| {
            *found = 0;
            let mut decoder = uart::Decoder::new(buffer);
            for byte in *stream {
                if let Some(event) = decoder.push(*byte) {
                    black_box(&event);
                    *found += 1;
                }
            }
        },
        |(found, _)| count(found),
    )
}

/// Frames written to a buffer.
fn written() -> Kernel {
    const BODY: &[u8] = &[4, 1, 0, 0, 16, 0, 0, 0];
    Kernel::new(
        "frames/m2m/written/encode",
        one(BODY),
        || [0; 16],
        |out, body| {
            for _ in 0..FRAMES {
                let frame = m2m::Frame {
                    flag: 0,
                    command: 0x91,
                    sn: None,
                    did: None,
                    body: black_box(body),
                };
                let _ = black_box(frame.encode(out));
            }
        },
        |out| Output::Bytes(out.to_vec()),
    )
}
