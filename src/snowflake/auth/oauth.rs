//! OAuth: a client's own credentials, or a code that a browser brings, exchanged for tokens; and their renewal.
//!
//! Source: snowflake-connector-python `auth/_oauth_base.py`, `auth/oauth_code.py`, `auth/oauth_credentials.py`;
//! RFC 6749, RFC 7636.

use super::browser::{Landing, Visit};
use super::kept::{Kind, Owner};
use super::sso::patience;
use super::{Obtained, Step};
use crate::host;
use crate::session::SessionError;
use crate::snowflake::outside::{self, Ask, Outside};
use crate::snowflake::retry::Retry;
use crate::snowflake::settings::{Key, Settings};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use reqwest::Url;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use std::time::Duration;

/// The client that every account knows, for people who sign in at Snowflake itself.
const LOCAL_APPLICATION: &str = "LOCAL_APPLICATION";
/// Where the browser is sent back to, where nobody says otherwise; the port is whichever is free.
const REDIRECT: &str = "http://127.0.0.1";
/// The longest words of an identity provider that are repeated, in characters.
const LONGEST: usize = 300;

/// A client of an identity provider.
#[derive(Clone)]
pub(super) struct Client {
    id: String,
    secret: SecretString,
    secret_in_body: bool,
    token_url: Url,
    /// What tokens are asked for; nothing where the role alone decides.
    scope: Option<String>,
    asks_offline: bool,
}

/// The way by a person's browser.
#[derive(Clone)]
pub(super) struct CodeFlow {
    pub(super) client: Client,
    authorization_url: Url,
    redirect: Url,
    /// Whether the redirect address was written with a slash as its whole path: it has to be as it is registered.
    redirect_slash: bool,
    /// Where this program listens, as far as that is not the redirect address.
    socket: Url,
    proves: bool,
    single_use: bool,
    pub(super) refreshes: bool,
    patience: Duration,
}

/// What an identity provider gives.
pub(super) struct Tokens {
    pub(super) access: SecretString,
    pub(super) refresh: Option<SecretString>,
}

#[derive(Deserialize)]
struct TokenAnswer {
    #[serde(default)]
    access_token: Option<String>,
    #[serde(default)]
    refresh_token: Option<String>,
    #[serde(default)]
    error: Option<String>,
    #[serde(default)]
    error_description: Option<String>,
}

/// An address of the settings, in which `{host}` and `{port}` are the account's; by default one on the account.
fn address(settings: &Settings, key: Key, path: &str) -> Result<Url, SessionError> {
    let endpoint = settings.endpoint();
    match settings.text(key) {
        Some(text) => {
            let text =
                text.replace("{host}", endpoint.host()).replace("{port}", &endpoint.port().to_string());
            outside::address(key.name(), &text)
        }
        None => outside::address(key.name(), &format!("{endpoint}{path}")),
    }
}

impl Client {
    /// The client that the settings name. `at_account`: whether people sign in at Snowflake itself, which knows one.
    fn new(settings: &Settings, at_account: bool) -> Result<Self, SessionError> {
        let id = settings.text(Key::OauthClientId).map(|id| id.into_owned());
        let secret = settings.secret(Key::OauthClientSecret);
        let (id, secret) = match (id, secret) {
            (None, None) if at_account => {
                (LOCAL_APPLICATION.to_owned(), SecretString::from(LOCAL_APPLICATION))
            }
            (Some(id), Some(secret)) => (id, secret),
            (id, _) => {
                let missing = if id.is_none() { Key::OauthClientId } else { Key::OauthClientSecret };
                return Err(SessionError::Authentication {
                    code: None,
                    message: format!("the connection has no {}", missing.name()),
                    help: format!(
                        "set {} in the connection, or SNOWFLAKE_{}",
                        missing.name(),
                        missing.name().to_uppercase()
                    ),
                });
            }
        };
        let token_url = address(settings, Key::OauthTokenRequestUrl, "/oauth/token-request")?;
        let scope = settings.text(Key::OauthScope).map(|scope| scope.into_owned());
        Ok(Self {
            id,
            secret,
            secret_in_body: settings.is_true(Key::OauthCredentialsInBody),
            asks_offline: asks_offline(settings, &token_url, scope.as_deref()),
            token_url,
            scope,
        })
    }

    /// Who takes the tokens, for keeping them.
    pub(super) fn owner(&self, user: Option<&str>) -> Option<Owner> {
        let host = self.token_url.host_str()?.to_owned();
        Some(Owner { host, user: user.filter(|user| !user.is_empty())?.to_owned() })
    }

    fn scope(&self, role: Option<&str>) -> Option<String> {
        let own = self.scope.clone().or_else(|| role.map(|role| format!("session:role:{role}")));
        match (own, self.asks_offline) {
            (own, false) => own,
            (Some(own), true) => Some(format!("{own} offline_access")),
            (None, true) => Some("offline_access".to_owned()),
        }
    }

