//! The locations of points in a message with all points.

use gizwits_codec_core::{Kind, PointValue};

use crate::product::Product;
use crate::product::attr::{Attr, uint_spec};

/// The location of a value in a message with all points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Location {
    /// The end offset: one past the last byte of the value.
    pub(crate) end: usize,
    /// The number of bits in the last byte below the value.
    pub(crate) shift: u8,
    /// The width of a number in bits; 0 for a binary.
    pub(crate) bits: u8,
    /// The number of bytes that contain bits of the value.
    pub(crate) len: usize,
}

impl Location {
    /// The greatest raw value.
    pub(crate) fn most(&self) -> u32 {
        u32::MAX.unbounded_shr(32 - u32::from(self.bits))
    }
}

/// The locations of the points of a product, by id.
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
