//! Misuse of the C ABI: it returns a status, and changes no memory.

use std::ffi::{CStr, c_char};
use std::ptr::{self, null, null_mut};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use gizwits::decode::*;
use gizwits::encode::*;
use gizwits::error::{GIZWITS_ERROR_TEXT, gizwits_error};
use gizwits::frame::*;
use gizwits::message::*;
use gizwits::payload::*;
use gizwits::point::*;
use gizwits::product::*;
use gizwits::state::*;
use gizwits::status::{gizwits_status as S, gizwits_status_name};
use gizwits::uart::*;
use gizwits::version::gizwits_version;
use gizwits_codec_core::{Error, ErrorKind};
use gizwits_tests::vectors::fixture;

use crate::caller::{Device, Loaded, answer, name};

const REPORT: [u8; 8] = [0x04, 0x01, 0x00, 0x00, 0x10, 0x1e, 0x00, 0x00];

fn loaded() -> Loaded {
    Loaded::new(fixture("air-conditioner").as_bytes()).unwrap()
}

#[test]
fn every_status_has_a_name() {
    let mut names = std::collections::HashSet::new();
    for status in -1000..1000 {
        let name = name(status);
        assert!(name == "unknown_status" || names.insert(name), "{status}");
    }
    let header = include_str!("../../include/gizwits.h").lines();
    let constants = header.filter_map(|line| {
        line.trim()
            .strip_prefix("GIZWITS_STATUS_")?
            .split_once(" = ")
    });
    let constants: Vec<_> = constants.collect();
    assert!(constants.len() == names.len() && names.len() > 40);
    for (constant, number) in constants {
        let number = number.trim_end_matches(',').parse().unwrap();
        assert_eq!(name(number).to_uppercase(), constant);
    }
    for (kind, _) in gizwits_codec_std::Error::KINDS {
        // A state decodes with its own product, and no function reads snapshots.
        let is_other = matches!(*kind, "other_product" | "snapshot");
        assert!(names.contains(*kind) || is_other, "{kind}");
    }
    let kinds = [
        ErrorKind::OutOfSpace { needed: 1 },
        ErrorKind::Stuffing,
        ErrorKind::NotANumber,
        ErrorKind::Json,
    ];
    for kind in kinds {
        assert_eq!(name(S::from(kind) as i32), Error::new(kind).kind.name());
    }
    // SAFETY: both are texts with a NUL that live as long as the program.
    let (version, status) = unsafe {
        (
            CStr::from_ptr(gizwits_version()),
            CStr::from_ptr(gizwits_status_name(i32::MIN)),
        )
    };
    assert_eq!(version.to_str(), Ok(env!("CARGO_PKG_VERSION")));
    assert_eq!(status.to_str(), Ok("unknown_status"));
}

