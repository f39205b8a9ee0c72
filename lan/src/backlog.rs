//! The events that were not taken yet, with a limit.

use std::collections::VecDeque;

/// The importance of an event for a program that takes it late.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rank {
    /// A message of the device, which sends as many as it likes.
    Message,
    /// A change of the connection.
    Connection,
    /// The outcome of a request, or the end. A program may wait for it.
    Outcome,
}

/// An event that can wait.
pub(crate) trait Event {
    /// Returns the number of bytes that the event has from the device.
    fn bytes(&self) -> usize;

    /// Returns the importance of the event.
    fn rank(&self) -> Rank;
}

/// The events that have arrived while a program waited for another one. Their number and the bytes in them are limited,
/// because a device sends as much as it likes.
#[derive(Debug)]
pub(crate) struct Backlog<E> {
    events: VecDeque<E>,
    bytes: usize,
    dropped: u64,
}

impl<E> Backlog<E> {
    /// The maximum number of events.
    pub(crate) const MAX_EVENTS: usize = 1024;
    /// The maximum number of bytes in the events, unless there is only one.
    pub(crate) const MAX_BYTES: usize = 1024 * 1024;

    /// Returns the number of events that were dropped.
    pub(crate) const fn dropped(&self) -> u64 {
        self.dropped
    }
}

impl<E> Default for Backlog<E> {
    fn default() -> Self {
        Backlog {
            events: VecDeque::new(),
            bytes: 0,
            dropped: 0,
        }
    }
}

impl<E: Event> Backlog<E> {
    /// Appends an event, and drops events past the limits: of those of the lowest rank, the oldest.
    pub(crate) fn push(&mut self, event: E) {
        self.bytes = self.bytes.saturating_add(event.bytes());
        self.events.push_back(event);
        while self.events.len() > Self::MAX_EVENTS
            || self.bytes > Self::MAX_BYTES && self.events.len() > 1
        {
            let ranks = [Rank::Message, Rank::Connection, Rank::Outcome];
            let of = |rank| self.events.iter().position(|event| event.rank() == rank);
            let index = ranks.into_iter().find_map(of).unwrap_or_default();
            let _ = self.remove(index);
            self.dropped = self.dropped.saturating_add(1);
        }
    }

    /// Removes the oldest event.
    pub(crate) fn pop(&mut self) -> Option<E> {
        self.remove(0)
    }

    fn remove(&mut self, index: usize) -> Option<E> {
        let event = self.events.remove(index)?;
        self.bytes = self.bytes.saturating_sub(event.bytes());
        Some(event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Event for (Rank, u32, usize) {
        fn bytes(&self) -> usize {
            self.2
        }

        fn rank(&self) -> Rank {
            self.0
        }
    }

    const MAX_BYTES: usize = Backlog::<(Rank, u32, usize)>::MAX_BYTES;

    fn numbers(backlog: &mut Backlog<(Rank, u32, usize)>) -> Vec<u32> {
        std::iter::from_fn(|| backlog.pop())
            .map(|event| event.1)
            .collect()
    }

    #[test]
    fn number_and_bytes_are_limited() {
        let mut backlog = Backlog::default();
        for number in 0..3000 {
            backlog.push((Rank::Message, number, 1));
        }
        assert_eq!(backlog.pop().map(|event| event.1), Some(1976));
        assert_eq!(backlog.dropped(), 1976);
        backlog.push((Rank::Message, 3000, MAX_BYTES - 2));
        assert_eq!(numbers(&mut backlog), [2998, 2999, 3000]);
        backlog.push((Rank::Message, 1, usize::MAX));
        assert_eq!((numbers(&mut backlog), backlog.bytes), (vec![1], 0));
    }

    #[test]
    fn messages_are_dropped_before_outcomes() {
        let mut backlog = Backlog::default();
        backlog.push((Rank::Outcome, 0, 0));
        backlog.push((Rank::Connection, 1, 0));
        for number in 2..3000 {
            backlog.push((Rank::Message, number, 1));
        }
        backlog.push((Rank::Message, 3000, MAX_BYTES));
        assert_eq!(numbers(&mut backlog), [0, 1, 3000]);
        // Outcomes are dropped if there is nothing else: a program that takes none has a limit as well.
        for number in 0..2000 {
            backlog.push((Rank::Outcome, number, 0));
            backlog.push((Rank::Connection, number, 0));
        }
        let kept: Vec<u32> = (976..2000).collect();
        assert_eq!(numbers(&mut backlog), kept);
    }
}
