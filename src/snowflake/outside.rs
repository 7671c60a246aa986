//! Requests to others than the account: identity providers, and the services that vouch for a workload.
//!
//! Logged are host, path, status and duration; never a query, a header or a body.

use super::http::Answer;
use super::reach::{Failure, ReachKind};
use super::reply;
use super::retry::{Retry, is_retryable};
use crate::session::SessionError;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Url};
use secrecy::{ExposeSecret as _, SecretString};
use std::time::{Duration, Instant};

/// Tries of one request (snowflake-connector-python `auth/_oauth_base.py`).
const TRIES: u32 = 3;
/// How long a connection may take to be made; within a cloud it takes milliseconds.
const NEAR: Duration = Duration::from_secs(2);

/// Somebody who is asked for a token.
pub(super) struct Outside {
    /// Who it is, for a person: `the identity provider`.
    who: &'static str,
    http: reqwest::Client,
    retry: Retry,
}

/// One request.
pub(super) struct Ask {
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: Option<String>,
}

impl Ask {
    /// A question without a body.
    pub(super) fn get(url: Url) -> Self {
        Self { method: Method::GET, url, headers: HeaderMap::new(), body: None }
    }

    /// Any other question without a body.
    pub(super) fn with_method(self, method: Method) -> Self {
        Self { method, ..self }
    }

    /// A form.
    pub(super) fn form(url: Url, fields: &[(&str, &str)]) -> Self {
        // A query and a form are written alike.
        let mut encoded = Url::parse("form:/").expect("internal error: the address is well-formed");
        encoded.query_pairs_mut().extend_pairs(fields);
        let body = encoded.query().unwrap_or_default().to_owned();
        let ask = Self { method: Method::POST, url, headers: HeaderMap::new(), body: Some(body) };
        ask.header("content-type", "application/x-www-form-urlencoded; charset=UTF-8")
    }

    /// A text of this type.
    pub(super) fn text(url: Url, content_type: &str, body: String) -> Self {
        let ask = Self { method: Method::POST, url, headers: HeaderMap::new(), body: Some(body) };
        ask.header(CONTENT_TYPE.as_str(), content_type)
    }

    /// Adds a header; its value may be a secret. One that cannot stand in a header is left out.
    pub(super) fn header(mut self, name: &str, value: &str) -> Self {
        let name = HeaderName::try_from(name);
        if let (Ok(name), Ok(mut value)) = (name, HeaderValue::try_from(value)) {
            value.set_sensitive(true);
            self.headers.insert(name, value);
        }
        self
    }

    /// Adds `Authorization: Bearer …`.
    pub(super) fn bearer(self, token: &SecretString) -> Self {
        self.header("authorization", &format!("Bearer {}", token.expose_secret()))
    }
}

/// An address that somebody configured.
pub(super) fn address(what: &str, text: &str) -> Result<Url, SessionError> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    url.ok_or_else(|| SessionError::Authentication {
        code: None,
        message: format!("{what} is no address: {text:?}"),
        help: "an address begins with https://".to_owned(),
    })
}

impl Outside {
    /// Somebody on the network, who may be behind a proxy.
    pub(super) fn far(who: &'static str, url: &Url, retry: &Retry) -> Result<Self, SessionError> {
        let here = match url.host_str() {
            Some("localhost") => true,
            Some(host) => host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback()),
            None => false,
        };
        Self::new(who, retry, |builder| {
            let builder = builder.timeout(Duration::from_secs(60));
            if here { builder.no_proxy() } else { builder }
        })
    }

    /// Somebody in the same machine or cloud, who never is.
    pub(super) fn near(who: &'static str, retry: &Retry) -> Result<Self, SessionError> {
        Self::new(who, retry, |builder| {
            builder.no_proxy().connect_timeout(NEAR).timeout(Duration::from_secs(10))
        })
    }

    fn new(
        who: &'static str,
        retry: &Retry,
        limits: impl FnOnce(reqwest::ClientBuilder) -> reqwest::ClientBuilder,
    ) -> Result<Self, SessionError> {
        // A second installation reports that there is a provider already, which is what is wanted.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let builder = reqwest::Client::builder()
            .user_agent(concat!("snowform/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none());
        let http = limits(builder).build().map_err(|error| super::reach::unusable_client(&error))?;
        Ok(Self { who, http, retry: Retry { tries: retry.tries.min(TRIES), ..retry.clone() } })
    }

    /// Asks until there is an answer, whatever it says.
    pub(super) async fn ask(&self, ask: &Ask) -> Result<Answer, SessionError> {
        let mut failed = 0;
        loop {
            let failure = match self.once(ask).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            failed += 1;
            let hopeless = matches!(&failure, Failure::Reach { kind, .. } if *kind == ReachKind::Certificate);
            if failed >= self.retry.tries || hopeless {
                return Err(self.unreachable(ask, &failure));
            }
            tokio::time::sleep(self.retry.pause(failed, None)).await;
        }
    }

    async fn once(&self, ask: &Ask) -> Result<Answer, Failure> {
        let Ask { method, url, headers, body } = ask;
        let (host, path) = (url.host_str().unwrap_or_default(), url.path());
        let started = Instant::now();
        let mut request = self.http.request(method.clone(), url.clone()).headers(headers.clone());
        if let Some(body) = body {
            request = request.body(body.clone());
        }
        let response = request.send().await.map_err(|error| {
            let failure = Failure::of(error);
            tracing::debug!(host, path, failure = failure.noun(), "no answer");
            failure
        })?;
        let status = response.status();
        let millis = started.elapsed().as_millis();
        tracing::debug!(host, path, status = status.as_u16(), millis, "answered");
        if is_retryable(status.as_u16()) {
            return Err(Failure::Status { status: status.as_u16(), asked_pause: None });
        }
        let content_type = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let content_type = content_type.unwrap_or_default().to_owned();
        let body = Vec::from(response.bytes().await.map_err(Failure::of)?);
        Ok(Answer { status, content_type, body })
    }

    /// Who it is and where, for messages.
    pub(super) fn name(&self, ask: &Ask) -> String {
        let host = ask.url.host_str().unwrap_or("nowhere");
        match ask.url.port() {
            Some(port) => format!("{} {host}:{port}", self.who),
            None => format!("{} {host}", self.who),
        }
    }

    fn unreachable(&self, ask: &Ask, failure: &Failure) -> SessionError {
        let why = match failure {
            Failure::Status { status, .. } => format!("it answered with status {status}"),
            Failure::Reach { words, .. } => words.clone(),
            Failure::Final(error) => error.to_string(),
        };
        SessionError::Unreachable {
            message: format!("{} cannot be reached: {why}", self.name(ask)),
            help: "check the address and the network; a proxy is taken from HTTPS_PROXY".to_owned(),
        }
    }

    /// The error of an answer that is nothing that was asked for.
    pub(super) fn no_sense(&self, ask: &Ask, answer: &Answer, help: &str) -> SessionError {
        SessionError::Protocol {
            message: format!("{} answered something else: {}", self.name(ask), reply::description(answer)),
            help: help.to_owned(),
        }
    }
}
