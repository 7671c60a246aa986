//! What belongs in a place: the way to it is held against the kinds' tables.

use super::Role;
use super::tree::Part;
use crate::kind::field::{Field, Shape};
use crate::kind::overlay;
use crate::kind::{Attribute, KINDS, Kind};
use std::sync::LazyLock;

/// A key at the top of a file.
#[derive(Debug)]
pub(super) struct TopKey {
    /// The key.
    pub(super) name: &'static str,
    /// What it says, in a sentence.
    pub(super) doc: &'static str,
    /// What is written behind it, `$0` where the cursor goes.
    pub(super) value: &'static str,
}

/// The keys of a definition.
pub(super) static DEFINITION_KEYS: [TopKey; 4] = [
    TopKey {
        name: "definition_version",
        doc: "The version of the language; `2` is the one that snowform reads.",
        value: " 2",
    },
    TopKey { name: "entities", doc: "What the project declares, by id.", value: "\n  $0" },
    TopKey {
        name: "env",
        doc: "Variables for templates: `<% ctx.env.NAME %>`. The operating system's environment is stronger.",
        value: "\n  $0",
    },
    TopKey { name: "mixins", doc: "Values that several entities share: `meta.use_mixins`.", value: "\n  $0" },
];

/// The keys of `snowform.yml`.
pub(super) static OVERLAY_KEYS: [TopKey; 5] = [
    TopKey {
        name: "entities",
        doc: "What snowflake.yml cannot say of its entities, by their ids.",
        value: "\n  $0",
    },
    TopKey {
        name: overlay::PROJECT,
        doc: "The project's name, kept on its objects; `--prune` goes by it.",
        value: " $0",
    },
    TopKey {
        name: overlay::TARGETS,
        doc: "Where the project can go, by name, with account and role pinned: `--target NAME`.",
        value: "\n  $0",
    },
    TopKey {
        name: overlay::MAX_DROPS,
        doc: "How many objects one plan may drop or replace, or what share of them (`10%`).",
        value: " $0",
    },
    TopKey {
        name: overlay::REMOVED,
        doc: "The names of objects that must not exist any more.",
        value: "\n  - $0",
    },
];

/// What `type` says.
pub(super) const TYPE_DOC: &str = "What the entity is; it decides which other keys there are.";

