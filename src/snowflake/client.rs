//! A session with a real account: the port's methods, roles on demand, and an orderly end.

use super::auth::desk::Desk;
use super::connection::{Connection, Link};
use super::http::Transport;
use super::login::Login;
use super::result;
use super::retry::Retry;
use super::sessions::SessionStore;
use super::settings::{Key, Settings};
use super::statement::Statement;
use crate::object::name::Ident;
use crate::object::statement::{Operation, Sql};
use crate::session::{Answer, Identity, Performed, Rows, Session, SessionError};
use crate::wire::SessionInfo;
use futures_util::future::join_all;
use secrecy::SecretString;
use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::OnceCell;
use uuid::Uuid;

/// How long a request that nobody depends on may take: ending a session, giving up a statement.
const COURTESY_TIMEOUT: Duration = Duration::from_secs(5);
/// How long [`Session::close`] waits for the account's answer; the request is on its way by then.
const CLOSE_WAIT: Duration = Duration::from_millis(50);

/// How to talk to an account, as far as the connection's settings do not say it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientOptions {
    /// Tries and the pauses between them.
    pub retry: Retry,
    /// Requests that are on their way at the same time, at least one.
    pub max_in_flight: usize,
    /// How long one request may take. Accounts hold a question for a running statement for about 45 seconds.
    pub request_timeout: Duration,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self { retry: Retry::default(), max_in_flight: 16, request_timeout: Duration::from_secs(120) }
    }
}

/// A way to a real account. Statements may run side by side.
pub struct SnowflakeSession {
    identity: Identity,
    link: Arc<Link>,
    primary: Arc<Connection>,
    /// Sessions under other roles, opened when they are first needed.
    others: Mutex<BTreeMap<Ident, Arc<OnceCell<Arc<Connection>>>>>,
    in_flight: Mutex<BTreeMap<Uuid, Arc<Connection>>>,
    max_in_flight: usize,
    keep_open: AtomicBool,
}

/// A token that stands for the session elsewhere, such as in the image registry.
pub struct IssuedToken {
    /// The token.
    pub token: SecretString,
    /// How long it is good for, where the account says so.
    pub valid_for: Option<Duration>,
}

/// Logs in to the account that the settings name: one request, and more only where it goes unanswered.
///
/// # Errors
/// [`SessionError::Authentication`] where the account, or this machine for lack of a readable key or token,
/// refuses; [`SessionError::Unreachable`] where nothing answers; [`SessionError::Protocol`] where something
/// else does.
pub async fn connect(settings: &Settings, options: ClientOptions) -> Result<SnowflakeSession, SessionError> {
    connect_at(settings, options, Desk::default()).await
}

/// The same with what a desk has: a person who can be asked, tokens of earlier logins, and sessions of earlier
/// commands. With one of those, nothing is sent here.
///
/// # Errors
/// As [`connect`].
pub async fn connect_at(
    settings: &Settings,
    options: ClientOptions,
    desk: Desk,
) -> Result<SnowflakeSession, SessionError> {
    let ClientOptions { retry, max_in_flight, request_timeout } = options;
    let desk = Desk { retry: retry.clone(), ..desk };
    let leased = desk.sessions.as_ref().and_then(|store| store.lease(settings));
    let login = Login::prepare(settings, desk)?;
    let transport = Transport::new(settings.endpoint(), retry, max_in_flight, request_timeout)?;
    let link = Arc::new(Link { transport, login });
    let (primary, user, place) = match leased {
        Some((lease, Some(kept))) => {
            tracing::debug!("goes on with a kept session");
            let connection = Connection::resume(Arc::clone(&link), lease, &kept);
            if !kept.is_fresh() {
                connection.renew(&connection.tokens()).await?;
            }
            (connection, kept.user, kept.place)
        }
        leased => {
            let lease = leased.map(|(lease, _)| lease);
            let (connection, logged_in) = Connection::open(Arc::clone(&link), None, lease).await?;
            (connection, logged_in.user, logged_in.place)
        }
    };
    Ok(SnowflakeSession {
        identity: identity(settings, user, place),
        link,
        primary: Arc::new(primary),
        others: Mutex::default(),
        in_flight: Mutex::default(),
        max_in_flight,
        keep_open: AtomicBool::new(settings.is_true(Key::ServerSessionKeepAlive)),
    })
}

