//! A server in memory, and a clock that only moves when it is waited for.
#![allow(dead_code, unused_imports)]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use gizwits_enterprise_client::endpoint::Endpoint;
use gizwits_enterprise_client::http::{Failure, Request, Response, ResponseFuture, Transport};
use gizwits_enterprise_client::{Clock, Enterprise, Error, Product, Sleep};

pub(crate) const EID: &str = "enterprise-1";
pub(crate) const ESECRET: &str = "enterprise-secret-1";
pub(crate) const KEY: &str = "3f1c5b7a9d2e4860b1a3c5d7e9f00112";
pub(crate) const PSECRET: &str = "product-secret-1";
pub(crate) const TOKEN: &str = "0a1b2c3d4e5f60718293a4b5c6d7e8f9";
pub(crate) const DID: &str = "aB3dE6gH9jK2mN5pQ8sT1v";
/// 2024-01-02T00:00:00Z
pub(crate) const NOW: u64 = 1_704_153_600;

/// Our own answer to an endpoint.
pub(crate) fn fixture(id: &str) -> String {
    let path = format!("{}/tests/answers/{id}.json", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

pub(crate) fn answer(status: u16, body: impl Into<Vec<u8>>) -> Result<Response, Failure> {
    Ok(Response::new(status, [], body))
}

pub(crate) fn with_headers(
    status: u16,
    headers: &[(&str, &str)],
    body: &str,
) -> Result<Response, Failure> {
    let headers = headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Ok(Response::new(status, headers, body))
}

pub(crate) fn refusal(code: u32) -> Result<Response, Failure> {
    answer(
        400,
        format!(r#"{{"error_code":{code},"error_message":"","detail_message":null}}"#),
    )
}

pub(crate) fn token_answer(token: &str) -> Result<Response, Failure> {
    answer(
        201,
        format!(r#"{{"token":"{token}","expire_at":1893456000}}"#),
    )
}

type Rule = dyn Fn(&Request) -> Result<Response, Failure> + Send + Sync;

/// Answers by a rule, and remembers what it was asked.
#[derive(Clone)]
pub(crate) struct Server {
    rule: Arc<Rule>,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    pub(crate) fn new(
        rule: impl Fn(&Request) -> Result<Response, Failure> + Send + Sync + 'static,
    ) -> Self {
        Server {
            rule: Arc::new(rule),
            requests: Arc::default(),
        }
    }

    /// Gives tokens, and these answers to the rest, one after the other; the last for ever.
    pub(crate) fn answers(answers: impl IntoIterator<Item = Result<Response, Failure>>) -> Self {
        let answers: Mutex<VecDeque<_>> = Mutex::new(answers.into_iter().collect());
        Server::new(move |request| {
            if is_token(request) {
                return token_answer(TOKEN);
            }
            let mut answers = answers.lock().unwrap();
            if answers.len() > 1 {
                answers.pop_front().unwrap()
            } else {
                match answers.front().unwrap() {
                    Ok(answer) => Ok(answer.clone()),
                    Err(failure) => Err(Failure::new(failure.kind)),
                }
            }
        })
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    /// All but the token's.
    pub(crate) fn calls(&self) -> Vec<Request> {
        self.requests()
            .into_iter()
            .filter(|request| !is_token(request))
            .collect()
    }

    pub(crate) fn tokens(&self) -> usize {
        self.requests()
            .iter()
            .filter(|request| is_token(request))
            .count()
    }
}

impl Transport for Server {
    fn send(&self, request: Request) -> ResponseFuture<'_> {
        let answer = (self.rule)(&request);
        self.requests.lock().unwrap().push(request);
        Box::pin(async move {
            tokio::task::yield_now().await;
            answer
        })
    }
}

pub(crate) fn is_token(request: &Request) -> bool {
    request.path().ends_with("/access_token")
}

pub(crate) fn header<'r>(request: &'r Request, name: &str) -> Option<&'r str> {
    request
        .headers()
        .find(|(one, _)| *one == name)
        .map(|(_, value)| value)
}

/// Begins at [`NOW`]; whoever waits moves it.
#[derive(Clone)]
pub(crate) struct TestClock(Arc<Mutex<(SystemTime, Vec<Duration>)>>);

impl TestClock {
    pub(crate) fn new() -> Self {
        let now = UNIX_EPOCH + Duration::from_secs(NOW);
        TestClock(Arc::new(Mutex::new((now, Vec::new()))))
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.0.lock().unwrap().0 += by;
    }

    /// How long was waited, each time.
    pub(crate) fn waits(&self) -> Vec<Duration> {
        self.0.lock().unwrap().1.clone()
    }
}

impl Clock for TestClock {
    fn now(&self) -> SystemTime {
        self.0.lock().unwrap().0
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        let mut clock = self.0.lock().unwrap();
        clock.0 += duration;
        clock.1.push(duration);
        Box::pin(tokio::task::yield_now())
    }
}

macro_rules! client {
    ($builder:ty, $server:expr, $clock:expr) => {
        <$builder>::builder()
            .id($crate::common::EID)
            .secret($crate::common::ESECRET)
            .base_url("https://api.example.com")
            .transport($server.clone())
            .clock($clock.clone())
    };
}

pub(crate) use client;

/// A client of this server.
pub(crate) fn enterprise(server: &Server) -> Enterprise {
    client!(Enterprise, server, TestClock::new())
        .build()
        .unwrap()
}

pub(crate) fn product(server: &Server) -> Product {
    enterprise(server).product(KEY, PSECRET)
}

/// The endpoint's path with our key.
pub(crate) fn path(endpoint: &Endpoint) -> String {
    endpoint.path().replace("{product_key}", KEY)
}

/// 31 users.
pub(crate) const TOTAL: &str = r#"{"gid":null,"total":31}"#;

/// A call that answers 31.
pub(crate) fn total(product: &Product) -> impl Future<Output = Result<u64, Error>> + Send + use<> {
    let call = product.user_reports().total();
    async move { Ok(call.send().await?.total.unwrap_or(0)) }
}

/// Many at once; the results in the order of their calls.
pub(crate) async fn at_once<T: Send + 'static>(
    calls: impl IntoIterator<Item = impl Future<Output = T> + Send + 'static>,
) -> Vec<T> {
    let tasks: Vec<_> = calls.into_iter().map(tokio::spawn).collect();
    let mut results = Vec::new();
    for task in tasks {
        results.push(task.await.unwrap());
    }
    results
}

/// A product, and the clock that it goes by.
pub(crate) fn with_clock(server: &Server) -> (Product, TestClock) {
    let clock = TestClock::new();
    let enterprise = client!(Enterprise, server, clock).build().unwrap();
    (enterprise.product(KEY, PSECRET), clock)
}

/// A refusal for want of quota, for so many seconds.
pub(crate) fn limited_for(seconds: u64) -> Result<Response, Failure> {
    let seconds = seconds.to_string();
    with_headers(403, &[("Retry-After", &seconds)], r#"{"error_code":5013}"#)
}
