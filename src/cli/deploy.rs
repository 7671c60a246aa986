//! `snowform deploy` and `snowform destroy`: plan, refuse what is dangerous and not allowed, carry out, verify.

use super::connect::ConnectionArgs;
use super::consent::{self, Consent};
use super::error::{CommandError, Exit};
use super::planning::{self, Planned, Request};
use super::project::{self, ProjectArgs, Texts};
use super::revisions::SinceArgs;
use super::ui::{self, Format, Ui};
use crate::deploy::{self, Observer, Outcome, Progress};
use crate::object::statement::HazardKind;
use crate::plan::file::Saved;
use crate::plan::{self, Action, Change, Goal, Intent, Plan, Problem, problem};
use crate::survey::{Siblings, survey};
use crate::view;
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Make the account hold what the definition declares
///
/// Plans, and carries the plan out. Running it twice changes nothing the second time. A plan without hazards asks
/// nothing; one with a hazard is refused unless the hazard is allowed by name.
#[derive(Args, Debug)]
pub(super) struct DeployArgs {
    /// Entities to deploy, by key or pattern (`api_*`) [default: all]
    pub(super) entities: Vec<String>,
    /// Carry out a saved plan, if nothing has moved since it was made
    #[arg(long, value_name = "FILE", conflicts_with_all = ["entities", "replace", "env", "prune", "create_schemas", "changed_since"])]
    pub(super) plan: Option<PathBuf>,
    /// Put new objects in the place of those that are there; their images and undeclared grants are lost
    #[arg(long)]
    pub(super) replace: bool,
    #[command(flatten)]
    pub(super) since: SinceArgs,
    #[command(flatten)]
    pub(super) reach: ReachArgs,
    #[command(flatten)]
    pub(super) consent: ConsentArgs,
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
    /// Entities to destroy, by key or pattern (`api_*`) [default: all]
    pub(super) entities: Vec<String>,
    #[command(flatten)]
    pub(super) consent: ConsentArgs,
    #[command(flatten)]
    pub(super) project: ProjectArgs,
    #[command(flatten)]
    pub(super) connection: ConnectionArgs,
}

/// How far a plan may go.
#[derive(Args, Clone, Copy, Debug, Default)]
pub(super) struct ReachArgs {
    /// Drop objects of the declared schemas that carry this project's mark and are not declared any more
    #[arg(long, conflicts_with = "entities")]
    pub(super) prune: bool,
    /// Create schemas that are not there
    #[arg(long)]
    pub(super) create_schemas: bool,
}

impl ReachArgs {
    /// The goal, so far.
    pub(super) fn intent(self, goal: Goal) -> Intent {
        let Self { prune, create_schemas } = self;
        Intent { goal, prune, create_schemas }
    }
}

/// Whether anything is carried out, and what may be lost then.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct ConsentArgs {
    /// Show the plan, and change nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Ask nothing, also on a terminal: what is not allowed is refused
    #[arg(long, short = 'y')]
    pub(super) yes: bool,
    #[command(flatten)]
    pub(super) allow: AllowArgs,
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
    pub(super) intent: Intent,
    pub(super) entities: &'a [String],
    pub(super) consent: &'a ConsentArgs,
    pub(super) connection: &'a ConnectionArgs,
}

impl DeployArgs {
    pub(super) fn texts(&self, ui: &Ui) -> Result<Texts, CommandError> {
        self.since.texts(&self.project, ui)
    }

    pub(super) fn run(&self) -> Run<'_> {
        let Self { entities, plan: _, replace, since: _, reach, consent, project: _, connection } = self;
        let intent = reach.intent(if *replace { Goal::Replace } else { Goal::Deploy });
        Run { intent, entities, consent, connection }
    }
}

impl DestroyArgs {
    pub(super) fn texts(&self) -> Result<Texts, CommandError> {
        project::read(&self.project)
    }

    pub(super) fn run(&self) -> Run<'_> {
        let Self { entities, consent, project: _, connection } = self;
        Run { intent: Goal::Destroy.into(), entities, consent, connection }
    }
}

