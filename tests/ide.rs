//! What an editor can ask, as cases: `tests/cases/ide/*.case`.
//!
//! The first line is the question (`hover`, `complete`, `definition`, `references`, `rename NEW`, `hints`, `symbols`,
//! `folds`, `fix`, `fix-all`), with `NAME=VALUE` for what the environment holds. Files begin with `# file: NAME`; `$0`
//! stands where the cursor is. Below `# answer` stands what comes back; `SNOWFORM_BLESS=1` writes it anew, to be read
//! before it is committed.
#![expect(clippy::unwrap_used, reason = "an unwrap that fails is a test that fails")]

use snowform::definition::Variables;
use snowform::ide::{
    Analysis, Edit, Role, Text, Texts, complete, fix, folding, goto, hints, hover, rename, symbols,
};
use snowform::source::span::{FileId, Span};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const ANSWER: &str = "# answer\n";

/// What cases have in their environment under names of secrets; no answer may hold it.
const SECRET: &str = "hunter2";

struct Case {
    question: String,
    variables: Variables,
    texts: BTreeMap<String, String>,
    /// The file and the byte of the cursor.
    cursor: Option<(String, usize)>,
}

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/ide");
    let mut found: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.sort();
    found
}

fn parse(text: &str) -> Case {
    let (head, files) = text.split_once('\n').unwrap();
    let (outside, question): (Vec<&str>, Vec<&str>) = head.split(' ').partition(|word| word.contains('='));
    let pair =
        |word: &&str| word.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned())).unwrap();
    let variables = Variables { system: outside.iter().map(pair).collect(), ..Variables::default() };
    let mut cursor = None;
    let texts = files.split("# file: ").skip(1).map(|file| {
        let (name, marked) = file.split_once('\n').unwrap();
        if let Some(at) = marked.find("$0") {
            cursor = Some((name.to_owned(), at));
        }
        (name.to_owned(), marked.replacen("$0", "", 1))
    });
    let texts = texts.collect();
    Case { question: question.join(" "), variables, texts, cursor }
}

fn analyse(texts: &BTreeMap<String, String>, variables: Variables) -> Analysis {
    let text = |role: Role| {
        let path = role.file_name().to_owned();
        texts.get(&path).map(|text| Text { path, text: text.clone() })
    };
    let definition = text(Role::Definition).expect("a case has a snowflake.yml");
    let texts = Texts { definition, local: text(Role::Local), overlay: text(Role::Overlay) };
    Analysis::new(texts, Arc::new(variables))
}

fn answer(case: Case) -> String {
    let Case { question, variables, texts, cursor } = case;
    let analysis = analyse(&texts, variables);
    let (name, offset) = cursor.unwrap_or((Role::Definition.file_name().to_owned(), 0));
    let file = analysis.file(Role::of(&name).unwrap()).unwrap();
    let offset = u32::try_from(offset).unwrap();
    let (verb, argument) = question.split_once(' ').unwrap_or((&question, ""));
    match verb {
        "hover" => match hover::hover(&analysis, file, offset) {
            Some(hover) => format!("{}\n{}\n", place(&analysis, hover.span), hover.markdown),
            None => "nothing\n".to_owned(),
        },
        "complete" => {
            completions(&analysis, &complete::complete(&analysis, file, offset).items, file, offset)
        }
        "definition" => places(&analysis, &goto::definition(&analysis, file, offset)),
        "references" => places(&analysis, &goto::references(&analysis, file, offset, true)),
        "rename" => match (
            rename::prepare(&analysis, file, offset),
            rename::rename(&analysis, file, offset, argument),
        ) {
            (Ok(what), Ok(edits)) => {
                format!("{}\n{}", place(&analysis, what.span), edited(&texts, &analysis, &edits))
            }
            (_, Err(why)) => format!("refused: {why}\n"),
            (Err(why), _) => format!("not to be renamed: {why}\n"),
        },
        "hints" => hinted(&analysis, file),
        "symbols" => outline(&analysis, &symbols::symbols(&analysis, file), 0),
        "folds" => folded(&analysis, file),
        "fix" => {
            let all = fix::fixes(&analysis, file, offset..offset).into_iter();
            all.map(|found| format!("{}\n{}", found.title, edited(&texts, &analysis, &[found.edit])))
                .collect()
        }
        "fix-all" => edited(&texts, &analysis, &fix::fix_all(&analysis, file)),
        other => panic!("{other} is no question"),
    }
}

