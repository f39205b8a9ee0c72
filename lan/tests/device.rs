//! Devices in this process that reboot, fall silent or flood, and a client that reconnects over TCP.

use std::net::SocketAddr;
use std::time::Duration;

use gizwits_codec_core::m2m::{Message, ModuleInfo};
use gizwits_codec_core::{Access, Layout, Point, PointId, Protocol, UintSpec};
use gizwits_lan::{
    ClientEvent, ClientOptions, Closed, Connection, Control, ControlError, Delivery, Device,
    DeviceEvent, DeviceOptions, Failure, Freshness, Identity, Server, ServerEvent, ServerOptions,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

static LAYOUT: Layout<1> = Layout::must(
    Protocol::Standard,
    &[Point::uint8(0, Access::Writable, 0, UintSpec::new(0, 255))],
);

fn options() -> DeviceOptions<'static> {
    let mut options = DeviceOptions::default();
    options.layout = Some(LAYOUT.get());
    options.backoff.base = Duration::from_millis(20);
    options.backoff.cap = Duration::from_millis(200);
    options
}

async fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// The answer of a device to a control.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Answer {
    /// The device applies the control and acknowledges it.
    Ack,
    /// The device applies the control and closes the connection.
    Close,
}

/// Serves one client of a device with one point, until a side closes the connection.
async fn serve(mut stream: TcpStream, value: &mut u8, answer: Answer) {
    let start = Instant::now();
    let options = ServerOptions::new("ABCDEFGHIJ", Identity::default());
    let mut server = Server::new(options, start.elapsed());
    let mut buffer = [0; 512];
    while let Ok(len @ 1..) = stream.read(&mut buffer).await {
        server.receive(&buffer[..len], start.elapsed());
        while let Some(event) = server.poll_event() {
            match event {
                ServerEvent::Request { sn, p0 } if p0[..] == [2] => {
                    server.answer(sn, &[3, *value]);
                }
                ServerEvent::Request { sn, p0 } => {
                    *value = p0[2];
                    if answer == Answer::Close {
                        return;
                    }
                    server.answer(sn, &[]);
                    server.report(&[4, *value]);
                }
                _ => {}
            }
        }
        while let Some(bytes) = server.poll_output() {
            stream.write_all(&bytes).await.unwrap();
        }
    }
}

fn value(device: &Device<'_>) -> Option<u32> {
    device.view().expect("there is a layout").raw(PointId(0))
}

/// Waits for an event of which `pick` returns something.
async fn wait<T>(device: &mut Device<'_>, pick: impl Fn(DeviceEvent) -> Option<T>) -> T {
    loop {
        if let Some(picked) = pick(device.next().await) {
            return picked;
        }
    }
}

fn status(event: DeviceEvent) -> Option<Vec<u8>> {
    match event {
        DeviceEvent::Status { p0 } => Some(p0.to_vec()),
        _ => None,
    }
}

#[tokio::test]
async fn a_device_reboots() {
    let (listener, address) = listener().await;
    tokio::spawn(async move {
        let mut value = 7;
        for answer in [Answer::Close, Answer::Ack] {
            let (stream, _) = listener.accept().await.unwrap();
            serve(stream, &mut value, answer).await;
        }
    });
    let mut device = Device::new(address, options());
    assert_eq!((value(&device), device.is_ready()), (None, false));
    let first = device.next().await;
    assert_eq!(first, DeviceEvent::Ready { gap: None });
    assert_eq!(wait(&mut device, status).await, [3, 7]);
    assert_eq!(
        (value(&device), device.freshness()),
        (Some(7), Freshness::Current)
    );
    // The device closes the connection in place of an acknowledgement, and the control is not sent again.
    let error = device.control(Control::new(&[1, 1, 9])).await.unwrap_err();
    assert_eq!(error, ControlError::Unacknowledged);
    let lost = |event| match event {
        DeviceEvent::Disconnected { failure, retry, .. } => Some((failure, retry)),
        _ => None,
    };
    let (failure, retry) = wait(&mut device, lost).await;
    assert_eq!(failure, Failure::Closed(Closed::ByDevice));
    assert!(retry >= Duration::from_millis(10) && retry <= Duration::from_millis(20));
    assert!(matches!(device.freshness(), Freshness::Stale(_)));
    assert!(!device.is_ready());
    let gap = |event| match event {
        DeviceEvent::Ready { gap } => gap,
        _ => None,
    };
    assert!(wait(&mut device, gap).await >= retry);
    assert_eq!(wait(&mut device, status).await, [3, 9]);
    assert_eq!(
        (value(&device), device.freshness()),
        (Some(9), Freshness::Current)
    );
    device.control(Control::new(&[1, 1, 11])).await.unwrap();
    assert_eq!(wait(&mut device, status).await, [4, 11]);
}

