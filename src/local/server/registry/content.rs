//! What is there: manifests, blobs, tags, referrers.

use super::super::super::registry::Found;
use super::super::super::registry::failure::{Code, Failure};
use super::super::super::registry::manifest::MAX_BYTES;
use super::super::super::registry::reference::{self, Digest, Reference};
use super::Visit;
use super::answer::{Answer, CONTENT_DIGEST, encoded, location};
use crate::host::stream;
use axum::body::{self, Body};
use axum::http::{HeaderName, Method, StatusCode, header};
use axum::response::Response;
use serde_json::json;

const INDEX_TYPE: &str = "application/vnd.oci.image.index.v1+json";
const SUBJECT: HeaderName = HeaderName::from_static("oci-subject");
const TAG: HeaderName = HeaderName::from_static("oci-tag");
const FILTERS: HeaderName = HeaderName::from_static("oci-filters-applied");

/// `GET` and `HEAD` of a manifest.
pub(super) async fn manifest(visit: Visit, reference: Reference) -> Result<Response, Failure> {
    let Found { row, bytes } =
        visit.work(move |registry, asked| registry.manifest(asked, &reference)).await?;
    let body = if visit.method == Method::HEAD { Body::empty() } else { Body::from(bytes) };
    Ok(Answer::new(StatusCode::OK)
        .header(header::CONTENT_TYPE, row.media_type)
        .header(header::ETAG, format!("\"{}\"", row.digest))
        .header(CONTENT_DIGEST, row.digest)
        .body(body, row.size)
        .done())
}

/// `PUT` of a manifest.
pub(super) async fn put_manifest(
    visit: Visit,
    reference: Reference,
    body: Body,
) -> Result<Response, Failure> {
    let tags =
        visit.parameters("tag").iter().map(|tag| reference::tag(tag)).collect::<Result<Vec<_>, _>>()?;
    let bytes = body::to_bytes(body, MAX_BYTES)
        .await
        .map_err(|_| Failure::new(Code::SizeInvalid, "a manifest may have 4 MiB, and must arrive whole"))?;
    let content_type = visit.header(header::CONTENT_TYPE).map(str::to_owned);
    let accepted = tags.clone();
    let (stored, reference) = visit
        .work(move |registry, asked| {
            let stored = registry.put_manifest(asked, &reference, &tags, content_type.as_deref(), &bytes)?;
            Ok((stored, reference))
        })
        .await?;
    let place = match reference {
        Reference::Tag(tag) => location(&visit.asked.name, "manifests", tag),
        Reference::Digest(digest) => location(&visit.asked.name, "manifests", digest),
    };
    let mut answer = Answer::new(StatusCode::CREATED)
        .header(header::LOCATION, place)
        .header(CONTENT_DIGEST, stored.digest);
    if let Some(subject) = stored.subject {
        answer = answer.header(SUBJECT, subject);
    }
    Ok(accepted.into_iter().fold(answer, |answer, tag| answer.header(TAG, tag)).done())
}

/// `DELETE` of a manifest or a tag.
pub(super) async fn delete_manifest(visit: Visit, reference: Reference) -> Result<Response, Failure> {
    visit.work(move |registry, asked| registry.delete_manifest(asked, &reference)).await?;
    Ok(Answer::new(StatusCode::ACCEPTED).done())
}

/// `GET` and `HEAD` of a blob, or of a part of it.
pub(super) async fn blob(visit: Visit, digest: Digest) -> Result<Response, Failure> {
    let wanted = digest.clone();
    let (path, size) = visit.work(move |registry, asked| registry.blob(asked, &wanted)).await?;
    let answer = |status| {
        Answer::new(status)
            .header(header::CONTENT_TYPE, "application/octet-stream")
            .header(header::ACCEPT_RANGES, "bytes")
            .header(header::ETAG, format!("\"{digest}\""))
            .header(CONTENT_DIGEST, &digest)
    };
    if visit.method == Method::HEAD {
        return Ok(answer(StatusCode::OK).body(Body::empty(), size).done());
    }
    let (answer, start, length) = match part(visit.header(header::RANGE), size) {
        Part::Whole => (answer(StatusCode::OK), 0, size),
        Part::Bytes(start, end) => {
            let range = format!("bytes {start}-{end}/{size}");
            (answer(StatusCode::PARTIAL_CONTENT).header(header::CONTENT_RANGE, range), start, end - start + 1)
        }
        Part::Nowhere => {
            let range = format!("bytes */{size}");
            return Ok(answer(StatusCode::RANGE_NOT_SATISFIABLE).header(header::CONTENT_RANGE, range).done());
        }
    };
    Ok(answer.body(Body::from_stream(stream::read(path, start, length)), length).done())
}

