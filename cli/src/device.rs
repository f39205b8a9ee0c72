//! `gizwits device`: the daily verbs.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal as _, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use clap::{Args, Subcommand};
use gizwits_codec_std::core::P0;
use gizwits_codec_std::{Action, Content, Decoded, payload};
use gizwits_enterprise_client::blocking::{Device, Product};
use gizwits_enterprise_client::{Attrs, Timestamp, log};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr as _;

use crate::account::{self, Account, refused};
use crate::{Failure, printable, tell};

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
    Log(Span),
    /// The values that a device reported
    Data(Span),
    /// When a device came and went, and why
    Online(Span),
    /// Print what changes, until Ctrl-C
    Watch {
        /// The device
        did: String,
        /// How often to look; each look is a call of the quota
        #[arg(long, value_name = "TIME", default_value = "5s", value_parser = humantime::parse_duration)]
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
            Verb::Log(span) => span.log(&product, json, out),
            Verb::Data(span) => span.data(&product, json, out),
            Verb::Online(span) => span.online(&product, json, out),
            Verb::Watch { did, every } => watch(&product, did, *every, json, out),
        }
    }
}

impl List {
    fn run(&self, product: &Product, json: bool, out: &mut impl Write) -> Result<(), Failure> {
        let mut search = product.devices().search();
        for (place, set) in [
            ("city", &self.city),
            ("region", &self.region),
            ("country", &self.country),
        ] {
            if let Some(name) = set {
                search = search.parameter(place, name.as_str());
            }
        }
        for (flag, set) in [
            ("is_online", self.online),
            ("is_faulty", self.faulty),
            ("is_alert", self.alert),
        ] {
            if set {
                search = search.parameter(flag, "1");
            }
        }
        let mut rows = vec![["DID", "MAC", "ONLINE", "SINCE", "PLACE", ""].map(str::to_owned)];
        let mut count = 0;
        for found in search.iter() {
            let found = found.map_err(|error| refused(&error))?;
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
                if found.is_online == Some(true) {
                    "yes"
                } else {
                    "no"
                }
                .to_owned(),
                found.online_latest.map(clock).unwrap_or_default(),
                place.join(", "),
                trouble.join(" ").trim().to_owned(),
            ]);
        }
        if !json {
            table(out, &rows)?;
            tell(format_args!(
                "{count} device{}",
                if count == 1 { "" } else { "s" }
            ));
        }
        Ok(())
    }
}

fn show(product: &Product, did: &str, json: bool, out: &mut impl Write) -> Result<(), Failure> {
    let found = product
        .devices()
        .search()
        .did(did)
        .parameter("show_disabled", "1")
        .send();
    let found = found
        .map_err(|error| refused(&error))?
        .objects
        .into_iter()
        .next();
    let Some(found) = found else {
        let message = format!("error: the product has no device {did}: gizwits device list");
        return Err(Failure::Server(message));
    };
    let data = product.device(did).data().limit(1).send();
    let last = data
        .map_err(|error| refused(&error))?
        .objects
        .into_iter()
        .next();
    if json {
        let last = last.as_ref().map(to_json);
        writeln!(out, "{}", json!({"device": to_json(&found), "last": last}))?;
        return Ok(());
    }
    let Value::Object(members) = to_json(&found) else {
        return Ok(());
    };
    let mut rows = Vec::new();
    for (name, value) in members {
        if !value.is_null() {
            let value = match name.as_str() {
                "online_latest" | "created_at" => {
                    value.as_i64().map(Timestamp::from_seconds).map(clock)
                }
                _ => None,
            }
            .unwrap_or_else(|| value.as_str().map_or(value.to_string(), str::to_owned));
            rows.push([name, value]);
        }
    }
    table(out, &rows)?;
    let Some(last) = last else {
        return Ok(());
    };
    writeln!(out, "\nreported at {}", clock(last.ts))?;
    let definition = product.definition().map_err(|error| refused(&error))?;
    let rows: Vec<[String; 2]> = definition
        .attrs()
        .filter_map(|attr| {
            Some([
                attr.name().to_owned(),
                last.attrs.get(attr.name())?.to_string(),
            ])
        })
        .collect();
    Ok(table(out, &rows)?)
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
        let sent = product.enterprise().now().minus(Duration::from_secs(1));
        call.send().map_err(|error| refused(&error))?;
        if !self.wait {
            if json {
                writeln!(out, "{}", json!({"sent": to_json(&wanted)}))?;
            } else {
                writeln!(
                    out,
                    "sent {}; the device obeys when it can: --wait tells",
                    to_json(&wanted)
                )?;
            }
            return Ok(());
        }
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            let records = device
                .cmd_log()
                .limit(20)
                .send()
                .map_err(|error| refused(&error))?;
            for record in records.objects {
                let Some(Ok(message)) = record.decoded else {
                    continue;
                };
                let told = matches!(message.action(), Some(Action::Report | Action::Reply));
                let Some(attrs) = message.attrs().filter(|_| told && record.timestamp >= sent)
                else {
                    continue;
                };
                if wanted
                    .iter()
                    .all(|(name, value)| attrs.get(name) == Some(value))
                {
                    let at = record.timestamp;
                    if json {
                        writeln!(
                            out,
                            "{}",
                            json!({"sent": to_json(&wanted), "reported_at": to_json(&at)})
                        )?;
                    } else {
                        writeln!(out, "{} done: {}", clock(at), to_json(&wanted))?;
                    }
                    return Ok(());
                }
            }
            std::thread::sleep(Duration::from_millis(500));
        }
        Err(Failure::Server(format!(
            "error: {} has not reported it within ten seconds; it may still: gizwits device log {}",
            self.did, self.did
        )))
    }
}

