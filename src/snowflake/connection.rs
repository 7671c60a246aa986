//! One logged-in session under one role: its tokens, and how they are replaced when they expire.

use super::http::{Call, Purpose, Transport, Tries};
use super::login::{LoggedIn, Login};
use super::reply;
use crate::object::name::Ident;
use crate::session::SessionError;
use crate::wire::{AbortRequest, Envelope, TokenAnswer, TokenRequest};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use uuid::Uuid;

/// What all sessions with one account share.
pub(super) struct Link {
    pub(super) transport: Transport,
    pub(super) login: Login,
}

/// A session with the account.
pub(super) struct Connection {
    link: Arc<Link>,
    /// The role it was opened for, where it is not the connection's.
    role: Option<Ident>,
    tokens: Mutex<Arc<Tokens>>,
    /// Held while tokens are replaced, so that they are replaced once.
    replacing: tokio::sync::Mutex<()>,
    statements: AtomicU64,
}

/// The tokens of a session at one time. Not `Debug`.
pub(super) struct Tokens {
    session: SecretString,
    master: Option<SecretString>,
    /// Counts the replacements, so that a task knows whether another was faster.
    pub(super) generation: u64,
}

impl Connection {
    /// Logs in. Also yields what the account said about the session.
    pub(super) async fn open(link: Arc<Link>, role: Option<Ident>) -> Result<(Self, LoggedIn), SessionError> {
        let logged_in = link.login.run(&link.transport, role.as_ref()).await?;
        let tokens = Mutex::new(Arc::new(Tokens::new(&logged_in, 0)));
        let replacing = tokio::sync::Mutex::new(());
        Ok((Self { link, role, tokens, replacing, statements: AtomicU64::new(0) }, logged_in))
    }

    /// The way to the account.
    pub(super) fn transport(&self) -> &Transport {
        &self.link.transport
    }

    /// The number of the next statement, from 1.
    pub(super) fn next_number(&self) -> u64 {
        self.statements.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// The tokens as they are now.
    pub(super) fn tokens(&self) -> Arc<Tokens> {
        Arc::clone(&self.tokens.lock().expect("internal error: no task panics while it holds the tokens"))
    }

    fn replace(&self, tokens: Tokens) {
        *self.tokens.lock().expect("internal error: no task panics while it holds the tokens") =
            Arc::new(tokens);
    }

    /// Replaces an expired session token with the help of the master token, and logs in again where that is
    /// refused. Does nothing where another task has replaced the tokens of `seen` already.
    pub(super) async fn renew(&self, seen: &Tokens) -> Result<(), SessionError> {
        let _guard = self.replacing.lock().await;
        let current = self.tokens();
        if current.generation != seen.generation {
            return Ok(());
        }
        if let Some(renewed) = self.exchange(&current, "RENEW").await? {
            let TokenAnswer { session_token, master_token, .. } = renewed;
            if let Some(session) = session_token {
                let master = master_token.map(SecretString::from).or_else(|| current.master.clone());
                let session = SecretString::from(session);
                self.replace(Tokens { session, master, generation: current.generation + 1 });
                return Ok(());
            }
        }
        self.log_in_anew(&current).await
    }

    /// Logs in again, unless another task has replaced the tokens of `seen` already.
    pub(super) async fn log_in_again(&self, seen: &Tokens) -> Result<(), SessionError> {
        let _guard = self.replacing.lock().await;
        let current = self.tokens();
        if current.generation == seen.generation { self.log_in_anew(&current).await } else { Ok(()) }
    }

    async fn log_in_anew(&self, current: &Tokens) -> Result<(), SessionError> {
        let logged_in = self.link.login.run(self.transport(), self.role.as_ref()).await?;
        self.replace(Tokens::new(&logged_in, current.generation + 1));
        Ok(())
    }

    /// Asks for a token in exchange for the session's tokens: `RENEW` or `ISSUE`. Nothing where the account
    /// refuses, or where there is no master token to ask with.
    pub(super) async fn exchange(
        &self,
        tokens: &Tokens,
        request_type: &str,
    ) -> Result<Option<TokenAnswer>, SessionError> {
        let Some(master) = &tokens.master else { return Ok(None) };
        let request = TokenRequest {
            old_session_token: tokens.session.expose_secret().to_owned(),
            request_type: request_type.to_owned(),
        };
        let transport = self.transport();
        let request_id = Uuid::new_v4();
        let answer = transport
            .send(Purpose::Statement, &mut Tries::new(), |_| {
                Ok(post(transport, "/session/token-request", request_id, &request, master))
            })
            .await?;
        let envelope: Envelope<TokenAnswer> = reply::read(&answer, &transport.endpoint().authority())?;
        tracing::debug!(request_type, code = envelope.code, success = envelope.success, "token request");
        Ok(envelope.data.filter(|_| envelope.success))
    }

    /// Asks the account to give up a statement. One try; whatever comes of it.
    pub(super) async fn abort(&self, statement: Uuid) {
        let request = AbortRequest { request_id: statement.to_string() };
        let tokens = self.tokens();
        let transport = self.transport();
        let call = post(transport, "/queries/v1/abort-request", Uuid::new_v4(), &request, &tokens.session);
        transport.send_once(call).await;
    }

    /// Ends the session. One try; whatever comes of it.
    pub(super) async fn end(&self) {
        let tokens = self.tokens();
        let call = Call {
            method: reqwest::Method::POST,
            url: self.transport().url("/session", &[("delete", "true")]),
            body: Some(b"{}".to_vec()),
            token: Some(tokens.session.clone()),
            request_id: None,
        };
        self.transport().send_once(call).await;
    }
}

impl Tokens {
    fn new(logged_in: &LoggedIn, generation: u64) -> Self {
        let LoggedIn { session_token, master_token, user: _, place: _ } = logged_in;
        Self { session: session_token.clone(), master: master_token.clone(), generation }
    }

    /// The token that statements are sent under.
    pub(super) fn session(&self) -> &SecretString {
        &self.session
    }
}

fn post<T: Serialize>(
    transport: &Transport,
    path: &str,
    request_id: Uuid,
    body: &T,
    token: &SecretString,
) -> Call {
    let query = [("requestId", request_id.to_string()), ("request_guid", Uuid::new_v4().to_string())];
    let query = query.each_ref().map(|(name, value)| (*name, value.as_str()));
    Call {
        method: reqwest::Method::POST,
        url: transport.url(path, &query),
        body: Some(serde_json::to_vec(body).expect("internal error: the request has text keys only")),
        token: Some(token.clone()),
        request_id: Some(request_id),
    }
}
