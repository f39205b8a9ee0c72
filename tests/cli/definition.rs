//! Tests of `gizwits definition`, against a simulator in this process.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;

use gizwits_simulator::{Options, Server, Simulator};

use super::*;

/// The product key of an air conditioner of the built-in scenario.
const KEY: &str = "a1b2c3d4e5f60718293a4b5c6d7e8f90";

fn fetch(arguments: &[&str], variables: &[(&str, &str)]) -> Ran {
    let variables = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let arguments = [&["definition"], arguments].concat();
    program::run_in(GIZWITS, &arguments, b"", &variables.collect())
}

#[test]
fn a_definition_is_fetched() {
    let server = Server::start(Simulator::builder().build().unwrap(), Options::default()).unwrap();
    let url = server.url();
    let printed = fetch(&[KEY, "--base-url", &url], &[]);
    assert_eq!((printed.code, &*printed.stderr), (0, ""));
    let json: Value = serde_json::from_str(&printed.stdout).unwrap();
    assert_eq!(json["product_key"], KEY);
    // The environment names the server, and case does not matter in a key.
    let upper = KEY.to_uppercase();
    let variables = [
        ("GIZWITS_APP_BASE_URL", &*url),
        ("GIZWITS_APP_ID", "a44100000000000000000000000000a1"),
    ];
    let again = fetch(&[&upper, "-o", "-"], &variables);
    assert_eq!((again.code, &again.stdout), (0, &printed.stdout));
    let folder = Folder::new("definition");
    let file = folder.0.join("ac.json");
    let file = file.to_str().unwrap();
    let written = fetch(&[KEY, "-o", file], &variables);
    assert_eq!(
        (written.code, &*written.stdout, &*written.stderr),
        (0, "", "")
    );
    let ran = run(&["decode", "-d", file, REPORT]);
    assert_eq!(ran.json()[0]["attrs"]["set_temp"], 16);

    // A product that the server does not know changes no file.
    let unknown = "00000000000000000000000000000000";
    let ran = fetch(&[unknown, "-o", file], &variables);
    assert_eq!((ran.code, &*ran.stdout), (1, ""));
    let expected = format!(
        "error: {url} has no definition of the product {unknown}: product_key invalid!. Products of other regions"
    );
    assert!(ran.stderr.starts_with(&expected), "{}", ran.stderr);
    assert_eq!(std::fs::read_to_string(file).unwrap(), printed.stdout);
    server.stop();
}

/// Serves one call with this JSON, and returns its URL.
fn answering(json: &'static str) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut lines = BufReader::new(&stream).lines();
        while lines.next().is_some_and(|line| !line.unwrap().is_empty()) {}
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close";
        let length = json.len();
        write!(&stream, "{head}\r\ncontent-length: {length}\r\n\r\n{json}").unwrap();
    });
    url
}

#[test]
fn only_a_definition_is_written() {
    let folder = Folder::new("definition-other");
    let file = folder.write("pump.json", "before");
    let url = answering(r#"{"status":"ok"}"#);
    let ran = fetch(&[KEY, "--base-url", &url, "-o", &file], &[]);
    assert_eq!((ran.code, &*ran.stdout), (1, ""));
    let expected = format!("error: {url} answers with JSON that is no definition");
    assert!(ran.stderr.starts_with(&expected), "{}", ran.stderr);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "before");

    // A byte order mark is no part of the definition, and an incomplete definition is written with a warning.
    let url = answering("\u{feff}{\"entities\":[]}");
    let ran = fetch(&[KEY, "--base-url", &url, "-o", &file], &[]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(
        ran.stderr.starts_with("warning: the definition has "),
        "{}",
        ran.stderr
    );
    assert_eq!(
        std::fs::read_to_string(&file).unwrap(),
        "{\"entities\":[]}\n"
    );
}

#[test]
fn a_definition_is_not_fetched() {
    // Nobody listens on this port.
    let ran = fetch(&[KEY, "--base-url", "http://127.0.0.1:1"], &[]);
    assert_eq!((ran.code, &*ran.stdout), (1, ""));
    assert!(
        ran.stderr
            .starts_with("error: http://127.0.0.1:1: GET /app/datapoint: no connection: ")
            && ran.stderr.contains("--base-url"),
        "{}",
        ran.stderr
    );
    for (arguments, expected) in [
        (&["pump"][..], "expected 32 hex digits"),
        (
            &[KEY, "--base-url", "pump"],
            "--base-url = pump: expected a URL such as https://api.gizwits.com",
        ),
    ] {
        let ran = fetch(arguments, &[]);
        assert_eq!((ran.code, &*ran.stdout), (2, ""));
        assert!(ran.stderr.contains(expected), "{}", ran.stderr);
    }
}
