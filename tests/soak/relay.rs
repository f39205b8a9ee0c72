//! A TCP relay between a client and a server that makes the faults of real networks.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::Notify;

/// A fault of one exchange, which is a request and its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The answer comes 50 to 400 ms late.
    Latency,
    /// The answer comes in pieces of up to 400 bytes, each up to 20 ms late.
    Jitter,
    /// The answer comes with 1 KB/s.
    Slow,
    /// The connection stays open, and no byte of the answer comes.
    Stall,
    /// The answer ends after the first half of its first piece.
    Truncated,
    /// The connection is reset after the server has received the request.
    Reset,
    /// The connection is reset, and the server never receives the request.
    LostRequest,
    /// The sending half of the connection is closed in place of the answer. The receiving half stays open.
    HalfClosed,
    /// Random bytes come in place of the answer.
    Garbage,
    /// The connection is reset before the request is passed on, and connections are refused for 300 ms.
    Refused,
}

impl Fault {
    /// All faults, in the order of their numbers.
    pub(crate) const ALL: [Fault; 10] = [
        Fault::Latency,
        Fault::Jitter,
        Fault::Slow,
        Fault::Stall,
        Fault::Truncated,
        Fault::Reset,
        Fault::LostRequest,
        Fault::HalfClosed,
        Fault::Garbage,
        Fault::Refused,
    ];

    /// The name of the fault in tables and results.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Fault::Latency => "latency",
            Fault::Jitter => "jitter",
            Fault::Slow => "slow",
            Fault::Stall => "stall",
            Fault::Truncated => "truncated",
            Fault::Reset => "reset",
            Fault::LostRequest => "lost request",
            Fault::HalfClosed => "half closed",
            Fault::Garbage => "garbage",
            Fault::Refused => "refused",
        }
    }
}

/// The rule that decides about the fault of an exchange, by the number of the exchange from 0.
pub(crate) type Rule = dyn Fn(u64) -> Option<Fault> + Send + Sync;

/// Returns a rule that gives each exchange a random fault with a probability in thousandths. The fault of an exchange
/// depends on the seed and the number of the exchange alone.
pub(crate) fn seeded(seed: u64, per_mille: u32) -> impl Fn(u64) -> Option<Fault> + Send + Sync {
    move |number| {
        let mut random =
            fastrand::Rng::with_seed(seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let is_faulty = random.u32(0..1000) < per_mille;
        is_faulty.then(|| Fault::ALL[random.usize(0..Fault::ALL.len())])
    }
}

/// The number of pieces of a long answer after which the next fault is drawn.
const PIECES: u64 = 16;
/// The time for which connections are refused.
const REFUSAL: Duration = Duration::from_millis(300);

struct Shared {
    server: SocketAddr,
    rule: Box<Rule>,
    is_faulty: AtomicBool,
    exchanges: AtomicU64,
    counts: [AtomicU64; Fault::ALL.len()],
    refuse: Notify,
}

/// The relay. It has a runtime of its own, which ends when the relay is dropped.
pub(crate) struct Relay {
    address: SocketAddr,
    shared: Arc<Shared>,
    runtime: Option<Runtime>,
}

impl Relay {
    /// Starts a relay to a server. `rule` decides about the fault of each exchange.
    pub(crate) fn start(
        server: SocketAddr,
        rule: impl Fn(u64) -> Option<Fault> + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("relay")
            .enable_all()
            .build()?;
        // No connection of this machine begins at this address. So the port is still free after a refusal.
        let any = SocketAddr::from((Ipv4Addr::new(127, 0, 0, 3), 0));
        let entered = runtime.enter();
        let listener = listen(any)?;
        drop(entered);
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            server,
            rule: Box::new(rule),
            is_faulty: AtomicBool::new(true),
            exchanges: AtomicU64::new(0),
            counts: Default::default(),
            refuse: Notify::new(),
        });
        runtime.spawn(accept(listener, Arc::clone(&shared)));
        Ok(Relay {
            address,
            shared,
            runtime: Some(runtime),
        })
    }

    /// The address that clients connect to.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Switches faults on or off. They are on at first.
    pub(crate) fn set_faulty(&self, faulty: bool) {
        self.shared.is_faulty.store(faulty, Ordering::Relaxed);
    }

    /// The number of faults of a kind so far.
    pub(crate) fn count(&self, fault: Fault) -> u64 {
        self.shared.counts[fault as usize].load(Ordering::Relaxed)
    }

    /// The number of tasks: one that accepts, and one for each connection.
    pub(crate) fn tasks(&self) -> usize {
        let runtime = self.runtime.as_ref();
        runtime.map_or(0, |runtime| runtime.metrics().num_alive_tasks())
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Relays may be dropped in async code, which must not wait for a runtime.
            runtime.shutdown_background();
        }
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(1024)
}

