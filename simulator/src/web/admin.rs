//! The administration, as [`Server`](crate::Server) describes it.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Request, State};
use axum::http::{HeaderValue, Response};
use axum::middleware::{self, Next};
use axum::routing::{delete, get, post};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::caller::Caller;
use super::server::response;
use crate::api::Answer;
use crate::api::Mode;
use crate::error::Error;
use crate::route::ROUTES;
use crate::simulator::Simulator;
use crate::world::{Act, Switch};

pub(crate) fn router(simulator: Simulator) -> Router {
    Router::new()
        .route("/", get(state))
        .route("/clock", post(clock))
        .route("/modes", get(modes).post(set_mode).delete(clear_modes))
        .route("/modes/{id}", delete(clear_mode))
        .route("/devices/{did}", post(act))
        .route("/devices/{did}/remarks", get(remarks))
        .route("/switches", post(switch))
        .layer(middleware::from_fn(local))
        .with_state(simulator)
}

/// Refuses what a page in a browser sends, and lets none load an answer.
async fn local(request: Request, next: Next) -> Response<Body> {
    let mut response = match Caller::of(&request).is_some_and(|caller| caller.is_no_page()) {
        true => next.run(request).await,
        false => {
            let body = json!({
                "error": "the administration is for programs on this machine: calls of pages in a \
                          browser, of proxies, and to names other than localhost and 127.0.0.1 are \
                          refused"
            });
            response(Answer::json(403, body.to_string()))
        }
    };
    for (name, value) in [
        ("cache-control", "no-store"),
        ("cross-origin-resource-policy", "same-origin"),
    ] {
        let value = HeaderValue::from_static(value);
        response.headers_mut().insert(name, value);
    }
    response
}

/// Does something in the world, off the threads of the sockets.
async fn run<T: Serialize + Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Response<Body> {
    let done = tokio::task::spawn_blocking(work).await;
    let (status, body) = match done {
        Ok(Ok(done)) => return response(Answer::of(&done)),
        Ok(Err(error)) => {
            let status = if matches!(error, Error::Invalid(_)) {
                400
            } else {
                500
            };
            (status, json!({"error": error.to_string()}).to_string())
        }
        Err(_) => (500, json!({"error": "a handler failed"}).to_string()),
    };
    response(Answer::json(status, body))
}

fn read<T: for<'de> Deserialize<'de>>(body: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(body).map_err(|error| Error::Invalid(error.to_string()))
}

async fn state(State(simulator): State<Simulator>) -> Response<Body> {
    run(move || {
        let routes: Vec<Value> = ROUTES
            .iter()
            .map(|route| json!({"name": route.name, "method": route.method, "paths": route.paths}))
            .collect();
        Ok(json!({
            "now_ms": simulator.now(),
            "credentials": simulator.credentials()?,
            "modes": simulator.modes()?,
            "routes": routes,
        }))
    })
    .await
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Step {
    StepMs(i64),
    SetMs(i64),
}

async fn clock(State(simulator): State<Simulator>, body: Bytes) -> Response<Body> {
    run(move || {
        let now = match read(&body)? {
            Step::StepMs(millis) => simulator.step(millis)?,
            Step::SetMs(millis) => simulator.set_time(millis)?,
        };
        Ok(json!({"now_ms": now}))
    })
    .await
}

async fn modes(State(simulator): State<Simulator>) -> Response<Body> {
    run(move || simulator.modes()).await
}

async fn set_mode(State(simulator): State<Simulator>, body: Bytes) -> Response<Body> {
    run(move || {
        let mut object: Map<String, Value> = read(&body)?;
        let route = match object.remove("route") {
            Some(Value::String(route)) => route,
            _ => return Err(Error::Invalid("route is a route's name, or *".to_owned())),
        };
        let count = match object.remove("count") {
            None | Some(Value::Null) => None,
            Some(count) => match count.as_u64().and_then(|count| u32::try_from(count).ok()) {
                Some(count) => Some(count),
                None => return Err(Error::Invalid("count is a whole number".to_owned())),
            },
        };
        let mode: Mode = serde_json::from_value(Value::Object(object))
            .map_err(|error| Error::Invalid(error.to_string()))?;
        let id = simulator.set_mode(&route, &mode, count)?;
        Ok(json!({"id": id}))
    })
    .await
}

async fn clear_modes(State(simulator): State<Simulator>) -> Response<Body> {
    run(move || simulator.clear_modes(None).map(|()| json!({}))).await
}

async fn clear_mode(State(simulator): State<Simulator>, Path(id): Path<String>) -> Response<Body> {
    run(move || {
        let Ok(id) = id.parse() else {
            return Err(Error::Invalid("there is no such mode".to_owned()));
        };
        simulator.clear_modes(Some(id)).map(|()| json!({}))
    })
    .await
}

#[derive(Deserialize)]
#[serde(tag = "act", rename_all = "snake_case", deny_unknown_fields)]
enum Told {
    Online,
    Offline {
        reason: String,
    },
    Set {
        attrs: Map<String, Value>,
        #[serde(default)]
        unchecked: bool,
    },
    Disable {
        on: bool,
    },
}

async fn act(
    State(simulator): State<Simulator>,
    Path(did): Path<String>,
    body: Bytes,
) -> Response<Body> {
    run(move || {
        let act = match read(&body)? {
            Told::Online => Act::Online,
            Told::Offline { reason } => Act::Offline(reason),
            Told::Set { attrs, unchecked } => {
                let json = Value::Object(attrs).to_string();
                match unchecked {
                    true => Act::SetUnchecked(json),
                    false => Act::Set(json),
                }
            }
            Told::Disable { on } => Act::Disabled(on),
        };
        simulator.act(&did, &act).map(|()| json!({}))
    })
    .await
}

async fn remarks(State(simulator): State<Simulator>, Path(did): Path<String>) -> Response<Body> {
    run(move || simulator.remarks(&did)).await
}

async fn switch(State(simulator): State<Simulator>, body: Bytes) -> Response<Body> {
    run(move || {
        let switch: Switch = read(&body)?;
        simulator.switch(&switch).map(|()| json!({}))
    })
    .await
}
