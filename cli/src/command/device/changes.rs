//! What is new in a record of a device, in words.

use std::collections::BTreeMap;

use gizwits_codec_std::core::P0;
use gizwits_codec_std::{Content, Decoded, payload};
use gizwits_enterprise_client::Attrs;

/// A decoded frame for people: of a report what is new in it; what was set aside to decode it.
pub(crate) fn in_words(
    definition: &gizwits_codec_std::Product,
    decoded: &Decoded<'_, '_>,
    last: &mut BTreeMap<String, String>,
) -> String {
    let mut told = content_in_words(definition, decoded, last);
    for remark in decoded.remarks() {
        told += &format!("  ! {remark}");
    }
    told
}

pub(crate) fn content_in_words(
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
            return match decoded.broadcast() {
                // It may be another device's: nothing is new or old in it.
                Some(broadcast) => {
                    let status = in_words(definition, &broadcast.decoded, &mut BTreeMap::new());
                    format!("transparent  MAC address {}  {status}", broadcast.mac())
                }
                None => format!("transparent  {}", payload::hex(data)),
            };
        }
        Content::P0(P0::Gateway { body, .. }) => return format!("gateway  {}", payload::hex(body)),
        Content::Body(body) => return format!("no data points  {}", payload::hex(body)),
    };
    let values = view.iter().filter_map(|reading| {
        let attr = definition.attr(reading.id())?;
        Some((attr.name(), definition.show(reading)))
    });
    // A control asks; what is, is in the others.
    news(action, values, (action != "control").then_some(last))
}

/// The values of a report for people.
pub(crate) fn changed(
    definition: &gizwits_codec_std::Product,
    attrs: &Attrs,
    last: &mut BTreeMap<String, String>,
) -> String {
    let values = definition.attrs().filter_map(|attr| {
        let value = attrs.get(attr.name())?;
        Some((attr.name(), value.to_string()))
    });
    news("", values, Some(last))
}

/// Values for people: those that are not as they were last, which then are; all of them without a last.
pub(crate) fn news<'n>(
    action: &str,
    values: impl Iterator<Item = (&'n str, String)>,
    mut last: Option<&mut BTreeMap<String, String>>,
) -> String {
    let mut shown = Vec::new();
    let mut same = 0;
    for (name, value) in values {
        if last.as_ref().and_then(|last| last.get(name)) == Some(&value) {
            same += 1;
            continue;
        }
        shown.push(format!("{name} {value}"));
        if let Some(last) = &mut last {
            last.insert(name.to_owned(), value);
        }
    }
    told(action, &shown, same)
}

pub(crate) fn told(action: &str, shown: &[String], same: usize) -> String {
    let gap = if action.is_empty() { "" } else { "  " };
    let shown = shown.join(", ");
    match (shown.is_empty(), same) {
        (_, 0) => format!("{action}{gap}{shown}"),
        (true, same) => format!("{action}{gap}{same} as before"),
        (false, same) => format!("{action}{gap}{shown}, {same} as before"),
    }
}
