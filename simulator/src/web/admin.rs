//! The administration. [`Server`](crate::Server) documents its endpoints.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Request, State};
use axum::http::Response;
use axum::middleware::{self, Next};
use axum::response::IntoResponse as _;
use axum::routing::{self, MethodFilter, MethodRouter};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::caller::Caller;
use super::response::{PRIVATE, error_response, json_response, response, run};
use crate::api::{self, Mode, Nothing};
use crate::error::{Error, invalid};
use crate::route::ROUTES;
use crate::simulator::Simulator;
use crate::world::Act;

pub(crate) fn router(simulator: Simulator) -> Router {
    const GET: MethodFilter = MethodFilter::GET;
    const POST: MethodFilter = MethodFilter::POST;
    const DELETE: MethodFilter = MethodFilter::DELETE;
    let modes = on(GET, |world, _, _| world.modes())
        .merge(on(POST, set_mode))
        .merge(on(DELETE, |world, _, _| done(world.clear_modes(None))));
    let remarks = on(GET, |world, did, _| world.remarks(did));
    let switches = on(POST, |world, _, body| done(world.switch(&read(body)?)));
    Router::new()
        .route("/", on(GET, state))
        .route("/help", routing::get(help))
        .route("/clock", on(POST, clock))
        .route("/modes", modes)
        .route("/modes/{id}", on(DELETE, clear_mode))
        .route("/devices/{did}", on(POST, act))
        .route("/devices/{did}/remarks", remarks)
        .route("/switches", switches)
        .layer(middleware::from_fn(only_programs))
        .with_state(simulator)
}

/// Refuses requests of pages in a browser, and keeps answers from other origins.
async fn only_programs(request: Request, next: Next) -> Response<Body> {
    let response = match Caller::of(&request).is_some_and(|caller| caller.is_no_page()) {
        true => next.run(request).await,
        false => error_response(
            403,
            "the administration answers only programs on this machine that call localhost or a loopback \
             address; it refuses calls from web pages and through proxies",
        ),
    };
    (PRIVATE, response).into_response()
}

/// The calls of the administration, as text for people.
async fn help() -> Response<Body> {
    let text = include_str!("admin.txt");
    response(api::Response::new(200, "text/plain; charset=utf-8", text))
}

/// Routes a method to an operation. The operation gets the world, the path's parameter and the body; its result is
/// answered as JSON.
fn on<T: Serialize + Send + 'static>(
    method: MethodFilter,
    operation: fn(&Simulator, &str, &[u8]) -> Result<T, Error>,
) -> MethodRouter<Simulator> {
    routing::on(
        method,
        move |State(world): State<Simulator>, parameter: Option<Path<String>>, body: Bytes| {
            let parameter = parameter.map_or_else(String::new, |Path(parameter)| parameter);
            let work = move || operation(&world, &parameter, &body);
            async move { run(work).await.map(|done| json_response(&done)) }
        },
    )
}

/// The empty JSON object, as the answer to an operation without a result.
fn done(result: Result<(), Error>) -> Result<Nothing, Error> {
    result.map(|()| Nothing {})
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(body).or_else(|error| invalid(error.to_string()))
}

fn state(world: &Simulator, _: &str, _: &[u8]) -> Result<Value, Error> {
    let routes = ROUTES
        .iter()
        .map(|route| json!({"name": route.name, "method": route.method, "paths": route.paths}));
    Ok(json!({
        "now_ms": world.now(),
        "credentials": world.credentials()?,
        "modes": world.modes()?,
        "routes": routes.collect::<Vec<Value>>(),
    }))
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Step {
    StepMs(i64),
    SetMs(i64),
}

fn clock(world: &Simulator, _: &str, body: &[u8]) -> Result<Value, Error> {
    let now = match read(body)? {
        Step::StepMs(millis) => world.step(millis)?,
        Step::SetMs(millis) => world.set_time(millis)?,
    };
    Ok(json!({"now_ms": now}))
}

#[derive(Deserialize)]
struct ModeBody {
    route: String,
    count: Option<u32>,
    #[serde(flatten)]
    mode: Mode,
}

fn set_mode(world: &Simulator, _: &str, body: &[u8]) -> Result<Value, Error> {
    let ModeBody { route, count, mode } = read(body)?;
    let id = world.set_mode(&route, &mode, count)?;
    Ok(json!({"id": id}))
}

fn clear_mode(world: &Simulator, id: &str, _: &[u8]) -> Result<Nothing, Error> {
    let id = id
        .parse()
        .or_else(|_| invalid(format!("there is no mode `{id}`")))?;
    done(world.clear_modes(Some(id)))
}

/// The JSON form of an [`Act`].
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

fn act(world: &Simulator, did: &str, body: &[u8]) -> Result<Nothing, Error> {
    let act: ActBody = read(body)?;
    done(world.act(did, &act.into()))
}
