//! Decodes and encodes the data points of Gizwits (机智云) devices behind a small C ABI.
//!
//! The header `include/gizwits.h` is for programs in C, and for every language that calls C. These pages have the same
//! functions, as Rust sees them. Programs in Rust use `gizwits-codec-std` or `gizwits-codec-core` instead.
//!
//! | to … | use |
//! | --- | --- |
//! | read a definition | [`product`](mod@product), [`point`] |
//! | decode a payload | [`payload`], [`decode`], [`message`] |
//! | encode a message | [`encode`] |
//! | keep the last values of a device | [`state`] |
//! | read and write frames | [`frame`] (networks), [`uart`] (serial line) |
//! | be the device on the serial line | [`link`] |
//! | handle errors | [`status`], [`error`] |
//!
//! # Example
//! Decode a report to JSON:
//!
#![cfg_attr(feature = "std", doc = "```")]
#![cfg_attr(not(feature = "std"), doc = "```ignore")]
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use std::ptr;
//!
//! use gizwits::decode::{GIZWITS_DECODE_ANY, gizwits_decode_json};
//! use gizwits::product::{gizwits_product_free, gizwits_product_new};
//! use gizwits::status::gizwits_status;
//!
//! let definition = std::fs::read_to_string("../tests/fixtures/air-conditioner.json")?;
//! let report = [0x04, 0x01, 0x00, 0x00, 0x10, 0x1e, 0x00, 0x00];
//!
//! let (mut product, mut json, mut length) = (0, [0_u8; 512], 0);
//! // SAFETY: each pointer comes from a reference or a slice, with its length.
//! let status = unsafe {
//!     gizwits_product_new(
//!         definition.as_ptr().cast(),
//!         definition.len(),
//!         &mut product,
//!         ptr::null_mut(),
//!     );
//!     gizwits_decode_json(
//!         product,
//!         GIZWITS_DECODE_ANY,
//!         report.as_ptr(),
//!         report.len(),
//!         json.as_mut_ptr().cast(),
//!         json.len(),
//!         &mut length,
//!         ptr::null_mut(),
//!     )
//! };
//! assert_eq!(status, gizwits_status::Ok);
//! let json = std::str::from_utf8(&json[..length])?;
//! assert!(json.starts_with(r#"{"action":"report","attrs":{"switch":1,"#), "{json}");
//! gizwits_product_free(product);
//! # Ok(())
//! # }
//! ```
//!
//! The README has this example in C, and `examples/host.c` is a whole program in C.
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
