//! A server that decodes messages.

// README: begin
use gizwits_codec_std::{Action, Product, payload};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let json = std::fs::read_to_string("tests/fixtures/air-conditioner.json")?;
    let product = Product::from_json(&json)?;

    let bytes = payload::parse("000000030b0000910401000010000000", None)?;
    println!("{}", product.decode(&bytes)?.to_json());

    let mut control = product.message(Action::Control);
    control.set_word("set_temp", "24")?;
    assert_eq!(payload::hex(&control.encode()?), "014000000018");
    Ok(())
}
// README: end

#[test]
fn runs() {
    std::env::set_current_dir(gizwits_tests::program::root()).unwrap();
    main().unwrap();
}
