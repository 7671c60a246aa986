//! `GRANT` and `REVOKE` of privileges, and `GRANT OWNERSHIP`.

use super::super::catalog::grant::{self, NewGrant, ObjectRef};
use super::super::sql::ast::{CurrentGrants, PrivilegeAction, PrivilegeChange, Target};
use super::super::sql::failure::SqlFailure;
use super::access::ACCOUNT;
use super::resolve::{database_ref, repository_ref, schema_ref};
use super::table::status;
use super::{Ran, Run};
use crate::object::name::Ident;
use crate::session::Rows;

/// An object of a grant, found.
pub(super) struct Securable {
    pub(super) object: ObjectRef,
    /// Nobody owns the account.
    pub(super) owner: Option<i64>,
    /// As messages call the kind: `image repository`.
    pub(super) kind: &'static str,
    pub(super) name: String,
}

impl Run<'_> {
    /// The object of a grant, or the failure that it is not there for this role.
    pub(super) fn securable(&self, target: &Target, operation: &str) -> Ran<Securable> {
        let (object, owner, kind, name) = match target {
            Target::Account => (ACCOUNT, None, "account", super::super::ACCOUNT_NAME.to_owned()),
            Target::Database(name) => {
                let database = self.database(name)?;
                (database_ref(&database), Some(database.owner), "database", name.as_str().to_owned())
            }
            Target::Schema(name) => {
                let name = self.complete_schema(name, operation)?;
                let schema = self.schema(&name)?;
                (schema_ref(&schema), Some(schema.owner), "schema", name.schema.as_str().to_owned())
            }
            Target::ImageRepository(name) => {
                let name = self.complete(name, operation)?;
                let found = self.repository(&name)?;
                let shown = name.name.as_str().to_owned();
                (repository_ref(&found), Some(found.owner), "image repository", shown)
            }
        };
        Ok(Securable { object, owner, kind, name })
    }

    pub(super) fn change_privileges(&self, change: &PrivilegeChange) -> Ran<Rows> {
        let PrivilegeChange { action, privileges, target, role } = change;
        let operation = if matches!(action, PrivilegeAction::Grant { .. }) { "GRANT" } else { "REVOKE" };
        let on = self.securable(target, operation)?;
        let role = self.role(role)?.id;
        for privilege in privileges {
            let granted_by = self.grantor(&on, privilege)?;
            match action {
                PrivilegeAction::Grant { with_option } => {
                    let new = NewGrant {
                        object: on.object,
                        privilege,
                        role,
                        grant_option: *with_option,
                        granted_by,
                        created_on: self.now,
                    };
                    grant::insert(self.connection, &new)?;
                }
                PrivilegeAction::Revoke => grant::delete(self.connection, on.object, privilege, role)?,
                PrivilegeAction::RevokeOption => {
                    grant::delete_option(self.connection, on.object, privilege, role)?;
                }
            }
        }
        Ok(status("Statement executed successfully."))
    }

    /// In whose name the privilege is granted: the owner's, where the role is the owner or manages grants,
    /// its own where it holds the grant option. Otherwise the role may not grant it.
    fn grantor(&self, on: &Securable, privilege: &str) -> Ran<Option<i64>> {
        let owns = on.owner.is_some_and(|owner| self.access.owns(owner));
        if owns || self.access.manages_grants {
            return Ok(on.owner);
        }
        if grant::has(self.connection, on.object, privilege, &self.access.held, true)? {
            return Ok(Some(self.access.role));
        }
        Err(SqlFailure::insufficient_privileges(on.kind, &on.name))
    }

    pub(super) fn grant_ownership(&self, target: &Target, to: &Ident, grants: CurrentGrants) -> Ran<Rows> {
        let on = self.securable(target, "GRANT OWNERSHIP")?;
        let role = self.role(to)?.id;
        let owns = on.owner.is_some_and(|owner| self.access.owns(owner));
        if !(owns || self.access.manages_grants) {
            return Err(SqlFailure::insufficient_privileges(on.kind, &on.name));
        }
        let outbound = grant::on_object(self.connection, on.object)?;
        let dependent = outbound.iter().find(|grant| grant.privilege != "OWNERSHIP");
        match (grants, dependent) {
            (CurrentGrants::Forbid, Some(grant)) => {
                return Err(SqlFailure::dependent_grants(&grant.privilege, on.kind, &on.name));
            }
            (CurrentGrants::Forbid, None) => {}
            (CurrentGrants::Revoke, _) => self.settle_grants(on.object, role, false)?,
            (CurrentGrants::Copy, _) => {
                // Copied grants are granted in the new owner's name, which only some may do.
                if !(self.access.manages_grants || self.access.held.contains(&role)) {
                    return Err(SqlFailure::insufficient_privileges(on.kind, &on.name));
                }
                self.settle_grants(on.object, role, true)?;
            }
        }
        grant::set_owner(self.connection, on.object, role)?;
        Ok(status("Statement executed successfully."))
    }
}
