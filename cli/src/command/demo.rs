//! `gizwits demo`: a device controlled and read back, without an account.

use std::io::Write;
use std::time::{Duration, Instant};

use clap::Args;
use gizwits_codec_std::{Action, Product, payload};
use gizwits_enterprise_client::blocking::{Device, Enterprise};
use gizwits_enterprise_client::log::Command;
use gizwits_enterprise_client::{Attrs, Error};
use gizwits_simulator::{Options, Server, Simulator};
use serde_json::json;

use crate::command::simulate::failed;
use crate::failure::Failure;
use crate::text::{counted, printable};

/// Control a simulated air conditioner by the Enterprise API, and read its frames back
#[derive(Args)]
#[command(after_help = "\
Everything happens on this machine: the API is simulated, the device too; the frames are real.

Example:
  gizwits demo")]
pub(crate) struct Demo {}

/// How long the device may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

impl Demo {
    pub(crate) fn run(&self, out: &mut impl Write) -> Result<(), Failure> {
        let simulator = Simulator::builder().build().map_err(failed)?;
        let server = Server::start(simulator, Options::default()).map_err(failed)?;
        let credentials = server.simulator().credentials().map_err(failed)?;
        let first = credentials.first();
        let Some((one, did)) = first.and_then(|one| Some((one, one.dids.first()?))) else {
            return Err(Failure::Usage("error: the world has no device".to_owned()));
        };
        let (address, name) = (server.address(), &one.product_name);
        let enterprise = Enterprise::builder()
            .id(one.enterprise_id.as_str())
            .secret(one.enterprise_secret.as_str())
            .base_url(server.url())
            .no_proxy()
            .build();
        let product = enterprise
            .map_err(told)?
            .product(one.product_key.as_str(), one.product_secret.as_str());
        let device = product.device(did.as_str());
        step(
            out,
            1,
            &format!("simulator on {address}, product \"{name}\", device {did}"),
        )?;

        let definition = product.definition().map_err(told)?;
        let (points, len) = (definition.attrs().len(), definition.layout().status_len());
        let about = format!(
            "{}, {} of status",
            counted(points, "point"),
            counted(len, "byte")
        );
        step(out, 2, &format!("{:28}{about}", "GET datapoint"))?;

        let before = latest(&device)?;
        let about = state(&definition, &before);
        step(out, 3, &format!("{:28}{about}", "GET data (latest)"))?;

        // Something else than what it is now.
        let was = before.get("set_temp").and_then(|value| value.as_f64());
        let set_temp = if was == Some(24.0) { 26 } else { 24 };
        let attrs = json!({"set_temp": set_temp});
        let mut control = definition.message(Action::Control);
        let p0 = control
            .set_json(&attrs.to_string())
            .and_then(|()| control.encode())
            .map_err(|error| Failure::Usage(format!("error: {error}")))?;
        device.control(&attrs).send().map_err(told)?;
        let p0: Vec<String> = p0.iter().map(|byte| format!("{byte:02x}")).collect();
        let about = format!("{attrs}  ->  {}", p0.join(" "));
        step(out, 4, &format!("{:28}{about}", "POST control"))?;

        let records = answered(&device, set_temp)?;
        step(out, 5, "GET cmd")?;
        for record in &records {
            let (action, attrs) = match &record.decoded {
                Some(Ok(message)) => (message.action(), message.attrs()),
                _ => (None, None),
            };
            let action = match action {
                Some(Action::Control) => "control",
                Some(Action::Read) => "read",
                Some(Action::Reply) => "reply",
                Some(Action::Report) => "report",
                None => "?",
            };
            let told = attrs.cloned().unwrap_or_default();
            let same = told
                .iter()
                .filter(|(name, value)| before.get(*name) == Some(value))
                .count();
            let mut new = told.clone();
            new.retain(|name, value| before.get(name) != Some(value));
            let more = match same {
                0 => String::new(),
                _ => format!(", and {same} as they were"),
            };
            let attrs = state(&definition, &new) + &more;
            writeln!(
                out,
                "     {}  {:7}  {}\n         {action}: {attrs}",
                record.timestamp,
                record.direction.as_str(),
                grouped(&record.payload),
            )?;
        }

        let after = latest(&device)?;
        step(
            out,
            6,
            &format!("{:28}{}", "GET data (latest)", state(&definition, &after)),
        )?;
        let shown = |attrs: &Attrs| attrs.get("set_temp").map(ToString::to_string);
        let (was, is) = (shown(&before), shown(&after));
        if is != Some(set_temp.to_string()) {
            let message = "error: the device did not do as it was told";
            return Err(Failure::Usage(message.to_owned()));
        }
        let (was, is) = (was.unwrap_or_default(), is.unwrap_or_default());
        let next = "a world of your own: gizwits simulate";
        step(
            out,
            7,
            &format!("{:28}{next}", format!("set_temp was {was}, is {is}")),
        )?;
        server.stop();
        Ok(())
    }
}

