//! How to prove who we are: the authenticator, and whether what it needs is there.
//!
//! Source: snowflake-connector-python `connection.py` (`__config`), snowflake-cli `_app/snow_connector.py`.

use super::endpoint::given;
use super::suggest::closest;
use super::{Key, SettingsError, Values};

/// A method of authentication that this tool supports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// A password, with a one-time code where one is given.
    Password,
    /// A private key that signs a short-lived token.
    KeyPair,
    /// A programmatic access token.
    AccessToken,
    /// An OAuth access token that somebody else obtained.
    Oauth,
}

/// The methods by the name that `authenticator` gives them.
const SUPPORTED: &[(&str, Method)] = &[
    ("SNOWFLAKE", Method::Password),
    ("USERNAME_PASSWORD_MFA", Method::Password),
    ("SNOWFLAKE_JWT", Method::KeyPair),
    ("PROGRAMMATIC_ACCESS_TOKEN", Method::AccessToken),
    ("OAUTH", Method::Oauth),
];

/// Methods of the official drivers that are not supported here.
const UNSUPPORTED: &[&str] = &[
    "EXTERNALBROWSER",
    "OAUTH_AUTHORIZATION_CODE",
    "OAUTH_CLIENT_CREDENTIALS",
    "PAT_WITH_EXTERNAL_SESSION",
    "WORKLOAD_IDENTITY",
];

impl Method {
    /// The names that `authenticator` takes, for messages.
    pub fn names() -> impl Iterator<Item = &'static str> {
        SUPPORTED.iter().map(|(name, _)| *name)
    }

    /// The name for a person.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::KeyPair => "key pair",
            Self::AccessToken => "programmatic access token",
            Self::Oauth => "OAuth token",
        }
    }

    /// Finds the method, and refuses one whose credentials are missing.
    pub(super) fn resolve(values: &Values) -> Result<Self, SettingsError> {
        if let Some(setting) = given(values, Key::SessionToken).or_else(|| given(values, Key::MasterToken)) {
            return Err(SettingsError::ForeignSession { origin: setting.origin.clone() });
        }
        let method = Self::named(values)?;
        if method != Self::KeyPair {
            for key in [Key::PrivateKeyFile, Key::PrivateKeyRaw] {
                if let Some(setting) = given(values, key) {
                    return Err(SettingsError::KeyWithoutMethod { key, origin: setting.origin.clone() });
                }
            }
        }
        let needs_user = matches!(method, Self::Password | Self::KeyPair);
        if needs_user && given(values, Key::User).is_none() {
            return Err(SettingsError::Missing { key: Key::User, method: Some(method) });
        }
        let alternatives: &[Key] = match method {
            Self::Password => &[Key::Password],
            Self::KeyPair => &[Key::PrivateKeyFile, Key::PrivateKeyRaw],
            Self::AccessToken | Self::Oauth => &[Key::Token, Key::TokenFilePath],
        };
        if alternatives.iter().any(|key| given(values, *key).is_some()) {
            return Ok(method);
        }
        let has_token = given(values, Key::Token).or_else(|| given(values, Key::TokenFilePath)).is_some();
        if method == Self::Password && has_token {
            return Err(SettingsError::TokenWithoutMethod);
        }
        Err(SettingsError::Missing { key: alternatives[0], method: Some(method) })
    }

    fn named(values: &Values) -> Result<Self, SettingsError> {
        let Some(setting) = given(values, Key::Authenticator) else { return Ok(Self::Password) };
        let name = setting.value.expose().to_uppercase();
        if let Some((_, method)) = SUPPORTED.iter().find(|(known, _)| *known == name) {
            return Ok(*method);
        }
        let name = setting.value.expose().into_owned();
        let origin = setting.origin.clone();
        let upper = name.to_uppercase();
        if UNSUPPORTED.contains(&upper.as_str()) || upper.starts_with("HTTPS://") {
            return Err(SettingsError::UnsupportedAuthenticator { name, origin });
        }
        let similar = closest(&upper, SUPPORTED.iter().map(|(known, _)| *known));
        Err(SettingsError::UnknownAuthenticator { name, origin, similar })
    }
}
