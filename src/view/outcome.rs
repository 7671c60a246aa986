//! What a deploy did, as a person reads it.

use super::{counted, visible};
use crate::deploy::{Failure, Outcome, Progress};
use crate::plan::{Action, Plan, SchemaCreation};
use anstyle::{AnsiColor, Style};
use std::fmt::Write as _;

/// Every change that was to happen, and one line that counts.
pub fn text(plan: &Plan, outcome: &Outcome) -> String {
    let mut out = String::new();
    for (SchemaCreation { schema, step: _ }, progress) in plan.schemas.iter().zip(&outcome.schemas) {
        draw(&mut out, Action::Create, &format!("schema {schema}"), progress);
    }
    for (change, progress) in plan.changes.iter().zip(&outcome.progress) {
        draw(&mut out, change.action, &change.id.to_string(), progress);
    }
    let _ = writeln!(out, "{}", summary(plan, outcome));
    out
}

fn draw(out: &mut String, action: Action, what: &str, progress: &Progress) {
    let id = visible(what);
    let bad = Style::new().fg_color(Some(AnsiColor::Red.into())).bold();
    match progress {
        Progress::Unchanged => {}
        Progress::Done { query_ids: _ } => {
            let good = Style::new().fg_color(Some(AnsiColor::Green.into()));
            let _ = writeln!(out, "{good}{}{good:#} {id}", past(action));
        }
        Progress::NotReached => {
            let _ = writeln!(out, "not begun {id}");
        }
        Progress::Failed(Failure { message, help, code: _, query_id, authentication: _ }) => {
            let _ = writeln!(out, "{bad}failed{bad:#} {id}");
            for line in message.lines() {
                let _ = writeln!(out, "    {}", visible(line));
            }
            if let Some(query_id) = query_id {
                let _ = writeln!(out, "    query id {}", visible(query_id));
            }
            for line in help.lines() {
                let _ = writeln!(out, "    {}", visible(line));
            }
        }
    }
}

/// One line: what was done, what failed, what was not begun.
pub fn summary(plan: &Plan, outcome: &Outcome) -> String {
    let done = |action| {
        let changes = plan.changes.iter().zip(&outcome.progress);
        changes.filter(|(c, p)| c.action == action && matches!(p, Progress::Done { .. })).count()
    };
    let of = |wanted: fn(&Progress) -> bool| outcome.progress.iter().filter(|p| wanted(p)).count();
    let counts = [
        (done(Action::Create), "created"),
        (done(Action::Alter), "altered"),
        (done(Action::Replace), "replaced"),
        (done(Action::Drop), "dropped"),
        (of(|p| matches!(p, Progress::Failed(_))), "failed"),
        (of(|p| matches!(p, Progress::NotReached)), "not begun"),
        (of(|p| matches!(p, Progress::Unchanged)), "unchanged"),
    ];
    let parts: Vec<String> = counts
        .iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, words)| format!("{number} {words}"))
        .collect();
    if outcome.is_complete() {
        format!("Done: {}.", parts.join(", "))
    } else {
        let open = of(|p| matches!(p, Progress::Failed(_) | Progress::NotReached));
        format!("Incomplete: {}. Run deploy again to finish {}.", parts.join(", "), counted(open, "change"))
    }
}

fn past(action: Action) -> &'static str {
    match action {
        Action::NoOp => "unchanged",
        Action::Create => "created",
        Action::Alter => "altered",
        Action::Replace => "replaced",
        Action::Drop => "dropped",
    }
}
