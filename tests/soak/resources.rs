//! The resources of this process: memory, open files and threads.

use std::fs;

/// The resources of this process at one time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Resources {
    /// The resident memory in KiB.
    pub(crate) memory: u64,
    /// The number of open files and sockets.
    pub(crate) files: u64,
    /// The number of threads.
    pub(crate) threads: u64,
}

impl Resources {
    /// The resources now. On systems without `/proc`, all of them are 0.
    pub(crate) fn now() -> Self {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let number = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let word = line.and_then(|line| line.split_whitespace().next());
            word.and_then(|word| word.parse().ok()).unwrap_or(0)
        };
        let files = fs::read_dir("/proc/self/fd").map_or(0, |files| files.count() as u64);
        Resources {
            memory: number("VmRSS:"),
            // The folder itself is open while it is read.
            files: files.saturating_sub(1),
            threads: number("Threads:"),
        }
    }
}
