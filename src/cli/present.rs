//! A finished plan on its way out, in every format: in words, its secrets taken out, its paths as code hosts know them,
//! then drawn by a view.

use super::codes::Explained;
use super::error::{CommandError, Exit};
use super::ui::{Format, Ui};
use crate::host::{environment, files};
use crate::object::statement::HazardKind;
use crate::plan::Plan;
use crate::rule;
use crate::source::files::Files;
use crate::view::json::{DiagnosticDocument, Range};
use crate::view::report::Report;
use crate::view::sarif::Described;
use crate::view::{self, code_hosts, findings, html, markdown, sarif, script};
use std::path::{Component, Path, PathBuf};

/// Bytes that a job's summary on GitHub takes; one more, and all of it is refused.
pub(super) const SUMMARY_BYTES: usize = 1_000_000;

/// The title of a page or a comment.
pub(super) const TITLE: &str = "snowform plan";

/// Variables in which build machines name the directory that the repository is checked out in.
const WORKSPACES: [&str; 3] = ["GITHUB_WORKSPACE", "CI_PROJECT_DIR", "BUILD_SOURCESDIRECTORY"];

/// A plan in words, without secrets.
pub(super) fn report(plan: &Plan, texts: &Files, ui: &Ui) -> Report {
    let mut report = Report::new(plan, texts);
    ui.secrets.report(&mut report);
    report
}

/// The same with paths from the root of the repository, for code hosts.
pub(super) fn relocated(plan: &Plan, texts: &Files, ui: &Ui) -> Report {
    let mut report = report(plan, texts, ui);
    let relocation = Relocation::of_this_machine();
    report.places(&mut |range| relocation.relocate(range));
    report
}

/// Writes a plan as data.
pub(super) fn plan(plan: &Plan, texts: &Files, ui: &Ui) -> Result<(), CommandError> {
    match ui.format {
        Format::Json => ui.json(&view::json::plan(plan, None, texts)),
        Format::Text | Format::Table | Format::JsonExt | Format::Csv => {
            ui.text(&view::plan::draw(&report(plan, texts, ui)));
        }
        Format::Sql => ui.text(&script::text(&report(plan, texts, ui))),
        Format::Html => ui.page(&html::page(&report(plan, texts, ui), TITLE)),
        Format::Markdown => {
            let report = relocated(plan, texts, ui);
            ui.page(&markdown::document(&report, TITLE, blob().as_deref(), markdown::COMMENT_BYTES));
        }
        Format::GitlabTerraform => ui.json(&findings::gitlab_terraform(&report(plan, texts, ui))),
        Format::Github => {
            let report = relocated(plan, texts, ui);
            findings(findings::of(&report), &described(), ui);
            github_files(&report)?;
        }
        Format::Sarif | Format::Gitlab | Format::Azure | Format::Rdjson => {
            findings(findings::of(&relocated(plan, texts, ui)), &described(), ui);
        }
    }
    Ok(())
}

/// Writes what a machine should mark in the definition's lines.
pub(super) fn findings(mut found: Vec<DiagnosticDocument>, codes: &[Described], ui: &Ui) {
    ui.secrets.documents(&mut found);
    match ui.format {
        Format::Github => ui.page(&code_hosts::github(&found)),
        Format::Azure => ui.page(&code_hosts::azure(&found)),
        Format::Gitlab => ui.json(&code_hosts::gitlab(&found)),
        Format::Rdjson => ui.json(&code_hosts::rdjson(&found)),
        _ => ui.json(&sarif::document(&found, codes)),
    }
}

/// Why there is no plan, for a machine that marks lines: the definition's mistakes, else the error itself.
pub(super) fn failure(error: &CommandError, texts: &Files, ui: &Ui) {
    let mut found = view::json::diagnostics(&error.diagnostics, texts);
    if found.is_empty() {
        // An account's own codes are numbers, and many; they are one kind of finding.
        let code = super::codes::by_code(&error.code).map_or("sql", |known| known.code);
        found.push(findings::failure(code, &error.message, &error.help));
    }
    let relocation = Relocation::of_this_machine();
    found.iter_mut().for_each(|found| relocation.document(found));
    let is_free = |known: &&Explained| rule::by_code(known.code).is_none();
    let errors = super::codes::ERRORS.iter().filter(is_free).map(explained);
    let rules: Vec<Described> = rule::all().into_iter().map(Described::from).chain(errors).collect();
    findings(found, &rules, ui);
}

