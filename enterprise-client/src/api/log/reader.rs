//! Reading a log page after page, from a position that can be stored.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{KEPT, Log, Record, Sort, WINDOW, rounded_up};
use crate::error::Error;
use crate::exchange::{Call, Page};
use crate::mode::{Async, Mode};
use crate::model::Timestamp;

/// A position in the log of a device. A [`Reader`] continues there, in the same run of a program or in another
/// one: a position can be stored as JSON.
///
/// The server has no cursor, and its requests begin at whole seconds. A position is therefore a time, and the
/// records from this time on that were read already.
///
/// # Examples
/// ```
/// use gizwits_enterprise_client::Timestamp;
/// use gizwits_enterprise_client::log::Position;
///
/// let position = Position::at(Timestamp::from_seconds(1_517_384_243));
/// assert_eq!(serde_json::to_string(&position)?, r#"{"from":1517384243}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// The time before which no record is missing.
    from: Timestamp,
    /// The records from that time on that were read: by their second and their hash, their number.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    read: BTreeMap<i64, BTreeMap<u64, u32>>,
}

impl Position {
    /// The position before the first record at this time or later.
    #[must_use]
    pub fn at(from: Timestamp) -> Self {
        Position {
            from,
            read: BTreeMap::new(),
        }
    }

    /// The time before which all records were read.
    #[must_use]
    pub fn from(&self) -> Timestamp {
        self.from
    }

    /// Moves the position forward to a time, before which all records were read.
    fn advance(&mut self, from: Timestamp) {
        self.from = self.from.max(from);
        self.read = self.read.split_off(&self.from.seconds());
    }
}

/// A reader of the log of a device, from [`Call::read_from`]. It returns every record from its position on once,
/// in the order of the log.
///
/// A request begins two seconds before the last record that was read, and records that come again are left out.
/// So it does not matter whether records were added or have expired since the last request, nor whether the
/// server counts the first and the last second of a span as part of it.
#[must_use = "nothing is fetched until a page is asked for"]
pub struct Reader<M, T> {
    call: Call<M, Log<T>>,
    position: Position,
    until: Option<Timestamp>,
    /// The last second that is requested. The first page determines it, by the server's clock.
    end: Option<i64>,
    skip: u64,
    /// The total that the server sent when `skip` was 0, and how often that has changed since the last move.
    total: Option<u64>,
    changes: u32,
    /// The records of `position` that the pages since its last move did not contain.
    expected: BTreeMap<i64, BTreeMap<u64, u32>>,
    /// The hashes of the page before, by which a server is recognised that ignores `skip`.
    before: Vec<u64>,
    is_stuck: bool,
    is_done: bool,
    missing: u64,
}

impl<M, T> fmt::Debug for Reader<M, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader")
            .field("position", &self.position)
            .field("until", &self.until)
            .finish_non_exhaustive()
    }
}

impl<M: Mode, T: Record> Call<M, Log<T>> {
    /// Returns a reader of the log, which begins at a position and ends at the present second by the server's clock. The
    /// order and the span of the call have no effect.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/common/simulated.rs"));
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Done {
    /// # let (server, product): (_, gizwits_enterprise_client::Product) = simulated()?;
    /// use std::time::Duration;
    /// use gizwits_enterprise_client::log::Position;
    ///
    /// let device = product.device("cBYkSjoE2xspYMhaUHdk5k");
    /// let yesterday = product.now().await?.minus(Duration::from_secs(86_400));
    /// let mut log = device.cmd_log().read_from(Position::at(yesterday));
    /// while let Some(page) = log.next_page().await {
    ///     for record in page? {
    ///         println!("{} {}", record.timestamp, record.payload);
    ///     }
    ///     // All records so far are printed. The next run of the program can begin here.
    ///     let stored = serde_json::to_string(log.position())?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn read_from(self, position: Position) -> Reader<M, T> {
        Reader {
            call: self.sort(Sort::Asc),
            position,
            until: None,
            end: None,
            skip: 0,
            total: None,
            changes: 0,
            expected: BTreeMap::new(),
            before: Vec::new(),
            is_stuck: false,
            is_done: false,
            missing: 0,
        }
    }
}

impl<M: Mode, T: Record> Reader<M, T> {
    /// Ends the log before this time. Default: the log ends with the records that the server has when the reader
    /// begins.
    pub fn until(mut self, until: Timestamp) -> Self {
        self.until = Some(until);
        self
    }

    /// The position after the last page that was returned.
    #[must_use]
    pub fn position(&self) -> &Position {
        &self.position
    }

    /// The number of records that the server counted but did not return.
    #[must_use]
    pub fn missing(&self) -> u64 {
        self.missing
    }

    /// The call for the next page, and the last second of its span. `None` at the end. `now` is the time by the
    /// server's clock.
    fn next_call(&mut self, now: Timestamp) -> Option<(Call<M, Log<T>>, i64)> {
        let end = *self.end.get_or_insert_with(|| {
            let until = self.until.map_or(i64::MAX, rounded_up);
            until.min(now.seconds())
        });
        // The server refuses a span that begins before its oldest records.
        let start = self.position.from.max(now.minus(KEPT)).seconds();
        if self.is_done || start >= end {
            return None;
        }
        if self.skip == 0 {
            self.expected.clone_from(&self.position.read);
        }
        let stop = end.min(start.saturating_add(WINDOW));
        let mut call = self.call.clone();
        call.operation.between = None;
        call.operation.window = Some((start, stop));
        if !call.parts.query.iter().any(|(name, _)| name == "limit") {
            call = call.limit(1000);
        }
        Some((call.skip(self.skip), stop))
    }

