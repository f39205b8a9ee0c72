//! `gizwits device log`, `data` and `online`: the records of a device.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal as _, Write};
use std::sync::atomic::Ordering;
use std::time::Duration;

use clap::Args;
use gizwits_codec_std::payload;
use gizwits_enterprise_client::blocking::{Blocking, Device, Product};
use gizwits_enterprise_client::{Call, Timestamp, log};
use serde_json::json;

use super::answers::{KEPT, all_came, of_device, to_json};
use super::changes::{changed, in_words};
use crate::account::refused;
use crate::failure::Failure;
use crate::output::progress;
use crate::signals::interruption;
use crate::text::{counted, printable, tell};

#[derive(Args)]
pub(crate) struct Span {
    /// The device
    did: String,
    /// How far back; the cloud keeps seven days
    #[arg(long, value_name = "TIME", default_value = "1d", value_parser = humantime::parse_duration)]
    since: Duration,
    /// From this moment on, as the output writes it, instead
    #[arg(long, value_name = "MOMENT", value_parser = moment, conflicts_with = "since")]
    from: Option<Timestamp>,
}

pub(crate) fn moment(text: &str) -> Result<Timestamp, String> {
    let moment: jiff::Timestamp = text
        .parse()
        .map_err(|_| "a moment is written 2026-01-31T07:37:23Z".to_owned())?;
    Ok(Timestamp::from_millis(moment.as_millisecond()))
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

    pub(super) fn log(
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
                        at,
                        record.direction.as_str(),
                        printable(&told)
                    )?;
                }
                Ok(at)
            },
        )
    }

    pub(super) fn data(
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
                    writeln!(out, "{}  {}", snapshot.ts, printable(&told))?;
                }
                Ok(snapshot.ts)
            },
        )
    }

    pub(super) fn online(
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
                    let line = format!("{}  {:13}  {detail}", event.timestamp, event.kind.as_str());
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
        let bar = progress::of_time(end.since(start));
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
