//! `snowform plan`: what a deploy would do.

use super::connect::ConnectionArgs;
use super::error::{CommandError, Exit};
use super::planning;
use super::project::{self, ProjectArgs, Texts};
use super::ui::Ui;
use crate::plan::{Goal, Plan};
use crate::view;
use clap::Args;

/// Show what a deploy would do, and change nothing
///
/// Compares the definition with the account. Exits 0 whether or not there are changes, unless --detailed-exitcode is
/// given; 1 when the plan could not be carried out.
#[derive(Args, Debug)]
pub(super) struct PlanArgs {
    /// Entities to plan [default: all]
    pub(super) entities: Vec<String>,
    /// Exit with 2 when changes are present
    #[arg(long)]
    pub(super) detailed_exitcode: bool,
    #[command(flatten)]
    pub(super) project: ProjectArgs,
    #[command(flatten)]
    pub(super) connection: ConnectionArgs,
}

pub(super) async fn run(args: &PlanArgs, texts: &Texts, ui: &Ui) -> Result<Exit, CommandError> {
    let planned = planning::prepare(Goal::Deploy, texts, &args.entities, &args.connection, ui).await?;
    planned.session.close().await;
    show(&planned.plan, texts, ui);
    Ok(if !planned.plan.problems.is_empty() {
        Exit::Failed
    } else if args.detailed_exitcode && planned.plan.has_changes() {
        Exit::Changes
    } else {
        Exit::Done
    })
}

/// Writes a plan as data.
pub(super) fn show(plan: &Plan, texts: &Texts, ui: &Ui) {
    ui.data(|| view::plan::text(plan, &texts.files), || view::json::plan(plan, None, &texts.files));
}

impl PlanArgs {
    pub(super) fn texts(&self) -> Result<Texts, CommandError> {
        project::read(&self.project)
    }
}
