//! The HTTP server: the API and its pages on one address, the administration on another.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::{Request as HttpRequest, Response};
use axum::{Extension, Router};
use futures_util::FutureExt as _;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tower::ServiceExt as _;

use super::admin;
use super::app;
use super::caller::Peer;
use super::connection::{LimitedWriter, Slot, Slots};
use super::debugger;
use super::device_page;
use super::response::{Dropped, response};
use crate::api::{self, Request};
use crate::error::Error;
use crate::lan::{LanAddress, LanOptions, Network};
use crate::simulator::Simulator;

/// The options of a [`Server`].
///
/// # Examples
/// ```
/// use gizwits_simulator::Options;
///
/// let mut options = Options::default();
/// options.body_limit = 64 * 1024;
/// assert!(options.listen.ip().is_loopback());
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// The address of the API. Default: a free port on loopback.
    pub listen: SocketAddr,
    /// The port of the administration on loopback. Default: 0, a free port.
    pub admin_port: u16,
    /// The maximum length of a request body in bytes. A longer body is answered with 413. Default: 1 MiB.
    pub body_limit: usize,
    /// The time limit for the head of a request, for its body, for a pause while an answer is read, and for the wait of a
    /// new connection while all connections are busy. Default: 30 s each.
    pub io_timeout: Duration,
    /// The maximum number of open connections, for the API and for the administration each. A further connection
    /// closes the connection that has been idle longest. If none becomes idle in time, the further connection is answered
    /// with 503. Default: 1024.
    pub connections: usize,
    /// The devices on the local network. Default: none, so that only the API reaches the devices.
    pub lan: Option<LanOptions>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            admin_port: 0,
            body_limit: 1 << 20,
            io_timeout: Duration::from_secs(30),
            connections: 1024,
            lan: None,
        }
    }
}

/// A simulator that is served over HTTP, on its own threads, until it is stopped or dropped.
///
/// The address of the API also has two pages for a browser: `/` is the device page, and `/debugger/` sends any
/// call. The device page shows the devices of a product and, for each device, the last frame bit by bit, its attrs,
/// a form to control it, a chart and a log, all updated live. The device page works on this machine only, because
/// it shows credentials.
///
/// # Examples
/// ```
/// use gizwits_simulator::{Options, Server, Simulator};
///
/// let simulator = Simulator::builder().build()?;
/// let server = Server::start(simulator, Options::default())?;
/// assert!(server.url().starts_with("http://127.0.0.1:"));
/// server.stop();
/// # Ok::<(), gizwits_simulator::Error>(())
/// ```
///
/// # Administration
/// The administration has an address of its own, on loopback only. Requests and answers are JSON; `/help` is this
/// text:
/// ```text
#[doc = include_str!("admin.txt")]
/// ```
/// The bodies are the JSON forms of [`Act`](crate::Act), [`Switch`](crate::Switch) and [`Mode`](crate::Mode). Requests
/// that come from a web page are refused.
#[derive(Debug)]
pub struct Server {
    simulator: Simulator,
    address: SocketAddr,
    admin: SocketAddr,
    lan: Vec<LanAddress>,
    stop: watch::Sender<bool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Server {
    /// Starts to listen and returns at once.
    ///
    /// # Errors
    /// [`Error::Listen`] if an address is in use or not available, [`Error::Io`] if the threads can't be started.
    pub fn start(simulator: Simulator, options: Options) -> Result<Self, Error> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_io()
            .enable_time()
            .thread_name("gizwits-simulator")
            .build()?;
        let entered = runtime.enter();
        let bind = |address: SocketAddr, service| {
            let bound = std::net::TcpListener::bind(address).and_then(|listener| {
                listener.set_nonblocking(true)?;
                TcpListener::from_std(listener)
            });
            bound.map_err(|error| Error::Listen {
                address,
                service,
                error,
            })
        };
        let listener = bind(options.listen, "the API")?;
        let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, options.admin_port));
        let admin_listener = bind(loopback, "the administration")?;
        let network = match &options.lan {
            Some(lan) => Some(Network::bind(&simulator, lan)?),
            None => None,
        };
        drop(entered);
        let (address, admin) = (listener.local_addr()?, admin_listener.local_addr()?);
        let lan = network
            .as_ref()
            .map_or(&[][..], Network::addresses)
            .to_vec();
        let (stop, stopped) = watch::channel(false);
        let world = simulator.clone();
        let run = async move {
            let api = Router::new()
                .fallback(call)
                .with_state(world.clone())
                .merge(device_page::router(world.clone(), address, stopped.clone()))
                .merge(app::router(world.clone()))
                .merge(debugger::router());
            let listen = Listen { options, stopped };
            let api = listen.serve(listener, api);
            let admin = listen.serve(admin_listener, admin::router(world.clone()));
            tokio::select! {
                _ = async { tokio::join!(api, admin) } => {}
                () = tick(world.clone()) => {}
                () = devices(network, world) => {}
            }
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
            lan,
            stop,
            thread: Some(thread),
        })
    }

    /// Returns the simulator that is served.
    #[must_use]
    pub fn simulator(&self) -> &Simulator {
        &self.simulator
    }

    /// Returns the address of the API.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the base URL of the API, such as `http://127.0.0.1:53412`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the URL of the device page for a browser on this machine, such as `http://127.0.0.1:53412/`.
    ///
    /// `None` if the API does not listen on loopback: the page shows credentials and works on loopback only.
    #[must_use]
    pub fn page_url(&self) -> Option<String> {
        device_page::reached_by(self.address).map(|address| format!("http://{address}/"))
    }

    /// Returns the base URL of the administration.
    #[must_use]
    pub fn admin_url(&self) -> String {
        format!("http://{}", self.admin)
    }

    /// Returns the addresses of the devices on the local network, in the order of the scenario. Empty without
    /// [`Options::lan`].
    #[must_use]
    pub fn lan(&self) -> &[LanAddress] {
        &self.lan
    }

    /// Stops listening, and waits up to two seconds for calls that are under way. Dropping a server does the same.
    pub fn stop(self) {}

    /// Blocks while the server runs. The server does not end by itself, so this blocks until the process ends.
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

