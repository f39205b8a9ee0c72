//! Reads answers: refusals of the API, answers that don't come from the API, and JSON.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer as _, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use crate::code::ErrorCode;
use crate::endpoint::Method;
use crate::error::{ApiError, DecodeError, Error, Unexpected};
use crate::exchange::token::Token;
use crate::http::{Request, Response, cover, excerpt};
use crate::model::{Field, Scalar as _, Timestamp};

/// Returns the refusal in an answer. An answer with a member `error_code` is a refusal, whatever its HTTP
/// status, except if the code is 0 or null and the status is a success.
pub(crate) fn refusal(request: &Request, answer: &Response) -> Option<ApiError> {
    // A message in another encoding than UTF-8 must not hide the code.
    let text = String::from_utf8_lossy(content(answer));
    let mut reader = serde_json::Deserializer::from_str(&text);
    let refused = reader.deserialize_map(Refusal::default()).ok()?;
    let number = code_number(&refused.code?);
    if number == 0 && answer.is_success() {
        return None;
    }
    let detail = refused.detail.map(|detail| {
        let text = covered(request, &detail.to_string());
        serde_json::from_str(&text).unwrap_or(Value::String(text))
    });
    Some(ApiError {
        code: ErrorCode::from(number),
        status: answer.status(),
        message: match refused.message {
            Some(Value::String(message)) => covered(request, &message),
            Some(other) => covered(request, &other.to_string()),
            None => String::new(),
        },
        detail,
        target: request.target(),
    })
}

/// The members of a refusal. Of several members with one name, the first that has content counts. All other members
/// are skipped without being stored: most answers are long and no refusals.
#[derive(Default)]
struct Refusal {
    code: Option<Value>,
    message: Option<Value>,
    detail: Option<Value>,
}

impl<'de> Visitor<'de> for Refusal {
    type Value = Refusal;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Refusal, A::Error> {
        while let Some(name) = map.next_key::<String>()? {
            let member = match name.as_str() {
                "error_code" => &mut self.code,
                "error_message" => &mut self.message,
                "detail_message" | "detail" => &mut self.detail,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            let value: Value = map.next_value()?;
            let has_content = match name.as_str() {
                "error_code" => member.as_ref().is_none_or(|code| code_number(code) == 0),
                _ => member.is_none() && !value.is_null() && value != "",
            };
            if has_content {
                *member = Some(value);
            }
        }
        Ok(self)
    }
}

/// Whether a successful answer comes from the API and not from a gateway before it: the body is JSON or
/// empty.
pub(crate) fn is_of_the_api(answer: &Response) -> bool {
    let body = content(answer).trim_ascii_start();
    answer.is_success() && matches!(body.first(), None | Some(b'{' | b'[' | b'n'))
}

/// The body without the byte order mark that some servers send.
fn content(answer: &Response) -> &[u8] {
    let body = answer.body();
    body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)
}

/// Reads an error code, which is a number or the text of a number. Any other value is an unknown code.
fn code_number(code: &Value) -> u32 {
    let number = match code {
        Value::Null => Some(0),
        code => u64::from_json(code),
    };
    number
        .and_then(|number| u32::try_from(number).ok())
        .unwrap_or(u32::MAX)
}

fn covered(request: &Request, text: &str) -> String {
    let mut text = text.as_bytes().to_vec();
    cover(&mut text, request.secrets());
    String::from_utf8_lossy(&text).into_owned()
}

/// The error of an answer that does not come from the API.
pub(crate) fn unexpected(request: &Request, answer: &Response) -> Error {
    let shown = |text: &str| excerpt(text.as_bytes(), 0, request.secrets());
    Error::Unexpected(Box::new(Unexpected {
        status: answer.status(),
        content_type: answer.header("content-type").map(shown),
        excerpt: excerpt(answer.body(), 0, request.secrets()),
        target: request.target(),
    }))
}

