//! Code hosts: one comment of a pull or merge request, kept current.
//!
//! A comment is ours when our hidden line stands first in it **and** we are its author. It is never replaced by an older
//! run, and not written where it says already what it should.

mod azure;
mod github;
mod gitlab;
mod http;
pub mod machine;
pub mod marker;

pub use azure::Azure;
pub use github::GitHub;
pub use gitlab::GitLab;

use marker::Marker;

/// Bytes that a comment has at most on every host: GitHub takes 65,536 characters, Azure 150,000, GitLab a million.
pub const MOST_BYTES: usize = 65_536;

/// Why a host did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The token may not.
    #[error("{host} does not allow it (status {status}): {said}")]
    NotAllowed {
        /// The host.
        host: String,
        /// The HTTP status.
        status: u16,
        /// The host's words.
        said: String,
    },
    /// It said no for another reason, or kept saying "later".
    #[error("{host} answered with status {status}: {said}")]
    Failed {
        /// The host.
        host: String,
        /// The HTTP status.
        status: u16,
        /// The host's words.
        said: String,
    },
    /// It did not answer.
    #[error("{host} cannot be reached: {why}")]
    Unreachable {
        /// The host.
        host: String,
        /// Why.
        why: String,
    },
    /// It may have done it or not; look before trying again.
    #[error("{host} did not say whether it did it")]
    Unclear {
        /// The host.
        host: String,
    },
}

/// A comment as a host lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Note {
    /// How the host names it.
    id: String,
    /// How the host names its author.
    author: String,
    /// Its text.
    body: String,
    /// Its address, where the host tells it.
    url: Option<String>,
}

/// A request on one of the hosts, and the right to comment on it.
#[derive(Debug)]
pub enum CodeHost {
    /// GitHub, and its Enterprise servers.
    GitHub(GitHub),
    /// GitLab, anywhere.
    GitLab(GitLab),
    /// Azure DevOps.
    Azure(Azure),
}

/// What a request should be told.
#[derive(Clone, Debug)]
pub struct Draft {
    /// The hidden line.
    pub marker: Marker,
    /// The text below it.
    pub text: String,
    /// Whether it is worth a new comment; one that is there is kept current in any case.
    pub worth_a_new_one: bool,
}

impl Draft {
    fn body(&self) -> String {
        format!("{}\n{}", self.marker.line(), self.text)
    }
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Posted {
    /// A new comment was written.
    Created(Option<String>),
    /// The old one was replaced.
    Updated(Option<String>),
    /// It says that already.
    Unchanged(Option<String>),
    /// A later run has written it since.
    Superseded(Option<String>),
    /// There is nothing to say, and nothing was said before.
    NotNeeded,
}

/// What is to be done, decided from what is there.
#[derive(Debug, PartialEq, Eq)]
enum Decision<'a> {
    Create,
    Update(&'a Note),
    Unchanged(&'a Note),
    Superseded(&'a Note),
    NotNeeded,
}

/// Of our own comments with this tag, the latest counts.
fn decide<'a>(draft: &Draft, own: &[(&'a Note, Marker)]) -> Decision<'a> {
    let Some((note, marker)) = own.iter().max_by_key(|(_, marker)| marker.run) else {
        return if draft.worth_a_new_one { Decision::Create } else { Decision::NotNeeded };
    };
    if marker.is_later_than(&draft.marker) {
        Decision::Superseded(note)
    } else if same_text(&note.body, &draft.body()) {
        Decision::Unchanged(note)
    } else {
        Decision::Update(note)
    }
}

/// Hosts store line ends in their own way.
fn same_text(a: &str, b: &str) -> bool {
    a.lines().map(str::trim_end).eq(b.trim_end().lines().map(str::trim_end))
}

/// How often everything is begun anew after an answer that left open whether something was done.
const ROUNDS: usize = 4;

/// Puts a draft into its request: once, and never over a later one.
///
/// # Errors
/// Where the host refuses, fails for long, or cannot be reached.
pub async fn post(host: &CodeHost, draft: &Draft) -> Result<Posted, HostError> {
    let mut round = 1;
    loop {
        match post_once(host, draft).await {
            // What may have been done shows in the list; a comment is never written twice.
            Err(HostError::Unclear { .. }) if round < ROUNDS => {
                http::pause(round).await;
                round += 1;
            }
            result => return result,
        }
    }
}

async fn post_once(host: &CodeHost, draft: &Draft) -> Result<Posted, HostError> {
    let notes = host.notes().await?;
    let tagged: Vec<(&Note, Marker)> = notes
        .iter()
        .filter_map(|note| Some((note, Marker::read(&note.body)?)))
        .filter(|(_, marker)| marker.tag == draft.marker.tag)
        .collect();
    // Who we are is worth a request only where somebody has written such a line.
    let own = if tagged.is_empty() {
        tagged
    } else {
        let me = host.me().await?;
        tagged.into_iter().filter(|(note, _)| note.author == me).collect()
    };
    match decide(draft, &own) {
        Decision::Create => Ok(Posted::Created(host.create(&draft.body()).await?)),
        Decision::Update(note) => {
            host.update(note, &draft.body()).await?;
            Ok(Posted::Updated(note.url.clone()))
        }
        Decision::Unchanged(note) => Ok(Posted::Unchanged(note.url.clone())),
        Decision::Superseded(note) => Ok(Posted::Superseded(note.url.clone())),
        Decision::NotNeeded => Ok(Posted::NotNeeded),
    }
}

impl CodeHost {
    /// Who the token belongs to, as the host names authors.
    async fn me(&self) -> Result<String, HostError> {
        match self {
            Self::GitHub(host) => host.me().await,
            Self::GitLab(host) => host.me().await,
            Self::Azure(host) => host.me().await,
        }
    }

    /// Every comment of the request, all pages.
    async fn notes(&self) -> Result<Vec<Note>, HostError> {
        match self {
            Self::GitHub(host) => host.notes().await,
            Self::GitLab(host) => host.notes().await,
            Self::Azure(host) => host.notes().await,
        }
    }

    async fn create(&self, body: &str) -> Result<Option<String>, HostError> {
        match self {
            Self::GitHub(host) => host.create(body).await,
            Self::GitLab(host) => host.create(body).await,
            Self::Azure(host) => host.create(body).await,
        }
    }

    async fn update(&self, note: &Note, body: &str) -> Result<(), HostError> {
        match self {
            Self::GitHub(host) => host.update(note, body).await,
            Self::GitLab(host) => host.update(note, body).await,
            Self::Azure(host) => host.update(note, body).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(run: u64, text: &str) -> Note {
        let body = format!("{}\n{text}", Marker::new("plan", Some((run, 1)), None).line());
        Note { id: run.to_string(), author: "me".to_owned(), body, url: None }
    }

    #[test]
    fn of_several_comments_the_latest_decides() {
        let notes = [note(3, "a"), note(9, "b")];
        let own: Vec<(&Note, Marker)> = notes.iter().map(|n| (n, Marker::read(&n.body).unwrap())).collect();
        let draft = |run, text: &str| Draft {
            marker: Marker::new("plan", Some((run, 1)), None),
            text: text.to_owned(),
            worth_a_new_one: true,
        };
        assert_eq!(decide(&draft(8, "a"), &own), Decision::Superseded(&notes[1]));
        assert_eq!(decide(&draft(9, "b\r\n"), &own), Decision::Unchanged(&notes[1]));
        assert_eq!(
            decide(&draft(10, "b"), &own),
            Decision::Update(&notes[1]),
            "the run in the hidden line moves on"
        );
    }
}
