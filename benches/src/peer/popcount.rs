//! Random access to a var_len message by popcounts over a table of runs, and by nothing else: what the
//! core does where many points are present.
//!
//! A run is a range of ids whose points are of one size, so the bits or bytes that it takes are a
//! popcount of its part of the mask times that size. It costs the same whatever the message has.

use gizwits_codec_core::PointId;
use gizwits_codec_core::Unit;
use gizwits_codec_std::Product;

/// The runs of a product of at most 128 points.
#[derive(Clone, Debug)]
pub struct Runs {
    runs: Vec<Run>,
    mask_len: usize,
}

#[derive(Clone, Copy, Debug)]
struct Run {
    first: u32,
    end: u32,
    unit: Unit,
    len: u32,
}

impl Runs {
    /// The runs of this product.
    #[must_use]
    pub fn new(product: &Product) -> Self {
        let mut runs: Vec<Run> = Vec::new();
        for attr in product.attrs() {
            let (id, position) = (u32::from(attr.id().0), attr.point().position);
            match runs.last_mut() {
                Some(run) if (run.unit, run.len) == (position.unit, position.len) => run.end += 1,
                _ => runs.push(Run {
                    first: id,
                    end: id + 1,
                    unit: position.unit,
                    len: position.len,
                }),
            }
        }
        Runs {
            runs,
            mask_len: product.layout().mask_len(),
        }
    }

    /// The bytes of a body that a point in bytes has, if the body has just the length that its mask
    /// asks for and the point is there.
    #[must_use]
    pub fn bytes<'b>(&self, body: &'b [u8], id: PointId) -> Option<&'b [u8]> {
        let (mask, values) = body.split_at_checked(self.mask_len)?;
        let mask = mask
            .iter()
            .fold(0_u128, |mask, byte| mask << 8 | u128::from(*byte));
        let id = u32::from(id.0);
        let (mut bits, mut bytes, mut before, mut own) = (0, 0, 0, 0);
        for run in &self.runs {
            let part = mask >> run.first & ((1 << (run.end - run.first)) - 1);
            let taken = part.count_ones() * run.len;
            match run.unit {
                Unit::Bit => bits += taken,
                Unit::Byte if run.end <= id => before += taken,
                Unit::Byte if run.first <= id => {
                    let below = part & ((1 << (id - run.first)) - 1);
                    before += below.count_ones() * run.len;
                    own = run.len;
                }
                Unit::Byte => {}
            }
            if run.unit == Unit::Byte {
                bytes += taken;
            }
        }
        let area = bits.div_ceil(8);
        if values.len() != (area + bytes) as usize || mask >> id & 1 == 0 {
            return None;
        }
        let start = area + before;
        values.get(start as usize..(start + own) as usize)
    }
}
