//! One call from first to last, without a socket or a clock of its own: it says what to do next, and
//! is told what came of it. Tokens, quota, retries and fallback paths are decided here alone.

use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use crate::answer;
use crate::code::{ErrorCode, Repeat};
use crate::core::{Core, ProductCore};
use crate::endpoint::{self, Auth, Endpoint};
use crate::error::{ApiError, Error, RateLimited, TransportError};
use crate::http::{Answer, Failure, FailureKind, Request, Secret};
use crate::limiter::{HOUR, Permit};
use crate::redact;
use crate::retry::{Budget, RetryPolicy};
use crate::time::Timestamp;
use crate::token::{Token, TokenAnswer};

/// What is asked for, before it becomes a request.
#[derive(Clone)]
pub struct Parts {
    pub(crate) endpoint: Endpoint,
    /// In place of the endpoint's own paths.
    pub(crate) template: Option<String>,
    pub(crate) path: Vec<(&'static str, String)>,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) body: Option<String>,
    /// The MACs or dids that it is about, of a list that may take several requests.
    pub(crate) about: Vec<String>,
}

impl Parts {
    pub(crate) fn new(endpoint: Endpoint) -> Self {
        Parts {
            endpoint,
            template: None,
            path: Vec::new(),
            query: Vec::new(),
            body: None,
            about: Vec::new(),
        }
    }

    /// Puts a parameter into the query, in place of one of the same name.
    pub(crate) fn set(&mut self, name: &str, value: impl Into<String>) {
        self.query.retain(|(one, _)| one != name);
        self.query.push((name.to_owned(), value.into()));
    }

    /// The one path that answers, or those to try.
    fn templates<'a>(&'a self, core: &'a Core) -> Vec<&'a str> {
        let given = core.settings.paths.get(self.endpoint.id);
        match self.template.as_ref().or(given) {
            Some(template) => vec![template.as_str()],
            None => self.endpoint.templates.to_vec(),
        }
    }

    /// The whole request, by this one of the paths.
    pub(crate) fn request(
        &self,
        core: &Core,
        product: Option<&ProductCore>,
        token: Option<&SecretString>,
        route: usize,
    ) -> Result<Request, Error> {
        let templates = self.templates(core);
        let template = templates.get(route).copied().unwrap_or_default();
        let mut path = template.to_owned();
        let key = product.map(|product| ("product_key", product.key.as_str()));
        let own = self
            .path
            .iter()
            .map(|(name, value)| (*name, value.as_str()));
        for (name, value) in own.chain(key) {
            let place = format!("{{{name}}}");
            if !path.contains(&place) {
                continue;
            }
            // A server or proxy would walk the path by the latter two.
            if matches!(value, "" | "." | "..") {
                return Err(Error::invalid(format!(
                    "`{value}` can't be the {name} of a path"
                )));
            }
            path = path.replace(&place, &redact::encode(value));
        }
        let mut headers = vec![("accept", "application/json".to_owned())];
        // All that there are, wherever they stand: a server may echo what it was sent before.
        let mut secrets = vec![Secret {
            value: core.settings.secret.clone(),
            variable: "GIZWITS_ENTERPRISE_SECRET",
        }];
        secrets.extend(product.map(|product| Secret {
            value: product.secret.clone(),
            variable: "GIZWITS_PRODUCT_SECRET",
        }));
        match self.endpoint.auth {
            Auth::Body => {}
            Auth::Token => {
                let token = token.cloned().unwrap_or_default();
                headers.push(("authorization", format!("token {}", token.expose_secret())));
                secrets.push(Secret {
                    value: token,
                    variable: "GIZWITS_TOKEN",
                });
            }
            Auth::Enterprise => {
                headers.push(("x-gizwits-enterprise-id", core.settings.id.to_string()));
                let secret = core.settings.secret.expose_secret().to_owned();
                headers.push(("x-gizwits-enterprise-secret", secret));
            }
        }
        if self.body.is_some() {
            headers.push(("content-type", "application/json".to_owned()));
        }
        Ok(Request {
            method: self.endpoint.method,
            base: core.settings.base.clone(),
            path,
            query: self.query.clone(),
            headers,
            body: self.body.clone().map(String::into_bytes),
            secrets,
        })
    }
}

/// The request for a token.
pub(crate) fn token_parts(core: &Core, product: &ProductCore) -> Parts {
    let mut parts = Parts::new(endpoint::ACCESS_TOKEN);
    let body = json!({
        "enterprise_id": core.settings.id,
        "enterprise_secret": core.settings.secret.expose_secret(),
        "product_secret": product.secret.expose_secret(),
    });
    parts.body = Some(body.to_string());
    parts
}

/// What a caller may change for one call.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Options {
    pub(crate) retry: Option<RetryPolicy>,
    pub(crate) max_wait: Option<Duration>,
    pub(crate) repeatable: Option<bool>,
}

