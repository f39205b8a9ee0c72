//! The reports and replies of a log, one by one, for commands that compute something from their values.

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gizwits_codec_std::core::{P0, View};
use gizwits_codec_std::log::{Format, Log, Options, Products, Record, Sink, Timestamp};
use gizwits_codec_std::{Attr, Content, Decoded, Error, PointId, Product};
use serde_json::{Value, json};

use super::input::Input;
use super::totals::Totals;
use crate::failure::{Failure, usage};

/// A report or reply of a log.
pub(super) struct Report<'r> {
    /// The device.
    pub(super) did: &'r str,
    /// The index of the product.
    pub(super) product: usize,
    /// The timestamp in milliseconds since 1970.
    pub(super) millis: Option<i64>,
    /// The values of the report, which may be some of the points only.
    pub(super) view: View<'r, 'r>,
}

/// Receives the reports and replies of a log.
pub(super) trait Observer: Send + 'static {
    /// Receives the next report, in the order of the log.
    ///
    /// # Errors
    /// If the log must not be read any further. The error ends the command.
    fn observe(&mut self, report: &Report<'_>) -> io::Result<()>;
}

/// A log format that writes nothing and passes reports to an observer. The observer is shared because the
/// format is used by the thread of the caller and its sink by worker threads.
struct Observed<T>(Arc<Mutex<T>>);

/// Locks an observer. If a worker has panicked, `Log::decode` has already failed.
pub(super) fn lock<T>(observer: &Mutex<T>) -> MutexGuard<'_, T> {
    observer.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Passes every report and reply of the logs to the observer, in the order of the logs. Records that name no
/// device are rejected.
pub(super) fn observe<'i, T: Observer>(
    input: &'i Input,
    products: &Products,
    observer: &Arc<Mutex<T>>,
    written: &[&Path],
) -> Result<Totals<'i>, Failure> {
    let options = Options {
        known_devices: true,
        ..input.options()
    };
    let log = Log::new(products).options(options).ordered(true);
    input.decode(log, Observed(Arc::clone(observer)), written)
}

impl<T: Observer> Format for Observed<T> {
    type Sink = Self;

    fn sink(&self) -> Self {
        Observed(Arc::clone(&self.0))
    }

    fn write(&mut self, failed: &mut Option<io::Error>) -> io::Result<()> {
        failed.take().map_or(Ok(()), Err)
    }

    fn finish(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<T: Observer> Sink for Observed<T> {
    type Block = Option<io::Error>;

    fn record(
        &mut self,
        failed: &mut Option<io::Error>,
        record: &Record<'_>,
        product: usize,
        decoded: &Decoded<'_, '_>,
    ) -> Result<(), Box<Error>> {
        // A control has the values that somebody wants, not the values of the device.
        if let Content::P0(P0::Report(view) | P0::Reply(view)) = decoded.content
            && failed.is_none()
        {
            // `known_devices` rejects records without a did before they come here.
            let did = &*record.device(decoded).unwrap_or_default();
            let millis = record.timestamp.as_ref().map(Timestamp::millis);
            let report = Report {
                did,
                product,
                millis,
                view,
            };
            *failed = lock(&self.0).observe(&report).err();
        }
        Ok(())
    }
}

/// The error of a point that no product has. It suggests a similar name.
pub(super) fn unknown_point(products: &Products, name: &str) -> Failure {
    let errors = products
        .iter()
        .filter_map(|product| product.require(name).err());
    let messages = errors.map(|error| error.message);
    // The suggestion of any product is better than the list of the points of the first.
    let best = messages.min_by_key(|message| !message.contains("did you mean"));
    usage(best.unwrap_or_else(|| format!("unknown point `{name}`")))
}

/// The label of an enum value, or the engineering value of any other number.
pub(super) fn engineering_value(product: &Product, attr: &Attr, raw: u32) -> Value {
    match attr.label(raw) {
        Some(label) => json!(label),
        None => decimal(product, attr.id(), raw),
    }
}

/// The engineering value of a raw value.
pub(super) fn decimal(product: &Product, id: PointId, raw: u32) -> Value {
    let value = product.layout().scale(id).map(|scale| scale.value(raw));
    json!(value)
}

/// The text of a value: JSON, but strings without quotes.
pub(super) fn plain(value: Value) -> String {
    match value {
        Value::String(text) => text,
        value => value.to_string(),
    }
}
