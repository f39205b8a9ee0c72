//! The table function `gizwits_log`.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, Int64Array, RecordBatch, StringArray, TimestampMillisecondArray,
};
use datafusion::object_store::memory::InMemory;
use datafusion::object_store::{ObjectStoreExt as _, path};
use datafusion::prelude::{SessionConfig, SessionContext};
use gizwits_codec_std::log::{Log, Numbers, Options, Parquet, Products, Source, TableOptions};
use tempfile::TempDir;
use url::Url;

use crate::records::{gzip, millis, ndjson, payload, write_parquet};
use crate::{cells, failure, product, session, session_with};

const RECORDS: u32 = 5000;

/// A folder with the same log in every format, and the session that reads it.
struct Logs {
    folder: TempDir,
    context: SessionContext,
}

impl Logs {
    async fn new(context: SessionContext) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let lines = ndjson(0..RECORDS);
        let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
        write("log.ndjson", lines.as_bytes());
        write("log.ndjson.gz", &gzip(lines.as_bytes()));
        write("log.zst", &zstd::encode_all(lines.as_bytes(), 1).unwrap());
        let product = product("air-conditioner");
        let decoded = folder.path().join("log.parquet");
        write_parquet(&product, Options::default(), &lines, &decoded);
        let logs = Logs { folder, context };
        let decoded = logs.path("log.parquet");
        let options = Default::default();
        logs.context
            .register_parquet("decoded", decoded, options)
            .await
            .unwrap();
        logs
    }

    fn path(&self, name: &str) -> String {
        format!("{}/{name}", self.folder.path().display())
    }

    async fn cells(&self, query: &str, table: &str) -> Vec<String> {
        cells(&self.context, &query.replace("LOG", table)).await
    }

    /// The cells of a query over a file, which must equal those over the decoded table.
    async fn same(&self, query: &str, name: &str) {
        let log = format!("gizwits_log('{}', 'ac')", self.path(name));
        let (found, expected) = (
            self.cells(query, &log).await,
            self.cells(query, "decoded").await,
        );
        assert!(!expected.is_empty());
        assert!(
            found == expected,
            "{query} of {name}: {found:.200?} {expected:.200?}"
        );
    }
}

const QUERIES: [&str; 6] = [
    "SELECT * FROM LOG ORDER BY timestamp",
    "SELECT count(*) FROM LOG",
    "SELECT room_temp, did, mode FROM LOG ORDER BY timestamp",
    "SELECT action, count(set_temp), count(room_temp), min(timestamp) FROM LOG GROUP BY action ORDER BY action",
    "SELECT * FROM LOG WHERE timestamp >= '2023-11-15T00:00:00Z' AND timestamp < '2023-11-15T02:00:00Z' ORDER BY timestamp",
    "SELECT count(*) FROM LOG WHERE room_temp > 25 AND mode = '制冷'",
];

#[tokio::test]
async fn every_format_is_the_same_table() {
    let logs = Logs::new(session()).await;
    for query in QUERIES {
        for name in [
            "log.ndjson",
            "log.ndjson.gz",
            "log.zst",
            "log.parquet",
            "*.zst",
        ] {
            logs.same(query, name).await;
        }
    }
}

/// Files that are cut into many parts have every record once.
#[tokio::test]
async fn parts_of_files() {
    for partitions in [1, 3, 16] {
        let config = SessionConfig::new()
            .with_target_partitions(partitions)
            .with_repartition_file_min_size(1000);
        let logs = Logs::new(session_with(config)).await;
        for query in QUERIES {
            logs.same(query, "log.ndjson").await;
        }
        let plan = format!(
            "EXPLAIN FORMAT INDENT SELECT * FROM gizwits_log('{}', 'ac')",
            logs.path("log.ndjson")
        );
        let plan = cells(&logs.context, &plan).await.join("");
        let parts = format!("partitions={partitions}, parts={partitions}");
        assert!(plan.contains(&parts), "{plan}");
    }
}

#[tokio::test]
async fn several_files() {
    let logs = Logs::new(session()).await;
    let all = format!("gizwits_log('{}', 'ac')", logs.path("l*"));
    let count = logs.cells("SELECT count(*), count(distinct timestamp) FROM LOG", &all);
    // 2 of 100 records are rejected.
    assert_eq!(count.await, [format!("{},{}", 4 * 4900, 4900)]);
    let folder = format!("gizwits_log('{}', 'ac')", logs.folder.path().display());
    let count = logs.cells("SELECT count(*) FROM LOG", &folder);
    assert_eq!(count.await, [(4 * 4900).to_string()]);
}

#[tokio::test]
async fn objects_are_files() {
    let context = session();
    let store = Arc::new(InMemory::new());
    for n in 0..3 {
        let path = path::Path::from(format!("logs/2024-01-0{n}.ndjson"));
        let lines = ndjson(n * 100..n * 100 + 100);
        store.put(&path, lines.into()).await.unwrap();
    }
    context.register_object_store(&Url::parse("mem://bucket").unwrap(), store);
    for (files, count) in [
        ("mem://bucket/logs/", "294"),
        ("mem://bucket/logs/*-0[12].ndjson", "196"),
        ("mem://bucket/logs/2024-01-02.ndjson", "98"),
    ] {
        let query = format!("SELECT count(*) FROM gizwits_log('{files}', 'ac')");
        assert_eq!(cells(&context, &query).await, [count], "{files}");
    }
}