    /// Asks for tokens with the client's own credentials.
    pub(super) async fn own(&self, step: &Step<'_>) -> Result<Tokens, SessionError> {
        let scope = self.scope(step.role).unwrap_or_default();
        self.exchange(&[("grant_type", "client_credentials"), ("scope", &scope)], &[], &step.desk.retry).await
    }

    /// Renews tokens.
    pub(super) async fn renew(
        &self,
        refresh: &SecretString,
        step: &Step<'_>,
    ) -> Result<Tokens, SessionError> {
        let scope = self.scope(step.role);
        let mut fields = vec![("grant_type", "refresh_token"), ("refresh_token", refresh.expose_secret())];
        fields.extend(scope.as_deref().map(|scope| ("scope", scope)));
        self.exchange(&fields, &[refresh.expose_secret()], &step.desk.retry).await
    }

    /// Asks for tokens. `secrets` are not repeated in an error, whatever the answer repeats.
    async fn exchange(
        &self,
        fields: &[(&str, &str)],
        secrets: &[&str],
        retry: &Retry,
    ) -> Result<Tokens, SessionError> {
        let provider = Outside::far("the identity provider", &self.token_url, retry)?;
        let secret = self.secret.expose_secret();
        let mut fields = fields.to_vec();
        // One way of the two: RFC 6749 forbids to use both.
        if self.secret_in_body {
            fields.extend([("client_id", self.id.as_str()), ("client_secret", secret)]);
        }
        let mut ask = Ask::form(self.token_url.clone(), &fields).header("accept", "application/json");
        if !self.secret_in_body {
            let basic = STANDARD.encode(format!("{}:{secret}", self.id));
            ask = ask.header("authorization", &format!("Basic {basic}"));
        }
        let answer = provider.ask(&ask).await?;
        let read = serde_json::from_slice::<TokenAnswer>(&answer.body).ok();
        let nothing = || provider.no_sense(&ask, &answer, "check oauth_token_request_url of the connection");
        let TokenAnswer { access_token, refresh_token, error, error_description } =
            read.ok_or_else(nothing)?;
        match (access_token.filter(|token| !token.is_empty()), error) {
            (Some(access), None) if answer.status.is_success() => Ok(Tokens {
                access: SecretString::from(access),
                refresh: refresh_token.filter(|token| !token.is_empty()).map(SecretString::from),
            }),
            (_, Some(error)) => {
                let who = provider.name(&ask);
                let secrets: Vec<&str> = secrets.iter().copied().chain([secret]).collect();
                Err(refused(&who, &error, error_description.as_deref(), &secrets))
            }
            (_, None) => Err(nothing()),
        }
    }
}

/// Whether `offline_access` is asked for, without which many providers give no refresh token. Snowflake refuses it; its
/// own word is `refresh_token`.
fn asks_offline(settings: &Settings, token_url: &Url, scope: Option<&str>) -> bool {
    let host = token_url.host_str().unwrap_or_default();
    let is_account = host == settings.host()
        || host.ends_with(".snowflakecomputing.com")
        || host.ends_with(".snowflakecomputing.cn");
    let named = scope.is_some_and(|scope| scope.split(' ').any(|word| word == "refresh_token"));
    settings.is_true(Key::OauthEnableRefreshTokens) && !is_account && !named
}

/// The error of a provider that says no, in its words.
fn refused(who: &str, error: &str, description: Option<&str>, secrets: &[&str]) -> SessionError {
    let said = match description.filter(|text| !text.trim().is_empty()) {
        Some(description) => format!("{error}: {description}"),
        None => error.to_owned(),
    };
    let long_enough = secrets.iter().filter(|secret| secret.len() >= 4);
    let said = long_enough.fold(said, |text, secret| text.replace(secret, "****"));
    let said: String = said.chars().take(LONGEST).collect();
    let help = match error {
        "invalid_client" => "check oauth_client_id and oauth_client_secret of the connection",
        "invalid_grant" => "the code or the token has expired, or was used before; sign in again",
        "invalid_scope" => {
            "check oauth_scope of the connection; without it, session:role:ROLE is asked for the connection's role"
        }
        "access_denied" => {
            "the person, or the provider for them, did not agree; sign in again, as somebody who may"
        }
        "unauthorized_client" => "the client is registered for other ways to sign in; ask who registered it",
        _ => "these are the provider's own words; check the oauth_ settings of the connection",
    };
    SessionError::Authentication {
        code: None,
        message: format!("{who} refuses: {said}"),
        help: help.to_owned(),
    }
}

