//! The schemas of `snowflake.yml` and of `snowflake.local.yml`.

use super::DRAFT;
use super::shape::{Keys, Schema, described, field, object, or_template, required};
use super::snippet;
use crate::kind::field::{Field, Shape};
use crate::kind::shared::IDENTIFIER;
use crate::kind::{KINDS, Kind};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Where SchemaStore would serve them.
const ID: &str = "https://json.schemastore.org/snowflake-project.json";
const LOCAL_ID: &str = "https://json.schemastore.org/snowflake-project-local.json";

/// One part of a name, and one to three of them (`object::name`).
const PART: &str = r#"(?:[A-Za-z_][A-Za-z0-9_$]{0,254}|"(?:""|[^"]){1,255}")"#;

/// The schema of `snowflake.yml`.
pub fn definition() -> Value {
    let mut schema = frame(
        ID,
        "Snowflake project definition",
        "What a project deploys to Snowflake: snowflake.yml, definition version 2.",
        Keys::Required,
    );
    schema.insert("required".to_owned(), json!(["definition_version"]));
    let start = json!({
        "definition_version": 2,
        "entities": {"${1:my_repository}": {"type": "${2:image-repository}"}},
    });
    let snippet = json!([{"label": "project definition", "description": "A definition with one entity.", "body": start}]);
    schema.insert("defaultSnippets".to_owned(), snippet);
    schema.into()
}

/// The schema of `snowflake.local.yml`, which says only what differs.
pub fn local() -> Value {
    let title = "Snowflake project definition, local part";
    frame(
        LOCAL_ID,
        title,
        "What differs on this machine: laid over snowflake.yml, key by key.",
        Keys::Optional,
    )
    .into()
}

fn frame(id: &str, title: &str, doc: &str, keys: Keys) -> Schema {
    let mut schema =
        object(json!({"$schema": DRAFT, "$id": id, "title": title, "description": doc, "type": "object"}));
    let mut properties = Schema::new();
    let doc = "The version of the format. snow reads older ones too; only version 2 has entities.";
    let mut version = described(doc, doc);
    version.insert("enum".to_owned(), json!([2, "2"]));
    version.insert("default".to_owned(), json!(2));
    version.insert("errorMessage".to_owned(), "only version 2 is supported: definition_version: 2".into());
    properties.insert("definition_version".to_owned(), version.into());
    properties.insert("entities".to_owned(), entities().into());
    properties.insert("env".to_owned(), field(&ENV, Keys::Optional).into());
    properties.insert("mixins".to_owned(), mixins().into());
    schema.insert("properties".to_owned(), properties.into());
    schema.insert("additionalProperties".to_owned(), false.into());
    schema.insert("definitions".to_owned(), definitions(keys).into());
    schema
}

const ENV: Field = Field::optional(
    "env",
    Shape::Map(&Shape::Text),
    "Values for templates: `<% ctx.env.NAME %>`. `--env` and the environment win over them.",
);

fn entities() -> Schema {
    let doc = "What is deployed: each entity under a key of its own, which is its name too unless it has an `identifier`.";
    let mut out = described(doc, doc);
    out.extend(object(json!({
        "type": "object",
        "errorMessage": "entities takes a mapping: a key for each entity",
        "additionalProperties": {"$ref": "#/definitions/entity"},
        "patternProperties": {
            format!(r"^(?!(?:{PART}\.){{0,2}}{PART}$)"): {"$ref": "#/definitions/entity-under-no-name"},
        },
        "defaultSnippets": snippet::entities(KINDS),
    })));
    out
}

/// A mixin that nothing uses may hold anything, so its values are not judged.
fn mixins() -> Schema {
    let doc = "Keys that several entities share; each names its mixins under `meta.use_mixins`.";
    let mut out = described(doc, doc);
    let mut rows: BTreeMap<&str, Value> = BTreeMap::new();
    for row in KINDS.iter().flat_map(|kind| kind.fields).filter(|row| row.name != "from") {
        rows.entry(row.name).or_insert_with(|| described(row.doc, row.doc).into());
    }
    out.extend(object(json!({
        "type": "object",
        "errorMessage": "mixins takes a mapping: a name for each mixin",
        "additionalProperties": {
            "type": "object",
            "errorMessage": "a mixin is a mapping of keys that entities have",
            "properties": rows,
        },
    })));
    out
}

