//! Every answer has the shape that is documented for it: these keys, of these kinds, and no others.
//!
//! The shapes stand in `shapes.json`. With `GIZWITS_EXAMPLES` set to a folder of example answers, named
//! as the routes are, answers are held against those, too.

use std::collections::BTreeMap;

use gizwits_simulator::{Act, ROUTES, Request, Simulator, Time};
use serde_json::{Map, Value, json};

use crate::support::*;

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "int",
        Value::String(_) => "text",
        Value::Array(_) => "list",
        Value::Object(_) => "object",
    }
}

/// What is wrong with a value, by its shape.
fn misfit(shapes: &Map<String, Value>, shape: &Value, value: &Value, at: &str) -> Option<String> {
    match (shape, value) {
        (Value::String(name), _) if name.starts_with('$') => {
            misfit(shapes, &shapes[name], value, at)
        }
        (Value::String(kinds), _) => {
            let is = kind(value);
            let fits = kinds
                .split('|')
                .any(|one| one == "any" || one == is || (one == "number" && is == "int"));
            (!fits).then(|| format!("{at} is {is}: {kinds} is expected"))
        }
        (Value::Array(item), Value::Array(values)) => values
            .iter()
            .enumerate()
            .find_map(|(index, value)| misfit(shapes, &item[0], value, &format!("{at}/{index}"))),
        (Value::Object(members), Value::Object(values)) => {
            let missing = members
                .keys()
                .find(|key| *key != "*" && !key.ends_with('?') && !values.contains_key(*key));
            if let Some(missing) = missing {
                return Some(format!("{at}/{missing} is missing"));
            }
            values.iter().find_map(|(key, value)| {
                let shape = members
                    .get(key)
                    .or_else(|| members.get(&format!("{key}?")))
                    .or_else(|| members.get("*"));
                match shape {
                    Some(shape) => misfit(shapes, shape, value, &format!("{at}/{key}")),
                    None => Some(format!("{at}/{key} is too much")),
                }
            })
        }
        _ => Some(format!("{at} is {}", kind(value))),
    }
}

/// An answer of every route, of a world in which there is something to say.
fn answers() -> BTreeMap<&'static str, Value> {
    let simulator = Simulator::builder()
        .time(Time::Manual { start: START })
        .build()
        .unwrap();
    let client = ac(&simulator);
    simulator
        .act(
            DID,
            &Act::Set(r#"{"alert_full":true,"fault_roomtemp":true}"#.to_owned()),
        )
        .unwrap();
    simulator
        .act(DID, &Act::Offline("offline_reset".to_owned()))
        .unwrap();
    simulator.act(DID, &Act::Online).unwrap();
    simulator.step(DAY).unwrap();
    let gid = client.send("POST", "device_groups", "{}")["gid"]
        .as_str()
        .unwrap()
        .to_owned();
    let held = r#"{"action":"assign","reassign":false,"macs":["5CCF7F0A1B2C"]}"#;
    client.send("PUT", &format!("device_groups/{gid}"), held);
    let mut all = BTreeMap::new();
    for route in ROUTES {
        let path = route.paths[0]
            .replace("{product_key}", AC)
            .replace("{did}", DID)
            .replace("{gid}", &gid);
        let query = match route.name {
            "get_v1_users_search" => format!("product_key={AC}"),
            "get_v1_products_product_key_devices" | "get_v1_products_product_key_device_detail" => {
                "mac=virtual%3Asite".to_owned()
            }
            "get_v1_products_product_key_devices_report_liveness_history"
            | "get_v1_products_product_key_users_report_new" => {
                "cycle=month&start=2017-12&end=2017-12".to_owned()
            }
            "get_v1_users_liveness_total" => {
                format!("product_secret={AC}&start_date=2017-12-30&end_date=2017-12-31")
            }
            "get_v1_users_location" => format!("product_secret={AC}"),
            _ => String::new(),
        };
        let body = match route.name {
            "post_v1_products_product_key_access_token" => credentials(AC_SECRET),
            "post_v1_products_product_key_devices_did_control" => {
                r#"{"attrs":{"switch":true}}"#.to_owned()
            }
            "post_v1_products_product_key_device_groups" => json!({"parent_gid": gid}).to_string(),
            "put_v1_products_product_key_device_groups_gid" => {
                r#"{"action":"assign","reassign":false,"macs":["virtual:site","unknown"]}"#
                    .to_owned()
            }
            name if name.ends_with("_bindings") => {
                json!({"uid": UID, "appid": APP, "dids": [DID, "unknown"]}).to_string()
            }
            _ => String::new(),
        };
        // The group that is deleted is another, and without devices.
        let path = match route.name {
            "delete_v1_products_product_key_device_groups_gid" => {
                let body = json!({"parent_gid": gid}).to_string();
                let new = client.send("POST", "device_groups", &body);
                path.replace(&gid, new["gid"].as_str().unwrap())
            }
            _ => path,
        };
        let request = Request::new(route.method, format!("{path}?{query}"))
            .token(&client.token)
            .header("X-Gizwits-Enterprise-ID", ENTERPRISE)
            .header("X-Gizwits-Enterprise-Secret", SECRET)
            .body(body);
        let answer = simulator.answer(&request);
        assert!(answer.status < 300, "{}: {}", route.name, answer.text());
        assert_eq!(answer.header("content-type"), Some("application/json"));
        all.insert(route.name, json(&answer));
    }
    all
}

