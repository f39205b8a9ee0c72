//! Tests of the command line in a shell: variables, profiles, terminals, completions and manual pages.

use super::*;

fn run_where(arguments: &[&str], variables: &[(&str, &str)]) -> Ran {
    let variables = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    program::run_in(GIZWITS, arguments, b"", &variables.collect())
}

/// The definition comes from the option, or else from the variable, or else from the profile.
#[test]
fn a_definition_without_the_option() {
    let folder = Folder::new("default-definition");
    let relative = "definition = \"tests/fixtures/air-conditioner.json\"\n";
    let config = folder.write(
        "config.toml",
        format!("[default]\n{relative}[other]\ndefinition = \"no.json\"\n"),
    );
    let none = "/no/such/config.toml";
    let home = [("GIZWITS_CONFIG", &*config)];
    let variable = [
        ("GIZWITS_CONFIG", none),
        ("GIZWITS_DEFINITION", AIR_CONDITIONER),
    ];
    for variables in [&home[..], &variable] {
        for arguments in [
            &["decode", REPORT][..],
            &["encode", "control", "set_temp=24"],
            &["layout"],
            &["check"],
            &["codegen"],
            &["log", "decode", AIR_CONDITIONER],
        ] {
            let ran = run_where(arguments, variables);
            let given = run_where(
                &[arguments, &["-d", AIR_CONDITIONER]].concat(),
                &[("GIZWITS_CONFIG", none)],
            );
            assert_eq!(ran.code, given.code, "{arguments:?}: {}", ran.stderr);
            assert!(
                arguments == ["check"] || ran.stdout == given.stdout,
                "{arguments:?}"
            );
        }
    }
    let profile = [home[0], ("GIZWITS_PROFILE", "other")];
    let ran = run_where(&["layout"], &profile);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("no.json"), "{}", ran.stderr);
    // The option goes first, and config.toml is not even read.
    let broken = folder.write("broken.toml", "[");
    let broken = [("GIZWITS_CONFIG", &*broken)];
    assert_eq!(
        run_where(&["layout", "-d", AIR_CONDITIONER], &broken).code,
        0
    );
    let ran = run_where(&["layout"], &broken);
    assert!(
        ran.code == 2 && ran.stderr.contains("broken.toml:1: not a valid profile"),
        "{}",
        ran.stderr
    );
    let ran = run_where(&["layout"], &[("GIZWITS_DEFINITION", "")]);
    assert!(
        ran.code == 2 && ran.stderr.contains("GIZWITS_DEFINITION is empty"),
        "{}",
        ran.stderr
    );
    let ran = run_where(&["layout"], &[("GIZWITS_CONFIG", none)]);
    assert!(
        ran.code == 2 && ran.stderr.contains("--definition"),
        "{}",
        ran.stderr
    );
    let help = run(&["layout", "--help"]).stdout;
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        help.contains("Default: GIZWITS_DEFINITION, or `definition` in config.toml"),
        "{help}"
    );
}

/// A name with a typing error is answered with the name that was meant.
#[test]
fn names_with_typing_errors() {
    let log = ["-", "-d", AIR_CONDITIONER];
    for (command, point) in [("plot", "--point"), ("stats", "--point")] {
        let ran = run(&[&["log", command], &log[..], &[point, "set_tmep"]].concat());
        assert_eq!(ran.code, 2);
        assert!(
            ran.stderr.contains("did you mean `set_temp`?"),
            "{}",
            ran.stderr
        );
        let both = ["-d", WAVE_PUMP, point, "set_tmep"];
        let ran = run(&[&["log", command], &log[..], &both].concat());
        assert!(
            ran.stderr.contains("did you mean `set_temp`?"),
            "{}",
            ran.stderr
        );
    }
    let ran = run(&[&["log", "decode"], &log[..], &["--action", "repotr"]].concat());
    assert!(
        ran.code == 2 && ran.stderr.contains("'report'"),
        "{}",
        ran.stderr
    );
    let line = format!("{{\"did\":\"a\",\"payload\":\"{REPORT}\"}}\n");
    let arguments = [
        &["log", "stats"],
        &log[..],
        &["--point", "set_temp", "--json"],
    ]
    .concat();
    let ran = run_with(&arguments, line);
    assert_eq!(ran.json().len(), 1);
    assert_eq!(ran.json()[0]["point"], "set_temp");
}

