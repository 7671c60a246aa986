//! A proxy that stands between a real client and a real server and makes things go wrong, by rule: answers that
//! are lost, statements that take long, servers that are busy.
#![expect(clippy::unwrap_used, reason = "a proxy that cannot start or panicked is a test that fails")]

use super::scripted::{QUERY, Request, read_request};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};

/// What goes wrong.
#[derive(Clone)]
pub(crate) enum Fault {
    /// The request does not reach the server; this status answers.
    Busy(u16),
    /// The request does not reach the server; the connection closes.
    HangUp,
    /// The server does what it is asked, and its answer is lost.
    LoseAnswer,
    /// The same, and the server will not recognise the second try.
    LoseAnswerAndMemory,
    /// The server does what it is asked; the client is told to ask for the result this many times.
    Detach(usize),
    /// Something happens before the request is passed on.
    First(Arc<dyn Fn() + Send + Sync>),
}

/// A fault for the next request whose statement holds these words.
pub(crate) struct Rule {
    pub(crate) sql: &'static str,
    pub(crate) fault: Fault,
}

pub(crate) struct Proxy {
    pub(crate) port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    upstream: SocketAddr,
    client: reqwest::Client,
    pause: Duration,
    rules: Mutex<Vec<Rule>>,
    seen: Mutex<Vec<Request>>,
    in_flight: AtomicUsize,
    most_in_flight: AtomicUsize,
    /// Results that the client has to ask for: how often still in vain, and the answer.
    detached: Mutex<BTreeMap<String, (usize, Answer)>>,
}

#[derive(Clone)]
struct Answer {
    status: u16,
    body: Vec<u8>,
}

impl Proxy {
    /// A proxy before `upstream` that holds every statement for `pause`.
    pub(crate) async fn start(upstream: SocketAddr, pause: Duration, rules: Vec<Rule>) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            upstream,
            client: reqwest::Client::builder().no_proxy().build().unwrap(),
            pause,
            rules: Mutex::new(rules),
            seen: Mutex::default(),
            in_flight: AtomicUsize::new(0),
            most_in_flight: AtomicUsize::new(0),
            detached: Mutex::default(),
        });
        let accepting = Arc::clone(&shared);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&accepting)));
            }
        });
        Self { port, shared }
    }

    /// The requests so far.
    pub(crate) fn seen(&self) -> Vec<Request> {
        self.shared.seen.lock().unwrap().clone()
    }

    /// The most statements that were under way at once.
    pub(crate) fn most_in_flight(&self) -> usize {
        self.shared.most_in_flight.load(Ordering::SeqCst)
    }

    /// Asserts that everything that was to go wrong did.
    pub(crate) fn assert_finished(&self) {
        let left: Vec<_> = self.shared.rules.lock().unwrap().iter().map(|rule| rule.sql).collect();
        assert!(left.is_empty(), "nothing went wrong with {left:?}");
    }
}

async fn serve(mut stream: TcpStream, shared: Arc<Shared>) {
    let mut buffer = Vec::new();
    while let Ok(Some(request)) = read_request(&mut stream, &mut buffer).await {
        shared.seen.lock().unwrap().push(request.clone());
        let Some(Answer { status, body }) = shared.answer(request).await else { return };
        let head = format!(
            "HTTP/1.1 {status} Proxied\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        if stream.write_all(head.as_bytes()).await.is_err() || stream.write_all(&body).await.is_err() {
            return;
        }
    }
}

impl Shared {
    fn fault(&self, request: &Request) -> Option<Fault> {
        let sql = request.body["sqlText"].as_str()?;
        let mut rules = self.rules.lock().unwrap();
        let at = rules.iter().position(|rule| sql.contains(rule.sql))?;
        Some(rules.remove(at).fault)
    }

    async fn answer(&self, request: Request) -> Option<Answer> {
        if let Some(answer) = self.held(&request) {
            return Some(answer);
        }
        let counted = request.path == QUERY;
        if counted {
            let now = self.in_flight.fetch_add(1, Ordering::SeqCst) + 1;
            self.most_in_flight.fetch_max(now, Ordering::SeqCst);
            tokio::time::sleep(self.pause).await;
        }
        let answer = self.act(request).await;
        if counted {
            self.in_flight.fetch_sub(1, Ordering::SeqCst);
        }
        answer
    }

    async fn act(&self, mut request: Request) -> Option<Answer> {
        match self.fault(&request) {
            None => Some(self.forward(&request).await),
            Some(Fault::Busy(status)) => Some(Answer { status, body: b"busy".to_vec() }),
            Some(Fault::HangUp) => None,
            Some(Fault::LoseAnswer) => {
                self.forward(&request).await;
                None
            }
            Some(Fault::LoseAnswerAndMemory) => {
                request.query.insert("requestId".to_owned(), uuid::Uuid::new_v4().to_string());
                self.forward(&request).await;
                None
            }
            Some(Fault::Detach(polls)) => Some(self.detach(&request, polls).await),
            Some(Fault::First(happens)) => {
                happens();
                Some(self.forward(&request).await)
            }
        }
    }

    async fn forward(&self, request: &Request) -> Answer {
        let method = request.method.parse().unwrap();
        let url = format!("http://{}{}", self.upstream, request.path);
        let mut sent = self.client.request(method, url).query(&request.query);
        for (name, value) in &request.headers {
            if !matches!(name.as_str(), "host" | "content-length" | "accept-encoding" | "connection") {
                sent = sent.header(name, value);
            }
        }
        if request.body != Value::Null {
            sent = sent.body(request.body.to_string());
        }
        let answer = sent.send().await.unwrap();
        Answer { status: answer.status().as_u16(), body: answer.bytes().await.unwrap().to_vec() }
    }

    async fn detach(&self, request: &Request, polls: usize) -> Answer {
        let answer = self.forward(request).await;
        let path = format!("/queries/{}/result", uuid::Uuid::new_v4());
        self.detached.lock().unwrap().insert(path.clone(), (polls, answer));
        in_progress(&path)
    }

    fn held(&self, request: &Request) -> Option<Answer> {
        let mut detached = self.detached.lock().unwrap();
        let (polls, answer) = detached.get_mut(&request.path)?;
        if *polls <= 1 {
            return Some(answer.clone());
        }
        *polls -= 1;
        Some(in_progress(&request.path))
    }
}

fn in_progress(path: &str) -> Answer {
    let body = json!({"code": "333334", "message": "running", "success": true, "data": {
        "getResultUrl": path, "progressDesc": null, "queryAbortsAfterSecs": 300, "queryId": "01-detached"}});
    Answer { status: 200, body: body.to_string().into_bytes() }
}
