//! The cache of tokens and definitions: fewer calls, and no harm if it is missing, broken or of another server.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use gizwits_tests::cloud::{Reply, Scripted, answer};
use gizwits_tests::program::{Folder, Ran, Simulated};
use gizwits_tests::vectors;
use serde_json::json;

use super::GIZWITS;

/// A cloud that counts the requests by the last part of their paths.
struct Counted {
    cloud: Scripted,
    paths: Arc<Mutex<Vec<String>>>,
}

impl Counted {
    fn start() -> Self {
        let paths = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&paths);
        let cloud = Scripted::start(GIZWITS, move |_, path| {
            let last = path.rsplit('/').next().unwrap();
            seen.lock().unwrap().push(last.to_owned());
            None
        });
        Counted { cloud, paths }
    }

    /// Runs a command and returns the requests that it made.
    fn calls(&self, line: &str, changed: &[(&str, &str)]) -> Vec<String> {
        let ran = self.cloud.run_with(line, changed);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{line}");
        self.paths.lock().unwrap().drain(..).collect()
    }

    /// The files of the cache with this name.
    fn files(&self, name: &str) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut folders = vec![self.cloud.cache.0.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                match entry.path() {
                    path if path.is_dir() => folders.push(path),
                    path if entry.file_name() == name => found.push(path),
                    _ => {}
                }
            }
        }
        found
    }
}

#[test]
fn calls_of_each_command() {
    for (line, cold, warm) in [
        (
            "device list",
            &["access_token", "search"][..],
            &["search"][..],
        ),
        (
            "device show D",
            &["access_token", "search", "datapoint", "data"],
            &["search", "data"],
        ),
        (
            "device control D switch=on",
            &["access_token", "datapoint", "control"],
            &["control"],
        ),
        (
            "device log D",
            &["access_token", "datapoint", "cmd"],
            &["datapoint", "cmd"],
        ),
        (
            "device online D",
            &["access_token", "online"],
            &["datapoint", "online"],
        ),
        ("api devices data D", &["access_token", "data"], &["data"]),
        (
            "api devices control D --raw 1,1,1,0,0,16",
            &["access_token", "datapoint", "control"],
            &["control"],
        ),
    ] {
        let counted = Counted::start();
        let mut first = counted.calls(line, &[]);
        first.sort_by_key(|name| cold.iter().position(|one| one == name));
        assert_eq!(first, cold, "{line}");
        for _ in 0..2 {
            assert_eq!(counted.calls(line, &[]), warm, "{line}");
        }
        let without = counted.calls(&format!("{line} --no-cache"), &[]);
        assert_eq!(without.len(), cold.len(), "{line}");
    }
}

#[test]
fn a_token_is_private_and_of_one_account_on_one_server() {
    let counted = Counted::start();
    counted.calls("device list", &[]);
    let tokens = counted.files("tokens.json");
    assert_eq!(tokens.len(), 1);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode =
            |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&tokens[0]), 0o600);
        assert_eq!(mode(tokens[0].parent().unwrap()), 0o700);
    }
    let text = fs::read_to_string(&tokens[0]).unwrap();
    assert!(
        text.contains("hush-token") && !text.contains("hush-enterprise"),
        "{text}"
    );
    // Other secrets need a token of their own, and so does another server.
    let other = ("GIZWITS_ENTERPRISE_SECRET", "hush-other");
    assert_eq!(
        counted.calls("device list", &[other]),
        ["access_token", "search"]
    );
    let second = Counted::start();
    let cache = &counted.cloud.variables["GIZWITS_CACHE"];
    let shared = ("GIZWITS_CACHE", cache.as_str());
    assert_eq!(
        second.calls("device list", &[shared]),
        ["access_token", "search"]
    );
    assert_eq!(second.calls("device list", &[shared]), ["search"]);
}

