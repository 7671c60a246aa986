//! The account over the session protocol, on loopback: what `snow` and every Snowflake driver speak.
//!
//! And the account's image registry, on the same port, as docker, podman and skopeo use it: `registry`.
//!
//! Requests and answers are [`crate::wire`]'s types, the same that this program's own client uses. Which
//! endpoint is where is in [`router`].

mod answer;
mod executions;
mod login;
mod people;
mod query;
mod registry;
mod results;
mod sessions;
mod statement;
mod token;

use super::account::Account;
use super::sql::redact;
use answer::Reply;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{any, get, post};
use axum::serve::ListenerExt as _;
use executions::Executions;
use people::People;
use results::Chunks;
use sessions::Sessions;
use std::collections::VecDeque;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// The largest request body, in bytes, as it is sent.
const MAX_BODY: usize = 8 * 1024 * 1024;
/// How many requests are remembered for [`ServerHandle::requests`].
const MAX_LOGGED: usize = 10_000;

/// How an account is served.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// Where to listen; only a loopback address is accepted. Port 0 takes any free one.
    pub address: SocketAddr,
    /// How many rows of a result stand in the answer itself; further ones are fetched in chunks.
    pub inline_rows: usize,
    /// How long a session token is good, in seconds.
    pub session_seconds: u64,
    /// How long a master token, which renews session tokens, is good, in seconds.
    pub master_seconds: u64,
    /// How long a token for the registry is good, in seconds. Clients take less than a minute for a minute.
    pub registry_seconds: u64,
    /// Whether images can be deleted over the registry's own protocol. Snowflake's has no such thing.
    pub registry_deletes: bool,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            inline_rows: 1000,
            session_seconds: 60 * 60,
            master_seconds: 4 * 60 * 60,
            registry_seconds: 60 * 60,
            registry_deletes: false,
        }
    }
}

/// A request that was received. Holds no secret: literals of statements about users are hidden.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedRequest {
    /// The HTTP method.
    pub method: String,
    /// The path, without its query.
    pub path: String,
    /// The SQL text, of a statement.
    pub sql: Option<String>,
}

/// A served account. Dropping it stops the server.
pub struct ServerHandle {
    shared: Arc<Shared>,
    stop: watch::Sender<bool>,
    task: JoinHandle<io::Result<()>>,
}

impl ServerHandle {
    /// Where the server listens.
    pub fn address(&self) -> SocketAddr {
        self.shared.address
    }

    /// The requests received so far, oldest first; the oldest are forgotten beyond ten thousand.
    pub fn requests(&self) -> Vec<LoggedRequest> {
        lock(&self.shared.log).iter().cloned().collect()
    }

    /// Lets every session token expire now. Master tokens stay good, so clients can renew.
    pub fn expire_sessions(&self) {
        lock(&self.shared.sessions).expire_all();
    }

    /// Lets every token for the registry expire now; who has signed in can fetch a new one.
    pub fn expire_registry_tokens(&self) {
        lock(&self.shared.sessions).expire_for_registry();
    }

    /// Lets every OAuth access token that the account gave to people expire now; refresh tokens stay good.
    pub fn expire_access_tokens(&self) {
        lock(&self.shared.people).expire_access();
    }

    /// Asks the server to stop: no new connections, requests under way are answered.
    pub fn shutdown(&self) {
        self.stop.send_replace(true);
    }

    /// Waits until the server has stopped.
    pub async fn stopped(self) {
        let Self { task, stop, shared: _ } = self;
        match task.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the local server stopped"),
            Err(error) => tracing::warn!(%error, "the local server failed"),
        }
        drop(stop);
    }
}

/// What every request needs.
struct Shared {
    account: Account,
    config: ServerConfig,
    address: SocketAddr,
    sessions: Mutex<Sessions>,
    people: Mutex<People>,
    executions: Mutex<Executions>,
    chunks: Mutex<Chunks>,
    log: Mutex<VecDeque<LoggedRequest>>,
}