fn place(analysis: &Analysis, span: Span) -> String {
    let files = analysis.files();
    let start = files.start(span);
    format!("{}:{}:{} `{}`", files.path(span.file), start.line, start.column, files.slice(span))
}

fn places(analysis: &Analysis, spans: &[Span]) -> String {
    spans.iter().map(|span| format!("{}\n", place(analysis, *span))).collect()
}

fn completions(analysis: &Analysis, items: &[complete::Item], file: FileId, offset: u32) -> String {
    let mut out = String::new();
    for complete::Item { label, sort, detail, doc, snippet, span } in items {
        assert!(
            span.file == file && span.start <= offset && offset <= span.end,
            "{label} does not stand at the cursor"
        );
        let replaced = analysis.files().slice(*span);
        let _ = write!(out, "{sort:?} {label}");
        for (mark, text) in [(": ", detail.as_str()), (" // ", doc.lines().next().unwrap_or(""))] {
            if !text.is_empty() {
                let _ = write!(out, "{mark}{text}");
            }
        }
        let _ = writeln!(out, "\n    {replaced:?} → {snippet:?}");
    }
    out
}

fn edited(texts: &BTreeMap<String, String>, analysis: &Analysis, edits: &[Edit]) -> String {
    let mut out = String::new();
    for (name, text) in texts {
        let file = analysis.file(Role::of(name).unwrap()).unwrap();
        let mut text = text.clone();
        let mut here: Vec<&Edit> = edits.iter().filter(|edit| edit.span.file == file).collect();
        here.sort_by_key(|edit| edit.span);
        for edit in here.iter().rev() {
            text.replace_range(edit.span.start as usize..edit.span.end as usize, &edit.text);
        }
        if !here.is_empty() {
            let _ = write!(out, "# becomes: {name}\n{text}");
        }
    }
    out
}

fn hinted(analysis: &Analysis, file: FileId) -> String {
    let mut text = analysis.files().text(file).to_owned();
    let end = u32::try_from(text.len()).unwrap();
    for hint in hints::hints(analysis, file, 0..end).iter().rev() {
        text.insert_str(hint.offset as usize, &format!(" ‹{}›", hint.label));
    }
    text
}

fn outline(analysis: &Analysis, symbols: &[symbols::Symbol], depth: usize) -> String {
    let mut out = String::new();
    for symbols::Symbol { name, detail, sort, span, key, children } in symbols {
        let files = analysis.files();
        assert!(span.start <= key.start && key.end <= span.end, "{name} is around its key");
        let (first, last) = (files.start(*span).line, files.position(span.file, span.end).line);
        let _ = writeln!(out, "{:1$}{sort:?} {name} ({detail}) {first}-{last}", "", depth * 2);
        out.push_str(&outline(analysis, children, depth + 1));
    }
    out
}

fn folded(analysis: &Analysis, file: FileId) -> String {
    let folds = folding::folds(analysis, file).into_iter();
    folds
        .map(|fold| {
            format!("{}-{}{}\n", fold.first + 1, fold.last + 1, if fold.comment { " comment" } else { "" })
        })
        .collect()
}

