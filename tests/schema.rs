//! The JSON Schemas: the committed files are current, and what they refuse is what the checker refuses.
//!
//! `tests/cases/schema/valid` and `schema/test/positive` are accepted by both; those of `invalid` and `negative` are
//! refused by both, in the one place that the first line names, with the characters that an editor marks there
//! (`# /entities/a/type | image-repo`; `tests/interop/yls.py` asks an editor's server for them). With
//! `SNOWFORM_BLESS=1` the committed schemas are written anew.
#![expect(clippy::unwrap_used, reason = "an unwrap that fails is a test that fails")]

use serde_json::{Value, json};
use snowform::check;
use snowform::definition::{Inputs, Variables};
use snowform::source::diagnostic::Diagnostic;
use snowform::source::files::Files;
use snowform::{kind, schema};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn schemas() -> BTreeMap<&'static str, Value> {
    BTreeMap::from([
        ("snowflake.schema.json", schema::definition()),
        ("snowflake.local.schema.json", schema::local()),
        ("snowform.schema.json", schema::overlay()),
        ("plan.schema.json", serde_json::to_value(schema::plan()).unwrap()),
    ])
}

fn validator(schema: &Value) -> jsonschema::Validator {
    jsonschema::validator_for(schema).unwrap()
}

/// What an editor makes of a text; nothing where it is no YAML for it.
fn yaml(text: &str) -> Option<Value> {
    serde_yaml::from_str(text).ok()
}

fn check_text(text: &str, variables: &Variables) -> Vec<Diagnostic> {
    let mut files = Files::default();
    let definition = files.add("snowflake.yml", text);
    let inputs = Inputs { definition, local: None, overlay: None, variables };
    let found = check::check(&files, &inputs).diagnostics.sorted();
    found.into_iter().filter(Diagnostic::is_error).collect()
}

fn files_below(folder: &str) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> =
        fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.sort();
    assert!(!found.is_empty(), "nothing below {folder}");
    found
}

#[test]
fn committed_schemas_are_current() {
    let bless = std::env::var_os("SNOWFORM_BLESS").is_some();
    let mut stale = Vec::new();
    for (name, schema) in schemas() {
        let path = root().join("schema").join(name);
        let text = format!("{}\n", serde_json::to_string_pretty(&schema).unwrap());
        if fs::read_to_string(&path).ok().as_ref() != Some(&text) {
            stale.push(name);
            if bless {
                fs::write(path, text).unwrap();
            }
        }
    }
    assert!(stale.is_empty(), "run the test with SNOWFORM_BLESS=1: {stale:?}");
}

#[test]
fn schemas_for_editors_are_draft_07() {
    for (name, schema) in schemas().into_iter().filter(|(name, _)| *name != "plan.schema.json") {
        assert!(jsonschema::draft7::meta::is_valid(&schema), "{name}");
        validator(&schema);
    }
}

#[test]
fn the_command_prints_the_committed_schemas() {
    let committed =
        ["snowflake.schema.json", "snowflake.local.schema.json", "snowform.schema.json", "plan.schema.json"];
    for (which, name) in ["definition", "local", "overlay", "plan"].into_iter().zip(committed) {
        let run = Command::new(env!("CARGO_BIN_EXE_snowform")).args(["schema", which]).output().unwrap();
        let expected = fs::read_to_string(root().join("schema").join(name)).unwrap();
        assert_eq!(String::from_utf8(run.stdout).unwrap(), expected, "{which}");
        assert!(run.status.success(), "{which}");
    }
}

/// What SchemaStore would list leads to the addresses that the schemas have.
#[test]
fn the_catalog_names_the_schemas() {
    let catalog: Value =
        serde_json::from_str(&fs::read_to_string(root().join("schema/catalog.json")).unwrap()).unwrap();
    let listed: Vec<_> = catalog["schemas"].as_array().unwrap().iter().map(|entry| &entry["url"]).collect();
    assert_eq!(listed, [&schema::definition()["$id"], &schema::local()["$id"]]);
}

/// A default or an example that an editor inserts is no mistake.
#[test]
fn defaults_and_examples_are_valid() {
    fn walk(value: &Value, path: &str, seen: &mut usize) {
        if let Value::Object(members) = value {
            let examples = members.get("examples").and_then(Value::as_array).into_iter().flatten();
            // A key may be called `default` as well; its schema is an object.
            let default = members.get("default").filter(|default| !default.is_object());
            for inserted in examples.chain(default) {
                assert!(validator(value).is_valid(inserted), "{path}: {inserted}");
                *seen += 1;
            }
            members.iter().for_each(|(key, inner)| walk(inner, &format!("{path}/{key}"), seen));
        }
    }
    let mut seen = 0;
    walk(&schema::definition()["definitions"], "", &mut seen);
    assert!(seen > 50, "{seen} defaults and examples");
}

