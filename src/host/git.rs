//! Files as they were at a revision, read by the program `git`.

use super::process::{self, Ran};
use std::path::Path;

/// Why a revision cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// There is no such program.
    #[error("the program git cannot be run: {0}")]
    NoProgram(std::io::Error),
    /// The revision is not here, or there is no repository.
    #[error("git finds no revision `{revision}` here: {said}")]
    NoRevision {
        /// What was asked for.
        revision: String,
        /// git's own words.
        said: String,
    },
    /// The file is larger than what is read.
    #[error("{0} has more bytes than are read")]
    TooLarge(String),
    /// Anything else.
    #[error("git failed: {0}")]
    Failed(String),
}

/// The commit that a name stands for, as the 40 or 64 digits of its hash.
pub fn commit(directory: &Path, revision: &str) -> Result<String, GitError> {
    let wanted = format!("{revision}^{{commit}}");
    // Nothing that follows is taken for an option.
    let ran = git(directory, &["rev-parse", "--verify", "--end-of-options", &wanted])?;
    let hash = ran.stdout.trim().to_owned();
    let is_hash = hash.len() >= 40 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    if ran.code == Some(0) && is_hash {
        return Ok(hash);
    }
    Err(GitError::NoRevision { revision: revision.to_owned(), said: last_line(&ran.stderr) })
}

/// The text of a file of the directory at a commit; nothing where there was none.
pub fn file(directory: &Path, commit: &str, name: &str, most: usize) -> Result<Option<String>, GitError> {
    let listed = git(directory, &["ls-tree", "-z", "-l", commit, "--", name])?;
    if listed.code != Some(0) {
        return Err(GitError::Failed(last_line(&listed.stderr)));
    }
    // MODE blob HASH SIZE<TAB>NAME
    let words: Vec<&str> =
        listed.stdout.split(['\t', '\0']).next().unwrap_or_default().split_whitespace().collect();
    let ["100644" | "100755", "blob", hash, size] = words.as_slice() else { return Ok(None) };
    if size.parse::<usize>().is_ok_and(|size| size > most) {
        return Err(GitError::TooLarge(name.to_owned()));
    }
    let read = git(directory, &["cat-file", "blob", hash])?;
    match read.code {
        Some(0) => Ok(Some(read.stdout)),
        _ => Err(GitError::Failed(last_line(&read.stderr))),
    }
}

fn git(directory: &Path, arguments: &[&str]) -> Result<Ran, GitError> {
    let directory = directory.to_string_lossy();
    let all = [&["-C", directory.as_ref()], arguments].concat();
    process::run("git", &all, "").map_err(GitError::NoProgram)
}

fn last_line(text: &str) -> String {
    text.lines().last().unwrap_or("it said nothing").trim_start_matches("fatal: ").to_owned()
}
