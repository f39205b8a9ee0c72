//! HTTP requests and answers, without a socket.

use std::fmt;
use std::net::IpAddr;

use percent_encoding::{
    AsciiSet, NON_ALPHANUMERIC, PercentEncode, percent_decode_str, utf8_percent_encode,
};

/// An HTTP request to the API.
///
/// # Examples
/// ```
/// use gizwits_simulator::Request;
///
/// let request = Request::new("POST", "/v1/products/KEY/devices/DID/control")
///     .token("0123456789abcdef")
///     .body(r#"{"attrs":{"set_temp":24}}"#);
/// assert_eq!(request.headers[0].1, "token 0123456789abcdef");
/// ```
#[derive(Clone)]
pub struct Request {
    /// The method in capital letters: `GET`, `POST`, `PUT` or `DELETE`.
    pub method: String,
    /// The path and query, percent-encoded as in the request line.
    pub target: String,
    /// The headers. Names are in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// The caller's address. An enterprise may restrict the networks that it is called from.
    pub peer: IpAddr,
}

impl fmt::Debug for Request {
    /// Shows method, path and length, but no header, no query and no body, which contain secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("path", &self.path())
            .field("body_len", &self.body.len())
            .field("peer", &self.peer)
            .finish_non_exhaustive()
    }
}

impl Request {
    /// Returns a request from 127.0.0.1 without headers and body.
    #[must_use]
    pub fn new(method: &str, target: impl Into<String>) -> Self {
        Request {
            method: method.to_owned(),
            target: target.into(),
            headers: Vec::new(),
            body: Vec::new(),
            peer: IpAddr::from([127, 0, 0, 1]),
        }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_ascii_lowercase(), value.into()));
        self
    }

    /// Adds the header `Authorization: token …`.
    #[must_use]
    pub fn token(self, token: &str) -> Self {
        self.header("authorization", format!("token {token}"))
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Returns the value of a header, or `None` if the header is absent or repeated.
    pub(crate) fn only(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(one, _)| one == name);
        match (values.next(), values.next()) {
            (Some((_, value)), None) => Some(value),
            _ => None,
        }
    }

    pub(crate) fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or("")
    }

    pub(crate) fn query(&self) -> &str {
        self.target.split_once('?').map_or("", |(_, query)| query)
    }
}

/// The answer to a [`Request`].
#[derive(Clone)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// The headers. Names are in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// The time that the transport waits before it sends the answer. Zero unless [`Mode::Slow`](crate::Mode::Slow)
    /// is set.
    pub delay: std::time::Duration,
    /// Whether the transport closes the connection instead of sending the answer, as
    /// [`Mode::Drop`](crate::Mode::Drop) wants.
    pub dropped: bool,
}

impl fmt::Debug for Response {
    /// Shows the status and the length of the body, which may contain a token or a passcode.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("body_len", &self.body.len())
            .field("delay", &self.delay)
            .field("dropped", &self.dropped)
            .finish_non_exhaustive()
    }
}

impl Response {
    pub(crate) fn new(status: u16, kind: &'static str, body: impl Into<Vec<u8>>) -> Self {
        Response {
            status,
            headers: vec![
                ("content-type", kind.to_owned()),
                ("x-content-type-options", "nosniff".to_owned()),
            ],
            body: body.into(),
            delay: std::time::Duration::ZERO,
            dropped: false,
        }
    }

    pub(crate) fn json(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Response::new(status, "application/json", body)
    }

    /// An HTML page as the vendor's gateway sends it. It repeats nothing of the request, so it can't carry a script.
    pub(crate) fn html(status: u16, title: &str) -> Self {
        let body = format!(
            "<html>\r\n<head><title>{status} {title}</title></head>\r\n\
             <body><center><h1>{status} {title}</h1></center></body>\r\n</html>\r\n"
        );
        Response::new(status, "text/html", body)
    }

    /// Returns the value of a header. Upper and lower case are the same in `name`.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let found = headers.find(|(one, _)| one.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// Returns the body as text, or an empty string if the body is not UTF-8.
    #[must_use]
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap_or("")
    }
}

/// Decodes the names and values of a query. None if the percent-encoding is malformed.
pub(crate) fn query_pairs(query: &str) -> Option<Vec<(String, String)>> {
    let parts = query.split('&').filter(|pair| !pair.is_empty());
    parts
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((decode(name, true)?, decode(value, true)?))
        })
        .collect()
}

/// Decodes percent-encoded text. With `plus`, as in queries, `+` is a space. None if an escape is malformed or the
/// result is not UTF-8.
pub(crate) fn decode(text: &str, plus: bool) -> Option<String> {
    let text = if plus { &text.replace('+', " ") } else { text };
    let is_sound = |escaped: &str| {
        let digits = escaped.as_bytes().get(..2);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    let decoded = percent_decode_str(text).decode_utf8().ok()?;
    let sound = text.split('%').skip(1).all(is_sound);
    sound.then(|| decoded.into_owned())
}

/// The characters that are escaped in a query: all but the unreserved characters of RFC 3986.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Percent-encodes text for a query.
pub(crate) fn encode(text: &str) -> PercentEncode<'_> {
    utf8_percent_encode(text, ESCAPED)
}

/// Formats a time in milliseconds since 1970 as the HTTP header `Date`.
pub(crate) fn date(millis: i64) -> String {
    let printer = jiff::fmt::rfc2822::DateTimePrinter::new();
    jiff::Timestamp::from_millisecond(millis)
        .and_then(|stamp| printer.timestamp_to_rfc9110_string(&stamp))
        .unwrap_or_default()
}
