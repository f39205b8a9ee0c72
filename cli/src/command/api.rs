//! `gizwits api`: any endpoint of the Enterprise API, by its group and name.

mod control;
mod endpoints;

use std::io::{self, IsTerminal as _, Write};

use clap::{Arg, ArgMatches, Args, Command};
use gizwits_enterprise_client::blocking::{Blocking, Product};
use gizwits_enterprise_client::endpoint::{self, Method};
use gizwits_enterprise_client::{Call, Custom, ExposeSecret as _, Operation};
use serde_json::{Value, json};

use self::endpoints::{groups, of_command};
use crate::account::{self, Account, explained};
use crate::failure::{Failure, usage};

/// Call any endpoint of the Enterprise API
#[derive(Args)]
#[command(
    subcommands = groups().chain([any_command()]),
    subcommand_required = true,
    arg_required_else_help = true,
    after_help = EXAMPLES,
    after_long_help = format!("{}\n\n{EXAMPLES}", account::HELP),
    long_about = "Call any endpoint of the Enterprise API of any server, and print the answer as JSON.\n\n\
        The groups are those of the vendor's page. Token, quota and retries are taken care of."
)]
pub(crate) struct Api {
    #[command(flatten)]
    account: Account,
    /// Print the request as a curl command, and send nothing
    #[arg(long, global = true)]
    curl: bool,
}

const EXAMPLES: &str = "\
Examples:
  gizwits api devices search --city Guangzhou --is-online
  gizwits api devices control DID --attrs '{\"switch\":true}' --curl
  gizwits api call GET '/v1/products/{product_key}/devices/search?limit=1'";

const METHODS: [Method; 4] = [Method::GET, Method::POST, Method::PUT, Method::DELETE];

/// The command that calls any path.
fn any_command() -> Command {
    let method = Arg::new("METHOD").required(true);
    Command::new("call")
        .about("Any method and path; {product_key} is filled in")
        .arg(method.value_parser(METHODS.map(Method::as_str)))
        .arg(Arg::new("PATH").required(true))
        .arg(Arg::new("body").long("body").value_name("JSON"))
}

impl Api {
    /// Runs the command that the arguments name: an endpoint, or `call`.
    pub(crate) fn run(&self, all: &ArgMatches, out: &mut impl Write) -> Result<(), Failure> {
        let product = self.account.product()?;
        let api = all.subcommand().and_then(|(_, api)| api.subcommand());
        let Some((group, given)) = api else {
            return Err(usage("which endpoint? gizwits api --help"));
        };
        let command = given
            .subcommand()
            .and_then(|(name, given)| Some((of_command(group, name)?, given)));
        match command {
            None => self.send(any_call(&product, given)?, out, |answer| answer),
            // The body of this one is made of the credentials, and the answer is a secret.
            Some((command, _)) if command.endpoint == endpoint::ACCESS_TOKEN => {
                self.send(product.access_token(), out, |token| {
                    json!({"token": token.value.expose_secret(), "expire_at": token.expires_at})
                })
            }
            Some((command, given)) if command.endpoint == endpoint::CONTROL => {
                let call = control::call(&product, given, self.curl)?;
                self.send(call, out, |accepted| accepted.extra.into())
            }
            Some((command, given)) => {
                self.send(command.call(&product, given), out, |answer| answer)
            }
        }
    }

    /// Sends a call and prints its answer as JSON, in lines for people on a terminal; or prints the call as a
    /// curl command.
    fn send<O: Operation>(
        &self,
        call: Call<Blocking, O>,
        out: &mut impl Write,
        json: impl FnOnce(O::Output) -> Value,
    ) -> Result<(), Failure> {
        if self.curl {
            writeln!(out, "{}", call.curl()?)?;
            return Ok(());
        }
        // The library names its method.
        let answer = call.send().map_err(|error| {
            Failure::Server(explained(&error).replace("; `unchecked` ", "; --unchecked "))
        })?;
        let answer = json(answer);
        match io::stdout().is_terminal() {
            true => writeln!(out, "{answer:#}")?,
            false => writeln!(out, "{answer}")?,
        }
        Ok(())
    }
}

/// A call of any method and path.
fn any_call(product: &Product, given: &ArgMatches) -> Result<Call<Blocking, Custom>, Failure> {
    let text = |name: &str| given.get_one::<String>(name).cloned();
    let named = |method: &Method| text("METHOD").is_some_and(|name| name == method.as_str());
    let method = METHODS.into_iter().find(named).unwrap_or(Method::GET);
    let call = product.request(method, text("PATH").unwrap_or_default());
    match text("body") {
        None => Ok(call),
        Some(body) => Ok(call.json(&control::json_of("body", &body)?)),
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
