//! A plan for a pull request: totals, what would be lost and what is wrong first, in a bounded number of bytes. What does
//! not fit is counted; totals, hazards and problems are never left out.

use super::difference::{self, Difference, Sign};
use super::escape::{fenced, markdown, markdown_text as text, mermaid, visible};
use super::json::{DiagnosticDocument, Range};
use super::report::{Entry, Place, Report};
use super::{counted, escape};
use crate::object::statement::HazardKind;
use crate::plan::Action;
use std::collections::BTreeMap;

/// Bytes that fit into a comment of every code host: GitHub takes 65,536 characters.
pub const COMMENT_BYTES: usize = 60_000;

/// Characters of a name, and of a line of SQL, that are shown.
const NAME: usize = 160;
const LINE: usize = 1_000;
/// A folded part that is shorter is shown open.
const OPEN: usize = 10;
/// Objects in a graph that people can still read.
const NODES: usize = 40;

/// The plan, under a title, in at most `most` bytes. Places are linked below `blob`, the address of the repository's
/// files at a commit, where that is known.
pub fn document(report: &Report, title: &str, blob: Option<&str>, most: usize) -> String {
    let mut page = Page { out: String::new(), left: most };
    page.always(&heading(report, title));
    // What must not be missing is budgeted first: half of the room for what is wrong, the rest for what is lost.
    let problems = problems(report);
    page.list(&problems, most / 2, "problem");
    if !problems.is_empty() {
        page.always("\n");
    }
    hazards(&mut page, report, most);
    table(&mut page, report, blob);
    page.folded("What differs", "diff", &differences(report));
    graph(&mut page, report);
    page.folded("Statements", "sql", &statements(report));
    notes(&mut page, report);
    page.out
}

/// Mistakes of a definition, where there is no plan: the first is the first line.
pub fn mistakes(found: &[DiagnosticDocument], title: &str, blob: Option<&str>, most: usize) -> String {
    let errors = found.iter().filter(|found| found.severity == "error").count();
    let mut page = Page { out: String::new(), left: most };
    page.always(&format!(
        "### {} · {}\n\nThere is no plan: the definition has mistakes.\n\n",
        inline(title),
        counted(errors, "error")
    ));
    let lines: Vec<String> = found
        .iter()
        .map(|found| {
            let message = text(&found.message, LINE);
            let help = found.help.as_ref().map(|help| format!(". {}", text(help, LINE))).unwrap_or_default();
            format!(
                "- {} **{}** {message}{help} ({})\n",
                found.severity,
                found.code,
                place(&found.range, blob)
            )
        })
        .collect();
    page.list(&lines, most, "mistake");
    page.out
}

/// A page that knows how much room it has left.
struct Page {
    out: String,
    left: usize,
}

/// Room that is kept for the line that says what was left out.
const RESERVED: usize = 200;

impl Page {
    fn always(&mut self, text: &str) {
        self.out.push_str(text);
        self.left = self.left.saturating_sub(text.len());
    }

    /// As many lines as there is room for below `most` bytes; the rest is counted.
    fn list(&mut self, lines: &[String], most: usize, noun: &str) {
        let mut room = most.min(self.left).saturating_sub(RESERVED);
        let mut shown = 0;
        for line in lines {
            if line.len() > room {
                break;
            }
            room -= line.len();
            self.always(line);
            shown += 1;
        }
        if shown < lines.len() {
            let more = counted(lines.len() - shown, &format!("more {noun}"));
            self.always(&format!("- … and {more}\n"));
        }
    }

    /// A block of lines that is folded away, as far as there is room.
    fn folded(&mut self, summary: &str, language: &str, lines: &[String]) {
        if lines.is_empty() {
            return;
        }
        let mut room = self.left.saturating_sub(RESERVED + 200);
        let fits = lines.iter().take_while(|line| {
            let fits = line.len() < room;
            room = room.saturating_sub(line.len() + 1);
            fits
        });
        let shown = fits.count();
        if shown == 0 {
            self.always(&format!("{summary}: left out, there is no room for them here.\n\n"));
            return;
        }
        let open = if lines.len() < OPEN { " open" } else { "" };
        let block = fenced(language, &lines[..shown]);
        let more = match lines.len() - shown {
            0 => String::new(),
            more => format!("… and {}\n\n", counted(more, "more line")),
        };
        self.always(&format!("<details{open}><summary>{summary}</summary>\n\n{block}\n{more}</details>\n\n"));
    }
}