/// Reads the answer as JSON. An empty answer to a write is read as `null`: the server has accepted it.
pub(crate) fn json<T: DeserializeOwned>(request: &Request, answer: &Response) -> Result<T, Error> {
    let body = content(answer);
    let mut reader = serde_json::Deserializer::from_slice(match body.trim_ascii() {
        b"" if request.method() != Method::GET => b"null",
        _ => body,
    });
    let (path, error) = match serde_path_to_error::deserialize(&mut reader) {
        Ok(value) => match reader.end() {
            Ok(()) => return Ok(value),
            Err(error) => (".".to_owned(), error),
        },
        Err(error) => (error.path().to_string(), error.into_inner()),
    };
    let at = offset(body, error.line(), error.column());
    Err(Error::Decode(Box::new(DecodeError {
        status: answer.status(),
        // The names of members come from the server as well.
        path: excerpt(path.as_bytes(), 0, request.secrets()),
        message: without_values(&error.to_string()),
        excerpt: excerpt(body, at, request.secrets()),
        target: request.target(),
    }))
    // A server that answers has received the request.
    .arrived(true))
}

/// Removes the values from an error message of serde. serde quotes the unexpected value, text in `"` and
/// anything else in backticks, and the value may be a secret. The names of fields stay.
fn without_values(message: &str) -> String {
    let (head, tail) = match (message.find('"'), message.rfind('"')) {
        (Some(first), Some(last)) if first < last => message.split_at(first),
        _ => (message, ""),
    };
    let tail = match tail.rfind('"') {
        Some(last) => format!("\"…{}", tail.get(last..).unwrap_or_default()),
        None => String::new(),
    };
    let mut shown = String::new();
    for (n, part) in head.split('`').enumerate() {
        let is_value = n % 2 == 1 && !shown.ends_with("field `");
        shown.push_str(if is_value { "…" } else { part });
        shown.push('`');
    }
    shown.pop();
    shown.push_str(&tail);
    shown
}

/// The offset of a position that serde_json gives as line and column.
fn offset(body: &[u8], line: usize, column: usize) -> usize {
    let lines = body.split_inclusive(|byte| *byte == b'\n');
    let before = lines.take(line.saturating_sub(1)).map(<[u8]>::len);
    before.sum::<usize>().saturating_add(column)
}

/// Reads a number from a header.
pub(crate) fn number<T: FromStr>(answer: &Response, name: &str) -> Option<T> {
    answer.header(name)?.trim().parse().ok()
}

/// The wait that the header `Retry-After` asks for, as seconds or as a date.
pub(crate) fn retry_after(answer: &Response, now: Timestamp) -> Option<Duration> {
    let seconds = number(answer, "retry-after").map(Duration::from_secs);
    seconds.or_else(|| Some(http_date(answer.header("retry-after")?)?.since(now)))
}

/// Reads the date of a header: `Tue, 02 Jan 2024 00:00:12 GMT`.
pub(crate) fn http_date(text: &str) -> Option<Timestamp> {
    let time = httpdate::parse_http_date(text.trim());
    time.ok().map(Timestamp::from)
}

/// The answer of the token endpoint. The API documentation writes `expired_at`, the server `expire_at`.
#[derive(Deserialize)]
struct TokenAnswer {
    #[serde(deserialize_with = "Field::read")]
    token: String,
    #[serde(default, deserialize_with = "Field::read_option")]
    expire_at: Option<Timestamp>,
    #[serde(default, deserialize_with = "Field::read_option")]
    expired_at: Option<Timestamp>,
}

