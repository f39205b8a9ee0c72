//! C99 code for firmware.

mod convert;
mod header;
mod link;
mod packing;
mod point;
mod source;

use std::ops::Range;

use gizwits_codec_core::Protocol;

use self::point::{CPoint, unnamed};
use super::identifiers::words;
use super::options::Options;
use crate::product::Product;

/// The C code of a product: a header and a source file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CCode {
    /// The prefix of all names in the code, in snake_case.
    pub prefix: String,
    /// Whether the prefix follows from the name of the files. Otherwise it is `product`.
    pub has_prefix_of_name: bool,
    /// The content of the header, `NAME.h`.
    pub header: String,
    /// The content of the source file, `NAME.c`.
    pub source: String,
    /// The number of points whose names cannot become C names, and which are called `point_N` in the code.
    pub unnamed_points: usize,
    /// The number of labels whose texts cannot become C names, and whose constants end with `LABEL` and their index.
    pub unnamed_labels: usize,
}

/// Returns the C99 code of a product. `name` is the name of both files without their extensions. It is also the
/// prefix of all names in the code: in snake_case, or `product` if it cannot become a C name.
///
/// The code includes `stdbool.h`, `stddef.h` and `stdint.h` only. It has no heap, no floats and no bit-fields,
/// and works with an `int` of 16 bits and in either byte order. 64-bit integers are only used for points of 4
/// bytes with a ratio or an addition, and where a ratio or an addition needs more than 32 bits. The status is a
/// struct with a member for each point, in engineering units: a number with a ratio of 0.1 is an integer in
/// tenths. A constant that would be a macro of a standard header, such as `INT_LEAST8_MAX`, gets the suffix `_`.
/// The header has the minimum, the maximum and the step of each number as constants in the units of the member, and
/// the number of labels of each enum; it leaves out those whose name is taken. If messages can be longer than 65,535
/// bytes, a compiler whose `size_t` has 16 bits refuses the header.
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
/// let code = codegen::c(&Product::from_json(json)?, "lamp");
/// assert!(code.header.contains("    uint8_t brightness;\n"));
/// assert!(code.source.contains("\n#include \"lamp.h\"\n"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn c(product: &Product, name: &str) -> CCode {
    Options::new().c(product, name)
}

impl Options {
    /// Returns the C99 code of a product with these options, like the function [`c`](c()).
    #[must_use]
    pub fn c(&self, product: &Product, name: &str) -> CCode {
        let words = words(name);
        let has_prefix_of_name = words.is_some();
        let prefix = words.map_or("product".to_owned(), |words| words.join("_"));
        let (unnamed_points, unnamed_labels) = unnamed(product, &self.names);
        let program = Program::new(product, &prefix, self);
        CCode {
            header: program.header(),
            source: program.source(name),
            unnamed_points,
            unnamed_labels,
            has_prefix_of_name,
            prefix,
        }
    }
}

/// A product and its C names.
struct Program<'p> {
    product: &'p Product,
    /// The prefix of functions and types.
    prefix: &'p str,
    /// The prefix of constants.
    upper: String,
    points: Vec<CPoint<'p>>,
}

impl<'p> Program<'p> {
    fn new(product: &'p Product, prefix: &'p str, options: &Options) -> Self {
        let upper = prefix.to_uppercase();
        Program {
            points: CPoint::all(product, &upper, &options.names),
            product,
            prefix,
            upper,
        }
    }

    fn is_var_len(&self) -> bool {
        self.product.protocol() == Protocol::VarLen
    }

    fn writable(&self) -> impl Iterator<Item = &CPoint<'p>> {
        self.points.iter().filter(|point| point.code.is_writable())
    }

    fn has_control(&self) -> bool {
        self.writable().next().is_some()
    }

    /// The length of the flags of a control in bytes. In a var_len product this is the mask.
    fn flags_len(&self) -> usize {
        match self.is_var_len() {
            true => self.product.layout().mask_len(),
            false => self.product.layout().flags_len(),
        }
    }

    /// The length of the values of all points in bytes.
    fn status_len(&self) -> usize {
        self.product.layout().status_len()
    }

    /// The length of the values of a control that sets every point, in bytes.
    fn control_values_len(&self) -> usize {
        match self.is_var_len() {
            true => self.status_len(),
            false => self.product.layout().writable_len(),
        }
    }

    /// The bytes of the values that contain no point with the unit byte. They are set to 0 before the bits of
    /// the points are added.
    fn bit_bytes(&self, len: usize) -> Vec<Range<usize>> {
        let mut covered = vec![false; len];
        for point in self.points.iter().filter(|point| !point.is_in_bits()) {
            for byte in point.code.bytes.clone() {
                if let Some(covered) = covered.get_mut(byte) {
                    *covered = true;
                }
            }
        }
        let mut ranges: Vec<Range<usize>> = Vec::new();
        for (byte, _) in covered.iter().enumerate().filter(|(_, covered)| !**covered) {
            match ranges.last_mut() {
                Some(range) if range.end == byte => range.end = byte + 1,
                _ => ranges.push(byte..byte + 1),
            }
        }
        ranges
    }

    /// An expression for whether the flag of a point is set in the array `flags`.
    fn flag(&self, flags: &str, point: &CPoint<'_>) -> String {
        let (byte, bit) = self.flag_place(point);
        format!("({flags}[{byte}] & {bit:#04x}u) != 0u")
    }

    /// The byte of the flag of a point in the flags, and its bit as a mask.
    fn flag_place(&self, point: &CPoint<'_>) -> (usize, u32) {
        let id = usize::from(point.code.id);
        (self.flags_len() - 1 - id / 8, 1 << (id % 8))
    }
}
