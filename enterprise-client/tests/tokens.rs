//! Access tokens, decided without a socket: fetched once, kept, refreshed, replaced.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use gizwits_enterprise_client::http::{Failure, FailureKind, Request, ResponseFuture, Transport};
use gizwits_enterprise_client::{
    Enterprise, ErrorCode, ExposeSecret as _, FileStore, MemoryStore, ProductKey, Timestamp,
    TokenKey, TokenStore as _,
};

use crate::common::{self, *};

#[tokio::test]
async fn a_hundred_callers_share_one_token() {
    let server = Server::answers([answer(200, TOTAL)]);
    let enterprise = enterprise(&server);
    let calls = (0..100).map(|_| total(&enterprise.product(KEY, PSECRET)));
    for result in at_once(calls).await {
        assert_eq!(result.unwrap(), 31);
    }
    assert_eq!((server.tokens(), server.calls().len()), (1, 100));
    // Another product has its own.
    total(&enterprise.product("other", "secret")).await.unwrap();
    assert_eq!(server.tokens(), 2);
}

#[tokio::test]
async fn a_hundred_callers_share_one_failure() {
    let refused = || refusal(5004);
    let timeout = || Err(Failure::new(FailureKind::Timeout).caused_by("no answer"));
    let faults: [(fn() -> _, _); 2] = [(refused, 1), (timeout, 3)];
    for (fault, attempts) in faults {
        let server = Server::new(move |_| fault());
        let product = product(&server);
        for result in at_once((0..100).map(|_| total(&product))).await {
            let error = result.unwrap_err();
            assert!(error.is_timeout() || error.code() == Some(ErrorCode::EnterpriseSecretError));
        }
        assert_eq!(server.requests().len(), attempts);
        // The next one tries again.
        total(&product).await.unwrap_err();
        assert_eq!(server.requests().len(), 2 * attempts);
    }
}

#[tokio::test]
async fn a_caller_that_goes_away_leaves_the_gate_open() {
    let server = Server::answers([answer(200, TOTAL)]);
    let product = product(&server);
    let mut going = Box::pin(total(&product));
    // As far as the token's request.
    std::future::poll_fn(|task| {
        let _ = going.as_mut().poll(task);
        std::task::Poll::Ready(())
    })
    .await;
    assert_eq!(server.tokens(), 1);
    drop(going);
    assert_eq!(total(&product).await.unwrap(), 31);
}

#[tokio::test]
async fn a_token_revoked_mid_run_is_fetched_once() {
    for code in [5009, 5010, 5011] {
        let tokens = Arc::new(AtomicUsize::new(0));
        let given = Arc::clone(&tokens);
        let server = Server::new(move |request| {
            if is_token(request) {
                let n = given.fetch_add(1, Ordering::SeqCst);
                return token_answer(&format!("token-{n}"));
            }
            match header(request, "authorization") {
                Some("token token-0") => refusal(code),
                _ => answer(200, TOTAL),
            }
        });
        let product = product(&server);
        for result in at_once((0..100).map(|_| total(&product))).await {
            assert_eq!(result.unwrap(), 31);
        }
        assert_eq!(tokens.load(Ordering::SeqCst), 2, "{code}");
    }
}

/// Holds back the second refusal of the first token until it is let go.
#[derive(Clone)]
struct Late {
    server: Server,
    calls: Arc<AtomicUsize>,
    go: Arc<tokio::sync::Notify>,
}

impl Transport for Late {
    fn send(&self, request: Request) -> ResponseFuture<'_> {
        let first_token = header(&request, "authorization") == Some("token token-0");
        let late = first_token && self.calls.fetch_add(1, Ordering::SeqCst) == 1;
        Box::pin(async move {
            if late {
                self.go.notified().await;
            }
            self.server.send(request).await
        })
    }
}

