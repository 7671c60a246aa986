//! Who may pull from a repository and push to it: READ, WRITE, and whoever owns it.

use super::super::account::Context;
use super::super::catalog::Id;
use super::super::sql::failure::SqlFailure;
use super::access::Access;
use super::resolve::repository_ref;
use super::{Ran, Run, now_millis};
use crate::object::name::ObjectName;
use rusqlite::Connection;

/// What an image's name is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Right {
    /// List and pull: READ, or WRITE.
    Pull,
    /// Push, and delete: WRITE.
    Push,
}

/// The repository, if the session's role has the right; a repository that it may not see is not there.
pub(crate) fn repository(
    connection: &Connection,
    context: &Context,
    name: &ObjectName,
    right: Right,
) -> Ran<Id> {
    let access = Access::of(connection, &context.role)?;
    let mut context = context.clone();
    let run = Run { connection, context: &mut context, registry_host: "", access, now: now_millis() };
    let found = run.repository(name)?;
    let privileges: &[&str] = match right {
        Right::Pull => &["READ", "WRITE"],
        Right::Push => &["WRITE"],
    };
    for privilege in privileges {
        if run.access.has(connection, repository_ref(&found), found.owner, privilege)? {
            return Ok(found.id);
        }
    }
    Err(SqlFailure::insufficient_privileges("image repository", name.name.as_str()))
}

/// The roles whose rights the session's role has.
pub(crate) fn roles(connection: &Connection, context: &Context) -> Ran<Vec<Id>> {
    Ok(Access::of(connection, &context.role)?.held)
}
