//! `gizwits log`, through the binary.

use std::io::{self, Cursor, Read, Write as _};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use gizwits_codec_std::Product;
use gizwits_codec_std::log::{Log, Ndjson, Products, Source};
use gizwits_tests::arbitrary::Draw;
use gizwits_tests::log::{DEFINITION, LOG, NDJSON, arbitrary, law};
use gizwits_tests::program::{self, Folder, Ran};
use serde_json::{Value, json};

const GIZWITS: &str = env!("CARGO_BIN_EXE_gizwits");

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
    for (name, fixture) in [("ac", "air-conditioner"), ("pump", "wave-pump")] {
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
    assert_eq!(count, 8);
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
    let array = |gap: &str| {
        let objects = LOG.trim_end().replace('\n', &format!(",{gap}"));
        format!("[{gap}{objects}{gap}]\n")
    };
    let zstd = zstd::encode_all(LOG.as_bytes(), 1).unwrap();
    for input in [
        LOG.as_bytes().to_vec(),
        LOG.trim_end().replace('\n', "\r\n\r\n").into_bytes(),
        [b"\xef\xbb\xbf", LOG.as_bytes()].concat(),
        page("").into_bytes(),
        page("\n  ").into_bytes(),
        array("").into_bytes(),
        array("\n  ").into_bytes(),
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
            "--device",
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
    let array = [
        format!("[\n{record},"),
        format!("{record},"),
        format!("{record}\n]\n"),
    ];
    for parts in [[line.clone(), line.clone(), line], page, array] {
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
        &["--point", "set_temp", "--svg", "-", "--device", "a"],
    )
    .stdout;
    assert!(
        svg.starts_with("<svg") && svg.contains("\n16\n") && svg.contains("\n18\n"),
        "{svg}"
    );
    assert!(svg.contains("2018-01-31T07:37:22Z"), "{svg}");
    // Without a file the drawing is text.
    let text = run("plot", &["--point", "set_temp", "--device", "a"]).stdout;
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].trim() == "set_temp" && lines.len() == 20, "{text}");
    assert!(text.contains(" 18") && text.contains('⢸'), "{text}");
    assert!(lines[19].contains("2018-01-31T07:37:22Z"), "{text}");
    assert_eq!(run("plot", &["--point", "no", "--svg", "-"]).code, 2);
    // As far apart as moments may be.
    let log = log.replacen("1517384240", "-377705023201000", 1);
    let log = log.replacen("1517384242", "253402207200000", 1);
    let all = [
        "log", "plot", "-d", DEFINITION, "-", "--point", "set_temp", "--svg", "-", "--device", "a",
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

/// The forms that other programs write records in, each beside the record of the cloud that it is.
#[test]
fn records_of_other_programs() {
    let hex = "000000030b0000910401000010000000";
    let bytes = gizwits_codec_std::payload::parse(hex, None).unwrap();
    let p0 = &bytes[8..];
    let (list, base64) = (format!("{p0:?}"), gizwits_codec_std::payload::base64(p0));
    let colons: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let colons = colons.join(":");
    let time = "1517384252.294";
    let plain = json!({"payload": hex, "timestamp": 1_517_384_252.294});
    let page = json!({"meta": {"total": 1}, "objects": [plain]}).to_string();
    let read = |line: &str| {
        let ran = decode(&["-"], line);
        assert_eq!(ran.code, 0, "{line}: {}", ran.stderr);
        ran.stdout
    };
    let attrs = read(hex);
    let attrs = attrs.trim_end().strip_prefix('{').unwrap();
    let head = |head: &str| format!("{{{head}{attrs}\n");
    let with_did = head(&format!(r#""timestamp":{time},"did":"D","#));
    for (line, expected) in [
        (
            format!(r#"{{"cmd":"s2c_raw","data":{{"did":"D","raw":{list}}}}}"#),
            head(r#""did":"D","#),
        ),
        (
            format!(
                r#"{{"cmd":"event_push","event_type":"device_status_raw","product_key":null,"did":"D","created_at":{time},"data":{{"raw":"{base64}"}}}}"#
            ),
            with_did.clone(),
        ),
        (
            format!(
                r#"{{"cmd":"event_push","event_type":"device_status_raw","did":"D","created_at":{time},"data":"{base64}"}}"#
            ),
            with_did.clone(),
        ),
        (
            format!(r#"{{"did":"D","timestamp":{time},"device_status_raw":"{base64}"}}"#),
            with_did.clone(),
        ),
        (
            format!(r#"{{"did":"D","timestamp":{time},"payload_bin":"{hex}"}}"#),
            with_did.clone(),
        ),
        // A member that is not read may be there twice.
        (
            format!(r#"{{"did":"D","timestamp":{time},"payload_bin":"{hex}","x":1,"x":2}}"#),
            with_did.clone(),
        ),
        (
            format!(r#"{{"did":"D","timestamp":{time},"payload":{list}}}"#),
            with_did.clone(),
        ),
        (
            json!({"code": 200, "body": page}).to_string(),
            head(&format!(r#""timestamp":{time},"#)),
        ),
        (
            format!(r#"{{"topic":"dev2app/D","payload":"{hex}"}}"#),
            head(r#""type":"dev2app","did":"D","#),
        ),
        (
            format!(r#"{{"topic":"app2dev/D/phone","payload":{list},"timestamp":{time}}}"#),
            head(&format!(
                r#""timestamp":{time},"type":"app2dev","did":"D","#
            )),
        ),
        // Any other topic is no device.
        (
            format!(r#"{{"topic":"home/lamp","payload":"{hex}"}}"#),
            head(""),
        ),
        (
            format!(
                "{{\"index\":{{\"_index\":\"packets\"}}}}\n{{\"timestamp\":\"1517384252294\",\"layers\":{{\"tcp\":{{\"tcp_tcp_payload\":\"{colons}\"}}}}}}"
            ),
            head(r#""timestamp":1517384252294,"#),
        ),
        // Two frames in a segment, and a segment without a payload.
        (
            format!(
                "{{\"layers\":{{\"tcp_payload\":[\"{hex}{hex}\"]}}}}\n{{\"timestamp\":\"1517384252294\",\"layers\":{{\"tcp\":{{}}}}}}"
            ),
            head("").repeat(2),
        ),
    ] {
        assert_eq!(read(&line), expected, "{line}");
        // Also behind lines whose shape is learned, and repeated.
        let usual = format!("{{\"timestamp\":{time},\"payload\":\"{hex}\"}}\n").repeat(3);
        let all = format!("{usual}{line}\n{line}\n{usual}");
        let usual = read(&usual);
        assert_eq!(
            read(&all),
            format!("{usual}{expected}{expected}{usual}"),
            "{line}"
        );
    }
    let ran = decode(
        &["-"],
        format!(
            "{{\"layers\":{{\"tcp_payload\":[\"{hex}{hex}{}\"]}}}}\n{hex}",
            &hex[..20]
        ),
    );
    assert!(
        ran.stderr.starts_with("4 records   3 decoded   1 rejected"),
        "{}",
        ran.stderr
    );
    for (line, kind) in [
        (
            r#"{"topic":"dev2app/D","payload":"zz"}"#,
            "not_hex_or_base64",
        ),
        (
            r#"{"timestamp":"1517384252294","payload":"02"}"#,
            "timestamp",
        ),
        (
            r#"{"timestamp":"x","layers":{"tcp_payload":"02"}}"#,
            "timestamp",
        ),
        (r#"{"payload":[256]}"#, "record"),
        (r#"{"did":1,"payload_bin":7}"#, "record"),
        (r#"{"did":"D","did":"D","payload":"02"}"#, "record"),
        // Of two members with one name, each could be meant.
        (r#"{"payload":5,"payload":"02"}"#, "record"),
        (r#"{"payload":[2],"payload":[2]}"#, "record"),
        (r#"{"data":{"raw":[2],"raw":[2]}}"#, "record"),
        (r#"{"body":"{\"raw\":[2],\"raw\":[2]}"}"#, "record"),
    ] {
        let ran = decode(&["-"], line);
        assert_eq!(ran.code, 1, "{line}");
        assert!(
            ran.stderr.contains(&kind.replace('_', " ")) || ran.stderr.contains(kind),
            "{line}: {}",
            ran.stderr
        );
    }
}
