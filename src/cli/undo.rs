//! `snowform undo`: back to what was there before a saved plan was carried out, as far as there is a way back.

use super::connect::ConnectionArgs;
use super::deploy::{self, ConsentArgs, Run};
use super::error::{CommandError, Exit};
use super::planning;
use super::project::{self, ProjectArgs};
use super::ui::Ui;
use crate::plan::Goal;
use clap::Args;
use std::path::PathBuf;

/// Undo a saved plan that was carried out, as far as that is possible
///
/// Plans against the account as it is now: what the plan created is dropped, behind the same hazards; what it altered is
/// as before; what it dropped is created again, and empty. Images cannot be brought back.
#[derive(Args, Debug)]
pub(super) struct UndoArgs {
    /// A plan that `snowform plan --out` wrote
    pub(super) file: PathBuf,
    #[command(flatten)]
    pub(super) consent: ConsentArgs,
    /// Directory of the project, where the embedded account stands [default: this one, or the nearest above that
    /// holds a snowflake.yml]
    #[arg(short = 'p', long = "project", value_name = "DIR")]
    pub(super) project: Option<PathBuf>,
    #[command(flatten)]
    pub(super) connection: ConnectionArgs,
}

pub(super) async fn run(args: &UndoArgs, ui: &Ui) -> Result<Exit, CommandError> {
    let UndoArgs { file, consent, project, connection } = args;
    let saved = super::show::read(file)?;
    // A saved plan needs no definition, but where there is one, the embedded account stands beside it.
    let asked = ProjectArgs { project: project.clone(), ..ProjectArgs::default() };
    let directory = project::find(&asked).unwrap_or_else(|_| PathBuf::from("."));
    let planned = planning::back(saved, &directory, connection, ui).await?;
    let run = Run { intent: Goal::Deploy.into(), entities: &[], consent, connection };
    let result = deploy::carry_out(&run, &planned, ui).await;
    planned.session.close().await;
    result
}
