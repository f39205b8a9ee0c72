//! The endpoints of the Enterprise API as commands.

use clap::{Arg, ArgAction, ArgMatches, Args as _, Command};
use gizwits_enterprise_client::blocking::{Blocking, Product};
use gizwits_enterprise_client::endpoint::{self, Endpoint};
use gizwits_enterprise_client::{Call, Custom};
use serde_json::{Map, Value};

use super::control::ControlArgs;
use super::parameters::{Document, Location, Parameter};

/// The name of the switch that walks all pages.
pub(super) const ALL: &str = "all";

/// The groups of endpoints as in the API documentation, `name | description`, and the endpoints of each:
/// `command | method and path | description`. Paths that don't begin with a slash are below
/// `/v1/products/{product_key}/`. Parameters are not in the table: the OpenAPI document describes them.
const TABLE: &str = "\
product | The product
  token | POST access_token | Get an access token, which is a secret
  datapoint | GET datapoint | Get the definition of the product
users | Users of the product
  registered | GET /v1/users/search | List the users of the product's apps
  bound | GET users/search | List the users who bound a device
devices | Devices of the product
  by-mac | GET devices | Get the did and the passcode of a device
  detail | GET device_detail | Get the registration of a device
  search | GET devices/search | List devices by place and state
  control | POST devices/{did}/control | Set points by attrs, which the server checks, or by raw bytes, which are checked here
  online | GET devices/{did}/online | List when the device came online and went offline
  cmd | GET devices/{did}/cmd | List the frames to and from the device
  data | GET devices/{did}/data | List the values that the device reported
groups | Groups of devices
  tree | GET device_groups | List the groups
  create | POST device_groups | Create a group
  delete | DELETE device_groups/{gid} | Delete an empty group
  macs | GET device_groups/{gid} | List the MAC addresses of a group's devices
  change | PUT device_groups/{gid} | Add devices to a group, or remove them
bindings | Bindings of devices to users
  bind | POST devices/bindings | Bind devices to a user
  unbind | DELETE devices/bindings | Unbind devices from a user
reports | Reports on devices
  activation | GET devices/report/activation | Get the report of activations, which the vendor doesn't document
  locations | GET devices/locations | Count devices by place
  summary | GET devices/summary | Count all, active and new devices
  new-devices | GET incr_devices | List the devices that were activated, by day
  active-devices | GET active_devices | List the devices that were active, by day
  liveness | GET devices/report/liveness/history | Count active devices by day, week or month
  realtime | GET devices/report/rt | Count activated devices, and those with faults and alerts, now
  fault-devices | GET fault/report/devices | Count devices with faults, by place
  alert-devices | GET alert/report/devices | Count devices with alerts, by place
  fault-events | GET fault/report/events | Count faults, by point and place
  alert-events | GET alert/report/events | Count alerts, by point and place
user-reports | Reports on users
  new | GET users/report/new | Count new users by day, week or month
  liveness | GET /v1/users/liveness_total | Count active users by day
  locations | GET /v1/users/location | Count users by place
  total | GET users/report/total | Count all users who ever bound a device";

/// An endpoint as a command.
pub(super) struct EndpointCommand {
    group: &'static str,
    name: &'static str,
    pub(super) endpoint: Endpoint,
    about: &'static str,
    /// The notes of the OpenAPI document on the endpoint as a whole.
    notes: String,
    parameters: Vec<Parameter>,
}

/// All endpoints in the order of the API documentation.
pub(super) fn all() -> Vec<EndpointCommand> {
    let document = Document::new();
    let mut group = "";
    let commands = TABLE.lines().filter_map(|line| {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let [name, call, about] = cells[..] else {
            group = cells.first()?;
            return None;
        };
        let endpoint = find(call)?;
        Some(EndpointCommand {
            group,
            name,
            endpoint,
            about,
            notes: document.notes(endpoint),
            parameters: document.parameters(endpoint),
        })
    });
    commands.collect()
}

