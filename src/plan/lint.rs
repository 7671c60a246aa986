//! What holds of every plan, whoever made it. A plan that breaks one of these is a mistake of this program, and no test
//! lets it pass.

use super::{Action, Change, Plan, Step};
use crate::kind::{self, image_repository::PROJECT};
use crate::object::name::Ident;
use crate::object::state::Contents;
use crate::object::statement::HazardKind;
use std::collections::BTreeMap;

/// What is wrong with a plan, one sentence each; nothing where it is sound.
pub fn lint(plan: &Plan) -> Vec<String> {
    let mut found = Vec::new();
    let mut waves: BTreeMap<&str, (usize, &Change)> = BTreeMap::new();
    for (at, change) in plan.changes.iter().enumerate() {
        waves.insert(change.origin.entity.as_str(), (change.wave, change));
        if plan.changes[..at].iter().any(|earlier| earlier.id == change.id) {
            found.push(format!("{} is changed twice", change.id));
        }
        if at > 0 && plan.changes[at - 1].wave > change.wave {
            found.push(format!("{} comes after a later wave", change.id));
        }
        found.extend(steps(change).into_iter().map(|why| format!("{}: {why}", change.id)));
        found.extend(hazards(change).into_iter().map(|why| format!("{}: {why}", change.id)));
    }
    found.extend(dependencies(plan, &waves));
    let left = plan.left.iter().filter(|id| plan.changes.iter().any(|change| change.id == **id));
    found.extend(left.map(|id| format!("{id} is left alone, and changed")));
    found
}

/// The action, what is known of the object, and the statements say the same.
fn steps(change: &Change) -> Vec<String> {
    let mut found = Vec::new();
    if (change.action == Action::NoOp) != change.steps.is_empty() {
        found.push(format!("`{}` with {} steps", change.action.name(), change.steps.len()));
    }
    let acts_on_what_is_there = matches!(change.action, Action::Alter | Action::Replace | Action::Drop);
    if acts_on_what_is_there && change.live.is_none() {
        found.push(format!("`{}` of what was not listed", change.action.name()));
    }
    if change.action == Action::Create && change.live.is_some() {
        found.push("`create` of what is there".to_owned());
    }
    if change.desired.is_none() != (change.action == Action::Drop) && change.action != Action::NoOp {
        found.push(format!("`{}` and what is declared disagree", change.action.name()));
    }
    for step in &change.steps {
        let text = step.operation.to_string();
        if !text.contains(&change.id.name.to_string()) {
            found.push(format!("a statement about something else: {text}"));
        }
        let destroys = text.starts_with("DROP ") || text.starts_with("CREATE OR REPLACE ");
        if destroys && !matches!(change.action, Action::Drop | Action::Replace) {
            found.push(format!("`{}` destroys: {text}", change.action.name()));
        }
    }
    found
}

/// Every danger is named on the statement that causes it.
fn hazards(change: &Change) -> Vec<String> {
    let has = |step: &Step, kind| step.hazards.iter().any(|hazard| hazard.kind == kind);
    let mut found = Vec::new();
    let first = change.steps.first();
    if let Some(first) = first.filter(|_| matches!(change.action, Action::Drop | Action::Replace)) {
        let empty = matches!(&change.contents, Some(Contents::Listed(images)) if images.is_empty());
        if empty == has(first, HazardKind::DropsImages) {
            found.push("what stands inside and the hazard of losing it disagree".to_owned());
        }
    }
    for step in &change.steps {
        let text = step.operation.to_string();
        if text.starts_with("GRANT ") != has(step, HazardKind::WidensAccess) {
            found.push(format!("a privilege and its hazard disagree: {text}"));
        }
        if has(step, HazardKind::DropsImages) && !(text.starts_with("DROP ") || text.contains(" OR REPLACE "))
        {
            found.push(format!("a hazard on a statement that does not cause it: {text}"));
        }
    }
    let project = change.attributes.iter().find(|attribute| attribute.field == PROJECT);
    let taken =
        project.and_then(|project| project.before.as_deref()).is_some_and(|before| !before.is_empty());
    if taken && !change.steps.iter().any(|step| has(step, HazardKind::TakesOver)) {
        found.push("another project's object is taken without a hazard".to_owned());
    }
    // Names in statements are spelled as the account compares them.
    let role_is_plain = |role: &Ident| !role.as_str().is_empty();
    if !change.steps.iter().filter_map(|step| step.role.as_ref()).all(role_is_plain) {
        found.push("a role without a name".to_owned());
    }
    let known = |field: &str| kind::managed(change.id.object_type).attribute(field).is_some();
    if !change.attributes.iter().all(|attribute| known(attribute.field)) {
        found.push("an attribute that the table does not have".to_owned());
    }
    found
}

/// What others need comes first, or last where it is destroyed.
fn dependencies(plan: &Plan, waves: &BTreeMap<&str, (usize, &Change)>) -> Vec<String> {
    let mut found = Vec::new();
    for change in plan.changes.iter().filter(|change| change.action != Action::NoOp) {
        for (other, (wave, _)) in
            change.origin.depends_on.iter().filter_map(|key| Some((key, waves.get(key.as_str())?)))
        {
            let in_order = match plan.goal {
                super::Goal::Destroy => change.wave < *wave,
                super::Goal::Deploy | super::Goal::Replace => *wave < change.wave,
            };
            if !in_order {
                found.push(format!("{} and {other} are in the wrong order", change.id));
            }
        }
    }
    found
}
