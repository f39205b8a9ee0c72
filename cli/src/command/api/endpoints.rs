//! The endpoints as commands.

use clap::{Arg, ArgAction, ArgMatches, Command};
use gizwits_enterprise_client::blocking::Product;
use gizwits_enterprise_client::endpoint::{self as e, Endpoint};
use gizwits_enterprise_client::{Call, Custom, blocking};
use serde_json::Map;

use super::bytes::of_control;
use crate::failure::Failure;

/// An endpoint as a command.
pub(super) struct Entry {
    pub(super) group: &'static str,
    pub(super) verb: &'static str,
    pub(super) endpoint: Endpoint,
    about: &'static str,
    /// What it takes: `DID` stands in the path, `--city` in the query, `@uid` in the body, `@dids*` in
    /// the body as a list, `@attrs{}` as an object, `--is-online?` is a switch, `--end!` is needed.
    takes: &'static str,
}

const fn entry(
    group: &'static str,
    verb: &'static str,
    endpoint: Endpoint,
    about: &'static str,
    takes: &'static str,
) -> Entry {
    Entry {
        group,
        verb,
        endpoint,
        about,
        takes,
    }
}

const PLACE: &str = "--start --end --country --region --city --limit --skip";

/// All of them, in the order of the groups.
pub(super) const ENTRIES: &[Entry] = &[
    entry(
        "product",
        "token",
        e::ACCESS_TOKEN,
        "A token of the product: a secret",
        "",
    ),
    entry("product", "datapoint", e::DATAPOINT, "The definition", ""),
    entry(
        "users",
        "registered",
        e::USERS,
        "Users of the product's apps",
        "--appid --username --phone --email --limit --skip",
    ),
    entry(
        "users",
        "bound",
        e::BOUND_USERS,
        "Users who bound a device",
        "--gid --type --val --limit --skip",
    ),
    entry(
        "devices",
        "by-mac",
        e::DEVICE_BY_MAC,
        "The did of a MAC",
        "--mac!",
    ),
    entry(
        "devices",
        "detail",
        e::DEVICE_DETAIL,
        "How a MAC is registered",
        "--mac!",
    ),
    entry(
        "devices",
        "search",
        e::DEVICES,
        "Devices by place and state",
        "--gid --country --region --city --is-online? --is-faulty? --is-alert? --show-disabled? --liveness-start --type --val --limit --skip",
    ),
    entry(
        "devices",
        "control",
        e::CONTROL,
        "Set points by attrs, which the server checks, or by raw bytes, which are checked here",
        "DID @attrs{} @raw* @binary_coding",
    ),
    entry(
        "devices",
        "online",
        e::ONLINE,
        "When it came and went",
        "DID --start-ts --end-ts --sort --limit --skip",
    ),
    entry(
        "devices",
        "cmd",
        e::CMD,
        "Its frames",
        "DID --start-ts --end-ts --sort --limit --skip",
    ),
    entry(
        "devices",
        "data",
        e::DATA,
        "Its values",
        "DID --start-ts --end-ts --sort --limit --skip",
    ),
    entry("groups", "tree", e::GROUPS, "The groups", ""),
    entry(
        "groups",
        "create",
        e::CREATE_GROUP,
        "A new group",
        "@parent_gid",
    ),
    entry(
        "groups",
        "delete",
        e::DELETE_GROUP,
        "Remove an empty group",
        "GID",
    ),
    entry(
        "groups",
        "macs",
        e::GROUP_MACS,
        "The devices of a group",
        "GID",
    ),
    entry(
        "groups",
        "change",
        e::CHANGE_GROUP,
        "Put devices in or out",
        "GID @action! @macs*! @reassign?",
    ),
    entry(
        "bindings",
        "bind",
        e::BIND,
        "Bind devices to a user",
        "@uid! @appid! @dids!",
    ),
    entry(
        "bindings",
        "unbind",
        e::UNBIND,
        "Unbind devices from a user",
        "@uid! @appid! @dids!",
    ),
    entry(
        "reports",
        "activation",
        e::ACTIVATION,
        "Never documented",
        "--gid --cycle --start --end",
    ),
    entry(
        "reports",
        "locations",
        e::LOCATIONS,
        "Devices by place",
        "--gid --is-online? --is-faulty? --is-alert?",
    ),
    entry("reports", "summary", e::SUMMARY, "An overview", ""),
    entry(
        "reports",
        "new-devices",
        e::NEW_DEVICES,
        "Devices by the day they came",
        PLACE,
    ),
    entry(
        "reports",
        "active-devices",
        e::ACTIVE_DEVICES,
        "Devices by the days they were active",
        PLACE,
    ),
    entry(
        "reports",
        "liveness",
        e::LIVENESS,
        "How many were active",
        "--gid --cycle! --start! --end!",
    ),
    entry(
        "reports",
        "realtime",
        e::REALTIME,
        "Activated, faulty, alerting",
        "--gid",
    ),
    entry(
        "reports",
        "fault-devices",
        e::FAULT_DEVICES,
        "Devices with faults, by place",
        "--gid",
    ),
    entry(
        "reports",
        "alert-devices",
        e::ALERT_DEVICES,
        "Devices with alerts, by place",
        "--gid",
    ),
    entry(
        "reports",
        "fault-events",
        e::FAULT_EVENTS,
        "Faults, by point and place",
        "--gid",
    ),
    entry(
        "reports",
        "alert-events",
        e::ALERT_EVENTS,
        "Alerts, by point and place",
        "--gid",
    ),
    entry(
        "user-reports",
        "new",
        e::NEW_USERS,
        "New users",
        "--gid --cycle! --start! --end!",
    ),
    entry(
        "user-reports",
        "liveness",
        e::USER_LIVENESS,
        "Active users by day",
        "--appid --start-date! --end-date!",
    ),
    entry(
        "user-reports",
        "locations",
        e::USER_LOCATIONS,
        "Users by place",
        "",
    ),
    entry(
        "user-reports",
        "total",
        e::USER_TOTAL,
        "How many there ever were",
        "--gid",
    ),
];

