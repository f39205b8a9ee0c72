//! Output formats. Workers fill sinks with records, and formats write the resulting blocks.

#[cfg(feature = "arrow")]
pub(crate) mod arrow;
pub(crate) mod columns;
pub(crate) mod csv;
pub(crate) mod ndjson;
pub(crate) mod only;
#[cfg(feature = "parquet")]
pub(crate) mod parquet;
pub(crate) mod partition;
pub(crate) mod partitioned;
#[cfg(feature = "arrow")]
pub(crate) mod payload_decoder;
pub(crate) mod table;

use std::io;

use super::record::Record;
use super::record::lazy::LazyRecord;
use crate::error::Error;
use crate::message::{Decoded, Status};

/// An output format: creates a [`Sink`] for each worker, and writes their blocks in order.
///
/// ```
/// use std::io;
///
/// use gizwits_codec_std::log::{Format, Log, Products, Record, Sink, Source};
/// use gizwits_codec_std::{Decoded, Error, Product};
///
/// /// Counts the values of all records.
/// #[derive(Default)]
/// struct Count(usize);
///
/// struct CountSink;
///
/// impl Format for Count {
///     type Sink = CountSink;
///
///     fn sink(&self) -> CountSink {
///         CountSink
///     }
///
///     fn write(&mut self, block: &mut usize) -> io::Result<()> {
///         self.0 += std::mem::take(block);
///         Ok(())
///     }
///
///     fn finish(&mut self) -> io::Result<()> {
///         Ok(())
///     }
/// }
///
/// impl Sink for CountSink {
///     type Block = usize;
///
///     fn record(
///         &mut self,
///         block: &mut usize,
///         _: &Record<'_>,
///         _: usize,
///         decoded: &Decoded<'_, '_>,
///     ) -> Result<(), Box<Error>> {
///         *block += decoded.view().map_or(0, |view| view.iter().count());
///         Ok(())
///     }
/// }
///
/// let definition = std::fs::read_to_string("../tests/fixtures/air-conditioner.json")?;
/// let products = Products::one(Product::from_json(&definition)?);
/// let mut count = Count::default();
/// let input = Source::new("input", &b"014000000018\n014100000018\n"[..]);
/// Log::new(&products).decode([input], &mut count)?;
/// assert_eq!(count.0, 3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Format {
    /// The type of sinks.
    type Sink: Sink;

    /// Creates a sink for a worker.
    fn sink(&self) -> Self::Sink;

    /// Writes a block and empties it, so that it can be reused. Blocks come in the order of the input.
    ///
    /// # Errors
    /// The error of the write.
    fn write(&mut self, block: &mut <Self::Sink as Sink>::Block) -> io::Result<()>;

    /// Writes the end of the output. Called once, after the last block.
    ///
    /// # Errors
    /// The error of the write.
    fn finish(&mut self) -> io::Result<()>;

    /// The approximate number of input bytes in a block. Default: 1 MiB.
    fn block_len(&self) -> usize {
        1 << 20
    }

    /// The approximate maximum number of output bytes of a record. It limits the number of lines in a
    /// block, and thus the memory of a block. Default: 0, for records that are shorter than 256 bytes.
    fn record_len(&self) -> usize {
        0
    }
}

impl<F: Format> Format for &mut F {
    type Sink = F::Sink;

    fn sink(&self) -> F::Sink {
        (**self).sink()
    }

    fn write(&mut self, block: &mut <F::Sink as Sink>::Block) -> io::Result<()> {
        (**self).write(block)
    }

    fn finish(&mut self) -> io::Result<()> {
        (**self).finish()
    }

    fn block_len(&self) -> usize {
        (**self).block_len()
    }

    fn record_len(&self) -> usize {
        (**self).record_len()
    }
}

/// Turns the records of one worker into blocks of output.
pub trait Sink: Send + 'static {
    /// The output of a block of lines.
    type Block: Default + Send + 'static;

    /// Adds a record to the block. `product` is the index of its product in [`Products`](super::Products).
    ///
    /// # Errors
    /// An error if the format has no place for the record, which is then rejected. The error is boxed, because the
    /// result is returned for every record.
    fn record(
        &mut self,
        block: &mut Self::Block,
        record: &Record<'_>,
        product: usize,
        decoded: &Decoded<'_, '_>,
    ) -> Result<(), Box<Error>>;

    /// Adds a status in a plain frame, the form of nearly all records. By default calls
    /// [`record`](Self::record). Override it to avoid reading all members of the record.
    ///
    /// # Errors
    /// Those of [`record`](Self::record).
    #[inline]
    fn status(
        &mut self,
        block: &mut Self::Block,
        line: &LazyRecord<'_>,
        product: usize,
        status: &Status<'_, '_>,
    ) -> Result<(), Box<Error>> {
        self.record(block, &line.record(), product, &status.decoded())
    }

    /// Finishes a block. By default does nothing.
    ///
    /// # Errors
    /// An error of the format if it cannot represent the block.
    fn end(&mut self, _: &mut Self::Block) -> io::Result<()> {
        Ok(())
    }
}

/// A format that combines one format for each product. For tables, whose columns belong to one product.
///
/// ```
/// use gizwits_codec_std::Product;
/// use gizwits_codec_std::log::{ByProduct, Csv, Log, Products, Source, TableOptions};
///
/// let read = |name| std::fs::read_to_string(format!("../tests/fixtures/{name}.json"));
/// let definitions = vec![
///     Product::from_json(&read("air-conditioner")?)?,
///     Product::from_json(&read("feeder")?)?,
/// ];
/// let products = Products::several(definitions)?;
/// let tables: Result<Vec<_>, _> =
///     products.iter().map(|product| Csv::new(product, TableOptions::default(), Vec::new())).collect();
/// let input = Source::new("input", &b""[..]);
/// let summary = Log::new(&products).decode([input], ByProduct::new(tables?))?;
/// assert_eq!(summary.records, 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct ByProduct<F>(Vec<F>);

impl<F: Format> ByProduct<F> {
    /// Combines the formats of the products of a log, in the order of the products.
    pub fn new(formats: Vec<F>) -> Self {
        ByProduct(formats)
    }

    /// The formats of the products.
    pub fn formats(&self) -> impl Iterator<Item = &F> {
        self.0.iter()
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
    /// Returns the sink and the block of a product.
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
    ) -> Result<(), Box<Error>> {
        match self.of(blocks, product) {
            Some((sink, block)) => sink.record(block, record, 0, decoded),
            None => Ok(()),
        }
    }

    #[inline(always)]
    fn status(
        &mut self,
        blocks: &mut Self::Block,
        line: &LazyRecord<'_>,
        product: usize,
        status: &Status<'_, '_>,
    ) -> Result<(), Box<Error>> {
        match self.of(blocks, product) {
            Some((sink, block)) => sink.status(block, line, 0, status),
            None => Ok(()),
        }
    }

    fn end(&mut self, blocks: &mut Self::Block) -> io::Result<()> {
        blocks.resize_with(self.0.len(), S::Block::default);
        let mut pairs = self.0.iter_mut().zip(blocks);
        pairs.try_for_each(|(sink, block)| sink.end(block))
    }
}
