//! `snowform ci`: everything that a review needs of one build, in one command.

use super::comment::{self, RequestArgs};
use super::connect::ConnectionArgs;
use super::deploy::ReachArgs;
use super::error::{CommandError, Exit};
use super::planning::{self, Request};
use super::project::{self, ProjectArgs, Texts};
use super::ui::Ui;
use super::{plan, present};
use crate::check;
use crate::codehost::MOST_BYTES;
use crate::codehost::machine::{self, Build, Kind};
use crate::host::{environment, files};
use crate::plan::Goal;
use crate::plan::file::{self, Saved};
use crate::survey::Siblings;
use crate::view::json::{self, DiagnosticDocument};
use crate::view::report::Report;
use crate::view::{code_hosts, escape, findings, html, markdown};
use clap::Args;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Do in a build what its review needs: validate, plan, annotate, summarise, and keep one comment current
///
/// Finds out by itself whether GitHub, GitLab or Azure runs it, and what it builds. A build without credentials (of a
/// fork) compares the files with the revision that the request is to be merged into. Exits 1 where the definition is
/// wrong or the plan cannot be carried out; that a comment could not be written is said, and no failure.
#[derive(Args, Debug)]
pub(super) struct CiArgs {
    /// Entities to plan, by key or pattern (`api_*`) [default: all]
    entities: Vec<String>,
    #[command(flatten)]
    reach: ReachArgs,
    #[command(flatten)]
    request: RequestArgs,
    /// Compare with the files at this revision instead of the account
    #[arg(long, value_name = "REVISION", conflicts_with = "local")]
    against: Option<String>,
    /// Save the plan
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Write the plan as a page for browsers
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Write no comment
    #[arg(long)]
    no_comment: bool,
    /// Fail where the comment could not be written
    #[arg(long, conflicts_with = "no_comment")]
    require_comment: bool,
    /// Exit with 2 when changes are present
    #[arg(long)]
    detailed_exitcode: bool,
    #[command(flatten)]
    project: ProjectArgs,
    #[command(flatten)]
    connection: ConnectionArgs,
}

/// Where GitLab's reports are written; a job names these files as its artifacts.
const CODE_QUALITY: &str = "gl-code-quality-report.json";
const TERRAFORM: &str = "snowform-terraform.json";

/// The machine that runs this, and what it builds.
struct Here {
    kind: Option<Kind>,
    build: Build,
}

impl CiArgs {
    fn here(&self) -> Here {
        let kind = machine::detect(&environment::variables());
        let build = kind.map(comment::here).unwrap_or_default();
        Here { kind, build: self.request.over(build) }
    }

    /// The project's texts; beside them those of the other revision, where that is compared with.
    pub(super) fn texts(&self) -> Result<Texts, CommandError> {
        let Here { kind: _, build } = self.here();
        let mut project = self.project.clone();
        // Somebody else's definition reads nothing of this machine that was not named for it.
        project.no_os_env |= build.fork;
        let fork = build.base.filter(|_| build.fork && !self.connection.local);
        match self.against.clone().or(fork) {
            Some(base) => project::read_against(&project, &base),
            None => project::read(&project),
        }
    }
}

pub(super) async fn run(args: &CiArgs, texts: &Texts, ui: &Ui) -> Result<Exit, CommandError> {
    let here = args.here();
    let mut found = mistakes(texts);
    ui.secrets.documents(&mut found);
    if found.iter().any(|found| found.severity == "error") {
        return refuse(args, &here, found, texts, ui).await;
    }
    let saved = planned(args, texts, &here, ui).await?;
    let plan = saved.plan();
    if let Some(path) = &args.out {
        plan::write(path, &file::write(&saved), "the plan")?;
    }
    // As a person reads it, whatever else is written: it stands in the build's log.
    plan::show(&plan, &saved.files, ui)?;
    let report = present::relocated(&plan, &saved.files, ui);
    found.extend(findings::of(&report));
    if let Some(path) = &args.html {
        plan::write(path, &html::page(&report, &comment::title(&args.request.tag)), "the page")?;
    }
    tell(args, &here, &report, &found)?;
    let title = comment::title(&args.request.tag);
    let page = markdown::document(&report, &title, present::blob().as_deref(), MOST_BYTES - 2_000);
    let worth = report.has_changes() || !report.problems.is_empty();
    post(args, &here, page, worth, ui).await?;
    Ok(match () {
        () if !plan.problems.is_empty() => Exit::Failed,
        () if args.detailed_exitcode && plan.has_changes() => Exit::Changes,
        () => Exit::Done,
    })
}

fn mistakes(texts: &Texts) -> Vec<DiagnosticDocument> {
    let found = check::check(&texts.files, &texts.inputs()).diagnostics.sorted();
    let mut found = json::diagnostics(&found, &texts.files);
    let relocation = present::Relocation::of_this_machine();
    found.iter_mut().for_each(|found| relocation.document(found));
    found
}

