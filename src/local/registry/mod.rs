//! The account's image registry: what may be pushed and pulled by whom, and where it is kept.
//!
//! ```text
//! reference (names, digests) → privileges (run) → catalog (manifests, tags) + storage (files)
//! ```
//!
//! Here is everything but HTTP, which is `local::server::registry`. A file is put in place and removed in the
//! transaction that begins or ends its being needed, under the catalog's write lock, so that no process removes
//! what another is just about to need.

pub(crate) mod failure;
pub(crate) mod manifest;
mod pushing;
pub(crate) mod reference;
pub(crate) mod storage;

use super::account::{Account, Context};
use super::catalog::image::{self, ManifestRow, Place};
use super::catalog::{Id, Intent};
use super::run::registry::{self as privileges, Right};
use crate::host::files;
use failure::{Code, Failure};
pub(crate) use pushing::{Mounted, Upload};
use reference::{Digest, ImageName, Reference};
use rusqlite::Connection;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;
use storage::Storage;

/// Who asks for what: a session, and the image's name. Every operation of the registry starts from it.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) context: Context,
    pub(crate) name: ImageName,
}

/// The registry of an account. Its methods wait for files and for other processes.
#[derive(Clone)]
pub(crate) struct Registry {
    account: Account,
    storage: Arc<Storage>,
}

/// A manifest with its bytes.
pub(crate) struct Found {
    pub(crate) row: ManifestRow,
    pub(crate) bytes: Vec<u8>,
}

/// A page of tags.
pub(crate) struct Tags {
    pub(crate) tags: Vec<String>,
    /// Whether there are more behind the last.
    pub(crate) more: bool,
}

impl Registry {
    /// The registry of this account; an account that is in memory alone has no place for images.
    pub(super) fn of(account: &Account) -> Result<Self, Failure> {
        let missing = "an account in memory keeps no images";
        let storage = account.storage().ok_or_else(|| Failure::new(Code::Unsupported, missing))?;
        Ok(Self { account: account.clone(), storage })
    }

