//! `docs/performance.md`: its marked parts are replaced, all other text stays as it is written.

use std::fs;
use std::io;

use crate::instructions::version;

/// The page.
const PAGE: &str = "docs/performance.md";

/// The folder of its plots.
const PLOTS: &str = "docs/performance";

/// Replaces the marked parts of the page, given as name and text, and writes the plots, given as name and SVG.
///
/// # Errors
/// If a file can't be read or written, or the page lacks a mark.
pub fn write(parts: &[(&str, String)], plots: &[(&str, String)]) -> io::Result<()> {
    let mut page = fs::read_to_string(PAGE)?;
    for (name, text) in parts {
        page = replaced(&page, name, text)
            .ok_or_else(|| io::Error::other(format!("{PAGE} has no marks of `{name}`")))?;
    }
    fs::write(PAGE, page)?;
    fs::create_dir_all(PLOTS)?;
    for (name, svg) in plots {
        fs::write(format!("{PLOTS}/{name}.svg"), svg)?;
    }
    Ok(())
}

/// The page with another text between the marks of a part.
fn replaced(page: &str, name: &str, text: &str) -> Option<String> {
    let (begin, end) = (
        format!("<!-- begin {name} -->\n"),
        format!("<!-- end {name} -->"),
    );
    let (before, rest) = page.split_once(&begin)?;
    let (_, behind) = rest.split_once(&end)?;
    Some(format!("{before}{begin}\n{}\n\n{end}{behind}", text.trim()))
}

/// Breaks a paragraph into lines of at most 120 characters, of which all but the first are indented.
#[must_use]
pub fn wrapped(text: &str, indent: usize) -> String {
    let (mut out, mut width) = (String::new(), 0);
    for word in text.split_whitespace() {
        let len = word.chars().count();
        if width > 0 && width + 1 + len > 120 {
            out.push('\n');
            out.push_str(&" ".repeat(indent));
            width = indent;
        } else if width > 0 {
            out.push(' ');
            width += 1;
        }
        out.push_str(word);
        width += len;
    }
    out
}

/// The machine, the compiler and the versions of the peers, as a Markdown list.
#[must_use]
pub fn machine() -> String {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let entry = |name: &str| {
        let line = cpu.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.split_once(':'))
            .map_or("unknown", |(_, value)| value.trim())
    };
    let flags: Vec<&str> = entry("flags").split(' ').collect();
    let wanted = [
        "sse4_2",
        "avx",
        "avx2",
        "bmi2",
        "fma",
        "avx512f",
        "avx512_vbmi2",
    ];
    let known: Vec<&str> = wanted
        .into_iter()
        .filter(|flag| flags.contains(flag))
        .collect();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let target = match (cfg!(target_feature = "avx2"), cfg!(target_arch = "x86_64")) {
        (true, _) => "x86-64-v3 (AVX2)",
        (_, true) => "the baseline of x86-64 (SSE2)",
        _ => std::env::consts::ARCH,
    };
    let lock = fs::read_to_string("Cargo.lock").unwrap_or_default();
    let peers = PEERS.map(|name| {
        let package = format!("name = \"{name}\"\nversion = \"");
        let version = lock
            .split(&package)
            .nth(1)
            .and_then(|rest| rest.split('"').next());
        format!("{name} {}", version.unwrap_or("unknown"))
    });
    let items = [
        format!(
            "- processor: {}, {cores} cores, {}",
            entry("model name"),
            known.join(" ")
        ),
        format!(
            "- compiled for {target} by {}, profile `dist`",
            version("rustc", "--version")
        ),
        format!("- counted with {}", version("valgrind", "--version")),
        format!("- peers: {}", peers.join(", ")),
    ];
    items.map(|item| wrapped(&item, 2)).join("\n")
}

const PEERS: [&str; 11] = [
    "arrow-array",
    "bitfield-struct",
    "bitvec",
    "deku",
    "faster-hex",
    "memchr",
    "modular-bitfield",
    "packed_struct",
    "parquet",
    "serde_json",
    "tokio-util",
];

#[cfg(test)]
mod tests {
    use super::{replaced, wrapped};

    #[test]
    fn long_lines_are_broken() {
        let text = ["word"; 30].join(" ");
        let wrapped = wrapped(&text, 2);
        assert!(wrapped.lines().all(|line| line.len() <= 120));
        assert_eq!(wrapped.split_whitespace().count(), 30);
        assert!(wrapped.contains("\n  word"));
    }

    #[test]
    fn only_the_marked_part_is_replaced() {
        let page = "a\n<!-- begin x -->\n\nold\n\n<!-- end x -->\nb\n";
        let new = replaced(page, "x", "new\n");
        assert_eq!(
            new.as_deref(),
            Some("a\n<!-- begin x -->\n\nnew\n\n<!-- end x -->\nb\n")
        );
        assert_eq!(replaced(page, "y", ""), None);
    }
}
