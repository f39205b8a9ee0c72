//! The file of `--state`: the last known values of devices, from one run to the next.

use std::fs::File;
use std::io::{self, BufReader, BufWriter};
use std::path::Path;

use gizwits_codec_std::log::{Products, States};

use crate::failure::{Failure, in_file};
use crate::output::file::OutputFile;

/// The states of a run and the file that they are written to.
pub(super) struct StateFile {
    pub(super) states: States,
    file: OutputFile,
}

impl StateFile {
    /// Reads the states, which are empty if the file does not exist.
    pub(super) fn open(path: &Path, products: &Products) -> Result<Self, Failure> {
        let states = match File::open(path) {
            Ok(file) => States::read(products, BufReader::new(file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(States::new(products)),
            Err(error) => Err(error),
        };
        let states = states.map_err(|error| match error.kind() {
            io::ErrorKind::InvalidData => {
                let message = format!("{error}; to begin without known values, remove the file");
                in_file(path, message)
            }
            _ => in_file(path, error),
        })?;
        // A file that can't be written is an error before the log is decoded.
        let file = OutputFile::create(path)?;
        Ok(StateFile { states, file })
    }

    /// The path of the file.
    pub(super) fn path(&self) -> &Path {
        self.file.path()
    }

    /// Replaces the file by the states at the end of the run.
    pub(super) fn commit(self) -> Result<String, Failure> {
        let mut out = BufWriter::new(self.file.writer()?);
        self.states.write(&mut out)?;
        drop(out);
        self.file.commit()
    }
}
