//! A plan as a script, for those who must approve the statements and run them by hand. Comments say what each is for;
//! a guard stops the script in another account, and every change of role is a statement.

use super::escape::{self, visible};
use super::report::{Entry, Place, Report, Statement};
use std::fmt::Write as _;

/// The script. Every statement is the plan's own; inside literals, line ends and hidden characters are written as
/// escapes, which are the same value.
pub fn text(report: &Report) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "-- {}", visible(&report.sentence()));
    let _ = writeln!(out, "-- Written by snowform {}.", env!("CARGO_PKG_VERSION"));
    for problem in &report.problems {
        let _ = writeln!(out, "-- PROBLEM {}: {}", problem.code, visible(&problem.message));
    }
    for (said, at) in &report.notes {
        let at = at.as_ref().map(|at| format!(", {}:{}", visible(&at.path), at.line)).unwrap_or_default();
        let _ = writeln!(out, "-- {}{at}", visible(said));
    }
    if !report.problems.is_empty() {
        out.push_str("-- There is nothing to run: solve the problems, and make a new plan.\n");
        return out;
    }
    if !report.has_changes() {
        return out;
    }
    let role = match &report.place {
        Place::Account { account, role } => {
            guard(&mut out, account);
            role.clone()
        }
        Place::Files { .. } => {
            out.push_str("-- A preview, and no script to run: what the account holds is not known.\n");
            None
        }
    };
    let mut current = role.clone();
    if let Some(role) = &current {
        out.push('\n');
        use_role(&mut out, role);
    }
    for (schema, statement) in &report.schemas {
        let _ = writeln!(out, "\n-- create schema {}", visible(schema));
        draw_statement(&mut out, statement, role.as_deref(), &mut current);
    }
    let total = report.changed().count();
    for (nth, entry) in report.changed().enumerate() {
        draw(&mut out, entry, (nth + 1, total), role.as_deref(), &mut current);
    }
    out
}

/// Fails in any other account. Snowflake knows an account by its name with the organisation's, and by its locator.
fn guard(out: &mut String, account: &str) {
    let name: String =
        account.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')).collect();
    if name != account {
        return;
    }
    let wanted = name.to_uppercase().replace('_', "-");
    let _ = writeln!(
        out,
        "\n-- Guard: stops here unless this is account {account}.\n\
         EXECUTE IMMEDIATE $$\n\
         DECLARE\n  \
           another_account EXCEPTION (-20001, 'this script is for account {account}');\n\
         BEGIN\n  \
           IF (NOT ARRAY_CONTAINS(SPLIT_PART('{wanted}', '.', 1)::VARIANT, ARRAY_CONSTRUCT(\n      \
               CURRENT_ACCOUNT(), REPLACE(CURRENT_ACCOUNT_NAME(), '_', '-'),\n      \
               REPLACE(CURRENT_ORGANIZATION_NAME() || '-' || CURRENT_ACCOUNT_NAME(), '_', '-')))) THEN\n    \
             RAISE another_account;\n  \
           END IF;\n\
         END;\n\
         $$;"
    );
}

fn use_role(out: &mut String, role: &str) {
    match escape::sql(role) {
        Some(role) => {
            let _ = writeln!(out, "USE ROLE {role};");
        }
        None => out.push_str("-- The role's name holds hidden characters: choose it by hand.\n"),
    }
}

fn draw(
    out: &mut String,
    entry: &Entry,
    (nth, total): (usize, usize),
    own: Option<&str>,
    current: &mut Option<String>,
) {
    for statement in &entry.statements {
        let _ = writeln!(
            out,
            "\n-- {nth} of {total}: {} {}, {}:{}",
            entry.action.name(),
            visible(&entry.title()),
            visible(&entry.at.path),
            entry.at.line
        );
        for (kind, said) in &statement.hazards {
            let _ = writeln!(out, "-- HAZARD {kind}: {}", visible(said));
        }
        for user in entry.users.iter().filter(|_| !statement.hazards.is_empty()) {
            let _ = writeln!(out, "-- {}", visible(user));
        }
        draw_statement(out, statement, own, current);
    }
}

/// A statement, under its role.
fn draw_statement(out: &mut String, statement: &Statement, own: Option<&str>, current: &mut Option<String>) {
    let role = statement.role.as_deref().or(own);
    if let Some(role) = role.filter(|role| current.as_deref() != Some(*role)) {
        use_role(out, role);
        *current = Some(role.to_owned());
    }
    match escape::sql(&statement.sql) {
        Some(sql) => {
            let _ = writeln!(out, "{sql};");
        }
        None => out.push_str(
            "-- This statement holds hidden characters that a script cannot carry: use snowform deploy.\n",
        ),
    }
}
