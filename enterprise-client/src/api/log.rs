//! The logs of a device: connections, frames and values.
//!
//! The server keeps the logs of seven days, and only for products that are not published. One request covers
//! at most two days. [`between`](Call::between) with `stream` or `iter` covers a longer span, and
//! [`read_from`](Call::read_from) continues where an earlier run of a program ended.

mod reader;

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

pub use reader::{Position, Reader};

impl<M: Mode> Device<M> {
    /// Returns the connections and disconnections of the device.
    #[doc = page!(ONLINE)]
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/common/simulated.rs"));
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Done {
    /// # let (server, product): (_, gizwits_enterprise_client::Product) = simulated()?;
    /// let device = product.device("cBYkSjoE2xspYMhaUHdk5k");
    /// for event in device.online().send().await?.objects {
    ///     println!("{} {}", event.timestamp, event.kind.as_str());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn online(&self) -> Call<M, Online> {
        self.call(endpoint::ONLINE, Log::new(false))
    }

    /// Returns the frames between the device and the cloud. With the feature `codec`, the frames are decoded.
    #[doc = page!(CMD)]
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/common/simulated.rs"));
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Done {
    /// # let (server, product): (_, gizwits_enterprise_client::Product) = simulated()?;
    /// let device = product.device("cBYkSjoE2xspYMhaUHdk5k");
    /// for command in device.cmd_log().limit(5).send().await?.objects {
    ///     println!("{} {:?} {}", command.timestamp, command.direction, command.payload);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn cmd_log(&self) -> Call<M, CmdLog> {
        self.call(endpoint::CMD, Log::new(cfg!(feature = "codec")))
    }

    /// Returns the values of the device's data points, with a record for each change.
    #[doc = page!(DATA)]
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/common/simulated.rs"));
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Done {
    /// # let (server, product): (_, gizwits_enterprise_client::Product) = simulated()?;
    /// let device = product.device("cBYkSjoE2xspYMhaUHdk5k");
    /// let newest = device.data().limit(1).send().await?.objects.remove(0);
    /// println!("{}: {} °C", newest.ts, newest.attrs["room_temp"]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn data(&self) -> Call<M, Data> {
        self.call(endpoint::DATA, Log::new(false))
    }
}

/// The order of the records of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sort {
    /// The oldest record first.
    Asc,
    /// The newest record first.
    Desc,
}

/// The maximum span of a request.
const TWO_DAYS: Duration = Duration::from_secs(172_800);
/// The span of a request in seconds. A related API of Gizwits accepts only a second less than two days.
const WINDOW: i64 = 172_799;
/// The time for which the server keeps logs.
const KEPT: Duration = Duration::from_secs(7 * 86_400);
/// The time that may pass between the caller's use of the clock and the check of the call.
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

/// The operation of a log: [`Online`], [`CmdLog`] or [`Data`].
#[derive(Clone, Debug)]
pub struct Log<T> {
    between: Option<(Timestamp, Timestamp)>,
    /// A window of a walk, in seconds. It doesn't move while its pages are fetched.
    window: Option<(i64, i64)>,
    sort: Option<Sort>,
    decodes: bool,
    record: PhantomData<T>,
}

/// The operation of [`Device::online`].
pub type Online = Log<Connection>;
/// The operation of [`Device::cmd_log`].
pub type CmdLog = Log<Command>;
/// The operation of [`Device::data`].
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

    /// The part of the span for which the server has records, by the server's clock. If that clock is wrong, the
    /// local clock decides, so that the client never refuses a span that is valid.
    fn kept(&self, context: &Context<'_>) -> Result<Option<(Timestamp, Timestamp)>, Error> {
        let Some((start, end)) = self.between else {
            return Ok(None);
        };
        let kept = |now: Timestamp| {
            let oldest = now.minus(KEPT);
            if start < oldest.minus(SLACK) {
                return Err(format!(
                    "logs are kept for seven days: the span begins at {start}, before {oldest}"
                ));
            }
            // The current second may get more records.
            let last = Timestamp::from_seconds(now.seconds());
            let span = (start.max(oldest), end.min(last));
            if span.0.seconds() >= rounded_up(span.1) {
                return Err(format!(
                    "the span from {start} to {end} is empty; the time is {now}"
                ));
            }
            Ok(Some(span))
        };
        kept(context.now)
            .or_else(|error| kept(context.local_time).map_err(|_| error))
            .map_err(Error::Invalid)
    }

    /// The span of a single request, in whole seconds.
    fn one_request(&self, context: &Context<'_>) -> Result<Option<(i64, i64)>, Error> {
        let Some((start, end)) = self.kept(context)? else {
            return Ok(self.window);
        };
        if end.since(start) > TWO_DAYS {
            let message =
                "a request covers at most two days: use `stream()` or `iter()` for a longer span";
            return Err(Error::Invalid(message.to_owned()));
        }
        let end = rounded_up(end);
        Ok(Some((start.seconds().max(end.saturating_sub(WINDOW)), end)))
    }
}

