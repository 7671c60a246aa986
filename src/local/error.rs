//! Why the embedded account itself, not a statement, failed.

use std::io;
use std::path::PathBuf;

/// A failure of the embedded account.
#[derive(Debug, thiserror::Error)]
pub enum LocalError {
    /// The account's directory or one of its files could not be used.
    #[error("the local account's file {path} cannot be used: {source}")]
    Io {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The catalog is damaged, or is none.
    #[error("the local account in {path} cannot be read: {reason}")]
    Corrupt {
        /// The catalog's file.
        path: PathBuf,
        /// SQLite's words.
        reason: String,
    },
    /// The catalog was written by a newer version.
    #[error("the local account in {path} was written by a newer version of snowform (its format is {found})")]
    Newer {
        /// The catalog's file.
        path: PathBuf,
        /// The format that was found.
        found: i64,
    },
    /// The catalog could not be read or written just now.
    #[error("the local account's catalog cannot be used: {reason}")]
    Catalog {
        /// SQLite's words.
        reason: String,
    },
    /// There is no such object or user.
    #[error("{what} does not exist in the local account")]
    Missing {
        /// What was looked for.
        what: String,
    },
    /// The connection file is no TOML.
    #[error("{path} is not a connection file: {reason}")]
    ConnectionFile {
        /// The file.
        path: PathBuf,
        /// The TOML reader's words.
        reason: String,
    },
}

impl LocalError {
    /// What to do about it, in a sentence.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Io { .. } => "check that the directory is there, is yours and has room",
            Self::Corrupt { .. } => {
                "run `snowform local reset` to start with a new account; what this one holds is lost"
            }
            Self::Newer { .. } => {
                "update snowform, or run `snowform local reset` to start with a new account"
            }
            Self::Catalog { .. } => {
                "try again; if this stays, run `snowform local reset` to start with a new account"
            }
            Self::Missing { .. } => "create it first",
            Self::ConnectionFile { .. } => "correct the file, or delete it and let snowform write a new one",
        }
    }
}

impl From<rusqlite::Error> for LocalError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Catalog { reason: error.to_string() }
    }
}
