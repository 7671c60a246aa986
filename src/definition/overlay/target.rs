//! `targets`: where a project can go.

use super::super::{INVALID_NAME, Target};
use crate::kind::overlay as keys;
use crate::object::name::Ident;
use crate::source::diagnostic::{Diagnostic, Diagnostics};
use crate::source::files::Files;
use crate::source::span::{FileId, Spanned};
use crate::source::yaml::{self, Entry, Node};
use std::collections::BTreeMap;

/// The targets. What is wrong is reported and left out.
pub(super) fn decode(targets: &Node, found: &mut Diagnostics) -> Vec<Target> {
    let entries = targets.as_mapping().unwrap_or_default().iter();
    entries.filter_map(|entry| target(entry, found)).collect()
}

fn target(entry: &Entry, found: &mut Diagnostics) -> Option<Target> {
    let text = |key: &str| entry.value.entry(key)?.value.as_str().map(ToOwned::to_owned);
    let mut name = |key: &str| name(entry.value.entry(key)?, found);
    let (role, database, schema) = (name("role"), name("database"), name("schema"));
    let account = entry.value.entry("account")?;
    Some(Target {
        name: entry.key.clone(),
        account: Spanned::new(account.value.as_str()?.to_owned(), account.value.span),
        role,
        connection: text("connection"),
        database,
        schema,
    })
}

fn name(entry: &Entry, found: &mut Diagnostics) -> Option<Ident> {
    let text = entry.value.as_str()?;
    let ident = Ident::parse(text);
    if let Err(error) = &ident {
        let message = format!("`{}` is not a valid name", text.escape_debug());
        let diagnostic = Diagnostic::new(&INVALID_NAME, message, entry.value.span, error.to_string());
        found.push(diagnostic.help(format!("write the {} as SQL spells it", entry.key.value)));
    }
    ident.ok()
}

/// The variables that a target gives to templates. They are needed before anything else can be read, so they stand
/// in the file as they are.
pub fn variables(files: &Files, overlay: FileId, target: &str) -> BTreeMap<String, String> {
    let root = yaml::parse(overlay, files.text(overlay)).root;
    let env = root.as_ref().and_then(|root| {
        root.entry(keys::TARGETS)?.value.entry(target)?.value.entry("env")?.value.as_mapping()
    });
    let texts = env.unwrap_or_default().iter();
    texts.filter_map(|entry| Some((entry.key.value.clone(), entry.value.as_str()?.to_owned()))).collect()
}
