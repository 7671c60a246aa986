//! `snowform plan`: what a deploy would do.

use super::connect::ConnectionArgs;
use super::deploy::ReachArgs;
use super::error::{CommandError, Exit};
use super::planning::{self, Request};
use super::present;
use super::project::{self, ProjectArgs, Texts};
use super::revisions::SinceArgs;
use super::ui::Ui;
use crate::host::files;
use crate::plan::file;
use crate::plan::{Goal, Plan};
use crate::source::files::Files;
use crate::survey::Siblings;
use clap::Args;
use std::path::{Path, PathBuf};

/// Show what a deploy would do, and change nothing
///
/// Compares the definition with the account. Exits 0 whether or not there are changes, unless --detailed-exitcode is
/// given; 1 when the plan could not be carried out.
#[derive(Args, Debug)]
pub(super) struct PlanArgs {
    /// Entities to plan, by key or pattern (`api_*`) [default: all]
    pub(super) entities: Vec<String>,
    #[command(flatten)]
    pub(super) reach: ReachArgs,
    /// Save the plan, for `show` and `deploy --plan`; it holds the definition's texts
    #[arg(long, value_name = "FILE")]
    pub(super) out: Option<PathBuf>,
    /// Plan from a snapshot that `snowform snapshot` took, without an account
    #[arg(long, value_name = "FILE", conflicts_with = "local")]
    pub(super) snapshot: Option<PathBuf>,
    /// Compare with the files at a revision instead of the account: BASE, or BASE..HEAD for two revisions; needs no
    /// connection
    #[arg(long, value_name = "REVISION", conflicts_with_all = ["local", "snapshot", "changed_since"])]
    pub(super) against: Option<String>,
    #[command(flatten)]
    pub(super) since: SinceArgs,
    /// Ask also whether the role may carry the plan out; what is missing is a problem of the plan
    #[arg(long, conflicts_with_all = ["snapshot", "against"])]
    pub(super) check_privileges: bool,
    /// Exit with 2 when changes are present
    #[arg(long)]
    pub(super) detailed_exitcode: bool,
    #[command(flatten)]
    pub(super) project: ProjectArgs,
    #[command(flatten)]
    pub(super) connection: ConnectionArgs,
}

pub(super) async fn run(args: &PlanArgs, texts: &Texts, ui: &Ui) -> Result<Exit, CommandError> {
    let PlanArgs {
        entities,
        reach,
        out,
        snapshot,
        against: _,
        since: _,
        check_privileges,
        detailed_exitcode,
        project: _,
        connection,
    } = args;
    let intent = reach.intent(Goal::Deploy);
    let saved = match (snapshot, &texts.base) {
        (_, Some(base)) => planning::between(intent, entities, connection, texts, base, ui)?,
        (Some(path), None) => {
            planning::from_snapshot(intent, entities, super::snapshot::read(path)?, texts, ui)?
        }
        (None, None) => {
            let privileges = *check_privileges;
            let request = Request { intent, entities, siblings: Siblings::Ours, privileges, connection };
            let planned = planning::prepare(request, texts, ui).await?;
            planned.session.close().await;
            planned.saved
        }
    };
    if let Some(path) = out {
        write(path, &file::write(&saved), "the plan")?;
    }
    let plan = saved.plan();
    show(&plan, &texts.files, ui)?;
    Ok(if !plan.problems.is_empty() {
        Exit::Failed
    } else if *detailed_exitcode && plan.has_changes() {
        Exit::Changes
    } else {
        Exit::Done
    })
}

/// Writes a plan as data, in the format that was asked for.
pub(super) fn show(plan: &Plan, files: &Files, ui: &Ui) -> Result<(), CommandError> {
    present::plan(plan, files, ui)
}

/// Writes a file that only the caller can read.
pub(super) fn write(path: &Path, text: &str, what: &str) -> Result<(), CommandError> {
    files::write_private(path, text.as_bytes()).map_err(|error| {
        let message = format!("{what} cannot be written to {}: {error}", path.display());
        let help = "name a file in a directory that you may write to";
        CommandError::new(Exit::Failed, "unwritable-file", message, help)
    })
}

impl PlanArgs {
    pub(super) fn texts(&self, ui: &Ui) -> Result<Texts, CommandError> {
        if let Some(revisions) = &self.against {
            return project::read_against(&self.project, revisions);
        }
        self.since.texts(&self.project, ui)
    }
}
