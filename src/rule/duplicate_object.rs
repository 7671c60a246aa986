//! Two entities must not be one object: the second deploy would undo the first. The official loader does not notice.

use crate::definition::Project;
use crate::desired::{NameDefaults, complete};
use crate::source::diagnostic::{Diagnostic, Diagnostics, Rule, Severity};
use std::collections::HashMap;

/// Two entities with one name after folding and completion.
pub static DUPLICATE_OBJECT: Rule = Rule {
    code: "duplicate-object",
    severity: Severity::Error,
    summary: "two entities are one object",
    why: "Unquoted names fold to upper case, so entities with different keys may be one object, and each deploy would undo the other.",
    bad: "definition_version: 2\nentities:\n  a:\n    type: image-repository\n    identifier: repo\n  b:\n    type: image-repository\n    identifier: REPO\n",
    good: "definition_version: 2\nentities:\n  a:\n    type: image-repository\n    identifier: repo\n  b:\n    type: image-repository\n    identifier: other\n",
};

pub(super) fn check(project: &Project, defaults: &NameDefaults, found: &mut Diagnostics) {
    let mut first = HashMap::new();
    for entity in &project.entities {
        let Some(name) = &entity.name else { continue };
        // Parts that nobody knows yet are equal to each other: they will come from one connection.
        let (database, schema) = complete(name, defaults);
        let object = (entity.kind.type_name, database.cloned(), schema.cloned(), name.name.clone());
        match first.entry(object) {
            std::collections::hash_map::Entry::Vacant(entry) => {
                entry.insert(entity);
            }
            std::collections::hash_map::Entry::Occupied(entry) => {
                let other = entry.get();
                let message = format!(
                    "`{}` and `{}` are the same {}",
                    other.key.value, entity.key.value, entity.kind.type_name
                );
                let related = other.name.as_ref().map_or(other.key.span, |name| name.span);
                found.push(
                    Diagnostic::new(&DUPLICATE_OBJECT, message, name.span, format!("{} again", name.name))
                        .related(related, "the same object")
                        .help("names fold to upper case unless they are quoted; rename one, or remove an entity"),
                );
            }
        }
    }
}
