//! The OpenAPI document is the one that is committed, and lists every route once by its name.

use std::collections::BTreeSet;

use gizwits_simulator::{Auth, CODES, ROUTES, openapi};
use serde_json::Value;

#[test]
fn the_committed_document_is_the_one_served() {
    let committed = include_str!("../openapi.json");
    assert!(
        openapi() == committed,
        "simulator/openapi.json is not what the routes say; make it anew:\n\
         cargo run -p gizwits-simulator --example openapi >simulator/openapi.json"
    );
}

#[test]
fn every_route_is_an_operation() {
    let document: Value = serde_json::from_str(&openapi()).unwrap();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1."));
    let paths = document["paths"].as_object().unwrap();
    let operations: usize = paths
        .values()
        .map(|path| path.as_object().unwrap().len())
        .sum();
    assert_eq!((operations, ROUTES.len()), (33, 33));
    for route in ROUTES {
        let operation = &paths[route.paths[0]][route.method.to_lowercase()];
        assert_eq!(operation["operationId"], route.name);
        assert_eq!(operation["tags"], serde_json::json!([route.group]));
        // Aliases are answered and not listed.
        for alias in &route.paths[1..] {
            assert!(!paths.contains_key(*alias), "{alias}");
        }
        let named: BTreeSet<&str> = operation["parameters"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|parameter| parameter["in"] == "path")
            .filter_map(|parameter| parameter["name"].as_str())
            .collect();
        let template = route.paths[0].split('/').filter_map(|part| {
            let name = part.strip_prefix('{')?;
            name.strip_suffix('}')
        });
        assert_eq!(named, template.collect(), "{}", route.name);
        let security = operation["security"].as_array().map_or(0, Vec::len);
        assert_eq!(security == 0, route.auth == Auth::Body, "{}", route.name);
        assert!(operation["responses"][route.status.to_string()].is_object());
        // Each code that it may refuse with is in the answer of its status.
        for (code, status, message) in CODES {
            let refusals = &operation["responses"][status.to_string()]["description"];
            let told = refusals.as_str().unwrap_or("");
            let expected = route.codes().contains(code);
            assert_eq!(
                told.contains(&format!("{code} {message}")),
                expected,
                "{code}"
            );
        }
        let body = matches!(route.method, "POST" | "PUT") || route.name.contains("bindings");
        assert_eq!(operation["requestBody"].is_object(), body, "{}", route.name);
    }
}

/// All that `$ref` names, anywhere.
fn references<'v>(value: &'v Value, all: &mut BTreeSet<&'v str>) {
    match value {
        Value::Object(members) => {
            all.extend(members.get("$ref").and_then(Value::as_str));
            members.values().for_each(|one| references(one, all));
        }
        Value::Array(items) => items.iter().for_each(|one| references(one, all)),
        _ => {}
    }
}

#[test]
fn every_reference_leads_somewhere_and_nothing_is_left_over() {
    let document: Value = serde_json::from_str(&openapi()).unwrap();
    let mut wanted = BTreeSet::new();
    references(&document, &mut wanted);
    let mut kept = BTreeSet::new();
    for name in document["components"]["schemas"]
        .as_object()
        .unwrap()
        .keys()
    {
        kept.insert(format!("#/components/schemas/{name}"));
    }
    assert_eq!(wanted, kept.iter().map(String::as_str).collect());
}
