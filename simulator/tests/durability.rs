//! A database file: a restart goes on where the world stopped.

use std::path::{Path, PathBuf};

use gizwits_simulator::{Act, Error, Mode, Scenario, Simulator, Time};
use serde_json::json;

use crate::support::*;

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
fn a_file_that_cannot_be_kept_says_why() {
    let folder = Folder::new("unwritable");
    let refused = |path: &Path| match Simulator::builder().file(path).build() {
        Err(Error::File(why)) => why,
        other => panic!("{}: {other:?}", path.display()),
    };
    assert_eq!(
        refused(&folder.0),
        "this is a folder: expected the name of a file"
    );
    let nowhere = folder.0.join("none");
    assert_eq!(
        refused(&nowhere.join("world.db")),
        format!("there is no folder {}: create it first", nowhere.display())
    );
    let text = folder.0.join("text");
    std::fs::write(&text, "").unwrap();
    assert!(refused(&text.join("world.db")).contains("the file can't be written"));

    // Nobody is kept from a file, or a folder, who may do anything.
    let world = folder.0.join("world.db");
    drop(Simulator::builder().file(&world).build().unwrap());
    let read_only = |path: &Path, on: bool| {
        let mut permissions = std::fs::metadata(path).unwrap().permissions();
        permissions.set_readonly(on);
        std::fs::set_permissions(path, permissions).unwrap();
    };
    read_only(&world, true);
    if std::fs::OpenOptions::new()
        .append(true)
        .open(&world)
        .is_err()
    {
        assert!(refused(&world).starts_with("the file can't be written: "));
    }
    read_only(&world, false);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = |mode| {
            let permissions = std::fs::Permissions::from_mode(mode);
            std::fs::set_permissions(&folder.0, permissions).unwrap();
        };
        mode(0o555);
        if std::fs::write(folder.0.join("probe"), "").is_err() {
            let why = format!(
                "no file can be created in the folder {}",
                folder.0.display()
            );
            for name in ["new.db", "world.db"] {
                let refused = refused(&folder.0.join(name));
                assert!(refused.starts_with(&why), "{refused}");
            }
        }
        mode(0o755);
    }
    assert!(Simulator::builder().file(&world).build().is_ok());
}

#[test]
fn a_stepped_clock_stays_stepped() {
    let folder = Folder::new("clock");
    let file = folder.0.join("world.db");
    let open = || Simulator::builder().file(&file).build().unwrap();
    let simulator = open();
    simulator.step(40 * DAY).unwrap();
    let before = simulator.step(5000).unwrap();
    drop(simulator);
    // Its time goes on meanwhile, as the machine's does.
    let machine = std::time::Instant::now();
    while machine.elapsed().as_millis() < 50 {
        std::thread::yield_now();
    }
    let passed = open().now() - before;
    assert!((50..60_000).contains(&passed), "{passed}");
}
