//! The account that a command uses. Credentials come from the environment or a file, never from arguments,
//! because every user of a machine can read the arguments of its processes.

use std::collections::BTreeMap;
use std::env::VarError;
use std::ops::Deref;
#[cfg(unix)]
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use etcetera::BaseStrategy as _;
use gizwits_codec_std::Product as Definition;
use gizwits_enterprise_client::blocking::{Enterprise, Product};
use gizwits_enterprise_client::client::BASE_URL;
use gizwits_enterprise_client::http::FailureKind;
use gizwits_enterprise_client::{Error, ErrorKind, SecretString};
use serde::Deserialize;
use serde_json::json;

use crate::cache::Cache;
use crate::failure::{Failure, in_file, usage};
use crate::text::{printable, tell};

/// The options that select an account.
#[derive(Args, Clone)]
pub(crate) struct Account {
    /// The profile in config.toml, which no variable may contradict. Default: GIZWITS_PROFILE, or else `default`
    #[arg(long, value_name = "NAME", global = true)]
    profile: Option<String>,
    /// Neither read nor write the cache of tokens and definitions: fetch both again
    #[arg(long, global = true)]
    no_cache: bool,
}

/// The product of an account. Its definition comes from the cache if it is there.
pub(crate) struct Cloud {
    product: Product,
    cache: Option<Cache>,
}

impl Deref for Cloud {
    type Target = Product;

    fn deref(&self) -> &Product {
        &self.product
    }
}

impl Cloud {
    /// Returns the definition of the product, which later calls use as well.
    pub(crate) fn definition(&self) -> Result<Definition, Error> {
        let Some(cache) = &self.cache else {
            return self.product.definition();
        };
        let known = cache.definition(self.product.key().as_str());
        // A definition with errors is fetched again: it may be correct now.
        match known.and_then(|json| Definition::from_json(&json).ok()) {
            Some(definition) => {
                self.product.set_definition(definition.clone());
                Ok(definition)
            }
            None => self.new_definition(Duration::ZERO),
        }
    }

    /// Fetches the definition of the product, whatever the cache has, and keeps it for later calls and commands. The
    /// request waits at most this long for the reset of the rate limit.
    pub(crate) fn new_definition(&self, max_wait: Duration) -> Result<Definition, Error> {
        let datapoints = self.product.datapoint().max_wait(max_wait).send()?;
        let definition = datapoints.definition()?;
        if let Some(cache) = &self.cache {
            cache.save_definition(self.product.key().as_str(), &json!(datapoints).to_string());
        }
        self.product.set_definition(definition.clone());
        Ok(definition)
    }

    /// Applies a check to the definition. If the check fails, applies it to a new definition, because that of the
    /// cache may be older than the values that are checked.
    pub(crate) fn checked<T>(
        &self,
        check: impl Fn(&Definition) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        match (check(&self.definition()?), &self.cache) {
            (Err(_), Some(_)) => check(&self.new_definition(Duration::ZERO)?),
            (checked, _) => checked,
        }
    }
}

/// The part of the help that explains credentials, for commands that call a server.
pub(crate) const HELP: &str = "\
Credentials come from environment variables: GIZWITS_BASE_URL, GIZWITS_ENTERPRISE_ID, GIZWITS_ENTERPRISE_SECRET, \
GIZWITS_PRODUCT_KEY, GIZWITS_PRODUCT_SECRET. What is not set there is read from ~/.config/gizwits/config.toml (on Windows \
%APPDATA%\\gizwits\\config.toml), from the section of the profile, with the same names in lower case and without GIZWITS_:
  [default]
  enterprise_id = \"…\"
A profile may also have the path of a definition, for commands that read one: definition = \"FILE\". GIZWITS_CONFIG names \
another file. A variable that is set but empty is an error.

A profile that is named by --profile or GIZWITS_PROFILE goes first: variables only fill its gaps. A variable that differs \
from the profile is an error, so that no command uses a mixture of two accounts.

