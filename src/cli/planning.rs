//! The one way to a plan, for `plan`, `deploy` and `destroy`: check offline, connect, complete the names, read, plan.

use super::connect::{self, ConnectionArgs};
use super::error::{CommandError, Exit};
use super::project::Texts;
use super::ui::Ui;
use super::{select, target};
use crate::check;
use crate::desired::NameDefaults;
use crate::plan::file::Saved;
use crate::plan::{Intent, Plan, Target};
use crate::session::{Identity, Session};
use crate::source::diagnostic::{Diagnostic, Diagnostics};
use crate::source::files::Files;
use crate::survey::{Siblings, survey};
use std::path::Path;

/// What a plan is made from, the plan, and the session to carry it out with.
pub(super) struct Planned {
    pub(super) saved: Saved,
    pub(super) plan: Plan,
    pub(super) session: Box<dyn Session>,
}

/// Checks, connects, reads and plans. Warnings of the definition go out as talk.
pub(super) async fn prepare(
    intent: Intent,
    texts: &Texts,
    entities: &[String],
    connection: &ConnectionArgs,
    ui: &Ui,
) -> Result<Planned, CommandError> {
    let checked = check::check(&texts.files, &texts.inputs());
    if checked.diagnostics.has_errors() {
        return Err(invalid(checked.diagnostics.sorted()));
    }
    let meant = select::keys(entities, &checked.project)?;
    let place = target::chosen(texts.target.as_deref(), &checked.project, connection)?;
    let connection = &target::connection(place, connection);
    let session = connect::open(connection, &texts.directory, ui).await?;
    let saved = async {
        target::verify(place, session.identity(), connection)?;
        let (mut desired, completed) = check::complete(&checked.project, &defaults(session.identity()));
        let mut diagnostics: Diagnostics = checked.diagnostics;
        diagnostics.extend(completed);
        if diagnostics.has_errors() {
            return Err(invalid(diagnostics.sorted()));
        }
        ui.diagnostics(&texts.files, &diagnostics.sorted());
        select::keep(&mut desired, meant.as_deref());
        let target = acting(session.identity());
        let live = survey(intent, &target, &desired, Siblings::Ours, session.as_ref()).await?;
        Ok(Saved { intent, target, files: texts.files.clone(), desired, live })
    }
    .await;
    finish(saved, session).await
}

/// Takes a plan from a file, where nothing has moved since it was made.
pub(super) async fn resume(
    saved: Saved,
    texts: Option<&Texts>,
    directory: &Path,
    connection: &ConnectionArgs,
    ui: &Ui,
) -> Result<Planned, CommandError> {
    if let Some(texts) = texts {
        same_definition(&saved, texts)?;
    }
    let named = texts.filter(|texts| texts.target.is_some());
    let checked = named.map(|texts| check::check(&texts.files, &texts.inputs()));
    let asked = texts.and_then(|texts| texts.target.as_deref());
    let place = match &checked {
        Some(checked) => target::chosen(asked, &checked.project, connection)?,
        None => None,
    };
    let connection = &target::connection(place, connection);
    let session = connect::open(connection, directory, ui).await?;
    let checked = async {
        target::verify(place, session.identity(), connection)?;
        let target = acting(session.identity());
        if target != saved.target {
            return Err(other_target(&saved.target, &target));
        }
        let now = survey(saved.intent, &target, &saved.desired, Siblings::Ours, session.as_ref()).await?;
        let moved = saved.moved(&now);
        if moved.is_empty() { Ok(saved) } else { Err(stale(&moved.join("\n"))) }
    }
    .await;
    finish(checked, session).await
}

async fn finish(
    saved: Result<Saved, CommandError>,
    session: Box<dyn Session>,
) -> Result<Planned, CommandError> {
    match saved {
        Ok(saved) => Ok(Planned { plan: saved.plan(), saved, session }),
        Err(error) => {
            session.close().await;
            Err(error)
        }
    }
}

fn stale(what: &str) -> CommandError {
    let message = format!("the saved plan is stale, and nothing was changed\n{what}");
    CommandError::new(
        Exit::Stale,
        "stale-plan",
        message,
        "make a new plan, and have it reviewed:\nsnowform plan --out FILE",
    )
}

fn other_target(saved: &Target, now: &Target) -> CommandError {
    let place = |target: &Target| {
        let role = target.role.as_deref().unwrap_or("no role");
        format!("account {} at {} as role {role}", target.account, target.host)
    };
    stale(&format!("it is for {}\nthis connection is {}", place(saved), place(now)))
}

/// The files that a plan was made from are the files that are there.
fn same_definition(saved: &Saved, texts: &Texts) -> Result<(), CommandError> {
    let contents = |files: &Files| -> Vec<(String, String)> {
        let name = |path: &str| Path::new(path).file_name().map(|name| name.to_string_lossy().into_owned());
        files.ids().map(|id| (name(files.path(id)).unwrap_or_default(), files.text(id).to_owned())).collect()
    };
    let (before, now) = (contents(&saved.files), contents(&texts.files));
    let differs = |(name, text): &&(String, String)| !now.contains(&(name.clone(), text.clone()));
    let added = now.iter().find(|(name, _)| !before.iter().any(|(known, _)| known == name));
    match before.iter().find(differs).or(added) {
        None => Ok(()),
        Some((name, _)) => Err(stale(&format!("{name} is not what it was when the plan was made"))),
    }
}

fn acting(identity: &Identity) -> Target {
    Target {
        account: identity.account.clone(),
        host: identity.host.clone(),
        role: identity.role.as_ref().map(ToString::to_string),
    }
}

fn defaults(identity: &Identity) -> NameDefaults {
    NameDefaults { database: identity.database.clone(), schema: identity.schema.clone() }
}

fn invalid(diagnostics: Vec<Diagnostic>) -> CommandError {
    let help = "nothing was sent to the account";
    let message = "the definition has mistakes, so there is no plan";
    CommandError { diagnostics, ..CommandError::new(Exit::Failed, "invalid-definition", message, help) }
}
