//! Reads the definition JSON of a product without an allocator (vendor:
//! `GET /v1/products/{product_key}/datapoint`).
//!
//! [`Attr`] is the schema of one data point, which `gizwits-codec-std` uses as well. It is generic over the
//! types of text, numbers and labels, in which the two crates differ. [`Attr::point`] makes a [`Point`], and
//! [`rules::check`](crate::rules::check) checks the points.

use core::fmt;

use heapless::Vec;
use serde::de::{
    self, Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor,
};

use crate::error::{Error, ErrorKind, Key, PointId};
use crate::layout::{Access, Kind, Layout, Point, Position, Protocol, UintSpec, Unit};
use crate::value::Decimal;

/// The maximum nesting depth of a definition.
pub const MAX_DEPTH: usize = 64;

/// A JSON value where text is expected.
pub trait Text {
    /// Returns the text, or `None` if the value is not a text.
    fn text(&self) -> Option<&str>;
}

/// A JSON value where a number is expected.
pub trait Number {
    /// Returns the number, or `None` if the value is not a number.
    ///
    /// # Errors
    /// [`ErrorKind::NotANumber`] if the number has too many digits.
    fn number(&self) -> Option<Result<Decimal, Error>>;
}

/// A JSON value where the labels of an enum are expected.
pub trait Labels {
    /// Returns the number of labels, or `None` if the value is not a list.
    ///
    /// # Errors
    /// The index of the first label that is not a text.
    fn count(&self) -> Option<Result<u32, u32>>;
}

/// One data point, with the keys of the definition. Unknown keys are ignored. [`point`](Self::point) reports
/// missing keys, and values of the wrong type if `T`, `N` and `L` accept such values.
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

/// The `position` of a data point, with the keys of the definition.
#[derive(Clone, Debug, serde::Deserialize)]
#[allow(missing_docs, reason = "the keys' own names, from the vendor's table")]
pub struct PositionAttr<T, N> {
    pub unit: Option<T>,
    pub byte_offset: Option<N>,
    pub bit_offset: Option<N>,
    pub len: Option<N>,
}

/// The `uint_spec` of a data point, with the keys of the definition.
#[derive(Clone, Debug, serde::Deserialize)]
#[allow(missing_docs, reason = "the keys' own names, from the vendor's table")]
pub struct UintSpecAttr<N> {
    pub min: Option<N>,
    pub max: Option<N>,
    pub ratio: Option<N>,
    pub addition: Option<N>,
}

/// Reads a `protocolType`.
///
/// ```
/// use gizwits_codec_core::{Protocol, definition::protocol};
///
/// assert_eq!(protocol("var_len"), Some(Protocol::VarLen));
/// assert_eq!(protocol("varlen"), None);
/// ```
#[must_use]
pub fn protocol(word: &str) -> Option<Protocol> {
    let mut all = [Protocol::Standard, Protocol::VarLen].into_iter();
    all.find(|protocol| protocol.name() == word)
}

/// Returns whether a point has a position other than byte 0, bit 0, as var_len products have for all of their
/// points.
///
/// A definition without a `protocolType`, as exported by old versions of the cloud, is that of a standard product
/// if this is true and the points obey the rules of standard products.
#[must_use]
pub fn has_positions(points: &[Point]) -> bool {
    let mut positions = points.iter().map(|point| point.position);
    positions.any(|position| position.byte_offset > 0 || position.bit_offset > 0)
}

/// Reads a `type`, in the spelling of the cloud or of the vendor's tables.
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

/// Returns whether a `packetVersion` is supported: the text `0x00000004` or the number 4.
#[must_use]
pub fn is_packet_version(text: Option<&str>, number: Option<Decimal>) -> bool {
    text == Some("0x00000004") || number == Some(Decimal::from(4))
}

