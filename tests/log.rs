//! `gizwits log`, through the binary.

use std::io::{self, Cursor, Read, Write as _};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use gizwits_codec_std::log::{Log, Ndjson, Products, Source};
use gizwits_codec_std::{Action, Product, payload, wrap};
use gizwits_tests::arbitrary::Draw;
use gizwits_tests::log::{arbitrary, law};
use gizwits_tests::program::{self, Folder, Ran};
use serde_json::Value;

const GIZWITS: &str = env!("CARGO_BIN_EXE_gizwits");
const DEFINITION: &str = "tests/fixtures/air-conditioner.json";
const LOG: &str = r#"{"timestamp":1517384252.294,"type":"app2dev","payload":"0000000309000090010101000010"}
{"timestamp":1517384243.044,"type":"dev2app","payload":"000000030b0000910401000010000000"}
"#;
const NDJSON: &str = r#"{"timestamp":1517384252.294,"type":"app2dev","action":"control","attrs":{"switch":1}}
{"timestamp":1517384243.044,"type":"dev2app","action":"report","attrs":{"switch":1,"fan_swing":0,"mode":"制冷","fan_speed":"低风","on_timing":0,"off_timing":0,"set_temp":16,"room_temp":-10,"alert_shutdown":0,"alert_full":0,"fault_roomtemp":0}}
"#;

fn decode(arguments: &[&str], stdin: impl AsRef<[u8]>) -> Ran {
    let all = [&["log", "decode", "-d", DEFINITION], arguments].concat();
    program::run(GIZWITS, &all, stdin.as_ref())
}

fn gzip(text: &str) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(text.as_bytes()).unwrap();
    gzip.finish().unwrap()
}

/// The commands that README.md and the help show, as one types them.
#[cfg(unix)]
#[test]
fn examples() {
    let folder = Folder::new("log-examples");
    std::fs::create_dir(folder.0.join("logs")).unwrap();
    let key = "\"product_key\":\"4d0b954d71e71a0d06e1139f0de0ff97\",\"type\"";
    let keyed = LOG.replace("\"type\"", key);
    folder.write(
        "log.ndjson",
        LOG.replace("\"type\"", "\"did\":\"x\",\"type\""),
    );
    folder.write("log.gz", gzip(LOG));
    folder.write("logs/one.gz", gzip(LOG));
    folder.write(
        "logs/one.ndjson.zst",
        zstd::encode_all(keyed.as_bytes(), 1).unwrap(),
    );
    for (name, fixture) in [("a", "air-conditioner"), ("b", "wave-pump")] {
        let fixture = folder.0.join(format!("tests/fixtures/{fixture}.json"));
        std::fs::copy(fixture, folder.0.join(format!("{name}.json"))).unwrap();
    }
    let binary = std::path::Path::new(GIZWITS).parent().unwrap().display();
    let mut texts = vec![std::fs::read_to_string(program::root().join("README.md")).unwrap()];
    for verb in ["decode", "stats", "plot"] {
        let help = program::run(GIZWITS, &["log", verb, "--help"], b"").stdout;
        texts.push(help.split_once("Example").unwrap().1.to_owned());
    }
    let mut count = 0;
    for line in texts.iter().flat_map(|text| text.lines()).map(str::trim) {
        if !line.contains("gizwits log ") || line.contains('`') {
            continue;
        }
        let output = std::process::Command::new("sh")
            .args(["-c", line])
            .env("PATH", format!("{binary}:/usr/bin:/bin"))
            .current_dir(&folder.0)
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{line}: {told}");
        count += 1;
    }
    assert_eq!(count, 7);
}

