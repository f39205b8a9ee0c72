//! The options of generated code.

use super::names::Names;

/// The options of generated code: names, and derives for logging.
///
/// ```
/// use gizwits_codec_std::{Product, codegen};
///
/// let definition = std::fs::read_to_string("../tests/fixtures/air-conditioner.json")?;
/// let product = Product::from_json(&definition)?;
/// let code = codegen::Options::new().defmt(true).rust(&product);
/// assert!(code.contains(r#"#[cfg_attr(feature = "defmt", derive(defmt::Format))]"#));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Options {
    pub(super) names: Names,
    pub(super) defmt: bool,
}

impl Options {
    /// Creates the default options: the names of the definition, and no derives for logging.
    pub fn new() -> Self {
        Options::default()
    }

    /// Sets names for points and labels. By default they follow from the definition.
    pub fn names(mut self, names: Names) -> Self {
        self.names = names;
        self
    }

    /// Sets whether the types of Rust code derive `defmt::Format` behind the feature `defmt` of the crate that contains
    /// the code. `false` by default. C code has no such types.
    ///
    /// The crate declares the feature as `defmt = ["dep:defmt", "gizwits-codec-core/defmt"]`.
    pub fn defmt(mut self, defmt: bool) -> Self {
        self.defmt = defmt;
        self
    }
}
