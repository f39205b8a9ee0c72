//! Parquet: a block of the log is a row group, which its worker encodes. The rows of smaller blocks are collected until
//! they are enough for a row group: partitions of a log may have few rows in each block.
//!
//! Columns with few values use a dictionary. For wide numbers a dictionary takes several times as long, so
//! they are split by byte: the first bytes of all numbers, then the second bytes, and so on. Binaries are
//! stored as lengths followed by bytes. Pages are compressed with zstd.

use std::fmt;
use std::io::{self, Write};
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::DataType;
use parquet::arrow::ArrowSchemaConverter;
use parquet::arrow::add_encoded_arrow_schema_to_metadata;
use parquet::arrow::arrow_writer::{ArrowColumnChunk, ArrowRowGroupWriterFactory, compute_leaves};
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::ColumnPath;

use super::arrow::{Batches, ColumnType, row_len, schema};
use super::table::{TableOptions, head_names};
use super::{Format, Sink};
use crate::error::Error;
use crate::log::record::Record;
use crate::log::record::lazy::LazyRecord;
use crate::message::{Decoded, Status};
use crate::product::Product;

/// The Parquet format: the records of one product as a Parquet file.
///
/// ```
/// use gizwits_codec_std::Product;
/// use gizwits_codec_std::log::{Log, Parquet, Products, Source, TableOptions};
///
/// let definition = std::fs::read_to_string("../tests/fixtures/air-conditioner.json")?;
/// let product = Product::from_json(&definition)?;
/// let mut file = Vec::new();
/// let input = Source::new("input", &b"014000000018\n"[..]);
/// let parquet = Parquet::new(&product, TableOptions::default(), &mut file)?;
/// Log::new(&Products::one(product)).decode([input], parquet)?;
/// assert!(file.starts_with(b"PAR1") && file.ends_with(b"PAR1"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Parquet<W: Write + Send> {
    product: Product,
    options: TableOptions,
    /// The writer; `None` after the end of the file is written.
    out: Option<SerializedFileWriter<W>>,
    factory: Arc<ArrowRowGroupWriterFactory>,
    /// The rows of small blocks, which are not written yet.
    pending: Vec<RecordBatch>,
    pending_rows: usize,
}

/// The least number of rows in a row group that a worker encodes, and of rows that are collected for one.
const ROWS: usize = 4096;

/// The maximum number of blocks whose rows are collected. The arrays of a few rows take more memory than the rows.
const BATCHES: usize = 32;

impl<W: Write + Send> fmt::Debug for Parquet<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parquet")
            .field("product", &self.product)
            .finish_non_exhaustive()
    }
}

impl<W: Write + Send> Parquet<W> {
    /// Begins a file.
    ///
    /// # Errors
    /// The error of the write, or of an invalid [`level`](TableOptions::level).
    pub fn new(product: &Product, options: TableOptions, out: W) -> io::Result<Self> {
        let schema = schema(product, options);
        let level = ZstdLevel::try_new(options.level).map_err(io_error)?;
        let mut properties = properties(product, options, Compression::ZSTD(level));
        add_encoded_arrow_schema_to_metadata(&schema, &mut properties);
        let columns = ArrowSchemaConverter::new()
            .convert(&schema)
            .map_err(io_error)?;
        let out = SerializedFileWriter::new(out, columns.root_schema_ptr(), Arc::new(properties));
        let out = out.map_err(io_error)?;
        Ok(Parquet {
            product: product.clone(),
            options,
            factory: Arc::new(ArrowRowGroupWriterFactory::new(&out, schema)),
            out: Some(out),
            pending: Vec::new(),
            pending_rows: 0,
        })
    }

    /// Writes a row group.
    fn put(&mut self, chunks: Vec<ArrowColumnChunk>) -> Result<(), ParquetError> {
        let Some(out) = self.out.as_mut().filter(|_| !chunks.is_empty()) else {
            return Ok(());
        };
        let mut group = out.next_row_group()?;
        for chunk in chunks {
            chunk.append_to_row_group(&mut group)?;
        }
        group.close()?;
        Ok(())
    }

    /// Writes the pending rows as a row group.
    fn put_pending(&mut self) -> Result<(), ParquetError> {
        self.pending_rows = 0;
        let batches = std::mem::take(&mut self.pending);
        let Some(first) = batches.first() else {
            return Ok(());
        };
        let mut chunks = Vec::new();
        let schema = first.schema();
        let writers = self.factory.create_column_writers(0)?;
        for (index, (mut writer, field)) in writers.into_iter().zip(schema.fields()).enumerate() {
            for batch in &batches {
                for leaf in compute_leaves(field, batch.column(index))? {
                    writer.write(&leaf)?;
                }
            }
            chunks.push(writer.close()?);
        }
        self.put(chunks)
    }
}

