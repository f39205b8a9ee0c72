//! The types for the application: the enums, `Status` and `Control`.

use gizwits_codec_core::Kind;

use super::options::Options;
use super::point::{Number, PointCode};
use super::text::{comment, put_line, put_literal};

pub(super) fn items(points: &[PointCode<'_>], options: &Options) -> Vec<String> {
    let logged = match options.defmt {
        true => "#[cfg_attr(feature = \"defmt\", derive(defmt::Format))]\n",
        false => "",
    };
    let enumeration = |point| enumeration(point, logged);
    let mut items: Vec<String> = points.iter().filter_map(enumeration).collect();
    items.push(status(points, logged));
    items.push(control(points, logged));
    items
}

/// The enum of a point of kind enum, with a variant for each label.
fn enumeration(point: &PointCode<'_>, logged: &str) -> Option<String> {
    let (name, variants) = point.labels.as_ref()?;
    let (raw, attr) = (point.raw_type(), point.attr);
    let title = match attr.display_name() {
        "" => attr.name(),
        display => display,
    };
    let (mut labels, mut indices, mut from) = (String::new(), String::new(), String::new());
    for (index, (variant, label)) in variants.iter().zip(attr.labels()).enumerate() {
        let label = match comment(label) {
            none if none.is_empty() => "(no label)".to_owned(),
            label => label,
        };
        labels += &format!("    /// {label}\n    {variant},\n");
        indices += &format!("            Self::{variant} => {index},\n");
        from += &format!("            {index} => Self::{variant},\n");
    }
    Some(format!(
        "/// {}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
{logged}pub enum {name} {{
{labels}    /// An index without a label.
    Unknown({raw}),
}}

#[allow(dead_code)]
impl {name} {{
    /// Returns the index of the label, which messages contain.
    #[must_use]
    pub const fn index(self) -> {raw} {{
        match self {{
{indices}            Self::Unknown(index) => index,
        }}
    }}
}}

impl From<{raw}> for {name} {{
    fn from(index: {raw}) -> Self {{
        match index {{
{from}            _ => Self::Unknown(index),
        }}
    }}
}}
",
        comment(title)
    ))
}

fn status(points: &[PointCode<'_>], logged: &str) -> String {
    let mut out = format!(
        "/// The status of the device: all points.
// C order keeps bools near the start, where a Cortex-M reaches them with short instructions.
#[derive(Clone, Debug, PartialEq, Eq)]
{logged}#[repr(C)]
pub struct Status {{
"
    );
    for point in points {
        out += &format!("    /// {}\n", point.doc());
        let (head, tail) = (format!("pub {}:", point.field), point.type_name());
        put_line(&mut out, 4, &head, &format!("{tail},"));
    }
    out += "}

#[allow(dead_code)]
impl Status {
    /// Returns a status with every point at its least value.
    #[must_use]
    pub const fn new() -> Self {
";
    let mut fields = Vec::new();
    for point in points {
        fields.push((&*point.field, point.literal_value(&mut out, least(point))));
    }
    put_literal(&mut out, "Status", &fields);
    out + "    }

    /// Writes a report of all points to the start of `out` as a P0: the action and the values. The errors
    /// are those of [`model::encode_report`].
    #[inline]
    pub fn encode_report<'o>(&self, out: &'o mut [u8]) -> Result<&'o [u8], gizwits::Error> {
        model::encode_report::<Product>(self, out)
    }

    /// Sets the points of a reply or report. The errors are those of [`model::merge`].
    #[inline]
    pub fn merge(&mut self, p0: &[u8]) -> Result<(), gizwits::Error> {
        model::merge::<Product>(p0, self)
    }
}

impl Default for Status {
    fn default() -> Self {
        Status::new()
    }
}
"
}

/// A constant expression for the least valid value of a point.
fn least(point: &PointCode<'_>) -> String {
    if let Some((name, variants)) = &point.labels {
        let first = variants.first().map_or("Unknown(0)", String::as_str);
        return format!("{name}::{first}");
    }
    let (ratio, addition) = point.ratio_and_addition();
    let (min, _) = point.limits;
    let value = ratio.saturating_mul(min.into()).saturating_add(addition);
    match (&point.attr.point().kind, point.number) {
        (Kind::Bool, _) => "false".to_owned(),
        (Kind::Binary, _) => format!("[0; {}]", point.bytes.len()),
        (_, Number::Scaled { places: 1.., .. }) => format!("gizwits::Fixed({value})"),
        _ => value.to_string(),
    }
}

fn control(points: &[PointCode<'_>], logged: &str) -> String {
    let head = format!(
        "/// The points that a control sets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
{logged}#[must_use]
"
    );
    let (mut fields, mut body) = (String::new(), String::new());
    for point in points.iter().filter(|point| point.is_writable()) {
        let name = &point.field;
        fields += &format!("    /// {}\n", point.doc());
        let tail = format!("Option<{}>,", point.type_name());
        put_line(&mut fields, 4, &format!("pub {name}:"), &tail);
        body += &format!(
            "        if let Some(value) = self.{name} {{\n            status.{name} = value;\n        }}\n"
        );
    }
    if fields.is_empty() {
        return format!(
            "{head}pub struct Control {{}}

#[allow(dead_code)]
impl Control {{
    /// Does nothing, because the product has no writable points.
    pub fn apply(&self, _status: &mut Status) {{}}

{ENCODE}}}
"
        );
    }
    format!(
        "{head}pub struct Control {{
{fields}}}

#[allow(dead_code)]
impl Control {{
    /// Sets the points of the control in a status.
    pub fn apply(&self, status: &mut Status) {{
{body}    }}

{ENCODE}}}
"
    )
}

/// The functions that encode a control.
const ENCODE: &str = "    /// Writes the control to the start of `out` as a P0: the action, the flags and the values. The errors
    /// are those of [`model::encode_control`].
    #[inline]
    pub fn encode<'o>(&self, out: &'o mut [u8]) -> Result<&'o [u8], gizwits::Error> {
        model::encode_control::<Product>(self, out)
    }

    /// Writes the control as an M2M frame to `out` and returns the bytes of the frame. With an `sn` the device
    /// acknowledges it. The errors are those of [`model::encode_control_frame`].
    #[inline]
    pub fn encode_frame<'o>(
        &self,
        sn: Option<u32>,
        out: &'o mut [u8],
    ) -> Result<&'o [u8], gizwits::Error> {
        model::encode_control_frame::<Product>(self, sn, out)
    }
";
