//! A plan as a person reads it: what, where it comes from, old → new, the statement, and one line that counts.

use super::difference::{self, Difference};
use super::json::Range;
use super::report::{Entry, Image, Report, Statement, Trouble};
use super::visible;
use crate::plan::{Action, Plan, Reason};
use crate::source::files::Files;
use anstyle::{AnsiColor, Style};
use std::fmt::Write as _;

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();

/// The plan. Styled with ANSI; whoever prints it strips that where it does not belong.
pub fn text(plan: &Plan, files: &Files) -> String {
    draw(&Report::new(plan, files))
}

/// The same of a plan that is in words already.
pub fn draw(report: &Report) -> String {
    let mut out = String::new();
    for (schema, statement) in &report.schemas {
        let green = Style::new().fg_color(Some(AnsiColor::Green.into())).bold();
        let _ = writeln!(out, "{green}+{green:#} {BOLD}schema {}{BOLD:#}", visible(schema));
        draw_statement(&mut out, statement);
        out.push('\n');
    }
    for entry in report.changed() {
        draw_entry(&mut out, entry);
    }
    for entry in report.entries.iter().filter(|entry| entry.reason == Reason::NothingToDestroy) {
        let why = entry.why.as_deref().unwrap_or_default();
        let _ = writeln!(out, "  {DIM}{}{DIM:#}\n", visible(&format!("{}: {why}", entry.title())));
    }
    draw_notes(&mut out, report);
    for (message, commands) in &report.advice {
        let _ = writeln!(out, "note: {}", visible(message));
        for command in commands {
            let _ = writeln!(out, "    {}", visible(command));
        }
        out.push('\n');
    }
    for problem in &report.problems {
        draw_problem(&mut out, problem);
    }
    let sentence = visible(&report.sentence());
    // What counts is printed bold, where it acts is not.
    match sentence.split_once(" in account ") {
        Some((counts, place)) if report.has_changes() => {
            let _ = writeln!(out, "{BOLD}{counts}{BOLD:#} in account {place}");
        }
        _ => {
            let _ = writeln!(out, "{sentence}");
        }
    }
    out
}

/// The plan that would mend what has drifted, and what else the same schemas hold. `all`: also what is as declared.
pub fn drift(report: &Report, all: bool) -> String {
    let mut out = String::new();
    if all {
        for entry in report.entries.iter().filter(|entry| entry.action == Action::NoOp) {
            let shown = visible(&format!("{}{}", entry.title(), entry.history));
            let _ = writeln!(out, "  {DIM}as declared: {shown}{DIM:#}");
        }
        for (what, history) in &report.undeclared {
            let _ = writeln!(out, "  {DIM}not declared: {}{DIM:#}", visible(&format!("{what}{history}")));
        }
        if !out.is_empty() {
            out.push('\n');
        }
    }
    out + &draw(report)
}

fn draw_entry(out: &mut String, entry: &Entry) {
    let (sign, colour) = sign(entry.action);
    let style = Style::new().fg_color(Some(colour.into())).bold();
    let shown = visible(&entry.title());
    let _ = writeln!(out, "{style}{sign}{style:#} {BOLD}{shown}{BOLD:#}  {DIM}{}{DIM:#}", at(&entry.at));
    if let Some(completed) = &entry.completed {
        let _ = writeln!(out, "    {DIM}{completed}{DIM:#}");
    }
    if let Some(why) = &entry.why {
        let _ = writeln!(out, "    {DIM}because {}{DIM:#}", visible(why));
    }
    for difference in &entry.differences {
        draw_difference(out, difference);
    }
    if let Some(images) = &entry.images {
        draw_lost(out, images);
    }
    for user in &entry.users {
        let _ = writeln!(out, "    {}", visible(user));
    }
    for statement in &entry.statements {
        draw_statement(out, statement);
    }
    out.push('\n');
}

