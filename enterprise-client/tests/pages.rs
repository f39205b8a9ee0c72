//! Walks over pages and windows, and lists that are cut into several calls.

use std::collections::HashMap;
use std::time::Duration;

use gizwits_enterprise_client::bindings::DidList;
use gizwits_enterprise_client::http::{Failure, Request, Response};
use gizwits_enterprise_client::log::Sort;
use gizwits_enterprise_client::{
    Async, Error, ErrorCode, Items, Mac, Month, Paged, Period, Timestamp,
};
use serde_json::{Value, json};

use crate::common::{
    self, DID, NOW, Server, TOKEN, TestClock, answer, client, is_token, product, refusal,
    token_answer,
};

fn query(request: &Request) -> HashMap<String, String> {
    let url = request.url();
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

fn number(request: &Request, name: &str) -> Option<i64> {
    query(request).get(name)?.parse().ok()
}

/// A server of devices by number; `clamp` is the most that it puts on a page.
fn devices(total: i64, clamp: i64) -> Server {
    paged(move |request| {
        let skip = number(request, "skip").unwrap_or(0);
        let limit = number(request, "limit").unwrap_or(20).min(clamp);
        let page =
            (skip..total.min(skip + limit)).map(|n| json!({"did": n.to_string(), "mac": "m"}));
        json!({"meta": {"total": total, "limit": limit, "skip": skip}, "objects": page.collect::<Vec<_>>()})
    })
}

fn paged(page: impl Fn(&Request) -> Value + Send + Sync + 'static) -> Server {
    Server::new(move |request| {
        if is_token(request) {
            return token_answer(TOKEN);
        }
        answer(200, page(request).to_string())
    })
}

async fn all<O: Paged>(mut items: Items<Async, O>) -> (Vec<O::Item>, Option<Error>) {
    let mut got = Vec::new();
    let mut error = None;
    while let Some(item) = items.next().await {
        assert!(error.is_none(), "an error is the end");
        match item {
            Ok(item) => got.push(item),
            Err(one) => error = Some(one),
        }
        assert!(got.len() < 10_000, "no end");
    }
    assert!(items.next().await.is_none(), "an end is the end");
    (got, error)
}

async fn dids(server: &Server) -> Vec<String> {
    let (found, error) = all(product(server).devices().search().stream()).await;
    assert!(error.is_none());
    found
        .into_iter()
        .map(|device| device.did.to_string())
        .collect()
}

fn numbers(to: i64) -> Vec<String> {
    (0..to).map(|n| n.to_string()).collect()
}

#[tokio::test]
async fn a_walk_goes_by_what_it_got() {
    for (total, clamp, calls) in [
        (0, 100, 1),
        (1, 100, 1),
        (100, 100, 1),
        (101, 100, 2),
        (250, 30, 9),
    ] {
        let server = devices(total, clamp);
        assert_eq!(dids(&server).await, numbers(total));
        assert_eq!(server.calls().len(), calls, "{total} by {clamp}");
    }
    let server = devices(10, 100);
    let (found, _) = all(product(&server)
        .devices()
        .search()
        .limit(3)
        .skip(2)
        .stream())
    .await;
    assert_eq!(found.len(), 8);
    let skips: Vec<_> = server
        .calls()
        .iter()
        .map(|call| number(call, "skip"))
        .collect();
    assert_eq!(skips, [Some(2), Some(5), Some(8)]);
}

#[tokio::test]
async fn a_server_that_ignores_skip_ends_the_walk() {
    for honest in [true, false] {
        let server = paged(move |request| {
            let page: Vec<_> = (0..20)
                .map(|n| json!({"did": n.to_string(), "mac": "m"}))
                .collect();
            let skip = if honest {
                0
            } else {
                number(request, "skip").unwrap_or(0)
            };
            json!({"meta": {"total": 50, "limit": 20, "skip": skip}, "objects": page})
        });
        let mut items = product(&server).devices().search().stream();
        let mut count = 0;
        while let Some(item) = items.next().await {
            item.unwrap();
            count += 1;
        }
        // One that says that it knows of `skip` is asked for what is behind the end.
        let calls = if honest { 2 } else { 3 };
        assert_eq!(
            (count, server.calls().len(), items.missing()),
            (20, calls, 30)
        );
    }
}

/// Without a count, a link to more that leads to the same page says that something is missing.
#[tokio::test]
async fn a_link_that_leads_nowhere_is_told() {
    for (next, missing) in [(Some("/v1/more"), 1), (None, 0)] {
        let server =
            paged(move |_| json!({"meta": {"next": next}, "objects": [{"did": "0", "mac": "m"}]}));
        let mut items = product(&server).devices().search().stream();
        let mut count = 0;
        while let Some(item) = items.next().await {
            item.unwrap();
            count += 1;
        }
        assert_eq!((count, items.missing()), (1, missing), "{next:?}");
    }
}

#[tokio::test]
async fn totals_may_lie_or_be_missing() {
    // More than there are: an empty page is the end.
    let server = paged(|request| {
        let skip = number(request, "skip").unwrap_or(0);
        let page: Vec<_> = (skip..7.min(skip + 5))
            .map(|n| json!({"did": n.to_string(), "mac": "m"}))
            .collect();
        json!({"meta": {"total": 99}, "objects": page})
    });
    assert_eq!(dids(&server).await, numbers(7));
    // None: the link tells whether there is more.
    let server = paged(|request| {
        let skip = number(request, "skip").unwrap_or(0);
        let page: Vec<_> = (skip..7.min(skip + 5))
            .map(|n| json!({"did": n.to_string(), "mac": "m"}))
            .collect();
        let next = (skip == 0).then_some("/v1/more");
        json!({"meta": {"next": next}, "objects": page})
    });
    assert_eq!(dids(&server).await, numbers(7));
    assert_eq!(server.calls().len(), 2);
    // No meta at all is one page.
    let server = paged(|_| json!({"objects": [{"did": "0", "mac": "m"}]}));
    assert_eq!(dids(&server).await, numbers(1));
}

#[tokio::test]
async fn links_are_not_followed() {
    let server = paged(|request| {
        let skip = number(request, "skip").unwrap_or(0);
        let page = json!([{"did": skip.to_string(), "mac": "m"}]);
        let next = "http://evil.example.com/v1/products/x/devices/search?skip=1";
        json!({"meta": {"total": 3, "skip": skip, "next": next}, "objects": page})
    });
    assert_eq!(dids(&server).await, numbers(3));
    for request in server.requests() {
        assert!(
            request
                .url()
                .starts_with("https://api.example.com/v1/products/")
        );
    }
}

#[tokio::test]
async fn what_moved_between_pages_is_there_once() {
    // A device registers while the second page is fetched, so that the last of the first moves there.
    let server = paged(|request| {
        let list: Vec<i64> = match number(request, "skip") {
            Some(0) => (0..8).collect(),
            _ => std::iter::once(-1).chain(0..8).collect(),
        };
        let skip = number(request, "skip").unwrap_or(0) as usize;
        let page: Vec<_> = list
            .iter()
            .skip(skip)
            .take(5)
            .map(|n| json!({"did": n.to_string(), "mac": "m"}))
            .collect();
        json!({"meta": {"total": list.len(), "skip": skip}, "objects": page})
    });
    let mut items = product(&server).devices().search().stream();
    let mut found = Vec::new();
    while let Some(item) = items.next().await {
        found.push(item.unwrap().did.to_string());
    }
    // The new one was counted and is not there.
    assert_eq!((found, items.missing()), (numbers(8), 1));
    // Twice on one page is twice.
    let twin = json!({"did": "0", "mac": "m"});
    let server = paged(move |_| json!({"meta": {"total": 2}, "objects": [twin, twin]}));
    assert_eq!(dids(&server).await.len(), 2);
}

/// A log of these records, seconds from [`NOW`] back and a value; an honest server's pages.
fn log(records: &'static [(i64, i64)]) -> Server {
    paged(move |request| {
        let bound = |name, otherwise| number(request, name).unwrap_or(otherwise);
        let window = bound("start_ts", 0)..=bound("end_ts", i64::MAX);
        let all: Vec<Value> = records
            .iter()
            .map(|(back, x)| (NOW as i64 - back, x))
            .filter(|(ts, _)| window.contains(ts))
            .map(|(ts, x)| json!({"ts": ts, "attrs": {"x": x}}))
            .collect();
        let (skip, limit) = (bound("skip", 0) as usize, bound("limit", 20) as usize);
        let page: Vec<_> = all.iter().skip(skip).take(limit).collect();
        json!({"meta": {"total": all.len(), "limit": limit, "skip": skip}, "objects": page})
    })
}

/// The values of a walk, and how many are missing.
async fn values<O>(mut items: Items<Async, O>) -> (Vec<i64>, u64)
where
    O: Paged<Item = gizwits_enterprise_client::log::Snapshot>,
{
    let mut values = Vec::new();
    while let Some(record) = items.next().await {
        values.push(record.unwrap().attrs["x"].json().as_i64().unwrap());
    }
    (values, items.missing())
}

#[tokio::test]
async fn equal_records_are_not_doubles() {
    // Six at one second, two at another; a report that is sent twice is there twice.
    const EQUAL: &[(i64, i64)] = &[
        (90, 1),
        (90, 1),
        (90, 1),
        (90, 1),
        (90, 1),
        (90, 1),
        (50, 2),
        (49, 3),
        (49, 3),
        (48, 4),
    ];
    for span in [false, true] {
        for limit in [1, 2, 3, 4, 100] {
            let server = log(EQUAL);
            let mut call = product(&server).device(DID).data().limit(limit);
            if span {
                call = call.between(at(4), at(0));
            }
            let (found, missing) = values(call.stream()).await;
            assert_eq!(found, [1, 1, 1, 1, 1, 1, 2, 3, 3, 4], "{span} {limit}");
            assert_eq!(missing, 0);
        }
    }
}

#[tokio::test]
async fn the_second_that_windows_share_is_there_once() {
    // Windows begin four days ago and 172,799 seconds later.
    const BORDER: i64 = 4 * DAY - 172_799;
    const RECORDS: &[(i64, i64)] = &[
        (4 * DAY - 10, 1),
        (BORDER, 2),
        (BORDER, 3),
        (BORDER, 3),
        (BORDER - 100, 4),
        (BORDER - 200, 5),
        (BORDER - 300, 6),
    ];
    for limit in [1, 2, 3, 100] {
        let server = log(RECORDS);
        let call = product(&server).device(DID).data();
        let call = call.between(at(4), at(0)).limit(limit);
        assert_eq!(
            values(call.stream()).await,
            (vec![1, 2, 3, 3, 4, 5, 6], 0),
            "{limit}"
        );
        // What is left out in front is counted over all windows.
        for (skip, found) in [(3, vec![3, 4, 5, 6]), (5, vec![5, 6]), (7, vec![])] {
            let call = product(&server).device(DID).data();
            let call = call.between(at(4), at(0)).limit(limit).skip(skip);
            assert_eq!(values(call.stream()).await, (found, 0), "{limit} {skip}");
        }
    }
}

#[tokio::test]
async fn what_a_page_says_of_itself_may_be_wrong() {
    // `skip` is honoured, and the echo is always 0; a total of nothing with a link to more.
    for total in [10, 0] {
        let server = paged(move |request| {
            let skip = number(request, "skip").unwrap_or(0);
            let page = (skip..10.min(skip + 2)).map(|n| json!({"did": n.to_string(), "mac": "m"}));
            let next = (skip < 8).then_some("/v1/more");
            json!({"meta": {"total": total, "skip": 0, "next": next}, "objects": page.collect::<Vec<_>>()})
        });
        assert_eq!(dids(&server).await, numbers(10), "{total}");
    }
}

#[tokio::test]
async fn an_error_comes_once_and_ends_it() {
    let server = Server::new(|request| {
        if is_token(request) {
            return token_answer(TOKEN);
        }
        match number(request, "skip") {
            Some(0) => answer(
                200,
                r#"{"meta":{"total":9},"objects":[{"did":"0","mac":"m"},{"did":"1","mac":"m"}]}"#,
            ),
            _ => refusal(5024),
        }
    });
    let (found, error) = all(product(&server).devices().search().stream()).await;
    assert_eq!(found.len(), 2);
    assert_eq!(
        error.and_then(|error| error.code()),
        Some(ErrorCode::ApiDenied)
    );
    assert_eq!(server.calls().len(), 2);
}

const DAY: i64 = 86_400;

fn at(days_ago: i64) -> Timestamp {
    Timestamp::from_seconds(NOW as i64 - days_ago * DAY)
}

/// A value a second time for each hour, both ends of a window in it or the end without, as `closed`
/// says.
fn hourly(closed: bool) -> Server {
    paged(move |request| {
        let (Some(start), Some(end)) = (number(request, "start_ts"), number(request, "end_ts"))
        else {
            panic!("a window has two ends");
        };
        assert!(end - start <= 172_799, "{start}..{end}");
        assert!(end <= NOW as i64 + 1);
        let end = if closed { end + 1 } else { end };
        let mut all: Vec<i64> = (start..end).filter(|second| second % 3600 == 0).collect();
        if query(request)
            .get("sort")
            .is_some_and(|sort| sort == "desc")
        {
            all.reverse();
        }
        let skip = number(request, "skip").unwrap_or(0) as usize;
        let limit = number(request, "limit").unwrap_or(20) as usize;
        let page: Vec<_> = all
            .iter()
            .skip(skip)
            .take(limit)
            .map(|ts| json!({"ts": ts, "attrs": {"x": ts % 7}}))
            .collect();
        json!({"meta": {"total": all.len(), "skip": skip}, "objects": page})
    })
}

async fn hours(server: &Server, sort: Sort, limit: u32) -> Vec<i64> {
    let clock = TestClock::new();
    let enterprise = client!(gizwits_enterprise_client::Enterprise, server, clock)
        .build()
        .unwrap();
    let call = enterprise
        .product(common::KEY, common::PSECRET)
        .device(DID)
        .data();
    let items = call.between(at(7), at(-1)).sort(sort).limit(limit).stream();
    let (found, error) = all(items).await;
    assert!(error.is_none(), "{error:?}");
    found
        .into_iter()
        .map(|snapshot| snapshot.ts.seconds())
        .collect()
}

#[tokio::test]
async fn long_spans_are_cut_and_lose_nothing_at_the_borders() {
    for closed in [true, false] {
        for limit in [1, 10, 1000] {
            let server = hourly(closed);
            let mut expected: Vec<i64> = (0..7 * 24)
                .map(|hour| NOW as i64 - 7 * DAY + hour * 3600)
                .collect();
            if closed {
                expected.push(NOW as i64);
            }
            assert_eq!(
                hours(&server, Sort::Asc, limit).await,
                expected,
                "{closed} {limit}"
            );
            expected.reverse();
            assert_eq!(
                hours(&server, Sort::Desc, limit).await,
                expected,
                "{closed} {limit}"
            );
        }
    }
}

#[tokio::test]
async fn a_walk_that_takes_hours_keeps_its_windows() {
    for (span, sort) in [(true, Sort::Asc), (true, Sort::Desc), (false, Sort::Asc)] {
        let clock = TestClock::new();
        let slow = clock.clone();
        let server = paged(move |request| {
            slow.advance(Duration::from_secs(1800));
            let (Some(start), Some(end)) = (number(request, "start_ts"), number(request, "end_ts"))
            else {
                panic!("a window has two ends");
            };
            let skip = number(request, "skip").unwrap_or(0);
            let all: Vec<i64> = (start..=end).filter(|second| second % 7200 == 0).collect();
            let page = all
                .iter()
                .skip(skip as usize)
                .take(5)
                .map(|ts| json!({"ts": ts, "attrs": {}}));
            json!({"meta": {"total": all.len(), "skip": skip}, "objects": page.collect::<Vec<_>>()})
        });
        let builder = client!(gizwits_enterprise_client::Enterprise, server, clock);
        let product = builder
            .build()
            .unwrap()
            .product(common::KEY, common::PSECRET);
        let mut call = product.device(DID).data().sort(sort);
        if span {
            call = call.between(at(7), at(0));
        }
        let (found, error) = all(call.stream()).await;
        assert!(error.is_none(), "{error:?}");
        assert_eq!(found.len(), if span { 7 * 12 + 1 } else { 2 * 12 });
    }
}

#[tokio::test]
async fn spans_that_can_not_be_answered_cost_nothing() {
    let server = hourly(true);
    let (product, _) = {
        let clock = TestClock::new();
        let client = client!(gizwits_enterprise_client::Enterprise, server, clock);
        (
            client
                .build()
                .unwrap()
                .product(common::KEY, common::PSECRET),
            clock,
        )
    };
    let device = product.device(DID);
    for (start, end, what) in [
        (at(8), at(7), "seven days"),
        (at(1), at(2), "empty"),
        (at(-1), at(-2), "empty"),
    ] {
        let error = device.data().between(start, end).send().await.unwrap_err();
        assert!(error.to_string().contains(what), "{error}");
        let (found, error) = all(device.online().between(start, end).stream()).await;
        assert!(found.is_empty() && matches!(error, Some(Error::Invalid(_))));
    }
    let error = device
        .data()
        .between(at(3), at(0))
        .send()
        .await
        .unwrap_err();
    assert!(error.to_string().contains("at most two days"), "{error}");
    // Nothing but a token, whose answer has the time.
    assert!(server.calls().is_empty());
    // Two whole days, by a look at a clock that has gone on since, are asked for a second shorter.
    let clock = TestClock::new();
    clock.advance(Duration::from_millis(900));
    let builder = client!(gizwits_enterprise_client::Enterprise, server, clock);
    let enterprise = builder.build().unwrap();
    let end = enterprise.now();
    clock.advance(Duration::from_millis(200));
    let device = enterprise.product(common::KEY, common::PSECRET).device(DID);
    let start = end.minus(Duration::from_secs(2 * 86_400));
    device.data().between(start, end).send().await.unwrap();
    let asked = server.calls().pop().unwrap();
    let asked = ["start_ts", "end_ts"].map(|name| number(&asked, name).unwrap());
    assert_eq!(asked, [NOW as i64 + 1 - 172_799, NOW as i64 + 1]);
    // Seven days ago by the caller's clock is a little more by the time it is sent.
    let start = at(7).minus(Duration::from_millis(20));
    device.data().between(start, at(6)).send().await.unwrap();
}

/// Assigns whatever comes; MACs that end with 7 fail and those that end with 9 aren't mentioned.
fn assigning(request: &Request) -> Result<Response, Failure> {
    if is_token(request) {
        return token_answer(TOKEN);
    }
    let body: Value = serde_json::from_slice(request.body().unwrap()).unwrap();
    let macs: Vec<&str> = body["macs"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    assert!(macs.len() <= 1000 && !macs.is_empty());
    let ends = |end: char| {
        macs.iter()
            .filter(move |mac| mac.ends_with(end))
            .collect::<Vec<_>>()
    };
    let success: Vec<_> = macs
        .iter()
        .filter(|mac| !mac.ends_with(['7', '9']))
        .collect();
    answer(
        200,
        json!({"success": success, "failed": ends('7')}).to_string(),
    )
}

#[tokio::test]
async fn long_lists_of_macs_are_cut_and_joined() {
    let server = Server::new(assigning);
    let group = product(&server).group("g");
    let macs: Vec<String> = (0..2500).map(|n| format!("mac{n}")).collect();
    let outcome = group
        .assign(macs.clone())
        .reassign(true)
        .send()
        .await
        .unwrap();
    assert_eq!(server.calls().len(), 3);
    assert_eq!(
        (
            outcome.success.len(),
            outcome.failed.len(),
            outcome.unmentioned.len()
        ),
        (2000, 250, 250)
    );
    assert!(!outcome.is_complete() && outcome.left.is_empty());
    let body: Value = serde_json::from_slice(server.calls()[2].body().unwrap()).unwrap();
    assert_eq!(
        (&body["action"], &body["reassign"]),
        (&json!("assign"), &json!(true))
    );
    let outcome = group.unassign(["mac1"]).send().await.unwrap();
    assert!(outcome.is_complete());
    let error = group.assign(Vec::<Mac>::new()).send().await.unwrap_err();
    assert!(matches!(error, Error::Invalid(_)));

    // One that is named twice is sent once, or it would come back as failed.
    let before = server.calls().len();
    let twice = macs[..1000].iter().chain(&macs[..10]);
    let outcome = group.assign(twice).send().await.unwrap();
    assert_eq!((outcome.success.len(), outcome.failed.len()), (800, 100));
    assert_eq!(server.calls().len() - before, 1);

    // What was done stays known when a later piece fails.
    let server = Server::new(|request| {
        let second = request
            .body()
            .is_some_and(|body| body.windows(9).any(|part| part == b"\"mac1000\""));
        if second {
            refusal(5206)
        } else {
            assigning(request)
        }
    });
    let outcome = product(&server)
        .group("g")
        .assign(macs)
        .send()
        .await
        .unwrap();
    assert_eq!((outcome.success.len(), outcome.left.len()), (800, 1500));
    assert_eq!(
        outcome.stopped.and_then(|error| error.code()),
        Some(ErrorCode::GroupNotExist)
    );
}

#[tokio::test]
async fn dids_are_written_as_the_caller_says() {
    let bodies = async |list| {
        let server = Server::answers([answer(200, r#"{"success":["a"],"failed":["b"]}"#)]);
        let call = product(&server)
            .bindings()
            .unbind("u", "p", ["a", "b", "c"]);
        let outcome = call.did_list(list).send().await.unwrap();
        let bodies = server.calls().into_iter().map(|call| {
            let body: Value = serde_json::from_slice(call.body().unwrap()).unwrap();
            body["dids"].clone()
        });
        (bodies.collect::<Vec<_>>(), outcome.unmentioned.len())
    };
    assert_eq!(
        bodies(DidList::Single).await.0,
        [json!("a"), json!("b"), json!("c")]
    );
    assert_eq!(bodies(DidList::Comma).await, (vec![json!("a,b,c")], 1));
    assert_eq!(
        bodies(DidList::Array).await,
        (vec![json!(["a", "b", "c"])], 1)
    );
    let server = Server::answers([answer(200, r#"{"success":["a"]}"#)]);
    let call = product(&server).bindings().bind("u", "p", ["a", "a"]);
    assert!(call.send().await.unwrap().is_complete());
    assert_eq!(server.calls().len(), 1);
    let call = product(&server).bindings().bind("u", "p", ["a,b"]);
    assert!(matches!(call.send().await, Err(Error::Invalid(_))));
}

#[tokio::test]
async fn long_reports_are_cut_and_joined() {
    let server = paged(|request| {
        let query = query(request);
        let data =
            [&query["start"], &query["end"]].map(|period| json!({"count": 1, "month": period}));
        json!({"gid": null, "cycle": query["cycle"], "start": query["start"], "end": query["end"], "data": data})
    });
    let month = |text: &str| text.parse::<Month>().unwrap();
    let period = Period::Months(month("2021-11"), month("2023-12"));
    let report = product(&server)
        .device_reports()
        .liveness(period)
        .send()
        .await
        .unwrap();
    assert_eq!(server.calls().len(), 3);
    assert_eq!(
        (report.start.as_deref(), report.end.as_deref()),
        (Some("2021-11"), Some("2023-12"))
    );
    let periods: Vec<_> = report.data.iter().filter_map(|one| one.period()).collect();
    assert_eq!(
        periods,
        [
            "2021-11", "2022-10", "2022-11", "2023-10", "2023-11", "2023-12"
        ]
    );

    // Weeks overlap by one.
    let week = |text: &str| text.parse().unwrap();
    let server = paged(|request| {
        let query = query(request);
        let data =
            [&query["start"], &query["end"]].map(|period| json!({"count": 1, "week": period}));
        json!({"data": data})
    });
    let period = Period::Weeks(week("2021-10"), week("2022-30"));
    let report = product(&server)
        .user_reports()
        .new_users(period)
        .send()
        .await
        .unwrap();
    let periods: Vec<_> = report.data.iter().filter_map(|one| one.period()).collect();
    assert_eq!(periods, ["2021-10", "2022-09", "2022-30"]);
}

/// Another executor's combinators take the walk as it is.
#[tokio::test]
async fn a_walk_is_a_stream() {
    fn is_stream<S: futures_core::Stream + Unpin + Send>(stream: S) -> S {
        stream
    }
    let server = devices(3, 100);
    let mut stream = is_stream(product(&server).devices().search().stream());
    let first = std::future::poll_fn(|task| {
        futures_core::Stream::poll_next(std::pin::Pin::new(&mut stream), task)
    });
    assert_eq!(first.await.unwrap().unwrap().did, "0");
}

#[cfg(feature = "blocking")]
mod blocking {
    use super::*;
    use gizwits_enterprise_client::blocking::Enterprise;

    #[test]
    fn an_iterator_walks_as_well() {
        let server = devices(250, 100);
        let enterprise = client!(Enterprise, server, TestClock::new())
            .build()
            .unwrap();
        let product = enterprise.product(common::KEY, common::PSECRET);
        let found: Result<Vec<_>, _> = product.devices().search().iter().collect();
        assert_eq!(found.unwrap().len(), 250);
        assert_eq!(server.calls().len(), 3);
        // From many threads at once.
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| product.user_reports().total().send().unwrap());
            }
        });
        assert_eq!(server.tokens(), 1);
    }

    /// What panics is the caller's transport; the client goes on.
    #[test]
    fn a_panic_ends_one_call_alone() {
        let server = Server::new(|request| match request.path() {
            path if path.ends_with("/total") => panic!("boom"),
            path if path.ends_with("/access_token") => token_answer(TOKEN),
            _ => answer(200, "{}"),
        });
        let builder = client!(Enterprise, server, TestClock::new());
        let enterprise = builder.build().unwrap();
        let product = enterprise.product(common::KEY, common::PSECRET);
        for _ in 0..2 {
            let error = product.user_reports().total().send().unwrap_err();
            assert!(error.to_string().contains("panicked"), "{error}");
        }
        product.device_reports().summary().send().unwrap();
    }

    /// It stops the thread it is called on, but is no deadlock and no panic.
    #[tokio::test]
    async fn within_async_code_it_works_as_well() {
        let server = devices(3, 100);
        let builder = client!(Enterprise, server, TestClock::new());
        let product = builder
            .build()
            .unwrap()
            .product(common::KEY, common::PSECRET);
        product.user_reports().total().send().unwrap();
        assert_eq!(product.devices().search().iter().count(), 3);
        let elsewhere =
            tokio::task::spawn_blocking(move || product.devices().search().iter().count());
        assert_eq!(elsewhere.await.unwrap(), 3);
    }
}