    /// Runs `work` in a transaction, if the session's role has the right to the repository.
    fn with<T>(
        &self,
        request: &Request,
        right: Right,
        work: impl FnOnce(&Connection, Place<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let Request { context, name } = request;
        let intent = if right == Right::Pull { Intent::Read } else { Intent::Write };
        self.account.catalog().transaction(intent, |connection| {
            let repository = privileges::repository(connection, context, name.repository(), right)?;
            work(connection, Place { repository, image: name.image() })
        })
    }

    /// The file of a blob, and its size in bytes.
    pub(crate) fn blob(&self, request: &Request, digest: &Digest) -> Result<(PathBuf, u64), Failure> {
        self.with(request, Right::Pull, |connection, place| {
            if !image::has_blob(connection, place, &digest.to_string())? {
                return Err(blob_unknown(digest));
            }
            let path = self.storage.blob(digest);
            let size = files::size(&path)?;
            Ok((path, size))
        })
    }

    /// Takes a blob away from an image's name.
    pub(crate) fn delete_blob(&self, request: &Request, digest: &Digest) -> Result<(), Failure> {
        self.with(request, Right::Push, |connection, place| {
            let removed = image::remove_blob(connection, place, &digest.to_string())?;
            if removed { Ok(()) } else { Err(blob_unknown(digest)) }
        })?;
        Ok(self.account.sweep()?)
    }

    /// A manifest by tag or digest.
    pub(crate) fn manifest(&self, request: &Request, reference: &Reference) -> Result<Found, Failure> {
        self.with(request, Right::Pull, |connection, place| {
            let row = match reference {
                Reference::Tag(tag) => image::tagged(connection, place, tag)?,
                Reference::Digest(digest) => image::manifest(connection, place, &digest.to_string())?,
            };
            let Some(row) = row else {
                return Err(match image::is_known(connection, place)? {
                    true => manifest_unknown(reference),
                    false => name_unknown(&request.name),
                });
            };
            let bytes = files::read(&self.storage.blob(&Digest::parse(&row.digest)?))?;
            Ok(Found { row, bytes })
        })
    }

    /// Deletes a manifest with its tags, or a tag alone.
    pub(crate) fn delete_manifest(&self, request: &Request, reference: &Reference) -> Result<(), Failure> {
        self.with(request, Right::Push, |connection, place| {
            let removed = match reference {
                Reference::Tag(tag) => image::delete_tag(connection, place, tag)?,
                Reference::Digest(digest) => image::delete_manifest(connection, place, &digest.to_string())?,
            };
            if removed { Ok(()) } else { Err(manifest_unknown(reference)) }
        })?;
        Ok(self.account.sweep()?)
    }

    /// Up to `limit` tags of an image, all where nothing is said, behind the tag `after`.
    pub(crate) fn tags(&self, request: &Request, limit: Option<usize>, after: &str) -> Result<Tags, Failure> {
        self.with(request, Right::Pull, |connection, place| {
            if !image::is_known(connection, place)? {
                return Err(name_unknown(&request.name));
            }
            let asked = limit.map_or(usize::MAX, |limit| limit.saturating_add(1));
            let mut tags = image::tags(connection, place, after, asked)?;
            let more = limit.is_some_and(|limit| limit > 0 && tags.len() > limit);
            tags.truncate(limit.unwrap_or(usize::MAX));
            Ok(Tags { tags, more })
        })
    }

    /// The manifests that say something about this one, described as an index lists them.
    pub(crate) fn referrers(
        &self,
        request: &Request,
        subject: &Digest,
        artifact_type: Option<&str>,
    ) -> Result<Vec<Value>, Failure> {
        self.with(request, Right::Pull, |connection, place| {
            let rows = image::referrers(connection, place, &subject.to_string(), artifact_type)?;
            Ok(rows.into_iter().map(descriptor).collect())
        })
    }
}

/// A manifest as an index lists it.
fn descriptor(row: ManifestRow) -> Value {
    let ManifestRow { digest, media_type, size, subject: _, artifact_type, annotations } = row;
    let mut descriptor = json!({ "mediaType": media_type, "digest": digest, "size": size });
    if let Some(artifact_type) = artifact_type {
        descriptor["artifactType"] = artifact_type.into();
    }
    match serde_json::from_str(&annotations) {
        Ok(Value::Object(annotations)) if !annotations.is_empty() => {
            descriptor["annotations"] = annotations.into();
        }
        _ => {}
    }
    descriptor
}

fn blob_unknown(digest: &Digest) -> Failure {
    let about = json!({ "digest": digest.to_string() });
    Failure::new(Code::BlobUnknown, "the image has no such blob").about(about)
}

fn manifest_unknown(reference: &Reference) -> Failure {
    let about = match reference {
        Reference::Tag(tag) => json!({ "tag": tag }),
        Reference::Digest(digest) => json!({ "digest": digest.to_string() }),
    };
    Failure::new(Code::ManifestUnknown, "the image has no such manifest").about(about)
}

fn name_unknown(name: &ImageName) -> Failure {
    let about = json!({ "name": name.to_string() });
    Failure::new(Code::NameUnknown, "the repository has no such image").about(about)
}

impl Account {
    /// Removes the files of images that were let go of; cheap where there are none.
    pub(super) fn sweep(&self) -> Result<(), rusqlite::Error> {
        let Some(storage) = self.storage() else { return Ok(()) };
        if !self.catalog().transaction(Intent::Read, image::any_discarded)? {
            return Ok(());
        }
        self.catalog().transaction(Intent::Write, |connection| {
            for digest in image::take_discarded(connection)? {
                // What is no digest was recorded without a file.
                let Ok(digest) = Digest::parse(&digest) else { continue };
                if let Err(error) = storage.discard(&digest) {
                    tracing::warn!(%error, %digest, "a blob that nothing needs stays");
                }
            }
            Ok(())
        })
    }
}

/// A repository's row in the catalog.
type RepositoryId = Id;
