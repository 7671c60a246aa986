//! `snowflake.local.yml` laid over `snowflake.yml`.
//!
//! Mappings merge key by key; everything else replaces (snowflake-cli `utils/dict_utils.py`, `deep_merge_dicts`). Every
//! value keeps its place, so the file that gave it stays known.

use super::WRONG_SHAPE;
use crate::source::diagnostic::{Diagnostic, Diagnostics};
use crate::source::span::Span;
use crate::source::yaml::{Data, Entry, Node};
use std::collections::HashMap;
use std::sync::Arc;

/// The tag that replaces instead of merging.
pub(super) const OVERRIDE: &str = "!override";

/// Lays the local file's document over the definition's.
pub(super) fn lay_over(base: &Arc<Node>, local: &Arc<Node>, found: &mut Diagnostics) -> Arc<Node> {
    // An empty local file says nothing.
    if local.as_str() == Some("") {
        return Arc::clone(base);
    }
    if local.as_mapping().is_none() {
        let message = format!("snowflake.local.yml is a mapping, not {}", local.noun());
        found.push(
            Diagnostic::new(&WRONG_SHAPE, message, local.span, "not a mapping")
                .help("write it like snowflake.yml: what it says replaces what is said there"),
        );
        return Arc::clone(base);
    }
    merge(base, local)
}

fn merge(base: &Arc<Node>, over: &Arc<Node>) -> Arc<Node> {
    let (Data::Mapping(below), Data::Mapping(above)) = (&base.data, &over.data) else {
        return Arc::clone(over);
    };
    if is_override(base) || is_override(over) {
        return Arc::clone(over);
    }
    let mut entries = below.clone();
    // Backwards, so that of a key that is written twice the first counts.
    let mut known: HashMap<&str, usize> =
        below.iter().enumerate().rev().map(|(at, entry)| (entry.key.value.as_str(), at)).collect();
    for entry in above {
        match known.get(entry.key.value.as_str()).and_then(|at| entries.get_mut(*at)) {
            Some(known) => {
                let value = merge(&known.value, &entry.value);
                // What is said of a value that was replaced is said in the file that gave it.
                let key = if value.span.file == known.key.span.file {
                    known.key.clone()
                } else {
                    entry.key.clone()
                };
                *known = Entry { key, value };
            }
            None => {
                known.insert(&entry.key.value, entries.len());
                entries.push(entry.clone());
            }
        }
    }
    mapping(base.span, entries)
}

/// Whether a list or a mapping carries the tag. On a scalar it has no effect.
pub(super) fn is_override(node: &Node) -> bool {
    node.tag.as_ref().is_some_and(|tag| tag.value == OVERRIDE) && node.as_str().is_none()
}

/// A mapping that was put together, standing where its first part stands.
pub(super) fn mapping(span: Span, entries: Vec<Entry>) -> Arc<Node> {
    Arc::new(Node { span, tag: None, data: Data::Mapping(entries), rendered: false })
}
