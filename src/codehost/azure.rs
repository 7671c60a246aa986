//! Threads of a pull request in Azure Repos (learn.microsoft.com `azure/devops/git/pull-request-threads`).

use super::http::{Credential, Http};
use super::{HostError, Note};
use reqwest::Method;
use secrecy::SecretString;
use serde_json::{Value, json};

const VERSION: (&str, &str) = ("api-version", "7.1");
/// Who the token belongs to is told by an interface that is still called a preview.
const PREVIEW: (&str, &str) = ("api-version", "7.1-preview");
/// Pages that are read before something must be wrong.
const PAGES: usize = 1_000;

/// A pull request.
#[derive(Debug)]
pub struct Azure {
    http: Http,
    project: String,
    repository: String,
    number: u64,
}

impl Azure {
    /// The pull request `number` of a repository. `collection`: `https://dev.azure.com/ORGANISATION/`.
    /// `personal`: whether the token is somebody's own, and not that of a pipeline.
    ///
    /// # Errors
    /// Where the address is none.
    pub fn new(
        collection: &str,
        token: SecretString,
        personal: bool,
        project: &str,
        repository: &str,
        number: u64,
    ) -> Result<Self, HostError> {
        let credential = if personal { Credential::Password(token) } else { Credential::Bearer(token) };
        let http = Http::new(collection, credential)?;
        Ok(Self { http, project: project.to_owned(), repository: repository.to_owned(), number })
    }

    pub(super) async fn me(&self) -> Result<String, HostError> {
        let url = self.http.url(&["_apis", "connectionData"], &[PREVIEW]);
        let answer = self.http.send(Method::GET, url, None).await?;
        let said = "the token does not say whose it is".to_owned();
        text(&answer.body["authenticatedUser"]["id"]).ok_or_else(|| HostError::NotAllowed {
            host: self.http.host(),
            status: 200,
            said,
        })
    }

    pub(super) async fn notes(&self) -> Result<Vec<Note>, HostError> {
        let mut notes = Vec::new();
        let mut after: Option<String> = None;
        for _ in 0..PAGES {
            let mut query = vec![VERSION];
            query.extend(after.as_deref().map(|after| ("continuationToken", after)));
            let answer = self.http.send(Method::GET, self.url(&[], &query), None).await?;
            let threads = answer.body["value"].as_array().map(Vec::as_slice).unwrap_or_default();
            notes.extend(threads.iter().flat_map(in_thread));
            let next = answer.headers.get("x-ms-continuationtoken").and_then(|token| token.to_str().ok());
            match next.filter(|next| !next.is_empty()) {
                Some(next) => after = Some(next.to_owned()),
                None => break,
            }
        }
        Ok(notes)
    }

    pub(super) async fn create(&self, body: &str) -> Result<Option<String>, HostError> {
        // Closed: a plan is no question that somebody must answer before merging.
        let comment = json!({ "parentCommentId": 0, "content": body, "commentType": "text" });
        let thread = json!({ "comments": [comment], "status": "closed" });
        self.http.send(Method::POST, self.url(&[], &[VERSION]), Some(&thread)).await?;
        Ok(None)
    }

    pub(super) async fn update(&self, note: &Note, body: &str) -> Result<(), HostError> {
        let (thread, comment) = note.id.split_once('/').unwrap_or((note.id.as_str(), "1"));
        let url = self.url(&[thread, "comments", comment], &[VERSION]);
        self.http.send(Method::PATCH, url, Some(&json!({ "content": body }))).await.map(drop)
    }

    fn url(&self, below: &[&str], query: &[(&str, &str)]) -> reqwest::Url {
        let number = self.number.to_string();
        let mut path = vec![
            self.project.as_str(),
            "_apis",
            "git",
            "repositories",
            &self.repository,
            "pullRequests",
            &number,
            "threads",
        ];
        path.extend(below);
        self.http.url(&path, query)
    }
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(ToOwned::to_owned)
}

/// The comments of a thread that are still there; only the first could be ours.
fn in_thread(thread: &Value) -> Vec<Note> {
    let id = thread["id"].as_u64();
    let first = thread["comments"].as_array().and_then(|comments| comments.first());
    let gone = |value: &Value| value["isDeleted"].as_bool() == Some(true);
    let (Some(id), Some(comment)) = (id, first.filter(|comment| !gone(thread) && !gone(comment))) else {
        return Vec::new();
    };
    let (number, author) = (comment["id"].as_u64(), text(&comment["author"]["id"]));
    let (Some(number), Some(author), Some(body)) = (number, author, text(&comment["content"])) else {
        return Vec::new();
    };
    vec![Note { id: format!("{id}/{number}"), author, body, url: None }]
}
