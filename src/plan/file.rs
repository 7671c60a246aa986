//! The saved plan: everything that a plan was made from, so that it can be shown without an account, and carried out
//! only where nothing has moved since.
//!
//! No statement is read from a file: a plan is a function of what is saved, so the statements are made anew, by the same
//! code, from typed names and values. A file of another format version is refused.

use super::{Goal, Plan, Target, plan};
use crate::desired::{Desired, NotManaged, Origin, PartOrigin};
use crate::kind::{self, Managed};
use crate::object::name::{Ident, ObjectName, SchemaName};
use crate::object::reading::{Live, Scope, ScopeReading};
use crate::object::state::{Contents, Grant, Grantee, Image, Object, ObjectId, ObjectType, State};
use crate::source::files::Files;
use crate::source::span::{FileId, Span, Spanned};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The name of the format.
const FORMAT: &str = "snowform/saved-plan";
/// Its version; a file of another is refused.
const FORMAT_VERSION: u32 = 1;

/// What a plan is made from.
#[derive(Debug)]
pub struct Saved {
    /// What it is for.
    pub goal: Goal,
    /// Where it acts.
    pub target: Target,
    /// The definition's texts.
    pub files: Files,
    /// What is wanted.
    pub desired: Desired,
    /// What was read.
    pub live: Live,
}

/// Why a file is no plan that can be used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It is something else, or was cut off.
    #[error("this is no saved plan: {0}")]
    NotAPlan(String),
    /// It was saved by a version with another format.
    #[error(
        "the plan was saved by snowform {tool_version} in format {found}; this version reads format {FORMAT_VERSION}"
    )]
    OtherFormat {
        /// The version of snowform that saved it.
        tool_version: String,
        /// The file's format.
        found: u32,
    },
}

impl Saved {
    /// The plan.
    pub fn plan(&self) -> Plan {
        plan(self.goal, self.target.clone(), &self.desired, &self.live)
    }

    /// What an account holds otherwise now than when the plan was made, one sentence each.
    pub fn moved(&self, now: &Live) -> Vec<String> {
        let Live { state, scopes, contents } = &self.live;
        let mut moved = Vec::new();
        for (scope, reading) in scopes {
            if now.scopes.get(scope) != Some(reading) {
                moved.push(format!("schema {} is or is not there any more", scope.schema));
            }
        }
        for id in self.desired.state.keys().chain(self.desired.removed.keys()) {
            match (state.get(id), now.state.get(id)) {
                (None, None) => {}
                (None, Some(_)) => moved.push(format!("{id} was created")),
                (Some(_), None) => moved.push(format!("{id} was dropped")),
                (Some(before), Some(after)) => moved.extend(changed(id, before, after)),
            }
        }
        for (id, before) in contents {
            if now.contents.get(id) != Some(before) {
                moved.push(format!("images of {id} were pushed or removed"));
            }
        }
        moved
    }
}

fn changed(id: &ObjectId, before: &Object, after: &Object) -> Vec<String> {
    let Object { attributes, facts, grants } = before;
    let values = attributes.iter().map(|(name, value)| (*name, value, after.attributes.get(name)));
    let values = values.chain(facts.iter().map(|(name, value)| (*name, value, after.facts.get(name))));
    let differing = values.filter(|(_, before, after)| *after != Some(*before));
    let regranted = (*grants != after.grants).then(|| format!("{id}: its grants are others"));
    differing
        .map(|(name, before, after)| {
            let after = after.map_or_else(|| "nothing".to_owned(), |after| format!("{after:?}"));
            format!("{id}: {name} was {before:?} and is {after}")
        })
        .chain(regranted)
        .collect()
}

