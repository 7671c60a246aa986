//! Blobs and unfinished uploads as files in the account's directory.
//!
//! A blob's file is named by its digest and appears whole or not at all. An upload's file grows as its bytes
//! come, so that a client that lost its connection, or a server that was started again, goes on where it stopped.

use super::reference::{Digest, Hasher};
use crate::host::files;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;
use uuid::Uuid;

/// The directory of it all in the account's directory.
pub(crate) const DIRECTORY: &str = "registry";
/// How long an upload that nobody goes on with is kept.
const ABANDONED: Duration = Duration::from_secs(24 * 60 * 60);

/// Where an account keeps its images.
#[derive(Debug)]
pub(crate) struct Storage {
    blobs: PathBuf,
    uploads: PathBuf,
}

impl Storage {
    /// The storage of the account in this directory; nothing is made before something is to be kept.
    pub(crate) fn new(account: &Path) -> Self {
        let directory = account.join(DIRECTORY);
        Self { blobs: directory.join("blobs"), uploads: directory.join("uploads") }
    }

    /// The file of a blob, whether it is there or not.
    pub(crate) fn blob(&self, digest: &Digest) -> PathBuf {
        digest.path().into_iter().fold(self.blobs.clone(), |path, part| path.join(part))
    }

    /// The file of an upload into a repository, whether it is there or not.
    pub(crate) fn upload(&self, repository: i64, id: Uuid) -> PathBuf {
        self.uploads.join(format!("{repository}-{id}"))
    }

    /// Begins an upload; its file is empty.
    pub(crate) fn begin(&self, repository: i64, id: Uuid) -> io::Result<()> {
        files::create_private_dir(&self.uploads)?;
        files::create_private_file(&self.upload(repository, id))
    }

    /// Makes a finished upload the blob of this digest, which must be its own.
    pub(crate) fn keep(&self, upload: &Path, digest: &Digest) -> io::Result<()> {
        let blob = self.blob(digest);
        if let Some(directory) = blob.parent() {
            files::create_private_dir(directory)?;
        }
        files::rename(upload, &blob)
    }

    /// Keeps a few bytes as the blob of this digest, which must be their own.
    pub(crate) fn keep_bytes(&self, bytes: &[u8], digest: &Digest) -> io::Result<()> {
        let blob = self.blob(digest);
        if let Some(directory) = blob.parent() {
            files::create_private_dir(directory)?;
        }
        files::write_private(&blob, bytes)
    }

    /// Removes a blob; one that is not there is fine.
    pub(crate) fn discard(&self, digest: &Digest) -> io::Result<()> {
        files::remove_file(&self.blob(digest))
    }

    /// Removes uploads that nobody goes on with.
    pub(crate) fn forget_abandoned(&self) -> io::Result<()> {
        files::remove_older(&self.uploads, ABANDONED)
    }
}

/// The digest of a file, read piece by piece.
pub(crate) fn digest_of(path: &Path, mut hasher: Hasher) -> io::Result<Digest> {
    files::read_through(path, |piece| hasher.update(piece))?;
    Ok(hasher.finish())
}
