//! The product that the environment variables name, for all examples.

use std::env;
use std::error::Error;

use gizwits_enterprise_client::{Enterprise, Product};

pub(crate) type Result<T> = std::result::Result<T, Box<dyn Error>>;

pub(crate) fn variable(name: &str) -> Result<String> {
    env::var(name).map_err(|error| format!("{name}: {error}").into())
}

/// Creates the product. Only `GIZWITS_BASE_URL` is optional.
pub(crate) fn product() -> Result<Product> {
    let mut builder = Enterprise::builder()
        .id(variable("GIZWITS_ENTERPRISE_ID")?)
        .secret(variable("GIZWITS_ENTERPRISE_SECRET")?);
    if env::var_os("GIZWITS_BASE_URL").is_some() {
        builder = builder.base_url(variable("GIZWITS_BASE_URL")?);
    }
    let (key, secret) = (
        variable("GIZWITS_PRODUCT_KEY")?,
        variable("GIZWITS_PRODUCT_SECRET")?,
    );
    Ok(builder.build()?.product(key, secret))
}
