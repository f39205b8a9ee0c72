//! Rust for a firmware, written from a definition.
//!
//! [`rust`] writes one file for one product: its points and layout as constants that the compiler
//! checks, an enum for each enum, a struct `Status` of all points, a struct `Control` of the writable ones,
//! and `Product`, the [`Model`](gizwits_codec_core::model::Model) that a
//! [`Link`](gizwits_codec_core::link::Link) is made with. It needs nothing but `gizwits-codec-core`.
//!
//! In a `build.rs`, which is all that a firmware needs of this crate:
//!
//! ```no_run
//! fn main() -> std::io::Result<()> {
//!     gizwits_codec_std::codegen::build("product.json")
//! }
//! ```
//!
//! and in the firmware:
//!
//! ```ignore
//! mod product {
//!     include!(concat!(env!("OUT_DIR"), "/product.rs"));
//! }
//! use product::{Product, Status};
//! ```
//!
//! # Names
//! A name is split into words where it has other characters than ASCII letters and digits, where a
//! capital follows a small letter, and before the last of several capitals if a small letter follows:
//! `Fault_UART` is `fault_uart`, `SwitchON` is `switch_on`, `CH1SWTime` is `ch1sw_time`. A name
//! with other letters than ASCII ones, one that begins with a digit, or of more than 40 characters is
//! `point_` and the id; such a label is `Label` and its index. A keyword has `_` behind it, an enum that is
//! called as something in the file `Point`: `type_`, `StatusPoint`. Of names that are the same then, all but
//! the first have their id, or index, behind them.

mod expression;
mod model;
mod names;
mod point;
mod table;
mod text;
mod types;

use std::path::Path;
use std::{fmt, fs, io};

use self::point::PointCode;
use self::text::comment;
use crate::error::counted;
use crate::product::{Product, is_product_key};

/// Reads a definition, writes its Rust to `$OUT_DIR/product.rs`, and tells cargo to do so again when the
/// definition changes. For a `build.rs`.
///
/// # Errors
/// If a file can't be read or written, or the definition breaks a rule: then all that is wrong with it. A
/// definition without a sound product key is refused, too: a device names its product by it.
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
        let message = "the product_key is not 32 hex digits, by which a device names its product";
        return Err(error(io::ErrorKind::InvalidData, &message));
    }
    let folder = std::env::var_os("OUT_DIR").ok_or_else(|| {
        io::Error::other("OUT_DIR is not set: this is for a build script, which cargo runs")
    })?;
    fs::write(Path::new(&folder).join("product.rs"), rust(&product))
}

/// The Rust of a product, as rustfmt has it. Without a sound product key that is 32 zeros.
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
    let plain = comment(product.name()).replace('\\', "");
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
