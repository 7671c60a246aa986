//! `snowform connection list|test`: the connections as they resolve, each value with where it came from.

use super::connect::{self, ConnectionArgs};
use super::error::{CommandError, Exit};
use super::ui::Ui;
use crate::snowflake::client::{self, ClientOptions};
use crate::snowflake::sessions::SessionStore;
use crate::snowflake::settings::{
    self, Environment, NamedConnection, Setting, SettingOrigin, SettingValue, Sources,
};
use crate::view::{counted, visible};
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
    /// Show how one connection resolves: every value, where it came from, and what is missing
    Explain(ConnectionArgs),
    /// End the session that is kept of a connection, and forget the tokens of its earlier sign-ins
    ///
    /// Sessions are kept between two commands, so that the second needs no sign-in. They are not kept in continuous
    /// integration, nor where client_store_temporary_credential = false stands in the connection.
    Forget {
        /// Forget the sessions of every connection, without telling their accounts
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        connection: ConnectionArgs,
    },
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
struct Explained {
    method: &'static str,
    endpoint: String,
    connection: ConnectionDocument,
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

/// Shows one connection as it would be used.
pub(super) fn explain(args: &ConnectionArgs, ui: &Ui) -> Result<Exit, CommandError> {
    let sources = Sources::read(args.flags())?;
    let settings = settings::resolve(&sources)?;
    for warning in settings.warnings() {
        ui.remark(&format!("warning: {warning}"));
    }
    let connection = NamedConnection {
        name: settings.connection().unwrap_or("temporary").to_owned(),
        is_default: false,
        origin: SettingOrigin::Default,
        values: settings.iter().map(|(key, setting)| (key, setting.clone())).collect(),
    };
    let noun = settings.method().noun();
    ui.data(
        || {
            let values = text(&connection);
            let values = values.split_once('\n').map_or("", |(_, rest)| rest).trim_end();
            let name = visible(&connection.name);
            format!("{name}, at {}, by {noun}\n{values}\n", settings.endpoint())
        },
        || Explained {
            method: noun,
            endpoint: settings.endpoint().to_string(),
            connection: document(&connection),
        },
    );
    Ok(Exit::Done)
}

/// Ends what is kept of a connection, or of all.
pub(super) async fn forget(all: bool, args: &ConnectionArgs, ui: &Ui) -> Result<Exit, CommandError> {
    if all {
        let variables = Environment::new(crate::host::environment::variables());
        let forgotten = SessionStore::here(&variables).map_or(Ok(0), |store| store.forget_all());
        let count = forgotten.map_err(|error| {
            let message = format!("the kept sessions cannot be removed: {error}");
            CommandError::new(Exit::Failed, "sessions", message, "remove ~/.cache/snowform/sessions")
        })?;
        ui.remark(&format!("{} forgotten; their accounts end them by themselves", counted(count, "session")));
        return Ok(Exit::Done);
    }
    let settings = connect::settings_of(args, ui)?;
    let forgot = client::forget(&settings, ClientOptions::default()).await?;
    ui.remark(if forgot { "forgotten" } else { "nothing is kept of this connection" });
    Ok(Exit::Done)
}

pub(super) async fn test(args: &ConnectionArgs, ui: &Ui) -> Result<Exit, CommandError> {
    let session = connect::open_anew(args, Path::new("."), ui).await?;
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
