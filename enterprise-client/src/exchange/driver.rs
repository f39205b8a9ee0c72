//! Sends a request until there is a result: gets the token, keeps the rate limit, retries requests that are
//! safe to repeat, and tries the other paths of an endpoint.

use std::collections::VecDeque;
use std::pin::Pin;
use std::time::Duration;

use crate::code::Repeat;
use crate::endpoint::Auth;
use crate::error::{ApiError, Error, RateLimited, TransportError};
use crate::exchange::limiter::HOUR;
use crate::exchange::request::RequestParts;
use crate::exchange::response;
use crate::exchange::retry::{Allowance, RetryBudget};
use crate::exchange::session::{Flight, ProductSession, Session};
use crate::exchange::token::Token;
use crate::exchange::trace;
use crate::http::{Failure, FailureKind, Request, Response};
use crate::model::Timestamp;

/// The answer, and the request that it answers.
pub(crate) type Answered = Box<(Request, Response)>;

/// The next step after an attempt that didn't end the exchange with an error.
enum Step {
    Done(Answered),
    /// Another attempt after this wait.
    Repeat(Duration),
    /// Another attempt after a wait that the server asks for, with the error that asked for it. No error if
    /// the reason is the rate limit.
    Pause(Duration, Option<Error>),
}

/// A request, from its first attempt to the last.
pub(crate) struct Exchange<'a> {
    session: &'a Session,
    product: Option<&'a ProductSession>,
    allowance: &'a Allowance,
    parts: RequestParts,
    token: Option<Token>,
    /// Whether the server refused a token, and the exchange uses a new one.
    renewed: bool,
    /// The indices of the paths to try, the current path first.
    routes: VecDeque<usize>,
    failures: u32,
    refusals_for_rate: u32,
    /// The cost of the retries so far.
    spent: u32,
    sends: u32,
    /// Whether the server may have received an attempt.
    may_have_arrived: bool,
}

impl<'a> Exchange<'a> {
    pub(crate) fn new(
        session: &'a Session,
        product: Option<&'a ProductSession>,
        parts: RequestParts,
        allowance: &'a Allowance,
    ) -> Self {
        let count = parts.templates(session).len();
        let first = session.route(&parts.endpoint).unwrap_or(0);
        let first = if first < count { first } else { 0 };
        let others = (0..count).filter(|route| *route != first);
        Exchange {
            session,
            product,
            allowance,
            routes: std::iter::once(first).chain(others).collect(),
            parts,
            token: None,
            renewed: false,
            failures: 0,
            refusals_for_rate: 0,
            spent: 0,
            sends: 0,
            may_have_arrived: false,
        }
    }

    /// Sends the request until there is an answer or no attempt is left.
    pub(crate) async fn run(mut self) -> Result<Answered, Error> {
        loop {
            match self.attempt().await? {
                Step::Done(answered) => return Ok(answered),
                Step::Repeat(wait) | Step::Pause(wait, _) => self.session.sleep(wait).await,
            }
        }
    }

