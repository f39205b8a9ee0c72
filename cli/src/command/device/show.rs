//! `gizwits device show`.

use clap::Args;
use gizwits_codec_std::Attr;
use gizwits_enterprise_client::Timestamp;
use gizwits_enterprise_client::blocking::Product;
use serde_json::{Value, json};

use super::answer::Answer;
use super::status::Status;
use crate::failure::{Failure, refused};
use crate::output::table::table;
use crate::text::tell;

#[derive(Args)]
pub(super) struct Show {
    /// The device
    did: String,
}

impl Show {
    pub(super) fn run(&self, product: &Product, answer: &mut Answer<'_>) -> Result<(), Failure> {
        let did = self.did.as_str();
        let search = product.devices().search().did(did).show_disabled(true);
        let page = search.send()?;
        let counted = page.total().unwrap_or(0).max(page.objects.len() as u64);
        // A server that doesn't know of the filter gives others.
        let Some(found) = page.objects.into_iter().find(|one| one.did.as_str() == did) else {
            let told = match counted {
                0 => format!("the product has no device {did}"),
                _ => format!("asked for {did}, the server counts {counted} and didn't give it"),
            };
            return Err(refused(format_args!("{told}: gizwits device list")));
        };
        let shown = json!(found);
        let definition = product.definition()?;
        // The logs of a published product are closed; the device is known all the same.
        let last = Status::of(&product.device(did), definition.attrs().map(Attr::name));
        if answer.json {
            let mut shown = json!({"device": shown, "last": null});
            match &last {
                Ok(None) => {}
                Ok(Some(last)) => shown["last"] = json!({"ts": last.ts, "attrs": last.attrs}),
                Err(error) => shown["last_error"] = error.json.clone(),
            }
            writeln!(answer.out, "{shown}")?;
            last?;
            return Ok(());
        }
        let members = shown.as_object().into_iter().flatten();
        let rows = members.filter(|(_, value)| !value.is_null()).map(member);
        answer.out.write_all(table(rows).as_bytes())?;
        let Some(Status { ts, attrs, .. }) = last? else {
            tell("no values: it has not reported any");
            return Ok(());
        };
        writeln!(answer.out, "\nreported last at {ts}")?;
        let row = |attr: &Attr| Some([attr.name().to_owned(), attrs.get(attr.name())?.to_string()]);
        let rows = table(definition.attrs().filter_map(row));
        Ok(answer.out.write_all(rows.as_bytes())?)
    }
}

/// A member of an answer, with its value for people.
fn member((name, value): (&String, &Value)) -> [String; 2] {
    let text = || {
        value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned)
    };
    let moment = moment_of(name, value).map(|moment| moment.to_string());
    [name.clone(), moment.unwrap_or_else(text)]
}

/// The moment that a member of an answer tells, by its name: also one that the client doesn't know.
fn moment_of(name: &str, value: &Value) -> Option<Timestamp> {
    let words = ["at", "ts", "time", "timestamp", "latest"];
    if !name.split('_').any(|word| words.contains(&word)) {
        return None;
    }
    let moment: Timestamp = serde_json::from_value(value.clone()).ok()?;
    match moment.seconds() {
        // Until 1973 it counts something else.
        ..100_000_000 => None,
        // From here on milliseconds are counted, as in the records of a log.
        millis @ 100_000_000_000.. => Some(Timestamp::from_millis(millis)),
        _ => Some(moment),
    }
}
