//! The routes as an OpenAPI document: made of the table of routes and of the types that their handlers
//! take and answer, so that it can't say anything else than what is served.

use std::collections::BTreeMap;

use utoipa::ToSchema;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{Operation, OperationBuilder, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityRequirement, SecurityScheme};
use utoipa::openapi::tag::Tag;
use utoipa::openapi::{
    Components, Content, HttpMethod, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder,
    PathItem, PathsBuilder, Ref, Required, Response, ResponseBuilder,
};

use super::description::Description;
use super::table::{Auth, ROUTES, Route};
use crate::api::{CODES, ErrorBody};

const TOKEN: &str = "token";
const ENTERPRISE_ID: &str = "enterprise_id";
const ENTERPRISE_SECRET: &str = "enterprise_secret";

/// The API as an OpenAPI 3.1 document, in JSON; each operation has the name that the page lists it under.
#[must_use]
pub fn openapi() -> String {
    let json = document().to_pretty_json();
    json.map_or_else(|_| String::new(), |json| json + "\n")
}

fn document() -> OpenApi {
    let mut components = Components::new();
    let mut paths = PathsBuilder::new();
    let mut tags: Vec<Tag> = Vec::new();
    for route in ROUTES {
        let mut description = Description::default();
        (route.describe)(&mut description);
        let schemas = std::mem::take(&mut description.schemas);
        components.schemas.extend(schemas);
        let method = match route.method {
            "POST" => HttpMethod::Post,
            "PUT" => HttpMethod::Put,
            "DELETE" => HttpMethod::Delete,
            _ => HttpMethod::Get,
        };
        let path = route.paths.first().copied().unwrap_or("");
        let operation = operation(route, path, description);
        paths = paths.path(path, PathItem::new(method, operation));
        if tags.last().is_none_or(|tag| tag.name != route.group) {
            tags.push(Tag::new(route.group));
        }
    }
    let mut errors = Description::default();
    errors.answer::<ErrorBody>();
    components.schemas.extend(errors.schemas);
    for (name, header, about) in [
        (
            TOKEN,
            "Authorization",
            "`token`, a space, and the token that access_token answers. Here the word may be left \
             out, and a token that was asked for on this page is filled in.",
        ),
        (
            ENTERPRISE_ID,
            "X-Gizwits-Enterprise-ID",
            "The enterprise's id",
        ),
        (
            ENTERPRISE_SECRET,
            "X-Gizwits-Enterprise-Secret",
            "The enterprise's secret",
        ),
    ] {
        let key = ApiKey::Header(ApiKeyValue::with_description(header, about));
        components.add_security_scheme(name, SecurityScheme::ApiKey(key));
    }
    let license = LicenseBuilder::new().name(env!("CARGO_PKG_LICENSE"));
    let info = InfoBuilder::new()
        .title("Gizwits Enterprise API, simulated")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(ABOUT))
        .license(Some(license.build()));
    OpenApiBuilder::new()
        .info(info.build())
        .paths(paths.build())
        .components(Some(components))
        .tags(Some(tags))
        .build()
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

fn operation(route: &Route, path: &str, description: Description) -> Operation {
    let mut operation = OperationBuilder::new()
        .operation_id(Some(route.name))
        .summary(Some(route.summary))
        .tag(route.group);
    let mut notes = Vec::new();
    if route.domestic {
        notes.push("Not for enterprises outside China.");
    }
    if route.unpublished {
        notes.push("Not for products that are published.");
    }
    if !notes.is_empty() {
        operation = operation.description(Some(notes.join(" ")));
    }
    for (name, about, example) in PATH_PARAMETERS {
        if !path.contains(&format!("{{{name}}}")) {
            continue;
        }
        let text = ObjectBuilder::new()
            .schema_type(Type::String)
            .min_length(Some(1));
        let parameter = ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Path)
            .required(Required::True)
            .description(Some(about))
            .example(example.map(Into::into))
            .schema(Some(text));
        operation = operation.parameter(parameter);
    }
    for parameter in description.parameters {
        operation = operation.parameter(parameter);
    }
    if let Some(body) = description.body {
        let body = RequestBodyBuilder::new()
            .required(Some(Required::True))
            .content("application/json", Content::new(Some(body)));
        operation = operation.request_body(Some(body.build()));
    }
    let security: &[&[&str]] = match route.auth {
        Auth::Body => &[],
        Auth::Token => &[&[TOKEN]],
        Auth::Enterprise => &[&[ENTERPRISE_ID, ENTERPRISE_SECRET], &[ENTERPRISE_ID]],
        Auth::EnterpriseAndSecret => &[&[ENTERPRISE_ID, ENTERPRISE_SECRET]],
    };
    for schemes in security {
        let all = schemes
            .iter()
            .fold(SecurityRequirement::default(), |all, one| {
                all.add(*one, Vec::<String>::new())
            });
        operation = operation.security(all);
    }
    let success = limits(ResponseBuilder::new())
        .description("Success")
        .content("application/json", Content::new(description.answer));
    operation = operation.response(route.status.to_string(), success);
    let mut refusals: BTreeMap<u16, Vec<String>> = BTreeMap::new();
    let own = route.codes();
    for (code, status, message) in CODES.iter().filter(|code| own.contains(&code.0)) {
        let codes = refusals.entry(*status).or_default();
        codes.push(format!("{code} {message}"));
    }
    for (status, codes) in refusals {
        operation = operation.response(status.to_string(), refusal(status, &codes.join("; ")));
    }
    operation.build()
}

/// The response of a refused call.
fn refusal(status: u16, codes: &str) -> Response {
    let body = Content::new(Some(Ref::from_schema_name(ErrorBody::name())));
    let refusal = ResponseBuilder::new()
        .description(format!("Refused: {codes}"))
        .content("application/json", body);
    match status {
        // A path that is none comes back from the gateway, as a page.
        404 => refusal
            .content("text/html", Content::new(None::<Ref>))
            .build(),
        _ => refusal.build(),
    }
}

/// Adds the headers that tell of the quota.
fn limits(response: ResponseBuilder) -> ResponseBuilder {
    let number = |about: &str| {
        HeaderBuilder::new()
            .schema(Some(ObjectBuilder::new().schema_type(Type::Integer)))
            .description(Some(about))
            .build()
    };
    response
        .header("X-RateLimit-Limit", number("How many calls an hour has"))
        .header("X-RateLimit-Remaining", number("How many are left of it"))
        .header(
            "X-RateLimit-Reset",
            number("When it ends, in seconds since 1970"),
        )
}
