//! A Wireshark dissector in Lua.

use gizwits_codec_core::{Kind, Protocol, Scale, Unit};

use super::identifiers::{UniqueNames, Wanted, words};
use super::options::Options;
use super::point::PointCode;
use super::text::one_line;
use crate::error::counted;
use crate::product::{Product, is_product_key};
use crate::text::is_invisible;

/// The part of every dissector that does not depend on the product.
const DISSECTOR: &str = include_str!("lua/dissector.lua");

/// Returns a dissector for Wireshark, a script in Lua that shows the messages of a product on the local network. `name`
/// is the name of the file without its extension. In snake_case it is the display filter of the product behind
/// `gizwits_`; if it cannot become a name, the first digits of the product key are.
///
/// The script has no dependencies. The dissectors of several products can be loaded together if their files have
/// different names. A point has the display filter `gizwits_NAME.POINT`, with the name that its member has in
/// [C](super::c()).
///
/// ```
/// use gizwits_codec_std::{Product, codegen};
///
/// let definition = std::fs::read_to_string("../tests/fixtures/air-conditioner.json")?;
/// let code = codegen::lua(&Product::from_json(&definition)?, "aircon");
/// assert!(code.contains(r#"filter = "gizwits_aircon""#));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn lua(product: &Product, name: &str) -> String {
    Options::new().lua(product, name)
}

impl Options {
    /// Returns a dissector for Wireshark with the names of these options, like the function [`lua`](lua()).
    #[must_use]
    pub fn lua(&self, product: &Product, name: &str) -> String {
        let points = PointCode::all(product, &self.names);
        let filters = self.filters(&points);
        let mut rows: Vec<_> = points.iter().zip(filters).collect();
        let is_var_len = product.protocol() == Protocol::VarLen;
        rows.sort_by_key(|(point, _)| order(point, is_var_len));
        let rows: String = rows
            .into_iter()
            .map(|(point, filter)| row(point, &filter, is_var_len))
            .collect();
        let title = match &*one_line(product.name()) {
            "" => "a product".to_owned(),
            title => title.to_owned(),
        };
        let layout = product.layout();
        let flags_length = match is_var_len {
            true => layout.mask_len(),
            false => layout.flags_len(),
        };
        let lengths = match is_var_len {
            true => String::new(),
            false => format!(
                "    control_length = {},\n    status_length = {},\n",
                layout.writable_len(),
                layout.status_len()
            ),
        };
        let key = product.product_key();
        let key = match is_product_key(key) {
            true => key.to_lowercase(),
            false => String::new(),
        };
        format!(
            "-- {title}: {}, {}, {}. Written by gizwits from its definition.
-- A dissector for Wireshark: put this file into the folder of Lua plugins, or load it by -X lua_script:FILE.

local product = {{
    key = \"{key}\",
    name = {},
    filter = \"gizwits_{}\",
    is_var_len = {is_var_len},
    flags_length = {flags_length},
{lengths}    points = {{
{rows}    }},
}}

{DISSECTOR}",
            product.protocol().name(),
            counted(points.len(), "point"),
            counted(layout.status_len(), "byte"),
            quoted(&title),
            suffix(name, &key),
        )
    }

