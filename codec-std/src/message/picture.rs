//! A picture of bytes: the point or the meaning of every byte and bit.

use std::collections::BTreeMap;
use std::ops::Range;

use gizwits_codec_core::m2m::{Event, PREFIX};
use gizwits_codec_core::{Access, Action, P0, PointId, Protocol, Raw, Unit, View};
use serde::{Serialize, Serializer};

use super::decoded::{Content, Decoded, runs};
use super::payload;
use crate::error::counted;
use crate::product::Product;
use crate::text;

/// The bytes of a status or of a message as rows. Each byte belongs to exactly one row.
///
/// A picture contains what to draw, not how: the command line makes text and SVG from it, the simulator a web
/// page.
///
/// ```
/// use gizwits_codec_std::Product;
/// use gizwits_codec_std::picture::{Picture, Row};
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
    /// The action: `control`, `read`, `reply`, `report`, `transparent`, `gateway` or `no data points`. Empty
    /// for a status.
    pub action: &'static str,
    /// The number of points in the message: `2 of 71 points`. Empty for a status and for a message without
    /// points.
    pub points: String,
    /// The bytes of the message, serialized as hex. Empty for a status.
    #[serde(serialize_with = "hex")]
    pub bytes: Vec<u8>,
    /// The rows, in the order of their bytes.
    pub rows: Vec<Row>,
    /// The values that the message sets or reports. For a broadcast, the values of the status in it.
    pub values: BTreeMap<PointId, Seen>,
    /// The points that a read of a var_len product asks for; `None` for any other message.
    pub wanted: Option<Vec<PointId>>,
}

/// One row of a [`Picture`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Row {
    /// A byte of a bit area.
    Bits {
        /// The offset of the byte.
        byte: usize,
        /// The eight bits, from bit 7 to bit 0.
        cells: Vec<Cell>,
        /// The offset of bit 0 of the byte in its bit area; `None` if the area has a single byte.
        lowest: Option<u32>,
    },
    /// Bytes of a point: one byte, or all bytes of a point with more than [`Picture::BAND`] bytes.
    Bytes {
        /// The offset of the first byte.
        first: usize,
        /// The offset of the last byte.
        last: usize,
        /// The point.
        id: PointId,
        /// The offset of the first byte within the point.
        part: usize,
    },
    /// Bytes without a point.
    Other {
        /// The offset of the first byte.
        first: usize,
        /// The offset of the last byte.
        last: usize,
        /// A description of the bytes.
        what: String,
    },
}

/// Adjacent bits of one point, or a single free bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Cell {
    /// The point; `None` for a free bit.
    pub id: Option<PointId>,
    /// The number of bits.
    pub width: usize,
}

/// A value of a message as text for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Seen {
    /// The value, as [`Product::show`] returns it.
    pub value: String,
    /// The raw value: a number or hex.
    pub raw: String,
    /// The remark of [`Product::flagged`] on a value that breaks the definition.
    pub flagged: Option<String>,
}

fn hex<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&payload::hex(bytes))
}

impl Product {
    /// Returns the values of a view as text, in the order of their ids.
    pub fn seen<'v>(&self, view: View<'v, 'v>) -> impl Iterator<Item = (PointId, Seen)> {
        view.iter().map(|one| {
            let raw = match one.raw() {
                Raw::Number(raw) => raw.to_string(),
                Raw::Bytes(bytes) => payload::hex(bytes),
            };
            let seen = Seen {
                value: self.show(one),
                raw,
                flagged: self.flagged(one),
            };
            (one.id(), seen)
        })
    }
}

impl Picture {
    /// The number of bytes up to which a point has one row for each byte. Longer points have a single row.
    pub const BAND: usize = 4;

    /// Returns the picture of a status; for a var_len product, of a message with all points.
    ///
    /// ```
    /// use gizwits_codec_std::Product;
    /// use gizwits_codec_std::picture::Picture;
    ///
    /// let definition = std::fs::read_to_string("../tests/fixtures/air-conditioner.json")?;
    /// let picture = Picture::of_status(&Product::from_json(&definition)?);
    /// assert_eq!(picture.rows.len(), 7);
    /// assert!(picture.values.is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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

    /// Returns the picture of a message. `bytes` are the bytes that `decoded` was decoded from.
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
    /// The offsets of the first and the last byte.
    #[must_use]
    pub fn bytes(&self) -> (usize, usize) {
        match self {
            Row::Bits { byte, .. } => (*byte, *byte),
            Row::Bytes { first, last, .. } | Row::Other { first, last, .. } => (*first, *last),
        }
    }

    /// Returns the access of the points in the row; `None` if the row has no points or points of different
    /// access.
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

/// The rows that have been added so far.
struct Rows<'p> {
    product: &'p Product,
    rows: Vec<Row>,
    /// The offset of the first byte that belongs to no row yet.
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

    /// Adds a row of `len` bytes without a point.
    fn other(&mut self, len: usize, what: impl Into<String>) {
        if len > 0 {
            let (first, what) = (self.next, what.into());
            self.next += len;
            let last = self.next - 1;
            self.rows.push(Row::Other { first, last, what });
        }
    }

    /// Adds the rows of a message, up to the byte `end`. Returns the rest of the picture.
    fn message(&mut self, decoded: &Decoded<'_, '_>, end: usize) -> Picture {
        let product = self.product;
        let layout = product.layout();
        let action = decoded.action_name();
        let wanted = match decoded.content {
            Content::P0(P0::Read(wanted)) if product.protocol() == Protocol::VarLen => Some(wanted),
            _ => None,
        };
        if let Content::P0(_) = decoded.content {
            self.other(1, format!("action: {action}"));
        }
        let view = decoded.view();
        let (what, all, kind) = match (product.protocol(), decoded.action()) {
            (Protocol::VarLen, _) => ("mask", layout.point_count(), "point"),
            // In standard products, only controls have flags, and only for writable points.
            (Protocol::Standard, Some(Action::Control)) => {
                ("flags", layout.writable_count(), "writable point")
            }
            (Protocol::Standard, _) => ("flags", layout.point_count(), "point"),
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
                // A standard control also has bytes for points whose flags are not set.
                Protocol::Standard => layout.view_lax(view.values()),
                Protocol::VarLen => view,
            });
        }
        // A broadcast contains a message, which has rows of its own.
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

    /// Adds the rows of the frame header. `len` is the length of the frame in bytes.
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
                let text = text::did(frame.did.unwrap_or(&[]));
                self.other(did, format!("did {text}"));
            }
            Some(Event::Service { command }) => {
                self.other(PREFIX.len(), "M2M service message");
                self.other(2, format!("command {command:#06x}"));
            }
            None => {}
        }
    }

    /// Adds the rows of the points of a view, which begin at the next byte.
    fn values(&mut self, view: View<'_, '_>) {
        /// A bit area: its number of bits, and the bits of each point.
        type Area = (u32, Vec<(PointId, Range<u32>)>);
        let base = self.next;
        // The bit areas, by the offset of the byte after them.
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
                // A var_len message has one bit area. Its first point has bit 0.
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
        // An index past the labels is a value with a remark.
        let mode = serde_json::json!({"value": "3", "raw": "3", "flagged": "past its labels"});
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

    /// Bytes other than the decoded ones do not cause a panic.
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
