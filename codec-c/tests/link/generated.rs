//! The generated C code of a product, compiled and loaded, and a link over it.

use std::collections::BTreeMap;
use std::ffi::{CString, c_char, c_int, c_void};
use std::process::Command;
use std::ptr::null_mut;
use std::sync::{Mutex, PoisonError};

use gizwits::link::*;
use gizwits::status::gizwits_status as S;
use gizwits_codec_core::Protocol;
use gizwits_codec_core::uart::DeviceInfo;
use gizwits_codec_std::codegen;
use gizwits_tests::program::Folder;
use gizwits_tests::vectors::product;

unsafe extern "C" {
    fn dlopen(path: *const c_char, flags: c_int) -> *mut c_void;
    fn dlsym(library: *mut c_void, name: *const c_char) -> *mut c_void;
}

/// Compiles the code of a fixture with its table and `driver.c`, without a warning. `output` are the last arguments.
pub(crate) fn compile(name: &str, arguments: &[&str], output: &[&str]) -> Folder {
    let product = product(name);
    let code = codegen::c(&product, &name.replace('-', "_"));
    let (prefix, upper) = (&code.prefix, code.prefix.to_uppercase());
    let folder = Folder::new(&format!("c-link-{prefix}"));
    folder.write(&format!("{prefix}.h"), &code.header);
    let driver = include_str!("driver.c");
    let source = folder.write(&format!("{prefix}.c"), format!("{}\n{driver}", code.source));
    let include = concat!("-I", env!("CARGO_MANIFEST_DIR"), "/include");
    let macros = [
        "-DGIZWITS_LINK".to_owned(),
        format!("-DNAME(x)={prefix}_##x"),
        format!("-DUPPER(x)={upper}_##x"),
    ];
    let mut command = Command::new("cc");
    command.args([
        "-Wall",
        "-Wextra",
        "-Wredundant-decls",
        "-Wpedantic",
        "-Wconversion",
        "-Wshadow",
        "-Werror",
        include,
    ]);
    command
        .args(arguments)
        .args(macros)
        .arg(&source)
        .args(output);
    if product.protocol() == Protocol::VarLen {
        command.arg("-DVAR_LEN");
    }
    let ran = command.output().unwrap();
    assert!(
        ran.status.success(),
        "{name}: {}",
        String::from_utf8_lossy(&ran.stderr)
    );
    folder
}

type Start = unsafe extern "C" fn(*mut c_void);
type Set = unsafe extern "C" fn(*mut c_void, *const u8, usize) -> u16;
type Get = unsafe extern "C" fn(*const c_void, *mut u8, usize, *mut usize) -> u16;

/// The code of a product.
pub(crate) struct Generated {
    table: *const gizwits_link_product,
    sizes: [usize; 3],
    /// The description of the device of all links, with a NUL.
    pub(crate) info: &'static [u8],
    pub(crate) timing: gizwits_link_timing,
    start: Start,
    set: Set,
    get: Get,
}

// SAFETY: the table is a constant, and functions belong to no thread.
unsafe impl Send for Generated {}
// SAFETY: as above.
unsafe impl Sync for Generated {}

impl Generated {
    /// Returns the code of a fixture, which is compiled once.
    pub(crate) fn get(name: &'static str) -> &'static Generated {
        static ALL: Mutex<BTreeMap<&str, &Generated>> = Mutex::new(BTreeMap::new());
        let mut all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
        all.entry(name)
            .or_insert_with(|| Box::leak(Box::new(Generated::load(name))))
    }

    fn load(name: &str) -> Generated {
        let file =
            std::env::temp_dir().join(format!("gizwits-link-{name}-{}.so", std::process::id()));
        let path = file.to_str().unwrap().to_owned();
        compile(
            name,
            &["-std=c99", "-g", "-fPIC", "-shared"],
            &["-o", &path],
        );
        let text = CString::new(path).unwrap();
        // SAFETY: the library has these symbols, of these types, and is never closed.
        let loaded = unsafe {
            const NOW: c_int = 2;
            let library = dlopen(text.as_ptr(), NOW);
            assert!(!library.is_null(), "{name}");
            let symbol = |name: &str| {
                let symbol = dlsym(library, CString::new(name).unwrap().as_ptr());
                assert!(!symbol.is_null(), "{name}");
                symbol
            };
            let table: unsafe extern "C" fn() -> *const gizwits_link_product =
                std::mem::transmute(symbol("link_table"));
            Generated {
                table: table(),
                sizes: *symbol("link_sizes").cast(),
                info: std::slice::from_raw_parts(symbol("link_info").cast(), 75),
                timing: *symbol("link_timing").cast(),
                start: std::mem::transmute::<*mut c_void, Start>(symbol("link_start")),
                set: std::mem::transmute::<*mut c_void, Set>(symbol("link_set")),
                get: std::mem::transmute::<*mut c_void, Get>(symbol("link_get")),
            }
        };
        std::fs::remove_file(file).unwrap();
        loaded
    }
}

/// The memory of no link.
pub(crate) const NONE: gizwits_link = gizwits_link {
    memory: [null_mut(); GIZWITS_LINK_WORDS],
};

/// The description of the device of all links.
pub(crate) const INFO: DeviceInfo = DeviceInfo::new(&[b'0'; 32])
    .hardware(b"03000001")
    .software(b"03000102")
    .bind_timeout(300)
    .attributes(1);

/// The bytes that a link has sent.
#[derive(Default)]
struct Sent(Vec<u8>);

/// A link over generated code, with memory of exactly the length that it needs.
pub(crate) struct Running {
    generated: &'static Generated,
    link: Box<gizwits_link>,
    options: Box<gizwits_link_options>,
    sent: Box<Sent>,
    memory: Vec<Box<[u64]>>,
    frame: Box<[u8]>,
}

unsafe extern "C" fn write(context: *mut c_void, byte: u8) {
    // SAFETY: the context is that of `Running::new`.
    unsafe { (*context.cast::<Sent>()).0.push(byte) }
}

impl Running {
    /// Begins a link with the least status and an outbox of this length.
    pub(crate) fn new(generated: &'static Generated, outbox: usize) -> Self {
        let [status, state, memory] = generated.sizes;
        let words = |bytes: usize| vec![0_u64; bytes.div_ceil(8)].into_boxed_slice();
        let mut sent = Box::new(Sent::default());
        let mut memories = vec![words(status), words(state)];
        let mut frame = vec![0; memory + outbox].into_boxed_slice();
        let options = gizwits_link_options {
            product: generated.table,
            info: generated.info.as_ptr().cast(),
            status: memories[0].as_mut_ptr().cast(),
            state: memories[1].as_mut_ptr().cast(),
            memory: frame.as_mut_ptr(),
            write: Some(write),
            context: (&raw mut *sent).cast(),
            info_length: generated.info.len(),
            memory_length: frame.len(),
            outbox_length: outbox,
        };
        let mut running = Running {
            generated,
            link: Box::new(NONE),
            options: Box::new(options),
            sent,
            memory: memories,
            frame,
        };
        // SAFETY: the memory is that of a status.
        unsafe { (generated.start)(running.options.status) };
        assert_eq!(running.restart(), S::Ok);
        running
    }

