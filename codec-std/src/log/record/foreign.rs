//! Records in the forms of other programs: pushes of the cloud, captures of MQTT, and packets of tshark.
//!
//! Only lines that the strict reader refuses, or that have a topic, get here. The forms are:
//!
//! ```text
//! {"cmd":"s2c_raw","data":{"did":…,"raw":[4,1,0]}}
//! {"cmd":"event_push","event_type":"device_status_raw","did":…,"created_at":…,"data":"BAEA"}
//! {"cmd":"event_push","event_type":"device_status_raw","did":…,"created_at":…,"data":{"raw":"BAEA"}}
//! {"device_status_raw":"BAEA"}   {"payload_bin":"000000…"}   {"payload":[4,1,0]}
//! {"body":"{\"objects\":[{\"payload\":…},…]}"}
//! {"topic":"dev2app/<did>","payload":…}
//! {"timestamp":"1517384252294","layers":{"tcp":{"tcp_tcp_payload":"00:00:00:03:…"}}}
//! {"_source":{"layers":{"frame":{"frame.time_epoch":…},"tcp":{"tcp.payload":"00:00:00:03:…"}}}}
//! ```

use std::borrow::Cow;
use std::fmt;

use gizwits_codec_core::m2m;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::Members;
use super::packet::{Packet, time};
use super::reader::repeated;
use super::timestamp::Timestamp;
use crate::capture::{M2mStream, Piece};
use crate::error::Error;
use crate::message::payload::{self, Encoding};

/// The number of JSON texts in JSON texts, and of objects in objects, that are looked into.
const DEPTH: usize = 8;

/// Reads a line of one of these forms. `None` if the line has another form. A line without a payload, such as the packet of
/// an acknowledgement, has no records.
///
/// Payloads that are no text become text of `encoding`, so that the decoder of records reads them.
pub(crate) fn read(line: &str, encoding: Option<Encoding>) -> Option<Found> {
    let mut found = Found {
        encoding,
        ..Found::default()
    };
    match Packet::read(line) {
        Some(packet) => found.packet(&packet),
        None => {
            let value = found.json(line)?;
            found.value(&value, DEPTH);
        }
    }
    if let Some(name) = found.twice.take() {
        found.records.clear();
        found.errors = vec![(Position::ONLY, repeated(&name))];
    }
    let times = found
        .records
        .iter()
        .filter_map(|(members, _)| members.timestamp.as_deref());
    if let Some(error) = times.map(Timestamp::new).find_map(Result::err) {
        found.records.clear();
        found.errors = vec![(Position::ONLY, error)];
    }
    found.is_known.then_some(found)
}

/// The device and direction that an MQTT topic names: `dev2app/<did>` or `app2dev/<did>/<client>`.
pub(crate) fn topic_parts(topic: &str) -> Option<(&str, &str)> {
    let (kind, rest) = topic.split_once('/')?;
    let did = rest.split('/').next().filter(|did| !did.is_empty())?;
    matches!(kind, "dev2app" | "app2dev").then_some((kind, did))
}

/// The records of a line, and the errors of the bytes that are none.
#[derive(Default)]
pub(crate) struct Found {
    pub(crate) records: Vec<(Members<'static>, Position)>,
    pub(crate) errors: Vec<(Position, Error)>,
    encoding: Option<Encoding>,
    /// Whether a part of the line has one of the forms.
    is_known: bool,
    /// The name of a member that an object has twice. Packets of tshark have such members on purpose.
    twice: Option<String>,
}

/// The number of a payload, from 1, and the number of all payloads of its line.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position(usize, usize);

impl Position {
    /// The position of the only payload of a line.
    const ONLY: Position = Position(1, 1);

    /// Returns an error that names the payload, if the line has several.
    pub(crate) fn name(self, mut error: Error) -> Error {
        if self.1 > 1 {
            let Position(number, all) = self;
            error.message = format!("payload {number} of {all}: {}", error.message);
        }
        error
    }
}

/// The names of payloads, in the order in which they are looked for.
const PAYLOADS: [&str; 4] = ["payload", "payload_bin", "device_status_raw", "raw"];

/// The names of members around payloads.
const CONTAINERS: [&str; 3] = ["data", "body", "objects"];

/// The names of times, in the order in which they are looked for.
const TIMES: [&str; 3] = ["timestamp", "created_at", "ts"];

/// The names of the other members that are read.
const TEXTS: [&str; 5] = ["topic", "type", "did", "product_key", "event_type"];

/// Whether members of this name are read. Of two with one name, the map of an object would keep the last.
fn is_read(name: &str) -> bool {
    let lists = [&PAYLOADS[..], &CONTAINERS, &TIMES, &TEXTS];
    lists.iter().any(|list| list.contains(&name))
}

/// Reads a value, and keeps the name of a member that an object has twice and that is read.
struct Unique<'f>(&'f mut Option<String>);

impl<'de> DeserializeSeed<'de> for Unique<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Value, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Unique<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            let value = map.next_value_seed(Unique(self.0))?;
            if is_read(&key) && members.contains_key(&key) {
                self.0.get_or_insert_with(|| key.clone());
            }
            members.insert(key, value);
        }
        Ok(Value::Object(members))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = seq.next_element_seed(Unique(self.0))? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
}

