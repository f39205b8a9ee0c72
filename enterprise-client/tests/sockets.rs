//! Real sockets: what servers and networks do wrong.
//!
//! Where time passes, server and client share one runtime whose clock is paused, so that nothing is
//! ever waited for.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use gizwits_enterprise_client::http::FailureKind;
use gizwits_enterprise_client::{
    Enterprise, Error, ErrorCode, Product, Timestamp, Token, TokenKey, TokenStore, endpoint,
};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use wiremock::matchers::{body_json, header, method, path, path_regex, query_param};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::common::{self, DID, EID, ESECRET, KEY, PSECRET, TestClock, fixture};

fn client(base: &str) -> gizwits_enterprise_client::Builder<gizwits_enterprise_client::Async> {
    Enterprise::builder()
        .id(EID)
        .secret(ESECRET)
        .base_url(base)
        .no_proxy()
}

fn product(server: &MockServer) -> Product {
    let enterprise = client(&server.uri()).build().unwrap();
    enterprise.product(KEY, PSECRET)
}

async fn tokens(server: &MockServer) {
    let token = json!({"token": "t1", "expire_at": 1_893_456_000});
    Mock::given(method("POST"))
        .and(path(format!("/v1/products/{KEY}/access_token")))
        .respond_with(ResponseTemplate::new(201).set_body_json(token))
        .mount(server)
        .await;
}

#[tokio::test]
async fn requests_are_what_a_server_expects() {
    let server = MockServer::start().await;
    tokens(&server).await;
    Mock::given(method("GET"))
        .and(path(format!("/v1/products/{KEY}/devices/search")))
        .and(query_param("city", "杭州 & more"))
        .and(header("authorization", "token t1"))
        .and(header("user-agent", "test/1"))
        .respond_with(ResponseTemplate::new(200).set_body_string(fixture(endpoint::DEVICES.id)))
        .expect(1)
        .mount(&server)
        .await;
    // A DELETE has its body, and says how long it is.
    let body = json!({"uid": "u", "appid": "a", "dids": "d"});
    Mock::given(method("DELETE"))
        .and(path(format!("/v1/products/{KEY}/devices/bindings")))
        .and(header("content-type", "application/json"))
        .and(header("content-length", body.to_string().len().to_string()))
        .and(body_json(&body))
        .respond_with(
            ResponseTemplate::new(200).set_body_string(r#"{"success":["d"],"failed":[]}"#),
        )
        .expect(1)
        .mount(&server)
        .await;
    let enterprise = client(&server.uri()).user_agent("test/1").build().unwrap();
    let product = enterprise.product(KEY, PSECRET);
    product
        .devices()
        .search()
        .city("杭州 & more")
        .send()
        .await
        .unwrap();
    let outcome = product
        .bindings()
        .unbind("u", "a", ["d"])
        .send()
        .await
        .unwrap();
    assert!(outcome.is_complete());
}

#[tokio::test]
async fn a_hundred_callers_and_a_token_revoked_mid_run() {
    let server = MockServer::start().await;
    let fetched = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&fetched);
    Mock::given(method("POST"))
        .respond_with(move |_: &wiremock::Request| {
            let n = count.fetch_add(1, Ordering::SeqCst);
            ResponseTemplate::new(201)
                .set_body_json(json!({"token": format!("t{n}"), "expire_at": 1_893_456_000}))
        })
        .mount(&server)
        .await;
    let calls = AtomicUsize::new(0);
    Mock::given(method("GET"))
        .respond_with(move |request: &wiremock::Request| {
            let token = request.headers.get("authorization").unwrap();
            // The first token dies with the thirtieth call.
            if token == "token t0" && calls.fetch_add(1, Ordering::SeqCst) >= 30 {
                return ResponseTemplate::new(400)
                    .set_body_json(json!({"error_code": 5009, "error_message": "token invalid"}));
            }
            ResponseTemplate::new(200).set_body_json(json!({"gid": null, "total": 3}))
        })
        .mount(&server)
        .await;
    let product = product(&server);
    let tasks: Vec<_> = (0..100)
        .map(|_| {
            let call = product.user_reports().total();
            tokio::spawn(call.send())
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap().unwrap().total, Some(3));
    }
    assert_eq!(fetched.load(Ordering::SeqCst), 2);
}

