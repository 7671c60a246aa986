//! An entity that another names as its source or part exists and has the right type (snowflake-cli
//! `schemas/project_definition.py`, `_validate_target_field`).

use crate::definition::{Entity, Project, Reference};
use crate::desired::NameDefaults;
use crate::source::diagnostic::{Diagnostic, Diagnostics, Rule, Severity, did_you_mean};
use std::collections::{HashMap, HashSet};

/// A target that is not there.
pub static UNKNOWN_TARGET: Rule = Rule {
    code: "unknown-target",
    severity: Severity::Error,
    summary: "`target` names an entity that does not exist",
    why: "An application is made from an application package of the same file.",
    bad: "definition_version: 2\nentities:\n  app:\n    type: application\n    from:\n      target: package\n",
    good: "definition_version: 2\nentities:\n  pkg:\n    type: application package\n    artifacts: [app/*]\n  app:\n    type: application\n    from:\n      target: pkg\n",
};
/// A target of another type.
pub static WRONG_TARGET: Rule = Rule {
    code: "wrong-target",
    severity: Severity::Error,
    summary: "`target` names an entity of another type",
    why: "An application is made from an application package, and from nothing else.",
    bad: "definition_version: 2\nentities:\n  repo:\n    type: image-repository\n  app:\n    type: application\n    from:\n      target: repo\n",
    good: "definition_version: 2\nentities:\n  pkg:\n    type: application package\n    artifacts: [app/*]\n  app:\n    type: application\n    from:\n      target: pkg\n",
};

pub(super) fn check(project: &Project, _: &NameDefaults, found: &mut Diagnostics) {
    let keys: HashSet<&str> = project.keys.iter().map(|key| key.value.as_str()).collect();
    let entities: HashMap<&str, &Entity> =
        project.entities.iter().map(|entity| (entity.key.value.as_str(), entity)).collect();
    for reference in project.entities.iter().flat_map(|entity| &entity.references) {
        let key = reference.target.value.as_str();
        match entities.get(key) {
            Some(target) if !reference.types.contains(&target.kind.type_name) => {
                found.push(wrong(reference, target))
            }
            // A target that could not be read has been reported already.
            None if !keys.contains(key) => found.push(unknown(reference, project)),
            _ => {}
        }
    }
}

fn wrong(reference: &Reference, target: &Entity) -> Diagnostic {
    let (key, type_name) = (&target.key.value, target.kind.type_name);
    let expected = reference.types.join(" or ");
    let message = format!("`{key}` is of type {type_name}, and this key takes {expected}");
    Diagnostic::new(&WRONG_TARGET, message, reference.target.span, format!("expected {expected}"))
        .related(target.key.span, format!("of type {type_name}"))
        .help(format!("name an entity of type {expected}"))
}

fn unknown(reference: &Reference, project: &Project) -> Diagnostic {
    let (target, types) = (&reference.target, reference.types.join(" or "));
    let message = format!("there is no entity `{}`", target.value.escape_debug());
    let diagnostic = Diagnostic::new(&UNKNOWN_TARGET, message, target.span, "no entity has this key");
    let fitting = project.entities.iter().filter(|entity| reference.types.contains(&entity.kind.type_name));
    let known: Vec<&str> = fitting.map(|entity| entity.key.value.as_str()).collect();
    match did_you_mean(&target.value, &known) {
        Some(near) => diagnostic.help(format!("did you mean `{near}`?")).fix(
            format!("change it to `{near}`"),
            target.span,
            near,
        ),
        None if target.value.contains("<%") => {
            diagnostic.help("targets are read before templates are rendered; write the entity's key out")
        }
        None => diagnostic.help(format!("declare an entity of type {types}, and write its key here")),
    }
}
