//! `gizwits check`: each rule of a definition in its own words, at its place.

use std::time::{Duration, Instant};

use gizwits_codec_core::definition::Definition;
use gizwits_codec_std::Check;
use gizwits_tests::program;
use gizwits_tests::vectors::{sound, vectors};
use serde_json::{Value, json};

/// Checks a text. Returns the exit status and the findings.
fn check(text: &str) -> (i32, Vec<Value>) {
    let gizwits = env!("CARGO_BIN_EXE_gizwits");
    let ran = program::run(gizwits, &["check", "--json", "-d", "-"], text.as_bytes());
    let people = program::run(gizwits, &["check", "-d", "-"], text.as_bytes());
    assert_eq!(people.code, ran.code);
    // The reader without an allocator draws the same line.
    let core = Definition::<1024>::parse(text);
    assert_eq!(
        core.is_err(),
        ran.code == 1,
        "{:?}: {}",
        core.err(),
        ran.stdout
    );
    let findings = ran
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap());
    (ran.code, findings.collect())
}

#[test]
fn each_broken_rule_has_its_own_words() {
    let (code, findings) = check(&sound().to_string());
    assert_eq!((code, findings.len()), (0, 0), "{findings:?}");
    for rule in vectors("broken.json") {
        let text = |key: &str| rule[key].as_str();
        let (pointer, kind) = (text("set").unwrap(), text("kind").unwrap());
        let at = text("at").unwrap_or(pointer);
        let mut broken = sound();
        *broken.pointer_mut(pointer).unwrap() = rule["to"].clone();
        let (code, findings) = check(&format!("{broken:#}"));
        let found = findings
            .iter()
            .find(|one| one["kind"] == kind && one["pointer"] == at)
            .unwrap_or_else(|| panic!("no {kind} at {at}: {findings:#?}"));
        assert_eq!((code, &found["severity"]), (1, &json!("error")), "{found}");
        assert!(
            found["line"].as_u64() > Some(1) && found["column"].as_u64() > Some(0),
            "{found}"
        );
        let message = found["message"].as_str().unwrap();
        for word in rule["words"].as_array().unwrap() {
            let word = word.as_str().unwrap();
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
    // Every point of a var_len product is at byte 0, bit 0, and one point alone can be of either protocol.
    let mut no_protocol = sound();
    no_protocol.as_object_mut().unwrap().remove("protocolType");
    no_protocol["entities"][0]["attrs"]
        .as_array_mut()
        .unwrap()
        .truncate(1);
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
        ("empty", " \n".to_owned(), "json", "is empty"),
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
        (
            "data",
            r#"{"did": "x", "updated_at": 1, "attr": {"mode": 1}}"#.to_owned(),
            "not_a_definition",
            "values of a device",
        ),
        (
            "error",
            r#"{"error_code": 9004, "error_message": "token invalid!"}"#.to_owned(),
            "not_a_definition",
            "error",
        ),
        (
            "page",
            r#"{"meta": {"total": 0}, "objects": []}"#.to_owned(),
            "not_a_definition",
            "list",
        ),
    ] {
        let (code, findings) = check(&text);
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
    let kinds: Vec<Value> = check(&broken.to_string())
        .1
        .iter()
        .map(|one| one["kind"].clone())
        .collect();
    assert_eq!(kinds, ["bool_width", "no_labels", "ratio", "unknown_word"]);
}

/// The order of ids is told by the protocol: without it there is nothing to say of it.
#[test]
fn of_an_unknown_protocol_no_order_is_asked() {
    let mut broken = sound();
    broken["protocolType"] = json!("Standard");
    broken["entities"][0]["attrs"][0]["position"]["len"] = json!(2);
    let (_, findings) = check(&broken.to_string());
    let kinds: Vec<_> = findings.iter().map(|one| &one["kind"]).collect();
    assert_eq!(kinds, ["bool_width", "unknown_word"]);
    let message = findings[0]["message"].as_str().unwrap();
    assert!(message.ends_with("(bits 0..1 of byte 0)"), "{message}");
}

#[test]
fn what_is_no_text() {
    let gizwits = env!("CARGO_BIN_EXE_gizwits");
    for (bytes, words) in [
        (&b"\xff\xfe{\0"[..], "the text is UTF-16: UTF-8 is expected"),
        (b"{\"name\": \"caf\xe9\"}", "not UTF-8 at byte 13"),
    ] {
        let ran = program::run(gizwits, &["check", "-d", "-"], bytes);
        assert_eq!((ran.code, ran.stderr), (2, format!("error: -: {words}\n")));
    }
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
    let mut typing = sound();
    typing["packet_version"] = typing["packetVersion"].take();
    typing.as_object_mut().unwrap().remove("packetVersion");
    typing["comment"] = json!("extensions are allowed");
    let attr = &mut typing["entities"][0]["attrs"][3];
    attr["dispaly_name"] = json!("");
    attr.as_object_mut().unwrap().remove("display_name");
    let spec = &mut attr["uint_spec"];
    spec["ratoi"] = spec["ratio"].take();
    spec["mix"] = json!(0);
    let spec = spec.as_object_mut().unwrap();
    spec.remove("ratio");
    spec.remove("addition");
    let mut old = sound();
    old.as_object_mut().unwrap().remove("protocolType");
    for (name, definition, kinds) in [
        (
            "typing",
            typing,
            &[
                "unknown_key",
                "unknown_key",
                "unknown_key",
                "missing",
                "missing",
                "packet_version",
            ][..],
        ),
        ("old", old, &["missing"]),
        ("plain", plain, &["packet_version", "product_key"][..]),
        (
            "odd",
            odd,
            &["duplicate_label", "wide_bits", "gap", "product_key"],
        ),
        ("order", order, &["order"]),
    ] {
        let (code, findings) = check(&definition.to_string());
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

/// A definition of so many attrs, each one bool, after some change.
fn bools(count: usize, change: impl Fn(usize, &mut Value)) -> Value {
    let mut definition = sound();
    let attr = |id: usize| {
        let mut attr = json!({"id": id, "name": format!("p{id}"), "type": "status_readonly",
            "data_type": "bool",
            "position": {"byte_offset": 0, "bit_offset": id, "len": 1, "unit": "bit"}});
        change(id, &mut attr);
        attr
    };
    definition["entities"][0]["attrs"] = (0..count).map(attr).collect();
    definition
}

/// The first hundred findings are shown and all of them are counted, if each attr is wrong.
#[test]
fn of_many_findings_the_first_are_shown() {
    let definition = bools(1000, |id, attr| match id {
        0 => attr["name"] = json!(["no text"]),
        _ => attr["data_type"] = json!("int"),
    });
    let gizwits = env!("CARGO_BIN_EXE_gizwits");
    let text = definition.to_string();
    let run = |args: &[&str]| program::run(gizwits, args, text.as_bytes());
    let found = run(&["check", "--json", "-d", "-"]).json();
    assert_eq!(found.len(), 101);
    let last = &found[100];
    let members = json!(["more_findings", "error", 900, 0]);
    assert_eq!(
        json!([
            last["kind"],
            last["severity"],
            last["errors"],
            last["warnings"]
        ]),
        members
    );
    assert_eq!(last["message"], "there are more findings: 900 errors");
    let people = run(&["check", "-d", "-"]).stdout;
    assert!(
        people.ends_with("\n-: 1000 errors; 100 of them are shown\n"),
        "{people}"
    );
    assert_eq!(people.matches("data_type is").count(), 99);
    // Where the definition is only needed ten are enough.
    let decode = run(&["decode", "-d", "-", "04"]);
    assert_eq!((decode.code, decode.stdout.as_str()), (2, ""));
    assert_eq!(decode.stderr.lines().count(), 11, "{}", decode.stderr);
    assert!(decode.stderr.ends_with("-: and 990 more errors\n"));

    // Errors come before warnings, wherever they stand.
    let mut odd = bools(200, |_, attr| {
        attr["data_type"] = json!("enum");
        attr["enum"] = json!(["a", "a"]);
    });
    odd["entities"][0]["attrs"][199]["type"] = json!("none");
    let found = gizwits_codec_std::check(&odd.to_string());
    assert_eq!((found.errors, found.warnings), (1, 200));
    assert_eq!(found.diagnostics[99].kind, "unknown_word");
}

/// Names, keys, labels and words of any length don't make a finding long.
#[test]
fn no_finding_is_long() {
    let long = "温".repeat(100_000);
    let mut broken = sound();
    let attrs = &mut broken["entities"][0]["attrs"];
    attrs[0]["name"] = json!(long);
    attrs[1]["name"] = json!(long);
    attrs[1]["position"]["len"] = json!(2);
    attrs[2]["enum"] = json!([long, long]);
    attrs[3]["data_type"] = json!(long);
    broken["protocolType"] = json!(long);
    let text = broken.to_string();
    let text = text.replacen(
        '{',
        &format!(r#"{{"{long}":[{{"x":1,"x":2}}],"{long}":1,"#),
        1,
    );
    let (_, findings) = check(&text);
    let kinds = [
        "duplicate_key",
        "duplicate_name",
        "duplicate_label",
        "unknown_word",
    ];
    for kind in kinds {
        assert!(findings.iter().any(|one| one["kind"] == kind), "no {kind}");
    }
    for one in findings {
        assert!(one.to_string().len() < 2500, "{one}");
    }
    let gizwits = env!("CARGO_BIN_EXE_gizwits");
    let people = program::run(gizwits, &["check", "-d", "-"], text.as_bytes());
    assert!(people.stdout.len() < 10_000, "{}", people.stdout.len());
    // Nor do marks that take no room in a line, or what is not of one line.
    let marks = format!(
        "{{\"{}\": 1, \"a\":\n2,\"a\":\n\n3}}",
        "\u{301}".repeat(100_000)
    );
    let people = program::run(gizwits, &["check", "-d", "-"], marks.as_bytes());
    assert!(people.stdout.len() < 10_000, "{}", people.stdout.len());
}

#[test]
fn a_definition_may_have_four_mebibytes() {
    let limit = Check::MAX_LEN;
    let text = sound().to_string();
    let padded = |len: usize| text.clone() + &" ".repeat(len - text.len());
    assert!(gizwits_codec_std::check(&padded(limit)).product.is_some());
    let found = gizwits_codec_std::check(&padded(limit + 1)).diagnostics;
    let message = "4194305 bytes: a definition has at most 4194304";
    assert_eq!((found[0].kind, &*found[0].message), ("too_long", message));
    let gizwits = env!("CARGO_BIN_EXE_gizwits");
    for (len, code, stderr) in [
        (limit, 0, ""),
        (
            limit + 1,
            2,
            "error: -: more than 4194304 bytes: a definition has at most 4194304\n",
        ),
    ] {
        let ran = program::run(gizwits, &["check", "-d", "-"], padded(len).as_bytes());
        assert_eq!((ran.code, ran.stderr.as_str()), (code, stderr));
    }
    let folder = program::Folder::new("long-definition");
    let path = folder.write("long.json", padded(limit + 10));
    let ran = program::run(gizwits, &["layout", "-d", &path], b"");
    let told = format!("error: {path}: 4194314 bytes: a definition has at most 4194304\n");
    assert_eq!((ran.code, ran.stderr), (2, told));
}

/// A long text takes about as long as its 32nd part 32 times, with room for a busy machine; quadratic
/// would be 32 times as long.
#[test]
fn time_grows_with_the_text() {
    let time = |text: &str, times: usize| {
        let start = Instant::now();
        for _ in 0..times {
            assert!(gizwits_codec_std::check(text).errors > 0);
        }
        start.elapsed()
    };
    let key = |n: usize| format!("{{\"{}\":[1{}", "k".repeat(4 * n), ",1".repeat(2 * n));
    type Make<'m> = &'m dyn Fn(usize) -> String;
    let kinds: [(&str, Make<'_>); 6] = [
        ("keys", &|n| {
            format!("{{\"a\":1{}}}", ",\"a\":1".repeat(2 * n))
        }),
        ("lines", &|n| {
            format!("{{\"a\":1{}}}", ",\n\"a\":1".repeat(2 * n))
        }),
        ("a long key", &|n| key(n) + ",{\"a\":1,\"a\":1}]}"),
        ("attrs", &|n| {
            bools(n / 16, |_, attr| attr["data_type"] = json!("int")).to_string()
        }),
        ("labels", &|n| {
            let labels = "\"a\",".repeat(2 * n) + "1";
            let attr = format!("{{\"data_type\":\"enum\",\"enum\":[{labels}]}}");
            format!("{{\"entities\":[{{\"attrs\":[{attr}]}}]}}")
        }),
        ("members of the root", &|n| {
            let mut broken = bools(100, |_, attr| attr["position"] = json!(1));
            for key in 0..n {
                broken[format!("k{key}")] = json!(1);
            }
            broken.to_string()
        }),
    ];
    for (name, make) in kinds {
        let (short, long) = (make(400), make(12_800));
        let (mut parts, mut whole) = (Duration::MAX, Duration::MAX);
        for _ in 0..3 {
            parts = parts.min(time(&short, 32));
            whole = whole.min(time(&long, 1));
        }
        assert!(
            whole < 8 * parts,
            "{name}: {parts:?} in parts, {whole:?} as a whole"
        );
    }
}

/// A maximum that looks like an engineering value, where the limits are raw values.
#[test]
fn limits_in_engineering_units() {
    for (bits, max, ratio, addition, meant) in [
        (16, 50, 0.01, -50.0, Some(10_000)),
        (16, 100, 0.01, -50.0, Some(15_000)),
        (16, 100, 0.1, -40.0, Some(1400)),
        (16, 50, 0.01, 0.0, Some(5000)),
        (16, 50, 1.0, -100.0, Some(150)),
        (32, 1000, 0.0001, 0.0, Some(10_000_000)),
        (32, 50, 0.01, -50.0, Some(10_000)),
        // Sound: a pH of 0 to 14.0, 25.5 volts, a power factor, a set point of 0 to 50.0, one below zero.
        (16, 140, 0.1, 0.0, None),
        (16, 255, 0.1, 0.0, None),
        (16, 100, 0.01, 0.0, None),
        (16, 500, 0.1, 0.0, None),
        (16, 600, 0.1, -40.0, None),
        (32, 65_535, 0.1, 0.0, None),
        // Not a round number, all of the range, more than 1 % of it, no raw value for it.
        (16, 51, 0.01, -50.0, None),
        (16, 65_535, 0.01, -1000.0, None),
        (16, 660, 0.001, -10.0, None),
        (8, 50, 0.01, -50.0, None),
        (16, 650, 0.001, 0.0, None),
        (16, 50, 0.03, 0.0, None),
        // Raw values are the engineering values, or larger.
        (16, 50, 1.0, 0.0, None),
        (16, 50, 10.0, -100.0, None),
    ] {
        let definition = json!({"product_key": "0".repeat(32), "protocolType": "standard",
            "packetVersion": "0x00000004", "entities": [{"attrs": [{"id": 0, "name": "n",
            "type": "status_writable", "data_type": format!("uint{bits}"),
            "position": {"byte_offset": 0, "bit_offset": 0, "len": bits / 8, "unit": "byte"},
            "uint_spec": {"min": 0, "max": max, "ratio": ratio, "addition": addition}}]}]});
        let found = gizwits_codec_std::check(&definition.to_string());
        assert!(found.product.is_some(), "{found:?}");
        let told: Vec<_> = found
            .diagnostics
            .iter()
            .map(|one| (one.kind, one.pointer.as_str(), one.help.clone()))
            .collect();
        let expected = meant.map(|meant| {
            let help = format!(
                "limits are raw values: for an engineering maximum of {max}, write {meant}"
            );
            ("engineering_max", "/entities/0/attrs/0/uint_spec/max", help)
        });
        let context = format!("uint{bits}, {max}, {ratio}, {addition}");
        assert_eq!(told, Vec::from_iter(expected), "{context}");
    }
}

#[test]
fn one_of_a_kind_has_no_plural() {
    let one = bools(1, |_, attr| attr["position"]["byte_offset"] = json!(0));
    let gizwits = env!("CARGO_BIN_EXE_gizwits");
    let run = |args: &[&str]| program::run(gizwits, args, one.to_string().as_bytes());
    let summary = "-: standard, 1 byte, 1 point, no findings\n";
    assert_eq!(run(&["check", "-d", "-"]).stdout, summary);
    let code = run(&["codegen", "-d", "-"]).stdout;
    assert!(code.contains(", 1 point, 1 byte. "), "{code}");
    for (pointer, value, words) in [
        (
            "/data_type",
            json!("enum"),
            "has 3 labels: 1 bit can hold at most 2",
        ),
        (
            "/data_type",
            json!("uint16"),
            "is a uint16 of 1 byte: expected 2",
        ),
        (
            "/id",
            json!(1),
            "has the id 1, but the definition has 1 point",
        ),
    ] {
        let definition = bools(1, |_, attr| {
            *attr.pointer_mut(pointer).unwrap() = value.clone();
            match value.as_str() {
                Some("enum") => attr["enum"] = json!(["a", "b", "c"]),
                Some(_) => {
                    attr["position"]["unit"] = json!("byte");
                    attr["uint_spec"] = json!({"min": 0, "max": 1});
                }
                None => {}
            }
        });
        let found = gizwits_codec_std::check(&definition.to_string()).diagnostics;
        let message = found.last().map_or("", |one| one.message.as_str());
        assert!(
            found.iter().any(|one| one.message.contains(words)),
            "{message}"
        );
    }
}
