//! An output folder, whose files appear together once all of them are complete.

use std::collections::HashMap;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use indicatif::HumanBytes;

use super::file::{Named, Part, tempfile_error, with_parts};
use crate::failure::{Failure, in_file};
use crate::text::counted;

/// The maximum number of files that are open at the same time. Systems allow a process 256 files or more.
const OPEN: usize = 128;

/// A new or empty folder. Files are written to a hidden folder in it, and [`commit`](Self::commit) moves them to their
/// paths. If the folder is dropped before, nothing is left of it.
pub(crate) struct OutputFolder {
    path: PathBuf,
    /// Whether the folder did not exist before.
    is_new: bool,
    hidden: PathBuf,
    files: Arc<Mutex<Files>>,
}

/// The files of a folder. As many as possible are open.
#[derive(Default)]
struct Files {
    /// The paths, relative to the folder.
    paths: Vec<PathBuf>,
    /// The open files by the index of their path, with the time of their last use.
    open: HashMap<usize, (Named, u64)>,
    now: u64,
}

/// A writer to a file of an output folder.
pub(crate) struct FolderFile {
    files: Arc<Mutex<Files>>,
    hidden: PathBuf,
    index: usize,
}

impl OutputFolder {
    /// Creates the folder unless it is an empty folder.
    pub(crate) fn create(path: &Path) -> Result<Self, Failure> {
        let is_new = match fs::read_dir(path) {
            Ok(mut entries) => match entries.next() {
                None => false,
                Some(_) => {
                    let message =
                        "the folder has files: --partition needs a new or an empty folder";
                    return Err(in_file(path, message));
                }
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => true,
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
                let message = "this is a file: --partition writes a folder, so choose another path";
                return Err(in_file(path, message));
            }
            Err(error) => return Err(in_file(path, error)),
        };
        let create = |parts: &mut Vec<Part>| -> io::Result<PathBuf> {
            if is_new {
                fs::create_dir(path)?;
                parts.push(Part::EmptyFolder(path.to_owned()));
            }
            let mut hidden = tempfile::Builder::new();
            let hidden = hidden.prefix(".").suffix(".part").tempdir_in(path)?.keep();
            parts.push(Part::Folder(hidden.clone()));
            Ok(hidden)
        };
        let hidden = with_parts(create).map_err(|error| {
            let _ = is_new.then(|| fs::remove_dir(path));
            in_file(path, tempfile_error(&error))
        })?;
        Ok(OutputFolder {
            path: path.to_owned(),
            is_new,
            hidden,
            files: Arc::default(),
        })
    }

    /// Creates a file. The path is relative to the folder.
    pub(crate) fn file(&self, path: PathBuf) -> io::Result<FolderFile> {
        let hidden = self.hidden.join(&path);
        // A signal that removes the folder waits until the file is created.
        let file = with_parts(|_| {
            fs::create_dir_all(hidden.parent().unwrap_or(&self.hidden))?;
            // Where upper and lower case are one, the folders of two dids may be one, too.
            OpenOptions::new()
                .append(true)
                .create_new(true)
                .open(&hidden)
        });
        let file = Named::new(file, &self.path.join(&path))?;
        let mut files = lock(&self.files);
        let index = files.paths.len();
        files.paths.push(path);
        files.keep(index, file);
        Ok(FolderFile {
            files: Arc::clone(&self.files),
            hidden: self.hidden.clone(),
            index,
        })
    }

    /// Moves all files to their paths. Returns the path of the folder, and the number and size of its files, as text
    /// for people.
    pub(crate) fn commit(self) -> Result<String, Failure> {
        let (mut bytes, mut count) = (0, 0);
        let moved = with_parts(|parts| -> Result<(), Failure> {
            let files = std::mem::take(&mut *lock(&self.files));
            for path in files.paths {
                let (from, to) = (self.hidden.join(&path), self.path.join(&path));
                let moved = fs::metadata(&from).and_then(|found| {
                    bytes += found.len();
                    fs::create_dir_all(to.parent().unwrap_or(&self.path))?;
                    fs::rename(&from, &to)
                });
                moved.map_err(|error| in_file(&to, error))?;
                count += 1;
            }
            // Files are there to stay now, so the folder is not removed.
            parts.retain(|part| !part.is(&self.path));
            Ok(())
        });
        moved?;
        let path = self.path.display();
        let files = counted(count, "file");
        Ok(format!("{path} {files} {}", HumanBytes(bytes)))
    }
}

impl Drop for OutputFolder {
    fn drop(&mut self) {
        with_parts(|parts| {
            let _ = fs::remove_dir_all(&self.hidden);
            if self.is_new && parts.iter().any(|part| part.is(&self.path)) {
                let _ = fs::remove_dir(&self.path);
            }
            parts.retain(|part| !part.is(&self.path) && !part.is(&self.hidden));
        });
    }
}

fn lock(files: &Mutex<Files>) -> std::sync::MutexGuard<'_, Files> {
    files.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Files {
    /// Keeps a file open. Closes the file that was not used for the longest time if too many are open.
    fn keep(&mut self, index: usize, file: Named) {
        if self.open.len() >= OPEN {
            let oldest = self.open.iter().min_by_key(|(_, (_, used))| *used);
            if let Some(oldest) = oldest.map(|(index, _)| *index) {
                self.open.remove(&oldest);
            }
        }
        self.now += 1;
        self.open.insert(index, (file, self.now));
    }
}

impl Write for FolderFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut files = lock(&self.files);
        if !files.open.contains_key(&self.index) {
            let path = self.hidden.join(&files.paths[self.index]);
            let file = OpenOptions::new().append(true).open(&path);
            let file: Named = Named::new(file, &path)?;
            files.keep(self.index, file);
        }
        files.now += 1;
        let now = files.now;
        match files.open.get_mut(&self.index) {
            Some((file, used)) => {
                *used = now;
                file.write(bytes)
            }
            None => Ok(0),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        // Files have no buffer.
        Ok(())
    }
}
