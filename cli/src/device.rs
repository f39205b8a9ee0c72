//! `gizwits device`: the daily verbs.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, IsTerminal as _, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use clap::{Args, Subcommand};
use gizwits_codec_std::core::P0;
use gizwits_codec_std::{Action, Content, Decoded, payload};
use gizwits_enterprise_client::blocking::{Blocking, Device, Product};
use gizwits_enterprise_client::{Attrs, Call, Timestamp, log};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr as _;

use crate::account::{self, Account, refused};
use crate::{Failure, counted, printable, tell};

/// List, show, control and follow the devices of a product
#[derive(Args)]
#[command(
    after_help = EXAMPLES,
    after_long_help = long_help(),
    long_about = "List, show, control and follow the devices of a product, by the Enterprise API.\n\n\
        On a terminal they are tables and lines for people; into a pipe, or with --json, one JSON \
        object a line."
)]
pub(crate) struct DeviceArgs {
    #[command(flatten)]
    account: Account,
    /// One JSON object a line, on a terminal, too
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    verb: Verb,
}

const EXAMPLES: &str = "\
Examples:
  gizwits device list --online
  gizwits device show DID
  gizwits device control DID switch=off --wait
  gizwits device log DID --since 7d > log.ndjson";

fn long_help() -> String {
    format!("{}\n\n{EXAMPLES}", account::HELP)
}

#[derive(Subcommand)]
enum Verb {
    /// The devices of the product
    List(List),
    /// What is known of a device, and its last values
    Show {
        /// The device
        did: String,
    },
    /// Set points of a device, checked against the definition first
    Control(Control),
    /// The frames to and from a device, decoded
    Log {
        #[command(flatten)]
        span: Span,
        /// Decode the complete points of replies and reports of any length, and report the rest as extra,
        /// missing or whole_body
        #[arg(long)]
        lax: bool,
    },
    /// The values that a device reported
    Data(Span),
    /// When a device came and went, and why
    Online(Span),
    /// Print what changes, until Ctrl-C
    Watch {
        /// The device
        did: String,
        /// How often to look; each look is a call of the quota
        #[arg(long, value_name = "TIME", default_value = "5s", value_parser = every)]
        every: Duration,
    },
}

#[derive(Args)]
struct List {
    /// Only those in this city
    #[arg(long)]
    city: Option<String>,
    /// Only those in this region
    #[arg(long)]
    region: Option<String>,
    /// Only those in this country
    #[arg(long)]
    country: Option<String>,
    /// Only those that are online
    #[arg(long)]
    online: bool,
    /// Only those with a fault
    #[arg(long)]
    faulty: bool,
    /// Only those with an alert
    #[arg(long)]
    alert: bool,
}

#[derive(Args)]
struct Control {
    /// The device
    did: String,
    /// Values, as `encode` takes them
    #[arg(value_name = "NAME=VALUE", required_unless_present = "values_json")]
    values: Vec<String>,
    /// Values as an object, in the conventions of the API
    #[arg(long = "values", value_name = "OBJECT", conflicts_with = "values")]
    values_json: Option<String>,
    /// Print the request as a curl command, and send nothing
    #[arg(long)]
    curl: bool,
    /// Wait until the device reports these values
    #[arg(long)]
    wait: bool,
}

#[derive(Args)]
struct Span {
    /// The device
    did: String,
    /// How far back; the cloud keeps seven days
    #[arg(long, value_name = "TIME", default_value = "1d", value_parser = humantime::parse_duration)]
    since: Duration,
    /// From this moment on, as the output writes it, instead
    #[arg(long, value_name = "MOMENT", value_parser = moment, conflicts_with = "since")]
    from: Option<Timestamp>,
}

fn moment(text: &str) -> Result<Timestamp, String> {
    let moment: jiff::Timestamp = text
        .parse()
        .map_err(|_| "a moment is written 2026-01-31T07:37:23Z".to_owned())?;
    Ok(Timestamp::from_millis(moment.as_millisecond()))
}

fn every(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(every) if every < Duration::from_secs(1) => {
            Err("a look a second is the most".to_owned())
        }
        Ok(every) => Ok(every),
        Err(error) => Err(error.to_string()),
    }
}

/// The age of the oldest records in the cloud's logs.
const KEPT: Duration = Duration::from_secs(7 * 86_400);

/// How long a device may take to obey.
const PATIENCE: Duration = Duration::from_secs(10);

