//! The language server as an editor meets it: the real binary on its standard streams.
#![expect(clippy::unwrap_used, reason = "an unwrap that fails is a test that fails")]

mod agreement;
mod conversation;
#[path = "../support/editor.rs"]
mod editor;
mod positions;

use snowform::definition::Variables;
use snowform::ide::{Analysis, Role, Text, Texts};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// What the library says of these texts: what the server must say.
fn analyse(texts: &BTreeMap<String, String>) -> Analysis {
    let text = |role: Role| {
        let path = role.file_name().to_owned();
        texts.get(&path).map(|text| Text { path, text: text.clone() })
    };
    let definition = text(Role::Definition).unwrap();
    let texts = Texts { definition, local: text(Role::Local), overlay: text(Role::Overlay) };
    Analysis::new(texts, Arc::new(Variables::default()))
}

/// The codes and messages of a definition alone.
fn expected(text: &str) -> Vec<(String, String)> {
    let analysis = analyse(&BTreeMap::from([("snowflake.yml".to_owned(), text.to_owned())]));
    let found = analysis.diagnostics().iter();
    found
        .map(|found| {
            let help = found.help.as_ref().map(|help| format!("\n{help}")).unwrap_or_default();
            (found.rule.code.to_owned(), format!("{}{help}", found.message))
        })
        .collect()
}

/// The same of what came over the wire.
fn told(diagnostics: &[serde_json::Value]) -> Vec<(String, String)> {
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    diagnostics.iter().map(|found| (text(&found["code"]), text(&found["message"]))).collect()
}

fn example() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("snowflake.yml.example");
    std::fs::read_to_string(path).unwrap()
}
