//! The registry's endpoints: the OCI distribution specification 1.1, and Snowflake's `/login`.
//!
//! An address is an image's name, which holds slashes, and what is asked of it; [`Endpoint`] takes it apart.

mod answer;
mod content;
mod sign_in;
mod uploads;

use super::super::registry::failure::{Code, Failure};
use super::super::registry::reference::{Digest, ImageName, Reference};
use super::super::registry::{Registry, Request as Asked};
use super::Shared;
use answer::failed;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
pub(super) use sign_in::{LOGIN_PATH, basic, login};
use std::sync::Arc;
use uuid::Uuid;

/// What an address asks of the registry.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Endpoint {
    /// Whether this is a registry and the credentials are good.
    Base,
    Manifest(ImageName, Reference),
    Blob(ImageName, Digest),
    Uploads(ImageName),
    Upload(ImageName, Uuid),
    Tags(ImageName),
    Referrers(ImageName, Digest),
}

impl Endpoint {
    /// Takes a path apart; nothing where it is no address of a registry.
    fn parse(path: &str) -> Result<Option<Self>, Failure> {
        let Some(rest) = path.strip_prefix("/v2/") else { return Ok(None) };
        if rest.is_empty() {
            return Ok(Some(Self::Base));
        }
        // Names may hold these words, too, so the last of them counts.
        let before = |word: &str| rest.rsplit_once(word);
        if let Some(name) = rest.strip_suffix("/blobs/uploads/").or(rest.strip_suffix("/blobs/uploads")) {
            return Ok(Some(Self::Uploads(ImageName::parse(name)?)));
        }
        if let Some(name) = rest.strip_suffix("/tags/list") {
            return Ok(Some(Self::Tags(ImageName::parse(name)?)));
        }
        if let Some((name, id)) = before("/blobs/uploads/") {
            let unknown = |_| Failure::new(Code::BlobUploadUnknown, "there is no such upload");
            return Ok(Some(Self::Upload(ImageName::parse(name)?, Uuid::parse_str(id).map_err(unknown)?)));
        }
        let (head, last) = rest.rsplit_once('/').unwrap_or_default();
        let (name, word) = head.rsplit_once('/').unwrap_or_default();
        Ok(match word {
            "manifests" => Some(Self::Manifest(ImageName::parse(name)?, Reference::parse(last)?)),
            "blobs" => Some(Self::Blob(ImageName::parse(name)?, Digest::parse(last)?)),
            "referrers" => Some(Self::Referrers(ImageName::parse(name)?, Digest::parse(last)?)),
            _ => None,
        })
    }

    /// The image that is asked for.
    fn name(&self) -> Option<&ImageName> {
        match self {
            Self::Base => None,
            Self::Uploads(name) | Self::Tags(name) => Some(name),
            Self::Manifest(name, _) => Some(name),
            Self::Blob(name, _) | Self::Referrers(name, _) => Some(name),
            Self::Upload(name, _) => Some(name),
        }
    }
}

/// One request on its way, after its credentials.
struct Visit {
    asked: Asked,
    registry: Registry,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
}

impl Visit {
    /// The first parameter of this name, decoded.
    fn parameter(&self, name: &str) -> Option<String> {
        self.parameters(name).into_iter().next()
    }

    /// Every parameter of this name, decoded.
    fn parameters(&self, name: &str) -> Vec<String> {
        let pairs = axum::extract::Query::<Vec<(String, String)>>::try_from_uri(&self.uri);
        let pairs = pairs.map(|query| query.0).unwrap_or_default();
        pairs.into_iter().filter(|(key, _)| key == name).map(|(_, value)| value).collect()
    }

    /// A header's text.
    fn header(&self, name: impl axum::http::header::AsHeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Does what waits for files and for the catalog on a thread of its own.
    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Registry, &Asked) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let (registry, asked) = (self.registry.clone(), self.asked.clone());
        let done = tokio::task::spawn_blocking(move || work(&registry, &asked)).await;
        done.unwrap_or_else(|error| Err(Failure::new(Code::Unknown, error.to_string())))
    }
}

