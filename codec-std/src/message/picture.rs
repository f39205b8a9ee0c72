//! A picture of bytes: which of them, and which bits, belong to which point, and what the others are.

use std::collections::BTreeMap;
use std::ops::Range;

use gizwits_codec_core::m2m::{Event, PREFIX};
use gizwits_codec_core::{Access, Action, P0, PointId, Protocol, Raw, Unit, View};
use serde::{Serialize, Serializer};

use super::decoded::{Content, Decoded, runs};
use super::payload;
use crate::error::counted;
use crate::product::Product;

/// The bytes of a status, or of one message, as rows: each byte stands in one of them, once.
///
/// It says what is to be drawn, not how: text, SVG and a page in a browser come from the same one.
///
/// ```
/// use gizwits_codec_std::{Picture, Product, Row};
/// # let definition = r#"{"product_key": "9b3ff3e5c9a14d4a9b1f1d8c2a7e6f50", "name": "lamp",
/// #   "protocolType": "standard", "packetVersion": "0x00000004", "entities": [{"id": 0, "attrs": [
/// #   {"id": 0, "name": "power", "type": "status_writable", "data_type": "bool",
/// #    "position": {"unit": "bit", "byte_offset": 0, "bit_offset": 0, "len": 1}},
/// #   {"id": 1, "name": "level", "type": "status_writable", "data_type": "uint8",
/// #    "position": {"unit": "byte", "byte_offset": 1, "bit_offset": 0, "len": 1},
/// #    "uint_spec": {"min": 0, "max": 100, "ratio": 0.5, "addition": 0}}]}]}"#;
/// let product = Product::from_json(definition)?; // power: bit 0 of byte 0, level: byte 1
/// let report = [0x04, 0x01, 0x18];
/// let picture = Picture::of_message(&product.decode(&report)?, &report);
/// assert_eq!((picture.action, &*picture.points), ("report", "2 of 2 points"));
///
/// let kinds = picture.rows.iter().map(|row| match row {
///     Row::Other { what, .. } => what.clone(),
///     Row::Bits { cells, .. } => format!("{} cells", cells.len()),
///     Row::Bytes { id, .. } => format!("point {id}"),
/// });
/// assert_eq!(kinds.collect::<Vec<_>>(), ["action: report", "8 cells", "point 1"]);
///
/// let level = &picture.values[&product.find("level").unwrap().id()];
/// assert_eq!((&*level.value, &*level.raw), ("12", "24"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Picture {
    /// `control`, `read`, `reply`, `report`, `transparent`, `gateway`, `no data points`; empty for a
    /// status.
    pub action: &'static str,
    /// How many points the message has: `2 of 71 points`; empty if it is of no points.
    pub points: String,
    /// The message; empty for a status. Hex in JSON.
    #[serde(serialize_with = "hex")]
    pub bytes: Vec<u8>,
    /// The rows from the first byte to the last.
    pub rows: Vec<Row>,
    /// The values that the message sets or reports; of a transparent one, those of the status in it.
    pub values: BTreeMap<PointId, Seen>,
    /// The points that a read of a var_len product asks for; `None` for all else.
    pub wanted: Option<Vec<PointId>>,
}

/// One row of a [`Picture`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Row {
    /// A byte of a bit area.
    Bits {
        /// The number of the byte.
        byte: usize,
        /// The eight bits from bit 7 on.
        cells: Vec<Cell>,
        /// The area's number of its bit 0, unless the area has no other byte.
        lowest: Option<u32>,
    },
    /// Bytes of a point.
    Bytes {
        /// The first of them.
        first: usize,
        /// The last.
        last: usize,
        /// Whose they are.
        id: PointId,
        /// The number of the first among the bytes of the point.
        part: usize,
    },
    /// Bytes that hold no point.
    Other {
        /// The first of them.
        first: usize,
        /// The last.
        last: usize,
        /// A description of the bytes.
        what: String,
    },
}

/// Neighbouring bits of one point, or one bit that is free.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Cell {
    /// Whose they are.
    pub id: Option<PointId>,
    /// How many bits.
    pub width: usize,
}

/// A value of a message, in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Seen {
    /// The value as [`Product::show`] has it.
    pub value: String,
    /// The raw value: a number, or hex.
    pub raw: String,
    /// The remark that [`Product::odd`] makes.
    pub odd: Option<String>,
}

fn hex<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&payload::hex(bytes))
}

