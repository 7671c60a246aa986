//! One statement, from its first try to its answer: sent at most once as far as the account can tell, waited
//! for, and carried across expired sessions.
//!
//! Source: gosnowflake `restful.go` (`postRestfulQuery`), `retry.go`; snowflake-connector-python `network.py`.

use super::connection::{Connection, Tokens};
use super::http::{Answer, Call, Purpose, Tries};
use super::reply;
use crate::session::SessionError;
use crate::wire::{self, Envelope, QueryAnswer, QueryRequest};
use reqwest::{Method, Url};
use uuid::Uuid;

/// How often a session may be renewed or opened anew with no progress in between.
const MAX_RECOVERIES: u32 = 3;

/// A statement on its way.
pub(super) struct Statement<'a> {
    connection: &'a Connection,
    /// The same for every try: the account recognises the statement by it.
    id: Uuid,
    body: Vec<u8>,
    tries: Tries,
    /// Where to ask for the answer, once the account has given an address.
    poll: Option<Url>,
    recoveries: u32,
    logged_in_again: bool,
}

/// What an answer asks us to do.
enum Turn {
    Ask,
    Renew,
    LogIn,
    Done,
}

impl<'a> Statement<'a> {
    /// Prepares a statement; nothing is sent yet.
    pub(super) fn new(connection: &'a Connection, sql: &str) -> Self {
        let request = QueryRequest {
            sql_text: sql.to_owned(),
            sequence_id: connection.next_number(),
            ..QueryRequest::default()
        };
        Self {
            connection,
            id: Uuid::new_v4(),
            body: serde_json::to_vec(&request).expect("internal error: a statement has text keys only"),
            tries: Tries::new(),
            poll: None,
            recoveries: 0,
            logged_in_again: false,
        }
    }

    /// The id under which the account can be asked to give the statement up.
    pub(super) fn id(&self) -> Uuid {
        self.id
    }

    /// Whether an earlier try may have been carried out although its answer never came.
    pub(super) fn is_after_retry(&self) -> bool {
        self.tries.may_have_run
    }

    /// Sends the statement and waits for its answer.
    pub(super) async fn run(&mut self) -> Result<QueryAnswer, SessionError> {
        let host = self.connection.transport().endpoint().authority();
        loop {
            let tokens = self.connection.tokens();
            let answer = self.ask(&tokens).await?;
            let envelope: Envelope<QueryAnswer> = reply::read(&answer, &host)?;
            let code = envelope.code.as_deref().unwrap_or_default();
            tracing::debug!(request_id = %self.id, code, success = envelope.success, "statement");
            match turn(code, envelope.success) {
                Turn::Done if envelope.success => return Ok(envelope.data.unwrap_or_default()),
                Turn::Done => return Err(self.refused(envelope)),
                Turn::Ask => {
                    let address = envelope.data.and_then(|data| data.get_result_url);
                    self.wait_at(address, &host)?;
                }
                Turn::Renew => {
                    self.count_recovery(&envelope)?;
                    self.connection.renew(&tokens).await?;
                }
                Turn::LogIn => {
                    self.count_recovery(&envelope)?;
                    if std::mem::replace(&mut self.logged_in_again, true) {
                        return Err(session_lost(&envelope));
                    }
                    self.connection.log_in_again(&tokens).await?;
                }
            }
        }
    }

    /// Asks for the result of the statement once more, by the id that the account gave it.
    pub(super) async fn ask_again(&mut self, query_id: &str) -> Result<QueryAnswer, SessionError> {
        let address = format!("/queries/{query_id}/result");
        self.poll = Some(self.connection.transport().own_url(&address)?);
        self.run().await
    }

