//! Plan + session + observer → Outcome. Decides nothing: which steps, in which order and with which hazards was
//! decided by the plan; here they are carried out and their results told.

use crate::kind::image_repository::OWNER;
use crate::live;
use crate::object::name::{Ident, SchemaName};
use crate::object::state::Contents;
use crate::plan::{Action, Change, Plan, SchemaCreation, Step, matches};
use crate::session::{Session, SessionError, code};
use futures_util::stream::{self, StreamExt as _};
use std::sync::atomic::{AtomicBool, Ordering};

/// How many changes of a wave are carried out side by side.
pub const SIDE_BY_SIDE: usize = 16;

/// How a change went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// There was nothing to do.
    Unchanged,
    /// Every step was carried out.
    Done {
        /// The account's ids of the statements.
        query_ids: Vec<String>,
    },
    /// A step failed; the ones before it took effect.
    Failed(Failure),
    /// It was not begun, because an earlier one failed or the run was interrupted.
    NotReached,
}

/// Why a step failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The account's words.
    pub message: String,
    /// What to do.
    pub help: String,
    /// The account's error code.
    pub code: Option<u32>,
    /// The account's id of the statement.
    pub query_id: Option<String>,
    /// Whether the account refused who we are.
    pub authentication: bool,
}

/// What a deploy did: for every change of the plan, in its order.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// How the creation of each schema went; the indices are the plan's.
    pub schemas: Vec<Progress>,
    /// How each change went; the indices are the plan's.
    pub progress: Vec<Progress>,
}

impl Outcome {
    /// Whether every change was carried out.
    pub fn is_complete(&self) -> bool {
        !self.all().any(|p| matches!(p, Progress::Failed(_) | Progress::NotReached))
    }

    fn all(&self) -> impl Iterator<Item = &Progress> {
        self.schemas.iter().chain(&self.progress)
    }

    /// The failures.
    pub fn failures(&self) -> impl Iterator<Item = &Failure> {
        self.all().filter_map(|progress| match progress {
            Progress::Failed(failure) => Some(failure),
            Progress::Unchanged | Progress::Done { .. } | Progress::NotReached => None,
        })
    }
}

/// Whoever wants to watch.
pub trait Observer: Sync {
    /// A change is about to be carried out.
    fn started(&self, change: &Change);
    /// A change has ended.
    fn ended(&self, change: &Change, progress: &Progress);
}

/// Carries a plan out. Changes of one wave run side by side; when one fails, those under way are finished and later
/// waves are not begun. `stop` ends the run in the same way, at the next chance.
pub async fn deploy(
    plan: &Plan,
    session: &dyn Session,
    observer: &dyn Observer,
    stop: &AtomicBool,
) -> Outcome {
    let mut progress = vec![Progress::NotReached; plan.changes.len()];
    let schemas = create_schemas(plan, session, stop).await;
    if schemas.iter().any(|ended| !matches!(ended, Progress::Done { .. })) {
        return Outcome { schemas, progress };
    }
    let waves = plan.changes.iter().map(|change| change.wave).max().map_or(0, |last| last + 1);
    for wave in 0..waves {
        let members = plan.changes.iter().enumerate().filter(|(_, change)| change.wave == wave);
        let ended: Vec<(usize, Progress)> = stream::iter(members)
            .map(|(at, change)| async move { (at, carry_out(change, session, observer, stop).await) })
            .buffer_unordered(SIDE_BY_SIDE)
            .collect()
            .await;
        let failed =
            ended.iter().any(|(_, ended)| matches!(ended, Progress::Failed(_) | Progress::NotReached));
        for (at, ended) in ended {
            progress[at] = ended;
        }
        if failed {
            break;
        }
    }
    Outcome { schemas, progress }
}

/// One after the other; nothing can stand in a schema that is not there, so the first failure ends it.
async fn create_schemas(plan: &Plan, session: &dyn Session, stop: &AtomicBool) -> Vec<Progress> {
    let mut ended = vec![Progress::NotReached; plan.schemas.len()];
    for (creation, ended) in plan.schemas.iter().zip(&mut ended) {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let SchemaCreation { schema, step } = creation;
        match session.perform(&step.operation, step.role.as_ref()).await {
            Ok(performed) => *ended = Progress::Done { query_ids: performed.query_id.into_iter().collect() },
            Err(error) => {
                let role = step.role.as_ref().or(session.identity().role.as_ref());
                let help = help_with_schema(schema, &error, role);
                *ended = Progress::Failed(failure(help, error));
                break;
            }
        }
    }
    ended
}

async fn carry_out(
    change: &Change,
    session: &dyn Session,
    observer: &dyn Observer,
    stop: &AtomicBool,
) -> Progress {
    if change.action == Action::NoOp {
        return Progress::Unchanged;
    }
    if stop.load(Ordering::Relaxed) {
        return Progress::NotReached;
    }
    observer.started(change);
    if let Some(failure) = contents_moved(change, session).await {
        let progress = Progress::Failed(failure);
        observer.ended(change, &progress);
        return progress;
    }
    let mut query_ids = Vec::new();
    for step in &change.steps {
        match carry_out_step(change, step, session).await {
            Ok(id) => query_ids.extend(id),
            Err(failure) => {
                let progress = Progress::Failed(failure);
                observer.ended(change, &progress);
                return progress;
            }
        }
    }
    let progress = Progress::Done { query_ids };
    observer.ended(change, &progress);
    progress
}

