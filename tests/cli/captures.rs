//! Captures: frames without a definition, streams, the serial line, notations and the search for a product.

use super::*;
use gizwits_codec_std::payload;
use gizwits_codec_std::payload::NOTATIONS;
use gizwits_tests::capture::notations;
use gizwits_tests::vectors::vectors;

const DISCOVERY_REPLY: &str = "000000037a000004001641414141414141414141414141414141414141414141\
    0006aabbccddeeff00083034303230303341002037343762653335346530303434396537393938383361393636643063396362640\
    00000000000000065756170692e67697a776974732e636f6d3a383000342e312e32003030303030303030";
const HEARTBEAT: &str = "0000000303000015";
const UART_HEARTBEAT: &str = "ffff0005070200000e";

fn decode(arguments: &[&str]) -> Ran {
    run(&[&["decode"], arguments].concat())
}

/// Every vector without data points has the same answer without a definition.
#[test]
fn frames_need_no_definition() {
    let mut same = 0;
    for vector in vectors("m2m.json") {
        let payload = vector["payload"].as_str().unwrap();
        let ran = decode(&[payload]);
        assert_eq!(ran.code, 0, "{payload}: {}", ran.stdout);
        let answer = &ran.json()[0];
        assert_eq!(answer["frame"], vector["expect"]["frame"]);
        match vector["expect"].get("attrs") {
            None => {
                // The protocol is what is known of a read's product.
                let mut answer = answer.clone();
                let _ = answer.as_object_mut().unwrap().remove("protocol");
                assert_eq!(answer, vector["expect"], "{payload}");
                assert_eq!(ran.stderr, "", "{payload}");
                same += 1;
            }
            Some(_) => {
                assert_eq!(answer["action"], vector["expect"]["action"]);
                assert!(payload.ends_with(answer["body"].as_str().unwrap()));
                assert!(ran.stderr.contains("--definition FILE"), "{}", ran.stderr);
                assert!(
                    ran.stderr.contains("gizwits api product datapoint"),
                    "{}",
                    ran.stderr
                );
            }
        }
    }
    assert!(same > 30, "{same}");
    let ran = decode(&["--format", "table", DISCOVERY_REPLY, REPORT]);
    assert!(
        ran.stdout
            .starts_with("discovery_reply  command 0x0004\n  did ")
    );
    assert!(
        ran.stdout.contains("\n  mac          aa:bb:cc:dd:ee:ff\n"),
        "{}",
        ran.stdout
    );
    assert!(
        ran.stdout
            .ends_with("report  dev2app  command 0x0091\n  01000010000000\n")
    );
    // The key that the capture has is the one of the definition that is missing.
    assert!(
        ran.stderr
            .contains("of the product 747be354e00449e799883a966d0c9cbd"),
        "{}",
        ran.stderr
    );
    // A body that ends too early is shown with its error.
    let ran = decode(&["000000030d000007000a4142434445464748"]);
    let answer = &ran.json()[0];
    assert_eq!(answer["message"]["error"]["kind"], "incomplete");
    assert_eq!(
        (answer["message"]["error"]["byte"].as_u64(), ran.code),
        (Some(10), 0)
    );
    for (payload, kind) in [
        ("53", "unknown_action"),
        ("00000003", "incomplete"),
        ("", "incomplete"),
    ] {
        let ran = decode(&[payload]);
        assert_eq!(
            (ran.json()[0]["error"]["kind"].as_str(), ran.code),
            (Some(kind), 1)
        );
    }
    for arguments in [
        &["decode", "-d", AIR_CONDITIONER, ""][..],
        &["layout", "-d", AIR_CONDITIONER, "-m", ""],
    ] {
        let ran = run(arguments);
        assert!((ran.stdout + &ran.stderr).contains("the payload is empty: expected"));
    }
}

