//! Every vector decodes to its values, and the canonical ones encode to their bytes.

use gizwits_codec_std::{Action, Product, payload, wrap};
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
                bytes = wrap(&bytes, action, sn, frame["did"].as_str()).unwrap();
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
