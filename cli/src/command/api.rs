//! `gizwits api`: any endpoint of the Enterprise API, by its group and name.

mod bytes;
mod endpoints;

use std::io::{self, IsTerminal as _, Write};

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};
use gizwits_codec_std::payload::{self, Encoding};
use gizwits_enterprise_client::blocking::Product;
use gizwits_enterprise_client::endpoint::{self as e, Method};
use gizwits_enterprise_client::{Call, Coding, Custom, ErrorCode, ExposeSecret as _, blocking};
use serde_json::{Value, json};

use self::bytes::typed_bytes;
use self::endpoints::{ENTRIES, Entry};
use crate::account::{self, Account, explained, refused};
use crate::failure::Failure;
use crate::text::printable;

/// Call any endpoint of the Enterprise API
pub(crate) struct Api {
    account: Account,
    curl: bool,
    matches: ArgMatches,
}

const EXAMPLES: &str = "\
Examples:
  gizwits api devices search --city Guangzhou --is-online
  gizwits api devices control DID --attrs '{\"switch\":true}' --curl
  gizwits api call GET '/v1/products/{product_key}/devices/search?limit=1'";

/// The JSON of an option.
fn json_of(option: &str, text: &str) -> Result<Value, Failure> {
    serde_json::from_str(text).map_err(|error| {
        let head: String = text.chars().take(40).collect();
        let more = if head.len() < text.len() { "…" } else { "" };
        let message = format!("error: --{option} {head}{more}: not JSON: {error}");
        Failure::Usage(printable(&message).into_owned())
    })
}

