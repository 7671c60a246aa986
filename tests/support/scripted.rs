//! A server that follows a script: it reads HTTP/1.1 requests from raw sockets, keeps them for the test to
//! look at (forms as JSON), and answers each from a list, or hangs up on it.
//!
//! Logins and the end of sessions are answered by themselves, unless the script has an answer for their path.
#![expect(clippy::unwrap_used, reason = "a server that cannot start or panicked is a test that fails")]

use serde_json::{Value, json};
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

pub(crate) const LOGIN: &str = "/session/v1/login-request";
pub(crate) const QUERY: &str = "/queries/v1/query-request";
pub(crate) const TOKEN: &str = "/session/token-request";
pub(crate) const ABORT: &str = "/queries/v1/abort-request";
pub(crate) const CLOSE: &str = "/session";

/// One request as it came in.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: BTreeMap<String, String>,
    /// By lower-case name.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Value,
}

/// What the server does with a request.
#[derive(Clone)]
pub(crate) enum Reply {
    /// Answers with status, headers and body.
    Send { status: u16, headers: Vec<(String, String)>, body: Vec<u8> },
    /// Hangs up without an answer.
    HangUp,
    /// Sends the beginning of an answer that promises more, and hangs up.
    BreakOff,
    /// Waits before it does something else.
    Late(Duration, Box<Self>),
}

impl Reply {
    pub(crate) fn json(body: Value) -> Self {
        Self::status(200, body)
    }

    pub(crate) fn status(status: u16, body: Value) -> Self {
        Self::raw(status, "application/json", body.to_string())
    }

    pub(crate) fn raw(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let headers = vec![("content-type".to_owned(), content_type.to_owned())];
        Self::Send { status, headers, body: body.into() }
    }

    pub(crate) fn with_header(self, name: &str, value: &str) -> Self {
        match self {
            Self::Send { status, mut headers, body } => {
                headers.push((name.to_owned(), value.to_owned()));
                Self::Send { status, headers, body }
            }
            other => other,
        }
    }

    /// An answer with rows of one text column `name`.
    pub(crate) fn names(names: &[&str]) -> Self {
        let rows: Vec<_> = names.iter().map(|name| json!([name])).collect();
        Self::json(json!({"data": {"rowtype": [{"name": "name", "type": "text"}], "rowset": rows,
            "total": rows.len(), "returned": rows.len(), "queryId": "01-q", "queryResultFormat": "json"},
            "code": null, "message": null, "success": true}))
    }

    /// A refusal in HTTP 200, as accounts send them.
    pub(crate) fn refusal(code: &str, message: &str) -> Self {
        Self::json(json!({"data": null, "code": code, "message": message, "success": false, "headers": null}))
    }

    /// A login's answer with these tokens.
    pub(crate) fn login(session: &str, master: &str) -> Self {
        Self::json(json!({"data": {"token": session, "masterToken": master, "validityInSeconds": 3600,
            "masterValidityInSeconds": 14400, "displayUserName": "DEPLOY_USER", "sessionId": 1172562260498_i64,
            "parameters": [{"name": "TIMEZONE", "value": "UTC"}, {"name": "X", "value": 4}],
            "sessionInfo": {"databaseName": "DB", "schemaName": "PUBLIC", "warehouseName": null, "roleName": "DEPLOYER"}},
            "code": null, "message": null, "success": true}))
    }

    pub(crate) fn renewed(session: &str, master: &str) -> Self {
        Self::json(
            json!({"data": {"sessionToken": session, "validityInSecondsST": 3600, "masterToken": master,
            "validityInSecondsMT": 14400, "sessionId": 1172562260498_i64}, "success": true}),
        )
    }
}

/// A running server; it stops when it is dropped with its runtime.
pub(crate) struct Scripted {
    pub(crate) port: u16,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    script: Mutex<BTreeMap<String, VecDeque<Reply>>>,
    seen: Mutex<Vec<Request>>,
}

