//! The partition of a record: the folder that its file is in.

use crate::error::{Error, shown};
use crate::log::record::timestamp::Timestamp;

/// The length of the spans of time by which records are partitioned, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// A day: the folder `day=2026-01-31`.
    Day,
    /// An hour: the folder `day=2026-01-31/hour=07`.
    Hour,
}

/// The keys by which records are partitioned: their time, their device or both. The default has no key.
///
/// Folders have names as in Hive, `KEY=VALUE`. Characters of a did other than ASCII letters, digits, `-`, `_` and
/// `.` are percent-encoded. Records without a timestamp, or without a did, are in a folder with the value
/// `__HIVE_DEFAULT_PARTITION__`, which readers of such folders take for null.
///
/// A record is rejected with the kind `partition` if its did is this value, or is so long that the name of the folder
/// has more than 255 bytes, the limit of file systems.
///
/// ```
/// use gizwits_codec_std::log::{Partition, Span, Timestamp};
///
/// let partition = Partition { time: Some(Span::Hour), did: true };
/// let time = Timestamp::new("1517384252.294")?;
/// assert_eq!(partition.folder(Some(&time), Some("a/b")), "day=2018-01-31/hour=07/did=a%2Fb");
/// assert_eq!(
///     Partition { time: Some(Span::Day), did: false }.folder(None, None),
///     "day=__HIVE_DEFAULT_PARTITION__",
/// );
/// # Ok::<(), gizwits_codec_std::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Partition {
    /// The length of the spans of time. Default: none.
    pub time: Option<Span>,
    /// Whether each device has a folder. Default: false.
    pub did: bool,
}

/// The values of a partition; `None` for a value that the records do not have, or that does not matter.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct PartitionKey {
    /// The number of the span of time since 1970.
    pub(super) span: Option<i64>,
    pub(super) did: Option<Box<str>>,
}

/// The value of a key that the record does not have.
const NULL: &str = "__HIVE_DEFAULT_PARTITION__";

/// The maximum length of the name of a file or folder on most file systems, in bytes.
const NAME_LIMIT: usize = 255;

const HOUR: i64 = 60 * 60 * 1000;

impl Span {
    /// The length in milliseconds.
    fn millis(self) -> i64 {
        match self {
            Span::Day => 24 * HOUR,
            Span::Hour => HOUR,
        }
    }
}

impl Partition {
    /// The keys in the names of folders.
    pub(super) fn keys(&self) -> impl Iterator<Item = &'static str> + Clone {
        let time: &[&str] = match self.time {
            None => &[],
            Some(Span::Day) => &["day"],
            Some(Span::Hour) => &["day", "hour"],
        };
        time.iter().copied().chain(self.did.then_some("did"))
    }

    /// The span and the did of the partition of a record. An empty did is no did.
    pub(super) fn parts<'d>(
        &self,
        time: Option<&Timestamp<'_>>,
        did: Option<&'d str>,
    ) -> (Option<i64>, Option<&'d str>) {
        let span = self.time.zip(time);
        let span = span.map(|(span, time)| time.millis().div_euclid(span.millis()));
        (span, did.filter(|did| self.did && !did.is_empty()))
    }

    /// Checks that the partition of a did can have a folder of its own.
    pub(super) fn check(did: Option<&str>) -> Result<(), Box<Error>> {
        let Some(did) = did else { return Ok(()) };
        let len = "did=".len() + encoded(did).len();
        let message = if did == NULL {
            format!(
                "the folder did={NULL} is for records without a did, so a did can't be `{NULL}`"
            )
        } else if len > NAME_LIMIT {
            format!(
                "the did `{}` is too long for a folder: did= and the percent-encoded did have {len} bytes, expected \
                 at most {NAME_LIMIT}",
                shown(did)
            )
        } else {
            return Ok(());
        };
        Err(Error::new("partition", message).into())
    }

    /// Returns the path of the folder of a record, relative to the folder of all partitions, with `/` between
    /// folders. An empty did is no did. A did is not checked: it may have no folder of its own.
    #[must_use]
    pub fn folder(&self, time: Option<&Timestamp<'_>>, did: Option<&str>) -> String {
        let (span, did) = self.parts(time, did);
        self.folder_of(&PartitionKey {
            span,
            did: did.map(Box::from),
        })
    }

    /// The path of the folder of a partition.
    pub(super) fn folder_of(&self, key: &PartitionKey) -> String {
        let mut folders = Vec::new();
        if let Some(span) = self.time {
            let start = key.span.map(|number| number.saturating_mul(span.millis()));
            let date = start.and_then(|start| jiff::Timestamp::from_millisecond(start).ok());
            let text = date.map(|date| date.to_string());
            let (day, rest) = text
                .as_deref()
                .and_then(|text| text.split_once('T'))
                .unwrap_or((NULL, NULL));
            folders.push(format!("day={day}"));
            if span == Span::Hour {
                let hour = if rest == NULL { NULL } else { &rest[..2] };
                folders.push(format!("hour={hour}"));
            }
        }
        if self.did {
            let did = key.did.as_deref();
            folders.push(format!("did={}", did.map_or(NULL.to_owned(), encoded)));
        }
        folders.join("/")
    }
}

/// A text as part of the name of a folder.
fn encoded(text: &str) -> String {
    let mut name = String::new();
    for byte in text.bytes() {
        match byte {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' | b'_' | b'.' => name.push(byte.into()),
            byte => name.push_str(&format!("%{byte:02X}")),
        }
    }
    name
}
