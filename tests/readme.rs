//! The `gizwits` commands that README.md shows print what it shows.

use gizwits_tests::program;

#[test]
fn what_it_shows_is_what_they_print() {
    let readme = std::fs::read_to_string(program::root().join("README.md")).unwrap();
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
            let words: Vec<&str> = words.split(' ').collect();
            let ran = program::run(env!("CARGO_BIN_EXE_gizwits"), &words, b"");
            // What is different every time is not shown as output.
            if !output.trim().is_empty() {
                assert_eq!(ran.stdout.trim_end(), output.trim_end(), "{command}");
            }
            assert_eq!(ran.code, 0, "{command}");
            shown += 1;
        }
    }
    assert!(shown >= 4, "{shown} commands are shown");
}
