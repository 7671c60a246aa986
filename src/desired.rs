//! Project → desired state: names completed from the connection, every object with the place that asked for it.

pub use crate::definition::DropLimit;
use crate::definition::{Entity, Project, Removed, WrittenName};
use crate::kind::KeptGrants;
use crate::kind::image_repository::PROJECT;
use crate::object::name::{Ident, ObjectName};
use crate::object::reading::{Scope, scope_of};
use crate::object::state::{ImageRef, Object, ObjectId, State, Tags};
use crate::object::statement::HazardKind;
use crate::source::diagnostic::{Diagnostic, Diagnostics, Rule, Severity};
use crate::source::span::{Span, Spanned};
use std::collections::{BTreeMap, BTreeSet};

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
    /// Whether the declared grants are all that it shall have.
    pub grants_exact: bool,
    /// What becomes of the grants when its owner changes, where that is said.
    pub owner_grants: Option<KeptGrants>,
    /// The hazards that are allowed for it.
    pub allow: Vec<HazardKind>,
    /// The images that must be in it.
    pub require_images: Vec<ImageRef>,
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

/// What one entity declares.
#[derive(Debug, PartialEq, Eq)]
pub struct Declaration<'a> {
    id: &'a ObjectId,
    object: &'a Object,
    /// How it is deployed.
    how: How<'a>,
}

/// Role, dependencies, exact grants, the fate of grants, allowed hazards, required images.
type How<'a> =
    (&'a Option<Ident>, &'a Vec<String>, bool, Option<KeptGrants>, &'a Vec<HazardKind>, &'a Vec<ImageRef>);

/// What the definition wants.
#[derive(Debug, Default)]
pub struct Desired {
    /// The objects, each with the attributes that are declared and no others.
    pub state: State,
    /// Who asked for each.
    pub origins: BTreeMap<ObjectId, Origin>,
    /// Objects that are declared, or named to be removed, and that this plan is not about: they belong to somebody, and
    /// are never pruned.
    pub unselected: BTreeSet<ObjectId>,
    /// Objects that must not exist any more, and where that is said.
    pub removed: BTreeMap<ObjectId, Origin>,
    /// Whether this is the way back from a plan.
    pub undoing: bool,
    /// The name of the project, which its objects carry.
    pub project: Option<Spanned<String>>,
    /// The most objects that a plan may drop or replace.
    pub max_drops: Option<DropLimit>,
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

    /// The objects whose tags a plan must know, the role to read each under, and the tags.
    pub fn tagged(&self) -> Vec<(&ObjectId, Option<&Ident>, Vec<&ObjectName>)> {
        let tagged = self.state.iter().filter(|(_, object)| !object.tags.is_empty());
        tagged
            .map(|(id, object)| (id, self.origins[id].role.as_ref(), object.tags.keys().collect()))
            .collect()
    }

    /// The objects whose images a plan must know, whatever it does.
    pub fn requiring_images(&self) -> Vec<(&ObjectId, Option<&Ident>)> {
        let requiring = self.origins.iter().filter(|(_, origin)| !origin.require_images.is_empty());
        requiring.map(|(id, origin)| (id, origin.role.as_ref())).collect()
    }

    /// The role under which an object is seen: its own, or that of the first declared object of its type and schema.
    pub fn role_to_see(&self, id: &ObjectId) -> Option<&Ident> {
        let own = self.origins.get(id).or_else(|| self.removed.get(id));
        let beside = || {
            // Those of one schema stand together, so nothing is searched: no name comes before the empty one.
            let name = ObjectName { schema: id.name.schema.clone(), name: Ident::exact("") };
            let next = self.origins.range(ObjectId { object_type: id.object_type, name }..).next();
            next.filter(|(other, _)| {
                other.object_type == id.object_type && other.name.schema == id.name.schema
            })
        };
        own.or_else(|| beside().map(|(_, origin)| origin)).and_then(|origin| origin.role.as_ref())
    }

    /// Where declared objects stand: there, and nowhere else, is looked for what belongs to the project and is not
    /// declared. Elsewhere the same project may have been deployed for another purpose.
    pub fn scopes(&self) -> BTreeSet<Scope> {
        self.origins.iter().map(|(id, origin)| scope_of(id, origin.role.as_ref())).collect()
    }

