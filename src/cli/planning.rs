//! The one way to a plan, for `plan`, `deploy` and `destroy`: check offline, connect, complete the names, read, plan.

use super::connect::{self, ConnectionArgs};
use super::error::{CommandError, Exit};
use super::project::{Base, Texts};
use super::ui::Ui;
use super::{revisions, select, target};
use crate::check::{self, Checked};
use crate::desired::{Desired, NameDefaults};
use crate::plan::file::{Saved, Snapshot};
use crate::plan::undo::{self, Inverse};
use crate::plan::{Between, Goal, Intent, Plan, Target};
use crate::session::{Identity, Session};
use crate::source::diagnostic::{Diagnostic, Diagnostics};
use crate::source::files::Files;
use crate::survey::{self, Siblings, survey};
use std::path::Path;

/// What a plan is made from, the plan, and the session to carry it out with.
pub(super) struct Planned {
    pub(super) saved: Saved,
    pub(super) plan: Plan,
    pub(super) session: Box<dyn Session>,
}

/// What is to be planned.
pub(super) struct Request<'a> {
    pub(super) intent: Intent,
    pub(super) entities: &'a [String],
    /// What is read beside the declared objects.
    pub(super) siblings: Siblings,
    /// Whether it is asked what the role may do.
    pub(super) privileges: bool,
    pub(super) connection: &'a ConnectionArgs,
}

/// A definition without mistakes, before anything is known of an account.
struct Offline<'a> {
    checked: Checked,
    texts: &'a Texts,
    meant: Option<Vec<String>>,
}

impl<'a> Offline<'a> {
    fn check(texts: &'a Texts, entities: &[String]) -> Result<Self, CommandError> {
        let checked = check::check(&texts.files, &texts.inputs());
        if checked.diagnostics.has_errors() {
            return Err(invalid(checked.diagnostics.sorted()));
        }
        let mut meant = select::keys(entities, &checked.project)?;
        if let Some(changed) = &texts.changed {
            let asked = |key: &&String| meant.as_ref().is_none_or(|meant| meant.contains(key));
            meant = Some(changed.iter().filter(asked).cloned().collect());
        }
        Ok(Self { checked, texts, meant })
    }

    /// What is wanted, names completed. Warnings of the definition go out as talk.
    fn complete(&self, defaults: &NameDefaults, ui: &Ui) -> Result<Desired, CommandError> {
        let (mut desired, completed) = check::complete(&self.checked.project, defaults);
        let mut diagnostics: Diagnostics = self.checked.diagnostics.clone();
        diagnostics.extend(completed);
        if diagnostics.has_errors() {
            return Err(invalid(diagnostics.sorted()));
        }
        ui.diagnostics(&self.texts.files, &diagnostics.sorted());
        select::keep(&mut desired, self.meant.as_deref());
        Ok(desired)
    }

    /// What is pruned is known by the project's mark.
    fn can_intend(&self, intent: Intent) -> Result<(), CommandError> {
        if intent.prune && self.meant.is_some() {
            let message = "--prune is for the whole definition, not for some of its entities";
            let help = "leave --changed-since out, or --prune";
            return Err(CommandError::new(Exit::Usage, "prune-selection", message, help));
        }
        if !intent.prune || self.checked.project.name.is_some() {
            return Ok(());
        }
        let message = "--prune drops what carries the project's mark, and the project has no name";
        let help = "give it one in snowform.yml, and deploy once without --prune:\nproject: my_project";
        Err(CommandError::new(Exit::Usage, "no-project", message, help))
    }

    /// A session with the account that is meant, and no other.
    async fn connect(&self, given: &ConnectionArgs, ui: &Ui) -> Result<Box<dyn Session>, CommandError> {
        let place = target::chosen(self.texts.target.as_deref(), &self.checked.project, given)?;
        connect_to(place, given, &self.texts.directory, ui).await
    }
}

/// A session with the account of a target, where one is given.
async fn connect_to(
    place: Option<&crate::definition::Target>,
    given: &ConnectionArgs,
    directory: &Path,
    ui: &Ui,
) -> Result<Box<dyn Session>, CommandError> {
    let connection = target::connection(place, given);
    let session = connect::open(&connection, directory, ui).await?;
    if let Err(error) = target::verify(place, session.identity(), &connection) {
        session.close().await;
        return Err(error);
    }
    Ok(session)
}

/// Checks, connects, reads and plans.
pub(super) async fn prepare(request: Request<'_>, texts: &Texts, ui: &Ui) -> Result<Planned, CommandError> {
    let Request { intent, entities, siblings, privileges, connection } = request;
    let offline = Offline::check(texts, entities)?;
    offline.can_intend(intent)?;
    let session = offline.connect(connection, ui).await?;
    let saved = async {
        let desired = offline.complete(&defaults(session.identity()), ui)?;
        let target = acting(session.identity());
        let mut live = survey(intent, &target, &desired, siblings, session.as_ref()).await?;
        if privileges {
            survey::privileges(&target, &desired, session.as_ref(), &mut live).await?;
        }
        Ok(Saved { intent, target, files: texts.files.clone(), desired, live })
    }
    .await;
    finish(saved, session).await
}

/// Reads everything that a plan for these schemas could ask for.
pub(super) async fn read_everything(
    texts: &Texts,
    connection: &ConnectionArgs,
    taken_at: String,
    ui: &Ui,
) -> Result<Snapshot, CommandError> {
    let offline = Offline::check(texts, &[])?;
    let session = offline.connect(connection, ui).await?;
    let read = async {
        let (defaults, target) = (defaults(session.identity()), acting(session.identity()));
        let desired = offline.complete(&defaults, ui)?;
        let live = survey::everything(&target, &desired, session.as_ref()).await?;
        Ok(Snapshot { target, defaults, taken_at, live })
    }
    .await;
    session.close().await;
    read
}

