//! What is said when: several files, the disk, edits, and what is not in order.

use crate::editor::{Editor, at, capabilities, uri};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;

const VALID: &str = "definition_version: 2\nentities:\n  repo:\n    type: image-repository\n";

fn codes(diagnostics: &[Value]) -> Vec<&str> {
    diagnostics.iter().map(|found| found["code"].as_str().unwrap()).collect()
}

#[test]
fn files_that_are_not_open_are_read_watched_and_told_of() {
    let folder = tempfile::tempdir().unwrap();
    let (definition, overlay) =
        (uri(&folder.path().join("snowflake.yml")), uri(&folder.path().join("snowform.yml")));
    let mut editor = Editor::start();
    editor.wait_until(|editor| editor.asked.iter().any(|asked| asked.method == "client/registerCapability"));
    let watchers = &editor.asked[0].params["registrations"][0]["registerOptions"]["watchers"];
    assert_eq!(watchers.as_array().unwrap().len(), 3);

    editor.open(&definition, VALID);
    assert_eq!(codes(&editor.diagnostics(&definition, 1)), [""; 0]);

    // Somebody else writes a file that names an entity that does not exist.
    fs::write(folder.path().join("snowform.yml"), "entities:\n  rep:\n    comment: x\n").unwrap();
    let changed = |uri: &str| json!({ "changes": [{ "uri": uri, "type": 2 }] });
    editor.notify("workspace/didChangeWatchedFiles", changed(&overlay));
    editor.wait_until(|editor| editor.published.contains_key(&overlay));
    assert_eq!(codes(&editor.published[&overlay].1), ["unknown-entity"]);

    // The definition gets that entity, unsaved: the mistake in the other file is gone.
    editor.change(&definition, 2, &VALID.replace("repo:", "rep:"));
    editor.wait_until(|editor| editor.published[&overlay].1.is_empty());

    // The other file becomes unreadable, and that is said of it.
    fs::write(folder.path().join("snowform.yml"), b"entities: \xff\n").unwrap();
    editor.notify("workspace/didChangeWatchedFiles", changed(&overlay));
    editor.wait_until(|editor| !editor.published[&overlay].1.is_empty());
    assert_eq!(codes(&editor.published[&overlay].1), ["unreadable-file"]);

    // It is removed, and then the editor loses interest.
    fs::write(folder.path().join("snowform.yml"), "entitys: {}\n").unwrap();
    editor.notify("workspace/didChangeWatchedFiles", changed(&overlay));
    editor.wait_until(|editor| codes(&editor.published[&overlay].1) == ["unknown-key"]);
    editor.close(&definition);
    editor.wait_until(|editor| editor.published[&overlay].1.is_empty());
    editor.goodbye();
}

#[test]
fn a_local_file_alone_is_told_what_it_lacks() {
    let folder = tempfile::tempdir().unwrap();
    let local = uri(&folder.path().join("snowflake.local.yml"));
    let mut editor = Editor::start();
    editor.open(&local, "env:\n  stage: x\n");
    assert_eq!(codes(&editor.diagnostics(&local, 1)), ["no-definition"]);
    assert_eq!(editor.result("textDocument/hover", at(&local, 0, 1)), Value::Null);
    // The definition is opened beside it, and it is well.
    let definition = uri(&folder.path().join("snowflake.yml"));
    editor.open(&definition, VALID);
    editor.wait_until(|editor| editor.published[&local].1.is_empty());
    let hover = editor.result("textDocument/hover", at(&local, 1, 3));
    assert!(hover["contents"]["value"].as_str().unwrap().contains("ctx.env.stage"), "{hover}");
    editor.goodbye();
}

#[test]
fn names_change_in_all_files_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let (definition, local) =
        (uri(&folder.path().join("snowflake.yml")), uri(&folder.path().join("snowflake.local.yml")));
    fs::write(folder.path().join("snowflake.local.yml"), "entities:\n  repo:\n    meta: {role: me}\n")
        .unwrap();
    let mut editor = Editor::start();
    editor.open(&definition, VALID);
    let prepared = editor.result("textDocument/prepareRename", at(&definition, 2, 4));
    assert_eq!(prepared["placeholder"], "repo");
    let mut params = at(&definition, 2, 4);
    params["newName"] = json!("images");
    let edit = editor.result("textDocument/rename", params.clone());
    let changes = edit["documentChanges"].as_array().unwrap();
    let documents: Vec<(&str, &Value)> = changes
        .iter()
        .map(|change| (change["textDocument"]["uri"].as_str().unwrap(), &change["textDocument"]["version"]))
        .collect();
    assert_eq!(documents, [(definition.as_str(), &json!(1)), (local.as_str(), &Value::Null)]);
    for change in changes {
        assert_eq!(change["edits"].as_array().unwrap().len(), 1);
        assert_eq!(change["edits"][0]["newText"], "images");
    }
    // A name that cannot be is refused in words.
    params["newName"] = json!("a b");
    let (_, message) = editor.ask("textDocument/rename", params).unwrap_err();
    assert!(message.contains("`a b` is no name"), "{message}");
    editor.goodbye();
}