/// Finds the endpoint with this method and path.
fn find(call: &str) -> Option<Endpoint> {
    let (method, path) = call.split_once(' ')?;
    let mut all = endpoint::ALL.iter().copied();
    all.find(|one| {
        let full = one.path();
        let short = full.strip_prefix("/v1/products/{product_key}/");
        one.method.as_str() == method && short.unwrap_or(full) == path
    })
}

/// The groups with their endpoints, as commands for clap.
pub(super) fn groups() -> impl Iterator<Item = Command> {
    let all = all();
    let groups = TABLE.lines().filter(|line| !line.starts_with(' '));
    groups
        .filter_map(|line| line.split_once(" | "))
        .map(move |(name, about)| {
            let commands = all.iter().filter(|one| one.group == name);
            Command::new(name)
                .about(about)
                .subcommand_required(true)
                .arg_required_else_help(true)
                .subcommands(commands.map(|one| one.command()))
        })
}

/// Finds the endpoint of a command by its group and name.
pub(super) fn of_command(group: &str, name: &str) -> Option<EndpointCommand> {
    let mut all = all().into_iter();
    all.find(|one| (one.group, one.name) == (group, name))
}

impl EndpointCommand {
    /// The endpoint as a command for clap.
    fn command(&self) -> Command {
        let Endpoint {
            method,
            id,
            templates,
            ..
        } = self.endpoint;
        let (about, method) = (self.about, method.as_str());
        let mut command = Command::new(self.name);
        if self.endpoint == endpoint::CONTROL {
            command = ControlArgs::augment_args(command);
        } else {
            command = command.args(self.parameters.iter().map(Parameter::arg));
        }
        if self.has_pages() {
            command = command.arg(all_pages());
        }
        let mut long = format!("{about}\n\n{method} {}", self.endpoint.path());
        for other in templates.iter().skip(1) {
            long += &format!(
                "\nThe API documentation contradicts itself about the path. If the server does not know it: \
                 {method} {other}"
            );
        }
        long += &format!("\nListed in the API documentation as {id}.");
        if self.endpoint == endpoint::ACTIVATION {
            long += " It is not described there: path, parameters and answer are assumed to be like those of \
                `reports liveness`. A server may refuse the call or answer otherwise.";
        }
        if !self.notes.is_empty() {
            long += &format!("\n{}", self.notes);
        }
        command.about(about).long_about(long)
    }

    /// Whether the endpoint returns a list in pages.
    pub(super) fn has_pages(&self) -> bool {
        self.parameters.iter().any(|one| one.name == "skip")
    }

    /// The call of the endpoint with the given arguments.
    pub(super) fn call(&self, product: &Product, given: &ArgMatches) -> Call<Blocking, Custom> {
        let mut call = product.endpoint(self.endpoint);
        if self.endpoint.path().starts_with("/v1/users/") {
            // These endpoints expect the product key in the query. The API documentation calls it
            // `product_secret` for the reports on users, so the key is sent under both names.
            let key = product.key().to_string();
            call = call.parameter("product_key", key.clone());
            if self.endpoint != endpoint::USERS {
                call = call.parameter("product_secret", key);
            }
        }
        let mut body = Map::new();
        for parameter in &self.parameters {
            let name = parameter.name.as_str();
            match (parameter.location, parameter.value(given)) {
                (Location::Body, Some(value)) => drop(body.insert(name.to_owned(), value)),
                (Location::Query, Some(Value::String(text))) => call = call.parameter(name, text),
                (Location::Path(name), Some(Value::String(text))) => call = call.within(name, text),
                _ => {}
            }
        }
        let has_body = |one: &Parameter| matches!(one.location, Location::Body);
        match self.parameters.iter().any(has_body) {
            true => call.json(&body),
            false => call,
        }
    }
}

/// The switch that walks all pages.
fn all_pages() -> Arg {
    Arg::new(ALL)
        .long(ALL)
        .action(ArgAction::SetTrue)
        .conflicts_with_all(["skip", "curl"])
        .help("Call page after page and print the entries of all pages, one JSON object per line")
}
