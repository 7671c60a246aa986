//! Waiting for a browser: the address on this machine that it comes back to, and the line that a person pastes where it
//! cannot.
//!
//! Source: snowflake-connector-python `auth/webbrowser.py`, `auth/_http_server.py`.

use super::desk::{Desk, Notice};
use crate::host;
use crate::session::SessionError;
use crate::snowflake::settings::Environment;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{Html, IntoResponse as _, Response};
use reqwest::Url;
use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};

/// How long to wait for a person where the connection does not say (snowflake-connector-python `connection.py`).
pub(super) const PATIENCE: Duration = Duration::from_secs(120);
/// How long the browser's page may take to be delivered once everything is known.
const PARTING: Duration = Duration::from_millis(500);

const PAGE: &str = "<!DOCTYPE html><html><head><meta charset=\"UTF-8\"><link rel=\"icon\" href=\"data:,\">\
                    <title>snowform</title></head><body><p>snowform has its answer. You can close this window and go \
                    back to where you came from.</p></body></html>";

/// What a browser brings: the parameters of the address that it was sent to.
pub(super) type Parameters = BTreeMap<String, String>;

/// What to wait for.
pub(super) struct Visit<'a> {
    /// Where the person signs in.
    pub(super) url: &'a Url,
    /// The parameters of which one must be there, so that the browser's other requests are told from the answer.
    pub(super) wanted: &'static [&'static str],
    /// The page that may send its answer by a script, where one may.
    pub(super) origin: Option<String>,
    pub(super) patience: Duration,
}

/// An address on this machine that a browser can be sent to.
pub(super) struct Landing {
    listener: TcpListener,
    port: u16,
}

struct Shared {
    wanted: &'static [&'static str],
    origin: Option<String>,
    sender: mpsc::Sender<Parameters>,
}

impl Landing {
    /// Listens; on any port where none is asked for.
    pub(super) async fn new(environment: &Environment, port: u16) -> Result<Self, SessionError> {
        let asked = environment.get("SF_AUTH_SOCKET_PORT").and_then(|port| port.parse().ok());
        let port = if port == 0 { asked.unwrap_or(0) } else { port };
        let bound = match environment.get("SF_AUTH_SOCKET_ADDR") {
            Some(name) => TcpListener::bind((name, port)).await,
            None => TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await,
        };
        let with_port = |listener: TcpListener| Ok((listener.local_addr()?.port(), listener));
        let (port, listener) = bound.and_then(with_port).map_err(|error| cannot_listen(port, &error))?;
        Ok(Self { listener, port })
    }

    /// The port that the browser is sent to.
    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Sends the person to an address and waits for what the browser brings back.
    pub(super) async fn visit(
        self,
        visit: Visit<'_>,
        environment: &Environment,
        desk: &Desk,
    ) -> Result<Parameters, SessionError> {
        let Visit { url, wanted, origin, patience } = visit;
        let (sender, mut receiver) = mpsc::channel(1);
        let (stop, mut stopping) = watch::channel(false);
        let router = Router::new().fallback(land).with_state(Arc::new(Shared { wanted, origin, sender }));
        let serving = axum::serve(self.listener, router).with_graceful_shutdown(async move {
            let _ = stopping.wait_for(|stop| *stop).await;
        });
        let serving = tokio::spawn(async move { serving.await });
        let opened = host::browser::open(url.as_str(), environment.variables());
        desk.person.tell(Notice::Browser { url: url.as_str(), opened });
        let answer = tokio::select! {
            answer = receiver.recv() => answer,
            pasted = pasted(wanted, desk) => Some(pasted),
            () = tokio::time::sleep(patience) => None,
        };
        stop.send_replace(true);
        let _ = tokio::time::timeout(PARTING, serving).await;
        answer.ok_or_else(|| SessionError::Authentication {
            code: None,
            message: format!("nobody signed in with a browser within {} seconds", patience.as_secs()),
            help: "open the address that was shown in a browser on this machine, or paste the address it leads to; \
                   external_browser_timeout of the connection waits longer"
                .to_owned(),
        })
    }
}

fn cannot_listen(port: u16, error: &io::Error) -> SessionError {
    SessionError::Authentication {
        code: None,
        message: format!(
            "the browser has no way back: port {port} of this machine cannot be listened on: {error}"
        ),
        help: "the port is that of oauth_redirect_uri or of SF_AUTH_SOCKET_PORT; free it, or name another"
            .to_owned(),
    }
}