#[test]
fn an_editor_that_knows_little_gets_what_it_knows() {
    let mut editor = Editor::start_with(&json!({}), &[], &BTreeMap::new());
    let address = "file:///nowhere/snowflake.yml";
    editor.open(address, &VALID.replace("image-repository", "image-repositry"));
    let found = editor.diagnostics(address, 1);
    assert_eq!(codes(&found), ["unknown-type"]);
    let document = json!({ "uri": address });
    let symbols = editor.result("textDocument/documentSymbol", json!({ "textDocument": document }));
    assert_eq!(symbols[2]["containerName"], "entities", "{symbols}");
    let range = &found[0]["range"];
    let context = json!({ "diagnostics": found });
    let params = json!({ "textDocument": document, "range": range, "context": context });
    let actions = editor.result("textDocument/codeAction", params);
    assert_eq!(actions[0]["edit"]["changes"][address][0]["newText"], "image-repository", "{actions}");
    // No snippets: a place for the cursor is left out.
    editor.change(address, 2, "definition_version: 2\nent");
    let items = editor.result("textDocument/completion", at(address, 1, 3));
    let entities =
        items["items"].as_array().unwrap().iter().find(|item| item["label"] == "entities").unwrap();
    assert_eq!(entities["textEdit"]["newText"], "entities:\n  ", "{entities}");
    assert_eq!(entities["insertTextFormat"], Value::Null);
    editor.goodbye();
}

#[test]
fn everything_that_can_be_mended_is_mended_at_once() {
    let mut editor = Editor::start();
    let address = "file:///nowhere/snowflake.yml";
    let text = "definition_version: 2.0\nentities:\n  repo:\n    type: image-repositry\n";
    editor.open(address, text);
    let context = json!({ "diagnostics": [], "only": ["source.fixAll"] });
    let nowhere = json!({ "start": { "line": 0, "character": 0 }, "end": { "line": 0, "character": 0 } });
    let params = json!({ "textDocument": { "uri": address }, "range": nowhere, "context": context });
    let actions = editor.result("textDocument/codeAction", params);
    assert_eq!(actions.as_array().unwrap().len(), 1, "{actions}");
    assert_eq!(actions[0]["kind"], "source.fixAll.snowform");
    let edits = actions[0]["edit"]["documentChanges"][0]["edits"].as_array().unwrap();
    let texts: Vec<&str> = edits.iter().map(|edit| edit["newText"].as_str().unwrap()).collect();
    assert_eq!(texts, ["2", "image-repository"]);
    editor.goodbye();
}

#[test]
fn formatting_replaces_the_lines_that_differ() {
    let mut editor = Editor::start();
    let address = "file:///nowhere/snowflake.yml";
    editor.open(
        address,
        "definition_version: 2\nentities:\n    repo:\n        type:   image-repository\nenv: {}\n",
    );
    let options = json!({ "tabSize": 2, "insertSpaces": true });
    let params = json!({ "textDocument": { "uri": address }, "options": options });
    let edits = editor.result("textDocument/formatting", params.clone());
    assert_eq!(edits[0]["newText"], "  repo:\n    type: image-repository\n");
    let range = &edits[0]["range"];
    assert_eq!((&range["start"]["line"], &range["end"]["line"]), (&json!(2), &json!(4)));
    editor.change(address, 2, VALID);
    assert_eq!(editor.result("textDocument/formatting", params), json!([]));
    editor.goodbye();
}

