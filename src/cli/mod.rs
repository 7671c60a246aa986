//! The command line: one file per command, holding its help, its arguments and what it does.

mod answer;
mod ci;
pub mod codes;
mod comment;
mod connect;
mod connection;
mod consent;
mod credential_helper;
mod deploy;
mod drift;
pub mod error;
pub mod explain;
mod fmt;
mod image_registry;
mod image_repository;
mod import;
mod init;
mod local;
mod lsp;
mod plan;
mod planning;
mod present;
mod project;
mod registry_access;
mod repository_urls;
mod revisions;
mod schema;
mod select;
mod show;
mod sign_in;
mod snapshot;
mod spcs;
mod target;
mod ui;
mod undo;
mod validate;

use clap::error::ErrorKind;
use clap::{CommandFactory as _, Parser, Subcommand};
use connection::ConnectionAction;
use error::{CommandError, Exit};
use image_repository::ImageRepositoryCommand;
use project::Texts;
use spcs::SpcsAction;
use std::process::ExitCode;
use std::sync::Arc;
use ui::{Format, Ui};

use crate::host::environment;
use crate::registry::helper;
use crate::source::files::Files;
use crate::view::redact::Secrets;

/// Deploy Snowflake project definitions: plan, review, deploy
#[derive(Debug, Parser)]
#[command(name = "snowform", version, propagate_version = true, after_help = exit_codes(), max_term_width = 110)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    global: Global,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Output")]
struct Global {
    /// How data is written
    #[arg(long, value_enum, ignore_case = true, default_value_t, global = true)]
    format: Format,
    /// Leave remarks and progress out
    #[arg(short = 'q', long, visible_alias = "quiet", global = true)]
    silent: bool,
    /// Say more of what happens, on standard error
    #[arg(short, long, global = true)]
    verbose: bool,
    /// Say every request, on standard error; never a secret
    #[arg(long, global = true)]
    debug: bool,
    /// No colour; so does the variable NO_COLOR
    #[arg(long, global = true)]
    no_color: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    Init(init::InitArgs),
    Validate(validate::ValidateArgs),
    Plan(plan::PlanArgs),
    Show(show::ShowArgs),
    Deploy(deploy::DeployArgs),
    Drift(drift::DriftArgs),
    Snapshot(snapshot::SnapshotArgs),
    Undo(undo::UndoArgs),
    Destroy(deploy::DestroyArgs),
    Comment(comment::CommentArgs),
    Ci(ci::CiArgs),
    Import(import::ImportArgs),
    Connection(connection::ConnectionCommand),
    Local(local::LocalCommand),
    ImageRepository(ImageRepositoryCommand),
    ImageRegistry(image_registry::ImageRegistryCommand),
    Spcs(spcs::SpcsCommand),
    Schema(schema::SchemaArgs),
    Lsp(lsp::LspArgs),
    Explain(explain::ExplainArgs),
    Fmt(fmt::FmtArgs),
    /// Print a completion script for a shell
    Completion {
        /// Which shell
        shell: clap_complete::Shell,
    },
}

fn exit_codes() -> String {
    let lines: Vec<String> =
        Exit::ALL.iter().map(|(exit, words)| format!("  {:>3}  {words}", *exit as u8)).collect();
    format!("Exit codes:\n{}", lines.join("\n"))
}

/// Runs the command line of this process.
pub fn run() -> ExitCode {
    let words = environment::arguments();
    if words.first().is_some_and(|program| helper::is_called(program)) {
        let action = words.get(1).map(String::as_str);
        return wait(async { Ok(credential_helper::serve(action).await) }).unwrap_or(Exit::Failed).into();
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // A reader that has gone away is no error of ours.
            let _ = error.print();
            let help =
                error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand && spcs::is_called();
            return exit_code(if error.use_stderr() && !help { Exit::Usage } else { Exit::Done });
        }
    };
    let Global { format, silent, verbose, debug, no_color } = cli.global;
    let secrets = Arc::new(Secrets::among(&environment::variables()));
    let ui = Ui { format, silent, no_color, secrets };
    start_log(verbose, debug);
    match dispatch(&cli.command, &ui) {
        Ok(exit) => exit_code(exit),
        Err((error, files)) => {
            ui.error(&error, &files);
            exit_code(error.exit)
        }
    }
}

/// The exit code of this process, by the name that the command was called by.
fn exit_code(exit: Exit) -> ExitCode {
    if spcs::is_called() { spcs::exit_code(exit) } else { exit.into() }
}

/// An error carries the texts that its diagnostics point into.
type Ran = Result<Exit, (CommandError, Files)>;

/// A format belongs to the commands that have something to write in it.
fn refuse_format(command: &Command, format: Format) -> Result<(), CommandError> {
    let everywhere = matches!(format, Format::Text | Format::Json);
    let (allowed, help) = match command {
        Command::Validate(_) => {
            (format.shows_mistakes(), "validate writes text, json, sarif, github, gitlab, azure and rdjson")
        }
        Command::Plan(_)
        | Command::Show(_)
        | Command::Drift(_)
        | Command::Deploy(_)
        | Command::Destroy(_) => (
            format.shows_plans() && (everywhere || command.changes_nothing()),
            "plan, show, drift and a dry run write text, json, markdown, sql, html, sarif, github, gitlab, gitlab-terraform, \
             azure and rdjson; what was deployed is written as text and json",
        ),
        Command::ImageRepository(_) | Command::ImageRegistry(_) | Command::Spcs(_) => (
            everywhere || !format.shows_plans(),
            "image-repository and image-registry write text, table, json, json_ext and csv",
        ),
        _ => (everywhere, "this command writes text and json"),
    };
    if allowed {
        return Ok(());
    }
    Err(CommandError::new(Exit::Usage, "format", "this command does not write that format", help))
}

