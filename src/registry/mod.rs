//! Image registries as a client sees them: signing in and asking them, and the files and helpers that docker, podman
//! and skopeo take credentials from.

mod cache;
mod client;
mod credentials;
mod error;
pub mod helper;
mod known;

pub use cache::TokenCache;
pub use client::{Client, Scheme};
pub use credentials::{AuthFile, auth_files};
pub use error::RegistryError;
pub use known::{KnownHost, KnownHosts};

use secrecy::{ExposeSecret as _, SecretString};
use std::time::Duration;

/// The user whose password is a session token.
pub const SESSION_TOKEN_USER: &str = "0sessiontoken";

/// A session token as registries take it: with how long it is good. `Debug` does not show it.
#[derive(Clone, Debug)]
pub struct SessionToken {
    token: SecretString,
    seconds: u64,
}

impl SessionToken {
    /// A token and its life. Where the account does not say how long that is, it is taken for an hour (snow's
    /// documentation).
    pub fn new(token: SecretString, valid_for: Option<Duration>) -> Self {
        Self { token, seconds: valid_for.map_or(3600, |life| life.as_secs()) }
    }

    /// The token itself.
    pub fn expose(&self) -> &str {
        self.token.expose_secret()
    }

    /// How long it was good when it was issued, in seconds.
    pub fn seconds(&self) -> u64 {
        self.seconds
    }

    /// What stands where a password is asked for: `{"token": "…", "expires_in": 3600}`, as the official CLI has it.
    pub fn password(&self) -> SecretString {
        let token = serde_json::Value::from(self.token.expose_secret());
        SecretString::from(format!("{{\"token\": {token}, \"expires_in\": {}}}", self.seconds))
    }
}
