//! A picture as SVG.

use gizwits_codec_std::core::PointId;
use gizwits_codec_std::{Cell, Picture, Row};

use super::{Drawing, letter, range_of, shortened};
use crate::text::printable;

impl Drawing<'_> {
    /// As SVG.
    pub(crate) fn svg(&self) -> String {
        const BIT: usize = 92;
        const LINE: usize = 30;
        const LEFT: usize = 110;
        let mut body = String::new();
        let mut y = 84;
        for bit in 0..8 {
            let x = LEFT + (7 - bit) * BIT + BIT / 2;
            body += &format!("<text class=\"n\" x=\"{x}\" y=\"74\">{bit}</text>\n");
        }
        for row in &self.picture.rows {
            let (place, cells): (String, Vec<Area>) = match row {
                Row::Bits {
                    byte,
                    cells,
                    lowest,
                } => {
                    let mut at = 0;
                    let drawn = |Cell { id, width }: &Cell| {
                        let (id, width) = (*id, *width);
                        let left = at;
                        at += width;
                        Area {
                            left,
                            width,
                            id,
                            text: id.map_or_else(String::new, |id| self.label(id)),
                            number: lowest.map(|lowest| lowest + (8 - at) as u32),
                        }
                    };
                    (byte.to_string(), cells.iter().map(drawn).collect())
                }
                Row::Bytes {
                    first,
                    last,
                    id,
                    part,
                } => {
                    let caption =
                        self.hex(*first, *last, Picture::BAND) + &self.caption(*id, *part);
                    (
                        range_of(*first, *last),
                        vec![Area::whole(Some(*id), caption)],
                    )
                }
                Row::Other { first, last, what } => {
                    let text = self.hex(*first, *last, 10) + &printable(what);
                    (range_of(*first, *last), vec![Area::whole(None, text)])
                }
            };
            let middle = y + LINE / 2 + 4;
            let end = LEFT - 10;
            body += &format!("<text class=\"b\" x=\"{end}\" y=\"{middle}\">{place}</text>\n");
            for Area {
                left,
                width,
                id,
                text,
                number,
            } in cells
            {
                let (x, width) = (LEFT + left * BIT, width * BIT);
                let class = id.map_or("G", |id| letter(self.attrs[id.index()].point().access));
                let short = shortened(&text, width / 8);
                body += "<g>";
                if let Some(attr) = id.map(|id| self.attrs[id.index()]) {
                    let about = format!(
                        "{} {}, {}: {}",
                        attr.name(),
                        attr.display_name(),
                        attr.place(),
                        self.product.range(attr.id())
                    );
                    body += &format!("<title>{}</title>", escaped(&about));
                }
                body += &format!(
                    "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{LINE}\"/>"
                );
                let centre = x + width / 2;
                body += &format!(
                    "<text class=\"t\" x=\"{centre}\" y=\"{middle}\">{}</text>",
                    escaped(&short)
                );
                if let Some(number) = number {
                    let (x, y) = (x + width - 3, y + LINE - 3);
                    body += &format!("<text class=\"a\" x=\"{x}\" y=\"{y}\">{number}</text>");
                }
                body += "</g>\n";
            }
            y += LINE;
        }
        let mut x = LEFT;
        y += 16;
        for (class, word) in [
            ("W", "writable"),
            ("R", "read-only"),
            ("A", "alert"),
            ("F", "fault"),
            ("G", "no point"),
        ] {
            let (text, base) = (x + 24, y + 13);
            body += &format!(
                "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"16\" height=\"16\"/>\
                 <text class=\"l\" x=\"{text}\" y=\"{base}\">{word}</text>\n"
            );
            x += 120;
        }
        let foot = y + 46;
        let (width, height) = (LEFT + 8 * BIT + 20, y + 62);
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\">\n<style>\
             text{{font:13px sans-serif;fill:#1a1a1a}}.t,.n{{text-anchor:middle}}\
             .n,.b{{fill:#555}}.b,.a{{text-anchor:end}}.a{{font-size:9px;fill:#555}}\
             .h{{font-size:17px;font-weight:bold}}rect{{stroke:#555}}\
             .W{{fill:#bfdcf2}}.R{{fill:#cde8c5}}.A{{fill:#fbe3a6}}.F{{fill:#f3c4b8}}\
             .G{{fill:#f4f4f4}}.p{{fill:#fff;stroke:none}}</style>\n\
             <rect class=\"p\" width=\"{width}\" height=\"{height}\"/>\n\
             <text class=\"h\" x=\"20\" y=\"34\">{}</text>\n\
             <text class=\"b\" x=\"{}\" y=\"74\">byte</text>\n{body}\
             <text class=\"l\" x=\"{LEFT}\" y=\"{foot}\">{}</text>\n</svg>\n",
            escaped(&self.title.replace("   ", " · ")),
            LEFT - 10,
            escaped(&self.foot.replace("        ", " · ")),
        )
    }
}

/// A cell of a row of the SVG.
struct Area {
    /// In bits from the left.
    left: usize,
    width: usize,
    id: Option<PointId>,
    text: String,
    /// The number of its lowest bit in an area of several bytes.
    number: Option<u32>,
}

impl Area {
    fn whole(id: Option<PointId>, text: String) -> Self {
        Area {
            left: 0,
            width: 8,
            id,
            text,
            number: None,
        }
    }
}

fn escaped(text: &str) -> String {
    let mut out = String::new();
    for one in text.chars() {
        match one {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            // XML has no room for them, not even escaped.
            one if one.is_control() => out.push(' '),
            one => out.push(one),
        }
    }
    out
}
