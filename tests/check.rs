//! `gizwits check`: each rule of a definition in its own words, at its place.

use gizwits_codec_core::definition::Definition;
use gizwits_tests::program;
use gizwits_tests::vectors::{sound, vectors};
use serde_json::{Value, json};

/// What `check` finds in a text, and its exit status.
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
    let mut no_protocol = sound();
    no_protocol.as_object_mut().unwrap().remove("protocolType");
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
        ("empty", String::new(), "json", ""),
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
    for (name, definition, kinds) in [
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
