//! The product of the application, and one of the other protocol, from their definitions.

fn main() -> Result<(), gizwits_codec_std::codegen::BuildError> {
    gizwits_codec_std::codegen::Build::new()
        .definition("../fixtures/climate.json")
        .definition("../fixtures/voice-toy.json")
        .run()
}
