//! Inside `<% … %>`: variables with their values, functions with their signatures, filters.

use super::{Item, Place, Sort, literal};
use crate::definition::template::{FILTERS, FUNCTIONS};
use crate::ide::tree;
use crate::source::yaml::{Data, Entry};

impl Place<'_> {
    /// `before` stands between the opening mark and the cursor.
    pub(super) fn template(&self, before: &str) -> Vec<Item> {
        let path_start =
            before.trim_end_matches(|c: char| c.is_alphanumeric() || matches!(c, '_' | '.')).len();
        let (earlier, written) = before.split_at(path_start);
        if in_text(earlier) {
            return Vec::new();
        }
        let steps: Vec<&str> = written.split('.').collect();
        match &steps[..] {
            [_] if earlier.trim_end().ends_with('|') => self.filters(),
            [_] => vec![
                self.item(Sort::Variable, "ctx", "ctx".to_owned())
                    .detail("the definition, and its variables"),
                self.item(Sort::Function, "fn", "fn".to_owned()).detail("functions"),
            ],
            ["fn", _] => self.functions(),
            ["ctx", "env", _] => self.variables_of_templates(),
            ["ctx", steps @ .., _] => self.steps(steps),
            _ => Vec::new(),
        }
    }

    fn filters(&self) -> Vec<Item> {
        let items = FILTERS.iter().map(|filter| {
            let snippet = match filter.signature.split_once('(') {
                Some((name, _)) => format!("{name}($0)"),
                None => filter.name.to_owned(),
            };
            self.item(Sort::Function, filter.name, snippet).detail(filter.signature).doc(filter.doc)
        });
        items.collect()
    }

    fn functions(&self) -> Vec<Item> {
        let items = FUNCTIONS.iter().map(|function| {
            let snippet = format!("{}($0)", function.name);
            self.item(Sort::Function, function.name, snippet).detail(function.signature).doc(function.doc)
        });
        items.collect()
    }

    /// Variables of the definition with their values, then the names of those that only the environment has.
    fn variables_of_templates(&self) -> Vec<Item> {
        let Some(root) = &self.reading.trees.applied else { return Vec::new() };
        let own = tree::entries(root, &["env"]);
        let mut items: Vec<Item> = own.iter().map(|entry| self.variable(entry)).collect();
        let variables = self.reading.variables;
        let outside = [(&variables.overrides, "--env"), (&variables.system, "the environment")];
        for (name, origin) in
            outside.into_iter().flat_map(|(all, origin)| all.keys().map(move |name| (name, origin)))
        {
            let is_name = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            if is_name && !items.iter().any(|item| item.label == *name) {
                items.push(self.item(Sort::Variable, name, name.clone()).detail(origin));
            }
        }
        items
    }

    fn variable(&self, entry: &Entry) -> Item {
        let name = &entry.key.value;
        let path = ["ctx", "env", name].map(ToOwned::to_owned);
        let mut explained = Vec::new();
        self.reading.explain(&path, entry.key.span, 0, &mut explained);
        let detail = explained.first().map(|first| match &first.value {
            Some(value) => format!("{value} ({})", first.origin),
            None => first.origin.clone(),
        });
        self.item(Sort::Variable, name, literal(name)).detail(detail.unwrap_or_default())
    }

    /// What stands below a value of the definition.
    fn steps(&self, steps: &[&str]) -> Vec<Item> {
        let Some(root) = &self.reading.trees.applied else { return Vec::new() };
        let below = tree::entries(root, steps).iter().filter(|entry| {
            let name = &entry.key.value;
            let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
            starts && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        });
        below
            .map(|entry| {
                let detail = match &entry.value.data {
                    Data::Scalar(text) => text.clone(),
                    Data::Sequence(_) | Data::Mapping(_) => "…".to_owned(),
                };
                self.item(Sort::Variable, &entry.key.value, literal(&entry.key.value)).detail(detail)
            })
            .collect()
    }
}

/// Whether a quote is open at the end of a text.
fn in_text(before: &str) -> bool {
    let mut quote = None;
    for c in before.chars() {
        match quote {
            Some(open) if c == open => quote = None,
            None if matches!(c, '\'' | '"') => quote = Some(c),
            _ => {}
        }
    }
    quote.is_some()
}