fn heading(report: &Report, title: &str) -> String {
    let totals: Vec<String> = report
        .totals_in_words()
        .split(", ")
        .map(|part| {
            let lost = part.ends_with("to drop") || part.ends_with("to replace");
            if lost { format!("**{part}**") } else { part.to_owned() }
        })
        .collect();
    let place = match &report.place {
        Place::Account { account, role: None } => format!("account {}", markdown(account, NAME)),
        Place::Account { account, role: Some(role) } => {
            format!("account {} as role {}", markdown(account, NAME), markdown(role, NAME))
        }
        Place::Files { base, head } => format!(
            "Between two revisions of the files, from {} to {}. **The account was not asked**: what it holds may differ.",
            markdown(base, NAME),
            text(head, NAME)
        ),
    };
    let verdict = match report.problems.len() {
        0 => String::new(),
        number => format!(" · **{}: nothing can be deployed**", counted(number, "problem")),
    };
    format!("### {} · {}\n\n{place}{verdict}\n\n", inline(title), totals.join(", "))
}

fn problems(report: &Report) -> Vec<String> {
    let line = |problem: &super::report::Trouble| {
        let help: Vec<String> = problem.help.lines().map(|line| text(line, LINE)).collect();
        format!("- **{}** {}: {}\n", problem.code, text(&problem.message, LINE), help.join(" "))
    };
    report.problems.iter().map(line).collect()
}

/// Counted by kind, always; then one line each, as many as there is room for.
fn hazards(page: &mut Page, report: &Report, most: usize) {
    let mut kinds: BTreeMap<HazardKind, usize> = BTreeMap::new();
    for (_, kind, _) in report.hazards() {
        *kinds.entry(kind).or_default() += 1;
    }
    if kinds.is_empty() {
        return;
    }
    page.always("> [!CAUTION]\n");
    for (kind, number) in kinds {
        page.always(&format!("> - **{kind}** ({number}): {}\n", kind.meaning()));
    }
    page.always("\n");
    let lines: Vec<String> = report
        .hazards()
        .map(|(entry, kind, said)| {
            let users = entry.users.iter().filter(|_| kind == HazardKind::DropsImages);
            let users: String = users.take(5).map(|user| format!("; {}", text(user, LINE))).collect();
            format!("- **{kind}** {} {}{users}\n", markdown(&entry.name, NAME), text(said, LINE))
        })
        .collect();
    page.list(&lines, most * 6 / 10, "hazard");
    page.always("\n");
}

fn table(page: &mut Page, report: &Report, blob: Option<&str>) {
    let schemas = report.schemas.iter();
    let schemas =
        schemas.map(|(schema, _)| format!("| ➕ | schema {} | create | |\n", markdown(schema, NAME)));
    let rows: Vec<String> = schemas.chain(report.changed().map(|entry| row(entry, blob))).collect();
    if rows.is_empty() {
        return;
    }
    let head = "| | object | what | where |\n|---|---|---|---|\n";
    if page.left < RESERVED + head.len() + rows[0].len() {
        page.always(&format!("{} are left out here.\n\n", counted(rows.len(), "object")));
        return;
    }
    page.always(head);
    // Rows are worth more than what follows them, but not all of the room.
    let room = page.left * 6 / 10;
    let mut used = 0;
    let shown = rows
        .iter()
        .take_while(|row| {
            used += row.len();
            used <= room
        })
        .count()
        .max(1);
    rows[..shown].iter().for_each(|row| page.always(row));
    page.always("\n");
    if shown < rows.len() {
        page.always(&format!("… and {}\n\n", counted(rows.len() - shown, "more object")));
    }
}

fn row(entry: &Entry, blob: Option<&str>) -> String {
    let sign = match entry.action {
        Action::NoOp => " ",
        Action::Create => "➕",
        Action::Alter => "✏️",
        Action::Replace => "♻️",
        Action::Drop => "➖",
    };
    let mut what: Vec<String> = Vec::new();
    for difference in &entry.differences {
        let word = match difference {
            Difference::Value { field, .. } => field.clone(),
            Difference::Item { words, .. } => words.trim_end_matches(':').to_owned(),
        };
        if !what.contains(&word) {
            what.push(word);
        }
    }
    let fields: Vec<String> = what.iter().take(8).map(|word| text(word, NAME)).collect();
    let what = if fields.is_empty() { String::new() } else { format!(": {}", fields.join(", ")) };
    format!(
        "| {sign} | {} {} | {}{what} | {} |\n",
        entry.noun,
        markdown(&entry.name, NAME),
        entry.action.name(),
        place(&entry.at, blob)
    )
}

