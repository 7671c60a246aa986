//! Who asks: `GET /login` turns credentials into a bearer token, and every other request must carry one.
//!
//! The user `0sessiontoken` signs in with the JSON text that `snow spcs image-registry token` prints; any other user
//! with a password or a programmatic access token.

use super::super::super::account::{Context, TokenLogin};
use super::super::super::registry::failure::{Code, Failure};
use super::super::super::registry::reference::ImageName;
use super::super::sessions::{Issued, Lookup};
use super::super::{Shared, lock};
use super::answer::{Answer, failed, failed_with};
use crate::object::name::Ident;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use std::sync::Arc;

/// Where credentials become a bearer token.
pub(in super::super) const LOGIN_PATH: &str = "/login";
/// The user whose password is a session token.
const SESSION_TOKEN_USER: &str = "0sessiontoken";

/// The password of that user.
#[derive(Deserialize)]
struct SessionPassword {
    token: String,
}

/// `GET /login`. What the parameters name as scope is not looked at: every request is checked by itself, so that
/// grants and revocations count at once.
pub(in super::super) async fn login(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    let Some((user, password)) = basic(&headers) else {
        return failed_with(&unauthorized("sign in with a user and a password"))
            .header(header::WWW_AUTHENTICATE, format!("Basic realm=\"{}\"", shared.address))
            .done();
    };
    let work = tokio::task::spawn_blocking(move || sign_in(&shared, &user, &password)).await;
    match work.unwrap_or_else(|error| Err(Failure::new(Code::Unknown, error.to_string()))) {
        Ok(Issued { token, seconds }) => {
            let now = jiff::Timestamp::now().to_string();
            let document = serde_json::json!({
                "token": token, "access_token": token, "expires_in": seconds, "issued_at": now,
            });
            Answer::new(StatusCode::OK).json("application/json", &document).done()
        }
        Err(failure) => failed(&failure),
    }
}

fn sign_in(shared: &Shared, user: &str, password: &str) -> Result<Issued, Failure> {
    let seconds = shared.config.registry_seconds;
    if user == SESSION_TOKEN_USER {
        let read = serde_json::from_str::<SessionPassword>(password);
        let SessionPassword { token } = read.map_err(|_| unauthorized("the session token is no JSON"))?;
        let mut sessions = lock(&shared.sessions);
        let Lookup::Good(session) = sessions.find(&token) else {
            return Err(unauthorized("the session token is unknown or has expired"));
        };
        return Ok(sessions.issue_for_registry(session.id, seconds));
    }
    let account = &shared.account;
    let proven = account.password_login(Ident::exact(user.to_uppercase()), password)?;
    let Some(TokenLogin { user, only_role }) = proven else {
        return Err(unauthorized("Incorrect username or password was specified."));
    };
    let role = match &only_role {
        Some(role) => role.clone(),
        None => account.default_role(&user)?,
    };
    let context = Context { only_role, ..Context::new(user, role) };
    Ok(lock(&shared.sessions).open_for_registry(context, seconds))
}

/// User and password of `Authorization: Basic …`.
pub(in super::super) fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let header = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let text = String::from_utf8(STANDARD.decode(after(header, "basic ")?).ok()?).ok()?;
    let (user, password) = text.split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
}

/// What stands behind the scheme, which is written in any case.
fn after<'a>(header: &'a str, scheme: &str) -> Option<&'a str> {
    let (found, rest) = header.split_at_checked(scheme.len())?;
    found.eq_ignore_ascii_case(scheme).then(|| rest.trim())
}

/// Where the session stands that a request's bearer token was issued for.
pub(super) fn context(shared: &Shared, headers: &HeaderMap) -> Result<Context, Failure> {
    let header = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = header.and_then(|header| after(header, "bearer "));
    let token = token.ok_or_else(|| unauthorized("sign in first"))?;
    let session = match lock(&shared.sessions).find_for_registry(token) {
        Lookup::Good(session) => session,
        Lookup::Expired => return Err(unauthorized("the token has expired")),
        Lookup::Gone => return Err(unauthorized("the session of the token has ended")),
        Lookup::Unknown => return Err(unauthorized("the token is unknown")),
    };
    let context = lock(&session.context).clone();
    Ok(context)
}

fn unauthorized(message: &str) -> Failure {
    Failure::new(Code::Unauthorized, message)
}

/// Says where to sign in, and what for.
pub(super) fn challenge(
    shared: &Shared,
    failure: &Failure,
    method: &Method,
    name: Option<&ImageName>,
) -> Response {
    let actions = match *method {
        Method::GET | Method::HEAD => "pull",
        Method::DELETE => "delete",
        _ => "pull,push",
    };
    let scope = name.map(|name| format!(",scope=\"repository:{name}:{actions}\"")).unwrap_or_default();
    let address = shared.address;
    let challenge = format!("Bearer realm=\"http://{address}{LOGIN_PATH}\",service=\"{address}\"{scope}");
    failed_with(failure).header(header::WWW_AUTHENTICATE, challenge).done()
}
