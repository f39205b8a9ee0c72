//! The commands that speak to a cloud, against one that the same binary simulates.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};

use gizwits_enterprise_client::Gid;
use gizwits_enterprise_client::blocking::{Device, Enterprise, Product};
use gizwits_simulator::Simulator;
use gizwits_tests::program::{self, Folder, Ran, Simulated};
use gizwits_tests::vectors;
use serde_json::{Value, json};

const GIZWITS: &str = env!("CARGO_BIN_EXE_gizwits");

fn run(arguments: &[&str]) -> Ran {
    program::run(GIZWITS, arguments, b"")
}

/// The product of a simulator by the client, not by the binary.
fn product(simulated: &Simulated) -> Product {
    let variable = |name: &str| simulated.variable(name).to_owned();
    let enterprise = Enterprise::builder()
        .id(variable("ENTERPRISE_ID"))
        .secret(variable("ENTERPRISE_SECRET"))
        .base_url(variable("BASE_URL"))
        .no_proxy()
        .build();
    enterprise
        .unwrap()
        .product(variable("PRODUCT_KEY"), variable("PRODUCT_SECRET"))
}

fn device(simulated: &Simulated) -> Device {
    product(simulated).device(simulated.variable("DID"))
}

/// What it prints is what a client needs, Ctrl-C ends it well, and with a file nothing that was
/// answered is lost, whatever ends it.
#[cfg(unix)]
#[test]
fn a_simulator_at_hand() {
    let folder = Folder::new("simulate");
    let file = folder.0.join("world.db");
    let db = ["--db", file.to_str().unwrap()];
    let controls = |simulated: &Simulated| {
        let log = device(simulated)
            .cmd_log()
            .iter()
            .collect::<Result<Vec<_>, _>>()
            .unwrap();
        let frames = log.into_iter().map(|record| record.payload);
        frames
            .filter(|frame| frame.contains("00009001400000"))
            .count()
    };
    for (n, signal) in ["-INT", "-TERM", "-KILL", "-INT"].into_iter().enumerate() {
        let simulated = Simulated::start(GIZWITS, &db);
        assert_eq!(controls(&simulated), n);
        device(&simulated)
            .control(json!({"set_temp": 20 + n}))
            .send()
            .unwrap();
        let code = simulated.end(signal);
        assert_eq!(code, (signal != "-KILL").then_some(0), "{signal}");
    }

    // A world has one simulator.
    let first = Simulated::start(GIZWITS, &db);
    let ran = run(&["simulate", "--db", db[1]]);
    assert!(
        ran.code == 2 && ran.stderr.contains("in use by another simulator"),
        "{}",
        ran.stderr
    );
    assert_eq!(first.end("-INT"), Some(0));

    let ran = run(&["simulate", "--print-scenario"]);
    let scenario = folder.write("world.toml", &ran.stdout);
    let simulated = Simulated::start(GIZWITS, &["--scenario", &scenario]);
    assert_eq!(simulated.end("-INT"), Some(0));
    let broken = folder.write(
        "broken.toml",
        ran.stdout.replace("report_every", "raport_every"),
    );
    let ran = run(&["simulate", "--scenario", &broken]);
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
    assert!(ran.stderr.contains("raport_every"), "{}", ran.stderr);
    assert!(ran.stderr.contains("broken.toml: "), "{}", ran.stderr);
    for arguments in [
        &["simulate", "--listen", "nowhere"][..],
        &["simulate", "--listen", "192.0.2.1:1"],
        &["simulate", "--scenario", "no-such-file.toml"],
        &["simulate", "--db", "/no/such/folder/world.db"],
    ] {
        let ran = run(arguments);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{arguments:?}");
        assert!(ran.stderr.starts_with("error: "), "{}", ran.stderr);
    }
    let ran = run(&["simulate", "--db", "/no/such/folder/world.db"]);
    assert_eq!(
        ran.stderr,
        "error: /no/such/folder/world.db: there is no folder /no/such/folder: make it first\n"
    );
}

/// Killed while four write: all that was answered is there, and the file is sound.
#[cfg(unix)]
#[test]
fn a_kill_loses_nothing_that_was_answered() {
    enum Answered {
        Group(Gid),
        Control(String),
    }

    let folder = Folder::new("kill");
    let file = folder.0.join("world.db");
    let db = ["--db", file.to_str().unwrap()];
    let (mut groups, mut controls) = (Vec::new(), Vec::new());
    for round in 0..5 {
        let simulated = Simulated::start(GIZWITS, &db);
        let product = product(&simulated);
        let device = product.device(simulated.variable("DID"));
        if groups.is_empty() {
            groups.push(product.groups().create().send().unwrap().gid);
        }
        let tree = product.groups().tree().send().unwrap();
        let kept: BTreeSet<&Gid> = tree.gids().collect();
        for gid in &groups {
            assert!(kept.contains(gid), "group {gid} is lost");
        }
        let log = device.cmd_log().undecoded().limit(1000).iter();
        let logged: BTreeSet<String> = log.map(|record| record.unwrap().payload).collect();
        for payload in &controls {
            assert!(logged.contains(payload), "control {payload} is lost");
        }
        if round == 4 {
            break;
        }
        let root = &groups[0].clone();
        let (tell, told) = mpsc::channel();
        std::thread::scope(|scope| {
            for writer in 0..4 {
                let (product, device, tell) = (&product, &device, tell.clone());
                // Until the server is gone.
                scope.spawn(move || {
                    for count in 0.. {
                        let answered = if writer % 2 == 0 {
                            let made = product.groups().create().under(root.clone()).send();
                            made.map(|group| Answered::Group(group.gid))
                        } else {
                            // Transparent bytes, each time others.
                            let tag: u32 = (round * 4 + writer) * 100_000 + count;
                            let bytes: Vec<u8> = [5].into_iter().chain(tag.to_be_bytes()).collect();
                            let sent = device.control_raw(bytes).send();
                            sent.map(|_| Answered::Control(format!("000000030800009005{tag:08x}")))
                        };
                        match answered {
                            Ok(answered) => tell.send(answered).unwrap(),
                            Err(error) => return assert!(error.status().is_none(), "{error}"),
                        }
                    }
                });
            }
            drop(tell);
            let mut keep = |answered| match answered {
                Answered::Group(gid) => groups.push(gid),
                Answered::Control(payload) => controls.push(payload),
            };
            // In the midst of it, each time elsewhere.
            told.iter()
                .take(100 + 17 * round as usize)
                .for_each(&mut keep);
            assert_eq!(simulated.end("-KILL"), None);
            told.iter().for_each(&mut keep);
        });
    }
    assert!(groups.len() > 20 && controls.len() > 20);
    let simulator = Simulator::builder().file(&file).build().unwrap();
    assert!(simulator.is_sound().unwrap());
}

