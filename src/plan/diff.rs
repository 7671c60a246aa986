//! One object, desired and live, to its change; attribute by attribute, through the kind's table.

use super::change::{Action, AttributeChange, Change, GrantAction, GrantChange, Reason, Step, TagChange};
use crate::desired::Origin;
use crate::kind::image_repository::PROJECT;
use crate::kind::{self, Attribute, AttributeStep, ChangeRule, KeptGrants, Managed};
use crate::object::name::Ident;
use crate::object::reading::Live;
use crate::object::state::{Attributes, Contents, Grant, Object, ObjectId, Tags};
use crate::object::statement::{Hazard, HazardKind, Operation};
use std::collections::BTreeSet;

/// What objects are compared under.
#[derive(Clone, Copy)]
pub(super) struct Comparison<'a> {
    /// What was read.
    pub(super) live: &'a Live,
    /// Whether what is there is replaced, also where it is as declared.
    pub(super) replace: bool,
    /// The role that the session acts as: it owns what it creates.
    pub(super) role: Option<&'a str>,
    /// The project whose objects these are.
    pub(super) project: Option<&'a str>,
}

/// One object as its change is made: what is wanted, and who asks.
struct Pair<'a> {
    id: &'a ObjectId,
    managed: &'static Managed,
    desired: &'a Object,
    origin: &'a Origin,
    /// The role that the object's statements run under.
    acting: Option<&'a str>,
}

impl Comparison<'_> {
    /// The change that makes the account hold what is declared.
    pub(super) fn converge(&self, id: &ObjectId, desired: &Object, origin: &Origin) -> Change {
        let acting = origin.role.as_ref().map(Ident::as_str).or(self.role);
        let (managed, present) = (kind::managed(id.object_type), self.live.state.get(id));
        let pair = Pair { id, managed, desired, origin, acting };
        let change = |action, reason, differences: Differences, steps| {
            let Differences { attributes, tags, grants } = differences;
            let lost = action == Action::Replace;
            let contents = lost.then(|| self.live.contents.get(id).cloned()).flatten();
            let users = lost.then(|| self.live.users.get(id).cloned()).flatten();
            let (desired, live) = (Some(desired.clone()), present.cloned());
            let (id, origin) = (id.clone(), origin.clone());
            Change {
                id,
                action,
                reason,
                attributes,
                tags,
                grants,
                desired,
                live,
                contents,
                users,
                origin,
                steps,
                wave: 0,
            }
        };
        let Some(live) = present else {
            let differences = pair.creation();
            let create = (managed.create)(&id.name, &desired.attributes, &desired.tags);
            let mut steps = vec![pair.step(create, Vec::new())];
            steps.extend(pair.following(&differences, Some(&BTreeSet::new())));
            return change(Action::Create, Reason::NotListed, differences, steps);
        };
        let attributes = differing(managed, desired, live);
        let fixed =
            attributes.iter().any(|change| matches!(row(managed, change).change, ChangeRule::Replace(_)));
        if self.replace || fixed {
            let reason = if fixed { Reason::CannotAlter } else { Reason::ReplaceAsked };
            let differences = pair.recreation(attributes);
            let steps = pair.replacement(live, &differences, self);
            return change(Action::Replace, reason, differences, steps);
        }
        let differences = Differences {
            tags: differing_tags(desired, &live.tags),
            grants: differing_grants(desired, Some(live), origin),
            attributes,
        };
        if differences.is_empty() {
            return change(Action::NoOp, Reason::AsDeclared, differences, Vec::new());
        }
        let adopted = differences
            .attributes
            .iter()
            .any(|change| change.field == PROJECT && change.before.as_deref() == Some(""));
        let reason = if adopted { Reason::Adopted } else { Reason::Differs };
        let differences = pair.without_what_goes(differences, live);
        let steps = pair.alterations(live, &differences);
        change(Action::Alter, reason, differences, steps)
    }

    /// The change that makes the account hold nothing of it.
    pub(super) fn destroy(&self, id: &ObjectId, origin: &Origin, why: Reason) -> Change {
        let (managed, contents) = (kind::managed(id.object_type), self.live.contents.get(id).cloned());
        let live = self.live.state.get(id).or_else(|| self.live.siblings.get(id)).cloned();
        let (action, reason, steps) = match &live {
            None => (Action::NoOp, Reason::NothingToDestroy, Vec::new()),
            Some(present) => {
                let unseen = unseen();
                let (operation, mut hazards) = (managed.drop)(&id.name, contents.as_ref().unwrap_or(&unseen));
                hazards.extend(self.other_project(present));
                let step = Step { operation, hazards, role: origin.role.clone() };
                (Action::Drop, why, vec![step])
            }
        };
        Change {
            id: id.clone(),
            action,
            reason,
            attributes: Vec::new(),
            tags: Vec::new(),
            grants: Vec::new(),
            desired: None,
            live,
            contents,
            users: self.live.users.get(id).cloned(),
            origin: origin.clone(),
            steps,
            wave: 0,
        }
    }

    /// What carries another project's mark is not lost by mistake.
    fn other_project(&self, present: &Object) -> Option<Hazard> {
        let other = present.attributes.get(PROJECT)?;
        let ours = self.project == Some(other.as_str());
        let message = format!("it carries the mark of project {other}");
        (!ours).then_some(Hazard { kind: HazardKind::TakesOver, message })
    }
}

