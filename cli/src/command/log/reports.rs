//! The reports of a log in order, and their values.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use gizwits_codec_std::core::{P0, Raw};
use gizwits_codec_std::log::{Format, Record, Sink};
use gizwits_codec_std::{Attr, Content, Decoded, PointId, Product, payload};
use serde_json::{Value, json};

/// Sees every report in order.
pub(crate) trait See: Send + 'static {
    fn see(&mut self, record: &Record<'_>, product: usize, decoded: &Decoded<'_, '_>);

    /// What ends the log.
    fn failed(&self) -> io::Result<()>;
}

/// A log that is looked at and not written: one worker, so that reports come in order.
pub(crate) struct Seen<T>(pub(super) Arc<Mutex<T>>);

impl<T: See> Format for Seen<T> {
    type Sink = Self;

    fn sink(&self) -> Self {
        Seen(Arc::clone(&self.0))
    }

    fn write(&mut self, _: &mut ()) -> io::Result<()> {
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<T: See> Sink for Seen<T> {
    type Block = ();

    fn record(
        &mut self,
        _: &mut (),
        record: &Record<'_>,
        product: usize,
        decoded: &Decoded<'_, '_>,
    ) {
        // A control says what somebody wants.
        if let Content::P0(P0::Report(_) | P0::Reply(_)) = decoded.content {
            let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            seen.see(record, product, decoded);
        }
    }

    fn end(&mut self, _: &mut ()) -> io::Result<()> {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.failed()
    }
}

#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Known {
    Number(u32),
    Bytes(Vec<u8>),
}

impl From<Raw<'_>> for Known {
    fn from(raw: Raw<'_>) -> Self {
        match raw {
            Raw::Number(raw) => Known::Number(raw),
            Raw::Bytes(bytes) => Known::Bytes(bytes.to_vec()),
        }
    }
}

/// A value as the definition has it.
pub(crate) fn shown(product: &Product, attr: &Attr, known: &Known) -> Value {
    match known {
        Known::Bytes(bytes) => payload::hex(bytes).into(),
        Known::Number(raw) if attr.is_bool() => json!(raw),
        Known::Number(raw) => match attr.label_of(*raw) {
            Some(label) => json!(label),
            None => decimal(product, attr.id(), *raw),
        },
    }
}

pub(crate) fn decimal(product: &Product, id: PointId, raw: u32) -> Value {
    let value = product.layout().scale(id).map(|scale| scale.value(raw));
    serde_json::to_value(value).unwrap_or_default()
}
