//! What an editor waits for, measured with the real language server: `cargo bench --bench editor`. The limits are in the
//! comments beside each line; the whole way counts, from the keystroke that is sent to the answer that is read.
#![expect(clippy::print_stdout, reason = "a benchmark's result is what it prints")]

#[expect(dead_code, reason = "the tests use more of it")]
#[path = "../tests/support/editor.rs"]
mod editor;

use editor::{Editor, at};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::time::{Duration, Instant};

const URI: &str = "file:///nowhere/snowflake.yml";

fn definition(entities: usize) -> String {
    let mut text = String::from("definition_version: 2\nenv:\n  stage: dev\nentities:\n");
    for number in 0..entities {
        let _ = write!(
            text,
            "  repository_number_{number}:\n    type: image-repository\n    identifier:\n      name: repository_{number}\n      \
             schema: core\n      database: production\n"
        );
    }
    text
}

/// The middle and the longest of several times.
fn times(mut all: Vec<Duration>) -> String {
    all.sort();
    format!("{:?} (at most {:?})", all[all.len() / 2], all[all.len() - 1])
}

/// Types letters behind a text, one after the other, and waits for the diagnostics of each.
fn keystrokes(
    editor: &mut Editor,
    version: &mut i64,
    line: u32,
    column: u32,
    letters: &str,
) -> Vec<Duration> {
    let mut taken = Vec::new();
    for (at, letter) in letters.chars().enumerate() {
        let column = column + u32::try_from(at).unwrap_or(0);
        let place = json!({ "line": line, "character": column });
        let change = json!({ "range": { "start": place, "end": place }, "text": letter.to_string() });
        *version += 1;
        let document = json!({ "uri": URI, "version": *version });
        let started = Instant::now();
        editor.notify(
            "textDocument/didChange",
            json!({ "textDocument": document, "contentChanges": [change] }),
        );
        editor.diagnostics(URI, *version);
        taken.push(started.elapsed());
    }
    taken
}

fn answer(editor: &mut Editor, method: &str, params: &Value) -> Duration {
    let started = Instant::now();
    editor.result(method, params.clone());
    started.elapsed()
}

fn measure(entities: usize, limit: &str) {
    let text = definition(entities);
    println!("{entities} entities, {} kB", text.len() / 1000);
    let mut editor = Editor::start();
    let started = Instant::now();
    editor.open(URI, &text);
    editor.diagnostics(URI, 1);
    println!("  opened, diagnostics after {:?}", started.elapsed());
    // In the middle, behind `schema: core` and then at the start of a line that breaks the YAML for a while.
    let middle = 4 + 6 * u32::try_from(entities / 2).unwrap_or(0);
    let mut version = 1;
    let typed = keystrokes(&mut editor, &mut version, middle + 4, 18, "_and_some_more_letters");
    println!("  diagnostics after a keystroke: {} (limit {limit})", times(typed));
    let wrong = keystrokes(&mut editor, &mut version, middle + 1, 26, "_and_a_type_that_is_none");
    println!("  the same with a mistake to tell: {}", times(wrong));
    let broken = keystrokes(&mut editor, &mut version, middle + 5, 8, " [ 'x");
    println!("  the same where it is no YAML: {}", times(broken));
    let place = at(URI, middle + 3, 6);
    println!(
        "  hover there, the first after a change: {:?}",
        answer(&mut editor, "textDocument/hover", &place)
    );
    let document = json!({ "textDocument": { "uri": URI } });
    let start = json!({ "line": middle, "character": 0 });
    let end = json!({ "line": middle + 60, "character": 0 });
    let screen = json!({ "textDocument": { "uri": URI }, "range": { "start": start, "end": end } });
    for (method, params) in [
        ("hover", &place),
        ("completion", &place),
        (
            "references",
            &json!({ "textDocument": place["textDocument"], "position": at(URI, middle, 4)["position"], "context": { "includeDeclaration": true } }),
        ),
        ("inlayHint", &screen),
        ("documentSymbol", &document),
        ("foldingRange", &document),
    ] {
        println!("  {method}: {:?}", answer(&mut editor, &format!("textDocument/{method}"), params));
    }
    editor.goodbye();
}

fn main() {
    measure(20, "5 ms");
    measure(10_000, "100 ms");
}
