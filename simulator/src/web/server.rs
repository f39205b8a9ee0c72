//! The simulator on sockets: the API on one address, its administration on another, loopback alone.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::{Request as HttpRequest, Response};
use axum::{Extension, Router};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tower::ServiceExt as _;

use super::admin;
use super::caller::Peer;
use super::connection::{PatientWriter, Slot, Slots};
use super::debugger;
use super::device_page;
use super::response::{Dropped, response};
use crate::api::{Answer, Request};
use crate::error::Error;
use crate::simulator::Simulator;

/// The options of a [`Server`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// The address of the API. Default: a free port on loopback.
    pub listen: SocketAddr,
    /// The port of the administration on loopback. Default: 0, a free port.
    pub admin_port: u16,
    /// The maximum length of a body in bytes. Default: 1 MiB.
    pub body_limit: usize,
    /// The time that a caller may take for the head of a call, for its body, and to continue reading an
    /// answer. Default: 30 s each.
    pub patience: Duration,
    /// The maximum number of open connections, 1024 by default. A further connection closes the one that has
    /// been idle longest.
    pub connections: usize,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            admin_port: 0,
            body_limit: 1 << 20,
            patience: Duration::from_secs(30),
            connections: 1024,
        }
    }
}

/// A simulator that listens, on threads of its own, until it is stopped or dropped.
///
/// At `/` of the API's address is the device page, for a browser on this machine: the devices of a
/// product, and of each the last frame bit by bit, its attrs, a form to control it, a chart and its log,
/// live. It is a client of the API as others are; what only the simulator can tell it stands under
/// `/page/`, for loopback alone.
///
/// Beside the API there is an administration, on loopback alone, as JSON:
/// ```text
/// GET    /                     time, credentials, routes, modes
/// POST   /clock                {"step_ms": 1000} or {"set_ms": 1514692800000}
/// GET    /modes                the modes that are set
/// POST   /modes                {"route": "*", "mode": "slow", "millis": 500, "count": 3}
/// DELETE /modes                all of them
/// DELETE /modes/{id}           one
/// POST   /devices/{did}        {"act": "offline", "reason": "no_heartbeat"}, {"act": "online"},
///                              {"act": "set", "attrs": {…}} or {"act": "disable", "on": true};
///                              with "unchecked": true, "set" takes values outside their limits, as
///                              a broken sensor has them
/// GET    /devices/{did}/remarks   what the device said of values that it could not take, newest first
/// POST   /switches             {"switch": "published", "product_key": "…", "on": true}
/// ```
/// It is for programs: what a page in a browser sends is refused.
#[derive(Debug)]
pub struct Server {
    simulator: Simulator,
    address: SocketAddr,
    admin: SocketAddr,
    stop: watch::Sender<bool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Server {
    /// Listens.
    ///
    /// # Errors
    /// [`Error::Io`] if an address can't be had.
    pub fn start(simulator: Simulator, options: Options) -> Result<Self, Error> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_io()
            .enable_time()
            .thread_name("gizwits-simulator")
            .build()?;
        let entered = runtime.enter();
        let bind = |address: SocketAddr| {
            let listener = std::net::TcpListener::bind(address)?;
            listener.set_nonblocking(true)?;
            TcpListener::from_std(listener)
        };
        let listener = bind(options.listen)?;
        let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, options.admin_port));
        let admin_listener = bind(loopback)?;
        drop(entered);
        let (address, admin) = (listener.local_addr()?, admin_listener.local_addr()?);
        let (stop, stopped) = watch::channel(false);
        let world = simulator.clone();
        let run = async move {
            let listen = Listen {
                options,
                stopped: stopped.clone(),
            };
            let api = Router::new()
                .fallback(call)
                .with_state(world.clone())
                .merge(device_page::router(world.clone(), address, stopped.clone()))
                .merge(debugger::router());
            let api = listen.serve(listener, api);
            let admin = listen.serve(admin_listener, admin::router(world.clone()));
            let ticks = tick(world, stopped);
            tokio::join!(api, admin, ticks);
        };
        let thread = std::thread::Builder::new()
            .name("gizwits-simulator".to_owned())
            .spawn(move || {
                runtime.block_on(run);
                runtime.shutdown_timeout(Duration::from_secs(2));
            })?;
        Ok(Server {
            simulator,
            address,
            admin,
            stop,
            thread: Some(thread),
        })
    }

    /// The simulator behind it.
    #[must_use]
    pub fn simulator(&self) -> &Simulator {
        &self.simulator
    }

    /// The address of the API.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The base URL of the API: `http://127.0.0.1:53412`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The URL of the device page, which a browser on this machine can open: `http://127.0.0.1:53412/`.
    ///
    /// None if the API does not listen on loopback: the page shows secrets, and works there alone.
    #[must_use]
    pub fn page_url(&self) -> Option<String> {
        device_page::reached_by(self.address).map(|address| format!("http://{address}/"))
    }

    /// The base URL of the administration.
    #[must_use]
    pub fn admin_url(&self) -> String {
        format!("http://{}", self.admin)
    }

    /// Stops listening, lets the calls that are under way end, and waits for that.
    pub fn stop(self) {}

    /// Waits until somebody stops it.
    pub fn wait(mut self) {
        self.join();
    }

    fn join(&mut self) {
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.stop.send(true);
        self.join();
    }
}

