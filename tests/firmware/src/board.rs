//! A Cortex-M of QEMU's `mps2-an385`: vectors, serial port, timer, semihosting.
//!
//! The panic handler calls a symbol that nobody defines, so that an image links only if no panic can be
//! reached.

use core::arch::{asm, global_asm};
use core::convert::Infallible;
use core::hint::black_box;

use register::{read, write};

/// The serial port (ARM CMSDK APB UART).
#[derive(Debug)]
pub struct Uart(());

impl Uart {
    const BASE: usize = 0x4000_4000;

    /// Switches it on.
    #[must_use]
    pub fn new() -> Self {
        write(Self::BASE + 0x10, 16);
        write(Self::BASE + 0x08, 0b11);
        Uart(())
    }

    /// The byte that came in, if one did.
    pub fn read(&mut self) -> Option<u8> {
        (read(Self::BASE + 0x04) & 0b10 != 0).then(|| read(Self::BASE) as u8)
    }

    /// Sends a byte once there is room for it.
    pub fn write(&mut self, byte: u8) {
        while read(Self::BASE + 0x04) & 0b01 != 0 {}
        write(Self::BASE, byte.into());
    }
}

impl embedded_io::ErrorType for Uart {
    type Error = Infallible;
}

impl embedded_io::ReadReady for Uart {
    fn read_ready(&mut self) -> Result<bool, Infallible> {
        Ok(read(Self::BASE + 0x04) & 0b10 != 0)
    }
}

impl embedded_io::Read for Uart {
    fn read(&mut self, bytes: &mut [u8]) -> Result<usize, Infallible> {
        let Some(first) = bytes.first_mut() else {
            return Ok(0);
        };
        loop {
            if let Some(byte) = Uart::read(self) {
                *first = byte;
                return Ok(1);
            }
        }
    }
}

impl embedded_io::WriteReady for Uart {
    fn write_ready(&mut self) -> Result<bool, Infallible> {
        Ok(read(Self::BASE + 0x04) & 0b01 == 0)
    }
}

impl embedded_io::Write for Uart {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        for byte in bytes {
            Uart::write(self, *byte);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

impl embedded_io_async::Read for Uart {
    async fn read(&mut self, bytes: &mut [u8]) -> Result<usize, Infallible> {
        while read(Self::BASE + 0x04) & 0b10 == 0 {
            embassy_futures::yield_now().await;
        }
        embedded_io::Read::read(self, bytes)
    }
}

impl embedded_io_async::Write for Uart {
    async fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        embedded_io::Write::write(self, bytes)
    }

    async fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

impl Default for Uart {
    fn default() -> Self {
        Uart::new()
    }
}

/// The system timer: 25 MHz, counting down from 24 bits.
#[derive(Debug)]
pub struct Timer {
    last: u32,
    ticks: u32,
    ms: u32,
}

impl Timer {
    const BASE: usize = 0xe000_e010;

    /// Starts it.
    #[must_use]
    pub fn new() -> Self {
        write(Self::BASE + 4, 0x00ff_ffff);
        write(Self::BASE + 8, 0);
        write(Self::BASE, 0b101);
        Timer {
            last: read(Self::BASE + 8),
            ticks: 0,
            ms: 0,
        }
    }

    /// The ticks since this was called last, at most 24 bits of them.
    pub fn lap(&mut self) -> u32 {
        let now = read(Self::BASE + 8);
        let passed = self.last.wrapping_sub(now) & 0x00ff_ffff;
        self.last = now;
        passed
    }

    /// The milliseconds since it was started, if it is called a few times a second.
    pub fn now(&mut self) -> u32 {
        self.ticks = self.ticks.wrapping_add(self.lap());
        while self.ticks >= 25_000 {
            self.ticks -= 25_000;
            self.ms = self.ms.wrapping_add(1);
        }
        self.ms
    }
}

impl Default for Timer {
    fn default() -> Self {
        Timer::new()
    }
}

/// Registers of the machine.
pub mod register {
    use core::ptr;

    /// Reads one.
    #[must_use]
    pub fn read(address: usize) -> u32 {
        // SAFETY: the address is that of a register of the machine.
        unsafe { ptr::read_volatile(ptr::with_exposed_provenance(address)) }
    }

