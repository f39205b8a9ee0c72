//! The Wireshark dissectors of all fixtures, against the codec: `dissector`.
//!
//! Sessions of all products are written to one capture, and tshark with all dissectors has to show every value as the codec
//! decodes it. Frames that are cut, changed or made up must not cause an error of Lua. At last, the transcript of
//! `docs/wireshark.md` is made again and compared with the page. Each run has a folder of its own in `dissector/` in the target
//! folder, which stays there if the run fails.

mod pcap;
mod pdml;
mod session;

use std::error::Error;
use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Command;

use gizwits_codec_core::m2m::{self, Event};
use gizwits_codec_core::{Action, P0, PointValue, Raw, Value};
use gizwits_codec_std::{Content, Product, codegen};
use gizwits_lan::{Announcement, DEVICE_PORT, DISCOVERY_PORT, Discovery};
use gizwits_tests::vectors;

use pcap::{End, MAX_DATAGRAM, Pcap};
use pdml::{Shown, ShownPoint};
use session::{Sent, Step};

/// The number of times that every message of a product is drawn.
const TURNS: usize = 12;

/// The number of frames that are made up.
const GARBAGE: usize = 1_500;

/// The begin and the end of the transcript in the page.
const TRANSCRIPT: (&str, &str) = ("```console\n", "```\n");

/// The version that has printed the transcript. Other versions print some lines in another form.
const TRANSCRIPT_VERSION: &str = "(Wireshark) 4.0.";

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// A product with its dissector.
struct Subject {
    name: String,
    product: Product,
    script: PathBuf,
}

fn main() -> Result<()> {
    let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    let folder = format!("dissector/{}", std::process::id());
    let folder = std::path::absolute(PathBuf::from(target).join(folder))?;
    fs::create_dir_all(&folder)?;
    let mut subjects = Vec::new();
    for name in vectors::fixtures() {
        let product = vectors::product(&name);
        let script = folder.join(format!("{name}.lua"));
        fs::write(&script, codegen::lua(&product, &name))?;
        subjects.push(Subject {
            name,
            product,
            script,
        });
    }
    let shark = Tshark::new(&folder, &subjects)?;
    let (messages, values) = compare(&shark, &subjects)?;
    println!(
        "{} products, {messages} messages, {values} values: all as the codec decodes them",
        subjects.len()
    );
    match shark.in_german()? {
        Some(german) => {
            compare(&german, &subjects)?;
            println!("with decimal commas: the same");
        }
        None => println!("not run with decimal commas: localedef cannot make the locale de_DE"),
    }
    let packets = survive(&shark, &subjects)?;
    println!("{packets} packets with frames that are cut, changed or made up: no error");
    product_keys(&shark, &subjects)?;
    let version = shark.version()?;
    match version.contains(TRANSCRIPT_VERSION) {
        true => {
            transcript(&shark)?;
            println!("the transcript of docs/wireshark.md is as tshark prints it");
        }
        false => println!(
            "the transcript of docs/wireshark.md is not compared: it is of another version than {version}"
        ),
    }
    fs::remove_dir_all(&folder)?;
    Ok(())
}

/// tshark with dissectors, and without the settings of the user.
struct Tshark {
    folder: PathBuf,
    scripts: Vec<PathBuf>,
    locale: &'static str,
}

impl Tshark {
    fn new(folder: &Path, subjects: &[Subject]) -> Result<Self> {
        let scripts = subjects.iter().map(|subject| subject.script.clone());
        let shark = Tshark {
            folder: folder.to_owned(),
            scripts: scripts.collect(),
            locale: "C.UTF-8",
        };
        fs::create_dir_all(folder.join("settings"))?;
        Ok(shark)
    }

    /// Returns the same program with these dissectors.
    fn with(&self, scripts: &[&Path]) -> Self {
        Tshark {
            folder: self.folder.clone(),
            scripts: scripts.iter().map(|path| path.to_path_buf()).collect(),
            locale: self.locale,
        }
    }

    /// Returns the same program with a locale that writes a comma in front of decimals. `None` if the locale cannot be made.
    fn in_german(&self) -> Result<Option<Self>> {
        let locale = "de_DE.UTF-8";
        let folder = self.folder.join("locales");
        fs::create_dir_all(&folder)?;
        let mut make = Command::new("localedef");
        make.args(["-i", "de_DE", "-f", "UTF-8"])
            .arg(folder.join(locale));
        let is_made = make.output().is_ok_and(|output| output.status.success());
        Ok(is_made.then(|| Tshark {
            folder: self.folder.clone(),
            scripts: self.scripts.clone(),
            locale,
        }))
    }

