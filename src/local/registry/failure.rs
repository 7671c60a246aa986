//! Why the registry refuses: the error codes of the OCI distribution specification.

use super::super::error::LocalError;
use super::super::sql::failure::SqlFailure;
use serde_json::{Value, json};
use std::io;

/// A code of the specification's table of errors, with the HTTP status that it comes with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    BlobUnknown,
    BlobUploadInvalid,
    BlobUploadUnknown,
    DigestInvalid,
    ManifestBlobUnknown,
    ManifestInvalid,
    ManifestUnknown,
    NameInvalid,
    NameUnknown,
    /// More than the registry takes.
    SizeInvalid,
    Unauthorized,
    Denied,
    Unsupported,
    /// A chunk that does not follow on the one before, or a range that is not there.
    RangeInvalid,
    /// A parameter that cannot be read.
    PaginationNumberInvalid,
    TagInvalid,
    /// The account itself failed.
    Unknown,
}

impl Code {
    /// As the error's JSON spells it, and the HTTP status.
    pub(crate) fn parts(self) -> (&'static str, u16) {
        match self {
            Self::BlobUnknown => ("BLOB_UNKNOWN", 404),
            Self::BlobUploadInvalid => ("BLOB_UPLOAD_INVALID", 400),
            Self::BlobUploadUnknown => ("BLOB_UPLOAD_UNKNOWN", 404),
            Self::DigestInvalid => ("DIGEST_INVALID", 400),
            // Some clients take 404 for a missing repository; the specification's own example is 400.
            Self::ManifestBlobUnknown => ("MANIFEST_BLOB_UNKNOWN", 400),
            Self::ManifestInvalid => ("MANIFEST_INVALID", 400),
            Self::ManifestUnknown => ("MANIFEST_UNKNOWN", 404),
            Self::NameInvalid => ("NAME_INVALID", 400),
            Self::NameUnknown => ("NAME_UNKNOWN", 404),
            Self::SizeInvalid => ("SIZE_INVALID", 413),
            Self::Unauthorized => ("UNAUTHORIZED", 401),
            Self::Denied => ("DENIED", 403),
            Self::Unsupported => ("UNSUPPORTED", 405),
            Self::RangeInvalid => ("BLOB_UPLOAD_INVALID", 416),
            Self::PaginationNumberInvalid => ("PAGINATION_NUMBER_INVALID", 400),
            Self::TagInvalid => ("TAG_INVALID", 400),
            Self::Unknown => ("UNKNOWN", 500),
        }
    }
}

/// A refusal. Holds no secret.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) code: Code,
    pub(crate) message: String,
    /// What exactly is meant, such as the digest that is missing.
    pub(crate) detail: Option<Value>,
}

impl Failure {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), detail: None }
    }

    /// The same with what it is about.
    pub(crate) fn about(self, detail: Value) -> Self {
        Self { detail: Some(detail), ..self }
    }

    /// The body of the answer.
    pub(crate) fn document(&self) -> Value {
        let Self { code, message, detail } = self;
        json!({"errors": [{"code": code.parts().0, "message": message, "detail": detail}]})
    }
}

impl From<LocalError> for Failure {
    fn from(error: LocalError) -> Self {
        Self::new(Code::Unknown, error.to_string())
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        LocalError::from(error).into()
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::new(Code::Unknown, format!("the local account's image files cannot be used: {error}"))
    }
}

impl From<SqlFailure> for Failure {
    fn from(failure: SqlFailure) -> Self {
        let SqlFailure { code, sql_state: _, message } = failure;
        let code = match code {
            2003 => Code::NameUnknown,
            3001 => Code::Denied,
            _ => Code::Unknown,
        };
        // The first line says what kind of failure it is, which is the code here.
        let message = message.lines().last().unwrap_or_default().to_owned();
        Self::new(code, message)
    }
}
