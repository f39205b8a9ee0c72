//! Reading a log in several runs: every record once, whatever happens to the log and to the program meanwhile.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use gizwits_enterprise_client::http::Request;
use gizwits_enterprise_client::log::{Command, Position, Reader};
use gizwits_enterprise_client::{
    Async, Enterprise, Error, MemoryStore, Product, Timestamp, Token, TokenKey, TokenStore as _,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::common::{
    DID, EID, KEY, NOW, PSECRET, Server, TOKEN, TestClock, answer, client, fixture, is_token,
    product, token_answer, with_headers,
};

/// The log of a device: times in milliseconds, and payloads. Equal records are two records.
type Log = Arc<Mutex<Vec<(i64, u8)>>>;

/// How a server reads a span: whether its first and its last second belong to it, and the most records that it
/// puts on a page.
#[derive(Clone, Copy, Debug)]
struct Habits {
    first: bool,
    last: bool,
    clamp: usize,
    total: bool,
}

const NOW_MS: i64 = NOW as i64 * 1000;

fn number(request: &Request, name: &str) -> Option<i64> {
    let url = request.url();
    let (_, query) = url.split_once('?')?;
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.find(|(one, _)| *one == name)?.1.parse().ok()
}

fn server(log: &Log, habits: Habits) -> Server {
    let log = Arc::clone(log);
    serving(move |request| {
        assert!(request.url().contains("sort=asc"));
        let asked = |name| number(request, name).unwrap();
        let (start, end) = (asked("start_ts"), asked("end_ts"));
        assert!(start < end && end - start <= 172_800, "{start} {end}");
        let first = start * 1000 + if habits.first { 0 } else { 1000 };
        let after = end * 1000 + if habits.last { 1000 } else { 0 };
        let log = log.lock().unwrap();
        let within = || log.iter().filter(|(at, _)| (first..after).contains(at));
        let (total, skip) = (within().count(), asked("skip") as usize);
        let limit = habits.clamp.min(asked("limit") as usize);
        let page = within().skip(skip).take(limit);
        let page: Vec<Value> = page.map(record).collect();
        let mut meta = json!({"limit": limit, "skip": skip});
        if habits.total {
            meta["total"] = total.into();
        }
        if skip + page.len() < total {
            meta["next"] = "/next".into();
        }
        json!({"meta": meta, "objects": page})
    })
}

fn serving(page: impl Fn(&Request) -> Value + Send + Sync + 'static) -> Server {
    Server::new(move |request| match is_token(request) {
        true => token_answer(TOKEN),
        false => answer(200, page(request).to_string()),
    })
}

fn record(&(at, payload): &(i64, u8)) -> Value {
    json!({"timestamp": at as f64 / 1000.0, "type": "dev2app", "payload": payload.to_string()})
}

fn reader(server: &Server, position: Position) -> Reader<Async, Command> {
    let call = product(server).device(DID).cmd_log();
    #[cfg(feature = "codec")]
    let call = call.undecoded();
    call.read_from(position)
}

fn got(record: Command) -> (i64, u8) {
    (record.timestamp.millis(), record.payload.parse().unwrap())
}

/// A record at this many milliseconds before now.
fn records(most: usize) -> impl Strategy<Value = Vec<(i64, u8)>> {
    // Many records in few seconds, and some over the whole week.
    let clumped = (0..4_i64, 0..1500_i64).prop_map(|(clump, at)| clump * 86_000_000 + at + 5000);
    let spread = 5000..600_000_000_i64;
    let ago = prop_oneof![4 => clumped, 1 => spread];
    proptest::collection::vec((ago, 0..3_u8), 0..most).prop_map(|mut all| {
        for (at, _) in &mut all {
            *at = NOW_MS - *at;
        }
        all.sort_by_key(|(at, _)| *at);
        all
    })
}

/// An event after a page.
#[derive(Clone, Copy, Debug)]
enum Event {
    Nothing,
    /// The program is killed and begins again with the stored position.
    Kill,
    /// The oldest records expire that were read already.
    Expire,
    /// Records arrive in the second before the present one.
    Arrive,
}

fn habits() -> impl Strategy<Value = Habits> {
    (any::<bool>(), any::<bool>(), 1..40_usize, any::<bool>()).prop_map(
        |(first, last, clamp, total)| Habits {
            first,
            last,
            clamp,
            total,
        },
    )
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        Just(Event::Nothing),
        Just(Event::Kill),
        Just(Event::Expire),
        Just(Event::Arrive)
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn every_record_comes_once(
        all in records(120),
        habits in habits(),
        events in proptest::collection::vec(event(), 0..60),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let log: Log = Arc::new(Mutex::new(all.clone()));
        let server = server(&log, habits);
        let week = Timestamp::from_millis(NOW_MS).minus(Duration::from_secs(7 * 86_400));
        let mut reader = reader(&server, Position::at(week));
        let (mut expected, mut read) = (all, Vec::new());
        let mut events = events.into_iter();
        loop {
            let stored = serde_json::to_string(reader.position()).unwrap();
            let page = runtime.block_on(reader.next_page());
            let event = events.next().unwrap_or(Event::Nothing);
            match (event, &page) {
                (Event::Kill, _) => {
                    // The page is lost with the program.
                    let position = serde_json::from_str(&stored).unwrap();
                    reader = self::reader(&server, position);
                    continue;
                }
                (_, None) => break,
                (_, Some(page)) => prop_assert!(page.is_ok(), "{page:?}"),
            }
            read.extend(page.unwrap().unwrap().into_iter().map(got));
            let newest = read.last().map_or(i64::MIN, |(at, _)| *at);
            match event {
                Event::Expire => log.lock().unwrap().retain(|(at, _)| *at + 3000 >= newest),
                // Without a total, nobody knows that the pages have moved.
                Event::Arrive if habits.total => {
                    // At the same time as others, too, and before the present second.
                    for new in [(NOW_MS - 900, 1), (NOW_MS - 900, 1), (NOW_MS - 800, 2)] {
                        let mut log = log.lock().unwrap();
                        log.push(new);
                        log.sort_by_key(|(at, _)| *at);
                        expected.push(new);
                    }
                }
                Event::Nothing | Event::Kill | Event::Arrive => {}
            }
        }
        prop_assert_eq!(reader.missing(), 0);
        // Another run finds what came after the last page of the first.
        let mut reader = self::reader(&server, reader.position().clone());
        while let Some(page) = runtime.block_on(reader.next_page()) {
            read.extend(page.unwrap().into_iter().map(got));
        }
        expected.sort_unstable();
        read.sort_unstable();
        prop_assert_eq!(read, expected);
    }
}

#[tokio::test]
async fn the_span_is_exact() {
    let all: Vec<(i64, u8)> = (0..10)
        .map(|n| (NOW_MS - 100_000 + n * 250, n as u8))
        .collect();
    let log: Log = Arc::new(Mutex::new(all.clone()));
    let habits = Habits {
        first: true,
        last: true,
        clamp: 3,
        total: true,
    };
    let server = server(&log, habits);
    let at = |n: usize| Timestamp::from_millis(all[n].0);
    let mut read = Vec::new();
    let mut position = Position::at(at(2));
    // Neighbouring spans have no record twice and leave none out.
    for until in [at(5), at(6), at(6), at(9)] {
        let mut reader = reader(&server, position).until(until);
        while let Some(page) = reader.next_page().await {
            read.extend(page.unwrap().into_iter().map(got));
        }
        position = reader.position().clone();
    }
    assert_eq!(read, all[2..9]);
}

#[tokio::test]
async fn a_failed_page_can_be_asked_for_again() {
    let log: Log = Arc::new(Mutex::new(vec![(NOW_MS - 9000, 1), (NOW_MS - 8000, 2)]));
    let habits = Habits {
        first: true,
        last: true,
        clamp: 1,
        total: true,
    };
    let good = server(&log, habits);
    let mut reader = reader(&good, Position::at(Timestamp::from_millis(NOW_MS - 60_000)));
    let first = reader.next_page().await.unwrap().unwrap();
    assert_eq!(first.len(), 1);
    let bad = Server::new(|request| match is_token(request) {
        true => token_answer(TOKEN),
        false => answer(200, "{}"),
    });
    let mut broken = self::reader(&bad, reader.position().clone());
    for _ in 0..2 {
        assert!(matches!(
            broken.next_page().await,
            Some(Err(Error::Decode(_)))
        ));
        assert_eq!(broken.position(), reader.position());
    }
}

/// The local clock is five minutes ahead: records that arrive after the first run, by the server's clock, are read by
/// the second one.
#[tokio::test]
async fn a_clock_that_is_ahead() {
    let now = NOW_MS - 300_000;
    let log: Log = Arc::new(Mutex::new(vec![(now - 9000, 1)]));
    let records = Arc::clone(&log);
    let server = Server::new(move |request| {
        let page: Vec<Value> = match is_token(request) {
            true => return token_answer(TOKEN),
            false => {
                let from = number(request, "start_ts").unwrap() * 1000;
                let log = records.lock().unwrap();
                log.iter()
                    .filter(|(at, _)| *at >= from)
                    .map(record)
                    .collect()
            }
        };
        let body = json!({"meta": {"total": page.len()}, "objects": page}).to_string();
        let headers = [
            ("date", "Mon, 01 Jan 2024 23:55:00 GMT"),
            ("x-ratelimit-limit", "3600"),
        ];
        with_headers(200, &headers, &body)
    });
    let begin = Timestamp::from_millis(now - 3_600_000);
    let mut first = reader(&server, Position::at(begin));
    let mut read = Vec::new();
    while let Some(page) = first.next_page().await {
        read.extend(page.unwrap().into_iter().map(got));
    }
    log.lock().unwrap().push((now + 100, 2));
    let mut second = reader(&server, first.position().clone());
    while let Some(page) = second.next_page().await {
        read.extend(page.unwrap().into_iter().map(got));
    }
    assert_eq!(read, [(now - 9000, 1), (now + 100, 2)]);
}

/// A server with the log of this device, whose clock says `now`, and a client whose local clock says [`NOW`]. The client
/// has a token from an earlier run, so nothing has told it the server's time.
fn restarted(log: &Log, now: i64) -> (Server, Product) {
    let records = Arc::clone(log);
    let date = jiff::Timestamp::from_millisecond(now).unwrap();
    let date = jiff::fmt::rfc2822::DateTimePrinter::new()
        .timestamp_to_rfc9110_string(&date)
        .unwrap();
    let server = Server::new(move |request| {
        let body = match number(request, "start_ts").zip(number(request, "end_ts")) {
            None => fixture("get_v1_products_product_key_datapoint"),
            Some((start, end)) => {
                // The limits of the server.
                assert!(
                    start * 1000 >= now - 7 * 86_400_000 && end * 1000 <= now,
                    "{start} {end}"
                );
                let log = records.lock().unwrap();
                let within = |at: &i64| (start * 1000..(end + 1) * 1000).contains(at);
                let page = log.iter().filter(|(at, _)| within(at));
                let is_data = request.url().contains("/data?");
                let page = page.map(|one| match is_data {
                    true => json!({"ts": one.0 / 1000, "attrs": {}}),
                    false => record(one),
                });
                let page: Vec<Value> = page.collect();
                json!({"meta": {"total": page.len()}, "objects": page}).to_string()
            }
        };
        with_headers(200, &[("date", &date)], &body)
    });
    let store = MemoryStore::default();
    let expires_at = Timestamp::from_millis(NOW_MS).plus(Duration::from_secs(30 * 86_400));
    let token = Token::new(TOKEN, expires_at);
    store.save(&TokenKey::new(EID, KEY), &token).unwrap();
    let builder = client!(Enterprise, server, TestClock::new()).token_store(store);
    (server, builder.build().unwrap().product(KEY, PSECRET))
}

/// A program that begins with a stored token has no time but that of the local clock, which may be days ahead or behind.
/// Spans end and begin by the server's clock all the same, and a stored position is never in the future.
#[tokio::test]
async fn the_first_answer_sets_the_clock() {
    let hours = |hours: i64| hours * 3_600_000;
    for behind in [-50, -3, 0, 3, 50].map(hours) {
        let now = NOW_MS + behind;
        let all: Vec<(i64, u8)> = (1..=20)
            .map(|n| (now - n * 600_000, n as u8))
            .rev()
            .collect();
        let log: Log = Arc::new(Mutex::new(all.clone()));

        let (server, product) = restarted(&log, now);
        let since = product
            .now()
            .await
            .unwrap()
            .minus(Duration::from_secs(3600));
        assert!(since.millis().abs_diff(now - hours(1)) < 2000, "{since}");
        assert_eq!(server.calls().len(), 1);
        assert!(product.now().await.is_ok());
        assert_eq!(server.calls().len(), 1, "the clock is known");

        // A reader that is the first to send anything.
        let (server, product) = restarted(&log, now);
        let call = product.device(DID).cmd_log();
        #[cfg(feature = "codec")]
        let call = call.undecoded();
        let mut reader = call.read_from(Position::at(since));
        let mut read = Vec::new();
        while let Some(page) = reader.next_page().await {
            read.extend(page.unwrap().into_iter().map(got));
        }
        assert_eq!(read, all[14..], "{behind}");
        let end = reader.position().from().millis();
        assert!((now - 5000..=now).contains(&end), "{end} {now}");
        assert_eq!(server.calls().len(), 2);

        // A span, as a stream and as one request.
        let span = (
            Timestamp::from_millis(all[0].0),
            Timestamp::from_millis(now),
        );
        let (_, product) = restarted(&log, now);
        let call = || product.device(DID).data().between(span.0, span.1);
        assert_eq!(call().send().await.unwrap().objects.len(), all.len());
        let (_, product) = restarted(&log, now);
        let mut stream = product.device(DID).data().between(span.0, span.1).stream();
        let mut count = 0;
        while let Some(record) = stream.next().await {
            record.unwrap();
            count += 1;
        }
        assert_eq!(count, all.len());
    }
}

/// Servers that ignore a parameter: the reader ends, and says that records are missing.
#[tokio::test]
async fn servers_that_ignore_parameters() {
    let page = |total: usize, records: &[(i64, u8)]| json!({"meta": {"total": total}, "objects": records.iter().map(record).collect::<Vec<_>>()});
    let begin = || Position::at(Timestamp::from_millis(NOW_MS - 3 * 86_400_000));
    let same: Vec<(i64, u8)> = vec![(NOW_MS - 9000, 1), (NOW_MS - 8999, 2)];
    // The same page for any `skip` and any span; no records at all.
    for (records, counted) in [(same.clone(), 9), (Vec::new(), 9)] {
        let answer = page(counted, &records);
        let server = serving(move |_| answer.clone());
        let mut reader = reader(&server, begin());
        let mut read = Vec::new();
        while let Some(page) = reader.next_page().await {
            read.extend(page.unwrap().into_iter().map(got));
            assert!(server.calls().len() < 20, "no end");
        }
        assert_eq!(read, records);
        assert!(reader.missing() > 0);
    }
    // The newest record first: harmless on the only page, an error on others.
    let newest: Vec<(i64, u8)> = same
        .iter()
        .rev()
        .map(|(at, n)| (at + i64::from(*n) * 2000, *n))
        .collect();
    for (total, fails) in [(2, false), (3, true)] {
        let answer = page(total, &newest);
        let server = serving(move |_| answer.clone());
        let position = Position::at(Timestamp::from_millis(NOW_MS - 86_400_000));
        let mut reader = reader(&server, position);
        let page = reader.next_page().await.unwrap();
        match fails {
            true => assert!(page.unwrap_err().to_string().contains("ignores `sort=asc`")),
            false => assert!(page.unwrap().into_iter().map(got).is_sorted()),
        }
    }
}