/// Everything of an object that is not as declared.
struct Differences {
    attributes: Vec<AttributeChange>,
    tags: Vec<TagChange>,
    grants: Vec<GrantChange>,
}

impl Differences {
    fn is_empty(&self) -> bool {
        let Self { attributes, tags, grants } = self;
        let kept = grants.iter().all(|change| change.action == GrantAction::Keep);
        attributes.is_empty() && tags.is_empty() && kept
    }
}

impl Pair<'_> {
    /// Everything that is declared of an object that is new.
    fn creation(&self) -> Differences {
        Differences {
            attributes: declared(self.managed, self.desired)
                .into_iter()
                .filter(|change| !self.is_its_own_already(change))
                .collect(),
            tags: differing_tags(self.desired, &Tags::new()),
            grants: differing_grants(self.desired, None, self.origin),
        }
    }

    /// The same of an object in the place of another: what follows creation counts from the new one, the rest is told
    /// as it differs from the old.
    fn recreation(&self, differing: Vec<AttributeChange>) -> Differences {
        let follows =
            |change: &AttributeChange| matches!(row(self.managed, change).change, ChangeRule::Afterwards(_));
        let creation = self.creation();
        let following = creation.attributes.into_iter().filter(follows);
        let attributes = differing.into_iter().filter(|change| !follows(change)).chain(following).collect();
        Differences { attributes, ..creation }
    }

    /// What comes by itself with creation: the owner is who creates.
    fn is_its_own_already(&self, change: &AttributeChange) -> bool {
        let afterwards = matches!(row(self.managed, change).change, ChangeRule::Afterwards(_));
        afterwards && self.acting == Some(change.after.as_str())
    }

    /// Where a new owner takes the grants away, none is kept.
    fn without_what_goes(&self, mut differences: Differences, live: &Object) -> Differences {
        let owner_changes = differences
            .attributes
            .iter()
            .any(|change| matches!(row(self.managed, change).change, ChangeRule::Afterwards(_)));
        if owner_changes && self.kept_grants(&differences, live.grants.as_ref()) == KeptGrants::Revoked {
            let kept = differences.grants.iter_mut().filter(|change| change.action == GrantAction::Keep);
            kept.for_each(|change| change.action = GrantAction::Revoke);
        }
        differences
    }

    /// The steps that change what is there.
    fn alterations(&self, live: &Object, differences: &Differences) -> Vec<Step> {
        let mut all = live.attributes.clone();
        all.extend(self.desired.attributes.clone());
        let mut steps: Vec<Step> = Vec::new();
        for change in &differences.attributes {
            let ChangeRule::Alter(alter) = row(self.managed, change).change else { continue };
            let seen = self.attribute_step(change, &all, KeptGrants::None);
            let (operation, hazard) = (alter(&seen), (row(self.managed, change).hazard)(&seen));
            // Attributes that one statement says together are said once.
            match steps.iter_mut().find(|step| step.operation == operation) {
                Some(step) => step.hazards.extend(hazard),
                None => steps.push(self.step(operation, hazard.into_iter().collect())),
            }
        }
        if !differences.tags.is_empty() {
            let tags = differences
                .tags
                .iter()
                .map(|TagChange { tag, before: _, after }| (tag.clone(), after.clone()));
            steps.push(self.step((self.managed.set_tags)(&self.id.name, &tags.collect()), Vec::new()));
        }
        steps.extend(self.following(differences, live.grants.as_ref()));
        steps
    }

    /// The steps that follow creation and alteration: grants, and what comes after them, a new owner. Where a new owner
    /// takes the grants away, the declared ones are given again; the acting role still may, because a plan in which it
    /// does not act for the new owner is not carried out. `held`: the grants before, where they were read.
    fn following(&self, differences: &Differences, held: Option<&BTreeSet<Grant>>) -> Vec<Step> {
        let kept = self.kept_grants(differences, held);
        let mut steps: Vec<Step> =
            differences.grants.iter().filter_map(|change| self.regrant(change)).collect();
        for change in &differences.attributes {
            let ChangeRule::Afterwards(alter) = row(self.managed, change).change else { continue };
            let seen = self.attribute_step(change, &self.desired.attributes, kept);
            let mut hazards: Vec<Hazard> = (row(self.managed, change).hazard)(&seen).into_iter().collect();
            if kept == KeptGrants::Revoked {
                let message = "takes all grants on it away; undeclared ones do not come back".to_owned();
                hazards.push(Hazard { kind: HazardKind::NotReversible, message });
                steps.clear();
            }
            steps.push(self.step(alter(&seen), hazards));
            if kept == KeptGrants::Revoked {
                let all = differing_grants(self.desired, None, self.origin);
                steps.extend(all.iter().filter_map(|change| self.regrant(change)));
            }
        }
        steps
    }

    /// What a change of the owner must say of grants: nothing, where there are none.
    fn kept_grants(&self, differences: &Differences, held: Option<&BTreeSet<Grant>>) -> KeptGrants {
        if held.is_some() && outbound(&differences.grants, held).is_empty() {
            return KeptGrants::None;
        }
        self.origin.owner_grants.unwrap_or_default()
    }

    fn attribute_step<'b>(
        &'b self,
        change: &'b AttributeChange,
        all: &'b Attributes,
        kept_grants: KeptGrants,
    ) -> AttributeStep<'b> {
        AttributeStep {
            name: &self.id.name,
            before: change.before.as_deref(),
            after: &change.after,
            all,
            kept_grants,
        }
    }

    /// A new object has what is declared, and keeps of the old one what is not, as far as it can.
    fn replacement(&self, live: &Object, differences: &Differences, under: &Comparison<'_>) -> Vec<Step> {
        let mut attributes = live.attributes.clone();
        attributes.extend(self.desired.attributes.clone());
        let contents = under.live.contents.get(self.id).cloned().unwrap_or_else(unseen);
        let (operation, mut hazards) =
            (self.managed.replace)(&self.id.name, &attributes, &self.desired.tags, &contents);
        hazards.extend(self.lost(live));
        hazards.extend(under.other_project(live));
        let mut steps = vec![self.step(operation, hazards)];
        steps.extend(self.following(differences, Some(&BTreeSet::new())));
        steps
    }

    /// What of the old object, its images aside, the new one does not have.
    fn lost(&self, live: &Object) -> Option<Hazard> {
        let none = BTreeSet::new();
        let declared = self.desired.grants.as_ref().unwrap_or(&none);
        let mut lost = Vec::new();
        match &live.grants {
            None => lost.push("its grants, which could not be read".to_owned()),
            Some(held) => lost.extend(held.difference(declared).map(|grant| format!("the grant of {grant}"))),
        }
        let afterwards = |row: &&Attribute| matches!(row.change, ChangeRule::Afterwards(_));
        for row in self.managed.attributes.iter().filter(afterwards) {
            let held = live.attributes.get(row.name).map(String::as_str);
            let undeclared = !self.desired.attributes.contains_key(row.name);
            lost.extend(
                held.filter(|held| undeclared && self.acting != Some(held))
                    .map(|held| format!("its {} {}", row.name, Ident::exact(held))),
            );
        }
        let message = format!("puts a new object in its place; lost with the old one: {}", lost.join(", "));
        (!lost.is_empty()).then_some(Hazard { kind: HazardKind::ReplacesObject, message })
    }

    fn regrant(&self, change: &GrantChange) -> Option<Step> {
        let GrantChange { grant, action } = change;
        match action {
            GrantAction::Grant => {
                let message = format!("{} may {} it", grant.grantee, grant.privilege);
                let hazard = Hazard { kind: HazardKind::WidensAccess, message };
                Some(self.step((self.managed.grant)(&self.id.name, grant), vec![hazard]))
            }
            GrantAction::Revoke => Some(self.step((self.managed.revoke)(&self.id.name, grant), Vec::new())),
            GrantAction::Keep => None,
        }
    }

    fn step(&self, operation: Operation, hazards: Vec<Hazard>) -> Step {
        Step { operation, hazards, role: self.origin.role.clone() }
    }
}