impl DeviceArgs {
    pub(crate) fn run(&self, out: &mut impl Write) -> Result<(), Failure> {
        let product = self.account.product()?;
        let json = self.json || !io::stdout().is_terminal();
        match &self.verb {
            Verb::List(list) => list.run(&product, json, out),
            Verb::Show { did } => show(&product, did, json, out),
            Verb::Control(control) => control.run(&product, json, out),
            Verb::Log { span, lax } => {
                let again = self.options(if *lax { "log --lax" } else { "log" });
                span.log(&product, json, *lax, &again, out)
            }
            Verb::Data(span) => span.data(&product, json, &self.options("data"), out),
            Verb::Online(span) => span.online(&product, json, &self.options("online"), out),
            Verb::Watch { did, every } => watch(&product, did, *every, json, out),
        }
    }
}

impl DeviceArgs {
    /// The head of the same command, to be typed again.
    fn options(&self, verb: &str) -> String {
        let json = if self.json { "--json " } else { "" };
        format!("gizwits device {}{json}{verb}", self.account.option())
    }
}

impl List {
    fn run(&self, product: &Product, json: bool, out: &mut impl Write) -> Result<(), Failure> {
        let mut search = product.devices().search();
        if let Some(city) = &self.city {
            search = search.city(city);
        }
        if let Some(region) = &self.region {
            search = search.region(region);
        }
        if let Some(country) = &self.country {
            search = search.country(country);
        }
        if self.online {
            search = search.is_online(true);
        }
        if self.faulty {
            search = search.is_faulty(true);
        }
        if self.alert {
            search = search.is_alert(true);
        }
        let mut rows = vec![["DID", "MAC", "ONLINE", "SINCE", "PLACE", ""].map(str::to_owned)];
        let mut count = 0;
        let mut ended = Ok(());
        let mut items = search.iter();
        for found in items.by_ref() {
            let found = match found {
                Ok(found) => found,
                Err(error) => {
                    ended = Err(refused(&error));
                    break;
                }
            };
            count += 1;
            if json {
                writeln!(out, "{}", to_json(&found))?;
                continue;
            }
            let yes = |flag: Option<bool>, word: &str| {
                if flag == Some(true) { word } else { "" }.to_owned()
            };
            let places = [&found.country, &found.region, &found.city];
            let mut place: Vec<&str> = places.into_iter().flatten().map(String::as_str).collect();
            place.dedup();
            let trouble = [yes(found.is_faulty, "fault"), yes(found.is_alert, "alert")];
            rows.push([
                found.did.to_string(),
                found.mac.to_string(),
                match found.is_online {
                    Some(true) => "yes",
                    Some(false) => "no",
                    None => "",
                }
                .to_owned(),
                found.online_latest.map(clock).unwrap_or_default(),
                place.join(", "),
                trouble.join(" ").trim().to_owned(),
            ]);
        }
        if !json && (count > 0 || ended.is_ok()) {
            table(out, &rows)?;
            out.flush()?;
            tell(format_args!(
                "{count} device{}",
                if count == 1 { "" } else { "s" }
            ));
        }
        ended.and_then(|()| all_came(items.missing()))
    }
}

/// A failure if the server counts more than it gave.
fn all_came(missing: u64) -> Result<(), Failure> {
    match missing {
        0 => Ok(()),
        _ => Err(Failure::Server(format!(
            "warning: this is not all: the server counts {missing} more than it gave"
        ))),
    }
}

