//! `gizwits completions`: scripts for tab completion.

use std::io::Write;

use clap::Args;
use clap_complete::Shell;

use crate::failure::Failure;

/// Print a script for tab completion in your shell
#[derive(Args)]
#[command(after_help = "\
Where the script goes, so that every new shell runs it:
  bash        gizwits completions bash > ~/.local/share/bash-completion/completions/gizwits
              (needs the package bash-completion)
  zsh         gizwits completions zsh > ~/.zfunc/_gizwits
              (in ~/.zshrc, before compinit: fpath+=~/.zfunc)
  fish        gizwits completions fish > ~/.config/fish/completions/gizwits.fish
  powershell  gizwits completions powershell >> $PROFILE
  elvish      gizwits completions elvish >> ~/.config/elvish/rc.elv
The folders have to exist: mkdir -p FOLDER creates one.

Example:
  gizwits completions bash > gizwits.bash")]
pub(crate) struct Completions {
    /// The shell that runs the script
    shell: Shell,
}

impl Completions {
    /// Writes the script for all commands of `gizwits`.
    pub(crate) fn run(
        &self,
        mut gizwits: clap::Command,
        out: &mut impl Write,
    ) -> Result<(), Failure> {
        // `generate` panics if it can't write, so it writes to memory first.
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut gizwits, "gizwits", &mut script);
        Ok(out.write_all(&script)?)
    }
}
