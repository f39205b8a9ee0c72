//! The values of points: raw values, as on the wire, and engineering values, after scaling.

mod decimal;
mod fixed;
mod scale;

pub use decimal::Decimal;
pub use fixed::Fixed;
pub use scale::{Rounding, Scale};
pub(crate) use scale::{Unscaled, divide};

/// The engineering value of a point.
///
/// ```
/// use gizwits_codec_core::{Decimal, Value};
///
/// let room_temp = Value::Number("-0.5".parse()?);
/// assert_eq!(room_temp, Value::Number(Decimal::new(-5, 1)));
/// # Ok::<(), gizwits_codec_core::Error>(())
/// ```
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

/// The raw value of a point, as on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Raw<'b> {
    /// The raw value of a bool, an enum or an integer.
    Number(u32),
    /// The bytes of a binary.
    Bytes(&'b [u8]),
}
