//! The examples do what they say.

use std::sync::atomic::{AtomicUsize, Ordering};

use gizwits_enterprise_client::{Method, endpoint};
use serde_json::json;

use crate::common::{DID, NOW, Server, answer, fixture, is_token, product, refusal, token_answer};

#[allow(dead_code)]
#[path = "../examples/control_verified.rs"]
mod control_verified;
#[allow(dead_code)]
#[path = "../examples/decode_a_day.rs"]
mod decode_a_day;
#[allow(dead_code)]
#[path = "../examples/group_tree.rs"]
mod group_tree;
#[allow(dead_code)]
#[path = "../examples/online_history.rs"]
mod online_history;

/// Answers by the end of the path, and the rest with our fixtures.
fn server(special: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Server {
    Server::new(move |request| {
        if is_token(request) {
            return token_answer("t");
        }
        let end = request.path().rsplit('/').next().unwrap_or_default();
        if let Some(body) = special(end) {
            return answer(200, body);
        }
        let found = endpoint::ALL.iter().find(|endpoint| {
            endpoint.method == request.method() && endpoint.path().rsplit('/').next() == Some(end)
        });
        answer(200, fixture(found.unwrap().id))
    })
}

fn text(out: Vec<u8>) -> String {
    String::from_utf8(out).unwrap()
}

#[tokio::test]
async fn a_day_of_commands() {
    let product = product(&server(|_| None));
    let mut out = Vec::new();
    decode_a_day::run(&product, &product.device(DID), &mut out)
        .await
        .unwrap();
    assert_eq!(
        text(out),
        "test lamp: 7 data points\n\
         2024-01-01T00:00:02.294Z ToDevice Control {\"code\":\"0100000000\",\"switch\":1}\n\
         2024-01-01T00:00:01.044Z FromDevice Report {\"alert_hot\":0,\"code\":\"0102030405\",\
         \"fault_lamp\":0,\"humidity\":40,\"mode\":\"night\",\"switch\":1,\"warmth\":5.32}\n"
    );
}

#[tokio::test(start_paused = true)]
async fn a_control_that_is_looked_after() {
    // The device reports at the third look.
    let looks = AtomicUsize::new(0);
    let server = server(move |end| {
        let late = looks.fetch_add(usize::from(end == "cmd"), Ordering::SeqCst) >= 2;
        let report = json!({"timestamp": NOW + 1, "type": "dev2app", "payload": "0401000000000000000000280000"});
        let right =
            json!({"timestamp": NOW + 1, "type": "dev2app", "payload": "040302dc0102030405280000"});
        let objects = if late {
            json!([report, right])
        } else {
            json!([])
        };
        (end == "cmd").then(|| json!({"objects": objects}).to_string())
    });
    let product = product(&server);
    let device = product.device(DID);
    let mut out = Vec::new();
    let attrs = r#"{"switch":true,"mode":"night"}"#;
    control_verified::run(&product, &device, attrs, &mut out)
        .await
        .unwrap();
    assert_eq!(
        text(out),
        "sent {\"mode\":\"night\",\"switch\":1}\ndone at 2024-01-02T00:00:01Z\n"
    );
    let controls = server
        .calls()
        .iter()
        .filter(|call| call.method() == Method::POST)
        .count();
    assert_eq!(controls, 1);
    // Another value is not what was asked for.
    let attrs = r#"{"switch":false}"#;
    let error = control_verified::run(&product, &device, attrs, &mut Vec::new())
        .await
        .unwrap_err();
    assert!(error.to_string().contains("ten seconds"), "{error}");
}

#[tokio::test]
async fn a_week_of_coming_and_going() {
    let product = product(&server(|_| None));
    let mut out = Vec::new();
    online_history::run(&product, &product.device(DID), &mut out)
        .await
        .unwrap();
    assert_eq!(
        text(out),
        "time,event,seconds_online,reason\n\
         2024-01-01T00:00:00.500Z,dev_online,,\n\
         2023-12-31T23:00:00.125Z,dev_offline,7295,no_heartbeat\n\
         2023-12-31T22:00:00Z,dev_re_online,,\n"
    );
}

#[tokio::test]
async fn a_tree_of_groups() {
    let made = AtomicUsize::new(0);
    let server = Server::new(move |request| {
        let body = match (request.method(), is_token(request)) {
            (_, true) => return token_answer("t"),
            (Method::GET, _) => json!({}),
            (Method::PUT, _) => json!({"success": ["A"], "failed": ["B"]}),
            _ => json!({"gid": format!("g{}", made.fetch_add(1, Ordering::SeqCst))}),
        };
        answer(200, body.to_string())
    });
    let mut out = Vec::new();
    let wanted = ["east/hangzhou=A,B".to_owned(), "east/ningbo".to_owned()];
    let error = group_tree::run(&product(&server), &wanted, &mut out).await;
    assert_eq!(
        error.unwrap_err().to_string(),
        "some devices were not assigned"
    );
    assert_eq!(
        text(out),
        "g0\ng1 /east\ng2 /east/hangzhou\n/east/hangzhou: 1 assigned, 1 failed, 0 not mentioned, 0 not sent\n\
         g3 /east/ningbo\n"
    );
    let bodies: Vec<String> = server
        .calls()
        .iter()
        .filter_map(|call| Some(String::from_utf8_lossy(call.body()?).into_owned()))
        .collect();
    assert_eq!(bodies[0], "{}");
    assert_eq!(bodies[1], r#"{"parent_gid":"g0"}"#);
    assert_eq!(bodies[4], r#"{"parent_gid":"g1"}"#);
}

#[tokio::test]
async fn a_tree_of_groups_that_was_not_finished() {
    let server = Server::new(move |request| {
        let body = String::from_utf8_lossy(request.body().unwrap_or_default());
        match (request.method(), is_token(request)) {
            (_, true) => token_answer("t"),
            (Method::GET, _) => answer(200, "{}"),
            (Method::PUT, _) if body.contains("\"1500\"") => refusal(5206),
            (Method::PUT, _) => {
                let body: serde_json::Value = serde_json::from_str(&body).unwrap();
                answer(
                    200,
                    json!({"success": body["macs"], "failed": []}).to_string(),
                )
            }
            _ => answer(200, r#"{"gid":"g"}"#),
        }
    });
    let macs: Vec<String> = (0..1501).map(|n| n.to_string()).collect();
    let mut out = Vec::new();
    let wanted = [format!("east={}", macs.join(","))];
    let error = group_tree::run(&product(&server), &wanted, &mut out).await;
    assert!(error.unwrap_err().to_string().contains("5206"));
    let line = "/east: 1000 assigned, 0 failed, 0 not mentioned, 501 not sent\n";
    assert!(text(out).ends_with(line));
}
