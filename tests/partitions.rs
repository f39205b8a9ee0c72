//! A log in partitions, with some of its actions, or cut into runs: together they are what the whole log is.

use std::collections::BTreeMap;
use std::io::{self, Cursor, Read, Write};
use std::sync::{Arc, Mutex};

use arrow_array::types::UInt8Type;
use arrow_array::{Array as _, ArrayRef, RecordBatch, cast::AsArray as _};
use arrow_ipc::reader::FileReader;
use bytes::Bytes;
use gizwits_codec_std::log::{
    Arrow, Csv, Format, Log, Ndjson, Only, Options, Parquet, Partition, Partitioned, Products,
    Source, Span, States, TableOptions, Timestamp,
};
use gizwits_codec_std::{Action, Product, State, payload};
use gizwits_tests::arbitrary::Draw;
use gizwits_tests::vectors;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use proptest::prelude::*;
use serde_json::{Value, json};

/// A file in memory that can be read while a format owns it.
#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Vec<u8>>>);

impl Memory {
    fn bytes(&self) -> Vec<u8> {
        self.0.lock().unwrap().clone()
    }
}

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

const PARTITIONS: [Partition; 5] = [
    Partition {
        time: Some(Span::Day),
        did: false,
    },
    Partition {
        time: Some(Span::Hour),
        did: false,
    },
    Partition {
        time: None,
        did: true,
    },
    Partition {
        time: Some(Span::Day),
        did: true,
    },
    Partition {
        time: Some(Span::Hour),
        did: true,
    },
];

const DIDS: [&str; 4] = ["a", "b/c d", "é", "A"];

/// Lines with dids and times, or without, in no order of time: whole statuses, controls, reads and messages with some of
/// the points.
fn lines(product: &Product, count: usize) -> Vec<String> {
    let mut seed = 7_u32;
    let bytes = std::iter::repeat_with(|| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 24) as u8
    });
    let bytes: Vec<u8> = bytes.take(100 * count).collect();
    let mut draw = Draw::new(&bytes);
    let layout = product.layout();
    let var_len = product.protocol().name() == "var_len";
    let line = |n: usize| {
        let p0 = match (draw.below(6), var_len) {
            (0, false) => vec![2],
            (0, true) => [vec![0x12], vec![0; layout.mask_len()]].concat(),
            (action, false) => {
                let code = if action == 1 { 3 } else { 4 };
                [vec![code], draw.bytes(layout.status_len())].concat()
            }
            (action, true) => {
                // The first or the last byte point: other points have no value.
                let mut message = product.message(Action::Report);
                let name = ["volume_set", "brightness"][draw.below(2) as usize];
                let level = draw.below(101).to_string();
                message.set_word(name, &level).unwrap();
                let mut p0 = message.encode().unwrap();
                p0[0] = if action == 1 { 0x13 } else { 0x14 };
                p0
            }
        };
        let mut line = json!({"type": "dev2app", "payload": payload::hex(&p0)});
        if draw.chance(85) {
            line["did"] = DIDS[draw.below(4) as usize].into();
        } else if draw.chance(30) {
            line["did"] = "".into();
        }
        if draw.chance(85) {
            let millis = 1_517_384_243_000_i64 + i64::from(draw.below(200_000_000)) - 100_000_000;
            line["timestamp"] = json!(millis as f64 / 1000.0);
        }
        line["n"] = n.into();
        format!("{line}\n")
    };
    (0..count).map(line).collect()
}

/// A reader of a few lines at a time, each of which an eager log takes for a block.
struct Pieces(Cursor<String>);

impl Read for Pieces {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let len = to.len().min(3000);
        self.0.read(&mut to[..len])
    }
}

fn source(text: &str) -> [Source; 1] {
    [Source::new("log", Pieces(Cursor::new(text.to_owned())))]
}

/// The folders of a partitioned log and their files.
fn folders<F: Format + Send + 'static>(
    log: Log<'_>,
    text: &str,
    partition: Partition,
    format: impl Fn(Memory) -> F,
) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let open = |folder: &str| {
        let memory = Memory::default();
        assert!(files.insert(folder.to_owned(), memory.clone()).is_none());
        Ok(format(memory))
    };
    let mut partitioned = Partitioned::new(partition, format(Memory::default()), open);
    log.decode(source(text), &mut partitioned).unwrap();
    let untimed = text
        .lines()
        .filter(|line| !line.contains("timestamp"))
        .count();
    let untimed = if partition.time.is_some() {
        untimed as u64
    } else {
        0
    };
    assert_eq!(partitioned.untimed(), untimed);
    drop(partitioned);
    files
        .into_iter()
        .map(|(folder, file)| (folder, file.bytes()))
        .collect()
}

