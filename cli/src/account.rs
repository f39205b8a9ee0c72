//! Whose devices they are: credentials from the environment or a file, never from arguments, which
//! every user of the machine can read.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use gizwits_enterprise_client::blocking::{Enterprise, Product};
use gizwits_enterprise_client::{Error, ErrorKind, SecretString};
use serde::Deserialize;

use crate::{Failure, printable, tell};

/// Which account a command uses.
#[derive(Args)]
pub(crate) struct Account {
    /// The profile of config.toml; `default` unless told, here or by GIZWITS_PROFILE
    #[arg(long, value_name = "NAME", global = true)]
    profile: Option<String>,
}

/// What the commands that speak to a server have below their help.
pub(crate) const HELP: &str = "\
Credentials come from the environment or from ~/.config/gizwits/config.toml, the environment first:
  GIZWITS_BASE_URL, GIZWITS_ENTERPRISE_ID, GIZWITS_ENTERPRISE_SECRET, GIZWITS_PRODUCT_KEY,
  GIZWITS_PRODUCT_SECRET
  [default]
  enterprise_id = \"…\" (and so on, in lower case without GIZWITS_)
Without an account, `gizwits simulate` prints those of a server of your own.";

/// One profile of the file; without `Debug`, which would show secrets.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Profile {
    base_url: Option<String>,
    enterprise_id: Option<String>,
    enterprise_secret: Option<String>,
    product_key: Option<String>,
    product_secret: Option<String>,
}

impl Account {
    /// The option as it was given, to be given again.
    pub(crate) fn option(&self) -> String {
        let profile = self.profile.as_ref();
        profile.map_or(String::new(), |profile| format!("--profile {profile} "))
    }

    /// The product that the credentials belong to.
    pub(crate) fn product(&self) -> Result<Product, Failure> {
        let (path, profile) = self.read()?;
        let mut missing = Vec::new();
        let mut need = |name: &'static str, of_file: Option<String>| {
            let found = variable(name).or(of_file);
            if found.is_none() {
                missing.push(name);
            }
            found.unwrap_or_default()
        };
        let id = need("ENTERPRISE_ID", profile.enterprise_id);
        let key = need("PRODUCT_KEY", profile.product_key);
        let enterprise_secret =
            SecretString::from(need("ENTERPRISE_SECRET", profile.enterprise_secret));
        let product_secret = SecretString::from(need("PRODUCT_SECRET", profile.product_secret));
        if let Some(first) = missing.first() {
            let names: Vec<String> = missing
                .iter()
                .map(|name| format!("GIZWITS_{name}"))
                .collect();
            return Err(Failure::Usage(format!(
                "error: {} missing: set {}, or write {} = \"…\" into {}\n  without an account: \
                 gizwits simulate prints all of them for a server of your own",
                if missing.len() == 1 {
                    "a credential is"
                } else {
                    "credentials are"
                },
                names.join(", "),
                first.to_lowercase(),
                path.display(),
            )));
        }
        // Whoever types is told that the quota is used up, not made to wait.
        let mut builder = Enterprise::builder()
            .id(id)
            .secret(enterprise_secret)
            .max_wait(Duration::ZERO);
        if let Some(url) = variable("BASE_URL").or(profile.base_url) {
            builder = builder.base_url(url);
        }
        let enterprise = builder.build().map_err(|error| refused(&error))?;
        Ok(enterprise.product(key, product_secret))
    }

    /// The profile, empty if there is no file, and where the file is or would be.
    fn read(&self) -> Result<(PathBuf, Profile), Failure> {
        let path = match variable("CONFIG") {
            Some(path) => PathBuf::from(path),
            None => home().join("gizwits").join("config.toml"),
        };
        let name = self.profile.clone().or_else(|| variable("PROFILE"));
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return match name {
                    None => Ok((path, Profile::default())),
                    Some(name) => Err(Failure::Usage(format!(
                        "error: no profile {name}: there is no {}",
                        path.display()
                    ))),
                };
            }
            Err(error) => {
                let message = format!("error: {}: {error}", path.display());
                return Err(Failure::Usage(message));
            }
        };
        warn_of_readers(&path);
        // What toml says of an error may hold a secret, whole or in part.
        let parsed: Result<BTreeMap<String, Profile>, toml::de::Error> = toml::from_str(&text);
        let mut profiles = parsed.map_err(|error| {
            let start = error.span().map_or(0, |span| span.start);
            let line = text.get(..start).unwrap_or_default().matches('\n').count() + 1;
            Failure::Usage(format!(
                "error: {}:{line}: not understood; a profile is [NAME] and, each in quotes: base_url, \
                 enterprise_id, enterprise_secret, product_key, product_secret",
                path.display()
            ))
        })?;
        let wanted = name.as_deref().unwrap_or("default");
        match (profiles.remove(wanted), &name) {
            (Some(profile), _) => Ok((path, profile)),
            (None, None) => Ok((path, Profile::default())),
            (None, Some(name)) => {
                let names: Vec<String> = profiles.into_keys().collect();
                Err(Failure::Usage(format!(
                    "error: no profile {name} in {}; there are: {}",
                    path.display(),
                    names.join(", ")
                )))
            }
        }
    }
}

/// An environment variable that is set to something.
fn variable(name: &str) -> Option<String> {
    let value = std::env::var(format!("GIZWITS_{name}")).ok();
    value.filter(|value| !value.is_empty())
}

/// Where programs keep their settings.
fn home() -> PathBuf {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    match (
        set("XDG_CONFIG_HOME"),
        set("HOME").or_else(|| set("USERPROFILE")),
    ) {
        (Some(config), _) => config.into(),
        (None, Some(home)) => PathBuf::from(home).join(".config"),
        (None, None) => PathBuf::from(".config"),
    }
}

#[cfg(unix)]
fn warn_of_readers(path: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(path).map(|file| file.permissions().mode());
    if mode.is_ok_and(|mode| mode & 0o077 != 0) {
        let path = path.display();
        tell(format_args!(
            "warning: {path} holds secrets and can be read by others: chmod 600 {path}"
        ));
    }
}

#[cfg(not(unix))]
fn warn_of_readers(_: &std::path::Path) {}

/// What the server, or the way to it, refused, and what to do about it.
pub(crate) fn refused(error: &Error) -> Failure {
    let mut told = format!("error: {}", printable(&error.to_string()));
    told += match error {
        Error::Transport(_) => {
            "\n  is the server there? GIZWITS_BASE_URL or base_url in config.toml says where"
        }
        Error::Api(refusal) => match refusal.code.kind() {
            ErrorKind::Credential => {
                "\n  credentials come from GIZWITS_… or config.toml; `gizwits device --help` says more"
            }
            // The first one was dropped, and another asked for.
            ErrorKind::Auth => "\n  a new token was refused, too; is the product key right?",
            _ => "",
        },
        Error::RateLimited(_) => {
            "\n  calls are counted by the hour; until then every command is refused"
        }
        _ => "",
    };
    Failure::Server(told)
}
