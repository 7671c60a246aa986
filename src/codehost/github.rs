//! Comments of a pull request on GitHub (docs.github.com `rest/issues/comments`).

use super::http::{Credential, Http};
use super::{HostError, Note};
use reqwest::Method;
use secrecy::SecretString;
use serde_json::{Value, json};

/// Comments of a page; the most that GitHub gives.
const PAGE: usize = 100;
/// Pages that are read before something must be wrong.
const PAGES: usize = 1_000;
/// The author of what a workflow's own token writes.
const WORKFLOW: &str = "github-actions[bot]";

/// A pull request.
#[derive(Debug)]
pub struct GitHub {
    http: Http,
    owner: String,
    repository: String,
    number: u64,
    /// Whether a workflow runs us, so that a token that cannot say whose it is must be the workflow's.
    in_workflow: bool,
}

impl GitHub {
    /// The pull request `number` of `repository` (`owner/name`). `api`: `https://api.github.com`, or a server's own.
    ///
    /// # Errors
    /// Where the address is none.
    pub fn new(
        api: &str,
        token: SecretString,
        repository: &str,
        number: u64,
        in_workflow: bool,
    ) -> Result<Self, HostError> {
        let http = Http::new(api, Credential::Bearer(token))?;
        let Some((owner, name)) = repository.split_once('/') else {
            let why = format!("{repository:?} is no repository; it is written OWNER/NAME");
            return Err(HostError::Unreachable { host: http.host(), why });
        };
        let (owner, repository) = (owner.to_owned(), name.to_owned());
        Ok(Self { http, owner, repository, number, in_workflow })
    }

    pub(super) async fn me(&self) -> Result<String, HostError> {
        // Tokens of apps and workflows are answered with 403 here, and told who they are only by GraphQL.
        let user = match self.http.send(Method::GET, self.http.url(&["user"], &[]), None).await {
            Ok(answer) => login(&answer.body["login"]),
            Err(HostError::NotAllowed { .. }) => None,
            Err(error) => return Err(error),
        };
        if let Some(user) = user {
            return Ok(user);
        }
        let query = json!({ "query": "query { viewer { login } }" });
        let answer = self.http.send(Method::POST, self.graphql(), Some(&query)).await;
        let viewer = match answer {
            Ok(answer) => login(&answer.body["data"]["viewer"]["login"]),
            Err(HostError::NotAllowed { .. } | HostError::Failed { .. } | HostError::Unclear { .. }) => None,
            Err(error) => return Err(error),
        };
        match viewer {
            Some(viewer) => Ok(viewer),
            None if self.in_workflow => Ok(WORKFLOW.to_owned()),
            None => {
                let said =
                    "the token does not say whose it is, so our own comment cannot be told from others'"
                        .to_owned();
                Err(HostError::NotAllowed { host: self.http.host(), status: 403, said })
            }
        }
    }

    /// `https://HOST/api/v3` has GraphQL at `https://HOST/api/graphql`, `https://api.github.com` below itself.
    fn graphql(&self) -> reqwest::Url {
        let mut url = self.http.url(&["graphql"], &[]);
        if let Some(server) = url.path().strip_suffix("/v3/graphql") {
            let path = format!("{server}/graphql");
            url.set_path(&path);
        }
        url
    }

    pub(super) async fn notes(&self) -> Result<Vec<Note>, HostError> {
        let mut notes = Vec::new();
        for page in 1..=PAGES {
            let (size, page) = (PAGE.to_string(), page.to_string());
            let path =
                ["repos", &self.owner, &self.repository, "issues", &self.number.to_string(), "comments"];
            let url = self.http.url(&path, &[("per_page", &size), ("page", &page)]);
            let answer = self.http.send(Method::GET, url, None).await?;
            let listed = answer.body.as_array().map(Vec::as_slice).unwrap_or_default();
            notes.extend(listed.iter().filter_map(note));
            if listed.len() < PAGE {
                break;
            }
        }
        Ok(notes)
    }

    pub(super) async fn create(&self, body: &str) -> Result<Option<String>, HostError> {
        let path = ["repos", &self.owner, &self.repository, "issues", &self.number.to_string(), "comments"];
        let answer =
            self.http.send(Method::POST, self.http.url(&path, &[]), Some(&json!({ "body": body }))).await?;
        Ok(login(&answer.body["html_url"]))
    }

    pub(super) async fn update(&self, note: &Note, body: &str) -> Result<(), HostError> {
        let path = ["repos", &self.owner, &self.repository, "issues", "comments", &note.id];
        let url = self.http.url(&path, &[]);
        self.http.send(Method::PATCH, url, Some(&json!({ "body": body }))).await.map(drop)
    }
}

fn login(value: &Value) -> Option<String> {
    value.as_str().map(ToOwned::to_owned)
}

fn note(comment: &Value) -> Option<Note> {
    Some(Note {
        id: comment["id"].as_u64()?.to_string(),
        author: login(&comment["user"]["login"])?,
        body: comment["body"].as_str()?.to_owned(),
        url: login(&comment["html_url"]),
    })
}
