//! A point in the generated code: its names, type and bytes.

use std::ops::Range;

use gizwits_codec_core::{Access, Decimal, Kind, Scale, UintSpec, Unit, View};

use super::identifiers::{
    RESERVED_FIELDS, RESERVED_TYPES, RESERVED_VARIANTS, UniqueNames, Wanted, pascal, unicode_words,
};
use super::names::Names;
use super::text::{code, comment};
use crate::product::Product;
use crate::product::attr::{Attr, access_word, uint_spec};

/// A point, with its names and representation in the generated code.
pub(super) struct PointCode<'p> {
    pub(super) attr: &'p Attr,
    pub(super) id: u16,
    pub(super) field: String,
    pub(super) constant: String,
    /// The names of the type and the variants of an enum.
    pub(super) labels: Option<(String, Vec<String>)>,
    pub(super) number: Number,
    pub(super) scale: Scale,
    /// The least and the greatest valid raw value.
    pub(super) limits: (u32, u32),
    /// The bytes that contain bits of the point.
    pub(super) bytes: Range<usize>,
    /// The number of bits below the point in the last of its bytes.
    pub(super) shift: u8,
}

/// The representation of an integer in the generated structs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Number {
    /// The raw value.
    Raw,
    /// The engineering value with this number of decimal places. An i64 if `wide`, otherwise an i32.
    Scaled { places: u8, wide: bool },
}

