//! A point in the generated C code: its names and type.

use gizwits_codec_core::{Kind, Unit};

use crate::codegen::identifiers::{UniqueNames, Wanted, words as split};
use crate::codegen::names::Names;
use crate::codegen::point::{Number, PointCode};
use crate::codegen::text::one_line;
use crate::product::Product;
use crate::product::attr::access_word;

/// Names that are not allowed for members: the keywords of C and C++, the types of other members, the keywords of
/// compilers for small processors, macros of common compilers and of standard headers, and `has`, which a control
/// contains.
const RESERVED: &str = "alignas alignof alien and and_eq asm at auto banked bdata bit bitand \
    bitor bool break case catch char char16_t char32_t char8_t class co_await co_return \
    co_yield code compact compl complex concept const const_cast consteval constexpr constinit \
    continue critical data decltype default defined delete do double dynamic_cast else enum \
    errno explicit export extern false far final float for fortran friend goto has huge i386 \
    idata if imaginary import inline int int16_t int32_t int64_t interrupt large linux long module \
    mutable naked namespace near new noexcept noreturn not not_eq nullptr operator or or_eq override \
    pdata private protected public reentrant register reinterpret_cast requires restrict \
    return sbit sfr sfr16 sfr32 short signed sizeof small static static_assert static_cast \
    struct switch template this thread_local throw true try typedef typeid typename typeof \
    typeof_unqual uint16_t uint32_t uint8_t union unix unsigned using virtual void volatile \
    wchar_t while xdata xor xor_eq";

/// Names that are not allowed for the constants of labels, because the header uses them.
const CONSTANTS: &str = "ABOVE_MAX ACTION_CONTROL ACTION_READ ACTION_REPLY ACTION_REPORT AT BELOW_MIN CODE \
    CONTROL_LEN DEVICE_INFO H LINK_MEMORY MASK_LEN NOT_WRITABLE NO_LABEL NO_ROOM OFF_STEP OK POINT POINTS PRODUCT_KEY READ_LEN \
    STATUS_LEN TOO_LONG TOO_SHORT UNKNOWN_FLAG WRONG_ACTION";

/// Macros of standard headers that a prefix, a point and a label could be joined to. A firmware includes other
/// headers than the code does, so that all headers of C99, C23 and C++ count. `INT_LEAST8_MAX` and its relatives are
/// a pattern: see [`is_standard`].
const STANDARD: &str = "ATOMIC_BOOL_LOCK_FREE ATOMIC_CHAR16_T_LOCK_FREE ATOMIC_CHAR32_T_LOCK_FREE \
    ATOMIC_CHAR8_T_LOCK_FREE ATOMIC_CHAR_LOCK_FREE ATOMIC_FLAG_INIT ATOMIC_INT_LOCK_FREE ATOMIC_LLONG_LOCK_FREE \
    ATOMIC_LONG_LOCK_FREE ATOMIC_POINTER_LOCK_FREE ATOMIC_SHORT_LOCK_FREE ATOMIC_VAR_INIT ATOMIC_WCHAR_T_LOCK_FREE \
    CLOCKS_PER_SEC DBL_DECIMAL_DIG DBL_HAS_SUBNORM DBL_IS_IEC_60559 DBL_MANT_DIG DBL_MAX_10_EXP DBL_MAX_EXP \
    DBL_MIN_10_EXP DBL_MIN_EXP DBL_NORM_MAX DBL_TRUE_MIN DEC_EVAL_METHOD FE_ALL_EXCEPT FE_DFL_ENV \
    FE_DFL_MODE FE_SNANS_ALWAYS_SIGNAL FLT_DECIMAL_DIG FLT_EVAL_METHOD FLT_HAS_SUBNORM FLT_IS_IEC_60559 FLT_MANT_DIG \
    FLT_MAX_10_EXP FLT_MAX_EXP FLT_MIN_10_EXP FLT_MIN_EXP FLT_NORM_MAX FLT_TRUE_MIN FP_FAST_FMA FP_FAST_FMAF \
    FP_FAST_FMAL FP_INT_DOWNWARD FP_INT_TONEAREST FP_INT_TONEARESTFROMZERO FP_INT_TOWARDZERO FP_INT_UPWARD \
    LDBL_DECIMAL_DIG LDBL_HAS_SUBNORM LDBL_IS_IEC_60559 LDBL_MANT_DIG LDBL_MAX_10_EXP LDBL_MAX_EXP LDBL_MIN_10_EXP \
    LDBL_MIN_EXP LDBL_NORM_MAX LDBL_TRUE_MIN LONG_LONG_MAX LONG_LONG_MIN MB_CUR_MAX MB_LEN_MAX ONCE_FLAG_INIT \
    SIG_ATOMIC_MAX SIG_ATOMIC_MIN SIG_ATOMIC_WIDTH TSS_DTOR_ITERATIONS";

