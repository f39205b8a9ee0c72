//! The examples of `codec-core` and `codec-std` print what their head comments show.

use std::io::{Read as _, Write as _};

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
#[path = "../codec-std/examples/http_service.rs"]
mod http_service;
#[allow(dead_code)]
#[path = "../codec-std/examples/log_to_arrow.rs"]
mod log_to_arrow;
#[allow(dead_code)]
#[path = "../codec-std/examples/payloads_to_arrow.rs"]
mod payloads_to_arrow;
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

    let Shown { arguments, output } = shown("codec-std/examples/payloads_to_arrow.rs");
    let mut out = Vec::new();
    payloads_to_arrow::run(&arguments[0], &arguments[1], &mut out).unwrap();
    assert_eq!(text(out), output);

    let Shown { arguments, output } = shown("codec-std/examples/http_service.rs");
    let states = std::env::temp_dir().join(format!("{}.states", std::process::id()));
    let states = states.to_str().unwrap();
    let serve = |states: &str| {
        let mut out = Vec::new();
        let until = |address: String| async move {
            let asked = tokio::task::spawn_blocking(move || ask(&address));
            asked.await.unwrap();
        };
        http_service::run(&arguments[0], "127.0.0.1:0", states, &mut out, until).unwrap();
        text(out)
    };
    let printed = serve(states);
    let without_port = |text: &str| {
        let (before, after) = text.split_once("127.0.0.1:").unwrap();
        format!(
            "{before}{}",
            after.trim_start_matches(|digit: char| digit.is_ascii_digit())
        )
    };
    assert_eq!(without_port(&printed), without_port(&output));
    // The second run knows what the first has saved.
    assert!(serve(states).starts_with("1 device, http://"));
    std::fs::remove_file(states).unwrap();
}

/// Sends the requests that the head comment of the service shows, and compares the answers.
fn ask(address: &str) {
    let source = std::fs::read_to_string("codec-std/examples/http_service.rs").unwrap();
    let lines: Vec<&str> = source.lines().collect();
    let mut asked = 0;
    for pair in lines.windows(2) {
        let Some(request) = pair[0].strip_prefix("//! $ curl http://127.0.0.1:8080") else {
            continue;
        };
        let (path, body) = match request.split_once(" -d ") {
            Some((path, body)) => (path, Some(body)),
            None => (request, None),
        };
        let method = if body.is_some() { "POST" } else { "GET" };
        let body = body.unwrap_or_default();
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (_, answer) = answer.split_once("\r\n\r\n").unwrap();
        assert_eq!(answer.trim_end(), &pair[1]["//! ".len()..], "{request}");
        asked += 1;
    }
    assert_eq!(asked, 5);
}
