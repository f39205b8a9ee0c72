//! What the images share: the least of a board under QEMU, the product, and the application; a link over
//! `embedded-io` and over `embedded-io-async`.

#![no_std]

pub mod application;
pub mod asynchronous;
pub mod blocking;
#[cfg(target_arch = "arm")]
pub mod board;

/// The climate panel: 39 points.
pub mod product {
    include!(concat!(env!("OUT_DIR"), "/climate.rs"));
}

/// The voice toy: 8 points of a var_len product.
pub mod toy {
    include!(concat!(env!("OUT_DIR"), "/voice-toy.rs"));
}
