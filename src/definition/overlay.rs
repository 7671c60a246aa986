//! `snowform.yml`: what `snowflake.yml` cannot say, because snow rejects keys that it does not know.

use super::decode::entity_entries;
use super::shape::{self, Place};
use super::{Entity, INVALID_NAME, INVALID_VALUE, Project, Removed, UNKNOWN_ENTITY, WRONG_SHAPE, identifier};
use crate::kind::Managed;
use crate::kind::field::flag;
use crate::kind::image_repository;
use crate::kind::overlay as keys;
use crate::object::name::{Ident, PartialName};
use crate::object::state::{Grant, Grantee};
use crate::source::diagnostic::{Diagnostic, Diagnostics, did_you_mean};
use crate::source::span::Spanned;
use crate::source::yaml::{Data, Entry, Node};
use std::collections::{BTreeSet, HashMap, HashSet};

/// The keys of the file.
const TOP_LEVEL: [&str; 2] = [keys::ENTITIES, keys::REMOVED_KEY];

/// Reads the overlay and gives its attributes to the project's entities.
pub(super) fn apply(root: &Node, project: &mut Project, found: &mut Diagnostics) {
    // An empty file says nothing.
    if root.as_str() == Some("") {
        return;
    }
    let Some(entries) = root.as_mapping() else {
        found.push(
            Diagnostic::new(&WRONG_SHAPE, "snowform.yml is a mapping", root.span, "not a mapping")
                .help("start with\nentities:\n  my_repo:\n    comment: what it is for"),
        );
        return;
    };
    let place = Place { noun: "snowform.yml", advise: &|_| None };
    for entry in entries {
        match entry.key.value.as_str() {
            keys::ENTITIES => apply_entities(entry, project, found),
            keys::REMOVED_KEY => apply_removed(entry, project, found),
            _ => found.push(shape::unknown_key(entry, TOP_LEVEL.into_iter(), &place)),
        }
    }
}

fn apply_entities(section: &Entry, project: &mut Project, found: &mut Diagnostics) {
    let Some(entries) = entity_entries(section, found) else { return };
    let positions = Positions {
        declared: project.keys.iter().map(|key| key.value.clone()).collect(),
        read: project.entities.iter().enumerate().rev().map(|(at, e)| (e.key.value.clone(), at)).collect(),
    };
    for entry in entries {
        apply_entity(entry, &positions, project, found);
    }
}

/// Objects that must not exist any more, by name; image repositories, the one type that is deployed.
fn apply_removed(section: &Entry, project: &mut Project, found: &mut Diagnostics) {
    let Data::Sequence(items) = &section.value.data else {
        let message = format!("`removed` takes a list of names, not {}", section.value.noun());
        found.push(
            Diagnostic::new(&WRONG_SHAPE, message, section.key.span, "expected names below this")
                .help("write one name a line:\nremoved:\n  - my_db.my_schema.old_repo"),
        );
        return;
    };
    shape::check(&section.value, &keys::REMOVED.shape, &section.key, found);
    for item in items {
        let name = identifier::decode_value(item, found);
        project.removed.extend(name.map(|name| Removed { kind: &image_repository::KIND, name }));
    }
}

/// Where the entities stand in the project, by key.
struct Positions {
    /// Those that are declared, however wrongly.
    declared: HashSet<String>,
    /// Those that could be read; of a key that is written twice, the first.
    read: HashMap<String, usize>,
}

fn apply_entity(entry: &Entry, positions: &Positions, project: &mut Project, found: &mut Diagnostics) {
    let key = &entry.key.value;
    if !positions.declared.contains(key) {
        let known: Vec<&str> = project.keys.iter().map(|known| known.value.as_str()).collect();
        let help = match did_you_mean(key, &known) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "use the entity's key in snowflake.yml".to_owned(),
        };
        let message = format!("snowflake.yml has no entity `{key}`");
        found
            .push(Diagnostic::new(&UNKNOWN_ENTITY, message, entry.key.span, "not declared there").help(help));
        return;
    }
    // An entity that is declared but could not be read has been reported already.
    let read = positions.read.get(key);
    let Some(entity) = read.and_then(|at| project.entities.get_mut(*at)) else { return };
    let Some(keys) = entry.value.as_mapping() else {
        let message = format!("entity `{key}` takes a mapping, not {}", entry.value.noun());
        found.push(
            Diagnostic::new(&WRONG_SHAPE, message, entry.key.span, "expected attributes below this")
                .help("add an attribute below it, or remove the key"),
        );
        return;
    };
    let noun = format!("an {} in snowform.yml", entity.kind.type_name);
    let attributes = entity.kind.managed.map(|managed| managed.attributes).unwrap_or_default();
    for attribute in keys {
        if let Some(field) = keys::ENTITY.iter().find(|field| field.name == attribute.key.value) {
            shape::check(&attribute.value, &field.shape, &attribute.key, found);
            apply_beside_attributes(attribute, entity, found);
            continue;
        }
        let Some(row) = attributes.iter().find(|row| row.name == attribute.key.value) else {
            let place = Place { noun: &noun, advise: &|_| None };
            let known =
                attributes.iter().map(|row| row.name).chain(keys::ENTITY.iter().map(|field| field.name));
            found.push(shape::unknown_key(attribute, known, &place));
            continue;
        };
        shape::check(&attribute.value, &row.shape, &attribute.key, found);
        if let Some(text) = attribute.value.as_str() {
            let value = Spanned::new(text.to_owned(), attribute.value.span);
            entity.attributes.insert(row.name, value);
        }
    }
}

/// A key of an entity that is no attribute of its object.
fn apply_beside_attributes(entry: &Entry, entity: &mut Entity, found: &mut Diagnostics) {
    let is_true = entry.value.as_str().and_then(flag) == Some(true);
    match (entry.key.value.as_str(), entity.kind.managed) {
        (keys::PREVENT_DROP, _) => entity.prevent_drop = is_true.then_some(entry.key.span),
        (keys::GRANTS_EXACT, _) => entity.grants_exact = is_true,
        (keys::GRANTS, Some(managed)) => {
            entity.grants = Some(Spanned::new(decode_grants(entry, managed, found), entry.key.span));
        }
        _ => {}
    }
}

/// The grants of one object. What is wrong is reported and left out.
fn decode_grants(section: &Entry, managed: &Managed, found: &mut Diagnostics) -> BTreeSet<Grant> {
    let Data::Sequence(items) = &section.value.data else { return BTreeSet::new() };
    let mut grants = BTreeSet::new();
    for item in items {
        let Some(grantee) = decode_grantee(item, found) else { continue };
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

fn decode_grantee(item: &Node, found: &mut Diagnostics) -> Option<Grantee> {
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
