//! Runs an exchange over the transport and the clock, and traces it.

use std::ops::ControlFlow;
use std::time::Duration;

use tracing::{Instrument as _, Span, field};

use crate::error::Error;
use crate::exchange::driver::{Exchange, Options, Parts, Patience, Turn};
use crate::exchange::session::{Core, ProductCore};
use crate::http::{Answer, Failure, Request};

pub(crate) async fn drive(
    core: &Core,
    product: Option<&ProductCore>,
    parts: Parts,
    options: Options,
    patience: &Patience,
) -> Result<(Request, Answer), Error> {
    let mut exchange = Exchange::new(core, product, parts, options, patience);
    loop {
        match advance(core, product, &mut exchange).await {
            ControlFlow::Continue(wait) => sleep(core, wait).await,
            ControlFlow::Break(result) => return result,
        }
    }
}

/// To the end, or as far as it goes without a wait that the server told: that is for the caller, with no
/// gate in hand.
pub(crate) async fn advance(
    core: &Core,
    product: Option<&ProductCore>,
    exchange: &mut Exchange<'_>,
) -> ControlFlow<Result<(Request, Answer), Error>, Duration> {
    let mut gate = None;
    loop {
        let turn = exchange.turn(gate.is_some());
        if !exchange.is_fetching() {
            gate = None;
        }
        match turn {
            Turn::Gate => {
                if let Some(product) = product {
                    gate = Some(product.tokens.gate.lock().await);
                }
            }
            Turn::Wait(wait) => sleep(core, wait).await,
            Turn::Pause(wait) => return ControlFlow::Continue(wait),
            Turn::Send(request) => {
                let span = span(exchange, &request);
                let result = core
                    .settings
                    .transport
                    .send(request)
                    .instrument(span.clone())
                    .await;
                record(&span, &result);
                let status = result.as_ref().map_or(0, Answer::status);
                if let Some(code) = exchange.answered(result) {
                    span.record("gizwits.error_code", code.number());
                    span.record("otel.status_code", "ERROR");
                    if status < 400 {
                        span.record("error.type", "api");
                    }
                }
            }
            Turn::Done(result) => {
                if let Err(error) = &result {
                    tracing::debug!(%error, "failed");
                }
                return ControlFlow::Break(result);
            }
        }
    }
}

pub(crate) async fn sleep(core: &Core, wait: Duration) {
    tracing::debug!(wait_ms = wait.as_millis() as u64, "waiting");
    core.settings.clock.sleep(wait).await;
}

/// The span of one HTTP request, by the names of OpenTelemetry. The query may hold secrets and is
/// never in it.
fn span(exchange: &Exchange<'_>, request: &Request) -> Span {
    let endpoint = exchange.endpoint();
    let method = request.method().as_str();
    let (scheme, rest) = request.base.split_once("://").unwrap_or_default();
    let authority = rest.split('/').next().unwrap_or_default();
    let (address, port) = match authority.rsplit_once(':') {
        Some((address, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => {
            (address, port.parse().ok())
        }
        _ => (authority, None),
    };
    let port: u16 = port.unwrap_or(if scheme == "https" { 443 } else { 80 });
    let redacted = if request.query.is_empty() {
        ""
    } else {
        "?REDACTED"
    };
    tracing::info_span!(
        "request",
        otel.name = format!("{method} {}", request.template),
        otel.kind = "client",
        otel.status_code = field::Empty,
        error.type = field::Empty,
        http.request.method = method,
        http.request.resend_count = exchange.resends(),
        http.response.status_code = field::Empty,
        server.address = address,
        server.port = port,
        url.scheme = scheme,
        url.template = request.template,
        url.full = format!("{}{}{redacted}", request.base, request.path()),
        gizwits.endpoint = endpoint.id,
        gizwits.error_code = field::Empty,
    )
}

fn record(span: &Span, result: &Result<Answer, Failure>) {
    match result {
        Ok(answer) => {
            span.record("http.response.status_code", answer.status());
            if answer.status() >= 400 {
                span.record("otel.status_code", "ERROR");
                span.record("error.type", answer.status());
            }
        }
        Err(failure) => {
            span.record("otel.status_code", "ERROR");
            span.record("error.type", failure.kind.name());
        }
    }
}