/// The grants on an object before its owner changes.
fn outbound<'a>(changes: &'a [GrantChange], held: Option<&'a BTreeSet<Grant>>) -> BTreeSet<&'a Grant> {
    let mut outbound: BTreeSet<&Grant> = held.into_iter().flatten().collect();
    for GrantChange { grant, action } in changes {
        match action {
            GrantAction::Grant | GrantAction::Keep => outbound.insert(grant),
            GrantAction::Revoke => outbound.remove(grant),
        };
    }
    outbound
}

/// Whether the owner changes, others have privileges on the object, and nobody says what becomes of those.
pub(super) fn leaves_grants_open(change: &Change) -> bool {
    let existing = change.action == Action::Alter;
    let held = change.live.as_ref().filter(|_| existing).and_then(|live| live.grants.as_ref());
    let unread = existing && held.is_none();
    owner_changes(change)
        && change.origin.owner_grants.is_none()
        && (unread || !outbound(&change.grants, held).is_empty())
}

/// The role that an object is given to.
pub(super) fn new_owner(change: &Change) -> Option<Ident> {
    let managed = kind::managed(change.id.object_type);
    let afterwards =
        |changed: &&AttributeChange| matches!(row(managed, changed).change, ChangeRule::Afterwards(_));
    change.attributes.iter().find(afterwards).map(|changed| Ident::exact(changed.after.clone()))
}

