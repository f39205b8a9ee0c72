//! Tokens of products, and where they are kept.

use std::collections::HashMap;
use std::fmt;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use crate::id::{EnterpriseId, ProductKey};
use crate::scalar;
use crate::time::Timestamp;

/// A token of one product, valid for seven days as a rule. `Debug` doesn't show it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Token {
    /// The token.
    pub value: SecretString,
    /// When it expires, by the server's clock.
    pub expires_at: Timestamp,
}

impl Token {
    /// A token.
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

/// Whose token it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct TokenKey {
    /// The enterprise.
    pub enterprise: EnterpriseId,
    /// The product; a token of another one is refused.
    pub product: ProductKey,
}

/// Where tokens outlive a process. It is asked when there is no fresh one in memory, and told of every
/// change; an error is traced, and otherwise means that there is no token. Calls wait for it, so it
/// should be quick.
pub trait TokenStore: Send + Sync + 'static {
    /// The token, if there is one.
    ///
    /// # Errors
    /// What reading it ends with.
    fn load(&self, key: &TokenKey) -> io::Result<Option<Token>>;

    /// Keeps a token.
    ///
    /// # Errors
    /// What writing it ends with.
    fn save(&self, key: &TokenKey, token: &Token) -> io::Result<()>;

    /// Drops a token that the server refused.
    ///
    /// # Errors
    /// What writing ends with.
    fn remove(&self, key: &TokenKey) -> io::Result<()>;
}

/// Keeps tokens as long as the process runs.
#[derive(Debug, Default)]
pub struct MemoryStore(Mutex<HashMap<TokenKey, Token>>);

impl MemoryStore {
    fn with<T>(&self, run: impl FnOnce(&mut HashMap<TokenKey, Token>) -> T) -> T {
        run(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl TokenStore for MemoryStore {
    fn load(&self, key: &TokenKey) -> io::Result<Option<Token>> {
        Ok(self.with(|tokens| tokens.get(key).cloned()))
    }

    fn save(&self, key: &TokenKey, token: &Token) -> io::Result<()> {
        self.with(|tokens| tokens.insert(key.clone(), token.clone()));
        Ok(())
    }

    fn remove(&self, key: &TokenKey) -> io::Result<()> {
        self.with(|tokens| tokens.remove(key));
        Ok(())
    }
}

/// Keeps tokens in a JSON file that only its owner may read and write.
#[derive(Debug)]
pub struct FileStore {
    path: PathBuf,
    writing: Mutex<()>,
}

#[derive(Serialize, Deserialize)]
struct Entry {
    token: String,
    expires_at: Timestamp,
}

type Entries = HashMap<String, Entry>;

impl FileStore {
    /// In this file; it is made with the first token.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        FileStore {
            path: path.into(),
            writing: Mutex::new(()),
        }
    }

    fn read(&self) -> io::Result<Entries> {
        let text = match fs::read_to_string(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Entries::new()),
            Err(error) => return Err(error),
        };
        private(&self.path)?;
        serde_json::from_str(&text).map_err(|error| {
            // The error's own words may quote a token.
            let place = format!("line {}, column {}", error.line(), error.column());
            io::Error::other(format!("{} is no token file: {place}", self.path.display()))
        })
    }

    fn change(&self, change: impl FnOnce(&mut Entries)) -> io::Result<()> {
        let _one_at_a_time = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        // What can't be read is not worth keeping.
        let mut entries = self.read().unwrap_or_default();
        change(&mut entries);
        let mut name = self.path.clone().into_os_string();
        name.push(format!(".{}", std::process::id()));
        let draft = PathBuf::from(name);
        let _ = fs::remove_file(&draft);
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&draft)?;
        let written = file
            .write_all(serde_json::to_string(&entries)?.as_bytes())
            .and_then(|()| file.sync_all())
            .and_then(|()| fs::rename(&draft, &self.path));
        if written.is_err() {
            let _ = fs::remove_file(&draft);
        }
        written
    }
}

#[cfg(unix)]
fn private(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = fs::metadata(path)?.permissions().mode();
    if mode & 0o077 == 0 {
        return Ok(());
    }
    Err(io::Error::new(
        io::ErrorKind::PermissionDenied,
        format!(
            "{} holds tokens and others may read it (mode {:o}): `chmod 600` it",
            path.display(),
            mode & 0o777
        ),
    ))
}

#[cfg(not(unix))]
fn private(_: &Path) -> io::Result<()> {
    Ok(())
}

fn entry(key: &TokenKey) -> String {
    format!("{}/{}", key.enterprise, key.product)
}

impl TokenStore for FileStore {
    fn load(&self, key: &TokenKey) -> io::Result<Option<Token>> {
        let entry = self.read()?.remove(&entry(key));
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

/// The answer of the token endpoint. The page writes `expired_at`, the wire has `expire_at`.
#[derive(Deserialize)]
pub(crate) struct TokenAnswer {
    #[serde(deserialize_with = "scalar::lenient")]
    token: String,
    #[serde(default, deserialize_with = "scalar::lenient")]
    expire_at: Option<Timestamp>,
    #[serde(default, deserialize_with = "scalar::lenient")]
    expired_at: Option<Timestamp>,
}

impl TokenAnswer {
    /// Without a word about it, it is the documented week.
    pub(crate) fn token(self, now: Timestamp) -> Token {
        const WEEK: std::time::Duration = std::time::Duration::from_secs(7 * 86_400);
        let expires_at = self.expire_at.or(self.expired_at).unwrap_or(now.plus(WEEK));
        Token::new(self.token, expires_at)
    }
}

impl fmt::Debug for TokenAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenAnswer").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(product: &str) -> TokenKey {
        TokenKey {
            enterprise: "e".into(),
            product: product.into(),
        }
    }

    #[test]
    fn every_answer() {
        let now = Timestamp::from_seconds(1_000);
        for (json, expires) in [
            (r#"{"token":"t","expire_at":1517897923}"#, 1_517_897_923),
            (r#"{"token":"t","expired_at":"1517897923"}"#, 1_517_897_923),
            (r#"{"token":"t","expire_at":1,"expired_at":2}"#, 1),
            (r#"{"token":"t"}"#, 605_800),
            (r#"{"token":8675309,"expire_at":5}"#, 5),
        ] {
            let token = serde_json::from_str::<TokenAnswer>(json)
                .unwrap()
                .token(now);
            assert_eq!(token.expires_at.seconds(), expires, "{json}");
            assert!(!format!("{token:?}").contains("\"t\""));
        }
    }

    #[cfg(unix)]
    #[test]
    fn the_file_is_the_owners_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let path = std::env::temp_dir().join(format!("gizwits-tokens-{}", std::process::id()));
        let _ = fs::remove_file(&path);
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
        let error = store.load(&key("b")).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
        fs::write(&path, r#"{"e/b":{"token":["hush"]}}"#).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        assert!(
            !store
                .load(&key("b"))
                .unwrap_err()
                .to_string()
                .contains("hush")
        );
        fs::remove_file(&path).unwrap();
    }
}
