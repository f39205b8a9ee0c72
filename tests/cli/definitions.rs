//! Definitions that cannot be used, and files that are not replaced.

use super::*;

/// Whatever is read, JSON or TOML, is refused where it is too deep, in words that fit a screen.
#[test]
fn nesting_ends_no_process() {
    for depth in [20_000, 500_000] {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let deep = format!("{}1{}", open.repeat(depth), close.repeat(depth));
            for json in [
                deep.clone(),
                format!("{{\"name\":\"x\",\"entities\":{deep}}}"),
            ] {
                for command in [
                    &["check", "-d", "-"][..],
                    &["codegen", "-d", "-"],
                    &["layout", "-d", "-"],
                ] {
                    let ran = run_with(command, &json);
                    let told = [ran.stdout, ran.stderr].concat();
                    assert!(
                        ran.code > 0 && told.contains("more than 64 deep"),
                        "{command:?}"
                    );
                    assert!(told.len() < 3000, "{told}");
                }
            }
            let ran = run_with(&["decode", "-d", AIR_CONDITIONER], &deep);
            assert!(ran.code == 1 && ran.stdout.len() < 300, "{}", ran.stdout);
            // An argument has a limit of its own.
            if depth * open.len() < 100_000 {
                let set = format!("{{\"mode\":{}}}", &deep[..deep.len() / 2]);
                for json in [&deep, &set, &format!("{{\"mode\":{deep}}}")] {
                    let control = ["encode", "-d", AIR_CONDITIONER, "control", "--json", json];
                    let ran = run(&control);
                    assert!(ran.stdout.is_empty() && ran.code > 0);
                    assert!(ran.stderr.len() < 600, "{}", ran.stderr);
                }
            }
        }
        let keys = vec!["a"; depth].join(".");
        for toml in [
            format!("x = {}{}", "[".repeat(depth), "]".repeat(depth)),
            format!("x = {}1{}", "{a = ".repeat(depth), "}".repeat(depth)),
            format!("{keys} = 1"),
            format!("[{keys}]\nb = 1"),
        ] {
            let ran = run_with(&["simulate", "--scenario", "-"], toml);
            assert_eq!(ran.code, 2);
            assert!(ran.stderr.contains("recurs"), "{}", ran.stderr);
            assert!(!ran.stderr.contains("\\n"), "{}", ran.stderr);
            assert!(ran.stderr.len() < 2000, "{}", ran.stderr.len());
        }
    }
}

