//! The locations of points in a status with all of them.

use gizwits_codec_core::{Kind, PointValue};

use crate::product::Product;
use crate::product::attr::{Attr, uint_spec};

/// The location of a value in a status with all points: the bits of a window of 8 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Location {
    /// One past its last byte.
    pub(crate) end: usize,
    /// The bits of the last byte below it.
    pub(crate) shift: u8,
    /// The bits of a number; 0 for a binary.
    pub(crate) bits: u8,
    /// The bytes that it touches.
    pub(crate) len: usize,
}

/// The locations of a product's points in a status with all of them, by id.
pub(crate) fn locations(product: &Product) -> Vec<Location> {
    let location = |reading: PointValue<'_, '_>| {
        let span = reading.span();
        let point = product.attr(reading.id()).map(Attr::point);
        let bits = match point.map(|point| (point.kind, point.position.len)) {
            Some((Kind::Bool | Kind::Enum { .. }, len)) => len as u8,
            Some((kind, _)) => uint_spec(kind).map_or(0, |(_, widest)| widest.count_ones() as u8),
            None => 0,
        };
        Location {
            end: span.bytes.end,
            shift: span.shift,
            bits,
            len: span.bytes.len(),
        }
    };
    product.with_all_points(|view| view.iter().map(location).collect())
}