/// The plan: between revisions, or of the account; without a connection, between revisions if the other one is known.
async fn planned(args: &CiArgs, texts: &Texts, here: &Here, ui: &Ui) -> Result<Saved, CommandError> {
    let CiArgs { entities, reach, connection, .. } = args;
    let intent = reach.intent(Goal::Deploy);
    if let Some(base) = &texts.base {
        return planning::between(intent, entities, connection, texts, base, ui);
    }
    let request = Request { intent, entities, siblings: Siblings::Ours, privileges: false, connection };
    match planning::prepare(request, texts, ui).await {
        Ok(planned) => {
            planned.session.close().await;
            Ok(planned.saved)
        }
        Err(error) if error.code == "connection" && here.build.base.is_some() => {
            ui.remark(&format!("without a connection the files are compared: {}", error.message));
            let base = here.build.base.as_deref().unwrap_or_default();
            let texts = project::read_against(&args.project, base)?;
            match &texts.base {
                Some(base) => planning::between(intent, entities, connection, &texts, base, ui),
                None => Err(error),
            }
        }
        Err(error) => Err(error),
    }
}

/// There is no plan: the mistakes are marked, summarised and commented on.
async fn refuse(
    args: &CiArgs,
    here: &Here,
    found: Vec<DiagnosticDocument>,
    texts: &Texts,
    ui: &Ui,
) -> Result<Exit, CommandError> {
    let page = markdown::mistakes(
        &found,
        &comment::title(&args.request.tag),
        present::blob().as_deref(),
        MOST_BYTES - 2_000,
    );
    mark(here, &found)?;
    summarise(here, &args.request.tag, &page)?;
    present::append("GITHUB_OUTPUT", "changes=false\ndeployable=false\n")?;
    post(args, here, page, true, ui).await?;
    let checked = check::check(&texts.files, &texts.inputs());
    Err(planning::invalid(checked.diagnostics.sorted()))
}

/// What the machine shows of a plan besides the log.
fn tell(
    args: &CiArgs,
    here: &Here,
    report: &Report,
    found: &[DiagnosticDocument],
) -> Result<(), CommandError> {
    mark(here, found)?;
    let title = comment::title(&args.request.tag);
    let page = markdown::document(report, &title, present::blob().as_deref(), present::SUMMARY_BYTES);
    summarise(here, &args.request.tag, &page)?;
    match here.kind {
        Some(Kind::GitHub) => {
            let mut outputs = findings::github_outputs(report);
            // A name of the workflow's own; with a line end in it, it would be another output.
            let file = args.out.as_ref().map(|path| path.display().to_string());
            if let Some(file) = file.filter(|file| !file.contains(['\n', '\r'])) {
                let _ = writeln!(outputs, "plan-file={file}");
            }
            present::append("GITHUB_OUTPUT", &outputs)
        }
        Some(Kind::GitLab) => write_json(TERRAFORM, &findings::gitlab_terraform(report)),
        Some(Kind::Azure) => {
            for line in findings::github_outputs(report).lines() {
                if let Some((name, value)) = line.split_once('=') {
                    print(&format!(
                        "##vso[task.setvariable variable=snowform_{name};isOutput=true]{value}\n"
                    ));
                }
            }
            Ok(())
        }
        None => Ok(()),
    }
}

/// Marks lines of files.
fn mark(here: &Here, found: &[DiagnosticDocument]) -> Result<(), CommandError> {
    match here.kind {
        Some(Kind::GitHub) => print(&code_hosts::github(found)),
        Some(Kind::Azure) => print(&code_hosts::azure(found)),
        Some(Kind::GitLab) => write_json(CODE_QUALITY, &code_hosts::gitlab(found))?,
        None => {}
    }
    Ok(())
}

fn summarise(here: &Here, tag: &str, page: &str) -> Result<(), CommandError> {
    match here.kind {
        Some(Kind::GitHub) => present::append("GITHUB_STEP_SUMMARY", page),
        Some(Kind::Azure) => {
            let Some(directory) = environment::variables().remove("AGENT_TEMPDIRECTORY") else {
                return Ok(());
            };
            let plain: String =
                tag.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
            let path = Path::new(&directory).join(format!("snowform-{plain}.md"));
            plan::write(&path, page, "the summary")?;
            print(&format!("##vso[task.uploadsummary]{}\n", escape::vso_data(&path.display().to_string())));
            Ok(())
        }
        Some(Kind::GitLab) | None => Ok(()),
    }
}

fn write_json(path: &str, document: &serde_json::Value) -> Result<(), CommandError> {
    let text = serde_json::to_string_pretty(document).expect("internal error: a value can be written");
    files::write(Path::new(path), text.as_bytes()).map_err(|error| {
        let help = "the job's directory must be writable";
        CommandError::new(Exit::Failed, "unwritable-file", format!("{path} cannot be written: {error}"), help)
    })
}

/// What is for the machine alone, in whatever format the plan was asked for.
fn print(text: &str) {
    super::ui::machine(text);
}

/// Keeps the request's comment current, where there is a request and a right to.
async fn post(args: &CiArgs, here: &Here, page: String, worth: bool, ui: &Ui) -> Result<(), CommandError> {
    let (Some(kind), Some(_), false) = (here.kind, here.build.request, args.no_comment) else {
        return Ok(());
    };
    let draft = comment::draft(&args.request.tag, &here.build, page, worth);
    match comment::send(kind, &here.build, &draft).await {
        Ok(posted) => {
            if let Some(url) = comment::address(&posted).filter(|url| !url.contains(['\n', '\r'])) {
                present::append("GITHUB_OUTPUT", &format!("comment-url={url}\n"))?;
            }
            ui.remark(comment::said(&posted));
            Ok(())
        }
        Err(error) if args.require_comment => Err(error),
        Err(error) => {
            ui.remark(&format!("{}\n{}", error.message, error.help));
            Ok(())
        }
    }
}