/// The records of a single file by the folder in which they belong, in the order of the file.
fn expected(
    rows: Vec<(Option<String>, Option<String>, String)>,
    partition: Partition,
) -> BTreeMap<String, Vec<String>> {
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (time, did, row) in rows {
        let time = time.as_deref().map(|time| Timestamp::new(time).unwrap());
        let folder = partition.folder(time.as_ref(), did.as_deref());
        all.entry(folder).or_default().push(row);
    }
    all
}

/// The rows of a table as text, with time and did. `did` is the column of the did, which partitioned tables lack.
fn rows(batches: &[RecordBatch], did: bool) -> Vec<(Option<String>, Option<String>, String)> {
    let mut rows = Vec::new();
    for batch in batches {
        for n in 0..batch.num_rows() {
            let cell = |name: &str| {
                let column = batch.column_by_name(name)?.slice(n, 1);
                column.is_valid(0).then_some(column)
            };
            let time = cell("timestamp").map(|time| {
                let time = time.as_primitive::<arrow_array::types::TimestampMillisecondType>();
                time.value(0).to_string()
            });
            let own = did.then(|| cell("did")).flatten();
            let own = own.map(|did| did.as_string::<i32>().value(0).to_owned());
            let schema = batch.schema();
            let cells = schema.fields().iter().zip(batch.columns());
            let cells = cells.filter(|(field, _)| field.name() != "did");
            let text = cells.map(|(_, column)| cell_text(&column.slice(n, 1)));
            rows.push((time, own, text.collect()));
        }
    }
    rows
}

/// The text of the only row of a column. The dictionary of a column may have other values than that of another file.
fn cell_text(column: &ArrayRef) -> String {
    match column.as_dictionary_opt::<UInt8Type>() {
        Some(column) => {
            let values = column.values().as_string::<i32>();
            format!("{:?}", column.key(0).map(|key| values.value(key)))
        }
        None => format!("{column:?}"),
    }
}

fn arrow(file: Vec<u8>) -> Vec<RecordBatch> {
    FileReader::try_new(Cursor::new(file), None)
        .unwrap()
        .map(Result::unwrap)
        .collect()
}

fn parquet(file: Vec<u8>) -> Vec<RecordBatch> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(file)).unwrap();
    reader.build().unwrap().map(Result::unwrap).collect()
}

proptest! {
    /// The folder of a time is that of its day or hour in UTC, also before 1970.
    #[test]
    fn folders_are_days_and_hours(
        millis in prop_oneof![-200_000_000_i64..200_000_000, -60_000_000_000_000_i64..200_000_000_000_000],
    ) {
        let time = jiff::Timestamp::from_millisecond(millis).unwrap();
        let json = format!("\"{time}\"");
        let record = Timestamp::new(&json).unwrap();
        for (span, pattern) in [(Span::Day, "day=%Y-%m-%d"), (Span::Hour, "day=%Y-%m-%d/hour=%H")] {
            let partition = Partition { time: Some(span), did: false };
            prop_assert_eq!(partition.folder(Some(&record), None), time.strftime(pattern).to_string());
        }
    }

    /// A did can be read from the name of its folder: a byte that is no letter or digit may be a percent sign and two
    /// hex digits.
    #[test]
    fn folders_have_the_did(did in "[\\x00-\\x7f机é]{1,20}") {
        let folder = Partition { time: None, did: true }.folder(None, Some(&did));
        let mut bytes = folder.strip_prefix("did=").unwrap().bytes();
        let mut read = Vec::new();
        while let Some(byte) = bytes.next() {
            read.push(match byte {
                b'%' => {
                    let digits = [bytes.next().unwrap(), bytes.next().unwrap()];
                    u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
                }
                byte => byte,
            });
        }
        prop_assert_eq!(read, did.as_bytes());
    }
}

