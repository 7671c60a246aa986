//! Logging in: password, key pair, programmatic access token, OAuth token, and the tokens of people with browsers.

use super::super::account::{Account, Context, RoleCheck, TokenLogin};
use super::super::catalog::credential::TokenKind;
use super::super::error::LocalError;
use super::super::{SERVER_VERSION, USER_NAME};
use super::answer::{self, Reply};
use super::people::{Refused, Use};
use super::{Shared, lock};
use crate::object::name::Ident;
use crate::wire::{LoginAnswer, LoginData, LoginRequest, Parameter, SessionInfo, code};
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What the address of a login may add.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LoginParameters {
    database_name: Option<String>,
    schema_name: Option<String>,
    warehouse: Option<String>,
    role_name: Option<String>,
}

/// What a refused login tells the client to do next.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Refusal {
    next_action: &'static str,
    authn_method: &'static str,
    sign_in_options: serde_json::Map<String, Value>,
}

/// `POST /session/v1/login-request`.
pub(super) async fn login(
    State(shared): State<Arc<Shared>>,
    Query(parameters): Query<LoginParameters>,
    headers: HeaderMap,
    body: Bytes,
) -> Reply {
    let request: LoginRequest = match answer::read_json(&headers, &body) {
        Ok(request) => request,
        Err(refused) => return refused,
    };
    // Hashing a password is work for a thread of its own.
    let work = tokio::task::spawn_blocking(move || {
        let LoginRequest { data, in_flight: _ } = request;
        log_in(&shared, &parameters, data).unwrap_or_else(|refused| refused)
    });
    work.await.unwrap_or_else(|error| Reply::internal(&error))
}

fn log_in(shared: &Shared, parameters: &LoginParameters, data: LoginData) -> Result<Reply, Reply> {
    let proven = authenticate(shared, &data)?;
    let wants_id =
        data.session_parameters.get("CLIENT_STORE_TEMPORARY_CREDENTIAL") == Some(&Value::Bool(true));
    let by_browser =
        data.authenticator.as_deref().is_some_and(|name| name.eq_ignore_ascii_case("EXTERNALBROWSER"));
    let id_token = (wants_id && by_browser).then(|| lock(&shared.people).id_token(&proven.user));
    let mut context = context(&shared.account, proven, parameters)?;
    let LoginData { session_parameters, .. } = data;
    let set = session_parameters.into_iter().map(|(name, value)| (name.to_uppercase(), value));
    context.parameters.extend(set);
    let answer = LoginAnswer {
        display_user_name: Some(context.user.as_str().to_owned()),
        server_version: Some(SERVER_VERSION.to_owned()),
        parameters: session_parameters_of(&context),
        session_info: session_info(&context),
        id_token,
        ..LoginAnswer::default()
    };
    let (session, token, master) = lock(&shared.sessions).open(context);
    Ok(Reply::success(LoginAnswer {
        token: Some(token.token),
        validity_in_seconds: i64::try_from(token.seconds).ok(),
        master_token: Some(master.token),
        master_validity_in_seconds: i64::try_from(master.seconds).ok(),
        session_id: Some(session.id),
        ..answer
    }))
}

/// Finds out whose credentials these are.
fn authenticate(shared: &Shared, data: &LoginData) -> Result<TokenLogin, Reply> {
    let account = &shared.account;
    let named = data.login_name.as_deref().filter(|name| !name.is_empty());
    let user = named.map(|name| Ident::exact(name.to_uppercase()));
    let authenticator = data.authenticator.as_deref().unwrap_or("SNOWFLAKE").to_uppercase();
    let token = data.token.as_deref().unwrap_or_default();
    let proven = match authenticator.as_str() {
        "SNOWFLAKE" | "USERNAME_PASSWORD_MFA" => {
            return with_password(account, user, data.password.as_deref().unwrap_or_default());
        }
        "SNOWFLAKE_JWT" => match account.jwt_login(token).map_err(unusable)? {
            Ok(user) => Some(TokenLogin { user, only_role: None }),
            Err(error) => return Err(Reply::failure(error.code(), error.message())),
        },
        "PROGRAMMATIC_ACCESS_TOKEN" => account.token_login(TokenKind::Pat, token).map_err(unusable)?,
        "OAUTH" => match account.token_login(TokenKind::OAuth, token).map_err(unusable)? {
            Some(login) => Some(login),
            None => of_people(shared, Use::Access, data)?,
        },
        "EXTERNALBROWSER" => of_people(shared, Use::Browser, data)?,
        "ID_TOKEN" => of_people(shared, Use::Id, data)?,
        _ => {
            let message = "The local account knows passwords, key pairs, programmatic access tokens, OAuth tokens and \
                           people with browsers; it has no other authenticator.";
            return Err(Reply::failure("390190", message));
        }
    };
    match proven {
        // A token proves its own user; a name that contradicts it is a mistake worth telling.
        Some(proven) if user.is_none_or(|user| user == proven.user) => Ok(proven),
        Some(_) | None => Err(refused_token(&authenticator)),
    }
}

