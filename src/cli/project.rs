//! Finds a project's files and reads them.

use super::error::{CommandError, Exit};
use crate::definition::{Inputs, Variables, target_variables};
use crate::host::git::{self, GitError};
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
    /// An earlier revision to compare with, where one was asked for.
    pub(super) base: Option<Base>,
    /// The entities that were declared otherwise at an earlier revision, where only those are asked for.
    pub(super) changed: Option<Vec<String>>,
}

/// The same project at an earlier revision; its texts stand among those of the project.
#[derive(Debug)]
pub(super) struct Base {
    /// The revision in words: `main (1a2b3c4d5e6f)`.
    pub(super) label: String,
    /// What is compared with it, in words.
    pub(super) head: String,
    /// Its definition, where it had one.
    pub(super) definition: Option<FileId>,
    pub(super) local: Option<FileId>,
    pub(super) overlay: Option<FileId>,
}

impl Texts {
    /// Which text is what.
    pub(super) fn inputs(&self) -> Inputs<'_> {
        let Self { definition, local, overlay, variables, .. } = self;
        Inputs { definition: *definition, local: *local, overlay: *overlay, variables }
    }

    /// The same of the earlier revision.
    pub(super) fn base_inputs(&self, base: &Base) -> Option<Inputs<'_>> {
        let Base { label: _, head: _, definition, local, overlay } = base;
        Some(Inputs {
            definition: (*definition)?,
            local: *local,
            overlay: *overlay,
            variables: &self.variables,
        })
    }
}

/// Reads the project's files.
pub(super) fn read(args: &ProjectArgs) -> Result<Texts, CommandError> {
    let directory = find(args)?;
    read_directory(directory, args)
}

/// Reads the project that stands in a directory.
pub(super) fn read_directory(directory: PathBuf, args: &ProjectArgs) -> Result<Texts, CommandError> {
    read_from(directory, args, add)
}

/// Reads the project of a directory as `add` knows its files.
fn read_from(
    directory: PathBuf,
    args: &ProjectArgs,
    mut add: impl FnMut(&mut Files, &Path, &str) -> Result<Option<FileId>, CommandError>,
) -> Result<Texts, CommandError> {
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
    let target = args.target.clone();
    let (base, changed) = (None, None);
    Ok(Texts { directory, files: texts, definition, local, overlay, variables, target, base, changed })
}

/// Reads the project, and beside it what it was at a revision: `BASE`, or `BASE..HEAD` for two of them.
pub(super) fn read_against(args: &ProjectArgs, revisions: &str) -> Result<Texts, CommandError> {
    let (base, head) = match revisions.split_once("..") {
        Some((base, head)) if !base.is_empty() && !head.is_empty() && !head.starts_with('.') => {
            (base, Some(head))
        }
        None if !revisions.is_empty() => (revisions, None),
        _ => {
            let help = "--against BASE compares the files as they are, --against BASE..HEAD two revisions";
            return Err(CommandError::new(
                Exit::Usage,
                "invalid-revision",
                format!("`{revisions}` names no revision"),
                help,
            ));
        }
    };
    let directory = find(args)?;
    let (mut texts, head) = match head {
        None => (read_directory(directory, args)?, "the files as they are".to_owned()),
        Some(head) => {
            let commit = git::commit(&directory, head).map_err(unreadable)?;
            let label = label(head, &commit);
            (
                read_from(directory, args, |files, directory, name| {
                    add_at(files, directory, head, &commit, name)
                })?,
                label,
            )
        }
    };
    let commit = git::commit(&texts.directory, base).map_err(unreadable)?;
    let Texts { directory, files, .. } = &mut texts;
    let mut read = |name| add_at(files, directory, base, &commit, name);
    let (definition, local, overlay) = (read(DEFINITION)?, read(LOCAL)?, read(OVERLAY)?);
    // A local file belongs to a machine, not to a revision: it lies over both.
    let local = local.or(texts.local).filter(|_| definition.is_some());
    texts.base = Some(Base { label: label(base, &commit), head, definition, local, overlay });
    Ok(texts)
}

/// A revision as it was asked for, and what it stands for.
fn label(revision: &str, commit: &str) -> String {
    let short = &commit[..12];
    if commit.starts_with(revision) { short.to_owned() } else { format!("{revision} ({short})") }
}

fn add_at(
    texts: &mut Files,
    directory: &Path,
    revision: &str,
    commit: &str,
    name: &str,
) -> Result<Option<FileId>, CommandError> {
    let text = git::file(directory, commit, name, MAX_FILE_BYTES).map_err(unreadable)?;
    Ok(text.map(|text| texts.add(format!("{revision}:{name}"), text)))
}

fn unreadable(error: GitError) -> CommandError {
    let help = match &error {
        GitError::NoRevision { revision, .. } => {
            format!(
                "build machines fetch one commit only; fetch the other one:\ngit fetch --depth=1 origin {revision}"
            )
        }
        GitError::NoProgram(_) => {
            "install git; it is needed for --against and --changed-since alone".to_owned()
        }
        GitError::TooLarge(_) | GitError::Failed(_) => "check the repository with git itself".to_owned(),
    };
    CommandError::new(Exit::Failed, "git", error.to_string(), help)
}

/// The directory asked for; else the nearest one upwards with a definition, up to the home directory or the root
/// (snowflake-cli `find_project_root`).
pub(super) fn find(args: &ProjectArgs) -> Result<PathBuf, CommandError> {
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
