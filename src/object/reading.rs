//! What was read of an account: objects, what is known of their schemas, what stands inside them.

use super::name::{Ident, SchemaName};
use super::state::{Contents, ObjectId, ObjectType, State};
use std::collections::BTreeMap;

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
}

/// The scope that an object is read in.
pub fn scope_of(id: &ObjectId, role: Option<&Ident>) -> Scope {
    Scope { object_type: id.object_type, schema: id.name.schema.clone(), role: role.cloned() }
}