#[test]
fn the_demo_shows_what_was_and_what_is() {
    let ran = run(&["demo"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    for words in [
        "11 points, 7 bytes of status",
        "set_temp 16",
        "{\"set_temp\":24}  ->  01 40 00 00 00 18",
        "0000000309000090 014000000018\n         control: set_temp 24",
        "report: set_temp 24",
        "set_temp was 16, is 24",
    ] {
        assert!(ran.stdout.contains(words), "{words}: {}", ran.stdout);
    }
}

/// The commands of somebody who has pasted what the simulator printed.
struct User<'s>(&'s Simulated);

impl User<'_> {
    fn run(&self, line: &str) -> Ran {
        self.run_with(line, &[])
    }

    /// With some variables changed.
    fn run_with(&self, line: &str, changed: &[(&str, &str)]) -> Ran {
        let words: Vec<&str> = line.split(' ').collect();
        let mut variables = self.0.variables.clone();
        // The settings of whoever runs this test are not meant.
        variables.insert(
            "GIZWITS_CONFIG".to_owned(),
            "/no/such/config.toml".to_owned(),
        );
        for (name, value) in changed {
            variables.insert(format!("GIZWITS_{name}"), (*value).to_owned());
        }
        program::run_in(GIZWITS, &words, b"", &variables)
    }

    /// Each line of the output as JSON.
    fn json(&self, line: &str) -> Vec<Value> {
        let ran = self.run(line);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{line}");
        ran.json()
    }
}

/// Lists, shows, controls and reads back, in pipes.
#[test]
fn the_daily_verbs() {
    let simulated = Simulated::start(GIZWITS, &[]);
    let (user, did) = (User(&simulated), simulated.variable("DID"));
    let listed = user.json("device list --city Guangzhou --online");
    assert_eq!((listed.len(), listed[0]["did"].as_str()), (1, Some(did)));
    let shown = user.json(&format!("device show {did}"));
    assert_eq!(shown[0]["last"]["attrs"]["set_temp"], 16);
    let done = user.json(&format!(
        "device control {did} set_temp=27 switch=on --wait"
    ));
    assert_eq!(done[0]["sent"], json!({"set_temp": 27, "switch": 1}));
    assert!(done[0]["reported_at"].is_number());
    let shown = user.json(&format!("device show {did}"));
    assert_eq!(shown[0]["last"]["attrs"]["set_temp"], 27);

    let log = user.json(&format!("device log {did} --since 2h"));
    let control = log
        .iter()
        .find(|record| record["action"] == "control")
        .unwrap();
    assert_eq!(control["attrs"], json!({"switch": 1, "set_temp": 27}));
    assert_eq!(
        (
            control["type"].as_str(),
            control["frame"]["command"].as_str()
        ),
        (Some("app2dev"), Some("0x0090"))
    );
    assert!(log.iter().all(|record| record["did"] == *did));
    let times = || {
        log.iter()
            .map(|record| record["timestamp"].as_f64().unwrap())
    };
    assert!(
        times().zip(times().skip(1)).all(|(one, next)| one <= next),
        "in order"
    );
    // A history of a week, in as many windows as it takes; from a moment on it is the rest of it.
    let week = user.json(&format!("device log {did} --since 7d"));
    assert!(week.len() > log.len());
    let middle = &week[week.len() / 2]["timestamp"];
    let millis = (middle.as_f64().unwrap() * 1000.0).round() as i64;
    let from = gizwits_enterprise_client::Timestamp::from_millis(millis);
    let rest = user.json(&format!("device log {did} --from {from}"));
    assert_eq!(&rest[0]["timestamp"], middle);
    let data = user.json(&format!("device data {did} --since 1d"));
    assert!(!data.is_empty());
    let online = user.json(&format!("device online {did} --since 7d"));
    let mut records = data.iter().chain(&online);
    assert!(records.all(|record| record["did"] == *did));
    assert!(online.iter().any(|event| event["type"] == "dev_offline"));
    let curl = user
        .run(&format!("device control {did} set_temp=20 --curl"))
        .stdout;
    assert!(
        curl.starts_with("curl -X POST ") && curl.contains("$GIZWITS_TOKEN"),
        "{curl}"
    );
}

/// A var_len device reports what changed: the verbs put it together.
#[test]
fn the_daily_verbs_of_a_var_len_product() {
    let mut simulated = Simulated::start(GIZWITS, &[]);
    let pump = [
        ("PRODUCT_KEY", "0f1e2d3c4b5a69788796a5b4c3d2e1f0"),
        ("PRODUCT_SECRET", "3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b"),
        ("DID", "wPvL4xQ9mRt2Kd7Hs3Jn6b"),
    ];
    for (name, value) in pump {
        simulated
            .variables
            .insert(format!("GIZWITS_{name}"), value.to_owned());
    }
    let (user, did) = (User(&simulated), simulated.variable("DID"));
    // One of them is as it was, and is not reported again.
    for flow in [61, 62] {
        let done = user.json(&format!("device control {did} power=on flow={flow} --wait"));
        assert_eq!(done[0]["sent"]["flow"], flow);
    }
    // As everything is as it was.
    user.json(&format!("device control {did} power=on flow=62 --wait"));
    let shown = user.json(&format!("device show {did}")).remove(0);
    let attrs = shown["last"]["attrs"].as_object().unwrap();
    assert_eq!((attrs.len(), &attrs["flow"]), (12, &json!(62)));
}

/// Any endpoint by its name, and any path.
#[test]
fn api_calls() {
    let simulated = Simulated::start(GIZWITS, &[]);
    let (user, did) = (User(&simulated), simulated.variable("DID"));
    let answer = |line: &str| user.json(line).remove(0);
    assert_eq!(
        answer("api devices search --city Guangzhou --is-online")["meta"]["total"],
        1
    );
    assert_eq!(answer("api product datapoint")["protocolType"], "standard");
    assert_eq!(
        answer(&format!(
            "api devices control {did} --attrs {{\"switch\":true}}"
        )),
        json!({})
    );
    assert_eq!(
        answer(&format!("api devices control {did} --raw 1 1 1 0 0 16")),
        json!({})
    );
    let gid = answer("api groups create")["gid"]
        .as_str()
        .unwrap()
        .to_owned();
    let line = format!("api groups change {gid} --action assign --macs virtual:site");
    assert_eq!(answer(&line)["success"], json!(["virtual:site"]));
    assert_eq!(
        answer(&format!("api groups macs {gid}"))["macs"],
        json!(["virtual:site"])
    );
    assert!(answer("api user-reports locations")["China"]["count"].is_number());
    assert!(answer("api product token")["token"].is_string());
    assert_eq!(
        answer("api call GET /v1/products/{product_key}/devices/search?limit=1")["meta"]["limit"],
        1
    );
    let curl = user.run("api product token --curl").stdout;
    assert!(curl.starts_with("curl -X POST "), "{curl}");
    for secret in ["ENTERPRISE_SECRET", "PRODUCT_SECRET"] {
        assert!(!curl.contains(simulated.variable(secret)), "{curl}");
    }
}

