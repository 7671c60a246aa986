//! `snowform.yml`: what `snowflake.yml` cannot say, because snow rejects keys that it does not know.

use super::shape::{self, Place};
use super::{Project, UNKNOWN_ENTITY, WRONG_SHAPE};
use crate::source::diagnostic::{Diagnostic, Diagnostics, did_you_mean};
use crate::source::span::Spanned;
use crate::source::yaml::{Entry, Node};
use std::collections::{HashMap, HashSet};

const TOP_LEVEL: [&str; 1] = ["entities"];

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
        if entry.key.value == "entities" {
            apply_entities(entry, project, found);
        } else {
            found.push(shape::unknown_key(entry, TOP_LEVEL.into_iter(), &place));
        }
    }
}

fn apply_entities(section: &Entry, project: &mut Project, found: &mut Diagnostics) {
    let Some(entries) = section.value.as_mapping() else {
        let message = format!("`entities` takes a mapping, not {}", section.value.noun());
        found.push(
            Diagnostic::new(&WRONG_SHAPE, message, section.key.span, "expected entities below this")
                .help("add an entity below it, or remove the key"),
        );
        return;
    };
    let positions = Positions {
        declared: project.keys.iter().map(|key| key.value.clone()).collect(),
        read: project.entities.iter().enumerate().rev().map(|(at, e)| (e.key.value.clone(), at)).collect(),
    };
    for entry in entries {
        apply_entity(entry, &positions, project, found);
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
        let Some(row) = attributes.iter().find(|row| row.name == attribute.key.value) else {
            let place = Place { noun: &noun, advise: &|_| None };
            found.push(shape::unknown_key(attribute, attributes.iter().map(|row| row.name), &place));
            continue;
        };
        shape::check(&attribute.value, &row.shape, &attribute.key, found);
        if let Some(text) = attribute.value.as_str() {
            let value = Spanned::new(text.to_owned(), attribute.value.span);
            entity.attributes.insert(row.name, value);
        }
    }
}
