//! HTTP responses, and work on the thread pool for blocking work.

use std::fmt::Display;

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Response, StatusCode};
use axum::response::IntoResponse as _;
use serde::Serialize;
use serde_json::json;

use crate::api;
use crate::error::Error;

/// Marks a response that is not sent: the connection is closed instead.
#[derive(Clone, Copy)]
pub(crate) struct Dropped;

pub(crate) fn response(answer: api::Response) -> Response<Body> {
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() =
        StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in answer.headers {
        if let Ok(value) = HeaderValue::try_from(value) {
            let name = HeaderName::from_static(name);
            response.headers_mut().insert(name, value);
        }
    }
    if answer.dropped {
        response.extensions_mut().insert(Dropped);
    }
    response
}

/// A response with a value as JSON.
pub(crate) fn json_response(value: &impl Serialize) -> Response<Body> {
    match serde_json::to_vec(value) {
        Ok(body) => response(api::Response::json(200, body)),
        Err(error) => error_response(500, error),
    }
}

/// A response with an error as JSON.
pub(crate) fn error_response(status: u16, error: impl Display) -> Response<Body> {
    let body = json!({"error": error.to_string()});
    response(api::Response::json(status, body.to_string()))
}

/// A response with a file of a web page. `policy` is added to the content security policy, which allows files of this
/// server only.
pub(crate) fn file(name: &str, bytes: impl Into<Vec<u8>>, policy: &str) -> Response<Body> {
    let kind = match name.rsplit_once('.') {
        None | Some((_, "html")) => "text/html; charset=utf-8",
        Some((_, "js")) => "text/javascript; charset=utf-8",
        Some((_, "css")) => "text/css; charset=utf-8",
        Some((_, "svg")) => "image/svg+xml",
        Some((_, "png")) => "image/png",
        _ => "application/octet-stream",
    };
    let policy = format!(
        "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'{policy}"
    );
    let headers = [
        ("content-security-policy", &*policy),
        ("cross-origin-resource-policy", "same-origin"),
        ("referrer-policy", "same-origin"),
        ("cache-control", "no-cache"),
    ];
    (headers, response(api::Response::new(200, kind, bytes))).into_response()
}

/// Headers that keep a response out of caches and out of pages of other origins.
pub(crate) const PRIVATE: [(&str, &str); 2] = [
    ("cache-control", "no-store"),
    ("cross-origin-resource-policy", "same-origin"),
];

/// Runs work that uses the database on the thread pool for blocking work. An error becomes a response with status 400
/// or 500.
pub(crate) async fn run<T: Send + 'static, E: Into<Error>>(
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, Response<Body>> {
    match tokio::task::spawn_blocking(|| work().map_err(E::into)).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(Error::Invalid(error))) => Err(error_response(400, error)),
        Ok(Err(error)) => Err(error_response(500, error)),
        Err(_) => Err(error_response(500, "internal error: the handler panicked")),
    }
}
