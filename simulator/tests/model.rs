//! Random sequences of calls against a simple model, and what must hold after each of them.

use std::collections::{BTreeMap, BTreeSet};

use gizwits_codec_std::{Product, payload};
use gizwits_simulator::{Act, OFFLINE_REASONS, Simulator};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::*;

const DEVICES: [(&str, &str); 2] = [(DID, MAC), ("second", "5CCF7F0A1B2C")];
const UIDS: [&str; 2] = [UID, "2ac80784a695a5f88f63ade277eb413b"];

#[derive(Clone, Debug)]
enum Op {
    Step(i64),
    Control(usize, i64),
    Leave(usize, usize),
    Come(usize),
    Fault(usize, bool),
    NewGroup(Option<usize>),
    DropGroup(usize),
    Assign(usize, usize, bool),
    Unassign(usize, usize),
    Bind(usize, usize),
    Unbind(usize, usize),
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        3 => (1..4_000_000_i64).prop_map(Op::Step),
        3 => (0..2_usize, 10..35_i64).prop_map(|(device, temp)| Op::Control(device, temp)),
        2 => (0..2_usize, 0..9_usize).prop_map(|(device, reason)| Op::Leave(device, reason)),
        2 => (0..2_usize).prop_map(Op::Come),
        2 => (0..2_usize, any::<bool>()).prop_map(|(device, on)| Op::Fault(device, on)),
        2 => proptest::option::weighted(0.8, 0..3_usize).prop_map(Op::NewGroup),
        2 => (0..3_usize).prop_map(Op::DropGroup),
        3 => (0..2_usize, 0..3_usize, any::<bool>()).prop_map(|(d, g, r)| Op::Assign(d, g, r)),
        1 => (0..2_usize, 0..3_usize).prop_map(|(device, group)| Op::Unassign(device, group)),
        2 => (0..2_usize, 0..2_usize).prop_map(|(user, device)| Op::Bind(user, device)),
        1 => (0..2_usize, 0..2_usize).prop_map(|(user, device)| Op::Unbind(user, device)),
    ]
}

/// What should be.
#[derive(Default)]
struct Model {
    /// Each with its parent.
    groups: Vec<(String, Option<String>)>,
    held: BTreeMap<usize, String>,
    bound: BTreeSet<(usize, usize)>,
    ever: BTreeSet<usize>,
    online: BTreeSet<usize>,
    faulty: BTreeSet<usize>,
    /// What a device has, and what was sent to it.
    temps: [i64; 2],
}

impl Model {
    fn gid(&self, index: usize) -> String {
        match self.groups.get(index) {
            Some((gid, _)) => gid.clone(),
            None => "none".to_owned(),
        }
    }
}

