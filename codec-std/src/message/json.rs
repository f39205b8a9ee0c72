//! The JSON of decoded payloads and of points.

use std::io::Write as _;

use gizwits_codec_core::m2m::Event;
use gizwits_codec_core::{Decimal, P0, PointValue, Protocol, Raw, Value, View};

use super::decoded::{Content, Decoded};
use super::payload;
use crate::product::Product;
use crate::product::attr::Attr;

impl Decoded<'_, '_> {
    /// Writes the members `surplus_flags`, `whole_body`, `missing` and `extra`, each after a comma.
    #[inline(never)]
    pub(crate) fn write_remarks(&self, out: &mut Vec<u8>) {
        let mut lead = br#","surplus_flags":["#.as_slice();
        for bit in self.surplus_flags() {
            out.extend(lead);
            let _ = write!(out, "{bit}");
            lead = b",";
        }
        if lead == b"," {
            out.push(b']');
        }
        let Some(view) = self.own_view().filter(|view| !view.is_exact()) else {
            return;
        };
        if view.is_whole_body() {
            out.extend(br#","whole_body":true"#);
        }
        if view.missing() > 0 {
            let _ = write!(out, r#","missing":{}"#, view.missing());
        }
        if let extra @ [_, ..] = view.extra() {
            out.extend(br#","extra":"#);
            put_hex(out, "", extra);
        }
    }

    /// Returns the payload as one line of JSON. Members without a value are left out.
    ///
    /// | member | value |
    /// | --- | --- |
    /// | `frame` | `command`, `flag`, `sn` and `did` of the M2M frame |
    /// | `action` | `control`, `read`, `reply`, `report` or `transparent` |
    /// | `attrs` | the points of the message: a bool is 0 or 1, an enum its label, a number exact, a binary hex |
    /// | `flagged` | the rules that values break, by point |
    /// | `wanted` | the points that a read of a var_len product asks for |
    /// | `body` | the hex of bytes without points |
    /// | `mac`, `p0` | the MAC address and the message of a [`broadcast`](Self::broadcast) |
    /// | `surplus_flags` | the bits of the mask past the last point |
    /// | `whole_body` | true if the body has all points regardless of its mask ([`lax`](Product::lax) only) |
    /// | `missing` | the number of missing bytes ([`lax`](Product::lax) only) |
    /// | `extra` | the hex of bytes after the last point ([`lax`](Product::lax) only) |
    ///
    /// ```
    /// use gizwits_codec_std::Product;
    ///
    /// let definition = std::fs::read_to_string("../tests/fixtures/air-conditioner.json")?;
    /// let product = Product::from_json(&definition)?;
    /// let control = [0x01, 0x40, 0x00, 0x00, 0x00, 0x30];
    /// assert_eq!(
    ///     product.decode(&control)?.to_json(),
    ///     r#"{"action":"control","attrs":{"set_temp":48},"flagged":{"set_temp":"above_max"}}"#,
    /// );
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut out = Vec::new();
        self.write_json(&mut out);
        String::from_utf8(out).unwrap_or_default()
    }

    /// Appends the JSON of [`to_json`](Self::to_json) to a buffer. Does not allocate if the buffer is large
    /// enough.
    ///
    /// ```
    /// use gizwits_codec_std::Product;
    ///
    /// let definition = std::fs::read_to_string("../tests/fixtures/air-conditioner.json")?;
    /// let product = Product::from_json(&definition)?;
    /// let mut lines = Vec::new();
    /// for payload in [[0x02].as_slice(), &[0x01, 0x40, 0x00, 0x00, 0x00, 0x18]] {
    ///     product.decode(payload)?.write_json(&mut lines);
    ///     lines.push(b'\n');
    /// }
    /// assert_eq!(
    ///     String::from_utf8(lines)?,
    ///     "{\"action\":\"read\"}\n{\"action\":\"control\",\"attrs\":{\"set_temp\":24}}\n",
    /// );
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn write_json(&self, out: &mut Vec<u8>) {
        out.push(b'{');
        match self.envelope {
            Some(Event::Frame(frame)) => {
                let _ = write!(
                    out,
                    r#""frame":{{"command":"{:#06x}","flag":{}"#,
                    frame.command, frame.flag
                );
                if let Some(sn) = frame.sn {
                    let _ = write!(out, r#","sn":{sn}"#);
                }
                if let Some(did) = frame.did {
                    out.extend(br#","did":"#);
                    match std::str::from_utf8(did) {
                        Ok(did) => {
                            let _ = serde_json::to_writer(&mut *out, did);
                        }
                        Err(_) => put_hex(out, "0x", did),
                    }
                }
                out.extend(b"},");
            }
            Some(Event::Service { command }) => {
                let _ = write!(out, r#""frame":{{"command":"{command:#06x}"}},"#);
            }
            None => {}
        }
        self.write_content(out);
        out.push(b'}');
    }

    /// Writes all members after `frame`.
    pub(crate) fn write_content(&self, out: &mut Vec<u8>) {
        match self.content {
            Content::P0(P0::Control(view) | P0::Reply(view) | P0::Report(view)) => {
                out.extend(br#""action":""#);
                out.extend(self.action_word().as_bytes());
                out.extend(br#"","#);
                self.product.write_points(out, view);
            }
            Content::P0(P0::Read(wanted)) => {
                out.extend(br#""action":"read""#);
                if self.product.protocol() == Protocol::VarLen {
                    out.extend(br#","wanted":"#);
                    let attrs = wanted.ids().filter_map(|id| self.product.attr(id));
                    write_names(out, attrs);
                }
            }
            Content::P0(P0::Transparent { data, .. }) => {
                out.extend(br#""action":"transparent","body":"#);
                put_hex(out, "", data);
                if let Some(broadcast) = self.broadcast() {
                    let _ = write!(out, r#","mac":"{}","p0":"#, broadcast.mac());
                    broadcast.decoded.write_json(out);
                }
            }
            Content::P0(P0::Gateway { action, body }) => {
                let _ = write!(out, r#""body":"{action:02x}"#);
                payload::put_hex(out, body);
                out.push(b'"');
            }
            Content::Body(body) => {
                out.extend(br#""body":"#);
                put_hex(out, "", body);
            }
        }
        if self.has_remarks() {
            self.write_remarks(out);
        }
    }
}

impl Product {
    /// Writes `"attrs":{…}`, and `,"flagged":{…}` if values break the definition.
    pub(crate) fn write_points(&self, out: &mut Vec<u8>, view: View<'_, '_>) {
        out.extend(br#""attrs":{"#);
        let mut flagged = false;
        view.iter().for_each(|reading| {
            if let Some(attr) = self.attr(reading.id()) {
                out.extend(attr.key.as_bytes());
                write_value(out, attr, &reading);
                out.push(b',');
                flagged |= reading.flagged().is_some();
            }
        });
        close(out, b'}');
        if flagged {
            out.extend(br#","flagged":{"#);
            for reading in view {
                if let Some(kind) = reading.flagged()
                    && let Some(attr) = self.attr(reading.id())
                {
                    let _ = write!(out, r#"{}"{}","#, attr.key, kind.name());
                }
            }
            close(out, b'}');
        }
    }
}

fn write_value(out: &mut Vec<u8>, attr: &Attr, reading: &PointValue<'_, '_>) {
    match (reading.raw(), reading.value()) {
        (Raw::Bytes(bytes), _) => put_hex(out, "", bytes),
        (Raw::Number(raw), Value::Enum(_)) if let Some(label) = attr.rendered.get(raw as usize) => {
            out.extend(label.as_bytes());
        }
        (_, Value::Number(number)) => put_number(out, number),
        (Raw::Number(raw), _) => out.extend(itoa::Buffer::new().format(raw).as_bytes()),
    }
}

/// Writes a number as its `Display` does, in a fifth of the instructions.
fn put_number(out: &mut Vec<u8>, number: Decimal) {
    let number = number.normalized();
    if number.coefficient() < 0 {
        out.push(b'-');
    }
    let mut buffer = itoa::Buffer::new();
    let digits = buffer.format(number.coefficient().unsigned_abs());
    let decimals = usize::from(number.scale());
    match digits.len().checked_sub(decimals) {
        Some(whole @ 1..) => {
            let (whole, fraction) = digits.split_at(whole);
            out.extend(whole.as_bytes());
            if decimals > 0 {
                out.push(b'.');
                out.extend(fraction.as_bytes());
            }
        }
        _ => {
            out.extend(b"0.");
            out.resize(out.len() + (decimals - digits.len()), b'0');
            out.extend(digits.as_bytes());
        }
    }
}

/// Writes the names of attrs as a JSON list.
pub(crate) fn write_names<'p>(out: &mut Vec<u8>, attrs: impl Iterator<Item = &'p Attr>) {
    out.push(b'[');
    for attr in attrs {
        out.extend(attr.key.trim_end_matches(':').as_bytes());
        out.push(b',');
    }
    close(out, b']');
}

/// Closes an object or list. A comma after the last member is overwritten.
fn close(out: &mut Vec<u8>, end: u8) {
    match out.last_mut() {
        Some(comma @ b',') => *comma = end,
        _ => out.push(end),
    }
}

fn put_hex(out: &mut Vec<u8>, prefix: &str, bytes: &[u8]) {
    out.push(b'"');
    out.extend(prefix.as_bytes());
    payload::put_hex(out, bytes);
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_are_written_as_displayed(coefficient: i64, small in -1000_i64..1000, scale in 0_u8..=18) {
            for coefficient in [coefficient, small, 0] {
                let number = Decimal::new(coefficient, scale);
                let mut out = Vec::new();
                put_number(&mut out, number);
                prop_assert_eq!(String::from_utf8(out).unwrap(), number.to_string());
            }
        }
    }
}