impl Options {
    /// For the token or the definition that a call needs first.
    pub(crate) fn of_another(self) -> Self {
        Options {
            repeatable: None,
            ..self
        }
    }
}

/// What to do next.
pub(crate) enum Turn {
    /// Get hold of the product's gate and come back.
    Gate,
    /// Let the time pass and come back.
    Wait(Duration),
    /// Send this, tell what came of it with [`Exchange::answered`], and come back.
    Send(Request),
    /// It is over.
    Done(Result<(Request, Answer), Error>),
}

pub(crate) struct Exchange<'a> {
    core: &'a Core,
    product: Option<&'a ProductCore>,
    parts: Parts,
    policy: RetryPolicy,
    max_wait: Duration,
    repeatable: bool,
    options: Options,
    token: Option<Token>,
    renewed: bool,
    /// Getting a token is an exchange of its own.
    fetch: Option<Box<Exchange<'a>>>,
    /// The count of fetches when this one began to wait for the gate.
    seen: u64,
    routes: Vec<usize>,
    tried: usize,
    failures: u32,
    limited: u32,
    spent: u32,
    waited: Duration,
    sent: Option<(Request, Permit)>,
    next: Option<Turn>,
    /// How often something was sent.
    sends: u32,
}

impl<'a> Exchange<'a> {
    pub(crate) fn new(
        core: &'a Core,
        product: Option<&'a ProductCore>,
        parts: Parts,
        options: Options,
    ) -> Self {
        let count = parts.templates(core).len();
        let first = core
            .route(&parts.endpoint)
            .filter(|route| *route < count)
            .unwrap_or(0);
        let others = (0..count).filter(|route| *route != first);
        Exchange {
            core,
            product,
            policy: options.retry.unwrap_or(core.settings.retry),
            max_wait: options.max_wait.unwrap_or(core.settings.max_wait),
            repeatable: options.repeatable.unwrap_or(parts.endpoint.repeatable),
            options,
            routes: std::iter::once(first).chain(others).collect(),
            parts,
            token: None,
            renewed: false,
            fetch: None,
            seen: 0,
            tried: 0,
            failures: 0,
            limited: 0,
            spent: 0,
            waited: Duration::ZERO,
            sent: None,
            next: None,
            sends: 0,
        }
    }

    /// Whether a token is being fetched, for which the gate is to be held.
    pub(crate) fn is_fetching(&self) -> bool {
        self.fetch.is_some()
    }

    /// The endpoint of the request that is sent now.
    pub(crate) fn endpoint(&self) -> &Endpoint {
        match &self.fetch {
            Some(fetch) => fetch.endpoint(),
            None => &self.parts.endpoint,
        }
    }

    /// How often the request that is sent now was sent before.
    pub(crate) fn resends(&self) -> u32 {
        match &self.fetch {
            Some(fetch) => fetch.resends(),
            None => self.sends.saturating_sub(1),
        }
    }

    /// What to do next; `gate` tells whether the product's gate is held.
    pub(crate) fn turn(&mut self, gate: bool) -> Turn {
        if let Some(next) = self.next.take() {
            return next;
        }
        if self.parts.endpoint.auth == Auth::Token && self.token.is_none() {
            match self.obtain_token(gate) {
                Ok(token) => self.token = Some(token),
                Err(turn) => return *turn,
            }
        }
        let now = self.core.now();
        let permit = match self.core.settings.limiter.acquire(now) {
            Ok(permit) => permit,
            Err(reset) => {
                return match self.wait_until(reset, reset.since(now), None) {
                    Ok(wait) => Turn::Wait(wait),
                    Err(error) => Turn::Done(Err(error)),
                };
            }
        };
        let token = self.token.as_ref().map(|token| &token.value);
        match self
            .parts
            .request(self.core, self.product, token, self.route())
        {
            Ok(request) => {
                self.sends = self.sends.saturating_add(1);
                self.sent = Some((request.clone(), permit));
                Turn::Send(request)
            }
            Err(error) => Turn::Done(Err(error)),
        }
    }

