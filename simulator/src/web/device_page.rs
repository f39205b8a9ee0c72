//! The device page, a client of the API in a browser, and the endpoints for what the API can't give it.
//!
//! ```text
//! GET  /  /page.{css,js,svg}  /api.js …      the page, and the modules of its script
//! GET  /page/products                       the products, with credentials to call the API with
//! GET  /page/devices/{product}              its devices: 100, or those behind ?after=DID
//! GET  /page/events/{product}               its devices as they change: server-sent events
//! GET  /page/events/{product}/{did}         one device with its frames, decoded
//! POST /page/decode/{product}               ["hex or base64", …]: frames, decoded
//! ```
//! Paths under `/page/` show secrets, so they serve a browser on this machine alone: by the address
//! it calls from, by the name it calls (another name is one that somebody made to lead here), and by
//! `Referer` only for a page that came from under that name. So what a proxy on this machine passes on for
//! a browser elsewhere is refused, also if it writes `Host` anew and says nothing of whom it speaks for.
//!
//! Trusted is every program on this machine, and whatever one of them passes on as its own call: no header
//! tells a lie from the truth. Who lets others call loopback through this machine shows them the world.

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
use super::events::{self, Position, Watcher};
use super::response::{PRIVATE, error_response, file, json_response, run};
use crate::api::decode as decode_query;
use crate::error::Error;
use crate::simulator::Simulator;

/// The files of the page by their paths: the browser loads the modules of `page.js` by itself.
const FILES: [(&str, &str); 18] = [
    ("/", include_str!("../../page/index.html")),
    ("/page.css", include_str!("../../page/page.css")),
    ("/page.svg", include_str!("../../page/page.svg")),
    ("/page.js", include_str!("../../page/page.js")),
    ("/api.js", include_str!("../../page/api.js")),
    ("/bits.js", include_str!("../../page/bits.js")),
    ("/chart.js", include_str!("../../page/chart.js")),
    ("/control.js", include_str!("../../page/control.js")),
    ("/device.js", include_str!("../../page/device.js")),
    ("/dom.js", include_str!("../../page/dom.js")),
    ("/list.js", include_str!("../../page/list.js")),
    ("/live.js", include_str!("../../page/live.js")),
    ("/log.js", include_str!("../../page/log.js")),
    ("/notice.js", include_str!("../../page/notice.js")),
    ("/plot.js", include_str!("../../page/plot.js")),
    ("/points.js", include_str!("../../page/points.js")),
    ("/time.js", include_str!("../../page/time.js")),
    ("/view.js", include_str!("../../page/view.js")),
];

/// The maximum number of watchers.
const WATCHERS: usize = 64;
/// The maximum number of frames in one call.
const FRAMES: usize = 1000;
/// The time within which changes are sent together.
const TOGETHER: Duration = Duration::from_millis(50);

#[derive(Clone)]
struct Page {
    simulator: Simulator,
    stopped: watch::Receiver<bool>,
    watchers: Arc<Semaphore>,
}

/// The loopback address that a browser on this machine reaches the page by.
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
    let refused = |works: String| {
        let error = format!("the device page shows secrets, so it works {works}");
        error_response(403, error)
    };
    let response = match (own, reached_by(listens)) {
        (true, _) => next.run(request).await,
        (false, Some(address)) => refused(format!(
            "only on the machine that the simulator runs on, under the address that gizwits simulate \
             prints; from elsewhere, reach it through a tunnel: ssh -L 8080:{address} HOST, then open \
             http://127.0.0.1:8080/"
        )),
        (false, None) => refused(format!(
            "on loopback alone, and the simulator listens on {listens}: start it with --listen \
             127.0.0.1:0"
        )),
    };
    (PRIVATE, response).into_response()
}

/// A response, or that of an error.
type PageResult = Result<Response<Body>, Response<Body>>;

/// Answers what a page needs to call the API.
async fn products(State(page): State<Page>) -> PageResult {
    let mut all = run(move || page.simulator.credentials()).await?;
    // A page asks for the devices by itself, some at a time.
    all.iter_mut().for_each(|one| one.dids.clear());
    Ok(json_response(&all))
}

async fn devices(
    State(page): State<Page>,
    Path(product): Path<String>,
    request: Request,
) -> PageResult {
    let after = after(&request).and_then(|did| decode_query(did, true));
    let simulator = page.simulator;
    let list = move || simulator.read(|store| events::list(store, &product, after.as_deref()));
    match run(list).await? {
        Some(list) => Ok(json_response(&list)),
        None => Err(error_response(404, "there is no such product")),
    }
}

async fn decode(State(page): State<Page>, Path(product): Path<String>, body: Bytes) -> PageResult {
    let frames: Vec<String> = serde_json::from_slice(&body)
        .map_err(|error| error_response(400, format!("a list of frames, as text: {error}")))?;
    if frames.len() > FRAMES {
        let message = format!("{} frames: {FRAMES} at most", frames.len());
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

/// Goes on behind what the browser says that it has heard: by itself when it connects again, or in the
/// query of a page that comes back.
fn last_event(request: &Request) -> Option<Position> {
    let last = request.headers().get("last-event-id");
    let last = last.and_then(|value| value.to_str().ok());
    Position::parse(last.or_else(|| after(request))?)
}

fn after(request: &Request) -> Option<&str> {
    request.uri().query()?.strip_prefix("after=")
}

/// The product that a page watches, or the one of its devices.
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
        let message = format!("{WATCHERS} pages watch already: close some");
        return Err(error_response(503, message));
    };
    let Page {
        simulator,
        mut stopped,
        ..
    } = page;
    // Before the first look, so that nothing falls between.
    let changes = simulator.changes();
    let world = simulator.clone();
    let after = last_event(&request);
    let begun =
        run(move || world.read(|store| Watcher::begin(store, &product, did.as_deref(), after)));
    let missing = || error_response(404, "there is no such product or device");
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
    // A slow reader is waited for; what happens meanwhile stays in the database.
    let news = stream::unfold(feed, Feed::next).flat_map(stream::iter);
    let events = stream::iter(first).chain(news).map(Ok::<_, Infallible>);
    let events = events.take_until(async move { stopped.changed().await });
    Ok(Sse::new(events)
        .keep_alive(KeepAlive::default())
        .into_response())
}

/// What a page that watches gets after its first events.
struct Feed {
    simulator: Simulator,
    watcher: Watcher,
    changes: watch::Receiver<()>,
    /// When the page began to watch.
    begun: Instant,
    /// How far the simulator's clock was ahead of `begun`, as the page was last told.
    ahead: i64,
    /// Whether there may be more to send already.
    more: bool,
    _permit: OwnedSemaphorePermit,
}

impl Feed {
    /// Waits until the world may have changed, and returns what is new; none if the database fails.
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
        // Somebody stepped the clock: the page counts the seconds by itself.
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

/// How far the simulator's clock is ahead of one that began at 0, in milliseconds: it changes only if
/// somebody steps the clock.
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
