//! Payloads decoded and encoded.

use super::*;

fn decode(payload: &str) -> Value {
    let ran = run(&["decode", "-d", AIR_CONDITIONER, payload]);
    serde_json::from_str(&ran.stdout).unwrap()
}

fn encode(arguments: &[&str]) -> Ran {
    run(&[&["encode", "-d", AIR_CONDITIONER], arguments].concat())
}

/// JSON without the space between its tokens, otherwise as it stands.
fn compact(json: &str) -> String {
    let mut quoted = false;
    let mut escaped = false;
    let keep = |one: &char| {
        let space = one.is_whitespace() && !quoted;
        quoted ^= *one == '"' && !escaped;
        escaped = *one == '\\' && !escaped;
        !space
    };
    json.chars().filter(keep).collect()
}

/// Every vector through one process a definition, to the letter, and the canonical ones back.
#[test]
fn vectors_decode_and_encode() {
    type Vector = BTreeMap<String, Box<RawValue>>;
    let text = |vector: &Vector, member: &str| -> String {
        serde_json::from_str(vector[member].get()).unwrap()
    };
    let mut by_definition: BTreeMap<String, Vec<Vector>> = BTreeMap::new();
    for file in ["standard.json", "var_len.json", "m2m.json"] {
        let file = std::fs::read_to_string(root().join("tests/vectors").join(file)).unwrap();
        for vector in serde_json::from_str::<Vec<Vector>>(&file).unwrap() {
            let definition = text(&vector, "definition");
            by_definition.entry(definition).or_default().push(vector);
        }
    }
    let encoded: usize = std::thread::scope(|scope| {
        let one = |(definition, vectors): (&String, &Vec<Vector>)| {
            let file = format!("tests/fixtures/{definition}.json");
            let payloads: Vec<String> = vectors.iter().map(|one| text(one, "payload")).collect();
            let ran = run_with(&["decode", "-d", &file], payloads.join("\n"));
            assert_eq!(
                (ran.code, ran.stdout.lines().count()),
                (0, vectors.len()),
                "{definition}"
            );
            let mut encoded = 0;
            for ((vector, payload), line) in vectors.iter().zip(payloads).zip(ran.stdout.lines()) {
                let id = text(vector, "id");
                assert_eq!(line, compact(vector["expect"].get()), "{id}");
                if vector
                    .get("canonical")
                    .is_none_or(|one| one.get() != "true")
                {
                    continue;
                }
                let Some(ran) = encode_again(&file, vector["expect"].get()) else {
                    continue;
                };
                assert_eq!(ran.stdout, payload + "\n", "{id} {}", ran.stderr);
                encoded += 1;
            }
            encoded
        };
        let threads: Vec<_> = by_definition
            .iter()
            .map(|each| scope.spawn(move || one(each)))
            .collect();
        threads.into_iter().map(|one| one.join().unwrap()).sum()
    });
    assert!(encoded > 180, "{encoded}");
}

/// Encodes what was decoded; `None` if it is nothing that `encode` makes.
fn encode_again(file: &str, expect: &str) -> Option<Ran> {
    let decoded: BTreeMap<String, Box<RawValue>> = serde_json::from_str(expect).unwrap();
    let action = decoded.get("action")?.get().trim_matches('"');
    if action == "transparent" {
        return None;
    }
    let mut arguments = vec!["encode".to_owned(), "-d".to_owned(), file.to_owned()];
    arguments.push(action.to_owned());
    if let Some(attrs) = decoded.get("attrs") {
        arguments.extend(["--json".to_owned(), attrs.get().to_owned()]);
    }
    if let Some(wanted) = decoded.get("wanted") {
        arguments.extend(serde_json::from_str::<Vec<String>>(wanted.get()).unwrap());
    }
    if let Some(frame) = decoded.get("frame") {
        let frame: Value = serde_json::from_str(frame.get()).unwrap();
        arguments.extend(["--frame".to_owned(), "m2m".to_owned()]);
        if let Some(sn) = frame["sn"].as_u64() {
            arguments.extend(["--sn".to_owned(), sn.to_string()]);
        }
        if let Some(did) = frame["did"].as_str() {
            arguments.extend(["--did".to_owned(), did.to_owned()]);
        }
    }
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    Some(run(&arguments))
}

