//! A plan as a page that opens anywhere: one file, nothing fetched, nothing sent. The policy in its head lets exactly our
//! own script and style act, told by their hashes; whatever else might get in would not run.

use super::counted;
use super::difference::{self, Difference, Sign};
use super::escape::{clipped, html};
use super::json::Range;
use super::report::{Entry, Image, Place, Report, Statement};
use crate::plan::Action;
use base64::Engine as _;
use std::fmt::Write as _;

const STYLE: &str = include_str!("report.css");
const SCRIPT: &str = include_str!("report.js");

/// Characters of a name, of a value and of a statement that are shown.
const NAME: usize = 300;
const VALUE: usize = 4_000;
/// Images that are listed of one repository; the rest is counted.
const IMAGES: usize = 200;
/// Changes of a small plan stand open.
const OPEN: usize = 6;

/// The page.
pub fn page(report: &Report, title: &str) -> String {
    let mut out = head(title);
    let _ = write!(out, "<h1>{}</h1>\n<p class=\"dim\">{}</p>\n", html(title), place(&report.place));
    totals(&mut out, report);
    problems(&mut out, report);
    losses(&mut out, report);
    changes(&mut out, report);
    notes(&mut out, report);
    let _ = write!(
        out,
        "<footer>Written by snowform {}. This page loads nothing and sends nothing.</footer>\n</main>\n<script>{SCRIPT}</script>\n</body>\n</html>\n",
        env!("CARGO_PKG_VERSION")
    );
    out
}

fn head(title: &str) -> String {
    let (style, script) = (hash(STYLE), hash(SCRIPT));
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src '{style}'; script-src '{script}'; base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"referrer\" content=\"no-referrer\">\n\
         <title>{}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n",
        html(title)
    )
}

/// As a policy names a script or a style that it lets act (W3C CSP 3, `hash-source`).
fn hash(text: &str) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
    format!("sha256-{}", base64::engine::general_purpose::STANDARD.encode(digest))
}

fn place(place: &Place) -> String {
    match place {
        Place::Account { account, role: None } => format!("Account {}", name(account)),
        Place::Account { account, role: Some(role) } => {
            format!("Account {}, as role {}", name(account), name(role))
        }
        Place::Files { base, head } => format!(
            "Between two revisions of the files, from {} to {}. The account was not asked: what it holds may differ.",
            name(base),
            html(&clipped(head, NAME))
        ),
    }
}

fn name(text: &str) -> String {
    format!("<code>{}</code>", html(&clipped(text, NAME)))
}

fn totals(out: &mut String, report: &Report) {
    if !report.has_changes() && report.problems.is_empty() {
        let _ = writeln!(out, "<div class=\"box\">{}</div>", html(&report.sentence()));
        return;
    }
    out.push_str("<ul class=\"totals\">\n");
    if !report.schemas.is_empty() {
        let number = report.schemas.len();
        let _ = writeln!(
            out,
            "<li><b>{number}</b>{} to create</li>",
            if number == 1 { "schema" } else { "schemas" }
        );
    }
    for (action, number) in &report.totals {
        let words = match action {
            Action::Create => "to create",
            Action::Alter => "to alter",
            Action::Replace => "to replace",
            Action::Drop => "to drop",
            Action::NoOp => "unchanged",
        };
        let _ = writeln!(out, "<li><b>{number}</b>{words}</li>");
    }
    out.push_str("</ul>\n");
}

fn problems(out: &mut String, report: &Report) {
    if report.problems.is_empty() {
        return;
    }
    out.push_str("<h2>Nothing can be deployed before this is solved</h2>\n");
    for problem in &report.problems {
        let help: Vec<String> = problem.help.lines().map(|line| html(&clipped(line, VALUE))).collect();
        let _ = writeln!(
            out,
            "<div class=\"box bad\"><b>{}</b> {}<pre>{}</pre></div>",
            html(problem.code),
            html(&clipped(&problem.message, VALUE)),
            help.join("\n")
        );
    }
}

/// What would be lost or opened, with every image by name.
fn losses(out: &mut String, report: &Report) {
    let mut any = false;
    for (entry, kind, said) in report.hazards() {
        if !any {
            out.push_str("<h2>What would be lost or opened</h2>\n");
            any = true;
        }
        let _ = write!(
            out,
            "<div class=\"box bad\"><b>{kind}</b> {} {}",
            name(&entry.name),
            html(&clipped(said, VALUE))
        );
        if kind == crate::object::statement::HazardKind::DropsImages {
            for user in &entry.users {
                let _ = write!(out, "<p>{}</p>", html(&clipped(user, VALUE)));
            }
            images(out, entry);
        }
        out.push_str("</div>\n");
    }
}

fn images(out: &mut String, entry: &Entry) {
    let Some(images) = entry.images.as_ref().filter(|images| !images.is_empty()) else { return };
    let open = if images.len() <= OPEN * 2 { " open" } else { "" };
    let _ = write!(
        out,
        "<details{open}><summary class=\"dim\">{}</summary><table>",
        counted(images.len(), "image")
    );
    for Image { name: image, tags, digest, created_on } in images.iter().take(IMAGES) {
        let _ = write!(
            out,
            "<tr><td>{}</td><td>{}</td><td class=\"dim\">{}</td><td class=\"dim\">{}</td></tr>",
            name(image),
            html(&clipped(&tags.join(", "), NAME)),
            html(&clipped(digest, 24)),
            html(created_on.as_deref().unwrap_or(""))
        );
    }
    out.push_str("</table>");
    if images.len() > IMAGES {
        let _ = write!(out, "<p class=\"dim\">… and {}</p>", counted(images.len() - IMAGES, "more image"));
    }
    out.push_str("</details>");
}

