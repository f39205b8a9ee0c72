//! The scalar functions.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, BinaryArray, DictionaryArray, RecordBatch, StringArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Int8Type};
use datafusion::object_store::memory::InMemory;
use datafusion::object_store::{ObjectStoreExt as _, path::Path};
use url::Url;

use crate::{cells, failure, fixture, rows, session};

/// A report, a read, a rejected payload, null, and the report in a frame.
const PAYLOADS: [Option<&str>; 5] = [
    Some("0401000010280000"),
    Some("02"),
    Some("0401"),
    None,
    Some("000000030b0000900401000010280000"),
];

#[tokio::test]
async fn every_type_of_payload() {
    let texts: ArrayRef = Arc::new(StringArray::from(PAYLOADS.to_vec()));
    let bytes = |text: &str| gizwits_codec_std::payload::parse(text, None).unwrap();
    let bytes = PAYLOADS.iter().map(|text| text.map(bytes));
    let bytes: ArrayRef = Arc::new(bytes.collect::<BinaryArray>());
    let dictionary: DictionaryArray<Int8Type> = PAYLOADS.into_iter().collect();
    let mut columns: Vec<ArrayRef> = vec![Arc::new(dictionary)];
    for to in [DataType::Utf8, DataType::LargeUtf8, DataType::Utf8View] {
        columns.push(cast(&texts, &to).unwrap());
    }
    for to in [
        DataType::Binary,
        DataType::LargeBinary,
        DataType::BinaryView,
    ] {
        columns.push(cast(&bytes, &to).unwrap());
    }
    for column in columns {
        let shown = column.data_type().to_string();
        let context = session();
        let batch = RecordBatch::try_from_iter([("payload", column)]).unwrap();
        context.register_batch("log", batch).unwrap();
        let found = cells(
            &context,
            "SELECT gizwits_attr('ac', payload, 'room_temp'), gizwits_action(payload),
                    gizwits_error('ac', payload)['kind'], gizwits_error('ac', payload)['byte'],
                    gizwits_decode('ac', payload) IS NULL
             FROM log",
        )
        .await;
        let expected = [
            "30,report,,,false",
            ",read,,,false",
            ",report,incomplete,2,true",
            ",,,,true",
            "30,report,,,false",
        ];
        assert_eq!(found, expected, "{shown}");
    }
}

/// Binary payloads of one length are decoded together, and have the rows of their hex: also in a slice of a column, and with
/// a rejected payload among them.
#[tokio::test]
async fn payloads_of_one_length() {
    let report = "000000030b0000910401000010280000";
    let lists: [&[&str]; 5] = [
        &[],
        &[report],
        &[report, "000000030b0000910401000010320000", report],
        &[report, "000000030b0000920401000010320000", report],
        &["0401000010280000", "0402", "0401000010280000"],
    ];
    for payloads in lists {
        let bytes = |text: &&str| gizwits_codec_std::payload::parse(text, None).unwrap();
        let first = vec![b"another".to_vec()];
        let bytes: Vec<Vec<u8>> = first
            .into_iter()
            .chain(payloads.iter().map(bytes))
            .collect();
        let bytes = BinaryArray::from_iter_values(bytes).slice(1, payloads.len());
        let texts: ArrayRef = Arc::new(StringArray::from(payloads.to_vec()));
        let large = cast(&bytes, &DataType::LargeBinary).unwrap();
        let context = session();
        let batch = RecordBatch::try_from_iter([
            ("hex", texts),
            ("bytes", Arc::new(bytes) as _),
            ("large", large),
        ]);
        context.register_batch("log", batch.unwrap()).unwrap();
        let decoded = async |column: &str| {
            let query = format!(
                "SELECT gizwits_decode('ac', {column}) IS NULL, (gizwits_decode('ac', {column})).mode,
                        (gizwits_decode('ac', {column})).set_temp, gizwits_attr('ac', {column}, 'room_temp')
                 FROM log"
            );
            cells(&context, &query).await
        };
        let expected = decoded("hex").await;
        assert_eq!(expected.len(), payloads.len());
        assert_eq!(decoded("bytes").await, expected, "{payloads:?}");
        assert_eq!(decoded("large").await, expected, "{payloads:?}");
    }
}

