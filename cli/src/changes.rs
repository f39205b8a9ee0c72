//! Records of a device as text for people, with the values that changed.

use std::collections::BTreeMap;

use gizwits_codec_std::{Attr, Decoded, Product, payload};
use gizwits_enterprise_client::{AttrValue, Attrs};

use crate::payload::action_and_body;

/// The values of the records so far. A record is compared with them.
pub(crate) struct Changes {
    definition: Product,
    last: BTreeMap<String, String>,
}

impl Changes {
    pub(crate) fn new(definition: &Product) -> Self {
        Changes {
            definition: definition.clone(),
            last: BTreeMap::new(),
        }
    }

    /// Describes a decoded frame: its action, its values or bytes, and what is wrong with it. Of a report or
    /// reply, only values that changed are named.
    pub(crate) fn of_frame(&mut self, decoded: &Decoded<'_, '_>) -> String {
        let definition = &self.definition.clone();
        let (action, body) = action_and_body(decoded);
        let values = decoded.view().into_iter().flatten().filter_map(|reading| {
            let attr = definition.attr(reading.id())?;
            Some((attr.name(), definition.show(reading)))
        });
        let content = match (decoded.broadcast(), body) {
            // The broadcast may come from another device, so its values are not compared.
            (Some(broadcast), _) => {
                let status = Changes::new(definition).of_frame(&broadcast.decoded);
                format!("MAC address {}  {status}", broadcast.mac())
            }
            (None, Some(body)) => payload::hex(body),
            // A control has the values that somebody wants. All are named, and none is remembered.
            (None, None) if action == "control" => Changes::new(definition).of_values(values),
            (None, None) => self.of_values(values),
        };
        let mut text = format!("{action}  {content}").trim_end().to_owned();
        for remark in decoded.remarks() {
            text += &format!("  ! {remark}");
        }
        text
    }

    /// Describes the values of a report, as far as they changed.
    pub(crate) fn of_attrs(&mut self, attrs: &Attrs) -> String {
        let definition = self.definition.clone();
        let values = definition.attrs().filter_map(|attr| {
            let value = attrs.get(attr.name())?;
            Some((attr.name(), value_of(attr, value)))
        });
        self.of_values(values)
    }

    /// Lists the values that differ from the last ones, and remembers them.
    fn of_values<'n>(&mut self, values: impl Iterator<Item = (&'n str, String)>) -> String {
        let mut shown = Vec::new();
        let mut same = 0;
        for (name, value) in values {
            if self.last.get(name) == Some(&value) {
                same += 1;
                continue;
            }
            shown.push(format!("{name} {value}"));
            self.last.insert(name.to_owned(), value);
        }
        if same > 0 {
            shown.push(format!("{same} as before"));
        }
        shown.join(", ")
    }
}

/// A value as text: `on` or `off` for a bool, the label of an enum.
pub(crate) fn value_of(attr: &Attr, value: &AttrValue) -> String {
    if let Some(on) = value.as_bool().filter(|_| attr.is_bool()) {
        return if on { "on" } else { "off" }.to_owned();
    }
    // Servers may send the index of a label.
    let index = value
        .json()
        .as_u64()
        .and_then(|index| usize::try_from(index).ok());
    let label = index.and_then(|index| attr.labels().get(index));
    label.map_or_else(|| value.to_string(), Clone::clone)
}
