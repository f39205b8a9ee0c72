//! Many callers at once on loopback, and what they saw.
#![allow(dead_code, unreachable_pub)]

use std::fmt;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::wire::Wire;

/// What a run of callers saw.
pub struct Figures {
    pub calls: usize,
    pub failed: usize,
    pub took: Duration,
    /// Sorted.
    pub waits: Vec<Duration>,
}

impl Figures {
    pub fn per_second(&self) -> f64 {
        self.calls as f64 / self.took.as_secs_f64()
    }

    pub fn quantile(&self, share: f64) -> Duration {
        let at =
            ((self.waits.len() as f64 * share) as usize).min(self.waits.len().saturating_sub(1));
        self.waits.get(at).copied().unwrap_or_default()
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = |share| self.quantile(share).as_secs_f64() * 1000.0;
        write!(
            f,
            "{} calls in {:.1} s, {} failed\n{:.0} calls/s   p50 {:.2} ms   p99 {:.2} ms   max {:.2} ms\n{} MiB resident, callers included",
            self.calls,
            self.took.as_secs_f64(),
            self.failed,
            self.per_second(),
            millis(0.5),
            millis(0.99),
            millis(1.0),
            resident() / 1024
        )
    }
}

/// The memory of this process in KiB, where the system tells.
pub fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse().ok())
        .unwrap_or(0)
}

/// Calls over `connections` kept connections for as long as it is said: mostly reads, a tenth controls.
pub fn run(
    address: SocketAddr,
    product: &str,
    did: &str,
    token: &str,
    connections: usize,
    span: Duration,
) -> Figures {
    let base = format!("/v1/products/{product}");
    let calls = [
        ("GET", format!("{base}/devices/{did}/data?limit=20"), ""),
        ("GET", format!("{base}/devices/{did}/cmd?limit=20"), ""),
        ("GET", format!("{base}/devices/search"), ""),
        ("GET", format!("{base}/devices/{did}/online"), ""),
        (
            "GET",
            format!("{base}/device_detail?mac=virtual%3Asite"),
            "",
        ),
        (
            "POST",
            format!("{base}/devices/{did}/control"),
            r#"{"attrs":{"switch":true}}"#,
        ),
        ("GET", format!("{base}/devices/report/rt"), ""),
        ("GET", format!("{base}/devices/summary"), ""),
        (
            "GET",
            format!("{base}/devices/{did}/data?limit=5&sort=asc"),
            "",
        ),
        ("GET", format!("{base}/device_groups"), ""),
    ];
    let began = Instant::now();
    let seen: Vec<(usize, Vec<Duration>)> = std::thread::scope(|scope| {
        let callers: Vec<_> = (0..connections)
            .map(|caller| {
                let calls = &calls;
                scope.spawn(move || {
                    let (mut failed, mut waits) = (0, Vec::new());
                    let Ok(mut wire) = Wire::open(address) else {
                        return (1, waits);
                    };
                    for (method, target, body) in calls.iter().cycle().skip(caller % calls.len()) {
                        if began.elapsed() >= span {
                            break;
                        }
                        let asked = Instant::now();
                        match wire.call(method, target, token, body) {
                            Ok(heard) if heard.status == 200 => {}
                            _ => failed += 1,
                        }
                        waits.push(asked.elapsed());
                    }
                    (failed, waits)
                })
            })
            .collect();
        callers
            .into_iter()
            .filter_map(|caller| caller.join().ok())
            .collect()
    });
    let took = began.elapsed();
    let mut waits: Vec<Duration> = seen
        .iter()
        .flat_map(|(_, waits)| waits.iter().copied())
        .collect();
    waits.sort_unstable();
    Figures {
        calls: waits.len(),
        failed: seen.iter().map(|(failed, _)| failed).sum(),
        took,
        waits,
    }
}
