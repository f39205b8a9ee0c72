//! Checkpoints of exports: the positions in the logs, and the length of the output that belongs to them.
//!
//! The output is written first and the checkpoint after it, by replacing a file. After a kill, the output has
//! more bytes than the checkpoint says at most. The next run removes these bytes and fetches their records again.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use gizwits_enterprise_client::log::Position;
use same_file::Handle;
use serde::{Deserialize, Serialize};

use crate::failure::{Failure, in_file, usage};
use crate::output::file::{is_same, is_special};

/// The content of a checkpoint.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct State {
    version: u32,
    /// The log that is exported: `log`, `data` or `online`.
    log: String,
    product_key: String,
    /// The absolute path of the output.
    out: PathBuf,
    /// The number of bytes of the output that belong to the positions.
    length: u64,
    /// The hash of the last bytes before `length`.
    tail: u64,
    /// Whether an export is running or was interrupted.
    running: bool,
    devices: BTreeMap<String, Position>,
}

/// The version of [`State`].
const VERSION: u32 = 1;
/// The number of bytes before the end of the output that are hashed, by which the output is recognised.
const TAIL: u64 = 1024;

/// An output that grows, and its checkpoint.
pub(super) struct Journal {
    checkpoint: Checkpoint,
    state: State,
    out: File,
    saved: Instant,
    /// The time that the last save took.
    cost: Duration,
}

impl Journal {
    /// Opens the output and its checkpoint. Removes what an interrupted export wrote after its last checkpoint.
    pub(super) fn open(
        path: &Path,
        out: &Path,
        log: &str,
        product_key: &str,
    ) -> Result<Self, Failure> {
        if is_same(path, out) || is_same(&part_of(path), out) {
            return Err(usage("--output and --checkpoint name the same file"));
        }
        for file in [path, out] {
            if is_special(file) {
                return Err(in_file(file, "expected a regular file"));
            }
        }
        let absolute = std::path::absolute(out)?;
        if absolute.to_str().is_none() {
            return Err(in_file(
                out,
                "the path is not UTF-8, so no checkpoint can name it",
            ));
        }
        let (checkpoint, before) = Checkpoint::open(path)?;
        if let Some(before) = &before {
            let (kind, key) = (before.log.as_str(), before.product_key.as_str());
            let message = match (kind == log, key == product_key) {
                (false, _) => Some(format!(
                    "this checkpoint is of `device {kind}`, not of `device {log}`"
                )),
                (_, false) => Some(format!(
                    "this checkpoint is of the product {key}, not of {product_key}"
                )),
                _ => None,
            };
            if let Some(message) = message {
                return Err(in_file(path, format!("{message}: name another file")));
            }
            if before.running {
                repair(path, before)?;
            }
        }
        let file = open(out).map_err(|error| in_file(out, error))?;
        lock(&file, out, OUT_IN_USE)?;
        let length = file.metadata()?.len();
        if before.is_none() && length > 0 {
            let message = format!(
                "the file has records, but there is no checkpoint {}: records could come twice. Name another \
                 output, or the checkpoint of this one",
                path.display()
            );
            return Err(in_file(out, message));
        }
        let mut journal = Journal {
            checkpoint,
            state: State {
                version: VERSION,
                log: log.to_owned(),
                product_key: product_key.to_owned(),
                out: absolute,
                length,
                tail: 0,
                running: true,
                devices: before.map(|before| before.devices).unwrap_or_default(),
            },
            out: file,
            saved: Instant::now(),
            cost: Duration::ZERO,
        };
        journal.save()?;
        Ok(journal)
    }

    /// The position in the log of a device, if records of it were exported.
    pub(super) fn position(&self, did: &str) -> Option<&Position> {
        self.state.devices.get(did)
    }

    /// Appends records to the output, and remembers the position after them.
    pub(super) fn append(
        &mut self,
        records: &[u8],
        did: &str,
        position: Position,
    ) -> Result<(), Failure> {
        let written = self.out.write_all(records);
        written.map_err(|error| in_file(&self.state.out, error))?;
        self.state.length += records.len() as u64;
        self.state.devices.insert(did.to_owned(), position);
        // A checkpoint of many devices is large: writing it may take a twentieth of the time.
        match self.saved.elapsed() >= self.cost * 20 {
            true => self.save(),
            false => Ok(()),
        }
    }

    /// Ends the export. What is in the output is complete up to the positions.
    pub(super) fn finish(mut self) -> Result<u64, Failure> {
        // After a write that failed, the output has a part of a page, which the next run cuts.
        self.state.running = match self.out.metadata() {
            Ok(found) => found.len() != self.state.length,
            Err(_) => true,
        };
        self.save()?;
        Ok(self.state.length)
    }

    /// Writes the checkpoint, after the output is on the disk.
    fn save(&mut self) -> Result<(), Failure> {
        let began = Instant::now();
        let out = || -> io::Result<u64> {
            self.out.sync_data()?;
            tail(&self.out, self.state.length)
        };
        self.state.tail = out().map_err(|error| in_file(&self.state.out, error))?;
        let text = serde_json::to_string(&self.state).map_err(io::Error::from)?;
        self.checkpoint.replace(&text)?;
        self.cost = began.elapsed();
        self.saved = Instant::now();
        Ok(())
    }
}

