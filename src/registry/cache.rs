//! Session tokens between two calls of the credential helper, in a file that only the user can read.

use super::SessionToken;
use super::error::RegistryError;
use crate::host::lock::LockedFile;
use crate::host::{clock, files};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The version of the file; another one is not read.
const VERSION: u32 = 1;
/// How much of a token's life it is handed out for, in percent: what gets it needs time to use it.
const USED_PERCENT: u64 = 80;

/// The file. What is in it is worth less than an hour, so a file that cannot be read is as good as none.
pub struct TokenCache {
    path: PathBuf,
}

#[derive(Default, Serialize, Deserialize)]
struct Document {
    version: u32,
    /// By host, connection, account, user, role and authenticator.
    tokens: BTreeMap<String, Entry>,
}

#[derive(Serialize, Deserialize)]
struct Entry {
    token: String,
    /// Seconds since 1970-01-01 UTC.
    issued_at: u64,
    /// How long it is good from then on, in seconds.
    seconds: u64,
}

impl TokenCache {
    /// The cache in this file.
    pub fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// A token that is still good for a while.
    pub fn get(&self, key: &str) -> Option<SessionToken> {
        // A file that others could read is nobody's secret any more.
        if files::mode(&self.path).is_some_and(|mode| mode & 0o077 != 0) {
            return None;
        }
        let Entry { token, issued_at, seconds } = self.read().tokens.remove(key)?;
        let now = clock::now_seconds();
        let usable = issued_at <= now && now < issued_at + seconds * USED_PERCENT / 100;
        usable.then(|| SessionToken { token: SecretString::from(token), seconds })
    }

    /// Keeps a token; forgets those that are over.
    ///
    /// # Errors
    /// [`RegistryError::File`] where the file cannot be written.
    pub fn put(&self, key: &str, token: &SessionToken) -> Result<(), RegistryError> {
        let now = clock::now_seconds();
        let entry = Entry { token: token.expose().to_owned(), issued_at: now, seconds: token.seconds() };
        self.change(|document| {
            document.tokens.retain(|_, entry| now < entry.issued_at.saturating_add(entry.seconds));
            document.tokens.insert(key.to_owned(), entry);
        })
    }

    /// Forgets the tokens of a host.
    ///
    /// # Errors
    /// [`RegistryError::File`] where the file cannot be written.
    pub fn forget(&self, host: &str) -> Result<(), RegistryError> {
        let is_of_host = |key: &str| key.split('\n').next() == Some(host);
        if !self.read().tokens.keys().any(|key| is_of_host(key)) {
            return Ok(());
        }
        self.change(|document| document.tokens.retain(|key, _| !is_of_host(key)))
    }

    /// The turn to sign in for a key: one process at a time has it, until it drops it or ends.
    ///
    /// # Errors
    /// [`RegistryError::File`] where the file that stands for it cannot be made.
    pub async fn turn(&self, key: &str) -> Result<LockedFile, RegistryError> {
        let hash = ring::digest::digest(&ring::digest::SHA256, key.as_bytes());
        let name: String = hash.as_ref()[..8].iter().map(|byte| format!("{byte:02x}")).collect();
        let path = self.path.with_file_name(format!("registry-{name}.lock"));
        let waiting = path.clone();
        let taken = tokio::task::spawn_blocking(move || {
            waiting.parent().map_or(Ok(()), files::create_private_dir)?;
            LockedFile::wait(&waiting)
        });
        let taken = taken.await.map_err(std::io::Error::other).and_then(|taken| taken);
        taken.map_err(|error| RegistryError::File { path, reason: error.to_string() })
    }

    /// Changes the file, while nobody else does.
    fn change(&self, change: impl FnOnce(&mut Document)) -> Result<(), RegistryError> {
        let lock = self.path.with_extension("lock");
        let locked = self.path.parent().map_or(Ok(()), files::create_private_dir);
        let locked = locked.and_then(|()| LockedFile::wait(&lock));
        let _lock = locked.map_err(|error| RegistryError::File { path: lock, reason: error.to_string() })?;
        let mut document = self.read();
        change(&mut document);
        self.write(&document)
    }

    fn read(&self) -> Document {
        let read =
            files::read(&self.path).ok().and_then(|bytes| serde_json::from_slice::<Document>(&bytes).ok());
        read.filter(|document| document.version == VERSION)
            .unwrap_or(Document { version: VERSION, ..Document::default() })
    }

    fn write(&self, document: &Document) -> Result<(), RegistryError> {
        let bytes = serde_json::to_vec(document).expect("internal error: a document has text keys");
        let directory = self.path.parent().map_or(Ok(()), files::create_private_dir);
        directory
            .and_then(|()| files::write_private(&self.path, &bytes))
            .map_err(|error| RegistryError::File { path: self.path.clone(), reason: error.to_string() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(text: &str, seconds: u64) -> SessionToken {
        SessionToken { token: SecretString::from(text), seconds }
    }

    #[test]
    fn a_token_is_handed_out_while_it_is_good_and_to_its_owner_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("c/tokens.json");
        let cache = TokenCache::new(path.clone());
        assert!(cache.get("h\nme").is_none());
        cache.put("h\nme", &token("good", 1000)).unwrap();
        cache.put("h2\nme", &token("short", 1)).unwrap();
        assert_eq!(files::mode(&path), Some(0o600));
        assert_eq!(cache.get("h\nme").unwrap().expose(), "good");
        assert!(cache.get("h\nyou").is_none() && cache.get("h2\nme").is_none(), "one second is no life");

        // Four fifths of its life later it is not handed out any more.
        let aged = files::read_to_string(&path).unwrap().replace(
            &format!("\"issued_at\":{}", clock::now_seconds()),
            &format!("\"issued_at\":{}", clock::now_seconds() - 801),
        );
        files::write_private(&path, aged.as_bytes()).unwrap();
        assert!(cache.get("h\nme").is_none());

        cache.put("h\nme", &token("good", 1000)).unwrap();
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
        assert!(cache.get("h\nme").is_none(), "others can read it");
        cache.put("h\nme", &token("good", 1000)).unwrap();
        cache.forget("h").unwrap();
        assert!(cache.get("h\nme").is_none());
    }
}