/// Every pointer that a call requires is refused if it is null, with the name of its argument.
#[test]
fn null_pointers() {
    let loaded = loaded();
    let (product, payload, len) = (loaded.0, REPORT.as_ptr(), REPORT.len());
    let mut out = [0xa5_u8; 64];
    let (to, room) = (out.as_mut_ptr(), out.len());
    let (mut length, mut point, mut found, mut handle) = (7_usize, 0_u16, 0_u8, 9_u64);
    let (l, text, word) = (&raw mut length, to.cast::<c_char>(), c"{}".as_ptr());
    let mut frame = std::mem::MaybeUninit::<gizwits_frame>::zeroed();
    let f = frame.as_mut_ptr();
    // SAFETY: null pointers are what is tested; all others come with the length of their memory.
    let refused = unsafe {
        [
            (
                "product",
                answer(|e| gizwits_product_new(word, 2, null_mut(), e)),
            ),
            (
                "definition",
                answer(|e| gizwits_product_new(null(), 2, &mut handle, e)),
            ),
            (
                "info",
                answer(|e| gizwits_product_describe(product, null_mut(), e)),
            ),
            (
                "length",
                answer(|e| gizwits_product_name(product, text, room, null_mut(), e)),
            ),
            (
                "out",
                answer(|e| gizwits_product_key(product, null_mut(), room, l, e)),
            ),
            (
                "definition",
                answer(|e| gizwits_definition_check(null(), 1, text, room, l, e)),
            ),
            (
                "name",
                answer(|e| gizwits_point_find(product, null(), 1, &mut point, e)),
            ),
            (
                "point",
                answer(|e| gizwits_point_find(product, word, 2, null_mut(), e)),
            ),
            (
                "info",
                answer(|e| gizwits_point_describe(product, 0, null_mut(), e)),
            ),
            (
                "out",
                answer(|e| gizwits_point_name(product, 0, null_mut(), 1, l, e)),
            ),
            (
                "out",
                answer(|e| gizwits_point_display_name(product, 0, null_mut(), 1, l, e)),
            ),
            (
                "out",
                answer(|e| gizwits_point_description(product, 0, null_mut(), 1, l, e)),
            ),
            (
                "out",
                answer(|e| gizwits_point_range(product, 0, null_mut(), 1, l, e)),
            ),
            (
                "length",
                answer(|e| gizwits_point_label(product, 0, 0, text, room, null_mut(), e)),
            ),
            (
                "text",
                answer(|e| gizwits_payload_parse(null(), 2, to, room, l, e)),
            ),
            (
                "payload",
                answer(|e| gizwits_decode_json(product, 0, null(), 8, text, room, l, e)),
            ),
            (
                "length",
                answer(|e| {
                    gizwits_decode_json(product, 0, payload, len, text, room, null_mut(), e)
                }),
            ),
            (
                "values",
                answer(|e| {
                    gizwits_decode(product, 0, payload, len, null_mut(), null_mut(), 1, l, e)
                }),
            ),
            (
                "length",
                answer(|e| {
                    gizwits_decode(
                        product,
                        0,
                        payload,
                        len,
                        null_mut(),
                        null_mut(),
                        0,
                        null_mut(),
                        e,
                    )
                }),
            ),
            (
                "value",
                answer(|e| gizwits_decode_point(product, 0, payload, len, 0, null_mut(), e)),
            ),
            (
                "json",
                answer(|e| gizwits_encode_json(product, 1, 0, null(), 2, to, room, l, e)),
            ),
            (
                "out",
                answer(|e| gizwits_encode_json(product, 1, 0, word, 2, null_mut(), 1, l, e)),
            ),
            (
                "values",
                answer(|e| gizwits_encode(product, 1, 0, null(), 1, to, room, l, e)),
            ),
            (
                "bytes",
                answer(|e| gizwits_frame_parse(null(), 1, 0, f, l, e)),
            ),
            (
                "frame",
                answer(|e| gizwits_frame_parse(payload, len, 0, null_mut(), l, e)),
            ),
            (
                "consumed",
                answer(|e| gizwits_frame_parse(payload, len, 0, f, null_mut(), e)),
            ),
            (
                "found",
                answer(|e| gizwits_frame_scan(payload, len, 0, f, null_mut(), l, l, e)),
            ),
            (
                "skipped",
                answer(|e| gizwits_frame_scan(payload, len, 0, f, &mut found, l, null_mut(), e)),
            ),
            (
                "frame",
                answer(|e| gizwits_frame_encode(null(), to, room, l, e)),
            ),
        ]
    };
    for (argument, answer) in refused {
        let refusal = answer.unwrap_err();
        assert_eq!(
            (&*refusal.status, refusal.text),
            ("null_pointer", format!("`{argument}` is null"))
        );
    }
    assert_eq!((handle, length, out), (0, 0, [0xa5; 64]));
    // The error may be null.
    // SAFETY: as above.
    let status = unsafe { gizwits_product_describe(product, null_mut(), null_mut()) };
    assert_eq!(status, S::NullPointer);
}

