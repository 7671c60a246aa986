//! A plan as a person reads it: what, where it comes from, old → new, the statement, and one line that counts.

use super::{counted, visible};
use crate::desired::{Origin, PartOrigin};
use crate::kind::image_repository::{OWNER, PROJECT};
use crate::kind::{self, ChangeRule};
use crate::object::name::Ident;
use crate::object::reading::Users;
use crate::object::state::{Contents, Grant, Image, Object};
use crate::plan::{
    Action, Advice, AttributeChange, Change, Goal, GrantAction, GrantChange, Plan, Problem, Reason,
    SchemaCreation, TagChange, Undeclared,
};
use crate::source::files::Files;
use crate::source::span::Span;
use anstyle::{AnsiColor, Style};
use std::fmt::Write as _;

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();

/// The plan. Styled with ANSI; whoever prints it strips that where it does not belong.
pub fn text(plan: &Plan, files: &Files) -> String {
    let mut out = String::new();
    for SchemaCreation { schema, step } in &plan.schemas {
        let green = Style::new().fg_color(Some(AnsiColor::Green.into())).bold();
        let _ = writeln!(out, "{green}+{green:#} {BOLD}schema {}{BOLD:#}", visible(&schema.to_string()));
        let _ = writeln!(out, "    {};\n", visible(&step.operation.to_string()));
    }
    for change in plan.changes.iter().filter(|change| change.action != Action::NoOp) {
        draw_change(&mut out, change, plan, files);
    }
    for change in plan.changes.iter().filter(|change| change.reason == Reason::NothingToDestroy) {
        let _ = writeln!(out, "  {DIM}{} is not there{DIM:#}\n", change.id);
    }
    draw_notes(&mut out, plan, files);
    for Advice { message, commands } in &plan.advice {
        let _ = writeln!(out, "note: {}", visible(message));
        for command in commands {
            let _ = writeln!(out, "    {}", visible(command));
        }
        out.push('\n');
    }
    for problem in &plan.problems {
        draw_problem(&mut out, problem);
    }
    let _ = writeln!(out, "{}", summary(plan));
    out
}

/// The plan that would mend what has drifted, and what else the same schemas hold. `all`: also what is as declared.
pub fn drift(plan: &Plan, all: bool, files: &Files) -> String {
    let mut out = String::new();
    if all {
        for change in plan.changes.iter().filter(|change| change.action == Action::NoOp) {
            let known = change.live.as_ref().map(history).unwrap_or_default();
            let _ = writeln!(out, "  {DIM}as declared: {}{known}{DIM:#}", visible(&change.id.to_string()));
        }
        for Undeclared { id, live } in &plan.undeclared {
            let known = history(live);
            let _ = writeln!(out, "  {DIM}not declared: {}{known}{DIM:#}", visible(&id.to_string()));
        }
        if !out.is_empty() {
            out.push('\n');
        }
    }
    out + &text(plan, files)
}

/// Whose an object is, and since when it is there.
fn history(object: &Object) -> String {
    let owner = object.attributes.get(OWNER).map(|owner| format!(", owned by role {}", Ident::exact(owner)));
    let created = object.facts.get("created_on").map(|when| format!(", created {when}"));
    let project = object.attributes.get(PROJECT).map(|project| format!(", of project {project}"));
    visible(&[owner, created, project].into_iter().flatten().collect::<String>())
}

/// One line: what would happen, or that nothing would.
pub fn summary(plan: &Plan) -> String {
    let checked = counted(plan.changes.len(), noun(plan));
    let place = place(plan);
    if !plan.has_changes() {
        return match (plan.problems.is_empty(), plan.goal) {
            (false, _) => {
                format!("{}; nothing can be deployed to {place}.", counted(plan.problems.len(), "problem"))
            }
            (true, Goal::Deploy | Goal::Replace) => {
                format!("Nothing to change: {checked} checked in {place}.")
            }
            (true, Goal::Destroy) => format!("Nothing to destroy in {place}."),
        };
    }
    let counts = [
        (Action::Create, "to create"),
        (Action::Alter, "to alter"),
        (Action::Replace, "to replace"),
        (Action::Drop, "to drop"),
        (Action::NoOp, if plan.goal == Goal::Destroy { "not there" } else { "unchanged" }),
    ];
    let parts: Vec<String> = counts
        .into_iter()
        .map(|(action, words)| (plan.count(action), words))
        .filter(|(number, _)| *number > 0)
        .map(|(number, words)| format!("{number} {words}"))
        .collect();
    let schemas = match plan.schemas.len() {
        0 => Vec::new(),
        number => vec![format!("{} to create", counted(number, "schema"))],
    };
    let parts: Vec<String> = schemas.into_iter().chain(parts).collect();
    let problems = match plan.problems.len() {
        0 => String::new(),
        number => format!("; {}, so nothing can be deployed", counted(number, "problem")),
    };
    format!("{BOLD}Plan: {}{BOLD:#} in {place}{problems}.", parts.join(", "))
}

