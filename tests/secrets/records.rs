//! A collector of the traces and log lines of all threads.

use std::fmt::{Debug, Write as _};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::planted::PROBE;

static TEXT: Mutex<String> = Mutex::new(String::new());

fn text() -> MutexGuard<'static, String> {
    TEXT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Captures the records of `tracing` and `log` at every level, from now on.
pub(crate) fn capture() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        tracing::subscriber::set_global_default(Records).unwrap();
        log::set_logger(&Records).unwrap();
        log::set_max_level(log::LevelFilter::Trace);
    });
}

/// Returns the records so far.
pub(crate) fn captured() -> Vec<u8> {
    text().clone().into_bytes()
}

/// Asserts that a text in a span, in an event and in a record of `log` is captured.
pub(crate) fn check() {
    capture();
    for say in [
        || log::trace!("{PROBE}"),
        || tracing::trace!("{PROBE}"),
        || tracing::trace!(value = PROBE),
        || drop(tracing::trace_span!("span", value = PROBE)),
    ] {
        // Other tests may write records at the same time.
        say();
        let mut text = text();
        assert!(text.contains(PROBE));
        *text = text.replace(PROBE, "");
    }
}

struct Records;

struct Fields<'t>(&'t mut String);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let _ = write!(self.0, " {}={value:?}", field.name());
    }
}

impl Subscriber for Records {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut text = text();
        let metadata = span.metadata();
        let _ = write!(text, "\n{} {}", metadata.target(), metadata.name());
        span.record(&mut Fields(&mut text));
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        values.record(&mut Fields(&mut text()));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut text = text();
        let _ = write!(text, "\n{}", event.metadata().target());
        event.record(&mut Fields(&mut text));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

impl log::Log for Records {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        let _ = write!(text(), "\n{} {}", record.target(), record.args());
    }

    fn flush(&self) {}
}