/// A token that a person got with a browser.
fn of_people(shared: &Shared, of: Use, data: &LoginData) -> Result<Option<TokenLogin>, Reply> {
    let token = data.token.as_deref().unwrap_or_default();
    match lock(&shared.people).find(of, token, data.proof_key.as_deref()) {
        Ok(login) => Ok(Some(login)),
        Err(Refused::Expired) if of == Use::Access => {
            Err(Reply::failure(code::OAUTH_EXPIRED, "OAuth access token expired."))
        }
        Err(Refused::Unknown | Refused::Expired) => Ok(None),
    }
}

/// A password login; a programmatic access token may stand in the password's place.
fn with_password(account: &Account, user: Option<Ident>, password: &str) -> Result<TokenLogin, Reply> {
    let wrong = || Reply::failure(code::WRONG_PASSWORD, "Incorrect username or password was specified.");
    let user = user.ok_or_else(wrong)?;
    account.password_login(user, password).map_err(unusable)?.ok_or_else(wrong)
}

fn refused_token(authenticator: &str) -> Reply {
    let (code, method, message) = match authenticator {
        "SNOWFLAKE_JWT" => return Reply::failure(code::JWT_INVALID, "JWT token is invalid."),
        "OAUTH" => (code::OAUTH_INVALID, "OAUTH", "Invalid OAuth access token."),
        "ID_TOKEN" => (code::ID_TOKEN_INVALID, "ID_TOKEN", "The provided ID token is invalid."),
        "EXTERNALBROWSER" => ("390190", "SAML", "The token of the browser is unknown, used or not for you."),
        _ => (code::PAT_INVALID, "PAT", "Programmatic access token is invalid."),
    };
    let data =
        Refusal { next_action: "RETRY_LOGIN", authn_method: method, sign_in_options: Default::default() };
    Reply::failure_with(code, message, Some(data))
}

fn unusable(error: LocalError) -> Reply {
    Reply::internal(&error)
}

/// Where the new session stands. A role that is not the user's refuses the login; a database or a schema that
/// is not there leaves the session without one, as Snowflake does.
fn context(account: &Account, proven: TokenLogin, parameters: &LoginParameters) -> Result<Context, Reply> {
    let LoginParameters { database_name, schema_name, warehouse, role_name } = parameters;
    let TokenLogin { user, only_role } = proven;
    let asked = role_name.as_deref().filter(|name| !name.is_empty()).map(name_of);
    let role = match (asked, &only_role) {
        (Some(asked), Some(only)) if asked != *only => return Err(role_refused(&asked)),
        (Some(role), _) => role,
        (None, Some(only)) => only.clone(),
        (None, None) => account.default_role(&user).map_err(unusable)?,
    };
    if account.check_role(&user, &role).map_err(unusable)? == RoleCheck::NotGranted {
        return Err(role_refused(&role));
    }
    let mut context = Context::new(user, role);
    context.only_role = only_role;
    context.warehouse = warehouse.as_deref().filter(|name| !name.is_empty()).map(name_of);
    if let Some(database) = database_name.as_deref().filter(|name| !name.is_empty()) {
        let _ = account.execute(&mut context, &format!("USE DATABASE {}", name_of(database)));
    }
    if let Some(schema) = schema_name.as_deref().filter(|name| !name.is_empty()) {
        let used = account.execute(&mut context, &format!("USE SCHEMA {}", name_of(schema)));
        if used.is_err() {
            context.schema = None;
        }
    }
    Ok(context)
}

fn role_refused(role: &Ident) -> Reply {
    let message = format!(
        "Role '{}' specified in the connect string does not exist or not authorized. Contact your local system \
         administrator, or attempt to login with another role, e.g. PUBLIC. The user {USER_NAME} of a new local \
         account has SYSADMIN and ACCOUNTADMIN.",
        role.as_str()
    );
    Reply::failure(code::ROLE_NOT_GRANTED, message)
}

/// A name of a connection's settings: SQL spelling where it is one, otherwise taken as it is.
fn name_of(written: &str) -> Ident {
    Ident::parse(written).unwrap_or_else(|_| Ident::exact(written))
}

/// Where a session stands, as the protocol tells it.
pub(super) fn session_info(context: &Context) -> SessionInfo {
    let text = |ident: &Option<Ident>| ident.as_ref().map(|ident| ident.as_str().to_owned());
    SessionInfo {
        database_name: text(&context.database),
        schema_name: text(&context.schema),
        warehouse_name: text(&context.warehouse),
        role_name: Some(context.role.as_str().to_owned()),
    }
}

/// The parameters that clients act on, and what the session set.
pub(super) fn session_parameters_of(context: &Context) -> Vec<Parameter> {
    let defaults = [
        ("AUTOCOMMIT", Value::Bool(true)),
        ("CLIENT_PREFETCH_THREADS", Value::from(4)),
        ("CLIENT_SESSION_KEEP_ALIVE", Value::Bool(false)),
        ("TIMEZONE", Value::from("Etc/UTC")),
    ];
    let mut parameters: BTreeMap<&str, Value> = BTreeMap::from(defaults);
    parameters.extend(context.parameters.iter().map(|(name, value)| (name.as_str(), value.clone())));
    // Whatever the client asks for: nothing is to be sent that nobody reads, and results are JSON.
    parameters.insert("CLIENT_TELEMETRY_ENABLED", Value::Bool(false));
    parameters.insert("PYTHON_CONNECTOR_QUERY_RESULT_FORMAT", Value::from("json"));
    parameters.into_iter().map(|(name, value)| Parameter { name: name.to_owned(), value }).collect()
}
