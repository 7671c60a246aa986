//! What was read of an account, as it stands in a file.

use crate::kind::{self, Managed};
use crate::object::name::{Ident, ObjectName, SchemaName};
use crate::object::reading::{Live, Privilege, Privileges, Scope, ScopeReading, Users};
use crate::object::state::{Contents, Grant, Grantee, Image, Object, ObjectId, ObjectType, State};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Serialize, Deserialize)]
pub(super) struct LiveDocument {
    objects: Vec<ObjectDocument>,
    siblings: Vec<ObjectDocument>,
    scopes: Vec<ScopeDocument>,
    contents: Vec<ContentsDocument>,
    users: Vec<UsersDocument>,
    privileges: Vec<PrivilegesDocument>,
    sight: Vec<PrivilegesDocument>,
}

#[derive(Serialize, Deserialize)]
struct UsersDocument {
    of: IdDocument,
    names: Vec<[String; 3]>,
    unread: usize,
    /// Where they could not be listed.
    why_unknown: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct PrivilegesDocument {
    role: String,
    roles: Vec<String>,
    /// Privilege, what it is on, and the name of that.
    held: Vec<[String; 3]>,
}

/// An object; a desired one is written in the same form.
#[derive(Serialize, Deserialize)]
pub(super) struct ObjectDocument {
    #[serde(rename = "type")]
    type_name: String,
    /// Database, schema and name, as the account stores them.
    name: [String; 3],
    attributes: BTreeMap<String, String>,
    facts: BTreeMap<String, String>,
    tags: Vec<TagDocument>,
    grants: Option<Vec<GrantDocument>>,
}

#[derive(Serialize, Deserialize)]
struct TagDocument {
    tag: [String; 3],
    value: String,
}

#[derive(Serialize, Deserialize)]
struct GrantDocument {
    privilege: String,
    /// For a role of a database.
    database: Option<String>,
    /// What it is, where it is no role.
    kind: Option<String>,
    role: String,
}

#[derive(Serialize, Deserialize)]
struct ScopeDocument {
    #[serde(rename = "type")]
    type_name: String,
    database: String,
    schema: String,
    role: Option<String>,
    reading: ReadingDocument,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum ReadingDocument {
    Listed,
    NoDatabase,
    NoSchema,
}

#[derive(Serialize, Deserialize)]
struct ContentsDocument {
    #[serde(rename = "type")]
    type_name: String,
    name: [String; 3],
    /// Nothing where they could not be listed.
    images: Option<Vec<ImageDocument>>,
    why_unknown: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct ImageDocument {
    name: String,
    tags: Vec<String>,
    digest: String,
    created_on: Option<String>,
}

impl LiveDocument {
    pub(super) fn of(live: &Live) -> Self {
        let Live { state, siblings, scopes, contents, users, privileges, sight } = live;
        let objects =
            |state: &State| state.iter().map(|(id, object)| ObjectDocument::of(id, object)).collect();
        Self {
            objects: objects(state),
            siblings: objects(siblings),
            scopes: scopes.iter().map(|(scope, reading)| scope_document(scope, reading)).collect(),
            contents: contents.iter().map(|(id, contents)| contents_document(id, contents)).collect(),
            users: users.iter().map(|(id, users)| users_document(id, users)).collect(),
            privileges: privileges.iter().map(|(role, held)| privileges_document(role, held)).collect(),
            sight: sight.iter().map(|(role, held)| privileges_document(role, held)).collect(),
        }
    }