/// What goes wrong is told with what to do about it, and no secret is in it.
#[test]
fn what_goes_wrong() {
    let simulated = Simulated::start(GIZWITS, &[]);
    let (user, did) = (User(&simulated), simulated.variable("DID"));
    let control = format!("device control {did} ");
    for (line, changed, code, words) in [
        (
            "device list".to_owned(),
            &[("ENTERPRISE_SECRET", "wrong")][..],
            1,
            "check the enterprise secret",
        ),
        (
            "device list".to_owned(),
            &[("PRODUCT_SECRET", "wrong")],
            1,
            "5005",
        ),
        (
            "device list".to_owned(),
            &[("BASE_URL", "http://127.0.0.1:9")],
            1,
            "is the server there?",
        ),
        (
            "device list".to_owned(),
            &[("BASE_URL", "ftp://x")],
            1,
            "http",
        ),
        (
            "device list".to_owned(),
            &[("PRODUCT_KEY", "")],
            2,
            "GIZWITS_PRODUCT_KEY is empty",
        ),
        (
            "device list --profile work".to_owned(),
            &[],
            2,
            "no profile work",
        ),
        ("device show nobody".to_owned(), &[], 1, "no device nobody"),
        (
            control.clone() + "set_temp=31",
            &[],
            1,
            "above its maximum 30",
        ),
        (control.clone() + "room_temp=20", &[], 1, "not writable"),
        (control.clone() + "switch", &[], 2, "is no NAME=VALUE"),
        (
            control.clone() + "--values {\"mode\":\"warm\"}",
            &[],
            1,
            "制冷, 送风, 除湿, 自动",
        ),
        (format!("device log {did} --since 9d"), &[], 1, "seven days"),
        (
            format!("device log {did} --since soon"),
            &[],
            2,
            "invalid value 'soon'",
        ),
        (
            format!("device log {did} --from noon"),
            &[],
            2,
            "a moment is written",
        ),
        ("api devices data".to_owned(), &[], 2, "<DID>"),
        ("api devices data nobody".to_owned(), &[], 1, "5301"),
        (
            format!("api devices control {did} --attrs {{oops"),
            &[],
            2,
            "not JSON",
        ),
        (
            "api call PATCH /v1".to_owned(),
            &[],
            2,
            "invalid value 'PATCH'",
        ),
    ] {
        let ran = user.run_with(&line, changed);
        assert_eq!(
            (ran.code, ran.stdout.as_str()),
            (code, ""),
            "{line}: {}",
            ran.stderr
        );
        assert!(ran.stderr.contains(words), "{line}: {}", ran.stderr);
        for secret in ["ENTERPRISE_SECRET", "PRODUCT_SECRET"] {
            assert!(
                !ran.stderr.contains(simulated.variable(secret)),
                "{line}: {}",
                ran.stderr
            );
        }
    }
    // A quota that is used up tells when there is more.
    let folder = Folder::new("quota");
    let scenario = run(&["simulate", "--print-scenario"]).stdout;
    let poor = scenario.replacen("[[enterprise]]", "[[enterprise]]\nquota = 1", 1);
    let simulated = Simulated::start(GIZWITS, &["--scenario", &folder.write("poor.toml", poor)]);
    let ran = User(&simulated).run("device list");
    assert_eq!(ran.code, 1);
    assert!(
        ran.stderr.contains("the quota is used up; it is reset at"),
        "{}",
        ran.stderr
    );
    // In the midst of a log it tells how to go on.
    let short = scenario.replacen("[[enterprise]]", "[[enterprise]]\nquota = 3", 1);
    let short = folder.write("short.toml", short);
    let simulated = Simulated::start(GIZWITS, &["--scenario", &short]);
    let ran = User(&simulated).run(&format!("device log {did} --since 7d"));
    let told = ran.stderr.split_once(" records; to go on: gizwits ");
    let (count, rest) = told.unwrap_or_else(|| panic!("{}", ran.stderr));
    assert_eq!(ran.code, 1);
    assert_eq!(ran.stdout.lines().count().to_string(), count);
    assert!(!user.json(rest.lines().next().unwrap()).is_empty());
}

/// Every verb, in a pipe and on a terminal, says of each of these troubles what to do next.
#[cfg(target_os = "linux")]
#[test]
fn every_verb_says_what_to_do_next() {
    let simulated = Simulated::start(GIZWITS, &[]);
    let did = simulated.variable("DID").to_owned();
    let verbs = [
        "device list".to_owned(),
        format!("device show {did}"),
        format!("device control {did} switch=on"),
        format!("device log {did}"),
        format!("device data {did}"),
        format!("device online {did} --since 7d"),
        format!("device watch {did}"),
        format!("api devices data {did}"),
        "api call GET /v1/products/{product_key}/summary".to_owned(),
    ];
    let revoked = r#"{"route":"*","mode":"token_revoked"}"#;
    let expired = r#"{"route":"*","mode":"error","code":5011}"#;
    let quota = format!(
        r#"{{"switch":"quota","enterprise_id":"{}","calls":0}}"#,
        simulated.variable("ENTERPRISE_ID")
    );
    let config = ("CONFIG", "/no/such/config.toml");
    let troubles = [
        (
            "wrong credentials",
            &[config, ("ENTERPRISE_SECRET", "wrong")][..],
            ["5004", "credentials come from GIZWITS_… or config.toml"],
        ),
        (
            "no server",
            &[config, ("BASE_URL", "http://127.0.0.1:9")],
            ["no connection", "GIZWITS_BASE_URL or base_url"],
        ),
        (
            "revoked tokens",
            &[config],
            ["token invalid", "a new token was refused, too"],
        ),
        (
            "expired tokens",
            &[config],
            ["token has expired", "a new token was refused, too"],
        ),
        (
            "no quota",
            &[config],
            ["it is reset at ", "calls are counted by the hour"],
        ),
    ];
    for (trouble, changed, words) in troubles {
        match trouble {
            "revoked tokens" => simulated.administer("/modes", revoked),
            // It comes before the other.
            "expired tokens" => simulated.administer("/modes", expired),
            "no quota" => simulated.administer("/switches", &quota),
            _ => {}
        }
        std::thread::scope(|scope| {
            for verb in &verbs {
                let simulated = &simulated;
                scope.spawn(move || {
                    let piped = User(simulated).run_with(verb, changed);
                    let (code, typed) = simulated.typed(&format!("{GIZWITS} {verb}"), changed);
                    assert_eq!((piped.code, code), (1, 1), "{verb}, {trouble}: {piped:?}");
                    assert_eq!(piped.stdout, "", "{verb}, {trouble}");
                    for told in [piped.stderr, typed] {
                        for word in words {
                            assert!(told.contains(word), "{verb}, {trouble}: {told}");
                        }
                    }
                });
            }
        });
    }
    // A token that was revoked once is fetched anew without a word.
    let simulated = Simulated::start(GIZWITS, &[]);
    for verb in &verbs {
        if verb.starts_with("device watch") {
            continue;
        }
        let once = r#"{"route":"*","mode":"token_revoked","count":2}"#;
        simulated.administer("/modes", once);
        let ran = User(&simulated).run(verb);
        assert_eq!((ran.code, &*ran.stderr), (0, ""), "{verb}");
        assert!(!ran.stdout.is_empty(), "{verb}");
    }
}

