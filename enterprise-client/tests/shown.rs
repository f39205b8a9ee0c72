//! What people see: commands for a shell, spans, and never a secret.

mod common;

use std::fmt::Write as _;
use std::process::Command;
use std::sync::{Arc, Mutex};

use gizwits_enterprise_client::http::{Failure, FailureKind};
use gizwits_enterprise_client::{Date, Method, Product};
use serde_json::json;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::common::{DID, ESECRET, KEY, PSECRET, Server, TOKEN, answer, product, refusal};

#[test]
fn a_call_is_a_curl_command() {
    let server = Server::answers([answer(200, "{}")]);
    let product = product(&server);
    let day = Date::new(2023, 12, 31).unwrap();
    assert_eq!(
        product.device(DID).control_raw([1, 2]).curl().unwrap(),
        format!(
            "curl -X POST 'https://api.example.com/v1/products/{KEY}/devices/{DID}/control' \
             -H 'accept: application/json' -H 'authorization: token '\"$GIZWITS_TOKEN\"'' \
             -H 'content-type: application/json' --data-binary '{{\"raw\":[1,2]}}'"
        )
    );
    let call = product
        .user_reports()
        .liveness(day, day)
        .with_product_secret();
    assert_eq!(
        call.curl().unwrap(),
        format!(
            "curl -X GET 'https://api.example.com/v1/users/liveness_total?product_key={KEY}\
             &start_date=2023-12-31&end_date=2023-12-31&product_secret='\"$GIZWITS_PRODUCT_SECRET\"'' \
             -H 'accept: application/json' -H 'x-gizwits-enterprise-id: enterprise-1' \
             -H 'x-gizwits-enterprise-secret: '\"$GIZWITS_ENTERPRISE_SECRET\"''"
        )
    );
    let macs = (0..1500).map(|n| n.to_string());
    assert_eq!(
        product
            .group("g")
            .assign(macs)
            .curl()
            .unwrap()
            .lines()
            .count(),
        2
    );
    assert!(product.group("..").macs().curl().is_err());
    assert!(server.requests().is_empty());
}

/// A shell takes the command apart into what was meant.
#[cfg(unix)]
#[test]
fn a_shell_reads_it_as_it_was_meant() {
    let server = Server::answers([answer(200, "{}")]);
    let product = product(&server);
    let nasty = "it's \"$HOME\" `id` \\ $(id) \n…";
    let call = product.request(gizwits_enterprise_client::Method::POST, "/v1/x");
    let commands = [
        (call.json(&json!({"text": nasty})).curl().unwrap(), json!({"text": nasty}).to_string()),
        (
            product.access_token().curl().unwrap(),
            json!({"enterprise_id": "enterprise-1", "enterprise_secret": "E", "product_secret": "P"}).to_string(),
        ),
    ];
    for (command, body) in commands {
        for secret in [ESECRET, PSECRET, TOKEN] {
            assert!(!command.contains(secret), "{command}");
        }
        let script = format!("curl() {{ for last; do :; done; printf %s \"$last\"; }}\n{command}");
        let output = Command::new("sh")
            .args(["-c", &script])
            .envs([
                ("GIZWITS_ENTERPRISE_SECRET", "E"),
                ("GIZWITS_PRODUCT_SECRET", "P"),
                ("GIZWITS_TOKEN", "T"),
            ])
            .output()
            .unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), body);
    }
}

/// Writes down everything that is traced.
#[derive(Clone, Default)]
struct Trace(Arc<Mutex<String>>);

struct Fields<'t>(&'t mut String);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        let _ = write!(self.0, " {}={value:?}", field.name());
    }
}

