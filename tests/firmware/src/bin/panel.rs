//! The application on the serial port of `mps2-an385`.

#![no_std]
#![no_main]

use gizwits_firmware::application::{self, Machine};
use gizwits_firmware::board::{self, Timer, Uart};

struct Board {
    uart: Uart,
    timer: Timer,
}

impl Machine for Board {
    fn read(&mut self) -> Option<u8> {
        self.uart.read()
    }

    fn write(&mut self, byte: u8) {
        self.uart.write(byte);
    }

    fn now(&mut self) -> u32 {
        self.timer.now()
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
    application::run(&mut Board {
        uart: Uart::new(),
        timer: Timer::new(),
    });
    board::exit(true)
}
