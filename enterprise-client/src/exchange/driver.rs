//! One call from first to last, without a socket or a clock of its own: it says what to do next, and
//! is told what came of it. Tokens, quota, retries and fallback paths are decided here alone.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use crate::code::{ErrorCode, Repeat};
use crate::endpoint::{self, Auth, Endpoint};
use crate::error::{ApiError, Error, RateLimited, TransportError};
use crate::exchange::answer;
use crate::exchange::limiter::{HOUR, Permit};
use crate::exchange::retry::{Budget, RetryPolicy};
use crate::exchange::session::{Core, ProductCore, Told};
use crate::exchange::token::{Token, TokenAnswer};
use crate::http::redaction;
use crate::http::{Answer, Failure, FailureKind, Request, Secret};
use crate::model::time::Timestamp;

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
            path = path.replace(&place, &redaction::encode(value));
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
            template: template.to_owned(),
            path,
            query: self.query.clone(),
            headers,
            body: self.body.clone().map(String::into_bytes),
            secrets,
            repeatable: self.endpoint.repeatable,
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

/// How long a call may still wait for what the server tells it to wait for, over all its requests.
pub(crate) struct Patience(Mutex<Duration>);

impl Patience {
    pub(crate) fn new(core: &Core, options: Options) -> Self {
        Patience(Mutex::new(
            options.max_wait.unwrap_or(core.settings.max_wait),
        ))
    }

    /// Takes the wait off what is left, if there is as much.
    pub(crate) fn take(&self, wait: Duration) -> bool {
        let mut left = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match left.checked_sub(wait) {
            Some(rest) => {
                *left = rest;
                true
            }
            None => false,
        }
    }
}

/// What to do next.
pub(crate) enum Turn {
    /// Get hold of the gate of the product's tokens and come back.
    Gate,
    /// Let the time pass and come back.
    Wait(Duration),
    /// The same because the server says so, with no gate in hand.
    Pause(Duration),
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
    options: Options,
    patience: &'a Patience,
    token: Option<Token>,
    renewed: bool,
    /// Getting a token is an exchange of its own.
    fetch: Option<Box<Exchange<'a>>>,
    /// How many tokens had landed when this one began to wait for the gate.
    seen: u64,
    routes: Vec<usize>,
    tried: usize,
    failures: u32,
    limited: u32,
    spent: u32,
    sent: Option<(Request, Permit)>,
    next: Option<Turn>,
    /// What the server told with its last failure.
    pub(crate) told: Option<Told>,
    /// Whether an attempt may have come to the server.
    unsure: bool,
    /// How often something was sent.
    sends: u32,
}

impl<'a> Exchange<'a> {
    pub(crate) fn new(
        core: &'a Core,
        product: Option<&'a ProductCore>,
        mut parts: Parts,
        options: Options,
        patience: &'a Patience,
    ) -> Self {
        if let Some(repeatable) = options.repeatable {
            parts.endpoint.repeatable = repeatable;
        }
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
            options,
            patience,
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
            sent: None,
            next: None,
            told: None,
            unsure: false,
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
                return self.wait_until(reset, reset.since(now), None);
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
        let core = self.core;
        let Some(product) = self.product else {
            let message = "a call with a token needs a product: begin at `enterprise.product(…)`";
            return Err(Box::new(Turn::Done(Err(Error::invalid(message)))));
        };
        if let Some(token) = product.fresh_token(core.now()) {
            self.fetch = None;
            return Ok(token);
        }
        if !gate {
            self.seen = product.tokens.landed();
            return Err(Box::new(Turn::Gate));
        }
        if let Some(error) = product.tokens.failed_since(self.seen) {
            return Err(Box::new(self.over(error)));
        }
        if self.fetch.is_none()
            && let Some(token) = core.stored_token(product)
        {
            return Ok(token);
        }
        let held = product.tokens.held(core.now());
        if let Some((wait, error)) = held.filter(|_| self.fetch.is_none()) {
            return Err(Box::new(match self.patience.take(wait) {
                true => Turn::Pause(wait),
                false => self.over(error),
            }));
        }
        let (options, patience) = (self.options.of_another(), self.patience);
        let fetch = self.fetch.get_or_insert_with(|| {
            let parts = token_parts(core, product);
            Box::new(Exchange::new(core, Some(product), parts, options, patience))
        });
        let result = match fetch.turn(gate) {
            Turn::Done(result) => result,
            turn => {
                product.tokens.hold(fetch.told.take());
                return Err(Box::new(turn));
            }
        };
        self.fetch = None;
        let token = result.and_then(|(request, answer)| read_token(&request, &answer, core.now()));
        match token {
            Ok(token) => {
                core.keep_token(product, &token);
                Ok(token)
            }
            Err(error) => {
                product.tokens.land(Some(&error));
                // One that would do is better than none.
                match product.old_token(core.now()) {
                    Some(token) => {
                        tracing::warn!(%error, "no new token; the old one is still good");
                        Ok(token)
                    }
                    None => Err(Box::new(self.over(error))),
                }
            }
        }
    }

    /// The end, by this error.
    fn over(&self, error: Error) -> Turn {
        Turn::Done(Err(error.arrived(self.unsure)))
    }

