//! The product of the application, from its definition.

fn main() -> std::io::Result<()> {
    gizwits_codec_std::codegen::build("../fixtures/climate.json")
}
