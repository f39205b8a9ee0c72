//! The core allocates nothing, and neither does a product that decodes into a used buffer.

use allocation_counter::measure;
use gizwits_codec_core::m2m::{self, Event};
use gizwits_codec_core::{Action, Encoder, P0};
use gizwits_codec_std::payload;
use gizwits_tests::vectors::{product, vectors};

/// Allocations of one run of `work` after a first that may allocate.
fn allocations(mut work: impl FnMut()) -> u64 {
    work();
    measure(work).count_total
}

#[test]
fn the_core_allocates_nothing() {
    for vector in vectors("standard.json")
        .into_iter()
        .chain(vectors("var_len.json"))
    {
        let product = product(vector["definition"].as_str().unwrap());
        let bytes = payload::parse(vector["payload"].as_str().unwrap(), None).unwrap();
        let mut out = vec![0; 4096];
        let count = allocations(|| {
            let p0 = match m2m::parse(&bytes, usize::MAX) {
                Ok((Event::Frame(frame), _)) => frame.p0().unwrap_or(&[]),
                _ => &bytes,
            };
            let parsed = P0::parse(product.layout(), p0);
            let (action, view) = match parsed {
                Ok(P0::Control(view)) => (Action::Control, view),
                Ok(P0::Reply(view)) => (Action::Reply, view),
                Ok(P0::Report(view)) => (Action::Report, view),
                _ => return,
            };
            let mut encoder = Encoder::begin(product.layout(), action, &mut out).unwrap();
            for reading in view {
                let _ = encoder.set(reading.id(), reading.value());
            }
            let _ = encoder.finish();
        });
        assert_eq!(count, 0, "{}", vector["id"]);
    }
}

#[test]
fn a_product_decodes_into_a_used_buffer_without_allocating() {
    for vector in vectors("standard.json")
        .into_iter()
        .chain(vectors("var_len.json"))
    {
        let product = product(vector["definition"].as_str().unwrap());
        let text = vector["payload"].as_str().unwrap();
        let (mut bytes, mut out) = (Vec::new(), Vec::new());
        let count = allocations(|| {
            out.clear();
            payload::parse_into(text, None, &mut bytes).unwrap();
            product.decode(&bytes).unwrap().write_json(&mut out);
        });
        assert_eq!(count, 0, "{}", vector["id"]);
    }
}