fn show(product: &Product, did: &str, json: bool, out: &mut impl Write) -> Result<(), Failure> {
    let found = product
        .devices()
        .search()
        .did(did)
        .show_disabled(true)
        .send();
    let page = found.map_err(|error| refused(&error))?;
    let counted = page.total().unwrap_or(0).max(page.objects.len() as u64);
    // A server that doesn't know of the filter gives others.
    let found = page.objects.into_iter().find(|one| one.did.as_str() == did);
    let Some(found) = found else {
        let did = printable(did);
        return Err(Failure::Server(match counted {
            0 => format!("error: the product has no device {did}: gizwits device list"),
            _ => format!(
                "error: asked for {did}, the server counts {counted} and didn't give it: gizwits device list"
            ),
        }));
    };
    let definition = product.definition().map_err(|error| refused(&error))?;
    // The logs of a published product are closed; the device is known all the same.
    let last = known(&product.device(did), all_of(&definition));
    if json {
        let mut shown = json!({"device": to_json(&found), "last": null});
        match &last {
            Ok(None) => {}
            Ok(Some(last)) => {
                shown["last"] = json!({"ts": to_json(&last.ts), "attrs": to_json(&last.attrs)});
            }
            Err(error) => shown["last_error"] = error.to_json(),
        }
        writeln!(out, "{shown}")?;
        return last.map(drop).map_err(|error| error.failure());
    }
    let Value::Object(members) = to_json(&found) else {
        return Ok(());
    };
    let mut rows = Vec::new();
    for (name, value) in members {
        if !value.is_null() {
            let shown = moment_of(&name, &value).map(clock);
            let text = || value.as_str().map_or(value.to_string(), str::to_owned);
            rows.push([name, shown.unwrap_or_else(text)]);
        }
    }
    table(out, &rows)?;
    match last {
        Err(error) => return Err(error.failure()),
        Ok(None) => tell(format_args!("no values: it has not reported any")),
        Ok(Some(Known { ts, attrs, .. })) => {
            writeln!(out, "\nreported last at {}", clock(ts))?;
            let row = |attr: &gizwits_codec_std::Attr| {
                Some([attr.name().to_owned(), attrs.get(attr.name())?.to_string()])
            };
            let rows: Vec<[String; 2]> = definition.attrs().filter_map(row).collect();
            table(out, &rows)?;
        }
    }
    Ok(())
}

/// The moment that a member of an answer tells, by its name: also one that the client doesn't know.
fn moment_of(name: &str, value: &Value) -> Option<Timestamp> {
    // In 1973; what is less counts something else.
    const FIRST: Timestamp = Timestamp::from_seconds(100_000_000);
    // From here on milliseconds are counted, as in the records of a log.
    const MILLIS: Timestamp = Timestamp::from_seconds(100_000_000_000);
    let words = name.split('_');
    let tells = ["at", "ts", "time", "timestamp", "latest"];
    if !words.into_iter().any(|word| tells.contains(&word)) {
        return None;
    }
    let moment: Timestamp = serde_json::from_value(value.clone()).ok()?;
    if moment >= MILLIS {
        return Some(Timestamp::from_millis(moment.seconds()));
    }
    (moment >= FIRST).then_some(moment)
}

/// Why it is not known what a device said last.
enum Unread {
    Refused(gizwits_enterprise_client::Error),
    /// The server counts so many reports, and gave none.
    Missing(u64),
}

impl Unread {
    /// The reason for people, and what to do about it.
    fn explained(&self) -> String {
        match self {
            Unread::Refused(error) => account::explained(error),
            Unread::Missing(_) => format!("error: {self}"),
        }
    }

    fn failure(&self) -> Failure {
        Failure::Server(self.explained() + "\n  the last reported values are unknown")
    }

    fn to_json(&self) -> Value {
        let (kind, code) = match self {
            Unread::Refused(error) => (error.name(), error.code()),
            Unread::Missing(_) => ("missing", None),
        };
        let mut shown = json!({"kind": kind, "message": self.to_string()});
        if let Some(code) = code {
            shown["code"] = code.number().into();
        }
        shown
    }
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unread::Refused(error) => error.fmt(f),
            Unread::Missing(count) => {
                write!(
                    f,
                    "the server counts {count} reports of the device, and gave none"
                )
            }
        }
    }
}

/// What a device said last.
struct Known {
    ts: Timestamp,
    attrs: Attrs,
    /// The reports of that moment.
    newest: Vec<Attrs>,
}

/// The last values of a device. A var_len device reports what changed, so its reports are gone back
/// through until there is `enough`.
fn known(device: &Device, enough: impl Fn(&Attrs) -> bool) -> Result<Option<Known>, Unread> {
    const MOST: usize = 1000;
    let mut known: Option<Known> = None;
    let mut snapshots = device.data().iter();
    for snapshot in snapshots.by_ref().take(MOST) {
        let snapshot = snapshot.map_err(Unread::Refused)?;
        let known = known.get_or_insert_with(|| Known {
            ts: snapshot.ts,
            attrs: Attrs::new(),
            newest: Vec::new(),
        });
        if snapshot.ts == known.ts {
            known.newest.push(snapshot.attrs.clone());
        } else if enough(&known.attrs) {
            break;
        }
        for (name, value) in snapshot.attrs {
            known.attrs.entry(name).or_insert(value);
        }
    }
    match (known, snapshots.missing()) {
        (None, count @ 1..) => Err(Unread::Missing(count)),
        (known, _) => Ok(known),
    }
}

