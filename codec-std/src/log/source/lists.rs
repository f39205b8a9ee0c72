//! Lists of records: pages of the API, `{"meta":…,"objects":[…]}`, and arrays, `[{…},{…}]`, such as those of
//! `tshark -T json`. One list or several, on one line or on several.
//!
//! The scanner only follows strings and brackets. Each object is parsed like any other record, and only one of them is in
//! memory at a time.

use super::block::SAMPLE;

/// An event that a byte of a list completes.
pub(super) enum ListEvent {
    /// An object of the list. [`Lists::object`] contains its text.
    Object,
    /// A description of text that is neither a list nor a record.
    Stray(String),
}

/// The scanner of lists.
#[derive(Debug, Default)]
pub(super) struct Lists {
    /// The number of open brackets.
    pub(super) depth: u64,
    /// Whether the next byte is in a string.
    text: bool,
    /// Whether the next byte follows a backslash in a string.
    escaped: bool,
    /// The last string at depth 1, which may be a key.
    key: Vec<u8>,
    /// The number of brackets that are open between two records: 1 in an array, 2 in the list `objects` of a page, and 0
    /// outside of both.
    list: u64,
    /// Whether an object of the list, or one outside of lists, has begun and not ended.
    pub(super) inside: bool,
    /// The object so far, with line ends replaced by spaces. Only the beginning if the object is too long.
    pub(super) object: Vec<u8>,
    /// The length of the object so far in bytes.
    pub(super) len: u64,
    /// The number of the line on which the object began.
    pub(super) line: u64,
    /// Whether stray text was reported since the last comma or bracket.
    stray: bool,
}

impl Lists {
    /// Whether an input begins like a list of records. A list of bytes, such as `[0,0,0,3]`, is a payload.
    pub(super) fn begin(head: &[u8]) -> bool {
        let head = head.trim_ascii();
        if let Some(rest) = head.strip_prefix(b"[") {
            // tshark writes `[]` for a capture without packets. What follows may be a list with packets.
            return match rest.trim_ascii_start() {
                [b'{', ..] => true,
                [b']', rest @ ..] => rest.is_empty() || Self::begin(rest),
                _ => false,
            };
        }
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
    pub(super) fn step(&mut self, byte: u8, line: u64, limit: usize) -> Option<ListEvent> {
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
                let what = || "a string in place of a record".to_owned();
                self.is_between().then(|| self.stray(what)).flatten()
            }
            b'{' | b'[' => {
                self.open(byte, line);
                None
            }
            b'}' | b']' if self.depth > 0 => self.close(),
            b',' => {
                self.stray = false;
                None
            }
            b' ' | b'\t' | b'\r' | b'\n' => None,
            _ if self.is_between() => self.stray(|| {
                let byte = byte.escape_ascii();
                format!("`{byte}` in place of a record or of a list of records")
            }),
            _ => None,
        }
    }

    /// Whether the next byte is between two records, or between two lists.
    fn is_between(&self) -> bool {
        self.depth == 0 || self.depth == self.list
    }

    /// Reports stray text, once until the next comma or bracket.
    fn stray(&mut self, what: impl FnOnce() -> String) -> Option<ListEvent> {
        let is_new = !std::mem::replace(&mut self.stray, true);
        is_new.then(|| ListEvent::Stray(what()))
    }

    fn open(&mut self, byte: u8, line: u64) {
        // An object outside of lists is a page, or a record that stands alone.
        if self.depth == self.list && (self.depth > 0 || byte == b'{') {
            self.inside = true;
            (self.len, self.line) = (1, line);
            self.object.clear();
            self.object.push(byte);
        }
        self.depth += 1;
        self.stray = false;
        match self.depth {
            1 => {
                self.list = u64::from(byte == b'[');
            }
            2 if self.list != 1 => {
                let is_list = byte == b'[' && self.key == b"objects";
                if is_list {
                    (self.list, self.inside) = (2, false);
                } else if self.list == 2 {
                    self.list = 0;
                }
            }
            _ => {}
        }
    }

    fn close(&mut self) -> Option<ListEvent> {
        self.depth -= 1;
        self.stray = false;
        if self.depth == 0 {
            self.list = 0;
        }
        (self.depth == self.list && std::mem::take(&mut self.inside)).then_some(ListEvent::Object)
    }
}
