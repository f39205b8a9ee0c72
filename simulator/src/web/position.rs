//! The position up to which a page has seen the logs of the world.

use std::fmt;

use crate::world::{Sql, Store};

/// The position of a watcher: the time at which its world began, and the ids of the last rows that it has seen in the
/// logs `frame`, `online`, `disabled_change` and `remark`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Position(pub(crate) [i64; 5]);

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.map(|number| number.to_string()).join("."))
    }
}

impl Position {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let numbers = text.split('.').map(|number| number.parse().ok());
        let numbers: Vec<i64> = numbers.collect::<Option<_>>()?;
        numbers.try_into().ok().map(Position)
    }

    /// The position after the last row of each log.
    pub(crate) fn end(store: &Store) -> Sql<Self> {
        let mut end = [0; 5];
        for (number, sql) in end.iter_mut().zip([
            "SELECT min(created_at) FROM device",
            "SELECT max(id) FROM frame",
            "SELECT max(id) FROM online",
            "SELECT max(id) FROM disabled_change",
            "SELECT max(id) FROM remark",
        ]) {
            *number = store.value::<Option<i64>>(sql, [])?.unwrap_or(0);
        }
        Ok(Position(end))
    }

    /// Whether the position is of the same world as `end`, and not after `end`.
    pub(crate) fn is_before(self, end: Self) -> bool {
        self.0[0] == end.0[0] && self.0.iter().zip(end.0).all(|(one, end)| *one <= end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_as_text() {
        let position = Position([1_514_692_800_000, 7, 0, 3, 1]);
        assert_eq!(Position::parse(&position.to_string()), Some(position));
        for wrong in [
            "",
            "1",
            "1.2",
            "1.2.3",
            "1.2.3.4",
            "1.2.3.4.5.6",
            "1.2.3.4.x",
            "1.2.3.4.99999999999999999999",
        ] {
            assert_eq!(Position::parse(wrong), None, "{wrong}");
        }
    }
}
