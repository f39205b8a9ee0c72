//! The products that are loaded, by their handles.

use std::sync::{PoisonError, RwLock};

use gizwits_codec_std::Product;
use slotmap::{DefaultKey, Key, KeyData, SlotMap};

use crate::error::Failure;
use crate::status::gizwits_status::InvalidHandle;

/// The handle of a product. 0 is never a handle.
///
/// A handle is a number, not an address: the library looks it up in a table, so that a wrong or freed handle is refused
/// and never followed. The number of a freed handle is not used again until two billion more products have been loaded.
/// All threads may use a handle at the same time.
pub type gizwits_product = u64;

// A table, and not a pointer to a product with a magic word in it: a freed pointer cannot be checked without reading
// memory that is no longer there. The lock is held for reading as long as a call uses a product, which costs less
// than a reference of its own, and lets `remove` drop what no call uses.
static PRODUCTS: RwLock<Option<SlotMap<DefaultKey, Product>>> = RwLock::new(None);

/// Adds a product to the table and returns its handle.
pub(crate) fn add(product: Product) -> gizwits_product {
    let mut products = PRODUCTS.write().unwrap_or_else(PoisonError::into_inner);
    let products = products.get_or_insert_with(SlotMap::new);
    products.insert(product).data().as_ffi()
}

/// Removes a product from the table. Waits for the calls that use the table.
pub(crate) fn remove(handle: gizwits_product) -> Result<(), Failure> {
    let mut products = PRODUCTS.write().unwrap_or_else(PoisonError::into_inner);
    let removed = key(handle).and_then(|key| products.as_mut()?.remove(key));
    // The product is dropped when the table is free again.
    drop(products);
    removed.map(drop).ok_or(INVALID)
}

/// Calls `call` with the product of a handle.
pub(crate) fn with<R>(
    handle: gizwits_product,
    call: impl FnOnce(&Product) -> Result<R, Failure>,
) -> Result<R, Failure> {
    let products = PRODUCTS.read().unwrap_or_else(PoisonError::into_inner);
    let product = key(handle).and_then(|key| products.as_ref()?.get(key));
    call(product.ok_or(INVALID)?)
}

const INVALID: Failure = Failure::Argument(InvalidHandle, "product");

/// Returns the key that a handle is the number of. Some numbers lead to a key that has another number.
fn key(handle: gizwits_product) -> Option<DefaultKey> {
    let key = KeyData::from_ffi(handle);
    (key.as_ffi() == handle).then(|| DefaultKey::from(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_number_is_a_handle_of_a_freed_product() {
        let text = std::fs::read_to_string("../tests/fixtures/lamp.json").unwrap();
        let product = Product::from_json(&text).unwrap();
        let is_handle = |handle| with(handle, |_| Ok(())).is_ok();
        let (first, second) = (add(product.clone()), add(product.clone()));
        assert!(is_handle(first) && is_handle(second) && first != second);
        assert!(remove(first).is_ok() && remove(first).is_err());
        // The slot is used again, by another number.
        let third = add(product);
        assert_eq!(third as u32, first as u32);
        assert!(is_handle(third) && is_handle(second) && !is_handle(first));
        for bit in 0..64 {
            let other = third ^ 1 << bit;
            assert!(other == second || !is_handle(other), "{other:#x}");
        }
        for handle in [0, u64::MAX, u64::MAX >> 32, 1 << 32] {
            assert!(!is_handle(handle), "{handle:#x}");
        }
    }
}
