//! `snowform schema`: the JSON Schemas of the files it reads and of the formats it prints.

use super::error::Exit;
use super::ui::Ui;
use crate::schema;
use clap::{Args, ValueEnum};

/// Print a JSON Schema
///
/// Those of files are for editors: name one in the first line of the file, or in the editor's settings.
#[derive(Args, Debug)]
pub(super) struct SchemaArgs {
    /// Of which format
    #[arg(value_enum)]
    which: Which,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Which {
    /// snowflake.yml.
    Definition,
    /// snowflake.local.yml.
    Local,
    /// snowform.yml.
    Overlay,
    /// The JSON that plan, deploy and destroy print.
    Plan,
}

pub(super) fn run(args: &SchemaArgs, ui: &Ui) -> Exit {
    match args.which {
        Which::Definition => ui.json(&schema::definition()),
        Which::Local => ui.json(&schema::local()),
        Which::Overlay => ui.json(&schema::overlay()),
        Which::Plan => ui.json(&schema::plan()),
    }
    Exit::Done
}