/// In a process of its own, which finds no certificates.
#[cfg(all(feature = "rustls", target_os = "linux"))]
#[test]
fn without_certificates_there_is_http_and_a_remedy() {
    const ALONE: &str = "GIZWITS_WITHOUT_CERTIFICATES";
    if std::env::var_os(ALONE).is_some() {
        assert!(client("http://127.0.0.1:8080").build().is_ok());
        let error = client("https://example.com").build().err().unwrap();
        assert!(error.to_string().contains("`ca-certificates`"), "{error}");
        return;
    }
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "sockets::without_certificates_there_is_http_and_a_remedy",
        ])
        .env(ALONE, "1")
        .env("SSL_CERT_FILE", "/nowhere")
        .env("SSL_CERT_DIR", "/nowhere")
        .output()
        .unwrap();
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{shown}");
    assert!(shown.contains("1 passed"), "{shown}");
}

#[tokio::test]
async fn a_gateways_page_keeps_its_status() {
    let server = MockServer::start().await;
    tokens(&server).await;
    let page =
        ResponseTemplate::new(502).set_body_raw("<html><h1>Bad Gateway</h1></html>", "text/html");
    Mock::given(method("GET"))
        .respond_with(page)
        .expect(3)
        .mount(&server)
        .await;
    let clock = TestClock::new();
    let product = client(&server.uri())
        .clock(clock.clone())
        .build()
        .unwrap()
        .product(KEY, PSECRET);
    let error = product.user_reports().total().send().await.unwrap_err();
    let Error::Unexpected(error) = error else {
        panic!("{error}")
    };
    assert_eq!(
        (error.status, error.content_type.as_deref()),
        (502, Some("text/html"))
    );
    assert_eq!(error.excerpt, "<html><h1>Bad Gateway</h1></html>");
    assert_eq!(clock.waits().len(), 2);
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let server = MockServer::start().await;
    let other = MockServer::start().await;
    tokens(&server).await;
    let away = ResponseTemplate::new(302).insert_header("location", format!("{}/v1", other.uri()));
    Mock::given(method("GET"))
        .respond_with(away)
        .mount(&server)
        .await;
    let product = product(&server);
    let error = product.user_reports().total().send().await.unwrap_err();
    assert_eq!(error.status(), Some(302));
    assert!(other.received_requests().await.unwrap().is_empty());
}

#[tokio::test]
async fn hostile_links_lead_nowhere() {
    let server = MockServer::start().await;
    let evil = MockServer::start().await;
    tokens(&server).await;
    let next = format!("{}/v1/products/{KEY}/devices/search?skip=1", evil.uri());
    Mock::given(path_regex("/devices/search$"))
        .respond_with(move |request: &wiremock::Request| {
            let skip: u64 = request
                .url
                .query_pairs()
                .find(|(name, _)| name == "skip")
                .map_or(0, |(_, skip)| skip.parse().unwrap());
            let meta = json!({"total": 3, "limit": 1, "skip": skip, "next": next});
            ResponseTemplate::new(200).set_body_json(
                json!({"meta": meta, "objects": [{"did": skip.to_string(), "mac": "m"}]}),
            )
        })
        .mount(&server)
        .await;
    let product = product(&server);
    let mut items = product.devices().search().stream();
    let mut count = 0;
    while let Some(item) = items.next().await {
        item.unwrap();
        count += 1;
    }
    assert_eq!(count, 3);
    assert!(evil.received_requests().await.unwrap().is_empty());
}

#[tokio::test]
async fn the_quota_by_headers() {
    let server = MockServer::start().await;
    tokens(&server).await;
    let limited = ResponseTemplate::new(403)
        .insert_header("X-RateLimit-Limit", "60")
        .insert_header("X-RateLimit-Remaining", "0")
        .insert_header("X-RateLimit-Reset", (common::NOW + 5).to_string())
        .insert_header("Date", "Tue, 02 Jan 2024 00:00:00 GMT")
        .set_body_json(
            json!({"error_code": 5013, "error_message": "API call rate limit execeed quota"}),
        );
    Mock::given(method("GET"))
        .respond_with(limited)
        .up_to_n_times(1)
        .mount(&server)
        .await;
    let total = ResponseTemplate::new(200)
        .insert_header("Date", "Tue, 02 Jan 2024 00:00:05 GMT")
        .set_body_json(json!({"total": 3}));
    Mock::given(method("GET"))
        .respond_with(total)
        .mount(&server)
        .await;
    let clock = TestClock::new();
    let enterprise = client(&server.uri()).clock(clock.clone()).build().unwrap();
    let product = enterprise.product(KEY, PSECRET);
    // wiremock says the real date where it is not told another; the token's answer is one of those.
    product.access_token().send().await.unwrap();
    product.user_reports().total().send().await.unwrap();
    assert_eq!(clock.waits(), [Duration::from_secs(5)]);
    assert_eq!(enterprise.rate_limit().limit, Some(60));
}

