//! The online debugger: Swagger UI for the OpenAPI document. All files are part of this program.

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::http::Response;
use axum::response::Redirect;
use axum::routing::get;
use utoipa_swagger_ui::Config;

use super::response::{self, response};
use crate::api;
use crate::route::openapi;

pub(crate) fn router() -> Router {
    Router::new()
        .route("/openapi.json", get(document))
        .route(
            "/debugger",
            get(|| async { Redirect::permanent("/debugger/") }),
        )
        .route("/debugger/", get(|| file(Path("index.html".to_owned()))))
        .route("/debugger/{file}", get(file))
}

async fn document() -> Response<Body> {
    static DOCUMENT: LazyLock<String> = LazyLock::new(openapi);
    response(api::Response::json(200, DOCUMENT.as_bytes()))
}

async fn file(Path(name): Path<String>) -> Response<Body> {
    let own = match &*name {
        "index.html" => Some(include_str!("../../debugger/index.html")),
        "debugger.css" => Some(include_str!("../../debugger/debugger.css")),
        "debugger.js" => Some(include_str!("../../debugger/debugger.js")),
        _ => None,
    };
    let own = own.map(|text| text.as_bytes().to_vec());
    match own.or_else(|| swagger_ui(&name)) {
        Some(bytes) => response::file(&name, bytes, STYLE),
        None => response(api::Response::html(404, "Not Found")),
    }
}

/// Additions to the content security policy: Swagger UI uses inline styles, and `data:` images in its style sheet.
const STYLE: &str = "; style-src 'self' 'unsafe-inline'; img-src 'self' data:";

/// A file of Swagger UI.
fn swagger_ui(name: &str) -> Option<Vec<u8>> {
    let config = Arc::new(Config::from("/openapi.json"));
    let file = utoipa_swagger_ui::serve(name, config).ok()??;
    Some(file.bytes.into_owned())
}
