//! The public part of the app API: the definition of a product, by its key alone.
//!
//! The server for apps is another one than that of the Enterprise API. It hands out definitions without an account. Its
//! documentation asks for the id of an app in a header, which the servers in use do not require.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use crate::client::{base, transport};
use crate::endpoint::Method;
use crate::error::{DecodeError, Error, TransportError, Unexpected};
use crate::http::reqwest::Reqwest;
use crate::http::{Request, Transport as _, excerpt};

/// The URL of the server for apps. Products of other regions are on `https://euapi.gizwits.com` and
/// `https://usapi.gizwits.com`.
pub const BASE_URL: &str = "https://api.gizwits.com";

/// The path of definitions.
const PATH: &str = "/app/datapoint";

/// A refusal of the server.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Refusal {
    error_message: String,
}

/// Fetches the definition of a product and returns its JSON as the server has sent it, without a byte order mark.
///
/// `app_id` is the id of an app that may use the product. The request is sent once, and waits 30 s at most.
///
/// # Errors
/// - [`Error::Invalid`] if the base URL is not valid, or needs TLS that this build does not have.
/// - [`Error::Transport`] if no answer was received.
/// - [`Error::Unexpected`] if the server refuses the request, for example because it does not know the product.
/// - [`Error::Decode`] if the answer is no JSON object.
///
/// # Examples
/// ```
/// use gizwits_enterprise_client::app;
/// use gizwits_simulator::{Server, Simulator};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let server = Server::start(Simulator::builder().build()?, Default::default())?;
/// let product = server.simulator().credentials()?.swap_remove(0);
/// let json = app::definition(&server.url(), &product.product_key, None).await?;
/// assert!(json.contains("entities"));
/// # Ok(())
/// # }
/// ```
pub async fn definition(
    base_url: &str,
    product_key: &str,
    app_id: Option<&str>,
) -> Result<String, Error> {
    let base = base(base_url).map_err(Error::Invalid)?;
    let http = Reqwest::builder().timeout(Duration::from_secs(30));
    #[cfg(feature = "rustls")]
    let transport = transport(&base, http, None)?;
    #[cfg(not(feature = "rustls"))]
    let transport = transport(&base, http)?;
    let mut headers = vec![("accept", "application/json".to_owned())];
    headers.extend(app_id.map(|id| ("x-gizwits-application-id", id.to_owned())));
    let request = Request {
        method: Method::GET,
        base,
        template: PATH.to_owned(),
        path: PATH.to_owned(),
        query: vec![("product_key".to_owned(), product_key.to_owned())],
        headers,
        body: None,
        secrets: Vec::new(),
        repeatable: true,
    };
    let target = request.target();
    let answer = match transport.send(request).await {
        Ok(answer) => answer,
        Err(failure) => {
            return Err(Error::Transport(Box::new(TransportError {
                failure,
                attempts: 1,
                target,
            })));
        }
    };
    let text = String::from_utf8_lossy(answer.body());
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    if !answer.is_success() {
        let refusal: Refusal = serde_json::from_str(text).unwrap_or_default();
        let told = match refusal.error_message.as_str() {
            "" => text,
            message => message,
        };
        return Err(Error::Unexpected(Box::new(Unexpected {
            status: answer.status(),
            content_type: answer
                .header("content-type")
                .map(|kind| excerpt(kind.as_bytes(), 0, [])),
            excerpt: excerpt(told.as_bytes(), 0, []),
            target,
        })));
    }
    match serde_json::from_str(text) {
        Ok(Value::Object(_)) => Ok(text.to_owned()),
        parsed => Err(Error::Decode(Box::new(DecodeError {
            status: answer.status(),
            path: ".".to_owned(),
            message: match parsed {
                Ok(_) => "expected an object".to_owned(),
                Err(error) => error.to_string(),
            },
            excerpt: excerpt(text.as_bytes(), 0, []),
            target,
        }))),
    }
}
