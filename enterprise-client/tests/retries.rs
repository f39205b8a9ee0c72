//! What is sent again, how often and how late, decided without a socket.

use std::time::Duration;

use gizwits_enterprise_client::http::{Failure, FailureKind, Response};
use gizwits_enterprise_client::{Async, Call, Error, Method, Operation, RetryPolicy};

use crate::common::{self, *};

#[tokio::test]
async fn what_may_have_arrived_is_told_of_all_attempts() {
    let fails = |kind| Err(Failure::new(kind));
    let (timeout, connect) = (FailureKind::Timeout, FailureKind::Connect);
    // Without a token the control was never sent.
    for fault in [timeout, FailureKind::Broken] {
        let server = Server::new(move |_| Err(Failure::new(fault)));
        let error = product(&server)
            .device(DID)
            .control_raw([1])
            .send()
            .await
            .unwrap_err();
        assert!(!error.may_have_arrived() && server.calls().is_empty());
    }
    let server = Server::new(|_| answer(201, "nonsense"));
    let error = product(&server)
        .device(DID)
        .control_raw([1])
        .send()
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Decode(_)) && !error.may_have_arrived());
    // Nor without a definition.
    #[cfg(feature = "codec")]
    {
        let server = Server::answers([fails(timeout)]);
        let call = product(&server)
            .device(DID)
            .control(serde_json::json!({"switch": true}));
        assert!(!call.send().await.unwrap_err().may_have_arrived());
    }
    // An attempt that may have arrived is not forgotten over the next ones.
    let later: [fn() -> Result<Response, Failure>; 4] = [
        || Err(Failure::new(FailureKind::Connect)),
        || refusal(5305),
        || limited_for(999),
        || answer(302, ""),
    ];
    for later in later {
        for first in [timeout, connect] {
            let server = Server::answers([fails(first), later()]);
            let call = product(&server)
                .device(DID)
                .control_raw([1])
                .repeatable(true);
            let error = call.send().await.unwrap_err();
            assert_eq!(error.may_have_arrived(), first == timeout, "{error}");
        }
    }
    // What is answered has arrived.
    let server = Server::answers([answer(200, "nonsense")]);
    let error = product(&server)
        .device(DID)
        .control_raw([1])
        .send()
        .await
        .unwrap_err();
    assert!(error.may_have_arrived());
}

#[tokio::test]
async fn what_does_no_harm_is_tried_again() {
    let gateway = || answer(502, "<html>");
    let broken = || Err(Failure::new(FailureKind::Broken));
    let timeout = || Err(Failure::new(FailureKind::Timeout));
    let connect = || Err(Failure::new(FailureKind::Connect));
    let cut = || Err(Failure::new(FailureKind::Broken).status(200));
    // A fault, and whether a read and a control are sent again after it.
    let faults: [(&str, &dyn Fn() -> _, bool, bool); 11] = [
        ("connect", &connect, true, true),
        ("broken", &broken, true, false),
        ("cut", &cut, true, false),
        ("timeout", &timeout, true, false),
        ("gateway", &gateway, true, false),
        ("5407", &|| refusal(5407), true, false),
        ("5409", &|| refusal(5409), true, false),
        ("5403", &|| refusal(5403), true, false),
        ("5305", &|| refusal(5305), false, false),
        ("5014", &|| refusal(5014), false, false),
        ("5001", &|| refusal(5001), false, false),
    ];
    for (name, fault, read, control) in faults {
        let server = Server::answers([fault(), answer(200, TOTAL)]);
        let (product, clock) = with_clock(&server);
        assert_eq!(total(&product).await.is_ok(), read, "{name}");
        assert_eq!(server.calls().len(), 1 + usize::from(read), "{name}");
        assert!(
            clock
                .waits()
                .iter()
                .all(|wait| *wait <= Duration::from_millis(500)),
            "{name}"
        );

        let server = Server::answers([fault(), answer(200, "{}")]);
        let (product, _) = with_clock(&server);
        let sent = product.device(DID).control_raw([5]).send().await;
        assert_eq!(sent.is_ok(), control, "{name}");
        assert_eq!(server.calls().len(), 1 + usize::from(control), "{name}");
        if let Err(error) = sent {
            let unsure = ["broken", "cut", "timeout", "gateway", "5403"].contains(&name);
            assert_eq!(error.may_have_arrived(), unsure, "{name}");
        }
    }
}