    pub(crate) fn restart(&mut self) -> S {
        assert!(self.memory.len() == 2 && !self.frame.is_empty());
        // SAFETY: all memory lives as long as `self`.
        unsafe { gizwits_link_init(&raw mut *self.link, &raw const *self.options) }
    }

    pub(crate) fn options(&self) -> gizwits_link_options {
        *self.options
    }

    pub(crate) fn link(&mut self) -> *mut gizwits_link {
        &raw mut *self.link
    }

    /// The bytes that were sent since the last call.
    pub(crate) fn sent(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.sent.0)
    }

    /// Sets the status to that of a reply or report, whose values may be invalid.
    pub(crate) fn set(&mut self, p0: &[u8]) {
        // SAFETY: the memory is that of a status.
        let result = unsafe { (self.generated.set)(self.options.status, p0.as_ptr(), p0.len()) };
        assert_eq!(result, 0);
    }

    /// The status as a report.
    pub(crate) fn status(&self) -> Vec<u8> {
        let (mut p0, mut length) = (vec![0; 1024], 0);
        // SAFETY: the memory is that of a status.
        let result = unsafe {
            (self.generated.get)(self.options.status, p0.as_mut_ptr(), 1024, &raw mut length)
        };
        assert_eq!(result, 0);
        p0.truncate(length);
        p0
    }

    pub(crate) fn receive(&mut self, byte: u8, now: u32) -> gizwits_link_event {
        let mut event = gizwits_link_event::default();
        // SAFETY: the link was initialised.
        let status =
            unsafe { gizwits_link_receive(&raw mut *self.link, byte, now, &raw mut event) };
        assert_eq!(status, S::Ok);
        event
    }

    /// Returns the first event of the bytes, and the number of bytes up to it.
    pub(crate) fn receive_bytes(&mut self, bytes: &[u8], now: u32) -> (gizwits_link_event, usize) {
        let (mut event, mut used) = (gizwits_link_event::default(), 0);
        let (link, event_at) = (&raw mut *self.link, &raw mut event);
        let (from, length) = (bytes.as_ptr(), bytes.len());
        // SAFETY: the link was initialised.
        let status =
            unsafe { gizwits_link_receive_bytes(link, from, length, now, event_at, &raw mut used) };
        assert_eq!(status, S::Ok);
        (event, used)
    }

    pub(crate) fn poll(&mut self, now: u32) -> gizwits_link_event {
        let mut event = gizwits_link_event::default();
        // SAFETY: the link was initialised.
        let status = unsafe { gizwits_link_poll(&raw mut *self.link, now, &raw mut event) };
        assert_eq!(status, S::Ok);
        event
    }

    pub(crate) fn wait(&mut self, now: u32) -> u32 {
        let mut wait = 0;
        // SAFETY: the link was initialised.
        let status = unsafe { gizwits_link_wait(&raw mut *self.link, now, &raw mut wait) };
        assert_eq!(status, S::Ok);
        wait
    }

    pub(crate) fn set_timing(&mut self, timing: gizwits_link_timing) {
        // SAFETY: the link was initialised.
        let status = unsafe { gizwits_link_set_timing(&raw mut *self.link, &raw const timing) };
        assert_eq!(status, S::Ok);
    }
}
