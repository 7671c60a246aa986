//! `snowflake.yml` to a [`Project`].

use super::shape::{self, Place};
use super::template::{Renderer, TEMPLATE_NOT_ALLOWED};
use super::{
    Entity, Inputs, MISSING_KEY, Meta, Project, UNKNOWN_TYPE, VERSION, WRONG_SHAPE, finding, identifier,
    merge, mixin, overlay, reference,
};
use crate::kind::field::Shape;
use crate::kind::{self, Kind};
use crate::object::name::Ident;
use crate::source::diagnostic::{Diagnostic, Diagnostics, did_you_mean};
use crate::source::files::Files;
use crate::source::span::{FileId, Span, Spanned};
use crate::source::yaml::{self, Data, Entry, Node, Parsed};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

const TOP_LEVEL: [&str; 4] = ["definition_version", "entities", "env", "mixins"];

/// What was read: the project, what is wrong with it, and the trees that it was read from.
#[derive(Debug, Default)]
pub struct Decoded {
    /// What is declared.
    pub project: Project,
    /// What is wrong.
    pub diagnostics: Diagnostics,
    /// What stands where.
    pub trees: Trees,
}

/// The documents on the way from texts to project. They share what they have in common.
#[derive(Clone, Debug, Default)]
pub struct Trees {
    /// `snowflake.yml` as it stands.
    pub definition: Option<Arc<Node>>,
    /// `snowflake.local.yml` as it stands.
    pub local: Option<Arc<Node>>,
    /// `snowform.yml` as it stands.
    pub overlay: Option<Arc<Node>>,
    /// The definition with the local file and the mixins, its templates not rendered.
    pub applied: Option<Arc<Node>>,
    /// The same with its templates rendered.
    pub rendered: Option<Arc<Node>>,
}

/// Reads a project. Whatever is wrong is in the diagnostics, and the project holds the rest.
pub fn decode(files: &Files, inputs: &Inputs<'_>) -> Decoded {
    let mut texts = Texts { files, syntax: Diagnostics::default(), unfinished: BTreeSet::new() };
    let mut found = Diagnostics::default();
    let mut project = Project::default();
    let mut trees = Trees { definition: texts.read(inputs.definition), ..Trees::default() };
    let Some(root) = &trees.definition else {
        return Decoded { diagnostics: texts.syntax, ..Decoded::default() };
    };
    if root.as_mapping().is_none() {
        texts.syntax.push(not_a_definition(root));
        return Decoded { diagnostics: texts.syntax, trees, ..Decoded::default() };
    }
    trees.local = inputs.local.and_then(|file| texts.read(file));
    let merged = trees
        .local
        .as_ref()
        .map_or_else(|| Arc::clone(root), |local| merge::lay_over(root, local, &mut found));
    let applied = mixin::apply(&merged, &mut found);
    trees.overlay = inputs.overlay.and_then(|file| texts.read(file));
    let renderer = Renderer::new(files, &applied, inputs.variables).with_targets(trees.overlay.as_ref());
    let rendered = renderer.render(&applied);
    let overlay = trees.overlay.as_ref().map(|overlay| renderer.render(overlay));
    let (templates, unknown) = renderer.finish();
    top_level(&rendered, &texts, &mut found);
    if let Some(entities) = rendered.entry("entities") {
        decode_entities(entities, &mut project, &mut found);
    }
    if let Some(overlay) = overlay {
        overlay::apply(&overlay, &mut project, &mut found);
    }
    let Texts { syntax: mut diagnostics, unfinished, files: _ } = texts;
    // What a syntax error cut short is not blamed for what it lacks, and an unknown value not for what it is.
    let speaks = |span: &Span| !unfinished.contains(span) && !unknown.contains(span);
    found.retain(|found| speaks(&found.primary.span));
    diagnostics.extend(found);
    diagnostics.extend(templates);
    Decoded {
        project,
        diagnostics,
        trees: Trees { applied: Some(applied), rendered: Some(rendered), ..trees },
    }
}

/// The texts of a project, and what is wrong with them as YAML.
struct Texts<'a> {
    files: &'a Files,
    syntax: Diagnostics,
    unfinished: BTreeSet<Span>,
}

impl Texts<'_> {
    fn read(&mut self, file: FileId) -> Option<Arc<Node>> {
        let Parsed { root, diagnostics, unfinished, texts: _, broken: _ } =
            yaml::parse(file, self.files.text(file));
        self.syntax.extend(diagnostics);
        self.unfinished.extend(unfinished);
        root
    }
}