/// Ends the session that is kept for these settings, at the account as well, and forgets the tokens of earlier logins;
/// whether there was any of it.
///
/// # Errors
/// [`SessionError`] where the settings name a key or a token that cannot be read.
pub async fn forget(settings: &Settings, options: ClientOptions) -> Result<bool, SessionError> {
    let ClientOptions { retry, max_in_flight, request_timeout } = options;
    let login = Login::prepare(settings, Desk::default())?;
    let transport = Transport::new(settings.endpoint(), retry, max_in_flight, request_timeout)?;
    let link = Arc::new(Link { transport, login });
    let forgot_tokens = link.login.forget_tokens();
    let leased = SessionStore::here(settings.environment()).and_then(|store| store.lease(settings));
    let Some((lease, Some(kept))) = leased else { return Ok(forgot_tokens) };
    let connection = Connection::resume(link, lease, &kept);
    connection.do_not_keep();
    // A session that the account does not know any more is as good as ended.
    let _ = tokio::time::timeout(COURTESY_TIMEOUT, connection.end()).await;
    Ok(true)
}

fn identity(settings: &Settings, user: Option<String>, place: SessionInfo) -> Identity {
    let user = user.or_else(|| settings.text(Key::User).map(|user| user.into_owned()));
    Identity {
        account: settings.account_name().to_owned(),
        host: settings.endpoint().authority(),
        user: user.unwrap_or_default(),
        role: stored(place.role_name),
        database: stored(place.database_name),
        schema: stored(place.schema_name),
    }
}

/// A name as the account reports it: the stored content, at times in quotes.
fn stored(name: Option<String>) -> Option<Ident> {
    let name = name.filter(|name| !name.is_empty())?;
    let quoted = name.starts_with('"').then(|| Ident::parse(&name).ok()).flatten();
    Some(quoted.unwrap_or_else(|| Ident::exact(name)))
}

impl SnowflakeSession {
    /// The session for a role; a new one is opened, once, where none has that role.
    async fn connection(&self, role: Option<&Ident>) -> Result<Arc<Connection>, SessionError> {
        let Some(role) = role.filter(|role| self.identity.role.as_ref() != Some(role)) else {
            return Ok(Arc::clone(&self.primary));
        };
        let cell = {
            let mut others =
                self.others.lock().expect("internal error: no task panics while it holds the roles");
            Arc::clone(others.entry(role.clone()).or_default())
        };
        let opened = cell.get_or_try_init(|| async {
            let (connection, _) = Connection::open(Arc::clone(&self.link), Some(role.clone()), None).await?;
            Ok(Arc::new(connection))
        });
        opened.await.cloned()
    }

    /// Runs a statement; with its rows where `with_rows`, else with its id alone.
    async fn run(&self, sql: &Sql, role: Option<&Ident>, with_rows: bool) -> Result<Rows, SessionError> {
        let connection = self.connection(role).await?;
        let mut statement = Statement::new(&connection, sql.as_str());
        let _registration = Registration::enter(self, statement.id(), Arc::clone(&connection));
        if !with_rows {
            connection.doubt();
        }
        let mut answer = statement.run().await?;
        connection.watch(&answer);
        if !with_rows {
            return Ok(Rows { query_id: answer.query_id, ..Rows::default() });
        }
        if let Some(query_id) = result::left_out(&answer) {
            answer = statement.ask_again(query_id).await?;
        }
        result::rows(connection.transport(), answer, self.max_in_flight).await
    }

