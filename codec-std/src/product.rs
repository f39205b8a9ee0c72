//! A product: its layout, with the names and labels of its points.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use gizwits_codec_core as core;
use gizwits_codec_core::layout::{Field, Head, LayoutRef, Limits};
use gizwits_codec_core::{Access, Decimal, Kind, Point, PointId, Protocol, Scale, Unit};
use serde_json::{Value, json};

use crate::check::{self, Check, Invalid};
use crate::error::{Error, counted, shown};

/// One product's definition, ready to decode and encode. Cheap to clone, `Send` and `Sync`.
#[derive(Clone)]
pub struct Product(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) name: String,
    pub(crate) product_key: String,
    pub(crate) head: Head,
    pub(crate) fields: Box<[Field]>,
    pub(crate) limits: Box<[Limits]>,
    pub(crate) scales: Box<[Scale]>,
    pub(crate) attrs: Box<[Attr]>,
    ids: HashMap<String, PointId>,
}

/// One data point of a product.
#[derive(Clone, Debug)]
pub struct Attr {
    name: String,
    display_name: String,
    desc: String,
    protocol: Protocol,
    point: Point,
    labels: Vec<String>,
    /// `"name":`
    pub(crate) key: Box<str>,
    /// Each label as JSON; the index where the label stands twice.
    pub(crate) rendered: Box<[Box<str>]>,
}

impl Attr {
    pub(crate) fn new(
        (name, display_name, desc): (String, String, String),
        protocol: Protocol,
        point: Point,
        labels: Vec<String>,
    ) -> Self {
        let mut uses: HashMap<&str, u32> = HashMap::new();
        for label in &labels {
            *uses.entry(label).or_default() += 1;
        }
        let rendered = labels
            .iter()
            .enumerate()
            .map(|(index, label)| match uses.get(label.as_str()) {
                Some(1) => Value::from(label.as_str()).to_string().into(),
                _ => index.to_string().into(),
            })
            .collect();
        Attr {
            key: format!("{}:", Value::from(name.as_str())).into(),
            name,
            display_name,
            desc,
            protocol,
            point,
            labels,
            rendered,
        }
    }

    /// The point's id.
    #[must_use]
    pub fn id(&self) -> PointId {
        PointId(self.point.id)
    }

    /// The name that messages use.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name that people read; may be empty.
    #[must_use]
    pub fn display_name(&self) -> &str {
        &self.display_name
    }

    /// What the definition says of it in words, which may tell its unit; may be empty.
    #[must_use]
    pub fn desc(&self) -> &str {
        &self.desc
    }

    /// Access, kind and position.
    pub fn point(&self) -> &Point {
        &self.point
    }

    /// Whether it is on or off.
    #[must_use]
    pub fn is_bool(&self) -> bool {
        matches!(self.point.kind, Kind::Bool)
    }

    /// The labels of an enum; empty for other kinds.
    #[must_use]
    pub fn labels(&self) -> &[String] {
        &self.labels
    }

    /// The index of a label; `None` if there is no such label or it stands twice.
    #[must_use]
    pub fn label(&self, label: &str) -> Option<u32> {
        let mut found = self.labels.iter().zip(0..).filter(|(one, _)| *one == label);
        match (found.next(), found.next()) {
            (Some((_, index)), None) => Some(index),
            _ => None,
        }
    }

    /// The label of a value; `None` if it has none or one that stands twice, so that its index tells it.
    #[must_use]
    pub fn label_of(&self, raw: u32) -> Option<&str> {
        let own = self.rendered.get(raw as usize)?.starts_with('"');
        let label = self.labels.get(raw as usize).filter(|_| own);
        label.map(String::as_str)
    }

    /// The bits or bytes in words: `byte 3`, `bytes 4..7`, `bits 3..4 of byte 0`. Of a var_len
    /// product, where they depend on the message, `bit 12 of the mask`.
    #[must_use]
    pub fn place(&self) -> String {
        place(self.protocol, &self.point)
    }

    /// The byte of the status where it begins, and its bit there; unknown of a var_len product.
    pub(crate) fn origin(&self) -> (Option<u32>, Option<u32>) {
        let position = &self.point.position;
        match (self.protocol, position.unit) {
            (Protocol::VarLen, _) => (None, None),
            (_, Unit::Byte) => (Some(position.byte_offset), None),
            (_, Unit::Bit) => (Some(position.byte_offset), Some(position.bit_offset)),
        }
    }
}

pub(crate) fn place(protocol: Protocol, point: &Point) -> String {
    if protocol == Protocol::VarLen {
        return format!("bit {} of the mask", point.id);
    }
    let position = &point.position;
    let (unit, first) = match position.unit {
        Unit::Bit => ("bit", position.bit_offset),
        Unit::Byte => ("byte", position.byte_offset),
    };
    let last = first.saturating_add(position.len.saturating_sub(1));
    let range = if first == last {
        format!("{unit} {first}")
    } else {
        format!("{unit}s {first}..{last}")
    };
    match position.unit {
        Unit::Bit => format!("{range} of byte {}", position.byte_offset),
        Unit::Byte => range,
    }
}

impl Product {
    pub(crate) fn new(inner: Inner) -> Self {
        Product(Arc::new(inner))
    }

    /// Reads a definition.
    ///
    /// # Errors
    /// What is wrong with it, as [`check`](crate::check()) finds it.
    pub fn from_json(json: &str) -> Result<Self, Invalid> {
        let Check {
            product,
            diagnostics,
            errors,
            warnings,
        } = check::check(json);
        product.ok_or(Invalid {
            diagnostics,
            errors,
            warnings,
        })
    }

