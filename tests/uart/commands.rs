//! Tests of the link's answer and event for each command of the module, and of its requests.

use gizwits_tests::generated::product_b;

use super::*;

/// Returns whether the link leaves a command to the application: big data, transactions, sub-devices, and requests of an MCU.
fn is_for_application(command: u8) -> bool {
    matches!(command, 0x19..=0x20 | 0x23..=0x28 | 0x2d..=0x3c | 0x53..=0x55)
        || [0x05, 0x09, 0x0b, 0x13, 0x15, 0x17, 0x21, 0x29].contains(&command)
}

/// Returns an event as text.
fn shown(event: LinkEvent<'_, climate::Product>) -> String {
    match event {
        LinkEvent::Status(status) => format!("status {:04x}", status.0),
        LinkEvent::Reboot => "reboot".to_owned(),
        LinkEvent::Illegal(reason) => format!("illegal {}", reason.0),
        LinkEvent::Frame(frame) => format!("frame {:02x} {:02x?}", frame.command.0, frame.payload),
        LinkEvent::Transparent(data) => format!("transparent {data:02x?}"),
        LinkEvent::Refused(payload) => format!("refused {payload:02x?}"),
        _ => "another".to_owned(),
    }
}

/// Frames as command, sequence number and payload.
type Sent = Vec<(u8, u8, Vec<u8>)>;

/// Returns what a link answers to a frame, and its event.
fn told(link: &mut Link<'_, climate::Product>, frame: &[u8]) -> (Sent, Option<String>) {
    let (mut sent, mut event) = (Vec::new(), None);
    for byte in frame {
        let told = link.receive(*byte, 0, &mut |byte| sent.push(byte));
        event = event.or(told.map(shown));
    }
    (whole(&sent), event)
}

#[test]
fn each_command_has_its_answer_and_its_event() {
    let info = DeviceInfo::new(climate::Product::PRODUCT_KEY);
    let mut buffer = [0; Link::<climate::Product>::room()];
    let mut link: Link<'_, climate::Product> = Link::new(&info, &mut buffer);
    let acknowledged = |ack, payload: &[u8]| vec![(ack, 9, payload.to_vec())];
    let refused = |reason, payload: &[u8]| {
        let event = Some(format!("refused {payload:02x?}"));
        (acknowledged(0x12, &[reason]), event)
    };
    let frame = |command: u8, payload: &[u8]| {
        let event = Some(format!("frame {command:02x} {payload:02x?}"));
        (Vec::new(), event)
    };
    for command in 0..=u8::MAX {
        let payload = [0, 7];
        let expected = match command {
            0x01 => (acknowledged(0x02, info.bytes()), None),
            0x03 => refused(3, &payload),
            0x07 => (acknowledged(0x08, &[]), None),
            0x0d => (acknowledged(0x0e, &[]), Some("status 0007".to_owned())),
            0x0f => (acknowledged(0x10, &[]), Some("reboot".to_owned())),
            0x11 => (Vec::new(), Some("illegal 0".to_owned())),
            _ if is_for_application(command) => frame(command, &payload),
            // Acknowledgements that come too late.
            0x02..=0x18 | 0x22 | 0x2a => (Vec::new(), None),
            _ => refused(2, &payload),
        };
        let told_of = told(&mut link, &witness::wire(command, 9, 0, &payload));
        assert_eq!(told_of, expected, "{command:#04x}");
        // A frame of a sub-device is left to the application.
        let of_sub_device = told(&mut link, &witness::wire(command, 9, 1, &payload));
        assert_eq!(of_sub_device, frame(command, &payload), "{command:#04x}");
    }
    for payload in [&[][..], &[1], &[1, 2, 3]] {
        let status = told(&mut link, &witness::wire(0x0d, 9, 0, payload));
        assert_eq!(status, refused(3, payload));
    }
    let without_reason = told(&mut link, &witness::wire(0x11, 9, 0, &[]));
    assert_eq!(without_reason, (Vec::new(), None));

    for action in 0x6f..=0x75 {
        let payload = [action, 1];
        let expected = match action {
            0x71..=0x73 => frame(0x03, &payload),
            _ => refused(3, &payload),
        };
        let told_of = told(&mut link, &witness::wire(0x03, 9, 0, &payload));
        assert_eq!(told_of, expected, "{action:#04x}");
    }
    assert_eq!(
        told(&mut link, &witness::wire(0x03, 9, 0, &[])),
        refused(3, &[])
    );
    assert_eq!(
        told(&mut link, &witness::wire(0x03, 9, 0, &[5, 1, 2])),
        (
            acknowledged(0x04, &[]),
            Some("transparent [01, 02]".to_owned())
        )
    );

    let mut sent = Vec::new();
    link.answer(Command::TRANSFER_ASK, 9, &[1], &mut |byte| sent.push(byte));
    assert_eq!(whole(&sent), acknowledged(0x1a, &[1]));
}

#[test]
fn requests_have_a_command_and_sometimes_an_argument() {
    for command in (0..=u8::MAX).map(Command) {
        for argument in 0..=3 {
            let expected = match (command.0, argument) {
                (0x09, 1) => Some(Request::configure(uart::ConfigMode::SoftAp)),
                (0x09, 2) => Some(Request::configure(uart::ConfigMode::AirLink)),
                (0x0b, _) => Some(Request::RESET),
                (0x13, _) => Some(Request::TEST),
                (0x15, _) => Some(Request::BIND),
                (0x17, _) => Some(Request::TIME),
                (0x21, _) => Some(Request::module(argument)),
                (0x29, _) => Some(Request::REBOOT),
                _ => None,
            };
            assert_eq!(Request::from_command(command, argument), expected);
        }
    }
}

