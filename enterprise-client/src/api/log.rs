//! The logs of a device: its connections, its frames, its values.

use std::marker::PhantomData;
use std::time::Duration;

use serde::de::{self, DeserializeOwned};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Value, json};

use crate::api::device::Device;
use crate::endpoint::{self, page};
use crate::error::Error;
use crate::exchange::{
    Call, Context, Definition, Operation, Page, Paged, Received, RequestParts, Requests,
};
use crate::mode::Mode;
use crate::model::{Attrs, Extra, Timestamp, model, open_enum};

impl<M: Mode> Device<M> {
    /// The connections of the device. Only of products that aren't published, in windows of two days of
    /// the last seven.
    #[doc = page!(ONLINE)]
    pub fn online(&self) -> Call<M, Online> {
        self.call(endpoint::ONLINE, Log::new(false))
    }

    /// The frames between the device and the cloud; with the codec, decoded. Only of products that
    /// aren't published, in windows of two days of the last seven.
    #[doc = page!(CMD)]
    pub fn cmd_log(&self) -> Call<M, CmdLog> {
        self.call(endpoint::CMD, Log::new(cfg!(feature = "codec")))
    }

    /// The values of the device's data points, at each change. Only of products that aren't published,
    /// in windows of two days of the last seven.
    #[doc = page!(DATA)]
    pub fn data(&self) -> Call<M, Data> {
        self.call(endpoint::DATA, Log::new(false))
    }
}

/// The order of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sort {
    /// The oldest record first.
    Asc,
    /// The newest record first.
    Desc,
}

/// The server's limit of a span.
const TWO_DAYS: Duration = Duration::from_secs(172_800);
/// The span of one request in seconds: a sister API takes a second less than two days.
const WINDOW: i64 = 172_799;
/// How long logs are kept.
const KEPT: Duration = Duration::from_secs(7 * 86_400);
/// The time between the caller's look at the clock and this crate's.
const SLACK: Duration = Duration::from_secs(60);

/// A record of a log.
pub trait Record: DeserializeOwned + Serialize + Clone + Send + Sync + 'static {
    #[doc(hidden)]
    fn time(&self) -> Timestamp;

    #[doc(hidden)]
    fn decode(&mut self, definition: &Definition) {
        let _ = definition;
    }
}

/// A log of a device: [`Online`], [`CmdLog`] or [`Data`].
#[derive(Clone, Debug)]
pub struct Log<T> {
    between: Option<(Timestamp, Timestamp)>,
    /// A window of a walk, in seconds: it stays as it is while its pages are fetched.
    window: Option<(i64, i64)>,
    sort: Option<Sort>,
    decodes: bool,
    record: PhantomData<T>,
}

/// [`Device::online`]
pub type Online = Log<Connection>;
/// [`Device::cmd_log`]
pub type CmdLog = Log<Command>;
/// [`Device::data`]
pub type Data = Log<Snapshot>;

impl<T: Record> Log<T> {
    fn new(decodes: bool) -> Self {
        Log {
            between: None,
            window: None,
            sort: None,
            decodes,
            record: PhantomData,
        }
    }

    /// The part of the span that the server may have by its clock. A wrong clock of a server refuses
    /// nothing that the local clock allows.
    fn kept(&self, context: &Context<'_>) -> Result<Option<(Timestamp, Timestamp)>, Error> {
        let Some((start, end)) = self.between else {
            return Ok(None);
        };
        let kept = |now: Timestamp| {
            let oldest = now.minus(KEPT);
            if start < oldest.minus(SLACK) {
                return Err(format!(
                    "the log is kept for seven days, from {oldest} on; the span begins at {start}"
                ));
            }
            // The current second is not over.
            let last = Timestamp::from_seconds(now.seconds());
            let span = (start.max(oldest), end.min(last));
            if span.0.seconds() >= rounded_up(span.1) {
                return Err(format!(
                    "the span from {start} to {end} is empty; it is {now} now"
                ));
            }
            Ok(Some(span))
        };
        kept(context.now)
            .or_else(|error| kept(context.local_time).map_err(|_| error))
            .map_err(Error::Invalid)
    }

