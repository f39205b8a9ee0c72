//! Generates Rust code for firmware from a definition.
//!
//! [`rust`] returns the code of a product:
//! - the points and the layout as constants, which are checked at compile time,
//! - an enum for each point of kind enum,
//! - a struct `Status` with all points, and a struct `Control` with the writable points, whose function `encode`
//!   returns the bytes of a control,
//! - the type `Product`, the [`Model`](gizwits_codec_core::model::Model) of a
//!   [`Link`](gizwits_codec_core::link::Link).
//!
//! The code depends on `gizwits-codec-core` only. Firmware uses this crate as a build dependency, with this
//! `build.rs`:
//!
//! ```no_run
//! fn main() -> std::io::Result<()> {
//!     gizwits_codec_std::codegen::build("product.json")
//! }
//! ```
//!
//! The firmware includes the file:
//!
//! ```ignore
//! mod product {
//!     include!(concat!(env!("OUT_DIR"), "/product.rs"));
//! }
//! use product::{Product, Status};
//! ```
//!
//! # Names
//! Names of points and labels become Rust names by these rules:
//! - A name is split into words at characters other than letters and digits, between a lower-case and an
//!   upper-case letter, and before the last of several upper-case letters if a lower-case letter follows:
//!   `Fault_UART` becomes `fault_uart`, `SwitchON` becomes `switch_on`, `CH1SWTime` becomes `ch1sw_time`.
//! - Letters of all scripts stay, so that the label `制冷` becomes the variant `制冷`. In C, names are ASCII.
//! - A name that begins with a digit, has more than 40 characters, or for which the compiler would warn of mixed
//!   scripts or uncommon characters becomes `point_` and the id. Such a label becomes `Label` and its index.
//! - A keyword gets the suffix `_`, as in `type_`. An enum with the name of another type in the file gets
//!   the suffix `Point`, as in `StatusPoint`.
//! - If several names are then equal, all but the first get their id or index as a suffix.

mod c;
mod expression;
mod model;
mod names;
mod point;
mod table;
mod text;
mod types;

use std::path::Path;
use std::{fmt, fs, io};

pub use self::c::{CCode, c};
use self::point::PointCode;
use self::text::one_line;
use crate::error::counted;
use crate::product::{Product, is_product_key};

/// Generates `$OUT_DIR/product.rs` from the definition in a file. For a `build.rs`: it also tells cargo to
/// run the build script again if the definition changes.
///
/// ```no_run
/// fn main() -> std::io::Result<()> {
///     gizwits_codec_std::codegen::build("product.json")
/// }
/// ```
///
/// # Errors
/// The error of reading or writing a file. `InvalidData`, with the message of [`Invalid`](crate::Invalid),
/// if the definition has errors. `InvalidData` also if the product key is not 32 hex digits, because a
/// device identifies its product by the key.
pub fn build(definition: impl AsRef<Path>) -> io::Result<()> {
    let definition = definition.as_ref();
    println!("cargo::rerun-if-changed={}", definition.display());
    let error = |kind, message: &dyn fmt::Display| {
        io::Error::new(kind, format!("{}: {message}", definition.display()))
    };
    let text = fs::read_to_string(definition).map_err(|unread| error(unread.kind(), &unread))?;
    let product =
        Product::from_json(&text).map_err(|invalid| error(io::ErrorKind::InvalidData, &invalid))?;
    if !is_product_key(product.product_key()) {
        let message =
            "product_key is not 32 hex digits, but a device identifies its product by them";
        return Err(error(io::ErrorKind::InvalidData, &message));
    }
    let folder = std::env::var_os("OUT_DIR").ok_or_else(|| {
        io::Error::other("OUT_DIR is not set: `build` is for build scripts, which cargo runs")
    })?;
    fs::write(Path::new(&folder).join("product.rs"), rust(&product))
}

/// Returns the Rust code of a product, formatted like rustfmt. If the product key is invalid, the code has
/// 32 zeros in its place.
///
/// ```
/// use gizwits_codec_std::{Product, codegen};
///
/// let json = r#"{
///   "name": "lamp", "product_key": "9b3ff3e5c9a14d4a9b1f1d8c2a7e6f50",
///   "protocolType": "standard", "packetVersion": "0x00000004",
///   "entities": [{"id": 0, "name": "entity0", "attrs": [
///     {"id": 0, "name": "Brightness", "type": "status_writable", "data_type": "uint8",
///      "position": {"unit": "byte", "byte_offset": 0, "bit_offset": 0, "len": 1},
///      "uint_spec": {"min": 0, "max": 100, "ratio": 1, "addition": 0}}]}]
/// }"#;
/// let code = codegen::rust(&Product::from_json(json)?);
/// assert!(code.contains("    pub brightness: u8,\n"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn rust(product: &Product) -> String {
    let points = PointCode::all(product);
    let plain = one_line(product.name());
    let name = match &*plain {
        "" => "a product",
        name => name,
    };
    let head = format!(
        "// {name}: {}, {}, {}. Written by gizwits from its definition.\n",
        product.protocol().name(),
        counted(points.len(), "point"),
        counted(product.layout().status_len(), "byte")
    );
    let uses = "use gizwits_codec_core::{self as gizwits, model};\n".to_owned();
    let mut items = vec![head, uses];
    items.extend(table::items(product, &points));
    items.extend(types::items(&points));
    items.push(model::item(product, &points));
    items.join("\n")
}