/// Every request below `/v2/`.
pub(super) async fn serve(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let endpoint = match Endpoint::parse(&decoded(parts.uri.path())) {
        Ok(Some(endpoint)) => endpoint,
        Ok(None) => return StatusCode::NOT_FOUND.into_response(),
        Err(failure) => return failed(&failure),
    };
    let context = match sign_in::context(&shared, &parts.headers) {
        Ok(context) => context,
        Err(failure) => return sign_in::challenge(&shared, &failure, &parts.method, endpoint.name()),
    };
    let Some(name) = endpoint.name().cloned() else { return answer::base() };
    let served = async {
        let registry = shared.account.registry()?;
        if parts.method == Method::DELETE
            && !matches!(endpoint, Endpoint::Upload(..))
            && !shared.config.registry_deletes
        {
            let message = "images cannot be deleted one by one; dropping the repository removes all of them";
            return Err(Failure::new(Code::Unsupported, message));
        }
        let asked = Asked { context, name };
        let (method, uri, headers) = (parts.method, parts.uri, parts.headers);
        dispatch(endpoint, Visit { asked, registry, method, uri, headers }, body).await
    };
    served.await.unwrap_or_else(|failure| failed(&failure))
}

async fn dispatch(endpoint: Endpoint, visit: Visit, body: Body) -> Result<Response, Failure> {
    let reads = matches!(visit.method, Method::GET | Method::HEAD);
    match (endpoint, visit.method.as_str()) {
        (Endpoint::Manifest(_, reference), "PUT") => content::put_manifest(visit, reference, body).await,
        (Endpoint::Manifest(_, reference), "DELETE") => content::delete_manifest(visit, reference).await,
        (Endpoint::Manifest(_, reference), _) if reads => content::manifest(visit, reference).await,
        (Endpoint::Blob(_, digest), "DELETE") => content::delete_blob(visit, digest).await,
        (Endpoint::Blob(_, digest), _) if reads => content::blob(visit, digest).await,
        (Endpoint::Tags(_), _) if reads => content::tags(visit).await,
        (Endpoint::Referrers(_, digest), _) if reads => content::referrers(visit, digest).await,
        (Endpoint::Uploads(_), "POST") => uploads::begin(visit, body).await,
        (Endpoint::Upload(_, id), "PATCH") => uploads::append(visit, id, body).await,
        (Endpoint::Upload(_, id), "PUT") => uploads::finish(visit, id, body).await,
        (Endpoint::Upload(_, id), "DELETE") => uploads::cancel(visit, id).await,
        (Endpoint::Upload(_, id), _) if reads => uploads::status(visit, id).await,
        _ => Err(Failure::new(Code::Unsupported, "the registry does no such thing here")),
    }
}

/// A path with its percent signs resolved; `$` is written with them in addresses.
fn decoded(path: &str) -> String {
    let bytes = path.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = path.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(path: &str) -> Option<Endpoint> {
        Endpoint::parse(path).unwrap()
    }

    #[test]
    fn addresses_are_taken_apart_at_their_end() {
        let name = |path: &str| ImageName::parse(path).unwrap();
        let digest = format!("sha256:{}", "0".repeat(64));
        assert_eq!(parsed("/v2/"), Some(Endpoint::Base));
        assert_eq!(parsed("/v2/a/b/c/d/tags/list"), Some(Endpoint::Tags(name("a/b/c/d"))));
        assert_eq!(
            parsed("/v2/a/b/c/manifests/blobs/manifests/v1"),
            Some(Endpoint::Manifest(name("a/b/c/manifests/blobs"), Reference::Tag("v1".to_owned())))
        );
        assert_eq!(
            parsed(&format!("/v2/a/b/c/d/e/blobs/{digest}")),
            Some(Endpoint::Blob(name("a/b/c/d/e"), Digest::parse(&digest).unwrap()))
        );
        assert_eq!(parsed("/v2/a/b/c/d/blobs/uploads/"), Some(Endpoint::Uploads(name("a/b/c/d"))));
        let id = Uuid::nil();
        assert_eq!(
            parsed(&format!("/v2/a/b/c/d/blobs/uploads/{id}")),
            Some(Endpoint::Upload(name("a/b/c/d"), id))
        );
        for nothing in ["/v2/_catalog", "/v2/a/b", "/v3/", "/v2/a/b/c/d/other/x"] {
            assert_eq!(parsed(nothing), None, "{nothing}");
        }
        for wrong in ["/v2/a/b/c/manifests/v1", "/v2/a/b/c/d/manifests/-", "/v2/a/b/c/d/blobs/uploads/x"] {
            assert!(Endpoint::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn percent_signs_are_resolved_once() {
        assert_eq!(decoded("/v2/a%24b/%2524/100%/%zz/ä"), "/v2/a$b/%24/100%/%zz/ä");
    }
}
