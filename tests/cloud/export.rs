//! Exports of logs: spans, several devices, and runs that continue where the last one ended.

use std::collections::BTreeMap;
use std::fs;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gizwits_enterprise_client::Timestamp;
use gizwits_tests::cloud::{Scripted, answer};
use gizwits_tests::program::{Folder, Simulated};
use serde_json::{Value, json};

use super::{GIZWITS, product, run};

const KEY: &str = "a1b2c3d4e5f60718293a4b5c6d7e8f90";

/// A scenario with devices D1, D2, … of the air conditioner, which have reported at this interval for some time.
fn scenario(devices: usize, history: &str, every: &str) -> String {
    let mut text = format!(
        "history = \"{history}\"\n\
         [[enterprise]]\nid = \"e\"\nsecret = \"hush\"\nquota = 1000000\n\
         [[product]]\nkey = \"{KEY}\"\nsecret = \"hush-too\"\ndefinition = \"air-conditioner\"\n"
    );
    for n in 1..=devices {
        text += &format!(
            "[[device]]\nproduct = \"{KEY}\"\nmac = \"M{n}\"\ndid = \"D{n}\"\nreport_every = \"{every}\"\n\
             [[device.change]]\nevery = \"{every}\"\nset = {{ switch = true }}\n"
        );
    }
    text
}

/// A record as the log has it: device, time in milliseconds, payload.
type Record = (String, i64, String);

fn records(ndjson: &str) -> Vec<Record> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let lines = ndjson.lines().map(|line| {
        let record: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"));
        let millis = (record["timestamp"].as_f64().unwrap() * 1000.0).round() as i64;
        (text(&record["did"]), millis, text(&record["payload"]))
    });
    lines.collect()
}

/// Returns the same log, read by the client's walk over pages, which exports do not use.
fn whole(simulated: &Simulated, dids: &[String], from: Timestamp) -> Vec<Record> {
    let product = product(simulated);
    let mut all = Vec::new();
    for did in dids {
        let log = product.device(did.as_str()).cmd_log().undecoded();
        let log = log.between(from, product.now().unwrap()).limit(1000);
        all.extend(log.iter().map(|record| {
            let record = record.unwrap();
            (did.clone(), record.timestamp.millis(), record.payload)
        }));
    }
    all
}

