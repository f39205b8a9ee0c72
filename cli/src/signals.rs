//! The signals that ask the process to end.

use std::future::poll_fn;
use std::io;
#[cfg(unix)]
use std::io::IsTerminal as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
#[cfg(unix)]
use std::task::Poll;

/// Becomes true on the first Ctrl-C; the second ends the process.
pub(crate) fn interruption() -> Arc<AtomicBool> {
    let interrupted = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&interrupted);
    // Without it Ctrl-C ends the process at once, as ever.
    let _ = std::thread::Builder::new()
        .name("ctrl-c".to_owned())
        .spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_io()
                .build();
            let Ok(runtime) = runtime else {
                return;
            };
            runtime.block_on(async {
                let _ = tokio::signal::ctrl_c().await;
                seen.store(true, Ordering::Relaxed);
                let _ = tokio::signal::ctrl_c().await;
                std::process::exit(130);
            });
        });
    interrupted
}

/// Calls `clean` on a signal that asks the process to end, and ends the process.
pub(crate) fn before_end(clean: impl Fn() + Send + 'static) {
    let (watching, watched) = channel();
    let watch = move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build();
        if let Ok(runtime) = runtime
            && let Ok(status) = runtime.block_on(ended(&watching))
        {
            clean();
            std::process::exit(status);
        }
    };
    // Without it a signal ends the process all the same.
    let _ = std::thread::Builder::new()
        .name("signals".to_owned())
        .spawn(watch);
    let _ = watched.recv();
}

/// The exit status for the signal that comes; they are watched for from the first poll on.
#[cfg(unix)]
pub(crate) async fn ended(watching: &Sender<()>) -> io::Result<i32> {
    use tokio::signal::unix::{SignalKind, signal};

    let kinds = [
        SignalKind::hangup(),
        SignalKind::interrupt(),
        SignalKind::terminate(),
    ];
    // What the parent had ignored, as nohup does, stays so.
    let kinds = kinds.map(|kind| kind.as_raw_value());
    let heeded = kinds.into_iter().filter(|number| !is_ignored(*number));
    let mut signals = heeded
        .map(|number| Ok((signal(SignalKind::from_raw(number))?, number)))
        .collect::<io::Result<Vec<_>>>()?;
    poll_fn(|context| {
        let _ = watching.send(());
        let mut come = signals.iter_mut().filter_map(|(signal, number)| {
            signal
                .poll_recv(context)
                .is_ready()
                .then_some(128 + *number)
        });
        match come.next() {
            Some(status) => Poll::Ready(Ok(status)),
            None => Poll::Pending,
        }
    })
    .await
}

/// Whether the process was started with this signal ignored. Where the system doesn't say, a process without
/// a terminal heeds no SIGHUP: it may be under nohup.
#[cfg(unix)]
pub(crate) fn is_ignored(number: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    match mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()) {
        Some(mask) => mask >> (number - 1) & 1 == 1,
        None => {
            let hangup = tokio::signal::unix::SignalKind::hangup().as_raw_value();
            let seen = io::stdin().is_terminal() || io::stderr().is_terminal();
            number == hangup && !seen
        }
    }
}

/// The exit status for Ctrl-C, which is watched for from the first poll on.
#[cfg(not(unix))]
pub(crate) async fn ended(watching: &Sender<()>) -> io::Result<i32> {
    use std::future::Future as _;

    let mut interrupt = std::pin::pin!(tokio::signal::ctrl_c());
    poll_fn(|context| {
        let poll = interrupt.as_mut().poll(context).map_ok(|()| 130);
        let _ = watching.send(());
        poll
    })
    .await
}

/// Serves until Ctrl-C, or until somebody asks the process to end.
///
/// Both are listened for before `begin` says that there is something to end.
pub(crate) fn until_interrupted(
    begin: impl FnOnce() -> Result<(), crate::failure::Failure>,
) -> Result<(), crate::failure::Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()?;
    runtime.block_on(async {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            let mut interrupt = signal(SignalKind::interrupt())?;
            let mut terminate = signal(SignalKind::terminate())?;
            begin()?;
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        }
        #[cfg(not(unix))]
        {
            begin()?;
            tokio::signal::ctrl_c().await?;
        }
        Ok(())
    })
}
