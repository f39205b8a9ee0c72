//! The logs of a device: when it was online, its frames, its values.

use std::marker::PhantomData;
use std::time::Duration;

use serde::de::{self, DeserializeOwned};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::error::Error;
use crate::exchange::call::{Call, Context, Definition, Operation, Received};
use crate::exchange::driver::Parts;
use crate::exchange::paging::{Page, Paged};
use crate::mode::Front;
use crate::model::scalar::{Extra, model, open_enum};
use crate::model::time::Timestamp;
use crate::model::values::Attrs;

/// The order of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sort {
    /// The oldest first.
    Asc,
    /// The newest first.
    Desc,
}

/// The span of a log, and its order.
#[derive(Clone, Copy, Debug, Default)]
struct Span {
    between: Option<(Timestamp, Timestamp)>,
    /// One window of a walk, checked, in seconds: it stays as it is while its pages are fetched.
    window: Option<(i64, i64)>,
    sort: Option<Sort>,
}

/// The server's limit.
const TWO_DAYS: Duration = Duration::from_secs(172_800);
/// What is asked for at once: a sister API takes a second less than two days.
const WINDOW: Duration = Duration::from_secs(172_799);
/// How long logs are kept.
const KEPT: Duration = Duration::from_secs(7 * 86_400);
/// What passes between the caller's look at the clock and ours.
const SLACK: Duration = Duration::from_secs(60);

impl Span {
    /// The span, checked against what the server keeps, by its clock as far as it told. A clock that
    /// was put right by a wrong word refuses nothing that ours allows.
    fn checked(&self, context: &Context<'_>) -> Result<Option<(Timestamp, Timestamp)>, Error> {
        let Some(between) = self.between else {
            return Ok(None);
        };
        let checked = checked(between, context.now)
            .or_else(|error| checked(between, context.ours).map_err(|_| error))?;
        Ok(Some(checked))
    }

    /// The same in windows that the server answers. Neighbours share a second, since whether the ends
    /// belong to a window is not documented.
    fn windows(&self, context: &Context<'_>) -> Result<Vec<Span>, Error> {
        let now = context.now;
        let (start, end) = match (self.checked(context)?, self.sort) {
            (Some((start, end)), _) => (start.seconds(), ceiled(end)),
            // The server's own window begins later with each page, which moves what is counted from
            // its beginning.
            (None, Some(Sort::Asc)) => (now.minus(WINDOW).seconds(), now.seconds()),
            (None, _) => return Ok(vec![*self]),
        };
        // In ascending order what comes meanwhile moves nothing.
        let sort = self.sort.unwrap_or(Sort::Asc);
        let mut windows = Vec::new();
        let mut from = start;
        while from < end {
            let to = end.min(from.saturating_add(WINDOW.as_secs().cast_signed()));
            windows.push(Span {
                between: None,
                window: Some((from, to)),
                sort: Some(sort),
            });
            from = to;
        }
        if sort == Sort::Desc {
            windows.reverse();
        }
        Ok(windows)
    }

    /// What one call asks for, in whole seconds.
    fn one_call(&self, context: &Context<'_>) -> Result<Option<(i64, i64)>, Error> {
        if self.window.is_some() {
            return Ok(self.window);
        }
        let Some((start, end)) = self.checked(context)? else {
            return Ok(None);
        };
        if end.since(start) > TWO_DAYS {
            return Err(Error::invalid(
                "one call answers at most two days; walk a longer span with `stream()` or `iter()`",
            ));
        }
        let end = ceiled(end);
        let longest = end.saturating_sub(WINDOW.as_secs().cast_signed());
        Ok(Some((start.seconds().max(longest), end)))
    }

    /// The query of one call.
    fn request(&self, parts: &Parts, context: &Context<'_>) -> Result<Parts, Error> {
        let mut parts = parts.clone();
        if let Some((start, end)) = self.one_call(context)? {
            parts.set("start_ts", start.to_string());
            parts.set("end_ts", end.to_string());
        }
        if let Some(sort) = self.sort {
            parts.set(
                "sort",
                match sort {
                    Sort::Asc => "asc",
                    Sort::Desc => "desc",
                },
            );
        }
        Ok(parts)
    }
}

