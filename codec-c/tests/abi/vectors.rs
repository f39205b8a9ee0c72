//! The vectors of the project through the C ABI.

use std::collections::HashMap;

use gizwits_codec_std::{Action, Product, payload};
use gizwits_tests::arbitrary::Draw;
use gizwits_tests::vectors::{fixture, fixtures, vectors};
use serde_json::Value;

use crate::caller::{Loaded, payload as parse};
use crate::law;

const FILES: [&str; 3] = ["standard.json", "var_len.json", "m2m.json"];

/// The fixtures, loaded in both ways.
fn products() -> HashMap<String, (Product, Loaded)> {
    let load = |name: String| {
        let loaded = law::definition(fixture(&name).as_bytes()).unwrap();
        (name, loaded)
    };
    fixtures().into_iter().map(load).collect()
}

#[test]
fn they_decode() {
    let (products, mut decoded) = (products(), 0);
    for (file, options) in FILES
        .map(|file| (file, 0))
        .into_iter()
        .chain([("lax.json", 1)])
    {
        for vector in vectors(file) {
            let id = vector["id"].as_str().unwrap();
            let (product, loaded) = &products[vector["definition"].as_str().unwrap()];
            let bytes = parse(vector["payload"].as_str().unwrap().as_bytes()).unwrap();
            let json: Value = serde_json::from_str(&loaded.json(options, &bytes).unwrap()).unwrap();
            assert_eq!(json, vector["expect"], "{id}");
            law::message(product, loaded, &bytes, &mut Draw::new(id.as_bytes()));
            law::frames(&bytes);
            decoded += 1;
        }
    }
    assert!(decoded > 300, "{decoded} were decoded");
}

#[test]
fn the_canonical_ones_encode() {
    let (products, mut encoded) = (products(), 0);
    let actions = [Action::Control, Action::Read, Action::Reply, Action::Report];
    let canonical = |vector: &Value| vector["canonical"] == true;
    for vector in FILES.into_iter().flat_map(vectors).filter(canonical) {
        let (id, expect) = (vector["id"].as_str().unwrap(), &vector["expect"]);
        let (product, loaded) = &products[vector["definition"].as_str().unwrap()];
        let bytes = parse(vector["payload"].as_str().unwrap().as_bytes()).unwrap();
        // The values that are decoded encode to the P0 of the vector.
        let own = loaded.values(0, &bytes, |message, values| {
            let p0 = crate::caller::bytes(message.p0, message.p0_length).unwrap();
            assert!(bytes.ends_with(p0), "{id}");
            if (1..=4).contains(&message.action) {
                assert_eq!(
                    loaded.encode(message.action, 0, values).as_deref(),
                    Ok(p0),
                    "{id}"
                );
                encoded += 1;
            }
            message.action
        });
        // So does their JSON.
        if let (Some(attrs), number @ 1..=4) = (expect.get("attrs"), own.unwrap()) {
            let action = actions[number as usize - 1];
            law::json_encodes(
                product,
                loaded,
                (number, action),
                attrs.to_string().as_bytes(),
            );
            let p0 = loaded
                .encode_json(number, 0, attrs.to_string().as_bytes())
                .unwrap();
            assert!(bytes.ends_with(&p0), "{id}: {}", payload::hex(&p0));
        }
    }
    assert!(encoded > 180, "{encoded} were encoded");
}

/// Definitions with one fault each are refused with the words of the check.
#[test]
fn the_broken_ones_are_refused() {
    for vector in vectors("broken.json") {
        let mut definition = gizwits_tests::vectors::sound();
        let (pointer, to) = (vector["set"].as_str(), vector["to"].clone());
        let Some(place) = pointer.and_then(|pointer| definition.pointer_mut(pointer)) else {
            continue;
        };
        *place = to;
        law::definition(definition.to_string().as_bytes());
    }
}
