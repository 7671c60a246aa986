//! Server and command line say the same: of every case of the corpus, where it stands beside the project, and of every
//! case of `tests/cases/check`.

use crate::editor::{Editor, capabilities, uri};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const NAMES: [&str; 3] = ["snowflake.yml", "snowflake.local.yml", "snowform.yml"];

struct Case {
    name: String,
    files: BTreeMap<&'static str, Vec<u8>>,
    system: BTreeMap<String, String>,
    overrides: BTreeMap<String, String>,
}

fn files(folder: &Path) -> BTreeMap<&'static str, Vec<u8>> {
    NAMES.into_iter().filter_map(|name| Some((name, fs::read(folder.join(name)).ok()?))).collect()
}

fn own_cases() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/check");
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths
        .map(|path| Case {
            name: path.file_name().unwrap().to_str().unwrap().to_owned(),
            files: if path.is_dir() {
                files(&path)
            } else {
                BTreeMap::from([("snowflake.yml", fs::read(&path).unwrap())])
            },
            system: BTreeMap::new(),
            overrides: BTreeMap::new(),
        })
        .collect()
}

fn corpus() -> Vec<Case> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus");
    let Ok(verdicts) = fs::read_to_string(beside.join("verdicts.json")) else {
        return Vec::new();
    };
    let texts = |value: &Value| {
        let pairs = value.as_object().unwrap().iter();
        pairs.map(|(k, v)| (k.clone(), v.as_str().map_or_else(|| v.to_string(), ToOwned::to_owned))).collect()
    };
    let cases: Vec<Value> = serde_json::from_str(&verdicts).unwrap();
    let case = |case: &Value| {
        let id = case["id"].as_str().unwrap();
        Case {
            name: id.to_owned(),
            files: files(&beside.join("cases").join(id)),
            system: texts(&case["env"]),
            overrides: texts(&case["cli_env"]),
        }
    };
    cases.iter().map(case).collect()
}

/// One mistake, the same in either dress: file, bytes, severity, code, message, other places.
type Said = (String, usize, usize, String, String, String, Vec<(String, usize, String)>);

fn by_command_line(directory: &Path, case: &Case) -> Vec<Said> {
    let overrides =
        case.overrides.iter().flat_map(|(key, value)| ["--env".to_owned(), format!("{key}={value}")]);
    let ran = Command::new(env!("CARGO_BIN_EXE_snowform"))
        .args(["validate", "--format", "json"])
        .args(overrides)
        .current_dir(directory)
        .env_clear()
        .envs(&case.system)
        .output()
        .unwrap();
    let printed: Value = serde_json::from_slice(&ran.stdout).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let byte = |value: &Value| usize::try_from(value.as_u64().unwrap()).unwrap();
    let said = printed["diagnostics"].as_array().unwrap().iter().map(|found| {
        let range = &found["range"];
        let message = match found["help"].as_str() {
            Some(help) => format!("{}\n{help}", text(&found["message"])),
            None => text(&found["message"]),
        };
        let related = found["related"].as_array().unwrap().iter().map(|other| {
            (text(&other["source"]["path"]), byte(&other["source"]["byte"]), text(&other["message"]))
        });
        (
            text(&range["path"]),
            byte(&range["byte"]),
            byte(&range["end_byte"]),
            text(&found["severity"]),
            text(&found["code"]),
            message,
            related.collect(),
        )
    });
    said.collect()
}

/// The byte at a place whose columns are bytes, counted without the server's help.
fn byte(text: &str, place: &Value) -> usize {
    let mut lines = vec![0];
    let bytes = text.as_bytes();
    for at in 0..bytes.len() {
        let is_end = bytes[at] == b'\n' || (bytes[at] == b'\r' && bytes.get(at + 1) != Some(&b'\n'));
        if is_end {
            lines.push(at + 1);
        }
    }
    let number = |name: &str| usize::try_from(place[name].as_u64().unwrap()).unwrap();
    lines[number("line")] + number("character")
}

