//! Packets of tshark, through the binary.

use gizwits_tests::log::DEFINITION;
use gizwits_tests::program::{self, Folder, Ran};
use serde_json::{Value, json};

const GIZWITS: &str = env!("CARGO_BIN_EXE_gizwits");
const CONTROL: &str = "00:00:00:03:09:00:00:90:01:01:01:00:00:10";
const REPORT: &str = "00:00:00:03:0b:00:00:91:04:01:00:00:10:00:00:00";

fn decode(arguments: &[&str], stdin: impl AsRef<[u8]>) -> Ran {
    let all = [&["log", "decode", "-", "-d", DEFINITION], arguments].concat();
    program::run(GIZWITS, &all, stdin.as_ref())
}

/// A packet as `tshark -T json` writes it: a key for each layer, of which some are repeated.
fn packet(number: u32, layers: &str) -> String {
    format!(
        r#"  {{
    "_index": "packets-2018-01-31",
    "_type": "doc",
    "_score": null,
    "_source": {{
      "layers": {{
        "frame": {{
          "frame.time_epoch": "15173842{number}.294000000",
          "frame.protocols": "eth:ethertype:ip:tcp:data"
        }},
        "ip": {{
          "ip.addr": "192.168.1.2",
          "ip.addr": "192.168.1.3"
        }}{layers}
      }}
    }}
  }}"#
    )
}

fn layer(payload: &str) -> String {
    format!(
        r#",
        "tcp": {{
          "tcp.flags_tree": {{
            "tcp.flags.str": "\u00b7AP"
          }},
          "tcp.payload": "{payload}"
        }},
        "data": {{
          "data.data": "{payload}"
        }}"#
    )
}

#[test]
fn packets_of_an_array() {
    let packets = [
        packet(52, &layer(CONTROL)),
        packet(53, ""),
        packet(54, &[layer(REPORT), layer(CONTROL), layer(REPORT)].concat()),
    ];
    let array = format!("[\n{}\n]\n", packets.join(",\n"));
    for input in [array.clone(), array.replace('\n', "")] {
        let ran = decode(&[], &input);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let heads: Vec<(u64, Value, Value)> = ran
            .json()
            .iter()
            .map(|one| {
                let get = |name: &str| one[name].clone();
                let millis = get("timestamp").as_f64().unwrap() * 1000.0;
                (millis.round() as u64, get("packet_payload"), get("action"))
            })
            .collect();
        let head = |second: u64, number: Value, action: &str| {
            let millis = 1_517_384_200_294 + second * 1000;
            (millis, number, json!(action))
        };
        assert_eq!(
            heads,
            [
                head(52, Value::Null, "control"),
                head(54, json!(1), "report"),
                head(54, json!(2), "control"),
                head(54, json!(3), "report"),
            ]
        );
    }
    // A capture without packets.
    for input in ["[]\n", "[\n\n]", "[]"] {
        let ran = decode(&[], input);
        assert!(
            ran.stderr.starts_with("0 records   0 decoded   0 rejected"),
            "{input}: {}",
            ran.stderr
        );
    }
}