Tokens, and definitions for an hour, are kept in ~/.cache/gizwits for the next commands; `device log` and `device data` \
always fetch the definition. Only you can read the tokens. GIZWITS_CACHE names another folder, and --no-cache works without \
it.

HTTPS trusts the certificates of the system. On Linux, SSL_CERT_FILE names a file with other certificates in PEM, and \
SSL_CERT_DIR a folder. The proxy of HTTPS_PROXY or ALL_PROXY is used (for http:// of HTTP_PROXY), except for the hosts of \
NO_PROXY and for this machine.

Without an account, run `gizwits simulate`: it prints credentials for a server of your own.";

/// One profile of the file. It does not implement `Debug`, which would show secrets.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Profile {
    base_url: Option<String>,
    enterprise_id: Option<String>,
    product_key: Option<String>,
    enterprise_secret: Option<String>,
    product_secret: Option<String>,
    /// The path of the definition of commands without --definition.
    definition: Option<PathBuf>,
}

impl Profile {
    /// The fields with their names in the file.
    fn members(&mut self) -> [(&'static str, &mut Option<String>); 5] {
        [
            ("base_url", &mut self.base_url),
            ("enterprise_id", &mut self.enterprise_id),
            ("product_key", &mut self.product_key),
            ("enterprise_secret", &mut self.enterprise_secret),
            ("product_secret", &mut self.product_secret),
        ]
    }

    /// The names of the fields without a value.
    fn missing(&mut self) -> impl Iterator<Item = &'static str> {
        let members = self.members().into_iter();
        members.filter_map(|(name, value)| value.is_none().then_some(name))
    }
}

impl Account {
    /// The option `--profile` as it was given, for a command line that is printed to be run again.
    pub(crate) fn option(&self) -> String {
        let profile = self.profile.as_ref();
        profile.map_or(String::new(), |profile| format!("--profile {profile} "))
    }

    /// The account with the profile that was named before the command, unless another one is named after it.
    pub(crate) fn or_profile(&self, profile: Option<String>) -> Self {
        let mut account = self.clone();
        account.profile = account.profile.or(profile);
        account
    }

    /// The cache of an account on this server. `None` if it is switched off, or if the user has no folder for caches.
    fn cache(&self, server: &str, secrets: &[&str]) -> Result<Option<Cache>, Failure> {
        if self.no_cache {
            return Ok(None);
        }
        let root = match variable("CACHE")? {
            Some(path) => Some(PathBuf::from(path)),
            None => etcetera::choose_base_strategy()
                .ok()
                .map(|folders| folders.cache_dir().join("gizwits")),
        };
        Ok(root.map(|root| Cache::new(&root, server, secrets)))
    }

