//! A database file: a restart goes on where the world stopped, and a kill loses nothing that was answered.

mod support;
#[path = "support/wire.rs"]
mod wire;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use gizwits_simulator::{Act, Error, Mode, Options, Scenario, Server, Simulator, Time};
use serde_json::{Value, json};
use support::*;
use wire::Wire;

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path =
            std::env::temp_dir().join(format!("gizwits-simulator-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn open(file: &Path) -> Simulator {
    Simulator::builder()
        .file(file)
        .scenario(Scenario::from_toml(SMALL, None).unwrap())
        .time(Time::Manual { start: START })
        .build()
        .unwrap()
}

#[test]
fn a_restart_loses_nothing() {
    let folder = Folder::new("restart");
    let file = folder.0.join("world.db");
    let path = format!("devices/{DID}/control");
    let (token, gid, now, calls) = {
        let simulator = open(&file);
        simulator.step(2000).unwrap();
        let client = ac(&simulator);
        let gid = client.send("POST", "device_groups", "{}")["gid"]
            .as_str()
            .unwrap()
            .to_owned();
        simulator
            .act("second", &Act::Offline("no_heartbeat".to_owned()))
            .unwrap();
        simulator
            .set_mode("*", &Mode::NoRateHeaders, Some(5))
            .unwrap();
        simulator.step(50_000).unwrap();
        // The device will answer this after the restart.
        client.send("POST", &path, r#"{"attrs":{"set_temp":30}}"#);
        simulator.clear_modes(None).unwrap();
        let calls = client
            .call("GET", "device_groups", "")
            .header("x-ratelimit-remaining")
            .unwrap()
            .to_owned();
        (client.token.clone(), gid, simulator.now(), calls)
    };
    let simulator = open(&file);
    assert_eq!(simulator.now(), now);
    let client = Client {
        simulator: &simulator,
        key: AC,
        token,
    };
    let answer = client.call("GET", "device_groups", "");
    assert_eq!(json(&answer), json!({gid: ""}));
    let remaining = answer.header("x-ratelimit-remaining").unwrap();
    assert_eq!(
        remaining.parse::<i64>().unwrap(),
        calls.parse::<i64>().unwrap() - 1
    );
    simulator.step(400).unwrap();
    let frames = client.get(&format!("devices/{DID}/cmd"));
    assert_eq!(
        frames["objects"][0]["payload"],
        "000000030b000091040100001e000000"
    );
    assert_eq!(client.get("devices/search?is_online=1")["meta"]["total"], 2);
    simulator.step(130_000).unwrap();
    assert_eq!(client.get("devices/search?is_online=1")["meta"]["total"], 1);
    // The next id of a series is new.
    assert_ne!(token_of(&simulator, AC, AC_SECRET), client.token);
    drop(simulator);

    // Another scenario is another world.
    let other = Simulator::builder()
        .file(&file)
        .scenario(Scenario::builtin())
        .build();
    assert!(matches!(other, Err(Error::Scenario(_))));
    let manual = Time::Manual { start: START };
    assert!(
        Simulator::builder()
            .file(&file)
            .time(manual)
            .build()
            .is_ok()
    );
    // What is no database is left alone.
    let text = folder.0.join("text.db");
    std::fs::write(
        &text,
        "this is no database, but somebody's text; it is long enough to have a header",
    )
    .unwrap();
    assert!(matches!(
        Simulator::builder().file(&text).build(),
        Err(Error::Database(_))
    ));
    assert!(
        std::fs::read_to_string(&text)
            .unwrap()
            .starts_with("this is no")
    );
    // So is another program's database.
    let foreign = folder.0.join("foreign.db");
    let connection = rusqlite::Connection::open(&foreign).unwrap();
    connection
        .execute_batch("CREATE TABLE meta (key, value)")
        .unwrap();
    drop(connection);
    let opened = Simulator::builder().file(&foreign).build();
    assert!(matches!(opened, Err(Error::File(_))));
    // A scenario that fails leaves no half of a world.
    let half = folder.0.join("half.db");
    let wrong =
        Scenario::from_toml(&SMALL.replace("set_temp = 16", "set_temp = 160"), None).unwrap();
    assert!(
        Simulator::builder()
            .file(&half)
            .scenario(wrong)
            .build()
            .is_err()
    );
    assert_eq!(open(&half).credentials().unwrap().len(), 4);
}

#[test]
fn a_stepped_clock_stays_stepped() {
    let folder = Folder::new("clock");
    let file = folder.0.join("world.db");
    let open = || Simulator::builder().file(&file).build().unwrap();
    let simulator = open();
    let before = simulator.step(40 * DAY).unwrap();
    simulator.step(5000).unwrap();
    drop(simulator);
    let after = open().now();
    assert!(
        (5000..60_000).contains(&(after - before)),
        "{}",
        after - before
    );
}

/// The server that is killed: this test, started anew.
#[test]
#[ignore = "run by a_kill_loses_nothing_that_was_answered"]
fn child() {
    let Ok(folder) = std::env::var("GIZWITS_SIMULATOR_CHILD") else {
        return;
    };
    let folder = PathBuf::from(folder);
    let simulator = Simulator::builder()
        .file(folder.join("world.db"))
        .scenario(Scenario::from_toml(SMALL, None).unwrap())
        .build()
        .unwrap();
    let server = Server::start(simulator, Options::default()).unwrap();
    std::fs::write(folder.join("address.new"), server.address().to_string()).unwrap();
    std::fs::rename(folder.join("address.new"), folder.join("address")).unwrap();
    server.wait();
}

#[test]
fn a_kill_loses_nothing_that_was_answered() {
    let folder = Folder::new("kill");
    let program = std::env::current_exe().unwrap();
    let address = folder.0.join("address");
    // What was answered: groups, and controls by what they set.
    let groups: Mutex<Vec<String>> = Mutex::new(Vec::new());
    let controls: Mutex<Vec<String>> = Mutex::new(Vec::new());
    let mut token = String::new();
    let mut root = String::new();
    for round in 0..5 {
        let _ = std::fs::remove_file(&address);
        let mut child = Command::new(&program)
            .args([
                "--exact",
                "child",
                "--ignored",
                "--nocapture",
                "--test-threads=1",
            ])
            .env("GIZWITS_SIMULATOR_CHILD", &folder.0)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let at = (0..1000).find_map(|_| {
            std::thread::sleep(Duration::from_millis(10));
            std::fs::read_to_string(&address).ok()?.parse().ok()
        });
        let at = at.expect("the child listens");
        let mut wire = Wire::open(at).unwrap();
        let base = format!("/v1/products/{AC}");
        if round == 0 {
            let heard = wire
                .call(
                    "POST",
                    &format!("{base}/access_token"),
                    "",
                    &credentials(AC_SECRET),
                )
                .unwrap();
            let body: Value = serde_json::from_str(heard.text()).unwrap();
            token = body["token"].as_str().unwrap().to_owned();
            let heard = wire
                .call("POST", &format!("{base}/device_groups"), &token, "{}")
                .unwrap();
            let body: Value = serde_json::from_str(heard.text()).unwrap();
            root = body["gid"].as_str().unwrap().to_owned();
        }
        // All that was answered before is there.
        let heard = wire
            .call("GET", &format!("{base}/device_groups"), &token, "")
            .unwrap();
        let tree: Value = serde_json::from_str(heard.text()).unwrap();
        for gid in groups.lock().unwrap().iter() {
            assert!(tree[&root].get(gid).is_some(), "group {gid} is lost");
        }
        let mut logged = Vec::new();
        loop {
            let target = format!(
                "{base}/devices/{DID}/cmd?sort=asc&limit=1000&skip={}",
                logged.len()
            );
            let heard = wire.call("GET", &target, &token, "").unwrap();
            let page: Value = serde_json::from_str(heard.text()).unwrap();
            let objects = page["objects"].as_array().unwrap();
            if objects.is_empty() {
                break;
            }
            logged.extend(
                objects
                    .iter()
                    .map(|frame| frame["payload"].as_str().unwrap().to_owned()),
            );
        }
        for payload in controls.lock().unwrap().iter() {
            assert!(logged.contains(payload), "control {payload} is lost");
        }
        if round == 4 {
            child.kill().unwrap();
            child.wait().unwrap();
            break;
        }
        let ended = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for writer in 0..4 {
                let (groups, controls, ended) = (&groups, &controls, &ended);
                let (token, root, base) = (&token, &root, &base);
                scope.spawn(move || {
                    let Ok(mut wire) = Wire::open(at) else { return };
                    for count in 0.. {
                        if ended.load(Ordering::Relaxed) {
                            return;
                        }
                        if writer % 2 == 0 {
                            let body = json!({"parent_gid": root}).to_string();
                            let Ok(heard) =
                                wire.call("POST", &format!("{base}/device_groups"), token, &body)
                            else {
                                return;
                            };
                            let Ok(body) = serde_json::from_slice::<Value>(&heard.body) else {
                                return;
                            };
                            groups
                                .lock()
                                .unwrap()
                                .push(body["gid"].as_str().unwrap().to_owned());
                        } else {
                            // Transparent bytes, each time others.
                            let tag = (round * 4 + writer) * 100_000 + count;
                            let bytes = i32::to_be_bytes(tag);
                            let body = json!({"raw": [5, bytes[0], bytes[1], bytes[2], bytes[3]]})
                                .to_string();
                            let Ok(heard) = wire.call(
                                "POST",
                                &format!("{base}/devices/{DID}/control"),
                                token,
                                &body,
                            ) else {
                                return;
                            };
                            assert_eq!(heard.text(), "{}");
                            controls
                                .lock()
                                .unwrap()
                                .push(format!("000000030800009005{tag:08x}"));
                        }
                    }
                });
            }
            std::thread::sleep(Duration::from_millis(250 + 70 * round as u64));
            // SIGKILL.
            child.kill().unwrap();
            child.wait().unwrap();
            ended.store(true, Ordering::Relaxed);
        });
    }
    assert!(groups.lock().unwrap().len() > 20 && controls.lock().unwrap().len() > 20);
    let simulator = Simulator::builder()
        .file(folder.0.join("world.db"))
        .build()
        .unwrap();
    assert!(simulator.is_sound().unwrap());
}
