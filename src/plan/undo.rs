//! The way back: what an account would have to hold so that it is as it was before a plan was carried out.
//!
//! Only what the plan did is undone, and only where it is still so: what somebody did since stays, and is told.

use super::change::{Action, Change, GrantAction};
use super::file::Saved;
use super::matches;
use crate::desired::{Desired, Origin};
use crate::kind::{self, image_repository::PREVENT_DROP};
use crate::object::reading::Live;
use crate::object::state::{Attributes, Grant, Object, Tags};
use std::collections::{BTreeMap, BTreeSet};

/// What is wanted to undo a plan, and what of it cannot or will not be undone, a sentence each.
#[derive(Debug)]
pub struct Inverse {
    /// What the account should hold.
    pub desired: Desired,
    /// What stays as it is.
    pub impossible: Vec<String>,
}

/// What must be read before it can be said what undoing a plan means: every object that it changed, with its grants.
pub fn asked(saved: &Saved) -> Desired {
    let mut desired = Desired::default();
    for change in saved.plan().changes.iter().filter(|change| change.action != Action::NoOp) {
        let tags: Tags = change.tags.iter().map(|tag| (tag.tag.clone(), tag.after.clone())).collect();
        let (attributes, facts, grants) = (Attributes::new(), BTreeMap::new(), Some(BTreeSet::new()));
        desired.state.insert(change.id.clone(), Object { attributes, facts, tags, grants });
        desired.origins.insert(change.id.clone(), undoing(&change.origin));
    }
    desired
}

/// The inverse of a saved plan: what it created goes, what it altered is as before, what it dropped is there again, and
/// empty. A replacement is not undone, because undoing it would destroy what was pushed since; nor is protection lifted.
pub fn undo(saved: &Saved, now: &Live) -> Inverse {
    let plan = saved.plan();
    let desired = Desired {
        unselected: saved.desired.state.keys().chain(&saved.desired.unselected).cloned().collect(),
        project: saved.desired.project.clone(),
        max_drops: saved.desired.max_drops,
        undoing: true,
        ..Desired::default()
    };
    let mut inverse = Inverse { desired, impossible: Vec::new() };
    for change in &plan.changes {
        undo_change(change, now.state.get(&change.id), &mut inverse);
    }
    let kept = plan.schemas.iter().map(|creation| format!("schema {} stays", creation.schema));
    inverse.impossible.extend(kept);
    inverse
}

fn undoing(origin: &Origin) -> Origin {
    Origin { grants_exact: true, require_images: Vec::new(), ..origin.clone() }
}

fn undo_change(change: &Change, now: Option<&Object>, inverse: &mut Inverse) {
    let id = change.id.clone();
    match (change.action, &change.live, now) {
        (Action::Create, _, Some(now)) => match &change.desired {
            Some(made) if is_as_made(change, made, now) => {
                inverse.desired.removed.insert(id, change.origin.clone());
            }
            _ => inverse.impossible.push(format!("{id}: it is not as the plan made it, and stays")),
        },
        (Action::Alter, Some(before), Some(now)) => {
            let object = altered_back(change, before, now, &mut inverse.impossible);
            inverse.desired.state.insert(id.clone(), object);
            inverse.desired.origins.insert(id, undoing(&change.origin));
        }
        (Action::Alter, _, None) => inverse.impossible.push(format!("{id}: it is gone since")),
        (Action::Drop, Some(before), None) => {
            let words = "it comes back empty, without its grants, and without tags that were not declared";
            inverse.impossible.push(format!("{id}: {words}"));
            let Object { attributes, facts: _, tags, grants: _ } = before.clone();
            let object = Object { attributes, facts: BTreeMap::new(), tags, grants: None };
            inverse.desired.state.insert(id.clone(), object);
            inverse.desired.origins.insert(id, undoing(&change.origin));
        }
        (Action::Drop, _, Some(_)) => {
            inverse.impossible.push(format!("{id}: it is there again, and stays as it is"));
        }
        (Action::Replace, ..) => {
            inverse.impossible.push(format!("{id}: it was replaced, and what it held is gone"));
        }
        (Action::NoOp | Action::Create | Action::Alter | Action::Drop, ..) => {}
    }
}

/// Whether an object is what the plan created, and not somebody else's of the same name.
fn is_as_made(change: &Change, made: &Object, now: &Object) -> bool {
    let tags = made.tags.iter().all(|(tag, value)| now.tags.get(tag) == Some(value));
    matches(&change.id, made, now) && tags
}

/// What of an object the plan changed, as it was, where it still is as the plan left it.
fn altered_back(change: &Change, before: &Object, now: &Object, impossible: &mut Vec<String>) -> Object {
    let managed = kind::managed(change.id.object_type);
    let mut attributes = Attributes::new();
    for changed in &change.attributes {
        let default = managed.attribute(changed.field).and_then(|row| row.default);
        let is = now.attributes.get(changed.field).map(String::as_str).or(default);
        match &changed.before {
            _ if changed.field == PREVENT_DROP => {
                impossible.push(format!("{}: its protection stays as it is", change.id));
            }
            Some(before) if is == Some(changed.after.as_str()) => {
                attributes.insert(changed.field, before.clone());
            }
            _ => impossible.push(format!("{}: {} was changed since, and stays", change.id, changed.field)),
        }
    }
    let mut tags = Tags::new();
    for changed in &change.tags {
        match &changed.before {
            Some(before) if now.tags.get(&changed.tag) == Some(&changed.after) => {
                tags.insert(changed.tag.clone(), before.clone());
            }
            _ => impossible.push(format!("{}: tag {} stays as it is", change.id, changed.tag)),
        }
    }
    Object { attributes, facts: BTreeMap::new(), tags, grants: grants_back(change, before, now) }
}

/// The grants that there are, without those that the plan gave, and with those that it took.
fn grants_back(change: &Change, before: &Object, now: &Object) -> Option<BTreeSet<Grant>> {
    let mut grants = now.grants.clone()?;
    let held = before.grants.clone().unwrap_or_default();
    for changed in &change.grants {
        let was_held = held.contains(&changed.grant);
        if changed.action == GrantAction::Grant && !was_held {
            grants.remove(&changed.grant);
        } else if changed.action == GrantAction::Revoke && was_held {
            grants.insert(changed.grant.clone());
        }
    }
    Some(grants)
}
