//! What a plan consists of.

use crate::desired::Origin;
use crate::object::name::{Ident, ObjectName, SchemaName};
use crate::object::reading::Users;
use crate::object::state::{Contents, Grant, Object, ObjectId};
use crate::object::statement::{Hazard, Operation};

/// What happens to one object, and why.
#[derive(Clone, Debug)]
pub struct Change {
    /// The object.
    pub id: ObjectId,
    /// What happens to it.
    pub action: Action,
    /// Why this and not a milder action; for people, never read by a deploy.
    pub reason: Reason,
    /// The attributes that differ.
    pub attributes: Vec<AttributeChange>,
    /// The governance tags that differ.
    pub tags: Vec<TagChange>,
    /// The grants that differ.
    pub grants: Vec<GrantChange>,
    /// What the definition declares of it; nothing where it shall not exist.
    pub desired: Option<Object>,
    /// What was read of it; nothing where it was not listed.
    pub live: Option<Object>,
    /// What stands inside and would go, where that was read.
    pub contents: Option<Contents>,
    /// Who uses that, where it was looked for.
    pub users: Option<Users>,
    /// Who asked for it.
    pub origin: Origin,
    /// What is carried out, in order.
    pub steps: Vec<Step>,
    /// Changes of one wave do not wait for each other; a wave begins when the one before has ended.
    pub wave: usize,
}

/// A schema that is created, so that objects can stand in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaCreation {
    /// The schema.
    pub schema: SchemaName,
    /// What is carried out.
    pub step: Step,
}

/// What happens to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// Nothing.
    NoOp,
    /// It is created.
    Create,
    /// It is changed in place.
    Alter,
    /// A new one is put in its place.
    Replace,
    /// It is dropped.
    Drop,
}

impl Action {
    /// The stable name, as the JSON plan spells it.
    pub fn name(self) -> &'static str {
        match self {
            Self::NoOp => "no-op",
            Self::Create => "create",
            Self::Alter => "alter",
            Self::Replace => "replace",
            Self::Drop => "drop",
        }
    }
}

/// Why a change is what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It was not listed.
    NotListed,
    /// Every declared attribute is as declared.
    AsDeclared,
    /// Declared attributes, tags or grants differ.
    Differs,
    /// It was there, and becomes this project's.
    Adopted,
    /// A declared attribute differs that cannot change in place.
    CannotAlter,
    /// Its replacement was asked for.
    ReplaceAsked,
    /// Its destruction was asked for.
    DestroyAsked,
    /// It is named under `removed`.
    Removed,
    /// A plan that is undone created it.
    Undone,
    /// It carries the project's mark and is not declared any more.
    Pruned,
    /// It was to be destroyed, and was not listed.
    NothingToDestroy,
}

impl Reason {
    /// The stable name, as the JSON plan spells it.
    pub fn name(self) -> &'static str {
        match self {
            Self::NotListed => "not-listed",
            Self::AsDeclared => "as-declared",
            Self::Differs => "differs",
            Self::Adopted => "adopted",
            Self::CannotAlter => "cannot-alter",
            Self::ReplaceAsked => "replace-asked",
            Self::DestroyAsked => "destroy-asked",
            Self::Removed => "removed",
            Self::Undone => "undone",
            Self::Pruned => "pruned",
            Self::NothingToDestroy => "nothing-to-destroy",
        }
    }
}

/// An attribute that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttributeChange {
    /// Its name.
    pub field: &'static str,
    /// The live value; nothing where the object was not listed.
    pub before: Option<String>,
    /// The declared value.
    pub after: String,
}

/// A governance tag that is not as declared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagChange {
    /// The tag.
    pub tag: ObjectName,
    /// The live value; nothing where it is not set.
    pub before: Option<String>,
    /// The declared value.
    pub after: String,
}

/// A grant that is not as declared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantChange {
    /// The grant.
    pub grant: Grant,
    /// What happens to it.
    pub action: GrantAction,
}

/// What happens to a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrantAction {
    /// It is declared and not there.
    Grant,
    /// It is there and not declared, and the declared ones are all that shall be.
    Revoke,
    /// It is there and not declared, and stays.
    Keep,
}

impl GrantAction {
    /// The stable name, as the JSON plan spells it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Grant => "grant",
            Self::Revoke => "revoke",
            Self::Keep => "keep",
        }
    }
}

/// One operation, with its dangers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What is carried out.
    pub operation: Operation,
    /// What must be allowed before.
    pub hazards: Vec<Hazard>,
    /// The role it runs under, where that is not the session's.
    pub role: Option<Ident>,
}
