//! Paths, builders and answers of another shape, decided without a socket.

use gizwits_enterprise_client::{Enterprise, Error, ErrorCode, Method, RetryPolicy, endpoint};
use serde_json::json;

use crate::common::*;

#[tokio::test]
async fn paths_that_are_not_there_fall_back() {
    for endpoint in [
        endpoint::SUMMARY,
        endpoint::REALTIME,
        endpoint::ALERT_EVENTS,
    ] {
        let [first, second] = endpoint.templates else {
            panic!("{}", endpoint.id);
        };
        let there = second.replace("{product_key}", KEY);
        let body = fixture(endpoint.id);
        let server = Server::new(move |request| {
            if is_token(request) {
                token_answer(TOKEN)
            } else if request.path() == there {
                answer(200, body.clone())
            } else {
                answer(404, "<h1>Not Found</h1>")
            }
        });
        let product = product(&server);
        let enterprise = product.enterprise();
        assert_eq!(enterprise.answering_path(&endpoint), None);
        for calls in [2, 3] {
            match endpoint.id {
                id if id == endpoint::SUMMARY.id => {
                    drop(product.device_reports().summary().send().await.unwrap())
                }
                id if id == endpoint::REALTIME.id => {
                    drop(product.device_reports().realtime().send().await.unwrap())
                }
                _ => drop(
                    product
                        .device_reports()
                        .alert_events()
                        .send()
                        .await
                        .unwrap(),
                ),
            }
            // The second time it knows the way.
            assert_eq!(server.calls().len(), calls, "{}", endpoint.id);
        }
        assert_eq!(enterprise.answering_path(&endpoint), Some(*second));
        assert_ne!(first, second);
    }
}

