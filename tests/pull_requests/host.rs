//! A server that behaves as the interfaces of GitHub, GitLab and Azure do where comments of a request are concerned: pages,
//! authors, rights. It keeps every request for the test to count, and fails as its script says.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State as Extracted;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

/// A comment on the host.
#[derive(Clone, Debug)]
pub(crate) struct Comment {
    pub(crate) id: u64,
    pub(crate) author: &'static str,
    pub(crate) body: String,
}

/// An answer that is not the usual one.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    /// The method of the request that it answers.
    pub(crate) method: Method,
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    /// Whether the host does what was asked for all the same.
    pub(crate) carried_out: bool,
}

#[derive(Default)]
pub(crate) struct State {
    pub(crate) comments: Vec<Comment>,
    /// `METHOD /path?query`.
    pub(crate) log: Vec<String>,
    pub(crate) failures: VecDeque<Failure>,
    /// Whether the token may only read.
    pub(crate) read_only: bool,
    /// What the requests carried.
    pub(crate) bodies: Vec<Value>,
    /// Every header that could carry a token.
    pub(crate) tokens: Vec<String>,
}

/// A running host.
pub(crate) struct FakeHost {
    pub(crate) url: String,
    pub(crate) state: Arc<Mutex<State>>,
}

/// How the hosts name the owner of our token.
const ME: &str = "github-actions[bot]";
/// Comments of a page on Azure, which chooses by itself.
const AZURE_PAGE: usize = 50;

