//! `gizwits device control`: points set, and the device's report awaited.

use std::thread::sleep;
use std::time::{Duration, Instant};

use clap::Args;
use gizwits_codec_std::{Action, Error};
use gizwits_enterprise_client::blocking::Device;
use gizwits_enterprise_client::{Attrs, Message, Timestamp};
use serde_json::json;

use super::status::Status;
use crate::account::{self, Cloud};
use crate::failure::{Failure, refused_value, usage};
use crate::output::line::Output;
use crate::text::{printable, tell};

#[derive(Args)]
pub(super) struct Control {
    /// The did of the device
    did: String,
    /// Values to set, in the syntax of `gizwits encode`
    #[arg(value_name = "NAME=VALUE", required_unless_present = "values_json")]
    values: Vec<String>,
    /// Values to set as a JSON object, in the conventions of the API, such as '{"set_temp":24}'
    #[arg(long = "values", value_name = "OBJECT", conflicts_with = "values")]
    values_json: Option<String>,
    /// Print the request as a curl command instead of sending it; the definition is still fetched
    #[arg(long)]
    curl: bool,
    /// Wait for up to 10 seconds until the device reports these values
    ///
    /// If the device does not report the values, the command fails.
    #[arg(long, conflicts_with = "curl")]
    wait: bool,
}

/// The time that --wait gives a device to report the values.
const PATIENCE: Duration = Duration::from_secs(10);

impl Control {
    pub(super) fn run(&self, cloud: &Cloud, output: &mut Output<'_>) -> Result<(), Failure> {
        let wanted = cloud.checked(|definition| self.wanted(definition))?;
        let device = cloud.device(self.did.as_str());
        let call = device.control(&wanted);
        if self.curl {
            writeln!(output.out, "{}", call.curl()?)?;
            return Ok(());
        }
        let wanted_json = json!(wanted);
        if !self.wait {
            call.send()?;
            let text = || format!("sent {wanted_json}; use --wait to see whether the device obeys");
            return Ok(output.line(|| json!({"sent": wanted_json}), text)?);
        }
        let before = status_before(&device, &wanted);
        // The client knows the server's clock to the second, so reports of the second before count as well.
        let sent = cloud.now()?.minus(Duration::from_secs(1));
        call.send()?;
        let reported = self.wait_for(&device, &wanted, &before, sent)?;
        let text = || match reported {
            Some(moment) => format!("{moment} reported: {wanted_json}"),
            None => format!("unchanged: {wanted_json}"),
        };
        let json = || json!({"sent": wanted_json, "reported_at": reported});
        Ok(output.line(json, text)?)
    }

    /// Encodes the values and decodes them again, so that they compare equal with the values of a report.
    fn wanted(&self, definition: &gizwits_codec_std::Product) -> Result<Attrs, Failure> {
        let not_allowed = |error: Error| refused_value(&error, &printable(&error.message));
        let mut message = definition.message(Action::Control);
        for given in &self.values {
            let Some((name, value)) = given.split_once('=') else {
                return Err(usage(format_args!("`{given}` is no NAME=VALUE")));
            };
            message.set_word(name, value).map_err(not_allowed)?;
        }
        if let Some(object) = &self.values_json {
            message.set_json(object).map_err(|error| match error.kind {
                "json" => usage(format_args!("--values: {}", error.message)),
                _ => not_allowed(error),
            })?;
        }
        let p0 = message.encode().map_err(not_allowed)?;
        let message = Message::decode(definition, &p0).map_err(not_allowed)?;
        Ok(message.attrs().cloned().unwrap_or_default())
    }

    /// Waits until the device has reported the values. Returns the time of the report, or `None` if the values
    /// were the wanted ones `before` the control: then no report may come.
    fn wait_for(
        &self,
        device: &Device,
        wanted: &Attrs,
        before: &Attrs,
        sent: Timestamp,
    ) -> Result<Option<Timestamp>, Failure> {
        let is_status = |action| matches!(action, Some(Action::Report | Action::Reply));
        let holds =
            |state: &Attrs| (wanted.iter()).all(|(name, value)| state.get(name) == Some(value));
        let began = Instant::now();
        let mut unread = None;
        while began.elapsed() < PATIENCE {
            let page = device.cmd_log().limit(50).send().map_err(|error| {
                let error = account::explained(&error);
                Failure::Server(format!(
                    "sent, but the log of the device can't be read, so the result is unknown\n{error}"
                ))
            })?;
            let (mut state, mut reported) = (before.clone(), None);
            // The newest record is the first of a page.
            let records = page.objects.into_iter().rev();
            for record in records.filter(|record| record.timestamp >= sent) {
                match record.decoded {
                    Some(Ok(message)) if is_status(message.action()) => {
                        state.extend(message.attrs().cloned().unwrap_or_default());
                        reported = Some(record.timestamp);
                    }
                    Some(Err(error)) => unread = Some((record.timestamp, error)),
                    _ => {}
                }
            }
            if holds(&state) {
                return Ok(reported);
            }
            sleep(Duration::from_millis(500));
        }
        let did = &self.did;
        let mut text = format!(
            "error: sent, but {did} has not reported the values within 10 seconds\n  a later report \
             is shown by: gizwits device log {did}"
        );
        if let Some((at, error)) = unread {
            let message = printable(&error.message);
            text += &format!("\n  a frame of {at} can't be read: {message}");
        }
        Err(Failure::Server(text))
    }
}

/// The values before the control. A var_len device reports only points that change, so points that already
/// have the wanted value are found here and not in a report.
fn status_before(device: &Device, wanted: &Attrs) -> Attrs {
    let status = Status::of(device, wanted.keys().map(String::as_str)).unwrap_or_else(|error| {
        let warning = error.explained.replacen("error: ", "warning: ", 1);
        tell(format_args!(
            "{warning}\n  the current values are unknown: if a point already has this value, --wait may time out"
        ));
        None
    });
    status.map(|status| status.attrs).unwrap_or_default()
}