    /// The span of one request, in whole seconds.
    fn one_request(&self, context: &Context<'_>) -> Result<Option<(i64, i64)>, Error> {
        let Some((start, end)) = self.kept(context)? else {
            return Ok(self.window);
        };
        if end.since(start) > TWO_DAYS {
            let message =
                "one call answers at most two days; walk a longer span with `stream()` or `iter()`";
            return Err(Error::Invalid(message.to_owned()));
        }
        let end = rounded_up(end);
        Ok(Some((start.seconds().max(end.saturating_sub(WINDOW)), end)))
    }
}

/// Whole seconds, rounded up.
fn rounded_up(time: Timestamp) -> i64 {
    let seconds = time.seconds();
    seconds.saturating_add(i64::from(Timestamp::from_seconds(seconds) < time))
}

impl<T: Record> Operation for Log<T> {
    type Output = Page<T>;

    fn requests(&self, parts: &RequestParts, context: &Context<'_>) -> Requests {
        let mut parts = parts.clone();
        if let Some((start, end)) = self.one_request(context)? {
            parts.set("start_ts", start.to_string());
            parts.set("end_ts", end.to_string());
        }
        if let Some(sort) = self.sort {
            parts.set("sort", if sort == Sort::Asc { "asc" } else { "desc" });
        }
        Ok(vec![parts])
    }

    fn read(&self, received: &Received<'_>) -> Result<Page<T>, Error> {
        let mut page: Page<T> = received.json()?;
        if let Some(definition) = received.context.definition
            && self.decodes
        {
            let records = page.objects.iter_mut();
            records.for_each(|record| record.decode(definition));
        }
        Ok(page)
    }

    fn wants_definition(&self) -> bool {
        self.decodes
    }
}

impl<T: Record> Paged for Log<T> {
    type Item = T;

    /// Neighbours share a second: the API documentation doesn't say whether the ends belong to a
    /// window.
    fn windows(&self, context: &Context<'_>) -> Result<Vec<Self>, Error> {
        let now = context.now;
        let (start, end) = match (self.kept(context)?, self.sort) {
            (Some((start, end)), _) => (start.seconds(), rounded_up(end)),
            // The server's own window begins later with each page, which moves what is counted from
            // its beginning.
            (None, Some(Sort::Asc)) => (now.seconds() - WINDOW, now.seconds()),
            (None, _) => return Ok(vec![self.clone()]),
        };
        // In ascending order new records move nothing.
        let sort = self.sort.unwrap_or(Sort::Asc);
        let starts = (start..end).step_by(WINDOW as usize);
        let windows = starts.map(|start| Log {
            between: None,
            window: Some((start, end.min(start + WINDOW))),
            sort: Some(sort),
            ..self.clone()
        });
        let mut windows: Vec<Self> = windows.collect();
        if sort == Sort::Desc {
            windows.reverse();
        }
        Ok(windows)
    }

    fn is_shared(&self, record: &T) -> bool {
        let second = record.time().seconds();
        // Servers may answer wider windows than they are asked for.
        let inside = |(start, end)| second > start && second < end;
        self.window.is_some_and(|window| !inside(window))
    }
}

impl<M: Mode, T: Record> Call<M, Log<T>> {
    /// The span of the log. Default: the last two days. One `send` answers at most two days, and of two
    /// whole days all but the first second; a walk cuts a longer span into windows. Records are kept
    /// for seven days.
    pub fn between(mut self, start: impl Into<Timestamp>, end: impl Into<Timestamp>) -> Self {
        self.operation.between = Some((start.into(), end.into()));
        self
    }

    /// The order. Default: the newest record first; the oldest first when a span is walked.
    pub fn sort(mut self, sort: Sort) -> Self {
        self.operation.sort = Some(sort);
        self
    }
}

#[cfg(feature = "codec")]
impl<M: Mode> Call<M, CmdLog> {
    /// Leaves the payloads as they are, which saves the call for the definition.
    pub fn undecoded(mut self) -> Self {
        self.operation.decodes = false;
        self
    }
}

