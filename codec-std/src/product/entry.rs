//! One attr of a definition while it is checked.

use gizwits_codec_core::{Point, PointId};

use super::json::Node;
use crate::error::shown;

/// One attr of a definition. `point` is `None` if the attr is unusable.
pub(super) struct AttrEntry<'v, 't> {
    pub(super) node: Node<'v, 't>,
    /// The index of the attr in the list.
    pub(super) index: usize,
    pub(super) name: String,
    pub(super) display_name: String,
    pub(super) desc: String,
    pub(super) labels: Vec<String>,
    pub(super) id: Option<PointId>,
    pub(super) point: Option<Point>,
}

impl AttrEntry<'_, '_> {
    /// The name for messages; the id or the index if the attr has no name.
    pub(super) fn title(&self) -> String {
        match (self.name.as_str(), self.id) {
            ("", Some(id)) => format!("point {id}"),
            ("", None) => format!("attr {}", self.index),
            (name, _) => format!("`{}`", shown(name)),
        }
    }
}
