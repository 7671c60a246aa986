//! One object, desired and live, to its change; attribute by attribute, through the kind's table.

use super::change::{Action, AttributeChange, Change, Reason, Step};
use crate::desired::Origin;
use crate::kind::{self, Managed};
use crate::object::reading::Live;
use crate::object::state::{Contents, Object, ObjectId};
use crate::object::statement::{Hazard, Operation};

/// The change that makes the account hold what is declared.
pub(super) fn converge(id: &ObjectId, desired: &Object, live: Option<&Object>, origin: &Origin) -> Change {
    let managed = kind::managed(id.object_type);
    let (action, reason, attributes, operations) = match live {
        None => {
            let attributes = declared(managed, desired);
            let create = (managed.create)(&id.name, &desired.attributes);
            (Action::Create, Reason::NotListed, attributes, vec![create])
        }
        Some(live) => {
            let attributes = differing(managed, desired, live);
            let operations = attributes.iter().map(|change| alter(managed, id, change)).collect();
            if attributes.is_empty() {
                (Action::NoOp, Reason::AsDeclared, attributes, operations)
            } else {
                (Action::Alter, Reason::AttributesDiffer, attributes, operations)
            }
        }
    };
    Change {
        id: id.clone(),
        action,
        reason,
        attributes,
        desired: Some(desired.clone()),
        live: live.cloned(),
        contents: None,
        origin: origin.clone(),
        steps: operations.into_iter().map(|operation| step(operation, Vec::new(), origin)).collect(),
        wave: 0,
    }
}

/// The change that makes the account hold nothing of it.
pub(super) fn destroy(id: &ObjectId, live: &Live, origin: &Origin) -> Change {
    let managed = kind::managed(id.object_type);
    let present = live.state.get(id);
    let contents = live.contents.get(id).cloned();
    let (action, reason, steps) = match present {
        None => (Action::NoOp, Reason::NothingToDestroy, Vec::new()),
        Some(_) => {
            // What nobody looked at must be taken for full.
            let unseen = || Contents::Unknown { why: "they were not listed".to_owned() };
            let (operation, hazards) = (managed.drop)(&id.name, &contents.clone().unwrap_or_else(unseen));
            (Action::Drop, Reason::DestroyAsked, vec![step(operation, hazards, origin)])
        }
    };
    Change {
        id: id.clone(),
        action,
        reason,
        attributes: Vec::new(),
        desired: None,
        live: present.cloned(),
        contents,
        origin: origin.clone(),
        steps,
        wave: 0,
    }
}

/// Whether what is live is what was declared.
pub(crate) fn matches(id: &ObjectId, desired: &Object, live: &Object) -> bool {
    differing(kind::managed(id.object_type), desired, live).is_empty()
}

fn declared(managed: &Managed, desired: &Object) -> Vec<AttributeChange> {
    let Object { attributes, facts: _ } = desired;
    let rows = managed.attributes.iter().filter_map(|row| Some((row, attributes.get(row.name)?)));
    rows.filter(|(row, value)| *value != row.default)
        .map(|(row, value)| AttributeChange { field: row.name, before: None, after: value.clone() })
        .collect()
}

/// Only what is declared is compared; an attribute that the account does not report has its default.
fn differing(managed: &Managed, desired: &Object, live: &Object) -> Vec<AttributeChange> {
    let Object { attributes, facts: _ } = desired;
    let rows = managed.attributes.iter().filter_map(|row| Some((row, attributes.get(row.name)?)));
    rows.filter_map(|(row, after)| {
        let before = live.attributes.get(row.name).map_or(row.default, String::as_str);
        (before != after).then(|| AttributeChange {
            field: row.name,
            before: Some(before.to_owned()),
            after: after.clone(),
        })
    })
    .collect()
}

fn alter(managed: &Managed, id: &ObjectId, change: &AttributeChange) -> Operation {
    let row =
        managed.attribute(change.field).expect("internal error: a change names a row of its kind's table");
    (row.alter)(&id.name, &change.after)
}

fn step(operation: Operation, hazards: Vec<Hazard>, origin: &Origin) -> Step {
    Step { operation, hazards, role: origin.role.clone() }
}
