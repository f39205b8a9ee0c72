//! Every documented code that a route can raise is raised, in the documented order of the checks.

use std::collections::BTreeSet;

use gizwits_simulator::{Act, CODES, Mode, ROUTES, Request, Response, Simulator, Switch};
use proptest::prelude::*;
use serde_json::json;

use crate::support::*;

fn post(simulator: &Simulator, key: &str, body: &str) -> Response {
    simulator.answer(&Request::new("POST", format!("/v1/products/{key}/access_token")).body(body))
}

#[test]
fn all_codes_of_the_routes() {
    let simulator = small();
    let ac = ac(&simulator);
    let pump = pump(&simulator);
    let bare = client(&simulator, "bare", "bare secret");
    let broken = client(&simulator, "broken", "broken secret");
    let mut raised = BTreeSet::new();
    let mut is = |expected: u64, answer: Response| {
        assert_eq!(code(&answer), expected, "{}", answer.text());
        let row = CODES
            .iter()
            .find(|row| u64::from(row.0) == expected)
            .unwrap();
        assert_eq!(answer.status, row.1);
        assert_eq!(json(&answer)["error_message"], row.2);
        assert!(json(&answer).get("detail_message").is_some());
        assert!(answer.header("x-ratelimit-limit").is_some());
        raised.insert(expected);
    };
    let with = |field: &str, value: &str| {
        let mut body: serde_json::Value = serde_json::from_str(&credentials(AC_SECRET)).unwrap();
        body[field] = value.into();
        body.to_string()
    };
    // Tokens.
    is(5001, post(&simulator, AC, "{"));
    is(5002, post(&simulator, AC, "[]"));
    is(5002, post(&simulator, AC, "{}"));
    is(
        5002,
        post(
            &simulator,
            AC,
            r#"{"enterprise_id":1,"enterprise_secret":"","product_secret":""}"#,
        ),
    );
    is(5003, post(&simulator, AC, &with("enterprise_id", "x")));
    is(5004, post(&simulator, AC, &with("enterprise_secret", "x")));
    is(5005, post(&simulator, AC, &with("product_secret", "x")));
    is(5015, post(&simulator, "unknown", &credentials(AC_SECRET)));
    is(
        5007,
        post(&simulator, "nobody", &credentials("nobody secret")),
    );
    let others = json!({"enterprise_id": "other", "enterprise_secret": "other secret", "product_secret": AC_SECRET});
    is(5007, post(&simulator, AC, &others.to_string()));
    // Their headers.
    let groups = format!("/v1/products/{AC}/device_groups");
    for header in [
        "",
        "token",
        &ac.token,
        &format!("Token {}", ac.token),
        &format!("token {} x", ac.token),
        "token x",
    ] {
        is(
            5009,
            simulator.answer(&Request::new("GET", &*groups).header("Authorization", header)),
        );
    }
    is(
        5009,
        simulator.answer(&Request::new("GET", &*groups).header("token", &*ac.token)),
    );
    is(
        5009,
        simulator.answer(
            &Request::new("GET", &*groups)
                .token(&ac.token)
                .token(&ac.token),
        ),
    );
    is(
        5010,
        simulator.answer(&Request::new("GET", &*groups).token(&pump.token)),
    );
    let spaced =
        Request::new("GET", &*groups).header("Authorization", format!("token  {}", ac.token));
    assert_eq!(simulator.answer(&spaced).status, 200);
    // The enterprise's headers.
    let users = format!("/v1/users/search?product_key={AC}");
    let located = format!("/v1/users/location?product_key={AC}");
    is(5003, simulator.answer(&Request::new("GET", &*users)));
    is(
        5003,
        simulator.answer(&Request::new("GET", &*users).header("x-gizwits-enterprise-id", "x")),
    );
    let with_id =
        |target: &str| Request::new("GET", target).header("x-gizwits-enterprise-id", ENTERPRISE);
    is(
        5004,
        simulator.answer(&with_id(&users).header("x-gizwits-enterprise-secret", "x")),
    );
    is(5004, simulator.answer(&with_id(&located)));
    assert_eq!(simulator.answer(&with_id(&users)).status, 200);
    is(5002, enterprise(&simulator, "/v1/users/search"));
    is(
        5005,
        enterprise(&simulator, "/v1/users/location?product_secret=x"),
    );
    is(
        5015,
        enterprise(&simulator, "/v1/users/location?product_key=x"),
    );
    is(
        5801,
        enterprise(&simulator, "/v1/users/location?product_key=nobody"),
    );
    is(5016, enterprise(&simulator, &format!("{users}&appid=x")));
    is(
        5014,
        enterprise(
            &simulator,
            &format!(
                "/v1/users/liveness_total?product_key={AC}&start_date=2017-12-31&end_date=2017-12-31"
            ),
        ),
    );
    is(
        5002,
        enterprise(
            &simulator,
            &format!(
                "/v1/users/liveness_total?product_key={AC}&start_date=2017-12-31&end_date=2017-12-30"
            ),
        ),
    );
    assert_eq!(
        enterprise(
            &simulator,
            &format!("/v1/users/location?product_secret={AC_SECRET}")
        )
        .status,
        200
    );
    // Pages, flags, spans.
    for query in [
        "limit=0",
        "limit=-1",
        "limit=x",
        "is_online=01",
        "skip=-1",
        "skip=1.5",
        "is_online=2",
        "is_alert=true",
        "type=did",
        "type=serial&val=1",
        "val=1",
        "liveness_start=x",
        "city=%ff",
        "city=%4",
        "limit=99999999999999999999",
    ] {
        is(5002, ac.call("GET", &format!("devices/search?{query}"), ""));
    }
    let (now, day) = (START / 1000, DAY / 1000);
    for query in [
        format!("start_ts={}", now - 5),
        format!("end_ts={now}"),
        format!("start_ts={now}&end_ts={now}"),
        format!("start_ts={now}&end_ts={}", now - 5),
        format!("start_ts={}&end_ts={now}", now - 2 * day - 1),
        format!("start_ts={now}.5&end_ts={now}"),
        "start_ts=-9223372036854775808&end_ts=9223372036854775807".to_owned(),
        "sort=up".to_owned(),
    ] {
        for log in ["online", "cmd", "data"] {
            is(
                5002,
                ac.call("GET", &format!("devices/{DID}/{log}?{query}"), ""),
            );
        }
    }
    for query in [
        "cycle=date&start=2017-12-01",
        "cycle=date",
        "cycle=year&start=2017&end=2017",
        "cycle=week&start=2017-54&end=2017-54",
        "cycle=date&start=2017-11-01&end=2017-12-01",
        "cycle=month&start=2016-12&end=2017-12",
        "cycle=date&start=2017-12-02&end=2017-12-01",
    ] {
        is(
            5002,
            ac.call(
                "GET",
                &format!("devices/report/liveness/history?{query}"),
                "",
            ),
        );
        is(
            5002,
            ac.call("GET", &format!("users/report/new?{query}"), ""),
        );
    }
    is(
        5014,
        ac.call(
            "GET",
            "devices/report/liveness/history?cycle=date&start=2017-12-30&end=2017-12-31",
            "",
        ),
    );
    is(
        5014,
        ac.call(
            "GET",
            "users/report/new?cycle=month&start=2017-12&end=2018-01",
            "",
        ),
    );
    is(5014, ac.call("GET", "incr_devices?end=2017-12-31", ""));
    is(5014, ac.call("GET", "active_devices?start=2018-01-01", ""));
    is(
        5002,
        ac.call("GET", "active_devices?start=2017-12-31&end=2017-12-30", ""),
    );
    is(5002, ac.call("GET", "active_devices?start=yesterday", ""));
    // Devices.
    is(5002, ac.call("GET", "devices", ""));
    is(5301, ac.call("GET", "devices?mac=x", ""));
    is(5301, ac.call("GET", "device_detail?mac=later", ""));
    is(5301, ac.call("GET", "devices/x/cmd", ""));
    is(5302, ac.call("GET", &format!("devices/{PUMP_DID}/cmd"), ""));
    // Control.
    let control = format!("devices/{DID}/control");
    let pump_control = format!("devices/{PUMP_DID}/control");
    is(5001, ac.call("POST", &control, ""));
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let deep = format!("{}1{}", open.repeat(100_000), close.repeat(100_000));
        for body in [
            format!("{{\"attrs\":{{\"mode\":{deep}}}}}"),
            format!("{{\"x\":{deep}}}"),
        ] {
            let answer = ac.call("POST", &control, &body);
            assert!(answer.text().contains("nested more than 64 deep"));
            is(5001, answer);
        }
    }
    for body in [
        "{}",
        "[]",
        r#"{"attrs":{}}"#,
        r#"{"attrs":1}"#,
        r#"{"attrs":{"switch":1},"raw":[1]}"#,
        r#"{"raw":"00","binary_coding":"hex16"}"#,
        r#"{"attrs":null,"raw":null}"#,
    ] {
        is(5002, ac.call("POST", &control, body));
    }
    for attrs in [
        json!({"set_temp": 31}),
        json!({"set_temp": 15}),
        json!({"set_temp": 20.5}),
        json!({"set_temp": "20"}),
        json!({"room_temp": 20}),
        json!({"alert_full": true}),
        json!({"mode": "heat"}),
        json!({"mode": 4}),
        json!({"switch": 2}),
        json!({"switch": "on"}),
        json!({"switch": "1"}),
        json!({"switch": null}),
        json!({"set_temp": [20]}),
    ] {
        is(
            5401,
            ac.call("POST", &control, &json!({"attrs": attrs}).to_string()),
        );
    }
    for binary in [
        json!("00"),
        json!("00112233445566778899"),
        json!("001122334455667"),
        json!("0x00112233445566"),
        json!("00 11 22 33 44 55 66 77"),
        json!([1, 2]),
        json!(7),
    ] {
        is(
            5401,
            pump.call(
                "POST",
                &pump_control,
                &json!({"attrs": {"schedule": binary}}).to_string(),
            ),
        );
    }
    pump.send(
        "POST",
        &pump_control,
        r#"{"attrs":{"schedule":"0011223344556677"}}"#,
    );
    pump.send(
        "POST",
        &pump_control,
        r#"{"attrs":{"schedule":"ABEiM0RVZnc=","frequency":2.50},"binary_coding":"base64"}"#,
    );
    pump.send(
        "POST",
        &pump_control,
        r#"{"attrs":{"schedule":[0,1,2,3,4,5,6,7]}}"#,
    );
    is(
        5405,
        ac.call("POST", &control, r#"{"attrs":{"set_tmp":20}}"#),
    );
    for raw in [
        json!([]),
        json!([256]),
        json!([-1]),
        json!([1.5]),
        json!(["a"]),
        json!("xyz"),
        json!("abc"),
        json!(7),
        json!({}),
    ] {
        is(
            5408,
            ac.call("POST", &control, &json!({"raw": raw}).to_string()),
        );
    }
    is(5301, ac.call("POST", "devices/x/control", r#"{"raw":[1]}"#));
    is(5302, ac.call("POST", &pump_control, r#"{"raw":[1]}"#));
    is(
        5304,
        ac.call("POST", "devices/third/control", r#"{"raw":[1]}"#),
    );
    is(
        5402,
        bare.call("POST", "devices/bare/control", r#"{"attrs":{"x":1}}"#),
    );
    is(5402, bare.call("GET", "datapoint", ""));
    is(5406, broken.call("GET", "datapoint", ""));
    is(
        5406,
        broken.call("POST", "devices/broken/control", r#"{"attrs":{"x":1}}"#),
    );
    bare.send("POST", "devices/bare/control", r#"{"raw":[1,2,3]}"#);
    simulator
        .act(DID, &Act::Offline("offline_force".to_owned()))
        .unwrap();
    is(5305, ac.call("POST", &control, r#"{"raw":[1]}"#));
    simulator
        .switch(&Switch::RemoteControl {
            product_key: AC.to_owned(),
            on: false,
        })
        .unwrap();
    is(5404, ac.call("POST", &control, r#"{"raw":[1]}"#));
    // Groups.
    is(
        5202,
        ac.call("POST", "device_groups", r#"{"parent_gid":"x"}"#),
    );
    is(
        5002,
        ac.call("POST", "device_groups", r#"{"parent_gid":7}"#),
    );
    is(5001, ac.call("POST", "device_groups", ""));
    let root = ac.send("POST", "device_groups", "{}")["gid"]
        .as_str()
        .unwrap()
        .to_owned();
    is(
        5203,
        ac.call("POST", "device_groups", r#"{"parent_gid":null}"#),
    );
    is(
        5201,
        pump.call(
            "POST",
            "device_groups",
            &json!({"parent_gid": root}).to_string(),
        ),
    );
    let child = ac.send(
        "POST",
        "device_groups",
        &json!({"parent_gid": root}).to_string(),
    );
    let child = child["gid"].as_str().unwrap().to_owned();
    is(
        5204,
        ac.call("DELETE", &format!("device_groups/{root}"), ""),
    );
    is(5206, ac.call("DELETE", "device_groups/x", ""));
    is(5201, pump.call("GET", &format!("device_groups/{root}"), ""));
    is(5206, ac.call("GET", "devices/search?gid=x", ""));
    is(
        5201,
        pump.call("GET", &format!("devices/report/rt?gid={root}"), ""),
    );
    for body in [
        json!({"macs": []}),
        json!({"action": "move", "macs": []}),
        json!({"action": "assign", "macs": "virtual:site"}),
        json!({"action": "assign", "macs": [7]}),
        json!({"action": "assign", "reassign": 1, "macs": []}),
        json!({"action": "assign", "macs": vec!["m"; 1001]}),
    ] {
        is(
            5002,
            ac.call("PUT", &format!("device_groups/{child}"), &body.to_string()),
        );
    }
    is(
        5206,
        ac.call("PUT", "device_groups/x", r#"{"action":"assign","macs":[]}"#),
    );
    ac.send(
        "PUT",
        &format!("device_groups/{child}"),
        r#"{"action":"assign","reassign":false,"macs":["virtual:site"]}"#,
    );
    is(
        5205,
        ac.call("DELETE", &format!("device_groups/{child}"), ""),
    );
    // Bindings.
    let bind = |uid: &str, appid: &str, dids: serde_json::Value| {
        json!({"uid": uid, "appid": appid, "dids": dids}).to_string()
    };
    for method in ["POST", "DELETE"] {
        is(5001, ac.call(method, "devices/bindings", ""));
        is(
            5002,
            ac.call(method, "devices/bindings", &bind(UID, APP, json!([]))),
        );
        is(
            5002,
            ac.call(method, "devices/bindings", &bind(UID, APP, json!([7]))),
        );
        is(
            5002,
            ac.call(method, "devices/bindings", &bind("", APP, json!([DID]))),
        );
        is(
            5016,
            ac.call(method, "devices/bindings", &bind(UID, "x", json!([DID]))),
        );
        is(
            5017,
            ac.call(method, "devices/bindings", &bind("x", APP, json!([DID]))),
        );
    }
    is(5002, ac.call("GET", "users/search?type=name&val=x", ""));
    // What is closed.
    simulator
        .switch(&Switch::Published {
            product_key: AC.to_owned(),
            on: true,
        })
        .unwrap();
    is(5024, ac.call("GET", &format!("devices/{DID}/data"), ""));
    simulator
        .switch(&Switch::OpenLogs {
            product_key: AC.to_owned(),
            on: true,
        })
        .unwrap();
    assert_eq!(
        ac.call("GET", &format!("devices/{DID}/data"), "").status,
        200
    );
    simulator
        .switch(&Switch::Overseas {
            enterprise_id: ENTERPRISE.to_owned(),
            on: true,
        })
        .unwrap();
    is(5024, ac.call("GET", "devices/summary", ""));
    assert_eq!(ac.call("GET", "devices/locations", "").status, 200);
    simulator
        .switch(&Switch::Association {
            product_key: AC.to_owned(),
            enterprise_id: None,
        })
        .unwrap();
    is(5007, ac.call("GET", "device_groups", ""));
    simulator
        .switch(&Switch::Association {
            product_key: AC.to_owned(),
            enterprise_id: Some(ENTERPRISE.to_owned()),
        })
        .unwrap();
    simulator.step(7 * DAY).unwrap();
    assert_eq!(ac.call("GET", "device_groups", "").status, 200);
    simulator.step(1).unwrap();
    is(5011, ac.call("GET", "device_groups", ""));
    // Addresses and quota come before the credentials.
    simulator
        .switch(&Switch::Quota {
            enterprise_id: ENTERPRISE.to_owned(),
            calls: 0,
        })
        .unwrap();
    is(5013, ac.call("GET", "device_groups", ""));
    is(5013, post(&simulator, AC, &with("enterprise_secret", "x")));
    simulator
        .switch(&Switch::Allow {
            enterprise_id: ENTERPRISE.to_owned(),
            networks: vec!["10.0.0.0/8".to_owned()],
        })
        .unwrap();
    is(5012, ac.call("GET", "device_groups", ""));
    is(5012, post(&simulator, AC, &credentials(AC_SECRET)));
    is(5012, enterprise(&simulator, &users));

    let of_routes: BTreeSet<u64> = [
        5001, 5002, 5003, 5004, 5005, 5007, 5009, 5010, 5011, 5012, 5013, 5014, 5015, 5016, 5017,
        5024, 5201, 5202, 5203, 5204, 5205, 5206, 5301, 5302, 5304, 5305, 5401, 5402, 5404, 5405,
        5406, 5408, 5801,
    ]
    .into();
    assert_eq!(raised, of_routes);
}

#[test]
fn all_other_codes_on_demand() {
    let simulator = small();
    let client = ac(&simulator);
    assert_eq!(CODES.len(), 56);
    for (expected, status, message) in CODES {
        let mode = Mode::Error { code: *expected };
        simulator
            .set_mode("get_v1_products_product_key_device_groups", &mode, Some(1))
            .unwrap();
        let answer = client.call("GET", "device_groups", "");
        assert_eq!(
            (code(&answer), answer.status),
            (u64::from(*expected), *status)
        );
        assert_eq!(json(&answer)["error_message"], *message);
        assert_eq!(client.call("GET", "device_groups", "").status, 200);
    }
    assert!(
        simulator
            .set_mode("*", &Mode::Error { code: 1 }, None)
            .is_err()
    );
    assert!(simulator.set_mode("unknown", &Mode::Html502, None).is_err());
}

#[test]
fn quota() {
    let simulator = small();
    let client = ac(&simulator);
    simulator
        .switch(&Switch::Quota {
            enterprise_id: ENTERPRISE.to_owned(),
            calls: 60,
        })
        .unwrap();
    let header = |answer: &Response, name: &str| -> i64 {
        answer
            .header(&format!("X-RateLimit-{name}"))
            .unwrap()
            .parse()
            .unwrap()
    };
    // The token was the first call; refused calls count, too.
    for left in (0..59).rev() {
        let answer = match left % 3 {
            0 => client.call("GET", "device_groups", ""),
            1 => client.call("GET", "devices", ""),
            _ => enterprise(&simulator, "/v1/users/search"),
        };
        assert_eq!(header(&answer, "Limit"), 60);
        assert_eq!(header(&answer, "Remaining"), left);
        assert_eq!(
            header(&answer, "Reset"),
            (simulator.now() / HOUR + 1) * 3600
        );
    }
    assert_eq!(client.refused("GET", "device_groups", ""), 5013);
    let over = client.call("GET", "device_groups", "");
    assert_eq!((header(&over, "Remaining"), over.status), (0, 403));
    // Another enterprise has a quota of its own.
    let others = json!({
        "enterprise_id": "other", "enterprise_secret": "other secret", "product_secret": AC_SECRET,
    });
    let path = format!("/v1/products/{AC}/access_token");
    let answer = simulator.answer(&Request::new("POST", path).body(others.to_string()));
    assert_eq!((code(&answer), header(&answer, "Remaining")), (5007, 3599));
    simulator.step(HOUR).unwrap();
    // What has no route is not counted.
    assert_eq!(client.call("GET", "unknown", "").status, 404);
    assert_eq!(
        header(&client.call("GET", "device_groups", ""), "Remaining"),
        59
    );
}

#[test]
fn routes_and_methods() {
    let simulator = small();
    let client = ac(&simulator);
    assert_eq!(ROUTES.len(), 33);
    for (method, path, status) in [
        ("GET", "/", 404),
        ("GET", "", 404),
        ("GET", "/v1", 404),
        ("GET", "/v1/products", 404),
        ("GET", "/v1/products//devices", 404),
        ("GET", "/v1/products/x/devices/", 404),
        ("GET", "//v1/users/search", 404),
        ("GET", "/v1/users/../users/search", 404),
        ("GET", "/v1/products/a%2Fb/devices", 404),
        ("GET", "/v1/products/%ff/devices", 404),
        ("GET", "/v1/products/%00/devices", 404),
        ("PATCH", "/v1/users/search", 405),
        ("DELETE", "/v1/users/search", 405),
        ("get", "/v1/users/search", 405),
    ] {
        let answer = simulator.answer(&Request::new(method, path).token(&client.token));
        assert_eq!(answer.status, status, "{method} {path}");
        assert_eq!(answer.header("content-type"), Some("text/html"));
        assert!(!answer.text().contains("v1"));
    }
    let answer = client.call("PATCH", "device_groups", "");
    assert_eq!(answer.header("allow"), Some("GET, POST"));
}

/// Text with what parsers stumble over.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        Just("-1".to_owned()),
        Just("9223372036854775807".to_owned()),
        Just("2017-12".to_owned()),
        Just("2017-12-30".to_owned()),
        Just("%".to_owned()),
        Just("%ff%00".to_owned()),
        Just(DID.to_owned()),
        Just("virtual:site".to_owned()),
        "[ -~]{0,12}",
        "\\PC{0,6}",
    ]
}

fn json_value() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(|on| json!(on)),
        any::<i64>().prop_map(|number| json!(number)),
        any::<f64>().prop_map(|number| json!(number)),
        text().prop_map(|text| json!(text)),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(|list| json!(list)),
            proptest::collection::btree_map(field(), inner, 0..4).prop_map(|map| json!(map)),
        ]
    })
}

fn field() -> impl Strategy<Value = String> {
    let fields = [
        "attrs",
        "raw",
        "binary_coding",
        "switch",
        "set_temp",
        "mode",
        "schedule",
        "flow",
        "frequency",
        "action",
        "macs",
        "reassign",
        "parent_gid",
        "uid",
        "appid",
        "dids",
        "enterprise_id",
        "start",
        "end",
        "cycle",
        "gid",
        "limit",
        "skip",
        "type",
        "val",
        "mac",
        "start_ts",
        "end_ts",
        "sort",
        "product_key",
        "start_date",
        "end_date",
        "liveness_start",
        "is_online",
    ];
    prop_oneof![
        9 => proptest::sample::select(fields.to_vec()).prop_map(str::to_owned),
        1 => text(),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn any_call_is_answered(
        calls in proptest::collection::vec(
            (0..ROUTES.len(), text(), proptest::collection::vec((field(), text()), 0..4), json_value(), any::<bool>()),
            1..60,
        ),
    ) {
        let simulator = small();
        let client = ac(&simulator);
        for (route, odd, query, body, whole) in calls {
            let route = ROUTES[route];
            let path = route.paths[0].replace("{product_key}", AC);
            let path = if whole { path.replace("{did}", DID) } else { path.replace("{did}", &odd) };
            let query: Vec<String> = query.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let mut body = body.to_string();
            if !whole {
                // Cut somewhere.
                let end = (0..=body.len() / 2).rev().find(|at| body.is_char_boundary(*at)).unwrap_or(0);
                body.truncate(end);
            }
            let request = Request::new(route.method, format!("{}?{}", path.replace("{gid}", &odd), query.join("&")))
                .token(&client.token)
                .header("x-gizwits-enterprise-id", ENTERPRISE)
                .header("x-gizwits-enterprise-secret", SECRET)
                .body(body);
            let answer = simulator.answer(&request);
            prop_assert!(answer.status < 500, "{}: {}", request.target, answer.text());
            match answer.header("content-type") {
                Some("text/html") => prop_assert!(matches!(answer.status, 404 | 405)),
                _ => {
                    let value: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
                    prop_assert_eq!(answer.status >= 400, value.get("error_code").is_some());
                }
            }
            simulator.step(500).unwrap();
        }
        prop_assert!(simulator.is_sound().unwrap());
    }
}
