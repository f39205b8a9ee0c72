//! Payloads to JSON.

use std::fmt;
use std::io::Write as _;

use gizwits_codec_core::m2m::{self, Event};
use gizwits_codec_core::{Action, ErrorKind, Kind, P0, PointValue, Protocol, Raw, Value, View};

use crate::error::{Error, counted};
use crate::payload;
use crate::product::{Attr, Product};

/// A payload, taken apart; it borrows the product and the bytes.
#[derive(Clone, Copy, Debug)]
pub struct Decoded<'p, 'b> {
    pub(crate) product: &'p Product,
    /// The M2M frame or service message around it, if there was one.
    pub envelope: Option<Event<'b>>,
    /// What is in it.
    pub content: Content<'p, 'b>,
    /// The body of a reply or report that has remarks, where `content` has the points of a state.
    pub(crate) own: Option<&'b [u8]>,
}

/// What is in a payload.
#[derive(Clone, Copy, Debug)]
pub enum Content<'p, 'b> {
    /// A P0 of the product.
    P0(P0<'p, 'b>),
    /// The body of a frame that carries no P0.
    Body(&'b [u8]),
}

impl Product {
    /// Takes an M2M frame or a bare P0 apart: what begins with 00000003 is a frame.
    ///
    /// # Errors
    /// See [`Error::KINDS`]; `byte` counts from the first byte given.
    #[inline]
    pub fn decode<'p, 'b>(&'p self, bytes: &'b [u8]) -> Result<Decoded<'p, 'b>, Error> {
        self.any::<false>(bytes)
    }

    /// Takes a bare P0 apart.
    ///
    /// # Errors
    /// As for [`decode`](Self::decode).
    pub fn decode_p0<'p, 'b>(&'p self, bytes: &'b [u8]) -> Result<Decoded<'p, 'b>, Error> {
        self.p0::<false>(bytes)
    }

    /// Takes an M2M frame apart, and the P0 in it.
    ///
    /// # Errors
    /// As for [`decode`](Self::decode); bytes after the frame are `trailing`.
    pub fn decode_m2m<'p, 'b>(&'p self, bytes: &'b [u8]) -> Result<Decoded<'p, 'b>, Error> {
        self.m2m::<false>(bytes)
    }

    /// Returns a decoder that accepts replies and reports of any length.
    ///
    /// ```
    /// use gizwits_codec_std::Product;
    /// # let definition = std::fs::read_to_string("../tests/fixtures/air-conditioner.json")?;
    /// # let product = Product::from_json(&definition)?;
    ///
    /// // The status of this product has 7 bytes.
    /// let report = [0x04, 0x01, 0x00, 0x00, 0x10, 0x1e];
    /// assert_eq!(product.decode(&report).unwrap_err().kind, "incomplete");
    /// let decoded = product.lax().decode(&report)?;
    /// assert_eq!(decoded.view().map(|view| view.missing()), Some(2));
    /// assert!(decoded.to_json().ends_with(r#""set_temp":16,"room_temp":20},"missing":2}"#));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn lax(&self) -> Lax<'_> {
        Lax(self)
    }

    #[inline]
    fn any<'p, 'b, const LAX: bool>(&'p self, bytes: &'b [u8]) -> Result<Decoded<'p, 'b>, Error> {
        if let Some(status) = Status::of(self, bytes) {
            return Ok(status.decoded());
        }
        if bytes.starts_with(&m2m::PREFIX) {
            self.m2m::<LAX>(bytes)
        } else {
            self.p0::<LAX>(bytes)
        }
    }

    #[inline]
    fn parse<'p, 'b, const LAX: bool>(
        &'p self,
        p0: &'b [u8],
    ) -> Result<P0<'p, 'b>, gizwits_codec_core::Error> {
        match LAX {
            false => P0::parse(self.layout(), p0),
            true => P0::parse_lax(self.layout(), p0),
        }
    }

