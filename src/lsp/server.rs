//! The conversation: documents come and change, requests are answered in their order, diagnostics follow when it is quiet.

use super::client::Client;
use super::convert::{self, Convert};
use super::inbox::{Inbox, Next};
use super::project::{Change, Project, State};
use super::publish::Published;
use super::uri::{self, Address};
use crate::definition::Variables;
use crate::ide::Role;
use crate::source::span::FileId;
use gen_lsp_types as lsp;
use gen_lsp_types::{LspNotificationMethod as On, Notification as _};
use lsp_server::{Connection, ErrorCode, Message, Notification, Request, RequestId, Response};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The longest wait for another keystroke before the diagnostics are computed.
const MOST_PATIENCE: Duration = Duration::from_millis(20);

/// One editor's server.
pub(super) struct Server {
    connection: Connection,
    pub(super) client: Client,
    variables: Arc<Variables>,
    /// By what all spellings of their folder have in common.
    pub(super) projects: BTreeMap<String, Project>,
    pub(super) published: Published,
    /// The projects whose diagnostics may have changed.
    unsaid: Vec<String>,
    /// How long the last check took.
    last_check: Duration,
    next_id: i32,
    shutting_down: bool,
}

/// A document that something is asked about.
pub(super) struct Asked<'a> {
    pub(super) convert: Convert<'a>,
    pub(super) file: FileId,
}

impl Server {
    pub(super) fn new(connection: Connection, client: Client, variables: Arc<Variables>) -> Self {
        Self {
            connection,
            client,
            variables,
            projects: BTreeMap::new(),
            published: Published::default(),
            unsaid: Vec::new(),
            last_check: Duration::ZERO,
            next_id: 0,
            shutting_down: false,
        }
    }

    /// Serves to the end; whether it was one in order.
    pub(super) fn run(mut self) -> bool {
        if self.client.watches {
            self.watch_files();
        }
        let mut inbox = Inbox::new(self.connection.receiver.clone());
        loop {
            // A small project is checked at once, a large one when there is a moment's rest.
            let patience = (!self.unsaid.is_empty()).then(|| (self.last_check / 8).min(MOST_PATIENCE));
            match inbox.next(patience) {
                Next::Message(Message::Request(request)) => self.request(request),
                Next::Message(Message::Notification(notification)) if notification.method == "exit" => {
                    return self.shutting_down;
                }
                Next::Message(Message::Notification(notification)) => self.notification(notification),
                Next::Message(Message::Response(response)) => {
                    if let Err(error) = response.response_result {
                        tracing::warn!("the editor refused a request: {}", error.message);
                    }
                }
                Next::Cancelled(id) => self.fail(id, ErrorCode::RequestCanceled, "taken back".to_owned()),
                Next::Quiet => self.say_what_is_unsaid(),
                Next::End => return false,
            }
        }
    }

    fn request(&mut self, request: Request) {
        let Request { id, method, params } = request;
        if self.shutting_down {
            self.fail(id, ErrorCode::InvalidRequest, "the server is shutting down".to_owned());
            return;
        }
        if method == "shutdown" {
            self.shutting_down = true;
            self.send(Response::new_ok(id, ()).into());
            return;
        }
        // A mistake of ours costs one answer, not the session.
        match catch_unwind(AssertUnwindSafe(|| self.answer(&method, params))) {
            Ok(Ok(result)) => self.send(Response { id, response_result: Ok(result) }.into()),
            Ok(Err(Refusal { code, message })) => self.fail(id, code, message),
            Err(_) => self.fail(
                id,
                ErrorCode::InternalError,
                format!("snowform failed at {method}; please report it"),
            ),
        }
    }

    fn fail(&self, id: RequestId, code: ErrorCode, message: String) {
        self.send(Response::new_err(id, code as i32, message).into());
    }

    fn notification(&mut self, notification: Notification) {
        let Notification { method, params } = notification;
        let taken = match On::from(method.as_str()) {
            On::TextDocumentDidOpen => self.did_open(params),
            On::TextDocumentDidChange => self.did_change(params),
            On::TextDocumentDidClose => self.did_close(params),
            On::TextDocumentDidSave => self.did_save(params),
            On::WorkspaceDidChangeWatchedFiles => self.did_change_on_disk(params),
            _ => Some(()),
        };
        if taken.is_none() {
            tracing::warn!("{method} is not readable");
        }
    }

    fn did_open(&mut self, params: Value) -> Option<()> {
        let lsp::DidOpenTextDocumentParams { text_document } = read(params)?;
        let lsp::TextDocumentItem { uri, version, text, language_id: _ } = text_document;
        let Some((key, role, folder)) = place(&uri) else { return Some(()) };
        let project = self.projects.entry(key.clone()).or_insert_with(|| Project::new(folder));
        project.open(role, uri.0, version, text);
        self.touched(key);
        Some(())
    }

    fn did_change(&mut self, params: Value) -> Option<()> {
        let lsp::DidChangeTextDocumentParams { text_document, content_changes } = read(params)?;
        let lsp::VersionedTextDocumentIdentifier { version, text_document_identifier } = text_document;
        let Some((key, role, _)) = place(&text_document_identifier.uri) else { return Some(()) };
        let changes = content_changes.into_iter().map(change).collect();
        if let Some(project) = self.projects.get_mut(&key) {
            project.change(role, version, changes, self.client.encoding);
            self.touched(key);
        }
        Some(())
    }

