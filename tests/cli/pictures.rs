//! Tables and pictures for people.

use super::*;

#[test]
fn tables_for_people() {
    let table = |payload| {
        let ran = run(&[
            "decode",
            "-d",
            AIR_CONDITIONER,
            "--format",
            "table",
            payload,
        ]);
        ran.stdout
    };
    for (payload, words) in [
        ("0431000028000000", "  mode            制冷  0\n"),
        (
            "0431000028000000",
            "  fan_speed       3     3      ! past its labels\n",
        ),
        (
            "0431000028000000",
            "  set_temp        40           ! above its maximum (16..30, step 1)\n",
        ),
        ("0304", "  03 04 __\n        ^ byte 2\n"),
        ("050102", "transparent\n  0102\n"),
        (
            "000000030800009307000000 02",
            "read  app2dev  command 0x0093  sn 117440512\n",
        ),
    ] {
        let shown = table(payload);
        assert!(shown.contains(words), "{payload}\n{shown}");
    }
}

#[test]
fn pictures() {
    let folder = Folder::new("pictures");
    for fixture in gizwits_tests::vectors::fixtures() {
        let file = format!("tests/fixtures/{fixture}.json");
        let ran = run(&["layout", "-d", &file]);
        assert!(
            ran.code == 0 && !ran.stdout.contains('\u{1b}'),
            "no colours into a pipe"
        );
        let data = run(&["layout", "-d", &file, "--json"]);
        let data: Value = serde_json::from_str(&data.stdout).unwrap();
        assert!(data["points"][0]["name"].is_string());
        let svg = folder.0.join(format!("{fixture}.svg"));
        assert_eq!(
            run(&["layout", "-d", &file, "--svg", svg.to_str().unwrap()]).code,
            0
        );
        let svg = std::fs::read_to_string(svg).unwrap();
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
    }
}

/// The name of a file says what a picture is.
#[test]
fn pictures_are_svg_or_png() {
    let folder = Folder::new("pictures-pdf");
    let pdf = folder.0.join("x.pdf");
    let pdf = pdf.to_str().unwrap();
    for command in [
        &["layout", "-d", AIR_CONDITIONER][..],
        &[
            "log",
            "plot",
            "-d",
            AIR_CONDITIONER,
            "--point",
            "switch",
            "-",
        ],
    ] {
        let ran = run(&[command, &["-o", pdf]].concat());
        assert_eq!(ran.code, 2);
        let told = "x.pdf: expected a file name that ends in .svg or .png\n";
        assert!(ran.stderr.ends_with(told), "{}", ran.stderr);
        assert!(!Path::new(pdf).exists());
    }
}

/// A picture shows the positions of the points of one message.
#[test]
fn messages_are_drawn() {
    let layout = |arguments: &[&str]| run(&[&["layout", "-d", WAVE_PUMP], arguments].concat());
    let mask = layout(&[]);
    assert!(
        mask.stdout.contains(
            "      12  W  Mode                2 bits   经典造浪, 正弦造浪, 随机造浪, 恒流造浪\n"
        ),
        "{}",
        mask.stdout
    );
    // The same bits as in the frame of the bridge: Mode is 2 in bits 1 and 2, PulseTide 0 in bit 0.
    let frame = "0000000312000093000000011100000000000000100204";
    let ran = layout(&["--message", frame]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    for line in [
        "wave-pump   var_len   control   23 bytes   2 of 71 points",
        "    8..11   │ 00 00 00 01  sn 1                                             │",
        "   13..21   │ 00 00 00 00 00 00 00 10 02  mask: 2 of 71 points              │",
        "       22   │   0       0       0       0       0       1       0       0   │",
        "           W│   ·   │   ·   │   ·   │   ·   │   ·   │ Mode=随机造浪 │PulseT…│",
        "  PulseTide = off",
    ] {
        assert!(
            ran.stdout.lines().any(|one| one == line),
            "{line}\n{}",
            ran.stdout
        );
    }
    let json: Value =
        serde_json::from_str(&layout(&["--message", frame, "--json"]).stdout).unwrap();
    assert_eq!(
        json["points"][1],
        json!({
            "id": 12, "name": "Mode", "unit": "bit", "len": 2, "first_byte": 22, "last_byte": 22,
            "shift": 1, "raw": 2,
        })
    );
    // What `decode` says, to the letter.
    let line = run(&["decode", "-d", WAVE_PUMP, frame]).stdout;
    let json = layout(&["--message", frame, "--json"]).stdout;
    assert!(
        json.contains(&format!(r#""message":{},"points""#, line.trim_end())),
        "{json}"
    );
    let base64 = layout(&["-m", "EgAAAAAAAAAAAQ==", "--encoding", "base64"]).stdout;
    assert!(base64.ends_with("\nwanted: SwitchON\n"), "{base64}");
    assert_eq!(layout(&["--encoding", "hex"]).code, 2);
    // What `decode` flags.
    let odd = layout(&["-m", "14000000000000008000ff"]).stdout;
    assert!(
        odd.contains("Flow = 255  ! above its maximum (0..100, step 1)"),
        "{odd}"
    );
    // All names, in lines that fit.
    let all = layout(&["-m", "127fffffffffffffffff"]).stdout;
    assert!(
        all.contains("HMSData") && all.lines().all(|line| line.chars().count() <= 80),
        "{all}"
    );
    let svg = layout(&[
        "--message",
        "AAAAAxIAAJMAAAABEQAAAAAAAAAAAQE=",
        "--svg",
        "-",
    ])
    .stdout;
    assert!(
        svg.contains("SwitchON") && svg.contains("mask: 1 of 71 points"),
        "{svg}"
    );
    let read = layout(&["-m", "12400000000000000001"]).stdout;
    assert!(read.ends_with("\nwanted: SwitchON, HMSData\n"), "{read}");
    // A standard control has the whole writable section; what is not flagged is in parentheses.
    let control = run(&["layout", "-d", AIR_CONDITIONER, "-m", CONTROL]);
    assert!(
        control.stdout.contains("10           (set_temp)"),
        "{}",
        control.stdout
    );
    let cut = layout(&["-m", "1100000000000000100"]);
    assert_eq!((cut.code, cut.stdout.as_str()), (1, ""));
    let cut = layout(&["-m", "11000000000000001002"]);
    assert_eq!((cut.code, cut.stdout.as_str()), (1, ""));
    assert!(
        cut.stderr
            .contains("before `PulseTide`: 1 byte missing, from byte 10 on"),
        "{}",
        cut.stderr
    );
}

/// A file .png is a PNG, or the command says that the machine has no fonts, or that it can't draw one.
#[test]
fn pictures_as_png() {
    let folder = Folder::new("cli-png");
    let png = folder.0.join("air.PNG");
    let ran = run(&["layout", "-d", AIR_CONDITIONER, "-o", png.to_str().unwrap()]);
    if ran.code == 0 && cfg!(feature = "png") {
        assert!(std::fs::read(png).unwrap().starts_with(b"\x89PNG"));
    } else {
        let why = match cfg!(feature = "png") {
            true => "no fonts",
            false => "--features png",
        };
        assert_eq!(ran.code, 2);
        assert!(ran.stderr.contains(why), "{}", ran.stderr);
        assert!(!png.exists());
    }
}
