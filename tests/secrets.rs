//! No secret is on any surface: every secret that the project takes or returns is planted, client, simulator and command
//! line are run over good and failing calls, and all that they log, print, store and show is searched.
//!
//! | surface | of |
//! | --- | --- |
//! | events and spans of `tracing`, records of `log`, at the level trace | client, simulator, their libraries |
//! | errors and their sources: text and `Debug` | client, simulator |
//! | `Debug` of everything that holds a secret | client, simulator, codec |
//! | URLs of requests, `curl` commands | client, command line |
//! | arguments of all processes that a command is or starts, while a call runs | command line |
//! | standard output and standard error | command line |
//! | content, names and modes of the files in the cache | command line |

#[path = "secrets/echo.rs"]
mod echo;
#[path = "secrets/planted.rs"]
mod planted;
#[path = "secrets/records.rs"]
mod records;

use std::fmt::Debug;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use gizwits_codec_core::m2m::{Message, Secret};
use gizwits_codec_core::uart::DeviceInfo;
use gizwits_enterprise_client::blocking::{Blocking, Enterprise, Product};
use gizwits_enterprise_client::client::Builder;
use gizwits_enterprise_client::endpoint::{self, Auth};
use gizwits_enterprise_client::http::{Request, Response, ResponseFuture, Transport};
use gizwits_enterprise_client::{Date, FileStore, Method, RetryPolicy, Timestamp, Token, TokenKey};
use gizwits_simulator::{Scenario, Simulator};
use gizwits_tests::program::{CacheFolder, Folder};
use serde_json::json;

use crate::echo::{MODES, Mode, descendants};
use crate::planted::{
    ENTERPRISE_SECRET, MODULE_SECRET, PASSCODE, PLANTED, PROBE, PRODUCT_SECRET, PROXY_PASSWORD,
    Surfaces, TOKEN, URL_PASSWORD, WIFI_PASSWORD, forms, found,
};

const GIZWITS: &str = env!("CARGO_BIN_EXE_gizwits");
const KEY: &str = "3f1c5b7a9d2e4860b1a3c5d7e9f00112";

/// Adds both `Debug` forms.
fn add_debug(surfaces: &Surfaces, surface: &str, value: &dyn Debug) {
    surfaces.add(surface, format!("{value:?}\n{value:#?}"));
}

fn builder(address: &str) -> Builder<Blocking> {
    Enterprise::builder()
        .id("enterprise")
        .secret(ENTERPRISE_SECRET)
        .base_url(format!("http://{address}"))
        .retry(RetryPolicy::NONE)
        .timeout(Duration::from_secs(20))
}

/// Adds what a call shows before and after it is sent.
macro_rules! send {
    ($surfaces:expr, $call:expr) => {{
        let call = $call;
        add_debug($surfaces, "Debug of a call", &call);
        match call.curl() {
            Ok(curl) => $surfaces.add("curl command", curl),
            Err(error) => $surfaces.add_error("error of the client", &error),
        }
        let result = call.send();
        if let Err(error) = &result {
            $surfaces.add_error("error of the client", error);
        }
        result
    }};
}

/// Sends calls of all kinds of credentials, bodies and answers.
fn call_all(surfaces: &Surfaces, product: &Product) {
    add_debug(surfaces, "Debug of a product", product);
    add_debug(surfaces, "Debug of an enterprise", product.enterprise());
    if let Ok(token) = send!(surfaces, product.access_token()) {
        add_debug(surfaces, "Debug of an answer", &token);
    }
    if let Ok(identity) = send!(surfaces, product.devices().by_mac("m")) {
        add_debug(surfaces, "Debug of an answer", &identity);
    }
    let day = Date::new(2023, 12, 31).unwrap();
    let liveness = product.user_reports().liveness(day, day);
    let _ = send!(surfaces, liveness.with_product_secret());
    let device = product.device("D");
    let _ = send!(surfaces, device.control(json!({"switch": true})));
    let _ = send!(surfaces, device.control_raw([1, 1, 1, 0, 0, 16]));
    for record in device.cmd_log().undecoded().iter().take(2) {
        match record {
            Ok(record) => add_debug(surfaces, "Debug of an answer", &record),
            Err(error) => surfaces.add_error("error of the client", &error),
        }
    }
    for device in product.devices().search().iter().take(2) {
        match device {
            Ok(device) => add_debug(surfaces, "Debug of an answer", &device),
            Err(error) => surfaces.add_error("error of the client", &error),
        }
    }
    for endpoint in endpoint::ALL {
        let call = product.endpoint(*endpoint);
        let call = call.within("did", "D").within("gid", "g");
        let call = match endpoint.auth {
            Auth::Enterprise => call.parameter("product_key", KEY),
            _ => call,
        };
        let _ = send!(surfaces, call);
    }
    // Links as a server may return them.
    for link in [
        format!("http://other.example.com/{PRODUCT_SECRET}?token={TOKEN}"),
        format!("{PRODUCT_SECRET}/x"),
        format!("/v1/x#{TOKEN}"),
    ] {
        if let Err(error) = product.request(Method::GET, link).send() {
            surfaces.add_error("error of the client", &error);
        }
    }
}