/// Whether a standard header has, or may get, a macro of this name. C reserves the names that begin with `INT` or
/// `UINT` and end like these.
fn is_standard(constant: &str) -> bool {
    let is_integer = ["INT_", "UINT_"]
        .iter()
        .any(|start| constant.starts_with(start))
        && ["_C", "_MAX", "_MIN", "_WIDTH"]
            .iter()
            .any(|end| constant.ends_with(end));
    is_integer || STANDARD.split_whitespace().any(|name| name == constant)
}

/// Whether the header, or a standard header, has a macro of this name behind this prefix, apart from those of points.
pub(super) fn is_reserved(prefix: &str, name: &str) -> bool {
    CONSTANTS
        .split_whitespace()
        .any(|constant| constant == name)
        || is_standard(&format!("{prefix}_{name}"))
}

/// The numbers of points and of labels that have no name for C code, neither of the definition nor given.
pub(super) fn unnamed(product: &Product, names: &Names) -> (usize, usize) {
    let (mut points, mut labels) = (0, 0);
    for attr in product.attrs() {
        points += usize::from(names.point(attr).is_none() && split(attr.name()).is_none());
        let of_attr = attr.labels().iter().zip(names.labels(attr));
        labels += of_attr
            .filter(|(label, given)| given.is_none() && split(label).is_none())
            .count();
    }
    (points, labels)
}

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
    pub(super) fn all(product: &'p Product, prefix: &str, names: &Names) -> Vec<Self> {
        let points = PointCode::all(product, names);
        let (mut members, mut constants) = (Vec::new(), Vec::new());
        let constant = |mut name: String, id, is_given| {
            if is_standard(&format!("{prefix}_{name}")) {
                name.push('_');
            }
            Wanted { name, id, is_given }
        };
        for code in &points {
            let (attr, id) = (code.attr, code.id);
            let given = names.point(attr);
            let words = given.map(<[String]>::to_vec).or_else(|| split(attr.name()));
            let name = words.map_or(format!("point_{id}"), |words| words.join("_"));
            let upper = name.to_uppercase();
            for ((label, own), index) in attr.labels().iter().zip(names.labels(attr)).zip(0..) {
                let is_given = own.is_some();
                let words = own.map(<[String]>::to_vec).or_else(|| split(label));
                let label = words.map_or(format!("LABEL{index}"), |words| {
                    words.join("_").to_uppercase()
                });
                constants.push(constant(format!("{upper}_{label}"), index, is_given));
            }
            constants.push(constant(format!("ID_{upper}"), id, given.is_some()));
            members.push(Wanted {
                name,
                id,
                is_given: given.is_some(),
            });
        }
        let members = UniqueNames::new(RESERVED, false).take_all(members);
        let constants = UniqueNames::new(CONSTANTS, false).take_all(constants);
        let mut constants = constants.into_iter().map(|name| format!("{prefix}_{name}"));
        let named = |(code, member): (PointCode<'p>, String)| {
            let labels = code.attr.labels().len();
            CPoint {
                member,
                labels: constants.by_ref().take(labels).collect(),
                id: constants.next().unwrap_or_default(),
                code,
            }
        };
        points.into_iter().zip(members).map(named).collect()
    }

    pub(super) fn is_in_bits(&self) -> bool {
        self.code.attr.point().position.unit == Unit::Bit
    }

    /// Whether the point has bits in this byte, beside other points.
    pub(super) fn is_in_bits_of(&self, byte: usize) -> bool {
        self.is_in_bits() && self.code.bytes.contains(&byte)
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

    /// The names, without a prefix, and the values of the constants for the limits of the member.
    pub(super) fn limits(&self, prefix: &str) -> Vec<(String, String)> {
        let id = self.id.strip_prefix(&format!("{prefix}_ID_"));
        let name = id.unwrap_or(&self.id);
        if self.is_bool() || self.is_binary() {
            return Vec::new();
        }
        if !self.labels.is_empty() {
            let count = format!("{}u", self.labels.len());
            return vec![(format!("{name}_COUNT"), count)];
        }
        let is_unsigned = self.member_type().starts_with('u');
        let literal = |value: i64| match (is_unsigned, value) {
            (true, _) => format!("{value}u"),
            (false, 0..) => value.to_string(),
            (false, _) => format!("({})", integer(value)),
        };
        let (min, max) = self.member_limits();
        let (step, _) = self.code.ratio_and_addition();
        [("MIN", min), ("MAX", max), ("STEP", step)]
            .map(|(limit, value)| (format!("{name}_{limit}"), literal(value)))
            .to_vec()
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