    fn route(&self) -> usize {
        self.routes.get(self.tried).copied().unwrap_or(0)
    }

    /// A token, or what to do to get one.
    fn obtain_token(&mut self, gate: bool) -> Result<Token, Box<Turn>> {
        let (core, now) = (self.core, self.core.now());
        let Some(product) = self.product else {
            let message = "a call with a token needs a product: begin at `enterprise.product(…)`";
            return Err(Box::new(Turn::Done(Err(Error::invalid(message)))));
        };
        if self.fetch.is_none() {
            if let Some(token) = product.fresh_token(now) {
                return Ok(token);
            }
            if !gate {
                self.seen = product.fetches();
                return Err(Box::new(Turn::Gate));
            }
            if let Some(error) = product.failed_since(self.seen) {
                return Err(Box::new(Turn::Done(Err(error))));
            }
            if let Some(token) = core.stored_token(product) {
                return Ok(token);
            }
        }
        let options = self.options.of_another();
        let fetch = self.fetch.get_or_insert_with(|| {
            let parts = token_parts(core, product);
            Box::new(Exchange::new(core, Some(product), parts, options))
        });
        let result = match fetch.turn(gate) {
            Turn::Done(result) => result,
            turn => return Err(Box::new(turn)),
        };
        self.fetch = None;
        let token = result.and_then(|(request, answer)| read_token(&request, &answer, core.now()));
        match token {
            Ok(token) => {
                core.keep_token(product, &token);
                Ok(token)
            }
            Err(error) => {
                // How long a caller waits for the quota is its own affair.
                if !matches!(error, Error::RateLimited(_)) {
                    product.fetch_failed(&error);
                }
                // One that would do is better than none.
                let valid = product.valid_token(now);
                valid.ok_or_else(|| Box::new(Turn::Done(Err(error))))
            }
        }
    }

    /// Tells what came of a [`Turn::Send`]; the code, if it was refused.
    pub(crate) fn answered(&mut self, result: Result<Answer, Failure>) -> Option<ErrorCode> {
        if let Some(fetch) = &mut self.fetch {
            return fetch.answered(result);
        }
        let (request, permit) = self.sent.take()?;
        let mut code = None;
        let next = match result {
            Ok(answer) => {
                self.core.observe_clock(&answer);
                self.core
                    .settings
                    .limiter
                    .observe(permit, &answer, self.core.now());
                let refusal = answer::refusal(&request, &answer);
                code = refusal.as_ref().map(|refusal| refusal.code);
                match refusal {
                    Some(refusal) => self.refused(refusal, &answer),
                    None => self.judge(request, answer),
                }
            }
            Err(failure) => self.failed(&request, failure),
        };
        self.next = match next {
            Ok(None) => None,
            Ok(Some(wait)) => Some(Turn::Wait(wait)),
            Err(done) => Some(Turn::Done(*done)),
        };
        code
    }

    /// Ends with the result, or goes on, perhaps after a wait.
    fn judge(&mut self, request: Request, answer: Answer) -> Verdict {
        if answer.is_success() {
            self.core.budget.give_back(self.spent);
            self.core.remember_route(&self.parts.endpoint, self.route());
            return Err(Box::new(Ok((request, answer))));
        }
        // A page of the server's router, not of the API: there is no such path.
        if answer.status() == 404 && self.tried + 1 < self.routes.len() {
            self.tried += 1;
            return Ok(None);
        }
        let error = answer::unexpected(&request, &answer);
        let passing = matches!(answer.status(), 408 | 429 | 500 | 502 | 503 | 504);
        if passing && self.repeatable {
            return self.again(Budget::COST, retry_after(&answer, self.core.now()), error);
        }
        Err(Box::new(Err(error)))
    }

