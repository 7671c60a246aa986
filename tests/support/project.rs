//! A project from texts, and the way from it to a plan and its deploy, as the command line goes it.

use snowform::definition::{Inputs, Project, Variables};
use snowform::deploy::{self, Observer, Outcome, Progress};
use snowform::desired::{Desired, NameDefaults};
use snowform::object::name::Ident;
use snowform::object::state::ObjectId;
use snowform::plan::{self, Change, Goal, Plan, Target};
use snowform::session::{Identity, Session, SessionError};
use snowform::source::files::Files;
use snowform::{check, live};
use std::sync::atomic::AtomicBool;

/// A definition that has no mistake.
pub(crate) struct Checked {
    pub(crate) files: Files,
    pub(crate) project: Project,
}

/// Checks a project; a mistake fails the test.
pub(crate) fn check(definition: &str, overlay: Option<&str>) -> Checked {
    let mut files = Files::default();
    let definition = files.add("snowflake.yml", definition);
    let overlay = overlay.map(|text| files.add("snowform.yml", text));
    let inputs = Inputs { definition, local: None, overlay, variables: &Variables::default() };
    let checked = check::check(&files, &inputs);
    assert!(!checked.diagnostics.has_errors(), "{:?}", checked.diagnostics);
    Checked { files, project: checked.project }
}

/// Completes the names for a session.
pub(crate) fn desired(project: &Project, identity: &Identity) -> Desired {
    let defaults = NameDefaults { database: identity.database.clone(), schema: identity.schema.clone() };
    let (desired, found) = check::complete(project, &defaults);
    assert!(!found.has_errors(), "{found:?}");
    desired
}

/// Reads and plans.
pub(crate) async fn plan(goal: Goal, desired: &Desired, session: &dyn Session) -> Result<Plan, SessionError> {
    let mut live = live::read(session, &desired.wanted()).await?;
    live::read_grants(session, &desired.granting(), &mut live).await?;
    let identity = session.identity();
    let role = identity.role.as_ref().map(ToString::to_string);
    let target = Target { account: identity.account.clone(), host: identity.host.clone(), role };
    let plan = plan::plan(goal, target.clone(), desired, &live);
    let endangered: Vec<(&ObjectId, Option<&Ident>)> =
        plan.endangered().map(|change| (&change.id, change.origin.role.as_ref())).collect();
    live.contents = live::read_contents(session, &endangered).await;
    Ok(plan::plan(goal, target, desired, &live))
}

/// Carries a plan out without looking.
pub(crate) async fn carry_out(plan: &Plan, session: &dyn Session) -> Outcome {
    deploy::deploy(plan, session, &Silent, &AtomicBool::new(false)).await
}

struct Silent;

impl Observer for Silent {
    fn started(&self, _: &Change) {}
    fn ended(&self, _: &Change, _: &Progress) {}
}