fn draw_statement(out: &mut String, Statement { sql, role, hazards }: &Statement) {
    let role =
        role.as_ref().map(|role| format!("  {DIM}-- as role {}{DIM:#}", visible(role))).unwrap_or_default();
    let _ = writeln!(out, "    {};{role}", visible(sql));
    for (kind, message) in hazards {
        let danger = Style::new().fg_color(Some(AnsiColor::Red.into())).bold();
        let _ = writeln!(out, "    {danger}! {kind}{danger:#}: {}", visible(message));
    }
}

/// How many images of one object are shown; all of them stand in the JSON.
const MOST_IMAGES: usize = 10;

/// The images that would go.
fn draw_lost(out: &mut String, images: &[Image]) {
    for Image { name, tags, digest, created_on } in images.iter().take(MOST_IMAGES) {
        let tags = if tags.is_empty() { "no tag".to_owned() } else { tags.join(", ") };
        let short: String = digest.chars().take("sha256:".len() + 12).collect();
        let day = created_on.as_ref().map(|when| when.chars().take("2026-01-31".len()).collect::<String>());
        let pushed = day.map(|day| format!("  pushed {day}")).unwrap_or_default();
        let _ = writeln!(out, "    lost: {}", visible(&format!("{name}  {tags}  {short}{pushed}")));
    }
    if images.len() > MOST_IMAGES {
        let _ = writeln!(out, "    lost: {} more", images.len() - MOST_IMAGES);
    }
}

fn sign(action: Action) -> (char, AnsiColor) {
    match action {
        Action::NoOp => (' ', AnsiColor::White),
        Action::Create => ('+', AnsiColor::Green),
        Action::Alter => ('~', AnsiColor::Yellow),
        Action::Replace => ('±', AnsiColor::Red),
        Action::Drop => ('-', AnsiColor::Red),
    }
}

fn draw_difference(out: &mut String, difference: &Difference) {
    let (field, before, after, place) = match difference {
        Difference::Item { sign: _, words, text } => {
            let _ = writeln!(out, "    {words} {}", visible(text));
            return;
        }
        Difference::Value { field, before, after, at } => (visible(field), before, after, at),
    };
    let place = place.as_ref().map(|place| format!("  {DIM}{}{DIM:#}", at(place))).unwrap_or_default();
    match (before, after) {
        (Some(before), Some(after)) if difference::is_long(before, after) && !before.is_empty() => {
            let _ = writeln!(out, "    {field}:{place}");
            for line in difference::lines(before, after) {
                let style = match line.sign {
                    '+' => Style::new().fg_color(Some(AnsiColor::Green.into())),
                    '-' => Style::new().fg_color(Some(AnsiColor::Red.into())),
                    _ => DIM,
                };
                let _ = writeln!(out, "      {style}{} {}{style:#}", line.sign, visible(&line.text));
            }
        }
        (before, after) => {
            let from = before.as_ref().map(|before| format!("{} → ", quoted(before))).unwrap_or_default();
            let to = after.as_ref().map_or_else(|| "nothing".to_owned(), |after| quoted(after));
            let _ = writeln!(out, "    {field}: {from}{to}{place}");
        }
    }
}

fn draw_notes(out: &mut String, report: &Report) {
    for (said, place) in &report.notes {
        let rest = if said.starts_with("not managed") { "; snowform leaves it alone" } else { "" };
        let place = place.as_ref().map(|place| format!(", {}", at(place))).unwrap_or_default();
        let _ = writeln!(out, "  {DIM}{}{place}{rest}{DIM:#}", visible(said));
    }
    if !report.notes.is_empty() {
        out.push('\n');
    }
}

fn draw_problem(out: &mut String, problem: &Trouble) {
    let danger = Style::new().fg_color(Some(AnsiColor::Red.into())).bold();
    let Trouble { code: _, message, help, at: _ } = problem;
    let _ = writeln!(out, "{danger}problem{danger:#}: {}", visible(message));
    for line in help.lines() {
        let _ = writeln!(out, "    {}", visible(line));
    }
    out.push('\n');
}

fn at(range: &Range) -> String {
    format!("{}:{}", visible(&range.path), range.line)
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", visible(text).replace('"', "\\\""))
}