impl<T: Text, N: Number, L: Labels> Attr<T, N, L> {
    /// Returns the point, or `None` if there is an error. Calls `report` for each error.
    pub fn point(&self, report: &mut dyn FnMut(Error)) -> Option<Point> {
        let mut good = true;
        let key = Key::Id;
        let id = match self.id.as_ref().map(Number::number) {
            Some(id) => match id.and_then(Result::ok).and_then(whole) {
                Some(id) => u16::try_from(id).map_err(|_| ErrorKind::IdRange),
                None => Err(ErrorKind::WrongType { key }),
            },
            None => Err(ErrorKind::Missing { key }),
        };
        let mut fail = |kind: ErrorKind| {
            good = false;
            let error = Error::new(kind);
            report(id.map_or(error, |id| error.about(PointId(id))));
        };
        if let Err(kind) = id {
            fail(kind);
        }
        if let Some("") = given(Key::Name, &self.name, Text::text, &mut fail) {
            fail(ErrorKind::EmptyName);
        }
        let access = given(Key::Type, &self.access, Text::text, &mut fail);
        let access = access.and_then(|word| known(Key::Type, access_of(word), &mut fail));
        let kind = given(Key::DataType, &self.data_type, Text::text, &mut fail);
        let kind = kind.and_then(|word| self.kind(word, &mut fail));
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

    fn kind(&self, word: &str, fail: Fail<'_>) -> Option<Kind> {
        match word {
            "bool" => Some(Kind::Bool),
            "binary" => Some(Kind::Binary),
            "uint8" => self.uint_spec(fail).map(Kind::Uint8),
            "uint16" => self.uint_spec(fail).map(Kind::Uint16),
            "uint32" => self.uint_spec(fail).map(Kind::Uint32),
            "enum" => {
                fail(match self.labels.as_ref().map(Labels::count) {
                    Some(Some(Ok(labels))) => return Some(Kind::Enum { labels }),
                    Some(Some(Err(index))) => ErrorKind::LabelType { index },
                    Some(None) => ErrorKind::WrongType { key: Key::Enum },
                    None => ErrorKind::NoLabels,
                });
                None
            }
            _ => known(Key::DataType, None, fail),
        }
    }

    fn position(&self, fail: Fail<'_>) -> Option<Position> {
        let Some(position) = &self.position else {
            fail(ErrorKind::Missing { key: Key::Position });
            return None;
        };
        let unit = given(Key::Unit, &position.unit, Text::text, fail);
        let unit = unit.and_then(|word| match word {
            "bit" => Some(Unit::Bit),
            "byte" => Some(Unit::Byte),
            _ => known(Key::Unit, None, fail),
        });
        let byte_offset = given(Key::ByteOffset, &position.byte_offset, natural, fail);
        // A point with the unit byte needs no bit offset.
        let bit_offset = match (&position.bit_offset, unit) {
            (None, Some(Unit::Byte)) => Some(0),
            (bit_offset, _) => given(Key::BitOffset, bit_offset, natural, fail),
        };
        let len = given(Key::Len, &position.len, natural, fail);
        Some(Position {
            unit: unit?,
            byte_offset: byte_offset?,
            bit_offset: bit_offset?,
            len: len?,
        })
    }

    fn uint_spec(&self, fail: Fail<'_>) -> Option<UintSpec> {
        let Some(spec) = &self.uint_spec else {
            fail(ErrorKind::Missing { key: Key::UintSpec });
            return None;
        };
        let min = given(Key::Min, &spec.min, integer, fail);
        let max = match spec.max.as_ref().map(Number::number) {
            // A whole number that is too long for a decimal does not fit the integer type either.
            Some(Some(Err(_))) => {
                fail(ErrorKind::MaxTooLarge);
                None
            }
            _ => given(Key::Max, &spec.max, integer, fail),
        };
        let ratio = factor(Key::Ratio, &spec.ratio, Decimal::ONE, fail);
        let addition = factor(Key::Addition, &spec.addition, Decimal::ZERO, fail);
        Some(UintSpec {
            min: min?,
            max: max?,
            ratio: ratio?,
            addition: addition?,
        })
    }
}

// A local variable above has the name of this function.
use access as access_of;

/// A callback for the errors of a value.
type Fail<'f> = &'f mut dyn FnMut(ErrorKind);

/// Returns the value of a required key, read with `read`.
fn given<'t, T, U>(
    key: Key,
    value: &'t Option<T>,
    read: impl FnOnce(&'t T) -> Option<U>,
    fail: Fail<'_>,
) -> Option<U> {
    match value.as_ref().map(read) {
        Some(Some(read)) => return Some(read),
        Some(None) => fail(ErrorKind::WrongType { key }),
        None => fail(ErrorKind::Missing { key }),
    }
    None
}

fn known<W>(key: Key, word: Option<W>, fail: Fail<'_>) -> Option<W> {
    if word.is_none() {
        fail(ErrorKind::UnknownWord { key });
    }
    word
}

fn whole(number: Decimal) -> Option<i64> {
    let number = number.normalized();
    (number.scale() == 0).then_some(number.coefficient())
}

fn natural<N: Number>(number: &N) -> Option<u32> {
    u32::try_from(integer(number)?).ok()
}

fn integer<N: Number>(number: &N) -> Option<i64> {
    whole(number.number()?.ok()?)
}

fn factor<N: Number>(
    key: Key,
    value: &Option<N>,
    absent: Decimal,
    fail: Fail<'_>,
) -> Option<Decimal> {
    match value.as_ref().map(N::number) {
        Some(Some(Ok(number))) => return Some(number),
        Some(Some(Err(_))) => fail(ErrorKind::Digits),
        Some(None) => fail(ErrorKind::WrongType { key }),
        None => return Some(absent),
    }
    None
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

/// The number of labels of an enum.
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

/// The definition of a product with at most `N` points. Names are borrowed from the JSON.
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
    /// Reads a definition and checks it against all rules. Names and labels keep the escapes of the JSON.
    ///
    /// # Errors
    /// [`ErrorKind::Json`] if the text is not JSON or has an unexpected structure, otherwise the first rule
    /// that the definition breaks.
    ///
    /// # Examples
    /// ```
    /// use gizwits_codec_core::ErrorKind;
    /// use gizwits_codec_core::definition::Definition;
    ///
    /// let json = r#"{
    ///   "protocolType": "standard", "packetVersion": "0x00000004",
    ///   "entities": [{"id": 0, "attrs": [
    ///     {"id": 0, "name": "switch", "type": "status_writable", "data_type": "bool",
    ///      "position": {"unit": "bit", "byte_offset": 0, "bit_offset": 0, "len": 2}}]}]
    /// }"#;
    /// let error = Definition::<8>::parse(json).unwrap_err();
    /// assert_eq!(error.kind, ErrorKind::BoolWidth);
    /// assert_eq!(error.to_string(), "a bool must have 1 bit: point 0, byte 0, bit 0");
    /// ```
    pub fn parse(json: &'a str) -> Result<Self, Error> {
        let json = json.strip_prefix('\u{feff}').unwrap_or(json);
        if too_deep(json) {
            return Err(Error::new(ErrorKind::Json));
        }
        let mut definition = Definition {
            name: None,
            product_key: None,
            protocol: Protocol::Standard,
            attrs: Attrs::default(),
        };
        // The version is a text or a number. The parser needs the type beforehand, so it tries both.
        let text = |text: &str| is_packet_version(Some(text), None);
        let number = |number: f64| is_packet_version(None, Decimal::try_from(number).ok());
        let head = read_json(json, &mut definition.attrs, text)
            .or_else(|_| read_json(json, &mut definition.attrs, number))?;
        definition.finish(head)?;
        Ok(definition)
    }

    /// Checks the definition against the rules.
    fn finish(&mut self, head: Head<'a>) -> Result<(), Error> {
        let missing = |key| Error::new(ErrorKind::Missing { key });
        let unknown = |key| Error::new(ErrorKind::UnknownWord { key });
        if head.version == Some(false) {
            return Err(unknown(Key::PacketVersion));
        }
        if head.has_outside {
            return Err(Error::new(ErrorKind::OutsideEntity));
        }
        if head.entities.ok_or(missing(Key::Entities))? != 1 {
            return Err(Error::new(ErrorKind::Entities));
        }
        if !head.has_attrs {
            return Err(missing(Key::Attrs));
        }
        self.name = head.name;
        self.product_key = head.product_key;
        match head.protocol {
            Some(word) => {
                self.protocol = protocol(word).ok_or(unknown(Key::ProtocolType))?;
                self.attrs.finish(self.protocol)
            }
            // `finish` holds the points against the rules of standard products, in which no two points overlap.
            None if has_positions(&self.attrs.points) => {
                self.protocol = Protocol::Standard;
                let finished = self.attrs.finish(self.protocol);
                finished.map_err(|_| missing(Key::ProtocolType))
            }
            None => Err(missing(Key::ProtocolType)),
        }
    }

    /// Returns the name of the product.
    pub fn name(&self) -> Option<&'a str> {
        self.name
    }

