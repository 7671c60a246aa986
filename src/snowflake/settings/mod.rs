//! Which account, as whom, and how: the settings of a connection, found where `snow` finds them and with its
//! precedence, each value with the place it came from.
//!
//! Strongest first: flags, `SNOWFLAKE_CONNECTIONS_<NAME>_<KEY>`, the connection's section in a file,
//! `SNOWFLAKE_<KEY>`. Deciding is pure ([`resolve`], [`list`]); [`Sources::read`] does the reading.
//!
//! Two differences from `snow`, both where it gives up: without any connection configured and without one
//! asked for, the environment and the flags are enough; and `private_key_path` in a weaker source does not
//! displace `private_key_file` in a stronger one.

mod document;
mod endpoint;
mod environment;
mod error;
mod keys;
mod locate;
mod method;
mod resolve;
mod suggest;

pub use endpoint::{Endpoint, Protocol};
pub use environment::Environment;
pub use error::{SettingsError, SettingsWarning};
pub use keys::Key;
pub(in crate::snowflake) use locate::expand_home;
pub use locate::{ConfigRole, ConfigText, Flags, Located, Sources, locate};
pub use method::{Method, Provider};
pub use resolve::{Listing, NamedConnection, list, resolve};

use secrecy::{ExposeSecret as _, SecretString};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

/// One value and where it came from.
#[derive(Clone, Debug)]
pub struct Setting {
    /// The value.
    pub value: SettingValue,
    /// The place that gave it.
    pub origin: SettingOrigin,
}

/// A value. Neither `Debug` nor `Display` shows a secret one.
#[derive(Clone, Debug)]
pub enum SettingValue {
    /// A text, as everything is that comes from a flag or from the environment.
    Text(String),
    /// A whole number in a file.
    Integer(i64),
    /// A truth value in a file.
    Truth(bool),
    /// A text that must never be shown.
    Secret(SecretString),
}

/// Where a value came from; displays as a person would say it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SettingOrigin {
    /// A flag of the command line.
    Flag(&'static str),
    /// An environment variable, by name.
    Environment(String),
    /// A line of a file, counted from 1.
    File {
        /// The file.
        path: PathBuf,
        /// The line.
        line: usize,
    },
    /// Nobody said otherwise.
    Default,
}

/// What is shown in the place of a secret (as `snow` shows it).
const MASK: &str = "****";

impl SettingValue {
    /// The value as a text, secret or not; for requests, never for display.
    pub(in crate::snowflake) fn expose(&self) -> Cow<'_, str> {
        match self {
            Self::Text(text) => Cow::Borrowed(text),
            Self::Secret(secret) => Cow::Borrowed(secret.expose_secret()),
            Self::Integer(number) => Cow::Owned(number.to_string()),
            Self::Truth(truth) => Cow::Owned(truth.to_string()),
        }
    }

    /// Whether a value was given and is not the empty text.
    pub(in crate::snowflake) fn is_filled(&self) -> bool {
        !self.expose().is_empty()
    }

    /// `true`, `false`, `1` or `0` in any case (`try_cast_to_bool`).
    fn truth(&self) -> Option<bool> {
        match self.expose().to_lowercase().as_str() {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => None,
        }
    }
}

impl fmt::Display for SettingValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Secret(_) => f.write_str(MASK),
            plain => f.write_str(&plain.expose()),
        }
    }
}

impl fmt::Display for SettingOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => write!(f, "flag {flag}"),
            Self::Environment(variable) => write!(f, "environment variable {variable}"),
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Default => f.write_str("default"),
        }
    }
}

/// Settings by key.
pub type Values = BTreeMap<Key, Setting>;

/// The settings of one connection, complete and checked: whatever can be wrong without asking the account is
/// known not to be.
#[derive(Clone, Debug)]
pub struct Settings {
    connection: Option<String>,
    values: Values,
    session_parameters: BTreeMap<String, serde_json::Value>,
    endpoint: Endpoint,
    account: String,
    method: Method,
    environment: Environment,
    warnings: Vec<SettingsWarning>,
}

impl Settings {
    /// The name of the connection; nothing for a temporary one.
    pub fn connection(&self) -> Option<&str> {
        self.connection.as_deref()
    }

    /// Every setting that has a value, in the order in which connections are shown.
    pub fn iter(&self) -> impl Iterator<Item = (Key, &Setting)> {
        Key::all().filter_map(|key| Some((key, self.values.get(&key)?)))
    }

    /// One setting with its origin.
    pub fn get(&self, key: Key) -> Option<&Setting> {
        self.values.get(&key)
    }

    /// The text of a setting that is no secret; nothing where it is missing, empty or secret.
    pub fn text(&self, key: Key) -> Option<Cow<'_, str>> {
        let value = &self.values.get(&key)?.value;
        (!matches!(value, SettingValue::Secret(_)) && value.is_filled()).then(|| value.expose())
    }

    /// Whether a setting is `true` or `1`.
    pub fn is_true(&self, key: Key) -> bool {
        self.truth(key) == Some(true)
    }

    /// A setting that is `true` or `false`; nothing where it is missing or neither.
    pub fn truth(&self, key: Key) -> Option<bool> {
        self.values.get(&key).and_then(|setting| setting.value.truth())
    }

    /// Protocol, host and port of the account.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The host of the account.
    pub fn host(&self) -> &str {
        self.endpoint.host()
    }

    /// The account's name as logins want it: upper case, without region.
    pub fn account_name(&self) -> &str {
        &self.account
    }

    /// The method of authentication.
    pub fn method(&self) -> Method {
        self.method
    }

    /// The environment that the settings were made in; for what vouches for a workload.
    pub(in crate::snowflake) fn environment(&self) -> &Environment {
        &self.environment
    }

    /// Whether tokens and sessions may be kept between two commands: as the connection says, and where it says nothing,
    /// not in continuous integration. What runs there runs once, and perhaps on a machine that others use next.
    pub(in crate::snowflake) fn keeps(&self) -> bool {
        self.truth(Key::ClientStoreTemporaryCredential).unwrap_or(!self.environment.is_ci())
    }

    /// Session parameters of the connection's `session_parameters` table, by upper-case name.
    pub fn session_parameters(&self) -> &BTreeMap<String, serde_json::Value> {
        &self.session_parameters
    }

    /// What is no error and should be said.
    pub fn warnings(&self) -> &[SettingsWarning] {
        &self.warnings
    }

    /// A secret setting, for the one who authenticates.
    pub(in crate::snowflake) fn secret(&self, key: Key) -> Option<SecretString> {
        let value = &self.values.get(&key)?.value;
        value.is_filled().then(|| SecretString::from(value.expose().into_owned()))
    }

    /// The same, where "set, but empty" means something.
    pub(in crate::snowflake) fn secret_or_empty(&self, key: Key) -> Option<SecretString> {
        Some(SecretString::from(self.values.get(&key)?.value.expose().into_owned()))
    }
}