    fn p0<'p, 'b, const LAX: bool>(&'p self, bytes: &'b [u8]) -> Result<Decoded<'p, 'b>, Error> {
        match self.parse::<LAX>(bytes) {
            Ok(p0) => Ok(Decoded {
                product: self,
                envelope: None,
                content: Content::P0(p0),
                own: None,
            }),
            Err(error) => Err(self.explain_p0(error, bytes)),
        }
    }

    fn m2m<'p, 'b, const LAX: bool>(&'p self, bytes: &'b [u8]) -> Result<Decoded<'p, 'b>, Error> {
        let (event, rest) = m2m::parse(bytes, usize::MAX).map_err(|error| self.explain(error))?;
        let content = match event {
            // How long a service message is, its head doesn't say.
            Event::Service { .. } => Content::Body(rest),
            Event::Frame(_) if !rest.is_empty() => {
                let extra = u32::try_from(rest.len()).unwrap_or(u32::MAX);
                let end = bytes.len().saturating_sub(rest.len()) as u32;
                let kind = gizwits_codec_core::ErrorKind::Trailing { extra };
                return Err(self.explain(gizwits_codec_core::Error::new(kind).at(end)));
            }
            Event::Frame(frame) => match frame.p0() {
                Some(p0) => Content::P0(self.parse::<LAX>(p0).map_err(|error| {
                    self.explain_p0(
                        error.behind(bytes.len().saturating_sub(p0.len()) as u32),
                        p0,
                    )
                })?),
                None => Content::Body(frame.body),
            },
        };
        Ok(Decoded {
            product: self,
            envelope: Some(event),
            content,
            own: None,
        })
    }
}

/// Decodes payloads whose replies and reports have any length, for devices that send more or less than
/// their definition has. [`Product::lax`] makes it.
///
/// Points that are whole are decoded. [`View::missing`], [`View::extra`] and [`View::is_whole_body`]
/// tell what differs, and so does [`Decoded::to_json`]. Frames, controls and reads are held to their
/// lengths.
#[derive(Clone, Copy, Debug)]
pub struct Lax<'p>(&'p Product);

impl<'p> Lax<'p> {
    /// Like [`Product::decode`].
    ///
    /// # Errors
    /// As for [`Product::decode`], but for the length of a reply or report.
    pub fn decode<'b>(self, bytes: &'b [u8]) -> Result<Decoded<'p, 'b>, Error> {
        self.0.any::<true>(bytes)
    }

    /// Like [`Product::decode_p0`].
    ///
    /// # Errors
    /// As for [`decode`](Self::decode).
    pub fn decode_p0<'b>(self, bytes: &'b [u8]) -> Result<Decoded<'p, 'b>, Error> {
        self.0.p0::<true>(bytes)
    }

    /// Like [`Product::decode_m2m`].
    ///
    /// # Errors
    /// As for [`decode`](Self::decode).
    pub fn decode_m2m<'b>(self, bytes: &'b [u8]) -> Result<Decoded<'p, 'b>, Error> {
        self.0.m2m::<true>(bytes)
    }
}

/// What nearly all frames are: a reply or report with all points of a standard product, without did
/// and sn.
#[derive(Clone, Copy, Debug)]
pub struct Status<'p, 'b> {
    product: &'p Product,
    command: u8,
    action: u8,
    body: &'b [u8],
}

impl<'p, 'b> Status<'p, 'b> {
    /// `None` if the bytes are anything else, which says nothing against them.
    #[inline(always)]
    pub(crate) fn of(product: &'p Product, bytes: &'b [u8]) -> Option<Self> {
        let (len, command, body) = match *bytes {
            [0, 0, 0, 3, len @ ..0x80, 0, 0, command, ref body @ ..] => {
                (usize::from(len), command, body)
            }
            [0, 0, 0, 3, low, high @ ..0x80, 0, 0, command, ref body @ ..] if low >= 0x80 => {
                let len = usize::from(high) << 7 | usize::from(low & 0x7f);
                (len, command, body)
            }
            _ => return None,
        };
        let &[action @ (3 | 4), ref values @ ..] = body else {
            return None;
        };
        (matches!(command, 0x90 | 0x91)
            && len == body.len() + 3
            && values.len() == product.layout().status_len()
            && product.protocol() == Protocol::Standard)
            .then_some(Status {
                product,
                command,
                action,
                body,
            })
    }

