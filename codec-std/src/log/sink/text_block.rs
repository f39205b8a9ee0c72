//! Finished lines of text.

use std::io::{self, Write};

use crate::log::record::text::Text;

/// Lines of text that are ready to be written.
#[derive(Debug, Default)]
pub struct TextBlock(pub(crate) Text);

impl TextBlock {
    /// The lines.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_slice()
    }

    /// Forgets the lines, not their room.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    pub(crate) fn write(&mut self, out: &mut impl Write) -> io::Result<()> {
        out.write_all(self.0.as_slice())?;
        out.flush()?;
        self.0.clear();
        Ok(())
    }
}