/// The vendor's own log, and the history data of the same second.
#[test]
fn the_vendors_frames() {
    assert_eq!(
        decode(REPORT)["attrs"],
        json!({
            "alert_full": 0, "alert_shutdown": 0, "mode": "制冷", "fan_swing": 0, "switch": 1,
            "fan_speed": "低风", "fault_roomtemp": 0, "room_temp": -10, "set_temp": 16,
            "off_timing": 0, "on_timing": 0,
        })
    );
    let control = decode(CONTROL);
    assert_eq!(control["action"], "control");
    assert_eq!(control["attrs"], json!({"switch": 1}));
}

#[test]
fn payloads_in_every_form() {
    let expected = decode(CONTROL);
    for form in [
        "0x0000000309000090010101000010",
        "00:00:00:03:09:00:00:90:01:01:01:00:00:10",
        "00000003 09 00 0090 01 01 01000010",
        "AAAAAwkAAJABAQEAABA=",
        "AAAAAwkAAJABAQEAABA",
        "[0,0,0,3,9,0,0,144,1,1,1,0,0,16]",
    ] {
        assert_eq!(decode(form), expected, "{form}");
    }
    let base = &["decode", "-d", AIR_CONDITIONER];
    let ran = run(&[base, &["--encoding", "base64", "--input", "p0", "AgAA"][..]].concat());
    assert!(ran.stdout.contains("\"trailing\""), "{}", ran.stdout);
    let ran = run(&[base, &["--input", "p0", CONTROL][..]].concat());
    assert!(ran.stdout.contains("\"unknown_action\""), "{}", ran.stdout);
    let ran = run(&[base, &["--input", "m2m", "02"][..]].concat());
    assert!(ran.stdout.contains("\"not_m2m\""), "{}", ran.stdout);
    let ran = run(&[base, &["--format", "table", REPORT][..]].concat());
    assert!(
        ran.stdout.starts_with("report  dev2app  command 0x0091\n"),
        "{}",
        ran.stdout
    );
    assert!(
        ran.stdout.contains("room_temp       -10   raw 0\n"),
        "{}",
        ran.stdout
    );
}