/// Lets the world go on while nobody calls.
async fn tick(simulator: Simulator, mut stopped: watch::Receiver<bool>) {
    if !simulator.is_real() {
        return;
    }
    let mut interval = tokio::time::interval(Duration::from_millis(500));
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = stopped.changed() => return,
            _ = interval.tick() => {}
        }
        let simulator = simulator.clone();
        // What fails now is tried again with the next call, which then says so.
        let _ = tokio::task::spawn_blocking(move || simulator.tick()).await;
    }
}

#[derive(Clone)]
struct Listen {
    options: Options,
    stopped: watch::Receiver<bool>,
}

impl Listen {
    async fn serve(&self, listener: TcpListener, router: Router) {
        let mut stopped = self.stopped.clone();
        let slots = Slots::new(self.options.connections);
        let mut connections = tokio::task::JoinSet::new();
        loop {
            let accepted = tokio::select! {
                _ = stopped.changed() => break,
                accepted = listener.accept() => accepted,
            };
            while connections.try_join_next().is_some() {}
            let Ok((stream, peer)) = accepted else {
                // Too many open files, say: it gets better.
                tokio::time::sleep(Duration::from_millis(20)).await;
                continue;
            };
            let _ = stream.set_nodelay(true);
            let slot = tokio::select! {
                _ = stopped.changed() => break,
                slot = slots.take() => slot,
            };
            let (router, listen) = (router.clone(), self.clone());
            connections.spawn(listen.connection(stream, peer.ip(), router, slot));
        }
        drop(listener);
        let ends = async { while connections.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(Duration::from_secs(2), ends).await;
    }

    async fn connection(mut self, stream: TcpStream, peer: IpAddr, router: Router, mut slot: Slot) {
        let Options {
            patience,
            body_limit,
            ..
        } = self.options;
        let activity = Arc::clone(&slot.activity);
        let service = hyper::service::service_fn(move |request| {
            let (router, activity) = (router.clone(), Arc::clone(&activity));
            async move {
                let read = read(request, peer, body_limit, patience).await;
                let call = activity.call();
                let response = match read {
                    Ok(request) => match router.oneshot(request).await {
                        Ok(response) => response,
                        Err(never) => match never {},
                    },
                    Err(refused) => refused,
                };
                match response.extensions().get::<Dropped>() {
                    // Ends the connection without a word.
                    Some(Dropped) => Err(std::io::Error::other("dropped")),
                    // The call lasts until all of its answer is written.
                    None => Ok(response.map(|body| {
                        body.map_err(move |error| {
                            let _held = &call;
                            error
                        })
                    })),
                }
            }
        });
        let mut http = hyper::server::conn::http1::Builder::new();
        http.timer(TokioTimer::new())
            .header_read_timeout(patience)
            .max_buf_size(64 * 1024)
            .half_close(false);
        let (reader, writer) = stream.into_split();
        let writer = PatientWriter::new(writer, patience, Arc::clone(&slot.activity));
        let stream = TokioIo::new(tokio::io::join(reader, writer));
        let mut connection = std::pin::pin!(http.serve_connection(stream, service));
        tokio::select! {
            biased;
            _ = &mut connection => return,
            () = slot.evicted() => return,
            _ = self.stopped.changed() => {}
        }
        connection.as_mut().graceful_shutdown();
        let _ = connection.await;
    }
}

/// A call with its whole body, or what it is refused with.
async fn read(
    request: HttpRequest<hyper::body::Incoming>,
    peer: IpAddr,
    body_limit: usize,
    patience: Duration,
) -> Result<HttpRequest<Body>, Response<Body>> {
    let (mut parts, body) = request.into_parts();
    let limited = Limited::new(body, body_limit);
    let refused = |status, title| {
        let mut answer = Answer::html(status, title);
        answer.headers.push(("connection", "close".to_owned()));
        response(answer)
    };
    match tokio::time::timeout(patience, limited.collect()).await {
        Ok(Ok(body)) => {
            parts.extensions.insert(Peer(peer));
            Ok(HttpRequest::from_parts(parts, Body::from(body.to_bytes())))
        }
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            Err(refused(413, "Request Entity Too Large"))
        }
        Ok(Err(_)) => Err(refused(400, "Bad Request")),
        Err(_) => Err(refused(408, "Request Time-out")),
    }
}

async fn call(
    State(simulator): State<Simulator>,
    Extension(Peer(peer)): Extension<Peer>,
    request: HttpRequest<Body>,
) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map(|body| body.to_bytes());
    let headers = parts.headers.iter().map(|(name, value)| {
        let value = String::from_utf8_lossy(value.as_bytes());
        (name.as_str().to_owned(), value.into_owned())
    });
    let target = parts.uri.path_and_query();
    let request = Request {
        method: parts.method.as_str().to_owned(),
        target: target.map_or("", |target| target.as_str()).to_owned(),
        headers: headers.collect(),
        body: body.unwrap_or_default().to_vec(),
        peer,
    };
    let answered = tokio::task::spawn_blocking(move || simulator.answer(&request)).await;
    let answer = answered.unwrap_or_else(|_| Answer::html(500, "Internal Server Error"));
    tokio::time::sleep(answer.delay).await;
    response(answer)
}