    /// Asks the account to give up every statement that is on its way, and waits up to five seconds for it to
    /// say so. To be called before the futures of those statements are dropped.
    pub async fn cancel_all(&self) {
        let in_flight =
            self.in_flight.lock().expect("internal error: no task panics while it holds the list").clone();
        let aborts = in_flight.iter().map(|(id, connection)| connection.abort(*id));
        // Whether it was in time changes nothing for the caller.
        let _ = tokio::time::timeout(COURTESY_TIMEOUT, join_all(aborts)).await;
    }

    /// Asks for a token that stands for this session in the image registry. The session then stays open when
    /// this value is closed, because the token would die with it.
    ///
    /// # Errors
    /// [`SessionError::Authentication`] where the account issues none; else as any request.
    pub async fn issue_token(&self) -> Result<IssuedToken, SessionError> {
        let tokens = self.primary.tokens();
        let answer = self.primary.exchange(&tokens, "ISSUE").await?.unwrap_or_default();
        let Some(token) = answer.session_token.filter(|token| !token.is_empty()) else {
            return Err(SessionError::Authentication {
                code: None,
                message: "the account issued no token for the image registry".to_owned(),
                help: "the account may issue such tokens only to clients it knows; see client_app_id"
                    .to_owned(),
            });
        };
        self.keep_open.store(true, Ordering::Relaxed);
        let valid_for = answer.validity_in_seconds.and_then(|seconds| u64::try_from(seconds).ok());
        Ok(IssuedToken { token: SecretString::from(token), valid_for: valid_for.map(Duration::from_secs) })
    }

    /// Every session that was opened.
    fn connections(&self) -> Vec<Arc<Connection>> {
        let others = self.others.lock().expect("internal error: no task panics while it holds the roles");
        let others = others.values().filter_map(|cell| cell.get().cloned());
        std::iter::once(Arc::clone(&self.primary)).chain(others).collect()
    }
}

impl Session for SnowflakeSession {
    fn identity(&self) -> &Identity {
        &self.identity
    }

    fn query<'a>(&'a self, sql: &'a Sql, role: Option<&'a Ident>) -> Answer<'a, Rows> {
        Box::pin(self.run(sql, role, true))
    }

    fn perform<'a>(&'a self, operation: &'a Operation, role: Option<&'a Ident>) -> Answer<'a, Performed> {
        Box::pin(async move {
            let Operation::Sql(sql) = operation;
            let Rows { query_id, .. } = self.run(sql, role, false).await?;
            Ok(Performed { query_id })
        })
    }

    /// Leaves the session open that is kept for the next command. Sends the requests that end the others and waits no longer than 50 ms for their answers; they go on
    /// in the background for as long as the runtime lives, up to five seconds.
    fn close<'a>(&'a self) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        Box::pin(async move {
            if self.keep_open.load(Ordering::Relaxed) {
                return;
            }
            let ending = self.connections().into_iter().filter(|connection| !connection.is_kept());
            let ends = ending.map(|connection| {
                tokio::spawn(async move { tokio::time::timeout(COURTESY_TIMEOUT, connection.end()).await })
            });
            // Failures are of no consequence: an open session ends by itself.
            let _ = tokio::time::timeout(CLOSE_WAIT, join_all(ends.collect::<Vec<_>>())).await;
        })
    }
}

/// Keeps a statement in the list of those on their way, for as long as it is.
struct Registration<'a> {
    session: &'a SnowflakeSession,
    statement: Uuid,
}

impl<'a> Registration<'a> {
    fn enter(session: &'a SnowflakeSession, statement: Uuid, connection: Arc<Connection>) -> Self {
        let mut in_flight =
            session.in_flight.lock().expect("internal error: no task panics while it holds the list");
        in_flight.insert(statement, connection);
        Self { session, statement }
    }
}

impl Drop for Registration<'_> {
    fn drop(&mut self) {
        // Not even an invariant that broke is worth a panic on the way out.
        if let Ok(mut in_flight) = self.session.in_flight.lock() {
            in_flight.remove(&self.statement);
        }
    }
}