/// What findings of a plan mean.
fn described() -> Vec<Described> {
    let hazard = |kind: &HazardKind| Described {
        code: kind.name(),
        summary: kind.meaning(),
        help: format!("A plan with this hazard is carried out only where it is allowed: --allow {kind}"),
    };
    HazardKind::ALL.iter().map(hazard).chain(super::codes::PROBLEMS.iter().map(explained)).collect()
}

fn explained(known: &'static Explained) -> Described {
    Described { code: known.code, summary: known.summary, help: known.help.to_owned() }
}

/// Adds the plan to the job's summary and its numbers to the step's outputs, where GitHub names their files.
pub(super) fn github_files(report: &Report) -> Result<(), CommandError> {
    let page = markdown::document(report, TITLE, blob().as_deref(), SUMMARY_BYTES);
    append("GITHUB_STEP_SUMMARY", &page)?;
    append("GITHUB_OUTPUT", &findings::github_outputs(report))
}

/// Adds text to the file that a variable names; does nothing where it names none.
pub(super) fn append(variable: &str, text: &str) -> Result<(), CommandError> {
    let Some(path) = environment::variables().remove(variable).filter(|path| !path.is_empty()) else {
        return Ok(());
    };
    files::append(Path::new(&path), text.as_bytes()).map_err(|error| {
        let message = format!("the file that {variable} names cannot be written: {error}");
        CommandError::new(
            Exit::Failed,
            "unwritable-file",
            message,
            "check the variable; the plan itself was written",
        )
    })
}

/// The address of the repository's files at the commit, for links.
pub(super) fn blob() -> Option<String> {
    let variables = environment::variables();
    let variable = |name: &str| variables.get(name).filter(|value| is_plain(value));
    if let (Some(server), Some(repository), Some(commit)) =
        (variable("GITHUB_SERVER_URL"), variable("GITHUB_REPOSITORY"), variable("GITHUB_SHA"))
    {
        return Some(format!("{server}/{repository}/blob/{commit}"));
    }
    let (project, commit) = (variable("CI_PROJECT_URL")?, variable("CI_COMMIT_SHA")?);
    Some(format!("{project}/-/blob/{commit}"))
}

/// Whether a part of an address has nothing that would end it in Markdown.
fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "-._~/:".contains(c))
}

/// The way to paths as code hosts know them: from the root of the repository, not from where the command was started.
pub(super) struct Relocation {
    here: PathBuf,
    root: Option<PathBuf>,
}

impl Relocation {
    /// From the build machine's variables, else from where the repository is.
    pub(super) fn of_this_machine() -> Self {
        let (variables, here) = (environment::variables(), environment::current_dir());
        let root = WORKSPACES.iter().find_map(|name| variables.get(*name)).map(PathBuf::from);
        let root = root.or_else(|| files::nearest_above(&here, ".git"));
        Self { root: root.map(|root| plain(&root)), here }
    }

    /// A mistake's paths.
    pub(super) fn document(&self, found: &mut DiagnosticDocument) {
        self.relocate(&mut found.range);
        found.related.iter_mut().for_each(|related| self.relocate(&mut related.source));
        found.fix.iter_mut().for_each(|fix| self.relocate(&mut fix.range));
    }

    fn relocate(&self, range: &mut Range) {
        let path = plain(&self.here.join(&range.path));
        if let Some(inside) = self.root.as_ref().and_then(|root| path.strip_prefix(root).ok()) {
            let parts: Vec<String> = inside.iter().map(|part| part.to_string_lossy().into_owned()).collect();
            range.path = parts.join("/");
        }
    }
}

/// A path without `.` and `..`, as far as its text tells.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            part => plain.push(part),
        }
    }
    plain
}
