//! 209 definitions with the verdicts of the official loader, where that corpus stands beside the project.
#![expect(clippy::unwrap_used, reason = "an unwrap that fails is a test that fails")]

use serde_json::Value;
use snowform::definition::{Inputs, Variables};
use snowform::desired::NameDefaults;
use snowform::source::files::Files;
use snowform::{check, desired};
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

fn corpus() -> Option<PathBuf> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus");
    beside.join("verdicts.json").exists().then_some(beside)
}

fn texts(value: &Value) -> BTreeMap<String, String> {
    let object = value.as_object().unwrap();
    object
        .iter()
        .map(|(k, v)| (k.clone(), v.as_str().map_or_else(|| v.to_string(), ToOwned::to_owned)))
        .collect()
}

/// What is wrong with our answer to a case, if anything.
fn verdict(folder: &std::path::Path, case: &Value) -> Option<String> {
    let mut files = Files::default();
    let mut add = |name: &str| {
        let bytes = fs::read(folder.join(name)).ok()?;
        Some(String::from_utf8(bytes).map(|text| files.add(name, text)))
    };
    let expect = case["expect"].as_str().unwrap();
    let definition = match add("snowflake.yml") {
        None => return (expect != "no-file").then(|| "there is no file".to_owned()),
        // The command line refuses what is not UTF-8, by name, before anything is read.
        Some(Err(_)) => return (expect != "error").then(|| "not UTF-8".to_owned()),
        Some(Ok(id)) => id,
    };
    let local = add("snowflake.local.yml").map(Result::unwrap);
    // The verdicts were taken with little in the environment besides the case's own variables.
    let mut system = texts(&case["env"]);
    system.entry("USER".to_owned()).or_insert_with(|| "root".to_owned());
    let variables = Variables { overrides: texts(&case["cli_env"]), system };
    let inputs = Inputs { definition, local, overlay: None, variables: &variables };
    let checked = check::check(&files, &inputs);
    let found = checked.diagnostics.sorted();
    let errors: Vec<String> = found
        .iter()
        .filter(|found| found.is_error())
        .map(|e| format!("{}: {}", e.rule.code, e.message))
        .collect();
    match (expect, errors.is_empty()) {
        ("ok", false) => return Some(format!("expected ok, found {errors:?}")),
        ("error", true) => return Some(format!("expected an error; snow says {}", case["snow_message"])),
        _ => {}
    }
    if expect == "ok" { names(&checked.project, case) } else { None }
}

/// Resolved names, compared as objects: `fqn` is spelled as it was written.
fn names(project: &snowform::definition::Project, case: &Value) -> Option<String> {
    let part = |name: &str| Some(snowform::object::name::Ident::exact(name));
    let defaults = NameDefaults { database: part("D9"), schema: part("S9") };
    let (desired, _) = desired::desired(project, &defaults);
    for (key, entity) in case["entities"].as_object()? {
        let Some(fqn) = entity["fqn"].as_str().filter(|_| entity["type"] == "image-repository") else {
            continue;
        };
        let expected = snowform::object::name::PartialName::parse(fqn).unwrap();
        let complete = |part: Option<snowform::object::name::Ident>, or| part.or(or).unwrap();
        let expected = snowform::object::name::ObjectName::new(
            complete(expected.database, defaults.database.clone()),
            complete(expected.schema, defaults.schema.clone()),
            expected.name,
        );
        let ours =
            desired.origins.iter().find(|(_, origin)| origin.entity == *key).map(|(id, _)| id.name.clone());
        if ours.as_ref() != Some(&expected) {
            return Some(format!("{key} is {ours:?}, expected {expected}"));
        }
    }
    None
}

#[test]
fn verdicts_agree_with_the_official_loader() {
    let Some(corpus) = corpus() else {
        return;
    };
    let cases: Value =
        serde_json::from_str(&fs::read_to_string(corpus.join("verdicts.json")).unwrap()).unwrap();
    let cases = cases.as_array().unwrap();
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|case| {
            let id = case["id"].as_str().unwrap();
            verdict(&corpus.join("cases").join(id), case).map(|why| format!("{id}: {why}"))
        })
        .collect();
    let agreed = cases.len() - wrong.len();
    assert!(wrong.is_empty(), "{agreed} of {} agree\n{}", cases.len(), wrong.join("\n"));
}