    /// What each entity declares, by its key, wherever in a text it stands.
    pub fn declarations(&self) -> BTreeMap<&str, Declaration<'_>> {
        let declared = self.origins.iter().map(|(id, origin)| {
            let Origin {
                entity,
                span: _,
                database: _,
                schema: _,
                attributes: _,
                role,
                depends_on,
                grants_exact,
                owner_grants,
                allow,
                require_images,
            } = origin;
            let object = &self.state[id];
            let how = (role, depends_on, *grants_exact, *owner_grants, allow, require_images);
            (entity.as_str(), Declaration { id, object, how })
        });
        declared.collect()
    }

    /// The objects that a plan must know of, and the role to read each under.
    pub fn wanted(&self) -> Vec<(&ObjectId, Option<&Ident>)> {
        self.origins.iter().chain(&self.removed).map(|(id, origin)| (id, origin.role.as_ref())).collect()
    }
}

/// Whether an object carries a project's mark, or is declared to.
pub fn carries_mark(object: &Object) -> bool {
    object.attributes.contains_key(PROJECT)
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
        desired.state.insert(id.clone(), object(entity, defaults, &mut found));
        desired.origins.insert(id, origin(entity, name));
    }
    desired.project.clone_from(&project.name);
    desired.max_drops = project.max_drops;
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

/// What an entity declares of its object.
fn object(entity: &Entity, defaults: &NameDefaults, found: &mut Diagnostics) -> Object {
    let mut tags = Tags::new();
    for (name, value) in &entity.tags {
        match complete(name, defaults) {
            (Some(database), Some(schema)) => {
                let full = ObjectName::new(database.clone(), schema.clone(), name.name.clone());
                tags.insert(full, value.value.clone());
            }
            _ => found.push(incomplete(name.name.as_str(), name, defaults)),
        }
    }
    Object {
        attributes: entity.attributes.iter().map(|(field, value)| (*field, value.value.clone())).collect(),
        facts: BTreeMap::new(),
        tags,
        grants: entity.grants.as_ref().map(|grants| grants.value.clone()),
    }
}

/// Where database and schema of a name come from.
fn part_origins(name: &WrittenName) -> (PartOrigin, PartOrigin) {
    let part = |written: bool| if written { PartOrigin::File } else { PartOrigin::Connection };
    let schema = if name.schema_by_convention { PartOrigin::Convention } else { part(name.schema.is_some()) };
    (part(name.database.is_some()), schema)
}

fn removed_origin(name: &WrittenName) -> Origin {
    let (database, schema) = part_origins(name);
    Origin { database, schema, ..Origin::bare(name.name.to_string(), name.span, None) }
}

impl Origin {
    /// Of an object that no entity stands for.
    pub fn bare(entity: String, span: Span, role: Option<Ident>) -> Self {
        Self {
            entity,
            span,
            database: PartOrigin::File,
            schema: PartOrigin::File,
            attributes: BTreeMap::new(),
            role,
            depends_on: Vec::new(),
            grants_exact: false,
            owner_grants: None,
            allow: Vec::new(),
            require_images: Vec::new(),
        }
    }
}

fn origin(entity: &Entity, name: &WrittenName) -> Origin {
    let (database, schema) = part_origins(name);
    Origin {
        entity: entity.key.value.clone(),
        span: entity.span,
        database,
        schema,
        grants_exact: entity.grants_exact,
        owner_grants: entity.owner_grants,
        allow: entity.allow.clone(),
        require_images: entity.require_images.iter().map(|image| image.value.clone()).collect(),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::state::ObjectType;
    use crate::source::files::Files;

    #[test]
    fn an_undeclared_object_is_seen_with_the_role_of_its_schema() {
        let id = |schema: &str, name: &str| ObjectId {
            object_type: ObjectType::ImageRepository,
            name: ObjectName::new(Ident::exact("DB"), Ident::exact(schema), Ident::exact(name)),
        };
        let span = Span::new(Files::default().add("snowflake.yml", ""), 0, 0);
        let origin = |role: &str| Origin::bare("repo".to_owned(), span, Some(Ident::exact(role)));
        let mut desired = Desired::default();
        for (schema, name, role) in [("A", "Z", "OF_A"), ("C", "B", "OF_C"), ("C", "Y", "LATER")] {
            desired.origins.insert(id(schema, name), origin(role));
        }
        desired.removed.insert(id("D", "OLD"), origin("OF_OLD"));
        let seen = |schema, name| desired.role_to_see(&id(schema, name)).map(Ident::as_str);
        assert_eq!(
            [seen("C", "A"), seen("C", "X"), seen("C", "Y")],
            [Some("OF_C"), Some("OF_C"), Some("LATER")]
        );
        assert_eq!(
            [seen("A", "A"), seen("A", "ZZ"), seen("D", "OLD")],
            [Some("OF_A"), Some("OF_A"), Some("OF_OLD")]
        );
        assert_eq!([seen("B", "A"), seen("D", "A"), seen("E", "A")], [None; 3]);
    }
}