fn not_a_definition(root: &Node) -> Diagnostic {
    let message = match root.noun() {
        "nothing" => "the file is empty".to_owned(),
        other => format!("a definition is a mapping, not {other}"),
    };
    Diagnostic::new(&WRONG_SHAPE, message, root.span, "expected `definition_version: 2`")
        .help("start with\ndefinition_version: 2\nentities:\n  my_repo:\n    type: image-repository")
}

fn top_level(root: &Node, texts: &Texts<'_>, found: &mut Diagnostics) {
    let place = Place { noun: "a project definition", advise: &|_| None };
    let entries = root.as_mapping().unwrap_or_default();
    for entry in entries {
        match entry.key.value.as_str() {
            "definition_version" => check_version(entry, found),
            "env" => shape::check(&entry.value, &Shape::Map(&Shape::Text), &entry.key, found),
            // Mixins are checked where they are used, entities where they are decoded.
            "mixins" | "entities" => {}
            _ => found.push(shape::unknown_key(entry, TOP_LEVEL.into_iter(), &place)),
        }
    }
    if root.entry("definition_version").is_none() && !texts.syntax.has_errors() {
        found.push(missing_version(entries, root));
    }
}

fn missing_version(entries: &[Entry], root: &Node) -> Diagnostic {
    let span = entries.first().map_or(root.span, |first| first.key.span);
    Diagnostic::new(&VERSION, "`definition_version` is missing", span.start_only(), "expected before this")
        .help("add `definition_version: 2` as the first line")
}

fn check_version(entry: &Entry, found: &mut Diagnostics) {
    let written = entry.value.as_str();
    if written == Some("2") {
        return;
    }
    let span = if entry.value.span.start == entry.value.span.end { entry.key.span } else { entry.value.span };
    let diagnostic = match written {
        Some("1" | "1.1") => Diagnostic::new(
            &VERSION,
            "definition versions before 2 are not supported",
            span,
            "an older version",
        )
        .help("convert the file with\nsnow helpers v1-to-v2"),
        _ => Diagnostic::new(&VERSION, "`definition_version` must be 2", span, "not a version that is known")
            .help("write `definition_version: 2`")
            .fix("set it to 2", span, "2"),
    };
    found.push(diagnostic);
}

/// The entries below `entities:`; `None`, and a diagnostic, where it is no mapping.
pub(super) fn entity_entries<'a>(section: &'a Entry, found: &mut Diagnostics) -> Option<&'a [Entry]> {
    let entries = section.value.as_mapping();
    if entries.is_none() {
        let message = format!("`entities` takes a mapping, not {}", section.value.noun());
        found.push(
            Diagnostic::new(&WRONG_SHAPE, message, section.key.span, "expected entities below this")
                .help("add an entity below it, or remove the key"),
        );
    }
    entries
}

fn decode_entities(section: &Entry, project: &mut Project, found: &mut Diagnostics) {
    let Some(entries) = entity_entries(section, found) else { return };
    project.keys = entries.iter().map(|entry| entry.key.clone()).collect();
    project.entities = entries.iter().filter_map(|entry| decode_entity(entry, found)).collect();
}

fn decode_entity(entry: &Entry, found: &mut Diagnostics) -> Option<Entity> {
    let Some(keys) = entry.value.as_mapping() else {
        let message = format!("entity `{}` is {}", entry.key.value, entry.value.noun());
        found.push(
            Diagnostic::new(&WRONG_SHAPE, message, entry.key.span, "an entity is a mapping")
                .help("add below it\ntype: image-repository"),
        );
        return None;
    };
    let kind = decode_type(&entry.key, keys, found)?;
    check_keys(entry, keys, kind, found);
    finding::run(kind.checks, &entry.value, &entry.key, found);
    let name =
        kind.managed.and_then(|_| identifier::decode(&entry.key, entry.value.entry("identifier"), found));
    let meta = entry.value.entry("meta").map(|meta| decode_meta(&meta.value)).unwrap_or_default();
    Some(Entity {
        key: entry.key.clone(),
        kind,
        span: entry.key.span.to(entry.value.span),
        name,
        meta,
        references: reference::collect(&entry.value, kind.fields),
        attributes: BTreeMap::new(),
        grants: None,
        grants_exact: false,
        owner_grants: None,
        tags: Vec::new(),
        allow: Vec::new(),
        require_images: Vec::new(),
    })
}