fn changes(out: &mut String, report: &Report) {
    for (schema, statement) in &report.schemas {
        let (name, sql) = (name(schema), html(&clipped(&statement.sql, VALUE)));
        let _ = writeln!(out, "<div class=\"box\">schema {name} is created first<pre>{sql};</pre></div>");
    }
    let total = report.changed().count();
    if total == 0 {
        // The script looks for what it works on.
        out.push_str("<div hidden><input type=\"search\" id=\"search\"><span id=\"shown\"></span><button id=\"open\"></button><button id=\"fold\"></button></div>\n");
        return;
    }
    out.push_str(
        "<h2>Changes</h2>\n<div class=\"tools\"><input type=\"search\" id=\"search\" placeholder=\"Search names, values, statements\" aria-label=\"Search the changes\">\
         <span class=\"dim\" id=\"shown\" aria-live=\"polite\"></span><button type=\"button\" id=\"open\">Open all</button><button type=\"button\" id=\"fold\">Fold all</button></div>\n",
    );
    for entry in report.changed() {
        change(out, entry, total <= OPEN);
    }
}

fn change(out: &mut String, entry: &Entry, open: bool) {
    let action = entry.action.name();
    let _ = writeln!(
        out,
        "<details class=\"change\"{}><summary><span class=\"tag {action}\">{action}</span><span class=\"name\">{}</span><span class=\"dim\">{}</span></summary><div class=\"inside\">",
        if open { " open" } else { "" },
        html(&clipped(&entry.name, NAME)),
        at(&entry.at)
    );
    let remarks = [Some(entry.noun), entry.completed.as_deref(), entry.why.as_deref()];
    let remarks: Vec<String> = remarks.into_iter().flatten().map(html).collect();
    let _ = writeln!(out, "<p class=\"dim\">{}</p>", remarks.join("; "));
    if !entry.differences.is_empty() {
        out.push_str("<h3>What differs</h3><table>\n");
        entry.differences.iter().for_each(|difference| differs(out, difference));
        out.push_str("</table>\n");
    }
    if !entry.statements.is_empty() {
        out.push_str("<h3>Statements</h3><pre>");
        for Statement { sql, role, hazards: _ } in &entry.statements {
            if let Some(role) = role {
                let _ = writeln!(out, "<span class=\"dim\">-- as role {}</span>", html(&clipped(role, NAME)));
            }
            let _ = writeln!(out, "{};", html(&clipped(sql, VALUE)));
        }
        out.push_str("</pre>\n");
    }
    out.push_str("</div></details>\n");
}

fn differs(out: &mut String, difference: &Difference) {
    match difference {
        Difference::Item { sign, words, text } => {
            let text = html(&clipped(text, VALUE));
            let shown = match sign {
                Sign::Added => format!("<ins>{text}</ins>"),
                Sign::Removed => format!("<del>{text}</del>"),
                Sign::Kept => text,
            };
            let _ = writeln!(out, "<tr><th>{}</th><td>{shown}</td></tr>", html(words));
        }
        Difference::Value { field, before: Some(before), after: Some(after), at: _ }
            if difference::is_long(before, after) && !before.is_empty() =>
        {
            let _ = write!(out, "<tr><th>{}</th><td><pre class=\"diff\">", html(&clipped(field, NAME)));
            for line in difference::lines(before, after) {
                let class = match line.sign {
                    '+' => "p",
                    '-' => "m",
                    _ => "g",
                };
                let text = html(&clipped(&line.text, VALUE));
                let _ = write!(out, "<span class=\"{class}\">{} {text}</span>", line.sign);
            }
            out.push_str("</pre></td></tr>\n");
        }
        Difference::Value { field, before, after, at: _ } => {
            let value = |tag: &str, value: &Option<String>| match value {
                Some(value) if value.is_empty() => format!("<{tag}>(empty)</{tag}>"),
                Some(value) => format!("<{tag}>{}</{tag}>", html(&clipped(value, VALUE))),
                None => String::new(),
            };
            let arrow = if before.is_some() { " → " } else { "" };
            let _ = writeln!(
                out,
                "<tr><th>{}</th><td>{}{arrow}{}</td></tr>",
                html(&clipped(field, NAME)),
                value("del", before),
                value("ins", after)
            );
        }
    }
}

fn notes(out: &mut String, report: &Report) {
    for (message, commands) in &report.advice {
        let commands: Vec<String> = commands.iter().map(|command| html(&clipped(command, VALUE))).collect();
        let said = html(&clipped(message, VALUE));
        let _ = writeln!(out, "<div class=\"box\">{said}<pre>{}</pre></div>", commands.join("\n"));
    }
    if report.notes.is_empty() {
        return;
    }
    out.push_str("<h2>Left alone</h2>\n");
    for (said, range) in &report.notes {
        let place = range.as_ref().map(at).unwrap_or_default();
        let said = html(&clipped(said, VALUE));
        let _ = writeln!(out, "<div class=\"box\">{said} <span class=\"dim\">{place}</span></div>");
    }
}

fn at(range: &Range) -> String {
    let Range { path, line, .. } = range;
    format!("{}:{line}", html(&clipped(path, NAME)))
}
