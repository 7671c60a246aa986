//! Project → desired state: names completed from the connection, every object with the place that asked for it.

use crate::definition::{Entity, Project, Removed, WrittenName};
use crate::object::name::{Ident, ObjectName};
use crate::object::state::{Object, ObjectId, State};
use crate::source::diagnostic::{Diagnostic, Diagnostics, Rule, Severity};
use crate::source::span::{Span, Spanned};
use std::collections::BTreeMap;

/// A name that neither the file nor the connection completes.
pub static INCOMPLETE_NAME: Rule = Rule {
    code: "incomplete-name",
    severity: Severity::Error,
    summary: "neither the definition nor the connection says where an object belongs",
    why: "A name needs a database and a schema: from the file, from the connection, or from flags. Found when the connection is known.",
    bad: "definition_version: 2\nentities:\n  repo:\n    type: image-repository\n    identifier: core.repo\n",
    good: "definition_version: 2\nentities:\n  repo:\n    type: image-repository\n    identifier: my_db.core.repo\n",
};

/// What completes names that are not fully written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NameDefaults {
    /// The connection's database.
    pub database: Option<Ident>,
    /// The connection's schema.
    pub schema: Option<Ident>,
}

/// Where a part of a name comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartOrigin {
    /// Written in the file.
    File,
    /// Completed from the connection.
    Connection,
    /// `PUBLIC`, because a database was written without a schema.
    Convention,
}

/// Who asked for an object.
#[derive(Clone, Debug)]
pub struct Origin {
    /// The entity's key.
    pub entity: String,
    /// The entity in its file.
    pub span: Span,
    /// Where the database of its name comes from.
    pub database: PartOrigin,
    /// Where the schema of its name comes from.
    pub schema: PartOrigin,
    /// Where each declared attribute is written.
    pub attributes: BTreeMap<&'static str, Span>,
    /// The role that its statements run under.
    pub role: Option<Ident>,
    /// The objects' entities that come before it.
    pub depends_on: Vec<String>,
    /// Whether it must be neither dropped nor replaced.
    pub prevent_drop: bool,
    /// Whether the declared grants are all that it shall have.
    pub grants_exact: bool,
}

/// An entity that is not deployed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotManaged {
    /// Its key.
    pub entity: String,
    /// Its type.
    pub type_name: &'static str,
    /// The entity in its file.
    pub span: Span,
}

/// What the definition wants.
#[derive(Debug, Default)]
pub struct Desired {
    /// The objects, each with the attributes that are declared and no others.
    pub state: State,
    /// Who asked for each.
    pub origins: BTreeMap<ObjectId, Origin>,
    /// Objects that must not exist any more, and where that is said.
    pub removed: BTreeMap<ObjectId, Origin>,
    /// Entities of types that are not deployed.
    pub not_managed: Vec<NotManaged>,
    /// What is accepted and not acted on, in words.
    pub without_effect: Vec<Spanned<String>>,
}

impl Desired {
    /// The objects whose grants a plan must know.
    pub fn granting(&self) -> Vec<(&ObjectId, Option<&Ident>)> {
        let declares = |id: &ObjectId| self.state.get(id).is_some_and(|object| object.grants.is_some());
        let wanted = self.origins.iter().filter(|(id, _)| declares(id));
        wanted.map(|(id, origin)| (id, origin.role.as_ref())).collect()
    }

    /// The objects that a plan must know of, and the role to read each under.
    pub fn wanted(&self) -> Vec<(&ObjectId, Option<&Ident>)> {
        self.origins.iter().chain(&self.removed).map(|(id, origin)| (id, origin.role.as_ref())).collect()
    }
}

/// Database and schema of a name, as far as anybody knows them.
pub fn complete<'a>(
    name: &'a WrittenName,
    defaults: &'a NameDefaults,
) -> (Option<&'a Ident>, Option<&'a Ident>) {
    (name.database.as_ref().or(defaults.database.as_ref()), name.schema.as_ref().or(defaults.schema.as_ref()))
}