/// Ctrl-C in a long history: what was printed is whole, and it says how to have the rest.
#[cfg(unix)]
#[test]
fn a_history_that_is_interrupted() {
    let simulated = Simulated::start(GIZWITS, &[]);
    let (user, did) = (User(&simulated), simulated.variable("DID"));
    let mut child = Command::new(GIZWITS)
        .args(["device", "log", did, "--since", "7d"])
        .envs(&simulated.variables)
        .env("GIZWITS_CONFIG", "/no/such/config.toml")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The history is longer than what a pipe holds: it can't have ended.
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let first = lines.next().unwrap().unwrap();
    let pid = child.id().to_string();
    let sent = Command::new("kill").args(["-INT", &pid]).status();
    assert!(sent.unwrap().success());
    let mut had = vec![first];
    had.extend(lines.map(Result::unwrap));
    let output = child.wait_with_output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{told}");
    let (_, rest) = told.split_once("to go on: gizwits ").unwrap();
    let rest = user.json(rest.lines().next().unwrap());
    let all = user.json(&format!("device log {did} --since 7d"));
    let had: Vec<Value> = had
        .iter()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(had.len() < all.len(), "{told}");
    // What it goes on with may begin with what was there already, and leaves nothing out.
    let begin = all.iter().position(|record| *record == rest[0]).unwrap();
    assert!(begin <= had.len(), "{begin} {}", had.len());
    assert_eq!(had, all[..had.len()]);
    assert_eq!(rest[..all.len() - begin], all[begin..]);
}

/// Frames of another length, and the status that is broadcast by UDP, in a device's log.
#[test]
fn frames_that_devices_send_otherwise() {
    let simulated = Simulated::start(GIZWITS, &[]);
    let (user, did) = (User(&simulated), simulated.variable("DID"));
    let status = "4 1 0 0 16 0 0 0";
    for raw in [
        "4 1 0 0 16 30",
        &format!("6 170 187 204 221 238 255 {status}"),
    ] {
        user.json(&format!(
            "api devices control {did} --unchecked --raw {raw}"
        ));
    }
    let log = |options: &str| user.json(&format!("device log {did} --since 1m{options}"));
    let last = log("").into_iter().filter(|one| one["type"] == "app2dev");
    let [cut, broadcast] = &last.collect::<Vec<_>>()[..] else {
        panic!("two frames were sent");
    };
    assert_eq!(cut["error"]["kind"], "incomplete");
    assert_eq!(broadcast["action"], "transparent");
    assert_eq!(broadcast["mac"], "aa:bb:cc:dd:ee:ff");
    assert_eq!(broadcast["p0"]["attrs"]["set_temp"], 16);
    let lax = log(" --lax");
    let cut = lax.iter().find(|one| one["missing"] == 2).unwrap();
    assert_eq!(cut["attrs"]["room_temp"], 20);
}

/// What changes is printed until Ctrl-C.
#[cfg(unix)]
#[test]
fn watching() {
    let simulated = Simulated::start(GIZWITS, &[]);
    let (user, did) = (User(&simulated), simulated.variable("DID"));
    let mut child = Command::new(GIZWITS)
        .args(["device", "watch", did, "--every", "1s"])
        .envs(&simulated.variables)
        .env("GIZWITS_CONFIG", "/no/such/config.toml")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut next = || -> Value { serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap() };
    assert_eq!(next()["attrs"]["set_temp"], 16);
    user.json(&format!("device control {did} set_temp=27 --wait"));
    while next()["attrs"]["set_temp"] != 27 {}
    let pid = child.id().to_string();
    let sent = Command::new("kill").args(["-INT", &pid]).status();
    assert!(sent.unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

/// The commands that README.md and the help show, as one types them.
#[cfg(unix)]
#[test]
fn examples() {
    let simulated = Simulated::start(GIZWITS, &[]);
    let folder = Folder::new("cloud-examples");
    let binary = std::path::Path::new(GIZWITS).parent().unwrap().display();
    let help = |command: &str| {
        let help = run(&[command, "--help"]).stdout;
        help.split_once("Examples:").unwrap().1.to_owned()
    };
    let readme = std::fs::read_to_string(program::root().join("README.md")).unwrap();
    for (text, least) in [(readme, 4), (help("device"), 4), (help("api"), 3)] {
        let lines = text.lines().map(str::trim);
        let lines = lines
            .filter(|line| line.starts_with("gizwits device ") || line.starts_with("gizwits api "));
        let mut count = 0;
        for line in lines {
            let output = Command::new("sh")
                .args(["-c", &line.replace("DID", simulated.variable("DID"))])
                .env("PATH", format!("{binary}:/usr/bin:/bin"))
                .envs(&simulated.variables)
                .env("GIZWITS_CONFIG", "/no/such/config.toml")
                .current_dir(&folder.0)
                .output()
                .unwrap();
            let told = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success() && told.is_empty(), "{line}: {told}");
            count += 1;
        }
        assert!(count >= least, "{count}");
    }
}

/// Credentials in a file: by profile, the environment first, and no secret in what it says.
#[test]
fn profiles() {
    let simulated = Simulated::start(GIZWITS, &[]);
    let folder = Folder::new("profiles");
    let members: String = simulated
        .variables
        .iter()
        .filter(|(name, _)| *name != "GIZWITS_DID")
        .map(|(name, value)| {
            format!(
                "{} = \"{value}\"\n",
                name["GIZWITS_".len()..].to_lowercase()
            )
        })
        .collect();
    let file = folder.write(
        "config.toml",
        format!("[default]\n{members}\n[other]\nproduct_key = \"x\"\n"),
    );
    let bare = |config: &str, line: &[&str]| {
        let mut command = Command::new(GIZWITS);
        for name in simulated.variables.keys() {
            command.env_remove(name);
        }
        let output = command
            .args(line)
            .env("GIZWITS_CONFIG", config)
            .output()
            .unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (
            output.status.code(),
            text(output.stdout),
            text(output.stderr),
        )
    };
    let (code, stdout, stderr) = bare(&file, &["device", "list"]);
    assert_eq!((code, stdout.lines().count()), (Some(0), 4), "{stderr}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert!(
            stderr.contains("can be read by others: chmod 600"),
            "{stderr}"
        );
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(bare(&file, &["device", "list"]).2, "");
    }
    let (code, _, stderr) = bare(&file, &["device", "list", "--profile", "other"]);
    assert!(
        code == Some(2) && stderr.contains("GIZWITS_ENTERPRISE_ID"),
        "{stderr}"
    );
    let (code, _, stderr) = bare(&file, &["device", "list", "--profile", "third"]);
    assert!(
        code == Some(2) && stderr.contains("there are: default, other"),
        "{stderr}"
    );
    let secret = simulated.variable("ENTERPRISE_SECRET");
    for broken in [
        format!("[default]\nenterprise_secret = \"{secret}\n"),
        format!("[default]\nenterprise_secrets = \"{secret}\"\n"),
        format!("enterprise_secret = \"{secret}\"\n"),
        format!("[default]\n\"{secret}\" = 1\n"),
        "[default]\nenterprise_secret = 987654321\n".to_owned(),
    ] {
        let file = folder.write("broken.toml", broken);
        let (code, _, stderr) = bare(&file, &["device", "list"]);
        assert!(
            code == Some(2) && stderr.contains("broken.toml:"),
            "{stderr}"
        );
        assert!(
            !stderr.contains(secret) && !stderr.contains("987654321"),
            "{stderr}"
        );
    }
}

