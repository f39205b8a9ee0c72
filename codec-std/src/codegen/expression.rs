//! The values of points, from bytes and to bytes, as expressions and statements.

use std::fmt;

use gizwits_codec_core::{Kind, Unit};

use super::text::{WIDTH, assign};
use super::{File, Number, Point, integer};

impl File<'_> {
    /// The value of a point as an expression over `values`, the raw number in a local of its own if a
    /// line had to be broken otherwise.
    pub(super) fn value(
        &self,
        out: &mut fmt::Formatter<'_>,
        indent: usize,
        point: &Point<'_>,
    ) -> Result<String, fmt::Error> {
        if matches!(point.attr.point().kind, Kind::Binary) {
            return Ok(format!(
                "*gizwits::model::array(&values[{}..])",
                point.bytes.start
            ));
        }
        let raw = self.raw(point, "values");
        let value = self.of_raw(point, &raw);
        // rustfmt breaks calls with arguments of more than 60 characters. The rest of a line is the
        // field, its indent and, of a control, the flag.
        if value.len() <= 60 && point.field.len() + value.len() + 12 + 3 + 36 <= WIDTH {
            return Ok(value);
        }
        let name = format!("raw_{}", point.id());
        assign(out, indent, &format!("let {name} ="), &format!("{raw};"))?;
        Ok(self.of_raw(point, &name))
    }

    /// The raw number as an expression over an array of the values.
    pub(super) fn raw(&self, point: &Point<'_>, values: &str) -> String {
        let byte = |at: usize| format!("{values}[{at}]");
        let bytes: Vec<String> = point.bytes.clone().map(byte).collect();
        let integer = match bytes.len() {
            1 => byte(point.bytes.start),
            len => format!("u{}::from_be_bytes([{}])", 8 * len, bytes.join(", ")),
        };
        if point.attr.point().position.unit == Unit::Byte {
            return integer;
        }
        if let Kind::Bool = point.attr.point().kind {
            return format!("{integer} & {:#04x}", 1 << point.shift);
        }
        let (end, shift, bits) = (point.bytes.end, point.shift, point.bits());
        let mask = u32::MAX >> (32 - bits.clamp(1, 32));
        let (have, masked) = match bytes.len() {
            3.. => (
                "u32",
                format!("gizwits::model::bits({values}, {end}, {shift}, {bits})"),
            ),
            len => {
                let shifted = match shift {
                    0 => integer,
                    _ => format!("({integer} >> {shift})"),
                };
                (
                    if len == 1 { "u8" } else { "u16" },
                    format!("{shifted} & {mask:#04x}"),
                )
            }
        };
        match (have, point.raw_type()) {
            (have, want) if have == want => masked,
            ("u32", want) => format!("{masked} as {want}"),
            (_, want) => format!("({masked}) as {want}"),
        }
    }

    /// What a raw number means, as an expression.
    pub(super) fn of_raw(&self, point: &Point<'_>, raw: &str) -> String {
        match (&point.attr.point().kind, point.number) {
            (Kind::Bool, _) => format!("{raw} != 0"),
            (Kind::Enum { .. }, _) => format!("{}::from({raw})", point.type_name()),
            (_, Number::Scaled { places, wide }) => {
                let (ratio, addition) = point.scale(self.product.layout());
                let mut value = format!("{}::from({raw})", integer(wide));
                if ratio != 1 {
                    value.push_str(&format!(" * {ratio}"));
                }
                match addition {
                    0 => {}
                    1.. => value.push_str(&format!(" + {addition}")),
                    _ => value.push_str(&format!(" - {}", addition.unsigned_abs())),
                }
                match places {
                    0 => value,
                    _ => format!("gizwits::Fixed({value})"),
                }
            }
            _ => raw.to_owned(),
        }
    }

    /// The limits of a raw number.
    fn limits(&self, point: &Point<'_>) -> (u32, u32) {
        let limits = self.product.layout().limits(point.attr.id());
        limits.unwrap_or((0, most(point)))
    }

    /// Whether some raw number of the point's width breaks its limits.
    pub(super) fn has_invalid_raw(&self, point: &Point<'_>) -> bool {
        match point.attr.point().kind {
            Kind::Bool | Kind::Binary => false,
            _ => self.limits(point) != (0, most(point)),
        }
    }

    /// Whether the point's field of the status can hold a value that the definition does not allow.
    pub(super) fn can_be_invalid(&self, point: &Point<'_>) -> bool {
        // A field may be wider than its bits, and a scaled number between two steps.
        point.labels.is_some() || point.number != Number::Raw || self.has_invalid_raw(point)
    }

    /// The call that checks the raw number of a control.
    pub(super) fn check(&self, point: &Point<'_>, raw: &str) -> String {
        let (id, raw) = (point.id(), format!("{raw}{}", into(point)));
        match point.attr.point().kind {
            Kind::Enum { labels } => {
                format!("gizwits::model::check_label({id}, {raw}, {labels}, invalid)")
            }
            _ => {
                let (min, max) = self.limits(point);
                format!("gizwits::model::check_limits({id}, {raw}, ({min}, {max}), invalid)")
            }
        }
    }

    /// The least value of a point, as a constant expression.
    pub(super) fn least(&self, point: &Point<'_>) -> String {
        match (&point.attr.point().kind, &point.labels, point.number) {
            (Kind::Bool, ..) => "false".to_owned(),
            (Kind::Enum { .. }, Some((name, variants)), _) => {
                format!(
                    "{name}::{}",
                    variants.first().map_or("Unknown(0)", String::as_str)
                )
            }
            (Kind::Binary, ..) => format!("[0; {}]", point.bytes.len()),
            (_, _, number) => {
                let (min, _) = self
                    .product
                    .layout()
                    .limits(point.attr.id())
                    .unwrap_or((0, 0));
                let (ratio, addition) = point.scale(self.product.layout());
                let value = ratio.saturating_mul(min.into()).saturating_add(addition);
                match number {
                    Number::Scaled { places: 1.., .. } => format!("gizwits::Fixed({value})"),
                    _ => value.to_string(),
                }
            }
        }
    }

    /// The statements that put a point into `values`.
    pub(super) fn encode(&self, out: &mut fmt::Formatter<'_>, point: &Point<'_>) -> fmt::Result {
        let (id, name, bytes) = (point.id(), &point.field, &point.bytes);
        let whole = point.attr.point().position.unit == Unit::Byte;
        let range = format!("values[{}..{}]", bytes.start, bytes.end);
        let (min, max) = self.limits(point);
        let raw = match (&point.attr.point().kind, point.number) {
            (Kind::Binary, _) => {
                return writeln!(out, "        {range}.copy_from_slice(&status.{name});");
            }
            (Kind::Bool, _) => {
                let shift = match point.shift {
                    0 => String::new(),
                    shift => format!(" << {shift}"),
                };
                let value = format!("u8::from(status.{name}){shift};");
                return assign(out, 8, &format!("values[{}] |=", bytes.start), &value);
            }
            (Kind::Enum { labels }, _) => {
                writeln!(
                    out,
                    "        let value = status.{name}.index(){};",
                    into(point)
                )?;
                format!("label::<P>({id}, value, {labels}, kept, invalid)")
            }
            (_, Number::Raw) if !self.can_be_invalid(point) => {
                return match bytes.len() {
                    1 => assign(
                        out,
                        8,
                        &format!("values[{}] =", bytes.start),
                        &format!("status.{name};"),
                    ),
                    _ => {
                        assign(
                            out,
                            8,
                            "let raw =",
                            &format!("status.{name}.to_be_bytes();"),
                        )?;
                        writeln!(out, "        {range}.copy_from_slice(&raw);")
                    }
                };
            }
            (_, Number::Raw) => {
                writeln!(out, "        let value = status.{name}{};", into(point))?;
                format!("limited::<P>({id}, value, ({min}, {max}), kept, invalid)")
            }
            (_, Number::Scaled { places, wide }) => {
                let inner = if places == 0 { "" } else { ".0" };
                let (ratio, addition) = point.scale(self.product.layout());
                let function = if wide { "unscaled_wide" } else { "unscaled" };
                writeln!(out, "        let value = status.{name}{inner};")?;
                writeln!(out, "        let scale = ({ratio}, {addition});")?;
                writeln!(out, "        let limits = ({min}, {max});")?;
                format!("{function}::<P>({id}, value, scale, limits, kept, invalid)")
            }
        };
        let kept = match (whole || bytes.len() == 1, into(point)) {
            (true, "") => self.raw(point, "last"),
            (true, _) => format!("u32::from({})", self.raw(point, "last")),
            (false, _) => format!(
                "gizwits::model::bits(last, {}, {}, {})",
                bytes.end,
                point.shift,
                point.bits()
            ),
        };
        writeln!(out, "        let kept = || {kept};")?;
        let raw = format!("gizwits::model::{raw}");
        assign(out, 8, "let raw =", &format!("{raw};"))?;
        if whole {
            return match bytes.len() {
                1 => writeln!(out, "        values[{}] = raw as u8;", bytes.start),
                2 => writeln!(
                    out,
                    "        {range}.copy_from_slice(&(raw as u16).to_be_bytes());"
                ),
                _ => writeln!(out, "        {range}.copy_from_slice(&raw.to_be_bytes());"),
            };
        }
        // From the last byte to the first.
        for (at, below) in bytes.clone().rev().zip((0..).step_by(8)) {
            let shift = i32::from(point.shift) - below;
            match shift {
                0 => writeln!(out, "        values[{at}] |= raw as u8;")?,
                1.. => writeln!(out, "        values[{at}] |= (raw << {shift}) as u8;")?,
                _ => writeln!(out, "        values[{at}] |= (raw >> {}) as u8;", -shift)?,
            }
        }
        Ok(())
    }
}

/// The greatest raw number of the point's width.
fn most(point: &Point<'_>) -> u32 {
    u32::MAX >> (32 - point.bits().clamp(1, 32))
}

/// The conversion of the point's raw type to a u32.
fn into(point: &Point<'_>) -> &'static str {
    match point.raw_type() {
        "u32" => "",
        _ => ".into()",
    }
}
