//! The definition JSON of a product (vendor: `GET /v1/products/{product_key}/datapoint`), read
//! without an allocator.
//!
//! [`Attr`] is the schema of one data point, shared with `gizwits-codec-std`: generic over how text,
//! numbers and labels are held, since that is all in which the two differ. What it makes of the JSON
//! is a [`Point`]; the rules that points obey are those of [`rules::check`].

use core::fmt;
use core::marker::PhantomData;

use heapless::Vec;
use serde::de::{
    self, Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor,
};

use crate::error::{Error, ErrorKind, Key, PointId};
use crate::layout::rules;
use crate::layout::{
    Access, Field, Kind, Layout, Limits, Point, Position, Protocol, UintSpec, Unit,
};
use crate::value::{Decimal, Scale};

/// How deep a definition may be nested.
pub const MAX_DEPTH: usize = 64;

/// A JSON value where text is expected.
pub trait Text {
    /// The text; `None` of a value that is none.
    fn text(&self) -> Option<&str>;
}

/// A JSON value where a number is expected.
pub trait Number {
    /// The number; `None` of a value that is none.
    ///
    /// # Errors
    /// [`ErrorKind::NotANumber`] for one of too many digits.
    fn number(&self) -> Option<Result<Decimal, Error>>;
}

/// A JSON value where the labels of an enum are expected.
pub trait Labels {
    /// How many there are; `None` of a value that is no list.
    ///
    /// # Errors
    /// The index of the first that is not text.
    fn count(&self) -> Option<Result<u32, u32>>;
}

/// One data point as the definition spells it. Unknown keys are let pass; missing ones, and values
/// of the wrong type as far as `T`, `N` and `L` hold them, are found by [`point`](Self::point).
#[derive(Clone, Debug, serde::Deserialize)]
#[allow(missing_docs, reason = "the keys' own names, from the vendor's table")]
pub struct Attr<T, N, L> {
    pub id: Option<N>,
    pub name: Option<T>,
    pub display_name: Option<T>,
    #[serde(rename = "type")]
    pub access: Option<T>,
    pub data_type: Option<T>,
    pub position: Option<PositionAttr<T, N>>,
    pub uint_spec: Option<UintSpecAttr<N>>,
    #[serde(rename = "enum")]
    pub labels: Option<L>,
}

/// `position` as the definition spells it.
#[derive(Clone, Debug, serde::Deserialize)]
#[allow(missing_docs, reason = "the keys' own names, from the vendor's table")]
pub struct PositionAttr<T, N> {
    pub unit: Option<T>,
    pub byte_offset: Option<N>,
    pub bit_offset: Option<N>,
    pub len: Option<N>,
}

/// `uint_spec` as the definition spells it.
#[derive(Clone, Debug, serde::Deserialize)]
#[allow(missing_docs, reason = "the keys' own names, from the vendor's table")]
pub struct UintSpecAttr<N> {
    pub min: Option<N>,
    pub max: Option<N>,
    pub ratio: Option<N>,
    pub addition: Option<N>,
}

/// `protocolType`
#[must_use]
pub fn protocol(word: &str) -> Option<Protocol> {
    match word {
        "standard" => Some(Protocol::Standard),
        "var_len" => Some(Protocol::VarLen),
        _ => None,
    }
}

/// `type`, in the spelling of the cloud or that of the vendor's tables.
#[must_use]
pub fn access(word: &str) -> Option<Access> {
    match word {
        "status_writable" | "W" => Some(Access::Writable),
        "status_readonly" | "R" => Some(Access::ReadOnly),
        "alert" | "N" => Some(Access::Alert),
        "fault" | "E" => Some(Access::Fault),
        _ => None,
    }
}

/// `packetVersion`: 0x00000004 as text, or 4.
#[must_use]
pub fn is_packet_version(text: Option<&str>, number: Option<Decimal>) -> bool {
    text == Some("0x00000004") || number == Some(Decimal::from(4))
}

