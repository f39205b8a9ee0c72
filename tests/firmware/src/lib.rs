//! What the images share: the least of a board under QEMU, the product, and the application; a link over
//! `embedded-io` and over `embedded-io-async`.

#![no_std]
// For the instruction that ends a run on an AVR. The images are built with the source of `core`, so unstable features work.
#![cfg_attr(target_arch = "avr", feature(asm_experimental_arch))]

pub mod application;
pub mod asynchronous;
pub mod blocking;
#[cfg(target_arch = "arm")]
pub mod board;
#[cfg(target_arch = "avr")]
#[path = "avr.rs"]
pub mod board;

/// The climate panel: 39 points.
pub mod product {
    include!(concat!(env!("OUT_DIR"), "/climate.rs"));
}

/// The voice toy: 8 points of a var_len product.
pub mod toy {
    include!(concat!(env!("OUT_DIR"), "/voice-toy.rs"));
}
