//! Columns in either encoding, and texts that change piece by piece.

use crate::editor::{Editor, at, capabilities};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const URI: &str = "file:///nowhere/snowflake.yml";
/// An umlaut has two bytes and one unit of UTF-16, the last letter of the alphabet in mathematical script four and two.
const TEXT: &str = "definition_version: 2\nentities:\n  repo:\n    type: image-repository\n    identifier: \"ä𝓏\" # Ü\n    ä𝓏: x\n";

fn start(encodings: &[&str]) -> Editor {
    let mut able = capabilities();
    able["general"]["positionEncodings"] = json!(encodings);
    let mut editor = Editor::start_with(&able, &[], &BTreeMap::new());
    editor.open(URI, TEXT);
    editor
}

fn columns(editor: &mut Editor) -> Vec<(u64, u64, u64)> {
    let found = editor.diagnostics(URI, 1);
    let number = |value: &Value| value.as_u64().unwrap();
    let places = found.iter().map(|found| &found["range"]);
    places
        .map(|range| {
            let (start, end) = (&range["start"], &range["end"]);
            (number(&start["line"]), number(&start["character"]), number(&end["character"]))
        })
        .collect()
}

#[test]
fn columns_are_bytes_where_the_editor_can_and_utf_16_where_not() {
    assert_eq!(columns(&mut start(&["utf-16", "utf-8"])), [(4, 16, 24), (5, 4, 10)]);
    assert_eq!(columns(&mut start(&["utf-16"])), [(4, 16, 21), (5, 4, 7)]);
    assert_eq!(columns(&mut start(&[])), [(4, 16, 21), (5, 4, 7)]);
}

#[test]
fn the_editor_s_columns_are_read_in_the_same_encoding() {
    for (encodings, behind) in [(vec!["utf-8"], 4 + 6 + 1), (vec!["utf-16"], 4 + 3 + 1)] {
        let mut editor = start(&encodings);
        // Behind the colon of the line with the strange key a template begins.
        let edit = json!({
            "range": {
                "start": { "line": 5, "character": behind },
                "end": { "line": 5, "character": behind + 2 },
            },
            "text": " <% ctx.",
        });
        let document = json!({ "uri": URI, "version": 2 });
        editor
            .notify("textDocument/didChange", json!({ "textDocument": document, "contentChanges": [edit] }));
        let items = editor.result("textDocument/completion", at(URI, 5, behind + 8));
        let labels: Vec<&str> =
            items["items"].as_array().unwrap().iter().map(|item| item["label"].as_str().unwrap()).collect();
        assert!(labels.contains(&"entities"), "{labels:?}");
    }
}

/// A generator of numbers, the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % most
    }
}

/// A place of a text in UTF-16.
fn place(text: &str, offset: usize) -> Value {
    let before = &text[..offset];
    let line = before.matches('\n').count();
    let start = before.rfind('\n').map_or(0, |end| end + 1);
    json!({ "line": line, "character": before[start..].encode_utf16().count() })
}

#[test]
fn pieces_add_up_to_the_text_of_the_editor() {
    let able = json!({ "textDocument": { "diagnostic": {} } });
    let mut editor = Editor::start_with(&able, &[], &BTreeMap::new());
    let (mut text, mut dice) = (crate::example(), Dice(7));
    editor.open(URI, &text);
    let pieces = ["", "x", "ä𝓏", ": ", "\n", "\n  - ", "[", "'", "  repo:\n    type: image-repository\n"];
    for version in 2..200_i64 {
        let mut changes = Vec::new();
        for _ in 0..=dice.below(3) {
            let boundaries: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
            let from = dice.below(boundaries.len());
            let to = (from + dice.below(12)).min(boundaries.len() - 1);
            let (start, end) = (boundaries[from], boundaries[to]);
            let piece = pieces[dice.below(pieces.len())];
            changes.push(json!({
                "range": { "start": place(&text, start), "end": place(&text, end) },
                "text": piece,
            }));
            text.replace_range(start..end, piece);
        }
        let document = json!({ "uri": URI, "version": version });
        editor
            .notify("textDocument/didChange", json!({ "textDocument": document, "contentChanges": changes }));
        let report = editor.result("textDocument/diagnostic", json!({ "textDocument": { "uri": URI } }));
        assert_eq!(crate::told(report["items"].as_array().unwrap()), crate::expected(&text), "{text}");
    }
    editor.goodbye();
}