/// The part of a span that the server may have.
fn checked(
    (start, end): (Timestamp, Timestamp),
    now: Timestamp,
) -> Result<(Timestamp, Timestamp), Error> {
    let oldest = now.minus(KEPT);
    if start < oldest.minus(SLACK) {
        return Err(Error::invalid(format!(
            "the log is kept for seven days, from {oldest} on; the span begins at {start}"
        )));
    }
    // The second that has begun is not over.
    let last = Timestamp::from_seconds(now.seconds());
    let span = (start.max(oldest), end.min(last));
    if span.0.seconds() >= ceiled(span.1) {
        return Err(Error::invalid(format!(
            "the span from {start} to {end} is empty; it is {now} now"
        )));
    }
    Ok(span)
}

/// The end of the second that it is in.
fn ceiled(moment: Timestamp) -> i64 {
    let seconds = moment.seconds();
    seconds.saturating_add(i64::from(Timestamp::from_seconds(seconds) < moment))
}

/// What a log consists of.
pub trait Record: DeserializeOwned + Serialize + Send + 'static {
    #[doc(hidden)]
    const DECODES: bool = false;

    #[doc(hidden)]
    fn moment(&self) -> Timestamp;

    #[doc(hidden)]
    fn decode(&mut self, definition: &Definition) {
        let _ = definition;
    }
}

/// A log of a device: [`Online`], [`CmdLog`] or [`Data`].
pub struct Log<T> {
    span: Span,
    decodes: bool,
    record: PhantomData<fn() -> T>,
}

/// [`Device::online`](crate::api::device::Device::online)
pub type Online = Log<Connection>;
/// [`Device::cmd_log`](crate::api::device::Device::cmd_log)
pub type CmdLog = Log<Command>;
/// [`Device::data`](crate::api::device::Device::data)
pub type Data = Log<Snapshot>;

impl<T: Record> Log<T> {
    pub(crate) fn new() -> Self {
        Log {
            span: Span::default(),
            decodes: T::DECODES,
            record: PhantomData,
        }
    }
}

impl<T> Clone for Log<T> {
    fn clone(&self) -> Self {
        Log {
            span: self.span,
            decodes: self.decodes,
            record: PhantomData,
        }
    }
}

impl<T: Record> Operation for Log<T> {
    type Output = Page<T>;

    fn requests(&self, parts: &Parts, context: &Context<'_>) -> Result<Vec<Parts>, Error> {
        self.span.request(parts, context).map(|parts| vec![parts])
    }

    fn read(&self, received: &Received<'_>) -> Result<Page<T>, Error> {
        let mut page: Page<T> = received.json()?;
        let definition = received.context.definition;
        if let Some(definition) = definition.filter(|_| self.decodes) {
            page.objects
                .iter_mut()
                .for_each(|record| record.decode(definition));
        }
        Ok(page)
    }

    fn wants_definition(&self) -> bool {
        self.decodes
    }
}

impl<T: Record> Paged for Log<T> {
    type Item = T;

    fn windows(&self, context: &Context<'_>) -> Result<Vec<Self>, Error> {
        let windows = self.span.windows(context)?;
        let window = |span| Log {
            span,
            ..self.clone()
        };
        Ok(windows.into_iter().map(window).collect())
    }

    fn is_shared(&self, record: &T) -> bool {
        let second = record.moment().seconds();
        // Outside, if the server's windows are wider than what is asked for.
        let inside = |(start, end)| second > start && second < end;
        self.span.window.is_some_and(|window| !inside(window))
    }
}

impl<C: Front, T: Record> Call<C, Log<T>> {
    /// From here to there; the last two days unless told otherwise. One `send` answers at most two
    /// days, and of two whole days all but the first second; walking cuts a longer span into windows.
    /// Nothing is older than seven days.
    pub fn between(mut self, start: impl Into<Timestamp>, end: impl Into<Timestamp>) -> Self {
        self.operation.span.between = Some((start.into(), end.into()));
        self
    }

    /// The order. The newest comes first unless told otherwise; when a span is walked, the oldest.
    pub fn sort(mut self, sort: Sort) -> Self {
        self.operation.span.sort = Some(sort);
        self
    }
}

#[cfg(feature = "codec")]
impl<C: Front> Call<C, CmdLog> {
    /// Leaves the payloads as they are, which saves the call for the definition.
    pub fn undecoded(mut self) -> Self {
        self.operation.decodes = false;
        self
    }
}