    /// Returns the product key.
    pub fn product_key(&self) -> Option<&'a str> {
        self.product_key
    }

    /// Returns the protocol: standard or var_len.
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// Returns the points in the order of their ids.
    pub fn points(&self) -> &[Point] {
        &self.attrs.points
    }

    /// Returns the name of a point, or `None` if the product has no such point.
    pub fn point_name(&self, id: PointId) -> Option<&'a str> {
        self.attrs.names.get(id.index()).copied()
    }

    /// Returns the layout, with space for `S` different scales.
    ///
    /// # Errors
    /// [`ErrorKind::TooManyScales`] if the product has more different scales than `S`.
    pub fn layout<const S: usize>(&self) -> Result<Layout<N, S>, Error> {
        Layout::new(self.protocol, self.points())
    }
}

/// Returns whether arrays and objects are nested deeper than [`MAX_DEPTH`]. Parsing such a text could
/// overflow the stack.
#[must_use]
pub fn too_deep(json: &str) -> bool {
    is_deeper(json, MAX_DEPTH)
}

/// Returns whether arrays and objects are nested deeper than `limit`. The text does not have to be valid
/// JSON.
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

/// The members of a definition other than its points.
#[derive(Default)]
struct Head<'a> {
    name: Option<&'a str>,
    product_key: Option<&'a str>,
    /// Whether the version is supported, or `None` if there is no version.
    version: Option<bool>,
    protocol: Option<&'a str>,
    /// The number of entities.
    entities: Option<u32>,
    /// Whether the first entity has attrs.
    has_attrs: bool,
    /// Whether the definition has attrs outside an entity.
    has_outside: bool,
}

