//! Generates code from a definition: Rust and C for firmware, and Lua for Wireshark.
//!
//! [`rust`] returns the code of a product:
//! - the points and the layout as constants, which are checked at compile time,
//! - an enum for each point of kind enum,
//! - a struct `Status` with all points, which encodes itself as a report,
//! - a struct `Control` with the writable points, which encodes itself as a P0 and as an M2M frame,
//! - the type `Product`, the [`Model`](gizwits_codec_core::model::Model) of a
//!   [`Link`](gizwits_codec_core::link::Link).
//!
//! The code depends on `gizwits-codec-core` only. Firmware uses this crate as a build dependency:
//!
//! ```toml
//! [dependencies]
//! gizwits-codec-core = "0.1"
//!
//! [build-dependencies]
//! gizwits-codec-std = "0.1"
//! ```
//!
//! Its `build.rs` generates `product.rs` from `product.json`, the [definition](Product) of the product:
//!
//! ```no_run
//! use gizwits_codec_std::codegen;
//!
//! fn main() -> Result<(), codegen::BuildError> {
//!     codegen::build("product.json")
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
//! [`Build`] takes several definitions. If the package has the feature `defmt`, the types derive `defmt::Format` behind
//! it: `defmt = ["dep:defmt", "gizwits-codec-core/defmt"]`.
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
//!
//! [`Names`] gives points and labels other names.

mod build;
mod c;
mod expression;
mod identifiers;
mod lua;
mod model;
mod names;
mod options;
mod point;
mod table;
mod text;
mod types;

pub use self::build::{Build, BuildError, build};
pub use self::c::{CCode, c};
pub use self::lua::lua;
pub use self::names::Names;
pub use self::options::Options;
use self::point::PointCode;
use self::text::one_line;
use crate::error::counted;
use crate::product::Product;

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
    Options::new().rust(product)
}

impl Options {
    /// Returns the Rust code of a product with these options, like the function [`rust`].
    #[must_use]
    pub fn rust(&self, product: &Product) -> String {
        let points = PointCode::all(product, &self.names);
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
        items.extend(types::items(&points, self));
        items.push(model::item(product, &points));
        items.join("\n")
    }
}