impl Command {
    /// Whether all that it does is to show a plan.
    fn changes_nothing(&self) -> bool {
        match self {
            Self::Deploy(args) => args.consent.dry_run,
            Self::Destroy(args) => args.consent.dry_run,
            _ => true,
        }
    }
}

fn dispatch(command: &Command, ui: &Ui) -> Ran {
    refuse_format(command, ui.format).map_err(|error| (error, Files::default()))?;
    let alone = |error: CommandError| (error, Files::default());
    match command {
        Command::Init(args) => init::run(args, ui).map_err(alone),
        Command::Validate(args) => validate::run(args, ui),
        Command::Plan(args) => with_texts(args.texts(ui), |texts| wait(plan::run(args, texts, ui))),
        Command::Ci(args) => with_texts(args.texts(), |texts| wait(ci::run(args, texts, ui))),
        Command::Comment(args) => wait(comment::run(args, ui)).map_err(alone),
        Command::Show(args) => show::run(args, ui).map_err(alone),
        Command::Undo(args) => wait(undo::run(args, ui)).map_err(alone),
        Command::Snapshot(args) => with_texts(args.texts(), |texts| wait(snapshot::run(args, texts, ui))),
        Command::Drift(args) => with_texts(args.texts(ui), |texts| wait(drift::run(args, texts, ui))),
        Command::Deploy(args @ deploy::DeployArgs { plan: Some(plan), .. }) => {
            wait(deploy::run_saved(args, plan, ui)).map_err(alone)
        }
        Command::Deploy(args) => with_texts(args.texts(ui), |texts| wait(deploy::run(args.run(), texts, ui))),
        Command::Destroy(args) => with_texts(args.texts(), |texts| wait(deploy::run(args.run(), texts, ui))),
        Command::Import(args) => wait(import::run(args, ui)).map_err(alone),
        Command::Connection(command) => match &command.action {
            ConnectionAction::List(args) => connection::list(args, ui).map_err(alone),
            ConnectionAction::Test(args) => wait(connection::test(args, ui)).map_err(alone),
            ConnectionAction::Explain(args) => connection::explain(args, ui).map_err(alone),
            ConnectionAction::Forget { all, connection } => {
                wait(connection::forget(*all, connection, ui)).map_err(alone)
            }
        },
        Command::ImageRepository(command)
        | Command::Spcs(spcs::SpcsCommand { action: SpcsAction::ImageRepository(command) }) => {
            image_repositories(command, ui)
        }
        Command::ImageRegistry(command)
        | Command::Spcs(spcs::SpcsCommand { action: SpcsAction::ImageRegistry(command) }) => {
            wait(image_registry::run(command, ui)).map_err(alone)
        }
        Command::Local(command) => wait(local::run(command, ui)).map_err(alone),
        Command::Lsp(args) => lsp::run(args).map_err(alone),
        Command::Schema(args) => Ok(schema::run(args, ui)),
        Command::Fmt(args) => fmt::run(args, ui).map_err(alone),
        Command::Explain(args) => explain::run(args, ui).map_err(alone),
        Command::Completion { shell } => {
            clap_complete::generate(*shell, &mut Cli::command(), "snowform", &mut std::io::stdout());
            Ok(Exit::Done)
        }
    }
}

fn image_repositories(command: &ImageRepositoryCommand, ui: &Ui) -> Ran {
    let texts = image_repository::texts(command).map_err(|error| (error, Files::default()))?;
    let done = wait(image_repository::run(command, texts.as_ref(), ui));
    done.map_err(|error| (error, texts.map(|texts| texts.files).unwrap_or_default()))
}

fn with_texts(
    texts: Result<Texts, CommandError>,
    run: impl FnOnce(&Texts) -> Result<Exit, CommandError>,
) -> Ran {
    let texts = texts.map_err(|error| (error, Files::default()))?;
    run(&texts).map_err(|error| (error, texts.files))
}

/// Runs a command that talks to an account. Commands that do not never start the runtime.
fn wait<T>(run: impl Future<Output = Result<T, CommandError>>) -> Result<T, CommandError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(|error| {
        CommandError::new(Exit::Failed, "no-runtime", format!("no threads can be started: {error}"), "")
    })?;
    let result = runtime.block_on(run);
    // What is still under way (the answer to a closed session) is not waited for.
    runtime.shutdown_background();
    result
}

fn start_log(verbose: bool, debug: bool) {
    let level = match (verbose, debug) {
        (_, true) => tracing::Level::DEBUG,
        (true, false) => tracing::Level::INFO,
        (false, false) => return,
    };
    tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(std::io::stderr)
        .with_target(false)
        .without_time()
        .init();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