fn run(client: &Client<'_>, model: &mut Model, op: &Op) {
    let simulator: &Simulator = client.simulator;
    match op {
        Op::Step(millis) => {
            simulator.step(*millis).unwrap();
        }
        Op::Control(device, temp) => {
            let body = json!({"attrs": {"set_temp": temp}}).to_string();
            let answer = client.call(
                "POST",
                &format!("devices/{}/control", DEVICES[*device].0),
                &body,
            );
            if !model.online.contains(device) {
                assert_eq!(code(&answer), 5305);
            } else if !(16..=30).contains(temp) {
                assert_eq!(code(&answer), 5401);
            } else {
                assert_eq!(answer.text(), "{}");
                model.temps[*device] = *temp;
            }
            simulator.step(1000).unwrap();
        }
        Op::Leave(device, reason) => {
            let reason = OFFLINE_REASONS[*reason];
            simulator
                .act(DEVICES[*device].0, &Act::Offline(reason.to_owned()))
                .unwrap();
            // The cloud misses a heartbeat later.
            simulator.step(130_000).unwrap();
            model.online.remove(device);
        }
        Op::Come(device) => {
            simulator.act(DEVICES[*device].0, &Act::Online).unwrap();
            simulator.step(1500).unwrap();
            model.online.insert(*device);
        }
        Op::Fault(device, on) => {
            if model.online.contains(device) {
                let json = json!({"fault_roomtemp": on}).to_string();
                simulator.act(DEVICES[*device].0, &Act::Set(json)).unwrap();
                match on {
                    true => model.faulty.insert(*device),
                    false => model.faulty.remove(device),
                };
            }
        }
        Op::NewGroup(parent) => {
            let parent = parent.map(|index| model.gid(index));
            let answer = client.call(
                "POST",
                "device_groups",
                &json!({"parent_gid": parent}).to_string(),
            );
            let has = |gid: &String| model.groups.iter().any(|(one, _)| one == gid);
            match &parent {
                None if !model.groups.is_empty() => assert_eq!(code(&answer), 5203),
                Some(gid) if !has(gid) => assert_eq!(code(&answer), 5202),
                _ => {
                    let gid = json(&answer)["gid"].as_str().unwrap().to_owned();
                    model.groups.push((gid, parent));
                }
            }
        }
        Op::DropGroup(index) => {
            let gid = model.gid(*index);
            let answer = client.call("DELETE", &format!("device_groups/{gid}"), "");
            if !model.groups.iter().any(|(one, _)| *one == gid) {
                assert_eq!(code(&answer), 5206);
            } else if model
                .groups
                .iter()
                .any(|(_, parent)| parent.as_ref() == Some(&gid))
            {
                assert_eq!(code(&answer), 5204);
            } else if model.held.values().any(|one| *one == gid) {
                assert_eq!(code(&answer), 5205);
            } else {
                assert_eq!(answer.status, 200);
                model.groups.retain(|(one, _)| *one != gid);
            }
        }
        Op::Assign(device, index, reassign) => {
            let gid = model.gid(*index);
            let mac = DEVICES[*device].1;
            let body =
                json!({"action": "assign", "reassign": reassign, "macs": [mac, "x"]}).to_string();
            let answer = client.call("PUT", &format!("device_groups/{gid}"), &body);
            if gid == "none" {
                assert_eq!(code(&answer), 5206);
            } else if *reassign || !model.held.contains_key(device) {
                assert_eq!(json(&answer), json!({"failed": ["x"], "success": [mac]}));
                model.held.insert(*device, gid);
            } else {
                assert_eq!(json(&answer), json!({"failed": [mac, "x"], "success": []}));
            }
        }
        Op::Unassign(device, index) => {
            let gid = model.gid(*index);
            let mac = DEVICES[*device].1;
            let body = json!({"action": "unassign", "reassign": false, "macs": [mac]}).to_string();
            let answer = client.call("PUT", &format!("device_groups/{gid}"), &body);
            if gid == "none" {
                assert_eq!(code(&answer), 5206);
            } else if model.held.get(device) == Some(&gid) {
                assert_eq!(json(&answer), json!({"failed": [], "success": [mac]}));
                model.held.remove(device);
            } else {
                assert_eq!(json(&answer), json!({"failed": [mac], "success": []}));
            }
        }
        Op::Bind(user, device) => {
            let did = DEVICES[*device].0;
            // In each of the forms that the page may mean.
            let dids = match device {
                0 => json!([did, "x"]),
                _ => json!(format!("{did},x")),
            };
            let body = json!({"uid": UIDS[*user], "appid": APP, "dids": dids}).to_string();
            let done = client.send("POST", "devices/bindings", &body);
            assert_eq!(done, json!({"failed": ["x"], "success": [did]}));
            model.bound.insert((*user, *device));
            model.ever.insert(*user);
        }
        Op::Unbind(user, device) => {
            let did = DEVICES[*device].0;
            let body = json!({"uid": UIDS[*user], "appid": APP, "dids": did}).to_string();
            let done = client.send("DELETE", "devices/bindings", &body);
            let expected = match model.bound.remove(&(*user, *device)) {
                true => json!({"failed": [], "success": [did]}),
                false => json!({"failed": [did], "success": []}),
            };
            assert_eq!(done, expected);
        }
    }
}

