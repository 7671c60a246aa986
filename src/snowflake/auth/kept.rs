//! Tokens that outlive a command: id, MFA and OAuth tokens, in the file where the Python connector and `snow` keep them.
//!
//! The file, its keys and its lock are the connector's (`token_cache.py`, `file_lock.py`), so whoever is signed in for
//! `snow` is signed in here, and the other way round. Two differences, both towards caution: a file or a directory that
//! others may read is not used at all, and the file is replaced whole, not written over.

use crate::host::lock::LockedFile;
use crate::host::{clock, files};
use crate::snowflake::settings::Environment;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const FILE: &str = "credential_cache_v1.json";
const LOCK: &str = "credential_cache_v1.json.lck";
/// Ours: the connector's lock, a directory that counts as left behind after a second, can be taken by two at once.
const OWN_LOCK: &str = "snowform.lock";
/// After how many milliseconds a lock is one that was left behind; the connector says one second.
const STALE: u64 = 1000;
/// How long to wait for whoever holds the lock. It is held while a file is read and written.
const PATIENCE: Duration = Duration::from_secs(3);

/// What kind of token it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::snowflake) enum Kind {
    /// Stands for a sign-in with a browser.
    Id,
    /// Stands for the second factor.
    Mfa,
    /// An OAuth access token.
    OauthAccess,
    /// What it is renewed with.
    OauthRefresh,
}

impl Kind {
    /// Every kind.
    pub(in crate::snowflake) const ALL: [Self; 4] =
        [Self::Id, Self::Mfa, Self::OauthAccess, Self::OauthRefresh];

    fn name(self) -> &'static str {
        match self {
            Self::Id => "ID_TOKEN",
            Self::Mfa => "MFA_TOKEN",
            Self::OauthAccess => "OAUTH_ACCESS_TOKEN",
            Self::OauthRefresh => "OAUTH_REFRESH_TOKEN",
        }
    }
}

/// Whose token: the host that takes it, and the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::snowflake) struct Owner {
    pub(in crate::snowflake) host: String,
    pub(in crate::snowflake) user: String,
}

