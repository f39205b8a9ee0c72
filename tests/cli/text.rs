//! Names, labels and units of a definition that try to deceive whoever reads them.

use gizwits_codec_std::text::is_invisible;

use super::*;

/// An end for a name: it reverses, hides and colours what follows.
const TRICK: &str = "\u{202e}\u{200b}\u{1b}[31mx\u{2066}";

/// The air conditioner with the trick in each text of its definition.
fn tricky() -> Value {
    let definition = std::fs::read_to_string(root().join(AIR_CONDITIONER)).unwrap();
    let mut definition: Value = serde_json::from_str(&definition).unwrap();
    let trick = |text: &mut Value| *text = json!(text.as_str().unwrap_or("").to_owned() + TRICK);
    trick(&mut definition["name"]);
    for attr in definition["entities"][0]["attrs"].as_array_mut().unwrap() {
        for text in ["name", "display_name", "desc", "unit"] {
            trick(&mut attr[text]);
        }
        if let Some(labels) = attr["enum"].as_array_mut() {
            labels.iter_mut().for_each(trick);
        }
    }
    definition
}

#[test]
fn no_output_for_people_has_invisible_characters() {
    let folder = Folder::new("tricky");
    let definition = folder.write("tricky.json", tricky().to_string());
    let mut unsound = tricky();
    unsound["entities"][0]["attrs"][1]["position"] =
        unsound["entities"][0]["attrs"][0]["position"].clone();
    let unsound = folder.write("unsound.json", unsound.to_string());
    let log = json!({"timestamp": 1, "type": "dev2app", "did": format!("d{TRICK}"),
        "payload_bin": "000000030b000091ff01000010000000"});
    let log = folder.write("log.ndjson", format!("{log}\n"));
    let svg = folder.0.join("out.svg");
    let (name, svg) = (format!("set_temp{TRICK}=99"), svg.to_str().unwrap());
    let (mode, unknown) = (format!("mode{TRICK}={TRICK}"), format!("tem{TRICK}=1"));

    for command in [
        &["check", &definition][..],
        &["check", &unsound],
        &["layout", "-d", &definition],
        &["layout", "-d", &definition, "--message", "014000000018"],
        &["layout", "-d", &definition, "-o", svg],
        &["layout", "-d", &unsound],
        &["codegen", "-d", &definition],
        &["decode", "-d", &definition, "--format", "table", REPORT],
        &["decode", "-d", &definition, "--format", "table", CONTROL],
        &["decode", "-d", &definition, "--format", "table", "0304"],
        &["encode", "-d", &definition, "control", &name],
        &["encode", "-d", &definition, "control", &mode],
        &["encode", "-d", &definition, "control", &unknown],
        &["encode", "-d", &definition, "control", TRICK],
        &["decode", "-d", &definition, TRICK],
        &["log", "stats", "-d", &definition, &log],
        &["log", "decode", "-d", &definition, TRICK],
        &["decode", "-d", TRICK, REPORT],
    ] {
        let ran = run(command);
        for output in [&ran.stdout, &ran.stderr] {
            let hidden = |one| one != '\n' && is_invisible(one);
            assert!(!output.contains(hidden), "{command:?}\n{output:?}");
        }
    }
    let svg = std::fs::read_to_string(svg).unwrap();
    assert!(!svg.contains(|one| one != '\n' && is_invisible(one)) && svg.contains(r"\u{202e}"));
}
