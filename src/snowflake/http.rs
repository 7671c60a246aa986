//! Requests to the account: one place that sends, waits, tries again and logs.
//!
//! Logged are method, path, status, duration and request id; never a query string (chunk addresses are signed
//! in theirs), a header or a body.

use super::reach::{Failure, ReachKind, unusable_client};
use super::retry::{Retry, asked_pause, is_retryable};
use super::settings::{Endpoint, Protocol};
use crate::host;
use crate::session::SessionError;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION, RETRY_AFTER};
use reqwest::{Method, StatusCode, Url};
use secrecy::{ExposeSecret as _, SecretString};
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use uuid::Uuid;

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How often a redirection is followed.
const MAX_REDIRECTS: usize = 5;

/// The way to one account.
pub(super) struct Transport {
    client: reqwest::Client,
    endpoint: Endpoint,
    base: Url,
    permits: Semaphore,
    retry: Retry,
    timeout: Duration,
}

/// One request, made anew for every try.
pub(super) struct Call {
    pub(super) method: Method,
    /// The path on the account's host, or an address on it.
    pub(super) url: Url,
    pub(super) body: Option<Vec<u8>>,
    /// The token to send, if any.
    pub(super) token: Option<SecretString>,
    /// For the log.
    pub(super) request_id: Option<Uuid>,
}

/// What came back, whatever it means.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) content_type: String,
    pub(super) body: Vec<u8>,
}

/// What is known of the tries of one request so far.
#[derive(Debug)]
pub(super) struct Tries {
    /// Tries that had no usable answer.
    pub(super) failed: u32,
    /// The status of the last of them; 0 where there was no answer at all.
    pub(super) last_status: u16,
    /// When the first began, in milliseconds since 1970.
    pub(super) started: u64,
    /// Whether one of them may have been carried out by the account all the same.
    pub(super) may_have_run: bool,
}

impl Tries {
    pub(super) fn new() -> Self {
        Self { failed: 0, last_status: 0, started: host::clock::now_millis(), may_have_run: false }
    }

    fn note(&mut self, failure: &Failure) {
        self.failed += 1;
        match failure {
            Failure::Status { status, .. } => {
                self.last_status = *status;
                // A request that was refused for its rate was not carried out.
                self.may_have_run |= *status != StatusCode::TOO_MANY_REQUESTS.as_u16();
            }
            Failure::Reach { kind, .. } => {
                self.last_status = 0;
                self.may_have_run |= matches!(kind, ReachKind::Silence | ReachKind::Broken);
            }
            Failure::Final(_) => {}
        }
    }
}

/// What a request is for: how patient to be with it, and how to speak of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// The first contact; a wrong address should show soon.
    Login,
    /// What a person is waited for in: asked once, because they would be asked again.
    Person,
    /// Everything later.
    Statement,
}

/// Tries of a login while nothing answers at all: a slip of the network is survived, a wrong host shows soon.
const LOGIN_REACH_TRIES: u32 = 3;

impl Transport {
    /// Makes the one HTTP client of a session. Nothing is sent yet.
    pub(super) fn new(
        endpoint: &Endpoint,
        retry: Retry,
        max_in_flight: usize,
        timeout: Duration,
    ) -> Result<Self, SessionError> {
        // A second installation reports that there is a provider already, which is what is wanted.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("snowform/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(timeout)
            .redirect(reqwest::redirect::Policy::none());
        if endpoint.is_loopback() {
            builder = builder.no_proxy();
            if endpoint.protocol() == Protocol::Http {
                // Reading the system's certificates takes longer than an account on this machine to answer.
                builder = builder.tls_certs_only([]);
            }
        }
        let client = builder.build().map_err(|error| unusable_client(&error))?;
        let base = Url::parse(&endpoint.to_string()).map_err(|error| SessionError::Unreachable {
            message: format!("the host {:?} makes no address: {error}", endpoint.host()),
            help: "check host and account of the connection".to_owned(),
        })?;
        let permits = Semaphore::new(max_in_flight.max(1));
        Ok(Self { client, endpoint: endpoint.clone(), base, permits, retry, timeout })
    }

    /// Where the account is.
    pub(super) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Who sends the pages of the account, as browsers say it.
    pub(super) fn origin(&self) -> String {
        self.base.origin().ascii_serialization()
    }

