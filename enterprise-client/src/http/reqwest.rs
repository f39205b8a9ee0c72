//! The transport with reqwest: no redirects, no retries, no referer.

use std::error::Error as StdError;
use std::time::Duration;

use reqwest::header::HeaderValue;

use crate::http::{Failure, FailureKind, Request, Response, ResponseFuture, Transport};

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
        let client = builder.build().map_err(|error| unusable(&error))?;
        Ok(Reqwest(client))
    }

    async fn answer(&self, request: Request) -> Result<Response, Failure> {
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
        Ok(Response::new(status, headers, body))
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
    fn send(&self, request: Request) -> ResponseFuture<'_> {
        Box::pin(self.answer(request))
    }
}

fn failure(error: reqwest::Error) -> Failure {
    #[cfg(feature = "rustls")]
    if let Some(reason) = certificate_error(&error) {
        return Failure::new(FailureKind::Certificate).caused_by(reason);
    }
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

/// The reason why a certificate was refused, and the remedy. `None` if the failure has another cause.
#[cfg(feature = "rustls")]
fn certificate_error(error: &reqwest::Error) -> Option<String> {
    use rustls::CertificateError::{
        Expired, ExpiredContext, NotValidForName, NotValidForNameContext, NotValidYet,
        NotValidYetContext, UnknownIssuer,
    };

    let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(one) = cause {
        // The error inside of an `io::Error` is not its source.
        let inner = one.downcast_ref::<std::io::Error>();
        let inner = inner.and_then(|error| error.get_ref());
        let inner: Option<&(dyn StdError + 'static)> = inner.map(|inner| inner as _);
        let found = inner.unwrap_or(one).downcast_ref::<rustls::Error>();
        if let Some(rustls::Error::InvalidCertificate(refused)) = found {
            return Some(match refused {
                UnknownIssuer => "it is signed by an authority that this system does not trust. Add the \
                    certificate of the authority to the system, or, on Linux, set SSL_CERT_FILE to a PEM file \
                    that contains it"
                    .to_owned(),
                Expired | ExpiredContext { .. } | NotValidYet | NotValidYetContext { .. } => {
                    format!("{refused}: check the clock of this system and the certificate of the server")
                }
                NotValidForName | NotValidForNameContext { .. } => {
                    format!("{refused}: check the host in the URL of the server")
                }
                _ => refused.to_string(),
            });
        }
        cause = inner.or(one.source());
    }
    None
}

fn unusable(error: &dyn StdError) -> String {
    format!("the HTTP client could not be created: {error}")
}

/// Adds TLS for a base URL: rustls with ring, and the certificates that the platform trusts. reqwest would take the
/// provider that the program has installed, which may be another one. `roots` are further certificates as PEM text.
#[cfg(feature = "rustls")]
pub(crate) fn with_tls(
    builder: reqwest::ClientBuilder,
    base: &str,
    roots: Option<&[u8]>,
) -> Result<reqwest::ClientBuilder, String> {
    let roots = roots.map_or(Ok(Vec::new()), certificates)?;
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable(&error))?;
    let config = match verified(config.clone(), roots) {
        Ok(config) => config,
        // A machine without certificates can use `http:`, and reqwest still needs a configuration.
        Err(rustls::Error::General(_)) if !base.starts_with("https:") => {
            config.with_root_certificates(rustls::RootCertStore::empty())
        }
        Err(error @ rustls::Error::InvalidCertificate(_)) => return Err(invalid_roots(&error)),
        Err(error) => {
            return Err(format!(
                "HTTPS is not available: {error}; install the system's CA certificates (`ca-certificates`), \
                 or set SSL_CERT_FILE to a file with certificates"
            ));
        }
    };
    Ok(builder.tls_backend_preconfigured(config.with_no_client_auth()))
}

/// The builders of rustls before and after the choice of trusted certificates.
#[cfg(feature = "rustls")]
type Unverified = rustls::ConfigBuilder<rustls::ClientConfig, rustls::WantsVerifier>;
#[cfg(feature = "rustls")]
type Verified = rustls::ConfigBuilder<rustls::ClientConfig, rustls::client::WantsClientCert>;

#[cfg(all(feature = "rustls", not(target_os = "android")))]
fn verified(
    config: Unverified,
    roots: Vec<rustls::pki_types::CertificateDer<'static>>,
) -> Result<Verified, rustls::Error> {
    let provider = std::sync::Arc::clone(config.crypto_provider());
    let verifier = rustls_platform_verifier::Verifier::new_with_extra_roots(roots, provider)?;
    let verifier = std::sync::Arc::new(verifier);
    Ok(config
        .dangerous()
        .with_custom_certificate_verifier(verifier))
}

/// Android verifies certificates itself, and with its own certificates only.
#[cfg(all(feature = "rustls", target_os = "android"))]
fn verified(
    config: Unverified,
    roots: Vec<rustls::pki_types::CertificateDer<'static>>,
) -> Result<Verified, rustls::Error> {
    use rustls_platform_verifier::BuilderVerifierExt as _;
    if !roots.is_empty() {
        let message = "Android accepts no further root certificates";
        return Err(rustls::Error::General(message.to_owned()));
    }
    config.with_platform_verifier()
}

/// Reads the certificates of a PEM text, which has at least one.
#[cfg(feature = "rustls")]
fn certificates(pem: &[u8]) -> Result<Vec<rustls::pki_types::CertificateDer<'static>>, String> {
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject as _;
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match certificates {
        Ok(certificates) if certificates.is_empty() => {
            Err(invalid_roots(&"the PEM text has no certificate"))
        }
        Ok(certificates) => Ok(certificates),
        Err(error) => Err(invalid_roots(&format_args!("not valid PEM: {error}"))),
    }
}

#[cfg(feature = "rustls")]
fn invalid_roots(reason: &dyn std::fmt::Display) -> String {
    format!("the root certificates are not valid: {reason}")
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
