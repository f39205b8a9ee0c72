//! Every endpoint, by one table: what is sent, what comes back, and what goes wrong.

use gizwits_enterprise_client::endpoint::{self, Auth, Endpoint};
use gizwits_enterprise_client::http::Request;
use gizwits_enterprise_client::{
    Accepted, Date, Error, ErrorCode, ExposeSecret as _, Mode, Month, Outcome, Period, RetryPolicy,
    Timestamp, Token, Week, devices,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use crate::common::{
    self, DID, EID, ESECRET, KEY, PSECRET, Server, TOKEN, TestClock, answer, client, fixture,
    header, is_token,
};

/// The answer as JSON, for a look at what was kept.
trait Shown {
    fn shown(self) -> Value;
}

macro_rules! shown {
    ($($type:ty),* $(,)?) => {$(
        impl Shown for $type {
            fn shown(self) -> Value {
                serde_json::to_value(self).unwrap()
            }
        }
    )*};
}

use gizwits_enterprise_client::{Datapoints, GroupTree, Page, Places, groups, log, reports, users};

shown!(
    Value,
    Datapoints,
    GroupTree,
    Places<u64>,
    Page<users::User>,
    Page<devices::FoundDevice>,
    Page<log::Connection>,
    Page<log::Command>,
    Page<log::Snapshot>,
    Page<reports::ReportedDevice>,
    devices::Registration,
    groups::Created,
    groups::Macs,
    reports::DeviceLocations,
    reports::Summary,
    reports::LivenessHistory,
    reports::RealtimeStatus,
    reports::EventReport,
    reports::UserLiveness,
    reports::UserTotal,
);

impl Shown for Token {
    fn shown(self) -> Value {
        json!({"token": self.value.expose_secret(), "expire_at": self.expires_at})
    }
}

impl Shown for devices::Identity {
    fn shown(self) -> Value {
        let passcode = self
            .passcode
            .map(|passcode| passcode.expose_secret().to_owned());
        json!({"did": self.did, "passcode": passcode})
    }
}

impl Shown for Accepted {
    fn shown(self) -> Value {
        self.extra.into()
    }
}

impl<T: serde::Serialize> Shown for Outcome<T> {
    fn shown(self) -> Value {
        assert!(self.stopped.is_none());
        json!({"success": self.success, "failed": self.failed})
    }
}

/// What goes out: path and query behind the product's path, and the body.
struct Row {
    endpoint: Endpoint,
    path: String,
    body: Option<Value>,
}

fn row(endpoint: Endpoint, path: &str, body: Option<Value>) -> Row {
    let path = match path.strip_prefix('…') {
        Some(rest) => format!("/v1/products/{KEY}{rest}"),
        None => path.to_owned(),
    };
    Row {
        endpoint,
        path,
        body,
    }
}

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

fn month(text: &str) -> Month {
    text.parse().unwrap()
}

fn week(text: &str) -> Week {
    text.parse().unwrap()
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(seconds)
}

/// The table. `$send` sends a call of either front and shows its answer.
macro_rules! table {
    ($send:ident) => {{
        use endpoint as e;
        vec![
            (row(e::ACCESS_TOKEN, "…/access_token", Some(json!({
                "enterprise_id": EID, "enterprise_secret": ESECRET, "product_secret": PSECRET,
            }))), $send!(|p| p.access_token())),
            (row(e::DATAPOINT, "…/datapoint", None), $send!(|p| p.datapoint())),
            (row(e::USERS, &format!("/v1/users/search?product_key={KEY}&phone=%2B86%20139&limit=5"), None),
                $send!(|p| p.users().registered().phone("+86 139").limit(5))),
            (row(e::BOUND_USERS, "…/users/search?gid=g1&type=did&val=d%2F1&skip=40", None),
                $send!(|p| p.users().bound().gid("g1").by(users::UserKey::Did, "d/1").skip(40))),
            (row(e::DEVICE_BY_MAC, "…/devices?mac=virtual%3Asite", None),
                $send!(|p| p.devices().by_mac("virtual:site"))),
            (row(e::DEVICE_DETAIL, "…/device_detail?mac=0A1b2C3d4E5f", None),
                $send!(|p| p.devices().detail("0A1b2C3d4E5f"))),
            (row(e::DEVICES, "…/devices/search?city=%E6%9D%AD%E5%B7%9E&is_online=1&is_alert=0&liveness_start=1704067200", None),
                $send!(|p| p.devices().search().city("杭州").is_online(true).is_alert(false).active_since(at(1_704_067_200)))),
            (row(e::CONTROL, &format!("…/devices/{DID}/control"), Some(json!({"attrs": {"switch": true, "warmth": 5.32}}))),
                $send!(|p| p.device(DID).control(json!({"switch": true, "warmth": 5.32})))),
            (row(e::ONLINE, &format!("…/devices/{DID}/online?start_ts=1704067200&end_ts=1704070800&sort=asc"), None),
                $send!(|p| p.device(DID).online().between(at(1_704_067_200), at(1_704_070_800)).sort(log::Sort::Asc))),
            (row(e::CMD, &format!("…/devices/{DID}/cmd?limit=50"), None),
                $send!(|p| p.device(DID).cmd_log().limit(50))),
            (row(e::DATA, &format!("…/devices/{DID}/data"), None), $send!(|p| p.device(DID).data())),
            (row(e::GROUPS, "…/device_groups", None), $send!(|p| p.groups().tree())),
            (row(e::CREATE_GROUP, "…/device_groups", Some(json!({"parent_gid": "root0"}))),
                $send!(|p| p.groups().create().under("root0"))),
            (row(e::DELETE_GROUP, "…/device_groups/a%20b", None), $send!(|p| p.group("a b").delete())),
            (row(e::GROUP_MACS, "…/device_groups/east1", None), $send!(|p| p.group("east1").macs())),
            (row(e::CHANGE_GROUP, "…/device_groups/east1", Some(json!({
                "action": "assign", "reassign": false, "macs": ["0A1b2C3d4E5f", "virtual:site"],
            }))), $send!(|p| p.group("east1").assign(["0A1b2C3d4E5f", "virtual:site"]))),
            (row(e::BIND, "…/devices/bindings", Some(json!({"uid": "u1", "appid": "a1", "dids": DID}))),
                $send!(|p| p.bindings().bind("u1", "a1", [DID]))),
            (row(e::UNBIND, "…/devices/bindings", Some(json!({"uid": "u1", "appid": "a1", "dids": DID}))),
                $send!(|p| p.bindings().unbind("u1", "a1", [DID]))),
            (row(e::ACTIVATION, "…/devices/report/activation?cycle=date", None),
                $send!(|p| p.device_reports().activation().parameter("cycle", "date"))),
            (row(e::LOCATIONS, "…/devices/locations?gid=east1&is_faulty=1", None),
                $send!(|p| p.device_reports().locations().gid("east1").is_faulty(true))),
            (row(e::SUMMARY, "…/devices/summary", None), $send!(|p| p.device_reports().summary())),
            (row(e::NEW_DEVICES, "…/incr_devices?start=2023-12-30&end=2023-12-31&region=Zhejiang", None),
                $send!(|p| p.device_reports().new_devices().between(day("2023-12-30"), day("2023-12-31")).region("Zhejiang"))),
            (row(e::ACTIVE_DEVICES, "…/active_devices", None), $send!(|p| p.device_reports().active_devices())),
            (row(e::LIVENESS, "…/devices/report/liveness/history?gid=east1&cycle=month&start=2023-11&end=2023-12", None),
                $send!(|p| p.device_reports().liveness(Period::Months(month("2023-11"), month("2023-12"))).gid("east1"))),
            (row(e::REALTIME, "…/devices/report/rt", None), $send!(|p| p.device_reports().realtime())),
            (row(e::FAULT_DEVICES, "…/fault/report/devices", None), $send!(|p| p.device_reports().fault_devices())),
            (row(e::ALERT_DEVICES, "…/alert/report/devices?gid=g", None),
                $send!(|p| p.device_reports().alert_devices().gid("g"))),
            (row(e::FAULT_EVENTS, "…/fault/report/events", None), $send!(|p| p.device_reports().fault_events())),
            (row(e::ALERT_EVENTS, "…/alert/report/events", None), $send!(|p| p.device_reports().alert_events())),
            (row(e::NEW_USERS, "…/users/report/new?cycle=week&start=2023-51&end=2023-52", None),
                $send!(|p| p.user_reports().new_users(Period::Weeks(week("2023-51"), week("2023-52"))))),
            (row(e::USER_LIVENESS, &format!("/v1/users/liveness_total?product_key={KEY}&product_secret={KEY}&start_date=2023-12-30&end_date=2023-12-31"), None),
                $send!(|p| p.user_reports().liveness(day("2023-12-30"), day("2023-12-31")))),
            (row(e::USER_LOCATIONS, &format!("/v1/users/location?product_key={KEY}&product_secret={KEY}"), None),
                $send!(|p| p.user_reports().locations())),
            (row(e::USER_TOTAL, "…/users/report/total", None), $send!(|p| p.user_reports().total())),
        ]
    }};
}

type Run<P> = Box<dyn Fn(P) -> Result<Value, Error>>;

/// Async calls, run to their end.
macro_rules! sent {
    (|$product:ident| $call:expr) => {
        Box::new(|$product: gizwits_enterprise_client::Product| {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .build()
                .unwrap();
            runtime.block_on($call.send()).map(Shown::shown)
        }) as Run<gizwits_enterprise_client::Product>
    };
}

fn product(server: &Server) -> gizwits_enterprise_client::Product {
    let client = client!(
        gizwits_enterprise_client::Enterprise,
        server,
        TestClock::new()
    );
    let enterprise = client.retry(RetryPolicy::NONE).build().unwrap();
    defined(enterprise.product(KEY, PSECRET))
}

/// So that a control and a log ask for nothing else.
fn defined<C: Mode>(
    product: gizwits_enterprise_client::client::Product<C>,
) -> gizwits_enterprise_client::client::Product<C> {
    #[cfg(feature = "codec")]
    product.set_definition(
        gizwits_enterprise_client::codec::Product::from_json(&fixture(endpoint::DATAPOINT.id))
            .unwrap(),
    );
    product
}

/// The one request that isn't the token's, unless it is about that.
fn asked(server: &Server, row: &Row) -> Request {
    let mut requests = server.requests();
    if row.endpoint != endpoint::ACCESS_TOKEN {
        requests.retain(|request| !is_token(request));
    }
    assert_eq!(requests.len(), 1, "{}", row.endpoint.id);
    requests.remove(0)
}

fn check_request(request: &Request, row: &Row) {
    let id = row.endpoint.id;
    assert_eq!(request.method(), row.endpoint.method, "{id}");
    assert_eq!(
        request.url(),
        format!("https://api.example.com{}", row.path),
        "{id}"
    );
    let body = request
        .body()
        .map(|body| serde_json::from_slice::<Value>(body).unwrap());
    assert_eq!(body, row.body, "{id}");
    let json = row.body.is_some().then_some("application/json");
    assert_eq!(header(request, "content-type"), json, "{id}");
    assert_eq!(header(request, "accept"), Some("application/json"), "{id}");
    let bearer = format!("token {TOKEN}");
    let (token, eid, secret) = match row.endpoint.auth {
        Auth::Token => (Some(bearer.as_str()), None, None),
        Auth::Enterprise => (None, Some(EID), Some(ESECRET)),
        _ => (None, None, None),
    };
    assert_eq!(header(request, "authorization"), token, "{id}");
    assert_eq!(header(request, "x-gizwits-enterprise-id"), eid, "{id}");
    assert_eq!(
        header(request, "x-gizwits-enterprise-secret"),
        secret,
        "{id}"
    );
}

/// Without members that are null, which say no more than missing ones; numbers by value.
fn plain(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let kept = members.into_iter().filter(|(_, value)| !value.is_null());
            kept.map(|(name, value)| (name, plain(value))).collect()
        }
        Value::Array(values) => values.into_iter().map(plain).collect(),
        Value::Number(number) => number.as_f64().map_or(Value::Null, Value::from),
        value => value,
    }
}