    /// A command whose tshark has no settings and no plugins of the user.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(&self.folder)
            .env("WIRESHARK_CONFIG_DIR", self.folder.join("settings"))
            .env("HOME", &self.folder)
            .env("LOCPATH", self.folder.join("locales"))
            .env("LC_ALL", self.locale);
        command
    }

    /// The first line of what tshark says of its version.
    fn version(&self) -> Result<String> {
        let output = self.command("tshark").arg("--version").output()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        Ok(text.lines().next().unwrap_or_default().to_owned())
    }

    /// Writes a capture and returns what tshark prints of it.
    fn print(&self, name: &str, pcap: &Pcap, options: &[&str]) -> Result<String> {
        let path = self.folder.join(name);
        fs::write(&path, pcap.bytes())?;
        let mut command = self.command("tshark");
        for script in &self.scripts {
            command.args(["-X", &format!("lua_script:{}", script.display())]);
        }
        let output = command.arg("-r").arg(&path).args(options).output()?;
        let told = String::from_utf8_lossy(&output.stderr);
        let told: Vec<&str> = told
            .lines()
            .filter(|line| !line.starts_with("Running as user"))
            .collect();
        if !output.status.success() || !told.is_empty() {
            return Err(format!("tshark of {}: {}", path.display(), told.join("\n")).into());
        }
        // tshark cuts long texts at any byte.
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

/// The address of a device, and that of its client.
fn ends(index: usize) -> (End, End) {
    let address = |net| Ipv4Addr::new(10, 0, net, index as u8 + 1);
    ((address(1), DEVICE_PORT), (address(2), 50_000))
}

/// Appends a session, whose bytes are cut anywhere.
fn append(pcap: &mut Pcap, device: End, client: End, sent: &[Sent], draw: &mut fastrand::Rng) {
    for run in sent.chunk_by(|one, next| one.by_device == next.by_device) {
        let bytes: Vec<u8> = run
            .iter()
            .flat_map(|sent| sent.bytes.iter().copied())
            .collect();
        let (from, to) = match run.first() {
            Some(Sent {
                by_device: true, ..
            }) => (device, client),
            _ => (client, device),
        };
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let longest = if draw.bool() { 1_400 } else { 30 };
            let (segment, behind) = rest.split_at(draw.usize(1..=longest).min(rest.len()));
            pcap.segment(from, to, segment);
            rest = behind;
        }
    }
}

/// The P0 messages in a stream.
fn p0s(sent: &[Sent], by_device: bool) -> Vec<Vec<u8>> {
    let sent = sent.iter().filter(|sent| sent.by_device == by_device);
    let frames = sent.map(|sent| match m2m::parse(&sent.bytes, usize::MAX) {
        Ok((Event::Frame(frame), [])) => frame.p0().map(<[u8]>::to_vec),
        other => panic!("{other:?}"),
    });
    frames.flatten().collect()
}

/// Compares what tshark shows of a session with each product with what the codec decodes. Returns the number of messages and
/// of values.
fn compare(shark: &Tshark, subjects: &[Subject]) -> Result<(usize, usize)> {
    let mut draw = fastrand::Rng::with_seed(27);
    let mut pcap = Pcap::new();
    let mut sessions = Vec::new();
    for (index, subject) in subjects.iter().enumerate() {
        let steps = session::steps(&subject.product, TURNS, &mut draw);
        let sent = session::session(&subject.product, &steps);
        let (device, client) = ends(index);
        append(&mut pcap, device, client, &sent, &mut draw);
        sessions.push(sent);
    }
    let mut shown = pdml::read(&shark.print("sessions.pcap", &pcap, &["-T", "pdml"])?);
    let (mut messages, mut values) = (0, 0);
    for (index, (subject, sent)) in subjects.iter().zip(&sessions).enumerate() {
        let (device, client) = ends(index);
        for (end, by_device) in [(device, true), (client, false)] {
            let shown = shown.remove(&end.0.to_string()).unwrap_or_default();
            let expected = p0s(sent, by_device);
            if shown.len() != expected.len() {
                let (shown, expected) = (shown.len(), expected.len());
                return Err(
                    format!("{}: {shown} of {expected} messages are shown", subject.name).into(),
                );
            }
            for (shown, p0) in shown.iter().zip(&expected) {
                let compared = compare_p0(&subject.product, p0, shown);
                values += compared
                    .map_err(|error| format!("{}: {p0:02x?}: {error}: {shown:#?}", subject.name))?;
                messages += 1;
            }
        }
    }
    Ok((messages, values))
}

