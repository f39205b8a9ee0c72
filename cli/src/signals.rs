//! The signals that ask the process to end.

use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::task::{Context, Poll};

/// The exit status that shells expect after Ctrl-C, and after SIGHUP.
pub(crate) const INTERRUPTED: i32 = 130;
pub(crate) const HUNG_UP: i32 = 129;

/// The handling of SIGINT and SIGTERM that the parent ignored. A shell without job control ignores SIGINT for
/// processes in the background.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ignored {
    Stay,
    Heed,
}

/// Calls `heed` with the exit status of every signal that asks the process to end, on a thread of its own.
///
/// Signals are watched for as soon as this function returns. SIGHUP stays ignored if the parent ignored it,
/// as nohup does; `if_ignored` is for the other signals.
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
    // Without the thread a signal ends the process all the same.
    let _ = std::thread::Builder::new()
        .name("signals".to_owned())
        .spawn(watch);
    let _ = watched.recv();
}

/// Returns a flag that becomes true on the first Ctrl-C. The second ends the process.
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

/// Whether the process was started with this signal ignored. Where the system does not say, a process
/// without a terminal ignores SIGHUP, because it may run under nohup.
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

#[cfg(not(unix))]
fn signals(_: Ignored) -> io::Result<impl FnMut(&mut Context<'_>) -> Poll<i32>> {
    let mut signal = tokio::signal::windows::ctrl_c()?;
    Ok(move |context: &mut Context<'_>| signal.poll_recv(context).map(|_| INTERRUPTED))
}
