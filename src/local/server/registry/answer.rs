//! Answers of the registry, and the headers that several of them share.

use super::super::super::registry::failure::{Code, Failure};
use super::super::super::registry::reference::ImageName;
use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::Value;
use uuid::Uuid;

/// The digest of what is answered.
pub(super) const CONTENT_DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");
/// What tells old clients that this is a registry of the second version.
const API_VERSION: (HeaderName, HeaderValue) =
    (HeaderName::from_static("docker-distribution-api-version"), HeaderValue::from_static("registry/2.0"));

/// An answer under construction.
pub(super) struct Answer(Response);

impl Answer {
    /// An answer with this status and nothing in it.
    pub(super) fn new(status: StatusCode) -> Self {
        let mut response = status.into_response();
        let (name, value) = API_VERSION;
        response.headers_mut().insert(name, value);
        Self(response)
    }

    /// Adds a header; text that no header can hold is left out.
    pub(super) fn header(mut self, name: HeaderName, value: impl ToString) -> Self {
        if let Ok(value) = HeaderValue::from_str(&value.to_string()) {
            self.0.headers_mut().append(name, value);
        }
        self
    }

    /// Adds the body, of this many bytes.
    pub(super) fn body(mut self, body: Body, length: u64) -> Self {
        self.0.headers_mut().insert(header::CONTENT_LENGTH, length.into());
        *self.0.body_mut() = body;
        self
    }

    /// Adds a JSON body.
    pub(super) fn json(self, media_type: &'static str, document: &Value) -> Self {
        let text = document.to_string();
        let length = u64::try_from(text.len()).unwrap_or(u64::MAX);
        self.header(header::CONTENT_TYPE, media_type).body(Body::from(text), length)
    }

    pub(super) fn done(self) -> Response {
        self.0
    }
}

/// The answer of `GET /v2/`.
pub(super) fn base() -> Response {
    Answer::new(StatusCode::OK).json("application/json", &serde_json::json!({})).done()
}

/// A refusal.
pub(super) fn failed(failure: &Failure) -> Response {
    failed_with(failure).done()
}

/// A refusal that more is to be said of.
pub(super) fn failed_with(failure: &Failure) -> Answer {
    if failure.code == Code::Unknown {
        tracing::warn!(message = failure.message, "the registry failed");
    }
    let (_, status) = failure.code.parts();
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    Answer::new(status).json("application/json", &failure.document())
}

/// Where a part of an image can be pulled; `kind` is `blobs` or `manifests`.
pub(super) fn location(name: &ImageName, kind: &str, reference: impl std::fmt::Display) -> String {
    format!("/v2/{}/{kind}/{reference}", encoded(name))
}

/// Where an upload goes on.
pub(super) fn upload_location(name: &ImageName, id: Uuid) -> String {
    location(name, "blobs/uploads", id)
}

/// A name in an address.
pub(super) fn encoded(name: &ImageName) -> String {
    name.to_string().replace('$', "%24")
}