    /// Returns the known value, the result of another caller's fetch, or the value in the answer to this
    /// request. Of all callers that need the value at the same time, one sends the request.
    pub(crate) async fn fetch<T>(
        mut self,
        flight: &Flight,
        known: impl Fn() -> Option<T>,
        read: impl Fn(&Request, &Response) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let session = self.session;
        'gate: loop {
            // Before the lock, so that no other caller has to wait for this caller's token.
            self.obtain_token().await?;
            let (mut last, waited) = match flight.try_lock() {
                Ok(last) => (last, false),
                Err(_) => (flight.lock().await, true),
            };
            if let Some(value) = known() {
                return Ok(value);
            }
            if let Some((until, error)) = &*last {
                let wait = until.map_or(Duration::ZERO, |until| until.since(session.now()));
                // All callers that waited for the fetch share its failure. The next caller tries again.
                if waited && wait.is_zero() || !self.allowance.take_wait(wait) {
                    return Err(error.clone());
                }
                if !wait.is_zero() {
                    drop(last);
                    session.sleep(wait).await;
                    continue;
                }
            }
            *last = None;
            let result = loop {
                match self.attempt().await {
                    Ok(Step::Done(answered)) => break read(&answered.0, &answered.1),
                    Ok(Step::Repeat(wait)) => session.sleep(wait).await,
                    Ok(Step::Pause(wait, error)) => {
                        *last = error.map(|error| (Some(session.now().plus(wait)), error));
                        drop(last);
                        session.sleep(wait).await;
                        continue 'gate;
                    }
                    Err(error) => break Err(error),
                }
            };
            // Callers don't share this error, because each has its own maximum wait for the rate limit.
            let failure = result.as_ref().err();
            let failure = failure.filter(|error| !matches!(error, Error::RateLimited(_)));
            *last = failure.map(|error| (None, error.clone()));
            return result;
        }
    }

    async fn attempt(&mut self) -> Result<Step, Error> {
        self.obtain_token().await?;
        let session = self.session;
        let now = session.now();
        let limiter = &session.settings.limiter;
        let permit = match limiter.acquire(now) {
            Ok(permit) => permit,
            Err(reset) => return self.wait_for_rate(reset, reset.since(now), None),
        };
        let request = self.request()?;
        let resends = self.sends;
        self.sends = self.sends.saturating_add(1);
        let id = self.parts.endpoint.id;
        let (result, span) = trace::send(session, request.clone(), id, resends).await;
        let answer = match result {
            Ok(answer) => answer,
            Err(failure) => return self.failed(&request, failure),
        };
        let refusal = response::refusal(&request, &answer);
        // The clock of a gateway in front of the API may be wrong.
        if refusal.is_some() || response::is_of_the_api(&answer) {
            session.observe_clock(&answer);
        }
        let now = session.now();
        limiter.observe(permit, &answer, now);
        match refusal {
            Some(refusal) => {
                trace::record_code(&span, &answer, refusal.code);
                self.refused(refusal, &answer, now)
            }
            None => self.judge(request, answer, now),
        }
    }

    /// Gets a token if the request needs one. The future is boxed because it is recursive: another exchange
    /// fetches the token.
    fn obtain_token(&mut self) -> Pin<Box<dyn Future<Output = Result<(), Error>> + Send + '_>> {
        Box::pin(async move {
            if self.parts.endpoint.auth == Auth::Token && self.token.is_none() {
                let fetched = self.fetch_token().await;
                self.token = Some(fetched.map_err(|error| self.over(error))?);
            }
            Ok(())
        })
    }

    fn route(&self) -> usize {
        self.routes.front().copied().unwrap_or(0)
    }

    fn request(&self) -> Result<Request, Error> {
        let token = self.token.as_ref().map(|token| &token.value);
        self.parts
            .request(self.session, self.product, token, self.route())
    }

    async fn fetch_token(&self) -> Result<Token, Error> {
        let session = self.session;
        let Some(product) = self.product else {
            let message =
                "the call needs the token of a product: call it on `enterprise.product(…)`";
            return Err(Error::Invalid(message.to_owned()));
        };
        if let Some(token) = product.fresh_token(session.now()) {
            return Ok(token);
        }
        let known = || match product.fresh_token(session.now()) {
            // The store may still contain the token that the server refused.
            None if !self.renewed => session.stored_token(product),
            token => token,
        };
        let read = |request: &Request, answer: &Response| {
            let token = response::token(request, answer, session.now())?;
            session.keep_token(product, &token);
            Ok(token)
        };
        let parts = RequestParts::of_token(session, product);
        let fetch = Exchange::new(session, Some(product), parts, self.allowance);
        let fetched = fetch.fetch(&product.token_flight, known, read).await;
        fetched.or_else(|error| {
            // The old token may be valid for some minutes more.
            let token = product.old_token(session.now());
            if token.is_some() {
                tracing::warn!(%error, "the token could not be refreshed; the old token is still valid");
            }
            token.ok_or(error)
        })
    }

    /// Completes the error that ends the exchange.
    fn over(&self, error: Error) -> Error {
        tracing::debug!(%error, "failed");
        error.arrived(self.may_have_arrived)
    }

    fn failed(&mut self, request: &Request, failure: Failure) -> Result<Step, Error> {
        let cost = match failure.kind {
            FailureKind::Connect => Some(RetryBudget::COST),
            FailureKind::Timeout if request.repeatable => Some(RetryBudget::TIMEOUT),
            FailureKind::Broken if request.repeatable => Some(RetryBudget::COST),
            _ => None,
        };
        let error = Error::Transport(Box::new(TransportError {
            attempts: self.sends,
            target: request.target(),
            failure,
        }));
        self.again(cost, None, error)
    }

    fn judge(&mut self, request: Request, answer: Response, now: Timestamp) -> Result<Step, Error> {
        if answer.is_success() {
            self.session.retry_budget.give_back(self.spent);
            self.session
                .remember_route(&self.parts.endpoint, self.route());
            return Ok(Step::Done(Box::new((request, answer))));
        }
        // The router of the server answers a path that doesn't exist, with a page instead of an error code.
        if answer.status() == 404 && self.routes.len() > 1 {
            self.routes.pop_front();
            return Ok(Step::Repeat(Duration::ZERO));
        }
        let error = response::unexpected(&request, &answer);
        let passing = matches!(answer.status(), 408 | 429 | 500 | 502 | 503 | 504);
        let cost = (passing && request.repeatable).then_some(RetryBudget::COST);
        self.again(cost, response::retry_after(&answer, now), error)
    }

    fn refused(
        &mut self,
        refusal: ApiError,
        answer: &Response,
        now: Timestamp,
    ) -> Result<Step, Error> {
        // A refusal with a code shows that the path exists.
        self.session
            .remember_route(&self.parts.endpoint, self.route());
        match (refusal.code.repeat(), self.product) {
            // The server checks the token first and executed nothing, so even a control may be sent again.
            (Repeat::NewToken, Some(product)) if !self.renewed => {
                if let Some(token) = self.token.take() {
                    self.session.drop_token(product, &token);
                    self.renewed = true;
                    return Ok(Step::Repeat(Duration::ZERO));
                }
            }
            (Repeat::WhenReset, _) => return self.limited(refusal, answer, now),
            _ => {}
        }
        let repeats = matches!(refusal.code.repeat(), Repeat::Soon | Repeat::IfHarmless);
        let cost = (repeats && self.parts.endpoint.repeatable).then_some(RetryBudget::COST);
        self.again(cost, None, Error::Api(Box::new(refusal)))
    }

    /// Handles a refusal because of the rate limit. The server checks the limit first and executed nothing, so
    /// even a control may be sent again, as often as the policy allows.
    fn limited(
        &mut self,
        refusal: ApiError,
        answer: &Response,
        now: Timestamp,
    ) -> Result<Step, Error> {
        let reset = response::number(answer, "x-ratelimit-reset");
        let reset = reset.map(|reset| Timestamp::from_seconds(reset).since(now));
        // If the server names no reset in the future: one minute, then two, then four.
        let guess = Duration::from_secs(60) * 2_u32.saturating_pow(self.refusals_for_rate);
        let named = [response::retry_after(answer, now), reset];
        let named = named.into_iter().flatten().find(|wait| !wait.is_zero());
        let wait = named.unwrap_or(guess).clamp(Duration::from_secs(1), HOUR);
        self.refusals_for_rate += 1;
        let reset = now.plus(wait);
        self.session.settings.limiter.exhausted(reset);
        self.wait_for_rate(reset, wait, Some(refusal))
    }

    /// Decides about another attempt after a failure. Without a `cost`, the error ends the exchange. The attempt
    /// begins at the earliest after the wait that the server asked for.
    fn again(
        &mut self,
        cost: Option<u32>,
        asked: Option<Duration>,
        error: Error,
    ) -> Result<Step, Error> {
        self.may_have_arrived |= error.is_unsure();
        self.failures = self.failures.saturating_add(1);
        let asked = asked.filter(|wait| !wait.is_zero());
        let (policy, budget) = (self.allowance.policy, &self.session.retry_budget);
        let allowed = cost.filter(|cost| {
            self.failures < policy.attempts
                && self.allowance.take_wait(asked.unwrap_or_default())
                && budget.take(*cost)
        });
        let Some(cost) = allowed else {
            return Err(self.over(error));
        };
        self.spent = self.spent.saturating_add(cost);
        let wait = policy.wait(self.failures, fastrand::f64());
        Ok(match asked {
            None => Step::Repeat(wait),
            Some(asked) => Step::Pause(wait.max(asked), Some(error)),
        })
    }

    /// Decides about a wait for the reset of the rate limit, which must be within the maximum wait of the call
    /// and the attempts of the policy.
    fn wait_for_rate(
        &mut self,
        reset_at: Timestamp,
        wait: Duration,
        refusal: Option<ApiError>,
    ) -> Result<Step, Error> {
        let refusals = self.refusals_for_rate;
        let again = refusals == 0 || refusals < self.allowance.policy.attempts;
        if again && self.allowance.take_wait(wait) {
            return Ok(Step::Pause(wait, None));
        }
        let target = self.request()?.target();
        Err(self.over(Error::RateLimited(Box::new(RateLimited {
            reset_at,
            refusal,
            target,
        }))))
    }
}
