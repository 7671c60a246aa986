//! Uploads: begun, appended to in order, asked about, finished, cancelled.

use super::super::super::registry::failure::{Code, Failure};
use super::super::super::registry::reference::{Digest, ImageName};
use super::super::super::registry::{Mounted, Upload};
use super::Visit;
use super::answer::{Answer, CONTENT_DIGEST, failed_with, location, upload_location};
use crate::host::stream::Appender;
use axum::body::Body;
use axum::http::{HeaderName, StatusCode, header};
use axum::response::Response;
use futures_util::StreamExt as _;
use serde_json::json;
use std::io;
use uuid::Uuid;

const UPLOAD_ID: HeaderName = HeaderName::from_static("docker-upload-uuid");

/// `POST`: begins an upload; with `mount` a blob of another name is taken over, with `digest` the body is all.
pub(super) async fn begin(visit: Visit, body: Body) -> Result<Response, Failure> {
    if let Some(digest) = visit.parameter("mount") {
        return mount(visit, Digest::parse(&digest)?).await;
    }
    let whole = visit.parameter("digest").map(|text| Digest::parse(&text)).transpose()?;
    let upload = visit.work(|registry, asked| registry.begin_upload(asked)).await?;
    match whole {
        None => Ok(accepted(&visit, &upload)),
        Some(digest) => {
            let id = upload.id;
            let finished = receive_and_finish(&visit, upload, digest, body).await;
            if finished.is_err() {
                // Nobody knows this upload's name, so nobody can go on with it; it may be gone already.
                let _ = visit.work(move |registry, asked| registry.cancel_upload(asked, id)).await;
            }
            finished
        }
    }
}

async fn mount(visit: Visit, digest: Digest) -> Result<Response, Failure> {
    let from = visit.parameter("from").map(|name| ImageName::parse(&name)).transpose()?;
    let wanted = digest.clone();
    let mounted = visit.work(move |registry, asked| registry.mount(asked, &wanted, from.as_ref())).await?;
    Ok(match mounted {
        Mounted::Blob => created(&visit, &digest),
        Mounted::Upload(upload) => accepted(&visit, &upload),
    })
}

/// `PATCH`: appends a chunk.
pub(super) async fn append(visit: Visit, id: Uuid, body: Body) -> Result<Response, Failure> {
    let mut upload = visit.work(move |registry, asked| registry.upload(asked, id)).await?;
    let mut file = open(&upload).await?;
    if let Some(refusal) = out_of_order(&visit, &upload, &file) {
        return Ok(refusal);
    }
    upload.size = receive(&visit, &mut file, body).await?;
    Ok(accepted(&visit, &upload))
}

/// `PUT`: appends the last chunk, where there is one, and makes the upload a blob.
pub(super) async fn finish(visit: Visit, id: Uuid, body: Body) -> Result<Response, Failure> {
    let missing = || Failure::new(Code::DigestInvalid, "the parameter digest says what was uploaded");
    let digest = Digest::parse(&visit.parameter("digest").ok_or_else(missing)?)?;
    let upload = visit.work(move |registry, asked| registry.upload(asked, id)).await?;
    receive_and_finish(&visit, upload, digest, body).await
}

/// `GET`: how much is there.
pub(super) async fn status(visit: Visit, id: Uuid) -> Result<Response, Failure> {
    let upload = visit.work(move |registry, asked| registry.upload(asked, id)).await?;
    Ok(at(Answer::new(StatusCode::NO_CONTENT), &visit, &upload).done())
}

/// `DELETE`: ends the upload.
pub(super) async fn cancel(visit: Visit, id: Uuid) -> Result<Response, Failure> {
    visit.work(move |registry, asked| registry.cancel_upload(asked, id)).await?;
    Ok(Answer::new(StatusCode::NO_CONTENT).done())
}

async fn receive_and_finish(
    visit: &Visit,
    upload: Upload,
    digest: Digest,
    body: Body,
) -> Result<Response, Failure> {
    let mut file = open(&upload).await?;
    if let Some(refusal) = out_of_order(visit, &upload, &file) {
        return Ok(refusal);
    }
    receive(visit, &mut file, body).await?;
    let wanted = digest.clone();
    visit.work(move |registry, asked| registry.finish_upload(asked, &upload, &wanted)).await?;
    // Until here nobody else could append to what was being checked.
    drop(file);
    Ok(created(visit, &digest))
}

async fn open(upload: &Upload) -> Result<Appender, Failure> {
    Appender::open(&upload.path).await.map_err(|error| match error.kind() {
        io::ErrorKind::WouldBlock => {
            Failure::new(Code::RangeInvalid, "another request is uploading the same blob")
        }
        _ => error.into(),
    })
}

/// Writes the body behind what is there; the size after that. What came before a connection broke stays.
async fn receive(visit: &Visit, file: &mut Appender, body: Body) -> Result<u64, Failure> {
    let before = file.size();
    let mut pieces = body.into_data_stream();
    while let Some(piece) = pieces.next().await {
        let Ok(piece) = piece else {
            file.sync().await?;
            return Err(Failure::new(Code::BlobUploadInvalid, "the connection broke in the middle"));
        };
        file.write(&piece).await?;
    }
    let size = file.sync().await?;
    match range(visit) {
        Some((first, last)) if last.checked_sub(first).is_none_or(|span| span + 1 != size - before) => {
            Err(Failure::new(Code::BlobUploadInvalid, "the chunk is not as long as its Content-Range says"))
        }
        _ => Ok(size),
    }
}

/// The bytes that a chunk says it is, both ends included.
fn range(visit: &Visit) -> Option<(u64, u64)> {
    let text = visit.header(header::CONTENT_RANGE)?;
    let (first, last) = text.strip_prefix("bytes ").unwrap_or(text).split_once('-')?;
    let last = last.split('/').next()?;
    Some((first.parse().ok()?, last.parse().ok()?))
}

/// The refusal of a chunk that does not begin where the upload ends; it says where that is.
fn out_of_order(visit: &Visit, upload: &Upload, file: &Appender) -> Option<Response> {
    let stated = visit.header(header::CONTENT_RANGE)?;
    if range(visit).is_some_and(|(first, _)| first == file.size()) {
        return None;
    }
    let about = json!({ "contentRange": stated, "size": file.size() });
    let failure = Failure::new(Code::RangeInvalid, "the chunk does not begin where the upload ends");
    Some(at(failed_with(&failure.about(about)), visit, upload).done())
}

/// Where the upload goes on, and how much of it is there.
fn at(answer: Answer, visit: &Visit, upload: &Upload) -> Answer {
    answer
        .header(header::LOCATION, upload_location(&visit.asked.name, upload.id))
        .header(header::RANGE, format!("0-{}", upload.size.saturating_sub(1)))
        .header(UPLOAD_ID, upload.id)
}

fn accepted(visit: &Visit, upload: &Upload) -> Response {
    at(Answer::new(StatusCode::ACCEPTED), visit, upload).done()
}

fn created(visit: &Visit, digest: &Digest) -> Response {
    Answer::new(StatusCode::CREATED)
        .header(header::LOCATION, location(&visit.asked.name, "blobs", digest))
        .header(CONTENT_DIGEST, digest)
        .done()
}