/// What a raw server does with a connection.
#[derive(Clone, Copy, Debug)]
enum Deed {
    /// Closes it before anything was read.
    ResetAtOnce,
    /// Reads the request and closes it.
    ResetAfterBody,
    /// Reads the request and never answers.
    Silence,
    /// Answers the head, then drips the body.
    SlowBody,
    /// Promises more than it sends.
    CutBody,
    /// Answers well.
    Answer(&'static str),
}

/// Does one deed a connection, the last for ever; counts the requests that it read.
async fn raw(deeds: &'static [Deed]) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let read = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&read);
    tokio::spawn(async move {
        let mut n = 0;
        while let Ok((stream, _)) = listener.accept().await {
            let deed = deeds[n.min(deeds.len() - 1)];
            n += 1;
            tokio::spawn(serve(stream, deed, Arc::clone(&count)));
        }
    });
    (format!("http://{address}"), read)
}

async fn serve(mut stream: TcpStream, deed: Deed, read: Arc<AtomicUsize>) {
    if let Deed::ResetAtOnce = deed {
        let _ = stream.set_zero_linger();
        return;
    }
    let mut request = Vec::new();
    while !complete(&request) {
        let mut buffer = [0; 4096];
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(n) => request.extend_from_slice(&buffer[..n]),
        }
    }
    read.fetch_add(1, Ordering::SeqCst);
    let head = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: application/json\r\n";
    match deed {
        Deed::ResetAtOnce => {}
        Deed::ResetAfterBody => {
            let _ = stream.set_zero_linger();
        }
        Deed::Silence => std::future::pending().await,
        Deed::SlowBody => {
            let _ = stream
                .write_all(format!("{head}content-length: 1000\r\n\r\n").as_bytes())
                .await;
            for _ in 0..1000 {
                tokio::time::sleep(Duration::from_secs(20)).await;
                let _ = stream.write_all(b" ").await;
            }
        }
        Deed::CutBody => {
            let _ = stream
                .write_all(format!("{head}content-length: 1000\r\n\r\n{{\"total\":").as_bytes())
                .await;
        }
        Deed::Answer(body) => {
            let answer = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    }
}

fn complete(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head.lines().find_map(|line| {
        line.to_lowercase()
            .strip_prefix("content-length: ")?
            .parse()
            .ok()
    });
    body.len() >= length.unwrap_or(0)
}

/// A token that needs no call, so that every connection is the one that is meant.
struct Known;

impl TokenStore for Known {
    fn load(&self, _: &TokenKey) -> std::io::Result<Option<Token>> {
        let expires = Timestamp::from_seconds(4_000_000_000);
        Ok(Some(Token::new("t1", expires)))
    }

    fn save(&self, _: &TokenKey, _: &Token) -> std::io::Result<()> {
        Ok(())
    }

