//! Bytes to answers and errors.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::code::ErrorCode;
use crate::error::{ApiError, DecodeError, Error, Unexpected};
use crate::http::{Answer, Request};
use crate::redact;
use crate::scalar::Scalar;

/// The refusal in an answer: what has an `error_code`, whatever its status.
pub(crate) fn refusal(request: &Request, answer: &Answer) -> Option<ApiError> {
    #[derive(serde::Deserialize)]
    struct Body {
        error_code: Scalar,
        #[serde(default)]
        error_message: Option<Value>,
        #[serde(default, alias = "detail")]
        detail_message: Option<Value>,
    }
    // Long answers are not parsed twice.
    let marker = br#""error_code""#;
    answer
        .body()
        .windows(marker.len())
        .find(|window| window == marker)?;
    let mut body = answer.body().to_vec();
    redact::cover(&mut body, request.secrets());
    let body: Body = serde_json::from_slice(&body).ok()?;
    let number = match &body.error_code {
        Scalar::Int(number) => u32::try_from(*number).unwrap_or(u32::MAX),
        Scalar::Text(text) => text.trim().parse().unwrap_or(u32::MAX),
        _ => 0,
    };
    if number == 0 && answer.is_success() {
        return None;
    }
    Some(ApiError {
        code: ErrorCode::from(number),
        status: answer.status(),
        message: match body.error_message {
            Some(Value::String(message)) => message,
            Some(Value::Null) | None => String::new(),
            Some(other) => other.to_string(),
        },
        detail: body
            .detail_message
            .filter(|detail| !detail.is_null() && *detail != ""),
        target: request.target(),
    })
}

/// An answer that is none of the API's.
pub(crate) fn unexpected(request: &Request, answer: &Answer) -> Error {
    Error::Unexpected(Box::new(Unexpected {
        status: answer.status(),
        content_type: answer.header("content-type").map(str::to_owned),
        excerpt: redact::excerpt(answer.body(), 0, request.secrets()),
        target: request.target(),
    }))
}

/// The answer as a type.
pub(crate) fn json<T: DeserializeOwned>(request: &Request, answer: &Answer) -> Result<T, Error> {
    let body = answer.body();
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let mut reader = serde_json::Deserializer::from_slice(body);
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
        path,
        message: without_values(&error.to_string()),
        excerpt: redact::excerpt(body, at, request.secrets()),
        target: request.target(),
    })))
}

/// serde quotes the text that it didn't expect, which may be a secret.
fn without_values(message: &str) -> String {
    match (message.find('"'), message.rfind('"')) {
        (Some(first), Some(last)) if first < last => {
            let head = message.get(..=first).unwrap_or_default();
            format!("{head}…{}", message.get(last..).unwrap_or_default())
        }
        _ => message.to_owned(),
    }
}

fn offset(body: &[u8], line: usize, column: usize) -> usize {
    let before = body
        .split_inclusive(|byte| *byte == b'\n')
        .take(line.saturating_sub(1));
    before
        .map(<[u8]>::len)
        .sum::<usize>()
        .saturating_add(column)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint::Method;
    use crate::http::Secret;

    fn request() -> Request {
        Request {
            method: Method::GET,
            base: String::new(),
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

    fn answer(status: u16, body: &str) -> Answer {
        Answer::new(status, [], body)
    }

    #[test]
    fn three_generations_of_refusals() {
        for (status, body, code, message) in [
            (
                400,
                r#"{"error_code":"5001","error_message":"body json invalid","detail":""}"#,
                5001,
                "body json invalid",
            ),
            (
                400,
                r#"{"error_message":"appid invalid!","error_code":9003,"detail_message":null}"#,
                9003,
                "appid invalid!",
            ),
            (200, r#"{"error_code":5009}"#, 5009, ""),
            (200, r#"{"error_code":0,"objects":[]}"#, 0, ""),
            (500, r#"{"error_code":null}"#, 0, ""),
            (200, r#"{"objects":[{"error_code":5009}]}"#, 0, ""),
        ] {
            match refusal(&request(), &answer(status, body)) {
                Some(error) => {
                    assert_eq!(
                        (error.code.number(), error.message.as_str()),
                        (code, message),
                        "{body}"
                    );
                    assert_eq!(error.status, status);
                    assert!(error.detail.is_none());
                }
                None => assert_eq!(code, 0, "{body}"),
            }
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

        let error = json::<Page>(&request(), &answer(201, "{\"objects\": [1")).unwrap_err();
        assert_eq!(error.status(), Some(201));
        let error = unexpected(&request(), &answer(502, "<html>\n  <b>hush-hush</b>"));
        assert_eq!(error.status(), Some(502));
        assert_eq!(
            error.to_string(),
            "GET /v1/x: HTTP status 502 with an answer that is none of the API's: <html> <b>*********</b>"
        );
    }
}
