//! The names of a product's points, for look-ups.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher, RandomState};

use gizwits_codec_core::PointId;

/// The ids of points by their names.
pub(super) struct Names(HashMap<Box<[u8]>, PointId, Seed>);

impl Names {
    /// Creates the table of these points.
    pub(super) fn new<'n>(names: impl Iterator<Item = (&'n str, PointId)>) -> Self {
        let mut ids = HashMap::with_hasher(Seed(RandomState::new().hash_one(0)));
        ids.extend(names.map(|(name, id)| (name.as_bytes().into(), id)));
        Names(ids)
    }

    /// Returns the id of the point with this name.
    #[inline]
    pub(super) fn get(&self, name: &[u8]) -> Option<PointId> {
        self.0.get(name).copied()
    }
}

/// The start of all hashes of a table, which is different for each table: a definition can't be made so that its
/// names collide.
#[derive(Clone, Copy)]
struct Seed(u64);

impl BuildHasher for Seed {
    type Hasher = NameHasher;

    #[inline]
    fn build_hasher(&self) -> NameHasher {
        NameHasher(self.0)
    }
}

/// A hasher for short texts. The standard library's takes longer for a name than reading its value.
struct NameHasher(u64);

impl NameHasher {
    #[inline]
    fn add(&mut self, word: u64) {
        // Both halves of the product depend on all bits of both factors.
        let product = u128::from(self.0 ^ word) * u128::from(0x9e37_79b9_7f4a_7c15_u64);
        self.0 = product as u64 ^ (product >> 64) as u64;
    }
}

impl Hasher for NameHasher {
    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.add(u64::from_le_bytes(*word));
        }
        self.add(
            rest.iter()
                .fold(0, |word, byte| word << 8 | u64::from(*byte)),
        );
    }

    #[inline]
    fn write_usize(&mut self, len: usize) {
        self.0 ^= len as u64;
    }

    #[inline]
    fn finish(&self) -> u64 {
        self.0
    }
}