/// On a terminal there are tables; a long history tells how far it is.
#[cfg(target_os = "linux")]
#[test]
fn on_a_terminal() {
    let simulated = Simulated::start(GIZWITS, &[]);
    let did = simulated.variable("DID");
    // A terminal for stdout, or for stderr alone.
    let typed = |line: &str| simulated.typed(&format!("{GIZWITS} {line}"), &[]).1;
    let list = typed("device list");
    assert!(
        list.contains("DID                     MAC")
            && list.contains("China, Guangdong, Guangzhou"),
        "{list}"
    );
    let log = typed(&format!("device log {did} --since 3h"));
    assert!(
        log.contains("  dev2app  report  switch on, ") && log.contains("11 as before"),
        "{log}"
    );
    let bar = typed(&format!("device log {did} --since 7d > /dev/null"));
    assert!(bar.contains("records  eta "), "{bar}");
}

/// What a server of a test says to a request.
enum Said {
    /// This, with this status.
    Answer(u16, String),
    /// No answer. The server closes the connection once it has read the request.
    Nothing,
}

/// A product of a cloud that says what a test tells it to: the air conditioner, and a device `D`.
struct Scripted {
    variables: BTreeMap<String, String>,
    /// The bodies that came to `/control`.
    controls: Arc<Mutex<Vec<Value>>>,
}

impl Scripted {
    /// The rule has method and path of a request, and says nothing of what is well known.
    fn start(rule: impl Fn(&str, &str) -> Option<Said> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut variables: BTreeMap<String, String> = [
            ("CONFIG", "/no/such/config.toml"),
            ("ENTERPRISE_ID", "e"),
            ("ENTERPRISE_SECRET", "hush-enterprise"),
            ("PRODUCT_KEY", "3f1c5b7a9d2e4860b1a3c5d7e9f00112"),
            ("PRODUCT_SECRET", "hush-product"),
        ]
        .into_iter()
        .map(|(name, value)| (format!("GIZWITS_{name}"), value.to_owned()))
        .collect();
        let url = format!("http://{}", listener.local_addr().unwrap());
        variables.insert("GIZWITS_BASE_URL".to_owned(), url);
        let controls = Arc::new(Mutex::new(Vec::new()));
        let (rule, seen) = (Arc::new(rule), Arc::clone(&controls));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (rule, seen) = (Arc::clone(&rule), Arc::clone(&seen));
                std::thread::spawn(move || serve(stream.unwrap(), &*rule, &seen));
            }
        });
        Scripted {
            variables,
            controls,
        }
    }

    fn run(&self, line: &str) -> Ran {
        self.run_with(line, &[])
    }

    /// With some variables changed, by their whole names.
    fn run_with(&self, line: &str, changed: &[(&str, &str)]) -> Ran {
        self.words(&line.split(' ').collect::<Vec<_>>(), changed)
    }

    fn words(&self, words: &[&str], changed: &[(&str, &str)]) -> Ran {
        let mut variables = self.variables.clone();
        let changed = changed.iter();
        variables.extend(changed.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        program::run_in(GIZWITS, words, b"", &variables)
    }
}

