//! What the account answers when it does not carry a statement out: code, SQL state and Snowflake's words.
//!
//! Codes and texts come from assertions of official clients' and the Terraform provider's tests against real
//! accounts. Where neither is public the comment says "unconfirmed".

use std::fmt;

/// A refused statement.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code:06} ({sql_state}): {message}")]
pub struct SqlFailure {
    /// Snowflake's error code as a number, `2003` for `002003`.
    pub code: u32,
    /// The five characters of the SQL state.
    pub sql_state: &'static str,
    /// The account's words, as a client shows them.
    pub message: String,
}

impl SqlFailure {
    fn new(code: u32, sql_state: &'static str, message: String) -> Self {
        Self { code, sql_state, message }
    }

    fn compilation(code: u32, sql_state: &'static str, detail: impl fmt::Display) -> Self {
        Self::new(code, sql_state, format!("SQL compilation error:\n{detail}"))
    }

    /// The text does not read as SQL at this place; `line` counts from 1, `position` from 0.
    pub(crate) fn syntax(line: usize, position: usize, unexpected: &str) -> Self {
        let detail = format!("syntax error line {line} at position {position} unexpected '{unexpected}'.");
        Self::compilation(1003, "42000", detail)
    }

    /// A statement or clause that Snowflake knows and this account does not do.
    pub(crate) fn unsupported(feature: &str) -> Self {
        Self::new(2, "0A000", format!("Unsupported feature '{feature}'."))
    }

    /// More, or fewer, statements than the request announced.
    pub(crate) fn statement_count(actual: usize, desired: usize) -> Self {
        let message =
            format!("Actual statement count {actual} did not match the desired statement count {desired}.");
        Self::new(8, "0A000", message)
    }

    /// Nothing but white space and comments.
    pub(crate) fn empty_statement() -> Self {
        Self::compilation(900, "42601", "Empty SQL statement.")
    }

    /// Two clauses that exclude each other. The code is unconfirmed.
    pub(crate) fn conflicting_clauses(one: &str, other: &str) -> Self {
        Self::compilation(2050, "42601", format!("options {one} and {other} are incompatible."))
    }

    /// A bare word where a value is wanted.
    pub(crate) fn invalid_identifier(word: &str) -> Self {
        Self::compilation(904, "42000", format!("invalid identifier '{}'", word.to_uppercase()))
    }

    /// A function that does not exist here.
    pub(crate) fn unknown_function(name: &str) -> Self {
        Self::compilation(2140, "42601", format!("Unknown function {name}"))
    }

    /// A value that a property does not take.
    pub(crate) fn invalid_value(value: &str, property: &str) -> Self {
        Self::compilation(1008, "22023", format!("invalid value ['{value}'] for parameter '{property}'"))
    }

    /// A part of a name that only quotes permit, where an image repository is concerned. The text is what a
    /// real account says; its numeric code is not public: 1420 and 22023 are unconfirmed.
    pub(crate) fn quoted_repository_name(name: impl fmt::Display) -> Self {
        let detail = format!(
            "Invalid name {name}: db, schema and repo names for an image repo must be unquoted identifiers."
        );
        Self::compilation(1420, "22023", detail)
    }

    /// The name is taken.
    pub(crate) fn already_exists(name: impl fmt::Display) -> Self {
        Self::compilation(2002, "42710", format!("Object '{name}' already exists."))
    }

    /// The name is taken by something that the role may not see.
    pub(crate) fn exists_unseen(name: impl fmt::Display) -> Self {
        let detail = format!(
            "Object '{name}' already exists, but current role has no privileges on it. If this is unexpected \
             and you cannot resolve this problem, contact your system administrator. ACCOUNTADMIN role may \
             be required to manage the privileges on the object."
        );
        Self::compilation(3041, "42710", detail)
    }

    /// There is no such object, or not for this role. `kind` as in `Image Repository`.
    pub(crate) fn does_not_exist(kind: &str, name: impl fmt::Display) -> Self {
        Self::compilation(2003, "02000", format!("{kind} '{name}' does not exist or not authorized."))
    }

    /// `USE` of something that is not there, or not for this role.
    pub(crate) fn cannot_be_performed() -> Self {
        Self::compilation(2043, "02000", "Object does not exist, or operation cannot be performed.")
    }

    /// A privilege is missing. `kind` in lower case, as in `schema`.
    pub(crate) fn insufficient_privileges(kind: &str, name: impl fmt::Display) -> Self {
        let message =
            format!("SQL access control error:\nInsufficient privileges to operate on {kind} '{name}'");
        Self::new(3001, "42501", message)
    }

    /// A role that the user does not have.
    pub(crate) fn role_not_assigned(role: impl fmt::Display) -> Self {
        let message = format!(
            "SQL access control error:\nRequested role '{role}' is not assigned to the executing user. \
             Specify another role to activate."
        );
        Self::new(3013, "42501", message)
    }

    /// Ownership moves while grants depend on it. Code and SQL state are unconfirmed.
    pub(crate) fn dependent_grants(privilege: &str, kind: &str, name: impl fmt::Display) -> Self {
        let message = format!(
            "SQL execution error:\nDependent grant of privilege '{privilege}' on securable '{kind} {name}' \
             exists. It must be revoked first. To revoke all dependent grants while transferring object \
             ownership, use convenience command 'GRANT OWNERSHIP ON <target_objects> TO <target_role> REVOKE \
             CURRENT GRANTS'."
        );
        Self::new(3036, "0LP01", message)
    }

    /// A role would, through others, be granted to itself. Code and SQL state are unconfirmed.
    pub(crate) fn role_cycle(role: impl fmt::Display, to: impl fmt::Display) -> Self {
        let message =
            format!("SQL execution error:\nGranting role '{role}' to '{to}' would create a cycle of roles.");
        Self::new(3037, "0LP01", message)
    }

    /// One of the roles that every account has. Code and SQL state are unconfirmed.
    pub(crate) fn system_role(role: impl fmt::Display) -> Self {
        Self::compilation(3005, "42501", format!("Role '{role}' is a system-defined role."))
    }

    /// An incomplete name, and no database to complete it from. `operation` as in `CREATE IMAGE REPOSITORY`.
    pub(crate) fn no_database(operation: &str) -> Self {
        let message = format!(
            "Cannot perform {operation}. This session does not have a current database. Call 'USE DATABASE', \
             or use a qualified name."
        );
        Self::new(90105, "22000", message)
    }

    /// An incomplete name, and no schema to complete it from.
    pub(crate) fn no_schema(operation: &str) -> Self {
        let message = format!(
            "Cannot perform {operation}. This session does not have a current schema. Call 'USE SCHEMA', or \
             use a qualified name."
        );
        Self::new(90106, "22000", message)
    }

    /// The catalog itself could not be read or written.
    pub(crate) fn internal(detail: impl fmt::Display) -> Self {
        let message = format!(
            "SQL execution internal error:\nThe local account's catalog cannot be used: {detail}. If this \
             stays, `snowform local reset` makes a new one."
        );
        Self::new(603, "XX000", message)
    }
}

impl From<rusqlite::Error> for SqlFailure {
    fn from(error: rusqlite::Error) -> Self {
        Self::internal(error)
    }
}
