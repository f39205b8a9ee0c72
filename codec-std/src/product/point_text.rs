//! The texts of a point: its key and its values, in one format.

use std::fmt::Write as _;

use gizwits_codec_core::Scale;

use super::Product;
use super::attr::Attr;
use super::location::{Location, locations};

/// The format of points.
pub(crate) trait PointFormat {
    /// Returns the text before the value of a point. It begins with a comma.
    fn key(&self, attr: &Attr) -> String;

    /// Returns the text of a valid value of an enum.
    fn label(&self, attr: &Attr, index: u32) -> String;

    /// Whether a binary is in quotes.
    fn quotes(&self) -> bool;
}

/// Points as members of a JSON object: `,"key":value`.
pub(crate) struct JsonFormat;

impl PointFormat for JsonFormat {
    fn key(&self, attr: &Attr) -> String {
        format!(",{}", attr.key)
    }

    fn label(&self, attr: &Attr, index: u32) -> String {
        let json = attr.rendered.get(index as usize);
        json.map_or_else(|| index.to_string(), |json| json.to_string())
    }

    fn quotes(&self) -> bool {
        true
    }
}

/// A point with everything that its text is made of.
pub(super) struct PointText<'p> {
    pub(super) attr: &'p Attr,
    pub(super) location: Location,
    pub(super) key: String,
    /// The texts of an enum, by raw value.
    labels: Vec<String>,
    pub(super) scale: Scale,
    pub(super) min: u32,
    pub(super) max: u32,
}

/// The texts of the points of a product, by id.
pub(super) fn point_texts<'p>(
    product: &'p Product,
    format: &dyn PointFormat,
) -> Vec<PointText<'p>> {
    let layout = product.layout();
    let text = |(attr, location): (&'p Attr, Location)| {
        let (min, max) = layout.limits(attr.id()).unwrap_or((0, 0));
        let (min, max) = if location.bits == 0 {
            (0, 0)
        } else {
            (min, max)
        };
        let labels = 0..attr.labels().len() as u32;
        PointText {
            location,
            key: format.key(attr),
            labels: labels.map(|index| format.label(attr, index)).collect(),
            scale: layout.scale(attr.id()).unwrap_or(Scale::IDENTITY),
            min,
            max,
            attr,
        }
    };
    product.attrs().zip(locations(product)).map(text).collect()
}

impl PointText<'_> {
    /// Appends the text of a raw value.
    pub(super) fn put(&self, raw: u32, text: &mut String) {
        text.push_str(&self.key);
        match self.labels.get(raw as usize) {
            Some(label) => text.push_str(label),
            None => {
                let _ = write!(text, "{}", self.scale.value(raw));
            }
        }
    }

    fn longest_label(&self) -> usize {
        self.labels.iter().map(String::len).max().unwrap_or(0)
    }

    /// The maximum length of the text, also of values that break the definition.
    pub(super) fn max_len(&self) -> usize {
        let most = self.location.most();
        let ends = [0, most].map(|raw| self.scale.value(raw).coefficient().unsigned_abs());
        let digits = ends
            .into_iter()
            .max()
            .unwrap_or(0)
            .checked_ilog10()
            .unwrap_or(0)
            + 1;
        // A sign and a point.
        let number = digits.max(u32::from(self.scale.decimals()) + 1) as usize + 2;
        let binary = 2 * self.location.len + 2;
        self.key.len() + self.longest_label().max(number).max(binary)
    }
}

/// The common location of adjacent points, if it has at most 8 bits.
pub(super) fn shared_location(points: &[PointText<'_>]) -> Option<Location> {
    let end = points.iter().map(|point| point.location.end).max()?;
    let from = |location: &Location| 8 * (end - location.end) + usize::from(location.shift);
    let low = points.iter().map(|point| from(&point.location)).min()?;
    let high = points
        .iter()
        .map(|point| from(&point.location) + usize::from(point.location.bits))
        .max()?;
    // A table has a text for every value of the byte, so the texts should be short.
    let all = points
        .iter()
        .all(|point| point.location.bits > 0 && point.key.len() + point.longest_label() <= 64);
    (all && high - low <= 8 && low < 8).then_some(Location {
        end,
        shift: low as u8,
        bits: (high - low) as u8,
        len: high.div_ceil(8),
    })
}