    /// Reads the credentials and returns their product, ready for calls.
    pub(crate) fn cloud(&self) -> Result<Cloud, Failure> {
        let path = config_path()?;
        let name = match &self.profile {
            Some(name) => Some(name.clone()),
            None => variable("PROFILE")?,
        };
        let mut profile = Profile::default();
        for (name, value) in profile.members() {
            *value = variable(&name.to_uppercase())?;
        }
        let mut file = match read(&path, name.as_deref()) {
            Ok(file) => file,
            // A file that can't be used is ignored only if the variables are complete, including the base URL:
            // without it, calls could go to another server than the one in the file.
            Err(error) if name.is_none() && profile.missing().next().is_none() => {
                tell(format_args!(
                    "warning: {error}\n  the file is ignored: the environment variables are complete"
                ));
                Profile::default()
            }
            Err(error) => return Err(Failure::Usage(format!("error: {error}"))),
        };
        if let Some(name) = &name {
            refuse_differing(name, &mut profile, &mut file)?;
        }
        let is_url_of_variable = profile.base_url.is_some();
        let shown = path.display();
        for ((name, value), (_, of_file)) in profile.members().into_iter().zip(file.members()) {
            *value = value.take().or(of_file.take());
            // This value is from the file, because empty variables are refused above.
            if value.as_ref().is_some_and(|value| value.trim().is_empty()) {
                let message = format!("{name} is empty: set a value or remove the line");
                return Err(in_file(&path, message));
            }
        }
        let missing = profile.missing().filter(|name| *name != "base_url");
        let missing: Vec<_> = missing.collect();
        if let [first, ..] = *missing {
            let names = missing.join(", GIZWITS_").to_uppercase();
            return Err(Failure::Usage(format!(
                "error: missing credentials: set GIZWITS_{names}, or write {first} = \"…\" into {shown}\n  \
                 without an account, run gizwits simulate: it prints credentials for a server of your own",
            )));
        }
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        let secret = |value: &Option<String>| SecretString::from(text(value));
        let secrets = [
            &profile.enterprise_id,
            &profile.enterprise_secret,
            &profile.product_secret,
        ];
        let secrets = secrets.map(|value| value.as_deref().unwrap_or_default());
        let server = profile.base_url.as_deref().unwrap_or(BASE_URL);
        let cache = self.cache(server, &secrets)?;
        // A person at a terminal gets an error when the rate limit is reached, instead of a long wait.
        let mut builder = Enterprise::builder()
            .id(text(&profile.enterprise_id))
            .secret(secret(&profile.enterprise_secret))
            .base_url(server)
            .max_wait(Duration::ZERO);
        if let Some(cache) = &cache {
            builder = builder.token_store(cache.clone());
        }
        let enterprise = builder.build().map_err(|error| {
            let origin = match is_url_of_variable {
                true => "GIZWITS_BASE_URL".to_owned(),
                false => format!("{shown}: base_url"),
            };
            url_failure(&origin, server, BASE_URL, error)
        })?;
        let secret = secret(&profile.product_secret);
        let product = enterprise.product(text(&profile.product_key), secret);
        Ok(Cloud { product, cache })
    }
}

/// The failure of a base URL that is not valid, which came from the setting `origin`. Other errors are kept.
pub(crate) fn url_failure(origin: &str, url: &str, example: &str, error: Error) -> Failure {
    let Error::Invalid(message) = &error else {
        return error.into();
    };
    let Some(reason) = message.strip_prefix("the base URL is not valid: ") else {
        return error.into();
    };
    if reason.starts_with("it must not") {
        return usage(format_args!("{origin}: {reason}"));
    }
    // Any other character may belong to a password.
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b".:/_-".contains(&byte);
    let value = match url.len() < 80 && url.bytes().all(is_plain) {
        true => format!(" = {url}"),
        false => String::new(),
    };
    usage(format_args!(
        "{origin}{value}: expected a URL such as {example}"
    ))
}

/// Refuses variables that differ from a profile that was named: the call would go to another account, or to a mixture of
/// two.
fn refuse_differing(
    name: &str,
    variables: &mut Profile,
    file: &mut Profile,
) -> Result<(), Failure> {
    let members = variables.members().into_iter().zip(file.members());
    let differing = members.filter(|((_, set), (_, of_file))| {
        let is_other = |set: &String| of_file.as_ref().is_some_and(|value| value != set);
        set.as_ref().is_some_and(is_other)
    });
    let differing: Vec<String> = differing
        .map(|((member, _), _)| format!("GIZWITS_{}", member.to_uppercase()))
        .collect();
    let message = match &differing[..] {
        [] => return Ok(()),
        [one] => format!("{one} is set and differs from the profile {name}: unset it"),
        all => format!(
            "{} are set and differ from the profile {name}: unset them",
            all.join(", ")
        ),
    };
    Err(usage(message))
}

/// The path of config.toml.
fn config_path() -> Result<PathBuf, Failure> {
    Ok(match variable("CONFIG")? {
        Some(path) => PathBuf::from(path),
        None => {
            let folder = etcetera::choose_base_strategy().map(|folders| folders.config_dir());
            let folder = folder.unwrap_or_else(|_| PathBuf::from(".config"));
            folder.join("gizwits").join("config.toml")
        }
    })
}

