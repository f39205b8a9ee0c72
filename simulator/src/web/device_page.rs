//! The device page, which is a client of the API in a browser, and the endpoints for data that the API does not have.
//!
//! ```text
//! GET  /  /page.{css,js,svg}  /api.js …      the page and its scripts
//! GET  /page/products                       the products with their credentials
//! GET  /page/definition/{product}           the definition of a product, without a call of the quota
//! GET  /page/devices/{product}              100 devices of a product; ?after=DID&search=TEXT&state=STATE selects
//! GET  /page/events/{product}               server-sent events: the devices of a product as they change
//! GET  /page/events/{product}/{did}         server-sent events: a device with its frames, decoded
//! POST /page/decode/{product}               ["hex or base64", …]: decodes frames
//! ```
//! Paths under `/page/` show credentials, so they serve only a browser on this machine. Three things are checked: the
//! caller's address; `Host`, because an attacker's DNS name may point to this machine; and `Referer`, which must name
//! the same host. A proxy on this machine that forwards a remote browser is therefore refused even if it rewrites
//! `Host` and adds no header of its own: the `Referer` of that browser names another host.
//!
//! All programs on this machine are trusted, because a program can send any header. A user who forwards loopback ports
//! to others gives them access.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Request, State};
use axum::http::Response;
use axum::middleware::{self, Next};
use axum::response::IntoResponse as _;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::routing::{get, post};
use futures_util::stream::{self, StreamExt as _};
use serde::Deserialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::caller::Caller;
use super::device_list::{self, Filter};
use super::events::{self, Watcher};
use super::position::Position;
use super::response::{PRIVATE, error_response, file, json_response, response, run};
use crate::api;
use crate::error::Error;
use crate::simulator::Simulator;

/// The files of the page by their paths. The browser loads the modules that `page.js` imports.
const FILES: [(&str, &str); 24] = [
    ("/", include_str!("../../page/index.html")),
    ("/tokens.css", include_str!("../../page/tokens.css")),
    ("/page.css", include_str!("../../page/page.css")),
    ("/page.svg", include_str!("../../page/page.svg")),
    ("/page.js", include_str!("../../page/page.js")),
    ("/api.js", include_str!("../../page/api.js")),
    ("/attrs.js", include_str!("../../page/attrs.js")),
    ("/bits.js", include_str!("../../page/bits.js")),
    ("/chart.js", include_str!("../../page/chart.js")),
    ("/control.js", include_str!("../../page/control.js")),
    ("/crosshair.js", include_str!("../../page/crosshair.js")),
    ("/device.js", include_str!("../../page/device.js")),
    ("/dom.js", include_str!("../../page/dom.js")),
    ("/hex.js", include_str!("../../page/hex.js")),
    ("/list.js", include_str!("../../page/list.js")),
    ("/live.js", include_str!("../../page/live.js")),
    ("/log.js", include_str!("../../page/log.js")),
    ("/notice.js", include_str!("../../page/notice.js")),
    ("/plot.js", include_str!("../../page/plot.js")),
    ("/pointer.js", include_str!("../../page/pointer.js")),
    ("/points.js", include_str!("../../page/points.js")),
    ("/quota.js", include_str!("../../page/quota.js")),
    ("/time.js", include_str!("../../page/time.js")),
    ("/view.js", include_str!("../../page/view.js")),
];

/// The maximum number of event streams at a time.
const WATCHERS: usize = 64;
/// The maximum number of frames to decode in one request.
const FRAMES: usize = 1000;
/// The time to wait after a change, so that changes in quick succession are sent together.
const TOGETHER: Duration = Duration::from_millis(50);

#[derive(Clone)]
struct Page {
    simulator: Simulator,
    stopped: watch::Receiver<bool>,
    watchers: Arc<Semaphore>,
}

/// The loopback address of a server that listens on `listens`. None if it does not listen on loopback.
pub(crate) fn reached_by(mut listens: SocketAddr) -> Option<SocketAddr> {
    match listens.ip() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => listens.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => listens.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    Some(listens).filter(|address| address.ip().to_canonical().is_loopback())
}

