//! Who we are, put into a login: credentials as they were read, and what each method says.
//!
//! Source: snowflake-connector-python `auth/*.py`; docs.snowflake.com `user-guide/key-pair-auth`,
//! `user-guide/programmatic-access-tokens`.

use super::key::{KeyError, SigningKey};
use super::settings::{Key, Method, SettingOrigin, Settings, expand_home};
use crate::host;
use crate::session::SessionError;
use crate::wire::LoginData;
use secrecy::{ExposeSecret as _, SecretString};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Credentials, ready to be put into any number of logins. `Debug` names the method only.
pub(super) struct Credentials {
    user: Option<String>,
    proof: Proof,
}

enum Proof {
    Password { password: SecretString, passcode: Option<SecretString>, passcode_in_password: bool },
    KeyPair { key: Box<SigningKey>, account: String, user: String },
    Token { authenticator: &'static str, source: TokenSource },
}

enum TokenSource {
    Given(SecretString),
    /// Read again at every login: whoever keeps the file may replace the token (Snowpark Container Services
    /// does).
    File(PathBuf),
}

/// Why credentials could not be put together. No message holds a secret.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// The file of the private key cannot be read.
    #[error("cannot read the private key {} ({origin}): {source}", path.display())]
    KeyFile {
        /// The file.
        path: PathBuf,
        /// Who named it.
        origin: SettingOrigin,
        /// Why not.
        source: io::Error,
    },
    /// The private key is not usable.
    #[error("{error} ({origin})")]
    Key {
        /// What is wrong with it.
        error: KeyError,
        /// Who gave it.
        origin: SettingOrigin,
    },
    /// The file of the token cannot be read.
    #[error("cannot read the token file {}: {source}", path.display())]
    TokenFile {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The file of the token is empty.
    #[error("the token file {} is empty", path.display())]
    EmptyTokenFile {
        /// The file.
        path: PathBuf,
    },
}

impl AuthError {
    /// What to do about it.
    pub fn help(&self) -> String {
        match self {
            Self::KeyFile { .. } | Self::TokenFile { .. } => "check the path and its permissions".to_owned(),
            Self::Key { error, .. } => error.help().to_owned(),
            Self::EmptyTokenFile { .. } => "write the token into it, and nothing else".to_owned(),
        }
    }
}

impl From<AuthError> for SessionError {
    fn from(error: AuthError) -> Self {
        Self::Authentication { code: None, message: error.to_string(), help: error.help() }
    }
}

impl Credentials {
    /// Reads what the settings name: the private key now, a token file at every login.
    pub(super) fn load(settings: &Settings) -> Result<Self, AuthError> {
        let user = settings.text(Key::User).map(|user| user.into_owned());
        let proof = match settings.method() {
            Method::Password => Proof::Password {
                password: settings.secret(Key::Password).unwrap_or_default(),
                passcode: settings.secret(Key::Passcode),
                passcode_in_password: settings.is_true(Key::PasscodeInPassword),
            },
            Method::KeyPair => Proof::KeyPair {
                key: Box::new(load_key(settings)?),
                account: settings.account_name().to_owned(),
                user: user.clone().unwrap_or_default().to_uppercase(),
            },
            Method::AccessToken => token(settings, "PROGRAMMATIC_ACCESS_TOKEN"),
            Method::Oauth => token(settings, "OAUTH"),
        };
        Ok(Self { user, proof })
    }

    /// Puts the credentials into a login. A key pair signs a new token each time: the last one may have
    /// expired while the login was retried.
    pub(super) fn fill(&self, data: &mut LoginData) -> Result<(), AuthError> {
        data.login_name.clone_from(&self.user);
        match &self.proof {
            Proof::Password { password, passcode, passcode_in_password } => {
                data.password = Some(password.expose_secret().to_owned());
                if *passcode_in_password || passcode.is_some() {
                    data.ext_authn_duo_method = Some("passcode".to_owned());
                }
                if !passcode_in_password {
                    data.passcode = passcode.as_ref().map(|passcode| passcode.expose_secret().to_owned());
                }
            }
            Proof::KeyPair { key, account, user } => {
                let token = key.token(account, user, host::clock::now_seconds());
                data.authenticator = Some("SNOWFLAKE_JWT".to_owned());
                data.token = Some(token.expose_secret().to_owned());
            }
            Proof::Token { authenticator, source } => {
                data.authenticator = Some((*authenticator).to_owned());
                data.token = Some(source.read()?.expose_secret().to_owned());
            }
        }
        Ok(())
    }