/// The longest call sends the answer to a read, and a report or the data of the outbox, or the description of the device.
#[test]
fn the_longest_call_is_twice_its_frames() {
    fn check<M: Model>() -> usize {
        // The header has 2 bytes, as have the length and the flags; command, sn and checksum have one.
        let frame = |payload: usize| 9 + payload;
        let report = M::LAYOUT.p0_len(Action::Report);
        for outbox in 0..400 {
            let poll = frame(report) + frame(report.max(1 + outbox));
            let expected = 2 * poll.max(frame(106));
            assert_eq!(Link::<M>::longest(outbox), expected);
        }
        report
    }
    // Two reports of the former are shorter than a description, two of the latter are longer.
    let [short, long] = [check::<climate::Product>(), check::<product_b::Product>()];
    assert!(2 * short < 106 && 2 * long > 106, "{short} {long}");
}

#[test]
fn errors_and_links_are_shown() {
    use gizwits_codec_core::PointId;
    use gizwits_codec_core::link::Busy;
    assert_eq!(Busy.to_string(), "another request is in progress");
    assert_eq!(SendError::Busy.to_string(), Busy.to_string());
    assert_eq!(
        SendError::TooLong { limit: 4 }.to_string(),
        "the data is longer than the outbox"
    );
    assert_eq!(PointId(12).to_string(), "12");
    let info = DeviceInfo::new(climate::Product::PRODUCT_KEY);
    let mut buffer = [0; Link::<climate::Product>::room()];
    let link: Link<'_, climate::Product> = Link::new(&info, &mut buffer);
    let shown = format!("{link:?}");
    assert!(
        shown.starts_with("Link { known: Nothing, flight: None, sn: 254"),
        "{shown}"
    );
}

/// A request that nobody answers is sent three times, and makes room for the next one.
#[test]
fn a_request_that_nobody_answers_ends() {
    let info = DeviceInfo::new(climate::Product::PRODUCT_KEY);
    let mut buffer = [0; Link::<climate::Product>::room()];
    let mut link: Link<'_, climate::Product> = Link::new(&info, &mut buffer);
    let status = climate::Status::new();
    let poll = |link: &mut Link<'_, climate::Product>, now| {
        let mut sent = Vec::new();
        let event = link.poll(now, &status, &mut |byte| sent.push(byte));
        let unanswered = match event {
            Some(LinkEvent::Unanswered(command)) => Some(command),
            _ => None,
        };
        let commands: Vec<u8> = whole(&sent).iter().map(|sent| sent.0).collect();
        (commands, unanswered)
    };
    assert_eq!(poll(&mut link, 0), (vec![5], None));
    told(&mut link, &witness::wire(6, 0, 0, &[]));
    link.request(Request::RESET).unwrap();
    for now in [0, 200, 400] {
        assert_eq!(poll(&mut link, now), (vec![0x0b], None));
    }
    assert_eq!(poll(&mut link, 600), (vec![], Some(Command::RESET)));
    // The status is known all the same: the next report is due with the next change.
    assert_eq!(poll(&mut link, 7_000), (vec![], None));
    link.request(Request::TIME).unwrap();
    assert_eq!(poll(&mut link, 7_000), (vec![0x17], None));
}

/// The time to wait is 0 if a frame can be sent at once. Otherwise it is the rest of 200 ms for a frame in flight, of 6 s for a
/// report of measured values, or of 10 minutes for a report of all points.
#[test]
fn the_time_to_wait_is_that_of_what_is_due() {
    let info = DeviceInfo::new(climate::Product::PRODUCT_KEY);
    let mut buffer = [0; Link::<climate::Product>::room()];
    let mut link: Link<'_, climate::Product> = Link::new(&info, &mut buffer);
    let status = climate::Status::new();
    let waits = |link: &Link<'_, climate::Product>, at: &[u32]| -> Vec<u32> {
        at.iter().map(|now| link.wait(*now)).collect()
    };
    assert_eq!(waits(&link, &[0, 1_000]), [0, 0]);
    let _ = link.poll(1_000, &status, &mut |_| {});
    assert_eq!(waits(&link, &[1_000, 1_150, 1_200, 9_000]), [200, 50, 0, 0]);
    let _ = told(&mut link, &witness::wire(6, 0, 0, &[]));
    assert_eq!(
        waits(
            &link,
            &[1_000, 6_000, 7_000, 8_000, 600_999, 601_000, 700_000]
        ),
        [6_000, 1_000, 594_000, 593_000, 1, 0, 0]
    );
    link.request(Request::TIME).unwrap();
    assert_eq!(waits(&link, &[1_000, 8_000]), [0, 0]);
    let _ = link.poll(8_000, &status, &mut |_| {});
    assert_eq!(waits(&link, &[8_000, 8_199]), [200, 1]);

    // A report that nobody answers is sent again with the measured values.
    let mut buffer = [0; Link::<climate::Product>::room()];
    let mut link: Link<'_, climate::Product> = Link::new(&info, &mut buffer);
    for now in [0, 200, 400, 600] {
        let _ = link.poll(now, &status, &mut |_| {});
    }
    assert_eq!(
        waits(&link, &[600, 5_000, 6_000, 9_000]),
        [5_400, 1_000, 0, 0]
    );
}