#[test]
fn an_editor_that_asks_for_diagnostics_is_not_told_as_well() {
    let folder = tempfile::tempdir().unwrap();
    let address = |name: &str| uri(&folder.path().join(name));
    fs::write(folder.path().join("snowform.yml"), "entities:\n  rep: {}\n").unwrap();
    let mut able = capabilities();
    able["textDocument"]["diagnostic"] = json!({});
    able["workspace"]["diagnostics"] = json!({ "refreshSupport": true });
    able["workspace"]["inlayHint"] = json!({ "refreshSupport": true });
    let mut editor = Editor::start_with(&able, &[], &BTreeMap::new());
    let definition = address("snowflake.yml");
    editor.open(&definition, "entities: []\n");
    let document = json!({ "textDocument": { "uri": definition } });
    let report = editor.result("textDocument/diagnostic", document.clone());
    assert_eq!(report["kind"], "full");
    assert_eq!(codes(report["items"].as_array().unwrap()), ["definition-version", "wrong-shape"]);
    let mut again = document.clone();
    again["previousResultId"] = report["resultId"].clone();
    assert_eq!(editor.result("textDocument/diagnostic", again.clone())["kind"], "unchanged");
    // What nobody has open is told.
    editor.wait_until(|editor| editor.published.contains_key(&address("snowform.yml")));
    assert!(!editor.published.contains_key(&definition));
    // With two documents open, a change in one is news for the other.
    editor.open(&address("snowform.yml"), "entities:\n  repo: {}\n");
    editor.wait_until(|editor| {
        let asked = |method: &str| editor.asked.iter().any(|asked| asked.method == method);
        asked("workspace/diagnostic/refresh") && asked("workspace/inlayHint/refresh")
    });
    assert!(editor.published[&address("snowform.yml")].1.is_empty(), "it is left to the asking now");
    editor.change(&definition, 2, VALID);
    assert_eq!(editor.result("textDocument/diagnostic", again)["items"], json!([]));
    editor.goodbye();
}

#[test]
fn what_is_not_in_order_is_answered_in_order() {
    let mut editor = Editor::without_greeting(&[], &BTreeMap::new());
    let (code, _) = editor.ask("textDocument/hover", json!({})).unwrap_err();
    assert_eq!(code, -32002, "not initialized yet");
    editor.result("initialize", json!({ "processId": null, "rootUri": null, "capabilities": {} }));
    editor.notify("initialized", json!({}));
    assert_eq!(editor.ask("textDocument/nothing", json!({})).unwrap_err().0, -32601, "no such method");
    assert_eq!(
        editor.ask("textDocument/hover", json!({ "x": 1 })).unwrap_err().0,
        -32602,
        "no such parameters"
    );
    editor.notify("textDocument/didChange", json!([1]));
    editor.notify("$/unheardOf", json!({}));
    // Files that are none of ours, and places outside of the text.
    editor.open("file:///nowhere/other.yml", "a: [");
    assert_eq!(editor.result("textDocument/hover", at("file:///nowhere/other.yml", 0, 0)), Value::Null);
    editor.open("untitled:snowflake.yml", "a: [");
    editor.open("file:///nowhere/snowflake.yml", VALID);
    assert_eq!(
        editor.result("textDocument/hover", at("file:///nowhere/snowflake.yml", 999, 999)),
        Value::Null
    );
    let taken_back = editor.request("textDocument/hover", at("file:///nowhere/snowflake.yml", 0, 0));
    editor.notify("$/cancelRequest", json!({ "id": 9_999 }));
    assert!(editor.answer(&taken_back).is_ok());
    editor.goodbye();
}

#[test]
fn an_end_without_goodbye_is_a_failure() {
    let mut editor = Editor::start();
    editor.notify("exit", Value::Null);
    assert_eq!(editor.end(), Some(1));
    assert_eq!(Editor::start().end(), Some(1), "the editor is gone");
    assert_eq!(Editor::without_greeting(&[], &BTreeMap::new()).end(), Some(1), "and never said a word");
}

#[test]
fn the_environment_can_be_left_out() {
    let text = "definition_version: 2\nentities:\n  repo:\n    type: image-repository\n    identifier: x_<% ctx.env.STAGE %>\n";
    let address = "file:///nowhere/snowflake.yml";
    let environment = BTreeMap::from([("STAGE".to_owned(), "dev".to_owned())]);
    let value = |arguments: &[&str]| {
        let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        let mut editor = Editor::start_with(&capabilities(), &arguments, &environment);
        editor.open(address, text);
        codes(&editor.diagnostics(address, 1)).join(" ")
    };
    assert_eq!(value(&[]), "");
    assert_eq!(value(&["--no-os-env"]), "template-unknown");
    assert_eq!(value(&["--no-os-env", "--stdio", "--env", "STAGE=x"]), "");
}
