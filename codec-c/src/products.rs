//! The products that are loaded, by their handles.

use gizwits_codec_std::Product;

use crate::error::Failure;
use crate::handles::Handles;

/// The handle of a product. 0 is never a handle.
///
/// A handle is a number, not an address: the library looks it up in a table, so that a wrong or freed handle is refused
/// and never followed. The number of a freed handle is not used again until two billion more products have been loaded.
/// All threads may use a handle at the same time.
pub type gizwits_product = u64;

static PRODUCTS: Handles<Product> = Handles::new("product", 0);

/// Adds a product to the table and returns its handle.
pub(crate) fn add(product: Product) -> gizwits_product {
    PRODUCTS.add(product)
}

/// Removes a product from the table. Waits for the calls that use the table.
pub(crate) fn remove(handle: gizwits_product) -> Result<(), Failure> {
    PRODUCTS.remove(handle)
}

/// Calls `call` with the product of a handle.
pub(crate) fn with<R>(
    handle: gizwits_product,
    call: impl FnOnce(&Product) -> Result<R, Failure>,
) -> Result<R, Failure> {
    PRODUCTS.with(handle, call)
}
