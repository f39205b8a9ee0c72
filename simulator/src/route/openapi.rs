//! The OpenAPI document. It is generated from the table of routes and the types of their handlers, so it can't differ
//! from the routes that are served.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use utoipa::openapi::{OpenApi, Ref};

use super::description::Description;
use super::table::{Auth, ROUTES, Route};
use crate::api::{CODES, ErrorBody};

/// Returns the API as an OpenAPI 3.1 document in JSON. The id of an operation is the [`name`](Route::name) of its
/// route.
///
/// # Examples
/// ```
/// assert!(gizwits_simulator::openapi().contains("post_v1_products_product_key_access_token"));
/// ```
#[must_use]
pub fn openapi() -> String {
    let json = document().and_then(|document| document.to_pretty_json());
    json.map_or_else(|_| String::new(), |json| json + "\n")
}

/// Builds the document. utoipa's types write its members in the order of the specification.
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
            "token": header("Authorization", ABOUT_TOKEN),
            "enterprise_id": header("X-Gizwits-Enterprise-ID", "The id of the enterprise"),
            "enterprise_secret": header("X-Gizwits-Enterprise-Secret", "The secret of the enterprise"),
        }},
        "tags": tags.iter().map(|name| json!({"name": name})).collect::<Vec<_>>(),
    }))?;
    let components = document.components.get_or_insert_default();
    components.schemas.extend(schemas);
    Ok(document)
}

const ABOUT_TOKEN: &str = "The word `token`, a space, and a token from access_token. On this page you may leave out \
    the word, and a new token is filled in for you.";

/// The security scheme of a credential in a header.
fn header(name: &str, about: &str) -> Value {
    json!({"type": "apiKey", "in": "header", "name": name, "description": about})
}

const ABOUT: &str = "A simulation of the Gizwits (机智云) Enterprise API with its 33 calls.\n\n\
    Get a token first: call `access_token` with the id and secret of the enterprise and the secret of the product. \
    Calls under `/v1/users/` take the id and secret of the enterprise in headers instead.\n\n\
    The answer to a refused call has an `error_code`, because one HTTP status stands for several errors. It has the \
    same rate limit headers as other answers. HTML answers come from the gateway: 404 for an unknown path, 405 for a \
    wrong method, 408 and 413 for a body that is too slow or too long, 502 if the API is down.\n\n\
    The examples use the default scenario.";

/// The parameters of paths: name, description, example.
const PATH_PARAMETERS: [(&str, &str, Option<&str>); 3] = [
    (
        "product_key",
        "The product key",
        Some("a1b2c3d4e5f60718293a4b5c6d7e8f90"),
    ),
    (
        "did",
        "The did of the device",
        Some("cBYkSjoE2xspYMhaUHdk5k"),
    ),
    ("gid", "The gid of the group", None),
];

fn operation(route: &Route, path: &str, description: &Description) -> Value {
    let mut notes = Vec::new();
    if route.domestic {
        notes.push("For enterprises in China only.");
    }
    if route.unpublished {
        notes.push("Closed for published products.");
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
            "X-RateLimit-Limit": limit("The number of calls allowed per hour"),
            "X-RateLimit-Remaining": limit("The number of calls left in this hour"),
            "X-RateLimit-Reset": limit("The end of this hour, in seconds since 1970"),
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
            // The gateway answers an unknown path with an HTML page.
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
            Auth::Enterprise => json!([
                {"enterprise_id": [], "enterprise_secret": []},
                {"enterprise_id": []},
            ]),
            Auth::EnterpriseAndSecret => json!([{"enterprise_id": [], "enterprise_secret": []}]),
        },
    })
}
