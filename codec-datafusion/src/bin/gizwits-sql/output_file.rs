//! Output files, which are written completely or not at all.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempPath;

/// An output file. Its data is written to a temporary file in the same folder, which [`commit`](Self::commit)
/// moves to the path. A query can read the file that it replaces. A pipe or a device is written directly.
pub(crate) struct OutputFile {
    path: PathBuf,
    part: Option<TempPath>,
}

impl OutputFile {
    /// Creates the temporary file, which is removed if the value is dropped.
    pub(crate) fn create(path: &Path) -> io::Result<(File, Self)> {
        // A symbolic link is kept. The file that it leads to is replaced.
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let replaced = fs::metadata(&path).ok();
        if replaced
            .as_ref()
            .is_some_and(|replaced| !replaced.is_file())
        {
            let file = OpenOptions::new().write(true).open(&path)?;
            return Ok((file, OutputFile { path, part: None }));
        }
        let folder = path.parent().filter(|folder| *folder != Path::new(""));
        let mut builder = tempfile::Builder::new();
        builder.prefix(".gizwits-sql.").suffix(".part");
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let part = builder.tempfile_in(folder.unwrap_or(Path::new(".")));
        // The text of the error ends with the path of the temporary file, which means nothing to users.
        let part = part.map_err(|error| io::Error::from(error.kind()))?;
        let (file, part) = part.into_parts();
        #[cfg(unix)]
        if let Some(replaced) = replaced {
            file.set_permissions(replaced.permissions())?;
        }
        let part = Some(part);
        Ok((file, OutputFile { path, part }))
    }

    /// Moves the complete file to its path.
    pub(crate) fn commit(self) -> io::Result<()> {
        match self.part {
            Some(part) => Ok(part.persist(&self.path)?),
            None => Ok(()),
        }
    }
}
