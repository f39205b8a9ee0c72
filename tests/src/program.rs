//! Running a program as a person or a script does.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// How a program ended, and what it said.
#[derive(Debug)]
pub struct Ran {
    /// The exit status.
    pub code: i32,
    /// What it wrote to standard output.
    pub stdout: String,
    /// What it wrote to standard error.
    pub stderr: String,
}

/// The repository's root, where programs are run.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Runs a program to its end.
///
/// # Panics
/// If it can't be run, is killed, or says what isn't UTF-8.
#[must_use]
pub fn run(program: &str, arguments: &[&str], stdin: &[u8]) -> Ran {
    let mut child = Command::new(program)
        .args(arguments)
        .current_dir(root())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a program");
    let mut input = child.stdin.take().expect("a pipe");
    let stdin = stdin.to_owned();
    // From another thread: the child may answer before it has read everything.
    let writer = std::thread::spawn(move || {
        let _ = input.write_all(&stdin);
    });
    let output = child.wait_with_output().expect("an end");
    writer.join().expect("a writer that doesn't panic");
    Ran {
        code: output.status.code().expect("an exit status"),
        stdout: String::from_utf8(output.stdout).expect("UTF-8"),
        stderr: String::from_utf8(output.stderr).expect("UTF-8"),
    }
}

/// A folder of its own with the fixtures in it, gone at the end.
#[derive(Debug)]
pub struct Folder(
    /// Where it is.
    pub PathBuf,
);

impl Folder {
    /// Makes the folder; `name` is a test's own.
    ///
    /// # Panics
    /// If it can't be made.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("gizwits-{name}-{}", std::process::id()));
        let fixtures = folder.join("tests/fixtures");
        std::fs::create_dir_all(&fixtures).expect("a new folder");
        for name in crate::vectors::fixtures() {
            let text = crate::vectors::fixture(&name);
            std::fs::write(fixtures.join(format!("{name}.json")), text).expect("a new file");
        }
        Folder(folder)
    }

    /// Writes a file and returns its path.
    ///
    /// # Panics
    /// If it can't be written.
    #[must_use]
    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) -> String {
        let file = self.0.join(name);
        std::fs::write(&file, text).expect("a new file");
        file.to_str().expect("a path in UTF-8").to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
