//! `gizwits device watch`: the reports of a device as they arrive.

use std::sync::atomic::Ordering;
use std::thread::sleep;
use std::time::{Duration, Instant};

use clap::Args;
use gizwits_codec_std::Attr;
use gizwits_enterprise_client::{Attrs, Timestamp, log};
use serde_json::json;

use super::export::RETENTION;
use super::status::Status;
use crate::account::Cloud;
use crate::changes::Changes;
use crate::failure::{Failure, check_complete};
use crate::moment::time_span;
use crate::output::line::Output;
use crate::signals::interruption;
use crate::text::tell;

#[derive(Args)]
pub(super) struct Watch {
    /// The did of the device
    did: String,
    /// The time between two requests, at least 1s; each request counts against the rate limit of the account
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = interval)]
    every: Duration,
}

fn interval(text: &str) -> Result<Duration, String> {
    match time_span(text)? {
        every if every < Duration::from_secs(1) => Err("expected at least 1s".to_owned()),
        every => Ok(every),
    }
}

impl Watch {
    pub(super) fn run(&self, cloud: &Cloud, output: &mut Output<'_>) -> Result<(), Failure> {
        let definition = cloud.definition()?;
        let (did, device) = (&self.did, cloud.device(self.did.as_str()));
        let interrupted = interruption();
        let mut changes = Changes::new(&definition);
        let mut print = |ts: Timestamp, attrs: &Attrs| {
            output.line(
                || json!({"did": did, "ts": ts, "attrs": attrs}),
                || format!("{ts}  {}", changes.of_attrs(attrs)),
            )?;
            output.out.flush()
        };
        let mut ended = Ok(());
        let status = Status::of(&device, definition.attrs().map(Attr::name))?;
        if let Some(status) = &status {
            print(status.ts, &status.attrs)?;
        }
        // The next request begins at the time of the last report, so it returns the same reports again.
        let (mut from, mut seen) = match status {
            Some(status) => (status.ts, status.newest),
            None => (cloud.now()?, Vec::new()),
        };
        loop {
            let began = Instant::now();
            while !interrupted.load(Ordering::Relaxed) && began.elapsed() < self.every {
                sleep(Duration::from_millis(50).min(self.every));
            }
            if interrupted.load(Ordering::Relaxed) {
                return ended;
            }
            // The client knows the server's clock to the second, so the time span includes the next second.
            let now = cloud.now()?.plus(Duration::from_secs(1));
            // The server refuses a time span that begins before its oldest records.
            let start = from.max(now.minus(RETENTION));
            let call = device.data().between(start, now).sort(log::Sort::Asc);
            let mut new = call.iter();
            for snapshot in new.by_ref() {
                let snapshot = snapshot?;
                if snapshot.ts < from || snapshot.ts == from && seen.contains(&snapshot.attrs) {
                    continue;
                }
                print(snapshot.ts, &snapshot.attrs)?;
                if snapshot.ts > from {
                    from = snapshot.ts;
                    seen.clear();
                }
                seen.push(snapshot.attrs);
            }
            // The warning is printed once. The exit status repeats it.
            if let (Ok(()), Err(Failure::Server(warning))) = (&ended, check_complete(new.missing()))
            {
                tell(warning);
                ended = Err(Failure::Some);
            }
        }
    }
}