fn by_server(editor: &mut Editor, directory: &Path, texts: &BTreeMap<&str, String>) -> Vec<Said> {
    let address = |name: &str| uri(&directory.join(name));
    for (name, text) in texts {
        editor.open(&address(name), text);
    }
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let mut said = Vec::new();
    for (name, content) in texts {
        for found in editor.diagnostics(&address(name), 1) {
            let severity = match found["severity"].as_u64() {
                Some(1) => "error",
                Some(2) => "warning",
                other => panic!("severity {other:?}"),
            };
            let related = found["relatedInformation"].as_array().cloned().unwrap_or_default();
            let related = related.iter().map(|other| {
                let place = &other["location"];
                let name = texts.keys().find(|name| address(name) == place["uri"].as_str().unwrap()).unwrap();
                ((*name).to_owned(), byte(&texts[name], &place["range"]["start"]), text(&other["message"]))
            });
            assert_eq!(found["source"], "snowform");
            said.push((
                (*name).to_owned(),
                byte(content, &found["range"]["start"]),
                byte(content, &found["range"]["end"]),
                severity.to_owned(),
                text(&found["code"]),
                text(&found["message"]),
                related.collect(),
            ));
        }
    }
    for name in texts.keys() {
        editor.close(&address(name));
    }
    said
}

#[test]
fn server_and_command_line_say_the_same() {
    let mut cases: Vec<Case> = own_cases().into_iter().chain(corpus()).collect();
    // One server for all cases of one environment.
    cases.sort_by(|a, b| (&a.system, &a.overrides, &a.name).cmp(&(&b.system, &b.overrides, &b.name)));
    let mut compared = 0;
    let mut wrong = Vec::new();
    for group in cases.chunk_by(|a, b| (&a.system, &a.overrides) == (&b.system, &b.overrides)) {
        let overrides = group[0].overrides.iter();
        let arguments: Vec<String> =
            overrides.flat_map(|(key, value)| ["--env".to_owned(), format!("{key}={value}")]).collect();
        let mut editor = Editor::start_with(&capabilities(), &arguments, &group[0].system);
        for case in group {
            let texts: Option<BTreeMap<&str, String>> = case
                .files
                .iter()
                .map(|(name, bytes)| Some((*name, String::from_utf8(bytes.clone()).ok()?)))
                .collect();
            // No editor opens what is no text, and without a definition there is no project.
            let Some(texts) = texts.filter(|texts| texts.contains_key("snowflake.yml")) else { continue };
            let directory = tempfile::tempdir().unwrap();
            for (name, text) in &texts {
                fs::write(directory.path().join(name), text).unwrap();
            }
            let mut ours = by_server(&mut editor, directory.path(), &texts);
            let mut theirs = by_command_line(directory.path(), case);
            ours.sort();
            theirs.sort();
            if ours != theirs {
                wrong.push(format!("{}\n  server: {ours:#?}\n  validate: {theirs:#?}", case.name));
            }
            compared += 1;
        }
        editor.goodbye();
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(compared > 25, "{compared} cases were compared");
}

/// The same by asking, of every prefix of the example.
#[test]
fn every_prefix_of_the_example_is_answered() {
    let capable = json!({ "textDocument": { "diagnostic": {} } });
    let mut editor = Editor::start_with(&capable, &[], &BTreeMap::new());
    let address = "file:///nowhere/snowflake.yml";
    let example = crate::example();
    editor.open(address, "");
    let document = json!({ "textDocument": { "uri": address } });
    for (version, (end, _)) in example.char_indices().enumerate() {
        let prefix = &example[..end];
        editor.change(address, i64::try_from(version).unwrap() + 2, prefix);
        let (line, last) = prefix.split('\n').enumerate().last().unwrap();
        let place = crate::editor::at(
            address,
            u32::try_from(line).unwrap(),
            u32::try_from(last.encode_utf16().count()).unwrap(),
        );
        for method in ["completion", "hover", "definition", "documentHighlight"] {
            editor.result(&format!("textDocument/{method}"), place.clone());
        }
        for method in ["documentSymbol", "foldingRange"] {
            editor.result(&format!("textDocument/{method}"), document.clone());
        }
        let report = editor.result("textDocument/diagnostic", document.clone());
        assert_eq!(crate::told(report["items"].as_array().unwrap()), crate::expected(prefix), "{prefix}");
    }
    editor.goodbye();
}
