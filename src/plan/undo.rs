//! The way back: what an account would have to hold so that it is as it was before a plan was carried out.

use super::change::{Action, Change, GrantAction};
use super::file::Saved;
use crate::desired::Desired;
use crate::object::state::{Object, Tags};
use std::collections::BTreeMap;

/// What is wanted to undo a plan, and what of it no statement can undo, a sentence each.
#[derive(Debug)]
pub struct Inverse {
    /// What the account should hold.
    pub desired: Desired,
    /// What cannot be had back.
    pub impossible: Vec<String>,
}

/// The inverse of a saved plan: what it created goes, what it altered is as before, what it dropped is there again, and
/// empty. A replacement is not undone, because undoing it would destroy what was pushed since.
pub fn undo(saved: &Saved) -> Inverse {
    let plan = saved.plan();
    let mut inverse = Inverse { desired: Desired::default(), impossible: Vec::new() };
    for change in &plan.changes {
        undo_change(change, &mut inverse);
    }
    let kept = plan.schemas.iter().map(|creation| format!("schema {} stays", creation.schema));
    inverse.impossible.extend(kept);
    inverse
}

fn undo_change(change: &Change, inverse: &mut Inverse) {
    let Inverse { desired, impossible } = inverse;
    let id = change.id.clone();
    let mut want = |object: Object, grants_exact: bool| {
        let origin =
            crate::desired::Origin { grants_exact, require_images: Vec::new(), ..change.origin.clone() };
        desired.state.insert(id.clone(), object);
        desired.origins.insert(id.clone(), origin);
    };
    match (change.action, &change.live) {
        (Action::Create, _) => {
            desired.removed.insert(id, change.origin.clone());
        }
        (Action::Alter, Some(live)) => {
            let unset = change.tags.iter().filter(|tag| tag.before.is_none());
            impossible.extend(unset.map(|tag| format!("{}: tag {} stays set", change.id, tag.tag)));
            let regranted = change.grants.iter().any(|grant| grant.action != GrantAction::Keep);
            want(before(change, live), regranted);
        }
        (Action::Drop, Some(live)) => {
            impossible.push(format!("{}: it comes back empty, and without its grants", change.id));
            let Object { attributes, facts: _, tags, grants: _ } = live.clone();
            want(Object { attributes, facts: BTreeMap::new(), tags, grants: None }, false);
        }
        (Action::Replace, _) => {
            impossible.push(format!("{}: it was replaced, and what it held is gone", change.id));
        }
        (Action::NoOp | Action::Alter | Action::Drop, _) => {}
    }
}

/// What of an object was changed, as it was.
fn before(change: &Change, live: &Object) -> Object {
    let attributes = change.attributes.iter();
    let attributes =
        attributes.filter_map(|changed| Some((changed.field, changed.before.clone()?))).collect();
    let tags: Tags = change
        .tags
        .iter()
        .filter_map(|changed| Some((changed.tag.clone(), changed.before.clone()?)))
        .collect();
    let regranted = change.grants.iter().any(|grant| grant.action != GrantAction::Keep);
    let grants = live.grants.clone().filter(|_| regranted);
    Object { attributes, facts: BTreeMap::new(), tags, grants }
}
