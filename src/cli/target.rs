//! Targets of `snowform.yml`: what they give to a connection, and what they demand of the account behind it.

use super::connect::ConnectionArgs;
use super::error::{CommandError, Exit};
use crate::definition::{Project, Target};
use crate::session::Identity;
use crate::source::diagnostic::did_you_mean;

/// The target that was asked for. A project that has targets goes to none of them by accident; the embedded account is
/// no place where anything is lost.
pub(super) fn chosen<'a>(
    asked: Option<&str>,
    project: &'a Project,
    connection: &ConnectionArgs,
) -> Result<Option<&'a Target>, CommandError> {
    let names: Vec<&str> = project.targets.iter().map(|target| target.name.value.as_str()).collect();
    let Some(asked) = asked else {
        if names.is_empty() || connection.local {
            return Ok(None);
        }
        let message = "snowform.yml has targets, and none was chosen";
        let help = format!("choose one of {}:\n--target {}", names.join(", "), names[0]);
        return Err(CommandError::new(Exit::Usage, "no-target", message, help));
    };
    let target = project.targets.iter().find(|target| target.name.value == asked);
    target.map(Some).ok_or_else(|| {
        let help = match did_you_mean(asked, &names) {
            Some(near) => format!("did you mean `{near}`?"),
            None if names.is_empty() => "declare it under `targets` in snowform.yml".to_owned(),
            None => format!("it has: {}", names.join(", ")),
        };
        let message = format!("snowform.yml has no target `{asked}`");
        CommandError::new(Exit::Usage, "undeclared-target", message, help)
    })
}

/// The options, and where they are silent, what the target says.
pub(super) fn connection(target: Option<&Target>, given: &ConnectionArgs) -> ConnectionArgs {
    let mut connection = given.clone();
    let Some(target) = target else { return connection };
    let fill = |option: &mut Option<String>, value: Option<String>| {
        if option.is_none() {
            *option = value;
        }
    };
    let name = |ident: &Option<crate::object::name::Ident>| ident.as_ref().map(ToString::to_string);
    fill(&mut connection.database, name(&target.database));
    fill(&mut connection.schema, name(&target.schema));
    if !given.local {
        fill(&mut connection.role, name(&target.role));
        if !given.temporary_connection {
            fill(&mut connection.connection, target.connection.clone());
        }
    }
    connection
}

/// Whether this is the account and the role that the target names. The embedded account is neither, and safe.
pub(super) fn verify(
    target: Option<&Target>,
    identity: &Identity,
    connection: &ConnectionArgs,
) -> Result<(), CommandError> {
    let Some(target) = target.filter(|_| !connection.local) else { return Ok(()) };
    let wrong = |what: &str, wanted: &str, found: &str| {
        let message = format!(
            "target `{}` is {what} {wanted}, and this connection is {what} {found}; nothing was read or changed",
            target.name.value
        );
        let help = "use the connection of that account and role, or correct the target in snowform.yml";
        Err(CommandError::new(Exit::Failed, "target-mismatch", message, help))
    };
    if normal(&identity.account) != normal(&target.account.value) {
        return wrong("account", &target.account.value, &identity.account);
    }
    match (&target.role, &identity.role) {
        (Some(wanted), Some(found)) if wanted != found => {
            wrong("role", &wanted.to_string(), &found.to_string())
        }
        (Some(wanted), None) => wrong("role", &wanted.to_string(), "none"),
        _ => Ok(()),
    }
}

/// Account identifiers have no case, and hosts write `-` where the name has `_`
/// (docs.snowflake.com `user-guide/admin-account-identifier`).
fn normal(account: &str) -> String {
    account.to_uppercase().replace('_', "-")
}
