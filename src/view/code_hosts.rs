//! Diagnostics for code hosts: GitHub's workflow commands, Azure's logging commands, GitLab's code quality,
//! reviewdog's rdjson.

use super::escape::{command_data, command_property, vso_data, vso_property};
use super::json::{DiagnosticDocument, Range};
use serde_json::{Value, json};
use std::fmt::Write as _;

/// GitHub shows this many annotations of a level for a step, and drops the rest without a word (actions/toolkit
/// `docs/problem-matchers.md`).
const SHOWN_BY_GITHUB: usize = 10;

/// Workflow commands, one a line (docs.github.com `workflow-commands-for-github-actions`). Nothing of a message can be
/// taken for a command: line ends and percent signs are encoded.
pub fn github(found: &[DiagnosticDocument]) -> String {
    let mut out = String::new();
    for level in ["error", "warning"] {
        let of_level: Vec<&DiagnosticDocument> =
            found.iter().filter(|found| found.severity == level).collect();
        for found in of_level.iter().take(SHOWN_BY_GITHUB) {
            out.push_str(&annotation(found));
        }
        if of_level.len() > SHOWN_BY_GITHUB {
            let more = of_level.len() - SHOWN_BY_GITHUB;
            let _ = writeln!(out, "::notice title=snowform::{more} more of level {level}; see the log");
        }
    }
    out
}

fn annotation(found: &DiagnosticDocument) -> String {
    let DiagnosticDocument { code, severity, message, label: _, help, range, related: _, fix: _ } = found;
    let help = help.as_ref().map(|help| format!("\n{help}")).unwrap_or_default();
    let Range { path, line, column, end_line, end_column, byte: _, end_byte: _ } = range;
    // GitHub ignores columns of annotations that span lines.
    let columns =
        if line == end_line { format!(",col={column},endColumn={end_column}") } else { String::new() };
    format!(
        "::{severity} file={},line={line},endLine={end_line}{columns},title={}::{}\n",
        command_property(path),
        command_property(code),
        command_data(&format!("{message}{help}"))
    )
}

/// Azure Pipelines' logging commands, one a line (learn.microsoft.com `logging-commands`).
pub fn azure(found: &[DiagnosticDocument]) -> String {
    let mut out = String::new();
    for found in found {
        let DiagnosticDocument { code, severity, message, label: _, help, range, related: _, fix: _ } = found;
        let help = help.as_ref().map(|help| format!(" {help}")).unwrap_or_default();
        let _ = writeln!(
            out,
            "##vso[task.logissue type={severity};sourcepath={};linenumber={};columnnumber={};code={code};]{}",
            vso_property(&range.path),
            range.line,
            range.column,
            vso_data(&format!("{message}{help}"))
        );
    }
    out
}

/// GitLab's code quality report: an array, empty where nothing is wrong (docs.gitlab.com `ci/testing/code_quality`).
pub fn gitlab(found: &[DiagnosticDocument]) -> Value {
    let issues = found.iter().zip(super::fingerprints(found)).map(|(found, fingerprint)| {
        json!({
            "description": format!("{}: {}", found.code, found.message),
            "check_name": found.code,
            "fingerprint": fingerprint,
            "severity": if found.severity == "error" { "critical" } else { "minor" },
            "location": { "path": found.range.path, "lines": { "begin": found.range.line } },
        })
    });
    Value::Array(issues.collect())
}

/// reviewdog's diagnostic format (reviewdog `proto/rdf/reviewdog.proto`), for hosts that know none of the others.
pub fn rdjson(found: &[DiagnosticDocument]) -> Value {
    let diagnostics: Vec<Value> = found
        .iter()
        .map(|found| {
            let help = found.help.as_ref().map(|help| format!("\n{help}")).unwrap_or_default();
            let suggestions: Vec<Value> = found
                .fix
                .iter()
                .map(|fix| json!({ "range": range(&fix.range), "text": fix.replacement }))
                .collect();
            json!({
                "message": format!("{}{help}", found.message),
                "location": { "path": found.range.path, "range": range(&found.range) },
                "severity": found.severity.to_uppercase(),
                "code": { "value": found.code },
                "suggestions": suggestions,
            })
        })
        .collect();
    json!({ "source": { "name": "snowform" }, "diagnostics": diagnostics })
}

fn range(range: &Range) -> Value {
    json!({
        "start": { "line": range.line, "column": range.column },
        "end": { "line": range.end_line, "column": range.end_column },
    })
}
