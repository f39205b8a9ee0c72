//! The lines that `gizwits simulate` prints, for each shell.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use gizwits_tests::program::Folder;

use super::GIZWITS;

/// A secret with characters that the shells give a meaning.
const SECRET: &str = "it's ‘100%’ of \"$HOME\" & %PATH% \\^ (!) `x` | <y>;#\\";

/// Ends a simulator.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The lines of `gizwits simulate` up to the last variable that is set.
fn lines(arguments: &[&str], shell: Option<&str>) -> Vec<String> {
    let mut command = Command::new(GIZWITS);
    command.arg("simulate").args(arguments);
    match shell {
        Some(shell) => command.env("SHELL", shell),
        None => command.env_remove("SHELL"),
    };
    let mut child = Ended(command.stdout(Stdio::piped()).spawn().unwrap());
    let mut lines = Vec::new();
    for line in BufReader::new(child.0.stdout.take().unwrap()).lines() {
        lines.push(line.unwrap());
        if lines.last().unwrap().contains("GIZWITS_DID") {
            return lines;
        }
    }
    panic!("the simulator has ended: {lines:?}");
}

/// Writes a scenario whose enterprise has the secret. A short history starts faster.
fn scenario(folder: &Folder) -> String {
    let mut text = super::run(&["simulate", "--print-scenario"]).stdout;
    for (builtin, own) in [
        (
            "\"5ec0e75ec0e75ec0e75ec0e75ec0e75e\"",
            format!("'''{SECRET}'''"),
        ),
        ("history = \"8d\"", "history = \"1h\"".to_owned()),
    ] {
        assert!(text.contains(builtin), "{text}");
        text = text.replace(builtin, &own);
    }
    folder.write("world.toml", text)
}

#[test]
fn variables_for_each_shell() {
    let folder = Folder::new("shells");
    let scenario = scenario(&folder);
    for (shell, comment, id, secret) in [
        (
            "bash",
            "# ",
            "export GIZWITS_ENTERPRISE_ID=e0e1e2e3e4e5e6e7e8e9eaebecedeeef",
            r#"export GIZWITS_ENTERPRISE_SECRET='it'\''s ‘100%’ of "$HOME" & %PATH% \^ (!) `x` | <y>;#\'"#,
        ),
        (
            "fish",
            "# ",
            "set -gx GIZWITS_ENTERPRISE_ID e0e1e2e3e4e5e6e7e8e9eaebecedeeef",
            r#"set -gx GIZWITS_ENTERPRISE_SECRET 'it\'s ‘100%’ of "$HOME" & %PATH% \\^ (!) `x` | <y>;#\\'"#,
        ),
        (
            "powershell",
            "# ",
            "$env:GIZWITS_ENTERPRISE_ID = 'e0e1e2e3e4e5e6e7e8e9eaebecedeeef'",
            r#"$env:GIZWITS_ENTERPRISE_SECRET = 'it''s ‘‘100%’’ of "$HOME" & %PATH% \^ (!) `x` | <y>;#\'"#,
        ),
        (
            "cmd",
            "REM ",
            "set GIZWITS_ENTERPRISE_ID=e0e1e2e3e4e5e6e7e8e9eaebecedeeef",
            r#"set GIZWITS_ENTERPRISE_SECRET=it's ‘100%^’ of ^"$HOME^" ^& %^PATH%^ \^^ ^(^!^) `x` ^| ^<y^>;#\"#,
        ),
    ] {
        let lines = lines(&["--shell", shell, "--scenario", &scenario], None);
        let is_there = |line: &str| lines.iter().any(|one| one == line);
        assert!(is_there(id) && is_there(secret), "{shell}: {lines:#?}");
        let url = lines.iter().find(|line| line.contains("GIZWITS_BASE_URL"));
        assert!(!url.unwrap().starts_with(comment), "{url:?}");
        let others = lines.iter().filter(|line| !line.contains("GIZWITS_"));
        let mut others = others.filter(|line| !line.is_empty());
        assert!(others.all(|line| line.starts_with(comment)), "{lines:#?}");
        assert!(
            is_there(&format!("{comment}Product air conditioner: 4 devices")),
            "{lines:#?}"
        );
    }
}

/// The shells that are installed set the variables to the values of the scenario.
#[test]
#[cfg(unix)]
fn shells_read_the_lines() {
    let folder = Folder::new("shells-read");
    let scenario = scenario(&folder);
    let mut count = 0;
    for (shell, program, print) in [
        (
            "bash",
            "sh",
            "printf '%s\\n' \"$GIZWITS_ENTERPRISE_SECRET\" \"$GIZWITS_DID\"",
        ),
        (
            "bash",
            "bash",
            "printf '%s\\n' \"$GIZWITS_ENTERPRISE_SECRET\" \"$GIZWITS_DID\"",
        ),
        (
            "bash",
            "zsh",
            "printf '%s\\n' \"$GIZWITS_ENTERPRISE_SECRET\" \"$GIZWITS_DID\"",
        ),
        (
            "fish",
            "fish",
            "printf '%s\\n' $GIZWITS_ENTERPRISE_SECRET $GIZWITS_DID",
        ),
        (
            "powershell",
            "pwsh",
            "[Console]::WriteLine($env:GIZWITS_ENTERPRISE_SECRET); [Console]::WriteLine($env:GIZWITS_DID)",
        ),
    ] {
        let script = lines(&["--shell", shell, "--scenario", &scenario], None);
        let script = format!("{}\n{print}\n", script.join("\n"));
        let output = Command::new(program)
            .arg("-c")
            .arg(&script)
            .env("HOME", &folder.0)
            .output();
        let output = match output {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            output => output.unwrap(),
        };
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success() && told.is_empty(),
            "{program}: {told}"
        );
        let printed = String::from_utf8(output.stdout).unwrap();
        assert_eq!(
            printed,
            format!("{SECRET}\ncBYkSjoE2xspYMhaUHdk5k\n"),
            "{program}"
        );
        count += 1;
    }
    assert!(count >= 2, "sh and bash are on every machine");
}

/// Without the option, the variable SHELL decides.
#[test]
fn the_default_shell() {
    let without = if cfg!(windows) { "$env:" } else { "export " };
    let expected = BTreeMap::from([
        (None, without),
        (Some(""), without),
        (Some("/bin/bash"), "export "),
        (Some("/usr/bin/zsh"), "export "),
        (Some("/usr/bin/fish"), "set -gx "),
        (Some("/usr/bin/pwsh"), "$env:"),
    ]);
    let folder = Folder::new("shells-default");
    let scenario = scenario(&folder);
    for (shell, start) in expected {
        let lines = lines(&["--scenario", &scenario], shell);
        assert!(
            lines.last().unwrap().starts_with(start),
            "{shell:?}: {lines:#?}"
        );
    }
    let ran = super::run(&["simulate", "--shell", "tcsh"]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr
            .contains("[possible values: bash, fish, powershell, cmd]"),
        "{}",
        ran.stderr
    );
}
