//! Session + desired state → everything that a plan must know of the account, in as few requests as that takes: one
//! listing for each schema; grants and tags of objects that declare some; the images of what would be lost.

use crate::desired::Desired;
use crate::kind::image_repository::PROJECT;
use crate::live::{self, Wanted};
use crate::object::name::{Ident, SchemaName};
use crate::object::reading::{Live, Scope, scope_of};
use crate::object::state::{Contents, Object, ObjectId, State};
use crate::plan::{self, Change, Intent, Target};
use crate::session::{Session, SessionError};
use std::collections::{BTreeMap, BTreeSet};

/// What is read of a schema besides what was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Siblings {
    /// What carries the project's mark.
    Ours,
    /// Everything.
    All,
}

/// Reads what a plan needs to know.
///
/// # Errors
/// Whatever a listing fails with, except that its schema is not there, or that the images of an object cannot be
/// listed: those are readings.
pub async fn survey(
    intent: Intent,
    target: &Target,
    desired: &Desired,
    siblings: Siblings,
    session: &dyn Session,
) -> Result<Live, SessionError> {
    let beside = beside(desired, siblings);
    let mut live = live::read(session, &desired.wanted(), &beside).await?;
    live::read_tags(session, &desired.tagged(), &mut live).await?;
    live::read_grants(session, &desired.granting(), &mut live).await?;
    // What would be lost is looked into, and so are the grants on what changes hands; which that is, a first plan tells.
    let plan = plan::plan(intent, target.clone(), desired, &live);
    let regranted: Vec<Wanted<'_>> = plan.regranted().map(seen).collect();
    live::read_grants(session, &regranted, &mut live).await?;
    let mut inside: Vec<Wanted<'_>> = plan.endangered().map(seen).collect();
    inside.extend(desired.requiring_images().into_iter().filter(|(id, _)| live.state.contains_key(*id)));
    inside.sort();
    inside.dedup_by(|a, b| a.0 == b.0);
    live.contents = live::read_contents(session, &inside).await;
    // Who runs images that would be lost is worth two more requests, and none where nothing would be.
    let full =
        |id: &ObjectId| !matches!(live.contents.get(id), Some(Contents::Listed(images)) if images.is_empty());
    let endangered: Vec<&ObjectId> =
        plan.endangered().map(|change| &change.id).filter(|id| full(id)).collect();
    live.users = live::read_users(session, &endangered).await;
    // A role that gives something away must still see it; where it may not ask that, the deploy will tell.
    let givers: BTreeSet<Ident> = plan.givers().collect();
    if !givers.is_empty() {
        live.sight = live::read_privileges(session, givers).await.unwrap_or_default();
    }
    Ok(live)
}

/// Reads also what the acting roles may do, so that a plan says whether it can be carried out.
///
/// # Errors
/// Whatever a listing of grants fails with.
pub async fn privileges(
    target: &Target,
    desired: &Desired,
    session: &dyn Session,
    live: &mut Live,
) -> Result<(), SessionError> {
    let own = target.role.as_ref().and_then(|role| Ident::parse(role).ok());
    let roles = desired.origins.values().filter_map(|origin| origin.role.clone());
    let roles: BTreeSet<Ident> = roles.chain(own).collect();
    live.privileges = live::read_privileges(session, roles).await?;
    Ok(())
}

/// Reads everything that any plan for these schemas could ask for: all objects, with their grants and images.
///
/// # Errors
/// As [`survey`].
pub async fn everything(
    target: &Target,
    desired: &Desired,
    session: &dyn Session,
) -> Result<Live, SessionError> {
    let intent = Intent::from(plan::Goal::Deploy);
    let mut live = survey(intent, target, desired, Siblings::All, session).await?;
    let siblings = std::mem::take(&mut live.siblings);
    let beside: BTreeSet<ObjectId> = siblings.keys().cloned().collect();
    live.state.extend(siblings);
    let ids: Vec<ObjectId> = live.state.keys().cloned().collect();
    let all: Vec<Wanted<'_>> = ids.iter().map(|id| (id, desired.role_to_see(id))).collect();
    live::read_grants(session, &all, &mut live).await?;
    live.contents = live::read_contents(session, &all).await;
    (live.siblings, live.state) = live.state.into_iter().partition(|(id, _)| beside.contains(id));
    Ok(live)
}