/// Each command that requires a definition says how one is got.
#[test]
fn who_asks_for_a_definition_says_how_to_get_it() {
    for command in [
        &["encode", "read"][..],
        &["layout"],
        &["check"],
        &["codegen"],
        &["log", "decode", "x"],
        &["identify", "02"],
    ] {
        let ran = run(command);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{command:?}");
        let asks = ran.stderr.contains("--definition") || ran.stderr.contains("DEFINITION");
        assert!(asks, "{command:?}: {}", ran.stderr);
        assert!(
            ran.stderr.contains("gizwits definition PRODUCT_KEY"),
            "{command:?}: {}",
            ran.stderr
        );
    }
    assert!(
        !run(&["encode", "-d", AIR_CONDITIONER])
            .stderr
            .contains("datapoint")
    );
}

#[test]
fn serial_lines() {
    let report = "ffff000d050100000401000010 1e0000 46";
    let expected = run(&["decode", "-d", AIR_CONDITIONER, "040100001 01e0000"]);
    assert_eq!(expected.code, 1, "an odd group of digits is no hex");
    let p0 = run(&["decode", "-d", AIR_CONDITIONER, "04010000101e0000"]).json();
    // Recognised by its header, as one argument.
    for arguments in [&[][..], &["--input", "uart"]] {
        let ran = run(&[&["decode", "-d", AIR_CONDITIONER], arguments, &[report]].concat());
        let answer = &ran.json()[0];
        assert_eq!(answer["attrs"], p0[0]["attrs"]);
        assert_eq!(
            answer["frame"],
            json!({"line": "uart", "command": "0x05", "name": "FROM_DEVICE", "sn": 1, "flags": 0, "checksum": "0x46"})
        );
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    }
    // Stuffing, a wrong checksum, noise and an incomplete frame, in pieces.
    let stuffed = "ffff000905ff55000004ff55ff555564";
    let bad = "ffff0005070200000f";
    let line = format!("aabb{stuffed}{bad}{UART_HEARTBEAT}ffff0005");
    let whole = decode(&["--input", "uart", &line]);
    let kinds: Vec<_> = whole
        .json()
        .iter()
        .map(|one| {
            let error = one["error"]["kind"].as_str().unwrap_or("");
            (one["offset"].as_u64().unwrap(), error.to_owned())
        })
        .collect();
    let kind = |offset: u64, kind: &str| (offset, kind.to_owned());
    assert_eq!(
        kinds,
        [
            kind(0, "garbage"),
            kind(2, ""),
            kind(18, "checksum"),
            kind(27, ""),
            kind(36, "incomplete")
        ]
    );
    assert_eq!(whole.json()[1]["body"], "ffff55");
    assert!(
        whole
            .stdout
            .contains("wrong checksum: expected 0x0e, found 0x0f")
    );
    assert_eq!((whole.code, whole.json().len()), (1, 5));
    for cut in (2..line.len()).step_by(10) {
        let ran = decode(&["--input", "uart", &line[..cut], &line[cut..]]);
        assert_eq!(ran.stdout, whole.stdout, "{cut}");
    }
    let bytes = payload::parse(&line, None).unwrap();
    assert_eq!(
        run_with(&["decode", "--input", "uart"], &bytes).stdout,
        whole.stdout
    );
    // What `encode` writes is read again.
    for sn in ["0", "255"] {
        let set = ["control", "set_temp=24"];
        let ran = run(&[
            &[
                "encode",
                "-d",
                AIR_CONDITIONER,
                "--frame",
                "uart",
                "--sn",
                sn,
            ],
            &set[..],
        ]
        .concat());
        let answer = run(&["decode", "-d", AIR_CONDITIONER, ran.stdout.trim()]).json();
        assert_eq!(answer[0]["attrs"], json!({"set_temp": 24}));
        assert_eq!(answer[0]["frame"]["sn"].to_string(), sn);
    }
    for arguments in [&["--sn", "256"][..], &["--did", "a"]] {
        let base = ["encode", "-d", AIR_CONDITIONER, "--frame", "uart", "read"];
        assert_eq!(run(&[&base, arguments].concat()).code, 2, "{arguments:?}");
    }
}