fn check_answer<P>(row: &Row, run: &Run<P>, product: impl Fn(&Server) -> P, body: &str) {
    let server = server(row, answer(200, body));
    let shown =
        run(product(&server)).unwrap_or_else(|error| panic!("{}: {error}", row.endpoint.id));
    let given: Value = serde_json::from_str(body).unwrap();
    assert_eq!(plain(shown), plain(given), "{}", row.endpoint.id);
    check_request(&asked(&server, row), row);
}

/// Gives a token, unless the row is about that.
fn server(
    row: &Row,
    answer: Result<
        gizwits_enterprise_client::http::Response,
        gizwits_enterprise_client::http::Failure,
    >,
) -> Server {
    let about_token = row.endpoint == endpoint::ACCESS_TOKEN;
    let answer = answer.unwrap();
    Server::new(move |request| {
        if is_token(request) && !about_token {
            common::token_answer(TOKEN)
        } else {
            Ok(answer.clone())
        }
    })
}

fn check_errors<P>(row: &Row, run: &Run<P>, product: impl Fn(&Server) -> P) {
    let id = row.endpoint.id;
    let fails = |status, body: &str| {
        let server = server(row, answer(status, body));
        let error = run(product(&server))
            .err()
            .unwrap_or_else(|| panic!("{id}: {body}"));
        let shown = format!("{error} {error:?}");
        for secret in [ESECRET, PSECRET, TOKEN] {
            assert!(!shown.contains(secret), "{id}: {shown}");
        }
        error
    };
    let path = row.path.split('?').next().unwrap();
    let error = fails(
        403,
        r#"{"error_code":"5024","error_message":"api deny to visit!","detail":""}"#,
    );
    assert_eq!(error.code(), Some(ErrorCode::ApiDenied), "{id}");
    assert!(
        error
            .to_string()
            .starts_with(&format!("{} {path}: ", row.endpoint.method.as_str())),
        "{error}"
    );
    // An error, whatever the status says.
    assert_eq!(
        fails(200, r#"{"error_code":5015}"#).code(),
        Some(ErrorCode::ProductKeyNotExist),
        "{id}"
    );
    let error = fails(400, r#"{"error_code":7777,"error_message":"new"}"#);
    assert_eq!(error.code(), Some(ErrorCode::Unknown(7777)), "{id}");
    let echo = format!(r#"<html>{ESECRET} {PSECRET} "token":"{TOKEN}"</html>"#);
    for status in [502, 301, 404] {
        let error = fails(status, &echo);
        assert!(matches!(error, Error::Unexpected(_)), "{id}: {error}");
        assert_eq!(error.status(), Some(status), "{id}");
    }
    // No type is happy with these.
    for body in ["{", "[", "nul", &echo] {
        let error = fails(201, body);
        assert!(matches!(error, Error::Decode(_)), "{id}: {error}");
        assert_eq!(error.status(), Some(201), "{id}");
    }
}

/// The fixture of an endpoint.
fn body(row: &Row) -> String {
    fixture(row.endpoint.id)
}

#[test]
fn every_endpoint_is_in_the_table_once() {
    let ids: Vec<&str> = table!(sent)
        .iter()
        .map(|(row, _)| row.endpoint.id)
        .collect();
    let all: Vec<&str> = endpoint::ALL.iter().map(|endpoint| endpoint.id).collect();
    assert_eq!(ids, all);
    assert_eq!(all.len(), 33);
}

#[test]
fn every_endpoint_asks_and_answers() {
    for (row, run) in table!(sent) {
        check_answer(&row, &run, product, &body(&row));
    }
}

#[test]
fn every_endpoint_fails_well() {
    for (row, run) in table!(sent) {
        check_errors(&row, &run, product);
    }
}

/// Any JSON, with the names that the answers have.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,8}".prop_map(Value::from),
        Just(Value::from("000000030f000091040302dc0102030405280000")),
    ];
    let name = prop_oneof!["[a-z_]{0,6}", select(NAMES).prop_map(str::to_owned)];
    leaf.prop_recursive(5, 64, 8, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::from),
            vec((name.clone(), inner), 0..8).prop_map(|members| members.into_iter().collect()),
        ]
    })
}