#[test]
fn payloads_that_fail() {
    for (payload, kind, byte) in [
        ("zz", "not_hex_or_base64", None),
        ("000000030b00009104010000100000", "incomplete", Some(15)),
        ("00000003", "incomplete", Some(4)),
        ("000000030a00009104010000100000", "incomplete", Some(15)),
        ("000000030b000091040100001000000000", "trailing", Some(16)),
        ("000000030c000091040100001000000000", "trailing", Some(16)),
        ("000000030400009053", "unknown_action", Some(8)),
        ("000000030500009012ff", "other_protocol", Some(8)),
        ("000000030900009001800100001000", "trailing", Some(14)),
        ("0000000309000090018001000010", "not_writable", Some(9)),
        ("00000003800080008000", "frame_length", Some(4)),
        ("0000000301", "frame_length", Some(4)),
        ("0000000304000093", "incomplete", Some(8)),
    ] {
        let error = &decode(payload)["error"];
        assert!(
            Error::KINDS.iter().any(|(known, _)| *known == kind),
            "{kind} is in the closed list"
        );
        assert_eq!(error["kind"], kind, "{payload}: {error}");
        assert_eq!(error["byte"].as_u64(), byte, "{payload}: {error}");
    }
    // Cut anywhere, the first byte that is missing is named.
    let cuts: Vec<&str> = (2..REPORT.len())
        .step_by(2)
        .map(|cut| &REPORT[..cut])
        .collect();
    let mut arguments = vec!["decode", "-d", AIR_CONDITIONER, "--input", "m2m"];
    arguments.extend(&cuts);
    let ran = run(&arguments);
    for (cut, line) in cuts.iter().zip(ran.stdout.lines()) {
        let error: Value = serde_json::from_str(line).unwrap();
        assert_eq!(error["error"]["kind"], "incomplete", "{cut}");
        assert_eq!(error["error"]["byte"], cut.len() / 2, "{cut}");
    }
    let ran = run_with(
        &["decode", "-d", AIR_CONDITIONER],
        format!("{REPORT}\n\n  \nzz\n{CONTROL}\n"),
    );
    assert_eq!((ran.code, ran.stdout.lines().count()), (1, 3));
    assert!(
        ran.stdout
            .lines()
            .nth(1)
            .unwrap()
            .starts_with(r#"{"error":{"kind":"#)
    );
    assert!(
        ran.stderr.ends_with("3 payloads, 1 failed\n"),
        "{}",
        ran.stderr
    );
}

#[test]
fn values_in_and_out() {
    for (arguments, expected) in [
        (&["control", "switch=ON"][..], "010101000000"),
        (&["control", "switch=false"], "010100000000"),
        (&["control", "mode=1"], "010404000000"),
        (&["control", "mode=自动"], "01040c000000"),
        (
            &["control", "--json", r#"{"switch":true,"set_temp":24}"#],
            "014101000018",
        ),
        (
            &["control", "--json", r#"{"switch":"0","mode":2}"#],
            "010508000000",
        ),
        (&["read"], "02"),
        (&["--frame", "m2m", "read"], "000000030400009002"),
        (
            &["--frame", "m2m", "--sn", "0x4", "read"],
            "00000003080000930000000402",
        ),
        (
            &["--frame", "m2m", "--did", "ab", "read"],
            "000000030801009000026162 02",
        ),
        (&["--as", "array", "read"], "[2]"),
        (&["--as", "base64", "control", "set_temp=24"], "AUAAAAAY"),
    ] {
        let ran = encode(arguments);
        let expected = expected.replace(' ', "");
        assert_eq!(
            ran.stdout.trim_end(),
            expected,
            "{arguments:?}: {}",
            ran.stderr
        );
    }
    let on = |file: &str, words: &[&str]| {
        let file = format!("tests/fixtures/{file}.json");
        run(&[&["encode", "-d", &file, "control"], words].concat())
    };
    let definition: Value = serde_json::from_str(
        &std::fs::read_to_string(root().join("tests/fixtures/blob.json")).unwrap(),
    )
    .unwrap();
    let attrs = definition["entities"][0]["attrs"].as_array().unwrap();
    let five = attrs
        .iter()
        .find(|attr| attr["data_type"] == "binary" && attr["position"]["len"] == 5)
        .unwrap()["name"]
        .as_str()
        .unwrap();
    for word in ["1234567", "1234567000", "base64:EjRWcA=="] {
        let ran = on("blob", &[&format!("{five}={word}")]);
        assert!(
            ran.stdout.contains("1234567000"),
            "{word}: {}{}",
            ran.stdout,
            ran.stderr
        );
    }
    assert!(
        on("blob", &[&format!("{five}=123456700000")])
            .stderr
            .contains("has 6 bytes")
    );
}

#[test]
fn values_that_are_refused() {
    for (arguments, code, words) in [
        (
            &["control", "set_temp=31"][..],
            1,
            "error: set_temp = 31 is above its maximum 30 (16..30, step 1)\n  definition: \
             tests/fixtures/air-conditioner.json, point 6, byte 3\n",
        ),
        (&["control", "set_temp=15"], 1, "below its minimum 16"),
        (
            &["control", "set_temp=20.5"],
            1,
            "is between the steps 20 and 21",
        ),
        (
            &["control", "set_temp=30.5", "--round"],
            1,
            "above its maximum 30",
        ),
        (&["control", "set_temp=warm"], 1, "expected a number"),
        (
            &["control", "set_temp=99999999999999999999"],
            1,
            "set_temp = 99999999999999999999 is above its maximum 30 (16..30, step 1)",
        ),
        (&["control", "set_temp=-1e19"], 1, "is below its minimum 16"),
        (
            &["control", "--json", r#"{"set_temp":1e19}"#],
            1,
            "set_temp = 1e19 is above its maximum 30",
        ),
        (
            &["control", "switch=maybe"],
            1,
            "true, false, on, off, 1 or 0",
        ),
        (&["control", "mode=warm"], 1, "制冷, 送风, 除湿, 自动"),
        (&["control", "mode=4"], 1, "past its labels: 0..3"),
        (
            &["control", "room_temp=20"],
            1,
            "`room_temp` is not writable",
        ),
        (&["control", "set_tmp=20"], 1, "did you mean `set_temp`?"),
        (&["report", "switch=on"], 1, "missing: fan_swing, mode"),
        (
            &["control", "switch=on", "switch=on"],
            2,
            "`switch` is given twice",
        ),
        (
            &["control", "--json", r#"{"switch":1,"switch":0}"#],
            2,
            "given twice",
        ),
        (&["read", "switch"], 2, "names no points"),
        (
            &["read", "--json", "{\"switch\":1}"],
            2,
            "a read sets no points",
        ),
        (&["control", "--json", "[1]"], 2, "not a JSON object"),
        (
            &["control", "--json", "{}", "switch=on"],
            2,
            "cannot be used with",
        ),
        (&["control"], 2, "sets at least one point"),
        (&["control", "switch"], 2, "is no NAME=VALUE"),
        (&["--sn", "1", "control", "switch=on"], 2, "--frame m2m"),
        (&["--did", "x", "read"], 2, "--frame m2m"),
        (&["pray"], 2, "invalid value"),
    ] {
        let ran = encode(arguments);
        assert_eq!(
            (ran.code, ran.stdout.as_str()),
            (code, ""),
            "{arguments:?}: {}",
            ran.stderr
        );
        assert!(ran.stderr.contains(words), "{arguments:?}: {}", ran.stderr);
    }
    let ran = encode(&["control", "set_temp=20.5", "--round"]);
    assert_eq!(ran.stdout, "014000000015\n");
}

/// Lines that are no text fail in their place.
#[test]
fn lines_of_any_kind() {
    let mut input = vec![b'0'; (16 << 20) + 1];
    input.extend(b"\n\xff\xfe\n02\r\n\n02");
    let ran = run_with(&["decode", "-d", AIR_CONDITIONER], input);
    let lines: Vec<Value> = ran
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let read = json!({"action": "read"});
    assert_eq!((ran.code, &lines[2..]), (1, &[read.clone(), read][..]));
    assert_eq!(
        lines[0]["error"]["message"],
        "the line is longer than 16 MiB"
    );
    assert_eq!(lines[1]["error"]["message"], "the line is not UTF-8 text");
    assert!(ran.stderr.ends_with("4 payloads, 2 failed\n"));
}

#[test]
fn flags_past_the_last_point() {
    let folder = Folder::new("flags");
    let file = folder.write("sound.json", sound().to_string());
    for (payload, kind, place) in [
        ("01800000000000", "unknown_flag", json!([1, 7])),
        ("01200000000000", "not_writable", json!([1, null])),
    ] {
        let ran = run(&["decode", "-d", &file, payload]);
        let error = &serde_json::from_str::<Value>(&ran.stdout).unwrap()["error"];
        assert_eq!((ran.code, &error["kind"]), (1, &json!(kind)), "{error}");
        assert_eq!(json!([error["byte"], error["bit"]]), place, "{error}");
    }
}

/// The table for people names the parts of a message that are no points.
#[test]
fn what_is_set_aside_is_told() {
    let names = "tests/fixtures/names-var-len.json";
    let table = |arguments: &[&str]| {
        let ran = run(&[&["decode", "-d", names, "--format", "table"], arguments].concat());
        (ran.code, ran.stdout)
    };
    let (code, told) = table(&["12ffffffff"]);
    assert_eq!(code, 0, "{told}");
    assert!(told.starts_with("read\n  ! flags past the last point: 12 to 31\n  type\n"));
    let (code, told) = table(&["--lax", "13a0400a0102"]);
    let expected = "reply\n  ! flags past the last point: 13, 15\n  ! extra: 2 bytes, 0102\n  \
                    2fast  43  raw 10\n";
    assert_eq!((code, &*told), (0, expected));
    let (code, told) = table(&["--lax", "1400c00a01"]);
    let expected = "report\n  ! missing: 1 byte\n  2fast  43  raw 10\n";
    assert_eq!((code, &*told), (0, expected));
    let (code, told) = table(&["1400c00a01"]);
    assert_eq!(code, 1, "{told}");
    assert!(
        told.contains("the payload ends before `fault_UART`"),
        "{told}"
    );
    let (code, told) = table(&["12ffff00"]);
    let expected = "the mask of the read has 3 bytes: expected 2, or any number of ff bytes to ask for \
                    all points";
    assert_eq!(code, 1, "{told}");
    assert!(told.contains(expected), "{told}");
    let (code, told) = table(&["06aabbccddeeff1300400a"]);
    let expected = "transparent\n  aabbccddeeff1300400a\n  MAC address aa:bb:cc:dd:ee:ff\n\
                    reply\n  2fast  43  raw 10\n";
    assert_eq!((code, &*told), (0, expected));
}

/// Messages of a var_len product, there and back, and what is refused.
#[test]
fn var_len_messages() {
    let encoded = |arguments: &[&str]| run(&[&["encode", "-d", WAVE_PUMP], arguments].concat());
    for (arguments, expected) in [
        // In any order, and what is not given is not there.
        (
            &["control", "Mode=随机造浪", "PulseTide=off"][..],
            "1100000000000000100204",
        ),
        (
            &["control", "--json", r#"{"Flow":75}"#],
            "110000000000000080004b",
        ),
        (&["report", "Fault_UART=1"], "1400000000000000020001"),
        (&["reply"], "13000000000000000000"),
        (&["read"], "127fffffffffffffffff"),
        (&["read", "HMSData", "SwitchON"], "12400000000000000001"),
        (
            &["--frame", "m2m", "--sn", "1", "control", "SwitchON=on"],
            "0000000312000093000000011100000000000000000101",
        ),
    ] {
        let ran = encoded(arguments);
        assert_eq!(
            ran.stdout.trim_end(),
            expected,
            "{arguments:?}: {}",
            ran.stderr
        );
    }
    for (arguments, code, words) in [
        (
            &["control", "Flow=101"][..],
            1,
            "error: Flow = 101 is above its maximum 100 (0..100, step 1)\n  definition: \
             tests/fixtures/wave-pump.json, point 15, bit 15 of the mask\n",
        ),
        (
            &["control", "Fault_UART=1"],
            1,
            "`Fault_UART` is not writable; writable points: SwitchON, PulseTide, FeedSwitch, TimerON,",
        ),
        (&["control"], 2, "sets at least one point"),
        (&["read", "Flows"], 1, "did you mean `Flow`?"),
        (&["read", "Flow", "Flow"], 2, "`Flow` is given twice"),
        (&["read", "Flow=1"], 2, "a read takes only the name, `Flow`"),
        (
            &["read", "--json", "{\"Flow\":1}"],
            2,
            "a read sets no points",
        ),
        (&["control", "Flow"], 2, "is no NAME=VALUE"),
    ] {
        let ran = encoded(arguments);
        assert_eq!(
            (ran.code, ran.stdout.as_str()),
            (code, ""),
            "{arguments:?}: {}",
            ran.stderr
        );
        assert!(ran.stderr.contains(words), "{arguments:?}: {}", ran.stderr);
    }
    for (payload, kind, place) in [
        (
            "11000000000000000200",
            "incomplete",
            json!(["Fault_UART", 10, null]),
        ),
        (
            "110000000000000002001f",
            "not_writable",
            json!(["Fault_UART", 8, null]),
        ),
        ("14", "incomplete", json!([null, 1, null])),
        ("1400000000000000", "incomplete", json!([null, 8, null])),
        ("11800000000000000001", "unknown_flag", json!([null, 1, 71])),
        (
            "1300000000000000000101ff",
            "trailing",
            json!([null, 11, null]),
        ),
        (
            "12000000000000000001ff",
            "trailing",
            json!([null, 10, null]),
        ),
        ("1220", "incomplete", json!([null, 2, null])),
        ("12", "incomplete", json!([null, 1, null])),
        ("0401", "other_protocol", json!([null, 0, null])),
        ("53", "unknown_action", json!([null, 0, null])),
    ] {
        let ran = run(&["decode", "-d", WAVE_PUMP, payload]);
        let error = &serde_json::from_str::<Value>(&ran.stdout).unwrap()["error"];
        assert_eq!(
            (ran.code, &error["kind"]),
            (1, &json!(kind)),
            "{payload}: {error}"
        );
        let found = json!([error["point"], error["byte"], error["bit"]]);
        assert_eq!(found, place, "{payload}: {error}");
    }
    let ran = run(&[
        "decode",
        "-d",
        WAVE_PUMP,
        "--format",
        "table",
        "12000000000000008001",
    ]);
    assert_eq!(ran.stdout, "read\n  SwitchON\n  Flow\n");
}
