//! Long steps of the clock: in slices, with calls in between.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use gizwits_simulator::{Act, Scenario, Simulator, Time};
use serde_json::Value;

use crate::support::*;

/// A world with two devices that report about every 40 s.
fn scenario() -> Scenario {
    let walk = "[[device.walk]]\npoint = \"room_temp\"\nevery = \"1m\"\nstep = 1\nmin = 10\nmax = 30\n\
                [[device.offline]]\nreason = \"no_heartbeat\"\nevery = \"5h\"\nlasts = \"10m\"\n";
    let device = |did: &str| {
        format!(
            "[[device]]\nproduct = \"{AC}\"\nmac = \"{did}\"\ndid = \"{did}\"\n\
             initial = {{ switch = true, room_temp = 20 }}\n{walk}"
        )
    };
    let text = format!(
        "seed = 3\n[[enterprise]]\nid = \"{ENTERPRISE}\"\nsecret = \"{SECRET}\"\nquota = 1000000\n\
         [[product]]\ndefinition = \"air-conditioner\"\nkey = \"{AC}\"\nsecret = \"{AC_SECRET}\"\n{}{}",
        device("one"),
        device("two")
    );
    Scenario::from_toml(&text, None).unwrap()
}

fn start(file: Option<&Path>) -> Simulator {
    let builder = Simulator::builder()
        .scenario(scenario())
        .time(Time::Manual { start: START });
    match file {
        Some(file) => builder.file(file),
        None => builder,
    }
    .build()
    .unwrap()
}

/// The logs of the last two days, as the API shows them.
fn logs(simulator: &Simulator) -> Vec<Value> {
    let client = ac(simulator);
    let mut pages = Vec::new();
    for did in ["one", "two"] {
        for log in ["cmd", "data", "online"] {
            let mut skip = 0;
            loop {
                let page = client.get(&format!(
                    "devices/{did}/{log}?sort=asc&limit=1000&skip={skip}"
                ));
                skip += 1000;
                if page["objects"].as_array().unwrap().is_empty() {
                    break;
                }
                pages.push(page["objects"].clone());
            }
        }
    }
    assert!(pages.len() > 6, "{}", pages.len());
    pages
}

/// Calls during a step are answered at the time that the step has reached, and change nothing of its result.
#[test]
fn calls_are_answered_during_a_step() {
    let simulator = start(None);
    let is_over = AtomicBool::new(false);
    let mut times = Vec::new();
    let end = std::thread::scope(|scope| {
        let step = scope.spawn(|| {
            let end = simulator.step(2 * DAY).unwrap();
            is_over.store(true, Ordering::SeqCst);
            end
        });
        while !is_over.load(Ordering::SeqCst) {
            token_of(&simulator, AC, AC_SECRET);
            times.push(simulator.now());
            // A change that fails rolls its slice back.
            simulator.act("nobody", &Act::Online).unwrap_err();
        }
        step.join().unwrap()
    });
    assert_eq!(end, START + 2 * DAY);
    assert_eq!(simulator.now(), end);
    assert!(times.is_sorted(), "{times:?}");
    let between = times.iter().filter(|time| (START + 1..end).contains(*time));
    assert!(between.count() > 3, "{times:?}");
    // The same world in steps of other lengths, without calls.
    let other = start(None);
    for _ in 0..2 * 24 {
        other.step(HOUR).unwrap();
    }
    assert!(logs(&simulator) == logs(&other));
    assert!(simulator.is_sound().unwrap());
}

/// Steps of several threads add up.
#[test]
fn steps_at_the_same_time() {
    let simulator = start(None);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..3 {
                    simulator.step(2 * HOUR).unwrap();
                }
            });
        }
    });
    assert_eq!(simulator.now(), START + 24 * HOUR);
    let other = start(None);
    other.step(24 * HOUR).unwrap();
    assert!(logs(&simulator) == logs(&other));
}

#[test]
fn a_time_is_set_from_the_end_of_a_step() {
    let simulator = start(None);
    std::thread::scope(|scope| {
        scope.spawn(|| simulator.step(DAY).unwrap());
        while simulator.now() == START {
            std::thread::yield_now();
        }
        // The step is under way. The time is set ahead of its end, not of the time that it has reached.
        simulator.set_time(START + 2 * DAY).unwrap();
    });
    assert_eq!(simulator.now(), START + 2 * DAY);
    let error = simulator.set_time(START).unwrap_err();
    assert!(error.to_string().contains("can't go back"), "{error}");
    let error = simulator.step(367 * DAY).unwrap_err();
    assert_eq!(error.to_string(), "a step is at most 366 days");
}

/// A process that is killed during a step finishes the step when the file is opened again.
#[test]
fn a_kill_during_a_step() {
    const FILE: &str = "GIZWITS_STEPPED_FILE";
    if let Some(file) = std::env::var_os(FILE) {
        let simulator = start(Some(Path::new(&file)));
        let clone = simulator.clone();
        std::thread::spawn(move || {
            while clone.now() < START + 6 * HOUR {
                std::thread::yield_now();
            }
            println!("under way");
        });
        simulator.step(3 * DAY).unwrap();
        panic!("the step ended before the kill");
    }
    let folder =
        std::env::temp_dir().join(format!("gizwits-simulator-kill-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("world.db");
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "clock::a_kill_during_a_step", "--nocapture"])
        .env(FILE, &file)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("under way")));
    child.kill().unwrap();
    child.wait().unwrap();
    let simulator = start(Some(&file));
    assert_eq!(simulator.now(), START + 3 * DAY);
    assert!(simulator.is_sound().unwrap());
    let other = start(None);
    other.step(3 * DAY).unwrap();
    assert!(logs(&simulator) == logs(&other));
    drop(simulator);
    std::fs::remove_dir_all(&folder).unwrap();
}
