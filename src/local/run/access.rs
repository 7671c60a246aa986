//! What a role may do: through itself, through the roles granted to it, through PUBLIC.

use super::super::catalog::Id;
use super::super::catalog::grant::{self, ObjectRef};
use super::super::catalog::principal;
use super::super::sql::failure::SqlFailure;
use super::Ran;
use crate::object::name::Ident;
use rusqlite::Connection;

/// The account as an object of grants.
pub(super) const ACCOUNT: ObjectRef = ObjectRef { kind: "ACCOUNT", id: 0 };

/// The rights of the role that a statement runs under.
pub(super) struct Access {
    /// The role itself.
    pub(super) role: Id,
    /// Every role whose rights it has, itself among them.
    pub(super) held: Vec<Id>,
    /// Whether it may see and grant everything (MANAGE GRANTS).
    pub(super) manages_grants: bool,
}

impl Access {
    /// The rights of the role of this name.
    pub(super) fn of(connection: &Connection, role: &Ident) -> Ran<Self> {
        let found = principal::find_role(connection, role)?;
        let role = found.ok_or_else(|| SqlFailure::does_not_exist("Role", role.as_str()))?.id;
        let held = principal::roles_held_by_role(connection, role)?;
        let manages_grants = grant::has(connection, ACCOUNT, "MANAGE GRANTS", &held, false)?;
        Ok(Self { role, held, manages_grants })
    }

    /// Whether the object belongs to it.
    pub(super) fn owns(&self, owner: Id) -> bool {
        self.held.contains(&owner)
    }

    /// Whether it may know that the object is there.
    pub(super) fn sees(&self, connection: &Connection, object: ObjectRef, owner: Id) -> Ran<bool> {
        Ok(self.manages_grants || self.owns(owner) || grant::any(connection, object, &self.held)?)
    }

    /// Whether it has this privilege on the object; an owner has all of them.
    pub(super) fn has(
        &self,
        connection: &Connection,
        object: ObjectRef,
        owner: Id,
        privilege: &str,
    ) -> Ran<bool> {
        Ok(self.owns(owner) || grant::has(connection, object, privilege, &self.held, false)?)
    }

    /// Whether it has this privilege on the account.
    pub(super) fn has_on_account(&self, connection: &Connection, privilege: &str) -> Ran<bool> {
        Ok(grant::has(connection, ACCOUNT, privilege, &self.held, false)?)
    }
}