    /// Nothing where it names a type that does not exist.
    pub(super) fn read(self) -> Option<Live> {
        let Self { objects: state, siblings, scopes, contents, users, privileges, sight } = self;
        let objects = |list: Vec<ObjectDocument>| -> Option<State> {
            list.into_iter().map(ObjectDocument::read).collect()
        };
        Some(Live {
            state: objects(state)?,
            siblings: objects(siblings)?,
            scopes: scopes.into_iter().map(scope).collect::<Option<_>>()?,
            contents: contents.into_iter().map(self::contents).collect::<Option<_>>()?,
            users: users.into_iter().map(self::users).collect::<Option<_>>()?,
            privileges: privileges.into_iter().map(self::privileges).collect(),
            sight: sight.into_iter().map(self::privileges).collect(),
        })
    }
}

impl ObjectDocument {
    pub(super) fn of(id: &ObjectId, object: &Object) -> Self {
        let Object { attributes, facts, tags, grants } = object;
        let texts = |map: &BTreeMap<&'static str, String>| {
            map.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
        };
        Self {
            type_name: id.object_type.type_name().to_owned(),
            name: name(&id.name),
            attributes: texts(attributes),
            facts: texts(facts),
            tags: tags
                .iter()
                .map(|(tag, value)| TagDocument { tag: name(tag), value: value.clone() })
                .collect(),
            grants: grants.as_ref().map(|grants| grants.iter().map(grant_document).collect()),
        }
    }

    pub(super) fn read(self) -> Option<(ObjectId, Object)> {
        let id = object_id(&self.type_name, self.name)?;
        let managed: &Managed = kind::managed(id.object_type);
        let attributes = self.attributes.into_iter();
        let attributes = attributes
            .map(|(name, value)| Some((managed.attribute(&name)?.name, value)))
            .collect::<Option<_>>()?;
        let facts = self.facts.into_iter();
        let facts = facts
            .map(|(name, value)| Some((*managed.facts.iter().find(|fact| **fact == name)?, value)))
            .collect::<Option<_>>()?;
        let tags =
            self.tags.into_iter().map(|TagDocument { tag, value }| (object_name(tag), value)).collect();
        let grants = self.grants.map(|grants| grants.into_iter().map(grant).collect());
        Some((id, Object { attributes, facts, tags, grants }))
    }
}

/// The type and the full name of an object.
#[derive(Serialize, Deserialize)]
pub(super) struct IdDocument {
    #[serde(rename = "type")]
    type_name: String,
    name: [String; 3],
}

impl IdDocument {
    pub(super) fn of(id: &ObjectId) -> Self {
        Self { type_name: id.object_type.type_name().to_owned(), name: name(&id.name) }
    }

