//! Prints the lines of the exercises in `tests/platforms`, compiled by the oldest supported compiler.

use std::io::Write as _;

// The client of the local network only has to compile.
use gizwits_lan as _;
use gizwits_platforms::{Texts, run};

/// The code of products that the code generator wrote.
#[cfg(feature = "generated")]
pub mod generated {
    include!(concat!(env!("GENERATED"), "/all.rs"));
}

fn main() -> std::io::Result<()> {
    let mut lines = Vec::new();
    run(&mut |byte| lines.push(byte), Texts::Hashed);
    std::io::stdout().write_all(&lines)
}
