//! Carrying statements out: one statement, one transaction, under one role.
//!
//! [`execute`] hands a statement to the function for its kind. Those functions are methods of [`Run`], spread
//! over the files beside this one by what they are about.

mod access;
mod containers;
mod grants;
mod pattern;
mod principals;
pub(super) mod registry;
mod repositories;
mod resolve;
mod select;
mod show;
mod show_principals;
mod table;
mod users;

use super::account::Context;
use super::sql::ast::{DropKind, Show, Statement};
use super::sql::failure::SqlFailure;
use crate::host::clock;
use crate::session::Rows;
use access::Access;
use rusqlite::Connection;
use table::status;

/// Result of everything that carries a statement out.
type Ran<T> = Result<T, SqlFailure>;

/// One statement on its way.
struct Run<'a> {
    connection: &'a Connection,
    context: &'a mut Context,
    registry_host: &'a str,
    access: Access,
    /// Milliseconds since 1970-01-01 UTC.
    now: i64,
}

/// Carries one statement out. `context` may be changed even where the statement fails.
pub(super) fn execute(
    connection: &Connection,
    context: &mut Context,
    registry_host: &str,
    statement: Statement,
) -> Ran<Rows> {
    let access = Access::of(connection, &context.role)?;
    let now = now_millis();
    let mut run = Run { connection, context, registry_host, access, now };
    match statement {
        Statement::CreateRepository(repository) => run.create_repository(&repository),
        Statement::AlterRepository { name, if_exists, change } => {
            run.alter_repository(&name, if_exists, &change)
        }
        Statement::Drop { kind: DropKind::ImageRepository, name, if_exists } => {
            run.drop_repository(&name, if_exists)
        }
        Statement::Drop { kind: DropKind::Database, name, if_exists } => {
            run.drop_database(&name.name, if_exists)
        }
        Statement::Drop { kind: DropKind::Schema, name, if_exists } => run.drop_schema(name, if_exists),
        Statement::Drop { kind: DropKind::Role, name, if_exists } => run.drop_role(&name.name, if_exists),
        Statement::Drop { kind: DropKind::User, name, if_exists } => run.drop_user(&name.name, if_exists),
        Statement::CreateDatabase { name, mode, comment } => run.create_database(&name, mode, &comment),
        Statement::CreateSchema { name, mode, comment } => run.create_schema(&name, mode, &comment),
        Statement::CreateRole { name, mode, comment } => run.create_role(&name, mode, &comment),
        Statement::CreateUser { name, mode, properties } => run.create_user(&name, mode, &properties),
        Statement::AlterUser { name, if_exists, change } => run.alter_user(name.as_ref(), if_exists, &change),
        Statement::Privileges(change) => run.change_privileges(&change),
        Statement::Ownership { target, to, current_grants } => {
            run.grant_ownership(&target, &to, current_grants)
        }
        Statement::RoleMembership { revoke, role, member } => run.change_membership(revoke, &role, &member),
        Statement::Show(show) => run.show(&show),
        Statement::Use(used) => run.use_object(&used),
        Statement::SetParameters(parameters) => {
            run.context.parameters.extend(parameters);
            Ok(status("Statement executed successfully."))
        }
        Statement::UnsetParameters(names) => {
            run.context.parameters.retain(|name, _| !names.contains(name));
            Ok(status("Statement executed successfully."))
        }
        Statement::Select(items) => run.select(&items),
    }
}

impl Run<'_> {
    fn show(&self, show: &Show) -> Ran<Rows> {
        match show {
            Show::Repositories { scope, filter } => self.show_repositories(scope.as_ref(), filter),
            Show::Images { repository, like } => self.show_images(repository, like.as_deref()),
            Show::Databases { filter } => self.show_databases(filter),
            Show::Schemas { scope, filter } => self.show_schemas(scope.as_ref(), filter),
            Show::Roles { filter } => self.show_roles(filter),
            Show::Users { filter } => self.show_users(filter),
            Show::Services => Ok(show::services()),
            Show::Parameters { like } => Ok(self.show_parameters(like.as_deref())),
            Show::GrantsOn(target) => self.show_grants_on(target),
            Show::GrantsToRole(role) => self.show_grants_to_role(role),
            Show::GrantsToUser(user) => self.show_grants_to_user(user.as_ref()),
            Show::GrantsOfRole(role) => self.show_grants_of_role(role),
        }
    }
}

/// The columns of a statement that answers with its status, and no row.
pub(super) fn nothing_but_status() -> Rows {
    Rows { rows: Vec::new(), ..status("") }
}

/// The time as the catalog stores it.
pub(super) fn now_millis() -> i64 {
    i64::try_from(clock::now_millis()).unwrap_or(i64::MAX)
}