#[test]
fn answers_are_as_written() {
    let bless = std::env::var_os("SNOWFORM_BLESS").is_some();
    let mut wrong = Vec::new();
    let cases = cases();
    assert!(cases.len() > 20, "the cases are not here");
    for path in cases {
        let text = fs::read_to_string(&path).unwrap();
        let asked = text.split(ANSWER).next().unwrap();
        let answer = answer(parse(asked));
        assert!(!answer.contains(SECRET), "{} tells a secret: {answer}", path.display());
        let expected = format!("{asked}{ANSWER}{answer}");
        if expected != text {
            if bless {
                fs::write(&path, &expected).unwrap();
            }
            wrong.push(format!("{}\n{expected}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "these differ; this came back:\n\n{}", wrong.join("\n\n"));
}

/// Every question at every place of a text that may be broken anywhere: nothing panics, and what comes back stands in
/// the text.
fn ask_everything(texts: &BTreeMap<String, String>) {
    let analysis = analyse(texts, Variables::default());
    for name in texts.keys() {
        let file = analysis.file(Role::of(name).unwrap()).unwrap();
        let text = analysis.files().text(file).to_owned();
        let end = u32::try_from(text.len()).unwrap();
        let within = |span: Span| {
            analysis.files().text(span.file).get(span.start as usize..span.end as usize).is_some()
        };
        for hint in hints::hints(&analysis, file, 0..end) {
            assert!(text.is_char_boundary(hint.offset as usize));
        }
        symbols::symbols(&analysis, file);
        folding::folds(&analysis, file);
        fix::fix_all(&analysis, file);
        for (offset, _) in text.char_indices().chain([(text.len(), ' ')]) {
            let offset = u32::try_from(offset).unwrap();
            for item in complete::complete(&analysis, file, offset).items {
                assert!(
                    within(item.span) && item.span.start <= offset && offset <= item.span.end,
                    "{item:?}"
                );
            }
            assert!(hover::hover(&analysis, file, offset).is_none_or(|hover| within(hover.span)));
            assert!(goto::definition(&analysis, file, offset).into_iter().all(within));
            let _ = rename::prepare(&analysis, file, offset);
        }
    }
}

#[test]
fn every_place_of_every_case_can_be_asked() {
    for path in cases() {
        let text = fs::read_to_string(&path).unwrap();
        ask_everything(&parse(text.split(ANSWER).next().unwrap()).texts);
    }
}

#[test]
fn every_place_of_every_prefix_of_the_example_can_be_asked() {
    let example =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("snowflake.yml.example")).unwrap();
    for (end, _) in example.char_indices().filter(|(end, _)| end % 7 == 0) {
        ask_everything(&BTreeMap::from([("snowflake.yml".to_owned(), example[..end].to_owned())]));
    }
}

/// Of very many names only those are sent that go on with what is written, and the editor knows to ask again.
#[test]
fn a_long_list_is_cut_and_says_so() {
    let entities: String = (0..3_000).map(|n| format!("  e{n}:\n    type: image-repository\n")).collect();
    let ask = |word: &str| {
        let definition = format!(
            "definition_version: 2\nentities:\n{entities}  last:\n    type: image-repository\n    meta:\n      depends_on: [{word}"
        );
        let offset = u32::try_from(definition.len()).unwrap();
        let analysis =
            analyse(&BTreeMap::from([("snowflake.yml".to_owned(), definition)]), Variables::default());
        complete::complete(&analysis, analysis.file(Role::Definition).unwrap(), offset)
    };
    let all = ask("");
    assert_eq!((all.items.len(), all.is_whole), (1_000, false));
    let some = ask("e299");
    let labels: Vec<&str> = some.items.iter().map(|item| item.label.as_str()).collect();
    assert_eq!(
        (labels[..3].to_vec(), labels.len(), some.is_whole),
        (vec!["e299", "e2990", "e2991"], 11, false)
    );
}

/// What is renamed is renamed everywhere: nothing is wrong afterwards that was not before. (What was wrong with the old
/// name may be right.)
#[test]
fn a_rename_breaks_nothing() {
    let mut renamed = 0;
    for path in cases() {
        let text = fs::read_to_string(&path).unwrap();
        let Case { texts, variables, .. } = parse(text.split(ANSWER).next().unwrap());
        let before = analyse(&texts, variables.clone());
        let codes = |analysis: &Analysis| {
            analysis.diagnostics().iter().map(|found| found.rule.code).collect::<Vec<_>>()
        };
        for name in texts.keys() {
            let file = before.file(Role::of(name).unwrap()).unwrap();
            for offset in 0..u32::try_from(texts[name].len()).unwrap() {
                let Ok(edits) = rename::rename(&before, file, offset, "quite_new") else { continue };
                let after: BTreeMap<String, String> = texts
                    .iter()
                    .map(|(name, text)| {
                        let file = before.file(Role::of(name).unwrap()).unwrap();
                        let mut text = text.clone();
                        for edit in edits.iter().rev().filter(|edit| edit.span.file == file) {
                            text.replace_range(edit.span.start as usize..edit.span.end as usize, &edit.text);
                        }
                        (name.clone(), text)
                    })
                    .collect();
                let after = analyse(&after, variables.clone());
                let mut had = codes(&before);
                for code in codes(&after) {
                    let known = had.iter().position(|known| *known == code);
                    let known = known.unwrap_or_else(|| panic!("{code}: {} {name} {offset}", path.display()));
                    had.remove(known);
                }
                renamed += 1;
            }
        }
    }
    assert!(renamed > 100, "{renamed} places could be renamed");
}
