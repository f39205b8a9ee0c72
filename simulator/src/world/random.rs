//! Random numbers and ids that derive from a seed: the same seed and scenario give the same world.

/// The random number for a seed, a name and a count: splitmix64 of an FNV-1a hash.
pub(crate) fn number(seed: u64, name: &str, count: i64) -> u64 {
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    spread(seed ^ spread(hash ^ spread(count.cast_unsigned())))
}

/// One step of splitmix64.
fn spread(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// A token, gid or uid: 32 lower-case hex digits.
pub(crate) fn hex32(seed: u64, name: &str, count: i64) -> String {
    let (high, low) = (
        number(seed, name, count),
        number(!seed, name, count.wrapping_add(1)),
    );
    format!("{high:016x}{low:016x}")
}

/// A did: 22 letters and digits.
pub(crate) fn did(seed: u64, name: &str) -> String {
    const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    (0..22)
        .filter_map(|at| ALPHABET.get((number(seed, name, at) % 62) as usize))
        .map(|byte| char::from(*byte))
        .collect()
}

/// A passcode: 10 capital letters.
pub(crate) fn passcode(seed: u64, name: &str) -> String {
    (0..10)
        .map(|at| char::from(b'A' + (number(seed, name, 1000 + at) % 26) as u8))
        .collect()
}
