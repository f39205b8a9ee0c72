//! The rate limit and the waits for its reset, tested without a socket.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use gizwits_enterprise_client::http::{Failure, Response};
use gizwits_enterprise_client::{
    Enterprise, Error, ErrorCode, Limiter, Product, RateLimited, RetryPolicy, Timestamp, endpoint,
};
use serde_json::json;

use crate::common::*;

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
    let faults: [fn() -> Result<Response, Failure>; 2] = [quota, busy];
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