#[tokio::test]
async fn a_control_that_may_be_sent_again() {
    let (listener, address) = listener().await;
    let served = tokio::spawn(async move {
        let mut value = 0;
        for answer in [Answer::Close, Answer::Close, Answer::Ack] {
            let (stream, _) = listener.accept().await.unwrap();
            serve(stream, &mut value, answer).await;
        }
        value
    });
    let mut device = Device::new(address, options());
    let mut control = Control::new(&[1, 1, 5]);
    control.delivery = Delivery::AtLeastOnce;
    control.deadline = Duration::from_secs(60);
    // A device can be a task of its own.
    let controlled = tokio::spawn(async move { device.control(control).await });
    assert_eq!(controlled.await.unwrap(), Ok(()));
    assert_eq!(served.await.unwrap(), 5);
}

#[tokio::test]
async fn a_control_that_waits_for_a_device() {
    // Nobody listens on the port until the listener is back.
    let (nobody, address) = listener().await;
    drop(nobody);
    let mut device = Device::new(address, options());
    let mut control = Control::new(&[1, 1, 5]);
    control.deadline = Duration::from_millis(100);
    let error = device.control(control.clone()).await.unwrap_err();
    assert_eq!(error, ControlError::NotSent);
    let refused = |event| match event {
        DeviceEvent::NotConnected { failure, .. } => Some(failure),
        _ => None,
    };
    let kind = std::io::ErrorKind::ConnectionRefused;
    assert_eq!(wait(&mut device, refused).await, Failure::Unreachable(kind));
    let error = device.submit(Control::new(&[2])).unwrap_err();
    assert_eq!(error, ControlError::Action);
    for _ in 0..64 {
        device.submit(control.clone()).unwrap();
    }
    let error = device.submit(control).unwrap_err();
    assert_eq!(error, ControlError::TooMany(64));
}

/// A connection goes on as a device, also if it has ended.
#[tokio::test]
async fn a_connection_goes_on() {
    let (listener, address) = listener().await;
    tokio::spawn(async move {
        let mut value = 7;
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            serve(stream, &mut value, Answer::Close).await;
        }
    });
    for ends in [false, true] {
        let opened = Connection::open(address, ClientOptions::default()).await;
        let mut connection = opened.unwrap();
        while !matches!(connection.next().await, Some(ClientEvent::Identity(_))) {}
        if ends {
            connection.control(&[1, 1, 7]).await.unwrap_err();
            while connection.next().await.is_some() {}
        }
        let mut device = Device::from_connection(address, connection, options());
        assert_eq!(device.is_ready(), !ends);
        assert_eq!(wait(&mut device, status).await, [3, 7]);
        assert!(device.passcode().is_some());
    }
}

fn frame(message: &Message<'_>) -> Vec<u8> {
    let mut frame = vec![0; 200_000];
    let len = message.encode(&mut frame).unwrap();
    frame.truncate(len);
    frame
}

/// The frame of a P0 that a device sends by itself.
fn report(p0: &[u8]) -> Vec<u8> {
    frame(&Message::P0 {
        command: 0x91,
        sn: None,
        p0,
    })
}

/// A device that logs in whoever comes, and then sends these bytes again and again, in pieces of this length.
async fn flood(bytes: Vec<u8>, piece: usize, times: usize) -> SocketAddr {
    let (listener, address) = listener().await;
    tokio::spawn(async move {
        // A slow machine may connect more than once.
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.set_nodelay(true).unwrap();
            let _ = send(&mut stream, &bytes, piece, times).await;
            // The connection stays open until the client closes it.
            while let Ok(1..) = stream.read(&mut [0; 512]).await {}
        }
    });
    address
}