impl CodeFlow {
    pub(super) fn new(settings: &Settings) -> Result<Self, SessionError> {
        let authorization_url = address(settings, Key::OauthAuthorizationUrl, "/oauth/authorize")?;
        let token_url = address(settings, Key::OauthTokenRequestUrl, "/oauth/token-request")?;
        let host = Some(settings.host());
        let at_account = authorization_url.host_str() == host && token_url.host_str() == host;
        let local = |key: Key| match settings.text(key) {
            Some(text) => outside::address(key.name(), &text),
            None => outside::address(key.name(), REDIRECT),
        };
        Ok(Self {
            client: Client::new(settings, at_account)?,
            authorization_url,
            redirect: local(Key::OauthRedirectUri)?,
            redirect_slash: settings.text(Key::OauthRedirectUri).is_some_and(|text| text.ends_with('/')),
            socket: local(Key::OauthSocketUri)?,
            proves: !settings.is_true(Key::OauthDisablePkce)
                && settings.truth(Key::OauthEnablePkce) != Some(false),
            single_use: settings.is_true(Key::OauthEnableSingleUseRefreshTokens),
            refreshes: settings.is_true(Key::OauthEnableRefreshTokens),
            patience: patience(settings),
        })
    }

    /// Sends the person to sign in, and exchanges what the browser brings.
    pub(super) async fn sign_in(&self, step: &Step<'_>) -> Result<Tokens, SessionError> {
        let landing = Landing::new(step.environment, self.port()).await?;
        let redirect = self.redirect_to(landing.port());
        let (state, verifier) = (host::random::text(), host::random::text());
        let url = self.authorization(&redirect, &state, &verifier, step.role);
        let visit = Visit { url: &url, wanted: &["code", "error"], origin: None, patience: self.patience };
        let found = landing.visit(visit, step.environment, step.desk).await?;
        if found.get("state") != Some(&state) {
            return Err(SessionError::Authentication {
                code: None,
                message: "the browser brought the answer to another sign-in (its state differs)".to_owned(),
                help: "sign in again, in the window that is opened now".to_owned(),
            });
        }
        if let Some(error) = found.get("error") {
            let who =
                format!("the identity provider {}", self.authorization_url.host_str().unwrap_or_default());
            return Err(refused(&who, error, found.get("error_description").map(String::as_str), &[]));
        }
        let code = found.get("code").map(String::as_str).unwrap_or_default();
        let mut fields =
            vec![("grant_type", "authorization_code"), ("code", code), ("redirect_uri", &redirect)];
        if self.single_use {
            fields.push(("enable_single_use_refresh_tokens", "true"));
        }
        if self.proves {
            fields.push(("code_verifier", &verifier));
        }
        self.client.exchange(&fields, &[code, &verifier], &step.desk.retry).await
    }

    /// The port to listen on; 0 for any.
    fn port(&self) -> u16 {
        let url = if is_here(&self.redirect) { &self.redirect } else { &self.socket };
        url.port().unwrap_or(0)
    }

    /// The address that the browser is sent back to: with the port that is listened on, where it is this machine's.
    fn redirect_to(&self, port: u16) -> String {
        let mut url = self.redirect.clone();
        if is_here(&url) {
            // Only an address without a host refuses a port.
            let _ = url.set_port(Some(port));
        }
        let text = url.to_string();
        let bare = url.path() == "/" && url.query().is_none();
        if bare && !self.redirect_slash { text.trim_end_matches('/').to_owned() } else { text }
    }

    /// The address that the person is sent to.
    fn authorization(&self, redirect: &str, state: &str, verifier: &str, role: Option<&str>) -> Url {
        let mut url = self.authorization_url.clone();
        let mut query = url.query_pairs_mut();
        query
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.client.id)
            .append_pair("redirect_uri", redirect)
            .append_pair("state", state);
        if let Some(scope) = self.client.scope(role) {
            query.append_pair("scope", &scope);
        }
        if self.proves {
            query
                .append_pair("code_challenge", &challenge(verifier))
                .append_pair("code_challenge_method", "S256");
        }
        drop(query);
        url
    }
}

/// RFC 7636, section 4.2.
fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(ring::digest::digest(&ring::digest::SHA256, verifier.as_bytes()))
}

fn is_here(url: &Url) -> bool {
    matches!(url.host_str(), Some("localhost" | "127.0.0.1"))
}

/// A client of these settings that has credentials of its own.
pub(super) fn client(settings: &Settings) -> Result<Client, SessionError> {
    Client::new(settings, false)
}

/// What goes into a login.
pub(super) fn obtained(access: SecretString, kind: &'static str, kept: Option<Kind>) -> Obtained {
    Obtained {
        authenticator: Some("OAUTH"),
        token: Some(access),
        oauth_type: Some(kind),
        kept,
        may_keep: true,
        ..Obtained::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_challenge_is_that_of_the_standard() {
        // RFC 7636, appendix B.
        assert_eq!(
            challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        );
    }

    #[test]
    fn a_refusal_repeats_no_secret_and_no_novel() {
        let long = format!("code hunter2-code {}", "x".repeat(1000));
        let error = refused("the identity provider idp", "invalid_grant", Some(&long), &["hunter2-code"]);
        let text = error.to_string();
        assert!(text.contains("invalid_grant: code ****") && text.len() < 400, "{text}");
    }
}
