//! `meta.depends_on` names entities that exist, and leads in no circle. The official loader checks the first only.

use crate::definition::{Entity, Project};
use crate::desired::NameDefaults;
use crate::source::diagnostic::{Diagnostic, Diagnostics, Rule, Severity, did_you_mean};
use std::collections::{BTreeMap, HashSet};

/// A dependency on an entity that is not there.
pub static UNKNOWN_DEPENDENCY: Rule = Rule {
    code: "unknown-dependency",
    severity: Severity::Error,
    summary: "`depends_on` names an entity that does not exist",
    why: "The order of a deploy follows `depends_on`, so what is named there must exist. Templates are not rendered there.",
    bad: "definition_version: 2\nentities:\n  repo:\n    type: image-repository\n    meta:\n      depends_on: [base]\n",
    good: "definition_version: 2\nentities:\n  base:\n    type: image-repository\n  repo:\n    type: image-repository\n    meta:\n      depends_on: [base]\n",
};
/// Entities that wait for each other.
pub static DEPENDENCY_CYCLE: Rule = Rule {
    code: "dependency-cycle",
    severity: Severity::Error,
    summary: "entities depend on each other in a circle",
    why: "Entities that wait for each other can never be deployed. snow does not notice.",
    bad: "definition_version: 2\nentities:\n  a:\n    type: image-repository\n    meta:\n      depends_on: [b]\n  b:\n    type: image-repository\n    meta:\n      depends_on: [a]\n",
    good: "definition_version: 2\nentities:\n  a:\n    type: image-repository\n  b:\n    type: image-repository\n    meta:\n      depends_on: [a]\n",
};

pub(super) fn check(project: &Project, _: &NameDefaults, found: &mut Diagnostics) {
    unknown(project, found);
    cycles(project, found);
}

fn unknown(project: &Project, found: &mut Diagnostics) {
    let known: Vec<&str> = project.keys.iter().map(|key| key.value.as_str()).collect();
    let exists: HashSet<&str> = known.iter().copied().collect();
    for entity in &project.entities {
        for dependency in entity.meta.depends_on.iter().filter(|d| !exists.contains(d.value.as_str())) {
            let message = format!(
                "entity `{}` depends on `{}`, which does not exist",
                entity.key.value, dependency.value
            );
            let diagnostic =
                Diagnostic::new(&UNKNOWN_DEPENDENCY, message, dependency.span, "no entity has this key");
            found.push(match did_you_mean(&dependency.value, &known) {
                Some(near) => diagnostic.help(format!("did you mean `{near}`?")).fix(
                    format!("change it to `{near}`"),
                    dependency.span,
                    near,
                ),
                None if dependency.value.contains("<%") => diagnostic
                    .help("dependencies are read before templates are rendered; write the entity's key out"),
                None => diagnostic.help("declare the entity, or remove the dependency"),
            });
        }
    }
}

/// Reports each circle once, at the dependency that closes it.
fn cycles(project: &Project, found: &mut Diagnostics) {
    let by_key: BTreeMap<&str, &Entity> =
        project.entities.iter().map(|entity| (entity.key.value.as_str(), entity)).collect();
    let mut done: BTreeMap<&str, bool> = BTreeMap::new();
    for start in by_key.keys() {
        // A walk without recursion: an entity is entered (false), and left (true) when all behind it is known.
        let mut path: Vec<(&Entity, usize)> = Vec::new();
        if !done.contains_key(start) {
            path.push((by_key[start], 0));
            done.insert(start, false);
        }
        while let Some((entity, next)) = path.last_mut() {
            let Some(dependency) = entity.meta.depends_on.get(*next) else {
                done.insert(entity.key.value.as_str(), true);
                path.pop();
                continue;
            };
            *next += 1;
            let Some((key, target)) = by_key.get_key_value(dependency.value.as_str()) else { continue };
            match done.get(key) {
                None => {
                    done.insert(key, false);
                    path.push((target, 0));
                }
                Some(true) => {}
                Some(false) => {
                    let circle: Vec<&str> = path
                        .iter()
                        .map(|(entity, _)| entity.key.value.as_str())
                        .skip_while(|on_path| on_path != key)
                        .chain([*key])
                        .collect();
                    let message = format!("entities wait for each other: {}", circle.join(" → "));
                    let closing =
                        Diagnostic::new(&DEPENDENCY_CYCLE, message, dependency.span, "closes the circle")
                            .related(target.key.span, "waits for itself")
                            .help("remove one of these dependencies");
                    found.push(closing);
                }
            }
        }
    }
}
