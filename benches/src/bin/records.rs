//! Writes a log of product A or B to standard output, each record with values of its own.
//!
//! `records A 1000000`; `records A 1000000 corrupt`: one in a hundred is not what it should be, and in
//! their midst is a line of 100 MB. Standard error then has the number of each bad line and the kind of
//! its reject; the good lines are the same as ever.

use std::io::{self, BufWriter, Write as _};
use std::process::ExitCode;

use gizwits_benches::fixture::{A, B, Reports};
use gizwits_benches::group::logs::record;
use gizwits_codec_std::payload;

fn main() -> io::Result<ExitCode> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let (fixture, other, count, corrupt) = match words[..] {
        ["A", count] => (&A, &B, count, false),
        ["B", count] => (&B, &A, count, false),
        ["A", count, "corrupt"] => (&A, &B, count, true),
        ["B", count, "corrupt"] => (&B, &A, count, true),
        _ => return usage(),
    };
    let Ok(count) = count.parse::<usize>() else {
        return usage();
    };
    let mut reports = Reports::new(&fixture.product);
    let mut others = Reports::new(&other.product);
    let mut out = BufWriter::with_capacity(1 << 20, io::stdout().lock());
    let mut told = BufWriter::new(io::stderr().lock());
    for number in 0..count {
        // Drawn in any case: the good lines are those of the log that has no others.
        let p0 = payload::hex(&reports.draw());
        let line = written(&p0, number);
        let (round, turn) = (number / 100, number / 100 % 8);
        let (kind, bad) = match turn {
            _ if !corrupt || number % 100 != 50 => {
                out.write_all(line.as_bytes())?;
                continue;
            }
            0 => ("json", line[..line.len() / 2].into()),
            1 => ("not_hex_or_base64", line.replacen(&p0, "!", 1).into()),
            2 => ("incomplete", written(&p0[..p0.len() - 2], number).into()),
            3 => {
                let other = payload::hex(&others.draw());
                let kind = match other.len() > p0.len() {
                    true => "trailing",
                    false => "incomplete",
                };
                (kind, written(&other, number).into())
            }
            4 => ("not_utf8", vec![0xff, 0x00, 0xfe, b'{', 0x80]),
            5 if round == 5 => ("line_length", vec![b'4'; 100_000_000]),
            5 => ("json", b"{\"timestamp\":".to_vec()),
            6 => ("record", line.replacen("payload", "load", 1).into()),
            _ => (
                "timestamp",
                line.replacen("p\":", "p\":true,\"n\":", 1).into(),
            ),
        };
        writeln!(told, "{}\t{kind}", number + 1)?;
        out.write_all(bad.trim_ascii_end())?;
        out.write_all(b"\n")?;
    }
    out.flush()?;
    told.flush()?;
    Ok(ExitCode::SUCCESS)
}

fn written(p0: &str, number: usize) -> String {
    let mut line = String::new();
    record(&mut line, p0, number);
    line
}

fn usage() -> io::Result<ExitCode> {
    eprintln!("records A|B COUNT [corrupt]");
    Ok(ExitCode::FAILURE)
}