/// The schemas that others name: entities by type, and the keys that several types have in the same way.
fn definitions(keys: Keys) -> Schema {
    let shared = shared_fields();
    let mut out = Schema::new();
    out.insert("entity".to_owned(), entity(keys).into());
    out.insert("entity-under-no-name".to_owned(), entity_under_no_name(keys).into());
    for kind in KINDS {
        out.insert(definition_name(kind), of_kind(kind, keys, &shared).into());
    }
    if keys == Keys::Optional {
        out.insert("entity-of-any-type".to_owned(), of_any_type(&shared).into());
    }
    out.extend(shared);
    out
}

fn definition_name(kind: &Kind) -> String {
    format!("entity-{}", kind.type_name.replace(' ', "-"))
}

fn entity(keys: Keys) -> Schema {
    let by_type = KINDS.iter().map(|kind| {
        json!({
            "if": {"type": "object", "required": ["type"], "properties": {"type": {"const": kind.type_name}}},
            "then": {"$ref": format!("#/definitions/{}", definition_name(kind))},
        })
    });
    let docs: Vec<_> = KINDS.iter().map(|kind| kind.doc).collect();
    let mut conditions: Vec<Value> = by_type.collect();
    if keys == Keys::Required {
        conditions.push(json!({"required": ["type"]}));
    } else {
        conditions.push(json!({
            "if": {"type": "object", "not": {"required": ["type"]}},
            "then": {"$ref": "#/definitions/entity-of-any-type"},
        }));
    }
    object(json!({
        "type": "object",
        "errorMessage": "an entity is a mapping; its first key is type",
        "properties": {
            "type": {
                "description": "What the entity is.",
                "markdownDescription": "What the entity is.",
                "enum": KINDS.iter().map(|kind| kind.type_name).collect::<Vec<_>>(),
                "enumDescriptions": docs,
                "markdownEnumDescriptions": docs,
            },
        },
        "allOf": conditions,
        "defaultSnippets": snippet::entity_bodies(KINDS),
    }))
}

/// Deployed entities are called as their key where they have no identifier, and this key is no name.
fn entity_under_no_name(keys: Keys) -> Schema {
    let entity = json!({"$ref": "#/definitions/entity"});
    if keys == Keys::Optional {
        return object(json!({"allOf": [entity]}));
    }
    let managed: Vec<_> =
        KINDS.iter().filter(|kind| kind.managed.is_some()).map(|kind| kind.type_name).collect();
    object(json!({
        "allOf": [
            entity,
            {
                "if": {
                    "type": "object",
                    "required": ["type"],
                    "properties": {"type": {"enum": managed}, "meta": WITHOUT_MIXINS.clone()},
                },
                "then": {
                    "required": ["identifier"],
                    "errorMessage": "this key is no valid name: rename it, or add an identifier",
                },
            },
        ],
    }))
}

/// A `meta` without mixins: they may give what seems to be missing.
static WITHOUT_MIXINS: std::sync::LazyLock<Value> =
    std::sync::LazyLock::new(|| json!({"not": {"required": ["use_mixins"]}}));

fn of_kind(kind: &Kind, keys: Keys, shared: &Schema) -> Schema {
    let mut properties = object(json!({"type": true}));
    for row in kind.fields {
        properties.insert(row.name.to_owned(), shared_or_own(kind, row, shared));
    }
    let mut out = described(kind.doc, kind.doc);
    if let Some(moved) = moved_keys(kind, &mut properties) {
        out.insert("allOf".to_owned(), json!([moved]));
    }
    out.insert("properties".to_owned(), properties.into());
    out.insert("additionalProperties".to_owned(), false.into());
    let must = required(kind.fields, 2);
    if keys == Keys::Required && !must.is_empty() {
        out.insert("if".to_owned(), json!({"properties": {"meta": WITHOUT_MIXINS.clone()}}));
        out.insert("then".to_owned(), must.into());
    }
    out
}

/// A key's schema, or a reference to it where other types have the same.
fn shared_or_own(kind: &Kind, row: &Field, shared: &Schema) -> Value {
    let schema = row_of(kind, row);
    if shared.get(row.name) == Some(&schema) {
        json!({"$ref": format!("#/definitions/{}", row.name)})
    } else {
        schema
    }
}

