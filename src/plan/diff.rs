//! One object, desired and live, to its change; attribute by attribute, through the kind's table.

use super::change::{Action, AttributeChange, Change, GrantAction, GrantChange, Reason, Step};
use crate::desired::Origin;
use crate::kind::{self, Attribute, ChangeRule, Managed};
use crate::object::reading::Live;
use crate::object::state::{Contents, Grant, Object, ObjectId};
use crate::object::statement::{Hazard, HazardKind, Operation};
use std::collections::BTreeSet;

/// The change that makes the account hold what is declared. `replace`: also where it holds it already.
pub(super) fn converge(
    id: &ObjectId,
    desired: &Object,
    live: &Live,
    origin: &Origin,
    replace: bool,
) -> Change {
    let managed = kind::managed(id.object_type);
    let (present, contents) = (live.state.get(id), live.contents.get(id).cloned());
    let grants = differing_grants(desired, present.filter(|_| !replace), origin);
    let (action, reason, attributes, mut steps) = match present {
        None => {
            let create = (managed.create)(&id.name, &desired.attributes);
            let step = step(create, Vec::new(), origin);
            (Action::Create, Reason::NotListed, declared(managed, desired), vec![step])
        }
        Some(present) => {
            let attributes = differing(managed, desired, present);
            let fixed =
                attributes.iter().any(|change| matches!(row(managed, change).change, ChangeRule::Replace(_)));
            if replace || fixed {
                let reason = if fixed { Reason::CannotAlter } else { Reason::ReplaceAsked };
                let step = replacement(managed, id, desired, present, contents.as_ref(), origin);
                (Action::Replace, reason, attributes, vec![step])
            } else if attributes.is_empty() && grants.iter().all(|change| change.action == GrantAction::Keep)
            {
                (Action::NoOp, Reason::AsDeclared, attributes, Vec::new())
            } else {
                let steps =
                    attributes.iter().filter_map(|change| alteration(managed, id, change, origin)).collect();
                (Action::Alter, Reason::AttributesDiffer, attributes, steps)
            }
        }
    };
    // A new object in the place of the old one has none of its grants.
    let grants = if action == Action::Replace { differing_grants(desired, None, origin) } else { grants };
    steps.extend(grants.iter().filter_map(|change| regrant(managed, id, change, origin)));
    Change {
        id: id.clone(),
        action,
        reason,
        attributes,
        grants,
        desired: Some(desired.clone()),
        live: present.cloned(),
        contents,
        origin: origin.clone(),
        steps,
        wave: 0,
    }
}

/// Declared grants that are not there, and others that are. Nothing is compared where none are declared.
fn differing_grants(desired: &Object, live: Option<&Object>, origin: &Origin) -> Vec<GrantChange> {
    let Some(wanted) = &desired.grants else { return Vec::new() };
    let none = BTreeSet::new();
    let held = live.and_then(|live| live.grants.as_ref()).unwrap_or(&none);
    let extra = if origin.grants_exact { GrantAction::Revoke } else { GrantAction::Keep };
    let change = |action| move |grant: &Grant| GrantChange { grant: grant.clone(), action };
    let missing = wanted.difference(held).map(change(GrantAction::Grant));
    missing.chain(held.difference(wanted).map(change(extra))).collect()
}

fn regrant(managed: &Managed, id: &ObjectId, change: &GrantChange, origin: &Origin) -> Option<Step> {
    let GrantChange { grant, action } = change;
    match action {
        GrantAction::Grant => {
            let message = format!("{} may {} it", grant.grantee, grant.privilege);
            let hazard = Hazard { kind: HazardKind::WidensAccess, message };
            Some(step((managed.grant)(&id.name, grant), vec![hazard], origin))
        }
        GrantAction::Revoke => Some(step((managed.revoke)(&id.name, grant), Vec::new(), origin)),
        GrantAction::Keep => None,
    }
}

/// A new object has what is declared, and keeps of the old one what is not.
fn replacement(
    managed: &Managed,
    id: &ObjectId,
    desired: &Object,
    present: &Object,
    contents: Option<&Contents>,
    origin: &Origin,
) -> Step {
    let mut attributes = present.attributes.clone();
    attributes.extend(desired.attributes.clone());
    let unseen = unseen();
    let (operation, hazards) = (managed.replace)(&id.name, &attributes, contents.unwrap_or(&unseen));
    step(operation, hazards, origin)
}

/// What nobody looked at must be taken for full.
fn unseen() -> Contents {
    Contents::Unknown { why: "they were not listed".to_owned() }
}

/// The change that makes the account hold nothing of it.
pub(super) fn destroy(id: &ObjectId, live: &Live, origin: &Origin, why: Reason) -> Change {
    let managed = kind::managed(id.object_type);
    let present = live.state.get(id);
    let contents = live.contents.get(id).cloned();
    let (action, reason, steps) = match present {
        None => (Action::NoOp, Reason::NothingToDestroy, Vec::new()),
        Some(_) => {
            // What nobody looked at must be taken for full.
            let unseen = || Contents::Unknown { why: "they were not listed".to_owned() };
            let (operation, hazards) = (managed.drop)(&id.name, &contents.clone().unwrap_or_else(unseen));
            (Action::Drop, why, vec![step(operation, hazards, origin)])
        }
    };
    Change {
        id: id.clone(),
        action,
        reason,
        attributes: Vec::new(),
        grants: Vec::new(),
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
    let Object { attributes, facts: _, grants: _ } = desired;
    let rows = managed.attributes.iter().filter_map(|row| Some((row, attributes.get(row.name)?)));
    rows.filter(|(row, value)| Some(value.as_str()) != row.default)
        .map(|(row, value)| AttributeChange { field: row.name, before: None, after: value.clone() })
        .collect()
}

/// Only what is declared is compared; an attribute that the account does not report has its default.
fn differing(managed: &Managed, desired: &Object, live: &Object) -> Vec<AttributeChange> {
    let Object { attributes, facts: _, grants: _ } = desired;
    let rows = managed.attributes.iter().filter_map(|row| Some((row, attributes.get(row.name)?)));
    rows.filter_map(|(row, after)| {
        // What the account does not report, and what has no default, is not compared.
        let before = live.attributes.get(row.name).map(String::as_str).or(row.default)?;
        (before != after).then(|| AttributeChange {
            field: row.name,
            before: Some(before.to_owned()),
            after: after.clone(),
        })
    })
    .collect()
}

/// The operation that changes an attribute in place.
fn alteration(managed: &Managed, id: &ObjectId, change: &AttributeChange, origin: &Origin) -> Option<Step> {
    match row(managed, change).change {
        ChangeRule::Alter(alter) => {
            let hazard = row(managed, change).hazard.map(|hazard| hazard(&change.after));
            Some(step(alter(&id.name, &change.after), hazard.into_iter().collect(), origin))
        }
        ChangeRule::Replace(_) => None,
    }
}

fn row(managed: &Managed, change: &AttributeChange) -> &'static Attribute {
    managed.attribute(change.field).expect("internal error: a change names a row of its kind's table")
}

fn step(operation: Operation, hazards: Vec<Hazard>, origin: &Origin) -> Step {
    Step { operation, hazards, role: origin.role.clone() }
}
