//! The endpoints of the Enterprise API as commands.

use clap::{Arg, ArgAction, ArgMatches, Args as _, Command};
use gizwits_enterprise_client::blocking::{Blocking, Product};
use gizwits_enterprise_client::endpoint::{self, Endpoint};
use gizwits_enterprise_client::{Call, Custom};
use serde_json::{Map, Value};

use super::control::ControlArgs;

/// The groups of endpoints as in the API documentation, `name | description`, and the endpoints of each:
/// `command | method and path | description | parameters`. Paths that don't begin with a slash are below
/// `/v1/products/{product_key}/`.
///
/// A parameter is in the query (`--city`) or in the body (`@uid`). After its name, `?` means a switch, `*` a list,
/// `!` a required parameter. The parameters of a control are [`ControlArgs`].
const TABLE: &str = "\
product | The product
  token | POST access_token | Get an access token, which is a secret
  datapoint | GET datapoint | Get the definition of the product
users | Users of the product
  registered | GET /v1/users/search | List the users of the product's apps | \
    --appid --username --phone --email --limit --skip
  bound | GET users/search | List the users who bound a device | --gid --type --val --limit --skip
devices | Devices of the product
  by-mac | GET devices | Get the did and the passcode of a device | --mac!
  detail | GET device_detail | Get the registration of a device | --mac!
  search | GET devices/search | List devices by place and state | \
    --gid --country --region --city --is-online? --is-faulty? --is-alert? --show-disabled? \
    --liveness-start --type --val --limit --skip
  control | POST devices/{did}/control | Set points by attrs, which the server checks, or by raw bytes, which are checked here
  online | GET devices/{did}/online | List when the device came online and went offline | \
    --start-ts --end-ts --sort --limit --skip
  cmd | GET devices/{did}/cmd | List the frames to and from the device | --start-ts --end-ts --sort --limit --skip
  data | GET devices/{did}/data | List the values that the device reported | --start-ts --end-ts --sort --limit --skip
groups | Groups of devices
  tree | GET device_groups | List the groups
  create | POST device_groups | Create a group | @parent_gid
  delete | DELETE device_groups/{gid} | Delete an empty group
  macs | GET device_groups/{gid} | List the MAC addresses of a group's devices
  change | PUT device_groups/{gid} | Add devices to a group, or remove them | @action! @macs*! @reassign?
bindings | Bindings of devices to users
  bind | POST devices/bindings | Bind devices to a user | @uid! @appid! @dids!
  unbind | DELETE devices/bindings | Unbind devices from a user | @uid! @appid! @dids!
reports | Reports on devices
  activation | GET devices/report/activation | Get the report of activations, which the vendor doesn't document | \
    --gid --cycle --start --end
  locations | GET devices/locations | Count devices by place | --gid --is-online? --is-faulty? --is-alert?
  summary | GET devices/summary | Count all, active and new devices
  new-devices | GET incr_devices | List the devices that were activated, by day | \
    --start --end --country --region --city --limit --skip
  active-devices | GET active_devices | List the devices that were active, by day | \
    --start --end --country --region --city --limit --skip
  liveness | GET devices/report/liveness/history | Count active devices by day, week or month | \
    --gid --cycle! --start! --end!
  realtime | GET devices/report/rt | Count activated devices, and those with faults and alerts, now | --gid
  fault-devices | GET fault/report/devices | Count devices with faults, by place | --gid
  alert-devices | GET alert/report/devices | Count devices with alerts, by place | --gid
  fault-events | GET fault/report/events | Count faults, by point and place | --gid
  alert-events | GET alert/report/events | Count alerts, by point and place | --gid
user-reports | Reports on users
  new | GET users/report/new | Count new users by day, week or month | --gid --cycle! --start! --end!
  liveness | GET /v1/users/liveness_total | Count active users by day | --appid --start-date! --end-date!
  locations | GET /v1/users/location | Count users by place
  total | GET users/report/total | Count all users who ever bound a device | --gid";

