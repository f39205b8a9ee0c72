//! The C ABI: the vectors, the law over arbitrary input, and misuse.

mod caller;
mod law;
mod misuse;
mod vectors;

use gizwits_tests::targets;
use proptest::collection::vec;
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn it_returns_what_the_codec_returns(bytes in vec(any::<u8>(), 0..3000)) {
        law::law(&bytes);
    }
}

/// The law holds for the seeds of the fuzz target `c_abi`, which have the inputs of past findings.
#[test]
fn seeds_of_the_fuzz_target() {
    let seeds = targets::seeds("c_abi");
    assert!(seeds.len() > 8, "{}", seeds.len());
    seeds.for_each(|seed| law::law(&seed));
}
