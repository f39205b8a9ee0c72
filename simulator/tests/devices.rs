//! What devices do, and that log, data, faults and reports follow from it.

use std::collections::BTreeSet;

use gizwits_codec_std::{Product, payload};
use gizwits_simulator::{Act, OFFLINE_REASONS, Request, Scenario, Simulator, Time};
use serde_json::{Value, json};

use crate::support::*;

/// The objects of a log, oldest first.
fn log(client: &Client<'_>, did: &str, kind: &str) -> Vec<Value> {
    let page = client.get(&format!("devices/{did}/{kind}?sort=asc&limit=1000"));
    page["objects"].as_array().unwrap().clone()
}

#[test]
fn a_control_becomes_a_frame_and_the_device_answers_it() {
    let simulator = small();
    let client = ac(&simulator);
    let before = log(&client, DID, "data").pop().unwrap();
    assert_eq!(before["attrs"]["set_temp"], 16);
    assert_eq!(before["attrs"]["room_temp"], -10);

    let control = client.send(
        "POST",
        &format!("devices/{DID}/control"),
        r#"{"attrs":{"set_temp":24}}"#,
    );
    assert_eq!(control, json!({}));
    let frames = log(&client, DID, "cmd");
    let sent = frames.last().unwrap();
    assert_eq!(sent["type"], "app2dev");
    assert_eq!(sent["payload"], "0000000309000090014000000018");
    // Not before it had time to.
    assert_eq!(log(&client, DID, "data").last(), Some(&before));

    simulator.step(400).unwrap();
    let frames = log(&client, DID, "cmd");
    let answer = frames.last().unwrap();
    assert_eq!(answer["type"], "dev2app");
    assert_eq!(answer["payload"], "000000030b0000910401000018000000");
    let data = log(&client, DID, "data").pop().unwrap();
    assert_eq!(data["attrs"]["set_temp"], 24);
    assert_eq!(
        data["ts"].as_f64().unwrap(),
        answer["timestamp"].as_f64().unwrap().floor()
    );
    let took = answer["timestamp"].as_f64().unwrap() - sent["timestamp"].as_f64().unwrap();
    assert!((0.2..0.4).contains(&took), "{took}");
}

#[test]
fn a_var_len_device_reports_what_changed_and_all_now_and_then() {
    let simulator = small();
    let client = pump(&simulator);
    for flow in 1..12 {
        client.send(
            "POST",
            &format!("devices/{PUMP_DID}/control"),
            &json!({"attrs": {"flow": flow, "mode": "random", "schedule": "00ff00ff00ff00ff"}})
                .to_string(),
        );
        simulator.step(1000).unwrap();
    }
    let data = log(&client, PUMP_DID, "data");
    let sizes: Vec<usize> = data
        .iter()
        .map(|row| row["attrs"].as_object().unwrap().len())
        .collect();
    // All as a greeting, the three that changed, the one that did, all after ten.
    assert_eq!(sizes, [12, 3, 1, 1, 1, 1, 1, 1, 1, 1, 12, 1]);
    assert_eq!(
        data[1]["attrs"],
        json!({"mode": "random", "flow": 1, "schedule": "00ff00ff00ff00ff"})
    );
    assert_eq!(data[0]["attrs"]["water_temp"], 24.5);
    assert_eq!(data[0]["attrs"]["frequency"], 2.5);
}