    /// An address on the account's host.
    pub(super) fn url(&self, path: &str, query: &[(&str, &str)]) -> Url {
        let mut url = self.base.clone();
        url.set_path(path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    /// An address that the account gave, if it leads to the account itself: a token must not follow it
    /// anywhere else.
    pub(super) fn own_url(&self, address: &str) -> Result<Url, SessionError> {
        let url = self.base.join(address).ok().filter(|url| url.origin() == self.base.origin());
        url.ok_or_else(|| SessionError::Protocol {
            message: format!("{} sends us to another host for a result", self.endpoint.authority()),
            help: "tokens are not sent there; check that host is the account's own address".to_owned(),
        })
    }

    /// Sends a request until it is answered: `make` builds it anew for every try. Answers whose status says
    /// "try again" are not returned.
    pub(super) async fn send(
        &self,
        purpose: Purpose,
        tries: &mut Tries,
        mut make: impl FnMut(&Tries) -> Result<Call, SessionError>,
    ) -> Result<Answer, SessionError> {
        let failed_before = tries.failed;
        loop {
            let failure = match self.follow(make(tries)?).await {
                Ok(answer) => return Ok(answer),
                Err(Failure::Final(error)) => return Err(error),
                Err(failure) => failure,
            };
            tries.note(&failure);
            let failed = tries.failed - failed_before;
            if failed >= self.allowed_tries(purpose, &failure) {
                return Err(self.give_up(&failure, failed));
            }
            let asked = match &failure {
                Failure::Status { asked_pause, .. } => *asked_pause,
                Failure::Reach { .. } | Failure::Final(_) => None,
            };
            tokio::time::sleep(self.retry.pause(failed, asked)).await;
        }
    }

    /// Sends a request once and reports nothing but that it was answered.
    pub(super) async fn send_once(&self, call: Call) -> bool {
        self.follow(call).await.is_ok()
    }

    /// Fetches a part of a result from the storage that the account named, with exactly these headers, until
    /// it is answered.
    pub(super) async fn fetch(&self, url: &Url, headers: &HeaderMap) -> Result<Answer, SessionError> {
        let mut failed = 0;
        loop {
            let request = self.client.get(url.clone()).headers(headers.clone());
            let failure = match self.once(request, "chunk", None).await {
                Ok((answer, _)) => return Ok(answer),
                Err(Failure::Final(error)) => return Err(error),
                Err(failure) => failure,
            };
            failed += 1;
            if failed >= self.allowed_tries(Purpose::Statement, &failure) {
                return Err(failure.to_error(url.host_str().unwrap_or("the storage"), failed, self.timeout));
            }
            tokio::time::sleep(self.retry.pause(failed, None)).await;
        }
    }

    fn allowed_tries(&self, purpose: Purpose, failure: &Failure) -> u32 {
        if purpose == Purpose::Person {
            return 1;
        }
        match failure {
            Failure::Reach { kind: ReachKind::Certificate | ReachKind::Encryption, .. }
            | Failure::Final(_) => 1,
            Failure::Reach { kind: ReachKind::Name | ReachKind::Connect, .. }
                if purpose == Purpose::Login =>
            {
                self.retry.tries.min(LOGIN_REACH_TRIES)
            }
            Failure::Reach { .. } | Failure::Status { .. } => self.retry.tries,
        }
    }

    fn give_up(&self, failure: &Failure, failed: u32) -> SessionError {
        failure.to_error(&self.endpoint.authority(), failed, self.timeout)
    }

    /// One try, with redirections followed: only 307 and 308, which keep method and body, and only to the
    /// same origin, because the request carries a token.
    async fn follow(&self, mut call: Call) -> Result<Answer, Failure> {
        for _ in 0..=MAX_REDIRECTS {
            let path = call.url.path().to_owned();
            let (answer, location) = self.once(self.request(&call), &path, call.request_id).await?;
            if !answer.status.is_redirection() {
                return Ok(answer);
            }
            call.url = self.redirected(&call.url, answer.status, location).map_err(Failure::Final)?;
        }
        Err(Failure::Final(SessionError::Protocol {
            message: format!("{} redirects in circles", self.endpoint.authority()),
            help: "check host and account of the connection".to_owned(),
        }))
    }

    fn redirected(
        &self,
        from: &Url,
        status: StatusCode,
        location: Option<HeaderValue>,
    ) -> Result<Url, SessionError> {
        let to = location.and_then(|location| from.join(location.to_str().ok()?).ok());
        let keeps_method = matches!(status, StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT);
        match to {
            Some(to) if keeps_method && to.origin() == self.base.origin() => Ok(to),
            to => {
                let target = to.as_ref().and_then(Url::host_str).unwrap_or("nowhere");
                Err(SessionError::Protocol {
                    message: format!(
                        "{} redirects (status {}) to {target}, where credentials are not sent",
                        self.endpoint.authority(),
                        status.as_u16()
                    ),
                    help: "set host to the account's own address".to_owned(),
                })
            }
        }
    }

    fn request(&self, call: &Call) -> reqwest::RequestBuilder {
        let Call { method, url, body, token, request_id: _ } = call;
        let mut request =
            self.client.request(method.clone(), url.clone()).header(ACCEPT, "application/snowflake");
        if let Some(token) = token {
            request = request.header(AUTHORIZATION, authorization(token));
        }
        match body {
            Some(body) => request.header(CONTENT_TYPE, "application/json").body(body.clone()),
            None => request,
        }
    }

    /// Sends and reads to the end; what is not worth reading, and what should be tried again, is a failure.
    async fn once(
        &self,
        request: reqwest::RequestBuilder,
        path: &str,
        request_id: Option<Uuid>,
    ) -> Result<(Answer, Option<HeaderValue>), Failure> {
        let _permit = self.permits.acquire().await.expect("internal error: the semaphore is never closed");
        let started = Instant::now();
        let request_id = request_id.map(tracing::field::display);
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) => {
                let failure = Failure::of(error);
                let millis = started.elapsed().as_millis();
                tracing::debug!(path, millis, request_id, failure = failure.noun(), "no answer");
                return Err(failure);
            }
        };
        let status = response.status();
        let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
        let content_type = header(CONTENT_TYPE).unwrap_or_default().to_owned();
        let asked_pause = header(RETRY_AFTER).and_then(asked_pause);
        let location = response.headers().get(LOCATION).cloned();
        let body = response.bytes().await;
        let millis = started.elapsed().as_millis();
        tracing::debug!(path, status = status.as_u16(), millis, request_id, "answered");
        if is_retryable(status.as_u16()) {
            return Err(Failure::Status { status: status.as_u16(), asked_pause });
        }
        let body = Vec::from(body.map_err(Failure::of)?);
        Ok((Answer { status, content_type, body }, location))
    }
}

fn authorization(token: &SecretString) -> HeaderValue {
    let text = format!("Snowflake Token=\"{}\"", token.expose_secret());
    let mut value = HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("Snowflake"));
    value.set_sensitive(true);
    value
}