#[test]
fn pointers_that_are_not_aligned() {
    let loaded = loaded();
    let mut memory = [0xa5a5_a5a5_a5a5_a5a5_u64; 400];
    let odd = |bytes: usize| memory.as_mut_ptr().cast::<u8>().wrapping_add(bytes);
    let (payload, len) = (REPORT.as_ptr(), REPORT.len());
    let mut length = 0;
    let mut odd = odd;
    // SAFETY: the memory behind each of the pointers is large enough, and it is not read.
    unsafe {
        let refused = [
            gizwits_product_describe(loaded.0, odd(1).cast(), null_mut()),
            gizwits_product_describe(loaded.0, null_mut(), odd(1).cast()),
            gizwits_product_name(loaded.0, null_mut(), 0, odd(2).cast(), null_mut()),
            gizwits_decode_point(loaded.0, 0, payload, len, 0, odd(4).cast(), null_mut()),
            gizwits_decode(
                loaded.0,
                0,
                payload,
                len,
                null_mut(),
                odd(4).cast(),
                9,
                &mut length,
                null_mut(),
            ),
            gizwits_decode(
                loaded.0,
                0,
                payload,
                len,
                odd(4).cast(),
                null_mut(),
                0,
                &mut length,
                null_mut(),
            ),
            gizwits_encode(
                loaded.0,
                1,
                0,
                odd(1).cast(),
                1,
                null_mut(),
                0,
                &mut length,
                null_mut(),
            ),
            gizwits_point_find(loaded.0, c"mode".as_ptr(), 4, odd(1).cast(), null_mut()),
            gizwits_frame_encode(odd(1).cast(), null_mut(), 0, &mut length, null_mut()),
        ];
        assert!(
            refused.iter().all(|status| *status == S::Misaligned),
            "{refused:?}"
        );
    }
    assert_eq!(memory, [0xa5a5_a5a5_a5a5_a5a5; 400]);
}

#[test]
fn memory_that_overlaps() {
    let loaded = loaded();
    let mut memory = [0_u64; 400];
    memory[0] = u64::from_ne_bytes(REPORT);
    let before = memory;
    let at = memory.as_mut_ptr();
    // SAFETY: all memory is in the array.
    unsafe {
        let (bytes, last) = (at.cast::<u8>(), at.cast::<u8>().add(7));
        let (length, error) = (at.add(300).cast::<usize>(), null_mut());
        let refused = [
            // The output and its input, by all of it and by one byte.
            gizwits_decode_json(loaded.0, 0, bytes, 8, bytes.cast(), 2000, length, error),
            gizwits_decode_json(loaded.0, 0, bytes, 8, last.cast(), 2000, length, error),
            gizwits_decode(
                loaded.0,
                0,
                bytes,
                8,
                null_mut(),
                at.cast(),
                9,
                length,
                error,
            ),
            gizwits_decode(
                loaded.0,
                0,
                bytes,
                8,
                at.add(8).cast(),
                at.add(9).cast(),
                9,
                length,
                error,
            ),
            gizwits_encode_json(loaded.0, 1, 0, bytes.cast(), 8, last, 100, length, error),
            gizwits_payload_parse(bytes.cast(), 8, bytes, 8, length, error),
            // The length in the output or in the input.
            gizwits_product_name(loaded.0, bytes.cast(), 9, at.add(1).cast(), error),
            gizwits_decode_json(loaded.0, 0, bytes, 8, null_mut(), 0, at.cast(), error),
            gizwits_frame_parse(bytes, 8, 0, at.add(4).cast(), at.add(5).cast(), error),
            gizwits_frame_scan(
                bytes,
                8,
                0,
                at.add(20).cast(),
                at.add(40).cast(),
                at.add(40).cast(),
                length,
                error,
            ),
            // The error in any of them.
            gizwits_product_new(bytes.cast(), 8, at.add(9), at.add(8).cast()),
            gizwits_product_new(bytes.cast(), 8, at.add(299), at.cast()),
            gizwits_product_name(loaded.0, at.add(10).cast(), 80, length, at.add(19).cast()),
        ];
        assert!(
            refused.iter().all(|status| *status == S::Overlap),
            "{refused:?}"
        );
        assert_eq!(memory, before);

        // Two inputs may be the same memory, and an output may begin where an input ends.
        let at = memory.as_mut_ptr();
        let (bytes, length) = (at.cast::<u8>(), at.add(300).cast::<usize>());
        let status = gizwits_decode_json(
            loaded.0,
            0,
            bytes,
            8,
            bytes.add(8).cast(),
            2000,
            length,
            null_mut(),
        );
        assert_eq!(status, S::Ok);
        let frame = gizwits_frame {
            did: bytes,
            did_length: 8,
            body: bytes,
            body_length: 8,
            sn: 0,
            command: GIZWITS_M2M_TO_DEVICE,
            flag: 0,
            has_sn: 0,
            is_service: 0,
        };
        assert_eq!(
            gizwits_frame_encode(&frame, bytes.add(8), 100, length, null_mut()),
            S::Ok
        );
        assert_eq!(
            gizwits_frame_encode(&frame, bytes.add(7), 100, length, null_mut()),
            S::Overlap
        );
    }
}

