//! The endpoints as commands.

use clap::{Arg, ArgAction, ArgMatches, Command};
use gizwits_enterprise_client::blocking::{Blocking, Product};
use gizwits_enterprise_client::endpoint::{self, Endpoint};
use gizwits_enterprise_client::{Call, Custom};
use serde_json::{Map, Value};

use super::control;

/// The groups of the vendor's page, `name | description`, and the endpoints of each: `command | method and
/// path | description | parameters`. Paths are below `/v1/products/{product_key}/` if they don't begin with a
/// slash.
///
/// A parameter is in the query (`--city`) or in the body (`@uid`). It is a text, or a switch (`?`), a list
/// (`*`), or an object (`{}`). A parameter with `!` is required.
const TABLE: &str = "\
product | The product itself
  token | POST access_token | A token of the product: a secret
  datapoint | GET datapoint | The definition
users | Its users
  registered | GET /v1/users/search | Users of the product's apps | \
    --appid --username --phone --email --limit --skip
  bound | GET users/search | Users who bound a device | --gid --type --val --limit --skip
devices | Its devices
  by-mac | GET devices | The did of a MAC | --mac!
  detail | GET device_detail | How a MAC is registered | --mac!
  search | GET devices/search | Devices by place and state | \
    --gid --country --region --city --is-online? --is-faulty? --is-alert? --show-disabled? \
    --liveness-start --type --val --limit --skip
  control | POST devices/{did}/control | Set points by attrs, which the server checks, or by raw bytes, which are checked here | \
    @attrs{} @raw* @binary_coding
  online | GET devices/{did}/online | When it came and went | \
    --start-ts --end-ts --sort --limit --skip
  cmd | GET devices/{did}/cmd | Its frames | --start-ts --end-ts --sort --limit --skip
  data | GET devices/{did}/data | Its values | --start-ts --end-ts --sort --limit --skip
groups | Groups of devices
  tree | GET device_groups | The groups
  create | POST device_groups | A new group | @parent_gid
  delete | DELETE device_groups/{gid} | Remove an empty group
  macs | GET device_groups/{gid} | The devices of a group
  change | PUT device_groups/{gid} | Put devices in or out | @action! @macs*! @reassign?
bindings | Who may use which device
  bind | POST devices/bindings | Bind devices to a user | @uid! @appid! @dids!
  unbind | DELETE devices/bindings | Unbind devices from a user | @uid! @appid! @dids!
reports | Counts of devices
  activation | GET devices/report/activation | Never documented | --gid --cycle --start --end
  locations | GET devices/locations | Devices by place | --gid --is-online? --is-faulty? --is-alert?
  summary | GET devices/summary | An overview
  new-devices | GET incr_devices | Devices by the day they came | \
    --start --end --country --region --city --limit --skip
  active-devices | GET active_devices | Devices by the days they were active | \
    --start --end --country --region --city --limit --skip
  liveness | GET devices/report/liveness/history | How many were active | \
    --gid --cycle! --start! --end!
  realtime | GET devices/report/rt | Activated, faulty, alerting | --gid
  fault-devices | GET fault/report/devices | Devices with faults, by place | --gid
  alert-devices | GET alert/report/devices | Devices with alerts, by place | --gid
  fault-events | GET fault/report/events | Faults, by point and place | --gid
  alert-events | GET alert/report/events | Alerts, by point and place | --gid
user-reports | Counts of users
  new | GET users/report/new | New users | --gid --cycle! --start! --end!
  liveness | GET /v1/users/liveness_total | Active users by day | --appid --start-date! --end-date!
  locations | GET /v1/users/location | Users by place
  total | GET users/report/total | How many there ever were | --gid";

/// An endpoint as a command.
pub(super) struct EndpointCommand {
    group: &'static str,
    name: &'static str,
    pub(super) endpoint: Endpoint,
    about: &'static str,
    parameters: Vec<Parameter>,
}

struct Parameter {
    /// The name in the path, the query or the body, where `_` may be written `-`.
    name: &'static str,
    location: Location,
    /// The signs behind the name.
    signs: &'static str,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Location {
    Path,
    Query,
    Body,
}

/// The commands in the order of the vendor's page.
pub(super) fn all() -> Vec<EndpointCommand> {
    let mut group = "";
    let commands = TABLE.lines().filter_map(|line| {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let [name, call, about, parameters @ ..] = &cells[..] else {
            group = cells.first()?;
            return None;
        };
        let endpoint = find(call)?;
        let path = endpoint
            .path()
            .split('/')
            .filter(|part| part.starts_with('{'));
        let path = path.filter(|part| *part != "{product_key}");
        let others = parameters.iter().flat_map(|words| words.split_whitespace());
        Some(EndpointCommand {
            group,
            name,
            endpoint,
            about,
            parameters: path.chain(others).map(Parameter::new).collect(),
        })
    });
    commands.collect()
}