/// What the plan's objects are, where they are all of one type.
fn noun(plan: &Plan) -> &'static str {
    let mut types = plan.changes.iter().map(|change| change.id.object_type);
    match types.next() {
        Some(first) if types.all(|other| other == first) => first.noun(),
        _ => "object",
    }
}

fn place(plan: &Plan) -> String {
    let account = visible(&plan.target.account);
    match &plan.target.role {
        Some(role) => format!("account {account} as role {}", visible(role)),
        None => format!("account {account}"),
    }
}

fn draw_change(out: &mut String, change: &Change, plan: &Plan, files: &Files) {
    let (sign, colour) = sign(change.action);
    let (style, id) = (Style::new().fg_color(Some(colour.into())).bold(), &change.id);
    let shown = visible(&id.to_string());
    let _ = writeln!(
        out,
        "{style}{sign}{style:#} {BOLD}{shown}{BOLD:#}  {DIM}{}{DIM:#}",
        at(change.origin.span, files)
    );
    if let Some(completed) = completed(&change.origin) {
        let _ = writeln!(out, "    {DIM}{completed}{DIM:#}");
    }
    // What differs says itself why.
    if change.reason != Reason::Differs {
        let _ = writeln!(out, "    {DIM}because {}{DIM:#}", visible(&why(change, plan)));
    }
    for attribute in &change.attributes {
        draw_attribute(out, attribute, change, files);
    }
    for TagChange { tag, before, after } in &change.tags {
        let from = before.as_ref().map(|before| format!("{} → ", quoted(before))).unwrap_or_default();
        let _ = writeln!(out, "    tag {}: {from}{}", visible(&tag.to_string()), quoted(after));
    }
    for GrantChange { grant, action } in &change.grants {
        let _ = match action {
            GrantAction::Grant => writeln!(out, "    grant {}", visible(&grant.to_string())),
            GrantAction::Revoke => {
                let Grant { privilege, grantee } = grant;
                writeln!(out, "    revoke {}", visible(&format!("{privilege} from {grantee}")))
            }
            GrantAction::Keep => writeln!(out, "    not declared, and kept: {}", visible(&grant.to_string())),
        };
    }
    if let Some(Contents::Listed(images)) = &change.contents {
        draw_lost(out, images);
    }
    if let Some(users) = &change.users {
        draw_users(out, users);
    }
    for step in &change.steps {
        let role =
            step.role.as_ref().map(|role| format!("  {DIM}-- as role {role}{DIM:#}")).unwrap_or_default();
        let _ = writeln!(out, "    {};{role}", visible(&step.operation.to_string()));
        for hazard in &step.hazards {
            let danger = Style::new().fg_color(Some(AnsiColor::Red.into())).bold();
            let _ = writeln!(out, "    {danger}! {}{danger:#}: {}", hazard.kind, visible(&hazard.message));
        }
    }
    out.push('\n');
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

/// Who runs images that would go.
fn draw_users(out: &mut String, users: &Users) {
    match users {
        Users::Listed { names, unread } => {
            for name in names {
                let _ = writeln!(
                    out,
                    "    used by service {}: new instances of it will not start",
                    visible(&name.to_string())
                );
            }
            if *unread > 0 {
                let services = counted(*unread, "service");
                let _ = writeln!(out, "    perhaps used: this role may not look into {services}");
            }
        }
        Users::Unknown { why } => {
            let _ = writeln!(out, "    perhaps used: services could not be listed ({})", visible(why));
        }
    }
}

/// Why this action and no other.
pub fn why(change: &Change, plan: &Plan) -> String {
    match change.reason {
        Reason::NotListed => {
            match change.origin.role.as_ref().map(ToString::to_string).or(plan.target.role.clone()) {
                Some(role) => format!("it is not there, or role {role} may not see it"),
                None => "it is not there".to_owned(),
            }
        }
        Reason::AsDeclared => "it is as declared".to_owned(),
        Reason::Differs => "it is not as declared".to_owned(),
        Reason::Adopted => {
            let owner = change.live.as_ref().and_then(|live| live.attributes.get(OWNER));
            let owner =
                owner.map(|owner| format!(", owned by role {}", Ident::exact(owner))).unwrap_or_default();
            format!("it is there already{owner}, and becomes this project's")
        }
        Reason::CannotAlter => cannot_alter(change).to_owned(),
        Reason::ReplaceAsked => "--replace was given".to_owned(),
        Reason::DestroyAsked => "destroy was asked for".to_owned(),
        Reason::Removed => "`removed` names it".to_owned(),
        Reason::Pruned => "it carries this project's mark and is not declared any more".to_owned(),
        Reason::NothingToDestroy => "it is not there".to_owned(),
    }
}

/// Why a replacement and nothing milder.
fn cannot_alter(change: &Change) -> &'static str {
    let managed = kind::managed(change.id.object_type);
    let fixed =
        change.attributes.iter().find_map(|attribute| match managed.attribute(attribute.field)?.change {
            ChangeRule::Replace(why) => Some(why),
            ChangeRule::Alter(_) | ChangeRule::Afterwards(_) => None,
        });
    fixed.unwrap_or("it cannot be changed in place")
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

fn draw_attribute(out: &mut String, attribute: &AttributeChange, change: &Change, files: &Files) {
    let AttributeChange { field, before, after } = attribute;
    let from = match before {
        Some(before) => format!("{} → ", quoted(before)),
        None => String::new(),
    };
    let place = change.origin.attributes.get(field).map(|span| at(*span, files)).unwrap_or_default();
    let _ = writeln!(out, "    {field}: {from}{}  {DIM}{place}{DIM:#}", quoted(after));
}

/// Says which parts of the name are not written in the file.
fn completed(origin: &Origin) -> Option<String> {
    let parts = [("database", origin.database), ("schema", origin.schema)];
    let from = |wanted: PartOrigin| -> Vec<&str> {
        parts.iter().filter(|(_, part)| *part == wanted).map(|(name, _)| *name).collect()
    };
    let connection = from(PartOrigin::Connection);
    let mut words = Vec::new();
    if !connection.is_empty() {
        words.push(format!("{} from the connection", connection.join(" and ")));
    }
    if !from(PartOrigin::Convention).is_empty() {
        words.push("schema PUBLIC because only a database is written".to_owned());
    }
    (!words.is_empty()).then(|| words.join("; "))
}

fn draw_notes(out: &mut String, plan: &Plan, files: &Files) {
    for entity in &plan.not_managed {
        let _ = writeln!(
            out,
            "  {DIM}not managed: {} ({}), {}; snowform leaves it alone{DIM:#}",
            visible(&entity.entity),
            entity.type_name,
            at(entity.span, files)
        );
    }
    for id in &plan.left {
        let _ = writeln!(
            out,
            "  {DIM}left the definition: {}; it stays, and `--prune` drops it{DIM:#}",
            visible(&id.to_string())
        );
    }
    for note in &plan.without_effect {
        let _ =
            writeln!(out, "  {DIM}without effect: {}, {}{DIM:#}", visible(&note.value), at(note.span, files));
    }
    if !(plan.not_managed.is_empty() && plan.without_effect.is_empty() && plan.left.is_empty()) {
        out.push('\n');
    }
}

fn draw_problem(out: &mut String, problem: &Problem) {
    let danger = Style::new().fg_color(Some(AnsiColor::Red.into())).bold();
    let Problem { message, help } = problem;
    let _ = writeln!(out, "{danger}problem{danger:#}: {}", visible(message));
    for line in help.lines() {
        let _ = writeln!(out, "    {}", visible(line));
    }
    out.push('\n');
}

fn at(span: Span, files: &Files) -> String {
    format!("{}:{}", visible(files.path(span.file)), files.start(span).line)
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", visible(text).replace('"', "\\\""))
}
