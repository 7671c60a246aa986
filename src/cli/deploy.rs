//! `snowform deploy` and `snowform destroy`: plan, refuse what is dangerous and not allowed, carry out, verify.

use super::connect::ConnectionArgs;
use super::error::{CommandError, Exit};
use super::planning::{self, Planned};
use super::project::{self, ProjectArgs, Texts};
use super::ui::{self, Format, Ui};
use crate::deploy::{self, Observer, Outcome, Progress};
use crate::object::statement::{Hazard, HazardKind};
use crate::plan::file::Saved;
use crate::plan::{self, Action, Change, Goal, Plan};
use crate::view;
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Make the account hold what the definition declares
///
/// Plans, and carries the plan out. Running it twice changes nothing the second time. Asks nothing; a plan with a
/// hazard is refused unless the hazard is allowed by name.
#[derive(Args, Debug)]
pub(super) struct DeployArgs {
    /// Entities to deploy [default: all]
    pub(super) entities: Vec<String>,
    /// Carry out a saved plan, if nothing has moved since it was made
    #[arg(long, value_name = "FILE", conflicts_with_all = ["entities", "replace", "env"])]
    pub(super) plan: Option<PathBuf>,
    /// Put new objects in the place of those that are there; their images and grants are lost
    #[arg(long)]
    pub(super) replace: bool,
    /// Show the plan, and change nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    #[command(flatten)]
    pub(super) allow: AllowArgs,
    #[command(flatten)]
    pub(super) project: ProjectArgs,
    #[command(flatten)]
    pub(super) connection: ConnectionArgs,
}

/// Drop what the definition declares
///
/// Images go with their repository and cannot be brought back: a repository that holds images is dropped only with
/// --allow drops-images.
#[derive(Args, Debug)]
pub(super) struct DestroyArgs {
    /// Entities to destroy [default: all]
    pub(super) entities: Vec<String>,
    /// Show the plan, and change nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    #[command(flatten)]
    pub(super) allow: AllowArgs,
    #[command(flatten)]
    pub(super) project: ProjectArgs,
    #[command(flatten)]
    pub(super) connection: ConnectionArgs,
}

/// What may be lost.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct AllowArgs {
    /// Hazards that are allowed
    #[arg(long, value_name = "HAZARD", value_delimiter = ',', value_parser = hazard_parser())]
    pub(super) allow: Vec<HazardKind>,
}

fn hazard_parser() -> impl clap::builder::TypedValueParser<Value = HazardKind> {
    PossibleValuesParser::new(HazardKind::ALL.iter().map(|kind| kind.name())).map(|name| {
        let known = HazardKind::ALL.iter().find(|kind| kind.name() == name);
        *known.expect("internal error: only the names of hazards are let through")
    })
}

/// What both commands do.
pub(super) struct Run<'a> {
    pub(super) goal: Goal,
    pub(super) command: &'static str,
    pub(super) entities: &'a [String],
    pub(super) dry_run: bool,
    pub(super) allow: &'a [HazardKind],
    pub(super) connection: &'a ConnectionArgs,
}

impl DeployArgs {
    pub(super) fn texts(&self) -> Result<Texts, CommandError> {
        project::read(&self.project)
    }

    pub(super) fn run(&self) -> Run<'_> {
        let Self { entities, plan: _, replace, dry_run, allow, project: _, connection } = self;
        let allow = &allow.allow;
        let goal = if *replace { Goal::Replace } else { Goal::Deploy };
        Run { goal, command: "deploy", entities, dry_run: *dry_run, allow, connection }
    }
}

impl DestroyArgs {
    pub(super) fn texts(&self) -> Result<Texts, CommandError> {
        project::read(&self.project)
    }

    pub(super) fn run(&self) -> Run<'_> {
        let Self { entities, dry_run, allow, project: _, connection } = self;
        let allow = &allow.allow;
        Run { goal: Goal::Destroy, command: "destroy", entities, dry_run: *dry_run, allow, connection }
    }
}

/// Carries out a saved plan. The definition, where it is here, must be the one that it was made from.
pub(super) async fn run_saved(args: &DeployArgs, path: &Path, ui: &Ui) -> Result<Exit, CommandError> {
    let saved = super::show::read(path)?;
    let texts = match args.texts() {
        Ok(texts) => Some(texts),
        Err(error) if error.code == "no-definition" => {
            ui.remark("the definition is not here, so the plan's own copy of it is deployed");
            None
        }
        Err(error) => return Err(error),
    };
    let directory = texts.as_ref().map_or_else(|| Path::new("."), |texts| &texts.directory);
    let planned = planning::resume(saved, texts.as_ref(), directory, &args.connection, ui).await?;
    let run = Run { goal: planned.saved.goal, ..args.run() };
    let result = carry_out(&run, &planned, ui).await;
    planned.session.close().await;
    result
}

