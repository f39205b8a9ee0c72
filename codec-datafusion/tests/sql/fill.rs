//! States of var_len devices.

use gizwits_codec_std::log::Options;

use crate::records::write_parquet;
use crate::{cells, fixture, product, rows, session};

/// Reports, replies, controls and reads of three devices, each with some of the points.
fn lines() -> String {
    let product = product("voice-toy");
    let actions = ["report", "report", "control", "reply", "read"];
    let mut lines = String::new();
    for n in 0..600_u32 {
        let random = n.wrapping_mul(2_654_435_761).rotate_left(11);
        let action = actions[(random % 5) as usize];
        let mut message = product.message(match action {
            "control" => gizwits_codec_std::Action::Control,
            "read" => gizwits_codec_std::Action::Read,
            "reply" => gizwits_codec_std::Action::Reply,
            _ => gizwits_codec_std::Action::Report,
        });
        let values = [
            ("switch", random >> 8 & 1),
            ("chat_mode", random >> 9 & 1),
            ("volume_set", random >> 12 & 15),
        ];
        for (bit, (name, value)) in values.into_iter().enumerate() {
            if action != "read"
                && (random >> (20 + bit) & 1 == 1 || bit == 0 && action == "control")
            {
                message.set_word(name, &value.to_string()).unwrap();
            }
        }
        let payload = gizwits_codec_std::payload::hex(&message.encode().unwrap());
        let (time, device) = (1_700_000_000 + n, random >> 16 & 3);
        lines += &format!(
            "{{\"timestamp\":{time},\"did\":\"device{device}\",\"payload\":\"{payload}\"}}\n"
        );
    }
    lines
}

/// Filled columns and structs are those of `gizwits log decode --fill`.
#[tokio::test]
async fn fill_is_that_of_the_pipeline() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(path("log.ndjson"), lines()).unwrap();
    let options = Options {
        fill: true,
        ..Options::default()
    };
    let filled = folder.path().join("filled.parquet");
    write_parquet(&product("voice-toy"), options, &lines(), &filled);
    let context = session();
    let register = context.register_parquet("filled", path("filled.parquet"), Default::default());
    register.await.unwrap();

    let points = "switch, chat_mode, volume_set, brightness";
    let query = format!("SELECT timestamp, did, action, {points} FROM filled ORDER BY timestamp");
    let expected = cells(&context, &query).await;
    assert_eq!(expected.len(), 600);

    let log = format!(
        "gizwits_log('{}', '{}')",
        path("log.ndjson"),
        fixture("voice-toy")
    );
    let each: Vec<String> = points
        .split(", ")
        .map(|point| format!("gizwits_fill({point}, action) OVER device"))
        .collect();
    let query = format!(
        "SELECT timestamp, did, action, {} FROM {log}
         WINDOW device AS (PARTITION BY did ORDER BY timestamp) ORDER BY timestamp",
        each.join(", ")
    );
    assert_eq!(cells(&context, &query).await, expected);

    // The same with a struct of the raw records.
    let lines = path("log.ndjson");
    let external = format!("CREATE EXTERNAL TABLE raw STORED AS JSON LOCATION '{lines}'");
    rows(&context, &external).await;
    let decode = format!("gizwits_decode('{}', payload)", fixture("voice-toy"));
    let query = format!(
        "SELECT d['switch'], d['chat_mode'], d['volume_set'], d['brightness'] FROM (
             SELECT timestamp, gizwits_fill({decode}, gizwits_action(payload))
                 OVER (PARTITION BY did ORDER BY timestamp) AS d FROM raw)
         ORDER BY timestamp"
    );
    let own = |row: &String| row.splitn(4, ',').nth(3).unwrap().to_owned();
    let expected: Vec<String> = expected.iter().map(own).collect();
    assert_eq!(cells(&context, &query).await, expected);
}
