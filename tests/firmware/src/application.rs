//! An application with all of a link: a climate panel that does what it is told, and counts.

use core::hint::black_box;

use gizwits_codec_core::link::{Event, Link, Request};
use gizwits_codec_core::model::Model;
use gizwits_codec_core::uart::DeviceInfo;

use crate::product::{Product, Status};

static INFO: DeviceInfo = DeviceInfo::new(Product::PRODUCT_KEY)
    .hardware(b"03000001")
    .software(b"03000102");

/// What the application runs on.
pub trait Machine {
    /// The byte that came in, if one did.
    fn read(&mut self) -> Option<u8>;
    /// Sends a byte.
    fn write(&mut self, byte: u8);
    /// Milliseconds.
    fn now(&mut self) -> u32;
    /// Whether to go on.
    fn goes_on(&mut self) -> bool;
    /// The module wants a restart.
    fn restart(&mut self);
}

/// Runs the application.
pub fn run(machine: &mut impl Machine) {
    let mut buffer = [0; Link::<Product>::room()];
    let mut outbox = [0; 16];
    let mut link: Link<'_, Product> = Link::new(&INFO, &mut buffer).with_outbox(&mut outbox);
    let mut status = Status::new();
    let _ = link.request(Request::TIME);
    while machine.goes_on() {
        let now = machine.now();
        while let Some(byte) = machine.read() {
            match link.receive(byte, now, &mut |byte| machine.write(byte)) {
                None => continue,
                Some(Event::Control(update)) => update.apply(&mut status),
                Some(Event::Transparent(_)) => black_box(()),
                Some(Event::Status(module)) => status.signal = module.rssi(),
                Some(Event::Reboot) => machine.restart(),
                Some(Event::Time(time)) => status.runtime = time.unix() as u16,
                Some(Event::Module(module)) => {
                    black_box(module.mac());
                }
                Some(event) => {
                    black_box(&event);
                }
            }
            break;
        }
        if let Some(event) = link.poll(now, &status, &mut |byte| machine.write(byte)) {
            black_box(&event);
        }
    }
}
