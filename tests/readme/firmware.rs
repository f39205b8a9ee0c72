//! The application of a firmware, and its test on the host.

use gizwits_tests::generated::air_conditioner as product;

/// Logs as the macros of defmt and log do.
macro_rules! warn {
    ($($argument:tt)*) => { eprintln!($($argument)*) };
}

// README: begin
use gizwits_codec_core::link::{Event, Link};
use product::{Product, Status};

/// One turn of the main loop, with the byte that has arrived. The time is in milliseconds.
fn turn(
    link: &mut Link<Product>,
    status: &mut Status,
    now: u32,
    byte: Option<u8>,
    send: &mut dyn FnMut(u8),
) {
    // Answers the module's frames and returns the events that concern the application.
    let event = byte.and_then(|byte| link.receive(byte, now, send));
    if let Some(Event::Control(update)) = event {
        // Sets the points of the control. Values outside their limits are left out and named.
        update.apply(status, |point, why| warn!("point {point}: {why}"));
    }
    // Reports what has changed, and repeats frames that the module did not acknowledge.
    if let Some(Event::Invalid) = link.poll(now, status, send) {
        link.invalid()
            .for_each(|point| warn!("the value of point {point} is invalid"));
    }
}
// README: end

#[cfg(test)]
mod tests {
    use super::*;
    use gizwits_codec_core::link::testing::Module;
    use gizwits_codec_core::{Error, model::Model, uart::DeviceInfo};
    use product::Control;

    #[test]
    fn a_control_is_reported() -> Result<(), Error> {
        let info = DeviceInfo::new(Product::PRODUCT_KEY);
        let mut buffer = [0; Link::<Product>::room()];
        let (mut link, mut status) = (Link::new(&info, &mut buffer), Status::new());

        let mut module = Module::<Product>::new();
        module.control(&Control {
            set_temp: Some(24),
            ..Control::default()
        })?;
        module.run(100, |now, byte, send| {
            turn(&mut link, &mut status, now, byte, send)
        });
        assert_eq!(module.reported().map(|status| status.set_temp), Some(24));
        Ok(())
    }
}

/// An invalid value is named and never reported.
#[test]
fn an_invalid_value_is_not_reported() {
    use gizwits_codec_core::link::testing::Module;
    use gizwits_codec_core::uart::{Command, DeviceInfo};
    use gizwits_codec_core::{PointId, model::Model};

    let info = DeviceInfo::new(Product::PRODUCT_KEY);
    let mut buffer = [0; Link::<Product>::room()];
    let (mut link, mut status) = (Link::new(&info, &mut buffer), Status::new());
    let mut module = Module::<Product>::new();
    // set_temp is 99.
    module.send(Command::TO_DEVICE, &[0x01, 0x40, 0, 0, 0, 99]);
    module.read();
    status.room_temp = 120;
    module.run(1_000, |now, byte, send| {
        turn(&mut link, &mut status, now, byte, send)
    });
    let invalid: Vec<PointId> = link.invalid().collect();
    assert_eq!(invalid, [product::id::ROOM_TEMP]);
    let reported = module.reported().unwrap();
    assert_eq!((reported.set_temp, reported.room_temp), (16, 35));
    assert!(module.sent.iter().all(|sent| sent.answer.is_some()));
    assert_eq!((module.sent.len(), module.reports().count()), (2, 1));
}