/// Reads a definition whose version is a `V`. The points are written to `attrs` in place: they are large, and
/// returning them would put several copies on a small stack.
fn read_json<'a, V: Deserialize<'a>, const N: usize>(
    json: &'a str,
    attrs: &mut Attrs<'a, N>,
    is_version: fn(V) -> bool,
) -> Result<Head<'a>, Error> {
    attrs.points.clear();
    attrs.names.clear();
    attrs.first = None;
    let mut head = Head::default();
    let reader = Reader {
        head: &mut head,
        attrs,
        is_version,
        level: Level::Product,
    };
    let mut json = serde_json_core::de::Deserializer::new(json.as_bytes(), None);
    let read = reader.deserialize(&mut json).and_then(|()| json.end());
    read.map_err(|_| Error::new(ErrorKind::Json))?;
    Ok(head)
}

/// A reader for one level of a definition, which writes into the head and the attrs.
struct Reader<'s, 'a, V, const N: usize> {
    head: &'s mut Head<'a>,
    attrs: &'s mut Attrs<'a, N>,
    is_version: fn(V) -> bool,
    level: Level,
}

#[derive(Clone, Copy)]
enum Level {
    Product,
    Entities,
    Entity,
    Attrs,
}

#[derive(serde::Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum Member {
    Name,
    ProductKey,
    #[serde(rename = "packetVersion")]
    Version,
    #[serde(rename = "protocolType")]
    Protocol,
    Entities,
    Attrs,
    #[serde(other)]
    Other,
}

