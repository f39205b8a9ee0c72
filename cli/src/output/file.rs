//! Output files, which are written completely or not at all, and the comparison of paths that protects inputs.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

use indicatif::HumanBytes;
use same_file::Handle;
use tempfile::TempPath;

use crate::failure::{Failure, in_file};
use crate::signals::{self, Ignored};
use crate::text::printable;

/// Whether a path exists and is not a regular file: a device, a pipe or a folder.
pub(crate) fn is_special(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| !found.is_file())
}

/// Whether two paths name the same regular file, also if the file does not exist yet.
pub(crate) fn is_same(one: &Path, two: &Path) -> bool {
    if is_special(one) || is_special(two) {
        return false;
    }
    // The handles are equal for hard links, too, but exist only for files that exist and can be read.
    same_file::is_same_file(one, two).unwrap_or_else(|_| real(one) == real(two))
}

/// Whether a standard stream was redirected to or from this file.
pub(crate) fn leads_to(stream: io::Result<Handle>, path: &Path) -> bool {
    !is_special(path)
        && stream.is_ok_and(|stream| Handle::from_path(path).is_ok_and(|file| file == stream))
}

/// Resolves the symbolic links of a path, also if the file does not exist yet.
fn real(path: &Path) -> PathBuf {
    let mut path = path.to_owned();
    // Linux follows 40 links at most; a longer chain may be a cycle.
    for _ in 0..40 {
        match (fs::canonicalize(&path), fs::read_link(&path)) {
            (Ok(real), _) => return real,
            (Err(_), Ok(to)) => path = path.with_file_name("").join(to),
            (Err(_), Err(_)) => break,
        }
    }
    match (fs::canonicalize(folder(&path)), path.file_name()) {
        (Ok(folder), Some(name)) => folder.join(name),
        _ => path,
    }
}

/// The folder of a file: `.` if the path is only a name.
fn folder(path: &Path) -> &Path {
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    folder.unwrap_or(Path::new("."))
}

/// A writer to a file whose errors begin with the path.
pub(crate) struct Named {
    path: PathBuf,
    file: File,
}

impl Named {
    /// Wraps an opened file, or adds the path to the error of opening it.
    pub(crate) fn new(file: io::Result<File>, path: &Path) -> io::Result<Self> {
        let file = file.map_err(|error| named(path, &error))?;
        let path = path.to_owned();
        Ok(Named { path, file })
    }
}

impl Write for Named {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes);
        written.map_err(|error| named(&self.path, &error))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Adds the path to an error.
fn named(path: &Path, error: &io::Error) -> io::Error {
    let path = path.to_string_lossy();
    io::Error::new(error.kind(), format!("{}: {error}", printable(&path)))
}

/// An output file. The data is written to a temporary file in the same folder, which [`commit`](Self::commit)
/// moves to the path. A pipe or a device is written directly.
pub(crate) struct OutputFile {
    path: PathBuf,
    file: File,
    part: Option<TempPath>,
}

/// A temporary file or folder, which is removed if a signal ends the process.
pub(super) enum Part {
    File(PathBuf),
    /// A folder with all that is in it.
    Folder(PathBuf),
    /// A folder that is removed only if it is empty.
    EmptyFolder(PathBuf),
}

impl Part {
    /// Whether the part has this path.
    pub(super) fn is(&self, path: &Path) -> bool {
        let (Part::File(own) | Part::Folder(own) | Part::EmptyFolder(own)) = self;
        own == path
    }

    fn remove(&self) -> io::Result<()> {
        match self {
            Part::File(path) => fs::remove_file(path),
            Part::Folder(path) => fs::remove_dir_all(path),
            Part::EmptyFolder(path) => fs::remove_dir(path),
        }
    }
}

static PARTS: Mutex<Vec<Part>> = Mutex::new(Vec::new());

