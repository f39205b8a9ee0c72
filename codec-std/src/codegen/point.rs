//! A point in the generated code: its names, type and bytes.

use std::ops::Range;

use gizwits_codec_core::{Access, Decimal, Kind, Scale, UintSpec, Unit, View};

use super::names::{Names, RESERVED_FIELDS, RESERVED_TYPES, pascal, unicode_words};
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
    pub(super) fn all(product: &'p Product) -> Vec<Self> {
        let mut fields = Names::new(RESERVED_FIELDS, false);
        let mut constants = Names::new("", false);
        let mut types = Names::new(RESERVED_TYPES, true);
        let layout = product.layout();
        let mut point = |view: View<'_, '_>, attr: &'p Attr| {
            let id = attr.id();
            let words =
                unicode_words(attr.name()).unwrap_or_else(|| vec!["point".into(), id.to_string()]);
            let span = view.read(id).map(|reading| reading.span());
            let (bytes, shift) = span.map_or((0..0, 0), |span| (span.bytes, span.shift));
            let mut point = PointCode {
                attr,
                id: id.0,
                field: fields.take(words.join("_"), id.0),
                constant: constants.take(words.join("_").to_uppercase(), id.0),
                labels: None,
                number: Number::Raw,
                scale: layout.scale(id).unwrap_or(Scale::IDENTITY),
                limits: (0, 0),
                bytes,
                shift,
            };
            if let Kind::Enum { .. } = attr.point().kind {
                let name = types.take(pascal(&words), id.0);
                point.labels = Some((name, variants(attr)));
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
fn variants(attr: &Attr) -> Vec<String> {
    let mut names = Names::new("Unknown Self", true);
    let variant = |(label, index): (&String, u16)| {
        let name = unicode_words(label).map_or(format!("Label{index}"), |words| pascal(&words));
        names.take(name, index)
    };
    attr.labels().iter().zip(0..).map(variant).collect()
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