#[test]
fn lengths_that_no_memory_has() {
    let loaded = loaded();
    let (from, mut length) = (REPORT.as_ptr(), 0);
    let l = &raw mut length;
    for len in [usize::MAX, isize::MAX as usize + 1, usize::MAX / 2 + 8] {
        // SAFETY: such a length is refused before anything is read.
        let refused = unsafe {
            [
                gizwits_decode_json(loaded.0, 0, from, len, null_mut(), 0, l, null_mut()),
                gizwits_decode_json(
                    loaded.0,
                    0,
                    from,
                    8,
                    REPORT.as_ptr().cast_mut().cast(),
                    len,
                    l,
                    null_mut(),
                ),
                gizwits_encode(
                    loaded.0,
                    1,
                    0,
                    ptr::dangling(),
                    len,
                    null_mut(),
                    0,
                    l,
                    null_mut(),
                ),
                gizwits_product_new(from.cast(), len, &mut 0, null_mut()),
            ]
        };
        assert!(
            refused.iter().all(|status| *status == S::InvalidLength),
            "{refused:?}"
        );
    }
}

#[test]
fn handles_that_are_wrong_or_freed() {
    let (freed, kept) = (loaded().0, loaded());
    let handles = [
        0,
        1,
        2,
        u64::MAX,
        1 << 32,
        freed,
        kept.0 ^ 1 << 63,
        &raw const kept as u64,
    ];
    for handle in handles {
        let (mut length, mut out) = (9, [0_u8; 64]);
        let (l, to) = (&raw mut length, out.as_mut_ptr());
        // SAFETY: the lengths are those of the memory.
        let refused = unsafe {
            let mut value = std::mem::MaybeUninit::uninit();
            [
                gizwits_product_free(handle),
                gizwits_product_name(handle, to.cast(), 64, l, null_mut()),
                gizwits_point_range(handle, 0, to.cast(), 64, l, null_mut()),
                gizwits_decode_json(handle, 0, REPORT.as_ptr(), 8, to.cast(), 64, l, null_mut()),
                gizwits_decode(
                    handle,
                    0,
                    REPORT.as_ptr(),
                    8,
                    null_mut(),
                    null_mut(),
                    0,
                    l,
                    null_mut(),
                ),
                gizwits_decode_point(
                    handle,
                    0,
                    REPORT.as_ptr(),
                    8,
                    0,
                    value.as_mut_ptr(),
                    null_mut(),
                ),
                gizwits_encode_json(handle, 1, 0, c"{}".as_ptr(), 2, to, 64, l, null_mut()),
                gizwits_encode(handle, 2, 0, null(), 0, to, 64, l, null_mut()),
            ]
        };
        assert!(
            refused.iter().all(|status| *status == S::InvalidHandle),
            "{handle:#x}: {refused:?}"
        );
        assert_eq!((length, out), (0, [0; 64]));
    }
}

