//! The port: everything that reaches an account goes through [`Session`].
//!
//! Two adapters implement it, `snowflake` (a real account, or `local serve`, over HTTP) and `local` (the
//! embedded account, in process); tests add recordings and failures.

use crate::object::name::Ident;
pub use crate::object::rows::{Column, Row, Rows};
use crate::object::statement::{Operation, Sql};
use std::future::Future;
use std::pin::Pin;

/// What a session's methods return: a boxed future, so that adapters can be chosen at run time.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, SessionError>> + Send + 'a>>;

/// Who talks to which account, as the account itself reported it after login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The account identifier, upper case (`MYORG-MYACCOUNT`; `LOCAL` for the embedded account).
    pub account: String,
    /// The host that answered, with its port where it is not the default; `embedded` for the embedded account.
    pub host: String,
    /// The user's login name.
    pub user: String,
    /// The role that statements run under, if the account gave one.
    pub role: Option<Ident>,
    /// The database that incomplete names complete from.
    pub database: Option<Ident>,
    /// The schema that incomplete names complete from.
    pub schema: Option<Ident>,
}

/// A way to an account. Requests may be made side by side; an adapter bounds what it sends at once.
pub trait Session: Send + Sync {
    /// Who talks to which account.
    fn identity(&self) -> &Identity;

    /// Runs a statement for its rows; one that changes something is carried out at most once, as by
    /// [`Session::perform`]. `role`: the role to run it under, where it is not the session's.
    fn query<'a>(&'a self, sql: &'a Sql, role: Option<&'a Ident>) -> Answer<'a, Rows>;

    /// Carries out an operation of a plan, at most once even where an answer is lost on the way.
    fn perform<'a>(&'a self, operation: &'a Operation, role: Option<&'a Ident>) -> Answer<'a, Performed>;

    /// Ends the session; failures are of no consequence and are not reported.
    fn close<'a>(&'a self) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>>;
}

/// What is known of an operation that was carried out.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Performed {
    /// The account's id of the statement, where it gave one.
    pub query_id: Option<String>,
}

/// Why a session could not be had, or a statement not be carried out.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The account refused a statement. Branch on `code`; show `message` as it is.
    #[error("{message}")]
    Sql {
        /// Snowflake's error code as a number, `2003` for `002003`.
        code: u32,
        /// The five characters of the SQL state, where given.
        sql_state: Option<String>,
        /// The account's own words.
        message: String,
        /// The account's id of the statement, where it gave one.
        query_id: Option<String>,
        /// Whether an earlier try of the same request had gone unanswered: then "already exists" may speak of
        /// what that try did.
        after_retry: bool,
    },
    /// The account did not accept who we are, or the role we asked for.
    #[error("{message}")]
    Authentication {
        /// Snowflake's error code, where it gave one.
        code: Option<u32>,
        /// What was refused, in a sentence; never holds a secret.
        message: String,
        /// What to do about it.
        help: String,
    },
    /// Nothing was reached, or it went silent, through all tries.
    #[error("{message}")]
    Unreachable {
        /// What was tried and how it failed.
        message: String,
        /// What to do about it.
        help: String,
    },
    /// Something answered that does not speak Snowflake's protocol, or not as documented.
    #[error("{message}")]
    Protocol {
        /// What was expected and what came.
        message: String,
        /// What to do about it.
        help: String,
    },
}

/// Error codes that change what is done next, by their meaning (snowflake-cli `api/errno.py`; the tests of
/// terraform-provider-snowflake against real accounts). Every other code is shown and not interpreted.
pub mod code {
    /// The object exists already.
    pub const ALREADY_EXISTS: u32 = 2002;
    /// The object exists already, in the words of some object types.
    pub const ALREADY_EXISTS_IN_DOMAIN: u32 = 1998;
    /// The object exists, but the role may not see it.
    pub const EXISTS_WITHOUT_PRIVILEGES: u32 = 3041;
    /// The object does not exist, or the role may not see it.
    pub const DOES_NOT_EXIST: u32 = 2003;
    /// The same, as some listings say of a missing schema or database.
    pub const CANNOT_BE_PERFORMED: u32 = 2043;
    /// The role lacks a privilege.
    pub const INSUFFICIENT_PRIVILEGES: u32 = 3001;
}

impl SessionError {
    /// The account's error code, where it gave one.
    pub fn code(&self) -> Option<u32> {
        match self {
            Self::Sql { code, .. } => Some(*code),
            Self::Authentication { code, .. } => *code,
            Self::Unreachable { .. } | Self::Protocol { .. } => None,
        }
    }

    /// Whether the account says that the object is not there, or not there for this role.
    pub fn is_absence(&self) -> bool {
        matches!(self.code(), Some(code::DOES_NOT_EXIST | code::CANNOT_BE_PERFORMED))
    }

    /// Whether the account says that the name is taken.
    pub fn is_taken(&self) -> bool {
        use code::{ALREADY_EXISTS, ALREADY_EXISTS_IN_DOMAIN, EXISTS_WITHOUT_PRIVILEGES};
        matches!(self.code(), Some(ALREADY_EXISTS | ALREADY_EXISTS_IN_DOMAIN | EXISTS_WITHOUT_PRIVILEGES))
    }

    /// Whether an earlier try of this request may have taken effect without an answer.
    pub fn is_after_retry(&self) -> bool {
        matches!(self, Self::Sql { after_retry: true, .. })
    }
}
