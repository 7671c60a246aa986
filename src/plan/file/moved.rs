//! What has moved since a plan was made.

use super::Saved;
use crate::object::reading::Live;
use crate::object::state::{Object, ObjectId};

/// What an account holds otherwise now, one sentence each.
pub(super) fn moved(saved: &Saved, now: &Live) -> Vec<String> {
    // Who uses images and who may do what is told, and decides nothing.
    let Live { state, siblings, scopes, contents, users: _, privileges: _, sight: _ } = &saved.live;
    let mut moved = Vec::new();
    for (scope, reading) in scopes {
        if now.scopes.get(scope) != Some(reading) {
            moved.push(format!("schema {} is or is not there any more", scope.schema));
        }
    }
    for id in saved.desired.state.keys().chain(saved.desired.removed.keys()) {
        moved.extend(object(id, state.get(id), now.state.get(id)));
    }
    // What else carries the project's mark matters only where it would be dropped.
    if saved.intent.prune {
        let new = now.siblings.keys().filter(|id| !siblings.contains_key(*id));
        for id in siblings.keys().chain(new) {
            moved.extend(object(id, siblings.get(id), now.siblings.get(id)));
        }
    }
    for (id, before) in contents {
        if now.contents.get(id) != Some(before) {
            moved.push(format!("images of {id} were pushed or removed"));
        }
    }
    moved
}

fn object(id: &ObjectId, before: Option<&Object>, after: Option<&Object>) -> Vec<String> {
    match (before, after) {
        (None, None) => Vec::new(),
        (None, Some(_)) => vec![format!("{id} was created")],
        (Some(_), None) => vec![format!("{id} was dropped")],
        (Some(before), Some(after)) => changed(id, before, after),
    }
}

fn changed(id: &ObjectId, before: &Object, after: &Object) -> Vec<String> {
    let Object { attributes, facts, tags, grants } = before;
    let names = attributes.keys().chain(after.attributes.keys());
    let mut names: Vec<&str> = names.chain(facts.keys()).chain(after.facts.keys()).copied().collect();
    names.sort_unstable();
    names.dedup();
    let value = |object: &Object, name: &str| {
        object.attributes.get(name).or_else(|| object.facts.get(name)).map(|value| format!("{value:?}"))
    };
    let shown = |value: Option<String>| value.unwrap_or_else(|| "nothing".to_owned());
    let differing = names.into_iter().filter_map(|name| {
        let (before, after) = (value(before, name), value(after, name));
        (before != after).then(|| format!("{id}: {name} was {} and is {}", shown(before), shown(after)))
    });
    let retagged = (*tags != after.tags).then(|| format!("{id}: its tags are others"));
    let regranted = (*grants != after.grants).then(|| format!("{id}: its grants are others"));
    differing.chain(retagged).chain(regranted).collect()
}