#[test]
fn records_pages_and_payloads_compressed_or_not() {
    let folder = Folder::new("log-inputs");
    let page = |gap: &str| {
        let objects = LOG.trim_end().replace('\n', &format!(",{gap}"));
        format!(
            "{{{gap}\"meta\":{{\"total\":2,\"x\":[{{}}]}},{gap}\"objects\":[{gap}{objects}{gap}]{gap}}}\n"
        )
    };
    let zstd = zstd::encode_all(LOG.as_bytes(), 1).unwrap();
    for input in [
        LOG.as_bytes().to_vec(),
        LOG.trim_end().replace('\n', "\r\n\r\n").into_bytes(),
        [b"\xef\xbb\xbf", LOG.as_bytes()].concat(),
        page("").into_bytes(),
        page("\n  ").into_bytes(),
        gzip(LOG),
        zstd,
    ] {
        let ran = decode(&["-"], &input);
        assert_eq!((ran.code, &*ran.stdout), (0, NDJSON), "{}", ran.stderr);
        let file = folder.write("log", &input);
        let ran = decode(&[&file, &file], "");
        assert_eq!(
            (ran.code, &*ran.stdout),
            (0, &*NDJSON.repeat(2)),
            "{}",
            ran.stderr
        );
    }
    let pattern = format!("{}/lo*", folder.0.display());
    assert_eq!(
        decode(&[&pattern], "").stdout,
        decode(&[&format!("{}/log", folder.0.display())], "").stdout
    );
    let bare = decode(
        &["-"],
        "0000000309000090010101000010\nAAAAAwkAAJABAQEAABA=\n",
    );
    assert_eq!(
        bare.stdout,
        "{\"action\":\"control\",\"attrs\":{\"switch\":1}}\n".repeat(2)
    );
}

