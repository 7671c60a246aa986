//! Running statements, and fetching what came of them.

use super::super::account::Account;
use super::answer::{self, Reply};
use super::executions::{Coming, Execution, Outcome};
use super::sessions::Session;
use super::statement::Batch;
use super::token::session;
use super::{Shared, lock};
use crate::wire::{AbortRequest, Envelope, QueryAnswer, QueryRequest, code};
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt as _;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::Arc;

/// The endpoint of statements; its log entry holds the text.
pub(super) const PATH: &str = "/queries/v1/query-request";

/// After how many seconds a statement that nobody asks about is given up, as clients are told.
const ABORTS_AFTER_SECONDS: i64 = 300;

/// What the address of a request adds. A repeated request has the same id.
#[derive(Deserialize)]
pub(super) struct RequestParameters {
    #[serde(rename = "requestId", default)]
    request_id: String,
}

/// `GET /monitoring/queries/{id}`, the answer.
#[derive(Serialize)]
struct Monitoring {
    queries: Vec<MonitoredQuery>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MonitoredQuery {
    id: String,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_message: Option<String>,
}

/// `POST /queries/v1/query-request`.
pub(super) async fn query_request(
    State(shared): State<Arc<Shared>>,
    Query(parameters): Query<RequestParameters>,
    headers: HeaderMap,
    body: Bytes,
) -> Reply {
    let read = answer::read_json::<QueryRequest>(&headers, &body);
    let sql = read.as_ref().ok().map(|request| request.sql_text.as_str());
    shared.log("POST", PATH, sql);
    let session = match session(&shared, &headers) {
        Ok(session) => session,
        Err(refused) => return refused,
    };
    let request = match read {
        Ok(request) => request,
        Err(refused) => return refused,
    };
    if let Some(id) = Account::result_scan(&request.sql_text) {
        return earlier_reply(&shared, &session, &id).await;
    }
    let detached = request.async_exec;
    let batch = Batch::of(request);
    let child_ids = batch.child_ids();
    let execution =
        lock(&shared.executions).once(session.id, &parameters.request_id, child_ids, |query_id| {
            start(Arc::clone(&shared), session, batch, query_id.to_owned())
        });
    if detached {
        return in_progress(code::QUERY_IN_PROGRESS_ASYNC, &execution.query_id);
    }
    reply(&execution, &execution.query_id).await
}

/// Starts work that goes on whether or not anybody waits for it.
fn start(shared: Arc<Shared>, session: Session, batch: Batch, query_id: String) -> Coming {
    let work = tokio::task::spawn_blocking(move || {
        let mut context = lock(&session.context);
        batch.run(&shared, &mut context, &query_id)
    });
    let outcome = work.map(|done| {
        Arc::new(done.unwrap_or_else(|error| Outcome {
            reply: Reply::internal(&error),
            children: HashMap::new(),
            failure: Some(("000603".to_owned(), error.to_string())),
        }))
    });
    outcome.boxed().shared()
}

/// The answer of one of an execution's statements, or that it runs on.
async fn reply(execution: &Execution, query_id: &str) -> Reply {
    match execution.wait().await {
        None => in_progress(code::QUERY_IN_PROGRESS, query_id),
        Some(outcome) => outcome.children.get(query_id).unwrap_or(&outcome.reply).clone(),
    }
}

fn in_progress(code: &str, query_id: &str) -> Reply {
    let data = QueryAnswer {
        query_id: Some(query_id.to_owned()),
        get_result_url: Some(format!("/queries/{query_id}/result")),
        query_aborts_after_secs: Some(ABORTS_AFTER_SECONDS),
        ..QueryAnswer::default()
    };
    let message = "Query execution in progress.";
    Reply::of(&Envelope {
        data: Some(data),
        code: Some(code.to_owned()),
        message: Some(message.to_owned()),
        success: true,
    })
}

/// `GET /queries/{id}/result`.
pub(super) async fn result(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Reply {
    let session = match session(&shared, &headers) {
        Ok(session) => session,
        Err(refused) => return refused,
    };
    earlier_reply(&shared, &session, &id).await
}

/// The answer of a statement that this session asked for before.
async fn earlier_reply(shared: &Shared, session: &Session, id: &str) -> Reply {
    let found = lock(&shared.executions).by_query(session.id, id);
    match found {
        Some(execution) => reply(&execution, id).await,
        None => Reply::failure("000709", format!("Statement {id} not found")),
    }
}

/// `GET /monitoring/queries/{id}`.
pub(super) async fn monitoring(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Reply {
    let session = match session(&shared, &headers) {
        Ok(session) => session,
        Err(refused) => return refused,
    };
    let found = lock(&shared.executions).by_query(session.id, &id);
    let query = found.map(|execution| {
        let outcome = execution.now();
        let failure = outcome.as_ref().and_then(|outcome| outcome.failure.clone());
        let status = match (&outcome, &failure) {
            (None, _) => "RUNNING",
            (Some(_), None) => "SUCCESS",
            (Some(_), Some(_)) => "FAILED_WITH_ERROR",
        };
        let (error_code, error_message) = failure.unzip();
        MonitoredQuery { id, status, error_code, error_message }
    });
    Reply::success(Monitoring { queries: query.into_iter().collect() })
}

/// `POST /queries/v1/abort-request`. Statements here are over in no time; rather than interrupt one, this waits
/// for it and says that there is nothing to abort.
pub(super) async fn abort_request(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    body: Bytes,
) -> Reply {
    let session = match session(&shared, &headers) {
        Ok(session) => session,
        Err(refused) => return refused,
    };
    let request: AbortRequest = match answer::read_json(&headers, &body) {
        Ok(request) => request,
        Err(refused) => return refused,
    };
    let found = lock(&shared.executions).by_request(session.id, &request.request_id);
    if let Some(execution) = found {
        execution.wait().await;
    }
    Reply::failure("000605", "Identified query is not currently executing.")
}

/// `GET /chunks/{id}`: whoever knows the id may have the rows, as with the signed addresses of a real account.
pub(super) async fn chunk(State(shared): State<Arc<Shared>>, Path(id): Path<String>) -> Response {
    match lock(&shared.chunks).get(&id) {
        Some(body) => {
            let headers =
                [(header::CONTENT_TYPE, "application/octet-stream"), (header::CONTENT_ENCODING, "gzip")];
            (headers, body).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
