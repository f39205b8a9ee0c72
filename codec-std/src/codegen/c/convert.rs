//! Statements that convert the value of a point from and to bytes.

use gizwits_codec_core::Kind;

use super::point::{CPoint, integer};
use crate::codegen::point::Number;

impl CPoint<'_> {
    /// The byte of a point that shares it with other points. Code that decodes such a point has the byte in the
    /// variable `bits`, because a compiler has to read memory again after each store to the status.
    pub(super) fn shared_byte(&self) -> Option<usize> {
        let bytes = &self.code.bytes;
        (self.is_in_bits() && bytes.len() == 1).then_some(bytes.start)
    }

    /// The statement that reads the shared byte, unless it is the byte in `last`.
    pub(super) fn load(&self, last: &mut Option<usize>) -> String {
        match self.shared_byte() {
            Some(byte) if last.replace(byte) != Some(byte) => {
                format!("    bits = values[{byte}];\n")
            }
            _ => String::new(),
        }
    }

    /// An expression for the raw number, given the array of values.
    pub(super) fn raw(&self, values: &str) -> String {
        let (bytes, shift, bits) = (&self.code.bytes, self.code.shift, self.code.bits());
        let start = match bytes.start {
            0 => values.to_owned(),
            start => format!("&{values}[{start}]"),
        };
        let whole = match bytes.len() {
            1 if self.is_in_bits() => "bits".to_owned(),
            1 => format!("{values}[{}]", bytes.start),
            2 => format!("get16({start})"),
            _ => format!("get32({start})"),
        };
        if !self.is_in_bits() {
            return whole;
        }
        let raw = self.raw_type();
        if bytes.len() > 2 {
            let end = bytes.end;
            return format!("({raw})get_bits({values}, {end}u, {shift}u, {bits}u)");
        }
        let shifted = match shift {
            0 => whole,
            _ => format!("({whole} >> {shift})"),
        };
        format!("({raw})({shifted} & {:#04x}u)", self.code.most())
    }

    /// The statements that read the point from `values` to `member`.
    pub(super) fn decode(&self, indent: &str, values: &str, member: &str) -> String {
        let (bytes, shift) = (&self.code.bytes, self.code.shift);
        if self.is_binary() {
            let (start, len) = (bytes.start, bytes.len());
            return format!("{indent}copy({member}, &{values}[{start}], {len}u);\n");
        }
        let value = match self.is_bool() {
            true => format!("(bits & {:#04x}u) != 0u", 1 << shift),
            false => self.value(&self.raw(values)),
        };
        format!("{indent}{member} = {value};\n")
    }

    /// An expression for the engineering value of a raw number.
    pub(super) fn value(&self, raw: &str) -> String {
        let Number::Scaled { .. } = self.code.number else {
            return raw.to_owned();
        };
        let (ratio, addition) = self.code.ratio_and_addition();
        let kind = self.member_type();
        let mut value = format!("({kind}){raw}");
        if ratio != 1 {
            value = format!("({value} * {})", integer(ratio));
        }
        value = match addition {
            0 => value,
            1.. => format!("{value} + {addition}"),
            _ => format!("{value} - {}", addition.unsigned_abs()),
        };
        match kind {
            // C calculates with at least an `int`, which can have more bits.
            "int16_t" => format!("(int16_t)({value})"),
            _ => value,
        }
    }

    /// The conditions under which a raw number is invalid, each with its code. `raw` is an expression of the
    /// type of the raw number.
    pub(super) fn raw_checks(&self, raw: &str) -> Vec<(String, &'static str)> {
        let (min, max) = self.raw_limits();
        let above = match self.labels.is_empty() {
            true => "ABOVE_MAX",
            false => "NO_LABEL",
        };
        // A comparison that is always false would be a warning. Bits of a point can be fewer than those of
        // its member, which can then hold greater numbers.
        let greatest = match self.raw_type() {
            "uint8_t" => u8::MAX.into(),
            "uint16_t" => u16::MAX.into(),
            _ => u32::MAX,
        };
        let mut checks = Vec::new();
        if max < greatest {
            checks.push((format!("{raw} > {max}u"), above));
        }
        if min > 0 {
            checks.push((format!("{raw} < {min}u"), "BELOW_MIN"));
        }
        checks
    }

    /// The conditions under which a member is invalid, each with its code.
    pub(super) fn member_checks(&self, member: &str) -> Vec<(String, &'static str)> {
        if self.is_bool() || self.is_binary() {
            return Vec::new();
        }
        let Number::Scaled { .. } = self.code.number else {
            return self.raw_checks(member);
        };
        let (least, greatest) = self.member_limits();
        // A comparison that is always false would be a warning here, too.
        let (lowest, highest) = match self.member_type() {
            "int16_t" => (i16::MIN.into(), i16::MAX.into()),
            "int32_t" => (i32::MIN.into(), i32::MAX.into()),
            _ => (i64::MIN, i64::MAX),
        };
        let mut checks = Vec::new();
        if greatest < highest {
            checks.push((format!("{member} > {}", integer(greatest)), "ABOVE_MAX"));
        }
        if least > lowest {
            checks.push((format!("{member} < {}", integer(least)), "BELOW_MIN"));
        }
        let (ratio, _) = self.code.ratio_and_addition();
        if ratio != 1 {
            let distance = self.distance(member);
            checks.push((format!("{distance} % {ratio} != 0"), "OFF_STEP"));
        }
        checks
    }

    /// The least and the greatest valid raw number.
    fn raw_limits(&self) -> (u32, u32) {
        match self.code.attr.point().kind {
            Kind::Enum { labels } => (0, labels.saturating_sub(1)),
            _ => self.code.limits,
        }
    }

    /// The least and the greatest valid value of the member.
    pub(super) fn member_limits(&self) -> (i64, i64) {
        let (min, max) = self.raw_limits();
        let Number::Scaled { .. } = self.code.number else {
            return (min.into(), max.into());
        };
        let (ratio, addition) = self.code.ratio_and_addition();
        let value = |raw: u32| ratio.saturating_mul(raw.into()).saturating_add(addition);
        (value(min), value(max))
    }

    /// An expression for the distance of a member from the addition.
    fn distance(&self, member: &str) -> String {
        let (_, addition) = self.code.ratio_and_addition();
        match addition {
            0 => member.to_owned(),
            1.. => format!("({member} - {addition})"),
            _ => format!("({member} + {})", addition.unsigned_abs()),
        }
    }

    /// The statements that write a valid member to `values`. Bits are added to bytes that are 0.
    pub(super) fn encode(&self, indent: &str, member: &str) -> String {
        let (bytes, shift) = (&self.code.bytes, self.code.shift);
        let (start, end) = (bytes.start, bytes.end);
        if self.is_binary() {
            return format!(
                "{indent}copy(&values[{start}], {member}, {}u);\n",
                bytes.len()
            );
        }
        if self.is_bool() {
            let bit = 1 << shift;
            return format!(
                "{indent}if ({member}) {{\n{indent}    values[{start}] |= {bit:#04x}u;\n{indent}}}\n"
            );
        }
        if !self.is_in_bits() {
            let raw = self.unscaled(member);
            return match bytes.len() {
                1 => format!("{indent}values[{start}] = {raw};\n"),
                len => format!("{indent}put{}(&values[{start}], {raw});\n", 8 * len),
            };
        }
        // Bytes are written from the last, which has the lowest bits, to the first.
        let bytes = (start..end).rev();
        bytes
            .map(|at| {
                let part = self.part(at, member);
                format!("{indent}values[{at}] |= (uint8_t){part};\n")
            })
            .collect()
    }

    /// An expression for the bits of a point in one of its bytes. Higher bits of the expression belong to other bytes.
    pub(super) fn part(&self, byte: usize, member: &str) -> String {
        let below = 8 * self.code.bytes.end.saturating_sub(byte + 1);
        match usize::from(self.code.shift) {
            // A bool is no number to calculate with.
            shift if self.is_bool() => format!("({member} ? {:#04x}u : 0u)", 1 << shift),
            shift if shift == below => member.to_owned(),
            shift if shift > below => format!("({member} << {})", shift - below),
            shift => format!("({member} >> {})", below - shift),
        }
    }

    /// An expression for the raw number of a valid member.
    fn unscaled(&self, member: &str) -> String {
        let Number::Scaled { .. } = self.code.number else {
            return member.to_owned();
        };
        let (ratio, addition) = self.code.ratio_and_addition();
        let distance = self.distance(member);
        let raw = match ratio {
            1 => distance,
            _ => format!("({distance} / {ratio})"),
        };
        match (ratio, addition) {
            (1, 0) => format!("({})({raw})", self.raw_type()),
            _ => format!("({}){raw}", self.raw_type()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codegen::names::Names;
    use crate::codegen::point::tests::{border_products, numbers};

    /// The generated code calculates a number in 16, 32 or 64 bits: in the fewest that every step needs, to the value and
    /// back. A processor with an `int` of 16 bits does not widen a step by itself.
    #[test]
    fn a_member_has_the_bits_that_its_calculations_need() {
        let mut seen = [0, 0, 0];
        for product in border_products() {
            for point in CPoint::all(&product, "test", &Names::default()) {
                let Number::Scaled { wide, .. } = point.code.number else {
                    continue;
                };
                let (to, back) = (point.value("raw"), point.unscaled("member"));
                let (least, greatest) = point.member_limits();
                let ends = [(0, least), (i64::from(point.code.most()), greatest)].into_iter();
                let all: Vec<i128> = ends
                    .flat_map(|(raw, member)| {
                        let mut all = numbers(&to, "raw", raw);
                        all.extend(numbers(&back, "member", member));
                        all
                    })
                    .collect();
                let fits = |bits: u32| {
                    let least = -(1_i128 << (bits - 1));
                    all.iter().all(|number| (least..-least).contains(number))
                };
                let bits = match point.member_type() {
                    "int16_t" => 16,
                    "int32_t" => 32,
                    _ => 64,
                };
                assert!(fits(bits), "{bits} bits: {to}, {back}: {all:?}");
                let is_least = wide || bits == 16 || !fits(bits / 2);
                assert!(is_least, "{bits} bits: {to}, {back}: {all:?}");
                seen[bits as usize / 32] += 1;
            }
        }
        assert!(seen.into_iter().all(|count| count > 20), "{seen:?}");
    }
}
