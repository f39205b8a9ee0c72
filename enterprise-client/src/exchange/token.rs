//! Tokens of products, and stores for them.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use crate::exchange::lock::lock;
use crate::model::{EnterpriseId, ProductKey, Timestamp};

/// A token of a product, usually valid for seven days. `Debug` doesn't show its value.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Token {
    /// The value of the token, for the header `Authorization: token …`.
    pub value: SecretString,
    /// The time at which the token expires, by the server's clock.
    pub expires_at: Timestamp,
}

impl Token {
    /// Creates a token, for example in a [`TokenStore`].
    pub fn new(value: impl Into<SecretString>, expires_at: Timestamp) -> Self {
        Token {
            value: value.into(),
            expires_at,
        }
    }

    pub(crate) fn is(&self, other: &Token) -> bool {
        self.value.expose_secret() == other.value.expose_secret()
    }
}

/// The enterprise and the product that a token belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct TokenKey {
    /// The id of the enterprise.
    pub enterprise: EnterpriseId,
    /// The key of the product. The server refuses the token of another product.
    pub product: ProductKey,
}

impl TokenKey {
    /// Creates the key of a token.
    pub fn new(enterprise: impl Into<EnterpriseId>, product: impl Into<ProductKey>) -> Self {
        TokenKey {
            enterprise: enterprise.into(),
            product: product.into(),
        }
    }
}

/// A store for tokens, from which the next run of a program can take them. The client reads the store when it
/// has no fresh token in memory, and writes every new token. If the store fails, the client traces the error
/// and continues without the store. The functions are called in async code and should not block for long.
pub trait TokenStore: Send + Sync + 'static {
    /// Returns the token, or `None` if the store has none.
    ///
    /// # Errors
    /// If the store can't be read.
    fn load(&self, key: &TokenKey) -> io::Result<Option<Token>>;

    /// Stores a token, in place of an older one.
    ///
    /// # Errors
    /// If the store can't be written.
    fn save(&self, key: &TokenKey, token: &Token) -> io::Result<()>;

    /// Removes a token that the server refused.
    ///
    /// # Errors
    /// If the store can't be written.
    fn remove(&self, key: &TokenKey) -> io::Result<()>;
}

impl<S: TokenStore + ?Sized> TokenStore for Arc<S> {
    fn load(&self, key: &TokenKey) -> io::Result<Option<Token>> {
        (**self).load(key)
    }

    fn save(&self, key: &TokenKey, token: &Token) -> io::Result<()> {
        (**self).save(key, token)
    }

    fn remove(&self, key: &TokenKey) -> io::Result<()> {
        (**self).remove(key)
    }
}

/// A store in memory. Tokens are lost when the process ends.
#[derive(Debug, Default)]
pub struct MemoryStore(Mutex<HashMap<TokenKey, Token>>);

impl TokenStore for MemoryStore {
    fn load(&self, key: &TokenKey) -> io::Result<Option<Token>> {
        Ok(lock(&self.0).get(key).cloned())
    }

    fn save(&self, key: &TokenKey, token: &Token) -> io::Result<()> {
        lock(&self.0).insert(key.clone(), token.clone());
        Ok(())
    }

    fn remove(&self, key: &TokenKey) -> io::Result<()> {
        lock(&self.0).remove(key);
        Ok(())
    }
}

/// A store in a JSON file that only its owner can read and write. Several stores and processes can share a
/// file, because they lock it. The store never overwrites a file with other content.
///
/// # Examples
/// ```
/// use gizwits_enterprise_client::{FileStore, Timestamp, Token, TokenKey, TokenStore};
///
/// let path = std::env::temp_dir().join(format!("tokens-{}.json", std::process::id()));
/// let key = TokenKey::new("enterprise id", "product key");
/// let token = Token::new("0a1b2c", Timestamp::from_seconds(4_102_444_800));
///
/// FileStore::new(&path).save(&key, &token)?;
/// assert!(FileStore::new(&path).load(&key)?.is_some());
/// std::fs::remove_file(path)?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct FileStore {
    path: PathBuf,
}

#[derive(Serialize, Deserialize)]
struct Entry {
    token: String,
    expires_at: Timestamp,
}

type Entries = HashMap<String, Entry>;

impl FileStore {
    /// Creates a store in this file. The first token creates the file.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        FileStore { path: path.into() }
    }

    fn read(&self, mut file: &File) -> io::Result<Entries> {
        let path = self.path.display();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = file.metadata()?.permissions().mode() & 0o777;
            if mode & 0o077 != 0 {
                return Err(io::Error::new(
                    io::ErrorKind::PermissionDenied,
                    format!(
                        "other users can read the tokens in {path} (mode {mode:o}): run `chmod 600`"
                    ),
                ));
            }
        }
        let mut text = String::new();
        file.read_to_string(&mut text)?;
        serde_json::from_str(&text).or_else(|error| {
            // An interrupted write, for example by a power cut, leaves the beginning of a file.
            if error.is_eof() {
                return Ok(Entries::new());
            }
            // The error's own text may quote a token.
            let (line, column) = (error.line(), error.column());
            Err(io::Error::other(format!(
                "{path} is not a token file: unexpected content at line {line}, column {column}"
            )))
        })
    }

    fn change(&self, change: impl FnOnce(&mut Entries)) -> io::Result<()> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&self.path)?;
        supported(file.lock())?;
        let mut entries = self.read(&file)?;
        change(&mut entries);
        let text = serde_json::to_string(&entries)?;
        // The file is emptied first, so that an interrupted write is recognised by its missing end.
        file.set_len(0)?;
        file.rewind()?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    }
}

