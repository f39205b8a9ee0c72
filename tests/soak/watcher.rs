//! A watcher of the device page: reads the events of a device, and continues after its last event.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::traffic::Shared;

/// A frame of an event: its time in milliseconds since 1970 and its payload in hex.
pub(crate) type Frame = (i64, String);

/// The frames that a watcher received.
#[derive(Default)]
pub(crate) struct Watched {
    /// The frames in runs. A run ends where the server said that the watcher missed too much to continue.
    pub(crate) runs: Vec<Vec<Frame>>,
    /// The number of connections.
    pub(crate) connections: u64,
    /// The number of connections that were refused because too many pages are open.
    pub(crate) refusals: u64,
}

/// The time after which a silent stream is given up. The devices of the soak report more often.
const SILENCE: Duration = Duration::from_secs(5);

/// Watches a device through a relay until the exports of the round are complete.
pub(crate) async fn watch(
    relay: SocketAddr,
    product: String,
    did: String,
    shared: Arc<Shared>,
) -> Watched {
    let done = &shared.is_complete;
    let mut watched = Watched::default();
    let mut last = None;
    while !done.load(Ordering::Relaxed) {
        watched.connections += 1;
        // A broken stream is the point of the soak: the watcher connects again.
        let target = format!("/page/events/{product}/{did}");
        let _ = read(relay, &target, &mut last, &mut watched, done).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    watched
}

/// Reads one stream to its end. `last` is the id of the last event.
async fn read(
    relay: SocketAddr,
    target: &str,
    last: &mut Option<String>,
    watched: &mut Watched,
    done: &AtomicBool,
) -> io::Result<()> {
    let mut stream = timeout(SILENCE, TcpStream::connect(relay)).await??;
    let resume = match last {
        Some(last) => format!("last-event-id: {last}\r\n"),
        None => String::new(),
    };
    // HTTP/1.0 has no chunks: what follows the head is the stream of events.
    let head = format!(
        "GET {target} HTTP/1.0\r\nhost: {relay}\r\nreferer: http://{relay}/\r\n{resume}\r\n"
    );
    stream.write_all(head.as_bytes()).await?;
    let mut lines = BufReader::new(stream).split(b'\n');
    let (mut id, mut name, mut data) = (None, String::new(), String::new());
    let mut is_head = true;
    let mut is_first = true;
    while !done.load(Ordering::Relaxed) {
        let Some(line) = timeout(SILENCE, lines.next_segment()).await?? else {
            return Ok(());
        };
        let line = String::from_utf8_lossy(&line);
        let line = line.trim_end_matches('\r');
        if is_first && !line.ends_with(" 200 OK") {
            watched.refusals += u64::from(line.contains(" 503 "));
            return Ok(());
        }
        is_first = false;
        if is_head {
            is_head = !line.is_empty();
        } else if let Some(value) = line.strip_prefix("id: ") {
            id = Some(value.to_owned());
        } else if let Some(value) = line.strip_prefix("event: ") {
            value.clone_into(&mut name);
        } else if let Some(value) = line.strip_prefix("data: ") {
            value.clone_into(&mut data);
        } else if line.is_empty() {
            let event: Value = serde_json::from_str(&data).unwrap_or_default();
            match &*name {
                "hello" if event["resumed"] != true => watched.runs.push(Vec::new()),
                "frame" => {
                    let at = event["at"].as_i64().unwrap_or_default();
                    let payload = event["payload"].as_str().unwrap_or_default().to_owned();
                    if let Some(run) = watched.runs.last_mut() {
                        run.push((at, payload));
                    }
                }
                _ => {}
            }
            if let Some(id) = id.take() {
                *last = Some(id);
            }
            name.clear();
            data.clear();
        }
    }
    Ok(())
}
