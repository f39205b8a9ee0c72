//! The build script of a firmware.

// README: begin
use gizwits_codec_std::codegen;

fn main() -> Result<(), codegen::BuildError> {
    codegen::build("product.json")
}
// README: end

/// Cargo shows the error of a failed build as text, not as a Rust value.
#[test]
fn its_errors_are_text() {
    // There is no such file here, and no OUT_DIR.
    let error = format!("{:?}", main().unwrap_err());
    let mut lines = error.lines();
    assert_eq!(lines.next(), Some("no code was generated: 2 errors"));
    assert!(lines.next().unwrap().starts_with("  product.json: "));
}