/// Partitions together are the single file: every record is in its folder, in the order of the log.
#[test]
fn partitions_are_the_whole() {
    for name in ["air-conditioner", "product-b", "voice-toy"] {
        let product = vectors::product(name);
        let products = Products::one(product.clone());
        let text = lines(&product, 250).concat();
        let log = || {
            Log::new(&products)
                .options(Options {
                    keep: true,
                    ..Options::default()
                })
                .eager(true)
                .threads(3)
        };
        for partition in PARTITIONS {
            let ndjson = |out| Ndjson::new(&products, out);
            let whole = Memory::default();
            log().decode(source(&text), ndjson(whole.clone())).unwrap();
            let whole = String::from_utf8(whole.bytes()).unwrap();
            let whole = whole.lines().map(|line| {
                let json: Value = serde_json::from_str(line).unwrap();
                let time = json.get("timestamp").map(Value::to_string);
                (
                    time,
                    json["did"].as_str().map(str::to_owned),
                    line.to_owned(),
                )
            });
            let whole = expected(whole.collect(), partition);
            let parts = folders(log(), &text, partition, ndjson);
            let parts = parts.into_iter().map(|(folder, file)| {
                let text = String::from_utf8(file).unwrap();
                (folder, text.lines().map(str::to_owned).collect::<Vec<_>>())
            });
            assert!(parts.eq(whole), "{name} {partition:?}");

            let options = TableOptions {
                extra: true,
                ..TableOptions::DEFAULT
            };
            let parted = TableOptions {
                partition,
                ..options
            };
            let texts = |batches: Vec<RecordBatch>| -> Vec<String> {
                let rows = rows(&batches, false);
                rows.into_iter().map(|(_, _, row)| row).collect()
            };
            let table = Memory::default();
            log()
                .decode(
                    source(&text),
                    Arrow::file(&product, options, table.clone()).unwrap(),
                )
                .unwrap();
            let whole = expected(rows(&arrow(table.bytes()), true), partition);
            let format = |out| Arrow::file(&product, parted, out).unwrap();
            let parts = folders(log(), &text, partition, format);
            let parts = parts
                .into_iter()
                .map(|(folder, file)| (folder, texts(arrow(file))));
            assert!(parts.eq(whole.clone()), "{name} {partition:?}");
            let format = |out| Parquet::new(&product, parted, out).unwrap();
            let parts = folders(log(), &text, partition, format);
            let parts = parts
                .into_iter()
                .map(|(folder, file)| (folder, texts(parquet(file))));
            assert!(parts.eq(whole.clone()), "{name} {partition:?}");

            let format = |out| Csv::new(&product, parted, out).unwrap();
            let parts = folders(log(), &text, partition, format);
            let count = |file: Vec<u8>| String::from_utf8(file).unwrap().lines().count() - 1;
            let parts = parts
                .into_iter()
                .map(|(folder, file)| (folder, count(file)));
            let whole = whole.into_iter().map(|(folder, rows)| (folder, rows.len()));
            assert!(parts.eq(whole), "{name} {partition:?}");
        }
    }
}

/// The keys of the partition are no columns, and a point never has the name of one.
#[test]
fn keys_are_no_columns() {
    let definition = vectors::fixture("air-conditioner").replace("\"room_temp\"", "\"hour\"");
    let product = Product::from_json(&definition).unwrap();
    let names = |partition| {
        let options = TableOptions {
            partition,
            ..TableOptions::DEFAULT
        };
        let schema = gizwits_codec_std::log::schema(&product, options);
        let names: Vec<String> = schema
            .fields()
            .iter()
            .map(|field| field.name().clone())
            .collect();
        let mut csv = Vec::new();
        Csv::new(&product, options, &mut csv).unwrap();
        assert_eq!(String::from_utf8(csv).unwrap(), names.join(",") + "\r\n");
        names
    };
    let has = |names: &[String], name: &str| names.iter().any(|own| own == name);
    let none = names(Partition::default());
    assert!(has(&none, "did") && has(&none, "hour"));
    let day = names(Partition {
        time: Some(Span::Day),
        did: true,
    });
    assert!(!has(&day, "did") && has(&day, "hour"));
    let hour = names(Partition {
        time: Some(Span::Hour),
        did: false,
    });
    assert!(has(&hour, "did") && !has(&hour, "hour") && has(&hour, "attrs.hour"));
}

