//! Lines that the user pastes into a shell: environment variables and comments.

use std::path::Path;

use clap::ValueEnum;

use crate::text::printable;

/// A shell, by the way in which it sets environment variables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shell {
    /// bash, zsh and all other shells with the syntax of POSIX
    #[value(aliases = ["sh", "zsh"])]
    Bash,
    /// fish
    Fish,
    /// PowerShell of any version, on any system
    #[value(alias = "pwsh")]
    Powershell,
    /// The command prompt of Windows
    Cmd,
}

impl Shell {
    /// The shell of the variable `SHELL`, which Unix sets for every user and Git Bash for its programs. Without the
    /// variable, the result is PowerShell on Windows and bash elsewhere.
    ///
    /// The command prompt is never guessed: its variables are those of the PowerShell that it may have started.
    pub(crate) fn guessed() -> Self {
        let Some(path) = std::env::var_os("SHELL").filter(|path| !path.is_empty()) else {
            return match cfg!(windows) {
                true => Shell::Powershell,
                false => Shell::Bash,
            };
        };
        match Path::new(&path).file_stem().and_then(|name| name.to_str()) {
            Some("fish") => Shell::Fish,
            Some("pwsh" | "powershell") => Shell::Powershell,
            _ => Shell::Bash,
        }
    }

    /// A comment of one line. The text must begin with a word: the command prompt parses the first word after `REM`.
    pub(crate) fn comment(self, text: &str) -> String {
        match self {
            Shell::Cmd => format!("REM {text}"),
            _ => format!("# {text}"),
        }
    }

    /// A line that sets an environment variable for the shell and the programs that it starts.
    ///
    /// Invisible characters of the value are escaped by [`printable`]: a line break would end the line.
    pub(crate) fn variable(self, name: &str, value: &str) -> String {
        let value = printable(value);
        match self {
            Shell::Bash => format!(
                "export {name}={}",
                quoted(&value, |text| { text.replace('\'', r"'\''") })
            ),
            Shell::Fish => format!(
                "set -gx {name} {}",
                quoted(&value, |text| {
                    text.replace('\\', r"\\").replace('\'', r"\'")
                })
            ),
            // A value without quotation marks would be a command.
            Shell::Powershell => format!("$env:{name} = '{}'", doubled_quotes(&value)),
            Shell::Cmd => format!("set {name}={}", with_carets(&value)),
        }
    }
}

/// A value in single quotation marks, with `escape` inside of them. A value that means itself in every shell stays
/// without quotation marks.
fn quoted(value: &str, escape: impl FnOnce(&str) -> String) -> String {
    let plain = |one: char| one.is_ascii_alphanumeric() || "._:/-".contains(one);
    match !value.is_empty() && value.chars().all(plain) {
        true => value.to_owned(),
        false => format!("'{}'", escape(value)),
    }
}

/// The text of a PowerShell string in single quotation marks. PowerShell takes typographic quotation marks for them.
fn doubled_quotes(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for one in value.chars() {
        if matches!(one, '\'' | '\u{2018}'..='\u{201b}') {
            text.push(one);
        }
        text.push(one);
    }
    text
}

/// A value for the command prompt, where a caret takes the meaning from the character after it.
///
/// A caret after a percent sign is part of the name between two of them. No variable has such a name, so that the
/// prompt replaces nothing and removes the caret afterwards. Batch files have other rules for percent signs.
fn with_carets(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    let mut after_percent = false;
    for one in value.chars() {
        if after_percent || "&|<>()^\"!".contains(one) {
            text.push('^');
        }
        text.push(one);
        after_percent = one == '%';
    }
    text
}
