//! Arrow, Parquet and CSV: what is read back is what the slow decoder has, point by point and row by row.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::sync::Arc;

use arrow_array::types::{
    Float64Type, Int16Type, Int32Type, Int64Type, TimestampMillisecondType, UInt8Type, UInt16Type,
    UInt32Type,
};
use arrow_array::{Array, RecordBatch, cast::AsArray as _};
use arrow_ipc::reader::{FileReader, StreamReader};
use arrow_schema::{DataType, Schema};
use bytes::Bytes;
use gizwits_codec_std::log::{
    Arrow, Batches, Csv, Decoder, Log, Ndjson, Numbers, Options, Parquet, Products, Source,
    TableOptions, schema,
};
use gizwits_codec_std::{Product, payload};
use gizwits_tests::arbitrary::{self, Draw, Protocol};
use gizwits_tests::reference::{self, Raw, RefKind, RefPoint, stands_twice};
use gizwits_tests::vectors;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

/// Tables with the column `extra`.
const EXTRA: TableOptions = TableOptions {
    extra: true,
    ..TableOptions::DEFAULT
};

/// A record, and what its row should have.
#[derive(Debug)]
struct Row {
    millis: Option<i64>,
    kind: Option<&'static str>,
    did: Option<String>,
    /// Whether the line says it.
    named: bool,
    extra: Option<u32>,
    action: &'static str,
    p0: Vec<u8>,
    values: BTreeMap<usize, Raw>,
}

impl Row {
    /// Some message: none, some or all of the points, whatever their values are.
    fn draw(points: &[RefPoint], protocol: Protocol, draw: &mut Draw<'_>) -> Row {
        let writable = reference::flags_len(points) > 0;
        let (action, code) = match draw.below(8) {
            0 => ("read", 2),
            1 | 2 if writable => ("control", 1),
            3 => ("reply", 3),
            _ => ("report", 4),
        };
        let mut some = BTreeMap::new();
        let all = draw.bool();
        for point in points {
            if point.access != reference::RefAccess::Writable && action == "control" {
                continue;
            }
            if all || draw.bool() {
                let raw = match point.kind {
                    RefKind::Binary => Raw::Bytes(draw.bytes(point.len)),
                    _ => {
                        let bits = if point.bit { point.len } else { 8 * point.len };
                        let bytes = draw.bytes(4).try_into().expect("four");
                        Raw::Number((u32::from_be_bytes(bytes) >> (32 - bits)).into())
                    }
                };
                some.insert(point.id, raw);
            }
        }
        let (p0, values) = match (protocol, action) {
            (Protocol::Standard, "read") => (vec![2], None),
            (Protocol::VarLen, "read") => {
                let mask = vec![0; reference::mask_len(points)];
                ([&[0x12], &mask[..]].concat(), None)
            }
            (Protocol::Standard, "control") => {
                let body = reference::encode_control(points, &some);
                let values = reference::decode_control(points, &body);
                ([&[1], &body[..]].concat(), values)
            }
            (Protocol::Standard, _) => {
                let body = reference::encode_status(points, &some);
                let values = reference::decode_status(points, &body);
                ([&[code], &body[..]].concat(), values)
            }
            (Protocol::VarLen, _) => {
                let body = reference::encode_var_len(points, &some);
                let values = reference::decode_var_len(points, &body);
                ([&[code | 0x10], &body[..]].concat(), values)
            }
        };
        let millis = 1_517_384_243_000 + i64::from(draw.below(100_000));
        Row {
            millis: draw.chance(80).then_some(millis),
            kind: draw.chance(80).then_some("dev2app"),
            did: draw.chance(50).then(|| format!("d{}é", draw.below(10))),
            named: true,
            extra: draw.chance(20).then(|| draw.below(1000)),
            action,
            p0,
            values: values.into_iter().flatten().collect(),
        }
    }

    fn line(&self) -> String {
        let mut line = json!({
            "type": self.kind, "did": self.did.as_ref().filter(|_| self.named), "payload": payload::hex(&self.p0),
            "timestamp": self.millis,
        });
        if let Some(extra) = self.extra {
            line["x"] = extra.into();
        }
        format!("{line}\n")
    }
}

/// Reports and replies have all that their device said so far.
fn fill_up(rows: &mut [Row]) {
    let mut known: BTreeMap<Option<String>, BTreeMap<usize, Raw>> = BTreeMap::new();
    for row in rows {
        if let "report" | "reply" = row.action {
            let known = known.entry(row.did.clone()).or_default();
            known.append(&mut row.values);
            row.values = known.clone();
        }
    }
}

