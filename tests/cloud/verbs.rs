//! Results of the cloud commands: lists, controls, logs, and any endpoint by name.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use gizwits_tests::cloud::{Scripted, answer};
use gizwits_tests::program::{self, Folder, Simulated};
use serde_json::{Value, json};

use super::{GIZWITS, run};

/// Lists, shows, controls and reads back, in pipes.
#[test]
fn the_daily_verbs() {
    let simulated = Simulated::start(GIZWITS, &[]);
    let (user, did) = (&simulated, simulated.variable("DID"));
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
    let (user, did) = (&simulated, simulated.variable("DID"));
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
    let (user, did) = (&simulated, simulated.variable("DID"));
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

/// The help of an endpoint has the values and formats of its parameters, and its lists and switches do what it says.
#[test]
fn api_help() {
    let help = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        let ran = run(&[&["api"], &words[..], &["--help"]].concat());
        assert_eq!(ran.code, 0, "{line}: {}", ran.stderr);
        ran.stdout.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    for (line, words) in [
        ("devices search", "--type <TYPE> The kind of `val`"),
        ("devices search", "[possible values: did, mac, uid]"),
        ("devices search", "--is-online [<0|1>]"),
        ("devices search", "--all Call page after page"),
        ("devices cmd", "[possible values: desc, asc]"),
        (
            "reports liveness",
            "a day as `YYYY-MM-DD`, a week as `YYYY-WW`",
        ),
        ("user-reports liveness", "--start-date <YYYY-MM-DD>"),
        ("bindings bind", "--dids <TEXT>..."),
        ("groups change", "[possible values: assign, unassign]"),
        ("reports activation", "It is not described there"),
        (
            "reports realtime",
            "GET /v1/products/{product_key}/devices/report/devices/report/rt",
        ),
        ("reports summary", "For enterprises in China only."),
    ] {
        let help = help(line);
        assert!(help.contains(words), "{line}, {words}: {help}");
    }
    let simulated = Simulated::start(GIZWITS, &[]);
    let did = simulated.variable("DID").to_owned();
    // Pages of three, and one page of all.
    let all = simulated.json(&format!(
        "api devices online {did} --all --limit 3 --sort asc"
    ));
    let one = simulated.json(&format!("api devices online {did} --limit 1000 --sort asc"));
    assert_eq!(&json!(all), &one[0]["objects"]);
    assert_eq!(simulated.json("api devices search --all").len(), 4);
    assert_eq!(
        simulated.json("api devices search --is-online 0")[0]["meta"]["total"]
            .as_u64()
            .unwrap()
            + simulated.json("api devices search --is-online")[0]["meta"]["total"]
                .as_u64()
                .unwrap(),
        4
    );
    let user = "--uid 25a5324c807842348f63ade277eb413a --appid a44100000000000000000000000000a1";
    let bound = simulated.json(&format!("api bindings bind {user} --dids {did} nobody"));
    assert_eq!(bound[0]["success"], json!([did]));
    assert_eq!(bound[0]["failed"], json!(["nobody"]));
    let bound = simulated.json(&format!("api bindings unbind {user} --dids {did}"));
    assert_eq!(bound[0]["success"], json!([did]));
    for (line, words) in [
        (
            "api devices search --limit 0".to_owned(),
            "expected at least 1",
        ),
        (
            "api devices search --limit many".to_owned(),
            "expected a whole number",
        ),
        (
            "api devices search --is-online yes".to_owned(),
            "invalid value 'yes'",
        ),
        (format!("api devices cmd {did} --sort up"), "desc, asc"),
        (
            "api user-reports liveness --start-date 2026-1-1 --end-date 2026-01-02".to_owned(),
            "a day such as 2026-01-31",
        ),
        (
            "api devices search --all --skip 3".to_owned(),
            "cannot be used with",
        ),
        (
            "api devices search --all --curl".to_owned(),
            "cannot be used with",
        ),
    ] {
        let ran = simulated.run(&line);
        assert_eq!(
            (ran.code, ran.stdout.as_str()),
            (2, ""),
            "{line}: {}",
            ran.stderr
        );
        assert!(ran.stderr.contains(words), "{line}: {}", ran.stderr);
    }
    // A server that ignores `skip` gets no endless calls.
    simulated.administer("/modes", r#"{"route":"*","mode":"skip_ignored"}"#);
    let ran = simulated.run("api devices search --all --limit 3");
    assert_eq!(
        (ran.code, ran.stdout.lines().count()),
        (1, 3),
        "{}",
        ran.stderr
    );
    assert!(
        ran.stderr.contains("the output is incomplete"),
        "{}",
        ran.stderr
    );
}

/// A device on a terminal: names for people, and labels instead of numbers.
#[cfg(target_os = "linux")]
#[test]
fn a_device_for_people() {
    let cloud = Scripted::start(GIZWITS, |_, path| {
        let attrs =
            json!({"switch": 1, "mode": "制冷", "fan_speed": 1, "set_temp": 16, "alert_full": 0});
        let page =
            json!({"meta": {"total": 1}, "objects": [{"ts": 1_517_384_243, "attrs": attrs}]});
        path.ends_with("/data").then(|| answer(200, page))
    });
    let (code, screen) = program::typed(&format!("{GIZWITS} device show D"), &cloud.variables);
    assert_eq!(code, 0, "{screen}");
    let rows: Vec<Vec<&str>> = screen
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    let row = |name: &str| {
        rows.iter()
            .find(|row| row.first() == Some(&name))
            .unwrap()
            .clone()
    };
    assert_eq!(row("switch").last(), Some(&"on"));
    assert_eq!(row("fan_speed").last(), Some(&"中风"));
    assert_eq!(row("mode").last(), Some(&"制冷"));
    assert_eq!(row("alert_full").last(), Some(&"off"));
    assert_eq!(
        row("set_temp").len(),
        3,
        "name, display name, value: {screen}"
    );
}

/// Ctrl-C in a long history: what was printed is whole, and it says how to have the rest.
#[cfg(unix)]
#[test]
fn a_history_that_is_interrupted() {
    // Long enough that it can't be written before the signal arrives.
    let folder = Folder::new("interrupted");
    let scenario = run(&["simulate", "--print-scenario"]).stdout;
    let scenario = scenario.replacen("report_every = \"30m\"", "report_every = \"1m\"", 1);
    let scenario = folder.write("world.toml", scenario);
    let simulated = Simulated::start(GIZWITS, &["--scenario", &scenario]);
    let (user, did) = (&simulated, simulated.variable("DID"));
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
    let (_, rest) = told.split_once("to continue: gizwits ").unwrap();
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
    // The device may have reported between the two commands.
    let after = &all[begin..];
    assert_eq!(rest, after[..rest.len()]);
    let last = rest.last().and_then(|record| record["timestamp"].as_f64());
    for record in &after[rest.len()..] {
        assert!(record["timestamp"].as_f64() > last, "{record}");
    }
}

/// Frames of another length, and the status that is broadcast by UDP, in a device's log.
#[test]
fn frames_that_devices_send_otherwise() {
    let simulated = Simulated::start(GIZWITS, &[]);
    let (user, did) = (&simulated, simulated.variable("DID"));
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

/// Changes are printed until Ctrl-C.
#[cfg(unix)]
#[test]
fn watching() {
    let simulated = Simulated::start(GIZWITS, &[]);
    let (user, did) = (&simulated, simulated.variable("DID"));
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

/// A terminal gets tables, and the progress of a long history.
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
    let data = typed(&format!("device data {did} --since 3h"));
    assert!(data.contains("  switch on, "), "{data}");
    let full = simulated.typed(
        &format!("{GIZWITS} device control {did} switch=on > /dev/full"),
        &[],
    );
    assert_eq!(full.0, 1);
    assert!(
        full.1
            .starts_with("error: standard output: No space left on device"),
        "{}",
        full.1
    );
    let bar = typed(&format!("device log {did} --since 7d > /dev/null"));
    assert!(bar.contains("records  eta "), "{bar}");
}

/// Every way to write the bytes of a raw control.
#[test]
fn bytes_as_they_are_typed() {
    let cloud = Scripted::start(GIZWITS, |_, _| None);
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
        (&["5"], "no hex with an even number of digits"),
        (&["123"], "no hex with an even number of digits"),
        (&["0x1"], "no hex with an even number of digits"),
        (&["0x"], "no hex with an even number of digits"),
        (&["12fg"], "no hex with an even number of digits"),
        (&["12", "ff"], "`ff` is no number from 0 to 255"),
        (&["1,256"], "`256` is no number from 0 to 255"),
        (&["1,-1"], "`-1` is no number from 0 to 255"),
        (&["1,1.5"], "`1.5` is no number from 0 to 255"),
        (&["[[1,2]]"], "`[1` is no number from 0 to 255"),
        (&["[1,2"], "`[1` is no number from 0 to 255"),
        (&["1,,2"], "a number is missing next to a comma"),
        (&["1,2,"], "a number is missing next to a comma"),
        (&["[]"], "no bytes"),
        (&[""], "no bytes"),
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
    let cloud = Scripted::start(GIZWITS, |_, _| None);
    for (raw, words) in [
        // Fan speed 3 of three labels; a set point of 48; a point that can't be set; a flag of none.
        ("1,8,48,0,0,16", "fan_speed = 3 is past its labels"),
        ("1,64,0,0,0,48", "set_temp = 48 is above its maximum 30"),
        ("1,128,0,0,0,16", "`room_temp` is not writable"),
        ("1,1,1,0,0", "1 byte missing"),
        ("1,1,1,0,0,16,0", "1 byte after the end"),
        ("1,0,0,0,0,0", "a control sets at least one point"),
        (
            "0000000309000090014000000030",
            "set_temp = 48 is above its maximum 30",
        ),
        ("17,1", "belongs to var_len products"),
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
        let cloud = Scripted::start(GIZWITS, move |_, path| {
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
    let cloud = Scripted::start(GIZWITS, |_, path| {
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
