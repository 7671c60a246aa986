//! What reviewers see: comments of requests, builds, plans between revisions. The real binary, against a server that behaves
//! as code hosts do.
#![expect(clippy::unwrap_used, reason = "an unwrap that fails is a test that fails")]

mod ci;
mod comment;
mod host;
mod project;
mod revisions;
