//! Answers of the Enterprise API: the law of the client over whatever a server may answer.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use gizwits_codec_std as codec;
use gizwits_enterprise_client::endpoint::{self, Auth, Endpoint};
use gizwits_enterprise_client::http::{Request, Response, ResponseFuture, Transport};
use gizwits_enterprise_client::log::Position;
use gizwits_enterprise_client::{
    Clock, Date, Enterprise, Error, Month, Period, Product, Sleep, users,
};
use serde_json::json;

use crate::arbitrary::Draw;
use crate::vectors;

/// The secrets that the client has, each with the byte that stands for it in drawn answers.
const SECRETS: [(u8, &str); 3] = [
    (1, "tOkEn7d8e9f0a1b2c3d4"),
    (2, "eNtErPrIsE5a6b7c8d9e"),
    (3, "pRoDuCt0f1e2d3c4b5a6"),
];
const KEY: &str = "3f1c5b7a9d2e4860b1a3c5d7e9f00112";
const DID: &str = "aB3dE6gH9jK2mN5pQ8sT1v";
/// The most requests of one call: its own with all retries and paths, and those for tokens.
const MOST_REQUESTS: usize = 32;

type Sent = Pin<Box<dyn Future<Output = Result<String, Error>>>>;
type Call = Box<dyn Fn(Product) -> Sent + Send + Sync>;

/// Returns a call that tells its answer as `Debug` shows it.
macro_rules! call {
    ($endpoint:ident, |$product:ident| $call:expr) => {
        (
            endpoint::$endpoint,
            Box::new(move |$product: Product| {
                let call = $call;
                Box::pin(async move { Ok(format!("{:?}", call.send().await?)) }) as Sent
            }) as Call,
        )
    };
}

/// A call of every endpoint, in the order of [`endpoint::ALL`].
static CALLS: LazyLock<Vec<(Endpoint, Call)>> = LazyLock::new(|| {
    let day = || Date::new(2023, 12, 31).expect("a day");
    let months = || {
        let month: Month = "2023-12".parse().expect("a month");
        Period::Months(month, month)
    };
    vec![
        call!(ACCESS_TOKEN, |p| p.access_token()),
        call!(DATAPOINT, |p| p.datapoint()),
        call!(USERS, |p| p.users().registered()),
        call!(BOUND_USERS, |p| p
            .users()
            .bound()
            .by(users::UserKey::Did, DID)),
        call!(DEVICE_BY_MAC, |p| p.devices().by_mac("virtual:site")),
        call!(DEVICE_DETAIL, |p| p.devices().detail("virtual:site")),
        call!(DEVICES, |p| p.devices().search()),
        call!(CONTROL, |p| p.device(DID).control(json!({"switch": true}))),
        call!(ONLINE, |p| p.device(DID).online()),
        call!(CMD, |p| p.device(DID).cmd_log()),
        call!(DATA, |p| p.device(DID).data()),
        call!(GROUPS, |p| p.groups().tree()),
        call!(CREATE_GROUP, |p| p.groups().create()),
        call!(DELETE_GROUP, |p| p.group("g").delete()),
        call!(GROUP_MACS, |p| p.group("g").macs()),
        call!(CHANGE_GROUP, |p| p.group("g").assign(["virtual:site"])),
        call!(BIND, |p| p.bindings().bind("u", "a", [DID])),
        call!(UNBIND, |p| p.bindings().unbind("u", "a", [DID])),
        call!(ACTIVATION, |p| p.device_reports().activation()),
        call!(LOCATIONS, |p| p.device_reports().locations()),
        call!(SUMMARY, |p| p.device_reports().summary()),
        call!(NEW_DEVICES, |p| p.device_reports().new_devices()),
        call!(ACTIVE_DEVICES, |p| p.device_reports().active_devices()),
        call!(LIVENESS, |p| p.device_reports().liveness(months())),
        call!(REALTIME, |p| p.device_reports().realtime()),
        call!(FAULT_DEVICES, |p| p.device_reports().fault_devices()),
        call!(ALERT_DEVICES, |p| p.device_reports().alert_devices()),
        call!(FAULT_EVENTS, |p| p.device_reports().fault_events()),
        call!(ALERT_EVENTS, |p| p.device_reports().alert_events()),
        call!(NEW_USERS, |p| p.user_reports().new_users(months())),
        call!(USER_LIVENESS, |p| {
            p.user_reports()
                .liveness(day(), day())
                .with_product_secret()
        }),
        call!(USER_LOCATIONS, |p| p
            .user_reports()
            .locations()
            .with_product_secret()),
        call!(USER_TOTAL, |p| p.user_reports().total()),
    ]
});

/// The endpoints that the law calls, in the order of the byte that picks one.
#[must_use]
pub fn endpoints() -> Vec<Endpoint> {
    CALLS.iter().map(|(endpoint, _)| *endpoint).collect()
}

