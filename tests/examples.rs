//! The examples of `codec-core` and `codec-std` print what their head comments show.

use gizwits_tests::program;

#[allow(dead_code)]
#[path = "../codec-std/examples/check.rs"]
mod check;
#[allow(dead_code)]
#[path = "../codec-core/examples/decode.rs"]
mod decode;
#[allow(dead_code)]
#[path = "../codec-core/examples/encode.rs"]
mod encode;
#[allow(dead_code)]
#[path = "../codec-core/examples/firmware.rs"]
mod firmware;
#[allow(dead_code)]
#[path = "../codec-std/examples/log_to_arrow.rs"]
mod log_to_arrow;
#[allow(dead_code)]
#[path = "../codec-std/examples/service.rs"]
mod service;

/// The command and the output that the head comment of an example shows.
struct Shown {
    arguments: Vec<String>,
    output: String,
}

fn shown(example: &str) -> Shown {
    let source = std::fs::read_to_string(program::root().join(example)).unwrap();
    let comment = source.lines().map_while(|line| line.strip_prefix("//!"));
    let comment: Vec<&str> = comment
        .map(|line| line.strip_prefix(' ').unwrap_or(line))
        .collect();
    let comment = comment.join("\n");
    let block = comment.split("```console\n").nth(1).unwrap();
    let block = block.split("```").next().unwrap();
    let (command, output) = block.split_once('\n').unwrap();
    let name = example.split(['/', '.']).nth(2).unwrap();
    let (cargo, arguments) = command.split_once(" -- ").unwrap_or((command, ""));
    assert!(
        cargo.starts_with("$ cargo run -p gizwits-codec-"),
        "{cargo}"
    );
    assert!(cargo.ends_with(&format!("--example {name}")), "{cargo}");
    Shown {
        arguments: arguments.split_whitespace().map(str::to_owned).collect(),
        output: output.to_owned(),
    }
}

fn text(out: Vec<u8>) -> String {
    String::from_utf8(out).unwrap()
}

#[test]
fn core_examples() {
    let mut out = Vec::new();
    decode::run(&mut out).unwrap();
    assert_eq!(text(out), shown("codec-core/examples/decode.rs").output);

    let mut out = Vec::new();
    encode::run(&mut out).unwrap();
    assert_eq!(text(out), shown("codec-core/examples/encode.rs").output);

    let mut out = Vec::new();
    firmware::run(&mut out).unwrap();
    assert_eq!(text(out), shown("codec-core/examples/firmware.rs").output);
}

#[test]
fn std_examples() {
    // The commands name files as seen from the root of the workspace.
    std::env::set_current_dir(program::root()).unwrap();

    let Shown { arguments, output } = shown("codec-std/examples/service.rs");
    let messages = std::fs::read(&arguments[1]).unwrap();
    let mut out = Vec::new();
    service::run(&arguments[0], &messages[..], &mut out).unwrap();
    assert_eq!(text(out), output);

    let Shown { arguments, output } = shown("codec-std/examples/check.rs");
    let mut out = Vec::new();
    assert!(!check::run(&arguments[0], &mut out).unwrap());
    assert_eq!(text(out), output);

    let Shown { arguments, output } = shown("codec-std/examples/log_to_arrow.rs");
    let arrow = std::env::temp_dir().join(format!("{}.arrow", std::process::id()));
    let mut out = Vec::new();
    log_to_arrow::run(
        &arguments[0],
        &arguments[1],
        arrow.to_str().unwrap(),
        &mut out,
    )
    .unwrap();
    std::fs::remove_file(arrow).unwrap();
    assert_eq!(text(out), output);
}
