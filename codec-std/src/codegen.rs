//! Rust for a firmware, written from a definition.
//!
//! [`rust`] writes one file for one product: its points and layout as constants that the compiler
//! checks, an enum for each enum, a struct `Status` of all points, a struct `Control` of the writable ones,
//! and `Product`, the [`Model`](gizwits_codec_core::model::Model) that a
//! [`Link`](gizwits_codec_core::link::Link) is made with. It needs nothing but `gizwits-codec-core`.
//!
//! In a `build.rs`, which is all that a firmware needs of this crate:
//!
//! ```no_run
//! fn main() -> std::io::Result<()> {
//!     gizwits_codec_std::codegen::build("product.json")
//! }
//! ```
//!
//! and in the firmware:
//!
//! ```ignore
//! mod product {
//!     include!(concat!(env!("OUT_DIR"), "/product.rs"));
//! }
//! use product::{Product, Status};
//! ```
//!
//! # Names
//! A name is split into words where it has other characters than ASCII letters and digits, where a
//! capital follows a small letter, and before the last of several capitals if a small letter follows:
//! `Fault_UART` is `fault_uart`, `SwitchON` is `switch_on`, `CH1SWTime` is `ch1_sw_time`. A name
//! with other letters than ASCII ones, one that begins with a digit, or of more than 40 characters is
//! `point_` and the id; such a label is `Label` and its index. A keyword has `_` behind it, an enum that is
//! called as something in the file `Point`: `type_`, `StatusPoint`. Of names that are the same then, all but
//! the first have their id, or index, behind them.

mod expression;
mod names;
mod text;

use std::fmt::{self, Write as _};
use std::path::Path;

use gizwits_codec_core::layout::LayoutRef;
use gizwits_codec_core::{Access, Decimal, Kind, Protocol, Scale, UintSpec, Unit};

use self::names::{Names, RESERVED_FIELDS, RESERVED_TYPES, pascal, words};
use self::text::{WIDTH, assign, code, comment, literal};
use crate::error::counted;
use crate::product::Product;
use crate::product::attr::Attr;

/// Reads a definition, writes its Rust to `$OUT_DIR/product.rs`, and tells cargo to do so again when the
/// definition changes. For a `build.rs`.
///
/// # Errors
/// If a file can't be read or written, or the definition breaks a rule: then all that is wrong with it. A
/// definition without a sound product key is refused, too: a device names its product by it.
pub fn build(definition: impl AsRef<Path>) -> std::io::Result<()> {
    let definition = definition.as_ref();
    println!("cargo::rerun-if-changed={}", definition.display());
    let about = |error: &dyn fmt::Display| format!("{}: {error}", definition.display());
    let text = std::fs::read_to_string(definition)
        .map_err(|error| std::io::Error::new(error.kind(), about(&error)))?;
    let product = Product::from_json(&text)
        .map_err(|invalid| std::io::Error::new(std::io::ErrorKind::InvalidData, about(&invalid)))?;
    if !is_key(product.product_key()) {
        let message = "the product_key is not 32 hex digits, by which a device names its product";
        return Err(std::io::Error::new(
            std::io::ErrorKind::InvalidData,
            about(&message),
        ));
    }
    let folder = std::env::var_os("OUT_DIR").ok_or_else(|| {
        std::io::Error::other("OUT_DIR is not set: this is for a build script, which cargo runs")
    })?;
    std::fs::write(Path::new(&folder).join("product.rs"), rust(&product))
}