    /// Tells what came of a [`Turn::Send`]; the code, if it was refused.
    pub(crate) fn answered(&mut self, result: Result<Answer, Failure>) -> Option<ErrorCode> {
        if let Some(fetch) = &mut self.fetch {
            return fetch.answered(result);
        }
        let (request, permit) = self.sent.take()?;
        let mut code = None;
        self.next = match result {
            Ok(answer) => {
                let refusal = answer::refusal(&request, &answer);
                code = refusal.as_ref().map(|refusal| refusal.code);
                // What stands before the API may have any clock.
                let date = if refusal.is_some() || answer::is_of_the_api(&answer) {
                    self.core.observe_clock(&answer)
                } else {
                    self.core.now()
                };
                let limiter = &self.core.settings.limiter;
                limiter.observe(permit, &answer, self.core.now(), date);
                match refusal {
                    Some(refusal) => self.refused(refusal, &answer, date),
                    None => self.judge(request, answer),
                }
            }
            Err(failure) => self.failed(&request, failure),
        };
        code
    }

    /// Ends with the result, or goes on, perhaps after a wait.
    fn judge(&mut self, request: Request, answer: Answer) -> Option<Turn> {
        if answer.is_success() {
            self.core.budget.give_back(self.spent);
            self.core.remember_route(&self.parts.endpoint, self.route());
            return Some(Turn::Done(Ok((request, answer))));
        }
        // A page of the server's router, not of the API: there is no such path.
        if answer.status() == 404 && self.tried + 1 < self.routes.len() {
            self.tried += 1;
            return None;
        }
        let error = answer::unexpected(&request, &answer);
        let passing = matches!(answer.status(), 408 | 429 | 500 | 502 | 503 | 504);
        let cost = (passing && self.parts.endpoint.repeatable).then_some(Budget::COST);
        self.again(cost, retry_after(&answer, self.core.now()), error)
    }

    fn refused(&mut self, refusal: ApiError, answer: &Answer, date: Timestamp) -> Option<Turn> {
        // The path is there, whatever it says.
        self.core.remember_route(&self.parts.endpoint, self.route());
        match refusal.code.repeat() {
            // The server looked at the token and at nothing else, so even a control may go again.
            Repeat::NewToken if !self.renewed => {
                if let (Some(product), Some(token)) = (self.product, self.token.take()) {
                    self.core.drop_token(product, &token);
                    self.renewed = true;
                    return None;
                }
            }
            Repeat::WhenReset => return Some(self.limited(refusal, answer, date)),
            _ => {}
        }
        let repeats = matches!(refusal.code.repeat(), Repeat::Soon | Repeat::IfHarmless);
        let cost = (repeats && self.parts.endpoint.repeatable).then_some(Budget::COST);
        self.again(cost, None, Error::Api(Box::new(refusal)))
    }

    /// The quota is used up. The server looked at nothing else, so even a control may go again, as
    /// often as the policy says.
    fn limited(&mut self, refusal: ApiError, answer: &Answer, date: Timestamp) -> Turn {
        let reset = answer
            .header("x-ratelimit-reset")
            .and_then(|text| text.trim().parse().ok());
        let reset = reset.map(|reset| Timestamp::from_seconds(reset).since(date));
        // Without a word, or with one that is over, a minute, then two, then four.
        let guess = Duration::from_secs(60).saturating_mul(2_u32.saturating_pow(self.limited));
        let told = [retry_after(answer, date), reset];
        let told = told.into_iter().flatten().find(|wait| !wait.is_zero());
        let wait = told.unwrap_or(guess).clamp(Duration::from_secs(1), HOUR);
        self.limited = self.limited.saturating_add(1);
        let reset = self.core.now().plus(wait);
        self.core.settings.limiter.exhausted(reset);
        self.wait_until(reset, wait, Some(refusal))
    }

    fn failed(&mut self, request: &Request, failure: Failure) -> Option<Turn> {
        let cost = match failure.kind {
            FailureKind::Connect => Some(Budget::COST),
            FailureKind::Timeout if self.parts.endpoint.repeatable => Some(Budget::TIMEOUT),
            FailureKind::Broken if self.parts.endpoint.repeatable => Some(Budget::COST),
            _ => None,
        };
        let error = Error::Transport(Box::new(TransportError {
            attempts: self.sends,
            target: request.target(),
            failure,
        }));
        self.again(cost, None, error)
    }

    /// Another attempt, if it has a price, and policy and budget allow it.
    fn again(&mut self, cost: Option<u32>, least: Option<Duration>, error: Error) -> Option<Turn> {
        self.unsure |= error.is_unsure();
        self.failures = self.failures.saturating_add(1);
        let least = least.unwrap_or(Duration::ZERO);
        let cost = cost.filter(|_| self.failures < self.policy.attempts);
        let allowed = cost.filter(|cost| self.patience.take(least) && self.core.budget.take(*cost));
        let Some(cost) = allowed else {
            return Some(self.over(error));
        };
        self.spent = self.spent.saturating_add(cost);
        let wait = self.policy.wait(self.failures, self.core.chance());
        if least.is_zero() {
            return Some(Turn::Wait(wait));
        }
        let wait = wait.max(least);
        let until = self.core.now().plus(wait);
        self.told = Some(Told { until, error });
        Some(Turn::Pause(wait))
    }

    /// Waits for the quota, if the caller waits so long and an answer to it may be asked for again.
    fn wait_until(
        &mut self,
        reset_at: Timestamp,
        wait: Duration,
        refusal: Option<ApiError>,
    ) -> Turn {
        let again = self.limited == 0 || self.limited < self.policy.attempts;
        if again && self.patience.take(wait) {
            return Turn::Pause(wait);
        }
        let target = match &refusal {
            Some(refusal) => Ok(refusal.target.clone()),
            None => self
                .parts
                .request(self.core, self.product, None, self.route())
                .map(|request| request.target()),
        };
        let error = target.map(|target| {
            Error::RateLimited(Box::new(RateLimited {
                reset_at,
                refusal,
                target,
            }))
        });
        self.over(error.unwrap_or_else(|error| error))
    }
}

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
