//! `gizwits device watch`.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use gizwits_enterprise_client::blocking::Product;
use gizwits_enterprise_client::{Attrs, Timestamp, log};
use serde_json::json;

use super::answers::{KEPT, all_came, to_json};
use super::changes::changed;
use super::status::{all_of, known};
use crate::account::refused;
use crate::failure::Failure;
use crate::signals::interruption;
use crate::text::{printable, tell};

pub(crate) fn watch(
    product: &Product,
    did: &str,
    every: Duration,
    json: bool,
    out: &mut impl Write,
) -> Result<(), Failure> {
    let definition = product.definition().map_err(|error| refused(&error))?;
    let device = product.device(did);
    let interrupted = interruption();
    let mut last = BTreeMap::new();
    let mut print = |ts: Timestamp, attrs: &Attrs, out: &mut dyn Write| -> io::Result<()> {
        if json {
            writeln!(
                out,
                "{}",
                json!({"did": did, "ts": to_json(&ts), "attrs": to_json(attrs)})
            )?;
        } else {
            let told = changed(&definition, attrs, &mut last);
            writeln!(out, "{}  {}", ts, printable(&told))?;
        }
        out.flush()
    };
    let first = known(&device, all_of(&definition)).map_err(|error| error.failure())?;
    let mut ended = Ok(());
    let mut from = product.enterprise().now();
    // Those of the last second, which the next look has again.
    let mut seen: Vec<(Timestamp, Attrs)> = Vec::new();
    if let Some(known) = first {
        print(known.ts, &known.attrs, out)?;
        from = known.ts;
        seen.extend(known.newest.into_iter().map(|attrs| (from, attrs)));
    }
    loop {
        let began = Instant::now();
        while !interrupted.load(Ordering::Relaxed) && began.elapsed() < every {
            std::thread::sleep(Duration::from_millis(50).min(every));
        }
        if interrupted.load(Ordering::Relaxed) {
            return ended;
        }
        let now = product.enterprise().now().plus(Duration::from_secs(1));
        // A device may be silent for longer than its log is kept.
        let start = from.max(now.minus(KEPT));
        let mut new = device
            .data()
            .between(start, now)
            .sort(log::Sort::Asc)
            .iter();
        for snapshot in new.by_ref() {
            let snapshot = snapshot.map_err(|error| refused(&error))?;
            let one = (snapshot.ts, snapshot.attrs);
            if one.0 < from || seen.contains(&one) {
                continue;
            }
            print(one.0, &one.1, out)?;
            if one.0 > from {
                from = one.0;
                seen.clear();
            }
            seen.push(one);
        }
        // Told once, and again by the exit status.
        if let (Ok(()), Err(Failure::Server(told))) = (&ended, all_came(new.missing())) {
            tell(format_args!("{told}"));
            ended = Err(Failure::Some);
        }
    }
}