fn is_key(key: &str) -> bool {
    key.len() == 32 && key.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The Rust of a product, as rustfmt has it. Without a sound product key that is 32 zeros.
///
/// ```
/// use gizwits_codec_std::{Product, codegen};
///
/// let json = r#"{
///   "name": "lamp", "product_key": "9b3ff3e5c9a14d4a9b1f1d8c2a7e6f50",
///   "protocolType": "standard", "packetVersion": "0x00000004",
///   "entities": [{"id": 0, "name": "entity0", "attrs": [
///     {"id": 0, "name": "Brightness", "type": "status_writable", "data_type": "uint8",
///      "position": {"unit": "byte", "byte_offset": 0, "bit_offset": 0, "len": 1},
///      "uint_spec": {"min": 0, "max": 100, "ratio": 1, "addition": 0}}]}]
/// }"#;
/// let code = codegen::rust(&Product::from_json(json)?);
/// assert!(code.contains("    pub brightness: u8,\n"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn rust(product: &Product) -> String {
    File::new(product).to_string()
}

/// What the file is made of.
struct File<'p> {
    product: &'p Product,
    points: Vec<Point<'p>>,
}

/// A point, and what it is called.
struct Point<'p> {
    attr: &'p Attr,
    field: String,
    constant: String,
    /// Of an enum: its type, and its variants.
    labels: Option<(String, Vec<String>)>,
    number: Number,
    /// The bytes of the values that it touches, and the bits below it in the last of them.
    bytes: std::ops::Range<usize>,
    shift: u8,
}

/// What an integer is in the struct.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Number {
    /// As it is on the wire.
    Raw,
    /// At a number of decimal places, as an i32 or, with true, an i64.
    Scaled { places: u8, wide: bool },
}

impl Point<'_> {
    fn id(&self) -> u16 {
        self.attr.id().0
    }

    fn is_writable(&self) -> bool {
        self.attr.point().access == Access::Writable
    }

    /// The bits of a number.
    fn bits(&self) -> u32 {
        let position = &self.attr.point().position;
        match position.unit {
            Unit::Bit => position.len,
            Unit::Byte => position.len.saturating_mul(8),
        }
    }

    /// The type of the raw number.
    fn raw_type(&self) -> &'static str {
        match self.bits() {
            0..=8 => "u8",
            9..=16 => "u16",
            _ => "u32",
        }
    }

    fn type_name(&self) -> String {
        match (&self.attr.point().kind, self.number) {
            (Kind::Bool, _) => "bool".to_owned(),
            (Kind::Enum { .. }, _) => self
                .labels
                .as_ref()
                .map_or_else(String::new, |it| it.0.clone()),
            (Kind::Binary, _) => format!("[u8; {}]", self.bytes.len()),
            (_, Number::Raw) => self.raw_type().to_owned(),
            (_, Number::Scaled { places: 0, wide }) => integer(wide).to_owned(),
            (_, Number::Scaled { places, wide }) => {
                format!("gizwits::Fixed<{}, {places}>", integer(wide))
            }
        }
    }

    fn spec(&self) -> Option<&UintSpec> {
        match &self.attr.point().kind {
            Kind::Uint8(spec) | Kind::Uint16(spec) | Kind::Uint32(spec) => Some(spec),
            _ => None,
        }
    }

    /// Ratio and addition at the number's decimal places.
    fn scale(&self, layout: LayoutRef<'_>) -> (i64, i64) {
        let scale = layout.scale(self.attr.id()).unwrap_or(Scale::IDENTITY);
        (
            at(scale.ratio(), scale.decimals()),
            at(scale.addition(), scale.decimals()),
        )
    }
}

/// A number's coefficient at so many decimal places, which are enough.
fn at(number: Decimal, places: u8) -> i64 {
    let up = u32::from(places.saturating_sub(number.scale()));
    number
        .coefficient()
        .saturating_mul(10_i64.saturating_pow(up))
}

fn integer(wide: bool) -> &'static str {
    if wide { "i64" } else { "i32" }
}

