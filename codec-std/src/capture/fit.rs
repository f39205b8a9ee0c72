//! How well a message fits a definition.

use gizwits_codec_core::{Kind, PointValue, Protocol, Unit};

use super::captured::has_points;
use crate::error::{Error, counted};
use crate::message::Decoded;
use crate::message::picture::{Picture, Row};
use crate::product::Product;

/// The result of [`Product::fit`] for a message that can be one of the product.
///
/// A definition that allows few values and has many free bits, and that a message nevertheless fits, is likely the one of
/// the message. [`evidence`](Self::evidence) measures this.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Fit {
    /// The number of points in the message.
    pub points: usize,
    /// The number of bits that would be different in most messages of another product: ranges and labels that hold, and
    /// free bits that are 0.
    pub evidence: f64,
    /// The number of free bits that are set. Devices send them as 0.
    pub spare_bits_set: u32,
}

impl Product {
    /// Returns how well a bare P0 fits the definition.
    ///
    /// ```
    /// use gizwits_codec_std::Product;
    ///
    /// let definition = std::fs::read_to_string("../tests/fixtures/air-conditioner.json")?;
    /// let product = Product::from_json(&definition)?;
    /// let fit = product.fit(&[0x04, 0x01, 0x00, 0x00, 0x10, 0x1e, 0x00, 0x00])?;
    /// assert_eq!((fit.points, fit.spare_bits_set), (11, 0));
    /// // 99 is above the maximum of `set_temp`.
    /// let error = product.fit(&[0x04, 0x01, 0x00, 0x00, 0x63, 0x1e, 0x00, 0x00]).unwrap_err();
    /// assert_eq!((error.kind, error.point.as_deref()), ("above_max", Some("set_temp")));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The first reason why the P0 is none of the product: the errors of [`decode_p0`](Self::decode_p0), `past_labels`,
    /// `below_min` or `above_max` for a value that the definition does not allow, `unknown_flag` for a mask bit past the
    /// last point, and `no_points` for a P0 without points, which fits any product.
    pub fn fit(&self, p0: &[u8]) -> Result<Fit, Error> {
        let decoded = self.decode_p0(p0)?;
        if !has_points(&decoded) {
            let message = "the message has no data points, so it fits any product";
            return Err(Error::new("no_points", message));
        }
        if let Some(bit) = decoded.surplus_flags().next() {
            let last = self.layout().point_count().saturating_sub(1);
            let message = format!("flag {bit} is set, but the last point is {last}");
            return Err(Error::new("unknown_flag", message).at(None, Some(bit.into())));
        }
        let mut fit = Fit::default();
        if self.protocol() == Protocol::VarLen {
            let spare = self.layout().mask_len() * 8 - usize::from(self.layout().point_count());
            fit.evidence += spare as f64;
        }
        for reading in decoded.view().into_iter().flatten() {
            fit.points += 1;
            if let Some(kind) = reading.flagged() {
                let name = self.attr(reading.id()).map_or("?", |attr| attr.name());
                let (value, flagged) = (self.show(reading), self.flagged(reading));
                let message = format!("`{name}` = {value} is {}", flagged.unwrap_or_default());
                return Err(Error::new(kind.name(), message).about(name));
            }
            fit.evidence += self.surprise(&reading);
        }
        let (free, set) = free_bits(&decoded, p0);
        fit.evidence += f64::from(free - set);
        fit.spare_bits_set = set;
        Ok(fit)
    }

    /// Returns how well a product key fits the definition. A key that is that of the definition is evidence of its 128
    /// bits.
    ///
    /// # Errors
    /// `unknown_product` if the keys differ.
    pub fn fit_key(&self, product_key: &str) -> Result<Fit, Error> {
        let own = self.product_key();
        if own.eq_ignore_ascii_case(product_key) {
            return Ok(Fit {
                evidence: 128.0,
                ..Fit::default()
            });
        }
        let message = format!("the message is of product {product_key}, the definition of {own}");
        Err(Error::new("unknown_product", message))
    }

    /// The bits of information in the fact that a value is valid.
    fn surprise(&self, reading: &PointValue<'_, '_>) -> f64 {
        let (Some(attr), Some((min, max))) =
            (self.attr(reading.id()), self.layout().limits(reading.id()))
        else {
            return 0.0;
        };
        let position = &attr.point().position;
        let bits = match position.unit {
            Unit::Bit => position.len,
            Unit::Byte => position.len.saturating_mul(8),
        };
        match attr.point().kind {
            Kind::Bool | Kind::Binary => 0.0,
            _ => (f64::from(bits) - (f64::from(max - min) + 1.0).log2()).max(0.0),
        }
    }
}

/// The number of bits in a message that belong to no point, and how many of them are set.
fn free_bits(decoded: &Decoded<'_, '_>, p0: &[u8]) -> (u32, u32) {
    let (mut free, mut set) = (0, 0);
    for row in Picture::of_message(decoded, p0).rows {
        let Row::Bits { byte, cells, .. } = row else {
            continue;
        };
        let value = p0.get(byte).copied().unwrap_or(0);
        let mut bit = 8_usize;
        for cell in cells {
            bit = bit.saturating_sub(cell.width);
            if cell.id.is_none() {
                let mask = ((1_u16 << cell.width) - 1) as u8;
                free += cell.width as u32;
                set += (value >> bit & mask).count_ones();
            }
        }
    }
    (free, set)
}

impl std::fmt::Display for Fit {
    /// Writes the number of points, and the number of free bits that are set if there are any.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.points {
            0 => f.write_str("the product key")?,
            points => f.write_str(&counted(points, "point"))?,
        }
        match self.spare_bits_set {
            0 => Ok(()),
            set => write!(f, ", but {} set", counted(set as usize, "free bit")),
        }
    }
}