/// What a place takes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Expects {
    /// Keys of a file.
    Top(&'static [TopKey]),
    /// Ids of entities.
    Entities,
    /// Names of mixins.
    Mixins,
    /// Names of variables.
    Variables,
    /// An entity's keys; of every type where its own is not known.
    Entity(Option<&'static Kind>),
    /// A mixin's keys.
    Mixin,
    /// An entity's type.
    Type,
    /// What a field takes.
    Value(&'static Shape),
    /// An entity's attributes in `snowform.yml`.
    Attributes(Option<&'static Kind>),
    /// The text of an attribute.
    Attribute(&'static Attribute),
    /// One of these words.
    Words(&'static [&'static str]),
    /// A variable's text, or a version.
    Text,
}

/// What the text in a place names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refers {
    /// An entity, of one of these types; of any where there are none.
    Entity(&'static [&'static str]),
    /// A mixin.
    Mixin,
}

/// A place in a file.
#[derive(Clone, Debug)]
pub(super) struct Slot {
    /// What it takes.
    pub(super) expects: Expects,
    /// The field whose value it is, where it is a field's.
    pub(super) field: Option<&'static Field>,
    /// The entity that it belongs to.
    pub(super) entity: Option<String>,
    /// What its text names.
    pub(super) refers: Option<Refers>,
}

/// The place at the end of a way. `kind_of` tells the type of an entity.
pub(super) fn slot(
    role: Role,
    path: &[Part],
    kind_of: &dyn Fn(&str) -> Option<&'static Kind>,
) -> Option<Slot> {
    let plain = |expects| Some(Slot { expects, field: None, entity: None, refers: None });
    let [section, inside @ ..] = path else {
        return plain(Expects::Top(match role {
            Role::Definition | Role::Local => &DEFINITION_KEYS,
            Role::Overlay => &OVERLAY_KEYS,
        }));
    };
    match (role, section.key()?, inside) {
        (_, "entities", []) => plain(Expects::Entities),
        (Role::Overlay, "entities", [Part::Key(id), rest @ ..]) => attribute(id, kind_of(id), rest),
        (Role::Overlay, name, rest) => {
            let top = overlay::top(name)?;
            // The key itself is described as a key of the file.
            let (field, shape) = descend(None, &top.shape, rest)?;
            Some(Slot { expects: Expects::Value(shape), field, entity: None, refers: None })
        }
        (_, "entities", [Part::Key(id), rest @ ..]) => {
            let found = in_entity(Expects::Entity(kind_of(id)), &fields(kind_of(id)), rest)?;
            Some(Slot { entity: Some(id.clone()), ..found })
        }
        (_, "mixins", []) => plain(Expects::Mixins),
        (_, "mixins", [Part::Key(_), rest @ ..]) => in_entity(Expects::Mixin, &fields(None), rest),
        (_, "env", []) => plain(Expects::Variables),
        (_, "env", [Part::Key(_)]) | (_, "definition_version", []) => plain(Expects::Text),
        _ => None,
    }
}

/// A place in what `snowform.yml` says of an entity.
fn attribute(id: &str, kind: Option<&'static Kind>, path: &[Part]) -> Option<Slot> {
    let slot = |expects, field| Some(Slot { expects, field, entity: Some(id.to_owned()), refers: None });
    let [first, rest @ ..] = path else { return slot(Expects::Attributes(kind), None) };
    let (name, managed) = (first.key()?, kind?.managed?);
    if let Some(row) = managed.entity_attributes().find(|row| row.name == name) {
        return slot(Expects::Attribute(row), None).filter(|_| rest.is_empty());
    }
    let field = overlay::ENTITY.iter().find(|field| field.name == name)?;
    let (field, shape) = descend(Some(field), &field.shape, rest)?;
    match path {
        [_, Part::Item, Part::Key(key), ..] if name == "grants" && key == "privilege" => {
            slot(Expects::Words(managed.privileges), field)
        }
        _ => slot(Expects::Value(shape), field),
    }
}

/// The keys of a type besides `type`; of an unknown type those that any type has.
pub(super) fn fields(kind: Option<&'static Kind>) -> Vec<&'static Field> {
    if let Some(kind) = kind {
        return kind.fields.iter().collect();
    }
    let mut all: Vec<&'static Field> = Vec::new();
    for field in KINDS.iter().flat_map(|kind| kind.fields) {
        if !all.iter().any(|known| known.name == field.name) {
            all.push(field);
        }
    }
    all
}

fn in_entity(whole: Expects, fields: &[&'static Field], path: &[Part]) -> Option<Slot> {
    let none = Slot { expects: whole, field: None, entity: None, refers: None };
    let [first, rest @ ..] = path else { return Some(none) };
    let name = first.key()?;
    if name == "type" {
        return rest.is_empty().then_some(Slot { expects: Expects::Type, ..none });
    }
    let field = *fields.iter().find(|field| field.name == name)?;
    let (field, shape) = descend(Some(field), &field.shape, rest)?;
    Some(Slot { expects: Expects::Value(shape), field, entity: None, refers: refers(path, shape) })
}

/// The shape at the end of a way, and the last field on it.
fn descend(
    field: Option<&'static Field>,
    shape: &'static Shape,
    path: &[Part],
) -> Option<(Option<&'static Field>, &'static Shape)> {
    path.iter().try_fold((field, shape), |(field, shape), part| match part {
        Part::Item => Some((field, shape.items()?)),
        Part::Key(key) => match shape.record() {
            Some(record) => {
                let field = record.fields.iter().find(|field| field.name == key)?;
                Some((Some(field), &field.shape))
            }
            None => Some((field, shape.values()?)),
        },
    })
}

/// What is named by the text at the end of a way that begins in an entity.
fn refers(path: &[Part], shape: &Shape) -> Option<Refers> {
    match shape {
        Shape::Reference(types) => Some(Refers::Entity(types)),
        _ => in_meta(path),
    }
}

fn in_meta(path: &[Part]) -> Option<Refers> {
    match path {
        [Part::Key(meta), Part::Key(key), ..] if meta == "meta" => match key.as_str() {
            "depends_on" => Some(Refers::Entity(&[])),
            "use_mixins" => Some(Refers::Mixin),
            _ => None,
        },
        _ => None,
    }
}

/// What the text at the end of a whole way names, whatever the entity's type.
pub(super) fn names(path: &[Part]) -> Option<Refers> {
    match path {
        [Part::Key(section), Part::Key(_), rest @ ..] if section == "entities" || section == "mixins" => {
            let leads_to_one = |way: &&Way| {
                way.steps.len() == rest.len()
                    && way.steps.iter().zip(rest).all(|(step, part)| step.fits(part))
            };
            in_meta(rest).or_else(|| Some(Refers::Entity(WAYS.iter().find(leads_to_one)?.types)))
        }
        _ => None,
    }
}

/// A way in an entity to a text that names another.
struct Way {
    steps: Vec<Step>,
    types: &'static [&'static str],
}

#[derive(Clone, Copy)]
enum Step {
    Key(&'static str),
    AnyKey,
    Item,
}

impl Step {
    fn fits(self, part: &Part) -> bool {
        match (self, part) {
            (Self::Key(name), Part::Key(key)) => name == key,
            (Self::AnyKey, Part::Key(_)) | (Self::Item, Part::Item) => true,
            _ => false,
        }
    }
}

/// Every such way, read from the tables once.
static WAYS: LazyLock<Vec<Way>> = LazyLock::new(|| {
    let mut found = Vec::new();
    for field in KINDS.iter().flat_map(|kind| kind.fields) {
        collect_ways(&field.shape, vec![Step::Key(field.name)], &mut found);
    }
    found
});

fn collect_ways(shape: &'static Shape, steps: Vec<Step>, found: &mut Vec<Way>) {
    let below = |step| steps.iter().copied().chain([step]).collect::<Vec<_>>();
    if let Shape::Reference(types) = shape {
        found.push(Way { steps, types });
        return;
    }
    for field in shape.record().map(|record| record.fields).unwrap_or_default() {
        collect_ways(&field.shape, below(Step::Key(field.name)), found);
    }
    if let Some(item) = shape.items() {
        collect_ways(item, below(Step::Item), found);
    }
    if let Some(value) = shape.values() {
        collect_ways(value, below(Step::AnyKey), found);
    }
}
