//! `snowform plan`: what a deploy would do.

use super::connect::ConnectionArgs;
use super::error::{CommandError, Exit};
use super::project::{self, ProjectArgs, Texts};
use super::ui::Ui;
use super::{planning, present};
use crate::host::files;
use crate::plan::file::{self, Saved};
use crate::plan::{Goal, Plan};
use crate::source::files::Files;
use clap::Args;
use std::path::{Path, PathBuf};

/// Show what a deploy would do, and change nothing
///
/// Compares the definition with the account. Exits 0 whether or not there are changes, unless --detailed-exitcode is
/// given; 1 when the plan could not be carried out.
#[derive(Args, Debug)]
pub(super) struct PlanArgs {
    /// Entities to plan [default: all]
    pub(super) entities: Vec<String>,
    /// Save the plan, for `show` and `deploy --plan`; it holds the definition's texts
    #[arg(long, value_name = "FILE")]
    pub(super) out: Option<PathBuf>,
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
    if let Some(path) = &args.out {
        save(&planned.saved, path)?;
    }
    show(&planned.plan, &texts.files, ui)?;
    Ok(if !planned.plan.problems.is_empty() {
        Exit::Failed
    } else if args.detailed_exitcode && planned.plan.has_changes() {
        Exit::Changes
    } else {
        Exit::Done
    })
}

/// Writes a plan as data, in the format that was asked for.
pub(super) fn show(plan: &Plan, files: &Files, ui: &Ui) -> Result<(), CommandError> {
    present::plan(plan, files, ui)
}

fn save(saved: &Saved, path: &Path) -> Result<(), CommandError> {
    files::write_private(path, file::write(saved).as_bytes()).map_err(|error| {
        let message = format!("the plan cannot be written to {}: {error}", path.display());
        CommandError::new(
            Exit::Failed,
            "unwritable-file",
            message,
            "name a file in a directory that you may write to",
        )
    })
}

impl PlanArgs {
    pub(super) fn texts(&self) -> Result<Texts, CommandError> {
        project::read(&self.project)
    }
}
