//! The files that `gizwits log` writes, through the binary: whole or not at all, and no other.

use std::io::Write as _;

use gizwits_tests::log::{DEFINITION, LOG, NDJSON};
use gizwits_tests::program::{self, Folder, Ran};

const GIZWITS: &str = env!("CARGO_BIN_EXE_gizwits");

fn decode(arguments: &[&str], stdin: impl AsRef<[u8]>) -> Ran {
    let all = [&["log", "decode", "-d", DEFINITION], arguments].concat();
    program::run(GIZWITS, &all, stdin.as_ref())
}

#[cfg(target_os = "linux")]
#[test]
fn nothing_half_written_is_left() {
    let folder = Folder::new("log-interrupted");
    let out = folder.0.join("out.parquet");
    let part = || {
        let entries = std::fs::read_dir(&folder.0).unwrap();
        entries
            .filter(|entry| {
                let name = entry.as_ref().unwrap().file_name();
                name.to_string_lossy().contains("parquet")
            })
            .count()
    };
    for (signal, status) in [("-INT", 130), ("-TERM", 143), ("-HUP", 129)] {
        // A test that runs in the background of a shell inherits signals that are ignored.
        let mut child = std::process::Command::new("env")
            .args(["--default-signal", GIZWITS, "log", "decode", "-d"])
            .args([DEFINITION, "-", "-o"])
            .arg(&out)
            .current_dir(program::root())
            .stdin(std::process::Stdio::piped())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        while part() == 0 {
            std::thread::yield_now();
        }
        let pid = child.id().to_string();
        let mut input = child.stdin.take().unwrap();
        input.write_all(LOG.as_bytes()).unwrap();
        std::process::Command::new("kill")
            .args([signal, &pid])
            .status()
            .unwrap();
        let code = child.wait().unwrap().code();
        assert_eq!((code, part()), (Some(status), 0));
    }
}

/// The temporary file of a process that was killed does not disturb a later process, also of the same id.
#[cfg(unix)]
#[test]
fn what_others_left_is_in_nobodys_way() {
    let folder = Folder::new("log-left");
    let line = format!(
        "cd {}; touch .out.csv.$$.0.part; exec {GIZWITS} log decode -d {DEFINITION} - -o out.csv",
        folder.0.display()
    );
    let ran = program::run("sh", &["-c", &line], LOG.as_bytes());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let text = std::fs::read_to_string(folder.0.join("out.csv")).unwrap();
    assert_eq!(text.lines().count(), 3);
}

#[cfg(unix)]
#[test]
fn a_link_stays_and_what_it_leads_to_is_replaced() {
    let folder = Folder::new("log-link");
    let real = folder.write("real", "before");
    let link = folder.0.join("link.ndjson");
    std::os::unix::fs::symlink(&real, &link).unwrap();
    let ran = decode(&["-", "-o", link.to_str().unwrap()], LOG);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(link.is_symlink());
    assert_eq!(std::fs::read_to_string(&real).unwrap(), NDJSON);
    // What is not there yet is made.
    std::fs::remove_file(&real).unwrap();
    let ran = decode(&["-", "-o", link.to_str().unwrap()], LOG);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(link.is_symlink());
    assert_eq!(std::fs::read_to_string(&real).unwrap(), NDJSON);
    // And this leads anywhere.
    let ran = decode(&["-", "-o", "/dev/stdout"], LOG);
    assert_eq!((ran.code, &*ran.stdout), (0, NDJSON));
}

