//! PNG rendered from SVG, with the fonts of this machine.

use std::collections::BTreeSet;
use std::sync::Arc;

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::fontdb::{Database, Family, Query, Style, Weight};
use resvg::usvg::{Group, Node, Options, Tree};

use crate::failure::{Failure, usage};
use crate::text::tell;

/// Renders an SVG as PNG, at twice the size so that small text is readable.
pub(super) fn draw(svg: &str) -> Result<Vec<u8>, Failure> {
    const SCALE: f32 = 2.0;
    let failed = |why: &dyn std::fmt::Display| usage(format_args!("can't render the PNG: {why}"));
    let Some(fonts) = fonts() else {
        return Err(failed(
            &"this machine has no fonts; choose a file name that ends in .svg",
        ));
    };
    let options = Options {
        fontdb: Arc::new(fonts),
        ..Options::default()
    };
    let tree = Tree::from_str(svg, &options).map_err(|error| failed(&error))?;
    let missing = String::from_iter(without_glyph(tree.root()));
    if !missing.is_empty() {
        tell(format_args!(
            "warning: no font of this machine has {missing}: the PNG shows boxes instead; a file name that ends in .svg keeps the text"
        ));
    }
    let size = tree.size().to_int_size().scale_by(SCALE);
    let mut pixels = size
        .and_then(|size| Pixmap::new(size.width(), size.height()))
        .ok_or_else(|| failed(&"the drawing is too large"))?;
    let scale = Transform::from_scale(SCALE, SCALE);
    resvg::render(&tree, scale, &mut pixels.as_mut());
    pixels.encode_png().map_err(|error| failed(&error))
}

/// The fonts of this machine, if there are any. Characters that a font lacks are taken from the others.
fn fonts() -> Option<Database> {
    let mut fonts = Database::new();
    fonts.load_system_fonts();
    let sans = Query {
        families: &[Family::SansSerif],
        ..Query::default()
    };
    // The default sans-serif family of the database may not be installed, so the best match is configured.
    if fonts.query(&sans).is_none() {
        let face = fonts.faces().max_by_key(|face| {
            let is_sans = face.families.iter().any(|(name, _)| name.contains("Sans"));
            let is_regular = (face.style, face.weight) == (Style::Normal, Weight::NORMAL);
            (is_sans, is_regular, !face.monospaced)
        })?;
        let family = face.families.first()?.0.clone();
        fonts.set_sans_serif_family(family);
    }
    Some(fonts)
}

/// The characters in the text of a drawing that no font has a glyph for.
fn without_glyph(group: &Group) -> BTreeSet<char> {
    let missing = group.children().iter().flat_map(|node| match node {
        Node::Group(group) => without_glyph(group),
        Node::Text(text) => {
            let spans = text.layouted().iter();
            let glyphs = spans.flat_map(|span| &span.positioned_glyphs);
            let missing = glyphs.filter(|glyph| glyph.id.0 == 0);
            missing.flat_map(|glyph| glyph.text.chars()).collect()
        }
        _ => BTreeSet::new(),
    });
    missing.collect()
}