/// The address that a person pastes, which the browser was sent to on another machine. Never ends where nobody can.
async fn pasted(wanted: &'static [&'static str], desk: &Desk) -> Parameters {
    /// Lets the thread that waits for a line go.
    struct GiveUp(Arc<AtomicBool>);
    impl Drop for GiveUp {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
    let given_up = GiveUp(Arc::default());
    loop {
        let flag = Arc::clone(&given_up.0);
        let line = tokio::task::spawn_blocking(move || host::terminal::typed_line(&flag)).await;
        let Ok(Some(line)) = line else { return std::future::pending().await };
        let query = line.trim().split_once('?').map(|(_, query)| query.to_owned()).unwrap_or_default();
        let found = decoded(&query);
        if wanted.iter().any(|name| found.contains_key(*name)) {
            return found;
        }
        desk.person.tell(Notice::OtherAddress);
    }
}

fn decoded(query: &str) -> Parameters {
    let mut url = Url::parse("form:/").expect("internal error: the address is well-formed");
    url.set_query(Some(query));
    url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}

/// Every request of the browser.
async fn land(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let query = parts.uri.query().unwrap_or_default().to_owned();
    match parts.method {
        Method::OPTIONS => preflight(&shared, &parts.headers),
        Method::GET => shared.accept(decoded(&query), &parts.headers).await,
        Method::POST => {
            let body = axum::body::to_bytes(body, 1024 * 1024).await.unwrap_or_default();
            shared.accept(posted(&body), &parts.headers).await
        }
        _ => StatusCode::METHOD_NOT_ALLOWED.into_response(),
    }
}

/// A form, or the JSON that Snowflake's own page sends.
fn posted(body: &Bytes) -> Parameters {
    let json = serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(body);
    match json {
        Ok(members) => {
            let text = |value: serde_json::Value| match value {
                serde_json::Value::String(text) => text,
                other => other.to_string(),
            };
            members.into_iter().map(|(name, value)| (name, text(value))).collect()
        }
        Err(_) => decoded(&String::from_utf8_lossy(body)),
    }
}

/// Lets a script of the page where the person signs in send the answer, and nobody else's.
fn preflight(shared: &Shared, headers: &HeaderMap) -> Response {
    let Some(origin) = shared.origin_of(headers) else { return StatusCode::FORBIDDEN.into_response() };
    let wanted = headers.get(header::ACCESS_CONTROL_REQUEST_HEADERS).cloned();
    let answer = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("POST, GET")),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, wanted.unwrap_or(HeaderValue::from_static(""))),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, origin),
    ];
    (StatusCode::OK, answer).into_response()
}

impl Shared {
    /// The origin of a request by a script, where it is the one that may.
    fn origin_of(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        let origin = headers.get(header::ORIGIN)?;
        (origin.to_str().ok() == self.origin.as_deref()).then(|| origin.clone())
    }

    async fn accept(&self, found: Parameters, headers: &HeaderMap) -> Response {
        // A browser asks for more than it was sent to: an icon, for one.
        if !self.wanted.iter().any(|name| found.contains_key(*name)) {
            return StatusCode::NOT_FOUND.into_response();
        }
        let by_script = headers.contains_key(header::ORIGIN) && self.origin.is_some();
        let origin = self.origin_of(headers);
        if by_script && origin.is_none() {
            return StatusCode::FORBIDDEN.into_response();
        }
        // One answer is waited for; a second one changes nothing.
        let _ = self.sender.try_send(found);
        match origin {
            Some(origin) => {
                let allowed = [(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin)];
                (allowed, axum::Json(serde_json::json!({"consent": true}))).into_response()
            }
            None => Html(PAGE).into_response(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_page_sends_is_a_form_or_json() {
        let expected = Parameters::from([
            ("consent".to_owned(), "false".to_owned()),
            ("token".to_owned(), "a+b".to_owned()),
        ]);
        assert_eq!(posted(&Bytes::from_static(b"{\"token\": \"a+b\", \"consent\": false}")), expected);
        assert_eq!(posted(&Bytes::from_static(b"token=a%2Bb&consent=false")), expected);
    }
}