/// Every payload that fails is named, beside those that are decoded.
#[test]
fn rejects_name_the_payload() {
    let folder = Folder::new("log-packets");
    let rejects = folder.0.join("rejects").to_str().unwrap().to_owned();
    let short = &REPORT[..REPORT.len() - 3];
    let unknown = "00:00:00:03:04:00:00:91:53";
    let layers = [layer(CONTROL), layer(short), layer(unknown), layer(REPORT)].concat();
    let ek = format!(
        r#"{{"timestamp":"1517384254294","layers":{{"tcp":[{{"tcp_tcp_payload":"{CONTROL}"}},{{"tcp_tcp_payload":"{short}"}},{{"tcp_tcp_payload":["{unknown}","{REPORT}"]}}]}}}}"#
    );
    let first = packet(52, &layer(REPORT));
    let array = format!("[\n{first},\n{}]", packet(54, &layers));
    // The line on which the packet begins.
    for (input, line) in [(array, first.lines().count() + 2), (ek, 1)] {
        let ran = decode(&["--rejects", &rejects], &input);
        assert_eq!(ran.code, 1);
        let json = ran.json();
        let numbers: Vec<_> = json
            .iter()
            .filter_map(|one| one["packet_payload"].as_u64())
            .collect();
        assert_eq!(numbers, [1, 4], "{}", ran.stdout);
        let reject: Value =
            serde_json::from_str(&std::fs::read_to_string(&rejects).unwrap()).unwrap();
        let message = reject["reason"]["message"].as_str().unwrap();
        assert!(message.starts_with("payload 2 of 4: "), "{message}");
        assert!(
            message.contains("; payload 3 of 4: unknown action 0x53"),
            "{message}"
        );
        assert_eq!(reject["line"], line, "{reject}");
    }
    // An array that is cut has the records before the cut.
    let cut = format!(
        "[\n{},\n{}",
        packet(52, &layer(REPORT)),
        &packet(54, &layers)[..300]
    );
    let ran = decode(&["--rejects", &rejects], cut);
    assert_eq!((ran.code, ran.json().len()), (1, 1), "{}", ran.stderr);
    let reject = std::fs::read_to_string(&rejects).unwrap();
    assert!(
        reject.contains("its closing bracket is missing"),
        "{reject}"
    );
    // Text between the records is reported, and lists of bytes are payloads.
    let stray = format!("[{},\"x\",7]]\n", packet(52, &layer(REPORT)));
    let ran = decode(&[], stray);
    assert!(
        ran.stderr.starts_with("4 records   1 decoded   3 rejected"),
        "{}",
        ran.stderr
    );
    let ran = decode(&[], "[4,1,0,0,16,30,0,0]\n[]\n");
    assert!(
        ran.stderr.starts_with("2 records   1 decoded   1 rejected"),
        "{}",
        ran.stderr
    );
}

/// The encoding of payloads is that of their texts: lists of bytes and packets have none.
#[test]
fn lists_and_packets_have_no_encoding() {
    let packet = format!(r#"{{"layers":{{"tcp_payload":["{CONTROL}"]}}}}"#);
    let list = r#"{"payload":[1,1,1,0,0,16]}"#;
    for line in [&*packet, list] {
        let any = decode(&[], line);
        assert_eq!((any.code, any.json().len()), (0, 1), "{}", any.stderr);
        for encoding in ["hex", "base64"] {
            let ran = decode(&["--encoding", encoding], line);
            assert_eq!(
                (ran.code, &ran.stdout),
                (0, &any.stdout),
                "{encoding}: {}",
                ran.stderr
            );
        }
    }
}

/// Arrays, pages and records that stand alone follow each other in any order, each on one line or on several.
#[test]
fn lists_and_records_in_one_input() {
    let record = r#"{"timestamp":1,"payload":"02"}"#;
    let spread = "{\n \"timestamp\": 1,\n \"payload\": \"02\"\n}";
    let page = format!(r#"{{"meta":{{"next":null}},"objects":[{record},{record}]}}"#);
    for (input, records) in [
        (format!("[{record}]\n{record}\n{record}\n"), 3),
        (format!("[]\n[\n{record}\n]\n"), 1),
        (format!("[\n\n]\n[\n{spread},\n{record}\n]\n"), 2),
        (
            format!("{page}\n{record}\n{page}\n[{spread}]\n{spread}\n"),
            7,
        ),
        (format!("[]\n{page}"), 2),
        ("[] []".to_owned(), 0),
    ] {
        let ran = decode(&[], &input);
        assert_eq!(
            (ran.code, ran.json().len()),
            (0, records),
            "{input}: {}",
            ran.stderr
        );
    }
    // A page without its list is a record without a payload.
    let ran = decode(&[], format!("[{record}]\n{{\"meta\":{{}}}}\n{record}\n"));
    assert_eq!((ran.code, ran.json().len()), (1, 2), "{}", ran.stderr);
    assert!(ran.stderr.contains("1 rejected"), "{}", ran.stderr);
}