/// A state lives longer than its product, and no handle of one kind is one of the other.
#[test]
fn states_that_are_wrong_or_freed() {
    let (loaded, mut length, mut out) = (loaded(), 9, [0_u8; 64]);
    let (freed, kept) = (Device::new(&loaded).0, Device::new(&loaded));
    let (product, from) = (loaded.0, REPORT.as_ptr());
    drop(loaded);
    assert_eq!(kept.merge(0, &REPORT), Ok(true));
    assert_eq!(kept.values().len(), 11);
    assert_eq!(kept.merge(2, b"\x01").unwrap_err().status, "incomplete");
    assert_eq!(kept.merge(0, &[0x02]), Ok(false));
    assert_eq!(
        kept.merge(6, &REPORT).unwrap_err().status,
        "invalid_argument"
    );
    assert_eq!(gizwits_product_free(kept.0), S::InvalidHandle);
    for handle in [0, 1, freed, product, u64::MAX, kept.0 ^ 1 << 63, kept.0 ^ 1] {
        let (l, to) = (&raw mut length, out.as_mut_ptr());
        // SAFETY: the lengths are those of the memory.
        let refused = unsafe {
            let mut value = std::mem::MaybeUninit::uninit();
            [
                gizwits_state_free(handle),
                gizwits_state_merge(handle, 0, from, 8, null_mut(), null_mut()),
                gizwits_state_json(handle, to.cast(), 64, l, null_mut()),
                gizwits_state_values(handle, null_mut(), 0, l, null_mut()),
                gizwits_state_value(handle, 0, value.as_mut_ptr(), null_mut()),
            ]
        };
        let all = refused.iter().all(|status| *status == S::InvalidHandle);
        assert!(all, "{handle:#x}: {refused:?}");
        assert_eq!((length, out), (0, [0; 64]));
    }
    let mut handle = 7;
    // SAFETY: null pointers are what is tested.
    unsafe {
        let made = answer(|e| gizwits_state_new(0, &mut handle, e)).unwrap_err();
        assert_eq!((&*made.status, handle), ("invalid_handle", 0));
        let refused = [
            gizwits_state_new(0, null_mut(), null_mut()),
            gizwits_state_merge(kept.0, 0, null(), 8, null_mut(), null_mut()),
            gizwits_state_json(kept.0, null_mut(), 0, null_mut(), null_mut()),
            gizwits_state_values(kept.0, null_mut(), 1, &mut length, null_mut()),
            gizwits_state_value(kept.0, 0, null_mut(), null_mut()),
        ];
        let all = refused.iter().all(|status| *status == S::NullPointer);
        assert!(all, "{refused:?}");
        // The result in the payload, of which nothing is then changed.
        let mut bytes = REPORT;
        let at = bytes.as_mut_ptr();
        let status = gizwits_state_merge(kept.0, 0, at, 8, at.add(7), null_mut());
        assert_eq!((status, bytes), (S::Overlap, REPORT));
    }
}