/// The requests and answers in their `Debug` forms.
struct Shown(Arc<Surfaces>);

impl Transport for Shown {
    fn send(&self, request: Request) -> ResponseFuture<'_> {
        add_debug(&self.0, "Debug of a request", &request);
        let body = json!({"token": TOKEN, "expire_at": 4_000_000_000_u32, "passcode": PASSCODE});
        let answer = Response::new(
            200,
            [("set-cookie".to_owned(), TOKEN.to_owned())],
            body.to_string(),
        );
        add_debug(&self.0, "Debug of an HTTP answer", &answer);
        Box::pin(async move { Ok(answer) })
    }
}

#[test]
fn the_client_shows_no_secret() {
    let surfaces = Arc::new(Surfaces::default());
    records::capture();
    std::thread::scope(|scope| {
        for mode in MODES {
            let surfaces = &surfaces;
            scope.spawn(move || {
                let address = echo::start(mode, surfaces);
                let builder = builder(&address);
                add_debug(surfaces, "Debug of a builder", &builder);
                call_all(
                    surfaces,
                    &builder.build().unwrap().product(KEY, PRODUCT_SECRET),
                );
            });
        }
    });
    let shown = builder("127.0.0.1:9").transport(Shown(Arc::clone(&surfaces)));
    call_all(
        &surfaces,
        &shown.build().unwrap().product(KEY, PRODUCT_SECRET),
    );
    // Nobody listens there.
    let nobody = builder("127.0.0.1:9").build().unwrap();
    call_all(&surfaces, &nobody.product(KEY, PRODUCT_SECRET));

    for url in [
        format!("http://user:{URL_PASSWORD}@127.0.0.1:9"),
        format!("http://user:{URL_PASSWORD}@:port"),
        format!("http://127.0.0.1:9/?key={URL_PASSWORD}"),
        format!("//{URL_PASSWORD}"),
    ] {
        let builder = builder("x").base_url(url);
        add_debug(&surfaces, "Debug of a builder", &builder);
        surfaces.add_error("error of the client", &builder.build().unwrap_err());
    }

    let folder = Folder::new("secrets-tokens");
    let store = FileStore::new(folder.write("tokens.json", format!("{{\"{TOKEN}\": 5}}")));
    let key = TokenKey::new("enterprise", KEY);
    let token = Token::new(TOKEN, Timestamp::from_seconds(4_000_000_000));
    add_debug(&surfaces, "Debug of a token", &(&store, &key, &token));
    let account = builder("127.0.0.1:9").token_store(store);
    call_all(
        &surfaces,
        &account.build().unwrap().product(KEY, PRODUCT_SECRET),
    );

    for (surface, least) in [
        ("Debug of a call", 30),
        ("Debug of an answer", 3),
        ("Debug of a request", 20),
        ("curl command", 30),
        ("URL", 30),
        ("error of the client", 100),
    ] {
        let count = surfaces.count(surface);
        assert!(count >= least, "{count} texts of {surface}");
    }
    let records = records::captured();
    assert!(records.len() > 10_000, "{} bytes of records", records.len());
    for source in ["reqwest", "gizwits_enterprise_client"] {
        let is_there = found_text(&records, source);
        assert!(is_there, "no record is from {source}");
    }
    surfaces.add("tracing and log", records);
    surfaces.check();
}

fn found_text(text: &[u8], part: &str) -> bool {
    text.windows(part.len())
        .any(|window| window == part.as_bytes())
}