#[test]
fn every_bad_record_is_told() {
    let folder = Folder::new("log-rejects");
    let rejects = folder.write("rejects", "");
    let mut log = LOG.as_bytes().to_vec();
    log.extend(b"{\"payload\":\"000000030b00009104\"}\n{\"type\":1}\noo\n\xff\n{\"payload\":\n");
    log.extend([b'4'; 5000]);
    log.extend(b"\n\n");
    log.extend(LOG.as_bytes());
    let ran = decode(&["-", "--rejects", &rejects, "--max-line", "4500"], &log);
    assert_eq!((ran.code, &*ran.stdout), (1, &*NDJSON.repeat(2)));
    assert!(
        ran.stderr
            .starts_with("10 records   4 decoded   6 rejected ("),
        "{}",
        ran.stderr
    );
    let text = std::fs::read_to_string(&rejects).unwrap();
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let told: Vec<_> = lines
        .iter()
        .map(|one| {
            (
                one["line"].as_u64().unwrap(),
                one["reason"]["kind"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            (3, "incomplete"),
            (4, "record"),
            (5, "not_hex_or_base64"),
            (6, "not_utf8"),
            (7, "json"),
            (8, "line_length"),
        ]
    );
    assert_eq!(lines[3]["record"], "/w==");
    assert_eq!(lines[3]["encoding"], "base64");
    assert_eq!(lines[5]["length"], 5000);
    assert_eq!(lines[5]["record"].as_str().unwrap().len(), 4096);
}

#[test]
fn damaged_inputs_are_told_and_the_others_read() {
    let folder = Folder::new("log-damaged");
    let whole = zstd::encode_all(LOG.repeat(1000).as_bytes(), 1).unwrap();
    let cut = folder.write("cut.zst", &whole[..whole.len() / 2]);
    let good = folder.write("good", LOG);
    let rejects = folder.write("rejects", "");
    let ran = decode(&[&cut, &good, "--rejects", &rejects], "");
    assert_eq!(ran.code, 1);
    assert!(ran.stdout.ends_with(NDJSON));
    let told = std::fs::read_to_string(&rejects).unwrap();
    assert!(told.contains(r#""kind":"unreadable""#), "{told}");

    // Within a line that is too long as it is: both are told.
    let long: String = (0..400_000_u32)
        .map(|n| format!("{:x}", n.wrapping_mul(n)))
        .collect();
    let whole = gzip(&format!("{LOG}{long}"));
    let cut = folder.write("cut.gz", &whole[..whole.len() / 2]);
    let ran = decode(&[&cut, "--rejects", &rejects, "--max-line", "1000"], "");
    assert_eq!((ran.code, &*ran.stdout), (1, NDJSON));
    let told = std::fs::read_to_string(&rejects).unwrap();
    let kinds: Vec<(u64, String)> = told
        .lines()
        .map(|line| {
            let json: Value = serde_json::from_str(line).unwrap();
            let kind = json["reason"]["kind"].as_str().unwrap().to_owned();
            (json["line"].as_u64().unwrap(), kind)
        })
        .collect();
    let expected = [(3, "line_length"), (4, "unreadable")];
    assert_eq!(kinds, expected.map(|(line, kind)| (line, kind.to_owned())));
}

#[test]
fn csv_has_a_column_a_point() {
    let ran = decode(&["-", "--format", "csv"], LOG);
    assert_eq!(
        ran.stdout,
        "timestamp,type,did,action,switch,fan_swing,mode,fan_speed,on_timing,off_timing,set_temp,room_temp,\
         alert_shutdown,alert_full,fault_roomtemp\r\n\
         2018-01-31T07:37:32.294Z,app2dev,,control,1,,,,,,,,,,\r\n\
         2018-01-31T07:37:23.044Z,dev2app,,report,1,0,制冷,低风,0,0,16,-10,0,0,0\r\n"
    );
}

/// A body of another length is decoded if that is asked for, and every form of output tells.
#[test]
fn bodies_of_another_length() {
    let names = "tests/fixtures/names-var-len.json";
    let log = "{\"did\":\"d\",\"n\":1,\"payload\":\"1300400a0102\"}\n\
               {\"did\":\"d\",\"payload\":\"1400800190\"}\n\
               {\"did\":\"d\",\"payload\":\"14f0800190\"}\n";
    let decode = |arguments: &[&str]| {
        let all = [&["log", "decode", "-", "-d", names], arguments].concat();
        program::run(GIZWITS, &all, log.as_bytes())
    };
    let ran = decode(&[]);
    assert_eq!((ran.code, ran.json().len()), (1, 2), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("1 rejected (1 trailing)"),
        "{}",
        ran.stderr
    );

    let ran = decode(&["--lax"]);
    let expected = "{\"did\":\"d\",\"action\":\"reply\",\"attrs\":{\"2fast\":43},\"extra\":\"0102\"}\n\
        {\"did\":\"d\",\"action\":\"report\",\"attrs\":{\"fault_UART\":-0.5}}\n\
        {\"did\":\"d\",\"action\":\"report\",\"attrs\":{\"fault_UART\":-0.5},\"surplus_flags\":[12,13,14,15]}\n";
    assert_eq!((ran.code, &*ran.stdout), (0, expected), "{}", ran.stderr);
    assert!(ran.stderr.contains("1 of another length"), "{}", ran.stderr);

    // What a message has besides its points is its own, whatever else is known of the device.
    let ran = decode(&["--lax", "--fill"]);
    let expected = "{\"did\":\"d\",\"action\":\"reply\",\"attrs\":{\"2fast\":43},\"extra\":\"0102\"}\n\
        {\"did\":\"d\",\"action\":\"report\",\"attrs\":{\"2fast\":43,\"fault_UART\":-0.5}}\n\
        {\"did\":\"d\",\"action\":\"report\",\"attrs\":{\"2fast\":43,\"fault_UART\":-0.5},\
        \"surplus_flags\":[12,13,14,15]}\n";
    assert_eq!((ran.code, &*ran.stdout), (0, expected), "{}", ran.stderr);

    let ran = decode(&["--lax", "--format", "csv"]);
    let rows: Vec<&str> = ran.stdout.lines().collect();
    assert!(
        rows[0].starts_with("timestamp,type,did,action,extra,attrs.type,"),
        "{}",
        rows[0]
    );
    assert!(
        rows[1].starts_with(",,d,reply,\"{\"\"extra\"\":\"\"0102\"\"}\",,"),
        "{}",
        rows[1]
    );
    assert!(rows[2].starts_with(",,d,report,,,"), "{}", rows[2]);
    let ran = decode(&["--lax", "--keep", "--format", "csv"]);
    let row = ran.stdout.lines().nth(1).unwrap();
    assert!(
        row.contains("\"{\"\"n\"\":1,\"\"extra\"\":\"\"0102\"\"}\""),
        "{row}"
    );
}

/// Full reports whose mask is nothing but ones make a state whole.
#[test]
fn masks_of_nothing_but_ones() {
    let names = "tests/fixtures/names-var-len.json";
    let values = "01a50a0190010200010203000023bea1b2c3";
    let record = |payload: &str| format!("{{\"did\":\"d\",\"payload\":\"{payload}\"}}\n");
    let log = record(&format!("14ffff{values}")) + &record("1400400b");
    let ran = program::run(
        GIZWITS,
        &["log", "decode", "-", "-d", names, "--fill"],
        log.as_bytes(),
    );
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let lines = ran.json();
    let ones: Value = serde_json::from_str("[12,13,14,15]").unwrap();
    assert_eq!(lines[0]["surplus_flags"], ones);
    assert_eq!(lines[1].get("surplus_flags"), None);
    for (line, fast) in lines.iter().zip([43, 48]) {
        let attrs = line["attrs"].as_object().unwrap();
        assert_eq!((attrs.len(), &attrs["2fast"]), (12, &Value::from(fast)));
    }
}

/// A log without values of the device that is asked for has no drawing.
#[test]
fn nothing_to_draw_is_told() {
    let folder = Folder::new("log-nothing-to-draw");
    let svg = folder.0.join("room.svg");
    let log = "{\"timestamp\":1,\"did\":\"a\",\"payload\":\"0401000010000000\"}\n";
    let plot = |only: &str| {
        let arguments = [
            "log",
            "plot",
            "-d",
            DEFINITION,
            "-",
            "--point",
            "room_temp",
            "--only",
            only,
            "--svg",
        ];
        let arguments = [&arguments[..], &[svg.to_str().unwrap()]].concat();
        program::run(GIZWITS, &arguments, log.as_bytes())
    };
    let ran = plot("q");
    let told =
        "error: nothing to draw: no report or reply of device q with a timestamp has `room_temp`";
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(ran.stderr.contains(told), "{}", ran.stderr);
    assert!(!svg.exists());
    assert_eq!(plot("a").code, 0);
    assert!(svg.exists());
}

/// A timestamp is a moment of the calendar, or the record is rejected, in every format.
#[test]
fn a_timestamp_is_a_moment() {
    let first = "-009999-01-02T01:59:59.000Z,,,read,";
    let last = "9999-12-30T22:00:00.000Z,,,read,";
    for (moment, cells) in [
        ("-377705023201000", Some(first)),
        ("253402207200000", Some(last)),
        ("253402207200000.9", Some(last)),
        ("99999999999999", Some("5138-11-16T09:46:39.999Z,,,read,")),
        ("-1", Some("1969-12-31T23:59:59.000Z,,,read,")),
        ("-377705023201001", None),
        ("253402207200001", None),
        ("999999999999999", None),
        ("9223372036854775807", None),
        ("1e18", None),
    ] {
        let line = format!("{{\"timestamp\":{moment},\"payload\":\"02\"}}\n");
        // The first two are learnt from, with other digits in the same places.
        let learnt = line.replace(
            moment,
            &moment.replace(|one: char| one.is_ascii_digit(), "1"),
        );
        let text = learnt.repeat(2) + &line;
        for form in ["ndjson", "csv", "arrow", "parquet"] {
            let folder = Folder::new("log-moments");
            let out = folder.0.join("out");
            let arguments = ["-", "--format", form, "-o", out.to_str().unwrap()];
            let ran = decode(&arguments, &text);
            let told = format!("{moment} as {form}: {}", ran.stderr);
            match cells {
                Some(_) => assert_eq!(ran.code, 0, "{told}"),
                None => assert!(ran.stderr.contains("timestamp)"), "{told}"),
            }
            if let (Some(cells), "csv") = (cells, form) {
                let text = std::fs::read_to_string(&out).unwrap();
                assert!(text.lines().last().unwrap().starts_with(cells), "{text}");
            }
        }
    }
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

/// An input that gives one record more once the last one is out.
struct Steps {
    parts: std::array::IntoIter<String, 3>,
    part: Cursor<String>,
    given: u64,
    seen: u64,
    out: Receiver<u64>,
}

impl Read for Steps {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.part.read(buffer)?;
        if read > 0 {
            return Ok(read);
        }
        while self.seen < self.given {
            let told = self.out.recv_timeout(Duration::from_secs(20));
            self.seen = told.map_err(io::Error::other)?;
        }
        self.given += 1;
        self.part = Cursor::new(self.parts.next().unwrap_or_default());
        self.part.read(buffer)
    }
}

/// Whoever follows a log has what there is.
#[test]
fn what_there_is_goes_on_at_once() {
    let json = std::fs::read_to_string(program::root().join(DEFINITION)).unwrap();
    let products = Products::one(Product::from_json(&json).unwrap());
    let record = LOG.lines().next().unwrap();
    let line = format!("{record}\n");
    let page = [
        format!("{{\"objects\":[{record},"),
        format!("{record},"),
        format!("{record}]}}"),
    ];
    for parts in [[line.clone(), line.clone(), line], page] {
        let (told, out) = channel();
        let steps = Steps {
            parts: parts.into_iter(),
            part: Cursor::default(),
            given: 0,
            seen: 0,
            out,
        };
        let log = Log::new(&products).eager(true);
        let log = log.watch(move |summary| {
            let _ = told.send(summary.decoded);
        });
        let source = Source::new("steps", steps);
        let summary = log.decode([source], Ndjson::new(&products, io::sink()));
        let summary = summary.unwrap();
        assert_eq!((summary.records, summary.decoded), (3, 3));
    }
}

#[test]
fn threads_and_cuts_make_no_difference() {
    let bytes: Vec<u8> = (0..12_000_u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    let log = arbitrary(&mut Draw::new(&bytes));
    law(&log);
    // A block is 1 MiB.
    let text = log[2..].repeat((6 << 20) / log.len());
    assert!(text.len() > 4 << 20);
    let one = decode(&["-", "--threads", "1"], &text);
    for threads in ["2", "5"] {
        let other = decode(&["-", "--threads", threads], &text);
        assert_eq!((one.code, one.stdout == other.stdout), (other.code, true));
    }
}

#[cfg(unix)]
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
        let mut child = std::process::Command::new(GIZWITS)
            .args(["log", "decode", "-d", DEFINITION, "-", "-o"])
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

/// What a process left that was killed is in nobody's way, be it of the same id.
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

#[test]
fn odd_inputs() {
    let folder = Folder::new("log-odd");
    for input in ["", "\n\n", " \r\n\t", "\u{feff}"] {
        for form in ["ndjson", "csv", "arrow", "parquet"] {
            let out = folder.0.join(format!("out.{form}"));
            let ran = decode(&["-", "-o", out.to_str().unwrap()], input);
            assert_eq!(ran.code, 0, "{}", ran.stderr);
            assert!(ran.stderr.starts_with("0 records   0 decoded   0 rejected"));
            let written = std::fs::read(out).unwrap();
            let ends = match form {
                "ndjson" => &b""[..],
                "csv" => b"\r\n",
                "arrow" => b"ARROW1",
                _ => b"PAR1",
            };
            assert!(written.ends_with(ends) && written.is_empty() == ends.is_empty());
        }
    }
    let utf16: Vec<u8> = LOG.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let ran = decode(&["-"], [b"\xff\xfe", &utf16[..]].concat());
    assert_eq!((ran.code, &*ran.stdout), (1, ""), "{}", ran.stderr);
    let most = usize::MAX.to_string();
    let ran = decode(&["-", "--max-line", &most], LOG.trim_end());
    assert_eq!((ran.code, &*ran.stdout), (0, NDJSON), "{}", ran.stderr);
    let name = folder.0.to_str().unwrap();
    for arguments in [&[name][..], &["-", "-o", name, "--format", "csv"]] {
        let ran = decode(arguments, LOG);
        assert_eq!(ran.code, 2);
        assert!(ran.stderr.contains(name), "{}", ran.stderr);
    }
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
        assert_eq!(ran.code, 2, "{form}");
    }
    let ran = decode(&["-", "--rejects", "/dev/full"], "zz");
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("/dev/full: No"), "{}", ran.stderr);
}

#[test]
fn figures_and_a_drawing() {
    let log = "\
{\"timestamp\":1517384240,\"did\":\"a\",\"payload\":\"0401000010000000\"}
{\"timestamp\":1517384241,\"did\":\"b\",\"payload\":\"0400000014050000\"}
{\"timestamp\":1517384242,\"did\":\"a\",\"payload\":\"0401000012000000\"}
{\"timestamp\":1517384243,\"did\":\"a\",\"payload\":\"0101010000000000\"}
";
    // The last is a control without a point, which says nothing of what is.
    let log = log.replace("0101010000000000", "010000000000");
    let run = |verb: &str, args: &[&str]| {
        let all = [&["log", verb, "-d", DEFINITION, "-"], args].concat();
        program::run(GIZWITS, &all, log.as_bytes())
    };
    let ran = run("stats", &["--json"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let lines = ran.json();
    assert_eq!(
        lines[6],
        serde_json::json!({
            "point": "set_temp", "seen": 3, "min": 16, "max": 20, "mean": 18, "last": 18, "changes": 1,
        })
    );
    assert_eq!(
        lines[7]["mean"].to_string(),
        "-8.334",
        "to three places, down"
    );
    assert_eq!(lines[2]["last"], "制冷");
    let table = run("stats", &[]).stdout;
    assert!(
        table
            .lines()
            .any(|line| line.starts_with("set_temp        3     16   20   18")),
        "{table}"
    );
    let svg = run(
        "plot",
        &["--point", "set_temp", "--svg", "-", "--only", "a"],
    )
    .stdout;
    assert!(
        svg.starts_with("<svg") && svg.contains("\n16\n") && svg.contains("\n18\n"),
        "{svg}"
    );
    assert!(svg.contains("2018-01-31T07:37:22Z"), "{svg}");
    // Without a file the drawing is text.
    let text = run("plot", &["--point", "set_temp", "--only", "a"]).stdout;
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].trim() == "set_temp" && lines.len() == 20, "{text}");
    assert!(text.contains(" 18") && text.contains('⢸'), "{text}");
    assert!(lines[19].contains("2018-01-31T07:37:22Z"), "{text}");
    assert_eq!(run("plot", &["--point", "no", "--svg", "-"]).code, 2);
    // As far apart as moments may be.
    let log = log.replacen("1517384240", "-377705023201000", 1);
    let log = log.replacen("1517384242", "253402207200000", 1);
    let all = [
        "log", "plot", "-d", DEFINITION, "-", "--point", "set_temp", "--svg", "-", "--only", "a",
    ];
    let svg = program::run(GIZWITS, &all, log.as_bytes()).stdout;
    assert!(
        svg.contains("-009999-01-02") && svg.contains("9999-12-30"),
        "{svg}"
    );
}

/// Arrays and objects are as deep as 32, wherever in a record they stand. What is deeper is one record that is
/// rejected, and no more.
#[test]
fn nesting_has_a_limit() {
    let folder = Folder::new("log-deep");
    let out = folder.0.join("out.parquet");
    let rejects = folder.0.join("rejects");
    let (out, rejects) = (out.to_str().unwrap(), rejects.to_str().unwrap());
    let good = "{\"did\":\"x\",\"payload\":\"02\"}\n";
    for (depth, kind) in [
        (31, "record"),
        (32, "depth"),
        (20_000, "depth"),
        (500_000, "depth"),
    ] {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let deep = format!("{}1{}", open.repeat(depth), close.repeat(depth));
            let lines = [
                format!("{{\"x\":{deep},\"did\":\"x\",\"payload\":\"02\"}}"),
                format!("{{\"payload\":{deep}}}"),
                format!("{{\"payload\":\"02\",\"type\":{deep}}}"),
            ];
            let text: String = lines.iter().map(|line| format!("{line}\n{good}")).collect();
            let objects = lines.join(",");
            let page = format!(
                "{{\"objects\":[{objects},{}],\"meta\":{deep}}}",
                good.trim()
            );
            // The first is sound if it isn't too deep.
            let kinds = match kind {
                "depth" => "3 depth",
                kind => &format!("2 {kind}"),
            };
            for (input, sound) in [(text, 3), (page, 1)] {
                let sound = sound + u64::from(kind != "depth");
                let told = format!(
                    "{sound} decoded   {} rejected ({kinds})",
                    kinds[..1].to_owned()
                );
                for arguments in [
                    &["decode", "-", "-o", out][..],
                    &["decode", "-", "--keep"],
                    &["stats", "-"],
                    &["plot", "-", "--point", "set_temp", "--svg", "-"],
                ] {
                    let limits = [
                        "-d",
                        DEFINITION,
                        "--max-line",
                        "9999999",
                        "--rejects",
                        rejects,
                    ];
                    let all = [&["log"], arguments, &limits].concat();
                    let ran = program::run(GIZWITS, &all, input.as_bytes());
                    assert_eq!(ran.code, 1, "{depth} {arguments:?}: {}", ran.stderr);
                    assert!(ran.stderr.contains(&told), "{depth}: {}", ran.stderr);
                }
            }
        }
    }
    let names = std::fs::read_dir(&folder.0).unwrap();
    assert_eq!(names.count(), 3, "fixtures, output and rejects");
    let told = std::fs::read_to_string(rejects).unwrap();
    assert!(
        told.contains("nested more than 32 deep"),
        "{}",
        &told[..300]
    );
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
    let frame = wrap(&p0, Action::Report, Some(1), Some("b")).unwrap();
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
        told.contains("is of device `b`: all of the input were to be of `a`"),
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
        ran.stderr.contains("b and a: choose one with --only"),
        "{}",
        ran.stderr
    );
    assert_eq!(
        pump(&[&plot[..], &["--only", "b"]].concat(), &timed).code,
        0
    );
}

/// What is kept for devices has a limit, which is told.
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

/// What nohup has ignored ends nothing.
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

/// Texts that a spreadsheet takes for formulas are guarded on request; numbers are what they are.
#[test]
fn formulas_are_guarded_on_request() {
    let folder = Folder::new("log-formulas");
    let text = std::fs::read_to_string(program::root().join(DEFINITION)).unwrap();
    let text = text
        .replace("制冷", "=1+1")
        .replace("\"name\": \"switch\"", "\"name\": \"@switch\"");
    let definition = folder.write("definition.json", text);
    let report = "000000030b0000910401000010000000";
    let log: String = ["-did", "=a,b", "\\tdid", "did"]
        .map(|did| format!("{{\"type\":\"+x\",\"did\":\"{did}\",\"payload\":\"{report}\"}}\n"))
        .concat();
    let run = |guard: &[&str]| {
        let all = [
            &["log", "decode", "-d", &*definition, "-", "--format", "csv"],
            guard,
        ]
        .concat();
        program::run(GIZWITS, &all, log.as_bytes()).stdout
    };
    let (bare, guarded) = (run(&[]), run(&["--csv-guard"]));
    let rows = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let (bare, guarded) = (rows(&bare), rows(&guarded));
    assert!(
        bare[0].contains(",@switch,") && guarded[0].contains(",'@switch,"),
        "{}",
        guarded[0]
    );
    for (row, did) in [(1, "-did"), (2, "\"=a,b\""), (3, "\tdid"), (4, "did")] {
        let guard = match did {
            "did" => "did".to_owned(),
            did if did.starts_with('"') => did.replacen('"', "\"'", 1),
            did => format!("'{did}"),
        };
        assert!(
            bare[row].starts_with(&format!(",+x,{did},report,1,0,=1+1,")),
            "{}",
            bare[row]
        );
        let expected = format!(",'+x,{guard},report,1,0,'=1+1,");
        assert!(guarded[row].starts_with(&expected), "{}", guarded[row]);
        assert!(guarded[row].contains(",16,-10,"), "a number is no formula");
    }
    assert_eq!(decode(&["-", "--csv-guard"], LOG).code, 2);
}

#[test]
fn usage_and_examples() {
    let out = decode(&["-", "-o", "x.docx"], "");
    assert_eq!((out.code, &*out.stdout), (2, ""));
    assert!(out.stderr.contains(".parquet"), "{}", out.stderr);
    assert_eq!(decode(&["no-such-file"], "").code, 2);
    assert_eq!(decode(&["no-such-*"], "").code, 2);
    assert_eq!(decode(&["-", "--product", "x"], "").code, 2);
    let help = program::run(GIZWITS, &["log", "decode", "--help"], b"").stdout;
    for (kind, _) in gizwits_codec_std::log::KINDS {
        assert!(help.contains(kind), "{kind}");
    }
}
