//! The session protocol's messages, written once: the client in `snowflake/` and the server in `local/` share
//! these types, so neither can drift from the other.
//!
//! Shapes: fixtures of the official drivers (gosnowflake `test_data/wiremock`, snowflake-connector-nodejs
//! `wiremock`, snowflake-connector-python `test/data/wiremock`). Every member that was seen missing or null
//! is optional; unknown members are ignored.

use serde::{Deserialize, Deserializer, Serialize};
use std::collections::BTreeMap;

/// Reads null as the type's default, for members that accounts send as null.
fn or_default<'de, T: Deserialize<'de> + Default, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

/// Reads a number that nothing depends on: one that does not fit is nothing, and no reason to fail.
fn lenient<'de, D: Deserializer<'de>>(from: D) -> Result<Option<i64>, D::Error> {
    let number: Option<serde_json::Number> = Option::deserialize(from)?;
    Ok(number.and_then(|number| number.as_i64()))
}

/// Every answer's envelope. Application errors come with HTTP 200 and `success: false`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Envelope<T> {
    /// The answer proper; null on most failures.
    pub data: Option<T>,
    /// A six-digit code, as text; null on plain success.
    #[serde(default)]
    pub code: Option<String>,
    /// Words for a person.
    #[serde(default)]
    pub message: Option<String>,
    /// Whether the request did what it asked for (also true for "still running").
    #[serde(default, deserialize_with = "or_default")]
    pub success: bool,
}

/// `POST /session/v1/login-request`, the body. Has no `Debug` on purpose.
#[derive(Clone, Serialize, Deserialize)]
pub struct LoginRequest {
    /// The credentials.
    pub data: LoginData,
    /// What the account gave to go on from, between the steps of a login that waits for a person.
    #[serde(rename = "inFlightCtx", default, skip_serializing_if = "Option::is_none")]
    pub in_flight: Option<serde_json::Value>,
}

/// The credentials and the client's identity. `Debug` is safe only because clients never log bodies.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub struct LoginData {
    /// The account's name, without region.
    pub account_name: String,
    /// The user; absent for methods that carry it in their token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login_name: Option<String>,
    /// For password logins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// The method; absent for a plain password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authenticator: Option<String>,
    /// The token of the method: JWT, programmatic access token, OAuth token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// `passcode` or `push`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ext_authn_duo_method: Option<String>,
    /// The one-time code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passcode: Option<String>,
    /// Which driver this is; accounts grant some features by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_app_id: Option<String>,
    /// Its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_app_version: Option<String>,
    /// Free-form facts about the client.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub client_environment: BTreeMap<String, serde_json::Value>,
    /// Session parameters to set at login.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub session_parameters: BTreeMap<String, serde_json::Value>,
    /// `ALL` or `NONE`: which further roles take part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secondary_roles: Option<String>,
    /// What binds the token of a browser to the one who asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof_key: Option<String>,
    /// Where on this machine the browser is to come back to: a port, as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub browser_mode_redirect_port: Option<String>,
    /// What the identity provider Okta answered, whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw_saml_response: Option<String>,
    /// Who vouches for a workload: `AWS`, `AZURE`, `GCP`, `OIDC`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// The token of the service that this runs in, beside whatever else is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spcs_token: Option<String>,
}

impl std::fmt::Debug for LoginData {
    /// Names the method and the user, never a credential.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LoginData")
            .field("account_name", &self.account_name)
            .field("login_name", &self.login_name)
            .field("authenticator", &self.authenticator)
            .finish_non_exhaustive()
    }
}