pub(crate) fn router(
    simulator: Simulator,
    listens: SocketAddr,
    stopped: watch::Receiver<bool>,
) -> Router {
    let page = Page {
        simulator,
        stopped,
        watchers: Arc::new(Semaphore::new(WATCHERS)),
    };
    let own = Router::new()
        .route("/page/products", get(products))
        .route("/page/definition/{product}", get(definition))
        .route("/page/devices/{product}", get(devices))
        .route("/page/events/{product}", get(watch))
        .route("/page/events/{product}/{did}", get(watch))
        .route("/page/decode/{product}", post(decode))
        .layer(middleware::from_fn_with_state(listens, only_own_page))
        .with_state(page);
    FILES.into_iter().fold(own, |router, (path, text)| {
        router.route(path, get(move || async move { file(path, text, "") }))
    })
}

async fn only_own_page(
    State(listens): State<SocketAddr>,
    request: Request,
    next: Next,
) -> Response<Body> {
    let own = Caller::of(&request).is_some_and(|caller| caller.is_own_page());
    let refused = |how: String| {
        error_response(
            403,
            format!("the device page shows credentials, so it works on loopback only: {how}"),
        )
    };
    let response = match (own, reached_by(listens)) {
        (true, _) => next.run(request).await,
        (false, Some(address)) => refused(format!(
            "open http://{address}/ on the machine that runs the simulator; from another machine, run ssh -L \
             8080:{address} HOST and open http://127.0.0.1:8080/"
        )),
        (false, None) => refused(format!(
            "the simulator listens on {listens}; start it with --listen 127.0.0.1:0"
        )),
    };
    (PRIVATE, response).into_response()
}

/// A response, or the response for an error.
type PageResult = Result<Response<Body>, Response<Body>>;

/// Answers the products with the credentials that the page needs for the API.
async fn products(State(page): State<Page>) -> PageResult {
    let mut all = run(move || page.simulator.credentials()).await?;
    // A product may have 100,000 devices. The page asks for 100 at a time.
    all.iter_mut().for_each(|one| one.dids.clear());
    Ok(json_response(&all))
}

async fn definition(State(page): State<Page>, Path(product): Path<String>) -> PageResult {
    let find = move || {
        page.simulator.read(|store| {
            // A definition that the codec refuses has no points to name.
            store
                .product(&product)
                .map(gizwits_codec_std::Product::to_json)
        })
    };
    match run(move || Ok::<_, Error>(find())).await? {
        Some(json) => Ok(response(api::Response::json(200, json))),
        None => Err(error_response(404, "the product has no valid definition")),
    }
}

async fn devices(
    State(page): State<Page>,
    Path(product): Path<String>,
    request: Request,
) -> PageResult {
    let filter = Filter::parse(request.uri().query().unwrap_or_default());
    let simulator = page.simulator;
    let list = move || simulator.read(|store| device_list::list(store, &product, &filter));
    match run(list).await? {
        Some(list) => Ok(json_response(&list)),
        None => Err(error_response(404, "the product does not exist")),
    }
}

async fn decode(State(page): State<Page>, Path(product): Path<String>, body: Bytes) -> PageResult {
    let frames: Vec<String> = serde_json::from_slice(&body).map_err(|error| {
        error_response(
            400,
            format!("expected an array of frames as strings: {error}"),
        )
    })?;
    if frames.len() > FRAMES {
        let message = format!("expected at most {FRAMES} frames, got {}", frames.len());
        return Err(error_response(400, message));
    }
    let decoded = run(move || {
        let decoded = page.simulator.read(|store| {
            let decoded = |text: &String| events::decoded_text(store, &product, text);
            frames.iter().map(decoded).collect::<Vec<_>>()
        });
        Ok::<_, Error>(json_response(&decoded))
    });
    decoded.await
}

/// The position after which a stream continues. A browser that reconnects sends it in `Last-Event-ID`, and a page that
/// was hidden in the query.
fn last_event(request: &Request) -> Option<Position> {
    let last = request.headers().get("last-event-id");
    let last = last.and_then(|value| value.to_str().ok());
    Position::parse(last.or_else(|| after(request))?)
}

fn after(request: &Request) -> Option<&str> {
    request.uri().query()?.strip_prefix("after=")
}

/// The product to watch, or a single device of it.
#[derive(Deserialize)]
struct Watched {
    product: String,
    did: Option<String>,
}