const NAMES: &[&str] = &[
    "meta",
    "objects",
    "total",
    "skip",
    "next",
    "did",
    "mac",
    "uid",
    "gid",
    "macs",
    "count",
    "detail",
    "location",
    "data",
    "month",
    "timestamp",
    "ts",
    "type",
    "payload",
    "attrs",
    "heartbeat",
    "token",
    "expire_at",
    "entities",
    "name",
    "data_type",
    "success",
    "failed",
    "error_code",
    "error_message",
    "longitude",
    "active",
    "new",
    "7_day",
];

/// The answer with some value in it replaced.
fn changed(value: &mut Value, at: &mut usize, by: &Value) {
    if *at == 0 {
        *value = by.clone();
    }
    *at = at.wrapping_sub(1);
    match value {
        Value::Object(members) => members
            .values_mut()
            .for_each(|value| changed(value, at, by)),
        Value::Array(values) => values.iter_mut().for_each(|value| changed(value, at, by)),
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn no_answer_makes_it_panic(json in any_json(), at in 0..40_usize, bytes: Vec<u8>, status in 200..600_u16) {
        for (row, run) in table!(sent) {
            let mut answers = vec![json.to_string().into_bytes(), bytes.clone()];
            let mut value: Value = serde_json::from_str(&body(&row)).unwrap();
            changed(&mut value, &mut at.clone(), &json);
            answers.push(value.to_string().into_bytes());
            for body in answers {
                for status in [200, status] {
                    let server = server(&row, answer(status, body.clone()));
                    if let Err(error) = run(product(&server)) {
                        prop_assert!(!error.to_string().is_empty());
                    }
                }
            }
        }
    }
}

#[test]
fn deep_answers_are_refused() {
    for (row, run) in table!(sent) {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let deep = format!("{}1{}", open.repeat(100_000), close.repeat(100_000));
            let server = server(&row, answer(200, deep));
            assert!(run(product(&server)).is_err(), "{}", row.endpoint.id);
        }
    }
}

