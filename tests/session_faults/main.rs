//! The session protocol when things go wrong: a scripted server plays an account that is slow, busy, expired
//! or not there, and the requests it saw are what is asserted.

#![expect(clippy::unwrap_used, reason = "an unwrap that fails is a test that fails")]

mod logins;
mod results;
mod statements;
#[path = "../support/mod.rs"]
mod support;

use futures_util::future::join_all;
use serde_json::{Value, json};
use snowform::object::name::Ident;
use snowform::object::statement::{Operation, Sql};
use snowform::session::{Rows, Session as _, SessionError};
use snowform::snowflake::client::{ClientOptions, SnowflakeSession, connect};
use snowform::snowflake::retry::Retry;
use snowform::snowflake::settings::{Flags, Located, Settings, Sources, resolve};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::{Duration, Instant};
use support::scripted::{ABORT, CLOSE, LOGIN, QUERY, Reply, Request, Scripted, TOKEN};

const PASSWORD: &str = "hunter2-the-password";

fn settings(port: u16, more: &[(&str, &str)]) -> Settings {
    let own = [
        ("ACCOUNT", "myorg-acct"),
        ("USER", "deployer"),
        ("PASSWORD", PASSWORD),
        ("HOST", "127.0.0.1"),
        ("PROTOCOL", "http"),
        ("DATABASE", "db"),
    ];
    let mut environment: BTreeMap<String, String> = own
        .iter()
        .chain(more)
        .map(|(name, value)| (format!("SNOWFLAKE_{name}"), (*value).to_owned()))
        .collect();
    environment.insert("SNOWFLAKE_PORT".to_owned(), port.to_string());
    let located = Located { config: PathBuf::new(), connections: PathBuf::new(), is_custom: false };
    let flags = Flags { temporary_connection: true, ..Flags::default() };
    resolve(&Sources { located, files: Vec::new(), environment, service_token: None, flags }).unwrap()
}

/// As patient as ever in tries, and hasty in pauses.
fn options() -> ClientOptions {
    let millis = Duration::from_millis;
    let retry = Retry { tries: 5, base: millis(2), max: millis(8), longest_asked: millis(150) };
    ClientOptions { retry, max_in_flight: 4, request_timeout: Duration::from_secs(5) }
}

async fn session(server: &Scripted) -> SnowflakeSession {
    connect(&settings(server.port, &[]), options()).await.unwrap()
}

fn show() -> Sql {
    Sql::new("SHOW IMAGE REPOSITORIES")
}

fn create() -> Operation {
    Operation::Sql(Sql::new("CREATE IMAGE REPOSITORY").ident(&Ident::exact("R")))
}

fn names(rows: &Rows) -> Vec<&str> {
    rows.iter().filter_map(|row| row.get("name")).collect()
}

/// The distinct values of a query parameter over some requests.
fn distinct<'r>(requests: &'r [Request], parameter: &str) -> BTreeSet<&'r str> {
    requests.iter().filter_map(|request| request.query.get(parameter)).map(String::as_str).collect()
}

fn unavailable() -> Reply {
    Reply::raw(503, "text/html", "<html>busy</html>")
}

fn in_progress(code: &str, address: Option<&str>) -> Reply {
    let data = json!({"getResultUrl": address, "progressDesc": null, "queryAbortsAfterSecs": 300, "queryId": "01bf"});
    Reply::json(
        json!({"code": code, "data": data, "message": "Query execution in progress", "success": true}),
    )
}

const RESULT: &str = "/queries/01bf/result";

async fn failed_login(server: &Scripted, more: &[(&str, &str)]) -> SessionError {
    match connect(&settings(server.port, more), options()).await {
        Ok(_) => panic!("the login succeeded"),
        Err(error) => error,
    }
}
