//! Whose devices they are: credentials from the environment or a file, never from arguments, which
//! every user of the machine can read.

use std::collections::BTreeMap;
use std::env::VarError;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use gizwits_enterprise_client::blocking::{Enterprise, Product};
use gizwits_enterprise_client::{Error, ErrorKind, SecretString};
use serde::Deserialize;

use crate::failure::Failure;
use crate::text::{printable, tell};

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
A variable that is set to nothing is an error. A server on this machine is reached without a proxy.
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
        let path = match variable("CONFIG")? {
            Some(path) => PathBuf::from(path),
            None => home().join("gizwits").join("config.toml"),
        };
        let name = match &self.profile {
            Some(name) => Some(name.clone()),
            None => variable("PROFILE")?,
        };
        let set = Profile {
            base_url: variable("BASE_URL")?,
            enterprise_id: variable("ENTERPRISE_ID")?,
            enterprise_secret: variable("ENTERPRISE_SECRET")?,
            product_key: variable("PRODUCT_KEY")?,
            product_secret: variable("PRODUCT_SECRET")?,
        };
        let profile = match read(&path, name.as_deref()) {
            Ok(profile) => profile,
            // Without an address of its own a call could go to another server than the file says.
            Err(error) if name.is_none() && set.is_whole() => {
                tell(format_args!(
                    "warning: {error}\n  the environment has everything, so the file is not needed"
                ));
                Profile::default()
            }
            Err(error) => return Err(Failure::Usage(format!("error: {error}"))),
        };
        // A blank one is the file's: of the environment there is none any more.
        let pick = |name: &str, set: Option<String>, of_file: Option<String>| match set.or(of_file)
        {
            Some(value) if value.trim().is_empty() => Err(Failure::Usage(format!(
                "error: {}: {} is empty: give it a value, or take the line out",
                path.display(),
                name.to_lowercase()
            ))),
            value => Ok(value),
        };
        let url = pick("BASE_URL", set.base_url, profile.base_url)?;
        let mut missing = Vec::new();
        let mut need = |name: &'static str, set: Option<String>, of_file: Option<String>| {
            let found = pick(name, set, of_file)?;
            if found.is_none() {
                missing.push(name);
            }
            Ok::<_, Failure>(found.unwrap_or_default())
        };
        let id = need("ENTERPRISE_ID", set.enterprise_id, profile.enterprise_id)?;
        let key = need("PRODUCT_KEY", set.product_key, profile.product_key)?;
        let enterprise_secret = SecretString::from(need(
            "ENTERPRISE_SECRET",
            set.enterprise_secret,
            profile.enterprise_secret,
        )?);
        let product_secret = SecretString::from(need(
            "PRODUCT_SECRET",
            set.product_secret,
            profile.product_secret,
        )?);
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
        if let Some(url) = url {
            builder = builder.base_url(url);
        }
        let enterprise = builder.build().map_err(|error| refused(&error))?;
        Ok(enterprise.product(key, product_secret))
    }
}

impl Profile {
    /// Whether it leaves nothing to another source.
    fn is_whole(&self) -> bool {
        let all = [
            &self.base_url,
            &self.enterprise_id,
            &self.enterprise_secret,
            &self.product_key,
            &self.product_secret,
        ];
        all.into_iter().all(Option::is_some)
    }
}

/// The profile of this name in the file, or `default`; an empty one without a name and a file.
fn read(path: &Path, name: Option<&str>) -> Result<Profile, String> {
    let shown = path.display();
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return match name {
                None => Ok(Profile::default()),
                Some(name) => Err(format!("no profile {name}: there is no {shown}")),
            };
        }
        Err(error) => return Err(format!("{shown}: {error}")),
    };
    warn_of_readers(path);
    // What toml says of an error may hold a secret, whole or in part.
    let parsed: Result<BTreeMap<String, Profile>, toml::de::Error> = toml::from_str(&text);
    let mut profiles = parsed.map_err(|error| {
        let start = error.span().map_or(0, |span| span.start);
        let line = text.get(..start).unwrap_or_default().matches('\n').count() + 1;
        format!(
            "{shown}:{line}: not understood; a profile is [NAME] and, each in quotes: base_url, \
             enterprise_id, enterprise_secret, product_key, product_secret"
        )
    })?;
    match (profiles.remove(name.unwrap_or("default")), name) {
        (Some(profile), _) => Ok(profile),
        (None, None) => Ok(Profile::default()),
        (None, Some(name)) => {
            let names: Vec<String> = profiles.into_keys().collect();
            Err(format!(
                "no profile {name} in {shown}; there are: {}",
                names.join(", ")
            ))
        }
    }
}

/// An environment variable, if it is set. One that is set to nothing is a mistake, and no default.
fn variable(name: &str) -> Result<Option<String>, Failure> {
    let name = format!("GIZWITS_{name}");
    match std::env::var(&name) {
        Ok(value) if value.trim().is_empty() => Err(Failure::Usage(format!(
            "error: {name} is empty: give it a value, or unset it"
        ))),
        Ok(value) => Ok(Some(value)),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => {
            Err(Failure::Usage(format!("error: {name} is not UTF-8 text")))
        }
    }
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
    Failure::Server(explained(error))
}

/// The text of [`refused`].
pub(crate) fn explained(error: &Error) -> String {
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
    told
}