#[test]
fn the_simulator_shows_no_secret() {
    let surfaces = Surfaces::default();
    let text = format!(
        "[[enterprise]]\nid = \"e\"\nsecret = \"{ENTERPRISE_SECRET}\"\n\
         [[product]]\nkey = \"{KEY}\"\nsecret = \"{PRODUCT_SECRET}\"\ndefinition = \"air-conditioner\"\n\
         [[device]]\nproduct = \"{KEY}\"\nmac = \"m\"\ndid = \"D\"\npasscode = \"{PASSCODE}\"\n"
    );
    let scenario = Scenario::from_toml(&text, None).unwrap();
    add_debug(&surfaces, "Debug of a scenario", &scenario);
    let builder = Simulator::builder().scenario(scenario);
    add_debug(&surfaces, "Debug of a builder", &builder);
    let simulator = builder.build().unwrap();
    add_debug(&surfaces, "Debug of a simulator", &simulator);
    let credentials = simulator.credentials().unwrap();
    assert_eq!(credentials[0].product_secret, PRODUCT_SECRET);
    add_debug(&surfaces, "Debug of credentials", &credentials);

    let sent = |method: &str, path: &str, body: serde_json::Value| {
        let target = format!("/v1/products/{KEY}/{path}");
        let request = gizwits_simulator::Request::new(method, target)
            .token(TOKEN)
            .header("x-gizwits-enterprise-secret", ENTERPRISE_SECRET)
            .body(body.to_string());
        add_debug(&surfaces, "Debug of a request", &request);
        let answer = simulator.answer(&request);
        add_debug(&surfaces, "Debug of an answer", &answer);
        answer
    };
    let account = |id: &str, enterprise: &str, product: &str| json!({"enterprise_id": id, "enterprise_secret": enterprise, "product_secret": product});
    // Answers with the wrong credentials do not repeat the right ones, and not those that were sent.
    for body in [
        account("x", ENTERPRISE_SECRET, PRODUCT_SECRET),
        account("e", PRODUCT_SECRET, PRODUCT_SECRET),
        account("e", ENTERPRISE_SECRET, ENTERPRISE_SECRET),
        json!({"enterprise_secret": [ENTERPRISE_SECRET], "product_secret": {PRODUCT_SECRET: TOKEN}}),
        json!([PASSCODE, TOKEN]),
    ] {
        let answer = sent("POST", "access_token", body);
        assert!(answer.status >= 400);
        surfaces.add("refusal of the simulator", answer.body);
    }
    let answer = sent(
        "GET",
        &format!("devices?mac={PASSCODE}&token={TOKEN}"),
        json!({}),
    );
    assert!(answer.status >= 400);
    surfaces.add("refusal of the simulator", answer.body);
    let token = sent(
        "POST",
        "access_token",
        account("e", ENTERPRISE_SECRET, PRODUCT_SECRET),
    );
    assert_eq!(token.status, 201);
    let issued: serde_json::Value = serde_json::from_slice(&token.body).unwrap();
    let issued = issued["token"].as_str().unwrap();
    // The token that the simulator issues is random, so that it is searched separately.
    assert!(!format!("{token:?}{:?}", sent("GET", "datapoint", json!({}))).contains(issued));

    // Broken scenarios: no line and no value is shown.
    for (right, broken) in [
        (
            format!("\"{ENTERPRISE_SECRET}\""),
            format!("\"{ENTERPRISE_SECRET}"),
        ),
        (
            format!("secret = \"{ENTERPRISE_SECRET}\""),
            format!("secrets = \"{ENTERPRISE_SECRET}\""),
        ),
        (
            format!("secret = \"{PRODUCT_SECRET}\""),
            format!("secret = [\"{PRODUCT_SECRET}\"]"),
        ),
        (
            format!("secret = \"{PRODUCT_SECRET}\""),
            format!("secret \"{PRODUCT_SECRET}\""),
        ),
        (
            format!("secret = \"{PRODUCT_SECRET}\""),
            format!("password = \"{PRODUCT_SECRET}\""),
        ),
        (
            format!("secret = \"{PRODUCT_SECRET}\""),
            format!("secret = \"\"\"\n{PRODUCT_SECRET}\\q\n\"\"\""),
        ),
        (
            format!("secret = \"{PRODUCT_SECRET}\""),
            format!("secret = [\n\"{PRODUCT_SECRET}\",\n"),
        ),
        (
            format!("passcode = \"{PASSCODE}\""),
            format!("passcode = {PASSCODE}"),
        ),
        (
            format!("passcode = \"{PASSCODE}\""),
            format!("passcode = {{ text = \"{PASSCODE}\" }}"),
        ),
    ] {
        assert!(text.contains(&right));
        let error = Scenario::from_toml(&text.replace(&right, &broken), None).unwrap_err();
        assert!(error.to_string().contains("line "), "{error}");
        surfaces.add_error("error of the simulator", &error);
    }
    surfaces.check();
}

