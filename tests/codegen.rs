//! Generated code: it is rustfmt's, it compiles (with this test) without a warning, and it says what the
//! product says that is read at run time.

#[path = "codegen/names.rs"]
mod names;

/// The generated code of products with many scales. It is written for a module that an application may export.
#[allow(unreachable_pub)]
mod scales {
    include!(concat!(env!("OUT_DIR"), "/scales.rs"));
}

use std::collections::{HashMap, HashSet};
use std::fmt::Debug;
use std::io::{self, Write as _};
use std::process::{Command, Stdio};

use gizwits_codec_core::link::Link;
use gizwits_codec_core::model::{self, DefaultPolicy, Model, Policy, Replacement};
use gizwits_codec_core::uart::DeviceInfo;
use gizwits_codec_core::{
    Access, Action, Decimal, Encoder, Error, ErrorKind, Fixed, Kind, Layout, LayoutRef, P0, Point,
    PointId, PointValue, Protocol, Raw, Rounding, UintSpec, Value, View, m2m,
};
use gizwits_codec_std::codegen::Options;
use gizwits_codec_std::{Product, payload};
use gizwits_tests::arbitrary::{self, Draw};
use gizwits_tests::reference;
use gizwits_tests::vectors::{fixture, fixtures, product, vectors};
use gizwits_tests::{each_fixture, generated};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use serde_json::json;

/// Asserts that rustfmt leaves the code of a product as it is; holds without rustfmt.
fn is_formatted(name: &str, product: &Product) {
    is_formatted_with(name, product, &Options::new());
}

