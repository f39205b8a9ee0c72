//! The trace of a request: a span with the attribute names of OpenTelemetry.

use reqwest::Url;
use tracing::{Instrument as _, Span, field};

use crate::code::ErrorCode;
use crate::exchange::session::Session;
use crate::http::{Failure, Request, Response};

/// Sends a request within a span. Returns the result and the span.
pub(crate) async fn send(
    session: &Session,
    request: Request,
    endpoint: &'static str,
    resends: u32,
) -> (Result<Response, Failure>, Span) {
    let span = span(&request, endpoint, resends);
    let sending = session.transport.send(request);
    let result = sending.instrument(span.clone()).await;
    match &result {
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
    (result, span)
}

/// Records that the API refused the request.
pub(crate) fn record_code(span: &Span, answer: &Response, code: ErrorCode) {
    span.record("gizwits.error_code", code.number());
    span.record("otel.status_code", "ERROR");
    if answer.status() < 400 {
        span.record("error.type", "api");
    }
}

/// Creates the span of a request, without the query, which may contain secrets.
fn span(request: &Request, endpoint: &'static str, resends: u32) -> Span {
    let method = request.method().as_str();
    let url = Url::parse(&request.base).ok();
    let redacted = match request.query.is_empty() {
        true => "",
        false => "?REDACTED",
    };
    tracing::info_span!(
        "request",
        otel.name = format!("{method} {}", request.template),
        otel.kind = "client",
        otel.status_code = field::Empty,
        error.type = field::Empty,
        http.request.method = method,
        http.request.resend_count = resends,
        http.response.status_code = field::Empty,
        server.address = url.as_ref().and_then(Url::host_str),
        server.port = url.as_ref().and_then(Url::port_or_known_default),
        url.scheme = url.as_ref().map(Url::scheme),
        url.template = request.template,
        url.full = format!("{}{}{redacted}", request.base, request.path()),
        gizwits.endpoint = endpoint,
        gizwits.error_code = field::Empty,
    )
}
