//! What the images share: the least of a board under QEMU, the product, and the application.

#![no_std]

pub mod application;
pub mod board;

/// The climate panel: 39 points.
pub mod product {
    include!(concat!(env!("OUT_DIR"), "/product.rs"));
}