#[test]
fn definitions_that_cannot_be_used() {
    let folder = Folder::new("unusable");
    let mut broken = sound();
    broken["entities"][0]["attrs"][3]["uint_spec"]["ratio"] = json!(0);
    broken["entities"][0]["attrs"][0]["name"] = json!("po\u{1b}[31mwer");
    broken["entities"][0]["attrs"][1]["name"] = json!("po\u{1b}[31mwer");
    let broken = folder.write("broken.json", broken.to_string());
    let latin = folder.write("latin.json", b"{\"name\": \"\xe9\"}");
    for command in [&["decode"][..], &["encode"], &["layout"]] {
        for (file, words) in [
            (&broken, "error: `level` has the ratio 0"),
            (&latin, "not UTF-8 at byte 10"),
        ] {
            let rest: &[&str] = match command {
                ["decode"] => &["02"],
                ["encode"] => &["read"],
                _ => &[],
            };
            let ran = run(&[command, &["-d", file], rest].concat());
            assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{command:?}");
            assert!(ran.stderr.contains(words), "{command:?}: {}", ran.stderr);
            assert!(
                !ran.stderr.contains('\u{1b}'),
                "nothing steers the terminal"
            );
        }
    }
    let ran = run(&["decode", "-d", "-"]);
    assert!(ran.code == 2 && ran.stderr.contains("standard input is the definition"));

    // The definition on one line of many thousand characters, as the API has it: still a picture.
    let named = run(&["check", &broken]);
    let people = run(&["check", "-d", &broken]);
    assert_eq!(
        (named.code, named.stdout),
        (people.code, people.stdout.clone())
    );
    assert_eq!(people.code, 1);
    assert!(
        people
            .stdout
            .lines()
            .all(|line| line.chars().count() <= 110),
        "{}",
        people.stdout
    );
    assert!(people.stdout.contains(r#""ratio":0"#), "{}", people.stdout);

    // A list is no object, though serde would take it for one.
    let mut list = sound();
    list["entities"][0]["attrs"][0]["position"] = json!(["bit", 0, 0, 1]);
    list["entities"][0]["attrs"][3] = json!([]);
    let ran = run(&[
        "check",
        "--json",
        "-d",
        &folder.write("list.json", list.to_string()),
    ]);
    let pointers: Vec<Value> = ran
        .stdout
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["pointer"].take())
        .collect();
    let attrs = "/entities/0/attrs";
    assert_eq!(
        json!(pointers),
        json!([format!("{attrs}/0/position"), format!("{attrs}/3")])
    );

    // What could be read is told, and then what couldn't.
    let missing = folder.0.join("missing.json");
    let missing = missing.to_str().unwrap();
    let ran = run(&["check", "-d", missing, "-d", AIR_CONDITIONER, &broken]);
    assert_eq!((ran.code, ran.stderr.lines().count()), (2, 1));
    assert!(
        ran.stdout
            .starts_with("tests/fixtures/air-conditioner.json: standard, 7 bytes, 11 points, no")
    );
    assert!(ran.stderr.contains("missing.json"), "{}", ran.stderr);
}

/// A definition is not written over by what is made of it, and nothing is written if one of the files is refused.
#[test]
fn no_output_replaces_the_definition() {
    let folder = Folder::new("cli-codegen");
    let text = std::fs::read_to_string(root().join(AIR_CONDITIONER)).unwrap();
    let refused = |arguments: &[&str], stdin: Option<&Path>, definition: &Path, message: &str| {
        let stdin = stdin.map_or(Stdio::null(), |path| {
            std::fs::File::open(path).unwrap().into()
        });
        let output = Command::new(GIZWITS)
            .args(arguments)
            .stdin(stdin)
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {told}");
        assert!(told.contains(message), "{arguments:?}: {told}");
        assert_eq!(
            std::fs::read_to_string(definition).unwrap(),
            text,
            "{arguments:?}"
        );
    };
    let message = "is the definition: choose another output file";
    for (name, spelt, options) in [
        ("ac.json", "./ac.json", &["codegen"][..]),
        ("ac.h", "./ac.h", &["codegen", "--lang", "c"]),
        ("ac.c", "ac.h", &["codegen", "--lang", "c"]),
        ("ac.lua", "./ac.lua", &["codegen", "--lang", "lua"]),
        ("ac.svg", "./ac.svg", &["layout"]),
    ] {
        let (definition, output) = (folder.0.join(name), folder.0.join(spelt));
        std::fs::write(&definition, &text).unwrap();
        let (file, output_file) = (definition.to_str().unwrap(), output.to_str().unwrap());
        let arguments = |definition| [options, &["-d", definition, "-o", output_file]].concat();
        refused(&arguments(file), None, &definition, message);
        refused(&arguments("-"), Some(&definition), &definition, message);
        std::fs::remove_file(&definition).unwrap();
        assert!(!output.exists(), "{name}: {spelt} is written");
    }

    // The source file cannot replace a folder, and may not be the header.
    let definition = folder.0.join("ac.json");
    std::fs::write(&definition, &text).unwrap();
    let header = folder.0.join("ac.h");
    let arguments = [
        "codegen",
        "--lang",
        "c",
        "-d",
        definition.to_str().unwrap(),
        "-o",
    ];
    let arguments = [&arguments[..], &[header.to_str().unwrap()]].concat();
    std::fs::create_dir(folder.0.join("ac.c")).unwrap();
    refused(&arguments, None, &definition, "ac.c");
    assert!(!header.exists());
    std::fs::remove_dir(folder.0.join("ac.c")).unwrap();
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("ac.c", &header).unwrap();
        refused(&arguments, None, &definition, "the same file");
    }
}

