//! A line that loses, doubles, inserts and flips bytes.

/// A line that isn't good: how many of 100,000 bytes are lost, doubled, have another before them, have a bit
/// flipped.
#[derive(Clone, Copy, Debug)]
pub struct Noise(pub [u32; 4]);

impl Noise {
    /// A line without noise.
    pub const NONE: Noise = Noise([0; 4]);

    /// Passes a byte over the line. Returns the bytes that arrive, and whether they are the byte that was sent.
    pub fn pass(self, byte: u8, chance: &mut impl FnMut(u32) -> u32) -> (Vec<u8>, bool) {
        let [lose, double, insert, flip] = self.0;
        let at = chance(100_000);
        if at < lose {
            (vec![], false)
        } else if at < lose + double {
            (vec![byte, byte], false)
        } else if at < lose + double + insert {
            (vec![chance(256) as u8, byte], false)
        } else if at < lose + double + insert + flip {
            (vec![byte ^ 1 << chance(8)], false)
        } else {
            (vec![byte], true)
        }
    }
}
