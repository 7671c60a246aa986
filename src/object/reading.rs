//! What was read of an account: objects, what is known of their schemas, what stands inside them.

use super::name::{Ident, ObjectName, PartialName, SchemaName};
use super::state::{Contents, ObjectId, ObjectType, State};
use std::collections::{BTreeMap, BTreeSet};

/// A schema that is listed, under a role.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Scope {
    /// The type of the objects that are listed.
    pub object_type: ObjectType,
    /// The schema.
    pub schema: SchemaName,
    /// The role, where it is not the session's.
    pub role: Option<Ident>,
}

/// What a listing said of its schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScopeReading {
    /// It was listed.
    Listed,
    /// Its database does not exist, or the role may not use it.
    NoDatabase,
    /// It does not exist, or the role may not use it.
    NoSchema,
}

/// What was read.
#[derive(Clone, Debug, Default)]
pub struct Live {
    /// The objects that were asked for and are there.
    pub state: State,
    /// What is known of each schema that was asked for.
    pub scopes: BTreeMap<Scope, ScopeReading>,
    /// Objects of the same schemas that were not asked for, where those were to be read as well.
    pub siblings: State,
    /// What stands inside objects, where that was asked for.
    pub contents: BTreeMap<ObjectId, Contents>,
    /// Who uses what stands inside, where that was asked for.
    pub users: BTreeMap<ObjectId, Users>,
    /// What roles may do, where that was asked for.
    pub privileges: BTreeMap<Ident, Privileges>,
    /// The same of roles that give objects away, so far as it could be read: whether they still see them then.
    pub sight: BTreeMap<Ident, Privileges>,
}

/// The services that run images of a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Users {
    /// Of all services that the role may look into, these; and how many more there are that it may not.
    Listed {
        /// Their full names.
        names: Vec<ObjectName>,
        /// Services whose specification the role may not read.
        unread: usize,
    },
    /// The services could not be listed.
    Unknown {
        /// The account's words.
        why: String,
    },
}

/// What a role may do, by itself and by the roles that were granted to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Privileges {
    /// The role, and the roles that were granted to it, however indirectly.
    pub roles: BTreeSet<Ident>,
    /// Privileges on what is no role.
    pub held: BTreeSet<Privilege>,
}

/// One privilege of a role.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Privilege {
    /// The privilege, upper case.
    pub privilege: String,
    /// What it is on: `SCHEMA`, `DATABASE`, `ACCOUNT`.
    pub granted_on: String,
    /// The name of that, as the account spells it.
    pub name: String,
}

impl Privileges {
    /// Whether a privilege on a schema is held.
    pub fn on_schema(&self, privilege: &str, schema: &SchemaName) -> bool {
        self.has(privilege, "SCHEMA", |name| {
            let parsed = PartialName::parse(name).ok();
            parsed.is_some_and(|name| {
                name.schema.as_ref() == Some(&schema.database) && name.name == schema.schema
            })
        })
    }

    /// Whether a privilege on a database is held.
    pub fn on_database(&self, privilege: &str, database: &Ident) -> bool {
        self.has(privilege, "DATABASE", |name| Ident::parse(name).as_ref() == Ok(database))
    }

    /// Whether a privilege on the account is held.
    pub fn on_account(&self, privilege: &str) -> bool {
        self.has(privilege, "ACCOUNT", |_| true)
    }

    fn has(&self, privilege: &str, granted_on: &str, is_it: impl Fn(&str) -> bool) -> bool {
        self.held
            .iter()
            .any(|held| held.privilege == privilege && held.granted_on == granted_on && is_it(&held.name))
    }
}

/// The scope that an object is read in.
pub fn scope_of(id: &ObjectId, role: Option<&Ident>) -> Scope {
    Scope { object_type: id.object_type, schema: id.name.schema.clone(), role: role.cloned() }
}
