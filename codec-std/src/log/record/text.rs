//! The output of text formats.

use std::io;

use crate::text::cursor::Cursor;

/// A growing block of text lines: the output of text formats.
#[derive(Debug, Default)]
pub struct TextBlock {
    room: Vec<u8>,
    len: usize,
    /// A buffer for writers that need a vector. Its contents are then appended.
    aside: Vec<u8>,
}

impl TextBlock {
    /// The lines written so far.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.room.get(..self.len).unwrap_or(&[])
    }

    /// Removes all lines and keeps the memory.
    pub fn clear(&mut self) {
        self.len = 0;
    }

    /// Writes all lines to `out` and removes them.
    pub(crate) fn write(&mut self, out: &mut impl io::Write) -> io::Result<()> {
        out.write_all(self.as_bytes())?;
        out.flush()?;
        self.clear();
        Ok(())
    }

    /// Reserves `more` bytes.
    #[inline(always)]
    fn reserve(&mut self, more: usize) {
        let needed = self.len + more;
        if needed > self.room.len() {
            self.grow(needed);
        }
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self, needed: usize) {
        self.room.resize(needed.max(self.room.len() * 2), 0);
    }

    #[inline]
    pub(crate) fn put(&mut self, bytes: &[u8]) {
        self.reserve(bytes.len());
        if let Some(to) = self.room.get_mut(self.len..self.len + bytes.len()) {
            to.copy_from_slice(bytes);
            self.len += bytes.len();
        }
    }

    /// Returns a cursor with room for `most` bytes. [`keep`](Self::keep) makes them part of the text.
    #[inline(always)]
    pub(crate) fn room(&mut self, most: usize) -> Cursor<'_> {
        self.reserve(most + Cursor::SPARE);
        let room = self.room.get_mut(self.len..).unwrap_or(&mut []);
        Cursor { room, len: 0 }
    }

    /// Makes [`written`](Cursor::written) bytes after the end part of the text.
    #[inline(always)]
    pub(crate) fn keep(&mut self, written: Option<usize>) {
        debug_assert!(written.is_some(), "the room was too small");
        self.len += written.unwrap_or(0);
    }

    /// Removes the last bytes.
    pub(crate) fn cut(&mut self, bytes: usize) {
        self.len = self.len.saturating_sub(bytes);
    }

    /// Appends the bytes that `write` writes to a vector.
    pub(crate) fn with(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let mut aside = std::mem::take(&mut self.aside);
        aside.clear();
        write(&mut aside);
        self.put(&aside);
        self.aside = aside;
    }
}
