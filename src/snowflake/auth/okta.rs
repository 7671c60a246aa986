//! Name and password, given to the identity provider Okta, whose answer the account takes.
//!
//! Source: snowflake-connector-python `auth/okta.py`.

use super::sso::authenticator_request;
use super::{Obtained, Step};
use crate::session::SessionError;
use crate::snowflake::outside::{self, Ask, Outside};
use crate::snowflake::settings::{Key, Settings};
use crate::wire::{AuthenticatorAnswer, LoginData};
use reqwest::{StatusCode, Url};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::json;

/// The organisation's address, and the password there.
pub(super) struct Okta {
    address: Url,
    password: SecretString,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SessionAnswer {
    #[serde(default)]
    session_token: Option<String>,
    #[serde(default)]
    cookie_token: Option<String>,
    #[serde(default)]
    status: Option<String>,
}

impl Okta {
    pub(super) fn new(settings: &Settings) -> Result<Self, SessionError> {
        let address = settings.text(Key::Authenticator).unwrap_or_default();
        let address = outside::address("the authenticator", &address)?;
        Ok(Self { address, password: settings.secret(Key::Password).unwrap_or_default() })
    }

    /// Signs in there; what the account takes as proof.
    pub(super) async fn obtain(&self, step: &Step<'_>, user: Option<&str>) -> Result<Obtained, SessionError> {
        let data = LoginData { authenticator: Some(self.address.to_string()), ..step.base.clone() };
        let AuthenticatorAnswer { sso_url, token_url, proof_key: _ } =
            authenticator_request(step, data).await?;
        let (token_url, sso_url) = (self.own(token_url)?, self.own(sso_url)?);
        let okta = Outside::far("Okta", &token_url, &step.desk.retry)?;
        let token = self.token(&okta, token_url, user.unwrap_or_default()).await?;
        let mut url = sso_url;
        url.query_pairs_mut()
            .append_pair("RelayState", "/some/deep/link")
            .append_pair("onetimetoken", token.expose_secret());
        let ask = Ask::get(url).header("accept", "*/*");
        let answer = okta.ask(&ask).await?;
        let page = String::from_utf8_lossy(&answer.body).into_owned();
        // What is in the page is worth a sign-in: it must be meant for this account and no other.
        let target = form_action(&page).and_then(|action| Url::parse(&action).ok());
        let host = step.transport.endpoint().host();
        match target {
            Some(target) if target.host_str() == Some(host) => {
                Ok(Obtained { saml: Some(SecretString::from(page)), ..Obtained::default() })
            }
            Some(target) => Err(SessionError::Authentication {
                code: None,
                message: format!(
                    "Okta signs in to {}, and the connection's host is {host}",
                    target.host_str().unwrap_or_default()
                ),
                help: "check the host of the connection, and the application in Okta".to_owned(),
            }),
            None => Err(okta.no_sense(
                &ask,
                &answer,
                "check that the user is assigned to the application in Okta",
            )),
        }
    }

    async fn token(&self, okta: &Outside, url: Url, user: &str) -> Result<SecretString, SessionError> {
        let body = json!({"username": user, "password": self.password.expose_secret()}).to_string();
        let ask = Ask::text(url, "application/json", body).header("accept", "application/json");
        let answer = okta.ask(&ask).await?;
        let refused = |message: &str, help: &str| SessionError::Authentication {
            code: None,
            message: format!("{} {message}", okta.name(&ask)),
            help: help.to_owned(),
        };
        if answer.status == StatusCode::UNAUTHORIZED {
            return Err(refused("refuses user and password", "check user and password of the connection"));
        }
        let read = serde_json::from_slice::<SessionAnswer>(&answer.body).ok();
        let nothing =
            || okta.no_sense(&ask, &answer, "check the authenticator: the organisation's own address");
        let SessionAnswer { session_token, cookie_token, status } = read.ok_or_else(nothing)?;
        if status.as_deref() == Some("MFA_REQUIRED") {
            return Err(refused(
                "asks for a second factor, which this way has none of",
                "set authenticator to externalbrowser, which signs in at the same provider",
            ));
        }
        let token = session_token.or(cookie_token).filter(|token| !token.is_empty());
        token.map(SecretString::from).ok_or_else(nothing)
    }

    /// An address that the account gave, if it is the organisation's: the password goes nowhere else.
    fn own(&self, address: Option<String>) -> Result<Url, SessionError> {
        let url = address.and_then(|address| Url::parse(&address).ok());
        url.filter(|url| url.origin() == self.address.origin()).ok_or_else(|| SessionError::Authentication {
            code: None,
            message: format!("the account does not sign in at {}", self.address),
            help: "check the authenticator: it is the address of the organisation that the account uses"
                .to_owned(),
        })
    }
}

/// Where the form of a page is sent.
fn form_action(page: &str) -> Option<String> {
    let form = &page[page.find("<form")?..];
    let form = &form[..form.find('>')?];
    let action = form.split_once("action=\"")?.1.split('"').next()?;
    // Okta writes the signs of addresses as numbers.
    let action =
        action.replace("&#x3a;", ":").replace("&#x2f;", "/").replace("&#x3A;", ":").replace("&#x2F;", "/");
    Some(
        action
            .replace("&#x3d;", "=")
            .replace("&#x3f;", "?")
            .replace("&#x3D;", "=")
            .replace("&#x3F;", "?")
            .replace("&amp;", "&"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_says_whom_the_answer_is_for() {
        let page = "<html><form method=\"POST\" action=\"https&#x3a;&#x2f;&#x2f;acct.example&#x3a;443&#x2f;fed\" id=x>";
        assert_eq!(form_action(page).as_deref(), Some("https://acct.example:443/fed"));
        assert_eq!(form_action("<html>"), None);
    }
}