fn check_keys(entry: &Entry, keys: &[Entry], kind: &'static Kind, found: &mut Diagnostics) {
    let article = if kind.type_name.starts_with(['a', 'i']) { "an" } else { "a" };
    let noun = format!("{article} {}", kind.type_name);
    let advise = |unknown: &Entry| {
        let key = unknown.key.value.as_str();
        if let Some(attribute) = kind.managed.and_then(|managed| managed.attribute(key)) {
            return Some(format!(
                "snow rejects it here; move it to snowform.yml:\nentities:\n  {}:\n    {}: …",
                entry.key.value, attribute.name
            ));
        }
        belongs_elsewhere(key, kind)
    };
    let checked: Vec<Entry> = keys.iter().filter(|key| key.key.value != "type").cloned().collect();
    shape::check_fields(&checked, kind.fields, &entry.key, &Place { noun: &noun, advise: &advise }, found);
}

/// What helps with a key that other types have.
fn belongs_elsewhere(key: &str, kind: &Kind) -> Option<String> {
    let others: Vec<String> =
        kind::kinds_with_key(key).map(|other| format!("`{}`", other.type_name)).collect();
    let owners = match others.as_slice() {
        [] => return None,
        [only] => format!("type {only}"),
        [first @ .., last] => format!("types {} and {last}", first.join(", ")),
    };
    let own: Vec<&str> = kind.fields.iter().map(|field| field.name).collect();
    let way_out = match did_you_mean(key, &own) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "remove it, or change the type".to_owned(),
    };
    Some(format!("`{key}` belongs to {owners}; {way_out}"))
}

fn decode_type(key: &Spanned<String>, keys: &[Entry], found: &mut Diagnostics) -> Option<&'static Kind> {
    let names: Vec<&str> = kind::KINDS.iter().map(|kind| kind.type_name).collect();
    let Some(entry) = keys.iter().find(|entry| entry.key.value == "type") else {
        found.push(
            Diagnostic::new(&MISSING_KEY, "`type` is missing", key.span, "this entity needs a type")
                .help(format!("add `type:` with one of: {}", names.join(", "))),
        );
        return None;
    };
    let Some(written) = entry.value.as_str().filter(|text| !text.is_empty()) else {
        let message = format!("`type` takes a text, not {}", entry.value.noun());
        found.push(
            Diagnostic::new(&WRONG_SHAPE, message, entry.key.span, "expected a type")
                .help(format!("one of: {}", names.join(", "))),
        );
        return None;
    };
    let kind = kind::by_type_name(written);
    if kind.is_none() && written.contains("<%") {
        found.push(
            Diagnostic::new(
                &TEMPLATE_NOT_ALLOWED,
                "`type` cannot be a template",
                entry.value.span,
                "a template",
            )
            .help(format!("write the type out, one of: {}", names.join(", "))),
        );
    } else if kind.is_none() {
        let diagnostic = Diagnostic::new(
            &UNKNOWN_TYPE,
            format!("`{}` is no entity type", written.escape_debug()),
            entry.value.span,
            "not a type that is known",
        );
        let normal = written.trim().to_lowercase().replace('_', "-");
        found.push(match did_you_mean(&normal, &names) {
            Some(near) => diagnostic.help(format!("did you mean `{near}`?")).fix(
                format!("set it to `{near}`"),
                entry.value.span,
                near,
            ),
            None => diagnostic.help(format!("known types: {}", names.join(", "))),
        });
    }
    kind
}

fn decode_meta(meta: &Node) -> Meta {
    let texts = |node: &Node| -> Vec<Spanned<String>> {
        let Data::Sequence(items) = &node.data else { return Vec::new() };
        items.iter().filter_map(|item| Some(Spanned::new(item.as_str()?.to_owned(), item.span))).collect()
    };
    let mut decoded = Meta::default();
    for entry in meta.as_mapping().unwrap_or_default() {
        let value = &entry.value;
        let mut ignored = |what| decoded.without_effect.push(Spanned::new(what, entry.key.span));
        match entry.key.value.as_str() {
            "role" => {
                // The loader lets `my-role` pass, which no statement can name without quotes: as written, then.
                let role = value.as_str().filter(|role| !role.is_empty());
                decoded.role = role.map(|role| {
                    Spanned::new(Ident::parse(role).unwrap_or_else(|_| Ident::exact(role)), value.span)
                });
            }
            "depends_on" => decoded.depends_on = texts(value),
            "warehouse" => ignored("`meta.warehouse`: statements for this type need no warehouse"),
            "post_deploy" => ignored("`meta.post_deploy`: snowform runs no scripts"),
            "action_arguments" => ignored("`meta.action_arguments`: snowform has no such actions"),
            _ => {}
        }
    }
    decoded
}
