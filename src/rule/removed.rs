//! What is declared cannot be removed as well.

use crate::definition::Project;
use crate::desired::{NameDefaults, complete};
use crate::source::diagnostic::{Diagnostic, Diagnostics, Rule, Severity};
use std::collections::HashMap;

/// An object under `removed:` that an entity declares.
pub static REMOVED_AND_DECLARED: Rule = Rule {
    code: "removed-and-declared",
    severity: Severity::Error,
    summary: "an object is declared, and named under `removed` as well",
    why: "`removed` in snowform.yml names objects that must not exist any more. One that an entity declares must exist.",
    bad: "definition_version: 2\nentities:\n  repo:\n    type: image-repository\n# file: snowform.yml\nremoved:\n  - REPO\n",
    good: "definition_version: 2\nentities:\n  repo:\n    type: image-repository\n# file: snowform.yml\nremoved:\n  - old_repo\n",
};

pub(super) fn check(project: &Project, defaults: &NameDefaults, found: &mut Diagnostics) {
    // Parts that nobody knows yet are equal to each other: they will come from one connection.
    let mut declared = HashMap::new();
    for entity in project.entities.iter().filter(|_| !project.removed.is_empty()) {
        let Some(name) = &entity.name else { continue };
        let object = (entity.kind.type_name, complete(name, defaults), &name.name);
        declared.entry(object).or_insert((entity, name));
    }
    for removed in &project.removed {
        let object = (removed.kind.type_name, complete(&removed.name, defaults), &removed.name.name);
        if let Some((entity, name)) = declared.get(&object) {
            let message = format!("`{}` is declared as entity `{}`", removed.name.name, entity.key.value);
            found.push(
                Diagnostic::new(&REMOVED_AND_DECLARED, message, removed.name.span, "to be removed")
                    .related(name.span, "declared here")
                    .help("remove one of the two"),
            );
        }
    }
}
