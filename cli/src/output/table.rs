//! Tables for people.

use std::io::{self, IsTerminal as _};

use comfy_table::{ContentArrangement, Table, presets};

use crate::text::printable;

/// Lays out rows in columns without lines. A table that is wider than the terminal is wrapped inside its
/// cells; elsewhere a row is one line.
pub(crate) fn table<R>(rows: impl IntoIterator<Item = R>) -> String
where
    R: IntoIterator<Item: AsRef<str>>,
{
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    for row in rows {
        table.add_row(
            row.into_iter()
                .map(|cell| printable(cell.as_ref()).into_owned()),
        );
    }
    let terminal = terminal_size::terminal_size().filter(|_| io::stdout().is_terminal());
    if let Some((width, _)) = terminal {
        table.set_content_arrangement(ContentArrangement::Dynamic);
        table.set_width(width.0);
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table
        .lines()
        .fold(String::new(), |text, line| text + line.trim_end() + "\n")
}
