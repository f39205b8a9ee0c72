//! `gizwits device show`: one device and its last reported values.

use clap::Args;
use gizwits_codec_std::Attr;
use gizwits_enterprise_client::Timestamp;
use serde_json::{Value, json};

use super::status::Status;
use crate::account::Cloud;
use crate::changes::value_of;
use crate::failure::{Failure, refused};
use crate::output::line::Output;
use crate::output::table::table;
use crate::text::tell;

#[derive(Args)]
pub(super) struct Show {
    /// The did of the device
    did: String,
}

impl Show {
    pub(super) fn run(&self, cloud: &Cloud, output: &mut Output<'_>) -> Result<(), Failure> {
        let did = self.did.as_str();
        let search = cloud.devices().search().did(did).show_disabled(true);
        let page = search.send()?;
        let counted = page.total().unwrap_or(0).max(page.objects.len() as u64);
        // A server that doesn't know the filter returns other devices.
        let Some(device) = page
            .objects
            .into_iter()
            .find(|device| device.did.as_str() == did)
        else {
            let problem = match counted {
                0 => format!("the product has no device {did}"),
                _ => {
                    format!("the server counts {counted} devices for {did}, but did not return it")
                }
            };
            return Err(refused(format_args!("{problem}: see gizwits device list")));
        };
        let shown = json!(device);
        let definition = cloud.definition()?;
        // The server may refuse the logs of a product and still know its devices, so an error is reported after
        // the device.
        let last = Status::of(&cloud.device(did), definition.attrs().map(Attr::name));
        if output.json {
            let mut shown = json!({"device": shown, "last": null});
            match &last {
                Ok(None) => {}
                Ok(Some(last)) => shown["last"] = json!({"ts": last.ts, "attrs": last.attrs}),
                Err(error) => shown["last_error"] = error.json.clone(),
            }
            writeln!(output.out, "{shown}")?;
            last?;
            return Ok(());
        }
        let members = shown.as_object().into_iter().flatten();
        let rows = members.filter(|(_, value)| !value.is_null()).map(member);
        output.out.write_all(table(rows).as_bytes())?;
        let Some(Status { ts, attrs, .. }) = last? else {
            tell("no values: the device has not reported yet");
            return Ok(());
        };
        writeln!(output.out, "\nlast report at {ts}")?;
        let row = |attr: &Attr| {
            let value = attrs.get(attr.name())?;
            let title = match attr.display_name() {
                title if title == attr.name() => "",
                title => title,
            };
            Some([
                attr.name().to_owned(),
                title.to_owned(),
                value_of(attr, value),
            ])
        };
        let rows = table(definition.attrs().filter_map(row));
        Ok(output.out.write_all(rows.as_bytes())?)
    }
}

/// The row of a member: its name, and its value as text.
fn member((name, value): (&String, &Value)) -> [String; 2] {
    let text = || {
        value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned)
    };
    let moment = moment_of(name, value).map(|moment| moment.to_string());
    [name.clone(), moment.unwrap_or_else(text)]
}

/// The time that a member has, judged by its name, so that members that the client doesn't know are shown as
/// times as well.
fn moment_of(name: &str, value: &Value) -> Option<Timestamp> {
    let words = ["at", "ts", "time", "timestamp", "latest"];
    if !name.split('_').any(|word| words.contains(&word)) {
        return None;
    }
    let moment: Timestamp = serde_json::from_value(value.clone()).ok()?;
    match moment.seconds() {
        // Timestamps before 1973 are impossible, so the number counts something else.
        ..100_000_000 => None,
        // The number would be a year after 5000, so it counts milliseconds, as in the records of a log.
        millis @ 100_000_000_000.. => Some(Timestamp::from_millis(millis)),
        _ => Some(moment),
    }
}
