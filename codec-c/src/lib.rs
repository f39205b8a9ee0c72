//! The Gizwits codec behind a small C ABI.
//!
//! The header `include/gizwits.h` is for programs in C; these pages are the same functions, as Rust has them. Programs
//! in Rust use `gizwits-codec-std` or `gizwits-codec-core` instead.
//!
//! # Safety
//! All functions that take pointers have the contract of the header. A pointer to data is null with the length 0, or
//! points to as many items as its length says; a pointer to a result points to memory of its type, which need not be
//! initialised; `error` may be null. Nobody else writes the memory of the arguments during the call, or uses that of
//! the results. The functions check the rest: null, alignment, impossible lengths, and memory that overlaps.
//!
//! # Features
//! - `std` (default): definitions that are read at run time, with names, labels and JSON. Without it, the library has
//!   frames and the serial link, and needs neither an operating system nor an allocator.

// An operating system brings a panic handler with its standard library, which a library without `std` lacks.
#![cfg_attr(all(not(feature = "std"), target_os = "none"), no_std)]
// The names are those of C.
#![allow(non_camel_case_types)]
// The contract is the same for all functions, and the page of the crate states it.
#![allow(clippy::missing_safety_doc)]
// The number of the parameters is that of C, where a buffer has three.
#![allow(clippy::too_many_arguments)]
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::panic
)]

mod argument;
#[cfg(feature = "std")]
pub mod decode;
#[cfg(feature = "std")]
pub mod encode;
pub mod error;
pub mod frame;
#[cfg(feature = "std")]
mod handles;
pub mod link;
#[cfg(feature = "std")]
pub mod message;
#[cfg(feature = "std")]
pub mod payload;
#[cfg(feature = "std")]
pub mod point;
#[cfg(feature = "std")]
pub mod product;
#[cfg(feature = "std")]
pub mod products;
#[cfg(feature = "std")]
pub mod state;
pub mod status;
pub mod uart;
pub mod version;

/// Stops the program. Neither the core nor this crate can panic, so that the linker leaves this function out.
#[cfg(all(not(feature = "std"), target_os = "none"))]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {
        core::hint::spin_loop();
    }
}
