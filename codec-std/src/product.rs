//! A product: its layout, with the names and labels of its points.

pub(crate) mod attr;
mod attr_reader;
pub(crate) mod check;
pub(crate) mod diagnostic;
mod entry;
mod finding_text;
pub(crate) mod findings;
mod json;
pub(crate) mod location;
mod names;
pub(crate) mod point_text;
#[cfg(feature = "log")]
pub(crate) mod products;
mod text_piece;
pub(crate) mod text_plan;
mod unknown_keys;

use std::fmt;
use std::sync::{Arc, OnceLock};

use gizwits_codec_core::layout::{Field, Head, LayoutRef, Limits};
use gizwits_codec_core::{PointId, Protocol, Scale, View};
use serde_json::{Value, json};

use self::attr::{Attr, attr_json};
use self::names::Names;
use self::point_text::JsonFormat;
use self::text_plan::TextPlan;
use crate::error::{Error, shown};
use crate::text::nearest;

/// The JSON Schema of definitions, draft 2020-12. It states the form of a definition; [`check`](crate::check) also
/// checks the rules between points.
///
/// ```
/// use gizwits_codec_std::DEFINITION_SCHEMA;
///
/// let schema: serde_json::Value = serde_json::from_str(DEFINITION_SCHEMA)?;
/// assert_eq!(schema["required"][0], "entities");
/// # Ok::<(), serde_json::Error>(())
/// ```
pub const DEFINITION_SCHEMA: &str = include_str!("product/definition.schema.json");

/// The definition of a product, ready to decode and encode messages.
///
/// [`from_json`](Self::from_json) reads it. A product is cheap to clone, `Send` and `Sync`.
///
/// ```
/// use gizwits_codec_std::Product;
///
/// let definition = std::fs::read_to_string("../tests/fixtures/air-conditioner.json")?;
/// let product = Product::from_json(&definition)?;
/// assert_eq!(product.name(), "air conditioner");
///
/// let report = [0x04, 0x01, 0x00, 0x00, 0x10, 0x1e, 0x00, 0x00];
/// let decoded = product.decode(&report)?;
/// assert!(decoded.to_json().contains(r#""set_temp":16,"room_temp":20"#));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Product(Arc<Inner>);

struct Inner {
    name: String,
    product_key: String,
    head: Head,
    fields: Box<[Field]>,
    limits: Box<[Limits]>,
    scales: Box<[Scale]>,
    attrs: Box<[Attr]>,
    /// The plan of the JSON of the points, made when it is first used.
    json: OnceLock<TextPlan>,
    names: Names,
}

impl Product {
    fn new(
        (name, product_key): (String, String),
        head: Head,
        (fields, limits, mut scales): (Vec<Field>, Vec<Limits>, Vec<Scale>),
        mut attrs: Vec<Attr>,
    ) -> Self {
        attrs.sort_by_key(Attr::id);
        scales.truncate(head.scale_count());
        let names = Names::new(attrs.iter().map(|attr| (attr.name(), attr.id())));
        Product(Arc::new(Inner {
            name,
            product_key,
            head,
            fields: fields.into(),
            limits: limits.into(),
            scales: scales.into(),
            names,
            attrs: attrs.into(),
            json: OnceLock::new(),
        }))
    }

    /// Returns the definition as JSON. Keys that the codec does not use are left out.
    ///
    /// ```
    /// use gizwits_codec_std::Product;
    ///
    /// let definition = std::fs::read_to_string("../tests/fixtures/air-conditioner.json")?;
    /// let product = Product::from_json(&definition)?;
    /// let copy = Product::from_json(&product.to_json())?;
    /// assert_eq!(copy.layout(), product.layout());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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