/// A header is not mistaken for one of the standard headers.
#[test]
fn c_code_has_the_name_of_no_standard_header() {
    let folder = Folder::new("cli-codegen-names");
    for name in ["stdint.h", "StdBool.h", "string.h"] {
        let header = folder.0.join(name);
        let arguments = ["codegen", "-d", AIR_CONDITIONER, "--lang", "c", "-o"];
        let ran = run(&[&arguments[..], &[header.to_str().unwrap()]].concat());
        assert_eq!(ran.code, 2, "{}", ran.stderr);
        assert!(
            ran.stderr.contains("a standard header of C has this name"),
            "{}",
            ran.stderr
        );
        assert!(!header.exists());
    }
}

/// C code is a header and a source file beside it, which are not written over the definition or to stdout.
#[test]
fn c_code_is_two_files() {
    let folder = Folder::new("cli-codegen-c");
    let header = folder.0.join("Air-Con.h");
    let header = header.to_str().unwrap();
    let ran = run(&[
        "codegen",
        "-d",
        AIR_CONDITIONER,
        "--lang",
        "c",
        "-o",
        header,
    ]);
    let note = "note: the definition has no C name for 7 labels (labelN in the code): \
        --print-names prints a file for --names, in which you name them\n";
    assert_eq!(
        (ran.code, ran.stdout.as_str(), ran.stderr.as_str()),
        (0, "", note)
    );
    let header = std::fs::read_to_string(header).unwrap();
    let source = std::fs::read_to_string(folder.0.join("Air-Con.c")).unwrap();
    assert!(
        header.contains("#define AIR_CON_STATUS_LEN 8u\n"),
        "{header}"
    );
    let generated = format!(
        "/* GENERATED by gizwits {} from the definition of air conditioner (product key \
         4d0b954d71e71a0d06e1139f0de0ff97): do not edit.",
        env!("CARGO_PKG_VERSION")
    );
    assert!(header.starts_with(&format!("{generated}\n")), "{header}");
    assert!(
        source.starts_with(&format!("{generated} */\n#include \"Air-Con.h\"\n")),
        "{source}"
    );

    let ran = run(&["codegen", "-d", AIR_CONDITIONER, "--lang", "c"]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr.contains("name the header, as in -o DIR/NAME.h"),
        "{}",
        ran.stderr
    );
    let ran = run(&[
        "codegen",
        "-d",
        AIR_CONDITIONER,
        "--lang",
        "c",
        "-o",
        "code.c",
    ]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr.contains("choose a name that ends with .h"),
        "{}",
        ran.stderr
    );
    let quoted = folder.0.join("air\"con.h");
    let arguments = ["codegen", "-d", AIR_CONDITIONER, "--lang", "c", "-o"];
    let ran = run(&[&arguments[..], &[quoted.to_str().unwrap()]].concat());
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr
            .contains("C cannot include a file with this name"),
        "{}",
        ran.stderr
    );
    assert!(!quoted.exists());
}