/// Returns the text of a point as the slow decoder reads it.
fn expected(point: &RefPoint, raw: &Raw) -> String {
    match (&point.kind, raw) {
        (_, Raw::Bytes(bytes)) => payload::hex(bytes),
        (RefKind::Bool, Raw::Number(raw)) => (*raw != 0).to_string(),
        (RefKind::Enum(labels), Raw::Number(raw)) => match labels.get(*raw as usize) {
            Some(label) if !stands_twice(labels, label) => label.clone(),
            _ => raw.to_string(),
        },
        (_, Raw::Number(raw)) => reference::engineering(point, *raw),
    }
}

/// Returns the text of a row in a column, or `None` if it is null.
fn found(column: &dyn Array, row: usize) -> Option<String> {
    column.is_valid(row).then(|| match column.data_type() {
        DataType::Boolean => column.as_boolean().value(row).to_string(),
        DataType::Dictionary(..) => {
            let column = column.as_dictionary::<UInt8Type>();
            let key = column.key(row).expect("it is valid");
            column.values().as_string::<i32>().value(key).to_owned()
        }
        DataType::Utf8 => column.as_string::<i32>().value(row).to_owned(),
        DataType::Binary => payload::hex(column.as_binary::<i32>().value(row)),
        DataType::UInt8 => column.as_primitive::<UInt8Type>().value(row).to_string(),
        DataType::UInt16 => column.as_primitive::<UInt16Type>().value(row).to_string(),
        DataType::UInt32 => column.as_primitive::<UInt32Type>().value(row).to_string(),
        DataType::Int16 => column.as_primitive::<Int16Type>().value(row).to_string(),
        DataType::Int32 => column.as_primitive::<Int32Type>().value(row).to_string(),
        DataType::Int64 => column.as_primitive::<Int64Type>().value(row).to_string(),
        DataType::Decimal128(_, places) => {
            assert!(*places > 0, "a whole number is no decimal");
            let text = column
                .as_primitive::<arrow_array::types::Decimal128Type>()
                .value_as_string(row);
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        }
        DataType::Timestamp(_, zone) => {
            assert_eq!(zone.as_deref(), Some("UTC"));
            let column = column.as_primitive::<TimestampMillisecondType>();
            column.value(row).to_string()
        }
        other => panic!("no column is of {other}"),
    })
}

/// The columns of a record stand before those of the points.
const HEAD: usize = 5;

fn check_rows(points: &[RefPoint], batch: &RecordBatch, rows: &[Row]) {
    batch.columns().iter().for_each(|column| {
        column.to_data().validate_full().expect("a sound array");
    });
    assert_eq!(
        (batch.num_rows(), batch.num_columns()),
        (rows.len(), HEAD + points.len())
    );
    for (n, row) in rows.iter().enumerate() {
        let head = [
            row.millis.map(|millis| millis.to_string()),
            row.kind.map(str::to_owned),
            row.did.clone(),
            Some(row.action.to_owned()),
            row.extra.map(|extra| format!("{{\"x\":{extra}}}")),
        ];
        let values = points
            .iter()
            .map(|point| Some(expected(point, row.values.get(&point.id)?)));
        for (at, wanted) in head.into_iter().chain(values).enumerate() {
            let name = batch.schema_ref().field(at).name().clone();
            assert_eq!(found(batch.column(at), n), wanted, "{name} of {row:?}");
        }
    }
}

/// The cells of CSV as RFC 4180 has it.
fn cells(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell) = (Vec::new(), Vec::new(), String::new());
    let mut quoted = false;
    let mut rest = text.chars().peekable();
    while let Some(one) = rest.next() {
        match one {
            '"' if quoted && rest.peek() == Some(&'"') => cell.extend(rest.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut cell)),
            '\r' if !quoted => {
                assert_eq!(rest.next(), Some('\n'));
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            one => cell.push(one),
        }
    }
    assert!(!quoted && row.is_empty() && cell.is_empty());
    rows
}