impl Scripted {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&shared)));
            }
        });
        Self { port, state }
    }

    /// Adds answers for requests to a path, in order.
    pub(crate) fn on(&self, path: &str, replies: impl IntoIterator<Item = Reply>) -> &Self {
        self.state.script.lock().unwrap().entry(path.to_owned()).or_default().extend(replies);
        self
    }

    /// An address on this server.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// The requests to a path so far.
    pub(crate) fn seen(&self, path: &str) -> Vec<Request> {
        self.all().into_iter().filter(|request| request.path == path).collect()
    }

    /// All requests so far.
    pub(crate) fn all(&self) -> Vec<Request> {
        self.state.seen.lock().unwrap().clone()
    }

    /// Asserts that every answer of the script was asked for.
    pub(crate) fn assert_finished(&self) {
        let script = self.state.script.lock().unwrap();
        let left: Vec<_> =
            script.iter().filter(|(_, replies)| !replies.is_empty()).map(|(path, _)| path).collect();
        assert!(left.is_empty(), "nobody asked for the rest of {left:?}");
    }
}

impl State {
    fn reply(&self, request: &Request) -> Reply {
        let next = self.script.lock().unwrap().get_mut(&request.path).and_then(VecDeque::pop_front);
        next.unwrap_or_else(|| match request.path.as_str() {
            LOGIN => Reply::login("SESSION-1", "MASTER-1"),
            CLOSE | ABORT => {
                Reply::json(json!({"data": null, "code": null, "message": null, "success": true}))
            }
            path => Reply::raw(404, "text/plain", format!("the script has no answer for {path}")),
        })
    }
}

async fn serve(mut stream: TcpStream, state: Arc<State>) {
    let mut buffer = Vec::new();
    while let Ok(Some(request)) = read_request(&mut stream, &mut buffer).await {
        let reply = {
            state.seen.lock().unwrap().push(request.clone());
            state.reply(&request)
        };
        if !matches!(act(&mut stream, reply).await, Ok(true)) {
            return;
        }
    }
}

/// Does what the script says; yields whether the connection stays.
async fn act(stream: &mut TcpStream, reply: Reply) -> io::Result<bool> {
    let mut reply = reply;
    while let Reply::Late(pause, then) = reply {
        tokio::time::sleep(pause).await;
        reply = *then;
    }
    match reply {
        Reply::Send { status, headers, body } => {
            let headers: String =
                headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
            let length = body.len();
            let head = format!("HTTP/1.1 {status} Scripted\r\ncontent-length: {length}\r\n{headers}\r\n");
            stream.write_all(head.as_bytes()).await?;
            stream.write_all(&body).await?;
            Ok(true)
        }
        Reply::BreakOff => {
            let head =
                "HTTP/1.1 200 Scripted\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n";
            stream.write_all(head.as_bytes()).await?;
            stream.write_all(b"{\"data\": {").await?;
            Ok(false)
        }
        Reply::HangUp | Reply::Late(..) => Ok(false),
    }
}

/// Reads one request; nothing where the client is done.
pub(crate) async fn read_request(
    stream: &mut TcpStream,
    buffer: &mut Vec<u8>,
) -> io::Result<Option<Request>> {
    let end = loop {
        if let Some(at) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            break at;
        }
        if stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    };
    let head = String::from_utf8_lossy(&buffer[..end]).into_owned();
    buffer.drain(..end + 4);
    let mut lines = head.split("\r\n");
    let mut first = lines.next().unwrap_or_default().split(' ');
    let method = first.next().unwrap_or_default().to_owned();
    let target = first.next().unwrap_or_default().to_owned();
    let headers: BTreeMap<String, String> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length: usize = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    while buffer.len() < length {
        if stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    }
    let body: Vec<u8> = buffer.drain(..length).collect();
    let url = reqwest::Url::parse(&format!("http://scripted{target}")).map_err(io::Error::other)?;
    let query = url.query_pairs().into_owned().collect();
    let is_form = headers.get("content-type").is_some_and(|kind| kind.starts_with("application/x-www-form"));
    let body = if is_form {
        let form = reqwest::Url::parse(&format!("form:?{}", String::from_utf8_lossy(&body)));
        form.map_err(io::Error::other)?.query_pairs().map(|(name, value)| (name, json!(value))).collect()
    } else {
        serde_json::from_slice(&body).unwrap_or(Value::Null)
    };
    Ok(Some(Request { method, path: url.path().to_owned(), query, headers, body }))
}