/// The ending of the output file stands for a language, which --lang cannot contradict.
#[test]
fn the_ending_of_the_output_is_a_language() {
    let folder = Folder::new("cli-codegen-endings");
    let path = |name: &str| folder.0.join(name).to_str().unwrap().to_owned();
    for (name, lang, file) in [
        ("ac.h", "c", "ac.c"),
        ("ac.rs", "rust", "ac.rs"),
        ("ac.lua", "lua", "ac.lua"),
    ] {
        let mut written = Vec::new();
        for options in [&[][..], &["--lang", lang]] {
            let arguments = [
                &["codegen", "-d", AIR_CONDITIONER, "-o", &path(name)],
                options,
            ];
            assert_eq!(run(&arguments.concat()).code, 0, "{name}");
            written.push(std::fs::read_to_string(path(file)).unwrap());
            std::fs::remove_file(path(file)).unwrap();
        }
        assert!(written[0] == written[1], "{name}");
    }
    for (name, lang, message) in [
        (
            "no.rs",
            "c",
            "a file that ends with .rs has Rust code: choose --lang rust, or a name that ends with .h",
        ),
        (
            "no.h",
            "lua",
            "a file that ends with .h has C code: choose --lang c, or a name that ends with .lua",
        ),
        (
            "no.c",
            "rust",
            "a file that ends with .c has C code: choose --lang c, or a name that ends with .rs",
        ),
        ("no.c", "c", "choose a name that ends with .h, such as no.h"),
    ] {
        let output = path(name);
        let ran = run(&[
            "codegen",
            "-d",
            AIR_CONDITIONER,
            "--lang",
            lang,
            "-o",
            &output,
        ]);
        assert_eq!(ran.code, 2, "{name}");
        assert!(ran.stderr.contains(message), "{name}: {}", ran.stderr);
        assert!(!Path::new(&output).exists(), "{name}");
    }
    let ran = run(&["codegen", "-d", AIR_CONDITIONER, "-o", &path("no.c")]);
    assert!(ran.stderr.contains("such as no.h"), "{}", ran.stderr);
    let ran = run(&[
        "codegen",
        "-d",
        AIR_CONDITIONER,
        "--defmt",
        "-o",
        &path("no.h"),
    ]);
    assert!(ran.stderr.contains("--defmt is for Rust"), "{}", ran.stderr);
}

/// A header whose name cannot begin the names in the code is refused with a name that can.
#[test]
fn the_name_of_a_header_begins_names() {
    let folder = Folder::new("cli-codegen-prefix");
    let path = |name: &str| folder.0.join(name).to_str().unwrap().to_owned();
    let codegen = |header: &str| run(&["codegen", "-d", AIR_CONDITIONER, "-o", header]);
    for (name, proposal) in [
        ("9aircon.h", "aircon.h"),
        ("空调.h", "air_conditioner.h"),
        ("9time.h", "air_conditioner.h"),
        ("空调product.h", "product.h"),
        (
            "a-name-of-more-than-forty-letters-is-unreadable.h",
            "a-name-of-more-than-forty-letters-is-unr.h",
        ),
    ] {
        let header = path(name);
        let ran = codegen(&header);
        assert_eq!(ran.code, 2, "{name}");
        let message = format!("choose another name, such as {proposal}\n");
        assert!(ran.stderr.ends_with(&message), "{name}: {}", ran.stderr);
        assert!(!Path::new(&header).exists(), "{name}");
    }
    for name in ["product.h", "Product.h", "product-.h"] {
        let ran = codegen(&path(name));
        assert_eq!(ran.code, 0, "{name}: {}", ran.stderr);
    }
}

/// The warnings of a definition are on stderr, and the code on stdout.
#[test]
fn code_of_a_definition_with_warnings() {
    let text = std::fs::read_to_string(root().join(AIR_CONDITIONER)).unwrap();
    let code = run_with(&["codegen", "-d", "-"], &text);
    assert_eq!((code.code, &*code.stderr), (0, ""));
    let misspelt = text.replacen("packetVersion", "packet_version", 1);
    let ran = run_with(&["codegen", "-d", "-"], &misspelt);
    let warnings = "-:1:1: warning: packetVersion is missing: \"0x00000004\" is assumed\n\
        -:5:3: warning: the key \"packet_version\" is unknown and ignored\n";
    assert_eq!((ran.code, ran.stdout), (0, code.stdout));
    assert_eq!(ran.stderr, warnings);
}

/// The display filters of a dissector begin with the name of its file, or of the product.
#[test]
fn a_dissector_has_the_name_of_its_file() {
    let folder = Folder::new("cli-codegen-lua");
    let file = folder.0.join("Air-Con.lua");
    let arguments = ["codegen", "-d", AIR_CONDITIONER, "--lang", "lua"];
    let ran = run(&[&arguments[..], &["-o", file.to_str().unwrap()]].concat());
    assert_eq!((ran.code, &*ran.stdout, &*ran.stderr), (0, "", ""));
    let named = std::fs::read_to_string(file).unwrap();
    let printed = run(&arguments).stdout;
    assert!(named.contains("    filter = \"gizwits_air_con\",\n"));
    assert!(printed.contains("    filter = \"gizwits_air_conditioner\",\n"));
    assert_eq!(
        named.replace("gizwits_air_con\"", "gizwits_air_conditioner\""),
        printed
    );
}

