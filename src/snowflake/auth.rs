//! Who we are, put into a login: credentials as they were read, and what each method says.
//!
//! Source: snowflake-connector-python `auth/*.py`; docs.snowflake.com `user-guide/key-pair-auth`,
//! `user-guide/programmatic-access-tokens`.

mod aws;
mod browser;
pub mod desk;
pub(in crate::snowflake) mod kept;
mod oauth;
mod okta;
mod recall;
mod sso;
mod workload;

use super::http::Transport;
use super::key::{KeyError, SigningKey};
use super::settings::{Environment, Key, Method, SettingOrigin, Settings, expand_home};
use crate::host;
use crate::session::SessionError;
use crate::wire::LoginData;
use desk::Desk;
use kept::{Kind, TokenStore};
use recall::Recall;
use secrecy::{ExposeSecret as _, SecretString};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Credentials, ready to be put into any number of logins. `Debug` names the method only.
pub(super) struct Credentials {
    user: Option<String>,
    proof: Proof,
    recall: Recall,
}

enum Proof {
    Password { password: SecretString, passcode: Option<SecretString>, passcode_in_password: bool },
    KeyPair { key: Box<SigningKey>, account: String, user: String },
    Token { authenticator: &'static str, source: TokenSource },
    Browser(sso::Sso),
    OauthCode(Box<oauth::CodeFlow>),
    OauthClient(Box<oauth::Client>),
    Workload(workload::Workload),
    Okta(okta::Okta),
}

/// What a login goes through to be made: everything that obtaining a proof may need.
pub(super) struct Step<'a> {
    pub(super) transport: &'a Transport,
    pub(super) environment: &'a Environment,
    pub(super) desk: &'a Desk,
    /// The login without credentials.
    pub(super) base: &'a LoginData,
    /// The role that is asked for.
    pub(super) role: Option<&'a str>,
}

/// What was obtained for one login from elsewhere, beside what the settings hold.
#[derive(Clone, Default)]
pub(super) struct Obtained {
    authenticator: Option<&'static str>,
    token: Option<SecretString>,
    proof_key: Option<SecretString>,
    saml: Option<SecretString>,
    provider: Option<&'static str>,
    oauth_type: Option<&'static str>,
    /// Where it was kept from an earlier login: then it may be what is refused, and not who we are.
    pub(super) kept: Option<Kind>,
    /// Whether the person agrees that what the account gives in return is kept.
    may_keep: bool,
}

/// What the account gave for next time.
pub(super) struct ForNextTime {
    pub(super) id_token: Option<SecretString>,
    pub(super) mfa_token: Option<SecretString>,
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

/// The token of a service in Snowpark Container Services, which goes along with every login from inside one, whatever
/// the method (snowflake-connector-python `_utils.py`); nothing elsewhere, and where it cannot be read.
pub(super) fn service_token(environment: &Environment) -> Option<SecretString> {
    environment.get("SNOWFLAKE_RUNNING_INSIDE_SPCS")?;
    let read = host::files::read_to_string(Path::new("/snowflake/session/spcs_token"));
    read.ok().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()).map(SecretString::from)
}

impl From<AuthError> for SessionError {
    fn from(error: AuthError) -> Self {
        Self::Authentication { code: None, message: error.to_string(), help: error.help() }
    }
}

