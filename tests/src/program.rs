//! Running a program as a person or a script does.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use serde_json::Value;

/// How a program ended, and what it said.
#[derive(Debug)]
pub struct Ran {
    /// The exit status.
    pub code: i32,
    /// The text on standard output.
    pub stdout: String,
    /// The text on standard error.
    pub stderr: String,
}

impl Ran {
    /// Each line of its output as JSON.
    ///
    /// # Panics
    /// If one is none.
    #[must_use]
    pub fn json(&self) -> Vec<Value> {
        let lines = self.stdout.lines();
        lines
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect()
    }
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
    run_in(program, arguments, stdin, &BTreeMap::new())
}

/// Runs the program like [`run`], with these variables in its environment.
///
/// # Panics
/// As [`run`].
#[must_use]
pub fn run_in(
    program: &str,
    arguments: &[&str],
    stdin: &[u8],
    variables: &BTreeMap<String, String>,
) -> Ran {
    let mut child = Command::new(program)
        .args(arguments)
        .envs(variables)
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

/// Runs a line of a shell on a terminal, with these variables. Returns the exit status and what was on
/// the screen.
///
/// # Panics
/// If there is no `script`.
#[must_use]
pub fn typed(line: &str, variables: &BTreeMap<String, String>) -> (i32, String) {
    let output = Command::new("script")
        .args(["-qec", line, "/dev/null"])
        .envs(variables)
        .current_dir(root())
        .stdin(Stdio::null())
        .output()
        .expect("script");
    let screen = String::from_utf8(output.stdout).expect("UTF-8");
    let code = output.status.code().expect("an exit status");
    (code, screen.replace('\r', ""))
}

/// A folder of its own with the fixtures in it, gone at the end.
#[derive(Debug)]
pub struct Folder(
    /// The path of the folder.
    pub PathBuf,
);

impl Folder {
    /// Makes a new folder, whose name begins with `gizwits-` and this name.
    ///
    /// # Panics
    /// If it can't be made.
    #[must_use]
    pub fn new(name: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let (process, count) = (std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let folder = std::env::temp_dir().join(format!("gizwits-{name}-{process}-{count}"));
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

/// A folder for the cache of a program under test, gone at the end. The cache of whoever runs the tests is not used.
#[derive(Debug)]
pub struct CacheFolder(
    /// The path, which does not exist before the program creates it.
    pub PathBuf,
);

impl CacheFolder {
    /// Returns a folder of its own.
    #[must_use]
    pub fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let (id, count) = (std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        CacheFolder(std::env::temp_dir().join(format!("gizwits-cache-{id}-{count}")))
    }

    /// The environment variable that names the folder, and its value.
    ///
    /// # Panics
    /// If the path is not UTF-8.
    #[must_use]
    pub fn variable(&self) -> (String, String) {
        let path = self.0.to_str().expect("a path in UTF-8");
        ("GIZWITS_CACHE".to_owned(), path.to_owned())
    }
}

impl Default for CacheFolder {
    fn default() -> Self {
        CacheFolder::new()
    }
}

impl Drop for CacheFolder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A simulator of the cloud that the binary runs, and the variables that it printed. It ends with this.
#[derive(Debug)]
pub struct Simulated {
    program: String,
    child: Child,
    /// The address of its administration.
    admin: String,
    _cache: CacheFolder,
    /// The comments before the variables of the first device, each with its `#`.
    pub comments: Vec<String>,
    /// `GIZWITS_BASE_URL`, the credentials of the first product, and `GIZWITS_CACHE`.
    pub variables: BTreeMap<String, String>,
}

impl Simulated {
    /// Runs `simulate` and waits until it listens.
    ///
    /// # Panics
    /// If it can't be run.
    #[must_use]
    pub fn start(program: &str, arguments: &[&str]) -> Self {
        let mut child = Command::new(program)
            .args(["simulate", "--shell", "bash"])
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .expect("a program");
        let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let cache = CacheFolder::new();
        let (mut admin, mut comments) = (String::new(), Vec::new());
        let mut variables = BTreeMap::from([cache.variable()]);
        for line in lines.map(|line| line.expect("a line")) {
            if let Some((name, value)) = line
                .strip_prefix("export ")
                .and_then(|one| one.split_once('='))
            {
                variables.insert(name.to_owned(), value.to_owned());
            }
            if let Some(address) = line.strip_prefix("# Administration: http://") {
                admin = address.to_owned();
            }
            if line.starts_with('#') {
                comments.push(line.clone());
            }
            // The last one of the first product.
            if line.starts_with("export GIZWITS_DID=") {
                break;
            }
        }
        Simulated {
            program: program.to_owned(),
            child,
            admin,
            _cache: cache,
            comments,
            variables,
        }
    }

    /// One of the variables, without `GIZWITS_`.
    ///
    /// # Panics
    /// If there is none.
    #[must_use]
    pub fn variable(&self, name: &str) -> &str {
        &self.variables[&format!("GIZWITS_{name}")]
    }

    /// Runs the program with a line of arguments, like somebody who has pasted what the simulator
    /// printed.
    ///
    /// # Panics
    /// As [`run`].
    #[must_use]
    pub fn run(&self, line: &str) -> Ran {
        self.run_with(line, &[])
    }

    /// Like [`run`](Self::run), with some variables changed.
    ///
    /// # Panics
    /// As [`run`](Self::run).
    #[must_use]
    pub fn run_with(&self, line: &str, changed: &[(&str, &str)]) -> Ran {
        let words: Vec<&str> = line.split(' ').collect();
        let mut variables = self.variables.clone();
        // The settings of whoever runs this test are not meant.
        let config = ("CONFIG", "/no/such/config.toml");
        for (name, value) in [&config].into_iter().chain(changed) {
            variables.insert(format!("GIZWITS_{name}"), (*value).to_owned());
        }
        run_in(&self.program, &words, b"", &variables)
    }

    /// Each line of the program's output as JSON.
    ///
    /// # Panics
    /// If it fails or warns, and as [`run`](Self::run).
    pub fn json(&self, line: &str) -> Vec<Value> {
        let ran = self.run(line);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{line}");
        ran.json()
    }

    /// Runs a line of a shell on a terminal, with its variables and some of them changed. Returns the exit
    /// status and what was on the screen.
    ///
    /// # Panics
    /// If there is no `script`.
    #[must_use]
    pub fn typed(&self, line: &str, changed: &[(&str, &str)]) -> (i32, String) {
        let mut variables = self.variables.clone();
        let changed = changed.iter();
        variables.extend(changed.map(|(name, value)| (format!("GIZWITS_{name}"), (*value).into())));
        typed(line, &variables)
    }

    /// Posts JSON to a path of its administration.
    ///
    /// # Panics
    /// If that is refused.
    pub fn administer(&self, path: &str, json: &str) {
        self.call_administration("POST", path, json);
    }

    /// Clears the modes of its administration.
    ///
    /// # Panics
    /// If that is refused.
    pub fn clear_modes(&self) {
        self.call_administration("DELETE", "/modes", "");
    }

    fn call_administration(&self, method: &str, path: &str, json: &str) {
        let mut stream = TcpStream::connect(&self.admin).expect("the administration");
        let call = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{json}",
            self.admin,
            json.len()
        );
        stream.write_all(call.as_bytes()).expect("a peer who reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }

    /// Ends it with a signal, and returns its exit status; none if that was the end.
    ///
    /// # Panics
    /// If there is no `kill`.
    #[must_use]
    pub fn end(mut self, signal: &str) -> Option<i32> {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args([signal, &pid]).status();
        assert!(sent.expect("kill").success());
        self.child.wait().expect("an end").code()
    }
}

impl Drop for Simulated {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
