//! The C ABI: the vectors, the law over arbitrary input, and misuse.

mod caller;
mod law;
mod misuse;
mod vectors;

use proptest::collection::vec;
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn it_returns_what_the_codec_returns(bytes in vec(any::<u8>(), 0..3000)) {
        law::law(&bytes);
    }
}