/// The seconds of a time, rounded up.
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

    fn wants_clock(&self) -> bool {
        let is_walk = self.window.is_some();
        !is_walk && (self.between.is_some() || self.sort == Some(Sort::Asc))
    }
}

impl<T: Record> Paged for Log<T> {
    type Item = T;

    /// Neighbouring windows share a second, because the API documentation doesn't say whether the ends belong to
    /// a window.
    fn windows(&self, context: &Context<'_>) -> Result<Vec<Self>, Error> {
        let now = context.now;
        let (start, end) = match (self.kept(context)?, self.sort) {
            (Some((start, end)), _) => (start.seconds(), rounded_up(end)),
            // The default window of the server moves with the time. Records would leave it at the beginning
            // between two pages, and `skip` would skip others.
            (None, Some(Sort::Asc)) => (now.seconds() - WINDOW, now.seconds()),
            (None, _) => return Ok(vec![self.clone()]),
        };
        // In ascending order, new records don't change the position of others.
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
        // A server may return records outside of the window.
        let inside = |(start, end)| second > start && second < end;
        self.window.is_some_and(|window| !inside(window))
    }
}

impl<M: Mode, T: Record> Call<M, Log<T>> {
    /// Sets the span of the log. `send` covers at most two days, and leaves out the first second of two whole
    /// days. `stream` and `iter` divide a longer span into windows. The server keeps records for seven days.
    /// Default: the last two days.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/common/simulated.rs"));
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Done {
    /// # let (server, product): (_, gizwits_enterprise_client::Product) = simulated()?;
    /// use std::time::Duration;
    ///
    /// let device = product.device("cBYkSjoE2xspYMhaUHdk5k");
    /// let now = product.now().await?;
    /// let week = now.minus(Duration::from_secs(7 * 86_400));
    /// // One request for each window of two days.
    /// let mut records = device.data().between(week, now).stream();
    /// while let Some(record) = records.next().await {
    ///     println!("{:?}", record?.attrs);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn between(mut self, start: impl Into<Timestamp>, end: impl Into<Timestamp>) -> Self {
        self.operation.between = Some((start.into(), end.into()));
        self
    }

    /// Sets the order of the records. Default: the newest record first, and the oldest record first for `stream`
    /// and `iter` with a span.
    pub fn sort(mut self, sort: Sort) -> Self {
        self.operation.sort = Some(sort);
        self
    }
}

#[cfg(feature = "codec")]
impl<M: Mode> Call<M, CmdLog> {
    /// Switches decoding off, so that the client doesn't need the product's definition. Default: with the feature
    /// `codec`, payloads are decoded.
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
        /// The device announced the disconnection.
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

/// A connection event of a device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Connection {
    /// The time of the event.
    pub timestamp: Timestamp,
    /// The kind of event.
    #[serde(rename = "type")]
    pub kind: ConnectionKind,
    /// The details of the event.
    #[serde(
        default,
        deserialize_with = "connection_detail",
        skip_serializing_if = "Option::is_none"
    )]
    pub payload: Option<ConnectionDetail>,
    /// Members of the answer that this crate doesn't know.
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
        /// The seconds without a message after which the server regards the device as disconnected: the
        /// heartbeat interval of the device and five seconds.
        keep_alive or "KeepAlive": u64,
        /// The seconds that the device was online.
        duration: f64,
        /// The heartbeats while the device was online.
        heartbeat: Heartbeat,
        /// The reason of a disconnection.
        reason: OfflineReason,
    }

    /// The heartbeats of a device while it was online. Intervals are in seconds.
    Heartbeat {} or {
        /// The number of heartbeats.
        count: u64,
        /// The longest interval.
        max: f64,
        /// The mean interval: the time from the connection to the last heartbeat, divided by the count.
        avg: f64,
        /// The interval from the last heartbeat to the end.
        last: f64,
        /// The shortest interval.
        min: f64,
    }

    /// The values of a device's data points at a moment.
    Snapshot {
        /// The time of the record, in whole seconds.
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

/// Reads the details of an event. They are a text in the table of the API documentation, and an object in its
/// example.
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
    /// The time of the frame.
    pub timestamp: Timestamp,
    /// The direction of the frame.
    #[serde(rename = "type")]
    pub direction: Direction,
    /// The frame in the form of the server, usually hex digits or else base64.
    pub payload: String,
    /// The decoded frame, or the error of a frame that can't be decoded. `None` if decoding is switched off.
    #[cfg(feature = "codec")]
    #[serde(skip)]
    pub decoded: Option<Result<crate::model::Message, gizwits_codec_std::Error>>,
    /// Members of the answer that this crate doesn't know.
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
