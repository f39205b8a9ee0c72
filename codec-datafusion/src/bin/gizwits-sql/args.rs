//! The arguments of the command line.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

/// Query logs and payloads of Gizwits devices with SQL.
///
/// Without a query, starts an interactive shell on a terminal, and otherwise reads queries from standard input.
#[derive(Debug, Parser)]
#[command(version, after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Run this query, or several separated by `;`
    #[arg(short = 'c', long, value_name = "QUERY")]
    pub(crate) command: Vec<String>,
    /// Run the queries of a file; - for standard input
    #[arg(short, long, value_name = "FILE")]
    pub(crate) file: Vec<PathBuf>,
    /// Give a name to a definition, for use in queries
    #[arg(short, long, value_name = "NAME=FILE", value_parser = named)]
    pub(crate) define: Vec<(String, PathBuf)>,
    /// Write the result of the query to a file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// The format of the result; JSON is a line for each row [default: that of the output file, otherwise table]
    #[arg(long, value_enum)]
    pub(crate) format: Option<Form>,
    /// Print at most this number of rows of a table; 0 for all
    #[arg(long, value_name = "ROWS", default_value_t = 1000)]
    pub(crate) max_rows: usize,
    /// Run queries on the cluster of the scheduler at df://HOST:PORT
    #[arg(long, value_name = "URL", env = "GIZWITS_CLUSTER")]
    pub(crate) cluster: Option<String>,
    /// The number of threads that run a query, or of parts in which a cluster runs it
    /// [default: the number of cores, 16 on a cluster]
    #[arg(short = 'j', long, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) threads: Option<u16>,
}

const EXAMPLES: &str = "\
Examples:
  gizwits-sql -c \"SELECT * FROM gizwits_log('log.ndjson.gz', 'ac.json') LIMIT 10\"
  gizwits-sql -d ac=ac.json -c \"SELECT did, max(room_temp)
      FROM gizwits_log('s3://logs/2024/*.gz', 'ac') GROUP BY did\"
  gizwits-sql -o hours.parquet -f hours.sql
  gizwits-sql --cluster df://scheduler:50050 -c \"…\"

Environment:
  AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_REGION,
  AWS_ENDPOINT, AWS_ALLOW_HTTP, AWS_SKIP_SIGNATURE    access to s3:// objects
  DATAFUSION_EXECUTION_BATCH_SIZE and others          options of the engine
";

/// A format of results.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    Table,
    Csv,
    Json,
    Parquet,
}

fn named(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((name, file)) if !name.is_empty() && !file.is_empty() => {
            Ok((name.to_owned(), file.into()))
        }
        _ => Err("expected NAME=FILE, for example ac=ac.json".to_owned()),
    }
}
