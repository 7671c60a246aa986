//! One logged-in session under one role: its tokens, and how they are replaced when they expire.

use super::http::{Call, Purpose, Transport, Tries};
use super::login::{LoggedIn, Login};
use super::reply;
use super::sessions::{KeptSession, Lease, until};
use crate::object::name::Ident;
use crate::session::SessionError;
use crate::wire::{AbortRequest, Envelope, QueryAnswer, SessionInfo, TokenAnswer, TokenRequest};
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
    /// Where the account said that it stands.
    place: SessionInfo,
    /// The right to keep it for the next command, where there is one.
    lease: Option<Lease>,
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
    pub(super) async fn open(
        link: Arc<Link>,
        role: Option<Ident>,
        lease: Option<Lease>,
    ) -> Result<(Self, LoggedIn), SessionError> {
        let logged_in = link.login.run(&link.transport, role.as_ref()).await?;
        if let (Some(lease), Some(kept)) = (&lease, logged_in.to_keep()) {
            lease.put(kept);
        }
        let place = logged_in.place.clone();
        Ok((Self::with(link, role, place, lease, Tokens::new(&logged_in, 0)), logged_in))
    }

    /// Goes on with a session that an earlier command opened; nothing is sent.
    pub(super) fn resume(link: Arc<Link>, lease: Lease, kept: &KeptSession) -> Self {
        let KeptSession { session, master, place, session_until: _, master_until: _, user: _ } = kept;
        let tokens = Tokens { session: session.clone(), master: Some(master.clone()), generation: 0 };
        Self::with(link, None, place.clone(), Some(lease), tokens)
    }

    fn with(
        link: Arc<Link>,
        role: Option<Ident>,
        place: SessionInfo,
        lease: Option<Lease>,
        tokens: Tokens,
    ) -> Self {
        let (tokens, replacing) = (Mutex::new(Arc::new(tokens)), tokio::sync::Mutex::new(()));
        Self { link, role, place, lease, tokens, replacing, statements: AtomicU64::new(0) }
    }

    /// To be said before something is changed: until it is known to stand where it stood, the session is not kept.
    pub(super) fn doubt(&self) {
        if let Some(lease) = &self.lease {
            lease.doubt();
        }
    }

    /// Looks at where the session stands after a statement, as far as the account says it: one that was moved is not
    /// kept for anybody else.
    pub(super) fn watch(&self, answer: &QueryAnswer) {
        let Some(lease) = &self.lease else { return };
        let QueryAnswer { final_database_name, final_schema_name, final_role_name, .. } = answer;
        let says = final_database_name.is_some() || final_schema_name.is_some() || final_role_name.is_some();
        let SessionInfo { database_name, schema_name, role_name, warehouse_name: _ } = &self.place;
        let same = (final_database_name, final_schema_name, final_role_name)
            == (database_name, schema_name, role_name);
        if says && !same {
            lease.spoil();
        }
    }

    /// Ends the use of the session; whether it is kept, and so must not be ended itself.
    pub(super) fn is_kept(&self) -> bool {
        self.lease.as_ref().is_some_and(Lease::finish)
    }

    /// Sees to it that the session is ended and not kept.
    pub(super) fn do_not_keep(&self) {
        if let Some(lease) = &self.lease {
            lease.spoil();
        }
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
            let TokenAnswer {
                session_token,
                master_token,
                validity_in_seconds,
                master_validity_in_seconds,
                session_id: _,
            } = renewed;
            if let Some(session) = session_token {
                let (session, new_master) =
                    (SecretString::from(session), master_token.map(SecretString::from));
                if let Some(lease) = &self.lease {
                    let seconds = [validity_in_seconds, master_validity_in_seconds];
                    lease.renew(&session, new_master.as_ref(), seconds);
                }
                let master = new_master.or_else(|| current.master.clone());
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
        if let Some(lease) = &self.lease {
            tracing::debug!("the kept session is refused");
            lease.spoil();
        }
        let logged_in = self.link.login.run(self.transport(), self.role.as_ref()).await?;
        if moved(&self.place, &logged_in.place) {
            return Err(SessionError::Authentication {
                code: None,
                message: "the account ended the session, and a new one stands elsewhere: under another role, or in \
                          another database or schema"
                    .to_owned(),
                help: "repeat the command, which then begins there; to be independent of the user's defaults, name \
                       role, database and schema in the connection"
                    .to_owned(),
            });
        }
        if let (Some(lease), Some(kept)) = (&self.lease, logged_in.to_keep()) {
            lease.put_anew(kept);
        }
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
        let LoggedIn { session_token, master_token, seconds: _, user: _, place: _ } = logged_in;
        Self { session: session_token.clone(), master: master_token.clone(), generation }
    }

    /// The token that statements are sent under.
    pub(super) fn session(&self) -> &SecretString {
        &self.session
    }
}

/// Whether two sessions stand in different places, as far as statements notice.
fn moved(before: &SessionInfo, after: &SessionInfo) -> bool {
    let of = |place: &SessionInfo| {
        let SessionInfo { database_name, schema_name, role_name, warehouse_name: _ } = place.clone();
        [database_name, schema_name, role_name]
    };
    of(before) != of(after)
}

impl LoggedIn {
    /// What is kept of it; nothing where the account gave nothing to renew it with.
    fn to_keep(&self) -> Option<KeptSession> {
        let Self { session_token, master_token, seconds: [session, master], user, place } = self;
        Some(KeptSession {
            session: session_token.clone(),
            session_until: until(*session),
            master: master_token.clone()?,
            master_until: until(*master),
            user: user.clone(),
            place: place.clone(),
        })
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
