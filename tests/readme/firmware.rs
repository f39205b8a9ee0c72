//! The main loop of a firmware.

use gizwits_tests::generated::air_conditioner as product;

use std::sync::mpsc::{Receiver, Sender, channel};

use gizwits_codec_core::{ErrorKind, PointId};

/// A board whose serial line is a pair of channels.
struct Board {
    from_module: Receiver<u8>,
    to_module: Sender<u8>,
    millis: u32,
    invalid: Vec<(PointId, Option<ErrorKind>)>,
}

impl Board {
    /// Waits for the next byte. The main loop of a real board asks whether there is one.
    fn read(&self) -> Option<u8> {
        let Ok(byte) = self.from_module.recv() else {
            // The test has ended. The loop never does, so this thread sleeps.
            loop {
                std::thread::park();
            }
        };
        Some(byte)
    }

    fn send(&self, byte: u8) {
        // The test has ended if nobody listens.
        let _ = self.to_module.send(byte);
    }

    /// A turn of the loop takes 10 ms.
    fn millis(&mut self) -> u32 {
        self.millis += 10;
        self.millis
    }

    fn room_temperature(&self) -> i32 {
        21
    }

    fn warn(&mut self, point: PointId, why: Option<ErrorKind>) {
        self.invalid.push((point, why));
    }
}

// README: begin
use gizwits_codec_core::link::{Event, Link};
use gizwits_codec_core::{model::Model, uart::DeviceInfo};
use product::{Product, Status};

static INFO: DeviceInfo = DeviceInfo::new(Product::PRODUCT_KEY);

fn run(board: &mut Board) -> ! {
    let mut buffer = [0; Link::<Product>::room()];
    let mut link: Link<Product> = Link::new(&INFO, &mut buffer);
    let mut status = Status::new();
    loop {
        let now = board.millis();
        // Answers the module's frames and returns the events that concern the application.
        let event = board
            .read()
            .and_then(|byte| link.receive(byte, now, &mut |byte| board.send(byte)));
        if let Some(Event::Control(update)) = event {
            // Sets the points of the control. Values outside their limits are left out and named.
            update.apply(&mut status, |point, why| board.warn(point, Some(why)));
        }
        status.room_temp = board.room_temperature();
        // Reports what has changed, and repeats frames that the module did not acknowledge.
        let event = link.poll(now, &status, &mut |byte| board.send(byte));
        if let Some(Event::Invalid) = event {
            link.invalid().for_each(|point| board.warn(point, None));
        }
    }
}
// README: end

#[test]
fn reports_what_a_control_changed() {
    let (module, from_module) = channel();
    let (to_module, device) = channel();
    // The loop never ends. The thread ends with the process.
    std::thread::spawn(move || {
        run(&mut Board {
            from_module,
            to_module,
            millis: 0,
            invalid: Vec::new(),
        })
    });
    // A control of set_temp, then noise, so that the loop goes on for a while.
    let control = gizwits_tests::uart::wire(0x03, 1, 0, &[0x01, 0x40, 0, 0, 0, 24]);
    for byte in control.into_iter().chain([0; 1_000]) {
        module.send(byte).unwrap();
    }
    let mut sent = Vec::new();
    let is_report = |sent: &[u8]| sent.windows(3).any(|bytes| bytes == [24, 21 + 10, 0]);
    while !is_report(&sent) {
        sent.push(
            device
                .recv_timeout(std::time::Duration::from_secs(10))
                .unwrap(),
        );
    }
}