impl Span {
    fn device(&self, product: &Product) -> Device {
        product.device(self.did.as_str())
    }

    fn ends(&self, product: &Product) -> (Timestamp, Timestamp) {
        let now = product.enterprise().now();
        (self.from.unwrap_or_else(|| now.minus(self.since)), now)
    }

    fn log(&self, product: &Product, json: bool, out: &mut impl Write) -> Result<(), Failure> {
        let definition = product.definition().map_err(|error| refused(&error))?;
        let (start, end) = self.ends(product);
        let call = self
            .device(product)
            .cmd_log()
            .undecoded()
            .between(start, end);
        let mut last = BTreeMap::new();
        let mut bytes = Vec::new();
        self.walk(
            "log",
            (start, end),
            call.sort(log::Sort::Asc).limit(1000).iter(),
            out,
            |record, out| {
                let at = record.timestamp;
                let parsed = payload::parse_into(&record.payload, None, &mut bytes);
                let decoded = parsed.and_then(|()| definition.decode(&bytes));
                if json {
                    let direction = record.direction.as_str();
                    let told = match &decoded {
                        Ok(decoded) => decoded.to_json(),
                        Err(error) => {
                            json!({"error": {"kind": error.kind, "message": error.message}})
                                .to_string()
                        }
                    };
                    let (at, payload) = (to_json(&at), json!(record.payload));
                    let rest = told.strip_prefix('{').unwrap_or_default();
                    writeln!(
                        out,
                        r#"{{"timestamp":{at},"type":"{direction}","payload":{payload},{rest}"#
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

    fn data(&self, product: &Product, json: bool, out: &mut impl Write) -> Result<(), Failure> {
        let definition = product.definition().map_err(|error| refused(&error))?;
        let (start, end) = self.ends(product);
        let call = self.device(product).data().between(start, end);
        let mut last = BTreeMap::new();
        self.walk(
            "data",
            (start, end),
            call.sort(log::Sort::Asc).limit(1000).iter(),
            out,
            |snapshot, out| {
                if json {
                    writeln!(out, "{}", to_json(&snapshot))?;
                } else {
                    let told = changed(&definition, &snapshot.attrs, &mut last);
                    writeln!(out, "{}  {}", clock(snapshot.ts), printable(&told))?;
                }
                Ok(snapshot.ts)
            },
        )
    }

    fn online(&self, product: &Product, json: bool, out: &mut impl Write) -> Result<(), Failure> {
        let (start, end) = self.ends(product);
        let call = self.device(product).online().between(start, end);
        self.walk(
            "online",
            (start, end),
            call.sort(log::Sort::Asc).limit(1000).iter(),
            out,
            |event, out| {
                if json {
                    writeln!(out, "{}", to_json(&event))?;
                } else {
                    let detail = event.payload.as_ref().map(to_json).unwrap_or_default();
                    writeln!(
                        out,
                        "{}  {:13}  {}",
                        clock(event.timestamp),
                        event.kind.as_str(),
                        detail
                    )?;
                }
                Ok(event.timestamp)
            },
        )
    }

    /// Writes every record, tells how far it is, and says how to go on if it is interrupted.
    fn walk<T, W: Write>(
        &self,
        verb: &str,
        (start, end): (Timestamp, Timestamp),
        records: impl Iterator<Item = Result<T, gizwits_enterprise_client::Error>>,
        out: &mut W,
        mut write: impl FnMut(T, &mut W) -> io::Result<Timestamp>,
    ) -> Result<(), Failure> {
        let interrupted = interruption();
        let bar = progress(end.since(start));
        let (mut count, mut last) = (0_u64, None);
        let again = |last: Option<Timestamp>| match last {
            None => format!("gizwits device {verb} {} --since …", self.did),
            // The last one comes again: others may bear the same moment.
            Some(last) => format!("gizwits device {verb} {} --from {last}", self.did),
        };
        for record in records {
            let record = match record {
                Ok(record) => record,
                Err(error) => {
                    bar.finish_and_clear();
                    out.flush()?;
                    tell(format_args!("{count} records; to go on: {}", again(last)));
                    return Err(refused(&error));
                }
            };
            let at = write(record, out)?;
            (count, last) = (count + 1, Some(at));
            bar.set_position(at.since(start).as_secs());
            bar.set_message(format!("{count} records"));
            if interrupted.load(Ordering::Relaxed) {
                bar.finish_and_clear();
                out.flush()?;
                tell(format_args!(
                    "interrupted after {count} records; to go on: {}",
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
        Ok(())
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
    let mut seen = None;
    loop {
        let page = device
            .data()
            .limit(1)
            .send()
            .map_err(|error| refused(&error))?;
        if let Some(snapshot) = page.objects.into_iter().next()
            && seen != Some((snapshot.ts, snapshot.attrs.clone()))
        {
            if json {
                writeln!(out, "{}", to_json(&snapshot))?;
            } else {
                let told = changed(&definition, &snapshot.attrs, &mut last);
                writeln!(out, "{}  {}", clock(snapshot.ts), printable(&told))?;
            }
            out.flush()?;
            seen = Some((snapshot.ts, snapshot.attrs));
        }
        let began = Instant::now();
        while began.elapsed() < every {
            if interrupted.load(Ordering::Relaxed) {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(50).min(every));
        }
    }
}

/// A decoded frame for people: of a report what is new in it.
fn in_words(
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
            return format!("transparent  {}", payload::hex(data));
        }
        Content::P0(P0::Gateway { body, .. }) => return format!("gateway  {}", payload::hex(body)),
        Content::Body(body) => return format!("no data points  {}", payload::hex(body)),
    };
    let mut shown = Vec::new();
    let mut same = 0;
    for reading in view {
        let Some(attr) = definition.attr(reading.id()) else {
            continue;
        };
        let value = definition.show(reading);
        let known = action != "control" && last.get(attr.name()) == Some(&value);
        if known {
            same += 1;
        } else {
            shown.push(format!("{} {value}", attr.name()));
        }
        if action != "control" {
            last.insert(attr.name().to_owned(), value);
        }
    }
    told(action, &shown, same)
}

/// Values for people: those that are not as they were.
fn changed(
    definition: &gizwits_codec_std::Product,
    attrs: &Attrs,
    last: &mut BTreeMap<String, String>,
) -> String {
    let mut shown = Vec::new();
    let mut same = 0;
    for attr in definition.attrs() {
        let Some(value) = attrs.get(attr.name()).map(ToString::to_string) else {
            continue;
        };
        if last.get(attr.name()) == Some(&value) {
            same += 1;
        } else {
            shown.push(format!("{} {value}", attr.name()));
        }
        last.insert(attr.name().to_owned(), value);
    }
    told("", &shown, same)
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
