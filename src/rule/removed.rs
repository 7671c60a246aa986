//! What is declared cannot be removed as well.

use crate::definition::Project;
use crate::desired::{NameDefaults, complete};
use crate::source::diagnostic::{Diagnostic, Diagnostics, Rule, Severity};

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
    for removed in &project.removed {
        let (database, schema) = complete(&removed.name, defaults);
        let declared = project.entities.iter().find_map(|entity| {
            let name = entity.name.as_ref().filter(|_| entity.kind.type_name == removed.kind.type_name)?;
            let same = complete(name, defaults) == (database, schema) && name.name == removed.name.name;
            same.then_some((entity, name))
        });
        if let Some((entity, name)) = declared {
            let message = format!("`{}` is declared as entity `{}`", removed.name.name, entity.key.value);
            found.push(
                Diagnostic::new(&REMOVED_AND_DECLARED, message, removed.name.span, "to be removed")
                    .related(name.span, "declared here")
                    .help("remove one of the two"),
            );
        }
    }
}
