//! What can be wrong with the settings of a connection, and what to do about it. No message holds a secret.

use super::{Key, Method, SettingOrigin};
use std::path::PathBuf;

/// Why a connection cannot be used, known without asking the account.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// A file is there, or was named, and cannot be read.
    #[error("cannot read the connection file {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// A file, or the variable `SNOWFLAKE_CONNECTIONS`, is no TOML.
    #[error("the connections are not valid TOML: {place}, line {line}, column {column}: {message}")]
    Syntax {
        /// The file or the variable.
        place: String,
        /// Counted from 1.
        line: usize,
        /// In characters, counted from 1.
        column: usize,
        /// The parser's words; they quote no value.
        message: String,
    },
    /// Other users may read or write a file that holds credentials.
    #[error(
        "the connection file may be {} by other users: {} (mode {mode:04o})",
        if mode & 0o022 == 0 { "read" } else { "written" },
        path.display()
    )]
    Permissions {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The connection that was asked for is not configured; in the official CLI's words, and so the next two.
    #[error("Connection {name} is not configured ({origin})")]
    UnknownConnection {
        /// Its name.
        name: String,
        /// Who asked for it.
        origin: SettingOrigin,
        /// The connections there are.
        known: Vec<String>,
        /// The one that it resembles.
        similar: Option<String>,
    },
    /// Nothing says which account to use.
    #[error("Connection default is not configured, nor is any other")]
    NoConnection {
        /// Where one would be configured.
        path: PathBuf,
    },
    /// A connection is written as a value.
    #[error("the connection {name:?} is not a table ({origin})")]
    NotATable {
        /// Its name.
        name: String,
        /// Where it is written.
        origin: SettingOrigin,
    },
    /// `--connection` and `--temporary-connection` exclude each other.
    #[error("Can't use connection name and temporary connection.")]
    NamedAndTemporary,
    /// `--schema` takes a schema only.
    #[error("--schema takes the name of a schema alone, not {value:?}")]
    QualifiedSchema {
        /// What was given.
        value: String,
    },
    /// A setting that is needed is missing or empty.
    #[error("the connection has no {}{}", key.name(), match method {
        Some(method) => format!(", which authentication by {} needs", method.noun()),
        None => String::new(),
    })]
    Missing {
        /// The setting.
        key: Key,
        /// What needs it, where only some methods do.
        method: Option<Method>,
    },
    /// A value that cannot be right.
    #[error("{} is not usable: {value:?} ({origin})", key.name())]
    Invalid {
        /// The setting; never a secret one.
        key: Key,
        /// Its value.
        value: String,
        /// Where it came from.
        origin: SettingOrigin,
        /// What is wrong, in a sentence.
        why: &'static str,
    },
    /// A method of the official drivers that this tool does not have.
    #[error("the authenticator {name:?} is not supported ({origin})")]
    UnsupportedAuthenticator {
        /// Its name.
        name: String,
        /// Where it came from.
        origin: SettingOrigin,
    },
    /// No method has this name.
    #[error("there is no authenticator {name:?} ({origin})")]
    UnknownAuthenticator {
        /// Its name.
        name: String,
        /// Where it came from.
        origin: SettingOrigin,
        /// The one that it resembles.
        similar: Option<&'static str>,
    },
    /// A private key is given, and the method does not use it (an error in `snow` as well).
    #[error("a private key is given, but the authenticator is not SNOWFLAKE_JWT ({}: {origin})", key.name())]
    KeyWithoutMethod {
        /// How the key is given.
        key: Key,
        /// Where.
        origin: SettingOrigin,
    },
    /// A token is given and no method that would use it.
    #[error("a token is given, but no authenticator that uses it")]
    TokenWithoutMethod,
    /// Session and master token of a session that is open elsewhere.
    #[error("taking over an open session by its tokens is not supported ({origin})")]
    ForeignSession {
        /// Where the token came from.
        origin: SettingOrigin,
    },
}

