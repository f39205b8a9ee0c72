//! Results in the chosen format.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::csv;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::json;
use datafusion::arrow::util::pretty::pretty_format_batches;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::basic::{Compression, ZstdLevel};
use datafusion::parquet::file::properties::WriterProperties;

use crate::Failure;
use crate::args::{Args, Form};
use crate::output_file::OutputFile;

/// The output of all queries.
pub(crate) struct Output {
    form: Form,
    file: Option<PathBuf>,
    max_rows: usize,
    /// The writer of the current result.
    writer: Option<Writer>,
    /// The file of the current result.
    part: Option<OutputFile>,
    /// Whether the output file has a result already.
    used: bool,
}

enum Writer {
    Table {
        schema: SchemaRef,
        batches: Vec<RecordBatch>,
        rows: usize,
        out: Box<dyn Write + Send>,
    },
    Csv(Box<csv::Writer<Box<dyn Write + Send>>>),
    Json(json::LineDelimitedWriter<Box<dyn Write + Send>>),
    Parquet(Box<ArrowWriter<Box<dyn Write + Send>>>),
}

impl Output {
    pub(crate) fn new(args: &Args) -> Result<Self, Failure> {
        let extension = args.output.as_ref().and_then(|file| file.extension());
        let form = match (
            args.format,
            extension.and_then(|extension| extension.to_str()),
        ) {
            (Some(form), _) => form,
            (None, Some("csv")) => Form::Csv,
            (None, Some("json" | "ndjson" | "jsonl")) => Form::Json,
            (None, Some("parquet")) => Form::Parquet,
            (None, Some("txt")) => Form::Table,
            (None, None) if args.output.is_none() => Form::Table,
            (None, _) => {
                return Err(Failure::Message(
                    "unknown output format: name the file .csv, .json, .parquet or .txt, or give --format"
                        .to_owned(),
                ));
            }
        };
        if form == Form::Parquet && args.output.is_none() {
            return Err(Failure::Message(
                "Parquet is not text: give a file with -o".to_owned(),
            ));
        }
        Ok(Output {
            form,
            file: args.output.clone(),
            max_rows: match args.output {
                Some(_) => 0,
                None => args.max_rows,
            },
            writer: None,
            part: None,
            used: false,
        })
    }

    /// Begins a result.
    pub(crate) fn begin(&mut self, schema: &SchemaRef) -> Result<(), Failure> {
        let out: Box<dyn Write + Send> = match &self.file {
            None => Box::new(BufWriter::new(io::stdout())),
            Some(file) if self.used => {
                let message = format!(
                    "{} has the result of the first query: give one query with a result for each file",
                    file.display()
                );
                return Err(Failure::Message(message));
            }
            Some(file) => {
                let (created, part) =
                    OutputFile::create(file).map_err(|error| in_file(file, &error))?;
                self.part = Some(part);
                Box::new(BufWriter::new(created))
            }
        };
        self.writer = Some(match self.form {
            Form::Table => Writer::Table {
                schema: schema.clone(),
                batches: Vec::new(),
                rows: 0,
                out,
            },
            Form::Csv => Writer::Csv(Box::new(csv::Writer::new(out))),
            Form::Json => Writer::Json(json::LineDelimitedWriter::new(out)),
            Form::Parquet => {
                let zstd = Compression::ZSTD(ZstdLevel::default());
                let properties = WriterProperties::builder().set_compression(zstd).build();
                let writer = ArrowWriter::try_new(out, schema.clone(), Some(properties));
                Writer::Parquet(Box::new(writer.map_err(failed)?))
            }
        });
        Ok(())
    }

    /// Writes rows of the result. Returns false if no more rows are needed.
    pub(crate) fn write(&mut self, batch: &RecordBatch) -> Result<bool, Failure> {
        match &mut self.writer {
            None => {}
            Some(Writer::Table { batches, rows, .. }) => {
                *rows += batch.num_rows();
                batches.push(batch.clone());
                return Ok(self.max_rows == 0 || *rows <= self.max_rows);
            }
            Some(Writer::Csv(writer)) => writer.write(batch).map_err(arrow)?,
            Some(Writer::Json(writer)) => writer.write(batch).map_err(arrow)?,
            Some(Writer::Parquet(writer)) => writer.write(batch).map_err(failed)?,
        }
        Ok(true)
    }

    /// Ends the result.
    pub(crate) fn end(&mut self) -> Result<(), Failure> {
        match self.writer.take() {
            None => {}
            Some(Writer::Table {
                schema,
                mut batches,
                rows,
                mut out,
            }) => {
                batches.push(RecordBatch::new_empty(schema));
                let is_cut = self.max_rows > 0 && rows > self.max_rows;
                if is_cut {
                    batches = head(&batches, self.max_rows);
                }
                writeln!(out, "{}", pretty_format_batches(&batches).map_err(arrow)?)?;
                if is_cut {
                    let rows = self.max_rows;
                    writeln!(
                        out,
                        "The first {rows} rows. --max-rows 0 prints all, -o FILE writes all."
                    )?;
                }
                out.flush()?;
            }
            Some(Writer::Csv(writer)) => writer.into_inner().flush()?,
            Some(Writer::Json(mut writer)) => {
                writer.finish().map_err(arrow)?;
                writer.into_inner().flush()?;
            }
            Some(Writer::Parquet(writer)) => {
                writer.into_inner().map_err(failed)?.flush()?;
            }
        }
        self.used = true;
        match (self.part.take(), &self.file) {
            (Some(part), Some(file)) => part.commit().map_err(|error| in_file(file, &error)),
            _ => Ok(()),
        }
    }

    /// Checks that the output file has a result.
    pub(crate) fn finish(&self) -> Result<(), Failure> {
        match &self.file {
            Some(file) if !self.used => {
                let file = file.display();
                let message = format!("{file} is not written: no query has a result");
                Err(Failure::Message(message))
            }
            _ => Ok(()),
        }
    }
}

/// The first rows of batches.
fn head(batches: &[RecordBatch], mut rows: usize) -> Vec<RecordBatch> {
    let mut first = Vec::new();
    for batch in batches {
        let len = batch.num_rows().min(rows);
        first.push(batch.slice(0, len));
        rows -= len;
    }
    first
}

fn in_file(file: &Path, error: &io::Error) -> Failure {
    Failure::Message(format!("{}: {error}", file.display()))
}

fn failed(error: impl std::fmt::Display) -> Failure {
    Failure::Message(error.to_string())
}

/// Whether the text of an error is that of a closed pipe: EPIPE of Unix, or 109, 232 and 233 of Windows.
fn is_closed_pipe(message: &str) -> bool {
    let texts: &[&str] = match cfg!(windows) {
        true => &["(os error 109)", "(os error 232)", "(os error 233)"],
        false => &["Broken pipe"],
    };
    texts.iter().any(|text| message.contains(text))
}

fn arrow(error: ArrowError) -> Failure {
    match error {
        ArrowError::IoError(_, error) => error.into(),
        // The writer of CSV keeps only the text of an error.
        ArrowError::CsvError(message) if is_closed_pipe(&message) => Failure::BrokenPipe,
        ArrowError::CsvError(message) if message.contains("Nested") => {
            let hint = "select its fields, for example with unnest(…), or choose JSON or Parquet";
            Failure::Message(format!("CSV has no structs: {hint}"))
        }
        error => failed(error),
    }
}