#[tokio::test]
async fn a_late_refusal_leaves_the_new_token_alone() {
    let tokens = AtomicUsize::new(0);
    let server = Server::new(move |request| {
        if is_token(request) {
            return token_answer(&format!("token-{}", tokens.fetch_add(1, Ordering::SeqCst)));
        }
        match header(request, "authorization") {
            Some("token token-0") => refusal(5011),
            _ => answer(200, TOTAL),
        }
    });
    let late = Late {
        server: server.clone(),
        calls: Arc::default(),
        go: Arc::default(),
    };
    let enterprise = client!(Enterprise, late, TestClock::new()).build().unwrap();
    let product = enterprise.product(KEY, PSECRET);
    let calls = [total(&product), total(&product)].map(tokio::spawn);
    let mut calls = calls.into_iter();
    assert_eq!(calls.next().unwrap().await.unwrap().unwrap(), 31);
    late.go.notify_one();
    assert_eq!(calls.next().unwrap().await.unwrap().unwrap(), 31);
    assert_eq!(server.tokens(), 2);
}

#[tokio::test]
async fn a_token_refused_twice_is_an_error() {
    let server = Server::answers([refusal(5010)]);
    let error = total(&product(&server)).await.unwrap_err();
    assert_eq!(error.code(), Some(ErrorCode::TokenNotMatchProductKey));
    assert_eq!((server.tokens(), server.calls().len()), (2, 2));
}

#[tokio::test]
async fn a_control_goes_again_with_a_new_token() {
    // The server refuses before it looks further, so the device gets it once.
    let server = Server::answers([refusal(5011), answer(200, "{}")]);
    let product = product(&server);
    product
        .device(DID)
        .control_raw([5, 1])
        .send()
        .await
        .unwrap();
    assert_eq!((server.tokens(), server.calls().len()), (2, 2));
}