#[test]
fn streams() {
    let stream = format!("6e6f{HEARTBEAT}{REPORT}ff00000003021161{CONTROL}0000000304");
    let base = ["decode", "-d", AIR_CONDITIONER, "--input", "stream"];
    let whole = run(&[&base[..], &[&stream]].concat());
    let answers = whole.json();
    let offsets: Vec<_> = answers
        .iter()
        .map(|one| one["offset"].as_u64().unwrap())
        .collect();
    assert_eq!(offsets, [0, 2, 10, 26, 27, 34, 48]);
    let kind = |index: usize| answers[index]["error"]["kind"].as_str();
    assert_eq!(
        (kind(0), kind(3), kind(6)),
        (Some("garbage"), Some("garbage"), Some("incomplete"))
    );
    assert_eq!(
        answers[4],
        json!({"offset": 27, "frame": {"command": "0x0211"}, "body": "61"})
    );
    assert_eq!(answers[5]["attrs"], json!({"switch": 1}));
    assert_eq!(whole.code, 1);
    let folder = Folder::new("streams");
    let bytes = payload::parse(&stream, None).unwrap();
    let raw = folder.write("capture.bin", &bytes);
    let text = folder.write(
        "capture.txt",
        stream
            .as_bytes()
            .chunks(14)
            .fold(String::new(), |text, line| {
                text + std::str::from_utf8(line).unwrap() + "\n"
            }),
    );
    for arguments in [
        &["--file", &raw][..],
        &["--file", &text],
        &["--encoding", "raw", "--file", &raw],
    ] {
        let ran = run(&[&base, arguments].concat());
        assert_eq!(ran.stdout, whole.stdout, "{arguments:?}");
    }
    assert_eq!(run_with(&base, &bytes).stdout, whole.stdout);
    // Without --input, a payload is one frame, and the error says what follows.
    let ran = decode(&[&format!("{HEARTBEAT}{HEARTBEAT}")]);
    assert!(
        ran.stdout.contains("begin another M2M frame"),
        "{}",
        ran.stdout
    );
    assert_eq!(decode(&["--encoding", "raw", "02"]).code, 2);
    assert_eq!(decode(&["--file", "no-such-file"]).code, 2);
    assert_eq!(decode(&["--file", &raw, "02"]).code, 2);
}

/// Lines of a log: only runs that can be bytes of the stream are taken.
#[test]
fn streams_in_lines() {
    let (first, second) = REPORT.split_at(14);
    let log = format!(
        "2024-01-31 12:30:00 20240131 connected to aa:bb:cc:dd:ee:ff\n\
         RX {first}\n\
         20240131123000 peer 00-11-22-33-44-55 is slow\n\
         RX {second} at 1706704200\n\
         RX {HEARTBEAT}, {HEARTBEAT} from 11:22:33:44:55:66\n\
         deadbeef\n"
    );
    let ran = run_with(&["decode", "--input", "stream"], &log);
    let seen: Vec<_> = ran
        .json()
        .iter()
        .map(|one| {
            let kind = one["error"]["kind"].as_str().unwrap_or("").to_owned();
            (one["offset"].as_u64(), kind)
        })
        .collect();
    let seen: Vec<_> = seen
        .iter()
        .map(|(offset, kind)| (*offset, kind.as_str()))
        .collect();
    let text = "not_hex_or_base64";
    assert_eq!(
        seen,
        [
            (None, text),
            (None, text),
            (Some(0), ""),
            (Some(16), ""),
            (Some(24), ""),
            // A line of hex digits alone is always a part of the stream.
            (Some(32), "garbage"),
        ],
        "{}",
        ran.stdout
    );
    assert!(
        ran.stdout.contains("they are a MAC address or a time"),
        "{}",
        ran.stdout
    );
    let log = format!(
        "ff:ff:ff:ff:ff:ff up\nTX {}\nTX {} at 20240131\n",
        &UART_HEARTBEAT[..8],
        &UART_HEARTBEAT[8..]
    );
    let ran = run_with(&["decode", "--input", "uart"], &log);
    assert_eq!(ran.json().len(), 2, "{}", ran.stdout);
    assert_eq!(
        ran.json()[1]["frame"]["name"],
        "HEARTBEAT",
        "{}",
        ran.stdout
    );
    // An address is no P0 either.
    let ran = decode(&["peer 04:01:00:00:10:1e is up"]);
    assert_eq!(ran.json()[0]["error"]["kind"], text, "{}", ran.stdout);
}

