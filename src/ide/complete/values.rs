//! Values that a key takes: types, names of entities and mixins, words that are chosen from.

use super::{Item, Place, Sort, literal};
use crate::definition::Entity;
use crate::ide::cursor::Writing;
use crate::ide::hover::texts;
use crate::ide::place::{Expects, Refers, Slot};
use crate::ide::{origin, tree};
use crate::kind::KINDS;
use std::collections::{BTreeMap, BTreeSet};

impl Place<'_> {
    pub(super) fn values(&self, slot: &Slot) -> Vec<Item> {
        match (slot.expects, slot.refers) {
            (Expects::Type, _) => {
                let types =
                    KINDS.iter().map(|kind| self.value(Sort::Value, kind.type_name, slot).doc(kind.doc));
                types.collect()
            }
            (Expects::Text, _) if self.cursor.path.len() == 1 => vec![self.value(Sort::Value, "2", slot)],
            (_, Some(Refers::Mixin)) => self.mixins(slot),
            (_, Some(Refers::Entity(types))) => self.entities_of(types, slot),
            (Expects::Value(shape), None) => self.words(shape.words(), slot),
            (Expects::Attribute(row), _) => self.words(row.shape.words(), slot),
            (Expects::Words(words), _) => self.words(words, slot),
            _ => Vec::new(),
        }
    }

    fn words(&self, words: &[&str], slot: &Slot) -> Vec<Item> {
        words.iter().map(|word| self.value(Sort::Value, word, slot)).collect()
    }

    /// A value with what must stand around it: a space behind the colon, a dash or brackets for an item of a list.
    fn value(&self, sort: Sort, text: &str, slot: &Slot) -> Item {
        let only_list =
            matches!(slot.expects, Expects::Value(shape) if shape.items().is_some() && !shape.takes_scalar());
        let word = literal(text);
        let snippet = match self.cursor.writing {
            Writing::Value { needs_space } => {
                let space = if needs_space { " " } else { "" };
                if only_list { format!("{space}[{word}$0]") } else { format!("{space}{word}") }
            }
            // On a line of its own below the key.
            Writing::First { dash: false, .. } if only_list => format!("- {word}"),
            Writing::First { .. } | Writing::Template { .. } => word,
        };
        self.item(sort, text, snippet)
    }

    fn mixins(&self, slot: &Slot) -> Vec<Item> {
        let used = self.used();
        let Some(root) = &self.reading.trees.applied else { return Vec::new() };
        let left =
            tree::entries(root, &["mixins"]).iter().filter(|mixin| !used.contains(mixin.key.value.as_str()));
        left.map(|mixin| {
            let keys =
                mixin.value.as_mapping().unwrap_or_default().iter().map(|entry| entry.key.value.as_str());
            self.value(Sort::Reference, &mixin.key.value, slot).detail(keys.collect::<Vec<_>>().join(", "))
        })
        .collect()
    }

    /// The entities that this one can name: not itself, nor one that waits for it, and of a type that fits.
    fn entities_of(&self, types: &[&str], slot: &Slot) -> Vec<Item> {
        let used = self.used();
        let own = slot.entity.as_deref().unwrap_or("");
        let waiting = self.waiting_for(own);
        let entities = self.reading.entities_by_id();
        let known = self.reading.project.keys.iter().map(|key| key.value.as_str());
        let free = known.filter(|id| *id != own && !used.contains(id) && !waiting.contains(id));
        let candidates = free.map(|id| (id, entities.get(id)));
        let fits = |entity: Option<&&Entity>| {
            types.is_empty() || entity.is_some_and(|entity| types.contains(&entity.kind.type_name))
        };
        candidates
            .filter(|(_, entity)| fits(*entity))
            .map(|(id, entity)| {
                let detail = entity.map(|entity| origin::in_short(entity)).unwrap_or_default();
                self.value(Sort::Reference, id, slot).detail(detail)
            })
            .collect()
    }

    /// What the list holds already, besides the item under the cursor.
    fn used(&self) -> BTreeSet<&str> {
        let list = match self.cursor.path.split_last() {
            Some((tree::Part::Item, list)) => list,
            _ => &self.cursor.path,
        };
        let node = self.reading.tree(self.role).and_then(|root| tree::follow(root, list, self.offset));
        let word = self.reading.files.text(self.file).get(self.cursor.word.clone()).unwrap_or("");
        node.map(|node| texts(node).filter(|text| *text != word).collect()).unwrap_or_default()
    }

    /// The entities that depend on one, over any number of others.
    fn waiting_for(&self, id: &str) -> BTreeSet<&str> {
        let mut waiting_for: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for entity in &self.reading.project.entities {
            for dependency in &entity.meta.depends_on {
                waiting_for.entry(&dependency.value).or_default().push(&entity.key.value);
            }
        }
        let mut found = BTreeSet::new();
        let mut open = vec![id];
        while let Some(next) = open.pop() {
            for waits in waiting_for.get(next).into_iter().flatten() {
                if found.insert(*waits) {
                    open.push(waits);
                }
            }
        }
        found
    }
}