#[tokio::test]
async fn tokens_are_refreshed_before_they_expire() {
    let day = 86_400;
    let server = Server::new(move |request| {
        if is_token(request) {
            return answer(
                201,
                format!(r#"{{"token":"t","expire_at":{}}}"#, NOW + 7 * day),
            );
        }
        answer(200, TOTAL)
    });
    let (product, clock) = with_clock(&server);
    total(&product).await.unwrap();
    clock.advance(Duration::from_secs(7 * day - 661));
    total(&product).await.unwrap();
    assert_eq!(server.tokens(), 1);
    clock.advance(Duration::from_secs(62));
    total(&product).await.unwrap();
    assert_eq!(server.tokens(), 2);
}

#[tokio::test]
async fn an_old_token_is_better_than_none() {
    let fetches = AtomicUsize::new(0);
    let server = Server::new(move |request| {
        if !is_token(request) {
            return answer(200, TOTAL);
        }
        match fetches.fetch_add(1, Ordering::SeqCst) {
            0 => answer(
                201,
                format!(r#"{{"token":"t","expire_at":{}}}"#, NOW + 3600),
            ),
            _ => answer(502, "<html>"),
        }
    });
    let (product, clock) = with_clock(&server);
    total(&product).await.unwrap();
    clock.advance(Duration::from_secs(3500));
    assert_eq!(total(&product).await.unwrap(), 31);
    clock.advance(Duration::from_secs(3600));
    assert_eq!(total(&product).await.unwrap_err().status(), Some(502));
}

#[tokio::test]
async fn a_refresh_that_fails_is_nobodys_failure_while_the_old_token_is_good() {
    let first = AtomicUsize::new(0);
    let server = Server::new(move |request| {
        if is_token(request) && first.fetch_add(1, Ordering::SeqCst) == 0 {
            let body = format!(r#"{{"token":"t","expire_at":{}}}"#, NOW + 1200);
            return answer(201, body);
        }
        if is_token(request) {
            return answer(400, "<html>down</html>");
        }
        answer(200, TOTAL)
    });
    let (product, clock) = with_clock(&server);
    total(&product).await.unwrap();
    // Good for 500 s more.
    clock.advance(Duration::from_secs(700));
    for result in at_once((0..10).map(|_| total(&product))).await {
        assert_eq!(result.unwrap(), 31);
    }
    // For a minute nobody tries again.
    total(&product).await.unwrap();
    assert_eq!(server.tokens(), 2);
    clock.advance(Duration::from_secs(61));
    total(&product).await.unwrap();
    assert_eq!(server.tokens(), 3);
}

#[tokio::test]
async fn a_new_token_that_has_expired_is_used_until_it_is_refused() {
    let server = Server::new(|request| match is_token(request) {
        true => answer(201, r#"{"token":8675309,"expire_at":1000}"#),
        false if header(request, "authorization") == Some("token 8675309") => answer(200, TOTAL),
        false => refusal(5009),
    });
    let product = product(&server);
    for result in at_once((0..10).map(|_| total(&product))).await {
        assert_eq!(result.unwrap(), 31);
    }
    assert_eq!(server.tokens(), 1);
    // Refused after all, it is not used again.
    let server = Server::new(|request| match is_token(request) {
        true => answer(201, r#"{"token":"old","expire_at":1000}"#),
        false => refusal(5011),
    });
    let error = total(&common::product(&server)).await.unwrap_err();
    assert_eq!(error.code(), Some(ErrorCode::TokenExpired));
    assert_eq!((server.tokens(), server.calls().len()), (2, 2));
}

#[tokio::test]
async fn a_refusal_is_none_the_less_one_on_a_200() {
    let body = r#"{"error_code":5305,"error_message":"device offline!","detail":"","detail_message":null}"#;
    for body in [body.to_owned(), format!("\u{feff}{body}")] {
        for status in [200, 400] {
            let server = Server::answers([answer(status, body.clone())]);
            let call = product(&server).device(DID).control_raw([1]);
            let error = call.send().await.unwrap_err();
            assert_eq!(
                error.code(),
                Some(ErrorCode::DeviceOffline),
                "{status} {body}"
            );
        }
    }
    let body = body.replace("5305", "5009");
    let server = Server::answers([answer(400, body), answer(200, TOTAL)]);
    assert_eq!(total(&product(&server)).await.unwrap(), 31);
    assert_eq!(server.tokens(), 2);
}

#[tokio::test]
async fn tokens_of_a_store_outlive_a_client() {
    let folder = std::env::temp_dir().join(format!("gizwits-client-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir(&folder).unwrap();
    let path = folder.join("tokens");
    let server = Server::answers([answer(200, TOTAL)]);
    let open = || {
        let builder = client!(Enterprise, server, TestClock::new());
        let store = FileStore::new(&path);
        builder
            .token_store(store)
            .build()
            .unwrap()
            .product(KEY, PSECRET)
    };
    total(&open()).await.unwrap();
    total(&open()).await.unwrap();
    assert_eq!(server.tokens(), 1);
    // One that is refused is not used again.
    let server = Server::answers([refusal(5009)]);
    let builder = client!(Enterprise, server, TestClock::new());
    let store = FileStore::new(&path);
    let product = builder
        .token_store(store)
        .build()
        .unwrap()
        .product(KEY, PSECRET);
    total(&product).await.unwrap_err();
    assert_eq!((server.tokens(), server.calls().len()), (1, 2));
    std::fs::remove_dir_all(&folder).unwrap();
}

#[tokio::test]
async fn a_store_is_the_callers_to_share_and_to_test() {
    let store = Arc::new(MemoryStore::default());
    let server = Server::answers([answer(200, TOTAL)]);
    let builder = client!(Enterprise, server, TestClock::new());
    let builder = builder.token_store(Arc::clone(&store));
    let enterprise = builder.build().unwrap();
    let call = enterprise.product(KEY, PSECRET).user_reports().total();
    // A call may be kept and sent again.
    call.clone().send().await.unwrap();
    call.send().await.unwrap();
    let key = TokenKey::new(common::EID, KEY);
    let token = store.load(&key).unwrap().unwrap();
    assert_eq!(token.value.expose_secret(), TOKEN);
    store.remove(&key).unwrap();
    assert!(store.load(&key).unwrap().is_none());
    // Ids from whatever text there is.
    let text = KEY.to_owned();
    let parsed: ProductKey = text.parse().unwrap();
    assert_eq!(ProductKey::from(&text), parsed);
}

#[tokio::test]
async fn access_token_gives_one_to_take_away() {
    let server = Server::answers([answer(200, TOTAL)]);
    let token = product(&server).access_token().send().await.unwrap();
    assert_eq!(token.value.expose_secret(), TOKEN);
    assert_eq!(token.expires_at, Timestamp::from_seconds(1_893_456_000));
}
