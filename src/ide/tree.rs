//! Ways through a document: down to a place, and over everything in it.

use crate::source::span::{FileId, Span};
use crate::source::yaml::{Data, Entry, Node};
use std::collections::HashSet;
use std::sync::Arc;

/// A step down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// To the value of a key.
    Key(String),
    /// To an item of a list.
    Item,
}

impl Part {
    /// The key, where it is one.
    pub(super) fn key(&self) -> Option<&str> {
        match self {
            Self::Key(key) => Some(key),
            Self::Item => None,
        }
    }
}

/// What stands at an offset.
#[derive(Debug)]
pub(super) struct Spot<'t> {
    /// The way there; for a key, the way to its value.
    pub(super) path: Vec<Part>,
    /// What it is.
    pub(super) on: On<'t>,
}

/// What a cursor can stand on.
#[derive(Debug)]
pub(super) enum On<'t> {
    /// A key.
    Key(&'t Entry),
    /// A text.
    Scalar(&'t Arc<Node>),
}

/// Whether an offset is in a span; its end counts, because a cursor stands behind what was just typed.
pub(super) fn touches(span: Span, file: FileId, offset: u32) -> bool {
    span.file == file && span.start <= offset && offset <= span.end
}

/// What stands at an offset, if it is a key or a text.
pub(super) fn at(root: &Arc<Node>, offset: u32) -> Option<Spot<'_>> {
    let file = root.span.file;
    let mut path = Vec::new();
    let mut node = root;
    loop {
        match &node.data {
            Data::Scalar(_) => {
                return touches(node.span, file, offset).then_some(Spot { path, on: On::Scalar(node) });
            }
            Data::Sequence(items) => {
                node = items.iter().find(|item| touches(item.span, file, offset))?;
                path.push(Part::Item);
            }
            Data::Mapping(entries) => {
                // The key first: an empty value stands at the end of its key.
                if let Some(entry) = entries.iter().find(|entry| touches(entry.key.span, file, offset)) {
                    path.push(Part::Key(entry.key.value.clone()));
                    return Some(Spot { path, on: On::Key(entry) });
                }
                let entry = entries.iter().find(|entry| touches(entry.value.span, file, offset))?;
                path.push(Part::Key(entry.key.value.clone()));
                node = &entry.value;
            }
        }
    }
}

/// The node at the end of a path. Of a list's items, the last that begins before `offset`.
pub(super) fn follow<'t>(root: &'t Arc<Node>, path: &[Part], offset: u32) -> Option<&'t Arc<Node>> {
    path.iter().try_fold(root, |node, part| match (part, &node.data) {
        (Part::Key(key), _) => Some(&node.entry(key)?.value),
        (Part::Item, Data::Sequence(items)) => items.iter().rfind(|item| item.span.start <= offset),
        (Part::Item, _) => None,
    })
}

/// The value behind keys.
pub(super) fn get<'t>(root: &'t Arc<Node>, keys: &[&str]) -> Option<&'t Arc<Node>> {
    keys.iter().try_fold(root, |node, key| Some(&node.entry(key)?.value))
}

/// The entries of the mapping behind keys; none where there is no mapping.
pub(super) fn entries<'t>(root: &'t Arc<Node>, keys: &[&str]) -> &'t [Entry] {
    get(root, keys).and_then(|node| node.as_mapping()).unwrap_or_default()
}

/// Visits every key and every text once, however many aliases share it.
pub(super) fn walk<'t>(root: &'t Arc<Node>, visit: &mut impl FnMut(&[Part], &On<'t>)) {
    let mut walk = Walk { seen: HashSet::new(), path: Vec::new(), visit };
    walk.node(root);
}

struct Walk<'v, V> {
    seen: HashSet<Span>,
    path: Vec<Part>,
    visit: &'v mut V,
}

impl<'t, V: FnMut(&[Part], &On<'t>)> Walk<'_, V> {
    fn node(&mut self, node: &'t Arc<Node>) {
        // A collection of no length has nothing in it.
        if node.as_str().is_none() && !self.seen.insert(node.span) {
            return;
        }
        match &node.data {
            Data::Scalar(_) => (self.visit)(&self.path, &On::Scalar(node)),
            Data::Sequence(items) => {
                for item in items {
                    self.path.push(Part::Item);
                    self.node(item);
                    self.path.pop();
                }
            }
            Data::Mapping(entries) => {
                for entry in entries {
                    self.path.push(Part::Key(entry.key.value.clone()));
                    (self.visit)(&self.path, &On::Key(entry));
                    self.node(&entry.value);
                    self.path.pop();
                }
            }
        }
    }
}
