//! `gizwits log decode` with partitions, actions, states and types of numbers, through the binary.

use std::fs;
use std::path::Path;

use gizwits_tests::log::{DEFINITION, LOG};
use gizwits_tests::program::{self, Folder, Ran};
use gizwits_tests::vectors;

const GIZWITS: &str = env!("CARGO_BIN_EXE_gizwits");
const TOY: &str = "tests/fixtures/voice-toy.json";

fn decode(arguments: &[&str], stdin: impl AsRef<[u8]>) -> Ran {
    let all = [&["log", "decode"], arguments].concat();
    program::run(GIZWITS, &all, stdin.as_ref())
}

/// The files of a folder, by path, with their text.
fn files(folder: &Path) -> Vec<(String, String)> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => {
                    let name = path.strip_prefix(folder).unwrap().to_str().unwrap();
                    files.push((name.to_owned(), fs::read_to_string(&path).unwrap()));
                }
            }
        }
    }
    files.sort();
    files
}

fn record(did: &str, time: &str, payload: &str) -> String {
    format!("{{\"timestamp\":\"{time}\",\"did\":\"{did}\",\"payload\":\"{payload}\"}}\n")
}

#[test]
fn a_folder_of_partitions() {
    let folder = Folder::new("log-partitions");
    let out = folder.0.join("records");
    let name = out.to_str().unwrap();
    let log = record("a", "2026-01-31T23:59:59Z", "014000000018")
        + &record("b", "2026-02-01T00:00:00Z", "014000000018")
        + "{\"did\":\"a\",\"payload\":\"02\"}\n";
    let run = |more: &[&str]| {
        let arguments = ["-d", DEFINITION, "-", "-o", name, "--partition"];
        decode(&[&arguments[..], more].concat(), &log)
    };
    let ran = run(&["day,did"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let null = "__HIVE_DEFAULT_PARTITION__";
    let remark = format!("1 record has no timestamp and is in day={null}");
    assert!(ran.stderr.contains(&remark), "{}", ran.stderr);
    assert!(ran.stderr.contains("records 3 files"), "{}", ran.stderr);
    let found: Vec<String> = files(&out).into_iter().map(|(name, _)| name).collect();
    let expected = [
        "day=2026-01-31/did=a/records.ndjson".to_owned(),
        "day=2026-02-01/did=b/records.ndjson".to_owned(),
        format!("day={null}/did=a/records.ndjson"),
    ];
    assert_eq!(found, expected);

    // A folder with files is refused before anything is read.
    let ran = run(&["day"]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr.contains("the folder has files"),
        "{}",
        ran.stderr
    );
    assert_eq!(files(&out).len(), 3);

    // An empty folder is not. A table has no column of its key.
    fs::remove_dir_all(&out).unwrap();
    fs::create_dir(&out).unwrap();
    let ran = run(&["did", "--format", "csv"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let tables = files(&out);
    assert_eq!(tables.len(), 2);
    assert!(tables[0].1.starts_with("timestamp,type,action,switch,"));
    assert_eq!(tables[0].1.lines().count(), 3);

    // What fails leaves nothing.
    fs::remove_dir_all(&out).unwrap();
    let ran = run(&["did", "--max-partitions", "1"]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr.contains("more than 1 partition"),
        "{}",
        ran.stderr
    );
    assert!(!out.exists());

    // A device without a folder does not end the run.
    let long = record(&"é".repeat(60), "2026-01-31T23:59:59Z", "014000000018");
    for (by, code, found) in [("did", 1, 2), ("day", 0, 3)] {
        let arguments = ["-d", DEFINITION, "-", "-o", name, "--partition", by];
        let ran = decode(&arguments, log.clone() + &long);
        assert_eq!(
            (ran.code, files(&out).len()),
            (code, found),
            "{}",
            ran.stderr
        );
        assert_eq!(
            ran.stderr.contains("(1 partition)"),
            code == 1,
            "{}",
            ran.stderr
        );
        fs::remove_dir_all(&out).unwrap();
    }

    // With several products, their keys are names of folders.
    let key = "../../elsewhere";
    let fixture = vectors::fixture("air-conditioner");
    let own = vectors::product("air-conditioner").product_key().to_owned();
    let other = folder.write("other.json", fixture.replace(&own, key));
    let both = [
        "-d",
        TOY,
        "-d",
        &other,
        "-",
        "-o",
        name,
        "--partition",
        "day",
        "--format",
        "csv",
    ];
    let ran = decode(&both, &log);
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr.contains("expected 32 hex digits"),
        "{}",
        ran.stderr
    );
    assert!(!out.exists());

    for (arguments, message) in [
        (&["-", "--partition", "day"][..], "--output"),
        (
            &["-", "--partition", "day", "-o", "-"],
            "name it with --output",
        ),
        (
            &["-", "--partition", "day,hour", "-o", name],
            "takes day or hour, not both",
        ),
        (&["-", "--partition", "daay", "-o", name], "'day'"),
        (
            &["-", "--partition", "day", "-o", DEFINITION],
            "this is a file",
        ),
        (
            &["-", "--numbers", "float64"],
            "--numbers requires Arrow or Parquet",
        ),
        (
            &["-", "--flagged"],
            "NDJSON always has the member `flagged`",
        ),
        (&["-", "--bom"], "--bom requires CSV"),
        (&["-", "--action", "raport"], "'report'"),
        (&["-", "--state", "s"], "--fill"),
    ] {
        let ran = decode(&[&["-d", DEFINITION], arguments].concat(), &log);
        assert_eq!(ran.code, 2, "{arguments:?}");
        assert!(ran.stderr.contains(message), "{}", ran.stderr);
    }
}

/// More files than a process may open, each with records of many blocks.
#[test]
fn more_files_than_can_be_open() {
    let folder = Folder::new("log-many");
    let out = folder.0.join("records");
    let log: String = (0..30_000)
        .map(|n| {
            format!(
                "{{\"did\":\"d{}\",\"n\":{n},\"payload\":\"014000000018\"}}\n",
                n % 300
            )
        })
        .collect();
    let input = folder.write("log.ndjson", &log);
    let line = format!(
        "ulimit -n 200; exec {GIZWITS} log decode -d {DEFINITION} {input} --keep --partition did -o {}",
        out.display()
    );
    let ran = program::run("sh", &["-c", &line], b"");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let found = files(&out);
    assert_eq!(found.len(), 300);
    for (name, text) in found {
        let did: usize = name["did=d".len()..]
            .split('/')
            .next()
            .unwrap()
            .parse()
            .unwrap();
        let numbers: Vec<usize> = text
            .lines()
            .map(|line| {
                serde_json::from_str::<serde_json::Value>(line).unwrap()["n"]
                    .as_u64()
                    .unwrap() as usize
            })
            .collect();
        assert!(numbers.into_iter().eq((did..30_000).step_by(300)), "{name}");
    }
}

#[cfg(unix)]
#[test]
fn an_interrupted_folder_leaves_nothing() {
    use std::io::Write as _;
    let folder = Folder::new("log-partitions-interrupted");
    let out = folder.0.join("records");
    let mut child = std::process::Command::new(GIZWITS)
        .args([
            "log",
            "decode",
            "-d",
            DEFINITION,
            "-",
            "--partition",
            "day",
            "-o",
        ])
        .arg(&out)
        .current_dir(program::root())
        .stdin(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    while !out.is_dir() || fs::read_dir(&out).unwrap().count() == 0 {
        std::thread::yield_now();
    }
    let mut input = child.stdin.take().unwrap();
    input.write_all(LOG.as_bytes()).unwrap();
    let pid = child.id().to_string();
    std::process::Command::new("kill")
        .args(["-TERM", &pid])
        .status()
        .unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(143));
    assert!(!out.exists());
}

#[test]
fn some_actions_are_counted() {
    let log = "014000000018\n02\n04010000101e0000\n";
    let ran = decode(&["-d", DEFINITION, "-", "--action", "report,control"], log);
    assert_eq!((ran.code, ran.stdout.lines().count()), (0, 2));
    assert!(
        ran.stderr.contains("1 left out by --action"),
        "{}",
        ran.stderr
    );
}

#[test]
fn states_go_from_run_to_run() {
    let folder = Folder::new("log-state");
    let state = folder.0.join("state.ndjson");
    let path = state.to_str().unwrap();
    let run = |report: &str| {
        let line = format!("{{\"did\":\"a\",\"payload\":\"{report}\"}}\n");
        decode(&["-d", TOY, "-", "--fill", "--state", path], line)
    };
    let one = run("140801");
    assert_eq!(one.code, 0, "{}", one.stderr);
    let two = run("14201e");
    let attrs = &two.json()[0]["attrs"];
    assert_eq!(attrs["volume_set"], 30);
    assert_eq!(attrs["alert_tone_language"], "english");
    let saved = fs::read_to_string(&state).unwrap();
    assert!(
        saved.starts_with("{\"did\":\"a\",\"state\":{\"version\":1,"),
        "{saved}"
    );

    // A run with rejected records keeps what it knows; a file that is no state is an error, and stays.
    assert_eq!(run("14").code, 1);
    assert_eq!(fs::read_to_string(&state).unwrap(), saved);
    fs::write(&state, "[1]\n").unwrap();
    let ran = run("14201e");
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr.contains("line 1: not the state of a device"),
        "{}",
        ran.stderr
    );
    assert_eq!(fs::read_to_string(&state).unwrap(), "[1]\n");
    let ran = decode(&["-d", TOY, "-", "--fill", "--state", path, "-o", path], "");
    assert_eq!(ran.code, 2);
}

#[test]
fn a_mark_before_csv() {
    let ran = decode(
        &[
            "-d",
            DEFINITION,
            "-",
            "--format",
            "csv",
            "--bom",
            "--flagged",
        ],
        "014000000030\n",
    );
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(
        ran.stdout
            .starts_with("\u{feff}timestamp,type,did,action,flagged,")
    );
    assert!(
        ran.stdout
            .ends_with("\r\n,,,control,set_temp,,,,,,,48,,,,\r\n")
    );
}
