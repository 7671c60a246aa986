//! `grants` of an entity: who may do what with its object.

use super::super::{INVALID_NAME, INVALID_VALUE};
use crate::kind::Managed;
use crate::object::name::{Ident, PartialName};
use crate::object::state::{Grant, Grantee};
use crate::source::diagnostic::{Diagnostic, Diagnostics};
use crate::source::span::Spanned;
use crate::source::yaml::{Data, Entry, Node};
use std::collections::BTreeSet;

/// The grants of one object. What is wrong is reported and left out.
pub(super) fn decode(section: &Entry, managed: &Managed, found: &mut Diagnostics) -> BTreeSet<Grant> {
    let Data::Sequence(items) = &section.value.data else { return BTreeSet::new() };
    let mut grants = BTreeSet::new();
    for item in items {
        let Some(grantee) = grantee(item, found) else { continue };
        for privilege in item.entry("privilege").map(|entry| texts(&entry.value)).unwrap_or_default() {
            let written = privilege.value.split_whitespace().collect::<Vec<_>>().join(" ").to_uppercase();
            if managed.privileges.contains(&written.as_str()) {
                grants.insert(Grant { privilege: written, grantee: grantee.clone() });
            } else {
                let message =
                    format!("`{}` is no privilege on an {}", privilege.value, managed.object_type.noun());
                found.push(
                    Diagnostic::new(&INVALID_VALUE, message, privilege.span, "not one that can be granted")
                        .help(format!("one of {}", managed.privileges.join(", "))),
                );
            }
        }
    }
    grants
}

fn texts(node: &Node) -> Vec<Spanned<String>> {
    let text = |node: &Node| node.as_str().map(|text| Spanned::new(text.to_owned(), node.span));
    match &node.data {
        Data::Sequence(items) => items.iter().filter_map(|item| text(item)).collect(),
        Data::Scalar(_) | Data::Mapping(_) => text(node).into_iter().collect(),
    }
}

fn grantee(item: &Node, found: &mut Diagnostics) -> Option<Grantee> {
    let (role, database_role) = (item.entry("role"), item.entry("database_role"));
    let (entry, is_database_role) = match (role, database_role) {
        (Some(role), None) => (role, false),
        (None, Some(database_role)) => (database_role, true),
        _ => {
            item.as_mapping()?;
            found.push(
                Diagnostic::new(
                    &INVALID_VALUE,
                    "a grant names one role",
                    item.span.start_only(),
                    "none, or two",
                )
                .help("give either `role:` or `database_role:`"),
            );
            return None;
        }
    };
    let text = entry.value.as_str()?;
    let mut invalid = |why: String| {
        let message = format!("`{}` is no name of a role", text.escape_debug());
        let help =
            if is_database_role { "write `database.role`" } else { "write the role's name as SQL spells it" };
        found.push(Diagnostic::new(&INVALID_NAME, message, entry.value.span, why).help(help));
    };
    if !is_database_role {
        return Ident::parse(text).map(Grantee::Role).map_err(|error| invalid(error.to_string())).ok();
    }
    match PartialName::parse(text) {
        Ok(PartialName { database: None, schema: Some(database), name }) => {
            Some(Grantee::DatabaseRole(database, name))
        }
        Ok(_) => {
            invalid("a database role has two parts".to_owned());
            None
        }
        Err(error) => {
            invalid(error.to_string());
            None
        }
    }
}
