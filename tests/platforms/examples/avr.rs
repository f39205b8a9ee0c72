//! Prints the lines of the exercises on an AVR under simavr.

#![no_std]
#![no_main]
#![feature(asm_experimental_arch)]

#[path = "../../firmware/src/avr.rs"]
mod avr;

use gizwits_platforms::{Texts, run};

#[unsafe(no_mangle)]
extern "C" fn start() -> ! {
    run(&mut avr::put, Texts::LeftOut);
    avr::exit(true)
}

/// The exercises are tests: they index slices and may panic.
#[unsafe(no_mangle)]
extern "C" fn a_panic_is_reachable() -> ! {
    avr::exit(false)
}
