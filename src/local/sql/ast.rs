//! The statements that the embedded account carries out, as types.

use crate::object::name::{Ident, PartialName};
use serde_json::Value;

/// One statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Statement {
    /// `CREATE IMAGE REPOSITORY`.
    CreateRepository(CreateRepository),
    /// `ALTER IMAGE REPOSITORY`.
    AlterRepository { name: PartialName, if_exists: bool, change: RepositoryChange },
    /// `DROP` of any kind of object.
    Drop { kind: DropKind, name: PartialName, if_exists: bool },
    /// `CREATE DATABASE`.
    CreateDatabase { name: Ident, mode: CreateMode, comment: String },
    /// `CREATE SCHEMA`.
    CreateSchema { name: PartialSchema, mode: CreateMode, comment: String },
    /// `CREATE ROLE`.
    CreateRole { name: Ident, mode: CreateMode, comment: String },
    /// `CREATE USER`.
    CreateUser { name: Ident, mode: CreateMode, properties: UserProperties },
    /// `ALTER USER`; without a name it is the current user.
    AlterUser { name: Option<Ident>, if_exists: bool, change: UserChange },
    /// `GRANT` and `REVOKE` of privileges.
    Privileges(PrivilegeChange),
    /// `GRANT OWNERSHIP`.
    Ownership { target: Target, to: Ident, current_grants: CurrentGrants },
    /// `GRANT ROLE` and `REVOKE ROLE`.
    RoleMembership { revoke: bool, role: Ident, member: Member },
    /// `SHOW` of any kind.
    Show(Show),
    /// `USE`.
    Use(Use),
    /// `ALTER SESSION SET`; names are upper case, values a text, a number or a boolean.
    SetParameters(Vec<(String, Value)>),
    /// `ALTER SESSION UNSET`; names are upper case.
    UnsetParameters(Vec<String>),
    /// `SELECT` without a table.
    Select(Vec<SelectItem>),
}

impl Statement {
    /// Whether carrying it out can change the catalog, so that it must hold the catalog's write lock.
    pub(crate) fn writes(&self) -> bool {
        !matches!(
            self,
            Self::Show(_)
                | Self::Use(_)
                | Self::SetParameters(_)
                | Self::UnsetParameters(_)
                | Self::Select(_)
        )
    }
}

/// What to do when the object is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CreateMode {
    /// Fail.
    Plain,
    /// Drop it first.
    OrReplace,
    /// Leave it.
    IfNotExists,
}

/// `CREATE IMAGE REPOSITORY`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CreateRepository {
    pub(crate) name: PartialName,
    pub(crate) mode: CreateMode,
    pub(crate) encryption: Encryption,
    pub(crate) comment: String,
    pub(crate) tags: Vec<(PartialName, String)>,
}

/// How a repository's images are encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encryption {
    /// On the client's side and the server's; the default.
    Full,
    /// On the server's side.
    Sse,
}

impl Encryption {
    /// The word in statements and in SHOW.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Full => "SNOWFLAKE_FULL",
            Self::Sse => "SNOWFLAKE_SSE",
        }
    }
}

/// What `ALTER IMAGE REPOSITORY` changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RepositoryChange {
    /// `SET COMMENT`.
    Comment(String),
    /// `SET TAG`.
    SetTags(Vec<(PartialName, String)>),
    /// `UNSET TAG`.
    UnsetTags(Vec<PartialName>),
}

/// What `DROP` drops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DropKind {
    ImageRepository,
    Database,
    Schema,
    Role,
    User,
}

/// A schema as somebody wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PartialSchema {
    pub(crate) database: Option<Ident>,
    pub(crate) schema: Ident,
}

/// The properties of `CREATE USER` and `ALTER USER SET`; only what was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct UserProperties {
    pub(crate) password: Option<String>,
    pub(crate) rsa_public_key: Option<String>,
    pub(crate) rsa_public_key_2: Option<String>,
    pub(crate) default_role: Option<Ident>,
    pub(crate) comment: Option<String>,
}

/// The properties that `ALTER USER UNSET` takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UserProperty {
    Password,
    RsaPublicKey,
    RsaPublicKey2,
    DefaultRole,
    Comment,
}

/// What `ALTER USER` changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum UserChange {
    Set(UserProperties),
    Unset(Vec<UserProperty>),
    AddToken { name: Ident, days: u32, role: Option<Ident> },
    RemoveToken { name: Ident },
}

/// The kinds of object that privileges are granted on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SecurableKind {
    Account,
    Database,
    Schema,
    ImageRepository,
}

/// An object of a GRANT; the account has no name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Account,
    Database(Ident),
    Schema(PartialSchema),
    ImageRepository(PartialName),
}

impl Target {
    /// Its kind.
    pub(crate) fn kind(&self) -> SecurableKind {
        match self {
            Self::Account => SecurableKind::Account,
            Self::Database(_) => SecurableKind::Database,
            Self::Schema(_) => SecurableKind::Schema,
            Self::ImageRepository(_) => SecurableKind::ImageRepository,
        }
    }
}

/// `GRANT` or `REVOKE` of privileges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PrivilegeChange {
    pub(crate) action: PrivilegeAction,
    /// Names out of the table of the target's kind; `ALL` is resolved.
    pub(crate) privileges: Vec<&'static str>,
    pub(crate) target: Target,
    pub(crate) role: Ident,
}

/// What happens to the privileges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PrivilegeAction {
    Grant { with_option: bool },
    Revoke,
    RevokeOption,
}

/// What becomes of the grants of an object that changes hands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CurrentGrants {
    /// Nothing was said: there must be none.
    Forbid,
    Copy,
    Revoke,
}

/// Who is given a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Member {
    Role(Ident),
    User(Ident),
}

/// What `SHOW` shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Show {
    Repositories {
        scope: Option<Scope>,
        filter: Filter,
    },
    Images {
        repository: PartialName,
        like: Option<String>,
    },
    Databases {
        filter: Filter,
    },
    Schemas {
        scope: Option<Scope>,
        filter: Filter,
    },
    Roles {
        filter: Filter,
    },
    Users {
        filter: Filter,
    },
    /// The embedded account runs none.
    Services,
    Parameters {
        like: Option<String>,
    },
    GrantsOn(Target),
    GrantsToRole(Ident),
    GrantsToUser(Option<Ident>),
    GrantsOfRole(Ident),
}

/// Where `SHOW … IN` looks; a name that was left out is the session's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    Account,
    Database(Option<Ident>),
    Schema(Option<PartialSchema>),
}

/// Which rows `SHOW` keeps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Filter {
    pub(crate) terse: bool,
    pub(crate) like: Option<String>,
    pub(crate) starts_with: Option<String>,
    pub(crate) limit: Option<usize>,
    pub(crate) from: Option<String>,
}

/// What `USE` makes current.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    Role(Ident),
    /// Accepted and without effect: the account has no secondary roles.
    SecondaryRoles,
    Warehouse(Ident),
    Database(Ident),
    Schema(PartialSchema),
}

/// One column of a `SELECT`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SelectItem {
    pub(crate) expression: Expression,
    /// The alias, or the expression's text in upper case.
    pub(crate) name: String,
}

/// A value without a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Expression {
    Text(String),
    Number(String),
    Boolean(bool),
    Null,
    /// A function by its upper-case name.
    Call {
        name: String,
        arguments: Vec<Self>,
    },
    IsNull {
        operand: Box<Self>,
        negated: bool,
    },
}
