//! What a session does with its own tokens: renew, issue, keep alive, close.

use super::answer::{self, Reply};
use super::sessions::{Lookup, Session};
use super::{Shared, lock};
use crate::wire::{TokenAnswer, TokenRequest, code};
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use std::sync::Arc;

/// The session of a request, or the answer that it has none.
pub(super) fn session(shared: &Shared, headers: &HeaderMap) -> Result<Session, Reply> {
    let missing = || {
        let message = "Authorization header is missing or is not Snowflake Token=\"…\".";
        Reply::failure("390101", message).with_status(StatusCode::UNAUTHORIZED)
    };
    let token = answer::token(headers).ok_or_else(missing)?;
    match lock(&shared.sessions).find(token) {
        Lookup::Good(session) => Ok(session),
        Lookup::Expired => {
            let message = "Your session has expired. Please login again.";
            Err(Reply::failure(code::SESSION_EXPIRED, message))
        }
        Lookup::Gone => {
            let message = "Session no longer exists. New login required to access the service.";
            Err(Reply::failure(code::SESSION_GONE, message))
        }
        Lookup::Unknown => Err(Reply::unknown_token()),
    }
}

/// `POST /session/token-request`, under the master token.
pub(super) async fn token_request(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    body: Bytes,
) -> Reply {
    let request: TokenRequest = match answer::read_json(&headers, &body) {
        Ok(request) => request,
        Err(refused) => return refused,
    };
    let mut sessions = lock(&shared.sessions);
    let session = match sessions.find_master(answer::token(&headers).unwrap_or_default()) {
        Lookup::Good(session) => session,
        Lookup::Expired => {
            let message = "Authentication token has expired. The user must authenticate again.";
            return Reply::failure(code::MASTER_EXPIRED, message);
        }
        Lookup::Gone => {
            let message = "Session no longer exists. New login required to access the service.";
            return Reply::failure(code::SESSION_GONE, message);
        }
        Lookup::Unknown => {
            return Reply::failure(code::MASTER_NOT_FOUND, "Master token not found. Log in again.");
        }
    };
    let seconds = |seconds: u64| i64::try_from(seconds).ok();
    match request.request_type.as_str() {
        "RENEW" => {
            let (token, master) = sessions.renew(session.id, &request.old_session_token);
            Reply::success(TokenAnswer {
                validity_in_seconds: seconds(token.seconds),
                session_token: Some(token.token),
                master_validity_in_seconds: seconds(master.seconds),
                master_token: Some(master.token),
                session_id: Some(session.id),
            })
        }
        // A further token of the same session; the one it has stays good.
        "ISSUE" => {
            let token = sessions.issue(session.id);
            Reply::success(TokenAnswer {
                validity_in_seconds: seconds(token.seconds),
                session_token: Some(token.token),
                session_id: Some(session.id),
                ..TokenAnswer::default()
            })
        }
        _ => Reply::bad_request(),
    }
}

/// `POST /session/heartbeat`.
pub(super) async fn heartbeat(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Reply {
    session(&shared, &headers).map_or_else(|refused| refused, |_| Reply::success(()))
}

/// `POST /session?delete=true`.
pub(super) async fn close(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Reply {
    match session(&shared, &headers) {
        Ok(session) => {
            lock(&shared.sessions).close(session.id);
            Reply::success(())
        }
        Err(refused) => refused,
    }
}
