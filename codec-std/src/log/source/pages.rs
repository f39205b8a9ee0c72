//! Pages of the API, `{"meta":…,"objects":[…]}`: one page or several, on one line or on several.
//!
//! The scanner only follows strings and brackets. Each object is parsed like any other record.

use super::block::SAMPLE;

/// An event that a byte of a page completes.
pub(super) enum PageEvent {
    /// An object of the list. [`Pages::object`] contains its text.
    Object,
    /// A description of text that is neither a page nor a record.
    Stray(String),
}

/// The scanner of pages.
#[derive(Debug, Default)]
pub(super) struct Pages {
    /// The number of open brackets.
    pub(super) depth: u64,
    /// Whether the next byte is in a string.
    text: bool,
    /// Whether the next byte follows a backslash in a string.
    escaped: bool,
    /// The last string at depth 1, which may be a key.
    key: Vec<u8>,
    /// Whether the list at depth 2 is the list of objects.
    objects: bool,
    /// Whether an object of the list has begun and not ended.
    pub(super) inside: bool,
    /// The object so far, with line ends replaced by spaces. Only the beginning if the object is too long.
    pub(super) object: Vec<u8>,
    /// The length of the object so far in bytes.
    pub(super) len: u64,
    /// The number of the line on which the object began.
    pub(super) line: u64,
    /// Whether the page has had a list of objects.
    listed: bool,
    /// Whether stray text was reported since the last comma or bracket.
    stray: bool,
}

impl Pages {
    /// Whether an input begins like a page.
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

    /// Processes the next byte, which is on this line. Only the beginning of objects longer than `limit` is
    /// kept.
    #[inline]
    pub(super) fn step(&mut self, byte: u8, line: u64, limit: usize) -> Option<PageEvent> {
        if self.inside {
            self.len += 1;
            if self.object.len() < limit.max(SAMPLE) {
                // An object becomes a single line.
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
                let what = || "a string in place of a record".to_owned();
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
                format!("`{byte}` in place of a record or a page")
            }),
            _ => None,
        }
    }

    /// Reports stray text, once until the next comma or bracket.
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
