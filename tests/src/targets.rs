//! The fuzz targets: each calls a law with the bytes that it gets. Stable tests run the same functions over the seeds.

use std::fs;
use std::path::{Path, PathBuf};

use crate::arbitrary::{Draw, broken_definition};
use crate::log::nested;
use crate::{capture, laws, log, uart};

/// A fuzz target.
pub type Target = fn(&[u8]);

/// The targets by their names, which are those of the files in `fuzz/fuzz_targets`.
///
/// The targets `c_abi` and `generated_c` are not among them, because they call C code.
pub const TARGETS: &[(&str, Target)] = &[
    #[cfg(feature = "world")]
    ("api_json", crate::answers::api_json),
    ("capture", capture::streams),
    ("definition", definition),
    ("encode_json", laws::encode_json),
    ("lan_device", laws::lan_device),
    ("lan_session", laws::lan_session),
    ("layout", laws::layout),
    ("link", link),
    ("log", log),
    ("m2m", laws::m2m),
    ("m2m_message", laws::m2m_message),
    ("payload_text", capture::payload_text),
    #[cfg(feature = "world")]
    ("scenario", crate::scenario::scenario),
    ("standard", laws::standard),
    ("state", laws::state),
    ("uart", uart::frames),
    ("uart_module", laws::uart_module),
    ("var_len", laws::var_len),
];

/// The greatest length of a seed in bytes.
const MAX_SEED: usize = 4096;

/// Reads the seeds of a target in the order of their names. Prints each name before the seed: a test shows its output if it
/// fails, so the seed that fails is the last.
///
/// # Panics
/// If the target has no seeds, one can't be read, or one is longer than 4,096 bytes.
pub fn seeds(target: &str) -> impl ExactSizeIterator<Item = Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds");
    let entries = fs::read_dir(folder.join(target)).expect("the target has a folder of seeds");
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.expect("the folder is readable").path())
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{target} has no seeds");
    files.into_iter().map(|file| {
        println!("{}", file.display());
        let seed = fs::read(&file).expect("the seed is readable");
        assert!(seed.len() <= MAX_SEED, "{} is too long", file.display());
        seed
    })
}

/// The law `definition`: texts, however deep they are nested; behind a byte 0 definitions with any number of problems of
/// any kind; behind a byte 1 the law `scale`.
///
/// # Panics
/// If the law is broken.
pub fn definition(bytes: &[u8]) {
    match bytes {
        [0, rest @ ..] => laws::definition(broken_definition(&mut Draw::new(rest)).as_bytes()),
        [1, rest @ ..] => laws::scale(rest),
        text => laws::definition(&nested(text)),
    }
}

/// The laws of the link.
///
/// # Panics
/// If a law is broken.
pub fn link(bytes: &[u8]) {
    uart::link(bytes);
    uart::alarms(bytes);
}

/// The law of logs, however deep the records are nested.
///
/// # Panics
/// If the law is broken.
pub fn log(bytes: &[u8]) {
    if let [which, how, text @ ..] = bytes {
        log::law(&[&[*which, *how], &*nested(text)].concat());
    }
}