/// That every point has a value.
fn all_of(definition: &gizwits_codec_std::Product) -> impl Fn(&Attrs) -> bool {
    |attrs| attrs.len() >= definition.attrs().len()
}

impl Control {
    fn run(&self, product: &Product, json: bool, out: &mut impl Write) -> Result<(), Failure> {
        let definition = product.definition().map_err(|error| refused(&error))?;
        let mut message = definition.message(Action::Control);
        for given in &self.values {
            let Some((name, value)) = given.split_once('=') else {
                return Err(Failure::Usage(format!("error: `{given}` is no NAME=VALUE")));
            };
            message.set_word(name, value).map_err(not_allowed)?;
        }
        if let Some(object) = &self.values_json {
            message.set_json(object).map_err(not_allowed)?;
        }
        let p0 = message.encode().map_err(not_allowed)?;
        // What is set, as a device would report it.
        let wanted = gizwits_enterprise_client::Message::decode(&definition, &p0)
            .map_err(not_allowed)?
            .attrs()
            .cloned()
            .unwrap_or_default();
        let device = product.device(self.did.as_str());
        let call = device.control(&wanted);
        if self.curl {
            writeln!(out, "{}", call.curl().map_err(|error| refused(&error))?)?;
            return Ok(());
        }
        // Points that have their value already are not reported again by a var_len device.
        let before = match self.wait {
            true => known(&device, |attrs| {
                wanted.keys().all(|name| attrs.contains_key(name))
            }),
            false => Ok(None),
        };
        let before = before.unwrap_or_else(|error| {
            tell(format_args!(
                "{}\n  the current values are unknown: if a point already has this value, --wait may time out",
                error.explained().replacen("error: ", "warning: ", 1)
            ));
            None
        });
        let sent = product.enterprise().now().minus(Duration::from_secs(1));
        call.send().map_err(|error| refused(&error))?;
        if !self.wait {
            if json {
                writeln!(out, "{}", json!({"sent": to_json(&wanted)}))?;
            } else {
                let wanted = to_json(&wanted);
                writeln!(
                    out,
                    "sent {wanted}; the device obeys when it can: --wait tells"
                )?;
            }
            return Ok(());
        }
        let before = before.map(|known| known.attrs).unwrap_or_default();
        let holds = |state: &Attrs| {
            let mut wanted = wanted.iter();
            wanted.all(|(name, value)| state.get(name) == Some(value))
        };
        let nothing_new = holds(&before);
        let unseen = |error: &gizwits_enterprise_client::Error| {
            let told = account::explained(error);
            Failure::Server(format!("sent, but nothing shows if it obeyed\n{told}"))
        };
        let began = Instant::now();
        let mut unread = None;
        while began.elapsed() < PATIENCE {
            let page = device
                .cmd_log()
                .limit(50)
                .send()
                .map_err(|error| unseen(&error))?;
            let mut state = before.clone();
            let mut reported = None;
            // The newest come first.
            for record in page.objects.into_iter().rev() {
                let message = match record.decoded {
                    Some(Ok(message)) => message,
                    Some(Err(error)) if record.timestamp >= sent => {
                        unread = Some((record.timestamp, error));
                        continue;
                    }
                    _ => continue,
                };
                let told = matches!(message.action(), Some(Action::Report | Action::Reply));
                if let Some(attrs) = message.attrs().filter(|_| told && record.timestamp >= sent) {
                    state.extend(attrs.clone());
                    reported = Some(record.timestamp);
                }
            }
            if holds(&state) && (reported.is_some() || nothing_new) {
                if json {
                    let at = reported.as_ref().map(to_json);
                    writeln!(
                        out,
                        "{}",
                        json!({"sent": to_json(&wanted), "reported_at": at})
                    )?;
                } else {
                    let at = reported
                        .map(clock)
                        .unwrap_or_else(|| "as before".to_owned());
                    writeln!(out, "{at} done: {}", to_json(&wanted))?;
                }
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(500));
        }
        let mut told = format!(
            "error: sent, and {} has not reported it within ten seconds; it may still: \
             gizwits device log {}",
            self.did, self.did
        );
        if let Some((at, error)) = unread {
            told += &format!(
                "\n  a frame of {} can't be read: {}",
                clock(at),
                printable(&error.message)
            );
        }
        Err(Failure::Server(told))
    }
}

