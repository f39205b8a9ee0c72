//! `gizwits api`: any endpoint of the Enterprise API, by its group and name.

mod control;
mod endpoints;

use std::io::{self, IsTerminal as _, Write};

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};
use gizwits_enterprise_client::blocking::{Blocking, Product};
use gizwits_enterprise_client::endpoint::{self, Method};
use gizwits_enterprise_client::{Call, Custom, ExposeSecret as _};
use serde_json::{Value, json};

use self::endpoints::{groups, of_command};
use crate::account::{self, Account};
use crate::failure::{Failure, usage};

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

impl Args for Api {
    fn augment_args(command: Command) -> Command {
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
            .subcommands(groups())
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
            return Err(usage("which endpoint? gizwits api --help"));
        };
        let call = match below.subcommand() {
            None => any_call(&product, below)?,
            Some((name, given)) => {
                let Some(command) = of_command(group, name) else {
                    return Err(usage(format_args!("no endpoint {group} {name}")));
                };
                match command.endpoint {
                    endpoint::ACCESS_TOKEN => return self.token(&product, out),
                    endpoint::CONTROL => {
                        let answer = control::send(&product, given, self.curl, out)?;
                        return Ok(answer.map_or(Ok(()), |answer| print(&answer, out))?);
                    }
                    _ => command.call(&product, given),
                }
            }
        };
        if self.curl {
            writeln!(out, "{}", call.curl()?)?;
            return Ok(());
        }
        let answer = call.send()?;
        Ok(print(&answer, out)?)
    }

    /// The body of this one is made of the credentials, and the answer is a secret.
    fn token(&self, product: &Product, out: &mut impl Write) -> Result<(), Failure> {
        let call = product.access_token();
        if self.curl {
            writeln!(out, "{}", call.curl()?)?;
            return Ok(());
        }
        let token = call.send()?;
        let value = token.value.expose_secret();
        Ok(print(
            &json!({"token": value, "expire_at": token.expires_at}),
            out,
        )?)
    }
}

/// A call of any method and path.
fn any_call(product: &Product, given: &ArgMatches) -> Result<Call<Blocking, Custom>, Failure> {
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
        Some(body) => Ok(call.json(&control::json_of("body", &body)?)),
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
    use super::*;

    /// Every endpoint is a command, once.
    #[test]
    fn all_endpoints_are_there() {
        let commands = super::endpoints::all().into_iter();
        let mut ids: Vec<&str> = commands.map(|command| command.endpoint.id).collect();
        let mut all: Vec<&str> = endpoint::ALL.iter().map(|endpoint| endpoint.id).collect();
        ids.sort_unstable();
        all.sort_unstable();
        assert_eq!(ids, all);
        Api::augment_args(Command::new("api")).debug_assert();
    }
}