impl<T: Text, N: Number, L: Labels> Attr<T, N, L> {
    /// The point, unless something about it is wrong: every such thing goes to `report`.
    pub fn point(&self, report: &mut dyn FnMut(Error)) -> Option<Point> {
        let mut good = true;
        let id = match self.id.as_ref() {
            Some(id) => match id.number() {
                Some(Ok(id)) => whole(id).ok_or(ErrorKind::WrongType { key: Key::Id }),
                _ => Err(ErrorKind::WrongType { key: Key::Id }),
            },
            None => Err(ErrorKind::Missing { key: Key::Id }),
        };
        let id = id.and_then(|id| u16::try_from(id).map_err(|_| ErrorKind::IdRange));
        let mut fail = |kind: ErrorKind| {
            good = false;
            let error = Error::new(kind);
            report(id.map_or(error, |id| error.about(PointId(id))));
        };
        if let Err(kind) = id {
            fail(kind);
        }
        if let Some("") = read(Key::Name, self.name.as_ref(), &mut fail) {
            fail(ErrorKind::EmptyName);
        }
        let access = read(Key::Type, self.access.as_ref(), &mut fail);
        let access = access.and_then(|word| known(Key::Type, access_of(word), &mut fail));
        let data_type = read(Key::DataType, self.data_type.as_ref(), &mut fail);
        let kind = data_type.and_then(|word| self.kind(word, &mut fail));
        let position = self.position(&mut fail);
        match (good, id, access, kind, position) {
            (true, Ok(id), Some(access), Some(kind), Some(position)) => Some(Point {
                id,
                access,
                kind,
                position,
            }),
            _ => None,
        }
    }

    fn kind(&self, word: &str, fail: &mut dyn FnMut(ErrorKind)) -> Option<Kind> {
        match word {
            "bool" => Some(Kind::Bool),
            "binary" => Some(Kind::Binary),
            "uint8" => self.uint_spec(fail).map(Kind::Uint8),
            "uint16" => self.uint_spec(fail).map(Kind::Uint16),
            "uint32" => self.uint_spec(fail).map(Kind::Uint32),
            "enum" => match self.labels.as_ref().map(Labels::count) {
                Some(Some(Ok(labels))) => Some(Kind::Enum { labels }),
                Some(Some(Err(index))) => {
                    fail(ErrorKind::LabelType { index });
                    None
                }
                Some(None) => {
                    fail(ErrorKind::WrongType { key: Key::Enum });
                    None
                }
                None => {
                    fail(ErrorKind::NoLabels);
                    None
                }
            },
            _ => known(Key::DataType, None, fail),
        }
    }

    fn position(&self, fail: &mut dyn FnMut(ErrorKind)) -> Option<Position> {
        let Some(position) = &self.position else {
            fail(ErrorKind::Missing { key: Key::Position });
            return None;
        };
        let unit = read(Key::Unit, position.unit.as_ref(), fail);
        let unit = unit.and_then(|word| {
            let unit = match word {
                "bit" => Some(Unit::Bit),
                "byte" => Some(Unit::Byte),
                _ => None,
            };
            known(Key::Unit, unit, fail)
        });
        let byte_offset = natural(Key::ByteOffset, position.byte_offset.as_ref(), fail);
        // What is counted in bytes needs none.
        let bit_offset = match (&position.bit_offset, unit) {
            (None, Some(Unit::Byte)) => Some(0),
            (bit_offset, _) => natural(Key::BitOffset, bit_offset.as_ref(), fail),
        };
        let len = natural(Key::Len, position.len.as_ref(), fail);
        Some(Position {
            unit: unit?,
            byte_offset: byte_offset?,
            bit_offset: bit_offset?,
            len: len?,
        })
    }

    fn uint_spec(&self, fail: &mut dyn FnMut(ErrorKind)) -> Option<UintSpec> {
        let Some(spec) = &self.uint_spec else {
            fail(ErrorKind::Missing { key: Key::UintSpec });
            return None;
        };
        let min = limit(Key::Min, spec.min.as_ref(), fail);
        let max = limit(Key::Max, spec.max.as_ref(), fail);
        let ratio = factor(Key::Ratio, spec.ratio.as_ref(), Decimal::ONE, fail);
        let addition = factor(Key::Addition, spec.addition.as_ref(), Decimal::ZERO, fail);
        Some(UintSpec {
            min: min?,
            max: max?,
            ratio: ratio?,
            addition: addition?,
        })
    }
}

