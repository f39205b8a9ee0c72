//! Image files: SVG, or PNG rendered from SVG.

#[cfg(feature = "png")]
mod png;

use std::io::Write;
use std::path::Path;

use crate::failure::Failure;
use crate::output::file;

/// Writes a drawing to a file, or to `out` if the path is `-`. Renders a PNG if the extension is `png`.
pub(crate) fn write(path: &Path, svg: String, out: &mut impl Write) -> Result<(), Failure> {
    let extension = path.extension().unwrap_or_default();
    let image = match extension.eq_ignore_ascii_case("png") {
        #[cfg(feature = "png")]
        true => png::draw(&svg)?,
        #[cfg(not(feature = "png"))]
        true => {
            return Err(crate::failure::usage(format_args!(
                "{}: this gizwits was built without PNG: choose a file name that ends in .svg, or install it with \
                 `cargo install --path cli --features png`",
                path.display()
            )));
        }
        false => svg.into_bytes(),
    };
    file::write(Some(path), &image, out)
}
