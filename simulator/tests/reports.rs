//! Reports, searches and logs say what happened: held against what the scenario lets happen.

use gizwits_simulator::{Act, Simulator};
use serde_json::{Value, json};

use crate::support::*;

/// The world begins ten days before: a device more every other day, one without a place, one that
/// leaves for good.
fn scenario(live: bool) -> String {
    let head = format!(
        r#"
        history = "10d"
        live_reports = {live}
        [[enterprise]]
        id = "{ENTERPRISE}"
        secret = "{SECRET}"
        quota = 1000000
        [[app]]
        appid = "{APP}"
        products = ["{AC}"]
        [[app]]
        appid = "second app"
        products = ["{AC}"]
        [[product]]
        definition = "air-conditioner"
        key = "{AC}"
        secret = "{AC_SECRET}"
        "#
    );
    let places = [
        r#"{ country = "China", region = "Guangdong", city = "Guangzhou" }"#,
        r#"{ country = "China", region = "Guangdong", city = "Shenzhen" }"#,
        r#"{ country = "China", region = "Beijing", city = "Beijing" }"#,
        r#"{ country = "Germany" }"#,
        "{}",
    ];
    let devices: String = (0..5)
        .map(|number| {
            let (id, place) = match number {
                4 => ("device_sn = \"sn4\"".to_owned(), places[4]),
                _ => (format!("mac = \"mac{number}\""), places[number]),
            };
            let leaves = match number {
                1 => "offline = [{ reason = 'offline_force', every = '2d', lasts = '300d' }]",
                _ => "",
            };
            format!(
                "[[device]]\nproduct = '{AC}'\n{id}\ndid = 'did{number}'\nplace = {place}\nafter = '{}d'\nreport_every = '6h'\n{leaves}\n",
                2 * number
            )
        })
        .collect();
    let users = format!(
        r#"
        [[user]]
        uid = "early"
        app = "{APP}"
        phone = "123"
        place = {{ country = "China", region = "Beijing", city = "Beijing" }}
        binds = ["mac0"]
        visits = "1d"
        [[user]]
        uid = "late"
        app = "second app"
        username = "linlin"
        place = {{ country = "China", region = "Guangdong" }}
        after = "5d"
        binds = ["mac0", "mac1", "mac2"]
        visits = "2d"
        [[user]]
        uid = "never"
        app = "second app"
        email = "n@example.com"
        after = "300d"
        "#
    );
    head + &devices + &users
}

// The world begins on 2017-12-21 at noon in China, and it is 2017-12-31.
fn make(live: bool) -> Simulator {
    world(&scenario(live), START)
}

fn counts(report: &Value) -> Vec<i64> {
    let data = report["data"].as_array().unwrap();
    data.iter()
        .map(|entry| entry["count"].as_i64().unwrap())
        .collect()
}