impl<'p> File<'p> {
    fn new(product: &'p Product) -> Self {
        let layout = product.layout();
        // A message with all points tells where each of them stands.
        let mut body = vec![
            0xff;
            match product.protocol() {
                Protocol::Standard => 0,
                Protocol::VarLen => layout.mask_len(),
            }
        ];
        let spare = (8 * body.len()).saturating_sub(usize::from(layout.points()));
        if let Some(first) = body.first_mut() {
            *first >>= spare;
        }
        body.resize(body.len() + layout.status_len(), 0);
        let view = layout.view_lax(&body);

        let mut fields = Names::new(RESERVED_FIELDS, false);
        let mut constants = Names::new(&[], false);
        let mut types = Names::new(RESERVED_TYPES, true);
        let points = product
            .attrs()
            .map(|attr| {
                let id = attr.id();
                let words =
                    words(attr.name()).unwrap_or_else(|| vec!["point".into(), id.to_string()]);
                let span = view.read(id).map(|reading| reading.span());
                let (bytes, shift) = span.map_or((0..0, 0), |span| (span.bytes, span.shift));
                let labels = matches!(attr.point().kind, Kind::Enum { .. }).then(|| {
                    let name = types.take(pascal(&words), id.0);
                    let mut variants = Names::new(&["Unknown", "Self"], true);
                    let labels = attr.labels().iter().zip(0..).map(|(label, index)| {
                        let words = self::words(label);
                        let variant = words.map_or(format!("Label{index}"), |words| pascal(&words));
                        variants.take(variant, index)
                    });
                    (name, labels.collect())
                });
                let scale = layout.scale(id).unwrap_or(Scale::IDENTITY);
                let mut point = Point {
                    attr,
                    field: fields.take(words.join("_"), id.0),
                    constant: constants.take(words.join("_").to_uppercase(), id.0),
                    labels,
                    number: Number::Raw,
                    bytes,
                    shift,
                };
                if scale != Scale::IDENTITY && point.spec().is_some() {
                    let (ratio, addition) = point.scale(layout);
                    let most = u32::MAX >> (32 - point.bits().min(32));
                    let top = ratio.saturating_mul(most.into()).saturating_add(addition);
                    let span = ratio.saturating_mul(most.into());
                    // An addition is subtracted if it is negative, so its opposite has to fit as well.
                    let fits = |number: i64| i32::try_from(number).is_ok();
                    let numbers = [ratio, span, addition, addition.saturating_neg(), top];
                    point.number = Number::Scaled {
                        places: scale.decimals(),
                        wide: point.bits() > 16 || !numbers.into_iter().all(fits),
                    };
                }
                point
            })
            .collect();
        File { product, points }
    }

    fn writable(&self) -> impl Iterator<Item = &Point<'p>> {
        self.points.iter().filter(|point| point.is_writable())
    }
}

impl fmt::Display for File<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let layout = self.product.layout();
        let protocol = self.product.protocol().name();
        let plain = comment(self.product.name()).replace('\\', "");
        let name = if plain.is_empty() {
            "a product"
        } else {
            &plain
        };
        writeln!(
            out,
            "// {name}: {protocol}, {}, {}. Written by gizwits from its definition.\n",
            counted(self.points.len(), "point"),
            counted(layout.status_len(), "byte")
        )?;
        writeln!(out, "use gizwits_codec_core as gizwits;")?;
        self.table(out)?;
        self.ids(out)?;
        for point in &self.points {
            enumeration(out, point)?;
        }
        self.status(out)?;
        self.control(out)?;
        self.model(out)
    }
}