    /// One question: the statement itself, or "is it done?".
    async fn ask(&mut self, tokens: &Tokens) -> Result<Answer, SessionError> {
        let transport = self.connection.transport();
        let call = |method, url, body| Call {
            method,
            url,
            body,
            token: Some(tokens.session().clone()),
            request_id: Some(self.id),
        };
        if let Some(url) = &self.poll {
            let make = |_: &Tries| Ok(call(Method::GET, url.clone(), None));
            return transport.send(Purpose::Statement, &mut Tries::new(), make).await;
        }
        let id = self.id.to_string();
        let make = |tries: &Tries| {
            let query = submission_query(&id, tries);
            let query: Vec<_> = query.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let url = transport.url("/queries/v1/query-request", &query);
            Ok(call(Method::POST, url, Some(self.body.clone())))
        };
        let answer = transport.send(Purpose::Statement, &mut self.tries, make).await;
        answer.map_err(|error| if self.tries.may_have_run { of_unknown_outcome(error) } else { error })
    }

    fn wait_at(&mut self, address: Option<String>, host: &str) -> Result<(), SessionError> {
        self.recoveries = 0;
        self.logged_in_again = false;
        match address {
            Some(address) => self.poll = Some(self.connection.transport().own_url(&address)?),
            // Without an address the last one stays good.
            None if self.poll.is_some() => {}
            None => {
                return Err(SessionError::Protocol {
                    message: format!(
                        "{host} says that the statement runs, but not where to ask for its result"
                    ),
                    help: "look for the statement in the account's query history".to_owned(),
                });
            }
        }
        Ok(())
    }

    fn count_recovery(&mut self, envelope: &Envelope<QueryAnswer>) -> Result<(), SessionError> {
        self.recoveries += 1;
        if self.recoveries > MAX_RECOVERIES { Err(session_lost(envelope)) } else { Ok(()) }
    }

    fn refused(&self, envelope: Envelope<QueryAnswer>) -> SessionError {
        let Envelope { data, code, message, success: _ } = envelope;
        let data = data.unwrap_or_default();
        let code = code.or(data.error_code).and_then(|code| code.parse().ok()).unwrap_or(0);
        let message = message.filter(|message| !message.trim().is_empty());
        let message =
            message.unwrap_or_else(|| "the account refused the statement and gave no reason".to_owned());
        SessionError::Sql {
            code,
            sql_state: data.sql_state,
            message,
            query_id: data.query_id,
            after_retry: self.is_after_retry(),
        }
    }
}

fn turn(code: &str, success: bool) -> Turn {
    use wire::code::*;
    match code {
        QUERY_IN_PROGRESS | QUERY_IN_PROGRESS_ASYNC => Turn::Ask,
        SESSION_EXPIRED if !success => Turn::Renew,
        SESSION_INVALID | SESSION_GONE | MASTER_NOT_FOUND | MASTER_EXPIRED | MASTER_INVALID if !success => {
            Turn::LogIn
        }
        _ => Turn::Done,
    }
}

/// The parameters of a submission. The last three tell the account that it may know the statement already.
fn submission_query(id: &str, tries: &Tries) -> Vec<(&'static str, String)> {
    let mut query = vec![("requestId", id.to_owned()), ("request_guid", Uuid::new_v4().to_string())];
    if tries.failed > 0 {
        query.push(("clientStartTime", tries.started.to_string()));
        query.push(("retryCount", tries.failed.to_string()));
        query.push(("retryReason", tries.last_status.to_string()));
    }
    query
}

fn session_lost(envelope: &Envelope<QueryAnswer>) -> SessionError {
    let code = envelope.code.as_deref().and_then(|code| code.parse().ok());
    let said = envelope.message.as_deref().unwrap_or("no reason given");
    SessionError::Authentication {
        code,
        message: format!("the account does not keep the session: {said}"),
        help: "log in again by repeating the command; the user or its credentials may have been changed"
            .to_owned(),
    }
}

/// Adds to the error of a statement that went unanswered what that means.
fn of_unknown_outcome(error: SessionError) -> SessionError {
    match error {
        SessionError::Unreachable { message, help } => SessionError::Unreachable {
            message: format!("{message}; whether the statement was carried out is not known"),
            help: format!("{help}; then plan again, which shows what is there"),
        },
        other => other,
    }
}