impl Found {
    /// Reads JSON; `None` if the text is none.
    fn json(&mut self, text: &str) -> Option<Value> {
        let mut json = serde_json::Deserializer::from_str(text);
        let value = Unique(&mut self.twice).deserialize(&mut json).ok()?;
        json.end().ok()?;
        Some(value)
    }

    fn value(&mut self, value: &Value, depth: usize) {
        let Some(depth) = depth.checked_sub(1) else {
            return;
        };
        match value {
            Value::Object(members) => self.object(members, depth),
            Value::Array(values) => values.iter().for_each(|value| self.value(value, depth)),
            // JSON in a text.
            Value::String(text) if text.trim_start().starts_with(['{', '[', '"']) => {
                if let Some(value) = self.json(text) {
                    self.value(&value, depth);
                }
            }
            _ => {}
        }
    }

    fn object(&mut self, members: &Map<String, Value>, depth: usize) {
        // The line before each packet of `tshark -T ek`.
        if members.len() == 1 && members.contains_key("index") {
            self.is_known = true;
            return;
        }
        if let Some(payload) = PAYLOADS
            .iter()
            .find_map(|name| self.payload(members.get(*name)?))
        {
            self.is_known = true;
            let members = record(members, &Map::new(), payload);
            self.records.push((members, Position::ONLY));
            return;
        }
        // The push of a raw status has its payload in place of an object of points.
        let event = members.get("event_type").and_then(Value::as_str);
        if event.is_some_and(|event| event.ends_with("_raw"))
            && let Some(payload) = members.get("data").and_then(|data| self.payload(data))
        {
            self.is_known = true;
            let members = record(members, &Map::new(), payload);
            self.records.push((members, Position::ONLY));
            return;
        }
        for name in CONTAINERS {
            match members.get(name) {
                // A push has its payload one level deeper than its device.
                Some(Value::Object(data)) => {
                    let payload = PAYLOADS
                        .iter()
                        .find_map(|name| self.payload(data.get(*name)?));
                    match payload {
                        Some(payload) => {
                            self.is_known = true;
                            let members = record(data, members, payload);
                            self.records.push((members, Position::ONLY));
                        }
                        None => self.object(data, depth),
                    }
                }
                Some(value @ (Value::Array(_) | Value::String(_))) => self.value(value, depth),
                _ => {}
            }
        }
    }

    /// A payload as text: the text itself, or that of a list of bytes.
    fn payload(&self, value: &Value) -> Option<String> {
        match value {
            Value::String(text) => Some(text.clone()),
            Value::Array(bytes) => {
                let bytes = bytes.iter().map(|byte| u8::try_from(byte.as_u64()?).ok());
                Some(self.text(&bytes.collect::<Option<Vec<u8>>>()?))
            }
            _ => None,
        }
    }

    /// The text of bytes in the encoding of all payloads.
    fn text(&self, bytes: &[u8]) -> String {
        match self.encoding {
            Some(Encoding::Base64) => payload::base64(bytes),
            _ => payload::hex(bytes),
        }
    }

    /// Adds the frames of a packet, each as a record.
    fn packet(&mut self, packet: &Packet) {
        self.is_known = true;
        let payloads = packet.payloads();
        let all = payloads.len();
        for (number, payload) in (1..).zip(payloads) {
            let position = Position(number, all);
            match payload {
                Ok(bytes) => self.segment(&bytes, packet.timestamp.as_deref(), position),
                Err(error) => self.errors.push((position, error)),
            }
        }
    }

    /// Adds the frames of a TCP segment or a datagram, each as a record.
    fn segment(&mut self, bytes: &[u8], timestamp: Option<&str>, position: Position) {
        let extra = match position {
            Position::ONLY => Vec::new(),
            Position(number, _) => format!(r#","packet_payload":{number}"#).into_bytes(),
        };
        let (mut payloads, mut errors) = (Vec::new(), Vec::new());
        if bytes.starts_with(&m2m::PREFIX) {
            let mut stream = M2mStream::new();
            let mut each = |piece: Piece<'_, ()>| match piece.frame {
                Ok(()) => payloads.push(self.text(piece.bytes)),
                Err(error) => errors.push((position, error)),
            };
            stream.push(bytes, &mut each);
            stream.finish(&mut each);
        } else {
            payloads.push(self.text(bytes));
        }
        self.errors.extend(errors);
        self.records.extend(payloads.into_iter().map(|payload| {
            let members = Members {
                timestamp: timestamp.map(|time| time.to_owned().into()),
                payload: Some(payload.into()),
                extra: extra.clone().into(),
                ..Members::default()
            };
            (members, position)
        }));
    }
}

/// A record from an object and the object around it.
fn record(
    members: &Map<String, Value>,
    around: &Map<String, Value>,
    payload: String,
) -> Members<'static> {
    let get = |name: &str| members.get(name).or_else(|| around.get(name));
    let text = |name: &str| get(name)?.as_str().map(|text| Cow::Owned(text.to_owned()));
    let topic = get("topic").and_then(Value::as_str).and_then(topic_parts);
    let kind = |(kind, _): (&str, &str)| Cow::Owned(kind.to_owned());
    let did = |(_, did): (&str, &str)| Cow::Owned(did.to_owned());
    let timestamp = TIMES.iter().find_map(|name| time(get(name)?));
    Members {
        timestamp: timestamp.map(Cow::Owned),
        kind: text("type").or(topic.map(kind)),
        did: text("did").or(topic.map(did)),
        product_key: text("product_key"),
        payload: Some(payload.into()),
        ..Members::default()
    }
}