impl File<'_> {
    /// The points and the layout.
    fn table(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rows = Vec::new();
        for point in &self.points {
            let id = point.id();
            let access = format!("gizwits::Access::{:?}", point.attr.point().access);
            let position = &point.attr.point().position;
            let (byte, bit) = match self.product.protocol() {
                Protocol::Standard => (position.byte_offset, position.bit_offset),
                Protocol::VarLen => (0, 0),
            };
            let len = position.len;
            let function = match point.attr.point().kind {
                Kind::Bool => "bool",
                Kind::Enum { .. } => "enumeration",
                Kind::Uint8(_) => "uint8",
                Kind::Uint16(_) => "uint16",
                Kind::Uint32(_) => "uint32",
                Kind::Binary => "binary",
            };
            let rest = match point.attr.point().kind {
                Kind::Bool => format!("{byte}, {bit}"),
                Kind::Enum { labels } => format!("{byte}, {bit}, {len}, {labels}"),
                Kind::Binary => format!("{byte}, {len}"),
                _ => format!("{byte}, SPEC_{id}"),
            };
            rows.push(format!(
                "gizwits::Point::{function}({id}, {access}, {rest})"
            ));
        }
        for point in &self.points {
            let Some(spec) = point.spec() else { continue };
            let id = point.id();
            let head = format!("const SPEC_{id}: gizwits::UintSpec =");
            let limits = format!("gizwits::UintSpec::new({}, {})", spec.min, spec.max);
            if spec.ratio == Decimal::ONE && spec.addition == Decimal::ZERO {
                writeln!(out)?;
                assign(out, 0, &head, &format!("{limits};"))?;
                continue;
            }
            let decimal = |number: Decimal| {
                let number = number.normalized();
                format!(
                    "gizwits::Decimal::new({}, {})",
                    number.coefficient(),
                    number.scale()
                )
            };
            writeln!(out)?;
            for (name, number) in [("RATIO", spec.ratio), ("ADDITION", spec.addition)] {
                let head = format!("const {name}_{id}: gizwits::Decimal =");
                assign(out, 0, &head, &format!("{};", decimal(number)))?;
            }
            assign(
                out,
                0,
                &head,
                &format!("{limits}.scaled(RATIO_{id}, ADDITION_{id});"),
            )?;
        }
        writeln!(out, "\n/// The points, in the order of their ids.")?;
        let head = format!("pub static POINTS: [gizwits::Point; {}] =", rows.len());
        match rows.as_slice() {
            // rustfmt has a short list on one line.
            [only] if only.len() + 2 <= 60 => assign(out, 0, &head, &format!("[{only}];"))?,
            rows => {
                writeln!(out, "{head} [")?;
                for row in rows {
                    writeln!(out, "    {row},")?;
                }
                writeln!(out, "];")?;
            }
        }
        writeln!(out, "\n/// The layout: what breaks a rule doesn't compile.")?;
        let scales = self.product.layout().scales();
        let head = format!(
            "pub static LAYOUT: gizwits::Layout<{}, {scales}> =",
            self.points.len()
        );
        let protocol = self.product.protocol();
        let tail = format!("gizwits::Layout::must(gizwits::Protocol::{protocol:?}, &POINTS);");
        assign(out, 0, &head, &tail)
    }

    fn ids(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "\n/// The ids of the points.\npub mod id {{")?;
        writeln!(out, "    use gizwits_codec_core::PointId;")?;
        for point in &self.points {
            let (id, name) = (point.id(), code(point.attr.name()));
            writeln!(
                out,
                "\n    /// {name}\n    pub const {}: PointId = PointId({id});",
                point.constant
            )?;
        }
        writeln!(out, "}}")
    }

    fn status(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "\n/// What the device is in: all points.")?;
        writeln!(
            out,
            "// In this order bools are near, which a Cortex-M reaches with short instructions.\n#[derive(Clone, Debug, PartialEq, Eq)]\n#[repr(C)]\npub struct Status {{"
        )?;
        for point in &self.points {
            writeln!(out, "    /// {}", self.doc(point))?;
            writeln!(out, "    pub {}: {},", point.field, point.type_name())?;
        }
        writeln!(out, "}}")?;
        let least: Vec<_> = self
            .points
            .iter()
            .map(|point| (point.field.clone(), self.least(point)))
            .collect();
        writeln!(out, "\nimpl Status {{")?;
        writeln!(out, "    /// Every point at its least value.")?;
        writeln!(out, "    pub const fn new() -> Self {{")?;
        literal(out, 8, "Status", &least)?;
        writeln!(out, "    }}\n}}")?;
        writeln!(
            out,
            "\nimpl Default for Status {{\n    fn default() -> Self {{"
        )?;
        writeln!(out, "        Status::new()\n    }}\n}}")
    }

    fn control(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            out,
            "\n/// What somebody wants: the points that a control sets."
        )?;
        writeln!(out, "#[derive(Clone, Debug, Default, PartialEq, Eq)]")?;
        if self.writable().next().is_none() {
            writeln!(out, "pub struct Control {{}}\n\nimpl Control {{")?;
            writeln!(out, "    /// Changes nothing: no point can be written.")?;
            return writeln!(
                out,
                "    pub fn apply(&self, _status: &mut Status) {{}}\n}}"
            );
        }
        writeln!(out, "pub struct Control {{")?;
        for point in self.writable() {
            writeln!(out, "    /// {}", self.doc(point))?;
            writeln!(
                out,
                "    pub {}: Option<{}>,",
                point.field,
                point.type_name()
            )?;
        }
        writeln!(out, "}}\n\nimpl Control {{")?;
        writeln!(out, "    /// Sets what it sets.")?;
        writeln!(out, "    pub fn apply(&self, status: &mut Status) {{")?;
        for point in self.writable() {
            let name = &point.field;
            writeln!(out, "        if let Some(value) = self.{name} {{")?;
            writeln!(out, "            status.{name} = value;\n        }}")?;
        }
        writeln!(out, "    }}\n}}")
    }

    fn model(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let layout = self.product.layout();
        let (len, protocol) = (layout.status_len(), self.product.protocol());
        let mask = match protocol {
            Protocol::Standard => 0,
            Protocol::VarLen => layout.mask_len(),
        };
        let last = self
            .points
            .iter()
            .filter(|point| self.can_be_invalid(point));
        let words = last.map(|point| point.id() / 32 + 1).max().unwrap_or(0);
        writeln!(out, "\n/// The product, for a link.")?;
        writeln!(
            out,
            "#[derive(Clone, Copy, Debug, PartialEq, Eq)]\npub enum Product {{}}"
        )?;
        writeln!(out, "\nimpl gizwits::model::Model for Product {{")?;
        writeln!(
            out,
            "    type Status = Status;\n    type Control = Control;"
        )?;
        writeln!(
            out,
            "    type Values = [u8; {len}];\n    type Mask = [u8; {mask}];\n    type Points = [u32; {words}];\n"
        )?;
        writeln!(
            out,
            "    const LAYOUT: gizwits::LayoutRef<'static> = LAYOUT.get();"
        )?;
        let mut key = self.product.product_key().to_owned();
        if !is_key(&key) {
            key = "0".repeat(32);
        }
        writeln!(
            out,
            "    const PRODUCT_KEY: &'static [u8; 32] = b\"{key}\";"
        )?;
        writeln!(out, "    const VALUES: Self::Values = [0; {len}];")?;
        writeln!(out, "    const MASK: Self::Mask = [0; {mask}];")?;
        writeln!(out, "    const POINTS: Self::Points = [0; {words}];")?;
        let head = "    const MEASURED: &'static [(usize, usize)] =";
        let measured = self.measured();
        match measured.as_slice() {
            rows if rows.len() * 8 <= 40 => {
                assign(out, 0, head, &format!("&[{}];", rows.join(", ")))?
            }
            rows => {
                writeln!(out, "{head} &[")?;
                for row in rows {
                    writeln!(out, "        {row},")?;
                }
                writeln!(out, "    ];")?;
            }
        }

        let unused = match self.points.iter().any(|point| self.can_be_invalid(point)) {
            true => "",
            false => "_",
        };
        let last = format!("{unused}last: &Self::Values");
        let arguments = ["status: &Status", &last, "values: &mut Self::Values"];
        function(
            out,
            "encode<P: gizwits::model::Policy>",
            &arguments,
            unused,
            "",
        )?;
        writeln!(out, "        *values = Self::VALUES;")?;
        for point in &self.points {
            self.encode(out, point)?;
        }
        writeln!(out, "    }}")?;

        writeln!(out, "\n    fn decode(values: &Self::Values) -> Status {{")?;
        let mut fields = Vec::new();
        for point in &self.points {
            fields.push((point.field.clone(), self.value(out, 8, point)?));
        }
        literal(out, 8, "Status", &fields)?;
        writeln!(out, "    }}")?;

        let (flags, writable) = match protocol {
            Protocol::Standard => (layout.flags_len(), layout.writable_len()),
            Protocol::VarLen => (mask, len),
        };
        if self.writable().next().is_none() {
            function(
                out,
                "control",
                &["_flags: &[u8]", "_values: &[u8]"],
                "_",
                " -> Control",
            )?;
            writeln!(out, "        Control {{}}\n    }}")?;
            let arguments = ["_flags: &[u8]", "_values: &[u8]", "_status: &mut Status"];
            function(out, "apply", &arguments, "_", "")?;
            return writeln!(out, "    }}\n}}");
        }
        let unused = match self.writable().any(|point| self.has_invalid_raw(point)) {
            true => "",
            false => "_",
        };
        let flag = |point: &Point<'_>| {
            let id = usize::from(point.id());
            format!(
                "flags[{}] & {:#04x} != 0",
                flags - 1 - id / 8,
                1 << (id % 8)
            )
        };
        let arrays = format!(
            "        let flags = gizwits::model::array::<{flags}>(flags);\n        \
             let values = gizwits::model::array::<{writable}>(values);\n"
        );
        function(
            out,
            "control",
            &["flags: &[u8]", "values: &[u8]"],
            unused,
            " -> Control",
        )?;
        out.write_str(&arrays)?;
        let mut fields = Vec::new();
        for point in self.writable() {
            let (id, flag) = (point.id(), flag(point));
            let value = if self.has_invalid_raw(point) {
                let raw = format!("raw_{id}");
                assign(
                    out,
                    8,
                    &format!("let {raw} ="),
                    &format!("{};", self.raw(point, "values")),
                )?;
                let (head, check) = (format!("let has_{id} = {flag}"), self.check(point, &raw));
                // rustfmt breaks a long line before the operator.
                let space = match 8 + head.len() + 4 + check.len() + 1 {
                    0..=WIDTH => " ",
                    _ => "\n            ",
                };
                writeln!(out, "        {head}{space}&& {check};")?;
                format!("has_{id}.then_some({})", self.of_raw(point, &raw))
            } else {
                format!("({flag}).then_some({})", self.value(out, 8, point)?)
            };
            fields.push((point.field.clone(), value));
        }
        literal(out, 8, "Control", &fields)?;
        writeln!(out, "    }}")?;

        let arguments = ["flags: &[u8]", "values: &[u8]", "status: &mut Status"];
        function(out, "apply", &arguments, unused, "")?;
        out.write_str(&arrays)?;
        for point in self.writable() {
            writeln!(out, "        if {} {{", flag(point))?;
            let head = format!("status.{} =", point.field);
            if self.has_invalid_raw(point) {
                assign(
                    out,
                    12,
                    "let raw =",
                    &format!("{};", self.raw(point, "values")),
                )?;
                writeln!(out, "            if {} {{", self.check(point, "raw"))?;
                assign(out, 16, &head, &format!("{};", self.of_raw(point, "raw")))?;
                writeln!(out, "            }}")?;
            } else {
                let value = self.value(out, 12, point)?;
                assign(out, 12, &head, &format!("{value};"))?;
            }
            writeln!(out, "        }}")?;
        }
        writeln!(out, "    }}\n}}")
    }

    /// What is measured, as ranges of bytes.
    fn measured(&self) -> Vec<String> {
        let mut ranges: Vec<std::ops::Range<usize>> = Vec::new();
        for point in &self.points {
            let position = &point.attr.point().position;
            if point.attr.point().access != Access::ReadOnly || position.unit == Unit::Bit {
                continue;
            }
            match ranges.last_mut() {
                Some(last) if last.end == point.bytes.start => last.end = point.bytes.end,
                _ => ranges.push(point.bytes.clone()),
            }
        }
        ranges
            .iter()
            .map(|range| format!("({}, {})", range.start, range.end))
            .collect()
    }

    /// What a person wants to know of a point.
    fn doc(&self, point: &Point<'_>) -> String {
        let attr = point.attr;
        let (name, display) = (attr.name(), attr.display_name());
        let mut doc = match display.is_empty() || display == name {
            true => code(name),
            false => format!("{} ({})", comment(display), code(name)),
        };
        doc.push_str(": ");
        doc.push_str(match attr.point().access {
            Access::Writable => "writable",
            Access::ReadOnly => "read-only",
            Access::Alert => "alert",
            Access::Fault => "fault",
        });
        if let Some(spec) = point.spec() {
            let scale = self
                .product
                .layout()
                .scale(attr.id())
                .unwrap_or(Scale::IDENTITY);
            let value = |raw: i64| scale.value(u32::try_from(raw).unwrap_or(u32::MAX));
            let _ = write!(doc, ", {}..={}", value(spec.min), value(spec.max));
            let _ = write!(doc, " in steps of {}", scale.ratio());
        }
        let _ = write!(doc, ", {}", attr.location());
        doc.push('.');
        doc
    }
}

