//! `gizwits api`: any endpoint of the Enterprise API, by its group and name.

use std::io::{self, IsTerminal as _, Write};

use clap::{Arg, ArgAction, ArgGroup, ArgMatches, Args, Command, FromArgMatches};
use gizwits_codec_std::payload::{self, Encoding};
use gizwits_enterprise_client::blocking::Product;
use gizwits_enterprise_client::endpoint::{self as e, Endpoint, Method};
use gizwits_enterprise_client::{Call, Coding, Custom, ErrorCode, ExposeSecret as _, blocking};
use serde_json::{Map, Value, json};

use crate::account::{self, Account, explained, refused};
use crate::{Failure, printable};

/// An endpoint as a command.
struct Entry {
    group: &'static str,
    verb: &'static str,
    endpoint: Endpoint,
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
const ENTRIES: &[Entry] = &[
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

/// What an [`Entry`] takes.
struct Taken {
    /// As the API writes it.
    name: &'static str,
    place: Place,
    form: Form,
    needed: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Path,
    Query,
    Body,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Text,
    Switch,
    List,
    Json,
}

impl Entry {
    fn takes(&self) -> impl Iterator<Item = Taken> {
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

    fn command(&self) -> Command {
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

    fn call(
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

/// The JSON of an option.
fn json_of(option: &str, text: &str) -> Result<Value, Failure> {
    serde_json::from_str(text).map_err(|error| {
        let head: String = text.chars().take(40).collect();
        let more = if head.len() < text.len() { "…" } else { "" };
        let message = format!("error: --{option} {head}{more}: not JSON: {error}");
        Failure::Usage(printable(&message).into_owned())
    })
}

/// The command of a control: how bytes are written, and the way past the check.
fn of_control(command: Command) -> Command {
    let unchecked = Arg::new("unchecked")
        .long("unchecked")
        .action(ArgAction::SetTrue)
        .conflicts_with("attrs")
        .help("Send the raw bytes without a check against the definition");
    command
        .mut_arg("attrs", |arg| {
            arg.help("Names and values, sent as they are: `gizwits device control` checks them first")
        })
        .mut_arg("raw", |arg| {
            arg.value_name("BYTES").help(
                "Payload bytes, starting with the action. Checked against the definition. Decimal with commas or spaces \
                 between (18,255,255), or one word of hex (12ffff, 0x12ffff)",
            )
        })
        .mut_arg("binary_coding", |arg| {
            arg.value_parser(["hex", "base64"])
                .help("The coding of binaries; --raw is then one word in it")
        })
        .arg(unchecked)
        .group(ArgGroup::new("what").args(["attrs", "raw"]).required(true))
        .after_help(CONTROL_EXAMPLES)
}

const CONTROL_EXAMPLES: &str = "\
Bytes of --raw:
  Decimal numbers need a comma or a space between them: 18,255,255, 18 255 255, [18,255,255].
  Hex is one word of an even number of digits: 12ffff, 0x12ffff. A word of two decimal digits, such
  as 18, could be either and is refused: write [18], or 0x18.

Bytes that set a point to a value outside its definition are refused: servers don't check them, and a
device may obey. --unchecked sends them all the same. --curl sends nothing and checks nothing.

Examples:
  gizwits api devices control DID --attrs '{\"switch\":true}'
  gizwits api devices control DID --raw 1,1,1,0,0,16
  gizwits api devices control DID --raw 010101000010";

/// Bytes as they were typed; see [`CONTROL_EXAMPLES`].
fn typed_bytes(text: &str) -> Result<Vec<u8>, String> {
    let text = text.trim();
    let listed = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'));
    let within = listed.unwrap_or(text).trim();
    if within.is_empty() {
        return Err("there are no bytes".to_owned());
    }
    if listed.is_none() && !within.contains([',', ' ', '\t', '\n']) {
        return typed_hex(within);
    }
    let items = within.split(',').flat_map(|part| match part.trim() {
        // Nothing between two commas.
        "" => vec![""],
        part => part.split_whitespace().collect(),
    });
    let number = |item: &str| {
        item.parse().map_err(|_| match item {
            "" => "a number is missing beside a comma".to_owned(),
            _ => format!("`{item}` is no number from 0 to 255; hex is one word: 12ffff"),
        })
    };
    items.map(number).collect()
}

/// One word.
fn typed_hex(word: &str) -> Result<Vec<u8>, String> {
    let digits = word.strip_prefix("0x").unwrap_or(word);
    let all = |of: fn(&u8) -> bool| digits.as_bytes().iter().all(of);
    if digits == word && word.len() == 2 && all(u8::is_ascii_digit) {
        return Err(format!(
            "`{word}` could be decimal or hex: write [{word}], or 0x{word}"
        ));
    }
    if digits.is_empty() || !digits.len().is_multiple_of(2) || !all(u8::is_ascii_hexdigit) {
        return Err(format!(
            "`{word}` is no hex of an even number of digits; decimal numbers have a comma or a space \
             between them, or stand in brackets: 18,255,255, [5]"
        ));
    }
    payload::parse(digits, Some(Encoding::Hex)).map_err(|error| error.message)
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
