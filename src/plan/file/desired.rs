//! What is wanted, as it stands in a saved plan.

use super::live::{IdDocument, ObjectDocument};
use crate::desired::{Desired, DropLimit, NotManaged, Origin, PartOrigin};
use crate::kind::{self, KeptGrants};
use crate::object::name::Ident;
use crate::object::state::{ImageRef, Object, ObjectId, Tags};
use crate::object::statement::HazardKind;
use crate::source::files::Files;
use crate::source::span::{FileId, Span, Spanned};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Serialize, Deserialize)]
pub(super) struct DesiredDocument {
    objects: Vec<WantedDocument>,
    unselected: Vec<IdDocument>,
    removed: Vec<WantedDocument>,
    undoing: bool,
    project: Option<(String, SpanDocument)>,
    max_drops: Option<String>,
    not_managed: Vec<NotManagedDocument>,
    without_effect: Vec<(String, SpanDocument)>,
}

/// File, first byte, byte behind the last.
type SpanDocument = (u16, u32, u32);

#[derive(Serialize, Deserialize)]
struct WantedDocument {
    object: ObjectDocument,
    entity: String,
    span: SpanDocument,
    database_from: PartDocument,
    schema_from: PartDocument,
    attribute_spans: BTreeMap<String, SpanDocument>,
    role: Option<String>,
    depends_on: Vec<String>,
    grants_exact: bool,
    owner_grants: Option<KeptGrantsDocument>,
    allow: Vec<String>,
    require_images: Vec<String>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum PartDocument {
    File,
    Connection,
    Convention,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum KeptGrantsDocument {
    None,
    Copied,
    Revoked,
}

#[derive(Serialize, Deserialize)]
struct NotManagedDocument {
    entity: String,
    #[serde(rename = "type")]
    type_name: String,
    span: SpanDocument,
}

impl DesiredDocument {
    pub(super) fn of(desired: &Desired) -> Self {
        let Desired {
            state,
            origins,
            unselected,
            removed,
            undoing,
            project,
            max_drops,
            not_managed,
            without_effect,
        } = desired;
        let nothing =
            Object { attributes: BTreeMap::new(), facts: BTreeMap::new(), tags: Tags::new(), grants: None };
        Self {
            objects: state.iter().map(|(id, object)| wanted_document(id, object, &origins[id])).collect(),
            unselected: unselected.iter().map(IdDocument::of).collect(),
            removed: removed.iter().map(|(id, origin)| wanted_document(id, &nothing, origin)).collect(),
            undoing: *undoing,
            project: project.as_ref().map(|name| (name.value.clone(), span(name.span))),
            max_drops: max_drops.map(|limit| limit.to_string()),
            not_managed: not_managed
                .iter()
                .map(|NotManaged { entity, type_name, span: at }| NotManagedDocument {
                    entity: entity.clone(),
                    type_name: (*type_name).to_owned(),
                    span: span(*at),
                })
                .collect(),
            without_effect: without_effect.iter().map(|note| (note.value.clone(), span(note.span))).collect(),
        }
    }

    /// Nothing where it names what does not exist.
    pub(super) fn read(self, files: &Files) -> Option<Desired> {
        let known = files.ids().count();
        let place = |(file, start, end): SpanDocument| {
            (usize::from(file) < known && start <= end).then_some(Span { file: FileId(file), start, end })
        };
        let mut desired = Desired::default();
        for entity in self.objects {
            let (id, object, origin) = wanted(entity, &place)?;
            desired.state.insert(id.clone(), object);
            desired.origins.insert(id, origin);
        }
        desired.unselected = self.unselected.into_iter().map(IdDocument::read).collect::<Option<_>>()?;
        for entity in self.removed {
            let (id, _, origin) = wanted(entity, &place)?;
            desired.removed.insert(id, origin);
        }
        desired.undoing = self.undoing;
        if let Some((name, at)) = self.project {
            desired.project = Some(Spanned::new(name, place(at)?));
        }
        if let Some(limit) = self.max_drops {
            desired.max_drops = Some(DropLimit::parse(&limit)?);
        }
        for entity in self.not_managed {
            let type_name = kind::by_type_name(&entity.type_name)?.type_name;
            let span = place(entity.span)?;
            desired.not_managed.push(NotManaged { entity: entity.entity, type_name, span });
        }
        for (text, at) in self.without_effect {
            desired.without_effect.push(Spanned::new(text, place(at)?));
        }
        Some(desired)
    }
}

fn span(span: Span) -> SpanDocument {
    let Span { file, start, end } = span;
    (file.0, start, end)
}

fn wanted_document(id: &ObjectId, object: &Object, origin: &Origin) -> WantedDocument {
    let Origin {
        entity,
        span: at,
        database,
        schema,
        attributes,
        role,
        depends_on,
        grants_exact,
        owner_grants,
        allow,
        require_images,
    } = origin;
    let part = |part: &PartOrigin| match part {
        PartOrigin::File => PartDocument::File,
        PartOrigin::Connection => PartDocument::Connection,
        PartOrigin::Convention => PartDocument::Convention,
    };
    WantedDocument {
        object: ObjectDocument::of(id, object),
        entity: entity.clone(),
        span: span(*at),
        database_from: part(database),
        schema_from: part(schema),
        attribute_spans: attributes.iter().map(|(name, at)| ((*name).to_owned(), span(*at))).collect(),
        role: role.as_ref().map(|role| role.as_str().to_owned()),
        depends_on: depends_on.clone(),
        grants_exact: *grants_exact,
        owner_grants: owner_grants.map(|kept| match kept {
            KeptGrants::None => KeptGrantsDocument::None,
            KeptGrants::Copied => KeptGrantsDocument::Copied,
            KeptGrants::Revoked => KeptGrantsDocument::Revoked,
        }),
        allow: allow.iter().map(|kind| kind.name().to_owned()).collect(),
        require_images: require_images.iter().map(ToString::to_string).collect(),
    }
}

fn wanted(
    entity: WantedDocument,
    place: &impl Fn(SpanDocument) -> Option<Span>,
) -> Option<(ObjectId, Object, Origin)> {
    let (id, object) = entity.object.read()?;
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
    let hazard = |name: &String| HazardKind::ALL.iter().find(|kind| kind.name() == name).copied();
    let origin = Origin {
        entity: entity.entity,
        span: place(entity.span)?,
        database: part(entity.database_from),
        schema: part(entity.schema_from),
        attributes,
        role: entity.role.map(Ident::exact),
        depends_on: entity.depends_on,
        grants_exact: entity.grants_exact,
        owner_grants: entity.owner_grants.map(|kept| match kept {
            KeptGrantsDocument::None => KeptGrants::None,
            KeptGrantsDocument::Copied => KeptGrants::Copied,
            KeptGrantsDocument::Revoked => KeptGrants::Revoked,
        }),
        allow: entity.allow.iter().map(hazard).collect::<Option<_>>()?,
        require_images: entity
            .require_images
            .iter()
            .map(|text| ImageRef::parse(text))
            .collect::<Option<_>>()?,
    };
    Some((id, object, origin))
}
