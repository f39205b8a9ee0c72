//! The worked examples of the protocol spec.

use std::collections::BTreeMap;

use gizwits_tests::reference::*;
use serde_json::{Value, json};

/// Points from lines of "access data_type byte_offset bit_offset len", named p0, p1, ...
fn product(lines: &[&str]) -> Vec<RefPoint> {
    let attr = |(id, line): (usize, &&str)| {
        let word: Vec<&str> = line.split(' ').collect();
        let at = |n: usize| word[n].parse::<u64>().unwrap();
        let bit = ["bool", "enum"].contains(&word[1]);
        let mut attr = json!({
            "id": id, "name": format!("p{id}"), "type": word[0], "data_type": word[1],
            "position": {"byte_offset": at(2), "bit_offset": at(3), "len": at(4),
                "unit": if bit { "bit" } else { "byte" }},
        });
        match word[1] {
            "enum" => attr["enum"] = json!(["a", "b", "c"]),
            "bool" | "binary" => {}
            _ => attr["uint_spec"] = json!({"min": 0, "max": 100}),
        }
        attr
    };
    let attrs: Vec<Value> = lines.iter().enumerate().map(attr).collect();
    points(&json!({"entities": [{"attrs": attrs}]}))
}

fn unhex(text: &str) -> Vec<u8> {
    let text = text.replace(' ', "");
    let byte = |n| u8::from_str_radix(&text[n..n + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(byte).collect()
}

fn numbers(values: &[(usize, Raw)]) -> Vec<u64> {
    let number = |(_, raw): &(usize, Raw)| match raw {
        Raw::Number(x) => *x,
        Raw::Bytes(_) => panic!(),
    };
    values.iter().map(number).collect()
}

/// Decodes a whole status and demands the same bytes back.
fn status(points: &[RefPoint], hex: &str) -> Vec<u64> {
    let values = decode_status(points, &unhex(hex)).unwrap();
    let again = encode_status(points, &values.iter().cloned().collect());
    assert_eq!(again, unhex(hex));
    numbers(&values)
}

#[test]
fn bit_areas_of_two_bytes() {
    let wavemaker = product(&[
        "W bool 0 0 1",
        "W bool 0 1 1",
        "W bool 0 2 1",
        "W bool 0 3 1",
        "W bool 0 4 1",
        "W enum 0 5 2",
        "W enum 0 7 2",
        "W enum 0 9 3",
    ]);
    assert_eq!(status(&wavemaker, "02 41"), [1, 0, 0, 0, 0, 2, 0, 1]);
    let lamp = product(&["W bool 0 0 1", "W bool 0 8 1", "W enum 0 13 2"]);
    assert_eq!(status(&lamp, "41 01"), [1, 1, 2]);
}

#[test]
fn spa() {
    let lines: Vec<String> = (0..6)
        .map(|n| format!("W bool 0 {n} 1"))
        .chain((1..5).map(|n| format!("W uint8 {n} 0 1")))
        .chain(["R uint8 5 0 1", "R uint16 6 0 2", "N bool 8 0 1"].map(String::from))
        .collect();
    let spa = product(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(
        status(&spa, "05 18 00 00 00 1a 00 16 00"),
        [1, 0, 1, 0, 0, 0, 24, 0, 0, 0, 26, 22, 0]
    );
    // 10 writable points, so two flag bytes; bit 1 switches the bubbles.
    let control = unhex("00 02 02 00 00 00 00");
    let values = decode_control(&spa, &control).unwrap();
    assert_eq!(values, [(1, Raw::Number(1))]);
    let again = encode_control(&spa, &values.into_iter().collect());
    assert_eq!(again, control);
    assert_eq!(decode_control(&spa, &unhex("04 00 02 00 00 00 00")), None);
    assert_eq!(decode_control(&spa, &control[1..]), None);
    assert_eq!(decode_status(&spa, &[0; 8]), None);
    assert_eq!(decode_status(&spa, &[0; 10]), None);
}

#[test]
fn ph_monitor() {
    let mut ph = product(&[
        "R bool 0 0 1",
        "R bool 0 1 1",
        "R uint16 1 0 2",
        "R uint16 3 0 2",
        "R uint32 5 0 4",
    ]);
    ph[2].ratio = "0.01".into();
    ph[2].max = 1400;
    ph[3].addition = "-2000".into();
    let body = unhex("03 02dc 089d 00000000");
    let values = decode_status(&ph, &body).unwrap();
    assert_eq!(
        json_attrs(&ph, &values),
        r#"{"p0":1,"p1":1,"p2":7.32,"p3":205,"p4":0}"#
    );
    assert_eq!(flagged(&ph, &values), [("p3".to_owned(), "above_max")]);
}

#[test]
fn controls_of_22_and_59_points() {
    // 21 bits in 3 bytes and a uint8, as the dosing pump has them: id 1 is the bit of value 2.
    let lines: Vec<String> = (0..21)
        .map(|n| format!("W bool 0 {n} 1"))
        .chain(["W uint8 3 0 1".into()])
        .collect();
    let pump = product(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    let values = decode_control(&pump, &unhex("000002 000002 00")).unwrap();
    assert_eq!(values, [(1, Raw::Number(1))]);
    // 59 writable points, so 8 flag bytes: bit 5 is id 5, here at byte 1.
    let lines: Vec<String> = (0..5)
        .map(|n| format!("W bool 0 {n} 1"))
        .chain((1..55).map(|n| format!("W uint8 {n} 0 1")))
        .collect();
    let motor = product(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    let body = [unhex("0000000000000020 00 37"), vec![0; 53]].concat();
    let values = BTreeMap::from([(5, Raw::Number(55))]);
    assert_eq!(encode_control(&motor, &values), body);
}

#[test]
fn var_len() {
    // 71 points, so a mask of 9 bytes; ids 1 (1 bit), 12 (2 bits) and 15 (a byte) matter.
    let mut lines = vec!["W bool 0 0 1"; 71];
    lines[12] = "W enum 0 0 2";
    lines[15] = "W uint8 0 0 1";
    let pump = product(&lines);
    for (hex, values) in [
        ("000000000000001002 04", vec![(1, 0), (12, 2)]),
        ("000000000000008000 4b", vec![(15, 75)]),
        ("000000000000009002 05 4b", vec![(1, 1), (12, 2), (15, 75)]),
    ] {
        let raw = |(id, x)| (id, Raw::Number(x));
        let values: Vec<_> = values.into_iter().map(raw).collect();
        assert_eq!(decode_var_len(&pump, &unhex(hex)), Some(values.clone()));
        let again = encode_var_len(&pump, &values.into_iter().collect());
        assert_eq!(again, unhex(hex));
    }
    for bad in ["00000000000000100204 00", "000000"] {
        assert_eq!(decode_var_len(&pump, &unhex(bad)), None, "{bad}");
    }
    // Bit 71 is nobody's: what is behind the mask are still the points 1 and 12.
    let unknown = unhex("800000000000001002 04");
    let values = [(1, Raw::Number(0)), (12, Raw::Number(2))];
    assert_eq!(decode_var_len(&pump, &unknown), Some(values.to_vec()));
    assert_eq!(decode_var_len_control(&pump, &unknown), None);
    assert_eq!(surplus(&pump, &unknown[..9]), [71]);
    assert_eq!(
        decode_read(&pump, &unhex("800000000000001002")),
        Some(vec![1, 12])
    );
    for ones in 1..20 {
        let all = decode_read(&pump, &vec![0xff; ones]).unwrap();
        assert_eq!(all, (0..71).collect::<Vec<_>>());
    }
    for bad in ["", "00", "7f", "00ffffffffffffffffff"] {
        assert_eq!(decode_read(&pump, &unhex(bad)), None, "{bad}");
    }
    let voice = product(&[
        "W bool 0 0 1",
        "W bool 0 0 1",
        "R enum 0 0 2",
        "W enum 0 0 1",
        "W enum 0 0 2",
        "R uint8 0 0 1",
        "W uint8 0 0 1",
        "R uint8 0 0 1",
        "W uint8 0 0 1",
        "R binary 0 0 4",
    ]);
    let values = decode_var_len(&voice, &unhex("03ff 57 58 46 2d 3c 486f6d65")).unwrap();
    assert_eq!(numbers(&values[..9]), [1, 1, 1, 1, 2, 88, 70, 45, 60]);
    assert_eq!(values[9].1, Raw::Bytes(b"Home".to_vec()));
    let widths = product(&[
        "W enum 0 0 1",
        "W enum 0 0 2",
        "W enum 0 0 3",
        "W enum 0 0 3",
    ]);
    let values = decode_var_len(&widths, &unhex("0f 01ad")).unwrap();
    assert_eq!(numbers(&values), [1, 2, 5, 6]);
    let past = "past_labels";
    assert_eq!(
        flagged(&widths, &values),
        [("p2".into(), past), ("p3".into(), past)]
    );
    assert_eq!(
        json_attrs(&widths, &values),
        r#"{"p0":"b","p1":"c","p2":5,"p3":6}"#
    );
}

#[test]
fn exact_decimals() {
    let mut point = product(&["R uint8 0 0 1"]).remove(0);
    for (ratio, addition, raw, text) in [
        ("0.01", "0", 732, "7.32"),
        ("0.5", "5", 50, "30"),
        ("1", "-10", 0, "-10"),
        ("1.0", "-10", 10, "0"),
        ("0.1", "-90.5", 905, "0"),
        ("0.1", "-90.5", 904, "-0.1"),
        ("1e-6", "1E+3", 4_294_967_295, "5294.967295"),
        ("10", "0.25", 100, "1000.25"),
        ("10", "0", 0, "0"),
    ] {
        (point.ratio, point.addition) = (ratio.into(), addition.into());
        assert_eq!(engineering(&point, raw), text);
    }
}

#[test]
fn streams() {
    let frame = |flag, command, sn, did: Option<&str>, body: &str| RefEvent::Frame {
        flag,
        command,
        sn,
        did: did.map(|did| did.as_bytes().to_vec()),
        body: unhex(body),
    };
    // The two frames of the vendor's example log, garbage around and between them.
    let bytes = unhex(
        "ff 00 000000030b0000910401000010000000 00000003 02 0000000309000090010101000010 0000",
    );
    let report = frame(0, 0x91, None, None, "0401000010000000");
    let control = frame(0, 0x90, None, None, "010101000010");
    assert_eq!(m2m_scan(&bytes, 65_536), (vec![report, control], 2));
    for (hex, event) in [
        (
            "00000003080000930000000402",
            frame(0, 0x93, Some(4), None, "02"),
        ),
        (
            "00000003 0a 01 0094 00000007 0001 41",
            frame(1, 0x94, Some(7), Some("A"), ""),
        ),
        (
            "00000003 06 01 0091 0401 00",
            frame(1, 0x91, None, None, "040100"),
        ),
        ("00000003 83 00 00 0015", frame(0, 0x15, None, None, "")),
        ("00000003 0211 ff", RefEvent::Service { command: 0x0211 }),
    ] {
        assert_eq!(m2m_events(&unhex(hex), 64), [event], "{hex}");
    }
    for (hex, pending) in [
        ("00000003 06 00 0093 000000", 3), // no room for the sn; 0000 may begin a header
        ("00000003 02 20 00", 1),
        ("00000003 80 80 80 80 01", 0),
        ("00000003 41 00 0091", 0), // over the limit of 64
        ("00000003 40 00 0091", 8),
    ] {
        assert_eq!(m2m_scan(&unhex(hex), 64), (vec![], pending), "{hex}");
    }
}
