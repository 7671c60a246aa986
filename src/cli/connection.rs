//! `snowform connection list|test`: the connections as they resolve, each value with where it came from.

use super::connect::{self, ConnectionArgs};
use super::error::{CommandError, Exit};
use super::ui::Ui;
use crate::snowflake::settings::{self, NamedConnection, Setting, SettingValue, Sources};
use crate::view::visible;
use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::{Map, Value};
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
    parameters: Map<String, Value>,
    origins: Map<String, Value>,
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
    if listing.connections.is_empty() {
        ui.remark("no connections are configured; set SNOWFLAKE_ACCOUNT, SNOWFLAKE_USER and a credential, or run\nsnow connection add");
    }
    let connections = &listing.connections;
    ui.data(
        || connections.iter().map(text).collect(),
        || connections.iter().map(document).collect::<Vec<_>>(),
    );
    Ok(Exit::Done)
}

fn document(connection: &NamedConnection) -> ConnectionDocument {
    let NamedConnection { name, is_default, origin, values } = connection;
    let pairs = |show: fn(&Setting) -> Value| {
        values.iter().map(|(key, setting)| (key.name().to_owned(), show(setting))).collect()
    };
    ConnectionDocument {
        connection_name: name.clone(),
        is_default: *is_default,
        origin: origin.to_string(),
        parameters: pairs(|setting| match &setting.value {
            SettingValue::Integer(number) => (*number).into(),
            SettingValue::Truth(truth) => (*truth).into(),
            text => text.to_string().into(),
        }),
        origins: pairs(|setting| setting.origin.to_string().into()),
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
    ui.data(|| test_text(&document), || &document);
    Ok(Exit::Done)
}

fn test_text(document: &TestDocument) -> String {
    let TestDocument { status, account, host, user, role, database, schema } = document;
    let part = |part: &Option<String>| part.clone().unwrap_or_else(|| "none".to_owned());
    let lines = [
        ("status", (*status).to_owned()),
        ("account", account.clone()),
        ("host", host.clone()),
        ("user", user.clone()),
        ("role", part(role)),
        ("database", part(database)),
        ("schema", part(schema)),
    ];
    lines.iter().map(|(name, value)| format!("{name:<10} {}\n", visible(value))).collect()
}