/// Whatever a server answers to a call of any endpoint: the call has an answer or an error after a limited number of
/// requests, and no error shows a secret of the client, not even if the server echoes all of them.
///
/// The first byte picks the endpoint, the second the status, the third the headers. The rest is the body, in which the
/// bytes 1, 2 and 3 stand for the secrets.
///
/// # Panics
/// If the law is broken.
pub fn api_json(bytes: &[u8]) {
    let mut draw = Draw::new(bytes);
    let (endpoint, call) = &CALLS[draw.below(CALLS.len() as u32) as usize];
    let status = draw.pick(&[200, 201, 400, 403, 404, 429, 502, 301, 204, 500]);
    let how = draw.below(256);
    let body = with_secrets(bytes.get(3..).unwrap_or_default());
    position(&body);
    let mut headers = Vec::new();
    for (bit, name) in [
        (1, "date"),
        (2, "retry-after"),
        (4, "content-type"),
        (8, "x-ratelimit-remaining"),
        (16, "x-ratelimit-reset"),
    ] {
        if how & bit != 0 {
            let value = draw.pick(&[
                "Tue, 02 Jan 2024 00:00:12 GMT",
                "0",
                "5",
                "99999999999999999999",
                "-1",
                "application/json",
                "text/html",
                SECRETS[0].1,
                "",
                "\u{fffd}",
            ]);
            headers.push((name.to_owned(), value.to_owned()));
        }
    }
    // The client has no token before the first answer, and many calls need none.
    let answers_tokens = how & 32 == 0 && *endpoint != endpoint::ACCESS_TOKEN;
    let has_token = answers_tokens && endpoint.auth == Auth::Token;
    let requests = Arc::new(AtomicUsize::new(0));
    let server = Server {
        answer: Response::new(status, headers, body),
        answers_tokens,
        requests: Arc::clone(&requests),
    };
    let client = Enterprise::builder()
        .id("enterprise-1")
        .secret(SECRETS[1].1)
        .base_url("https://api.example.com")
        .transport(server)
        .clock(Skipping::new())
        .build();
    let product = client.expect("a sound client").product(KEY, SECRETS[2].1);
    if how & 64 == 0 {
        product.set_definition(DEFINITION.clone());
    }
    if let Err(error) = RUNTIME.block_on(call(product)) {
        let shown = format!("{error} {error:?} {:?}", std::error::Error::source(&error));
        for (_, secret) in SECRETS.into_iter().skip(usize::from(!has_token)) {
            assert!(!shown.contains(secret), "{}: {shown}", endpoint.id);
        }
        assert!(
            shown.len() < 100_000,
            "{}: {} bytes",
            endpoint.id,
            shown.len()
        );
    }
    let requests = requests.load(Ordering::Relaxed);
    assert!(
        requests <= MOST_REQUESTS,
        "{}: {requests} requests",
        endpoint.id
    );
}

/// A stored position of a log is read or refused, and what was read is stored as the same position again.
fn position(body: &[u8]) {
    if let Ok(position) = serde_json::from_slice::<Position>(body) {
        let stored = serde_json::to_string(&position).expect("it was read");
        let again: Position = serde_json::from_str(&stored).expect("it was stored");
        assert_eq!(again, position, "{stored}");
    }
}

static DEFINITION: LazyLock<codec::Product> = LazyLock::new(|| vectors::product("air-conditioner"));

static RUNTIME: LazyLock<tokio::runtime::Runtime> = LazyLock::new(|| {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.expect("a runtime without timers")
});

/// Returns a body in which the secrets replace the bytes that stand for them.
fn with_secrets(bytes: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    for byte in bytes {
        match SECRETS.iter().find(|(mark, _)| mark == byte) {
            Some((_, secret)) => body.extend(secret.as_bytes()),
            None => body.push(*byte),
        }
    }
    body
}

/// A server with one answer to all requests, but for those of tokens.
struct Server {
    answer: Response,
    answers_tokens: bool,
    requests: Arc<AtomicUsize>,
}

impl Transport for Server {
    fn send(&self, request: Request) -> ResponseFuture<'_> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let is_token = request.path().ends_with("/access_token");
        let answer = match is_token && self.answers_tokens {
            true => {
                let token = json!({"token": SECRETS[0].1, "expire_at": 1_893_456_000});
                Response::new(201, [], token.to_string())
            }
            false => self.answer.clone(),
        };
        Box::pin(async { Ok(answer) })
    }
}

/// A clock that moves only when somebody waits.
struct Skipping(Arc<Mutex<SystemTime>>);

impl Skipping {
    fn new() -> Self {
        // 2024-01-02T00:00:00Z
        let start = UNIX_EPOCH + Duration::from_secs(1_704_153_600);
        Skipping(Arc::new(Mutex::new(start)))
    }
}

impl Clock for Skipping {
    fn now(&self) -> SystemTime {
        *self.0.lock().expect("nobody panics with the lock")
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        *self.0.lock().expect("nobody panics with the lock") += duration;
        Box::pin(async {})
    }
}
