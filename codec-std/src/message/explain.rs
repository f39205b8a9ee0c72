//! Values, ranges and errors of messages in words, for people.

use gizwits_codec_core as core;
use gizwits_codec_core::{ErrorKind, Kind, PointId, Protocol, Reading, Value};

use super::payload;
use crate::error::{Error, counted};
use crate::product::Product;
use crate::product::attr::Attr;

impl Product {
    /// The value of a reading in words, for people: a label, a number, hex.
    #[must_use]
    pub fn show(&self, reading: Reading<'_, '_>) -> String {
        match (reading.value(), self.attr(reading.id())) {
            (Value::Bool(on), _) => if on { "on" } else { "off" }.to_owned(),
            (Value::Enum(index), attr) => attr
                .and_then(|attr| attr.labels().get(index as usize).cloned())
                .unwrap_or_else(|| index.to_string()),
            (Value::Number(number), _) => number.to_string(),
            (Value::Binary(bytes), _) => payload::hex(bytes),
        }
    }

    /// What the definition doesn't foresee about a value, in words: `above its maximum (16..30, step 1)`.
    #[must_use]
    pub fn odd(&self, reading: Reading<'_, '_>) -> Option<String> {
        let range = self.range(reading.id());
        Some(match reading.flagged()? {
            ErrorKind::PastLabels => "past its labels".to_owned(),
            ErrorKind::BelowMin => format!("below its minimum ({range})"),
            _ => format!("above its maximum ({range})"),
        })
    }

    /// The range and step of a point's values in words: `16..30, step 1`; the labels of an enum.
    #[must_use]
    pub fn range(&self, id: gizwits_codec_core::PointId) -> String {
        let layout = self.layout();
        let (Some(attr), Some(scale), Some((min, max))) =
            (self.attr(id), layout.scale(id), layout.limits(id))
        else {
            return String::new();
        };
        match attr.point().kind {
            Kind::Bool => "on or off".to_owned(),
            Kind::Enum { .. } => {
                let shown: Vec<&str> = attr.labels().iter().map(String::as_str).take(12).collect();
                let dots = if attr.labels().len() > 12 {
                    ", …"
                } else {
                    ""
                };
                format!("{}{dots}", shown.join(", "))
            }
            Kind::Binary => counted(max as usize, "byte"),
            _ => {
                let (low, high) = (scale.value(min), scale.value(max));
                format!("{low}..{high}, step {}", scale.ratio())
            }
        }
    }

    /// An error of a P0 in the definition's words.
    pub(crate) fn explain_p0(&self, error: core::Error, p0: &[u8]) -> Error {
        let mut told = self.explain(error);
        let mask = self.layout().mask_len();
        let bytes = |len: usize| format!("{len} byte{}", if len == 1 { "" } else { "s" });
        if let [0x12, asked @ ..] = p0
            && self.protocol() == Protocol::VarLen
        {
            told.message = format!(
                "the mask of the read has {}, not {}: only a mask of nothing but ff, for all points, \
                 may have any other length",
                bytes(asked.len()),
                mask
            );
        } else if self.protocol() == Protocol::VarLen
            && let core::ErrorKind::Incomplete { missing } = error.kind
            && (1..=mask).contains(&p0.len())
        {
            told.message = format!(
                "the payload ends within its mask: {} of {} are missing, from byte {} on",
                missing,
                counted(mask, "byte"),
                error.byte.unwrap_or(0)
            );
        }
        told
    }

