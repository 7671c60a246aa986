//! A project from texts, and the way from it to a plan and its deploy, as the command line goes it.

use snowform::check;
use snowform::definition::{Inputs, Project, Variables};
use snowform::deploy::{self, Observer, Outcome, Progress};
use snowform::desired::{Desired, NameDefaults};
use snowform::object::reading::Live;
use snowform::plan::{self, Change, Intent, Plan, Target};
use snowform::session::{Identity, Session, SessionError};
use snowform::source::files::Files;
use snowform::survey::{self, Siblings};
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

/// Reads, as everything that a plan needs is read. `privileges`: also what the role may do.
pub(crate) async fn live(
    intent: impl Into<Intent>,
    desired: &Desired,
    privileges: bool,
    session: &dyn Session,
) -> Result<Live, SessionError> {
    let target = target(session);
    let mut live = survey::survey(intent.into(), &target, desired, Siblings::Ours, session).await?;
    if privileges {
        survey::privileges(&target, desired, session, &mut live).await?;
    }
    Ok(live)
}

/// Who acts where.
pub(crate) fn target(session: &dyn Session) -> Target {
    let identity = session.identity();
    let role = identity.role.as_ref().map(ToString::to_string);
    Target { account: identity.account.clone(), host: identity.host.clone(), role, between: None }
}

/// Reads and plans. A plan is sound, whatever it is for.
pub(crate) async fn plan(
    intent: impl Into<Intent>,
    desired: &Desired,
    privileges: bool,
    session: &dyn Session,
) -> Result<Plan, SessionError> {
    let intent = intent.into();
    let live = live(intent, desired, privileges, session).await?;
    let plan = plan::plan(intent, target(session), desired, &live);
    assert_eq!(plan::lint::lint(&plan), Vec::<String>::new());
    Ok(plan)
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
