//! A picture as SVG.

use gizwits_codec_std::core::PointId;
use gizwits_codec_std::{Picture, Row};
use svg::Document;
use svg::node::element::{Group, Rectangle, Style, Text, Title};

use super::{Drawing, letter, range_of, shortened};
use crate::text::printable;

/// The sizes of a bit and of a row, and the left edge of the first bit.
const BIT: usize = 92;
const LINE: usize = 30;
const LEFT: usize = 110;

const STYLE: &str = "\
text{font:13px sans-serif;fill:#1a1a1a}.t,.n{text-anchor:middle}\
.n,.b{fill:#555}.b,.a{text-anchor:end}.a{font-size:9px;fill:#555}\
.h{font-size:17px;font-weight:bold}rect{stroke:#555}\
.W{fill:#bfdcf2}.R{fill:#cde8c5}.A{fill:#fbe3a6}.F{fill:#f3c4b8}\
.G{fill:#f4f4f4}.p{fill:#fff;stroke:none}";

/// A cell of a row.
struct Area {
    /// In bits from the left.
    left: usize,
    width: usize,
    id: Option<PointId>,
    text: String,
    /// The number of its lowest bit in an area of several bytes.
    number: Option<u32>,
}

fn text(class: &str, (x, y): (usize, usize), content: &str) -> Text {
    // XML has no control characters, not even as references.
    Text::new(printable(content))
        .set("class", class)
        .set("x", x)
        .set("y", y)
}

fn rectangle(class: &str, (x, y): (usize, usize), (width, height): (usize, usize)) -> Rectangle {
    let rectangle = Rectangle::new().set("class", class).set("x", x).set("y", y);
    rectangle.set("width", width).set("height", height)
}

impl Drawing<'_> {
    pub(crate) fn svg(&self) -> String {
        let mut body = Group::new();
        for bit in 0..8 {
            let x = LEFT + (7 - bit) * BIT + BIT / 2;
            body = body.add(text("n", (x, 74), &bit.to_string()));
        }
        let mut y = 84;
        for row in &self.picture.rows {
            let (first, last) = row.bytes();
            let place = (LEFT - 10, y + LINE / 2 + 4);
            body = body.add(text("b", place, &range_of(first, last)));
            for area in self.areas(row) {
                body = body.add(self.cell(&area, y));
            }
            y += LINE;
        }
        let (width, height) = (LEFT + 8 * BIT + 20, y + 78);
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
            .add(text(
                "l",
                (LEFT, y + 62),
                &self.foot.replace("        ", " · "),
            ));
        format!("{document}\n")
    }

    fn areas(&self, row: &Row) -> Vec<Area> {
        let whole = |id, text| {
            vec![Area {
                left: 0,
                width: 8,
                id,
                text,
                number: None,
            }]
        };
        match row {
            Row::Bits { cells, lowest, .. } => {
                let mut end = 0;
                let areas = cells.iter().map(|cell| {
                    end += cell.width;
                    Area {
                        left: end - cell.width,
                        width: cell.width,
                        id: cell.id,
                        text: cell.id.map_or_else(String::new, |id| self.label(id, "=")),
                        number: lowest.map(|lowest| lowest + (8 - end) as u32),
                    }
                });
                areas.collect()
            }
            Row::Bytes {
                first,
                last,
                id,
                part,
            } => {
                let hex = self.hex(*first, *last, Picture::BAND);
                whole(Some(*id), hex + &self.caption(*id, *part))
            }
            Row::Other { first, last, what } => {
                whole(None, self.hex(*first, *last, 10) + &printable(what))
            }
        }
    }

    /// A cell with its colour, its text and, for a point, what a viewer shows about it.
    fn cell(&self, area: &Area, y: usize) -> Group {
        let attr = area.id.map(|id| self.attrs[id.index()]);
        let class = attr.map_or("G", |attr| letter(attr.point().access));
        let (x, width) = (LEFT + area.left * BIT, area.width * BIT);
        let short = shortened(&area.text, width / 8);
        let mut group = Group::new()
            .add(rectangle(class, (x, y), (width, LINE)))
            .add(text("t", (x + width / 2, y + LINE / 2 + 4), &short));
        if let Some(attr) = attr {
            let (name, label) = (attr.name(), attr.display_name());
            let (place, range) = (attr.location(), self.product.range(attr.id()));
            let about = format!("{name} {label}, {place}: {range}");
            group = group.add(Title::new(printable(&about)));
        }
        if let Some(number) = area.number {
            let corner = (x + width - 3, y + LINE - 3);
            group = group.add(text("a", corner, &number.to_string()));
        }
        group
    }
}

fn legend(y: usize) -> Group {
    let meanings = [
        ("W", "writable"),
        ("R", "read-only"),
        ("A", "alert"),
        ("F", "fault"),
        ("G", "no point"),
    ];
    let lefts = (LEFT..).step_by(120);
    lefts
        .zip(meanings)
        .fold(Group::new(), |group, (x, (class, meaning))| {
            group
                .add(rectangle(class, (x, y), (16, 16)))
                .add(text("l", (x + 24, y + 13), meaning))
        })
}