fn int(value: &Value) -> i64 {
    value
        .as_i64()
        .unwrap_or_else(|| panic!("no number: {value}"))
}

/// All objects of a list, page by page.
fn walk(client: &Client<'_>, rest: &str, limit: usize) -> Vec<Value> {
    let mut all = Vec::new();
    let separator = if rest.contains('?') { '&' } else { '?' };
    let mut next = Some(format!("/v1/products/{AC}/{rest}{separator}limit={limit}"));
    let base = format!("/v1/products/{AC}/");
    while let Some(link) = next {
        let page = client.get(link.strip_prefix(&base).unwrap());
        let objects = page["objects"].as_array().unwrap();
        assert!(!objects.is_empty() || page["meta"]["total"] == 0);
        assert!(objects.len() <= limit);
        assert_eq!(int(&page["meta"]["skip"]), all.len() as i64);
        all.extend(objects.clone());
        next = page["meta"]["next"].as_str().map(str::to_owned);
        if next.is_none() {
            assert_eq!(int(&page["meta"]["total"]), all.len() as i64);
        }
    }
    all
}

/// The counts of the places right below, and that each holds those within it.
fn places(tree: &Value) -> i64 {
    let own = |node: &Value| int(node.get("count").unwrap_or(node));
    let children = tree
        .as_object()
        .unwrap()
        .iter()
        .filter(|(key, _)| *key != "count");
    children
        .map(|(_, node)| {
            if node.is_object() {
                assert!(places(node) <= own(node));
            }
            own(node)
        })
        .sum()
}

