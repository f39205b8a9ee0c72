//! The folders of the crates: imports run one way, as the architecture page lists them. The scripts: a pipe is read to its
//! end.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

/// A line of the page's list: the modules that it names, by their path in the crate.
struct Line {
    modules: Vec<String>,
}

/// The lists of the page: a source folder, and its lines from the top down.
fn lists(page: &str) -> Vec<(String, Vec<Line>)> {
    let block = page.split("```text\n").nth(1).unwrap();
    let block = block.split("```").next().unwrap();
    let mut lists: Vec<(String, Vec<Line>)> = Vec::new();
    for line in block.lines().filter(|line| !line.is_empty()) {
        match line.strip_prefix("  ") {
            None => lists.push((line.trim_end_matches('/').to_owned(), Vec::new())),
            Some(entry) => {
                let names = entry.split("  ").next().unwrap();
                let modules = names
                    .split(", ")
                    .map(|name| name.trim_end_matches('/').replace('/', "::"))
                    .collect();
                lists.last_mut().unwrap().1.push(Line { modules });
            }
        }
    }
    lists.retain(|(folder, _)| folder.ends_with("/src"));
    lists
}

/// The index of the line that names a module or the nearest one around it.
fn line_of(lines: &[Line], module: &str) -> Option<usize> {
    let is_in = |outer: &String| {
        let rest = module.strip_prefix(outer.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
    };
    let found = lines.iter().enumerate().filter_map(|(index, line)| {
        let named = line.modules.iter().filter(|outer| is_in(outer));
        Some((named.map(String::len).max()?, index))
    });
    found.max().map(|(_, index)| index)
}

/// The files of a folder and of those in it with this extension, or without one. What is built is left out.
fn files(folder: &Path, extension: Option<&str>, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true if path.ends_with("target") || path.ends_with(".git") => {}
            true => files(&path, extension, found),
            false if path.extension() == extension.map(OsStr::new) => found.push(path),
            false => {}
        }
    }
}

/// The paths behind `crate::` and `super::` in the code of a file, from the root of the crate.
fn imports(text: &str, module: &str) -> Vec<String> {
    let code = text.split("#[cfg(test)]\nmod").next().unwrap();
    let mut imports = Vec::new();
    for line in code.lines() {
        let line = line.split("//").next().unwrap();
        for (at, root) in line
            .match_indices("crate::")
            .chain(line.match_indices("super::"))
        {
            let before = line[..at].chars().next_back();
            if before.is_some_and(|one| one.is_alphanumeric() || one == '_' || one == ':') {
                continue;
            }
            let path: String = line[at..]
                .chars()
                .take_while(|one| one.is_alphanumeric() || matches!(one, '_' | ':'))
                .collect();
            let mut around: Vec<&str> = module.split("::").collect();
            let mut rest = &path[..];
            if root == "crate::" {
                around.clear();
                rest = &rest[7..];
            }
            while let Some(inner) = rest.strip_prefix("super::") {
                around.pop();
                rest = inner;
            }
            around.extend(rest.split("::").filter(|name| !name.is_empty()));
            imports.push(around.join("::"));
        }
    }
    imports
}

#[test]
fn imports_run_one_way() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let page = fs::read_to_string(root.join("docs/architecture.md")).unwrap();
    let lists = lists(&page);
    assert_eq!(lists.len(), 8);
    let (mut wrong, mut seen) = (Vec::new(), 0);
    for (folder, lines) in &lists {
        let source = root.join(folder);
        let mut sources = Vec::new();
        files(&source, Some("rs"), &mut sources);
        for file in sources {
            let name = file.strip_prefix(&source).unwrap().with_extension("");
            let module = name.to_str().unwrap().replace(['/', '\\'], "::");
            if matches!(&module[..], "lib" | "main") {
                continue;
            }
            let Some(own) = line_of(lines, &module) else {
                wrong.push(format!("{folder}/{module} is on no line of the page"));
                continue;
            };
            let text = fs::read_to_string(&file).unwrap();
            for import in imports(&text, &module) {
                let Some(other) = line_of(lines, &import) else {
                    continue;
                };
                seen += 1;
                if other > own {
                    wrong.push(format!("{folder}: {module} imports {import} from below"));
                }
            }
        }
    }
    wrong.sort();
    wrong.dedup();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(seen > 500, "{seen} imports were read");
}

#[test]
fn the_walk_finds_an_import_from_below() {
    let page = "```text\na/src/\n  one, two   words\n  three/four   words\n  three   words\n```";
    let (folder, lines) = lists(page).remove(0);
    assert_eq!(folder, "a/src");
    let line = |module| line_of(&lines, module);
    assert_eq!(
        (line("one"), line("two::x"), line("three::y")),
        (Some(0), Some(0), Some(2))
    );
    assert_eq!(
        (line("three::four::z"), line("none"), line("ones")),
        (Some(1), None, None)
    );
    let text = "use crate::two::{A, b};\nuse super::five::C; // crate::no\nlet d = $crate::x;\n";
    assert_eq!(imports(text, "three::four"), ["two", "three::five::C", "x"]);
}

/// `grep -q` leaves at its first match. What writes to it can then end by a signal, and with `pipefail` so does the script,
/// now and then and without a word.
#[test]
fn no_script_pipes_into_grep_q() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut scripts = Vec::new();
    files(root, None, &mut scripts);
    let mut seen = 0;
    for file in scripts {
        let text = String::from_utf8_lossy(&fs::read(&file).unwrap()).replace("||", "or");
        if text.starts_with("#!") {
            let wrong = text.lines().find(|line| line.contains("| grep -q"));
            assert_eq!(wrong, None, "{}", file.display());
            seen += 1;
        }
    }
    assert!(seen > 30, "{seen} scripts");
}
