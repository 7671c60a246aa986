//! `snowform init`: the first definition of a project.

use super::error::{CommandError, Exit};
use super::project::DEFINITION;
use super::ui::Ui;
use crate::host::files;
use crate::schema;
use clap::Args;
use std::path::PathBuf;

/// What a new project declares. It can be planned at once.
const FIRST: &str = "\
# Read by snow and by snowform. Check it with `snowform validate`, see what it would do with `snowform plan`.
definition_version: 2

entities:
  # The key is the entity's id; without an identifier it is the object's name too.
  my_image_repository:
    type: image-repository
    # Another name, or another place than the connection's:
    # identifier: my_db.my_schema.my_image_repository
";

/// The schema that the definition's first line names.
const SCHEMA: &str = "snowflake.schema.json";

/// Write a first snowflake.yml, and the schema that editors check it with
///
/// Files that are there are not replaced.
#[derive(Args, Debug)]
pub(super) struct InitArgs {
    /// Directory of the project
    #[arg(short = 'p', long = "project", value_name = "DIR", default_value = ".")]
    project: PathBuf,
    /// Write no schema, and no line that names one
    #[arg(long)]
    no_schema: bool,
}

pub(super) fn run(args: &InitArgs, ui: &Ui) -> Result<Exit, CommandError> {
    let line =
        if args.no_schema { String::new() } else { format!("# yaml-language-server: $schema={SCHEMA}\n") };
    write(args, DEFINITION, &format!("{line}{FIRST}"))?;
    ui.text(&format!("{DEFINITION}\n"));
    // A schema that is there may be a newer one, and is as good.
    if !args.no_schema && !files::exists(&args.project.join(SCHEMA)) {
        let schema = serde_json::to_string_pretty(&schema::definition());
        let schema = schema.expect("internal error: the keys of a schema are texts");
        write(args, SCHEMA, &format!("{schema}\n"))?;
        ui.text(&format!("{SCHEMA}\n"));
    }
    ui.remark("next: change the names, then look at\nsnowform plan --local");
    Ok(Exit::Done)
}

fn write(args: &InitArgs, name: &str, text: &str) -> Result<(), CommandError> {
    files::write_new(&args.project.join(name), text.as_bytes()).map_err(|error| {
        let message = match error.kind() {
            std::io::ErrorKind::AlreadyExists => format!("{name} is there already"),
            _ => format!("{name} cannot be written: {error}"),
        };
        let help = "a file that is there is not replaced; name another directory with --project DIR";
        CommandError::new(Exit::Failed, "unwritable-file", message, help)
    })
}