/// What an answer that is written in one way is read as: the same as in the other.
#[test]
fn where_the_page_contradicts_itself_both_readings_are_taken() {
    let table = table!(sent);
    let read = |endpoint: Endpoint, body: Value| {
        let found = table.iter().find(|(row, _)| row.endpoint == endpoint);
        let (row, run) = found.unwrap();
        run(product(&server(row, answer(200, body.to_string())))).unwrap()
    };
    let one = |member: Value| {
        let mut object = json!({"did": "d", "mac": "m", "uid": "u"});
        object
            .as_object_mut()
            .unwrap()
            .extend(member.as_object().unwrap().clone());
        json!({"objects": [object]})
    };
    let log = |payload: Value| json!({"objects": [{"timestamp": 1, "type": "dev_online", "payload": payload}]});
    let counts = json!({"total": 3, "resolved": 1, "unresolved": 2});
    let mut flat = counts.clone();
    flat["gid"] = json!("g");
    for endpoint in [
        endpoint::FAULT_DEVICES,
        endpoint::ALERT_DEVICES,
        endpoint::FAULT_EVENTS,
        endpoint::ALERT_EVENTS,
    ] {
        let nested = json!({"gid": "g", "count": counts});
        assert_eq!(read(endpoint, flat.clone()), read(endpoint, nested));
    }
    // Both at once are no error either: the first name counts, and the other stays with the rest.
    for (endpoint, told, read_as) in [
        (
            endpoint::DEVICES,
            one(json!({"latest_online": 1})),
            one(json!({"online_latest": 1})),
        ),
        (
            endpoint::DEVICES,
            one(json!({"online_latest": null, "latest_online": "1"})),
            one(json!({"online_latest": 1})),
        ),
        (
            endpoint::DEVICES,
            one(json!({"online_latest": 1, "latest_online": 2})),
            one(json!({"online_latest": 1, "latest_online": 2})),
        ),
        (
            endpoint::BOUND_USERS,
            one(json!({"is_anomymous": 1})),
            one(json!({"is_anonymous": true})),
        ),
        (
            endpoint::BOUND_USERS,
            one(json!({"is_anomymous": true, "is_anonymous": true})),
            one(json!({"is_anomymous": true, "is_anonymous": true})),
        ),
        (
            endpoint::ONLINE,
            log(json!({"KeepAlive": 5})),
            log(json!({"keep_alive": 5})),
        ),
        (
            endpoint::ONLINE,
            log(json!({"KeepAlive": 5, "keep_alive": 5})),
            log(json!({"KeepAlive": 5, "keep_alive": 5})),
        ),
    ] {
        assert_eq!(
            plain(read(endpoint, told)),
            plain(read_as),
            "{}",
            endpoint.id
        );
    }
    // In a tree, what is null is not known.
    let tree = |node: Value| json!({"count": {"total": 1}, "location": {"China": node}});
    let known = read(endpoint::FAULT_EVENTS, tree(json!({"count": {"total": 1}})));
    for detail in [json!(null), json!({"x": null})] {
        let told = json!({"count": {"total": 1}, "detail": detail});
        let mut found = read(endpoint::FAULT_EVENTS, tree(told));
        let place = found["location"]["China"].as_object_mut().unwrap();
        place.retain(|name, value| name != "detail" || *value != json!({}));
        assert_eq!(found, known);
    }
    read(endpoint::REALTIME, tree(json!({"count": null})));
}

