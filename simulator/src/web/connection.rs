//! Connections: how many may be open, and how long each may keep the server waiting.
//!
//! Where none is left, the connection that has been idle longest, without a call, makes way.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::io::AsyncWrite;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::sync::futures::OwnedNotified;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio_io_timeout::TimeoutWriter;

/// The connections that a listener may have.
pub(crate) struct Slots {
    free: Arc<Semaphore>,
    /// Wakes the connection that has waited longest: those that are idle wait for it.
    evict: Arc<Notify>,
}

impl Slots {
    pub(crate) fn new(connections: usize) -> Self {
        Slots {
            free: Arc::new(Semaphore::new(connections.clamp(1, Semaphore::MAX_PERMITS))),
            evict: Arc::default(),
        }
    }

    /// Waits for a slot. If none is free, the connection that has been idle longest is evicted, or else the
    /// next one that becomes idle.
    pub(crate) async fn take(&self) -> Slot {
        if self.free.available_permits() == 0 {
            self.evict.notify_one();
        }
        let permit = Arc::clone(&self.free).acquire_owned().await;
        // Nobody has to make way any more if a connection ended by itself.
        self.evict.notified().now_or_never();
        let mut slot = Slot {
            evict: Arc::clone(&self.evict),
            eviction: None,
            activity: Arc::default(),
            _permit: permit.ok(),
        };
        slot.wait_for_eviction();
        slot
    }
}

/// The slot of one connection.
pub(crate) struct Slot {
    evict: Arc<Notify>,
    /// The place of an idle connection among those that wait.
    eviction: Option<Pin<Box<OwnedNotified>>>,
    pub(crate) activity: Arc<Activity>,
    _permit: Option<OwnedSemaphorePermit>,
}

impl Slot {
    fn wait_for_eviction(&mut self) -> &mut Pin<Box<OwnedNotified>> {
        self.eviction.get_or_insert_with(|| {
            let mut eviction = Box::pin(Arc::clone(&self.evict).notified_owned());
            eviction.as_mut().enable();
            eviction
        })
    }

    /// Waits until the connection is idle and its slot is wanted for another. It has to be polled after the
    /// connection, whose activity it looks at.
    pub(crate) async fn evicted(&mut self) {
        poll_fn(|context| {
            if self.activity.was_called.swap(false, Ordering::Relaxed) {
                self.eviction = None;
            }
            match self.activity.is_busy() {
                true => Poll::Pending,
                false => self.wait_for_eviction().as_mut().poll(context),
            }
        })
        .await;
    }
}

/// What a connection is busy with.
#[derive(Default)]
pub(crate) struct Activity {
    /// Whether a call came since this was last looked at.
    was_called: AtomicBool,
    /// Whether a call is under way.
    calling: AtomicBool,
    /// Whether bytes wait to be taken by the other side.
    writing: AtomicBool,
}

impl Activity {
    fn is_busy(&self) -> bool {
        self.calling.load(Ordering::Relaxed) || self.writing.load(Ordering::Relaxed)
    }

    /// A call came, whole. It is under way until what this returns is dropped.
    pub(crate) fn call(self: &Arc<Self>) -> CallGuard {
        self.was_called.store(true, Ordering::Relaxed);
        self.calling.store(true, Ordering::Relaxed);
        CallGuard(Arc::clone(self))
    }
}

/// A call under way.
pub(crate) struct CallGuard(Arc<Activity>);

impl Drop for CallGuard {
    fn drop(&mut self) {
        self.0.calling.store(false, Ordering::Relaxed);
    }
}

/// The writing half of a connection. Its reader may be slow, but must take something within a time.
pub(crate) struct PatientWriter {
    writer: Pin<Box<TimeoutWriter<OwnedWriteHalf>>>,
    activity: Arc<Activity>,
}

impl PatientWriter {
    pub(crate) fn new(writer: OwnedWriteHalf, patience: Duration, activity: Arc<Activity>) -> Self {
        let mut writer = TimeoutWriter::new(writer);
        writer.set_timeout(Some(patience));
        PatientWriter {
            writer: Box::pin(writer),
            activity,
        }
    }
}

impl AsyncWrite for PatientWriter {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.activity.writing.store(true, Ordering::Relaxed);
        self.writer.as_mut().poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = ready!(self.writer.as_mut().poll_flush(context));
        self.activity.writing.store(false, Ordering::Relaxed);
        Poll::Ready(flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.writer.as_mut().poll_shutdown(context)
    }
}