pub(super) async fn run(run: Run<'_>, texts: &Texts, ui: &Ui) -> Result<Exit, CommandError> {
    let planned = planning::prepare(run.goal, texts, run.entities, run.connection, ui).await?;
    let result = carry_out(&run, &planned, ui).await;
    planned.session.close().await;
    result
}

async fn carry_out(run: &Run<'_>, planned: &Planned, ui: &Ui) -> Result<Exit, CommandError> {
    let (plan, files) = (&planned.plan, &planned.saved.files);
    if run.dry_run || !plan.problems.is_empty() || !plan.has_changes() {
        super::plan::show(plan, files, ui)?;
        return Ok(if plan.problems.is_empty() { Exit::Done } else { Exit::Failed });
    }
    let refused = plan.refused(run.allow);
    if !refused.is_empty() {
        if ui.format == Format::Text {
            super::plan::show(plan, files, ui)?;
        }
        return Err(refusal(run, &refused));
    }
    let (stop, progress) = (AtomicBool::new(false), Counter::new(plan, ui));
    let outcome = {
        let deploying = deploy::deploy(plan, planned.session.as_ref(), &progress, &stop);
        tokio::pin!(deploying);
        tokio::select! {
            outcome = &mut deploying => outcome,
            _ = tokio::signal::ctrl_c() => {
                stop.store(true, Ordering::Relaxed);
                ui.remark("interrupted: finishing the statements that are under way");
                deploying.await
            }
        }
    };
    ui.data(
        || ui.secrets.redacted(view::outcome::text(plan, &outcome)),
        || view::json::plan(plan, Some(&outcome), files),
    );
    if stop.load(Ordering::Relaxed) && !outcome.is_complete() {
        return Ok(Exit::Interrupted);
    }
    if !outcome.is_complete() {
        return Ok(failed_exit(&outcome));
    }
    verify(planned).await
}

fn failed_exit(outcome: &Outcome) -> Exit {
    let denied = Some(crate::session::code::INSUFFICIENT_PRIVILEGES);
    let unauthorised = outcome.failures().any(|failure| failure.authentication || failure.code == denied);
    if unauthorised { Exit::Unauthorised } else { Exit::Failed }
}

/// Reads again, with the same reader, and plans again, with the same function: nothing may be left to do.
async fn verify(planned: &Planned) -> Result<Exit, CommandError> {
    let Saved { goal, target, files, desired, live: _ } = &planned.saved;
    // What was replaced on request is not to be replaced once more.
    let goal = if *goal == Goal::Replace { Goal::Deploy } else { *goal };
    let live = planning::read(goal, target, desired, planned.session.as_ref()).await?;
    let again = plan::plan(goal, target.clone(), desired, &live);
    if !again.has_changes() && again.problems.is_empty() {
        return Ok(Exit::Done);
    }
    let message = format!(
        "every statement succeeded, and the account is still not as declared\n{}",
        view::plan::text(&again, files)
    );
    let help = "somebody may have changed it in the same moment; look at the plan:\nsnowform plan";
    Err(CommandError::new(Exit::Failed, "not-converged", message, help))
}

fn refusal(run: &Run<'_>, refused: &[(&Change, &Hazard)]) -> CommandError {
    let mut kinds: Vec<&str> = refused.iter().map(|(_, hazard)| hazard.kind.name()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let mut message =
        String::from("refused, and nothing was changed: the plan has hazards that are not allowed");
    for (change, hazard) in refused {
        let _ = write!(message, "\n{}: {}", change.id, hazard.message);
    }
    let mut command = format!("snowform {}", run.command);
    for word in run.entities {
        let _ = write!(command, " {word}");
    }
    let help = format!("if that is meant, say so:\n{command} --allow {}", kinds.join(","));
    CommandError::new(Exit::Refused, "refused", message, help)
}

/// A line that counts, on terminals.
struct Counter {
    shown: bool,
    total: usize,
    ended: AtomicUsize,
    ui: Ui,
}

impl Counter {
    fn new(plan: &Plan, ui: &Ui) -> Self {
        let total = plan.changes.len() - plan.count(Action::NoOp);
        Self { shown: ui::shows_progress(ui) && total > 1, total, ended: AtomicUsize::new(0), ui: ui.clone() }
    }
}

impl Observer for Counter {
    fn started(&self, _: &Change) {}

    fn ended(&self, _: &Change, _: &Progress) {
        let ended = self.ended.fetch_add(1, Ordering::Relaxed) + 1;
        if self.shown {
            self.ui.progress(&format!("{ended} of {} changes", self.total), ended == self.total);
        }
    }
}