#[test]
fn rejects_need_a_file_of_their_own() {
    let folder = Folder::new("log-own");
    let log = folder.write("log.ndjson", LOG);
    let pattern = format!("{}/*.ndjson", folder.0.display());
    let out = folder.0.join("out.csv");
    let (out, dotted) = (out.to_str().unwrap(), folder.0.join("./out.csv"));
    for (input, rejects) in [
        (&*log, &*log),
        (&pattern, &log),
        (&log, out),
        (&log, dotted.to_str().unwrap()),
        (&log, "-"),
    ] {
        let ran = decode(&[input, "-o", out, "--rejects", rejects], "");
        assert_eq!(ran.code, 2);
        assert!(
            ran.stderr.contains("another file for --rejects"),
            "{}",
            ran.stderr
        );
    }
    assert_eq!(std::fs::read_to_string(&log).unwrap(), LOG);
    let names = std::fs::read_dir(&folder.0).unwrap();
    assert_eq!(names.count(), 2, "the log and the fixtures");

    // Nor does anything take the place of what is read.
    let json = std::fs::read(program::root().join(DEFINITION)).unwrap();
    let definition = folder.write("definition.json", &json);
    for output in [
        &["-o", &log][..],
        &["-o", &definition],
        &["--rejects", &definition],
    ] {
        let mut arguments = vec![
            "log",
            "decode",
            "-d",
            &*definition,
            &*log,
            "--format",
            "csv",
        ];
        arguments.extend(output);
        let ran = program::run(GIZWITS, &arguments, b"");
        assert_eq!(ran.code, 2);
        assert!(ran.stderr.contains("file"), "{}", ran.stderr);
        assert_eq!(std::fs::read_to_string(&log).unwrap(), LOG);
        assert_eq!(std::fs::read(&definition).unwrap(), json);
    }
    let log = folder.write("log.svg", LOG);
    let drawn = &[
        "log",
        "plot",
        "-d",
        DEFINITION,
        &log,
        "--point",
        "room_temp",
        "--svg",
        &log,
    ];
    let ran = program::run(GIZWITS, drawn, b"");
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("another output file"), "{}", ran.stderr);
    assert_eq!(std::fs::read_to_string(&log).unwrap(), LOG);
}

/// No output is whole that can't be written, however short it is.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told() {
    for form in ["ndjson", "csv", "arrow", "parquet"] {
        let ran = decode(&["-", "--format", form, "-o", "/dev/full"], LOG);
        assert_eq!(ran.code, 2, "{form}");
        let told = "error: /dev/full: No space left";
        assert!(ran.stderr.starts_with(told), "{}", ran.stderr);
        let line =
            format!("exec {GIZWITS} log decode -d {DEFINITION} - --format {form} >/dev/full");
        let ran = program::run("sh", &["-c", &line], LOG.as_bytes());
        let told = "error: standard output: No space left";
        assert_eq!(ran.code, 1, "{form}");
        assert!(ran.stderr.starts_with(told), "{}", ran.stderr);
    }
    // Without --rejects, the first reject of each kind is shown.
    let ran = decode(&["-"], "zz\nzz\n0304\n");
    assert_eq!(ran.code, 1);
    for told in [
        "\n-:1: ",
        "\n-:3: the payload ends before ",
        "\nThese are the first of their kinds: --rejects FILE keeps all rejects\n",
    ] {
        assert!(ran.stderr.contains(told), "{}", ran.stderr);
    }
    assert!(!ran.stderr.contains("-:2: "), "{}", ran.stderr);
    let ran = decode(&["-", "--rejects", "/dev/full"], "zz");
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("/dev/full: No"), "{}", ran.stderr);
}

/// Standard input is the default, tables in a binary format are no logs, and options without an effect are refused.
#[test]
fn inputs_and_options_are_checked() {
    let ran = decode(&[], LOG);
    assert_eq!(
        (ran.code, ran.stdout.as_str()),
        (0, NDJSON),
        "{}",
        ran.stderr
    );
    let folder = Folder::new("log-tables");
    for (magic, format) in [("PAR1", "Parquet"), ("ARROW1", "Arrow")] {
        let table = folder.write("table", format!("{magic}\0\0\0\0"));
        let told = format!("this is a table in {format}: expected a log");
        let ran = decode(&[&table], "");
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
        assert!(ran.stderr.contains(&told), "{}", ran.stderr);
        let ran = decode(&["-"], std::fs::read(&table).unwrap());
        assert_eq!((ran.code, ran.stdout.as_str()), (1, ""));
        assert!(ran.stderr.contains(&told), "{}", ran.stderr);
    }
    for (options, words) in [
        (&["--level", "3"][..], "--level requires Parquet"),
        (&["--max-line", "0"], "0 is not in 1.."),
    ] {
        let ran = decode(&[&["-"], options].concat(), LOG);
        assert_eq!(ran.code, 2);
        assert!(ran.stderr.contains(words), "{}", ran.stderr);
    }
}

