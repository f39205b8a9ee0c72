//! A connection of a client to a device.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use gizwits_lan::{Server, ServerEvent};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};

use super::device::Device;
use crate::simulator::Simulator;

/// The number of bytes that are read from a socket at a time.
const CHUNK: usize = 2048;
/// The number of bytes that wait for the socket from which on nothing is read from the client.
const MAX_OUTGOING: usize = 64 * 1024;
/// The time that a client has to read the last bytes of a connection.
const LAST: Duration = Duration::from_secs(1);

/// Serves a client until one side ends the connection, or the device goes offline.
pub(super) async fn serve(mut stream: TcpStream, device: &Device, simulator: &Simulator) {
    let mut reports = device.reports.subscribe();
    let mut reachable = device.is_reachable.subscribe();
    let start = Instant::now();
    let mut server = Server::new(device.options.clone(), Duration::ZERO);
    let mut incoming = BytesMut::with_capacity(CHUNK);
    let mut outgoing = BytesMut::new();
    // A frame is small, and a person may wait for its effect.
    let _ = stream.set_nodelay(true);
    loop {
        while outgoing.len() < MAX_OUTGOING
            && let Some(bytes) = server.poll_output()
        {
            outgoing.extend_from_slice(&bytes);
        }
        let has_room = outgoing.len() < MAX_OUTGOING;
        // One event per turn: the reports that a request causes are taken before the next request.
        let event = if has_room { server.poll_event() } else { None };
        let is_idle = event.is_none();
        if let Some(ServerEvent::Request { sn, p0 }) = event {
            let Some(answer) = received(device.id, sn, p0, simulator).await else {
                break;
            };
            server.answer(sn, &answer);
        }
        let Some(deadline) = server.poll_timeout() else {
            break;
        };
        let (mut reader, mut writer) = stream.split();
        tokio::select! {
            biased;
            () = gone(&mut reachable) => break,
            report = reports.recv(), if has_room => match report {
                Ok(p0) => {
                    server.report(&p0);
                }
                Err(RecvError::Lagged(_)) => {
                    // The status has what the missed reports said, and all that waits is older than it.
                    reports = reports.resubscribe();
                    let Some(p0) = status(device.id, simulator).await else {
                        break;
                    };
                    server.report(&p0);
                }
                Err(RecvError::Closed) => break,
            },
            written = writer.write_buf(&mut outgoing), if !outgoing.is_empty() => {
                let Ok(1..) = written else { break };
            }
            // The next turn begins at once if another event may wait.
            () = std::future::ready(()), if !is_idle => {}
            read = reader.read_buf(&mut incoming), if has_room => {
                let Ok(1..) = read else { break };
                server.receive(&incoming, start.elapsed());
                incoming.clear();
                incoming.reserve(CHUNK);
            }
            // Last, because a client with unread bytes is not silent.
            () = sleep_until(start + deadline) => server.handle_timeout(start.elapsed()),
        }
    }
    // What the device has done already is still acknowledged.
    while let Some(bytes) = server.poll_output() {
        outgoing.extend_from_slice(&bytes);
    }
    let _ = timeout(LAST, stream.write_all_buf(&mut outgoing)).await;
}

/// Waits until a device is offline or silent.
async fn gone(reachable: &mut watch::Receiver<bool>) {
    let _ = reachable.wait_for(|is_reachable| !is_reachable).await;
}

/// Returns the report of all points of a device. `None` if the world failed, or the product has no definition.
async fn status(device: i64, simulator: &Simulator) -> Option<Vec<u8>> {
    let simulator = simulator.clone();
    let work = move || simulator.local_status(device);
    tokio::task::spawn_blocking(work).await.ok()?.ok()?
}

/// Passes a P0 to the device and returns its answer. `None` if the device is offline or the world failed.
async fn received(
    device: i64,
    sn: Option<u32>,
    p0: Bytes,
    simulator: &Simulator,
) -> Option<Vec<u8>> {
    let simulator = simulator.clone();
    let work = move || simulator.receive_local(device, sn, &p0);
    tokio::task::spawn_blocking(work).await.ok()?.ok()?
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use gizwits_lan::{ClientEvent, ClientOptions, Connection};

    use super::*;

    #[tokio::test]
    async fn a_client_that_missed_reports_gets_the_status() {
        let simulator = Simulator::builder().build().unwrap();
        let local = simulator.local_devices().unwrap().swap_remove(0);
        let expected = simulator.local_status(local.id).unwrap().unwrap();
        let (device, listener, address) =
            Device::bind(local, Ipv4Addr::LOCALHOST, Some(0)).unwrap();
        let device = std::sync::Arc::new(device);
        let served = std::sync::Arc::clone(&device);
        tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            serve(stream, &served, &simulator).await;
        });
        let mut client = Connection::open(address.tcp, ClientOptions::default())
            .await
            .unwrap();
        // The runtime has one thread, so that the connection takes none of these before all are sent.
        for _ in 0..1000 {
            device
                .reports
                .send(Bytes::from_static(b"\x04\xff"))
                .unwrap();
        }
        loop {
            if let ClientEvent::P0 { p0, .. } = client.next().await.expect("a connection") {
                assert_eq!(p0, expected);
                return;
            }
        }
    }
}