    /// Returns the new records of a page, and moves the position behind them.
    fn take(&mut self, page: Page<T>, stop: i64) -> Result<Vec<T>, Error> {
        let got = page.objects.len() as u64;
        let total = page.total();
        let passed = self.skip.saturating_add(got);
        // Without a total, or with a total that is too small, only the link shows that there are more records.
        let (link, echo) = match &page.meta {
            Some(meta) => (meta.next.is_some(), meta.skip),
            None => (false, None),
        };
        let is_last = match total {
            Some(total) if total >= passed => total == passed,
            _ => !link,
        };
        // Records that were added or have expired have moved the others. All that were read are left out, so the
        // pages can be read again. A server whose total always changes must not keep the reader forever.
        if self.skip > 0 && total != self.total && self.changes < MAX_CHANGES {
            self.changes += 1;
            self.skip = 0;
            return Ok(Vec::new());
        }
        self.total = total;
        let seconds = || page.objects.iter().map(|record| record.time().seconds());
        if !is_last && !seconds().is_sorted() {
            let message = "the server ignores `sort=asc`, so records could be lost: read the log with `stream` or \
                `iter`";
            return Err(Error::Invalid(message.to_owned()));
        }
        let newest = seconds().max();
        let keys: Vec<u64> = page.objects.iter().map(key).collect();
        // Pages of equal records are equal, too, so a server that names the right `skip` is believed.
        let is_repeated = self.skip > 0
            && got > 0
            && keys == self.before
            && echo.is_none_or(|echo| echo != self.skip);
        let mut records = page.objects;
        if is_repeated {
            records.clear();
        }
        let mut new = Vec::new();
        for (record, key) in records.into_iter().zip(&keys) {
            let (time, second) = (record.time(), record.time().seconds());
            if let Some(count) = (self.expected.get_mut(&second)).and_then(|keys| keys.get_mut(key))
                && *count > 0
            {
                *count -= 1;
            } else if time >= self.position.from && self.until.is_none_or(|until| time < until) {
                let read = self.position.read.entry(second).or_default();
                *read.entry(*key).or_default() += 1;
                new.push(record);
            }
        }
        new.sort_by_key(T::time);
        self.before = keys;
        let next = newest.map_or(i64::MIN, |newest| newest.saturating_sub(OVERLAP));
        let start = self.position.from.seconds();
        if is_last || got == 0 || is_repeated && self.is_stuck {
            self.lack(total.unwrap_or(passed).saturating_sub(passed));
            // The answer may have corrected the clock. Records of a second to come are not complete yet.
            let complete = stop.min(self.call.context(None).now.seconds());
            self.go_on(complete.saturating_sub(OVERLAP).max(start));
            // The last second of the span is requested again only by another reader.
            self.is_done = self.end == Some(stop);
            self.is_stuck = false;
        } else if is_repeated {
            // A server that ignores `skip` can't return more records of these seconds.
            self.lack(1);
            self.go_on(newest.unwrap_or(start).max(start).saturating_add(1));
            self.is_stuck = true;
        } else if next > start {
            self.go_on(next);
            self.is_stuck = false;
        } else {
            self.skip = passed;
        }
        Ok(new)
    }

    fn go_on(&mut self, second: i64) {
        self.position.advance(Timestamp::from_seconds(second));
        self.skip = 0;
        self.changes = 0;
    }

    fn lack(&mut self, missing: u64) {
        if missing > 0 {
            tracing::warn!(missing, "the server counted more records than it returned");
        }
        self.missing = self.missing.saturating_add(missing);
    }
}

impl<T: Record> Reader<Async, T> {
    /// Fetches the next page and returns its new records, which may be none. `None` at the end.
    ///
    /// # Errors
    /// The errors of a call. The position stays as it was, so that the page can be asked for again.
    pub async fn next_page(&mut self) -> Option<Result<Vec<T>, Error>> {
        let now = match self.call.clone().server_time().await {
            Ok(now) => now,
            Err(error) => return Some(Err(error)),
        };
        let (call, stop) = self.next_call(now)?;
        let page = call.send().await;
        Some(page.and_then(|page| self.take(page, stop)))
    }
}

#[cfg(feature = "blocking")]
impl<T: Record> Reader<crate::mode::Blocking, T> {
    /// Fetches the next page and returns its new records, which may be none. `None` at the end.
    ///
    /// # Errors
    /// The errors of a call. The position stays as it was, so that the page can be asked for again.
    pub fn next_page(&mut self) -> Option<Result<Vec<T>, Error>> {
        let now = match self.call.mode.wait(self.call.clone().server_time()) {
            Ok(now) => now,
            Err(error) => return Some(Err(error)),
        };
        let (call, stop) = self.next_call(now)?;
        let page = call.send();
        Some(page.and_then(|page| self.take(page, stop)))
    }
}

/// The seconds that are requested again: one in case the server excludes the first second of a span, and one for
/// records that the server adds late.
const OVERLAP: i64 = 2;
/// The maximum number of times that the same pages are read again because the total has changed.
const MAX_CHANGES: u32 = 20;

/// The hash of a record: 64-bit FNV-1a of its JSON. Positions are stored, so the hash must never change. The
/// hashes of the standard library may change with its version.
fn key(record: &impl Serialize) -> u64 {
    let json = serde_json::to_string(record).unwrap_or_default();
    json.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
