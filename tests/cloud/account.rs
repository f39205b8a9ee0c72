//! Which account and which server a command uses: environment, configuration file and proxy.

use std::process::Command;

use gizwits_tests::cloud::Scripted;
use gizwits_tests::program::{self, Folder, Simulated};

use super::GIZWITS;

/// Credentials in a file: by profile, the environment first, and no secret in what it says.
#[test]
fn profiles() {
    let simulated = Simulated::start(GIZWITS, &[]);
    let folder = Folder::new("profiles");
    let members: String = simulated
        .variables
        .iter()
        .filter(|(name, _)| !["GIZWITS_DID", "GIZWITS_CACHE"].contains(&name.as_str()))
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
            .env("GIZWITS_CACHE", &simulated.variables["GIZWITS_CACHE"])
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
    // The option may also come before the command, and between its words.
    for line in [
        ["--profile", "other", "device", "list"],
        ["device", "--profile", "other", "list"],
        ["--profile=other", "api", "product", "datapoint"],
    ] {
        let (code, _, stderr) = bare(&file, &line);
        assert!(
            code == Some(2) && stderr.contains("GIZWITS_ENTERPRISE_ID"),
            "{line:?}: {stderr}"
        );
    }
    let (code, _, stderr) = bare(&file, &["--profile", "other", "demo"]);
    assert!(
        code == Some(2) && stderr.contains("an option of commands with an account"),
        "{stderr}"
    );
    let (code, _, stderr) = bare(&file, &["device", "list", "--profile", "third"]);
    assert!(
        code == Some(2) && stderr.contains("the profiles are default, other"),
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

/// A profile that is named is the account: a variable that differs from it is refused, others fill gaps.
#[test]
fn a_profile_is_not_mixed_with_variables() {
    let cloud = Scripted::start(GIZWITS, |_, _| None);
    let folder = Folder::new("mixed-profile");
    let members = |skipped: &str| -> String {
        let members = cloud
            .variables
            .iter()
            .map(|(name, value)| (&name[8..], value));
        let members = members.filter(|(name, _)| {
            (*name == "BASE_URL"
                || name.contains("_ID")
                || name.contains("PRODUCT")
                || name.contains("SECRET"))
                && *name != skipped
        });
        members
            .map(|(name, value)| format!("{} = \"{value}\"\n", name.to_lowercase()))
            .collect()
    };
    let whole = members("");
    let gap = members("PRODUCT_SECRET");
    let file = folder.write(
        "config.toml",
        format!("[prod]\n{whole}\n[gap]\n{gap}\n[half]\nproduct_key = \"hush-key\"\n"),
    );
    private(&file);
    let config = ("GIZWITS_CONFIG", file.as_str());
    for profile in ["prod", "gap"] {
        let line = format!("device list --profile {profile}");
        assert_eq!(cloud.run_with(&line, &[config]).stderr, "");
        let named = [config, ("GIZWITS_PROFILE", profile)];
        assert_eq!(cloud.run_with("device list", &named).code, 0);
    }
    let two = "error: GIZWITS_BASE_URL, GIZWITS_ENTERPRISE_ID are set and differ from the profile prod: unset them\n";
    let one = "error: GIZWITS_PRODUCT_KEY is set and differs from the profile half: unset it\n";
    for (line, changed, told) in [
        ("device list --profile prod", &[config][..], two),
        ("--profile prod api product datapoint", &[config], two),
        ("device list", &[config, ("GIZWITS_PROFILE", "prod")], two),
    ] {
        let other = [
            ("GIZWITS_BASE_URL", "http://127.0.0.1:9"),
            ("GIZWITS_ENTERPRISE_ID", "hush-id"),
        ];
        let ran = cloud.run_with(line, &[changed, &other].concat());
        assert_eq!(
            (ran.code, &*ran.stdout, &*ran.stderr),
            (2, "", told),
            "{line}"
        );
    }
    let ran = cloud.run_with("device list --profile half", &[config]);
    assert_eq!((ran.code, &*ran.stderr), (2, one));
}

/// A variable that is set to nothing is a mistake, and so is a member of the file; neither is a default.
#[test]
fn settings_that_are_empty() {
    let cloud = Scripted::start(GIZWITS, |_, _| None);
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
            let words = format!("error: {name} is empty: set a value or unset the variable\n");
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

/// A file that can't be used stops only who needs it.
#[test]
fn a_broken_file_beside_a_whole_environment() {
    let cloud = Scripted::start(GIZWITS, |_, _| None);
    let folder = Folder::new("broken-file");
    let broken = folder.write("config.toml", "[default\nproduct_secret = \"hush-file\"\n");
    private(&broken);
    let a_folder = folder.0.to_str().unwrap();
    for (config, words) in [
        (broken.as_str(), "config.toml:1: not a valid profile"),
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

/// Asserts that only the owner can read a file.
fn private(file: &str) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    #[cfg(not(unix))]
    let _ = file;
}
