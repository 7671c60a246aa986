//! Finds a project's files and reads them.

use super::error::{CommandError, Exit};
use crate::definition::{Inputs, Variables, target_variables};
use crate::host::{environment, files};
use crate::source::files::{Files, MAX_FILE_BYTES};
use crate::source::span::FileId;
use clap::Args;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The file that a project is found by; the official CLI reads no other spelling.
pub(super) const DEFINITION: &str = "snowflake.yml";
const LOCAL: &str = "snowflake.local.yml";
/// What the definition cannot say.
pub(super) const OVERLAY: &str = "snowform.yml";

/// Which project.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct ProjectArgs {
    /// Directory of the project [default: this one, else the nearest above that holds a snowflake.yml]
    #[arg(short = 'p', long = "project", value_name = "DIR", global = true)]
    pub(super) project: Option<PathBuf>,
    /// Value of `ctx.env.KEY` in templates, stronger than the environment and the definition's `env`; repeatable
    #[arg(long = "env", value_name = "KEY=VALUE", value_parser = key_and_value, global = true)]
    pub(super) env: Vec<(String, String)>,
    /// Templates see nothing of the environment: for definitions that somebody else may have changed
    #[arg(long, global = true)]
    pub(super) no_os_env: bool,
    /// Templates see this variable of the environment and no other; repeatable
    #[arg(long, value_name = "NAME", global = true)]
    pub(super) allow_os_env: Vec<String>,
    /// Target of snowform.yml: its account and role are pinned, its names and variables apply
    #[arg(long, value_name = "NAME", global = true)]
    pub(super) target: Option<String>,
}

impl ProjectArgs {
    /// What templates see of the environment.
    fn environment(&self) -> BTreeMap<String, String> {
        let mut system = environment::variables();
        if self.no_os_env || !self.allow_os_env.is_empty() {
            system.retain(|name, _| self.allow_os_env.contains(name));
        }
        system
    }
}

pub(super) fn key_and_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("expected KEY=VALUE".to_owned()),
    }
}

/// A project's texts.
#[derive(Debug)]
pub(super) struct Texts {
    /// Where it stands.
    pub(super) directory: PathBuf,
    /// The texts.
    pub(super) files: Files,
    definition: FileId,
    local: Option<FileId>,
    overlay: Option<FileId>,
    variables: Variables,
    /// The target that was asked for.
    pub(super) target: Option<String>,
}

impl Texts {
    /// Which text is what.
    pub(super) fn inputs(&self) -> Inputs<'_> {
        let Self { directory: _, files: _, definition, local, overlay, variables, target: _ } = self;
        Inputs { definition: *definition, local: *local, overlay: *overlay, variables }
    }
}

/// Reads the project's files.
pub(super) fn read(args: &ProjectArgs) -> Result<Texts, CommandError> {
    let directory = find(args)?;
    read_directory(directory, args)
}

/// Reads the project that stands in a directory.
pub(super) fn read_directory(directory: PathBuf, args: &ProjectArgs) -> Result<Texts, CommandError> {
    let mut texts = Files::default();
    let definition = add(&mut texts, &directory, DEFINITION)?.ok_or_else(|| missing(&directory, false))?;
    let local = add(&mut texts, &directory, LOCAL)?;
    let overlay = add(&mut texts, &directory, OVERLAY)?;
    let mut overrides = match (&args.target, overlay) {
        (Some(target), Some(overlay)) => target_variables(&texts, overlay, target),
        _ => BTreeMap::new(),
    };
    overrides.extend(args.env.iter().cloned());
    let variables = Variables { overrides, system: args.environment() };
    Ok(Texts { directory, files: texts, definition, local, overlay, variables, target: args.target.clone() })
}

/// The directory asked for; else the nearest one upwards with a definition, up to the home directory or the root
/// (snowflake-cli `find_project_root`).
fn find(args: &ProjectArgs) -> Result<PathBuf, CommandError> {
    if let Some(directory) = &args.project {
        return Ok(directory.clone());
    }
    let (here, home) = (environment::current_dir(), environment::home());
    for directory in here.ancestors() {
        if directory.join(DEFINITION).exists() {
            return Ok(if directory == here { PathBuf::from(".") } else { directory.to_owned() });
        }
        if Some(directory) == home.as_deref() {
            break;
        }
    }
    Err(missing(&here, true))
}

fn missing(directory: &Path, upwards: bool) -> CommandError {
    let above = if upwards { " or any directory above it" } else { "" };
    let mut help = "go to the project's directory, or name it with --project DIR".to_owned();
    for near in ["snowflake.yaml", "Snowflake.yml", "snowflake.yml.example"] {
        if directory.join(near).exists() {
            help =
                format!("there is a {near}; snow and snowform read {DEFINITION} only, so rename or copy it");
        }
    }
    let message = format!("there is no {DEFINITION} in {}{above}", directory.display());
    CommandError::new(Exit::Failed, "no-definition", message, help)
}

fn add(texts: &mut Files, directory: &Path, name: &str) -> Result<Option<FileId>, CommandError> {
    let path = directory.join(name);
    let shown = path.strip_prefix(".").unwrap_or(&path).display().to_string();
    let text = files::read_text(&path, MAX_FILE_BYTES).map_err(|error| {
        CommandError::new(Exit::Failed, "unreadable-file", format!("{shown} {error}"), error.help())
    })?;
    Ok(text.map(|text| texts.add(shown, text)))
}