impl<'p> PointCode<'p> {
    /// The points of a product, in the order of their ids.
    pub(super) fn all(product: &'p Product, names: &Names) -> Vec<Self> {
        let words: Vec<(Vec<String>, bool)> = product
            .attrs()
            .map(|attr| match names.point(attr) {
                Some(given) => (given.to_owned(), true),
                None => {
                    let other = || vec!["point".into(), attr.id().to_string()];
                    (unicode_words(attr.name()).unwrap_or_else(other), false)
                }
            })
            .collect();
        let wanted = |name: fn(&[String]) -> String| {
            let words = words.iter().zip(0..);
            let wanted = words.map(|((words, is_given), id)| Wanted {
                name: name(words),
                id,
                is_given: *is_given,
            });
            wanted.collect::<Vec<_>>()
        };
        let snake = |words: &[String]| words.join("_");
        let fields = UniqueNames::new(RESERVED_FIELDS, false).take_all(wanted(snake));
        let upper = |words: &[String]| words.join("_").to_uppercase();
        let constants = UniqueNames::new("", false).take_all(wanted(upper));
        let is_enum = |attr: &Attr| matches!(attr.point().kind, Kind::Enum { .. });
        let types = product.attrs().zip(wanted(pascal));
        let types = types.filter_map(|(attr, name)| is_enum(attr).then_some(name));
        let types = UniqueNames::new(RESERVED_TYPES, true).take_all(types.collect());

        let layout = product.layout();
        let mut own = fields.into_iter().zip(constants);
        let mut types = types.into_iter();
        let mut point = |view: View<'_, '_>, attr: &'p Attr| {
            let id = attr.id();
            let (field, constant) = own.next().unwrap_or_default();
            let span = view.read(id).map(|reading| reading.span());
            let (bytes, shift) = span.map_or((0..0, 0), |span| (span.bytes, span.shift));
            let mut point = PointCode {
                attr,
                id: id.0,
                field,
                constant,
                labels: None,
                number: Number::Raw,
                scale: layout.scale(id).unwrap_or(Scale::IDENTITY),
                limits: (0, 0),
                bytes,
                shift,
            };
            if is_enum(attr) {
                let name = types.next().unwrap_or_default();
                point.labels = Some((name, variants(attr, names)));
            }
            point.limits = layout.limits(id).unwrap_or((0, point.most()));
            point.number = point.representation();
            point
        };
        product.with_all_points(|view| product.attrs().map(|attr| point(view, attr)).collect())
    }

    fn representation(&self) -> Number {
        if self.scale == Scale::IDENTITY || self.spec().is_none() {
            return Number::Raw;
        }
        let (ratio, addition) = self.ratio_and_addition();
        let span = ratio.saturating_mul(self.most().into());
        // The code subtracts the opposite of a negative addition, so the opposite has to fit too.
        let opposite = addition.saturating_neg();
        let numbers = [
            ratio,
            span,
            addition,
            opposite,
            span.saturating_add(addition),
        ];
        let fits = |number: i64| i32::try_from(number).is_ok();
        Number::Scaled {
            places: self.scale.decimals(),
            wide: self.bits() > 16 || !numbers.into_iter().all(fits),
        }
    }

    pub(super) fn is_writable(&self) -> bool {
        self.attr.point().access == Access::Writable
    }

    /// Whether the point is converted without a raw number: a bool or a binary.
    pub(super) fn is_inline(&self) -> bool {
        matches!(self.attr.point().kind, Kind::Bool | Kind::Binary)
    }

    /// The width of the point in bits.
    pub(super) fn bits(&self) -> u32 {
        let position = &self.attr.point().position;
        match position.unit {
            Unit::Bit => position.len,
            Unit::Byte => position.len.saturating_mul(8),
        }
    }

    /// The greatest raw number that the width of the point allows.
    pub(super) fn most(&self) -> u32 {
        u32::MAX >> (32 - self.bits().clamp(1, 32))
    }

    /// The type of the raw number.
    pub(super) fn raw_type(&self) -> &'static str {
        match self.bits() {
            0..=8 => "u8",
            9..=16 => "u16",
            _ => "u32",
        }
    }

    pub(super) fn type_name(&self) -> String {
        match (&self.attr.point().kind, self.number, &self.labels) {
            (Kind::Bool, ..) => "bool".to_owned(),
            (Kind::Binary, ..) => format!("[u8; {}]", self.bytes.len()),
            (.., Some((name, _))) => name.clone(),
            (_, Number::Raw, _) => self.raw_type().to_owned(),
            (_, Number::Scaled { places: 0, wide }, _) => integer(wide).to_owned(),
            (_, Number::Scaled { places, wide }, _) => {
                format!("gizwits::Fixed<{}, {places}>", integer(wide))
            }
        }
    }

    pub(super) fn spec(&self) -> Option<UintSpec> {
        uint_spec(self.attr.point().kind).map(|(spec, _)| spec)
    }

    /// The ratio and the addition as integers, at the decimal places of the number.
    pub(super) fn ratio_and_addition(&self) -> (i64, i64) {
        let places = self.scale.decimals();
        (
            coefficient_at(self.scale.ratio(), places),
            coefficient_at(self.scale.addition(), places),
        )
    }

    /// Whether the width of the point allows raw numbers outside of its limits.
    pub(super) fn has_invalid_raw(&self) -> bool {
        !self.is_inline() && self.limits != (0, self.most())
    }

    /// Whether the field in `Status` can hold an invalid value: a field can be wider than its bits, and a
    /// scaled number can be between two steps.
    pub(super) fn can_be_invalid(&self) -> bool {
        self.labels.is_some() || self.number != Number::Raw || self.has_invalid_raw()
    }

    /// The doc comment of the point: one line.
    pub(super) fn doc(&self) -> String {
        let (name, display) = (self.attr.name(), self.attr.display_name());
        let mut doc = match display.is_empty() || display == name {
            true => code(name),
            false => format!("{} ({})", comment(display), code(name)),
        };
        doc += ": ";
        doc += access_word(self.attr.point().access);
        if let Some(spec) = self.spec() {
            let value = |raw: i64| self.scale.value(u32::try_from(raw).unwrap_or(u32::MAX));
            let (min, max, step) = (value(spec.min), value(spec.max), self.scale.ratio());
            doc += &format!(", {min}..={max} in steps of {step}");
        }
        format!("{doc}, {}.", self.attr.location())
    }
}

/// The variants of an enum, in the order of its labels.
fn variants(attr: &Attr, names: &Names) -> Vec<String> {
    let labels = attr.labels().iter().zip(names.labels(attr)).zip(0..);
    let wanted = labels.map(|((label, given), index)| {
        let other = || format!("Label{index}");
        Wanted {
            name: match given {
                Some(given) => pascal(given),
                None => unicode_words(label).map_or_else(other, |words| pascal(&words)),
            },
            id: index,
            is_given: given.is_some(),
        }
    });
    UniqueNames::new(RESERVED_VARIANTS, true).take_all(wanted.collect())
}

/// The coefficient of a number at `places` decimal places, at least as many as the number has.
fn coefficient_at(number: Decimal, places: u8) -> i64 {
    let up = u32::from(places.saturating_sub(number.scale()));
    number
        .coefficient()
        .saturating_mul(10_i64.saturating_pow(up))
}

/// The integer type of a scaled number.
pub(super) fn integer(wide: bool) -> &'static str {
    if wide { "i64" } else { "i32" }
}

