//! The online debugger: Swagger UI over the API's own document, all of it from this program.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::http::Response;
use axum::response::Redirect;
use axum::routing::get;
use utoipa_swagger_ui::Config;

use crate::http::Answer;
use crate::openapi::openapi;
use crate::server::response;

pub(crate) fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
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
    response(Answer::json(200, openapi()))
}

async fn file(Path(name): Path<String>) -> Response<Body> {
    let mut answer = match &*name {
        "index.html" => page(
            "text/html; charset=utf-8",
            include_str!("../debugger/index.html"),
        ),
        "debugger.css" => page("text/css", include_str!("../debugger/debugger.css")),
        "debugger.js" => page("text/javascript", include_str!("../debugger/debugger.js")),
        name => match utoipa_swagger_ui::serve(name, Arc::new(Config::from("/openapi.json"))) {
            Ok(Some(file)) => {
                let mut answer = Answer::new(200, "", file.bytes);
                answer.headers = vec![("content-type", file.content_type)];
                answer
            }
            _ => return response(Answer::html(404, "Not Found")),
        },
    };
    // Swagger UI styles its elements one by one, and has pictures in its style sheet.
    let policy = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
        frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
    answer
        .headers
        .push(("content-security-policy", policy.to_owned()));
    answer
        .headers
        .push(("referrer-policy", "no-referrer".to_owned()));
    response(answer)
}

fn page(kind: &'static str, text: &'static str) -> Answer {
    Answer::new(200, kind, text)
}