#[test]
fn the_codec_shows_no_secret() {
    let surfaces = Surfaces::default();
    let info = DeviceInfo::new(&[b'k'; 32]).secret(MODULE_SECRET.as_bytes().try_into().unwrap());
    add_debug(&surfaces, "Debug of a device info", &info);
    add_debug(
        &surfaces,
        "Debug of a device info",
        &DeviceInfo::parse(info.bytes()),
    );
    let mut buffer = [0; 128];
    let link: gizwits_codec_core::link::Link<
        '_,
        gizwits_tests::generated::air_conditioner::Product,
    > = gizwits_codec_core::link::Link::new(&info, &mut buffer);
    add_debug(&surfaces, "Debug of a link", &link);
    let passcode = Secret(PASSCODE.as_bytes());
    let onboarding = Message::Onboarding {
        ssid: b"net",
        password: Secret(WIFI_PASSWORD.as_bytes()),
    };
    for message in [
        Message::Passcode(passcode),
        Message::Login(passcode),
        onboarding,
    ] {
        add_debug(&surfaces, "Debug of a message", &message);
    }
    surfaces.check();
}

/// The environment of a person with an account behind a proxy with a password.
fn environment(address: &str, cache: &CacheFolder) -> Vec<(String, String)> {
    let proxy = format!("http://user:{PROXY_PASSWORD}@{address}");
    let mut variables = vec![
        cache.variable(),
        // Not a host of this machine, so that the proxy is used, which answers.
        (
            "GIZWITS_BASE_URL".to_owned(),
            "http://cloud.example.com".to_owned(),
        ),
        (
            "GIZWITS_CONFIG".to_owned(),
            "/no/such/config.toml".to_owned(),
        ),
        ("RUST_LOG".to_owned(), "trace".to_owned()),
        ("RUST_BACKTRACE".to_owned(), "full".to_owned()),
        ("NO_PROXY".to_owned(), String::new()),
        ("no_proxy".to_owned(), String::new()),
    ];
    for (name, value) in [
        ("ENTERPRISE_ID", "enterprise"),
        ("ENTERPRISE_SECRET", ENTERPRISE_SECRET),
        ("PRODUCT_KEY", KEY),
        ("PRODUCT_SECRET", PRODUCT_SECRET),
    ] {
        variables.push((format!("GIZWITS_{name}"), value.to_owned()));
    }
    for name in [
        "HTTP_PROXY",
        "http_proxy",
        "HTTPS_PROXY",
        "https_proxy",
        "ALL_PROXY",
    ] {
        variables.push((name.to_owned(), proxy.clone()));
    }
    variables
}

/// The commands, and the secrets that they are made to print, or that the server puts into the objects that they print.
const COMMANDS: [(&str, &[&str]); 13] = [
    ("device list", &["passcode"]),
    ("device show D --json", &["passcode"]),
    ("device control D switch=on", &[]),
    ("device control D switch=on --curl", &[]),
    ("device log D", &[]),
    ("device data D --no-cache", &[]),
    ("api product token", &["token"]),
    ("api product token --curl", &[]),
    ("api devices by-mac --mac m", &["passcode"]),
    ("api devices search --all", &["passcode"]),
    ("api user-reports total", &["token"]),
    ("api user-reports locations --curl", &[]),
    ("api call GET /v1/x?limit=1 --curl", &[]),
];

/// Runs every command, and adds what they print and store.
fn run_all(surfaces: &Surfaces, mode: Mode, variables: &[(String, String)]) {
    for (line, printed) in COMMANDS {
        let command = Command::new(GIZWITS)
            .args(line.split(' '))
            .env_remove("REQUEST_METHOD")
            .envs(variables.iter().cloned())
            .output()
            .unwrap();
        let surface = format!("{line}, {mode:?}");
        if mode == Mode::Good {
            let stderr = String::from_utf8_lossy(&command.stderr);
            assert!(command.status.success(), "{surface}: {stderr}");
        }
        // An answer that is JSON is printed as it came, and this one repeats the whole request.
        let is_answer = line.starts_with("api ") && !line.ends_with("--curl");
        if !is_answer || mode != Mode::OtherTypes {
            let leaks = found(&command.stdout, printed);
            let stdout = String::from_utf8_lossy(&command.stdout);
            assert!(leaks.is_empty(), "{surface} prints {leaks:?}: {stdout}");
        }
        surfaces.add(format!("standard error of {surface}"), command.stderr);
    }
}

