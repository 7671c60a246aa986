//! Live objects as a definition: `snowflake.yml`, and `snowform.yml` for what that cannot say.

use crate::kind::{self, image_repository::PROJECT};
use crate::object::state::State;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The two files. The second is missing where no object has anything that only it can say.
#[derive(Debug, PartialEq, Eq)]
pub struct Definition {
    /// `snowflake.yml`.
    pub definition: String,
    /// `snowform.yml`.
    pub overlay: Option<String>,
}

/// A definition that declares these objects as they are. What can only change by replacement is left out: declaring it
/// would make every later difference a loss.
pub fn definition(state: &State) -> Definition {
    let mut definition = String::from("definition_version: 2\nentities:\n");
    let project = common_project(state);
    let (mut overlay, mut remarks) = (String::new(), String::new());
    let mut taken: BTreeMap<String, usize> = BTreeMap::new();
    for (id, object) in state {
        let key = unique(id.name.name.as_str().to_lowercase(), &mut taken);
        let identifier = scalar(&id.name.to_string());
        let type_name = id.object_type.type_name();
        let _ =
            writeln!(definition, "  {}:\n    type: {type_name}\n    identifier: {identifier}", scalar(&key));
        let managed = kind::managed(id.object_type);
        let told: Vec<(&str, &String)> = managed
            .entity_attributes()
            .filter(|row| matches!(row.change, kind::ChangeRule::Alter(_)))
            .filter_map(|row| Some((row, object.attributes.get(row.name)?)))
            .filter(|(row, value)| Some(value.as_str()) != row.default)
            .map(|(row, value)| (row.name, value))
            .collect();
        // There is no way to write a template's mark that is not one.
        let (untold, told): (Vec<_>, Vec<_>) =
            told.into_iter().partition(|(_, value)| value.contains("<%") || value.contains("{#"));
        for (name, _) in untold {
            let _ = writeln!(remarks, "# {name} of {key} is left out: it holds a template's mark");
        }
        if !told.is_empty() {
            let _ = writeln!(overlay, "  {}:", scalar(&key));
        }
        for (name, value) in told {
            let _ = writeln!(overlay, "    {name}: {}", quoted(value));
        }
    }
    if state.is_empty() {
        definition = "definition_version: 2\nentities: {}\n".to_owned();
    }
    if !overlay.is_empty() {
        overlay.insert_str(0, "entities:\n");
    }
    if let Some(project) = project {
        overlay.insert_str(0, &format!("project: {}\n", scalar(project)));
    }
    let overlay = remarks + &overlay;
    let overlay = (!overlay.is_empty()).then_some(overlay);
    Definition { definition, overlay }
}

/// The project, where all objects carry the mark of one.
fn common_project(state: &State) -> Option<&str> {
    let mut projects = state.values().map(|object| object.attributes.get(PROJECT));
    let first = projects.next()??;
    projects.all(|project| project == Some(first)).then_some(first)
}

/// The same name in two schemas needs two keys.
fn unique(key: String, taken: &mut BTreeMap<String, usize>) -> String {
    let seen = taken.entry(key.clone()).or_default();
    *seen += 1;
    if *seen == 1 { key } else { format!("{key}_{seen}") }
}

/// A text that needs no quotes in any reader's eyes, or else quoted.
fn scalar(text: &str) -> String {
    const NOT_TEXT_ELSEWHERE: [&str; 9] = ["true", "false", "yes", "no", "on", "off", "null", "y", "n"];
    let plain = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '$'))
        && !NOT_TEXT_ELSEWHERE.contains(&text.to_lowercase().as_str());
    if plain { text.to_owned() } else { quoted(text) }
}

/// Double quotes with JSON's escapes, which YAML shares.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
