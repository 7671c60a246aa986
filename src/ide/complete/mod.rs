//! What can be written at the cursor: keys, values and names, as the tables and the project know them.

mod keys;
mod template;
mod values;

use super::cursor::{self, Cursor, Writing};
use super::place::{self, Expects, Slot};
use super::tree::{self, Part};
use super::{Analysis, Reading, Role};
use crate::source::span::{FileId, Span};
use crate::source::yaml::Node;
use std::collections::HashSet;
use std::sync::Arc;

/// Something that can be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// What the list shows.
    pub label: String,
    /// What it is, for an icon.
    pub sort: Sort,
    /// A few words beside it.
    pub detail: String,
    /// Markdown about it; may be empty.
    pub doc: String,
    /// What is written: a snippet, in which `$0` and `${1:text}` are places for the cursor and `\$` is a dollar sign.
    pub snippet: String,
    /// What that replaces.
    pub span: Span,
}

/// The sorts of items, in the order in which they are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sort {
    /// A name: an entity, a mixin.
    Reference,
    /// A value that a key takes.
    Value,
    /// A key.
    Key,
    /// A variable.
    Variable,
    /// A function or a filter.
    Function,
    /// Several lines with places to fill in.
    Skeleton,
}

/// What can be written.
#[derive(Clone, Debug, Default)]
pub struct Completion {
    /// The items, the likeliest sort first.
    pub items: Vec<Item>,
    /// Whether there are no others. Else the question has to be asked again when more of the word is there.
    pub is_whole: bool,
}

/// Nobody reads more than this.
const MOST: usize = 1_000;

/// What can be written at an offset.
pub fn complete(analysis: &Analysis, file: FileId, offset: u32) -> Completion {
    let text = analysis.files().text(file);
    let Some(cursor) = cursor::cursor(text, (offset as usize).min(text.len())) else {
        return Completion { items: Vec::new(), is_whole: true };
    };
    let reading = analysis.reading();
    let role = reading.role(file);
    let place = Place { reading, role, file, offset, cursor: &cursor };
    let mut items = place.items();
    items.sort_by_key(|item| item.sort);
    let is_whole = items.len() <= MOST;
    if !is_whole {
        let written = text.get(cursor.word.start..offset as usize).unwrap_or("").to_lowercase();
        items.retain(|item| item.label.to_lowercase().contains(&written));
        items.truncate(MOST);
    }
    Completion { items, is_whole }
}

/// The place that is completed.
struct Place<'a> {
    reading: Reading<'a>,
    role: Role,
    file: FileId,
    offset: u32,
    cursor: &'a Cursor,
}

impl<'a> Place<'a> {
    fn items(&self) -> Vec<Item> {
        let Cursor { path, writing, .. } = self.cursor;
        match writing {
            Writing::Template { before } => self.template(before),
            Writing::Value { .. } => match self.slot(path) {
                Some(slot) => self.values(&slot),
                None => Vec::new(),
            },
            Writing::First { .. } => match self.slot(path) {
                Some(slot) => self.first(&slot),
                None => Vec::new(),
            },
        }
    }

    fn slot(&self, path: &[Part]) -> Option<Slot> {
        place::slot(self.role, path, &|id| self.reading.kind_of(id))
    }

    /// The first word of a line or an item: a key where the place has keys, else a value.
    fn first(&self, slot: &Slot) -> Vec<Item> {
        match slot.expects {
            Expects::Value(shape) if shape.record().is_none() => self.values(slot),
            Expects::Type | Expects::Attribute(_) | Expects::Words(_) | Expects::Text => self.values(slot),
            _ => self.keys(slot),
        }
    }

    /// The value that the cursor writes in, as far as it can be read in this file.
    fn own(&self) -> Option<&'a Arc<Node>> {
        tree::follow(self.reading.tree(self.role)?, &self.cursor.path, self.offset)
    }

    /// The keys that stand there already, without the one under the cursor.
    fn present(&self) -> HashSet<&'a str> {
        let entries = self.own().and_then(|node| node.as_mapping()).unwrap_or_default().iter();
        let others = entries.filter(|entry| !tree::touches(entry.key.span, self.file, self.offset));
        others.map(|entry| entry.key.value.as_str()).collect()
    }

    fn word(&self) -> Span {
        Span::new(self.file, self.cursor.word.start, self.cursor.word.end)
    }

    fn item(&self, sort: Sort, label: &str, snippet: String) -> Item {
        Item {
            label: label.to_owned(),
            sort,
            detail: String::new(),
            doc: String::new(),
            snippet,
            span: self.word(),
        }
    }
}

impl Item {
    fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = detail.into();
        self
    }

    fn doc(mut self, doc: impl Into<String>) -> Self {
        self.doc = doc.into();
        self
    }

    /// What is written where an editor knows no snippets: the text up to the first place for the cursor.
    pub fn plain(&self) -> String {
        let mut out = String::new();
        let mut rest = self.snippet.as_str();
        while let Some(at) = rest.find('$') {
            out.push_str(&rest[..at]);
            if out.ends_with('\\') {
                out.pop();
                out.push('$');
                rest = &rest[at + 1..];
                continue;
            }
            let inside = rest[at..].strip_prefix("${").and_then(|place| place.split_once('}'));
            match inside {
                Some((place, behind)) => {
                    out.push_str(place.split_once(':').map_or("", |(_, text)| text));
                    rest = behind;
                }
                None => rest = rest[at + 1..].trim_start_matches(|c: char| c.is_ascii_digit()),
            }
        }
        out + rest
    }
}

/// A text in a snippet.
fn literal(text: &str) -> String {
    text.replace('\\', "\\\\").replace('$', "\\$").replace('}', "\\}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::files::Files;

    #[test]
    fn a_snippet_can_be_written_without_its_places() {
        let file = Files::default().add("t", "");
        let plain = |snippet: &str| {
            let (label, detail, doc) = (String::new(), String::new(), String::new());
            let span = Span::new(file, 0, 0);
            Item { label, sort: Sort::Key, detail, doc, snippet: snippet.to_owned(), span }.plain()
        };
        assert_eq!(plain("${1:name}:\n  type: $0"), "name:\n  type: ");
        assert_eq!(plain("a\\$b$1c"), "a$bc");
        assert_eq!(plain("${2}x"), "x");
    }
}