/// What a survey would have found in what was read before, or the schemas that were not.
///
/// # Errors
/// The schemas, with the role that each is looked at under.
pub fn recorded(read: &Live, intent: Intent, target: &Target, desired: &Desired) -> Result<Live, Vec<Scope>> {
    let scopes = desired.wanted().into_iter().map(|(id, role)| scope_of(id, role));
    let missing: BTreeSet<Scope> = scopes.filter(|scope| !read.scopes.contains_key(scope)).collect();
    if !missing.is_empty() {
        return Err(missing.into_iter().collect());
    }
    let wanted: BTreeSet<&ObjectId> = desired.wanted().into_iter().map(|(id, _)| id).collect();
    let all = read.state.iter().chain(&read.siblings).map(|(id, object)| (id.clone(), object.clone()));
    let (state, others): (State, State) = all.partition(|(id, _)| wanted.contains(id));
    let beside = beside(desired, Siblings::Ours);
    let kept = others.into_iter().filter(|(id, object)| beside(id, object));
    let mut live = Live {
        state,
        siblings: kept.collect(),
        scopes: read.scopes.clone(),
        contents: BTreeMap::new(),
        users: BTreeMap::new(),
        privileges: BTreeMap::new(),
        sight: read.sight.clone(),
    };
    as_asked_for(read, intent, target, desired, &mut live);
    Ok(live)
}

/// Leaves out what a survey for this plan would not have asked for, so that the same plan is made from both.
fn as_asked_for(read: &Live, intent: Intent, target: &Target, desired: &Desired, live: &mut Live) {
    let granting: BTreeSet<ObjectId> = desired.granting().into_iter().map(|(id, _)| id.clone()).collect();
    let grants: BTreeMap<ObjectId, _> =
        live.state.iter_mut().map(|(id, object)| (id.clone(), object.grants.take())).collect();
    for sibling in live.siblings.values_mut() {
        sibling.grants = None;
    }
    let restore = |live: &mut Live, id: &ObjectId| {
        if let Some(object) = live.state.get_mut(id) {
            object.grants = grants.get(id).cloned().flatten();
        }
    };
    granting.iter().for_each(|id| restore(live, id));
    let plan = plan::plan(intent, target.clone(), desired, live);
    plan.regranted().for_each(|change| restore(live, &change.id));
    let required = desired.requiring_images().into_iter().map(|(id, _)| id.clone());
    let inside: BTreeSet<ObjectId> =
        plan.endangered().map(|change| change.id.clone()).chain(required).collect();
    live.contents =
        inside.iter().filter_map(|id| Some((id.clone(), read.contents.get(id)?.clone()))).collect();
    live.users = inside.iter().filter_map(|id| Some((id.clone(), read.users.get(id)?.clone()))).collect();
}

/// Which objects are kept that were not asked for: those of the schemas of declared objects.
fn beside(desired: &Desired, siblings: Siblings) -> impl Fn(&ObjectId, &Object) -> bool + Sync {
    let removed = desired.removed.keys().filter(|_| siblings == Siblings::All);
    let schemas: BTreeSet<&SchemaName> =
        desired.origins.keys().chain(removed).map(|id| &id.name.schema).collect();
    let project = desired.project.as_ref().map(|name| &name.value);
    move |id, object| {
        let ours = project.is_some() && object.attributes.get(PROJECT) == project;
        (siblings == Siblings::All || ours) && schemas.contains(&id.name.schema)
    }
}

/// An object of a change, and the role that it is seen by.
fn seen(change: &Change) -> Wanted<'_> {
    (&change.id, change.origin.role.as_ref())
}