open_enum! {
    /// What happened to a device's connection.
    ConnectionKind {
        /// It came.
        Online = "dev_online",
        /// It went.
        Offline = "dev_offline",
        /// It came back before the cloud knew that it went.
        Reonline = "dev_re_online",
    }

    /// Why a device went.
    OfflineReason {
        /// It said so.
        MqttDisconnect = "mqtt_disconnect",
        /// It was silent for too long.
        NoHeartbeat = "no_heartbeat",
        /// Its connection was closed.
        TcpClosed = "tcp_closed",
        /// Its TLS connection was closed.
        SslClosed = "ssl_closed",
        /// The cloud made it.
        OfflineForce = "offline_force",
        /// It was reset.
        OfflineReset = "offline_reset",
        /// Something failed.
        OfflineException = "offline_exception",
        /// It sent too often.
        SendingDensity = "offline_sending_density_overflow",
        /// It sent too much.
        SendingDataSize = "offline_sending_data_size_overflow",
    }

    /// Which way a frame went.
    Direction {
        /// From the device.
        FromDevice = "dev2app",
        /// To the device.
        ToDevice = "app2dev",
    }
}

/// A device came or went.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Connection {
    /// When.
    pub timestamp: Timestamp,
    /// Which of the two.
    #[serde(rename = "type")]
    pub kind: ConnectionKind,
    /// How.
    #[serde(
        default,
        deserialize_with = "connection_detail",
        skip_serializing_if = "Option::is_none"
    )]
    pub payload: Option<ConnectionDetail>,
    /// Members that this crate doesn't know.
    #[serde(flatten)]
    pub extra: Extra,
}

impl Record for Connection {
    fn moment(&self) -> Timestamp {
        self.timestamp
    }
}

model! {
    /// How a device came or went.
    ConnectionDetail {} or {
        /// After how many seconds of silence it counts as gone: its own interval and five.
        keep_alive or "KeepAlive": u64,
        /// How many seconds it was online.
        duration: f64,
        /// How often it was heard of.
        heartbeat: Heartbeat,
        /// Why it went.
        reason: OfflineReason,
    }

    /// How often a device was heard of while it was online; intervals in seconds.
    Heartbeat {} or {
        /// How many heartbeats.
        count: u64,
        /// The longest interval.
        max: f64,
        /// From the connection to the last heartbeat, by the count.
        avg: f64,
        /// From the last heartbeat to the end.
        last: f64,
        /// The shortest interval.
        min: f64,
    }

    /// The values of a device's data points at a moment.
    Snapshot {
        /// When; whole seconds.
        ts: Timestamp,
        /// The values by name, in the conventions of [`AttrValue`](crate::AttrValue).
        attrs: Attrs,
    } or {}
}

impl Record for Snapshot {
    fn moment(&self) -> Timestamp {
        self.ts
    }
}

/// The page's table says text, its example an object.
fn connection_detail<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<ConnectionDetail>, D::Error> {
    let value = match Value::deserialize(deserializer)? {
        Value::String(text) => serde_json::from_str(&text).unwrap_or(Value::String(text)),
        value => value,
    };
    match value {
        Value::Null => Ok(None),
        value @ Value::Object(_) => Option::deserialize(value).map_err(de::Error::custom),
        value => {
            let extra = Extra::from_iter([("payload".to_owned(), value)]);
            Option::deserialize(Value::Object(extra)).map_err(de::Error::custom)
        }
    }
}

/// A frame between a device and the cloud.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Command {
    /// When.
    pub timestamp: Timestamp,
    /// Which way.
    #[serde(rename = "type")]
    pub direction: Direction,
    /// The frame, as the server writes it: hex as a rule, or base64.
    pub payload: String,
    /// What is in it, or why it can't be told; none if it wasn't asked for.
    #[cfg(feature = "codec")]
    #[serde(skip)]
    pub decoded: Option<Result<crate::model::message::Message, gizwits_codec_std::Error>>,
    /// Members that this crate doesn't know.
    #[serde(flatten)]
    pub extra: Extra,
}

impl Record for Command {
    #[cfg(feature = "codec")]
    const DECODES: bool = true;

    fn moment(&self) -> Timestamp {
        self.timestamp
    }

    #[cfg(feature = "codec")]
    fn decode(&mut self, definition: &Definition) {
        self.decoded = Some(crate::model::message::Message::read(
            definition,
            &self.payload,
        ));
    }
}