async fn watch(
    State(page): State<Page>,
    Path(Watched { product, did }): Path<Watched>,
    request: Request,
) -> PageResult {
    let Ok(permit) = Arc::clone(&page.watchers).try_acquire_owned() else {
        let message =
            format!("{WATCHERS} pages are open, which is the limit: close a page and try again");
        return Err(error_response(503, message));
    };
    let Page {
        simulator,
        mut stopped,
        ..
    } = page;
    // Subscribed before the first read, so that no change in between is missed.
    let changes = simulator.changes();
    let world = simulator.clone();
    let after = last_event(&request);
    let begun =
        run(move || world.read(|store| Watcher::begin(store, &product, did.as_deref(), after)));
    let missing = || error_response(404, "the product or device does not exist");
    let (watcher, hello) = begun.await?.ok_or_else(missing)?;
    let begun = Instant::now();
    let feed = Feed {
        begun,
        ahead: ahead(&simulator, begun),
        simulator,
        watcher,
        changes,
        more: true,
        _permit: permit,
    };
    let first = [feed.clock(), hello];
    // The stream is polled only when the reader has taken the last event. Newer events wait in the database, so a slow
    // reader needs no buffer.
    let news = stream::unfold(feed, Feed::next).flat_map(stream::iter);
    let events = stream::iter(first).chain(news).map(Ok::<_, Infallible>);
    let events = events.take_until(async move { stopped.changed().await });
    Ok(Sse::new(events)
        .keep_alive(KeepAlive::default())
        .into_response())
}

/// The state of an event stream after its first events.
struct Feed {
    simulator: Simulator,
    watcher: Watcher,
    changes: watch::Receiver<()>,
    /// The time at which the stream began.
    begun: Instant,
    /// The result of [`ahead`] when the page last got the time.
    ahead: i64,
    /// Whether there may be more events to send without a further change.
    more: bool,
    _permit: OwnedSemaphorePermit,
}

impl Feed {
    /// Waits for a change of the world and returns the new events. None, which ends the stream, if the database fails.
    async fn next(mut self) -> Option<(Vec<Event>, Self)> {
        if !self.more {
            self.changes.changed().await.ok()?;
            tokio::time::sleep(TOGETHER).await;
            self.changes.mark_unchanged();
        }
        let looked = tokio::task::spawn_blocking(move || {
            let next = self.simulator.read(|store| self.watcher.next(store));
            next.map(|next| (next, self))
        });
        let ((mut news, more), mut feed) = looked.await.ok()?.ok()?;
        feed.more = more;
        let ahead = ahead(&feed.simulator, feed.begun);
        // The page counts seconds by itself, so it needs the time only after the clock was stepped.
        if (ahead - feed.ahead).abs() > 1000 {
            feed.ahead = ahead;
            news.insert(0, feed.clock());
        }
        Some((news, feed))
    }

    fn clock(&self) -> Event {
        events::clock(self.simulator.now(), self.simulator.is_real())
    }
}

/// The simulator's time less the time that passed since `begun`, in milliseconds. It is constant until the clock is
/// stepped.
fn ahead(simulator: &Simulator, begun: Instant) -> i64 {
    let passed = match simulator.is_real() {
        true => i64::try_from(begun.elapsed().as_millis()).unwrap_or(i64::MAX),
        false => 0,
    };
    simulator.now() - passed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::caller::is_loopback;

    #[test]
    fn by_which_address_the_page_is_reached() {
        for (listens, reached) in [
            ("127.0.0.1:1", Some("127.0.0.1:1")),
            ("127.0.0.2:1", Some("127.0.0.2:1")),
            ("[::1]:1", Some("[::1]:1")),
            ("0.0.0.0:1", Some("127.0.0.1:1")),
            ("[::]:1", Some("[::1]:1")),
            ("192.0.2.2:1", None),
            ("[2001:db8::1]:1", None),
        ] {
            let reached: Option<SocketAddr> = reached.map(|one| one.parse().expect(one));
            let listens: SocketAddr = listens.parse().expect(listens);
            assert_eq!(reached_by(listens), reached, "{listens}");
            assert!(reached.is_none_or(|one| is_loopback(&one.to_string())));
        }
    }
}
