//! The firmware image `surface` has every public function of the core, so that none can panic unnoticed.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The functions that are not in the image, each with the reason. `docs/reliability.md` and the README of the core have the
/// same list.
const NOT_IN_THE_IMAGE: [(&str, &str); 7] = [
    (
        "Layout::new",
        "makes a layout at run time, whose tables are read by index; a fuzz target has its law",
    ),
    (
        "Layout::must",
        "panics in a constant, which is an error of the compiler",
    ),
    ("rules::check", "is what Layout::new calls"),
    (
        "<Decimal as TryFrom>::",
        "prints the float by the standard library, whose code has panics",
    ),
    (
        "<Decimal as Display>::",
        "pads by the standard library, whose code has panics",
    ),
    ("<Fixed as Display>::", "is Display of Decimal"),
    (
        "<PointId as Display>::",
        "pads by the standard library, whose code has panics",
    ),
];

/// Traits without functions, of an optional feature, and `Debug`. `docs/reliability.md` and the README of the core name
/// the exceptions: this list and the one above.
const SKIPPED_TRAITS: [&str; 8] = [
    "Eq",
    "Copy",
    "Clone",
    "Error",
    "Policy",
    "Debug",
    "Serialize",
    "Deserialize",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn rust_files(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => rust_files(&path, files),
            false => files.push(path),
        }
    }
}

/// A text without what is between `<` and `>` after a name or `::`, so that `Link::<M, P>::new` is `Link::new` and
/// `<Fixed<i32, 1> as Add>::add` is `<Fixed as Add>::add`.
fn without_generics(text: &str) -> String {
    let mut out = String::new();
    let mut depth = 0;
    let mut before = ' ';
    for character in text.chars() {
        let is_generic = before.is_alphanumeric() || before == ':';
        match character {
            '<' if depth > 0 || is_generic => {
                if depth == 0 && out.ends_with("::") {
                    out.truncate(out.len() - 2);
                }
                depth += 1;
            }
            // The arrow of a function type is no bracket.
            '>' if depth > 0 && before != '-' => depth -= 1,
            _ if depth == 0 => out.push(character),
            _ => {}
        }
        before = character;
    }
    out
}

/// The public functions of a source file as the image writes them: `Type::function`, `module::function`, and
/// `<Type as Trait>::` for an implementation of a trait.
fn functions(module: &str, text: &str, public: &dyn Fn(&str) -> bool) -> Vec<String> {
    let text = text.split("#[cfg(test)]\n").next().unwrap();
    let mut found = Vec::new();
    let (mut of, mut feature) = (String::new(), false);
    // The names in the call of a macro that defines a function for each of them.
    let mut listed: Vec<&str> = Vec::new();
    for line in text.lines() {
        let code = line.trim();
        let is_optional = std::mem::replace(&mut feature, code.starts_with("#[cfg(feature"));
        if matches!(line, "flags! {" | "parts! {") {
            listed.push(line);
        } else if line == "}" {
            listed.clear();
        } else if let Some(macro_call) = listed.first()
            && !code.starts_with('/')
        {
            let owner = if macro_call.starts_with("flags") {
                "ModuleStatus"
            } else {
                "ModuleInfo"
            };
            let name = code.split([' ', ':']).next().unwrap();
            found.push(format!("{module}{owner}::{name}"));
        }
        if let Some(rest) = code.strip_prefix("impl") {
            let head = without_generics(&format!("x{rest}"));
            let head = head.trim_start_matches('x').trim().trim_end_matches(" {");
            let last = |path: &str| {
                path.rsplit("::")
                    .next()
                    .unwrap()
                    .trim_start_matches('&')
                    .to_owned()
            };
            match head.split_once(" for ") {
                Some((of_trait, target)) => {
                    let (of_trait, target) = (last(of_trait), last(target));
                    let is_skipped = SKIPPED_TRAITS.contains(&&*of_trait) || is_optional;
                    if !is_skipped && public(&target) && target != "M" {
                        let prefix = if target == "ConfigMode" { module } else { "" };
                        found.push(format!("<{prefix}{target} as {of_trait}>::"));
                    }
                    of = target;
                }
                None => of = head.to_owned(),
            }
        }
        let function = code
            .strip_prefix("pub const fn ")
            .or_else(|| code.strip_prefix("pub fn "));
        let Some(function) = function.filter(|_| !is_optional) else {
            continue;
        };
        let name: String = function
            .chars()
            .take_while(|one| one.is_alphanumeric() || *one == '_')
            .collect();
        if name.is_empty() {
            continue; // `$name` of a macro
        }
        found.push(match line.starts_with("pub") {
            true => format!("{module}{name}"),
            false => format!(
                "{}{of}::{name}",
                module.replace("model::", "").replace("rules::", "")
            ),
        });
    }
    found
}

#[test]
fn every_public_function_is_in_the_image() {
    let source = root().join("codec-core/src");
    let mut files = Vec::new();
    rust_files(&source, &mut files);
    let texts: Vec<(String, String)> = files
        .iter()
        .map(|file| {
            let name = file.strip_prefix(&source).unwrap().with_extension("");
            let name = name.to_str().unwrap().replace('\\', "/");
            (name, fs::read_to_string(file).unwrap())
        })
        .collect();
    let public = |name: &str| {
        let declared = |text: &String| {
            let begins = |word: &str| text.contains(&format!("pub {word} {name}"));
            begins("struct") || begins("enum")
        };
        texts.iter().any(|(_, text)| declared(text))
    };
    let mut expected = BTreeSet::new();
    for (name, text) in &texts {
        // They need a feature.
        if matches!(
            &**name,
            "definition" | "link/testing" | "module" | "module/receiver"
        ) {
            continue;
        }
        let module = match &**name {
            name if name.starts_with("frame/m2m") => "m2m::",
            name if name.starts_with("frame/uart") => "uart::",
            "model" => "model::",
            "layout/rules" => "rules::",
            _ => "",
        };
        expected.extend(functions(module, text, &public));
    }
    assert!(
        expected.len() > 190,
        "{} functions were found",
        expected.len()
    );

    let image = root().join("tests/firmware/src/bin/surface.rs");
    let image = fs::read_to_string(image).unwrap();
    // The names that the image has for two types with parameters.
    let image = image.replace("Tenths", "Fixed").replace("Wide", "Fixed");
    let image = without_generics(&image);
    let has = |function: &str| {
        image.match_indices(function).any(|(at, _)| {
            let behind = image[at + function.len()..].chars().next();
            function.ends_with("::")
                || !behind.is_some_and(|one| one.is_alphanumeric() || one == '_')
        })
    };
    for (function, reason) in NOT_IN_THE_IMAGE {
        assert!(!has(function), "{function} is in the image: {reason}");
        assert!(expected.remove(function), "the core has no {function}");
    }
    expected.retain(|function| !has(function));
    assert!(expected.is_empty(), "not in the image: {expected:#?}");
}

#[test]
fn generics_are_left_out() {
    for (text, expected) in [
        ("Link::<M, P>::new => fn(_)", "Link::new => fn(_)"),
        ("<Fixed<i32, 1> as Add>::add", "<Fixed as Add>::add"),
        (
            "<View<'l, 'b> as IntoIterator>::x",
            "<View as IntoIterator>::x",
        ),
        ("x<F: FnMut(u8) -> T> Writer<F>", "x Writer"),
    ] {
        assert_eq!(without_generics(text), expected);
    }
}