    /// The fingerprint of the public key, which the account must know, where a key signs.
    pub(super) fn fingerprint(&self) -> Option<&str> {
        match &self.proof {
            Proof::KeyPair { key, .. } => Some(key.fingerprint()),
            Proof::Password { .. } | Proof::Token { .. } => None,
        }
    }

    /// A text of the account without the secrets that were sent, should it repeat one.
    pub(super) fn scrub(&self, text: &str, sent: &LoginData) -> String {
        let secrets = [&sent.password, &sent.token, &sent.passcode];
        let long_enough = secrets.into_iter().flatten().filter(|secret| secret.len() >= 4);
        long_enough.fold(text.to_owned(), |text, secret| text.replace(secret.as_str(), "****"))
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let method = match &self.proof {
            Proof::Password { .. } => "password",
            Proof::KeyPair { .. } => "key pair",
            Proof::Token { authenticator, .. } => authenticator,
        };
        f.debug_struct("Credentials")
            .field("user", &self.user)
            .field("method", &method)
            .finish_non_exhaustive()
    }
}

fn load_key(settings: &Settings) -> Result<SigningKey, AuthError> {
    let passphrase = settings.secret_or_empty(Key::PrivateKeyPassphrase);
    let (pem, origin) = match settings.get(Key::PrivateKeyFile).filter(|setting| setting.value.is_filled()) {
        Some(setting) => {
            let path = expand_home(&setting.value.expose(), host::environment::home().as_deref());
            let origin = setting.origin.clone();
            let pem = host::files::read_to_string(&path).map_err(|source| AuthError::KeyFile {
                path,
                origin: origin.clone(),
                source,
            })?;
            (SecretString::from(pem), origin)
        }
        None => {
            let origin = settings.get(Key::PrivateKeyRaw).map(|setting| setting.origin.clone());
            let pem = settings.secret(Key::PrivateKeyRaw).unwrap_or_default();
            (pem, origin.unwrap_or(SettingOrigin::Default))
        }
    };
    SigningKey::from_pem(pem.expose_secret(), passphrase.as_ref())
        .map_err(|error| AuthError::Key { error, origin })
}

/// The token that was given; a token file wins over a token, as in the Python connector.
fn token(settings: &Settings, authenticator: &'static str) -> Proof {
    let file = settings.text(Key::TokenFilePath);
    let source = match file {
        Some(path) => TokenSource::File(expand_home(&path, host::environment::home().as_deref())),
        None => TokenSource::Given(settings.secret(Key::Token).unwrap_or_default()),
    };
    Proof::Token { authenticator, source }
}

impl TokenSource {
    fn read(&self) -> Result<SecretString, AuthError> {
        match self {
            Self::Given(token) => Ok(token.clone()),
            Self::File(path) => read_token(path),
        }
    }
}

/// The content of a token file without the line break at its end. The Python connector sends the line break
/// along, and the account then refuses a token that every editor would have written that way.
fn read_token(path: &Path) -> Result<SecretString, AuthError> {
    let text = host::files::read_to_string(path)
        .map(SecretString::from)
        .map_err(|source| AuthError::TokenFile { path: path.to_owned(), source })?;
    let token = text.expose_secret();
    let token = token.strip_suffix('\n').unwrap_or(token);
    let token = token.strip_suffix('\r').unwrap_or(token);
    if token.is_empty() {
        return Err(AuthError::EmptyTokenFile { path: path.to_owned() });
    }
    Ok(SecretString::from(token))
}

#[cfg(test)]
#[path = "auth_tests.rs"]
mod tests;