fn is_formatted_with(name: &str, product: &Product, options: &Options) {
    let code = options.rust(product);
    // The code has more than one application uses. No other warning is silenced.
    assert!(
        !code.replace("#[allow(dead_code)]", "").contains("#[allow"),
        "{name}"
    );
    let rustfmt = Command::new("rustfmt")
        .args(["--edition", "2024", "--check", "--color", "never"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let mut rustfmt = match rustfmt {
        Ok(rustfmt) => rustfmt,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return,
        Err(error) => panic!("rustfmt: {error}"),
    };
    let mut input = rustfmt.stdin.take().unwrap();
    let write = std::thread::spawn(move || input.write_all(code.as_bytes()));
    let output = rustfmt.wait_with_output().unwrap();
    write.join().unwrap().unwrap();
    assert!(output.status.success(), "{name}");
    // Of standard input it tells a difference by words alone, not by its status.
    let difference = String::from_utf8_lossy(&output.stdout);
    assert!(difference.is_empty(), "{name}: {difference}");
}

#[test]
fn it_is_as_rustfmt_has_it() {
    for name in fixtures() {
        is_formatted(&name, &product(&name));
        is_formatted_with(&name, &product(&name), &Options::new().defmt(true));
    }
}

/// A product with these attrs: name, data type, bits or bytes, and labels.
fn product_of(attrs: &[(String, &str, u32, Vec<String>)], protocol: &str) -> Product {
    let (mut bit, mut byte) = (0, 0);
    for (_, data_type, len, _) in attrs {
        byte += match *data_type {
            "bool" | "enum" => *len,
            _ => 0,
        };
    }
    byte = byte.div_ceil(8);
    let attrs = attrs
        .iter()
        .enumerate()
        .map(|(id, (name, data_type, len, labels))| {
            let is_bits = matches!(*data_type, "bool" | "enum");
            let (unit, place) = if is_bits {
                ("bit", &mut bit)
            } else {
                ("byte", &mut byte)
            };
            let start = *place;
            *place += len;
            let mut attr = json!({
                "id": id, "name": name, "type": "status_writable", "data_type": data_type,
                "position": {"unit": unit, "len": len,
                    "byte_offset": if is_bits { 0 } else { start },
                    "bit_offset": if is_bits { start } else { 0 }},
            });
            if *data_type == "enum" {
                attr["enum"] = json!(labels);
            }
            if data_type.starts_with("uint") {
                attr["uint_spec"] =
                    json!({"min": 3, "max": 200, "ratio": 12345.678, "addition": -98765.4321});
            }
            attr
        });
    let attrs: Vec<_> = attrs.collect();
    let json = json!({
        "name": "odd", "product_key": "0123456789abcdef0123456789abcdef", "protocolType": protocol,
        "packetVersion": "0x00000004", "entities": [{"id": 0, "name": "entity0", "attrs": attrs}],
    });
    Product::from_json(&json.to_string()).unwrap()
}

/// However many points there are, however long their names and labels are, wherever they stand.
#[test]
fn it_is_as_rustfmt_has_it_for_long_and_for_many() {
    let long = |n: usize| format!("a_name_of_a_point_of_40_characters_{n:05}");
    let humps = |n: usize| format!("{}{n:03}", "aB".repeat(18));
    for protocol in ["standard", "var_len"] {
        for len in [1, 6, 320] {
            let binaries: Vec<_> = (0..200)
                .map(|n| (long(n), "binary", len, Vec::new()))
                .collect();
            is_formatted("binaries", &product_of(&binaries, protocol));
        }
        let labels = [
            "x".repeat(100_000),
            "word ".repeat(200),
            "中".repeat(80),
            "b".repeat(40),
            humps(1),
        ];
        let enums: Vec<_> = [3, 8, 9, 17, 32]
            .iter()
            .map(|bits| (humps(*bits as usize), "enum", *bits, labels.to_vec()))
            .collect();
        is_formatted("labels", &product_of(&enums, protocol));
        // Behind 60,000 bytes.
        let mut all = vec![
            (humps(0), "bool", 1, Vec::new()),
            ("fill".to_owned(), "binary", 60_000, Vec::new()),
        ];
        for (n, (data_type, len)) in
            (1..).zip([("uint8", 1), ("uint16", 2), ("uint32", 4), ("uint32", 4)])
        {
            all.push((humps(n), data_type, len, Vec::new()));
        }
        is_formatted("far", &product_of(&all, protocol));
        for (data_type, len) in [
            ("bool", 1),
            ("enum", 1),
            ("uint8", 1),
            ("uint32", 4),
            ("binary", 1),
        ] {
            let names =
                ["a", "b"].map(|name| (name.to_owned(), data_type, len, vec!["c".to_owned()]));
            is_formatted(data_type, &product_of(&names[..1], protocol));
            is_formatted(data_type, &product_of(&names, protocol));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// Names and labels of all kinds, fields in all places.
    #[test]
    fn it_is_as_rustfmt_has_it_whatever_the_definition(bytes in vec(any::<u8>(), 0..1500), var_len in any::<bool>()) {
        let protocol = if var_len { arbitrary::Protocol::VarLen } else { arbitrary::Protocol::Standard };
        let json = arbitrary::definition(&mut Draw::new(&bytes), protocol);
        let product = Product::from_json(&json.to_string()).unwrap();
        is_formatted("drawn", &product);
        names::starts(&product);
    }
}

/// The values in a struct's `Debug`, in the order of the fields.
fn shown(text: &str) -> Vec<String> {
    let inner = text
        .split_once(" { ")
        .map_or("", |(_, rest)| rest.trim_end_matches(" }"));
    let (mut parts, mut depth) = (vec![String::new()], 0);
    for one in inner.chars() {
        match one {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        parts.last_mut().unwrap().push(one);
    }
    let value = |part: String| part.split_once(": ").map(|(_, value)| value.to_owned());
    parts.into_iter().filter_map(value).collect()
}

/// Returns the text of the generated field that holds this reading. The text of a label is its index.
fn expected(product: &Product, reading: &PointValue<'_, '_>) -> String {
    let attr = product.attr(reading.id()).unwrap();
    match reading.value() {
        Value::Bool(value) => value.to_string(),
        Value::Enum(index) if index as usize >= attr.labels().len() => format!("Unknown({index})"),
        Value::Enum(index) => format!("label {index}"),
        Value::Binary(bytes) => format!("{bytes:?}"),
        Value::Number(number) => {
            let scale = product.layout().scale(reading.id()).unwrap();
            let (coefficient, places) = (number.coefficient(), scale.decimals());
            assert_eq!(number.scale(), places);
            match places {
                0 => coefficient.to_string(),
                _ => format!("Fixed({coefficient})"),
            }
        }
    }
}

/// The opposite of the default policy.
enum KeepsNumbers {}

impl Policy for KeepsNumbers {
    const NUMBERS: Replacement = Replacement::Keep;
    const ENUMS: Replacement = Replacement::Saturate;
}

/// One fixture's generated code against the product that is read at run time.
struct Twin<'p> {
    product: &'p Product,
    /// The variant of each index of each enum, as it was met.
    variants: HashMap<(u16, u32), String>,
}

impl Twin<'_> {
    /// Whether the fields of a control show the valid readings of a view; all others show as `None`.
    fn shows(&mut self, fields: &[String], view: View<'_, '_>) {
        let layout = self.product.layout();
        let writable: Vec<_> = (0..layout.point_count())
            .map(PointId)
            .filter(|id| layout.access(*id) == Some(Access::Writable))
            .collect();
        assert_eq!(writable.len(), fields.len());
        for (id, field) in writable.into_iter().zip(fields) {
            match view.read(id).filter(|reading| reading.flagged().is_none()) {
                Some(reading) => {
                    let field = field.trim_start_matches("Some(").trim_end_matches(')');
                    self.is(field, &reading);
                }
                None => assert_eq!(field, "None"),
            }
        }
    }

    /// Whether something sets in a status the readings of a view that `sets` picks, and nothing else.
    fn changes<M: Model>(
        &mut self,
        view: View<'_, '_>,
        sets: impl Fn(&PointValue<'_, '_>) -> bool,
        change: impl FnOnce(&mut M::Status),
    ) where
        M::Status: Debug + Default,
    {
        let mut status = M::Status::default();
        let before = shown(&format!("{status:?}"));
        change(&mut status);
        let after = shown(&format!("{status:?}"));
        assert_eq!(
            before.len(),
            usize::from(self.product.layout().point_count())
        );
        for ((before, after), id) in before.iter().zip(&after).zip(0..) {
            match view.read(PointId(id)).filter(&sets) {
                Some(reading) => self.is(after, &reading),
                None => assert_eq!(before, after),
            }
        }
    }

    /// Whether a field shows a reading.
    fn is(&mut self, field: &str, reading: &PointValue<'_, '_>) {
        let id = reading.id();
        let kind = self.product.attr(id).unwrap().point().kind;
        let expected = expected(self.product, reading);
        match (kind, reading.raw()) {
            (Kind::Enum { .. }, Raw::Number(index)) if !expected.starts_with("Unknown") => {
                let variant = self
                    .variants
                    .entry((id.0, index))
                    .or_insert_with(|| field.to_owned());
                assert_eq!(variant, field);
            }
            // The bracket of a Fixed or Unknown may have gone with that of the Some.
            _ => assert_eq!(field.trim_end_matches(')'), expected.trim_end_matches(')')),
        }
    }

    /// Whether `Model::encode` names the points of a status that are flagged, writes them as the policy
    /// says, and all others as they are. `last` are valid values.
    fn encodes<M: Model>(&self, values: &M::Values, last: &M::Values) {
        let whole = |values: &M::Values| match M::LAYOUT.protocol() {
            Protocol::Standard => values.as_ref().to_vec(),
            Protocol::VarLen => [&full_mask(M::LAYOUT)[..], values.as_ref()].concat(),
        };
        let status = M::decode(values);
        let body = whole(values);
        let view = M::LAYOUT.view(&body).unwrap();
        let flagged: Vec<_> = view
            .iter()
            .filter_map(|one| Some((one.id(), one.flagged()?)))
            .collect();

        // As the encoder has it: bits of no point are 0.
        let kept = whole(last);
        let kept = M::LAYOUT.view(&kept).unwrap();
        let expected = |keeps: fn(Kind) -> bool| {
            let mut out = vec![0; M::LAYOUT.p0_len(Action::Report)];
            let mut report = Encoder::begin(M::LAYOUT, Action::Report, &mut out).unwrap();
            for one in &view {
                let (id, point) = (one.id(), self.product.attr(one.id()).unwrap().point());
                let (_, max) = M::LAYOUT.limits(id).unwrap_or_default();
                match one.flagged() {
                    None => report.set(id, one.value()).unwrap(),
                    Some(_) if keeps(point.kind) => {
                        report.set_raw(id, kept.raw(id).unwrap()).unwrap()
                    }
                    Some(ErrorKind::BelowMin) => {
                        let (min, _) = M::LAYOUT.limits(id).unwrap();
                        report.set_raw(id, min).unwrap();
                    }
                    Some(_) => report.set_raw(id, max).unwrap(),
                }
            }
            report.finish().to_vec()
        };
        let is_enum = |kind| matches!(kind, Kind::Enum { .. });
        self.writes::<M, DefaultPolicy>(&status, last, &flagged, &expected(is_enum));
        self.writes::<M, KeepsNumbers>(
            &status,
            last,
            &flagged,
            &expected(|kind| !matches!(kind, Kind::Enum { .. })),
        );

        let strict = model::encode::<M>(&status).map(|values| values.as_ref().to_vec());
        match flagged.first() {
            Some((id, kind)) => {
                assert_eq!(
                    strict.map_err(|error| (error.point, error.kind)),
                    Err((Some(*id), *kind))
                );
            }
            None => assert!(expected(|_| true).ends_with(&strict.unwrap())),
        }
        // A report of the status, if it can be reported.
        let len = M::LAYOUT.p0_len(Action::Report);
        let mut out = vec![0xaa; len + 1];
        let report = model::encode_report::<M>(&status, &mut out).map(<[u8]>::to_vec);
        match flagged.first() {
            Some((id, kind)) => assert_eq!(report, Err(Error::new(*kind).about(*id))),
            None => assert_eq!(report, Ok(expected(|_| true))),
        }
        let needed = len as u32;
        let refused = model::encode_report::<M>(&status, &mut out[..len - 1]);
        assert_eq!(refused, Err(Error::new(ErrorKind::OutOfSpace { needed })));
    }

    fn writes<M: Model, P: Policy>(
        &self,
        status: &M::Status,
        last: &M::Values,
        flagged: &[(PointId, ErrorKind)],
        expected: &[u8],
    ) {
        let (mut values, mut told) = (M::VALUES, Vec::new());
        M::encode::<P>(status, last, &mut values, &mut |point, kind| {
            told.push((point, kind));
        });
        assert_eq!(told, flagged);
        assert!(expected.ends_with(values.as_ref()), "{expected:02x?}");
    }

    fn p0<M: Model>(&mut self, p0: &[u8])
    where
        M::Status: Debug + Default,
        M::Control: Debug,
    {
        match P0::parse(M::LAYOUT, p0) {
            Ok(P0::Control(view)) => {
                let invalid: Vec<_> = view
                    .iter()
                    .filter_map(|one| Some((one.id(), one.flagged()?)))
                    .collect();
                let update = model::update::<M>(p0).unwrap();
                assert_eq!(update.is_valid(), invalid.is_empty());
                let mut told = Vec::new();
                let control = update.control(|point, kind| told.push((point, kind)));
                assert_eq!(told, invalid);
                self.shows(&shown(&format!("{control:?}")), view);
                self.sends::<M>(&control, view);
                // To a status it does the same, and nothing else.
                told.clear();
                self.changes::<M>(
                    view,
                    |reading| reading.flagged().is_none(),
                    |status| update.apply(status, |point, kind| told.push((point, kind))),
                );
                assert_eq!(told, invalid);
                Self::merges_nothing::<M>(p0);
            }
            Ok(P0::Reply(view) | P0::Report(view)) => {
                let merge = |status: &mut _| model::merge::<M>(p0, status).unwrap();
                self.changes::<M>(view, |_| true, merge);
            }
            Ok(_) => Self::merges_nothing::<M>(p0),
            Err(error) if p0.first() == Some(&Action::Control.code(M::LAYOUT.protocol())) => {
                assert!(model::update::<M>(p0).is_none(), "{error}: {p0:02x?}");
            }
            Err(error) => assert_eq!(model::merge::<M>(p0, &mut M::Status::default()), Err(error)),
        }
    }

    /// A control has the bytes that the encoder writes for the valid points of a view, and becomes the control again.
    fn sends<M: Model>(&self, control: &M::Control, view: View<'_, '_>)
    where
        M::Control: Debug,
    {
        let len = M::LAYOUT.p0_len(Action::Control);
        let (mut out, mut expected) = (vec![0xaa; len + 3], vec![0xaa; len]);
        let mut encoder =
            Encoder::begin(self.product.layout(), Action::Control, &mut expected).unwrap();
        for one in view.iter().filter(|one| one.flagged().is_none()) {
            encoder.set(one.id(), one.value()).unwrap();
        }
        let p0 = model::encode_control::<M>(control, &mut out).unwrap();
        assert_eq!(p0, encoder.finish());
        let sent = p0.to_vec();
        let update = model::update::<M>(p0).unwrap();
        let again = update.control(|point, kind| panic!("{point}: {kind}"));
        assert_eq!(format!("{again:?}"), format!("{control:?}"));
        let needed = len as u32;
        let refused = model::encode_control::<M>(control, &mut out[..len - 1]);
        assert_eq!(refused, Err(Error::new(ErrorKind::OutOfSpace { needed })));

        // In a frame it is the same P0.
        for sn in [None, Some(7)] {
            let room = len + model::FRAME_OVERHEAD;
            let mut out = vec![0xaa; room];
            let frame = model::encode_control_frame::<M>(control, sn, &mut out).unwrap();
            let expected = m2m::Frame {
                flag: 0,
                command: if sn.is_some() {
                    m2m::REQUEST
                } else {
                    m2m::TO_DEVICE
                },
                sn,
                did: None,
                body: &sent,
            };
            assert_eq!(
                m2m::parse(frame, room),
                Ok((m2m::Event::Frame(expected), &[][..]))
            );
            let refused = model::encode_control_frame::<M>(control, sn, &mut out[1..]);
            let needed = room as u32;
            assert_eq!(refused, Err(Error::new(ErrorKind::OutOfSpace { needed })));
        }
    }

    fn merges_nothing<M: Model>(p0: &[u8])
    where
        M::Status: Default,
    {
        let refused = Error::new(ErrorKind::WrongAction).at(0);
        assert_eq!(
            model::merge::<M>(p0, &mut M::Status::default()),
            Err(refused)
        );
    }
}

fn full_mask(layout: LayoutRef<'_>) -> Vec<u8> {
    let mut mask = vec![0; layout.mask_len()];
    for id in 0..layout.point_count() {
        let byte = mask.len() - 1 - usize::from(id / 8);
        mask[byte] |= 1 << (id % 8);
    }
    mask
}

fn agrees<M: Model>(name: &str, bytes: &[u8])
where
    M::Status: Debug + Default,
    M::Control: Debug,
{
    let product = product(name);
    assert_eq!(M::LAYOUT, product.layout(), "{name}");
    let mut twin = Twin {
        product: &product,
        variants: HashMap::new(),
    };
    // A status to begin with is one that can be reported, and a link can be made.
    assert!(model::encode::<M>(&M::Status::default()).is_ok(), "{name}");
    let mut values = M::VALUES;
    let info = DeviceInfo::new(M::PRODUCT_KEY);
    assert_eq!(info.product_key(), product.product_key().as_bytes());
    let mut room = vec![0; Link::<M>::room()];
    let mut sent = 0;
    let mut link: Link<'_, M> = Link::new(&info, &mut room);
    let _ = link.poll(0, &M::Status::default(), &mut |_| sent += 1);
    assert!(sent > values.as_ref().len() && sent <= Link::<M>::longest(0));

    for file in ["standard.json", "var_len.json"] {
        for vector in vectors(file) {
            if vector["definition"] != name {
                continue;
            }
            let bytes = payload::parse(vector["payload"].as_str().unwrap(), None).unwrap();
            let bytes = match m2m::parse(&bytes, 65_536) {
                Ok((m2m::Event::Frame(frame), _)) => frame.body.to_vec(),
                _ => bytes,
            };
            twin.p0::<M>(&bytes);
        }
    }

    // Any values, and any as they should be.
    let mut draw = Draw::new(bytes);
    let json: serde_json::Value = serde_json::from_str(&fixture(name)).unwrap();
    let points = reference::points(&json);
    let random = draw.bytes(M::LAYOUT.status_len());
    let sound = arbitrary::raw_values(&mut draw, &points, true);
    let body = match M::LAYOUT.protocol() {
        Protocol::Standard => reference::encode_status(&points, &sound),
        Protocol::VarLen => {
            reference::encode_var_len(&points, &sound)[M::LAYOUT.mask_len()..].to_vec()
        }
    };
    let mut last = M::VALUES;
    last.as_mut().copy_from_slice(&body);
    values.as_mut().copy_from_slice(&random);
    twin.encodes::<M>(&values, &last);
    twin.encodes::<M>(&last, &last);
    let code = |action: Action| action.code(M::LAYOUT.protocol());
    let whole = match M::LAYOUT.protocol() {
        Protocol::Standard => body,
        Protocol::VarLen => [&full_mask(M::LAYOUT)[..], &body].concat(),
    };
    twin.p0::<M>(&[&[code(Action::Report)], &whole[..]].concat());
    twin.p0::<M>(&[&[code(Action::Report)], &whole[1..]].concat());
    if M::LAYOUT.protocol() == Protocol::VarLen {
        let mut some = sound.clone();
        some.retain(|_, _| draw.bool());
        let some = reference::encode_var_len(&points, &some);
        twin.p0::<M>(&[&[code(Action::Report)], &some[..]].concat());
    }

    let mut some = sound;
    some.retain(|id, _| {
        *id < points.len() && points[*id].access == reference::RefAccess::Writable && draw.bool()
    });
    let control = match M::LAYOUT.protocol() {
        Protocol::Standard => reference::encode_control(&points, &some),
        Protocol::VarLen => reference::encode_var_len(&points, &some),
    };
    let mut control = [&[code(Action::Control)], &control[..]].concat();
    twin.p0::<M>(&control);
    if control.len() > 1 {
        let at = draw.below(control.len() as u32 - 1) as usize + 1;
        control[at] ^= 1 << draw.below(8);
        twin.p0::<M>(&control);
        twin.p0::<M>(&control[..at]);
    }
    twin.p0::<M>(&[&control[..], &draw.bytes(1)].concat());
    twin.p0::<M>(&[&[code(Action::Report)], &whole[..], &draw.bytes(1)].concat());

    let distinct: HashSet<_> = twin
        .variants
        .iter()
        .map(|((id, _), name)| (id, name))
        .collect();
    assert_eq!(
        distinct.len(),
        twin.variants.len(),
        "{name}: two indices are one variant"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn it_says_what_the_product_says(bytes in vec(any::<u8>(), 0..4000)) {
        macro_rules! agree {
            ($module:ident, $name:literal) => {
                agrees::<generated::$module::Product>($name, &bytes);
            };
        }
        each_fixture!(agree);
    }
}

/// A control with an invalid value is refused with the error of the first such point.
#[test]
fn invalid_controls() {
    use generated::climate::{self, id::TARGET_TEMPERATURE};
    use generated::product_a::{Control, WorkMode, id};
    let refused = |control: &Control| control.encode(&mut [0; 16]).map(<[u8]>::to_vec);
    let error = |id: PointId, kind| Err(Error::new(kind).about(id));
    let valid = Control {
        switch: Some(true),
        target_temp: Some(30),
        ..Control::default()
    };
    assert_eq!(refused(&valid), Ok(vec![0x01, 0x41, 0x01, 0, 0, 30]));
    let mut invalid = Control {
        target_temp: Some(15),
        ..valid.clone()
    };
    assert_eq!(
        refused(&invalid),
        error(id::TARGET_TEMP, ErrorKind::BelowMin)
    );
    invalid.on_hours = Some(25);
    assert_eq!(refused(&invalid), error(id::ON_HOURS, ErrorKind::AboveMax));
    invalid.work_mode = Some(WorkMode::Unknown(7));
    assert_eq!(
        refused(&invalid),
        error(id::WORK_MODE, ErrorKind::PastLabels)
    );

    // The minimum is -40.0.
    let cold = climate::Control {
        target_temperature: Some(Fixed(-401)),
        ..climate::Control::default()
    };
    let refused = cold.encode(&mut [0; 64]).map(<[u8]>::to_vec);
    assert_eq!(refused, error(TARGET_TEMPERATURE, ErrorKind::BelowMin));
}

/// Holds the generated code of a product of many scales against its layout, for raw values that come from
/// `raws`, all points having the same at a time.
fn scales<M: Model>(json: &str, bytes: usize, raws: impl Iterator<Item = u32>)
where
    M::Status: Debug + Default,
    M::Control: Debug,
{
    let product = Product::from_json(json).unwrap();
    assert!(product.layout().point_count() > 150);
    assert_eq!(M::LAYOUT, product.layout());
    let mut twin = Twin {
        product: &product,
        variants: HashMap::new(),
    };
    for (turn, raw) in raws.enumerate() {
        let mut values = M::VALUES;
        for place in values.as_mut().chunks_mut(bytes) {
            place.copy_from_slice(&raw.to_be_bytes()[4 - bytes..]);
        }
        let status = M::decode(&values);
        let (mut again, mut invalid) = (M::VALUES, Vec::new());
        M::encode::<DefaultPolicy>(&status, &values, &mut again, &mut |point, kind| {
            invalid.push((point, kind));
        });
        let view = product.layout().view(values.as_ref()).unwrap();
        let mut expected = Vec::new();
        for ((id, before), after) in (0..)
            .map(PointId)
            .zip(values.as_ref().chunks(bytes))
            .zip(again.as_ref().chunks(bytes))
        {
            let (min, max) = product.layout().limits(id).unwrap();
            let raw_again = after
                .iter()
                .fold(0, |raw, byte| raw << 8 | u32::from(*byte));
            assert_eq!(
                raw_again,
                raw.clamp(min, max),
                "{before:02x?} of point {id:?}"
            );
            if raw < min {
                expected.push((id, ErrorKind::BelowMin));
            } else if raw > max {
                expected.push((id, ErrorKind::AboveMax));
            }
        }
        assert_eq!(invalid, expected, "raw {raw}");
        // Text is slow: now and then.
        if turn % 251 == 0 {
            let fields = shown(&format!("{status:?}"));
            for (field, reading) in fields.iter().zip(&view) {
                twin.is(field, &reading);
            }
            let body = [&full_mask(M::LAYOUT)[..], values.as_ref()].concat();
            twin.p0::<M>(&[&[0x01], &body[..]].concat());
        }
    }
}

#[test]
fn any_scale_8() {
    use scales::scales_8::{JSON, Product};
    scales::<Product>(JSON, 1, 0..=255);
}

#[test]
fn any_scale_16() {
    use scales::scales_16::{JSON, Product};
    scales::<Product>(JSON, 2, 0..=65_535);
}

#[test]
fn any_scale_32() {
    use scales::scales_32::{JSON, Product};
    let edges = [
        0,
        1,
        u32::MAX / 3,
        u32::MAX / 3 + 1,
        u32::MAX / 3 * 2,
        u32::MAX,
    ];
    let spread = (0..2_000_u32).map(|turn| turn.wrapping_mul(2_654_435_761));
    scales::<Product>(JSON, 4, edges.into_iter().chain(spread));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// The generated code treats each number of a status, on a step or not, within its limits or not, as the encoder does.
    #[test]
    fn numbers_are_settled_as_the_encoder_says(
        ratio in prop_oneof![1_i64..20, 1_i64..1_000_000],
        addition in prop_oneof![-100_i64..100, -1_000_000_000_i64..1_000_000_000],
        limits in any::<(u8, u8)>(),
        any_distance in prop_oneof![-100_i64..30_000, any::<i32>().prop_map(i64::from)],
        // Half of the values are a limit, or lie beside one.
        near in option::of((any::<bool>(), -1_i64..=1, -2_i64..=2)),
    ) {
        let (min, max) = (u32::from(limits.0.min(limits.1)), u32::from(limits.0.max(limits.1)));
        let distance = match near {
            None => any_distance,
            Some((upper, raws, units)) => ratio * (i64::from(if upper { max } else { min }) + raws) + units,
        };
        let value = addition + distance;
        let spec = UintSpec::new(min, max).scaled(Decimal::from(ratio), Decimal::from(addition));
        let points = [Point::uint8(0, Access::ReadOnly, 0, spec)];
        let layout: Layout<1, 1> = Layout::new(Protocol::Standard, &points).unwrap();
        let encoded = |rounding| {
            let mut out = [0; 2];
            let mut report = Encoder::begin(layout.get(), Action::Report, &mut out).unwrap().rounding(rounding);
            report.set(PointId(0), Value::Number(value.into()))?;
            Ok(u32::from(report.finish()[1]))
        };
        let expected = encoded(Rounding::Exact).map_err(|error: Error| error.kind);
        let nearest = match expected {
            Ok(raw) => raw,
            Err(ErrorKind::BelowMin) => min,
            Err(ErrorKind::AboveMax) => max,
            Err(_) => encoded(Rounding::HalfUp).unwrap(),
        };
        let mut told = Vec::new();
        let mut invalid = |point, kind| told.push((point, kind));
        let kept = || (min + max) / 2;
        let wide = model::unscaled_wide::<DefaultPolicy>(0, value, (ratio, addition), (min, max), kept, &mut invalid);
        let keeps = model::unscaled_wide::<KeepsNumbers>(0, value, (ratio, addition), (min, max), kept, &mut invalid);
        prop_assert_eq!(wide, nearest);
        prop_assert_eq!(keeps, if expected.is_ok() { nearest } else { kept() });
        let top = ratio * 255;
        if let (Ok(narrow), Ok(ratio), Ok(addition), Ok(_), Ok(_)) = (
            i32::try_from(value), i32::try_from(ratio), i32::try_from(addition), i32::try_from(top), i32::try_from(top + addition),
        ) {
            let narrow = model::unscaled::<DefaultPolicy>(0, narrow, (ratio, addition), (min, max), kept, &mut invalid);
            prop_assert_eq!(narrow, nearest);
        }
        for one in told {
            prop_assert_eq!(Some(one), expected.err().map(|kind| (PointId(0), kind)));
        }
    }
}