    /// Returns the last part of the display filter of each point: ASCII, and unique.
    fn filters(&self, points: &[PointCode<'_>]) -> Vec<String> {
        let wanted = points.iter().map(|point| {
            let given = self.names.point(point.attr);
            let own = given.map(<[String]>::to_vec);
            let words = own.or_else(|| words(point.attr.name()));
            Wanted {
                name: words.map_or_else(|| format!("point_{}", point.id), |words| words.join("_")),
                id: point.id,
                is_given: given.is_some(),
            }
        });
        UniqueNames::new("", false).take_all(wanted.collect())
    }
}

/// The display filter of a product without `gizwits_`.
fn suffix(name: &str, key: &str) -> String {
    match (words(name), key.get(..8)) {
        (Some(words), _) => words.join("_"),
        (None, Some(digits)) => digits.to_owned(),
        (None, None) => "product".to_owned(),
    }
}

/// The order of the points in a message. In a var_len product, bits precede bytes, and ids increase.
fn order(point: &PointCode<'_>, is_var_len: bool) -> (u32, u32, u16) {
    let position = &point.attr.point().position;
    match is_var_len {
        true => (u32::from(position.unit == Unit::Byte), 0, point.id),
        false => (position.byte_offset, position.bit_offset, point.id),
    }
}

/// The row of a point in the table.
fn row(point: &PointCode<'_>, filter: &str, is_var_len: bool) -> String {
    let attr = point.attr;
    let kind = match attr.point().kind {
        Kind::Bool => "bool",
        Kind::Enum { .. } => "enum",
        Kind::Binary => "binary",
        Kind::Uint8(_) | Kind::Uint16(_) | Kind::Uint32(_) => "number",
    };
    let mut row = format!(
        "        {{ id = {}, name = {}, filter = \"{filter}\", kind = \"{kind}\"",
        point.id,
        quoted(attr.name())
    );
    if !attr.display_name().is_empty() && attr.display_name() != attr.name() {
        row += &format!(", title = {}", quoted(attr.display_name()));
    }
    if point.is_writable() {
        row += ", writable = true";
    }
    let is_bits = attr.point().position.unit == Unit::Bit;
    if !is_var_len {
        row += &format!(", byte = {}", point.bytes.start);
    }
    if !is_var_len || !is_bits {
        row += &format!(", bytes = {}", point.bytes.len());
    }
    if !is_var_len && is_bits {
        row += &format!(", shift = {}", point.shift);
    }
    if is_bits {
        row += &format!(", bits = {}", point.bits());
    }
    if point.scale != Scale::IDENTITY && point.spec().is_some() {
        let (ratio, addition) = point.ratio_and_addition();
        let places = point.scale.decimals();
        row += &format!(", ratio = \"{ratio}\", addition = \"{addition}\", places = {places}");
    }
    if point.has_invalid_raw() {
        let (least, most) = point.limits;
        let (low, high) = (point.scale.value(least), point.scale.value(most));
        row += &format!(", least = {least}, most = {most}, range = \"{low} to {high}\"");
    }
    if !attr.labels().is_empty() {
        let labels: Vec<String> = attr.labels().iter().map(|label| quoted(label)).collect();
        row += &format!(", labels = {{ [0] = {} }}", labels.join(", "));
    }
    row + " },\n"
}

/// Returns a text as a string of Lua. Its invisible characters are escaped.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for one in text.chars() {
        match one {
            '"' | '\\' => quoted.extend(['\\', one]),
            _ if is_invisible(one) => {
                let mut bytes = [0; 4];
                for byte in one.encode_utf8(&mut bytes).bytes() {
                    quoted += &format!("\\{byte:03}");
                }
            }
            _ => quoted.push(one),
        }
    }
    quoted + "\""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_escaped() {
        assert_eq!(quoted("制冷 \"a\\b\""), r#""制冷 \"a\\b\"""#);
        // Lua reads three digits at most.
        assert_eq!(quoted("\n1\u{202e}"), r#""\0101\226\128\174""#);
    }

    #[test]
    fn a_product_without_an_ascii_name_has_its_key() {
        assert_eq!(suffix("SwitchON 2", "9b3ff3e5c9"), "switch_on_2");
        assert_eq!(suffix("空调", "9b3ff3e5c9"), "9b3ff3e5");
        assert_eq!(suffix("空调", ""), "product");
    }

    /// Each row has the bytes and the number of the point, in the order of the message.
    #[test]
    fn rows_follow_the_layout() {
        let json = include_str!("../../../tests/fixtures/fractions.json");
        let code = lua(&Product::from_json(json).unwrap(), "fractions");
        let rows: Vec<&str> = code
            .lines()
            .filter(|line| line.starts_with("        { id"))
            .collect();
        assert_eq!(rows.len(), 8);
        assert!(
            rows[0].ends_with("byte = 0, bytes = 1, shift = 0, bits = 1 },"),
            "{}",
            rows[0]
        );
        let tenths = "byte = 5, bytes = 2, ratio = \"1\", addition = \"-20000\", places = 1, least = 10, most = 40000, \
            range = \"-1999 to 2000\" },";
        assert!(rows[4].ends_with(tenths), "{}", rows[4]);
    }
}
