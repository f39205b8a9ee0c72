//! The program `gizwits-sql`.
#![cfg(feature = "cli")]

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// Runs the program in a folder, with this standard input.
fn run(folder: &Path, args: &[&str], input: &str) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_gizwits-sql"))
        .args(args)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = program.stdin.take().unwrap();
    stdin.write_all(input.as_bytes()).unwrap();
    drop(stdin);
    program.wait_with_output().unwrap()
}

fn stdout(folder: &Path, args: &[&str]) -> String {
    let output = run(folder, args, "");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

fn failure(folder: &Path, args: &[&str]) -> String {
    let output = run(folder, args, "");
    assert_eq!(output.status.code(), Some(1), "{args:?}");
    String::from_utf8(output.stderr).unwrap()
}

/// A folder with a definition and a log.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let fixture = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../tests/fixtures/air-conditioner.json"
    );
    fs::copy(fixture, folder.path().join("ac.json")).unwrap();
    let log = "{\"timestamp\":1517384252.294,\"did\":\"a\",\"payload\":\"0401000010280000\"}\n\
               {\"timestamp\":1517384253,\"did\":\"b\",\"payload\":\"0401\"}\n";
    fs::write(folder.path().join("log.ndjson"), log).unwrap();
    folder
}

const QUERY: &str = "SELECT timestamp, did, room_temp, mode FROM gizwits_log('log.ndjson', 'ac')";

#[test]
fn every_format() {
    let folder = folder();
    let folder = folder.path();
    let base = ["-d", "ac=ac.json", "-c", QUERY];
    let formatted = |format| stdout(folder, &[&base[..], &["--format", format]].concat());
    assert_eq!(
        formatted("csv"),
        "timestamp,did,room_temp,mode\n2018-01-31T07:37:32.294Z,a,30,制冷\n"
    );
    assert_eq!(
        formatted("json"),
        "{\"timestamp\":\"2018-01-31T07:37:32.294Z\",\"did\":\"a\",\"room_temp\":30,\"mode\":\"制冷\"}\n"
    );
    assert!(formatted("table").contains("| 2018-01-31T07:37:32.294Z | a   | 30        | 制冷 |"));
    // A written file is read by the next query.
    stdout(folder, &[&base[..], &["-o", "out.parquet"]].concat());
    let query = "SELECT room_temp FROM 'out.parquet'";
    let read = stdout(folder, &["-c", query, "--format", "csv"]);
    assert_eq!(read, "room_temp\n30\n");
    assert_eq!(fs::read(folder.join("out.parquet")).unwrap()[..4], *b"PAR1");
}

#[test]
fn several_queries_from_files_and_standard_input() {
    let folder = folder();
    let folder = folder.path();
    let queries = "CREATE VIEW log AS SELECT * FROM gizwits_log('log.ndjson', 'ac.json');
                   SELECT count(*) AS n FROM log; SELECT (gizwits_decode('ac.json', '0401000010280000')).mode;";
    fs::write(folder.join("q.sql"), queries).unwrap();
    let read = stdout(folder, &["-f", "q.sql", "--format", "csv"]);
    assert!(read.starts_with("n\n1\n"), "{read}");
    assert!(read.ends_with("\n制冷\n"), "{read}");
    for args in [&["--format", "csv"][..], &["--format", "csv", "-f", "-"]] {
        let output = run(folder, args, queries);
        assert_eq!(String::from_utf8(output.stdout).unwrap(), read);
    }
    let table = stdout(
        folder,
        &[
            "--max-rows",
            "2",
            "-c",
            "SELECT * FROM (VALUES (1), (2), (3))",
        ],
    );
    assert!(
        table.contains("| 2       |\n+---------+\nThe first 2 rows."),
        "{table}"
    );
}

/// A reader that closes the output early, as `head` does, is not an error.
#[test]
fn closed_output() {
    for format in ["csv", "json"] {
        let query = "SELECT * FROM generate_series(1, 100000)";
        let mut program = Command::new(env!("CARGO_BIN_EXE_gizwits-sql"))
            .args(["--format", format, "-c", query])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(program.stdout.take());
        let output = program.wait_with_output().unwrap();
        assert!(
            output.status.success() && output.stderr.is_empty(),
            "{output:?}"
        );
    }
}

