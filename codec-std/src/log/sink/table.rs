//! The names of the columns of a table, and the words for actions.

use gizwits_codec_core::P0;

use crate::message::{Content, Decoded};
use crate::product::Product;

/// The names of the columns of a table: of the record, then of the product's points.
///
/// A point whose name is taken stands as `attrs.NAME`.
pub(crate) fn head_names(product: &Product, keep: bool) -> Vec<String> {
    let head = ["timestamp", "type", "did", "action"].into_iter();
    let mut names: Vec<String> = head
        .chain(keep.then_some("extra"))
        .map(str::to_owned)
        .collect();
    for attr in product.attrs() {
        let mut name = attr.name().to_owned();
        while names.contains(&name) {
            name = format!("attrs.{name}");
        }
        names.push(name);
    }
    names
}

/// The word for the action of a record, if there is one.
pub(crate) fn action(decoded: &Decoded<'_, '_>) -> Option<&'static str> {
    Some(ACTIONS[action_number(decoded)?])
}

/// The words, in the order of their numbers.
pub(crate) const ACTIONS: [&str; 5] = ["control", "read", "reply", "report", "transparent"];

/// The numbers of the two actions of a [`Status`](crate::Status).
pub(crate) const REPLY: usize = 2;

pub(crate) const REPORT: usize = 3;

pub(crate) fn action_number(decoded: &Decoded<'_, '_>) -> Option<usize> {
    match decoded.content {
        Content::P0(P0::Control(_)) => Some(0),
        Content::P0(P0::Read { .. }) => Some(1),
        Content::P0(P0::Reply(_)) => Some(REPLY),
        Content::P0(P0::Report(_)) => Some(REPORT),
        Content::P0(P0::Transparent { .. }) => Some(4),
        Content::P0(P0::Gateway { .. }) | Content::Body(_) => None,
    }
}