/// What is no error and should be said.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsWarning {
    /// A custom connection file is open to other users, or a default one while checks are switched off.
    #[error("other users may read or write the connection file {} (mode {mode:04o})", path.display())]
    Permissions {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A key that nobody knows.
    #[error("unknown connection setting {name:?} ({origin}){}", match similar {
        Some(similar) => format!("; did you mean {similar}?"),
        None => String::new(),
    })]
    UnknownKey {
        /// Its name.
        name: String,
        /// Where it stands.
        origin: SettingOrigin,
        /// The key that it resembles.
        similar: Option<&'static str>,
    },
    /// `connections.toml` is there, so the connections of `config.toml` do not count.
    #[error("connections are read from {}; those in {} are ignored", used.display(), ignored.display())]
    Replaced {
        /// The file that counts.
        used: PathBuf,
        /// The file whose connections do not.
        ignored: PathBuf,
    },
    /// Credentials would travel in the clear.
    #[error("credentials are sent unencrypted, because the protocol is http ({origin})")]
    PlainHttp {
        /// Who said so.
        origin: SettingOrigin,
    },
    /// A connection that is written as a value cannot be listed.
    #[error("the connection {name:?} is not a table and is skipped ({origin})")]
    NotATable {
        /// Its name.
        name: String,
        /// Where it is written.
        origin: SettingOrigin,
    },
}

impl SettingsError {
    /// What to do about it; commands to copy stand on lines of their own.
    pub fn help(&self) -> String {
        match self {
            Self::Unreadable { .. } => "check the path and its permissions".to_owned(),
            Self::Syntax { .. } => {
                "correct the text there; snow and the Python connector refuse it as well".to_owned()
            }
            Self::Permissions { path, mode } => help_permissions(path, *mode),
            Self::UnknownConnection { known, similar, .. } => help_unknown(known, similar.as_deref()),
            Self::NoConnection { path } => format!(
                "configure one in {}, or set SNOWFLAKE_ACCOUNT, SNOWFLAKE_USER and a credential, \
                 or use the embedded account with --local",
                path.display()
            ),
            Self::NotATable { name, .. } => {
                format!("write it as [connections.{name}], followed by its settings")
            }
            Self::NamedAndTemporary => "leave one of them out".to_owned(),
            Self::QualifiedSchema { .. } => {
                "give the database with --database, and only the schema here".to_owned()
            }
            Self::Missing { key, .. } => help_missing(*key),
            Self::Invalid { why, .. } => (*why).to_owned(),
            Self::UnsupportedAuthenticator { .. } | Self::UnknownAuthenticator { similar: None, .. } => {
                format!("supported are {}", Method::names().collect::<Vec<_>>().join(", "))
            }
            Self::UnknownAuthenticator { similar: Some(similar), .. } => format!("did you mean {similar}?"),
            Self::KeyWithoutMethod { .. } => {
                "set authenticator to SNOWFLAKE_JWT, or remove the key".to_owned()
            }
            Self::TokenWithoutMethod => {
                "set authenticator to PROGRAMMATIC_ACCESS_TOKEN or to OAUTH, whichever the token is"
                    .to_owned()
            }
            Self::ForeignSession { .. } => {
                "remove session_token and master_token, and log in instead".to_owned()
            }
        }
    }
}

fn help_permissions(path: &std::path::Path, mode: u32) -> String {
    let command = format!("keep it to yourself:\nchmod 0600 \"{}\"", path.display());
    if mode & 0o022 == 0 {
        format!(
            "{command}\nwhere the file must stay readable, as in some containers:\n\
             export SF_SKIP_TOKEN_FILE_PERMISSIONS_VERIFICATION=true"
        )
    } else {
        command
    }
}

fn help_unknown(known: &[String], similar: Option<&str>) -> String {
    match (similar, known) {
        (Some(similar), _) => format!("did you mean {similar:?}? Configured are: {}", known.join(", ")),
        (None, []) => "no connection is configured at all".to_owned(),
        (None, known) => format!("choose one with --connection; configured are: {}", known.join(", ")),
    }
}

fn help_missing(key: Key) -> String {
    let variable = key.generic_variables().into_iter().next();
    let ways = [Some(format!("{} in the connection", key.name())), variable, key.flag().map(str::to_owned)];
    format!("set {}", ways.into_iter().flatten().collect::<Vec<_>>().join(", or "))
}