/// Locks the list of temporary files and folders.
fn parts() -> MutexGuard<'static, Vec<Part>> {
    PARTS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Calls `with` with the list of temporary files and folders. The list is locked until the call ends: a signal waits
/// for it, and misses nothing that is created or moved in between.
pub(super) fn with_parts<T>(with: impl FnOnce(&mut Vec<Part>) -> T) -> T {
    static WATCHED: Once = Once::new();
    WATCHED.call_once(|| signals::on_signal(Ignored::Stay, remove_parts));
    with(&mut parts())
}

/// The message of an error of a temporary file. tempfile appends the path of the temporary file, which means nothing to
/// users.
pub(super) fn tempfile_error(error: &io::Error) -> String {
    let error = error.to_string();
    error.split(" at path ").next().unwrap_or(&error).to_owned()
}

impl OutputFile {
    /// Creates the file. Its path is never incomplete: an existing file stays until [`commit`](Self::commit).
    pub(crate) fn create(path: &Path) -> Result<Self, Failure> {
        // A symbolic link is kept. The file that it leads to is replaced or created.
        let path = match path.is_symlink() && !is_special(path) {
            true => real(path),
            false => path.to_owned(),
        };
        let opened = Self::open(&path);
        let (file, part) = opened.map_err(|error| in_file(&path, tempfile_error(&error)))?;
        Ok(OutputFile { path, file, part })
    }

    /// Opens a pipe or a device, or creates the temporary file.
    fn open(path: &Path) -> io::Result<(File, Option<TempPath>)> {
        if is_special(path) {
            return Ok((OpenOptions::new().write(true).open(path)?, None));
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let prefix = format!(".{name}.");
        let mut builder = tempfile::Builder::new();
        builder.prefix(&prefix).suffix(".part");
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let (file, part) = with_parts(|parts| -> io::Result<_> {
            let created = builder.tempfile_in(folder(path))?.into_parts();
            parts.push(Part::File(created.1.to_path_buf()));
            Ok(created)
        })?;
        // The permissions of the replaced file are set before the first byte is written: users who can't read
        // the old file never can read the new one.
        #[cfg(unix)]
        if let Ok(replaced) = fs::metadata(path) {
            file.set_permissions(replaced.permissions())?;
        }
        Ok((file, Some(part)))
    }

    /// The path of the complete file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// A writer to the file. All writers share one position.
    pub(crate) fn writer(&self) -> io::Result<Named> {
        Named::new(self.file.try_clone(), &self.path)
    }

    /// Moves the complete file to its path. Returns the path and the size as text for people.
    pub(crate) fn commit(self) -> Result<String, Failure> {
        let len = self.file.metadata().map_or(0, |found| found.len());
        let path = self.path.display();
        if let Some(part) = self.part {
            let moved = with_parts(|parts| {
                parts.retain(|one| !one.is(&part));
                part.persist(&self.path)
            });
            moved.map_err(|error| in_file(&self.path, error.error))?;
        }
        Ok(format!("{path} {}", HumanBytes(len)))
    }
}

/// Removes the temporary files and ends the process.
fn remove_parts(status: i32) {
    // A folder is in the list before its hidden folder, and removed after it.
    for part in parts().iter().rev() {
        let _ = part.remove();
    }
    std::process::exit(status);
}

/// Writes `bytes` to a file, or to `out` if the path is missing or `-`.
pub(crate) fn write(
    path: Option<&Path>,
    bytes: &[u8],
    out: &mut impl Write,
) -> Result<(), Failure> {
    let Some(path) = named_output(path) else {
        return Ok(out.write_all(bytes)?);
    };
    let file = OutputFile::create(path)?;
    file.writer()?.write_all(bytes)?;
    file.commit().map(drop)
}

/// The path of an output option, or `None` if the output goes to stdout: no path, `-` or `/dev/stdout`.
pub(crate) fn named_output(path: Option<&Path>) -> Option<&Path> {
    path.filter(|path| *path != Path::new("-") && *path != Path::new("/dev/stdout"))
}