impl Subscriber for Trace {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut text = self.0.lock().unwrap();
        let _ = write!(text, "\nspan {}", span.metadata().name());
        span.record(&mut Fields(&mut text));
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        values.record(&mut Fields(&mut self.0.lock().unwrap()));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut text = self.0.lock().unwrap();
        text.push_str("\nevent");
        event.record(&mut Fields(&mut text));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[test]
fn a_request_is_a_span_without_secrets() {
    let trace = Trace::default();
    let server = Server::answers([answer(502, ESECRET), refusal(5305)]);
    let run = async {
        let product = product(&server);
        let day = Date::new(2023, 12, 31).unwrap();
        let call = product
            .user_reports()
            .liveness(day, day)
            .with_product_secret();
        call.send().await.unwrap_err();
        product
            .device(DID)
            .control_raw([1])
            .send()
            .await
            .unwrap_err();
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    tracing::subscriber::with_default(trace.clone(), || runtime.block_on(run));
    let text = trace.0.lock().unwrap().clone();
    for secret in [ESECRET, PSECRET, TOKEN] {
        assert!(!text.contains(secret), "{text}");
    }
    for expected in [
        r#"otel.name="GET /v1/users/liveness_total" otel.kind="client""#,
        r#"http.request.method="GET" http.request.resend_count=0"#,
        "http.request.resend_count=1",
        r#"server.address="api.example.com" server.port=443 url.scheme="https""#,
        r#"url.template="/v1/products/{product_key}/devices/{did}/control""#,
        r#"url.full="https://api.example.com/v1/users/liveness_total?REDACTED""#,
        "http.response.status_code=502 otel.status_code=\"ERROR\" error.type=502",
        "http.response.status_code=201",
        "http.response.status_code=400",
        "gizwits.error_code=5305",
    ] {
        assert!(text.contains(expected), "{expected} is not in {text}");
    }
}

/// The spans of a call, without the token's.
fn spans(server: Server, call: impl AsyncFnOnce(Product)) -> Vec<String> {
    let trace = Trace::default();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let run = async { call(product(&server)).await };
    tracing::subscriber::with_default(trace.clone(), || runtime.block_on(run));
    let text = trace.0.lock().unwrap().clone();
    let spans = text.lines().filter(|line| line.starts_with("span request"));
    spans
        .filter(|line| !line.contains("access_token"))
        .map(str::to_owned)
        .collect()
}

#[test]
fn a_span_tells_the_path_that_was_sent() {
    let server = Server::new(|request| match request.path() {
        path if path.ends_with("/access_token") => common::token_answer(TOKEN),
        path if path.ends_with("/devices/summary") => answer(404, "<html>"),
        _ => answer(200, "{}"),
    });
    let found = spans(server, async |product: Product| {
        product.device_reports().summary().send().await.unwrap();
        let path = "/v1/products/{product_key}/x?secret=hush";
        product.request(Method::GET, path).send().await.unwrap();
    });
    let paths = ["/devices/summary", "/summary", "/x"];
    assert_eq!(found.len(), paths.len());
    for (span, path) in found.iter().zip(paths) {
        let template = format!("/v1/products/{{product_key}}{path}");
        for field in [
            format!("otel.name=\"GET {template}\""),
            format!("url.template=\"{template}\""),
        ] {
            assert!(span.contains(&field), "{field} is not in {span}");
        }
        assert!(!span.contains("hush"), "{span}");
    }
}

#[test]
fn a_span_names_its_error() {
    for (kind, name) in [
        (FailureKind::TooLong, "too_long"),
        (FailureKind::Connect, "connect"),
        (FailureKind::Broken, "broken"),
    ] {
        let server = Server::answers([Err(Failure::new(kind))]);
        let found = spans(server, async |product: Product| {
            let error = product.user_reports().total().send().await.unwrap_err();
            assert_eq!(error.name(), name);
        });
        assert!(
            found[0].contains(&format!("error.type=\"{name}\"")),
            "{found:?}"
        );
    }
    // A refusal by its status, and where that is none of an error by its code.
    for (status, field) in [(400, "error.type=400"), (200, "error.type=\"api\"")] {
        let server = Server::answers([answer(status, r#"{"error_code":5305}"#)]);
        let found = spans(server, async |product: Product| {
            product.user_reports().total().send().await.unwrap_err();
        });
        assert!(found[0].contains(field), "{found:?}");
    }
}

#[tokio::test]
async fn debug_shows_no_secret() {
    let body = r#"{"did":"d","passcode":"QWERTY"}"#;
    let server = Server::answers([answer(200, body)]);
    let product = product(&server);
    let call = product.devices().by_mac("m");
    let mut shown = format!("{:?} {:?} {call:?}", product, product.enterprise());
    let identity = call.send().await.unwrap();
    write!(shown, "{identity:?} {:?}", server.requests()).unwrap();
    // A wrong type in the same answer: the error shows the body around it.
    let server = Server::answers([answer(200, r#"{"passcode":"QWERTY","did":[]}"#)]);
    let error = common::product(&server)
        .devices()
        .by_mac("m")
        .send()
        .await
        .unwrap_err();
    write!(shown, "{error} {error:?}").unwrap();
    for secret in [ESECRET, PSECRET, TOKEN, "QWERTY"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}
