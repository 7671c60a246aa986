//! `snowform drift`: whether the account still holds what the definition declares; for a scheduled job.

use super::connect::ConnectionArgs;
use super::error::{CommandError, Exit};
use super::planning;
use super::project::{self, ProjectArgs, Texts};
use super::ui::Ui;
use crate::plan::Goal;
use clap::Args;

/// Compare the account with the definition; exit 2 when they differ
///
/// Changes nothing. What is shown is the plan that would mend the difference.
#[derive(Args, Debug)]
pub(super) struct DriftArgs {
    /// Entities to compare [default: all]
    pub(super) entities: Vec<String>,
    #[command(flatten)]
    project: ProjectArgs,
    #[command(flatten)]
    connection: ConnectionArgs,
}

impl DriftArgs {
    pub(super) fn texts(&self) -> Result<Texts, CommandError> {
        project::read(&self.project)
    }
}

pub(super) async fn run(args: &DriftArgs, texts: &Texts, ui: &Ui) -> Result<Exit, CommandError> {
    let planned = planning::prepare(Goal::Deploy, texts, &args.entities, &args.connection, ui).await?;
    planned.session.close().await;
    super::plan::show(&planned.plan, &texts.files, ui)?;
    let differs = planned.plan.has_changes() || !planned.plan.problems.is_empty();
    Ok(if differs { Exit::Changes } else { Exit::Done })
}
