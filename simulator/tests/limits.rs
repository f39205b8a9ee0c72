//! Values outside the limits of their points: no device takes or reports one, and none is silenced.

use gizwits_codec_std::{Product, payload};
use gizwits_simulator::{Act, Error, Mode, Remark, RemarkKind, Scenario, Simulator, Time};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::*;

const CONTROL: &str = "post_v1_products_product_key_devices_did_control";

/// The fan's speed past its labels, a set point above its maximum, and the switch off.
const BAD: [u8; 6] = [1, 0b0100_1001, 0b0011_0000, 0, 0, 99];
const BAD_SPEED: &str = "fan_speed = 3 is past its labels: 0..2 (低风, 中风, 高风)";
const BAD_TEMP: &str = "set_temp = 99 is above its maximum 30 (16..30, step 1)";

fn unchecked(simulator: &Simulator) {
    simulator
        .set_mode(CONTROL, &Mode::UncheckedRaw, None)
        .unwrap();
}

fn raw(client: &Client<'_>, did: &str, bytes: &[u8]) {
    let body = json!({"raw": bytes}).to_string();
    client.send("POST", &format!("devices/{did}/control"), &body);
    client.simulator.step(1000).unwrap();
}

/// The attrs of the last report.
fn last(client: &Client<'_>, did: &str) -> Value {
    client.get(&format!("devices/{did}/data?limit=1"))["objects"][0]["attrs"].clone()
}

fn remarks(simulator: &Simulator, did: &str) -> Vec<(RemarkKind, Option<String>, String)> {
    let all = simulator.remarks(did).unwrap().into_iter();
    all.map(
        |Remark {
             kind,
             point,
             message,
             ..
         }| (kind, point, message),
    )
    .collect()
}

#[test]
fn a_raw_control_is_held_against_the_definition() {
    let simulator = small();
    let client = ac(&simulator);
    let control = format!("devices/{DID}/control");
    for body in [
        json!({"raw": BAD}),
        json!({"raw": payload::hex(&BAD), "binary_coding": "hex"}),
        json!({"raw": payload::base64(&BAD), "binary_coding": "base64"}),
    ] {
        let answer = client.call("POST", &control, &body.to_string());
        assert_eq!((answer.status, code(&answer)), (400, 5401));
        assert_eq!(
            json(&answer)["detail_message"],
            format!("{BAD_SPEED}; {BAD_TEMP}")
        );
    }
    // A value whose flag is clear is none that the control sets.
    raw(&client, DID, &[1, 1, 0b0011_0000, 0, 0, 99]);
    assert_eq!(
        (
            &last(&client, DID)["switch"],
            &last(&client, DID)["set_temp"]
        ),
        (&json!(0), &json!(16))
    );
    // Of a var_len product, too.
    let client = pump(&simulator);
    let answer = client.call(
        "POST",
        &format!("devices/{PUMP_DID}/control"),
        r#"{"raw":[17,0,128,4]}"#,
    );
    assert_eq!(code(&answer), 5401);
    assert_eq!(
        json(&answer)["detail_message"],
        "frequency = 0.4 is below its minimum 0.5 (0.5..10, step 0.1)"
    );
}

