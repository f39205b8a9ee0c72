//! A service that decodes the messages of devices and keeps their states, over HTTP. The states are kept
//! in a file from one run to the next: Ctrl-C ends the service and writes the file.
//!
//! ```console
//! $ cargo run -p gizwits-codec-std --example http_service -- tests/fixtures/voice-toy.json 127.0.0.1:8080 /tmp/states.txt
//! 0 devices, http://127.0.0.1:8080
//! 1 device saved
//! ```
//!
//! A message is a payload as text: hex, base64 or a list of bytes.
//!
//! ```console
//! $ curl http://127.0.0.1:8080/devices/toy-1/messages -d 142032
//! {"action":"report","attrs":{"volume_set":50}}
//! $ curl http://127.0.0.1:8080/devices/toy-1/messages -d 140801
//! {"action":"report","attrs":{"alert_tone_language":"english"}}
//! $ curl http://127.0.0.1:8080/devices/toy-1/messages -d 1420
//! {"error":{"kind":"incomplete","message":"the payload ends before `volume_set`: 1 byte missing, from byte 2 on","byte":2}}
//! $ curl http://127.0.0.1:8080/devices/toy-1
//! {"attrs":{"alert_tone_language":"english","volume_set":50},"never_seen":["switch","wakeup_word","charge_status","chat_mode","brightness","firmware"]}
//! $ curl http://127.0.0.1:8080/devices/toy-2
//! {"error":{"kind":"unknown_device","message":"no message of this device has been received"}}
//! ```

use std::collections::BTreeMap;
use std::error::Error;
use std::fs::{self, read_to_string};
use std::io::{ErrorKind, Write, stdout};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use gizwits_codec_std::{self as codec, Product, payload};
use serde_json::json;
use tokio::net::TcpListener;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [definition, address, states] = &arguments[..] else {
        return Err("usage: http_service DEFINITION ADDRESS STATES".into());
    };
    let end = async { tokio::signal::ctrl_c().await.unwrap_or_default() };
    run(definition, address, states, &mut stdout(), |_| end)
}

/// Serves until the future of `until` is ready. `until` gets the address, whose port may have been 0.
pub(crate) fn run<F: Future<Output = ()> + Send + 'static>(
    definition: &str,
    address: &str,
    states: &str,
    out: &mut dyn Write,
    until: impl FnOnce(String) -> F,
) -> Result<(), Box<dyn Error>> {
    let json = read_to_string(definition).map_err(|error| format!("{definition}: {error}"))?;
    let product = Product::from_json(&json)?;
    let service = Arc::new(Service {
        states: Mutex::new(read(&product, states)?),
        product,
    });
    let router = Router::new()
        .route("/devices/{did}/messages", post(message))
        .route("/devices/{did}", get(state))
        .with_state(Arc::clone(&service));
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().build()?.block_on(async {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?.to_string();
        writeln!(out, "{}, http://{address}", service.devices())?;
        out.flush()?;
        let serving = axum::serve(listener, router).with_graceful_shutdown(until(address));
        Ok::<_, Box<dyn Error>>(serving.await?)
    })?;
    service.save(states)?;
    Ok(writeln!(out, "{} saved", service.devices())?)
}

struct Service {
    product: Product,
    states: Mutex<States>,
}

/// The state of each device, by did.
type States = BTreeMap<String, codec::State>;

/// Decodes a message, updates the state of its device and answers with the message as JSON.
async fn message(
    State(service): State<Arc<Service>>,
    Path(did): Path<String>,
    text: String,
) -> impl IntoResponse {
    let decoded = payload::parse(&text, None).and_then(|bytes| {
        let decoded = service.product.decode(&bytes)?;
        service.with_states(|states| {
            let state = states.entry(did);
            let state = state.or_insert_with(|| service.product.state());
            // A control says what somebody wants, so it leaves the state as it is.
            service.product.merge(state, &decoded)
        })?;
        Ok(decoded.to_json())
    });
    match decoded {
        Ok(json) => answer(StatusCode::OK, json),
        Err(error) => answer(
            StatusCode::UNPROCESSABLE_ENTITY,
            json!({"error": error}).to_string(),
        ),
    }
}

/// Answers with the state of a device.
async fn state(State(service): State<Arc<Service>>, Path(did): Path<String>) -> impl IntoResponse {
    let state = service.with_states(|states| states.get(&did).map(codec::State::to_json));
    match state {
        Some(json) => answer(StatusCode::OK, json),
        None => {
            let message = "no message of this device has been received";
            let error = json!({"error": {"kind": "unknown_device", "message": message}});
            answer(StatusCode::NOT_FOUND, error.to_string())
        }
    }
}

fn answer(status: StatusCode, json: String) -> impl IntoResponse {
    (status, [(CONTENT_TYPE, "application/json")], json + "\n")
}

impl Service {
    /// Calls `with` with the states. A handler that panicked has left them sound.
    fn with_states<T>(&self, with: impl FnOnce(&mut States) -> T) -> T {
        with(&mut self.states.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn devices(&self) -> String {
        match self.with_states(|states| states.len()) {
            1 => "1 device".to_owned(),
            count => format!("{count} devices"),
        }
    }

    /// Writes a line for each device, its did and its snapshot. The new file replaces the old one once it is complete.
    fn save(&self, path: &str) -> std::io::Result<()> {
        let lines = self.with_states(|states| {
            let line = |(did, state): (&String, &codec::State)| {
                format!("{} {}\n", json!(did), state.snapshot())
            };
            states.iter().map(line).collect::<String>()
        });
        let part = format!("{path}.part");
        fs::write(&part, lines)?;
        fs::rename(part, path)
    }
}

/// Reads the states that an earlier run has saved.
fn read(product: &Product, path: &str) -> Result<States, Box<dyn Error>> {
    let text = match read_to_string(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(States::new()),
        text => text.map_err(|error| format!("{path}: {error}"))?,
    };
    let mut states = States::new();
    for line in text.lines() {
        let mut did = serde_json::Deserializer::from_str(line).into_iter::<String>();
        let name = did.next().ok_or("a line without a did")??;
        let snapshot = &line[did.byte_offset()..];
        let state = product.restore(snapshot);
        states.insert(
            name,
            state.map_err(|error| format!("{path}: {}", error.message))?,
        );
    }
    Ok(states)
}
