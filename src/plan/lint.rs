//! What holds of every plan, whoever made it. A plan that breaks one of these is a mistake of this program, and no test
//! lets it pass.

use super::{Action, Change, Goal, Plan, Step};
use crate::kind::image_repository::{PREVENT_DROP, PROJECT};
use crate::object::state::{Contents, Object};
use crate::object::statement::HazardKind;
use std::collections::BTreeMap;

/// What is wrong with a plan, one sentence each; nothing where it is sound.
pub fn lint(plan: &Plan) -> Vec<String> {
    let mut found = Vec::new();
    let mut waves: BTreeMap<&str, usize> = BTreeMap::new();
    for (at, change) in plan.changes.iter().enumerate() {
        waves.insert(change.origin.entity.as_str(), change.wave);
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
    found.extend(protection(plan));
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
    found
}

/// What others need comes first, or last where it is destroyed.
fn dependencies(plan: &Plan, waves: &BTreeMap<&str, usize>) -> Vec<String> {
    let in_order = |before: usize, after: usize| match plan.goal {
        Goal::Destroy => after < before,
        Goal::Deploy | Goal::Replace => before < after,
    };
    let mut found = Vec::new();
    for change in plan.changes.iter().filter(|change| change.action != Action::NoOp) {
        let needed = change.origin.depends_on.iter();
        for (other, wave) in needed.filter_map(|key| Some((key, *waves.get(key.as_str())?))) {
            if !in_order(wave, change.wave) {
                found.push(format!("{} and {other} are in the wrong order", change.id));
            }
        }
    }
    found
}

/// What is protected is lost in no plan that can be carried out.
fn protection(plan: &Plan) -> Vec<String> {
    let lost = plan.changes.iter().filter(|change| matches!(change.action, Action::Drop | Action::Replace));
    let kept = lost.filter(|change| {
        let said = |object: &Option<Object>| object.as_ref()?.attributes.get(PREVENT_DROP).cloned();
        [said(&change.desired), said(&change.live)].contains(&Some("true".to_owned()))
    });
    let kept = kept.filter(|_| plan.problems.is_empty());
    kept.map(|change| format!("{} is protected, and lost", change.id)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desired::{Desired, Origin};
    use crate::object::name::{Ident, ObjectName};
    use crate::object::reading::Live;
    use crate::object::state::{ObjectId, ObjectType, Tags};
    use crate::plan::{Target, plan};
    use crate::source::span::{FileId, Span};

    fn id(name: &str) -> ObjectId {
        let name = ObjectName::new(Ident::exact("DB"), Ident::exact("S"), Ident::exact(name));
        ObjectId { object_type: ObjectType::ImageRepository, name }
    }

    /// A plan that creates `A` and drops `B`, of which nobody knows what it holds.
    fn sound() -> Plan {
        let object =
            Object { attributes: BTreeMap::new(), facts: BTreeMap::new(), tags: Tags::new(), grants: None };
        let span = Span { file: FileId(0), start: 0, end: 0 };
        let (mut desired, mut live) = (Desired::default(), Live::default());
        desired.state.insert(id("A"), object.clone());
        desired.origins.insert(id("A"), Origin::bare("a".to_owned(), span, None));
        desired.removed.insert(id("B"), Origin::bare("b".to_owned(), span, None));
        live.state.insert(id("B"), object);
        let target = Target { account: "X".to_owned(), host: "x".to_owned(), role: None, between: None };
        plan(Goal::Deploy.into(), target, &desired, &live)
    }

    #[test]
    fn a_plan_as_it_is_made_is_sound() {
        assert_eq!(lint(&sound()), Vec::<String>::new());
    }

    #[test]
    fn whatever_is_taken_from_a_plan_is_missed() {
        type Spoil = fn(&mut Plan);
        let spoilt: [(&str, Spoil); 9] = [
            ("disagree", |plan| plan.changes[1].steps[0].hazards.clear()),
            ("with 0 steps", |plan| plan.changes[1].steps.clear()),
            ("what was not listed", |plan| plan.changes[1].live = None),
            ("of what is there", |plan| plan.changes[0].live = plan.changes[1].live.clone()),
            ("changed twice", |plan| plan.changes.push(plan.changes[0].clone())),
            ("a later wave", |plan| plan.changes.swap(0, 1)),
            ("about something else", |plan| plan.changes[0].steps = plan.changes[1].steps.clone()),
            ("in the wrong order", |plan| plan.changes[0].origin.depends_on = vec!["b".to_owned()]),
            ("left alone, and changed", |plan| plan.left.push(plan.changes[1].id.clone())),
        ];
        for (said, spoil) in spoilt {
            let mut plan = sound();
            spoil(&mut plan);
            let found = lint(&plan);
            assert!(found.iter().any(|why| why.contains(said)), "{said}: {found:?}");
        }
    }
}