#[test]
fn new_and_active_devices() {
    let simulator = make(false);
    let client = ac(&simulator);
    let summary = client.get("devices/summary");
    // The devices came on the 21st, 23rd, 25th, 27th and 29th; the second one left again.
    assert_eq!(
        summary,
        json!({"online": 4, "total": 5, "active": {"yesterday": 4, "7_day": 5},
               "new": {"today": 0, "yesterday": 0, "7_day": 3, "30_day": 5}})
    );
    let new = client.get("incr_devices");
    let dates: Vec<&str> = new["objects"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["report_date"].as_str().unwrap())
        .collect();
    assert_eq!(
        dates,
        [
            "2017-12-21",
            "2017-12-23",
            "2017-12-25",
            "2017-12-27",
            "2017-12-29"
        ]
    );
    assert_eq!(new["objects"][0]["created_at"], "2017-12-21 12:00:00");
    // A Bluetooth device has no MAC.
    let last = &new["objects"][4];
    assert_eq!((last.get("mac"), &last["device_sn"]), (None, &json!("sn4")));
    assert_eq!(
        client.get("incr_devices?start=2017-12-23&end=2017-12-25")["meta"]["total"],
        2
    );
    assert_eq!(
        client.get("incr_devices?country=China&region=Guangdong")["meta"]["total"],
        2
    );
    assert_eq!(
        client.get("incr_devices?city=Beijing&limit=1")["objects"][0]["mac"],
        "mac2"
    );
    // Day by day, each device once.
    assert_eq!(
        client.get("active_devices?start=2017-12-21&end=2017-12-21")["meta"]["total"],
        1
    );
    assert_eq!(
        client.get("active_devices?start=2017-12-30&end=2017-12-30")["meta"]["total"],
        4
    );
    let all = client.get("active_devices?limit=1000");
    let first = &all["objects"][0];
    assert_eq!(first["created_at"], "2017-12-21 12:00:01");
    let days =
        client.get("devices/report/liveness/history?cycle=date&start=2017-12-21&end=2017-12-30");
    let per_day = counts(&days);
    assert_eq!(
        per_day.iter().sum::<i64>(),
        all["meta"]["total"].as_i64().unwrap()
    );
    assert_eq!((per_day[0], per_day[9]), (1, 4));
    assert_eq!(
        days["data"][0],
        json!({"date": "2017-12-21", "count": 1,
        "location": {"China": {"count": 1, "Guangdong": {"count": 1, "Guangzhou": {"count": 1}}}}})
    );
    // A device counts once in a week and once in a month; what has no place is in no country.
    let weeks = client.get("devices/report/liveness/history?cycle=week&start=2017-51&end=2017-52");
    assert_eq!(counts(&weeks)[1], 5);
    assert_eq!(weeks["data"][1]["week"], "2017-52");
    let month = client.get("devices/report/liveness/history?cycle=month&start=2017-12&end=2017-12");
    assert_eq!(month["data"][0]["count"], 5);
    assert_eq!(month["data"][0]["location"]["China"]["count"], 3);
    assert_eq!(month["data"][0]["location"]["Germany"], json!({"count": 1}));
    let activation =
        client.get("devices/report/activation?cycle=date&start=2017-12-21&end=2017-12-30");
    assert_eq!(counts(&activation), [1, 0, 1, 0, 1, 0, 1, 0, 1, 0]);
    assert_eq!(
        client.get("devices/report/activation")["data"]
            .as_array()
            .unwrap()
            .len(),
        7
    );
    // A day later there is a day more to ask for.
    assert_eq!(
        client.refused("GET", "active_devices?end=2017-12-31", ""),
        5014
    );
    simulator.step(DAY).unwrap();
    assert_eq!(
        client.get("active_devices?start=2017-12-31&end=2017-12-31")["meta"]["total"],
        4
    );
}