/// A place, linked where the address of the files is known.
fn place(range: &Range, blob: Option<&str>) -> String {
    let shown = markdown(&format!("{}:{}", range.path, range.line), NAME);
    match blob {
        Some(blob) => format!("[{shown}]({blob}/{}#L{})", super::sarif::uri(&range.path), range.line),
        None => shown,
    }
}

/// The lines of a `diff` block: the marks stand in the first column, where renderers look for them.
fn differences(report: &Report) -> Vec<String> {
    let clip = |text: &str| escape::clipped(&visible(text), LINE);
    let mut lines = Vec::new();
    for entry in report.changed() {
        let sign = match entry.action {
            Action::NoOp => ' ',
            Action::Create => '+',
            Action::Alter | Action::Replace => '!',
            Action::Drop => '-',
        };
        lines.push(format!("{sign} {}", clip(&entry.title())));
        // That something new is not there yet, or that something dropped was asked for, is said by its action.
        if let Some(why) =
            entry.why.as_ref().filter(|_| matches!(entry.action, Action::Alter | Action::Replace))
        {
            lines.push(format!("!     {}", clip(why)));
        }
        for difference in &entry.differences {
            match difference {
                Difference::Item { sign, words, text } => {
                    let mark = match sign {
                        Sign::Added => '+',
                        Sign::Removed => '-',
                        Sign::Kept => ' ',
                    };
                    lines.push(format!("{mark}     {words} {}", clip(text)));
                }
                Difference::Value { field, before: Some(before), after: Some(after), at: _ }
                    if difference::is_long(before, after) && !before.is_empty() =>
                {
                    lines.push(format!("      {}:", clip(field)));
                    let changed = difference::lines(before, after);
                    lines.extend(changed.iter().map(|line| {
                        let sign = if line.sign == '@' { ' ' } else { line.sign };
                        format!("{sign}       {}", clip(&line.text))
                    }));
                }
                Difference::Value { field, before, after, at: _ } => {
                    let line =
                        |mark: char, value: &str| format!("{mark}     {}: \"{}\"", clip(field), clip(value));
                    lines.extend(before.as_ref().map(|before| line('-', before)));
                    lines.extend(after.as_ref().map(|after| line('+', after)));
                }
            }
        }
    }
    lines
}

fn statements(report: &Report) -> Vec<String> {
    let mut lines = Vec::new();
    let schemas = report.schemas.iter().map(|(_, statement)| statement);
    for statement in schemas.chain(report.changed().flat_map(|entry| &entry.statements)) {
        if let Some(role) = &statement.role {
            lines.push(format!("-- as role {}", escape::clipped(&visible(role), NAME)));
        }
        lines.push(format!("{};", escape::clipped(&visible(&statement.sql), LINE)));
    }
    lines
}

/// What comes before what, where anything does.
fn graph(page: &mut Page, report: &Report) {
    let shown: Vec<&Entry> = report.entries.iter().collect();
    let index: BTreeMap<&str, usize> =
        shown.iter().enumerate().map(|(at, entry)| (entry.entity.as_str(), at)).collect();
    let edges: Vec<(usize, usize)> = shown
        .iter()
        .enumerate()
        .flat_map(|(to, entry)| {
            entry.depends_on.iter().filter_map(|key| index.get(key.as_str())).map(move |from| (*from, to))
        })
        .collect();
    if edges.is_empty() {
        return;
    }
    let mut nodes: Vec<usize> = edges.iter().flat_map(|(from, to)| [*from, *to]).collect();
    nodes.sort_unstable();
    nodes.dedup();
    if nodes.len() > NODES {
        return;
    }
    let mut lines = vec!["graph LR".to_owned()];
    for node in nodes {
        let entry = shown[node];
        lines.push(format!("  n{node}[\"{} {}\"]", entry.action.name(), mermaid(&entry.name, NAME)));
    }
    lines.extend(edges.iter().map(|(from, to)| format!("  n{from} --> n{to}")));
    page.folded("What comes before what", "mermaid", &lines);
}

fn notes(page: &mut Page, report: &Report) {
    let advice = report.advice.iter().map(|(message, commands)| {
        let commands: Vec<String> = commands.iter().map(|command| markdown(command, LINE)).collect();
        format!("- {} {}\n", text(message, LINE), commands.join(" "))
    });
    let advice: Vec<String> = advice.collect();
    page.list(&advice, page.left, "note");
    let lines: Vec<String> =
        report.notes.iter().map(|(said, _)| format!("- {}\n", text(said, NAME))).collect();
    page.list(&lines, page.left, "note");
}

fn inline(title: &str) -> String {
    text(title, NAME)
}