/// Checks CSV in the same way. A cell without a value is empty.
fn check_csv(points: &[RefPoint], batch: &RecordBatch, csv: &str, rows: &[Row]) {
    let csv = cells(csv);
    let names = batch.schema();
    let names = names.fields().iter().map(|field| field.name());
    assert!(csv[0].iter().eq(names), "{:?}", csv[0]);
    assert_eq!(csv.len(), 1 + rows.len());
    for (found, row) in csv[1..].iter().zip(rows) {
        let time = row.millis.map(|millis| {
            let time = jiff::Timestamp::from_millisecond(millis).expect("a moment");
            time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
        });
        let head = [
            time,
            row.kind.map(str::to_owned),
            row.did.clone(),
            Some(row.action.to_owned()),
            row.extra.map(|extra| format!("{{\"x\":{extra}}}")),
        ];
        let values = points.iter().map(|point| {
            let raw = row.values.get(&point.id)?;
            Some(match (&point.kind, raw) {
                (RefKind::Bool, Raw::Number(raw)) => raw.to_string(),
                _ => expected(point, raw),
            })
        });
        let wanted = head
            .into_iter()
            .chain(values)
            .map(Option::unwrap_or_default);
        assert!(
            wanted.clone().eq(found.iter().cloned()),
            "{found:?} of {row:?}"
        );
    }
}

fn check_schema(json: &Value, points: &[RefPoint], product: &Product, schema: &Schema) {
    let attrs = json["entities"][0]["attrs"].as_array().expect("attrs");
    let definition = &schema.metadata["gizwits.definition"];
    assert_eq!(*definition, product.to_json());
    let again = Product::from_json(definition).expect("the definition");
    assert_eq!(again.to_json(), *definition);
    assert_eq!(again.layout(), product.layout());
    assert_eq!(
        schema.metadata["gizwits.product_key"],
        product.product_key()
    );
    for (point, field) in points.iter().zip(&schema.fields()[HEAD..]) {
        let found = |key: &str| field.metadata().get(&format!("gizwits.{key}")).cloned();
        assert!(field.is_nullable());
        assert!(field.name().ends_with(&point.name), "{}", field.name());
        assert_eq!(found("id"), Some(point.id.to_string()));
        let attr = attrs.iter().find(|attr| attr["name"] == point.name);
        for (key, least) in [("display_name", None), ("desc", Some(1))] {
            let text = attr.and_then(|attr| attr[key].as_str()).unwrap_or_default();
            let text = Some(text.to_owned()).filter(|text| Some(text.len()) >= least);
            assert_eq!(found(key), text, "{key} of {point:?}");
        }
        let number = matches!(point.kind, RefKind::Uint { .. });
        let ratio = RefPoint {
            addition: "0".to_owned(),
            ..point.clone()
        };
        for (key, value) in [
            ("ratio", reference::engineering(&ratio, 1)),
            ("addition", reference::engineering(point, 0)),
            ("min", reference::engineering(point, point.min)),
            ("max", reference::engineering(point, point.max)),
        ] {
            assert_eq!(found(key), number.then_some(value), "{key} of {point:?}");
        }
    }
}

/// With other types of numbers, a table has the double nearest to each number or its raw value, and the column of
/// flagged points has the names that NDJSON has.
fn check_numbers(
    points: &[RefPoint],
    product: &Product,
    options: Options,
    lines: &str,
    rows: &[Row],
) {
    let products = Products::one(product.clone());
    let mut ndjson = Vec::new();
    let source = || [Source::new("rows", Cursor::new(lines.to_owned()))];
    let log = || Log::new(&products).options(options);
    let format = Ndjson::new(&products, &mut ndjson);
    log().decode(source(), format).expect("memory");
    let flagged = String::from_utf8(ndjson).expect("UTF-8");
    let flagged = flagged.lines().map(|line| {
        let json: Value = serde_json::from_str(line).expect("JSON");
        let names = json["flagged"].as_object().into_iter().flatten();
        let mut names: Vec<String> = names.map(|(name, _)| name.clone()).collect();
        names.sort();
        names
    });
    let flagged: Vec<Vec<String>> = flagged.collect();
    for numbers in [Numbers::Float64, Numbers::Raw] {
        let table = TableOptions {
            flagged: true,
            numbers,
            ..TableOptions::DEFAULT
        };
        let mut parquet = Vec::new();
        let format = Parquet::new(product, table, &mut parquet).expect("memory");
        log().decode(source(), format).expect("memory");
        let parquet =
            ParquetRecordBatchReaderBuilder::try_new(Bytes::from(parquet)).expect("a file");
        assert_eq!(parquet.schema().metadata["gizwits.numbers"], numbers.name());
        let parquet = parquet
            .with_batch_size(rows.len())
            .build()
            .expect("a reader");
        let batches: Vec<RecordBatch> = parquet.map(Result::unwrap).collect();
        let [batch] = &batches[..] else {
            panic!("{} batches", batches.len());
        };
        assert_eq!(batch.schema_ref().field(4).name(), "flagged");
        for (n, row) in rows.iter().enumerate() {
            let list = batch.column(4).as_list::<i32>().value(n);
            let mut names: Vec<&str> = list.as_string::<i32>().iter().flatten().collect();
            names.sort_unstable();
            assert_eq!(names, flagged[n], "{row:?}");
            for (column, point) in batch.columns()[HEAD..].iter().zip(points) {
                let (RefKind::Uint { .. }, value) = (&point.kind, row.values.get(&point.id)) else {
                    continue;
                };
                let expected = value.map(|raw| match (numbers, raw) {
                    (Numbers::Raw, Raw::Number(raw)) => raw.to_string(),
                    _ => {
                        let exact = expected(point, raw);
                        let double: f64 = exact.parse().expect("a number");
                        double.to_string()
                    }
                });
                let found = match column.data_type() {
                    DataType::Float64 => {
                        let column = column.as_primitive::<Float64Type>();
                        column.is_valid(n).then(|| column.value(n).to_string())
                    }
                    _ => found(column, n),
                };
                assert_eq!(found, expected, "{} of {row:?}", point.name);
            }
        }
    }
}

