//! The routes as an OpenAPI document: made of the table of routes and of the types that their handlers
//! take and answer, so that it can't say anything else than what is served.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use utoipa::openapi::{OpenApi, Ref};

use super::description::Description;
use super::table::{Auth, ROUTES, Route};
use crate::api::{CODES, ErrorBody};

/// The API as an OpenAPI 3.1 document, in JSON; each operation has the name that the page lists it under.
#[must_use]
pub fn openapi() -> String {
    let json = document().and_then(|document| document.to_pretty_json());
    json.map_or_else(|_| String::new(), |json| json + "\n")
}

/// The document as utoipa's type, which writes its members in the order of the specification.
fn document() -> serde_json::Result<OpenApi> {
    let mut schemas = Vec::new();
    let mut paths: BTreeMap<&str, BTreeMap<String, Value>> = BTreeMap::new();
    let mut tags: Vec<&str> = Vec::new();
    for route in ROUTES {
        let mut description = Description::default();
        (route.describe)(&mut description);
        let path = route.paths.first().copied().unwrap_or("");
        let operation = operation(route, path, &description);
        let operations = paths.entry(path).or_default();
        operations.insert(route.method.to_lowercase(), operation);
        schemas.append(&mut description.schemas);
        tags.push(route.group);
    }
    tags.dedup();
    let mut errors = Description::default();
    errors.answer::<ErrorBody>();
    schemas.append(&mut errors.schemas);
    let mut document: OpenApi = serde_json::from_value(json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Gizwits Enterprise API, simulated",
            "description": ABOUT,
            "license": {"name": env!("CARGO_PKG_LICENSE")},
            "version": env!("CARGO_PKG_VERSION"),
        },
        "paths": paths,
        "components": {"securitySchemes": {
            "token": header("Authorization", "`token`, a space, and the token that access_token answers. \
                Here the word may be left out, and a token that was asked for on this page is filled in."),
            "enterprise_id": header("X-Gizwits-Enterprise-ID", "The enterprise's id"),
            "enterprise_secret": header("X-Gizwits-Enterprise-Secret", "The enterprise's secret"),
        }},
        "tags": tags.iter().map(|name| json!({"name": name})).collect::<Vec<_>>(),
    }))?;
    let components = document.components.get_or_insert_default();
    components.schemas.extend(schemas);
    Ok(document)
}

/// The scheme of a credential in a header.
fn header(name: &str, about: &str) -> Value {
    json!({"type": "apiKey", "in": "header", "name": name, "description": about})
}

const ABOUT: &str = "The 33 calls of the Gizwits (机智云) Enterprise API, answered by a simulator.\n\n\
    Begin with a token: call `access_token` with the enterprise's id and secret and the product's \
    secret. The calls on users alone take the enterprise's id and secret as headers instead.\n\n\
    A call that is refused has an `error_code`; the HTTP status alone does not say why. Its answer tells of the quota by \
    the same headers as any other. Pages in HTML come \
    from the gateway: 404 for a path that there isn't, 405 for its method, 408 and 413 for a body that is \
    too slow or too long, 502 if the API is away.\n\n\
    The examples use the default scenario.";

/// The parameters of paths: name, description, example.
const PATH_PARAMETERS: [(&str, &str, Option<&str>); 3] = [
    (
        "product_key",
        "The product's key",
        Some("a1b2c3d4e5f60718293a4b5c6d7e8f90"),
    ),
    ("did", "The device's did", Some("cBYkSjoE2xspYMhaUHdk5k")),
    ("gid", "The group's gid", None),
];

fn operation(route: &Route, path: &str, description: &Description) -> Value {
    let mut notes = Vec::new();
    if route.domestic {
        notes.push("Not for enterprises outside China.");
    }
    if route.unpublished {
        notes.push("Not for products that are published.");
    }
    let mut parameters = Vec::new();
    for (name, about, example) in PATH_PARAMETERS {
        if path.contains(&format!("{{{name}}}")) {
            parameters.push(json!({
                "name": name,
                "in": "path",
                "description": about,
                "required": true,
                "schema": {"type": "string", "minLength": 1},
                "example": example,
            }));
        }
    }
    parameters.extend(description.parameters.iter().map(|one| json!(one)));
    let mut responses = Map::new();
    let limit = |about: &str| json!({"schema": {"type": "integer"}, "description": about});
    let success = json!({
        "description": "Success",
        "headers": {
            "X-RateLimit-Limit": limit("How many calls an hour has"),
            "X-RateLimit-Remaining": limit("How many are left of it"),
            "X-RateLimit-Reset": limit("When it ends, in seconds since 1970"),
        },
        "content": {"application/json": {"schema": description.answer}},
    });
    responses.insert(route.status.to_string(), success);
    let mut refusals: BTreeMap<u16, Vec<String>> = BTreeMap::new();
    let own = route.codes();
    for (code, status, message) in CODES.iter().filter(|code| own.contains(&code.0)) {
        let codes = refusals.entry(*status).or_default();
        codes.push(format!("{code} {message}"));
    }
    for (status, codes) in refusals {
        let schema = Ref::from_schema_name(ErrorBody::name());
        let mut content = BTreeMap::from([("application/json", json!({"schema": schema}))]);
        if status == 404 {
            // A path that is none comes back from the gateway, as a page.
            content.insert("text/html", json!({}));
        }
        let description = format!("Refused: {}", codes.join("; "));
        let refusal = json!({"description": description, "content": content});
        responses.insert(status.to_string(), refusal);
    }
    json!({
        "tags": [route.group],
        "summary": route.summary,
        "description": (!notes.is_empty()).then(|| notes.join(" ")),
        "operationId": route.name,
        "parameters": parameters,
        "requestBody": description.body.as_ref().map(|schema| json!({
            "content": {"application/json": {"schema": schema}},
            "required": true,
        })),
        "responses": responses,
        "security": match route.auth {
            Auth::Body => json!(null),
            Auth::Token => json!([{"token": []}]),
            Auth::Enterprise => json!([{"enterprise_id": [], "enterprise_secret": []}, {"enterprise_id": []}]),
            Auth::EnterpriseAndSecret => json!([{"enterprise_id": [], "enterprise_secret": []}]),
        },
    })
}
