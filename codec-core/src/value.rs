//! The values of points: raw values as they are on the wire, and engineering values.

mod decimal;
mod scale;

pub use decimal::Decimal;

pub use scale::{Rounding, Scale};
pub(crate) use scale::{Unscaled, divide};

/// The value of a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Value<'b> {
    /// The value of a bool.
    Bool(bool),
    /// The label index of an enum. Devices may send an index without a label.
    Enum(u32),
    /// The engineering value of an integer.
    Number(Decimal),
    /// The bytes of a binary.
    Binary(#[cfg_attr(feature = "serde", serde(borrow))] &'b [u8]),
}

/// The value of a point as it is on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Raw<'b> {
    /// The raw value of a bool, an enum or an integer.
    Number(u32),
    /// The bytes of a binary.
    Bytes(&'b [u8]),
}
