//! Every vector decodes to its values, and the canonical ones encode to their bytes.

use gizwits_codec_std::{Action, Product, payload, wrap_m2m};
use gizwits_tests::vectors::{product, vectors};
use serde_json::Value;
use std::collections::HashMap;

fn each(file: &str, mut judge: impl FnMut(&Product, &Value, &str)) {
    let mut products: HashMap<String, Product> = HashMap::new();
    let vectors = vectors(file);
    assert!(vectors.len() > 40, "{file} is there");
    for vector in &vectors {
        let name = vector["definition"].as_str().unwrap();
        let product = products
            .entry(name.to_owned())
            .or_insert_with(|| product(name));
        judge(product, vector, vector["id"].as_str().unwrap());
    }
}

fn decode(product: &Product, vector: &Value) -> String {
    let bytes = payload::parse(vector["payload"].as_str().unwrap(), None).unwrap();
    product.decode(&bytes).unwrap().to_json()
}

#[test]
fn they_decode() {
    for file in ["standard.json", "var_len.json", "m2m.json"] {
        each(file, |product, vector, id| {
            let ours: Value = serde_json::from_str(&decode(product, vector)).unwrap();
            assert_eq!(ours, vector["expect"], "{id}");
        });
    }
}

/// Replies and reports of another length, by the lax decoder alone.
#[test]
fn they_decode_of_any_length() {
    for vector in vectors("lax.json") {
        let id = vector["id"].as_str().unwrap();
        let product = product(vector["definition"].as_str().unwrap());
        let bytes = payload::parse(vector["payload"].as_str().unwrap(), None).unwrap();
        let decoded = product.lax().decode(&bytes).unwrap();
        let ours: Value = serde_json::from_str(&decoded.to_json()).unwrap();
        assert_eq!(ours, vector["expect"], "{id}");
        let differs = ["missing", "extra", "whole_body"];
        let exact = differs.iter().all(|key| ours.get(key).is_none());
        assert_eq!(decoded.is_exact(), exact, "{id}");
        assert_eq!(product.decode(&bytes).is_ok(), exact, "{id}");
        assert_eq!(decoded.remarks().is_empty(), id == "exact", "{id}");
    }
    // Frames, controls and reads are held to their lengths.
    let product = product("air-conditioner");
    for other in ["0101010000100", "0200", "000000030900009004010000"] {
        let bytes = payload::parse(&format!("{other:0<26}"), None).unwrap();
        assert!(product.lax().decode(&bytes).is_err(), "{other}");
    }
}

#[test]
fn the_canonical_ones_encode() {
    let mut encoded = 0;
    for file in ["standard.json", "var_len.json", "m2m.json"] {
        each(file, |product, vector, id| {
            let expect = &vector["expect"];
            let action = match expect["action"].as_str() {
                Some("control") => Action::Control,
                Some("read") => Action::Read,
                Some("reply") => Action::Reply,
                Some("report") => Action::Report,
                _ => return,
            };
            if vector["canonical"] != true {
                return;
            }
            let mut message = product.message(action);
            if let Some(attrs) = expect.get("attrs") {
                message.set_json(&attrs.to_string()).unwrap();
            }
            for name in expect["wanted"].as_array().into_iter().flatten() {
                message.want(name.as_str().unwrap()).unwrap();
            }
            let mut bytes = message.encode().unwrap();
            if let Some(frame) = expect.get("frame") {
                let sn = frame["sn"].as_u64().map(|sn| sn as u32);
                bytes = wrap_m2m(&bytes, action, sn, frame["did"].as_str()).unwrap();
            }
            assert_eq!(
                payload::hex(&bytes),
                vector["payload"].as_str().unwrap(),
                "{id}"
            );
            encoded += 1;
        });
    }
    assert!(encoded > 180, "{encoded} were encoded");
}