#[test]
fn a_device_leaves_out_what_is_outside_the_limits_and_applies_the_rest() {
    let simulator = small();
    unchecked(&simulator);
    let client = ac(&simulator);
    raw(&client, DID, &BAD);
    let attrs = last(&client, DID);
    assert_eq!(
        (&attrs["switch"], &attrs["fan_speed"], &attrs["set_temp"]),
        (&json!(0), &json!("低风"), &json!(16))
    );
    let left_out = |point: &str, message: &str| {
        (
            RemarkKind::LeftOut,
            Some(point.to_owned()),
            message.to_owned(),
        )
    };
    assert_eq!(
        remarks(&simulator, DID),
        [
            left_out("set_temp", BAD_TEMP),
            left_out("fan_speed", BAD_SPEED)
        ]
    );
    // A control with nothing else is answered all the same, and every one is remarked on.
    let reports = || {
        client.get(&format!("devices/{DID}/data"))["meta"]["total"]
            .as_i64()
            .unwrap()
    };
    let before = reports();
    raw(&client, DID, &[1, 0b0100_0000, 0, 0, 0, 99]);
    raw(&client, DID, &[1, 0b0100_0000, 0, 0, 0, 15]);
    assert_eq!(reports(), before + 2);
    assert_eq!(last(&client, DID)["set_temp"], 16);
    assert_eq!(remarks(&simulator, DID).len(), 4);
    // What comes later is reported.
    simulator
        .act(
            DID,
            &Act::Set(r#"{"alert_full":true,"fault_roomtemp":true}"#.to_owned()),
        )
        .unwrap();
    assert_eq!(
        client.get("devices/report/rt")["count"],
        json!({"activated": 3, "faulty": 1, "alert": 1})
    );
    assert_eq!(last(&client, DID)["fault_roomtemp"], 1);

    // A var_len device answers with the point that it left out.
    let client = pump(&simulator);
    raw(&client, PUMP_DID, &[17, 0, 128, 4]);
    assert_eq!(last(&client, PUMP_DID), json!({"frequency": 2.5}));
    raw(&client, PUMP_DID, &[17, 0, 192, 101, 30]);
    assert_eq!(last(&client, PUMP_DID), json!({"frequency": 3}));
    let all = remarks(&simulator, PUMP_DID);
    assert_eq!(
        all[0].2,
        "flow = 101 is above its maximum 100 (0..100, step 1)"
    );
    assert_eq!(all.len(), 2);
}

#[test]
fn a_frame_that_a_device_ignores_is_remarked_on() {
    let simulator = small();
    let client = ac(&simulator);
    for (bytes, why) in [
        (&[97, 98][..], "unknown action 0x61 in byte 8"),
        (&[1, 0x80, 0, 0, 0, 20], "`room_temp` is not writable"),
        (&[1, 0x40, 0, 0, 0], "missing"),
    ] {
        raw(&client, DID, bytes);
        let (kind, point, message) = remarks(&simulator, DID).swap_remove(0);
        assert_eq!((kind, point), (RemarkKind::Ignored, None));
        assert!(message.contains(why), "{message}");
    }
    raw(&client, DID, &[5, 1, 2]);
    assert_eq!(remarks(&simulator, DID).len(), 3);
    assert!(matches!(simulator.remarks("x"), Err(Error::Invalid(_))));
}

#[test]
fn a_sensor_outside_its_limits_silences_nothing() {
    let simulator = small();
    let client = ac(&simulator);
    let set = |json: Value| simulator.act(DID, &Act::SetUnchecked(json.to_string()));
    set(json!({"fan_speed": "高风"})).unwrap();
    set(json!({"room_temp": 80, "fan_speed": 3, "fault_roomtemp": true})).unwrap();
    let attrs = last(&client, DID);
    assert_eq!(
        (
            &attrs["room_temp"],
            &attrs["fan_speed"],
            &attrs["fault_roomtemp"]
        ),
        (&json!(35), &json!("高风"), &json!(1))
    );
    let mut said = remarks(&simulator, DID);
    said.sort_by(|one, other| one.1.cmp(&other.1));
    assert_eq!(
        said,
        [
            (
                RemarkKind::Kept,
                Some("fan_speed".to_owned()),
                BAD_SPEED.to_owned()
            ),
            (
                RemarkKind::Saturated,
                Some("room_temp".to_owned()),
                "room_temp = 80 is above its maximum 35 (-10..35, step 1)".to_owned()
            ),
        ]
    );
    set(json!({"room_temp": -40.5})).unwrap();
    assert_eq!(last(&client, DID)["room_temp"], -10);
    // What no sensor can say is refused, and all of it then.
    for wrong in [
        json!({"room_temp": 20, "x": 1}),
        json!({"room_temp": 20, "switch": 7}),
        json!({"room_temp": 20.5}),
    ] {
        assert!(matches!(set(wrong), Err(Error::Invalid(_))));
    }
    assert_eq!(last(&client, DID)["room_temp"], -10);
    // Checked, values are refused with their limits.
    let error = simulator
        .act(DID, &Act::Set(r#"{"room_temp":80}"#.to_owned()))
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "room_temp = 80 is above its maximum 35 (-10..35, step 1)"
    );
}

#[test]
fn a_behaviour_may_break_a_sensor() {
    let world = |changes: &str| {
        let scenario = SMALL.replacen(
            "did = \"cBYkSjoE2xspYMhaUHdk5k\"",
            &format!("did = \"{DID}\"\n{changes}"),
            1,
        );
        Simulator::builder()
            .scenario(Scenario::from_toml(&scenario, None).unwrap())
            .time(Time::Manual { start: START })
            .build()
    };
    let error = world("change = [{ every = '1m', set = { room_temp = 80 } }]").unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("room_temp = 80 is above its maximum 35 (-10..35, step 1)"),
        "{error}"
    );
    let simulator =
        world("change = [{ every = '1m', set = { room_temp = 80 }, unchecked = true }]").unwrap();
    simulator.step(HOUR).unwrap();
    let client = ac(&simulator);
    assert_eq!(last(&client, DID)["room_temp"], 35);
    // It is said once, as long as it is the same.
    assert_eq!(remarks(&simulator, DID).len(), 1);
    simulator
        .act(DID, &Act::Set(r#"{"room_temp":20}"#.to_owned()))
        .unwrap();
    simulator.step(HOUR).unwrap();
    assert_eq!(remarks(&simulator, DID).len(), 2);
    // Neither does one end where a point can't go, or say nothing of a device without a definition.
    for (scenario, message) in [
        (
            SMALL.replacen(
                "initial = { power",
                "countdown = [{ point = 'frequency', every = '1m', set = {} }]\ninitial = { power",
                1,
            ),
            "`frequency` can't count down to zero: its raw minimum is 5",
        ),
        (
            SMALL.replacen(
                "mac = \"bare\"",
                "mac = \"bare\"\nchange = [{ every = '1m', set = { x = 1 } }]",
                1,
            ),
            "its product has no definition",
        ),
        (
            SMALL.replacen("mac = \"bare\"", "mac = \"bare\"\ninitial = { x = 1 }", 1),
            "its product has no definition",
        ),
    ] {
        let scenario = Scenario::from_toml(&scenario, None).unwrap();
        let error = Simulator::builder().scenario(scenario).build().unwrap_err();
        assert!(error.to_string().contains(message), "{error}");
    }
}

#[test]
fn a_walk_towards_what_its_point_cannot_be_goes_as_far_as_it_can() {
    let scenario = SMALL.replacen(
        "initial = { power",
        "walk = [{ point = 'flow', every = '1m', step = 1, towards = 'rpm' }]\ninitial = { rpm = 2400, power",
        1,
    );
    let simulator = world(&scenario, START);
    simulator.step(2 * HOUR).unwrap();
    let client = pump(&simulator);
    let data = client.get(&format!("devices/{PUMP_DID}/data?limit=1000&sort=asc"));
    let flows = data["objects"].as_array().unwrap().iter();
    let flows: Vec<i64> = flows
        .filter_map(|row| row["attrs"]["flow"].as_i64())
        .collect();
    assert!(flows.is_sorted() && flows.last() == Some(&100), "{flows:?}");
}

fn product(name: &str) -> Product {
    let path = format!("{}/definitions/{name}.json", env!("CARGO_MANIFEST_DIR"));
    Product::from_json(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Bytes of a control with any values.
fn controls() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        (0..0x80_u8, any::<[u8; 4]>())
            .prop_map(|(flags, values)| [&[1, flags][..], &values].concat()),
        (any::<[u8; 8]>()).prop_map(|values| [
            &[0x11, 0b1000, 0b1110_0011, 0xff, values[0]][..],
            &values[1..4],
            &values
        ]
        .concat()),
        proptest::collection::vec(any::<u8>(), 1..20),
    ]
}

fn readings() -> impl Strategy<Value = Value> {
    prop_oneof![
        (-1000..1000_i32, 0..4_u32)
            .prop_map(|(temp, speed)| json!({"room_temp": temp, "fan_speed": speed})),
        (-1000..100_000_i32, 0..4_u32)
            .prop_map(|(rpm, mode)| json!({"rpm": rpm, "mode": mode, "water_temp": rpm})),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever a device is sent and whatever its sensors read, it answers, nothing that it reports is
    /// outside the limits, and a fault that is set gets through.
    #[test]
    fn no_value_silences_a_device(
        steps in proptest::collection::vec((controls(), readings()), 1..6),
        faulty in any::<bool>(),
    ) {
        let simulator = small();
        unchecked(&simulator);
        for (client, did, fault, product) in [
            (ac(&simulator), DID, "fault_roomtemp", product("air-conditioner")),
            (pump(&simulator), PUMP_DID, "fault_stalled", product("wave-pump")),
        ] {
            for (control, reading) in &steps {
                raw(&client, did, control);
                let _ = simulator.act(did, &Act::SetUnchecked(reading.to_string()));
            }
            simulator.act(did, &Act::Set(json!({fault: !faulty}).to_string())).unwrap();
            simulator.act(did, &Act::Set(json!({fault: faulty}).to_string())).unwrap();
            prop_assert_eq!(&last(&client, did)[fault], &json!(u8::from(faulty)));
            let frames = client.get(&format!("devices/{did}/cmd?limit=1000"));
            for frame in frames["objects"].as_array().unwrap() {
                if frame["type"] == "dev2app" {
                    let bytes = payload::parse(frame["payload"].as_str().unwrap(), None).unwrap();
                    let decoded = product.decode(&bytes).unwrap();
                    let view = decoded.view().unwrap();
                    prop_assert!(view.iter().all(|reading| reading.flagged().is_none()), "{view:?}");
                }
            }
        }
    }
}

/// A name that is used twice is an error that says which one, instead of one of the database.
#[test]
fn names_that_are_used_twice() {
    let product = "product = \"a1b2c3d4e5f60718293a4b5c6d7e8f90\"";
    let head = "[[enterprise]]\nid = \"e\"\nsecret = \"s\"\n\
        [[product]]\nkey = \"a1b2c3d4e5f60718293a4b5c6d7e8f90\"\nsecret = \"s\"\n\
        [[product]]\nkey = \"b\"\nsecret = \"s\"\n[[app]]\nappid = \"a\"\n";
    let build = |rest: &str| {
        let scenario = Scenario::from_toml(&format!("{head}{rest}"), None).unwrap();
        Simulator::builder().scenario(scenario).build()
    };
    for (one, other, words) in [
        (
            "mac = \"AA\"",
            "mac = \"AA\"",
            "the mac of a device `AA` is used twice",
        ),
        (
            "device_sn = \"7\"",
            "device_sn = \"7\"",
            "the device_sn of a device `7` is used twice",
        ),
        (
            "mac = \"AA\"\ndid = \"D\"",
            "mac = \"BB\"\ndid = \"D\"",
            "the did of a device `D` is used twice",
        ),
    ] {
        let rest = format!("[[device]]\n{product}\n{one}\n[[device]]\n{product}\n{other}\n");
        let error = build(&rest).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
    let users = "[[user]]\napp = \"a\"\nuid = \"u\"\n".repeat(2);
    let error = build(&users).unwrap_err().to_string();
    assert!(
        error.contains("the uid of a user `u` is used twice"),
        "{error}"
    );
    // Devices of two products may have the same MAC.
    let rest =
        format!("[[device]]\n{product}\nmac = \"AA\"\n[[device]]\nproduct = \"b\"\nmac = \"AA\"\n");
    build(&rest).unwrap();
}

/// The scenario of the page that explains scenarios.
#[test]
fn the_scenario_of_the_documentation() {
    let page = std::fs::read_to_string("../docs/scenario.md").unwrap();
    let text = page
        .split("```toml\n")
        .nth(1)
        .unwrap()
        .split("```")
        .next()
        .unwrap();
    let scenario = Scenario::from_toml(text, None).unwrap();
    let simulator = Simulator::builder().scenario(scenario).build().unwrap();
    assert_eq!(simulator.credentials().unwrap()[0].dids.len(), 2);
}