    /// An error of the core in the definition's words.
    pub(crate) fn explain(&self, error: core::Error) -> Error {
        use core::ErrorKind as K;
        let name = |id: Option<PointId>| Some(self.attr(id?)?.name());
        let point = name(error.point);
        let before = point.map_or(String::new(), |name| format!(" before `{name}`"));
        let byte = error.byte.unwrap_or(0);
        let message = match error.kind {
            K::Incomplete { missing } => format!(
                "the payload ends{before}: byte {byte} is expected, {missing} {} missing",
                if missing == 1 { "byte is" } else { "bytes are" }
            ),
            K::Trailing { extra } => format!(
                "{extra} {} the end, from byte {byte} on",
                if extra == 1 {
                    "byte follows"
                } else {
                    "bytes follow"
                }
            ),
            K::UnknownAction { action } => format!(
                "{action:#04x} in byte {byte} is no action; those of this product are {}",
                match self.protocol() {
                    Protocol::Standard => "0x01 to 0x06",
                    Protocol::VarLen => "0x11 to 0x14, 0x05 and 0x06",
                }
            ),
            K::OtherProtocol { action } => match self.protocol() {
                Protocol::Standard => format!(
                    "action {action:#04x} in byte {byte} is of a var_len product; \
                     this definition is standard"
                ),
                Protocol::VarLen => format!(
                    "action {action:#04x} in byte {byte} is of a standard product; \
                     this definition is var_len"
                ),
            },
            K::UnknownFlag => format!(
                "flag {} is set in byte {byte}; the last point is {}",
                error.bit.unwrap_or(0),
                self.layout().points().saturating_sub(1)
            ),
            K::NotWritable => format!("`{}` is not writable", point.unwrap_or("?")),
            K::NotM2m => "not an M2M frame: it does not begin with 00000003".to_owned(),
            K::FrameLength => {
                "the length of the M2M frame, from byte 4 on, is not possible".to_owned()
            }
            kind => match point {
                Some(name) => format!("`{name}`: {kind}"),
                None => kind.to_string(),
            },
        };
        let told = Error::new(error.kind.name(), message).at(error.byte, error.bit);
        match point {
            Some(name) => told.about(name),
            None => told,
        }
    }

    /// Explains why the core's encoder refused a value: the point, the value, and what the definition
    /// allows.
    #[must_use]
    pub fn refused(&self, value: Value<'_>, error: core::Error) -> Error {
        let Some(attr) = error.point.and_then(|id| self.attr(id)) else {
            return self.explain(error);
        };
        let name = attr.name();
        let range = self.range(attr.id());
        let scale = self
            .layout()
            .scale(attr.id())
            .unwrap_or(core::Scale::IDENTITY);
        let (min, max) = self.layout().limits(attr.id()).unwrap_or_default();
        let given = match value {
            Value::Bool(value) => format!("{name} = {value}"),
            Value::Enum(index) => format!("{name} = {index}"),
            Value::Number(number) => format!("{name} = {number}"),
            Value::Binary(bytes) => format!("{name} of {}", counted(bytes.len(), "byte")),
        };
        let message = match error.kind {
            ErrorKind::BelowMin => {
                format!(
                    "{given} is below its minimum {} ({range})",
                    scale.value(min)
                )
            }
            ErrorKind::AboveMax => {
                format!(
                    "{given} is above its maximum {} ({range})",
                    scale.value(max)
                )
            }
            ErrorKind::OffStep { below } => format!(
                "{given} is not on a step: {} and {} are ({range})",
                scale.value(below),
                scale.value(below.saturating_add(1))
            ),
            ErrorKind::PastLabels => {
                format!("{given} is past its labels: 0..{max} ({range})")
            }
            ErrorKind::NotWritable => {
                let writable = |attr: &&Attr| attr.point().access == core::Access::Writable;
                let names: Vec<&str> = self.attrs().filter(writable).map(Attr::name).collect();
                format!(
                    "`{name}` is not writable; writable are: {}",
                    names.join(", ")
                )
            }
            ErrorKind::WrongAction => format!("{given}: a read sets no points"),
            _ => return self.explain(error),
        };
        refusal(error.kind.name(), attr, message)
    }
}

/// An error about a value: the point, and its place in the status.
pub(super) fn refusal(kind: &'static str, attr: &Attr, message: String) -> Error {
    let (byte, bit) = attr.origin();
    Error::new(kind, message).about(attr.name()).at(byte, bit)
}