/// Carries out events that become due while nobody calls.
async fn tick(simulator: Simulator) {
    if !simulator.is_real() {
        std::future::pending().await
    }
    let mut interval = tokio::time::interval(Duration::from_millis(500));
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        let simulator = simulator.clone();
        // A database error shows again with the next call, which reports it.
        let _ = tokio::task::spawn_blocking(move || simulator.tick()).await;
    }
}

/// Serves the devices on the local network, if there is one.
async fn devices(network: Option<Network>, simulator: Simulator) {
    match network {
        Some(network) => network.serve(simulator).await,
        None => std::future::pending().await,
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
        // A connection that came while the one before it waited in vain. It has waited too, so it gets no more time.
        let mut backlog = None;
        loop {
            let (accepted, wait) = match backlog.take() {
                Some(accepted) => (accepted, Duration::ZERO),
                None => tokio::select! {
                    _ = stopped.changed() => break,
                    accepted = listener.accept() => (accepted, self.options.io_timeout),
                },
            };
            while connections.try_join_next().is_some() {}
            let Ok((stream, peer)) = accepted else {
                // For example too many open files. Wait, because another accept would fail at once.
                tokio::time::sleep(Duration::from_millis(20)).await;
                continue;
            };
            let _ = stream.set_nodelay(true);
            let slot = tokio::select! {
                _ = stopped.changed() => break,
                slot = tokio::time::timeout(wait, slots.take()) => slot,
            };
            let Ok(slot) = slot else {
                // Before the refusal is sent: a connection that is opened after a refusal is no part of the backlog.
                backlog = tokio::task::unconstrained(listener.accept()).now_or_never();
                if connections.len() < self.options.connections.saturating_add(REFUSALS) {
                    connections.spawn(refuse(stream));
                }
                continue;
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
            io_timeout,
            body_limit,
            ..
        } = self.options;
        let activity = Arc::clone(&slot.activity);
        let service = hyper::service::service_fn(move |request| {
            let (router, activity) = (router.clone(), Arc::clone(&activity));
            async move {
                let read = read(request, peer, body_limit, io_timeout).await;
                let call = activity.call();
                let response = match read {
                    Ok(request) => match router.oneshot(request).await {
                        Ok(response) => response,
                        Err(never) => match never {},
                    },
                    Err(refused) => refused,
                };
                match response.extensions().get::<Dropped>() {
                    // An error makes hyper close the connection without an answer.
                    Some(Dropped) => Err(std::io::Error::other("dropped")),
                    // The body owns the guard, so the call lasts until the answer is written.
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
            .header_read_timeout(io_timeout)
            .max_buf_size(64 * 1024)
            .half_close(false);
        let (reader, writer) = stream.into_split();
        let writer = LimitedWriter::new(writer, io_timeout, Arc::clone(&slot.activity));
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

/// The maximum number of connections that are being refused at a time. Further connections are closed.
const REFUSALS: usize = 64;

/// Answers a connection that gets no slot.
async fn refuse(mut stream: TcpStream) {
    let body = "all connections of the simulator are busy: try again later\n";
    let answer = format!(
        "HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\nretry-after: 1\r\n\
         content-type: text/plain; charset=utf-8\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let refused = async {
        stream.write_all(answer.as_bytes()).await?;
        stream.shutdown().await?;
        // The request is read, because closing a socket with unread bytes would reset the connection, and the answer could
        // be lost.
        tokio::io::copy(&mut (&mut stream).take(64 * 1024), &mut tokio::io::sink()).await
    };
    let _ = tokio::time::timeout(Duration::from_secs(1), refused).await;
}

/// Reads the body of a request. Returns the answer to send if the body is too long or too slow.
async fn read(
    request: HttpRequest<hyper::body::Incoming>,
    peer: IpAddr,
    body_limit: usize,
    io_timeout: Duration,
) -> Result<HttpRequest<Body>, Response<Body>> {
    let (mut parts, body) = request.into_parts();
    let limited = Limited::new(body, body_limit);
    let refused = |status, title| {
        let mut answer = api::Response::html(status, title);
        answer.headers.push(("connection", "close".to_owned()));
        response(answer)
    };
    match tokio::time::timeout(io_timeout, limited.collect()).await {
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
    let answer = answered.unwrap_or_else(|_| api::Response::html(500, "Internal Server Error"));
    tokio::time::sleep(answer.delay).await;
    response(answer)
}
