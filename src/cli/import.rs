//! `snowform import`: a definition from what an account holds.

use super::connect::{self, ConnectionArgs};
use super::error::{CommandError, Exit};
use super::project::{DEFINITION, OVERLAY};
use super::ui::Ui;
use crate::host::files;
use crate::live::{self, Container};
use crate::object::name::SchemaName;
use crate::session::{Identity, Session};
use crate::view::{counted, definition};
use clap::{Args, ValueEnum};
use std::path::{Path, PathBuf};

/// Write a definition of what a schema, a database or the account holds
///
/// Writes snowflake.yml, and snowform.yml where there is something that only it can say. A plan of them is empty. Files
/// that are there are not replaced.
#[derive(Args, Debug)]
pub(super) struct ImportArgs {
    /// How much: the connection's schema, its database, or the account
    #[arg(long = "from", value_enum, default_value_t)]
    from: From,
    /// Directory to write to
    #[arg(short = 'p', long = "project", value_name = "DIR", default_value = ".")]
    project: PathBuf,
    #[command(flatten)]
    connection: ConnectionArgs,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum From {
    #[default]
    Schema,
    Database,
    Account,
}

pub(super) async fn run(args: &ImportArgs, ui: &Ui) -> Result<Exit, CommandError> {
    for name in [DEFINITION, OVERLAY] {
        if files::exists(&args.project.join(name)) {
            let message = format!("{name} is there already");
            let help = "import into an empty directory with --project DIR, and compare";
            return Err(CommandError::new(Exit::Failed, "file-exists", message, help));
        }
    }
    let session = connect::open(&args.connection, &args.project, ui).await?;
    let result = read(args, session.as_ref()).await;
    session.close().await;
    let (definition, number) = result?;
    write(&args.project, DEFINITION, &definition.definition)?;
    if let Some(overlay) = &definition.overlay {
        write(&args.project, OVERLAY, overlay)?;
    }
    ui.text(&format!("{} written to {DEFINITION}\n", counted(number, "entity")));
    Ok(Exit::Done)
}

async fn read(
    args: &ImportArgs,
    session: &dyn Session,
) -> Result<(definition::Definition, usize), CommandError> {
    let container = container(args.from, session.identity())?;
    let state = live::everything(session, container).await?;
    Ok((definition::definition(&state), state.len()))
}

fn container(from: From, identity: &Identity) -> Result<Container, CommandError> {
    let missing = |what: &str| {
        let help = format!("pass --{what}, set it in the connection, or import more with --from");
        CommandError::new(
            Exit::Failed,
            "incomplete-connection",
            format!("the connection has no {what}"),
            help,
        )
    };
    let database = || identity.database.clone().ok_or_else(|| missing("database"));
    Ok(match from {
        From::Account => Container::Account,
        From::Database => Container::Database(database()?),
        From::Schema => {
            let schema = identity.schema.clone().ok_or_else(|| missing("schema"))?;
            Container::Schema(SchemaName { database: database()?, schema })
        }
    })
}

fn write(directory: &Path, name: &str, text: &str) -> Result<(), CommandError> {
    files::write_new(&directory.join(name), text.as_bytes()).map_err(|error| {
        let message = format!("{name} cannot be written: {error}");
        CommandError::new(Exit::Failed, "unwritable-file", message, "check the directory and its permissions")
    })
}
