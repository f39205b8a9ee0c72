//! An ATmega1284P, as simavr has it: the serial port, and the end of the run.
//!
//! The panic handler calls a symbol that nobody defines, so that an image links only if no panic can be
//! reached.

use core::arch::asm;
use core::ptr;

/// UCSR0A. Bit 5 is set once there is room for a byte to send.
const STATUS: usize = 0xc0;
/// UCSR0B. Bit 3 switches the sender on.
const CONTROL: usize = 0xc1;
/// UDR0: the byte to send.
const DATA: usize = 0xc6;
/// SMCR. Bit 0 lets the processor sleep.
const SLEEP: usize = 0x53;

fn read(address: usize) -> u8 {
    // SAFETY: the address is that of a register of the machine.
    unsafe { ptr::read_volatile(ptr::with_exposed_provenance(address)) }
}

fn write(address: usize, value: u8) {
    // SAFETY: the address is that of a register of the machine.
    unsafe { ptr::write_volatile(ptr::with_exposed_provenance_mut(address), value) }
}

/// Sends a byte.
pub fn put(byte: u8) {
    write(CONTROL, 1 << 3);
    while read(STATUS) & (1 << 5) == 0 {}
    write(DATA, byte);
}

/// Sends a text that ends with a zero.
pub fn say(text: &'static str) {
    text.bytes().filter(|byte| *byte != 0).for_each(put);
}

/// Ends the run. The last line says whether it was good, because simavr has no exit status.
pub fn exit(good: bool) -> ! {
    say(if good { "good\n\0" } else { "bad\n\0" });
    write(SLEEP, 1);
    loop {
        // SAFETY: no memory is read or written. simavr ends when the processor sleeps without interrupts.
        unsafe { asm!("cli", "sleep", options(nomem, nostack)) }
    }
}

unsafe extern "C" {
    safe fn start() -> !;
    safe fn a_panic_is_reachable() -> !;
}

/// The start of avr-libc calls it.
#[unsafe(no_mangle)]
extern "C" fn main() -> ! {
    start()
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    a_panic_is_reachable()
}
