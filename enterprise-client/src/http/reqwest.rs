//! The transport with reqwest: no redirects, no retries, no referer.

use std::error::Error as StdError;
use std::time::Duration;

use reqwest::header::HeaderValue;

use crate::http::{Answer, Answering, Failure, FailureKind, Request, Transport};

/// The maximum length of an answer in bytes. Real answers are far shorter, and this much fits into memory.
const LONGEST: usize = 64 << 20;

pub(crate) struct Reqwest(reqwest::Client);

impl Reqwest {
    /// The default settings, which the caller may change before [`new`](Self::new).
    pub(crate) fn builder() -> reqwest::ClientBuilder {
        reqwest::Client::builder()
            .user_agent(concat!(
                "gizwits-enterprise-client/",
                env!("CARGO_PKG_VERSION")
            ))
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .timeout(Duration::from_secs(30))
            .connect_timeout(Duration::from_secs(10))
            // A server closes idle connections. A control that is sent on such a connection is lost, and the
            // client must not send it again.
            .pool_idle_timeout(Duration::from_secs(20))
    }

    pub(crate) fn new(base: &str, mut builder: reqwest::ClientBuilder) -> Result<Self, String> {
        // A proxy would connect to its own loopback, which is another machine, and requests contain secrets.
        if is_loopback(base) {
            builder = builder.no_proxy();
        }
        #[cfg(feature = "rustls")]
        {
            builder = builder.tls_backend_preconfigured(tls(base.starts_with("https:"))?);
        }
        let client = builder.build().map_err(|error| unusable(&error))?;
        Ok(Reqwest(client))
    }

    async fn answer(&self, request: Request) -> Result<Answer, Failure> {
        let method = request.method().as_str().parse().unwrap_or_default();
        let mut outgoing = self.0.request(method, request.url());
        for (name, value) in request.headers() {
            let mut value = HeaderValue::try_from(value).map_err(|_| {
                let message = format!(
                    "the value of the header `{name}` has a character that headers can't have"
                );
                Failure::new(FailureKind::Request).caused_by(message)
            })?;
            value.set_sensitive(!matches!(name, "accept" | "content-type"));
            outgoing = outgoing.header(name, value);
        }
        if let Some(body) = request.body {
            outgoing = outgoing.body(body);
        }
        let mut response = outgoing.send().await.map_err(failure)?;
        let status = response.status().as_u16();
        let headers = response.headers().iter().map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.as_str().to_owned(), value)
        });
        let headers: Vec<(String, String)> = headers.collect();
        let cut = |error| failure(error).status(status);
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(cut)? {
            if body.len().saturating_add(chunk.len()) > LONGEST {
                return Err(Failure::new(FailureKind::TooLong).status(status));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer::new(status, headers, body))
    }
}

/// Whether a URL leads to this machine: `localhost`, a name below it, 127.0.0.0/8 or ::1.
fn is_loopback(url: &str) -> bool {
    let Ok(url) = reqwest::Url::parse(url) else {
        return false;
    };
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    match address.parse::<std::net::IpAddr>() {
        Ok(address) => address.to_canonical().is_loopback(),
        // The parser of the URL has converted the name to lower case.
        Err(_) => host.trim_end_matches('.').rsplit('.').next() == Some("localhost"),
    }
}

impl Transport for Reqwest {
    fn send(&self, request: Request) -> Answering<'_> {
        Box::pin(self.answer(request))
    }
}

fn failure(error: reqwest::Error) -> Failure {
    let kind = if error.is_connect() {
        FailureKind::Connect
    } else if error.is_timeout() {
        FailureKind::Timeout
    } else if error.is_builder() {
        FailureKind::Request
    } else {
        FailureKind::Broken
    };
    Failure::new(kind).caused_by(error.without_url())
}

fn unusable(error: &dyn StdError) -> String {
    format!("the HTTP client could not be created: {error}")
}

/// The configuration of rustls: ring, and the certificates that the platform trusts. reqwest would take the
/// provider that the program has installed, which may be another one.
#[cfg(feature = "rustls")]
fn tls(is_needed: bool) -> Result<rustls::ClientConfig, String> {
    use rustls_platform_verifier::BuilderVerifierExt as _;
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable(&error))?;
    let config = match config.clone().with_platform_verifier() {
        Ok(config) => config,
        // A machine without certificates can use `http:`, and reqwest still needs a configuration.
        Err(_) if !is_needed => config.with_root_certificates(rustls::RootCertStore::empty()),
        Err(error) => {
            return Err(format!(
                "HTTPS is not available: {error}; install the system's CA certificates (`ca-certificates`), \
                 or set SSL_CERT_FILE to a file with certificates"
            ));
        }
    };
    Ok(config.with_no_client_auth())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_this_machine() {
        for (host, here) in [
            ("localhost", true),
            ("LocalHost:8080", true),
            ("localhost.", true),
            ("api.localhost", true),
            ("127.0.0.1:1", true),
            ("127.254.3.2", true),
            ("127.1", true),
            ("0x7f000001", true),
            ("[::1]:8080", true),
            ("[::ffff:127.0.0.1]", true),
            ("128.0.0.1", false),
            ("[::2]", false),
            ("localhost.example.com", false),
            ("notlocalhost", false),
            ("127.0.0.1.example.com", false),
        ] {
            assert_eq!(is_loopback(&format!("http://{host}/v1")), here, "{host}");
        }
    }
}
