//! Pushing: uploads that grow chunk by chunk, blobs of other names, manifests.

use super::super::catalog::image::{self, ManifestRow, Place};
use super::super::catalog::{Intent, repository};
use super::super::run::now_millis;
use super::super::run::registry::{self as privileges, Right};
use super::failure::{Code, Failure};
use super::manifest::Manifest;
use super::reference::{Algorithm, Digest, ImageName, Reference};
use super::{Registry, RepositoryId, Request, storage};
use crate::host::files;
use rusqlite::Connection;
use serde_json::json;
use std::io;
use std::path::PathBuf;
use uuid::Uuid;

/// An upload under way.
#[derive(Clone, Debug)]
pub(crate) struct Upload {
    /// Its name in addresses.
    pub(crate) id: Uuid,
    /// The file that grows.
    pub(crate) path: PathBuf,
    /// Bytes that are there.
    pub(crate) size: u64,
}

/// What became of a wish to reuse a blob.
pub(crate) enum Mounted {
    /// The name can be pulled by the blob now.
    Blob,
    /// The blob cannot be had; here is an upload instead.
    Upload(Upload),
}

/// A manifest that was put.
pub(crate) struct Stored {
    pub(crate) digest: Digest,
    pub(crate) subject: Option<Digest>,
}

impl Registry {
    /// Begins an upload.
    pub(crate) fn begin_upload(&self, request: &Request) -> Result<Upload, Failure> {
        let repository = self.pushable(request)?;
        let id = Uuid::new_v4();
        self.storage.begin(repository, id)?;
        Ok(Upload { id, path: self.storage.upload(repository, id), size: 0 })
    }

    /// An upload under way.
    pub(crate) fn upload(&self, request: &Request, id: Uuid) -> Result<Upload, Failure> {
        let path = self.storage.upload(self.pushable(request)?, id);
        match files::size(&path) {
            Ok(size) => Ok(Upload { id, path, size }),
            Err(_) => {
                let about = json!({ "upload": id.to_string() });
                Err(Failure::new(Code::BlobUploadUnknown, "there is no such upload").about(about))
            }
        }
    }

    /// Removes uploads that nobody has gone on with for a day.
    pub(crate) fn forget_abandoned(&self) -> io::Result<()> {
        self.storage.forget_abandoned()
    }

    /// Ends an upload without a blob.
    pub(crate) fn cancel_upload(&self, request: &Request, id: Uuid) -> Result<(), Failure> {
        let upload = self.upload(request, id)?;
        Ok(files::remove_file(&upload.path)?)
    }

    /// Makes what was uploaded the blob of this digest. Other content ends the upload.
    pub(crate) fn finish_upload(
        &self,
        request: &Request,
        upload: &Upload,
        digest: &Digest,
    ) -> Result<(), Failure> {
        let found = storage::digest_of(&upload.path, digest.algorithm().hasher())?;
        if found != *digest {
            files::remove_file(&upload.path)?;
            let about = json!({ "expected": digest.to_string(), "found": found.to_string() });
            let message = "what was uploaded has another digest";
            return Err(Failure::new(Code::DigestInvalid, message).about(about));
        }
        self.with(request, Right::Push, |connection, place| {
            self.storage.keep(&upload.path, digest)?;
            Ok(image::add_blob(connection, place, &digest.to_string())?)
        })
    }

    /// Takes a blob over from another name, or from any that may be pulled; else begins an upload.
    pub(crate) fn mount(
        &self,
        request: &Request,
        digest: &Digest,
        from: Option<&ImageName>,
    ) -> Result<Mounted, Failure> {
        let mounted = self.with(request, Right::Push, |connection, place| {
            let readable = readable(connection, request, digest, from)?;
            if readable {
                image::add_blob(connection, place, &digest.to_string())?;
            }
            Ok(readable)
        })?;
        if mounted { Ok(Mounted::Blob) } else { self.begin_upload(request).map(Mounted::Upload) }
    }

