//! Definitions with the mistakes marked under the text: `tests/cases/check/*.yml`, or a folder for several files.
//!
//! A mark is a comment below its line, `# ^^^ error[code]: message`; the carets cover the columns of the mistake, and
//! `#<^` reaches the first column. What is marked is what is found, no more and no less. A new case is a new file; with
//! `SNOWFORM_BLESS=1` the marks are written anew, to be read before they are committed.
#![expect(clippy::unwrap_used, reason = "an unwrap that fails is a test that fails")]

use snowform::check;
use snowform::definition::{Inputs, Variables};
use snowform::source::diagnostic::{Diagnostic, Severity};
use snowform::source::files::Files;
use snowform::source::span::FileId;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/check");
    let mut found: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.sort();
    found
}

/// The texts of a case, by the name that each has in a project.
fn texts(case: &Path) -> BTreeMap<String, (PathBuf, String)> {
    let read = |path: PathBuf| (path.clone(), fs::read_to_string(path).unwrap());
    if case.is_file() {
        return BTreeMap::from([("snowflake.yml".to_owned(), read(case.to_owned()))]);
    }
    let files = fs::read_dir(case).unwrap().map(|entry| entry.unwrap().path());
    files.map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), read(path))).collect()
}

struct Checked {
    files: Files,
    ids: BTreeMap<String, FileId>,
    found: Vec<Diagnostic>,
}

fn check_texts(texts: &BTreeMap<String, String>) -> Checked {
    let mut files = Files::default();
    let ids: BTreeMap<String, FileId> =
        texts.iter().map(|(name, text)| (name.clone(), files.add(name, text))).collect();
    let id = |name: &str| ids.get(name).copied();
    let inputs = Inputs {
        definition: id("snowflake.yml").expect("a case has a snowflake.yml"),
        local: id("snowflake.local.yml"),
        overlay: id("snowform.yml"),
        variables: &Variables::default(),
    };
    let found = check::check(&files, &inputs).diagnostics.sorted();
    Checked { files, ids, found }
}

fn is_mark(line: &str) -> bool {
    let tail = line.trim_start().strip_prefix('#').unwrap_or("x").trim_start_matches('<').trim_start();
    tail.starts_with('^')
}

fn without_marks(text: &str) -> String {
    text.split_inclusive('\n').filter(|line| !is_mark(line)).collect()
}

/// The text with a mark below the line of every mistake.
fn marked(text: &str, file: FileId, checked: &Checked) -> String {
    let mut marks: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    for found in checked.found.iter().filter(|found| found.primary.span.file == file) {
        let span = found.primary.span;
        let (start, end) = (checked.files.start(span), checked.files.position(file, span.end));
        let width = if end.line == start.line { end.column.saturating_sub(start.column).max(1) } else { 1 };
        let carets = "^".repeat(width);
        let place = match start.column {
            1 => format!("#<{}", &carets[1.min(carets.len() - 1)..]),
            2 => format!("#{carets}"),
            column => format!("#{}{carets}", " ".repeat(column - 2)),
        };
        let place = if place.ends_with('<') { "#<^".to_owned() } else { place };
        let severity = match found.rule.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let message = found.message.replace('\n', "\\n");
        marks
            .entry(start.line)
            .or_default()
            .push(format!("{place} {severity}[{}]: {message}\n", found.rule.code));
    }
    let mut out = String::new();
    let mut last = 0;
    for (at, line) in text.split_inclusive('\n').enumerate() {
        out.push_str(line);
        last = at + 1;
        if let Some(found) = marks.remove(&last) {
            if !line.ends_with('\n') {
                out.push('\n');
            }
            found.iter().for_each(|mark| out.push_str(mark));
        }
    }
    for (line, found) in marks {
        assert!(line > last, "a mark on no line");
        found.iter().for_each(|mark| out.push_str(mark));
    }
    out
}

#[test]
fn mistakes_are_found_where_they_are_marked() {
    let bless = std::env::var_os("SNOWFORM_BLESS").is_some();
    let mut wrong = Vec::new();
    for case in cases() {
        let on_disk = texts(&case);
        let bare = on_disk.iter().map(|(name, (_, text))| (name.clone(), without_marks(text))).collect();
        let checked = check_texts(&bare);
        for (name, (path, text)) in &on_disk {
            let expected = marked(&bare[name], checked.ids[name], &checked);
            if expected != *text {
                if bless {
                    fs::write(path, &expected).unwrap();
                }
                wrong.push(format!("{}\n{expected}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "these differ; this is what was found:\n\n{}", wrong.join("\n\n"));
}

#[test]
fn every_diagnostic_has_a_way_out_and_a_place_in_its_file() {
    for case in cases() {
        let bare = texts(&case).into_iter().map(|(name, (_, text))| (name, without_marks(&text))).collect();
        let checked = check_texts(&bare);
        for found in &checked.found {
            let span = found.primary.span;
            assert!(
                span.end as usize <= checked.files.text(span.file).len(),
                "{}: {found:?}",
                case.display()
            );
            assert!(
                found.help.as_ref().is_some_and(|help| !help.is_empty()),
                "{}: {found:?}",
                case.display()
            );
        }
    }
}

#[test]
fn no_prefix_of_a_case_panics() {
    for case in cases() {
        let mut bare: BTreeMap<String, String> =
            texts(&case).into_iter().map(|(name, (_, text))| (name, without_marks(&text))).collect();
        let whole = bare["snowflake.yml"].clone();
        for (end, _) in whole.char_indices() {
            bare.insert("snowflake.yml".to_owned(), whole[..end].to_owned());
            check_texts(&bare);
        }
    }
}

/// The texts of a rule's example, by name.
fn example(text: &str) -> BTreeMap<String, String> {
    let mut parts = text.split("# file: ");
    let mut texts = BTreeMap::from([("snowflake.yml".to_owned(), parts.next().unwrap().to_owned())]);
    for part in parts {
        let (name, text) = part.split_once('\n').unwrap();
        texts.insert(name.to_owned(), text.to_owned());
    }
    texts
}

#[test]
fn explanations_are_true() {
    for rule in snowform::rule::all() {
        // Names are completed when the connection is known, so this one is not found before.
        if rule.code == "incomplete-name" {
            continue;
        }
        let bad = check_texts(&example(rule.bad)).found;
        assert!(bad.iter().any(|found| found.rule == rule), "the bad example of {} shows {bad:?}", rule.code);
        let good = check_texts(&example(rule.good)).found;
        assert!(good.is_empty(), "the good example of {} shows {good:?}", rule.code);
    }
}

#[test]
fn aliases_of_aliases_do_not_multiply() {
    let mut text = String::from("definition_version: 2\nenv:\n  e0: &e0 [x, x]\n");
    for i in 1..60 {
        writeln!(text, "  e{i}: &e{i} [*e{before}, *e{before}]", before = i - 1).unwrap();
    }
    let checked = check_texts(&BTreeMap::from([("snowflake.yml".to_owned(), text)]));
    assert_eq!(checked.found.len(), 60, "every one of them is a list, and that is said once");
}
