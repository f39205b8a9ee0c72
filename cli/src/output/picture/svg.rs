//! Drawings as SVG.

use gizwits_codec_std::core::{Access, PointId};
use gizwits_codec_std::picture::{Picture, Row};
use svg::Document;
use svg::node::element::{Group, Rectangle, Style, Text, Title};

use super::{Drawing, range_of, shortened, shown};
use crate::text::printable;

/// The width of a bit, in pixels.
const BIT: usize = 92;
/// The height of a row, in pixels.
const LINE: usize = 30;
/// The left edge of bit 7, in pixels.
const LEFT: usize = 110;

const STYLE: &str = "\
text{font:13px sans-serif;fill:#1a1a1a}.t,.n{text-anchor:middle}\
.n,.b{fill:#555}.b,.a{text-anchor:end}.a{font-size:9px;fill:#555}\
.h{font-size:17px;font-weight:bold}rect{stroke:#555}\
.W{fill:#bfdcf2}.R{fill:#cde8c5}.A{fill:#fbe3a6}.F{fill:#f3c4b8}\
.G{fill:#f4f4f4}.p{fill:#fff;stroke:none}";

fn text(class: &str, (x, y): (usize, usize), content: &str) -> Text {
    // XML 1.0 does not allow control characters, not even as references.
    let text = Text::new(printable(content)).set("class", class);
    text.set("x", x).set("y", y)
}

fn rectangle(class: &str, (x, y): (usize, usize), (width, height): (usize, usize)) -> Rectangle {
    let rectangle = Rectangle::new().set("class", class).set("x", x).set("y", y);
    rectangle.set("width", width).set("height", height)
}

impl Drawing<'_> {
    /// The drawing as an SVG document.
    pub(crate) fn svg(&self) -> String {
        let mut body = Group::new();
        for bit in 0..8 {
            let x = LEFT + (7 - bit) * BIT + BIT / 2;
            body = body.add(text("n", (x, 74), &bit.to_string()));
        }
        let mut y = 84;
        for row in &self.picture.rows {
            let (first, last) = row.bytes();
            let corner = (LEFT - 10, y + LINE / 2 + 4);
            body = body.add(text("b", corner, &range_of(first, last)));
            let (lowest, boxes) = match row {
                Row::Bits { cells, lowest, .. } => {
                    let label = |id| self.label(id, "=");
                    let boxes = cells
                        .iter()
                        .map(|cell| (cell.width, cell.id, cell.id.map_or_else(String::new, label)));
                    (*lowest, boxes.collect())
                }
                Row::Bytes { id, part, .. } => {
                    let hex = self.hex(first, last, Picture::BAND);
                    (None, vec![(8, Some(*id), hex + &self.caption(*id, *part))])
                }
                Row::Other { what, .. } => {
                    let hex = self.hex(first, last, 10);
                    (None, vec![(8, None, hex + &printable(what))])
                }
            };
            let mut left = 0;
            for (bits, id, content) in boxes {
                let (x, width) = (LEFT + left * BIT, bits * BIT);
                let mut cell = self.cell(id, &content, x, y, width);
                left += bits;
                if let Some(lowest) = lowest {
                    let number = lowest + (8 - left) as u32;
                    let corner = (x + width - 3, y + LINE - 3);
                    cell = cell.add(text("a", corner, &number.to_string()));
                }
                body = body.add(cell);
            }
            y += LINE;
        }
        let (width, height) = (LEFT + 8 * BIT + 20, y + 78);
        let foot = self.foot.replace("        ", " · ");
        let document = Document::new()
            .set("width", width)
            .set("height", height)
            .set("viewBox", (0, 0, width, height))
            .add(Style::new(STYLE))
            .add(rectangle("p", (0, 0), (width, height)))
            .add(text("h", (20, 34), &self.title.replace("   ", " · ")))
            .add(text("b", (LEFT - 10, 74), "byte"))
            .add(body)
            .add(legend(y + 16))
            .add(text("l", (LEFT, y + 62), &foot));
        format!("{document}\n")
    }

    /// A cell with its colour and text. The cell of a point has a title, which viewers show as a tooltip.
    fn cell(&self, id: Option<PointId>, content: &str, x: usize, y: usize, width: usize) -> Group {
        let attr = id.map(|id| self.attrs[id.index()]);
        let class = attr.map_or("G", |attr| shown(attr.point().access).0);
        let short = shortened(content, width / 8);
        let group = Group::new()
            .add(rectangle(class, (x, y), (width, LINE)))
            .add(text("t", (x + width / 2, y + LINE / 2 + 4), &short));
        let Some(attr) = attr else { return group };
        let (name, label) = (attr.name(), attr.display_name());
        let (location, range) = (attr.location(), self.product.range(attr.id()));
        let about = format!("{name} {label}, {location}: {range}");
        group.add(Title::new(printable(&about)))
    }
}

/// The meanings of the colours.
fn legend(y: usize) -> Group {
    let access = [
        Access::Writable,
        Access::ReadOnly,
        Access::Alert,
        Access::Fault,
    ];
    let meanings = access.map(shown).map(|(class, name, _)| (class, name));
    let meanings = meanings.into_iter().chain([("G", "no point")]).zip(0..);
    meanings.fold(Group::new(), |group, ((class, meaning), n)| {
        let x = LEFT + 120 * n;
        group
            .add(rectangle(class, (x, y), (16, 16)))
            .add(text("l", (x + 24, y + 13), meaning))
    })
}