#[test]
fn live_reports() {
    let simulator = make(true);
    let client = ac(&simulator);
    assert_eq!(
        client.get("active_devices?start=2017-12-31&end=2017-12-31")["meta"]["total"],
        4
    );
    simulator
        .act("did0", &Act::Set(r#"{"alert_full":true}"#.to_owned()))
        .unwrap();
    assert_eq!(
        client.get("alert/report/events")["detail"],
        json!({"alert_full": {"total": 1, "resolved": 0, "unresolved": 1}})
    );
    assert_eq!(
        client.refused("GET", "active_devices?end=2018-01-01", ""),
        5014
    );
}

#[test]
fn places_and_groups() {
    let simulator = make(false);
    let client = ac(&simulator);
    assert_eq!(
        client.get("devices/locations"),
        json!({"gid": null, "total": 5, "location": {
            "China": {"count": 3, "Guangdong": {"count": 2, "Guangzhou": 1, "Shenzhen": 1}, "Beijing": {"count": 1, "Beijing": 1}},
            "Germany": {"count": 1}}})
    );
    assert_eq!(client.get("devices/locations?is_online=0")["total"], 1);
    let gid = |answer: Value| answer["gid"].as_str().unwrap().to_owned();
    let root = gid(client.send("POST", "device_groups", "{}"));
    let child = gid(client.send(
        "POST",
        "device_groups",
        &json!({"parent_gid": root}).to_string(),
    ));
    client.send(
        "PUT",
        &format!("device_groups/{root}"),
        r#"{"action":"assign","reassign":false,"macs":["mac0"]}"#,
    );
    client.send(
        "PUT",
        &format!("device_groups/{child}"),
        r#"{"action":"assign","reassign":false,"macs":["mac2"]}"#,
    );
    let total = |gid: &str| client.get(&format!("devices/locations?gid={gid}"))["total"].clone();
    assert_eq!((total(&root), total(&child)), (json!(2), json!(1)));
    assert_eq!(
        client.get(&format!("devices/report/rt?gid={child}"))["count"]["activated"],
        1
    );
    assert_eq!(
        client.get(&format!("users/report/total?gid={child}")),
        json!({"gid": child, "total": 1})
    );
    assert_eq!(
        client.get(&format!("users/search?gid={root}"))["meta"]["total"],
        2
    );
    // By a switch a group is itself alone.
    let simulator = world(
        &scenario(false).replacen("live_reports", "group_descendants = false\nlive_reports", 1),
        START,
    );
    let client = ac(&simulator);
    let root = gid(client.send("POST", "device_groups", "{}"));
    let child = gid(client.send(
        "POST",
        "device_groups",
        &json!({"parent_gid": root}).to_string(),
    ));
    client.send(
        "PUT",
        &format!("device_groups/{child}"),
        r#"{"action":"assign","reassign":false,"macs":["mac2"]}"#,
    );
    assert_eq!(
        client.get(&format!("devices/locations?gid={root}"))["total"],
        0
    );
}

#[test]
fn users() {
    let simulator = make(false);
    let client = ac(&simulator);
    assert_eq!(
        client.get("users/report/total"),
        json!({"gid": null, "total": 2})
    );
    let new = client.get("users/report/new?cycle=date&start=2017-12-21&end=2017-12-30");
    assert_eq!(counts(&new), [1, 0, 0, 0, 0, 1, 0, 0, 0, 0]);
    assert_eq!(
        client.get("users/report/new?cycle=month&start=2017-11&end=2017-12")["data"],
        json!([{"month": "2017-11", "count": 0}, {"month": "2017-12", "count": 2}])
    );
    let users = |query: &str| {
        json(&enterprise(
            &simulator,
            &format!("/v1/users/search?product_key={AC}{query}"),
        ))
    };
    let uids = |page: Value| -> Vec<String> {
        let objects = page["objects"].as_array().unwrap();
        objects
            .iter()
            .map(|user| user["uid"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(uids(users("")), ["late", "early"]);
    assert_eq!(uids(users("&appid=second%20app")), ["late"]);
    assert_eq!(uids(users("&phone=123")), ["early"]);
    assert_eq!(uids(users("&username=linlin&email=x")), [""; 0]);
    assert_eq!(users("&phone=123")["objects"][0]["is_anonymous"], false);
    let bound = |query: &str| uids(client.get(&format!("users/search?{query}")));
    assert_eq!(bound(""), ["late", "early"]);
    assert_eq!(bound("type=mac&val=mac1"), ["late"]);
    assert_eq!(bound("type=username&val=linlin"), ["late"]);
    assert_eq!(bound("type=device_sn&val=sn4"), [""; 0]);
    let owners: Vec<Value> = client.get("users/search?type=did&val=did0")["objects"]
        .as_array()
        .unwrap()
        .iter()
        .map(|user| user["is_owner"].clone())
        .collect();
    assert_eq!(owners, [false, true]);
    assert!(
        client.get("users/search")["objects"][0]
            .get("is_owner")
            .is_none()
    );
    assert_eq!(
        client.get("devices/search?type=uid&val=late")["meta"]["total"],
        3
    );
    let location = json(&enterprise(
        &simulator,
        &format!("/v1/users/location?product_key={AC}"),
    ));
    assert_eq!(
        location,
        json!({"China": {"count": 2, "Beijing": {"count": 1, "Beijing": {"count": 1}}, "Guangdong": {"count": 1}}})
    );
    let liveness = |query: &str| {
        let target = format!(
            "/v1/users/liveness_total?product_key={AC}&start_date=2017-12-25&end_date=2017-12-29{query}"
        );
        counts(&json(&enterprise(&simulator, &target)))
    };
    // One comes daily, the other every second day from the 26th on.
    assert_eq!(liveness(""), [1, 2, 1, 2, 1]);
    assert_eq!(liveness("&appid=second%20app"), [0, 1, 0, 1, 0]);
    // Who unbinds was a user all the same.
    let body = json!({"uid": "late", "appid": "second app", "dids": "did0,did1,did2"}).to_string();
    assert_eq!(
        client.send("DELETE", "devices/bindings", &body)["success"],
        json!(["did0", "did1", "did2"])
    );
    assert_eq!(client.get("users/report/total")["total"], 2);
    assert_eq!(bound(""), ["early"]);
}

#[test]
fn searches_and_windows() {
    let simulator = make(false);
    let client = ac(&simulator);
    let now = simulator.now() / 1000;
    let total =
        |query: &str| client.get(&format!("devices/search?{query}"))["meta"]["total"].clone();
    assert_eq!(total("country=China"), 3);
    assert_eq!(total("country=China&city=Shenzhen"), 1);
    assert_eq!(total(&format!("liveness_start={}", now - 86_400)), 4);
    assert_eq!(total("type=did&val=did3"), 1);
    assert_eq!(total("type=mac&val=MAC3"), 0);
    simulator.act("did3", &Act::Disabled(true)).unwrap();
    assert_eq!(total("type=did&val=did3"), 0);
    assert_eq!(total("type=did&val=did3&show_disabled=1"), 1);
    // Pages and their links.
    let page = client.get("devices/search?limit=2&skip=2&country=");
    let base = format!("/v1/products/{AC}/devices/search?country=");
    assert_eq!(
        page["meta"],
        json!({"total": 4, "limit": 2, "skip": 2, "previous": format!("{base}&skip=0&limit=2"), "next": null})
    );
    let page = client.get("devices/search?skip=1&limit=2");
    assert_eq!(
        page["meta"]["previous"],
        format!("/v1/products/{AC}/devices/search?skip=0&limit=2")
    );
    assert_eq!(
        page["meta"]["next"],
        format!("/v1/products/{AC}/devices/search?skip=3&limit=2")
    );
    let past = client.get("devices/search?skip=99");
    assert_eq!(
        (&past["objects"], &past["meta"]["total"]),
        (&json!([]), &json!(4))
    );
    assert_eq!(
        client.get("devices/search?limit=5000")["meta"]["limit"],
        1000
    );
    // Logs: both days at the ends are within, windows side by side have each record once.
    let rows = |start: i64, end: i64| {
        client.get(&format!(
            "devices/did0/data?start_ts={start}&end_ts={end}&limit=1000&sort=asc"
        ))["objects"]
            .as_array()
            .unwrap()
            .clone()
    };
    let two_days = rows(now - 172_800, now);
    let halves = [rows(now - 172_800, now - 86_400), rows(now - 86_399, now)].concat();
    assert_eq!(two_days, halves);
    assert_eq!(two_days.len(), 8);
    let mut back = client.get("devices/did0/data")["objects"]
        .as_array()
        .unwrap()
        .clone();
    back.reverse();
    assert_eq!(back, two_days);
    let (first, last) = (
        two_days[0]["ts"].as_i64().unwrap(),
        two_days[7]["ts"].as_i64().unwrap(),
    );
    assert_eq!(rows(first, last).len(), 8);
    // Older than seven days is gone.
    assert_eq!(
        rows(now - 9 * 86_400, now - 8 * 86_400),
        Vec::<Value>::new()
    );
    assert!(!rows(now - 7 * 86_400, now - 6 * 86_400).is_empty());
}
