//! Session + desired state → everything that a plan must know of the account, in as few requests as that takes: one
//! listing for each schema; grants and tags of objects that declare some; the images of what would be lost.

use crate::desired::Desired;
use crate::kind::image_repository::PROJECT;
use crate::live::{self, Wanted};
use crate::object::reading::Live;
use crate::object::state::{Object, ObjectId};
use crate::plan::{self, Change, Intent, Target};
use crate::session::{Session, SessionError};

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
    let scopes = desired.scopes();
    let beside = |id: &ObjectId, object: &Object| {
        let schemas = scopes.iter().any(|scope| scope.schema == id.name.schema);
        let project = desired.project.as_ref().map(|name| &name.value);
        let ours = project.is_some() && object.attributes.get(PROJECT) == project;
        schemas && (siblings == Siblings::All || ours)
    };
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
    Ok(live)
}

/// Reads everything that any plan for these schemas could ask for: what is beside the declared objects, all grants, and
/// all images.
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
    let ids: Vec<ObjectId> = live.state.keys().cloned().collect();
    let role = |id: &ObjectId| {
        let origin = desired.origins.get(id).or_else(|| desired.removed.get(id));
        origin.and_then(|origin| origin.role.as_ref())
    };
    let all: Vec<Wanted<'_>> = ids.iter().map(|id| (id, role(id))).collect();
    live::read_grants(session, &all, &mut live).await?;
    live.contents = live::read_contents(session, &all).await;
    Ok(live)
}

/// An object of a change, and the role that it is seen by.
fn seen(change: &Change) -> Wanted<'_> {
    (&change.id, change.origin.role.as_ref())
}
