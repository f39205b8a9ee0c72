//! Where the points of a product are in a status with all of them.

use gizwits_codec_core::Kind;

use crate::product::Product;
use crate::product::attr::Attr;

/// Where a value is in a status with all points: the bits of a window of 8 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Location {
    /// One past its last byte.
    pub(crate) end: usize,
    /// The bits of the last byte below it.
    pub(crate) shift: u8,
    /// Of a number, its bits; of a binary 0.
    pub(crate) bits: u8,
    /// The bytes that it touches.
    pub(crate) len: usize,
}

/// Where the points of a product are in a status with all of them, by id.
pub(crate) fn locations(product: &Product) -> Vec<Location> {
    let layout = product.layout();
    let mut known = vec![0; layout.mask_len()];
    let status = vec![0; layout.status_len()];
    for id in 0..usize::from(layout.points()) {
        let last = known.len() - 1;
        known[last - id / 8] |= 1 << (id % 8);
    }
    let view = layout.view_known(&known, &status);
    let places = view.into_iter().flatten().map(|reading| {
        let span = reading.span();
        let point = product.attr(reading.id()).map(Attr::point);
        let bits = match point.map(|point| (point.kind, point.position.len)) {
            Some((Kind::Uint8(_), _)) => 8,
            Some((Kind::Uint16(_), _)) => 16,
            Some((Kind::Uint32(_), _)) => 32,
            Some((Kind::Bool | Kind::Enum { .. }, len)) => len as u8,
            _ => 0,
        };
        Location {
            end: span.bytes.end,
            shift: span.shift,
            bits,
            len: span.bytes.len(),
        }
    });
    places.collect()
}
