//! `gizwits device show`.

use std::io::Write;

use gizwits_enterprise_client::Timestamp;
use gizwits_enterprise_client::blocking::Product;
use serde_json::{Value, json};

use super::answers::to_json;
use super::status::{Known, all_of, known};
use crate::account::refused;
use crate::failure::Failure;
use crate::output::table::table;
use crate::text::{printable, tell};

pub(crate) fn show(
    product: &Product,
    did: &str,
    json: bool,
    out: &mut impl Write,
) -> Result<(), Failure> {
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
            let shown = moment_of(&name, &value).map(|moment| moment.to_string());
            let text = || value.as_str().map_or(value.to_string(), str::to_owned);
            rows.push([name, shown.unwrap_or_else(text)]);
        }
    }
    table(out, &rows)?;
    match last {
        Err(error) => return Err(error.failure()),
        Ok(None) => tell(format_args!("no values: it has not reported any")),
        Ok(Some(Known { ts, attrs, .. })) => {
            writeln!(out, "\nreported last at {}", ts)?;
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
pub(crate) fn moment_of(name: &str, value: &Value) -> Option<Timestamp> {
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
