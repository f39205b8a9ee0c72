//! Errors of the cloud commands: their texts and exit statuses.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use gizwits_tests::cloud::{Reply, Scripted, answer};
use gizwits_tests::program::{self, Folder, Simulated};
use serde_json::{Value, json};

use super::{GIZWITS, run};

/// Each error says what to do about it, and contains no secret.
#[test]
fn what_goes_wrong() {
    let simulated = Simulated::start(GIZWITS, &[]);
    let (user, did) = (&simulated, simulated.variable("DID"));
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
            "check the address of the server",
        ),
        (
            "device list".to_owned(),
            &[("BASE_URL", "ftp://x")],
            2,
            "GIZWITS_BASE_URL = ftp://x: expected a URL such as https://enterpriseapi.gizwits.com",
        ),
        (
            "api product datapoint".to_owned(),
            &[("BASE_URL", "foo")],
            2,
            "GIZWITS_BASE_URL = foo: expected a URL such as https://",
        ),
        (
            "device list".to_owned(),
            &[("BASE_URL", "http://me:hush@x")],
            2,
            "GIZWITS_BASE_URL: it must not contain credentials",
        ),
        (
            "api call GET nope".to_owned(),
            &[],
            2,
            "nope: expected a path that begins with /",
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
        (
            format!("device log {did} --since 9d"),
            &[],
            2,
            "expected at most 7d",
        ),
        (
            format!("device log {did} --since 0s"),
            &[],
            2,
            "expected at least 1s",
        ),
        (
            format!("device log {did} --since soon"),
            &[],
            2,
            "expected a time span such as 90s, 10m, 6h or 7d",
        ),
        (
            format!("device log {did} -o - --checkpoint c"),
            &[],
            2,
            "a checkpoint can't continue standard output",
        ),
        (
            format!("device log {did} --from 2018-01-01 --until 2018-01-02"),
            &[],
            2,
            "no record before 2018-01-02T00:00:00Z is left: the cloud keeps records for 7 days",
        ),
        (
            control.clone() + "switch=on switch=off",
            &[],
            2,
            "`switch` is given twice",
        ),
        (
            control.clone() + "--values {oops",
            &[],
            2,
            "--values: not a JSON object",
        ),
        (
            control.clone() + "switch=on --curl --wait",
            &[],
            2,
            "cannot be used with",
        ),
        (
            format!("device log {did} --from noon"),
            &[],
            2,
            "expected a time such as 2026-01-31, 2026-01-31 07:37, 2026-01-31T07:37:23Z",
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
    let ran = simulated.run("device list");
    assert_eq!(ran.code, 1);
    assert!(
        ran.stderr
            .contains("the rate limit is reached; it is reset at"),
        "{}",
        ran.stderr
    );
    // In the midst of a log it tells how to go on.
    let short = scenario.replacen("[[enterprise]]", "[[enterprise]]\nquota = 3", 1);
    let short = folder.write("short.toml", short);
    let simulated = Simulated::start(GIZWITS, &["--scenario", &short]);
    let ran = simulated.run(&format!("device log {did} --since 7d"));
    let told = ran.stderr.split_once(" records; to continue: gizwits ");
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
            ["it is reset at ", "limits the calls per hour"],
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
                    let piped = simulated.run_with(verb, changed);
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
        let ran = simulated.run(verb);
        assert_eq!((ran.code, &*ran.stderr), (0, ""), "{verb}");
        assert!(!ran.stdout.is_empty(), "{verb}");
    }
}

/// A device whose values can't be read is shown, with the reason, and is no device that never reported.
#[test]
fn values_that_can_not_be_read() {
    let cases = [
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
    ];
    let check = |(status, body, kind, code, words): (u16, &'static str, &str, Value, &str)| {
        let cloud = Scripted::start(GIZWITS, move |_, path| {
            path.ends_with("/data")
                .then(|| Reply::Response(status, body.to_owned()))
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
    };
    // Half of them are tried again after a while.
    std::thread::scope(|scope| {
        for case in cases {
            scope.spawn(|| check(case));
        }
    });
    // One that has reported nothing is no failure.
    let ran = Scripted::start(GIZWITS, |_, _| None).run("device show D --json");
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    assert!(ran.json()[0].get("last_error").is_none());
}

/// A search that answers with another device shows nothing of that device.
#[test]
fn a_search_that_finds_another_device() {
    for (objects, words) in [
        (
            json!([{"did": "d", "mac": "m"}]),
            "counts 3 devices for D, but did not return it",
        ),
        (json!([]), "counts 3 devices for D, but did not return it"),
    ] {
        let cloud = Scripted::start(GIZWITS, move |_, path| {
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
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
    let cloud = Scripted::start(GIZWITS, move |_, path| {
        let at = now - 60;
        let object = match path.rsplit('/').next()? {
            "search" => json!({"did": "D", "mac": "m"}),
            "cmd" => json!({"timestamp": at, "type": "dev2app", "payload": "02"}),
            "data" => json!({"ts": at, "attrs": {"switch": 1}}),
            "online" => json!({"timestamp": at, "type": "dev_online"}),
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
        let words =
            "warning: the output is incomplete: the server counts 2 more than it returned\n";
        assert_eq!(ran.stderr, words, "{verb}");
    }
    #[cfg(target_os = "linux")]
    {
        let (code, screen) = program::typed(&format!("{GIZWITS} device list"), &cloud.variables);
        assert!(
            code == 1 && screen.contains("D    m\n1 device\nwarning: the output"),
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
        assert!(
            first.starts_with("warning: the output is incomplete"),
            "{first}"
        );
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
    let cloud = Scripted::start(GIZWITS, move |_, path| {
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

/// The error of a call that changes something says that the server may have received it. The error of a read does not.
#[test]
fn a_connection_that_broke_after_the_request() {
    let cloud = Scripted::start(GIZWITS, |method, path| {
        let asked = method != "GET" && !path.ends_with("/access_token");
        (asked || path.ends_with("/summary")).then_some(Reply::None)
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
        let words = "; the server may have received the request: check its effect before you send it again\n";
        assert!(ran.stderr.contains(words), "{line}: {}", ran.stderr);
    }
    let ran = cloud.run("api reports summary");
    assert!(
        ran.code == 1 && !ran.stderr.contains("arrived"),
        "{}",
        ran.stderr
    );
}

/// A control is sent and waited for, even if the values before it can't be read.
#[test]
fn waiting_without_the_values_before() {
    let report = "000000030b0000910401000014000000";
    let frame = |payload: &'static str| {
        Scripted::start(GIZWITS, move |_, path| match path.rsplit('/').next()? {
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
    let control = |payload| frame(payload).run("device control D set_temp=20 --wait");
    let (ran, unread) = std::thread::scope(|scope| {
        let unread = scope.spawn(|| control("0491"));
        (control(report), unread.join().unwrap())
    });
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.json()[0]["reported_at"].is_number());
    assert!(
        ran.stderr.starts_with("warning: GET ") && ran.stderr.contains("5024"),
        "{}",
        ran.stderr
    );
    // Frames that can't be read are no silence.
    assert_eq!(unread.code, 1);
    assert!(
        unread.stderr.contains(" can't be read: the payload ends"),
        "{}",
        unread.stderr
    );
}
