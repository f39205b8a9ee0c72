//! Progress bars on stderr, which are shown if stderr is a terminal and the output goes elsewhere.

use std::io::{self, IsTerminal as _};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A progress bar, or a hidden one if the output is on the terminal as well.
fn bar(total: Option<u64>, template: &str, to_file: bool) -> ProgressBar {
    if !to_file && io::stdout().is_terminal() || !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template(template);
    ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr())
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// A progress bar in bytes, or a counter if the total is unknown.
pub(crate) fn of_bytes(total: Option<u64>) -> ProgressBar {
    let template = match total {
        Some(_) => "decoding  {bar:26}  {bytes}/{total_bytes}  {bytes_per_sec}  eta {eta}",
        None => "decoding  {bytes}  {bytes_per_sec}",
    };
    bar(total, template, false)
}

/// A progress bar in seconds of a time span. `to_file`: whether the output goes to a file instead of stdout.
pub(crate) fn of_time(span: Duration, to_file: bool) -> ProgressBar {
    let template = "{bar:40} {percent:>3} %  {msg}  eta {eta}";
    bar(Some(span.as_secs().max(1)), template, to_file)
}
