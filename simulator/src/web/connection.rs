//! Connections: how many may be open, and how long each may keep the server waiting.
//!
//! Where none is left, the connection that has been idle longest, without a call, makes way.

use std::collections::BTreeMap;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio_io_timeout::TimeoutStream;

/// The connections that a listener may have.
pub(crate) struct Slots {
    free: Arc<Semaphore>,
    idle: Mutex<Idle>,
    /// Notified when a connection becomes idle.
    idled: Notify,
}

/// Connections without a call, in the order in which they became idle.
#[derive(Default)]
struct Idle {
    next: u64,
    waiting: BTreeMap<u64, Arc<Notify>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Slots {
    pub(crate) fn new(connections: usize) -> Self {
        Slots {
            free: Arc::new(Semaphore::new(connections.clamp(1, Semaphore::MAX_PERMITS))),
            idle: Mutex::default(),
            idled: Notify::new(),
        }
    }

    /// Waits for a slot, and evicts the connection that has been idle longest if none is free.
    pub(crate) async fn take(self: &Arc<Self>) -> Arc<Slot> {
        let permit = loop {
            if let Ok(permit) = Arc::clone(&self.free).try_acquire_owned() {
                break permit;
            }
            let oldest = lock(&self.idle).waiting.pop_first();
            let evicted = oldest.map(|(_, evicted)| evicted.notify_one()).is_some();
            tokio::select! {
                permit = Arc::clone(&self.free).acquire_owned() => if let Ok(permit) = permit {
                    break permit;
                },
                () = self.idled.notified(), if !evicted => {}
            }
        };
        let slot = Slot {
            slots: Arc::clone(self),
            evicted: Arc::new(Notify::new()),
            idle_number: Mutex::new(None),
            called: AtomicBool::new(false),
            writing: AtomicBool::new(false),
            _permit: permit,
        };
        slot.idle_unless_busy();
        Arc::new(slot)
    }
}

/// The slot of one connection.
pub(crate) struct Slot {
    slots: Arc<Slots>,
    /// Notified when the slot is wanted for another connection.
    pub(crate) evicted: Arc<Notify>,
    /// The number of the connection among the idle ones.
    idle_number: Mutex<Option<u64>>,
    /// Whether a call is under way.
    called: AtomicBool,
    /// Whether bytes wait to be taken by the other side.
    writing: AtomicBool,
    _permit: OwnedSemaphorePermit,
}

impl Slot {
    pub(crate) fn is_busy(&self) -> bool {
        self.called.load(Ordering::Relaxed) || self.writing.load(Ordering::Relaxed)
    }

    /// The other side is waited for: without a call the connection is idle.
    fn idle_unless_busy(&self) {
        let mut number = lock(&self.idle_number);
        if self.is_busy() || number.is_some() {
            return;
        }
        let mut idle = lock(&self.slots.idle);
        let next = idle.next;
        idle.next = next.wrapping_add(1);
        idle.waiting.insert(next, Arc::clone(&self.evicted));
        *number = Some(next);
        drop(idle);
        self.slots.idled.notify_one();
    }

    /// A call came, whole. It is under way until what this returns is dropped.
    pub(crate) fn call(self: &Arc<Self>) -> CallGuard {
        self.called.store(true, Ordering::Relaxed);
        self.leave_idle();
        CallGuard(Arc::clone(self))
    }

    fn leave_idle(&self) {
        if let Some(number) = lock(&self.idle_number).take() {
            lock(&self.slots.idle).waiting.remove(&number);
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.leave_idle();
    }
}

/// A call under way.
pub(crate) struct CallGuard(Arc<Slot>);

impl Drop for CallGuard {
    fn drop(&mut self) {
        self.0.called.store(false, Ordering::Relaxed);
    }
}

/// A stream that tells its slot what it waits for. Its reader may be slow, but must take something
/// within a time.
pub(crate) struct SlotStream {
    stream: Pin<Box<TimeoutStream<TcpStream>>>,
    slot: Arc<Slot>,
}

impl SlotStream {
    pub(crate) fn new(stream: TcpStream, patience: Duration, slot: Arc<Slot>) -> Self {
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(patience));
        SlotStream {
            stream: Box::pin(stream),
            slot,
        }
    }
}

impl AsyncRead for SlotStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = self.stream.as_mut().poll_read(context, buffer);
        if read.is_pending() {
            self.slot.idle_unless_busy();
        }
        read
    }
}

impl AsyncWrite for SlotStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.slot.writing.store(true, Ordering::Relaxed);
        self.stream.as_mut().poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = ready!(self.stream.as_mut().poll_flush(context));
        self.slot.writing.store(false, Ordering::Relaxed);
        self.slot.idle_unless_busy();
        Poll::Ready(flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.as_mut().poll_shutdown(context)
    }
}