/// Whether something changes that follows everything else.
pub(super) fn owner_changes(change: &Change) -> bool {
    let managed = kind::managed(change.id.object_type);
    let afterwards = |changed| matches!(row(managed, changed).change, ChangeRule::Afterwards(_));
    change.attributes.iter().any(afterwards)
}

/// Declared grants that are not there, and others that are. Nothing is compared where none are declared.
fn differing_grants(desired: &Object, live: Option<&Object>, origin: &Origin) -> Vec<GrantChange> {
    let Some(wanted) = &desired.grants else { return Vec::new() };
    let none = BTreeSet::new();
    let held = live.and_then(|live| live.grants.as_ref()).unwrap_or(&none);
    let extra = if origin.grants_exact { GrantAction::Revoke } else { GrantAction::Keep };
    let change = |grant: &Grant, action| GrantChange { grant: grant.clone(), action };
    let missing = wanted.difference(held).map(|grant| change(grant, GrantAction::Grant));
    // What only somebody else can declare, only somebody else takes away.
    let action = |grant: &Grant| if grant.grantee.is_role() { extra } else { GrantAction::Keep };
    missing.chain(held.difference(wanted).map(|grant| change(grant, action(grant)))).collect()
}

fn differing_tags(desired: &Object, live: &Tags) -> Vec<TagChange> {
    let differing = desired.tags.iter().filter(|(tag, value)| live.get(*tag) != Some(*value));
    differing
        .map(|(tag, value)| TagChange {
            tag: tag.clone(),
            before: live.get(tag).cloned(),
            after: value.clone(),
        })
        .collect()
}

/// What nobody looked at must be taken for full.
fn unseen() -> Contents {
    Contents::Unknown { why: "they were not listed".to_owned() }
}

/// Whether what is live is what creation alone makes of what was declared.
pub(crate) fn matches(id: &ObjectId, desired: &Object, live: &Object) -> bool {
    let managed = kind::managed(id.object_type);
    let changes = differing(managed, desired, live);
    changes.iter().all(|change| matches!(row(managed, change).change, ChangeRule::Afterwards(_)))
}

fn declared(managed: &Managed, desired: &Object) -> Vec<AttributeChange> {
    let Object { attributes, facts: _, tags: _, grants: _ } = desired;
    let rows = managed.attributes.iter().filter_map(|row| Some((row, attributes.get(row.name)?)));
    rows.filter(|(row, value)| Some(value.as_str()) != row.default)
        .map(|(row, value)| AttributeChange { field: row.name, before: None, after: value.clone() })
        .collect()
}

/// Only what is declared is compared; an attribute that the account does not report has its default.
fn differing(managed: &Managed, desired: &Object, live: &Object) -> Vec<AttributeChange> {
    let Object { attributes, facts: _, tags: _, grants: _ } = desired;
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

fn row(managed: &Managed, change: &AttributeChange) -> &'static Attribute {
    managed.attribute(change.field).expect("internal error: a change names a row of its kind's table")
}
