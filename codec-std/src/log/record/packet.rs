//! A packet of tshark, in the forms of `-T ek`, `-T json` and `-T jsonraw`.

use std::fmt;

use gizwits_codec_core::m2m::PREFIX;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::reader::MemberKey;
use crate::error::Error;
use crate::message::payload;

/// A packet of tshark: its time and payloads.
#[derive(Debug, Default)]
pub(super) struct Packet {
    /// The time, as JSON of a record.
    pub(super) timestamp: Option<String>,
    /// The texts of payloads, by [`Source`].
    payloads: [Vec<String>; 4],
    /// Whether the record has layers.
    has_layers: bool,
}

/// The origin of a payload, the best first. The same bytes can have several.
#[derive(Clone, Copy)]
enum Source {
    /// The payload of TCP or UDP.
    Transport,
    /// The bytes that no protocol of tshark reads.
    Data,
    /// Like `Transport`, as written by `-x` and `-T jsonraw`.
    RawTransport,
    /// Like `Data`, as written by `-x` and `-T jsonraw`.
    RawData,
}

/// The maximum number of payloads that are compared with each other.
const COMPARED: usize = 32;

/// The minimum length of the headers of IP and UDP.
const HEADERS: usize = 28;

impl Packet {
    /// Reads a line. `None` if the line is no packet.
    ///
    /// Layers and fields can have several values: an array of them (`-T ek`), or a key for each of them (`-T json`).
    pub(super) fn read(line: &str) -> Option<Packet> {
        let mut packet = Packet::default();
        let mut json = serde_json::Deserializer::from_str(line);
        let record = Part(&mut packet, Place::Record);
        record.deserialize(&mut json).ok()?;
        packet.has_layers.then_some(packet)
    }

    /// Returns the payloads as bytes, or the error of each that is none.
    ///
    /// The packet in a tunnel has layers of its own. So the payload around it is left out: it is no frame, and contains a
    /// frame of the packet behind at least the headers of IP and UDP.
    pub(super) fn payloads(&self) -> Vec<Result<Vec<u8>, Error>> {
        let texts = self.payloads.iter().find(|texts| !texts.is_empty());
        let texts = texts.into_iter().flatten();
        let all: Vec<_> = texts.map(|text| payload::parse(text, None)).collect();
        if all.len() > COMPARED {
            return all;
        }
        let is_frame = |bytes: &&Vec<u8>| bytes.starts_with(&PREFIX);
        let frames: Vec<&Vec<u8>> = all.iter().flatten().filter(is_frame).collect();
        let is_tunnel = |outer: &Vec<u8>| {
            let inside = |frame: &&Vec<u8>| memchr::memmem::rfind(outer, frame) >= Some(HEADERS);
            !is_frame(&outer) && frames.iter().any(inside)
        };
        let tunnels: Vec<bool> = all
            .iter()
            .map(|one| one.as_ref().is_ok_and(is_tunnel))
            .collect();
        let all = all.into_iter().zip(tunnels);
        all.filter(|(_, is_tunnel)| !is_tunnel)
            .map(|(one, _)| one)
            .collect()
    }
}

/// The source of the field with this name. tshark writes `tcp.payload` in `-T json`, and in `-T ek` `tcp_payload` or
/// `tcp_tcp_payload`.
fn source(name: &str) -> Option<Source> {
    let (name, is_raw) = match name.strip_suffix("_raw") {
        Some(name) => (name, true),
        None => (name, false),
    };
    match (name, is_raw) {
        (
            "tcp_tcp_payload" | "tcp.payload" | "tcp_payload" | "udp_udp_payload" | "udp.payload"
            | "udp_payload",
            is_raw,
        ) => Some(if is_raw {
            Source::RawTransport
        } else {
            Source::Transport
        }),
        ("data_data_data" | "data.data" | "data_data", is_raw) => Some(if is_raw {
            Source::RawData
        } else {
            Source::Data
        }),
        _ => None,
    }
}

/// The place of a value in the JSON of a packet.
#[derive(Clone, Copy)]
enum Place {
    /// The record, or `_source` in it.
    Record,
    /// The layers, or any value in them.
    Layers,
    /// The value of a payload.
    Payload(Source),
}

/// A value in the JSON of a packet.
struct Part<'p>(&'p mut Packet, Place);

impl<'de> DeserializeSeed<'de> for Part<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Part<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a packet")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Part(packet, place) = self;
        while let Some(MemberKey(key)) = map.next_key()? {
            let inner = match (place, &*key) {
                (Place::Record, "timestamp") => {
                    packet.timestamp = time(&map.next_value()?);
                    continue;
                }
                (Place::Record, "layers") => {
                    packet.has_layers = true;
                    Place::Layers
                }
                (Place::Record, "_source") => Place::Record,
                (Place::Record, _) => {
                    let _: IgnoredAny = map.next_value()?;
                    continue;
                }
                (
                    Place::Layers,
                    "frame.time_epoch" | "frame_time_epoch" | "frame_frame_time_epoch",
                ) => {
                    let value: Value = map.next_value()?;
                    // An option `-e` writes every field as a list.
                    let value = value.get(0).unwrap_or(&value);
                    packet.timestamp = packet.timestamp.take().or_else(|| time(value));
                    continue;
                }
                (Place::Layers, key) => source(key).map_or(Place::Layers, Place::Payload),
                (Place::Payload(_), _) => place,
            };
            map.next_value_seed(Part(packet, inner))?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let Part(packet, place) = self;
        while seq.next_element_seed(Part(packet, place))?.is_some() {}
        Ok(())
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        if let (Part(packet, Place::Payload(source)), false) = (self, text.is_empty()) {
            packet.payloads[source as usize].push(text.to_owned());
        }
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

/// The JSON of a time. A number in a text is a number.
pub(super) fn time(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if text.parse::<f64>().is_ok() => Some(text.clone()),
        Value::Number(_) | Value::String(_) => Some(value.to_string()),
        _ => None,
    }
}