/// The test files that call an endpoint's method, by their text.
fn tested(endpoint: &Endpoint) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests");
    let entries = std::fs::read_dir(folder).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut paths: Vec<_> = paths
        .filter(|path| path.extension().is_some_and(|end| end == "rs"))
        .collect();
    paths.sort();
    // `users().bound(`, but `.control(` of `device(did).control(attrs)`, whatever the device is.
    let call = endpoint.function.trim_start_matches("product.");
    let call = match call.split_once(").") {
        Some((handler, call)) if !handler.ends_with('(') => format!(".{call}"),
        _ => call.to_owned(),
    };
    let call = call.get(..=call.rfind('(').unwrap()).unwrap();
    let calls = |text: &str| {
        let text: String = text.split_whitespace().collect();
        text.contains(call)
    };
    let found = paths
        .iter()
        .filter(|path| calls(&std::fs::read_to_string(path).unwrap()))
        .map(|path| path.file_stem().unwrap().to_str().unwrap());
    found.collect::<Vec<_>>().join(", ")
}

/// The table of README.md is that of the source.
#[test]
fn the_readme_tells_the_same() {
    let rows = endpoint::ALL.iter().enumerate().map(|(n, endpoint)| {
        format!(
            "| {} | {} | `{}` | `{}` | {} |",
            n + 1,
            endpoint.method.as_str(),
            endpoint.path(),
            endpoint.function,
            tested(endpoint)
        )
    });
    let rows = rows.collect::<Vec<_>>().join("\n");
    let readme = include_str!("../README.md").lines();
    let shown: Vec<&str> = readme.filter(|line| line.contains("| `/v1/")).collect();
    assert_eq!(shown.join("\n"), rows, "README.md should say:\n{rows}");
}

