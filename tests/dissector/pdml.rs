//! The output of tshark in its format PDML: one XML element per line.

use std::collections::HashMap;

/// A P0 as tshark shows it.
#[derive(Debug, Default)]
pub(crate) struct Shown {
    pub(crate) action: u8,
    /// The points, in the order of the tree.
    pub(crate) points: Vec<ShownPoint>,
    /// The names of the points that a read asks for.
    pub(crate) wanted: Vec<String>,
    /// Whether tshark reports a problem other than a value out of its range.
    pub(crate) has_problem: bool,
}

/// A point as tshark shows it.
#[derive(Debug)]
pub(crate) struct ShownPoint {
    /// The display filter.
    pub(crate) filter: String,
    /// The line of the tree, `NAME: VALUE`.
    pub(crate) line: String,
    /// The value that display filters compare.
    pub(crate) value: String,
    /// The bytes that contain the value, in hex.
    pub(crate) bytes: String,
    pub(crate) is_out_of_range: bool,
}

/// Reads the P0 messages of each sender, by IP address, in their order.
pub(crate) fn read(pdml: &str) -> HashMap<String, Vec<Shown>> {
    let mut all: HashMap<String, Vec<Shown>> = HashMap::new();
    let mut source = String::new();
    for line in pdml.lines() {
        let text = |name| attribute(line, name).unwrap_or_default();
        let filter = text("name");
        if filter == "ip.src" {
            source = text("show");
        }
        let messages = all.entry(source.clone()).or_default();
        if filter == "gizwits.action" {
            let action = text("show");
            let action = action.strip_prefix("0x").unwrap_or_default();
            messages.push(Shown {
                action: u8::from_str_radix(action, 16).expect("a byte"),
                ..Shown::default()
            });
        }
        let Some(message) = messages.last_mut() else {
            continue;
        };
        let Some((_, part)) = filter
            .strip_prefix("gizwits_")
            .and_then(|f| f.split_once('.'))
        else {
            message.has_problem |= filter.starts_with("gizwits.expert.");
            continue;
        };
        match part {
            "expert.range" => {
                let last = message.points.last_mut();
                last.expect("a point before its remark").is_out_of_range = true;
            }
            "p0.wanted" => message.wanted.push(text("show")),
            "p0.flags" | "p0.data" => {}
            _ if part.starts_with("expert.") => message.has_problem = true,
            _ => message.points.push(ShownPoint {
                line: text("showname"),
                value: text("show"),
                bytes: text("value"),
                filter,
                is_out_of_range: false,
            }),
        }
    }
    all
}

/// The value of an attribute of an XML element.
fn attribute(line: &str, name: &str) -> Option<String> {
    let (_, rest) = line.split_once(&format!(" {name}=\""))?;
    let (value, _) = rest.split_once('"')?;
    let value = value.replace("&lt;", "<").replace("&gt;", ">");
    let value = value.replace("&quot;", "\"").replace("&apos;", "'");
    let value = value.replace("&#x27;", "'");
    Some(value.replace("&amp;", "&"))
}
