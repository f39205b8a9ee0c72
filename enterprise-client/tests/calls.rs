//! Tokens, quota, retries and fallback paths, decided without a socket.

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use common::{
    DID, KEY, NOW, PSECRET, Server, TOKEN, TestClock, answer, client, enterprise, fixture, header,
    is_token, path, product, refusal, token_answer, with_headers,
};
use gizwits_enterprise_client::http::{
    Answer, Answering, Failure, FailureKind, Request, Transport,
};
use gizwits_enterprise_client::{
    Async, Call, Enterprise, Error, ErrorCode, ExposeSecret as _, FileStore, Limiter, MemoryStore,
    Method, Operation, Product, ProductKey, RateLimited, RetryPolicy, Timestamp, TokenKey,
    TokenStore as _, endpoint,
};
use serde_json::json;

const TOTAL: &str = r#"{"gid":null,"total":31}"#;

fn total(product: &Product) -> impl Future<Output = Result<u64, Error>> + Send + use<> {
    let call = product.user_reports().total();
    async move { Ok(call.send().await?.total.unwrap_or(0)) }
}

/// Many at once; the results in the order of their calls.
async fn at_once<T: Send + 'static>(
    calls: impl IntoIterator<Item = impl Future<Output = T> + Send + 'static>,
) -> Vec<T> {
    let tasks: Vec<_> = calls.into_iter().map(tokio::spawn).collect();
    let mut results = Vec::new();
    for task in tasks {
        results.push(task.await.unwrap());
    }
    results
}

fn with_clock(server: &Server) -> (Product, TestClock) {
    let clock = TestClock::new();
    let enterprise = client!(Enterprise, server, clock).build().unwrap();
    (enterprise.product(KEY, PSECRET), clock)
}

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
    fn send(&self, request: Request) -> Answering<'_> {
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

/// A call that would have to wait for longer than these seconds.
async fn limited(product: &Product, max_wait: u64) -> Box<RateLimited> {
    let call = product.user_reports().total();
    let call = call.max_wait(Duration::from_secs(max_wait));
    match call.send().await.unwrap_err() {
        Error::RateLimited(error) => error,
        error => panic!("{error}"),
    }
}

#[tokio::test]
async fn the_quota_is_waited_for_as_long_as_the_caller_likes() {
    let reset = (NOW + 40).to_string();
    let refused = || {
        let headers = [
            ("X-RateLimit-Limit", "60"),
            ("X-RateLimit-Remaining", "0"),
            ("X-RateLimit-Reset", &reset),
        ];
        with_headers(
            403,
            &headers,
            r#"{"error_code":5013,"error_message":"API call rate limit execeed quota"}"#,
        )
    };
    let server = Server::answers([refused(), answer(200, TOTAL)]);
    let (product, clock) = with_clock(&server);
    assert_eq!(total(&product).await.unwrap(), 31);
    assert_eq!(clock.waits(), [Duration::from_secs(40)]);

    let server = Server::answers([refused()]);
    let (product, clock) = with_clock(&server);
    let error = limited(&product, 30).await;
    assert_eq!(error.reset_at, Timestamp::from_seconds(NOW as i64 + 40));
    assert_eq!(
        error.refusal.map(|refusal| refusal.code),
        Some(ErrorCode::RateLimitExceeded)
    );
    // What is known to be used up costs no call.
    let error = limited(&product, 30).await;
    assert!(error.refusal.is_none());
    assert_eq!((server.calls().len(), clock.waits().len()), (1, 0));
    assert!(
        error
            .to_string()
            .ends_with("it is reset at 2024-01-02T00:00:40Z"),
        "{error:?}"
    );
    let known = product.enterprise().rate_limit();
    assert_eq!((known.limit, known.remaining), (Some(60), Some(0)));
}

#[tokio::test]
async fn retry_after_and_a_guess_stand_in_for_the_reset() {
    let body = r#"{"error_code":5013}"#;
    let server = Server::answers([
        with_headers(403, &[("Retry-After", "7")], body),
        with_headers(403, &[], body),
        answer(200, TOTAL),
    ]);
    let (product, clock) = with_clock(&server);
    let call = product
        .user_reports()
        .total()
        .max_wait(Duration::from_secs(600));
    call.send().await.unwrap();
    let waits: Vec<u64> = clock.waits().iter().map(Duration::as_secs).collect();
    assert_eq!(waits, [7, 120]);
}