open_enum! {
    /// An event of a device's connection.
    ConnectionKind {
        /// The device connected.
        Online = "dev_online",
        /// The device disconnected.
        Offline = "dev_offline",
        /// The device reconnected before the cloud noticed that it was gone.
        Reonline = "dev_re_online",
    }

    /// The reason why a device disconnected.
    OfflineReason {
        /// The device announced it.
        MqttDisconnect = "mqtt_disconnect",
        /// The device was silent for too long.
        NoHeartbeat = "no_heartbeat",
        /// The TCP connection was closed.
        TcpClosed = "tcp_closed",
        /// The TLS connection was closed.
        SslClosed = "ssl_closed",
        /// The cloud closed the connection.
        OfflineForce = "offline_force",
        /// The device was reset.
        OfflineReset = "offline_reset",
        /// An exception occurred.
        OfflineException = "offline_exception",
        /// The device sent too often.
        SendingDensity = "offline_sending_density_overflow",
        /// The device sent too much data.
        SendingDataSize = "offline_sending_data_size_overflow",
    }

    /// The direction of a frame.
    Direction {
        /// The device sent the frame.
        FromDevice = "dev2app",
        /// The device received the frame.
        ToDevice = "app2dev",
    }
}

/// A device connected or disconnected.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Connection {
    /// The time.
    pub timestamp: Timestamp,
    /// The event.
    #[serde(rename = "type")]
    pub kind: ConnectionKind,
    /// The details of the event.
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
    fn time(&self) -> Timestamp {
        self.timestamp
    }
}

model! {
    /// The details of a connection event.
    ConnectionDetail {} or {
        /// The seconds of silence after which the device counts as gone: its own interval and five.
        keep_alive or "KeepAlive": u64,
        /// The seconds that the device was online.
        duration: f64,
        /// The heartbeats while the device was online.
        heartbeat: Heartbeat,
        /// The reason of a disconnection.
        reason: OfflineReason,
    }

    /// The heartbeats of a device while it was online; intervals in seconds.
    Heartbeat {} or {
        /// The number of heartbeats.
        count: u64,
        /// The longest interval.
        max: f64,
        /// The mean interval: from the connection to the last heartbeat, by the count.
        avg: f64,
        /// The interval from the last heartbeat to the end.
        last: f64,
        /// The shortest interval.
        min: f64,
    }

    /// The values of a device's data points at a moment.
    Snapshot {
        /// The time in whole seconds.
        ts: Timestamp,
        /// The values by name, in the conventions of [`AttrValue`](crate::AttrValue).
        attrs: Attrs,
    } or {}
}

impl Record for Snapshot {
    fn time(&self) -> Timestamp {
        self.ts
    }
}

/// The table of the API documentation says text, its example has an object.
fn connection_detail<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<ConnectionDetail>, D::Error> {
    let value = match Value::deserialize(deserializer)? {
        Value::String(text) => serde_json::from_str(&text).unwrap_or(Value::String(text)),
        value => value,
    };
    let value = match value {
        value @ (Value::Null | Value::Object(_)) => value,
        other => json!({"payload": other}),
    };
    Option::deserialize(value).map_err(de::Error::custom)
}

/// A frame between a device and the cloud.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Command {
    /// The time.
    pub timestamp: Timestamp,
    /// The direction of the frame.
    #[serde(rename = "type")]
    pub direction: Direction,
    /// The frame, as the server writes it: hex as a rule, or base64.
    pub payload: String,
    /// The decoded frame, or the error of decoding it; none if decoding wasn't asked for.
    #[cfg(feature = "codec")]
    #[serde(skip)]
    pub decoded: Option<Result<crate::model::Message, gizwits_codec_std::Error>>,
    /// Members that this crate doesn't know.
    #[serde(flatten)]
    pub extra: Extra,
}

impl Record for Command {
    fn time(&self) -> Timestamp {
        self.timestamp
    }

    #[cfg(feature = "codec")]
    fn decode(&mut self, definition: &Definition) {
        let frame = gizwits_codec_std::payload::parse(&self.payload, None);
        let decoded = frame.and_then(|frame| crate::model::Message::decode(definition, &frame));
        self.decoded = Some(decoded);
    }
}
