//! The one way to a plan, for `plan`, `deploy` and `destroy`: check offline, connect, complete the names, read, plan.

use super::connect::{self, ConnectionArgs};
use super::error::{CommandError, Exit};
use super::project::Texts;
use super::ui::Ui;
use crate::check;
use crate::desired::{Desired, NameDefaults};
use crate::live;
use crate::object::name::Ident;
use crate::object::reading::Live;
use crate::object::state::ObjectId;
use crate::plan::{self, Goal, Plan, Target};
use crate::session::{Identity, Session, SessionError};
use crate::source::diagnostic::{Diagnostic, Diagnostics, did_you_mean};

/// A plan, and what is needed to carry it out.
pub(super) struct Planned {
    pub(super) plan: Plan,
    pub(super) desired: Desired,
    pub(super) session: Box<dyn Session>,
}

/// Checks, connects, reads and plans. Warnings of the definition go out as talk.
pub(super) async fn prepare(
    goal: Goal,
    texts: &Texts,
    entities: &[String],
    connection: &ConnectionArgs,
    ui: &Ui,
) -> Result<Planned, CommandError> {
    let checked = check::check(&texts.files, &texts.inputs());
    if checked.diagnostics.has_errors() {
        return Err(invalid(checked.diagnostics.sorted()));
    }
    known_entities(entities, &checked.project)?;
    let session = connect::open(connection, &texts.directory, ui).await?;
    let result = async {
        let (mut desired, completed) = check::complete(&checked.project, &defaults(session.identity()));
        let mut diagnostics: Diagnostics = checked.diagnostics;
        diagnostics.extend(completed);
        if diagnostics.has_errors() {
            return Err(invalid(diagnostics.sorted()));
        }
        ui.diagnostics(&texts.files, &diagnostics.sorted());
        select(&mut desired, entities);
        let plan = plan_again(goal, &desired, session.as_ref()).await?;
        Ok((plan, desired))
    }
    .await;
    match result {
        Ok((plan, desired)) => Ok(Planned { plan, desired, session }),
        Err(error) => {
            session.close().await;
            Err(error)
        }
    }
}

/// Reads the account and plans, once more or for the first time.
pub(super) async fn plan_again(
    goal: Goal,
    desired: &Desired,
    session: &dyn Session,
) -> Result<Plan, SessionError> {
    let wanted: Vec<(&ObjectId, Option<&Ident>)> =
        desired.origins.iter().map(|(id, origin)| (id, origin.role.as_ref())).collect();
    let mut live: Live = live::read(session, &wanted).await?;
    let target = target(session.identity());
    let plan = plan::plan(goal, target.clone(), desired, &live);
    let endangered: Vec<(&ObjectId, Option<&Ident>)> =
        plan.endangered().map(|change| (&change.id, change.origin.role.as_ref())).collect();
    if endangered.is_empty() {
        return Ok(plan);
    }
    live.contents = live::read_contents(session, &endangered).await;
    Ok(plan::plan(goal, target, desired, &live))
}

fn target(identity: &Identity) -> Target {
    Target { account: identity.account.clone(), role: identity.role.as_ref().map(ToString::to_string) }
}

fn defaults(identity: &Identity) -> NameDefaults {
    NameDefaults { database: identity.database.clone(), schema: identity.schema.clone() }
}

fn invalid(diagnostics: Vec<Diagnostic>) -> CommandError {
    let help = "nothing was sent to the account";
    let message = "the definition has mistakes, so there is no plan";
    CommandError { diagnostics, ..CommandError::new(Exit::Failed, "invalid-definition", message, help) }
}

fn known_entities(entities: &[String], project: &crate::definition::Project) -> Result<(), CommandError> {
    let known: Vec<&str> = project.keys.iter().map(|key| key.value.as_str()).collect();
    match entities.iter().find(|entity| !known.contains(&entity.as_str())) {
        None => Ok(()),
        Some(unknown) => {
            let help = match did_you_mean(unknown, &known) {
                Some(near) => format!("did you mean `{near}`?"),
                None if known.is_empty() => "the definition has no entities".to_owned(),
                None => format!("it has: {}", known.join(", ")),
            };
            let message = format!("the definition has no entity `{unknown}`");
            Err(CommandError::new(Exit::Usage, "unknown-entity", message, help))
        }
    }
}

/// Keeps the entities that were asked for; no entity means all of them.
fn select(desired: &mut Desired, entities: &[String]) {
    if entities.is_empty() {
        return;
    }
    let asked = |entity: &String| entities.contains(entity);
    let Desired { state, origins, not_managed, without_effect: _ } = desired;
    origins.retain(|_, origin| asked(&origin.entity));
    state.retain(|id, _| origins.contains_key(id));
    not_managed.retain(|entity| asked(&entity.entity));
}