/// What an [`Entry`] takes.
pub(super) struct Taken {
    /// As the API writes it.
    name: &'static str,
    pub(super) place: Place,
    form: Form,
    needed: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Path,
    Query,
    Body,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Text,
    Switch,
    List,
    Json,
}

impl Entry {
    pub(super) fn takes(&self) -> impl Iterator<Item = Taken> {
        self.takes.split_whitespace().map(|word| {
            let (place, rest) = match (word.strip_prefix("--"), word.strip_prefix('@')) {
                (Some(rest), _) => (Place::Query, rest),
                (_, Some(rest)) => (Place::Body, rest),
                _ => (Place::Path, word),
            };
            let name = rest.trim_end_matches(['!', '?', '*', '{', '}']);
            let form = match &rest[name.len()..] {
                marks if marks.contains('?') => Form::Switch,
                marks if marks.contains('*') => Form::List,
                marks if marks.contains('{') => Form::Json,
                _ => Form::Text,
            };
            Taken {
                name,
                place,
                form,
                needed: place == Place::Path || rest.ends_with('!'),
            }
        })
    }

    pub(super) fn command(&self) -> Command {
        let Endpoint { method, id, .. } = self.endpoint;
        let path = self.endpoint.path();
        let about = format!(
            "{}\n\n{} {path}\nListed as {id}.",
            self.about,
            method.as_str()
        );
        let mut command = Command::new(self.verb).about(self.about).long_about(about);
        for taken in self.takes() {
            let written = taken.name.replace('-', "_").to_lowercase();
            let place = match taken.place {
                Place::Path => "path",
                Place::Query => "query",
                Place::Body => "body",
            };
            let arg = Arg::new(taken.name)
                .required(taken.needed)
                .help(format!("`{written}` in the {place}"));
            let long = taken.name.replace('_', "-");
            let arg = match (taken.place, taken.form) {
                (Place::Path, _) => arg.value_name(taken.name),
                (_, Form::Switch) => arg.long(long).action(ArgAction::SetTrue),
                (_, Form::List) => arg.long(long).num_args(1..).value_name("VALUE"),
                (_, Form::Json) => arg.long(long).value_name("OBJECT"),
                (_, Form::Text) => arg.long(long).value_name("VALUE"),
            };
            command = command.arg(arg);
        }
        if self.endpoint == e::CONTROL {
            command = of_control(command);
        }
        command
    }

    pub(super) fn call(
        &self,
        product: &Product,
        given: &ArgMatches,
    ) -> Result<Call<blocking::Blocking, Custom>, Failure> {
        let mut call = product.endpoint(self.endpoint);
        if self.endpoint.path().starts_with("/v1/users/") {
            // These name the product in the query, the reports by a name that is in doubt.
            let key = product.key().to_string();
            call = call.parameter("product_key", key.clone());
            if self.endpoint != e::USERS {
                call = call.parameter("product_secret", key);
            }
        }
        let mut body = Map::new();
        for taken in self.takes() {
            if taken.form == Form::Switch {
                let on = given.get_flag(taken.name);
                match taken.place {
                    // What is not asked for is not filtered by; `reassign` is always sent.
                    Place::Body => drop(body.insert(taken.name.to_owned(), on.into())),
                    _ if on => call = call.parameter(&taken.name.replace('-', "_"), "1"),
                    _ => {}
                }
                continue;
            }
            let Some(values) = given.get_many::<String>(taken.name) else {
                continue;
            };
            let mut values: Vec<String> = values.cloned().collect();
            match (taken.place, taken.form) {
                (Place::Path, _) => {
                    let name = if taken.name == "DID" { "did" } else { "gid" };
                    call = call.within(name, values.remove(0));
                }
                (Place::Query, _) => {
                    call = call.parameter(&taken.name.replace('-', "_"), values.remove(0));
                }
                (Place::Body, Form::List) => {
                    drop(body.insert(taken.name.to_owned(), values.into()))
                }
                (Place::Body, _) => {
                    body.insert(taken.name.to_owned(), values.remove(0).into());
                }
            }
        }
        if self.takes().any(|taken| taken.place == Place::Body) {
            call = call.json(&body);
        }
        Ok(call)
    }
}
