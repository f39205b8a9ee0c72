//! The administration, as [`Server`](crate::Server) describes it.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Request, State};
use axum::http::Response;
use axum::middleware::{self, Next};
use axum::routing::{delete, get, post};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::caller::Caller;
use super::response::{error_response, json_response, keep_private, run};
use crate::api::Mode;
use crate::error::{Error, invalid};
use crate::route::ROUTES;
use crate::simulator::Simulator;
use crate::world::Act;

pub(crate) fn router(simulator: Simulator) -> Router {
    Router::new()
        .route("/", get(state))
        .route("/clock", post(clock))
        .route("/modes", get(modes).post(set_mode).delete(clear_modes))
        .route("/modes/{id}", delete(clear_mode))
        .route("/devices/{did}", post(act))
        .route("/devices/{did}/remarks", get(remarks))
        .route("/switches", post(switch))
        .layer(middleware::from_fn(only_programs))
        .with_state(simulator)
}

/// Refuses what a page in a browser sends, and lets none load an answer.
async fn only_programs(request: Request, next: Next) -> Response<Body> {
    let mut response = match Caller::of(&request).is_some_and(|caller| caller.is_no_page()) {
        true => next.run(request).await,
        false => error_response(
            403,
            "the administration is for programs on this machine: calls of pages in a browser, of \
             proxies, and to names other than localhost and 127.0.0.1 are refused",
        ),
    };
    keep_private(&mut response);
    response
}

/// Does something in the world, and answers what came of it.
async fn done<T: Serialize + Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Response<Body> {
    let status = |error: &Error| match error {
        Error::Invalid(_) => 400,
        _ => 500,
    };
    let done = run(work, status).await.map(|done| json_response(&done));
    done.unwrap_or_else(|refused| refused)
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(body).or_else(|error| invalid(error.to_string()))
}

async fn state(State(simulator): State<Simulator>) -> Response<Body> {
    done(move || {
        let routes = ROUTES
            .iter()
            .map(|route| json!({"name": route.name, "method": route.method, "paths": route.paths}));
        Ok(json!({
            "now_ms": simulator.now(),
            "credentials": simulator.credentials()?,
            "modes": simulator.modes()?,
            "routes": routes.collect::<Vec<Value>>(),
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
    done(move || {
        let now = match read(&body)? {
            Step::StepMs(millis) => simulator.step(millis)?,
            Step::SetMs(millis) => simulator.set_time(millis)?,
        };
        Ok(json!({"now_ms": now}))
    })
    .await
}

async fn modes(State(simulator): State<Simulator>) -> Response<Body> {
    done(move || simulator.modes()).await
}

#[derive(Deserialize)]
struct ModeBody {
    route: String,
    count: Option<u32>,
    #[serde(flatten)]
    mode: Mode,
}

async fn set_mode(State(simulator): State<Simulator>, body: Bytes) -> Response<Body> {
    done(move || {
        let ModeBody { route, count, mode } = read(&body)?;
        let id = simulator.set_mode(&route, &mode, count)?;
        Ok(json!({"id": id}))
    })
    .await
}

async fn clear_modes(State(simulator): State<Simulator>) -> Response<Body> {
    done(move || simulator.clear_modes(None).map(|()| json!({}))).await
}

async fn clear_mode(State(simulator): State<Simulator>, Path(id): Path<String>) -> Response<Body> {
    done(move || {
        let id = id.parse().or_else(|_| invalid("there is no such mode"))?;
        simulator.clear_modes(Some(id)).map(|()| json!({}))
    })
    .await
}

/// The body of an [`Act`].
#[derive(Deserialize)]
#[serde(tag = "act", rename_all = "snake_case", deny_unknown_fields)]
enum ActBody {
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

impl From<ActBody> for Act {
    fn from(body: ActBody) -> Self {
        let json = |attrs| Value::Object(attrs).to_string();
        match body {
            ActBody::Online => Act::Online,
            ActBody::Offline { reason } => Act::Offline(reason),
            ActBody::Set { attrs, unchecked } if unchecked => Act::SetUnchecked(json(attrs)),
            ActBody::Set { attrs, .. } => Act::Set(json(attrs)),
            ActBody::Disable { on } => Act::Disabled(on),
        }
    }
}

async fn act(
    State(simulator): State<Simulator>,
    Path(did): Path<String>,
    body: Bytes,
) -> Response<Body> {
    done(move || {
        let act: ActBody = read(&body)?;
        simulator.act(&did, &act.into()).map(|()| json!({}))
    })
    .await
}

async fn remarks(State(simulator): State<Simulator>, Path(did): Path<String>) -> Response<Body> {
    done(move || simulator.remarks(&did)).await
}

async fn switch(State(simulator): State<Simulator>, body: Bytes) -> Response<Body> {
    done(move || simulator.switch(&read(&body)?).map(|()| json!({}))).await
}