    fn refused(&mut self, refusal: ApiError, answer: &Answer) -> Verdict {
        // The path is there, whatever it says.
        self.core.remember_route(&self.parts.endpoint, self.route());
        match refusal.code.repeat() {
            // The server looked at the token and at nothing else, so even a control may go again.
            Repeat::NewToken if !self.renewed => {
                if let (Some(product), Some(token)) = (self.product, self.token.take()) {
                    self.core.drop_token(product, &token);
                    self.renewed = true;
                    return Ok(None);
                }
            }
            Repeat::WhenReset => {
                let now = self.core.now();
                let reset = answer
                    .header("x-ratelimit-reset")
                    .and_then(|text| text.trim().parse().ok());
                let reset = reset.map(|reset| Timestamp::from_seconds(reset).since(now));
                // Without a word, a minute, then two, then four.
                let guess =
                    Duration::from_secs(60).saturating_mul(2_u32.saturating_pow(self.limited));
                let wait = retry_after(answer, now).or(reset).unwrap_or(guess);
                let wait = wait.clamp(Duration::from_secs(1), HOUR);
                self.limited = self.limited.saturating_add(1);
                let reset = now.plus(wait);
                self.core.settings.limiter.exhausted(reset);
                return match self.wait_until(reset, wait, Some(refusal)) {
                    Ok(wait) => Ok(Some(wait)),
                    Err(error) => Err(Box::new(Err(error))),
                };
            }
            Repeat::Soon | Repeat::IfHarmless if self.repeatable => {
                return self.again(Budget::COST, None, Error::Api(Box::new(refusal)));
            }
            _ => {}
        }
        Err(Box::new(Err(Error::Api(Box::new(refusal)))))
    }

    fn failed(&mut self, request: &Request, failure: Failure) -> Verdict {
        let kind = failure.kind;
        let error = Error::Transport(Box::new(TransportError {
            attempts: self.sends,
            target: request.target(),
            failure,
        }));
        match kind {
            FailureKind::Connect => self.again(Budget::COST, None, error),
            FailureKind::Timeout if self.repeatable => self.again(Budget::TIMEOUT, None, error),
            FailureKind::Broken if self.repeatable => self.again(Budget::COST, None, error),
            _ => Err(Box::new(Err(error))),
        }
    }

    /// Another attempt, if policy and budget allow it.
    fn again(&mut self, cost: u32, least: Option<Duration>, error: Error) -> Verdict {
        self.failures = self.failures.saturating_add(1);
        let least = least.unwrap_or(Duration::ZERO);
        if self.failures >= self.policy.attempts
            || least > self.max_wait
            || !self.core.budget.take(cost)
        {
            return Err(Box::new(Err(error)));
        }
        self.spent = self.spent.saturating_add(cost);
        let wait = self.policy.wait(self.failures, self.core.chance());
        Ok(Some(wait.max(least)))
    }

    /// How long to wait for the quota, if the caller waits so long.
    fn wait_until(
        &mut self,
        reset_at: Timestamp,
        wait: Duration,
        refusal: Option<ApiError>,
    ) -> Result<Duration, Error> {
        let waited = self.waited.saturating_add(wait);
        if waited <= self.max_wait {
            self.waited = waited;
            return Ok(wait);
        }
        let target = match &refusal {
            Some(refusal) => refusal.target.clone(),
            None => self
                .parts
                .request(self.core, self.product, None, self.route())?
                .target(),
        };
        Err(Error::RateLimited(Box::new(RateLimited {
            reset_at,
            refusal,
            target,
        })))
    }
}

/// Go on, after a wait or at once; or the end.
type Verdict = Result<Option<Duration>, Box<Result<(Request, Answer), Error>>>;

pub(crate) fn read_token(
    request: &Request,
    answer: &Answer,
    now: Timestamp,
) -> Result<Token, Error> {
    let token: TokenAnswer = answer::json(request, answer)?;
    Ok(token.token(now))
}

/// Seconds, or a date.
fn retry_after(answer: &Answer, now: Timestamp) -> Option<Duration> {
    let text = answer.header("retry-after")?.trim();
    match text.parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => {
            let date = httpdate::parse_http_date(text).ok()?;
            Some(Timestamp::from(date).since(now))
        }
    }
}
