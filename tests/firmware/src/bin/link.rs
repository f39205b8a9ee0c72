//! The application without drivers: its bytes and its time are those of a few registers.

#![no_std]
#![no_main]

use gizwits_firmware::application::{self, Machine};
use gizwits_firmware::board::{self, register};

struct Registers;

impl Machine for Registers {
    fn read(&mut self) -> Option<u8> {
        u8::try_from(register::read(0x4000_4000)).ok()
    }

    fn write(&mut self, byte: u8) {
        register::write(0x4000_4004, byte.into());
    }

    fn now(&mut self) -> u32 {
        register::read(0x4000_4008)
    }

    fn button(&mut self) -> u8 {
        register::read(0x4000_400c) as u8
    }

    fn goes_on(&mut self) -> bool {
        true
    }

    fn restart(&mut self) {
        board::reset()
    }
}

#[unsafe(no_mangle)]
extern "C" fn start() -> ! {
    application::run(&mut Registers);
    board::exit(true)
}
