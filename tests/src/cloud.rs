//! A cloud whose replies a test makes up.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::program::{self, CacheFolder, Ran};
use crate::vectors;

/// The reply of a server to a request.
#[derive(Debug)]
pub enum Reply {
    /// An answer with this status and this body.
    Response(u16, String),
    /// No answer. The server closes the connection once it has read the request.
    None,
}

/// A cloud that replies by a rule of the test. It has one product, the air conditioner, with a device `D`.
#[derive(Debug)]
pub struct Scripted {
    program: &'static str,
    /// The cache of the program.
    pub cache: CacheFolder,
    /// The address and the credentials of the product, as environment variables.
    pub variables: BTreeMap<String, String>,
    /// The bodies that came to `/control`.
    pub controls: Arc<Mutex<Vec<Value>>>,
}

impl Scripted {
    /// Starts the cloud for a program. The rule takes method and path of a request; requests that it
    /// returns `None` for get the usual answer.
    ///
    /// # Panics
    /// If there is no free port.
    #[must_use]
    pub fn start(
        program: &'static str,
        rule: impl Fn(&str, &str) -> Option<Reply> + Send + Sync + 'static,
    ) -> Self {
        Self::start_ahead(program, None, rule)
    }

    /// Like [`start`](Self::start), with the time of the cloud in its answers. `ahead` are the seconds by which its
    /// clock is ahead of this machine's; without them, answers have no time.
    ///
    /// # Panics
    /// As [`start`](Self::start).
    #[must_use]
    pub fn start_ahead(
        program: &'static str,
        ahead: Option<i64>,
        rule: impl Fn(&str, &str) -> Option<Reply> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a request of the program");
        let mut variables: BTreeMap<String, String> = [
            ("CONFIG", "/no/such/config.toml"),
            ("ENTERPRISE_ID", "e"),
            ("ENTERPRISE_SECRET", "hush-enterprise"),
            ("PRODUCT_KEY", "3f1c5b7a9d2e4860b1a3c5d7e9f00112"),
            ("PRODUCT_SECRET", "hush-product"),
        ]
        .into_iter()
        .map(|(name, value)| (format!("GIZWITS_{name}"), value.to_owned()))
        .collect();
        let url = format!(
            "http://{}",
            listener.local_addr().expect("a request of the program")
        );
        variables.insert("GIZWITS_BASE_URL".to_owned(), url);
        let cache = CacheFolder::new();
        variables.extend([cache.variable()]);
        let controls = Arc::new(Mutex::new(Vec::new()));
        let (rule, seen) = (Arc::new(rule), Arc::clone(&controls));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (rule, seen) = (Arc::clone(&rule), Arc::clone(&seen));
                std::thread::spawn(move || {
                    serve(
                        stream.expect("a request of the program"),
                        ahead,
                        &*rule,
                        &seen,
                    )
                });
            }
        });
        Scripted {
            program,
            cache,
            variables,
            controls,
        }
    }

    /// Runs the program with a line of arguments.
    #[must_use]
    pub fn run(&self, line: &str) -> Ran {
        self.run_with(line, &[])
    }

    /// Like [`run`](Self::run), with some variables changed, by their whole names.
    #[must_use]
    pub fn run_with(&self, line: &str, changed: &[(&str, &str)]) -> Ran {
        self.words(&line.split(' ').collect::<Vec<_>>(), changed)
    }

    /// Runs the program with arguments, and some variables changed.
    #[must_use]
    pub fn words(&self, words: &[&str], changed: &[(&str, &str)]) -> Ran {
        let mut variables = self.variables.clone();
        let changed = changed.iter();
        variables.extend(changed.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        program::run_in(self.program, words, b"", &variables)
    }
}

fn serve(
    stream: TcpStream,
    ahead: Option<i64>,
    rule: &dyn Fn(&str, &str) -> Option<Reply>,
    seen: &Mutex<Vec<Value>>,
) {
    let mut reader = BufReader::new(stream.try_clone().expect("a request of the program"));
    let (mut head, mut length) = (String::new(), 0);
    while reader
        .read_line(&mut head)
        .expect("a request of the program")
        > 2
    {
        let line = head
            .lines()
            .last()
            .expect("a request of the program")
            .to_lowercase();
        if let Some(bytes) = line.strip_prefix("content-length: ") {
            length = bytes.parse().expect("a request of the program");
        }
    }
    let mut body = vec![0; length];
    reader
        .read_exact(&mut body)
        .expect("a request of the program");
    let mut words = head.split([' ', '?']);
    let (method, path) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
    if path.ends_with("/control") {
        seen.lock()
            .expect("a request of the program")
            .push(serde_json::from_slice(&body).expect("a request of the program"));
    }
    let device = json!({"did": "D", "mac": "m", "is_online": true, "created_at": 1_517_298_056});
    let said = rule(method, path).unwrap_or_else(|| match path.rsplit('/').next() {
        Some("access_token") => answer(
            201,
            json!({"token": "hush-token", "expire_at": 1_893_456_000}),
        ),
        Some("datapoint") => Reply::Response(200, vectors::fixture("air-conditioner")),
        Some("search") => answer(200, json!({"meta": {"total": 1}, "objects": [device]})),
        Some("control") => answer(200, json!({})),
        _ => answer(200, json!({"meta": {"total": 0}, "objects": []})),
    });
    if let Reply::Response(status, body) = said {
        let date = ahead.map_or(String::new(), |ahead| {
            let now = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(ahead);
            let date = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&now);
            format!("date: {}\r\n", date.expect("a year with four digits"))
        });
        let head = format!(
            "HTTP/1.1 {status} X\r\nconnection: close\r\n{date}content-length: {}\r\n\r\n",
            body.len()
        );
        let mut stream = stream;
        let _ = stream.write_all((head + &body).as_bytes());
    }
}

/// A JSON answer.
#[must_use]
pub fn answer(status: u16, body: Value) -> Reply {
    Reply::Response(status, body.to_string())
}