fn check(client: &Client<'_>, model: &Model, product: &Product) {
    let found = walk(client, "devices/search?show_disabled=1", 2);
    assert_eq!(found.len(), 3);
    for (index, (did, mac)) in DEVICES.iter().enumerate() {
        let device = &found[index];
        assert_eq!((&device["did"], &device["mac"]), (&json!(did), &json!(mac)));
        assert_eq!(device["is_online"], model.online.contains(&index));
        assert_eq!(device["is_faulty"], model.faulty.contains(&index));

        // Frames: the length byte counts what follows it, and the codec reads them.
        let frames = walk(client, &format!("devices/{did}/cmd?sort=asc"), 7);
        for frame in &frames {
            let bytes = payload::parse(frame["payload"].as_str().unwrap(), None).unwrap();
            assert_eq!(usize::from(bytes[4]), bytes.len() - 5);
            assert!(product.decode(&bytes).is_ok());
        }
        let reports: Vec<&Value> = frames
            .iter()
            .filter(|one| one["type"] == "dev2app")
            .collect();
        let data = walk(client, &format!("devices/{did}/data?sort=asc"), 7);
        assert_eq!(reports.len(), data.len());
        for (report, row) in reports.iter().zip(&data) {
            assert_eq!(
                report["timestamp"].as_f64().unwrap().floor() as i64,
                int(&row["ts"])
            );
        }
        if let (Some(row), true) = (data.last(), model.online.contains(&index)) {
            assert_eq!(int(&row["attrs"]["set_temp"]), model.temps[index]);
            assert_eq!(
                int(&row["attrs"]["fault_roomtemp"]) == 1,
                model.faulty.contains(&index)
            );
        }

        // Sessions: one begins where another ended, and its figures agree.
        let mut since = None;
        for row in walk(client, &format!("devices/{did}/online?sort=asc"), 7) {
            let at = row["timestamp"].as_f64().unwrap().floor() as i64;
            let payload = &row["payload"];
            if row["type"] != "dev_offline" {
                since = Some(at);
                assert_eq!(payload["keep_alive"], 130);
                continue;
            }
            assert_eq!(Some(at - int(&payload["duration"])), since);
            let beats = &payload["heartbeat"];
            let (count, last) = (int(&beats["count"]), int(&beats["last"]));
            if count > 1 {
                assert_eq!(
                    (int(&payload["duration"]) - last) / count,
                    int(&beats["avg"])
                );
            }
            assert!(
                int(&beats["min"]) <= int(&beats["avg"])
                    && int(&beats["avg"]) <= int(&beats["max"])
            );
            if payload["reason"] == "no_heartbeat" {
                assert_eq!(last, 130);
            }
        }
        if let Some(since) = since {
            assert_eq!(int(&device["online_latest"]), since);
        }
    }

    let summary = client.get("devices/summary");
    assert!(int(&summary["total"]) >= int(&summary["online"]));
    // A device that is disabled is online, too.
    assert_eq!(int(&summary["online"]), model.online.len() as i64 + 1);
    let locations = client.get("devices/locations");
    assert_eq!(int(&locations["total"]), found.len() as i64);
    assert!(places(&locations["location"]) <= int(&locations["total"]));
    let rt = client.get("devices/report/rt");
    assert_eq!(int(&rt["count"]["faulty"]), model.faulty.len() as i64);

    for (gid, _) in &model.groups {
        let macs: Vec<&str> = (0..2)
            .filter(|device| model.held.get(device) == Some(gid))
            .map(|device| DEVICES[device].1)
            .collect();
        assert_eq!(
            client.get(&format!("device_groups/{gid}")),
            json!({"macs": macs})
        );
        let below: BTreeSet<&String> = descendants(model, gid);
        let held = model
            .held
            .values()
            .filter(|one| below.contains(one))
            .count();
        let found = client.get(&format!("devices/search?gid={gid}"));
        assert_eq!(int(&found["meta"]["total"]), held as i64);
    }
    assert_eq!(client.get("device_groups"), tree(model, None));

    let total = client.get("users/report/total");
    assert_eq!(int(&total["total"]), model.ever.len() as i64);
    for (device, (did, _)) in DEVICES.iter().enumerate() {
        let users = walk(client, &format!("users/search?type=did&val={did}"), 1);
        let uids: BTreeSet<&str> = users
            .iter()
            .map(|user| user["uid"].as_str().unwrap())
            .collect();
        let expected = model.bound.iter().filter(|(_, one)| *one == device);
        assert_eq!(uids, expected.map(|(user, _)| UIDS[*user]).collect());
        let owners = users.iter().filter(|user| user["is_owner"] == true).count();
        assert_eq!(owners, usize::from(!users.is_empty()));
    }
}

fn descendants<'m>(model: &'m Model, gid: &'m String) -> BTreeSet<&'m String> {
    let mut all = BTreeSet::from([gid]);
    for (one, parent) in &model.groups {
        if parent.as_ref().is_some_and(|parent| all.contains(parent)) {
            all.insert(one);
        }
    }
    all
}

fn tree(model: &Model, parent: Option<&String>) -> Value {
    let groups = model
        .groups
        .iter()
        .filter(|(_, one)| one.as_ref() == parent);
    let nodes: serde_json::Map<String, Value> = groups
        .map(|(gid, _)| (gid.clone(), tree(model, Some(gid))))
        .collect();
    match (nodes.is_empty(), parent) {
        (true, Some(_)) => json!(""),
        _ => Value::Object(nodes),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn sequences(ops in proptest::collection::vec(op(), 1..40)) {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/definitions/air-conditioner.json");
        let product = Product::from_json(&std::fs::read_to_string(path).unwrap()).unwrap();
        let simulator = small();
        let client = ac(&simulator);
        let mut model = Model {
            online: BTreeSet::from([0, 1]),
            bound: BTreeSet::from([(0, 0)]),
            ever: BTreeSet::from([0]),
            temps: [16, 16],
            ..Model::default()
        };
        run(&client, &mut model, &Op::NewGroup(None));
        run(&client, &mut model, &Op::NewGroup(Some(0)));
        check(&client, &model, &product);
        for op in &ops {
            run(&client, &mut model, op);
            check(&client, &model, &product);
        }
    }
}