// `access` is a field's name above.
use access as access_of;

fn read<'t, T: Text>(
    key: Key,
    value: Option<&'t T>,
    fail: &mut dyn FnMut(ErrorKind),
) -> Option<&'t str> {
    let text = value.map(Text::text);
    match text {
        Some(Some(text)) => return Some(text),
        Some(None) => fail(ErrorKind::WrongType { key }),
        None => fail(ErrorKind::Missing { key }),
    }
    None
}

fn known<W>(key: Key, word: Option<W>, fail: &mut dyn FnMut(ErrorKind)) -> Option<W> {
    if word.is_none() {
        fail(ErrorKind::UnknownWord { key });
    }
    word
}

fn whole(number: Decimal) -> Option<i64> {
    let number = number.normalized();
    (number.scale() == 0).then_some(number.coefficient())
}

fn natural<N: Number>(key: Key, value: Option<&N>, fail: &mut dyn FnMut(ErrorKind)) -> Option<u32> {
    match value.map(N::number) {
        Some(Some(Ok(number))) => {
            if let Some(natural) = whole(number).and_then(|number| u32::try_from(number).ok()) {
                return Some(natural);
            }
            fail(ErrorKind::WrongType { key });
        }
        Some(_) => fail(ErrorKind::WrongType { key }),
        None => fail(ErrorKind::Missing { key }),
    }
    None
}

fn limit<N: Number>(key: Key, value: Option<&N>, fail: &mut dyn FnMut(ErrorKind)) -> Option<i64> {
    match value.map(N::number) {
        Some(Some(Ok(number))) if whole(number).is_some() => return whole(number),
        // A whole number of over 18 digits fits no integer of ours.
        Some(Some(Err(_))) if key == Key::Max => fail(ErrorKind::MaxTooLarge),
        Some(_) => fail(ErrorKind::WrongType { key }),
        None => fail(ErrorKind::Missing { key }),
    }
    None
}

fn factor<N: Number>(
    key: Key,
    value: Option<&N>,
    absent: Decimal,
    fail: &mut dyn FnMut(ErrorKind),
) -> Option<Decimal> {
    match value.map(N::number) {
        Some(Some(Ok(number))) => Some(number),
        Some(Some(Err(_))) => {
            fail(ErrorKind::Digits);
            None
        }
        Some(None) => {
            fail(ErrorKind::WrongType { key });
            None
        }
        None => Some(absent),
    }
}

impl Text for &str {
    fn text(&self) -> Option<&str> {
        Some(self)
    }
}

impl Number for f64 {
    fn number(&self) -> Option<Result<Decimal, Error>> {
        (!self.is_nan()).then(|| Decimal::try_from(*self))
    }
}

/// How many labels an enum has.
#[derive(Clone, Copy, Debug)]
pub struct LabelCount(u32);

impl Labels for LabelCount {
    fn count(&self) -> Option<Result<u32, u32>> {
        Some(Ok(self.0))
    }
}

impl<'de> Deserialize<'de> for LabelCount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(LabelCount(0))
    }
}

impl<'de> Visitor<'de> for LabelCount {
    type Value = LabelCount;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of labels")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut labels: A) -> Result<LabelCount, A::Error> {
        while labels.next_element::<&str>()?.is_some() {
            self.0 = self.0.saturating_add(1);
        }
        Ok(self)
    }
}

/// A definition of at most `N` points, borrowing its names from the JSON.
///
/// ```
/// use gizwits_codec_core::definition::Definition;
/// use gizwits_codec_core::PointId;
///
/// let json = r#"{
///   "name": "lamp", "protocolType": "standard", "packetVersion": "0x00000004",
///   "entities": [{"id": 0, "name": "entity0", "attrs": [
///     {"id": 0, "name": "switch", "type": "status_writable", "data_type": "bool",
///      "position": {"unit": "bit", "byte_offset": 0, "bit_offset": 0, "len": 1}},
///     {"id": 1, "name": "level", "type": "status_writable", "data_type": "uint8",
///      "position": {"unit": "byte", "byte_offset": 1, "bit_offset": 0, "len": 1},
///      "uint_spec": {"min": 0, "max": 100, "ratio": 0.5, "addition": 0}}]}]
/// }"#;
/// let definition = Definition::<8>::parse(json)?;
/// assert_eq!(definition.point_name(PointId(1)), Some("level"));
/// let layout = definition.layout::<1>()?;
/// assert_eq!(layout.get().view(&[1, 50])?.raw(PointId(1)), Some(50));
/// # Ok::<(), gizwits_codec_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Definition<'a, const N: usize> {
    name: Option<&'a str>,
    product_key: Option<&'a str>,
    protocol: Protocol,
    attrs: Attrs<'a, N>,
}

