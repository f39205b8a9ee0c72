//! The command line: what it promises, through the binary.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use gizwits_codec_core::definition::Definition;
use serde_json::value::RawValue;
use serde_json::{Value, json};

const AIR_CONDITIONER: &str = "tests/fixtures/air-conditioner.json";
const REPORT: &str = "000000030b0000910401000010000000";
const CONTROL: &str = "0000000309000090010101000010";

struct Ran {
    code: i32,
    stdout: String,
    stderr: String,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn run_with(arguments: &[&str], stdin: impl AsRef<[u8]>) -> Ran {
    let mut child = Command::new(env!("CARGO_BIN_EXE_gizwits"))
        .args(arguments)
        .current_dir(root())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let stdin = stdin.as_ref().to_owned();
    // From another thread: the child may answer before it has read everything.
    let writer = std::thread::spawn(move || {
        let _ = input.write_all(&stdin);
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    Ran {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

fn run(arguments: &[&str]) -> Ran {
    run_with(arguments, "")
}

/// A folder of its own with the fixtures in it, gone at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("gizwits-{name}-{}", std::process::id()));
        let fixtures = folder.join("tests/fixtures");
        std::fs::create_dir_all(&fixtures).unwrap();
        for file in std::fs::read_dir(root().join("tests/fixtures")).unwrap() {
            let file = file.unwrap();
            std::fs::copy(file.path(), fixtures.join(file.file_name())).unwrap();
        }
        Folder(folder)
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) -> String {
        let file = self.0.join(name);
        std::fs::write(&file, text).unwrap();
        file.to_str().unwrap().to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

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
    for file in ["standard.json", "m2m.json"] {
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
    assert!(encoded > 80, "{encoded}");
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
    let ran = run(&[base, &["--output", "table", REPORT][..]].concat());
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
            "is not on a step: 20 and 21 are",
        ),
        (
            &["control", "set_temp=30.5", "--round"],
            1,
            "above its maximum 30",
        ),
        (&["control", "set_temp=warm"], 1, "a number is expected"),
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
        (&["read", "switch"], 2, "takes no names"),
        (&["read", "--json", "{\"switch\":1}"], 2, "takes no names"),
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

#[test]
fn help_examples_and_completions() {
    let folder = Folder::new("examples");
    let binary = Path::new(env!("CARGO_BIN_EXE_gizwits")).parent().unwrap();
    let path = std::env::join_paths([binary, Path::new("/usr/bin"), Path::new("/bin")]).unwrap();
    for command in [
        &[][..],
        &["decode"],
        &["encode"],
        &["layout"],
        &["check"],
        &["completions"],
    ] {
        let ran = run(&[command, &["--help"]].concat());
        let (_, examples) = ran
            .stdout
            .split_once("Example")
            .unwrap_or_else(|| panic!("{command:?} without an example"));
        // As one types them, from a folder that has the fixtures and can be written to.
        if cfg!(not(unix)) {
            continue;
        }
        for line in examples.lines().skip(1) {
            let mut shell = Command::new("sh");
            shell.args(["-c", line]).env("PATH", &path);
            let output = shell.current_dir(&folder.0).output().unwrap();
            let told = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success() && told.is_empty(), "{line}: {told}");
        }
    }
    assert!(run(&["completions", "bash"]).stdout.contains("_gizwits"));
    assert!(
        run(&["decode", "--help"])
            .stdout
            .contains("not_hex_or_base64")
    );
    assert!(run(&["--version"]).stdout.starts_with("gizwits "));
    assert_eq!(run(&["decode"]).code, 2);
    let ran = run(&["decode", "-d", "no-such-file.json", REPORT]);
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
    assert!(ran.stderr.contains("no-such-file.json"));
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
    assert_eq!(lines[0]["error"]["message"], "the line is over 16 MiB long");
    assert_eq!(lines[1]["error"]["message"], "the line is not UTF-8 text");
    assert!(ran.stderr.ends_with("4 payloads, 2 failed\n"));
}

/// Whoever follows a log sees each line when it is there, not when the log ends.
#[test]
fn answers_come_at_once() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_gizwits"))
        .args(["decode", "-d", AIR_CONDITIONER])
        .current_dir(root())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    for (payload, action) in [("02\n", "read"), (CONTROL, "control")] {
        input.write_all(payload.as_bytes()).unwrap();
        input.write_all(b"\n").unwrap();
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        let decoded: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(decoded["action"], action);
    }
    drop(input);
    assert!(child.wait().unwrap().success());
}

#[test]
fn tables_for_people() {
    let table = |payload| {
        let ran = run(&[
            "decode",
            "-d",
            AIR_CONDITIONER,
            "--output",
            "table",
            payload,
        ]);
        ran.stdout
    };
    for (payload, words) in [
        ("0431000028000000", "  mode            制冷  0\n"),
        (
            "0431000028000000",
            "  fan_speed       3     3      ! past its labels\n",
        ),
        (
            "0431000028000000",
            "  set_temp        40           ! above its maximum (16..30, step 1)\n",
        ),
        ("0304", "  03 04 __\n        ^ byte 2\n"),
        ("050102", "transparent\n  0102\n"),
        (
            "000000030800009307000000 02",
            "read  app2dev  command 0x0093  sn 117440512\n",
        ),
    ] {
        let shown = table(payload);
        assert!(shown.contains(words), "{payload}\n{shown}");
    }
}

#[test]
fn definitions_that_cannot_be_used() {
    let folder = Folder::new("unusable");
    let mut broken = sound();
    broken["entities"][0]["attrs"][3]["uint_spec"]["ratio"] = json!(0);
    broken["entities"][0]["attrs"][0]["name"] = json!("po\u{1b}[31mwer");
    broken["entities"][0]["attrs"][1]["name"] = json!("po\u{1b}[31mwer");
    let broken = folder.write("broken.json", broken.to_string());
    let latin = folder.write("latin.json", b"{\"name\": \"\xe9\"}");
    for command in [&["decode"][..], &["encode"], &["layout"]] {
        for (file, words) in [
            (&broken, "error: `level` has the ratio 0"),
            (&latin, "not UTF-8 at byte 10"),
        ] {
            let rest: &[&str] = match command {
                ["decode"] => &["02"],
                ["encode"] => &["read"],
                _ => &[],
            };
            let ran = run(&[command, &["-d", file], rest].concat());
            assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{command:?}");
            assert!(ran.stderr.contains(words), "{command:?}: {}", ran.stderr);
            assert!(
                !ran.stderr.contains('\u{1b}'),
                "nothing steers the terminal"
            );
        }
    }
    let ran = run(&["decode", "-d", "-"]);
    assert!(ran.code == 2 && ran.stderr.contains("standard input is the definition"));

    // The definition on one line of many thousand characters, as the API has it: still a picture.
    let people = run(&["check", "-d", &broken]);
    assert_eq!(people.code, 1);
    assert!(
        people
            .stdout
            .lines()
            .all(|line| line.chars().count() <= 110),
        "{}",
        people.stdout
    );
    assert!(people.stdout.contains(r#""ratio":0"#), "{}", people.stdout);

    // A list is no object, though serde would take it for one.
    let mut list = sound();
    list["entities"][0]["attrs"][0]["position"] = json!(["bit", 0, 0, 1]);
    list["entities"][0]["attrs"][3] = json!([]);
    let ran = run(&[
        "check",
        "--json",
        "-d",
        &folder.write("list.json", list.to_string()),
    ]);
    let pointers: Vec<Value> = ran
        .stdout
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["pointer"].take())
        .collect();
    let attrs = "/entities/0/attrs";
    assert_eq!(
        json!(pointers),
        json!([format!("{attrs}/0/position"), format!("{attrs}/3")])
    );

    // What could be read is told, and then what couldn't.
    let missing = folder.0.join("missing.json");
    let missing = missing.to_str().unwrap();
    let ran = run(&["check", "-d", missing, "-d", AIR_CONDITIONER, &broken]);
    assert_eq!((ran.code, ran.stderr.lines().count()), (2, 1));
    assert!(
        ran.stdout
            .starts_with("tests/fixtures/air-conditioner.json: standard, 7 bytes, 11 points, no")
    );
    assert!(ran.stderr.contains("missing.json"), "{}", ran.stderr);
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    let line = format!("{REPORT}\n").repeat(20_000);
    let mut child = Command::new(env!("CARGO_BIN_EXE_gizwits"))
        .args(["decode", "-d", AIR_CONDITIONER])
        .current_dir(root())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut input = child.stdin.take().unwrap();
    let _ = input.write_all(line.as_bytes());
    drop(input);
    let output = child.wait_with_output().unwrap();
    assert_eq!(
        (output.status.code(), output.stderr.as_slice()),
        (Some(0), &[][..])
    );
}

#[test]
fn pictures() {
    let folder = std::env::temp_dir().join(format!("gizwits-pictures-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    for fixture in gizwits_tests::vectors::fixtures() {
        let file = format!("tests/fixtures/{fixture}.json");
        let ran = run(&["layout", "-d", &file]);
        assert!(
            ran.code == 0 && !ran.stdout.contains('\u{1b}'),
            "no colours into a pipe"
        );
        let data = run(&["layout", "-d", &file, "--json"]);
        let data: Value = serde_json::from_str(&data.stdout).unwrap();
        assert!(data["points"][0]["name"].is_string());
        let svg = folder.join(format!("{fixture}.svg"));
        assert_eq!(
            run(&["layout", "-d", &file, "--svg", svg.to_str().unwrap()]).code,
            0
        );
        let svg = std::fs::read_to_string(svg).unwrap();
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
    }
    std::fs::remove_dir_all(folder).unwrap();
}

// ------------------------------------------------------------------ definitions that break a rule

const ATTR: &str = "/entities/0/attrs/";

/// Two bools, an enum, a uint8, a binary; a read-only uint16; an alert.
fn sound() -> Value {
    let bits = |bit: u32, len: u32, byte: u32| json!({"unit": "bit", "byte_offset": byte, "bit_offset": bit, "len": len});
    let bytes = |byte: u32, len: u32| json!({"unit": "byte", "byte_offset": byte, "bit_offset": 0, "len": len});
    let attr = |id: u32, name: &str, access: &str, data_type: &str, position: Value| json!({"id": id, "name": name, "type": access, "data_type": data_type, "position": position});
    let mut attrs = vec![
        attr(0, "power", "status_writable", "bool", bits(0, 1, 0)),
        attr(1, "light", "status_writable", "bool", bits(1, 1, 0)),
        attr(2, "mode", "status_writable", "enum", bits(2, 2, 0)),
        attr(3, "level", "status_writable", "uint8", bytes(1, 1)),
        attr(4, "blob", "status_writable", "binary", bytes(2, 3)),
        attr(5, "heat", "status_readonly", "uint16", bytes(5, 2)),
        attr(6, "smoke", "alert", "bool", bits(0, 1, 7)),
    ];
    attrs[2]["enum"] = json!(["a", "b", "c"]);
    attrs[3]["uint_spec"] = json!({"min": 0, "max": 100, "ratio": 1, "addition": 0});
    attrs[5]["uint_spec"] = json!({"min": 0, "max": 60000, "ratio": 0.01, "addition": -90.5});
    json!({
        "name": "sound", "product_key": "0123456789abcdef0123456789abcdef",
        "protocolType": "standard", "packetVersion": "0x00000004",
        "entities": [{"id": 0, "name": "entity0", "attrs": attrs}],
    })
}

fn check(text: &str, name: &str) -> (i32, Vec<Value>) {
    let file = std::env::temp_dir().join(format!("gizwits-{name}-{}.json", std::process::id()));
    std::fs::write(&file, text).unwrap();
    let ran = run(&["check", "--json", "-d", file.to_str().unwrap()]);
    let people = run(&["check", "-d", file.to_str().unwrap()]);
    assert_eq!(people.code, ran.code);
    // The reader without an allocator draws the same line.
    let core = Definition::<1024>::parse(text);
    assert_eq!(core.is_err(), ran.code == 1, "{name}: {:?}", core.err());
    std::fs::remove_file(file).unwrap();
    let lines = ran
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    (ran.code, lines)
}

/// What breaks a rule: where to write what; the kind, the pointer, and words of the message.
type Rule<'a> = (&'a str, Value, &'a str, &'a str, &'a [&'a str]);

#[test]
fn each_broken_rule_has_its_own_words() {
    let (code, findings) = check(&sound().to_string(), "sound");
    assert_eq!((code, findings.len()), (0, 0), "{findings:?}");
    let attr = |n: u32, key: &str| format!("{ATTR}{n}{key}");
    let long: Vec<String> = (0..5).map(|n| n.to_string()).collect();
    let rules: &[Rule<'_>] = &[
        (
            &attr(1, "/id"),
            json!(0),
            "duplicate_id",
            &attr(1, "/id"),
            &["light", "power"],
        ),
        (
            &attr(6, "/id"),
            json!(9),
            "id_range",
            &attr(6, "/id"),
            &["smoke", "9"],
        ),
        (
            &attr(0, "/id"),
            json!("0"),
            "wrong_type",
            &attr(0, "/id"),
            &["power", "\"0\""],
        ),
        (
            &attr(0, "/id"),
            json!(0.5),
            "wrong_type",
            &attr(0, "/id"),
            &["power", "0.5"],
        ),
        (
            &attr(1, "/name"),
            json!("power"),
            "duplicate_name",
            &attr(1, "/name"),
            &["power", "attr 0"],
        ),
        (
            &attr(1, "/name"),
            json!(""),
            "empty_name",
            &attr(1, "/name"),
            &["point 1"],
        ),
        (
            &attr(0, "/data_type"),
            json!("int8"),
            "unknown_word",
            &attr(0, "/data_type"),
            &["power", "int8", "uint8"],
        ),
        (
            &attr(0, "/type"),
            json!("secret"),
            "unknown_word",
            &attr(0, "/type"),
            &["power", "secret", "status_writable"],
        ),
        (
            &attr(0, "/position/unit"),
            json!("word"),
            "unknown_word",
            &attr(0, "/position/unit"),
            &["power", "word"],
        ),
        (
            "/protocolType",
            json!("fixed"),
            "unknown_word",
            "/protocolType",
            &["fixed", "standard"],
        ),
        (
            "/packetVersion",
            json!("0x00000005"),
            "unknown_word",
            "/packetVersion",
            &["0x00000005", "0x00000004"],
        ),
        (
            &attr(1, "/position/len"),
            json!(2),
            "bool_width",
            &attr(1, "/position/len"),
            &["light", "2"],
        ),
        (
            &attr(2, "/enum"),
            json!([]),
            "no_labels",
            &attr(2, "/enum"),
            &["mode"],
        ),
        (
            &attr(2, "/enum"),
            Value::Null,
            "no_labels",
            &attr(2, "/enum"),
            &["mode"],
        ),
        (
            &attr(2, "/enum"),
            json!(long),
            "too_many_labels",
            &attr(2, "/enum"),
            &["mode", "5 labels", "4 at most"],
        ),
        (
            &attr(2, "/enum"),
            json!(["a", 1, "c"]),
            "label_type",
            &attr(2, "/enum/1"),
            &["mode", "label 1", "text"],
        ),
        (
            &attr(2, "/position/len"),
            json!(33),
            "enum_width",
            &attr(2, "/position/len"),
            &["mode", "33"],
        ),
        (
            &attr(2, "/position/unit"),
            json!("byte"),
            "unit",
            &attr(2, "/position/unit"),
            &["mode", "enum", "bits"],
        ),
        (
            &attr(3, "/position/unit"),
            json!("bit"),
            "unit",
            &attr(3, "/position/unit"),
            &["level", "bytes"],
        ),
        (
            &attr(3, "/position/len"),
            json!(2),
            "uint_width",
            &attr(3, "/position/len"),
            &["level", "uint8", "2 bytes"],
        ),
        (
            &attr(4, "/position/len"),
            json!(0),
            "binary_width",
            &attr(4, "/position/len"),
            &["blob"],
        ),
        (
            &attr(4, "/position/len"),
            json!(70000),
            "binary_width",
            &attr(4, "/position/len"),
            &["blob", "65535"],
        ),
        (
            &attr(4, "/position/bit_offset"),
            json!(3),
            "bit_offset",
            &attr(4, "/position/bit_offset"),
            &["blob", "3"],
        ),
        (
            &attr(2, "/position/bit_offset"),
            json!(1),
            "overlap",
            &attr(2, "/position"),
            &["mode", "light", "byte 0"],
        ),
        (
            &attr(4, "/position/byte_offset"),
            json!(1),
            "overlap",
            &attr(4, "/position"),
            &["blob", "level"],
        ),
        (
            &attr(1, "/type"),
            json!("fault"),
            "shared_area",
            &attr(1, "/position"),
            &["light", "power", "fault"],
        ),
        (
            &attr(6, "/type"),
            json!("status_writable"),
            "writable_ids",
            &attr(6, "/id"),
            &["smoke", "heat"],
        ),
        (
            &attr(6, "/type"),
            json!("status_writable"),
            "writable_bytes",
            &attr(6, "/position"),
            &["smoke", "heat"],
        ),
        (
            &attr(3, "/uint_spec/min"),
            json!(101),
            "min_above_max",
            &attr(3, "/uint_spec/min"),
            &["level", "101", "100"],
        ),
        (
            &attr(3, "/uint_spec/min"),
            json!(-1),
            "negative_min",
            &attr(3, "/uint_spec/min"),
            &["level", "-1"],
        ),
        (
            &attr(3, "/uint_spec/max"),
            json!(256),
            "max_too_large",
            &attr(3, "/uint_spec/max"),
            &["level", "256", "255"],
        ),
        (
            &attr(3, "/uint_spec/ratio"),
            json!(0),
            "ratio",
            &attr(3, "/uint_spec/ratio"),
            &["level", "above 0"],
        ),
        (
            &attr(3, "/uint_spec/ratio"),
            json!(-0.5),
            "ratio",
            &attr(3, "/uint_spec/ratio"),
            &["level", "-0.5"],
        ),
        (
            &attr(5, "/uint_spec/addition"),
            json!(1.234567890123456),
            "digits",
            &attr(5, "/uint_spec/addition"),
            &["heat", "15"],
        ),
        (
            &attr(5, "/uint_spec/ratio"),
            json!(1e15),
            "scale_overflow",
            &attr(5, "/uint_spec/ratio"),
            &["heat"],
        ),
        (
            &attr(3, "/uint_spec"),
            Value::Null,
            "missing",
            &attr(3, "/uint_spec"),
            &["level", "uint_spec"],
        ),
        (
            &attr(6, "/position/byte_offset"),
            json!(65535),
            "status_length",
            &attr(6, "/position"),
            &["smoke", "65535"],
        ),
        (
            "/entities/0/attrs",
            json!([]),
            "no_points",
            "/entities/0/attrs",
            &["no attrs"],
        ),
        (
            "/entities",
            json!([{"attrs": []}, {"attrs": []}]),
            "entities",
            "/entities",
            &["2 entities"],
        ),
        ("/entities", json!({}), "wrong_type", "/entities", &["list"]),
    ];
    for (pointer, value, kind, at, words) in rules {
        let mut broken = sound();
        *broken.pointer_mut(pointer).unwrap() = value.clone();
        let name = format!("{kind}-{}", pointer.replace('/', "_"));
        let (code, findings) = check(&format!("{broken:#}"), &name);
        let found = findings
            .iter()
            .find(|one| one["kind"] == *kind && one["pointer"] == *at)
            .unwrap_or_else(|| panic!("no {kind} at {at}: {findings:#?}"));
        assert_eq!((code, &found["severity"]), (1, &json!("error")), "{found}");
        assert!(
            found["line"].as_u64() > Some(1) && found["column"].as_u64() > Some(0),
            "{found}"
        );
        let message = found["message"].as_str().unwrap();
        for word in *words {
            assert!(message.contains(word), "{kind}: `{message}` lacks {word}");
        }
    }
}

#[test]
fn what_is_no_definition() {
    let good = sound();
    let attrs = &good["entities"][0]["attrs"];
    let flat = json!({"protocolType": "standard", "packetVersion": "0x00000004", "attrs": attrs});
    let mut many = sound();
    let mut attr = many["entities"][0]["attrs"][0].clone();
    many["entities"][0]["attrs"] = (0..1025)
        .map(|id| {
            attr["id"] = json!(id);
            attr["name"] = json!(format!("p{id}"));
            attr["position"]["bit_offset"] = json!(id);
            attr.clone()
        })
        .collect();
    let mut no_protocol = sound();
    no_protocol.as_object_mut().unwrap().remove("protocolType");
    let text = good.to_string();
    for (name, text, kind, words) in [
        (
            "jsonc",
            text.replacen('{', "{ // a comment\n", 1),
            "json",
            "comment",
        ),
        ("comma", text.replacen("],", ",],", 1), "json", "comma"),
        ("cut", text[..40].to_owned(), "json", "not JSON"),
        ("empty", String::new(), "json", ""),
        ("deep", "[".repeat(5000), "json", "deep"),
        ("array", "[]".to_owned(), "json", "object"),
        (
            "key",
            text.replacen("\"id\":0", "\"id\":0,\"id\":0", 1),
            "duplicate_key",
            "\"id\"",
        ),
        ("flat", flat.to_string(), "outside_entity", "entities"),
        (
            "none",
            r#"{"protocolType":"standard"}"#.to_owned(),
            "missing",
            "entities",
        ),
        ("many", many.to_string(), "too_many_points", "1024"),
        (
            "protocol",
            no_protocol.to_string(),
            "missing",
            "protocolType",
        ),
    ] {
        let (code, findings) = check(&text, name);
        let found = findings.iter().find(|one| one["kind"] == kind);
        let found = found.unwrap_or_else(|| panic!("{name}: {findings:?}"));
        assert_eq!((code, &found["severity"]), (1, &json!("error")), "{name}");
        assert!(
            found["message"].as_str().unwrap().contains(words),
            "{name}: {found}"
        );
    }
    // Everything at once, not the first alone.
    let mut broken = sound();
    for (pointer, value) in [
        ("/entities/0/attrs/0/position/len", json!(2)),
        ("/entities/0/attrs/2/enum", json!([])),
        ("/entities/0/attrs/3/uint_spec/ratio", json!(0)),
        ("/entities/0/attrs/5/data_type", json!("int")),
    ] {
        *broken.pointer_mut(pointer).unwrap() = value;
    }
    let kinds: Vec<Value> = check(&broken.to_string(), "several")
        .1
        .iter()
        .map(|one| one["kind"].clone())
        .collect();
    assert_eq!(kinds, ["bool_width", "no_labels", "ratio", "unknown_word"]);
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

/// A definition of the other protocol is read and checked; its messages are not decoded yet.
#[test]
fn var_len_is_refused_in_words() {
    let mut definition = sound();
    definition["protocolType"] = json!("var_len");
    let file = std::env::temp_dir().join(format!("gizwits-var-len-{}.json", std::process::id()));
    std::fs::write(&file, definition.to_string()).unwrap();
    let name = file.to_str().unwrap();
    assert_eq!(run(&["check", "-d", name]).code, 0);
    for payload in ["1101", "1401ff"] {
        let ran = run(&["decode", "-d", name, payload]);
        assert!(
            ran.code == 1 && ran.stdout.contains("not decoded yet"),
            "{}",
            ran.stdout
        );
    }
    assert!(
        run(&["decode", "-d", name, "0401"])
            .stdout
            .contains("\"other_protocol\"")
    );
    let ran = run(&["encode", "-d", name, "control", "power=on"]);
    assert!(ran.code == 1 && ran.stdout.is_empty(), "{}", ran.stdout);
    std::fs::remove_file(file).unwrap();
}

#[test]
fn what_is_only_odd() {
    let mut plain = sound();
    let members = plain.as_object_mut().unwrap();
    members.remove("packetVersion");
    members.remove("product_key");
    let mut odd = sound();
    odd["product_key"] = json!("not hex");
    odd["packetVersion"] = json!(4);
    odd["entities"][0]["attrs"][2]["enum"] = json!(["a", "b", "a"]);
    odd["entities"][0]["attrs"][2]["position"]["len"] = json!(9);
    odd["entities"][0]["attrs"][2]["desc"] = json!(["not", "text"]);
    for n in 3..7 {
        let byte = &mut odd["entities"][0]["attrs"][n]["position"]["byte_offset"];
        *byte = json!(byte.as_u64().unwrap() + 2);
    }
    let mut order = sound();
    order["entities"][0]["attrs"][3]["position"]["byte_offset"] = json!(4);
    order["entities"][0]["attrs"][4]["position"]["byte_offset"] = json!(1);
    for (name, definition, kinds) in [
        ("plain", plain, &["packet_version", "product_key"][..]),
        (
            "odd",
            odd,
            &["duplicate_label", "wide_bits", "gap", "product_key"],
        ),
        ("order", order, &["order"]),
    ] {
        let (code, findings) = check(&definition.to_string(), name);
        assert_eq!(code, 0, "{name}: {findings:?}");
        for kind in kinds {
            let found = findings.iter().find(|one| one["kind"] == *kind);
            assert_eq!(
                found.unwrap_or(&Value::Null)["severity"],
                "warning",
                "{name}: {findings:?}"
            );
        }
        assert_eq!(findings.len(), kinds.len(), "{name}: {findings:?}");
    }
}
