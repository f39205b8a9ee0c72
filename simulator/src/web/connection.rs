//! Room for connections: where there is none left, the one that has waited longest without a call gives
//! up its seat.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// The seats of a listener.
pub(crate) struct Seats {
    free: Arc<Semaphore>,
    idle: Mutex<Idle>,
    /// Told when a connection becomes idle.
    joined: Notify,
}

/// Connections without a call, by when they became so.
#[derive(Default)]
struct Idle {
    next: u64,
    waiting: BTreeMap<u64, Arc<Notify>>,
}

impl Seats {
    pub(crate) fn new(connections: usize) -> Self {
        Seats {
            free: Arc::new(Semaphore::new(connections.clamp(1, Semaphore::MAX_PERMITS))),
            idle: Mutex::default(),
            joined: Notify::new(),
        }
    }

    fn idle(&self) -> MutexGuard<'_, Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a seat, and has the connection that has been idle longest leave its own if there is
    /// none.
    pub(crate) async fn take(seats: &Arc<Self>) -> Seat {
        let place = loop {
            if let Ok(place) = Arc::clone(&seats.free).try_acquire_owned() {
                break place;
            }
            let oldest = seats.idle().waiting.pop_first();
            let asked = oldest.map(|(_, leave)| leave.notify_one()).is_some();
            tokio::select! {
                place = Arc::clone(&seats.free).acquire_owned() => if let Ok(place) = place {
                    break place;
                },
                () = seats.joined.notified(), if !asked => {}
            }
        };
        let seat = Seat {
            seats: Arc::clone(seats),
            leave: Arc::new(Notify::new()),
            since: Mutex::new(None),
            busy: AtomicBool::new(false),
            writes: AtomicBool::new(false),
            _place: place,
        };
        seat.wait();
        seat
    }
}

/// The seat of one connection.
pub(crate) struct Seat {
    seats: Arc<Seats>,
    leave: Arc<Notify>,
    /// Its number among those that are idle.
    since: Mutex<Option<u64>>,
    busy: AtomicBool,
    writes: AtomicBool,
    _place: OwnedSemaphorePermit,
}

impl Seat {
    /// Says whether bytes wait to be taken by the other side.
    pub(crate) fn writes(&self, on: bool) {
        self.writes.store(on, Ordering::Relaxed);
    }

    pub(crate) fn is_busy(&self) -> bool {
        self.busy.load(Ordering::Relaxed) || self.writes.load(Ordering::Relaxed)
    }

    fn since(&self) -> MutexGuard<'_, Option<u64>> {
        self.since.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The other side is waited for: without a call the connection is idle.
    pub(crate) fn wait(&self) {
        let mut since = self.since();
        if self.is_busy() || since.is_some() {
            return;
        }
        let mut idle = self.seats.idle();
        let number = idle.next;
        idle.next = number.wrapping_add(1);
        idle.waiting.insert(number, Arc::clone(&self.leave));
        *since = Some(number);
        drop(idle);
        self.seats.joined.notify_one();
    }

    /// A call came, whole. It lasts until what this returns is dropped.
    pub(crate) fn call(self: &Arc<Self>) -> Busy {
        self.busy.store(true, Ordering::Relaxed);
        self.leave_idle();
        Busy(Arc::clone(self))
    }

    fn leave_idle(&self) {
        if let Some(number) = self.since().take() {
            self.seats.idle().waiting.remove(&number);
        }
    }

    /// Waits until the seat is wanted for somebody else.
    pub(crate) async fn given_up(&self) {
        self.leave.notified().await;
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.leave_idle();
    }
}

/// A call under way.
pub(crate) struct Busy(Arc<Seat>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.busy.store(false, Ordering::Relaxed);
    }
}
