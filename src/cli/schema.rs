//! `snowform schema`: the JSON Schemas of the formats that machines read.

use super::error::Exit;
use super::ui::Ui;
use crate::schema;
use clap::{Args, ValueEnum};

/// Print a JSON Schema
#[derive(Args, Debug)]
pub(super) struct SchemaArgs {
    /// Of which format
    #[arg(value_enum)]
    which: Which,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Which {
    /// The JSON that plan, deploy and destroy print.
    Plan,
}

pub(super) fn run(args: &SchemaArgs, ui: &Ui) -> Exit {
    match args.which {
        Which::Plan => ui.json(&schema::plan()),
    }
    Exit::Done
}
