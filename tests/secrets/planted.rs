//! The secrets that the tests plant, and the search for them.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The secrets, each with its name. No secret contains another one. The characters `+` and `/` have other forms in a
/// URL and in base64.
pub(crate) const PLANTED: [(&str, &str); 8] = [
    ("enterprise secret", ENTERPRISE_SECRET),
    ("product secret", PRODUCT_SECRET),
    ("token", TOKEN),
    ("passcode", PASSCODE),
    ("password of the proxy", PROXY_PASSWORD),
    ("password of the base URL", URL_PASSWORD),
    ("password of the Wi-Fi", WIFI_PASSWORD),
    ("secret of the module", MODULE_SECRET),
];
pub(crate) const ENTERPRISE_SECRET: &str = "EnterpriseHush+4f8a/b1c2d3e4f5";
pub(crate) const PRODUCT_SECRET: &str = "ProductHush+91c2/a1b2c3d4e5f6";
pub(crate) const TOKEN: &str = "TokenHush77d0c5f2a9b8e1d4";
pub(crate) const PASSCODE: &str = "PASSCODEHUSH";
pub(crate) const PROXY_PASSWORD: &str = "ProxyHush5d1e9c";
pub(crate) const URL_PASSWORD: &str = "UrlHush8e3b7a";
pub(crate) const WIFI_PASSWORD: &str = "WifiHush2c6d0f";
pub(crate) const MODULE_SECRET: &str = "ModuleHush0123456789abcdef012345";
/// A text that is not planted. The test of the search shows the text on surfaces that other tests search at the same
/// time.
pub(crate) const PROBE: &str = "ProbeText6b4d2f";

/// Returns the secrets that a text has and that are not among the allowed ones, by their names.
pub(crate) fn found(text: &[u8], allowed: &[&str]) -> Vec<&'static str> {
    let text = String::from_utf8_lossy(text);
    let secrets = PLANTED.iter().filter(|(name, _)| !allowed.contains(name));
    let secrets =
        secrets.filter(|(_, secret)| forms(secret).iter().any(|form| text.contains(form)));
    secrets.map(|(name, _)| *name).collect()
}

/// The forms of a secret: unchanged, percent-encoded, as hex, as the bytes of a `Debug` output, and as base64 behind
/// 0, 1 or 2 other bytes.
pub(crate) fn forms(secret: &str) -> Vec<String> {
    let (mut percent, mut hex) = (String::new(), String::new());
    for byte in secret.bytes() {
        match byte.is_ascii_alphanumeric() {
            true => percent.push(byte.into()),
            false => write!(percent, "%{byte:02X}").unwrap(),
        }
        write!(hex, "{byte:02x}").unwrap();
    }
    let list = format!("{:?}", secret.as_bytes());
    let list = list.trim_matches(['[', ']']).to_owned();
    let base64 = (0..3).map(|before| base64_of(secret, before));
    let forms = [secret.to_owned(), percent, hex.to_uppercase(), hex, list];
    forms.into_iter().chain(base64).collect()
}

/// The characters of the base64 of a text that depend on the secret alone, if `before` other bytes are in front of the
/// secret.
fn base64_of(secret: &str, before: usize) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bytes: Vec<u8> = vec![0; before].into_iter().chain(secret.bytes()).collect();
    let groups = bytes.as_chunks::<3>().0.iter();
    let digits = groups.flat_map(|[one, two, three]| {
        let bits = u32::from_be_bytes([0, *one, *two, *three]);
        [18, 12, 6, 0].map(|shift| char::from(DIGITS[(bits >> shift) as usize & 63]))
    });
    // The first characters of a group with other bytes depend on these bytes.
    digits.skip([0, 2, 3][before]).collect()
}

/// The texts in which secrets are searched, each once, with the surface that it comes from.
#[derive(Default)]
pub(crate) struct Surfaces(Mutex<BTreeSet<(String, Vec<u8>)>>);

impl Surfaces {
    pub(crate) fn add(&self, surface: impl Into<String>, text: impl Into<Vec<u8>>) {
        self.texts().insert((surface.into(), text.into()));
    }

    /// Adds all that an error shows: its text, its `Debug` forms, and those of its sources.
    pub(crate) fn add_error(&self, surface: &str, error: &dyn std::error::Error) {
        let mut cause = Some(error);
        while let Some(error) = cause {
            self.add(
                surface,
                format!("{error}\n{error:#}\n{error:?}\n{error:#?}"),
            );
            cause = error.source();
        }
    }

    fn texts(&self) -> MutexGuard<'_, BTreeSet<(String, Vec<u8>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the number of different texts of the surfaces whose names begin with these words.
    pub(crate) fn count(&self, surface: &str) -> usize {
        self.texts()
            .iter()
            .filter(|(one, _)| one.starts_with(surface))
            .count()
    }

    /// Asserts that no text has a secret.
    pub(crate) fn check(&self) {
        let mut leaks = String::new();
        for (surface, text) in &*self.texts() {
            let found = found(text, &[]);
            if !found.is_empty() {
                let text = String::from_utf8_lossy(text);
                writeln!(leaks, "{surface} has {found:?}: {text}").unwrap();
            }
        }
        assert!(leaks.is_empty(), "{leaks}");
    }
}