/// Completes every name. A name that stays incomplete is a diagnostic.
pub fn desired(project: &Project, defaults: &NameDefaults) -> (Desired, Diagnostics) {
    let mut desired = Desired::default();
    let mut found = Diagnostics::default();
    for entity in &project.entities {
        let Some(managed) = entity.kind.managed else {
            let Entity { key, kind, span, .. } = entity;
            let (entity, span) = (key.value.clone(), *span);
            desired.not_managed.push(NotManaged { entity, type_name: kind.type_name, span });
            continue;
        };
        for ignored in &entity.meta.without_effect {
            let text = format!("{}: {}", entity.key.value, ignored.value);
            desired.without_effect.push(Spanned::new(text, ignored.span));
        }
        let Some(name) = &entity.name else { continue };
        let (Some(database), Some(schema)) = complete(name, defaults) else {
            found.push(incomplete(&entity.key.value, name, defaults));
            continue;
        };
        let full = ObjectName::new(database.clone(), schema.clone(), name.name.clone());
        let id = ObjectId { object_type: managed.object_type, name: full };
        let attributes =
            entity.attributes.iter().map(|(field, value)| (*field, value.value.clone())).collect();
        let grants = entity.grants.as_ref().map(|grants| grants.value.clone());
        desired.state.insert(id.clone(), Object { attributes, facts: BTreeMap::new(), grants });
        desired.origins.insert(id, origin(entity, name));
    }
    for Removed { kind, name } in &project.removed {
        let Some(managed) = kind.managed else { continue };
        let (Some(database), Some(schema)) = complete(name, defaults) else {
            found.push(incomplete(name.name.as_str(), name, defaults));
            continue;
        };
        let full = ObjectName::new(database.clone(), schema.clone(), name.name.clone());
        let id = ObjectId { object_type: managed.object_type, name: full };
        desired.removed.insert(id, removed_origin(name));
    }
    (desired, found)
}

/// Where database and schema of a name come from.
fn part_origins(name: &WrittenName) -> (PartOrigin, PartOrigin) {
    let part = |written: bool| if written { PartOrigin::File } else { PartOrigin::Connection };
    let schema = if name.schema_by_convention { PartOrigin::Convention } else { part(name.schema.is_some()) };
    (part(name.database.is_some()), schema)
}

fn removed_origin(name: &WrittenName) -> Origin {
    let (database, schema) = part_origins(name);
    Origin {
        entity: name.name.to_string(),
        span: name.span,
        database,
        schema,
        attributes: BTreeMap::new(),
        role: None,
        depends_on: Vec::new(),
        prevent_drop: false,
        grants_exact: false,
    }
}

fn origin(entity: &Entity, name: &WrittenName) -> Origin {
    let (database, schema) = part_origins(name);
    Origin {
        entity: entity.key.value.clone(),
        span: entity.span,
        database,
        schema,
        prevent_drop: entity.prevent_drop.is_some(),
        grants_exact: entity.grants_exact,
        attributes: entity.attributes.iter().map(|(field, value)| (*field, value.span)).collect(),
        role: entity.meta.role.as_ref().map(|role| role.value.clone()),
        depends_on: entity.meta.depends_on.iter().map(|dependency| dependency.value.clone()).collect(),
    }
}

fn incomplete(who: &str, name: &WrittenName, defaults: &NameDefaults) -> Diagnostic {
    let (database, schema) = complete(name, defaults);
    let (what, flag) = match (database, schema) {
        (None, None) => ("database and no schema", "--database and --schema"),
        (None, Some(_)) => ("database", "--database"),
        _ => ("schema", "--schema"),
    };
    let message = format!("`{who}` has no {what}, and the connection gives none");
    Diagnostic::new(&INCOMPLETE_NAME, message, name.span, "the full name is not known").help(format!(
        "write the full name (`database.schema.{}`), pass {flag}, or set it in the connection",
        name.name
    ))
}
