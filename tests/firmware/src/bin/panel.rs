//! A link over `embedded-io` on the serial port of `mps2-an385`.

#![no_std]
#![no_main]

use gizwits_firmware::blocking;
use gizwits_firmware::board::{self, Timer, Uart};

#[unsafe(no_mangle)]
extern "C" fn start() -> ! {
    let mut timer = Timer::new();
    let ended = blocking::run(&mut Uart::new(), || timer.now());
    board::exit(ended.is_ok())
}