/// Compares a message, and returns the number of its values.
fn compare_p0(product: &Product, p0: &[u8], shown: &Shown) -> Result<usize> {
    let decoded = product.decode_p0(p0).map_err(|error| error.message)?;
    if shown.action != p0[0] || shown.has_problem {
        return Err("the action differs, or a problem is reported".into());
    }
    let wanted: Vec<String> = match decoded.content {
        Content::P0(P0::Read(wanted))
            if wanted.is_all() && !(p0.len() > 1 && p0[1..].iter().any(|byte| *byte != 0xff)) =>
        {
            vec!["all points".to_owned()]
        }
        Content::P0(P0::Read(wanted)) => {
            let names = wanted.ids().filter_map(|id| product.attr(id));
            names.map(|attr| attr.name().to_owned()).collect()
        }
        _ => Vec::new(),
    };
    if shown.wanted != wanted {
        return Err(format!("expected the points {wanted:?}").into());
    }
    let readings: Vec<_> = decoded.view().into_iter().flatten().collect();
    if shown.points.len() != readings.len() {
        return Err(format!("expected {} points", readings.len()).into());
    }
    for reading in &readings {
        let name = product
            .attr(reading.id())
            .map(|attr| attr.name())
            .unwrap_or_default();
        let of_name = |point: &&ShownPoint| point.line.starts_with(&format!("{name}: "));
        let found = shown
            .points
            .iter()
            .find(of_name)
            .ok_or_else(|| format!("`{name}` is not shown"))?;
        compare_point(product, *reading, name, found)?;
    }
    if decoded.action() == Some(Action::Read) && !readings.is_empty() {
        return Err("a read has no values".into());
    }
    Ok(readings.len())
}

fn compare_point(
    product: &Product,
    reading: PointValue<'_, '_>,
    name: &str,
    shown: &ShownPoint,
) -> Result<()> {
    let is_float = |text: &str, value: f64| {
        text.parse::<f64>()
            .is_ok_and(|shown| (shown - value).abs() <= value.abs() * 1e-14)
    };
    let (text, is_value) = match (reading.value(), reading.raw()) {
        (Value::Bool(on), _) => (
            if on { "True" } else { "False" }.to_owned(),
            // Since 4.2, tshark prints a bool as a word.
            [
                u8::from(on).to_string().as_str(),
                if on { "True" } else { "False" },
            ]
            .contains(&shown.value.as_str()),
        ),
        (Value::Enum(raw), _) => {
            let label = product
                .attr(reading.id())
                .and_then(|attr| attr.labels().get(raw as usize));
            let label = label.map_or("Unknown", String::as_str);
            (format!("{label} ({raw})"), shown.value == raw.to_string())
        }
        (Value::Number(number), _) => (number.to_string(), is_float(&shown.value, number.to_f64())),
        (Value::Binary(_), Raw::Bytes(bytes)) => {
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            let is_value = shown.bytes == hex;
            // The tree shows the first bytes only.
            let text = shown
                .line
                .trim_start_matches(name)
                .trim_start_matches(": ")
                .to_owned();
            let begin = text.trim_end_matches('…').to_owned();
            (
                text,
                is_value && hex.starts_with(&begin) && !begin.is_empty(),
            )
        }
        (Value::Binary(_), Raw::Number(_)) => return Err("a binary has a number".into()),
    };
    let is_line = shown.line == format!("{name}: {text}");
    if !is_line || !is_value || shown.is_out_of_range != reading.flagged().is_some() {
        return Err(format!("`{}` = {text} is shown as {shown:?}", shown.filter).into());
    }
    Ok(())
}

