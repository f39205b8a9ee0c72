//! Writes a log of product A or B to standard output, each record with values of its own.
//!
//! `records A 1000000`; `records A 1000000 corrupt`: one in a hundred is not what it should be, and in
//! their midst is a line of 100 MB. Standard error then has the number of each bad line and what is
//! wrong with it.

use std::io::{self, BufWriter, Write as _};
use std::process::ExitCode;

use gizwits_benches::fixture::{A, B, Reports};
use gizwits_benches::log::record;
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
        let mut line = String::new();
        let mut p0 = payload::hex(&reports.draw());
        let mut junk = Vec::new();
        if corrupt && number % 100 == 50 {
            let what = match number / 100 % 6 {
                0 => "truncated",
                1 => {
                    p0.replace_range(4..5, "x");
                    "wrong hex"
                }
                2 => {
                    p0.truncate(p0.len() - 2);
                    "wrong length"
                }
                3 => {
                    p0 = payload::hex(&others.draw());
                    "another product's"
                }
                4 => {
                    junk = vec![0xff, 0x00, 0xfe, b'{', 0x80];
                    "binary junk"
                }
                _ if number / 100 == 5 => {
                    junk = vec![b'4'; 100_000_000];
                    "100 MB"
                }
                _ => {
                    junk = b"{\"timestamp\":".to_vec();
                    "truncated"
                }
            };
            writeln!(told, "{}\t{what}", number + 1)?;
        }
        record(&mut line, &p0, number);
        if corrupt && number % 600 == 50 {
            line.truncate(line.len() / 2);
            line.push('\n');
        }
        if junk.is_empty() {
            out.write_all(line.as_bytes())?;
        } else {
            out.write_all(&junk)?;
            out.write_all(b"\n")?;
        }
    }
    out.flush()?;
    told.flush()?;
    Ok(ExitCode::SUCCESS)
}

fn usage() -> io::Result<ExitCode> {
    eprintln!("records A|B COUNT [corrupt]");
    Ok(ExitCode::FAILURE)
}