/// The endpoint of a method and a path.
fn find(call: &str) -> Option<Endpoint> {
    let (method, path) = call.split_once(' ')?;
    let mut all = endpoint::ALL.iter().copied();
    all.find(|one| {
        let full = one.path();
        let short = full.strip_prefix("/v1/products/{product_key}/");
        one.method.as_str() == method && short.unwrap_or(full) == path
    })
}

/// The groups with their commands, for the parser of arguments.
pub(super) fn groups() -> impl Iterator<Item = Command> {
    let groups = TABLE.lines().filter(|line| !line.starts_with(' '));
    groups
        .filter_map(|line| line.split_once(" | "))
        .map(|(name, about)| {
            let commands = all().into_iter().filter(|one| one.group == name);
            Command::new(name)
                .about(about)
                .subcommand_required(true)
                .arg_required_else_help(true)
                .subcommands(commands.map(|one| one.command()))
        })
}

/// The endpoint of a command.
pub(super) fn of_command(group: &str, name: &str) -> Option<EndpointCommand> {
    let mut all = all().into_iter();
    all.find(|one| (one.group, one.name) == (group, name))
}

impl Parameter {
    /// A parameter as the table writes it, or a part of a path.
    fn new(word: &'static str) -> Self {
        let name = word.trim_matches(|one: char| !one.is_ascii_alphabetic());
        let (before, signs) = word.split_once(name).unwrap_or_default();
        let location = match before {
            "{" => Location::Path,
            "--" => Location::Query,
            _ => Location::Body,
        };
        Parameter {
            name,
            location,
            signs,
        }
    }

    fn arg(&self) -> Arg {
        let written = self.name.replace('-', "_");
        let (required, location) = match self.location {
            Location::Path => (true, "path"),
            Location::Query => (self.signs.contains('!'), "query"),
            Location::Body => (self.signs.contains('!'), "body"),
        };
        let arg = Arg::new(self.name).required(required);
        let arg = arg.help(format!("`{written}` in the {location}"));
        if self.location == Location::Path {
            return arg.value_name(self.name.to_uppercase());
        }
        let arg = arg.long(self.name.replace('_', "-"));
        match self.signs.trim_end_matches('!') {
            "?" => arg.action(ArgAction::SetTrue),
            "*" => arg.num_args(1..).value_name("VALUE"),
            "{}" => arg.value_name("OBJECT"),
            _ => arg.value_name("VALUE"),
        }
    }

    /// The value that was given, if one was. A switch of the body is always sent.
    fn value(&self, given: &ArgMatches) -> Option<Value> {
        if self.signs.contains('?') {
            return match (given.get_flag(self.name), self.location) {
                (on, Location::Body) => Some(on.into()),
                (on, _) => on.then(|| "1".into()),
            };
        }
        let mut values = given.get_many::<String>(self.name)?.cloned();
        match self.signs.contains('*') {
            true => Some(values.collect()),
            false => values.next().map(Value::String),
        }
    }
}

impl EndpointCommand {
    fn command(&self) -> Command {
        let Endpoint { method, id, .. } = self.endpoint;
        let (about, method, path) = (self.about, method.as_str(), self.endpoint.path());
        let command = Command::new(self.name)
            .about(about)
            .long_about(format!("{about}\n\n{method} {path}\nListed as {id}."))
            .args(self.parameters.iter().map(Parameter::arg));
        match self.endpoint == endpoint::CONTROL {
            true => control::command(command),
            false => command,
        }
    }

    pub(super) fn call(&self, product: &Product, given: &ArgMatches) -> Call<Blocking, Custom> {
        let mut call = product.endpoint(self.endpoint);
        if self.endpoint.path().starts_with("/v1/users/") {
            // These name the product in the query, the reports by a name that is in doubt.
            let key = product.key().to_string();
            call = call.parameter("product_key", key.clone());
            if self.endpoint != endpoint::USERS {
                call = call.parameter("product_secret", key);
            }
        }
        let mut body = Map::new();
        for parameter in &self.parameters {
            let name = parameter.name;
            match (parameter.location, parameter.value(given)) {
                (Location::Body, Some(value)) => drop(body.insert(name.to_owned(), value)),
                (Location::Query, Some(Value::String(text))) => {
                    call = call.parameter(&name.replace('-', "_"), text);
                }
                (Location::Path, Some(Value::String(text))) => call = call.within(name, text),
                _ => {}
            }
        }
        let mut locations = self.parameters.iter().map(|one| one.location);
        match locations.any(|location| location == Location::Body) {
            true => call.json(&body),
            false => call,
        }
    }
}
