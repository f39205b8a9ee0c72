//! Files that are written: whole or not at all, and never over an input.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use indicatif::HumanBytes;
use same_file::Handle;

use crate::failure::{Failure, usage};
use crate::signals;
use crate::text::printable;

/// Whether it is there and no file: a device, a pipe, a folder.
pub(crate) fn is_special(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| !found.is_file())
}

/// Whether two names are of one file, which need not be there yet. Devices and pipes are none.
pub(crate) fn is_same(one: &Path, two: &Path) -> bool {
    if is_special(one) || is_special(two) {
        return false;
    }
    // A file that is not there, or may not be read, can't be opened to look at.
    same_file::is_same_file(one, two).unwrap_or_else(|_| real(one) == real(two))
}

/// Whether a standard stream was redirected to this file.
pub(crate) fn leads_to(stream: io::Result<Handle>, path: &Path) -> bool {
    !is_special(path)
        && stream.is_ok_and(|stream| Handle::from_path(path).is_ok_and(|file| file == stream))
}

/// The path of a file without links, also if the file is not there yet.
pub(crate) fn real(path: &Path) -> PathBuf {
    let mut path = path.to_owned();
    // As many links as systems follow.
    for _ in 0..40 {
        match (fs::canonicalize(&path), fs::read_link(&path)) {
            (Ok(real), _) => return real,
            (Err(_), Ok(to)) => path = path.with_file_name("").join(to),
            (Err(_), Err(_)) => break,
        }
    }
    let folder = match path.parent() {
        Some(folder) if folder.as_os_str() != "" => folder,
        _ => Path::new("."),
    };
    match (fs::canonicalize(folder), path.file_name()) {
        (Ok(folder), Some(name)) => folder.join(name),
        _ => path,
    }
}

/// A file that is written, whose name its errors tell.
pub(crate) struct Named {
    name: PathBuf,
    file: File,
}

impl Named {
    pub(crate) fn new(file: io::Result<File>, name: &Path) -> io::Result<Self> {
        let file = file.map_err(|error| named(name, &error))?;
        let name = name.to_owned();
        Ok(Named { name, file })
    }
}

impl Write for Named {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes);
        written.map_err(|error| named(&self.name, &error))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

pub(crate) fn named(name: &Path, error: &io::Error) -> io::Error {
    let name = name.to_string_lossy();
    io::Error::new(error.kind(), format!("{}: {error}", printable(&name)))
}

/// Where output goes.
pub(crate) enum Target {
    Stdout,
    /// Beside its place, where it is moved once it is whole.
    File {
        beside: PathBuf,
        path: PathBuf,
        file: File,
    },
}

/// Files that are not whole yet: the signals that ask the process to end remove them.
pub(crate) static BESIDE: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

pub(crate) fn beside() -> std::sync::MutexGuard<'static, Vec<PathBuf>> {
    BESIDE.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Target {
    pub(crate) fn path(&self) -> Option<&Path> {
        match self {
            Target::Stdout => None,
            Target::File { path, .. } => Some(path),
        }
    }

    pub(crate) fn create(path: &Path) -> Result<Self, Failure> {
        let refused = |error: io::Error| usage(format_args!("{}: {error}", path.display()));
        // A pipe or a device is written to as it is.
        if is_special(path) {
            let path = path.to_owned();
            let file = OpenOptions::new().write(true).open(&path);
            return Ok(Target::File {
                beside: path.clone(),
                file: file.map_err(refused)?,
                path,
            });
        }
        // A link stays: what it leads to is replaced, or made.
        let path = match path.is_symlink() {
            true => real(path),
            false => path.to_owned(),
        };
        let part = |number: u32| {
            let mut name = std::ffi::OsString::from(".");
            name.push(path.file_name().unwrap_or_default());
            name.push(format!(".{}.{number}.part", std::process::id()));
            path.with_file_name(name)
        };
        let mut list = beside();
        if list.is_empty() {
            on_end();
        }
        // One that is there was left by a process that was killed: in containers all have the same id.
        let mut number = 0;
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        let file = loop {
            match options.open(part(number)) {
                Ok(file) => break file,
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && number < 100 => {
                    number += 1;
                }
                Err(error) => return Err(refused(error)),
            }
        };
        let part = part(number);
        list.push(part.clone());
        drop(list);
        let replaced = fs::metadata(&path).map(|found| found.permissions());
        let target = Target::File {
            beside: part,
            path,
            file,
        };
        // Who may not read what is replaced may not read this, from the first byte on.
        #[cfg(unix)]
        if let (Target::File { file, path, .. }, Ok(mode)) = (&target, replaced) {
            file.set_permissions(mode)
                .map_err(|error| usage(format_args!("{}: {error}", path.display())))?;
        }
        Ok(target)
    }

    pub(crate) fn file(&self) -> io::Result<Box<dyn Write + Send>> {
        Ok(match self {
            Target::Stdout => Box::new(io::stdout()),
            Target::File { file, path, .. } => Box::new(Named::new(file.try_clone(), path)?),
        })
    }

    /// Moves it to its place, and says what it is.
    pub(crate) fn commit(self) -> Result<Option<String>, Failure> {
        let Target::File {
            beside: part, path, ..
        } = &self
        else {
            return Ok(None);
        };
        let len = fs::metadata(part).map_or(0, |found| found.len());
        if part != path {
            let mut list = beside();
            fs::rename(part, path)
                .map_err(|error| usage(format_args!("{}: {error}", path.display())))?;
            list.retain(|one| one != part);
        }
        Ok(Some(format!("{} {}", path.display(), HumanBytes(len))))
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        if let Target::File {
            beside: part, path, ..
        } = self
            && part != path
        {
            let mut list = beside();
            if list.contains(part) {
                let _ = fs::remove_file(&part);
                list.retain(|one| one != part);
            }
        }
    }
}

/// From here on, on a signal that asks the process to end, nothing is left behind that is not whole.
pub(crate) fn on_end() {
    signals::before_end(|| {
        for part in &*beside() {
            let _ = fs::remove_file(part);
        }
    });
}