/// As its literal template.
#[test]
fn every_path_stands_in_the_source_once() {
    let mut text = String::new();
    let mut paths = vec![std::path::PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/src"
    ))];
    while let Some(path) = paths.pop() {
        match path.is_dir() {
            true => paths.extend(
                std::fs::read_dir(path)
                    .unwrap()
                    .map(|file| file.unwrap().path()),
            ),
            false => text.push_str(&std::fs::read_to_string(path).unwrap()),
        }
    }
    for template in endpoint::ALL.iter().flat_map(|endpoint| endpoint.templates) {
        assert_eq!(
            text.matches(&format!("\"{template}\"")).count(),
            1,
            "{template}"
        );
    }
}

/// A folder of answers, named like our own.
#[test]
fn answers_from_elsewhere() {
    let Ok(folder) = std::env::var("GIZWITS_EXAMPLES") else {
        return;
    };
    let mut count = 0;
    for (row, run) in table!(sent) {
        let path = format!("{folder}/{}.json", row.endpoint.id);
        if let Ok(text) = std::fs::read_to_string(path) {
            let renamed = text.replace("expired_at", "expire_at");
            let server = server(&row, answer(200, text));
            let shown = run(product(&server))
                .unwrap_or_else(|error| panic!("{}: {error}", row.endpoint.id));
            let given: Value = serde_json::from_str(&renamed).unwrap();
            assert_eq!(plain(shown), plain(given), "{}", row.endpoint.id);
            count += 1;
        }
    }
    println!("{count} answers of {folder}");
    assert!(count > 0, "{folder} holds no answers");
}

#[cfg(feature = "blocking")]
mod blocking {
    use super::*;
    use gizwits_enterprise_client::blocking;

    macro_rules! waited {
        (|$product:ident| $call:expr) => {
            Box::new(|$product: blocking::Product| $call.send().map(Shown::shown))
                as Run<blocking::Product>
        };
    }

    fn product(server: &Server) -> blocking::Product {
        let client = client!(blocking::Enterprise, server, TestClock::new());
        let enterprise = client.retry(RetryPolicy::NONE).build().unwrap();
        defined(enterprise.product(KEY, PSECRET))
    }

    #[test]
    fn every_endpoint_asks_answers_and_fails() {
        for (row, run) in table!(waited) {
            check_answer(&row, &run, product, &body(&row));
            check_errors(&row, &run, product);
        }
    }
}