fn step(out: &mut impl Write, number: u32, text: &str) -> std::io::Result<()> {
    writeln!(out, "{number}  {text}")?;
    out.flush()
}

fn told(error: Error) -> Failure {
    Failure::Usage(format!("error: {}", printable(&error.to_string())))
}

/// The values that the device reported last.
fn latest(device: &Device) -> Result<Attrs, Failure> {
    let page = device.data().limit(1).send().map_err(told)?;
    let first = page.objects.into_iter().next();
    Ok(first.map(|snapshot| snapshot.attrs).unwrap_or_default())
}

/// The records from the last control to the report that says that it was obeyed, oldest first.
fn answered(device: &Device, set_temp: u32) -> Result<Vec<Command>, Failure> {
    let is = |record: &Command, action: Action| {
        let message = record
            .decoded
            .as_ref()
            .and_then(|decoded| decoded.as_ref().ok());
        message.is_some_and(|message| {
            let attrs = message.attrs();
            message.action() == Some(action)
                && attrs.is_some_and(|attrs| attrs.get("set_temp") == Some(&set_temp.into()))
        })
    };
    let began = Instant::now();
    loop {
        let mut records = device.cmd_log().limit(10).send().map_err(told)?.objects;
        let control = records
            .iter()
            .position(|record| is(record, Action::Control));
        records.truncate(control.map_or(0, |control| control + 1));
        if records.iter().any(|record| is(record, Action::Report)) {
            records.reverse();
            return Ok(records);
        }
        if began.elapsed() > PATIENCE {
            let message = "error: the device has not answered within ten seconds";
            return Err(Failure::Usage(message.to_owned()));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Values in the order of the ids: bools as on and off.
fn state(definition: &Product, attrs: &Attrs) -> String {
    let shown = definition.attrs().filter_map(|attr| {
        let value = attrs.get(attr.name())?;
        Some(match value.as_bool() {
            Some(on) if attr.is_bool() => {
                format!("{} {}", attr.name(), if on { "on" } else { "off" })
            }
            _ => format!("{} {value}", attr.name()),
        })
    });
    let shown: Vec<String> = shown.collect();
    printable(&shown.join(", ")).into_owned()
}

/// A frame with its P0 set apart.
fn grouped(hex: &str) -> String {
    let p0 = payload::parse(hex, None).ok().and_then(|bytes| {
        use gizwits_codec_std::core::m2m::{Event, parse};
        match parse(&bytes, usize::MAX) {
            Ok((Event::Frame(frame), _)) => frame.p0().map(<[u8]>::len),
            _ => None,
        }
    });
    match p0.and_then(|len| hex.split_at_checked(hex.len().checked_sub(2 * len)?)) {
        Some((head, p0)) => format!("{head} {p0}"),
        None => hex.to_owned(),
    }
}
