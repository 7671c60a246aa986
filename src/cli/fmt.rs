//! `snowform fmt`: one layout for a project's files.

use super::error::{CommandError, Exit};
use super::project::{self, ProjectArgs};
use super::ui::Ui;
use crate::host::files;
use crate::source::format::{FormatError, format};
use clap::Args;
use std::path::Path;

/// Lay the project's files out in one way; comments stay
///
/// Two spaces a level, one behind a colon, two before a comment, at most one empty line. Only white space changes. A file
/// whose layout cannot change without changing what it says is left as it is and named.
#[derive(Args, Debug)]
pub(super) struct FmtArgs {
    /// Change nothing; exit 1 where a file would change
    #[arg(long)]
    pub(super) check: bool,
    #[command(flatten)]
    project: ProjectArgs,
}

pub(super) fn run(args: &FmtArgs, ui: &Ui) -> Result<Exit, CommandError> {
    let texts = project::read(&args.project)?;
    let mut exit = Exit::Done;
    for file in texts.files.ids() {
        let (path, text) = (texts.files.path(file), texts.files.text(file));
        match format(file, text) {
            Ok(formatted) if formatted == text => {}
            Ok(_) if args.check => {
                ui.text(&format!("{path}\n"));
                exit = Exit::Failed;
            }
            Ok(formatted) => {
                replace(Path::new(path), &formatted)?;
                ui.text(&format!("{path}\n"));
            }
            Err(error) => return Err(refused(path, error)),
        }
    }
    Ok(exit)
}

fn replace(path: &Path, text: &str) -> Result<(), CommandError> {
    files::replace(path, text.as_bytes()).map_err(|error| {
        let message = format!("{} cannot be written: {error}", path.display());
        CommandError::new(Exit::Failed, "unwritable-file", message, "check the file and its permissions")
    })
}

fn refused(path: &str, error: FormatError) -> CommandError {
    let help = match error {
        FormatError::Invalid => "see what is wrong with\nsnowform validate",
        FormatError::Unsafe => "it is left as it is; anchors on lines of their own are one reason",
    };
    CommandError::new(Exit::Failed, "not-formatted", format!("{path}: {error}"), help)
}
