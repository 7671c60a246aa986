//! Snowflake over HTTP: connection settings, authentication, the session protocol, retries.
//!
//! ```text
//! Flags + Sources → settings::resolve → Settings → client::connect → SnowflakeSession (a `Session`)
//! ```

pub mod auth;
pub mod client;
mod connection;
mod http;
pub mod key;
mod login;
mod outside;
mod reach;
mod reply;
mod result;
pub mod retry;
pub mod sessions;
pub mod settings;
mod statement;