/// A record whose device can't have a folder is rejected, in every form of records, and the others are written.
#[test]
fn devices_without_a_folder() {
    let product = vectors::product("air-conditioner");
    let products = Products::one(product.clone());
    let null = "__HIVE_DEFAULT_PARTITION__";
    // 251 bytes after `did=` are 255. Another byte is too many, also if percent-encoding adds it.
    let dids = [
        ("a".repeat(251), true),
        ("a".repeat(252), false),
        ("é".repeat(41) + "aaaaa", true),
        ("é".repeat(41) + "aaaaaa", false),
        (null.to_owned(), false),
        (format!("{null}_"), true),
        (String::new(), true),
        ("..".to_owned(), true),
    ];
    let status = payload::hex(&[vec![4], vec![0; product.layout().status_len()]].concat());
    let mut text = String::new();
    for (did, _) in &dids {
        for payload in ["014000000018", "02", &status] {
            text += &format!("{}\n", json!({"did": did, "payload": payload}));
        }
    }
    for partition in PARTITIONS.iter().filter(|partition| partition.did) {
        let mut folders = Vec::new();
        let format = || Ndjson::new(&products, io::sink());
        let open = |folder: &str| {
            folders.push(folder.rsplit('/').next().unwrap().to_owned());
            Ok(format())
        };
        let partitioned = Partitioned::new(*partition, format(), open);
        let mut rejects = Vec::new();
        let log = Log::new(&products).threads(1).rejects(&mut rejects);
        // Left out before it has a folder.
        let only = Only::new(partitioned, [Action::Control, Action::Report]);
        let summary = log.decode(source(&text), only).unwrap();
        assert_eq!(summary.rejected, BTreeMap::from([("partition", 2 * 3)]));
        assert_eq!(summary.decoded, summary.records - 6);
        let written = dids.iter().filter(|(_, written)| *written);
        let expected = written.map(|(did, _)| partition.folder(None, Some(did)));
        let expected = expected.map(|folder| folder.rsplit('/').next().unwrap().to_owned());
        assert_eq!(folders, expected.collect::<Vec<_>>());
        assert!(folders.iter().all(|folder| folder.len() <= 255));
        let rejects = String::from_utf8(rejects).unwrap();
        assert!(
            rejects.contains("have 256 bytes, expected at most 255"),
            "{rejects}"
        );
        assert!(
            rejects.contains("a did can't be `__HIVE_DEFAULT_PARTITION__`"),
            "{rejects}"
        );
    }
    // Without a folder for each device, every did is as good as another.
    let day = Partitioned::new(PARTITIONS[0], Ndjson::new(&products, io::sink()), |_| {
        Ok(Ndjson::new(&products, io::sink()))
    });
    let summary = Log::new(&products).decode(source(&text), day).unwrap();
    assert_eq!(summary.decoded, summary.records);
}

/// More partitions than the limit are an error that names the limit.
#[test]
fn partitions_are_limited() {
    let product = vectors::product("air-conditioner");
    let products = Products::one(product.clone());
    let text = lines(&product, 100).concat();
    let run = |limit| {
        let partition = Partition {
            time: None,
            did: true,
        };
        let format = || Ndjson::new(&products, io::sink());
        let partitioned = Partitioned::new(partition, format(), |_| Ok(format()));
        Log::new(&products).decode(source(&text), partitioned.limit(limit))
    };
    assert!(run(DIDS.len() + 1).is_ok());
    let error = run(DIDS.len()).unwrap_err().to_string();
    assert!(
        error.starts_with("the log has more than 4 partitions"),
        "{error}"
    );
}

