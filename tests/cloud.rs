//! The commands that speak to a cloud, against one that the same binary simulates.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::sync::mpsc;

use gizwits_enterprise_client::Gid;
use gizwits_enterprise_client::blocking::{Device, Enterprise, Product};
use gizwits_simulator::Simulator;
use gizwits_tests::program::{self, Folder, Ran, Simulated};
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
    assert!(
        !user
            .json(&format!("device data {did} --since 1d"))
            .is_empty()
    );
    let online = user.json(&format!("device online {did} --since 7d"));
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
            "set GIZWITS_PRODUCT_KEY",
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
        user.json(&format!("api devices control {did} --raw {raw}"));
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
