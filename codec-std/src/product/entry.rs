//! One attr of a definition, as it could be read: perhaps without a sound point.

use gizwits_codec_core::{Point, PointId};

use super::json::Node;
use crate::error::shown;

/// One attr that could be read, perhaps not to a sound point.
pub(super) struct AttrEntry<'v, 't> {
    pub(super) node: Node<'v, 't>,
    /// The index in the list of attrs.
    pub(super) index: usize,
    pub(super) name: String,
    pub(super) display_name: String,
    pub(super) desc: String,
    pub(super) labels: Vec<String>,
    pub(super) id: Option<PointId>,
    pub(super) point: Option<Point>,
}

impl AttrEntry<'_, '_> {
    /// The name, or what stands in for it.
    pub(super) fn title(&self) -> String {
        match (self.name.as_str(), self.id) {
            ("", Some(id)) => format!("point {id}"),
            ("", None) => format!("attr {}", self.index),
            (name, _) => format!("`{}`", shown(name)),
        }
    }
}
