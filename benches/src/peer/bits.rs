//! bitvec: a decoder whose bit ranges come from a definition at run time.

use bitvec::prelude::*;
use gizwits_codec_core::{Kind, Unit};
use gizwits_codec_std::Product;

/// The bit range of each point, in the order of the ids; empty for a binary.
#[must_use]
pub fn ranges(product: &Product) -> Vec<(usize, usize)> {
    let bit_ends = |start: u32| {
        let positions = product.attrs().map(|attr| attr.point().position);
        let same = positions.filter(move |one| one.unit == Unit::Bit && one.byte_offset == start);
        same.map(|one| one.bit_offset + one.len).max().unwrap_or(0)
    };
    let range = |attr: &gizwits_codec_std::Attr| {
        let position = attr.point().position;
        let (first, last) = match (attr.point().kind, position.unit) {
            (Kind::Binary, _) => (0, 0),
            (_, Unit::Byte) => {
                let first = 8 * position.byte_offset;
                (first, first + 8 * position.len)
            }
            (_, Unit::Bit) => {
                let area =
                    8 * position.byte_offset + bit_ends(position.byte_offset).div_ceil(8) * 8;
                let last = area - position.bit_offset;
                (last - position.len, last)
            }
        };
        (first as usize, last as usize)
    };
    product.attrs().map(range).collect()
}

/// The raw values of a status; 0 for a binary.
pub fn decode(ranges: &[(usize, usize)], status: &[u8], out: &mut [u32]) {
    let bits = status.view_bits::<Msb0>();
    for (slot, (first, last)) in out.iter_mut().zip(ranges) {
        *slot = match first == last {
            true => 0,
            false => bits[*first..*last].load_be(),
        };
    }
}
