//! Tables for people.

use std::io::{self, IsTerminal as _};

use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width, presets};
use unicode_width::UnicodeWidthStr;

use crate::text::printable;

/// The width of the terminal in columns; `None` if standard output is none.
pub(crate) fn terminal_width() -> Option<usize> {
    let terminal = terminal_size::terminal_size().filter(|_| io::stdout().is_terminal());
    terminal.map(|(width, _)| width.0.into())
}

/// Formats rows as columns without rules. On a terminal, wide columns are wrapped between words, so that an
/// id is never broken. Elsewhere a row is one line.
pub(crate) fn table<R>(rows: impl IntoIterator<Item = R>) -> String
where
    R: IntoIterator<Item: AsRef<str>>,
{
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    for row in rows {
        let row = row.into_iter();
        table.add_row(row.map(|cell| printable(cell.as_ref()).into_owned()));
    }
    if let Some(width) = terminal_width() {
        table.set_content_arrangement(ContentArrangement::Dynamic);
        table.set_width(u16::try_from(width).unwrap_or(u16::MAX));
    }
    for index in 0..table.column_count() {
        let cells = table.column_cells_iter(index).flatten();
        let words =
            cells.flat_map(|cell| cell.content().split(' ').map(UnicodeWidthStr::width).max());
        let longest = u16::try_from(words.max().unwrap_or(0) + 2).unwrap_or(u16::MAX);
        if let Some(column) = table.column_mut(index) {
            column.set_padding((0, 2));
            column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(longest)));
        }
    }
    table
        .lines()
        .fold(String::new(), |text, line| text + line.trim_end() + "\n")
}