#[test]
fn local_files_and_overlays_are_judged_by_their_own_schemas() {
    let (local, overlay) = (validator(&schema::local()), validator(&schema::overlay()));
    let read = |path: &Path| yaml(&fs::read_to_string(path).unwrap()).unwrap();
    for path in files_below("tests/cases/schema/local") {
        let errors: Vec<String> = local.iter_errors(&read(&path)).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{}: {errors:?}", path.display());
    }
    assert!(overlay.is_valid(&read(&root().join("examples/comment/snowform.yml"))));
    let wrong_ones = [
        (&local, json!({"entities": {"a": {"identifer": "x"}}}), "/entities/a"),
        (&local, json!({"entities": {"a": {"type": "service", "artifacts": "x"}}}), "/entities/a/artifacts"),
        (&local, json!({"entities": {"a": {"tags": [{"name": "x"}]}}}), "/entities/a/tags/0"),
        (&local, json!({"entities": {"a": null}}), "/entities/a"),
        (&local, json!([]), ""),
        (&overlay, json!({"entities": {"a": {"coment": "x"}}}), "/entities/a"),
        (&overlay, json!({"entities": {"a": {"comment": ["x"]}}}), "/entities/a/comment"),
        (&overlay, json!({"entitys": {}}), ""),
    ];
    for (validator, instance, place) in wrong_ones {
        let places: BTreeSet<String> =
            validator.iter_errors(&instance).map(|error| error.instance_path().to_string()).collect();
        assert_eq!(places, BTreeSet::from([place.to_owned()]), "{instance}");
    }
}

/// An `errorMessage` that is no text is an illegal message of the language server's protocol, and a default of nothing
/// is inserted as the word `null`.
#[test]
fn keywords_for_editors_are_well_formed() {
    fn walk(value: &Value, path: &str) {
        let Value::Object(members) = value else {
            if let Value::Array(items) = value {
                items.iter().enumerate().for_each(|(at, item)| walk(item, &format!("{path}/{at}")));
            }
            return;
        };
        for (key, inner) in members {
            let path = format!("{path}/{key}");
            match key.as_str() {
                "errorMessage" | "patternErrorMessage" => assert!(inner.is_string(), "{path}"),
                "default" if !path.contains("defaultSnippets") && !path.ends_with("properties/default") => {
                    assert!(!inner.is_null(), "{path}");
                }
                "oneOf" | "anyOf" => panic!("{path}: alternatives give several messages for one mistake"),
                _ => {}
            }
            walk(inner, &path);
        }
    }
    for (name, schema) in schemas().into_iter().filter(|(name, _)| *name != "plan.schema.json") {
        walk(&schema, name);
    }
}

#[test]
fn every_key_is_described() {
    let schema = schema::definition();
    for kind in kind::KINDS {
        let name = format!("entity-{}", kind.type_name.replace(' ', "-"));
        for field in kind.fields {
            let row = &schema["definitions"][&name]["properties"][field.name];
            let row = row["$ref"].as_str().map_or(row, |path| schema.pointer(&path[1..]).unwrap());
            assert!(
                row["markdownDescription"].as_str().is_some_and(|doc| doc.starts_with(field.doc)),
                "{name}.{}",
                field.name
            );
        }
    }
}

/// The text that a snippet inserts when nothing is changed in it.
fn inserted(body: &Value) -> Value {
    let text = |text: &str| {
        let place = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
        let inner = place.map_or(text, |place| place.split_once(':').unwrap().1);
        inner.replace("\\$", "$").replace("\\}", "}")
    };
    match body {
        Value::String(written) => text(written).into(),
        Value::Array(items) => items.iter().map(inserted).collect(),
        Value::Object(members) => {
            Value::Object(members.iter().map(|(key, value)| (text(key), inserted(value))).collect())
        }
        other => other.clone(),
    }
}

#[test]
fn every_snippet_is_a_valid_entity() {
    let schema = schema::definition();
    let snippets = schema["properties"]["entities"]["defaultSnippets"].as_array().unwrap();
    assert_eq!(snippets.len(), kind::KINDS.len());
    for snippet in snippets {
        let mut entities = inserted(&snippet["body"]);
        // What snippets refer to.
        entities["my_package"] = json!({"type": "application package", "artifacts": ["app/"]});
        let definition = json!({"definition_version": 2, "entities": entities});
        assert!(validator(&schema).is_valid(&definition), "{definition}");
        assert_eq!(check_text(&definition.to_string(), &Variables::default()), [], "{definition}");
    }
}

