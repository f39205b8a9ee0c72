//! `gizwits man`: manual pages.

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use clap::Args;

use crate::failure::{Failure, in_file};
use crate::text::counted;

/// Write the manual pages, one for each command
#[derive(Args)]
#[command(after_help = "\
`man` finds pages in ~/.local/share/man/man1 and, for all users, in /usr/local/share/man/man1.

Example:
  gizwits man man1")]
pub(crate) struct Man {
    /// The folder of the pages, which is created if it does not exist. Pages that it has are replaced
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

impl Man {
    /// Writes the pages of all commands of `gizwits`.
    pub(crate) fn run(&self, gizwits: clap::Command, out: &mut impl Write) -> Result<(), Failure> {
        let folder = &self.folder;
        let named = |error| in_file(folder, error);
        if folder.exists() && !folder.is_dir() {
            return Err(in_file(folder, "this is not a folder: choose another path"));
        }
        fs::create_dir_all(folder).map_err(named)?;
        clap_mangen::generate_to(gizwits, folder).map_err(named)?;
        let pages = fs::read_dir(folder).map_err(named)?.filter_map(Result::ok);
        let pages = pages.filter(|page| page.file_name().to_string_lossy().starts_with("gizwits"));
        let folder = folder.display();
        let pages = counted(pages.count(), "page");
        Ok(writeln!(
            out,
            "{folder}: {pages}; try man -l {folder}/gizwits.1"
        )?)
    }
}
