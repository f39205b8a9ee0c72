//! The signals that ask the process to end: SIGHUP, SIGINT and SIGTERM.

use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::task::{Context, Poll};

/// The exit status after SIGINT (Ctrl-C), as shells expect.
pub(crate) const INTERRUPTED: i32 = 130;
/// The exit status after SIGHUP, as shells expect.
pub(crate) const HUNG_UP: i32 = 129;

/// The handling of SIGINT and SIGTERM if the parent process ignored them. A shell without job control ignores
/// SIGINT for processes in the background.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ignored {
    /// The signal stays ignored.
    Stay,
    /// The signal ends the process all the same.
    Heed,
}

/// Calls `heed` on a separate thread for every signal that asks the process to end, with the exit status that
/// belongs to the signal.
///
/// Signals are caught as soon as this function returns. SIGHUP stays ignored if the parent ignored it, as
/// nohup does; `if_ignored` is for the other signals.
pub(crate) fn on_signal(if_ignored: Ignored, mut heed: impl FnMut(i32) + Send + 'static) {
    let (watching, watched) = channel();
    let watch = move || -> io::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build()?;
        runtime.block_on(async {
            let mut poll = signals(if_ignored)?;
            let _ = watching.send(());
            loop {
                heed(poll_fn(&mut poll).await);
            }
        })
    };
    // If the thread can't be started, signals keep their default effect: they end the process.
    let _ = std::thread::Builder::new()
        .name("signals".to_owned())
        .spawn(watch);
    let _ = watched.recv();
}

/// Returns a flag that becomes true on the first Ctrl-C. The second Ctrl-C ends the process.
pub(crate) fn interruption() -> Arc<AtomicBool> {
    let interrupted = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&interrupted);
    on_signal(Ignored::Heed, move |status| {
        if status != INTERRUPTED || seen.swap(true, Ordering::Relaxed) {
            std::process::exit(status);
        }
    });
    interrupted
}

/// Starts to catch the signals. Returns a function to poll for the exit status of the next signal.
#[cfg(unix)]
fn signals(if_ignored: Ignored) -> io::Result<impl FnMut(&mut Context<'_>) -> Poll<i32>> {
    use tokio::signal::unix::{SignalKind, signal};

    let kinds = [
        SignalKind::hangup(),
        SignalKind::interrupt(),
        SignalKind::terminate(),
    ];
    let numbers = kinds.map(|kind| kind.as_raw_value()).into_iter();
    let always = |number| if_ignored == Ignored::Heed && 128 + number != HUNG_UP;
    let mut signals = numbers
        .filter(|number| always(*number) || !is_ignored(*number))
        .map(|number| Ok((signal(SignalKind::from_raw(number))?, 128 + number)))
        .collect::<io::Result<Vec<_>>>()?;
    Ok(move |context: &mut Context<'_>| {
        let mut come = signals.iter_mut().filter_map(|(signal, status)| {
            let poll = signal.poll_recv(context);
            poll.is_ready().then_some(*status)
        });
        come.next().map_or(Poll::Pending, Poll::Ready)
    })
}

/// Whether the process was started with this signal ignored. On systems without /proc, SIGHUP counts as
/// ignored if the process has no terminal, because the process may run under nohup.
#[cfg(unix)]
fn is_ignored(number: i32) -> bool {
    use std::io::IsTerminal as _;

    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    match mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()) {
        Some(mask) => mask >> (number - 1) & 1 == 1,
        None if io::stdin().is_terminal() || io::stderr().is_terminal() => false,
        None => 128 + number == HUNG_UP,
    }
}

/// Starts to catch Ctrl-C. Returns a function to poll for the exit status of the next one.
#[cfg(not(unix))]
fn signals(_: Ignored) -> io::Result<impl FnMut(&mut Context<'_>) -> Poll<i32>> {
    let mut signal = tokio::signal::windows::ctrl_c()?;
    Ok(move |context: &mut Context<'_>| signal.poll_recv(context).map(|_| INTERRUPTED))
}