/// A log of some messages in batches, and in every format.
/// Reports and replies may be filled up, and all be of one device, which some of them name.
fn check(
    definition: &Value,
    protocol: Protocol,
    (fill, device): (bool, Option<&str>),
    draw: &mut Draw<'_>,
    count: usize,
) {
    let points = reference::points(definition);
    let product = Product::from_json(&definition.to_string()).expect("a sound definition");
    check_schema(definition, &points, &product, &schema(&product, EXTRA));
    let options = Options {
        keep: true,
        fill,
        ..Options::default()
    };
    let mut rows: Vec<Row> = (0..count)
        .map(|_| Row::draw(&points, protocol, draw))
        .collect();
    for row in &mut rows {
        if let Some(device) = device {
            row.named = row.did.is_some();
            row.did = Some(device.to_owned());
        } else if fill {
            // Who names no device is rejected.
            row.did.get_or_insert_default().push('!');
        }
    }
    if fill && protocol == Protocol::VarLen {
        fill_up(&mut rows);
    }
    let products = Products::one(product.clone());
    let decoder = || Decoder::new(&products, options, Batches::new(&product, EXTRA));
    let batch = |decoder: &mut Decoder<Batches>, rows: &[Row]| {
        let lines: String = rows.iter().map(Row::line).collect();
        let mut block = None;
        decoder.set_device(device);
        decoder.lines(lines.as_bytes(), &mut block, |_, line, error| {
            panic!("{error}: {}", line.escape_ascii())
        });
        decoder.end(&mut block).expect("memory");
        block.inspect(|batch| check_rows(&points, batch, rows))
    };
    // One after the other by the same worker: what was before leaves nothing behind.
    let mut worker = decoder();
    let (one, two) = rows.split_at(count / 3);
    batch(&mut worker, one);
    batch(&mut worker, two);
    assert!(batch(&mut worker, &[]).is_none());
    let whole = batch(&mut decoder(), &rows).expect("a batch");

    let [mut file, mut stream, mut parquet, mut csv] = [const { Vec::new() }; 4];
    let lines: String = rows.iter().map(Row::line).collect();
    // One block, that is, one batch.
    assert!(lines.len() < 1 << 20);
    let input = || {
        let mut source = Source::new("rows", Cursor::new(lines.clone()));
        source.did = device.map(str::to_owned);
        [source]
    };
    let log = || Log::new(&products).options(options);
    let arrow = Arrow::file(&product, EXTRA, &mut file).expect("memory");
    log().decode(input(), arrow).expect("memory");
    let arrow = Arrow::stream(&product, EXTRA, &mut stream).expect("memory");
    log().decode(input(), arrow).expect("memory");
    let format = Parquet::new(&product, EXTRA, &mut parquet).expect("memory");
    log().decode(input(), format).expect("memory");
    let format = Csv::new(&product, EXTRA, &mut csv).expect("memory");
    log().decode(input(), format).expect("memory");
    if device.is_none() {
        // The types of numbers don't depend on the number of rows, and NDJSON is slow to read.
        let some = &rows[..rows.len().min(300)];
        let lines: String = some.iter().map(Row::line).collect();
        check_numbers(&points, &product, options, &lines, some);
    }
    check_csv(
        &points,
        &whole,
        &String::from_utf8(csv).expect("UTF-8"),
        &rows,
    );

    let file = FileReader::try_new(Cursor::new(file), None).expect("a file");
    let stream = StreamReader::try_new(Cursor::new(stream), None).expect("a stream");
    let parquet = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(parquet)).expect("a file");
    // Its batches don't have the metadata.
    let schema_of_parquet = Arc::clone(parquet.schema());
    let parquet = parquet.with_batch_size(count).build().expect("a reader");
    let read: [(_, Vec<RecordBatch>); 3] = [
        (file.schema(), file.map(Result::unwrap).collect()),
        (stream.schema(), stream.map(Result::unwrap).collect()),
        (schema_of_parquet, parquet.map(Result::unwrap).collect()),
    ];
    for (schema, batches) in read {
        assert_eq!(schema, whole.schema());
        assert_eq!(batches.len(), 1);
        assert_eq!(batches[0].columns(), whole.columns());
    }
}