impl<'a, const N: usize> Definition<'a, N> {
    /// Reads a definition. Names and labels stay as the JSON spells them, escapes included.
    ///
    /// # Errors
    /// [`ErrorKind::Json`], or the first rule that the definition breaks.
    pub fn parse(json: &'a str) -> Result<Self, Error> {
        let json = json.strip_prefix('\u{feff}').unwrap_or(json);
        if too_deep(json) {
            return Err(Error::new(ErrorKind::Json));
        }
        let mut definition = Definition {
            name: None,
            product_key: None,
            protocol: Protocol::Standard,
            attrs: Attrs {
                points: Vec::new(),
                names: Vec::new(),
                first: None,
            },
        };
        // The version is text or a number, and this reader has to know beforehand.
        match read_json::<&str, N>(json, &mut definition.attrs) {
            Ok(head) => {
                let version = head.version.map(|text| is_packet_version(Some(text), None));
                definition.finish(head, version)?;
            }
            Err(error) => {
                let head = read_json::<f64, N>(json, &mut definition.attrs).map_err(|_| error)?;
                let good = |number| is_packet_version(None, Decimal::try_from(number).ok());
                let version = head.version.map(good);
                definition.finish(head, version)?;
            }
        }
        Ok(definition)
    }

    /// Holds it against the rules.
    fn finish<V>(&mut self, head: Head<'a, V>, version: Option<bool>) -> Result<(), Error> {
        let missing = |key| Error::new(ErrorKind::Missing { key });
        let unknown = |key| Error::new(ErrorKind::UnknownWord { key });
        let word = head.protocol.ok_or(missing(Key::ProtocolType))?;
        if version == Some(false) {
            return Err(unknown(Key::PacketVersion));
        }
        if head.outside.is_some() {
            return Err(Error::new(ErrorKind::OutsideEntity));
        }
        let entities = head.entities.ok_or(missing(Key::Entities))?;
        if entities.count != 1 {
            return Err(Error::new(ErrorKind::Entities));
        }
        if !entities.attrs {
            return Err(missing(Key::Attrs));
        }
        self.name = head.name;
        self.product_key = head.product_key;
        self.protocol = protocol(word).ok_or(unknown(Key::ProtocolType))?;
        self.attrs.finish(self.protocol)
    }

    /// The product's name.
    #[must_use]
    pub fn name(&self) -> Option<&'a str> {
        self.name
    }

    /// The product's key.
    #[must_use]
    pub fn product_key(&self) -> Option<&'a str> {
        self.product_key
    }

    /// Standard or var_len.
    #[must_use]
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// The points in the order of their ids.
    #[must_use]
    pub fn points(&self) -> &[Point] {
        &self.attrs.points
    }

    /// The name of a point.
    #[must_use]
    pub fn point_name(&self, id: PointId) -> Option<&'a str> {
        self.attrs.names.get(id.index()).copied()
    }

    /// The layout, with room for `S` scales.
    ///
    /// # Errors
    /// [`ErrorKind::TooManyScales`].
    pub fn layout<const S: usize>(&self) -> Result<Layout<N, S>, Error> {
        Layout::new(self.protocol, self.points())
    }
}

/// Whether arrays and objects are nested deeper than [`MAX_DEPTH`]: the reader would overflow its stack.
#[must_use]
pub fn too_deep(json: &str) -> bool {
    is_deeper(json, MAX_DEPTH)
}

