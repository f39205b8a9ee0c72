//! `gizwits lan record`: the messages of a device in a file.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::pin::{Pin, pin};
use std::time::Duration;

use clap::Args;
use jiff::Timestamp;
use tokio::time::sleep;

use super::host::{Host, OtherProduct, Session};
use super::log_record::log_record;
use crate::failure::{Failure, in_file};
use crate::moment::time_span;
use crate::output::file::{Named, is_special, named_output};
use crate::text::{counted, printable, tell};

/// The longest time of a recording, one year. Timers have a limit.
const LONGEST: Duration = Duration::from_secs(365 * 86_400);

/// Write the messages of a device to a file as they arrive, until Ctrl-C or the end of the connection
///
/// The exit status is 0 after Ctrl-C and after the time of --for. It is 1 if the connection ends before: the command does not
/// connect again. The file has all messages up to then.
///
/// The file is a log of records in JSON, one line for each message, which the `gizwits log` commands read. A line is written
/// at once and as a whole: if the process is killed, the file has all lines up to then. With a definition, a record also has
/// the members of `gizwits decode`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  gizwits lan record 192.168.1.7 -o log.ndjson --for 10m
  gizwits log decode log.ndjson -d ac.json")]
pub(super) struct Record {
    #[command(flatten)]
    host: Host,
    /// The file for the records, which must not exist unless --append is given; - is standard output
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Append the records to the file if it exists
    #[arg(long)]
    append: bool,
    /// The time after which the recording ends, such as 10m. Default: it ends by Ctrl-C or with the connection
    #[arg(long = "for", value_name = "TIME", value_parser = time_span)]
    duration: Option<Duration>,
    /// The did of the device, as `gizwits lan discover` prints it, for the records. Files of several devices can then be
    /// decoded together. Default: the records have no did
    #[arg(long)]
    did: Option<String>,
}

impl Record {
    pub(super) async fn run(&self, out: &mut dyn Write) -> Result<(), Failure> {
        // The signal is caught once for the whole recording. One that arrives while a message is written must not be lost.
        let mut interrupted = pin!(tokio::signal::ctrl_c());
        let mut session = tokio::select! {
            biased;
            ended = &mut interrupted => return Ok(ended?),
            session = self.host.open(OtherProduct::Warn) => session?,
        };
        let (mut file, path): (Box<dyn Write + '_>, _) = match named_output(Some(&self.output)) {
            Some(path) => {
                let file = Named::new(Ok(open(path, self.append)?), path)?;
                (Box::new(file), path.display().to_string())
            }
            None => (Box::new(out), "standard output".to_owned()),
        };
        let path = printable(&path);
        // A device may send nothing for a long time: the user knows from now on that a message will be in the file.
        match self.duration {
            Some(time) => tell(format_args!(
                "recording to {path} for {}, or until Ctrl-C",
                humantime::format_duration(time)
            )),
            None => tell(format_args!("recording to {path} until Ctrl-C")),
        }
        let mut records = 0;
        let ended = self
            .record(&mut session, &mut *file, &mut records, interrupted)
            .await;
        let records = counted(records, "record");
        tell(format_args!("{records}   {path}"));
        ended
    }

    async fn record(
        &self,
        session: &mut Session,
        file: &mut dyn Write,
        records: &mut usize,
        mut interrupted: Pin<&mut impl Future<Output = io::Result<()>>>,
    ) -> Result<(), Failure> {
        let mut end = pin!(sleep(self.duration.unwrap_or(LONGEST).min(LONGEST)));
        loop {
            // The ends come first: a device that sends without a pause must not delay them.
            let p0 = tokio::select! {
                biased;
                ended = &mut interrupted => return Ok(ended?),
                () = &mut end => return Ok(()),
                p0 = session.next_p0() => p0?,
            };
            let did = self.did.as_deref();
            let record = log_record(Timestamp::now(), did, &p0, session.product.as_ref());
            file.write_all(format!("{record}\n").as_bytes())?;
            file.flush()?;
            *records += 1;
        }
    }
}

/// Opens the file of the records. Records never continue a line that an earlier process has not finished.
fn open(path: &Path, append: bool) -> Result<File, Failure> {
    let mut options = OpenOptions::new();
    let opened = match append {
        _ if is_special(path) => options.write(true).open(path),
        true => options.read(true).append(true).create(true).open(path),
        false => options.write(true).create_new(true).open(path),
    };
    let mut file = match opened {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let message = "the file exists: add --append, or choose another file";
            return Err(in_file(path, message));
        }
        Err(error) => return Err(in_file(path, error)),
    };
    if append && !is_special(path) && file.metadata()?.len() > 0 {
        let mut last = [0];
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
        if last != *b"\n" {
            file.write_all(b"\n")?;
        }
    }
    Ok(file)
}