#[test]
fn a_broken_cache_is_replaced() {
    let counted = Counted::start();
    counted.calls("device show D", &[]);
    for broken in [
        "",
        "{",
        "[]",
        "no JSON",
        r#"{"e":{"token":["hush"]}}"#,
        "\u{0}",
    ] {
        for name in ["tokens.json", "3f1c5b7a9d2e4860b1a3c5d7e9f00112.json"] {
            let [path] = &counted.files(name)[..] else {
                panic!("one {name}");
            };
            fs::write(path, broken).unwrap();
        }
        assert_eq!(counted.calls("device show D", &[]).len(), 4, "{broken}");
        assert_eq!(counted.calls("device show D", &[]).len(), 2, "{broken}");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // Tokens that others can read are not used.
        let path = &counted.files("tokens.json")[0];
        fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(
            counted.calls("device list", &[]),
            ["access_token", "search"]
        );
        let mode = fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

/// One warning, and the command works.
#[test]
fn a_cache_that_can_not_be_written() {
    let cloud = Scripted::start(GIZWITS, |_, _| None);
    let folder = Folder::new("cache");
    let file = folder.write("file", "");
    for place in [file.clone(), format!("{file}/below")] {
        let ran = cloud.run_with("device show D", &[("GIZWITS_CACHE", &place)]);
        assert_eq!(
            (ran.code, ran.stdout.lines().count()),
            (0, 1),
            "{}",
            ran.stderr
        );
        assert_eq!(ran.stderr.matches("warning: ").count(), 1, "{}", ran.stderr);
        assert!(ran.stderr.contains("can't be written"), "{}", ran.stderr);
        assert!(!ran.stderr.contains("hush"), "{}", ran.stderr);
        let ran = cloud.run_with("device show D --no-cache", &[("GIZWITS_CACHE", &place)]);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    }
}

/// A token that the server no longer knows is fetched again once, and never shown.
#[test]
fn a_token_that_is_refused() {
    let simulated = Simulated::start(GIZWITS, &[]);
    simulated.json("device list");
    simulated.administer(
        "/modes",
        r#"{"route":"*","mode":"token_revoked","count":1}"#,
    );
    assert_eq!(simulated.json("device list").len(), 4);
    let refusing = Scripted::start(GIZWITS, |_, path| {
        let refusal = json!({"error_code": 5009, "error_message": "token invalid: hush-token"});
        path.ends_with("/search").then(|| answer(400, refusal))
    });
    for _ in 0..2 {
        let ran: Ran = refusing.run("device list");
        assert_eq!(ran.code, 1);
        assert!(!ran.stderr.contains("hush"), "{}", ran.stderr);
    }
}

/// A point that was added to the product after its definition was cached.
#[test]
fn a_definition_that_has_changed() {
    let changed = Arc::new(AtomicBool::new(false));
    let is_changed = Arc::clone(&changed);
    let cloud = Scripted::start(GIZWITS, move |_, path| {
        let fixture = vectors::fixture("air-conditioner");
        let old = fixture.replace("\"set_temp\"", "\"old_temp\"");
        let definition = if is_changed.load(Ordering::Relaxed) {
            fixture
        } else {
            old
        };
        match path.rsplit('/').next()? {
            "datapoint" => Some(Reply::Response(200, definition)),
            "cmd" => {
                let ago = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
                let at = ago.unwrap().as_secs() - 60;
                let payload = "000000030b0000910401000014000000";
                let record = json!({"timestamp": at, "type": "dev2app", "payload": payload});
                Some(answer(
                    200,
                    json!({"meta": {"total": 1}, "objects": [record]}),
                ))
            }
            _ => None,
        }
    });
    let ran = cloud.run("device control D old_temp=24");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    changed.store(true, Ordering::Relaxed);
    // A history is decoded with the definition of now.
    let ran = cloud.run("device log D");
    let attrs = &ran.json()[0]["attrs"];
    assert!(
        attrs["set_temp"].is_number() && attrs["old_temp"].is_null(),
        "{attrs}"
    );
    fs::remove_dir_all(&cloud.cache.0).unwrap();
    changed.store(false, Ordering::Relaxed);
    assert_eq!(cloud.run("device control D old_temp=24").code, 0);
    changed.store(true, Ordering::Relaxed);
    let ran = cloud.run("device control D set_temp=24");
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    let ran = cloud.run("device control D old_temp=24");
    assert!(
        ran.code == 1 && ran.stderr.contains("old_temp"),
        "{}",
        ran.stderr
    );
}
