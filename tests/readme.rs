//! The `gizwits` commands that README.md shows print what it shows.

use std::path::Path;
use std::process::Command;

#[test]
fn what_it_shows_is_what_they_print() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    let blocks = readme.split("```console\n").skip(1);
    let mut shown = 0;
    for block in blocks.map(|block| block.split("```").next().unwrap()) {
        for example in format!("\n{block}").split("\n$ ").skip(1) {
            let (command, output) = example.split_once('\n').unwrap_or((example, ""));
            let words = match command.split_once(" -- ") {
                Some((_, arguments)) => arguments,
                None => match command.strip_prefix("gizwits ") {
                    Some(arguments) => arguments,
                    None => continue,
                },
            };
            let ran = Command::new(env!("CARGO_BIN_EXE_gizwits"))
                .args(words.split(' '))
                .current_dir(&root)
                .output()
                .unwrap();
            let printed = String::from_utf8(ran.stdout).unwrap();
            assert_eq!(printed.trim_end(), output.trim_end(), "{command}");
            assert!(ran.status.success(), "{command}");
            shown += 1;
        }
    }
    assert!(shown >= 4, "{shown} commands are shown");
}
