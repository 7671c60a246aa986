//! An editor, as far as a language server can tell: the real binary on its standard streams, requests with their answers,
//! and what the server says by itself.
#![expect(clippy::unwrap_used, reason = "an unwrap that fails is a test that fails")]

use lsp_server::{Message, Notification, Request, RequestId, Response};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::BufReader;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

/// Far longer than anything takes; a server that says nothing fails the test.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Editor {
    child: Child,
    input: Option<ChildStdin>,
    messages: Receiver<Message>,
    next_id: i32,
    /// The diagnostics that were published last, by address: version and list.
    pub(crate) published: BTreeMap<String, (Option<i64>, Vec<Value>)>,
    /// What the server asked of the editor.
    pub(crate) asked: Vec<Request>,
}

/// What the editor of a test can do. Columns are bytes.
pub(crate) fn capabilities() -> Value {
    json!({
        "general": { "positionEncodings": ["utf-8", "utf-16"] },
        "textDocument": {
            "publishDiagnostics": { "relatedInformation": true },
            "completion": { "completionItem": { "snippetSupport": true } },
            "documentSymbol": { "hierarchicalDocumentSymbolSupport": true },
        },
        "workspace": {
            "workspaceEdit": { "documentChanges": true },
            "didChangeWatchedFiles": { "dynamicRegistration": true },
        },
    })
}

impl Editor {
    /// Starts the server with the project's usual editor.
    pub(crate) fn start() -> Self {
        Self::start_with(&capabilities(), &[], &BTreeMap::new())
    }

    /// Starts the server with arguments, and with nothing in its environment but this.
    pub(crate) fn start_with(
        capabilities: &Value,
        arguments: &[String],
        environment: &BTreeMap<String, String>,
    ) -> Self {
        let mut editor = Self::without_greeting(arguments, environment);
        let params = json!({ "processId": null, "rootUri": null, "capabilities": capabilities });
        editor.result("initialize", params);
        editor.notify("initialized", json!({}));
        editor
    }

    /// Starts the server and says nothing to it.
    pub(crate) fn without_greeting(arguments: &[String], environment: &BTreeMap<String, String>) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_snowform"))
            .arg("lsp")
            .args(arguments)
            .env_clear()
            .envs(environment)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (input, output) = (child.stdin.take(), child.stdout.take().unwrap());
        let (sender, messages) = mpsc::channel();
        std::thread::spawn(move || {
            let mut output = BufReader::new(output);
            while let Ok(Some(message)) = Message::read(&mut output) {
                if sender.send(message).is_err() {
                    break;
                }
            }
        });
        Self { child, input, messages, next_id: 0, published: BTreeMap::new(), asked: Vec::new() }
    }

    fn send(&mut self, message: impl Into<Message>) {
        message.into().write(self.input.as_mut().unwrap()).unwrap();
    }

    pub(crate) fn notify(&mut self, method: &str, params: Value) {
        self.send(Notification::new(method.to_owned(), params));
    }

    /// Sends a request and does not wait.
    pub(crate) fn request(&mut self, method: &str, params: Value) -> RequestId {
        self.next_id += 1;
        let id = RequestId::from(self.next_id);
        self.send(Request::new(id.clone(), method.to_owned(), params));
        id
    }

    /// The next response; what else comes is kept or answered.
    fn response(&mut self) -> Response {
        loop {
            if let Some(response) = self.receive() {
                return response;
            }
        }
    }

    /// The answer to a request that was sent.
    pub(crate) fn answer(&mut self, id: &RequestId) -> Result<Value, (i32, String)> {
        let response = self.response();
        assert_eq!(response.id, *id, "answers come in the order of the requests");
        response.response_result.map_err(|error| (error.code, error.message))
    }

    /// Sends a request and waits for its answer.
    pub(crate) fn ask(&mut self, method: &str, params: Value) -> Result<Value, (i32, String)> {
        let id = self.request(method, params);
        self.answer(&id)
    }

    /// The same where the answer is no error.
    pub(crate) fn result(&mut self, method: &str, params: Value) -> Value {
        self.ask(method, params).unwrap_or_else(|error| panic!("{method}: {error:?}"))
    }

    /// Takes one message; gives a response back.
    fn receive(&mut self) -> Option<Response> {
        match self.messages.recv_timeout(PATIENCE).expect("the server says something") {
            Message::Response(response) => return Some(response),
            Message::Request(request) => {
                self.send(Response::new_ok(request.id.clone(), Value::Null));
                self.asked.push(request);
            }
            Message::Notification(notification) => {
                assert_eq!(notification.method, "textDocument/publishDiagnostics");
                let params = notification.params;
                let list = params["diagnostics"].as_array().unwrap().clone();
                let uri = params["uri"].as_str().unwrap().to_owned();
                self.published.insert(uri, (params["version"].as_i64(), list));
            }
        }
        None
    }

    /// Waits until something was published or asked for that makes this true.
    pub(crate) fn wait_until(&mut self, is_true: impl Fn(&Self) -> bool) {
        while !is_true(self) {
            assert!(self.receive().is_none(), "nobody asked");
        }
    }

    /// The diagnostics of a version of a document, once they are published.
    pub(crate) fn diagnostics(&mut self, uri: &str, version: i64) -> Vec<Value> {
        self.wait_until(|editor| editor.published.get(uri).is_some_and(|(told, _)| *told == Some(version)));
        self.published[uri].1.clone()
    }

    pub(crate) fn open(&mut self, uri: &str, text: &str) {
        let document = json!({ "uri": uri, "languageId": "yaml", "version": 1, "text": text });
        self.notify("textDocument/didOpen", json!({ "textDocument": document }));
    }

    /// Replaces the whole text.
    pub(crate) fn change(&mut self, uri: &str, version: i64, text: &str) {
        let document = json!({ "uri": uri, "version": version });
        let params = json!({ "textDocument": document, "contentChanges": [{ "text": text }] });
        self.notify("textDocument/didChange", params);
    }

    pub(crate) fn close(&mut self, uri: &str) {
        self.notify("textDocument/didClose", json!({ "textDocument": { "uri": uri } }));
    }

    /// Ends the conversation in order, and the process with it.
    pub(crate) fn goodbye(mut self) {
        self.result("shutdown", Value::Null);
        assert!(
            self.ask("textDocument/hover", at("file:///x/snowflake.yml", 0, 0)).is_err(),
            "the server is leaving"
        );
        self.notify("exit", Value::Null);
        assert_eq!(self.end(), Some(0));
    }

    /// Closes the stream and waits for the process.
    pub(crate) fn end(mut self) -> Option<i32> {
        drop(self.input.take());
        self.child.wait().unwrap().code()
    }
}

impl Drop for Editor {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A place in a document.
pub(crate) fn at(uri: &str, line: u32, character: u32) -> Value {
    json!({ "textDocument": { "uri": uri }, "position": { "line": line, "character": character } })
}

/// The address of a file.
pub(crate) fn uri(path: &Path) -> String {
    let path = path.to_str().unwrap().replace('\\', "/");
    format!("file://{}{path}", if path.starts_with('/') { "" } else { "/" })
}
