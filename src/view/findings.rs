//! What a machine should mark in the definition's lines because of a plan: problems are errors, hazards are warnings. As
//! diagnostics, so that every format for code hosts takes them.

use super::json::{DiagnosticDocument, Range};
use super::report::{Report, Trouble};
use crate::object::statement::HazardKind;
use crate::plan::{Action, Goal};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// Problems and hazards, worst first.
pub fn of(report: &Report) -> Vec<DiagnosticDocument> {
    let anywhere = report.entries.first().map_or_else(beginning, |entry| entry.at.clone());
    let problem = |Trouble { code, message, help, at }: &Trouble| {
        let at = at.clone().unwrap_or_else(|| anywhere.clone());
        found(code, "error", message.clone(), Some(help.clone()), at)
    };
    let hazard = |(entry, kind, said): (&super::report::Entry, HazardKind, &str)| {
        let message = format!("{} {}: {said}", entry.action.name(), entry.title());
        let help = format!("if that is meant, allow it when deploying: --allow {kind}");
        found(kind.name(), "warning", message, Some(help), entry.at.clone())
    };
    report.problems.iter().map(problem).chain(report.hazards().map(hazard)).collect()
}

/// Why there is no plan, where no line of the definition is to blame: at its beginning, since a finding has a place.
pub fn failure(code: &'static str, message: &str, help: &str) -> DiagnosticDocument {
    found(code, "error", message.to_owned(), Some(help.to_owned()), beginning())
}

fn beginning() -> Range {
    let path = "snowflake.yml".to_owned();
    Range { path, line: 1, column: 1, end_line: 1, end_column: 1, byte: 0, end_byte: 0 }
}

fn found(
    code: &'static str,
    severity: &'static str,
    message: String,
    help: Option<String>,
    range: Range,
) -> DiagnosticDocument {
    DiagnosticDocument {
        code,
        severity,
        message,
        label: String::new(),
        help,
        range,
        related: Vec::new(),
        fix: None,
    }
}

/// The report of GitLab's merge request widget for plans: numbers only, since guests read it
/// (docs.gitlab.com `ci/yaml/artifacts_reports`). A replacement deletes and creates, as the documented filter counts it.
pub fn gitlab_terraform(report: &Report) -> Value {
    let of = |action| report.count(action);
    json!({
        "create": report.schemas.len() + of(Action::Create) + of(Action::Replace),
        "update": of(Action::Alter),
        "delete": of(Action::Drop) + of(Action::Replace),
    })
}

/// The lines of `$GITHUB_OUTPUT`: numbers and words of ours, nothing that anybody else wrote.
pub fn github_outputs(report: &Report) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "changes={}", report.has_changes());
    for action in [Action::Create, Action::Alter, Action::Replace, Action::Drop, Action::NoOp] {
        let name = if action == Action::NoOp { "unchanged" } else { action.name() };
        let _ = writeln!(out, "{name}={}", report.count(action));
    }
    let _ = writeln!(out, "schemas={}", report.schemas.len());
    let kinds: BTreeSet<&str> = report.hazards().map(|(_, kind, _)| kind.name()).collect();
    let _ = writeln!(out, "hazards={}", kinds.into_iter().collect::<Vec<_>>().join(","));
    let _ = writeln!(out, "problems={}", report.problems.len());
    let _ = writeln!(out, "deployable={}", report.problems.is_empty() && report.goal != Goal::Destroy);
    out
}
