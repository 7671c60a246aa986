//! Runs the checks of the kinds' tables, and says what they find at its place.

use super::{FEATURE_FLAG, KEYS_CONFLICT};
use crate::kind::check::{Check, Finding, Step, Value, Weight};
use crate::source::diagnostic::{Diagnostic, Diagnostics};
use crate::source::span::{Span, Spanned};
use crate::source::yaml::{Data, Node};

impl Value for Node {
    fn text(&self) -> Option<&str> {
        self.as_str()
    }

    fn get(&self, key: &str) -> Option<&dyn Value> {
        self.entry(key).map(|entry| entry.value.as_ref() as &dyn Value)
    }

    fn items(&self) -> Vec<&dyn Value> {
        match &self.data {
            Data::Sequence(items) => items.iter().map(|item| item.as_ref() as &dyn Value).collect(),
            Data::Scalar(_) | Data::Mapping(_) => Vec::new(),
        }
    }

    fn is_empty(&self) -> bool {
        match &self.data {
            Data::Scalar(text) => text.is_empty(),
            Data::Sequence(items) => items.is_empty(),
            Data::Mapping(entries) => entries.is_empty(),
        }
    }
}

/// Runs the checks of a mapping.
pub(super) fn run(checks: &[Check], mapping: &Node, owner: &Spanned<String>, found: &mut Diagnostics) {
    for Finding { weight, path, message, help } in checks.iter().filter_map(|check| check(mapping)) {
        let rule = match weight {
            Weight::Refused => &KEYS_CONFLICT,
            Weight::NeedsFeatureFlag => &FEATURE_FLAG,
        };
        let span = place(mapping, &path).unwrap_or(owner.span);
        found.push(Diagnostic::new(rule, message, span, "see here").help(help));
    }
}

/// The place that a path leads to, as far as it leads: of a list or a mapping the key, which is short.
fn place(mapping: &Node, path: &[Step]) -> Option<Span> {
    let (first, rest) = path.split_first()?;
    let (value, here) = match (first, &mapping.data) {
        (Step::Key(key), _) => {
            let entry = mapping.entry(key)?;
            let short = entry.value.as_str().is_some_and(|_| entry.value.span.start < entry.value.span.end);
            (&entry.value, if short { entry.value.span } else { entry.key.span })
        }
        (Step::Item(at), Data::Sequence(items)) => (items.get(*at)?, items.get(*at)?.span),
        (Step::Item(_), _) => return None,
    };
    place(value, rest).or(Some(here))
}