fn export(simulated: &Simulated, arguments: &[&str]) -> Child {
    Command::new(GIZWITS)
        .args(["device", "log", "--all"])
        .args(arguments)
        .envs(&simulated.variables)
        .env("GIZWITS_CONFIG", "/no/such/config.toml")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Kills an export ten times, at other places each time, and lets it end. Every record is there once.
#[cfg(unix)]
#[test]
fn an_export_that_is_killed_ten_times() {
    let devices = 3;
    let folder = Folder::new("export");
    let scenario = folder.write("world.toml", scenario(devices, "12h", "5s"));
    let simulated = Simulated::start(GIZWITS, &["--scenario", &scenario]);
    // Each page takes so long that an export can't end before it is killed.
    simulated.administer("/modes", r#"{"route":"*","mode":"slow","millis":100}"#);
    let dids: Vec<String> = (1..=devices).map(|n| format!("D{n}")).collect();
    let (out, checkpoint) = (folder.0.join("log.ndjson"), folder.0.join("checkpoint"));
    let start = product(&simulated).now().unwrap();
    // Records must not expire before the comparison, also on a slow machine.
    let from = start.minus(Duration::from_secs(7 * 86_400 - 3600));
    let from_text = from.to_string();
    let arguments = [
        "--from",
        &from_text,
        "--checkpoint",
        checkpoint.to_str().unwrap(),
        "-o",
        out.to_str().unwrap(),
    ];
    let length = || fs::metadata(&out).map_or(0, |file| file.len());
    let mut kills = 0;
    for round in 0..10_u32 {
        let mut child = export(&simulated, &arguments);
        let before = length();
        // Wait until something new is written, and a little longer each time.
        let mut left = round * 10;
        while child.try_wait().unwrap().is_none() && (left > 0 || length() == before) {
            left = left.saturating_sub(u32::from(length() != before));
            std::thread::sleep(Duration::from_millis(1));
        }
        let is_running = child.try_wait().unwrap().is_none();
        kills += u32::from(is_running);
        child.kill().unwrap();
        child.wait().unwrap();
        // What the checkpoint counts is whole.
        let state: Value = serde_json::from_str(&fs::read_to_string(&checkpoint).unwrap()).unwrap();
        let counted = state["length"].as_u64().unwrap() as usize;
        let text = fs::read(&out).unwrap();
        let text = std::str::from_utf8(&text[..counted]).unwrap();
        assert!(text.is_empty() || text.ends_with('\n'), "{round}");
        records(text);
        if round == 5 && is_running {
            // A write that was cut.
            let mut torn = fs::OpenOptions::new().append(true).open(&out).unwrap();
            std::io::Write::write_all(&mut torn, b"{\"timestamp\":15").unwrap();
        }
    }
    // On a machine with much other work, an export can end before it is killed.
    assert!(kills >= 5, "{kills} exports were killed");
    simulated.clear_modes();
    let until = product(&simulated)
        .now()
        .unwrap()
        .minus(Duration::from_secs(2));
    assert!(export(&simulated, &arguments).wait().unwrap().success());
    let mut exported = records(&fs::read_to_string(&out).unwrap());
    let mut expected = whole(&simulated, &dids, from);
    for did in &dids {
        let times = exported.iter().filter(|record| record.0 == *did);
        assert!(times.map(|record| record.1).is_sorted(), "{did}");
    }
    for all in [&mut exported, &mut expected] {
        all.retain(|record| record.1 < until.millis());
        all.sort_unstable();
    }
    assert!(exported.len() >= 25_000, "{}", exported.len());
    assert!(
        exported == expected,
        "{} of {}",
        exported.len(),
        expected.len()
    );
}

/// Each run appends what is new, whatever becomes of the output in between.
#[test]
fn runs_that_continue() {
    let simulated = Simulated::start(GIZWITS, &[]);
    let did = simulated.variable("DID").to_owned();
    let folder = Folder::new("runs");
    let path = |name: &str| folder.0.join(name).to_str().unwrap().to_owned();
    let (out, checkpoint) = (path("log.ndjson"), path("checkpoint"));
    let read = |out: &str| fs::read_to_string(out).unwrap();
    let line = format!("device log --all --checkpoint {checkpoint} -o {out}");
    let ran = simulated.run(&line);
    assert_eq!(
        (ran.code, ran.stdout.as_str(), ran.stderr.as_str()),
        (0, "", "")
    );
    let first = records(&read(&out));
    assert!(first.len() > 1000, "the default is the whole week");
    // Nothing new, and then a control with its report.
    let ran = simulated.run(&line);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    #[cfg(target_os = "linux")]
    {
        let (code, screen) = simulated.typed(&format!("{GIZWITS} {line}"), &[]);
        assert!(
            code == 0 && screen.contains(" of 4 devices -> "),
            "{screen}"
        );
    }
    simulated.json(&format!("device control {did} set_temp=27 --wait"));
    simulated.administer("/clock", r#"{"step_ms":5000}"#);
    // The output may be moved away.
    fs::rename(&out, path("old.ndjson")).unwrap();
    assert_eq!(simulated.run(&line).code, 0);
    let new = records(&read(&out));
    let frames: Vec<&str> = new.iter().map(|record| record.2.as_str()).collect();
    assert!(
        frames.iter().any(|frame| frame.contains("00900140")),
        "{frames:?}"
    );
    // Another output is begun.
    let other = path("other.ndjson");
    simulated.json(&format!("device control {did} set_temp=26 --wait"));
    simulated.administer("/clock", r#"{"step_ms":5000}"#);
    let ran = simulated.run(&format!(
        "device log {did} --checkpoint {checkpoint} -o {other}"
    ));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    // All together are the log, and nothing is there twice.
    let mut all = records(&(read(&path("old.ndjson")) + &read(&out) + &read(&other)));
    let dids: Vec<String> = simulated
        .json("device list")
        .iter()
        .map(|one| one["did"].as_str().unwrap().to_owned())
        .collect();
    let oldest = all.iter().map(|record| record.1).min().unwrap();
    let mut expected = whole(&simulated, &dids, Timestamp::from_millis(oldest));
    all.sort_unstable();
    expected.sort_unstable();
    let missing: Vec<&Record> = expected
        .iter()
        .filter(|record| !all.contains(record))
        .collect();
    // Reports that came after the last run.
    let last = all.iter().map(|record| record.1).max().unwrap();
    assert!(
        missing.iter().all(|record| record.1 + 10_000 > last),
        "{missing:?}"
    );
    let mut counts: BTreeMap<&Record, usize> = BTreeMap::new();
    all.iter()
        .for_each(|record| *counts.entry(record).or_default() += 1);
    expected.iter().for_each(|record| {
        counts
            .entry(record)
            .and_modify(|count| *count = count.saturating_sub(1));
    });
    assert!(counts.values().all(|count| *count == 0), "records twice");
    // Other logs have checkpoints of their own.
    let ran = simulated.run(&format!(
        "device data {did} --checkpoint {checkpoint} -o {other}"
    ));
    assert!(
        ran.code == 2 && ran.stderr.contains("this checkpoint is of `device log`"),
        "{}",
        ran.stderr
    );
}

/// Files that an export does not touch, with the reason.
#[test]
fn files_that_are_refused() {
    let cloud = Scripted::start(GIZWITS, |_, _| None);
    let folder = Folder::new("export-files");
    let (full, broken) = (
        folder.write("full", "{}\n"),
        folder.write("broken", "{\"version\":1"),
    );
    let missing = folder.0.join("missing").to_str().unwrap().to_owned();
    let elsewhere = folder.0.join("no-folder/out").to_str().unwrap().to_owned();
    let here = folder.0.to_str().unwrap().to_owned();
    for (line, words) in [
        (
            format!("--checkpoint {missing} -o {missing}"),
            "name the same file",
        ),
        (
            format!("--checkpoint {missing} -o {full}"),
            "there is no checkpoint",
        ),
        (
            format!("--checkpoint {broken} -o {missing}"),
            "this is not a checkpoint",
        ),
        (
            format!("--checkpoint {here} -o {missing}"),
            "expected a regular file",
        ),
        (
            format!("--checkpoint {missing} -o {elsewhere}"),
            "no-folder/out: ",
        ),
        (format!("-o {missing}"), "--checkpoint <FILE>"),
        (format!("--checkpoint {missing}"), "--output <OUT>"),
    ] {
        let ran = cloud.run(&format!("device log D {line}"));
        assert_eq!(
            (ran.code, ran.stdout.as_str()),
            (2, ""),
            "{line}: {}",
            ran.stderr
        );
        assert!(ran.stderr.contains(words), "{line}: {}", ran.stderr);
        assert_eq!(fs::read_to_string(&full).unwrap(), "{}\n");
    }
    // An interrupted export whose output was replaced by another file: nothing is cut off.
    let out = folder.0.join("out").to_str().unwrap().to_owned();
    let state = format!(
        r#"{{"version":1,"log":"log","product_key":"3f1c5b7a9d2e4860b1a3c5d7e9f00112","out":"{out}","length":3,"tail":7,"running":true,"devices":{{}}}}"#
    );
    let checkpoint = folder.write("checkpoint", state);
    let line = format!("device log D --checkpoint {checkpoint} -o {missing}");
    let ran = cloud.run(&line);
    assert!(
        ran.code == 2 && ran.stderr.contains("put it back, or delete"),
        "{}",
        ran.stderr
    );
    fs::write(&out, "some notes\n").unwrap();
    let ran = cloud.run(&line);
    assert!(
        ran.code == 2 && ran.stderr.contains("the file was changed"),
        "{}",
        ran.stderr
    );
    assert_eq!(fs::read_to_string(&out).unwrap(), "some notes\n");
}

/// This machine's clock is hours ahead of the cloud's, or behind it, and the cache has all that would need a call. An
/// export ends at the present of the cloud, so its next run has what came since.
#[test]
fn a_clock_that_is_wrong() {
    for ahead in [-3 * 3600, 3 * 3600] {
        let now = move || {
            let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
            now.unwrap().as_secs() as i64 + ahead
        };
        let folder = Folder::new(&format!("export-clock-{ahead}"));
        let path = |name: &str| folder.0.join(name).to_str().unwrap().to_owned();
        let (out, checkpoint) = (path("log.ndjson"), path("checkpoint"));
        let cloud = Scripted::start_ahead(GIZWITS, Some(ahead), move |_, path| {
            let record = |ago: i64| {
                let payload = "000000030b0000910401000014000000";
                json!({"timestamp": now() - ago, "type": "dev2app", "payload": payload})
            };
            let records = [record(1800), record(60)];
            path.ends_with("/cmd")
                .then(|| answer(200, json!({"meta": {"total": 2}, "objects": records})))
        });
        assert_eq!(cloud.run("device log D").code, 0);
        for line in ["device log D --since 1h", "device log D"] {
            let ran = cloud.run(line);
            assert_eq!(
                (ran.code, ran.stdout.lines().count()),
                (0, 2),
                "{ahead} {line}"
            );
        }
        let line = format!("device log D --since 1h --checkpoint {checkpoint} -o {out}");
        let ran = cloud.run(&line);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
        assert_eq!(fs::read_to_string(&out).unwrap().lines().count(), 2);
        let state: Value = serde_json::from_str(&fs::read_to_string(&checkpoint).unwrap()).unwrap();
        let from = state["devices"]["D"]["from"].as_f64().unwrap() as i64;
        assert!((now() - 60..=now()).contains(&from), "{from} {}", now());
        // Moments are compared with the time of the cloud.
        for (from, code) in [(now() - 60, 0), (now() + 60, 2)] {
            let ran = cloud.run(&format!("device log D --from {from}"));
            assert_eq!(ran.code, code, "{ahead}: {}", ran.stderr);
            assert_eq!(
                ran.stderr
                    .contains("is in the future: the time of the server is"),
                code == 2
            );
        }
    }
}

/// Spans without any record, for which nothing is asked.
#[test]
fn spans_that_are_empty() {
    let cloud = Scripted::start(GIZWITS, |_, path| {
        assert!(!path.ends_with("/cmd"), "{path}");
        None
    });
    let folder = Folder::new("export-empty");
    let path = |name: &str| folder.0.join(name).to_str().unwrap().to_owned();
    let files = format!(
        " --checkpoint {} -o {}",
        path("checkpoint"),
        path("log.ndjson")
    );
    for (span, words) in [
        (
            "--from 2026-02-01 --until 2026-01-31",
            "no record is from 2026-02-01T00:00:00Z on",
        ),
        (
            "--from 2026-02-01 --until 2026-02-01",
            "no record is from 2026-02-01T00:00:00Z on",
        ),
        (
            "--from 2999-01-01",
            "--from 2999-01-01T00:00:00Z is in the future",
        ),
        ("--from 2999-01-01 --until 2999-01-02", "is in the future"),
    ] {
        for files in ["", &files] {
            let ran = cloud.run(&format!("device log D {span}{files}"));
            assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{span}");
            assert!(ran.stderr.contains(words), "{span}: {}", ran.stderr);
        }
    }
    // The begin of a span is moved to the oldest record that there can be, and the user is told.
    let ran = cloud.run("device online D --from 2018-01-31");
    assert!(
        ran.stderr
            .starts_with("warning: --from 2018-01-31T00:00:00Z is moved to "),
        "{}",
        ran.stderr
    );
    // A span before all records that there can be: an export that is run again and again only warns.
    let ran = cloud.run("device log D --until 2018-01-31");
    assert!(
        ran.code == 2 && ran.stderr.contains("no record is from"),
        "{}",
        ran.stderr
    );
    let ran = cloud.run(&format!("device log D --until 2018-01-31{files}"));
    assert_eq!(ran.code, 0);
    assert!(
        ran.stderr.starts_with("warning: no record is from ")
            && ran.stderr.contains("before 2018-01-31T00:00:00Z"),
        "{}",
        ran.stderr
    );
}

/// Two exports with one checkpoint at the same time: the second one is refused, whatever its output. Files that it has
/// created are not left.
#[test]
fn a_checkpoint_that_is_in_use() {
    let gate = Arc::new(Mutex::new(()));
    let (asked, requests) = channel();
    let closed = Arc::clone(&gate);
    let cloud = Scripted::start(GIZWITS, move |_, path| {
        if path.ends_with("/cmd") {
            asked.send(()).unwrap();
            drop(closed.lock().unwrap());
        }
        None
    });
    let folder = Folder::new("export-locked");
    let path = |name: &str| folder.0.join(name).to_str().unwrap().to_owned();
    let (out, checkpoint) = (path("log.ndjson"), path("checkpoint"));
    let line =
        |checkpoint: &str, out: &str| format!("device log D --checkpoint {checkpoint} -o {out}");
    // With a checkpoint that is new, and with one that is replaced.
    for round in 0..2 {
        let closed = gate.lock().unwrap();
        let mut child = Command::new(GIZWITS)
            .args(line(&checkpoint, &out).split(' '))
            .envs(&cloud.variables)
            .spawn()
            .unwrap();
        requests.recv().unwrap();
        let other = path("other.ndjson");
        let ran = cloud.run(&line(&checkpoint, &other));
        assert!(
            ran.code == 2
                && ran
                    .stderr
                    .contains("checkpoint: another export is using this checkpoint"),
            "{round}: {}",
            ran.stderr
        );
        let ran = cloud.run(&line(&path("another"), &out));
        assert!(
            ran.code == 2
                && ran
                    .stderr
                    .contains("log.ndjson: another export is writing to this file"),
            "{round}: {}",
            ran.stderr
        );
        assert!(!fs::exists(&other).unwrap() && !fs::exists(path("another")).unwrap());
        drop(closed);
        assert!(child.wait().unwrap().success());
        while requests.try_recv().is_ok() {}
    }
    // The lock ends with the export. An empty file, as a kill at the beginning leaves it, is no checkpoint yet.
    assert_eq!(cloud.run(&line(&checkpoint, &out)).code, 0);
    let empty = folder.write("empty", "");
    assert_eq!(cloud.run(&line(&empty, &path("other.ndjson"))).code, 0);
}

/// Spans in every form that output has; neighbouring spans have every record once.
#[test]
fn spans() {
    let simulated = Simulated::start(GIZWITS, &[]);
    let did = simulated.variable("DID");
    let log = simulated.json(&format!("device log {did} --since 2d"));
    let time = |n: usize| log[n]["timestamp"].as_f64().unwrap();
    let (first, second) = (log.len() / 3, log.len() / 2);
    let millis = |n: usize| (time(n) * 1000.0).round() as i64;
    for form in [
        |millis: i64| (millis as f64 / 1000.0).to_string(),
        |millis: i64| millis.to_string(),
        |millis: i64| Timestamp::from_millis(millis).to_string(),
    ] {
        let (from, until) = (form(millis(first)), form(millis(second)));
        let part = simulated.json(&format!("device log {did} --from {from} --until {until}"));
        assert_eq!(part, log[first..second], "{from}");
    }
    let day = Timestamp::from_millis(millis(second)).date().to_string();
    let part = simulated.json(&format!("device log {did} --from {day}"));
    let midnight = part[0]["timestamp"].as_f64().unwrap();
    assert!(midnight.rem_euclid(86_400.0) < 3600.0, "{midnight}");
    for (line, words) in [
        ("--from noon", "expected a time such as 2026-01-31"),
        ("--until 2026-02-30", "expected a time such as 2026-01-31"),
        ("--until 2018-01-31", "no record is from"),
        ("--from 1d --since 1d", "expected a time such as"),
    ] {
        let ran = simulated.run(&format!("device log {did} {line}"));
        assert_eq!(ran.code, 2, "{line}");
        assert!(ran.stderr.contains(words), "{line}: {}", ran.stderr);
    }
}

/// Several devices on standard output; one that does not exist does not stop the others.
#[test]
fn several_devices() {
    let simulated = Simulated::start(GIZWITS, &[]);
    let did = simulated.variable("DID");
    let all = simulated.json("device log --all --since 6h");
    let dids: std::collections::BTreeSet<&str> = all
        .iter()
        .map(|record| record["did"].as_str().unwrap())
        .collect();
    assert_eq!(dids.len(), 4);
    let own = simulated.json(&format!("device log {did} {did} --since 6h"));
    let of_all: Vec<&Value> = all.iter().filter(|record| record["did"] == *did).collect();
    assert_eq!(own[..of_all.len()].iter().collect::<Vec<_>>(), of_all);
    let ran = simulated.run(&format!("device log nobody {did} --since 6h"));
    assert_eq!(ran.code, 1);
    assert!(ran.stdout.lines().count() >= own.len(), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("5301") && ran.stderr.contains("(nobody)"),
        "{}",
        ran.stderr
    );
    assert_eq!(run(&["device", "log"]).code, 2);
}