impl Owner {
    /// The connector's key: for id and MFA tokens it has user and host the other way round (`auth/_auth.py` hands them
    /// over in that order), and whoever wants to find its tokens has to do the same.
    fn key(&self, kind: Kind) -> String {
        let (host, user) = (self.host.to_uppercase(), self.user.to_uppercase());
        let text = match kind {
            Kind::Id | Kind::Mfa => format!("{user}:{host}:{}", kind.name()),
            Kind::OauthAccess | Kind::OauthRefresh => format!("{host}:{user}:{}", kind.name()),
        };
        let hash = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
        hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// The file. Whatever is wrong with it, the tokens in it are as good as none: a person signs in again.
#[derive(Clone, Debug)]
pub(in crate::snowflake) struct TokenStore {
    directory: PathBuf,
}

impl TokenStore {
    /// The store in this directory.
    pub(in crate::snowflake) fn new(directory: PathBuf) -> Self {
        Self { directory }
    }

    /// Where the connector keeps it: `SF_TEMPORARY_CREDENTIAL_CACHE_DIR`, `$XDG_CACHE_HOME/snowflake`,
    /// `~/.cache/snowflake`; the first that is there and that only the user can enter. The last two are made.
    pub(in crate::snowflake) fn find(environment: &Environment) -> Option<Self> {
        let given = environment.get("SF_TEMPORARY_CREDENTIAL_CACHE_DIR").map(PathBuf::from);
        let below = |base: Option<&str>, rest: &str| {
            let base = base.map(Path::new).filter(|base| files::exists(base))?;
            let directory = base.join(rest);
            files::create_private_dir(&directory).ok()?;
            Some(directory)
        };
        let is_private = |directory: &PathBuf| files::mode(directory).is_none_or(|mode| mode == 0o700);
        let usable =
            |directory: Option<PathBuf>| directory.filter(|path| files::exists(path)).filter(is_private);
        usable(given)
            .or_else(|| usable(below(environment.get("XDG_CACHE_HOME"), "snowflake")))
            .or_else(|| usable(below(environment.get("HOME"), ".cache/snowflake")))
            .map(Self::new)
    }

    /// The file that whoever signs in as this owner holds meanwhile.
    pub(in crate::snowflake) fn turn_file(&self, owner: &Owner, kind: Kind) -> PathBuf {
        self.directory.join(format!("snowform-{}.lock", owner.key(kind)))
    }

    /// A token, where one is kept.
    pub(in crate::snowflake) fn get(&self, owner: &Owner, kind: Kind) -> Option<SecretString> {
        let text = self.locked(|tokens| tokens.get(&owner.key(kind))?.as_str().map(SecretString::from));
        text.ok().flatten()
    }

    /// Keeps a token.
    pub(in crate::snowflake) fn put(&self, owner: &Owner, kind: Kind, token: &SecretString) {
        let kept = self.changed(|tokens| {
            tokens.insert(owner.key(kind), Value::from(token.expose_secret()));
            true
        });
        if let Err(error) = kept {
            tracing::info!(kind = kind.name(), %error, "a token is not kept");
        }
    }

    /// Forgets a token; whether there was one.
    pub(in crate::snowflake) fn forget(&self, owner: &Owner, kind: Kind) -> bool {
        let mut was_there = false;
        let forgotten = self.changed(|tokens| {
            was_there = tokens.remove(&owner.key(kind)).is_some();
            was_there
        });
        if let Err(error) = forgotten {
            tracing::info!(kind = kind.name(), %error, "a token is not forgotten");
        }
        was_there
    }

    fn locked<T>(&self, read: impl FnOnce(&Map<String, Value>) -> T) -> io::Result<T> {
        let _own = LockedFile::wait(&self.directory.join(OWN_LOCK))?;
        let _lock = DirectoryLock::take(self.directory.join(LOCK))?;
        let document = self.document();
        Ok(read(document.get("tokens").and_then(Value::as_object).unwrap_or(&Map::new())))
    }

    fn changed(&self, change: impl FnOnce(&mut Map<String, Value>) -> bool) -> io::Result<()> {
        let _own = LockedFile::wait(&self.directory.join(OWN_LOCK))?;
        let _lock = DirectoryLock::take(self.directory.join(LOCK))?;
        let mut document = self.document();
        let tokens = document.entry("tokens").or_insert_with(|| Value::Object(Map::new()));
        if !tokens.is_object() {
            *tokens = Value::Object(Map::new());
        }
        let tokens = tokens.as_object_mut().expect("internal error: it was made an object");
        if !change(tokens) {
            return Ok(());
        }
        let text = Value::Object(document).to_string();
        files::write_private(&self.directory.join(FILE), text.as_bytes())
    }

    /// What the file says; nothing where it is missing, broken, or no secret of the user's.
    fn document(&self) -> Map<String, Value> {
        let path = self.directory.join(FILE);
        if files::mode(&path).is_some_and(|mode| mode & 0o077 != 0) {
            return Map::new();
        }
        let read = files::read(&path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        match read {
            Some(Value::Object(document)) => document,
            _ => Map::new(),
        }
    }
}

/// A directory whose being there is a lock, as the connector has it.
struct DirectoryLock {
    path: PathBuf,
}

impl DirectoryLock {
    fn take(path: PathBuf) -> io::Result<Self> {
        let began = Instant::now();
        loop {
            match files::create_dir(&path) {
                Ok(()) => return Ok(Self { path }),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
            if files::changed_at(&path).is_some_and(|at| at + STALE < clock::now_millis()) {
                // Whoever made it is gone; that another has removed it by now is fine.
                let _ = files::remove_empty_dir(&path);
            } else if began.elapsed() > PATIENCE {
                return Err(io::Error::new(io::ErrorKind::WouldBlock, "another process holds the lock"));
            } else {
                std::thread::sleep(Duration::from_millis(20));
            }
        }
    }
}

impl Drop for DirectoryLock {
    fn drop(&mut self) {
        let _ = files::remove_empty_dir(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner() -> Owner {
        Owner { host: "acct.example".to_owned(), user: "me".to_owned() }
    }

    #[test]
    fn keys_are_those_of_the_connector() {
        // sha256 of ME:ACCT.EXAMPLE:ID_TOKEN and of ACCT.EXAMPLE:ME:OAUTH_REFRESH_TOKEN, by sha256sum.
        let expected = [(Kind::Id, KEY_OF_ID), (Kind::OauthRefresh, KEY_OF_REFRESH)];
        for (kind, key) in expected {
            assert_eq!(owner().key(kind), key, "{kind:?}");
        }
    }

    const KEY_OF_ID: &str = "4c269b59a12bafe93056123b7c7b8982a7d2e9c7d5f557d3dae5bcea6416b7d3";
    const KEY_OF_REFRESH: &str = "c86f3e923f8790beeaaa247a272d00d7d884057bf0e800d06c3d2dbdc06dcb6f";

    fn private() -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        std::fs::set_permissions(directory.path(), std::os::unix::fs::PermissionsExt::from_mode(0o700))
            .unwrap();
        directory
    }

    #[test]
    fn what_others_wrote_stays_and_what_others_can_read_is_not_used() {
        let directory = private();
        let path = directory.path().join(FILE);
        files::write_private(&path, br#"{"tokens": {"other": "theirs"}, "more": 1}"#).unwrap();
        let store = TokenStore::new(directory.path().to_owned());
        store.put(&owner(), Kind::Mfa, &SecretString::from("secret"));
        assert_eq!(store.get(&owner(), Kind::Mfa).unwrap().expose_secret(), "secret");
        assert!(store.get(&owner(), Kind::Id).is_none());
        let document: Value = serde_json::from_slice(&files::read(&path).unwrap()).unwrap();
        assert_eq!((&document["tokens"]["other"], &document["more"]), (&"theirs".into(), &1.into()));
        assert_eq!(files::mode(&path), Some(0o600));
        assert!(!files::exists(&directory.path().join(LOCK)), "unlocked");

        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
        assert!(store.get(&owner(), Kind::Mfa).is_none());
        store.put(&owner(), Kind::Mfa, &SecretString::from("new"));
        assert_eq!(files::mode(&path), Some(0o600));
        assert!(store.forget(&owner(), Kind::Mfa) && !store.forget(&owner(), Kind::Mfa));
    }

    #[test]
    fn many_at_once_lose_nothing_and_a_lock_that_was_left_behind_is_no_end() {
        let directory = private();
        let store = TokenStore::new(directory.path().to_owned());
        std::fs::create_dir(directory.path().join(LOCK)).unwrap();
        let owners: Vec<Owner> =
            (0..8).map(|number| Owner { host: format!("h{number}"), user: "u".to_owned() }).collect();
        std::thread::scope(|scope| {
            for owner in &owners {
                let store = &store;
                scope.spawn(move || store.put(owner, Kind::Id, &SecretString::from(owner.host.as_str())));
            }
        });
        for owner in &owners {
            assert_eq!(store.get(owner, Kind::Id).unwrap().expose_secret(), owner.host);
        }
    }
}
