//! `snowform snapshot`: what an account holds, in a file; `plan --snapshot` plans from it without an account.

use super::connect::ConnectionArgs;
use super::error::{CommandError, Exit};
use super::planning;
use super::project::{self, ProjectArgs, Texts};
use super::ui::Ui;
use crate::host::{clock, files};
use crate::object::timestamp;
use crate::plan::file::{self, FileError, Snapshot};
use clap::Args;
use std::path::{Path, PathBuf};

/// Save what the account holds, to plan from it later without an account
///
/// Reads the schemas of the definition's objects: every object with its grants and, of the declared ones, the images.
/// Changes nothing. The file holds names, comments and grants, and no credentials; it is readable by you alone.
#[derive(Args, Debug)]
pub(super) struct SnapshotArgs {
    /// File to write
    pub(super) file: PathBuf,
    #[command(flatten)]
    project: ProjectArgs,
    #[command(flatten)]
    connection: ConnectionArgs,
}

impl SnapshotArgs {
    pub(super) fn texts(&self) -> Result<Texts, CommandError> {
        project::read(&self.project)
    }
}

pub(super) async fn run(args: &SnapshotArgs, texts: &Texts, ui: &Ui) -> Result<Exit, CommandError> {
    let now = timestamp::render(&clock::now_seconds().to_string(), "timestamp_ltz");
    let snapshot = planning::read_everything(texts, &args.connection, now, ui).await?;
    super::plan::write(&args.file, &file::write_snapshot(&snapshot), "the snapshot")?;
    ui.remark(&format!("saved; plan from it with\nsnowform plan --snapshot {}", args.file.display()));
    Ok(Exit::Done)
}

/// Reads a snapshot.
pub(super) fn read(path: &Path) -> Result<Snapshot, CommandError> {
    let text = files::read_to_string(path).map_err(|error| {
        let message = format!("the snapshot {} cannot be read: {error}", path.display());
        let help = "write one with\nsnowform snapshot FILE";
        CommandError::new(Exit::Failed, "unreadable-file", message, help)
    })?;
    file::read_snapshot(&text).map_err(|error| {
        let exit = match error {
            FileError::Other { .. } => Exit::Failed,
            FileError::OtherFormat { .. } => Exit::Stale,
        };
        let message = format!("{}: {error}", path.display());
        CommandError::new(exit, "snapshot", message, "take a new one with\nsnowform snapshot FILE")
    })
}