/// Returns the encoding of each column.
fn properties(
    product: &Product,
    options: TableOptions,
    compression: Compression,
) -> WriterProperties {
    let none = EnabledStatistics::None;
    let mut all = WriterProperties::builder()
        .set_compression(compression)
        .set_statistics_enabled(EnabledStatistics::Chunk)
        // Statistics are only of row groups, so readers gain nothing from small pages.
        .set_data_page_row_count_limit(1 << 20)
        .set_column_dictionary_enabled("timestamp".into(), false)
        .set_column_encoding("timestamp".into(), Encoding::DELTA_BINARY_PACKED)
        // The least and greatest of a few words are of no use, and take a comparison for each record.
        .set_column_statistics_enabled("type".into(), none)
        .set_column_statistics_enabled("action".into(), none);
    let names = head_names(product, &options);
    let names = &names[names.len() - product.attrs().len()..];
    for (attr, name) in product.attrs().zip(names) {
        let path = ColumnPath::new(vec![name.clone()]);
        let layout = product.layout();
        let span = layout.limits(attr.id()).map_or(0, |(min, max)| max - min);
        let data_type = ColumnType::new(product, attr, options.numbers).data_type;
        if let DataType::Dictionary(..) | DataType::Utf8 | DataType::Binary = data_type {
            all = all.set_column_statistics_enabled(path.clone(), none);
        }
        let encoding = match data_type {
            DataType::Binary => Encoding::DELTA_LENGTH_BYTE_ARRAY,
            // Columns with few values keep the default, a dictionary.
            DataType::Dictionary(..) | DataType::Utf8 | DataType::Int16 => continue,
            _ if span < 1 << 8 => continue,
            // More than 18 digits do not fit in an integer of 64 bits.
            DataType::Decimal128(19.., _) => Encoding::PLAIN,
            _ => Encoding::BYTE_STREAM_SPLIT,
        };
        all = all
            .set_column_dictionary_enabled(path.clone(), false)
            .set_column_encoding(path, encoding);
    }
    all.build()
}

impl<W: Write + Send> Format for Parquet<W> {
    type Sink = ParquetSink;

    fn sink(&self) -> ParquetSink {
        ParquetSink {
            batches: Batches::new(&self.product, self.options),
            factory: Arc::clone(&self.factory),
        }
    }

    fn write(&mut self, block: &mut ParquetBlock) -> io::Result<()> {
        let block = std::mem::take(block);
        if let Some(batch) = block.rows {
            self.pending_rows += batch.num_rows();
            self.pending.push(batch);
            if self.pending_rows >= ROWS || self.pending.len() >= BATCHES {
                self.put_pending().map_err(io_error)?;
            }
        }
        if !block.chunks.is_empty() {
            self.put_pending().map_err(io_error)?;
            self.put(block.chunks).map_err(io_error)?;
        }
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        self.put_pending().map_err(io_error)?;
        match self.out.take() {
            Some(out) => out.close().map(drop).map_err(io_error),
            None => Ok(()),
        }
    }

    /// Readers read whole row groups, so larger ones are faster.
    fn block_len(&self) -> usize {
        8 << 20
    }

    fn record_len(&self) -> usize {
        row_len(&self.product, self.options)
    }
}

/// The sink of [`Parquet`], which encodes the row groups of a worker.
#[derive(Debug)]
pub struct ParquetSink {
    batches: Batches,
    factory: Arc<ArrowRowGroupWriterFactory>,
}

/// The encoded columns of a row group, or rows that are too few for one.
#[derive(Default)]
pub struct ParquetBlock {
    chunks: Vec<ArrowColumnChunk>,
    rows: Option<RecordBatch>,
}

impl fmt::Debug for ParquetBlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ParquetBlock of {} columns", self.chunks.len())
    }
}

impl Sink for ParquetSink {
    type Block = ParquetBlock;

    #[inline]
    fn record(
        &mut self,
        _: &mut ParquetBlock,
        record: &Record<'_>,
        _: usize,
        decoded: &Decoded<'_, '_>,
    ) -> Result<(), Box<Error>> {
        self.batches.push(record, decoded);
        Ok(())
    }

    #[inline]
    fn status(
        &mut self,
        _: &mut ParquetBlock,
        line: &LazyRecord<'_>,
        _: usize,
        status: &Status<'_, '_>,
    ) -> Result<(), Box<Error>> {
        self.batches.push_status(line, status);
        Ok(())
    }

    fn end(&mut self, block: &mut ParquetBlock) -> io::Result<()> {
        if self.batches.len() < ROWS {
            block.rows = self.batches.finish().map_err(super::arrow::io_error)?;
            return Ok(());
        }
        let writers = self.factory.create_column_writers(0).map_err(io_error)?;
        let schema = Arc::clone(&self.batches.schema);
        let mut writers = writers.into_iter().zip(schema.fields());
        // Only one array exists at a time: arrays are large, and one of them fits in the cache.
        let encoded = self.batches.drain(|column| {
            let Some((mut writer, field)) = writers.next() else {
                return Ok(());
            };
            for leaf in compute_leaves(field, &column)? {
                writer.write(&leaf)?;
            }
            block.chunks.push(writer.close()?);
            Ok::<_, ParquetError>(())
        });
        encoded.map_err(io_error)
    }
}

/// Returns the error of the writer if that is the cause.
fn io_error(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(error) => match error.downcast() {
            Ok(error) => *error,
            Err(error) => io::Error::other(error),
        },
        error => io::Error::other(error),
    }
}