impl Product {
    /// The values of a view in words, in the order of their points.
    pub fn seen<'v>(&self, view: View<'v, 'v>) -> impl Iterator<Item = (PointId, Seen)> {
        view.iter().map(|one| {
            let raw = match one.raw() {
                Raw::Number(raw) => raw.to_string(),
                Raw::Bytes(bytes) => payload::hex(bytes),
            };
            let (value, odd) = (self.show(one), self.odd(one));
            (one.id(), Seen { value, raw, odd })
        })
    }
}

impl Picture {
    /// More bytes of one point than this are one row.
    pub const BAND: usize = 4;

    /// The bytes of a status with all points; of a var_len product, those of a message with all.
    #[must_use]
    pub fn of_status(product: &Product) -> Self {
        let layout = product.layout();
        let mut rows = Rows::new(product);
        if product.protocol() == Protocol::VarLen {
            rows.other(1, "action");
            let mask = "mask: a bit for each point, here all set";
            rows.other(layout.mask_len(), mask);
        }
        product.with_all_points(|view| rows.values(view));
        Picture {
            rows: rows.rows,
            ..Picture::default()
        }
    }

    /// The bytes that `decoded` has taken apart.
    #[must_use]
    pub fn of_message(decoded: &Decoded<'_, '_>, bytes: &[u8]) -> Self {
        let mut rows = Rows::new(decoded.product);
        rows.envelope(decoded.envelope, bytes.len());
        let picture = rows.message(decoded, bytes.len());
        Picture {
            bytes: bytes.to_vec(),
            rows: rows.rows,
            ..picture
        }
    }
}

impl Row {
    /// The first and the last byte.
    #[must_use]
    pub fn bytes(&self) -> (usize, usize) {
        match self {
            Row::Bits { byte, .. } => (*byte, *byte),
            Row::Bytes { first, last, .. } | Row::Other { first, last, .. } => (*first, *last),
        }
    }

    /// The access that its points have; none if it has no point, or points of several kinds.
    #[must_use]
    pub fn access(&self, product: &Product) -> Option<Access> {
        let of = |id: PointId| Some(product.attr(id)?.point().access);
        match self {
            Row::Bits { cells, .. } => {
                let mut all = cells.iter().filter_map(|cell| of(cell.id?));
                let first = all.next()?;
                all.all(|other| other == first).then_some(first)
            }
            Row::Bytes { id, .. } => of(*id),
            Row::Other { .. } => None,
        }
    }
}

/// The rows so far.
struct Rows<'p> {
    product: &'p Product,
    rows: Vec<Row>,
    /// The first byte that is in none.
    next: usize,
}

impl<'p> Rows<'p> {
    fn new(product: &'p Product) -> Self {
        Rows {
            product,
            rows: Vec::new(),
            next: 0,
        }
    }

    /// `len` bytes that hold no point.
    fn other(&mut self, len: usize, what: impl Into<String>) {
        if len > 0 {
            let (first, what) = (self.next, what.into());
            self.next += len;
            let last = self.next - 1;
            self.rows.push(Row::Other { first, last, what });
        }
    }

    /// The rows of a message without its frame, up to the byte `end`; returns the rest of its picture.
    fn message(&mut self, decoded: &Decoded<'_, '_>, end: usize) -> Picture {
        let product = self.product;
        let layout = product.layout();
        let action = decoded.action_word();
        let wanted = match decoded.content {
            Content::P0(P0::Read(wanted)) if product.protocol() == Protocol::VarLen => Some(wanted),
            _ => None,
        };
        if let Content::P0(_) = decoded.content {
            self.other(1, format!("action: {action}"));
        }
        let view = decoded.view();
        let (what, all, kind) = match (product.protocol(), decoded.action()) {
            (Protocol::VarLen, _) => ("mask", layout.points(), "point"),
            // Only these have flags.
            (Protocol::Standard, Some(Action::Control)) => {
                ("flags", layout.writable(), "writable point")
            }
            (Protocol::Standard, _) => ("flags", layout.points(), "point"),
        };
        let of_view = view.map(|view| view.iter().count());
        let count = of_view.or_else(|| Some(wanted?.ids().count()));
        let all = counted(all.into(), kind);
        let points = count.map_or_else(String::new, |count| format!("{count} of {all}"));
        if count.is_some() {
            let values = view.map_or(0, |view| view.values().len());
            let surplus = match runs(decoded.surplus_flags()) {
                none if none.is_empty() => none,
                bits => format!("; past the last point: {bits}"),
            };
            let head = end.saturating_sub(self.next + values);
            self.other(head, format!("{what}: {points}{surplus}"));
        }
        let mut values = BTreeMap::new();
        if let Some(view) = view {
            values.extend(product.seen(view));
            self.values(match product.protocol() {
                // A standard control has values whose flags are clear.
                Protocol::Standard => layout.view_lax(view.values()),
                Protocol::VarLen => view,
            });
        }
        // The status that is broadcast by UDP: its bytes have the rows of the message that they are.
        if let Some(broadcast) = decoded.broadcast() {
            let mac = broadcast.mac();
            self.other(broadcast.mac.len(), format!("MAC address {mac}"));
            values = self.message(&broadcast.decoded, end).values;
        }
        self.other(end.saturating_sub(self.next), "body");
        Picture {
            action,
            points,
            values,
            wanted: wanted.map(|wanted| wanted.ids().collect()),
            ..Picture::default()
        }
    }