/// Whether arrays and objects are nested deeper than a limit. What is no JSON is scanned all the same.
#[must_use]
pub fn is_deeper(json: &str, limit: usize) -> bool {
    let (mut depth, mut text, mut escaped) = (0_usize, false, false);
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if text => escaped = true,
            b'"' => text = !text,
            b'[' | b'{' if !text => depth = depth.saturating_add(1),
            b']' | b'}' if !text => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > limit {
            return true;
        }
    }
    false
}

/// What a definition says beside its points.
struct Head<'a, V> {
    name: Option<&'a str>,
    product_key: Option<&'a str>,
    version: Option<V>,
    protocol: Option<&'a str>,
    entities: Option<Entities>,
    /// Attrs outside an entity.
    outside: Option<IgnoredAny>,
}

/// How many entities there are, and whether the first has attrs.
struct Entities {
    count: u32,
    attrs: bool,
}

/// Reads a definition whose version is a `V`. The points go to `attrs`: they are large, and a
/// reader that handed them on would fill a small stack with copies.
fn read_json<'a, V: Deserialize<'a>, const N: usize>(
    json: &'a str,
    attrs: &mut Attrs<'a, N>,
) -> Result<Head<'a, V>, Error> {
    attrs.points.clear();
    attrs.names.clear();
    attrs.first = None;
    let malformed = Error::new(ErrorKind::Json);
    let mut reader = serde_json_core::de::Deserializer::new(json.as_bytes(), None);
    let head = reader.deserialize_map(Reader(attrs, PhantomData::<Head<'a, V>>));
    let head = head.map_err(|_| malformed)?;
    reader.end().map_err(|_| malformed)?;
    Ok(head)
}

/// Reads a `T` whose attrs go where the first field says.
struct Reader<'s, 'a, T, const N: usize>(&'s mut Attrs<'a, N>, PhantomData<T>);

/// The attrs of an entity.
struct Entity;
/// The list of them.
struct List;

macro_rules! keys {
    ($name:ident { $($key:ident = $text:literal),* }) => {
        #[derive(serde::Deserialize)]
        #[serde(field_identifier)]
        enum $name {
            $(#[serde(rename = $text)] $key,)*
            #[serde(other)]
            Other,
        }
    };
}

keys!(HeadKey {
    Name = "name",
    ProductKey = "product_key",
    Version = "packetVersion",
    Protocol = "protocolType",
    Entities = "entities",
    Attrs = "attrs"
});
keys!(EntityKey { Attrs = "attrs" });

/// A key that stands twice is an error, as serde's derive has it.
fn once<T, E: de::Error>(slot: &Option<T>) -> Result<(), E> {
    match slot {
        Some(_) => Err(E::custom("a key stands twice")),
        None => Ok(()),
    }
}

/// The value of a key that stands once; null is none.
fn put<'de, T: Deserialize<'de>, A: MapAccess<'de>>(
    slot: &mut Option<T>,
    map: &mut A,
) -> Result<(), A::Error> {
    once(slot)?;
    *slot = map.next_value()?;
    Ok(())
}

impl<'de: 'a, 'a, V: Deserialize<'de>, const N: usize> Visitor<'de>
    for Reader<'_, 'a, Head<'a, V>, N>
{
    type Value = Head<'a, V>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a definition")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Head<'a, V>, A::Error> {
        let mut head = Head {
            name: None,
            product_key: None,
            version: None,
            protocol: None,
            entities: None,
            outside: None,
        };
        while let Some(key) = map.next_key()? {
            match key {
                HeadKey::Name => put(&mut head.name, &mut map)?,
                HeadKey::ProductKey => put(&mut head.product_key, &mut map)?,
                HeadKey::Version => put(&mut head.version, &mut map)?,
                HeadKey::Protocol => put(&mut head.protocol, &mut map)?,
                HeadKey::Entities => {
                    once(&head.entities)?;
                    let seed = Reader(&mut *self.0, PhantomData::<Entities>);
                    head.entities = Some(map.next_value_seed(seed)?);
                }
                HeadKey::Attrs => head.outside = Some(map.next_value()?),
                HeadKey::Other => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(head)
    }
}

impl<'de: 'a, 'a, const N: usize> DeserializeSeed<'de> for Reader<'_, 'a, Entities, N> {
    type Value = Entities;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Entities, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de: 'a, 'a, const N: usize> Visitor<'de> for Reader<'_, 'a, Entities, N> {
    type Value = Entities;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of one entity")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Entities, A::Error> {
        let attrs = list.next_element_seed(Reader(&mut *self.0, PhantomData::<Entity>))?;
        let mut entities = Entities {
            count: u32::from(attrs.is_some()),
            attrs: attrs.unwrap_or(false),
        };
        while list.next_element::<IgnoredAny>()?.is_some() {
            entities.count = entities.count.saturating_add(1);
        }
        Ok(entities)
    }
}

impl<'de: 'a, 'a, const N: usize> DeserializeSeed<'de> for Reader<'_, 'a, Entity, N> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de: 'a, 'a, const N: usize> Visitor<'de> for Reader<'_, 'a, Entity, N> {
    /// Whether it has attrs.
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an entity")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<bool, A::Error> {
        let mut attrs = None;
        while let Some(key) = map.next_key()? {
            match key {
                EntityKey::Attrs => {
                    once(&attrs)?;
                    attrs = Some(map.next_value_seed(Reader(&mut *self.0, PhantomData::<List>))?);
                }
                EntityKey::Other => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(attrs.is_some())
    }
}

impl<'de: 'a, 'a, const N: usize> DeserializeSeed<'de> for Reader<'_, 'a, List, N> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de: 'a, 'a, const N: usize> Visitor<'de> for Reader<'_, 'a, List, N> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of attrs")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some(attr) = list.next_element()? {
            self.0.add(&attr);
        }
        Ok(())
    }
}