/// The login's answer. Holds tokens; has no `Debug` on purpose.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct LoginAnswer {
    /// The session token.
    pub token: Option<String>,
    /// The token's life, in seconds.
    #[serde(deserialize_with = "lenient")]
    pub validity_in_seconds: Option<i64>,
    /// The token that renews the session token.
    pub master_token: Option<String>,
    /// Its life, in seconds.
    #[serde(deserialize_with = "lenient")]
    pub master_validity_in_seconds: Option<i64>,
    /// The user, as the account displays it.
    pub display_user_name: Option<String>,
    /// The server's version.
    pub server_version: Option<String>,
    /// A number beyond 32 bits.
    #[serde(deserialize_with = "lenient")]
    pub session_id: Option<i64>,
    /// Parameters in force, of mixed JSON types.
    #[serde(deserialize_with = "or_default")]
    pub parameters: Vec<Parameter>,
    /// Where the session stands.
    #[serde(deserialize_with = "or_default")]
    pub session_info: SessionInfo,
    /// On a login that is not finished: what the account wants next (`RETRY_LOGIN`, `EXT_AUTHN_DUO_ALL`,
    /// `PWD_CHANGE`).
    pub next_action: Option<String>,
    /// What to go on from with that.
    pub in_flight_ctx: Option<serde_json::Value>,
    /// A token that stands for the person's sign-in next time.
    pub id_token: Option<String>,
    /// A token that stands for the second factor next time.
    pub mfa_token: Option<String>,
}

/// The answer to `POST /session/authenticator-request`, whose request is a login's. Holds a secret; has no `Debug`
/// on purpose.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AuthenticatorAnswer {
    /// Where the person signs in.
    pub sso_url: Option<String>,
    /// What the login must show to use what the browser brings.
    pub proof_key: Option<String>,
    /// Where name and password are exchanged for a token, of identity providers that have such a thing.
    pub token_url: Option<String>,
}

/// A session parameter.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Parameter {
    /// Its name, upper case.
    pub name: String,
    /// Its value.
    #[serde(default)]
    pub value: serde_json::Value,
}

/// Where a session stands after login; members are null where nothing is set.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SessionInfo {
    /// The current database.
    pub database_name: Option<String>,
    /// The current schema.
    pub schema_name: Option<String>,
    /// The current warehouse.
    pub warehouse_name: Option<String>,
    /// The current role.
    pub role_name: Option<String>,
}

/// `POST /queries/v1/query-request`, the body.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct QueryRequest {
    /// The statement; a trailing semicolon is fine.
    pub sql_text: String,
    /// Whether to answer at once with "still running".
    pub async_exec: bool,
    /// Counts the statements of a session.
    pub sequence_id: u64,
    /// Whether a driver, not a person, asks.
    pub is_internal: bool,
    /// Whether only the columns are wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub describe_only: Option<bool>,
    /// Parameters for this statement alone.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, serde_json::Value>,
}

/// The answer to a statement: rows, or the address to ask again, or an error's particulars.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct QueryAnswer {
    /// The session's parameters, again; official drivers read it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameters: Option<Vec<Parameter>>,
    /// The columns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rowtype: Option<Vec<RowType>>,
    /// The first rows; every cell a text or null.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rowset: Option<Vec<Vec<Option<String>>>>,
    /// The rows as Arrow, which this tool never asks for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rowset_base64: Option<String>,
    /// Rows in all.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient")]
    pub total: Option<i64>,
    /// Rows in this answer and its chunks.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient")]
    pub returned: Option<i64>,
    /// The statement's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query_id: Option<String>,
    /// Where the session stands after the statement.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub final_database_name: Option<String>,
    /// See `final_database_name`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub final_schema_name: Option<String>,
    /// See `final_database_name`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub final_warehouse_name: Option<String>,
    /// See `final_database_name`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub final_role_name: Option<String>,
    /// What kind of statement it was.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient")]
    pub statement_type_id: Option<i64>,
    /// `json` or `arrow`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query_result_format: Option<String>,
    /// Further rows, to be fetched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chunks: Option<Vec<Chunk>>,
    /// Headers to send when fetching chunks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chunk_headers: Option<BTreeMap<String, String>>,
    /// The key to send when fetching chunks, where no headers are given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub qrmk: Option<String>,
    /// While the statement runs: where to ask again (relative).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub get_result_url: Option<String>,
    /// While the statement runs: after how many seconds it is given up unless somebody asks.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient")]
    pub query_aborts_after_secs: Option<i64>,
    /// Of several statements in one request: the id of each one's result, separated by commas.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result_ids: Option<String>,
    /// See `result_ids`: what kind of statement each one was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result_types: Option<String>,
    /// On failure: the SQL state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sql_state: Option<String>,
    /// On failure: the code again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
}