impl Span {
    fn device(&self, product: &Product) -> Device {
        product.device(self.did.as_str())
    }

    fn ends(&self, product: &Product) -> (Timestamp, Timestamp) {
        let now = product.enterprise().now();
        match self.from {
            None => (now.minus(self.since), now),
            // What was told as the way to go on may have become too old meanwhile.
            Some(from) => (from.max(now.minus(KEPT)), now),
        }
    }

    fn log(
        &self,
        product: &Product,
        json: bool,
        lax: bool,
        again: &str,
        out: &mut impl Write,
    ) -> Result<(), Failure> {
        let definition = product.definition().map_err(|error| refused(&error))?;
        let mut last = BTreeMap::new();
        let mut bytes = Vec::new();
        self.walk(
            product,
            again,
            self.device(product).cmd_log().undecoded(),
            out,
            |record, out| {
                let at = record.timestamp;
                let parsed = payload::parse_into(&record.payload, None, &mut bytes);
                let decoded = parsed.and_then(|()| match lax {
                    false => definition.decode(&bytes),
                    true => definition.lax().decode(&bytes),
                });
                if json {
                    let direction = record.direction.as_str();
                    let told = match &decoded {
                        Ok(decoded) => decoded.to_json(),
                        Err(error) => {
                            json!({"error": {"kind": error.kind, "message": error.message}})
                                .to_string()
                        }
                    };
                    let (at, did) = (to_json(&at), json!(self.did));
                    let payload = json!(record.payload);
                    let rest = told.strip_prefix('{').unwrap_or_default();
                    writeln!(
                        out,
                        r#"{{"timestamp":{at},"type":"{direction}","did":{did},"payload":{payload},{rest}"#
                    )?;
                } else {
                    let told = match &decoded {
                        Ok(decoded) => in_words(&definition, decoded, &mut last),
                        Err(error) => format!("! {}", error.message),
                    };
                    writeln!(
                        out,
                        "{}  {:7}  {}",
                        clock(at),
                        record.direction.as_str(),
                        printable(&told)
                    )?;
                }
                Ok(at)
            },
        )
    }

    fn data(
        &self,
        product: &Product,
        json: bool,
        again: &str,
        out: &mut impl Write,
    ) -> Result<(), Failure> {
        let definition = product.definition().map_err(|error| refused(&error))?;
        let mut last = BTreeMap::new();
        self.walk(
            product,
            again,
            self.device(product).data(),
            out,
            |snapshot, out| {
                if json {
                    writeln!(out, "{}", of_device(&self.did, to_json(&snapshot)))?;
                } else {
                    let told = changed(&definition, &snapshot.attrs, &mut last);
                    writeln!(out, "{}  {}", clock(snapshot.ts), printable(&told))?;
                }
                Ok(snapshot.ts)
            },
        )
    }

    fn online(
        &self,
        product: &Product,
        json: bool,
        again: &str,
        out: &mut impl Write,
    ) -> Result<(), Failure> {
        self.walk(
            product,
            again,
            self.device(product).online(),
            out,
            |event, out| {
                if json {
                    writeln!(out, "{}", of_device(&self.did, to_json(&event)))?;
                } else {
                    let detail = event.payload.as_ref().map(to_json);
                    let detail = detail.map_or(String::new(), |detail| detail.to_string());
                    let line = format!(
                        "{}  {:13}  {detail}",
                        clock(event.timestamp),
                        event.kind.as_str()
                    );
                    writeln!(out, "{}", printable(line.trim_end()))?;
                }
                Ok(event.timestamp)
            },
        )
    }

