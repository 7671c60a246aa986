//! Keys that can still be written, and skeletons of whole entities.

use super::{Item, Place, Sort, literal};
use crate::ide::Role;
use crate::ide::cursor::Writing;
use crate::ide::hover::{describe_field, texts};
use crate::ide::place::{self, Expects, Slot};
use crate::ide::tree::{self, Part};
use crate::kind::field::{Field, Shape};
use crate::kind::overlay;
use crate::kind::{KINDS, Kind, Managed};
use std::fmt::Write as _;

impl Place<'_> {
    pub(super) fn keys(&self, slot: &Slot) -> Vec<Item> {
        let present = self.present();
        let left = |name: &str| !present.contains(name);
        match slot.expects {
            Expects::Top(keys) => {
                let left = keys.iter().filter(|key| left(key.name));
                left.map(|key| self.key(key.name, key.value).doc(key.doc)).collect()
            }
            Expects::Entities => self.entities(&left),
            Expects::Variables => self.variables(&left),
            Expects::Entity(kind) => {
                let mut items = Vec::new();
                // In the local file the type is said already, where the definition has the entity.
                if left("type") && (self.role == Role::Definition || kind.is_none()) {
                    items.push(self.key("type", " $0").detail("required").doc(place::TYPE_DOC));
                }
                items.extend(self.fields(place::fields(kind).into_iter(), &left));
                items
            }
            Expects::Mixin => self.fields(place::fields(None).into_iter(), &left),
            Expects::Value(shape) => match shape.record() {
                Some(record) => self.fields(record.fields.iter(), &left),
                None => Vec::new(),
            },
            Expects::Attributes(kind) => {
                let managed = kind.and_then(|kind| kind.managed).into_iter();
                let rows = managed.flat_map(Managed::entity_attributes).filter(|row| left(row.name));
                let mut items: Vec<Item> = rows.map(|row| self.key(row.name, " $0").doc(row.doc)).collect();
                items.extend(self.fields(overlay::ENTITY.iter(), &left));
                items
            }
            Expects::Mixins | Expects::Type | Expects::Attribute(_) | Expects::Words(_) | Expects::Text => {
                Vec::new()
            }
        }
    }

    fn fields(
        &self,
        fields: impl Iterator<Item = &'static Field>,
        left: &impl Fn(&str) -> bool,
    ) -> Vec<Item> {
        let given = self.given_by_mixins();
        let left = fields.filter(|field| left(field.name) && !given.iter().any(|name| name == field.name));
        let items = left.map(|field| {
            let required = if field.required { "required, " } else { "" };
            self.key(field.name, self.value_of(&field.shape))
                .detail(format!("{required}{}", field.shape.noun()))
                .doc(describe_field(field))
        });
        items.collect()
    }

    /// What is written behind a key's colon.
    fn value_of(&self, shape: &Shape) -> &'static str {
        let flow = self.cursor.flow;
        match shape {
            Shape::Record(_) | Shape::Map(_) | Shape::MapOf(..) if flow => " {$0}",
            Shape::Record(_) | Shape::Map(_) | Shape::MapOf(..) => "\n  $0",
            Shape::List(item) if item.record().is_some() && !flow => "\n  - $0",
            Shape::List(_) => " [$0]",
            _ => " $0",
        }
    }

    fn key(&self, name: &str, value: &str) -> Item {
        let colon = matches!(self.cursor.writing, Writing::First { colon: true, .. });
        let snippet = if colon { literal(name) } else { format!("{}:{value}", literal(name)) };
        self.item(Sort::Key, name, snippet)
    }

    /// The keys whose texts the entity's mixins give already. Lists and mappings are joined with the entity's own, so
    /// those are still worth writing.
    fn given_by_mixins(&self) -> Vec<String> {
        let path = &self.cursor.path;
        let [Part::Key(section), Part::Key(id), inside @ ..] = &path[..] else { return Vec::new() };
        if section != "entities" || self.role == Role::Overlay {
            return Vec::new();
        }
        let Some(root) = &self.reading.trees.applied else { return Vec::new() };
        let Some(used) = tree::get(root, &["entities", id, "meta", "use_mixins"]) else { return Vec::new() };
        let mixins = texts(used).filter_map(|mixin| tree::get(root, &["mixins", mixin]));
        let places = mixins.filter_map(|mixin| tree::follow(mixin, inside, u32::MAX)?.as_mapping());
        let given = places.flatten().filter(|entry| entry.value.as_str().is_some());
        given.map(|entry| entry.key.value.clone()).collect()
    }

    fn entities(&self, left: &impl Fn(&str) -> bool) -> Vec<Item> {
        let entities = self.reading.entities_by_id();
        let known = self.reading.project.keys.iter().map(|key| key.value.as_str());
        let known = known.filter(|id| left(id)).map(|id| {
            let kind = entities.get(id).map_or("", |entity| entity.kind.type_name);
            self.key(id, "\n  $0").detail(kind)
        });
        match self.role {
            Role::Overlay => known.collect(),
            // What stands in the definition can be overridden in the local file.
            Role::Local => known.chain(KINDS.iter().map(|kind| self.skeleton(kind))).collect(),
            Role::Definition => KINDS.iter().map(|kind| self.skeleton(kind)).collect(),
        }
    }

    fn variables(&self, left: &impl Fn(&str) -> bool) -> Vec<Item> {
        let (Role::Local, Some(definition)) = (self.role, self.reading.tree(Role::Definition)) else {
            return Vec::new();
        };
        let left = tree::entries(definition, &["env"]).iter().filter(|entry| left(&entry.key.value));
        left.map(|entry| {
            let value = entry.value.as_str().unwrap_or("");
            self.key(&entry.key.value, " $0")
                .detail(format!("{value} ({})", self.reading.origin(entry.value.span)))
        })
        .collect()
    }

    /// A new entity of a type, with a place for everything that it must have.
    fn skeleton(&self, kind: &'static Kind) -> Item {
        let id = format!("my_{}", kind.type_name.replace([' ', '-'], "_"));
        let mut place = 1;
        let mut snippet = format!("${{1:{id}}}:\n  type: {}", kind.type_name);
        for field in kind.fields.iter().filter(|field| field.required) {
            let _ = write!(snippet, "\n  {}:", field.name);
            write_required(&mut snippet, field, 4, &mut place);
        }
        snippet.push_str("$0");
        self.item(Sort::Skeleton, kind.type_name, snippet).detail("new entity").doc(kind.doc)
    }
}

/// The value of a key that must be there, with a place for every text.
fn write_required(snippet: &mut String, field: &Field, indent: usize, place: &mut usize) {
    let mut next = || {
        *place += 1;
        match field.example {
            Some(example) => format!("${{{place}:{}}}", literal(example)),
            None => format!("${place}"),
        }
    };
    // Writing to a String does not fail.
    let _ = match &field.shape {
        Shape::Record(record) if record.fields.iter().any(|inner| inner.required) => {
            for inner in record.fields.iter().filter(|inner| inner.required) {
                let _ = write!(snippet, "\n{:indent$}{}:", "", inner.name);
                write_required(snippet, inner, indent + 2, place);
            }
            Ok(())
        }
        Shape::List(item) if item.takes_scalar() => write!(snippet, "\n{:indent$}- {}", "", next()),
        Shape::Record(_) | Shape::Map(_) | Shape::MapOf(..) | Shape::List(_) => {
            write!(snippet, "\n{:indent$}{}", "", next())
        }
        _ => write!(snippet, " {}", next()),
    };
}
