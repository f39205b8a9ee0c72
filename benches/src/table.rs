//! The table of all kernels, and the goals that it is held against.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::group::GROUPS;
use crate::timing::Timing;

/// A measured kernel.
#[derive(Clone, Debug)]
pub struct Row {
    /// The name of the kernel.
    pub name: String,
    /// The name of the first program of its case, which is ours.
    pub first: String,
    /// The times of the kernel.
    pub timing: Timing,
}

/// The results of a run.
#[derive(Clone, Debug, Default)]
pub struct Results {
    /// The kernels in the order of the table.
    pub rows: Vec<Row>,
    /// The instructions an item by the name of the kernel; empty without valgrind.
    pub counts: BTreeMap<String, f64>,
}

impl Results {
    /// The instructions of a kernel over those of another.
    #[must_use]
    pub fn count_ratio(&self, over: &str, under: &str) -> Option<f64> {
        Some(self.counts.get(over)? / self.counts.get(under)?)
    }

    /// The time of a program over that of the first program of its case.
    #[must_use]
    pub fn time_ratio(&self, name: &str) -> Option<f64> {
        let row = self.rows.iter().find(|row| row.name == name);
        row.map(|row| row.timing.ratio)
    }

    /// One table a group, as Markdown.
    #[must_use]
    pub fn tables(&self) -> String {
        let mut text = String::new();
        for (group, _) in GROUPS {
            let rows = || {
                let rows = self.rows.iter();
                rows.filter(move |row| row.name.split('/').next() == Some(group))
            };
            if rows().next().is_none() {
                continue;
            }
            let _ = writeln!(text, "### `{group}`\n");
            let head = [
                "input and output",
                "program",
                "ns",
                "× ours",
                "instructions",
                "× ours",
            ];
            let mut cells = vec![head.map(str::to_owned)];
            let mut before = "";
            for row in rows() {
                let (case, program) = row.name.rsplit_once('/').unwrap_or_default();
                let (_, title) = case.split_once('/').unwrap_or_default();
                let count = self.counts.get(&row.name);
                cells.push([
                    if before == case {
                        String::new()
                    } else {
                        title.replace('/', ", ")
                    },
                    program.to_owned(),
                    number(row.timing.nanoseconds),
                    multiple(Some(row.timing.ratio)),
                    count.map_or(String::new(), |count| number(*count)),
                    multiple(self.count_ratio(&row.name, &row.first)),
                ]);
                before = case;
            }
            text += &markdown(&cells, 2);
            text.push('\n');
        }
        text
    }

    /// The goals and whether they are reached, as Markdown.
    #[must_use]
    pub fn goals(&self) -> String {
        let head = ["ratio", "goal", "measured"].map(str::to_owned);
        let mut cells = vec![head];
        for goal in &GOALS {
            let measured = match goal.by {
                By::Instructions => self.count_ratio(goal.over, goal.under),
                By::Time => match self.time_ratio(goal.over) {
                    Some(over) => self.time_ratio(goal.under).map(|under| over / under),
                    None => None,
                },
            };
            let Some(measured) = measured else {
                continue;
            };
            let (word, reached) = match goal.bound {
                Bound::AtLeast(bound) => (format!("at least {bound}"), measured >= bound),
                Bound::AtMost(bound) => (format!("at most {bound}"), measured <= bound),
            };
            let short = if reached { "" } else { " (missed)" };
            cells.push([goal.title.to_owned(), word, format!("{measured:.2}{short}")]);
        }
        markdown(&cells, 1)
    }
}

/// A ratio of two kernels with a bound.
struct Goal {
    title: &'static str,
    over: &'static str,
    under: &'static str,
    by: By,
    bound: Bound,
}

enum By {
    Instructions,
    Time,
}

enum Bound {
    AtLeast(f64),
    AtMost(f64),
}

const GOALS: [Goal; 7] = [
    Goal {
        title: "instructions, A to numbers: naive / layout",
        over: "decode/A/decimals/naive",
        under: "decode/A/decimals/layout",
        by: By::Instructions,
        bound: Bound::AtLeast(80.0),
    },
    Goal {
        title: "instructions, A to numbers: tidy / layout",
        over: "decode/A/decimals/tidy",
        under: "decode/A/decimals/layout",
        by: By::Instructions,
        bound: Bound::AtLeast(15.0),
    },
    Goal {
        title: "instructions, A to numbers: deku / layout",
        over: "decode/A/decimals/deku",
        under: "decode/A/decimals/layout",
        by: By::Instructions,
        bound: Bound::AtLeast(100.0),
    },
    Goal {
        title: "instructions, A to numbers: layout / constants",
        over: "decode/A/decimals/layout",
        under: "decode/A/decimals/constants",
        by: By::Instructions,
        bound: Bound::AtMost(4.0),
    },
    Goal {
        title: "instructions, B to numbers: layout / constants",
        over: "decode/B/decimals/layout",
        under: "decode/B/decimals/constants",
        by: By::Instructions,
        bound: Bound::AtMost(4.7),
    },
    Goal {
        title: "time, A to numbers: layout / constants",
        over: "decode/A/decimals/layout",
        under: "decode/A/decimals/constants",
        by: By::Time,
        bound: Bound::AtMost(2.5),
    },
    Goal {
        title: "time, B to numbers: layout / constants",
        over: "decode/B/decimals/layout",
        under: "decode/B/decimals/constants",
        by: By::Time,
        bound: Bound::AtMost(2.5),
    },
];

/// A number with as many digits as it is worth.
#[must_use]
pub fn number(number: f64) -> String {
    let text = match number {
        0.0..10.0 => return format!("{number:.1}"),
        _ => format!("{number:.0}"),
    };
    let mut out = String::new();
    for (n, digit) in text.chars().enumerate() {
        if n > 0 && (text.len() - n).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn multiple(ratio: Option<f64>) -> String {
    match ratio {
        None => String::new(),
        Some(ratio) if ratio < 10.0 => format!("{ratio:.2}x"),
        Some(ratio) => format!("{}x", number(ratio)),
    }
}

/// A Markdown table. The columns from `right` on are aligned to the right.
#[must_use]
pub fn markdown<const N: usize>(cells: &[[String; N]], right: usize) -> String {
    let width = |column: usize| {
        let widths = cells.iter().map(|row| row[column].chars().count());
        widths.max().unwrap_or(0).max(3)
    };
    let widths: [usize; N] = std::array::from_fn(width);
    let mut text = String::new();
    for (n, row) in cells.iter().enumerate() {
        for (column, (cell, width)) in row.iter().zip(widths).enumerate() {
            let _ = match column < right {
                true => write!(text, "| {cell:<width$} "),
                false => write!(text, "| {cell:>width$} "),
            };
        }
        text += "|\n";
        if n == 0 {
            for (column, width) in widths.iter().enumerate() {
                let (dashes, end) = (
                    "-".repeat(width - 1),
                    if column < right { "-" } else { ":" },
                );
                let _ = write!(text, "| {dashes}{end} ");
            }
            text += "|\n";
        }
    }
    text
}
