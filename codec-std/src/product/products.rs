//! The products of a log, looked up by product key or device.

use std::collections::HashMap;
use std::sync::Arc;

use gizwits_codec_core::m2m::{self, Event};

use super::Product;
use crate::error::Error;

/// The products of a log. Each record belongs to one of them.
///
/// The product of a record is looked up by the record's `product_key`, then by its device, and otherwise is
/// the default.
///
/// ```
/// use gizwits_codec_std::Product;
/// use gizwits_codec_std::log::Products;
///
/// let read = |name| std::fs::read_to_string(format!("../tests/fixtures/{name}.json"));
/// let air_conditioner = Product::from_json(&read("air-conditioner")?)?;
/// let feeder = Product::from_json(&read("feeder")?)?;
/// let key = feeder.product_key().to_owned();
///
/// let products = Products::several(vec![air_conditioner, feeder])?
///     .with_did("fTZ6jUmwmuTUkEdbXWePQ3", &key)?;
/// assert_eq!(products.iter().len(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Products(Arc<Choice>);

#[derive(Clone, Debug, Default)]
struct Choice {
    products: Vec<Product>,
    keys: HashMap<String, usize>,
    dids: HashMap<String, usize>,
    default: Option<usize>,
}

impl Products {
    /// Creates the products of a log whose records all belong to one product.
    ///
    /// ```
    /// use gizwits_codec_std::Product;
    /// use gizwits_codec_std::log::Products;
    ///
    /// let definition = std::fs::read_to_string("../tests/fixtures/air-conditioner.json")?;
    /// let products = Products::one(Product::from_json(&definition)?);
    /// assert_eq!(products.iter().len(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn one(product: Product) -> Self {
        Products(Arc::new(Choice {
            keys: HashMap::from([(product.product_key().to_owned(), 0)]),
            products: vec![product],
            default: Some(0),
            ..Choice::default()
        }))
    }

    /// Creates the products of a log whose records have a `product_key`.
    ///
    /// # Errors
    /// `unknown_product` if a product has no key, or two products have equal keys.
    pub fn several(products: Vec<Product>) -> Result<Self, Error> {
        let mut keys = HashMap::new();
        for (n, product) in products.iter().enumerate() {
            let key = product.product_key();
            if key.is_empty() || keys.insert(key.to_owned(), n).is_some() {
                let message = match key {
                    "" => format!("definition {} has no product_key", n + 1),
                    key => format!("two definitions have the product_key {key}"),
                };
                return Err(Error::new("unknown_product", message));
            }
        }
        Ok(Products(Arc::new(Choice {
            products,
            keys,
            ..Choice::default()
        })))
    }

    /// Sets the product of records that have no `product_key` and no known device. Default: such records are
    /// rejected.
    ///
    /// # Errors
    /// `unknown_product` if no product has this key.
    pub fn with_default(mut self, key: &str) -> Result<Self, Error> {
        let default = self.index(key)?;
        Arc::make_mut(&mut self.0).default = Some(default);
        Ok(self)
    }

    /// Sets the product of a device, for its records that have no `product_key`.
    ///
    /// # Errors
    /// `unknown_product` if no product has this key.
    pub fn with_did(mut self, did: &str, key: &str) -> Result<Self, Error> {
        let product = self.index(key)?;
        Arc::make_mut(&mut self.0)
            .dids
            .insert(did.to_owned(), product);
        Ok(self)
    }

    /// The products, in the order in which they were given.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Product> {
        self.0.products.iter()
    }

    /// The product with this index.
    #[inline(always)]
    pub(crate) fn get(&self, index: usize) -> Option<&Product> {
        self.0.products.get(index)
    }

    fn index(&self, key: &str) -> Result<usize, Error> {
        self.0.keys.get(key).copied().ok_or_else(|| {
            let known: Vec<&str> = self.iter().map(Product::product_key).collect();
            let known = known.join(", ");
            let message = format!("unknown product_key `{key}`: the definitions are of {known}");
            Error::new("unknown_product", message)
        })
    }

    /// The index of the product of all records that have no product key, if their devices and payloads do not matter.
    #[inline(always)]
    pub(crate) fn usual(&self) -> Option<usize> {
        let choice = &*self.0;
        choice.default.filter(|_| choice.dids.is_empty())
    }

    /// Returns the index of the product of a record with this product key, did and payload.
    #[inline(never)]
    pub(crate) fn of(
        &self,
        key: Option<&str>,
        did: Option<&str>,
        bytes: &[u8],
    ) -> Result<usize, Box<Error>> {
        let choice = &*self.0;
        if let Some(key) = key {
            return match &choice.products[..] {
                [one] if one.product_key().is_empty() || one.product_key() == key => Ok(0),
                _ => Ok(self.index(key)?),
            };
        }
        if !choice.dids.is_empty() {
            let framed = || match m2m::parse(bytes, usize::MAX) {
                Ok((Event::Frame(frame), _)) => std::str::from_utf8(frame.did?).ok(),
                _ => None,
            };
            let did = did.or_else(framed);
            if let Some(product) = did.and_then(|did| choice.dids.get(did)) {
                return Ok(*product);
            }
        }
        choice.default.ok_or_else(|| {
            let message = "the record has no product_key, no product is set for its device, and there is no default";
            Error::new("unknown_product", message).into()
        })
    }
}