fn serve(stream: TcpStream, rule: &dyn Fn(&str, &str) -> Option<Said>, seen: &Mutex<Vec<Value>>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let (mut head, mut length) = (String::new(), 0);
    while reader.read_line(&mut head).unwrap() > 2 {
        let line = head.lines().last().unwrap().to_lowercase();
        if let Some(bytes) = line.strip_prefix("content-length: ") {
            length = bytes.parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let mut words = head.split([' ', '?']);
    let (method, path) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
    if path.ends_with("/control") {
        seen.lock()
            .unwrap()
            .push(serde_json::from_slice(&body).unwrap());
    }
    let device = json!({"did": "D", "mac": "m", "is_online": true, "created_at": 1_517_298_056});
    let said = rule(method, path).unwrap_or_else(|| match path.rsplit('/').next() {
        Some("access_token") => answer(
            201,
            json!({"token": "hush-token", "expire_at": 1_893_456_000}),
        ),
        Some("datapoint") => Said::Answer(200, vectors::fixture("air-conditioner")),
        Some("search") => answer(200, json!({"meta": {"total": 1}, "objects": [device]})),
        Some("control") => answer(200, json!({})),
        _ => answer(200, json!({"meta": {"total": 0}, "objects": []})),
    });
    if let Said::Answer(status, body) = said {
        let head = format!(
            "HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        let mut stream = stream;
        let _ = stream.write_all((head + &body).as_bytes());
    }
}

fn answer(status: u16, body: Value) -> Said {
    Said::Answer(status, body.to_string())
}

/// A device whose values can't be read is shown, with the reason, and is no device that never reported.
#[test]
fn values_that_can_not_be_read() {
    for (status, body, kind, code, words) in [
        (
            500,
            r#"{"error_code":5406,"detail_message":"no store"}"#,
            "api",
            json!(5406),
            "the server says: no store",
        ),
        (
            503,
            "<html>busy",
            "unexpected",
            Value::Null,
            "HTTP status 503",
        ),
        (
            403,
            r#"{"error_code":5012}"#,
            "api",
            json!(5012),
            "ip not in white list",
        ),
        (
            403,
            r#"{"error_code":5024}"#,
            "api",
            json!(5024),
            "api deny to visit!",
        ),
        (
            200,
            r#"{"records":[]}"#,
            "decode",
            Value::Null,
            "missing field `objects`",
        ),
        (
            200,
            r#"{"meta":{"total":9},"objects":[]}"#,
            "missing",
            Value::Null,
            "the server counts 9 reports",
        ),
    ] {
        let cloud = Scripted::start(move |_, path| {
            path.ends_with("/data")
                .then(|| Said::Answer(status, body.to_owned()))
        });
        let ran = cloud.run("device show D --json");
        assert_eq!(ran.code, 1, "{body}: {}", ran.stderr);
        let shown = &ran.json()[0];
        assert_eq!(
            (&shown["device"]["did"], &shown["last"]),
            (&json!("D"), &Value::Null)
        );
        let error = &shown["last_error"];
        assert_eq!(
            (&error["kind"], &error["code"]),
            (&json!(kind), &code),
            "{error}"
        );
        assert!(
            error["message"].as_str().unwrap().contains(words),
            "{error}"
        );
        assert!(
            ran.stderr.starts_with("error: ") && ran.stderr.contains(words),
            "{}",
            ran.stderr
        );
        #[cfg(target_os = "linux")]
        {
            let (code, screen) =
                program::typed(&format!("{GIZWITS} device show D"), &cloud.variables);
            assert_eq!(code, 1, "{screen}");
            assert!(
                screen.contains("did         D\n") && screen.contains(words),
                "{screen}"
            );
        }
        // So it is for those that show nothing else.
        for verb in ["device data D", "device watch D", "api devices data D"] {
            let ran = cloud.run(verb);
            if (kind, verb) != ("missing", "api devices data D") && kind != "decode" {
                assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{verb}: {body}");
                assert!(!ran.stderr.is_empty(), "{verb}: {body}");
            }
        }
    }
    // One that has reported nothing is no failure.
    let ran = Scripted::start(|_, _| None).run("device show D --json");
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    assert!(ran.json()[0].get("last_error").is_none());
}

/// A search that answers with another device shows nothing of that device.
#[test]
fn a_search_that_finds_another_device() {
    for (objects, words) in [
        (
            json!([{"did": "d", "mac": "m"}]),
            "counts 3 and didn't give it",
        ),
        (json!([]), "counts 3 and didn't give it"),
    ] {
        let cloud = Scripted::start(move |_, path| {
            let page = json!({"meta": {"total": 3}, "objects": objects});
            path.ends_with("/search").then(|| answer(200, page))
        });
        let ran = cloud.run("device show D");
        assert_eq!((ran.code, ran.stdout.as_str()), (1, ""));
        assert!(ran.stderr.contains(words), "{}", ran.stderr);
    }
}

/// A list that is shorter than the server says ends with a warning, and not well.
#[test]
fn a_list_that_is_not_all() {
    let cloud = Scripted::start(|_, path| {
        let object = match path.rsplit('/').next()? {
            "search" => json!({"did": "D", "mac": "m"}),
            "cmd" => json!({"timestamp": 1_517_298_056, "type": "dev2app", "payload": "02"}),
            "data" => json!({"ts": 1_517_298_056, "attrs": {"switch": 1}}),
            "online" => json!({"timestamp": 1_517_298_056, "type": "dev_online"}),
            _ => return None,
        };
        // Always the same page, whatever is skipped.
        Some(answer(
            200,
            json!({"meta": {"total": 3, "skip": 0}, "objects": [object]}),
        ))
    });
    for verb in ["list", "log D", "data D", "online D"] {
        let ran = cloud.run(&format!("device {verb}"));
        assert_eq!(
            (ran.code, ran.stdout.lines().count()),
            (1, 1),
            "{verb}: {}",
            ran.stderr
        );
        let words = "warning: this is not all: the server counts 2 more than it gave\n";
        assert_eq!(ran.stderr, words, "{verb}");
    }
    #[cfg(target_os = "linux")]
    {
        let (code, screen) = program::typed(&format!("{GIZWITS} device list"), &cloud.variables);
        assert!(
            code == 1 && screen.contains("D    m\n1 device\nwarning: this is"),
            "{screen}"
        );
    }
    // Watching goes on, says it once, and ends with it.
    #[cfg(unix)]
    {
        let mut child = Command::new(GIZWITS)
            .args(["device", "watch", "D", "--every", "1s"])
            .envs(&cloud.variables)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut told = BufReader::new(child.stderr.take().unwrap());
        let mut first = String::new();
        told.read_line(&mut first).unwrap();
        assert!(first.starts_with("warning: this is not all"), "{first}");
        let pid = child.id().to_string();
        let sent = Command::new("kill").args(["-INT", &pid]).status();
        assert!(sent.unwrap().success());
        assert_eq!(child.wait().unwrap().code(), Some(1));
        let mut rest = String::new();
        told.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "");
    }
}

/// A page that fails behind another: what came is shown, and that it isn't all.
#[cfg(target_os = "linux")]
#[test]
fn a_list_that_breaks_off() {
    let pages = AtomicUsize::new(0);
    let cloud = Scripted::start(move |_, path| {
        let page = json!({"meta": {"total": 3}, "objects": [{"did": "D", "mac": "m"}]});
        let first = || pages.fetch_add(1, Ordering::Relaxed) == 0;
        path.ends_with("/search").then(|| match first() {
            true => answer(200, page),
            false => answer(403, json!({"error_code": 5012})),
        })
    });
    let (code, screen) = program::typed(&format!("{GIZWITS} device list"), &cloud.variables);
    assert!(
        code == 1 && screen.contains("D    m\n1 device\nerror: GET "),
        "{screen}"
    );
}

/// What may have been done is told as such, whatever is asked for; a read is none of that.
#[test]
fn a_connection_that_broke_after_the_request() {
    let cloud = Scripted::start(|method, path| {
        let asked = method != "GET" && !path.ends_with("/access_token");
        (asked || path.ends_with("/summary")).then_some(Said::Nothing)
    });
    for line in [
        "device control D set_temp=20",
        "device control D set_temp=20 --wait",
        "api devices control D --attrs {\"set_temp\":20}",
        "api devices control D --raw 1,64,0,0,0,20",
        "api groups create",
        "api groups delete g",
        "api groups change g --action assign --macs m",
        "api bindings bind --uid u --appid a --dids D",
        "api bindings unbind --uid u --appid a --dids D",
        "api call POST /v1/x --body {}",
    ] {
        let ran = cloud.run(line);
        assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{line}");
        let words = "; the request may have arrived all the same: look before you send it again\n";
        assert!(ran.stderr.contains(words), "{line}: {}", ran.stderr);
    }
    let ran = cloud.run("api reports summary");
    assert!(
        ran.code == 1 && !ran.stderr.contains("arrived"),
        "{}",
        ran.stderr
    );
}

/// What a device reported before can't be read: the control is sent, and waited for, all the same.
#[test]
fn waiting_without_the_values_before() {
    let report = "000000030b0000910401000014000000";
    let frame = |payload: &'static str| {
        Scripted::start(move |_, path| match path.rsplit('/').next()? {
            "data" => Some(answer(403, json!({"error_code": 5024}))),
            "cmd" => {
                let now = std::time::SystemTime::now();
                let now = now.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() + 5;
                let record = json!({"timestamp": now, "type": "dev2app", "payload": payload});
                Some(answer(
                    200,
                    json!({"meta": {"total": 1}, "objects": [record]}),
                ))
            }
            _ => None,
        })
    };
    let ran = frame(report).run("device control D set_temp=20 --wait");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.json()[0]["reported_at"].is_number());
    assert!(
        ran.stderr.starts_with("warning: GET ") && ran.stderr.contains("5024"),
        "{}",
        ran.stderr
    );
    // Frames that can't be read are no silence.
    let ran = frame("0491").run("device control D set_temp=20 --wait");
    assert_eq!(ran.code, 1);
    assert!(
        ran.stderr.contains(" can't be read: the payload ends"),
        "{}",
        ran.stderr
    );
}