/// The path of the definition for commands without --definition: `GIZWITS_DEFINITION`, or else `definition` in the
/// profile, where a relative path begins at the folder of config.toml. A profile named on the command line goes first.
pub(crate) fn definition(profile: Option<String>) -> Result<Option<PathBuf>, Failure> {
    if profile.is_none()
        && let Some(path) = variable("DEFINITION")?
    {
        return Ok(Some(PathBuf::from(path)));
    }
    let name = match profile {
        Some(name) => Some(name),
        None => variable("PROFILE")?,
    };
    let config = config_path()?;
    let profile = read(&config, name.as_deref());
    let profile = profile.map_err(|error| Failure::Usage(format!("error: {error}")))?;
    let Some(path) = profile.definition else {
        return Ok(variable("DEFINITION")?.map(PathBuf::from));
    };
    let home = etcetera::home_dir().ok();
    Ok(Some(match (path.strip_prefix("~"), home) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => config.with_file_name("").join(path),
    }))
}

/// Reads the profile `name` of the file. Without a name, reads the profile `default`, which is empty if the
/// file or the profile does not exist.
fn read(path: &Path, name: Option<&str>) -> Result<Profile, String> {
    let shown = path.display();
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return match name {
                None => Ok(Profile::default()),
                Some(name) => Err(format!("no profile {name}: {shown} does not exist")),
            };
        }
        Err(error) => return Err(format!("{shown}: {error}")),
    };
    #[cfg(unix)]
    if std::fs::metadata(path).is_ok_and(|file| MetadataExt::mode(&file) & 0o077 != 0) {
        tell(format_args!(
            "warning: {shown} contains secrets and can be read by others: chmod 600 {shown}"
        ));
    }
    // The messages of toml quote the text, which may contain a secret, so only the line number is used.
    let parsed: Result<BTreeMap<String, Profile>, toml::de::Error> = toml::from_str(&text);
    let mut profiles = parsed.map_err(|error| {
        let start = error.span().map_or(0, |span| span.start);
        let line = text.get(..start).unwrap_or_default().matches('\n').count() + 1;
        format!(
            "{shown}:{line}: not a valid profile: expected [NAME], then any of base_url, definition, \
             enterprise_id, enterprise_secret, product_key, product_secret, with values in quotes"
        )
    })?;
    match (profiles.remove(name.unwrap_or("default")), name) {
        (Some(profile), _) => Ok(profile),
        (None, None) => Ok(Profile::default()),
        (None, Some(name)) => {
            let names: Vec<String> = profiles.into_keys().collect();
            let names = names.join(", ");
            Err(format!(
                "no profile {name} in {shown}: the profiles are {names}"
            ))
        }
    }
}

/// The value of the environment variable `GIZWITS_` + `name`. An empty variable is an error: an empty
/// credential is a mistake, and the value from the file might belong to another account.
pub(crate) fn variable(name: &str) -> Result<Option<String>, Failure> {
    let name = format!("GIZWITS_{name}");
    match std::env::var(&name) {
        Ok(value) if value.trim().is_empty() => Err(usage(format_args!(
            "{name} is empty: set a value or unset the variable"
        ))),
        Ok(value) => Ok(Some(value)),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => Err(usage(format_args!("{name} is not valid UTF-8"))),
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure::Server(explained(&error))
    }
}

/// The message of a failed call, with a hint what to do about it.
pub(crate) fn explained(error: &Error) -> String {
    let hint = match (error, error.code().map(|code| code.kind())) {
        (Error::Transport(error), _) if error.failure.kind == FailureKind::Certificate => "",
        (Error::Transport(_), _) => {
            "\n  check the address of the server in GIZWITS_BASE_URL or base_url of config.toml"
        }
        (Error::RateLimited(_), _) => {
            "\n  the server limits the calls per hour: all calls fail until then"
        }
        (_, Some(ErrorKind::Credential)) => {
            "\n  credentials come from GIZWITS_… or config.toml: see `gizwits device --help`"
        }
        // The client requests a new token before it reports this error.
        (_, Some(ErrorKind::Auth)) => "\n  a new token was refused, too: check the product key",
        _ => "",
    };
    format!("error: {}{hint}", printable(&error.to_string()))
}