/// What would be lost is looked into once more, directly before: consent was given for what was counted.
async fn contents_moved(change: &Change, session: &dyn Session) -> Option<Failure> {
    let lost = matches!(change.action, Action::Drop | Action::Replace);
    let counted = change.contents.as_ref().filter(|_| lost)?;
    let wanted = [(&change.id, change.origin.role.as_ref())];
    let now = live::read_contents(session, &wanted).await;
    let moved = match (counted, now.get(&change.id)?) {
        (Contents::Listed(counted), Contents::Listed(now)) => counted != now,
        (Contents::Listed(_), Contents::Unknown { .. }) => true,
        // Whoever allowed to lose what nobody could count, allowed anything.
        (Contents::Unknown { .. }, _) => false,
    };
    // What is gone altogether, the statement says better.
    let is_there = || async {
        let state = live::read_again(session, &change.id, change.origin.role.as_ref()).await;
        state.is_ok_and(|state| state.contains_key(&change.id))
    };
    (moved && is_there().await).then(|| Failure {
        message: "its images are not those that were counted; it was left as it is".to_owned(),
        help: "look at a new plan; images were pushed or removed in the meantime".to_owned(),
        code: None,
        query_id: None,
        authentication: false,
    })
}

async fn carry_out_step(
    change: &Change,
    step: &Step,
    session: &dyn Session,
) -> Result<Option<String>, Failure> {
    match session.perform(&step.operation, step.role.as_ref()).await {
        Ok(performed) => Ok(performed.query_id),
        Err(error) => {
            // An earlier try of this very statement went unanswered. Whether it took effect, the account knows.
            if error.is_after_retry() && took_effect(change, step, &error, session).await {
                return Ok(None);
            }
            let role = step.role.as_ref().or(session.identity().role.as_ref());
            Err(failure(help(change, &error, role), error))
        }
    }
}

/// Whether the object is as this change wanted it.
async fn took_effect(change: &Change, step: &Step, error: &SessionError, session: &dyn Session) -> bool {
    let expected = match change.action {
        Action::Create => error.is_taken(),
        Action::Drop => error.is_absence(),
        Action::Alter | Action::Replace | Action::NoOp => false,
    };
    if !expected {
        return false;
    }
    let Ok(state) = live::read_again(session, &change.id, step.role.as_ref()).await else { return false };
    match (&change.desired, state.get(&change.id)) {
        (Some(desired), Some(live)) => matches(&change.id, desired, live) && is_ours(live, step, session),
        (None, None) => true,
        _ => false,
    }
}

/// Objects belong to the role that created them.
fn is_ours(live: &crate::object::state::Object, step: &Step, session: &dyn Session) -> bool {
    let role = step.role.as_ref().or(session.identity().role.as_ref());
    match (live.attributes.get(OWNER), role) {
        (Some(owner), Some(role)) => owner == role.as_str(),
        _ => true,
    }
}

fn failure(help: String, error: SessionError) -> Failure {
    let (code, message) = (error.code(), error.to_string());
    let authentication = matches!(error, SessionError::Authentication { .. });
    let query_id = match error {
        SessionError::Sql { query_id, .. } => query_id,
        SessionError::Authentication { .. }
        | SessionError::Unreachable { .. }
        | SessionError::Protocol { .. } => None,
    };
    Failure { message, help, code, query_id, authentication }
}

fn help_with_schema(schema: &SchemaName, error: &SessionError, role: Option<&Ident>) -> String {
    let role = role.map_or_else(|| "this role".to_owned(), ToString::to_string);
    match error {
        SessionError::Sql { code: code::INSUFFICIENT_PRIVILEGES, .. } => format!(
            "role {role} lacks a privilege; to create a schema here it needs\nGRANT CREATE SCHEMA ON DATABASE {} TO ROLE {role};",
            schema.database
        ),
        SessionError::Sql { .. } => {
            format!("create the schema by hand, and deploy again:\nCREATE SCHEMA {schema};")
        }
        SessionError::Authentication { help, .. }
        | SessionError::Unreachable { help, .. }
        | SessionError::Protocol { help, .. } => help.clone(),
    }
}

fn help(change: &Change, error: &SessionError, role: Option<&Ident>) -> String {
    let role = role.map_or_else(|| "this role".to_owned(), ToString::to_string);
    let (name, noun) = (&change.id.name, crate::kind::managed(change.id.object_type).sql_noun);
    match error {
        SessionError::Authentication { help, .. }
        | SessionError::Unreachable { help, .. }
        | SessionError::Protocol { help, .. } => help.clone(),
        SessionError::Sql { code: code::EXISTS_WITHOUT_PRIVILEGES, .. } => format!(
            "it exists, and role {role} may not see it; let its owner run\nGRANT READ ON {noun} {name} TO ROLE {role};"
        ),
        SessionError::Sql { code: code::INSUFFICIENT_PRIVILEGES, .. } => match change.action {
            Action::Create | Action::NoOp => format!(
                "role {role} lacks a privilege; to create here it needs\nGRANT CREATE {noun} ON SCHEMA {} TO ROLE {role};",
                name.schema
            ),
            Action::Alter | Action::Replace | Action::Drop => format!(
                "role {role} must own it, or be granted the role that does (to grant privileges on it, MANAGE GRANTS is enough)"
            ),
        },
        error if error.is_taken() => format!(
            "the account did not list it for role {role} when the plan was made: somebody created it since, or the role may not see it; plan again"
        ),
        error if error.is_absence() => format!(
            "what the account names is gone since the plan was made, or role {role} may not see it; plan again; if it is there still, let its owner grant the role what it lacks"
        ),
        SessionError::Sql { .. } => {
            "the account refused the statement; nothing else was affected by it".to_owned()
        }
    }
}
