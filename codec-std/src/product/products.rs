//! The products that records may be of, chosen by product key or device.

use std::collections::HashMap;
use std::sync::Arc;

use gizwits_codec_core::m2m::{self, Event};

use super::Product;
use crate::error::Error;

/// The products that a log's records may be of.
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
    /// All records are of one product.
    #[must_use]
    pub fn one(product: Product) -> Self {
        Products(Arc::new(Choice {
            keys: HashMap::from([(product.product_key().to_owned(), 0)]),
            products: vec![product],
            default: Some(0),
            ..Choice::default()
        }))
    }

    /// Records say by their `product_key` what they are of.
    ///
    /// # Errors
    /// `unknown_product` if a product has no key, or two have the same.
    pub fn several(products: Vec<Product>) -> Result<Self, Error> {
        let mut keys = HashMap::new();
        for (n, product) in products.iter().enumerate() {
            let key = product.product_key();
            if key.is_empty() || keys.insert(key.to_owned(), n).is_some() {
                let message = match key {
                    "" => format!("definition {} has no product_key to choose it by", n + 1),
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

    /// Records without a key of their own are of this product.
    ///
    /// # Errors
    /// `unknown_product` if there is none with this key.
    pub fn with_default(mut self, key: &str) -> Result<Self, Error> {
        let default = self.index(key)?;
        Arc::make_mut(&mut self.0).default = Some(default);
        Ok(self)
    }

    /// Records of this device, unless they have a key of their own, are of this product.
    ///
    /// # Errors
    /// `unknown_product` if there is none with this key.
    pub fn with_did(mut self, did: &str, key: &str) -> Result<Self, Error> {
        let product = self.index(key)?;
        Arc::make_mut(&mut self.0)
            .dids
            .insert(did.to_owned(), product);
        Ok(self)
    }

    /// The products, in the order that they were given in.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Product> {
        self.0.products.iter()
    }

    /// The product of this number.
    #[inline(always)]
    pub(crate) fn get(&self, index: usize) -> Option<&Product> {
        self.0.products.get(index)
    }

    fn index(&self, key: &str) -> Result<usize, Error> {
        self.0.keys.get(key).copied().ok_or_else(|| {
            let known: Vec<&str> = self.iter().map(Product::product_key).collect();
            let known = known.join(", ");
            let message = format!("no definition is of product `{key}`; there are {known}");
            Error::new("unknown_product", message)
        })
    }

    /// The product of a record that has this product key and did, and these bytes for a payload.
    #[inline(always)]
    pub(crate) fn of(
        &self,
        key: Option<&str>,
        did: Option<&str>,
        bytes: &[u8],
    ) -> Result<usize, Error> {
        let choice = &*self.0;
        if let Some(key) = key {
            return match &choice.products[..] {
                [one] if one.product_key().is_empty() || one.product_key() == key => Ok(0),
                _ => self.index(key),
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
            Error::new(
                "unknown_product",
                "the record has no product_key, its device is not in the map, and no product was named",
            )
        })
    }
}
