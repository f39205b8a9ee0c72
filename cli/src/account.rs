//! The account of a command: credentials from the environment or a file, never from arguments, which
//! every user of the machine can read.

use std::collections::BTreeMap;
use std::env::VarError;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use etcetera::BaseStrategy as _;
use gizwits_enterprise_client::blocking::{Enterprise, Product};
use gizwits_enterprise_client::{Error, ErrorKind, SecretString};
use serde::Deserialize;

use crate::failure::Failure;
use crate::text::{printable, tell};

/// The account that a command uses.
#[derive(Args)]
pub(crate) struct Account {
    /// The profile of config.toml; `default` unless told, here or by GIZWITS_PROFILE
    #[arg(long, value_name = "NAME", global = true)]
    profile: Option<String>,
}

/// The help about credentials, for the commands that call a server.
pub(crate) const HELP: &str = "\
Credentials come from the environment or from ~/.config/gizwits/config.toml (on Windows
%APPDATA%\\gizwits\\config.toml), the environment first:
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
    product_key: Option<String>,
    enterprise_secret: Option<String>,
    product_secret: Option<String>,
}

impl Profile {
    /// The names of the members as the file has them, and their values.
    fn members(&mut self) -> [(&'static str, &mut Option<String>); 5] {
        [
            ("base_url", &mut self.base_url),
            ("enterprise_id", &mut self.enterprise_id),
            ("product_key", &mut self.product_key),
            ("enterprise_secret", &mut self.enterprise_secret),
            ("product_secret", &mut self.product_secret),
        ]
    }

    /// The names of the members without a value.
    fn missing(&mut self) -> impl Iterator<Item = &'static str> {
        let members = self.members().into_iter();
        members.filter_map(|(name, value)| value.is_none().then_some(name))
    }
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
            None => {
                let folder = etcetera::choose_base_strategy().map(|folders| folders.config_dir());
                let folder = folder.unwrap_or_else(|_| PathBuf::from(".config"));
                folder.join("gizwits").join("config.toml")
            }
        };
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
            // Without an address of its own a call could go to another server than the file says.
            Err(error) if name.is_none() && profile.missing().next().is_none() => {
                tell(format_args!(
                    "warning: {error}\n  the environment has everything, so the file is not needed"
                ));
                Profile::default()
            }
            Err(error) => return Err(Failure::Usage(format!("error: {error}"))),
        };
        let shown = path.display();
        for ((name, value), (_, of_file)) in profile.members().into_iter().zip(file.members()) {
            *value = value.take().or(of_file.take());
            // It is the file's: no variable is blank.
            if value.as_ref().is_some_and(|value| value.trim().is_empty()) {
                return Err(Failure::Usage(format!(
                    "error: {shown}: {name} is empty: give it a value, or take the line out"
                )));
            }
        }
        let missing = profile.missing().filter(|name| *name != "base_url");
        let missing: Vec<_> = missing.collect();
        if let [first, ..] = *missing {
            let names = missing.join(", GIZWITS_").to_uppercase();
            return Err(Failure::Usage(format!(
                "error: missing credentials: set GIZWITS_{names}, or write {first} = \"…\" into {shown}\n  \
                 without an account: gizwits simulate prints all of them for a server of your own",
            )));
        }
        let secret = |secret: Option<String>| SecretString::from(secret.unwrap_or_default());
        // Whoever types is told that the quota is used up, not made to wait.
        let mut builder = Enterprise::builder()
            .id(profile.enterprise_id.unwrap_or_default())
            .secret(secret(profile.enterprise_secret))
            .max_wait(Duration::ZERO);
        if let Some(url) = profile.base_url {
            builder = builder.base_url(url);
        }
        let (key, secret) = (profile.product_key, secret(profile.product_secret));
        Ok(builder.build()?.product(key.unwrap_or_default(), secret))
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
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(path).map(|file| file.permissions().mode());
        if mode.is_ok_and(|mode| mode & 0o077 != 0) {
            tell(format_args!(
                "warning: {shown} holds secrets and can be read by others: chmod 600 {shown}"
            ));
        }
    }
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
            let names = names.join(", ");
            Err(format!("no profile {name} in {shown}; there are: {names}"))
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

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure::Server(explained(&error))
    }
}

/// The reason of a server's refusal or a failed call, and what to do about it.
pub(crate) fn explained(error: &Error) -> String {
    let hint = match (error, error.code().map(|code| code.kind())) {
        (Error::Transport(_), _) => {
            "\n  is the server there? GIZWITS_BASE_URL or base_url in config.toml says where"
        }
        (Error::RateLimited(_), _) => {
            "\n  calls are counted by the hour; until then every command is refused"
        }
        (_, Some(ErrorKind::Credential)) => {
            "\n  credentials come from GIZWITS_… or config.toml; `gizwits device --help` says more"
        }
        // The first one was dropped, and another asked for.
        (_, Some(ErrorKind::Auth)) => "\n  a new token was refused, too; is the product key right?",
        _ => "",
    };
    format!("error: {}{hint}", printable(&error.to_string()))
}