/// Shows tshark frames that are cut, changed or made up. Returns the number of packets.
fn survive(shark: &Tshark, subjects: &[Subject]) -> Result<usize> {
    let mut draw = fastrand::Rng::with_seed(28);
    let mut pcap = Pcap::new();
    let mut packets = 0;
    let announcement =
        Announcement::new("fTZ6jUmwmuTUkEdbXWePQ3", subjects[0].product.product_key());
    let discovery = [Discovery::REQUEST.to_vec(), announcement.encode()?.to_vec()];
    for (index, subject) in subjects.iter().enumerate() {
        let steps = session::steps(&subject.product, 1, &mut draw);
        let sent = session::session(&subject.product, &steps);
        let mut frames: Vec<Vec<u8>> = sent.into_iter().map(|sent| sent.bytes).collect();
        frames.extend(discovery.clone());
        let ((device, _), (client, _)) = ends(index);
        let (device, client) = ((device, DISCOVERY_PORT), (client, DISCOVERY_PORT));
        // The device says its product key, so that the points are dissected, and then sends every prefix.
        for frame in frames.iter().filter(|frame| frame.len() <= MAX_DATAGRAM) {
            pcap.datagram(device, client, frame);
            let step = frame.len().div_ceil(60);
            for len in (1..frame.len()).step_by(step) {
                pcap.datagram(device, client, &frame[..len]);
                // The cut body in a frame whose length is right.
                pcap.datagram(device, client, &relength(&frame[..len]));
                packets += 2;
            }
        }
        // A stream of garbage and frames, some of them changed.
        let (device, client) = ends(index);
        let mut stream = Vec::new();
        for _ in 0..GARBAGE / subjects.len() {
            let mut frame = draw.choice(&frames).cloned().unwrap_or_default();
            for _ in 0..draw.usize(0..4) {
                let at = draw.usize(0..frame.len());
                frame[at] = draw.u8(..);
            }
            match draw.u8(0..4) {
                0 => frame = (0..draw.usize(0..40)).map(|_| draw.u8(0..5)).collect(),
                1 => frame.truncate(draw.usize(0..frame.len())),
                2 => frame = relength(&frame),
                _ => {}
            }
            stream.push(Sent {
                by_device: draw.bool(),
                bytes: frame,
            });
            packets += 1;
        }
        append(&mut pcap, device, client, &stream, &mut draw);
    }
    let unassembled = ["-V", "-o", "tcp.desegment_tcp_streams:FALSE"];
    for options in [&["-V"][..], &unassembled] {
        check_text(&shark.print("garbage.pcap", &pcap, options)?)?;
    }
    Ok(packets)
}

/// Checks that the text of tshark shows no error of a dissector.
fn check_text(text: &str) -> Result<()> {
    for sign in ["Lua Error", "Dissector bug", "[Malformed Packet"] {
        if let Some((before, after)) = text.split_once(sign) {
            let from = before.len() - before.bytes().rev().take(3_000).count();
            let (before, after) = (
                &text.as_bytes()[from..before.len()],
                &after.as_bytes()[..300.min(after.len())],
            );
            let context = String::from_utf8_lossy(before) + sign + String::from_utf8_lossy(after);
            return Err(context.into());
        }
    }
    Ok(())
}

/// A frame with the length that its bytes have, if it has a length of one byte.
fn relength(frame: &[u8]) -> Vec<u8> {
    let mut frame = frame.to_vec();
    if let (Ok(len @ 3..0x80), Some(length @ 0..0x80)) = (
        u8::try_from(frame.len().saturating_sub(5)),
        frame.get_mut(4),
    ) {
        *length = len;
    }
    frame
}