    /// The definition as JSON, with what it says about the points and nothing else.
    #[must_use]
    pub fn to_json(&self) -> String {
        let attrs: Vec<Value> = self.attrs().map(attr_json).collect();
        let definition = json!({
            "name": self.name(),
            "product_key": self.product_key(),
            "protocolType": self.protocol().name(),
            "packetVersion": "0x00000004",
            "entities": [{"id": 0, "name": "entity0", "attrs": attrs}],
        });
        format!("{definition:#}")
    }

    /// Whether this is the same definition, read once or twice: the same points with the same names and
    /// labels. The product's own name and key may differ.
    pub(crate) fn same(&self, other: &Product) -> bool {
        let same = |one: &Attr, two: &Attr| one.name == two.name && one.labels == two.labels;
        Arc::ptr_eq(&self.0, &other.0)
            || self.layout() == other.layout()
                && self
                    .attrs()
                    .zip(other.attrs())
                    .all(|(one, two)| same(one, two))
    }

    /// The product's name; may be empty.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The product's key; may be empty.
    #[must_use]
    pub fn product_key(&self) -> &str {
        &self.0.product_key
    }

    /// Standard or var_len.
    #[must_use]
    pub fn protocol(&self) -> Protocol {
        self.layout().protocol()
    }

    /// The layout alone.
    #[inline]
    #[must_use]
    pub fn layout(&self) -> LayoutRef<'_> {
        let inner = &*self.0;
        LayoutRef::new(&inner.head, &inner.fields, &inner.limits, &inner.scales)
    }

    /// The points in the order of their ids.
    pub fn attrs(&self) -> impl ExactSizeIterator<Item = &Attr> + DoubleEndedIterator {
        self.0.attrs.iter()
    }

    /// The point with this id.
    #[inline]
    #[must_use]
    pub fn attr(&self, id: PointId) -> Option<&Attr> {
        self.0.attrs.get(id.index())
    }

    /// The point with this name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&Attr> {
        self.attr(*self.0.ids.get(name)?)
    }

    /// The point with this name, or an error that names the nearest.
    pub(crate) fn expect(&self, name: &str) -> Result<&Attr, Error> {
        self.find(name).ok_or_else(|| {
            let name = &shown(name);
            let near = self
                .attrs()
                .map(|attr| (strsim::jaro_winkler(attr.name(), name), attr.name()))
                .filter(|(similarity, _)| *similarity > 0.7)
                .max_by(|one, two| one.0.total_cmp(&two.0));
            let hint = match near {
                Some((_, near)) => format!("did you mean `{near}`?"),
                None => {
                    let names: Vec<&str> = self.attrs().map(Attr::name).take(20).collect();
                    let dots = if self.attrs().len() > 20 { ", …" } else { "" };
                    format!("there are {}{dots}", names.join(", "))
                }
            };
            Error::new(
                "unknown_point",
                format!("no point is named `{name}`; {hint}"),
            )
        })
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
}

impl Inner {
    pub(crate) fn new(
        (name, product_key): (String, String),
        head: Head,
        (fields, limits, mut scales): (Vec<Field>, Vec<Limits>, Vec<Scale>),
        mut attrs: Vec<Attr>,
    ) -> Self {
        attrs.sort_by_key(Attr::id);
        scales.truncate(head.scales());
        let ids = attrs.iter().map(|attr| (attr.name.clone(), attr.id()));
        Inner {
            name,
            product_key,
            head,
            fields: fields.into(),
            limits: limits.into(),
            scales: scales.into(),
            ids: ids.collect(),
            attrs: attrs.into(),
        }
    }
}

impl fmt::Debug for Product {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Product")
            .field("name", &self.name())
            .field("product_key", &self.product_key())
            .field("protocol", &self.protocol())
            .field("points", &self.attrs().len())
            .finish()
    }
}

fn attr_json(attr: &Attr) -> Value {
    let point = attr.point();
    let position = &point.position;
    let (data_type, spec) = match point.kind {
        Kind::Bool => ("bool", None),
        Kind::Enum { .. } => ("enum", None),
        Kind::Uint8(spec) => ("uint8", Some(spec)),
        Kind::Uint16(spec) => ("uint16", Some(spec)),
        Kind::Uint32(spec) => ("uint32", Some(spec)),
        Kind::Binary => ("binary", None),
    };
    let mut json = json!({
        "id": point.id,
        "name": attr.name(),
        "display_name": attr.display_name(),
        "type": match point.access {
            Access::Writable => "status_writable",
            Access::ReadOnly => "status_readonly",
            Access::Alert => "alert",
            Access::Fault => "fault",
        },
        "data_type": data_type,
        "position": {
            "byte_offset": position.byte_offset,
            "bit_offset": position.bit_offset,
            "len": position.len,
            "unit": match position.unit { Unit::Bit => "bit", Unit::Byte => "byte" },
        },
    });
    if !attr.desc().is_empty() {
        json["desc"] = attr.desc().into();
    }
    if let Some(spec) = spec {
        let number = |decimal: Decimal| serde_json::to_value(decimal).unwrap_or(Value::Null);
        json["uint_spec"] = json!({
            "min": spec.min,
            "max": spec.max,
            "ratio": number(spec.ratio),
            "addition": number(spec.addition),
        });
    }
    if let Kind::Enum { .. } = point.kind {
        json["enum"] = json!(attr.labels());
    }
    json
}
