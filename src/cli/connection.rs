//! `snowform connection list|test`: the connections as they resolve, each value with where it came from.

use super::connect::{self, ConnectionArgs};
use super::error::{CommandError, Exit};
use super::ui::{Format, Ui};
use crate::snowflake::settings::{self, NamedConnection, Sources};
use crate::view::visible;
use clap::{Args, Subcommand};
use serde::Serialize;
use std::fmt::Write as _;
use std::path::Path;

/// Show and try the connections
#[derive(Args, Debug)]
pub(super) struct ConnectionCommand {
    #[command(subcommand)]
    pub(super) action: ConnectionAction,
}

#[derive(Debug, Subcommand)]
pub(super) enum ConnectionAction {
    /// List the connections, each value with where it came from; secrets are masked
    List(ConnectionArgs),
    /// Sign in, and say who the account takes us for
    Test(ConnectionArgs),
}

#[derive(Serialize)]
struct ConnectionDocument {
    connection_name: String,
    is_default: bool,
    origin: String,
    parameters: serde_json::Map<String, serde_json::Value>,
    origins: serde_json::Map<String, serde_json::Value>,
}

#[derive(Serialize)]
struct TestDocument {
    status: &'static str,
    account: String,
    host: String,
    user: String,
    role: Option<String>,
    database: Option<String>,
    schema: Option<String>,
}

pub(super) fn list(args: &ConnectionArgs, ui: &Ui) -> Result<Exit, CommandError> {
    let listing = settings::list(&Sources::read(args.flags())?)?;
    for warning in &listing.warnings {
        ui.remark(&format!("warning: {warning}"));
    }
    match ui.format {
        Format::Json => ui.json(&listing.connections.iter().map(document).collect::<Vec<_>>()),
        Format::Text if listing.connections.is_empty() => {
            ui.remark("no connections are configured; snow connection add makes one, or set SNOWFLAKE_ACCOUNT, SNOWFLAKE_USER, …");
        }
        Format::Text => ui.text(&listing.connections.iter().map(text).collect::<String>()),
    }
    Ok(Exit::Done)
}

fn document(connection: &NamedConnection) -> ConnectionDocument {
    let NamedConnection { name, is_default, origin, values } = connection;
    let pairs = |show: fn(&settings::Setting) -> String| {
        values.iter().map(|(key, setting)| (key.name().to_owned(), show(setting).into())).collect()
    };
    ConnectionDocument {
        connection_name: name.clone(),
        is_default: *is_default,
        origin: origin.to_string(),
        parameters: pairs(|setting| setting.value.to_string()),
        origins: pairs(|setting| setting.origin.to_string()),
    }
}

fn text(connection: &NamedConnection) -> String {
    let NamedConnection { name, is_default, origin, values } = connection;
    let default = if *is_default { ", the default" } else { "" };
    let mut out = format!("{}  ({origin}{default})\n", visible(name));
    for (key, setting) in values {
        let value = visible(&setting.value.to_string());
        let _ = writeln!(out, "  {:<24} {value:<32} {}", key.name(), setting.origin);
    }
    out.push('\n');
    out
}

pub(super) async fn test(args: &ConnectionArgs, ui: &Ui) -> Result<Exit, CommandError> {
    let session = connect::open(args, Path::new("."), ui).await?;
    let identity = session.identity().clone();
    session.close().await;
    let part = |part: &Option<crate::object::name::Ident>| part.as_ref().map(ToString::to_string);
    let document = TestDocument {
        status: "OK",
        account: identity.account,
        host: identity.host,
        user: identity.user,
        role: part(&identity.role),
        database: part(&identity.database),
        schema: part(&identity.schema),
    };
    match ui.format {
        Format::Json => ui.json(&document),
        Format::Text => {
            let none = || "none".to_owned();
            ui.text(&visible_lines(&[
                ("status", document.status.to_owned()),
                ("account", document.account),
                ("host", document.host),
                ("user", document.user),
                ("role", document.role.unwrap_or_else(none)),
                ("database", document.database.unwrap_or_else(none)),
                ("schema", document.schema.unwrap_or_else(none)),
            ]));
        }
    }
    Ok(Exit::Done)
}

fn visible_lines(pairs: &[(&str, String)]) -> String {
    pairs.iter().map(|(name, value)| format!("{name:<10} {}\n", visible(value))).collect()
}
