//! The things of the library that a caller has a handle of.

use std::sync::{PoisonError, RwLock};

use slotmap::{DefaultKey, Key, KeyData, SlotMap};

use crate::error::Failure;
use crate::status::gizwits_status::InvalidHandle;

/// A table of things by their handles, which are numbers.
// A table, and not a pointer to a thing with a magic word in it: a freed pointer cannot be checked without reading
// memory that is no longer there. The lock is held for reading as long as a call uses a thing, which costs less
// than a reference of its own, and lets `remove` drop what no call uses.
pub(crate) struct Handles<T> {
    /// The name of the argument.
    name: &'static str,
    /// The bits in which handles of this table differ from those of others.
    kind: u64,
    table: RwLock<Option<SlotMap<DefaultKey, T>>>,
}

impl<T> Handles<T> {
    pub(crate) const fn new(name: &'static str, kind: u64) -> Self {
        Handles {
            name,
            kind,
            table: RwLock::new(None),
        }
    }

    /// Adds a thing to the table and returns its handle.
    pub(crate) fn add(&self, thing: T) -> u64 {
        let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        let table = table.get_or_insert_with(SlotMap::new);
        table.insert(thing).data().as_ffi() ^ self.kind
    }

    /// Removes a thing from the table. Waits for the calls that use the table.
    pub(crate) fn remove(&self, handle: u64) -> Result<(), Failure> {
        let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        let removed = self.key(handle).and_then(|key| table.as_mut()?.remove(key));
        // The thing is dropped when the table is free again.
        drop(table);
        removed.map(drop).ok_or(self.invalid())
    }

    /// Calls `call` with the thing of a handle.
    pub(crate) fn with<R>(
        &self,
        handle: u64,
        call: impl FnOnce(&T) -> Result<R, Failure>,
    ) -> Result<R, Failure> {
        let table = self.table.read().unwrap_or_else(PoisonError::into_inner);
        let thing = self.key(handle).and_then(|key| table.as_ref()?.get(key));
        call(thing.ok_or(self.invalid())?)
    }

    const fn invalid(&self) -> Failure {
        Failure::Argument(InvalidHandle, self.name)
    }

    /// Returns the key that a handle is the number of. Some numbers lead to a key that has another number.
    fn key(&self, handle: u64) -> Option<DefaultKey> {
        let number = handle ^ self.kind;
        let key = KeyData::from_ffi(number);
        (key.as_ffi() == number).then(|| DefaultKey::from(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_number_is_a_handle_of_a_freed_thing() {
        let handles = Handles::new("thing", 0);
        let is_handle = |handle| handles.with(handle, |_| Ok(())).is_ok();
        let (first, second) = (handles.add('a'), handles.add('b'));
        assert!(is_handle(first) && is_handle(second) && first != second);
        assert!(handles.remove(first).is_ok() && handles.remove(first).is_err());
        // The slot is used again, by another number.
        let third = handles.add('c');
        assert_eq!(third as u32, first as u32);
        assert!(is_handle(third) && is_handle(second) && !is_handle(first));
        for bit in 0..64 {
            let other = third ^ 1 << bit;
            assert!(other == second || !is_handle(other), "{other:#x}");
        }
        for handle in [0, u64::MAX, u64::MAX >> 32, 1 << 32] {
            assert!(!is_handle(handle), "{handle:#x}");
        }
    }

    #[test]
    fn a_handle_of_another_table_is_refused() {
        let (one, two) = (Handles::new("one", 0), Handles::new("two", 1 << 63));
        let (of_one, of_two) = (one.add('a'), two.add('b'));
        assert!(one.with(of_one, |_| Ok(())).is_ok() && two.with(of_two, |_| Ok(())).is_ok());
        assert!(one.with(of_two, |_| Ok(())).is_err() && two.with(of_one, |_| Ok(())).is_err());
    }
}
