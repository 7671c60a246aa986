//! How a request can fail to be answered, told apart as far as that helps, and what to do about it.

use crate::session::SessionError;
use std::time::Duration;

/// How a try ended without a usable answer.
pub(super) enum Failure {
    Status {
        status: u16,
        asked_pause: Option<Duration>,
    },
    Reach {
        kind: ReachKind,
        words: String,
    },
    /// Trying again is of no use.
    Final(SessionError),
}

/// How far a try got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ReachKind {
    Name,
    Connect,
    Certificate,
    Encryption,
    Silence,
    Broken,
}

pub(super) fn unusable_client(error: &reqwest::Error) -> SessionError {
    SessionError::Unreachable {
        message: format!("no encrypted connection can be set up on this machine: {}", chain(error)),
        help: "there may be no certificates of authorities; name a bundle with SSL_CERT_FILE".to_owned(),
    }
}

/// An error and what caused it, without the address: signed ones are secrets.
fn chain(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        let inner_words = inner.to_string();
        if !words.contains(&inner_words) {
            words.push_str(": ");
            words.push_str(&inner_words);
        }
        source = inner.source();
    }
    words
}

/// What went wrong while encryption was agreed on, if that is what it was.
fn encryption_failure(error: &reqwest::Error) -> Option<ReachKind> {
    let mut source: Option<&dyn std::error::Error> = Some(error);
    while let Some(inner) = source {
        match inner.downcast_ref::<rustls::Error>() {
            Some(rustls::Error::InvalidCertificate(_)) => return Some(ReachKind::Certificate),
            Some(_) => return Some(ReachKind::Encryption),
            None => {}
        }
        let io = inner.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        source = match io {
            Some(custom) => Some(custom),
            None => inner.source(),
        };
    }
    None
}

impl Failure {
    pub(super) fn of(error: reqwest::Error) -> Self {
        let error = error.without_url();
        let kind = if error.is_dns() {
            ReachKind::Name
        } else if let Some(kind) = encryption_failure(&error) {
            kind
        } else if error.is_connect() {
            ReachKind::Connect
        } else if error.is_timeout() {
            ReachKind::Silence
        } else {
            ReachKind::Broken
        };
        Self::Reach { kind, words: chain(&error) }
    }

    pub(super) fn noun(&self) -> &'static str {
        match self {
            Self::Status { .. } => "status",
            Self::Reach { kind: ReachKind::Name, .. } => "name not found",
            Self::Reach { kind: ReachKind::Connect, .. } => "no connection",
            Self::Reach { kind: ReachKind::Certificate, .. } => "no trust",
            Self::Reach { kind: ReachKind::Encryption, .. } => "no encryption",
            Self::Reach { kind: ReachKind::Silence, .. } => "time-out",
            Self::Reach { kind: ReachKind::Broken, .. } => "broken off",
            Self::Final(_) => "refused",
        }
    }

    pub(super) fn to_error(&self, host: &str, failed: u32, timeout: Duration) -> SessionError {
        let tries = if failed == 1 { "1 try".to_owned() } else { format!("{failed} tries") };
        let (what, help) = match self {
            Self::Status { status: 429, .. } => (
                format!("{host} refuses requests for their number (status 429), through {tries}"),
                "wait, and run fewer deployments at once",
            ),
            Self::Status { status, .. } => (
                format!("{host} is not available: status {status}, through {tries}"),
                "see https://status.snowflake.com, and try again later",
            ),
            Self::Reach { kind, words } => kind.describe(host, words, &tries, timeout),
            Self::Final(error) => (error.to_string(), ""),
        };
        SessionError::Unreachable { message: what, help: help.to_owned() }
    }
}

impl ReachKind {
    fn describe(self, host: &str, words: &str, tries: &str, timeout: Duration) -> (String, &'static str) {
        match self {
            Self::Name => (
                format!("the host {host} cannot be found"),
                "check the account of the connection: it is the beginning of the host; it looks like \
                 myorg-myaccount, or has a region behind it (xy12345.eu-central-1)",
            ),
            Self::Connect => (
                format!("no connection to {host}, through {tries}: {words}"),
                "check host, port and network; a proxy is taken from HTTPS_PROXY",
            ),
            Self::Certificate => (
                format!("the certificate of {host} is not trusted: {words}"),
                "check the host; behind a proxy that inspects traffic, name its certificate with SSL_CERT_FILE",
            ),
            Self::Encryption => (
                format!("{host} does not agree on an encrypted connection: {words}"),
                "check host and port; an account on this machine may want protocol = http",
            ),
            Self::Silence => (
                format!("no answer from {host} within {} seconds, through {tries}", timeout.as_secs()),
                "see https://status.snowflake.com, and try again later",
            ),
            Self::Broken => (
                format!("{host} broke off the connection, through {tries}: {words}"),
                "check the network and any proxy in between; then try again",
            ),
        }
    }
}
