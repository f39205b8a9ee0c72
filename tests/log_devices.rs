//! Products and devices in a log, through the binary.

use gizwits_codec_std::{Action, payload, wrap_m2m};
use gizwits_tests::log::{DEFINITION, LOG};
use gizwits_tests::program::{self, Folder, Ran};
use serde_json::Value;

const GIZWITS: &str = env!("CARGO_BIN_EXE_gizwits");

fn decode(arguments: &[&str], stdin: impl AsRef<[u8]>) -> Ran {
    let all = [&["log", "decode", "-d", DEFINITION], arguments].concat();
    program::run(GIZWITS, &all, stdin.as_ref())
}

#[test]
fn several_products_and_what_devices_said_before() {
    let folder = Folder::new("log-products");
    let b = "tests/fixtures/wave-pump.json";
    let key = |file: &str| {
        let text = std::fs::read_to_string(program::root().join(file)).unwrap();
        let json: Value = serde_json::from_str(&text).unwrap();
        json["product_key"].as_str().unwrap().to_owned()
    };
    let dids = folder.write("dids", format!("\u{feff}x,{}\n", key(b)));
    let log = format!(
        "{}{{\"product_key\":\"{}\",\"did\":\"x\",\"payload\":\"1400000000000000000101\"}}\n\
         {{\"did\":\"x\",\"payload\":\"1400000000000000100002\"}}\n",
        LOG,
        key(b)
    );
    let args = ["-", "-d", b, "--product", &key(DEFINITION), "--dids", &dids];
    let ran = decode(&args, &log);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let lines = ran.json();
    assert_eq!(lines[2]["attrs"].as_object().unwrap().len(), 1);
    assert_eq!(lines[3]["attrs"].as_object().unwrap().len(), 1);
    let ran = decode(&[&args[..], &["--fill"]].concat(), &log);
    let last: Value = serde_json::from_str(ran.stdout.lines().last().unwrap()).unwrap();
    assert_eq!(last["attrs"].as_object().unwrap().len(), 2, "{last}");
    // A table for each product.
    let out = folder.0.join("out.csv");
    let ran = decode(&[&args[..], &["-o", out.to_str().unwrap()]].concat(), &log);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    for file in [DEFINITION, b] {
        let text =
            std::fs::read_to_string(folder.0.join(format!("out.{}.csv", key(file)))).unwrap();
        assert_eq!(text.lines().count(), 3, "{text}");
    }
    let name = folder.0.to_str().unwrap();
    for out in [&[][..], &["-o", "-"], &["-o", "/dev/stdout"], &["-o", name]] {
        let ran = decode(&[&args[..], &["--format", "csv"], out].concat(), &log);
        assert_eq!(ran.code, 2, "{out:?}");
        assert!(ran.stderr.contains("there are several"), "{}", ran.stderr);
    }
}

const PUMP: &str = "tests/fixtures/wave-pump.json";

fn pump(arguments: &[&str], stdin: &str) -> Ran {
    let all = [&["log"], arguments, &["-d", PUMP]].concat();
    program::run(GIZWITS, &all, stdin.as_bytes())
}