/// A proxy of the environment is not asked for a server on this machine.
#[test]
fn loopback_without_a_proxy() {
    let cloud = Scripted::start(|_, _| None);
    let proxies = ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];
    let nowhere = proxies.map(|name| (name, "http://127.0.0.1:9"));
    let ran = cloud.run_with("device list", &nowhere);
    assert_eq!(
        (ran.code, ran.stdout.lines().count()),
        (0, 1),
        "{}",
        ran.stderr
    );
    // Another machine is reached by it.
    let mut changed = nowhere.to_vec();
    changed.push(("GIZWITS_BASE_URL", "http://192.0.2.1:1"));
    changed.push(("NO_PROXY", ""));
    changed.push(("no_proxy", ""));
    let ran = cloud.run_with("device list", &changed);
    assert!(
        ran.code == 1 && ran.stderr.contains("no connection"),
        "{}",
        ran.stderr
    );
}

/// A variable that is set to nothing is a mistake, and so is a member of the file; neither is a default.
#[test]
fn settings_that_are_empty() {
    let cloud = Scripted::start(|_, _| None);
    let members = [
        "BASE_URL",
        "ENTERPRISE_ID",
        "ENTERPRISE_SECRET",
        "PRODUCT_KEY",
        "PRODUCT_SECRET",
    ];
    for name in members.iter().chain(&["CONFIG", "PROFILE"]) {
        let name = format!("GIZWITS_{name}");
        for blank in ["", " "] {
            let ran = cloud.run_with("device list", &[(&name, blank)]);
            assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{name}");
            let words = format!("error: {name} is empty: give it a value, or unset it\n");
            assert_eq!(ran.stderr, words);
        }
    }
    let folder = Folder::new("empty-settings");
    for member in members {
        let mut variables = cloud.variables.clone();
        variables.remove(&format!("GIZWITS_{member}"));
        let member = member.to_lowercase();
        let file = folder.write("config.toml", format!("[default]\n{member} = \"\"\n"));
        private(&file);
        variables.insert("GIZWITS_CONFIG".to_owned(), file);
        let ran = program::run_in(GIZWITS, &["device", "list"], b"", &variables);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{member}");
        let words = format!("config.toml: {member} is empty: ");
        assert!(ran.stderr.contains(&words), "{}", ran.stderr);
    }
}

/// Only its owner can read it.
fn private(file: &str) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    #[cfg(not(unix))]
    let _ = file;
}

/// A file that can't be used stops only who needs it.
#[test]
fn a_broken_file_beside_a_whole_environment() {
    let cloud = Scripted::start(|_, _| None);
    let folder = Folder::new("broken-file");
    let broken = folder.write("config.toml", "[default\nproduct_secret = \"hush-file\"\n");
    private(&broken);
    let a_folder = folder.0.to_str().unwrap();
    for (config, words) in [
        (broken.as_str(), "config.toml:1: not understood"),
        (a_folder, ": "),
    ] {
        let config = ("GIZWITS_CONFIG", config);
        let ran = cloud.run_with("device list", &[config]);
        assert_eq!(
            (ran.code, ran.stdout.lines().count()),
            (0, 1),
            "{}",
            ran.stderr
        );
        assert!(
            ran.stderr.starts_with("warning: ") && ran.stderr.contains(words),
            "{}",
            ran.stderr
        );
        assert!(!ran.stderr.contains("hush"), "{}", ran.stderr);
        // Who asks for a profile means the file.
        for changed in [&[config][..], &[config, ("GIZWITS_PROFILE", "work")]] {
            let profile = if changed.len() == 1 {
                " --profile work"
            } else {
                ""
            };
            let ran = cloud.run_with(&format!("device list{profile}"), changed);
            assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{}", ran.stderr);
            assert!(ran.stderr.starts_with("error: "), "{}", ran.stderr);
        }
        // Without an address it may be the file's, and secrets go nowhere else.
        for missing in ["GIZWITS_BASE_URL", "GIZWITS_PRODUCT_SECRET"] {
            let mut variables = cloud.variables.clone();
            variables.remove(missing);
            variables.insert(config.0.to_owned(), config.1.to_owned());
            let ran = program::run_in(GIZWITS, &["device", "list"], b"", &variables);
            assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{}", ran.stderr);
        }
    }
}

