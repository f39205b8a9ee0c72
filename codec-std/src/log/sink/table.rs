//! The columns that all tables have: their names, and the words of the column `action`.

use crate::message::ACTION_WORDS;
use crate::product::Product;

/// The names of the columns of a table: the columns of the record, then one column for each point.
///
/// A point with the name of another column has the column `attrs.NAME`.
pub(crate) fn head_names(product: &Product, keep: bool) -> Vec<String> {
    let head = ["timestamp", "type", "did", "action"].into_iter();
    let head = head.chain(keep.then_some("extra"));
    let mut names: Vec<String> = head.map(str::to_owned).collect();
    for attr in product.attrs() {
        let mut name = attr.name().to_owned();
        while names.contains(&name) {
            name = format!("attrs.{name}");
        }
        names.push(name);
    }
    names
}

/// The words of the column `action`. Records with any other action have an empty cell.
pub(crate) const ACTIONS: &[&str] = ACTION_WORDS.split_at(5).0;