/// `DELETE` of a blob.
pub(super) async fn delete_blob(visit: Visit, digest: Digest) -> Result<Response, Failure> {
    visit.work(move |registry, asked| registry.delete_blob(asked, &digest)).await?;
    Ok(Answer::new(StatusCode::ACCEPTED).done())
}

/// Which part of a blob is asked for.
#[derive(Debug, PartialEq, Eq)]
enum Part {
    Whole,
    /// From this byte to that, both included.
    Bytes(u64, u64),
    /// Behind the end.
    Nowhere,
}

/// Reads `Range: bytes=…`. What is no such range, or several, is answered with the whole (RFC 9110, 14.2).
fn part(header: Option<&str>, size: u64) -> Part {
    let Some((first, last)) = header.and_then(|text| text.strip_prefix("bytes=")?.split_once('-')) else {
        return Part::Whole;
    };
    let end = size.saturating_sub(1);
    match (first.parse::<u64>(), last.parse::<u64>()) {
        (Ok(start), Ok(last)) if start <= last && start < size => Part::Bytes(start, last.min(end)),
        (Ok(start), Ok(last)) if start <= last => Part::Nowhere,
        (Ok(start), Err(_)) if last.is_empty() && start < size => Part::Bytes(start, end),
        (Ok(_), Err(_)) if last.is_empty() => Part::Nowhere,
        (Err(_), Ok(count)) if first.is_empty() && count > 0 && size > 0 => {
            Part::Bytes(size.saturating_sub(count), end)
        }
        (Err(_), Ok(_)) if first.is_empty() => Part::Nowhere,
        _ => Part::Whole,
    }
}

/// `GET` of the tags of an image.
pub(super) async fn tags(visit: Visit) -> Result<Response, Failure> {
    let limit = match visit.parameter("n") {
        Some(text) => Some(text.parse::<usize>().map_err(|_| {
            Failure::new(Code::PaginationNumberInvalid, "n is no number of tags").about(json!({ "n": text }))
        })?),
        None => None,
    };
    let after = visit.parameter("last").unwrap_or_default();
    let page = visit.work(move |registry, asked| registry.tags(asked, limit, &after)).await?;
    let name = &visit.asked.name;
    let document = json!({ "name": name.to_string(), "tags": page.tags });
    let mut answer = Answer::new(StatusCode::OK).json("application/json", &document);
    if let (true, Some(limit), Some(last)) = (page.more, limit, page.tags.last()) {
        let next = format!("</v2/{}/tags/list?n={limit}&last={last}>; rel=\"next\"", encoded(name));
        answer = answer.header(header::LINK, next);
    }
    Ok(answer.done())
}

/// `GET` of what says something about a manifest.
pub(super) async fn referrers(visit: Visit, digest: Digest) -> Result<Response, Failure> {
    let artifact_type = visit.parameter("artifactType").filter(|text| !text.is_empty());
    let filtered = artifact_type.is_some();
    let found = visit
        .work(move |registry, asked| registry.referrers(asked, &digest, artifact_type.as_deref()))
        .await?;
    let document = json!({ "schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": found });
    let answer = Answer::new(StatusCode::OK).json(INDEX_TYPE, &document);
    Ok(if filtered { answer.header(FILTERS, "artifactType") } else { answer }.done())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_cut_to_what_is_there() {
        let cases = [
            (None, Part::Whole),
            (Some("bytes=0-3"), Part::Bytes(0, 3)),
            (Some("bytes=2-99"), Part::Bytes(2, 9)),
            (Some("bytes=9-"), Part::Bytes(9, 9)),
            (Some("bytes=-4"), Part::Bytes(6, 9)),
            (Some("bytes=-40"), Part::Bytes(0, 9)),
            (Some("bytes=10-"), Part::Nowhere),
            (Some("bytes=10-20"), Part::Nowhere),
            (Some("bytes=-0"), Part::Nowhere),
            (Some("bytes=3-2"), Part::Whole),
            (Some("bytes=0-1,3-4"), Part::Whole),
            (Some("items=0-1"), Part::Whole),
        ];
        for (header, expected) in cases {
            assert_eq!(part(header, 10), expected, "{header:?}");
        }
        assert_eq!(part(Some("bytes=0-"), 0), Part::Nowhere);
        assert_eq!(part(Some("bytes=-1"), 0), Part::Nowhere);
    }
}
