//! A format for the records with some of the actions.

use std::io;

use gizwits_codec_core::Action;

use super::{Format, Sink};
use crate::error::Error;
use crate::log::record::Record;
use crate::log::record::lazy::LazyRecord;
use crate::message::{Decoded, Status};

/// A format that leaves out all records except those with the chosen actions.
///
/// Records are left out after they were decoded: the [`Summary`](crate::log::Summary) counts them as decoded, and
/// they update the states of [`Options::fill`](crate::log::Options::fill).
///
/// ```
/// use gizwits_codec_std::log::{Log, Ndjson, Only, Products, Source};
/// use gizwits_codec_std::{Action, Product};
///
/// let definition = std::fs::read_to_string("../tests/fixtures/air-conditioner.json")?;
/// let products = Products::one(Product::from_json(&definition)?);
/// let mut lines = Vec::new();
/// let mut only = Only::new(Ndjson::new(&products, &mut lines), [Action::Control]);
/// let input = Source::new("input", &b"02\n014000000018\n"[..]);
/// Log::new(&products).decode([input], &mut only)?;
/// assert_eq!(only.left_out(), 1);
/// assert_eq!(lines, b"{\"action\":\"control\",\"attrs\":{\"set_temp\":24}}\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Only<F> {
    format: F,
    chosen: Chosen,
    left_out: u64,
}

/// A bit for each chosen action, at the action's number.
#[derive(Clone, Copy, Debug)]
struct Chosen(u8);

impl Chosen {
    #[inline]
    fn contains(self, action: usize) -> bool {
        self.0 >> action & 1 == 1
    }
}

impl<F> Only<F> {
    /// Restricts a format to the records with these actions. Transparent payloads, messages of gateways and frames
    /// without data points have none of them.
    pub fn new(format: F, actions: impl IntoIterator<Item = Action>) -> Self {
        let number = |action| match action {
            Action::Control => 0,
            Action::Read => 1,
            Action::Reply => 2,
            Action::Report => 3,
        };
        let bits = actions.into_iter().map(|action| 1 << number(action));
        Only {
            format,
            chosen: Chosen(bits.fold(0, |all, bit: u8| all | bit)),
            left_out: 0,
        }
    }

    /// The number of decoded records that were left out.
    pub fn left_out(&self) -> u64 {
        self.left_out
    }
}

/// The sink of [`Only`].
#[derive(Debug)]
pub struct OnlySink<S> {
    sink: S,
    chosen: Chosen,
}

/// A block of the inner format, and the number of records that were left out of it.
#[derive(Debug, Default)]
pub struct OnlyBlock<B> {
    block: B,
    left_out: u64,
}

impl<F: Format> Format for Only<F> {
    type Sink = OnlySink<F::Sink>;

    fn sink(&self) -> Self::Sink {
        OnlySink {
            sink: self.format.sink(),
            chosen: self.chosen,
        }
    }

    fn write(&mut self, block: &mut <Self::Sink as Sink>::Block) -> io::Result<()> {
        self.left_out += std::mem::take(&mut block.left_out);
        self.format.write(&mut block.block)
    }

    fn finish(&mut self) -> io::Result<()> {
        self.format.finish()
    }

    fn block_len(&self) -> usize {
        self.format.block_len()
    }

    fn record_len(&self) -> usize {
        self.format.record_len()
    }
}

impl<S: Sink> Sink for OnlySink<S> {
    type Block = OnlyBlock<S::Block>;

    fn record(
        &mut self,
        block: &mut Self::Block,
        record: &Record<'_>,
        product: usize,
        decoded: &Decoded<'_, '_>,
    ) -> Result<(), Box<Error>> {
        match self.chosen.contains(decoded.action_number()) {
            true => self.sink.record(&mut block.block, record, product, decoded),
            false => {
                block.left_out += 1;
                Ok(())
            }
        }
    }

    #[inline]
    fn status(
        &mut self,
        block: &mut Self::Block,
        line: &LazyRecord<'_>,
        product: usize,
        status: &Status<'_, '_>,
    ) -> Result<(), Box<Error>> {
        match self.chosen.contains(status.action_number()) {
            true => self.sink.status(&mut block.block, line, product, status),
            false => {
                block.left_out += 1;
                Ok(())
            }
        }
    }

    fn end(&mut self, block: &mut Self::Block) -> io::Result<()> {
        self.sink.end(&mut block.block)
    }
}
