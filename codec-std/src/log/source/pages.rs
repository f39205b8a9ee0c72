//! The pages of the API, `{"meta":…,"objects":[…]}`, one or several in a row, on one line or on many.
//!
//! The scanner follows strings and brackets, no more: each object is parsed as any other record.

use super::block::SAMPLE;

/// An event that a byte of a page ends.
pub(super) enum PageEvent {
    /// An object of the list: [`Pages::object`] has its text.
    Object,
    /// Something that is neither a page nor a record, in words.
    Stray(String),
}

/// The scanner of pages.
#[derive(Debug, Default)]
pub(super) struct Pages {
    pub(super) depth: u64,
    /// Within a text, and behind a backslash in it.
    text: bool,
    escaped: bool,
    /// The last text at the page's own level, which may be a key.
    key: Vec<u8>,
    /// Within the list of objects, which is at depth 2.
    objects: bool,
    /// The object that is being read began.
    pub(super) inside: bool,
    /// The text of the object so far on one line, or its head if it is too long.
    pub(super) object: Vec<u8>,
    /// The length of the object so far, and the line that it began on.
    pub(super) len: u64,
    pub(super) line: u64,
    /// The page has a list of objects.
    listed: bool,
    /// Something that does not belong there was reported, up to the next comma or bracket.
    stray: bool,
}

impl Pages {
    /// Whether an input begins as a page does.
    pub(super) fn begin(head: &[u8]) -> bool {
        let head = head.trim_ascii_start();
        let Some(rest) = head.strip_prefix(b"{") else {
            return false;
        };
        let rest = rest.trim_ascii_start();
        [(&b"\"meta\""[..], b'{'), (b"\"objects\"", b'[')]
            .iter()
            .any(|(key, open)| {
                let value = rest.strip_prefix(*key).map(<[u8]>::trim_ascii_start);
                let value = value.and_then(|value| value.strip_prefix(b":"));
                value.is_some_and(|value| value.trim_ascii_start().first() == Some(open))
            })
    }

    /// Takes the next byte, which stands on this line. Of objects longer than `limit` the head is kept.
    #[inline]
    pub(super) fn step(&mut self, byte: u8, line: u64, limit: usize) -> Option<PageEvent> {
        if self.inside {
            self.len += 1;
            if self.object.len() < limit.max(SAMPLE) {
                // One object, one line.
                let is_break = matches!(byte, b'\n' | b'\r');
                self.object.push(if is_break { b' ' } else { byte });
            }
        }
        if self.text {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.text = false,
                _ if self.depth == 1 && self.key.len() < 16 => self.key.push(byte),
                _ => {}
            }
            return None;
        }
        match byte {
            b'"' => {
                self.text = true;
                if self.depth == 1 {
                    self.key.clear();
                }
                let among_objects = self.depth == 2 && self.objects;
                let what = || "a text where a record is expected".to_owned();
                among_objects.then(|| self.stray(what)).flatten()
            }
            b'{' | b'[' => {
                self.open(byte, line);
                None
            }
            b'}' | b']' => self.close(),
            b',' => {
                self.stray = false;
                None
            }
            b' ' | b'\t' | b'\r' | b'\n' => None,
            _ if self.depth == 0 || self.depth == 2 && self.objects => self.stray(|| {
                let byte = byte.escape_ascii();
                format!("`{byte}` where a record or a page is expected")
            }),
            _ => None,
        }
    }

    /// Reports what is neither a record nor between two of them, once.
    fn stray(&mut self, what: impl FnOnce() -> String) -> Option<PageEvent> {
        let is_new = !std::mem::replace(&mut self.stray, true);
        is_new.then(|| PageEvent::Stray(what()))
    }

    fn open(&mut self, byte: u8, line: u64) {
        self.depth += 1;
        self.stray = false;
        match self.depth {
            1 => self.listed = false,
            2 => {
                self.objects = byte == b'[' && self.key == b"objects";
                self.listed |= self.objects;
            }
            3 if self.objects => {
                self.inside = true;
                (self.len, self.line) = (1, line);
                self.object.clear();
                self.object.push(byte);
            }
            _ => {}
        }
    }

    fn close(&mut self) -> Option<PageEvent> {
        let closed = self.depth == 1;
        self.depth = self.depth.saturating_sub(1);
        self.stray = false;
        if closed && !self.listed {
            return Some(PageEvent::Stray(
                "a page without a list `objects`".to_owned(),
            ));
        }
        (self.depth == 2 && std::mem::take(&mut self.inside)).then_some(PageEvent::Object)
    }
}