#[derive(Serialize, Deserialize)]
struct Document {
    format: String,
    format_version: u32,
    tool_version: String,
    goal: GoalDocument,
    account: String,
    host: String,
    role: Option<String>,
    files: Vec<FileDocument>,
    desired: Vec<DesiredDocument>,
    removed: Vec<DesiredDocument>,
    not_managed: Vec<NotManagedDocument>,
    without_effect: Vec<(String, SpanDocument)>,
    live: Vec<ObjectDocument>,
    scopes: Vec<ScopeDocument>,
    contents: Vec<ContentsDocument>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum GoalDocument {
    Deploy,
    Replace,
    Destroy,
}

#[derive(Serialize, Deserialize)]
struct FileDocument {
    path: String,
    text: String,
}

/// File, first byte, byte behind the last.
type SpanDocument = (u16, u32, u32);

#[derive(Serialize, Deserialize)]
struct ObjectDocument {
    #[serde(rename = "type")]
    type_name: String,
    /// Database, schema and name, as the account stores them.
    name: [String; 3],
    attributes: BTreeMap<String, String>,
    facts: BTreeMap<String, String>,
    grants: Option<Vec<GrantDocument>>,
}

#[derive(Serialize, Deserialize)]
struct GrantDocument {
    privilege: String,
    /// For a role of a database.
    database: Option<String>,
    role: String,
}

#[derive(Serialize, Deserialize)]
struct DesiredDocument {
    object: ObjectDocument,
    entity: String,
    span: SpanDocument,
    database_from: PartDocument,
    schema_from: PartDocument,
    attribute_spans: BTreeMap<String, SpanDocument>,
    role: Option<String>,
    depends_on: Vec<String>,
    prevent_drop: bool,
    grants_exact: bool,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum PartDocument {
    File,
    Connection,
    Convention,
}

#[derive(Serialize, Deserialize)]
struct NotManagedDocument {
    entity: String,
    #[serde(rename = "type")]
    type_name: String,
    span: SpanDocument,
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

/// Writes what a plan is made from.
pub fn write(saved: &Saved) -> String {
    let Saved { goal, target, files, desired, live } = saved;
    let Target { account, host, role } = target.clone();
    let Desired { state, origins, removed, not_managed, without_effect } = desired;
    let nothing = Object { attributes: BTreeMap::new(), facts: BTreeMap::new(), grants: None };
    let Live { state: live, scopes, contents } = live;
    let document = Document {
        format: FORMAT.to_owned(),
        format_version: FORMAT_VERSION,
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        goal: match goal {
            Goal::Deploy => GoalDocument::Deploy,
            Goal::Replace => GoalDocument::Replace,
            Goal::Destroy => GoalDocument::Destroy,
        },
        account,
        host,
        role,
        files: files
            .ids()
            .map(|id| FileDocument { path: files.path(id).to_owned(), text: files.text(id).to_owned() })
            .collect(),
        desired: state.iter().map(|(id, object)| desired_document(id, object, &origins[id])).collect(),
        removed: removed.iter().map(|(id, origin)| desired_document(id, &nothing, origin)).collect(),
        not_managed: not_managed
            .iter()
            .map(|NotManaged { entity, type_name, span: at }| NotManagedDocument {
                entity: entity.clone(),
                type_name: (*type_name).to_owned(),
                span: span(*at),
            })
            .collect(),
        without_effect: without_effect.iter().map(|note| (note.value.clone(), span(note.span))).collect(),
        live: live.iter().map(|(id, object)| object_document(id, object)).collect(),
        scopes: scopes.iter().map(|(scope, reading)| scope_document(scope, reading)).collect(),
        contents: contents.iter().map(|(id, contents)| contents_document(id, contents)).collect(),
    };
    serde_json::to_string_pretty(&document).expect("internal error: every key of the document is a text")
        + "\n"
}

fn span(span: Span) -> SpanDocument {
    let Span { file, start, end } = span;
    (file.0, start, end)
}

fn name(name: &ObjectName) -> [String; 3] {
    name.parts().map(|part| part.as_str().to_owned())
}

fn exact(ident: &Ident) -> String {
    ident.as_str().to_owned()
}

fn object_document(id: &ObjectId, object: &Object) -> ObjectDocument {
    let Object { attributes, facts, grants } = object;
    let texts = |map: &BTreeMap<&'static str, String>| {
        map.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
    };
    ObjectDocument {
        type_name: id.object_type.type_name().to_owned(),
        name: name(&id.name),
        attributes: texts(attributes),
        facts: texts(facts),
        grants: grants.as_ref().map(|grants| grants.iter().map(grant_document).collect()),
    }
}

fn grant_document(grant: &Grant) -> GrantDocument {
    let privilege = grant.privilege.clone();
    match &grant.grantee {
        Grantee::Role(role) => GrantDocument { privilege, database: None, role: exact(role) },
        Grantee::DatabaseRole(database, role) => {
            GrantDocument { privilege, database: Some(exact(database)), role: exact(role) }
        }
    }
}

fn grant(document: GrantDocument) -> Grant {
    let GrantDocument { privilege, database, role } = document;
    let role = Ident::exact(role);
    let grantee = match database {
        Some(database) => Grantee::DatabaseRole(Ident::exact(database), role),
        None => Grantee::Role(role),
    };
    Grant { privilege, grantee }
}

fn desired_document(id: &ObjectId, object: &Object, origin: &Origin) -> DesiredDocument {
    let Origin {
        entity,
        span: at,
        database,
        schema,
        attributes,
        role,
        depends_on,
        prevent_drop,
        grants_exact,
    } = origin;
    let part = |part: &PartOrigin| match part {
        PartOrigin::File => PartDocument::File,
        PartOrigin::Connection => PartDocument::Connection,
        PartOrigin::Convention => PartDocument::Convention,
    };
    DesiredDocument {
        object: object_document(id, object),
        entity: entity.clone(),
        span: span(*at),
        database_from: part(database),
        schema_from: part(schema),
        attribute_spans: attributes.iter().map(|(name, at)| ((*name).to_owned(), span(*at))).collect(),
        role: role.as_ref().map(exact),
        depends_on: depends_on.clone(),
        prevent_drop: *prevent_drop,
        grants_exact: *grants_exact,
    }
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

/// Reads what a plan is made from.
///
/// # Errors
/// Where the text is something else, or of another format.
pub fn read(text: &str) -> Result<Saved, FileError> {
    let not_a_plan = |error: serde_json::Error| FileError::NotAPlan(error.to_string());
    let head: serde_json::Value = serde_json::from_str(text).map_err(not_a_plan)?;
    if head["format"] != FORMAT {
        return Err(FileError::NotAPlan(format!("it does not say `\"format\": \"{FORMAT}\"`")));
    }
    let found = head["format_version"].as_u64().and_then(|version| u32::try_from(version).ok()).unwrap_or(0);
    if found != FORMAT_VERSION {
        let tool_version = head["tool_version"].as_str().unwrap_or("of an unknown version").to_owned();
        return Err(FileError::OtherFormat { tool_version, found });
    }
    let document: Document = serde_json::from_value(head).map_err(not_a_plan)?;
    from_document(document)
        .ok_or_else(|| FileError::NotAPlan("it names types or places that do not exist".to_owned()))
}

fn from_document(document: Document) -> Option<Saved> {
    let mut files = Files::default();
    for FileDocument { path, text } in document.files {
        files.add(path, text);
    }
    let known = files.ids().count();
    let place = |(file, start, end): SpanDocument| {
        (usize::from(file) < known && start <= end).then_some(Span { file: FileId(file), start, end })
    };
    let mut desired = Desired::default();
    for entity in document.desired {
        let (id, object, origin) = wanted(entity, &place)?;
        desired.state.insert(id.clone(), object);
        desired.origins.insert(id, origin);
    }
    for entity in document.removed {
        let (id, _, origin) = wanted(entity, &place)?;
        desired.removed.insert(id, origin);
    }
    for entity in document.not_managed {
        let type_name = kind::by_type_name(&entity.type_name)?.type_name;
        desired.not_managed.push(NotManaged { entity: entity.entity, type_name, span: place(entity.span)? });
    }
    for (text, at) in document.without_effect {
        desired.without_effect.push(Spanned::new(text, place(at)?));
    }
    let live = Live {
        state: document.live.into_iter().map(object).collect::<Option<State>>()?,
        scopes: document.scopes.into_iter().map(scope).collect::<Option<_>>()?,
        contents: document.contents.into_iter().map(contents).collect::<Option<_>>()?,
    };
    let goal = match document.goal {
        GoalDocument::Deploy => Goal::Deploy,
        GoalDocument::Replace => Goal::Replace,
        GoalDocument::Destroy => Goal::Destroy,
    };
    let target = Target { account: document.account, host: document.host, role: document.role };
    Some(Saved { goal, target, files, desired, live })
}

fn wanted(
    entity: DesiredDocument,
    place: &impl Fn(SpanDocument) -> Option<Span>,
) -> Option<(ObjectId, Object, Origin)> {
    let (id, object) = object(entity.object)?;
    let managed = kind::managed(id.object_type);
    let part = |part| match part {
        PartDocument::File => PartOrigin::File,
        PartDocument::Connection => PartOrigin::Connection,
        PartDocument::Convention => PartOrigin::Convention,
    };
    let attributes = entity.attribute_spans.into_iter();
    let attributes = attributes
        .map(|(name, at)| Some((managed.attribute(&name)?.name, place(at)?)))
        .collect::<Option<_>>()?;
    let origin = Origin {
        entity: entity.entity,
        span: place(entity.span)?,
        database: part(entity.database_from),
        schema: part(entity.schema_from),
        attributes,
        role: entity.role.map(Ident::exact),
        depends_on: entity.depends_on,
        prevent_drop: entity.prevent_drop,
        grants_exact: entity.grants_exact,
    };
    Some((id, object, origin))
}

fn object_type(type_name: &str) -> Option<ObjectType> {
    Some(kind::by_type_name(type_name)?.managed?.object_type)
}

fn object_id(type_name: &str, [database, schema, name]: [String; 3]) -> Option<ObjectId> {
    let name = ObjectName::new(Ident::exact(database), Ident::exact(schema), Ident::exact(name));
    Some(ObjectId { object_type: object_type(type_name)?, name })
}

fn object(document: ObjectDocument) -> Option<(ObjectId, Object)> {
    let id = object_id(&document.type_name, document.name)?;
    let managed: &Managed = kind::managed(id.object_type);
    let attributes = document.attributes.into_iter();
    let attributes = attributes
        .map(|(name, value)| Some((managed.attribute(&name)?.name, value)))
        .collect::<Option<_>>()?;
    let facts = document.facts.into_iter();
    let facts = facts
        .map(|(name, value)| Some((*managed.facts.iter().find(|fact| **fact == name)?, value)))
        .collect::<Option<_>>()?;
    let grants = document.grants.map(|grants| grants.into_iter().map(grant).collect());
    Some((id, Object { attributes, facts, grants }))
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
