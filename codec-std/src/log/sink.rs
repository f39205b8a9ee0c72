//! Forms of output: sinks that workers fill with records, and formats that write what they filled.

#[cfg(feature = "arrow")]
pub(crate) mod arrow;
pub(crate) mod columns;
pub(crate) mod csv;
mod location;
pub(crate) mod ndjson;
#[cfg(feature = "parquet")]
pub(crate) mod parquet;
mod point_text;
mod table;

use std::io;

use super::record::Record;
use super::record::lazy::LazyRecord;
use crate::message::{Decoded, Status};

/// A form of output: makes the sinks that workers fill, and writes what they filled in order.
pub trait Format {
    /// The sink that a worker fills.
    type Sink: Sink;

    /// A sink for one more worker.
    fn sink(&self) -> Self::Sink;

    /// Writes a block and leaves it empty. Blocks come in the order of the input.
    ///
    /// # Errors
    /// If writing fails.
    fn write(&mut self, block: &mut <Self::Sink as Sink>::Block) -> io::Result<()>;

    /// Writes what comes last.
    ///
    /// # Errors
    /// If writing fails.
    fn finish(&mut self) -> io::Result<()>;

    /// About how many bytes of input a block has.
    fn block_len(&self) -> usize {
        1 << 20
    }

    /// About how many bytes it makes of a record at most: with the memory that a block may take, this
    /// limits its lines.
    fn record_len(&self) -> usize {
        0
    }
}

/// Turns records into the blocks of one worker.
pub trait Sink: Send + 'static {
    /// The output for a block of lines.
    type Block: Default + Send + 'static;

    /// Adds a record of one of the products to the block.
    fn record(
        &mut self,
        block: &mut Self::Block,
        record: &Record<'_>,
        product: usize,
        decoded: &Decoded<'_, '_>,
    );

    /// Adds what nearly all records are: a status in a plain frame. The record is made only if it is asked
    /// for, so sinks that can do with less have one of their own.
    #[inline]
    fn status(
        &mut self,
        block: &mut Self::Block,
        line: &LazyRecord<'_>,
        product: usize,
        status: &Status<'_, '_>,
    ) {
        self.record(block, &line.record(), product, &status.decoded());
    }

    /// Ends a block.
    ///
    /// # Errors
    /// If it can't be made.
    fn end(&mut self, _: &mut Self::Block) -> io::Result<()> {
        Ok(())
    }
}

/// Formats of one product each, side by side: tables, which have the columns of one product.
#[derive(Debug)]
pub struct ByProduct<F>(Vec<F>);

impl<F: Format> ByProduct<F> {
    /// A format for each of the products of a log, in their order.
    pub fn new(formats: Vec<F>) -> Self {
        ByProduct(formats)
    }
}

impl<F: Format> Format for ByProduct<F> {
    type Sink = ByProduct<F::Sink>;

    fn sink(&self) -> Self::Sink {
        ByProduct(self.0.iter().map(F::sink).collect())
    }

    fn write(&mut self, blocks: &mut Vec<<F::Sink as Sink>::Block>) -> io::Result<()> {
        let mut pairs = self.0.iter_mut().zip(blocks);
        pairs.try_for_each(|(format, block)| format.write(block))
    }

    fn finish(&mut self) -> io::Result<()> {
        self.0.iter_mut().try_for_each(F::finish)
    }

    fn block_len(&self) -> usize {
        self.0.iter().map(F::block_len).max().unwrap_or(1)
    }

    fn record_len(&self) -> usize {
        self.0.iter().map(F::record_len).max().unwrap_or(0)
    }
}

impl<S: Sink> ByProduct<S> {
    /// The sink and the block of a product.
    #[inline(always)]
    fn of<'s>(
        &'s mut self,
        blocks: &'s mut Vec<S::Block>,
        product: usize,
    ) -> Option<(&'s mut S, &'s mut S::Block)> {
        blocks.resize_with(self.0.len(), S::Block::default);
        self.0.get_mut(product).zip(blocks.get_mut(product))
    }
}

impl<S: Sink> Sink for ByProduct<S> {
    type Block = Vec<S::Block>;

    fn record(
        &mut self,
        blocks: &mut Self::Block,
        record: &Record<'_>,
        product: usize,
        decoded: &Decoded<'_, '_>,
    ) {
        if let Some((sink, block)) = self.of(blocks, product) {
            sink.record(block, record, 0, decoded);
        }
    }

    #[inline(always)]
    fn status(
        &mut self,
        blocks: &mut Self::Block,
        line: &LazyRecord<'_>,
        product: usize,
        status: &Status<'_, '_>,
    ) {
        if let Some((sink, block)) = self.of(blocks, product) {
            sink.status(block, line, 0, status);
        }
    }

    fn end(&mut self, blocks: &mut Self::Block) -> io::Result<()> {
        blocks.resize_with(self.0.len(), S::Block::default);
        let mut pairs = self.0.iter_mut().zip(blocks);
        pairs.try_for_each(|(sink, block)| sink.end(block))
    }
}
