//! Prints the lines of the exercises. With the argument `--no-texts`, the texts of errors and numbers are left out.

use std::io::Write as _;

use gizwits_platforms::{Texts, run};

fn main() -> std::io::Result<()> {
    let texts = match std::env::args().nth(1).as_deref() {
        Some("--no-texts") => Texts::LeftOut,
        _ => Texts::Hashed,
    };
    let mut lines = Vec::new();
    run(&mut |byte| lines.push(byte), texts);
    std::io::stdout().write_all(&lines)
}
