//! `snowflake.yml` to a [`Project`].

use super::shape::{self, Place};
use super::{
    Entity, Inputs, MISSING_KEY, Meta, NOT_SUPPORTED, Project, UNKNOWN_TYPE, VERSION, WRONG_SHAPE,
    identifier, overlay,
};
use crate::kind::{self, Kind};
use crate::object::name::Ident;
use crate::source::diagnostic::{Diagnostic, Diagnostics, did_you_mean};
use crate::source::files::Files;
use crate::source::span::{Span, Spanned};
use crate::source::yaml::{self, Data, Entry, Node, Parsed};
use std::collections::BTreeMap;

const TOP_LEVEL: [&str; 4] = ["definition_version", "entities", "env", "mixins"];

/// Reads a project. Whatever is wrong is in the diagnostics, and the project holds the rest.
pub fn decode(files: &Files, inputs: &Inputs) -> (Project, Diagnostics) {
    let Parsed { root, diagnostics: mut syntax, unfinished } =
        yaml::parse(inputs.definition, files.text(inputs.definition));
    let mut found = Diagnostics::default();
    if let Some(local) = inputs.local {
        found.push(not_supported(
            Span::new(local, 0, 0),
            "snowflake.local.yml is not read yet",
            "remove the file",
        ));
    }
    let mut project = Project::default();
    let Some(root) = root else { return (project, syntax) };
    let Some(entries) = root.as_mapping() else {
        found.push(not_a_definition(&root));
        return (project, found);
    };
    refuse_templates(&root, &mut found);
    top_level(entries, &mut found);
    if root.entry("definition_version").is_none() && !syntax.has_errors() {
        found.push(missing_version(entries, &root));
    }
    if let Some(entities) = entries.iter().find(|entry| entry.key.value == "entities") {
        decode_entities(entities, &mut project, &mut found);
    }
    if let Some(file) = inputs.overlay {
        overlay::apply(file, files.text(file), &mut project, &mut found);
    }
    // What a syntax error cut short is not blamed for what it lacks.
    found.retain(|found| !unfinished.contains(&found.primary.span));
    syntax.extend(found);
    (project, syntax)
}

fn not_a_definition(root: &Node) -> Diagnostic {
    let message = match root.noun() {
        "nothing" => "the file is empty".to_owned(),
        other => format!("a definition is a mapping, not {other}"),
    };
    Diagnostic::new(&WRONG_SHAPE, message, root.span, "expected `definition_version: 2`")
        .help("start with\ndefinition_version: 2\nentities:\n  my_repo:\n    type: image-repository")
}

fn top_level(entries: &[Entry], found: &mut Diagnostics) {
    let place = Place { noun: "a project definition", advise: &|_| None };
    for entry in entries {
        match entry.key.value.as_str() {
            "definition_version" => check_version(entry, found),
            "mixins" => found.push(not_supported(
                entry.key.span,
                "`mixins` are not applied yet",
                "write the keys out",
            )),
            "env" => {
                shape::check(
                    &entry.value,
                    &kind::field::Shape::Map(&kind::field::Shape::Text),
                    &entry.key,
                    found,
                );
            }
            "entities" => {}
            _ => found.push(shape::unknown_key(entry, TOP_LEVEL.into_iter(), &place)),
        }
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

/// Templates belong to the language, and reading them as plain texts would deploy something else.
fn refuse_templates(node: &Node, found: &mut Diagnostics) {
    match &node.data {
        Data::Scalar(text) if text.contains("<%") => {
            found.push(not_supported(node.span, "templates are not rendered yet", "write the value out"));
        }
        Data::Scalar(_) => {}
        Data::Sequence(items) => items.iter().for_each(|item| refuse_templates(item, found)),
        Data::Mapping(entries) => entries.iter().for_each(|entry| refuse_templates(&entry.value, found)),
    }
}

fn not_supported(span: Span, message: &str, way_out: &str) -> Diagnostic {
    Diagnostic::new(&NOT_SUPPORTED, message, span, "not supported by this version")
        .help(format!("{way_out}; deploying while ignoring it would do something else than what is written"))
}

fn decode_entities(section: &Entry, project: &mut Project, found: &mut Diagnostics) {
    let Some(entries) = section.value.as_mapping() else {
        let message = format!("`entities` takes a mapping, not {}", section.value.noun());
        found.push(
            Diagnostic::new(&WRONG_SHAPE, message, section.key.span, "expected entities below this")
                .help("add an entity below it, or remove the key"),
        );
        return;
    };
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
    if let Some(fields) = kind.fields {
        check_keys(entry, keys, kind, fields, found);
    }
    let name =
        kind.managed.and_then(|_| identifier::decode(&entry.key, entry.value.entry("identifier"), found));
    let meta = entry.value.entry("meta").map(|meta| decode_meta(&meta.value, found)).unwrap_or_default();
    Some(Entity {
        key: entry.key.clone(),
        kind,
        span: entry.key.span.to(entry.value.span),
        name,
        meta,
        attributes: BTreeMap::new(),
    })
}

fn check_keys(
    entry: &Entry,
    keys: &[Entry],
    kind: &'static Kind,
    fields: &[kind::field::Field],
    found: &mut Diagnostics,
) {
    let article = if kind.type_name.starts_with(['a', 'i']) { "an" } else { "a" };
    let noun = format!("{article} {}", kind.type_name);
    let advise = |unknown: &Entry| {
        let attribute = kind.managed?.attribute(&unknown.key.value)?;
        Some(format!(
            "snow rejects it here; move it to snowform.yml:\nentities:\n  {}:\n    {}: …",
            entry.key.value, attribute.name
        ))
    };
    let checked: Vec<Entry> = keys.iter().filter(|key| key.key.value != "type").cloned().collect();
    shape::check_record(&checked, fields, &entry.key, &Place { noun: &noun, advise: &advise }, found);
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
    if kind.is_none() {
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

fn decode_meta(meta: &Node, found: &mut Diagnostics) -> Meta {
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
            "use_mixins" => {
                found.push(not_supported(entry.key.span, "mixins are not applied yet", "write the keys out"));
            }
            "warehouse" => ignored("`meta.warehouse`: statements for this type need no warehouse"),
            "post_deploy" => ignored("`meta.post_deploy`: snowform runs no scripts"),
            "action_arguments" => ignored("`meta.action_arguments`: snowform has no such actions"),
            _ => {}
        }
    }
    decoded
}
