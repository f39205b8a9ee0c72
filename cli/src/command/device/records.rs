//! `gizwits device log`, `data` and `online`: records of devices in the cloud.

use clap::Args;
use gizwits_codec_std::payload;
use gizwits_enterprise_client::log::{Command, Connection, Snapshot};
use serde_json::json;

use super::export::{Export, Line, Source};
use crate::account::Cloud;
use crate::changes::Changes;
use crate::failure::Failure;
use crate::moment;
use crate::output::line::{Output, line};

#[derive(Args)]
#[command(after_help = moment::FORMS, after_long_help = format!("{}\n\n{EXAMPLES}", moment::FORMS))]
pub(super) struct LogRecords {
    #[command(flatten)]
    export: Export,
    /// Accept replies and reports of any length, and decode the points that are complete
    ///
    /// Differences from the definition are reported as `extra`, `missing` or `whole_body`.
    #[arg(long)]
    lax: bool,
}

#[derive(Args)]
#[command(after_help = moment::FORMS)]
pub(super) struct Records {
    #[command(flatten)]
    export: Export,
}

const EXAMPLES: &str = "\
Examples:
  gizwits device log DID --since 2h
  gizwits device log DID --since 7d > log.ndjson
  gizwits device log --all --checkpoint export.checkpoint -o export.ndjson";

impl LogRecords {
    pub(super) fn run(&self, cloud: &Cloud, output: &mut Output<'_>) -> Result<(), Failure> {
        let definition = self.export.definition(cloud)?;
        let (json, named) = form(&self.export, output);
        let lax = self.lax;
        let render = move |did: &str| {
            let (did, definition) = (did.to_owned(), definition.clone());
            let mut changes = Changes::new(&definition);
            let mut bytes = Vec::new();
            Box::new(move |record: &Command| {
                let (at, direction) = (record.timestamp, record.direction.as_str());
                let parsed = payload::parse_into(&record.payload, None, &mut bytes);
                let decoded = parsed.and_then(|()| match lax {
                    false => definition.decode(&bytes),
                    true => definition.lax().decode(&bytes),
                });
                let object = || {
                    let decoded = match &decoded {
                        Ok(decoded) => decoded.to_json(),
                        Err(error) => {
                            json!({"error": {"kind": error.kind, "message": error.message}})
                                .to_string()
                        }
                    };
                    let (at, did, payload) = (json!(at), json!(did), json!(record.payload));
                    let rest = decoded.strip_prefix('{').unwrap_or_default();
                    format!(
                        r#"{{"timestamp":{at},"type":"{direction}","did":{did},"payload":{payload},{rest}"#
                    )
                };
                let text = line(json, object, || {
                    let text = match &decoded {
                        Ok(decoded) => changes.of_frame(decoded),
                        Err(error) => format!("! {}", error.message),
                    };
                    format!("{at}  {}{direction:7}  {text}", name(named, &did))
                });
                Line { at, text }
            }) as super::export::Render<Command>
        };
        let source = Source {
            verb: "log",
            options: if lax { " --lax" } else { "" },
            call: |device| device.cmd_log().undecoded(),
            render: Box::new(render),
        };
        self.export.run(cloud, source, output)
    }
}

impl Records {
    pub(super) fn data(&self, cloud: &Cloud, output: &mut Output<'_>) -> Result<(), Failure> {
        let definition = self.export.definition(cloud)?;
        let (json, named) = form(&self.export, output);
        let render = move |did: &str| {
            let did = did.to_owned();
            let mut changes = Changes::new(&definition);
            Box::new(move |snapshot: &Snapshot| {
                let at = snapshot.ts;
                let text = line(
                    json,
                    || with_did(snapshot, &did),
                    || {
                        let changes = changes.of_attrs(&snapshot.attrs);
                        format!("{at}  {}{changes}", name(named, &did))
                    },
                );
                Line { at, text }
            }) as super::export::Render<Snapshot>
        };
        let source = Source {
            verb: "data",
            options: "",
            call: |device| device.data(),
            render: Box::new(render),
        };
        self.export.run(cloud, source, output)
    }

    pub(super) fn online(&self, cloud: &Cloud, output: &mut Output<'_>) -> Result<(), Failure> {
        let (json, named) = form(&self.export, output);
        let render = move |did: &str| {
            let did = did.to_owned();
            Box::new(move |event: &Connection| {
                let at = event.timestamp;
                let text = line(
                    json,
                    || with_did(event, &did),
                    || {
                        let detail = event.payload.as_ref();
                        let detail =
                            detail.map_or(String::new(), |detail| json!(detail).to_string());
                        let (name, kind) = (name(named, &did), event.kind.as_str());
                        format!("{at}  {name}{kind:13}  {detail}")
                            .trim_end()
                            .to_owned()
                    },
                );
                Line { at, text }
            }) as super::export::Render<Connection>
        };
        let source = Source {
            verb: "online",
            options: "",
            call: |device| device.online(),
            render: Box::new(render),
        };
        self.export.run(cloud, source, output)
    }
}

/// Whether records are JSON, and whether their text names the device.
fn form(export: &Export, output: &Output<'_>) -> (bool, bool) {
    (
        output.json || export.is_to_file(),
        export.has_many_devices(),
    )
}

/// The did at the beginning of a text, if there are several devices.
fn name(named: bool, did: &str) -> String {
    match named {
        true => format!("{did}  "),
        false => String::new(),
    }
}

/// The JSON of a record with the did of the device, so that files of several devices can be merged.
fn with_did(record: &impl serde::Serialize, did: &str) -> serde_json::Value {
    let mut record = json!(record);
    record["did"] = did.into();
    record
}
