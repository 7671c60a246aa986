//! The outline of a file: its sections, and what they define.

use super::names::Named;
use super::{Analysis, Role, origin};
use crate::definition::Entity;
use crate::source::span::{FileId, Span};
use crate::source::yaml::Entry;
use std::collections::HashMap;

/// What stands in an outline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Symbol {
    /// Its name.
    pub name: String,
    /// What it is, in a few words.
    pub detail: String,
    /// Its sort, for an icon.
    pub sort: Sort,
    /// All of it.
    pub span: Span,
    /// The key.
    pub key: Span,
    /// What is in it.
    pub children: Vec<Self>,
}

/// The sorts of symbols.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// A key at the top of the file.
    Section,
    /// An entity.
    Entity,
    /// A mixin.
    Mixin,
    /// A variable of `env`.
    Variable,
}

/// The outline of a file.
pub fn symbols(analysis: &Analysis, file: FileId) -> Vec<Symbol> {
    let reading = analysis.reading();
    let role = reading.role(file);
    let Some(entries) = reading.tree(role).and_then(|root| root.as_mapping()) else { return Vec::new() };
    let outline = Outline { names_here: role != Role::Overlay, entities: reading.entities_by_id() };
    entries.iter().filter(|entry| !entry.key.value.is_empty()).map(|entry| outline.section(entry)).collect()
}

struct Outline<'a> {
    /// Whether the file is one that gives entities their names.
    names_here: bool,
    entities: HashMap<&'a str, &'a Entity>,
}

impl Outline<'_> {
    fn section(&self, entry: &Entry) -> Symbol {
        let sort =
            [(Named::Entity, Sort::Entity), (Named::Mixin, Sort::Mixin), (Named::Variable, Sort::Variable)]
                .into_iter()
                .find(|(named, _)| named.section() == entry.key.value);
        let inside =
            entry.value.as_mapping().unwrap_or_default().iter().filter(|inner| !inner.key.value.is_empty());
        let children = match sort {
            Some((_, sort)) => inside.map(|inner| symbol(inner, sort, self.detail(sort, inner))).collect(),
            None => Vec::new(),
        };
        let detail = match entry.value.as_str() {
            Some(text) => text.to_owned(),
            None => children.len().to_string(),
        };
        Symbol { children, ..symbol(entry, Sort::Section, detail) }
    }

    fn detail(&self, sort: Sort, entry: &Entry) -> String {
        match sort {
            Sort::Entity => {
                let entity = self.entities.get(entry.key.value.as_str());
                let words =
                    if self.names_here { origin::in_short } else { |e: &Entity| e.kind.type_name.to_owned() };
                entity.map(|entity| words(entity)).unwrap_or_default()
            }
            Sort::Variable => entry.value.as_str().unwrap_or("").to_owned(),
            Sort::Mixin | Sort::Section => {
                let entries = entry.value.as_mapping().unwrap_or_default();
                let keys = entries.iter().map(|entry| entry.key.value.as_str());
                keys.collect::<Vec<_>>().join(", ")
            }
        }
    }
}

fn symbol(entry: &Entry, sort: Sort, detail: String) -> Symbol {
    let key = entry.key.span;
    // An alias stands for what is written above.
    let follows = entry.value.span.file == key.file && entry.value.span.end >= key.end;
    let span = if follows { key.to(entry.value.span) } else { key };
    Symbol { name: entry.key.value.clone(), detail, sort, span, key, children: Vec::new() }
}