    /// Whether it is a reply, not a report.
    #[inline]
    #[must_use]
    pub fn is_reply(&self) -> bool {
        self.action == 3
    }

    /// The bytes of the points.
    #[inline]
    #[must_use]
    pub fn values(&self) -> &'b [u8] {
        self.body.get(1..).unwrap_or(&[])
    }

    /// The same as any other payload.
    #[must_use]
    pub fn decoded(&self) -> Decoded<'p, 'b> {
        let view = self.product.layout().view_lax(self.values());
        Decoded {
            product: self.product,
            envelope: Some(Event::Frame(m2m::Frame {
                flag: 0,
                command: self.command.into(),
                sn: None,
                did: None,
                body: self.body,
            })),
            content: Content::P0(match self.is_reply() {
                true => P0::Reply(view),
                false => P0::Report(view),
            }),
            own: None,
        }
    }
}

/// The status that a device broadcasts by UDP: a transparent payload of its MAC address and a whole
/// reply or report. [`Decoded::broadcast`] finds it.
#[derive(Clone, Copy, Debug)]
pub struct Broadcast<'p, 'b> {
    /// The MAC address.
    pub mac: [u8; 6],
    /// The reply or report behind it.
    pub decoded: Decoded<'p, 'b>,
}

impl Broadcast<'_, '_> {
    /// Returns the MAC address as text: `aa:bb:cc:dd:ee:ff`.
    pub fn mac(&self) -> impl fmt::Display {
        let [a, b, c, d, e, f] = self.mac;
        fmt::from_fn(move |to| write!(to, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{f:02x}"))
    }
}

impl<'p, 'b> Decoded<'p, 'b> {
    /// The action, if it is one with data points.
    #[must_use]
    pub fn action(&self) -> Option<Action> {
        match self.content {
            Content::P0(P0::Control(_)) => Some(Action::Control),
            Content::P0(P0::Read { .. }) => Some(Action::Read),
            Content::P0(P0::Reply(_)) => Some(Action::Reply),
            Content::P0(P0::Report(_)) => Some(Action::Report),
            _ => None,
        }
    }

    /// The points of a control, reply or report.
    #[must_use]
    pub fn view(&self) -> Option<View<'p, 'b>> {
        match self.content {
            Content::P0(P0::Control(view) | P0::Reply(view) | P0::Report(view)) => Some(view),
            _ => None,
        }
    }

    /// The status that a transparent payload from a device holds, if it is one: six bytes and a reply
    /// or report that is exactly right for the product.
    #[must_use]
    pub fn broadcast(&self) -> Option<Broadcast<'p, 'b>> {
        let Content::P0(P0::Transparent {
            from_device: true,
            data,
        }) = self.content
        else {
            return None;
        };
        let (mac, p0) = data.split_first_chunk()?;
        let p0 = P0::parse(self.product.layout(), p0).ok()?;
        matches!(p0, P0::Reply(_) | P0::Report(_)).then_some(Broadcast {
            mac: *mac,
            decoded: Decoded {
                product: self.product,
                envelope: None,
                content: Content::P0(p0),
                own: None,
            },
        })
    }

    /// The points of the message itself, whatever is known of its device.
    #[inline]
    fn own_view(&self) -> Option<View<'p, 'b>> {
        match self.own {
            Some(body) => Some(self.product.layout().view_lax(body)),
            None => self.view(),
        }
    }

    /// The bytes of a reply or report behind its action.
    #[cfg(feature = "log")]
    pub(crate) fn body_of(&self, bytes: &'b [u8]) -> Option<&'b [u8]> {
        let p0 = match self.envelope {
            Some(Event::Frame(frame)) => frame.p0(),
            _ => Some(bytes),
        };
        p0?.get(1..)
    }

    /// The bits of a mask that are set past the last point, ascending: they belong to no point.
    pub fn surplus_flags(&self) -> impl Iterator<Item = u16> {
        let view = self.own_view().map(|view| view.surplus_flags());
        let read = match self.content {
            Content::P0(P0::Read(wanted)) => Some(wanted.surplus_flags()),
            _ => None,
        };
        view.into_iter().flatten().chain(read.into_iter().flatten())
    }

    /// Whether the body of a reply or report is just as long as its points need; only
    /// [`lax`](Product::lax) decodes others.
    #[inline]
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.own_view().is_none_or(|view| view.is_exact())
    }

    /// What was set aside to decode it, in words: surplus flags, and what is missing or extra.
    #[must_use]
    pub fn remarks(&self) -> Vec<String> {
        let mut told = Vec::new();
        let bits = runs(self.surplus_flags());
        if !bits.is_empty() {
            told.push(format!("flags past the last point: {bits}"));
        }
        if let Some(view) = self.own_view() {
            let bytes = |count: usize| match count {
                1 => "1 byte".to_owned(),
                _ => format!("{count} bytes"),
            };
            if view.is_whole_body() {
                told.push("the body has all points, whatever its mask".to_owned());
            }
            if view.missing() > 0 {
                told.push(format!("missing: {}", bytes(view.missing())));
            }
            if let extra @ [_, ..] = view.extra() {
                told.push(format!(
                    "extra: {}, {}",
                    bytes(extra.len()),
                    payload::hex(extra)
                ));
            }
        }
        told
    }

    /// Whether [`write_remarks`](Self::write_remarks) has anything to write.
    #[inline]
    pub(crate) fn has_remarks(&self) -> bool {
        match &self.content {
            Content::P0(P0::Control(view) | P0::Reply(view) | P0::Report(view)) => {
                // Standard messages have no mask; most messages end here.
                let masked = self.product.protocol() == Protocol::VarLen;
                self.own.is_some()
                    || !view.is_exact()
                    || masked && view.surplus_flags().next().is_some()
            }
            Content::P0(P0::Read(wanted)) => wanted.surplus_flags().next().is_some(),
            _ => false,
        }
    }

    /// The members `surplus_flags`, `whole_body`, `missing` and `extra`, each behind a comma.
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

    /// One line of JSON: `{"frame":…,"action":…,"attrs":…,"flagged":…,"wanted":…,"body":…}`, without
    /// the members that are not there. Behind these stand `surplus_flags`, the bits of a mask that belong
    /// to no point; of what [`lax`](Product::lax) decodes `whole_body`, `missing` (bytes) and `extra`
    /// (hex); of a [`broadcast`](Self::broadcast) `mac` and `p0`, its reply or report.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut out = Vec::new();
        self.write_json(&mut out);
        String::from_utf8(out).unwrap_or_default()
    }

    /// Appends what [`to_json`](Self::to_json) returns: no allocation once the buffer is large
    /// enough.
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

    /// The members behind the frame.
    pub(crate) fn write_content(&self, out: &mut Vec<u8>) {
        match self.content {
            Content::P0(P0::Control(view)) => {
                out.extend(br#""action":"control","#);
                self.product.write_points(out, view);
            }
            Content::P0(P0::Reply(view)) => {
                out.extend(br#""action":"reply","#);
                self.product.write_points(out, view);
            }
            Content::P0(P0::Report(view)) => {
                out.extend(br#""action":"report","#);
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
    /// `"attrs":{…}`, and `,"flagged":{…}` where something is.
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
        (Raw::Number(raw), Value::Enum(_)) => match attr.rendered.get(raw as usize) {
            Some(label) => out.extend(label.as_bytes()),
            None => put_number(out, raw),
        },
        (Raw::Number(raw), Value::Number(number)) => {
            if number.scale() == 0 && number.coefficient() == i64::from(raw) {
                put_number(out, raw);
            } else {
                let _ = write!(out, "{number}");
            }
        }
        (Raw::Number(raw), _) => put_number(out, raw),
        (Raw::Bytes(bytes), _) => put_hex(out, "", bytes),
    }
}

/// Ascending numbers in words: `4, 12 to 15`.
pub(crate) fn runs(numbers: impl Iterator<Item = u16>) -> String {
    let mut runs: Vec<(u16, u16)> = Vec::new();
    for number in numbers {
        match runs.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(number) => *last = number,
            _ => runs.push((number, number)),
        }
    }
    let run = |(first, last): &(u16, u16)| match first == last {
        true => first.to_string(),
        false => format!("{first} to {last}"),
    };
    runs.iter().map(run).collect::<Vec<_>>().join(", ")
}

/// The names of attrs as a list.
pub(crate) fn write_names<'p>(out: &mut Vec<u8>, attrs: impl Iterator<Item = &'p Attr>) {
    out.push(b'[');
    for attr in attrs {
        out.extend(attr.key.trim_end_matches(':').as_bytes());
        out.push(b',');
    }
    close(out, b']');
}

/// Closes an object or list whose last member may have left a comma.
fn close(out: &mut Vec<u8>, end: u8) {
    match out.last_mut() {
        Some(comma @ b',') => *comma = end,
        _ => out.push(end),
    }
}

fn put_number(out: &mut Vec<u8>, number: u32) {
    let _ = write!(out, "{number}");
}

fn put_hex(out: &mut Vec<u8>, prefix: &str, bytes: &[u8]) {
    out.push(b'"');
    out.extend(prefix.as_bytes());
    payload::put_hex(out, bytes);
    out.push(b'"');
}

impl Product {
    /// The value of a reading in words, for people: a label, a number, hex.
    #[must_use]
    pub fn show(&self, reading: PointValue<'_, '_>) -> String {
        match (reading.value(), self.attr(reading.id())) {
            (Value::Bool(on), _) => if on { "on" } else { "off" }.to_owned(),
            (Value::Enum(index), attr) => attr
                .and_then(|attr| attr.labels().get(index as usize).cloned())
                .unwrap_or_else(|| index.to_string()),
            (Value::Number(number), _) => number.to_string(),
            (Value::Binary(bytes), _) => payload::hex(bytes),
        }
    }

    /// What the definition doesn't foresee about a value, in words: `above its maximum (16..30, step 1)`.
    #[must_use]
    pub fn odd(&self, reading: PointValue<'_, '_>) -> Option<String> {
        let range = self.range(reading.id());
        Some(match reading.flagged()? {
            ErrorKind::PastLabels => "past its labels".to_owned(),
            ErrorKind::BelowMin => format!("below its minimum ({range})"),
            _ => format!("above its maximum ({range})"),
        })
    }

    /// The range and step of a point's values in words: `16..30, step 1`; the labels of an enum.
    #[must_use]
    pub fn range(&self, id: gizwits_codec_core::PointId) -> String {
        let layout = self.layout();
        let (Some(attr), Some(scale), Some((min, max))) =
            (self.attr(id), layout.scale(id), layout.limits(id))
        else {
            return String::new();
        };
        match attr.point().kind {
            Kind::Bool => "on or off".to_owned(),
            Kind::Enum { .. } => {
                let shown: Vec<&str> = attr.labels().iter().map(String::as_str).take(12).collect();
                let dots = if attr.labels().len() > 12 {
                    ", …"
                } else {
                    ""
                };
                format!("{}{dots}", shown.join(", "))
            }
            Kind::Binary => counted(max as usize, "byte"),
            _ => {
                let (low, high) = (scale.value(min), scale.value(max));
                format!("{low}..{high}, step {}", scale.ratio())
            }
        }
    }
}