/// Returns the error of a duplicate key, like code that serde derives.
fn once<E: de::Error>(is_again: bool) -> Result<(), E> {
    match is_again {
        true => Err(E::custom("duplicate key")),
        false => Ok(()),
    }
}

/// Reads the value of a key that must not be duplicate. null counts as absent.
fn put<'de, T: Deserialize<'de>, A: MapAccess<'de>>(
    slot: &mut Option<T>,
    map: &mut A,
) -> Result<(), A::Error> {
    once(slot.is_some())?;
    *slot = map.next_value()?;
    Ok(())
}

impl<'a, V, const N: usize> Reader<'_, 'a, V, N> {
    fn inner(&mut self, level: Level) -> Reader<'_, 'a, V, N> {
        Reader {
            head: self.head,
            attrs: self.attrs,
            is_version: self.is_version,
            level,
        }
    }
}

impl<'de: 'a, 'a, V: Deserialize<'de>, const N: usize> DeserializeSeed<'de>
    for Reader<'_, 'a, V, N>
{
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match self.level {
            Level::Product | Level::Entity => deserializer.deserialize_map(self),
            Level::Entities | Level::Attrs => deserializer.deserialize_seq(self),
        }
    }
}

impl<'de: 'a, 'a, V: Deserialize<'de>, const N: usize> Visitor<'de> for Reader<'_, 'a, V, N> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a definition with a list of one entity, which has a list of attrs")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key()? {
            match (self.level, key) {
                (Level::Product, Member::Name) => put(&mut self.head.name, &mut map)?,
                (Level::Product, Member::ProductKey) => put(&mut self.head.product_key, &mut map)?,
                (Level::Product, Member::Version) => {
                    once(self.head.version.is_some())?;
                    self.head.version = map.next_value::<Option<V>>()?.map(self.is_version);
                }
                (Level::Product, Member::Protocol) => put(&mut self.head.protocol, &mut map)?,
                (Level::Product, Member::Entities) => {
                    once(self.head.entities.is_some())?;
                    map.next_value_seed(self.inner(Level::Entities))?;
                }
                (Level::Entity, Member::Attrs) => {
                    once(self.head.has_attrs)?;
                    self.head.has_attrs = true;
                    map.next_value_seed(self.inner(Level::Attrs))?;
                }
                (level, key) => {
                    self.head.has_outside |=
                        matches!((level, key), (Level::Product, Member::Attrs));
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<(), A::Error> {
        if let Level::Attrs = self.level {
            while let Some(attr) = list.next_element()? {
                self.attrs.add(&attr);
            }
            return Ok(());
        }
        let mut entities = 0_u32;
        if list.next_element_seed(self.inner(Level::Entity))?.is_some() {
            entities = 1;
            while list.next_element::<IgnoredAny>()?.is_some() {
                entities = entities.saturating_add(1);
            }
        }
        self.head.entities = Some(entities);
        Ok(())
    }
}

/// The points, their names, and the first error.
#[derive(Clone, Debug, Default)]
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

    /// Checks the points against the rules and sorts them by id.
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

    // Not inlined, so that the tables leave the stack before the next step.
    #[inline(never)]
    fn check(&self, protocol: Protocol) -> Result<(), Error> {
        Layout::<N, N>::new(protocol, &self.points).map(|_| ())
    }
}
