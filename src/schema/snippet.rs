//! Snippets that editors insert: an entity of every type, and keys that hold a mapping, with what must be there.

use super::shape::{Schema, object};
use crate::kind::Kind;
use crate::kind::field::{Field, Shape};
use serde_json::{Value, json};

/// Counts the places that the author walks through.
struct Places(usize);

impl Places {
    fn next(&mut self, text: &str) -> String {
        self.0 += 1;
        // `$` and `}` would end or open a place of their own.
        format!("${{{}:{}}}", self.0, text.replace('$', "\\$").replace('}', "\\}"))
    }
}

/// The snippets below `entities`: one whole entity of every type.
pub(super) fn entities(kinds: &[&Kind]) -> Value {
    let snippet = |kind: &&Kind| {
        let mut places = Places(0);
        let key = places.next(&format!("my_{}", kind.type_name.replace(['-', ' '], "_")));
        json!({"label": kind.type_name, "description": kind.doc, "body": {key: entity(kind, &mut places)}})
    };
    kinds.iter().map(snippet).collect()
}

/// The snippets inside of an entity that is still empty.
pub(super) fn entity_bodies(kinds: &[&Kind]) -> Value {
    let snippet = |kind: &&Kind| {
        let body = entity(kind, &mut Places(0));
        json!({"label": format!("type: {}", kind.type_name), "description": kind.doc, "body": body})
    };
    kinds.iter().map(snippet).collect()
}

fn entity(kind: &Kind, places: &mut Places) -> Schema {
    let mut body = object(json!({"type": kind.type_name}));
    body.extend(required(kind.fields, places));
    body
}

fn required(fields: &[Field], places: &mut Places) -> Schema {
    fields
        .iter()
        .filter(|field| field.required)
        .map(|field| (field.name.to_owned(), body(&field.shape, field.example, places)))
        .collect()
}

fn body(shape: &Shape, example: Option<&str>, places: &mut Places) -> Value {
    match (shape, example) {
        (Shape::List(item), _) => json!([body(item, example, places)]),
        (Shape::Either(..), Some(example)) => places.next(example).into(),
        (Shape::Either(_, other), None) => body(other, None, places),
        (Shape::Record(record), _) => required(record.fields, places).into(),
        (_, example) => places.next(example.unwrap_or_default()).into(),
    }
}

/// The snippet of a key whose mappings have keys that must be there.
pub(super) fn of_field(field: &Field) -> Schema {
    let mut places = Places(0);
    let body = match &field.shape {
        Shape::Record(record) if record.fields.iter().any(|field| field.required) => {
            required(record.fields, &mut places).into()
        }
        Shape::List(Shape::Record(_)) => body(&field.shape, None, &mut places),
        _ => return Schema::new(),
    };
    object(json!({"defaultSnippets": [{"label": field.name, "description": field.doc, "body": body}]}))
}
