//! The language server: the protocol, and nothing else. What it answers is decided in [`crate::ide`].
//!
//! One thread reads messages, one answers them, one after the other: an answer takes microseconds, or as long as a check
//! of the project takes if it changed. Diagnostics are sent when no message waits. Standard output belongs to the
//! protocol; the log goes to standard error.

mod client;
mod convert;
mod inbox;
mod project;
mod publish;
mod requests;
mod server;
mod uri;

use crate::definition::Variables;
use client::Client;
use gen_lsp_types::{InitializeParams, InitializeResult, ServerInfo};
use lsp_server::{Connection, ProtocolError};
use server::Server;
use std::sync::Arc;

/// Serves one editor on the standard streams until it says that it is done. Whether it ended in order: asked to shut
/// down, then told to exit.
///
/// # Errors
/// Where what comes in is not the protocol.
pub fn serve(variables: Variables) -> Result<bool, String> {
    let (connection, threads) = Connection::stdio();
    let orderly = match converse(connection, variables) {
        // Why there is nothing more to read, the thread that reads knows.
        Err(error) if error.channel_is_disconnected() => Ok(false),
        other => other.map_err(|error| error.to_string()),
    }?;
    threads.join().map_err(|error| error.to_string())?;
    Ok(orderly)
}

fn converse(connection: Connection, variables: Variables) -> Result<bool, ProtocolError> {
    let (id, params) = connection.initialize_start()?;
    // An editor that says something unheard of about itself is served as one that can do little.
    let params: InitializeParams = serde_json::from_value(params).unwrap_or_else(|error| {
        tracing::warn!("the editor's capabilities are not readable: {error}");
        InitializeParams::default()
    });
    let client = Client::new(&params.capabilities);
    tracing::info!(?client, "initialize");
    let result = InitializeResult {
        capabilities: client::offers(&client),
        server_info: Some(ServerInfo {
            name: "snowform".to_owned(),
            version: Some(env!("CARGO_PKG_VERSION").to_owned()),
        }),
    };
    let result = serde_json::to_value(result).expect("internal error: capabilities have text keys");
    connection.initialize_finish(id, result)?;
    Ok(Server::new(connection, client, Arc::new(variables)).run())
}