/// Every way to write the bytes of a raw control.
#[test]
fn bytes_as_they_are_typed() {
    let cloud = Scripted::start(|_, _| None);
    let control = |raw: &[&str], more: &[&str]| {
        let words = [&["api", "devices", "control", "D", "--raw"], raw, more].concat();
        let ran = cloud.words(&words, &[]);
        (ran, cloud.controls.lock().unwrap().pop())
    };
    let sent = json!({"raw": [1, 1, 1, 0, 0, 16]});
    for raw in [
        &["1", "1", "1", "0", "0", "16"][..],
        &["1 1 1 0 0 16"],
        &["1,1,1,0,0,16"],
        &["[1,1,1,0,0,16]"],
        &["[1,", "1, 1, 0, 0, 16 ]"],
        &["010101000010"],
        &["0x010101000010"],
    ] {
        let (ran, body) = control(raw, &[]);
        assert_eq!(
            (ran.code, ran.stdout.as_str(), ran.stderr.as_str()),
            (0, "{}\n", ""),
            "{raw:?}"
        );
        assert_eq!(body.as_ref(), Some(&sent), "{raw:?}");
    }
    for (raw, bytes) in [
        ("[18]", json!([18])),
        ("0x18", json!([24])),
        ("0AfF", json!([10, 255])),
        ("1812", json!([24, 18])),
    ] {
        assert_eq!(
            control(&[raw], &["--unchecked"]).1,
            Some(json!({"raw": bytes})),
            "{raw}"
        );
    }
    for (raw, words) in [
        (
            &["18"][..],
            "`18` could be decimal or hex: write [18], or 0x18",
        ),
        (&["5"], "no hex of an even number of digits"),
        (&["123"], "no hex of an even number of digits"),
        (&["0x1"], "no hex of an even number of digits"),
        (&["0x"], "no hex of an even number of digits"),
        (&["12fg"], "no hex of an even number of digits"),
        (&["12", "ff"], "`ff` is no number from 0 to 255"),
        (&["1,256"], "`256` is no number from 0 to 255"),
        (&["1,-1"], "`-1` is no number from 0 to 255"),
        (&["1,1.5"], "`1.5` is no number from 0 to 255"),
        (&["[[1,2]]"], "`[1` is no number from 0 to 255"),
        (&["[1,2"], "`[1` is no number from 0 to 255"),
        (&["1,,2"], "a number is missing beside a comma"),
        (&["1,2,"], "a number is missing beside a comma"),
        (&["[]"], "there are no bytes"),
        (&[""], "there are no bytes"),
    ] {
        let (ran, body) = control(raw, &[]);
        assert_eq!((ran.code, body), (2, None), "{raw:?}");
        assert!(
            ran.stderr.starts_with("error: --raw: ") && ran.stderr.contains(words),
            "{raw:?}: {}",
            ran.stderr
        );
    }
    // What a coding explains needs no guess.
    for (coding, raw, written) in [
        ("hex", "18", "18"),
        ("hex", "0XFF", "ff"),
        ("base64", "AQEB", "AQEB"),
    ] {
        let (_, body) = control(&[raw], &["--unchecked", "--binary-coding", coding]);
        assert_eq!(body, Some(json!({"binary_coding": coding, "raw": written})));
    }
    let (ran, body) = control(&["0102"], &["--binary-coding", "base65"]);
    assert_eq!((ran.code, body), (2, None));
    for more in [
        &[][..],
        &["--attrs", "{}", "--raw", "1,1"],
        &["--attrs", "{\"switch\":true}", "--unchecked"],
    ] {
        let ran = cloud.words(&[&["api", "devices", "control", "D"], more].concat(), &[]);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{more:?}");
    }
    let ran = cloud.run("api devices control D --attrs {}");
    assert_eq!(ran.code, 1);
    assert!(
        ran.stderr.contains("can't be sent: it sets no point"),
        "{}",
        ran.stderr
    );
    assert!(cloud.controls.lock().unwrap().is_empty());
}

/// Raw bytes that would set a point to what its definition doesn't allow are not sent, unless one insists.
#[test]
fn raw_bytes_are_held_against_the_definition() {
    let cloud = Scripted::start(|_, _| None);
    for (raw, words) in [
        // Fan speed 3 of three labels; a set point of 48; a point that can't be set; a flag of none.
        ("1,8,48,0,0,16", "fan_speed = 3 is past its labels"),
        ("1,64,0,0,0,48", "set_temp = 48 is above its maximum 30"),
        ("1,128,0,0,0,16", "`room_temp` is not writable"),
        ("1,1,1,0,0", "1 byte is missing"),
        ("1,1,1,0,0,16,0", "1 byte follows"),
        ("1,0,0,0,0,0", "a control sets at least one point"),
        (
            "0000000309000090014000000030",
            "set_temp = 48 is above its maximum 30",
        ),
        ("17,1", "of a var_len product"),
    ] {
        let line = format!("api devices control D --raw {raw}");
        let ran = cloud.run(&line);
        assert_eq!(
            (ran.code, ran.stdout.as_str()),
            (1, ""),
            "{raw}: {}",
            ran.stderr
        );
        assert!(ran.stderr.contains(words), "{raw}: {}", ran.stderr);
        assert!(
            ran.stderr
                .contains("; --unchecked sends the bytes as they are"),
            "{}",
            ran.stderr
        );
        assert!(cloud.controls.lock().unwrap().is_empty());
        let ran = cloud.run(&format!("{line} --unchecked"));
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{raw}");
        assert!(cloud.controls.lock().unwrap().pop().is_some());
    }
    // Without a definition nobody can tell, except that there is none.
    for (code, sent) in [(5402, true), (5406, false)] {
        let cloud = Scripted::start(move |_, path| {
            path.ends_with("/datapoint")
                .then(|| answer(400, json!({"error_code": code})))
        });
        let ran = cloud.run("api devices control D --raw 97,98,99");
        assert_eq!(ran.code, i32::from(!sent), "{}", ran.stderr);
        assert_eq!(
            ran.stderr.contains("nothing was sent; --unchecked"),
            !sent,
            "{}",
            ran.stderr
        );
        assert_eq!(cloud.controls.lock().unwrap().len(), usize::from(sent));
    }
}

/// All moments are written the same way, whatever the server's numbers are.
#[cfg(target_os = "linux")]
#[test]
fn moments_of_a_device() {
    let cloud = Scripted::start(|_, path| {
        let device = json!({
            "did": "D", "mac": "m", "created_at": "1517298056", "online_latest": 1_517_298_056.201,
            "updated_at": 1_517_298_056_123_i64, "offline_time": 1_517_298_056, "keep_alive_time": 130,
            "serial": 1_517_298_056, "built_at": "2018-01-30 15:40:56",
        });
        let page = json!({"meta": {"total": 1}, "objects": [device]});
        path.ends_with("/search").then(|| answer(200, page))
    });
    let (code, screen) = program::typed(&format!("{GIZWITS} device show D"), &cloud.variables);
    assert_eq!(code, 0, "{screen}");
    for (name, value) in [
        ("created_at", "2018-01-30T07:40:56Z"),
        ("online_latest", "2018-01-30T07:40:56.201Z"),
        ("updated_at", "2018-01-30T07:40:56.123Z"),
        ("offline_time", "2018-01-30T07:40:56Z"),
        ("keep_alive_time", "130"),
        ("serial", "1517298056"),
        ("built_at", "2018-01-30 15:40:56"),
    ] {
        let line = format!("{name:15}  {value}\n");
        assert!(screen.contains(&line), "{line}: {screen}");
    }
}
