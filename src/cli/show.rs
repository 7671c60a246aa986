//! `snowform show`: a saved plan again, without an account.

use super::error::{CommandError, Exit};
use super::ui::Ui;
use crate::host::files;
use crate::plan::file::{self, FileError, Saved};
use clap::Args;
use std::path::{Path, PathBuf};

/// Show a saved plan again, without an account
#[derive(Args, Debug)]
pub(super) struct ShowArgs {
    /// A plan that `snowform plan --out` wrote
    pub(super) file: PathBuf,
}

pub(super) fn run(args: &ShowArgs, ui: &Ui) -> Result<Exit, CommandError> {
    let saved = read(&args.file)?;
    super::plan::show(&saved.plan(), &saved.files, ui)?;
    Ok(Exit::Done)
}

/// Reads a saved plan.
pub(super) fn read(path: &Path) -> Result<Saved, CommandError> {
    let text = files::read_to_string(path).map_err(|error| {
        let message = format!("the plan {} cannot be read: {error}", path.display());
        CommandError::new(
            Exit::Failed,
            "unreadable-file",
            message,
            "write one with\nsnowform plan --out FILE",
        )
    })?;
    file::read(&text).map_err(|error| {
        let exit = match error {
            FileError::Other { .. } => Exit::Failed,
            FileError::OtherFormat { .. } => Exit::Stale,
        };
        let message = format!("{}: {error}", path.display());
        CommandError::new(
            exit,
            "saved-plan",
            message,
            "make a new plan with this version:\nsnowform plan --out FILE",
        )
    })
}
