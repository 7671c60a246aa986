//! The few requests that are made to a registry: sign in, ask whether that counts, list tags.
//!
//! Source: snowflake-cli `image_registry/manager.py` (`/login`), OCI distribution specification 1.1.

use super::SESSION_TOKEN_USER;
use super::error::RegistryError;
use reqwest::header::LINK;
use reqwest::{Response, StatusCode};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use std::error::Error as _;
use std::time::Duration;

/// The longest that one request may take.
const TIMEOUT: Duration = Duration::from_secs(60);
/// Pages of tags that are asked for before something must be wrong.
const MAX_PAGES: usize = 10_000;

/// How a registry is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// In the clear, for a registry on this machine.
    Http,
    /// Encrypted.
    Https,
}

/// A registry. `Debug` shows no secret: it holds none.
#[derive(Debug)]
pub struct Client {
    http: reqwest::Client,
    scheme: Scheme,
    host: String,
}

#[derive(Deserialize)]
struct LoginAnswer {
    token: String,
}

#[derive(Deserialize)]
struct TagsAnswer {
    #[serde(default)]
    tags: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Refusal {
    errors: Vec<RefusalReason>,
}

#[derive(Deserialize)]
struct RefusalReason {
    #[serde(default)]
    message: String,
}

impl Client {
    /// A client of the registry at `host`, which may have a port. Sends nothing.
    ///
    /// # Errors
    /// [`RegistryError::Host`] for a host that docker and podman cannot push to; [`RegistryError::Unreachable`] where
    /// this machine cannot make encrypted connections.
    pub fn new(scheme: Scheme, host: &str) -> Result<Self, RegistryError> {
        if host.contains('_') {
            return Err(RegistryError::Host { host: host.to_owned() });
        }
        // A second installation reports that there is a provider already, which is what is wanted.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("snowform/", env!("CARGO_PKG_VERSION")))
            .timeout(TIMEOUT)
            .redirect(reqwest::redirect::Policy::none());
        if scheme == Scheme::Http {
            builder = builder.no_proxy().tls_certs_only([]);
        }
        let http = builder.build().map_err(|error| unreachable(host, &error))?;
        Ok(Self { http, scheme, host: host.to_owned() })
    }

    /// Signs in with a session token's password; the token that requests are made with.
    ///
    /// # Errors
    /// [`RegistryError::Refused`] where it is not accepted; else as any request.
    pub async fn sign_in(&self, password: &SecretString) -> Result<SecretString, RegistryError> {
        let request = self.http.get(self.url("/login"));
        let request = request.basic_auth(SESSION_TOKEN_USER, Some(password.expose_secret()));
        let answer = self.send(request).await?;
        let read = answer.json::<LoginAnswer>().await.map_err(|_| RegistryError::Failed {
            host: self.host.clone(),
            status: 200,
            reason: "the answer to the sign-in holds no token".to_owned(),
        })?;
        Ok(SecretString::from(read.token))
    }

    /// Whether the registry takes the token that it gave.
    ///
    /// # Errors
    /// [`RegistryError::Refused`] where it does not; else as any request.
    pub async fn check(&self, bearer: &SecretString) -> Result<(), RegistryError> {
        self.send(self.http.get(self.url("/v2/")).bearer_auth(bearer.expose_secret())).await.map(drop)
    }

    /// Every tag of an image, `database/schema/repository/image`.
    ///
    /// # Errors
    /// [`RegistryError::Failed`] where there is no such image, or not for this role.
    pub async fn tags(&self, bearer: &SecretString, image: &str) -> Result<Vec<String>, RegistryError> {
        let mut tags = Vec::new();
        let base = format!("/v2/{image}/tags/list?n=100");
        let mut next = Some(base.clone());
        for _ in 0..MAX_PAGES {
            let Some(path) = next.take() else { break };
            let request = self.http.get(self.url(&path)).bearer_auth(bearer.expose_secret());
            let answer = self.send(request).await?;
            let more = answer.headers().contains_key(LINK);
            let page = answer.json::<TagsAnswer>().await;
            let page = page.map_err(|error| unreachable(&self.host, &error))?.tags.unwrap_or_default();
            // The last tag names the next page; the link itself might lead to another host.
            next = page.last().filter(|_| more).map(|last| format!("{base}&last={last}"));
            tags.extend(page);
        }
        Ok(tags)
    }

    fn url(&self, path: &str) -> String {
        let scheme = match self.scheme {
            Scheme::Http => "http",
            Scheme::Https => "https",
        };
        format!("{scheme}://{}{path}", self.host)
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Result<Response, RegistryError> {
        let answer = request.send().await.map_err(|error| unreachable(&self.host, &error))?;
        let status = answer.status();
        tracing::debug!(path = answer.url().path(), status = status.as_u16(), "registry");
        if status.is_success() {
            return Ok(answer);
        }
        let host = self.host.clone();
        let body = answer.text().await.unwrap_or_default();
        let reason = reason(&body).unwrap_or_else(|| status.to_string());
        Err(match status {
            StatusCode::UNAUTHORIZED => RegistryError::Refused { host, reason },
            _ => RegistryError::Failed { host, status: status.as_u16(), reason },
        })
    }
}

/// The registry's words: those of its JSON, or a short text.
fn reason(body: &str) -> Option<String> {
    let parsed = serde_json::from_str::<Refusal>(body).ok();
    let said = parsed.and_then(|refusal| refusal.errors.into_iter().next()).map(|reason| reason.message);
    let text = said.unwrap_or_else(|| body.trim().to_owned());
    let short = !text.is_empty() && text.len() <= 300 && !text.starts_with('<');
    short.then_some(text)
}

/// The innermost reason; reqwest's own words would repeat the address.
fn unreachable(host: &str, error: &reqwest::Error) -> RegistryError {
    let mut reason = error.source();
    while let Some(inner) = reason.and_then(std::error::Error::source) {
        reason = Some(inner);
    }
    let reason = reason.map_or_else(|| "the request could not be made".to_owned(), ToString::to_string);
    RegistryError::Unreachable { host: host.to_owned(), reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_registrys_words_are_found_in_what_it_sends() {
        assert_eq!(reason(r#"{"errors":[{"code":"DENIED","message":"no"}]}"#), Some("no".to_owned()));
        assert_eq!(
            reason(" Failed to perform repository operation. "),
            Some("Failed to perform repository operation.".to_owned())
        );
        assert_eq!((reason(""), reason("<html>"), reason(&"x".repeat(301))), (None, None, None));
    }

    #[test]
    fn a_host_that_nobody_can_push_to_is_refused_with_the_one_that_works() {
        let error =
            Client::new(Scheme::Https, "my-org-my_account.registry.snowflakecomputing.com").unwrap_err();
        assert!(
            error.help().ends_with("\nmy-org-my-account.registry.snowflakecomputing.com"),
            "{}",
            error.help()
        );
    }
}