    /// Writes every record, tells how far it is, and says how to go on if it is interrupted.
    fn walk<T: log::Record, W: Write>(
        &self,
        product: &Product,
        again: &str,
        call: Call<Blocking, log::Log<T>>,
        out: &mut W,
        mut write: impl FnMut(T, &mut W) -> io::Result<Timestamp>,
    ) -> Result<(), Failure> {
        let (start, end) = self.ends(product);
        let call = call.between(start, end).sort(log::Sort::Asc).limit(1000);
        let interrupted = interruption();
        let bar = progress(end.since(start));
        let (mut count, mut last) = (0, None);
        // The last one comes again: others may bear the same moment.
        let again = |last: Option<Timestamp>| {
            last.map_or(String::new(), |last| {
                format!("; to go on: {again} {} --from {last}", self.did)
            })
        };
        let mut records = call.iter();
        for record in records.by_ref() {
            let record = match record {
                Ok(record) => record,
                Err(error) => {
                    bar.finish_and_clear();
                    out.flush()?;
                    if count > 0 {
                        tell(format_args!("{}{}", counted(count, "record"), again(last)));
                    }
                    return Err(refused(&error));
                }
            };
            let at = write(record, out)?;
            (count, last) = (count + 1, Some(at));
            bar.set_position(at.since(start).as_secs());
            bar.set_message(counted(count, "record"));
            if interrupted.load(Ordering::Relaxed) {
                bar.finish_and_clear();
                out.flush()?;
                tell(format_args!(
                    "interrupted after {}{}",
                    counted(count, "record"),
                    again(last)
                ));
                return Err(Failure::Interrupted);
            }
        }
        bar.finish_and_clear();
        if io::stderr().is_terminal() {
            tell(format_args!(
                "{count} record{}",
                if count == 1 { "" } else { "s" }
            ));
        }
        all_came(records.missing())
    }
}

fn watch(
    product: &Product,
    did: &str,
    every: Duration,
    json: bool,
    out: &mut impl Write,
) -> Result<(), Failure> {
    let definition = product.definition().map_err(|error| refused(&error))?;
    let device = product.device(did);
    let interrupted = interruption();
    let mut last = BTreeMap::new();
    let mut print = |ts: Timestamp, attrs: &Attrs, out: &mut dyn Write| -> io::Result<()> {
        if json {
            writeln!(
                out,
                "{}",
                json!({"did": did, "ts": to_json(&ts), "attrs": to_json(attrs)})
            )?;
        } else {
            let told = changed(&definition, attrs, &mut last);
            writeln!(out, "{}  {}", clock(ts), printable(&told))?;
        }
        out.flush()
    };
    let first = known(&device, all_of(&definition)).map_err(|error| error.failure())?;
    let mut ended = Ok(());
    let mut from = product.enterprise().now();
    // Those of the last second, which the next look has again.
    let mut seen: Vec<(Timestamp, Attrs)> = Vec::new();
    if let Some(known) = first {
        print(known.ts, &known.attrs, out)?;
        from = known.ts;
        seen.extend(known.newest.into_iter().map(|attrs| (from, attrs)));
    }
    loop {
        let began = Instant::now();
        while !interrupted.load(Ordering::Relaxed) && began.elapsed() < every {
            std::thread::sleep(Duration::from_millis(50).min(every));
        }
        if interrupted.load(Ordering::Relaxed) {
            return ended;
        }
        let now = product.enterprise().now().plus(Duration::from_secs(1));
        // A device may be silent for longer than its log is kept.
        let start = from.max(now.minus(KEPT));
        let mut new = device
            .data()
            .between(start, now)
            .sort(log::Sort::Asc)
            .iter();
        for snapshot in new.by_ref() {
            let snapshot = snapshot.map_err(|error| refused(&error))?;
            let one = (snapshot.ts, snapshot.attrs);
            if one.0 < from || seen.contains(&one) {
                continue;
            }
            print(one.0, &one.1, out)?;
            if one.0 > from {
                from = one.0;
                seen.clear();
            }
            seen.push(one);
        }
        // Told once, and again by the exit status.
        if let (Ok(()), Err(Failure::Server(told))) = (&ended, all_came(new.missing())) {
            tell(format_args!("{told}"));
            ended = Err(Failure::Some);
        }
    }
}

/// A decoded frame for people: of a report what is new in it; what was set aside to decode it.
fn in_words(
    definition: &gizwits_codec_std::Product,
    decoded: &Decoded<'_, '_>,
    last: &mut BTreeMap<String, String>,
) -> String {
    let mut told = content_in_words(definition, decoded, last);
    for remark in decoded.remarks() {
        told += &format!("  ! {remark}");
    }
    told
}