fn limited_for(seconds: u64) -> Result<Answer, Failure> {
    let seconds = seconds.to_string();
    with_headers(403, &[("Retry-After", &seconds)], r#"{"error_code":5013}"#)
}

#[tokio::test]
async fn a_call_has_one_patience_for_all_its_requests() {
    let (tokens, calls) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let server = Server::new(move |request| {
        let (count, after) = match is_token(request) {
            true => (&tokens, token_answer(TOKEN)),
            false => (&calls, answer(200, TOTAL)),
        };
        match count.fetch_add(1, Ordering::SeqCst) {
            0 => limited_for(55),
            _ => after,
        }
    });
    let (product, clock) = with_clock(&server);
    // 55 s for the token, and not as many again for the call.
    let error = limited(&product, 60).await;
    assert!(error.refusal.is_some());
    assert_eq!(clock.waits(), [Duration::from_secs(55)]);
    clock.advance(Duration::from_secs(55));
    assert_eq!(total(&product).await.unwrap(), 31);
}

/// A clock whose waits last until they are let go.
#[derive(Clone)]
struct Held(TestClock, Arc<tokio::sync::Notify>);

impl gizwits_enterprise_client::Clock for Held {
    fn now(&self) -> std::time::SystemTime {
        self.0.now()
    }

    fn sleep(&self, duration: Duration) -> gizwits_enterprise_client::Sleep {
        let held = self.clone();
        Box::pin(async move {
            held.1.notified().await;
            held.0.sleep(duration).await;
        })
    }
}

#[tokio::test]
async fn nobody_hangs_behind_one_who_waits() {
    // For the quota, or for a gateway that says how long; before the token, or before the definition.
    let busy = || with_headers(503, &[("Retry-After", "4")], "busy");
    let quota = || limited_for(4);
    let faults: [fn() -> Result<Answer, Failure>; 2] = [quota, busy];
    for fault in faults {
        for at_the_token in [true, false] {
            if !at_the_token && !cfg!(feature = "codec") {
                continue;
            }
            let count = AtomicUsize::new(0);
            let server = Server::new(move |request| {
                if is_token(request) == at_the_token && count.fetch_add(1, Ordering::SeqCst) == 0 {
                    return fault();
                }
                match is_token(request) {
                    true => token_answer(TOKEN),
                    false => answer(200, fixture(endpoint::DATAPOINT.id)),
                }
            });
            let clock = Held(TestClock::new(), Arc::default());
            let enterprise = client!(Enterprise, server, clock).build().unwrap();
            let product = enterprise.product(KEY, PSECRET);
            let call = |wait| {
                let control = product.device(DID).control(json!({"switch": true}));
                control.max_wait(Duration::from_secs(wait)).send()
            };
            let patient = [tokio::spawn(call(60)), tokio::spawn(call(60))];
            for _ in 0..50 {
                tokio::task::yield_now().await;
            }
            let before = server.requests().len();
            let hasty = tokio::spawn(call(0));
            for _ in 0..50 {
                tokio::task::yield_now().await;
            }
            assert!(hasty.is_finished());
            hasty.await.unwrap().unwrap_err();
            assert_eq!(server.requests().len(), before, "it was told already");
            clock.1.notify_waiters();
            for call in patient {
                call.await.unwrap().unwrap();
            }
            // The fault, and each once.
            let all = if cfg!(feature = "codec") { 5 } else { 4 };
            assert_eq!(server.requests().len(), all);
        }
    }
}

#[tokio::test]
async fn the_quota_is_asked_again_as_often_as_the_policy_says() {
    // A reset that is over, or none at all, is no reset.
    for headers in [
        &[("X-RateLimit-Reset", "1")][..],
        &[("Retry-After", "0")],
        &[],
    ] {
        let server = Server::answers([with_headers(403, headers, r#"{"error_code":5013}"#)]);
        for (policy, waits) in [
            (RetryPolicy::NONE, &[][..]),
            (RetryPolicy::default(), &[60, 120]),
            (RetryPolicy::default().attempts(4), &[60, 120, 240]),
        ] {
            let (product, clock) = with_clock(&server);
            let before = server.calls().len();
            let call = product.device(DID).control_raw([1]).retry(policy);
            let error = call.max_wait(Duration::from_secs(9999)).send().await;
            assert!(matches!(error, Err(Error::RateLimited(_))));
            let waited: Vec<u64> = clock.waits().iter().map(Duration::as_secs).collect();
            assert_eq!(waited, waits, "{headers:?}");
            assert_eq!(server.calls().len() - before, waits.len() + 1);
        }
    }
}

#[tokio::test]
async fn all_products_share_the_quota() {
    let server = Server::answers([answer(200, TOTAL)]);
    let limiter = Limiter::per_hour(4);
    let client = client!(Enterprise, server, TestClock::new()).limiter(limiter.clone());
    let enterprise = client.build().unwrap();
    // A token and a call each.
    total(&enterprise.product("a", "s")).await.unwrap();
    total(&enterprise.product("b", "s")).await.unwrap();
    let error = total(&enterprise.product("a", "s")).await.unwrap_err();
    assert!(matches!(error, Error::RateLimited(_)), "{error}");
    assert_eq!(server.requests().len(), 4);
    assert_eq!(limiter.rate_limit().remaining, Some(0));
}

#[tokio::test]
async fn the_servers_clock_counts() {
    // Ours is a day late: by it, the token would live a day longer.
    let date = ("Date", "Wed, 03 Jan 2024 00:00:00 GMT");
    let server = Server::new(move |request| {
        if is_token(request) {
            let body = format!(r#"{{"token":"t","expire_at":{}}}"#, NOW + 86_400 + 7200);
            return with_headers(201, &[date], &body);
        }
        if header(request, "authorization").is_some() {
            let reset = (NOW + 86_400 + 40).to_string();
            return with_headers(
                403,
                &[date, ("X-RateLimit-Reset", &reset)],
                r#"{"error_code":5013}"#,
            );
        }
        answer(200, "{}")
    });
    let (product, clock) = with_clock(&server);
    let error = limited(&product, 60).await;
    assert_eq!(clock.waits().first(), Some(&Duration::from_secs(40)));
    assert!(error.reset_at > Timestamp::from_seconds(NOW as i64 + 86_400));
    assert_eq!(product.enterprise().now().date().to_string(), "2024-01-03");
    assert_eq!(server.tokens(), 1);
}

#[tokio::test]
async fn a_wrong_clock_of_a_server_locks_nobody_out() {
    const LOG: &str = r#"{"meta":{"total":0},"objects":[]}"#;
    let far = [
        "Thu, 01 Jan 1970 00:00:10 GMT",
        "Wed, 01 Jan 2025 00:00:00 GMT",
        "Fri, 31 Dec 9999 23:59:59 GMT",
    ];
    let odd: [(u16, &str); 3] = [(502, "<html>"), (200, LOG), (200, "<html>log in</html>")];
    for date in far {
        for (status, body) in odd {
            // Once, or for ever.
            for times in [1, usize::MAX] {
                let count = AtomicUsize::new(0);
                let server = Server::new(move |request| {
                    if is_token(request) {
                        return token_answer(TOKEN);
                    }
                    match count.fetch_add(1, Ordering::SeqCst) {
                        n if n < times => with_headers(status, &[("Date", date)], body),
                        _ => with_headers(200, &[("Date", "Tue, 02 Jan 2024 00:00:00 GMT")], LOG),
                    }
                });
                let (product, _) = with_clock(&server);
                for n in 1..=4 {
                    let log = product.device(DID).data().retry(RetryPolicy::NONE);
                    let hour = (NOW as i64 - 3600, NOW as i64);
                    let hour = (
                        Timestamp::from_seconds(hour.0),
                        Timestamp::from_seconds(hour.1),
                    );
                    let sent = log.between(hour.0, hour.1).send().await;
                    assert!(!matches!(sent, Err(Error::Invalid(_))), "{date} {sent:?}");
                    assert_eq!(server.calls().len(), n, "{date} {body}");
                }
                assert_eq!(server.tokens(), 1, "{date} {body} {times}");
                if times == 1 || body != LOG {
                    assert_eq!(product.enterprise().now().date().to_string(), "2024-01-02");
                }
            }
        }
    }
}

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
            .control(json!({"switch": true}));
        assert!(!call.send().await.unwrap_err().may_have_arrived());
    }
    // An attempt that may have arrived is not forgotten over the next ones.
    let later: [fn() -> Result<Answer, Failure>; 4] = [
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
