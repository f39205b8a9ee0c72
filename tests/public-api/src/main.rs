//! Prints the public items of a library, one a line, from the JSON that rustdoc wrote about it.

use std::process::ExitCode;

fn main() -> ExitCode {
    let Some(path) = std::env::args().nth(1) else {
        eprintln!("no file is given: expected the JSON of rustdoc");
        return ExitCode::from(2);
    };
    // The impls of the compiler are seven lines a type, and those for every type say nothing about this one.
    let builder = public_api::Builder::from_rustdoc_json(&path).omit_blanket_impls(true);
    let items = match builder.build() {
        Ok(api) => api.to_string(),
        Err(error) => {
            eprintln!(
                "{path}: {error}\nIf the compiler is new: Cargo.toml needs the version of public-api whose rustdoc-types \
                 has the `format_version` of this file as its minor version."
            );
            return ExitCode::FAILURE;
        }
    };
    for item in items.lines().filter(|item| is_listed(item)) {
        println!("{item}");
    }
    ExitCode::SUCCESS
}

/// Returns whether an item is listed: of the traits that the compiler implements, only those that a type lacks or has on a
/// condition, and of these only `Send` and `Sync`.
fn is_listed(item: &str) -> bool {
    const MARKERS: [&str; 4] = [
        "core::marker::Freeze",
        "core::marker::Unpin",
        "core::marker::UnsafeUnpin",
        "core::panic::unwind_safe::",
    ];
    if !item.starts_with("impl") {
        return true;
    }
    if MARKERS.iter().any(|marker| item.contains(marker)) {
        return false;
    }
    let is_thread_marker =
        item.contains("core::marker::Send for") || item.contains("core::marker::Sync for");
    !is_thread_marker || item.contains("impl !") || item.contains(" where ")
}