async fn times_out<O: Operation>(call: Call<Async, O>, repeatable: bool) {
    let answer = call.repeatable(repeatable).send().await;
    assert!(answer.err().unwrap().is_timeout());
}

#[tokio::test]
async fn writes_are_not_repeated_unless_the_caller_says_so() {
    for repeatable in [false, true] {
        let server = Server::answers([Err(Failure::new(FailureKind::Timeout))]);
        let product = product(&server);
        times_out(product.groups().create(), repeatable).await;
        times_out(product.group("g").delete(), repeatable).await;
        times_out(product.group("g").assign(["m"]), repeatable).await;
        times_out(product.bindings().bind("u", "a", ["d"]), repeatable).await;
        let each = if repeatable { 3 } else { 1 };
        assert_eq!(server.calls().len(), 4 * each);
    }
}

async fn told<O: Operation>(call: Call<Async, O>) -> String {
    call.send().await.err().unwrap().to_string()
}

/// The text of an error says that the request may have arrived, where a second one could do harm.
#[tokio::test]
async fn a_write_that_may_have_arrived_says_so() {
    const DOUBT: &str =
        "; the server may have received the request: check its effect before you send it again";
    let fails = |kind| Err(Failure::new(kind));
    let faults = [
        (fails(FailureKind::Broken), true),
        (fails(FailureKind::TooLong), true),
        (fails(FailureKind::Timeout), true),
        (answer(504, "<html>"), true),
        (answer(200, "nonsense"), true),
        (fails(FailureKind::Connect), false),
        (answer(302, ""), false),
        (refusal(5001), false),
    ];
    for (fault, doubt) in faults {
        let server = Server::answers([fault]);
        let product = product(&server);
        let device = product.device(DID);
        for told in [
            told(device.control_raw([1])).await,
            told(product.groups().create()).await,
            told(product.group("g").delete()).await,
            told(product.group("g").assign(["m"])).await,
            told(product.group("g").unassign(["m"])).await,
            told(product.bindings().bind("u", "a", ["d"])).await,
            told(product.bindings().unbind("u", "a", ["d"])).await,
            told(product.request(Method::POST, "/v1/x")).await,
        ] {
            assert_eq!(told.ends_with(DOUBT), doubt, "{told}");
        }
        for told in [
            told(device.data()).await,
            told(product.device_reports().realtime()).await,
            told(product.request(Method::GET, "/v1/x").repeatable(false)).await,
            told(device.control_raw([1]).repeatable(true)).await,
        ] {
            let asked = told.starts_with("GET /v1/x") && doubt;
            assert_eq!(told.ends_with(DOUBT), asked, "{told}");
        }
    }
}

#[tokio::test]
async fn attempts_and_policy_have_an_end() {
    let server = Server::answers([answer(503, "")]);
    let (product, _) = with_clock(&server);
    assert_eq!(total(&product).await.unwrap_err().status(), Some(503));
    assert_eq!(server.calls().len(), 3);
    let once = product.user_reports().total().retry(RetryPolicy::NONE);
    once.send().await.unwrap_err();
    assert_eq!(server.calls().len(), 4);
    // A server that is down for long is left alone: the budget is for a hundred retries.
    for _ in 0..200 {
        total(&product).await.unwrap_err();
    }
    assert_eq!(server.calls().len(), 4 + 200 + 98);
}

#[tokio::test]
async fn a_gateway_may_say_how_long() {
    let busy = || with_headers(503, &[("Retry-After", "9")], "busy");
    let server = Server::answers([busy(), answer(200, TOTAL)]);
    let (product, clock) = with_clock(&server);
    total(&product).await.unwrap();
    assert_eq!(clock.waits(), [Duration::from_secs(9)]);
    // 2024-01-02 is the clock's day.
    let date = [("Retry-After", "Tue, 02 Jan 2024 00:00:12 GMT")];
    let server = Server::answers([with_headers(503, &date, "busy"), answer(200, TOTAL)]);
    let (product, clock) = with_clock(&server);
    total(&product).await.unwrap();
    assert_eq!(clock.waits(), [Duration::from_secs(12)]);
    let server = Server::answers([with_headers(503, &[("Retry-After", "900")], "busy")]);
    assert_eq!(
        total(&common::product(&server)).await.unwrap_err().status(),
        Some(503)
    );
    assert_eq!(server.calls().len(), 1);
}
