//! `gizwits demo`: controls a simulated device and reads its frames, without an account.

use std::io::Write;
use std::time::Duration;

use clap::Args;
use gizwits_codec_std::core::m2m::{self, Event};
use gizwits_codec_std::{Action, Product, payload};
use gizwits_enterprise_client::Attrs;
use gizwits_enterprise_client::blocking::{Device, Enterprise};
use gizwits_enterprise_client::log::Command;
use gizwits_simulator::{Options, Server, Simulator};
use serde_json::json;

use crate::failure::{Failure, usage};
use crate::text::{counted, printable};

/// Control a simulated air conditioner through the Enterprise API and show the frames
#[derive(Args)]
#[command(after_help = "\
The demo needs no account and no network: this process simulates the API and the device. The frames
are those of real devices.

Example:
  gizwits demo")]
pub(crate) struct Demo {}

/// The number of times that the log is read until the device has answered: for ten seconds in total.
const ATTEMPTS: u32 = 200;
/// The pause between two reads of the log.
const PAUSE: Duration = Duration::from_millis(50);

impl Demo {
    pub(crate) fn run(&self, out: &mut impl Write) -> Result<(), Failure> {
        let simulator = Simulator::builder().build().map_err(usage)?;
        let server = Server::start(simulator, Options::default()).map_err(usage)?;
        let credentials = server.simulator().credentials().map_err(usage)?;
        let mut devices = credentials
            .iter()
            .flat_map(|one| one.dids.iter().map(move |did| (one, did)));
        let Some((one, did)) = devices.next() else {
            return Err(usage("the built-in scenario has no device"));
        };
        let (address, name) = (server.address(), &one.product_name);
        let enterprise = Enterprise::builder()
            .id(one.enterprise_id.as_str())
            .secret(one.enterprise_secret.as_str())
            .base_url(server.url())
            .no_proxy()
            .build();
        let product = enterprise
            .map_err(usage)?
            .product(one.product_key.as_str(), one.product_secret.as_str());
        let device = product.device(did.as_str());
        let about = format!("simulator on {address}, product \"{name}\", device {did}");
        step(out, 1, &about, "")?;

        let definition = product.definition().map_err(usage)?;
        let points = counted(definition.attrs().len(), "point");
        let bytes = counted(definition.layout().status_len(), "byte");
        let about = format!("{points}, {bytes} of status");
        step(out, 2, "GET datapoint", &about)?;

        let before = latest(&device)?;
        step(out, 3, "GET data (latest)", &state(&definition, &before))?;

        // The demo shows a change, so the new value differs from the present one.
        let was = before.get("set_temp").and_then(|value| value.as_f64());
        let set_temp = if was == Some(24.0) { 26 } else { 24 };
        let attrs = json!({"set_temp": set_temp});
        let mut control = definition.message(Action::Control);
        let p0 = control
            .set_json(&attrs.to_string())
            .and_then(|()| control.encode())
            .map_err(usage)?;
        device.control(&attrs).send().map_err(usage)?;
        let p0: Vec<String> = p0.iter().map(|byte| format!("{byte:02x}")).collect();
        let about = format!("{attrs}  ->  {}", p0.join(" "));
        step(out, 4, "POST control", &about)?;

        let records = answered(&device, set_temp)?;
        step(out, 5, "GET cmd", "")?;
        for record in &records {
            writeln!(out, "{}", described(record, &definition, &before))?;
        }

        let after = latest(&device)?;
        step(out, 6, "GET data (latest)", &state(&definition, &after))?;
        let shown = |attrs: &Attrs| attrs.get("set_temp").map(ToString::to_string);
        let (was, is) = (shown(&before).unwrap_or_default(), set_temp.to_string());
        if shown(&after).as_ref() != Some(&is) {
            return Err(usage("the device did not apply the control"));
        }
        let change = format!("set_temp was {was}, is {is}");
        step(out, 7, &change, "a world of your own: gizwits simulate")?;
        server.stop();
        Ok(())
    }
}

/// The action and the values of a record, if its frame was decoded.
fn points(record: &Command) -> Option<(Action, &Attrs)> {
    let message = record.decoded.as_ref()?.as_ref().ok()?;
    Some((message.action()?, message.attrs()?))
}

/// Describes a record of the log: its frame, and the values that differ from `before`.
fn described(record: &Command, definition: &Product, before: &Attrs) -> String {
    let (time, direction) = (record.timestamp, record.direction.as_str());
    let frame = format!("     {time}  {direction:7}  {}", grouped(&record.payload));
    let Some((action, attrs)) = points(record) else {
        return frame;
    };
    let mut new = attrs.clone();
    new.retain(|name, value| before.get(name) != Some(value));
    let more = match attrs.len() - new.len() {
        0 => String::new(),
        same => format!(", and {same} as they were"),
    };
    let action = format!("{action:?}").to_lowercase();
    format!(
        "{frame}\n         {action}: {}{more}",
        state(definition, &new)
    )
}

/// Prints one numbered step of the demo.
fn step(out: &mut impl Write, number: u32, what: &str, about: &str) -> std::io::Result<()> {
    writeln!(out, "{}", format!("{number}  {what:28}{about}").trim_end())?;
    out.flush()
}

/// Requests the values that the device reported last.
fn latest(device: &Device) -> Result<Attrs, Failure> {
    let page = device.data().limit(1).send().map_err(usage)?;
    let first = page.objects.into_iter().next();
    Ok(first.map(|snapshot| snapshot.attrs).unwrap_or_default())
}

/// Waits until the device reports the value of the control. Returns the records from that control on, oldest
/// first.
fn answered(device: &Device, set_temp: u32) -> Result<Vec<Command>, Failure> {
    let is = |record: &Command, action: Action| {
        points(record).is_some_and(|(of, attrs)| {
            of == action && attrs.get("set_temp") == Some(&set_temp.into())
        })
    };
    for _ in 0..ATTEMPTS {
        let mut records = device.cmd_log().limit(10).send().map_err(usage)?.objects;
        let control = records
            .iter()
            .position(|record| is(record, Action::Control));
        records.truncate(control.map_or(0, |control| control + 1));
        if records.iter().any(|record| is(record, Action::Report)) {
            records.reverse();
            return Ok(records);
        }
        std::thread::sleep(PAUSE);
    }
    Err(usage("the device did not answer within ten seconds"))
}

/// The values as text, in the order of point ids. Bools are on or off.
fn state(definition: &Product, attrs: &Attrs) -> String {
    let shown = definition.attrs().filter_map(|attr| {
        let (name, value) = (attr.name(), attrs.get(attr.name())?);
        Some(match value.as_bool().filter(|_| attr.is_bool()) {
            Some(true) => format!("{name} on"),
            Some(false) => format!("{name} off"),
            None => format!("{name} {value}"),
        })
    });
    let shown: Vec<String> = shown.collect();
    printable(&shown.join(", ")).into_owned()
}

/// The hex of a frame, with a space before its P0.
fn grouped(hex: &str) -> String {
    let bytes = payload::parse(hex, None).unwrap_or_default();
    if let Ok((Event::Frame(frame), _)) = m2m::parse(&bytes, usize::MAX)
        && let Some(p0) = frame.p0()
        && let Some(head) = bytes.strip_suffix(p0)
    {
        return format!("{} {}", payload::hex(head), payload::hex(p0));
    }
    hex.to_owned()
}