/// The attributes that snow does not know stand in `snowform.yml`, and their keys are refused here by name.
fn moved_keys(kind: &Kind, properties: &mut Schema) -> Option<Value> {
    let attributes = kind.managed?.attributes;
    for attribute in attributes {
        properties.insert(attribute.name.to_owned(), json!({"doNotSuggest": true}));
    }
    let refused: Schema =
        attributes.iter().map(|attribute| (attribute.name.to_owned(), false.into())).collect();
    let names: Vec<_> = attributes.iter().map(|attribute| attribute.name).collect();
    let message = format!("snow rejects {} here: move it to snowform.yml", names.join(" and "));
    Some(json!({"properties": refused, "errorMessage": message}))
}

fn row_of(kind: &Kind, row: &Field) -> Value {
    // Names are checked here where snowform deploys the type; snow checks them when it deploys.
    if row.name == IDENTIFIER.name && kind.managed.is_some() {
        return identifier().into();
    }
    field(row, Keys::Optional).into()
}

/// A name in one text, or in parts that say everything once.
fn identifier() -> Schema {
    let mut out = field(&IDENTIFIER, Keys::Optional);
    let help = "not a valid name: letters, digits, _ and $, not first a digit; or in double quotes";
    let (whole, single) = (format!(r"^(?:{PART}\.){{0,2}}{PART}$"), format!("^{PART}$"));
    let qualified = |parts: usize, keys: Value, message: &str| {
        json!({
            "if": {"required": ["name"], "properties": {"name": {"pattern": format!(r"^(?:{PART}\.){{{parts}}}{PART}$")}}},
            "then": {"properties": keys, "errorMessage": message},
        })
    };
    let message = "the name is qualified already: remove this key, or write the bare name";
    let text = |pattern: &str| {
        json!({
            "if": {"type": ["null", "number", "array", "object"]},
            "then": {"type": "string", "errorMessage": help},
            "pattern": or_template(pattern),
            "patternErrorMessage": help,
        })
    };
    let mut parts = object(out["else"]["properties"].clone());
    for (key, part) in &mut parts {
        if let Value::Object(part) = part {
            part.extend(object(text(if key == "name" { &whole } else { &single })));
        }
    }
    out.insert("if".to_owned(), json!({"type": ["null", "number", "array"]}));
    out.insert("then".to_owned(), json!({"type": ["string", "object"], "errorMessage": "identifier takes a name, or a mapping with name, schema and database"}));
    out.insert("pattern".to_owned(), or_template(&whole).into());
    out.insert("patternErrorMessage".to_owned(), help.into());
    out.insert(
        "else".to_owned(),
        json!({
            "properties": parts,
            "additionalProperties": false,
            "allOf": [
                qualified(1, json!({"schema": false}), message),
                qualified(2, json!({"schema": false, "database": false}), message),
            ],
        }),
    );
    out
}

/// The keys that at least two types have in the same way.
fn shared_fields() -> Schema {
    let mut seen: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for kind in KINDS {
        for row in kind.fields {
            seen.entry(row.name).or_default().push(row_of(kind, row));
        }
    }
    let most_common = |schemas: Vec<Value>| {
        let count = |schema: &Value| schemas.iter().filter(|other| *other == schema).count();
        let best = schemas.iter().max_by_key(|schema| count(schema))?;
        (count(best) > 1).then(|| best.clone())
    };
    seen.into_iter().filter_map(|(name, schemas)| Some((name.to_owned(), most_common(schemas)?))).collect()
}

/// An entity of the local file whose type stands in `snowflake.yml`: keys are known, and values are judged where all
/// types agree on them.
fn of_any_type(shared: &Schema) -> Schema {
    let mut properties = Schema::new();
    for kind in KINDS {
        for row in kind.fields {
            let schema = shared_or_own(kind, row, shared);
            match properties.get(row.name) {
                None => drop(properties.insert(row.name.to_owned(), schema)),
                Some(known) if *known == schema => {}
                Some(_) => drop(properties.insert(row.name.to_owned(), described(row.doc, row.doc).into())),
            }
        }
    }
    object(json!({"properties": properties, "additionalProperties": false}))
}
