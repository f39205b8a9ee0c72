//! The online debugger: Swagger UI over the API's own document, all of it from this program.

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::http::Response;
use axum::response::Redirect;
use axum::routing::get;
use utoipa_swagger_ui::Config;

use super::server::response;
use crate::api::Answer;
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
    response(Answer::json(200, DOCUMENT.as_bytes()))
}

async fn file(Path(name): Path<String>) -> Response<Body> {
    let part = |kind, text: &'static str| Answer::page(kind, text, STYLE);
    response(match &*name {
        "index.html" => part(
            "text/html; charset=utf-8",
            include_str!("../../debugger/index.html"),
        ),
        "debugger.css" => part(
            "text/css; charset=utf-8",
            include_str!("../../debugger/debugger.css"),
        ),
        "debugger.js" => part(
            "text/javascript; charset=utf-8",
            include_str!("../../debugger/debugger.js"),
        ),
        name => {
            let kind = match name.rsplit_once('.') {
                Some((_, "js")) => "text/javascript; charset=utf-8",
                Some((_, "css")) => "text/css; charset=utf-8",
                Some((_, "png")) => "image/png",
                _ => "application/octet-stream",
            };
            match swagger_ui(name) {
                Some(bytes) => Answer::page(kind, bytes, STYLE),
                None => Answer::html(404, "Not Found"),
            }
        }
    })
}

/// Swagger UI styles its elements one by one, and has pictures in its style sheet.
const STYLE: &str = "; style-src 'self' 'unsafe-inline'; img-src 'self' data:";

/// A file of Swagger UI.
fn swagger_ui(name: &str) -> Option<Vec<u8>> {
    let config = Arc::new(Config::from("/openapi.json"));
    let file = utoipa_swagger_ui::serve(name, config).ok()??;
    Some(file.bytes.into_owned())
}