/// Ignores the error of a file system without locks.
fn supported(locked: io::Result<()>) -> io::Result<()> {
    match locked {
        Err(error) if error.kind() == io::ErrorKind::Unsupported => Ok(()),
        locked => locked,
    }
}

fn entry(key: &TokenKey) -> String {
    format!("{}/{}", key.enterprise, key.product)
}

impl TokenStore for FileStore {
    fn load(&self, key: &TokenKey) -> io::Result<Option<Token>> {
        let file = match File::open(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            file => file?,
        };
        supported(file.lock_shared())?;
        let entry = self.read(&file)?.remove(&entry(key));
        Ok(entry.map(|entry| Token::new(entry.token, entry.expires_at)))
    }

    fn save(&self, key: &TokenKey, token: &Token) -> io::Result<()> {
        self.change(|entries| {
            let token = Entry {
                token: token.value.expose_secret().to_owned(),
                expires_at: token.expires_at,
            };
            entries.insert(entry(key), token);
        })
    }

    fn remove(&self, key: &TokenKey) -> io::Result<()> {
        self.change(|entries| {
            entries.remove(&entry(key));
        })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn key(product: &str) -> TokenKey {
        TokenKey::new("e", product)
    }

    /// A new one, empty.
    fn folder(name: &str) -> PathBuf {
        let name = format!("gizwits-tokens-{name}-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir(&folder).unwrap();
        folder
    }

    #[cfg(unix)]
    #[test]
    fn the_file_is_the_owners_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let path = folder("private").join("tokens");
        let store = FileStore::new(&path);
        assert!(store.load(&key("a")).unwrap().is_none());
        let token = Token::new("hush", Timestamp::from_seconds(5));
        store.save(&key("a"), &token).unwrap();
        store.save(&key("b"), &token).unwrap();
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        let again = FileStore::new(&path).load(&key("a")).unwrap().unwrap();
        assert!(again.is(&token) && again.expires_at == token.expires_at);
        store.remove(&key("a")).unwrap();
        assert!(store.load(&key("a")).unwrap().is_none());
        assert!(store.load(&key("b")).unwrap().is_some());

        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        for error in [
            store.load(&key("b")).unwrap_err(),
            store.save(&key("b"), &token).unwrap_err(),
        ] {
            assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
        }
        fs::write(&path, r#"{"e/b":{"token":["hush"]}}"#).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        assert!(
            !store
                .load(&key("b"))
                .unwrap_err()
                .to_string()
                .contains("hush")
        );
        // A file with other content is not overwritten.
        fs::write(&path, "export PATH=…").unwrap();
        assert!(store.save(&key("b"), &token).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "export PATH=…");
        // The beginning of a file, which an interrupted write leaves, is overwritten.
        for left in ["", "{", r#"{"e/b":{"token":"hush","exp"#] {
            fs::write(&path, left).unwrap();
            assert!(store.load(&key("b")).unwrap().is_none(), "{left}");
            store.save(&key("b"), &token).unwrap();
            assert!(store.load(&key("b")).unwrap().is_some(), "{left}");
        }
        fs::remove_dir_all(path.parent().unwrap()).unwrap();
    }

    #[test]
    fn stores_of_one_file_take_turns() {
        let path = folder("turns").join("tokens");
        let token = Token::new("x".repeat(3000), Timestamp::from_seconds(5));
        std::thread::scope(|scope| {
            for n in 0..4 {
                let (path, token) = (&path, &token);
                scope.spawn(move || {
                    for round in 0..30 {
                        let key = key(&format!("{n}/{round}"));
                        FileStore::new(path).save(&key, token).unwrap();
                    }
                });
            }
        });
        for n in 0..4 {
            for round in 0..30 {
                let key = key(&format!("{n}/{round}"));
                let found = FileStore::new(&path).load(&key).unwrap();
                assert!(found.is_some(), "{key:?}");
            }
        }
        let files = fs::read_dir(path.parent().unwrap()).unwrap().count();
        assert_eq!(files, 1);
        fs::remove_dir_all(path.parent().unwrap()).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn a_link_to_the_file_stays_one() {
        let folder = folder("link");
        let (there, link) = (folder.join("real"), folder.join("link"));
        std::os::unix::fs::symlink("real", &link).unwrap();
        let token = Token::new("hush", Timestamp::from_seconds(5));
        // The first save creates the file behind the link.
        for product in ["a", "b"] {
            FileStore::new(&link).save(&key(product), &token).unwrap();
            assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
            assert!(
                FileStore::new(&there)
                    .load(&key(product))
                    .unwrap()
                    .is_some()
            );
        }
        fs::remove_dir_all(folder).unwrap();
    }
}