/// Names of points and labels come from a file, whose start can be printed.
#[test]
fn code_with_other_names() {
    let folder = Folder::new("cli-codegen-names-file");
    let starter = run(&["codegen", "-d", AIR_CONDITIONER, "--print-names"]).stdout;
    assert!(
        starter.contains("\n[labels.mode]\n# \"制冷\" = \"label0\"\n"),
        "{starter}"
    );
    let code = run(&["codegen", "-d", AIR_CONDITIONER]).stdout;
    let arguments = ["codegen", "-d", AIR_CONDITIONER, "--names", "-"];
    assert_eq!(run_with(&arguments, &starter).stdout, code);

    let names = folder.0.join("names.toml");
    let given = starter
        .replace("# \"制冷\" = \"label0\"", "\"制冷\" = \"cool\"")
        .replace("# set_temp = \"set_temp\"", "set_temp = \"target\"");
    std::fs::write(&names, &given).unwrap();
    let names = names.to_str().unwrap();
    let code = run(&["codegen", "-d", AIR_CONDITIONER, "--names", names]).stdout;
    for line in [
        "    Cool,",
        "    pub target: u8,",
        "    pub const TARGET: PointId = PointId(6);",
    ] {
        assert!(code.lines().any(|one| one == line), "{line}: {code}");
    }
    let header = folder.0.join("ac.h");
    let arguments = [
        "codegen",
        "-d",
        AIR_CONDITIONER,
        "--names",
        names,
        "--lang",
        "c",
        "-o",
    ];
    assert_eq!(
        run(&[&arguments[..], &[header.to_str().unwrap()]].concat()).code,
        0
    );
    let header = std::fs::read_to_string(header).unwrap();
    assert!(
        header.contains("#define AC_MODE_COOL 0u /* 制冷 */\n"),
        "{header}"
    );

    // All mistakes are told with their place, and the file of names is not written over.
    std::fs::write(
        names,
        "[points]\nset_tmp = \"target\"\nswitch = \"an den\"\n",
    )
    .unwrap();
    let ran = run(&["codegen", "-d", AIR_CONDITIONER, "--names", names]);
    let expected = format!(
        "{names}:2:1: error: unknown point `set_tmp`: did you mean `set_temp`?\n\
         {names}:3:10: error: `an den` is not a name: expected at most 40 ASCII letters, digits and underscores, \
         the first a letter\n"
    );
    assert_eq!(
        (ran.code, ran.stdout, ran.stderr),
        (2, String::new(), expected)
    );
    std::fs::write(names, &given).unwrap();
    let refused = |arguments: &[&str], message: &str| {
        let ran = run(&[&["codegen", "-d", AIR_CONDITIONER], arguments].concat());
        assert_eq!(ran.code, 2, "{arguments:?}");
        assert!(
            ran.stderr.contains(message),
            "{arguments:?}: {}",
            ran.stderr
        );
    };
    refused(
        &["--names", names, "-o", names],
        "is the file of names: choose another output file",
    );
    assert_eq!(std::fs::read_to_string(names).unwrap(), given);
    refused(
        &["--defmt", "--lang", "c", "-o", "x.h"],
        "--defmt is for Rust code",
    );
    let ran = run_with(&["codegen", "-d", "-", "--names", "-"], "{}");
    assert_eq!(ran.code, 2);
}

/// Derives for defmt are behind a feature.
#[test]
fn code_for_defmt() {
    let derive = "#[cfg_attr(feature = \"defmt\", derive(defmt::Format))]\n";
    let plain = run(&["codegen", "-d", AIR_CONDITIONER]).stdout;
    let logged = run(&["codegen", "-d", AIR_CONDITIONER, "--defmt"]).stdout;
    // Two enums, the status and the control.
    assert_eq!(logged.matches(derive).count(), 4);
    assert_eq!(logged.replace(derive, ""), plain);
}