#[test]
fn serial_frames_and_decoders_that_are_wrong() {
    let (mut used, mut memory) = (9_usize, [0xa5_u8; 64]);
    let (from, at, error) = (REPORT.as_ptr(), memory.as_mut_ptr(), null_mut());
    let mut event = std::mem::MaybeUninit::<gizwits_uart_event>::uninit();
    let mut frame = std::mem::MaybeUninit::<gizwits_uart_frame>::uninit();
    let mut none = gizwits_uart_decoder {
        memory: [null_mut(); GIZWITS_UART_WORDS],
    };
    // SAFETY: what is wrong is refused before it is used.
    unsafe {
        let (event, frame, used) = (event.as_mut_ptr(), frame.as_mut_ptr(), &raw mut used);
        let none = &raw mut none;
        assert_eq!(
            gizwits_uart_read(none, from, 8, event, used, error),
            S::InvalidHandle
        );
        assert_eq!(*used, 0);
        let refused = [
            gizwits_uart_init(null_mut(), at, 8, error),
            gizwits_uart_init(none, null_mut(), 8, error),
            gizwits_uart_read(null_mut(), from, 8, event, used, error),
            gizwits_uart_read(none, from, 8, event, null_mut(), error),
            gizwits_uart_parse(null(), 8, at, 64, frame, used, error),
            gizwits_uart_parse(from, 8, null_mut(), 64, frame, used, error),
            gizwits_uart_parse(from, 8, at, 64, null_mut(), used, error),
            gizwits_uart_parse(from, 8, at, 64, frame, null_mut(), error),
            gizwits_uart_encode(null(), at, 64, used, error),
        ];
        let all = refused.iter().all(|status| *status == S::NullPointer);
        assert!(all, "{refused:?}");
        // A decoder whose initialisation failed is none.
        assert_eq!(gizwits_uart_init(none, at, 64, error), S::Ok);
        assert_eq!(gizwits_uart_init(none, none.cast(), 64, error), S::Overlap);
        assert_eq!(
            gizwits_uart_read(none, from, 8, event, used, error),
            S::InvalidHandle
        );
        assert_eq!(
            gizwits_uart_init(none, at, usize::MAX, error),
            S::InvalidLength
        );
        assert_eq!(
            gizwits_uart_init(none.byte_add(1), at, 64, error),
            S::Misaligned
        );
        // The decoder writes its buffer while it reads the bytes.
        assert_eq!(gizwits_uart_init(none, at, 64, error), S::Ok);
        assert_eq!(
            gizwits_uart_read(none, at.add(63), 1, event, used, error),
            S::Overlap
        );
        // The number is not written into the decoder, which still reads.
        assert_eq!(
            gizwits_uart_read(none, from, 8, event, none.cast(), error),
            S::Overlap
        );
        assert_eq!(gizwits_uart_read(none, from, 8, event, used, error), S::Ok);
        assert_eq!(
            gizwits_uart_read(none, none.cast(), 1, event, used, error),
            S::Overlap
        );
        assert_eq!(
            gizwits_uart_read(none, null(), 1, event, used, error),
            S::NullPointer
        );
        assert_eq!(
            gizwits_uart_read(none, from, 8, null_mut(), used, error),
            S::NullPointer
        );
        assert_eq!(
            gizwits_uart_parse(at, 8, at.add(7), 57, frame, used, error),
            S::Overlap
        );
        assert_eq!(
            gizwits_uart_read(none, null(), 0, event, used, error),
            S::Ok
        );
        let mut long = gizwits_uart_frame {
            payload: null(),
            payload_length: 1,
            flags: 0,
            command: 5,
            sn: 0,
        };
        assert_eq!(
            gizwits_uart_encode(&long, at, 64, used, error),
            S::NullPointer
        );
        (long.payload, long.payload_length) = (at, 9);
        assert_eq!(
            gizwits_uart_encode(&long, at.add(8), 56, used, error),
            S::Overlap
        );
        let payload = vec![0; 65_275];
        (long.payload, long.payload_length) = (payload.as_ptr(), payload.len());
        assert_eq!(
            gizwits_uart_encode(&long, null_mut(), 0, used, error),
            S::FrameLimit
        );
    }
}

#[test]
fn numbers_that_are_no_option() {
    let loaded = loaded();
    for options in [6, 7, 8, 1 << 31, u32::MAX] {
        assert_eq!(
            loaded.json(options, &REPORT).unwrap_err().status,
            "invalid_argument"
        );
    }
    assert_eq!(
        loaded.encode(1, 2, &[]).unwrap_err().text,
        "`options` is none of the numbers that are allowed"
    );
    for action in [0, 5, 6, -1, i32::MIN, i32::MAX] {
        let refusal = loaded.encode_json(action, 0, b"{}").unwrap_err();
        assert_eq!(
            refusal.text,
            "`action` is none of the numbers that are allowed"
        );
    }
    let values = loaded.values(0, &REPORT, |_, values| {
        assert_eq!(values.len(), 11);
        values.to_vec()
    });
    let values = values.unwrap();
    let changed = |change: fn(&mut gizwits_value)| {
        let mut values = values.clone();
        change(&mut values[6]);
        loaded
            .encode(4, 0, &values)
            .map_err(|refusal| refusal.status)
    };
    assert_eq!(changed(|_| {}).as_deref(), Ok(&REPORT[..]));
    let invalid = Err("invalid_argument".to_owned());
    assert_eq!(changed(|value| value.kind = 5), invalid);
    assert_eq!(changed(|value| value.kind = -1), invalid);
    assert_eq!(changed(|value| (value.kind, value.raw) = (1, 2)), invalid);
    assert_eq!(changed(|value| value.exact.scale = 19), invalid);
    assert_eq!(
        changed(|value| value.point = 11),
        Err("unknown_point".to_owned())
    );
    assert_eq!(
        changed(|value| value.point = 0),
        Err("duplicate_point".to_owned())
    );
    assert_eq!(
        changed(|value| value.kind = 0),
        Err("wrong_action".to_owned())
    );
    assert_eq!(
        changed(|value| (value.kind, value.length) = (4, 1)),
        Err("null_pointer".to_owned())
    );
    assert_eq!(
        changed(|value| value.exact.coefficient = 31),
        Err("above_max".to_owned())
    );
}