fn content_in_words(
    definition: &gizwits_codec_std::Product,
    decoded: &Decoded<'_, '_>,
    last: &mut BTreeMap<String, String>,
) -> String {
    let (action, view) = match decoded.content {
        Content::P0(P0::Control(view)) => ("control", view),
        Content::P0(P0::Reply(view)) => ("reply", view),
        Content::P0(P0::Report(view)) => ("report", view),
        Content::P0(P0::Read { .. }) => return "read".to_owned(),
        Content::P0(P0::Transparent { data, .. }) => {
            return match decoded.broadcast() {
                // It may be another device's: nothing is new or old in it.
                Some(broadcast) => {
                    let status = in_words(definition, &broadcast.decoded, &mut BTreeMap::new());
                    format!("transparent  MAC address {}  {status}", broadcast.mac())
                }
                None => format!("transparent  {}", payload::hex(data)),
            };
        }
        Content::P0(P0::Gateway { body, .. }) => return format!("gateway  {}", payload::hex(body)),
        Content::Body(body) => return format!("no data points  {}", payload::hex(body)),
    };
    let values = view.iter().filter_map(|reading| {
        let attr = definition.attr(reading.id())?;
        Some((attr.name(), definition.show(reading)))
    });
    // A control asks; what is, is in the others.
    news(action, values, (action != "control").then_some(last))
}

/// The values of a report for people.
fn changed(
    definition: &gizwits_codec_std::Product,
    attrs: &Attrs,
    last: &mut BTreeMap<String, String>,
) -> String {
    let values = definition.attrs().filter_map(|attr| {
        let value = attrs.get(attr.name())?;
        Some((attr.name(), value.to_string()))
    });
    news("", values, Some(last))
}

/// Values for people: those that are not as they were last, which then are; all of them without a last.
fn news<'n>(
    action: &str,
    values: impl Iterator<Item = (&'n str, String)>,
    mut last: Option<&mut BTreeMap<String, String>>,
) -> String {
    let mut shown = Vec::new();
    let mut same = 0;
    for (name, value) in values {
        if last.as_ref().and_then(|last| last.get(name)) == Some(&value) {
            same += 1;
            continue;
        }
        shown.push(format!("{name} {value}"));
        if let Some(last) = &mut last {
            last.insert(name.to_owned(), value);
        }
    }
    told(action, &shown, same)
}

fn told(action: &str, shown: &[String], same: usize) -> String {
    let gap = if action.is_empty() { "" } else { "  " };
    let shown = shown.join(", ");
    match (shown.is_empty(), same) {
        (_, 0) => format!("{action}{gap}{shown}"),
        (true, same) => format!("{action}{gap}{same} as before"),
        (false, same) => format!("{action}{gap}{shown}, {same} as before"),
    }
}

/// A record of a device, which says so: records of several devices may be merged.
fn of_device(did: &str, mut record: Value) -> Value {
    record["did"] = did.into();
    record
}

fn to_json(value: &impl serde::Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

/// A moment as it can be given to `--from`.
fn clock(moment: Timestamp) -> String {
    moment.to_string()
}

/// Columns, as wide as they need to be.
fn table<const N: usize>(out: &mut impl Write, rows: &[[String; N]]) -> io::Result<()> {
    let rows: Vec<[String; N]> = rows
        .iter()
        .map(|row| row.each_ref().map(|cell| printable(cell).into_owned()))
        .collect();
    let widths: [usize; N] =
        std::array::from_fn(|n| rows.iter().map(|row| row[n].width()).max().unwrap_or(0));
    for row in &rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths) {
            line += cell;
            line += &" ".repeat(width - cell.width() + 2);
        }
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

/// On a terminal, while the output goes elsewhere.
fn progress(span: Duration) -> ProgressBar {
    if io::stdout().is_terminal() || !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {percent:>3} %  {msg}  eta {eta}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::with_draw_target(Some(span.as_secs().max(1)), ProgressDrawTarget::stderr())
        .with_style(style)
}

/// Becomes true on the first Ctrl-C; the second ends the process.
fn interruption() -> Arc<AtomicBool> {
    let interrupted = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&interrupted);
    // Without it Ctrl-C ends the process at once, as ever.
    let _ = std::thread::Builder::new()
        .name("ctrl-c".to_owned())
        .spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_io()
                .build();
            let Ok(runtime) = runtime else {
                return;
            };
            runtime.block_on(async {
                let _ = tokio::signal::ctrl_c().await;
                seen.store(true, Ordering::Relaxed);
                let _ = tokio::signal::ctrl_c().await;
                std::process::exit(130);
            });
        });
    interrupted
}

/// A value that the definition doesn't allow.
fn not_allowed(error: gizwits_codec_std::Error) -> Failure {
    Failure::Server(format!("error: {}", printable(&error.message)))
}
