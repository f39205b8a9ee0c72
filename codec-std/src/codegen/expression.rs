//! Expressions and statements that convert the values of points from and to bytes.

use gizwits_codec_core::{Kind, Unit};

use super::point::{Number, PointCode, integer};
use super::text::fitted;

impl PointCode<'_> {
    /// An expression for the raw number, given the name of the array of values.
    pub(super) fn raw(&self, values: &str) -> String {
        let byte = |at: usize| format!("{values}[{at}]");
        let bytes: Vec<String> = self.bytes.clone().map(byte).collect();
        let integer = match bytes.len() {
            1 => byte(self.bytes.start),
            len => format!("u{}::from_be_bytes([{}])", 8 * len, bytes.join(", ")),
        };
        if self.attr.point().position.unit == Unit::Byte {
            return integer;
        }
        let (end, shift, bits) = (self.bytes.end, self.shift, self.bits());
        let (have, masked) = match bytes.len() {
            3.. => (
                "u32",
                format!("model::bits({values}, {end}, {shift}, {bits})"),
            ),
            len => {
                let shifted = match shift {
                    0 => integer,
                    _ => format!("({integer} >> {shift})"),
                };
                let have = if len == 1 { "u8" } else { "u16" };
                (have, format!("{shifted} & {:#04x}", self.most()))
            }
        };
        match (have, self.raw_type()) {
            (have, want) if have == want => masked,
            ("u32", want) => format!("{masked} as {want}"),
            (_, want) => format!("({masked}) as {want}"),
        }
    }

    /// An expression for the value of a bool or binary, given the array `values`.
    pub(super) fn inline(&self) -> String {
        let (start, mask) = (self.bytes.start, 1 << self.shift);
        match self.attr.point().kind {
            Kind::Bool => format!("values[{start}] & {mask:#04x} != 0"),
            _ => format!("*model::array(&values[{start}..])"),
        }
    }

    /// An expression for the value of a raw number.
    pub(super) fn value(&self, raw: &str) -> String {
        if let Some((name, _)) = &self.labels {
            return format!("{name}::from({raw})");
        }
        let Number::Scaled { places, wide } = self.number else {
            return raw.to_owned();
        };
        let (ratio, addition) = self.ratio_and_addition();
        let mut value = format!("{}::from({raw})", integer(wide));
        if ratio != 1 {
            value += &format!(" * {ratio}");
        }
        match addition {
            0 => {}
            1.. => value += &format!(" + {addition}"),
            _ => value += &format!(" - {}", addition.unsigned_abs()),
        }
        match places {
            0 => value,
            _ => format!("gizwits::Fixed({value})"),
        }
    }

    /// The value of the field in a struct literal. A long expression is appended to `body` as a local.
    pub(super) fn literal_value(&self, body: &mut String, value: String) -> String {
        let others = 12 + ": ,".len() + self.field.len();
        fitted(body, 8, others, &format!("value_{}", self.id), value)
    }

    /// Returns the statements before the check of a raw number of a control, and the call that checks it.
    pub(super) fn check(&self, indent: &str, raw: &str) -> (String, String) {
        let (id, raw, (min, max)) = (self.id, format!("{raw}{}", self.widening()), self.limits);
        match self.attr.point().kind {
            Kind::Enum { labels } => {
                let call = format!("model::check_label({id}, {raw}, {labels}, invalid)");
                (String::new(), call)
            }
            _ => (
                format!("{indent}let limits = ({min}, {max});\n"),
                format!("model::check_limits({id}, {raw}, limits, invalid)"),
            ),
        }
    }

    /// The statements that write the point of `status` to `values`.
    pub(super) fn encode(&self) -> String {
        let (name, space) = (&self.field, " ".repeat(8));
        let reference = match self.attr.point().kind {
            Kind::Binary => "&",
            _ => "",
        };
        let mut out = format!("{space}let value = {reference}status.{name};\n");
        if self.can_be_invalid() {
            out += &format!("{space}let kept = || {};\n", self.kept());
        }
        out + &self.put(&space, "kept")
    }

    /// The statements that write `value` to `values`. An invalid number is replaced as the policy `P` chooses, which may
    /// take the number that `kept` returns.
    pub(super) fn put(&self, space: &str, kept: &str) -> String {
        let (id, start, end) = (self.id, self.bytes.start, self.bytes.end);
        let (kind, into) = (&self.attr.point().kind, self.widening());
        let call = match (kind, self.number) {
            (Kind::Binary, _) => {
                return format!("{space}values[{start}..{end}].copy_from_slice(value);\n");
            }
            (Kind::Bool, _) => {
                let shift = match self.shift {
                    0 => String::new(),
                    shift => format!(" << {shift}"),
                };
                return format!("{space}values[{start}] |= u8::from(value){shift};\n");
            }
            (Kind::Enum { labels }, _) => {
                format!("label::<P>({id}, value.index(){into}, {labels}, {kept}, invalid)")
            }
            (_, Number::Raw) if !self.can_be_invalid() => {
                let store = match self.bytes.len() {
                    1 => format!("[{start}] = value"),
                    _ => format!("[{start}..{end}].copy_from_slice(&value.to_be_bytes())"),
                };
                return format!("{space}values{store};\n");
            }
            (_, Number::Raw) => {
                format!("limited::<P>({id}, value{into}, limits, {kept}, invalid)")
            }
            (_, Number::Scaled { places, wide }) => {
                let inner = if places == 0 { "" } else { ".0" };
                let function = if wide { "unscaled_wide" } else { "unscaled" };
                format!("{function}::<P>({id}, value{inner}, scale, limits, {kept}, invalid)")
            }
        };
        let mut out = String::new();
        if let Number::Scaled { .. } = self.number {
            let (ratio, addition) = self.ratio_and_addition();
            out += &format!("{space}let scale = ({ratio}, {addition});\n");
        }
        if self.labels.is_none() {
            let (min, max) = self.limits;
            out += &format!("{space}let limits = ({min}, {max});\n");
        }
        out + &format!("{space}let raw = model::{call};\n") + &self.store(space)
    }

    /// An expression for the last reported raw number.
    fn kept(&self) -> String {
        let is_whole = self.attr.point().position.unit == Unit::Byte || self.bytes.len() == 1;
        match (is_whole, self.widening()) {
            (true, "") => self.raw("last"),
            (true, _) => format!("u32::from({})", self.raw("last")),
            (false, _) => {
                let (end, shift, bits) = (self.bytes.end, self.shift, self.bits());
                format!("model::bits(last, {end}, {shift}, {bits})")
            }
        }
    }

    /// The statements that write `raw`, a u32, to `values`.
    fn store(&self, space: &str) -> String {
        let (start, end) = (self.bytes.start, self.bytes.end);
        if self.attr.point().position.unit == Unit::Byte {
            let bytes = match end - start {
                1 => return format!("{space}values[{start}] = raw as u8;\n"),
                2 => "(raw as u16).to_be_bytes()",
                _ => "raw.to_be_bytes()",
            };
            return format!("{space}values[{start}..{end}].copy_from_slice(&{bytes});\n");
        }
        // Bytes are written from the last, which has the lowest bits, to the first.
        let byte = |(at, below): (usize, i32)| match i32::from(self.shift) - below {
            0 => format!("{space}values[{at}] |= raw as u8;\n"),
            left @ 1.. => format!("{space}values[{at}] |= (raw << {left}) as u8;\n"),
            right => format!("{space}values[{at}] |= (raw >> {}) as u8;\n", -right),
        };
        let bytes = self.bytes.clone().rev().zip((0..).step_by(8));
        bytes.map(byte).collect()
    }

    /// The suffix that converts the raw type of the point to a u32.
    fn widening(&self) -> &'static str {
        match self.raw_type() {
            "u32" => "",
            _ => ".into()",
        }
    }
}
