//! A server that knows every secret and repeats whatever it was sent.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

use serde_json::{Value, json};

use crate::planted::{PASSCODE, Surfaces, TOKEN};

/// How the server answers calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// An answer as the API gives it.
    Good,
    /// The token call is refused, too.
    NoToken,
    /// An error of the API whose text and detail repeat the request.
    Refusal,
    /// A token that is refused each time.
    TokenRefused,
    /// An HTML page of a gateway that repeats the request.
    Gateway,
    /// A body that is not JSON and repeats the request.
    NotJson,
    /// JSON with other types than expected, around the request.
    OtherTypes,
    /// A redirect to a URL that repeats the request.
    Redirect,
    /// A body that ends early.
    Cut,
    /// No answer.
    Closed,
}

pub(crate) const MODES: [Mode; 10] = [
    Mode::Good,
    Mode::NoToken,
    Mode::Refusal,
    Mode::TokenRefused,
    Mode::Gateway,
    Mode::NotJson,
    Mode::OtherTypes,
    Mode::Redirect,
    Mode::Cut,
    Mode::Closed,
];

/// Starts the server, which is a proxy as well: it answers requests for any host itself. Returns its address. The URLs
/// that it is asked for, and the arguments of the descendants of this process at that time, are added to the surfaces.
pub(crate) fn start(mode: Mode, surfaces: &Arc<Surfaces>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let surfaces = Arc::clone(surfaces);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let surfaces = Arc::clone(&surfaces);
            // A client may close its connection at any time.
            std::thread::spawn(move || serve(stream, mode, &surfaces));
        }
    });
    address
}

fn serve(mut stream: TcpStream, mode: Mode, surfaces: &Surfaces) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let (mut head, mut length) = (Vec::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? <= 2 {
            break;
        }
        let line = line.trim_end().to_owned();
        if let Some(bytes) = line.to_lowercase().strip_prefix("content-length: ") {
            length = bytes.parse().ok()?;
        }
        // The server of the API does not see this header.
        if !line.to_lowercase().starts_with("proxy-authorization: ") {
            head.push(line);
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let url = head.first()?.split(' ').nth(1)?.to_owned();
    // The two endpoints with a secret in their URL are those of the API: see `Call::with_product_secret`.
    if !url.contains("product_secret=") {
        surfaces.add("URL", url.as_str());
    }
    for arguments in descendants() {
        surfaces.add("arguments of a process", arguments);
    }
    let echo = format!("{} {}", head.join(" "), String::from_utf8_lossy(&body));
    let echo = format!("{echo} {{\"token\":\"{TOKEN}\",\"passcode\":\"{PASSCODE}\"}}");
    let path = url.split('?').next()?.to_owned();
    let (status, more, body) = answer(mode, &path, &echo);
    let length = match mode {
        Mode::Closed if !path.ends_with("/access_token") => return None,
        Mode::Cut => body.len() + 100,
        _ => body.len(),
    };
    let head = format!(
        "HTTP/1.1 {status} X\r\nconnection: close\r\n{more}content-length: {length}\r\n\r\n"
    );
    stream.write_all((head + &body).as_bytes()).ok()
}

/// The status, further headers and the body of an answer.
fn answer(mode: Mode, path: &str, echo: &str) -> (u16, String, String) {
    let json = |status, body: Value| (status, String::new(), body.to_string());
    let refusal = |code: u32| {
        let body =
            json!({"error_code": code, "error_message": echo, "detail_message": {"request": echo}});
        json(400, body)
    };
    match (path.rsplit('/').next(), mode) {
        (Some("access_token"), Mode::NoToken) => refusal(5004),
        (Some("access_token"), _) => {
            json(201, json!({"token": TOKEN, "expire_at": 4_000_000_000_u32}))
        }
        (_, Mode::Refusal) => refusal(5305),
        (_, Mode::TokenRefused) => refusal(5009),
        (_, Mode::Gateway) => (502, String::new(), format!("<html>{echo}</html>")),
        (_, Mode::NotJson) => (200, String::new(), echo.to_owned()),
        (_, Mode::OtherTypes) => {
            let body = json!({"meta": echo, "objects": echo, "did": [echo], "passcode": PASSCODE, "token": TOKEN});
            json(200, body)
        }
        (_, Mode::Redirect) => {
            let location = format!(
                "location: http://127.0.0.1:9/?{}\r\n",
                echo.replace(' ', "&")
            );
            (302, location, echo.to_owned())
        }
        (Some("datapoint"), _) => (
            200,
            String::new(),
            gizwits_tests::vectors::fixture("air-conditioner"),
        ),
        (Some("devices"), _) => json(200, json!({"did": "D", "passcode": PASSCODE})),
        (Some("search"), _) => {
            let device = json!({"did": "D", "mac": "m", "is_online": true, "passcode": PASSCODE});
            json(200, json!({"meta": {"total": 1}, "objects": [device]}))
        }
        _ => json(
            200,
            json!({"meta": {"total": 0}, "objects": [], "token": TOKEN}),
        ),
    }
}

/// The arguments of every process that this process started, or that one of these processes started. Other processes of
/// the machine may have the planted secrets in their arguments, such as a search in the source text.
pub(crate) fn descendants() -> Vec<Vec<u8>> {
    let folders = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let parents: HashMap<u32, u32> = folders
        .filter_map(|folder| {
            let process = folder.file_name().to_str()?.parse().ok()?;
            let stat = std::fs::read_to_string(folder.path().join("stat")).ok()?;
            // The name of the program is in parentheses and may have spaces. The state and the parent follow.
            let (_, fields) = stat.rsplit_once(')')?;
            let parent = fields.split_whitespace().nth(1)?.parse().ok()?;
            Some((process, parent))
        })
        .collect();
    let own = std::process::id();
    let is_descendant = |process: &&u32| {
        // A number that is given to a new process while the table is read could close a circle.
        let ancestors = std::iter::successors(parents.get(process), |one| parents.get(one));
        ancestors.take(100).any(|ancestor| *ancestor == own)
    };
    let processes = parents.keys().filter(is_descendant);
    processes
        .filter_map(|process| std::fs::read(format!("/proc/{process}/cmdline")).ok())
        .filter(|arguments| !arguments.is_empty())
        .collect()
}