    pub(super) fn read(self) -> Option<ObjectId> {
        object_id(&self.type_name, self.name)
    }
}

fn object_type(type_name: &str) -> Option<ObjectType> {
    Some(kind::by_type_name(type_name)?.managed?.object_type)
}

fn object_id(type_name: &str, name: [String; 3]) -> Option<ObjectId> {
    Some(ObjectId { object_type: object_type(type_name)?, name: object_name(name) })
}

fn object_name([database, schema, name]: [String; 3]) -> ObjectName {
    ObjectName::new(Ident::exact(database), Ident::exact(schema), Ident::exact(name))
}

fn name(name: &ObjectName) -> [String; 3] {
    name.parts().map(|part| part.as_str().to_owned())
}

fn exact(ident: &Ident) -> String {
    ident.as_str().to_owned()
}

fn grant_document(grant: &Grant) -> GrantDocument {
    let privilege = grant.privilege.clone();
    match &grant.grantee {
        Grantee::Role(role) => GrantDocument { privilege, database: None, kind: None, role: exact(role) },
        Grantee::DatabaseRole(database, role) => {
            GrantDocument { privilege, database: Some(exact(database)), kind: None, role: exact(role) }
        }
        Grantee::Other { kind, name } => {
            GrantDocument { privilege, database: None, kind: Some(kind.clone()), role: name.clone() }
        }
    }
}

fn grant(document: GrantDocument) -> Grant {
    let GrantDocument { privilege, database, kind, role } = document;
    let grantee = match (database, kind) {
        (Some(database), _) => Grantee::DatabaseRole(Ident::exact(database), Ident::exact(role)),
        (None, Some(kind)) => Grantee::Other { kind, name: role },
        (None, None) => Grantee::Role(Ident::exact(role)),
    };
    Grant { privilege, grantee }
}

fn scope_document(scope: &Scope, reading: &ScopeReading) -> ScopeDocument {
    let Scope { object_type, schema: SchemaName { database, schema }, role } = scope;
    ScopeDocument {
        type_name: object_type.type_name().to_owned(),
        database: exact(database),
        schema: exact(schema),
        role: role.as_ref().map(exact),
        reading: match reading {
            ScopeReading::Listed => ReadingDocument::Listed,
            ScopeReading::NoDatabase => ReadingDocument::NoDatabase,
            ScopeReading::NoSchema => ReadingDocument::NoSchema,
        },
    }
}

fn scope(document: ScopeDocument) -> Option<(Scope, ScopeReading)> {
    let schema =
        SchemaName { database: Ident::exact(document.database), schema: Ident::exact(document.schema) };
    let role = document.role.map(Ident::exact);
    let reading = match document.reading {
        ReadingDocument::Listed => ScopeReading::Listed,
        ReadingDocument::NoDatabase => ScopeReading::NoDatabase,
        ReadingDocument::NoSchema => ScopeReading::NoSchema,
    };
    Some((Scope { object_type: object_type(&document.type_name)?, schema, role }, reading))
}

fn users_document(id: &ObjectId, users: &Users) -> UsersDocument {
    let of = IdDocument::of(id);
    match users {
        Users::Listed { names, unread } => {
            UsersDocument { of, names: names.iter().map(name).collect(), unread: *unread, why_unknown: None }
        }
        Users::Unknown { why } => {
            UsersDocument { of, names: Vec::new(), unread: 0, why_unknown: Some(why.clone()) }
        }
    }
}

fn users(document: UsersDocument) -> Option<(ObjectId, Users)> {
    let UsersDocument { of, names, unread, why_unknown } = document;
    let users = match why_unknown {
        Some(why) => Users::Unknown { why },
        None => Users::Listed { names: names.into_iter().map(object_name).collect(), unread },
    };
    Some((of.read()?, users))
}

fn privileges_document(role: &Ident, privileges: &Privileges) -> PrivilegesDocument {
    let Privileges { roles, held } = privileges;
    let held = held.iter().map(|Privilege { privilege, granted_on, name }| {
        [privilege.clone(), granted_on.clone(), name.clone()]
    });
    PrivilegesDocument { role: exact(role), roles: roles.iter().map(exact).collect(), held: held.collect() }
}

fn privileges(document: PrivilegesDocument) -> (Ident, Privileges) {
    let PrivilegesDocument { role, roles, held } = document;
    let held = held
        .into_iter()
        .map(|[privilege, granted_on, name]| Privilege { privilege, granted_on, name })
        .collect();
    let roles = roles.into_iter().map(Ident::exact).collect();
    (Ident::exact(role), Privileges { roles, held })
}

fn contents_document(id: &ObjectId, contents: &Contents) -> ContentsDocument {
    let (images, why_unknown) = match contents {
        Contents::Listed(images) => (Some(images.iter().map(image_document).collect()), None),
        Contents::Unknown { why } => (None, Some(why.clone())),
    };
    ContentsDocument {
        type_name: id.object_type.type_name().to_owned(),
        name: name(&id.name),
        images,
        why_unknown,
    }
}

fn image_document(image: &Image) -> ImageDocument {
    let Image { name, tags, digest, created_on } = image.clone();
    ImageDocument { name, tags, digest, created_on }
}

fn contents(document: ContentsDocument) -> Option<(ObjectId, Contents)> {
    let id = object_id(&document.type_name, document.name)?;
    let image = |image: ImageDocument| {
        let ImageDocument { name, tags, digest, created_on } = image;
        Image { name, tags, digest, created_on }
    };
    let contents = match document.images {
        Some(images) => Contents::Listed(images.into_iter().map(image).collect()),
        None => Contents::Unknown { why: document.why_unknown.unwrap_or_default() },
    };
    Some((id, contents))
}
