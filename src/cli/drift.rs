//! `snowform drift`: whether the account still holds what the definition declares; for a scheduled job.

use super::connect::ConnectionArgs;
use super::error::{CommandError, Exit};
use super::planning::{self, Request};
use super::present;
use super::project::{ProjectArgs, Texts};
use super::revisions::SinceArgs;
use super::ui::{Format, Ui};
use crate::plan::Goal;
use crate::survey::Siblings;
use crate::view;
use clap::Args;

/// Compare the account with the definition; exit 2 when they differ
///
/// Changes nothing. What is shown is the plan that would mend the difference; with --all also what is as it should be,
/// and what the same schemas hold besides.
#[derive(Args, Debug)]
pub(super) struct DriftArgs {
    /// Entities to compare, by key or pattern (`api_*`) [default: all]
    pub(super) entities: Vec<String>,
    /// Show also what is as declared, and every object that nobody declares
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    since: SinceArgs,
    #[command(flatten)]
    project: ProjectArgs,
    #[command(flatten)]
    connection: ConnectionArgs,
}

impl DriftArgs {
    pub(super) fn texts(&self, ui: &Ui) -> Result<Texts, CommandError> {
        self.since.texts(&self.project, ui)
    }
}

pub(super) async fn run(args: &DriftArgs, texts: &Texts, ui: &Ui) -> Result<Exit, CommandError> {
    let DriftArgs { entities, all: _, since: _, project: _, connection } = args;
    let request = Request {
        intent: Goal::Deploy.into(),
        entities,
        siblings: Siblings::All,
        privileges: false,
        connection,
    };
    let planned = planning::prepare(request, texts, ui).await?;
    planned.session.close().await;
    let plan = &planned.plan;
    if ui.format == Format::Text {
        ui.text(&view::plan::drift(&present::report(plan, &texts.files, ui), args.all));
    } else {
        present::plan(plan, &texts.files, ui)?;
    }
    let differs = plan.has_changes() || !plan.problems.is_empty();
    Ok(if differs { Exit::Changes } else { Exit::Done })
}
