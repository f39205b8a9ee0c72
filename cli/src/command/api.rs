//! `gizwits api`: calls any endpoint of the Enterprise API, by its group and name.

mod control;
mod endpoints;
mod parameters;

use std::io::{self, IsTerminal as _, Write};

use clap::{ArgMatches, Args, Command, FromArgMatches as _};
use gizwits_enterprise_client::blocking::{Blocking, Product};
use gizwits_enterprise_client::endpoint::{self, Method};
use gizwits_enterprise_client::{Call, Custom, ExposeSecret as _, Operation};
use serde_json::{Value, json};

use self::endpoints::{ALL, groups, of_command};
use crate::account::{self, Account, explained};
use crate::failure::{Failure, check_complete, refused, usage};

/// Call any endpoint of the Enterprise API
#[derive(Args)]
#[command(
    subcommand_required = true,
    arg_required_else_help = true,
    after_help = EXAMPLES,
    after_long_help = format!("{}\n\n{EXAMPLES}", account::HELP),
    long_about = "Call any endpoint of the Enterprise API and print the answer as JSON.\n\n\
        Endpoints are grouped as in the API documentation, and parameters have its names. Access tokens, \
        the rate limit and retries are handled automatically."
)]
pub(crate) struct Api {
    #[command(flatten, next_help_heading = GLOBAL)]
    account: Account,
    /// Print the request as a curl command instead of sending it
    #[arg(long, global = true, help_heading = GLOBAL)]
    curl: bool,
}

/// The heading of the options that all endpoints have.
const GLOBAL: &str = "Options of all api commands";

const EXAMPLES: &str = "\
Examples:
  gizwits api devices search --city Guangzhou --is-online
  gizwits api devices search --all
  gizwits api devices control DID --attrs '{\"switch\":true}' --curl
  gizwits api call GET '/v1/products/{product_key}/devices/search?limit=1'";

/// Adds the endpoints to the command `api` when it is used. Other commands need not wait for the OpenAPI document.
pub(crate) fn with_endpoints(api: Command) -> Command {
    api.defer(|api| {
        let any_call = AnyCall::augment_args(Command::new("call"));
        api.subcommands(groups().chain([any_call]))
    })
}

/// Call any path with any method; {product_key} is replaced by the product key
#[derive(Args)]
struct AnyCall {
    /// The HTTP method
    #[arg(value_name = "METHOD", value_parser = METHODS.map(Method::as_str))]
    method: String,
    /// The path with its query
    #[arg(value_name = "PATH")]
    path: String,
    /// The body of the request
    #[arg(long, value_name = "JSON")]
    body: Option<String>,
}

/// The methods of [`AnyCall`].
const METHODS: [Method; 4] = [Method::GET, Method::POST, Method::PUT, Method::DELETE];

impl Api {
    /// Runs the subcommand in the arguments of the program: an endpoint, or `call`.
    /// `profile` is the profile that was named before the command.
    pub(crate) fn run(
        &self,
        profile: Option<String>,
        all: &ArgMatches,
        out: &mut impl Write,
    ) -> Result<(), Failure> {
        let product = self.account.or_profile(profile).cloud()?;
        let api = all.subcommand().and_then(|(_, api)| api.subcommand());
        let Some((group, given)) = api else {
            return Err(usage("no endpoint is given: gizwits api --help lists them"));
        };
        let command = given
            .subcommand()
            .and_then(|(name, given)| Some((of_command(group, name)?, given)));
        match command {
            None => self.send(any_call(&product, given)?, out, |answer| answer),
            // The client makes the body of this request from the credentials, and hides the token in answers.
            Some((command, _)) if command.endpoint == endpoint::ACCESS_TOKEN => {
                self.send(product.access_token(), out, |token| {
                    json!({"token": token.value.expose_secret(), "expire_at": token.expires_at})
                })
            }
            Some((command, given)) if command.endpoint == endpoint::CONTROL => {
                let call = control::call(&product, given, self.curl)?;
                self.send(call, out, |accepted| accepted.extra.into())
            }
            Some((command, given)) if command.has_pages() && given.get_flag(ALL) => {
                let mut call = command.call(&product, given);
                if given.value_source("limit").is_none() {
                    call = call.parameter("limit", "100");
                }
                send_all(&call, out)
            }
            Some((command, given)) => {
                self.send(command.call(&product, given), out, |answer| answer)
            }
        }
    }

    /// Sends a call and prints its answer as JSON, indented on a terminal. With `--curl`, prints the request
    /// instead.
    fn send<O: Operation>(
        &self,
        call: Call<Blocking, O>,
        out: &mut impl Write,
        json: impl FnOnce(O::Output) -> Value,
    ) -> Result<(), Failure> {
        if self.curl {
            return Ok(writeln!(out, "{}", call.curl()?)?);
        }
        // The client's error names its method `unchecked`, which is an option here.
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

/// Sends the call for every page and prints the entries, one JSON object per line.
fn send_all(call: &Call<Blocking, Custom>, out: &mut impl Write) -> Result<(), Failure> {
    let mut skip = 0_u64;
    let mut before = Vec::new();
    loop {
        let answer = call.clone().parameter("skip", skip.to_string()).send()?;
        let Some(objects) = answer["objects"].as_array() else {
            return Err(refused(
                "the answer has no `objects`, so it is no page: leave out --all",
            ));
        };
        let meta = &answer["meta"];
        let total = meta["total"].as_u64();
        // A server that ignores `skip` returns the same page again and again.
        let is_repeated = *objects == before && meta["skip"].as_u64() != Some(skip);
        if is_repeated || objects.is_empty() {
            return check_complete(total.unwrap_or(0).saturating_sub(skip));
        }
        for object in objects {
            writeln!(out, "{object}")?;
        }
        skip += objects.len() as u64;
        if total.map_or(meta["next"].is_null(), |total| skip >= total) {
            return Ok(());
        }
        before.clone_from(objects);
    }
}

/// The call of the command `call`.
fn any_call(product: &Product, given: &ArgMatches) -> Result<Call<Blocking, Custom>, Failure> {
    let AnyCall { method, path, body } = AnyCall::from_arg_matches(given).map_err(usage)?;
    let mut methods = METHODS.into_iter();
    let method = methods.find(|one| one.as_str() == method);
    // The link to the next page may be a whole URL.
    if !path.starts_with('/') && !path.contains("://") {
        return Err(usage(format_args!(
            "{path}: expected a path that begins with /"
        )));
    }
    let call = product.request(method.unwrap_or(Method::GET), path);
    match body {
        None => Ok(call),
        Some(body) => Ok(call.json(&control::json_of("body", &body)?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Asserts that every endpoint is exactly one command.
    #[test]
    fn all_endpoints_are_there() {
        let commands = super::endpoints::all().into_iter();
        let mut ids: Vec<&str> = commands.map(|command| command.endpoint.id).collect();
        let mut all: Vec<&str> = endpoint::ALL.iter().map(|endpoint| endpoint.id).collect();
        ids.sort_unstable();
        all.sort_unstable();
        assert_eq!(ids, all);
        with_endpoints(Api::augment_args(Command::new("api"))).debug_assert();
    }
}