/// Reads the answer of the token endpoint. A token without an expiry time is valid for the week that the API
/// documentation promises.
pub(crate) fn token(request: &Request, answer: &Response, now: Timestamp) -> Result<Token, Error> {
    const WEEK: Duration = Duration::from_secs(7 * 86_400);
    let read: TokenAnswer = json(request, answer)?;
    let expires_at = read.expire_at.or(read.expired_at);
    Ok(Token::new(read.token, expires_at.unwrap_or(now.plus(WEEK))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint::Method;
    use crate::http::Secret;

    fn request() -> Request {
        Request {
            repeatable: true,
            method: Method::GET,
            base: String::new(),
            template: "/v1/x".to_owned(),
            path: "/v1/x".to_owned(),
            query: Vec::new(),
            headers: Vec::new(),
            body: None,
            secrets: vec![Secret {
                value: "hush-hush".into(),
                variable: "GIZWITS_TOKEN",
            }],
        }
    }

    fn answer(status: u16, body: &str) -> Response {
        Response::new(status, [], body)
    }

    #[test]
    fn three_generations_of_refusals() {
        for (status, body, code, message) in [
            (
                400,
                r#"{"error_code":"5001","error_message":"body json invalid","detail":""}"#,
                Some(5001),
                "body json invalid",
            ),
            (
                400,
                r#"{"error_message":"appid invalid!","error_code":9003,"detail_message":null}"#,
                Some(9003),
                "appid invalid!",
            ),
            (200, r#"{"error_code":5009}"#, Some(5009), ""),
            (200, r#"{"error_code":0,"objects":[]}"#, None, ""),
            (500, r#"{"error_code":null}"#, Some(0), ""),
            (200, r#"{"objects":[{"error_code":5009}]}"#, None, ""),
        ] {
            match refusal(&request(), &answer(status, body)) {
                Some(error) => {
                    assert_eq!(
                        (Some(error.code.number()), error.message.as_str()),
                        (code, message),
                        "{body}"
                    );
                    assert_eq!(error.status, status);
                    assert!(error.detail.is_none());
                }
                None => assert_eq!(code, None, "{body}"),
            }
        }
    }

    #[test]
    fn a_code_is_a_refusal_in_any_dress() {
        for (body, code) in [
            (
                r#"{"error_code":5305,"detail":"","detail_message":null}"#,
                5305,
            ),
            ("\u{feff}{\"error_code\":5305}", 5305),
            (r#"{"error_code":5305.0}"#, 5305),
            (r#"{"error_code":" 5305 "}"#, 5305),
            (
                r#"{"error_code":5305,"error_message":"x","error_message":"y"}"#,
                5305,
            ),
            (r#"{"error_code":0,"error_code":5305}"#, 5305),
            (r#"{"error_code":5305,"error_code":0}"#, 5305),
            (r#"{"error\u005fcode":5305}"#, 5305),
            // No other member can hide the code, not even a number that no float holds.
            (r#"{"error_code":5305,"x":1e999}"#, 5305),
            (r#"{"error_code":5305} trailing"#, 5305),
            (r#"{"objects":[],"error_code":5305}"#, 5305),
            (r#"{"error_code":[5305]}"#, u32::MAX),
            (r#"{"error_code":{}}"#, u32::MAX),
            (r#"{"error_code":-1}"#, u32::MAX),
            (r#"{"error_code":5305.5}"#, u32::MAX),
            (r#"{"error_code":"offline"}"#, u32::MAX),
            (r#"{"error_code":true}"#, u32::MAX),
        ] {
            for status in [200, 400] {
                let refused = refusal(&request(), &answer(status, body));
                let found = refused.map(|refused| refused.code.number());
                assert_eq!(found, Some(code), "{status} {body}");
            }
        }
        let latin = b"{\"error_code\":5305,\"error_message\":\"\xc9\xe8\"}".to_vec();
        assert!(refusal(&request(), &Response::new(200, [], latin)).is_some());
        for body in [
            r#"{"error_code":0}"#,
            r#"{"error_code":"0"}"#,
            r#"{"error_code":0.0}"#,
            r#"{"error_code":null}"#,
        ] {
            assert!(refusal(&request(), &answer(200, body)).is_none(), "{body}");
        }
        // The detail that says something, under either name.
        let body = r#"{"error_code":1,"detail_message":null,"detail":"d"}"#;
        let refused = refusal(&request(), &answer(400, body)).unwrap();
        assert_eq!(refused.detail, Some(Value::from("d")));
    }

    #[test]
    fn what_was_not_expected_is_not_quoted() {
        for (message, shown) in [
            (
                r#"invalid type: string "a"b`c`", expected u32"#,
                r#"invalid type: string "…", expected u32"#,
            ),
            (
                "invalid type: integer `8675309`, expected a string",
                "invalid type: integer `…`, expected a string",
            ),
            (
                "unknown variant `hush`, expected `a`",
                "unknown variant `…`, expected `…`",
            ),
            (
                "missing field `did` at line 1 column 2",
                "missing field `did` at line 1 column 2",
            ),
            (
                "invalid type: map, expected text",
                "invalid type: map, expected text",
            ),
        ] {
            assert_eq!(without_values(message), shown);
        }
    }

    #[test]
    fn refusals_hide_secrets() {
        let body = r#"{"error_code":5009,"error_message":"hush-hush is old","detail":{"token":7,"x":"hush-hush"}}"#;
        let error = refusal(&request(), &answer(400, body)).unwrap();
        assert_eq!(error.message, "********* is old");
        assert!(!format!("{error} {error:?}").contains("hush"));
        let body = r#"{"error_code":5009,"detail":["hush-hush",1]}"#;
        let error = refusal(&request(), &answer(400, body)).unwrap();
        assert_eq!(error.detail, Some(serde_json::json!(["*********", 1])));
    }

    /// What the server says beside its code is in the text: in one line, cut, and without secrets.
    #[test]
    fn the_servers_own_reason_is_told() {
        let long = "x".repeat(5000);
        for (message, detail, said) in [
            (
                "",
                r#""attr set_temp invalid or read only.""#,
                ", the server says: attr set_temp invalid or read only.; ",
            ),
            ("attr invalid!", r#""which""#, ", the server says: which; "),
            ("bad", r#""which""#, ", the server says: bad: which; "),
            ("bad", r#""bad""#, ", the server says: bad; "),
            (
                "",
                r#"{"attrs":["a"]}"#,
                r#", the server says: {"attrs":["a"]}; "#,
            ),
            (
                "",
                r#""a\u001b[31m\nb""#,
                r", the server says: a\u{1b}[31m\nb; ",
            ),
            (
                "",
                r#""hush-hush, token=abc""#,
                ", the server says: *********, token=***; ",
            ),
            (
                "",
                r#"{"secret":"abc"}"#,
                r#", the server says: {"secret":"***"}; "#,
            ),
            ("attr invalid!", "null", "; "),
            (
                "",
                &format!("\"{long}\""),
                &format!(", the server says: {}…; ", &long[..300]),
            ),
        ] {
            let body = format!(
                r#"{{"error_code":5401,"error_message":"{message}","detail_message":{detail}}}"#
            );
            let error = refusal(&request(), &answer(400, &body)).unwrap();
            assert_eq!(
                error.to_string(),
                format!(
                    "GET /v1/x: error 5401 (attr invalid!){said}compare the attrs with the product's data points"
                )
            );
        }
    }

    #[test]
    fn every_token() {
        let now = Timestamp::from_seconds(1_000);
        for (body, expires) in [
            (r#"{"token":"t","expire_at":1517897923}"#, 1_517_897_923),
            (r#"{"token":"t","expired_at":"1517897923"}"#, 1_517_897_923),
            (r#"{"token":"t","expire_at":1,"expired_at":2}"#, 1),
            (r#"{"token":"t"}"#, 605_800),
            (r#"{"token":8675309,"expire_at":5}"#, 5),
        ] {
            let token = token(&request(), &answer(201, body), now).unwrap();
            assert_eq!(token.expires_at.seconds(), expires, "{body}");
            assert!(!format!("{token:?}").contains("\"t\""));
        }
    }

    #[test]
    fn errors_name_the_path_and_hide_secrets() {
        #[derive(Debug, serde::Deserialize)]
        #[allow(dead_code)]
        struct Page {
            objects: Vec<u32>,
        }
        let body = "{\n \"objects\": [1, \"hush-hush\"], \"token\": \"new\"}";
        let error = json::<Page>(&request(), &answer(200, body)).unwrap_err();
        let Error::Decode(told) = &error else {
            panic!("{error}")
        };
        assert_eq!((told.status, told.path.as_str()), (200, "objects[1]"));
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("hush") && !shown.contains("new"), "{shown}");
        assert!(
            told.excerpt.contains(r#""objects": [1, "*********"]"#),
            "{}",
            told.excerpt
        );

        let body = r#"{"objects": [], "hush-hush": {"a": 1}}"#;
        let nested =
            json::<std::collections::BTreeMap<String, Vec<u32>>>(&request(), &answer(200, body));
        let error = nested.unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hush"), "{error:?}");

        // Only a write may be answered with nothing.
        assert!(json::<Option<Page>>(&request(), &answer(200, " ")).is_err());
        let error = json::<Page>(&request(), &answer(201, "{\"objects\": [1")).unwrap_err();
        assert_eq!(error.status(), Some(201));
        let error = unexpected(&request(), &answer(502, "<html>\n  <b>hush-hush</b>"));
        assert_eq!(error.status(), Some(502));
        let headers = [("Content-Type".to_owned(), "hush-hush".to_owned())];
        let echoed = unexpected(&request(), &Response::new(502, headers, ""));
        assert!(
            !format!("{echoed} {echoed:?}").contains("hush"),
            "{echoed:?}"
        );
        assert_eq!(
            error.to_string(),
            "GET /v1/x: HTTP status 502, and the answer does not come from the API: <html> <b>*********</b>"
        );
    }
}