/// The points and their names, and the first thing that was wrong.
#[derive(Clone, Debug)]
struct Attrs<'a, const N: usize> {
    points: Vec<Point, N>,
    names: Vec<&'a str, N>,
    first: Option<Error>,
}

impl<'a, const N: usize> Attrs<'a, N> {
    fn add(&mut self, attr: &Attr<&'a str, f64, LabelCount>) {
        let first = &mut self.first;
        let point = attr.point(&mut |error| {
            first.get_or_insert(error);
        });
        if let (Some(point), Some(name)) = (point, attr.name)
            && (self.points.push(point).is_err() || self.names.push(name).is_err())
        {
            self.first
                .get_or_insert(Error::new(ErrorKind::TooManyPoints));
        }
    }

    /// Holds them against the rules and brings them into the order of their ids.
    fn finish(&mut self, protocol: Protocol) -> Result<(), Error> {
        if let Some(error) = self.first {
            return Err(error);
        }
        self.check(protocol)?;
        let mut n = 0;
        while let Some(id) = self.points.get(n).map(|point| usize::from(point.id)) {
            if id == n {
                n = n.saturating_add(1);
            } else if id < self.points.len() {
                self.points.swap(n, id);
                self.names.swap(n, id);
            } else {
                return Err(Error::new(ErrorKind::IdRange));
            }
        }

        let mut order: Vec<u16, N> = Vec::new();
        order.extend(self.points.iter().map(|point| point.id));
        let name = |id: u16| self.names.get(usize::from(id));
        order.sort_unstable_by_key(|id| name(*id));
        for (one, two) in order.iter().zip(order.iter().skip(1)) {
            if name(*one) == name(*two) {
                let (one, two) = (one.min(two), one.max(two));
                let error = Error::new(ErrorKind::DuplicateName).about(PointId(*two));
                return Err(error.with(PointId(*one)));
            }
        }
        Ok(())
    }

    /// A frame of its own, so that the tables are gone before the next step.
    #[inline(never)]
    fn check(&self, protocol: Protocol) -> Result<(), Error> {
        let mut fields = [Field::EMPTY; N];
        let mut limits = [Limits::EMPTY; N];
        let mut scales = [Scale::IDENTITY; N];
        let mut first = [Error::new(ErrorKind::NoPoints)];
        let mut findings = rules::Findings::errors(&mut first);
        let tables = rules::Tables {
            fields: &mut fields,
            limits: &mut limits,
            scales: &mut scales,
        };
        let count = self.points.len();
        rules::check(protocol, &self.points, count, tables, &mut findings);
        if findings.found() > 0 {
            let [first] = first;
            return Err(first);
        }
        Ok(())
    }
}
