//! The cache of tokens and definitions, which the next command needs no call for.
//!
//! Each server has a folder: a token must never be sent to another server than the one that issued it.

use std::fs;
use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use gizwits_enterprise_client::{FileStore, Token, TokenKey, TokenStore};

use crate::text::{printable, tell};

/// The time for which a definition is used. A changed definition is noticed after this time at the latest.
const DEFINITION_AGE: Duration = Duration::from_secs(3600);
/// The time after which the folder of a server that was not used is removed. Simulators leave such folders, because
/// each of them has another port.
const SERVER_AGE: Duration = Duration::from_secs(30 * 86_400);

/// The cache of an account on a server. Clones share the warning.
#[derive(Clone)]
pub(crate) struct Cache {
    folder: PathBuf,
    /// Distinguishes the tokens of accounts. It depends on the secrets: a token that was issued for the right secret
    /// must not hide that the secret is wrong now.
    account: String,
    warned: Arc<AtomicBool>,
}

impl Cache {
    /// The cache in a folder, for the server with this URL and the account with these secrets.
    pub(crate) fn new(root: &Path, server: &str, secrets: &[&str]) -> Self {
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(secrets);
        Cache {
            folder: root.join(file_name(server.trim_end_matches('/'))),
            account: format!("{hash:016x}"),
            warned: Arc::default(),
        }
    }

    /// The JSON of the definition of a product, if it is in the cache and not too old.
    pub(crate) fn definition(&self, product_key: &str) -> Option<String> {
        let path = self.definition_path(product_key);
        let modified = fs::metadata(&path).and_then(|file| file.modified()).ok()?;
        // A time in the future is an error of a clock.
        let age = SystemTime::now().duration_since(modified).ok()?;
        let text = (age < DEFINITION_AGE).then(|| fs::read_to_string(path))?;
        text.ok()
    }

    /// Stores the JSON of the definition of a product.
    pub(crate) fn save_definition(&self, product_key: &str, json: &str) {
        let path = self.definition_path(product_key);
        let folder = path.parent().unwrap_or(&self.folder);
        let saved = self.make_folder().and_then(|()| {
            fs::create_dir_all(folder)?;
            let mut file = tempfile::NamedTempFile::new_in(folder)?;
            file.write_all(json.as_bytes())?;
            file.persist(&path).map_err(|error| error.error)
        });
        self.warn_of(saved.map(drop));
    }

    fn definition_path(&self, product_key: &str) -> PathBuf {
        let name = file_name(product_key) + ".json";
        self.folder.join("definitions").join(name)
    }

    fn tokens(&self) -> FileStore {
        FileStore::new(self.token_path())
    }

    fn token_path(&self) -> PathBuf {
        self.folder.join("tokens.json")
    }

    fn key(&self, key: &TokenKey) -> TokenKey {
        TokenKey::new(
            key.enterprise.as_str(),
            format!("{}/{}", key.product, self.account),
        )
    }

    /// Creates the folder of the server, and removes those of servers that were not used for a long time.
    fn make_folder(&self) -> io::Result<()> {
        if self.folder.is_dir() {
            return Ok(());
        }
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&self.folder)?;
        let root = self.folder.parent().unwrap_or(&self.folder);
        for entry in fs::read_dir(root)?.flatten() {
            let name = entry.file_name();
            // The folder may be one that has other files, too.
            let name = name.to_string_lossy();
            let is_ours = ["http%3A%2F%2F", "https%3A%2F%2F"]
                .iter()
                .any(|start| name.starts_with(start));
            let used = [entry.path().join("tokens.json"), entry.path()];
            let used = used
                .iter()
                .filter_map(|path| path.metadata().ok()?.modified().ok());
            let age = used.max().and_then(|used| used.elapsed().ok());
            if is_ours && age.is_some_and(|age| age > SERVER_AGE) {
                // Another process may have removed the folder, too.
                let _ = fs::remove_dir_all(entry.path());
            }
        }
        Ok(())
    }

    /// Warns once of a cache that can't be written. Commands work without a cache.
    fn warn_of(&self, result: io::Result<()>) {
        if let Err(error) = result
            && !self.warned.swap(true, Ordering::Relaxed)
        {
            let error = format!(
                "warning: the cache {} can't be written: {error}",
                self.folder.display()
            );
            tell(format_args!(
                "{}\n  --no-cache works without it, GIZWITS_CACHE names another folder",
                printable(&error)
            ));
        }
    }
}

/// Tokens in a file that is replaced if it is broken, or if other users can read it.
impl TokenStore for Cache {
    fn load(&self, key: &TokenKey) -> io::Result<Option<Token>> {
        Ok(self.tokens().load(&self.key(key)).unwrap_or_else(|_| {
            self.warn_of(fs::remove_file(self.token_path()));
            None
        }))
    }

    fn save(&self, key: &TokenKey, token: &Token) -> io::Result<()> {
        let save = || self.tokens().save(&self.key(key), token);
        let saved = self.make_folder().and_then(|()| {
            save().or_else(|_| {
                fs::remove_file(self.token_path())?;
                save()
            })
        });
        self.warn_of(saved);
        Ok(())
    }

    fn remove(&self, key: &TokenKey) -> io::Result<()> {
        self.warn_of(self.tokens().remove(&self.key(key)));
        Ok(())
    }
}

/// A text as the name of a file: letters, digits, `-` and `_`, and `%` with two hex digits for any other byte.
fn file_name(text: &str) -> String {
    let bytes = text.bytes().map(|byte| match byte {
        b'-' | b'_' => char::from(byte).to_string(),
        _ if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    });
    bytes.collect()
}
