//! A point in the generated C code: its names and type.

use gizwits_codec_core::{Kind, Unit};

use crate::codegen::names::{Names, words};
use crate::codegen::point::{Number, PointCode};
use crate::codegen::text::one_line;
use crate::product::Product;
use crate::product::attr::access_word;

/// Names that are not allowed for members: the keywords of C and C++, the types of other members, the keywords of
/// compilers for small processors, macros of common compilers, and `has`, which a control contains.
const RESERVED: &str = "alignas alignof alien and and_eq asm at auto banked bdata bit bitand \
    bitor bool break case catch char char16_t char32_t char8_t class co_await co_return \
    co_yield code compact compl concept const const_cast consteval constexpr constinit \
    continue critical data decltype default defined delete do double dynamic_cast else enum \
    errno explicit export extern false far final float for fortran friend goto has huge i386 \
    idata if import inline int int16_t int32_t int64_t interrupt large linux long module \
    mutable naked namespace near new noexcept not not_eq nullptr operator or or_eq override \
    pdata private protected public reentrant register reinterpret_cast requires restrict \
    return sbit sfr sfr16 sfr32 short signed sizeof small static static_assert static_cast \
    struct switch template this thread_local throw true try typedef typeid typename typeof \
    typeof_unqual uint16_t uint32_t uint8_t union unix unsigned using virtual void volatile \
    wchar_t while xdata xor xor_eq";

/// Names that are not allowed for the constants of labels, because the header uses them.
const CONSTANTS: &str = "ABOVE_MAX ACTION_CONTROL ACTION_READ ACTION_REPLY ACTION_REPORT AT BELOW_MIN CODE \
    CONTROL_LEN DEVICE_INFO H LINK_MEMORY MASK_LEN NOT_WRITABLE NO_LABEL NO_ROOM OFF_STEP OK POINT POINTS PRODUCT_KEY READ_LEN \
    STATUS_LEN TOO_LONG TOO_SHORT UNKNOWN_FLAG WRONG_ACTION";

/// A point, with its names in the generated C code.
pub(super) struct CPoint<'p> {
    pub(super) code: PointCode<'p>,
    /// The member of the structs.
    pub(super) member: String,
    /// The constant of the id.
    pub(super) id: String,
    /// The constants of the labels of an enum.
    pub(super) labels: Vec<String>,
}

impl<'p> CPoint<'p> {
    /// The points of a product, in the order of their ids.
    pub(super) fn all(product: &'p Product, prefix: &str) -> Vec<Self> {
        let mut members = Names::new(RESERVED, false);
        let mut constants = Names::new(CONSTANTS, false);
        let mut named = |code: PointCode<'p>| {
            let (attr, id) = (code.attr, code.id);
            let name = words(attr.name()).map_or(format!("point_{id}"), |words| words.join("_"));
            let upper = name.to_uppercase();
            let mut constant = |name: String, id| format!("{prefix}_{}", constants.take(name, id));
            let label = |(label, index): (&String, u16)| {
                let label = words(label).map_or(format!("LABEL{index}"), |words| {
                    words.join("_").to_uppercase()
                });
                constant(format!("{upper}_{label}"), index)
            };
            let labels = attr.labels().iter().zip(0..).map(label).collect();
            CPoint {
                member: members.take(name, id),
                id: constant(format!("ID_{upper}"), id),
                labels,
                code,
            }
        };
        PointCode::all(product)
            .into_iter()
            .map(&mut named)
            .collect()
    }

    pub(super) fn is_in_bits(&self) -> bool {
        self.code.attr.point().position.unit == Unit::Bit
    }

    pub(super) fn is_bool(&self) -> bool {
        self.code.attr.point().kind == Kind::Bool
    }

    pub(super) fn is_binary(&self) -> bool {
        self.code.attr.point().kind == Kind::Binary
    }

    /// The type of the raw number.
    pub(super) fn raw_type(&self) -> &'static str {
        match self.code.raw_type() {
            "u8" => "uint8_t",
            "u16" => "uint16_t",
            _ => "uint32_t",
        }
    }

    /// The type of the member.
    pub(super) fn member_type(&self) -> &'static str {
        match self.code.number {
            _ if self.is_bool() => "bool",
            _ if self.is_binary() => "uint8_t",
            Number::Raw => self.raw_type(),
            Number::Scaled { wide: true, .. } => "int64_t",
            Number::Scaled { .. } if self.fits_i16() => "int16_t",
            Number::Scaled { .. } => "int32_t",
        }
    }

    /// Whether the values of all raw numbers, and what the code calculates them from, fit 16 bits. Small
    /// processors calculate faster with fewer bits.
    fn fits_i16(&self) -> bool {
        let (ratio, addition) = self.code.ratio_and_addition();
        let span = ratio.saturating_mul(self.code.most().into());
        let numbers = [
            span,
            addition,
            addition.saturating_neg(),
            span.saturating_add(addition),
        ];
        numbers
            .into_iter()
            .all(|number| i16::try_from(number).is_ok())
    }

    /// The declaration of the member.
    pub(super) fn declaration(&self) -> String {
        let (kind, name) = (self.member_type(), &self.member);
        match self.is_binary() {
            true => format!("{kind} {name}[{}];", self.code.bytes.len()),
            false => format!("{kind} {name};"),
        }
    }

    /// The text of the comment on the member.
    pub(super) fn doc(&self) -> String {
        let (attr, code) = (self.code.attr, &self.code);
        let mut doc = match attr.display_name() {
            display if display.is_empty() || display == attr.name() => comment(attr.name()),
            display => format!("{} ({})", comment(display), comment(attr.name())),
        };
        doc += &format!(": {}", access_word(attr.point().access));
        if let Some(spec) = code.spec() {
            let value = |raw: i64| code.scale.value(u32::try_from(raw).unwrap_or(u32::MAX));
            let (min, max, step) = (value(spec.min), value(spec.max), code.scale.ratio());
            doc += &format!(", {min} to {max} in steps of {step}");
        }
        if let Number::Scaled {
            places: places @ 1..,
            ..
        } = code.number
        {
            doc += &format!(
                ", as an integer in units of 0.{:0>1$}",
                1,
                usize::from(places)
            );
        }
        if let Some(last) = self.labels.len().checked_sub(1) {
            doc += &format!(", the index of a label, 0 to {last}");
        }
        format!("{doc}, {}", attr.location())
    }
}

/// Returns a text for a comment: a single line that neither ends the comment nor begins another one.
pub(super) fn comment(text: &str) -> String {
    let text = one_line(text);
    text.replace("*/", "* /")
        .replace("/*", "/ *")
        .replace("??", "? ?")
}

/// A literal of a signed integer.
pub(super) fn integer(value: i64) -> String {
    // C has no negative literals, and the opposite of the least integer does not fit its type.
    match value == i64::MIN || value == i64::from(i32::MIN) {
        true => format!("({} - 1)", value + 1),
        false => value.to_string(),
    }
}
