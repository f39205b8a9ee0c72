//! A link over `embedded-io-async` on the serial port of `mps2-an385`.

#![no_std]
#![no_main]

use core::cell::RefCell;

use embassy_futures::{block_on, yield_now};
use gizwits_firmware::asynchronous;
use gizwits_firmware::board::{self, Timer, Uart};

#[unsafe(no_mangle)]
extern "C" fn start() -> ! {
    let timer = RefCell::new(Timer::new());
    let now = || timer.try_borrow_mut().map_or(0, |mut timer| timer.now());
    let sleep = async |ms: u32| {
        let began = now();
        while now().wrapping_sub(began) < ms {
            yield_now().await;
        }
    };
    let (mut rx, mut tx) = (Uart::new(), Uart::new());
    let ended = block_on(asynchronous::run(&mut rx, &mut tx, now, sleep));
    board::exit(ended.is_ok())
}

/// The compiler's state machines panic when they are polled after their end, so this image has panics.
#[unsafe(no_mangle)]
extern "C" fn a_panic_is_reachable() -> ! {
    board::exit(false)
}
