//! The JSON of decoded payloads and of points.

use std::io::Write as _;

use gizwits_codec_core::m2m::Event;
use gizwits_codec_core::{Decimal, P0, PointValue, Protocol, Raw, Value, View};

use super::decoded::{Content, Decoded};
use super::description::Description;
use super::payload;
use crate::product::Product;
use crate::product::attr::Attr;
use crate::product::text_plan::Written;
use crate::text;
use crate::text::cursor::{Cursor, STEP};

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
            put_hex(out, extra);
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
    /// | `message` | the [`Description`] of a frame without a P0: `type` and fields |
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
        // Writing takes room for the longest message, which a caller that keeps many texts does not need.
        out.shrink_to_fit();
        String::from_utf8(out).unwrap_or_default()
    }

    /// Appends the JSON of [`to_json`](Self::to_json) to a buffer. Does not allocate if the buffer has room for the longest
    /// message of the product, except for the first message of a product, for which it prepares the texts of its points.
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
        if let Some(event) = self.envelope {
            put_envelope(out, event);
        }
        self.write_content(out);
        out.push(b'}');
    }

    /// Writes all members after `frame`.
    pub(crate) fn write_content(&self, out: &mut Vec<u8>) {
        match self.content {
            Content::P0(P0::Control(view) | P0::Reply(view) | P0::Report(view)) => {
                out.extend(br#""action":""#);
                out.extend(self.action_name().as_bytes());
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
                put_hex(out, data);
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
                let description = match &self.envelope {
                    Some(Event::Frame(frame)) => Description::of_m2m(frame),
                    _ => None,
                };
                put_body(out, description.as_ref(), body);
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
        if !self.write_planned_points(out, &view) {
            self.write_any_points(out, view);
        }
    }

    /// Writes the same as [`write_points`](Self::write_points) by the text plan of the product. Writes nothing and
    /// returns false if the plan does not have all texts.
    fn write_planned_points(&self, out: &mut Vec<u8>, view: &View<'_, '_>) -> bool {
        let plan = self.json_plan();
        let start = out.len();
        if plan.max_len > LONGEST {
            return false;
        }
        let most = plan.max_len + plan.flags_len;
        out.resize(start + most + 2 * STEP + Cursor::SPARE, 0);
        let room = out.get_mut(start..).unwrap_or(&mut []);
        let mut room = Cursor { room, len: 0 };
        room.put_prefix(b"\"attrs\":", 8);
        let bracket = room.len;
        let points = plan.put_view(view, &mut room);
        room.close_object(bracket, b"}");
        if let Written::Flagged(first, last) = points {
            room.len = plan.put_flags((first, last), view.values(), room.lend());
        }
        let written = room.written().filter(|_| points != Written::Partly);
        out.truncate(start + written.unwrap_or(0));
        written.is_some()
    }

    /// Writes the same as [`write_points`](Self::write_points), point by point.
    #[inline(never)]
    fn write_any_points(&self, out: &mut Vec<u8>, view: View<'_, '_>) {
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

/// The maximum length of the points by the text plan, in bytes: all of them are cleared first, so a product with very
/// long labels is faster point by point.
const LONGEST: usize = 1 << 16;

/// Appends the member `frame` of an M2M frame, and a comma.
#[inline]
pub(crate) fn put_envelope(out: &mut Vec<u8>, envelope: Event<'_>) {
    match envelope {
        Event::Frame(frame) => {
            put_command(out, frame.command);
            out.extend_from_slice(br#","flag":"#);
            put_integer(out, frame.flag.into());
            if let Some(sn) = frame.sn {
                out.extend_from_slice(br#","sn":"#);
                put_integer(out, sn);
            }
            if let Some(did) = frame.did {
                out.extend(br#","did":"#);
                let _ = serde_json::to_writer(&mut *out, &text::did(did));
            }
            out.extend(b"},");
        }
        Event::Service { command } => {
            put_command(out, command);
            out.extend_from_slice(b"},");
        }
    }
}

/// Appends the members `message` and `body` of a frame without a P0.
pub(crate) fn put_body(out: &mut Vec<u8>, description: Option<&Description>, body: &[u8]) {
    if let Some(description) = description {
        out.extend(br#""message":"#);
        description.write_json(out);
        out.push(b',');
    }
    out.extend(br#""body":"#);
    put_hex(out, body);
}

/// Appends `"frame":{"command":"0x0091"`.
fn put_command(out: &mut Vec<u8>, command: u16) {
    let digits = [12, 8, 4, 0].map(|shift| b"0123456789abcdef"[usize::from(command >> shift & 15)]);
    out.extend_from_slice(br#""frame":{"command":"0x"#);
    out.extend_from_slice(&digits);
    out.push(b'"');
}

fn put_integer(out: &mut Vec<u8>, number: u32) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

fn write_value(out: &mut Vec<u8>, attr: &Attr, reading: &PointValue<'_, '_>) {
    match (reading.raw(), reading.value()) {
        (Raw::Bytes(bytes), _) => put_hex(out, bytes),
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

fn put_hex(out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(b'"');
    payload::put_hex(out, bytes);
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use gizwits_codec_core::{Action, Encoder, Kind};
    use proptest::prelude::*;

    fn fixtures() -> Vec<Product> {
        let folder = std::fs::read_dir("../tests/fixtures").unwrap();
        let products: Vec<Product> = folder
            .map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap())
            .filter_map(|definition| Product::from_json(&definition).ok())
            .collect();
        assert!(products.len() > 15);
        products
    }

    /// A message of any points with any valid values, of which some bits may then be wrong.
    fn payload(
        product: &Product,
        action: Action,
        (all, random, wrong): (bool, &[u32], u32),
    ) -> Option<Vec<u8>> {
        let layout = product.layout();
        let mut buffer = vec![0; layout.p0_len(action)];
        let mut encoder = Encoder::begin(layout, action, &mut buffer).ok()?;
        for (attr, random) in product.attrs().zip(random.iter().cycle()) {
            let (min, max) = layout.limits(attr.id())?;
            let number = ((u64::from(*random) * 0x9e37_79b9) >> 7) % (u64::from(max - min) + 1);
            if all || random % 3 == 0 {
                let binary = vec![*random as u8; max as usize % 1000];
                let _ = match attr.point().kind {
                    Kind::Binary => encoder.set(attr.id(), Value::Binary(&binary)),
                    _ => encoder.set_raw(attr.id(), min + number as u32),
                };
            }
        }
        let mut payload = encoder.finish().to_vec();
        let at = wrong as usize >> 8;
        if wrong % 4 == 0 {
            let len = payload.len();
            payload[at % len] ^= 1 << (wrong >> 2 & 7);
        }
        Some(payload)
    }

    /// The text of a short message takes no more memory than its bytes, whatever the longest message would take.
    #[test]
    fn texts_have_no_spare_memory() {
        let mut short = 0;
        for product in fixtures() {
            let Some(payload) = payload(&product, Action::Report, (false, &[3, 1, 1, 1], 1)) else {
                continue;
            };
            let decoded = product.decode(&payload).unwrap();
            let texts = [decoded.to_json(), product.state().to_json()];
            for json in texts {
                assert!(
                    json.capacity() < json.len() + 64,
                    "{json}: {}",
                    json.capacity()
                );
            }
            short += 1;
        }
        assert!(short > 10);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn the_text_plan_writes_what_is_written_point_by_point(
            random in proptest::collection::vec(any::<u32>(), 1..100),
            actions in any::<[u8; 4]>(),
            wrong: u32,
            cut in 0_usize..8,
        ) {
            for product in fixtures() {
                for (n, action) in [Action::Control, Action::Reply, Action::Report].into_iter().enumerate() {
                    let all = actions[n] % 2 == 0;
                    let Some(mut payload) = payload(&product, action, (all, &random, wrong)) else {
                        continue;
                    };
                    if cut == 0 {
                        payload.pop();
                    }
                    let Ok(decoded) = product.decode(&payload) else {
                        continue;
                    };
                    let mut out = b"before".to_vec();
                    decoded.write_json(&mut out);
                    let json = decoded.to_json();
                    prop_assert_eq!(&out[6..], json.as_bytes());
                    let (mut one, mut other) = (b"x".to_vec(), Vec::new());
                    let Some(view) = decoded.view() else {
                        continue;
                    };
                    product.write_any_points(&mut other, view);
                    let flagged = view.iter().any(|reading| reading.flagged().is_some());
                    let planned = product.write_planned_points(&mut one, &view);
                    prop_assert!(planned || flagged);
                    prop_assert_eq!(&one[1..], if planned { &other[..] } else { b"" });
                }
            }
        }

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