/// Plans from what was read before.
pub(super) fn from_snapshot(
    intent: Intent,
    entities: &[String],
    snapshot: Snapshot,
    texts: &Texts,
    ui: &Ui,
) -> Result<Saved, CommandError> {
    let Snapshot { target, defaults, taken_at, live } = snapshot;
    let offline = Offline::check(texts, entities)?;
    offline.can_intend(intent)?;
    let desired = offline.complete(&defaults, ui)?;
    let live = survey::recorded(&live, intent, &target, &desired).map_err(|missing| {
        let schemas: Vec<String> = missing.iter().map(|scope| scope.schema.to_string()).collect();
        let message = format!("the snapshot holds nothing of schema {}", schemas.join(", "));
        let help = "take a new one, with this definition:\nsnowform snapshot FILE";
        CommandError::new(Exit::Failed, "snapshot", message, help)
    })?;
    ui.remark(&format!("from a snapshot of {taken_at}; the account was not asked"));
    Ok(Saved { intent, target, files: texts.files.clone(), desired, live })
}

/// Compares two revisions of the files: what the earlier one declares stands in the place of the account.
pub(super) fn between(
    intent: Intent,
    entities: &[String],
    connection: &ConnectionArgs,
    texts: &Texts,
    base: &Base,
    ui: &Ui,
) -> Result<Saved, CommandError> {
    let offline = Offline::check(texts, entities)?;
    offline.can_intend(intent)?;
    let place = target::chosen(texts.target.as_deref(), &offline.checked.project, connection)?;
    let defaults = revisions::defaults(&target::connection(place, connection))?;
    let mut desired = offline.complete(&defaults, ui)?;
    let earlier = revisions::declared(texts, base, &defaults)?;
    let live = revisions::as_live(earlier, &mut desired);
    let Base { label, head, .. } = base;
    let between = Some(Between { base: label.clone(), head: head.clone() });
    let target = Target { account: String::new(), host: String::new(), role: None, between };
    let mut saved = Saved { intent, target, files: texts.files.clone(), desired, live };
    revisions::contents(&mut saved);
    Ok(saved)
}

/// Takes a plan from a file, where nothing has moved since it was made.
pub(super) async fn resume(
    mut saved: Saved,
    texts: Option<&Texts>,
    directory: &Path,
    connection: &ConnectionArgs,
    ui: &Ui,
) -> Result<Planned, CommandError> {
    never_deployed(&saved)?;
    if let Some(texts) = texts {
        same_definition(&saved, texts)?;
    }
    // What the role was not allowed then it may be allowed now; the account says so, in any case.
    saved.live.privileges.clear();
    let named = texts.filter(|texts| texts.target.is_some());
    let declared = named.map(|texts| check::check(&texts.files, &texts.inputs()).project);
    let asked = texts.and_then(|texts| texts.target.as_deref());
    let place = match &declared {
        Some(project) => target::chosen(asked, project, connection)?,
        None => None,
    };
    let session = connect_to(place, connection, directory, ui).await?;
    let checked = async {
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

/// Whether the account still is as it was when a plan was made.
pub(super) async fn unmoved(planned: &Planned) -> Result<(), CommandError> {
    let Saved { intent, target, desired, .. } = &planned.saved;
    let now = survey(*intent, target, desired, Siblings::Ours, planned.session.as_ref()).await?;
    let moved = planned.saved.moved(&now);
    if moved.is_empty() {
        return Ok(());
    }
    let message = format!("the account changed while you looked, and nothing was done\n{}", moved.join("\n"));
    Err(CommandError::new(
        Exit::Stale,
        "stale-plan",
        message,
        "look at the new plan: run the same command again",
    ))
}

/// Plans the way back from a saved plan. What stays as it is goes out as talk.
pub(super) async fn back(
    saved: Saved,
    directory: &Path,
    connection: &ConnectionArgs,
    ui: &Ui,
) -> Result<Planned, CommandError> {
    never_deployed(&saved)?;
    let session = connect::open(connection, directory, ui).await?;
    let planned = async {
        let target = acting(session.identity());
        if target != saved.target {
            return Err(other_target(&saved.target, &target));
        }
        let intent = Intent::from(Goal::Deploy);
        let now = survey(intent, &target, &undo::asked(&saved), Siblings::Ours, session.as_ref()).await?;
        let Inverse { desired, impossible } = undo::undo(&saved, &now);
        for lost in &impossible {
            ui.remark(&format!("cannot be undone: {lost}"));
        }
        let live = survey(intent, &target, &desired, Siblings::Ours, session.as_ref()).await?;
        Ok(Saved { intent, target, files: saved.files, desired, live })
    }
    .await;
    finish(planned, session).await
}

/// A plan between two revisions of the files knows no account.
fn never_deployed(saved: &Saved) -> Result<(), CommandError> {
    let Some(Between { base, head }) = &saved.target.between else { return Ok(()) };
    Err(stale(&format!("it compares {base} with {head}, and was made without an account")))
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
        between: None,
    }
}

fn defaults(identity: &Identity) -> NameDefaults {
    NameDefaults { database: identity.database.clone(), schema: identity.schema.clone() }
}

pub(super) fn invalid(diagnostics: Vec<Diagnostic>) -> CommandError {
    let help = "nothing was sent to the account";
    let message = "the definition has mistakes, so there is no plan";
    CommandError { diagnostics, ..CommandError::new(Exit::Failed, "invalid-definition", message, help) }
}