    /// The head of a frame of so many bytes.
    fn envelope(&mut self, envelope: Option<Event<'_>>, len: usize) {
        match envelope {
            Some(Event::Frame(frame)) => {
                let sn = if frame.sn.is_some() { 4 } else { 0 };
                let did = frame.did.map_or(0, |did| 2 + did.len());
                let length = 3 + sn + did + frame.body.len();
                self.other(PREFIX.len(), "M2M frame");
                let varint = len.saturating_sub(PREFIX.len() + length);
                self.other(varint, format!("length: {length} bytes follow"));
                let follows = if did > 0 { ": a did follows" } else { "" };
                self.other(1, format!("flag{follows}"));
                self.other(2, format!("command {:#06x}", frame.command));
                self.other(sn, format!("sn {}", frame.sn.unwrap_or(0)));
                let text = String::from_utf8_lossy(frame.did.unwrap_or(&[]));
                self.other(did, format!("did {text}"));
            }
            Some(Event::Service { command }) => {
                self.other(PREFIX.len(), "M2M service message");
                self.other(2, format!("command {command:#06x}"));
            }
            None => {}
        }
    }

    /// The values of a view, which begin with the next byte.
    fn values(&mut self, view: View<'_, '_>) {
        /// The bits of an area: how many, and of which point from which number on.
        type Area = (u32, Vec<(PointId, Range<u32>)>);
        let base = self.next;
        // By the byte behind it.
        let mut areas: BTreeMap<usize, Area> = BTreeMap::new();
        let mut rows: Vec<Row> = Vec::new();
        let mut packed = None;
        for (reading, attr) in view
            .iter()
            .filter_map(|one| Some((one, self.product.attr(one.id())?)))
        {
            let (id, span) = (attr.id(), reading.span());
            let (start, end) = (base + span.bytes.start, base + span.bytes.end);
            let position = &attr.point().position;
            if position.unit == Unit::Byte {
                let step = match end - start {
                    len if len > Picture::BAND => len,
                    _ => 1,
                };
                rows.extend((start..end).step_by(step).map(|first| Row::Bytes {
                    first,
                    last: first + step - 1,
                    id,
                    part: first - start,
                }));
                continue;
            }
            let (behind, number) = match self.product.protocol() {
                Protocol::Standard => {
                    let number = position.bit_offset;
                    (end + number as usize / 8, number)
                }
                // The first of them has bit 0 of the one area.
                Protocol::VarLen => {
                    let behind = *packed.get_or_insert(end);
                    (behind, 8 * (behind - end) as u32 + u32::from(span.shift))
                }
            };
            let (bits, members) = areas.entry(behind).or_default();
            *bits = (*bits).max(number + position.len);
            members.push((id, number..number + position.len));
        }
        for (behind, (bits, members)) in areas {
            let size = bits.div_ceil(8);
            rows.extend((0..size).map(|n| {
                let owner = |bit: u32| {
                    let owner = members.iter().find(|(_, bits)| bits.contains(&bit));
                    owner.map(|(id, _)| *id)
                };
                let bits: Vec<_> = (8 * n..8 * n + 8).rev().map(owner).collect();
                let cells = bits
                    .chunk_by(|one, two| one.is_some() && one == two)
                    .map(|span| Cell {
                        id: span.first().copied().flatten(),
                        width: span.len(),
                    });
                Row::Bits {
                    byte: behind - 1 - n as usize,
                    cells: cells.collect(),
                    lowest: (size > 1).then_some(8 * n),
                }
            }));
        }
        rows.sort_by_key(|row| row.bytes().0);
        for row in rows {
            let (first, last) = row.bytes();
            self.other(first.saturating_sub(self.next), "·");
            self.next = last + 1;
            self.rows.push(row);
        }
        self.other((base + view.values().len()).saturating_sub(self.next), "·");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAMP: &str = r#"{"product_key": "9b3ff3e5c9a14d4a9b1f1d8c2a7e6f50", "name": "lamp",
        "protocolType": "PROTOCOL", "packetVersion": "0x00000004", "entities": [{"id": 0, "attrs": [
        {"id": 0, "name": "power", "type": "status_writable", "data_type": "bool",
         "position": {"unit": "bit", "byte_offset": 0, "bit_offset": 0, "len": 1}},
        {"id": 1, "name": "mode", "type": "status_writable", "data_type": "enum",
         "position": {"unit": "bit", "byte_offset": 0, "bit_offset": 1, "len": 2},
         "enum": ["day", "night", "party"]},
        {"id": 2, "name": "plan", "type": "status_writable", "data_type": "binary",
         "position": {"unit": "byte", "byte_offset": 1, "bit_offset": 0, "len": 6}}]}]}"#;