/// A query that fails or is interrupted leaves the output file as it was, and no other file.
#[test]
fn output_files_are_complete() {
    let folder = folder();
    let folder = folder.path();
    let names = || {
        let files = fs::read_dir(folder).unwrap();
        files.map(|file| file.unwrap().file_name().into_string().unwrap())
    };
    fs::write(folder.join("out.csv"), "before").unwrap();
    failure(
        folder,
        &[
            "-o",
            "out.csv",
            "-c",
            "SELECT 1 / (n - 9) FROM generate_series(1, 9) AS t(n)",
        ],
    );
    let endless = "SELECT count(*) FROM generate_series(1, 1000000000000000)";
    let mut program = Command::new(env!("CARGO_BIN_EXE_gizwits-sql"))
        .args(["-o", "out.csv", "-c", endless])
        .current_dir(folder)
        .spawn()
        .unwrap();
    while !names().any(|name| name.ends_with(".part")) {
        assert_eq!(program.try_wait().unwrap(), None);
        std::thread::yield_now();
    }
    let pid = program.id().to_string();
    let kill = Command::new("kill").args(["-INT", &pid]).status().unwrap();
    assert!(kill.success());
    assert_eq!(program.wait().unwrap().code(), Some(130));
    assert_eq!(
        fs::read_to_string(folder.join("out.csv")).unwrap(),
        "before"
    );
    assert_eq!(names().count(), 3, "{:?}", names().collect::<Vec<_>>());
}

/// The result replaces a file that the query reads.
#[test]
fn an_input_is_replaced() {
    let folder = folder();
    let folder = folder.path();
    let count = |file: &str| {
        let query = format!("SELECT count(*) AS n FROM '{file}'");
        stdout(folder, &["-c", &query, "--format", "csv"])
    };
    for query in [
        "SELECT n FROM generate_series(1, 100000) AS t(n)",
        "SELECT n FROM 'n.parquet' WHERE n > 10",
    ] {
        stdout(folder, &["-o", "n.parquet", "-c", query]);
    }
    assert_eq!(count("n.parquet"), "n\n99990\n");
}

#[test]
fn errors() {
    let folder = folder();
    let folder = folder.path();
    for (args, expected) in [
        (
            &["-c", "SELEC 1"][..],
            "error: Expected: an SQL statement, found: SELEC",
        ),
        (&["-c", "SELECT * FROM x"], "error: unknown table `x`"),
        (
            &["-c", "SELECT * FROM 'log.ndjson'"],
            "error: `log.ndjson` is not a file of a known format (.parquet, .csv, .json): \
             read logs with gizwits_log('log.ndjson', definition)",
        ),
        (
            &["-c", "SELECT gizwits_decode('ac.json')"],
            "error: gizwits_decode takes a definition, a payload, and optionally names of attributes.\n",
        ),
        (
            &["-c", "SELECT gizwits_attr('ac.json', '02', 'rom_temp')"],
            "error: unknown point `rom_temp`: did you mean `room_temp`?",
        ),
        (
            &["-c", "SELECT * FROM 'none.parquet'"],
            "error: no file `none.parquet`\n",
        ),
        (
            &["-c", "SELECT * FROM gizwits_log('log.ndjson', 'none.json')"],
            "error: cannot read the definition `none.json`: no such file\n",
        ),
        (
            &["-c", "SELECT * FROM gizwits_log(\"log.ndjson\", 'ac.json')"],
            "error: the files of gizwits_log must be a path, URL or glob in single quotes\n",
        ),
        (
            &["-c", "SELECT gizwits_log('log.ndjson', 'ac.json')"],
            "error: gizwits_log is a table function: SELECT",
        ),
        (
            &["-c", "SELECT gizwits_fill(1, 'report')"],
            "error: gizwits_fill is a window function: gizwits_fill(value, action) OVER",
        ),
        (&["-f", "none.sql"], "error: none.sql: No such file"),
        (&["-d", "ac=none.json"], "error: none.json: No such file"),
        (
            &["-d", "ac=log.ndjson"],
            "error: log.ndjson is not a definition:\n2:1: ",
        ),
        (
            &["-o", "out.xyz", "-c", "SELECT 1"],
            "error: unknown output format",
        ),
        (
            &["--format", "parquet", "-c", "SELECT 1"],
            "error: Parquet is not text",
        ),
        (
            &["-o", "o.csv", "-c", "SELECT 1; SELECT 2"],
            "error: o.csv has the result of the first query",
        ),
        (
            &[
                "--format",
                "csv",
                "-c",
                "SELECT gizwits_decode('ac.json', '02')",
            ],
            "error: CSV has no structs",
        ),
        (
            &["-c", "SELECT * FROM gizwits_log('ftp://x/y', 'ac.json')"],
            "error: unknown scheme `ftp`",
        ),
    ] {
        let error = failure(folder, args);
        assert!(error.starts_with(expected), "{args:?}: {error}");
    }
}