#[tokio::test]
async fn an_answer_of_the_api_is_no_missing_path() {
    let server = Server::answers([answer(404, r#"{"error_code":5015}"#)]);
    let error = product(&server)
        .device_reports()
        .summary()
        .send()
        .await
        .unwrap_err();
    assert_eq!(error.code(), Some(ErrorCode::ProductKeyNotExist));
    let calls = server.calls();
    assert_eq!(calls.len(), 1);
    assert_eq!(calls[0].path(), path(&endpoint::SUMMARY));

    let server = Server::answers([answer(502, "no gateway")]);
    let call = product(&server).device_reports().summary();
    let error = call.retry(RetryPolicy::NONE).send().await.unwrap_err();
    assert_eq!((error.status(), server.calls().len()), (Some(502), 1));

    let server = Server::answers([answer(404, "nothing here")]);
    let error = product(&server)
        .device_reports()
        .summary()
        .send()
        .await
        .unwrap_err();
    assert_eq!((error.status(), server.calls().len()), (Some(404), 2));
}

#[tokio::test]
async fn a_caller_may_know_the_path() {
    let server = Server::answers([answer(404, "")]);
    let client = client!(Enterprise, server, TestClock::new());
    let enterprise = client
        .path(&endpoint::SUMMARY, "/v2/{product_key}/sum")
        .build()
        .unwrap();
    enterprise
        .product(KEY, PSECRET)
        .device_reports()
        .summary()
        .send()
        .await
        .unwrap_err();
    let calls = server.calls();
    assert_eq!(calls.len(), 1);
    assert_eq!(calls[0].path(), format!("/v2/{KEY}/sum"));
    // It says nothing about the paths of ours.
    let server = Server::answers([answer(200, r#"{"online":1}"#)]);
    let client = client!(Enterprise, server, TestClock::new());
    let client = client.path(&endpoint::SUMMARY, "/v2/{product_key}/sum");
    let enterprise = client.build().unwrap();
    let reports = enterprise.product(KEY, PSECRET).device_reports();
    reports.summary().send().await.unwrap();
    assert_eq!(enterprise.answering_path(&endpoint::SUMMARY), None);
}

#[tokio::test]
async fn the_rest_of_the_api_is_within_reach() {
    let server = Server::answers([answer(200, r#"{"latest_1":4}"#)]);
    let product = product(&server);
    let path = "/v1/products/{product_key}/devices/report/liveness?day=a%20b";
    let value = product
        .request(Method::GET, path)
        .parameter("x", "1")
        .send()
        .await
        .unwrap();
    assert_eq!(value, json!({"latest_1": 4}));
    let calls = server.calls();
    assert_eq!(
        calls[0].url(),
        format!("https://api.example.com/v1/products/{KEY}/devices/report/liveness?day=a%20b&x=1")
    );
    let enterprise = product.enterprise();
    let call = enterprise
        .request(Method::POST, "/v1/x")
        .json(&json!({"a": 1}));
    call.send().await.unwrap();
    let calls = server.calls();
    assert_eq!(calls[1].body(), Some(br#"{"a":1}"#.as_slice()));
    assert!(header(&calls[1], "x-gizwits-enterprise-secret").is_some());
    // A whole link of the same server is one; any other would get the token.
    product
        .request(Method::GET, "https://api.example.com/v1/y?skip=20")
        .send()
        .await
        .unwrap();
    for path in [
        "https://evil.example.com/v1/y",
        "//evil.example.com/",
        "v1/y",
        "http://api.example.com/v1/y",
        "https://api.example.com.evil.example.com/",
    ] {
        let error = product.request(Method::GET, path).send().await.unwrap_err();
        assert!(matches!(error, Error::Invalid(_)), "{path}: {error}");
    }
    // Of a link that is refused no secret is shown, in the query or before it.
    for rest in [
        format!("/v1/x?product_secret={PSECRET}"),
        format!("/v1/x#{PSECRET}"),
        format!("/v1/{PSECRET}/x"),
    ] {
        for host in [
            "other.example.com",
            &format!("u:{PSECRET}@other.example.com"),
        ] {
            let call = product.request(Method::GET, format!("https://{host}{rest}"));
            let shown = call.send().await.unwrap_err().to_string();
            assert!(!shown.contains(PSECRET), "{shown}");
            assert!(shown.contains("other.example.com"), "{shown}");
        }
    }
    assert_eq!(server.calls().len(), 3);
}

#[tokio::test]
async fn ids_stay_within_their_segment() {
    let server = Server::answers([answer(200, r#"{"macs":[]}"#)]);
    let product = product(&server);
    product.group("a/../b?c#d%").macs().send().await.unwrap();
    assert!(
        server.calls()[0]
            .url()
            .ends_with("/device_groups/a%2F..%2Fb%3Fc%23d%25")
    );
    for gid in ["", ".", ".."] {
        let error = product.group(gid).macs().send().await.unwrap_err();
        assert!(matches!(error, Error::Invalid(_)), "{gid}");
    }
    assert_eq!(server.calls().len(), 1);
}

#[test]
fn a_builder_refuses_what_can_not_work() {
    let builder = || Enterprise::builder().id("e").secret("s");
    for url in [
        "",
        "example.com",
        "ftp://example.com",
        "https://u:p@example.com",
        "https://example.com/?x",
        "https://example.com/#x",
    ] {
        assert!(builder().base_url(url).build().is_err(), "{url}");
    }
    assert!(builder().base_url("http://127.0.0.1:8080").build().is_ok());
    // Without TLS there is no https.
    let https = builder().base_url("https://example.com/gateway/").build();
    assert_eq!(https.is_ok(), cfg!(feature = "rustls"));
    assert!(Enterprise::builder().secret("s").build().is_err());
    assert!(Enterprise::builder().id("e").build().is_err());
    assert!(builder().id("").build().is_err());
    assert!(builder().secret("").build().is_err());
    let shown = format!("{:?}", builder().secret("hush"));
    assert!(
        shown.contains("https://enterpriseapi.gizwits.com") && !shown.contains("hush"),
        "{shown}"
    );
}

#[tokio::test]
async fn the_ip_list_is_said_in_words() {
    let server = Server::new(|_| refusal(5012));
    let error = total(&product(&server)).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "POST /v1/products/{KEY}/access_token: error 5012 (ip not in white list); \
             add this machine's public IP to the Enterprise API white list"
        )
    );
}

#[tokio::test]
async fn an_answer_of_another_shape_says_where() {
    let body = r#"{"objects":[{"did":"a","mac":"m"},{"did":"b","mac":"m","longitude":"east"}]}"#;
    let server = Server::answers([answer(200, body)]);
    let error = product(&server)
        .devices()
        .search()
        .send()
        .await
        .unwrap_err();
    let Error::Decode(error) = error else {
        panic!("{error}");
    };
    assert_eq!(
        (error.path.as_str(), error.message.as_str()),
        (
            "objects[1].longitude",
            "a number is expected at line 1 column 74",
        )
    );
    assert_eq!(error.excerpt, body);
}