/// Logs a client in and sends these bytes, in pieces of this length and this number of times.
async fn send(
    stream: &mut TcpStream,
    bytes: &[u8],
    piece: usize,
    times: usize,
) -> std::io::Result<()> {
    let login = b"\0\0\0\x03\x06\0\0\x07\0\x01A\0\0\0\x03\x04\0\0\x09\0";
    stream.write_all(login).await?;
    for _ in 0..times {
        for piece in bytes.chunks(piece) {
            stream.write_all(piece).await?;
        }
    }
    Ok(())
}

/// Sends 100 controls to a device of its own, each of which is acknowledged.
async fn another_is_controlled() {
    let (listener, address) = listener().await;
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        serve(stream, &mut 0, Answer::Ack).await;
    });
    let mut device = Device::new(address, options());
    for value in 0..100 {
        device.control(Control::new(&[1, 1, value])).await.unwrap();
    }
}

/// A status of 65,535 bytes arrives one byte at a time, and another device of the process is controlled meanwhile.
#[tokio::test]
async fn a_long_status_byte_by_byte() {
    let mut p0 = vec![0xff; 1 + 65_535];
    p0[0] = 4;
    let address = flood(report(&p0), 1, 1).await;
    let mut long = Device::new(address, DeviceOptions::default());
    let (status, ()) = tokio::join!(wait(&mut long, status), another_is_controlled());
    assert!(status == p0);
    assert_eq!(long.p0().map(|p0| p0.len()), Some(65_536));
}

/// A device never stops sending, and does not answer. Controls to it end in time, few events are kept, but all outcomes of
/// controls, and another device of the process is not affected.
#[tokio::test]
async fn a_device_that_never_stops_sending() {
    let mut p0 = vec![0; 10_000];
    p0[0] = 4;
    let info = frame(&Message::ModuleInfo(ModuleInfo {
        wifi_hardware: [b'0'; 8],
        wifi_software: [b'0'; 8],
        mcu_hardware: [b'0'; 8],
        mcu_software: [b'0'; 8],
        p0: [b'0'; 8],
        firmware_id: [0; 8],
        firmware: &[b'f'; 50_000],
        product_key: &[b'k'; 50_000],
    }));
    let address = flood([report(&p0), info].concat(), usize::MAX, usize::MAX).await;
    let mut options_of_flood = DeviceOptions::default();
    options_of_flood.client.request_timeout = Duration::from_secs(2);
    let mut loud = Device::new(address, options_of_flood);
    let first = loud.submit(Control::new(&[1, 1, 1])).unwrap();
    let (outcome, ()) = tokio::join!(
        loud.control(Control::new(&[1, 1, 2])),
        another_is_controlled()
    );
    assert_eq!(outcome, Err(ControlError::Unacknowledged));
    // What arrived while the control waited is limited.
    assert!(loud.dropped() > 0);
    let (mut bytes, mut events) = (0, 0);
    let outcome = loop {
        events += 1;
        assert!(events <= Device::MAX_EVENTS, "the outcome is kept");
        match loud.next().await {
            DeviceEvent::Outcome { id, outcome } if id == first => break outcome,
            DeviceEvent::Status { p0 } => bytes += p0.len(),
            DeviceEvent::Identity(identity) => bytes += identity.firmware.len(),
            _ => {}
        }
    };
    assert_eq!(outcome, Err(ControlError::Unacknowledged));
    assert!(bytes <= Device::MAX_EVENT_BYTES, "{bytes}");
}

/// The connection to a device that is silent is closed before the program learns it, whatever the program does then.
#[tokio::test]
async fn a_connection_is_closed_when_it_ends() {
    let (listener, address) = listener().await;
    let served = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = send(&mut stream, &[], 1, 0).await;
        while let Ok(1..) = stream.read(&mut [0; 512]).await {}
    });
    let mut options = options();
    options.client.idle_timeout = Duration::from_millis(100);
    let mut device = Device::new(address, options);
    let silent = |event| match event {
        DeviceEvent::Disconnected { failure, .. } => Some(failure),
        _ => None,
    };
    let failure = wait(&mut device, silent).await;
    assert_eq!(failure, Failure::Closed(Closed::Silent));
    // The device exists, and nobody waits in it.
    let ended = tokio::time::timeout(Duration::from_secs(60), served).await;
    ended.expect("the socket is closed").unwrap();
    assert_eq!(device.freshness(), Freshness::Unknown);
}
