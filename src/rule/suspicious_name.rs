//! Names that other YAML readers would not take for names: `null`, `~`, `true`, `yes`.

use crate::definition::Project;
use crate::desired::NameDefaults;
use crate::source::diagnostic::{Diagnostic, Diagnostics, Rule, Severity};

/// A name that looks like nothing, or like a truth value.
pub static SUSPICIOUS_NAME: Rule = Rule {
    code: "suspicious-name",
    severity: Severity::Warning,
    summary: "a name looks like nothing or like a truth value",
    why: "In this language every value is a text, so `null`, `~` and `true` are not nothing and not a truth value: they are names.",
    bad: "definition_version: 2\nentities:\n  repo:\n    type: image-repository\n    identifier: null\n",
    good: "definition_version: 2\nentities:\n  repo:\n    type: image-repository\n",
};

const WORDS: [&str; 7] = ["NULL", "TRUE", "FALSE", "YES", "NO", "ON", "OFF"];

pub(super) fn check(project: &Project, _: &NameDefaults, found: &mut Diagnostics) {
    for entity in &project.entities {
        let Some(name) = entity.name.as_ref().filter(|name| WORDS.contains(&name.name.as_str())) else {
            continue;
        };
        // An entity's key is a text to every reader.
        if name.span == entity.key.span {
            continue;
        }
        let message = format!("the object is named {}: every value is a text here", name.name);
        found
            .push(Diagnostic::new(&SUSPICIOUS_NAME, message, name.span, "a name, not a value").help(
                "remove the key to let the entity's key be the name, or quote the name if it is meant",
            ));
    }
}