impl Args for Api {
    fn augment_args(command: Command) -> Command {
        let mut groups: Vec<Command> = Vec::new();
        for (group, about) in [
            ("product", "The product itself"),
            ("users", "Its users"),
            ("devices", "Its devices"),
            ("groups", "Groups of devices"),
            ("bindings", "Who may use which device"),
            ("reports", "Counts of devices"),
            ("user-reports", "Counts of users"),
        ] {
            let verbs = ENTRIES.iter().filter(|entry| entry.group == group);
            let group = Command::new(group).about(about).subcommand_required(true);
            groups.push(
                group
                    .arg_required_else_help(true)
                    .subcommands(verbs.map(Entry::command)),
            );
        }
        let call = Command::new("call")
            .about("Any method and path; {product_key} is filled in")
            .arg(
                Arg::new("METHOD")
                    .required(true)
                    .value_parser(["GET", "POST", "PUT", "DELETE"]),
            )
            .arg(Arg::new("PATH").required(true))
            .arg(Arg::new("body").long("body").value_name("JSON"));
        let curl = Arg::new("curl")
            .long("curl")
            .global(true)
            .action(ArgAction::SetTrue)
            .help("Print the request as a curl command, and send nothing");
        Account::augment_args(command)
            .arg(curl)
            .subcommands(groups)
            .subcommand(call)
            .subcommand_required(true)
            .arg_required_else_help(true)
            .after_help(EXAMPLES)
            .after_long_help(format!("{}\n\n{EXAMPLES}", account::HELP))
            .long_about(
                "Call any endpoint of the Enterprise API of any server, and print the answer as JSON.\n\n\
                 The groups are those of the vendor's page. Token, quota and retries are taken care of.",
            )
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Api {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Ok(Api {
            account: Account::from_arg_matches(matches)?,
            curl: matches.get_flag("curl"),
            matches: matches.clone(),
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Api {
    pub(crate) fn run(&self, out: &mut impl Write) -> Result<(), Failure> {
        let product = self.account.product()?;
        let Some((group, below)) = self.matches.subcommand() else {
            return Err(Failure::Usage(
                "error: which endpoint? gizwits api --help".to_owned(),
            ));
        };
        let call = match below.subcommand() {
            None => free(&product, below)?,
            Some((verb, given)) => {
                let found = ENTRIES
                    .iter()
                    .find(|entry| (entry.group, entry.verb) == (group, verb));
                let Some(entry) = found else {
                    return Err(Failure::Usage(format!("error: no endpoint {group} {verb}")));
                };
                if entry.endpoint == e::ACCESS_TOKEN {
                    return self.token(&product, out);
                }
                if entry.endpoint == e::CONTROL {
                    return self.control(&product, given, out);
                }
                entry.call(&product, given)?
            }
        };
        if self.curl {
            writeln!(out, "{}", call.curl().map_err(|error| refused(&error))?)?;
            return Ok(());
        }
        let answer = call.send().map_err(|error| refused(&error))?;
        Ok(print(&answer, out)?)
    }

    /// The body of this one is made of the credentials, and the answer is a secret.
    fn token(&self, product: &Product, out: &mut impl Write) -> Result<(), Failure> {
        let call = product.access_token();
        if self.curl {
            writeln!(out, "{}", call.curl().map_err(|error| refused(&error))?)?;
            return Ok(());
        }
        let token = call.send().map_err(|error| refused(&error))?;
        let value = token.value.expose_secret();
        Ok(print(
            &json!({"token": value, "expire_at": token.expires_at}),
            out,
        )?)
    }

    /// Raw bytes are held against the definition, which the server doesn't do.
    fn control(
        &self,
        product: &Product,
        given: &ArgMatches,
        out: &mut impl Write,
    ) -> Result<(), Failure> {
        let text = |name: &str| given.get_one::<String>(name);
        let coding = text("binary_coding").map(|coding| match coding.as_str() {
            "hex" => (Coding::Hex, Encoding::Hex),
            _ => (Coding::Base64, Encoding::Base64),
        });
        let device = product.device(text("DID").cloned().unwrap_or_default());
        let unchecked = given.get_flag("unchecked");
        let mut call = match (text("attrs"), given.get_many::<String>("raw")) {
            (Some(attrs), _) => device.control(json_of("attrs", attrs)?).unchecked(),
            (None, raw) => {
                let words: Vec<&str> = raw.into_iter().flatten().map(String::as_str).collect();
                let bytes = match coding {
                    None => typed_bytes(&words.join(" ")),
                    Some((_, encoding)) => payload::parse(&words.concat(), Some(encoding))
                        .map_err(|error| error.message),
                };
                let bytes = bytes.map_err(|error| {
                    Failure::Usage(format!("error: --raw: {}", printable(&error)))
                })?;
                let call = device.control_raw(bytes);
                if unchecked { call.unchecked() } else { call }
            }
        };
        if let Some((coding, _)) = coding {
            call = call.binary_coding(coding);
        }
        if self.curl {
            writeln!(out, "{}", call.curl().map_err(|error| refused(&error))?)?;
            return Ok(());
        }
        if given.contains_id("raw") && !unchecked {
            match product.definition() {
                // A product without data points has nothing to hold the bytes against.
                Err(error) if error.code() != Some(ErrorCode::DatapointNotFound) => {
                    return Err(Failure::Server(format!(
                        "{}\n  nothing was sent; --unchecked sends without the definition",
                        explained(&error)
                    )));
                }
                _ => {}
            }
        }
        let accepted = call.send().map_err(|error| match refused(&error) {
            // The library names its method.
            Failure::Server(text) => {
                Failure::Server(text.replace("; `unchecked` ", "; --unchecked "))
            }
            other => other,
        })?;
        Ok(print(&Value::Object(accepted.extra), out)?)
    }
}

/// A call that no entry knows.
fn free(
    product: &Product,
    given: &ArgMatches,
) -> Result<Call<blocking::Blocking, Custom>, Failure> {
    let text = |name: &str| given.get_one::<String>(name).cloned();
    let method = match text("METHOD").as_deref() {
        Some("POST") => Method::POST,
        Some("PUT") => Method::PUT,
        Some("DELETE") => Method::DELETE,
        _ => Method::GET,
    };
    let call = product.request(method, text("PATH").unwrap_or_default());
    match text("body") {
        None => Ok(call),
        Some(body) => Ok(call.json(&json_of("body", &body)?)),
    }
}

/// JSON, in lines for people on a terminal.
fn print(answer: &Value, out: &mut impl Write) -> io::Result<()> {
    match io::stdout().is_terminal() {
        true => writeln!(out, "{answer:#}"),
        false => writeln!(out, "{answer}"),
    }
}

#[cfg(test)]
mod tests {
    use super::endpoints::{Place, Taken};
    use super::*;

    /// Every endpoint is a command, once.
    #[test]
    fn all_endpoints_are_there() {
        let mut ids: Vec<&str> = ENTRIES.iter().map(|entry| entry.endpoint.id).collect();
        let mut all: Vec<&str> = e::ALL.iter().map(|endpoint| endpoint.id).collect();
        ids.sort_unstable();
        all.sort_unstable();
        assert_eq!(ids, all);
        for entry in ENTRIES {
            let path = entry.endpoint.path();
            let in_path: Vec<Taken> = entry
                .takes()
                .filter(|one| one.place == Place::Path)
                .collect();
            assert_eq!(
                in_path.len(),
                path.matches("{did}").count() + path.matches("{gid}").count()
            );
        }
        Api::augment_args(Command::new("api")).debug_assert();
    }
}