/// The path of a checkpoint that is being written. The name is always the same, so that kills leave one file at most.
fn part_of(path: &Path) -> PathBuf {
    let mut name = path.to_owned().into_os_string();
    name.push(".part");
    name.into()
}

/// The file of a checkpoint, which is locked: two exports with one checkpoint would write the same records.
struct Checkpoint {
    path: PathBuf,
    /// The locked file that is at the path.
    file: Option<File>,
    /// Whether this export created the file, and has not written it yet.
    is_new: bool,
}

impl Checkpoint {
    /// Locks a checkpoint and reads it. Creates an empty file if there is none.
    fn open(path: &Path) -> Result<(Self, Option<State>), Failure> {
        let fail = |error: io::Error| in_file(path, error);
        let (mut file, is_new) = loop {
            let (file, is_new) = open_or_create(path).map_err(fail)?;
            lock(&file, path, "another export is using this checkpoint")?;
            // The export that had the lock may have replaced the file since it was opened.
            let locked = file.try_clone().and_then(Handle::from_file).map_err(fail)?;
            if Handle::from_path(path).is_ok_and(|found| found == locked) {
                break (file, is_new);
            }
        };
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(fail)?;
        let checkpoint = Checkpoint {
            path: path.to_owned(),
            file: Some(file),
            is_new: is_new && text.is_empty(),
        };
        // A file without content is left by an export that was killed before it began.
        let state = match text.is_empty() {
            true => None,
            false => Some(parse(path, &text)?),
        };
        Ok((checkpoint, state))
    }

    /// Replaces the content. The new file is locked before it is at the path, so the checkpoint is always locked.
    fn replace(&mut self, text: &str) -> Result<(), Failure> {
        if cfg!(windows) {
            // Some file systems of Windows do not replace a file that is open.
            self.file = None;
        }
        let replaced = || -> io::Result<File> {
            let name = part_of(&self.path);
            let mut file = File::create(&name)?;
            // Some file systems have no locks.
            let _ = file.try_lock();
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&name, &self.path)?;
            Ok(file)
        };
        let file = replaced().map_err(|error| in_file(&self.path, error))?;
        self.file = Some(file);
        self.is_new = false;
        Ok(())
    }
}

/// Opens a file, or creates it. Returns whether the file is new.
fn open_or_create(path: &Path) -> io::Result<(File, bool)> {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    match options.open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Ok((options.create(true).open(path)?, true))
        }
        opened => Ok((opened?, false)),
    }
}

/// Removes a new file that has no content.
impl Drop for Checkpoint {
    fn drop(&mut self) {
        if self.is_new {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Reads the text of a checkpoint.
fn parse(path: &Path, text: &str) -> Result<State, Failure> {
    match serde_json::from_str::<State>(text) {
        Ok(state) if state.version == VERSION => Ok(state),
        Ok(state) => {
            let message = format!("version {} of checkpoints is unknown", state.version);
            Err(in_file(path, message))
        }
        Err(error) => Err(in_file(path, format!("this is not a checkpoint: {error}"))),
    }
}

/// Cuts the output of an interrupted export to the length that its checkpoint names.
fn repair(path: &Path, state: &State) -> Result<(), Failure> {
    let out = &state.out;
    // Windows does not cut files that are opened for appending.
    let file = OpenOptions::new().read(true).write(true).open(out);
    let file = file.map_err(|error| {
        let message = format!(
            "the export to {} was interrupted, and that file can't be opened ({error}): put it back, or delete \
             this checkpoint to begin again",
            out.display()
        );
        in_file(path, message)
    })?;
    lock(&file, out, OUT_IN_USE)?;
    let length = file.metadata()?.len();
    if length < state.length || tail(&file, state.length)? != state.tail {
        let message = format!(
            "the file was changed after the export to it was interrupted: put it back, or delete the checkpoint \
             {} and the file to begin again",
            path.display()
        );
        return Err(in_file(out, message));
    }
    file.set_len(state.length)?;
    Ok(file.sync_all()?)
}

fn open(out: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .open(out)
}

/// The message of a locked output: two exports to one file would mix their records.
const OUT_IN_USE: &str = "another export is writing to this file";

/// Locks a file until it is closed. `message` is the error if another export has locked the file.
fn lock(file: &File, path: &Path, message: &str) -> Result<(), Failure> {
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => Err(in_file(path, message)),
        // Some file systems have no locks.
        Ok(()) | Err(TryLockError::Error(_)) => Ok(()),
    }
}

/// The hash of the last bytes before `end`: 64-bit FNV-1a, which does not change with the version of the standard
/// library.
fn tail(mut file: &File, end: u64) -> io::Result<u64> {
    let begin = end.saturating_sub(TAIL);
    file.seek(SeekFrom::Start(begin))?;
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut bytes = Vec::new();
    file.take(end - begin).read_to_end(&mut bytes)?;
    for byte in bytes {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    Ok(hash)
}