    fn json(protocol: &str, hex: &str) -> serde_json::Value {
        let product = Product::from_json(&LAMP.replace("PROTOCOL", protocol)).unwrap();
        let bytes = payload::parse(hex, None).unwrap();
        let picture = Picture::of_message(&product.decode(&bytes).unwrap(), &bytes);
        serde_json::to_value(picture).unwrap()
    }

    #[test]
    fn a_message_as_json() {
        let picture = json("standard", "0407aabbccddeeff");
        assert_eq!(picture["action"], "report");
        assert_eq!(picture["bytes"], "0407aabbccddeeff");
        let bits = serde_json::json!({"kind": "bits", "byte": 1, "lowest": null, "cells": [
            {"id": null, "width": 1}, {"id": null, "width": 1}, {"id": null, "width": 1},
            {"id": null, "width": 1}, {"id": null, "width": 1}, {"id": 1, "width": 2},
            {"id": 0, "width": 1}]});
        assert_eq!(picture["rows"][1], bits);
        let plan = serde_json::json!({"kind": "bytes", "first": 2, "last": 7, "id": 2, "part": 0});
        assert_eq!(picture["rows"][2], plan);
        // An index past the labels is a value all the same, and said to be odd.
        let mode = serde_json::json!({"value": "3", "raw": "3", "odd": "past its labels"});
        assert_eq!(picture["values"]["1"], mode);
    }

    #[test]
    fn of_some_points_and_of_a_frame() {
        let picture = json("var_len", "0000000306000091140101");
        assert_eq!(picture["points"], "1 of 3 points");
        let whats: Vec<_> = picture["rows"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| {
                row["what"]
                    .as_str()
                    .unwrap_or(row["kind"].as_str().unwrap())
            })
            .collect();
        assert_eq!(
            whats,
            [
                "M2M frame",
                "length: 6 bytes follow",
                "flag",
                "command 0x0091",
                "action: report",
                "mask: 1 of 3 points",
                "bits"
            ]
        );
    }

    fn others(picture: &serde_json::Value) -> Vec<String> {
        let rows = picture["rows"].as_array().unwrap().iter();
        let whats = rows.filter_map(|row| Some(row["what"].as_str()?.to_owned()));
        whats.collect()
    }

    #[test]
    fn of_surplus_flags_and_of_a_broadcast() {
        let read = json("var_len", "12ffff");
        let mask = "mask: 3 of 3 points; past the last point: 3 to 15";
        assert_eq!(others(&read), ["action: read", mask]);
        let picture = json("standard", "06aabbccddeeff0405aabbccddee00");
        assert_eq!(picture["action"], "transparent");
        assert_eq!(
            others(&picture),
            [
                "action: transparent",
                "MAC address aa:bb:cc:dd:ee:ff",
                "action: report"
            ]
        );
        assert_eq!(picture["rows"][3]["byte"], 8);
        assert_eq!(picture["rows"][4]["first"], 9);
        assert_eq!(picture["values"]["1"]["value"], "party");
    }

    /// Bytes that are not those that were decoded are no reason to panic.
    #[test]
    fn of_other_bytes() {
        let product = Product::from_json(&LAMP.replace("PROTOCOL", "standard")).unwrap();
        let bytes = payload::parse("000000030b0000910407aabbccddeeff", None).unwrap();
        let decoded = product.decode(&bytes).unwrap();
        for len in 0..bytes.len() {
            let picture = Picture::of_message(&decoded, &bytes[..len]);
            assert_eq!(picture.bytes.len(), len);
        }
    }
}
