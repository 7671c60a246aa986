//! `snowform lsp`: the language server.

use super::error::{CommandError, Exit};
use super::project::key_and_value;
use crate::definition::Variables;
use crate::host::environment;
use crate::lsp;
use clap::Args;

/// Serve an editor: diagnostics, completion, hover and more, on the standard streams
///
/// Editors start this themselves; docs/editors.md says how to tell them to. It speaks the Language Server Protocol on
/// standard input and output, reads the files that are open and those beside them, and connects to nothing.
#[derive(Args, Debug)]
pub(super) struct LspArgs {
    /// Value of `ctx.env.KEY` in templates, stronger than the environment and the definition's `env`; repeatable
    #[arg(long = "env", value_name = "KEY=VALUE", value_parser = key_and_value)]
    env: Vec<(String, String)>,
    /// Do not take templates' variables from the environment, which an editor may have from elsewhere than the deploy
    #[arg(long)]
    no_os_env: bool,
    /// Accepted because some editors pass it; the standard streams are the only way
    #[arg(long, hide = true)]
    stdio: bool,
}

pub(super) fn run(args: &LspArgs) -> Result<Exit, CommandError> {
    let system = if args.no_os_env { std::collections::BTreeMap::new() } else { environment::variables() };
    let overrides = args.env.iter().cloned().collect();
    match lsp::serve(Variables { overrides, system }) {
        Ok(true) => Ok(Exit::Done),
        // The protocol asks for this where the editor does not say goodbye.
        Ok(false) => Ok(Exit::Failed),
        Err(message) => Err(CommandError::new(
            Exit::Failed,
            "protocol",
            message,
            "an editor starts this command; see docs/editors.md",
        )),
    }
}
