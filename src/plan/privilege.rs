//! Whether the role may carry a plan out, as far as its grants tell: where they were read.

use super::change::{Action, Change, GrantAction, SchemaCreation};
use super::problem::MISSING_PRIVILEGE;
use super::{Problem, Target};
use crate::kind;
use crate::kind::image_repository::OWNER;
use crate::object::name::Ident;
use crate::object::reading::{Live, Privileges};

/// What the roles lack, one problem for each statement's object.
pub(super) fn missing(
    target: &Target,
    live: &Live,
    schemas: &[SchemaCreation],
    changes: &[Change],
) -> Vec<Problem> {
    let held = |role: Option<&Ident>| {
        let role = role.cloned().or_else(|| {
            target.role.clone().map(|role| Ident::parse(&role).unwrap_or_else(|_| Ident::exact(role)))
        })?;
        let privileges = live.privileges.get(&role)?;
        Some((role, privileges))
    };
    let containers = schemas.iter().filter_map(|creation| {
        let (role, held) = held(creation.step.role.as_ref())?;
        let database = &creation.schema.database;
        let may = held.on_database("CREATE SCHEMA", database) || held.on_database("OWNERSHIP", database);
        (!may).then(|| Problem {
            code: MISSING_PRIVILEGE,
            span: None,
            message: format!("role {role} may not create schema {}", creation.schema),
            help: format!("let it:\nGRANT CREATE SCHEMA ON DATABASE {database} TO ROLE {role};"),
        })
    });
    let created = |change: &Change| schemas.iter().any(|creation| creation.schema == change.id.name.schema);
    let objects = changes.iter().filter_map(|change| {
        let (role, held) = held(change.origin.role.as_ref())?;
        match change.action {
            Action::NoOp => None,
            Action::Create if created(change) => None,
            Action::Create => may_not_create(change, &role, held),
            Action::Alter | Action::Replace | Action::Drop => may_not_change(change, &role, held),
        }
    });
    containers.chain(objects).collect()
}

fn may_not_create(change: &Change, role: &Ident, held: &Privileges) -> Option<Problem> {
    let schema = &change.id.name.schema;
    let noun = kind::managed(change.id.object_type).sql_noun;
    let may = held.on_schema(&format!("CREATE {noun}"), schema) || held.on_schema("OWNERSHIP", schema);
    (!may).then(|| Problem {
        code: MISSING_PRIVILEGE,
        span: Some(change.origin.span),
        message: format!("role {role} may not create {}", change.id),
        help: format!("let it:\nGRANT CREATE {noun} ON SCHEMA {schema} TO ROLE {role};"),
    })
}

/// Whoever owns an object, or was granted the role that does, may do everything with it; grants need no more than the
/// right to manage them.
fn may_not_change(change: &Change, role: &Ident, held: &Privileges) -> Option<Problem> {
    let owner = change.live.as_ref()?.attributes.get(OWNER).map(Ident::exact)?;
    if held.roles.contains(&owner) {
        return None;
    }
    let only_grants = change.action == Action::Alter
        && change.attributes.is_empty()
        && change.tags.is_empty()
        && change.grants.iter().any(|grant| grant.action != GrantAction::Keep);
    if only_grants && held.on_account("MANAGE GRANTS") {
        return None;
    }
    Some(Problem {
        code: MISSING_PRIVILEGE,
        span: Some(change.origin.span),
        message: format!("role {role} may not {} {}: role {owner} owns it", change.action.name(), change.id),
        help: format!("deploy as that role, or let this one act for it:\nGRANT ROLE {owner} TO ROLE {role};"),
    })
}