#[test]
fn valid_cases_are_accepted_by_schema_and_checker() {
    let validator = validator(&schema::definition());
    for path in files_below("tests/cases/schema/valid").into_iter().chain(files_below("schema/test/positive"))
    {
        let text = fs::read_to_string(&path).unwrap();
        let errors: Vec<String> = validator
            .iter_errors(&yaml(&text).unwrap())
            .map(|e| format!("{}: {e}", e.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{}: {errors:?}", path.display());
        assert_eq!(check_text(&text, &Variables::default()), [], "{}", path.display());
    }
}

#[test]
fn invalid_cases_are_refused_by_schema_and_checker_in_one_place() {
    let validator = validator(&schema::definition());
    for path in
        files_below("tests/cases/schema/invalid").into_iter().chain(files_below("schema/test/negative"))
    {
        let text = fs::read_to_string(&path).unwrap();
        let (place, _) = text.strip_prefix("# ").unwrap().split_once(" | ").unwrap();
        let place = if place == "/" { String::new() } else { place.to_owned() };
        let instance = yaml(&text).unwrap();
        let places: BTreeSet<String> =
            validator.iter_errors(&instance).map(|e| e.instance_path().to_string()).collect();
        assert_eq!(places, BTreeSet::from([place]), "{}", path.display());
        assert!(!check_text(&text, &Variables::default()).is_empty(), "{}", path.display());
    }
}

/// What no JSON Schema can say, by the part of the language that it belongs to. The definitions of the corpus and of
/// `tests/cases/check` that only the checker refuses are exactly these.
const BEYOND_SCHEMAS: &[(&str, &[&str])] = &[
    (
        "what entities and mixins are there",
        &[
            "check/dependencies",
            "meta-depends-on-cycle",
            "meta-depends-on-missing",
            "meta-depends-on-self",
            "mixin-not-defined",
            "tpl-in-mixin-name",
        ],
    ),
    ("two values compared with each other", &["check/duplicates", "entities-dup", "key-dup-fqn"]),
    ("what mixins give", &["check/mixins", "mixin-type-conflict", "mixin-unknown-key"]),
    (
        "what a template is rendered to",
        &[
            "tpl-ctx-entity-nonscalar",
            "tpl-env-cycle",
            "tpl-env-missing-ctx",
            "tpl-env-no-section",
            "tpl-expr-const",
            "tpl-expr-ternary",
            "tpl-filter-unknown",
            "tpl-fn-badargs",
            "tpl-fn-unknown",
            "tpl-rendered-to-invalid",
            "tpl-syntax",
        ],
    ),
    ("how a number is written", &["ver-0x2", "ver-2.0"]),
    (
        "what the text is as YAML; an editor says some of it without a schema",
        &[
            "check/duplicate-key",
            "check/tab-between",
            "id-obj-dup-key",
            "mixin-dup-name",
            "ver-dup",
            "yaml-json-tabs",
            "yaml-tab-trailing",
        ],
    ),
];

/// Definitions that only the schema refuses.
const STRICTER: &[(&str, &[&str])] = &[];

fn listed(lists: &[(&str, &[&'static str])]) -> BTreeSet<String> {
    lists.iter().flat_map(|(_, ids)| ids.iter().map(ToString::to_string)).collect()
}

/// Cases by name: the text of the definition, and what templates may take.
fn definitions() -> Vec<(String, String, Variables)> {
    let mut found = Vec::new();
    let own = files_below("tests/cases/check").into_iter().filter(|path| path.is_file());
    for path in own {
        let name = format!("check/{}", path.file_stem().unwrap().to_str().unwrap());
        found.push((name, fs::read_to_string(path).unwrap(), Variables::default()));
    }
    let corpus = root().join("../shared/corpus");
    let Ok(verdicts) = fs::read_to_string(corpus.join("verdicts.json")) else { return found };
    for case in serde_json::from_str::<Vec<Value>>(&verdicts).unwrap() {
        let id = case["id"].as_str().unwrap();
        let Ok(text) = fs::read_to_string(corpus.join("cases").join(id).join("snowflake.yml")) else {
            continue;
        };
        let texts = |value: &Value| -> BTreeMap<String, String> {
            let members = value.as_object().unwrap().iter();
            members
                .map(|(key, value)| {
                    (key.clone(), value.as_str().map_or_else(|| value.to_string(), Into::into))
                })
                .collect()
        };
        let mut system = texts(&case["env"]);
        system.entry("USER".to_owned()).or_insert_with(|| "root".to_owned());
        found.push((id.to_owned(), text, Variables { overrides: texts(&case["cli_env"]), system }));
    }
    found
}

#[test]
fn the_schema_agrees_with_the_checker() {
    let validator = validator(&schema::definition());
    let (mut only_checker, mut only_schema, mut all) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for (name, text, variables) in definitions() {
        // An editor says of its own what is no YAML.
        let Some(instance) = yaml(&text) else { continue };
        let refused = !validator.is_valid(&instance);
        let wrong = !check_text(&text, &variables).is_empty();
        match (wrong, refused) {
            (true, false) => drop(only_checker.insert(name.clone())),
            (false, true) => drop(only_schema.insert(name.clone())),
            _ => {}
        }
        all.insert(name);
    }
    let present = |lists: &[(&str, &[&'static str])]| &listed(lists) & &all;
    assert_eq!(only_checker, present(BEYOND_SCHEMAS), "refused by the checker only");
    assert_eq!(only_schema, present(STRICTER), "refused by the schema only");
}
