//! Sessions of a client with a device, without sockets: what each sends, in its order.

use std::time::Duration;

use gizwits_codec_core::{Access, Protocol, Unit};
use gizwits_codec_std::Product;
use gizwits_lan::{
    Client, ClientEvent, ClientOptions, Identity, Server, ServerEvent, ServerOptions,
};

/// Bytes that one side has sent.
pub(crate) struct Sent {
    pub(crate) by_device: bool,
    pub(crate) bytes: Vec<u8>,
}

/// The requests and reports of a session.
pub(crate) enum Step {
    /// The client sends this P0, which the device answers with another one. A control has an empty answer.
    Request(Vec<u8>, Vec<u8>),
    /// The device sends this P0.
    Report(Vec<u8>),
}

/// Logs in and takes the steps.
pub(crate) fn session(product: &Product, steps: &[Step]) -> Vec<Sent> {
    let now = Duration::ZERO;
    let mut identity = Identity::default();
    identity.wifi_software = "04020034".to_owned();
    identity.product_key = product.product_key().to_owned();
    let mut client = Client::new(ClientOptions::default(), now);
    let mut device = Server::new(ServerOptions::new("ABCDEFGHIJ", identity), now);
    let mut sent = Vec::new();
    exchange(&mut client, &mut device, &[], &mut sent);
    assert_eq!(client.poll_event(), Some(ClientEvent::Ready));
    for step in steps {
        let answer = match step {
            Step::Request(p0, answer) => {
                client.request(p0).expect("the client is ready");
                &answer[..]
            }
            Step::Report(p0) => {
                assert!(device.report(p0), "the device is ready");
                &[]
            }
        };
        exchange(&mut client, &mut device, answer, &mut sent);
        while client.poll_event().is_some() {}
    }
    sent
}

/// Passes on what both sides send, until both wait. The device gives this answer to a request.
fn exchange(client: &mut Client, device: &mut Server, answer: &[u8], sent: &mut Vec<Sent>) {
    let now = Duration::ZERO;
    let mut is_idle = false;
    while !is_idle {
        is_idle = true;
        while let Some(bytes) = client.poll_output(now) {
            is_idle = false;
            device.receive(&bytes, now);
            let bytes = bytes.to_vec();
            sent.push(Sent {
                by_device: false,
                bytes,
            });
        }
        while let Some(event) = device.poll_event() {
            if let ServerEvent::Request { sn, .. } = event {
                assert!(device.answer(sn, answer), "the device is ready");
            }
        }
        while let Some(bytes) = device.poll_output() {
            is_idle = false;
            client.receive(&bytes, now);
            let bytes = bytes.to_vec();
            sent.push(Sent {
                by_device: true,
                bytes,
            });
        }
    }
}

/// Draws messages of a product: reads, replies, reports and controls, with values inside and outside of their ranges.
pub(crate) fn steps(product: &Product, count: usize, draw: &mut fastrand::Rng) -> Vec<Step> {
    let is_var_len = product.protocol() == Protocol::VarLen;
    let mut steps = Vec::new();
    for turn in 0..count {
        let is_writable = |id: usize| {
            let attr = product.attrs().nth(id);
            attr.is_some_and(|attr| attr.point().access == Access::Writable)
        };
        let writable: Vec<usize> = (0..product.attrs().len())
            .filter(|id| is_writable(*id))
            .collect();
        let all: Vec<usize> = (0..product.attrs().len()).collect();
        let mut some = |ids: &[usize]| {
            let chance = draw.f64();
            let taken = ids.iter().filter(|_| draw.f64() < chance);
            taken.copied().collect::<Vec<_>>()
        };
        let (reported, controlled) = (some(&all), some(&writable));
        let mut values = |len: usize| (0..len).map(|_| draw.u8(..)).collect::<Vec<_>>();
        let layout = product.layout();
        if is_var_len {
            let mut message = |action: u8, ids: &[usize]| {
                let mask = flags(ids, layout.mask_len());
                [vec![action], mask, values(packed_len(product, ids))].concat()
            };
            let read = [&[0x12], &flags(&reported, layout.mask_len())[..]].concat();
            let wanted = if turn % 4 == 0 {
                vec![0x12, 0xff]
            } else {
                read
            };
            steps.push(Step::Request(wanted, message(0x13, &all)));
            steps.push(Step::Report(message(0x14, &reported)));
            if !controlled.is_empty() {
                steps.push(Step::Request(message(0x11, &controlled), Vec::new()));
            }
        } else {
            let mut status = |action| [vec![action], values(layout.status_len())].concat();
            steps.push(Step::Request(vec![0x02], status(0x03)));
            steps.push(Step::Report(status(0x04)));
            if !writable.is_empty() {
                let flags = flags(&controlled, layout.flags_len());
                let control = [vec![0x01], flags, values(layout.writable_len())].concat();
                steps.push(Step::Request(control, Vec::new()));
            }
        }
    }
    steps
}

/// The flags of these points, as one number of this many bytes.
fn flags(ids: &[usize], len: usize) -> Vec<u8> {
    let mut flags = vec![0; len];
    for id in ids {
        flags[len - 1 - id / 8] |= 1 << (id % 8);
    }
    flags
}

/// The length of the values of these points in a var_len message.
fn packed_len(product: &Product, ids: &[usize]) -> usize {
    let attrs = product.attrs().enumerate();
    let positions = attrs
        .filter(|(id, _)| ids.contains(id))
        .map(|(_, attr)| &attr.point().position);
    let (mut bits, mut bytes) = (0, 0);
    for position in positions {
        match position.unit {
            Unit::Bit => bits += position.len as usize,
            Unit::Byte => bytes += position.len as usize,
        }
    }
    bits.div_ceil(8) + bytes
}