#[tokio::test]
async fn filters_reach_the_scan() {
    let logs = Logs::new(session()).await;
    let plan = "EXPLAIN FORMAT INDENT SELECT did FROM LOG
                WHERE timestamp > '2023-11-15T00:00:00Z' AND room_temp > 30";
    let text = format!("gizwits_log('{}', 'ac')", logs.path("log.ndjson"));
    let text = logs.cells(plan, &text).await.join("\n");
    assert!(
        text.contains("points=1, timestamps=1700006400000..="),
        "{text}"
    );
    let parquet = format!("gizwits_log('{}', 'ac')", logs.path("log.parquet"));
    let parquet = logs.cells(plan, &parquet).await.join("\n");
    assert!(parquet.contains("pruning_predicate"), "{parquet}");
    assert!(parquet.contains("room_temp_max"), "{parquet}");
}

#[tokio::test]
async fn failures() {
    let logs = Logs::new(session()).await;
    let half = &gzip(ndjson(0..RECORDS).as_bytes())[..5000];
    fs::write(logs.path("half.gz"), half).unwrap();
    // Parquet files that `gizwits log decode` has not written.
    let column = |values: &[i64]| Arc::new(Int64Array::from(values.to_vec())) as ArrayRef;
    let text = Arc::new(StringArray::from(vec!["02"])) as ArrayRef;
    for (name, columns) in [
        ("raw.parquet", vec![("payload", text)]),
        (
            "other.parquet",
            vec![("time", column(&[1])), ("room_temp", column(&[20]))],
        ),
    ] {
        let rows = RecordBatch::try_from_iter(columns).unwrap();
        let rows = logs.context.read_batch(rows).unwrap();
        rows.write_parquet(&logs.path(name), Default::default(), None)
            .await
            .unwrap();
    }
    let lamp = Options::default();
    write_parquet(
        &product("lamp"),
        lamp,
        "",
        Path::new(&logs.path("lamp.parquet")),
    );
    let numbers = TableOptions {
        numbers: Numbers::Raw,
        ..TableOptions::default()
    };
    let air_conditioner = product("air-conditioner");
    let file = std::fs::File::create(logs.path("numbers.parquet")).unwrap();
    let parquet = Parquet::new(&air_conditioner, numbers, file).unwrap();
    let source = Source::new("numbers", &b"04010000101e0000\n"[..]);
    Log::new(&Products::one(air_conditioner.clone()))
        .decode([source], parquet)
        .unwrap();
    for (name, expected) in [
        ("half.gz", "the log cannot be read to its end:"),
        ("none.ndjson", "no file matches"),
        ("none/*.ndjson", "no file matches"),
        ("[", "invalid glob"),
        ("raw.parquet", "undecoded payloads"),
        (
            "other.parquet",
            "no column `timestamp`: expected a file of `gizwits log decode`, found the columns time, room_temp",
        ),
        ("lamp.parquet", "no attribute of the definition"),
        (
            "numbers.parquet",
            "raw numbers in the column `room_temp`: write it without --numbers raw",
        ),
    ] {
        let query = format!("SELECT * FROM gizwits_log('{}', 'ac')", logs.path(name));
        let error = failure(&logs.context, &query).await;
        assert!(error.contains(expected), "{name}: {error}");
    }
    let error = failure(&logs.context, "SELECT * FROM gizwits_log('log.ndjson')").await;
    assert!(error.contains("takes a path, URL or glob"), "{error}");
}

/// A query over payloads equals the query over what `gizwits log decode` writes.
#[tokio::test]
async fn averages_of_each_hour() {
    let logs = Logs::new(session()).await;
    let times: TimestampMillisecondArray = (0..RECORDS).map(millis).map(Some).collect();
    let payloads: StringArray = (0..RECORDS).map(payload).map(Some).collect();
    let batch = RecordBatch::try_from_iter([
        ("timestamp", Arc::new(times.with_timezone("UTC")) as _),
        ("payload", Arc::new(payloads) as _),
    ]);
    logs.context.register_batch("raw", batch.unwrap()).unwrap();
    let query =
        "SELECT date_trunc('hour', timestamp) h, avg(ROOM_TEMP) FROM LOG GROUP BY h ORDER BY h";
    let decoded = query.replace("ROOM_TEMP", "room_temp");
    let expected = logs.cells(&decoded, "decoded").await;
    assert_eq!(expected.len(), 84);
    let payloads = query.replace("ROOM_TEMP", "(gizwits_decode('ac', payload)).room_temp");
    assert_eq!(logs.cells(&payloads, "raw").await, expected);
    let text = format!("gizwits_log('{}', 'ac')", logs.path("log.ndjson"));
    assert_eq!(logs.cells(&decoded, &text).await, expected);
}
