//! `snowform spcs …`: the commands for images by the names that the official CLI has for them, and its exit codes.

use super::error::Exit;
use super::image_registry::ImageRegistryCommand;
use super::image_repository::ImageRepositoryCommand;
use crate::host::environment;
use clap::{Args, Subcommand};
use std::process::ExitCode;

/// The commands for images by snow's names, with its exit codes: replace `snow` by `snowform` in a script
#[derive(Args, Debug)]
pub(super) struct SpcsCommand {
    #[command(subcommand)]
    pub(super) action: SpcsAction,
}

#[derive(Debug, Subcommand)]
pub(super) enum SpcsAction {
    ImageRepository(ImageRepositoryCommand),
    ImageRegistry(ImageRegistryCommand),
}

/// The official CLI's code for a command line that is wrong.
const USAGE: u8 = 2;

/// Whether this process was called as `snowform spcs …`.
pub(super) fn is_called() -> bool {
    environment::arguments()
        .iter()
        .skip(1)
        .find(|word| !word.starts_with('-'))
        .is_some_and(|word| word == "spcs")
}

/// The exit code that a script written for the official CLI expects. What that one does not have, a refusal of what
/// would destroy images, keeps its own.
pub(super) fn exit_code(exit: Exit) -> ExitCode {
    match exit {
        Exit::Usage => ExitCode::from(USAGE),
        Exit::Unauthorised => Exit::Failed.into(),
        other => other.into(),
    }
}