    /// Writes one.
    pub fn write(address: usize, value: u32) {
        // SAFETY: the address is that of a register of the machine.
        unsafe { ptr::write_volatile(ptr::with_exposed_provenance_mut(address), value) }
    }
}

/// Restarts the machine.
pub fn reset() -> ! {
    write(0xe000_ed0c, 0x05fa_0004);
    loop {}
}

/// Ends the run, well or not.
pub fn exit(good: bool) -> ! {
    loop {
        // SYS_EXIT with ADP_Stopped_ApplicationExit, or with a run time error.
        semihosting(0x18, if good { 0x20026 } else { 0x20023 });
    }
}

/// Writes a text that ends with a zero (SYS_WRITE0).
pub fn say(text: &'static str) {
    semihosting(0x04, text.as_ptr() as usize);
}

/// Writes a number.
pub fn say_number(mut number: u32) {
    let mut digits = [0; 11];
    for digit in digits.iter_mut().rev().skip(1) {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
    let zeros = digits
        .iter()
        .take(9)
        .take_while(|digit| **digit == b'0')
        .count();
    if let Some(shown) = digits.get(zeros..) {
        semihosting(0x04, shown.as_ptr() as usize);
    }
}

fn semihosting(operation: usize, argument: usize) {
    // SAFETY: QEMU runs with semihosting, which the instruction asks for; a text is not written to.
    unsafe {
        asm!("bkpt 0xab", inout("r0") operation => _, in("r1") argument, options(nostack));
    }
}

/// How many bytes of stack a function needs, all that it calls included.
pub fn stack_of(function: fn()) -> u32 {
    const BOTTOM: usize = 0x2000_0000;
    const PAINT: u32 = 0xdead_beef;
    // Below the frame of this very function, with room for what it calls itself.
    let top = stack_pointer() - 64;
    for address in (BOTTOM..top).step_by(4) {
        write(address, PAINT);
    }
    let before = stack_pointer();
    black_box(function)();
    let clean = (BOTTOM..top)
        .step_by(4)
        .take_while(|address| read(*address) == PAINT)
        .count();
    (before - BOTTOM - 4 * clean) as u32
}

#[inline(always)]
fn stack_pointer() -> usize {
    let pointer;
    // SAFETY: it reads a register.
    unsafe { asm!("mov {}, sp", out(reg) pointer, options(nomem, nostack)) }
    pointer
}

// The initial stack, the reset handler, and every fault at the end of the run.
global_asm!(
    ".section .vectors, \"a\"",
    ".word 0x20004000",
    ".word start",
    ".rept 14",
    ".word fault",
    ".endr",
    ".text",
    ".thumb_func",
    "fault: b fault",
);

// Copies and fills byte by byte, as a C library made for size does. The compiler's own are faster and
// are larger.
global_asm!(
    ".section .text.mem, \"ax\"",
    ".syntax unified",
    ".global memcpy, __aeabi_memcpy, __aeabi_memcpy4, __aeabi_memcpy8",
    ".thumb_func",
    "memcpy:",
    ".thumb_func",
    "__aeabi_memcpy:",
    ".thumb_func",
    "__aeabi_memcpy4:",
    ".thumb_func",
    "__aeabi_memcpy8:",
    "subs r2, #1",
    "blo 1f",
    "ldrb r3, [r1, r2]",
    "strb r3, [r0, r2]",
    "b memcpy",
    ".global __aeabi_memclr, __aeabi_memclr4, __aeabi_memclr8",
    ".thumb_func",
    "__aeabi_memclr:",
    ".thumb_func",
    "__aeabi_memclr4:",
    ".thumb_func",
    "__aeabi_memclr8:",
    "movs r2, #0",
    ".global __aeabi_memset, __aeabi_memset4, __aeabi_memset8",
    ".thumb_func",
    "__aeabi_memset:",
    ".thumb_func",
    "__aeabi_memset4:",
    ".thumb_func",
    "__aeabi_memset8:",
    "subs r1, #1",
    "blo 1f",
    "strb r2, [r0, r1]",
    "b __aeabi_memset",
    "1: bx lr",
);

unsafe extern "C" {
    safe fn a_panic_is_reachable() -> !;
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    a_panic_is_reachable()
}
