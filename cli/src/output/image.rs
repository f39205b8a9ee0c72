//! Image files: SVG, or PNG rendered from SVG.

#[cfg(feature = "png")]
mod png;

use std::io::Write;
use std::path::Path;

use crate::failure::{Failure, in_file};
use crate::output::file::{self, is_special, named_output};

/// Checks that the name of a file ends in .svg or .png. Standard output, pipes and devices get an SVG whatever their name.
pub(crate) fn check(path: &Path) -> Result<(), Failure> {
    let extension = path.extension().unwrap_or_default();
    let is_image = ["svg", "png"]
        .iter()
        .any(|one| extension.eq_ignore_ascii_case(one));
    match named_output(Some(path)) {
        Some(path) if !is_image && !is_special(path) => Err(in_file(
            path,
            "expected a file name that ends in .svg or .png",
        )),
        _ => Ok(()),
    }
}

/// Writes a drawing to a file, or to `out` if the path is `-`. Renders a PNG if the extension is `png`.
pub(crate) fn write(path: &Path, svg: String, out: &mut impl Write) -> Result<(), Failure> {
    let extension = path.extension().unwrap_or_default();
    let image = match extension.eq_ignore_ascii_case("png") {
        #[cfg(feature = "png")]
        true => png::draw(&svg)?,
        #[cfg(not(feature = "png"))]
        true => {
            return Err(in_file(
                path,
                "this gizwits was built without PNG: choose a file name that ends in .svg, or install it with \
                 `cargo install gizwits-cli --features png`",
            ));
        }
        false => svg.into_bytes(),
    };
    file::write(Some(path), &image, out)
}