/// One column of an answer.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RowType {
    /// Its name.
    pub name: String,
    /// Its type: `text`, `fixed`, `timestamp_ltz`, …
    #[serde(rename = "type", deserialize_with = "or_default")]
    pub kind: String,
    /// Whether a cell may be null.
    #[serde(deserialize_with = "or_default")]
    pub nullable: bool,
    /// Digits behind the point, or of a second.
    #[serde(deserialize_with = "lenient")]
    pub scale: Option<i64>,
    /// Digits in all.
    #[serde(deserialize_with = "lenient")]
    pub precision: Option<i64>,
    /// The longest text, in characters.
    #[serde(deserialize_with = "lenient")]
    pub length: Option<i64>,
    /// The longest text, in bytes.
    #[serde(deserialize_with = "lenient")]
    pub byte_length: Option<i64>,
}

/// A part of a large result, kept elsewhere.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Chunk {
    /// Its signed address.
    pub url: String,
    /// Its rows.
    #[serde(deserialize_with = "or_default")]
    pub row_count: i64,
    /// Its size in bytes, unpacked.
    #[serde(deserialize_with = "or_default")]
    pub uncompressed_size: i64,
    /// Its size in bytes, packed.
    #[serde(deserialize_with = "or_default")]
    pub compressed_size: i64,
}

/// `POST /session/token-request`, the body; sent under the master token.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TokenRequest {
    /// The token to be replaced.
    pub old_session_token: String,
    /// `RENEW`, or `ISSUE` for a registry token.
    pub request_type: String,
}

/// The answer to a token request. Holds tokens; has no `Debug` on purpose.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TokenAnswer {
    /// The new session token.
    pub session_token: Option<String>,
    /// Its life, in seconds.
    #[serde(rename = "validityInSecondsST", deserialize_with = "lenient")]
    pub validity_in_seconds: Option<i64>,
    /// The new master token, where one was given.
    pub master_token: Option<String>,
    /// Its life, in seconds.
    #[serde(rename = "validityInSecondsMT", deserialize_with = "lenient")]
    pub master_validity_in_seconds: Option<i64>,
    /// The session.
    #[serde(deserialize_with = "lenient")]
    pub session_id: Option<i64>,
}

/// `POST /queries/v1/abort-request`, the body.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AbortRequest {
    /// The request that started the statement.
    pub request_id: String,
}

/// Codes of the envelope that steer a client (gosnowflake `restful.go`, snowflake-connector-python
/// `network.py`).
pub mod code {
    /// The statement runs on; ask again.
    pub const QUERY_IN_PROGRESS: &str = "333333";
    /// The statement runs on, detached; ask again.
    pub const QUERY_IN_PROGRESS_ASYNC: &str = "333334";
    /// The session token has expired; renew it with the master token.
    pub const SESSION_EXPIRED: &str = "390112";
    /// The session token is not known; log in again.
    pub const SESSION_INVALID: &str = "390104";
    /// The session is gone; log in again.
    pub const SESSION_GONE: &str = "390111";
    /// The master token is not known; log in again.
    pub const MASTER_NOT_FOUND: &str = "390113";
    /// The master token has expired; log in again.
    pub const MASTER_EXPIRED: &str = "390114";
    /// The master token is not valid; log in again.
    pub const MASTER_INVALID: &str = "390115";
    /// Wrong user name or password.
    pub const WRONG_PASSWORD: &str = "390100";
    /// The role does not exist, or is not granted to the user.
    pub const ROLE_NOT_GRANTED: &str = "390189";
    /// The JWT was not accepted.
    pub const JWT_INVALID: &str = "390144";
    /// The programmatic access token was not accepted.
    pub const PAT_INVALID: &str = "394400";
    /// The OAuth token was not accepted.
    pub const OAUTH_INVALID: &str = "390303";
    /// The OAuth token has expired.
    pub const OAUTH_EXPIRED: &str = "390318";
    /// The kept id token was not accepted.
    pub const ID_TOKEN_INVALID: &str = "390195";
    /// A one-time code is needed.
    pub const MFA_REQUIRED: &str = "394508";
}