/// Carries out a saved plan. The definition, where it is here, must be the one that it was made from.
pub(super) async fn run_saved(args: &DeployArgs, path: &Path, ui: &Ui) -> Result<Exit, CommandError> {
    let saved = super::show::read(path)?;
    let texts = match args.texts(ui) {
        Ok(texts) => Some(texts),
        Err(error) if error.code == "no-definition" => {
            ui.remark("the definition is not here, so the plan's own copy of it is deployed");
            None
        }
        Err(error) => return Err(error),
    };
    let directory = texts.as_ref().map_or_else(|| Path::new("."), |texts| &texts.directory);
    let planned = planning::resume(saved, texts.as_ref(), directory, &args.connection, ui).await?;
    let run = Run { intent: planned.saved.intent, ..args.run() };
    let result = carry_out(&run, &planned, ui).await;
    planned.session.close().await;
    result
}

pub(super) async fn run(run: Run<'_>, texts: &Texts, ui: &Ui) -> Result<Exit, CommandError> {
    let Run { intent, entities, connection, .. } = run;
    let request = Request { intent, entities, siblings: Siblings::Ours, privileges: false, connection };
    let planned = planning::prepare(request, texts, ui).await?;
    let result = carry_out(&run, &planned, ui).await;
    planned.session.close().await;
    result
}

/// Carries a plan out, where what it would lose is allowed.
pub(super) async fn carry_out(run: &Run<'_>, planned: &Planned, ui: &Ui) -> Result<Exit, CommandError> {
    let (plan, files) = (&planned.plan, &planned.saved.files);
    if run.consent.dry_run || !plan.problems.is_empty() || !plan.has_changes() {
        super::plan::show(plan, files, ui)?;
        return Ok(if plan.problems.is_empty() { Exit::Done } else { Exit::Failed });
    }
    if consent::ask(run, plan, files, ui)? == Consent::Typed {
        // Nobody knows how long a person took. What was consented to is what was shown.
        planning::unmoved(planned).await?;
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
    let interrupted = stop.load(Ordering::Relaxed) && !outcome.is_complete();
    let differs = if outcome.is_complete() { verify(planned).await } else { Ok(()) };
    ui.data(
        || ui.secrets.redacted(view::outcome::text(plan, &outcome)),
        || {
            let error = differs.as_ref().err().map(CommandError::document);
            view::json::PlanDocument { error, ..view::json::plan(plan, Some(&outcome), files) }
        },
    );
    match differs {
        _ if interrupted => Ok(Exit::Interrupted),
        _ if !outcome.is_complete() => Ok(failed_exit(&outcome)),
        Ok(()) => Ok(Exit::Done),
        // It stands in the document already.
        Err(error) if ui.format == Format::Json => Ok(error.exit),
        Err(error) => Err(error),
    }
}

fn failed_exit(outcome: &Outcome) -> Exit {
    let denied = Some(crate::session::code::INSUFFICIENT_PRIVILEGES);
    let unauthorised = outcome.failures().any(|failure| failure.authentication || failure.code == denied);
    if unauthorised { Exit::Unauthorised } else { Exit::Failed }
}

/// Reads again, with the same reader, and plans again, with the same function: nothing may be left to do. Images that
/// must be in what was only now created cannot be there yet.
async fn verify(planned: &Planned) -> Result<(), CommandError> {
    let Saved { intent, target, files, desired, live: _ } = &planned.saved;
    let intent = intent.settled();
    let live = survey(intent, target, desired, Siblings::Ours, planned.session.as_ref()).await?;
    let again = plan::plan(intent, target.clone(), desired, &live);
    let created = planned.plan.count(Action::Create) > 0;
    let open = |problem: &&Problem| !(created && problem.code == problem::MISSING_IMAGE);
    if !again.has_changes() && again.problems.iter().find(open).is_none() {
        return Ok(());
    }
    let left = anstream::adapter::strip_str(&view::plan::text(&again, files)).to_string();
    let message = format!("every statement succeeded, and the account is still not as declared\n{left}");
    let help = "somebody may have changed it in the same moment; look at the plan:\nsnowform plan";
    Err(CommandError::new(Exit::Failed, "not-converged", message, help))
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
