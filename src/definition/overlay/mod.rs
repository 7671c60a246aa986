//! `snowform.yml`: what `snowflake.yml` cannot say, because snow rejects keys that it does not know.

mod grants;
mod target;

pub use target::variables as target_variables;

use super::decode::entity_entries;
use super::shape::{self, Place};
use super::{
    DropLimit, Entity, INVALID_VALUE, KEYS_CONFLICT, Project, Removed, UNKNOWN_ENTITY, WRONG_SHAPE,
    identifier,
};
use crate::kind::field::flag;
use crate::kind::image_repository::{self, MANAGED};
use crate::kind::overlay as keys;
use crate::kind::{Attribute, Declared, KeptGrants};
use crate::object::state::ImageRef;
use crate::object::statement::HazardKind;
use crate::source::diagnostic::{Diagnostic, Diagnostics, did_you_mean};
use crate::source::span::Spanned;
use crate::source::yaml::{Data, Entry, Node};
use std::collections::{HashMap, HashSet};

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
    let known = || std::iter::once(keys::ENTITIES).chain(keys::TOP.iter().map(|field| field.name));
    for entry in entries {
        match (entry.key.value.as_str(), keys::top(&entry.key.value)) {
            (keys::ENTITIES, _) => apply_entities(entry, project, found),
            (keys::REMOVED, _) => apply_removed(entry, project, found),
            (_, Some(field)) => {
                shape::check(&entry.value, &field.shape, &entry.key, found);
                apply_top(entry, project, found);
            }
            (_, None) => found.push(shape::unknown_key(entry, known(), &place)),
        }
    }
    mark(project);
}

/// Every object carries the project's name.
fn mark(project: &mut Project) {
    let Some(name) = &project.name else { return };
    for entity in &mut project.entities {
        let managed = entity.kind.managed.into_iter();
        let rows =
            managed.flat_map(|managed| managed.attributes).filter(|row| row.declared == Declared::ByProject);
        entity.attributes.extend(rows.map(|row| (row.name, name.clone())));
    }
}

fn apply_top(entry: &Entry, project: &mut Project, found: &mut Diagnostics) {
    let text = entry.value.as_str();
    match (entry.key.value.as_str(), text) {
        (keys::PROJECT, Some(_)) => {
            let row = MANAGED.attribute(image_repository::PROJECT);
            project.name = row.and_then(|row| normal(row, entry, found));
        }
        (keys::MAX_DROPS, Some(text)) => {
            project.max_drops = DropLimit::parse(text);
            if project.max_drops.is_none() {
                found.push(
                    Diagnostic::new(
                        &INVALID_VALUE,
                        format!("`max_drops` takes a number or a percentage, not `{}`", text.escape_debug()),
                        entry.value.span,
                        "neither",
                    )
                    .help("write a number of objects (`3`), or a share of those that are there (`10%`)"),
                );
            }
        }
        (keys::TARGETS, None) => project.targets = target::decode(&entry.value, found),
        _ => {}
    }
}

