//! `snowform explain`: what a code means, with an example of the mistake and of its mending.

use super::error::{CommandError, Exit};
use super::ui::Ui;
use crate::object::statement::HazardKind;
use crate::rule;
use crate::source::diagnostic::{Rule, Severity, did_you_mean};
use clap::Args;
use serde_json::json;

/// Say what a diagnostic, a hazard or an exit code means
#[derive(Args, Debug)]
pub(super) struct ExplainArgs {
    /// A code such as `unknown-key` or `drops-images`, or an exit code; without one, all of them
    pub(super) code: Option<String>,
}

pub(super) fn run(args: &ExplainArgs, ui: &Ui) -> Result<Exit, CommandError> {
    let Some(code) = &args.code else {
        list(ui);
        return Ok(Exit::Done);
    };
    let hazard = HazardKind::ALL.iter().find(|hazard| hazard.name() == code);
    let exit = Exit::ALL.iter().find(|(exit, _)| (*exit as u8).to_string() == *code);
    match (rule::by_code(code), hazard, exit) {
        (Some(rule), _, _) => explain_rule(rule, ui),
        (None, Some(hazard), _) => explain(ui, "hazard", hazard.name(), hazard.meaning()),
        (None, None, Some((_, words))) => explain(ui, "exit code", code, words),
        (None, None, None) => return Err(unknown(code)),
    }
    Ok(Exit::Done)
}

fn unknown(code: &str) -> CommandError {
    let rules = rule::all();
    let known: Vec<&str> = rules
        .iter()
        .map(|rule| rule.code)
        .chain(HazardKind::ALL.iter().map(|hazard| hazard.name()))
        .collect();
    let help = match did_you_mean(code, &known) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "all of them are listed by\nsnowform explain".to_owned(),
    };
    CommandError::new(Exit::Usage, "unknown-code", format!("there is no code `{code}`"), help)
}

fn list(ui: &Ui) {
    let mut rows: Vec<(String, String)> =
        rule::all().iter().map(|rule| (rule.code.to_owned(), rule.summary.to_owned())).collect();
    rows.extend(HazardKind::ALL.iter().map(|hazard| (hazard.name().to_owned(), hazard.meaning().to_owned())));
    rows.extend(Exit::ALL.iter().map(|(exit, words)| ((*exit as u8).to_string(), (*words).to_owned())));
    let text = || rows.iter().map(|(code, summary)| format!("{code:<24} {summary}\n")).collect();
    let document =
        || rows.iter().map(|(code, summary)| json!({ "code": code, "summary": summary })).collect::<Vec<_>>();
    ui.data(text, document);
}

fn explain(ui: &Ui, kind: &str, code: &str, meaning: &str) {
    ui.data(
        || format!("{kind} {code}: {meaning}\n"),
        || json!({ "code": code, "kind": kind, "summary": meaning }),
    );
}

fn explain_rule(rule: &Rule, ui: &Ui) {
    let Rule { code, severity, summary, why, bad, good } = rule;
    let severity = match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let example = |text: &str| text.lines().map(|line| format!("    {line}\n")).collect::<String>();
    ui.data(
        || {
            let (bad, good) = (example(bad), example(good));
            format!("{severity} {code}: {summary}\n\n{why}\n\nThis is wrong:\n\n{bad}\nThis is right:\n\n{good}")
        },
        || json!({ "code": code, "kind": severity, "summary": summary, "why": why, "bad": bad, "good": good }),
    );
}