/// The descriptions of parameters, `names | description`. `{}` stands for the name.
const PARAMETERS: &str = "\
action | assign or unassign
appid | The id of an app
city country region | Only devices in this {}
cycle | The period that each count covers: date, week or month
did | The did of a device
dids | The dids of devices
email phone username | Only users with this {}
end | The last day (YYYY-MM-DD), week (YYYY-WW) or month (YYYY-MM)
end-date | The last day, YYYY-MM-DD
end-ts | The last time, in Unix seconds
gid | The id of a group of devices
is-alert | Only devices with an alert
is-faulty | Only devices with a fault
is-online | Only devices that are online
limit | The number of entries per page
liveness-start | Only devices that were active since this time, in Unix seconds
mac | The MAC address of a device. Upper and lower case differ
macs | The MAC addresses of devices
parent_gid | The group to create the new group in. Default: create the root group
reassign | Move devices of other groups. Without it such devices fail
show-disabled | List disabled devices as well
skip | The number of entries before the page
sort | The order by time: asc or desc
start | The first day (YYYY-MM-DD), week (YYYY-WW) or month (YYYY-MM)
start-date | The first day, YYYY-MM-DD
start-ts | The first time, in Unix seconds
type | The property that --val is compared with: did, mac or uid, of users also username, phone, email or device_sn
uid | The id of a user
val | Only entries with this value of --type";

/// An endpoint as a command.
pub(super) struct EndpointCommand {
    group: &'static str,
    name: &'static str,
    pub(super) endpoint: Endpoint,
    about: &'static str,
    parameters: Vec<Parameter>,
}

/// A parameter of an endpoint.
struct Parameter {
    /// The name in the path, the query or the body, with `-` for `_` in the query.
    name: &'static str,
    /// The part of the request that has it: `path`, `query` or `body`.
    location: &'static str,
    /// The signs after the name in [`TABLE`].
    signs: &'static str,
}

/// All endpoints in the order of the API documentation.
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

/// Finds the endpoint of a command by its group and name.
pub(super) fn of_command(group: &str, name: &str) -> Option<EndpointCommand> {
    let mut all = all().into_iter();
    all.find(|one| (one.group, one.name) == (group, name))
}

impl Parameter {
    /// Parses a parameter of [`TABLE`], or of a path: `{did}`.
    fn new(word: &'static str) -> Self {
        let name = word.trim_matches(|one: char| !one.is_ascii_alphabetic());
        let (before, signs) = word.split_once(name).unwrap_or_default();
        let location = match before {
            "{" => "path",
            "--" => "query",
            _ => "body",
        };
        Parameter {
            name,
            location,
            signs,
        }
    }

    /// The parameter as an argument for clap.
    fn arg(&self) -> Arg {
        let written = self.name.replace('-', "_");
        let mut lines = PARAMETERS.lines().filter_map(|line| line.split_once(" | "));
        let about = lines.find(|(names, _)| names.split(' ').any(|name| name == self.name));
        let about = about.map_or(String::new(), |(_, about)| about.replace("{}", self.name));
        let (location, is_in_path) = (self.location, self.location == "path");
        let arg = Arg::new(self.name).required(is_in_path || self.signs.contains('!'));
        let arg = arg.help(format!("{about} [`{written}` in the {location}]"));
        if is_in_path {
            return arg.value_name(self.name.to_uppercase());
        }
        let arg = arg.long(self.name.replace('_', "-"));
        match self.signs.trim_end_matches('!') {
            "?" => arg.action(ArgAction::SetTrue),
            "*" => arg.num_args(1..).value_name("VALUE"),
            _ => arg.value_name("VALUE"),
        }
    }

    /// The value of the parameter, if it was given. A switch of the body is always sent, as true or false.
    fn value(&self, given: &ArgMatches) -> Option<Value> {
        if self.signs.contains('?') {
            return match (given.get_flag(self.name), self.location) {
                (on, "body") => Some(on.into()),
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
    /// The endpoint as a command for clap.
    fn command(&self) -> Command {
        let Endpoint { method, id, .. } = self.endpoint;
        let (about, method, path) = (self.about, method.as_str(), self.endpoint.path());
        let command = Command::new(self.name);
        let command = match self.endpoint == endpoint::CONTROL {
            true => ControlArgs::augment_args(command),
            false => command.args(self.parameters.iter().map(Parameter::arg)),
        };
        let listed = format!("{method} {path}\nListed in the API documentation as {id}.");
        command
            .about(about)
            .long_about(format!("{about}\n\n{listed}"))
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
            let name = parameter.name;
            match (parameter.location, parameter.value(given)) {
                ("body", Some(value)) => drop(body.insert(name.to_owned(), value)),
                ("query", Some(Value::String(text))) => {
                    call = call.parameter(&name.replace('-', "_"), text);
                }
                ("path", Some(Value::String(text))) => call = call.within(name, text),
                _ => {}
            }
        }
        match self.parameters.iter().any(|one| one.location == "body") {
            true => call.json(&body),
            false => call,
        }
    }
}