/// No line is wider than the terminal.
#[cfg(target_os = "linux")]
#[test]
fn layouts_on_narrow_terminals() {
    for (columns, widest) in [(40, 37), (60, 53), (76, 69), (120, 77)] {
        let line = format!("stty cols {columns} rows 30; {GIZWITS} layout -d {AIR_CONDITIONER}");
        let variables = BTreeMap::from([("NO_COLOR".to_owned(), "1".to_owned())]);
        let (code, screen) = program::typed(&line, &variables);
        assert_eq!(code, 0, "{screen}");
        let width = |line: &str| {
            line.chars()
                .map(|one| {
                    if one.is_ascii() || one == '│' || one == '·' || one == '…' {
                        1
                    } else {
                        2
                    }
                })
                .sum::<usize>()
        };
        let boxes = screen.lines().filter(|line| line.ends_with('│'));
        assert!(
            boxes.map(width).all(|own| own == widest),
            "{columns}\n{screen}"
        );
        assert!(
            columns == 120 || screen.lines().all(|line| width(line) <= columns),
            "{columns}\n{screen}"
        );
        assert!(screen.contains("bit 1 of byte 0: fan_swing"), "{screen}");
    }
}

#[test]
fn manual_pages_and_completions() {
    let folder = Folder::new("man");
    let pages = folder.0.join("pages");
    let ran = run(&["man", pages.to_str().unwrap()]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    for (page, text) in [
        ("gizwits.1", "gizwits\\-decode(1)"),
        ("gizwits-log-decode.1", "partition"),
        ("gizwits-man.1", "manual pages"),
    ] {
        let found = std::fs::read_to_string(pages.join(page)).unwrap();
        assert!(
            found.starts_with(".ie") && found.contains(text),
            "{page}\n{found}"
        );
    }
    let names = std::fs::read_dir(&pages).unwrap();
    let mut names: Vec<_> = names.map(|page| page.unwrap().path()).collect();
    names.sort();
    // A command has a page, and so has each command in it.
    let listed = |page: &str, marker: &str| {
        let text = std::fs::read_to_string(pages.join(page)).unwrap();
        text.matches(marker).count()
    };
    assert_eq!(listed("gizwits-lan.1", "gizwits\\-lan\\-"), 5);
    let is_of_lan = |page: &&std::path::PathBuf| page.to_string_lossy().contains("gizwits-lan-");
    assert_eq!(names.iter().filter(is_of_lan).count(), 5, "{names:?}");
    // groff comes with man, and warns of what it can't format.
    let formatted = Command::new("groff")
        .args(["-man", "-Tutf8", "-ww", "-k"])
        .args(&names)
        .output();
    if let Ok(formatted) = formatted {
        let told = String::from_utf8_lossy(&formatted.stderr);
        assert!(formatted.status.success() && told.is_empty(), "{told}");
        let text = String::from_utf8_lossy(&formatted.stdout);
        assert!(text.contains("Serve a simulated Enterprise API"), "{text}");
    }
    let file = folder.write("file", "");
    let ran = run(&["man", &file]);
    assert!(
        ran.code == 2 && ran.stderr.contains(&file),
        "{}",
        ran.stderr
    );
    let help = run(&["completions", "--help"]).stdout;
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        assert!(
            help.contains(&format!("gizwits completions {shell} >")),
            "{help}"
        );
    }
}

/// The scripts complete commands, options and values in the shells that are installed.
#[cfg(unix)]
#[test]
fn shells_complete() {
    let folder = Folder::new("completions");
    let bash = |words: &str, last: &str| {
        let count = words.split(' ').count();
        let before = words.rsplit(' ').next().unwrap_or_default();
        format!(
            "source gizwits.bash; COMP_WORDS=({words} '{last}'); COMP_CWORD={count}; \
             _gizwits gizwits '{last}' '{before}'; printf '%s\\n' \"${{COMPREPLY[@]}}\""
        )
    };
    let fish = |words: &str, last: &str| {
        format!("source gizwits.fish; complete -C '{words} {last}' | cut -f 1")
    };
    type Script = fn(words: &str, last: &str) -> String;
    let scripts: [(&str, Script); 2] = [("bash", bash), ("fish", fish)];
    let mut count = 0;
    for (shell, script) in scripts {
        let printed = run(&["completions", shell]);
        assert_eq!(printed.code, 0, "{}", printed.stderr);
        folder.write(&format!("gizwits.{shell}"), printed.stdout);
        for (words, last, expected) in [
            ("gizwits", "simu", "simulate"),
            ("gizwits log", "dec", "decode"),
            ("gizwits simulate", "--li", "--listen"),
            ("gizwits simulate --shell", "po", "powershell"),
            ("gizwits api devices", "sea", "search"),
        ] {
            let mut command = Command::new(shell);
            command.arg("-c").arg(script(words, last));
            command.current_dir(&folder.0).env("HOME", &folder.0);
            let output = match command.output() {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                output => output.unwrap(),
            };
            let completed = String::from_utf8_lossy(&output.stdout);
            let told = String::from_utf8_lossy(&output.stderr);
            assert!(
                completed.lines().any(|word| word == expected) && told.is_empty(),
                "{shell}: {words} {last}: {completed}{told}"
            );
            count += 1;
        }
    }
    assert!(count >= 5, "bash is on every machine");
}
