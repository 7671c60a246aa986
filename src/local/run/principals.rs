//! `CREATE` and `DROP ROLE`, and who is given which role.

use super::super::catalog::principal::{self, MemberId, Role};
use super::super::sql::ast::{CreateMode, Member};
use super::super::sql::failure::SqlFailure;
use super::repositories::{dropped, dropped_already, exists_already};
use super::table::status;
use super::{Ran, Run};
use crate::object::name::Ident;
use crate::session::Rows;

impl Run<'_> {
    /// The role, or the failure that there is none. Everybody may know which roles there are.
    pub(super) fn role(&self, name: &Ident) -> Ran<Role> {
        let found = principal::find_role(self.connection, name)?;
        found.ok_or_else(|| SqlFailure::does_not_exist("Role", name.as_str()))
    }

    pub(super) fn create_role(&self, name: &Ident, mode: CreateMode, comment: &str) -> Ran<Rows> {
        self.must_have_on_account("CREATE ROLE")?;
        if let Some(existing) = principal::find_role(self.connection, name)? {
            match mode {
                CreateMode::Plain => return Err(SqlFailure::already_exists(name.as_str())),
                CreateMode::IfNotExists => return Ok(exists_already(name)),
                CreateMode::OrReplace => self.remove_role(name, &existing)?,
            }
        }
        principal::insert_role(self.connection, name, self.access.role, comment, self.now)?;
        Ok(status(format!("Role {} successfully created.", name.as_str())))
    }

    pub(super) fn drop_role(&self, name: &Ident, if_exists: bool) -> Ran<Rows> {
        if if_exists && principal::find_role(self.connection, name)?.is_none() {
            return Ok(dropped_already(name));
        }
        let role = self.role(name)?;
        self.remove_role(name, &role)?;
        Ok(dropped(name))
    }

    /// Deletes a role; the role that does it inherits what the deleted one owned.
    fn remove_role(&self, name: &Ident, role: &Role) -> Ran<()> {
        let owner = role.owner.ok_or_else(|| SqlFailure::system_role(name.as_str()))?;
        // A role that drops itself would leave the statement, and what it inherits, without a role.
        if role.id == self.access.role {
            return Err(SqlFailure::insufficient_privileges("role", name.as_str()));
        }
        self.must_own(owner, "role", name)?;
        Ok(principal::delete_role(self.connection, role.id, self.access.role)?)
    }

    pub(super) fn change_membership(&self, revoke: bool, name: &Ident, member: &Member) -> Ran<Rows> {
        let role = self.role(name)?;
        let may = self.access.manages_grants || role.owner.is_some_and(|owner| self.access.owns(owner));
        if !may {
            return Err(SqlFailure::insufficient_privileges("role", name.as_str()));
        }
        let member_id = match member {
            Member::Role(other) => MemberId::Role(self.role(other)?.id),
            Member::User(user) => MemberId::User(self.user(user)?.id),
        };
        if revoke {
            if !principal::remove_member(self.connection, role.id, member_id)? {
                return Err(SqlFailure::does_not_exist("Role", name.as_str()));
            }
            return Ok(status("Statement executed successfully."));
        }
        if let (MemberId::Role(to), Member::Role(to_name)) = (member_id, member)
            && principal::roles_held_by_role(self.connection, role.id)?.contains(&to)
        {
            return Err(SqlFailure::role_cycle(name.as_str(), to_name.as_str()));
        }
        principal::add_member(self.connection, role.id, member_id, self.access.role, self.now)?;
        Ok(status("Statement executed successfully."))
    }
}