impl Credentials {
    /// Reads what the settings name: the private key now, a token file at every login.
    pub(super) fn load(settings: &Settings) -> Result<Self, SessionError> {
        let user = settings.text(Key::User).map(|user| user.into_owned());
        let proof = match settings.method() {
            Method::Password | Method::PasswordMfa => Proof::Password {
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
            Method::Browser => Proof::Browser(sso::Sso::new(settings)),
            Method::OauthCode => Proof::OauthCode(Box::new(oauth::CodeFlow::new(settings)?)),
            Method::OauthClient => Proof::OauthClient(Box::new(oauth::client(settings)?)),
            Method::Workload(provider) => Proof::Workload(workload::Workload::new(settings, provider)?),
            Method::Okta => Proof::Okta(okta::Okta::new(settings)?),
        };
        Ok(Self { user, proof, recall: Recall::new(settings) })
    }

    /// The user that logins name.
    pub(super) fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// Obtains what a login needs beside the settings: from a person, from whoever vouches for this place, or from
    /// where it was kept.
    pub(super) async fn obtain(&self, step: &Step<'_>) -> Result<Obtained, SessionError> {
        match &self.proof {
            Proof::Password { .. } => Ok(Obtained {
                kept: self.recall.get(Kind::Mfa, step.desk).map(|_| Kind::Mfa),
                token: self.recall.get(Kind::Mfa, step.desk),
                may_keep: true,
                ..Obtained::default()
            }),
            Proof::KeyPair { .. } | Proof::Token { .. } => Ok(Obtained::default()),
            Proof::Browser(sso) => match self.recall.in_turn(Kind::Id, step.desk).await {
                (Some(token), _) => Ok(Obtained {
                    authenticator: Some("ID_TOKEN"),
                    token: Some(token),
                    kept: Some(Kind::Id),
                    may_keep: true,
                    ..Obtained::default()
                }),
                (None, turn) => {
                    let obtained = sso.obtain(step).await;
                    drop(turn);
                    obtained
                }
            },
            Proof::OauthCode(flow) => self.recall.oauth(flow, self.user(), step).await,
            Proof::OauthClient(client) => {
                let tokens = client.own(step).await?;
                Ok(oauth::obtained(tokens.access, "oauth_client_credentials", None))
            }
            Proof::Workload(workload) => workload.obtain(step).await,
            Proof::Okta(okta) => okta.obtain(step, self.user()).await,
        }
    }

    /// Forgets what was kept and is refused.
    pub(super) fn forget(&self, kind: Kind, desk: &Desk) {
        match (&self.proof, kind) {
            (Proof::OauthCode(flow), Kind::OauthAccess | Kind::OauthRefresh) => {
                self.recall.forget_oauth(flow, self.user(), kind, desk);
            }
            _ => self.recall.forget(kind, desk),
        }
    }

    /// Forgets every token that is kept of this connection; whether there was one.
    pub(super) fn forget_all(&self, store: &TokenStore) -> bool {
        let provider = match &self.proof {
            Proof::OauthCode(flow) => flow.client.owner(self.user()),
            _ => None,
        };
        let owners: Vec<_> = self.recall.owner().into_iter().chain(provider.as_ref()).collect();
        let all = owners.iter().flat_map(|owner| Kind::ALL.map(|kind| store.forget(owner, kind)));
        // Each of them is to be forgotten, so the first is no reason to stop.
        all.filter(|was_there| *was_there).count() > 0
    }

    /// Keeps what the account gave for next time, where that is wanted.
    pub(super) fn keep(&self, obtained: &Obtained, given: &ForNextTime, desk: &Desk) {
        let ForNextTime { id_token, mfa_token } = given;
        for (kind, token) in [(Kind::Id, id_token), (Kind::Mfa, mfa_token)] {
            if let Some(token) = token.as_ref().filter(|_| obtained.may_keep) {
                self.recall.put(kind, token, desk);
            }
        }
    }

    /// The parameters of a session that ask for tokens for next time.
    pub(super) fn parameters(&self) -> Vec<(&'static str, bool)> {
        self.recall.parameters()
    }

    /// Puts the credentials into a login. A key pair signs a new token each time: the last one may have
    /// expired while the login was retried.
    pub(super) fn fill(&self, data: &mut LoginData, obtained: &Obtained) -> Result<(), AuthError> {
        let exposed =
            |secret: &Option<SecretString>| secret.as_ref().map(|text| text.expose_secret().to_owned());
        data.login_name.clone_from(&self.user);
        data.authenticator = obtained.authenticator.map(ToOwned::to_owned);
        data.token = exposed(&obtained.token);
        data.proof_key = exposed(&obtained.proof_key);
        data.raw_saml_response = exposed(&obtained.saml);
        data.provider = obtained.provider.map(ToOwned::to_owned);
        if let Some(kind) = obtained.oauth_type {
            data.client_environment.insert("OAUTH_TYPE".to_owned(), kind.into());
        }
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
            Proof::Browser(_)
            | Proof::OauthCode(_)
            | Proof::OauthClient(_)
            | Proof::Workload(_)
            | Proof::Okta(_) => {}
        }
        Ok(())
    }

    /// The fingerprint of the public key, which the account must know, where a key signs.
    pub(super) fn fingerprint(&self) -> Option<&str> {
        match &self.proof {
            Proof::KeyPair { key, .. } => Some(key.fingerprint()),
            _ => None,
        }
    }

    /// A text of the account without the secrets that were sent, should it repeat one.
    pub(super) fn scrub(&self, text: &str, sent: &LoginData) -> String {
        let secrets = [
            &sent.password,
            &sent.token,
            &sent.passcode,
            &sent.proof_key,
            &sent.raw_saml_response,
            &sent.spcs_token,
        ];
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
            Proof::Browser(_) => "browser",
            Proof::OauthCode(_) => "OAuth authorization code",
            Proof::OauthClient(_) => "OAuth client credentials",
            Proof::Workload(_) => "workload identity",
            Proof::Okta(_) => "Okta",
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
