//! The changes that a record of a device brings, for people.

use std::collections::BTreeMap;

use gizwits_codec_std::core::P0;
use gizwits_codec_std::{Content, Decoded, Product, payload};
use gizwits_enterprise_client::Attrs;

/// The values that were shown last.
pub(super) struct Changes<'d> {
    definition: &'d Product,
    last: BTreeMap<String, String>,
}

impl<'d> Changes<'d> {
    pub(super) fn new(definition: &'d Product) -> Self {
        let last = BTreeMap::new();
        Changes { definition, last }
    }

    /// Describes a decoded frame: of a report the changes, and what was set aside to decode it.
    pub(super) fn of_frame(&mut self, decoded: &Decoded<'_, '_>) -> String {
        let mut text = self.of_content(decoded);
        for remark in decoded.remarks() {
            text += &format!("  ! {remark}");
        }
        text
    }

    fn of_content(&mut self, decoded: &Decoded<'_, '_>) -> String {
        let (action, view) = match decoded.content {
            Content::P0(P0::Control(view)) => ("control", view),
            Content::P0(P0::Reply(view)) => ("reply", view),
            Content::P0(P0::Report(view)) => ("report", view),
            Content::P0(P0::Read { .. }) => return "read".to_owned(),
            Content::P0(P0::Transparent { data, .. }) => {
                return match decoded.broadcast() {
                    // It may be another device's, so nothing is compared.
                    Some(broadcast) => {
                        let status = Changes::new(self.definition).of_frame(&broadcast.decoded);
                        format!("transparent  MAC address {}  {status}", broadcast.mac())
                    }
                    None => format!("transparent  {}", payload::hex(data)),
                };
            }
            Content::P0(P0::Gateway { body, .. }) => {
                return format!("gateway  {}", payload::hex(body));
            }
            Content::Body(body) => return format!("no data points  {}", payload::hex(body)),
        };
        let definition = self.definition;
        let values = view.iter().filter_map(|reading| {
            let attr = definition.attr(reading.id())?;
            Some((attr.name(), definition.show(reading)))
        });
        // A control asks for values; the others report them.
        match action {
            "control" => Changes::new(definition).of_values(action, values),
            _ => self.of_values(action, values),
        }
    }

    /// Describes reported values.
    pub(super) fn of_attrs(&mut self, attrs: &Attrs) -> String {
        let values = self.definition.attrs().filter_map(|attr| {
            let value = attrs.get(attr.name())?;
            Some((attr.name(), value.to_string()))
        });
        self.of_values("", values)
    }

    /// The values that differ from the last ones, which they become.
    fn of_values<'n>(
        &mut self,
        action: &str,
        values: impl Iterator<Item = (&'n str, String)>,
    ) -> String {
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
        let gap = if action.is_empty() { "" } else { "  " };
        format!("{action}{gap}{}", shown.join(", "))
    }
}
