//! One tag has one value: of two spellings of its name, one would win without a word.

use crate::definition::Project;
use crate::desired::{NameDefaults, complete};
use crate::source::diagnostic::{Diagnostic, Diagnostics, Rule, Severity};
use std::collections::HashMap;

/// Two names of an entity's tags that are one after folding and completion, with different values.
pub static DUPLICATE_TAG: Rule = Rule {
    code: "duplicate-tag",
    severity: Severity::Error,
    summary: "one tag is given two values",
    why: "Unquoted names fold to upper case, so two keys below `tags` may be one tag, and an object has one value of it.",
    bad: "definition_version: 2\nentities:\n  repo:\n    type: image-repository\n# file: snowform.yml\nentities:\n  repo:\n    tags:\n      team: web\n      TEAM: core\n",
    good: "definition_version: 2\nentities:\n  repo:\n    type: image-repository\n# file: snowform.yml\nentities:\n  repo:\n    tags:\n      team: web\n",
};

pub(super) fn check(project: &Project, defaults: &NameDefaults, found: &mut Diagnostics) {
    for entity in &project.entities {
        let mut first = HashMap::new();
        for (name, value) in &entity.tags {
            // Parts that nobody knows yet are equal to each other: they will come from one connection.
            let (other, before) =
                *first.entry((complete(name, defaults), &name.name)).or_insert((name, &value.value));
            if *before != value.value {
                let message = format!("tag `{}` of entity `{}` has two values", name.name, entity.key.value);
                found.push(
                    Diagnostic::new(&DUPLICATE_TAG, message, name.span, "the same tag, another value")
                        .related(other.span, "the tag")
                        .help("names fold to upper case unless they are quoted; keep one of the two"),
                );
            }
        }
    }
}