/// Values are carried forward within one device, and no device is made up.
#[test]
fn values_are_of_the_device_that_is_named() {
    let one = "{\"payload\":\"1400000000000000000101\"}\n";
    let two = "{\"payload\":\"1400000000000000100002\"}\n";
    let of = |did: &str, line: &str| line.replacen('{', &format!("{{\"did\":\"{did}\","), 1);
    let folder = Folder::new("log-devices");
    let rejects = folder.0.join("rejects");
    let rejects = rejects.to_str().unwrap();
    let points = |ran: &Ran| -> Vec<(Value, usize)> {
        let lines = ran.json();
        let points = |line: &Value| {
            (
                line["did"].clone(),
                line["attrs"].as_object().unwrap().len(),
            )
        };
        lines.iter().map(points).collect()
    };
    let fill = ["decode", "-", "--fill", "--rejects", rejects];

    // Two devices at once.
    let mixed = [of("a", one), of("b", two), of("a", two)].concat();
    let ran = pump(&fill, &mixed);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(
        points(&ran),
        [("a".into(), 1), ("b".into(), 1), ("a".into(), 2)]
    );

    // Those that name none, or name nothing, are of nobody, and of whom --did says.
    for unnamed in [[one, two].concat(), [of("", one), of("", two)].concat()] {
        let ran = pump(&fill, &unnamed);
        assert_eq!((ran.code, &*ran.stdout), (1, ""), "{}", ran.stderr);
        assert!(ran.stderr.contains("2 unknown_device"), "{}", ran.stderr);
        assert!(ran.stderr.contains("--did-from"), "{}", ran.stderr);
        let ran = pump(&[&fill[..], &["--did", "a"]].concat(), &unnamed);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert_eq!(points(&ran), [("a".into(), 1), ("a".into(), 2)]);
        let ran = pump(&["stats", "-", "--json"], &unnamed);
        assert!(ran.stderr.contains("2 unknown_device"), "{}", ran.stderr);
        assert!(ran.json().iter().all(|point| point["seen"] == 0));
    }

    // Who says otherwise is rejected, be it in the frame.
    let p0 = payload::parse("1400000000000000100002", None).unwrap();
    let frame = wrap_m2m(&p0, Action::Report, Some(1), Some("b")).unwrap();
    let framed = format!("{{\"payload\":\"{}\"}}\n", payload::hex(&frame));
    let ran = pump(
        &[&fill[..], &["--did", "a"]].concat(),
        &(mixed.clone() + &framed),
    );
    assert_eq!(ran.code, 1);
    assert_eq!(points(&ran), [("a".into(), 1), ("a".into(), 2)]);
    assert!(ran.stderr.contains("2 other_device"), "{}", ran.stderr);
    let told = std::fs::read_to_string(rejects).unwrap();
    assert!(
        told.contains("belongs to device `b`, but the whole input belongs to `a`"),
        "{told}"
    );

    // A name of a path, per file.
    std::fs::create_dir(folder.0.join("c")).unwrap();
    let first = folder.write("c/a.1.ndjson", [one, two].concat());
    let second = folder.write("c/b", two);
    for (part, dids) in [("file-name", ["a", "a", "b"]), ("folder", ["c", "c", "c"])] {
        let ran = pump(
            &["decode", &first, &second, "--fill", "--did-from", part],
            "",
        );
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let last = if part == "folder" { 2 } else { 1 };
        let expected = [1, 2, last];
        assert!(
            points(&ran)
                .into_iter()
                .eq(dids.map(Value::from).into_iter().zip(expected))
        );
    }
    let csv = pump(
        &[
            "decode",
            &first,
            "--did-from",
            "file-name",
            "--format",
            "csv",
        ],
        "",
    )
    .stdout;
    assert!(
        csv.lines()
            .skip(1)
            .all(|row| row.starts_with(",,a,report,")),
        "{csv}"
    );
    let hidden = folder.write(".log", one);
    for arguments in [
        &["-"][..],
        &[&hidden],
        &["/dev/null"],
        &[&first, "--did", "a"],
    ] {
        let all = [&["decode", "--did-from", "file-name"], arguments].concat();
        assert_eq!(pump(&all, one).code, 2, "{arguments:?}");
    }

    // A drawing is of one device.
    let plot = ["plot", "-", "--point", "Mode", "--svg", "-"];
    let timed = mixed.replace("{", "{\"timestamp\":1,");
    let ran = pump(&plot, &timed);
    assert_eq!((ran.code, &*ran.stdout), (2, ""), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("b and a: choose one with --device"),
        "{}",
        ran.stderr
    );
    assert_eq!(
        pump(&[&plot[..], &["--device", "b"]].concat(), &timed).code,
        0
    );
}

/// The number of devices has a limit, and the error names it.
#[test]
fn devices_have_a_limit() {
    let line =
        |did: &str| format!("{{\"did\":\"{did}\",\"payload\":\"1400000000000000000101\"}}\n");
    let log = ["a", "b", "c", "a", "b"].map(line).concat();
    let ran = pump(&["decode", "-", "--fill", "--max-devices", "2"], &log);
    assert_eq!((ran.code, ran.json().len()), (1, 4));
    assert!(ran.stderr.contains("1 device_limit"), "{}", ran.stderr);
    assert_eq!(pump(&["decode", "-", "--max-devices", "2"], &log).code, 0);
    let ran = pump(&["stats", "-", "--max-devices", "2"], &log);
    assert_eq!((ran.code, &*ran.stdout), (2, ""));
    assert!(
        ran.stderr
            .contains("more than 2 devices: raise the limit with --max-devices"),
        "{}",
        ran.stderr
    );
    assert_eq!(pump(&["stats", "-", "--max-devices", "3"], &log).code, 0);
}