    fn did_close(&mut self, params: Value) -> Option<()> {
        let lsp::DidCloseTextDocumentParams { text_document } = read(params)?;
        let Some((key, role, _)) = place(&text_document.uri) else { return Some(()) };
        let Some(project) = self.projects.get_mut(&key) else { return Some(()) };
        project.close(role);
        if project.is_open() {
            self.touched(key);
        } else {
            // Nobody looks at the project any more: what was said of it is taken back.
            self.projects.remove(&key);
            self.unsaid.retain(|unsaid| *unsaid != key);
            let cleared = self.published.clear(&key);
            cleared.into_iter().for_each(|params| self.notify::<lsp::PublishDiagnosticsNotification>(params));
        }
        Some(())
    }

    fn did_save(&mut self, params: Value) -> Option<()> {
        let lsp::DidSaveTextDocumentParams { text_document, text: _ } = read(params)?;
        self.on_disk(&text_document.uri);
        Some(())
    }

    fn did_change_on_disk(&mut self, params: Value) -> Option<()> {
        let lsp::DidChangeWatchedFilesParams { changes } = read(params)?;
        changes.iter().for_each(|change| self.on_disk(&change.uri));
        Some(())
    }

    fn on_disk(&mut self, uri: &lsp::Uri) {
        let Some((key, role, _)) = place(uri) else { return };
        // What is open counts as it is in the editor.
        if let Some(project) = self.projects.get_mut(&key).filter(|project| project.document(role).is_none())
        {
            project.forget_disk();
            self.touched(key);
        }
    }

    fn touched(&mut self, key: String) {
        if !self.unsaid.contains(&key) {
            self.unsaid.push(key);
        }
    }

    /// Checks what has changed and tells the editor.
    fn say_what_is_unsaid(&mut self) {
        for key in std::mem::take(&mut self.unsaid) {
            self.check(&key);
            let Some(project) = self.projects.get(&key) else { continue };
            let Some(state) = project.known() else { continue };
            let news = self.published.news(&key, project, state, &self.client);
            news.into_iter().for_each(|params| self.notify::<lsp::PublishDiagnosticsNotification>(params));
            // Other documents than the one that was typed in may say something else now.
            if project.count_open() > 1 {
                if self.client.pulls && self.client.refreshes_diagnostics {
                    self.ask::<lsp::DiagnosticRefreshRequest>(());
                }
                if self.client.refreshes_hints {
                    self.ask::<lsp::InlayHintRefreshRequest>(());
                }
            }
        }
    }

    /// Reads a project, if that has to be done.
    fn check(&mut self, key: &str) {
        let Some(project) = self.projects.get_mut(key).filter(|project| project.known().is_none()) else {
            return;
        };
        let started = Instant::now();
        project.read(&self.variables);
        self.last_check = started.elapsed();
        tracing::debug!(milliseconds = self.last_check.as_millis(), "checked");
    }

    /// The project of a document, read as it stands now.
    pub(super) fn project(&mut self, uri: &lsp::Uri) -> Option<(&Project, Role)> {
        let (key, role, _) = place(uri)?;
        self.check(&key);
        let project = self.projects.get(&key)?;
        project.document(role)?;
        Some((project, role))
    }

    /// A document of a project that could be read.
    pub(super) fn asked(&mut self, uri: &lsp::Uri) -> Option<Asked<'_>> {
        let (key, role, _) = place(uri)?;
        self.check(&key);
        let project = self.projects.get(&key)?;
        let State::Read(analysis) = project.known()? else { return None };
        let file = analysis.file(role)?;
        Some(Asked { convert: Convert { analysis, project, client: &self.client }, file })
    }

    fn watch_files(&mut self) {
        let watchers = Role::ALL.map(|role| lsp::FileSystemWatcher {
            glob_pattern: format!("**/{}", role.file_name()).into(),
            kind: None,
        });
        let options = lsp::DidChangeWatchedFilesRegistrationOptions { watchers: watchers.to_vec() };
        let registration = lsp::Registration {
            id: "files".to_owned(),
            method: lsp::DidChangeWatchedFilesNotification::METHOD.to_string(),
            register_options: serde_json::to_value(options).ok(),
        };
        self.ask::<lsp::RegistrationRequest>(lsp::RegistrationParams { registrations: vec![registration] });
    }

    /// Asks the editor for something whose answer says nothing.
    fn ask<R: lsp::Request>(&mut self, params: R::Params) {
        self.next_id += 1;
        self.send(Request::new(self.next_id.into(), R::METHOD.to_string(), params).into());
    }

    fn notify<N: lsp::Notification>(&self, params: N::Params) {
        self.send(Notification::new(N::METHOD.to_string(), params).into());
    }

    /// An editor that has gone away needs no answer; its end is noticed where messages come in.
    fn send(&self, message: Message) {
        let _ = self.connection.sender.send(message);
    }
}

/// Why a request is not answered.
pub(super) struct Refusal {
    pub(super) code: ErrorCode,
    pub(super) message: String,
}

/// The project of an address, the file's role in it, and the folder; nothing for a file that is none of ours.
fn place(uri: &lsp::Uri) -> Option<(String, Role, String)> {
    let Address { folder, name } = uri::split(&uri.0)?;
    Some((uri::same(&folder), Role::of(&name)?, folder))
}

fn read<P: DeserializeOwned>(params: Value) -> Option<P> {
    serde_json::from_value(params).ok()
}

fn change(event: lsp::TextDocumentContentChangeEvent) -> Change {
    match event {
        lsp::TextDocumentContentChangeEvent::TextDocumentContentChangePartial(partial) => {
            let lsp::Range { start, end } = partial.range;
            (Some((convert::position(start), convert::position(end))), partial.text)
        }
        lsp::TextDocumentContentChangeEvent::TextDocumentContentChangeWholeDocument(whole) => {
            (None, whole.text)
        }
    }
}
