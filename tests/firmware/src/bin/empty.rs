//! Nothing: what every image has.

#![no_std]
#![no_main]

use gizwits_firmware::board;

#[unsafe(no_mangle)]
extern "C" fn start() -> ! {
    board::exit(true)
}
