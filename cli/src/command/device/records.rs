//! `gizwits device log`, `data` and `online`: records of a device in the cloud.

use std::io::{self, IsTerminal as _};
use std::sync::atomic::Ordering;
use std::time::Duration;

use clap::Args;
use gizwits_codec_std::payload;
use gizwits_enterprise_client::blocking::{Blocking, Device, Product};
use gizwits_enterprise_client::{Call, Timestamp, log};
use serde_json::json;

use super::changes::Changes;
use super::output::{Output, check_complete};
use crate::failure::Failure;
use crate::output::progress;
use crate::signals::interruption;
use crate::text::{counted, tell};

/// The time for which the cloud keeps records.
pub(super) const RETENTION: Duration = Duration::from_secs(7 * 86_400);

#[derive(Args)]
pub(super) struct LogRecords {
    #[command(flatten)]
    span: Span,
    /// Accept replies and reports of any length, and decode the points that are complete
    ///
    /// Differences from the definition are reported as `extra`, `missing` or `whole_body`.
    #[arg(long)]
    lax: bool,
}

#[derive(Args)]
pub(super) struct Span {
    /// The did of the device
    did: String,
    /// The time span up to now, such as 90m or 7d; the cloud keeps records for 7 days
    #[arg(long, value_name = "TIME", default_value = "1d", value_parser = humantime::parse_duration)]
    since: Duration,
    /// The time of the first record, such as 2026-01-31T07:37:23Z, instead of --since
    #[arg(long, value_name = "MOMENT", value_parser = moment, conflicts_with = "since")]
    from: Option<Timestamp>,
}

fn moment(text: &str) -> Result<Timestamp, String> {
    match text.parse::<jiff::Timestamp>() {
        Ok(moment) => Ok(moment.into()),
        Err(_) => Err("expected a time such as 2026-01-31T07:37:23Z".to_owned()),
    }
}

impl LogRecords {
    pub(super) fn run(&self, product: &Product, output: &mut Output<'_>) -> Result<(), Failure> {
        let definition = product.definition()?;
        let mut changes = Changes::new(&definition);
        let mut bytes = Vec::new();
        let call = self.span.device(product).cmd_log().undecoded();
        let verb = if self.lax { "log --lax" } else { "log" };
        self.span.write(product, verb, call, output, |record, output| {
            let (at, did) = (record.timestamp, &self.span.did);
            let direction = record.direction.as_str();
            let parsed = payload::parse_into(&record.payload, None, &mut bytes);
            let decoded = parsed.and_then(|()| match self.lax {
                false => definition.decode(&bytes),
                true => definition.lax().decode(&bytes),
            });
            let json = || {
                let decoded = match &decoded {
                    Ok(decoded) => decoded.to_json(),
                    Err(error) => {
                        json!({"error": {"kind": error.kind, "message": error.message}}).to_string()
                    }
                };
                let (at, did, payload) = (json!(at), json!(did), json!(record.payload));
                let rest = decoded.strip_prefix('{').unwrap_or_default();
                format!(
                    r#"{{"timestamp":{at},"type":"{direction}","did":{did},"payload":{payload},{rest}"#
                )
            };
            output.line(json, || {
                let text = match &decoded {
                    Ok(decoded) => changes.of_frame(decoded),
                    Err(error) => format!("! {}", error.message),
                };
                format!("{at}  {direction:7}  {text}")
            })?;
            Ok(at)
        })
    }
}

impl Span {
    fn device(&self, product: &Product) -> Device {
        product.device(self.did.as_str())
    }

    pub(super) fn data(&self, product: &Product, output: &mut Output<'_>) -> Result<(), Failure> {
        let definition = product.definition()?;
        let mut changes = Changes::new(&definition);
        let call = self.device(product).data();
        self.write(product, "data", call, output, |snapshot, output| {
            let ts = snapshot.ts;
            let text = || format!("{ts}  {}", changes.of_attrs(&snapshot.attrs));
            output.line(|| self.with_did(&snapshot), text)?;
            Ok(ts)
        })
    }

    pub(super) fn online(&self, product: &Product, output: &mut Output<'_>) -> Result<(), Failure> {
        let call = self.device(product).online();
        self.write(product, "online", call, output, |event, output| {
            let at = event.timestamp;
            let text = || {
                let detail = event.payload.as_ref();
                let detail = detail.map_or(String::new(), |detail| json!(detail).to_string());
                let line = format!("{at}  {:13}  {detail}", event.kind.as_str());
                line.trim_end().to_owned()
            };
            output.line(|| self.with_did(&event), text)?;
            Ok(at)
        })
    }

    /// The JSON of a record with the did of the device, so that files of several devices can be merged.
    fn with_did(&self, record: &impl serde::Serialize) -> serde_json::Value {
        let mut record = json!(record);
        record["did"] = self.did.as_str().into();
        record
    }

    /// Writes all records of the time span and shows a progress bar. After an interruption or error, prints the
    /// command that continues.
    fn write<T: log::Record>(
        &self,
        product: &Product,
        verb: &str,
        call: Call<Blocking, log::Log<T>>,
        output: &mut Output<'_>,
        mut write: impl FnMut(T, &mut Output<'_>) -> io::Result<Timestamp>,
    ) -> Result<(), Failure> {
        let now = product.enterprise().now();
        let start = match self.from {
            None => now.minus(self.since),
            // `from` may come from the message of an interrupted command, and records may have expired since then.
            Some(from) => from.max(now.minus(RETENTION)),
        };
        let call = call.between(start, now).sort(log::Sort::Asc).limit(1000);
        let interrupted = interruption();
        let bar = progress::of_time(now.since(start));
        let (mut count, mut last) = (0, None);
        let mut records = call.iter();
        let ended = records.by_ref().try_for_each(|record| {
            let at = write(record?, output)?;
            (count, last) = (count + 1, Some(at));
            bar.set_position(at.since(start).as_secs());
            bar.set_message(counted(count, "record"));
            match interrupted.load(Ordering::Relaxed) {
                true => Err(Failure::Interrupted),
                false => Ok(()),
            }
        });
        bar.finish_and_clear();
        output.out.flush()?;
        let total = counted(count, "record");
        match (ended, last) {
            (Ok(()), _) => {
                if io::stderr().is_terminal() {
                    tell(total);
                }
                check_complete(records.missing())
            }
            // The next command begins with the last record: other records may have the same timestamp.
            (Err(failure), Some(last)) => {
                let after = match failure {
                    Failure::Interrupted => "interrupted after ",
                    _ => "",
                };
                tell(format_args!(
                    "{after}{total}; to continue: {}{verb} {} --from {last}",
                    output.command, self.did
                ));
                Err(failure)
            }
            (ended, None) => ended,
        }
    }
}