#[test]
fn texts_that_are_not_utf_8() {
    let loaded = loaded();
    let refusal = loaded.encode_json(1, 0, b"{\"\xff\":1}").unwrap_err();
    assert_eq!((&*refusal.status, refusal.byte), ("invalid_utf8", Some(2)));
    assert_eq!(refusal.text, "`json` is not UTF-8 at byte 2");
    assert_eq!(Loaded::new(b"\xc3").unwrap_err().status, "invalid_utf8");
}

/// A long text is cut between two characters, and ends with a NUL.
#[test]
fn errors_that_are_long() {
    // The bytes of a character end at each distance from the end of the text.
    for shift in 0..3 {
        let name = "a".repeat(shift) + &"度".repeat(1000);
        let definition = fixture("lamp").replacen("bool", &name, 40);
        let refusal = Loaded::new(definition.as_bytes()).unwrap_err();
        assert!(refusal.text.len() < GIZWITS_ERROR_TEXT && refusal.text.len() > 1000);
    }
}

/// A product may be freed while other threads use it: they go on, or are refused.
#[test]
fn threads() {
    for _ in 0..20 {
        let (handle, stop) = (
            Loaded::new(fixture("air-conditioner").as_bytes()).unwrap(),
            AtomicBool::new(false),
        );
        let number = handle.0;
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    let mut out = [0_u8; 512];
                    while !stop.load(Ordering::Relaxed) {
                        let (to, mut length) = (out.as_mut_ptr().cast(), 0);
                        // SAFETY: the lengths are those of the memory.
                        let status = unsafe {
                            gizwits_decode_json(
                                number,
                                0,
                                REPORT.as_ptr(),
                                8,
                                to,
                                512,
                                &mut length,
                                null_mut(),
                            )
                        };
                        match status {
                            S::Ok => assert!(out.starts_with(b"{\"action\":\"report\"")),
                            status => assert_eq!(status, S::InvalidHandle),
                        }
                    }
                });
            }
            let other = loaded();
            drop(handle);
            drop(other);
            stop.store(true, Ordering::Relaxed);
        });
    }
}

/// An error is memory of the caller: the next call sets it anew, and another one is left alone.
#[test]
fn errors_belong_to_the_caller() {
    let (mut one, mut two) = (
        Box::<gizwits_error>::new_uninit(),
        Box::<gizwits_error>::new_uninit(),
    );
    // SAFETY: both are set by the calls.
    unsafe {
        assert_eq!(
            gizwits_product_describe(0, null_mut(), one.as_mut_ptr()),
            S::NullPointer
        );
        let mut info = std::mem::MaybeUninit::uninit();
        assert_eq!(
            gizwits_product_describe(0, info.as_mut_ptr(), two.as_mut_ptr()),
            S::InvalidHandle
        );
        let (one, two) = (one.assume_init(), two.assume_init());
        assert_eq!((one.status, two.status), (S::NullPointer, S::InvalidHandle));
        assert_ne!(one.text, two.text);
    }
}