fn shapes() -> Map<String, Value> {
    serde_json::from_str(include_str!("shapes.json")).unwrap()
}

#[test]
fn every_answer_has_its_shape() {
    let shapes = shapes();
    let answers = answers();
    assert_eq!(answers.len(), 33);
    for (name, answer) in &answers {
        let misfit = misfit(&shapes, &shapes[*name], answer, name);
        assert_eq!(misfit, None, "{answer:#}");
        // A list that is empty says nothing about its shape.
        for list in ["objects", "data", "macs", "success", "entities"] {
            if let Some(Value::Array(list)) = answer.get(list) {
                assert!(!list.is_empty(), "{name}");
            }
        }
        if let Some(Value::Object(places)) = answer.get("location") {
            assert!(!places.is_empty(), "{name}");
        }
    }
}

/// What an answer lacks or has too much, by an example: keys are compared, and kinds but for nulls.
fn differs(example: &Value, answer: &Value, at: &str) -> Option<String> {
    match (example, answer) {
        (Value::Null, _) | (_, Value::Null) => None,
        (Value::Array(examples), Value::Array(values)) => values.iter().find_map(|value| {
            // One of several kinds of entries.
            let fits = |example: &Value| differs(example, value, &format!("{at}/0"));
            let misfits: Vec<_> = examples.iter().map(fits).collect();
            match misfits.iter().any(Option::is_none) {
                true => None,
                false => misfits.into_iter().flatten().next(),
            }
        }),
        (Value::Object(examples), Value::Object(values)) => {
            let at_place = at.contains("location") || at.ends_with("device_groups");
            // Of a definition the example shows one point of one kind.
            let open = at_place
                || at.ends_with("/detail")
                || at.contains("/elements/")
                || at.contains("/attrs/0");
            let missing = examples
                .keys()
                .find(|key| !values.contains_key(*key) && !open);
            if let Some(key) = missing {
                return Some(format!("{at}/{key} is missing"));
            }
            values
                .iter()
                .find_map(|(key, value)| match examples.get(key) {
                    Some(example) => differs(example, value, &format!("{at}/{key}")),
                    None if open => None,
                    None => Some(format!("{at}/{key} is too much")),
                })
        }
        (example, value) => {
            let (one, other) = (kind(example), kind(value));
            let alike = one == other || (one, other) == ("number", "int");
            (!alike).then(|| format!("{at} is {other}, in the example {one}"))
        }
    }
}

#[test]
fn answers_are_like_the_examples() {
    let Ok(folder) = std::env::var("GIZWITS_EXAMPLES") else {
        return;
    };
    let mut held = 0;
    for (name, answer) in &answers() {
        let Ok(text) = std::fs::read_to_string(format!("{folder}/{name}.json")) else {
            continue;
        };
        let mut example: Value = serde_json::from_str(&text).unwrap();
        if let Some(end) = example
            .as_object_mut()
            .and_then(|object| object.remove("expired_at"))
        {
            example["expire_at"] = end;
        }
        assert_eq!(differs(&example, answer, name), None, "{answer:#}");
        held += 1;
    }
    assert_eq!(held, 30);
}
