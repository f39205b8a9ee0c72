//! The command line: what it promises, through the binary.

mod captures;
mod definition;
mod definitions;
mod lan;
mod module;
mod payloads;
mod pictures;
mod record;
mod shell;
mod text;

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use gizwits_codec_std::Error;
use gizwits_tests::program::{self, Folder, Ran, root};
use gizwits_tests::vectors::sound;
use serde_json::value::RawValue;
use serde_json::{Value, json};

const GIZWITS: &str = env!("CARGO_BIN_EXE_gizwits");
const AIR_CONDITIONER: &str = "tests/fixtures/air-conditioner.json";
const WAVE_PUMP: &str = "tests/fixtures/wave-pump.json";
const REPORT: &str = "000000030b0000910401000010000000";
const CONTROL: &str = "0000000309000090010101000010";

fn run_with(arguments: &[&str], stdin: impl AsRef<[u8]>) -> Ran {
    program::run(GIZWITS, arguments, stdin.as_ref())
}

fn run(arguments: &[&str]) -> Ran {
    run_with(arguments, "")
}

#[test]
fn help_examples_and_completions() {
    let folder = Folder::new("examples");
    std::fs::create_dir(folder.0.join("definitions")).unwrap();
    for (name, fixture) in [
        ("ac.json", AIR_CONDITIONER),
        ("pump.json", WAVE_PUMP),
        ("definitions/ac.json", AIR_CONDITIONER),
    ] {
        folder.write(name, std::fs::read(root().join(fixture)).unwrap());
    }
    let binary = Path::new(GIZWITS).parent().unwrap();
    let path = std::env::join_paths([binary, Path::new("/usr/bin"), Path::new("/bin")]).unwrap();
    for command in [
        &[][..],
        &["decode"],
        &["encode"],
        &["identify"],
        &["layout"],
        &["check"],
        &["codegen"],
        &["demo"],
        &["completions"],
        &["man"],
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
            // The definitions of the fixtures have Chinese labels, about which `codegen` has a note.
            let is_sound = told.lines().all(|line| line.starts_with("note: "));
            assert!(output.status.success() && is_sound, "{line}: {told}");
        }
    }
    assert!(run(&["completions", "bash"]).stdout.contains("_gizwits"));
    assert!(
        run(&["decode", "--help"])
            .stdout
            .contains("not_hex_or_base64")
    );
    assert!(run(&["--version"]).stdout.starts_with("gizwits "));
    assert_eq!(run(&["encode"]).code, 2);
    let ran = run(&["decode", "-d", "no-such-file.json", REPORT]);
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
    assert!(ran.stderr.contains("no-such-file.json"));
}

/// `-` is standard input or output wherever a file may be, and a byte order mark is no part of a text.
#[test]
fn standard_input_has_a_name() {
    let one = "{\"action\":\"read\"}\n";
    for (arguments, input, count) in [
        (&[][..], "\u{feff}02\r\n", 1),
        (&["-"], "\u{feff}02\n02", 2),
        (&["02", "-", "02"], "02\n", 3),
        (&["-"], "\u{feff}", 0),
    ] {
        let all = [&["decode", "-d", AIR_CONDITIONER], arguments].concat();
        let ran = run_with(&all, input);
        assert_eq!(
            (ran.code, ran.stdout),
            (0, one.repeat(count)),
            "{arguments:?}"
        );
    }
    // A mark in a later line is no hex.
    let ran = run_with(&["decode", "-d", AIR_CONDITIONER], "02\n\u{feff}02\n");
    assert_eq!((ran.code, ran.stdout.lines().count()), (1, 2));
    let text = std::fs::read(program::root().join(AIR_CONDITIONER)).unwrap();
    assert_eq!(run_with(&["decode", "-d", "-", "-"], &text).code, 2);
    assert_eq!(run_with(&["log", "decode", "-d", "-", "-"], &text).code, 2);
    assert_eq!(
        run_with(&["log", "decode", "-d", "-", "--dids", "-", "x"], &text).code,
        2
    );
    let code = run_with(&["codegen", "-d", "-"], &text);
    let written = run_with(&["codegen", "-d", "-", "-o", "-"], &text);
    assert_eq!((code.code, code.stdout), (0, written.stdout));
    let ran = run_with(&["simulate", "--scenario", "-"], "nothing = 1");
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr
            .starts_with("error: -: the scenario: line 1, column 1: unknown field `nothing`"),
        "{}",
        ran.stderr
    );
}

/// Whoever follows a log sees each line when it is there, not when the log ends.
#[test]
fn answers_come_at_once() {
    let mut child = Command::new(GIZWITS)
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
fn a_reader_that_leaves_is_no_error() {
    let line = format!("{REPORT}\n").repeat(20_000);
    let mut child = Command::new(GIZWITS)
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

/// An argument that is no JSON is shown as far as it says which it is.
#[test]
fn an_error_shows_the_head_of_an_argument() {
    let variables = [
        "BASE_URL",
        "ENTERPRISE_ID",
        "ENTERPRISE_SECRET",
        "PRODUCT_KEY",
        "PRODUCT_SECRET",
    ]
    .map(|name| (format!("GIZWITS_{name}"), "http://127.0.0.1:9".to_owned()));
    let variables = BTreeMap::from(variables);
    let deep = "[".repeat(37_000);
    for arguments in [
        &["api", "devices", "control", "DID", "--attrs", &deep][..],
        &["api", "call", "POST", "/v1/x", "--body", &deep],
    ] {
        let ran = program::run_in(GIZWITS, arguments, &[], &variables);
        assert_eq!(ran.code, 2, "{}", ran.stderr);
        assert!(ran.stderr.contains("[[[…: not JSON"), "{}", ran.stderr);
        assert!(ran.stderr.len() < 300, "{}", ran.stderr.len());
    }
}
