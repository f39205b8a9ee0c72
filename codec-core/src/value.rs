//! Values: as they are on the wire, and what they mean.

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
    /// Of a bool.
    Bool(bool),
    /// Of an enum: the index of its label, possibly past the last.
    Enum(u32),
    /// Of an integer: its engineering value.
    Number(Decimal),
    /// Of a binary.
    Binary(#[cfg_attr(feature = "serde", serde(borrow))] &'b [u8]),
}

/// The value of a point as it is on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Raw<'b> {
    /// Of a bool, an enum or an integer.
    Number(u32),
    /// Of a binary.
    Bytes(&'b [u8]),
}