#[test]
fn raw_controls_reads_and_nonsense() {
    let simulator = small();
    let path = format!("devices/{DID}/control");
    let client = ac(&simulator);
    let frames = |body: &str| {
        let before = log(&client, DID, "cmd").len();
        client.send("POST", &path, body);
        simulator.step(1000).unwrap();
        let frames = log(&client, DID, "cmd").split_off(before);
        frames
            .iter()
            .map(|frame| frame["payload"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        frames(r#"{"raw":[1,1,0,0,0,0]}"#),
        [
            "0000000309000090010100000000",
            "000000030b0000910400000010000000"
        ]
    );
    assert_eq!(
        frames(r#"{"raw":[2]}"#),
        ["000000030400009002", "000000030b0000910300000010000000"]
    );
    assert_eq!(frames(r#"{"raw":"02","binary_coding":"hex"}"#).len(), 2);
    assert_eq!(
        frames(r#"{"raw":"Ag==","binary_coding":"base64"}"#).len(),
        2
    );
    // A device says nothing to what it doesn't understand.
    assert_eq!(frames(r#"{"raw":[97,98,99]}"#), ["0000000306000090616263"]);

    let client = pump(&simulator);
    let answer = |raw: &str| {
        let before = log(&client, PUMP_DID, "cmd").len();
        let body = format!(r#"{{"raw":"{raw}","binary_coding":"hex"}}"#);
        client.send("POST", &format!("devices/{PUMP_DID}/control"), &body);
        simulator.step(1000).unwrap();
        let answers = log(&client, PUMP_DID, "cmd").split_off(before + 1);
        let payloads = answers.iter().map(|one| one["payload"].as_str().unwrap());
        payloads.map(str::to_owned).collect::<Vec<_>>()
    };
    let one = answer("120008");
    assert!(one[0].contains("0091130008"), "{one:?}");
    // Its points are 12: the other bits of the mask ask for nothing.
    assert_eq!(answer("12f008"), one);
    let all = answer("120fff");
    assert!(all[0].contains("0091130fff"), "{all:?}");
    for ones in 1..6 {
        assert_eq!(answer(&format!("12{}", "ff".repeat(ones))), all);
    }
    for other in ["12", "1200", "1200ffff"] {
        assert!(answer(other).is_empty(), "{other}");
    }
}

#[test]
fn data_is_what_the_codec_makes_of_the_frames() {
    let simulator = Simulator::builder()
        .time(Time::Manual { start: START })
        .build()
        .unwrap();
    for (client, definition) in [
        (ac(&simulator), "air-conditioner"),
        (pump(&simulator), "wave-pump"),
    ] {
        let path = format!(
            "{}/definitions/{definition}.json",
            env!("CARGO_MANIFEST_DIR")
        );
        let product = Product::from_json(&std::fs::read_to_string(path).unwrap()).unwrap();
        let devices = client.get("devices/search");
        for device in devices["objects"].as_array().unwrap() {
            let did = device["did"].as_str().unwrap();
            let data = log(&client, did, "data");
            let reports: Vec<_> = log(&client, did, "cmd")
                .into_iter()
                .filter(|frame| frame["type"] == "dev2app")
                .collect();
            assert_eq!(data.len(), reports.len());
            assert!(data.len() > 20, "{did}: {}", data.len());
            for (row, frame) in data.iter().zip(&reports) {
                let bytes = payload::parse(frame["payload"].as_str().unwrap(), None).unwrap();
                let decoded: Value =
                    serde_json::from_str(&product.decode(&bytes).unwrap().to_json()).unwrap();
                assert_eq!(decoded["attrs"], row["attrs"]);
                assert_eq!(
                    row["ts"].as_f64(),
                    frame["timestamp"].as_f64().map(f64::floor)
                );
            }
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let run = |seed| {
        let simulator = Simulator::builder()
            .scenario(Scenario::builtin().seed(seed))
            .time(Time::Manual { start: START })
            .build()
            .unwrap();
        let client = ac(&simulator);
        client.send(
            "POST",
            &format!("devices/{DID}/control"),
            r#"{"attrs":{"set_temp":20}}"#,
        );
        simulator.step(DAY).unwrap();
        let mut seen = vec![client.token.clone()];
        for did in simulator.credentials().unwrap().swap_remove(0).dids {
            for kind in ["cmd", "data", "online"] {
                let answer = client.call("GET", &format!("devices/{did}/{kind}?limit=1000"), "");
                seen.push(answer.text().to_owned());
            }
        }
        seen
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
}

#[test]
fn all_reasons_to_leave() {
    let simulator = small();
    let client = ac(&simulator);
    let device = || client.get(&format!("devices/search?type=did&val={DID}"))["objects"][0].clone();
    for reason in OFFLINE_REASONS {
        let since = device()["online_latest"].as_i64().unwrap();
        simulator.step(1_234_567).unwrap();
        simulator
            .act(DID, &Act::Offline(reason.to_owned()))
            .unwrap();
        if reason == "no_heartbeat" {
            // The cloud doesn't know yet, and what is sent is lost.
            assert_eq!(device()["is_online"], true);
            let before = log(&client, DID, "cmd").len();
            client.send(
                "POST",
                &format!("devices/{DID}/control"),
                r#"{"attrs":{"switch":true}}"#,
            );
            simulator.step(5000).unwrap();
            assert_eq!(log(&client, DID, "cmd").len(), before + 1);
            simulator.step(130_000).unwrap();
        }
        assert_eq!(device()["is_online"], false);
        assert_eq!(
            client.refused(
                "POST",
                &format!("devices/{DID}/control"),
                r#"{"attrs":{"switch":true}}"#
            ),
            5305
        );
        let left = log(&client, DID, "online").pop().unwrap();
        assert_eq!(left["type"], "dev_offline");
        let payload = &left["payload"];
        assert_eq!(payload["reason"], reason);
        let at = left["timestamp"].as_f64().unwrap().floor() as i64;
        let int = |value: &Value| value.as_i64().unwrap();
        let beats = &payload["heartbeat"];
        assert_eq!(at - int(&payload["duration"]), since);
        assert_eq!(
            (int(&payload["duration"]) - int(&beats["last"])) / int(&beats["count"]),
            int(&beats["avg"])
        );
        if reason == "no_heartbeat" {
            assert_eq!(beats["last"], 130);
        }
        simulator.act(DID, &Act::Online).unwrap();
        let back = log(&client, DID, "online").pop().unwrap();
        assert_eq!(
            (&back["type"], &back["payload"]),
            (&json!("dev_online"), &json!({"keep_alive": 130}))
        );
        simulator.step(2000).unwrap();
    }
    assert!(
        simulator
            .act(DID, &Act::Offline("bored".to_owned()))
            .is_err()
    );
}

#[test]
fn back_before_it_was_missed() {
    let simulator = small();
    let client = ac(&simulator);
    simulator
        .act(DID, &Act::Offline("no_heartbeat".to_owned()))
        .unwrap();
    simulator.step(60_000).unwrap();
    simulator.act(DID, &Act::Online).unwrap();
    simulator.step(300_000).unwrap();
    let kinds: Vec<Value> = log(&client, DID, "online")
        .iter()
        .map(|row| row["type"].clone())
        .collect();
    assert_eq!(kinds, ["dev_online", "dev_re_online"]);
}

#[test]
fn faults_open_and_close_and_are_reported() {
    let simulator = small();
    let client = ac(&simulator);
    let rt = || client.get("devices/report/rt");
    let set = |json: &str| simulator.act(DID, &Act::Set(json.to_owned())).unwrap();
    set(r#"{"fault_roomtemp":true,"alert_full":1}"#);
    assert_eq!(
        rt()["count"],
        json!({"activated": 3, "faulty": 1, "alert": 1})
    );
    let guangzhou = &rt()["location"]["China"]["Guangdong"]["Guangzhou"]["count"];
    assert_eq!(guangzhou, &json!({"activated": 1, "faulty": 1, "alert": 1}));
    assert_eq!(
        rt()["location"]["China"]["Guangdong"]["Shenzhen"]["count"],
        json!({"activated": 1})
    );
    assert_eq!(
        client.get("devices/search?is_faulty=1&show_disabled=1")["meta"]["total"],
        1
    );
    assert_eq!(client.get("devices/locations?is_alert=0")["total"], 2);
    // What the last night found: nothing yet.
    assert_eq!(client.get("fault/report/devices")["count"]["total"], 0);
    set(r#"{"alert_full":0}"#);
    simulator.step(DAY).unwrap();
    assert_eq!(
        client.get("fault/report/devices")["count"],
        json!({"total": 1, "resolved": 0, "unresolved": 1})
    );
    set(r#"{"fault_roomtemp":false}"#);
    set(r#"{"fault_roomtemp":true}"#);
    simulator.step(DAY).unwrap();
    let events = client.get("fault/report/events");
    assert_eq!(
        events["count"],
        json!({"total": 2, "resolved": 1, "unresolved": 1})
    );
    assert_eq!(events["detail"]["fault_roomtemp"], events["count"]);
    assert_eq!(
        events["location"]["China"]["Guangdong"]["Guangzhou"]["detail"]["fault_roomtemp"]["total"],
        2
    );
    assert_eq!(
        client.get("alert/report/events")["detail"]["alert_full"]["resolved"],
        1
    );
    assert_eq!(
        client.get("fault/alert/events"),
        client.get("alert/report/events")
    );
    assert_eq!(
        client.get("alert/report/devices")["count"],
        json!({"total": 1, "resolved": 1, "unresolved": 0})
    );
}

#[test]
fn behaviours() {
    let scenario = r#"
        seed = 3
        live_reports = true
        [[enterprise]]
        id = "e0e1e2e3e4e5e6e7e8e9eaebecedeeef"
        secret = "5ec0e75ec0e75ec0e75ec0e75ec0e75e"
        [[product]]
        definition = "air-conditioner"
        key = "a1b2c3d4e5f60718293a4b5c6d7e8f90"
        secret = "9ac9ac9ac9ac9ac9ac9ac9ac9ac9ac9a"
        [[device]]
        product = "a1b2c3d4e5f60718293a4b5c6d7e8f90"
        mac = "virtual:site"
        did = "cBYkSjoE2xspYMhaUHdk5k"
        initial = { switch = true, set_temp = 26, room_temp = 20, off_timing = 3 }
        walk = [{ point = "room_temp", every = "1m", step = 2, towards = "set_temp", when = "switch" }]
        countdown = [{ point = "off_timing", every = "1h", set = { switch = false } }]
        trouble = [{ point = "fault_roomtemp", every = "6h", lasts = "20m" }]
        offline = [{ reason = "Tcp_closed", every = "12h", lasts = "1h" }]
    "#;
    let simulator = world(scenario, START);
    let client = ac(&simulator);
    simulator.step(10 * 60_000).unwrap();
    let rooms: Vec<i64> = log(&client, DID, "data")
        .iter()
        .map(|row| row["attrs"]["room_temp"].as_i64().unwrap())
        .collect();
    assert!(rooms.starts_with(&[20, 22, 24, 26]), "{rooms:?}");
    simulator.step(DAY).unwrap();
    let data = log(&client, DID, "data");
    let timing: Vec<i64> = data
        .iter()
        .map(|row| row["attrs"]["off_timing"].as_i64().unwrap())
        .collect();
    assert!([3, 2, 1, 0].iter().all(|left| timing.contains(left)));
    assert_eq!(data.last().unwrap()["attrs"]["switch"], 0);
    let faults: Vec<i64> = data
        .iter()
        .map(|row| row["attrs"]["fault_roomtemp"].as_i64().unwrap())
        .collect();
    assert!(faults.contains(&1) && faults.contains(&0));
    let events = client.get("fault/report/events");
    assert!(
        events["detail"]["fault_roomtemp"]["resolved"]
            .as_i64()
            .unwrap()
            >= 2,
        "{events}"
    );
    let left: Vec<Value> = log(&client, DID, "online")
        .into_iter()
        .filter(|row| row["type"] == "dev_offline")
        .collect();
    assert!(
        !left.is_empty()
            && left
                .iter()
                .all(|row| row["payload"]["reason"] == "tcp_closed")
    );
}

#[test]
fn scenarios_that_are_wrong_say_where() {
    let head = "[[enterprise]]\nid = 'e'\nsecret = 's'\n[[product]]\nkey = 'k'\nsecret = 's'\ndefinition = 'air-conditioner'\n";
    for (tail, expected) in [
        (
            "[[device]]\nproduct = 'x'\nmac = 'm'",
            "there is no product `x`",
        ),
        (
            "[[device]]\nproduct = 'k'",
            "expected either mac or device_sn",
        ),
        (
            "[[device]]\nproduct = 'k'\nmac = 'm'\ninitial = { set_temp = 31 }",
            "set_temp = 31 is above its maximum 30 (16..30, step 1)",
        ),
        (
            "[[device]]\nproduct = 'k'\nmac = 'm'\ninitial = { set_tmp = 31 }",
            "no point is named `set_tmp`",
        ),
        (
            "[[device]]\nproduct = 'k'\nmac = 'm'\nplace = { country = 'count' }",
            "can't be named `count`",
        ),
        (
            "[[device]]\nproduct = 'k'\nmac = 'm'\noffline = [{ reason = 'x', every = '1h', lasts = '1m' }]",
            "not a reason to go offline",
        ),
        (
            "[[device]]\nproduct = 'k'\nmac = 'm'\ntrouble = [{ point = 'switch', every = '1h', lasts = '1m' }]",
            "neither a fault nor an alert",
        ),
        (
            "[[device]]\nproduct = 'k'\nmac = 'm'\nheartbeat = '1h'",
            "longer than keep_alive",
        ),
        ("[[user]]\napp = 'x'", "user 1: there is no app `x`"),
        (
            "[[app]]\nappid = 'a'\n[[user]]\napp = 'a'\nplace = { country = 'A', city = 'B' }",
            "user 1: a region needs a country",
        ),
        (
            "[[device]]\nproduct = 'k'\nmac = 'm'\n[[device]]\nproduct = 'k'\nmac = 'm'",
            "the mac of a device `m` is used twice",
        ),
        (
            "[[product]]\nkey = 'l'\nsecret = 's'\ndefinition = '{\"entities\": 5}'",
            "the definition of product `l`",
        ),
        (
            "[[product]]\nkey = 'l'\nsecret = 's'\ndefinition = 'x.json'",
            "there is no definition `x.json`",
        ),
    ] {
        let scenario = Scenario::from_toml(&format!("{head}{tail}"), None).unwrap();
        let error = Simulator::builder()
            .scenario(scenario)
            .build()
            .unwrap_err()
            .to_string();
        assert!(error.contains(expected), "{error}");
    }
    let error = Scenario::from_toml("history = '5'", None)
        .unwrap_err()
        .to_string();
    assert!(error.contains("not a time span"), "{error}");
    let request = Request::new("GET", "/");
    assert_eq!(small().answer(&request).status, 404);
}

#[test]
fn a_history_has_a_bound() {
    let world = |history: &str| {
        let text = format!(
            "history = '{history}'\n[[enterprise]]\nid = 'e'\nsecret = 's'\n\
             [[product]]\nkey = 'k'\nsecret = 's'\ndefinition = 'air-conditioner'\n\
             [[device]]\nproduct = 'k'\nmac = 'm'\nreport_every = '30s'\n\
             [[device.change]]\nevery = '1d'\nset = {{ switch = true }}\n"
        );
        let scenario = Scenario::from_toml(&text, None).unwrap();
        Simulator::builder().scenario(scenario).build()
    };
    let error = world("3660d").unwrap_err().to_string();
    let expected = "the history has about 10544460 turns of devices: expected at most 10000000";
    assert!(error.contains(expected), "{error}");
    world("1h").unwrap();
}

#[test]
fn the_first_device_of_the_builtin_world_is_at_home() {
    // Whatever the time of day, since the world begins eight days before.
    for hour in [0, 7, 13] {
        let time = Time::Manual {
            start: START + hour * HOUR,
        };
        let simulator = Simulator::builder().time(time).build().unwrap();
        let first = simulator.credentials().unwrap().swap_remove(0);
        assert_eq!(
            (&*first.product_name, &*first.dids[0]),
            ("air conditioner", DID)
        );
        for minute in 0..30 {
            let client = ac(&simulator);
            assert_eq!(
                client.get("device_detail?mac=virtual%3Asite")["is_online"],
                true,
                "{minute}"
            );
            assert!(!log(&client, DID, "online").is_empty());
            simulator.step(60_000).unwrap();
        }
    }
}

#[test]
fn live_behaviours_have_turns_only_while_the_clock_runs() {
    let modes = |time: Time, steps: &[i64]| -> BTreeSet<String> {
        let simulator = Simulator::builder().time(time).build().unwrap();
        for step in steps {
            simulator.step(*step).unwrap();
        }
        let reports = log(&ac(&simulator), DID, "data");
        let mode = |report: &Value| report["attrs"]["mode"].as_str().unwrap().to_owned();
        reports.iter().map(mode).collect()
    };
    let manual = Time::Manual { start: START };
    let minute = [15_000; 4];
    assert_eq!(modes(manual, &minute), ["制冷".to_owned()].into());
    // The history has none, and neither has a time that is stepped over.
    assert_eq!(modes(Time::Real, &[HOUR]), ["制冷".to_owned()].into());
    assert_eq!(
        modes(Time::Real, &minute),
        ["制冷", "自动"].map(str::to_owned).into()
    );
}

#[test]
fn cycles_are_checked() {
    for (cycle, expected) in [
        ("point = 'mode'\nvalues = []", "expected at least one value"),
        ("point = 'mode'\nvalues = ['hot']", "hot"),
        ("point = 'set_temp'\nvalues = [16, 99]", "99"),
        ("point = 'nothing'\nvalues = [1]", "nothing"),
    ] {
        let device = format!(
            "[[device]]\nproduct = '{AC}'\nmac = 'm'\n[[device.cycle]]\nevery = '1m'\n{cycle}"
        );
        let scenario = Scenario::from_toml(&format!("{SMALL}{device}"), None).unwrap();
        let error = Simulator::builder()
            .scenario(scenario)
            .build()
            .unwrap_err()
            .to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn however_time_is_stepped_the_same_happens() {
    let run = |step: i64| {
        let simulator = Simulator::builder()
            .time(Time::Manual { start: START })
            .build()
            .unwrap();
        while simulator.now() < START + DAY {
            simulator.step(step).unwrap();
        }
        let clients = [ac(&simulator), pump(&simulator)];
        let all = clients.iter().zip(simulator.credentials().unwrap());
        all.flat_map(|(client, credentials)| {
            let logs = credentials
                .dids
                .into_iter()
                .flat_map(move |did| ["cmd", "data", "online"].map(|kind| log(client, &did, kind)));
            logs.collect::<Vec<_>>()
        })
        .collect::<Vec<_>>()
    };
    let day = run(DAY);
    assert_eq!(day, run(HOUR));
    assert_eq!(day, run(96_000));
}
