//! Reading request bodies and writing answers.

use crate::wire::{Envelope, code};
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use flate2::read::GzDecoder;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io::Read as _;

/// The largest request body, in bytes, unpacked.
const MAX_UNPACKED: u64 = 32 * 1024 * 1024;

/// "Bad request", in the protocol's own numbers.
const BAD_REQUEST: &str = "390400";

/// An answer: an envelope, ready to be sent, perhaps more than once.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    status: StatusCode,
    body: Bytes,
}

impl Reply {
    /// Plain success.
    pub(super) fn success<T: Serialize>(data: T) -> Self {
        Self::of(&Envelope { data: Some(data), code: None, message: None, success: true })
    }

    /// Failure. The protocol reports it with HTTP 200.
    pub(super) fn failure(code: &str, message: impl Into<String>) -> Self {
        Self::failure_with(code, message, None::<()>)
    }

    /// Failure with particulars.
    pub(super) fn failure_with<T: Serialize>(
        code: &str,
        message: impl Into<String>,
        data: Option<T>,
    ) -> Self {
        Self::of(&Envelope {
            data,
            code: Some(code.to_owned()),
            message: Some(message.into()),
            success: false,
        })
    }

    /// The failure of a request that does not read as the protocol has it.
    pub(super) fn bad_request() -> Self {
        Self::failure(BAD_REQUEST, "The request's body is not what this endpoint expects.")
    }

    /// The failure of the account itself.
    pub(super) fn internal(error: &impl ToString) -> Self {
        Self::failure("000603", error.to_string())
    }

    /// The failure of a token that nobody gave out, which alone comes with HTTP 401.
    pub(super) fn unknown_token() -> Self {
        Self::failure(code::SESSION_INVALID, "Invalid token: log in again.")
            .with_status(StatusCode::UNAUTHORIZED)
    }

    /// Any envelope.
    pub(super) fn of<T: Serialize>(envelope: &Envelope<T>) -> Self {
        let body = serde_json::to_vec(envelope).expect("internal error: an envelope is always JSON");
        Self { status: StatusCode::OK, body: body.into() }
    }

    /// The same with another HTTP status.
    pub(super) fn with_status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        (self.status, [(header::CONTENT_TYPE, "application/json")], self.body).into_response()
    }
}

/// Reads a JSON body, gzip or not.
pub(super) fn read_json<T: DeserializeOwned>(headers: &HeaderMap, body: &Bytes) -> Result<T, Reply> {
    let packed = headers.get(header::CONTENT_ENCODING).is_some_and(|encoding| encoding == "gzip");
    let parsed = if packed {
        let mut unpacked = Vec::new();
        GzDecoder::new(body.as_ref())
            .take(MAX_UNPACKED)
            .read_to_end(&mut unpacked)
            .map_err(|_| Reply::bad_request())?;
        serde_json::from_slice(&unpacked)
    } else {
        serde_json::from_slice(body)
    };
    parsed.map_err(|_| Reply::bad_request())
}

/// The token of `Authorization: Snowflake Token="…"`.
pub(super) fn token(headers: &HeaderMap) -> Option<&str> {
    let header = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    header.strip_prefix("Snowflake Token=\"")?.strip_suffix('"')
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write as _;

    #[test]
    fn bodies_are_read_packed_and_plain_and_a_bomb_is_refused() {
        let plain = Bytes::from_static(b"{\"a\": 1}");
        let mut headers = HeaderMap::new();
        let read = |headers: &HeaderMap, body: &Bytes| read_json::<serde_json::Value>(headers, body).ok();
        assert_eq!(read(&headers, &plain).unwrap()["a"], 1);

        headers.insert(header::CONTENT_ENCODING, "gzip".parse().unwrap());
        assert!(read(&headers, &plain).is_none());
        let pack = |content: &[u8]| {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(content).unwrap();
            Bytes::from(encoder.finish().unwrap())
        };
        assert_eq!(read(&headers, &pack(&plain)).unwrap()["a"], 1);
        let mut bomb = b"[".to_vec();
        bomb.resize(40 * 1024 * 1024, b' ');
        bomb.push(b']');
        assert!(read(&headers, &pack(&bomb)).is_none());
    }

    #[test]
    fn tokens_stand_in_quotes() {
        let mut headers = HeaderMap::new();
        assert_eq!(token(&headers), None);
        headers.insert(header::AUTHORIZATION, "Snowflake Token=\"abc\"".parse().unwrap());
        assert_eq!(token(&headers), Some("abc"));
        headers.insert(header::AUTHORIZATION, "Bearer abc".parse().unwrap());
        assert_eq!(token(&headers), None);
    }
}
