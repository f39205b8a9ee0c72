//! Limits of connections: their number, and the time that a slow reader may take.
//!
//! A connection beyond the limit closes the connection that has been idle longest. A connection is idle if it has no
//! call under way and no bytes to send.

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

/// The connection slots of a listener.
pub(crate) struct Slots {
    free: Arc<Semaphore>,
    /// Idle connections wait for this. A `Notify` wakes its waiters in the order in which they began to wait, so
    /// `notify_one` wakes the connection that has been idle longest.
    evict: Arc<Notify>,
}

impl Slots {
    pub(crate) fn new(connections: usize) -> Self {
        Slots {
            free: Arc::new(Semaphore::new(connections.clamp(1, Semaphore::MAX_PERMITS))),
            evict: Arc::default(),
        }
    }

    /// Waits for a slot. If none is free, evicts the connection that has been idle longest, or the next connection
    /// that becomes idle.
    pub(crate) async fn take(&self) -> Slot {
        let permit = {
            let _request = (self.free.available_permits() == 0).then(|| {
                self.evict.notify_one();
                EvictionRequest(&self.evict)
            });
            Arc::clone(&self.free).acquire_owned().await
        };
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

/// A request for the slot of an idle connection, until a slot is free or the wait is given up.
struct EvictionRequest<'a>(&'a Notify);

impl Drop for EvictionRequest<'_> {
    fn drop(&mut self) {
        // If no connection was idle, the notification is stored. It is taken back, in case another connection ended by
        // itself or nobody waits any more: the next idle connection need not be closed then.
        self.0.notified().now_or_never();
    }
}

/// The slot of one connection.
pub(crate) struct Slot {
    evict: Arc<Notify>,
    /// The position of an idle connection in the queue of `evict`.
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

    /// Waits until the connection is idle and its slot is needed for another connection.
    ///
    /// Must be polled after the connection in the same task: the activity changes without a wake-up.
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

/// The activity of a connection.
#[derive(Default)]
pub(crate) struct Activity {
    /// Whether a call came since the last poll. A short call begins and ends within one poll, but still moves the
    /// connection to the end of the queue.
    was_called: AtomicBool,
    /// Whether a call is under way.
    calling: AtomicBool,
    /// Whether bytes are waiting to be sent.
    writing: AtomicBool,
}

impl Activity {
    fn is_busy(&self) -> bool {
        self.calling.load(Ordering::Relaxed) || self.writing.load(Ordering::Relaxed)
    }

    /// Marks the beginning of a call, after its body is read. The call ends when the guard is dropped.
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

/// The writing half of a connection. A write fails if the reader takes no byte within the timeout.
pub(crate) struct LimitedWriter {
    writer: Pin<Box<TimeoutWriter<OwnedWriteHalf>>>,
    activity: Arc<Activity>,
}

impl LimitedWriter {
    pub(crate) fn new(
        writer: OwnedWriteHalf,
        io_timeout: Duration,
        activity: Arc<Activity>,
    ) -> Self {
        let mut writer = TimeoutWriter::new(writer);
        writer.set_timeout(Some(io_timeout));
        LimitedWriter {
            writer: Box::pin(writer),
            activity,
        }
    }
}

impl AsyncWrite for LimitedWriter {
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a connection has to end now.
    fn is_evicted(slot: &mut Slot) -> bool {
        slot.evicted().now_or_never().is_some()
    }

    #[test]
    fn a_wait_that_is_given_up_closes_no_connection() {
        let slots = Slots::new(1);
        let mut slot = slots.take().now_or_never().unwrap();
        let call = slot.activity.call();
        assert!(!is_evicted(&mut slot));
        // The connection is busy, so the wait is in vain.
        assert!(slots.take().now_or_never().is_none());
        drop(call);
        assert!(!is_evicted(&mut slot));
        // A wait that goes on gets the slot of the connection, which is idle.
        let mut wait = Box::pin(slots.take());
        assert!(wait.as_mut().now_or_never().is_none());
        assert!(is_evicted(&mut slot));
        drop(slot);
        assert!(wait.now_or_never().is_some());
    }

    #[test]
    fn a_wait_for_a_busy_connection_gets_its_slot_when_it_becomes_idle() {
        let slots = Slots::new(1);
        let mut slot = slots.take().now_or_never().unwrap();
        let call = slot.activity.call();
        assert!(!is_evicted(&mut slot));
        let mut wait = Box::pin(slots.take());
        assert!(wait.as_mut().now_or_never().is_none());
        assert!(!is_evicted(&mut slot));
        drop(call);
        assert!(is_evicted(&mut slot));
        drop(slot);
        let mut next = wait.now_or_never().unwrap();
        assert!(!is_evicted(&mut next));
    }
}
