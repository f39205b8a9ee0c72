//! The Gizwits codec behind a small C ABI.
//!
//! The header `include/gizwits.h` documents every function for C.

// An operating system brings a panic handler with its standard library, which a library without `std` lacks.
#![cfg_attr(all(not(feature = "std"), target_os = "none"), no_std)]
// The names are those of C.
#![allow(non_camel_case_types)]

pub mod link;
pub mod status;

/// Stops the program. Neither the core nor this crate can panic, so that the linker leaves this function out.
#[cfg(all(not(feature = "std"), target_os = "none"))]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {
        core::hint::spin_loop();
    }
}
