//! The commands that speak to a cloud, against one that the same binary simulates, or one that answers
//! by a rule of the test.

use std::collections::BTreeSet;
use std::sync::mpsc;

use gizwits_enterprise_client::Gid;
use gizwits_enterprise_client::blocking::{Device, Enterprise, Product};
use gizwits_simulator::Simulator;
use gizwits_tests::program::{self, Folder, Ran, Simulated};
use serde_json::json;

mod account;
mod cache;
mod export;
mod faults;
mod https;
mod lan;
mod shells;
#[path = "tls/server.rs"]
#[allow(dead_code)]
mod tls;
mod verbs;

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

/// A simulator prints what a client needs and ends on Ctrl-C with status 0. With a file, everything that was answered is
/// there after any end.
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
    let built_in = ran.stdout.clone();
    let broken = folder.write(
        "broken.toml",
        ran.stdout.replace("report_every", "raport_every"),
    );
    let ran = run(&["simulate", "--scenario", &broken]);
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
    assert!(ran.stderr.contains("raport_every"), "{}", ran.stderr);
    // The line itself is not shown, because it may have a secret.
    assert!(
        ran.stderr.contains("broken.toml: the scenario: line ")
            && ran.stderr.contains(", column 1, in `device`"),
        "{}",
        ran.stderr
    );
    let unknown = folder.write(
        "unknown.toml",
        built_in.replace("\"air-conditioner\"", "\"air-conditionr\""),
    );
    let ran = run(&["simulate", "--scenario", &unknown]);
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
    assert!(
        ran.stderr.contains(
            "there is no definition `air-conditionr`: built in are air-conditioner and wave-pump, and there is no file "
        ),
        "{}",
        ran.stderr
    );
    let annotated = run(&["simulate", "--print-scenario", "--annotated"]).stdout;
    assert!(annotated.contains("[[device.countdown]]") && annotated.contains("# "));
    let annotated = folder.write("annotated.toml", &annotated);
    drop(Simulated::start(GIZWITS, &["--scenario", &annotated]));
    assert_eq!(run(&["simulate", "--annotated"]).code, 2);
    for listen in ["0", "localhost:0"] {
        let simulated = Simulated::start(GIZWITS, &["--listen", listen]);
        let (_, port) = simulated.variable("BASE_URL").rsplit_once(':').unwrap();
        // The same port again, for either address.
        for (option, service) in [
            ("--listen", "the API"),
            ("--admin-port", "the administration"),
        ] {
            let ran = run(&["simulate", option, port]);
            let words =
                format!("error: can't listen on 127.0.0.1:{port}, the address of {service}: ");
            assert!(
                ran.code == 2 && ran.stderr.starts_with(&words),
                "{}",
                ran.stderr
            );
            assert!(
                ran.stderr.contains(&format!("with {option}")),
                "{}",
                ran.stderr
            );
        }
    }
    for (listen, words) in [
        ("localhost", "the port is missing"),
        ("70000", "a port is a number from 0 to 65535"),
        (":8080", "expected a port such as 8080"),
        ("localhost:http", "expected a port such as 8080"),
    ] {
        let ran = run(&["simulate", "--listen", listen]);
        assert!(
            ran.code == 2 && ran.stderr.contains(words),
            "{}",
            ran.stderr
        );
    }
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
        "error: /no/such/folder/world.db: there is no folder /no/such/folder: create it first\n"
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