impl FakeHost {
    pub(crate) async fn start() -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let router = Router::new().fallback(answer).with_state(Arc::clone(&state));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, state }
    }

    pub(crate) fn add(&self, author: &'static str, body: &str) {
        let mut state = self.state.lock().unwrap();
        let id = state.comments.len() as u64 + 1;
        state.comments.push(Comment { id, author, body: body.to_owned() });
    }

    pub(crate) fn fail(&self, method: Method, status: u16, headers: &[(&'static str, &str)]) {
        let headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        let failure = Failure { method, status, headers, carried_out: false };
        self.state.lock().unwrap().failures.push_back(failure);
    }

    pub(crate) fn comments(&self) -> Vec<Comment> {
        self.state.lock().unwrap().comments.clone()
    }

    pub(crate) fn ours(&self) -> Vec<Comment> {
        self.comments().into_iter().filter(|comment| comment.author == ME).collect()
    }

    /// The methods of the requests so far, in order, and forgets them.
    pub(crate) fn methods(&self) -> Vec<String> {
        let log = std::mem::take(&mut self.state.lock().unwrap().log);
        log.into_iter().map(|line| line.split(' ').next().unwrap().to_owned()).collect()
    }
}

type Shared = Extracted<Arc<Mutex<State>>>;

async fn answer(state: Shared, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let mut state = state.0.lock().unwrap();
    state.log.push(format!("{method} {uri}"));
    state.bodies.push(serde_json::from_slice(&body).unwrap_or(Value::Null));
    let token = ["authorization", "private-token"].iter().find_map(|name| headers.get(*name));
    state.tokens.extend(token.map(|token| token.to_str().unwrap().to_owned()));
    if state.failures.front().is_some_and(|failure| failure.method == method) {
        let failure = state.failures.pop_front().unwrap();
        if failure.carried_out {
            let _ = usual(&mut state, &method, &uri, &body);
        }
        let mut response = says(failure.status, json!({ "message": "the script says so" }));
        for (name, value) in failure.headers {
            response.headers_mut().insert(name, value.parse().unwrap());
        }
        return response;
    }
    if state.read_only && method != Method::GET {
        return says(403, json!({ "message": "Resource not accessible by integration" }));
    }
    usual(&mut state, &method, &uri, &body)
}

fn says(status: u16, body: Value) -> Response {
    (StatusCode::from_u16(status).unwrap(), body.to_string()).into_response()
}

fn usual(state: &mut State, method: &Method, uri: &Uri, body: &Bytes) -> Response {
    let body: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
    let query = |name: &str| {
        let pairs = uri.query().unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
        pairs.filter(|(key, _)| *key == name).map(|(_, value)| value.to_owned()).next()
    };
    let parts: Vec<&str> = uri.path().trim_matches('/').split('/').collect();
    let page = query("page").and_then(|page| page.parse().ok()).unwrap_or(1_usize);
    let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    match (method.as_str(), parts.as_slice()) {
        ("GET", ["user"]) => says(403, json!({ "message": "Resource not accessible by integration" })),
        ("POST", ["graphql"]) => says(200, json!({ "data": { "viewer": { "login": ME } } })),
        ("GET", ["repos", _, _, "issues", _, "comments"]) => {
            let comments = state.comments.iter().skip((page - 1) * 100).take(100);
            says(200, comments.map(github).collect())
        }
        ("POST", ["repos", _, _, "issues", _, "comments"]) => {
            let comment = create(state, text("body"));
            says(201, github(&comment))
        }
        ("PATCH", ["repos", _, _, "issues", "comments", id]) => update(state, id, text("body")),
        ("GET", ["api", "v4", "user"]) => says(200, json!({ "id": 900 })),
        ("GET", ["api", "v4", "projects", _, "merge_requests", _, "notes"]) => {
            let comments: Vec<Value> =
                state.comments.iter().skip((page - 1) * 100).take(100).map(gitlab).collect();
            let next = if page * 100 < state.comments.len() { (page + 1).to_string() } else { String::new() };
            let mut response = says(200, comments.into());
            response.headers_mut().insert("x-next-page", next.parse().unwrap());
            response
        }
        ("POST", ["api", "v4", "projects", _, "merge_requests", _, "notes"]) => {
            let comment = create(state, text("body"));
            says(201, gitlab(&comment))
        }
        ("PUT", ["api", "v4", "projects", _, "merge_requests", _, "notes", id]) => {
            update(state, id, text("body"))
        }
        ("GET", [_, "_apis", "connectionData"]) => says(200, json!({ "authenticatedUser": { "id": ME } })),
        ("GET", [_, _, "_apis", "git", "repositories", _, "pullRequests", _, "threads"]) => {
            let from = query("continuationToken").and_then(|at| at.parse().ok()).unwrap_or(0_usize);
            let threads: Vec<Value> = state.comments.iter().skip(from).take(AZURE_PAGE).map(azure).collect();
            let mut response = says(200, json!({ "value": threads }));
            if from + AZURE_PAGE < state.comments.len() {
                let next = (from + AZURE_PAGE).to_string();
                response.headers_mut().insert("x-ms-continuationtoken", next.parse().unwrap());
            }
            response
        }
        ("POST", [_, _, "_apis", "git", "repositories", _, "pullRequests", _, "threads"]) => {
            let comment = create(state, body["comments"][0]["content"].as_str().unwrap().to_owned());
            says(200, azure(&comment))
        }
        (
            "PATCH",
            [_, _, "_apis", "git", "repositories", _, "pullRequests", _, "threads", id, "comments", "1"],
        ) => update(state, id, text("content")),
        (_, path) => says(404, json!({ "message": format!("nothing at {path:?}") })),
    }
}

fn create(state: &mut State, body: String) -> Comment {
    assert!(body.chars().count() <= 65_536, "GitHub takes no longer comments");
    let comment = Comment { id: state.comments.len() as u64 + 1, author: ME, body };
    state.comments.push(comment.clone());
    comment
}

fn update(state: &mut State, id: &str, body: String) -> Response {
    let comment = state.comments.iter_mut().find(|comment| comment.id.to_string() == id);
    match comment.filter(|comment| comment.author == ME) {
        Some(comment) => {
            comment.body = body;
            says(200, json!({}))
        }
        None => says(403, json!({ "message": "somebody else's" })),
    }
}

fn github(comment: &Comment) -> Value {
    let url = format!("https://github.example/o/r/pull/7#issuecomment-{}", comment.id);
    json!({ "id": comment.id, "user": { "login": comment.author }, "body": comment.body, "html_url": url })
}

fn gitlab(comment: &Comment) -> Value {
    let author = if comment.author == ME { 900 } else { 1 };
    let system = comment.author == "system";
    json!({ "id": comment.id, "author": { "id": author }, "body": comment.body, "system": system })
}

fn azure(comment: &Comment) -> Value {
    json!({ "id": comment.id, "isDeleted": false,
        "comments": [{ "id": 1, "author": { "id": comment.author }, "content": comment.body }] })
}
