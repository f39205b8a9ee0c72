//! An application with all of a link: a climate panel that does what it is told, and counts.

use core::hint::black_box;

use gizwits_codec_core::PointId;
use gizwits_codec_core::link::{Busy, Event, Link, Request};
use gizwits_codec_core::model::Model;
use gizwits_codec_core::uart::{ConfigMode, DeviceInfo};

use crate::product::{Product, Status};

/// The machine that the application runs on.
pub trait Machine {
    /// The byte that came in, if one did.
    fn read(&mut self) -> Option<u8>;
    /// Sends a byte.
    fn write(&mut self, byte: u8);
    /// Milliseconds.
    fn now(&mut self) -> u32;
    /// Whether to go on.
    fn goes_on(&mut self) -> bool;
    /// The button that is pressed; 0 is none.
    fn button(&mut self) -> u8;
    /// The module wants a restart.
    fn restart(&mut self);
}

/// The description of the device.
pub static INFO: DeviceInfo = DeviceInfo::new(Product::PRODUCT_KEY)
    .hardware(b"03000001")
    .software(b"03000102");

/// Takes note of a point whose value the definition does not allow.
pub fn note(point: PointId) {
    black_box(point);
}

/// Does what came over the line; false if that is a restart.
pub fn act(event: Event<'_, Product>, status: &mut Status) -> bool {
    match event {
        Event::Control(update) => update.apply(status, |point, _| note(point)),
        Event::Status(module) => status.signal = module.rssi(),
        Event::Reboot => return false,
        Event::Time(time) => status.runtime = time.unix() as u16,
        Event::Module(module) => {
            black_box(module.mac());
        }
        event => {
            black_box(&event);
        }
    }
    true
}

/// Returns the sink of a link. It has one type for all calls: the image has a table of functions for each type.
fn sink<M: Machine>(machine: &mut M) -> impl FnMut(u8) + use<'_, M> {
    |byte| machine.write(byte)
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
        let mut asked = None;
        if let Some(byte) = machine.read() {
            let event = link.receive(byte, now, &mut sink(machine));
            match event {
                None => {}
                Some(Event::Frame(frame)) => asked = Some((frame.command, frame.sn)),
                Some(event) => {
                    if !act(event, &mut status) {
                        machine.restart();
                    }
                }
            }
        }
        if let Some((command, sn)) = asked {
            link.answer(command, sn, &[0], &mut sink(machine));
        }
        let _ = match machine.button() {
            0 => Ok(()),
            1 => link.request(Request::configure(ConfigMode::AirLink)),
            2 => link.request(Request::RESET),
            3 => link.request(Request::BIND),
            4 => link.request(Request::module(0)),
            button => link.send(&[button]).map_err(|_| Busy),
        };
        status.co2 = status.co2.wrapping_add(1);
        let event = link.poll(now, &status, &mut sink(machine));
        match event {
            Some(Event::Invalid) => link.invalid().for_each(note),
            event => {
                black_box(&event);
            }
        }
    }
}
