//! Prints the lines of the exercises.

use std::io::Write as _;

fn main() -> std::io::Result<()> {
    let mut lines = Vec::new();
    gizwits_platforms::run(&mut |byte| lines.push(byte));
    std::io::stdout().write_all(&lines)
}
