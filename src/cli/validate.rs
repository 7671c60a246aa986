//! `snowform validate`: what is wrong with a definition, without connecting.

use super::error::{CommandError, Exit};
use super::ui::{Format, Ui};
use super::{present, project};
use crate::check;
use crate::rule;
use crate::source::diagnostic::{Diagnostic, Severity};
use crate::source::files::Files;
use crate::view::json::{self, DiagnosticDocument};
use crate::view::sarif::Described;
use clap::Args;
use serde::Serialize;
use std::path::PathBuf;

/// Check the definition, without connecting
///
/// Reads snowflake.yml and snowform.yml and reports every mistake at once. Exits 0 when there is no error, 1
/// otherwise.
#[derive(Args, Debug)]
pub(super) struct ValidateArgs {
    /// Directories of projects, or their snowflake.yml [default: this project]
    pub(super) paths: Vec<PathBuf>,
    /// Make warnings errors
    #[arg(long)]
    pub(super) strict: bool,
    #[command(flatten)]
    project: project::ProjectArgs,
}

#[derive(Serialize)]
struct Validated {
    valid: bool,
    diagnostics: Vec<DiagnosticDocument>,
}

pub(super) fn run(args: &ValidateArgs, ui: &Ui) -> Result<Exit, (CommandError, Files)> {
    let mut documents = Vec::new();
    let mut valid = true;
    for texts in projects(args) {
        let texts = texts.map_err(|error| (error, Files::default()))?;
        let found = check::check(&texts.files, &texts.inputs()).diagnostics.sorted();
        valid &= !found.iter().any(|found| fails(found, args.strict));
        match ui.format {
            Format::Text => report(ui, &texts.files, &found),
            _ => documents.extend(json::diagnostics(&found, &texts.files)),
        }
    }
    match ui.format {
        Format::Text if valid => ui.remark("The definition is valid."),
        Format::Text => {}
        Format::Json => ui.json(&Validated { valid, diagnostics: documents }),
        _ => {
            let relocation = present::Relocation::of_this_machine();
            documents.iter_mut().for_each(|found| relocation.document(found));
            let rules: Vec<Described> = rule::all().into_iter().map(Described::from).collect();
            present::findings(documents, &rules, ui);
        }
    }
    Ok(if valid { Exit::Done } else { Exit::Failed })
}

fn report(ui: &Ui, files: &Files, found: &[Diagnostic]) {
    if !found.is_empty() {
        ui.text(&ui.draw(files, found));
    }
}

fn fails(found: &Diagnostic, strict: bool) -> bool {
    match found.rule.severity {
        Severity::Error => true,
        Severity::Warning => strict,
    }
}

fn projects(args: &ValidateArgs) -> Vec<Result<project::Texts, CommandError>> {
    if args.paths.is_empty() {
        return vec![project::read(&args.project)];
    }
    let directory = |path: &PathBuf| {
        let is_definition =
            path.file_name().is_some_and(|name| name == project::DEFINITION) && !path.is_dir();
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        if is_definition { parent.map_or_else(|| PathBuf::from("."), PathBuf::from) } else { path.clone() }
    };
    args.paths.iter().map(|path| project::read_directory(directory(path), &args.project)).collect()
}
