//! The inputs of a log.

pub(crate) mod block;
pub(crate) mod cutter;
mod input;
mod lists;

use std::fmt;
use std::io::Read;

use self::lists::Lists;

/// An input of a log: a file, standard input or any other reader. gzip and zstd are detected by their first
/// bytes.
///
/// ```
/// use gizwits_codec_std::log::Source;
///
/// let source = Source::new("log.ndjson.gz", std::io::empty()).of_device("fTZ6jUmwmuTUkEdbXWePQ3");
/// assert_eq!(source.did.as_deref(), Some("fTZ6jUmwmuTUkEdbXWePQ3"));
/// ```
pub struct Source {
    /// The name of the input in rejects.
    pub name: String,
    /// The device that all records belong to, if there is one. Records without a did then belong to this
    /// device, and records of other devices are rejected. Default: `None`.
    pub did: Option<String>,
    /// The reader of the input.
    pub reader: Box<dyn Read + Send>,
}

impl Source {
    /// Creates an input with a name for rejects.
    pub fn new(name: impl Into<String>, reader: impl Read + Send + 'static) -> Self {
        Source {
            name: name.into(),
            did: None,
            reader: Box::new(reader),
        }
    }

    /// Sets the device that all records of the input belong to.
    #[must_use]
    pub fn of_device(mut self, did: impl Into<String>) -> Self {
        self.did = Some(did.into());
        self
    }

    /// Whether each line of an input is a record of its own, so that an input can be read in parts. `head` is the beginning
    /// of the input: 64 bytes are enough. False for a compressed input and for a list of records, such as a page of the API,
    /// whose records can span lines.
    ///
    /// ```
    /// use gizwits_codec_std::log::Source;
    ///
    /// assert!(Source::has_records_in_lines(br#"{"payload":"02"}"#));
    /// assert!(!Source::has_records_in_lines(br#"{"meta":{"total":1},"objects":[{"payload":"02"}]}"#));
    /// assert!(!Source::has_records_in_lines(br#"[{"payload":"02"}]"#));
    /// ```
    #[must_use]
    pub fn has_records_in_lines(head: &[u8]) -> bool {
        let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
        !matches!(head, [0x1f, 0x8b, ..] | [0x28, 0xb5, 0x2f, 0xfd, ..]) && !Lists::begin(text)
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").field("name", &self.name).finish()
    }
}