    /// Whether both products have equal points with equal names and labels. The names and keys of the
    /// products may differ.
    pub(crate) fn same(&self, other: &Product) -> bool {
        let same =
            |one: &Attr, two: &Attr| one.name() == two.name() && one.labels() == two.labels();
        Arc::ptr_eq(&self.0, &other.0)
            || self.layout() == other.layout()
                && self
                    .attrs()
                    .zip(other.attrs())
                    .all(|(one, two)| same(one, two))
    }

    /// The name of the product; empty if the definition has none.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The product key; empty if the definition has none.
    #[must_use]
    pub fn product_key(&self) -> &str {
        &self.0.product_key
    }

    /// The protocol of the product: standard or var_len.
    #[must_use]
    pub fn protocol(&self) -> Protocol {
        self.layout().protocol()
    }

    /// The layout of the product: the core's table, without names and labels.
    #[inline]
    pub fn layout(&self) -> LayoutRef<'_> {
        let inner = &*self.0;
        LayoutRef::new(&inner.head, &inner.fields, &inner.limits, &inner.scales)
    }

    /// Calls `call` with a view of a message of zeros that has all points, and thus all their locations.
    pub(crate) fn with_all_points<R>(&self, call: impl FnOnce(View<'_, '_>) -> R) -> R {
        let layout = self.layout();
        let mut known = vec![0xff; layout.mask_len()];
        if let (Some(first), spare @ 1..) = (known.first_mut(), layout.point_count() % 8) {
            *first = !(0xff << spare);
        }
        let zeros = vec![0; layout.status_len()];
        let view = layout.view_known(&known, &zeros);
        // Both buffers have the lengths that the layout requires, so `view` is never an error.
        call(view.unwrap_or_else(|_| layout.view_lax(&[])))
    }

    /// The plan of the JSON of the points.
    #[inline]
    pub(crate) fn json_plan(&self) -> &TextPlan {
        let make = || TextPlan::new(self, &JsonFormat);
        self.0.json.get_or_init(make)
    }

    /// The points, in the order of their ids.
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
    ///
    /// ```
    /// use gizwits_codec_std::Product;
    ///
    /// let definition = std::fs::read_to_string("../tests/fixtures/air-conditioner.json")?;
    /// let product = Product::from_json(&definition)?;
    /// let fan_speed = product.find("fan_speed").unwrap();
    /// assert_eq!(fan_speed.labels(), ["低风", "中风", "高风"]);
    /// assert_eq!(fan_speed.location(), "bits 4..5 of byte 0");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&Attr> {
        self.named(name.as_bytes())
    }

    /// The point whose name has these bytes.
    #[inline]
    pub(crate) fn named(&self, name: &[u8]) -> Option<&Attr> {
        self.attr(self.0.names.get(name)?)
    }

    /// Returns the point with this name, or an error that suggests the most similar name.
    ///
    /// ```
    /// use gizwits_codec_std::Product;
    ///
    /// let definition = std::fs::read_to_string("../tests/fixtures/air-conditioner.json")?;
    /// let product = Product::from_json(&definition)?;
    /// let error = product.require("set_tmep").unwrap_err();
    /// assert_eq!(error.message, "unknown point `set_tmep`: did you mean `set_temp`?");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// `unknown_point` if the product has no point with this name.
    pub fn require(&self, name: &str) -> Result<&Attr, Error> {
        self.find(name).ok_or_else(|| {
            let name = &shown(name);
            let near = nearest(name, self.attrs().map(Attr::name));
            let hint = match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => {
                    let names: Vec<&str> = self.attrs().map(Attr::name).take(20).collect();
                    let dots = if self.attrs().len() > 20 { ", …" } else { "" };
                    format!("the points are {}{dots}", names.join(", "))
                }
            };
            let message = format!("unknown point `{name}`: {hint}");
            Error::new("unknown_point", message)
        })
    }
}

/// Whether a product key is valid: 32 hex digits.
pub(crate) fn is_product_key(key: &str) -> bool {
    key.len() == 32 && key.bytes().all(|byte| byte.is_ascii_hexdigit())
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
