//! Drawings as image files: SVG, or PNG drawn from it.

#[cfg(feature = "png")]
mod png;

use std::io::Write;
use std::path::Path;

use crate::failure::Failure;
use crate::output::file;

/// Writes a drawing: as PNG into a file of that extension, otherwise as SVG.
pub(crate) fn write(path: &Path, svg: String, out: &mut impl Write) -> Result<(), Failure> {
    let extension = path.extension().unwrap_or_default();
    let image = match extension.eq_ignore_ascii_case("png") {
        #[cfg(feature = "png")]
        true => png::draw(&svg)?,
        #[cfg(not(feature = "png"))]
        true => {
            return Err(crate::failure::usage(format_args!(
                "{}: this gizwits is built without PNG: name a file .svg, or install it with \
                 `cargo install --path cli --features png`",
                path.display()
            )));
        }
        false => svg.into_bytes(),
    };
    file::write(Some(path), &image, out)
}