    /// Keeps a manifest and lets tags mean it, the reference's and others.
    pub(crate) fn put_manifest(
        &self,
        request: &Request,
        reference: &Reference,
        tags: &[String],
        content_type: Option<&str>,
        bytes: &[u8],
    ) -> Result<Stored, Failure> {
        let manifest = Manifest::parse(content_type, bytes)?;
        let (digest, tag) = match reference {
            Reference::Tag(tag) => (Digest::of(Algorithm::Sha256, bytes), Some(tag)),
            Reference::Digest(expected) => (Digest::of(expected.algorithm(), bytes), None),
        };
        if let Reference::Digest(expected) = reference
            && *expected != digest
        {
            let about = json!({ "expected": expected.to_string(), "found": digest.to_string() });
            return Err(Failure::new(Code::DigestInvalid, "the manifest has another digest").about(about));
        }
        self.with(request, Right::Push, |connection, place| {
            check_parts(connection, place, &manifest)?;
            self.storage.keep_bytes(bytes, &digest)?;
            let row = row(&manifest, &digest, bytes.len());
            let Place { repository, image } = place;
            // An image without a tag is recorded, too; each tag is recorded with it.
            let tags = tag.into_iter().chain(tags).map(Some);
            for tag in std::iter::once(None).chain(tags) {
                let tag = tag.map(String::as_str);
                repository::record_image(connection, repository, image, tag, &row.digest, now_millis())?;
            }
            Ok(image::set_manifest(connection, place, &row)?)
        })?;
        Ok(Stored { digest, subject: manifest.subject })
    }

    /// The repository, if the session's role may push to it.
    fn pushable(&self, request: &Request) -> Result<RepositoryId, Failure> {
        let Request { context, name } = request;
        self.account.catalog().transaction(Intent::Read, |connection| {
            Ok(privileges::repository(connection, context, name.repository(), Right::Push)?)
        })
    }
}

/// Whether the blob can be had from that name, or from any name where none is given.
fn readable(
    connection: &Connection,
    request: &Request,
    digest: &Digest,
    from: Option<&ImageName>,
) -> Result<bool, Failure> {
    let digest = digest.to_string();
    let Some(from) = from else {
        let roles = privileges::roles(connection, &request.context)?;
        return Ok(image::is_readable_anywhere(connection, &roles, &digest)?);
    };
    // A name that may not be pulled is as good as none.
    let Ok(repository) = privileges::repository(connection, &request.context, from.repository(), Right::Pull)
    else {
        return Ok(false);
    };
    Ok(image::has_blob(connection, Place { repository, image: from.image() }, &digest)?)
}

/// Refuses a manifest whose parts were not pushed before it.
fn check_parts(connection: &Connection, place: Place<'_>, manifest: &Manifest) -> Result<(), Failure> {
    let missing = |digest: &Digest| {
        let about = json!({ "digest": digest.to_string() });
        let message = "a part of the manifest was not pushed";
        Failure::new(Code::ManifestBlobUnknown, message).about(about)
    };
    for digest in &manifest.blobs {
        if !image::has_blob(connection, place, &digest.to_string())? {
            return Err(missing(digest));
        }
    }
    for digest in &manifest.manifests {
        if image::manifest(connection, place, &digest.to_string())?.is_none() {
            return Err(missing(digest));
        }
    }
    Ok(())
}

fn row(manifest: &Manifest, digest: &Digest, size: usize) -> ManifestRow {
    let Manifest { media_type, blobs: _, manifests: _, subject, artifact_type, annotations } = manifest;
    ManifestRow {
        digest: digest.to_string(),
        media_type: media_type.clone(),
        size: u64::try_from(size).unwrap_or(u64::MAX),
        subject: subject.as_ref().map(Digest::to_string),
        artifact_type: artifact_type.clone(),
        annotations: serde_json::Value::Object(annotations.clone()).to_string(),
    }
}