    fn remove(&self, _: &TokenKey) -> std::io::Result<()> {
        Ok(())
    }
}

/// The kind and status of a failure, and how many requests the server read.
async fn control(deeds: &'static [Deed]) -> (Result<(), Error>, usize) {
    let (base, read) = raw(deeds).await;
    let product = client(&base)
        .token_store(Known)
        .build()
        .unwrap()
        .product(KEY, PSECRET);
    let result = product.device(DID).control_raw([5, 1]).send().await;
    (result.map(drop), read.load(Ordering::SeqCst))
}

async fn total(deeds: &'static [Deed]) -> (Result<Option<u64>, Error>, usize) {
    let (base, read) = raw(deeds).await;
    let product = client(&base)
        .token_store(Known)
        .build()
        .unwrap()
        .product(KEY, PSECRET);
    let result = product.user_reports().total().send().await;
    (result.map(|total| total.total), read.load(Ordering::SeqCst))
}

const WELL: Deed = Deed::Answer(r#"{"total":3}"#);

#[tokio::test(start_paused = true)]
async fn reads_survive_a_fault() {
    for deeds in [
        &[Deed::ResetAtOnce, WELL],
        &[Deed::ResetAfterBody, WELL],
        &[Deed::Silence, WELL],
        &[Deed::SlowBody, WELL],
        &[Deed::CutBody, WELL],
    ] {
        let (result, _) = total(deeds).await;
        assert_eq!(result.unwrap(), Some(3), "{deeds:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn faults_that_stay_are_told() {
    for (deeds, kind, status) in [
        (&[Deed::ResetAfterBody], FailureKind::Broken, None),
        (&[Deed::Silence], FailureKind::Timeout, None),
        (&[Deed::SlowBody], FailureKind::Timeout, Some(200)),
        (&[Deed::CutBody], FailureKind::Broken, Some(200)),
    ] {
        let began = tokio::time::Instant::now();
        let (result, read) = total(deeds).await;
        let Err(Error::Transport(error)) = result else {
            panic!("{deeds:?}")
        };
        assert_eq!(
            (error.failure.kind, error.failure.status),
            (kind, status),
            "{deeds:?}"
        );
        assert_eq!((error.attempts, read), (3, 3), "{deeds:?}");
        assert!(!error.to_string().contains("127.0.0.1"), "{error}");
        if kind == FailureKind::Timeout {
            let took = began.elapsed();
            assert!(
                took >= Duration::from_secs(90) && took < Duration::from_secs(92),
                "{took:?}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_control_is_never_sent_twice() {
    for deed in [
        &[Deed::ResetAfterBody, Deed::Answer("{}")],
        &[Deed::Silence, Deed::Answer("{}")],
        &[Deed::SlowBody, Deed::Answer("{}")],
        &[Deed::CutBody, Deed::Answer("{}")],
    ] {
        let (result, read) = control(deed).await;
        let error = result.unwrap_err();
        assert!(error.may_have_arrived(), "{deed:?}");
        assert!(
            error
                .to_string()
                .contains("; the server may have received the request"),
            "{error}"
        );
        assert_eq!(read, 1, "{deed:?}");
    }
    // Reset before it was read: nobody can know, so it is not sent again either.
    let (result, read) = control(&[Deed::ResetAtOnce, Deed::Answer("{}")]).await;
    assert!(result.is_err());
    assert_eq!(read, 0);
}

#[tokio::test]
async fn a_connection_that_never_was_is_tried_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let clock = TestClock::new();
    let builder = client(&base).token_store(Known).clock(clock.clone());
    let product = builder.build().unwrap().product(KEY, PSECRET);
    let error = product
        .device(DID)
        .control_raw([5])
        .send()
        .await
        .unwrap_err();
    assert!(!error.may_have_arrived());
    let Error::Transport(error) = error else {
        panic!("{error}")
    };
    assert_eq!(
        (error.failure.kind, error.attempts),
        (FailureKind::Connect, 3)
    );
    assert_eq!(clock.waits().len(), 2);
}

#[tokio::test]
async fn a_long_answer_is_read_whole() {
    let server = MockServer::start().await;
    tokens(&server).await;
    let devices: Vec<_> = (0..20_000)
        .map(|n| json!({"did": n.to_string(), "mac": "m"}))
        .collect();
    let page = ResponseTemplate::new(200).set_body_json(json!({"objects": devices}));
    Mock::given(method("GET"))
        .respond_with(page)
        .mount(&server)
        .await;
    let product = product(&server);
    let page = product.devices().search().send().await.unwrap();
    assert_eq!(page.objects.len(), 20_000);
}

#[tokio::test]
async fn codes_are_read_from_a_server() {
    let server = MockServer::start().await;
    tokens(&server).await;
    let offline = ResponseTemplate::new(400).set_body_json(json!({"error_code": 5305, "error_message": "device offline!", "detail_message": {"did": DID}}));
    Mock::given(method("POST"))
        .and(path_regex("/control$"))
        .respond_with(offline)
        .expect(1)
        .mount(&server)
        .await;
    let product = product(&server);
    let error = product
        .device(DID)
        .control_raw([5])
        .send()
        .await
        .unwrap_err();
    assert_eq!(
        (error.code(), error.status()),
        (Some(ErrorCode::DeviceOffline), Some(400))
    );
    assert_eq!(
        error.api().and_then(|error| error.detail.clone()),
        Some(json!({"did": DID}))
    );
    assert_eq!(
        error.to_string(),
        format!(
            "POST /v1/products/{KEY}/devices/{DID}/control: error 5305 (device offline!), the server says: \
             {{\"did\":\"{DID}\"}}; bring the device online"
        )
    );
}

#[cfg(feature = "blocking")]
#[test]
fn the_blocking_front_over_a_socket() {
    use gizwits_enterprise_client::blocking::Enterprise;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let server = runtime.block_on(async {
        let server = MockServer::start().await;
        tokens(&server).await;
        let total = ResponseTemplate::new(200).set_body_json(json!({"total": 3}));
        Mock::given(method("GET"))
            .respond_with(total)
            .mount(&server)
            .await;
        server
    });
    let enterprise = Enterprise::builder()
        .id(EID)
        .secret(ESECRET)
        .base_url(server.uri())
        .no_proxy();
    let product = enterprise.build().unwrap().product(KEY, PSECRET);
    for _ in 0..3 {
        assert_eq!(
            product.user_reports().total().send().unwrap().total,
            Some(3)
        );
    }
}
