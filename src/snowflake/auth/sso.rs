//! Signing in with a browser at the identity provider that the account names, or at the account's own page.
//!
//! Source: snowflake-connector-python `auth/webbrowser.py`, `auth/idtoken.py`.

use super::browser::{Landing, PATIENCE, Visit};
use super::{Obtained, Step};
use crate::host;
use crate::session::SessionError;
use crate::snowflake::http::{Call, Purpose, Transport, Tries};
use crate::snowflake::outside;
use crate::snowflake::reply;
use crate::snowflake::settings::{Key, Settings};
use crate::wire::{AuthenticatorAnswer, Envelope, LoginData, LoginRequest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Url;
use secrecy::SecretString;
use std::time::Duration;
use uuid::Uuid;

/// How a person is sent to sign in.
#[derive(Clone, Debug)]
pub(super) struct Sso {
    /// Whether the account's own page is used.
    console: bool,
    patience: Duration,
}

/// How long to wait for a person.
pub(super) fn patience(settings: &Settings) -> Duration {
    let seconds = settings.text(Key::ExternalBrowserTimeout).and_then(|text| text.parse().ok());
    seconds.map_or(PATIENCE, Duration::from_secs)
}

impl Sso {
    pub(super) fn new(settings: &Settings) -> Self {
        let console = settings.truth(Key::DisableConsoleLogin) == Some(false);
        Self { console, patience: patience(settings) }
    }

    /// Sends the person to sign in; the token that the browser brings.
    pub(super) async fn obtain(&self, step: &Step<'_>) -> Result<Obtained, SessionError> {
        let landing = Landing::new(step.environment, 0).await?;
        let (url, proof_key) =
            if self.console { console(step, landing.port()) } else { provider(step, landing.port()).await? };
        let visit = Visit {
            url: &url,
            wanted: &["token"],
            origin: Some(step.transport.origin()),
            patience: self.patience,
        };
        let mut found = landing.visit(visit, step.environment, step.desk).await?;
        let token = found.remove("token").filter(|token| !token.is_empty()).ok_or_else(|| {
            SessionError::Authentication {
                code: None,
                message: "the browser came back without a token".to_owned(),
                help: "sign in again; the identity provider may have refused".to_owned(),
            }
        })?;
        Ok(Obtained {
            authenticator: Some("EXTERNALBROWSER"),
            token: Some(SecretString::from(token)),
            proof_key: Some(proof_key),
            may_keep: found.get("consent").is_none_or(|consent| consent != "false"),
            ..Obtained::default()
        })
    }
}

/// The account's own page. What it gives is bound to a secret that only this process has.
fn console(step: &Step<'_>, port: u16) -> (Url, SecretString) {
    let proof_key = STANDARD.encode(host::random::bytes::<32>());
    let port = port.to_string();
    let user = step.base.login_name.as_deref().unwrap_or_default();
    let query =
        [("login_name", user), ("browser_mode_redirect_port", &port), ("proof_key", proof_key.as_str())];
    (step.transport.url("/console/login", &query), SecretString::from(proof_key))
}

/// Asks the account where its people sign in.
async fn provider(step: &Step<'_>, port: u16) -> Result<(Url, SecretString), SessionError> {
    let data = LoginData {
        authenticator: Some("EXTERNALBROWSER".to_owned()),
        browser_mode_redirect_port: Some(port.to_string()),
        ..step.base.clone()
    };
    let AuthenticatorAnswer { sso_url, proof_key, token_url: _ } = authenticator_request(step, data).await?;
    let (Some(url), Some(proof_key)) = (sso_url, proof_key) else {
        return Err(SessionError::Protocol {
            message: "the account did not say where its people sign in".to_owned(),
            help: NO_PROVIDER.to_owned(),
        });
    };
    Ok((outside::address("the address to sign in at", &url)?, SecretString::from(proof_key)))
}

const NO_PROVIDER: &str = "the account may have no identity provider for this user; \
                           authenticator = OAUTH_AUTHORIZATION_CODE signs in with a browser at Snowflake itself";

/// `POST /session/authenticator-request`.
pub(super) async fn authenticator_request(
    step: &Step<'_>,
    data: LoginData,
) -> Result<AuthenticatorAnswer, SessionError> {
    let transport: &Transport = step.transport;
    // It opens no session yet, so it says nothing of one.
    let data = LoginData { session_parameters: Default::default(), secondary_roles: None, ..data };
    let body = serde_json::to_vec(&LoginRequest { data, in_flight: None });
    let body = body.expect("internal error: a login has text keys only");
    let id = Uuid::new_v4();
    let call = |_: &Tries| {
        Ok(Call {
            method: reqwest::Method::POST,
            url: transport.url("/session/authenticator-request", &[("requestId", &id.to_string())]),
            body: Some(body.clone()),
            token: None,
            request_id: Some(id),
        })
    };
    let answer = transport.send(Purpose::Login, &mut Tries::new(), call).await?;
    let envelope: Envelope<AuthenticatorAnswer> = reply::read(&answer, &transport.endpoint().authority())?;
    if !envelope.success {
        let said = envelope.message.filter(|message| !message.trim().is_empty());
        return Err(SessionError::Authentication {
            code: envelope.code.and_then(|code| code.parse().ok()),
            message: said.unwrap_or_else(|| "the account offers no sign-in with a browser".to_owned()),
            help: NO_PROVIDER.to_owned(),
        });
    }
    Ok(envelope.data.unwrap_or_default())
}