#[cfg(test)]
pub(in crate::codegen) mod tests {
    use super::*;

    /// Products of integers of one, two and four bytes, whose scales are at the borders of types: a ratio, a product, a
    /// sum or the opposite of an addition that just fits 16 or 32 bits, or just does not.
    pub(in crate::codegen) fn border_products() -> Vec<Product> {
        [("uint8", 1), ("uint16", 2), ("uint32", 4)]
            .into_iter()
            .map(|(kind, bytes)| {
                let most = i64::from(u32::MAX >> (32 - 8 * bytes));
                let mut scales = Vec::new();
                for limit in [i64::from(i16::MAX), i64::from(i32::MAX)] {
                    let ratios = [1, 2, 7, limit / most, limit / most + 1, limit, limit + 1];
                    for ratio in ratios {
                        let span = ratio * most;
                        let additions = [0, 1, -1, limit, limit + 1, -limit, -limit - 1, -limit - 2];
                        let sums = [limit - span, limit - span + 1, -span, -span / 2];
                        scales.extend(additions.into_iter().chain(sums).map(|one| (ratio, one)));
                    }
                }
                let is_sound = |(ratio, addition): &(i64, i64)| {
                    let (ratio, addition) = (Decimal::from(*ratio), Decimal::from(*addition));
                    Scale::new(ratio, addition, most as u32).is_ok()
                };
                let attrs = scales.into_iter().filter(is_sound).enumerate();
                let attrs = attrs.map(|(id, (ratio, addition))| {
                    serde_json::json!({
                        "id": id, "name": format!("n{id}"), "type": "status_writable", "data_type": kind,
                        "position": {"unit": "byte", "byte_offset": id * bytes as usize, "bit_offset": 0, "len": bytes},
                        "uint_spec": {"min": 0, "max": most, "ratio": ratio, "addition": addition},
                    })
                });
                let json = serde_json::json!({
                    "name": kind, "product_key": "", "protocolType": "standard", "packetVersion": "0x00000004",
                    "entities": [{"id": 0, "name": "entity0", "attrs": attrs.collect::<Vec<_>>()}],
                });
                Product::from_json(&json.to_string()).unwrap()
            })
            .collect()
    }

    /// Returns all numbers of a calculation from left to right, `variable` having this value: operands and results.
    pub(in crate::codegen) fn numbers(expression: &str, variable: &str, value: i64) -> Vec<i128> {
        let mut plain = expression.replace(['(', ')'], " ");
        for word in [
            "gizwits::Fixed",
            "i32::from",
            "i64::from",
            "uint8_t",
            "uint16_t",
            "uint32_t",
        ]
        .into_iter()
        .chain(["int16_t", "int32_t", "int64_t"])
        {
            plain = plain.replace(word, "");
        }
        let number = |text: &str| match text == variable {
            true => i128::from(value),
            false => text.parse().unwrap(),
        };
        let mut words = plain.split_whitespace();
        let mut result = number(words.next().unwrap());
        let mut all = vec![result];
        while let Some(operator) = words.next() {
            let operand = number(words.next().unwrap());
            result = match operator {
                "*" => result * operand,
                "/" => result / operand,
                "+" => result + operand,
                "-" => result - operand,
                other => panic!("{other} in {expression}"),
            };
            all.extend([operand, result]);
        }
        all
    }

    /// The generated code calculates a number in 64 bits if any step of it needs them, and otherwise in 32 bits.
    #[test]
    fn a_number_has_the_bits_that_its_calculation_needs() {
        let mut seen = [0, 0];
        for product in border_products() {
            for point in PointCode::all(&product, &Names::default()) {
                let Number::Scaled { wide, .. } = point.number else {
                    continue;
                };
                let expression = point.value("raw");
                let ends = [0, i64::from(point.most())].into_iter();
                let all: Vec<i128> = ends
                    .flat_map(|raw| numbers(&expression, "raw", raw))
                    .collect();
                let fits = all.iter().all(|number| i32::try_from(*number).is_ok());
                assert_eq!(wide, !fits || point.bits() > 16, "{expression}: {all:?}");
                assert!(
                    all.iter().all(|number| i64::try_from(*number).is_ok()),
                    "{expression}"
                );
                seen[usize::from(wide)] += 1;
            }
        }
        assert!(seen.into_iter().all(|count| count > 50), "{seen:?}");
    }
}
