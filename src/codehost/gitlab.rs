//! Notes of a merge request on GitLab (docs.gitlab.com `api/notes`).

use super::http::{Credential, Http};
use super::{HostError, Note};
use reqwest::Method;
use secrecy::SecretString;
use serde_json::{Value, json};

/// Notes of a page; the most that GitLab gives.
const PAGE: &str = "100";
/// Pages that are read before something must be wrong.
const PAGES: usize = 1_000;

/// A merge request.
#[derive(Debug)]
pub struct GitLab {
    http: Http,
    project: String,
    number: u64,
}

impl GitLab {
    /// The merge request `number` of a project, by its id or its path. `api`: `https://gitlab.com/api/v4`.
    ///
    /// # Errors
    /// Where the address is none.
    pub fn new(api: &str, token: SecretString, project: &str, number: u64) -> Result<Self, HostError> {
        let http = Http::new(api, Credential::PrivateToken(token))?;
        Ok(Self { http, project: project.to_owned(), number })
    }

    pub(super) async fn me(&self) -> Result<String, HostError> {
        let answer = self.http.send(Method::GET, self.http.url(&["user"], &[]), None).await?;
        let id = answer.body["id"].as_u64().map(|id| id.to_string());
        let said = "the token does not say whose it is".to_owned();
        id.ok_or_else(|| HostError::NotAllowed { host: self.http.host(), status: 200, said })
    }

    pub(super) async fn notes(&self) -> Result<Vec<Note>, HostError> {
        let mut notes = Vec::new();
        let mut page = "1".to_owned();
        for _ in 0..PAGES {
            let query =
                [("per_page", PAGE), ("page", page.as_str()), ("sort", "asc"), ("order_by", "created_at")];
            let url = self.url(None, &query);
            let answer = self.http.send(Method::GET, url, None).await?;
            let listed = answer.body.as_array().map(Vec::as_slice).unwrap_or_default();
            notes.extend(listed.iter().filter_map(note));
            let next = answer.headers.get("x-next-page").and_then(|page| page.to_str().ok());
            match next.filter(|next| !next.is_empty()) {
                Some(next) => page = next.to_owned(),
                None => break,
            }
        }
        Ok(notes)
    }

    pub(super) async fn create(&self, body: &str) -> Result<Option<String>, HostError> {
        self.http.send(Method::POST, self.url(None, &[]), Some(&json!({ "body": body }))).await?;
        Ok(None)
    }

    pub(super) async fn update(&self, note: &Note, body: &str) -> Result<(), HostError> {
        let url = self.url(Some(&note.id), &[]);
        self.http.send(Method::PUT, url, Some(&json!({ "body": body }))).await.map(drop)
    }

    fn url(&self, note: Option<&str>, query: &[(&str, &str)]) -> reqwest::Url {
        let number = self.number.to_string();
        let mut path = vec!["projects", self.project.as_str(), "merge_requests", &number, "notes"];
        path.extend(note);
        self.http.url(&path, query)
    }
}

fn note(note: &Value) -> Option<Note> {
    // What GitLab itself remarks is nobody's comment.
    if note["system"].as_bool() == Some(true) {
        return None;
    }
    Some(Note {
        id: note["id"].as_u64()?.to_string(),
        author: note["author"]["id"].as_u64()?.to_string(),
        body: note["body"].as_str()?.to_owned(),
        url: None,
    })
}