#[test]
fn notations_of_programs() {
    let help = run(&["decode", "--help"]).stdout;
    for (name, example) in NOTATIONS {
        assert_eq!(
            help.matches(&format!("  {name:21} {example}\n")).count(),
            1,
            "{name}"
        );
        assert_eq!(
            decode(&[example]).stdout,
            decode(&[HEARTBEAT]).stdout,
            "{name}"
        );
    }
    let bytes = payload::parse(REPORT, None).unwrap();
    let expected = run(&["decode", "-d", AIR_CONDITIONER, REPORT]).stdout;
    let texts = notations(&bytes);
    let ran = run_with(&["decode", "-d", AIR_CONDITIONER], texts.join("\n"));
    assert_eq!(ran.stdout, expected.repeat(texts.len()));
    // Other text around the payload is kept.
    let ran = decode(&["2024-01-31 12:30:00.123 [lan] RX: 00 00 00 03 03 00 00 15 (8)"]);
    let answer = &ran.json()[0];
    assert_eq!(answer["line"], "2024-01-31 12:30:00.123 [lan] RX: … (8)");
    assert_eq!(
        (&answer["message"]["type"], ran.code),
        (&json!("heartbeat"), 0)
    );
    let ran = decode(&[&format!("uart tx {UART_HEARTBEAT} done")]);
    assert_eq!(
        ran.json()[0]["frame"]["name"],
        "HEARTBEAT",
        "{}",
        ran.stdout
    );
    for (line, kind) in [
        (format!("{HEARTBEAT} then, {HEARTBEAT}"), "ambiguous"),
        (
            "2024-01-31 12:30:00 nothing here".to_owned(),
            "not_hex_or_base64",
        ),
        ("{10, 11}".to_owned(), "ambiguous"),
        (format!("b'{HEARTBEAT}'"), "ambiguous"),
        (r"\x00\x2c,".to_owned(), "ambiguous"),
        (r#""\x00" + "\x03""#.to_owned(), "not_hex_or_base64"),
    ] {
        let ran = decode(&[&line]);
        assert_eq!(ran.json()[0]["error"]["kind"], kind, "{line}");
    }
}

#[test]
fn products_are_identified() {
    let identify = |arguments: &[&str]| {
        run(&[&["identify", "-d", "tests/fixtures", "--json"], arguments].concat())
    };
    // Every vector of a status fits its own definition.
    for file in ["standard.json", "var_len.json"] {
        for vector in vectors(file)
            .iter()
            .filter(|vector| {
                vector["expect"]["action"] == "report"
                    && vector["expect"].get("flagged").is_none()
                    && vector["expect"].get("surplus_flags").is_none()
            })
            .step_by(9)
        {
            let own = format!(
                "tests/fixtures/{}.json",
                vector["definition"].as_str().unwrap()
            );
            let ran = identify(&["--encoding=hex", vector["payload"].as_str().unwrap()]);
            let answers = ran.json();
            let answer = answers.iter().find(|one| one["file"] == own).unwrap();
            assert_eq!((&answer["fits"], ran.code), (&json!(true), 0), "{answer}");
            // Those that fit are first, and all others have a reason.
            let fits: Vec<bool> = answers.iter().map(|one| one["fits"] == true).collect();
            assert!(fits.is_sorted_by(|one, next| one >= next), "{fits:?}");
            assert!(
                answers
                    .iter()
                    .all(|one| (one["fits"] == true) != one["error"].is_object())
            );
        }
    }
    let ran = identify(&[REPORT]);
    assert_eq!(ran.json()[0]["name"], "air conditioner", "{}", ran.stdout);
    // The option may come first or last, and be repeated.
    let behind = run(&["identify", REPORT, "--json", "-d", "tests/fixtures"]);
    assert_eq!(behind.stdout, ran.stdout);
    let wave = "tests/fixtures/wave-pump.json";
    let two = run(&[
        "identify",
        "-d",
        AIR_CONDITIONER,
        REPORT,
        "-d",
        wave,
        "--json",
    ]);
    assert_eq!((two.json().len(), two.code), (2, 0), "{}", two.stderr);
    let globbed = run(&["identify", REPORT, "-d", AIR_CONDITIONER, wave]);
    assert_eq!(globbed.code, 2);
    assert!(
        globbed
            .stderr
            .contains("give each definition with a -d of its own"),
        "{}",
        globbed.stderr
    );
    // Further messages, on a serial line and with a value that the other product does not allow, decide.
    let ran = identify(&[REPORT, "ffff000d0501000004010000100500002d"]);
    assert!(ran.code < 2, "{}", ran.stderr);
    let ran = identify(&["040100006300000000"]);
    assert_eq!(ran.code, 1);
    let table = run(&[
        "identify",
        "-d",
        "tests/fixtures/air-conditioner.json",
        "--",
        "0401000063000000",
    ]);
    assert!(
        table
            .stdout
            .contains("`set_temp` = 99 is above its maximum (16..30, step 1)"),
        "{}",
        table.stdout
    );
    assert_eq!(table.code, 1);
    // A discovery reply names the product.
    let ran = identify(&[DISCOVERY_REPLY]);
    assert!(ran.stdout.contains("747be354e00449e799883a966d0c9cbd"));
    for wrong in [HEARTBEAT, "zz", ""] {
        assert_eq!(identify(&[wrong]).code, 2, "{wrong}");
    }
}

/// An error names its line, and what can't be read has a name and a hint.
#[test]
fn errors_of_files_have_a_place() {
    let folder = Folder::new("decode-lines");
    let text = format!(
        "{HEARTBEAT}\n\nno payload!\n  \n{HEARTBEAT}\n{}\nzz",
        "0".repeat(17 << 20)
    );
    let file = folder.write("capture.txt", &text);
    for ran in [decode(&["--file", &file]), run_with(&["decode"], &text)] {
        assert_eq!(ran.code, 1);
        let answers = ran.json();
        let places: Vec<_> = answers
            .iter()
            .map(|answer| {
                (
                    answer["input_line"].as_u64(),
                    answer["error"]["kind"].as_str(),
                )
            })
            .collect();
        assert_eq!(
            places,
            [
                (None, None),
                (Some(3), Some("not_hex_or_base64")),
                (None, None),
                (Some(6), Some("line_length")),
                (Some(7), Some("not_hex_or_base64")),
            ]
        );
    }
    let help = run(&["decode", "--help"]).stdout;
    assert!(help.contains("Empty lines are skipped") && help.contains("line_length"));
    // An argument has no line.
    let places = run_with(
        &["decode", "no payload!", "-", "no payload!"],
        "no payload!",
    );
    let places: Vec<_> = places
        .json()
        .iter()
        .map(|one| one["input_line"].as_u64())
        .collect();
    assert_eq!(places, [None, Some(1), None]);
    let ran = decode(&["--file", "tests"]);
    assert_eq!(
        (ran.code, ran.stderr.as_str()),
        (2, "error: tests: this is a folder: expected a file\n")
    );
    let binary = folder.write("stream.bin", b"\0\0\0\x03\x03\0\0\x15");
    let ran = decode(&["--file", &binary]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.stderr
            .contains("stream.bin: this is no text: for the raw bytes of a connection add --encoding raw --input stream"),
        "{}",
        ran.stderr
    );
    let ran = run(&["man", &file]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr.contains("capture.txt: this is not a folder"),
        "{}",
        ran.stderr
    );
}

/// A full disk is no wrong usage.
#[cfg(target_os = "linux")]
#[test]
fn a_full_standard_output_is_told() {
    for command in [
        "decode 02",
        "schema",
        "encode -d tests/fixtures/air-conditioner.json read",
    ] {
        let line = format!("exec {GIZWITS} {command} > /dev/full");
        let ran = program::run("sh", &["-c", &line], b"");
        assert_eq!(ran.code, 1, "{command}");
        assert!(
            ran.stderr
                .contains("error: standard output: No space left on device"),
            "{command}: {}",
            ran.stderr
        );
    }
}