/// The head of a function of the model that names invalid points; `unused` is `_` if there can be none.
fn function(
    out: &mut fmt::Formatter<'_>,
    name: &str,
    arguments: &[&str],
    unused: &str,
    returns: &str,
) -> fmt::Result {
    writeln!(out, "\n    fn {name}(")?;
    for argument in arguments {
        writeln!(out, "        {argument},")?;
    }
    let invalid = "invalid: &mut impl FnMut(gizwits::PointId, gizwits::ErrorKind)";
    writeln!(out, "        {unused}{invalid},\n    ){returns} {{")
}

/// The type of an enum's labels.
fn enumeration(out: &mut fmt::Formatter<'_>, point: &Point<'_>) -> fmt::Result {
    let Some((name, variants)) = &point.labels else {
        return Ok(());
    };
    let raw = point.raw_type();
    writeln!(
        out,
        "\n/// {}",
        comment(match point.attr.display_name() {
            "" => point.attr.name(),
            display => display,
        })
    )?;
    writeln!(
        out,
        "#[derive(Clone, Copy, Debug, PartialEq, Eq)]\npub enum {name} {{"
    )?;
    for (variant, label) in variants.iter().zip(point.attr.labels()) {
        let label = comment(label);
        let label = if label.is_empty() {
            "(no label)"
        } else {
            &label
        };
        writeln!(out, "    /// {label}\n    {variant},")?;
    }
    writeln!(
        out,
        "    /// An index that has no label.\n    Unknown({raw}),\n}}"
    )?;
    writeln!(out, "\nimpl {name} {{\n    /// The index on the wire.")?;
    writeln!(
        out,
        "    pub const fn index(self) -> {raw} {{\n        match self {{"
    )?;
    for (index, variant) in variants.iter().enumerate() {
        writeln!(out, "            {name}::{variant} => {index},")?;
    }
    writeln!(
        out,
        "            {name}::Unknown(index) => index,\n        }}\n    }}\n}}"
    )?;
    writeln!(
        out,
        "\nimpl From<{raw}> for {name} {{\n    fn from(index: {raw}) -> Self {{"
    )?;
    writeln!(out, "        match index {{")?;
    for (index, variant) in variants.iter().enumerate() {
        writeln!(out, "            {index} => {name}::{variant},")?;
    }
    writeln!(
        out,
        "            _ => {name}::Unknown(index),\n        }}\n    }}\n}}"
    )
}