#[tokio::test]
async fn every_form_of_definition() {
    let context = session();
    let json = std::fs::read_to_string(fixture("air-conditioner")).unwrap();
    let store = Arc::new(InMemory::new());
    let path = Path::from("definitions/ac.json");
    store.put(&path, json.clone().into()).await.unwrap();
    context.register_object_store(&Url::parse("mem://bucket").unwrap(), store);
    for definition in [
        "ac".to_owned(),
        fixture("air-conditioner"),
        json.replace('\'', "''"),
        "mem://bucket/definitions/ac.json".to_owned(),
    ] {
        let query =
            format!("SELECT gizwits_attr('{definition}', '0401000010280000', 'mode') AS mode");
        assert_eq!(cells(&context, &query).await, ["制冷"]);
    }
}

#[tokio::test]
async fn structs_are_typed() {
    let context = session();
    let query = "SELECT gizwits_decode('ac', '0401000010280000', 'set_temp', 'switch') AS d,
                        (gizwits_decode('ac', '0401000010280000')).fan_speed AS f";
    let schema = rows(&context, query).await[0].schema();
    let DataType::Struct(fields) = schema.field(0).data_type() else {
        panic!("{schema}");
    };
    let types: Vec<_> = fields
        .iter()
        .map(|field| format!("{} {}", field.name(), field.data_type()))
        .collect();
    assert_eq!(types, ["set_temp UInt8", "switch Boolean"]);
    assert_eq!(fields[0].metadata()["gizwits.max"], "30");
    let enumerated = DataType::Dictionary(DataType::UInt8.into(), DataType::Utf8.into());
    assert_eq!(*schema.field(1).data_type(), enumerated);
    // A struct has the columns of a table.
    let unnested = rows(
        &context,
        "SELECT unnest(gizwits_decode('ac', '0401000010280000'))",
    );
    assert_eq!(unnested.await[0].num_columns(), 11);
}

#[tokio::test]
async fn encoding() {
    let context = session();
    for (values, payload) in [
        (
            "{switch: true, set_temp: 24, fan_speed: '中风'}",
            "014911000018",
        ),
        ("{set_temp: 24.0}", "014000000018"),
        ("{set_temp: CAST(24 AS DECIMAL(5, 2))}", "014000000018"),
        ("{mode: 2, switch: 1}", "010509000000"),
        ("{mode: NULL, switch: 1}", "010101000000"),
    ] {
        let query = format!("SELECT gizwits_encode('ac', 'control', {values})");
        assert_eq!(cells(&context, &query).await, [payload], "{values}");
    }
    // A decoded report is encoded to the same report.
    let query = "SELECT gizwits_encode('ac', 'report', gizwits_decode('ac', payload)) = payload
                 FROM (VALUES ('0401000010280000'), ('04160105181e0301')) AS log(payload)";
    assert_eq!(cells(&context, query).await, ["true", "true"]);
}

#[tokio::test]
async fn errors_say_what_is_expected() {
    let context = session();
    for (query, expected) in [
        (
            "gizwits_decode('none.json', payload)",
            "cannot read the definition",
        ),
        (
            "gizwits_decode('{\"a\": 1}', payload)",
            "the given JSON is not a definition:\n1:1: ",
        ),
        (
            "gizwits_decode(payload, payload)",
            "the definition must be a literal text",
        ),
        (
            "gizwits_attr('ac', payload, 'rom_temp')",
            "unknown point `rom_temp`: did you mean `room_temp`?",
        ),
        (
            "gizwits_decode('ac', payload, 'mode', 'mode')",
            "attribute `mode` is given twice",
        ),
        (
            "gizwits_decode('ac', 1)",
            "the payload of gizwits_decode is Int64: expected text or binary",
        ),
        (
            "gizwits_encode('ac', 'set', {set_temp: 24})",
            "unknown action `set`: expected 'control', 'read', 'reply' or 'report'",
        ),
        (
            "gizwits_encode('ac', 'control', {temp: 24})",
            "unknown point `temp`",
        ),
        (
            "gizwits_encode('ac', 'control', {set_temp: 99})",
            "set_temp = 99 is above its maximum 30",
        ),
        (
            "gizwits_encode('ac', 'control', 1)",
            "the values of gizwits_encode are Int64: expected a struct",
        ),
    ] {
        let query = format!("SELECT {query} FROM (VALUES ('02')) AS log(payload)");
        let error = failure(&context, &query).await;
        assert!(error.contains(expected), "{query}: {error}");
    }
}
