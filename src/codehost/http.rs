//! Requests to a code host: sent, tried again where that is right, and never to any other host than the one that the
//! token is for.

use super::HostError;
use crate::host::clock;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{Method, StatusCode, Url};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use std::error::Error as _;
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(30);
/// Tries in all.
const TRIES: u32 = 5;
/// The longest pause that a host may ask for; a build machine is not kept longer.
const LONGEST: Duration = Duration::from_secs(120);

/// How a token is shown to a host.
#[derive(Clone, Debug)]
pub(super) enum Credential {
    /// `Authorization: Bearer …`
    Bearer(SecretString),
    /// As the password of nobody (Azure's personal tokens).
    Password(SecretString),
    /// `PRIVATE-TOKEN: …` (GitLab).
    PrivateToken(SecretString),
}

/// A client of one host.
#[derive(Debug)]
pub(super) struct Http {
    client: reqwest::Client,
    base: Url,
    credential: Credential,
}

/// What came back and was a success.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) headers: HeaderMap,
    pub(super) body: Value,
}

impl Http {
    pub(super) fn new(base: &str, credential: Credential) -> Result<Self, HostError> {
        let unusable = |why: String| HostError::Unreachable { host: base.to_owned(), why };
        let mut address = Url::parse(base).map_err(|error| unusable(error.to_string()))?;
        if address.cannot_be_a_base() || address.host_str().is_none() {
            return Err(unusable("this is no address of a server".to_owned()));
        }
        if !address.path().ends_with('/') {
            address.set_path(&format!("{}/", address.path()));
        }
        // A second installation reports that there is a provider already, which is what is wanted.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("snowform/", env!("CARGO_PKG_VERSION")))
            .timeout(TIMEOUT)
            .redirect(reqwest::redirect::Policy::none());
        if matches!(address.host_str(), Some("127.0.0.1" | "localhost" | "[::1]")) {
            builder = builder.no_proxy();
        }
        let client = builder.build().map_err(|error| unusable(error.to_string()))?;
        Ok(Self { client, base: address, credential })
    }

    /// The host's name, for messages.
    pub(super) fn host(&self) -> String {
        self.base.host_str().unwrap_or_default().to_owned()
    }

    /// An address below the base, every part of the path encoded.
    pub(super) fn url(&self, path: &[&str], query: &[(&str, &str)]) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    /// Sends a request until it is answered. One that makes something new is not repeated where it may have been
    /// carried out.
    pub(super) async fn send(
        &self,
        method: Method,
        url: Url,
        body: Option<&Value>,
    ) -> Result<Answer, HostError> {
        if url.origin() != self.base.origin() {
            let why = "it sends us to another host, where the token does not go".to_owned();
            return Err(HostError::Unreachable { host: self.host(), why });
        }
        let makes = method == Method::POST;
        let mut failed = 0;
        loop {
            failed += 1;
            let last = failed >= TRIES;
            match self.once(&method, &url, body).await {
                Ok(answer) => return Ok(answer),
                Err(Refusal::RateLimit { asked, status, said }) => {
                    let pause = asked.unwrap_or_else(|| grown(failed));
                    if last || pause > LONGEST {
                        let said = format!("{said}; it asks for {} s of patience", pause.as_secs());
                        return Err(HostError::Failed { host: self.host(), status, said });
                    }
                    tokio::time::sleep(pause).await;
                }
                Err(Refusal::Trouble(_)) if makes => return Err(HostError::Unclear { host: self.host() }),
                Err(Refusal::Trouble(error)) if last => return Err(error),
                Err(Refusal::Trouble(_)) => tokio::time::sleep(grown(failed)).await,
                Err(Refusal::Final(error)) => return Err(error),
            }
        }
    }

    async fn once(&self, method: &Method, url: &Url, body: Option<&Value>) -> Result<Answer, Refusal> {
        let mut request = self.client.request(method.clone(), url.clone());
        request = match &self.credential {
            Credential::Bearer(token) => request.bearer_auth(token.expose_secret()),
            Credential::Password(token) => request.basic_auth("", Some(token.expose_secret())),
            Credential::PrivateToken(token) => request.header("PRIVATE-TOKEN", token.expose_secret()),
        };
        if let Some(body) = body {
            request = request.json(body);
        }
        let host = self.host();
        let answer = request.send().await.map_err(|error| Refusal::Trouble(unreachable(&host, &error)))?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        tracing::debug!(path = url.path(), status = status.as_u16(), "code host");
        let text = answer.text().await.map_err(|error| Refusal::Trouble(unreachable(&host, &error)))?;
        if status.is_success() {
            let body = serde_json::from_str(&text).unwrap_or(Value::Null);
            return Ok(Answer { headers, body });
        }
        Err(refusal(host, status, &headers, &text))
    }
}

/// Why there was no success, and what follows from it.
enum Refusal {
    RateLimit { asked: Option<Duration>, status: u16, said: String },
    Trouble(HostError),
    Final(HostError),
}

fn refusal(host: String, status: StatusCode, headers: &HeaderMap, text: &str) -> Refusal {
    let said = words(text).unwrap_or_else(|| status.to_string());
    let number = status.as_u16();
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let asked =
        header(RETRY_AFTER.as_str()).and_then(|seconds| seconds.trim().parse().ok()).map(Duration::from_secs);
    // GitHub says 403 for both: a limit is told from a missing right by these headers (docs.github.com
    // `rate-limits-for-the-rest-api`).
    let spent = header("x-ratelimit-remaining") == Some("0");
    if number == 429 || (number == 403 && (asked.is_some() || spent)) {
        let reset = header("x-ratelimit-reset").and_then(|at| at.parse::<u64>().ok());
        let until_reset = reset.map(|at| Duration::from_secs(at.saturating_sub(clock::now_seconds())));
        return Refusal::RateLimit { asked: asked.or(until_reset.filter(|_| spent)), status: number, said };
    }
    match number {
        // 404: what a token may not see is not there.
        401 | 403 | 404 => Refusal::Final(HostError::NotAllowed { host, status: number, said }),
        408 | 500..=599 => Refusal::Trouble(HostError::Failed { host, status: number, said }),
        _ => Refusal::Final(HostError::Failed { host, status: number, said }),
    }
}

/// The host's words: those of its JSON, or a short text.
fn words(text: &str) -> Option<String> {
    let parsed: Option<Value> = serde_json::from_str(text).ok();
    let said = parsed.as_ref().and_then(|body| {
        let word = ["message", "error_description", "error"].iter().find_map(|name| body.get(name))?;
        Some(word.as_str().map_or_else(|| word.to_string(), ToOwned::to_owned))
    });
    let text = said.unwrap_or_else(|| text.trim().to_owned());
    let text: String = text.chars().take(300).collect();
    (!text.is_empty() && !text.starts_with('<')).then_some(text)
}

/// Grows by doubling from half a second.
fn grown(failed: u32) -> Duration {
    Duration::from_millis(500) * 2_u32.pow(failed.saturating_sub(1).min(5))
}

/// The pause before a round begins anew.
pub(super) async fn pause(round: usize) {
    tokio::time::sleep(grown(u32::try_from(round).unwrap_or(u32::MAX))).await;
}

/// The innermost reason; reqwest's own words would repeat the address.
fn unreachable(host: &str, error: &reqwest::Error) -> HostError {
    let mut reason = error.source();
    while let Some(inner) = reason.and_then(std::error::Error::source) {
        reason = Some(inner);
    }
    let why = reason.map_or_else(|| "there was no answer".to_owned(), ToString::to_string);
    HostError::Unreachable { host: host.to_owned(), why }
}