/// Parts of a message that are no points are in the column `extra`.
#[test]
fn what_is_missing_or_extra() {
    let product = vectors::product("names-var-len");
    let products = Products::one(product.clone());
    let options = Options {
        lax: true,
        keep: true,
        ..Options::default()
    };
    let mut decoder = Decoder::new(&products, options, Batches::new(&product, EXTRA));
    let lines = [
        r#"{"payload":"1300400a0102"}"#,
        r#"{"n":1,"payload":"1400c00a01"}"#,
        r#"{"n":2,"payload":"14f0400a"}"#,
        r#"{"n":3,"payload":"1400400a"}"#,
        r#"{"payload":"1400400a"}"#,
    ];
    let mut block = None;
    decoder.lines(lines.join("\n").as_bytes(), &mut block, |_, _, error| {
        panic!("{error}")
    });
    assert_eq!((decoder.take_inexact(), decoder.take_inexact()), (2, 0));
    decoder.end(&mut block).expect("memory");
    let batch = block.expect("a batch");
    let extra = batch.column_by_name("extra").expect("a column");
    let extra: Vec<Option<&str>> = extra.as_string::<i32>().iter().collect();
    let expected = [
        Some(r#"{"extra":"0102"}"#),
        Some(r#"{"n":1,"missing":1}"#),
        Some(r#"{"n":2,"surplus_flags":[12,13,14,15]}"#),
        Some(r#"{"n":3}"#),
        None,
    ];
    assert_eq!(extra, expected);
    let fast = batch.column_by_name("2fast").expect("a column");
    assert_eq!(fast.null_count(), 0);
}

/// More bytes than are turned into columns at once.
const MANY: usize = 65 << 10;

/// Checks the tables of each fixture of a protocol.
fn fixtures(protocol: Protocol) {
    for name in vectors::fixtures() {
        let definition: Value = serde_json::from_str(&vectors::fixture(&name)).unwrap();
        let is_var_len = definition["protocolType"] == "var_len";
        if is_var_len != (protocol == Protocol::VarLen) {
            continue;
        }
        let count = MANY / (8 + vectors::product(&name).layout().status_len()) + 1;
        let mut seed = 1_u32;
        let bytes = std::iter::repeat_with(|| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 24) as u8
        });
        let bytes: Vec<u8> = bytes.take(400 * count).collect();
        let check = |how, count| check(&definition, protocol, how, &mut Draw::new(&bytes), count);
        check((false, None), count);
        check((false, Some("dé")), 99);
        if protocol == Protocol::VarLen {
            check((true, None), count);
            check((true, Some("dé")), 99);
        }
    }
}

#[test]
fn standard_fixtures() {
    fixtures(Protocol::Standard);
}

#[test]
fn var_len_fixtures() {
    fixtures(Protocol::VarLen);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn standard(bytes in vec(any::<u8>(), 0..3000)) {
        let mut draw = Draw::new(&bytes);
        let definition = arbitrary::definition(&mut draw, Protocol::Standard);
        let device = draw.bool().then_some("\"d");
        check(&definition, Protocol::Standard, (false, device), &mut draw, 9);
    }

    #[test]
    fn var_len(bytes in vec(any::<u8>(), 0..3000)) {
        let mut draw = Draw::new(&bytes);
        let definition = arbitrary::definition(&mut draw, Protocol::VarLen);
        let how = (draw.bool(), draw.bool().then_some("\"d"));
        check(&definition, Protocol::VarLen, how, &mut draw, 9);
    }
}