/// The records of some actions are those that the whole log has, and the others are counted.
#[test]
fn only_some_actions() {
    let product = vectors::product("air-conditioner");
    let products = Products::one(product.clone());
    let text = lines(&product, 5000).concat();
    let run = |actions: Option<&[Action]>| {
        let mut out = Vec::new();
        let ndjson = Ndjson::new(&products, &mut out);
        let left_out = match actions {
            None => Log::new(&products).decode(source(&text), ndjson).map(|_| 0),
            Some(actions) => {
                let mut only = Only::new(ndjson, actions.iter().copied());
                let summary = Log::new(&products).decode(source(&text), &mut only);
                assert_eq!(summary.unwrap().decoded, 5000);
                Ok(only.left_out())
            }
        };
        (String::from_utf8(out).unwrap(), left_out.unwrap())
    };
    let (whole, _) = run(None);
    for (actions, words) in [
        (&[Action::Read][..], &["\"read\""][..]),
        (
            &[Action::Report, Action::Reply],
            &["\"report\"", "\"reply\""],
        ),
        (&[], &[]),
    ] {
        let (some, left_out) = run(Some(actions));
        let chosen = |line: &&str| words.iter().any(|word| line.contains(word));
        let expected: Vec<&str> = whole.lines().filter(chosen).collect();
        assert_eq!(some.lines().collect::<Vec<_>>(), expected);
        assert_eq!(left_out as usize, 5000 - expected.len());
        assert!(actions.is_empty() || !expected.is_empty());
    }
}

/// The states of several products are saved in the order of the products and of the dids, and each is restored with its
/// product.
#[test]
fn saved_states_of_two_products() {
    let (toy, pump) = (vectors::product("voice-toy"), vectors::product("wave-pump"));
    let products = Products::several(vec![toy.clone(), pump.clone()]).unwrap();
    let devices = [
        ("d", &pump, "1400000000000000000101"),
        ("b", &toy, "140801"),
        ("c", &pump, "1400000000000000000100"),
        ("a", &toy, "140802"),
    ];
    let log = devices.map(|(did, product, p0)| {
        let key = product.product_key();
        format!("{{\"did\":\"{did}\",\"product_key\":\"{key}\",\"payload\":\"{p0}\"}}\n")
    });
    let mut states = States::new(&products);
    let options = Options {
        fill: true,
        ..Options::default()
    };
    let summary = Log::new(&products)
        .options(options)
        .states(&mut states)
        .decode(
            source(&log.concat()),
            Ndjson::new(&products, &mut Vec::new()),
        )
        .unwrap();
    assert_eq!((summary.decoded, summary.records), (4, 4));
    let mut saved = Vec::new();
    states.write(&mut saved).unwrap();
    let saved = String::from_utf8(saved).unwrap();
    let dids = saved.lines().map(|line| &line[..10]);
    let expected = ["a", "b", "c", "d"].map(|did| format!("{{\"did\":\"{did}\""));
    assert!(dids.eq(expected), "{saved}");

    let restored = States::read(&products, saved.as_bytes()).unwrap();
    assert_eq!(restored.len(), 4);
    for (did, product, _) in devices {
        let json = |states: &States| states.get(product, did).map(State::to_json);
        assert!(json(&restored).is_some(), "{did}");
        assert_eq!(json(&restored), json(&states));
    }
}

/// A log that is cut anywhere into two runs has the output of one run if its states are kept in between.
#[test]
fn a_log_in_two_runs() {
    let product = vectors::product("voice-toy");
    let products = Products::one(product.clone());
    let lines = lines(&product, 60);
    let options = Options {
        fill: true,
        ..Options::default()
    };
    let run = |lines: &[String], saved: &mut Vec<u8>| {
        let mut states = States::read(&products, &saved[..]).unwrap();
        let mut out = Vec::new();
        let log = Log::new(&products).options(options).states(&mut states);
        log.decode(source(&lines.concat()), Ndjson::new(&products, &mut out))
            .unwrap();
        saved.clear();
        states.write(&mut *saved).unwrap();
        String::from_utf8(out).unwrap()
    };
    let mut saved_whole = Vec::new();
    let whole = run(&lines, &mut saved_whole);
    assert!(whole.contains("volume_set\":") && whole.contains("brightness\":"));
    assert_eq!(
        saved_whole.iter().filter(|byte| **byte == b'\n').count(),
        DIDS.len()
    );
    for cut in 0..=lines.len() {
        let mut saved = Vec::new();
        let (one, two) = lines.split_at(cut);
        let parts = run(one, &mut saved) + &run(two, &mut saved);
        assert_eq!(parts, whole, "cut before line {cut}");
        assert_eq!(saved, saved_whole);
    }
    let error = States::read(&products, &b"{\"did\":\"a\"}\n"[..]).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("line 1: not the state of a device"),
        "{error}"
    );
}
