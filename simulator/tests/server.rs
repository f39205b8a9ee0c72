//! The simulator on sockets: hostile callers, its administration, faults on demand.

use std::time::{Duration, Instant};

use gizwits_simulator::{Mode, Options, Server, Simulator};
use serde_json::{Value, json};

use crate::support::wire::{Heard, Wire};
use crate::support::*;

fn serve() -> Server {
    let mut options = Options::default();
    options.io_timeout = Duration::from_millis(800);
    options.body_limit = 64 * 1024;
    Server::start(small(), options).unwrap()
}

fn open(server: &Server) -> Wire {
    Wire::open(server.address()).unwrap()
}

fn token(server: &Server) -> String {
    let mut wire = open(server);
    let target = format!("/v1/products/{AC}/access_token");
    let heard = wire
        .call("POST", &target, "", &credentials(AC_SECRET))
        .unwrap();
    assert_eq!(heard.status, 201);
    let body: Value = serde_json::from_str(heard.text()).unwrap();
    body["token"].as_str().unwrap().to_owned()
}

fn admin(server: &Server, method: &str, path: &str, body: Value) -> Heard {
    let address = server
        .admin_url()
        .strip_prefix("http://")
        .unwrap()
        .parse()
        .unwrap();
    let mut wire = Wire::open(address).unwrap();
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    wire.call(method, path, "", &body).unwrap()
}

#[test]
fn it_listens_on_loopback_and_stops() {
    let server = serve();
    assert!(server.address().ip().is_loopback());
    assert!(server.url().starts_with("http://127.0.0.1:"));
    assert!(server.admin_url().starts_with("http://127.0.0.1:"));
    assert_ne!(server.url(), server.admin_url());
    assert!(Options::default().listen.ip().is_loopback());
    let address = server.address();
    let mut idle = open(&server);
    token(&server);
    let began = Instant::now();
    server.stop();
    assert!(began.elapsed() < Duration::from_secs(3));
    assert!(idle.closed());
    assert!(Wire::open(address).is_err());
}