async fn accept(mut listener: TcpListener, shared: Arc<Shared>) {
    let Ok(address) = listener.local_addr() else {
        return;
    };
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((client, _)) = accepted {
                    tokio::spawn(relay(client, Arc::clone(&shared)));
                }
            }
            () = shared.refuse.notified() => {
                drop(listener);
                tokio::time::sleep(REFUSAL).await;
                listener = loop {
                    match listen(address) {
                        Ok(listener) => break listener,
                        Err(_) => tokio::time::sleep(REFUSAL).await,
                    }
                };
            }
        }
    }
}

impl Shared {
    /// The fault of the next exchange, and the source of its delays and lengths.
    fn draw(&self) -> Option<(Fault, fastrand::Rng)> {
        let number = self.exchanges.fetch_add(1, Ordering::Relaxed);
        let fault = (self.rule)(number).filter(|_| self.is_faulty.load(Ordering::Relaxed))?;
        self.counts[fault as usize].fetch_add(1, Ordering::Relaxed);
        Some((fault, fastrand::Rng::with_seed(number)))
    }
}

async fn relay(client: TcpStream, shared: Arc<Shared>) {
    // Both streams are closed by the time that the task ends. An error is a connection that its peer has closed.
    let _ = pass(client, &shared).await;
}

/// Passes bytes in both directions until one side closes, or a fault ends the connection.
async fn pass(mut client: TcpStream, shared: &Shared) -> io::Result<()> {
    let mut server = TcpStream::connect(shared.server).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (mut request, mut answer) = (vec![0; 16 * 1024], vec![0; 16 * 1024]);
    let mut fault = None;
    // The pieces of the answer so far. None before the first request.
    let mut pieces: Option<u64> = None;
    loop {
        tokio::select! {
            read = client.read(&mut request) => {
                let count = read?;
                if count == 0 {
                    return Ok(());
                }
                if pieces != Some(0) {
                    fault = shared.draw();
                    pieces = Some(0);
                }
                match fault.as_ref().map(|(fault, _)| *fault) {
                    Some(Fault::Refused) => {
                        shared.refuse.notify_one();
                        return client.set_zero_linger();
                    }
                    Some(Fault::LostRequest) => return client.set_zero_linger(),
                    _ => server.write_all(&request[..count]).await?,
                }
            }
            read = server.read(&mut answer) => {
                let count = read?;
                if count == 0 {
                    return client.shutdown().await;
                }
                let sent = pieces.unwrap_or(0);
                pieces = Some(sent + 1);
                let is_first = sent.is_multiple_of(PIECES);
                if is_first && sent > 0 {
                    fault = shared.draw();
                }
                let bytes = &answer[..count];
                let Some((fault, random)) = &mut fault else {
                    client.write_all(bytes).await?;
                    continue;
                };
                if !spoil(&mut client, bytes, *fault, random, is_first, sent > 0).await? {
                    if *fault == Fault::Refused {
                        shared.refuse.notify_one();
                    }
                    return Ok(());
                }
            }
        }
    }
}

/// Sends a piece of an answer with its fault. Returns false if the connection has to end. `is_first` is true for the
/// first piece that has this fault, `is_inside` if a part of the answer was sent before.
async fn spoil(
    client: &mut TcpStream,
    bytes: &[u8],
    fault: Fault,
    random: &mut fastrand::Rng,
    is_first: bool,
    is_inside: bool,
) -> io::Result<bool> {
    match fault {
        Fault::Latency => {
            if is_first {
                tokio::time::sleep(Duration::from_millis(random.u64(50..400))).await;
            }
            client.write_all(bytes).await?;
        }
        Fault::Jitter => {
            for piece in bytes.chunks(random.usize(1..400)) {
                tokio::time::sleep(Duration::from_millis(random.u64(0..20))).await;
                client.write_all(piece).await?;
            }
        }
        Fault::Slow => {
            for piece in bytes.chunks(100) {
                tokio::time::sleep(Duration::from_millis(100)).await;
                client.write_all(piece).await?;
            }
        }
        Fault::Stall => {
            drain(client).await;
            return Ok(false);
        }
        // Random bytes inside of an answer could be a valid answer with other values, which no client can detect.
        Fault::Garbage if !is_inside => {
            let mut garbage = vec![0; random.usize(1..2000)];
            random.fill(&mut garbage);
            client.write_all(&garbage).await?;
            client.shutdown().await?;
            return Ok(false);
        }
        Fault::Truncated | Fault::Garbage => {
            client.write_all(&bytes[..bytes.len() / 2]).await?;
            client.shutdown().await?;
            return Ok(false);
        }
        Fault::HalfClosed => {
            client.shutdown().await?;
            drain(client).await;
            return Ok(false);
        }
        Fault::Reset | Fault::LostRequest | Fault::Refused => {
            client.set_zero_linger()?;
            return Ok(false);
        }
    }
    Ok(true)
}

/// Reads until the client closes the connection.
async fn drain(client: &mut TcpStream) {
    let mut buffer = [0; 1024];
    while matches!(client.read(&mut buffer).await, Ok(1..)) {}
}
