//! The public part of the app API: the definition of a product, by its key alone.
//!
//! ```text
//! GET  /app/datapoint?product_key=KEY    the definition, without an account
//! ```
//! The header `X-Gizwits-Application-Id` is accepted and not required, as the vendor's servers do it.

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::Response;
use axum::routing::get;
use serde_json::json;

use super::response::{response, run};
use crate::api::{self, query_pairs};
use crate::simulator::Simulator;

pub(crate) fn router(simulator: Simulator) -> Router {
    Router::new()
        .route("/app/datapoint", get(datapoint))
        .with_state(simulator)
}

async fn datapoint(
    State(simulator): State<Simulator>,
    request: Request,
) -> Result<Response<Body>, Response<Body>> {
    let query = query_pairs(request.uri().query().unwrap_or_default()).unwrap_or_default();
    let key = query
        .into_iter()
        .find(|(name, value)| name == "product_key" && !value.is_empty());
    let Some((_, key)) = key else {
        return Err(refusal(9015, "form invalid!"));
    };
    match run(move || simulator.definition(&key)).await? {
        Some(json) => Ok(response(api::Response::json(200, json))),
        None => Err(refusal(9002, "product_key invalid!")),
    }
}

/// A refusal in the form of the app API.
fn refusal(code: u32, message: &str) -> Response<Body> {
    let body = json!({"error_code": code, "error_message": message, "detail_message": null});
    response(api::Response::json(400, body.to_string()))
}