#[test]
fn the_debugger_is_in_the_program() {
    let server = serve();
    let mut wire = open(&server);
    let mut get = |path: &str| wire.call("GET", path, "", "").unwrap();
    let document = get("/openapi.json");
    assert_eq!(document.text(), gizwits_simulator::openapi());
    let start = get("/debugger");
    assert_eq!(
        (start.status, start.header("location")),
        (308, Some("/debugger/"))
    );
    let page = get("/debugger/");
    assert_eq!(
        page.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    // All that the page names is there, and nothing is elsewhere.
    let mut parts = 0;
    let quoted = page.text().split('"').skip(1).step_by(2);
    for name in quoted.filter(|name| name.contains('.')) {
        let path = match name.starts_with('/') {
            true => name.to_owned(),
            false => format!("/debugger/{name}"),
        };
        assert_eq!(get(&path).status, 200, "{path}");
        parts += 1;
    }
    assert_eq!(parts, 8);
    for path in [
        "/debugger/none.js",
        "/debugger/..%2fCargo.toml",
        "/debugger/a/b",
    ] {
        assert_eq!(get(path).status, 404, "{path}");
    }
}

#[test]
fn bodies_that_are_too_long() {
    let server = serve();
    let token = token(&server);
    let target = format!("/v1/products/{AC}/devices/{DID}/control");
    let heard = open(&server)
        .call("POST", &target, &token, &"x".repeat(64 * 1024))
        .unwrap();
    assert_eq!(
        (heard.status, &heard.text()[..22]),
        (400, r#"{"error_message":"body"#)
    );
    // Refused as soon as it is over, whatever length was announced.
    let head = format!("POST {target} HTTP/1.1\r\nhost: x\r\nauthorization: token {token}\r\n");
    let mut wire = open(&server);
    wire.write(format!("{head}content-length: 99999999999\r\n\r\n").as_bytes())
        .unwrap();
    let _ = wire.write(&vec![b' '; 100_000]);
    assert_eq!(wire.read().unwrap().status, 413);
    let mut wire = open(&server);
    wire.write(format!("{head}transfer-encoding: chunked\r\n\r\n").as_bytes())
        .unwrap();
    for _ in 0..80 {
        let chunk = format!("400\r\n{}\r\n", " ".repeat(1024));
        if wire.write(chunk.as_bytes()).is_err() {
            break;
        }
    }
    assert_eq!(wire.read().unwrap().status, 413);
    // Deep, and not even that: no stack ends.
    for body in [
        "[".repeat(60_000),
        format!(r#"{{"attrs":{}"#, r#"{"a":"#.repeat(10_000)),
    ] {
        let heard = open(&server).call("POST", &target, &token, &body).unwrap();
        assert!(heard.text().contains("5001"), "{}", heard.text());
    }
}

#[test]
fn slow_callers_are_let_go() {
    let server = serve();
    let began = Instant::now();
    let mut slow: Vec<Wire> = (0..40).map(|_| open(&server)).collect();
    for wire in &mut slow {
        wire.write(b"GET /v1/users/search HTTP/1.1\r\nx-a: b\r\n")
            .unwrap();
    }
    let mut body = open(&server);
    body.write(
        format!(
            "POST /v1/products/{AC}/access_token HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n{{"
        )
        .as_bytes(),
    )
    .unwrap();
    // Others are served meanwhile.
    token(&server);
    assert_eq!(body.read().unwrap().status, 408);
    assert!(slow.iter_mut().all(Wire::closed));
    assert!(began.elapsed() < Duration::from_secs(10));
}

#[test]
fn idle_connections_give_way() {
    let mut options = Options::default();
    options.connections = 6;
    let server = Server::start(small(), options).unwrap();
    let began = Instant::now();
    let own = "host: 127.0.0.1\r\nreferer: http://127.0.0.1/\r\n";
    let mut all: Vec<Wire> = (0..6).map(|_| open(&server)).collect();
    let [silent, head, body, called, events, last] = &mut all[..] else {
        unreachable!()
    };
    head.write(b"GET /v1/users/search HTTP/1.1\r\nx-a: b\r\n")
        .unwrap();
    body.write(b"POST /v1/users/search HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n{")
        .unwrap();
    // A call that goes on is no idle connection, and one that called is the last to be let go.
    events
        .write(format!("GET /page/events/{AC}/{DID} HTTP/1.1\r\n{own}\r\n").as_bytes())
        .unwrap();
    assert_eq!(events.read().unwrap().status, 200);
    assert_eq!(called.call("GET", "/", "", "").unwrap().status, 200);
    let mut others = Vec::new();
    for wire in [silent, head, body, last] {
        let mut other = open(&server);
        assert_eq!(other.call("GET", "/", "", "").unwrap().status, 200);
        assert!(wire.closed());
        others.push(other);
    }
    assert_eq!(called.call("GET", "/", "", "").unwrap().status, 200);
    // Each of many is answered, however many went before.
    for _ in 0..100 {
        others.push(open(&server));
    }
    let mut other = open(&server);
    assert_eq!(other.call("GET", "/", "", "").unwrap().status, 200);
    server
        .simulator()
        .act(
            DID,
            &gizwits_simulator::Act::Offline("tcp_closed".to_owned()),
        )
        .unwrap();
    while !events.line().unwrap().contains("dev_offline") {}
    assert!(began.elapsed() < Duration::from_secs(20));
}

/// A connection for which there is no room waits, and is told so in the end. Each has the same time to wait. Later ones
/// are served.
#[test]
fn busy_connections_do_not_give_way() {
    let mut options = Options::default();
    options.connections = 2;
    options.io_timeout = Duration::from_millis(300);
    let io_timeout = options.io_timeout;
    let server = Server::start(small(), options).unwrap();
    // The calls are busy until their connections are closed below.
    let slow = gizwits_simulator::Mode::Slow { millis: 600_000 };
    server.simulator().set_mode("*", &slow, Some(2)).unwrap();
    let call = b"GET /v1/users/search HTTP/1.1\r\nhost: x\r\n\r\n";
    let busy = [(); 2].map(|()| {
        let mut wire = open(&server);
        wire.write(call).unwrap();
        wire
    });
    // Both calls have begun once their modes are used up.
    let began = Instant::now();
    while !server.simulator().modes().unwrap().is_empty() {
        assert!(began.elapsed() < Duration::from_secs(60));
        std::thread::yield_now();
    }
    for _ in 0..3 {
        let began = Instant::now();
        let mut other = open(&server);
        other.write(call).unwrap();
        let heard = other.read().unwrap();
        assert_eq!(
            (heard.status, heard.header("retry-after")),
            (503, Some("1"))
        );
        assert!(heard.text().contains("busy"), "{}", heard.text());
        assert!(began.elapsed() >= io_timeout);
        assert!(other.closed());
    }
    drop(busy);
    // The server may take longer than this time to notice that the connections are closed.
    let began = Instant::now();
    while open(&server).call("GET", "/", "", "").unwrap().status != 200 {
        assert!(began.elapsed() < Duration::from_secs(60));
    }
}

#[test]
fn modes_without_end() {
    let simulator = small();
    let mode = gizwits_simulator::Mode::EmptyBody;
    for _ in 0..1000 {
        simulator.set_mode("*", &mode, None).unwrap();
    }
    let error = simulator.set_mode("*", &mode, None).unwrap_err();
    assert!(error.to_string().contains("clear some first"), "{error}");
    simulator.clear_modes(None).unwrap();
    assert!(simulator.set_mode("*", &mode, None).is_ok());
}

#[test]
fn callers_who_never_read_are_let_go() {
    let server = serve();
    let token = token(&server);
    let target = format!("/v1/products/{AC}/datapoint");
    let call = format!("GET {target} HTTP/1.1\r\nhost: x\r\nauthorization: token {token}\r\n\r\n");
    let mut wire = open(&server);
    wire.timeout(Duration::from_millis(300));
    let began = Instant::now();
    // Until nothing more is taken, and then until the connection is gone.
    loop {
        match wire.write(call.repeat(50).as_bytes()) {
            Err(error)
                if !matches!(
                    error.kind(),
                    std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
                ) =>
            {
                break;
            }
            _ => assert!(began.elapsed() < Duration::from_secs(60)),
        }
    }
    assert_eq!(
        open(&server)
            .call("GET", &target, &token, "")
            .unwrap()
            .status,
        200
    );
}

#[test]
fn it_starts_within_a_runtime() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(async {
        let server = serve();
        token(&server);
    });
}

#[test]
fn heads_that_are_no_heads() {
    let server = serve();
    let token = token(&server);
    let long = format!("GET /{} HTTP/1.1\r\nhost: x\r\n\r\n", "a".repeat(200_000));
    let many = format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(5000));
    let smuggled = "POST /v1/users/search HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n";
    for bytes in [
        &b"\x00\x01\x02\r\n\r\n"[..],
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /\r\nhost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nbad header\r\n\r\n",
        b"GET / HTTP/1.1\r\ncontent-length: -1\r\n\r\n",
        b"GET / HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
        long.as_bytes(),
        many.as_bytes(),
    ] {
        let mut wire = open(&server);
        let _ = wire.write(bytes);
        if let Ok(heard) = wire.read() {
            assert!(
                matches!(heard.status, 400 | 414 | 431 | 505),
                "{}",
                heard.head
            );
        }
    }
    let mut wire = open(&server);
    wire.write(smuggled.as_bytes()).unwrap();
    let first = wire.read().map_or(400, |heard| heard.status);
    assert!(matches!(first, 400 | 405), "{first}");
    // Bytes that are no text in a header are no token, and no panic.
    let mut wire = open(&server);
    let head =
        format!("GET /v1/products/{AC}/device_groups HTTP/1.1\r\nhost: x\r\nauthorization: token ");
    wire.write(&[head.as_bytes(), b"\xff\xfe\x80\r\n\r\n"].concat())
        .unwrap();
    assert!(wire.read().unwrap().text().contains("5009"));
    // And all is well still.
    let heard = open(&server)
        .call(
            "GET",
            &format!("/v1/products/{AC}/device_groups"),
            &token,
            "",
        )
        .unwrap();
    assert_eq!((heard.status, heard.text()), (200, "{}"));
}

const TRICKS: &[&str] = &[
    "'; DROP TABLE device; --",
    "\" OR 1=1 --",
    "' UNION SELECT value FROM token --",
    "<script>alert(1)</script>",
    "%00\u{0}\r\nset-cookie: a=b",
    "../../etc/passwd",
    "{{7*7}}${7*7}",
    "\u{202e}\u{feff}\u{1f600}",
    "%s%n%x",
];

#[test]
fn tricks_in_every_field() {
    let server = serve();
    let token = token(&server);
    let simulator = server.simulator();
    let before = simulator.credentials().unwrap();
    let mut wire = open(&server);
    let percent = |text: &str| {
        text.bytes()
            .map(|byte| format!("%{byte:02x}"))
            .collect::<String>()
    };
    let mut calls = 0;
    for (number, trick) in TRICKS.iter().enumerate() {
        let quoted = percent(trick);
        let mut targets = Vec::new();
        for route in gizwits_simulator::ROUTES {
            for path in route.paths {
                for name in ["{product_key}", "{did}", "{gid}"] {
                    let filled = path.replace(name, &quoted);
                    let filled = filled
                        .replace("{product_key}", AC)
                        .replace("{did}", DID)
                        .replace("{gid}", "g");
                    targets.push((route.method, filled));
                }
            }
            let plain = route.paths[0]
                .replace("{product_key}", AC)
                .replace("{did}", DID)
                .replace("{gid}", "g");
            let fields = [
                "mac",
                "gid",
                "type",
                "val",
                "country",
                "start",
                "end",
                "cycle",
                "limit",
                "skip",
                "sort",
                "start_ts",
                "product_key",
                "product_secret",
                "appid",
                "start_date",
                "username",
                &quoted,
            ];
            // A third of them for each, another third for the next.
            for field in fields.into_iter().skip(number % 3).step_by(3) {
                targets.push((route.method, format!("{plain}?{field}={quoted}&type=mac")));
            }
        }
        let body = json!({
            "enterprise_id": trick, "enterprise_secret": trick, "product_secret": trick, "uid": trick, "appid": trick,
            "dids": [trick], "action": trick, "macs": [trick], "parent_gid": trick, "attrs": {*trick: trick},
            "binary_coding": trick,
        });
        for (method, target) in targets {
            let call = format!(
                "{method} {target} HTTP/1.1\r\nhost: x\r\nauthorization: token {token}\r\n\
                 x-gizwits-enterprise-id: {ENTERPRISE}\r\nx-gizwits-enterprise-secret: {SECRET}\r\n\
                 content-length: {}\r\n\r\n{body}",
                body.to_string().len()
            );
            wire.write(call.as_bytes()).unwrap();
            let heard = wire.read().unwrap();
            calls += 1;
            assert!(
                heard.status < 500,
                "{target}: {} {}",
                heard.status,
                heard.text()
            );
            assert!(heard.header("set-cookie").is_none());
            let text = heard.text();
            match heard.header("content-type") {
                // A page has nothing of the call in it.
                Some("text/html") => {
                    assert!(matches!(heard.status, 404 | 405), "{target}");
                    assert!(text.len() < 200 && !text.contains("alert") && !text.contains("DROP"));
                }
                // What is said back is a JSON string.
                Some("application/json") => {
                    assert_eq!(heard.header("x-content-type-options"), Some("nosniff"));
                    let value: Value = serde_json::from_str(text).unwrap();
                    if heard.status >= 400 {
                        assert!(value["error_code"].as_u64().is_some(), "{text}");
                    }
                    for secret in [SECRET, AC_SECRET, &token, "SELECT", "sqlite"] {
                        assert!(!text.contains(secret) || trick.contains(secret), "{text}");
                    }
                }
                other => panic!("{target}: {other:?}"),
            }
        }
    }
    assert!(calls > 2000, "{calls}");
    // Nothing was done, nothing was lost.
    assert_eq!(simulator.credentials().unwrap(), before);
    assert!(simulator.is_sound().unwrap());
    let heard = wire
        .call(
            "GET",
            &format!("/v1/products/{AC}/devices?mac=virtual%3Asite"),
            &token,
            "",
        )
        .unwrap();
    assert!(heard.text().contains(DID));
}

/// Every body that `/help` shows is accepted, and every mode that it names.
#[test]
fn the_help_of_the_administration() {
    let server = serve();
    let heard = admin(&server, "GET", "/help", Value::Null);
    assert_eq!(heard.status, 200);
    let text = heard.text().to_owned();
    let own = &server.simulator().credentials().unwrap()[0];
    let (mut path, mut count) = (String::new(), 0);
    for line in text.lines() {
        if let Some((_, rest)) = line.split_once(" /") {
            let word = rest.split_whitespace().next().unwrap_or_default();
            path = format!("/{}", word.replace("DID", DID));
        }
        for (at, _) in line.match_indices("{\"") {
            let mut values = serde_json::Deserializer::from_str(&line[at..]).into_iter::<Value>();
            let mut body = values.next().unwrap().unwrap();
            // An object within another one.
            if body.get("set_temp").or(body.get("room_temp")).is_some() {
                continue;
            }
            for (name, value) in [
                ("product_key", &own.product_key),
                ("enterprise_id", &own.enterprise_id),
            ] {
                if body[name].is_string() {
                    body[name] = value.as_str().into();
                }
            }
            if body.get("set_ms").is_some() {
                body["set_ms"] = (server.simulator().now() + 60_000).into();
            }
            if line.contains("curl") {
                path = "/modes".to_owned();
            }
            let heard = admin(&server, "POST", &path, body.clone());
            assert_eq!(heard.status, 200, "{path} {body}: {}", heard.text());
            count += 1;
        }
    }
    assert!(count >= 14, "{count}");
    let (_, modes) = text.split_once("Modes that make calls fail:").unwrap();
    let (modes, _) = modes.split_once("Example:").unwrap();
    let names =
        modes.split(|one: char| !(one.is_ascii_lowercase() || one == '_' || one.is_ascii_digit()));
    let mut names: Vec<&str> = names
        .filter(|name| name.contains('_') || *name == "html502")
        .collect();
    names.extend(["slow", "drop", "error"]);
    for name in &names {
        let body =
            json!({"route": "*", "mode": name, "millis": 1, "index": 0, "code": 5305, "count": 1});
        let fields = body
            .as_object()
            .unwrap()
            .clone()
            .into_iter()
            .filter(|(key, _)| match key.as_str() {
                "millis" => ["slow", "clock_skew"].contains(name),
                "index" => *name == "only_path",
                "code" => *name == "error",
                _ => true,
            });
        let body = Value::Object(fields.collect());
        assert_eq!(
            admin(&server, "POST", "/modes", body.clone()).status,
            200,
            "{body}"
        );
    }
    assert_eq!(names.len(), 18, "all modes are named: {names:?}");
}

/// An address that is in use is named, with what wanted it.
#[test]
fn an_address_in_use() {
    let server = serve();
    let start = |change: fn(&mut Options, std::net::SocketAddr)| {
        let mut options = Options::default();
        change(&mut options, server.address());
        let simulator = Simulator::builder().build().unwrap();
        Server::start(simulator, options).unwrap_err().to_string()
    };
    let address = server.address();
    for (error, service) in [
        (start(|options, taken| options.listen = taken), "the API"),
        (
            start(|options, taken| options.admin_port = taken.port()),
            "the administration",
        ),
    ] {
        let words = format!("can't listen on {address}, the address of {service}: ");
        assert!(error.starts_with(&words), "{error}");
    }
}

#[test]
fn the_administration() {
    let server = serve();
    let token = token(&server);
    let state: Value =
        serde_json::from_str(admin(&server, "GET", "/", Value::Null).text()).unwrap();
    assert_eq!(state["credentials"][0]["product_key"], AC);
    assert_eq!(state["credentials"][0]["dids"][0], DID);
    assert_eq!(state["routes"].as_array().unwrap().len(), 33);
    // The clock.
    let now = server.simulator().now();
    let stepped = admin(&server, "POST", "/clock", json!({"step_ms": 5000}));
    assert_eq!(stepped.text(), json!({"now_ms": now + 5000}).to_string());
    assert_eq!(
        admin(&server, "POST", "/clock", json!({"set_ms": now})).status,
        400
    );
    assert_eq!(
        admin(&server, "POST", "/clock", json!({"step_ms": "x"})).status,
        400
    );
    // Devices and switches.
    let device = format!("/devices/{DID}");
    for (body, status) in [
        (json!({"act": "set", "attrs": {"alert_full": true}}), 200),
        (json!({"act": "set", "attrs": {"alert_ful": true}}), 400),
        (json!({"act": "set", "attrs": {"set_temp": 99}}), 400),
        (json!({"act": "offline", "reason": "ssl_closed"}), 200),
        (json!({"act": "offline", "reason": "bored"}), 400),
        (json!({"act": "online"}), 200),
        (json!({"act": "disable", "on": true}), 200),
        (json!({"act": "explode"}), 400),
    ] {
        assert_eq!(
            admin(&server, "POST", &device, body.clone()).status,
            status,
            "{body}"
        );
    }
    assert_eq!(
        admin(&server, "POST", "/devices/x", json!({"act": "online"})).status,
        400
    );
    let quota = json!({"switch": "quota", "enterprise_id": ENTERPRISE, "calls": 5});
    assert_eq!(admin(&server, "POST", "/switches", quota).status, 200);
    let nobody = json!({"switch": "quota", "enterprise_id": "x", "calls": 5});
    assert_eq!(admin(&server, "POST", "/switches", nobody).status, 400);
    let target = format!("/v1/products/{AC}/devices/report/rt");
    let heard = open(&server).call("GET", &target, &token, "").unwrap();
    assert!(heard.text().contains(r#""alert":1"#));
    assert_eq!(heard.header("x-ratelimit-limit"), Some("5"));
    // Pages in a browser are kept out.
    let address = server
        .admin_url()
        .strip_prefix("http://")
        .unwrap()
        .parse()
        .unwrap();
    let own = server.admin_url();
    let targets = [
        "GET /",
        "GET /modes",
        "GET /none",
        "POST /clock",
        "DELETE /modes",
        "POST /switches",
        &format!("POST {device}"),
        &format!("GET {device}/remarks"),
    ];
    for (head, allowed) in [
        ("host: evil.example", false),
        ("host: 127.0.0.1\r\norigin: http://evil.example", false),
        ("host: localhost.evil.example:80", false),
        ("host: 127.0.0.1\r\nhost: evil.example", false),
        ("x-none: 1", false),
        // A picture, a script or a link of a page elsewhere, or of another server on this machine.
        ("host: 127.0.0.1\r\nsec-fetch-site: cross-site", false),
        ("host: 127.0.0.1\r\nsec-fetch-site: same-site", false),
        ("host: 127.0.0.1\r\nsec-fetch-site: same-origin", false),
        ("host: 127.0.0.1\r\nreferer: http://evil.example/", false),
        ("host: 127.0.0.1\r\nreferer: http://127.0.0.1:1/", false),
        ("host: 127.0.0.1\r\norigin: null", false),
        (&format!("host: 127.0.0.1\r\nreferer: {own}/"), false),
        // Somebody elsewhere, whom a proxy on this machine speaks for.
        ("host: 127.0.0.1\r\nx-forwarded-for: 203.0.113.9", false),
        // curl, Node.js, a typed address, a tunnel.
        ("host: 127.0.0.1\r\nuser-agent: curl/8\r\naccept: */*", true),
        ("host: 127.0.0.1\r\nsec-fetch-mode: cors", true),
        (
            "host: 127.0.0.1\r\nsec-fetch-site: none\r\nsec-fetch-mode: navigate",
            true,
        ),
        ("host: localhost:8080", true),
    ] {
        for target in targets {
            let mut wire = Wire::open(address).unwrap();
            wire.write(format!("{target} HTTP/1.1\r\n{head}\r\n\r\n").as_bytes())
                .unwrap();
            let heard = wire.read().unwrap();
            assert_eq!(heard.status != 403, allowed, "{target} {head}");
            assert_eq!(
                heard.header("cross-origin-resource-policy"),
                Some("same-origin")
            );
            assert!(allowed || !heard.text().contains(SECRET));
        }
    }
    // The API has none of it.
    assert_eq!(
        open(&server)
            .call("POST", "/clock", &token, "{}")
            .unwrap()
            .status,
        404
    );
}

#[test]
fn faults_on_demand_by_the_administration() {
    let server = serve();
    let token = token(&server);
    let route = "get_v1_products_product_key_device_groups";
    let target = format!("/v1/products/{AC}/device_groups");
    let set = |mode: Value| {
        let heard = admin(&server, "POST", "/modes", mode);
        assert_eq!(heard.status, 200, "{}", heard.text());
    };
    set(json!({"route": route, "mode": "html502", "count": 2}));
    let mut wire = open(&server);
    for status in [502, 502, 200] {
        assert_eq!(
            wire.call("GET", &target, &token, "").unwrap().status,
            status
        );
    }
    set(json!({"route": "*", "mode": "slow", "millis": 300, "count": 1}));
    let began = Instant::now();
    assert_eq!(wire.call("GET", &target, &token, "").unwrap().status, 200);
    assert!(began.elapsed() >= Duration::from_millis(300));
    // What is dropped was done.
    let create = "post_v1_products_product_key_device_groups";
    set(json!({"route": create, "mode": "drop", "count": 1}));
    assert!(wire.call("POST", &target, &token, "{}").is_err());
    let mut wire = open(&server);
    assert!(
        wire.call("POST", &target, &token, "{}")
            .unwrap()
            .text()
            .contains("5203")
    );
    set(json!({"route": "*", "mode": "error", "code": 5601}));
    assert!(
        wire.call("GET", &target, &token, "")
            .unwrap()
            .text()
            .contains("kairosdb")
    );
    let modes: Value =
        serde_json::from_str(admin(&server, "GET", "/modes", Value::Null).text()).unwrap();
    assert_eq!(
        modes,
        json!([{"id": modes[0]["id"], "route": "*", "mode": "error", "code": 5601, "count": null}])
    );
    let one = format!("/modes/{}", modes[0]["id"]);
    assert_eq!(admin(&server, "DELETE", &one, Value::Null).status, 200);
    assert_eq!(admin(&server, "DELETE", &one, Value::Null).status, 400);
    assert_eq!(
        admin(&server, "DELETE", "/modes/x", Value::Null).status,
        400
    );
    assert_eq!(admin(&server, "DELETE", "/modes", Value::Null).status, 200);
    for wrong in [
        json!({"mode": "drop"}),
        json!({"route": "x", "mode": "drop"}),
        json!({"route": "*", "mode": "x"}),
        json!({"route": "*", "mode": "slow"}),
        json!({"route": "*", "mode": "drop", "count": 0}),
        json!({"route": "*", "mode": "drop", "count": -1}),
        json!({"route": "*", "mode": "error", "code": 1}),
    ] {
        assert_eq!(
            admin(&server, "POST", "/modes", wrong.clone()).status,
            400,
            "{wrong}"
        );
    }
    assert_eq!(wire.call("GET", &target, &token, "").unwrap().status, 200);
}

#[test]
fn modes_change_answers() {
    let simulator = small();
    let client = ac(&simulator);
    let search = "get_v1_products_product_key_devices_search";
    let once = |route: &str, mode: Mode| {
        simulator.set_mode(route, &mode, Some(1)).unwrap();
    };
    once(search, Mode::BoolAsInt);
    let first = client.get("devices/search")["objects"][0].clone();
    assert_eq!(
        (&first["is_online"], &first["is_faulty"]),
        (&json!(1), &json!(0))
    );
    once(search, Mode::PlaceAsText);
    assert_eq!(
        client.get("devices/search")["objects"][0]["longitude"],
        "113.280637"
    );
    once(search, Mode::SkipIgnored);
    let page = client.get("devices/search?skip=1&limit=1");
    assert_eq!(
        (&page["meta"]["skip"], &page["objects"][0]["did"]),
        (&json!(0), &json!(DID))
    );
    once(search, Mode::ForeignNext);
    let next = client.get("devices/search?limit=1&is_online=1")["meta"]["next"].clone();
    assert_eq!(
        next,
        format!(
            "http://elsewhere.invalid/v1/products/{AC}/devices/search?is_online=1&skip=1&limit=1"
        )
    );
    once(search, Mode::CodeAsText);
    let answer = client.call("GET", "devices/search?limit=x", "");
    assert_eq!(json(&answer)["error_code"], "5002");
    assert_eq!(
        json(&answer)["detail"],
        "limit: expected a whole number, got `x`"
    );
    once(search, Mode::NoRateHeaders);
    let answer = client.call("GET", "devices/search", "");
    assert!(
        answer
            .headers
            .iter()
            .all(|(name, _)| !name.starts_with("x-ratelimit"))
    );
    once(
        "get_v1_products_product_key_devices_did_cmd",
        Mode::Base64Payloads,
    );
    let frame = client.get(&format!("devices/{DID}/cmd"))["objects"][0]["payload"].clone();
    assert!(frame.as_str().unwrap().starts_with("AAAAAw"), "{frame}");
    // The clock of the server is an hour ahead.
    let token = "post_v1_products_product_key_access_token";
    let fetch = || client.send("POST", "access_token", &credentials(AC_SECRET));
    let sound = fetch()["expire_at"].as_i64().unwrap();
    once(token, Mode::ClockSkew { millis: HOUR });
    assert_eq!(fetch()["expire_at"], sound + 3600);
    once(search, Mode::ClockSkew { millis: HOUR });
    let answer = client.call("GET", "devices/search", "");
    let reset: i64 = answer.header("x-ratelimit-reset").unwrap().parse().unwrap();
    assert_eq!(reset, (simulator.now() / HOUR + 2) * 3600);
    assert_eq!(answer.header("date"), Some("Sun, 31 Dec 2017 05:00:02 GMT"));
    once(token, Mode::ExpiredAt);
    let answer = fetch();
    assert!(answer.get("expired_at").is_some() && answer.get("expire_at").is_none());
    once(token, Mode::BothExpire);
    let answer = fetch();
    assert_eq!(answer["expired_at"], answer["expire_at"]);
    once("get_v1_products_product_key_summary", Mode::EmptyBody);
    assert_eq!(client.call("GET", "devices/summary", "").text(), "");
    // Only one of two paths is there.
    simulator
        .set_mode(
            "get_v1_products_product_key_summary",
            &Mode::OnlyPath { index: 1 },
            None,
        )
        .unwrap();
    assert_eq!(
        client
            .call("GET", "devices/summary", "")
            .header("content-type"),
        Some("text/html")
    );
    assert_eq!(client.call("GET", "summary", "").status, 200);
    // The token is no more.
    once(search, Mode::TokenRevoked);
    assert_eq!(client.refused("GET", "devices/search", ""), 5009);
    assert_eq!(client.refused("GET", "devices/search", ""), 5009);
}
