//! The frames around a message.

pub mod m2m;
pub mod uart;

use crate::bits;
use crate::error::{Error, ErrorKind};

/// Counts all bytes that are put, and writes those that fit.
struct Output<'o> {
    out: &'o mut [u8],
    len: usize,
}

impl Output<'_> {
    fn put(&mut self, bytes: &[u8]) {
        let room = self.out.get_mut(self.len..).unwrap_or(&mut []);
        bits::copy(room, bytes);
        self.len = self.len.saturating_add(bytes.len());
    }

    /// The number of bytes, if all were written.
    fn finish(self) -> Result<usize, Error> {
        if self.len > self.out.len() {
            let needed = u32::try_from(self.len).unwrap_or(u32::MAX);
            return Err(Error::new(ErrorKind::OutOfSpace { needed }));
        }
        Ok(self.len)
    }
}