/// Without a module info, the product of a device is the one of the preference, and otherwise unknown. A module info may have
/// fields of other lengths than documented in front of the product key, or no product key.
fn product_keys(shark: &Tshark, subjects: &[Subject]) -> Result<()> {
    let subject = &subjects[0];
    let steps = session::steps(&subject.product, 1, &mut fastrand::Rng::with_seed(29));
    let sent = session::session(&subject.product, &steps);
    let is_report = |sent: &&Sent| sent.by_device && m2m_command(&sent.bytes) == m2m::FROM_DEVICE;
    let report = sent
        .iter()
        .find(is_report)
        .ok_or("a session has a report")?;
    let key = subject.product.product_key();
    let other = [&[0, 32][..], &[b'e'; 32]].concat();
    let short = module_info(&[b"04020034", &[0, 32][..], key.as_bytes()].concat())?;
    // The firmware version looks like a product key.
    let empty = module_info(&[&[b'0'; 48], &other[..], &[0, 0]].concat())?;
    let broken = module_info(&[b"04020034", &other[..]].concat())?;
    let count = subject.product.attrs().len();
    let preference = format!("gizwits.product_key:{key}");
    let preferred = ["-o", preference.as_str()];

    // Dissectors with the same product key, and dissectors without one.
    let [same, bare, bare_too] = ["same", "bare", "bare_too"].map(|name| {
        let code = codegen::lua(&subject.product, name);
        let code = match name {
            "same" => code,
            _ => code.replace(&format!("key = \"{key}\""), "key = \"\""),
        };
        (shark.folder.join(format!("{name}.lua")), code)
    });
    for (path, code) in [&same, &bare, &bare_too] {
        fs::write(path, code)?;
    }
    let own = subject.script.as_path();
    let (same, bare, bare_too) = (same.0.as_path(), bare.0.as_path(), bare_too.0.as_path());
    let all: Vec<&Path> = subjects.iter().map(|one| one.script.as_path()).collect();
    for (case, scripts, infos, options, expected) in [
        ("no info", &all[..], vec![], &[][..], 0),
        ("a preference", &all, vec![], &preferred, count),
        ("a short info", &all, vec![&short], &[], count),
        (
            "an info without a key",
            &all,
            vec![&short, &empty],
            &[],
            count,
        ),
        (
            "a preference for no key",
            &all,
            vec![&empty],
            &preferred,
            count,
        ),
        ("a broken info", &all, vec![&short, &broken], &[], count),
        ("one product", &[own], vec![], &[], count),
        ("the same key", &[own, same], vec![&short], &[], 2 * count),
        ("the same key, no info", &[own, same], vec![], &[], 0),
        ("no key", &[bare], vec![&short], &[], count),
        ("no keys", &[bare, bare_too], vec![], &[], 0),
        ("a key and none", &[own, bare], vec![&short], &[], count),
    ] {
        let mut pcap = Pcap::new();
        let (device, client) = ends(0);
        let infos: Vec<u8> = infos.into_iter().flatten().copied().collect();
        pcap.segment(device, client, &[infos, report.bytes.clone()].concat());
        let shark = shark.with(scripts);
        let shown =
            pdml::read(&shark.print("report.pcap", &pcap, &[&["-T", "pdml"], options].concat())?);
        let shown = shown.values().flatten().map(|shown| shown.points.len());
        let shown: Vec<usize> = shown.collect();
        if shown != [expected] {
            return Err(format!("{case}: {shown:?} points, expected {expected}").into());
        }
    }
    Ok(())
}

/// A module info with this body.
fn module_info(body: &[u8]) -> Result<Vec<u8>> {
    let info = m2m::Frame {
        flag: 0,
        command: 0x0014,
        sn: None,
        did: None,
        body,
    };
    let mut out = [0; 128];
    let len = info.encode(&mut out).map_err(|error| error.to_string())?;
    Ok(out[..len].to_vec())
}

fn m2m_command(bytes: &[u8]) -> u16 {
    match m2m::parse(bytes, usize::MAX) {
        Ok((Event::Frame(frame), _)) => frame.command,
        _ => 0,
    }
}

/// Makes the transcript of the page again and compares it.
fn transcript(shark: &Tshark) -> Result<()> {
    let folder = &shark.folder;
    let product = vectors::product("air-conditioner");
    fs::write(folder.join("aircon.lua"), codegen::lua(&product, "aircon"))?;
    let steps = [
        Step::Request(vec![0x02], b"\x03\x01\0\0\x10\x28\0\0".to_vec()),
        Step::Request(b"\x01\x40\0\0\0\x18".to_vec(), Vec::new()),
        Step::Report(b"\x04\x01\0\0\x18\x28\0\0".to_vec()),
        Step::Report(b"\x04\x31\0\0\x18\x29\0\0".to_vec()),
    ];
    let mut pcap = Pcap::new();
    let (device, client) = ends(0);
    for sent in session::session(&product, &steps) {
        let (from, to) = if sent.by_device {
            (device, client)
        } else {
            (client, device)
        };
        pcap.segment(from, to, &sent.bytes);
    }
    fs::write(folder.join("session.pcap"), pcap.bytes())?;
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/wireshark.md");
    let page = fs::read_to_string(page)?;
    let mut expected = String::new();
    let mut printed = String::new();
    for block in page.split(TRANSCRIPT.0).skip(1) {
        let block = block.split(TRANSCRIPT.1).next().unwrap_or_default();
        let command = block
            .lines()
            .next()
            .and_then(|line| line.strip_prefix("$ "));
        let command = command.ok_or("a transcript begins with its command")?;
        let output = shark.command("sh").args(["-c", command]).output()?;
        expected += block;
        printed += &format!("$ {command}\n{}", String::from_utf8(output.stdout)?);
    }
    match expected == printed && !expected.is_empty() {
        true => Ok(()),
        false => {
            Err(format!("docs/wireshark.md differs from what tshark prints:\n{printed}").into())
        }
    }
}