impl Shared {
    fn log(&self, method: &str, path: &str, sql: Option<&str>) {
        let mut log = lock(&self.log);
        if log.len() == MAX_LOGGED {
            log.pop_front();
        }
        let sql = sql.map(redact::without_secrets);
        log.push_back(LoggedRequest { method: method.to_owned(), path: path.to_owned(), sql });
    }
}

/// Locks, also after a panic elsewhere: what is behind these locks is sound between any two operations.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Serves the account until the handle says stop. An address that is not loopback is `InvalidInput`: the
/// server speaks plain HTTP.
pub async fn serve(account: Account, config: ServerConfig) -> io::Result<ServerHandle> {
    if !config.address.ip().is_loopback() {
        let message = format!("{} is not a loopback address", config.address.ip());
        return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
    }
    if let Ok(registry) = account.registry()
        && let Err(error) = registry.forget_abandoned()
    {
        tracing::warn!(%error, "uploads that nobody goes on with stay");
    }
    let listener = TcpListener::bind(config.address).await?;
    let address = listener.local_addr()?;
    let shared = Arc::new(Shared {
        account: account.with_registry_host(&address.to_string()),
        sessions: Mutex::new(Sessions::new(config.session_seconds, config.master_seconds)),
        config,
        address,
        people: Mutex::default(),
        executions: Mutex::default(),
        chunks: Mutex::default(),
        log: Mutex::default(),
    });
    let (stop, mut stopping) = watch::channel(false);
    let listener = listener.tap_io(|stream| {
        // An answer is often smaller than a packet and must not wait for the next one.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY was refused");
        }
    });
    let server = axum::serve(listener, router(Arc::clone(&shared))).with_graceful_shutdown(async move {
        // An error says that the handle was dropped, which means the same.
        let _ = stopping.wait_for(|stop| *stop).await;
    });
    let task = tokio::spawn(async move { server.await });
    Ok(ServerHandle { shared, stop, task })
}

/// The endpoints (gosnowflake `restful.go`).
fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/session/v1/login-request", post(login::login))
        .route("/session/authenticator-request", post(people::authenticator_request))
        .route("/console/login", get(people::console))
        .route("/sso", get(people::visit).post(people::enter))
        .route("/oauth/authorize", get(people::authorize))
        .route("/oauth/token-request", post(people::token_request))
        .route("/session/token-request", post(token::token_request))
        .route("/session/heartbeat", post(token::heartbeat))
        .route("/session", post(token::close))
        .route(query::PATH, post(query::query_request))
        .route("/queries/v1/abort-request", post(query::abort_request))
        .route("/queries/{id}/result", get(query::result))
        .route("/monitoring/queries/{id}", get(query::monitoring))
        .route("/chunks/{id}", get(query::chunk))
        .route("/telemetry/send", post(telemetry))
        .route("/telemetry/send/sessionless", post(telemetry))
        .route(registry::LOGIN_PATH, get(registry::login))
        .route("/v2/", any(registry::serve))
        .route("/v2/{*path}", any(registry::serve))
        .fallback(not_found)
        .layer(middleware::from_fn_with_state(Arc::clone(&shared), log_request))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(shared)
}

async fn log_request(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    // A statement is logged where its text is known; a chunk's address is its own key.
    if path.starts_with("/chunks/") {
        shared.log(request.method().as_str(), "/chunks", None);
    } else if path != query::PATH {
        shared.log(request.method().as_str(), path, None);
    }
    next.run(request).await
}

/// Clients send telemetry; it is accepted so that they do not complain, and thrown away.
async fn telemetry() -> Reply {
    Reply::success("Log received")
}

async fn not_found() -> Reply {
    let message = "The local account has no such endpoint.";
    Reply::failure("390404", message).with_status(StatusCode::NOT_FOUND)
}