#[test]
fn the_command_line_shows_no_secret() {
    let surfaces = Arc::new(Surfaces::default());
    std::thread::scope(|scope| {
        for mode in MODES {
            let surfaces = &surfaces;
            scope.spawn(move || {
                let (address, cache) = (echo::start(mode, surfaces), CacheFolder::new());
                run_all(surfaces, mode, &environment(&address, &cache));
                let has_token = !matches!(mode, Mode::NoToken | Mode::Cut);
                let tokens = check_cache(surfaces, &cache.0);
                assert_eq!(tokens, usize::from(has_token), "{mode:?}");
            });
        }
    });
    // Mistakes in the settings.
    let cache = CacheFolder::new();
    for (name, value) in [
        (
            "GIZWITS_BASE_URL",
            format!("http://user:{URL_PASSWORD}@127.0.0.1:9"),
        ),
        ("GIZWITS_BASE_URL", format!("http://user:{URL_PASSWORD}@:x")),
        (
            "GIZWITS_ENTERPRISE_SECRET",
            format!("{ENTERPRISE_SECRET}\n"),
        ),
        ("GIZWITS_ENTERPRISE_ID", String::new()),
    ] {
        let mut variables = environment("127.0.0.1:9", &cache);
        variables.push((name.to_owned(), value));
        let command = Command::new(GIZWITS)
            .args(["device", "list"])
            .envs(variables)
            .output()
            .unwrap();
        assert!(!command.status.success(), "{name}");
        surfaces.add("standard output of a mistake", command.stdout);
        surfaces.add("standard error of a mistake", command.stderr);
    }
    check_cache(&surfaces, &cache.0);
    for (surface, least) in [
        ("standard error", 130),
        ("URL", 5),
        // The commands that send a request each time.
        ("arguments", 9),
        ("name of a file", 8),
    ] {
        let count = surfaces.count(surface);
        assert!(count >= least, "{count} texts of {surface}");
    }
    surfaces.check();
}

/// Adds the names and the content of the files of a cache, and checks their modes. Only `tokens.json` has a secret, the
/// token. Returns the number of these files with a token.
fn check_cache(surfaces: &Surfaces, folder: &Path) -> usize {
    let mut tokens = 0;
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        surfaces.add("name of a file", path.to_str().unwrap());
        if path.is_dir() {
            tokens += check_cache(surfaces, &path);
            continue;
        }
        let text = std::fs::read(&path).unwrap();
        if path.ends_with("tokens.json") {
            assert!(found(&text, &["token"]).is_empty(), "{}", path.display());
            tokens += found(&text, &[]).len();
            #[cfg(unix)]
            for (path, expected) in [(&*path, 0o600), (path.parent().unwrap(), 0o700)] {
                use std::os::unix::fs::PermissionsExt as _;
                let mode = std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
                assert_eq!(mode, expected, "{}", path.display());
            }
        } else {
            surfaces.add(format!("content of {}", path.display()), text);
        }
    }
    tokens
}

/// Each form of each secret is found, on every kind of surface that has no text of its own.
#[test]
fn the_search_finds_what_is_there() {
    for (name, secret) in PLANTED {
        for form in forms(secret) {
            let text = format!("before {form} after");
            assert_eq!(found(text.as_bytes(), &[]), [name]);
            assert!(found(text.as_bytes(), &[name]).is_empty());
        }
        for (other, one) in PLANTED {
            assert!(
                name == other || !one.contains(secret),
                "{name} is in {other}"
            );
        }
        let debug = format!("{:?} {secret:?}", secret.as_bytes());
        assert_eq!(found(debug.as_bytes(), &[]), [name]);
    }
    // `user:password` in base64, as a proxy gets it.
    assert_eq!(
        found(b"Basic dXNlcjpQcm94eUh1c2g1ZDFlOWM=", &[]),
        ["password of the proxy"]
    );

    // The arguments of a process that this process starts.
    if cfg!(target_os = "linux") {
        // A shell that starts a shell. Both have the text as an argument.
        let script = "sh -c 'echo; read line; true' \"$0\"; true";
        let mut child = Command::new("sh")
            .args(["-c", script, PROBE])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        out.read_line(&mut line).unwrap();
        let all = descendants();
        let with_probe = all.iter().filter(|one| found_text(one, PROBE));
        let count = with_probe.count();
        drop(child.stdin.take());
        child.wait().unwrap();
        assert_eq!((line.as_str(), count), ("\n", 2));
    }
    records::check();
}