/// The value of an attribute, as an account reports it. A value that cannot be declared is reported.
fn normal(row: &Attribute, entry: &Entry, found: &mut Diagnostics) -> Option<Spanned<String>> {
    let (text, span) = (entry.value.as_str()?, entry.value.span);
    match (row.normal)(text) {
        Ok(value) => Some(Spanned::new(value, span)),
        Err(why) => {
            let message = format!("`{}` cannot be `{}`", row.name, text.escape_debug());
            found.push(Diagnostic::new(&INVALID_VALUE, message, span, why).help(row.doc));
            None
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
    let shape = &keys::top(keys::REMOVED).expect("internal error: the table has this key").shape;
    shape::check(&section.value, shape, &section.key, found);
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
    let Some(written) = entry.value.as_mapping() else {
        let message = format!("entity `{key}` takes a mapping, not {}", entry.value.noun());
        found.push(
            Diagnostic::new(&WRONG_SHAPE, message, entry.key.span, "expected attributes below this")
                .help("add an attribute below it, or remove the key"),
        );
        return;
    };
    let noun = format!("an {} in snowform.yml", entity.kind.type_name);
    let managed = entity.kind.managed.into_iter();
    let attributes: Vec<&'static Attribute> =
        managed.flat_map(crate::kind::Managed::entity_attributes).collect();
    for attribute in written {
        if let Some(field) = keys::ENTITY.iter().find(|field| field.name == attribute.key.value) {
            shape::check(&attribute.value, &field.shape, &attribute.key, found);
            apply_beside_attributes(attribute, entity, found);
            continue;
        }
        let Some(&row) = attributes.iter().find(|row| row.name == attribute.key.value) else {
            let place = Place { noun: &noun, advise: &|_| None };
            let known =
                attributes.iter().map(|row| row.name).chain(keys::ENTITY.iter().map(|field| field.name));
            found.push(shape::unknown_key(attribute, known, &place));
            continue;
        };
        shape::check(&attribute.value, &row.shape, &attribute.key, found);
        entity.attributes.extend(normal(row, attribute, found).map(|value| (row.name, value)));
    }
    let exact =
        written.iter().find(|entry| entry.key.value == keys::GRANTS_EXACT).filter(|_| entity.grants_exact);
    if let Some(exact) = exact.filter(|_| written.iter().all(|entry| entry.key.value != keys::GRANTS)) {
        found.push(
            Diagnostic::new(
                &KEYS_CONFLICT,
                format!("entity `{key}` has `grants_exact`, and no `grants`"),
                exact.key.span,
                "nothing is revoked by this alone",
            )
            .help("list the grants that it shall have; `grants: []` revokes all"),
        );
    }
}

/// A key of an entity that is no attribute of its object.
fn apply_beside_attributes(entry: &Entry, entity: &mut Entity, found: &mut Diagnostics) {
    let text = entry.value.as_str();
    match (entry.key.value.as_str(), entity.kind.managed) {
        (keys::GRANTS_EXACT, _) => entity.grants_exact = text.and_then(flag) == Some(true),
        (keys::GRANTS, Some(managed)) => {
            entity.grants = Some(Spanned::new(grants::decode(entry, managed, found), entry.key.span));
        }
        (keys::OWNER_GRANTS, _) => {
            entity.owner_grants = match text {
                Some("copy") => Some(KeptGrants::Copied),
                Some("revoke") => Some(KeptGrants::Revoked),
                _ => None,
            };
        }
        (keys::TAGS, _) => entity.tags = decode_tags(&entry.value, found),
        (keys::ALLOW, _) => {
            let named = items(&entry.value).filter_map(|item| item.as_str());
            entity.allow = named
                .filter_map(|name| HazardKind::ALL.iter().find(|kind| kind.name() == name).copied())
                .collect();
        }
        (keys::REQUIRE_IMAGES, _) => entity.require_images = decode_images(&entry.value, found),
        _ => {}
    }
}

fn items(list: &Node) -> impl Iterator<Item = &Node> {
    let items = if let Data::Sequence(items) = &list.data { items.as_slice() } else { &[] };
    items.iter().map(AsRef::as_ref)
}

fn decode_tags(tags: &Node, found: &mut Diagnostics) -> Vec<(super::WrittenName, Spanned<String>)> {
    let entries = tags.as_mapping().unwrap_or_default().iter();
    let decoded = entries.filter_map(|entry| {
        let value = Spanned::new(entry.value.as_str()?.to_owned(), entry.value.span);
        // docs.snowflake.com `user-guide/object-tagging/introduction`: a value has at most 256 characters.
        if value.value.chars().count() > 256 {
            let message = format!("the value of tag `{}` is longer than 256 characters", entry.key.value);
            found.push(
                Diagnostic::new(&INVALID_VALUE, message, value.span, "too long")
                    .help("write a shorter value"),
            );
            return None;
        }
        Some((identifier::decode_key(&entry.key, found)?, value))
    });
    decoded.collect()
}

fn decode_images(images: &Node, found: &mut Diagnostics) -> Vec<Spanned<ImageRef>> {
    let decoded = items(images).filter_map(|item| {
        let text = item.as_str()?;
        let image = ImageRef::parse(text);
        if image.is_none() {
            let message = format!("`{}` names no image", text.escape_debug());
            found.push(
                Diagnostic::new(&INVALID_VALUE, message, item.span, "neither a tag nor a digest")
                    .help("write `name:tag`, or `name@sha256:` and the digest"),
            );
        }
        Some(Spanned::new(image?, item.span))
    });
    decoded.collect()
}