/// Files are compared, not names.
#[cfg(unix)]
#[test]
fn one_file_has_many_names() {
    let folder = Folder::new("log-names");
    let root = folder.0.display();
    std::fs::create_dir(folder.0.join("here")).unwrap();
    std::os::unix::fs::symlink(folder.0.join("here"), folder.0.join("there")).unwrap();
    std::os::unix::fs::symlink("here/out", folder.0.join("link")).unwrap();
    let log = folder.write("log", LOG);
    std::fs::hard_link(&log, folder.0.join("same")).unwrap();
    for (out, rejects) in [
        ("here/out", "here/../here/out"),
        ("here/out", "there/out"),
        ("there/out", "here/out"),
        ("link", "there/out"),
        ("there/out", "link"),
        ("here/out", "same"),
        ("same", "here/out"),
    ] {
        let (out, rejects) = (format!("{root}/{out}"), format!("{root}/{rejects}"));
        let ran = decode(&[&log, "-o", &out, "--rejects", &rejects], "");
        assert_eq!(ran.code, 2, "{out} {rejects}");
        assert!(ran.stderr.contains("file"), "{}", ran.stderr);
    }
    // Names that are relative, and streams that are redirected.
    for line in [
        "here/../log -o ./out --rejects ../{}/out",
        "- -o same < log",
        "- --rejects log < log",
        "log --rejects new > new",
    ] {
        let name = folder.0.file_name().unwrap().to_str().unwrap();
        let line = line.replace("{}", name);
        let line = format!("cd {root}; exec {GIZWITS} log decode -d {root}/{DEFINITION} {line}");
        let ran = program::run("sh", &["-c", &line], b"");
        assert_eq!(ran.code, 2, "{line}");
    }
    assert_eq!(std::fs::read_to_string(&log).unwrap(), LOG);
    assert_eq!(std::fs::read_dir(folder.0.join("here")).unwrap().count(), 0);
    assert!(!folder.0.join("out").exists());
}

/// No part of a path comes from a definition but 32 hex digits.
#[test]
fn a_key_that_is_none_names_no_file() {
    let folder = Folder::new("log-keys");
    let text = std::fs::read_to_string(program::root().join(DEFINITION)).unwrap();
    for key in [
        "/../../evil",
        "..",
        "4d0b954d71e71a0d06e1139f0de0ff9",
        "4d0b954d71e71a0d06e1139f0de0ff9/",
    ] {
        let evil = folder.write(
            "evil.json",
            text.replace("4d0b954d71e71a0d06e1139f0de0ff97", key),
        );
        let out = folder.0.join("out.csv");
        let ran = decode(&["-d", &evil, "-", "-o", out.to_str().unwrap()], LOG);
        assert_eq!(ran.code, 2, "{key}");
        assert!(ran.stderr.contains("32 hex digits"), "{}", ran.stderr);
        assert_eq!(std::fs::read_dir(&folder.0).unwrap().count(), 2);
    }
}

/// Who may read what is replaced may read what replaces it, and nobody else.
#[cfg(unix)]
#[test]
fn a_file_keeps_its_mode() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let folder = Folder::new("log-mode");
    for mode in [0o600, 0o640, 0o444] {
        for form in ["ndjson", "csv", "arrow", "parquet"] {
            let out = folder.write(&format!("{mode}.{form}"), "before");
            std::fs::set_permissions(&out, std::fs::Permissions::from_mode(mode)).unwrap();
            let link = folder.0.join(format!("link.{mode}.{form}"));
            symlink(&out, &link).unwrap();
            let ran = decode(&["-", "-o", link.to_str().unwrap()], LOG);
            assert_eq!(ran.code, 0, "{}", ran.stderr);
            let found = std::fs::metadata(&out).unwrap();
            assert!(found.len() > 100);
            assert_eq!(found.permissions().mode() & 0o777, mode, "{form}");
        }
    }
}

/// A signal that nohup ignores does not end the command.
#[cfg(target_os = "linux")]
#[test]
fn an_ignored_signal_stays_ignored() {
    let folder = Folder::new("log-nohup");
    let line = format!(
        "cd {}; trap '' HUP; (echo x; while ! ls -A | grep -q part; do :; done; kill -HUP $$; echo x) |          {GIZWITS} log decode -d {DEFINITION} - -o out.csv; test -s out.csv; echo $?",
        folder.0.display()
    );
    let ran = program::run("sh", &["-c", &line], b"");
    assert_eq!(ran.stdout, "0\n", "{}", ran.stderr);
}
